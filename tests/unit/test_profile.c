/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/secret.h"
#include "profile/profile.h"
#include "vectors.h"

static char *folder; /* of one test */

static void set_up(void)
{
    folder = g_dir_make_tmp("godwit-profile-XXXXXX", NULL);
    ck_assert_ptr_nonnull(folder);
}

static void remove_below(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        char *child = g_build_filename(path, name, NULL);

        if (g_remove(child) != 0) {
            remove_below(child);
            g_rmdir(child);
        }
        g_free(child);
    }
    if (dir != NULL) {
        g_dir_close(dir);
    }
}

static void tear_down(void)
{
    remove_below(folder);
    g_rmdir(folder);
    g_free(folder);
}

static char *file(const char *name, const char *content)
{
    char *path = g_build_filename(folder, name, NULL);

    ck_assert(g_file_set_contents(path, content, -1, NULL));
    return path;
}

static struct profile *parse(const char *text, GError **error)
{
    return profile_parse(bytes_of_string(text), "home.conf", folder, error);
}

static struct profile *parse_good(const char *text)
{
    GError *error = NULL;
    struct profile *profile = parse(text, &error);

    ck_assert_msg(profile != NULL, "%s", error == NULL ? "?" : error->message);
    return profile;
}

/* ---- keyfiles ---- */

struct file_case {
    const char *text;
    const char *want; /* the whole message */
};

static const struct file_case bad_files[] = {
    {"gateway=a\n", "home.conf:1: [godwit] must come first"},
    {"[godwt]\n", "home.conf:1: unknown group [godwt]; keys belong in [godwit]"},
    {"[godwit]\n\n# c\ngatway=a\n",
     "home.conf:4: unknown key \"gatway\" (did you mean \"gateway\"?)"},
    {"[godwit]\r\nport=70000\r\n", "home.conf:2: port: \"70000\" is not between 1 and 65535"},
    {"[godwit]\ngateway=a\ngateway=b\n", "home.conf:3: \"gateway\" was already set in line 2"},
    {"[godwit]\ngateway\n", "home.conf:2: neither key=value nor a comment"},
    {"[godwit]\ngateway=\n", "home.conf:2: gateway: the value is empty"},
    {"[godwit]\n=a\n", "home.conf:2: unknown key \"\""},
    {"[godwit]\ngateway=a\x01"
     "b\n",
     "home.conf:2: gateway: it contains a control character"},
    {"[godwit]\ngateway=a\\nb\n", "home.conf:2: gateway: it contains a control character"},
    {"[godwit]\nuser=CORP\\alice\n", "home.conf:2: user: a backslash must be written \\\\; only "
                                     "\\s, \\t, \\n and \\r exist besides"},
    {"[godwit]\nuser=alice\\",
     "home.conf:2: user: a backslash must be written \\\\; only \\s, \\t, "
     "\\n and \\r exist besides"},
    {"[godwit]\nuser=\xff\n", "home.conf:2: user: it is not valid UTF-8"},
    {"[godwit]\n\xff=1\n", "home.conf:2: unknown key \"\xef\xbf\xbd\""},
    {"[godwit]\n[other]\n", "home.conf:2: unknown group [other]; keys belong in [godwit]"},
};

START_TEST(bad_file)
{
    const struct file_case *c = &bad_files[_i];
    GError *error = NULL;

    ck_assert_ptr_null(parse(c->text, &error));
    ck_assert_str_eq(error->message, c->want);
    g_clear_error(&error);
}
END_TEST

START_TEST(parse_variants)
{
    struct profile *profile = parse_good("\xef\xbb\xbf# a comment\r\n"
                                         " [godwit] \r\n"
                                         "  gateway =  vpn.example.org \t\r\n"
                                         "[godwit]\r\n"
                                         "user=CORP\\\\alice\r\n"
                                         "password=\\sp=#\xc3\xa4ss\\s");

    ck_assert_str_eq(profile_get(profile, "gateway"), "vpn.example.org");
    ck_assert_str_eq(profile_get(profile, "user"), "CORP\\alice");
    ck_assert_octets(profile_get_bytes(profile, "password"), bytes_of_string(" p=#\xc3\xa4ss "));
    profile_free(profile);

    profile = parse_good("");
    ck_assert(!profile_is_set(profile, "gateway"));
    profile_free(profile);
}
END_TEST

START_TEST(nul_octets)
{
    static const char value[] = "[godwit]\ngateway=a\0b\n", key[] = "[godwit]\ngate\0way=a\n";
    GError *error = NULL;

    ck_assert_ptr_null(profile_parse(bytes_of(value, sizeof value - 1), "x", NULL, &error));
    ck_assert_str_eq(error->message, "x:2: gateway: it contains a NUL octet");
    g_clear_error(&error);
    ck_assert_ptr_null(profile_parse(bytes_of(key, sizeof key - 1), "x", NULL, &error));
    ck_assert(g_str_has_prefix(error->message, "x:2: unknown key"));
    g_clear_error(&error);
}
END_TEST

START_TEST(huge_lines)
{
    GString *text = g_string_new("[godwit]\nuser=");
    GError *error = NULL;

    while (text->len < PROFILE_FILE_MAX) {
        g_string_append_c(text, 'a');
    }
    ck_assert_ptr_null(parse(text->str, &error));
    ck_assert_str_eq(error->message, "home.conf:2: user: longer than 65536 octets");
    g_clear_error(&error);

    g_string_append_c(text, 'a');
    ck_assert_ptr_null(parse(text->str, &error));
    ck_assert_str_eq(error->message, "home.conf: larger than 1 MiB");
    g_clear_error(&error);

    g_string_assign(text, "");
    while (text->len < PROFILE_FILE_MAX) {
        g_string_append_c(text, '[');
    }
    ck_assert_ptr_null(parse(text->str, &error));
    ck_assert_uint_lt(strlen(error->message), 400);
    g_clear_error(&error);
    g_string_free(text, TRUE);
}
END_TEST

/* ---- files ---- */

static void expect_load_error(const char *path, const char *what)
{
    char *want = g_strdup_printf("%s: cannot be read: %s", path, what);
    GError *error = NULL;

    ck_assert_ptr_null(profile_load(path, &error));
    ck_assert_str_eq(error->message, want);
    ck_assert_int_eq(error->code, PROFILE_ERROR_FILE);
    g_clear_error(&error);
    g_free(want);
}

START_TEST(unreadable)
{
    char *missing = g_build_filename(folder, "missing.conf", NULL);
    char *fifo = g_build_filename(folder, "fifo.conf", NULL);
    char *empty = file("empty.conf", "");
    char *large = file("large.conf", "x");

    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(truncate(large, PROFILE_FILE_MAX + 1), 0);
    expect_load_error(missing, g_strerror(ENOENT));
    expect_load_error(folder, "it is a folder");
    expect_load_error(fifo, "it is not a regular file");
    expect_load_error("/dev/null", "it is not a regular file");
    expect_load_error(empty, "it is empty");
    expect_load_error(large, "it is larger than 1 MiB");
    g_free(missing);
    g_free(fifo);
    g_free(empty);
    g_free(large);
}
END_TEST

START_TEST(files_relative_to_the_profile)
{
    char *ca = file("ca.pem", "PEM");
    char *conf = file("home.conf", "[godwit]\ngateway=a\nca=ca.pem\n");
    struct profile *profile = profile_load(conf, NULL);
    GError *error = NULL;
    char *want;

    ck_assert_ptr_nonnull(profile);
    ck_assert_str_eq(profile_get_path(profile, "ca"), ca);
    ck_assert_octets(profile_get_bytes(profile, "ca"), bytes_of_string("PEM"));
    ck_assert_ptr_null(profile_get(profile, "ca"));
    profile_free(profile);

    ck_assert_int_eq(g_remove(ca), 0);
    ck_assert_ptr_null(profile_load(conf, &error));
    want = g_strdup_printf("%s:3: ca: \"%s\" cannot be read: %s", conf, ca, g_strerror(ENOENT));
    ck_assert_str_eq(error->message, want);
    g_clear_error(&error);
    g_free(want);
    g_free(ca);
    g_free(conf);
}
END_TEST

/* As `godwit connect home.conf` names it. */
START_TEST(file_in_the_working_directory)
{
    char *ca = file("ca.pem", "PEM"), *before = g_get_current_dir();
    char *conf = file("home.conf", "[godwit]\ngateway=a\nca=ca.pem\n");
    struct profile *profile;

    ck_assert_int_eq(g_chdir(folder), 0);
    profile = profile_load("home.conf", NULL);
    ck_assert_int_eq(g_chdir(before), 0);
    ck_assert_ptr_nonnull(profile);
    ck_assert_str_eq(profile_get_path(profile, "ca"), ca);
    profile_free(profile);
    g_free(before);
    g_free(conf);
    g_free(ca);
}
END_TEST

static void set_everything(struct profile *profile, const char *ca)
{
    static const char *const texts[][2] = {
        {"name", " Home "},
        {"gateway", "vpn.example.org"},
        {"port", "4500"},
        {"user", "CORP\\alice"},
        {"auth", "eap"},
        {"legacy", "true"},
        {"remote-ts", "10.0.0.0/8"},
        {"password", " base64 \\ "},
        {"identity", "#x"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        ck_assert_msg(profile_set(profile, texts[i][0], texts[i][1], NULL, NULL), "%s",
                      texts[i][0]);
    }
    ck_assert(profile_set(profile, "ca", ca, NULL, NULL));
    ck_assert(
        profile_set_bytes(profile, "private-key-password", bytes_of_string("base64:AAAA"), NULL));
    ck_assert(profile_set_bytes(profile, "psk", bytes_of("\0\x01 ", 3), NULL));
    ck_assert(profile_set_bytes(profile, "certificate", bytes_of("\x30\x03\x00", 3), NULL));
    ck_assert(profile_set(profile, "private-key", "pkcs11:token=A%20B;id=%01", NULL, NULL));
}

static void expect_equal(const struct profile *a, const struct profile *b)
{
    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        ck_assert_msg(profile_is_set(a, key->name) == profile_is_set(b, key->name), "%s",
                      key->name);
        ck_assert_pstr_eq(profile_get(a, key->name), profile_get(b, key->name));
        ck_assert_octets(profile_get_bytes(a, key->name), profile_get_bytes(b, key->name));
    }
}

START_TEST(save_and_load)
{
    char *ca = file("ca.pem", "PEM"), *path = g_build_filename(folder, "sub/x.conf", NULL);
    struct profile *profile = profile_new(), *again, *copy;
    GError *error = NULL;
    GStatBuf status;

    set_everything(profile, ca);
    ck_assert(profile_save(profile, path, &error));
    ck_assert_int_eq(g_stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
    again = profile_load(path, &error);
    ck_assert_msg(again != NULL, "%s", error == NULL ? "?" : error->message);
    expect_equal(profile, again);
    ck_assert_str_eq(profile_get_path(again, "ca"), ca);
    copy = profile_copy(again);
    profile_free(again);
    expect_equal(profile, copy);
    profile_free(copy);

    /* An existing file, even one that everybody may read, becomes private. */
    ck_assert_int_eq(g_chmod(path, 0644), 0);
    ck_assert(profile_save(profile, path, NULL));
    ck_assert_int_eq(g_stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
    ck_assert(!profile_save(profile, "/proc/x/y.conf", &error));
    ck_assert(g_str_has_prefix(error->message, "/proc/x/y.conf: cannot be written: "));
    g_clear_error(&error);
    profile_free(profile);
    g_free(path);
    g_free(ca);
}
END_TEST

static guint names_made(int watch)
{
    union {
        struct inotify_event event;
        char octets[4096];
    } read_from;
    ssize_t n = read(watch, &read_from, sizeof read_from);
    guint made = 0;

    for (ssize_t at = 0; at < n;) {
        struct inotify_event event;

        memcpy(&event, read_from.octets + at, sizeof event);
        at += (ssize_t)(sizeof event + event.len);
        made++;
    }
    return made;
}

static guint files_in(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    guint n = 0;

    while (g_dir_read_name(dir) != NULL) {
        n++;
    }
    g_dir_close(dir);
    return n;
}

/* Whatever kills us, at most one file is left over: the new one has one name before its own. */
START_TEST(save_makes_one_file)
{
    char *path = file("x.conf", "[godwit]\ngateway=old.example.org\n"), *text = NULL;
    struct profile *profile = profile_new();
    struct rlimit none = {0}, before;
    GError *error = NULL;
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    gboolean saved;

    ck_assert(profile_set(profile, "gateway", "new.example.org", NULL, NULL));
    ck_assert_int_ge(inotify_add_watch(watch, folder, IN_CREATE), 0);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    none.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    (void)setrlimit(RLIMIT_FSIZE, &none);
    saved = profile_save(profile, path, &error); /* Check writes files as well */
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert(!saved);
    ck_assert_str_eq(strrchr(error->message, ':'), ": File too large");
    g_clear_error(&error);
    ck_assert_uint_eq(names_made(watch), 1);
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert_ptr_nonnull(strstr(text, "old.example.org"));
    g_free(text);
    ck_assert_uint_eq(files_in(folder), 1);

    ck_assert(profile_save(profile, path, NULL));
    ck_assert_uint_eq(names_made(watch), 1);
    ck_assert_uint_eq(files_in(folder), 1);
    close(watch);
    profile_free(profile);
    g_free(path);
}
END_TEST

START_TEST(one_key_of_a_file)
{
    char *path = file("one.conf", "[godwit]\ngateway=a\nuser=alice\n");
    struct profile *profile;
    GError *error = NULL;

    ck_assert(!profile_set_in_file(path, "gateway-fingerprint", "x", &error));
    ck_assert_ptr_nonnull(error);
    g_clear_error(&error);
    ck_assert(profile_set_in_file(path, "user", "bob", &error));
    profile = profile_load(path, &error);
    ck_assert_ptr_nonnull(profile);
    ck_assert_str_eq(profile_get(profile, "user"), "bob");
    ck_assert_str_eq(profile_get(profile, "gateway"), "a");
    ck_assert(!profile_is_set(profile, "gateway-fingerprint"));
    profile_free(profile);
    g_free(path);
}
END_TEST

/* Of a file that somebody has written by hand. */
static const struct by_hand {
    const char *before;
    const char *read;      /* what the profile begins as; NULL = as `before` */
    const char *change[3]; /* "key=value", "key=" takes it out */
    const char *after;
} by_hand[] = {
    {"# Ours.\n[godwit]\n gateway = a  \n\n#user=carol\n user =  alice\t\r\n# The end.",
     NULL,
     {"user=bob"},
     "# Ours.\n[godwit]\n gateway = a  \n\n#user=carol\n user =  bob\t\r\n# The end."},
    {"[godwit]\ngateway=a\npassword= \\sx=user=\n# The end.",
     NULL,
     {"user=bob"},
     "[godwit]\ngateway=a\nuser=bob\npassword= \\sx=user=\n# The end."},
    {"[godwit]\nuser=alice", NULL, {"user=bob"}, "[godwit]\nuser=bob"},
    {"[godwit]\r\ngateway=a", NULL, {"user=bob"}, "[godwit]\r\ngateway=a\r\nuser=bob\r\n"},
    {"# None yet.", NULL, {"user=bob"}, "# None yet.\n[godwit]\nuser=bob\n"},
    {"", "[godwit]\n", {"mtu=1400", "user=bob"}, "[godwit]\nuser=bob\nmtu=1400\n"},
    {"\xef\xbb\xbf[godwit]\r\nuser=alice\r\n",
     NULL,
     {"gateway=b"},
     "\xef\xbb\xbf[godwit]\r\ngateway=b\r\nuser=alice\r\n"},
    /* What goes leaves what is said of others, and of itself, where it is. */
    {"[godwit]\n# The office's.\ngateway=a\n# Mine.\nuser=alice\n\n# Slow "
     "line.\nmtu=1300\n#mtu=1\n",
     NULL,
     {"user=", "mtu=", "port=4500"},
     "[godwit]\n# The office's.\ngateway=a\nport=4500\n# Mine.\n\n# Slow line.\n#mtu=1\n"},
    /* Whoever wrote it has an order of his own. */
    {"[godwit]\ntunnel=split\n\ngateway=a\n",
     NULL,
     {"user=bob", "include=10.0.0.0/8", "name=Home"},
     "[godwit]\nname=Home\ntunnel=split\ninclude=10.0.0.0/8\n\ngateway=a\nuser=bob\n"},
    /* Other spellings of the same. */
    {"[godwit]\ngateway=a\nca = ca.pem\nlegacy=yes\nchild-octets=2G\npassword=base64:c2VzYW1l\n"
     "remote-ts = 10.0.0.0/8 , 192.0.2.0/24\ntunnel=full\n",
     NULL,
     {"gateway=b"},
     "[godwit]\ngateway=b\nca = ca.pem\nlegacy=yes\nchild-octets=2G\npassword=base64:c2VzYW1l\n"
     "remote-ts = 10.0.0.0/8 , 192.0.2.0/24\ntunnel=full\n"},
    /* What could not be read can be afterwards, and nothing of it is lost. */
    {"gateway=z\n[godwit]\nflavour = sweet\nuser = a\nuser = b\n# The end.\n[other]\nuser=x\nodd\n",
     "[godwit]\n",
     {"user=bob", "gateway=c"},
     "#gateway=z\n[godwit]\ngateway=c\n#flavour = sweet\nuser = bob\n# The "
     "end.\n#[other]\n#user=x\n"
     "#odd\n"},
    {"[godwit]\nuser=\\q\nmtu=many\nport=\n", "[godwit]\n", {"user=b\\"}, "[godwit]\nuser=b\\\\\n"},
};

static void change(struct profile *profile, const char *pair)
{
    char **halves = g_strsplit(pair, "=", 2);

    if (*halves[1] == '\0') {
        profile_unset(profile, halves[0]);
    } else {
        ck_assert(profile_set(profile, halves[0], halves[1], NULL, NULL));
    }
    g_strfreev(halves);
}

START_TEST(saved_as_it_was_written)
{
    const struct by_hand *row = &by_hand[_i];
    char *path = file("hand.conf", row->before), *ca = file("ca.pem", "PEM"), *text;
    struct profile *profile = parse_good(row->read == NULL ? row->before : row->read), *again;

    for (gsize i = 0; i < G_N_ELEMENTS(row->change) && row->change[i] != NULL; i++) {
        change(profile, row->change[i]);
    }
    for (int twice = 0; twice < 2; twice++) {
        ck_assert(profile_save(profile, path, NULL));
        ck_assert(g_file_get_contents(path, &text, NULL, NULL));
        ck_assert_str_eq(text, row->after);
        g_free(text);
    }
    again = profile_load(path, NULL);
    ck_assert_ptr_nonnull(again);
    expect_equal(profile, again);
    profile_free(again);
    profile_free(profile);
    g_free(ca);
    g_free(path);
}
END_TEST

/* What is handed on has nothing of what was there. */
START_TEST(exported_anew)
{
    char *path = file("hand.conf", "# My password is sesame.\n[godwit]\ngateway=a\nuser=alice\n");
    struct profile *profile = parse_good("[godwit]\ngateway = b\n");
    char *text;

    ck_assert(profile_export(profile, path, NULL));
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert_str_eq(text, "[godwit]\ngateway=b\n");
    g_free(text);
    profile_free(profile);
    g_free(path);
}
END_TEST

/* What could not be read again is not written. */
START_TEST(larger_than_may_be_read)
{
    char *path = file("hand.conf", "[godwit]\ngateway=a\n"), *text;
    struct profile *profile = parse_good("[godwit]\ngateway=a\n");
    struct secret much = {0};
    GError *error = NULL;

    ck_assert(secret_alloc(&much, PROFILE_FILE_MAX));
    ck_assert(profile_set_bytes(profile, "ca", secret_bytes(&much), NULL));
    ck_assert(!profile_save(profile, path, &error));
    ck_assert(g_str_has_suffix(error->message, ": it is larger than 1 MiB"));
    g_clear_error(&error);
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert_str_eq(text, "[godwit]\ngateway=a\n");
    g_free(text);
    secret_free(&much);
    profile_free(profile);
    g_free(path);
}
END_TEST

START_TEST(one_key_and_nothing_else)
{
    char *path =
        file("hand.conf", "# Ours.\n[godwit]\n gateway = a  \n user = alice\r\n# The end.");
    char *text;

    ck_assert(profile_set_in_file(path, "user", "bob", NULL));
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert_str_eq(text, "# Ours.\n[godwit]\n gateway = a  \n user = bob\r\n# The end.");
    g_free(text);
    g_free(path);
}
END_TEST

/* root changes somebody's profile, who can read it afterwards. */
START_TEST(owner_stays)
{
    char *path = file("theirs.conf", "[godwit]\nuser=alice\n");
    GStatBuf status;

    if (geteuid() == 0) {
        ck_assert_int_eq(chown(path, 65534, 65533), 0);
        ck_assert(profile_set_in_file(path, "user", "bob", NULL));
        ck_assert_int_eq(g_stat(path, &status), 0);
        ck_assert_uint_eq(status.st_uid, 65534);
        ck_assert_uint_eq(status.st_gid, 65533);
        ck_assert_int_eq(status.st_mode & 0777, 0600);
    }
    g_free(path);
}
END_TEST

START_TEST(one_key_behind_a_link)
{
    char *kept = g_build_filename(folder, "kept", NULL), *path, *link, *text;
    GStatBuf status;

    ck_assert_int_eq(g_mkdir(kept, 0700), 0);
    path = file("kept/real.conf", "[godwit]\n# Ours.\nuser=alice\n");
    link = g_build_filename(folder, "link.conf", NULL);
    ck_assert_int_eq(g_chmod(path, 0644), 0);
    ck_assert_int_eq(symlink("kept/real.conf", link), 0);
    ck_assert(profile_set_in_file(link, "user", "bob", NULL));
    ck_assert(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert_str_eq(text, "[godwit]\n# Ours.\nuser=bob\n");
    ck_assert_int_eq(g_stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
    ck_assert_uint_eq(files_in(kept), 1);
    ck_assert_uint_eq(files_in(folder), 2);
    g_free(text);
    g_free(link);
    g_free(path);
    g_free(kept);
}
END_TEST

/* What we write must stay a keyfile to everybody else. */
START_TEST(saved_file_is_a_keyfile)
{
    char *ca = file("ca.pem", "PEM"), *path = g_build_filename(folder, "x.conf", NULL);
    struct profile *profile = profile_new();
    GKeyFile *keyfile = g_key_file_new();
    char *text;

    set_everything(profile, ca);
    ck_assert(profile_save(profile, path, NULL));
    ck_assert(g_key_file_load_from_file(keyfile, path, G_KEY_FILE_NONE, NULL));
    text = g_key_file_get_string(keyfile, "godwit", "user", NULL);
    ck_assert_str_eq(text, "CORP\\alice");
    g_free(text);
    text = g_key_file_get_string(keyfile, "godwit", "password", NULL);
    ck_assert_str_eq(text, " base64 \\ ");
    g_free(text);
    g_key_file_free(keyfile);
    profile_free(profile);
    g_free(path);
    g_free(ca);
}
END_TEST

START_TEST(find_and_list)
{
    char *path = g_build_filename(g_get_user_config_dir(), "godwit", "home.conf", NULL);
    struct profile *profile = profile_new();
    char *found, **names;

    ck_assert_ptr_null(profile_find("home"));
    ck_assert(profile_set(profile, "gateway", "a", NULL, NULL));
    ck_assert(profile_save(profile, path, NULL));
    found = profile_find("home");
    ck_assert_str_eq(found, path);
    g_free(found);
    found = profile_find("./nowhere");
    ck_assert_str_eq(found, "./nowhere");
    g_free(found);
    found = profile_find("nowhere.conf");
    ck_assert_str_eq(found, "nowhere.conf");
    g_free(found);
    ck_assert_ptr_null(profile_find("vpn.example.org"));
    names = profile_list();
    ck_assert(g_strv_contains((const char *const *)names, "home"));
    g_strfreev(names);
    profile_free(profile);
    g_free(path);
}
END_TEST

/* ---- rules across keys ---- */

#define FINGERPRINT "0001020304050607" "0001020304050607" "0001020304050607" "0001020304050607"

static const struct file_case rules[] = {
    {"", "gateway: missing"},
    {"gateway=a\n", NULL},
    {"gateway=a\nauth=certificate\n", "certificate: missing; auth=certificate needs it"},
    {"gateway=a\nauth=certificate\ncertificate=base64:MAA=\n",
     "private-key: missing; auth=certificate needs it"},
    {"gateway=a\nauth=certificate\ncertificate=base64:MAA=\nprivate-key=base64:MAA=\n", NULL},
    {"gateway=a\ncertificate=base64:MAA=\n",
     "certificate: set, but auth is not: add auth=certificate to use it"},
    {"gateway=a\nauth=eap\ncertificate=base64:MAA=\n", NULL},
    {"gateway=a\nauth=certificate\ncertificate=pkcs11:token=A;id=1\n", NULL},
    {"gateway=a\nauth=certificate\nprivate-key=pkcs11:token=A;id=1\n",
     "certificate: missing; auth=certificate needs it"},
    {"gateway=a\nauth=certificate\ncertificate=base64:MAA=\nprivate-key=pkcs11:token=A;id=1\n",
     NULL},
    {"gateway=a\nauth=certificate\ncertificate=pkcs11:token=A;id=1\nprivate-key=base64:MAA=\n",
     "private-key: a file, but the certificate is on a token: leave it out when its key is there "
     "too"},
    {"gateway=a\npsk=x\n", "psk: set, but auth is not: add auth=psk to use it"},
    {"gateway=a\nauth=psk\n", NULL},
    {"gateway=a\nauth=psk\ngateway-fingerprint=" FINGERPRINT "\n",
     "gateway-fingerprint: auth=psk is none of: eap, certificate"},
    {"gateway=a\nauth=eap\ngateway-fingerprint=" FINGERPRINT "\n", NULL},
    {"gateway=a\nrequest-ipv4=no\nrequest-ipv6=no\n",
     "request-ipv6: neither an IPv4 nor an IPv6 address would be asked for"},
    {"gateway=a\nrequest-ipv6=no\n", NULL},
    {"gateway=a\ninclude=10.0.0.0/8\n", "include: it needs tunnel=split"},
    {"gateway=a\ntunnel=split\ninclude=10.0.0.0/8\n", NULL},
    {"gateway=a\ninclude-apps=ssh\nexclude-apps=firefox\n",
     "include-apps: it and exclude-apps exclude each other"},
    {"gateway=a\ninclude-apps=ssh\nkill-switch=always\n",
     "include-apps: kill-switch=always holds every application, not only these"},
    {"gateway=a\ntunnel=split\nkill-switch=always\n", "kill-switch: always needs tunnel=full"},
    {"gateway=a\ntunnel=split\nkill-switch=connected\n", NULL},
    {"gateway=a\nesp-proposals=3des-sha1\n",
     "esp-proposals: \"3des\": this algorithm is weak and needs legacy algorithms to be allowed"},
    {"gateway=a\nesp-proposals=3des-sha1\nlegacy=yes\n", NULL},
    {"gateway=a\nike-proposals=aes128-sha256-modp1024\n",
     "ike-proposals: \"modp1024\": this algorithm is weak and needs legacy algorithms to be "
     "allowed"},
};

START_TEST(rule)
{
    char *text = g_strconcat("[godwit]\n", rules[_i].text, NULL);
    struct profile *profile = parse_good(text);
    GError *error = NULL;

    ck_assert(profile_validate(profile, &error) == (rules[_i].want == NULL));
    ck_assert_pstr_eq(error == NULL ? NULL : error->message, rules[_i].want);
    g_clear_error(&error);
    profile_free(profile);
    g_free(text);
}
END_TEST

/* ---- D-Bus ---- */

START_TEST(variant_round_trip)
{
    char *ca = file("ca.pem", "PEM");
    struct profile *profile = profile_new(), *again;
    GVariant *dict;
    guint64 port;

    set_everything(profile, ca);
    dict = g_variant_ref_sink(profile_to_variant(profile));
    ck_assert(g_variant_lookup(dict, "port", "t", &port));
    ck_assert_uint_eq(port, 4500);
    ck_assert(!g_variant_lookup(dict, "mtu", "t", &port));
    again = profile_from_variant(dict, NULL);
    ck_assert_ptr_nonnull(again);
    expect_equal(profile, again);
    /* Paths stay where they mean something. */
    ck_assert_ptr_null(profile_get_path(again, "ca"));
    g_variant_unref(dict);
    profile_free(again);
    profile_free(profile);
    g_free(ca);
}
END_TEST

static const struct file_case bad_variants[] = {
    {"{'gatway': <'x'>}", "gatway: unknown key"},
    {"{'gateway': <uint64 1>}", "gateway: the type is t instead of s"},
    {"{'port': <'4500'>}", "port: the type is s instead of t"},
    {"{'port': <uint64 70000>}", "port: \"70000\" is not between 1 and 65535"},
    {"{'legacy': <'true'>}", "legacy: the type is s instead of b"},
    {"{'ca': <'/etc/shadow'>}", "ca: the type is s instead of ay"},
    {"{'password': <'x'>}", "password: the type is s instead of ay"},
    {"{'password': <@ay []>}", "password: the value is empty"},
    {"{'gateway': <'a\\nb'>}", "gateway: it contains a control character"},
    {"{'gateway': <'a'>, 'gateway': <'b'>}", "gateway: given twice"},
};

START_TEST(bad_variant)
{
    GError *error = NULL;
    GVariant *dict =
        g_variant_parse(G_VARIANT_TYPE_VARDICT, bad_variants[_i].text, NULL, NULL, &error);

    ck_assert_msg(dict != NULL, "%s", error == NULL ? "?" : error->message);
    ck_assert_ptr_null(profile_from_variant(dict, &error));
    ck_assert_str_eq(error->message, bad_variants[_i].want);
    g_clear_error(&error);
    g_variant_unref(dict);
}
END_TEST

START_TEST(variant_of_another_type)
{
    GVariant *text = g_variant_ref_sink(g_variant_new_string("x"));

    ck_assert_ptr_null(profile_from_variant(text, NULL));
    g_variant_unref(text);
}
END_TEST

static void check_words(const char *text, gboolean labels, const char *want)
{
    char *words = profile_words(text, labels);

    ck_assert_str_eq(words, want);
    g_free(words);
}

START_TEST(keys_in_sentences)
{
    check_words("Set {rsa-pss} or {ca}.", FALSE, "Set rsa-pss or ca.");
    check_words("Set {rsa-pss} or {ca}.", TRUE,
                "Set “Sign with RSASSA-PSS” or “Certification authority”.");
    check_words("{no-key} {", TRUE, "no-key {");
    check_words("", TRUE, "");
}
END_TEST

/* Each has its key; who has no command line is not told of one. */
START_TEST(words_of_hints)
{
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        char *keys = profile_hint((enum reason)i, FALSE), *labels = profile_hint((enum reason)i, TRUE);
        char **words = g_strsplit_set(labels, " .,;:\"", -1);

        ck_assert_msg(strpbrk(keys, "{}") == NULL && strpbrk(labels, "{}") == NULL, "%s", keys);
        ck_assert_msg(strstr(labels, "sudo") == NULL && strstr(labels, "--ca") == NULL, "%s", labels);
        for (char **word = words; *word != NULL; word++) {
            ck_assert_msg(strchr(*word, '-') == NULL || profile_key_find(*word) == NULL, "%s", labels);
        }
        g_strfreev(words);
        g_free(labels);
        g_free(keys);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("profile");
    TCase *tests = tcase_create("profile");
    char *home = g_dir_make_tmp("godwit-profile-XXXXXX", NULL);
    int result;

    g_setenv("XDG_CONFIG_HOME", home, TRUE);
    g_setenv("LC_ALL", "C.UTF-8", TRUE);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, bad_file, 0, G_N_ELEMENTS(bad_files));
    tcase_add_test(tests, parse_variants);
    tcase_add_test(tests, nul_octets);
    tcase_add_test(tests, huge_lines);
    tcase_add_test(tests, unreadable);
    tcase_add_test(tests, files_relative_to_the_profile);
    tcase_add_test(tests, file_in_the_working_directory);
    tcase_add_test(tests, save_and_load);
    tcase_add_test(tests, save_makes_one_file);
    tcase_add_test(tests, one_key_of_a_file);
    tcase_add_loop_test(tests, saved_as_it_was_written, 0, G_N_ELEMENTS(by_hand));
    tcase_add_test(tests, exported_anew);
    tcase_add_test(tests, larger_than_may_be_read);
    tcase_add_test(tests, one_key_and_nothing_else);
    tcase_add_test(tests, owner_stays);
    tcase_add_test(tests, one_key_behind_a_link);
    tcase_add_test(tests, saved_file_is_a_keyfile);
    tcase_add_test(tests, find_and_list);
    tcase_add_loop_test(tests, rule, 0, G_N_ELEMENTS(rules));
    tcase_add_test(tests, variant_round_trip);
    tcase_add_loop_test(tests, bad_variant, 0, G_N_ELEMENTS(bad_variants));
    tcase_add_test(tests, variant_of_another_type);
    tcase_add_test(tests, keys_in_sentences);
    tcase_add_test(tests, words_of_hints);
    suite_add_tcase(suite, tests);
    result = run_suite(suite);
    remove_below(home);
    g_rmdir(home);
    g_free(home);
    return result;
}

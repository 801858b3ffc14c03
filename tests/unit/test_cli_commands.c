/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What godwit does besides connecting: status, cleanup, profiles, doctor. */
#include "config.h"

#include <glib/gstdio.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/program.h"
#include "vectors.h"

/* Exit codes of godwit(1). */
enum { PROFILE = 3, NOT_FOUND = 32 };

/* ---- the other commands ---- */

START_TEST(what_is_connected)
{
    struct program_result result;
    JsonParser *parser = json_parser_new();
    JsonObject *first;

    program_expect("", "status", 0, "Nothing is connected.\n", NULL);
    program_expect("", "status --json", 0, "[]\n", NULL);
    g_setenv("FAKE_RECORDS", "home,of\"fice\001", TRUE);
    result = program_run("", "status");
    expect_contains(result.out, "home\n  Gateway    vpn.example.org (192.0.2.1:4500)\n");
    expect_contains(result.out, "  Addresses  10.1.0.5/32, 2001:db8::5/128\n");
    expect_contains(result.out, "  Connected  2 min ");
    expect_contains(result.out, " in 1000 packets\n");
    expect_contains(result.out, "of\"fice?\n");
    program_clear(&result);
    result = program_run("", "status --json");
    ck_assert(json_parser_load_from_data(parser, result.out, -1, NULL));
    ck_assert_uint_eq(json_array_get_length(json_node_get_array(json_parser_get_root(parser))), 2);
    first = json_array_get_object_element(json_node_get_array(json_parser_get_root(parser)), 1);
    ck_assert_str_eq(json_object_get_string_member(first, "name"), "of\"fice\001");
    ck_assert_int_eq(json_object_get_int_member(first, "pid"), 4711);
    first = json_object_get_object_member(first, "received");
    ck_assert_int_eq(json_object_get_int_member(first, "octets"), 1234567);
    program_clear(&result);
    g_setenv("FAKE_STATE", "reconnecting", TRUE);
    result = program_run("", "status");
    expect_contains(result.out,
                    "home\n  State      reconnecting: The gateway stopped answering.\n");
    program_clear(&result);
    g_unsetenv("FAKE_STATE");
    g_unsetenv("FAKE_RECORDS");
    g_object_unref(parser);
}
END_TEST

START_TEST(cleanup)
{
    program_expect("", "cleanup", 0, "There was nothing to clean up.\n", NULL);
    program_expect("", "cleanup --kill-switch", 0,
                   "There was nothing to clean up.\n"
                   "There is no kill switch any more but that of connections.\n",
                   NULL);
    g_setenv("FAKE_LEFTOVERS", "2", TRUE);
    program_expect("", "cleanup", 0, "Cleaned up after 2 connections.\n", NULL);
    g_unsetenv("FAKE_LEFTOVERS");
}
END_TEST

START_TEST(profiles)
{
    char *path = program_folder("office.conf");
    char *add = g_strdup_printf("profile add %s gateway=vpn.example.org --user alice mtu=1400 "
                                "--password-fd 3 3<<END\nsesame\nEND\n",
                                path);
    char *show = g_strdup_printf("profile show %s", path);
    char *check = g_strdup_printf("profile check %s", path);
    char *change = g_strdup_printf("profile edit %s --port 4500 mtu=", path);
    char *delete = g_strdup_printf("profile delete %s", path);
    struct program_result result = program_run_shell("", add);
    GStatBuf saved;

    ck_assert_msg(result.code == 0, "%s", result.err);
    expect_contains(result.out, "Saved; godwit connect ");
    program_clear(&result);
    result = program_run_shell("", add);
    ck_assert_int_eq(result.code, PROFILE);
    expect_contains(result.err, "office.conf\" already; godwit profile edit");
    program_clear(&result);
    ck_assert_int_eq(g_stat(path, &saved), 0);
    ck_assert_int_eq(saved.st_mode & 0777, 0600);
    program_expect("", change, 0, "Changed;", NULL);
    result = program_run("", show);
    expect_contains(result.out, "gateway   vpn.example.org\n");
    expect_contains(result.out, "port      4500\n");
    expect_contains(result.out, "password  (secret)\n");
    expect_lacks(result.out, "mtu");
    expect_lacks(result.out, "sesame");
    program_clear(&result);
    program_expect("", check, 0, " can be used.\n", NULL);
    program_expect("", "profile check nowhere", NOT_FOUND, NULL,
                   "There is no profile \"nowhere\".");
    ck_assert(g_file_set_contents(path, "[godwit]\nuser=x\n", -1, NULL));
    program_expect("", check, PROFILE, NULL, "office.conf: gateway: missing");
    program_expect("", change, PROFILE, NULL, "gateway: missing");
    program_expect("", delete, 0, "Deleted.", NULL);
    ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
    program_expect("", delete, PROFILE, NULL, "cannot be deleted: No such file");
    g_free(delete);
    g_free(change);
    g_free(check);
    g_free(show);
    g_free(add);
    g_free(path);
}
END_TEST

/* The copy is beside the profile, where the files that it names are found. */
START_TEST(profile_in_an_editor)
{
    char *path = program_folder("edited.conf"), *left = program_folder(".");
    char *edit = g_strdup_printf("profile edit %s", path), *text;
    char *set = g_strdup_printf("%s port=4500", edit), *unset = g_strdup_printf("%s port=", edit);
    const char *before = "[godwit]\n# mine\ngateway=vpn.example.org\nuser=alice\n";
    GDir *all;
    GStatBuf saved;

    ck_assert(g_file_set_contents(path, before, -1, NULL));
    g_setenv("VISUAL", "sed -i s/alice/bob/", TRUE);
    program_expect("", edit, 0, "Changed;", NULL);
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert_str_eq(text, "[godwit]\n# mine\ngateway=vpn.example.org\nuser=bob\n");
    g_free(text);
    ck_assert_int_eq(g_stat(path, &saved), 0);
    ck_assert_int_eq(saved.st_mode & 0777, 0600);
    /* What is set by its name changes no more than that. */
    program_expect("", set, 0, "Changed;", NULL);
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert_str_eq(text, "[godwit]\n# mine\ngateway=vpn.example.org\nport=4500\nuser=bob\n");
    g_free(text);
    program_expect("", unset, 0, "Changed;", NULL);
    /* What is wrong is told with the profile's own name, and changes nothing. */
    g_setenv("VISUAL", "sed -i s/user/usr/", TRUE);
    program_expect("", edit, PROFILE, NULL, "edited.conf:4: unknown key \"usr\"");
    g_setenv("VISUAL", "sed -i /gateway/d", TRUE);
    program_expect("", edit, PROFILE, NULL, "edited.conf: gateway: missing");
    g_setenv("VISUAL", "false", TRUE);
    program_expect("", edit, PROFILE, NULL, "The editor \"false\" failed; nothing was changed.");
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert_str_eq(text, "[godwit]\n# mine\ngateway=vpn.example.org\nuser=bob\n");
    g_unsetenv("VISUAL");
    all = g_dir_open(left, 0, NULL);
    for (const char *name = g_dir_read_name(all); name != NULL; name = g_dir_read_name(all)) {
        ck_assert_msg(!g_str_has_prefix(name, ".edited"), "%s is left over", name);
    }
    g_dir_close(all);
    ck_assert_int_eq(g_remove(path), 0);
    g_free(text);
    g_free(unset);
    g_free(set);
    g_free(edit);
    g_free(left);
    g_free(path);
}
END_TEST

/* It is listed, and says what is the matter. */
static void expect_dangling(const char *config)
{
    char *path = g_build_filename(config, "lost.conf", NULL);

    ck_assert_int_eq(symlink("/nonexistent/x", path), 0);
    program_expect("", "profile list", 0, "lost.conf: cannot be read: No such file", NULL);
    program_expect("", "profile check lost", 3, NULL, "lost.conf: cannot be read: No such file");
    ck_assert_int_eq(g_remove(path), 0);
    g_free(path);
}

static const char *const bad_names[] = {"''", ".", ".hidden", "'a\nb'", "$(printf '%080d' 0)"};

START_TEST(profile_by_name)
{
    char *config = program_folder("config/godwit"),
         *path = program_folder("config/godwit/work.conf");

    for (gsize i = 0; i < G_N_ELEMENTS(bad_names); i++) {
        char *words = g_strdup_printf("profile add %s gateway=vpn.example.org", bad_names[i]);
        struct program_result result = program_run_shell("", words);

        ck_assert_msg(result.code == 2 && strstr(result.err, "name: ") != NULL, "%s: %s%s", words,
                      result.out, result.err);
        program_clear(&result);
        g_free(words);
    }
    program_expect("", "connect https://vpn.example.org", 2, NULL, "is wanted, not a URL");
    program_expect("", "help connect", 0, "Usage: godwit connect PROFILE|HOST", NULL);

    ck_assert_int_eq(g_mkdir_with_parents(config, 0700), 0);
    expect_dangling(config);
    ck_assert(g_file_set_contents(path, "[godwit]\ngateway=vpn.example.org\n", -1, NULL));
    program_expect("", "profile list", 0, "  work  vpn.example.org\n", NULL);
    program_expect("connect|full;end|user|", "connect work --standalone", 0,
                   "Connected to work in ", NULL);
    program_expect("connect|full;end|user|", "connect wrok --standalone", 0,
                   "taking it for the gateway's name. Did you mean \"work\"?\n", NULL);
    ck_assert(
        g_file_set_contents(path, "[godwit]\nname=At work\ngateway=vpn.example.org\n", -1, NULL));
    program_expect("connect|full;end|user|", "connect work --standalone", 0,
                   "Connected to At work in ", NULL);
    g_free(path);
    g_free(config);
}
END_TEST

/* ---- doctor ---- */

/* A network of the test's own with nothing but the loopback. */
static void enter_network(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd;

    ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(ioctl(fd, SIOCGIFFLAGS, &request), 0);
    request.ifr_flags |= IFF_UP;
    ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    close(fd);
}

static int listen_on(guint16 port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&name, sizeof name), 0);
    return fd;
}

static void expect_found(const char *words, const char *line)
{
    struct program_result result = program_run("", words);

    expect_contains(result.out, line);
    /* One line each: a verdict first. */
    for (char *at = strtok(result.out, "\n"); at != NULL; at = strtok(NULL, "\n")) {
        ck_assert_msg(g_str_has_prefix(at, "ok  ") || g_str_has_prefix(at, "note  ") ||
                          g_str_has_prefix(at, "problem  ") || strstr(at, "problem") != NULL ||
                          strstr(at, "in the way") != NULL,
                      "%s", at);
    }
    ck_assert_int_eq(result.code, strstr(line, "problem  ") != NULL ? 1 : result.code);
    program_clear(&result);
}

START_TEST(doctor_looks_at_a_gateway)
{
    int first, second;

    enter_network();
    expect_found("doctor", "ok  Other IKE programs: none listens on UDP ports 500 and 4500.\n");
    expect_found("doctor 127.0.0.1", "problem  Gateway: 127.0.0.1 refuses UDP ports 500 and 4500: "
                                     "nothing listens there. Check the gateway's name;");
    first = listen_on(500);
    expect_found("doctor 127.0.0.1",
                 "note  Gateway: 127.0.0.1 refuses UDP port 4500, but not 500. ");
    second = listen_on(4500);
    expect_found("doctor 127.0.0.1",
                 "ok  Gateway: 127.0.0.1 does not refuse UDP ports 500 and 4500.\n"
                 "ok  Path MTU: 65535 octets to 127.0.0.1.\n");
    expect_found("doctor", "note  Other IKE programs: one listens on UDP port 500 or 4500");
    expect_found("doctor 203.0.113.9", "note  Gateway: no way leads to 203.0.113.9. ");
    expect_found("doctor nowhere.invalid",
                 "problem  Gateway's name: nowhere.invalid has no address. ");
    expect_found("doctor 'a b'", "problem  Profile: gateway: \"a b\": neither");
    close(first);
    close(second);
}
END_TEST

START_TEST(doctor_looks_at_this_computer)
{
    char *config = program_folder("config/godwit"),
         *path = program_folder("config/godwit/open.conf");
    JsonParser *parser = json_parser_new();
    struct program_result result;

    ck_assert_int_eq(g_mkdir_with_parents(config, 0700), 0);
    expect_found("doctor", "ok  Leftovers: killed connections left nothing behind.\n");
    expect_found("doctor", "ok  DNS: a tunnel's servers are set by carrier pigeon.\n");
    g_setenv("FAKE_LEFTOVERS", "2", TRUE);
    expect_found("doctor",
                 "problem  Leftovers: 2 killed connections left routes or addresses behind. "
                 "Remove them: godwit cleanup\n");
    g_unsetenv("FAKE_LEFTOVERS");
    ck_assert(
        g_file_set_contents(path, "[godwit]\ngateway=x.example\npassword=sesame\n", -1, NULL));
    ck_assert_int_eq(g_chmod(path, 0644), 0);
    expect_found("doctor", "open.conf holds a secret that others can read. Close it: chmod 600 ");
    ck_assert_int_eq(g_chmod(path, 0600), 0);
    expect_found("doctor", "ok  Profiles: they can be used.\n");
    ck_assert(g_file_set_contents(path, "[godwit]\ngateway=x.example\nmtu=3\n", -1, NULL));
    expect_found("doctor", "open.conf:3: mtu: ");
    result = program_run("", "doctor --json");
    ck_assert(json_parser_load_from_data(parser, result.out, -1, NULL));
    ck_assert_uint_ge(json_array_get_length(json_node_get_array(json_parser_get_root(parser))), 8);
    ck_assert_int_eq(result.code, 1);
    program_clear(&result);
    ck_assert_int_eq(g_remove(path), 0);
    g_object_unref(parser);
    g_free(path);
    g_free(config);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, what_is_connected);
    tcase_add_test(tests, profiles);
    tcase_add_test(tests, profile_in_an_editor);
    /* --standalone is refused to everybody else before anything happens. */
    if (geteuid() != 0) {
        fputs("not root: connections are not tested\n", stderr);
        return;
    }
    tcase_add_test(tests, cleanup);
    tcase_add_test(tests, doctor_looks_at_a_gateway);
    tcase_add_test(tests, doctor_looks_at_this_computer);
    tcase_add_test(tests, profile_by_name);
}

int main(void)
{
    return program_suite("cli commands", add_tests);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <check.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit/daemon_bed.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"

#define ALL_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define MEBI (1024 * 1024)

static struct daemon_bed *bed;
static struct user_on_bus *root, *alice, *bob;

static void start(void)
{
    bed = daemon_bed_with_users(&root, &alice, &bob);
}

/* Whatever was done to it, it serves others still, and ends in order. */
static void stop(void)
{
    g_free(user_connects(bob, "wait", "", "{}"));
    daemon_bed_ends_well(bed, SIGTERM);
}

static void connect_fails(const char *arguments, const char *error)
{
    user_fails(alice, "", MANAGER, "Connect", g_variant_new_parsed(arguments), error);
}

/* ---- what is lent ---- */

/* As seen by NetworkManager's own service: the caller configures the host, and it ends with him. */
#define ELSEWHERE "'host-configuration': <false>, 'bound': <true>"

START_TEST(only_who_configures_the_host_is_lent_anything)
{
    g_autofree char *own = user_connects(alice, "wait", "", "{'bound': <true>}");
    user_fails(alice, own, SESSION, "Lend", NULL, ERROR("NotAuthorized"));
    g_autofree char *theirs =
        user_connects(root, "wait", "", "{" ELSEWHERE ", 'owner': <@u 65534>}");
    user_fails(alice, theirs, SESSION, "Lend", NULL, ERROR("NotAuthorized"));
    user_fails(user_arrives(0), theirs, SESSION, "Lend", NULL, ERROR("NotAuthorized"));
    g_variant_unref(user_gets(root, theirs, SESSION, "Lend", NULL));
}
END_TEST

/* A memfd that has so many octets of `content`, and is sealed as godwitd's are. */
static int memory_with(const char *content, gsize len, off_t size)
{
    int fd = memfd_create("lent", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ck_assert_int_eq(ftruncate(fd, size), 0);
    ck_assert_int_eq(pwrite(fd, content, len, 0), (ssize_t)len);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
    return fd;
}

START_TEST(what_comes_back_is_checked)
{
    const off_t size = 4096 + 2 * 256 * 1024;
    static const struct {
        guint32 header[2];
        off_t size;
        const char *error;
    } rows[] = {
        {{0, 0}, 0, ERROR("NotReady")},              /* of nothing */
        {{0, 0}, 1, ERROR("NotReady")},              /* nothing was written */
        {{2, 8}, 1, ERROR("NotReady")},              /* no such place */
        {{0, 256 * 1024 + 1}, 1, ERROR("NotReady")}, /* past its end */
        {{1, G_MAXUINT32}, 1, ERROR("NotReady")},    /* far past */
        {{0, 3}, 1, ERROR("NotReady")},              /* not in normal form */
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
        g_autofree char *error = NULL;
        int state = memory_with((const char *)rows[i].header, sizeof rows[i].header,
                                rows[i].size ? size : (off_t)sizeof rows[i].header);
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        g_unix_fd_list_append(fds, null, NULL);
        g_unix_fd_list_append(fds, state, NULL);
        close(null);
        close(state);
        GVariant *arguments =
            g_variant_new_parsed("('wait', {'gateway': <'a.example'>}, {" ELSEWHERE
                                 ", 'interface': <handle 0>, 'state': <handle 1>})");
        ck_assert_ptr_null(user_calls_fds(root, "", MANAGER, "Connect", arguments, fds, &error));
        ck_assert_str_eq(error, rows[i].error);
    }
}
END_TEST

/* ---- arguments ---- */

START_TEST(wrong_types_are_refused)
{
    connect_fails("('wait',)", INVALID_ARGS);
    connect_fails("('wait', 'profile', @a{sv} {})", INVALID_ARGS);
    connect_fails("('wait', @a{ss} {}, @a{sv} {})", INVALID_ARGS);
    user_fails(alice, "", MANAGER, "Nonsense", NULL, "org.freedesktop.DBus.Error.UnknownMethod");
    user_fails(alice, "", PROPERTIES, "Get", g_variant_new("(ss)", MANAGER, "Nonsense"),
               INVALID_ARGS);
    user_fails(alice, "", PROPERTIES, "Set",
               g_variant_new_parsed("('org.godwit.VPN1.Manager', 'Version', <'2'>)"), INVALID_ARGS);
    user_fails(alice, "", PROPERTIES, "GetAll", g_variant_new("(s)", "org.example"), INVALID_ARGS);
}
END_TEST

#define SIXTEEN "abcdefghABCDEFGH"
#define LONG_LANGUAGE "{'language': <'" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "'>}"

START_TEST(bad_options_are_refused)
{
    static const char *const options[] = {
        "{'unknown': <true>}",       "{'trace': <1>}",   "{'bound': <'yes'>}",
        "{'origin': <'Not Lower'>}", "{'origin': <''>}", "{'origin': <'autoconnect'>}",
        "{'origin': <true>}",        "{'state': <1>}",   "{'interface': <handle 0>}",
        "{'language': <''>}",        "{'language': <1>}", "{'language': <'../de_DE'>}",
        "{'language': <'de DE'>}",   "{'language': <'de\\nLD_PRELOAD=x'>}",
        LONG_LANGUAGE,
    };
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        g_autofree char *arguments =
            g_strdup_printf("('wait', {'gateway': <'a.example'>}, %s)", options[i]);
        connect_fails(arguments, INVALID_ARGS);
        user_fails(alice, "", MANAGER, "ConnectSystem",
                   g_variant_new("(s@a{sv})", "none", g_variant_new_parsed(options[i])),
                   INVALID_ARGS);
    }
}
END_TEST

START_TEST(bad_profiles_are_refused)
{
    static const char *const profiles[] = {
        "@a{sv} {}", /* no gateway */
        "{'gateway': <'a b'>}",
        "{'gateway': <true>}",
        "{'gateway': <'a.example'>, 'gatway': <'b'>}",
        "{'gateway': <'a.example'>, 'port': <'500'>}",
        "{'gateway': <'a.example'>, 'port': <@t 70000>}",
        "{'gateway': <'a.example'>, 'ca': <'/etc/shadow'>}",
        "{'gateway': <'a.example'>, 'certificate': <'base64:aGVsbG8='>}",
        "{'gateway': <'a.example'>, 'password': <'text'>}",
        "{'gateway': <'a.example'>, 'user': <'a\\u202eb'>}",
        "{'gateway': <'a.example'>, 'auth': <'certificate'>}",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(profiles); i++) {
        g_autofree char *arguments = g_strdup_printf("('wait', %s, @a{sv} {})", profiles[i]);
        connect_fails(arguments, ERROR("InvalidProfile"));
    }
    connect_fails("('a/b', {'gateway': <'a.example'>}, @a{sv} {})", ERROR("InvalidProfile"));
    connect_fails("('a\\nb', {'gateway': <'a.example'>}, @a{sv} {})", ERROR("InvalidProfile"));
}
END_TEST

START_TEST(huge_profiles_are_refused)
{
    GVariantBuilder keys, large;
    g_autofree char *octets = g_malloc0(4 * MEBI);
    g_variant_builder_init(&keys, G_VARIANT_TYPE_VARDICT);
    for (guint i = 0; i < 20000; i++) {
        g_autofree char *key = g_strdup_printf("key-%u", i);
        g_variant_builder_add(&keys, "{sv}", key, g_variant_new_boolean(TRUE));
    }
    user_fails(alice, "", MANAGER, "Connect", g_variant_new("(sa{sv}a{sv})", "wait", &keys, NULL),
               ERROR("InvalidProfile"));
    g_variant_builder_init(&large, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&large, "{sv}", "ca",
                          g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, octets, 4 * MEBI, 1));
    user_fails(alice, "", MANAGER, "Connect", g_variant_new("(sa{sv}a{sv})", "wait", &large, NULL),
               ERROR("InvalidProfile"));
}
END_TEST

/* ---- descriptors ---- */

static GUnixFDList *one_fd(int fd)
{
    GUnixFDList *fds = g_unix_fd_list_new();
    ck_assert_int_eq(g_unix_fd_list_append(fds, fd, NULL), 0);
    close(fd);
    return fds;
}

static int memory(gsize len, int seals)
{
    int fd = memfd_create("secret", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    g_autofree char *octets = g_malloc(len + 1);
    memset(octets, 'x', len);
    ck_assert_int_eq(write(fd, octets, len), (ssize_t)len);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

/* The name of the error; NULL when it connects. */
static char *connect_with(int fd, const char *key, gint index)
{
    g_autoptr(GUnixFDList) fds = one_fd(fd);
    GVariantBuilder profile;
    char *error = NULL;
    g_variant_builder_init(&profile, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&profile, "{sv}", "gateway", g_variant_new_string("a.example"));
    g_variant_builder_add(&profile, "{sv}", key, g_variant_new_handle(index));
    GVariant *reply =
        user_calls_fds(alice, "", MANAGER, "Connect",
                       g_variant_new("(sa{sv}a{sv})", "wait", &profile, NULL), fds, &error);
    g_clear_pointer(&reply, g_variant_unref);
    return error;
}

static void fd_fails(int fd, const char *key, gint index)
{
    g_autofree char *error = connect_with(fd, key, index);
    ck_assert_str_eq(error, ERROR("InvalidProfile"));
}

START_TEST(only_sealed_memory_is_read)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_ptr_null(connect_with(memory(100, ALL_SEALS), "password", 0));
    fd_fails(ends[0], "password", 0); /* nobody ever writes to it */
    fd_fails(open("/etc/passwd", O_RDONLY), "ca", 0);
    fd_fails(open("/dev/zero", O_RDONLY), "ca", 0);
    fd_fails(open("/run", O_RDONLY | O_DIRECTORY), "ca", 0);
    fd_fails(memory(100, 0), "password", 0);
    fd_fails(memory(100, F_SEAL_GROW | F_SEAL_WRITE), "password", 0);
    fd_fails(memory(0, ALL_SEALS), "password", 0);
    fd_fails(memory(MEBI + 1, ALL_SEALS), "ca", 0);
    fd_fails(memory(100, ALL_SEALS), "password", 1);
    fd_fails(memory(100, ALL_SEALS), "password", -1);
    fd_fails(memory(100, ALL_SEALS), "user", 0);
    fd_fails(memory(100, ALL_SEALS), "nonsense", 0);
}
END_TEST

START_TEST(handles_without_descriptors_are_refused)
{
    connect_fails("('wait', {'gateway': <'a.example'>, 'password': <@h 0>}, @a{sv} {})",
                  ERROR("InvalidProfile"));
}
END_TEST

/* The same memory again and again is no way to make us take a lot of it. */
START_TEST(many_handles_are_bounded)
{
    g_autoptr(GUnixFDList) fds = one_fd(memory(MEBI, ALL_SEALS));
    GVariantBuilder profile;
    g_autofree char *error = NULL;
    g_variant_builder_init(&profile, G_VARIANT_TYPE_VARDICT);
    for (guint i = 0; i < 100; i++) {
        g_variant_builder_add(&profile, "{sv}", "ca", g_variant_new_handle(0));
    }
    GVariant *reply =
        user_calls_fds(alice, "", MANAGER, "Connect",
                       g_variant_new("(sa{sv}a{sv})", "wait", &profile, NULL), fds, &error);
    ck_assert_ptr_null(reply);
    ck_assert_str_eq(error, ERROR("InvalidProfile"));
}
END_TEST

/* ---- sessions ---- */

START_TEST(paths_that_are_no_sessions)
{
    static const char *const paths[] = {"/session/0", "/session/99999999999999999999",
                                        "/session/01x", "/session/_", "/session/1/2/3"};
    g_free(user_connects(alice, "wait", "", "{}"));
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *error = NULL;
        g_autoptr(GVariant) reply =
            user_calls(alice, paths[i], SESSION, "Disconnect", NULL, &error);
        ck_assert_msg(!reply, "%s", paths[i]);
    }
}
END_TEST

START_TEST(bad_answers_to_a_form)
{
    g_autofree char *path = user_connects(alice, "ask|password|P|;wait", "", "{}");
    g_autofree char *octets = g_malloc0(MEBI);
    GVariantBuilder values;
    user_sees(alice, path, "Form", "(1, [('password', 'P', '', 'secret', {})])");
    user_fails(alice, path, SESSION, "ProvideSecrets", g_variant_new_parsed("('1', 2)"),
               INVALID_ARGS);
    user_fails(alice, path, SESSION, "ProvideSecrets",
               g_variant_new_parsed("(@u 1, {'password': 'text'})"), INVALID_ARGS);
    user_fails(alice, path, SESSION, "ProvideSecrets", g_variant_new_parsed("(@u 0, @a{say} {})"),
               ERROR("NotReady"));
    g_variant_builder_init(&values, G_VARIANT_TYPE("a{say}"));
    for (guint i = 0; i < 9; i++) {
        g_variant_builder_add_parsed(&values, "{'password', @ay [120]}");
    }
    user_fails(alice, path, SESSION, "ProvideSecrets", g_variant_new("(ua{say})", 1, &values),
               INVALID_ARGS);
    g_variant_builder_init(&values, G_VARIANT_TYPE("a{say}"));
    g_variant_builder_add(&values, "{s@ay}", "password",
                          g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, octets, MEBI, 1));
    user_fails(alice, path, SESSION, "ProvideSecrets", g_variant_new("(ua{say})", 1, &values),
               INVALID_ARGS);
    user_sees(alice, path, "Form", "(1, [('password', 'P', '', 'secret', {})])");
}
END_TEST

START_TEST(sessions_of_a_user_are_bounded)
{
    for (guint i = 0; i < 16; i++) {
        g_free(user_connects(alice, "wait", "", "{}"));
    }
    connect_fails("('wait', {'gateway': <'a.example'>}, @a{sv} {})", ERROR("TooMany"));
    g_variant_unref(user_gets(alice, "/session/3", SESSION, "Disconnect", NULL));
    g_free(user_connects(bob, "wait", "", "{}"));
}
END_TEST

/* ---- floods ---- */

/* Of a flood: succeeded, TooMany, other errors. Answers may come when the test is over. */
static guint answers[3];

static void on_reply(GObject *bus, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
    g_autofree char *name = error ? g_dbus_error_get_remote_error(error) : NULL;
    (void)data;
    answers[reply ? 0 : g_strcmp0(name, ERROR("TooMany")) == 0 ? 1 : 2]++;
}

static void flood(guint n)
{
    for (guint i = 0; i < n; i++) {
        g_dbus_connection_call(
            alice->bus, "org.godwit.VPN1", "/org/godwit/VPN1", MANAGER, "Connect",
            g_variant_new_parsed("('wait', {'gateway': <'a.example'>}, @a{sv} {})"), NULL,
            G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, on_reply, NULL);
    }
}

START_TEST(connects_are_limited_in_time)
{
    g_autofree char *error = NULL;
    guint begun = 0;
    while (!error && begun < 1000) {
        GVariant *reply = user_calls(
            alice, "", MANAGER, "Connect",
            g_variant_new_parsed("('end|user', {'gateway': <'a.example'>}, @a{sv} {})"), &error);
        begun += reply != NULL;
        g_clear_pointer(&reply, g_variant_unref);
    }
    ck_assert_str_eq(error, ERROR("TooMany"));
    ck_assert_uint_ge(begun, 30);
}
END_TEST

/* On a slow machine the first are given up before the last call is read, and others are asked. */
START_TEST(questions_to_polkit_are_limited)
{
    daemon_bed_polkit_says(bed, CONNECT, "never");
    flood(100);
    while (answers[1] + bed->asked < 100) {
        daemon_bed_turn();
    }
    ck_assert_uint_eq(bed->most_waiting, 8);
    ck_assert_uint_eq(answers[0], 0);
    daemon_bed_polkit_says(bed, CONNECT, "yes");
    g_free(user_connects(bob, "wait", "", "{}"));
}
END_TEST

START_TEST(listeners_are_limited)
{
    struct user_on_bus *users[65];
    g_autofree char *error = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(users); i++) {
        users[i] = user_arrives(ALICE);
        GVariant *reply =
            user_calls(users[i], "", OBJECT_MANAGER, "GetManagedObjects", NULL, &error);
        ck_assert_int_eq(reply != NULL, i < 64);
        g_clear_pointer(&reply, g_variant_unref);
    }
    ck_assert_str_eq(error, ERROR("TooMany"));
    user_leaves(users[0]);
    /* Its name has left the bus before this call came to it. */
    g_variant_unref(user_gets(users[64], "", OBJECT_MANAGER, "GetManagedObjects", NULL));
}
END_TEST

static guint64 resident_kib(GPid pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
    g_autofree char *text = NULL;
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    return g_ascii_strtoull(strstr(text, "VmRSS:") + 6, NULL, 10);
}

/* Callers who do not even want answers. */
START_TEST(flood_without_replies_is_borne)
{
    for (guint i = 0; i < 5000; i++) {
        g_autoptr(GDBusMessage) call = g_dbus_message_new_method_call(
            "org.godwit.VPN1", "/org/godwit/VPN1", OBJECT_MANAGER, "GetManagedObjects");
        g_dbus_message_set_flags(call, G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);
        ck_assert(g_dbus_connection_send_message(alice->bus, call, G_DBUS_SEND_MESSAGE_FLAGS_NONE,
                                                 NULL, NULL));
    }
    g_free(user_connects(bob, "wait", "", "{}"));
    ck_assert_uint_lt(resident_kib(bed->daemon), 100 * 1024);
}
END_TEST

START_TEST(caller_that_leaves_at_once)
{
    for (guint i = 0; i < 50; i++) {
        struct user_on_bus *mallory = user_arrives(ALICE);
        g_dbus_connection_call(
            mallory->bus, "org.godwit.VPN1", "/org/godwit/VPN1", MANAGER, "Connect",
            g_variant_new_parsed("('wait', {'gateway': <'a.example'>}, {'bound': <true>})"), NULL,
            G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, NULL, NULL);
        ck_assert(g_dbus_connection_flush_sync(mallory->bus, NULL, NULL));
        user_leaves(mallory);
    }
    /* Those that began are bound to nobody who is there. */
    user_reads_in_time(bob, "", MANAGER, "OtherSessions", "0");
}
END_TEST

int main(void)
{
    const struct daemon_case cases[] = {
        {"arguments",
         start,
         stop,
         {wrong_types_are_refused, bad_options_are_refused, bad_profiles_are_refused,
          huge_profiles_are_refused}},
        {"descriptors",
         start,
         stop,
         {only_sealed_memory_is_read, handles_without_descriptors_are_refused,
          many_handles_are_bounded, only_who_configures_the_host_is_lent_anything,
          what_comes_back_is_checked}},
        {"sessions",
         start,
         stop,
         {paths_that_are_no_sessions, bad_answers_to_a_form, sessions_of_a_user_are_bounded}},
        {"floods",
         start,
         stop,
         {connects_are_limited_in_time, questions_to_polkit_are_limited, listeners_are_limited,
          flood_without_replies_is_borne, caller_that_leaves_at_once}},
    };
    return daemon_bed_suite("daemon hostile", cases, G_N_ELEMENTS(cases));
}

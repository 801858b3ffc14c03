/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection of NetworkManager's at a godwitd that dies (fake_service.c), at moments that a test
 * of the whole meets by luck alone. */
#include "config.h"

#include <check.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>

#include "common/vpn1.h"
#include "nm-plugin/service/link.h"
#include "unit/vectors.h"

#define DEATHS_MAX 3 /* that a connection outlives before it is up */
#define GOOD "connect|full;wait"

static char *folder;
static GTestDBus *daemon_of_bus;
static GDBusConnection *bus;
static gint killed;     /* 1: the service dies just before it is called */
static guint deaths;    /* how often it has died, as far as the connection has noticed */
static guint good_from; /* after so many deaths it does as it should */
static gboolean connected;
static enum reason ended;
static char why[256];

static void write_file(const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    ck_assert(g_file_set_contents(path, text, -1, NULL));
}

static void set_variable(const char *name, const char *file)
{
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_setenv(name, path, TRUE);
}

/* ---- the death of the service ---- */

/* What the bus says; "" is an error. By a process of its own: this one's connections have one
 * thread for what comes and goes, and it waits. */
static char *ask_bus(const char *method, const char *arguments)
{
    g_autofree char *command =
        g_strdup_printf("busctl --address=%s call " DBUS_NAME " " DBUS_PATH " " DBUS_NAME " %s %s",
                        g_test_dbus_get_bus_address(daemon_of_bus), method, arguments);
    char *said = NULL;
    g_autofree char *errors = NULL;
    g_autoptr(GError) error = NULL;
    gboolean run = g_spawn_command_line_sync(command, &said, &errors, NULL, &error);
    ck_assert_msg(run, "%s", error ? error->message : "");
    return said;
}

static void start_service(void)
{
    g_autofree char *answer = ask_bus("StartServiceByName", "su " VPN1_NAME " 0");
    ck_assert_str_ne(answer, "");
}

static void kill_service(void)
{
    g_autofree char *answer = ask_bus("GetConnectionUnixProcessID", "s " VPN1_NAME), *owner = NULL;
    int pid;
    ck_assert_msg(sscanf(answer, "u %d", &pid) == 1, "nobody has the name");
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    do {
        g_free(owner);
        owner = ask_bus("GetNameOwner", "s " VPN1_NAME);
    } while (*owner);
}

/* What leaves the connection, on its way to the bus. */
static GDBusMessage *on_message(GDBusConnection *connection, GDBusMessage *message,
                                gboolean incoming, gpointer data)
{
    (void)connection;
    (void)data;
    if (!incoming && g_strcmp0(g_dbus_message_get_member(message), "Connect") == 0 && killed > 0) {
        killed--;
        kill_service();
    }
    return message;
}

static void connect_to_bus(void)
{
    g_autoptr(GError) error = NULL;
    bus = g_dbus_connection_new_for_address_sync(g_test_dbus_get_bus_address(daemon_of_bus),
                                                 G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                     G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                                 NULL, NULL, &error);
    ck_assert_msg(bus != NULL, "%s", error ? error->message : "");
    g_dbus_connection_add_filter(bus, on_message, NULL, NULL);
}

/* ---- the link ---- */

static void on_connected(void *context, Vpn1Session *session)
{
    (void)context;
    (void)session;
    connected = TRUE;
}

static void on_asks(void *context, GVariant *form)
{
    (void)context;
    (void)form;
    ck_abort_msg("it asks");
}

static void on_phase(void *context, const char *phase, const char *text)
{
    (void)context;
    (void)text;
    if (g_str_equal(phase, "reconnecting") && ++deaths == good_from) {
        write_file("script", GOOD);
    }
}

static void on_ended(void *context, enum reason reason, const char *sentence, const char *detail)
{
    (void)context;
    (void)sentence;
    ck_assert_msg(*detail != '\0', "no word of why");
    g_strlcpy(why, detail, sizeof why);
    ended = reason;
}

/* Until it is up, or over. */
static void run_link(const char *script)
{
    static const struct link_ops ops = {on_connected, on_asks, on_phase, on_ended};
    write_file("script", script);
    struct link *link = link_new(bus, "work", g_variant_new_parsed("@a{sv} {}"), 0, &ops, NULL);
    while (!connected && ended == REASON_NONE) {
        g_main_context_iteration(NULL, TRUE);
    }
    link_free(link);
}

static void set_up(void)
{
    g_autoptr(GError) error = NULL;
    folder = g_dir_make_tmp("godwit-link-XXXXXX", &error);
    ck_assert_msg(folder != NULL, "%s", error ? error->message : "");
    write_file(VPN1_NAME ".service", "[D-BUS Service]\nName=" VPN1_NAME "\n"
                                     "Exec=" TOP_BUILDDIR "/tests/unit/fake_service\n");
    set_variable("FAKE_SCRIPT", "script");
    set_variable("FAKE_CALLS", "calls");
    daemon_of_bus = g_test_dbus_new(G_TEST_DBUS_NONE);
    g_test_dbus_add_service_dir(daemon_of_bus, folder);
    g_test_dbus_up(daemon_of_bus);
    connect_to_bus();
}

static void tear_down(void)
{
    static const char *const files[] = {VPN1_NAME ".service", "script", "calls"};
    g_object_unref(bus);
    g_test_dbus_stop(daemon_of_bus);
    g_object_unref(daemon_of_bus);
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(folder, files[i], NULL);
        (void)g_unlink(path);
    }
    (void)g_rmdir(folder);
    g_free(folder);
}

/* ---- what is tested ---- */

START_TEST(connects)
{
    if (_i == 1) {
        start_service();
    }
    run_link(GOOD);
    ck_assert(connected);
    ck_assert_uint_eq(deaths, 0);
}
END_TEST

/* It was there, and is gone when the call comes to the bus, which starts another one. */
START_TEST(goes_on_when_it_dies_before_the_call)
{
    start_service();
    killed = 1;
    run_link(GOOD);
    ck_assert(connected);
    ck_assert_int_eq(killed, 0);
    ck_assert_uint_eq(deaths, 0);
}
END_TEST

START_TEST(goes_on_when_it_dies_of_the_call)
{
    good_from = DEATHS_MAX;
    run_link("die");
    ck_assert(connected);
}
END_TEST

START_TEST(ends_when_each_of_them_dies)
{
    run_link("die");
    ck_assert_int_eq(ended, REASON_SERVICE_UNAVAILABLE);
    ck_assert_uint_eq(deaths, DEATHS_MAX);
}
END_TEST

/* An update has brought a newer VPN service, and godwitd runs on. */
START_TEST(says_that_it_is_of_another_version)
{
    run_link("older;" GOOD);
    ck_assert_int_eq(ended, REASON_SERVICE_UNAVAILABLE);
    ck_assert_str_eq(why, "It is of another version than this program.");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nm_link");
    TCase *tests = tcase_create("nm_link");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, connects, 0, 2); /* starting the service, and one that runs */
    tcase_add_test(tests, goes_on_when_it_dies_before_the_call);
    tcase_add_test(tests, goes_on_when_it_dies_of_the_call);
    tcase_add_test(tests, ends_when_each_of_them_dies);
    tcase_add_test(tests, says_that_it_is_of_another_version);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "unit/daemon_bed.h"

#include <gio/gunixfdlist.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/sandbox.h"
#include "unit/vectors.h"
#include "unit/waiting.h"

#define NAME "org.godwit.VPN1"
#define PATH "/org/godwit/VPN1"
#define SOCKET "/run/bus"
#define PATIENCE_S 50 /* far above what any step takes, so that only a hang meets it */

static const char bus_config[] =
    "<!DOCTYPE busconfig PUBLIC '-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN' "
    "'http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd'>"
    "<busconfig><type>system</type><listen>unix:path=" SOCKET "</listen><auth>EXTERNAL</auth>"
    /* As in Debian's system.conf. */
    "<policy context='default'><allow user='*'/><deny own='*'/><deny send_type='method_call'/>"
    "<allow send_type='signal'/><allow send_requested_reply='true' send_type='method_return'/>"
    "<allow send_requested_reply='true' send_type='error'/><allow receive_type='method_call'/>"
    "<allow receive_type='method_return'/><allow receive_type='error'/>"
    "<allow receive_type='signal'/><allow send_destination='org.freedesktop.DBus'/></policy>"
    "<policy user='root'><allow own='org.freedesktop.PolicyKit1'/>"
    "<allow send_destination='org.freedesktop.PolicyKit1'/></policy>"
    "<include>" TOP_SRCDIR "/client/daemon/org.godwit.VPN1.conf</include></busconfig>";

static gboolean on_patience(gpointer data)
{
    (void)data;
    ck_abort_msg("nothing happened for %d s", PATIENCE_S);
    return G_SOURCE_REMOVE;
}

void daemon_bed_turn(void)
{
    guint patience = g_timeout_add_seconds(PATIENCE_S, on_patience, NULL);
    g_main_context_iteration(NULL, TRUE);
    g_source_remove(patience);
}

/* ---- the bus ---- */

static void die_with_parent(gpointer data)
{
    (void)data;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static GPid spawn(const char *program, const char *argument)
{
    const char *argv[] = {program, argument, NULL};
    g_autoptr(GError) error = NULL;
    GPid pid;
    if (!g_spawn_async(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                       die_with_parent, NULL, &pid, &error)) {
        ck_abort_msg("%s", error->message);
    }
    return pid;
}

static GDBusConnection *connect_bus(void)
{
    return g_dbus_connection_new_for_address_sync(
        "unix:path=" SOCKET,
        G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
            G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
        NULL, NULL, NULL);
}

static void start_bus(void)
{
    g_autoptr(GDBusConnection) bus = NULL;
    ck_assert(g_file_set_contents("/run/bus.conf", bus_config, -1, NULL));
    (void)spawn("dbus-daemon", "--config-file=/run/bus.conf");
    wait_until((bus = connect_bus()) != NULL);
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=" SOCKET, TRUE);
}

/* SYSCONFDIR belongs to the machine, or is not there: what we write to it is ours alone. */
static void cover_sysconfdir(void)
{
    g_autofree char *folder = g_strdup(SYSCONFDIR);
    while (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        char *parent = g_path_get_dirname(folder);
        g_free(folder);
        folder = parent;
    }
    sandbox_do("mkdir -p /run/cover/upper /run/cover/work && mount -t overlay overlay "
               "-o lowerdir='%s',upperdir=/run/cover/upper,workdir=/run/cover/work '%s' && "
               "rm -rf '%s/godwit' && mkdir -p '%s/godwit'",
               folder, folder, SYSCONFDIR, SYSCONFDIR);
}

struct daemon_bed *daemon_bed_new(void)
{
    struct daemon_bed *bed = g_new0(struct daemon_bed, 1);
    sandbox_enter();
    cover_sysconfdir();
    g_setenv("GIO_USE_VFS", "local", TRUE);
    bed->folder = g_strdup(SYSCONFDIR "/godwit");
    bed->verdicts = g_hash_table_new(g_str_hash, g_str_equal);
    start_bus();
    return bed;
}

/* ---- polkit ---- */

static const char polkit_xml[] =
    "<node><interface name='org.freedesktop.PolicyKit1.Authority'>"
    "<method name='CheckAuthorization'><arg type='(sa{sv})' direction='in'/>"
    "<arg type='s' direction='in'/><arg type='a{ss}' direction='in'/>"
    "<arg type='u' direction='in'/><arg type='s' direction='in'/>"
    "<arg type='(bba{ss})' direction='out'/></method>"
    "<method name='CancelCheckAuthorization'><arg type='s' direction='in'/></method>"
    "</interface></node>";

static void on_polkit(GDBusConnection *bus, const char *sender, const char *path,
                      const char *interface, const char *method, GVariant *arguments,
                      GDBusMethodInvocation *invocation, gpointer data)
{
    struct daemon_bed *bed = data;
    const char *action, *kind, *verdict;
    guint32 flags;
    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    if (g_str_equal(method, "CancelCheckAuthorization")) {
        bed->withdrawn++;
        g_dbus_method_invocation_return_value(invocation, NULL);
        return;
    }
    g_variant_get(arguments, "((&s@a{sv})&s@a{ss}u&s)", &kind, NULL, &action, NULL, &flags, NULL);
    ck_assert_str_eq(kind, "system-bus-name");
    bed->asked++;
    bed->interactive = flags == 1;
    verdict = g_hash_table_lookup(bed->verdicts, action);
    if (g_strcmp0(verdict, "never") != 0) {
        g_dbus_method_invocation_return_value(
            invocation, g_variant_new("((bba{ss}))", g_strcmp0(verdict, "yes") == 0,
                                      g_strcmp0(verdict, "challenge") == 0, NULL));
    } else {
        bed->unanswered++;
        bed->most_waiting = MAX(bed->most_waiting, bed->unanswered - bed->withdrawn);
    }
}

static void on_appeared(GDBusConnection *bus, const char *name, const char *owner, gpointer data)
{
    (void)bus;
    (void)name;
    (void)owner;
    *(gboolean *)data = TRUE;
}

static void on_named(GDBusConnection *bus, const char *name, gpointer data)
{
    (void)bus;
    (void)name;
    *(gboolean *)data = TRUE;
}

void daemon_bed_polkit_starts(struct daemon_bed *bed)
{
    static const GDBusInterfaceVTable table = {.method_call = on_polkit};
    GDBusNodeInfo *info = g_dbus_node_info_new_for_xml(polkit_xml, NULL);
    GDBusConnection *bus = connect_bus();
    gboolean named = FALSE;
    ck_assert(g_dbus_connection_register_object(bus, "/org/freedesktop/PolicyKit1/Authority",
                                                info->interfaces[0], &table, bed, NULL, NULL) != 0);
    g_dbus_node_info_unref(info);
    g_bus_own_name_on_connection(bus, "org.freedesktop.PolicyKit1", G_BUS_NAME_OWNER_FLAGS_NONE,
                                 on_named, NULL, &named, NULL);
    while (!named) {
        daemon_bed_turn();
    }
}

void daemon_bed_polkit_says(struct daemon_bed *bed, const char *action, const char *verdict)
{
    g_hash_table_insert(bed->verdicts, (gpointer)action, (gpointer)verdict);
}

/* ---- godwitd ---- */

void daemon_bed_starts(struct daemon_bed *bed, const char *program, const char *argument)
{
    g_autoptr(GDBusConnection) bus = connect_bus();
    g_autofree char *path = g_build_filename(TOP_BUILDDIR, program, NULL);
    gboolean named = FALSE;
    bed->daemon = spawn(path, argument);
    guint watch = g_bus_watch_name_on_connection(bus, NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                 on_appeared, NULL, &named, NULL);
    while (!named) {
        daemon_bed_turn();
    }
    g_bus_unwatch_name(watch);
}

static void on_exit_status(GPid pid, gint status, gpointer data)
{
    (void)pid;
    *(int *)data = status;
}

int daemon_bed_ends(struct daemon_bed *bed, int signal)
{
    int status = -1;
    if (signal) {
        kill(bed->daemon, signal);
    }
    g_child_watch_add(bed->daemon, on_exit_status, &status);
    while (status == -1) {
        daemon_bed_turn();
    }
    bed->daemon = 0;
    return status;
}

void daemon_bed_ends_well(struct daemon_bed *bed, int signal)
{
    int status = daemon_bed_ends(bed, signal);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
}

/* ---- users ---- */

static void on_signal(GDBusConnection *bus, const char *sender, const char *path,
                      const char *interface, const char *member, GVariant *body, gpointer data)
{
    struct user_on_bus *user = data;
    (void)bus;
    (void)sender;
    (void)interface;
    if (g_str_has_prefix(path, PATH)) {
        g_autofree char *text = g_variant_print(body, FALSE);
        g_ptr_array_add(user->signals,
                        g_strdup_printf("%s %s %s", path + strlen(PATH), member, text));
    }
}

struct user_on_bus *user_arrives(uid_t uid)
{
    struct user_on_bus *user = g_new0(struct user_on_bus, 1);
    ck_assert_int_eq(seteuid(uid), 0);
    user->bus = connect_bus();
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_msg(user->bus != NULL, "user %d is not let on the bus", (int)uid);
    user->signals = g_ptr_array_new_with_free_func(g_free);
    /* Whatever is for everybody. */
    g_dbus_connection_signal_subscribe(user->bus, NULL, NULL, NULL, NULL, NULL,
                                       G_DBUS_SIGNAL_FLAGS_NONE, on_signal, user, NULL);
    return user;
}

void user_leaves(struct user_on_bus *user)
{
    ck_assert(g_dbus_connection_close_sync(user->bus, NULL, NULL));
    g_object_unref(user->bus);
    g_ptr_array_unref(user->signals);
    g_free(user);
}

struct daemon_bed *daemon_bed_with_users(struct user_on_bus **root, struct user_on_bus **alice,
                                         struct user_on_bus **bob)
{
    struct daemon_bed *bed = daemon_bed_new();
    daemon_bed_polkit_starts(bed);
    daemon_bed_polkit_says(bed, CONNECT, "yes");
    daemon_bed_starts(bed, FAKE, "--no-idle-exit");
    *root = user_arrives(0);
    *alice = user_arrives(ALICE);
    *bob = user_arrives(BOB);
    return bed;
}

static void on_reply(GObject *bus, GAsyncResult *result, gpointer data)
{
    (void)bus;
    *(GAsyncResult **)data = g_object_ref(result);
}

GVariant *user_calls_fds(struct user_on_bus *user, const char *path, const char *interface,
                         const char *method, GVariant *arguments, GUnixFDList *fds, char **error)
{
    g_autofree char *full = g_strconcat(PATH, path, NULL);
    GAsyncResult *result = NULL;
    g_autoptr(GError) why = NULL;
    g_dbus_connection_call_with_unix_fd_list(user->bus, NAME, full, interface, method, arguments,
                                             NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, G_MAXINT, fds,
                                             NULL, on_reply, &result);
    while (!result) {
        daemon_bed_turn();
    }
    GVariant *reply =
        g_dbus_connection_call_with_unix_fd_list_finish(user->bus, NULL, result, &why);
    g_object_unref(result);
    *error = why ? g_dbus_error_get_remote_error(why) : NULL;
    ck_assert_msg(!why || *error, "%s: %s", method, why ? why->message : "");
    return reply;
}

GVariant *user_calls(struct user_on_bus *user, const char *path, const char *interface,
                     const char *method, GVariant *arguments, char **error)
{
    return user_calls_fds(user, path, interface, method, arguments, NULL, error);
}

GVariant *user_gets(struct user_on_bus *user, const char *path, const char *interface,
                    const char *method, GVariant *arguments)
{
    g_autofree char *error = NULL;
    GVariant *reply = user_calls(user, path, interface, method, arguments, &error);
    ck_assert_msg(reply != NULL, "%s: %s", method, error ? error : "");
    return reply;
}

void user_fails(struct user_on_bus *user, const char *path, const char *interface,
                const char *method, GVariant *arguments, const char *wanted)
{
    g_autofree char *error = NULL;
    g_autoptr(GVariant) reply = user_calls(user, path, interface, method, arguments, &error);
    ck_assert_msg(reply == NULL, "%s succeeded", method);
    ck_assert_str_eq(error, wanted);
}

char *user_connects(struct user_on_bus *user, const char *script, const char *profile,
                    const char *options)
{
    g_autofree char *text =
        g_strdup_printf("(%%s, {'gateway': <'vpn.example.org'>%s}, @a{sv} %s)", profile, options);
    g_autoptr(GVariant) reply =
        user_gets(user, "", MANAGER, "Connect", g_variant_new_parsed(text, script));
    const char *path;
    g_variant_get(reply, "(&o)", &path);
    ck_assert(g_str_has_prefix(path, PATH "/session/"));
    return g_strdup(path + strlen(PATH));
}

gboolean user_has_heard(const struct user_on_bus *user, const char *text)
{
    for (guint i = 0; i < user->signals->len; i++) {
        if (strstr(user->signals->pdata[i], text)) {
            return TRUE;
        }
    }
    return FALSE;
}

void user_hears(struct user_on_bus *user, const char *text)
{
    while (!user_has_heard(user, text)) {
        daemon_bed_turn();
    }
}

char *user_reads(struct user_on_bus *user, const char *path, const char *interface,
                 const char *property)
{
    g_autoptr(GVariant) value = NULL;
    g_autoptr(GVariant) reply =
        user_gets(user, path, PROPERTIES, "Get", g_variant_new("(ss)", interface, property));
    g_variant_get(reply, "(v)", &value);
    return g_variant_print(value, FALSE);
}

void user_reads_in_time(struct user_on_bus *user, const char *path, const char *interface,
                        const char *property, const char *value)
{
    int64_t since_ms = wait_now_ms();
    g_autofree char *text = user_reads(user, path, interface, property);
    while (!g_str_equal(text, value)) {
        g_autofree char *what = g_strdup_printf("%s %s, but %s", property, value, text);
        wait_look_again(since_ms, what);
        g_free(text);
        text = user_reads(user, path, interface, property);
    }
}

void user_sees(struct user_on_bus *user, const char *path, const char *property, const char *value)
{
    user_reads_in_time(user, path, SESSION, property, value);
}

char *user_lists(struct user_on_bus *user)
{
    g_autoptr(GVariant) reply = user_gets(user, "", OBJECT_MANAGER, "GetManagedObjects", NULL);
    return g_variant_print(reply, FALSE);
}

void user_expects(struct user_on_bus *user, const char *path, gboolean wanted)
{
    g_autofree char *objects = user_lists(user);
    g_autofree char *quoted = g_strdup_printf("/org/godwit/VPN1%s'", path);
    ck_assert_msg((strstr(objects, quoted) != NULL) == wanted, "%s %s", path, objects);
}

void user_disconnects(struct user_on_bus *user, const char *path)
{
    g_variant_unref(user_gets(user, path, SESSION, "Disconnect", NULL));
}

void user_cannot_connect(struct user_on_bus *user, const char *error)
{
    user_fails(user, "", MANAGER, "Connect",
               g_variant_new_parsed("('wait', {'gateway': <'vpn.example.org'>}, @a{sv} {})"),
               error);
}

int daemon_bed_suite(const char *name, const struct daemon_case *cases, gsize n_cases)
{
    Suite *suite = suite_create(name);
    sandbox_enter(); /* or skip: each test enters one of its own in it */
    for (gsize i = 0; i < n_cases; i++) {
        TCase *one = tcase_create(cases[i].name);
        tcase_add_checked_fixture(one, cases[i].setup, cases[i].teardown);
        for (gsize j = 0; cases[i].tests[j]; j++) {
            tcase_add_test(one, cases[i].tests[j]);
        }
        suite_add_tcase(suite, one);
    }
    return run_suite(suite);
}

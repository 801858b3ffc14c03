/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/sleep.h"

#include <errno.h>
#include <gio/gio.h>
#include <gio/gunixfdlist.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "common/i18n.h"

#define LOGIND "org.freedesktop.login1"
#define LOGIND_PATH "/org/freedesktop/login1"
#define LOGIND_MANAGER LOGIND ".Manager"

#define JUMP (2 * G_USEC_PER_SEC) /* of the clocks, that is taken for a sleep */

struct sleep {
    const struct sleep_ops *ops;
    void *context;
    GSource *clocks;
    int changed;     /* timerfd that wakes us when the clock is set, as it is after a sleep */
    gint64 behind;   /* CLOCK_MONOTONIC behind CLOCK_BOOTTIME, when last told or at the start */
    gboolean asleep; /* logind said so */

    GCancellable *cancellable;
    GDBusConnection *bus;
    guint name_watch, signal;
    int inhibitor; /* while it is open logind waits; -1 = none */
};

/* ---- the clocks ---- */

static gint64 clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (gint64)now.tv_sec * G_USEC_PER_SEC + (gint64)now.tv_nsec / 1000;
}

static gint64 time_asleep(void)
{
    /* In this order a pause in between makes it smaller, not larger. */
    gint64 boottime = clock_us(CLOCK_BOOTTIME);
    return boottime - clock_us(CLOCK_MONOTONIC);
}

static void tell_awake(struct sleep *sleep)
{
    sleep->asleep = FALSE;
    sleep->behind = time_asleep();
    sleep->ops->awake(sleep->context);
}

static gboolean jumped(const struct sleep *sleep)
{
    return time_asleep() - sleep->behind > JUMP;
}

/* After whatever woke the loop; the timer dispatches by itself. */
struct clocks {
    GSource source;
    struct sleep *sleep;
};

static gboolean clocks_check(GSource *source)
{
    return jumped(((struct clocks *)source)->sleep);
}

/*
 * To timers of CLOCK_REALTIME the kernel ends a sleep by setting the clock (timerfd_create(2)). So
 * nothing needs to wake up now and then to look.
 */
static void wait_for_change(struct sleep *sleep)
{
    static const struct itimerspec never = {
        .it_value.tv_sec = (time_t)(sizeof(time_t) > 4 ? G_MAXINT64 : G_MAXINT32)};
    if (timerfd_settime(sleep->changed, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never,
                        NULL) != 0) {
        g_debug("clocks: %s", g_strerror(errno));
    }
}

static gboolean clocks_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    struct sleep *sleep = ((struct clocks *)source)->sleep;
    guint64 expirations;
    ssize_t n = read(sleep->changed, &expirations, sizeof expirations);
    (void)n;
    (void)callback;
    (void)data;
    wait_for_change(sleep);
    if (jumped(sleep)) {
        tell_awake(sleep);
    }
    return G_SOURCE_CONTINUE;
}

static void watch_clocks(struct sleep *sleep)
{
    static GSourceFuncs funcs = {.check = clocks_check, .dispatch = clocks_dispatch};
    sleep->behind = time_asleep();
    sleep->changed = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    wait_for_change(sleep);
    sleep->clocks = g_source_new(&funcs, sizeof(struct clocks));
    ((struct clocks *)sleep->clocks)->sleep = sleep;
    g_source_add_unix_fd(sleep->clocks, sleep->changed, G_IO_IN);
    g_source_attach(sleep->clocks, g_main_context_get_thread_default());
}

/* ---- logind ---- */

static void release(struct sleep *sleep)
{
    if (sleep->inhibitor >= 0) {
        close(sleep->inhibitor);
        sleep->inhibitor = -1;
    }
}

static void on_inhibited(GObject *bus, GAsyncResult *result, gpointer data)
{
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(bus), &fds, result, &error);
    gint32 handle = -1;
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return;
    }
    struct sleep *sleep = data;
    if (!reply) {
        g_debug("logind: %s", error->message);
        return;
    }
    g_variant_get(reply, "(h)", &handle);
    release(sleep);
    sleep->inhibitor = fds ? g_unix_fd_list_get(fds, handle, NULL) : -1;
    if (sleep->asleep) {
        release(sleep);
    }
}

static void inhibit(struct sleep *sleep)
{
    g_dbus_connection_call_with_unix_fd_list(
        sleep->bus, LOGIND, LOGIND_PATH, LOGIND_MANAGER, "Inhibit",
        g_variant_new("(ssss)", "sleep", "Godwit", _("The VPN notes where it is."), "delay"),
        G_VARIANT_TYPE("(h)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, sleep->cancellable,
        on_inhibited, sleep);
}

static void on_prepare_for_sleep(GDBusConnection *bus, const char *sender, const char *path,
                                 const char *interface, const char *signal, GVariant *body,
                                 gpointer data)
{
    struct sleep *sleep = data;
    gboolean start;
    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)signal;
    if (!g_variant_is_of_type(body, G_VARIANT_TYPE("(b)"))) {
        return;
    }
    g_variant_get(body, "(b)", &start);
    if (!start) {
        inhibit(sleep);
        if (sleep->asleep) {
            tell_awake(sleep);
        }
    } else if (!sleep->asleep) {
        int inhibitor = g_steal_fd(&sleep->inhibitor);
        sleep->asleep = TRUE;
        sleep->ops->sleeping(sleep->context);
        if (inhibitor >= 0) {
            close(inhibitor);
        }
    }
}

static void on_logind(GDBusConnection *bus, const char *name, const char *owner, gpointer data)
{
    struct sleep *sleep = data;
    (void)bus;
    (void)name;
    (void)owner;
    inhibit(sleep);
}

static void on_no_logind(GDBusConnection *bus, const char *name, gpointer data)
{
    struct sleep *sleep = data;
    (void)bus;
    (void)name;
    release(sleep);
    if (sleep->asleep) {
        tell_awake(sleep);
    }
}

static void on_bus(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    GDBusConnection *bus = g_bus_get_finish(result, &error);
    (void)source;
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return;
    }
    struct sleep *sleep = data;
    if (!bus) {
        g_debug("no system bus: %s", error->message);
        return;
    }
    g_dbus_connection_set_exit_on_close(bus, FALSE);
    sleep->bus = bus;
    sleep->signal = g_dbus_connection_signal_subscribe(
        bus, LOGIND, LOGIND_MANAGER, "PrepareForSleep", LOGIND_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
        on_prepare_for_sleep, sleep, NULL);
    sleep->name_watch = g_bus_watch_name_on_connection(bus, LOGIND, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                       on_logind, on_no_logind, sleep, NULL);
}

struct sleep *sleep_new(const struct sleep_ops *ops, void *context)
{
    struct sleep *sleep = g_new0(struct sleep, 1);
    sleep->ops = ops;
    sleep->context = context;
    sleep->inhibitor = -1;
    sleep->cancellable = g_cancellable_new();
    watch_clocks(sleep);
    g_bus_get(G_BUS_TYPE_SYSTEM, sleep->cancellable, on_bus, sleep);
    return sleep;
}

void sleep_free(struct sleep *sleep)
{
    if (!sleep) {
        return;
    }
    g_cancellable_cancel(sleep->cancellable);
    g_object_unref(sleep->cancellable);
    if (sleep->bus) {
        g_bus_unwatch_name(sleep->name_watch);
        g_dbus_connection_signal_unsubscribe(sleep->bus, sleep->signal);
        g_object_unref(sleep->bus);
    }
    g_source_destroy(sleep->clocks);
    g_source_unref(sleep->clocks);
    close(sleep->changed);
    release(sleep);
    g_free(sleep);
}

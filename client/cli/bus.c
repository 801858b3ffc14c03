/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/bus.h"

#include <gio/gunixfdlist.h>
#include <unistd.h>

#include "cli/agent.h"
#include "common/i18n.h"

struct bus {
    GDBusConnection *connection;
    GCancellable *closed;
    char *owner; /* unique name of the service: whose signals are believed; NULL = not known yet */
    struct agent *agent;
    guint signals, owners;
    gulong closing;
    bus_signal_cb signalled;
    bus_lost_cb lost;
    void *context;
};

/* ---- errors ---- */

/* What `raw` is for people; the sentence of the reason is not said twice. */
static GError *translate(GError *raw)
{
    g_autofree char *name = g_dbus_error_get_remote_error(raw);
    enum reason reason = vpn1_reason_of_error(name);
    const char *text;

    g_dbus_error_strip_remote_error(raw);
    text = raw->message;
    if (g_str_has_prefix(text, reason_sentence(reason))) {
        text += strlen(reason_sentence(reason));
        text += strspn(text, " ");
    }
    return g_error_new_literal(CLI_ERROR, (gint)reason, text);
}

/* ---- what comes in ---- */

static void on_signal(GDBusConnection *connection, const char *sender, const char *path,
                      const char *interface, const char *name, GVariant *arguments, gpointer data)
{
    struct bus *bus = data;

    (void)connection;
    /* Anybody may send us a signal. */
    if (bus->signalled != NULL && bus->owner != NULL && g_strcmp0(sender, bus->owner) == 0) {
        bus->signalled(bus->context, path, interface, name, arguments);
    }
}

static void lose(struct bus *bus)
{
    if (bus->owner != NULL) {
        g_clear_pointer(&bus->owner, g_free);
        if (bus->lost != NULL) {
            bus->lost(bus->context);
        }
    }
}

static void on_owner(GDBusConnection *connection, const char *sender, const char *path,
                     const char *interface, const char *name, GVariant *arguments, gpointer data)
{
    struct bus *bus = data;
    const char *before;

    (void)connection;
    (void)sender;
    (void)path;
    (void)interface;
    (void)name;
    g_variant_get(arguments, "(&s&s&s)", NULL, &before, NULL);
    if (g_strcmp0(before, bus->owner) == 0) {
        lose(bus);
    }
}

static void on_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer data)
{
    (void)connection;
    (void)vanished;
    (void)error;
    lose(data);
}

void bus_listen(struct bus *bus, bus_signal_cb signalled, bus_lost_cb lost, void *context)
{
    bus->signalled = signalled;
    bus->lost = lost;
    bus->context = context;
    if (bus->signals != 0) {
        return;
    }
    /* They are sent to us alone: the bus needs no rule for them. */
    bus->signals =
        g_dbus_connection_signal_subscribe(bus->connection, NULL, NULL, NULL, NULL, NULL,
                                           G_DBUS_SIGNAL_FLAGS_NO_MATCH_RULE, on_signal, bus, NULL);
    bus->owners = g_dbus_connection_signal_subscribe(bus->connection, DBUS_NAME, DBUS_NAME,
                                                     "NameOwnerChanged", DBUS_PATH, VPN1_NAME,
                                                     G_DBUS_SIGNAL_FLAGS_NONE, on_owner, bus, NULL);
    bus->closing = g_signal_connect(bus->connection, "closed", G_CALLBACK(on_closed), bus);
}

/* ---- calls ---- */

struct call {
    struct bus *bus;
    char *path, *interface, *method;
    GVariant *arguments;
    GUnixFDList *fds; /* NULL = none */
    unsigned flags;
    bus_reply_cb done;
    void *context;
};

static void call_free(struct call *call)
{
    g_free(call->path);
    g_free(call->interface);
    g_free(call->method);
    g_clear_pointer(&call->arguments, g_variant_unref);
    g_clear_object(&call->fds);
    g_free(call);
}

static void transmit(struct call *call);

/* The body, or NULL and *error; the sender of the first answer is the service. */
static GVariant *body_of(struct bus *bus, GDBusMessage *reply, GError *raw, GError **error)
{
    GVariant *body;

    if (reply == NULL || g_dbus_message_to_gerror(reply, &raw)) {
        *error = translate(raw);
        g_error_free(raw);
        return NULL;
    }
    if (bus->owner == NULL) {
        bus->owner = g_strdup(g_dbus_message_get_sender(reply));
    }
    body = g_dbus_message_get_body(reply);
    return body == NULL ? g_variant_ref_sink(g_variant_new("()")) : g_variant_ref(body);
}

/* polkit found nobody to ask: whether there is now somebody on this terminal. */
static gboolean can_ask_now(struct call *call, const GError *error)
{
    if (error->code != (gint)REASON_NOT_AUTHORIZED || (call->flags & BUS_INTERACTIVE) == 0 ||
        call->bus->agent != NULL || geteuid() == 0) {
        return FALSE;
    }
    call->bus->agent = agent_start();
    return call->bus->agent != NULL;
}

static void on_reply(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) body = NULL;
    g_autoptr(GDBusMessage) reply = NULL;
    struct call *call = data;
    GError *raw = NULL;

    reply =
        g_dbus_connection_send_message_with_reply_finish(G_DBUS_CONNECTION(source), result, &raw);
    if (g_error_matches(raw, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_error_free(raw);
        call_free(call);
        return;
    }
    body = body_of(call->bus, reply, raw, &error);
    if (body == NULL && can_ask_now(call, error)) {
        transmit(call);
        return;
    }
    if (call->done != NULL) {
        call->done(call->context, body, error);
    }
    call_free(call);
}

static void transmit(struct call *call)
{
    GDBusMessage *message =
        g_dbus_message_new_method_call(VPN1_NAME, call->path, call->interface, call->method);
    GDBusMessageFlags flags = G_DBUS_MESSAGE_FLAGS_NONE;

    if (call->flags & BUS_NO_START) {
        flags |= G_DBUS_MESSAGE_FLAGS_NO_AUTO_START;
    }
    if (call->flags & BUS_INTERACTIVE) {
        flags |= G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION;
    }
    g_dbus_message_set_flags(message, flags);
    if (call->arguments != NULL) {
        g_dbus_message_set_body(message, call->arguments);
    }
    g_dbus_message_set_unix_fd_list(message, call->fds);
    /* Who is asked for a password may take the time that it takes. */
    g_dbus_connection_send_message_with_reply(
        call->bus->connection, message, G_DBUS_SEND_MESSAGE_FLAGS_NONE,
        (call->flags & BUS_INTERACTIVE) ? G_MAXINT : -1, NULL, call->bus->closed, on_reply, call);
    g_object_unref(message);
}

static void send_with(struct bus *bus, const char *path, const char *interface, const char *method,
                      GVariant *arguments, GUnixFDList *fds, unsigned flags, bus_reply_cb done,
                      void *context)
{
    struct call *call = g_new(struct call, 1);

    *call = (struct call){
        .bus = bus,
        .path = g_strdup(path),
        .interface = g_strdup(interface),
        .method = g_strdup(method),
        .arguments = arguments == NULL ? NULL : g_variant_ref_sink(arguments),
        .fds = fds == NULL ? NULL : g_object_ref(fds),
        .flags = flags,
        .done = done,
        .context = context,
    };
    transmit(call);
}

void bus_send(struct bus *bus, const char *path, const char *interface, const char *method,
              GVariant *arguments, unsigned flags, bus_reply_cb done, void *context)
{
    send_with(bus, path, interface, method, arguments, NULL, flags, done, context);
}

struct answer {
    GVariant *reply;
    GError *error;
    gboolean over;
};

static void on_answer(void *context, GVariant *reply, const GError *error)
{
    struct answer *answer = context;

    answer->reply = reply == NULL ? NULL : g_variant_ref(reply);
    answer->error = error == NULL ? NULL : g_error_copy(error);
    answer->over = TRUE;
}

static GVariant *call_with(struct bus *bus, const char *path, const char *interface,
                           const char *method, GVariant *arguments, GUnixFDList *fds,
                           unsigned flags, GError **error)
{
    struct answer answer = {0};

    send_with(bus, path, interface, method, arguments, fds, flags, on_answer, &answer);
    while (!answer.over) {
        g_main_context_iteration(NULL, TRUE);
    }
    if (answer.error != NULL) {
        g_propagate_error(error, answer.error);
    }
    return answer.reply;
}

GVariant *bus_call(struct bus *bus, const char *path, const char *interface, const char *method,
                   GVariant *arguments, unsigned flags, GError **error)
{
    return call_with(bus, path, interface, method, arguments, NULL, flags, error);
}

GVariant *bus_call_with_fd(struct bus *bus, const char *path, const char *interface,
                           const char *method, GVariant *arguments, int fd, unsigned flags,
                           GError **error)
{
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    g_autoptr(GVariant) held = g_variant_ref_sink(arguments);

    if (g_unix_fd_list_append(fds, fd, error) < 0) {
        return NULL;
    }
    return call_with(bus, path, interface, method, held, fds, flags, error);
}

GVariant *bus_manager_property(struct bus *bus, const char *name, unsigned flags, GError **error)
{
    g_autoptr(GVariant) reply =
        bus_call(bus, VPN1_PATH, DBUS_PROPERTIES, "Get",
                 g_variant_new("(ss)", VPN1_MANAGER_INTERFACE, name), flags, error);
    GVariant *value = NULL;

    if (reply != NULL && g_variant_is_of_type(reply, G_VARIANT_TYPE("(v)"))) {
        g_variant_get(reply, "(v)", &value);
    }
    return value;
}

gboolean bus_has_name(struct bus *bus, const char *name)
{
    static const char *const methods[] = {"ListNames", "ListActivatableNames"};

    for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
        g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
            bus->connection, DBUS_NAME, DBUS_PATH, DBUS_NAME, methods[i], NULL,
            G_VARIANT_TYPE("(as)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
        g_auto(GStrv) names = NULL;

        if (reply == NULL) {
            return FALSE;
        }
        g_variant_get(reply, "(^as)", &names);
        if (g_strv_contains((const char *const *)names, name)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* ---- beginning and end ---- */

struct bus *bus_open(GError **error)
{
    g_autoptr(GError) raw = NULL;
    GDBusConnection *connection = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, &raw);
    struct bus *bus;

    if (connection == NULL) {
        g_set_error(error, CLI_ERROR, REASON_SERVICE_UNAVAILABLE, _("There is no system bus: %s."),
                    raw->message);
        return NULL;
    }
    g_dbus_connection_set_exit_on_close(connection, FALSE);
    bus = g_new0(struct bus, 1);
    bus->connection = connection;
    bus->closed = g_cancellable_new();
    return bus;
}

void bus_quiet(struct bus *bus)
{
    bus->signalled = NULL;
    bus->lost = NULL;
    (void)g_dbus_connection_flush_sync(bus->connection, NULL, NULL);
    g_cancellable_cancel(bus->closed);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    g_object_unref(bus->closed);
    bus->closed = g_cancellable_new();
}

void bus_close(struct bus *bus)
{
    if (bus == NULL) {
        return;
    }
    if (bus->signals != 0) {
        g_dbus_connection_signal_unsubscribe(bus->connection, bus->signals);
        g_dbus_connection_signal_unsubscribe(bus->connection, bus->owners);
        g_signal_handler_disconnect(bus->connection, bus->closing);
    }
    bus_quiet(bus);
    g_object_unref(bus->closed);
    agent_stop(bus->agent);
    g_object_unref(bus->connection);
    g_free(bus->owner);
    g_free(bus);
}

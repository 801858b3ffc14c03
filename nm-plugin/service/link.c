/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nm-plugin/service/link.h"

#include <gio/gunixfdlist.h>
#include <string.h>
#include <unistd.h>

#include "common/i18n.h"
#include "common/vpn1.h"

/* Seconds that godwitd has to answer a call of Connect, which waits for nothing. */
#define PATIENCE 20

/* A godwitd that dies before it has connected is asked again so often. */
#define RESTARTS_MAX 3

struct link {
    GDBusConnection *bus;
    char *name;
    GVariant *profile;
    guint32 owner;
    const struct link_ops *ops;
    void *context;

    GCancellable *cancellable;
    GDBusObjectManager *objects;
    char *path; /* of the session, once it is known */
    Vpn1Session *session;
    guint32 form;              /* the one that is being asked */
    struct link_connect *call; /* that godwitd has not answered yet */
    guint patience;            /* with it */
    gboolean told;             /* that it is connected */
    guint restarts;            /* since then */
    int interface, state; /* lent by godwitd, for the one that takes its place; -1 = nothing is */
};

/* A call of Connect. It outlives its link, because a session that nobody wants any more must end. */
struct link_connect {
    struct link *link; /* NULL = nobody wants it */
};

static void begin(struct link *link);
static void forget(struct link *link);

static gboolean is_cancelled(const GError *error)
{
    return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static void drop_lent(struct link *link)
{
    close_fd(&link->interface);
    close_fd(&link->state);
}

static void over(struct link *link, enum reason reason, const char *sentence, const char *detail)
{
    g_cancellable_cancel(link->cancellable);
    forget(link);
    drop_lent(link);
    link->ops->ended(link->context, reason, sentence, detail);
}

/* Of what happened and what to do about it, either of which may be "". */
static char *two_sentences(const char *detail, const char *hint)
{
    gboolean open = *detail && *hint && !strchr(".!?", detail[strlen(detail) - 1]);
    return g_strconcat(detail, open ? "." : "", *detail && *hint ? " " : "", hint, NULL);
}

/* Another godwitd is asked; FALSE when that has been done often enough. */
static gboolean begin_again(struct link *link)
{
    if (++link->restarts > RESTARTS_MAX) {
        return FALSE;
    }
    link->ops->phase(link->context, "reconnecting", _("godwitd has ended; beginning again"));
    forget(link);
    begin(link);
    return TRUE;
}

static void over_by_error(struct link *link, GError *error)
{
    /* It died before the answer: what the name's owner tells of it may come later. */
    if (g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY) && begin_again(link)) {
        return;
    }
    g_autofree char *name = g_dbus_error_get_remote_error(error);
    enum reason reason = vpn1_reason_of_error(name);
    (void)g_dbus_error_strip_remote_error(error);
    const char *hint = reason_hint(reason);
    g_autofree char *text = two_sentences(error->message, hint ? _(hint) : "");
    over(link, reason, reason_sentence(reason), text);
}

/* ---- the session ---- */

static void on_lent(GObject *session, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GVariant) interface = NULL, state = NULL;
    gboolean lent = vpn1_session_call_lend_finish(VPN1_SESSION(session), &interface, &state, &fds,
                                                  result, &error);
    struct link *link = data;
    if (!lent) {
        if (!is_cancelled(error)) {
            g_message("%s", error->message); /* it will not outlive godwitd */
        }
        return;
    }
    drop_lent(link);
    link->interface = g_unix_fd_list_get(fds, g_variant_get_handle(interface), NULL);
    link->state = g_unix_fd_list_get(fds, g_variant_get_handle(state), NULL);
    if (link->interface < 0 || link->state < 0) {
        drop_lent(link);
    }
}

static void tell_connected(struct link *link)
{
    if (!link->told || link->restarts > 0) {
        vpn1_session_call_lend(link->session, NULL, link->cancellable, on_lent, link);
    }
    link->told = TRUE;
    link->restarts = 0;
    link->ops->connected(link->context, link->session);
}

static void ask(struct link *link)
{
    GVariant *form = vpn1_session_get_form(link->session);
    guint32 number = 0;
    if (form) {
        g_variant_get_child(form, 0, "u", &number);
    }
    if (number != link->form) {
        link->form = number;
        if (number != 0) {
            link->ops->asks(link->context, form);
        }
    }
}

static void on_properties(GDBusProxy *proxy, GVariant *changed, GStrv invalidated, gpointer data)
{
    struct link *link = data;
    (void)invalidated;
    ask(link);
    const char *state = vpn1_session_get_state(VPN1_SESSION(proxy));
    /* What NetworkManager has set up is touched for news alone. */
    static const char *const news[] = {"State",  "Addresses", "Routes",
                                       "Dns",    "Domains",   "Mtu",
                                       "Banner", "Interface", "GatewayAddress"};
    for (gsize i = 0; i < G_N_ELEMENTS(news) && g_strcmp0(state, "connected") == 0; i++) {
        g_autoptr(GVariant) value = g_variant_lookup_value(changed, news[i], NULL);
        if (value) {
            tell_connected(link);
            return;
        }
    }
}

static void on_phase(Vpn1Session *session, const char *phase, const char *text, guint64 at,
                     gpointer data)
{
    struct link *link = data;
    (void)session;
    (void)at;
    link->ops->phase(link->context, phase, text);
}

static void on_ended(Vpn1Session *session, const char *reason, const char *sentence,
                     const char *detail, const char *hint, gpointer data)
{
    struct link *link = data;
    (void)session;
    g_autofree char *text = two_sentences(detail, *hint ? _(hint) : "");
    over(link, reason_from_name(reason), sentence, text);
}

static void watch(struct link *link)
{
    g_autoptr(GDBusInterface) found =
        link->path
            ? g_dbus_object_manager_get_interface(link->objects, link->path, VPN1_SESSION_INTERFACE)
            : NULL;
    if (!found || link->session) {
        return;
    }
    link->session = VPN1_SESSION(g_object_ref(found));
    g_signal_connect(found, "g-properties-changed", G_CALLBACK(on_properties), link);
    g_signal_connect(found, "phase", G_CALLBACK(on_phase), link);
    g_signal_connect(found, "ended", G_CALLBACK(on_ended), link);
    ask(link);
    if (g_strcmp0(vpn1_session_get_state(link->session), "connected") == 0) {
        tell_connected(link);
    }
}

static void on_object(GDBusObjectManager *objects, GDBusObject *object, gpointer data)
{
    (void)objects;
    (void)object;
    watch(data);
}

/* Without "Ended" before, which would have been the end of the link. */
static void on_object_gone(GDBusObjectManager *objects, GDBusObject *object, gpointer data)
{
    struct link *link = data;
    (void)objects;
    if (link->session && g_strcmp0(g_dbus_object_get_object_path(object), link->path) == 0) {
        over(link, REASON_INTERNAL, reason_sentence(REASON_INTERNAL), "");
    }
}

/* ---- godwitd goes, and comes back ---- */

static void give_up_call(struct link *link)
{
    g_clear_handle_id(&link->patience, g_source_remove);
    if (link->call) {
        link->call->link = NULL;
        link->call = NULL;
    }
}

static void forget(struct link *link)
{
    give_up_call(link);
    if (link->session) {
        g_signal_handlers_disconnect_by_data(link->session, link);
    }
    if (link->objects) {
        g_signal_handlers_disconnect_by_data(link->objects, link);
    }
    g_clear_object(&link->session);
    g_clear_object(&link->objects);
    g_clear_pointer(&link->path, g_free);
    link->form = 0;
}

static void on_owner(GObject *objects, GParamSpec *property, gpointer data)
{
    struct link *link = data;
    (void)property;
    g_autofree char *owner =
        g_dbus_object_manager_client_get_name_owner(G_DBUS_OBJECT_MANAGER_CLIENT(objects));
    if (owner) {
        return;
    }
    /* NetworkManager 1.42 keeps the name servers of an interface whose place another one has taken,
     * for good: it must not be given another one. */
    if ((link->told && link->interface < 0) || !begin_again(link)) {
        over(link, REASON_SERVICE_UNAVAILABLE, reason_sentence(REASON_SERVICE_UNAVAILABLE),
             _("It has ended unexpectedly, and the connection with it."));
    }
}

/* ---- beginning ---- */

static void end_session(GDBusConnection *bus, const char *path)
{
    g_dbus_connection_call(bus, VPN1_NAME, path, VPN1_SESSION_INTERFACE, "Disconnect", NULL, NULL,
                           G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
}

static void on_connect_answer(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree struct link_connect *call = data;
    struct link *link = call->link;
    GDBusConnection *bus = G_DBUS_CONNECTION(source);
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_with_unix_fd_list_finish(bus, NULL, result, &error);
    g_autofree char *path = NULL;
    if (answer) {
        g_variant_get(answer, "(o)", &path);
    }
    if (!link) {
        if (path) {
            end_session(bus, path);
        }
        return;
    }
    link->call = NULL;
    g_clear_handle_id(&link->patience, g_source_remove);
    if (path) {
        link->path = g_steal_pointer(&path);
        watch(link);
    } else {
        over_by_error(link, error);
    }
}

static gboolean on_no_answer(gpointer data)
{
    struct link *link = data;
    link->patience = 0;
    over(link, REASON_SERVICE_UNAVAILABLE, reason_sentence(REASON_SERVICE_UNAVAILABLE),
         _("It runs, but does not answer."));
    return G_SOURCE_REMOVE;
}

/* NULL = nothing was lent, or there is no room for it: then the session makes its own. */
static GUnixFDList *add_lent(const struct link *link, GVariantBuilder *options)
{
    g_autoptr(GUnixFDList) fds = link->interface >= 0 ? g_unix_fd_list_new() : NULL;
    if (!fds) {
        return NULL;
    }
    gint interface = g_unix_fd_list_append(fds, link->interface, NULL);
    gint state = g_unix_fd_list_append(fds, link->state, NULL);
    if (interface < 0 || state < 0) {
        return NULL;
    }
    g_variant_builder_add(options, "{sv}", "interface", g_variant_new_handle(interface));
    g_variant_builder_add(options, "{sv}", "state", g_variant_new_handle(state));
    return g_steal_pointer(&fds);
}

/* Without an end: a session that is made after all is heard of, and ended. */
static void call_connect(struct link *link)
{
    GVariantBuilder options;
    link->call = g_new0(struct link_connect, 1);
    link->call->link = link;
    link->patience = g_timeout_add_seconds(PATIENCE, on_no_answer, link);
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&options, "{sv}", "origin", g_variant_new_string("networkmanager"));
    g_variant_builder_add(&options, "{sv}", "host-configuration", g_variant_new_boolean(FALSE));
    g_variant_builder_add(&options, "{sv}", "bound", g_variant_new_boolean(TRUE));
    if (link->owner != 0) {
        g_variant_builder_add(&options, "{sv}", "owner", g_variant_new_uint32(link->owner));
    }
    g_autoptr(GUnixFDList) fds = add_lent(link, &options);
    g_dbus_connection_call_with_unix_fd_list(
        link->bus, VPN1_NAME, VPN1_PATH, VPN1_MANAGER_INTERFACE, "Connect",
        g_variant_new("(s@a{sv}a{sv})", link->name, link->profile, &options), G_VARIANT_TYPE("(o)"),
        G_DBUS_CALL_FLAGS_NONE, G_MAXINT, fds, NULL, on_connect_answer, link->call);
}

static void use_objects(struct link *link, GDBusObjectManager *objects)
{
    link->objects = objects;
    g_signal_connect(objects, "object-added", G_CALLBACK(on_object), link);
    g_signal_connect(objects, "object-removed", G_CALLBACK(on_object_gone), link);
    g_signal_connect(objects, "notify::name-owner", G_CALLBACK(on_owner), link);
    call_connect(link);
}

static void on_objects(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    GDBusObjectManager *objects = vpn1_object_manager_client_new_finish(result, &error);
    /* Whoever had the name when it was asked for had gone when its objects were. */
    gboolean died = g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN);
    (void)source;
    if (is_cancelled(error)) {
        return;
    }
    if (objects) {
        use_objects(data, objects);
    } else if (!died || !begin_again(data)) {
        over_by_error(data, error);
    }
}

static void begin(struct link *link)
{
    vpn1_object_manager_client_new(link->bus, G_DBUS_OBJECT_MANAGER_CLIENT_FLAGS_NONE, VPN1_NAME,
                                   VPN1_PATH, link->cancellable, on_objects, link);
}

/* ---- for the plugin ---- */

/* Whoever has the name of the service now. */
static gboolean is_served(GDBusObjectManager *objects)
{
    g_autofree char *owner =
        objects ? g_dbus_object_manager_client_get_name_owner(G_DBUS_OBJECT_MANAGER_CLIENT(objects))
                : NULL;
    return owner != NULL;
}

struct link *link_new(GDBusConnection *bus, GDBusObjectManager *objects, const char *name,
                      GVariant *profile, guint32 owner, const struct link_ops *ops, void *context)
{
    struct link *link = g_new0(struct link, 1);
    link->bus = g_object_ref(bus);
    link->name = g_strdup(name);
    link->profile = g_variant_ref_sink(profile);
    link->owner = owner;
    link->interface = link->state = -1;
    link->ops = ops;
    link->context = context;
    link->cancellable = g_cancellable_new();
    if (is_served(objects)) {
        use_objects(link, g_object_ref(objects));
    } else {
        begin(link);
    }
    return link;
}

void link_answer(struct link *link, guint32 form, GVariant *values)
{
    g_autoptr(GVariant) held = g_variant_ref_sink(values);
    if (link->session && form == link->form) {
        vpn1_session_call_provide_secrets(link->session, form, held, NULL, NULL, NULL);
    }
}

void link_cancel(struct link *link, guint32 form)
{
    if (link->session && form == link->form) {
        vpn1_session_call_cancel_secrets(link->session, form, NULL, NULL, NULL);
    }
}

void link_free(struct link *link)
{
    if (link) {
        g_cancellable_cancel(link->cancellable);
        if (link->path) {
            end_session(link->bus, link->path);
        }
        forget(link);
        drop_lent(link);
        g_object_unref(link->cancellable);
        g_object_unref(link->bus);
        g_variant_unref(link->profile);
        g_free(link->name);
        g_free(link);
    }
}

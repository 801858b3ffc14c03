/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nm-plugin/service/link.h"

#include <gio/gunixfdlist.h>
#include <string.h>
#include <unistd.h>

#include "common/i18n.h"
#include "common/vpn1.h"
#include "profile/profile.h"

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
    guint watch, signals; /* of godwitd */
    char *its_name;       /* on the bus, unique; NULL = it is not known to run */
    char *path;           /* of the session, once it is known */
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

/* It runs on after an update, or is newer than we are. */
static gboolean speaks_otherwise(const GError *error)
{
    static const GDBusError codes[] = {G_DBUS_ERROR_UNKNOWN_METHOD, G_DBUS_ERROR_UNKNOWN_INTERFACE,
                                       G_DBUS_ERROR_UNKNOWN_OBJECT, G_DBUS_ERROR_INVALID_ARGS,
                                       G_DBUS_ERROR_INVALID_SIGNATURE};
    gboolean speaks = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(codes) && !speaks; i++) {
        speaks = g_error_matches(error, G_DBUS_ERROR, (gint)codes[i]);
    }
    return speaks;
}

static void over_by_error(struct link *link, GError *error)
{
    /* It died before the answer: what the name's owner tells of it may come later. */
    if (g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY) && begin_again(link)) {
        return;
    }
    if (speaks_otherwise(error)) {
        over(link, REASON_SERVICE_UNAVAILABLE, reason_sentence(REASON_SERVICE_UNAVAILABLE),
             _("It is of another version than this program."));
        return;
    }
    g_autofree char *name = g_dbus_error_get_remote_error(error);
    /* Root is refused by the bus alone: when the service's policy is not there. */
    enum reason reason = g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED)
                             ? REASON_SERVICE_UNAVAILABLE
                             : vpn1_reason_of_error(name);
    (void)g_dbus_error_strip_remote_error(error);
    g_autofree char *hint = profile_hint(reason, TRUE);
    g_autofree char *text = two_sentences(error->message, hint);
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

static void take_properties(struct link *link, GVariant *properties)
{
    static const char *const none[] = {NULL};
    GVariantIter iter;
    GVariant *value;
    const char *name;
    g_variant_iter_init(&iter, properties);
    while (g_variant_iter_loop(&iter, "{&sv}", &name, &value)) {
        g_dbus_proxy_set_cached_property(G_DBUS_PROXY(link->session), name, value);
    }
    /* What the generated code keeps of the last value goes. */
    g_signal_emit_by_name(link->session, "g-properties-changed", properties, none);
}

/* What NetworkManager has set up is touched for news alone. */
static gboolean has_news(GVariant *changed)
{
    static const char *const news[] = {"State",  "Addresses", "Routes",
                                       "Dns",    "Domains",   "Mtu",
                                       "Banner", "Interface", "GatewayAddress"};
    gboolean has = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(news) && !has; i++) {
        g_autoptr(GVariant) value = g_variant_lookup_value(changed, news[i], NULL);
        has = value != NULL;
    }
    return has;
}

static void on_properties(struct link *link, GVariant *arguments)
{
    g_autoptr(GVariant) changed = g_variant_get_child_value(arguments, 1);
    if (link->session) {
        take_properties(link, changed);
        ask(link);
        if (g_strcmp0(vpn1_session_get_state(link->session), "connected") == 0 &&
            has_news(changed)) {
            tell_connected(link);
        }
    }
}

/* Its properties come as signals: nothing is asked for, or waited for, here. */
static void on_added(struct link *link, GVariant *arguments)
{
    g_autoptr(GVariant) interfaces = g_variant_get_child_value(arguments, 1);
    g_autoptr(GVariant) properties =
        g_variant_lookup_value(interfaces, VPN1_SESSION_INTERFACE, G_VARIANT_TYPE_VARDICT);
    g_autoptr(GError) error = NULL;
    if (!properties || link->session) {
        return;
    }
    link->session = vpn1_session_proxy_new_sync(link->bus,
                                                G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES |
                                                    G_DBUS_PROXY_FLAGS_DO_NOT_CONNECT_SIGNALS |
                                                    G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START,
                                                link->its_name, link->path, NULL, &error);
    if (!link->session) {
        over_by_error(link, error);
        return;
    }
    take_properties(link, properties);
    ask(link);
}

/* Without "Ended" before, which would have been the end of the link. */
static void on_removed(struct link *link, GVariant *arguments)
{
    (void)arguments;
    over(link, REASON_INTERNAL, reason_sentence(REASON_INTERNAL), "");
}

static void on_phase(struct link *link, GVariant *arguments)
{
    const char *phase, *text;
    g_variant_get(arguments, "(&s&st)", &phase, &text, NULL);
    link->ops->phase(link->context, phase, text);
}

static void on_ended(struct link *link, GVariant *arguments)
{
    const char *reason, *sentence, *detail, *hint;
    g_variant_get(arguments, "(&s&s&s&s)", &reason, &sentence, &detail, &hint);
    enum reason known = reason_from_name(reason);
    /* A newer service may have reasons of its own. */
    g_autofree char *own = g_str_equal(reason_name(known), reason) ? profile_hint(known, TRUE) : NULL;
    g_autofree char *text = two_sentences(detail, own ? own : hint);
    over(link, known, sentence, text);
}

/* Whether the signal is of the session: by its path, or by what the object manager tells of it. */
static gboolean is_of_session(const struct link *link, const char *path, const char *interface,
                              GVariant *arguments)
{
    g_autofree char *object = NULL;
    if (g_str_equal(interface, DBUS_OBJECT_MANAGER)) {
        g_variant_get_child(arguments, 0, "o", &object);
    }
    return g_strcmp0(object ? object : path, link->path) == 0;
}

/* From godwitd alone: anybody on the bus may send signals to anybody. */
static void on_signal(GDBusConnection *bus, const char *sender, const char *path,
                      const char *interface, const char *name, GVariant *arguments, gpointer data)
{
    static const struct {
        const char *interface, *name, *type;
        void (*handle)(struct link *link, GVariant *arguments);
    } rows[] = {
        {DBUS_OBJECT_MANAGER, "InterfacesAdded", "(oa{sa{sv}})", on_added},
        {DBUS_OBJECT_MANAGER, "InterfacesRemoved", "(oas)", on_removed},
        {DBUS_PROPERTIES, "PropertiesChanged", "(sa{sv}as)", on_properties},
        {VPN1_SESSION_INTERFACE, "Phase", "(sst)", on_phase},
        {VPN1_SESSION_INTERFACE, "Ended", "(ssss)", on_ended},
    };
    struct link *link = data;
    (void)bus;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (g_str_equal(rows[i].interface, interface) && g_str_equal(rows[i].name, name) &&
            g_variant_is_of_type(arguments, G_VARIANT_TYPE(rows[i].type)) &&
            g_strcmp0(sender, link->its_name) == 0 &&
            is_of_session(link, path, interface, arguments)) {
            rows[i].handle(link, arguments);
            return;
        }
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
    g_clear_handle_id(&link->watch, g_bus_unwatch_name);
    if (link->signals != 0) {
        g_dbus_connection_signal_unsubscribe(link->bus, link->signals);
        link->signals = 0;
    }
    g_clear_object(&link->session);
    g_clear_pointer(&link->its_name, g_free);
    g_clear_pointer(&link->path, g_free);
    link->form = 0;
}

static void on_there(GDBusConnection *bus, const char *name, const char *its_name, gpointer data)
{
    struct link *link = data;
    (void)bus;
    (void)name;
    g_free(link->its_name);
    link->its_name = g_strdup(its_name);
}

static void on_gone(GDBusConnection *bus, const char *name, gpointer data)
{
    struct link *link = data;
    (void)bus;
    (void)name;
    g_clear_pointer(&link->its_name, g_free);
    if (link->call) {
        return; /* which starts another one, or will be told that it died with this one */
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
    g_variant_builder_add(&options, "{sv}", "listen", g_variant_new_boolean(TRUE));
    if (link->owner != 0) {
        g_variant_builder_add(&options, "{sv}", "owner", g_variant_new_uint32(link->owner));
    }
    g_autoptr(GUnixFDList) fds = add_lent(link, &options);
    g_dbus_connection_call_with_unix_fd_list(
        link->bus, VPN1_NAME, VPN1_PATH, VPN1_MANAGER_INTERFACE, "Connect",
        g_variant_new("(s@a{sv}a{sv})", link->name, link->profile, &options), G_VARIANT_TYPE("(o)"),
        G_DBUS_CALL_FLAGS_NONE, G_MAXINT, fds, NULL, on_connect_answer, link->call);
}

/* In this order on the bus: what becomes of a session is heard from its beginning. */
static void begin(struct link *link)
{
    link->signals = g_dbus_connection_signal_subscribe(link->bus, VPN1_NAME, NULL, NULL, NULL, NULL,
                                                       G_DBUS_SIGNAL_FLAGS_NONE, on_signal, link,
                                                       NULL);
    link->watch = g_bus_watch_name_on_connection(
        link->bus, VPN1_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE, on_there, on_gone, link, NULL);
    call_connect(link);
}

/* ---- for the plugin ---- */

void link_warm_up(GDBusConnection *bus)
{
    g_dbus_connection_call(bus, VPN1_NAME, VPN1_PATH, VPN1_MANAGER_INTERFACE, "Prepare", NULL, NULL,
                           G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
}

struct link *link_new(GDBusConnection *bus, const char *name, GVariant *profile, guint32 owner,
                      const struct link_ops *ops, void *context)
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
    begin(link);
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

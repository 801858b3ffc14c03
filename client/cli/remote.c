/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/remote.h"

#include <unistd.h>

#include "cli/facts.h"
#include "cli/secrets.h"
#include "common/dns_words.h"
#include "common/i18n.h"
#include "common/secret.h"
#include "common/vpn1_variant.h"

struct remote {
    struct bus *bus;
    const struct session_ops *ops;
    void *context;
    char *name;
    gboolean is_system; /* a profile of the service */
    GVariant *asked;    /* what the service is asked for; NULL = it has answered */
    char *refusal;      /* of which the reason is looked for */
    gboolean trace;
    char *path; /* of our session; NULL until the service has named it */
    struct facts *facts;
    guint32 form;      /* the open question */
    gboolean was_up;   /* `connected` was told */
    gboolean unwanted; /* disconnect before there was a session */
    gboolean over;
};

/* ---- what it tells ---- */

static void end(struct remote *remote, enum reason reason, const char *detail)
{
    if (!remote->over) {
        remote->over = TRUE;
        remote->ops->ended(remote->context, reason, detail);
    }
}

static size_t read_prefixes(const struct facts *facts, const char *name, struct prefix *out,
                            size_t max)
{
    g_auto(GStrv) texts = facts_texts(facts, name);
    size_t n = 0;

    for (char **text = texts; *text != NULL && n < max; text++) {
        n += prefix_parse(&out[n], *text, true);
    }
    return n;
}

static void read_net(const struct facts *facts, struct net_config *net)
{
    g_auto(GStrv) dns = facts_texts(facts, "Dns");
    g_auto(GStrv) domains = facts_texts(facts, "Domains");

    *net = (struct net_config){.mtu = (uint16_t)facts_number(facts, "Mtu")};
    net->n_addresses = read_prefixes(facts, "Addresses", net->addresses, NET_ADDRESSES_MAX);
    net->n_routes = read_prefixes(facts, "Routes", net->routes, NET_ROUTES_MAX);
    for (char **text = dns; *text != NULL && net->n_dns < NET_DNS_MAX; text++) {
        net->n_dns += addr_parse(&net->dns[net->n_dns], *text);
    }
    for (char **text = domains; *text != NULL && net->n_domains < NET_DOMAINS_MAX; text++) {
        g_strlcpy(net->domains[net->n_domains++], *text, NET_DOMAIN_LEN);
    }
    g_strlcpy(net->banner, facts_text(facts, "Banner"), sizeof net->banner);
}

static GHashTable *read_summary(const struct facts *facts)
{
    GHashTable *summary = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GVariant *value = facts_value(facts, "Summary", "a{ss}");
    GVariantIter iter;
    char *name, *text;

    if (value != NULL) {
        g_variant_iter_init(&iter, value);
        while (g_variant_iter_next(&iter, "{ss}", &name, &text)) {
            g_hash_table_replace(summary, name, text);
        }
    }
    return summary;
}

static void tell_connected(struct remote *remote)
{
    g_autofree struct net_config *net = g_new(struct net_config, 1);
    g_autofree char *method = dns_words_here(facts_text(remote->facts, "DnsMethod"));
    g_autofree char *answers = dns_words_here(facts_text(remote->facts, "DnsAnswers"));
    g_autoptr(GHashTable) summary = read_summary(remote->facts);
    struct session_info info = {
        .name = facts_text(remote->facts, "Name"),
        .interface = facts_text(remote->facts, "Interface"),
        .net = net,
        .summary = summary,
        .dns_method = method,
        .dns_answers = answers,
        .full_tunnel = facts_bool(remote->facts, "FullTunnel"),
        .again = remote->was_up,
    };

    read_net(remote->facts, net);
    remote->was_up = TRUE;
    remote->ops->connected(remote->context, &info);
}

static void tell_form(struct remote *remote, GVariant *form)
{
    guint32 number;
    g_autoptr(GArray) shown = secrets_fields(form, &number);

    if (number == remote->form) {
        return;
    }
    remote->form = number;
    /* Without fields: it was answered by somebody else. */
    remote->ops->secrets_required(remote->context,
                                  (const struct session_field *)(gpointer)shown->data, shown->len);
}

/* Something of the session has changed; `changed` is an a{sv}. */
static void take_changes(struct remote *remote, GVariant *changed)
{
    static const char *const of_the_tunnel[] = {"State", "Addresses", "Summary", "GatewayAddress"};
    gboolean is_news = FALSE;
    GVariant *form;

    for (gsize i = 0; i < G_N_ELEMENTS(of_the_tunnel); i++) {
        g_autoptr(GVariant) value = g_variant_lookup_value(changed, of_the_tunnel[i], NULL);

        is_news = is_news || (value != NULL && !facts_has(remote->facts, of_the_tunnel[i], value));
    }
    g_autoptr(GVariant) answers = g_variant_lookup_value(changed, "DnsAnswers", NULL);
    gboolean has_answers =
        answers != NULL && remote->was_up && !facts_has(remote->facts, "DnsAnswers", answers);
    facts_update(remote->facts, changed);
    if (is_news && strcmp(facts_text(remote->facts, "State"), "connected") == 0) {
        tell_connected(remote);
    }
    if (has_answers && *facts_text(remote->facts, "DnsAnswers") != '\0') {
        g_autofree char *text = dns_words_here(facts_text(remote->facts, "DnsAnswers"));

        remote->ops->dns_answers(remote->context, text);
    }
    form = facts_value(remote->facts, "Form", VPN1_FORM_TYPE);
    if (form != NULL && !remote->over) {
        tell_form(remote, form);
    }
}

static void take_ended(struct remote *remote, GVariant *arguments)
{
    const char *name, *sentence, *detail;
    enum reason reason;

    g_variant_get(arguments, "(&s&s&s&s)", &name, &sentence, &detail, NULL);
    reason = reason_from_name(name);
    /* A newer service may know more reasons than we do. */
    end(remote, reason,
        reason == REASON_INTERNAL && strcmp(name, "internal") != 0 ? sentence : detail);
}

/* ---- what the service sends ---- */

static void take_rung(struct remote *remote, GVariant *rung)
{
    const char *line;
    gboolean outbound, again;
    guint64 at;

    g_variant_get(rung, "(&sbbt)", &line, &outbound, &again, &at);
    if (remote->trace) {
        remote->ops->trace(remote->context, line, outbound, again, at);
    }
}

static void take_session_signal(struct remote *remote, const char *name, GVariant *arguments)
{
    if (strcmp(name, "Phase") == 0 && g_variant_is_of_type(arguments, G_VARIANT_TYPE("(sst)"))) {
        const char *phase, *text;
        guint64 at;

        g_variant_get(arguments, "(&s&st)", &phase, &text, &at);
        remote->ops->phase(remote->context, phase, text, at);
    } else if (strcmp(name, "Rung") == 0 &&
               g_variant_is_of_type(arguments, G_VARIANT_TYPE("(sbbt)"))) {
        take_rung(remote, arguments);
    } else if (strcmp(name, "Ended") == 0 &&
               g_variant_is_of_type(arguments, G_VARIANT_TYPE("(ssss)"))) {
        take_ended(remote, arguments);
    }
}

static void take_added(struct remote *remote, GVariant *arguments)
{
    g_autoptr(GVariant) interfaces = NULL;
    g_autoptr(GVariant) properties = NULL;
    const char *path;

    g_variant_get(arguments, "(&o@a{sa{sv}})", &path, &interfaces);
    properties = g_variant_lookup_value(interfaces, VPN1_SESSION_INTERFACE, G_VARIANT_TYPE_VARDICT);
    if (properties != NULL && strcmp(path, remote->path) == 0) {
        take_changes(remote, properties);
    }
}

static void take_signal(struct remote *remote, const char *path, const char *interface,
                        const char *name, GVariant *arguments)
{
    if (strcmp(interface, DBUS_OBJECT_MANAGER) == 0) {
        if (strcmp(name, "InterfacesAdded") == 0 &&
            g_variant_is_of_type(arguments, G_VARIANT_TYPE("(oa{sa{sv}})"))) {
            take_added(remote, arguments);
        }
    } else if (strcmp(path, remote->path) != 0) {
        return;
    } else if (strcmp(interface, VPN1_SESSION_INTERFACE) == 0) {
        take_session_signal(remote, name, arguments);
    } else if (strcmp(interface, DBUS_PROPERTIES) == 0 &&
               g_variant_is_of_type(arguments, G_VARIANT_TYPE("(sa{sv}as)"))) {
        g_autoptr(GVariant) changed = NULL;

        g_variant_get(arguments, "(s@a{sv}as)", NULL, &changed, NULL);
        take_changes(remote, changed);
    }
}

static void on_signal(void *context, const char *path, const char *interface, const char *name,
                      GVariant *arguments)
{
    struct remote *remote = context;

    if (!remote->over && remote->path != NULL) {
        take_signal(remote, path, interface, name, arguments);
    }
}

static void on_lost(void *context)
{
    end(context, REASON_SERVICE_UNAVAILABLE, _("It ended meanwhile."));
}

/* ---- asking for it ---- */

static void on_trace_so_far(void *context, GVariant *reply, const GError *error)
{
    struct remote *remote = context;
    g_autoptr(GVariant) rungs = NULL;
    GVariantIter iter;
    GVariant *rung;

    (void)error;
    if (reply == NULL || remote->over ||
        !g_variant_is_of_type(reply, G_VARIANT_TYPE("(a(sbbt))"))) {
        return;
    }
    rungs = g_variant_get_child_value(reply, 0);
    g_variant_iter_init(&iter, rungs);
    while ((rung = g_variant_iter_next_value(&iter)) != NULL) {
        take_rung(remote, rung);
        g_variant_unref(rung);
    }
}

static void call(struct remote *remote, const char *method, GVariant *arguments)
{
    bus_send(remote->bus, remote->path, VPN1_SESSION_INTERFACE, method, arguments, BUS_PLAIN, NULL,
             NULL);
}

static GVariant *arguments_of(const struct remote_request *request)
{
    GVariantDict options;

    g_variant_dict_init(&options, NULL);
    g_variant_dict_insert(&options, "origin", "s", "cli");
    /* Two tunnels to one gateway would only be in each other's way. */
    g_variant_dict_insert(&options, "once", "b", TRUE);
    g_variant_dict_insert(&options, "listen", "b", TRUE);
    vpn1_add_language(&options);
    if (request->trace) {
        g_variant_dict_insert(&options, "trace", "b", TRUE);
    }
    if (request->bound) {
        g_variant_dict_insert(&options, "bound", "b", TRUE);
    }
    return request->profile == NULL
               ? g_variant_new("(s@a{sv})", request->name, g_variant_dict_end(&options))
               : g_variant_new("(s@a{sv}@a{sv})", request->name,
                               profile_to_variant(request->profile), g_variant_dict_end(&options));
}

/* Whether `interfaces` is a session that our user has made of the same profile, or for that host.
 */
static gboolean is_the_same(const struct remote *remote, GVariant *interfaces)
{
    g_autoptr(GVariant) properties =
        g_variant_lookup_value(interfaces, VPN1_SESSION_INTERFACE, G_VARIANT_TYPE_VARDICT);
    const char *name = "", *system = "";
    guint32 owner = 0;

    if (properties == NULL || !g_variant_lookup(properties, "Owner", "u", &owner) ||
        owner != geteuid()) {
        return FALSE;
    }
    (void)g_variant_lookup(properties, "Name", "&s", &name);
    (void)g_variant_lookup(properties, "SystemProfile", "&s", &system);
    return strcmp(remote->is_system ? system : name, remote->name) == 0;
}

static gboolean is_there_already(const struct remote *remote, GVariant *objects)
{
    GVariantIter iter;
    GVariant *interfaces;
    gboolean same = FALSE;

    g_variant_iter_init(&iter, objects);
    while (!same && g_variant_iter_next(&iter, "{&o@a{sa{sv}}}", NULL, &interfaces)) {
        same = is_the_same(remote, interfaces);
        g_variant_unref(interfaces);
    }
    return same;
}

/* Of what it refuses, this is said in the user's language. */
static void on_objects(void *context, GVariant *reply, const GError *error)
{
    struct remote *remote = context;
    g_autoptr(GVariant) objects = NULL;
    g_autofree char *detail = NULL;

    (void)error;
    if (remote->over) {
        return;
    }
    if (reply != NULL && g_variant_is_of_type(reply, G_VARIANT_TYPE("(a{oa{sa{sv}}})"))) {
        objects = g_variant_get_child_value(reply, 0);
    }
    if (objects != NULL && is_there_already(remote, objects)) {
        detail = g_strdup_printf(
            _("\"%s\" is connected, or about to be; godwit disconnect ends it."), remote->name);
    }
    end(remote, REASON_SERVICE_REFUSED, detail != NULL ? detail : remote->refusal);
}

static void on_session(void *context, GVariant *reply, const GError *error);

static void ask(struct remote *remote, GVariant *arguments)
{
    remote->asked = g_variant_take_ref(arguments);
    bus_send(remote->bus, VPN1_PATH, VPN1_MANAGER_INTERFACE,
             remote->is_system ? "ConnectSystem" : "Connect", remote->asked, BUS_INTERACTIVE,
             on_session, remote);
}

static void on_session(void *context, GVariant *reply, const GError *error)
{
    struct remote *remote = context;
    g_autoptr(GVariant) asked = g_steal_pointer(&remote->asked);
    GVariant *plain;

    if (remote->over) {
        return;
    }
    plain =
        reply == NULL && error->code == (gint)REASON_INTERNAL ? vpn1_without_language(asked) : NULL;
    if (plain != NULL) {
        ask(remote, plain);
        return;
    }
    if (reply == NULL && error->code == (gint)REASON_SERVICE_REFUSED) {
        remote->refusal = g_strdup(error->message);
        bus_send(remote->bus, VPN1_PATH, DBUS_OBJECT_MANAGER, "GetManagedObjects", NULL, BUS_PLAIN,
                 on_objects, remote);
        return;
    }
    if (reply == NULL) {
        end(remote, (enum reason)error->code, error->message);
        return;
    }
    if (!g_variant_is_of_type(reply, G_VARIANT_TYPE("(o)"))) {
        end(remote, REASON_INTERNAL, "");
        return;
    }
    g_variant_get(reply, "(o)", &remote->path);
    if (remote->trace) {
        bus_send(remote->bus, remote->path, VPN1_SESSION_INTERFACE, "GetTrace", NULL, BUS_PLAIN,
                 on_trace_so_far, remote);
    }
    if (remote->unwanted) {
        call(remote, "Disconnect", NULL);
    }
}

struct remote *remote_new(struct bus *bus, const struct remote_request *request,
                          const struct session_ops *ops, void *context)
{
    struct remote *remote = g_new0(struct remote, 1);

    remote->bus = bus;
    remote->ops = ops;
    remote->context = context;
    remote->name = g_strdup(request->name);
    remote->is_system = request->profile == NULL;
    remote->trace = request->trace;
    remote->facts = facts_new();
    bus_listen(bus, on_signal, on_lost, remote);
    ask(remote, arguments_of(request));
    return remote;
}

/* ---- what it is told ---- */

void remote_disconnect(struct remote *remote)
{
    if (remote->over) {
        return;
    }
    if (remote->path != NULL) {
        call(remote, "Disconnect", NULL);
    } else if (remote->unwanted) {
        end(remote, REASON_USER, "");
    }
    remote->unwanted = TRUE;
}

static void wipe_value(gpointer id, gpointer value, gpointer data)
{
    gsize len;
    const void *octets = g_bytes_get_data(value, &len);

    (void)id;
    (void)data;
    if (len > 0) {
        secret_wipe((void *)octets, len);
    }
}

void remote_provide_secrets(struct remote *remote, GHashTable *values)
{
    if (values == NULL) {
        call(remote, "CancelSecrets", g_variant_new("(u)", remote->form));
        return;
    }
    call(remote, "ProvideSecrets",
         g_variant_new("(u@a{say})", remote->form, secrets_values(values)));
    g_hash_table_foreach(values, wipe_value, NULL);
}

void remote_free(struct remote *remote)
{
    if (remote != NULL) {
        bus_quiet(remote->bus);
        g_clear_pointer(&remote->asked, g_variant_unref);
        g_free(remote->refusal);
        g_free(remote->name);
        facts_free(remote->facts);
        g_free(remote->path);
        g_free(remote);
    }
}

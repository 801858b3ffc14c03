/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stand-in for godwitd on a bus of the test's own, started by that bus. What a session does is in
 * the file FAKE_SCRIPT, read at each Connect: the steps of fake_session.c, and
 *   ask|ID|LABEL|PROMPT|once (the last says that the answer is not to be remembered)
 *   choose|PROMPT|TITLE|DETAIL (of two certificates)  trust|TEXT (in all that the facts have)
 *   put|PROPERTY|TEXT  fact|NAME|TEXT (of the summary), told with the next change
 *   refuse|ERROR|TEXT (the answer of Connect)  old (first: it knows no languages)  die (the service, at once)  traffic (2,000 octets
 *   more each time that it is asked for)  banner|TEXT  traced (waits until the trace was asked for)  vanish (the object goes without a word)
 * Calls are written to FAKE_CALLS, a line each.
 */
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "vpn1-info.h"

#define NAME "org.godwit.VPN1"
#define PATH "/org/godwit/VPN1"
#define FIELD_TYPE "(ssssa{sv})"
#define ERRORS NAME ".Error."
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define OBJECTS "org.freedesktop.DBus.ObjectManager"

struct service {
    GDBusConnection *bus;
    GMainLoop *loop;
    GHashTable *listeners; /* unique names */
    GHashTable *sessions;  /* struct fake by path */
    guint n;
    gboolean always;
    char **excepted;
    guint64 portal_until;
};

struct fake {
    struct service *service;
    char *path;
    guint number, object, source;
    GHashTable *properties;
    GHashTable *watchers; /* unique names of who has asked for the trace */
    char **steps;
    guint at, disconnects, wanted_disconnects, form;
    gboolean traffic, awaits_trace;
    guint64 octets;
    GVariantBuilder *rungs, *log;
};

static const char objects_xml[] =
    "<node><interface name='org.freedesktop.DBus.ObjectManager'><method name='GetManagedObjects'>"
    "<arg type='a{oa{sa{sv}}}' direction='out'/></method></interface></node>";

static void must(gboolean worked)
{
    if (!worked) {
        abort();
    }
}

static guint64 now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (guint64)now.tv_sec * G_USEC_PER_SEC + (guint64)now.tv_nsec / 1000;
}

static void note(const char *method, GVariant *arguments)
{
    FILE *out = fopen(g_getenv("FAKE_CALLS"), "a");
    g_autofree char *text = g_variant_print(arguments, TRUE);

    must(out != NULL);
    fprintf(out, "%s %s\n", method, text);
    fclose(out);
}

/* One by one, as godwitd does. */
static void tell_some(struct service *service, GHashTable *listeners, const char *path,
                      const char *interface, const char *name, GVariant *arguments)
{
    GHashTableIter iter;
    gpointer listener;

    g_variant_ref_sink(arguments);
    g_hash_table_iter_init(&iter, listeners);
    while (g_hash_table_iter_next(&iter, &listener, NULL)) {
        must(g_dbus_connection_emit_signal(service->bus, listener, path, interface, name, arguments,
                                           NULL));
    }
    g_variant_unref(arguments);
}

static void tell(struct service *service, const char *path, const char *interface, const char *name,
                 GVariant *arguments)
{
    tell_some(service, service->listeners, path, interface, name, arguments);
}

/* ---- a session ---- */

static void put(struct fake *fake, const char *name, GVariant *value)
{
    g_hash_table_replace(fake->properties, g_strdup(name), g_variant_ref_sink(value));
}

static GVariant *properties_of(const struct fake *fake)
{
    GVariantBuilder builder;
    GHashTableIter iter;
    gpointer name, value;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_hash_table_iter_init(&iter, fake->properties);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        g_variant_builder_add(&builder, "{sv}", name, value);
    }
    return g_variant_builder_end(&builder);
}

static GVariant *interfaces_of(const struct fake *fake)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{sa{sv}}"));
    g_variant_builder_add(&builder, "{s@a{sv}}", NAME ".Session", properties_of(fake));
    return g_variant_builder_end(&builder);
}

/* Everything: what has not changed is told again, which is allowed. */
static void publish(struct fake *fake)
{
    tell(fake->service, fake->path, PROPERTIES, "PropertiesChanged",
         g_variant_new("(s@a{sv}as)", NAME ".Session", properties_of(fake), NULL));
}

static void phase(struct fake *fake, const char *name, const char *text)
{
    GVariant *arguments = g_variant_ref_sink(g_variant_new("(sst)", name, text, now_us()));

    g_variant_builder_add_value(fake->log, arguments);
    tell(fake->service, fake->path, NAME ".Session", "Phase", arguments);
    g_variant_unref(arguments);
}

static void vanish(struct fake *fake)
{
    static const char *const gone[] = {NAME ".Session", NULL};

    tell(fake->service, PATH, OBJECTS, "InterfacesRemoved",
         g_variant_new("(o^as)", fake->path, gone));
    g_dbus_connection_unregister_object(fake->service->bus, fake->object);
    g_hash_table_remove(fake->service->sessions, fake->path);
}

static void end(struct fake *fake, const char *reason, const char *detail)
{
    tell(fake->service, fake->path, NAME ".Session", "Ended",
         g_variant_new("(ssss)", reason, "A sentence of the service.", detail, ""));
    vanish(fake);
}

static void connected(struct fake *fake, const char *how)
{
    static const char *const addresses[] = {"10.1.0.5/32", "2001:db8::5/128", NULL};
    static const char *const dns[] = {"10.99.0.1", NULL}, *const domains[] = {"corp.example", NULL};
    static const char *const summary[][2] = {
        {"gateway", "192.0.2.1:4500"},        {"gateway-id", "vpn.example.org"},
        {"gateway-auth", "ECDSA with SHA2-256"}, {"gateway-version", "evil\033[2J"},
        {"local-id", "alice"},                {"user-auth", "EAP-MSCHAPv2"},
        {"ike-suite", "aes256gcm16-prfsha384-x25519"}, {"esp-suite", "aes256gcm16"},
    };
    GVariantBuilder facts, routes;

    g_variant_builder_init(&facts, G_VARIANT_TYPE("a{ss}"));
    for (gsize i = 0; i < G_N_ELEMENTS(summary); i++) {
        g_variant_builder_add(&facts, "{ss}", summary[i][0], summary[i][1]);
    }
    g_variant_builder_init(&routes, G_VARIANT_TYPE("as"));
    for (int i = 0; i < 10; i++) {
        g_autofree char *route = g_strdup_printf("10.0.%d.0/24", i);

        g_variant_builder_add(&routes, "s", route);
    }
    put(fake, "State", g_variant_new_string("connected"));
    put(fake, "Interface", g_variant_new_printf("godwit%u", fake->number - 1));
    put(fake, "GatewayAddress", g_variant_new_string("192.0.2.1:4500"));
    put(fake, "GatewayIdentity", g_variant_new_string("vpn.example.org"));
    put(fake, "Summary", g_variant_builder_end(&facts));
    put(fake, "Addresses", g_variant_new_strv(addresses, -1));
    put(fake, "Routes", g_variant_builder_end(&routes));
    put(fake, "Dns", g_variant_new_strv(dns, -1));
    put(fake, "Domains", g_variant_new_strv(domains, -1));
    put(fake, "DnsMethod", g_variant_new_string("/etc/resolv.conf"));
    put(fake, "FullTunnel", g_variant_new_boolean(g_strcmp0(how, "full") == 0));
    put(fake, "Mtu", g_variant_new_uint16(1422));
    put(fake, "Banner", g_variant_new_string("Welcome.\nBe good."));
    put(fake, "Connected", g_variant_new_uint64(now_us()));
    put(fake, "ConnectedSince", g_variant_new_int64(g_get_real_time() / G_USEC_PER_SEC - 125));
    publish(fake);
}

static void show_form(struct fake *fake, const char *id, const char *label, const char *prompt,
                      const char *kind, GVariant *details)
{
    GVariantBuilder fields;

    g_variant_builder_init(&fields, G_VARIANT_TYPE("a" FIELD_TYPE));
    g_variant_builder_add(&fields, "(ssss@a{sv})", id, label, prompt, kind, details);
    put(fake, "Form", g_variant_new("(u@a" FIELD_TYPE ")", ++fake->form, g_variant_builder_end(&fields)));
    publish(fake);
}

static void ask(struct fake *fake, const char *id, const char *label, const char *prompt, gboolean once)
{
    GVariantDict details;

    g_variant_dict_init(&details, NULL);
    if (once) {
        g_variant_dict_insert(&details, "once", "b", TRUE);
    }
    show_form(fake, id, label, prompt, g_strcmp0(id, "user") == 0 ? "text" : "secret",
              g_variant_dict_end(&details));
}

static void choose(struct fake *fake, const char *prompt, const char *title, const char *detail)
{
    show_form(fake, "certificate", "Certificate", prompt, "choice",
              g_variant_new_parsed("{'choices': <[('pkcs11:token=Alice', %s, %s), "
                                   "('pkcs11:token=Bob', 'Bob', '')]>}",
                                   title, detail));
}

/* More than godwitd tells: it cuts texts. */
static void ask_trust(struct fake *fake, const char *text)
{
    static const char digits[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    show_form(fake, "gateway-fingerprint", "Gateway's fingerprint", "", "trust",
              g_variant_new_parsed("{'problems': <['self-signed']>, 'expected': <%s>, 'subject': <%s>, "
                                   "'issuer': <%s>, 'names': <[%s, %s]>, 'not-before': <@x 0>, "
                                   "'not-after': <@x 4000000000>, 'fingerprint': <%s>}",
                                   text, text, text, text, text, digits));
}

static void put_text(struct fake *fake, const char *property, const char *text)
{
    const char *const list[] = {text, NULL};
    GVariant *was = g_hash_table_lookup(fake->properties, property);
    gboolean is_list = was != NULL && g_variant_is_of_type(was, G_VARIANT_TYPE_STRING_ARRAY);

    put(fake, property, is_list ? g_variant_new_strv(list, -1) : g_variant_new_string(text));
}

static void put_fact(struct fake *fake, const char *name, const char *text)
{
    GVariant *was = g_hash_table_lookup(fake->properties, "Summary");
    GVariantBuilder facts;
    const char *key, *value;
    GVariantIter iter;

    g_variant_builder_init(&facts, G_VARIANT_TYPE("a{ss}"));
    g_variant_iter_init(&iter, was);
    while (g_variant_iter_next(&iter, "{&s&s}", &key, &value)) {
        if (!g_str_equal(key, name)) {
            g_variant_builder_add(&facts, "{ss}", key, value);
        }
    }
    g_variant_builder_add(&facts, "{ss}", name, text);
    put(fake, "Summary", g_variant_builder_end(&facts));
}

/* FALSE when the next step waits for something from outside. */
static gboolean step(struct fake *fake, char **words)
{
    guint n = g_strv_length(words);
    const char *first = n > 1 ? words[1] : "", *second = n > 2 ? words[2] : "";

    if (g_str_equal(words[0], "phase")) {
        if (g_str_equal(first, "reconnecting")) {
            put(fake, "State", g_variant_new_string("reconnecting"));
            put(fake, "PhaseText", g_variant_new_string(second));
            publish(fake);
        }
        phase(fake, first, second);
    } else if (g_str_equal(words[0], "trace")) {
        GVariant *rung = g_variant_ref_sink(
            g_variant_new("(sbbt)", first, *second == '1', n > 3, now_us()));

        g_variant_builder_add_value(fake->rungs, rung);
        tell_some(fake->service, fake->watchers, fake->path, NAME ".Session", "Rung", rung);
        g_variant_unref(rung);
    } else if (g_str_equal(words[0], "connect")) {
        connected(fake, first);
    } else if (g_str_equal(words[0], "ask")) {
        ask(fake, first, second, n > 3 ? words[3] : "", n > 4);
        return FALSE;
    } else if (g_str_equal(words[0], "choose")) {
        choose(fake, first, second, n > 3 ? words[3] : "");
        return FALSE;
    } else if (g_str_equal(words[0], "trust")) {
        ask_trust(fake, first);
        return FALSE;
    } else if (g_str_equal(words[0], "put")) {
        put_text(fake, first, second);
    } else if (g_str_equal(words[0], "fact")) {
        put_fact(fake, first, second);
    } else if (g_str_equal(words[0], "end")) {
        end(fake, first, second);
        return FALSE;
    } else if (g_str_equal(words[0], "traced")) {
        fake->awaits_trace = g_hash_table_size(fake->watchers) == 0;
        return !fake->awaits_trace;
    } else if (g_str_equal(words[0], "vanish")) {
        vanish(fake);
        return FALSE;
    } else if (g_str_equal(words[0], "banner")) {
        put(fake, "Banner", g_variant_new_string(first));
        publish(fake);
    } else if (g_str_equal(words[0], "traffic")) {
        fake->traffic = TRUE;
    } else if (g_str_equal(words[0], "die")) {
        must(g_dbus_connection_flush_sync(fake->service->bus, NULL, NULL));
        _exit(0);
    } else if (g_str_equal(words[0], "wait") || g_str_equal(words[0], "stubborn")) {
        fake->wanted_disconnects = words[0][0] == 'w' ? 1 : 2;
        return FALSE;
    }
    return TRUE;
}

static gboolean on_idle(gpointer data)
{
    struct fake *fake = data;
    g_auto(GStrv) words = NULL;

    if (fake->steps[fake->at] == NULL) {
        fake->source = 0;
        return G_SOURCE_REMOVE;
    }
    words = g_strsplit(fake->steps[fake->at++], "|", -1);
    /* Before: a step may end the session. */
    fake->source = 0;
    if (step(fake, words)) {
        fake->source = g_idle_add(on_idle, fake);
    }
    return G_SOURCE_REMOVE;
}

static void go_on(struct fake *fake)
{
    fake->source = g_idle_add(on_idle, fake);
}

static void free_fake(gpointer data)
{
    struct fake *fake = data;

    if (fake->source != 0) {
        g_source_remove(fake->source);
    }
    g_hash_table_unref(fake->properties);
    g_hash_table_unref(fake->watchers);
    g_variant_builder_unref(fake->rungs);
    g_variant_builder_unref(fake->log);
    g_strfreev(fake->steps);
    g_free(fake->path);
    g_free(fake);
}

static void on_session_call(GDBusConnection *bus, const char *sender, const char *path,
                            const char *interface, const char *method, GVariant *arguments,
                            GDBusMethodInvocation *invocation, gpointer data)
{
    struct fake *fake = data;
    GVariant *reply = NULL;
    gboolean ended = FALSE;

    (void)bus;
    (void)path;
    (void)interface;
    if (g_str_equal(method, "Disconnect")) {
        phase(fake, "disconnecting", "");
        ended = ++fake->disconnects >= fake->wanted_disconnects;
    } else if (g_str_equal(method, "ProvideSecrets")) {
        note(method, arguments);
        put(fake, "Form", g_variant_new_parsed("(@u 0, @a" FIELD_TYPE " [])"));
        publish(fake);
        go_on(fake);
    } else if (g_str_equal(method, "CancelSecrets")) {
        g_dbus_method_invocation_return_value(invocation, NULL);
        end(fake, "secret-missing", "");
        return;
    } else if (g_str_equal(method, "GetTrace")) {
        reply = g_variant_new("(a(sbbt))", fake->rungs);
        fake->rungs = g_variant_builder_new(G_VARIANT_TYPE("a(sbbt)"));
        g_hash_table_add(fake->watchers, g_strdup(sender));
    } else if (g_str_equal(method, "GetLog")) {
        reply = g_variant_new("(a(sst))", fake->log);
        fake->log = g_variant_builder_new(G_VARIANT_TYPE("a(sst)"));
    } else if (g_str_equal(method, "GetTraffic")) {
        fake->octets += fake->traffic ? 2000 : 0;
        reply = g_variant_new("(tttt)", G_GUINT64_CONSTANT(1234567) + fake->octets,
                              G_GUINT64_CONSTANT(1000), G_GUINT64_CONSTANT(42), G_GUINT64_CONSTANT(1));
    }
    g_dbus_method_invocation_return_value(invocation, reply);
    if (ended) {
        end(fake, "user", "");
    } else if (fake->awaits_trace && g_hash_table_size(fake->watchers) > 0) {
        fake->awaits_trace = FALSE;
        go_on(fake);
    }
}

static const GDBusInterfaceVTable session_table = {.method_call = on_session_call};

/* ---- the manager ---- */

static gboolean refuses(GDBusMethodInvocation *invocation, const char *script)
{
    g_auto(GStrv) words = g_strsplit(script, "|", -1);
    g_autofree char *name = g_strconcat(ERRORS, words[1], NULL);

    if (!g_str_has_prefix(script, "refuse|")) {
        return FALSE;
    }
    g_dbus_method_invocation_return_dbus_error(invocation, name, words[2]);
    return TRUE;
}

/* It is one from before an update, or from long before it. */
static gboolean knows_no_option(GDBusMethodInvocation *invocation, const char *script)
{
    static const struct {
        const char *begin, *option;
    } rows[] = {{"old;", "language"}, {"older;", "listen"}};
    GVariant *arguments = g_dbus_method_invocation_get_parameters(invocation);
    g_autoptr(GVariant) options =
        g_variant_get_child_value(arguments, g_variant_n_children(arguments) - 1);

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GVariant) given = g_variant_lookup_value(options, rows[i].option, NULL);
        if (g_str_has_prefix(script, rows[i].begin) && given) {
            g_dbus_method_invocation_return_error(invocation, G_DBUS_ERROR,
                                                  G_DBUS_ERROR_INVALID_ARGS,
                                                  "Option %s: there is no such option.",
                                                  rows[i].option);
            return TRUE;
        }
    }
    return FALSE;
}

/* What the option "once" asks for. */
static gboolean is_second(struct service *service, GDBusMethodInvocation *invocation, const char *name)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, service->sessions);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct fake *fake = value;
        GVariant *own = g_hash_table_lookup(fake->properties, "Name");

        if (g_str_equal(g_variant_get_string(own, NULL), name)) {
            g_dbus_method_invocation_return_dbus_error(invocation, ERRORS "AlreadyConnected",
                                                       "It is connected.");
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean is_asked(GVariant *options, const char *option)
{
    gboolean asked = FALSE;

    return g_variant_lookup(options, option, "b", &asked) && asked;
}

/* The command line wants one connection and hears of it, always; others listen as they like. */
static void take_options(struct service *service, GVariant *arguments, const char *sender)
{
    g_autoptr(GVariant) options =
        g_variant_get_child_value(arguments, g_variant_n_children(arguments) - 1);
    const char *origin = "";

    (void)g_variant_lookup(options, "origin", "&s", &origin);
    must(!g_str_equal(origin, "cli") || (is_asked(options, "once") && is_asked(options, "listen")));
    if (is_asked(options, "listen")) {
        g_hash_table_add(service->listeners, g_strdup(sender));
    }
}

static gboolean is_system(const char *name)
{
    return g_str_equal(name, "office") || g_str_equal(name, "broken");
}

static void begin(struct service *service, GDBusMethodInvocation *invocation, const char *name,
                  const char *system)
{
    g_autofree char *script = NULL;
    struct fake *fake = g_new0(struct fake, 1);
    GVariant *interfaces;

    must(g_file_get_contents(g_getenv("FAKE_SCRIPT"), &script, NULL, NULL));
    if (refuses(invocation, script) || knows_no_option(invocation, script) ||
        is_second(service, invocation, name)) {
        g_free(fake);
        return;
    }
    fake->service = service;
    fake->number = ++service->n;
    fake->path = g_strdup_printf(PATH "/session/%u", fake->number);
    fake->properties =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref);
    fake->watchers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    fake->rungs = g_variant_builder_new(G_VARIANT_TYPE("a(sbbt)"));
    fake->log = g_variant_builder_new(G_VARIANT_TYPE("a(sst)"));
    fake->steps = g_strsplit(script, ";", -1);
    fake->wanted_disconnects = 1;
    put(fake, "Name", g_variant_new_string(name));
    put(fake, "SystemProfile", g_variant_new_string(system));
    put(fake, "Owner", g_variant_new_uint32(getuid()));
    put(fake, "Origin", g_variant_new_string("tray"));
    put(fake, "Gateway", g_variant_new_string("vpn.example.org"));
    put(fake, "State", g_variant_new_string("connecting"));
    put(fake, "Started", g_variant_new_uint64(now_us()));
    put(fake, "Form", g_variant_new_parsed("(@u 0, @a" FIELD_TYPE " [])"));
    fake->object =
        g_dbus_connection_register_object(service->bus, fake->path,
                                          (GDBusInterfaceInfo *)&org_godwit_vpn1_session_interface,
                                          &session_table, fake, NULL, NULL);
    must(fake->object != 0);
    g_hash_table_insert(service->sessions, fake->path, fake);
    g_dbus_method_invocation_return_value(invocation, g_variant_new("(o)", fake->path));
    interfaces = interfaces_of(fake);
    tell(service, PATH, OBJECTS, "InterfacesAdded", g_variant_new("(o@a{sa{sv}})", fake->path, interfaces));
    phase(fake, "resolve", "");
    go_on(fake);
}

static void list_system(GDBusMethodInvocation *invocation)
{
    g_dbus_method_invocation_return_value(
        invocation,
        g_variant_new_parsed("(@a(sa{sv}s) [('office', {'gateway': <'vpn.corp.example'>, 'tunnel': "
                             "<'split'>}, ''), ('broken', {}, 'gateway: missing')],)"));
}

static void save_system(GDBusMethodInvocation *invocation, GVariant *arguments)
{
    const char *name;
    gboolean replace;

    g_variant_get(arguments, "(&s@a{sv}b)", &name, NULL, &replace);
    if (g_str_equal(name, "forbidden")) {
        g_dbus_method_invocation_return_dbus_error(invocation, ERRORS "NotAuthorized",
                                                   "polkit does not allow system-profiles.");
    } else if (is_system(name) && !replace) {
        g_dbus_method_invocation_return_dbus_error(invocation, ERRORS "InvalidProfile",
                                                   "There is a profile of that name.");
    } else {
        g_dbus_method_invocation_return_value(invocation, NULL);
    }
}

static GVariant *manager_property(const struct service *service, const char *name)
{
    static const char *const none[] = {NULL};
    const char *api = g_getenv("FAKE_API");

    return g_str_equal(name, "KillSwitchAlways") ? g_variant_new_boolean(service->always)
           : g_str_equal(name, "KillSwitchExcepted")
               ? g_variant_new_strv(service->excepted == NULL ? none
                                                              : (const char *const *)service->excepted,
                                    -1)
           : g_str_equal(name, "PortalAllowedUntil") ? g_variant_new_uint64(service->portal_until)
           : g_str_equal(name, "OtherSessions")
               ? g_variant_new_uint32(g_hash_table_size(service->sessions) > 1 ? 2 : 0)
           : g_str_equal(name, "Connectivity") ? g_variant_new_string("portal")
           : g_str_equal(name, "Version")
               ? g_variant_new_string("0.1.0")
               : g_variant_new_uint32(api == NULL ? 1 : (guint32)atoi(api));
}

static GVariant *manager_properties(const struct service *service)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    for (GDBusPropertyInfo **info = org_godwit_vpn1_manager_interface.properties; *info != NULL;
         info++) {
        g_variant_builder_add(&builder, "{sv}", (*info)->name,
                              manager_property(service, (*info)->name));
    }
    return g_variant_builder_end(&builder);
}

static void on_manager_call(GDBusConnection *bus, const char *sender, const char *path,
                            const char *interface, const char *method, GVariant *arguments,
                            GDBusMethodInvocation *invocation, gpointer data)
{
    struct service *service = data;
    const char *name;

    (void)bus;
    (void)path;
    (void)interface;
    note(method, arguments);
    if (g_str_has_prefix(method, "Connect")) {
        take_options(service, arguments, sender);
    }
    if (g_str_equal(method, "Connect")) {
        g_variant_get_child(arguments, 0, "&s", &name);
        begin(service, invocation, name, "");
        return;
    }
    if (g_str_equal(method, "ListSystemProfiles")) {
        list_system(invocation);
        return;
    }
    if (g_str_equal(method, "SaveSystemProfile")) {
        save_system(invocation, arguments);
        return;
    }
    if (g_str_equal(method, "SetKillSwitch")) {
        g_strfreev(service->excepted);
        g_variant_get(arguments, "(b^as)", &service->always, &service->excepted);
        tell(service, PATH, PROPERTIES, "PropertiesChanged",
             g_variant_new("(s@a{sv}as)", NAME ".Manager", manager_properties(service), NULL));
    } else if (g_str_equal(method, "AllowPortal")) {
        guint32 seconds;

        g_variant_get(arguments, "(u)", &seconds);
        service->portal_until = seconds == 0 ? 0 : now_us() + seconds * (guint64)G_USEC_PER_SEC;
    } else {
        g_variant_get_child(arguments, 0, "&s", &name);
        if (!is_system(name)) {
            g_dbus_method_invocation_return_dbus_error(invocation, ERRORS "NotFound",
                                                       "There is no such system profile.");
            return;
        }
        if (g_str_equal(method, "ConnectSystem")) {
            begin(service, invocation, name, name);
            return;
        }
    }
    g_dbus_method_invocation_return_value(invocation, NULL);
}

static GVariant *on_manager_get(GDBusConnection *bus, const char *sender, const char *path,
                                const char *interface, const char *name, GError **error, gpointer data)
{
    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)error;
    return manager_property(data, name);
}

static void on_objects_call(GDBusConnection *bus, const char *sender, const char *path,
                            const char *interface, const char *method, GVariant *arguments,
                            GDBusMethodInvocation *invocation, gpointer data)
{
    struct service *service = data;
    GVariantBuilder objects;
    GHashTableIter iter;
    gpointer fake;

    (void)bus;
    (void)path;
    (void)interface;
    (void)method;
    (void)arguments;
    g_hash_table_add(service->listeners, g_strdup(sender));
    g_variant_builder_init(&objects, G_VARIANT_TYPE("a{oa{sa{sv}}}"));
    g_variant_builder_add(&objects, "{o@a{sa{sv}}}", PATH,
                          g_variant_new_parsed("{%s: %@a{sv}}", NAME ".Manager",
                                               manager_properties(data)));
    g_hash_table_iter_init(&iter, service->sessions);
    while (g_hash_table_iter_next(&iter, NULL, &fake)) {
        g_variant_builder_add(&objects, "{o@a{sa{sv}}}", ((struct fake *)fake)->path,
                              interfaces_of(fake));
    }
    g_dbus_method_invocation_return_value(invocation, g_variant_new("(a{oa{sa{sv}}})", &objects));
}

int main(void)
{
    static const GDBusInterfaceVTable manager = {.method_call = on_manager_call,
                                                 .get_property = on_manager_get};
    static const GDBusInterfaceVTable objects = {.method_call = on_objects_call};
    struct service service = {
        .loop = g_main_loop_new(NULL, FALSE),
        .listeners = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .sessions = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_fake),
    };
    GDBusNodeInfo *info = g_dbus_node_info_new_for_xml(objects_xml, NULL);

    service.bus = g_bus_get_sync(G_BUS_TYPE_STARTER, NULL, NULL);
    must(service.bus != NULL);
    must(g_dbus_connection_register_object(service.bus, PATH,
                                           (GDBusInterfaceInfo *)&org_godwit_vpn1_manager_interface,
                                           &manager, &service, NULL, NULL) != 0);
    must(g_dbus_connection_register_object(service.bus, PATH, info->interfaces[0], &objects, &service,
                                           NULL, NULL) != 0);
    g_bus_own_name_on_connection(service.bus, NAME, G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL, NULL, NULL);
    g_main_loop_run(service.loop);
    return 0;
}

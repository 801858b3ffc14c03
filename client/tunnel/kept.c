/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/net_config_variant.h"
#include "tunnel/tunnel_private.h"

/*
 * What the session keeps of a connection, so that another worker can go on where this one was ended
 * by a fault: how the gateway was reached, what it gave, what the user typed, the ticket.
 */

/* Keys of the profile that are asked for before the first connection. */
static const char *const asked_first[] = {"psk", "private-key-password"};

/* ---- out ---- */

static void wipe_and_free(gpointer data)
{
    struct secret *secret = data;

    secret_free(secret);
    g_free(secret);
}

/* Floating; its octets are wiped with its last reference. NULL when there are none, or no memory.
 */
static GVariant *octets_variant(struct bytes octets)
{
    struct secret *copy = g_new0(struct secret, 1);

    if (octets.len == 0 || !secret_set(copy, octets)) {
        g_free(copy);
        return NULL;
    }
    return g_variant_new_from_data(G_VARIANT_TYPE_BYTESTRING, copy->data, copy->len, TRUE,
                                   wipe_and_free, copy);
}

static void add_octets(GVariantBuilder *builder, const char *name, struct bytes octets)
{
    GVariant *value = octets_variant(octets);

    if (value != NULL) {
        g_variant_builder_add(builder, "{sv}", name, value);
    }
}

static void add_gateways(GVariantBuilder *builder, const struct gateways *gateways)
{
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("as"));
    for (gsize i = 0; i < gateways->n; i++) {
        char text[ADDR_TEXT_MAX];

        g_variant_builder_add(&list, "s", addr_text(&gateways->items[i], text));
    }
    g_variant_builder_add(builder, "{sv}", "gateways", g_variant_builder_end(&list));
}

static void add_ticket(GVariantBuilder *builder, const struct ike_ticket *ticket)
{
    struct secret octets = {0};

    if (ticket->opaque.len > 0 && ike_ticket_export(ticket, &octets) == OK) {
        add_octets(builder, "ticket", secret_bytes(&octets));
        secret_free(&octets);
    }
}

void kept_report(struct tunnel *t)
{
    GVariantBuilder builder;

    if (!t->was_up) {
        return;
    }
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    add_gateways(&builder, &t->known);
    g_variant_builder_add(&builder, "{sv}", "port", g_variant_new_uint16(t->answered_port));
    g_variant_builder_add(&builder, "{sv}", "net", net_config_to_variant(&t->net));
    for (gsize i = 0; i < G_N_ELEMENTS(asked_first); i++) {
        add_octets(&builder, asked_first[i], profile_get_bytes(t->config.profile, asked_first[i]));
    }
    if (t->typed.user != NULL) {
        add_octets(&builder, "user", bytes_of_string(t->typed.user));
    }
    add_octets(&builder, "password", secret_bytes(&t->typed.password));
    add_ticket(&builder, &t->ticket);
    t->ops->keep(t->context, g_variant_builder_end(&builder));
}

/* ---- in ---- */

static struct bytes lookup(GVariant *kept, const char *name, GVariant **value)
{
    struct bytes octets = {0};

    *value = g_variant_lookup_value(kept, name, G_VARIANT_TYPE_BYTESTRING);
    if (*value != NULL) {
        octets.data = g_variant_get_fixed_array(*value, &octets.len, 1);
    }
    return octets;
}

static gboolean restore_gateways(struct gateways *out, GVariant *kept)
{
    struct addr found[GATEWAYS_MAX];
    char **texts = NULL;
    gsize n = 0;

    g_variant_lookup(kept, "gateways", "^as", &texts);
    for (char **text = texts; text != NULL && *text != NULL && n < GATEWAYS_MAX; text++) {
        n += addr_parse(&found[n], *text);
    }
    gateways_set(out, found, n);
    g_strfreev(texts);
    return n > 0;
}

static gboolean restore_net(struct net_config *out, GVariant *kept)
{
    GVariant *value = g_variant_lookup_value(kept, "net", G_VARIANT_TYPE_VARDICT);
    const char *why;
    gboolean restored = value != NULL && net_config_from_variant(value, out, &why);

    g_clear_pointer(&value, g_variant_unref);
    return restored;
}

static void restore_typed(struct typed *typed, GVariant *kept)
{
    GVariant *user, *password;
    struct bytes name = lookup(kept, "user", &user), word = lookup(kept, "password", &password);

    if (name.len > 0) {
        typed->user = g_strndup((const char *)name.data, name.len);
    }
    if (!secret_set(&typed->password, word)) {
        secret_free(&typed->password);
    }
    g_clear_pointer(&user, g_variant_unref);
    g_clear_pointer(&password, g_variant_unref);
}

void kept_restore(struct tunnel *t, GVariant *kept)
{
    GVariant *value;
    struct bytes octets;

    if (!restore_gateways(&t->known, kept) || !restore_net(&t->net, kept)) {
        return;
    }
    t->was_up = TRUE;
    t->left_behind = TRUE;
    g_variant_lookup(kept, "port", "q", &t->answered_port);
    for (gsize i = 0; i < G_N_ELEMENTS(asked_first); i++) {
        octets = lookup(kept, asked_first[i], &value);
        if (octets.len > 0) {
            (void)profile_set_bytes(t->config.profile, asked_first[i], octets, NULL);
        }
        g_clear_pointer(&value, g_variant_unref);
    }
    restore_typed(&t->typed, kept);
    octets = lookup(kept, "ticket", &value);
    if (octets.len > 0 && ike_ticket_import(&t->ticket, octets) != OK) {
        g_debug("the ticket is lost");
    }
    g_clear_pointer(&value, g_variant_unref);
}

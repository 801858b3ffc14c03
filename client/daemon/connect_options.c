/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/connect_options.h"

#include <gio/gio.h>
#include <string.h>

static gboolean fail(GError **error, const char *option, const char *why)
{
    g_set_error(error, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS, "Option %.64s: %s.", option, why);
    return FALSE;
}

static gboolean is_origin(const char *text)
{
    return *text != '\0' && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text) &&
           strlen(text) < sizeof((struct connect_options *)NULL)->origin;
}

static gboolean read_origin(struct connect_options *options, GVariant *value, GError **error)
{
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
        return fail(error, "origin", "not a string");
    }
    const char *text = g_variant_get_string(value, NULL);
    if (!is_origin(text)) {
        return fail(error, "origin", "not a word of at most 31 small letters, digits and dashes");
    }
    if (g_str_equal(text, "autoconnect")) {
        return fail(error, "origin", "that is the service's own");
    }
    g_strlcpy(options->origin, text, sizeof options->origin);
    return TRUE;
}

static gboolean read_language(struct connect_options *options, GVariant *value, GError **error)
{
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
        return fail(error, "language", "not a string");
    }
    const char *text = g_variant_get_string(value, NULL);
    if (!language_is_plain(text)) {
        return fail(error, "language",
                    "not a locale's name of at most 63 letters, digits and _.@-");
    }
    g_strlcpy(options->language, text, sizeof options->language);
    return TRUE;
}

static gboolean read_owner(struct connect_options *options, GVariant *value, GError **error)
{
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32)) {
        return fail(error, "owner", "not a user id");
    }
    options->has_owner = TRUE;
    options->owner = g_variant_get_uint32(value);
    return TRUE;
}

static gboolean read_handle(int *fd, const char *name, GVariant *value, GUnixFDList *fds,
                            GError **error)
{
    gint n = 0;
    const gint *list = fds ? g_unix_fd_list_peek_fds(fds, &n) : NULL;
    gint32 index =
        g_variant_is_of_type(value, G_VARIANT_TYPE_HANDLE) ? g_variant_get_handle(value) : -1;
    if (index < 0 || index >= n) {
        return fail(error, name, "not a descriptor");
    }
    *fd = list[index];
    return TRUE;
}

static gboolean read_one(struct connect_options *options, const char *name, GVariant *value,
                         GUnixFDList *fds, GError **error)
{
    const struct {
        const char *name;
        gboolean *to;
    } switches[] = {
        {"trace", &options->trace},   {"host-configuration", &options->configures_host},
        {"bound", &options->bound},   {"once", &options->once},
        {"listen", &options->listen},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(switches); i++) {
        if (g_str_equal(switches[i].name, name)) {
            if (!g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN)) {
                return fail(error, name, "not a boolean");
            }
            *switches[i].to = g_variant_get_boolean(value);
            return TRUE;
        }
    }
    return g_str_equal(name, "origin")     ? read_origin(options, value, error)
           : g_str_equal(name, "language") ? read_language(options, value, error)
           : g_str_equal(name, "owner")    ? read_owner(options, value, error)
           : g_str_equal(name, "interface")
               ? read_handle(&options->interface, name, value, fds, error)
           : g_str_equal(name, "state") ? read_handle(&options->state, name, value, fds, error)
                                        : fail(error, name, "there is no such option");
}

/* Whoever lent goes on as before. */
static gboolean fit_together(const struct connect_options *options, GError **error)
{
    gboolean comes_back = options->interface >= 0;
    if (comes_back != (options->state >= 0)) {
        return fail(error, "interface", "it comes with \"state\", or not at all");
    }
    if (comes_back && (options->configures_host || !options->bound)) {
        return fail(error, "interface", "it needs \"bound\", and no \"host-configuration\"");
    }
    return TRUE;
}

gboolean connect_options_read(struct connect_options *options, GVariant *dict, GUnixFDList *fds,
                              GError **error)
{
    GVariantIter iter;
    const char *name;
    GVariant *value;
    gboolean ok = TRUE;
    *options = (struct connect_options){.configures_host = TRUE, .interface = -1, .state = -1};
    g_variant_iter_init(&iter, dict);
    while (ok && g_variant_iter_next(&iter, "{&sv}", &name, &value)) {
        ok = read_one(options, name, value, fds, error);
        g_variant_unref(value);
    }
    return ok && fit_together(options, error);
}

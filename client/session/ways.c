/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session/ways.h"

#define FILE_NAME RUNDIR "/ways"
#define GROUP "ways"
#define WAYS_MAX 64

/* A network is its router and the prefix that it gives; NULL when it has neither. */
static char *key_of(const struct network *network, const char *gateway)
{
    const struct uplink *uplink = network ? &network->uplinks[0] : NULL;
    if (!gateway || !network || network->n == 0 || !uplink->has_default) {
        return NULL;
    }
    struct prefix prefix = uplink->address;
    char router[ADDR_TEXT_MAX], net[ADDR_TEXT_MAX];
    prefix_mask(&prefix);
    g_autofree char *text = g_strdup_printf("%s via %s to %s", prefix_text(&prefix, net),
                                            addr_text(&uplink->via, router), gateway);
    char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    digest[32] = '\0';
    return digest;
}

static GKeyFile *load(void)
{
    GKeyFile *file = g_key_file_new();
    /* Without it, or with another's content, nothing is remembered. */
    (void)g_key_file_load_from_file(file, FILE_NAME, G_KEY_FILE_NONE, NULL);
    return file;
}

char *ways_recall(const struct network *network, const char *gateway)
{
    g_autofree char *key = key_of(network, gateway);
    g_autoptr(GKeyFile) file = load();
    return key ? g_key_file_get_string(file, GROUP, key, NULL) : NULL;
}

void ways_remember(const struct network *network, const char *gateway, const char *way)
{
    struct endpoint endpoint;
    g_autofree char *key = key_of(network, gateway);
    if (!key || !way || !endpoint_parse(&endpoint, way)) {
        return;
    }
    g_autoptr(GKeyFile) file = load();
    g_autofree char *before = g_key_file_get_string(file, GROUP, key, NULL);
    g_autoptr(GError) error = NULL;
    gsize n = 0;
    if (g_strcmp0(before, way) == 0) {
        return;
    }
    /* The latest stands last; the oldest makes room. */
    g_key_file_remove_key(file, GROUP, key, NULL);
    g_key_file_set_string(file, GROUP, key, way);
    g_auto(GStrv) keys = g_key_file_get_keys(file, GROUP, &n, NULL);
    for (gsize i = 0; i + WAYS_MAX < n; i++) {
        g_key_file_remove_key(file, GROUP, keys[i], NULL);
    }
    g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
    if (!g_file_set_contents_full(FILE_NAME, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                  &error)) {
        g_debug("%s", error->message);
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nm-plugin/auth-dialog/keyring.h"

#include "common/i18n.h"
#include "gui/questions/ask_form.h"
#include "gui/questions/keyring.h"

/* As in nm-applet and GNOME Shell; what others have stored may be of an older schema. */
#define SCHEMA "org.freedesktop.NetworkManager.Connection"
#define UUID "connection-uuid"
#define SETTING "setting-name"
#define KEY "setting-key"
#define VPN "vpn"

#define OWNER(uuid)                                                                                \
    {                                                                                              \
        .schema = SCHEMA, .of_any_schema = TRUE, .key = KEY,                                       \
        .attributes = (const char *const[]){UUID, uuid, SETTING, VPN, NULL},                       \
    }

struct waiting {
    GHashTable *found; /* NULL = it is stored */
    char *why;
    gboolean over, gone;
};

static void on_gone(GCancellable *cancellable, gpointer data)
{
    struct waiting *waiting = data;
    (void)cancellable;
    waiting->gone = TRUE;
}

static void on_done(void *context, const char *why)
{
    struct waiting *waiting = context;
    waiting->over = TRUE;
    waiting->why = g_strdup(why);
}

static void on_loaded(void *context, GHashTable *found, const char *why)
{
    struct waiting *waiting = context;
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, found);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        g_hash_table_insert(waiting->found, g_strdup(key), g_strdup(value));
    }
    on_done(context, why);
}

static char *wait_for(struct keyring_call *call, struct waiting *waiting, GCancellable *gone)
{
    gulong id = gone ? g_signal_connect(gone, "cancelled", G_CALLBACK(on_gone), waiting) : 0;
    waiting->gone = g_cancellable_is_cancelled(gone);
    while (!waiting->over && !waiting->gone) {
        g_main_context_iteration(NULL, TRUE);
    }
    if (gone) {
        g_signal_handler_disconnect(gone, id);
    }
    if (!waiting->over) {
        keyring_drop(call);
        waiting->why = g_strdup(_("The keyring does not answer."));
    }
    return waiting->why;
}

char *keyring_read(const char *uuid, gboolean unlock, GHashTable *found, GCancellable *gone)
{
    const struct keyring_owner owner = OWNER(uuid);
    struct waiting waiting = {.found = found};
    return wait_for(keyring_load(&owner, unlock, on_loaded, &waiting), &waiting, gone);
}

char *keyring_write(const char *uuid, const char *name, const char *service, const char *key,
                    const char *value, GCancellable *gone)
{
    const struct keyring_owner owner = OWNER(uuid);
    g_autofree char *label = g_strdup_printf("VPN %s secret for %s/%s/" VPN, key, name, service);
    struct waiting waiting = {0};
    return wait_for(keyring_store(&owner, label, key, value, on_done, &waiting), &waiting, gone);
}

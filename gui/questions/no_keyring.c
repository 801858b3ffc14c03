/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keyring.h without libsecret. */
#include "common/i18n.h"
#include "gui/questions/ask_form.h"
#include "gui/questions/keyring.h"

struct keyring_call {
    guint source;
    keyring_loaded loaded;
    keyring_done done;
    void *context;
};

static gboolean tell(gpointer data)
{
    struct keyring_call *call = data;

    if (call->loaded != NULL) {
        g_autoptr(GHashTable) nothing = ask_answers_new();

        call->loaded(call->context, nothing, _("There is no keyring."));
    } else {
        call->done(call->context, _("There is no keyring."));
    }
    g_free(call);
    return G_SOURCE_REMOVE;
}

static struct keyring_call *call_new(keyring_loaded loaded, keyring_done done, void *context)
{
    struct keyring_call *call = g_new(struct keyring_call, 1);

    *call = (struct keyring_call){g_idle_add(tell, call), loaded, done, context};
    return call;
}

void keyring_drop(struct keyring_call *call)
{
    if (call != NULL) {
        g_source_remove(call->source);
        g_free(call);
    }
}

struct keyring_call *keyring_load(const struct keyring_owner *owner, gboolean unlock,
                                  keyring_loaded loaded, void *context)
{
    (void)owner;
    (void)unlock;
    return call_new(loaded, NULL, context);
}

struct keyring_call *keyring_store(const struct keyring_owner *owner, const char *label,
                                   const char *key, const char *value, keyring_done done,
                                   void *context)
{
    (void)owner;
    (void)label;
    (void)key;
    (void)value;
    return call_new(NULL, done, context);
}

struct keyring_call *keyring_forget(const struct keyring_owner *owner, keyring_done done,
                                    void *context)
{
    (void)owner;
    return call_new(NULL, done, context);
}

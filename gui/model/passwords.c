/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/model/passwords.h"

#include "common/i18n.h"

#define SCHEMA "org.godwit.Secret"

/* The array is the caller's; `gateway` NULL = whichever. */
static struct keyring_owner owner_of(GodwitProfile *profile, const char *gateway,
                                     const char *attributes[static 7])
{
    const char *const all[7] = {"profile",
                                godwit_profile_get_name(profile),
                                "kind",
                                godwit_profile_get_path(profile) == NULL ? "system" : "user",
                                gateway == NULL ? NULL : "gateway",
                                gateway,
                                NULL};

    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        attributes[i] = all[i];
    }
    return (struct keyring_owner){.schema = SCHEMA, .attributes = attributes, .key = "secret"};
}

struct keyring_call *passwords_load(GodwitProfile *profile, const char *gateway,
                                    keyring_loaded loaded, void *context)
{
    const char *attributes[7];
    struct keyring_owner owner = owner_of(profile, gateway, attributes);

    return keyring_load(&owner, TRUE, loaded, context);
}

struct keyring_call *passwords_store(GodwitProfile *profile, const char *gateway, const char *key,
                                     const char *value, keyring_done done, void *context)
{
    const char *attributes[7];
    struct keyring_owner owner = owner_of(profile, gateway, attributes);
    /* Translators: what a keyring's own program calls it; %s is the name of a connection. */
    g_autofree char *label =
        g_strdup_printf(_("VPN password of %s"), godwit_profile_get_title(profile));

    return keyring_store(&owner, label, key, value, done, context);
}

static void ignore(void *context, const char *why)
{
    (void)context;
    (void)why;
}

void passwords_forget(GodwitProfile *profile)
{
    const char *attributes[7];
    struct keyring_owner owner = owner_of(profile, NULL, attributes);

    (void)keyring_forget(&owner, ignore, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>

#include "profile/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A profile that was understood says the same after every way out and back in. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct profile *profile =
        profile_parse(bytes_of(data, size), "fuzz.conf", "/nonexistent", NULL);
    struct profile *again;
    GVariant *dict;

    if (profile == NULL) {
        return 0;
    }
    dict = g_variant_ref_sink(profile_to_variant(profile));
    again = profile_from_variant(dict, NULL);
    if (again == NULL) {
        abort();
    }
    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        if (g_strcmp0(profile_get(profile, key->name), profile_get(again, key->name)) != 0 ||
            !bytes_equal(profile_get_bytes(profile, key->name),
                         profile_get_bytes(again, key->name))) {
            abort();
        }
    }
    (void)profile_validate(again, NULL);
    g_variant_unref(dict);
    profile_free(again);
    profile_free(profile);
    return 0;
}

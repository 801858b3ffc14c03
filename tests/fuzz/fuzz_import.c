/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>

#include "profile/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was taken over from another program is a profile that our own file can hold; what was not
 * has one line that says why. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    struct profile *profile =
        profile_import_text(bytes_of(data, size), "/nonexistent/fuzz.conf", &error);
    struct profile *again;
    GVariant *dict;

    if (profile == NULL) {
        for (const char *at = error->message; *at != '\0'; at++) {
            if (g_ascii_iscntrl(*at)) {
                abort();
            }
        }
        g_error_free(error);
        return 0;
    }
    dict = g_variant_ref_sink(profile_to_variant(profile));
    again = profile_from_variant(dict, NULL);
    if (again == NULL || !profile_validate_without_secrets(again, NULL)) {
        abort();
    }
    g_variant_unref(dict);
    profile_free(again);
    profile_free(profile);
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/child.h"
#include "cli/doctor.h"
#include "common/i18n.h"

static void tell_row(struct doctor *doctor, const char *row)
{
    char **words = g_strsplit(row, "\t", 3);

    if (g_strv_length(words) == 3 && *words[2] != '\0') {
        doctor_tell(
            doctor, _("Token"), VERDICT_OK,
            g_strdup_printf(_("“%s” has the certificate “%s”: %s"), words[0], words[1], words[2]),
            NULL);
    } else if (g_strv_length(words) == 3) {
        doctor_tell(doctor, _("Token"), VERDICT_NOTE,
                    g_strdup_printf(_("“%s” shows no certificate."), words[0]), NULL);
    }
    g_strfreev(words);
}

void doctor_check_tokens(struct doctor *doctor)
{
    static const struct child token = {"godwit-token", "GODWIT_TOKEN", "--list"};
    g_autofree char *listing = NULL;
    gboolean good = child_run(&token, (struct bytes){0}, &listing, NULL);

    if (listing == NULL) {
        return; /* other checks tell why it cannot be run */
    }
    char **rows = g_strsplit(listing, "\n", 0);
    for (char **row = rows; *row != NULL; row++) {
        tell_row(doctor, *row);
    }
    g_strfreev(rows);
    if (!good) {
        doctor_tell(
            doctor, _("Token"), VERDICT_PROBLEM, g_strdup(_("a PKCS#11 module crashes or hangs.")),
            g_strdup(_("\"p11-kit list-modules\" tells which there are; update or remove it.")));
    }
}

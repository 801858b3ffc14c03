/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <grp.h>
#include <pwd.h>
#include <sys/auxv.h>
#include <sys/types.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "common/i18n.h"

#define GROUPS_MAX 32

/* Who looks. */
struct eyes {
    const struct passwd *user; /* NULL = whoever runs us */
    gid_t groups[GROUPS_MAX];
    int n_groups;
};

/* For root: as the service sees them. Of all else each sees his own. */
static void become(gpointer data)
{
    const struct eyes *eyes = data;

    if (eyes->user != NULL &&
        (setgroups((size_t)eyes->n_groups, eyes->groups) != 0 || setgid(eyes->user->pw_gid) != 0 ||
         setuid(eyes->user->pw_uid) != 0)) {
        _exit(EXIT_FAILURE);
    }
}

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
    const char *path = getauxval(AT_SECURE) == 0 ? g_getenv("GODWIT_TOKEN") : NULL;
    char *command[] = {(char *)(path != NULL ? path : LIBEXECDIR "/godwit-token"), "--list", NULL};
    struct eyes eyes = {.n_groups = GROUPS_MAX};
    g_autofree char *listing = NULL;
    int status = 0;

    if (geteuid() == 0) {
        eyes.user = getpwnam(WORKER_USER);
        if (eyes.user == NULL ||
            getgrouplist(WORKER_USER, eyes.user->pw_gid, eyes.groups, &eyes.n_groups) < 0) {
            return; /* other checks tell */
        }
    }
    /* So they do when it is not installed. */
    if (!g_spawn_sync(NULL, command, NULL, G_SPAWN_STDERR_TO_DEV_NULL, become, &eyes, &listing,
                      NULL, &status, NULL)) {
        return;
    }
    char **rows = g_strsplit(listing, "\n", 0);
    for (char **row = rows; *row != NULL; row++) {
        tell_row(doctor, *row);
    }
    g_strfreev(rows);
    if (!g_spawn_check_wait_status(status, NULL)) {
        doctor_tell(
            doctor, _("Token"), VERDICT_PROBLEM, g_strdup(_("a PKCS#11 module crashes or hangs.")),
            g_strdup(_("\"p11-kit list-modules\" tells which there are; update or remove it.")));
    }
}

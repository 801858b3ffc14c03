/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/editor/certificate.h"

#include <string.h>

#include "common/i18n.h"
#include "crypto/cert.h"
#include "gui/questions/shown.h"

#define NAME_MAX_CHARACTERS 160
#define BLOCKS_SHOWN 4
#define CERTIFICATES_MAX 200 /* distributions know less than that */

/* As the worker reads what it trusts: nothing is trusted that is not shown. NULL = it trusts none.
 */
static struct cert_trust *read_all(const guchar *octets, gsize length, size_t *n)
{
    struct cert_trust *all;
    return cert_trust_from_data(&all, bytes_of(octets, length), n) == OK ? all : NULL;
}

static char *beginning_of_fingerprint(const struct cert_summary *certificate)
{
    char blocks[FINGERPRINT_BLOCKS];
    (void)fingerprint_blocks(certificate->fingerprint, BLOCKS_SHOWN, blocks);
    return g_ascii_strup(blocks, strchr(blocks, '\n') - blocks);
}

static char *in_words(const struct cert_summary *certificate)
{
    g_autofree char *holder = shown_line(certificate->subject, NAME_MAX_CHARACTERS);
    g_autofree char *fingerprint = beginning_of_fingerprint(certificate);
    g_autofree char *date =
        shown_date(certificate->until == (time_t)-1 ? G_MAXINT64 : (gint64)certificate->until);
    /* Translators: a certificate: its holder, a day, and how its fingerprint begins. */
    return g_strdup_printf(_("%s\nvalid until %s\nSHA-256 fingerprint %s…"), holder, date,
                           fingerprint);
}

char *certificate_holder(const guchar *octets, gsize length)
{
    struct cert_summary first;
    size_t n;
    struct cert_trust *all = read_all(octets, length, &n);
    gboolean read = all && cert_trust_summary(all, 0, &first);
    cert_trust_free(all);
    return read ? shown_line(first.subject, NAME_MAX_CHARACTERS) : NULL;
}

char *certificates_in_words(const guchar *octets, gsize length)
{
    size_t n = 0;
    struct cert_trust *all = read_all(octets, length, &n);
    gboolean read = all != NULL;
    GString *out = g_string_new(NULL);
    for (size_t i = 0; read && i < MIN(n, CERTIFICATES_MAX); i++) {
        struct cert_summary certificate;
        read = cert_trust_summary(all, i, &certificate);
        g_autofree char *words = read ? in_words(&certificate) : NULL;
        g_string_append_printf(out, "%s%s", i > 0 ? "\n\n" : "", read ? words : "");
    }
    if (n > CERTIFICATES_MAX) {
        g_string_append_printf(out, "\n\n… (+%zu)", n - CERTIFICATES_MAX);
    }
    cert_trust_free(all);
    return g_string_free(out, !read);
}

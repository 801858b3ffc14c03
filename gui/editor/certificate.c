/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/editor/certificate.h"

#include <gio/gio.h>
#include <string.h>

#include "common/gateway_facts.h"
#include "common/i18n.h"
#include "gui/questions/shown.h"

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define NAME_MAX_CHARACTERS 160
#define BLOCKS_SHOWN 4
#define CERTIFICATES_MAX 8

static GTlsCertificate *of_der(const guchar *octets, gsize length)
{
    g_autoptr(GByteArray) array = g_byte_array_new();
    g_byte_array_append(array, octets, (guint)length);
    return g_initable_new(g_tls_backend_get_certificate_type(g_tls_backend_get_default()), NULL,
                          NULL, "certificate", array, NULL);
}

/* The next one in PEM; *at is behind it then. NULL = there is none. */
static GTlsCertificate *next_of_pem(const char **at, const char *end)
{
    const char *begin = g_strstr_len(*at, end - *at, BEGIN);
    *at = begin ? begin + strlen(BEGIN) : end;
    return begin ? g_tls_certificate_new_from_pem(begin, end - begin, NULL) : NULL;
}

/* At most CERTIFICATES_MAX + 1, the last of which says that there are more. */
static GPtrArray *read_all(const guchar *octets, gsize length)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(g_object_unref);
    const char *at = (const char *)octets, *end = at + length;
    GTlsCertificate *found =
        g_strstr_len(at, end - at, BEGIN) ? next_of_pem(&at, end) : of_der(octets, length);
    while (found && all->len <= CERTIFICATES_MAX) {
        g_ptr_array_add(all, found);
        found = next_of_pem(&at, end);
    }
    g_clear_object(&found);
    return all;
}

static char *holder_of(GTlsCertificate *certificate)
{
    g_autofree char *name = g_tls_certificate_get_subject_name(certificate);
    return shown_line(name, NAME_MAX_CHARACTERS);
}

static char *beginning_of_fingerprint(GTlsCertificate *certificate)
{
    g_autoptr(GByteArray) der = NULL;
    g_object_get(certificate, "certificate", &der, NULL);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 fingerprint[FINGERPRINT_LEN];
    gsize n = sizeof fingerprint;
    char blocks[FINGERPRINT_BLOCKS];
    g_checksum_update(sum, der->data, (gssize)der->len);
    g_checksum_get_digest(sum, fingerprint, &n);
    (void)fingerprint_blocks(fingerprint, BLOCKS_SHOWN, blocks);
    return g_ascii_strup(blocks, strchr(blocks, '\n') - blocks);
}

static char *in_words(GTlsCertificate *certificate)
{
    g_autofree char *holder = holder_of(certificate);
    g_autofree char *fingerprint = beginning_of_fingerprint(certificate);
    g_autoptr(GDateTime) until = g_tls_certificate_get_not_valid_after(certificate);
    g_autofree char *date = shown_date(until ? g_date_time_to_unix(until) : G_MAXINT64);
    /* Translators: a certificate: its holder, a day, and how its fingerprint begins. */
    return g_strdup_printf(_("%s\nvalid until %s\nSHA-256 fingerprint %s…"), holder, date,
                           fingerprint);
}

char *certificate_holder(const guchar *octets, gsize length)
{
    g_autoptr(GPtrArray) all = read_all(octets, length);
    return all->len > 0 ? holder_of(all->pdata[0]) : NULL;
}

char *certificates_in_words(const guchar *octets, gsize length)
{
    g_autoptr(GPtrArray) all = read_all(octets, length);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < all->len; i++) {
        g_autofree char *words = i < CERTIFICATES_MAX ? in_words(all->pdata[i]) : g_strdup("…");
        g_string_append_printf(out, "%s%s", i > 0 ? "\n\n" : "", words);
    }
    return g_string_free(out, all->len == 0);
}

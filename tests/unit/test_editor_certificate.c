/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person is shown of certificates is what the worker will trust, no more and no less. */
#include "gui/editor/certificate.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "pki.h"
#include "vectors.h"

static struct pki_cert seen, hidden;
static GByteArray *file;

static void add(struct bytes octets)
{
    g_byte_array_append(file, octets.data, (guint)octets.len);
}

static void setup(void)
{
    file = g_byte_array_new();
    seen = pki_issue(
        &(struct pki_spec){.subject = "CN=Seen", .key = pki_key(PKI_P256, 1), .ca = true});
    hidden = pki_issue(
        &(struct pki_spec){.subject = "CN=Hidden", .key = pki_key(PKI_P521, 1), .ca = true});
}

static void teardown(void)
{
    g_byte_array_unref(file);
}

/* How many the worker will trust; 0 = it refuses the file. */
static size_t trusted(void)
{
    struct cert_trust *trust = NULL;
    size_t n = 0;

    if (cert_trust_from_data(&trust, bytes_of(file->data, file->len), &n) == OK) {
        cert_trust_free(trust);
    }
    return n;
}

static size_t count(const char *text, const char *words)
{
    size_t n = 0;

    for (const char *at = text; (at = strstr(at, words)) != NULL; at += strlen(words)) {
        n++;
    }
    return n;
}

static void ck_shown(size_t seen_times, size_t hidden_times)
{
    g_autofree char *words = certificates_in_words(file->data, file->len);

    ck_assert_uint_eq(trusted(), seen_times + hidden_times);
    ck_assert_ptr_nonnull(words);
    ck_assert_msg(count(words, "CN=Seen") == seen_times, "%s", words);
    ck_assert_msg(count(words, "CN=Hidden") == hidden_times, "%s", words);
}

static void ck_refused(void)
{
    g_autofree char *words = certificates_in_words(file->data, file->len);
    g_autofree char *holder = certificate_holder(file->data, file->len);

    ck_assert_uint_eq(trusted(), 0);
    ck_assert_msg(words == NULL, "%s", words);
    ck_assert_msg(holder == NULL, "%s", holder);
}

START_TEST(pem_and_der_are_read)
{
    g_autofree char *holder = NULL;

    add(pki_pem(PKI_LIST(&seen, &hidden)));
    ck_shown(1, 1);
    holder = certificate_holder(file->data, file->len);
    ck_assert_str_eq(holder, "CN=Seen");
    g_byte_array_set_size(file, 0);
    add(pki_der(seen.crt));
    ck_shown(1, 0);
}
END_TEST

START_TEST(words_tell_it_from_others)
{
    g_autofree char *words = NULL;

    add(pki_der(seen.crt));
    words = certificates_in_words(file->data, file->len);
    ck_assert(g_regex_match_simple("^CN=Seen\nvalid until \\d+ \\w+ 20\\d\\d\nSHA-256 fingerprint "
                                   "[0-9A-F]{4}( [0-9A-F]{4}){3}…$",
                                   words, 0, 0));
}
END_TEST

START_TEST(other_headings_do_not_hide)
{
    struct bytes pem = pki_pem(PKI_LIST(&hidden));
    GString *other = g_string_new_len((const char *)pem.data, (gssize)pem.len);

    g_string_replace(other, " CERTIFICATE", " X509 CERTIFICATE", 0);
    add(pki_pem(PKI_LIST(&seen)));
    add(bytes_of(other->str, other->len));
    g_string_free(other, TRUE);
    ck_shown(1, 1);
}
END_TEST

START_TEST(nul_does_not_hide)
{
    add(pki_pem(PKI_LIST(&seen)));
    add(bytes_of("", 1));
    add(pki_pem(PKI_LIST(&hidden)));
    ck_refused();
}
END_TEST

/* A header of DER with a length in two octets. */
static void begin(GByteArray *out, guint8 tag, size_t len)
{
    const guint8 header[] = {tag, 0x82, (guint8)(len >> 8), (guint8)len};

    g_byte_array_append(out, header, sizeof header);
}

/* The length in the header of DER at `at`, which has two octets. */
static void lengthen(guint8 *at, size_t more)
{
    size_t len = ((size_t)at[2] << 8 | at[3]) + more;

    ck_assert_uint_eq(at[1], 0x82);
    at[2] = (guint8)(len >> 8);
    at[3] = (guint8)len;
}

/* Adds `text` to the issuer's name (RFC 5280 4.1.2.4), which stands before any octet that is NUL.
 */
static void add_with_issuer(struct bytes der, struct bytes text)
{
    static const guint8 name[] = {0x30, 17, 0x31, 15, 0x30, 13, 6, 3, 0x55, 4, 3};
    const guint8 *issuer;
    size_t before = 0, header = 4;

    while (memcmp(der.data + before, name, sizeof name) != 0) {
        before++;
        ck_assert_uint_lt(before, der.len - sizeof name);
    }
    issuer = der.data + before;
    add(bytes_of(der.data, before));
    for (size_t i = 0; i < before; i++) {
        file->data[i] |= file->data[i] == 0; /* in the serial number */
    }
    begin(file, 0x30, 17 + 2 * header + 5 + header + text.len);
    add(bytes_of(issuer + 2, 17));
    begin(file, 0x31, header + 5 + header + text.len);
    begin(file, 0x30, 5 + header + text.len);
    add(bytes_of(name + 6, 5));
    begin(file, 0x0c, text.len);
    add(text);
    add(bytes_of(issuer + 19, der.len - before - 19));
    lengthen(file->data + header, file->len - der.len);
    lengthen(file->data, file->len - der.len);
}

/* A program that looks for PEM first would show the one within. */
START_TEST(pem_within_der_is_not_shown)
{
    add_with_issuer(pki_der(hidden.crt), pki_pem(PKI_LIST(&seen)));
    ck_shown(0, 1);
}
END_TEST

START_TEST(very_many_are_counted)
{
    g_autofree char *words = NULL;

    for (int i = 0; i < 203; i++) {
        add(pki_pem(PKI_LIST(&seen)));
    }
    words = certificates_in_words(file->data, file->len);
    ck_assert_uint_eq(trusted(), 203);
    ck_assert_uint_eq(count(words, "CN=Seen"), 200);
    ck_assert(g_str_has_suffix(words, "\n\n… (+3)"));
}
END_TEST

START_TEST(others_are_refused)
{
    static const char *const texts[] = {
        "", "x", "0", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_byte_array_set_size(file, 0);
        add(bytes_of_string(texts[i]));
        ck_refused();
    }
    /* One that cannot be read makes all of them so. */
    add(pki_pem(PKI_LIST(&seen)));
    ck_refused();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("editor_certificate");
    TCase *tcase = tcase_create("all");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, pem_and_der_are_read);
    tcase_add_test(tcase, words_tell_it_from_others);
    tcase_add_test(tcase, other_headings_do_not_hide);
    tcase_add_test(tcase, nul_does_not_hide);
    tcase_add_test(tcase, pem_within_der_is_not_shown);
    tcase_add_test(tcase, very_many_are_counted);
    tcase_add_test(tcase, others_are_refused);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

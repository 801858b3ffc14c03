/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `godwit profile check` says of the files that a profile names, by the real worker. */
#include <glib/gstdio.h>
#include <sys/stat.h>

#include "pki.h"
#include "unit/program.h"
#include "vectors.h"

enum { PROFILE = 3 };

/* ---- files ---- */

static void put(const char *name, struct bytes octets)
{
    char *path = program_folder(name);

    ck_assert(g_file_set_contents(path, (const char *)octets.data, (gssize)octets.len, NULL));
    g_free(path);
}

static void put_certificate(const char *name, const struct pki_spec *spec)
{
    struct pki_cert cert = pki_issue(spec);

    put(name, pki_der(cert.crt));
}

/* With a password when there is one. */
static void put_key(const char *name, gnutls_x509_privkey_t key, const char *password)
{
    gnutls_datum_t pem;

    ck_assert_int_eq(gnutls_x509_privkey_export2_pkcs8(
                         key, GNUTLS_X509_FMT_PEM, password,
                         password == NULL ? GNUTLS_PKCS_PLAIN : GNUTLS_PKCS_PBES2_AES_256, &pem),
                     GNUTLS_E_SUCCESS);
    put(name, bytes_of(pem.data, pem.size));
    gnutls_free(pem.data);
}

static void put_files(void)
{
    time_t now = time(NULL), from = now - 400 * PKI_DAY, until = now + 400 * PKI_DAY;
    const struct pki_spec good = {.subject = "CN=Good", .ca = true, .from = from, .until = until};
    const struct pki_spec old = {
        .subject = "CN=Old", .ca = true, .from = from, .until = now - PKI_DAY};
    const struct pki_cert both[] = {pki_issue(&old), pki_issue(&good)};

    put_certificate("good", &good);
    put_certificate("old", &old);
    put("both", pki_pem(PKI_LIST(&both[0], &both[1])));
    put_certificate("ending", &(struct pki_spec){.subject = "CN=Ending",
                                                 .ca = true,
                                                 .from = from,
                                                 .until = now + 29 * PKI_DAY});
    put_certificate("early",
                    &(struct pki_spec){
                        .subject = "CN=Early", .ca = true, .from = now + PKI_DAY, .until = until});
    put_certificate("itself",
                    &(struct pki_spec){.subject = "CN=Itself", .from = from, .until = until});
    put_certificate("person", &(struct pki_spec){.subject = "CN=Person",
                                                 .from = from,
                                                 .until = until,
                                                 .purposes = {GNUTLS_KP_TLS_WWW_CLIENT}});
    put_certificate(
        "own", &(struct pki_spec){
                   .subject = "CN=Own", .key = pki_key(PKI_P256, 1), .from = from, .until = until});
    put_certificate("own-old", &(struct pki_spec){.subject = "CN=Own",
                                                  .key = pki_key(PKI_P256, 1),
                                                  .from = from,
                                                  .until = now - PKI_DAY});
    put_key("key", pki_key(PKI_P256, 1), NULL);
    put_key("other", pki_key(PKI_P256, 2), NULL);
    put_key("locked", pki_key(PKI_P256, 1), "sesame");
    put("text", bytes_of_string("This is no certificate.\n"));
    put("empty", bytes_of_string(""));
}

/* ---- what is said ---- */

#define OWN(certificate, key)                                                                      \
    "auth=certificate\ncertificate=" certificate "\n\nprivate-key = " key "\n"

static const struct {
    const char *settings; /* from the third line on */
    const char *note;     /* "line: key: …" and how it ends; NULL = none */
    const char *problem;
    const char *why;
} rows[] = {
    {"ca=good", NULL, NULL, NULL},
    {"# Ours.\nca=none", NULL, ":4: ca: \"", "/none\" cannot be read: No such file or directory\n"},
    {"ca=empty", NULL, ":3: ca: \"", "/empty\" cannot be read: it is empty\n"},
    {"ca=.", NULL, ":3: ca: \"", "\" cannot be read: it is a folder\n"},
    {"ca=text", NULL, ":3: ca: \"", "/text\": ca holds no certificate in PEM or DER.\n"},
    {"ca=key", NULL, ":3: ca: \"", "/key\": ca holds no certificate in PEM or DER.\n"},
    {"ca=old", NULL, ":3: ca: \"", "/old\": the certificate of CN=Old expired on "},
    {"ca=early", NULL, ":3: ca: \"", "/early\": the certificate of CN=Early is valid only from "},
    {"ca=person", NULL, ":3: ca: \"",
     "/person\": the certificate of CN=Person is not that of an authority "},
    {"ca=both", ":3: ca: \"", NULL, "/both\": the certificate of CN=Old expired on "},
    {"\nca = ending", ":4: ca: \"", NULL, "/ending\": the certificate of CN=Ending expires on "},
    {"ca=itself", ":3: ca: \"", NULL,
     "/itself\": the certificate of CN=Itself is not that of an authority: "},
    {"ca=base64:AAAA", NULL, ":3: ca: ca holds no certificate in PEM or DER.", "\n"},
    {OWN("own", "key"), NULL, NULL, NULL},
    {OWN("own", "other"), NULL, ":6: private-key: \"",
     "/other\": The certificate and the private key do not belong together.\n"},
    {OWN("own", "text"), NULL, ":6: private-key: \"",
     "/text\": The certificate or the private key cannot be read.\n"},
    {OWN("text", "key"), NULL, ":4: certificate: \"",
     "/text\": The certificate or the private key cannot be read.\n"},
    {OWN("own", "none"), NULL, ":6: private-key: \"", "/none\" cannot be read: No such file"},
    {OWN("own", "locked"), ":6: private-key: \"", NULL,
     "/locked\": it is encrypted; its password is asked for\n"},
    {OWN("own", "locked") "private-key-password=sesame", NULL, NULL, NULL},
    {OWN("own", "locked") "private-key-password=x", NULL,
     ":7: private-key-password: ", "The password does not open the private key.\n"},
    {OWN("own-old", "key"), ":4: certificate: \"", NULL,
     "/own-old\": the certificate of CN=Own expired on "},
    {OWN("own", "pkcs11:token=A;id=%01"), ":6: private-key: \"pkcs11:token=A;id=%01\"", NULL,
     ": it is on a token, which was not asked\n"},
    {OWN("text", "pkcs11:token=A;id=%01"), NULL, ":4: certificate: \"",
     "/text\": it holds no certificate in PEM or DER\n"},
    {OWN("own", "pkcs11:id=%01;pin-value=1"), NULL, ":6: private-key: ", "pin-value"},
    /* What another way to authenticate leaves alone. */
    {"auth=eap\ncertificate=text\nprivate-key=text", NULL, NULL, NULL},
    {"tunnel=split\n\nkill-switch=always", NULL, ":5: kill-switch: ", "always needs tunnel=full\n"},
};

START_TEST(files)
{
    char *path = program_folder("home.conf"), *words = g_strdup_printf("profile check %s", path);
    char *text = g_strconcat("[godwit]\ngateway=a\n", rows[_i].settings, NULL);
    const char *where = rows[_i].note != NULL ? rows[_i].note : rows[_i].problem;
    struct program_result result;

    ck_assert(g_file_set_contents(path, text, -1, NULL));
    result = program_run("", words);
    if (where != NULL) {
        char *whole = g_strconcat(rows[_i].note != NULL ? "note: " : "used. ", path, where, NULL);
        const char *said = rows[_i].note != NULL ? result.out : result.err;

        expect_contains(said, whole);
        expect_contains(said, rows[_i].why);
        g_free(whole);
    }
    if (rows[_i].problem == NULL) {
        expect_contains(result.out, " can be used.\n");
        ck_assert_str_eq(result.err, "");
    }
    if (where == NULL) {
        expect_lacks(result.out, "note");
    }
    ck_assert_int_eq(result.code, rows[_i].problem == NULL ? 0 : PROFILE);
    program_clear(&result);
    g_free(text);
    g_free(words);
    g_free(path);
}
END_TEST

START_TEST(without_the_worker)
{
    char *path = program_folder("home.conf"), *words = g_strdup_printf("profile check %s", path);
    char *before = g_strdup(g_getenv("GODWIT_TUNNEL"));

    g_setenv("GODWIT_TUNNEL", "/nonexistent/godwit-tunnel", TRUE);
    ck_assert(g_file_set_contents(path, "[godwit]\ngateway=a\n", -1, NULL));
    program_expect("", words, 0, " can be used.\n", NULL);
    ck_assert(g_file_set_contents(path, "[godwit]\ngateway=a\nca=good\n", -1, NULL));
    program_expect("", words, 1, NULL, "/nonexistent/godwit-tunnel");
    g_setenv("GODWIT_TUNNEL", before, TRUE);
    g_free(before);
    g_free(words);
    g_free(path);
}
END_TEST

/* root's own build: whom it runs as could not come to the program by its path. */
START_TEST(worker_in_a_closed_folder)
{
    char *path = program_folder("home.conf"), *words = g_strdup_printf("profile check %s", path);
    char *closed = program_folder("closed"), *copy = g_build_filename(closed, "worker", NULL);
    char *before = g_strdup(g_getenv("GODWIT_TUNNEL")), *program;
    gsize len;

    ck_assert_int_eq(g_mkdir(closed, 0700), 0);
    ck_assert(g_file_get_contents(before, &program, &len, NULL));
    ck_assert(g_file_set_contents(copy, program, (gssize)len, NULL));
    ck_assert_int_eq(g_chmod(copy, 0755), 0);
    g_setenv("GODWIT_TUNNEL", copy, TRUE);
    ck_assert(g_file_set_contents(path, "[godwit]\ngateway=a\nca=good\n", -1, NULL));
    program_expect("", words, 0, " can be used.\n", NULL);
    g_setenv("GODWIT_TUNNEL", before, TRUE);
    ck_assert_int_eq(g_remove(copy), 0);
    ck_assert_int_eq(g_rmdir(closed), 0);
    g_free(program);
    g_free(before);
    g_free(copy);
    g_free(closed);
    g_free(words);
    g_free(path);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_unchecked_fixture(tests, put_files, NULL);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, files, 0, G_N_ELEMENTS(rows));
    tcase_add_test(tests, without_the_worker);
    tcase_add_test(tests, worker_in_a_closed_folder);
}

int main(void)
{
    g_setenv("GODWIT_TUNNEL", TOP_BUILDDIR "/godwit-tunnel", TRUE);
    return program_suite("cli check", add_tests);
}

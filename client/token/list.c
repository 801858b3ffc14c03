/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <gnutls/pkcs11.h>
#include <stdio.h>

#include "common/log.h"
#include "common/pkcs11_uri.h"
#include "token/token.h"

/* A line for each certificate: token, certificate, URI, with tabs between. */

#define TEXT_MAX 256

static void print_row(const char *token, const char *label, const char *uri)
{
    char first[TEXT_MAX], second[TEXT_MAX];

    printf("%s\t%s\t%s\n", text_printable(bytes_of_string(token), first, sizeof first),
           text_printable(bytes_of_string(label), second, sizeof second), uri);
}

/* The URI with no more than it takes to find the certificate again. */
static void print_certificate(gnutls_pkcs11_obj_t object, const char *token)
{
    static const char *const beside_id[] = {"model", "manufacturer", "serial",
                                            "type",  "object",       NULL};
    static const char *const without_id[] = {"model", "manufacturer", "serial", "type", NULL};
    char id[TEXT_MAX], label[TEXT_MAX] = "", uri[PKCS11_URI_MAX + 1];
    size_t id_len = sizeof id, label_len = sizeof label - 1;
    bool has_id =
        gnutls_pkcs11_obj_get_info(object, GNUTLS_PKCS11_OBJ_ID, id, &id_len) >= 0 && id_len > 0;
    char *whole = NULL;
    struct bytes at;

    if (gnutls_pkcs11_obj_export_url(object, GNUTLS_PKCS11_URL_GENERIC, &whole) >= 0 &&
        pkcs11_uri_without(bytes_of_string(whole), has_id ? beside_id : without_id, uri,
                           sizeof uri) &&
        pkcs11_uri_check(bytes_of_string(uri), true, &at) == NULL) {
        (void)gnutls_pkcs11_obj_get_info(object, GNUTLS_PKCS11_OBJ_LABEL, label, &label_len);
        print_row(token, label, uri);
    }
    gnutls_free(whole);
}

static void print_token(const char *url)
{
    gnutls_pkcs11_obj_t *objects = NULL;
    char label[TEXT_MAX];
    unsigned n = 0;

    if (!token_label(url, label, sizeof label)) {
        return;
    }
    if (gnutls_pkcs11_obj_list_import_url4(&objects, &n, url, GNUTLS_PKCS11_OBJ_FLAG_CRT) < 0) {
        n = 0;
    }
    if (n == 0) {
        print_row(label, "", "");
    }
    for (unsigned i = 0; i < n; i++) {
        print_certificate(objects[i], label);
        gnutls_pkcs11_obj_deinit(objects[i]);
    }
    gnutls_free(objects);
}

void token_list(void)
{
    char *url;

    (void)gnutls_pkcs11_init(GNUTLS_PKCS11_FLAG_AUTO, NULL);
    for (unsigned i = 0; gnutls_pkcs11_token_get_url(i, GNUTLS_PKCS11_URL_GENERIC, &url) >= 0;
         i++) {
        print_token(url);
        gnutls_free(url);
    }
    (void)fflush(stdout);
}

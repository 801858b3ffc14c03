/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_PKCS11_URI_H
#define GODWIT_COMMON_PKCS11_URI_H

#include <stdbool.h>

#include "common/bytes.h"

/*
 * PKCS#11 URIs (RFC 7512) that name a certificate or a private key on a token. Text only: nothing
 * is looked up here.
 */

#define PKCS11_URI_MAX 2048 /* octets, without a NUL */

/* Whether it is meant to be one: files' content and paths are no such thing. */
bool pkcs11_is_uri(struct bytes text);
/*
 * NULL when it is one that we take, else an untranslated reason, N_(); *at is narrowed to the part
 * that is wrong. Attributes are known and come once, and name a token; when it is `exact`,
 * something on that token too. A query part is refused: neither a PIN nor a path of a module
 * belongs into a profile (RFC 7512 6).
 */
const char *pkcs11_uri_check(struct bytes uri, bool exact, struct bytes *at);
/* Writes the URI with a NUL but without these attributes (NULL-ended names); false when it does not
 * fit. */
bool pkcs11_uri_without(struct bytes uri, const char *const *names, char *out, size_t cap);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_DOMAIN_NAME_H
#define GODWIT_COMMON_DOMAIN_NAME_H

#include "common/bytes.h"

#define DOMAIN_NAME_MAX 254 /* with the final NUL (RFC 1035 2.3.4) */

/*
 * A domain name that a peer has sent, in lower case and without final dots to `out`: letters,
 * digits, hyphens (and underscores, which exist) in labels of 1 to 63 octets. False when it is
 * none; then `out` is undefined.
 */
bool domain_name_read(char out[static DOMAIN_NAME_MAX], struct bytes text);
/* A resolver takes a name whose last label is a number for an address, in forms that nobody expects
 * ("127.1", "0x7f000001"). */
bool domain_name_is_number(const char *name);

#endif

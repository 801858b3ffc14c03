/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_IKE_TRACE_H
#define GODWIT_IKE_TRACE_H

#include "ike/payload.h"

#define TRACE_LINE_MAX 2048

/*
 * One message as one rung of a ladder, without time and arrow, which the caller adds:
 *
 * - IKE_SA_INIT #0 request  SA(aes256gcm16-prfsha384-x25519/ecp384) KE(x25519) Ni(32) N(COOKIE 32)
 * - IKE_AUTH #1 response  SK { IDr(vpn.example.org) CERT(CN=vpn.example.org) AUTH(...) EAP(...) }
 * - IKE_AUTH #1 response  SKF 2/3 { }
 *
 * `message` is decrypted: outer chain, then the inner one parsed behind it. Decisive content is
 * shown: algorithms (alternatives of one type divided by "/", proposals by ", "), groups,
 * identities, certificate subjects, auth methods, notify names with the meaning of their data
 * (status notifies share one N(), each error has its own), addresses, selectors, EAP codes;
 * secrets, nonces and key material never. Text from the peer is made printable; a line that does
 * not fit ends in "...". Returns out.
 */
const char *trace_message(const struct message *message, char *out, size_t cap);

#endif

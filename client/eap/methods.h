/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_EAP_METHODS_H
#define GODWIT_EAP_METHODS_H

#include "eap/eap.h"

/* Between the core and the methods; nobody else includes this. A new method is one file and one row
 * in methods.c. */

extern const struct eap_method eap_mschapv2;

/* The methods that are built in, in order of preference; NULL past the end. */
const struct eap_method *eap_method_at(size_t index);
/* The method of that type, NULL when we do not have it. */
const struct eap_method *eap_method_find(uint8_t type);
/* Name of a type for people, also of those that we do not have: "EAP-TLS", "type 99"; returns out.
 */
const char *eap_type_name(uint8_t type, char *out, size_t cap);

/* Notes why it failed, unless an earlier and more exact reason is known, and returns EAP_FAILURE.
 * `message` is untranslated, N_(), and not "". */
enum eap_verdict eap_fail(struct eap_note *note, enum reason reason, const char *message);

#endif

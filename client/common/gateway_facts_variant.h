/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_GATEWAY_FACTS_VARIANT_H
#define GODWIT_COMMON_GATEWAY_FACTS_VARIANT_H

#include <glib.h>

#include "common/gateway_facts.h"

/* struct gateway_facts as it travels: details of the field "trust" of a form, see the property Form
 * of org.godwit.VPN1.Session. Floating reference. */
GVariant *gateway_facts_to_variant(const struct gateway_facts *facts);
/* Makes texts printable and drops names beyond the maximum. FALSE when a fact is missing, of
 * another type or cannot be. Problems that are not known here are left out; one must remain. */
gboolean gateway_facts_from_variant(GVariant *details, struct gateway_facts *out);
/* Why it is not trusted: a translated sentence for each problem. g_free() it. */
char *gateway_facts_why(const struct gateway_facts *facts);

#endif

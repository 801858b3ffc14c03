/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_DNS_WORDS_H
#define GODWIT_COMMON_DNS_WORDS_H

#include "common/i18n.h"

/* What is said of the name servers of a tunnel: by the service in its language, English, and by
 * whoever shows it in the user's. */
#define DNS_WORDS_ANSWERS N_("%s answers in %.*f ms")
#define DNS_WORDS_REFUSES N_("%s answers with %s")
#define DNS_WORDS_NO_WAY N_("no way through the tunnel to %s")
#define DNS_WORDS_SILENT N_("%s does not answer")
#define DNS_WORDS_ALL_SILENT N_("none of %zu servers answers")

/* What the service has said, DnsMethod or DnsAnswers, in the language of our messages; g_free(). */
char *dns_words_here(const char *said);

#endif

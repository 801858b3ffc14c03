/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_DNS_QUERY_H
#define GODWIT_HOST_DNS_QUERY_H

#include "host/dns.h"

/*
 * One question to the servers of a plan, by the tunnel's interface and never beside it: do they
 * answer? It asks for the address (A) of the first domain, or for the name servers (NS) of the
 * root.
 */
struct dns_query;

/* `told` comes once, with a sentence for people without final dot: "10.99.0.1 answers in 12 ms".
 * Not from inside this call; seconds later at the most. */
struct dns_query *dns_query_new(const char *interface, const struct dns_plan *plan,
                                void (*told)(void *context, const char *text), void *context);
void dns_query_free(struct dns_query *query); /* not inside `told`; NULL is harmless */

/* ---- the message (RFC 1035 4.1) ---- */
#define DNS_QUESTION_MAX 300

/* The question for A of `name`, or for NS of the root (""); its length. */
size_t dns_question(uint8_t out[static DNS_QUESTION_MAX], uint16_t id, const char *name);
/* Response code of the reply to that question; -1 when it is none. */
int dns_reply_code(const uint8_t *reply, size_t reply_len, const uint8_t *question,
                   size_t question_len);

#endif

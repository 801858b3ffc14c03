/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_IKE_TICKET_H
#define GODWIT_IKE_TICKET_H

#include "common/addr.h"
#include "common/error.h"
#include "common/secret.h"
#include "crypto/algs.h"
#include "crypto/cert.h"

/*
 * What is kept of an IKE SA, so that another one can be made from it without authenticating again
 * (RFC 5723 4.2, 5). Whoever has it may connect as the user until it expires: it stays in memory,
 * and is wiped.
 */

#define TICKET_MAX 4096 /* octets of the gateway's; a longer one is not accepted */
#define TICKET_PROFILE_LEN 32

struct ike_ticket {
    struct secret opaque; /* the gateway's own, presented to it */
    uint64_t expires_at;  /* in the engine's time: microseconds of CLOCK_BOOTTIME */
    struct suite suite;   /* of the IKE SA */
    struct secret sk_d;
    struct id local_id, gateway_id; /* as they were exchanged in IKE_AUTH */
    struct addr ipv4, ipv6;         /* internal addresses; FAMILY_NONE when there was none */
    /* A digest of the gateway's identity, ours, the user and the kind of authentication, as they
     * were configured: with others it is not used. */
    uint8_t profile[TICKET_PROFILE_LEN];
    char gateway_auth[64], gateway_subject[256], user_auth[64]; /* of struct ike_summary */
};

/* Wipes what it holds and itself; NULL is harmless. */
void ike_ticket_free(struct ike_ticket *ticket);
/* False when memory is out; then *to is empty. *to is overwritten, not freed. */
bool ike_ticket_copy(struct ike_ticket *to, const struct ike_ticket *from) ERR_CHECK;

/*
 * As octets, for a process that outlives this one to keep until the machine's clock starts again.
 * Not encrypted: *out (owned by the caller, empty before) is as secret as the ticket. ERR_MEMORY.
 */
enum err ike_ticket_export(const struct ike_ticket *ticket, struct secret *out) ERR_CHECK;
/* The way back. ERR_SYNTAX when the octets are not whole or of another version, ERR_UNSUPPORTED for
 * an algorithm that we do not have, ERR_MEMORY; then *out is empty. */
enum err ike_ticket_import(struct ike_ticket *out, struct bytes octets) ERR_CHECK;

#endif

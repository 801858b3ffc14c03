/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_IKE_CHOOSE_H
#define GODWIT_IKE_CHOOSE_H

#include "ike/payload.h"

/* What a responder selects from an SA payload. Pure. */

struct sa_choice {
    uint8_t number;   /* of the proposal, as the peer numbered it */
    struct bytes spi; /* the peer's, borrowed from the body */
    struct suite suite;
    struct proposal proposal; /* what sa_write_choice() answers */
};
/*
 * The first of `ours` that a proposal of the body fits (RFC 7296 2.7); of an AEAD's INTEG and of
 * the KE of a Child SA, NONE may be meant by silence. Groups for a Child SA may also come from
 * `groups`, so that perfect forward secrecy never fails for want of policy; `ke_group` is that of
 * the KE payload, preferred; 0 = none came. The caller compares out->suite.ke with it. ERR_SYNTAX;
 * ERR_UNSUPPORTED when nothing fits.
 */
enum err sa_choose(struct sa_choice *out, struct bytes body, const struct proposal_list *ours,
                   const struct proposal_list *groups, uint16_t ke_group) ERR_CHECK;
/* Protocol of the first proposal; 0 when malformed. */
uint8_t sa_first_protocol(struct bytes body);

#endif

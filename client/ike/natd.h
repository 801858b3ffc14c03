/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_IKE_NATD_H
#define GODWIT_IKE_NATD_H

#include "ike/ike.h"

/* NAT detection (RFC 7296 2.23). Pure. */

/*
 * Writes both notifies of the initiator. The source hash is made to fail on purpose, so that the
 * gateway takes us to be behind a NAT and encapsulates ESP in UDP always: the datapath has no other
 * way to carry it.
 */
enum err natd_write(struct chain *chain, uint64_t spi_i, uint64_t spi_r,
                    const struct path *path) ERR_CHECK;

struct natd_result {
    bool supported;     /* the gateway sent its hashes */
    bool remote_behind; /* the gateway's own address was translated on the way */
};
/* Looks at the gateway's notifies in its IKE_SA_INIT response. */
enum err natd_read(struct natd_result *out, const struct message *message,
                   const struct path *path) ERR_CHECK;

#endif

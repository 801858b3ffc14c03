/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_SIM_PKI_H
#define GODWIT_TESTS_SIM_PKI_H

#include <time.h>

#include "crypto/cert.h"

#define PKI_GATEWAY "gw.example.org"
#define PKI_OTHER_NAME "other.example.net"
#define PKI_CLIENT "alice@example.org"
#define PKI_USER "alice"
#define PKI_PASSWORD "correct horse"
#define PKI_PSK "a shared secret of the simulator"
#define PKI_NOW ((time_t)1800000000) /* the simulated wall clock */

/* Two authorities and the certificates below them, all Ed25519; made once, shared by all runs. */
struct pki {
    struct cert_trust *trust, *other_trust;
    struct cert_credential *gateway, *impostor, *wrong_name, *client;
    struct cert_credential *token; /* the client's, with the key elsewhere */
};

const struct pki *pki_get(void);
void pki_free(void);

#endif

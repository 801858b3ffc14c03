/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_WORKER_CONFIG_H
#define GODWIT_TUNNEL_WORKER_CONFIG_H

#include <glib.h>

#include "ike/ike.h"
#include "profile/profile.h"

#define WORKER_EAP_METHODS_MAX 16

/* A profile turned into what the engine takes, with everything that must outlive the engine. */
struct worker_config {
    struct profile *profile;  /* owned */
    struct cert_trust *trust; /* owned; NULL = the system's store, loaded later */
    /* Owned; NULL unless auth=certificate. When the key is on a token, the caller makes it. */
    struct cert_credential *credential;
    struct proposal_list ike_proposals, esp_proposals;
    uint8_t eap_methods[WORKER_EAP_METHODS_MAX];
    uint8_t fingerprint[FINGERPRINT_LEN]; /* of the gateway's certificate */
    struct ike_config ike;                /* borrows from the above */
    uint16_t path_mtu;                    /* the profile's, outer; 0 = the route knows it */
};

/* What worker_config_build() came to. */
enum worker_config_result {
    WORKER_CONFIG_OK,
    WORKER_CONFIG_NEEDS_SECRET, /* *key names the profile key to ask for; set it in config->profile
                                   and call again */
    WORKER_CONFIG_NEEDS_TOKEN,  /* make config->credential and call again */
    WORKER_CONFIG_FAILED,       /* *reason and detail; *key is whose value it is, NULL = none */
};

/*
 * Fills config->ike from config->profile, which the caller has set. `detail` gets an English
 * sentence with the facts. What depends on the network (path, path_mtu) and time stays for the
 * caller.
 */
enum worker_config_result worker_config_build(struct worker_config *config, const char **key,
                                              enum reason *reason, char *detail, size_t detail_cap);
/* Why a certificate and its key, in a file or on a token, cannot be used; *sentence is translated
 * and may be "". */
enum reason worker_config_no_credential(enum err err, const char **sentence);
/* The gateway's fingerprint is this from now on, in the profile as well. False when it is none. */
gboolean worker_config_pin(struct worker_config *config, const char *fingerprint);
void worker_config_clear(struct worker_config *config);

#endif

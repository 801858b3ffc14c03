/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/log.h"
#include "ike/engine.h"

/* What the carrier wants, with defaults for what it leaves open. */

#define TIMEOUT_DEFAULT_US UINT64_C(30000000)
#define DEAD_DEFAULT_US UINT64_C(60000000)
#define KEEPALIVE_DEFAULT_US UINT64_C(20000000)
#define CHILD_LIFETIME_US UINT64_C(3600000000)
#define IKE_LIFETIME_US UINT64_C(14400000000)
#define DPD_DEFAULT_US UINT64_C(30000000)

enum err settings_check(const struct ike_config *config)
{
    size_t from = config->redirected_from.len;

    if (config->remote_id.type == ID_NONE || config->path.remote.addr.family == FAMILY_NONE ||
        config->rng.fill == NULL ||
        (config->gateway_fingerprint.len != 0 &&
         config->gateway_fingerprint.len != FINGERPRINT_LEN) ||
        (from != 0 && from != 4 && from != 16)) {
        return ERR_UNSUPPORTED;
    }
    switch (config->auth) {
    case IKE_AUTH_EAP:
        return OK;
    case IKE_AUTH_CERTIFICATE:
        return config->credential != NULL ? OK : ERR_UNSUPPORTED;
    case IKE_AUTH_PSK:
        return config->psk.len > 0 && config->gateway_fingerprint.len == 0 ? OK : ERR_UNSUPPORTED;
    }
    return ERR_UNSUPPORTED;
}

static void offers_copy(struct ike *ike, const struct ike_config *config)
{
    if (config->ike != NULL) {
        ike->offer_ike = *config->ike;
    } else {
        proposal_defaults(&ike->offer_ike, PROTO_IKE, config->legacy);
    }
    if (config->esp != NULL) {
        ike->offer_esp = *config->esp;
    } else {
        proposal_defaults(&ike->offer_esp, PROTO_ESP, config->legacy);
    }
    ike->config.ike = &ike->offer_ike;
    ike->config.esp = &ike->offer_esp;
}

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
    return value != 0 ? value : fallback;
}

enum err settings_copy(struct ike *ike, const struct ike_config *config)
{
    ike->config = *config;
    ike->config.psk = (struct bytes){0};
    ike->config.ticket = NULL;
    offers_copy(ike, config);
    if (config->application_version != NULL) {
        (void)text_printable(bytes_of_string(config->application_version), ike->application_version,
                             sizeof ike->application_version);
    }
    ike->config.application_version = ike->application_version;
    if (config->redirected_from.len > 0) {
        memcpy(ike->redirected_from, config->redirected_from.data, config->redirected_from.len);
    }
    ike->config.redirected_from = bytes_of(ike->redirected_from, config->redirected_from.len);
    if (config->gateway_fingerprint.len > 0) {
        memcpy(ike->gateway_fingerprint, config->gateway_fingerprint.data, FINGERPRINT_LEN);
    }
    ike->config.gateway_fingerprint =
        bytes_of(ike->gateway_fingerprint, config->gateway_fingerprint.len);
    if (!secret_set(&ike->psk, config->psk)) {
        return ERR_MEMORY;
    }
    ike->config.float_port = config->float_port != 0 ? config->float_port : IKE_PORT_NATT;
    ike->config.path_mtu = config->path_mtu != 0 ? config->path_mtu : PATH_MTU_SAFE;
    ike->config.timeout_us = or_default(config->timeout_us, TIMEOUT_DEFAULT_US);
    ike->config.dead_after_us = or_default(config->dead_after_us, DEAD_DEFAULT_US);
    ike->config.child_lifetime_us = or_default(config->child_lifetime_us, CHILD_LIFETIME_US);
    ike->config.ike_lifetime_us = or_default(config->ike_lifetime_us, IKE_LIFETIME_US);
    ike->config.dpd_us = or_default(config->dpd_us, DPD_DEFAULT_US);
    ike->config.keepalive_us = or_default(config->keepalive_us, KEEPALIVE_DEFAULT_US);
    return OK;
}

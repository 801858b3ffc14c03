/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "tunnel/worker_config.h"

#include "common/i18n.h"
#include "common/log.h"

static enum worker_config_result failed(enum reason why, enum reason *reason, char *detail,
                                        size_t cap, const char *format, ...) G_GNUC_PRINTF(5, 6);

static enum worker_config_result failed(enum reason why, enum reason *reason, char *detail,
                                        size_t cap, const char *format, ...)
{
    va_list arguments;

    *reason = why;
    va_start(arguments, format);
    g_vsnprintf(detail, cap, format, arguments);
    va_end(arguments);
    return WORKER_CONFIG_FAILED;
}

static gboolean build_proposals(struct proposal_list *out, enum protocol protocol, const char *text,
                                gboolean legacy)
{
    struct bytes word;
    const char *why;

    if (text == NULL || text[0] == '\0') {
        proposal_defaults(out, protocol, legacy);
        return TRUE;
    }
    return proposal_parse(out, protocol, text, legacy, &word, &why);
}

/* A comma-separated list of prefixes as traffic selectors of any protocol. */
static gboolean build_selectors(struct ts_list *out, const char *text)
{
    char **words = g_strsplit(text != NULL ? text : "", ",", 0);
    gboolean fine = TRUE;

    out->n = 0;
    for (char **word = words; fine && *word != NULL; word++) {
        struct prefix prefix;
        struct ts *ts = &out->items[out->n];

        g_strstrip(*word);
        if (**word == '\0') {
            continue;
        }
        if (out->n == TS_MAX || !prefix_parse(&prefix, *word, false)) {
            fine = FALSE;
            break;
        }
        *ts = (struct ts){.port_high = UINT16_MAX, .start = prefix.addr, .end = prefix.addr};
        for (size_t bit = prefix.len; bit < addr_bits(prefix.addr.family); bit++) {
            ts->end.octets[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        }
        out->n++;
    }
    g_strfreev(words);
    return fine;
}

enum reason worker_config_no_credential(enum err err, const char **sentence)
{
    switch (err) {
    case ERR_PASSWORD:
        *sentence = _("The password does not open the private key.");
        return REASON_AUTH_FAILED;
    case ERR_KEY:
        *sentence = _("The certificate and the private key do not belong together.");
        return REASON_PROFILE;
    case ERR_UNSUPPORTED:
        *sentence = _("The type of the private key is not supported.");
        return REASON_PROFILE;
    case ERR_SYNTAX:
        *sentence = _("The certificate or the private key cannot be read.");
        return REASON_PROFILE;
    case OK:
    case ERR_MEMORY:
    case ERR_CRYPTO:
    case ERR_CRITICAL:
    case ERR_INTEGRITY:
    case ERR_REPLAY:
    case ERR_STATE:
    case ERR_SPACE:
        break;
    }
    *sentence = "";
    return REASON_INTERNAL;
}

/* Whose value it is. */
static const char *key_at_fault(const struct profile *profile, enum err err)
{
    struct cert_trust *certificates = NULL;
    gboolean legible = TRUE;
    size_t n;

    if (err == ERR_PASSWORD) {
        return "private-key-password";
    }
    if (err == ERR_SYNTAX) {
        legible = cert_trust_from_data(&certificates, profile_get_bytes(profile, "certificate"),
                                       &n) == OK;
        cert_trust_free(certificates);
    }
    return legible ? "private-key" : "certificate";
}

static enum worker_config_result build_credential(struct worker_config *config, const char **key,
                                                  enum reason *reason, char *detail, size_t cap)
{
    const struct profile *profile = config->profile;
    struct bytes password = profile_get_bytes(profile, "private-key-password");
    const char *sentence;
    enum reason why;
    enum err err;

    if (profile_needs_token(profile)) {
        config->ike.credential = config->credential;
        return config->credential != NULL ? WORKER_CONFIG_OK : WORKER_CONFIG_NEEDS_TOKEN;
    }
    cert_credential_free(config->credential);
    config->credential = NULL;
    err = cert_credential_new(&config->credential, profile_get_bytes(profile, "certificate"),
                              profile_get_bytes(profile, "private-key"), password);
    if (err == OK) {
        config->ike.credential = config->credential;
        return WORKER_CONFIG_OK;
    }
    if (err == ERR_PASSWORD && !profile_is_set(profile, "private-key-password")) {
        *key = "private-key-password";
        return WORKER_CONFIG_NEEDS_SECRET;
    }
    why = worker_config_no_credential(err, &sentence);
    *key = key_at_fault(profile, err);
    return failed(why, reason, detail, cap, "%s", sentence);
}

/* The methods that the profile allows, in its order; none named = all. */
static gboolean build_eap_methods(struct worker_config *config)
{
    char **names = profile_get_list(config->profile, "eap-methods");
    struct eap_config *eap = &config->ike.eap;
    gboolean fine = TRUE;

    eap->methods = config->eap_methods;
    eap->n_methods = 0;
    for (char **name = names; *name != NULL && fine; name++) {
        uint8_t type = eap_method_type(*name);

        fine = type != 0 && eap->n_methods < WORKER_EAP_METHODS_MAX;
        if (fine) {
            config->eap_methods[eap->n_methods++] = type;
        }
    }
    if (eap->n_methods == 0) {
        eap->methods = NULL;
    }
    g_strfreev(names);
    return fine;
}

static enum worker_config_result build_auth(struct worker_config *config, const char **key,
                                            enum reason *reason, char *detail, size_t cap)
{
    const struct profile *profile = config->profile;
    const char *auth = profile_get(profile, "auth");
    struct ike_config *ike = &config->ike;

    if (g_strcmp0(auth, "certificate") == 0) {
        ike->auth = IKE_AUTH_CERTIFICATE;
        return build_credential(config, key, reason, detail, cap);
    }
    if (g_strcmp0(auth, "psk") == 0) {
        ike->auth = IKE_AUTH_PSK;
        if (!profile_is_set(profile, "psk")) {
            *key = "psk";
            return WORKER_CONFIG_NEEDS_SECRET;
        }
        ike->psk = profile_get_bytes(profile, "psk");
        return WORKER_CONFIG_OK;
    }
    ike->auth = IKE_AUTH_EAP;
    ike->eap.user = profile_get(profile, "user");
    ike->eap.identity = profile_get(profile, "eap-identity");
    ike->eap.password = profile_get_bytes(profile, "password");
    ike->eap.have_password = profile_is_set(profile, "password");
    if (!build_eap_methods(config)) {
        return failed(REASON_PROFILE, reason, detail, cap,
                      "eap-methods names one that is not built in.");
    }
    return WORKER_CONFIG_OK;
}

static enum worker_config_result build_identities(struct worker_config *config, enum reason *reason,
                                                  char *detail, size_t cap)
{
    const struct profile *profile = config->profile;
    const char *remote = profile_get(profile, "remote-identity");
    const char *local = profile_get(profile, "identity");
    struct ike_config *ike = &config->ike;

    ike->send_remote_id = remote != NULL && remote[0] != '\0';
    if (!ike->send_remote_id) {
        remote = profile_get(profile, "gateway");
    }
    if (remote == NULL || !id_parse(&ike->remote_id, remote)) {
        return failed(REASON_PROFILE, reason, detail, cap,
                      _("remote-identity is not an identity."));
    }
    if (local != NULL && local[0] != '\0' && !id_parse(&ike->local_id, local)) {
        return failed(REASON_PROFILE, reason, detail, cap, _("identity is not an identity."));
    }
    return WORKER_CONFIG_OK;
}

static void build_pin(struct worker_config *config)
{
    const char *text = profile_get(config->profile, "gateway-fingerprint");
    gboolean pinned = text != NULL && fingerprint_parse(config->fingerprint, text);

    config->ike.gateway_fingerprint =
        bytes_of(config->fingerprint, pinned ? sizeof config->fingerprint : 0);
}

gboolean worker_config_pin(struct worker_config *config, const char *fingerprint)
{
    gboolean fine = profile_set(config->profile, "gateway-fingerprint", fingerprint, NULL, NULL);

    build_pin(config);
    return fine;
}

enum worker_config_result worker_config_build(struct worker_config *config, const char **key,
                                              enum reason *reason, char *detail, size_t detail_cap)
{
    const struct profile *profile = config->profile;
    gboolean legacy = profile_get_bool(profile, "legacy");
    struct ike_config *ike = &config->ike;
    enum worker_config_result result;
    size_t n;

    *ike = (struct ike_config){
        .legacy = legacy,
        .rsa_pss = profile_get_bool(profile, "rsa-pss"),
        .childless = profile_get_bool(profile, "childless"),
        .request_ipv4 = profile_get_bool(profile, "request-ipv4"),
        .request_ipv6 = profile_get_bool(profile, "request-ipv6"),
        .application_version = PACKAGE_STRING,
        .timeout_us = profile_get_uint(profile, "timeout") * G_USEC_PER_SEC,
        .dead_after_us = profile_get_uint(profile, "dead-after") * G_USEC_PER_SEC,
        .dpd_us = profile_get_uint(profile, "dpd") * G_USEC_PER_SEC,
        .child_lifetime_us = profile_get_uint(profile, "child-lifetime") * G_USEC_PER_SEC,
        .child_octets = profile_get_uint(profile, "child-octets"),
        .ike_lifetime_us = profile_get_uint(profile, "ike-lifetime") * G_USEC_PER_SEC,
        .mobike = profile_get_bool(profile, "mobike"),
        .keepalive_us = profile_get_uint(profile, "keepalive") * G_USEC_PER_SEC,
        .ike = &config->ike_proposals,
        .esp = &config->esp_proposals,
        .rng = rng_system(),
    };
    if (ike->dpd_us == 0) {
        ike->dpd_us = IKE_NEVER;
    }
    build_pin(config);
    config->path_mtu = (uint16_t)profile_get_uint(profile, "mtu");
    if (!build_proposals(&config->ike_proposals, PROTO_IKE, profile_get(profile, "ike-proposals"),
                         legacy) ||
        !build_proposals(&config->esp_proposals, PROTO_ESP, profile_get(profile, "esp-proposals"),
                         legacy)) {
        return failed(REASON_PROFILE, reason, detail, detail_cap,
                      "ike-proposals or esp-proposals is not understood.");
    }
    if (!build_selectors(&ike->local_ts, profile_get(profile, "local-ts")) ||
        !build_selectors(&ike->remote_ts, profile_get(profile, "remote-ts"))) {
        return failed(REASON_PROFILE, reason, detail, detail_cap,
                      "local-ts or remote-ts is not a list of prefixes.");
    }
    result = build_identities(config, reason, detail, detail_cap);
    if (result != WORKER_CONFIG_OK) {
        return result;
    }
    if (profile_is_set(profile, "ca") && config->trust == NULL) {
        if (cert_trust_from_data(&config->trust, profile_get_bytes(profile, "ca"), &n) != OK) {
            *key = "ca";
            return failed(REASON_PROFILE, reason, detail, detail_cap,
                          _("ca holds no certificate in PEM or DER."));
        }
    }
    ike->send_certreq = config->trust != NULL;
    return build_auth(config, key, reason, detail, detail_cap);
}

void worker_config_clear(struct worker_config *config)
{
    cert_trust_free(config->trust);
    cert_credential_free(config->credential);
    profile_free(config->profile);
    secret_wipe(config, sizeof *config);
}

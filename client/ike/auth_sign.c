/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include "common/i18n.h"

/* Our signature in IKE_AUTH (RFC 7296 2.15, RFC 7427): at once, or made elsewhere and waited
 * for. */

#define AUTH_DATA_MAX 2048

/*
 * RFC 8247 4.1: method 1 is still mandatory, and a gateway that knows no RFC 7427 has only SHA-1
 * for it (Windows RRAS). Nobody can hide its RFC 7427 from us without breaking the AUTH that covers
 * IKE_SA_INIT.
 */
bool auth_sha1_allowed(const struct ike *ike)
{
    return ike->config.legacy || ike->init.peer_hashes == 0;
}

static bool is_elsewhere(const struct ike *ike)
{
    return ike->config.auth == IKE_AUTH_CERTIFICATE &&
           cert_credential_is_elsewhere(ike->config.credential);
}

static void nothing_in_common(struct ike *ike)
{
    ike_close(ike, CLOSE_SILENTLY, REASON_AUTH_FAILED,
              ike->init.peer_hashes == 0 && !ike->config.legacy
                  ? _("IKE_AUTH: the gateway accepts no signature that our key can make: it "
                      "knows only the old "
                      "methods, of which RSA means SHA-1; set legacy to allow that.")
                  : _("IKE_AUTH: the gateway accepts no signature that our key can make."));
}

/* ---- asking ---- */

static enum err prepare(struct ike *ike)
{
    struct auth *auth = &ike->auth;
    enum err err = auth_write_idi(ike);

    if (err == OK) {
        err = cert_sign_choose(ike->config.credential, ike->init.peer_hashes, ike->config.rsa_pss,
                               auth_sha1_allowed(ike), &auth->signing);
    }
    if (err == OK) {
        err = auth_our_octets(ike, &auth->to_sign);
    }
    return err;
}

void auth_ask_signature(struct ike *ike)
{
    enum err err;

    if (ike->state != ST_AUTH_TODO || ike->auth.to_sign.len > 0 || !is_elsewhere(ike)) {
        return;
    }
    secret_free(&ike->auth.signature);
    err = prepare(ike);
    if (err == OK) {
        ike->auth.waiting_since = ike->now > 0 ? ike->now : 1;
        ike_emit(ike, &(struct ike_event){.type = IKE_EVENT_SIGN});
    } else if (err == ERR_UNSUPPORTED) {
        nothing_in_common(ike);
    } else {
        ike_close_error(ike, err, "IKE_AUTH");
    }
}

struct bytes ike_to_sign(const struct ike *ike, struct cert_signing *out)
{
    bool waits = ike->state == ST_AUTH_TODO && ike->auth.waiting_since != 0;

    *out = waits ? ike->auth.signing : (struct cert_signing){0};
    return waits ? secret_bytes(&ike->auth.to_sign) : (struct bytes){0};
}

/* ---- the answer ---- */

void ike_provide_signature(struct ike *ike, struct bytes signature, enum reason reason,
                           const char *detail, uint64_t now)
{
    ike_advance(ike, now);
    if (ike->state != ST_AUTH_TODO || ike->auth.waiting_since == 0) {
        return;
    }
    ike->connect_deadline += ike->now - ike->auth.waiting_since;
    ike->auth.waiting_since = 0;
    if (signature.len == 0) {
        ike_close(ike, CLOSE_SILENTLY, reason, "%s", detail);
    } else if (!secret_set(&ike->auth.signature, signature)) {
        ike_close_error(ike, ERR_MEMORY, "IKE_AUTH");
    }
    ike_run(ike);
}

bool auth_ready(const struct ike *ike)
{
    return !is_elsewhere(ike) || ike->auth.signature.len > 0;
}

/* ---- the payload ---- */

static enum err finish(struct ike *ike, uint8_t *out, size_t cap, size_t *len)
{
    struct auth *auth = &ike->auth;
    enum err err =
        cert_sign_finish(ike->config.credential, &auth->signing, secret_bytes(&auth->to_sign),
                         secret_bytes(&auth->signature), out, cap, len);

    secret_free(&auth->to_sign);
    secret_free(&auth->signature);
    return err;
}

static enum err sign_here(struct ike *ike, uint8_t *method, uint8_t *out, size_t cap, size_t *len)
{
    struct secret octets = {0};
    enum err err = auth_our_octets(ike, &octets);

    if (err == OK) {
        err = cert_sign_auth(ike->config.credential, ike->init.peer_hashes, ike->config.rsa_pss,
                             auth_sha1_allowed(ike), secret_bytes(&octets), method, out, cap, len);
    }
    secret_free(&octets);
    return err;
}

enum err auth_write_signature(struct ike *ike, struct chain *chain)
{
    bool elsewhere = is_elsewhere(ike);
    uint8_t data[AUTH_DATA_MAX];
    uint8_t method = ike->auth.signing.method;
    size_t len = 0;
    enum err err = elsewhere ? finish(ike, data, sizeof data, &len)
                             : sign_here(ike, &method, data, sizeof data, &len);

    if (err == OK) {
        auth_write(chain, method, bytes_of(data, len));
        (void)cert_auth_describe(method, bytes_of(data, len), ike->summary.user_auth,
                                 sizeof ike->summary.user_auth);
    } else if (elsewhere && err != ERR_MEMORY) {
        ike_close(ike, CLOSE_SILENTLY, REASON_PROFILE,
                  _("The certificate and the private key do not belong together: the certificate "
                    "does not fit what the token has signed."));
        return OK;
    } else if (err == ERR_UNSUPPORTED) {
        nothing_in_common(ike);
        return OK;
    }
    return err;
}

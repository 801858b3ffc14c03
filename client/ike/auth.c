/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/i18n.h"

/* IKE_AUTH without what is EAP's own (RFC 7296 1.2, 2.15, 2.16). */

#define CERTREQ_HASHES_MAX 32 /* 640 octets: never a packet of its own (FIELD.md pain 10) */
#define CHILD_SA (P_BIT(P_SA) | P_BIT(P_TSi) | P_BIT(P_TSr))

/* ---- who we are ---- */

static void id_fallback(struct ike *ike)
{
    struct id *id = &ike->auth.local_id;
    const struct addr *addr = &ike->path.local.addr;
    struct bytes data;

    if (addr_is_any(addr)) {
        data = bytes_of_string("godwit");
        id->type = ID_KEY_ID;
    } else {
        data = addr_bytes(addr);
        id->type = addr->family == FAMILY_IPV4 ? ID_IPV4_ADDR : ID_IPV6_ADDR;
    }
    memcpy(id->data, data.data, data.len);
    id->len = data.len;
}

enum err auth_new(struct ike *ike)
{
    struct auth *auth = &ike->auth;
    const char *user = ike->config.eap.user;
    enum err err;

    auth->local_id = ike->config.local_id;
    if (auth->local_id.type == ID_NONE && ike->config.auth == IKE_AUTH_CERTIFICATE &&
        !cert_credential_id(ike->config.credential, &auth->local_id)) {
        return ERR_UNSUPPORTED;
    }
    if (auth->local_id.type == ID_NONE && ike->config.auth == IKE_AUTH_EAP && user != NULL &&
        *user != '\0' && !id_parse(&auth->local_id, user)) {
        auth->local_id.type = ID_NONE;
    }
    err = resume_profile(ike, bytes_of_string(user != NULL ? user : ""));
    if (err != OK) {
        return err;
    }
    if (auth->local_id.type == ID_NONE) {
        id_fallback(ike);
    }
    (void)id_text(&auth->local_id, ike->summary.local_id, sizeof ike->summary.local_id);
    return ike->config.auth == IKE_AUTH_EAP ? auth_eap_new(ike) : OK;
}

/* ---- first request ---- */

/* The body of an ID payload as it goes over the wire: AUTH covers it. */
static enum err id_body(struct secret *out, const struct id *id)
{
    uint8_t buffer[ID_MAX + 64];
    struct chain chain = chain_of(buffer, sizeof buffer);

    id_payload_write(&chain, P_IDi, id);
    if (chain.w.failed || chain.w.len < IKE_PAYLOAD_HEADER_LEN) {
        return ERR_SPACE;
    }
    return secret_set(
               out, bytes_of(buffer + IKE_PAYLOAD_HEADER_LEN, chain.w.len - IKE_PAYLOAD_HEADER_LEN))
               ? OK
               : ERR_MEMORY;
}

enum err auth_write_idi(struct ike *ike)
{
    return id_body(&ike->auth.idi, &ike->auth.local_id);
}

static void write_certificates(const struct ike *ike, struct chain *chain)
{
    struct bytes der;

    for (size_t i = 0; i < CERT_CHAIN_MAX; i++) {
        der = cert_credential_der(ike->config.credential, i);
        if (der.len == 0) {
            return;
        }
        cert_write(chain, P_CERT, CERT_ENCODING_X509_SIGNATURE, der);
    }
}

/*
 * RFC 7296 3.7: a hint which authorities we trust. Many gateways send their certificate only when
 * asked at all, so that without pinned authorities the request names one that does not exist: it
 * asks for a certificate and restricts nothing.
 */
static void write_certreq(const struct ike *ike, struct chain *chain)
{
    uint8_t hashes[CERTREQ_HASHES_MAX * SHA1_LEN] = {0};
    size_t len = 0;

    if (ike->config.send_certreq && ike->trust != NULL) {
        len = cert_trust_key_hashes(ike->trust, hashes, sizeof hashes);
    }
    if (len == 0) {
        len = SHA1_LEN;
    }
    cert_write(chain, P_CERTREQ, CERT_ENCODING_X509_SIGNATURE,
               bytes_of(hashes, len < sizeof hashes ? len : sizeof hashes));
}

enum err auth_our_octets(const struct ike *ike, struct secret *out)
{
    return auth_octets(out, ike->sa.suite.prf, secret_bytes(&ike->init.request),
                       secret_bytes(&ike->sa.nr), secret_bytes(&ike->sa.keys.pi),
                       secret_bytes(&ike->auth.idi));
}

enum err auth_gateway_octets(const struct ike *ike, struct secret *out)
{
    return auth_octets(out, ike->sa.suite.prf, secret_bytes(&ike->init.response),
                       secret_bytes(&ike->sa.ni), secret_bytes(&ike->sa.keys.pr),
                       secret_bytes(&ike->auth.idr));
}

static enum err write_shared_auth(const struct ike *ike, struct chain *chain, struct bytes secret)
{
    struct secret octets = {0};
    uint8_t mac[PRF_MAX];
    enum err err = auth_our_octets(ike, &octets);

    if (err == OK) {
        err = auth_shared_key(ike->sa.suite.prf, secret, secret_bytes(&octets), mac);
    }
    if (err == OK) {
        auth_write(chain, AUTH_METHOD_PSK, bytes_of(mac, prf_len(ike->sa.suite.prf)));
    }
    secret_free(&octets);
    return err;
}

static enum err write_proof(struct ike *ike, struct chain *chain)
{
    if (ike->state == ST_RESUME_AUTH_TODO) {
        return resume_write_auth(ike, chain);
    }
    switch (ike->config.auth) {
    case IKE_AUTH_EAP:
        return OK; /* RFC 7296 2.16: no AUTH asks for EAP */
    case IKE_AUTH_CERTIFICATE:
        return auth_write_signature(ike, chain);
    case IKE_AUTH_PSK:
        (void)strcpy(ike->summary.user_auth, "PSK");
        return write_shared_auth(ike, chain, secret_bytes(&ike->psk));
    }
    return ERR_STATE;
}

enum err auth_build(struct ike *ike, struct chain *chain)
{
    const struct bytes none = {0};
    bool resuming = ike->state == ST_RESUME_AUTH_TODO;
    enum err err = auth_write_idi(ike);

    if (err != OK) {
        return err;
    }
    /* The order of RFC 7296 1.2 and appendix C.2; certificates have no place beside a ticket (RFC
     * 5723 4.3.3). */
    chain_add(chain, P_IDi, secret_bytes(&ike->auth.idi));
    if (ike->config.auth == IKE_AUTH_CERTIFICATE && !resuming) {
        write_certificates(ike, chain);
    }
    if (ike->config.initial_contact) {
        notify_write(chain, 0, none, N_INITIAL_CONTACT, none);
    }
    if (ike->config.auth != IKE_AUTH_PSK && !resuming) {
        write_certreq(ike, chain);
    }
    if (ike->config.send_remote_id) {
        id_payload_write(chain, P_IDr,
                         resuming ? &ike->resume.ticket.gateway_id : &ike->config.remote_id);
    }
    err = write_proof(ike, chain);
    if (err != OK || ike->state == ST_DOWN) {
        return err;
    }
    notify_write(chain, 0, none, N_IKEV2_MESSAGE_ID_SYNC_SUPPORTED, none);
    config_build(ike, chain);
    err = child_build(ike, chain);
    mobike_announce(ike, chain);
    tickets_request(chain);
    if (err == OK && (resuming || ike->config.auth != IKE_AUTH_EAP)) {
        ike_phase(ike, IKE_PHASE_USER_AUTH, _("%s as %s"), ike->summary.user_auth,
                  ike->summary.local_id);
    }
    return err;
}

enum err auth_build_finish(struct ike *ike, struct chain *chain)
{
    return write_shared_auth(ike, chain, secret_bytes(&ike->auth.shared_i));
}

/* ---- response ---- */

void auth_announced(struct ike *ike, const struct message *message)
{
    const struct payload *payload;
    struct notify notify;

    for (size_t i = 0; (payload = message_find(message, P_NOTIFY, i)) != NULL; i++) {
        if (notify_parse(&notify, payload->body) == OK &&
            notify.type == N_IKEV2_MESSAGE_ID_SYNC_SUPPORTED) {
            ike->sa.syncs = true;
        }
    }
}

/* ---- who the gateway is ---- */

static void not_proven(struct ike *ike, enum reason reason, const char *detail)
{
    ike_close(ike, CLOSE_AUTH_FAILED, reason, "IKE_AUTH: %s", detail);
}

/* RFC 7296 2.15 with a shared secret; the comparison takes constant time. */
static enum err verify_shared(const struct ike *ike, const struct auth_payload *auth,
                              struct bytes secret)
{
    struct secret octets = {0};
    uint8_t mac[PRF_MAX];
    enum err err;

    if (auth->method != AUTH_METHOD_PSK) {
        return ERR_UNSUPPORTED;
    }
    err = auth_gateway_octets(ike, &octets);
    if (err == OK) {
        err = auth_shared_key(ike->sa.suite.prf, secret, secret_bytes(&octets), mac);
    }
    if (err == OK && !secret_equal(bytes_of(mac, prf_len(ike->sa.suite.prf)), auth->data)) {
        err = ERR_INTEGRITY;
    }
    secret_free(&octets);
    return err;
}

static enum err gateway_by_psk(struct ike *ike, const struct id *idr,
                               const struct auth_payload *auth)
{
    char have[256];
    char want[256];
    enum err err = verify_shared(ike, auth, secret_bytes(&ike->psk));

    if (err == ERR_UNSUPPORTED) {
        not_proven(ike, REASON_GATEWAY_AUTH_FAILED,
                   _("the gateway proves itself by a certificate, but the profile expects a "
                     "pre-shared key."));
        return OK;
    }
    if (err == ERR_INTEGRITY) {
        not_proven(ike, REASON_GATEWAY_AUTH_FAILED,
                   _("the gateway's proof does not fit the pre-shared key."));
        return OK;
    }
    if (err == OK && !id_equal(idr, &ike->config.remote_id)) {
        ike_close(ike, CLOSE_AUTH_FAILED, REASON_GATEWAY_IDENTITY_MISMATCH,
                  _("IKE_AUTH: the gateway calls itself “%s”, not “%s”."),
                  id_text(idr, have, sizeof have),
                  id_text(&ike->config.remote_id, want, sizeof want));
    }
    (void)strcpy(ike->summary.gateway_auth, "PSK");
    return err;
}

/* RFC 7296 3.6: only X.509 certificates; URLs are never fetched, other encodings are passed over.
 */
static enum err read_chain(const struct message *message, struct cert_chain **out)
{
    struct bytes ders[CERT_CHAIN_MAX];
    const struct payload *payload;
    size_t n = 0;

    *out = NULL;
    for (size_t i = 0; (payload = message_find(message, P_CERT, i)) != NULL; i++) {
        uint8_t encoding;
        struct bytes data;

        if (cert_parse(&encoding, &data, payload->body) != OK ||
            encoding != CERT_ENCODING_X509_SIGNATURE) {
            continue;
        }
        if (n == CERT_CHAIN_MAX) {
            return ERR_SYNTAX;
        }
        ders[n++] = data;
    }
    return n == 0 ? ERR_STATE : cert_chain_from_der(out, ders, n);
}

/* ERR_INTEGRITY, ERR_SYNTAX and ERR_KEY: it does not verify; ERR_UNSUPPORTED. */
static enum err verify_signature(const struct ike *ike, const struct cert_chain *chain,
                                 const struct auth_payload *auth)
{
    struct secret octets = {0};
    enum err err = auth_gateway_octets(ike, &octets);

    if (err == OK) {
        err = cert_verify_auth(chain, auth->method, auth->data, secret_bytes(&octets),
                               auth_sha1_allowed(ike));
    }
    secret_free(&octets);
    return err;
}

static void check_pinned(const struct ike *ike, const struct cert_chain *chain,
                         struct cert_problem *out)
{
    uint8_t is[FINGERPRINT_LEN];
    char text[FINGERPRINT_TEXT];

    if (!cert_chain_fingerprint(chain, is)) {
        *out = (struct cert_problem){.reason = REASON_INTERNAL};
    } else if (memcmp(is, ike->gateway_fingerprint, sizeof is) != 0) {
        out->reason = REASON_GATEWAY_CHANGED;
        (void)snprintf(out->detail, sizeof out->detail, _("its SHA-256 fingerprint is %s."),
                       fingerprint_text(is, text));
    } else {
        cert_chain_check_end(chain, out);
    }
}

/* Whoever merely sends somebody's certificate is not worth a question. */
static void note_facts(struct ike *ike, const struct cert_chain *chain,
                       const struct auth_payload *auth, const struct cert_problem *problem,
                       time_t wall)
{
    struct gateway_facts *facts = calloc(1, sizeof *facts);
    struct cert_problem other;

    if (facts == NULL || !cert_chain_facts(chain, problem, wall, facts) ||
        verify_signature(ike, chain, auth) != OK) {
        free(facts);
        return;
    }
    cert_chain_match_id(chain, &ike->config.remote_id, &other);
    facts->problems |= other.reason != REASON_NONE ? (unsigned)GATEWAY_OTHER_NAME : 0U;
    (void)id_text(&ike->config.remote_id, facts->expected, sizeof facts->expected);
    ike->untrusted = facts;
}

/* False: the certificate is not the gateway's, and that has ended the connection. */
static bool is_trusted(struct ike *ike, const struct cert_chain *chain,
                       const struct auth_payload *auth)
{
    time_t wall = ike->config.wall_clock + (time_t)((ike->now - ike->began) / 1000000);
    struct cert_problem problem = {0};

    if (ike->config.gateway_fingerprint.len > 0) {
        check_pinned(ike, chain, &problem);
    } else {
        if (ike->trust != NULL) {
            cert_chain_verify(chain, ike->trust, wall, &problem);
        } else {
            problem.reason = REASON_GATEWAY_UNTRUSTED;
            problem.unknown = true;
            (void)snprintf(problem.detail, sizeof problem.detail, "%s",
                           _("no certification authority to trust is known."));
        }
        if (problem.reason == REASON_NONE) {
            cert_chain_match_id(chain, &ike->config.remote_id, &problem);
        }
        if (problem.reason != REASON_NONE) {
            note_facts(ike, chain, auth, &problem, wall);
        }
    }
    if (problem.reason != REASON_NONE) {
        not_proven(ike, problem.reason, problem.detail);
    }
    return problem.reason == REASON_NONE;
}

/* What nothing vouches for is not shown as the gateway's identity. */
static void name_gateway(struct ike *ike, const struct cert_chain *chain, const struct id *idr)
{
    bool vouched = ike->config.gateway_fingerprint.len > 0 || cert_chain_names(chain, idr);

    (void)id_text(vouched ? idr : &ike->config.remote_id, ike->summary.gateway_id,
                  sizeof ike->summary.gateway_id);
}

/* Chain, identity, then signature; any failure has ended the connection. */
static enum err check_chain(struct ike *ike, const struct cert_chain *chain, const struct id *idr,
                            const struct auth_payload *auth)
{
    enum err err;

    (void)cert_chain_subject(chain, ike->summary.gateway_subject,
                             sizeof ike->summary.gateway_subject);
    if (!is_trusted(ike, chain, auth)) {
        return OK;
    }
    name_gateway(ike, chain, idr);
    err = verify_signature(ike, chain, auth);
    (void)cert_auth_describe(auth->method, auth->data, ike->summary.gateway_auth,
                             sizeof ike->summary.gateway_auth);
    if (err == ERR_INTEGRITY || err == ERR_SYNTAX || err == ERR_KEY) {
        not_proven(ike, REASON_GATEWAY_AUTH_FAILED, _("the gateway's signature does not verify."));
        return OK;
    }
    if (err == ERR_UNSUPPORTED) {
        ike_close(ike, CLOSE_AUTH_FAILED, REASON_GATEWAY_AUTH_FAILED,
                  auth->method == AUTH_METHOD_RSA && !ike->config.legacy
                      ? _("IKE_AUTH: the gateway signs in a way that is not acceptable: %s. If it "
                          "is that old, set "
                          "legacy to allow it.")
                      : _("IKE_AUTH: the gateway signs in a way that is not acceptable: %s."),
                  ike->summary.gateway_auth);
        return OK;
    }
    return err;
}

static enum err gateway_by_certificate(struct ike *ike, const struct message *message,
                                       const struct id *idr, const struct auth_payload *auth)
{
    struct cert_chain *chain;
    enum err err;

    if (auth->method == AUTH_METHOD_PSK || auth->method == AUTH_METHOD_NULL) {
        not_proven(ike, REASON_GATEWAY_AUTH_FAILED,
                   _("the gateway proves itself by a pre-shared key or not at all, but a "
                     "certificate is required."));
        return OK;
    }
    err = read_chain(message, &chain);
    if (err == ERR_STATE) {
        not_proven(
            ike, REASON_GATEWAY_UNTRUSTED,
            _("the gateway sent no X.509 certificate. It may send one only to clients that name "
              "its authority: "
              "give that with --ca."));
        return OK;
    }
    if (err == ERR_MEMORY) {
        return err;
    }
    if (err != OK) {
        not_proven(ike, REASON_GATEWAY_UNTRUSTED, _("the gateway's certificate cannot be read."));
        return OK;
    }
    err = check_chain(ike, chain, idr, auth);
    cert_chain_free(chain);
    return err;
}

/*
 * All of the gateway's proof, before any octet of EAP leaves (RFC 7296 2.16; CVE-2015-4171). When
 * it fails ike_close() has been called and OK is returned; ike->state tells.
 */
static enum err verify_gateway(struct ike *ike, const struct message *message)
{
    const struct payload *idr_payload = message_find(message, P_IDr, 0);
    struct auth_payload auth;
    struct id idr;
    enum err err = id_payload_parse(&idr, idr_payload->body);

    if (err == OK) {
        err = auth_parse(&auth, message_find(message, P_AUTH, 0)->body);
    }
    if (err == OK && !secret_set(&ike->auth.idr, idr_payload->body)) {
        err = ERR_MEMORY;
    }
    if (err != OK) {
        return err;
    }
    (void)id_text(&idr, ike->summary.gateway_id, sizeof ike->summary.gateway_id);
    ike->auth.gateway_id = idr;
    err = ike->config.auth == IKE_AUTH_PSK ? gateway_by_psk(ike, &idr, &auth)
                                           : gateway_by_certificate(ike, message, &idr, &auth);
    if (err == OK && ike->state == ST_AUTH_SENT) {
        ike_phase(ike, IKE_PHASE_GATEWAY_VERIFIED, "%s (%s)", ike->summary.gateway_id,
                  ike->summary.gateway_auth);
    }
    return err;
}

enum err auth_gateway(struct ike *ike, const struct message *message, enum ike_state *next)
{
    enum err err = verify_gateway(ike, message);

    if (err != OK || ike->state != ST_AUTH_SENT) {
        return err;
    }
    /* RFC 5685 6: there is no IKE SA yet that a Delete could be about. */
    if (redirect_auth(ike, message, CLOSE_SILENTLY)) {
        return OK;
    }
    if (ike->config.auth != IKE_AUTH_EAP) {
        ike_close(ike, CLOSE_AUTH_FAILED, REASON_GATEWAY_REFUSED,
                  _("IKE_AUTH: the gateway wants a user name and password (EAP) too, which the "
                    "profile does not provide for."));
        return OK;
    }
    return auth_eap(ike, message, next);
}

enum err auth_unproven(struct ike *ike, const struct message *message, enum ike_state *next)
{
    (void)message;
    (void)next;
    not_proven(ike, REASON_GATEWAY_AUTH_FAILED,
               _("the gateway asks for the password before it has proved who it is."));
    return OK;
}

enum err auth_established(struct ike *ike, const struct message *message)
{
    struct notify notify;
    enum err err;

    /* The user's password with it. */
    eap_free(ike->auth.eap);
    ike->auth.eap = NULL;
    if (redirect_auth(ike, message, CLOSE_DELETE)) {
        return OK;
    }
    crash_token(&ike->sa, message);
    reauth_begin(ike);
    reauth_read(ike, message);
    if (refusal_find(message, &notify)) {
        bool again = child_try_again(ike, message, &notify);

        refusal_child(ike, &notify, again ? CLOSE_NOT_YET : CLOSE_DELETE, "IKE_AUTH");
        err = OK;
    } else if ((message->present & CHILD_SA) == CHILD_SA) {
        err = child_accept(ike, message);
    } else if (child_is_later(ike)) {
        child_later(ike, message);
        err = OK;
    } else {
        ike_close(ike, CLOSE_DELETE, REASON_PROTOCOL,
                  _("IKE_AUTH: the gateway's response holds no Child SA, without a reason."));
        return OK;
    }
    if (err == OK && ike->ending.reason == REASON_NONE) {
        tickets_void(ike);
        tickets_read(ike, message);
        mobike_accept(ike, message);
    }
    return err;
}

enum err auth_complete(struct ike *ike, const struct message *message, enum ike_state *next)
{
    struct notify notify;
    enum err err;

    if (ike->config.auth == IKE_AUTH_EAP) {
        if (refusal_find(message, &notify)) {
            return refusal_auth(ike, message, next);
        }
        ike_close(ike, CLOSE_AUTH_FAILED, REASON_PROTOCOL,
                  _("IKE_AUTH: the gateway finished without authenticating the user."));
        return OK;
    }
    err = verify_gateway(ike, message);
    if (err != OK || ike->state != ST_AUTH_SENT) {
        return err;
    }
    return auth_established(ike, message);
}

enum err auth_without_child(struct ike *ike, const struct message *message, enum ike_state *next)
{
    enum err err;

    if (ike->config.auth != IKE_AUTH_EAP) {
        return auth_complete(ike, message, next);
    }
    /* Before EAP, nothing but a redirection can end it. */
    err = verify_gateway(ike, message);
    if (err != OK || ike->state != ST_AUTH_SENT) {
        return err;
    }
    return redirect_auth(ike, message, CLOSE_SILENTLY) ? OK : ERR_STATE;
}

enum err auth_finish(struct ike *ike, const struct message *message, enum ike_state *next)
{
    struct auth_payload auth;
    enum err err = auth_parse(&auth, message_find(message, P_AUTH, 0)->body);

    (void)next;
    if (err == OK) {
        err = verify_shared(ike, &auth, secret_bytes(&ike->auth.shared_r));
    }
    if (err == ERR_INTEGRITY || err == ERR_UNSUPPORTED) {
        not_proven(
            ike, REASON_GATEWAY_AUTH_FAILED,
            _("the gateway does not know the key that EAP has made; somebody may be in between."));
        return OK;
    }
    return err == OK ? auth_established(ike, message) : err;
}

/*
 * RFC 7296 2.15: AUTH is about the first message that was answered. A gateway that demands a cookie
 * and then, with less to do, accepts an older copy of ours without it, answers neither with a word
 * of which. Its own proof does not tell either; so the later one is taken for it, and that it was
 * the other shows when the gateway refuses us.
 */
bool auth_begin_again(struct ike *ike)
{
    bool eap = ike->config.auth == IKE_AUTH_EAP;

    if (!ike->init.ambiguous || ike->auth.begun_again || ike->ending.wanted ||
        ike->state != (eap ? ST_FINISH_SENT : ST_AUTH_SENT)) {
        return false;
    }
    ike->auth.begun_again = true;
    if (eap) {
        eap_restart(ike->auth.eap);
        ike->auth.eap_started = false;
    }
    ike->auth.rounds = 0;
    init_begin_again(ike);
    rung_note(ike, "it may have answered the first message without the cookie: once more");
    return true;
}

void auth_free(struct auth *auth)
{
    eap_free(auth->eap);
    secret_free(&auth->eap_response);
    secret_free(&auth->idi);
    secret_free(&auth->idr);
    secret_free(&auth->shared_i);
    secret_free(&auth->shared_r);
    secret_free(&auth->to_sign);
    secret_free(&auth->signature);
}

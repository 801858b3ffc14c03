/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/gateway.h"

/* IKE_AUTH as the gateway sees it (RFC 7296 1.2, 2.15, 2.16): proofs, configuration, the Child SA.
 */

#define UNKNOWN_PAYLOAD 200

static struct bytes array_bytes(const GByteArray *array)
{
    return array != NULL ? bytes_of(array->data, array->len) : (struct bytes){0};
}

static void save(GByteArray **to, const struct message *message, enum payload_type type)
{
    const struct payload *payload = message_find(message, (uint8_t)type, 0);

    if (*to != NULL) {
        g_byte_array_unref(*to);
        *to = NULL;
    }
    if (payload != NULL) {
        gateway_set(to, payload->body);
    }
}

void gateway_our_octets(struct gateway *gateway, struct secret *out)
{
    sim_require(auth_octets(out, gateway->sa->suite.prf, array_bytes(gateway->init_response),
                            secret_bytes(&gateway->sa->ni), secret_bytes(&gateway->sa->keys.pr),
                            array_bytes(gateway->idr)) == OK,
                "AUTH octets");
}

void gateway_client_octets(struct gateway *gateway, struct secret *out)
{
    sim_require(auth_octets(out, gateway->sa->suite.prf, array_bytes(gateway->init_request),
                            secret_bytes(&gateway->sa->nr), secret_bytes(&gateway->sa->keys.pi),
                            array_bytes(gateway->idi)) == OK,
                "AUTH octets");
}

static void write_shared(struct gateway *gateway, struct chain *reply, struct bytes secret,
                         bool wrong)
{
    struct secret octets = {0};
    uint8_t mac[PRF_MAX];

    gateway_our_octets(gateway, &octets);
    sim_require(auth_shared_key(gateway->sa->suite.prf, secret, secret_bytes(&octets), mac) == OK,
                "AUTH");
    mac[0] ^= wrong;
    auth_write(reply, AUTH_METHOD_PSK, bytes_of(mac, prf_len(gateway->sa->suite.prf)));
    secret_free(&octets);
}

static const struct cert_credential *credential(const struct gateway *gateway)
{
    return gateway->config.impostor     ? gateway->pki->impostor
           : gateway->config.wrong_name ? gateway->pki->wrong_name
                                        : gateway->pki->gateway;
}

static void write_signature(struct gateway *gateway, struct chain *reply)
{
    struct secret octets = {0};
    uint8_t data[2048], method = 0;
    size_t len = 0;

    gateway_our_octets(gateway, &octets);
    octets.data[0] ^= gateway->config.wrong_auth;
    sim_require(cert_sign_auth(credential(gateway), SIG_HASH_IDENTITY | SIG_HASH_SHA2_256, false,
                               false, secret_bytes(&octets), &method, data, sizeof data,
                               &len) == OK,
                "signature");
    auth_write(reply, method, bytes_of(data, len));
    secret_free(&octets);
}

void gateway_write_idr(struct gateway *gateway, struct chain *reply)
{
    const char *name = gateway->config.id != NULL   ? gateway->config.id
                       : gateway->config.wrong_name ? PKI_OTHER_NAME
                                                    : PKI_GATEWAY;
    size_t body = reply->w.len + IKE_PAYLOAD_HEADER_LEN;
    struct id id;

    sim_require(id_parse(&id, name), "identity");
    id_payload_write(reply, P_IDr, &id);
    gateway_set(&gateway->idr, bytes_of(reply->w.start + body, reply->w.len - body));
}

/* Our identity and our proof. */
static void write_proof(struct gateway *gateway, struct chain *reply)
{
    gateway_write_idr(gateway, reply);
    if (gateway->config.auth == GATEWAY_AUTH_PSK) {
        write_shared(gateway, reply, bytes_of_string(PKI_PSK), gateway->config.wrong_auth);
        return;
    }
    if (!gateway->config.no_cert) {
        cert_write(reply, P_CERT, CERT_ENCODING_X509_SIGNATURE,
                   cert_credential_der(credential(gateway), 0));
    }
    write_signature(gateway, reply);
}

/* ---- configuration and the Child SA ---- */

static void write_config(struct gateway *gateway, struct chain *reply)
{
    struct reader r;
    struct cp_attr attr;
    uint8_t type;
    uint8_t v6[17] = {0x20, 0x01, 0x0d, 0xb8, [15] = 5, [16] = 64};

    if (gateway->saved_cp == NULL) {
        return;
    }
    cp_write_begin(reply, CFG_REPLY);
    sim_require(cp_begin(&r, &type, array_bytes(gateway->saved_cp)) && type == CFG_REQUEST,
                "CFG_REQUEST");
    while (cp_next(&r, &attr)) {
        if (gateway->config.no_address) {
            continue;
        }
        if (attr.type == INTERNAL_IP4_ADDRESS) {
            cp_write_attr(reply, attr.type, bytes_of("\x0a\x63\x00\x05", 4));
        } else if (attr.type == INTERNAL_IP6_ADDRESS) {
            cp_write_attr(reply, attr.type, bytes_of(v6, sizeof v6));
        } else if (attr.type == INTERNAL_IP4_DNS) {
            cp_write_attr(reply, attr.type, bytes_of("\x0a\x63\x00\x01", 4));
        }
    }
    chain_end(reply);
}

/* What comes with the proof, whether there is a Child SA or not. */
static void write_established(struct gateway *gateway, struct chain *reply)
{
    gateway_write_token(gateway, reply, gateway->sa->spi_i, gateway->sa->spi_r);
    if (gateway->config.limits) {
        gateway_write_lifetime(reply, gateway->config.lifetime);
    }
    write_config(gateway, reply);
    gateway_attempt_succeeded(gateway);
    if (gateway->wants_ticket) {
        gateway_answer_ticket(gateway, gateway->sa, reply);
    }
}

static void write_child(struct gateway *gateway, struct chain *reply)
{
    struct proposal_list accepted;
    struct proposal choice;
    struct gateway_child child = {.state = GATEWAY_CHILD_UP};
    uint8_t number, spi[4];
    struct writer w = writer_of(spi, sizeof spi);
    struct bytes theirs;
    struct reader r;
    const struct bytes none = {0};

    if (gateway->config.cluster) {
        notify_write(reply, 0, none, N_IKEV2_MESSAGE_ID_SYNC_SUPPORTED, none);
    }
    gateway_mobike_answer(gateway, reply);
    gateway_esp_proposals(gateway, &accepted);
    if (gateway->saved_sa == NULL) {
        /* RFC 6023 5 */
        if (!gateway->config.childless) {
            gateway_complain(gateway, "IKE_AUTH without a Child SA");
        }
        write_established(gateway, reply);
        return;
    }
    if (gateway->config.child_error != 0) {
        if (gateway->config.error_with_config) {
            write_established(gateway, reply);
        }
        notify_write(reply, 0, none, gateway->config.child_error, none);
        return;
    }
    if (!gateway_choose(array_bytes(gateway->saved_sa), &accepted, &choice, &number, &theirs)) {
        notify_write(reply, 0, none, N_NO_PROPOSAL_CHOSEN, none);
        return;
    }
    r = reader_of(theirs);
    child.spi_out = rd_u32(&r);
    child.spi_in = gateway_child_spi(gateway);
    child.network = gateway_network(array_bytes(gateway->saved_tsr));
    gateway_suite(&child.suite, &choice);
    sim_require(child_keys_derive(&child.keys, gateway->sa->suite.prf,
                                  secret_bytes(&gateway->sa->keys.d), &child.suite, none,
                                  secret_bytes(&gateway->sa->ni),
                                  secret_bytes(&gateway->sa->nr)) == OK,
                "KEYMAT");
    wr_u32(&w, child.spi_in);
    write_established(gateway, reply);
    sa_write_choice(reply, number, &choice, bytes_of(spi, sizeof spi));
    gateway_write_ts(gateway, reply, array_bytes(gateway->saved_tsi),
                     array_bytes(gateway->saved_tsr));
    gateway->outbound = gateway_child_add(gateway, &child)->spi_in;
}

/* ---- the client's proof ---- */

static void refuse(struct gateway *gateway, struct chain *reply, uint16_t type)
{
    const struct bytes none = {0};

    notify_write(reply, 0, none, type, none);
    gateway->phase = GATEWAY_CLOSED;
}

static bool shared_proof_holds(struct gateway *gateway, const struct auth_payload *auth,
                               struct bytes secret)
{
    struct secret octets = {0};
    uint8_t mac[PRF_MAX];
    bool holds;

    gateway_client_octets(gateway, &octets);
    holds = auth_shared_key(gateway->sa->suite.prf, secret, secret_bytes(&octets), mac) == OK &&
            auth->method == AUTH_METHOD_PSK &&
            secret_equal(auth->data, bytes_of(mac, prf_len(gateway->sa->suite.prf)));
    secret_free(&octets);
    return holds;
}

static bool signature_holds(struct gateway *gateway, const struct message *message,
                            const struct auth_payload *auth)
{
    const struct payload *cert = message_find(message, P_CERT, 0);
    struct cert_chain *chain = NULL;
    struct secret octets = {0};
    struct bytes der;
    uint8_t encoding;
    bool holds;

    if (cert == NULL || cert_parse(&encoding, &der, cert->body) != OK ||
        cert_chain_from_der(&chain, &der, 1) != OK) {
        return false;
    }
    gateway_client_octets(gateway, &octets);
    holds = cert_verify_auth(chain, auth->method, auth->data, secret_bytes(&octets), false) == OK;
    secret_free(&octets);
    cert_chain_free(chain);
    return holds;
}

static void resumed_request(struct gateway *gateway, const struct message *message,
                            struct chain *reply)
{
    if (!gateway_resume_auth(gateway, message, reply)) {
        refuse(gateway, reply, N_AUTHENTICATION_FAILED);
        return;
    }
    write_child(gateway, reply);
    gateway->phase = GATEWAY_UP;
}

/* True when that is all; then there is no Child SA, and the client ends it. */
static bool redirect(struct gateway *gateway, struct chain *reply, enum gateway_redirect to)
{
    if (to == GATEWAY_REDIRECT_NONE) {
        return false;
    }
    gateway_write_redirect(reply, to, (struct bytes){0});
    if (!gateway->config.redirect_and_go_on) {
        gateway->phase = GATEWAY_CLOSED;
    }
    return !gateway->config.redirect_and_go_on;
}

static void first_request(struct gateway *gateway, const struct message *message,
                          struct chain *reply)
{
    const struct payload *payload = message_find(message, P_AUTH, 0);
    struct auth_payload auth;

    gateway_mobike_first(gateway, message);
    save(&gateway->idi, message, P_IDi);
    save(&gateway->saved_cp, message, P_CP);
    save(&gateway->saved_sa, message, P_SA);
    save(&gateway->saved_tsi, message, P_TSi);
    save(&gateway->saved_tsr, message, P_TSr);
    (void)gateway_notify_data(message, N_TICKET_REQUEST, &gateway->wants_ticket);
    if (gateway->resuming != NULL) {
        resumed_request(gateway, message, reply);
        return;
    }
    if (gateway->config.unknown_critical) {
        chain_begin(reply, (enum payload_type)UNKNOWN_PAYLOAD);
        reply->w.start[reply->payload_at + 1] = 0x80;
        chain_end(reply);
        return;
    }
    if (gateway->config.auth_error != 0) {
        refuse(gateway, reply, gateway->config.auth_error);
        return;
    }
    if (payload == NULL) {
        if (!gateway->config.eap_without_auth) {
            write_proof(gateway, reply);
            gateway->sent_proof = true;
            if (redirect(gateway, reply, gateway->config.redirect_auth)) {
                return;
            }
        }
        gateway_eap_begin(gateway, reply);
        return;
    }
    sim_require(auth_parse(&auth, payload->body) == OK, "the client's AUTH");
    if (gateway->config.auth == GATEWAY_AUTH_PSK
            ? !shared_proof_holds(gateway, &auth, bytes_of_string(PKI_PSK))
            : !signature_holds(gateway, message, &auth)) {
        refuse(gateway, reply, N_AUTHENTICATION_FAILED);
        return;
    }
    write_proof(gateway, reply);
    if (redirect(gateway, reply, gateway->config.redirect_auth)) {
        return;
    }
    write_child(gateway, reply);
    gateway->phase = GATEWAY_UP;
}

static void final_request(struct gateway *gateway, const struct message *message,
                          struct chain *reply)
{
    const struct payload *payload = message_find(message, P_AUTH, 0);
    struct bytes msk = bytes_of(gateway->msk, sizeof gateway->msk);
    struct auth_payload auth;

    if (payload == NULL || auth_parse(&auth, payload->body) != OK ||
        !shared_proof_holds(gateway, &auth, msk)) {
        refuse(gateway, reply, N_AUTHENTICATION_FAILED);
        return;
    }
    write_shared(gateway, reply, msk, gateway->config.wrong_final_auth);
    if (redirect(gateway, reply, gateway->config.redirect_final)) {
        return;
    }
    write_child(gateway, reply);
    gateway->phase = GATEWAY_UP;
}

void gateway_auth_request(struct gateway *gateway, const struct message *message,
                          struct chain *reply)
{
    const struct payload *eap = message_find(message, P_EAP, 0);

    if (gateway->phase == GATEWAY_INIT_DONE) {
        first_request(gateway, message, reply);
    } else if (gateway->phase == GATEWAY_FINAL_AUTH) {
        final_request(gateway, message, reply);
    } else if (eap != NULL) {
        gateway_eap(gateway, eap->body, reply);
    } else {
        refuse(gateway, reply, N_INVALID_SYNTAX);
    }
}

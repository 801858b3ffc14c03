/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "auth_gateway.h"

#include <stdio.h>

#include "vectors.h"

struct cert_trust *trust;
struct cert_credential *gateway_key, *other_key, *foreign_key, *user_key;

static struct cert_credential *credential_of(struct pki_spec spec)
{
    struct cert_credential *credential;
    struct pki_cert own = pki_issue(&spec);
    gnutls_datum_t pem;

    ck_assert_int_ge(gnutls_x509_privkey_export2_pkcs8(own.key, GNUTLS_X509_FMT_PEM, NULL,
                                                       GNUTLS_PKCS_PLAIN, &pem),
                     0);
    ck_assert_int_eq(cert_credential_new(&credential, pki_der(own.crt),
                                         bytes_of(pem.data, pem.size), (struct bytes){0}),
                     OK);
    gnutls_free(pem.data);
    return credential;
}

void auth_pki_make(void)
{
    struct pki_cert root = pki_issue(
        &(struct pki_spec){.subject = "CN=Root", .ca = true, .key = pki_key(PKI_P256, 1)});
    struct pki_cert foreign = pki_issue(
        &(struct pki_spec){.subject = "CN=Foreign", .ca = true, .key = pki_key(PKI_P256, 2)});
    struct bytes der = pki_der(root.crt);
    size_t n;

    ck_assert_int_eq(cert_trust_from_data(&trust, der, &n), OK);
    gateway_key = credential_of(
        (struct pki_spec){.subject = "CN=gw", .issuer = &root, .names = {"dns:vpn.example.org"}});
    other_key = credential_of((struct pki_spec){
        .subject = "CN=other", .issuer = &root, .names = {"dns:other.example.org"}});
    foreign_key = credential_of((struct pki_spec){
        .subject = "CN=gw", .issuer = &foreign, .names = {"dns:vpn.example.org"}});
    user_key = credential_of((struct pki_spec){.subject = "CN=alice",
                                               .issuer = &root,
                                               .key = pki_key(PKI_P384, 0),
                                               .names = {"email:alice@example.org"}});
}

void auth_pki_free(void)
{
    cert_trust_free(trust);
    cert_credential_free(gateway_key);
    cert_credential_free(other_key);
    cert_credential_free(foreign_key);
    cert_credential_free(user_key);
}

static const uint8_t only_mschapv2[] = {EAP_MSCHAPV2};

void start_eap(const char *user, const char *password)
{
    gw_start_with((struct ike_config){
        .request_ipv4 = true,
        .wall_clock = PKI_NOW,
        .eap = {.user = user,
                .password = bytes_of_string(password),
                .have_password = *password != '\0',
                .methods = only_mschapv2,
                .n_methods = 1},
    });
    ike_set_trust(gw.ike, trust);
    gw_until_request();
    ck_assert_ptr_null(message_find(&gw.message, P_AUTH, 0));
}

/* ---- what the gateway sends ---- */

void write_signature(struct chain *chain, const struct cert_credential *credential)
{
    struct secret octets = {0};
    uint8_t data[1024];
    uint8_t method;
    size_t len;

    gw_octets(&octets);
    ck_assert_int_eq(cert_sign_auth(credential, SIG_HASH_SHA2_256, false, false,
                                    secret_bytes(&octets), &method, data, sizeof data, &len),
                     OK);
    auth_write(chain, method, bytes_of(data, len));
    secret_free(&octets);
}

void write_proof(struct chain *chain, const struct cert_credential *credential)
{
    gw_write_idr(chain);
    cert_write(chain, P_CERT, CERT_ENCODING_X509_SIGNATURE, cert_credential_der(credential, 0));
    write_signature(chain, credential);
}

/* An EAP packet: code, identifier, length, then what follows. */
void write_eap(struct chain *chain, uint8_t code, uint8_t id, struct bytes rest)
{
    chain_begin(chain, P_EAP);
    wr_u8(&chain->w, code);
    wr_u8(&chain->w, id);
    wr_u16(&chain->w, (uint16_t)(4 + rest.len));
    wr_bytes(&chain->w, rest);
    chain_end(chain);
}

void write_mschapv2(struct chain *chain, uint8_t id, uint8_t opcode, struct bytes rest)
{
    uint8_t packet[512];
    struct writer w = writer_of(packet, sizeof packet);

    wr_u8(&w, EAP_MSCHAPV2);
    wr_u8(&w, opcode);
    wr_u8(&w, id);
    wr_u16(&w, (uint16_t)(4 + rest.len));
    wr_bytes(&w, rest);
    write_eap(chain, 1, id, wr_written(&w));
}

static const uint8_t challenge[MSCHAPV2_CHALLENGE_LEN] = {1, 2, 3};
uint8_t msk[MSCHAPV2_MSK_LEN];
char success_text[64];

void send_challenge(uint32_t message_id)
{
    struct chain chain = gw_new_chain();
    uint8_t rest[1 + sizeof challenge + 2] = {sizeof challenge};

    memcpy(rest + 1, challenge, sizeof challenge);
    memcpy(rest + 1 + sizeof challenge, "gw", 2);
    write_mschapv2(&chain, 7, 1, bytes_of(rest, sizeof rest));
    gw_send_sealed(X_IKE_AUTH, message_id, true, &chain);
}

/* Checks the client's answer in gw.message as a server does; fills msk and success_text. */
void check_response(void)
{
    struct reader r = reader_of(message_find(&gw.message, P_EAP, 0)->body);
    uint8_t hash[MSCHAPV2_HASH_LEN];
    uint8_t nt[MSCHAPV2_NT_RESPONSE_LEN];
    uint8_t authenticator[MSCHAPV2_AUTHENTICATOR_LEN];
    uint8_t short_challenge[8];
    struct bytes peer;
    struct bytes given;

    rd_skip(&r, 4);
    ck_assert_uint_eq(rd_u8(&r), EAP_MSCHAPV2);
    ck_assert_uint_eq(rd_u8(&r), 2);
    rd_skip(&r, 4);
    peer = rd_bytes(&r, 16);
    rd_skip(&r, 8);
    given = rd_bytes(&r, sizeof nt);
    rd_skip(&r, 1);
    ck_assert_octets(rd_rest(&r), bytes_of_string(USER));
    ck_assert_int_eq(mschapv2_password_hash(bytes_of_string(PASSWORD), hash), OK);
    mschapv2_challenge_hash(peer.data, challenge, bytes_of_string(USER), short_challenge);
    mschapv2_nt_response(short_challenge, hash, nt);
    ck_assert_octets(given, bytes_of(nt, sizeof nt));
    mschapv2_authenticator_response(short_challenge, hash, nt, authenticator);
    mschapv2_msk(hash, nt, msk);
    strcpy(success_text, "S=");
    for (size_t i = 0; i < sizeof authenticator; i++) {
        (void)snprintf(success_text + 2 + 2 * i, 3, "%02X", authenticator[i]);
    }
}

void send_identity_request(const struct cert_credential *credential)
{
    struct chain chain = gw_new_chain();

    write_proof(&chain, credential);
    write_eap(&chain, 1, 1, bytes_of("\1", 1));
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
}

/* Until the client has sent its AUTH that proves the MSK */
void until_finish(void)
{
    send_identity_request(gateway_key);
    until_finish_of_identified();
}

void until_finish_of_identified(void)
{
    struct chain chain;

    gw_expect(X_IKE_AUTH, false);
    ck_assert_octets(message_find(&gw.message, P_EAP, 0)->body, bytes_of("\2\1\0\12\1alice", 10));
    send_challenge(2);
    gw_expect(X_IKE_AUTH, false);
    check_response();
    chain = gw_new_chain();
    write_mschapv2(&chain, 8, 3, bytes_of_string(success_text));
    gw_send_sealed(X_IKE_AUTH, 3, true, &chain);
    gw_expect(X_IKE_AUTH, false);
    chain = gw_new_chain();
    write_eap(&chain, 3, 8, (struct bytes){0});
    gw_send_sealed(X_IKE_AUTH, 4, true, &chain);
    gw_expect(X_IKE_AUTH, false);
    gw_check_shared_auth(bytes_of(msk, sizeof msk));
}

void expect_authentication_failed(enum reason reason)
{
    struct notify notify;

    /* Nothing of EAP may have left (CVE-2015-4171). */
    gw_expect(X_INFORMATIONAL, false);
    ck_assert_int_eq(notify_parse(&notify, message_find(&gw.message, P_NOTIFY, 0)->body), OK);
    ck_assert_uint_eq(notify.type, N_AUTHENTICATION_FAILED);
    gw_answer_empty(gw.message.header.message_id);
    ck_assert(gw.down);
    ck_assert_str_eq(reason_name(gw.reason), reason_name(reason));
    ck_assert(!gw.up);
    ck_assert(!gw_pull());
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "auth_gateway.h"
#include "vectors.h"

/* The gateway by certificate, the user by EAP-MSCHAPv2 or certificate, as ladders. */

/* ---- EAP ---- */

START_TEST(password)
{
    struct chain chain;
    struct ike_summary summary;

    start_eap(USER, PASSWORD);
    until_finish();
    chain = gw_new_chain();
    gw_write_shared_auth(&chain, bytes_of(msk, sizeof msk));
    gw_write_address(&chain);
    gw_write_child(&chain, "aes128gcm16-noesn");
    gw_send_sealed(X_IKE_AUTH, 5, true, &chain);
    gw_drain();
    ck_assert(gw.up);
    ike_get_summary(gw.ike, &summary);
    ck_assert_str_eq(summary.gateway_id, "vpn.example.org");
    ck_assert_str_eq(summary.user_auth, "EAP-MSCHAPv2");
    ck_assert_str_eq(summary.local_id, "alice");
    gw_finish();
}
END_TEST

START_TEST(secrets_are_asked_for_when_they_are_needed)
{
    uint64_t asked;

    start_eap("", "");
    send_identity_request(gateway_key);
    gw_drain();
    ck_assert_int_eq(gw.asked, EAP_SECRET_USER);
    /* The user takes an hour; the clock stands, but for keepalives. */
    asked = gw.now;
    gw_tick_at(asked + 3600 * 1000 * MS);
    gw_drain();
    ck_assert(!gw.down);
    ck_assert(gw_pull());
    ck_assert_uint_eq(gw.len, 1);
    /* What a keepalive meets says nothing of the request that comes after it. */
    ike_unreachable(gw.ike, &gw.path, IKE_ICMP_PORT_UNREACHABLE, &gw.path.remote.addr, gw.now);
    ike_provide_secret(gw.ike, EAP_SECRET_USER, bytes_of_string(USER), gw.now);
    gw_expect(X_IKE_AUTH, false);
    ike_unreachable(gw.ike, &gw.path, IKE_ICMP_PORT_UNREACHABLE, &gw.path.remote.addr, gw.now);
    gw_drain();
    ck_assert(!gw.down);
    send_challenge(2);
    gw_drain();
    ck_assert_int_eq(gw.asked, EAP_SECRET_PASSWORD);
    ck_assert(!gw_pull());
    if (_i == 0) {
        ike_provide_secret(gw.ike, EAP_SECRET_PASSWORD, bytes_of_string(PASSWORD), gw.now);
        gw_expect(X_IKE_AUTH, false);
        check_response();
        ck_assert_uint_gt(ike_deadline(gw.ike), gw.now);
    } else {
        ike_provide_secret(gw.ike, EAP_SECRET_PASSWORD, (struct bytes){0}, gw.now);
        gw_drain();
        ck_assert_int_eq(gw.reason, REASON_SECRET_MISSING);
    }
    gw_finish();
}
END_TEST

/* The gateway's own words are shown, whichever way it ends the conversation. */
START_TEST(wrong_password)
{
    static const char failure[] = "E=691 R=0 C=00000000000000000000000000000000 V=3 M=Go away";
    struct chain chain;

    start_eap(USER, "wrong");
    send_identity_request(gateway_key);
    gw_expect(X_IKE_AUTH, false);
    send_challenge(2);
    gw_expect(X_IKE_AUTH, false);
    chain = gw_new_chain();
    write_mschapv2(&chain, 7, 4, bytes_of_string(failure));
    gw_send_sealed(X_IKE_AUTH, 3, true, &chain);
    gw_expect(X_IKE_AUTH, false);
    chain = gw_new_chain();
    if (_i != 1) {
        write_eap(&chain, 4, 8, (struct bytes){0});
    }
    if (_i != 0) {
        notify_write(&chain, 0, (struct bytes){0}, N_AUTHENTICATION_FAILED, (struct bytes){0});
    }
    gw_send_sealed(X_IKE_AUTH, 4, true, &chain);
    gw_drain();
    ck_assert_str_eq(reason_name(gw.reason), reason_name(REASON_AUTH_FAILED));
    ck_assert_msg(strstr(gw.detail, "691") != NULL && strstr(gw.detail, "Go away") != NULL, "%s",
                  gw.detail);
    ck_assert(!gw_pull());
    gw_finish();
}
END_TEST

/* CVE-2021-45079 */
START_TEST(cve_2021_45079_early_eap_success)
{
    struct chain chain;

    start_eap(USER, PASSWORD);
    if (_i == 0) {
        chain = gw_new_chain();
        write_proof(&chain, gateway_key);
        write_eap(&chain, 3, 1, (struct bytes){0});
        gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    } else {
        send_identity_request(gateway_key);
        gw_expect(X_IKE_AUTH, false);
        if (_i == 2) {
            send_challenge(2);
            gw_expect(X_IKE_AUTH, false);
        }
        chain = gw_new_chain();
        write_eap(&chain, 3, 8, (struct bytes){0});
        gw_send_sealed(X_IKE_AUTH, 1 + (uint32_t)_i, true, &chain);
    }
    while (gw_pull()) {
        ck_assert_uint_ne(gw.datagram[18], X_IKE_AUTH);
    }
    gw_tick_at(gw.now + 2000 * MS);
    gw_drain();
    ck_assert(gw.down);
    ck_assert_int_ne(gw.reason, REASON_USER);
    gw_finish();
}
END_TEST

START_TEST(final_auth_must_prove_the_msk)
{
    struct chain chain;

    start_eap(USER, PASSWORD);
    until_finish();
    chain = gw_new_chain();
    msk[0] ^= 1;
    gw_write_shared_auth(&chain, bytes_of(msk, sizeof msk));
    gw_write_address(&chain);
    gw_write_child(&chain, "aes128gcm16-noesn");
    gw_send_sealed(X_IKE_AUTH, 5, true, &chain);
    expect_authentication_failed(REASON_GATEWAY_AUTH_FAILED);
    gw_finish();
}
END_TEST

/* ---- the gateway's certificate ---- */

START_TEST(cve_2015_4171_no_credentials_before_gateway)
{
    struct chain chain;
    enum reason want = REASON_GATEWAY_AUTH_FAILED;

    start_eap(USER, PASSWORD);
    chain = gw_new_chain();
    switch (_i) {
    case 0:
        write_proof(&chain, other_key);
        want = REASON_GATEWAY_IDENTITY_MISMATCH;
        break;
    case 1:
        write_proof(&chain, foreign_key);
        want = REASON_GATEWAY_UNTRUSTED;
        break;
    case 2: /* somebody else's certificate */
        gw_write_idr(&chain);
        cert_write(&chain, P_CERT, CERT_ENCODING_X509_SIGNATURE,
                   cert_credential_der(gateway_key, 0));
        write_signature(&chain, user_key);
        break;
    case 3: /* hash and URL, which was not asked for */
        gw_write_idr(&chain);
        cert_write(&chain, P_CERT, 12, cert_credential_der(gateway_key, 0));
        write_signature(&chain, gateway_key);
        want = REASON_GATEWAY_UNTRUSTED;
        break;
    case 4:
        gw_write_idr_auth(&chain);
        break;
    case 5: /* RFC 5998, which was not announced */
        gw_write_idr(&chain);
        break;
    case 6: /* over other octets */
        gw.nonce[0] ^= 1;
        gw.init_response.data[40] ^= 1;
        write_proof(&chain, gateway_key);
        break;
    default:
        ike_set_trust(gw.ike, NULL);
        write_proof(&chain, gateway_key);
        want = REASON_GATEWAY_UNTRUSTED;
        break;
    }
    write_eap(&chain, 1, 1, bytes_of("\1", 1));
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    expect_authentication_failed(want);
    gw_finish();
}
END_TEST

static void fingerprint_of(const struct cert_credential *credential,
                           uint8_t out[static FINGERPRINT_LEN])
{
    struct bytes der = cert_credential_der(credential, 0);
    struct cert_chain *chain;

    ck_assert_int_eq(cert_chain_from_der(&chain, &der, 1), OK);
    ck_assert(cert_chain_fingerprint(chain, out));
    cert_chain_free(chain);
}

/* A certificate is shown by one that has not its key. */
static void write_stolen_proof(struct chain *chain)
{
    gw_write_idr(chain);
    cert_write(chain, P_CERT, CERT_ENCODING_X509_SIGNATURE, cert_credential_der(foreign_key, 0));
    write_signature(chain, user_key);
}

/* What a person may decide about: never more than that nobody vouches for it. */
START_TEST(untrusted_gateway_is_described)
{
    static const unsigned problems[] = {GATEWAY_UNKNOWN_AUTHORITY, GATEWAY_OTHER_NAME,
                                        GATEWAY_UNKNOWN_AUTHORITY,
                                        GATEWAY_UNKNOWN_AUTHORITY | GATEWAY_OTHER_NAME, 0};
    struct cert_credential *keys[] = {foreign_key, other_key, gateway_key, other_key, foreign_key};
    uint8_t fingerprint[FINGERPRINT_LEN];
    struct chain chain;

    start_eap(USER, PASSWORD);
    chain = gw_new_chain();
    if (_i == 2 || _i == 3) {
        ike_set_trust(gw.ike, NULL);
    }
    if (_i == 4) {
        write_stolen_proof(&chain);
    } else {
        write_proof(&chain, keys[_i]);
    }
    write_eap(&chain, 1, 1, bytes_of("\1", 1));
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    expect_authentication_failed(_i == 1 ? REASON_GATEWAY_IDENTITY_MISMATCH
                                         : REASON_GATEWAY_UNTRUSTED);
    ck_assert_uint_eq(gw.untrusted.problems, problems[_i]);
    if (_i != 4) {
        fingerprint_of(keys[_i], fingerprint);
        ck_assert_octets(bytes_of(gw.untrusted.fingerprint, FINGERPRINT_LEN),
                         bytes_of(fingerprint, FINGERPRINT_LEN));
        ck_assert_str_eq(gw.untrusted.expected, "vpn.example.org");
        ck_assert_str_eq(gw.untrusted.subject, keys[_i] == other_key ? "CN=other" : "CN=gw");
        ck_assert_str_eq(gw.untrusted.names[0],
                         keys[_i] == other_key ? "other.example.org" : "vpn.example.org");
    }
    gw_finish();
}
END_TEST

/* One certificate and no other, whoever vouches for that; and its key must be there too. */
START_TEST(pinned_gateway)
{
    struct cert_credential *keys[] = {foreign_key, other_key, gateway_key, foreign_key};
    uint8_t fingerprint[FINGERPRINT_LEN];
    struct chain chain;

    fingerprint_of(_i == 1 ? other_key : foreign_key, fingerprint);
    gw_start_with((struct ike_config){
        .request_ipv4 = true,
        .wall_clock = PKI_NOW,
        .eap = {.user = USER, .methods = (const uint8_t[]){EAP_MSCHAPV2}, .n_methods = 1},
        .gateway_fingerprint = bytes_of(fingerprint, sizeof fingerprint),
    });
    if (_i % 2 != 0) {
        ike_set_trust(gw.ike, trust);
    }
    gw_until_request();
    chain = gw_new_chain();
    if (_i == 3) {
        write_stolen_proof(&chain);
    } else {
        write_proof(&chain, keys[_i]);
    }
    write_eap(&chain, 1, 1, bytes_of("\1", 1));
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    if (_i < 2) {
        gw_expect(X_IKE_AUTH, false);
        ck_assert_ptr_nonnull(message_find(&gw.message, P_EAP, 0));
    } else {
        expect_authentication_failed(_i == 2 ? REASON_GATEWAY_CHANGED : REASON_GATEWAY_AUTH_FAILED);
        ck_assert_uint_eq(gw.untrusted.problems, 0);
    }
    gw_finish();
}
END_TEST

/*
 * RFC 7296 3.5: IDr need not be in the certificate. Routers send their address or a name of their
 * own, whatever their certificate is for; who the user asked for is what counts.
 */
static const struct {
    size_t len;
    const char *body;
} names_of_its_own[] = {
    {8, "\1\0\0\0\xc0\0\2\x63"},
    {10, "\2\0\0\0router"},
    {10, "\13\0\0\0router"},
};

START_TEST(gateway_with_a_name_of_its_own)
{
    bool right = _i % 2 == 0;
    struct ike_summary summary;

    start_eap(USER, PASSWORD);
    gw.idr = bytes_of((const uint8_t *)names_of_its_own[_i / 2].body, names_of_its_own[_i / 2].len);
    send_identity_request(right ? gateway_key : other_key);
    if (right) {
        gw_expect(X_IKE_AUTH, false);
        ck_assert_ptr_nonnull(message_find(&gw.message, P_EAP, 0));
        ike_get_summary(gw.ike, &summary);
        ck_assert_str_eq(summary.gateway_id, "vpn.example.org");
    } else {
        expect_authentication_failed(REASON_GATEWAY_IDENTITY_MISMATCH);
    }
    gw_finish();
}
END_TEST

START_TEST(gateway_that_skips_the_user)
{
    struct chain chain;

    start_eap(USER, PASSWORD);
    chain = gw_new_chain();
    write_proof(&chain, gateway_key);
    gw_write_address(&chain);
    gw_write_child(&chain, "aes128gcm16-noesn");
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    expect_authentication_failed(REASON_PROTOCOL);
    gw_finish();
}
END_TEST

/* ---- the user's certificate ---- */

START_TEST(user_certificate)
{
    struct chain chain;
    struct cert_chain *client;
    struct auth_payload auth;
    struct secret octets = {0};
    struct bytes der;
    uint8_t encoding;

    gw_start_with((struct ike_config){
        .request_ipv4 = true,
        .wall_clock = PKI_NOW,
        .auth = IKE_AUTH_CERTIFICATE,
        .credential = user_key,
        .send_certreq = true,
        .local_id = {.type = ID_RFC822_ADDR, .data = "alice@example.org", .len = 17},
    });
    ike_set_trust(gw.ike, trust);
    gw_until_request();
    ck_assert_int_eq(cert_parse(&encoding, &der, message_find(&gw.message, P_CERTREQ, 0)->body),
                     OK);
    ck_assert_uint_eq(der.len, 20);
    ck_assert_int_eq(cert_parse(&encoding, &der, message_find(&gw.message, P_CERT, 0)->body), OK);
    ck_assert_int_eq(cert_chain_from_der(&client, &der, 1), OK);
    ck_assert_int_eq(auth_parse(&auth, message_find(&gw.message, P_AUTH, 0)->body), OK);
    gw_client_octets(&octets);
    ck_assert_int_eq(cert_verify_auth(client, auth.method, auth.data, secret_bytes(&octets), false),
                     OK);
    secret_free(&octets);
    cert_chain_free(client);
    chain = gw_new_chain();
    write_proof(&chain, gateway_key);
    if (_i == 0) {
        gw_write_address(&chain);
        gw_write_child(&chain, "aes128gcm16-noesn");
        gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
        gw_drain();
        ck_assert(gw.up);
    } else {
        write_eap(&chain, 1, 1, bytes_of("\1", 1));
        gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
        expect_authentication_failed(REASON_GATEWAY_REFUSED);
    }
    gw_finish();
}
END_TEST

/* ---- a key that is elsewhere ---- */

static struct cert_credential *start_elsewhere(void)
{
    struct bytes der = cert_credential_der(user_key, 0);
    struct cert_credential *elsewhere;

    ck_assert_int_eq(cert_credential_elsewhere(&elsewhere, &der, 1, (struct bytes){0}), OK);
    gw_start_with((struct ike_config){
        .request_ipv4 = true,
        .wall_clock = PKI_NOW,
        .auth = IKE_AUTH_CERTIFICATE,
        .credential = elsewhere,
        .timeout_us = 5000 * MS,
    });
    ike_set_trust(gw.ike, trust);
    gw_expect(X_IKE_SA_INIT, false);
    gw_answer_init("x25519");
    return elsewhere;
}

static gnutls_datum_t sign_elsewhere(const struct cert_signing *signing, struct bytes octets,
                                     unsigned key)
{
    const gnutls_datum_t data = {(unsigned char *)(uintptr_t)octets.data, (unsigned)octets.len};
    gnutls_datum_t signature;
    gnutls_privkey_t signer;

    ck_assert_int_ge(gnutls_privkey_init(&signer), 0);
    ck_assert_int_ge(gnutls_privkey_import_x509(signer, pki_key(PKI_P384, key), 0), 0);
    ck_assert_int_ge(gnutls_privkey_sign_data2(signer, (gnutls_sign_algorithm_t)signing->algorithm,
                                               0, &data, &signature),
                     0);
    gnutls_privkey_deinit(signer);
    return signature;
}

/* The clock stands while it is signed, and a signature of another key does not leave. */
START_TEST(signature_made_elsewhere)
{
    struct cert_credential *elsewhere = start_elsewhere();
    struct cert_signing signing;
    struct bytes octets;
    gnutls_datum_t signature;
    struct chain chain;

    gw_drain();
    ck_assert(!gw_pull());
    octets = ike_to_sign(gw.ike, &signing);
    ck_assert_uint_gt(octets.len, 0);
    gw_tick_at(gw.now + 60000 * MS);
    gw_drain();
    ck_assert(!gw.down);
    while (gw_pull()) {
        ck_assert_uint_eq(gw.len, 1);
    }
    signature = sign_elsewhere(&signing, octets, _i == 0 ? 0 : 1);
    ike_provide_signature(gw.ike, bytes_of(signature.data, signature.size), REASON_NONE, "",
                          gw.now);
    gnutls_free(signature.data);
    ck_assert_uint_eq(ike_to_sign(gw.ike, &signing).len, 0);
    if (_i == 0) {
        gw_expect(X_IKE_AUTH, false);
        chain = gw_new_chain();
        write_proof(&chain, gateway_key);
        gw_write_address(&chain);
        gw_write_child(&chain, "aes128gcm16-noesn");
        gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
        gw_drain();
        ck_assert(gw.up);
    } else {
        gw_drain();
        ck_assert(!gw_pull());
        ck_assert_int_eq(gw.reason, REASON_PROFILE);
        ck_assert_ptr_nonnull(strstr(gw.detail, "belong together"));
    }
    gw_finish();
    cert_credential_free(elsewhere);
}
END_TEST

START_TEST(no_signature_is_made_elsewhere)
{
    struct cert_credential *elsewhere = start_elsewhere();

    gw_drain();
    if (_i == 0) {
        ike_provide_signature(gw.ike, (struct bytes){0}, REASON_TOKEN_MISSING, "gone", gw.now);
        gw_drain();
        ck_assert_int_eq(gw.reason, REASON_TOKEN_MISSING);
        ck_assert_str_eq(gw.detail, "gone");
    } else {
        ike_disconnect(gw.ike, gw.now);
        gw_drain();
        ck_assert_int_eq(gw.reason, REASON_USER);
    }
    ck_assert(!gw_pull());
    /* Too late. */
    ike_provide_signature(gw.ike, bytes_of_string("x"), REASON_NONE, "", gw.now);
    ck_assert(!gw_pull());
    gw_finish();
    cert_credential_free(elsewhere);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ike auth");
    TCase *tcase = tcase_create("auth");

    tcase_add_unchecked_fixture(tcase, auth_pki_make, auth_pki_free);
    tcase_add_test(tcase, password);
    tcase_add_loop_test(tcase, secrets_are_asked_for_when_they_are_needed, 0, 2);
    tcase_add_loop_test(tcase, wrong_password, 0, 3);
    tcase_add_loop_test(tcase, cve_2021_45079_early_eap_success, 0, 3);
    tcase_add_test(tcase, final_auth_must_prove_the_msk);
    tcase_add_loop_test(tcase, cve_2015_4171_no_credentials_before_gateway, 0, 8);
    tcase_add_loop_test(tcase, untrusted_gateway_is_described, 0, 5);
    tcase_add_loop_test(tcase, pinned_gateway, 0, 4);
    tcase_add_loop_test(tcase, gateway_with_a_name_of_its_own, 0, 6);
    tcase_add_test(tcase, gateway_that_skips_the_user);
    tcase_add_loop_test(tcase, user_certificate, 0, 2);
    tcase_add_loop_test(tcase, signature_made_elsewhere, 0, 2);
    tcase_add_loop_test(tcase, no_signature_is_made_elsewhere, 0, 2);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "auth_gateway.h"
#include "vectors.h"

/* Faults that broke other clients while the gateway and the user prove themselves; the table of all
 * is in test_cve_ike.c. */

/* ---- every EAP packet in every state ---- */

static const struct {
    uint8_t code;
    const char *rest; /* in hexadecimal, after EAP's own header */
} eap_packets[] = {
    {1, "01"},                                           /* Identity */
    {1, "1a010700151000000000000000000000000000000000"}, /* MSCHAPv2 Challenge */
    {1, "1a0207000610"},                                 /* Response, which is ours */
    {1, "1a03070004"},                                   /* Success */
    {1, "1a04070004453d363931"},                         /* Failure */
    {1, "1a07070004"},                                   /* Change-Password */
    {1, "1a"},                                           /* nothing of it */
    {1, "0261"},                                         /* Notification */
    {1, "0300"},                                         /* Nak, which is ours */
    {1, "0661"},                                         /* GTC: "give me the password" */
    {1, "0d20"},                                         /* TLS Start */
    {1, "fe000000000000001a"},                           /* Expanded */
    {1, ""},
    {2, "0161"}, /* a Response */
    {3, ""},     /* Success */
    {3, "00"},
    {4, ""},   /* Failure */
    {5, "01"}, /* Initiate (RFC 6696) */
    {0, "01"},
};
#define EAP_PACKETS ((int)(sizeof eap_packets / sizeof eap_packets[0]))

/* Without AUTH, alone, with IDr, with IDr and CERT: nothing of EAP leaves. */
START_TEST(cve_2015_4171_eap_before_proof)
{
    for (unsigned with = 0; with < 3; with++) {
        struct chain chain;

        start_eap(USER, PASSWORD);
        chain = gw_new_chain();
        if (with > 0) {
            gw_write_idr(&chain);
        }
        if (with > 1) {
            cert_write(&chain, P_CERT, CERT_ENCODING_X509_SIGNATURE,
                       cert_credential_der(gateway_key, 0));
        }
        write_eap(&chain, eap_packets[_i].code, 1, hex(eap_packets[_i].rest));
        gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
        while (gw_pull()) {
            ck_assert_uint_eq(gw.datagram[18], X_INFORMATIONAL);
        }
        gw_tick_at(gw.now + 2000 * MS);
        gw_drain();
        ck_assert(gw.down && !gw.up);
        ck_assert_int_ne(gw.reason, REASON_NONE);
        gw_finish();
    }
}
END_TEST

/* In each state of the method; then the gateway pretends that all is well. */
START_TEST(cve_2026_78126_eap_state_matrix)
{
    for (uint32_t state = 1; state <= 3; state++) {
        struct chain chain;
        uint32_t id = state + 1;

        start_eap(USER, PASSWORD);
        send_identity_request(gateway_key);
        gw_expect(X_IKE_AUTH, false);
        if (state > 1) {
            send_challenge(2);
            gw_expect(X_IKE_AUTH, false);
            check_response();
        }
        if (state > 2) {
            chain = gw_new_chain();
            write_mschapv2(&chain, 8, 3, bytes_of_string(success_text));
            gw_send_sealed(X_IKE_AUTH, 3, true, &chain);
            gw_expect(X_IKE_AUTH, false);
        }
        chain = gw_new_chain();
        write_eap(&chain, eap_packets[_i].code, 9, hex(eap_packets[_i].rest));
        gw_send_sealed(X_IKE_AUTH, id, true, &chain);
        gw_drain();
        ck_assert(!gw.up);
        /* Earned in the last state alone. */
        if (state < 3 || eap_packets[_i].code != 3 || eap_packets[_i].rest[0] != '\0') {
            ck_assert_int_ne(gw.ike->state, ST_FINISH_TODO);
            ck_assert_int_ne(gw.ike->state, ST_FINISH_SENT);
        }
        while (gw_pull()) {
        }
        chain = gw_new_chain();
        gw_write_shared_auth(&chain, (struct bytes){0});
        gw_write_address(&chain);
        gw_write_child(&chain, "aes128gcm16-noesn");
        gw_send_sealed(X_IKE_AUTH, id + 1, true, &chain);
        gw_drain();
        ck_assert(!gw.up);
        ck_assert_int_ne(gw.ike->state, ST_UP);
        gw_finish();
    }
}
END_TEST

/* Requests of the gateway while EAP runs, while the user is asked and before the final AUTH. */
START_TEST(cve_2026_78135_requests_during_eap)
{
    static const uint8_t exchanges[] = {X_IKE_SA_INIT,   X_IKE_AUTH, X_CREATE_CHILD_SA,
                                        X_INFORMATIONAL, 43,         255};
    struct chain chain = gw_new_chain();
    enum ike_state state;

    start_eap(_i == 0 ? "" : USER, PASSWORD);
    if (_i < 2) {
        send_identity_request(gateway_key);
    } else {
        until_finish();
    }
    if (_i == 1) {
        gw_expect(X_IKE_AUTH, false);
    }
    state = gw.ike->state;
    ck_assert_int_eq(state, _i == 0 ? ST_EAP_TODO : _i == 1 ? ST_EAP_SENT : ST_FINISH_SENT);
    for (size_t i = 0; i < sizeof exchanges; i++) {
        chain = gw_new_chain();
        gw_send_sealed(exchanges[i], 0, false, &chain);
        delete_write(&chain, PROTO_IKE, NULL, 0);
        gw_send_sealed(exchanges[i], 0, false, &chain);
        chain = gw_new_chain();
        sa_write(&chain, &gw.ike->offer_esp, bytes_of("\1\2\3\4", 4));
        chain_add(&chain, P_NONCE, bytes_of(gw.nonce, sizeof gw.nonce));
        gw_send_sealed(exchanges[i], 0, false, &chain);
        chain = gw_new_chain();
        chain_add(&chain, (enum payload_type)200, bytes_of("x", 1));
        chain.w.start[1] = 0x80;
        gw_send_sealed(exchanges[i], 0, false, &chain);
    }
    gw_drain();
    ck_assert(!gw_pull());
    ck_assert(!gw.down && !gw.up);
    ck_assert_int_eq(gw.ike->state, state);
    ck_assert_uint_eq(gw.ike->sa.peer_next_id, 0);
    gw_finish();
}
END_TEST

/* ---- CERT and AUTH payloads that are nonsense ---- */

static void refuse_chain(struct chain *chain, enum reason want)
{
    write_eap(chain, 1, 1, bytes_of("\1", 1));
    gw_send_sealed(X_IKE_AUTH, 1, true, chain);
    expect_authentication_failed(want);
    gw_finish();
}

/* The good certificate, but said to be PKCS #7, an attribute certificate, a raw key, a URL, … */
START_TEST(cve_2026_78123_cert_encodings)
{
    static const uint8_t encodings[] = {0,  1,  2,  3,  5,  6,  7,  8,   9,   10, 11,
                                        12, 13, 14, 15, 16, 17, 99, 200, 201, 255};

    for (size_t i = 0; i < sizeof encodings; i++) {
        struct chain chain;

        start_eap(USER, PASSWORD);
        chain = gw_new_chain();
        gw_write_idr(&chain);
        cert_write(&chain, P_CERT, encodings[i], cert_credential_der(gateway_key, 0));
        write_signature(&chain, gateway_key);
        refuse_chain(&chain, REASON_GATEWAY_UNTRUSTED);
    }
}
END_TEST

/* Every seventh truncation, octets behind, and what is no certificate at all. */
START_TEST(cve_2026_14957_cert_garbage)
{
    struct bytes good = cert_credential_der(gateway_key, 0);
    uint8_t *longer = g_malloc0(good.len + 1);
    const struct bytes others[] = {
        bytes_of(longer, good.len + 1), hex("00"),  hex("30"), hex("3080"), hex("30820000"),
        hex("3084ffffffff00"),          hex("0500")};

    memcpy(longer, good.data, good.len);
    for (size_t i = 0; i < good.len / 7 + sizeof others / sizeof others[0]; i++) {
        struct bytes der = i < good.len / 7 ? bytes_of(good.data, i * 7) : others[i - good.len / 7];
        struct chain chain;

        start_eap(USER, PASSWORD);
        chain = gw_new_chain();
        gw_write_idr(&chain);
        cert_write(&chain, P_CERT, CERT_ENCODING_X509_SIGNATURE, der);
        write_signature(&chain, gateway_key);
        write_eap(&chain, 1, 1, bytes_of("\1", 1));
        gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
        gw_drain();
        while (gw_pull()) {
            ck_assert_uint_eq(gw.datagram[18], X_INFORMATIONAL);
        }
        gw_tick_at(gw.now + 2000 * MS);
        gw_drain();
        ck_assert(gw.down && !gw.up);
        gw_finish();
    }
    g_free(longer);
}
END_TEST

/* What a verifier that mistakes an error for success would take. */
START_TEST(cve_2013_2944_signature_garbage)
{
    static const char *const data[] = {
        "00",
        "0c300a06082a8648ce3d040302", /* ecdsa-with-SHA256, no signature */
        "0c300a06082a8648ce3d04030200",
        "0c300a06082a8648ce3d0403023000",
        "0c300a06082a8648ce3d0403023006020100020100", /* r = s = 0 */
        "0c300a06082a8648ce3d0403023006020101020101",
        "0c300a06082a8648ce3d04030230060201ff0201ff",
        "0c300a06082a8648ce3d04030230840000000002010102010100", /* lengths that lie */
        "ff300a06082a8648ce3d0403023006020101020101",
        "00300a06082a8648ce3d0403023006020101020101",
        "0f300d06092a864886f70d01010b05003006020101020101", /* RSA for a key that is none */
    };
    static const uint8_t methods[] = {0, 1, 2, 3, 9, 10, 11, 12, 13, 14, 15, 255};

    for (size_t i = 0; i < sizeof methods; i++) {
        struct chain chain;

        start_eap(USER, PASSWORD);
        chain = gw_new_chain();
        gw_write_idr(&chain);
        cert_write(&chain, P_CERT, CERT_ENCODING_X509_SIGNATURE,
                   cert_credential_der(gateway_key, 0));
        auth_write(&chain, methods[i], hex(data[_i]));
        refuse_chain(&chain, REASON_GATEWAY_AUTH_FAILED);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cve auth");
    TCase *tcase = tcase_create("auth");

    tcase_add_unchecked_fixture(tcase, auth_pki_make, auth_pki_free);
    tcase_add_loop_test(tcase, cve_2015_4171_eap_before_proof, 0, EAP_PACKETS);
    tcase_add_loop_test(tcase, cve_2026_78126_eap_state_matrix, 0, EAP_PACKETS);
    tcase_add_loop_test(tcase, cve_2026_78135_requests_during_eap, 0, 3);
    tcase_add_test(tcase, cve_2026_78123_cert_encodings);
    tcase_add_test(tcase, cve_2026_14957_cert_garbage);
    tcase_add_loop_test(tcase, cve_2013_2944_signature_garbage, 0, 11);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

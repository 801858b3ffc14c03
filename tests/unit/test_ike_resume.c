/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <gnutls/crypto.h>

#include "auth_gateway.h"
#include "ticket_peer.h"
#include "vectors.h"

/*
 * Session resumption (RFC 5723) as ladders. What the gateway derives is written out here from the
 * RFC's formulas over GnuTLS's HMAC, so that nothing is compared with itself.
 */

#define SECOND "another one"
#define RESUMED_SPI UINT64_C(0x5555666677778888)
#define PATIENCE_MS 5000

static const struct bytes none;

/* ---- RFC 5723 5.1 and 4.3.3, written out ---- */

static void hmac(struct bytes key, const struct bytes *parts, size_t n, uint8_t out[32])
{
    gnutls_hmac_hd_t mac;

    ck_assert_int_eq(gnutls_hmac_init(&mac, GNUTLS_MAC_SHA256, key.data, key.len), 0);
    for (size_t i = 0; i < n; i++) {
        ck_assert_int_eq(gnutls_hmac(mac, parts[i].data, parts[i].len), 0);
    }
    gnutls_hmac_deinit(mac, out);
}

/* {SK_d | SK_ei | SK_er | SK_pi | SK_pr} for aes128gcm16-prfsha256 */
static void derive(void)
{
    uint8_t seed[32], stream[160], spis[16];
    struct writer w = writer_of(spis, sizeof spis);
    struct bytes ni = secret_bytes(&gw.sa.ni), nr = bytes_of(gw.nonce, sizeof gw.nonce);
    const struct bytes first[] = {bytes_of_string("Resumption"), ni, nr};
    struct reader r;

    wr_u64(&w, gw.sa.spi_i);
    wr_u64(&w, gw.sa.spi_r);
    hmac(bytes_of(ticket_peer.sk_d, sizeof ticket_peer.sk_d), first, 3, seed);
    for (uint8_t i = 0; i < sizeof stream / 32; i++) {
        uint8_t counter = (uint8_t)(i + 1);
        const struct bytes parts[] = {bytes_of(stream + 32 * (i - (i > 0)), i > 0 ? 32 : 0), ni, nr,
                                      wr_written(&w), bytes_of(&counter, 1)};

        hmac(bytes_of(seed, sizeof seed), parts, 5, stream + (size_t)32 * i);
    }
    r = reader_of(bytes_of(stream, sizeof stream));
    ck_assert(secret_set(&gw.sa.keys.d, rd_bytes(&r, 32)));
    ck_assert(secret_set(&gw.sa.keys.ei, rd_bytes(&r, 20)));
    ck_assert(secret_set(&gw.sa.keys.er, rd_bytes(&r, 20)));
    ck_assert(secret_set(&gw.sa.keys.pi, rd_bytes(&r, 32)));
    ck_assert(secret_set(&gw.sa.keys.pr, rd_bytes(&r, 32)));
    ck_assert_int_eq(
        crypt_new(&gw.sa.in, gw.sa.suite.encr, NULL, secret_bytes(&gw.sa.keys.ei), none), OK);
    ck_assert_int_eq(
        crypt_new(&gw.sa.out, gw.sa.suite.encr, NULL, secret_bytes(&gw.sa.keys.er), none), OK);
}

/* AUTH = prf(SK_px, message | nonce | prf(SK_px, ID')) */
static void proof(struct bytes sk_p, const struct secret *message, struct bytes nonce,
                  struct bytes id, uint8_t out[32])
{
    uint8_t mac[32];
    const struct bytes parts[] = {secret_bytes(message), nonce, bytes_of(mac, sizeof mac)};

    hmac(sk_p, &id, 1, mac);
    hmac(sk_p, parts, 3, out);
}

static void write_proof_of_keys(struct chain *chain)
{
    static const char idr[] = "\2\0\0\0vpn.example.org";
    struct bytes id = gw.idr.len > 0 ? gw.idr : bytes_of(idr, sizeof idr - 1);
    uint8_t mac[32];

    proof(secret_bytes(&gw.sa.keys.pr), &gw.init_response, secret_bytes(&gw.sa.ni), id, mac);
    auth_write(chain, AUTH_METHOD_PSK, bytes_of(mac, sizeof mac));
}

/* ---- resuming ---- */

static void start_again_with(struct ike_config config)
{
    config.ticket = &ticket_peer.kept;
    gw_start_with(config);
    ike_set_trust(gw.ike, trust);
    gw.sa.suite = (struct suite){
        .encr = alg_find_name(bytes_of_string("aes128gcm16")),
        .prf = alg_find_name(bytes_of_string("prfsha256")),
    };
}

static void start_again(void)
{
    start_again_with(ticket_peer_psk());
}

/* IKE_SESSION_RESUME {Ni, N(TICKET_OPAQUE), …} --> */
static void expect_resume(void)
{
    const uint64_t may = P_BIT(P_NONCE) | P_BIT(P_NOTIFY);
    struct notify notify;

    gw_expect(X_IKE_SESSION_RESUME, false);
    ck_assert_uint_eq(gw.message.present & ~may, 0);
    ck_assert_uint_eq(gw.message.header.message_id, 0);
    ck_assert_uint_eq(gw.message.header.spi_r, 0);
    ck_assert(notify_find(&gw.message, N_TICKET_OPAQUE, &notify));
    ck_assert_octets(notify.data, bytes_of_string(TICKET));
    ck_assert(notify_find(&gw.message, N_NAT_DETECTION_SOURCE_IP, &notify));
    ck_assert(notify_find(&gw.message, N_FRAGMENTATION_SUPPORTED, &notify));
}

static void answer_resume(const struct chain *chain, uint64_t spi_r)
{
    uint8_t out[512];
    struct ike_header header = gw_header(X_IKE_SESSION_RESUME, 0, true);
    size_t len;

    header.spi_i = gw.sa.spi_i = gw.message.header.spi_i;
    header.spi_r = gw.sa.spi_r = spi_r;
    len = message_write(&header, chain, out, sizeof out);
    ck_assert(secret_set(&gw.init_response, bytes_of(out, len)));
    gw_deliver(out, len);
    gw_drain();
}

static void answer_notify(uint16_t type, struct bytes data)
{
    struct chain chain = gw_new_chain();

    notify_write(&chain, 0, none, type, data);
    answer_resume(&chain, 0);
}

/* <-- {Nr}, and the client's IKE_AUTH request */
static void agree_to_resume(void)
{
    struct chain chain = gw_new_chain();

    ck_assert(secret_set(&gw.init_request, bytes_of(gw.datagram, gw.len)));
    ck_assert(secret_set(&gw.sa.ni, message_find(&gw.message, P_NONCE, 0)->body));
    ck_assert_int_eq(rng_fill(&gw.rng, gw.nonce, sizeof gw.nonce), OK);
    chain_add(&chain, P_NONCE, bytes_of(gw.nonce, sizeof gw.nonce));
    answer_resume(&chain, RESUMED_SPI);
    derive();
    gw_expect(X_IKE_AUTH, false);
    ck_assert_uint_eq(gw.message.header.message_id, 1);
}

/* IDi, AUTH and no credential of any kind */
static void check_auth_request(void)
{
    const uint64_t never = P_BIT(P_CERT) | P_BIT(P_CERTREQ) | P_BIT(P_EAP);
    struct auth_payload auth;
    uint8_t mac[32];
    struct cp_attr attr;
    struct reader r;
    uint8_t type;

    ck_assert_uint_eq(gw.message.present & never, 0);
    ck_assert_octets(message_find(&gw.message, P_IDi, 0)->body, bytes_of("\2\0\0\0alice", 9));
    ck_assert_int_eq(auth_parse(&auth, message_find(&gw.message, P_AUTH, 0)->body), OK);
    proof(secret_bytes(&gw.sa.keys.pi), &gw.init_request, bytes_of(gw.nonce, sizeof gw.nonce),
          message_find(&gw.message, P_IDi, 0)->body, mac);
    ck_assert_octets(auth.data, bytes_of(mac, sizeof mac));
    ticket_peer_check_asked();
    /* RFC 5723 5, note 5: the address that it had */
    ck_assert(cp_begin(&r, &type, message_find(&gw.message, P_CP, 0)->body));
    ck_assert(cp_next(&r, &attr));
    ck_assert_uint_eq(attr.type, INTERNAL_IP4_ADDRESS);
    ck_assert_octets(attr.value, bytes_of("\x0a\x4d\0\1", 4));
}

static void check_summary(const char *user_auth)
{
    struct ike_summary summary;

    ike_get_summary(gw.ike, &summary);
    ck_assert(summary.resumed);
    ck_assert_str_eq(summary.gateway_id, "vpn.example.org");
    ck_assert_str_eq(summary.user_auth, user_auth);
    ck_assert_str_ne(summary.gateway_auth, "");
}

/* The tunnel is up by the ticket, with another ticket for the next time. */
static void finish_resumption(const char *user_auth)
{
    struct chain chain = gw_new_chain();

    gw_drain();
    ck_assert_uint_eq(gw.ticket.opaque.len, 0);
    ck_assert_uint_eq(gw.n_tickets, 1);
    gw_write_idr(&chain);
    write_proof_of_keys(&chain);
    gw_write_address(&chain);
    gw_write_child(&chain, "aes128gcm16-noesn");
    ticket_peer_write(&chain, LIFETIME_S, SECOND);
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    gw_drain();
    ck_assert(gw.up);
    ck_assert_uint_eq(gw.n_tickets, 2);
    ck_assert_octets(secret_bytes(&gw.ticket.opaque), bytes_of_string(SECOND));
    ck_assert_octets(secret_bytes(&gw.ticket.sk_d), secret_bytes(&gw.sa.keys.d));
    ck_assert_uint_eq(gw.ticket.expires_at, gw.now + LIFETIME_S * 1000 * MS);
    check_summary(user_auth);
}

/* The Child SA's keys come from the new SK_d and the new nonces (RFC 7296 2.17). */
static void check_child_keys(void)
{
    uint8_t stream[64], counter = 1;
    const struct bytes parts[] = {secret_bytes(&gw.sa.ni), bytes_of(gw.nonce, sizeof gw.nonce),
                                  bytes_of(&counter, 1)};

    hmac(secret_bytes(&gw.sa.keys.d), parts, 3, stream);
    ck_assert_octets(bytes_of(gw.child_out_key, 20), bytes_of(stream, 20));
}

START_TEST(resumes)
{
    ticket_peer_get();
    start_again();
    expect_resume();
    agree_to_resume();
    ck_assert_uint_eq(gw.path.remote.port, IKE_PORT_NATT);
    check_auth_request();
    finish_resumption("PSK");
    check_child_keys();
    gw_finish();
    ticket_peer_forget();
}
END_TEST

/* Whether the name was configured or typed: no certificate, no EAP, and what was known of the
 * gateway is known still. */
START_TEST(resumes_after_eap)
{
    ticket_peer_get_by_eap(_i == 0 ? USER : "");
    start_again_with(ticket_peer_eap(USER));
    expect_resume();
    agree_to_resume();
    check_auth_request();
    finish_resumption("EAP-MSCHAPv2");
    gw_finish();
    ticket_peer_forget();
}
END_TEST

START_TEST(cookie)
{
    struct notify notify;
    uint8_t nonce[32];

    ticket_peer_get();
    start_again();
    expect_resume();
    memcpy(nonce, message_find(&gw.message, P_NONCE, 0)->body.data, sizeof nonce);
    answer_notify(N_COOKIE, bytes_of("biscuit", 7));
    expect_resume();
    ck_assert_int_eq(notify_parse(&notify, gw.message.payloads[0].body), OK);
    ck_assert_uint_eq(notify.type, N_COOKIE);
    ck_assert_octets(notify.data, bytes_of("biscuit", 7));
    ck_assert_octets(message_find(&gw.message, P_NONCE, 0)->body, bytes_of(nonce, sizeof nonce));
    agree_to_resume();
    check_auth_request();
    finish_resumption("PSK");
    gw_finish();
    ticket_peer_forget();
}
END_TEST

/* ---- when it does not work ---- */

/* The full handshake that follows, under another SPI. */
static void check_fallen_back(uint64_t spi_before)
{
    ike_sa_free(&gw.sa);
    ticket_peer_connect(N_TICKET_LT_OPAQUE);
    ck_assert_uint_ne(gw.sa.spi_i, spi_before);
    ck_assert_octets(secret_bytes(&gw.ticket.opaque), bytes_of_string(TICKET));
    gw_finish();
    ticket_peer_forget();
}

static const struct {
    uint16_t type;
    const char *data;
    size_t len;
} refusals[] = {
    {N_TICKET_NACK, "", 0},
    {N_INVALID_SYNTAX, "", 0},
    {N_NO_PROPOSAL_CHOSEN, "", 0},
    {N_INVALID_IKE_SPI, "", 0},
    {N_UNSUPPORTED_CRITICAL_PAYLOAD, "\x29", 1},
    {8192, "", 0},
};

START_TEST(refused_at_once)
{
    uint64_t spi;

    ticket_peer_get();
    start_again();
    expect_resume();
    spi = gw.message.header.spi_i;
    answer_notify(refusals[_i].type, bytes_of(refusals[_i].data, refusals[_i].len));
    ck_assert(!gw.down);
    ck_assert_uint_eq(gw.ticket.opaque.len, 0);
    ck_assert_uint_eq(gw.n_tickets, 1);
    check_fallen_back(spi);
}
END_TEST

/* RFC 5685 3: anybody can send one; without our nonce it is not heard. IKE_SA_INIT brings it again.
 */
START_TEST(redirected)
{
    static const char gateway[] = "\1\4\xcb\0\x71\7";
    uint8_t data[64];
    struct writer w = writer_of(data, sizeof data);
    struct bytes nonce;
    uint64_t spi;

    ticket_peer_get();
    start_again();
    expect_resume();
    spi = gw.message.header.spi_i;
    nonce = message_find(&gw.message, P_NONCE, 0)->body;
    wr_bytes(&w, bytes_of(gateway, sizeof gateway - 1));
    wr_bytes(&w, nonce);
    data[w.len - 1] ^= 1;
    answer_notify(N_REDIRECT, wr_written(&w));
    ck_assert_uint_eq(gw.n_tickets, 0);
    ck_assert(!gw_pull());
    data[w.len - 1] ^= 1;
    answer_notify(N_REDIRECT, wr_written(&w));
    ck_assert(!gw.down);
    ck_assert_uint_eq(gw.n_redirects, 0);
    ck_assert_uint_eq(gw.ticket.opaque.len, 0);
    check_fallen_back(spi);
}
END_TEST

/* 0 = AUTHENTICATION_FAILED, 1 = AUTH is wrong, 2 = IDr is another, 3 = with CERT, 4 = EAP, 5 = no
 * AUTH, 6 = payloads that do not parse */
static void write_bad_auth(struct chain *chain, int how)
{
    static const char other[] = "\2\0\0\0vpn.example.com";

    if (how == 0) {
        notify_write(chain, 0, none, N_AUTHENTICATION_FAILED, none);
        return;
    }
    if (how == 2) {
        gw.idr = bytes_of(other, sizeof other - 1);
    }
    gw_write_idr(chain);
    if (how == 1) {
        gw_write_shared_auth(chain, bytes_of_string(PSK_TEXT));
    } else if (how != 5) {
        write_proof_of_keys(chain);
    }
    gw.idr = none;
    if (how == 3) {
        cert_write(chain, P_CERT, CERT_ENCODING_X509_SIGNATURE, cert_credential_der(other_key, 0));
    }
    if (how == 4) {
        write_eap(chain, 1, 1, bytes_of("\1", 1));
    }
    gw_write_address(chain);
    gw_write_child(chain, "aes128gcm16-noesn");
    if (how == 6) {
        wr_patch_u8(&chain->w, 3, 1);
    }
}

START_TEST(refused_in_ike_auth)
{
    struct chain chain;

    ticket_peer_get();
    start_again();
    expect_resume();
    agree_to_resume();
    chain = gw_new_chain();
    write_bad_auth(&chain, _i);
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    gw_drain();
    ck_assert(!gw.up);
    ck_assert(!gw.down);
    ck_assert_uint_eq(gw.ticket.opaque.len, 0);
    check_fallen_back(RESUMED_SPI);
}
END_TEST

/* Lets the client repeat until it gives the ticket up; its next request is in gw then. */
static void be_silent(uint8_t exchange)
{
    uint64_t began = gw.now;
    unsigned sent = 0;

    while (gw.now < began + PATIENCE_MS * MS) {
        gw_tick_at(ike_deadline(gw.ike));
        if (gw.now >= began + PATIENCE_MS * MS) {
            break;
        }
        while (gw_pull()) {
            ck_assert(gw.len == 1 || gw.datagram[18] == exchange);
            sent += gw.len > 1;
        }
    }
    ck_assert_uint_ge(sent, 2);
    ck_assert_uint_le(sent, 8);
    gw_drain();
    ck_assert(!gw.down);
}

START_TEST(silence)
{
    ticket_peer_get();
    start_again();
    expect_resume();
    if (_i == 0) {
        be_silent(X_IKE_SESSION_RESUME);
        /* It may be presented again: no IKE SA can have come of it. */
        ck_assert_uint_eq(gw.n_tickets, 0);
    } else {
        agree_to_resume();
        be_silent(X_IKE_AUTH);
        ck_assert_uint_eq(gw.n_tickets, 1);
        ck_assert_uint_eq(gw.ticket.opaque.len, 0);
    }
    check_fallen_back(0);
}
END_TEST

/* The full handshake has its whole time for itself. */
START_TEST(silence_for_ever)
{
    uint64_t began;

    ticket_peer_get();
    start_again();
    began = gw.now;
    while (!gw.down && gw.now < began + 100000 * MS) {
        while (gw_pull()) {
        }
        gw_tick_at(ike_deadline(gw.ike));
        gw_drain();
    }
    gw_expect_down(REASON_GATEWAY_UNREACHABLE);
    ck_assert_uint_eq(gw.now, began + (PATIENCE_MS + 30000) * MS);
    ck_assert_uint_eq(gw.n_tickets, 0);
    gw_finish();
    ticket_peer_forget();
}
END_TEST

/* What anybody may send in the place of the gateway: the true answer still counts. */
START_TEST(forged_answers)
{
    struct chain chain;
    size_t len;

    ticket_peer_get();
    start_again();
    expect_resume();
    len = gw.len;
    chain = gw_new_chain();
    chain_add(&chain, P_NONCE, bytes_of("too short", 9));
    answer_resume(&chain, RESUMED_SPI);
    chain = gw_new_chain();
    chain_add(&chain, P_NONCE, bytes_of("one that is long enough", 23));
    answer_resume(&chain, 0);
    chain = gw_new_chain();
    chain_add(&chain, P_NONCE, bytes_of("one that is long enough", 23));
    chain_add(&chain, P_KE, bytes_of("\0\0\0\0", 4));
    answer_resume(&chain, RESUMED_SPI);
    chain = gw_new_chain();
    answer_resume(&chain, RESUMED_SPI);
    ck_assert(!gw_pull());
    gw.len = len; /* of the request, which is still in its place */
    agree_to_resume();
    check_auth_request();
    finish_resumption("PSK");
    gw_finish();
    ticket_peer_forget();
}
END_TEST

/* 0 = expired, 1 = another user, 2 = another identity of ours, 3 = by certificate instead */
START_TEST(not_for_another_profile)
{
    struct ike_config config = ticket_peer_eap(_i == 1 ? "bob" : USER);

    ticket_peer_get_by_eap(USER);
    if (_i == 0) {
        ticket_peer.kept.expires_at = 1000000;
    } else if (_i == 2) {
        ck_assert(id_parse(&config.local_id, "carol"));
    } else if (_i == 3) {
        config.eap = (struct eap_config){0};
        config.auth = IKE_AUTH_CERTIFICATE;
        config.credential = user_key;
    }
    start_again_with(config);
    gw_expect(X_IKE_SA_INIT, false);
    gw_finish();
    ticket_peer_forget();
}
END_TEST

START_TEST(not_for_another_gateway)
{
    struct ike_config config = ticket_peer_psk();

    ticket_peer_get();
    ck_assert(id_parse(&config.remote_id, "vpn.example.com"));
    start_again_with(config);
    gw_expect(X_IKE_SA_INIT, false);
    gw_finish();
    ticket_peer_forget();
}
END_TEST

/* ---- export, import ---- */

static void check_same(const struct ike_ticket *a, const struct ike_ticket *b)
{
    ck_assert_octets(secret_bytes(&a->opaque), secret_bytes(&b->opaque));
    ck_assert_octets(secret_bytes(&a->sk_d), secret_bytes(&b->sk_d));
    ck_assert_uint_eq(a->expires_at, b->expires_at);
    ck_assert_ptr_eq(a->suite.encr, b->suite.encr);
    ck_assert_ptr_eq(a->suite.prf, b->suite.prf);
    ck_assert_ptr_eq(a->suite.integ, b->suite.integ);
    ck_assert_ptr_eq(a->suite.ke, b->suite.ke);
    ck_assert(id_equal(&a->local_id, &b->local_id));
    ck_assert(id_equal(&a->gateway_id, &b->gateway_id));
    ck_assert(addr_equal(&a->ipv4, &b->ipv4));
    ck_assert_int_eq(b->ipv6.family, a->ipv6.family);
    ck_assert_octets(bytes_of(a->profile, sizeof a->profile),
                     bytes_of(b->profile, sizeof b->profile));
    ck_assert_str_eq(a->gateway_auth, b->gateway_auth);
    ck_assert_str_eq(a->gateway_subject, b->gateway_subject);
    ck_assert_str_eq(a->user_auth, b->user_auth);
}

START_TEST(exported)
{
    struct secret octets = {0};
    struct ike_ticket back;

    ticket_peer_get_by_eap(USER);
    ck_assert_int_eq(ike_ticket_export(&ticket_peer.kept, &octets), OK);
    ck_assert_int_eq(ike_ticket_import(&back, secret_bytes(&octets)), OK);
    check_same(&ticket_peer.kept, &back);
    ike_ticket_free(&ticket_peer.kept);
    ticket_peer.kept = back;
    start_again_with(ticket_peer_eap(USER));
    expect_resume();
    agree_to_resume();
    check_auth_request();
    finish_resumption("EAP-MSCHAPv2");
    gw_finish();
    secret_free(&octets);
    ticket_peer_forget();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ike resume");
    TCase *tcase = tcase_create("resumption");

    tcase_add_unchecked_fixture(tcase, auth_pki_make, auth_pki_free);
    tcase_add_test(tcase, resumes);
    tcase_add_loop_test(tcase, resumes_after_eap, 0, 2);
    tcase_add_test(tcase, cookie);
    tcase_add_loop_test(tcase, refused_at_once, 0, sizeof refusals / sizeof refusals[0]);
    tcase_add_test(tcase, redirected);
    tcase_add_loop_test(tcase, refused_in_ike_auth, 0, 7);
    tcase_add_loop_test(tcase, silence, 0, 2);
    tcase_add_test(tcase, silence_for_ever);
    tcase_add_test(tcase, forged_answers);
    tcase_add_loop_test(tcase, not_for_another_profile, 0, 4);
    tcase_add_test(tcase, not_for_another_gateway);
    tcase_add_test(tcase, exported);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

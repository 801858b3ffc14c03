/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "auth_gateway.h"
#include "vectors.h"

/* The gateway sends us to another one (RFC 5685), or lets us stay for a time only (RFC 4478). */

#define SECONDS(n) ((uint64_t)(n)*1000 * MS)

static uint8_t data[1024];

/* GW Ident Type, GW Ident Len, identity */
static struct writer redirect_data(uint8_t type, const char *identity, size_t len)
{
    struct writer w = writer_of(data, sizeof data);

    wr_u8(&w, type);
    wr_u8(&w, (uint8_t)len);
    wr_bytes(&w, bytes_of(identity, len));
    return w;
}

static struct bytes to_ipv4(const char *octets)
{
    struct writer w = redirect_data(1, octets, 4);

    return wr_written(&w);
}

static struct bytes to_name(const char *name)
{
    struct writer w = redirect_data(3, name, strlen(name));

    return wr_written(&w);
}

#define ELSEWHERE to_ipv4("\xcb\0\x71\7")
#define ELSEWHERE_TEXT "203.0.113.7"

static void expect_redirected(const char *gateway)
{
    gw_drain();
    ck_assert(gw.down);
    ck_assert(!gw.up);
    ck_assert_int_eq(gw.reason, REASON_REDIRECTED);
    ck_assert(gw.retry);
    ck_assert_uint_eq(gw.n_redirects, 1);
    ck_assert_str_eq(gw.redirect, gateway);
    ck_assert_ptr_nonnull(strstr(gw.detail, gateway));
    ck_assert_ptr_nonnull(strstr(gw.detail, "192.0.2.1"));
}

/* ---- which gateways ---- */

static const struct {
    uint8_t type;
    const char *identity;
    size_t len;
    const char *text; /* NULL = it is not followed */
} gateways[] = {
    {1, "\xcb\0\x71\7", 4, ELSEWHERE_TEXT},
    {1, "\xa\0\0\1", 4, "10.0.0.1"},
    {2, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\7", 16, "2001:db8::7"},
    {3, "gw2.example.org", 15, "gw2.example.org"},
    {3, "GW2.Example.org.", 16, "gw2.example.org"},
    {3, "gw2", 3, "gw2"},
    {3, "4.gw.example", 12, "4.gw.example"},
    /* not of that type */
    {1, "", 0, NULL},
    {1, "\xcb\0\x71", 3, NULL},
    {1, "\xcb\0\x71\7\0", 5, NULL},
    {2, "\xcb\0\x71\7", 4, NULL},
    {0, "\xcb\0\x71\7", 4, NULL},
    {4, "gw2.example.org", 15, NULL},
    {255, "", 0, NULL},
    /* no gateway there */
    {1, "\0\0\0\0", 4, NULL},
    {1, "\x7f\0\0\1", 4, NULL},
    {1, "\xe0\0\0\1", 4, NULL},
    {1, "\xff\xff\xff\xff", 4, NULL},
    {2, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, NULL},
    {2, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16, NULL},
    {2, "\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16, NULL},
    {2, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16, NULL},
    {2, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16, NULL},
    {1, "\xc0\0\2\1", 4, NULL},     /* itself */
    {1, "\xc6\x33\x64\2", 4, NULL}, /* us */
    /* no names */
    {3, "", 0, NULL},
    {3, ".", 1, NULL},
    {3, "gw 2.example.org", 16, NULL},
    {3, "gw2.example.org\n", 16, NULL},
    {3, "gw2\0.example.org", 16, NULL},
    {3, "gw2..example.org", 16, NULL},
    {3, "-gw2.example.org", 16, NULL},
    {3, "gw2;rm.example.or", 17, NULL},
    {3, "g\xc3\xbc.example.org", 15, NULL},
    {3, "127.0.0.1", 9, NULL},
    {3, "127.1", 5, NULL},
    {3, "2130706433", 10, NULL},
    {3, "0x7f000001", 10, NULL},
    {3, "::1", 3, NULL},
    {3, "a234567890123456789012345678901234567890123456789012345678901234.example", 72, NULL},
};

static struct bytes gateway_data(size_t i)
{
    struct writer w = redirect_data(gateways[i].type, gateways[i].identity, gateways[i].len);

    return wr_written(&w);
}

START_TEST(only_gateways_that_may_be_one)
{
    gw_start();
    gw_connect_tunnel();
    gw.ike->path.local.addr = (struct addr){FAMILY_IPV4, {198, 51, 100, 2}};
    gw_notify(0, N_REDIRECT, gateway_data((size_t)_i));
    ck_assert_uint_eq(gw.n_redirects, gateways[_i].text != NULL);
    ck_assert_str_eq(gw.redirect, gateways[_i].text != NULL ? gateways[_i].text : "");
    ck_assert(!gw.down);
    gw_finish();
}
END_TEST

START_TEST(octets_missing_or_too_many)
{
    struct bytes whole;
    uint32_t id = 0;

    gw_start();
    gw_connect_tunnel();
    whole = to_name("gw2.example.org");
    for (size_t len = 0; len < whole.len; len++) {
        gw_notify(id++, N_REDIRECT, bytes_of(whole.data, len));
    }
    /* RFC 5685 9.2: the nonce is for IKE_SA_INIT alone. */
    gw_notify(id++, N_REDIRECT, bytes_of(whole.data, whole.len + 32));
    ck_assert_uint_eq(gw.n_redirects, 0);
    gw_notify(id++, N_REDIRECT, whole);
    ck_assert_uint_eq(gw.n_redirects, 1);
    ck_assert(!gw.down);
    gw_finish();
}
END_TEST

/* ---- IKE_SA_INIT ---- */

static struct bytes with_nonce(struct bytes identity, struct bytes nonce)
{
    memcpy(data + identity.len, nonce.data, nonce.len);
    return bytes_of(data, identity.len + nonce.len);
}

START_TEST(support_is_announced)
{
    gw_start();
    gw_expect(X_IKE_SA_INIT, false);
    ck_assert_uint_eq(gw_notify_in(N_REDIRECT_SUPPORTED).data.len, 0);
    ck_assert(!gw_has_notify(N_REDIRECTED_FROM));
    gw_finish();
}
END_TEST

/* RFC 5685 9.3: this tells of the support, too. */
START_TEST(the_next_gateway_learns_who_sent_us)
{
    const char *const from[] = {"\xcb\0\x71\7", "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\7"};
    size_t len = _i == 0 ? 4 : 16;
    struct writer w;

    gw_start_with(
        (struct ike_config){.request_ipv4 = true, .redirected_from = bytes_of(from[_i], len)});
    gw_expect(X_IKE_SA_INIT, false);
    w = redirect_data((uint8_t)(1 + _i), from[_i], len);
    ck_assert_octets(gw_notify_in(N_REDIRECTED_FROM).data, wr_written(&w));
    ck_assert(!gw_has_notify(N_REDIRECT_SUPPORTED));
    gw_finish();
}
END_TEST

/* The nonce of the client's IKE_SA_INIT request, which has been taken. */
static struct bytes begun(void)
{
    gw_start();
    gw_expect(X_IKE_SA_INIT, false);
    return message_find(&gw.message, P_NONCE, 0)->body;
}

START_TEST(redirected_in_init)
{
    struct bytes nonce = begun();

    gw_send_notify_init(N_REDIRECT,
                        with_nonce(_i == 0 ? ELSEWHERE : to_name("gw2.example.org"), nonce));
    expect_redirected(_i == 0 ? ELSEWHERE_TEXT : "gw2.example.org");
    ck_assert(!gw_pull());
    gw_finish();
}
END_TEST

/* RFC 5685 3: without our nonce nothing has been heard, not even that there is a gateway. */
START_TEST(a_forged_redirection_is_not_heard)
{
    struct bytes nonce = begun();
    uint8_t wrong[32];
    uint64_t deadline;

    ck_assert_uint_eq(nonce.len, sizeof wrong);
    memcpy(wrong, nonce.data, sizeof wrong);
    wrong[31] ^= 1;
    deadline = ike_deadline(gw.ike);
    gw_send_notify_init(N_REDIRECT, with_nonce(ELSEWHERE, bytes_of(wrong, sizeof wrong)));
    gw_send_notify_init(N_REDIRECT, ELSEWHERE);
    gw_send_notify_init(N_REDIRECT, with_nonce(ELSEWHERE, bytes_of(nonce.data, 31)));
    gw_send_notify_init(N_REDIRECT, (struct bytes){0});
    ck_assert_uint_eq(ike_deadline(gw.ike), deadline);
    ck_assert(!gw_pull());
    gw_answer_init("x25519");
    gw_expect(X_IKE_AUTH, false);
    gw_drain();
    ck_assert_uint_eq(gw.n_redirects, 0);
    ck_assert(!gw.down);
    gw_finish();
}
END_TEST

/* The nonce is right, the gateway is not: it is said, but a better answer may still come. */
START_TEST(a_bad_redirection_in_init)
{
    struct bytes nonce = begun();

    gw_send_notify_init(N_REDIRECT, with_nonce(to_ipv4("\xc0\0\2\1"), nonce));
    gw_drain();
    ck_assert(!gw.down);
    if (_i == 0) {
        gw_answer_init("x25519");
        gw_expect(X_IKE_AUTH, false);
    } else {
        gw_tick_at(gw.now + 1000 * MS);
        gw_drain();
        ck_assert_int_eq(gw.reason, REASON_PROTOCOL);
        ck_assert(!gw.retry);
        ck_assert_ptr_nonnull(strstr(gw.detail, "itself (192.0.2.1)"));
    }
    ck_assert_uint_eq(gw.n_redirects, 0);
    gw_finish();
}
END_TEST

/* ---- IKE_AUTH ---- */

/* The gateway's proof by PSK, with a redirection unless it is empty, and with a Child SA. */
static void answer_auth(struct bytes redirection, bool child)
{
    struct chain chain = gw_new_chain();

    gw_write_idr_auth(&chain);
    if (redirection.len > 0) {
        notify_write(&chain, 0, (struct bytes){0}, N_REDIRECT, redirection);
    }
    if (child) {
        gw_write_address(&chain);
        gw_write_child(&chain, "aes128gcm16-noesn");
    }
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
}

/* The client deletes the IKE SA. */
static void expect_deleted(enum reason reason)
{
    gw_expect_delete();
    gw_answer_empty(2);
    gw_expect_down(reason);
}

START_TEST(redirected_in_auth)
{
    gw_start();
    gw_until_auth();
    answer_auth(ELSEWHERE, _i == 1);
    expect_deleted(REASON_REDIRECTED);
    expect_redirected(ELSEWHERE_TEXT);
    gw_finish();
}
END_TEST

/* RFC 5685 6: the gateway's AUTH is verified before. */
START_TEST(redirected_by_who_is_not_the_gateway)
{
    gw_start();
    gw_until_auth();
    gw.psk = "another secret";
    answer_auth(ELSEWHERE, false);
    gw_expect(X_INFORMATIONAL, false);
    ck_assert(gw_has_notify(N_AUTHENTICATION_FAILED));
    gw_answer_empty(2);
    ck_assert_int_eq(gw.reason, REASON_GATEWAY_AUTH_FAILED);
    ck_assert_uint_eq(gw.n_redirects, 0);
    gw_finish();
}
END_TEST

START_TEST(redirected_to_nowhere_in_auth)
{
    gw_start();
    gw_until_auth();
    answer_auth(to_ipv4("\x7f\0\0\1"), _i == 1);
    if (_i == 0) {
        expect_deleted(REASON_PROTOCOL);
        ck_assert_ptr_nonnull(strstr(gw.detail, "127.0.0.1"));
    } else {
        /* There is a Child SA beside it: that will do. */
        gw_drain();
        ck_assert(gw.up);
    }
    ck_assert_uint_eq(gw.n_redirects, 0);
    gw_finish();
}
END_TEST

/* Neither a Child SA nor a redirection */
START_TEST(proof_alone)
{
    gw_start();
    gw_until_auth();
    answer_auth((struct bytes){0}, false);
    expect_deleted(REASON_PROTOCOL);
    gw_finish();
}
END_TEST

/* The user has disconnected in the meantime: nobody goes anywhere. */
START_TEST(redirected_when_the_user_has_gone)
{
    gw_start();
    gw_until_auth();
    ike_disconnect(gw.ike, gw.now);
    answer_auth(ELSEWHERE, false);
    expect_deleted(REASON_USER);
    ck_assert_uint_eq(gw.n_redirects, 0);
    gw_finish();
}
END_TEST

/* With EAP: in the first response, beside a request for the identity or alone. There is no IKE SA
 * to be deleted (RFC 5685 6). */
START_TEST(redirected_before_eap)
{
    struct chain chain = gw_new_chain();

    start_eap(USER, PASSWORD);
    write_proof(&chain, gateway_key);
    if (_i == 1) {
        write_eap(&chain, 1, 1, bytes_of("\1", 1));
    }
    notify_write(&chain, 0, (struct bytes){0}, N_REDIRECT, ELSEWHERE);
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    expect_redirected(ELSEWHERE_TEXT);
    ck_assert(!gw_pull());
    gw_finish();
}
END_TEST

/* RFC 5685 6: not in a response in between. */
START_TEST(redirected_in_the_middle_of_eap)
{
    struct chain chain;

    start_eap(USER, PASSWORD);
    send_identity_request(gateway_key);
    gw_expect(X_IKE_AUTH, false);
    chain = gw_new_chain();
    write_eap(&chain, 1, 2, bytes_of("\1", 1));
    notify_write(&chain, 0, (struct bytes){0}, N_REDIRECT, ELSEWHERE);
    gw_send_sealed(X_IKE_AUTH, 2, true, &chain);
    gw_expect(X_IKE_AUTH, false);
    gw_drain();
    ck_assert(!gw.down);
    ck_assert_uint_eq(gw.n_redirects, 0);
    gw_finish();
}
END_TEST

START_TEST(redirected_behind_eap)
{
    struct chain chain;

    start_eap(USER, PASSWORD);
    until_finish();
    chain = gw_new_chain();
    gw_write_shared_auth(&chain, _i == 0 ? bytes_of(msk, sizeof msk) : bytes_of_string("wrong"));
    notify_write(&chain, 0, (struct bytes){0}, N_REDIRECT, ELSEWHERE);
    gw_send_sealed(X_IKE_AUTH, 5, true, &chain);
    if (_i == 0) {
        gw_expect_delete();
        gw_answer_empty(6);
        expect_redirected(ELSEWHERE_TEXT);
    } else {
        gw_expect(X_INFORMATIONAL, false);
        gw_answer_empty(6);
        ck_assert_int_eq(gw.reason, REASON_GATEWAY_AUTH_FAILED);
        ck_assert_uint_eq(gw.n_redirects, 0);
    }
    gw_finish();
}
END_TEST

/* ---- while it is up ---- */

START_TEST(redirected_while_up)
{
    gw_start();
    gw_connect_tunnel();
    gw_notify(0, N_REDIRECT, ELSEWHERE);
    ck_assert_uint_eq(gw.n_redirects, 1);
    ck_assert_str_eq(gw.redirect, ELSEWHERE_TEXT);
    /* It goes on until the carrier has another. */
    ck_assert(!gw.down);
    gw_notify(1, N_REDIRECT, to_name("gw3.example.org"));
    ck_assert_uint_eq(gw.n_redirects, 2);
    ike_disconnect(gw.ike, gw.now);
    gw_expect_delete();
    gw_notify(2, N_REDIRECT, ELSEWHERE);
    ck_assert_uint_eq(gw.n_redirects, 2);
    gw_answer_empty(2);
    ck_assert_int_eq(gw.reason, REASON_USER);
    gw_finish();
}
END_TEST

/* RFC 7296 2.4: INITIAL_CONTACT would end the IKE SA that the new one takes the place of. */
START_TEST(initial_contact_is_told)
{
    gw_start_with((struct ike_config){.request_ipv4 = true, .initial_contact = _i == 0});
    gw_until_auth();
    ck_assert(gw_has_notify(N_INITIAL_CONTACT) == (_i == 0));
    gw_finish();
}
END_TEST

/* ---- AUTH_LIFETIME ---- */

static struct bytes lifetime(uint32_t seconds)
{
    struct writer w = writer_of(data, sizeof data);

    wr_u32(&w, seconds);
    return wr_written(&w);
}

/* Lets time pass with a gateway that answers, as it comes; false when it is over before. */
static bool passes(uint64_t until)
{
    while (!gw.down && ike_deadline(gw.ike) <= until && gw.n_reauths == 0) {
        gw_tick_at(ike_deadline(gw.ike));
        gw_drain();
        while (gw_pull()) {
        }
    }
    return !gw.down && gw.n_reauths == 0;
}

static const struct {
    uint32_t seconds;
    unsigned earliest, latest; /* when the carrier is told */
} lifetimes[] = {
    {0, 10, 10},     {1, 10, 10},        {20, 12, 15},          {60, 37, 45},
    {300, 255, 270}, {3600, 3150, 3300}, {86400, 85950, 86100},
};

START_TEST(authentication_is_repeated_in_time)
{
    uint64_t start, end;

    gw_start_with((struct ike_config){.request_ipv4 = true,
                                      .ike_lifetime_us = SECONDS(200000),
                                      .child_lifetime_us = SECONDS(200000)});
    start = gw.now;
    gw_connect_with(N_AUTH_LIFETIME, lifetime(lifetimes[_i].seconds));
    ck_assert(passes(start + SECONDS(lifetimes[_i].earliest) - 1));
    ck_assert(!passes(start + SECONDS(lifetimes[_i].latest)));
    ck_assert(!gw.down);
    ck_assert_uint_eq(gw.n_reauths, 1);
    end = start + SECONDS(lifetimes[_i].seconds);
    if (end < gw.now + SECONDS(30)) {
        end = gw.now + SECONDS(30);
    }
    gw.n_reauths = 0;
    /* Once is enough. Nobody has made another one, and the Delete is not answered. */
    ck_assert(passes(end));
    ck_assert_int_eq(gw.ike->state, ST_CLOSE_SENT);
    ck_assert(!passes(end + SECONDS(1)));
    ck_assert(gw.down);
    ck_assert_uint_eq(gw.n_reauths, 0);
    ck_assert_int_eq(gw.reason, REASON_GATEWAY_CLOSED);
    ck_assert(gw.retry);
    gw_finish();
}
END_TEST

/* The largest value neither overflows nor does anything for many years. */
START_TEST(a_lifetime_without_end)
{
    gw_start();
    gw_connect_with(N_AUTH_LIFETIME, lifetime(UINT32_MAX));
    ck_assert_uint_gt(reauth_deadline(gw.ike), gw.now + SECONDS(4000000000));
    gw_finish();
}
END_TEST

START_TEST(a_malformed_lifetime)
{
    gw_start();
    gw_connect_with(N_AUTH_LIFETIME, bytes_of("\0\0\0\0\0", (size_t)_i));
    ck_assert(gw.ike->reauth.limited == (_i == 4));
    gw_finish();
}
END_TEST

/* RFC 4478 2: any time, again and again, and at once. However often: no storm. */
START_TEST(the_lifetime_changes)
{
    uint64_t start;

    gw_start();
    start = gw.now;
    gw_connect_tunnel();
    ck_assert_uint_eq(reauth_deadline(gw.ike), IKE_NEVER);
    gw_notify(0, N_AUTH_LIFETIME, lifetime(3600));
    ck_assert(passes(start + SECONDS(1000)));
    gw_notify(1, N_AUTH_LIFETIME, lifetime(0));
    ck_assert(!passes(gw.now));
    ck_assert_uint_eq(gw.n_reauths, 1);
    for (uint32_t id = 2; id < 12; id++) {
        gw_notify(id, N_AUTH_LIFETIME, lifetime(0));
        ck_assert_uint_eq(gw.n_reauths, 1);
        gw_tick_at(gw.now + 900 * MS);
        gw_drain();
    }
    ck_assert_uint_eq(gw.n_reauths, 1);
    gw_tick_at(gw.now + 1000 * MS);
    gw_drain();
    ck_assert_uint_eq(gw.n_reauths, 2);
    /* and longer again */
    gw.n_reauths = 0;
    gw_notify(12, N_AUTH_LIFETIME, lifetime(3600));
    ck_assert(passes(gw.now + SECONDS(1000)));
    gw_finish();
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

int main(void)
{
    Suite *suite = suite_create("ike redirect");
    TCase *tcase = tcase_create("redirect");
    TCase *reauth = tcase_create("authentication lifetime");

    tcase_add_unchecked_fixture(tcase, auth_pki_make, auth_pki_free);
    tcase_add_loop_test(tcase, only_gateways_that_may_be_one, 0, COUNT(gateways));
    tcase_add_test(tcase, octets_missing_or_too_many);
    tcase_add_test(tcase, support_is_announced);
    tcase_add_loop_test(tcase, the_next_gateway_learns_who_sent_us, 0, 2);
    tcase_add_loop_test(tcase, redirected_in_init, 0, 2);
    tcase_add_test(tcase, a_forged_redirection_is_not_heard);
    tcase_add_loop_test(tcase, a_bad_redirection_in_init, 0, 2);
    tcase_add_loop_test(tcase, redirected_in_auth, 0, 2);
    tcase_add_test(tcase, redirected_by_who_is_not_the_gateway);
    tcase_add_loop_test(tcase, redirected_to_nowhere_in_auth, 0, 2);
    tcase_add_test(tcase, proof_alone);
    tcase_add_test(tcase, redirected_when_the_user_has_gone);
    tcase_add_loop_test(tcase, redirected_before_eap, 0, 2);
    tcase_add_test(tcase, redirected_in_the_middle_of_eap);
    tcase_add_loop_test(tcase, redirected_behind_eap, 0, 2);
    tcase_add_test(tcase, redirected_while_up);
    tcase_add_loop_test(tcase, initial_contact_is_told, 0, 2);
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(reauth, authentication_is_repeated_in_time, 0, COUNT(lifetimes));
    tcase_add_test(reauth, a_lifetime_without_end);
    tcase_add_loop_test(reauth, a_malformed_lifetime, 0, 6);
    tcase_add_test(reauth, the_lifetime_changes);
    suite_add_tcase(suite, reauth);
    return run_suite(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>

#include "tunnel/gateways.h"
#include "tunnel/retry.h"
#include "unit/vectors.h"

#define S G_GUINT64_CONSTANT(1000000)

/* ---- when ---- */

START_TEST(back_off)
{
    static const guint64 seconds[] = {0, 1, 2, 4, 8, 16, 32, 60, 60, 60};
    struct retry low = {0}, high = {0};

    for (gsize i = 0; i < G_N_ELEMENTS(seconds); i++) {
        guint64 wanted = seconds[i] * S;

        ck_assert_uint_eq(retry_delay(&low, 0), wanted - wanted / 5);
        ck_assert_uint_le(retry_delay(&high, G_MAXUINT32), wanted + wanted / 5);
    }
    for (int i = 0; i < 1000; i++) {
        ck_assert_uint_le(retry_delay(&low, 0), 60 * S);
    }
    /* A short life is one more failure, a long one is none. */
    retry_was_up(&low, 59 * S);
    ck_assert_uint_gt(retry_delay(&low, 0), 0);
    retry_was_up(&low, 60 * S);
    ck_assert_uint_eq(retry_delay(&low, 0), 0);
}
END_TEST

static const struct {
    enum reason reason;
    gboolean engine;
    guint64 up;
    gboolean again;
} losses[] = {
    {REASON_GATEWAY_LOST, TRUE, 0, TRUE},         {REASON_GATEWAY_CLOSED, TRUE, 10 * S - 1, FALSE},
    {REASON_GATEWAY_CLOSED, TRUE, 10 * S, TRUE},  {REASON_GATEWAY_REFUSED, TRUE, 0, TRUE},
    {REASON_AUTH_FAILED, FALSE, 3600 * S, FALSE}, {REASON_INTERNAL, FALSE, 3600 * S, FALSE},
};

START_TEST(loss)
{
    ck_assert_int_eq(retry_after_loss(losses[_i].reason, losses[_i].engine, losses[_i].up),
                     losses[_i].again);
}
END_TEST

START_TEST(failure)
{
    static const enum reason again[] = {
        REASON_NO_PROPOSAL_CHOSEN, REASON_TS_UNACCEPTABLE, REASON_ADDRESS_UNAVAILABLE,
        REASON_GATEWAY_REFUSED,    REASON_PROTOCOL,        REASON_TOKEN_MISSING};
    static const enum reason never[] = {
        REASON_AUTH_FAILED,         REASON_PASSWORD_EXPIRED,
        REASON_ACCOUNT_DISABLED,    REASON_ACCOUNT_RESTRICTED,
        REASON_SECRET_MISSING,      REASON_GATEWAY_UNTRUSTED,
        REASON_GATEWAY_EXPIRED,     REASON_GATEWAY_IDENTITY_MISMATCH,
        REASON_GATEWAY_AUTH_FAILED, REASON_PROFILE,
        REASON_REDIRECTED,          REASON_INTERNAL,
        REASON_PIN_WRONG,           REASON_PIN_LOCKED,
        REASON_TOKEN_FAILED,        REASON_TOKEN_UNSUPPORTED};

    for (gsize i = 0; i < G_N_ELEMENTS(again); i++) {
        ck_assert(retry_after_failure(again[i], FALSE));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(never); i++) {
        ck_assert_msg(!retry_after_failure(never[i], FALSE), "%s", reason_name(never[i]));
    }
    ck_assert(retry_after_failure(REASON_GATEWAY_UNREACHABLE, TRUE));
}
END_TEST

/* ---- where ---- */

static struct addr addr_in(const char *text)
{
    struct addr addr;

    ck_assert(addr_parse(&addr, text));
    return addr;
}

static void set(struct gateways *gateways, const char *list)
{
    char **words = g_strsplit(list, " ", 0);
    struct addr found[32];
    gsize n = 0;

    for (char **word = words; *word != NULL && **word != '\0'; word++) {
        found[n++] = addr_in(*word);
    }
    gateways_set(gateways, found, n);
    g_strfreev(words);
}

static void expect(const struct gateways *gateways, const char *list)
{
    char **words = g_strsplit(list, " ", 0);
    gsize n = 0;

    for (; words[n] != NULL; n++) {
        char text[ADDR_TEXT_MAX];

        ck_assert_uint_lt(n, gateways->n);
        ck_assert_str_eq(addr_text(&gateways->items[n], text), words[n]);
    }
    g_strfreev(words);
}

START_TEST(families_by_turns)
{
    struct gateways gateways = {0};

    set(&gateways, "");
    ck_assert_uint_eq(gateways.n, 0);
    set(&gateways, "192.0.2.1 192.0.2.2 192.0.2.1 192.0.2.3 2001:db8::1");
    ck_assert_uint_eq(gateways.n, 4);
    expect(&gateways, "192.0.2.1 2001:db8::1 192.0.2.2 192.0.2.3");
    set(&gateways, "");
    set(&gateways, "2001:db8::1 2001:db8::2 192.0.2.1");
    expect(&gateways, "2001:db8::1 192.0.2.1 2001:db8::2");
}
END_TEST

START_TEST(the_one_that_worked_is_first)
{
    struct gateways gateways = {0};
    struct addr worked = addr_in("192.0.2.3"), other = addr_in("192.0.2.9");

    set(&gateways, "192.0.2.1 192.0.2.2 192.0.2.3");
    gateways_worked(&gateways, &worked);
    expect(&gateways, "192.0.2.3 192.0.2.1 192.0.2.2");
    /* Looked up again it stays first, unless the name does not stand for it any more. */
    set(&gateways, "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4");
    expect(&gateways, "192.0.2.3 192.0.2.1 192.0.2.2 192.0.2.4");
    set(&gateways, "192.0.2.1 192.0.2.2");
    expect(&gateways, "192.0.2.1 192.0.2.2");
    gateways_worked(&gateways, &other);
    expect(&gateways, "192.0.2.9 192.0.2.1 192.0.2.2");
}
END_TEST

START_TEST(too_many_addresses)
{
    struct gateways gateways = {0};
    struct addr found[GATEWAYS_MAX + 4];

    for (gsize i = 0; i < G_N_ELEMENTS(found); i++) {
        found[i] = addr_in("192.0.2.1");
        found[i].octets[3] = (uint8_t)(i + 1);
    }
    gateways_set(&gateways, found, G_N_ELEMENTS(found));
    ck_assert_uint_eq(gateways.n, GATEWAYS_MAX);
    gateways_worked(&gateways, &found[GATEWAYS_MAX]);
    ck_assert_uint_eq(gateways.n, GATEWAYS_MAX);
    expect(&gateways, "192.0.2.17 192.0.2.1");
}
END_TEST

/* RFC 5685 7 */
START_TEST(redirects_in_a_circle)
{
    struct redirects redirects = {0};

    for (guint64 i = 0; i < 5; i++) {
        ck_assert(redirects_allow(&redirects, (100 + i) * S));
    }
    ck_assert(!redirects_allow(&redirects, 105 * S));
    ck_assert(!redirects_allow(&redirects, 399 * S));
    ck_assert(redirects_allow(&redirects, 400 * S));
    ck_assert(!redirects_allow(&redirects, 400 * S));
    ck_assert(redirects_allow(&redirects, 401 * S));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("retry");
    TCase *when = tcase_create("when"), *where = tcase_create("where");

    tcase_add_test(when, back_off);
    tcase_add_loop_test(when, loss, 0, G_N_ELEMENTS(losses));
    tcase_add_test(when, failure);
    suite_add_tcase(suite, when);
    tcase_add_test(where, families_by_turns);
    tcase_add_test(where, the_one_that_worked_is_first);
    tcase_add_test(where, too_many_addresses);
    tcase_add_test(where, redirects_in_a_circle);
    suite_add_tcase(suite, where);
    return run_suite(suite);
}

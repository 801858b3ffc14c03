/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/bodies.h"
#include "unit/vectors.h"

#define ANY4 "07000010 0000ffff 00000000 ffffffff"
#define ANY6 "08000028 0000ffff 00000000000000000000000000000000 ffffffffffffffffffffffffffffffff"

static const char *ts_body_text(const char *body)
{
    static char text[512];
    static struct ts_list list;

    ck_assert_int_eq(ts_parse(&list, hex(body)), OK);
    return ts_text(&list, text, sizeof text);
}

START_TEST(ts_text_forms)
{
    ck_assert_str_eq(ts_body_text("01000000" ANY4), "0.0.0.0/0");
    ck_assert_str_eq(ts_body_text("02000000" ANY4 ANY6), "0.0.0.0/0, ::/0");
    ck_assert_str_eq(ts_body_text("01000000 07060010 01bb01bb c0000201 c0000209"),
                     "192.0.2.1-192.0.2.9 tcp/443");
    ck_assert_str_eq(ts_body_text("01000000 07110010 00010400 0a000000 0affffff"),
                     "10.0.0.0/8 udp/1-1024");
    ck_assert_str_eq(ts_body_text("01000000 07000010 00500050 c0000201 c0000201"),
                     "192.0.2.1 any/80");
    ck_assert_str_eq(ts_body_text("01000000 07010010 ffff0000 c0000201 c0000201"),
                     "192.0.2.1 icmp/opaque");
    ck_assert_str_eq(ts_body_text("01000000 07840010 0000ffff c0000201 c0000201"),
                     "192.0.2.1 protocol 132");
}
END_TEST

START_TEST(ts_round_trip)
{
    static struct ts_list list, again;
    struct chain chain = fresh();
    struct bytes body = hex("03000000" ANY4 ANY6 "07060010 01bb01bb c0000201 c0000209");

    ck_assert_int_eq(ts_parse(&list, body), OK);
    ts_write(&chain, P_TSi, &list);
    ck_assert_octets(body_of(&chain), body);
    ck_assert_int_eq(ts_parse(&again, body_of(&chain)), OK);
    ck_assert(ts_list_within(&list, &again) && ts_list_within(&again, &list));
    for (size_t len = 0; len < body.len; len++) {
        ck_assert_int_eq(ts_parse(&again, prefix_of(body, len)), ERR_SYNTAX);
    }
}
END_TEST

START_TEST(cve_2023_23009_malformed_ts)
{
    static const struct {
        const char *body;
        enum err err;
    } cases[] = {
        {"00000000", ERR_SYNTAX},      /* none */
        {"00000000" ANY4, ERR_SYNTAX}, /* count too small */
        {"02000000" ANY4, ERR_SYNTAX}, /* count too large */
        {"ff000000" ANY4, ERR_SYNTAX},
        {"01000000" ANY4 "00", ERR_SYNTAX},
        {"01000000 07000000", ERR_SYNTAX}, /* lengths 0, 3, 4, 7 */
        {"01000000 07000003", ERR_SYNTAX},
        {"01000000 07000004", ERR_SYNTAX},
        {"01000000 07000007 000000", ERR_SYNTAX},
        {"01000000 0700ffff 0000ffff 00000000 ffffffff", ERR_SYNTAX},
        {"01000000 0700000c 0000ffff 00000000", ERR_SYNTAX},
        {"01000000 07000014 0000ffff 00000000 ffffffff 00000000", ERR_SYNTAX},
        {"01000000 08000010 0000ffff 00000000 ffffffff", ERR_SYNTAX},      /* v6 as long as v4 */
        {"01000000 07000010 0000ffff 0a000002 0a000001", ERR_SYNTAX},      /* start > end */
        {"01000000 07000010 00020001 0a000001 0a000002", ERR_SYNTAX},      /* ports too */
        {"01000000 07000010 ffff0000 0a000001 0a000002", OK},              /* but OPAQUE */
        {"01000000 09000010 0000ffff 0a000001 0a000002", ERR_UNSUPPORTED}, /* unknown types */
        {"01000000 09000004", ERR_UNSUPPORTED},
        {"01000000 09000003", ERR_SYNTAX},
        {"02000000 09000008 00000000" ANY4, OK},
    };
    static struct ts_list list;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(ts_parse(&list, hex(cases[i].body)) == cases[i].err, "%s", cases[i].body);
    }
}
END_TEST

START_TEST(ts_as_many_as_the_count_can_say)
{
    static struct ts_list list, again;
    static uint8_t large[16384];
    struct chain chain = chain_of(large, sizeof large);

    list.n = TS_MAX;
    for (size_t i = 0; i < TS_MAX; i++) {
        uint8_t octets[4] = {10, 0, 0, (uint8_t)i};

        list.items[i] = (struct ts){.port_high = UINT16_MAX,
                                    .start = addr_of(FAMILY_IPV4, octets),
                                    .end = addr_of(FAMILY_IPV4, octets)};
    }
    ts_write(&chain, P_TSr, &list);
    ck_assert_int_eq(ts_parse(&again, bytes_of(large + 4, chain.w.len - 4)), OK);
    ck_assert_uint_eq(again.n, TS_MAX);
}
END_TEST

START_TEST(ts_within)
{
    static const struct {
        const char *inner, *outer;
        bool within;
    } cases[] = {
        {"01000000" ANY4, "01000000" ANY4, true},
        {"01000000" ANY4, "01000000" ANY6, false},
        {"02000000" ANY4 ANY6, "01000000" ANY4, false},
        {"01000000 07060010 01bb01bb 0a000001 0a000001", "01000000" ANY4, true},
        {"01000000" ANY4, "01000000 07060010 01bb01bb 0a000001 0a000001", false},
        {"01000000 07000010 0000ffff 0a000000 0a0000ff",
         "01000000 07000010 0000ffff 0a000000 0a0000fe", false},
        {"01000000 07000010 0000ffff 09ffffff 0a0000fe",
         "01000000 07000010 0000ffff 0a000000 0a0000fe", false},
        /* any protocol does not lie within one protocol */
        {"01000000 07000010 0000ffff 0a000000 0a0000fe",
         "01000000 07060010 0000ffff 0a000000 0a0000fe", false},
        {"01000000 07060010 00500051 0a000000 0a0000fe",
         "01000000 07060010 00500050 0a000000 0a0000fe", false},
        {"01000000 07060010 ffff0000 0a000000 0a0000fe",
         "01000000 07060010 00500050 0a000000 0a0000fe", false},
        {"01000000 07060010 ffff0000 0a000000 0a0000fe", "01000000" ANY4, true},
        {"01000000 07060010 00500050 0a000000 0a0000fe",
         "01000000 07060010 ffff0000 0a000000 0a0000fe", false},
    };
    static struct ts_list inner, outer;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_int_eq(ts_parse(&inner, hex(cases[i].inner)), OK);
        ck_assert_int_eq(ts_parse(&outer, hex(cases[i].outer)), OK);
        ck_assert_msg(ts_list_within(&inner, &outer) == cases[i].within, "case %zu", i);
    }
}
END_TEST

#define NET1 "07000010 0000ffff 0a010000 0a01ffff"
#define NET2 "07000010 0000ffff 0a020000 0a02ffff"

/* What is left when a gateway has granted a part (RFC 7296 2.9). */
START_TEST(ts_subtract)
{
    static const struct {
        const char *from, *less, *left;
    } cases[] = {
        {"02000000" NET1 NET2, "01000000" NET1, "10.2.0.0/16"},
        {"02000000" NET1 NET2, "01000000" NET2, "10.1.0.0/16"},
        {"02000000" NET1 NET2, "02000000" NET1 NET2, ""},
        {"02000000" NET1 NET2, "01000000" ANY4, ""},
        {"02000000" ANY4 ANY6, "01000000" ANY4, "::/0"},
        {"01000000" ANY6, "01000000" ANY4, "::/0"},
        {"01000000" ANY4, "01000000" NET1, "0.0.0.0-10.0.255.255, 10.2.0.0-255.255.255.255"},
        {"01000000" ANY4, "02000000" NET2 NET1, "0.0.0.0-10.0.255.255, 10.3.0.0-255.255.255.255"},
        {"01000000" NET1, "01000000 07000010 0000ffff 0a000000 0a0100ff", "10.1.1.0-10.1.255.255"},
        {"01000000" NET1, "01000000 07000010 0000ffff 0a01ff00 0aff0000", "10.1.0.0-10.1.254.255"},
        {"01000000" NET1, "01000000" NET2, "10.1.0.0/16"},
        /* a protocol or port of it is not all of it */
        {"01000000" NET1, "01000000 07060010 0000ffff 0a010000 0a01ffff", "10.1.0.0/16"},
        {"01000000" NET1, "01000000 07000010 01bb01bb 0a010000 0a01ffff", "10.1.0.0/16"},
        {"01000000 07060010 01bb01bb 0a010000 0a01ffff", "01000000" NET1, ""},
        /* to the ends of what there is */
        {"01000000" ANY4, "01000000 07000010 0000ffff 00000000 7fffffff", "128.0.0.0/1"},
        {"01000000" ANY4, "01000000 07000010 0000ffff 80000000 ffffffff", "0.0.0.0/1"},
    };
    static struct ts_list from, less, left;
    static char text[512];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_int_eq(ts_parse(&from, hex(cases[i].from)), OK);
        ck_assert_int_eq(ts_parse(&less, hex(cases[i].less)), OK);
        ck_assert_int_eq(ts_list_subtract(&left, &from, &less), *cases[i].left != '\0');
        ck_assert_str_eq(ts_text(&left, text, sizeof text), cases[i].left);
        /* what was granted and what is left do not meet, and nothing else is left */
        ck_assert(ts_list_within(&left, &from));
    }
}
END_TEST

/* As many pieces as a list can hold, and no more. */
START_TEST(ts_subtract_fills_up)
{
    static struct ts_list from, less, left;

    ck_assert_int_eq(ts_parse(&from, hex("01000000" ANY4)), OK);
    for (size_t i = 0; i < TS_MAX; i++) {
        ck_assert_int_eq(ts_parse(&left, hex("01000000" NET1)), OK);
        less.items[i] = left.items[0];
        less.items[i].start.octets[1] = less.items[i].end.octets[1] = (uint8_t)i;
        less.items[i].start.octets[2] = 1;
    }
    less.n = TS_MAX;
    ck_assert(ts_list_subtract(&left, &from, &less));
    ck_assert_uint_le(left.n, TS_MAX);
    ck_assert(ts_list_within(&left, &from));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ts");
    TCase *tcase = tcase_create("traffic selectors");

    tcase_add_test(tcase, ts_text_forms);
    tcase_add_test(tcase, ts_round_trip);
    tcase_add_test(tcase, cve_2023_23009_malformed_ts);
    tcase_add_test(tcase, ts_as_many_as_the_count_can_say);
    tcase_add_test(tcase, ts_within);
    tcase_add_test(tcase, ts_subtract);
    tcase_add_test(tcase, ts_subtract_fills_up);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

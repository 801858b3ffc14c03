/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>

#include "common/gateway_facts_variant.h"
#include "unit/vectors.h"

#define DIGITS "00010203" "04050607" "08090a0b" "0c0d0e0f" "10111213" "14151617" "18191a1b" "1c1d1eff"

static const struct {
    const char *text;
    bool good;
} fingerprints[] = {
    {DIGITS, true},
    {"00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:"
     "FF",
     true},
    {"0001 0203 0405 0607 0809 0a0b 0c0d 0e0f 1011 1213 1415 1617 1819 1a1b 1c1d 1eff", true},
    {"", false},
    {"00", false},
    {DIGITS "0", false},
    {":" DIGITS, false},
    {DIGITS ":", false},
    {"00::010203" "04050607" "08090a0b" "0c0d0e0f" "10111213" "14151617" "18191a1b" "1c1d1eff",
     false},
    {DIGITS "00", false},
    {"0 00" DIGITS, false},
    {"x0010203" "04050607" "08090a0b" "0c0d0e0f" "10111213" "14151617" "18191a1b" "1c1d1eff", false},
};

START_TEST(fingerprint_is_parsed)
{
    uint8_t out[FINGERPRINT_LEN];
    char text[FINGERPRINT_TEXT], blocks[FINGERPRINT_BLOCKS];

    ck_assert(fingerprint_parse(out, fingerprints[_i].text) == fingerprints[_i].good);
    if (fingerprints[_i].good) {
        ck_assert_str_eq(fingerprint_text(out, text), DIGITS);
        ck_assert_str_eq(fingerprint_blocks(out, 8, blocks),
                         "0001 0203 0405 0607 0809 0a0b 0c0d 0e0f\n"
                         "1011 1213 1415 1617 1819 1a1b 1c1d 1eff");
    }
}
END_TEST

static const struct gateway_facts facts = {
    .problems = GATEWAY_SELF_SIGNED | GATEWAY_OTHER_NAME,
    .expected = "vpn.example.org",
    .subject = "CN=gw",
    .issuer = "CN=ca",
    .names = {"a.example.org", "b.example.org"},
    .n_names = 2,
    .not_before = -5,
    .not_after = 4102444800,
    .fingerprint = {1, 2, 255},
};

START_TEST(facts_come_back)
{
    GVariant *details = g_variant_ref_sink(gateway_facts_to_variant(&facts));
    struct gateway_facts out;

    ck_assert(gateway_facts_from_variant(details, &out));
    ck_assert(memcmp(&out, &facts, sizeof out) == 0);
    g_autofree char *why = gateway_facts_why(&out);
    ck_assert_str_eq(why, "It has made its certificate itself: nobody else vouches for it. Its "
                          "certificate is for another name than you asked for.");
    g_variant_unref(details);
}
END_TEST

/* Each fact is needed, and of its type. */
START_TEST(facts_that_lack_one)
{
    static const char *const needed[] = {"problems", "expected",   "subject",   "issuer",
                                         "names",    "not-before", "not-after", "fingerprint"};
    GVariant *details = g_variant_ref_sink(gateway_facts_to_variant(&facts));
    struct gateway_facts out;

    for (gsize i = 0; i < G_N_ELEMENTS(needed); i++) {
        GVariantDict dict;
        g_variant_dict_init(&dict, details);
        g_variant_dict_insert(&dict, needed[i], "b", TRUE);
        GVariant *bad = g_variant_ref_sink(g_variant_dict_end(&dict));
        ck_assert_msg(!gateway_facts_from_variant(bad, &out), "%s", needed[i]);
        g_variant_unref(bad);
    }
    g_variant_unref(details);
}
END_TEST

/* What a newer service adds is left out; what is anybody's is bounded and printable. */
START_TEST(odd_facts)
{
    GVariant *details = g_variant_ref_sink(gateway_facts_to_variant(&facts));
    g_autofree char *name = g_strnfill(1000, 'n');
    GVariantBuilder names;
    GVariantDict dict;
    struct gateway_facts out;

    g_variant_builder_init(&names, G_VARIANT_TYPE_STRING_ARRAY);
    for (guint i = 0; i < 100; i++) {
        g_variant_builder_add(&names, "s", name);
    }
    g_variant_dict_init(&dict, details);
    g_variant_dict_insert(&dict, "subject", "s", "CN=\x1b[2J");
    g_variant_dict_insert_value(&dict, "names", g_variant_builder_end(&names));
    g_variant_dict_insert_value(&dict, "problems", g_variant_new_parsed("['bewitched', 'expired']"));
    GVariant *odd = g_variant_ref_sink(g_variant_dict_end(&dict));
    ck_assert(gateway_facts_from_variant(odd, &out));
    ck_assert_str_eq(out.subject, "CN=?[2J");
    ck_assert_uint_eq(out.n_names, GATEWAY_NAMES_MAX);
    ck_assert_uint_eq(out.problems, GATEWAY_EXPIRED);
    g_variant_unref(odd);
    g_variant_dict_init(&dict, details);
    g_variant_dict_insert_value(&dict, "problems", g_variant_new_parsed("['bewitched']"));
    odd = g_variant_ref_sink(g_variant_dict_end(&dict));
    ck_assert(!gateway_facts_from_variant(odd, &out));
    g_variant_unref(odd);
    g_variant_unref(details);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gateway facts");
    TCase *tcase = tcase_create("all");

    tcase_add_loop_test(tcase, fingerprint_is_parsed, 0, G_N_ELEMENTS(fingerprints));
    tcase_add_test(tcase, facts_come_back);
    tcase_add_test(tcase, facts_that_lack_one);
    tcase_add_test(tcase, odd_facts);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

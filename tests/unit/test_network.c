/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/network_variant.h"

#include <check.h>

#include "unit/vectors.h"

#define GOOD "([byte 192,0,2,2], byte 24, uint32 3, 'wlan0', byte 1, true, uint32 600, uint16 1500)"

static gboolean reads(const char *text, struct network *out)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) variant =
        g_variant_parse(G_VARIANT_TYPE(NETWORK_VARIANT_TYPE), text, NULL, NULL, &error);
    ck_assert_msg(variant != NULL, "%s", error ? error->message : "");
    return network_from_variant(variant, out);
}

START_TEST(there_and_back)
{
    struct network network = {.generation = 7, .connectivity = CONNECTIVITY_PORTAL, .n = 2}, out;
    struct uplink *first = &network.uplinks[0], *second = &network.uplinks[1];
    *first = (struct uplink){.ifindex = 2, .interface = "eth0", .mtu = 1500, .metric = 100};
    first->has_default = true;
    ck_assert(prefix_parse(&first->address, "192.0.2.2/24", true));
    ck_assert(addr_parse(&first->via, "192.0.2.1"));
    *second = (struct uplink){.ifindex = 3, .interface = "fifteen_letters", .mtu = 1280};
    second->kind = UPLINK_WWAN;
    ck_assert(prefix_parse(&second->address, "2001:db8::2/64", true));
    g_autoptr(GVariant) variant = g_variant_ref_sink(network_to_variant(&network));
    ck_assert(network_from_variant(variant, &out));
    ck_assert_uint_eq(out.generation, 7);
    ck_assert_int_eq(out.connectivity, CONNECTIVITY_PORTAL);
    ck_assert_uint_eq(out.n, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct uplink *was = &network.uplinks[i], *is = &out.uplinks[i];
        ck_assert(addr_equal(&is->address.addr, &was->address.addr));
        ck_assert_uint_eq(is->address.len, was->address.len);
        ck_assert_uint_eq(is->ifindex, was->ifindex);
        ck_assert_str_eq(is->interface, was->interface);
        ck_assert_int_eq(is->kind, was->kind);
        ck_assert_int_eq(is->has_default, was->has_default);
        ck_assert_uint_eq(is->metric, was->metric);
        ck_assert_uint_eq(is->mtu, was->mtu);
        ck_assert_int_eq(is->via.family, FAMILY_NONE); /* the privileged side's business */
    }
}
END_TEST

static const char *const bad[] = {
    "(0, 0, [])",
    "(1, 5, [])",
    "(1, 0, [([byte 192,0,2], 24, 3, 'e', 1, true, 600, 1500)])",
    "(1, 0, [([byte 192,0,2,2,2], 24, 3, 'e', 1, true, 600, 1500)])",
    "(1, 0, [(@ay [], 0, 3, 'e', 1, true, 600, 1500)])",
    "(1, 0, [([byte 192,0,2,2], 33, 3, 'e', 1, true, 600, 1500)])",
    "(1, 0, [([byte 127,0,0,1], 8, 3, 'lo', 1, true, 600, 1500)])",
    "(1, 0, [([byte 224,0,0,1], 8, 3, 'e', 1, true, 600, 1500)])",
    "(1, 0, [([byte 0,0,0,0], 0, 3, 'e', 1, true, 600, 1500)])",
    "(1, 0, [([byte 254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,1], 64, 3, 'e', 1, true, 600, 1500)])",
    "(1, 0, [([byte 192,0,2,2], 24, 0, 'e', 1, true, 600, 1500)])",
    "(1, 0, [([byte 192,0,2,2], 24, 3, 'sixteen_letters_', 1, true, 600, 1500)])",
    "(1, 0, [([byte 192,0,2,2], 24, 3, 'e', 4, true, 600, 1500)])",
};

START_TEST(refused)
{
    struct network out;
    ck_assert(!reads(bad[_i], &out));
    ck_assert_uint_eq(out.n, 0);
    ck_assert_uint_eq(out.generation, 0);
}
END_TEST

START_TEST(how_many)
{
    struct network out;
    for (guint n = NETWORK_UPLINKS_MAX; n <= NETWORK_UPLINKS_MAX + 1; n++) {
        g_autoptr(GString) text = g_string_new("(1, 4, [" GOOD);
        for (guint i = 1; i < n; i++) {
            g_string_append(text, ", " GOOD);
        }
        g_string_append(text, "])");
        ck_assert_int_eq(reads(text->str, &out), n == NETWORK_UPLINKS_MAX);
        ck_assert_uint_eq(out.n, n == NETWORK_UPLINKS_MAX ? n : 0);
    }
    ck_assert(reads("(1, 0, [])", &out)); /* offline */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("network");
    TCase *tcase = tcase_create("variant");
    tcase_add_test(tcase, there_and_back);
    tcase_add_loop_test(tcase, refused, 0, G_N_ELEMENTS(bad));
    tcase_add_test(tcase, how_many);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <glib/gstdio.h>

#include "session/ways.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"

static struct network network_in(const char *address, const char *router)
{
    struct network network = {.generation = 1, .n = 1};
    struct uplink *uplink = &network.uplinks[0];
    ck_assert(prefix_parse(&uplink->address, address, true));
    uplink->has_default = router != NULL;
    ck_assert(!router || addr_parse(&uplink->via, router));
    return network;
}

static void expect(const struct network *network, const char *gateway, const char *way)
{
    g_autofree char *found = ways_recall(network, gateway);
    ck_assert_msg(g_strcmp0(found, way) == 0, "%s, not %s", found, way);
}

static void setup(void)
{
    g_mkdir_with_parents(RUNDIR, 0755);
    g_unlink(RUNDIR "/ways");
}

START_TEST(per_network_and_gateway)
{
    struct network home = network_in("192.168.1.20/24", "192.168.1.1");
    struct network renewed = network_in("192.168.1.77/24", "192.168.1.1");
    struct network work = network_in("192.168.1.20/24", "192.168.1.254");
    struct network island = network_in("192.168.1.20/24", NULL);
    struct network none = {.generation = 1};

    expect(&home, "vpn.example.org", NULL);
    ways_remember(&home, "vpn.example.org", "192.0.2.1:4500");
    expect(&home, "vpn.example.org", "192.0.2.1:4500");
    expect(&renewed, "vpn.example.org", "192.0.2.1:4500");
    expect(&home, "vpn2.example.org", NULL);
    expect(&work, "vpn.example.org", NULL);
    ways_remember(&work, "vpn.example.org", "[2001:db8::1]:500");
    expect(&work, "vpn.example.org", "[2001:db8::1]:500");
    expect(&home, "vpn.example.org", "192.0.2.1:4500");
    ways_remember(&home, "vpn.example.org", "192.0.2.2:500");
    expect(&home, "vpn.example.org", "192.0.2.2:500");

    ways_remember(&island, "vpn.example.org", "192.0.2.1:500");
    expect(&island, "vpn.example.org", NULL);
    ways_remember(&none, "vpn.example.org", "192.0.2.1:500");
    expect(&none, "vpn.example.org", NULL);
    ways_remember(NULL, NULL, NULL);
    expect(NULL, NULL, NULL);
}
END_TEST

START_TEST(only_what_is_one)
{
    struct network home = network_in("192.168.1.20/24", "192.168.1.1");
    ways_remember(&home, "vpn.example.org", "vpn.example.org:500");
    ways_remember(&home, "vpn.example.org", "192.0.2.1:500\n[ways]");
    expect(&home, "vpn.example.org", NULL);
    ck_assert(!g_file_test(RUNDIR "/ways", G_FILE_TEST_EXISTS));
}
END_TEST

START_TEST(says_not_where)
{
    struct network home = network_in("192.168.1.20/24", "192.168.1.1");
    g_autofree char *text = NULL;
    GStatBuf status;
    ways_remember(&home, "vpn.example.org", "192.0.2.1:500");
    ck_assert(g_file_get_contents(RUNDIR "/ways", &text, NULL, NULL));
    ck_assert_ptr_null(strstr(text, "192.168"));
    ck_assert_ptr_null(strstr(text, "example"));
    ck_assert_int_eq(g_stat(RUNDIR "/ways", &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
}
END_TEST

START_TEST(damaged_file)
{
    struct network home = network_in("192.168.1.20/24", "192.168.1.1");
    static const char garbage[] = "\xff[ways\nx";
    ck_assert(g_file_set_contents(RUNDIR "/ways", garbage, -1, NULL));
    expect(&home, "vpn.example.org", NULL);
    ways_remember(&home, "vpn.example.org", "192.0.2.1:500");
    expect(&home, "vpn.example.org", "192.0.2.1:500");
}
END_TEST

START_TEST(oldest_makes_room)
{
    for (int i = 0; i < 66; i++) {
        g_autofree char *router = g_strdup_printf("192.168.1.%d", i + 1);
        struct network network = network_in("192.168.1.200/24", router);
        ways_remember(&network, "vpn.example.org", "192.0.2.1:500");
    }
    struct network second = network_in("192.168.1.200/24", "192.168.1.2");
    struct network third = network_in("192.168.1.200/24", "192.168.1.3");
    expect(&second, "vpn.example.org", NULL);
    expect(&third, "vpn.example.org", "192.0.2.1:500");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ways");
    TCase *tcase = tcase_create("ways");
    sandbox_enter();
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, per_network_and_gateway);
    tcase_add_test(tcase, only_what_is_one);
    tcase_add_test(tcase, says_not_where);
    tcase_add_test(tcase, damaged_file);
    tcase_add_test(tcase, oldest_makes_room);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

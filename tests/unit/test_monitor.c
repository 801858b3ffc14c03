/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/monitor.h"

#include <check.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

#include "host/host.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"
#include "unit/waiting.h"

/* Far above what any step takes, so that only a hang meets it. */
#define PATIENCE_S 20

static struct monitor *monitor;
static guint told;       /* how often */
static gboolean overdue; /* PATIENCE_S are over */

static void on_changed(void *context, const struct network *network)
{
    ck_assert_ptr_eq(context, &monitor);
    ck_assert_ptr_eq(network, monitor_network(monitor));
    told++;
}

/* "192.0.2.2/24 up0 default 0; …" */
static char *describe(const struct network *network)
{
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i < network->n; i++) {
        const struct uplink *uplink = &network->uplinks[i];
        char text[ADDR_TEXT_MAX];
        g_string_append_printf(out, "%s%s %s", i ? "; " : "", prefix_text(&uplink->address, text),
                               uplink->interface);
        if (uplink->has_default) {
            g_string_append_printf(out, " default %u", uplink->metric);
        }
    }
    return g_string_free(out, FALSE);
}

static gboolean on_overdue(gpointer data)
{
    (void)data;
    overdue = TRUE;
    return G_SOURCE_REMOVE;
}

static void wait_for(const char *wanted)
{
    guint source = g_timeout_add_seconds(PATIENCE_S, on_overdue, NULL);
    for (;;) {
        g_autofree char *now = describe(monitor_network(monitor));
        if (g_str_equal(now, wanted)) {
            break;
        }
        ck_assert_msg(!overdue, "%s, not %s", now, wanted);
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(source);
}

static gboolean has(const char *address)
{
    g_autofree char *now = describe(monitor_network(monitor));
    return strstr(now, address) != NULL;
}

/* What the kernel announced until now has been looked at: so has what it announced after it. */
static void settle(void)
{
    static const char mark[] = "198.51.100.1/32";
    sandbox_do("ip addr add %s dev up0", mark);
    while (!has(mark)) {
        g_main_context_iteration(NULL, TRUE);
    }
    sandbox_do("ip addr del %s dev up0", mark);
    while (has(mark)) {
        g_main_context_iteration(NULL, TRUE);
    }
}

static void watch(void)
{
    g_autoptr(GError) error = NULL;
    told = 0;
    monitor = monitor_new(on_changed, &monitor, &error);
    ck_assert_msg(monitor != NULL, "%s", error ? error->message : "");
}

/* Each test has a network of its own. */
static void set_up(void)
{
    sandbox_enter();
    sandbox_uplink();
    watch();
}

static void tear_down(void)
{
    monitor_free(monitor);
}

#define UP0 "192.0.2.2/24 up0 default 0; 2001:db8:1::2/64 up0 default 1024"

START_TEST(at_first)
{
    const struct network *network = monitor_network(monitor);
    struct addr router;
    wait_for(UP0);
    ck_assert_uint_eq(network->generation, 1);
    ck_assert_int_eq(network->connectivity, CONNECTIVITY_UNKNOWN);
    ck_assert_int_eq(network->uplinks[0].kind, UPLINK_WIRED);
    ck_assert_uint_eq(network->uplinks[0].mtu, 1500);
    ck_assert(addr_parse(&router, "192.0.2.1"));
    ck_assert(addr_equal(&network->uplinks[0].via, &router));
    ck_assert_uint_ne(network->uplinks[0].ifindex, 0);
    ck_assert_uint_eq(told, 0);
}
END_TEST

START_TEST(second_link)
{
    sandbox_do("ip link add w0 type veth peer name w1 && ip link set w0 addrgenmode none && "
               "ip link set w1 up && ip link set w0 up && ip addr add 10.1.0.2/24 dev w0");
    wait_for(UP0 "; 10.1.0.2/24 w0");
    ck_assert_uint_eq(monitor_network(monitor)->generation, 1 + told);
    sandbox_do("ip route add default via 10.1.0.1 dev w0 metric 600");
    wait_for("192.0.2.2/24 up0 default 0; 10.1.0.2/24 w0 default 600; "
             "2001:db8:1::2/64 up0 default 1024");
    /* Preference follows the metric. */
    sandbox_do(
        "ip route del default dev up0; ip route add default via 192.0.2.1 dev up0 metric 700");
    wait_for("10.1.0.2/24 w0 default 600; 192.0.2.2/24 up0 default 700; "
             "2001:db8:1::2/64 up0 default 1024");
    /* The other end of the cable. The routes stay, and lead nowhere. */
    sandbox_do("ip link set w1 down");
    wait_for("192.0.2.2/24 up0 default 700; 2001:db8:1::2/64 up0 default 1024");
    sandbox_do("ip link set w1 up");
    wait_for("10.1.0.2/24 w0 default 600; 192.0.2.2/24 up0 default 700; "
             "2001:db8:1::2/64 up0 default 1024");
    /* The kernel takes the IPv4 routes of a link away without a word. */
    sandbox_do("ip link set w0 down && ip link set w0 up");
    wait_for("192.0.2.2/24 up0 default 700; 2001:db8:1::2/64 up0 default 1024; 10.1.0.2/24 w0");
    sandbox_do("ip link set w0 name w7");
    wait_for("192.0.2.2/24 up0 default 700; 2001:db8:1::2/64 up0 default 1024; 10.1.0.2/24 w7");
    sandbox_do("ip link del w7");
    wait_for("192.0.2.2/24 up0 default 700; 2001:db8:1::2/64 up0 default 1024");
}
END_TEST

/* The kernel has announced what a command did when it ends. */
static void look(void)
{
    while (g_main_context_iteration(NULL, FALSE)) {
    }
}

START_TEST(loss_and_first_are_told_at_once)
{
    sandbox_do("ip addr add 10.0.0.2/24 dev up0 && ip addr add 10.1.0.2/24 dev up0");
    wait_for("192.0.2.2/24 up0 default 0; 10.0.0.2/24 up0 default 0; 10.1.0.2/24 up0 default 0; "
             "2001:db8:1::2/64 up0 default 1024");
    told = 0;
    sandbox_do("ip addr del 10.0.0.2/24 dev up0");
    look();
    ck_assert_uint_eq(told, 1);
    sandbox_do("ip route del default");
    look();
    ck_assert_uint_eq(told, 2);
    /* The carrier is announced later. */
    sandbox_do("ip link set up1 down");
    wait_for("");
    ck_assert_uint_eq(told, 3);
    sandbox_do("ip link set up1 up");
    wait_for("2001:db8:1::2/64 up0 default 1024; 192.0.2.2/24 up0; 10.1.0.2/24 up0");
    ck_assert_uint_eq(told, 4);
    ck_assert_uint_eq(monitor_network(monitor)->generation, 6);
}
END_TEST

/* An address is of no use before its routes, which come a moment later. */
START_TEST(first_way_out_is_told_at_once)
{
    sandbox_do("ip addr flush dev up0 && ip route flush dev up0; ip -6 route flush dev up0");
    wait_for("");
    told = 0;
    sandbox_do("ip addr add 192.0.2.2/24 dev up0");
    look();
    ck_assert_uint_eq(told, 0);
    sandbox_do("ip route add default via 192.0.2.1");
    look();
    ck_assert_uint_eq(told, 1);
    wait_for("192.0.2.2/24 up0 default 0");
}
END_TEST

/* What comes within the time to settle is told as one. */
START_TEST(gains_come_together)
{
    for (int i = 3; i < 7; i++) {
        sandbox_do("ip addr add 192.0.2.%d/24 dev up0", i);
    }
    wait_for("192.0.2.2/24 up0 default 0; 192.0.2.3/24 up0 default 0; 192.0.2.4/24 up0 default 0; "
             "192.0.2.5/24 up0 default 0; 192.0.2.6/24 up0 default 0; "
             "2001:db8:1::2/64 up0 default 1024");
    ck_assert_uint_eq(told, 1);
}
END_TEST

static const struct {
    const char *address;
    gboolean counts;
} addresses[] = {
    {"169.254.7.7/16", FALSE},           {"10.7.7.7/24 scope link", FALSE},
    {"fe80::77/64 nodad", FALSE},        {"2001:db8:7::7/64 nodad preferred_lft 0", FALSE},
    {"2001:db8:7::7/64 nodad", TRUE},    {"fd00::7/64 nodad", TRUE},
    {"10.7.7.7 peer 10.7.7.8/32", TRUE},
};

START_TEST(which_addresses)
{
    const char *address = addresses[_i].address;
    size_t n = monitor_network(monitor)->n;
    sandbox_do("ip addr add %s dev up0", address);
    settle();
    ck_assert_uint_eq(monitor_network(monitor)->n, n + (addresses[_i].counts ? 1 : 0));
    if (strstr(address, "peer")) {
        char text[ADDR_TEXT_MAX];
        struct addr wanted;
        gboolean found = FALSE;
        ck_assert(addr_parse(&wanted, "10.7.7.7"));
        for (size_t i = 0; i <= n; i++) {
            found |= addr_equal(&monitor_network(monitor)->uplinks[i].address.addr, &wanted);
        }
        ck_assert_msg(found, "%s", addr_text(&wanted, text));
    }
}
END_TEST

/* Its router has fallen silent. */
START_TEST(deprecated_for_want_of_another)
{
    sandbox_do("ip -6 addr change 2001:db8:1::2/64 dev up0 preferred_lft 0");
    settle();
    wait_for(UP0);
    sandbox_do("ip -6 addr add 2001:db8:1::3/64 dev up0 nodad");
    wait_for("192.0.2.2/24 up0 default 0; 2001:db8:1::3/64 up0 default 1024");
    sandbox_do("ip -6 addr del 2001:db8:1::3/64 dev up0 nodad");
    wait_for(UP0);
}
END_TEST

/* Of a host that announces its address over several links. */
START_TEST(loopback_interface)
{
    sandbox_do("ip addr add 203.0.113.77/32 dev lo");
    wait_for(UP0 "; 203.0.113.77/32 lo");
}
END_TEST

/* Duplicate address detection (RFC 4862 5.4) takes a second or two. */
START_TEST(tentative)
{
    sandbox_do("sysctl -qw net.ipv6.conf.up0.accept_dad=1 net.ipv6.conf.up0.dad_transmits=1");
    sandbox_do("ip addr add 2001:db8:1::3/64 dev up0");
    g_autofree char *state = sandbox_run("ip -6 addr show dev up0 tentative");
    ck_assert_ptr_nonnull(strstr(state, "2001:db8:1::3"));
    wait_for("192.0.2.2/24 up0 default 0; 2001:db8:1::3/64 up0 default 1024; "
             "2001:db8:1::2/64 up0 default 1024");
    g_free(state);
    state = sandbox_run("ip -6 addr show dev up0 tentative");
    ck_assert_ptr_null(strstr(state, "2001:db8:1::3"));
}
END_TEST

static gboolean is_double(const char *address)
{
    g_autofree char *failed = sandbox_run("ip -6 addr show dev up0 dadfailed");
    return strstr(failed, address) != NULL;
}

/* The neighbour has the same. */
START_TEST(duplicate)
{
    sandbox_do("ip addr add 2001:db8:1::3/64 dev up1 nodad");
    sandbox_do("sysctl -qw net.ipv6.conf.up0.accept_dad=1 net.ipv6.conf.up0.dad_transmits=1");
    sandbox_do("ip addr add 2001:db8:1::3/64 dev up0");
    wait_until(is_double("2001:db8:1::3"));
    sandbox_do("ip addr del 2001:db8:1::3/64 dev up1");
    settle();
    wait_for(UP0);
}
END_TEST

/* Everything that a tunnel of ours does to the host, from making its interface to removing it. */
START_TEST(own_tunnel)
{
    g_autoptr(GError) error = NULL;
    char interface[16];
    gboolean vnet_hdr;
    struct net_config config = {.mtu = 1400, .n_addresses = 2, .n_routes = 3};
    const struct host_options options = {.full_tunnel = _i == 0, .fwmark = HOST_FWMARK_DEFAULT};
    ck_assert(prefix_parse(&config.addresses[0], "10.9.0.5/24", true));
    ck_assert(prefix_parse(&config.addresses[1], "fd00:9::5/64", true));
    ck_assert(prefix_parse(&config.routes[0], "0.0.0.0/0", true));
    ck_assert(prefix_parse(&config.routes[1], "::/0", true));
    ck_assert(prefix_parse(&config.routes[2], "10.8.0.0/16", true));
    int tun = host_tun_open(interface, &vnet_hdr, &error);
    ck_assert_int_ge(tun, 0);
    struct host *host = host_new("a", interface, &error);
    ck_assert_ptr_nonnull(host);
    ck_assert(host_apply(host, &config, &options, &error));
    settle();
    ck_assert_uint_eq(told, 2); /* both by settle() */
    wait_for(UP0);
    host_revert(host);
    host_free(host);
    close(tun);
    settle();
    ck_assert_uint_eq(told, 4);
    wait_for(UP0);
}
END_TEST

/* Somebody else's tunnel is a way like others. */
START_TEST(foreign_tunnel)
{
    sandbox_do("ip tuntap add dev wg0 mode tun && ip addr add 10.5.0.2/24 dev wg0 && "
               "ip link set wg0 up");
    settle();
    wait_for(UP0); /* nobody reads from it: it does not carry */
    sandbox_do("ip link del wg0");
    sandbox_do(
        "ip link add godwit type veth peer name g1 && ip link set godwit addrgenmode none && "
        "ip link set g1 up && ip link set godwit up && ip addr add 10.5.0.2/24 dev godwit");
    wait_for(UP0 "; 10.5.0.2/24 godwit");
}
END_TEST

/* What the kernel says in sysfs of links that only hardware makes. */
static const struct {
    const char *uevent;
    enum uplink_kind kind;
} kinds[] = {{"INTERFACE=w0\n", UPLINK_WIRED},
             {"DEVTYPE=wlan\nINTERFACE=w0\n", UPLINK_WIFI},
             {"DEVTYPE=wwan\nINTERFACE=w0\n", UPLINK_WWAN},
             {"DEVTYPE=bridge\nINTERFACE=w0\n", UPLINK_OTHER},
             {"", UPLINK_WIRED}};

START_TEST(kind)
{
    sandbox_do("mount -t tmpfs tmpfs /sys/class/net && mkdir /sys/class/net/w0");
    ck_assert(g_file_set_contents("/sys/class/net/w0/uevent", kinds[_i].uevent, -1, NULL));
    sandbox_do("ip link add w0 type veth peer name w1 && ip link set w0 addrgenmode none && "
               "ip link set w1 up && ip link set w0 up && ip addr add 10.1.0.2/24 dev w0");
    wait_for(UP0 "; 10.1.0.2/24 w0");
    ck_assert_int_eq(monitor_network(monitor)->uplinks[2].kind, kinds[_i].kind);
}
END_TEST

/* Of equal metric the cheaper kind. */
START_TEST(kind_decides_between_equals)
{
    sandbox_do("mount -t tmpfs tmpfs /sys/class/net && mkdir /sys/class/net/up0");
    ck_assert(g_file_set_contents("/sys/class/net/up0/uevent", "DEVTYPE=wlan\n", -1, NULL));
    sandbox_do(
        "ip link add w0 type veth peer name w1 && ip link set w0 addrgenmode none && "
        "ip link set w1 up && ip link set w0 up && ip addr add 10.1.0.2/24 dev w0 && "
        "ip route replace default nexthop via 192.0.2.1 dev up0 nexthop via 10.1.0.1 dev w0");
    wait_for("10.1.0.2/24 w0 default 0; 192.0.2.2/24 up0 default 0; "
             "2001:db8:1::2/64 up0 default 1024");
}
END_TEST

static guint dropped_notifications(void)
{
    g_autofree char *table = NULL;
    guint dropped = 0;
    ck_assert(g_file_get_contents("/proc/net/netlink", &table, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(table, "\n", 0);
    for (char **line = lines; *line; line++) {
        guint drops = 0;
        if (sscanf(*line, "%*s %*u %*d %*x %*d %*d %*d %*d %u", &drops) == 1) {
            dropped += drops;
        }
    }
    return dropped;
}

static void many_addresses(const char *action, guint n)
{
    g_autoptr(GString) batch = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < n; i++) {
        g_string_append_printf(batch, "addr %s 10.64.%u.%u/32 dev up0\n", action, i / 250,
                               i % 250 + 1);
    }
    ck_assert(g_file_set_contents("/run/batch", batch->str, -1, &error));
    sandbox_do("ip -batch /run/batch");
}

START_TEST(thousand_addresses)
{
    many_addresses("add", 1000);
    wait_for("192.0.2.2/24 up0 default 0; 10.64.0.1/32 up0 default 0; "
             "10.64.0.2/32 up0 default 0; 10.64.0.3/32 up0 default 0; "
             "10.64.0.4/32 up0 default 0; 10.64.0.5/32 up0 default 0; "
             "10.64.0.6/32 up0 default 0; 10.64.0.7/32 up0 default 0; "
             "2001:db8:1::2/64 up0 default 1024");
    /* A second link is not crowded out. */
    sandbox_do("ip link add w0 type veth peer name w1 && ip link set w0 addrgenmode none && "
               "ip link set w1 up && ip link set w0 up && ip addr add 10.1.0.2/24 dev w0");
    while (monitor_network(monitor)->n != 10) {
        g_main_context_iteration(NULL, TRUE);
    }
}
END_TEST

/* More than the kernel keeps for us: nothing is missed all the same. */
START_TEST(overflow)
{
    many_addresses("add", 5000);
    many_addresses("del", 5000);
    sandbox_do("ip addr add 203.0.113.9/24 dev up0");
    ck_assert_uint_gt(dropped_notifications(), 0);
    wait_for("192.0.2.2/24 up0 default 0; 203.0.113.9/24 up0 default 0; "
             "2001:db8:1::2/64 up0 default 1024");
}
END_TEST

START_TEST(multipath)
{
    sandbox_do(
        "ip link add w0 type veth peer name w1 && ip link set w0 addrgenmode none && "
        "ip link set w1 up && ip link set w0 up && ip addr add 10.1.0.2/24 dev w0 && "
        "ip route replace default nexthop via 192.0.2.1 dev up0 nexthop via 10.1.0.1 dev w0");
    wait_for("192.0.2.2/24 up0 default 0; 10.1.0.2/24 w0 default 0; "
             "2001:db8:1::2/64 up0 default 1024");
}
END_TEST

START_TEST(no_network_at_all)
{
    sandbox_do("ip link set up0 down");
    wait_for("");
    sandbox_do("ip link set lo down");
    tear_down();
    watch();
    wait_for("");
}
END_TEST

/* ---- one link ---- */

static void count(void *context)
{
    (*(guint *)context)++;
}

static void never(void *context)
{
    (void)context;
    ck_abort_msg("the link was not removed");
}

static const struct {
    const char *command;
    gboolean disturbs;
} acts[] = {
    {"ip link set up0 down", TRUE},
    {"ip addr del 192.0.2.2/24 dev up0", TRUE},
    {"ip route del 203.0.113.0/24 table 26479", TRUE},
    {"ip rule del pref 4242", TRUE},
    {"ip -6 rule del pref 4242", TRUE},
    {"ip link set up0 mtu 1400", FALSE},
    {"ip addr add 192.0.2.3/24 dev up0", FALSE},
    {"ip addr del 192.0.2.9/32 dev lo", FALSE},
    {"ip route del 203.0.113.0/24 table 77", FALSE},
    {"ip route add 198.51.100.0/24 via 192.0.2.1 table 26479", FALSE},
    {"ip rule add pref 4243 table 77", FALSE},
};

START_TEST(link_is_disturbed)
{
    static const struct monitor_link_ops ops = {.removed = never, .disturbed = count};
    guint times = 0;
    sandbox_do("ip addr add 192.0.2.9/32 dev lo && "
               "ip route add 203.0.113.0/24 via 192.0.2.1 table 26479 && "
               "ip route add 203.0.113.0/24 via 192.0.2.1 table 77 && "
               "ip rule add pref 4242 table 77 && ip -6 rule add pref 4242 table 77");
    look();
    monitor_watch_link(monitor, if_nametoindex("up0"), &ops, &times);
    look();
    ck_assert_uint_eq(times, 0);
    sandbox_do("%s", acts[_i].command);
    look();
    ck_assert_msg((times > 0) == acts[_i].disturbs, "%s: %u times", acts[_i].command, times);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("monitor");
    TCase *tcase = tcase_create("monitor");
    sandbox_enter(); /* or skips */
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, at_first);
    tcase_add_test(tcase, second_link);
    tcase_add_test(tcase, loss_and_first_are_told_at_once);
    tcase_add_test(tcase, first_way_out_is_told_at_once);
    tcase_add_test(tcase, gains_come_together);
    tcase_add_loop_test(tcase, which_addresses, 0, G_N_ELEMENTS(addresses));
    tcase_add_test(tcase, deprecated_for_want_of_another);
    tcase_add_test(tcase, loopback_interface);
    tcase_add_test(tcase, tentative);
    tcase_add_test(tcase, duplicate);
    tcase_add_loop_test(tcase, own_tunnel, 0, 2);
    tcase_add_test(tcase, foreign_tunnel);
    tcase_add_loop_test(tcase, kind, 0, G_N_ELEMENTS(kinds));
    tcase_add_test(tcase, kind_decides_between_equals);
    tcase_add_test(tcase, thousand_addresses);
    tcase_add_test(tcase, overflow);
    tcase_add_test(tcase, multipath);
    tcase_add_test(tcase, no_network_at_all);
    tcase_add_loop_test(tcase, link_is_disturbed, 0, G_N_ELEMENTS(acts));
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

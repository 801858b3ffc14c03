/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/host.h"
#include "unit/host_tunnel.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"

START_TEST(tun_and_sockets)
{
    struct host_tunnel tunnel;
    g_autofree char *before = sandbox_snapshot();
    g_autoptr(GError) error = NULL;
    tunnel_open(&tunnel, "a");
    ck_assert_str_eq(tunnel.interface, "godwit0");
    ck_assert_int_eq(fcntl(tunnel.tun, F_GETFD), FD_CLOEXEC);
    ck_assert(fcntl(tunnel.tun, F_GETFL) & O_NONBLOCK);
    expect(FALSE, "UP", "ip link show godwit0 | head -1 | cut -d'>' -f1");
    static const struct {
        enum family family;
        int level, option;
        int value;
    } wanted[] = {{FAMILY_IPV4, SOL_SOCKET, SO_MARK, HOST_FWMARK_DEFAULT},
                  {FAMILY_IPV4, IPPROTO_IP, IP_PKTINFO, 1},
                  {FAMILY_IPV4, IPPROTO_IP, IP_RECVERR, 1},
                  {FAMILY_IPV4, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE},
                  {FAMILY_IPV6, SOL_SOCKET, SO_MARK, HOST_FWMARK_DEFAULT},
                  {FAMILY_IPV6, IPPROTO_IPV6, IPV6_V6ONLY, 1},
                  {FAMILY_IPV6, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1},
                  {FAMILY_IPV6, IPPROTO_IPV6, IPV6_RECVERR, 1},
                  {FAMILY_IPV6, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE}};
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        int fd = host_udp_open(wanted[i].family, HOST_FWMARK_DEFAULT, &error);
        int value = -1;
        socklen_t len = sizeof value;
        struct sockaddr_in6 local = {0};
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
        ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
        ck_assert_int_eq(getsockopt(fd, wanted[i].level, wanted[i].option, &value, &len), 0);
        ck_assert_int_eq(value, wanted[i].value);
        len = sizeof local;
        ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&local, &len), 0);
        ck_assert_uint_ne(local.sin6_port, 0); /* at the same place for both families */
        close(fd);
    }
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(full_both_families)
{
    struct host_tunnel tunnel;
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", "10.9.0.5/24 fd00:9::5/64 via 0.0.0.0/0 via ::/0", &full_tunnel);
    expect(TRUE, "mtu 1400", "ip link show godwit0");
    expect(TRUE, "UP", "ip link show godwit0");
    /* The netmask says nothing about what the tunnel carries. */
    expect(TRUE, "inet 10.9.0.5/32 ", "ip -4 addr show godwit0");
    expect(TRUE, "inet6 fd00:9::5/128 ", "ip -6 addr show godwit0");
    expect(FALSE, "fe80", "ip -6 addr show godwit0");
    expect(FALSE, "tentative", "ip -6 addr show godwit0");
    expect_route("203.0.113.5", "dev godwit0 table 28479 src 10.9.0.5");
    expect_route("2001:db8:ffff::5", "dev godwit0");
    /* What is marked takes the old way; nothing else does, not even to the link's own network: its
     * addresses are others' on the internet. */
    expect_route("192.0.2.77", "dev godwit0");
    expect_route("2001:db8:1::77", "dev godwit0");
    expect_route("203.0.113.5 mark 0x676f", "via 192.0.2.1 dev up0");
    expect_route("2001:db8:ffff::5 mark 0x676f", "via 2001:db8:1::1 dev up0");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(full_ipv4_blocks_ipv6)
{
    struct host_tunnel tunnel;
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", "10.9.0.5 via 0.0.0.0/0", &full_tunnel);
    expect_route("203.0.113.5", "dev godwit0");
    expect_route("2001:db8:ffff::5", "No route to host");
    expect_route("2001:db8:1::77", "No route to host");
    expect_route("fe80::1 oif up0", "dev up0");
    expect_route("2001:db8:ffff::5 mark 0x676f", "via 2001:db8:1::1 dev up0");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(full_ipv6_blocks_ipv4)
{
    struct host_tunnel tunnel;
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", "fd00:9::5 via ::/0", &full_tunnel);
    expect_route("203.0.113.5", "No route to host");
    expect_route("192.0.2.77", "No route to host");
    expect_route("2001:db8:ffff::5", "dev godwit0");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

/* The gateway grants all of IPv4 but only a part of IPv6. */
START_TEST(full_with_partial_ipv6)
{
    struct host_tunnel tunnel;
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", "10.9.0.5 fd00:9::5 via 0.0.0.0/0 via fd00::/8", &full_tunnel);
    expect_route("fd12::1", "dev godwit0");
    expect_route("2001:db8:ffff::5", "No route to host");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(split_plain)
{
    struct host_tunnel tunnel;
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", "10.9.0.5 fd00:9::5 via 10.0.0.0/8 via fd00::/8 via 192.0.2.64/26",
              &split_tunnel);
    expect(TRUE, "10.0.0.0/8 dev godwit0", "ip route show table 26479");
    expect(FALSE, "godwit0", "ip route; ip -6 route");
    expect(FALSE, "lookup 28479", "ip rule; ip -6 rule");
    expect_route("10.200.0.1", "dev godwit0 table 26479 src 10.9.0.5");
    expect_route("192.0.2.70", "dev godwit0");
    expect_route("192.0.2.7", "dev up0");
    expect_route("203.0.113.5", "via 192.0.2.1 dev up0");
    expect_route("fd12::1", "dev godwit0");
    expect_route("2001:db8:ffff::5", "via 2001:db8:1::1");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

/* Routes of a family without internal address lead nowhere. */
START_TEST(split_other_family)
{
    struct host_tunnel tunnel;
    tunnel_up(&tunnel, "a", "10.9.0.5 via 10.0.0.0/8 via fd00::/8", &split_tunnel);
    expect(FALSE, "godwit0", "ip -6 route show table all | grep -v ^multicast");
    expect_route("fd12::1", "dev up0");
    tunnel_down(&tunnel);
}
END_TEST

/* A split tunnel must not swallow its own packets. */
START_TEST(split_covers_gateway)
{
    struct host_options options = split_tunnel;
    struct host_tunnel tunnel;
    g_autofree char *before = sandbox_snapshot();
    options.gateway = prefix_of("203.0.113.7").addr;
    tunnel_up(&tunnel, "a", "10.9.0.5 via 203.0.113.0/24 via 10.0.0.0/8", &options);
    expect_route("203.0.113.8", "dev godwit0");
    expect_route("203.0.113.7", "dev godwit0");
    expect_route("203.0.113.7 mark 0x676f", "via 192.0.2.1 dev up0");
    expect_route("198.51.100.1", "via 192.0.2.1 dev up0");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(two_hundred_and_fifty_six_routes)
{
    struct host_tunnel tunnel;
    g_autofree char *before = sandbox_snapshot();
    g_autoptr(GError) error = NULL;
    struct net_config config = config_of("10.9.0.5");
    for (; config.n_routes < NET_ROUTES_MAX; config.n_routes++) {
        config.routes[config.n_routes] = prefix_of("10.0.0.0/24");
        config.routes[config.n_routes].addr.octets[2] = (uint8_t)config.n_routes;
    }
    /* The same twice: the gateway may say so. */
    config.routes[7] = config.routes[6];
    tunnel_open(&tunnel, "a");
    ck_assert(host_apply(tunnel.host, &config, &split_tunnel, &error));
    expect(TRUE, "255\n", "ip route show table 26479 | grep -c 'dev godwit0'");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(ipv6_switched_off)
{
    struct host_tunnel tunnel;
    g_autoptr(GError) error = NULL;
    sandbox_do("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6");
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", "10.9.0.5 fd00:9::5 via 0.0.0.0/0 via ::/0", &full_tunnel);
    expect_route("203.0.113.5", "dev godwit0");
    expect_route("2001:db8:ffff::5", "No route to host");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
    struct net_config config = config_of("fd00:9::5 via ::/0");
    tunnel_open(&tunnel, "a");
    ck_assert(!host_apply(tunnel.host, &config, &full_tunnel, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "IPv6 switched off"));
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
    sandbox_do("echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6");
}
END_TEST

/* The kernel refuses in the middle: nothing stays. */
START_TEST(failing_apply_reverts)
{
    struct host_tunnel tunnel;
    g_autofree char *before = sandbox_snapshot();
    g_autoptr(GError) error = NULL;
    struct net_config config = config_of("10.9.0.5 via 0.0.0.0/0 dns 10.9.0.1");
    tunnel_open(&tunnel, "a");
    config.routes[config.n_routes++] = (struct prefix){prefix_of("10.0.0.1").addr, 8};
    ck_assert(!host_apply(tunnel.host, &config, &full_tunnel, &error));
    ck_assert(g_error_matches(error, HOST_ERROR, HOST_ERROR_CONFIG));
    ck_assert_ptr_nonnull(strstr(error->message, "10.0.0.1/8"));
    sandbox_expect_same(before);
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

static const struct {
    const char *all, *uplink, *during;
} filters[] = {
    {"1", "1", "2\n"}, {"0", "1", "2\n"}, {"0", "0", "0\n"}, {"2", "1", "2\n"}, {"0", "2", "0\n"}};

START_TEST(strict_reverse_path_filter)
{
    struct host_tunnel tunnel;
    sandbox_do("cd /proc/sys/net/ipv4/conf; echo %s >all/rp_filter; echo %s >up0/rp_filter",
               filters[_i].all, filters[_i].uplink);
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", "10.9.0.5 via 0.0.0.0/0", &full_tunnel);
    expect(TRUE, filters[_i].during, "cat /proc/sys/net/ipv4/conf/all/rp_filter");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
    sandbox_do("cd /proc/sys/net/ipv4/conf; echo 0 >all/rp_filter; echo 0 >up0/rp_filter");
}
END_TEST

/* An interface that comes later may be the next uplink. */
START_TEST(strict_for_new_interfaces)
{
    struct host_tunnel tunnel;
    sandbox_do("cd /proc/sys/net/ipv4/conf; echo 0 >all/rp_filter; echo 0 >up0/rp_filter; "
               "echo 1 >default/rp_filter");
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", "10.9.0.5 via 0.0.0.0/0", &full_tunnel);
    expect(TRUE, "2\n", "cat /proc/sys/net/ipv4/conf/all/rp_filter");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
    sandbox_do("echo 0 >/proc/sys/net/ipv4/conf/default/rp_filter");
}
END_TEST

/* A split tunnel leaves the filter alone. */
START_TEST(split_keeps_filter)
{
    struct host_tunnel tunnel;
    sandbox_do("echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter");
    tunnel_up(&tunnel, "a", "10.9.0.5 via 10.0.0.0/8", &split_tunnel);
    expect(TRUE, "1\n", "cat /proc/sys/net/ipv4/conf/all/rp_filter");
    tunnel_down(&tunnel);
    sandbox_do("echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter");
}
END_TEST

/* ---- the interface ---- */

/* What its keeper has done to it does not come back with it. */
START_TEST(interface_that_comes_back_is_as_new)
{
    g_autoptr(GError) error = NULL;
    char interface[16], name[16];
    gboolean vnet_hdr;
    int header = 12;
    struct ifreq request = {0};
    int tun = host_tun_open(interface, &vnet_hdr, &error);
    ck_assert_int_ge(tun, 0);
    ck_assert(vnet_hdr);
    ck_assert_int_eq(ioctl(tun, TUNSETVNETHDRSZ, &header), 0);
    ck_assert_int_eq(ioctl(tun, TUNSETPERSIST, 1UL), 0);
    ck_assert_int_eq(fcntl(tun, F_SETFL, 0), 0);
    ck_assert(host_tun_adopt(tun, name, &vnet_hdr, &error));
    ck_assert_str_eq(name, interface);
    ck_assert(vnet_hdr);
    ck_assert_int_eq(ioctl(tun, TUNGETVNETHDRSZ, &header), 0);
    ck_assert_int_eq(header, 10);
    ck_assert_int_eq(ioctl(tun, TUNGETIFF, &request), 0);
    ck_assert_int_eq(request.ifr_flags & IFF_PERSIST, 0);
    ck_assert_int_ne(fcntl(tun, F_GETFL) & O_NONBLOCK, 0);
    close(tun);
}
END_TEST

START_TEST(bad_name)
{
    g_autofree char *name = g_strnfill(101, 'a');
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(host_new("", "lo", &error));
    g_clear_error(&error);
    ck_assert_ptr_null(host_new(name, "lo", &error));
}
END_TEST

/* Only interfaces that carry our name are touched. */
START_TEST(foreign_interface)
{
    g_autofree char *before = sandbox_snapshot();
    g_autoptr(GError) error = NULL;
    struct net_config config = config_of("10.9.0.5 via 0.0.0.0/0");
    struct host *host = host_new("a", "up0", &error);
    ck_assert_ptr_nonnull(host);
    ck_assert(!host_apply(host, &config, &full_tunnel, &error));
    host_revert(host);
    host_free(host);
    sandbox_expect_same(before);
}
END_TEST

/* ---- changes ---- */

/* Each becomes each of the others, and afterwards it is as if it had been so from the start. */
static const struct {
    const char *config;
    gboolean full;
} changes[] = {
    {"10.9.0.5 fd00:9::5 via 0.0.0.0/0 via ::/0 dns 10.9.0.1 in a.example", TRUE},
    {"10.9.0.6 fd00:9::6 via 0.0.0.0/0 via ::/0 dns 10.9.0.1 in a.example", TRUE},
    {"10.9.0.6 via 0.0.0.0/0 dns 10.9.0.2", TRUE},
    {"fd00:9::7 via ::/0", TRUE},
    {"10.9.0.5 fd00:9::5 via 0.0.0.0/0 via fd00:9::/32", TRUE},
    {"10.9.0.5 via 10.9.0.0/16 via 10.8.0.0/16", FALSE},
    {"10.9.0.8 fd00:9::8 via 10.9.0.0/16 via 192.0.2.0/24 via fd00:9::/32 dns fd00:9::1", FALSE},
};
#define CHANGES ((int)G_N_ELEMENTS(changes))

/* The kernel sets the routes of IPv6 addresses themselves when it has the time. */
static char *applied(struct host_tunnel *tunnel, int which)
{
    tunnel_apply(tunnel, changes[which].config, changes[which].full ? &full_tunnel : &split_tunnel);
    /* IPv6's local routes follow the addresses a moment later. */
    return sandbox_run("ip -o addr show godwit0 | tr -s ' ' | cut -d' ' -f3,4 | sort;"
                       "ip rule; ip -6 rule; ip -4 route show table all | sort;"
                       "ip -6 route show table all | grep -v '^local' | sort;"
                       "cat /etc/resolv.conf; ip link show godwit0 | grep -o 'mtu [0-9]*'");
}

START_TEST(changed)
{
    int from = _i / CHANGES, to = _i % CHANGES;
    struct host_tunnel tunnel;
    g_autofree char *before = sandbox_snapshot();
    tunnel_open(&tunnel, "a");
    g_autofree char *wanted = applied(&tunnel, to);
    tunnel_down(&tunnel);
    tunnel_open(&tunnel, "a");
    g_free(applied(&tunnel, from));
    g_autofree char *now = applied(&tunnel, to);
    sandbox_expect_text(now, wanted);
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

/* ---- several uplinks ---- */

/* up0 has the default routes of sandbox_uplink(); w0 and p0 have worse ones. */
static void more_uplinks(void)
{
    sandbox_link("w");
    sandbox_link("p");
    sandbox_do("ip -6 addr add 2001:db8:2::2/64 dev w0 nodad; ip addr add 10.2.0.2/24 dev w0; "
               "ip -6 route add default via 2001:db8:2::1 dev w0 metric 2000; "
               "ip route add default via 10.2.0.1 dev w0 metric 2000; "
               "ip -6 addr add 2001:db8:3::2/64 dev p0 nodad; "
               "ip -6 route add default dev p0 metric 3000");
}

static void fewer_uplinks(void)
{
    sandbox_do("ip link del w0; ip link del p0");
}

START_TEST(each_source_has_its_link)
{
    struct host_tunnel tunnel;
    more_uplinks();
    g_autofree char *before = sandbox_snapshot();
    struct network network = {.n = 4};
    network.uplinks[0] = uplink_of("2001:db8:1::2/64", "up0", "2001:db8:1::1");
    network.uplinks[1] = uplink_of("2001:db8:2::2/64", "w0", "2001:db8:2::1");
    network.uplinks[2] = uplink_of("192.0.2.2/24", "up0", "192.0.2.1");
    network.uplinks[3] = uplink_of("10.2.0.2/24", "w0", "10.2.0.1");
    tunnel_open(&tunnel, "a");
    tunnel_follow(&tunnel, &network);
    tunnel_follow(&tunnel, &network);
    tunnel_apply(&tunnel, "10.9.0.5 fd00:9::5 via 0.0.0.0/0 via ::/0", &full_tunnel);
    expect_route("2001:db8:ffff::5 mark 0x676f", "dev up0");
    expect_route("2001:db8:ffff::5 from 2001:db8:1::2 mark 0x676f", "via 2001:db8:1::1 dev up0");
    expect_route("2001:db8:ffff::5 from 2001:db8:2::2 mark 0x676f", "via 2001:db8:2::1 dev w0");
    expect_route("203.0.113.5 from 10.2.0.2 oif w0 mark 0x676f", "via 10.2.0.1 dev w0");
    /* On the same network nobody needs a router. */
    expect_route("2001:db8:2::7 from 2001:db8:2::2 mark 0x676f", "dev w0");
    expect(FALSE, "via", "ip route get 2001:db8:2::7 from 2001:db8:2::2 mark 0x676f");
    /* What is not ours goes as before: into the tunnel. */
    expect_route("2001:db8:ffff::5 from 2001:db8:2::2", "dev godwit0");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
    fewer_uplinks();
}
END_TEST

START_TEST(uplinks_come_and_go)
{
    struct host_tunnel tunnel;
    more_uplinks();
    g_autofree char *before = sandbox_snapshot();
    struct network network = {.n = 1};
    network.uplinks[0] = uplink_of("192.0.2.2/24", "up0", "192.0.2.1");
    tunnel_open(&tunnel, "a");
    tunnel_follow(&tunnel, &network);
    expect(FALSE, "0x676f", "ip -6 rule"); /* IPv4 does without */
    network.uplinks[0] = uplink_of("2001:db8:1::2/64", "up0", "2001:db8:1::1");
    network.uplinks[1] = uplink_of("2001:db8:2::2/64", "w0", "2001:db8:2::1");
    network.uplinks[2] = uplink_of("2001:db8:3::2/64", "p0", "");
    network.n = 3;
    tunnel_follow(&tunnel, &network);
    expect_route("2001:db8:ffff::5 from 2001:db8:2::2 mark 0x676f", "via 2001:db8:2::1 dev w0");
    expect_route("2001:db8:ffff::5 from 2001:db8:3::2 mark 0x676f", "dev p0");
    /* Another router, then another link for the same address. */
    network.uplinks[1] = uplink_of("2001:db8:2::2/64", "w0", "2001:db8:2::7");
    tunnel_follow(&tunnel, &network);
    expect_route("2001:db8:ffff::5 from 2001:db8:2::2 mark 0x676f", "via 2001:db8:2::7 dev w0");
    network.uplinks[2] = uplink_of("2001:db8:3::2/64", "w0", "2001:db8:2::7");
    tunnel_follow(&tunnel, &network);
    expect_route("2001:db8:ffff::5 from 2001:db8:3::2 mark 0x676f", "via 2001:db8:2::7 dev w0");
    network.n = 2;
    tunnel_follow(&tunnel, &network);
    expect_route("2001:db8:ffff::5 from 2001:db8:3::2 mark 0x676f", "dev up0");
    network.n = 1;
    tunnel_follow(&tunnel, &network);
    expect_route("2001:db8:ffff::5 from 2001:db8:2::2 mark 0x676f", "dev up0");
    network.n = 0;
    tunnel_follow(&tunnel, &network);
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
    fewer_uplinks();
}
END_TEST

/* Killed before and after the tunnel is there. */
START_TEST(killed_with_uplinks)
{
    more_uplinks();
    g_autofree char *before = sandbox_snapshot();
    pid_t child = fork();
    if (child == 0) {
        struct host_tunnel tunnel;
        struct network network = {.n = 2};
        network.uplinks[0] = uplink_of("2001:db8:1::2/64", "up0", "2001:db8:1::1");
        network.uplinks[1] = uplink_of("2001:db8:2::2/64", "w0", "2001:db8:2::1");
        tunnel_open(&tunnel, "a");
        tunnel_follow(&tunnel, &network);
        if (_i == 1) {
            tunnel_apply(&tunnel, "10.9.0.5 fd00:9::5 via 0.0.0.0/0 via ::/0", &full_tunnel);
        }
        kill(getpid(), SIGKILL);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    expect(TRUE, "0x676f", "ip -6 rule");
    ck_assert_uint_eq(host_clean_leftovers(), 1);
    sandbox_expect_same(before);
    fewer_uplinks();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("host");
    TCase *routing = tcase_create("routing"), *interfaces = tcase_create("interfaces");
    sandbox_enter();
    sandbox_uplink();
    sandbox_do("printf 'nameserver 192.0.2.53' >/etc/resolv.conf");
    tcase_add_test(routing, tun_and_sockets);
    tcase_add_test(routing, full_both_families);
    tcase_add_test(routing, full_ipv4_blocks_ipv6);
    tcase_add_test(routing, full_ipv6_blocks_ipv4);
    tcase_add_test(routing, full_with_partial_ipv6);
    tcase_add_test(routing, split_plain);
    tcase_add_test(routing, split_other_family);
    tcase_add_test(routing, split_covers_gateway);
    tcase_add_test(routing, two_hundred_and_fifty_six_routes);
    tcase_add_test(routing, ipv6_switched_off);
    tcase_add_test(routing, failing_apply_reverts);
    tcase_add_loop_test(routing, changed, 0, CHANGES * CHANGES);
    tcase_add_loop_test(routing, strict_reverse_path_filter, 0, G_N_ELEMENTS(filters));
    tcase_add_test(routing, strict_for_new_interfaces);
    tcase_add_test(routing, split_keeps_filter);
    tcase_add_test(routing, each_source_has_its_link);
    tcase_add_test(routing, uplinks_come_and_go);
    tcase_add_loop_test(routing, killed_with_uplinks, 0, 2);
    suite_add_tcase(suite, routing);
    tcase_add_test(interfaces, interface_that_comes_back_is_as_new);
    tcase_add_test(interfaces, bad_name);
    tcase_add_test(interfaces, foreign_interface);
    suite_add_tcase(suite, interfaces);
    return run_suite(suite);
}

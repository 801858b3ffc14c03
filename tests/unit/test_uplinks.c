/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "tunnel/uplinks.h"

#include <check.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include "host/host.h"
#include "tunnel/link.h"
#include "tunnel/reachability.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"

#define GATEWAY4 "203.0.113.1"
#define GATEWAY6 "2001:db8:ff::1"

static struct net_config inner;
static struct ike_sockets sockets = {.inner = &inner};
static struct uplinks uplinks;
static struct link link_;

/* ---- the engine: notes what it is told (linked with --wrap) ---- */

static GString *told;

void __wrap_ike_set_paths(struct ike *ike, const struct ike_local *locals, size_t n, uint64_t now);
void __wrap_ike_network_changed(struct ike *ike, uint64_t now);

/* "192.0.2.2 up0 0; 10.1.0.2 - 1": address, interface, rank */
void __wrap_ike_set_paths(struct ike *ike, const struct ike_local *locals, size_t n, uint64_t now)
{
    (void)ike;
    (void)now;
    g_string_append(told, "[");
    for (size_t i = 0; i < n; i++) {
        char text[ADDR_TEXT_MAX], name[IF_NAMESIZE] = "-";
        if_indextoname(locals[i].ifindex, name);
        g_string_append_printf(told, "%s%s %s %u", i ? "; " : "", addr_text(&locals[i].addr, text),
                               name, locals[i].rank);
    }
    g_string_append(told, "]");
}

void __wrap_ike_network_changed(struct ike *ike, uint64_t now)
{
    (void)ike;
    (void)now;
    g_string_append(told, "changed");
}

/* ---- the network ---- */

static void add(struct network *network, const char *address, const char *interface,
                gboolean has_default)
{
    struct uplink *uplink = &network->uplinks[network->n++];
    *uplink = (struct uplink){.ifindex = if_nametoindex(interface), .has_default = has_default};
    ck_assert(prefix_parse(&uplink->address, address, true));
}

/* As host/monitor.h would see it: up0 is preferred to w0. */
static struct network both(guint32 generation)
{
    struct network network = {.generation = generation};
    add(&network, "192.0.2.2/24", "up0", TRUE);
    add(&network, "2001:db8:1::2/64", "up0", TRUE);
    add(&network, "10.2.0.2/24", "w0", TRUE);
    add(&network, "2001:db8:2::2/64", "w0", TRUE);
    return network;
}

static int must(int fd, GError *error)
{
    ck_assert_msg(fd >= 0, "%s", error ? error->message : "no socket");
    return fd;
}

static void gateway(const char *address)
{
    link_.path.remote = (struct endpoint){.port = 4500};
    ck_assert(addr_parse(&link_.path.remote.addr, address));
}

static void set_up(void)
{
    GError *error = NULL;
    sandbox_enter();
    sandbox_uplink();
    sandbox_do("ip link add w0 type veth peer name w1; ip link set w0 addrgenmode none; "
               "ip link set w1 addrgenmode none; ip link set w1 up; ip link set w0 up; "
               "ip addr add 10.2.0.2/24 dev w0; ip -6 addr add 2001:db8:2::2/64 dev w0 nodad; "
               "ip route add default via 10.2.0.1 dev w0 metric 600; "
               "ip -6 route add default via 2001:db8:2::1 dev w0 metric 2000");
    sockets.fd4 = must(host_udp_open(FAMILY_IPV4, HOST_FWMARK_DEFAULT, &error), error);
    sockets.fd6 = must(host_udp_open(FAMILY_IPV6, HOST_FWMARK_DEFAULT, &error), error);
    sockets.lookup4 = must(host_lookup_open(FAMILY_IPV4, HOST_FWMARK_DEFAULT, &error), error);
    sockets.lookup6 = must(host_lookup_open(FAMILY_IPV6, HOST_FWMARK_DEFAULT, &error), error);
    told = g_string_new(NULL);
    gateway(GATEWAY4);
}

static void expect_told(const char *wanted)
{
    uplinks_tell(&uplinks, &link_, &sockets);
    ck_assert_str_eq(told->str, wanted);
    g_string_truncate(told, 0);
}

static void set(struct network network, gboolean matters)
{
    ck_assert_int_eq(uplinks_set(&uplinks, &network), matters);
}

#define UP_THEN_W "[192.0.2.2 up0 0; 2001:db8:1::2 up0 0; 10.2.0.2 w0 3; 2001:db8:2::2 w0 3]"

START_TEST(what_the_engine_hears)
{
    expect_told(""); /* nobody has said anything */
    set(both(1), TRUE);
    expect_told(UP_THEN_W);
    expect_told("");
    set(both(1), FALSE);
    expect_told("");
    /* Another router, say. */
    set(both(2), TRUE);
    expect_told("changed");
    expect_told("");
    set((struct network){.generation = 3}, TRUE);
    expect_told("[]");
}
END_TEST

START_TEST(the_host_s_own_choice_is_first)
{
    set(both(1), TRUE);
    sandbox_do(
        "ip route del default dev up0; ip route add default via 192.0.2.1 dev up0 metric 700");
    expect_told("[192.0.2.2 up0 1; 2001:db8:1::2 up0 1; 10.2.0.2 w0 0; 2001:db8:2::2 w0 0]");
}
END_TEST

/* A link with routes and without an address: the kernel takes one of elsewhere. */
START_TEST(not_of_a_tunnel)
{
    struct network network = {.generation = 1};
    add(&network, "10.2.0.2/24", "w0", TRUE);
    sandbox_do("ip -6 addr del 2001:db8:1::2/64 dev up0; ip -6 addr del 2001:db8:2::2/64 dev w0; "
               "ip tuntap add dev godwit0 mode tun; ip link set godwit0 up; "
               "ip -6 addr add fd00::5/128 dev godwit0 nodad; "
               "ip -6 route replace default via fe80::1 dev up0");
    set(network, TRUE);
    gateway(GATEWAY6);
    expect_told("[10.2.0.2 w0 1]");
}
END_TEST

/* No way to the world, but to this gateway. */
START_TEST(without_a_default_route)
{
    struct network network = {.generation = 1};
    add(&network, "192.0.2.2/24", "up0", FALSE);
    add(&network, "203.0.113.77/32", "lo", FALSE);
    set(network, TRUE);
    sandbox_do("ip route flush default; ip addr add 203.0.113.77/32 dev lo");
    expect_told("[]");
    gateway("192.0.2.99");
    expect_told("[192.0.2.2 - 0]"); /* the routing knows how to get there */
    gateway(GATEWAY4);
    sandbox_do("ip route add " GATEWAY4 " via 192.0.2.1 src 203.0.113.77");
    expect_told("[203.0.113.77 - 0]");
}
END_TEST

static const struct {
    enum connectivity before, now;
    gboolean matters;
} connectivities[] = {
    {CONNECTIVITY_UNKNOWN, CONNECTIVITY_FULL, FALSE},
    {CONNECTIVITY_FULL, CONNECTIVITY_UNKNOWN, FALSE},
    {CONNECTIVITY_UNKNOWN, CONNECTIVITY_PORTAL, FALSE},
    {CONNECTIVITY_FULL, CONNECTIVITY_LIMITED, FALSE},
    {CONNECTIVITY_PORTAL, CONNECTIVITY_FULL, TRUE},
    {CONNECTIVITY_LIMITED, CONNECTIVITY_FULL, TRUE},
    {CONNECTIVITY_NONE, CONNECTIVITY_FULL, TRUE},
};

START_TEST(portal)
{
    struct network network = both(1);
    network.connectivity = connectivities[_i].before;
    set(network, TRUE);
    expect_told(UP_THEN_W);
    network.connectivity = connectivities[_i].now;
    set(network, connectivities[_i].matters);
    expect_told(connectivities[_i].matters ? "changed" : "");
}
END_TEST

static const struct {
    enum connectivity connectivity;
    gboolean offline;
    enum reason reason;
    const char *detail, *explained;
} failures[] = {
    {CONNECTIVITY_UNKNOWN, FALSE, REASON_GATEWAY_UNREACHABLE, "No answer.", "No answer."},
    {CONNECTIVITY_FULL, FALSE, REASON_GATEWAY_UNREACHABLE, NULL, ""},
    {CONNECTIVITY_PORTAL, FALSE, REASON_GATEWAY_UNREACHABLE, "No answer.",
     "No answer. This network wants you to sign in with a browser first."},
    {CONNECTIVITY_PORTAL, FALSE, REASON_RESOLVE, "",
     "This network wants you to sign in with a browser first."},
    {CONNECTIVITY_PORTAL, FALSE, REASON_AUTH_FAILED, "E=691", "E=691"},
    {CONNECTIVITY_LIMITED, FALSE, REASON_UDP_BLOCKED, NULL,
     "This network does not lead to the internet."},
    {CONNECTIVITY_NONE, TRUE, REASON_GATEWAY_LOST, NULL, "This host has no network."},
};

START_TEST(failure_is_explained)
{
    struct network network = both(1);
    network.connectivity = failures[_i].connectivity;
    network.n = failures[_i].offline ? 0 : network.n;
    set(network, TRUE);
    g_autofree char *text = uplinks_explain(&uplinks, failures[_i].reason, failures[_i].detail);
    ck_assert_str_eq(text, failures[_i].explained);
}
END_TEST

/* Nobody has told anything of the network. */
START_TEST(nothing_to_explain)
{
    g_autofree char *text = uplinks_explain(&uplinks, REASON_GATEWAY_LOST, "Lost.");
    ck_assert_str_eq(text, "Lost.");
}
END_TEST

/* ---- where packets leave ---- */

static guint64 sent_by(const char *interface)
{
    g_autofree char *text = sandbox_run("cat /sys/class/net/%s/statistics/tx_packets", interface);
    return g_ascii_strtoull(text, NULL, 10);
}

static const struct {
    const char *remote, *local, *interface;
    gboolean pinned;
} ways[] = {{GATEWAY4, "192.0.2.2", "up0", FALSE},
            {GATEWAY4, "192.0.2.2", "up0", TRUE},
            {GATEWAY4, "10.2.0.2", "w0", TRUE},
            {GATEWAY6, "2001:db8:1::2", "up0", TRUE},
            {GATEWAY6, "2001:db8:2::2", "w0", TRUE}};

/* The tunnel is up, and takes all that is not ours. */
START_TEST(leaves_by_its_link)
{
    struct path path = {.remote.port = 4500};
    struct network network = both(1);
    g_autoptr(GError) error = NULL;
    char interface[16];
    gboolean vnet_hdr;
    struct net_config config = {.mtu = 1400, .n_addresses = 2, .n_routes = 2};
    const struct host_options options = {.full_tunnel = TRUE, .fwmark = HOST_FWMARK_DEFAULT};
    ck_assert(prefix_parse(&config.addresses[0], "10.9.0.5/24", true));
    ck_assert(prefix_parse(&config.addresses[1], "fd00:9::5/64", true));
    ck_assert(prefix_parse(&config.routes[0], "0.0.0.0/0", true));
    ck_assert(prefix_parse(&config.routes[1], "::/0", true));
    int tun = must(host_tun_open(interface, &vnet_hdr, &error), error);
    struct host *host = host_new("a", interface, &error);
    ck_assert_ptr_nonnull(host);
    ck_assert(addr_parse(&network.uplinks[1].via, "2001:db8:1::1"));
    ck_assert(addr_parse(&network.uplinks[3].via, "2001:db8:2::1"));
    ck_assert(host_apply(host, &config, &options, &error));
    ck_assert(host_follow_uplinks(host, &network, HOST_FWMARK_DEFAULT, &error));
    /* Nobody answers at the routers' addresses. */
    sandbox_do("for l in up0/192.0.2.1 up0/2001:db8:1::1 w0/10.2.0.1 w0/2001:db8:2::1; do "
               "ip neigh add ${l#*/} lladdr 02:00:00:00:00:01 dev ${l%%/*}; done");
    ck_assert(addr_parse(&path.remote.addr, ways[_i].remote));
    ck_assert(addr_parse(&path.local.addr, ways[_i].local));
    path.ifindex = ways[_i].pinned ? if_nametoindex(ways[_i].interface) : 0;
    guint64 before = sent_by(ways[_i].interface);
    for (int i = 0; i < 50; i++) {
        ck_assert(ike_socket_send(&sockets, &path, bytes_of_string("IKE")));
    }
    ck_assert_uint_ge(sent_by(ways[_i].interface) - before, 50);

    /* The same goes for TCP, by the better link. */
    struct reachability reachability;
    int tcp = must(host_tcp_open(path.remote.addr.family, HOST_FWMARK_DEFAULT, &error), error);
    before = sent_by("up0");
    reachability_start(&reachability, tcp, &path.remote.addr);
    ck_assert_uint_ge(sent_by("up0") - before, 1);
    reachability_end(&reachability);
    close(tcp);

    /* What the host would choose is not what it does with its own packets. */
    struct addr chosen, wanted;
    uint16_t mtu;
    gboolean v6 = path.remote.addr.family == FAMILY_IPV6;
    ck_assert(ike_socket_route_to(&sockets, &path.remote, &chosen, &mtu));
    ck_assert(addr_parse(&wanted, v6 ? "2001:db8:1::2" : "192.0.2.2"));
    ck_assert(addr_equal(&chosen, &wanted));
    ck_assert_uint_eq(mtu, 1500);
    host_revert(host);
    host_free(host);
    close(tun);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("uplinks");
    TCase *tcase = tcase_create("uplinks");
    sandbox_enter(); /* or skips */
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, what_the_engine_hears);
    tcase_add_test(tcase, the_host_s_own_choice_is_first);
    tcase_add_test(tcase, not_of_a_tunnel);
    tcase_add_test(tcase, without_a_default_route);
    tcase_add_loop_test(tcase, portal, 0, G_N_ELEMENTS(connectivities));
    tcase_add_loop_test(tcase, failure_is_explained, 0, G_N_ELEMENTS(failures));
    tcase_add_test(tcase, nothing_to_explain);
    tcase_add_loop_test(tcase, leaves_by_its_link, 0, G_N_ELEMENTS(ways));
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

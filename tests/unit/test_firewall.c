/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/firewall_watch.h"
#include "unit/host_tunnel.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"

#define FULL "10.9.0.5 fd00:9::5 via 0.0.0.0/0 via ::/0"
#define ONLY4 "10.9.0.5 via 0.0.0.0/0"

static void run(const char *command)
{
    g_free(sandbox_run("%s", command));
}

/* ---- what leaves ---- */

struct attempt {
    const char *to;   /* "192.0.2.1:53" */
    const char *link; /* NULL = as routed */
    guint32 mark;
    guint16 from; /* port, 0 = any */
    uid_t user;
};

/* 0, or why a datagram does not leave. */
static int send_datagram(const struct attempt *attempt)
{
    struct sockaddr_storage to, from = {0};
    struct endpoint endpoint;
    const int on = 1;
    ck_assert(endpoint_parse(&endpoint, attempt->to));
    socklen_t len = endpoint_to_sockaddr(&endpoint, &to);
    ck_assert_int_eq(seteuid(attempt->user), 0);
    int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on), 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_MARK, &attempt->mark, sizeof attempt->mark), 0);
    if (attempt->link) {
        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, attempt->link,
                                    (socklen_t)strlen(attempt->link)),
                         0);
    }
    from.ss_family = to.ss_family;
    /* At the same place for both families. */
    ((struct sockaddr_in *)&from)->sin_port = htons(attempt->from);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&from, len), 0);
    int result = sendto(fd, "x", 1, 0, (struct sockaddr *)&to, len) == 1 ? 0 : errno;
    close(fd);
    return result;
}

static void expect_sent(gboolean sent, struct attempt attempt)
{
    int why = send_datagram(&attempt);
    ck_assert_msg(why == (sent ? 0 : EPERM), "to %s by %s, mark %x, from %u, user %u: %s",
                  attempt.to, attempt.link ? attempt.link : "any link", attempt.mark, attempt.from,
                  (unsigned)attempt.user, why == 0 ? "sent" : strerror(why));
}

static void expect_leaves(gboolean leaves, const char *to, const char *link)
{
    expect_sent(leaves, (struct attempt){.to = to, .link = link});
}

static const char *const outside[] = {"203.0.113.5:9", "[2001:db8:ffff::5]:9"};

/* By the uplink, whatever the routes say, as programs can that choose their interface. */
static void expect_outside(gboolean leaves)
{
    for (size_t i = 0; i < G_N_ELEMENTS(outside); i++) {
        expect_leaves(leaves, outside[i], "up0");
    }
}

static uid_t worker(void)
{
    struct passwd *entry = getpwnam(WORKER_USER);
    ck_assert_ptr_nonnull(entry);
    return entry->pw_uid;
}

/* What must leave beside any tunnel. */
static void expect_necessary(gboolean leaves)
{
    static const char *const gateways[] = {"203.0.113.7:500", "203.0.113.7:4500",
                                           "[2001:db8:ffff::7]:4500"};
    for (size_t i = 0; i < G_N_ELEMENTS(gateways); i++) {
        expect_sent(leaves, (struct attempt){.to = gateways[i], .mark = HOST_FWMARK_DEFAULT});
    }
    expect_sent(leaves, (struct attempt){.to = "255.255.255.255:67", .link = "up0", .from = 68});
    expect_sent(leaves, (struct attempt){.to = "192.0.2.1:67", .link = "up0", .from = 68});
    expect_sent(leaves, (struct attempt){.to = "[ff02::1:2]:547", .link = "up0", .from = 546});
    expect_sent(leaves, (struct attempt){.to = "192.0.2.53:53", .link = "up0", .user = worker()});
    expect_leaves(leaves, "127.0.0.1:9", NULL);
    expect_leaves(leaves, "[::1]:9", NULL);
}

static struct network join(void)
{
    struct network network = {.n = 2};
    run("ip link add lan0 type veth peer name lan1; ip link set lan0 addrgenmode none; "
        "ip link set lan1 addrgenmode none; ip link set lan1 up; ip link set lan0 up; ip addr add "
        "192.168.7.2/24 dev lan0; "
        "ip -6 addr add fd77::2/64 dev lan0 nodad; "
        "until [ $(ip link | grep -c 'lan.@.* state UP') = 2 ]; do sleep 0.01; done");
    network.uplinks[0] = uplink_of("192.168.7.2/24", "lan0", "");
    network.uplinks[1] = uplink_of("fd77::2/64", "lan0", "");
    network.uplinks[0].has_default = network.uplinks[1].has_default = false;
    return network;
}

static void leave(void)
{
    run("ip link del lan0");
}

static struct host_options killing(const struct host_options *options, const char *excluded)
{
    struct host_options out = *options;
    g_auto(GStrv) words = g_strsplit(excluded, " ", 0);
    out.kill_switch = HOST_KILL_SWITCH_CONNECTED;
    out.hold_everything = options->full_tunnel;
    for (char **word = words; *word; word++) {
        out.excluded[out.n_excluded++] = prefix_of(*word);
    }
    return out;
}

/* ---- the levels ---- */

START_TEST(off)
{
    struct host_tunnel tunnel;
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", FULL, &full_tunnel);
    expect_outside(TRUE);
    expect(TRUE, "iifname != \"godwit0\" ip daddr 10.9.0.5 fib saddr type != local drop",
           "nft list table inet godwit");
    expect(TRUE, "iifname != \"godwit0\" ip6 daddr fd00:9::5 fib saddr type != local drop",
           "nft list table inet godwit");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(other_family)
{
    struct host_tunnel tunnel;
    struct host_options options = full_tunnel;
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", ONLY4, &options);
    expect_leaves(TRUE, outside[0], "up0");
    expect_leaves(FALSE, outside[1], "up0");
    expect_necessary(TRUE);
    options.block_other_family = FALSE;
    tunnel_apply(&tunnel, ONLY4, &options);
    expect_outside(TRUE);
    tunnel_apply(&tunnel, "fd00:9::5 via ::/0", &full_tunnel);
    expect_leaves(FALSE, outside[0], "up0");
    expect_leaves(TRUE, outside[1], "up0");
    tunnel_apply(&tunnel, "10.9.0.5 via 10.0.0.0/8", &split_tunnel);
    expect_outside(TRUE);
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(connected)
{
    struct host_tunnel tunnel;
    struct host_options options = killing(&full_tunnel, "");
    g_autofree char *before = sandbox_snapshot();
    tunnel_open(&tunnel, "a");
    expect_outside(TRUE);
    tunnel_apply(&tunnel, FULL, &options);
    expect_outside(FALSE);
    expect_leaves(TRUE, outside[0], NULL);
    expect_leaves(TRUE, outside[1], NULL);
    expect_necessary(TRUE);
    /* Only what our own sockets send. */
    expect_sent(FALSE, (struct attempt){.to = outside[0], .link = "up0", .mark = 1});
    expect_sent(FALSE, (struct attempt){.to = "192.0.2.53:53", .link = "up0"});
    expect_sent(FALSE, (struct attempt){.to = "192.0.2.53:9", .link = "up0", .user = worker()});
    expect_sent(FALSE, (struct attempt){.to = "192.0.2.1:67", .link = "up0", .from = 69});
    /* Less is granted than the user wants. */
    tunnel_apply(&tunnel, "10.9.0.5 via 10.0.0.0/8", &options);
    expect_outside(FALSE);
    tunnel_down(&tunnel);
    expect_outside(TRUE);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(refusal_is_told_at_once)
{
    struct host_tunnel tunnel;
    struct host_options options = killing(&full_tunnel, "");
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
    struct endpoint endpoint;
    struct sockaddr_storage storage;
    tunnel_up(&tunnel, "a", FULL, &options);
    ck_assert(endpoint_parse(&endpoint, "203.0.113.5:80"));
    endpoint_to_sockaddr(&endpoint, &storage);
    memcpy(&to, &storage, sizeof to);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "up0", 3), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), -1);
    ck_assert_int_eq(errno, EHOSTUNREACH);
    close(fd);
    tunnel_down(&tunnel);
}
END_TEST

START_TEST(split_holds_its_networks)
{
    struct host_tunnel tunnel;
    struct host_options options = killing(&split_tunnel, "10.99.3.0/24");
    g_autofree char *before = sandbox_snapshot();
    /* Networks within others are no conflict. */
    tunnel_up(&tunnel, "a", "10.9.0.5 via 10.99.0.0/16 via 10.99.5.0/24 via fd00:99::/32",
              &options);
    expect_outside(TRUE);
    expect_leaves(FALSE, "10.99.0.1:9", "up0");
    expect_leaves(FALSE, "[fd00:99::1]:9", "up0");
    expect_leaves(TRUE, "10.99.3.1:9", "up0");
    expect_leaves(TRUE, "10.99.0.1:9", NULL);
    tunnel_apply(&tunnel, "10.9.0.5 via 10.98.0.0/16", &options);
    expect_leaves(TRUE, "10.99.0.1:9", "up0");
    expect_leaves(FALSE, "10.98.0.1:9", "up0");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(exceptions)
{
    struct host_tunnel tunnel;
    struct host_options options = killing(&full_tunnel, "203.0.113.0/28 2001:db8:ffff::/64");
    tunnel_up(&tunnel, "a", FULL, &options);
    expect_leaves(TRUE, "203.0.113.5:9", "up0");
    expect_leaves(FALSE, "203.0.113.16:9", "up0");
    expect_leaves(TRUE, "[2001:db8:ffff::5]:9", "up0");
    expect_leaves(FALSE, "[2001:db8:fffe::5]:9", "up0");
    tunnel_down(&tunnel);
}
END_TEST

START_TEST(local_networks)
{
    struct host_tunnel tunnel;
    struct host_options options = killing(&full_tunnel, "");
    struct network network = join(), none = {.n = 0};
    g_autofree char *before = sandbox_snapshot();
    tunnel_open(&tunnel, "a");
    tunnel_follow(&tunnel, &network);
    tunnel_apply(&tunnel, FULL, &options);
    expect_leaves(TRUE, "192.168.7.9:9", NULL);
    expect_leaves(TRUE, "[fd77::9]:9", NULL);
    expect_leaves(TRUE, "224.0.0.251:5353", "lan0");
    expect_leaves(FALSE, "192.168.7.1:53", NULL);
    expect_leaves(FALSE, "[fd77::1]:853", NULL);
    expect_leaves(FALSE, "192.168.7.9:9", "up0"); /* not its link */
    expect_leaves(FALSE, "192.168.8.9:9", "lan0");
    expect_outside(FALSE);
    /* On another link, and in none. */
    network.uplinks[0] = uplink_of("192.168.8.2/24", "lan0", "");
    tunnel_follow(&tunnel, &network);
    expect_leaves(FALSE, "192.168.7.9:9", "lan0");
    expect_leaves(TRUE, "192.168.8.9:9", "lan0");
    tunnel_follow(&tunnel, &none);
    expect_leaves(FALSE, "192.168.8.9:9", "lan0");
    options.local_network = FALSE;
    tunnel_follow(&tunnel, &network);
    tunnel_apply(&tunnel, FULL, &options);
    expect_leaves(FALSE, "192.168.8.9:9", "lan0");
    expect_leaves(FALSE, "224.0.0.251:5353", "lan0");
    expect_necessary(TRUE);
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
    leave();
}
END_TEST

START_TEST(always)
{
    struct host_tunnel tunnel;
    struct host_options options = killing(&full_tunnel, "198.51.100.0/24");
    struct network network = join();
    g_autoptr(GError) error = NULL;
    g_autofree char *before = sandbox_snapshot();
    ck_assert(!host_is_held());
    ck_assert(host_hold_follow(&network, &error)); /* nothing is */
    sandbox_expect_same(before);
    ck_assert(host_hold(&options, &error));
    expect_leaves(FALSE, "192.168.7.9:9", NULL);
    ck_assert(host_hold_follow(&network, &error));
    ck_assert(host_is_held());
    run("nft flush ruleset");
    expect_outside(TRUE);
    ck_assert(host_hold(&options, &error));
    expect_outside(FALSE);
    expect_leaves(TRUE, "198.51.100.1:9", "up0");
    expect_leaves(TRUE, "192.168.7.9:9", NULL);
    expect_necessary(TRUE);
    tunnel_open(&tunnel, "a");
    expect_outside(FALSE);
    tunnel_apply(&tunnel, FULL, &full_tunnel); /* whatever the session's own level is */
    expect_outside(FALSE);
    expect_leaves(TRUE, outside[0], NULL);
    tunnel_down(&tunnel);
    expect_outside(FALSE);
    ck_assert_uint_eq(host_clean_leftovers(), 0);
    expect_outside(FALSE);
    /* Other options. */
    options = killing(&full_tunnel, "203.0.113.0/24");
    options.local_network = FALSE;
    ck_assert(host_hold(&options, &error));
    expect_leaves(TRUE, outside[0], "up0");
    expect_leaves(FALSE, "198.51.100.1:9", "up0");
    expect_leaves(FALSE, "192.168.7.9:9", NULL);
    ck_assert(host_release(&error));
    ck_assert(host_release(&error));
    ck_assert(!host_is_held());
    sandbox_expect_same(before);
    leave();
}
END_TEST

/* ---- resolvers and portals ---- */

#define RESOLVER 12345
#define USER 23456
#define VNET_HEADER 10 /* octets of struct virtio_net_hdr */

START_TEST(resolvers_of_the_host)
{
    struct host_tunnel tunnel;
    struct host_options options = killing(&full_tunnel, "");
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(53)};
    const struct attempt asks = {.to = "192.0.2.53:53", .link = "up0", .user = RESOLVER};
    g_autoptr(GError) error = NULL;
    g_autofree char *before = sandbox_snapshot();
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    ck_assert_int_eq(fchown(fd, RESOLVER, RESOLVER), 0);
    ck_assert(host_let_resolvers_ask(&error)); /* nothing is held */
    sandbox_expect_same(before);
    ck_assert(host_hold(&options, &error));
    expect_sent(FALSE, asks);
    ck_assert_msg(host_let_resolvers_ask(&error), "%s", error ? error->message : "");
    expect_sent(TRUE, asks);
    expect_sent(FALSE, (struct attempt){.to = "192.0.2.53:9", .link = "up0", .user = RESOLVER});
    expect_sent(FALSE, (struct attempt){.to = "192.0.2.53:53", .link = "up0", .user = USER});
    expect(TRUE, "timeout 30s", "nft list set inet godwit resolvers");
    tunnel_up(&tunnel, "a", FULL, &options);
    expect_sent(FALSE, asks);
    tunnel_down(&tunnel);
    ck_assert(host_release(&error));
    close(fd);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(portal)
{
    struct host_options options = killing(&full_tunnel, "");
    const struct attempt asks = {.to = "192.0.2.53:53", .link = "up0", .user = USER},
                         other = {.to = "192.0.2.53:9", .link = "up0", .user = USER},
                         others = {.to = "192.0.2.53:53", .link = "up0", .user = USER + 1};
    g_autoptr(GError) error = NULL;
    g_autofree char *before = sandbox_snapshot();
    ck_assert(host_let_user_out(USER, 60, &error)); /* nothing is held */
    sandbox_expect_same(before);
    ck_assert(host_hold(&options, &error));
    expect_sent(FALSE, asks);
    ck_assert_msg(host_let_user_out(USER, 60, &error), "%s", error ? error->message : "");
    expect_sent(TRUE, asks);
    expect_sent(FALSE, other);
    expect_sent(FALSE, others);
    /* Another change of the table does not end it. */
    options.local_network = FALSE;
    ck_assert(host_hold(&options, &error));
    expect_sent(TRUE, asks);
    ck_assert(host_let_user_out(USER, 0, &error));
    expect_sent(FALSE, asks);
    /* The kernel ends it, not we; a new time counts from now. */
    ck_assert(host_let_user_out(USER, 60, &error));
    ck_assert(host_let_user_out(USER, 1, &error));
    expect_sent(TRUE, asks);
    while (send_datagram(&asks) == 0) {
        g_usleep(20000);
    }
    ck_assert(host_release(&error));
    sandbox_expect_same(before);
}
END_TEST

/* The next IPv4 packet to 203.0.113.9, behind so many octets of something else: where it is from.
 */
static void expect_packet(int fd, size_t ahead, const char *source)
{
    uint8_t packet[2000];
    char text[ADDR_TEXT_MAX];
    struct addr to = prefix_of("203.0.113.9").addr, not_to = prefix_of("203.0.113.5").addr;
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        ck_assert_int_eq(poll(&ready, 1, 5000), 1);
        ssize_t len = read(fd, packet, sizeof packet);
        if (len < (ssize_t)ahead + 20 || packet[ahead] >> 4 != 4) {
            continue;
        }
        ck_assert(memcmp(packet + ahead + 16, not_to.octets, 4) != 0);
        if (memcmp(packet + ahead + 16, to.octets, 4) == 0) {
            struct addr from = addr_of(FAMILY_IPV4, packet + ahead + 12);
            ck_assert_str_eq(addr_text(&from, text), source);
            return;
        }
    }
}

/* With a tunnel up, he gets past it as well. */
START_TEST(portal_past_a_tunnel)
{
    struct host_tunnel tunnel;
    struct host_options options = killing(&full_tunnel, "");
    const struct attempt asks = {.to = "203.0.113.9:53", .user = USER},
                         other = {.to = "203.0.113.9:9", .user = USER};
    struct sockaddr_ll from = {.sll_family = AF_PACKET,
                               .sll_protocol = htons(ETH_P_IP),
                               .sll_ifindex = (int)if_nametoindex("up1")};
    g_autoptr(GError) error = NULL;
    run("ip neigh replace 192.0.2.1 lladdr $(cat /sys/class/net/up1/address) dev up0 nud "
        "permanent");
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", FULL, &options);
    int wire = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IP));
    ck_assert_int_eq(bind(wire, (struct sockaddr *)&from, sizeof from), 0);
    expect_sent(TRUE, asks);
    expect_packet(tunnel.tun, VNET_HEADER, "10.9.0.5");
    ck_assert_msg(host_let_user_out(USER, 60, &error), "%s", error ? error->message : "");
    expect_sent(TRUE, asks);
    expect_packet(wire, 0, "192.0.2.2");
    expect_sent(TRUE, other);
    expect_packet(tunnel.tun, VNET_HEADER, "10.9.0.5");
    ck_assert(host_let_user_out(USER, 0, &error));
    expect_sent(TRUE, asks);
    expect_packet(tunnel.tun, VNET_HEADER, "10.9.0.5");
    close(wire);
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

/* ---- what is passed on for others ---- */

#define GUEST "10.66.0.2"

/* A host behind this one, as a container is; its socket, bound to port 9. */
static int guest_socket(void)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(9)};
    run("mkdir -p /run/netns; ip netns add guest; ip link add out0 type veth peer name in0 netns "
        "guest; ip addr add 10.66.0.1/24 dev out0; ip link set out0 addrgenmode none up; "
        "ip -n guest link set in0 addrgenmode none up; ip -n guest addr add " GUEST
        "/24 dev in0; ip -n guest route add default via 10.66.0.1; "
        "until [ $(ip link show out0 | grep -c 'state UP') = 1 ]; do sleep 0.01; done; "
        "echo 1 >/proc/sys/net/ipv4/ip_forward");
    int own_namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC),
        other = open("/run/netns/guest", O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(setns(other, CLONE_NEWNET), 0);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(setns(own_namespace, CLONE_NEWNET), 0);
    close(own_namespace);
    close(other);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    return fd;
}

static void guest_sends(int guest, const char *to)
{
    struct endpoint endpoint = {.addr = prefix_of(to).addr, .port = 9};
    struct sockaddr_storage address;
    socklen_t len = endpoint_to_sockaddr(&endpoint, &address);
    ck_assert_int_eq(sendto(guest, "x", 1, 0, (struct sockaddr *)&address, len), 1);
}

static void guest_leaves(int guest)
{
    close(guest);
    run("echo 0 >/proc/sys/net/ipv4/ip_forward; ip netns del guest; rmdir /run/netns; "
        "while ip link show out0 2>/dev/null; do sleep 0.01; done");
}

START_TEST(guests)
{
    struct host_tunnel tunnel;
    struct host_options options = killing(&full_tunnel, "203.0.113.9/32");
    struct sockaddr_ll from = {.sll_family = AF_PACKET,
                               .sll_protocol = htons(ETH_P_IP),
                               .sll_ifindex = (int)if_nametoindex("up1")};
    /* From 203.0.113.9 to GUEST, both at port 9, without a checksum of UDP. */
    static const uint8_t answer[VNET_HEADER + 29] = {[VNET_HEADER] = 0x45,
                                                     0,
                                                     0,
                                                     29,
                                                     0,
                                                     0,
                                                     0,
                                                     0,
                                                     64,
                                                     17,
                                                     0x34,
                                                     0x83,
                                                     203,
                                                     0,
                                                     113,
                                                     9,
                                                     10,
                                                     66,
                                                     0,
                                                     2,
                                                     0,
                                                     9,
                                                     0,
                                                     9,
                                                     0,
                                                     9,
                                                     0,
                                                     0,
                                                     'x'};
    g_autoptr(GError) error = NULL;
    char octet;
    g_autofree char *before = sandbox_snapshot();
    int guest = guest_socket();
    run("ip neigh replace 192.0.2.1 lladdr $(cat /sys/class/net/up1/address) dev up0 nud "
        "permanent");
    int wire = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IP));
    ck_assert_int_eq(bind(wire, (struct sockaddr *)&from, sizeof from), 0);
    /* Nothing but what is excluded. */
    ck_assert(host_hold(&options, &error));
    guest_sends(guest, "203.0.113.5");
    guest_sends(guest, "203.0.113.9");
    expect_packet(wire, 0, GUEST);
    ck_assert(host_release(&error));
    /* Through the tunnel and back, even if nobody has told of its network. */
    options = killing(&full_tunnel, "");
    tunnel_up(&tunnel, "a", FULL, &options);
    guest_sends(guest, "203.0.113.9");
    expect_packet(tunnel.tun, VNET_HEADER, GUEST);
    ck_assert_int_eq(write(tunnel.tun, answer, sizeof answer), sizeof answer);
    struct pollfd ready = {.fd = guest, .events = POLLIN};
    ck_assert_int_eq(poll(&ready, 1, 5000), 1);
    /* The refusal of the first one has come before. */
    while (recv(guest, &octet, 1, 0) < 0) {
        ck_assert_int_eq(poll(&ready, 1, 5000), 1);
    }
    tunnel_down(&tunnel);
    close(wire);
    guest_leaves(guest);
    sandbox_expect_same(before);
}
END_TEST

/* ---- several sessions, and dead ones ---- */

START_TEST(two_sessions)
{
    struct host_tunnel a, b;
    struct host_options options = killing(&full_tunnel, "");
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&a, "a", FULL, &options);
    tunnel_up(&b, "b", "10.8.0.5 via 10.8.0.0/16", &split_tunnel);
    expect_outside(FALSE);
    expect_leaves(TRUE, "10.8.0.1:9", NULL);
    expect_leaves(TRUE, outside[0], NULL);
    if (_i == 0) {
        tunnel_down(&a);
        expect_outside(TRUE);
        expect(TRUE, "10.8.0.5", "nft list table inet godwit");
        tunnel_down(&b);
    } else {
        tunnel_down(&b);
        expect_outside(FALSE);
        tunnel_down(&a);
    }
    sandbox_expect_same(before);
}
END_TEST

static void kill_one_with_a_tunnel(const struct host_options *options)
{
    int ready[2];
    char octet;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        struct host_tunnel tunnel;
        tunnel_up(&tunnel, "a", FULL, options);
        _exit(write(ready[1], "x", 1) == 1 ? pause() : 1);
    }
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &octet, 1), 1);
    close(ready[0]);
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(killed)
{
    struct host_options options = killing(&full_tunnel, "");
    g_autofree char *before = sandbox_snapshot();
    kill_one_with_a_tunnel(&options);
    expect_outside(FALSE);
    for (size_t i = 0; i < G_N_ELEMENTS(outside); i++) {
        expect_leaves(FALSE, outside[i], NULL); /* the tunnel's routes went with its interface */
    }
    ck_assert_uint_eq(host_clean_leftovers(), 1);
    expect_outside(TRUE);
    sandbox_expect_same(before);
}
END_TEST

/* Begun again, it holds on from one to the other. */
START_TEST(killed_then_new)
{
    struct host_tunnel tunnel;
    struct host_options options = killing(&full_tunnel, "");
    g_autofree char *before = sandbox_snapshot();
    kill_one_with_a_tunnel(&options);
    tunnel_open(&tunnel, "a");
    expect_outside(FALSE);
    expect_necessary(TRUE);
    expect(FALSE, "fd00:9::5", "ip addr; ip -6 route show table all");
    if (_i == 0) {
        tunnel_apply(&tunnel, FULL, &options);
        expect_leaves(TRUE, outside[0], NULL);
        expect_outside(FALSE);
    }
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(killed_when_always)
{
    struct host_options options = killing(&full_tunnel, "");
    g_autoptr(GError) error = NULL;
    g_autofree char *before = sandbox_snapshot();
    ck_assert(host_hold(&options, &error));
    kill_one_with_a_tunnel(&options);
    ck_assert_uint_eq(host_clean_leftovers(), 1);
    expect_outside(FALSE);
    ck_assert(host_release(&error));
    sandbox_expect_same(before);
}
END_TEST

/* `nft flush ruleset` of another program. */
START_TEST(flushed_by_others)
{
    struct host_tunnel tunnel;
    struct host_options options = killing(&full_tunnel, "");
    g_autofree char *before = sandbox_snapshot();
    struct firewall_watch *watch = firewall_watch_new();
    tunnel_up(&tunnel, "a", FULL, &options);
    for (int i = 0; i < 2; i++) {
        g_autofree char *table = sandbox_run("nft -s list ruleset");
        run("nft add table inet other; nft flush ruleset");
        expect_outside(TRUE);
        while (send_datagram(&(struct attempt){.to = outside[0], .link = "up0"}) == 0) {
            g_main_context_iteration(NULL, TRUE);
        }
        g_autofree char *again = sandbox_run("nft -s list ruleset");
        sandbox_expect_text(again, table);
    }
    /* What we remove ourselves stays away. */
    tunnel_down(&tunnel);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    sandbox_expect_same(before);
    firewall_watch_free(watch);
}
END_TEST

/* ---- refusals ---- */

START_TEST(prepared)
{
    struct host_tunnel tunnel;
    g_autofree char *before = sandbox_snapshot();
    host_prepare();
    sandbox_expect_same(before);
    tunnel_up(&tunnel, "a", FULL, &full_tunnel);
    g_autofree char *between = sandbox_snapshot();
    host_prepare();
    sandbox_expect_same(between);
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

/* It is loaded when it is needed first. */
#define LIBRARY                                                                                    \
    "\"$(readlink -f \"$(ldconfig -p | sed -n 's/.*libnftables.so.1 .*=> //p' | head -n 1)\")\""

START_TEST(no_library)
{
    g_autoptr(GError) error = NULL;
    run("mount --bind /dev/null " LIBRARY);
    host_prepare();
    ck_assert(!host_hold(&full_tunnel, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "libnftables.so.1"));
    ck_assert(!host_is_held());
    run("umount " LIBRARY);
}
END_TEST

START_TEST(refused_with_kill_switch)
{
    struct host_tunnel tunnel;
    struct host_options options = killing(&full_tunnel, "");
    struct net_config config = config_of(FULL);
    g_autoptr(GError) error = NULL;
    /* Not as we make it. */
    run("nft 'table inet godwit { chain out { type filter hook input priority 5; }; }'");
    g_autofree char *before = sandbox_snapshot();
    tunnel_open(&tunnel, "a");
    ck_assert(!host_apply(tunnel.host, &config, &options, &error));
    ck_assert(g_error_matches(error, HOST_ERROR, HOST_ERROR_CONFIG));
    ck_assert_ptr_nonnull(strstr(error->message, "The firewall (nftables) cannot be set: "));
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
    g_clear_error(&error);
    ck_assert(!host_hold(&options, &error));
    ck_assert(!host_is_held());
    sandbox_expect_same(before);
    run("nft delete table inet godwit");
}
END_TEST

/* Without a kill switch it is a message. */
START_TEST(refused_without_kill_switch)
{
    struct host_tunnel tunnel;
    run("nft 'table inet godwit { chain out { type filter hook input priority 5; }; }'");
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", FULL, &full_tunnel);
    expect_route("203.0.113.5", "dev godwit0");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
    run("nft delete table inet godwit");
}
END_TEST

START_TEST(not_permitted)
{
    g_autofree char *before = sandbox_snapshot();
    pid_t pid = fork();
    if (pid == 0) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct none[2] = {{0}, {0}};
        GError *error = NULL;
        if (syscall(SYS_capset, &header, none) != 0) {
            _exit(1);
        }
        gboolean held = host_hold(&full_tunnel, &error);
        _exit(!held && g_error_matches(error, HOST_ERROR, HOST_ERROR_PERMISSION) ? 0 : 2);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    sandbox_expect_same(before);
}
END_TEST

/* Names that nftables would read as something else. */
START_TEST(odd_link_name)
{
    struct host_options options = killing(&full_tunnel, "");
    struct network network = join();
    g_autoptr(GError) error = NULL;
    g_strlcpy(network.uplinks[0].interface, "a\"; drop *", NETWORK_INTERFACE_LEN);
    ck_assert(host_hold(&options, &error));
    ck_assert_msg(host_hold_follow(&network, &error), "%s", error ? error->message : "");
    expect_leaves(TRUE, "[fd77::9]:9", NULL);
    expect_leaves(FALSE, "192.168.7.9:9", NULL);
    ck_assert(host_release(&error));
    leave();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("firewall");
    TCase *tcase = tcase_create("firewall");
    sandbox_enter();
    sandbox_uplink();
    tcase_add_test(tcase, off);
    tcase_add_test(tcase, other_family);
    tcase_add_test(tcase, connected);
    tcase_add_test(tcase, refusal_is_told_at_once);
    tcase_add_test(tcase, split_holds_its_networks);
    tcase_add_test(tcase, exceptions);
    tcase_add_test(tcase, local_networks);
    tcase_add_test(tcase, always);
    tcase_add_test(tcase, resolvers_of_the_host);
    tcase_add_test(tcase, portal);
    tcase_add_test(tcase, portal_past_a_tunnel);
    tcase_add_test(tcase, guests);
    tcase_add_loop_test(tcase, two_sessions, 0, 2);
    tcase_add_test(tcase, killed);
    tcase_add_loop_test(tcase, killed_then_new, 0, 2);
    tcase_add_test(tcase, killed_when_always);
    tcase_add_test(tcase, flushed_by_others);
    tcase_add_test(tcase, prepared);
    tcase_add_test(tcase, no_library);
    tcase_add_test(tcase, refused_with_kill_switch);
    tcase_add_test(tcase, refused_without_kill_switch);
    tcase_add_test(tcase, not_permitted);
    tcase_add_test(tcase, odd_link_name);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

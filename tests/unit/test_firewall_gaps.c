/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the firewall lets past: the host's resolvers, a portal's page, and other hosts' packets. */
#include "config.h"

#include <check.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/host_tunnel.h"
#include "unit/leaves.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"
#include "unit/waiting.h"

#define FULL "10.9.0.5 fd00:9::5 via 0.0.0.0/0 via ::/0"

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
    wait_until(send_datagram(&asks) != 0);
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
    sandbox_do("ip neigh replace 192.0.2.1 lladdr $(cat /sys/class/net/up1/address) dev up0 nud "
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
    sandbox_do(
        "mkdir -p /run/netns; ip netns add guest; ip link add out0 type veth peer name in0 netns "
        "guest; ip addr add 10.66.0.1/24 dev out0; ip link set out0 addrgenmode none up; "
        "ip -n guest link set in0 addrgenmode none up; ip -n guest addr add " GUEST
        "/24 dev in0; ip -n guest route add default via 10.66.0.1; "
        "echo 1 >/proc/sys/net/ipv4/ip_forward");
    int own_namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC),
        other = open("/run/netns/guest", O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(setns(other, CLONE_NEWNET), 0);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(setns(own_namespace, CLONE_NEWNET), 0);
    sandbox_wait_carrier("out0");
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
    sandbox_do("echo 0 >/proc/sys/net/ipv4/ip_forward; ip netns del guest; umount /run/netns; "
               "rmdir /run/netns");
    wait_until(if_nametoindex("out0") == 0);
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
    sandbox_do("ip neigh replace 192.0.2.1 lladdr $(cat /sys/class/net/up1/address) dev up0 nud "
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

int main(void)
{
    Suite *suite = suite_create("firewall's gaps");
    TCase *tcase = tcase_create("firewall");
    sandbox_enter();
    sandbox_uplink();
    tcase_add_test(tcase, resolvers_of_the_host);
    tcase_add_test(tcase, portal);
    tcase_add_test(tcase, portal_past_a_tunnel);
    tcase_add_test(tcase, guests);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

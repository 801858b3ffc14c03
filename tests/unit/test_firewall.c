/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/firewall_watch.h"
#include "unit/host_tunnel.h"
#include "unit/leaves.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"

#define FULL "10.9.0.5 fd00:9::5 via 0.0.0.0/0 via ::/0"
#define ONLY4 "10.9.0.5 via 0.0.0.0/0"

static struct network join(void)
{
    struct network network = {.n = 2};
    sandbox_link("lan");
    sandbox_do("ip addr add 192.168.7.2/24 dev lan0; ip -6 addr add fd77::2/64 dev lan0 nodad");
    network.uplinks[0] = uplink_of("192.168.7.2/24", "lan0", "");
    network.uplinks[1] = uplink_of("fd77::2/64", "lan0", "");
    network.uplinks[0].has_default = network.uplinks[1].has_default = false;
    return network;
}

static void leave(void)
{
    sandbox_do("ip link del lan0");
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
    expect_sent(FALSE,
                (struct attempt){.to = "192.0.2.53:9", .link = "up0", .user = worker_user()});
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

/* The kill switch as somebody sees it who is not root. */
static gboolean is_held_for_nobody(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(setuid(65534) != 0 ? 2 : host_is_held());
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    return WEXITSTATUS(status) == 1;
}

START_TEST(always)
{
    struct host_tunnel tunnel;
    struct host_options options = killing(&full_tunnel, "198.51.100.0/24");
    struct network network = join();
    g_autoptr(GError) error = NULL;
    g_autofree char *before = sandbox_snapshot();
    ck_assert(!host_is_held());
    ck_assert(!is_held_for_nobody());
    ck_assert(host_hold_follow(&network, &error)); /* nothing is */
    sandbox_expect_same(before);
    ck_assert(host_hold(&options, &error));
    expect_leaves(FALSE, "192.168.7.9:9", NULL);
    ck_assert(host_hold_follow(&network, &error));
    ck_assert(host_is_held());
    ck_assert(is_held_for_nobody());
    sandbox_do("nft flush ruleset");
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

START_TEST(killed)
{
    struct host_options options = killing(&full_tunnel, "");
    g_autofree char *before = sandbox_snapshot();
    tunnel_kill(tunnel_process("a", FULL, &options));
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
    tunnel_kill(tunnel_process("a", FULL, &options));
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

/* The first that is begun again is not the last: what is left of the others holds on too. */
START_TEST(two_killed_then_new)
{
    struct host_tunnel tunnel;
    struct host_options options = killing(&full_tunnel, "");
    g_autofree char *before = sandbox_snapshot();
    pid_t a = tunnel_process("a", FULL, &options), b = tunnel_process("b", FULL, &options);
    tunnel_kill(a);
    tunnel_kill(b);
    tunnel_open(&tunnel, "a");
    tunnel_down(&tunnel);
    expect_outside(FALSE);
    tunnel_open(&tunnel, "b");
    expect_outside(FALSE);
    ck_assert_uint_eq(host_clean_leftovers(), 0);
    tunnel_down(&tunnel);
    expect_outside(TRUE);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(killed_when_always)
{
    struct host_options options = killing(&full_tunnel, "");
    g_autoptr(GError) error = NULL;
    g_autofree char *before = sandbox_snapshot();
    ck_assert(host_hold(&options, &error));
    tunnel_kill(tunnel_process("a", FULL, &options));
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
        sandbox_do("nft add table inet other; nft flush ruleset");
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
    sandbox_do("mount --bind /dev/null " LIBRARY);
    host_prepare();
    ck_assert(!host_hold(&full_tunnel, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "libnftables.so.1"));
    ck_assert(!host_is_held());
    sandbox_do("umount " LIBRARY);
}
END_TEST

START_TEST(refused_with_kill_switch)
{
    struct host_tunnel tunnel;
    struct host_options options = killing(&full_tunnel, "");
    struct net_config config = config_of(FULL);
    g_autoptr(GError) error = NULL;
    /* Not as we make it. */
    sandbox_do("nft 'table inet godwit { chain out { type filter hook input priority 5; }; }'");
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
    sandbox_do("nft delete table inet godwit");
}
END_TEST

/* Without a kill switch it is a message. */
START_TEST(refused_without_kill_switch)
{
    struct host_tunnel tunnel;
    sandbox_do("nft 'table inet godwit { chain out { type filter hook input priority 5; }; }'");
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", FULL, &full_tunnel);
    expect_route("203.0.113.5", "dev godwit0");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
    sandbox_do("nft delete table inet godwit");
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
    tcase_add_loop_test(tcase, two_sessions, 0, 2);
    tcase_add_test(tcase, killed);
    tcase_add_loop_test(tcase, killed_then_new, 0, 2);
    tcase_add_test(tcase, two_killed_then_new);
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host gets back: its resolv.conf, and all else from sessions that died. */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/host.h"
#include "unit/host_tunnel.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"

#define RESOLV "/etc/resolv.conf"

static void expect_file(const char *content)
{
    g_autofree char *now = NULL;
    ck_assert(g_file_get_contents(RESOLV, &now, NULL, NULL));
    ck_assert_str_eq(now, content);
}

/* ---- DNS ---- */

#define ORIGINAL "# mine\nnameserver 192.0.2.53\noptions edns0"
#define DNS_CONFIG                                                                                 \
    "10.9.0.5 via 0.0.0.0/0 dns 10.9.0.1 dns 10.9.0.2 dns fd00:9::1 in example.org in b.org"

static void expect_written(void)
{
    g_autofree char *now = NULL;
    ck_assert(g_file_get_contents(RESOLV, &now, NULL, NULL));
    /* Not the IPv6 server: there is no IPv6 inside. */
    ck_assert_ptr_nonnull(
        strstr(now, "\nsearch example.org b.org\nnameserver 10.9.0.1\nnameserver 10.9.0.2\n"));
    ck_assert_ptr_null(strstr(now, "fd00"));
    ck_assert_int_eq(now[0], '#');
}

static const char *const resolv_cases[] = {
    "printf '" ORIGINAL "' >resolv.conf; chmod 640 resolv.conf; chown 12:34 resolv.conf",
    "printf '' >resolv.conf",
    "rm -f resolv.conf",
    "rm -f resolv.conf; ln -s ../run/resolve/stub.conf resolv.conf; chown -h 12:34 resolv.conf",
    "printf '" ORIGINAL "' >target; ln -sf target resolv.conf",
    "printf 'a\\000b\\377' >resolv.conf",
};

START_TEST(resolv_conf)
{
    struct host_tunnel tunnel;
    sandbox_do("cd /etc; %s", resolv_cases[_i]);
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", DNS_CONFIG, &full_tunnel);
    ck_assert_str_eq(host_dns_method(tunnel.host), RESOLV);
    expect_written();
    expect(TRUE, "-rw-r--r--", "ls -l /etc/resolv.conf");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(resolv_conf_mounted)
{
    struct host_tunnel tunnel;
    sandbox_do("cd /etc; printf '" ORIGINAL
               "' >resolv.conf; cp resolv.conf /run/mine; mount --bind /run/mine resolv.conf");
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", DNS_CONFIG, &full_tunnel);
    ck_assert_str_eq(host_dns_method(tunnel.host), RESOLV);
    expect_written();
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
    expect_file(ORIGINAL);
    sandbox_do("umount /etc/resolv.conf; rm /run/mine");
}
END_TEST

START_TEST(resolv_conf_read_only)
{
    struct host_tunnel tunnel;
    sandbox_do("cd /etc; printf '" ORIGINAL
               "' >resolv.conf; mount --bind /etc /etc; mount -o remount,bind,ro /etc");
    tunnel_up(&tunnel, "a", DNS_CONFIG, &full_tunnel);
    ck_assert_str_eq(host_dns_method(tunnel.host),
                     RESOLV " cannot be written: Read-only file system.");
    expect_route("203.0.113.5", "dev godwit0");
    expect_file(ORIGINAL);
    tunnel_down(&tunnel);
    expect_file(ORIGINAL);
    sandbox_do("umount /etc");
}
END_TEST

START_TEST(resolv_conf_changed_meanwhile)
{
    struct host_tunnel tunnel;
    tunnel_up(&tunnel, "a", DNS_CONFIG, &full_tunnel);
    sandbox_do("printf 'nameserver 198.51.100.1\n' >/etc/resolv.conf");
    tunnel_down(&tunnel);
    expect_file("nameserver 198.51.100.1\n");
    expect(FALSE, "a", "ls /run/godwit");
}
END_TEST

START_TEST(resolv_conf_not_wanted)
{
    struct host_options options = full_tunnel;
    struct host_tunnel tunnel;
    options.dns = HOST_DNS_OFF;
    sandbox_do("printf '" ORIGINAL "' >/etc/resolv.conf");
    tunnel_up(&tunnel, "a", DNS_CONFIG, &options);
    expect_file(ORIGINAL);
    tunnel_down(&tunnel);
    tunnel_up(&tunnel, "a", "10.9.0.5 via 0.0.0.0/0 dns fd00:9::1", &full_tunnel);
    expect_file(ORIGINAL);
    ck_assert_ptr_nonnull(strstr(host_dns_method(tunnel.host), "does not reach the servers"));
    tunnel_down(&tunnel);
    expect_file(ORIGINAL);
}
END_TEST

START_TEST(resolv_conf_name_is_no_line)
{
    struct host_tunnel tunnel;
    tunnel_up(&tunnel, "x\nnameserver 198.51.100.66", DNS_CONFIG, &full_tunnel);
    expect(FALSE, "1\n", "grep -c ^nameserver.198 /etc/resolv.conf; true");
    tunnel_down(&tunnel);
}
END_TEST

/* ---- several sessions, and dead ones ---- */

/* Order of the ends: 0 = last in, first out; 1 = first in, first out. */
START_TEST(two_sessions)
{
    struct host_tunnel a, b;
    sandbox_do("printf '" ORIGINAL
               "' >/etc/resolv.conf; echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter");
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&a, "a", DNS_CONFIG, &full_tunnel);
    g_autofree char *one = sandbox_snapshot();
    tunnel_up(&b, "b", "10.8.0.5 fd00:8::5 via 0.0.0.0/0 via ::/0 dns 10.8.0.1", &full_tunnel);
    ck_assert_str_eq(b.interface, "godwit1");
    expect_route("203.0.113.5", "dev godwit1");
    /* Both tunnels' own packets go outside, not through each other. */
    expect_route("203.0.113.5 mark 0x676f", "via 192.0.2.1 dev up0");
    if (_i == 0) {
        tunnel_down(&b);
        sandbox_expect_same(one);
        tunnel_down(&a);
    } else {
        tunnel_down(&a);
        expect_route("203.0.113.5", "dev godwit1");
        expect(TRUE, "2\n", "cat /proc/sys/net/ipv4/conf/all/rp_filter");
        expect(TRUE, "nameserver 10.8.0.1", "cat /etc/resolv.conf");
        tunnel_down(&b);
    }
    sandbox_expect_same(before);
    sandbox_do("echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter");
}
END_TEST

START_TEST(killed)
{
    sandbox_do("printf '" ORIGINAL
               "' >/etc/resolv.conf; echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter");
    g_autofree char *before = sandbox_snapshot();
    pid_t a = tunnel_process("a", DNS_CONFIG, &full_tunnel),
          b = tunnel_process("b", DNS_CONFIG, &full_tunnel);
    ck_assert_uint_eq(host_clean_leftovers(), 0);
    tunnel_kill(a);
    ck_assert_uint_eq(host_clean_leftovers(), 1);
    expect_route("203.0.113.5", "dev godwit1");
    expect_written();
    tunnel_kill(b);
    ck_assert_uint_eq(host_clean_leftovers(), 1);
    sandbox_expect_same(before);
    ck_assert_uint_eq(host_clean_leftovers(), 0);
    sandbox_do("echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter");
}
END_TEST

START_TEST(two_killed)
{
    g_autofree char *before = sandbox_snapshot();
    pid_t a = tunnel_process("a", DNS_CONFIG, &full_tunnel),
          b = tunnel_process("b", DNS_CONFIG, &full_tunnel);
    tunnel_kill(a);
    tunnel_kill(b);
    ck_assert_uint_eq(host_clean_leftovers(), 2);
    sandbox_expect_same(before);
}
END_TEST

/* The inode of a network namespace, by which a record knows its own, is used again after its end.
 */
START_TEST(index_of_another_interface)
{
    g_autofree char *before = sandbox_snapshot();
    tunnel_kill(tunnel_process("a", DNS_CONFIG, &full_tunnel));
    sandbox_do(
        "sed -i \"s/^ifindex=.*/ifindex=$(cat /sys/class/net/up0/ifindex)/\" /run/godwit/a.undo");
    ck_assert_uint_eq(host_clean_leftovers(), 1);
    sandbox_expect_same(before);
}
END_TEST

/* A new session of the same name cleans by itself. */
START_TEST(killed_then_new)
{
    struct host_tunnel tunnel;
    g_autofree char *before = sandbox_snapshot();
    tunnel_kill(tunnel_process("a", DNS_CONFIG, &full_tunnel));
    tunnel_up(&tunnel, "a", DNS_CONFIG, &full_tunnel);
    ck_assert_str_eq(tunnel.interface, "godwit0");
    expect_route("203.0.113.5", "dev godwit0");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

/* Killed while it wrote: halves go, whole files stay. */
START_TEST(half_written)
{
    g_autofree char *before = sandbox_snapshot();
    sandbox_do("mkdir -p /run/godwit && cd /run/godwit && "
               "touch a.undo.AbC123 b.resolv.zzzzzz kill-switch.QWERTY");
    ck_assert_uint_eq(host_clean_leftovers(), 0);
    sandbox_expect_same(before);
    sandbox_do("touch /run/godwit/c.resolv /run/godwit/odd.AbC123");
    ck_assert_uint_eq(host_clean_leftovers(), 0);
    sandbox_do("rm /run/godwit/c.resolv /run/godwit/odd.AbC123");
}
END_TEST

/* The number of a dead process is taken by another one. */
START_TEST(reused_pid)
{
    g_autofree char *before = sandbox_snapshot();
    tunnel_kill(tunnel_process("a", DNS_CONFIG, &full_tunnel));
    sandbox_do("sed -i 's/^pid=.*/pid=%d/' /run/godwit/a.undo", (int)getpid());
    ck_assert_uint_eq(host_clean_leftovers(), 1);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(records_of_others_are_refused)
{
    g_autoptr(GError) error = NULL;
    char interface[16];
    gboolean vnet_hdr;
    sandbox_do("mkdir -p /run/godwit; chmod 777 /run/godwit");
    int tun = host_tun_open(interface, &vnet_hdr, &error);
    ck_assert_ptr_null(host_new("a", interface, &error));
    ck_assert(g_error_matches(error, HOST_ERROR, HOST_ERROR_PERMISSION));
    sandbox_do("chmod 755 /run/godwit");
    close(tun);
}
END_TEST

static const char *const odd_names[] = {"../../etc/passwd", ".hidden",           "a/b",
                                        "with blank",       "\xc3\xa9t\xc3\xa9", "%41"};

START_TEST(odd_name)
{
    struct host_tunnel tunnel;
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, odd_names[_i], DNS_CONFIG, &full_tunnel);
    expect(TRUE, "1\n", "ls /run/godwit/*.undo | wc -l");
    expect(TRUE, "-rw-------", "ls -l /run/godwit/*.undo");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("what the host gets back");
    TCase *dns = tcase_create("dns"), *several = tcase_create("several");
    sandbox_enter();
    sandbox_uplink();
    sandbox_do("printf '" ORIGINAL "' >/etc/resolv.conf");
    tcase_add_loop_test(dns, resolv_conf, 0, G_N_ELEMENTS(resolv_cases));
    tcase_add_test(dns, resolv_conf_mounted);
    tcase_add_test(dns, resolv_conf_read_only);
    tcase_add_test(dns, resolv_conf_changed_meanwhile);
    tcase_add_test(dns, resolv_conf_not_wanted);
    tcase_add_test(dns, resolv_conf_name_is_no_line);
    suite_add_tcase(suite, dns);
    tcase_add_loop_test(several, two_sessions, 0, 2);
    tcase_add_test(several, killed);
    tcase_add_test(several, two_killed);
    tcase_add_test(several, index_of_another_interface);
    tcase_add_test(several, killed_then_new);
    tcase_add_test(several, half_written);
    tcase_add_test(several, reused_pid);
    tcase_add_test(several, records_of_others_are_refused);
    tcase_add_loop_test(several, odd_name, 0, G_N_ELEMENTS(odd_names));
    suite_add_tcase(suite, several);
    return run_suite(suite);
}

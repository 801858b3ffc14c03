/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <linux/capability.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/dns_query.h"
#include "unit/host_tunnel.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"

/* Far above what any step takes, so that only a hang meets it. */
#define PATIENCE_S 20
#define RESOLV "/etc/resolv.conf"
#define ORIGINAL "# mine\nnameserver 192.0.2.53\n"
#define OTHERS "nameserver 198.51.100.7\n"
#define FULL "10.9.0.5 via 0.0.0.0/0 dns 10.9.0.1 in corp.example"

/* ---- the question and its answers ---- */

static const struct {
    const char *name, *octets;
} questions[] = {
    {"", "12340100000100000000000000 00020001"},
    {"a.example", "1234010000010000000000000161076578616d706c65 00 00010001"},
};

START_TEST(question)
{
    uint8_t out[DNS_QUESTION_MAX];
    struct bytes wanted = hex(questions[_i].octets);
    ck_assert_uint_eq(dns_question(out, 0x1234, questions[_i].name), wanted.len);
    ck_assert_mem_eq(out, wanted.data, wanted.len);
}
END_TEST

START_TEST(longest_names)
{
    uint8_t out[DNS_QUESTION_MAX];
    g_autofree char *label = g_strnfill(63, 'a');
    g_autofree char *long_label = g_strnfill(64, 'a');
    g_autofree char *name = g_strjoin(".", label, label, label, label, label, label, NULL);
    ck_assert_uint_le(dns_question(out, 1, name), sizeof out);
    ck_assert_uint_eq(dns_question(out, 1, long_label), 17);
}
END_TEST

/* To the question for a.example with 1234. */
static const struct {
    const char *octets;
    int code;
} replies[] = {
    {"12348180000100000000000001 61 076578616d706c65 00 00010001", 0},
    {"12348180000100000000000001 41 074558414d504c45 00 00010001", 0}, /* case is nobody's */
    {"12348183000100000000000001 61 076578616d706c65 00 00010001 00", 3},
    {"12348185000100000000000001 61 076578616d706c65 00 00010001", 5},
    {"123481810000000000000000", 1},
    {"123481800000000000000000", -1}, /* no error, but no question either */
    {"12340180000100000000000001 61 076578616d706c65 00 00010001", -1},
    {"1234a180000100000000000001 61 076578616d706c65 00 00010001", -1},
    {"12358180000100000000000001 61 076578616d706c65 00 00010001", -1},
    {"12348180000100000000000001 62 076578616d706c65 00 00010001", -1},
    {"12348180000100000000000001 61 076578616d706c65 00 00020001", -1},
    {"12348180000200000000000001 61 076578616d706c65 00 00010001", -1},
    {"12348180000100000000000001 61 076578616d706c65 00 000100", -1},
    {"1234818000010000000000", -1},
    {"", -1},
};

START_TEST(reply)
{
    struct bytes octets = hex(replies[_i].octets);
    uint8_t asked[DNS_QUESTION_MAX];
    size_t len = dns_question(asked, 0x1234, "a.example");
    uint8_t *exact = octets_copy(octets);
    ck_assert_int_eq(dns_reply_code(exact, octets.len, asked, len), replies[_i].code);
}
END_TEST

/* ---- which names ---- */

static const struct {
    const char *config;
    gboolean full;
    enum host_dns dns;
    const char *method, *part; /* NULL = the file is as it was */
} plans[] = {
    {FULL, TRUE, HOST_DNS_AUTO, RESOLV, "search corp.example\nnameserver 10.9.0.1\n"},
    {FULL, TRUE, HOST_DNS_ALL, RESOLV, "nameserver 10.9.0.1\n"},
    {FULL, TRUE, HOST_DNS_OFF, "left as it is", NULL},
    {FULL, TRUE, HOST_DNS_DOMAINS, "nothing on this host can tell domains apart", NULL},
    {"10.9.0.5 via 0.0.0.0/0 dns 10.9.0.1", TRUE, HOST_DNS_DOMAINS,
     "left as it is: there are no domains", NULL},
    {"10.9.0.5 via 0.0.0.0/0", TRUE, HOST_DNS_AUTO, "left as it is: the gateway gave no server",
     NULL},
    {"10.9.0.5 via 10.9.0.0/16 dns 10.9.0.1", FALSE, HOST_DNS_AUTO, RESOLV,
     "nameserver 10.9.0.1\n"},
    {"10.9.0.5 via 10.9.0.0/16 dns 10.9.0.1 in corp.example", FALSE, HOST_DNS_AUTO, RESOLV,
     "search corp.example\nnameserver 10.9.0.1\n"},
    {"10.9.0.5 via 10.9.0.0/16 dns 10.8.0.1 dns fd00:9::1", FALSE, HOST_DNS_AUTO,
     "left as it is: the tunnel does not reach the servers", NULL},
    {"10.9.0.5 via 10.9.0.0/16 dns 10.8.0.1 dns 10.9.0.2", FALSE, HOST_DNS_ALL, RESOLV,
     "tunnel \"a\"; what was here comes back when it ends.\nnameserver 10.9.0.2\n"},
};

START_TEST(plan)
{
    struct host_options options = plans[_i].full ? full_tunnel : split_tunnel;
    struct host_tunnel tunnel;
    g_autofree char *before = sandbox_snapshot();
    options.dns = plans[_i].dns;
    tunnel_up(&tunnel, "a", plans[_i].config, &options);
    ck_assert_str_eq(host_dns_method(tunnel.host), plans[_i].method);
    ck_assert(!host_dns_pending(tunnel.host));
    g_autofree char *now = NULL;
    ck_assert(g_file_get_contents(RESOLV, &now, NULL, NULL));
    if (plans[_i].part) {
        ck_assert_msg(strstr(now, plans[_i].part) != NULL, "%s", now);
    } else {
        ck_assert_str_eq(now, ORIGINAL);
    }
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

/* A network of the host's own has the server's address. */
START_TEST(server_in_a_local_network)
{
    struct host_tunnel tunnel;
    struct network network = {.n = 1};
    sandbox_do("ip addr add 10.9.0.77/24 dev up0");
    network.uplinks[0] = uplink_of("10.9.0.77/24", "up0", "");
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", FULL, &full_tunnel);
    tunnel_follow(&tunnel, &network);
    expect_route("10.9.0.1", "dev godwit0");
    expect_route("10.9.0.3", "dev up0");
    tunnel_follow(&tunnel, &network);
    expect_route("10.9.0.1", "dev godwit0");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
    sandbox_do("ip addr del 10.9.0.77/24 dev up0");
}
END_TEST

/* ---- others write the file too ---- */

static gboolean on_overdue(gpointer data)
{
    ck_abort_msg("nothing happened for %d s; waited for: %s", PATIENCE_S, (const char *)data);
    return G_SOURCE_REMOVE;
}

static gboolean has(const char *part)
{
    g_autofree char *now = NULL;
    return g_file_get_contents(RESOLV, &now, NULL, NULL) && strstr(now, part) != NULL;
}

static void until_it_has(const char *part)
{
    guint overdue = g_timeout_add_seconds(PATIENCE_S, on_overdue, (gpointer)part);
    while (!has(part)) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(overdue);
}

static const char *const writers[] = {
    "printf '" OTHERS "' >/etc/resolv.conf",
    "printf '" OTHERS "' >/etc/new; mv /etc/new /etc/resolv.conf",
    "rm /etc/resolv.conf; printf '" OTHERS "' >/etc/resolv.conf",
};
#define WRITERS ((int)G_N_ELEMENTS(writers))

START_TEST(put_back)
{
    struct host_tunnel tunnel;
    tunnel_up(&tunnel, "a", FULL, &full_tunnel);
    sandbox_do("%s", writers[_i]);
    until_it_has("10.9.0.1");
    tunnel_down(&tunnel);
    ck_assert(has(OTHERS));
    expect(FALSE, "a", "ls /run/godwit");
}
END_TEST

START_TEST(removed)
{
    struct host_tunnel tunnel;
    tunnel_up(&tunnel, "a", FULL, &full_tunnel);
    sandbox_do("rm /etc/resolv.conf");
    until_it_has("10.9.0.1");
    tunnel_down(&tunnel);
    ck_assert(!g_file_test(RESOLV, G_FILE_TEST_EXISTS));
}
END_TEST

/* Two sessions, and then another program: the one on top stays there, and what was written below
 * both comes back. Order of the ends as in test_host.c. */
START_TEST(put_back_over_two)
{
    struct host_tunnel a, b;
    tunnel_up(&a, "a", FULL, &full_tunnel);
    tunnel_up(&b, "b", "10.8.0.5 via 0.0.0.0/0 dns 10.8.0.1", &full_tunnel);
    sandbox_do("%s", writers[_i / 2]);
    until_it_has("10.8.0.1");
    struct host_tunnel *first = _i % 2 ? &a : &b, *second = _i % 2 ? &b : &a;
    tunnel_down(first);
    until_it_has(_i % 2 ? "10.8.0.1" : "10.9.0.1");
    tunnel_down(second);
    ck_assert(has(OTHERS));
}
END_TEST

/* Another server while another session is on top. */
START_TEST(changed_below)
{
    struct host_tunnel a, b;
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&a, "a", FULL, &full_tunnel);
    tunnel_up(&b, "b", "10.8.0.5 via 0.0.0.0/0 dns 10.8.0.1", &full_tunnel);
    tunnel_apply(&a, "10.9.0.5 via 0.0.0.0/0 dns 10.9.0.2", &full_tunnel);
    ck_assert(has("10.8.0.1"));
    tunnel_down(&b);
    ck_assert(has("10.9.0.2"));
    tunnel_down(&a);
    sandbox_expect_same(before);
}
END_TEST

/* ---- a full disk ---- */

static void small_etc(void)
{
    sandbox_do(
        "mkdir /run/small; "
        "mount -t tmpfs -o size=$(($(du -sk /etc | cut -f1) + 128))k,mode=755 tmpfs /run/small; "
        "cp -a /etc/. /run/small/ 2>/dev/null; mount --bind /run/small /etc");
}

static void fill(void)
{
    sandbox_do("dd if=/dev/zero of=/etc/filler bs=1k 2>/dev/null; true");
}

static void large_etc(void)
{
    sandbox_do("umount /etc; umount /run/small; rmdir /run/small");
}

START_TEST(disk_is_full)
{
    struct host_tunnel tunnel;
    small_etc();
    sandbox_do("printf '" ORIGINAL "' >/etc/resolv.conf");
    /* Nor can it be made longer where it is: tmpfs gives out whole pages. */
    sandbox_do("truncate -s 4096 /etc/resolv.conf; cp /etc/resolv.conf /run/was");
    fill();
    tunnel_up(&tunnel, "a",
              "10.9.0.5 via 0.0.0.0/0 dns 10.9.0.1 "
              "in a.example",
              &full_tunnel);
    tunnel_down(&tunnel);
    sandbox_do("cmp /run/was /etc/resolv.conf; rm /run/was");
    large_etc();
}
END_TEST

START_TEST(no_room_for_the_file)
{
    struct host_tunnel tunnel;
    small_etc();
    sandbox_do("rm /etc/resolv.conf");
    fill();
    tunnel_up(&tunnel, "a", FULL, &full_tunnel);
    ck_assert_str_eq(host_dns_method(tunnel.host),
                     RESOLV " cannot be written: No space left on device.");
    expect_route("203.0.113.5", "dev godwit0");
    tunnel_down(&tunnel);
    ck_assert(!g_file_test(RESOLV, G_FILE_TEST_EXISTS));
    large_etc();
}
END_TEST

START_TEST(disk_fills_up)
{
    struct host_tunnel tunnel;
    small_etc();
    sandbox_do("printf '" ORIGINAL "' >/etc/resolv.conf; chmod 640 /etc/resolv.conf");
    tunnel_up(&tunnel, "a", FULL, &full_tunnel);
    fill();
    tunnel_down(&tunnel);
    ck_assert(has(ORIGINAL));
    expect(TRUE, "-rw-r-----", "ls -l /etc/resolv.conf");
    large_etc();
}
END_TEST

/* ---- a system bus that takes calls and never answers ---- */

static const char *const on_the_bus[] = {"nameserver 127.0.0.53\n", "nameserver 127.0.0.1\n"};

static void hang_the_bus(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/hangs"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)unlink(address.sun_path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    ck_assert(g_setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/hangs", TRUE));
}

START_TEST(end_does_not_wait_for_the_bus)
{
    struct host_tunnel tunnel;
    hang_the_bus();
    ck_assert(g_file_set_contents(RESOLV, on_the_bus[_i], -1, NULL));
    tunnel_up(&tunnel, "a", FULL, &full_tunnel);
    gint64 begun = g_get_monotonic_time();
    tunnel_down(&tunnel);
    gint64 took = (g_get_monotonic_time() - begun) / 1000;
    ck_assert_msg(took < 5000, "the end took %" G_GINT64_FORMAT " ms", took);
    ck_assert(has(on_the_bus[_i]));
}
END_TEST

/* As the service, which may not give files away. */
static void set_chown(gboolean may)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct own[_LINUX_CAPABILITY_U32S_3] = {{0}};
    ck_assert_int_eq(syscall(SYS_capget, &header, own), 0);
    own[0].effective =
        may ? own[0].effective | 1U << CAP_CHOWN : own[0].effective & ~(1U << CAP_CHOWN);
    ck_assert_int_eq(syscall(SYS_capset, &header, own), 0);
}

/* It was left there by one that was killed while it wrote. */
#define HALF "/etc/.resolv.conf.godwit"

START_TEST(file_of_another_user)
{
    struct host_tunnel tunnel;
    sandbox_do("chown 7:8 /etc/resolv.conf; chmod 640 /etc/resolv.conf; echo half >" HALF);
    set_chown(FALSE);
    tunnel_up(&tunnel, "a", FULL, &full_tunnel);
    ck_assert(!has(ORIGINAL));
    sandbox_do("echo half >" HALF);
    tunnel_down(&tunnel);
    set_chown(TRUE);
    ck_assert(has(ORIGINAL));
    expect(TRUE, "-rw-r-----", "ls -l /etc/resolv.conf");
    expect(FALSE, "godwit", "ls -A /etc");
}
END_TEST

static void set_up(void)
{
    sandbox_do("rm -f /etc/resolv.conf; printf '" ORIGINAL "' >/etc/resolv.conf");
}

int main(void)
{
    Suite *suite = suite_create("dns");
    TCase *messages = tcase_create("messages"), *host = tcase_create("host");
    sandbox_enter();
    sandbox_uplink();
    tcase_add_loop_test(messages, question, 0, G_N_ELEMENTS(questions));
    tcase_add_test(messages, longest_names);
    tcase_add_loop_test(messages, reply, 0, G_N_ELEMENTS(replies));
    suite_add_tcase(suite, messages);
    tcase_add_checked_fixture(host, set_up, NULL);
    tcase_add_loop_test(host, plan, 0, G_N_ELEMENTS(plans));
    tcase_add_test(host, server_in_a_local_network);
    tcase_add_loop_test(host, put_back, 0, WRITERS);
    tcase_add_test(host, removed);
    tcase_add_loop_test(host, put_back_over_two, 0, WRITERS * 2);
    tcase_add_test(host, changed_below);
    tcase_add_test(host, disk_is_full);
    tcase_add_test(host, no_room_for_the_file);
    tcase_add_test(host, disk_fills_up);
    tcase_add_loop_test(host, end_does_not_wait_for_the_bus, 0, G_N_ELEMENTS(on_the_bus));
    tcase_add_test(host, file_of_another_user);
    suite_add_tcase(suite, host);
    return run_suite(suite);
}

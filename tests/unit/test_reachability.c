/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel/reachability.h"

#include <check.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/host.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"
#include "unit/waiting.h"

/* Whether a host is there that leaves IKE unanswered. */

static int tcp;
static struct addr here, nowhere;

static void set_up(void)
{
    g_autoptr(GError) error = NULL;
    sandbox_enter();
    sandbox_do("ip link set lo up");
    tcp = host_tcp_open(FAMILY_IPV4, HOST_FWMARK_DEFAULT, &error);
    ck_assert_msg(tcp >= 0, "%s", error ? error->message : "no IPv4");
    ck_assert(addr_parse(&here, "127.0.0.1"));
    ck_assert(addr_parse(&nowhere, "203.0.113.1"));
}

static void listen_on(guint16 port)
{
    const struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
}

static void wait_answer(struct reachability *r)
{
    wait_until(reachability_answered(r));
    ck_assert(!reachability_next(r));
}

START_TEST(refuses_or_accepts)
{
    struct reachability r;
    if (_i == 1) {
        listen_on(443);
    }
    for (int i = 0; i < 3; i++) {
        reachability_start(&r, tcp, &here);
        wait_answer(&r);
        reachability_end(&r);
        ck_assert(!reachability_answered(&r));
    }
}
END_TEST

/* Each port once; the kernel's word that there is no way is no answer. */
START_TEST(is_out_of_reach)
{
    struct reachability r;
    int asked = 1;
    reachability_start(&r, tcp, &nowhere);
    while (reachability_next(&r)) {
        asked++;
    }
    ck_assert_int_eq(asked, 3);
    ck_assert(!reachability_answered(&r));
    reachability_end(&r);
    reachability_start(&r, tcp, &here);
    wait_answer(&r);
}
END_TEST

/* A SYN that nobody answers. */
START_TEST(keeps_silent)
{
    struct reachability r;
    sandbox_do("nft 'table inet silent { chain in { type filter hook input priority 0; tcp "
               "dport 443 drop; }; }'");
    reachability_start(&r, tcp, &here);
    wait_let_pass(20000);
    ck_assert(!reachability_answered(&r));
    ck_assert(reachability_next(&r));
    wait_answer(&r);
}
END_TEST

START_TEST(nobody_to_ask)
{
    struct reachability r;
    reachability_start(&r, -1, &here);
    ck_assert(!reachability_next(&r));
    ck_assert(!reachability_answered(&r));
    reachability_end(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reachability");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, set_up, NULL);
    tcase_add_loop_test(all, refuses_or_accepts, 0, 2);
    tcase_add_test(all, is_out_of_reach);
    tcase_add_test(all, keeps_silent);
    tcase_add_test(all, nobody_to_ask);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}

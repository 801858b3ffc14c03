/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "unit/leaves.h"

#include <check.h>
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/host_tunnel.h"

int send_datagram(const struct attempt *attempt)
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

void expect_sent(gboolean sent, struct attempt attempt)
{
    int why = send_datagram(&attempt);
    ck_assert_msg(why == (sent ? 0 : EPERM), "to %s by %s, mark %x, from %u, user %u: %s",
                  attempt.to, attempt.link ? attempt.link : "any link", attempt.mark, attempt.from,
                  (unsigned)attempt.user, why == 0 ? "sent" : strerror(why));
}

void expect_leaves(gboolean leaves, const char *to, const char *link)
{
    expect_sent(leaves, (struct attempt){.to = to, .link = link});
}

const char *const outside[2] = {"203.0.113.5:9", "[2001:db8:ffff::5]:9"};

void expect_outside(gboolean leaves)
{
    for (size_t i = 0; i < G_N_ELEMENTS(outside); i++) {
        expect_leaves(leaves, outside[i], "up0");
    }
}

uid_t worker_user(void)
{
    struct passwd *entry = getpwnam(WORKER_USER);
    ck_assert_ptr_nonnull(entry);
    return entry->pw_uid;
}

void expect_necessary(gboolean leaves)
{
    static const char *const gateways[] = {"203.0.113.7:500", "203.0.113.7:4500",
                                           "[2001:db8:ffff::7]:4500"};
    for (size_t i = 0; i < G_N_ELEMENTS(gateways); i++) {
        expect_sent(leaves, (struct attempt){.to = gateways[i], .mark = HOST_FWMARK_DEFAULT});
    }
    expect_sent(leaves, (struct attempt){.to = "255.255.255.255:67", .link = "up0", .from = 68});
    expect_sent(leaves, (struct attempt){.to = "192.0.2.1:67", .link = "up0", .from = 68});
    expect_sent(leaves, (struct attempt){.to = "[ff02::1:2]:547", .link = "up0", .from = 546});
    expect_sent(leaves,
                (struct attempt){.to = "192.0.2.53:53", .link = "up0", .user = worker_user()});
    expect_leaves(leaves, "127.0.0.1:9", NULL);
    expect_leaves(leaves, "[::1]:9", NULL);
}

struct host_options killing(const struct host_options *options, const char *excluded)
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

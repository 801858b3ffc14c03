/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "common/addr.h"
#include "common/i18n.h"

enum {
    ADDRESSES_MAX = 4,
    PORTS = 2,
    PATIENCE_MS = 1000, /* for a refusal */
    MTU_LEAST = 1280,
};

/* ---- names ---- */

/* What comes from the network is read by a program without rights. */
static void drop_rights(gpointer data)
{
    const struct passwd *user = data;

    if (user != NULL &&
        (setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) {
        _exit(1);
    }
}

static size_t read_addresses(const char *text, struct addr *out)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    size_t n = 0;

    for (char **line = lines; *line != NULL && n < ADDRESSES_MAX; line++) {
        struct addr addr;
        gboolean known = FALSE;

        (*line)[strcspn(*line, " \t")] = '\0';
        if (!addr_parse(&addr, *line)) {
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            known = known || addr_equal(&out[i], &addr);
        }
        if (!known) {
            out[n++] = addr;
        }
    }
    return n;
}

static size_t look_up(const char *host, struct addr *out)
{
    const char *argv[] = {"getent", "ahosts", "--", host, NULL};
    g_autofree char *text = NULL;

    if (addr_parse(&out[0], host)) {
        return 1;
    }
    if (!g_spawn_sync("/", (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
                      drop_rights, geteuid() == 0 ? getpwnam(WORKER_USER) : NULL, &text, NULL, NULL,
                      NULL)) {
        return 0;
    }
    return read_addresses(text, out);
}

static size_t check_name(struct doctor *doctor, const char *host, struct addr *out)
{
    size_t n = look_up(host, out);
    GString *text = g_string_new(NULL);
    char one[ADDR_TEXT_MAX];

    for (size_t i = 0; i < n; i++) {
        g_string_append_printf(text, "%s%s", i == 0 ? "" : ", ", addr_text(&out[i], one));
    }
    if (n == 0) {
        doctor_tell(
            doctor, _("Gateway's name"), VERDICT_PROBLEM,
            g_strdup_printf(_("%s has no address."), host),
            g_strdup(_("Check the name; if no name works, check the network and its DNS.")));
    } else {
        doctor_tell(doctor, _("Gateway's name"), VERDICT_OK,
                    g_strdup_printf("%s: %s.", host, text->str), NULL);
    }
    g_string_free(text, TRUE);
    return n;
}

/* ---- the way there ---- */

struct knock {
    int fd;
    int refused; /* errno of the refusal, 0 = none came */
};

/* One octet that every IKE implementation drops: a keepalive of RFC 3948 2.3. */
static struct knock knock(const struct addr *addr, guint16 port)
{
    const struct endpoint to = {.addr = *addr, .port = port};
    static const unsigned char keepalive = 0xff;
    struct sockaddr_storage name;
    socklen_t len = endpoint_to_sockaddr(&to, &name);
    struct knock knock = {.fd =
                              socket(name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};

    if (knock.fd < 0 || connect(knock.fd, (const struct sockaddr *)&name, len) != 0 ||
        send(knock.fd, &keepalive, 1, 0) != 1) {
        knock.refused = errno;
    }
    return knock;
}

/* Waits for refusals of those that were not refused at once. */
static void await_refusals(struct knock *knocks)
{
    gint64 deadline = g_get_monotonic_time() + PATIENCE_MS * G_TIME_SPAN_MILLISECOND;
    gint64 left;

    while ((left = (deadline - g_get_monotonic_time()) / G_TIME_SPAN_MILLISECOND) > 0) {
        struct pollfd wait[PORTS];

        for (int i = 0; i < PORTS; i++) {
            wait[i] = (struct pollfd){.fd = knocks[i].refused == 0 ? knocks[i].fd : -1};
        }
        if (poll(wait, PORTS, (int)left) <= 0) {
            return;
        }
        for (int i = 0; i < PORTS; i++) {
            int why = 0;
            socklen_t len = sizeof why;

            if (wait[i].revents != 0 &&
                getsockopt(knocks[i].fd, SOL_SOCKET, SO_ERROR, &why, &len) == 0) {
                knocks[i].refused = why == 0 ? EIO : why;
            }
        }
        if (knocks[0].refused != 0 && knocks[1].refused != 0) {
            return;
        }
    }
}

/* Of the path as the kernel knows it; 0 = it does not. */
static int mtu_of(int fd, enum family family)
{
    int mtu = 0;
    socklen_t len = sizeof mtu;
    gboolean v6 = family == FAMILY_IPV6;

    return getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &len) == 0
               ? mtu
               : 0;
}

static void tell_mtu(struct doctor *doctor, int mtu, const char *where)
{
    if (mtu >= MTU_LEAST) {
        doctor_tell(doctor, _("Path MTU"), VERDICT_OK,
                    g_strdup_printf(_("%d octets to %s."), mtu, where), NULL);
    } else if (mtu > 0) {
        doctor_tell(
            doctor, _("Path MTU"), VERDICT_NOTE,
            g_strdup_printf(_("%d octets to %s: less than IPv6 needs."), mtu, where),
            g_strdup(_("The tunnel fits itself to it; look for another tunnel on the way.")));
    }
}

/* Whether what we send there goes into a tunnel of ours: then it says nothing of the way beside it.
 */
static gboolean is_inside(int fd)
{
    struct sockaddr_storage own;
    socklen_t len = sizeof own;
    struct ifaddrs *all = NULL;
    struct endpoint from, other;
    gboolean inside = FALSE;

    if (getsockname(fd, (struct sockaddr *)&own, &len) != 0 ||
        !endpoint_from_sockaddr(&from, (const struct sockaddr *)&own) || getifaddrs(&all) != 0) {
        return FALSE;
    }
    for (const struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
        inside = inside || (one->ifa_addr != NULL && g_str_has_prefix(one->ifa_name, "godwit") &&
                            endpoint_from_sockaddr(&other, one->ifa_addr) &&
                            addr_equal(&from.addr, &other.addr));
    }
    freeifaddrs(all);
    return inside;
}

static gboolean is_no_route(int why)
{
    return why == ENETUNREACH || why == EAFNOSUPPORT || why == EADDRNOTAVAIL;
}

static void tell_knocks(struct doctor *doctor, const struct knock *knocks, const guint16 *ports,
                        const char *where)
{
    int first = knocks[0].refused, second = knocks[1].refused;

    if (is_no_route(first) && is_no_route(second)) {
        doctor_tell(doctor, _("Gateway"), VERDICT_NOTE,
                    g_strdup_printf(_("no way leads to %s."), where),
                    g_strdup(_("Another of its addresses may do; else check the network.")));
    } else if (first == ECONNREFUSED && second == ECONNREFUSED) {
        doctor_tell(doctor, _("Gateway"), VERDICT_PROBLEM,
                    g_strdup_printf(_("%s refuses UDP ports %u and %u: nothing listens there."),
                                    where, ports[0], ports[1]),
                    g_strdup(_("Check the gateway's name; its VPN service may be down.")));
    } else if (first != 0 && second != 0) {
        doctor_tell(doctor, _("Gateway"), VERDICT_PROBLEM,
                    g_strdup_printf(_("%s is not reached by UDP: %s."), where, g_strerror(first)),
                    g_strdup(_("Try another network: this one may block UDP.")));
    } else if (first != 0 || second != 0) {
        doctor_tell(doctor, _("Gateway"), VERDICT_NOTE,
                    g_strdup_printf(_("%s refuses UDP port %u, but not %u."), where,
                                    ports[first != 0 ? 0 : 1], ports[first != 0 ? 1 : 0]),
                    g_strdup(_("That may be enough: both are tried.")));
    } else {
        doctor_tell(doctor, _("Gateway"), VERDICT_OK,
                    g_strdup_printf(_("%s does not refuse UDP ports %u and %u."), where, ports[0],
                                    ports[1]),
                    NULL);
    }
}

static void check_address(struct doctor *doctor, const struct addr *addr, guint16 port)
{
    const guint16 ports[PORTS] = {port, 4500};
    struct knock knocks[PORTS];
    char where[ADDR_TEXT_MAX];

    addr_text(addr, where);
    for (int i = 0; i < PORTS; i++) {
        knocks[i] = knock(addr, ports[i]);
    }
    if (knocks[0].fd >= 0 && is_inside(knocks[0].fd)) {
        doctor_tell(doctor, _("Gateway"), VERDICT_NOTE,
                    g_strdup_printf(_("a tunnel is up, and leads to %s."), where),
                    g_strdup(_("To look at the way beside it, disconnect first.")));
    } else {
        await_refusals(knocks);
        tell_knocks(doctor, knocks, ports, where);
        if (knocks[0].refused == 0) {
            tell_mtu(doctor, mtu_of(knocks[0].fd, addr->family), where);
        }
    }
    for (int i = 0; i < PORTS; i++) {
        if (knocks[i].fd >= 0) {
            close(knocks[i].fd);
        }
    }
}

void doctor_check_gateway(struct doctor *doctor, const char *host, guint16 port)
{
    struct addr addresses[ADDRESSES_MAX];
    size_t n = check_name(doctor, host, addresses);

    for (size_t i = 0; i < n; i++) {
        check_address(doctor, &addresses[i], port);
    }
}

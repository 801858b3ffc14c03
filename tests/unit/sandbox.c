/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "unit/sandbox.h"
#include "unit/waiting.h"

#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

static void skip(const char *what)
{
    fprintf(stderr, "skipped: %s: %s\n", what, g_strerror(errno));
    exit(77);
}

char *sandbox_run(const char *format, ...)
{
    va_list arguments;
    char *out = NULL;
    int status = 0;
    g_autoptr(GError) error = NULL;
    va_start(arguments, format);
    g_autofree char *command = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL, &status,
                      &error) ||
        !g_spawn_check_wait_status(status, &error)) {
        fprintf(stderr, "%s: %s\n", command, error->message);
        abort();
    }
    return out;
}

void sandbox_enter(void)
{
    if (geteuid() != 0) {
        errno = EPERM;
        skip("not root");
    }
    if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", "/run", "tmpfs", 0, "mode=755") != 0) {
        skip("no namespaces of its own");
    }
    sandbox_do(
        "mkdir /run/etc && cd /etc && cp -a passwd group nsswitch.conf ld.so.cache ld.so.conf* "
        "/run/etc/ 2>/dev/null; mount --bind /run/etc /etc && mount -t tmpfs tmpfs /run");
    sandbox_do("mount -t sysfs sysfs /sys 2>/dev/null; ip link set lo up");
}

static gboolean has_carrier(const char *link)
{
    g_autofree char *shown = sandbox_run("ip -o link show %s", link);
    return strstr(shown, " state UP ") != NULL;
}

void sandbox_wait_carrier(const char *link)
{
    wait_until(has_carrier(link));
}

void sandbox_link(const char *name)
{
    g_autofree char *one = g_strconcat(name, "0", NULL), *other = g_strconcat(name, "1", NULL);
    sandbox_do("ip link add %s type veth peer name %s && ip link set %s addrgenmode none && "
               "ip link set %s addrgenmode none up && ip link set %s up",
               one, other, one, other, one);
    sandbox_wait_carrier(one);
    sandbox_wait_carrier(other);
}

void sandbox_uplink(void)
{
    sandbox_link("up");
    sandbox_do("ip -6 addr add fe80::2/64 dev up0 nodad && ip addr add 192.0.2.2/24 dev up0 && "
               "ip -6 addr add 2001:db8:1::2/64 dev up0 nodad && "
               "ip route add default via 192.0.2.1 && ip -6 route add default via 2001:db8:1::1");
}

char *sandbox_snapshot(void)
{
    return sandbox_run(
        "ip -o link | cut -d: -f2-3; ip -o addr | sed 's/valid_lft.*//'; ip rule; ip -6 rule; "
        "ip -4 route show table all; "
        /* But for those to its own addresses, which the kernel makes some time after them. */
        "ip -6 route show table all | grep -v ' table local proto kernel' | sed 's/expires.*//'; "
        "nft -s list ruleset; "
        "(cd /proc/sys/net/ipv4/conf && grep . */rp_filter); "
        "ls -ln --time-style=+ /etc | grep -v ^total; cat /etc/resolv.conf 2>/dev/null; "
        "find /run -type f ! -path /run/godwit/ways; true");
}

void sandbox_expect_text(const char *text, const char *wanted)
{
    if (strcmp(text, wanted) != 0) {
        g_file_set_contents("/run/wanted", wanted, -1, NULL);
        g_file_set_contents("/run/text", text, -1, NULL);
        g_autofree char *difference =
            sandbox_run("diff /run/wanted /run/text; rm /run/wanted /run/text");
        fprintf(stderr, "%s", difference);
        ck_abort_msg("the host is not as it should be, see above");
    }
}

void sandbox_expect_same(const char *before)
{
    g_autofree char *after = sandbox_snapshot();
    sandbox_expect_text(after, before);
}

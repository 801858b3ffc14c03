/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <gio/gio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static const unsigned needed[] = {
    /* Links, addresses, routes, rules, the firewall, marks of sockets. */
    CAP_NET_ADMIN,
    /* Workers become a user of their own and nobody's group, ... */
    CAP_SETUID,
    CAP_SETGID,
    /* ... can never have a capability again, ... */
    CAP_SETPCAP,
    /* ... and are ended when they hang, although they are another user's. */
    CAP_KILL,
};

static gboolean fail(GError **error, const char *what, int err)
{
    g_set_error(error, G_IO_ERROR, (gint)g_io_error_from_errno(err),
                "Privileges cannot be given up: %s: %s.", what, g_strerror(err));
    return FALSE;
}

gboolean privileges_drop(GError **error)
{
    const struct rlimit none = {0, 0};
    capng_clear(CAPNG_SELECT_ALL);
    for (gsize i = 0; i < G_N_ELEMENTS(needed); i++) {
        (void)capng_update(CAPNG_ADD,
                           (capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET),
                           needed[i]);
    }
    if (capng_apply(CAPNG_SELECT_ALL) != 0) {
        return fail(error, "capabilities", EPERM);
    }
    /* Secrets pass through here: no core file, and nobody looks in. */
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return fail(error, "dumps", errno);
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return fail(error, "no_new_privs", errno);
    }
    return TRUE;
}

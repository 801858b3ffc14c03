/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "daemon/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <gio/gio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/confine.h"

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

#define REFUSE(name)                                                                               \
    {                                                                                              \
        .call = SCMP_SYS(name), .action = CONFINE_FAIL, .err = EPERM                               \
    }

/* What takes over a system, and neither we nor what we start has business with. The unit of systemd
 * goes further and lists what is allowed; here it holds wherever the service was started from. */
static const struct confine_rule refused[] = {
    /* Code in the kernel, or another kernel. */
    REFUSE(bpf),
    REFUSE(delete_module),
    REFUSE(finit_module),
    REFUSE(init_module),
    REFUSE(kexec_file_load),
    REFUSE(kexec_load),
    REFUSE(perf_event_open),
    REFUSE(userfaultfd),
    REFUSE(io_uring_enter),
    REFUSE(io_uring_register),
    REFUSE(io_uring_setup),
/* Other processes; LeakSanitizer looks into its own. */
#ifndef SANITIZED
    REFUSE(ptrace),
#endif
    REFUSE(kcmp),
    REFUSE(pidfd_getfd),
    REFUSE(process_vm_readv),
    REFUSE(process_vm_writev),
    /* File systems and namespaces. */
    REFUSE(chroot),
    REFUSE(fsconfig),
    REFUSE(fsmount),
    REFUSE(fsopen),
    REFUSE(fspick),
    REFUSE(mount),
    REFUSE(mount_setattr),
    REFUSE(move_mount),
    REFUSE(name_to_handle_at),
    REFUSE(open_by_handle_at),
    REFUSE(open_tree),
    REFUSE(pivot_root),
    REFUSE(setns),
    REFUSE(umount2),
    REFUSE(unshare),
    REFUSE(quotactl),
    REFUSE(swapoff),
    REFUSE(swapon),
    REFUSE(mknod),
    REFUSE(mknodat),
    REFUSE(fanotify_init),
    /* The machine. */
    REFUSE(acct),
    REFUSE(adjtimex),
    REFUSE(clock_adjtime),
    REFUSE(clock_settime),
    REFUSE(ioperm),
    REFUSE(iopl),
    REFUSE(personality),
    REFUSE(reboot),
    REFUSE(sethostname),
    REFUSE(setdomainname),
    REFUSE(settimeofday),
    REFUSE(syslog),
    REFUSE(vhangup),
    /* Keys of others. */
    REFUSE(add_key),
    REFUSE(keyctl),
    REFUSE(request_key),
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
    if (!confine_calls(refused, G_N_ELEMENTS(refused), CONFINE_ALLOW, -1)) {
        return fail(error, "seccomp", errno);
    }
    return TRUE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "session/worker_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The descriptors that godwit-tunnel finds. */
enum { FD_CHANNEL = 3, FD_REPORT, FD_PROGRAM, FD_END };
#define FD_ABOVE 64 /* where originals are out of the way of the numbers above */

const char *worker_child_step_name(enum worker_child_step step)
{
    switch (step) {
    case STEP_DESCRIPTORS:
        return "dup2";
    case STEP_SIGNALS:
        return "sigaction";
    case STEP_LIMITS:
        return "setrlimit";
    case STEP_CAPABILITIES:
        return "capset";
    case STEP_USER:
        return "setresuid";
    case STEP_PARENT:
        return "prctl";
    case STEP_EXEC:
        return "execveat";
    case STEP_RUN:
        break;
    }
    return "fork";
}

static bool place(int from, int to, int flags)
{
    return dup3(from, to, flags) == to;
}

static bool lift(int from, int *to)
{
    *to = fcntl(from, F_DUPFD_CLOEXEC, FD_ABOVE);
    return *to >= 0;
}

/*
 * *failure becomes where to report; everything but standard error and what is placed here is
 * closed. A terminal is no place for it either: whoever holds its descriptor can read what the user
 * types.
 */
static bool set_descriptors(const struct worker_child *child, int *failure)
{
    int null, channel, program, report;
    if (!lift(child->null, &null) || !lift(child->channel, &channel) ||
        !lift(child->program, &program) || !lift(child->failure, &report)) {
        return false;
    }
    for (int fd = FD_CHANNEL; fd < FD_END; fd++) {
        (void)close(fd);
    }
    if (!place(report, FD_REPORT, child->token ? O_CLOEXEC : 0)) {
        return false;
    }
    *failure = FD_REPORT;
    return place(null, 0, 0) && place(null, 1, 0) && (isatty(2) == 0 || place(null, 2, 0)) &&
           place(channel, FD_CHANNEL, 0) && place(program, FD_PROGRAM, O_CLOEXEC) &&
           syscall(SYS_close_range, FD_END, ~0U, 0) == 0;
}

static bool set_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) {
        (void)sigaction(number, &action, NULL);
    }
    sigset_t none;
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static bool drop_capabilities(void)
{
    for (unsigned long cap = 0;; cap++) {
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0) {
            if (errno == EINVAL) {
                break; /* past the last that the kernel knows */
            }
            return false;
        }
    }
    /* Nor does a program that belongs to root, or root itself, bring any back. */
    return prctl(PR_SET_SECUREBITS,
                 SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                     SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                     SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
                 0, 0, 0) == 0 &&
           prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0;
}

/* Raw calls: glibc's would signal threads that exist in the parent only. */
static bool become_user(const struct worker_child *child)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return syscall(SYS_setgroups, child->n_groups, child->groups) == 0 &&
           syscall(SYS_setresgid, child->gid, child->gid, child->gid) == 0 &&
           syscall(SYS_setresuid, child->uid, child->uid, child->uid) == 0 &&
           syscall(SYS_capset, &header, none) == 0 && syscall(SYS_getuid) == (long)child->uid &&
           syscall(SYS_setresuid, 0, 0, 0) != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

/* After the change of user, which clears it. */
static bool tie_to_parent(const struct worker_child *child)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
        return false;
    }
    errno = ESRCH;
    return getppid() == child->parent;
}

static bool set_limits(void)
{
    static const struct {
        int resource;
        rlim_t limit;
    } limits[] = {
        {RLIMIT_CORE, 0}, /* it would hold keys */
        {RLIMIT_NOFILE, 64},
        /* Of all processes of its user together: several sessions, some threads each. */
        {RLIMIT_NPROC, 1024},
        {RLIMIT_MEMLOCK, 0},
        {RLIMIT_MSGQUEUE, 0},
#ifndef SANITIZED
        {RLIMIT_DATA, 256 << 20},
#endif
    };
    bool set = true;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct rlimit both = {limits[i].limit, limits[i].limit};
        set = set && setrlimit((__rlimit_resource_t)limits[i].resource, &both) == 0;
    }
    return set;
}

/*
 * Ctrl-C is for the one that ends us in order, and the terminal is nobody's to type into. But the
 * session stays: where the kernel groups tasks by session (autogroups, sched(7)), two threads that
 * mostly sleep are a group that gets next to nothing beside one that computes.
 */
static void leave_terminal(void)
{
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    (void)setpgid(0, 0);
    if (tty >= 0) {
        (void)ioctl(tty, TIOCNOTTY);
        close(tty);
    }
}

static void exec_tunnel(const struct worker_child *child)
{
    char name[] = "godwit-tunnel";
    char channel[] = "--channel-fd=3", report[] = "--report-fd=4";
    char *argv[] = {name, channel, report, NULL};
    syscall(SYS_execveat, FD_PROGRAM, "", argv, child->environment, AT_EMPTY_PATH);
}

static void exec_token(const struct worker_child *child)
{
    char name[] = "godwit-token";
    char *argv[] = {name, NULL};
    syscall(SYS_execveat, FD_PROGRAM, "", argv, child->environment, AT_EMPTY_PATH);
}

void worker_child_run(const struct worker_child *child)
{
    struct worker_child_failure failure = {.step = STEP_DESCRIPTORS};
    int report = child->failure;
    if (set_descriptors(child, &report)) {
        failure.step = !set_signals()          ? STEP_SIGNALS
                       : !set_limits()         ? STEP_LIMITS
                       : !drop_capabilities()  ? STEP_CAPABILITIES
                       : !become_user(child)   ? STEP_USER
                       : !tie_to_parent(child) ? STEP_PARENT
                                               : STEP_EXEC;
        if (failure.step == STEP_EXEC) {
            leave_terminal();
            (child->token ? exec_token : exec_tunnel)(child);
        }
    }
    failure.err = errno;
    ssize_t written = write(report, &failure, sizeof failure);
    _exit(written == (ssize_t)sizeof failure ? 126 : 127);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/confine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- rights ---- */

bool confine_rights(void)
{
    return getuid() != 0 && geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

/* ---- files ---- */

/* linux/landlock.h, of which Debian 12 has but the beginning: bits by number, size by version. */
struct landlock_ruleset {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* since version 4 */
    uint64_t scoped;             /* since version 6 */
};
struct landlock_port {
    uint64_t allowed_access;
    uint64_t port;
};
#define LANDLOCK_VERSION_FLAG 1U
#define LANDLOCK_PORT_RULE 2
#define LANDLOCK_BIND (UINT64_C(1) << 0)
#define LANDLOCK_CONNECT (UINT64_C(1) << 1)
#define LANDLOCK_EXECUTE (UINT64_C(1) << 0)
/* CHAR, SOCK, FIFO, BLOCK, SYM */
#define LANDLOCK_MAKE_SPECIAL                                                                      \
    (UINT64_C(1) << 6 | UINT64_C(1) << 9 | UINT64_C(1) << 10 | UINT64_C(1) << 11 |                 \
     UINT64_C(1) << 12)
#define LANDLOCK_READ_FILE (UINT64_C(1) << 2)
#define LANDLOCK_READ_DIR (UINT64_C(1) << 3)

static uint64_t bits(unsigned n)
{
    return (UINT64_C(1) << n) - 1;
}

static bool allow_ports(int ruleset, const uint16_t *ports, size_t n)
{
    bool allowed = true;

    for (size_t i = 0; i < n; i++) {
        const struct landlock_port rule = {.allowed_access = LANDLOCK_CONNECT, .port = ports[i]};

        allowed =
            allowed && syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_PORT_RULE, &rule, 0U) == 0;
    }
    return allowed;
}

bool confine_files(enum confine_files files, const uint16_t *ports, size_t n)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_VERSION_FLAG);
    struct landlock_ruleset ruleset = {
        .handled_access_fs = bits(version >= 5   ? 16 /* IOCTL_DEV */
                                  : version >= 3 ? 15 /* TRUNCATE */
                                  : version == 2 ? 14 /* REFER */
                                                 : 13),
        .handled_access_net =
            version >= 4 && files == CONFINE_NO_FILES ? LANDLOCK_BIND | LANDLOCK_CONNECT : 0,
        .scoped = version >= 6 ? bits(2) : 0, /* abstract sockets and signals */
    };
    size_t size = version >= 6   ? sizeof ruleset
                  : version >= 4 ? offsetof(struct landlock_ruleset, scoped)
                                 : offsetof(struct landlock_ruleset, handled_access_net);

    if (version < 1) {
        return errno == ENOSYS || errno == EOPNOTSUPP;
    }
    if (files == CONFINE_READ_FILES) {
        ruleset.handled_access_fs &= ~(LANDLOCK_READ_FILE | LANDLOCK_READ_DIR);
    }
    if (files == CONFINE_USE_FILES) {
        ruleset.handled_access_fs = LANDLOCK_EXECUTE | LANDLOCK_MAKE_SPECIAL;
    }
    long fd = syscall(SYS_landlock_create_ruleset, &ruleset, size, 0U);
    if (fd < 0) {
        return false;
    }
    bool restricted = (ruleset.handled_access_net == 0 || allow_ports((int)fd, ports, n)) &&
                      syscall(SYS_landlock_restrict_self, (int)fd, 0U) == 0;
    close((int)fd);
    return restricted;
}

/* ---- system calls ---- */

/* For the signal handler, which has no other way to it. */
static volatile sig_atomic_t report_fd = -1;

/* Writes the number before `end`; returns where it begins. */
static char *decimal(char *end, unsigned number)
{
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return end;
}

/* Whoever should hear it may be gone. */
static void tell(int fd, const void *octets, size_t len)
{
    ssize_t written = write(fd, octets, len);

    (void)written;
}

/* SECCOMP_RET_TRAP keeps the call from being made, as killing does, and lets us say which it was.
 */
static void on_violation(int number, siginfo_t *info, void *context)
{
    static const char text[] = "A system call that is not allowed here: ";
    struct confine_report report = {.kind = CONFINE_REPORT, .call = info->si_syscall};
    char line[sizeof text + 16] = "";
    char *end = line + sizeof line - 1;
    char *start = end;

    (void)number;
    (void)context;
    *end = '\n';
    start = decimal(end, (unsigned)report.call);
    start -= sizeof text - 1;
    memcpy(start, text, sizeof text - 1);
    tell(2, start, (size_t)(end + 1 - start));
    if (report_fd >= 0) {
        tell((int)report_fd, &report, sizeof report);
    }
    _exit(CONFINE_EXIT_CODE);
}

static uint32_t action_of(enum confine_action action, int err)
{
    switch (action) {
    case CONFINE_ALLOW:
    case CONFINE_ALLOW_SELF:
        return SCMP_ACT_ALLOW;
    case CONFINE_FAIL:
        return SCMP_ACT_ERRNO((uint32_t)err);
    case CONFINE_END:
        break;
    }
    return SCMP_ACT_TRAP;
}

static bool add(scmp_filter_ctx filter, const struct confine_rule *rule)
{
    struct scmp_arg_cmp check = {
        .arg = rule->argument,
        .op = SCMP_CMP_MASKED_EQ,
        .datum_a = rule->mask,
        .datum_b = rule->value,
    };
    unsigned checks = rule->mask != 0;

    if (rule->action == CONFINE_ALLOW_SELF) {
        check =
            (struct scmp_arg_cmp){.arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)getpid()};
        checks = 1;
    }
    /* A pseudo-number, below 0, is one that this architecture does not have. */
    return rule->call < 0 || seccomp_rule_add_array(filter, action_of(rule->action, rule->err),
                                                    rule->call, checks, &check) == 0;
}

bool confine_calls(const struct confine_rule *rules, size_t n, enum confine_action rest, int report)
{
    struct sigaction action = {.sa_sigaction = on_violation, .sa_flags = SA_SIGINFO};
    scmp_filter_ctx filter = seccomp_init(action_of(rest, 0));
    bool done = filter != NULL &&
                seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
                seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0;

    for (size_t i = 0; i < n && done; i++) {
        done = add(filter, &rules[i]);
    }
    if (done) {
        report_fd = report;
        sigfillset(&action.sa_mask);
        done = sigaction(SIGSYS, &action, NULL) == 0 && seccomp_load(filter) == 0;
    }
    seccomp_release(filter);
    return done;
}

bool confine_modules(enum confine_action reach)
{
#define REACH(name)                                                                                \
    {                                                                                              \
        .call = SCMP_SYS(name), .action = reach, .err = EPERM                                      \
    }
#define CHANGE(name)                                                                               \
    {                                                                                              \
        .call = SCMP_SYS(name), .action = CONFINE_END                                              \
    }
    const struct confine_rule rules[] = {
        REACH(execve),
        REACH(execveat),
        REACH(ptrace),
        REACH(process_vm_readv),
        REACH(process_vm_writev),
        REACH(kill),
        REACH(tkill),
        REACH(pidfd_open),
        REACH(pidfd_send_signal),
        REACH(keyctl),
        REACH(add_key),
        REACH(request_key),
        REACH(io_uring_setup),
        REACH(userfaultfd),
        REACH(perf_event_open),
        CHANGE(unshare),
        CHANGE(setns),
        CHANGE(mount),
        CHANGE(umount2),
        CHANGE(pivot_root),
        CHANGE(chroot),
        CHANGE(bpf),
        CHANGE(init_module),
        CHANGE(finit_module),
        CHANGE(kexec_load),
        CHANGE(open_by_handle_at),
    };
#undef CHANGE
#undef REACH

    return confine_calls(rules, sizeof rules / sizeof rules[0], CONFINE_ALLOW, -1);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "tunnel/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "common/confine.h"
#include "tunnel/reachability.h"

#define ALLOW(name)                                                                                \
    {                                                                                              \
        .call = SCMP_SYS(name), .action = CONFINE_ALLOW                                            \
    }
/* Libraries try it, and do without: a catalogue of texts, a time zone, the width of a terminal. */
#define FAIL(name, error)                                                                          \
    {                                                                                              \
        .call = SCMP_SYS(name), .action = CONFINE_FAIL, .err = (error)                             \
    }
/* Where all bits of `value` are as in the argument, among those of `mask`. */
#define ALLOW_IF(name, number, bits, is)                                                           \
    {                                                                                              \
        .call = SCMP_SYS(name), .action = CONFINE_ALLOW, .argument = (number), .mask = (bits),     \
        .value = (is)                                                                              \
    }
#define WHOLE UINT32_MAX

static const struct confine_rule rules[] = {
    /* What it has open. No socket is made but pairs: there is nobody that these could be connected
     * to. Of the sockets that it was given, connect() asks for routes and for hosts. */
    ALLOW(read),
    ALLOW(readv),
    ALLOW(recvfrom),
    ALLOW(recvmsg),
    ALLOW(recvmmsg),
    ALLOW(write),
    ALLOW(writev),
    ALLOW(sendto),
    ALLOW(sendmsg),
    ALLOW(sendmmsg),
    ALLOW(close),
    ALLOW(poll),
    ALLOW(ppoll),
    ALLOW(connect),
    ALLOW(getsockname),
    ALLOW(getpeername),
    ALLOW(getsockopt),
    ALLOW(setsockopt),
    ALLOW(shutdown),
    ALLOW(eventfd2),
    ALLOW_IF(socketpair, 0, WHOLE, AF_UNIX),
    ALLOW_IF(fcntl, 1, WHOLE, F_GETFL),
    ALLOW_IF(fcntl, 1, WHOLE, F_SETFL),
    ALLOW_IF(fcntl, 1, WHOLE, F_GETFD),
    ALLOW_IF(fcntl, 1, WHOLE, F_SETFD),
    ALLOW_IF(ioctl, 1, WHOLE, TUNSETOFFLOAD),
    {.call = SCMP_SYS(ioctl),
     .action = CONFINE_FAIL,
     .err = ENOTTY,
     .argument = 1,
     .mask = WHOLE,
     .value = TCGETS},

    /* Memory, none of which becomes code. */
    ALLOW(brk),
    ALLOW(munmap),
    ALLOW(mremap),
    ALLOW(madvise),
    ALLOW_IF(mmap, 2, PROT_EXEC, 0),
    ALLOW_IF(mprotect, 2, PROT_EXEC, 0),

    /* Threads of this process, no other process. clone3() has its flags where no filter can see
     * them; the C library then takes clone(). */
    ALLOW_IF(clone, 0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM),
    FAIL(clone3, ENOSYS),
    ALLOW(set_robust_list),
    ALLOW(rseq),
    ALLOW(futex),
    ALLOW(sched_yield),
    ALLOW(sched_getaffinity),
    ALLOW(rt_sigprocmask),
    ALLOW(rt_sigreturn),
    ALLOW(restart_syscall),
    ALLOW_IF(prctl, 0, WHOLE, PR_SET_NAME),
    ALLOW_IF(rt_sigaction, 0, WHOLE, SIGABRT),
    /* The C library's own: cancellation, and a change of user in all threads. */
    ALLOW_IF(rt_sigaction, 0, WHOLE, 32),
    ALLOW_IF(rt_sigaction, 0, WHOLE, 33),
    ALLOW(exit),
    ALLOW(exit_group),
    /* abort() */
    ALLOW(getpid),
    ALLOW(gettid),
    {.call = SCMP_SYS(tgkill), .action = CONFINE_ALLOW_SELF},

    /* Time, randomness, who we are. */
    ALLOW(clock_gettime),
    ALLOW(clock_getres),
    ALLOW(clock_nanosleep),
    ALLOW(gettimeofday),
    ALLOW(getrandom),
    ALLOW(getuid),
    ALLOW(geteuid),
    ALLOW(getgid),
    ALLOW(getegid),
    ALLOW(sysinfo),
    ALLOW(uname),

#ifdef SANITIZED
    /* Sanitizers read /proc at any time, and look for leaks from a thread that traces the others.
     */
    ALLOW(open),
    ALLOW(openat),
    ALLOW(readlink),
    ALLOW(readlinkat),
    ALLOW(access),
    ALLOW(faccessat),
    ALLOW(stat),
    ALLOW(fstat),
    ALLOW(newfstatat),
    ALLOW(statx),
    ALLOW(getdents64),
    ALLOW(lseek),
    ALLOW(clone),
    ALLOW(ptrace),
    ALLOW(wait4),
    ALLOW(prctl),
    ALLOW(rt_sigaction),
    ALLOW(sigaltstack),
    ALLOW(prlimit64),
    ALLOW(getrlimit),
    ALLOW(setrlimit),
    ALLOW(getppid),
    ALLOW(arch_prctl),
    ALLOW(kill),
    ALLOW(tkill),
    ALLOW(mmap),
    ALLOW(mprotect),
    ALLOW(pipe2),
    ALLOW(pipe),
    ALLOW(ioctl),
    ALLOW(dup),
    ALLOW(mincore),
    ALLOW(fcntl),
    ALLOW(mkdir),
    ALLOW(ftruncate),
    ALLOW(unlink),
    ALLOW(personality),
    ALLOW(rt_sigtimedwait),
    ALLOW(process_vm_readv),
#else
    FAIL(open, EACCES),
    FAIL(openat, EACCES),
    FAIL(openat2, EACCES),
    FAIL(access, EACCES),
    FAIL(faccessat, EACCES),
    FAIL(faccessat2, EACCES),
    FAIL(stat, EACCES),
    FAIL(lstat, EACCES),
    FAIL(fstat, EACCES),
    FAIL(newfstatat, EACCES),
    FAIL(statx, EACCES),
    FAIL(readlink, EACCES),
    FAIL(readlinkat, EACCES),
    FAIL(prlimit64, EPERM),
    FAIL(getrlimit, EPERM),
#endif
};

gboolean cage_enter(int report)
{
    static const uint16_t ports[] = REACHABILITY_PORTS;
#ifdef SANITIZED
    const enum confine_files files = CONFINE_READ_FILES;
#else
    const enum confine_files files = CONFINE_NO_FILES;
#endif

    return confine_files(files, ports, G_N_ELEMENTS(ports)) &&
           confine_calls(rules, G_N_ELEMENTS(rules), CONFINE_END, report);
}

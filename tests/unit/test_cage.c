/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/confine.h"
#include "tunnel/cage.h"
#include "unit/vectors.h"

/* What the worker can and cannot do once it reads what strangers send, tried from inside it. */

#ifdef SANITIZED
#define IN_SANITIZED true
#else
#define IN_SANITIZED false
#endif

/* Stands for what is known only when the test runs. */
#define PARENT 0x7001
#define SOCKET 0x7002
#define PAGE 0x7003

#define AT(x) ((long)(uintptr_t)(x))
static struct iovec nowhere;
static const struct deed {
    const char *what;
    long call, arguments[6];
    int fails;      /* with this; 0 = it is the end */
    bool sanitizer; /* the runtime of sanitizers needs it: not tried there */
} deeds[] = {
    {"read a file", SYS_openat, {AT_FDCWD, AT("/etc/passwd"), O_RDONLY}, EACCES, true},
    {"make a file", SYS_openat, {AT_FDCWD, AT("/tmp/x"), O_CREAT | O_RDWR, 0600}, EACCES, true},
    {"see processes", SYS_openat, {AT_FDCWD, AT("/proc"), O_RDONLY | O_DIRECTORY}, EACCES, true},
    {"remove a file", SYS_unlinkat, {AT_FDCWD, AT("/tmp/x"), 0}, 0, false},
    {"make a folder", SYS_mkdirat, {AT_FDCWD, AT("/tmp/x"), 0700}, 0, false},
    {"link a file", SYS_linkat, {AT_FDCWD, AT("/etc/passwd"), AT_FDCWD, AT("/tmp/x"), 0}, 0, false},
    {"change a mode", SYS_fchmodat, {AT_FDCWD, AT("/tmp"), 0777}, 0, false},
    {"make an anonymous file", SYS_memfd_create, {AT("x"), 0}, 0, false},

    {"use TCP", SYS_socket, {AF_INET, SOCK_STREAM, 0}, 0, false},
    {"use UDP unmarked", SYS_socket, {AF_INET6, SOCK_DGRAM, 0}, 0, false},
    {"reach services", SYS_socket, {AF_UNIX, SOCK_STREAM, 0}, 0, false},
    {"configure the host", SYS_socket, {AF_NETLINK, SOCK_RAW, 0}, 0, false},
    {"see the wire", SYS_socket, {AF_PACKET, SOCK_RAW, 0}, 0, false},
    {"reach more of the kernel", SYS_socket, {AF_ALG, SOCK_SEQPACKET, 0}, 0, false},
    {"make an odd pair", SYS_socketpair, {AF_TIPC, SOCK_STREAM, 0, AT(&nowhere)}, 0, false},
    {"take another address", SYS_bind, {SOCKET, AT(&nowhere), 0}, 0, false},
    {"wait for callers", SYS_listen, {SOCKET, 1}, 0, false},
    {"make another TUN", SYS_ioctl, {SOCKET, TUNSETIFF, AT(&nowhere)}, 0, true},
    {"have signals sent", SYS_fcntl, {SOCKET, F_SETOWN, PARENT}, 0, true},

    {"start a program", SYS_execve, {AT("/bin/true"), 0, 0}, 0, false},
    {"start an open one", SYS_execveat, {SOCKET, AT(""), 0, 0, AT_EMPTY_PATH}, 0, false},
    {"fork", SYS_clone, {SIGCHLD}, 0, true},
    {"fork out of sight", SYS_clone3, {AT(&nowhere), 0}, ENOSYS, false},
    {"trace", SYS_ptrace, {PTRACE_ATTACH, PARENT}, 0, true},
    {"read memory", SYS_process_vm_readv, {PARENT, AT(&nowhere), 1, AT(&nowhere), 1}, 0, true},
    {"write memory", SYS_process_vm_writev, {PARENT, AT(&nowhere), 1, AT(&nowhere), 1}, 0, false},
    {"end another", SYS_kill, {PARENT, SIGKILL}, 0, true},
    {"end its thread", SYS_tgkill, {PARENT, PARENT, SIGKILL}, 0, false},
    {"hold another", SYS_pidfd_open, {PARENT, 0}, 0, false},
    {"run made code",
     SYS_mmap,
     {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1},
     0,
     true},
    {"make code of data", SYS_mprotect, {PAGE, 4096, PROT_READ | PROT_EXEC}, 0, true},

    {"be root", SYS_setresuid, {0, 0, 0}, 0, false},
    {"be in its group", SYS_setresgid, {0, 0, 0}, 0, false},
    {"have capabilities", SYS_capset, {AT(&nowhere), AT(&nowhere)}, 0, false},
    {"be traceable", SYS_prctl, {PR_SET_DUMPABLE, 1}, 0, true},
    {"be root elsewhere", SYS_unshare, {CLONE_NEWUSER}, 0, false},
    {"go elsewhere", SYS_setns, {SOCKET, 0}, 0, false},
    {"mount", SYS_mount, {AT("none"), AT("/tmp"), AT("tmpfs"), 0, 0}, 0, false},
    {"have another root", SYS_chroot, {AT("/tmp")}, 0, false},
    {"have another filter", SYS_seccomp, {1, 0, AT(&nowhere)}, 0, false},
    {"program the kernel", SYS_bpf, {0, AT(&nowhere), 0}, 0, false},
    {"measure the kernel", SYS_perf_event_open, {AT(&nowhere), 0, -1, -1, 0}, 0, false},
    {"stop the kernel", SYS_userfaultfd, {0}, 0, false},
    {"ask in rings", SYS_io_uring_setup, {1, AT(&nowhere)}, 0, false},
    {"have keys", SYS_keyctl, {0, 0}, 0, false},
};

/* Runs in a process of its own, caged; its wait status. */
static int caged(void (*run)(const void *), const void *argument, struct confine_report *report)
{
    int ends[2], status = 0;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !cage_enter(ends[1])) {
            _exit(99);
        }
        run(argument);
        _exit(0);
    }
    close(ends[1]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    *report = (struct confine_report){0};
    if (read(ends[0], report, sizeof *report) != sizeof *report) {
        report->kind = 0;
    }
    close(ends[0]);
    return status;
}

/* Known before, as the question may not be asked inside. */
static struct {
    long parent, socket, page;
} known;

static long value_of(long argument)
{
    return argument == PARENT   ? known.parent
           : argument == SOCKET ? known.socket
           : argument == PAGE   ? known.page
                                : argument;
}

static void do_it(const void *argument)
{
    const struct deed *deed = argument;
    const long *a = deed->arguments;
    long result = syscall(deed->call, value_of(a[0]), value_of(a[1]), a[2], a[3], a[4], a[5]);
    _exit(result < 0 ? errno : 0);
}

START_TEST(cannot)
{
    const struct deed *deed = &deeds[_i];
    struct confine_report report;
    if (deed->sanitizer && IN_SANITIZED) {
        return;
    }
    known.parent = getpid();
    known.socket = socket(AF_INET, SOCK_DGRAM, 0);
    known.page = AT(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    int status = caged(do_it, deed, &report);
    ck_assert_msg(WIFEXITED(status), "%s: wait status %d", deed->what, status);
    ck_assert_msg(WEXITSTATUS(status) == (deed->fails != 0 ? deed->fails : CONFINE_EXIT_CODE),
                  "%s: exit code %d", deed->what, WEXITSTATUS(status));
    if (deed->fails == 0) {
        ck_assert_uint_eq(report.kind, CONFINE_REPORT);
        ck_assert_int_eq(report.call, (int)deed->call);
    }
    close((int)known.socket);
    munmap((void *)(uintptr_t)known.page, 4096);
}
END_TEST

/* ---- what is left ---- */

static void must(bool fine, int which)
{
    if (!fine) {
        _exit(which);
    }
}

static void *in_thread(void *argument)
{
    pthread_setname_np(pthread_self(), "esp-in");
    *(void **)argument = malloc(1 << 20);
    return argument;
}

static void work(const void *argument)
{
    const int *udp = argument;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof to;
    void *made = NULL, *result;
    pthread_t thread;
    char octets[16];
    int pair[2];

    must(pthread_create(&thread, NULL, in_thread, &made) == 0, 1);
    must(pthread_join(thread, &result) == 0 && result == &made && made != NULL, 2);
    free(made);
    must(getsockname(*udp, (struct sockaddr *)&to, &len) == 0, 3);
    must(connect(*udp, (struct sockaddr *)&to, len) == 0, 4);
    must(send(*udp, "hello", 5, 0) == 5 && recv(*udp, octets, sizeof octets, 0) == 5, 5);
    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0, 6);
    must(eventfd(0, EFD_CLOEXEC) >= 0, 7);
    must(getrandom(octets, sizeof octets, 0) == sizeof octets, 8);
    must(fcntl(*udp, F_SETFL, fcntl(*udp, F_GETFL) | O_NONBLOCK) == 0, 9);
    g_message("a word on standard error is possible, with or without a terminal");
    must(strlen(strerror(ENOENT)) > 0, 10);
}

START_TEST(can_work)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct confine_report report;
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(udp, (struct sockaddr *)&any, sizeof any), 0);
    int status = caged(work, &udp, &report);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d, call %d", status,
                  report.call);
    close(udp);
}
END_TEST

static void give_up(const void *argument)
{
    (void)argument;
    signal(SIGABRT, SIG_DFL);
    abort();
}

START_TEST(can_abort)
{
    struct confine_report report;
    int status = caged(give_up, NULL, &report);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "status %d", status);
}
END_TEST

/* ---- files alone, without the filter of system calls ---- */

static void try_files(enum confine_files files, int code_to_read, int code_to_write)
{
    static const uint16_t ports[] = {443};

    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && confine_files(files, ports, 1), 90);
    must((open("/etc/passwd", O_RDONLY) >= 0 ? 0 : errno) == code_to_read, 91);
    must((open("/tmp", O_TMPFILE | O_RDWR, 0600) >= 0 ? 0 : errno) == code_to_write, 92);
    must(mkdir("/tmp/never-made", 0700) < 0 && errno == EACCES, 93);
    execl("/bin/true", "true", NULL);
    _exit(errno == EACCES ? 0 : 94);
}

/* errno of connecting to that port of this host. */
static int knock(int tcp, uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};

    return connect(tcp, (const struct sockaddr *)&to, sizeof to) == 0 ? 0 : errno;
}

START_TEST(ports_alone)
{
    static const uint16_t ports[] = {443};
    int status = 0;

    if (syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1U) < 4) {
        return;
    }
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        int tcp = socket(AF_INET, SOCK_STREAM, 0), other = socket(AF_INET, SOCK_STREAM, 0);
        must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, 90);
        must(confine_files(CONFINE_NO_FILES, ports, 1), 91);
        must(knock(other, 444) == EACCES, 92);
        must(knock(tcp, 443) != EACCES, 93);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
}
END_TEST

START_TEST(files_alone)
{
    int status = 0;
    /* 1 = which version */
    if (syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1U) < 1) {
        return;
    }
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        try_files(_i == 0 ? CONFINE_NO_FILES : CONFINE_READ_FILES, _i == 0 ? EACCES : 0, EACCES);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cage");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, cannot, 0, G_N_ELEMENTS(deeds));
    tcase_add_test(all, can_work);
    tcase_add_test(all, can_abort);
    tcase_add_loop_test(all, files_alone, 0, 2);
    tcase_add_test(all, ports_alone);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}

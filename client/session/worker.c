/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "session/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/i18n.h"
#include "session/worker_child.h"

struct worker {
    const char *name;
    pid_t pid; /* 0 once reaped */
    int failure_fd;
    int channel_fd; /* -1 once it is in use */
    GSource *watch;
    worker_ended_cb ended;
    void *context;
};

G_DEFINE_QUARK(godwit - worker - error - quark, worker_error)

static gboolean begins_as_one(const char *entry, const char *const *names)
{
    while (*names && !g_str_has_prefix(entry, *names)) {
        names++;
    }
    return *names != NULL;
}

/* Of ours what sanitizers and gcov need, and the language when none is told. To be freed. */
static char **child_environment(const char *language)
{
    static const char *const tools[] = {"ASAN_OPTIONS=", "LSAN_OPTIONS=",      "UBSAN_OPTIONS=",
                                        "GCOV_PREFIX=",  "GCOV_PREFIX_STRIP=", NULL};
    static const char *const languages[] = {"LANG=", "LANGUAGE=", "LC_", NULL};
    GPtrArray *out = g_ptr_array_new();
    for (char **entry = environ; *entry; entry++) {
        if (begins_as_one(*entry, tools) || (!language && begins_as_one(*entry, languages))) {
            g_ptr_array_add(out, g_strdup(*entry));
        }
    }
    if (language) {
        g_ptr_array_add(out, g_strconcat("LC_MESSAGES=", language, NULL));
        g_ptr_array_add(out, g_strdup("LC_CTYPE=C.UTF-8")); /* the bus takes nothing else */
    }
    g_ptr_array_add(out, NULL);
    return (char **)g_ptr_array_free(out, FALSE);
}

static const struct program {
    const char *name, *path, *variable;
    int channel; /* type of its socket */
} programs[] = {
    [WORKER_TUNNEL] = {"godwit-tunnel", LIBEXECDIR "/godwit-tunnel", "GODWIT_TUNNEL", SOCK_STREAM},
    [WORKER_TOKEN] = {"godwit-token", LIBEXECDIR "/godwit-token", "GODWIT_TOKEN", SOCK_SEQPACKET},
};

static int open_program(const struct program *program, GError **error)
{
    const char *path = getauxval(AT_SECURE) == 0 ? g_getenv(program->variable) : NULL;
    path = path ? path : program->path;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        int err = errno;
        g_set_error(error, WORKER_ERROR, WORKER_ERROR_START, _("%s cannot be started: %s."), path,
                    g_strerror(err));
    }
    return fd;
}

static gboolean find_user(struct worker_child *child, GError **error)
{
    errno = 0;
    const struct passwd *user = getpwnam(WORKER_USER);
    if (!user || user->pw_uid == 0) {
        g_set_error(error, WORKER_ERROR, WORKER_ERROR_START,
                    _("There is no system user %s, as which the tunnel process runs. Create it: "
                      "useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin %s"),
                    WORKER_USER, WORKER_USER);
        return FALSE;
    }
    child->uid = user->pw_uid;
    child->gid = user->pw_gid;
    if (child->token) {
        int n = WORKER_GROUPS_MAX;
        child->n_groups =
            getgrouplist(WORKER_USER, user->pw_gid, child->groups, &n) > 0 ? (size_t)n : 0;
    }
    return TRUE;
}

static char *forbidden_call(int call)
{
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
    char *how = g_strdup_printf(_("godwit-tunnel was ended: it must not make the system call %s."),
                                name ? name : "?");
    free(name);
    return how;
}

/* What the child told before it could become godwit-tunnel, or of its end; NULL when it told
 * nothing. */
static char *start_failure(const struct worker *worker)
{
    struct worker_child_failure failure;
    if (read(worker->failure_fd, &failure, sizeof failure) != (ssize_t)sizeof failure) {
        return NULL;
    }
    if (failure.step == STEP_RUN) {
        return forbidden_call(failure.err);
    }
    return g_strdup_printf(_("%s cannot be started: %s: %s."), worker->name,
                           worker_child_step_name(failure.step), g_strerror(failure.err));
}

static void on_exit_status(GPid pid, gint status, gpointer data)
{
    struct worker *worker = data;
    g_autofree char *how = start_failure(worker);
    int real;
    /* A traced process is our child to wait for only once its tracer has let go of it, moments
     * after GLib calls (GLib 2.74 does not look, and says 0). ECHILD: GLib has reaped it. */
    pid_t reaped;
    while ((reaped = waitpid(pid, &real, 0)) < 0 && errno == EINTR) {
    }
    status = reaped == pid ? real : status;
    worker->pid = 0;
    if (!how && WIFSIGNALED(status)) {
        how = g_strdup_printf(_("%s was ended by signal %d (%s)."), worker->name, WTERMSIG(status),
                              g_strsignal(WTERMSIG(status)));
    } else if (!how) {
        how = g_strdup_printf(_("%s ended with exit code %d."), worker->name, WEXITSTATUS(status));
    }
    worker->ended(worker->context, how);
}

static void watch_child(struct worker *worker)
{
    worker->watch = g_child_watch_source_new(worker->pid);
    g_source_set_callback(worker->watch, G_SOURCE_FUNC(on_exit_status), worker, NULL);
    g_source_attach(worker->watch, g_main_context_get_thread_default());
}

/* Forks; 0 and errno on failure. Signals stay blocked in the child until it has its own
 * dispositions. */
static pid_t fork_child(const struct worker_child *child)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        worker_child_run(child);
    }
    int err = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = err;
    return pid;
}

struct worker *worker_start(enum worker_program which, const char *language, GError **error)
{
    const struct program *program = &programs[which];
    struct worker_child child = {.parent = getpid(), .program = -1, .token = which == WORKER_TOKEN};
    int sockets[2] = {-1, -1}, failure[2] = {-1, -1}, null = -1;
    struct worker *worker = NULL;
    if (!find_user(&child, error) || (child.program = open_program(program, error)) < 0) {
        goto out;
    }
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || socketpair(AF_UNIX, program->channel | SOCK_CLOEXEC, 0, sockets) != 0 ||
        pipe2(failure, O_CLOEXEC | O_NONBLOCK) != 0) {
        goto fail;
    }
    child.null = null;
    child.channel = sockets[1];
    child.failure = failure[1];
    child.environment = child_environment(language);
    pid_t pid = fork_child(&child);
    int err = errno;
    g_strfreev(child.environment);
    errno = err;
    if (pid < 0) {
        goto fail;
    }
    worker = g_new0(struct worker, 1);
    worker->name = program->name;
    worker->pid = pid;
    worker->failure_fd = g_steal_fd(&failure[0]);
    worker->channel_fd = g_steal_fd(&sockets[0]);
    goto out;
fail:
    g_set_error(error, WORKER_ERROR, WORKER_ERROR_START, _("%s cannot be started: %s."),
                program->name, g_strerror(errno));
out:
    for (size_t i = 0; i < 2; i++) {
        if (sockets[i] >= 0) {
            close(sockets[i]);
        }
        if (failure[i] >= 0) {
            close(failure[i]);
        }
    }
    if (null >= 0) {
        close(null);
    }
    if (child.program >= 0) {
        close(child.program);
    }
    return worker;
}

int worker_use(struct worker *worker, worker_ended_cb ended, void *context)
{
    worker->ended = ended;
    worker->context = context;
    watch_child(worker);
    return g_steal_fd(&worker->channel_fd);
}

gboolean worker_running(const struct worker *worker)
{
    return worker && worker->pid > 0;
}

gboolean worker_waits(const struct worker *worker)
{
    siginfo_t ended = {0};
    return waitid(P_PID, (id_t)worker->pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid == 0;
}

void worker_kill(struct worker *worker)
{
    if (worker_running(worker)) {
        kill(worker->pid, SIGKILL);
    }
}

void worker_free(struct worker *worker)
{
    if (!worker) {
        return;
    }
    if (worker->watch) {
        g_source_destroy(worker->watch);
        g_source_unref(worker->watch);
    }
    if (worker_running(worker)) {
        worker_kill(worker);
        while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    if (worker->channel_fd >= 0) {
        close(worker->channel_fd);
    }
    close(worker->failure_fd);
    g_free(worker);
}

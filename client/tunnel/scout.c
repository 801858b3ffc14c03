/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "tunnel/scout.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/confine.h"

/* ---- name service ---- */

static void take(struct scout_answer *answer, const struct addrinfo *list)
{
    for (; list != NULL && answer->n < SCOUT_FOUND_MAX; list = list->ai_next) {
        struct endpoint endpoint;

        if (endpoint_from_sockaddr(&endpoint, list->ai_addr)) {
            answer->found[answer->n++] = endpoint.addr;
        }
    }
}

static void look_up(const char *name, struct scout_answer *answer)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    char *ascii = g_hostname_to_ascii(name);
    int failed = ascii == NULL ? EAI_NONAME : getaddrinfo(ascii, NULL, &hints, &list);

    if (failed == 0) {
        take(answer, list);
        freeaddrinfo(list);
    }
    if (answer->n == 0) {
        g_snprintf(answer->error, sizeof answer->error, "%s: %s.", name,
                   failed == EAI_SYSTEM ? g_strerror(errno)
                   : failed != 0        ? gai_strerror(failed)
                                        : gai_strerror(EAI_NONAME));
    }
    g_free(ascii);
}

/* ---- the process ---- */

static gboolean tie_to(pid_t parent)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent;
}

static void answer(const struct scout_question *question, int fd)
{
    struct scout_answer out = {0};

    look_up(question->name, &out);
    (void)send(fd, &out, sizeof out, MSG_NOSIGNAL);
}

/* A question and the descriptor to answer it on; FALSE when nobody asks any more. */
static gboolean hear(int fd, struct scout_question *question, int *reply)
{
    struct iovec part = {question, sizeof *question};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof *reply)];
    } control = {0};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    *reply = -1;
    if (n == (ssize_t)sizeof *question && header != NULL && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof *reply)) {
        memcpy(reply, CMSG_DATA(header), sizeof *reply);
        question->name[sizeof question->name - 1] = '\0';
    }
    return n > 0 || (n < 0 && errno == EINTR);
}

static gboolean confine(void)
{
    return confine_files(CONFINE_READ_FILES, NULL, 0) && confine_modules(CONFINE_END);
}

static void serve(int fd)
{
    struct scout_question question = {0};
    pid_t self = getpid();
    int reply;

    while (hear(fd, &question, &reply)) {
        if (reply >= 0 && fork() == 0) {
            close(fd);
            if (tie_to(self)) {
                answer(&question, reply);
            }
            _exit(0);
        }
        if (reply >= 0) {
            close(reply);
        }
    }
}

int scout_start(void)
{
    pid_t worker = getpid();
    char name[16] = ""; /* prctl(2) */
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return -1;
    }
    /* From its first moment on it is called what it is. */
    prctl(PR_GET_NAME, name, 0, 0, 0);
    prctl(PR_SET_NAME, "godwit-scout", 0, 0, 0);
    pid_t pid = fork();
    if (pid == 0) {
        /* Of everything that the worker has, only its standard error. */
        if (dup2(pair[1], 3) == 3 && close_range(4, ~0U, 0) == 0 && tie_to(worker)) {
            signal(SIGCHLD, SIG_IGN);
            if (confine()) {
                serve(3);
            }
        }
        _exit(0);
    }
    prctl(PR_SET_NAME, name, 0, 0, 0);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
    }
    return pid < 0 ? -1 : pair[0];
}

/* ---- the worker's side ---- */

int scout_ask(int scout, const struct scout_question *question)
{
    struct iovec part = {(void *)question, sizeof *question};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.header = {
                     .cmsg_level = SOL_SOCKET,
                     .cmsg_type = SCM_RIGHTS,
                     .cmsg_len = CMSG_LEN(sizeof(int)),
                 }};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        return -1;
    }
    memcpy(CMSG_DATA(&control.header), &pair[1], sizeof pair[1]);
    if (sendmsg(scout, &message, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof *question) {
        close(pair[0]);
        pair[0] = -1;
    }
    close(pair[1]);
    return pair[0];
}

gboolean scout_answer_read(int fd, struct scout_answer *out)
{
    gboolean sound = recv(fd, out, sizeof *out, MSG_DONTWAIT) == (ssize_t)sizeof *out &&
                     out->n <= SCOUT_FOUND_MAX;

    for (gsize i = 0; sound && i < out->n; i++) {
        enum family family = out->found[i].family;

        sound = family == FAMILY_IPV4 || family == FAMILY_IPV6;
    }
    if (sound) {
        out->error[sizeof out->error - 1] = '\0';
    }
    return sound;
}

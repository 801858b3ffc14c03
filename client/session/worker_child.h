/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_SESSION_WORKER_CHILD_H
#define GODWIT_SESSION_WORKER_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/confine.h"

/*
 * What happens between fork() and exec(): system calls only, because the parent has threads
 * (signal-safety(7)).
 */
#define WORKER_GROUPS_MAX 32

struct worker_child {
    pid_t parent;
    bool token; /* it becomes godwit-token */
    uid_t uid;
    gid_t gid;
    gid_t groups[WORKER_GROUPS_MAX]; /* beside it */
    size_t n_groups;
    int program; /* O_PATH: reachable although its folders may not be for `uid` */
    int null, channel, failure;
    char **environment;
};

enum worker_child_step {
    STEP_DESCRIPTORS,
    STEP_SIGNALS,
    STEP_LIMITS,
    STEP_CAPABILITIES,
    STEP_USER,
    STEP_PARENT,
    STEP_EXEC,
    STEP_RUN =
        CONFINE_REPORT, /* it is godwit-tunnel; `err` is a system call: struct confine_report */
};

struct worker_child_failure { /* written to `failure` */
    enum worker_child_step step;
    int err;
};

/* Becomes godwit-tunnel or godwit-token, or reports why not and exits. */
void worker_child_run(const struct worker_child *child) __attribute__((noreturn));
/* For messages, such as "execveat". Never NULL. */
const char *worker_child_step_name(enum worker_child_step step);

#endif

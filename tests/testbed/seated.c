/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loaded before libsystemd into polkitd: a process belongs to the session that its user has
 * according to /run/systemd/users. logind tells by the control group, and a sandbox that must leave
 * nothing behind makes none. Whether that session is local and active is read from
 * /run/systemd/sessions by libsystemd itself.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

int sd_uid_get_display(uid_t uid, char **session); /* libsystemd's */
int sd_pid_get_session(pid_t pid, char **session);
int sd_pidfd_get_session(int pidfd, char **session);

int sd_pid_get_session(pid_t pid, char **session)
{
    char path[32];
    struct stat state;
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    return stat(path, &state) == 0 ? sd_uid_get_display(state.st_uid, session) : -ESRCH;
}

/* What polkitd of Debian 13 asks. */
int sd_pidfd_get_session(int pidfd, char **session)
{
    char path[48];
    int pid = -1;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    FILE *file = fopen(path, "re");
    for (char line[128]; file && fgets(line, sizeof line, file);) {
        sscanf(line, "Pid: %d", &pid);
    }
    if (file) {
        fclose(file);
    }
    return pid > 0 ? sd_pid_get_session(pid, session) : -ESRCH;
}

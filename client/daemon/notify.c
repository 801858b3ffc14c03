/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/notify.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify(const char *state)
{
    const char *path = g_getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;
    if (len < 2 || len >= sizeof to.sun_path || (*path != '/' && *path != '@')) {
        return;
    }
    memcpy(to.sun_path, path, len);
    if (*path == '@') {
        to.sun_path[0] = '\0'; /* an abstract name */
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to,
                         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0) {
        g_message("systemd cannot be told %s", state);
    }
    if (fd >= 0) {
        close(fd);
    }
}

guint notify_watchdog_seconds(void)
{
    const char *text = g_getenv("WATCHDOG_USEC"), *pid = g_getenv("WATCHDOG_PID");
    guint64 us = 0;
    if (!text || (pid && g_ascii_strtoull(pid, NULL, 10) != (guint64)getpid()) ||
        !g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT64, &us, NULL)) {
        return 0;
    }
    return (guint)MIN(MAX(us / G_USEC_PER_SEC, 1), G_MAXUINT);
}

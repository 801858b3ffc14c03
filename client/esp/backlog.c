/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/backlog.h"

bool backlog_stays(struct backlog *backlog, size_t waiting, size_t size, uint64_t now)
{
    size_t share = size / BACKLOG_SHARE;
    if (waiting <= (share > BACKLOG_MIN ? share : BACKLOG_MIN)) {
        backlog->next = 0;
        return false;
    }
    bool due = backlog->next != 0 && now >= backlog->next;
    if (due || backlog->next == 0) {
        backlog->next = now + BACKLOG_INTERVAL_US;
    }
    return due;
}

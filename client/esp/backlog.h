/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_BACKLOG_H
#define GODWIT_ESP_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Keeps what waits in a receive buffer short, so that a ping does not wait behind a download: a
 * backlog that stays is answered by one mark of congestion (RFC 3168) each interval, until it is
 * gone; a burst is none (controlled delay as in RFC 8289, by octets).
 */

/* Of the buffer's size: more is a backlog. UDP gives back late what has been read, until a quarter
 * is due: less than that may all have been read. */
#define BACKLOG_SHARE 4
#define BACKLOG_MIN (256 << 10) /* octets: never less */
#define BACKLOG_INTERVAL_US 10000

struct backlog {
    uint64_t next; /* when one more mark is due; 0 = nothing stays */
};

/* `waiting` of `size` octets are filled at time `now`. Whether the next packet is to be marked. */
bool backlog_stays(struct backlog *backlog, size_t waiting, size_t size, uint64_t now);

#endif

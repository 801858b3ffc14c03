/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_WRITER_H
#define GODWIT_ESP_WRITER_H

#include "esp/datapath_internal.h"

/* The second half of the way in: glue, and write to the TUN. */
struct writer {
    struct datapath *dp;
    bool delivered; /* something since the last writer_flush() */
    /* From its frames on nothing is cleared: pages that no packet needs are never made. */
    struct coalescer coalescer;
};

void writer_init(struct writer *w, struct datapath *dp);
/* Takes an inner packet, which stays where it is until writer_flush(); it may be changed. */
void writer_add(struct writer *w, uint8_t *packet, size_t len);
/* Writes what was taken, waiting while the TUN is full. */
void writer_flush(struct writer *w);

#endif

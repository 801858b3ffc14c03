/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_SA_TABLE_H
#define GODWIT_ESP_SA_TABLE_H

#include "esp/esp.h"
#include "esp/quiesce.h"
#include "esp/usage.h"

/*
 * Inbound SAs by SPI: open addressing, one writer (control), one reader (the inbound thread), no
 * lock. SPIs are our own random choice: nobody else can make them collide.
 */
struct sa_entry {
    struct retired retired;
    uint32_t spi;
    struct esp_in *sa;
    struct usage usage;
};

struct sa_slots {
    struct retired retired;
    size_t n;    /* a power of two */
    size_t used; /* live or removed */
    _Atomic(struct sa_entry *) slot[];
};

struct sa_table {
    _Atomic(struct sa_slots *) slots;
};

enum err sa_table_init(struct sa_table *table) ERR_CHECK;
/* Frees all SAs; the reader has ended. */
void sa_table_free(struct sa_table *table);
/* Takes `sa` over when it returns OK; ERR_STATE when the SPI is there already. `usage` is copied.
 */
enum err sa_table_add(struct sa_table *table, struct quiesce *q, uint32_t spi, struct esp_in *sa,
                      const struct usage *usage) ERR_CHECK;
void sa_table_remove(struct sa_table *table, struct quiesce *q, uint32_t spi);
/* Reader, between two quiesce_online: NULL when unknown. */
struct sa_entry *sa_table_find(const struct sa_table *table, uint32_t spi);
/* Control: the first from slot *at on; *at moves behind it. NULL at the end. */
struct sa_entry *sa_table_next(const struct sa_table *table, size_t *at);

#endif

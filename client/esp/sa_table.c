/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/sa_table.h"

#include <stdlib.h>

#define SLOTS_MIN 16

/* Stands where an entry was removed; SPI 0 is never looked up (it is the non-ESP marker). */
static const struct sa_entry removed;

static struct sa_entry *tombstone(void)
{
    return (struct sa_entry *)(uintptr_t)&removed;
}

static void release_entry(struct retired *object)
{
    struct sa_entry *entry = (struct sa_entry *)object;
    esp_in_free(entry->sa);
    free(entry);
}

static void release_slots(struct retired *object)
{
    free(object);
}

static struct sa_slots *slots_new(size_t n)
{
    struct sa_slots *slots = calloc(1, sizeof(*slots) + n * sizeof(slots->slot[0]));
    if (slots != NULL) {
        slots->retired.release = release_slots;
        slots->n = n;
        for (size_t i = 0; i < n; i++) {
            atomic_init(&slots->slot[i], NULL);
        }
    }
    return slots;
}

enum err sa_table_init(struct sa_table *table)
{
    struct sa_slots *slots = slots_new(SLOTS_MIN);
    atomic_init(&table->slots, slots);
    return slots != NULL ? OK : ERR_MEMORY;
}

void sa_table_free(struct sa_table *table)
{
    struct sa_slots *slots = atomic_load(&table->slots);
    for (size_t i = 0; slots != NULL && i < slots->n; i++) {
        struct sa_entry *entry = atomic_load(&slots->slot[i]);
        if (entry != NULL && entry != tombstone()) {
            release_entry(&entry->retired);
        }
    }
    free(slots);
}

/* Index of the SPI's slot, or of the empty one that ends its chain. At least one slot is always
 * empty. */
static size_t probe(const struct sa_slots *slots, uint32_t spi, struct sa_entry **entry)
{
    size_t at = (size_t)(spi * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (slots->n - 1);
    for (;;) {
        *entry = atomic_load(&slots->slot[at]);
        if (*entry == NULL || (*entry)->spi == spi) {
            return at;
        }
        at = (at + 1) & (slots->n - 1);
    }
}

/* A table without the removed ones and with room; the old one is retired. */
static struct sa_slots *rebuild(struct sa_table *table, struct quiesce *q, struct sa_slots *old)
{
    size_t live = 0;
    for (size_t i = 0; i < old->n; i++) {
        struct sa_entry *entry = atomic_load(&old->slot[i]);
        live += entry != NULL && entry != tombstone();
    }
    size_t n = SLOTS_MIN;
    while (n < (live + 1) * 4) {
        n *= 2;
    }
    struct sa_slots *slots = slots_new(n);
    if (slots == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < old->n; i++) {
        struct sa_entry *entry = atomic_load(&old->slot[i]);
        struct sa_entry *none;
        if (entry != NULL && entry != tombstone()) {
            atomic_store(&slots->slot[probe(slots, entry->spi, &none)], entry);
            slots->used++;
        }
    }
    atomic_store(&table->slots, slots);
    quiesce_retire(q, &old->retired);
    return slots;
}

enum err sa_table_add(struct sa_table *table, struct quiesce *q, uint32_t spi, struct esp_in *sa,
                      const struct usage *usage)
{
    struct sa_slots *slots = atomic_load(&table->slots);
    struct sa_entry *entry;
    if (spi == 0) {
        return ERR_STATE;
    }
    probe(slots, spi, &entry);
    if (entry != NULL) {
        return ERR_STATE;
    }
    if ((slots->used + 1) * 2 > slots->n) {
        slots = rebuild(table, q, slots);
        if (slots == NULL) {
            return ERR_MEMORY;
        }
    }
    entry = calloc(1, sizeof(*entry));
    if (entry == NULL) {
        return ERR_MEMORY;
    }
    entry->retired.release = release_entry;
    entry->spi = spi;
    entry->sa = sa;
    entry->usage = *usage;
    struct sa_entry *none;
    atomic_store(&slots->slot[probe(slots, spi, &none)], entry);
    slots->used++;
    return OK;
}

void sa_table_remove(struct sa_table *table, struct quiesce *q, uint32_t spi)
{
    struct sa_slots *slots = atomic_load(&table->slots);
    struct sa_entry *entry;
    size_t at = spi == 0 ? 0 : probe(slots, spi, &entry);
    if (spi == 0 || entry == NULL) {
        return;
    }
    atomic_store(&slots->slot[at], tombstone());
    quiesce_retire(q, &entry->retired);
}

struct sa_entry *sa_table_find(const struct sa_table *table, uint32_t spi)
{
    struct sa_entry *entry;
    if (spi == 0) {
        return NULL;
    }
    probe(atomic_load(&table->slots), spi, &entry);
    return entry;
}

struct sa_entry *sa_table_next(const struct sa_table *table, size_t *at)
{
    const struct sa_slots *slots = atomic_load(&table->slots);
    while (*at < slots->n) {
        struct sa_entry *entry = atomic_load(&slots->slot[(*at)++]);
        if (entry != NULL && entry != tombstone()) {
            return entry;
        }
    }
    return NULL;
}

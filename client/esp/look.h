/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_LOOK_H
#define GODWIT_ESP_LOOK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A processor that sleeps takes longer to wake than a near host to answer. So a thread looks on for
 * a moment before it sleeps, where so many waits in a row were short. One look in vain after
 * another, say as who would answer waits for this very processor, makes the next one twice as rare.
 */
#define LOOK_US 80
#define LOOK_SOON_US 150 /* a wait that a look might have shortened */
#define LOOK_ENOUGH 4    /* such waits in a row; after many looks in vain: */
#define LOOK_RAREST 256

struct look {
    unsigned soon;   /* waits in a row that were short */
    unsigned enough; /* of them for a look */
};

enum look_result { LOOK_NOT, LOOK_FOUND, LOOK_IN_VAIN };

void look_init(struct look *look);
bool look_worth(const struct look *look);
/* A wait is over; it has taken so many microseconds altogether. */
void look_learn(struct look *look, enum look_result result, uint64_t waited);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/look.h"

void look_init(struct look *look)
{
    *look = (struct look){.enough = LOOK_ENOUGH};
}

bool look_worth(const struct look *look)
{
    return look->soon >= look->enough;
}

void look_learn(struct look *look, enum look_result result, uint64_t waited)
{
    if (result == LOOK_FOUND) {
        look->enough = LOOK_ENOUGH / 2; /* doubled by the first in vain */
    } else if (result == LOOK_IN_VAIN && look->enough < LOOK_RAREST) {
        look->enough *= 2;
    }
    if (result == LOOK_IN_VAIN || waited > LOOK_SOON_US) {
        look->soon = 0;
    } else if (look->soon < LOOK_RAREST) {
        look->soon++;
    }
}

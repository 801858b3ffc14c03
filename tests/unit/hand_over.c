/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/pipeline.h"

/*
 * Linked with --wrap, in the place of what looks at the machine: of five batches three go through
 * both threads, and of seven four are offered to a third one as well, so that each change from one
 * to two or three and back is met with all kinds of work.
 */
unsigned __wrap_pipeline_processors(void);
void __wrap_pipeline_decide(struct pipeline *p);

unsigned __wrap_pipeline_processors(void)
{
    return 3;
}

void __wrap_pipeline_decide(struct pipeline *p)
{
    p->since_us++;
    atomic_store(&p->wanted, p->since_us % 5 < 3);
    if (p->third != NULL) {
        atomic_store(&p->third->wanted, p->since_us % 7 < 4);
    }
}

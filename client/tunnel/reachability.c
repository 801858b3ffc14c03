/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel/reachability.h"

#include <unistd.h>

#include "tunnel/scout.h"

struct reachability {
    int fd; /* -1 = the question could not be asked */
    gboolean answered;
};

struct reachability *reachability_start(int scout, const struct addr *host)
{
    const struct scout_question question = {.errand = SCOUT_KNOCK, .host = *host};
    struct reachability *r = g_new0(struct reachability, 1);

    r->fd = scout_ask(scout, &question);
    return r;
}

gboolean reachability_answered(struct reachability *r)
{
    struct scout_answer answer;

    if (r != NULL && r->fd >= 0) {
        r->answered = r->answered || scout_answer_read(r->fd, &answer);
    }
    return r != NULL && r->answered;
}

void reachability_free(struct reachability *r)
{
    if (r != NULL) {
        if (r->fd >= 0) {
            close(r->fd);
        }
        g_free(r);
    }
}

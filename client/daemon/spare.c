/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/spare.h"

struct spare {
    struct worker *worker; /* NULL = there is none */
    guint lifetime;        /* milliseconds */
    guint over;
};

struct spare *spare_new(guint lifetime_ms)
{
    struct spare *spare = g_new0(struct spare, 1);
    spare->lifetime = lifetime_ms;
    return spare;
}

static void drop(struct spare *spare)
{
    g_clear_handle_id(&spare->over, g_source_remove);
    g_clear_pointer(&spare->worker, worker_free);
}

static gboolean on_over(gpointer data)
{
    struct spare *spare = data;
    spare->over = 0;
    drop(spare);
    return G_SOURCE_REMOVE;
}

void spare_prepare(struct spare *spare)
{
    if (!spare->worker) {
        spare->worker = worker_start(WORKER_TUNNEL, NULL, NULL);
    }
    g_clear_handle_id(&spare->over, g_source_remove);
    spare->over = g_timeout_add(spare->lifetime, on_over, spare);
}

struct worker *spare_take(struct spare *spare)
{
    struct worker *worker = NULL;
    if (spare->worker && worker_waits(spare->worker)) {
        worker = g_steal_pointer(&spare->worker);
    }
    drop(spare);
    return worker;
}

void spare_free(struct spare *spare)
{
    if (spare) {
        drop(spare);
        g_free(spare);
    }
}

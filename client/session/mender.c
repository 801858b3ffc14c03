/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session/mender.h"

#include "common/i18n.h"

#define TIMES_MAX 20                    /* within */
#define PERIOD (60 * G_USEC_PER_SEC)    /* after the first */
#define PAUSE 100                       /* milliseconds from one time to the next */
#define TOLD_AFTER (5 * G_USEC_PER_SEC) /* of peace: it is another matter then */

struct mender {
    struct host *host;
    void (*fought)(void *context);
    void *context;
    GSource *due;
    gint64 first, last; /* microseconds of the monotonic clock: when something was missing */
    guint times;        /* in the period */
};

struct mender *mender_new(struct host *host, void (*fought)(void *context), void *context)
{
    struct mender *mender = g_new0(struct mender, 1);
    mender->host = host;
    mender->fought = fought;
    mender->context = context;
    return mender;
}

static void stop(struct mender *mender)
{
    if (mender->due) {
        g_source_destroy(mender->due);
        g_clear_pointer(&mender->due, g_source_unref);
    }
}

static void tell(struct mender *mender, gint64 now, const GError *error)
{
    if (error) {
        g_message("%s", error->message);
    } else if (mender->last == 0 || now - mender->last > TOLD_AFTER) {
        g_message(_("Another program has set the tunnel's interface down, or removed addresses, "
                    "routes or rules of it: they are set again."));
    }
}

static void count(struct mender *mender, gint64 now)
{
    if (mender->times == 0 || now - mender->first > PERIOD) {
        mender->first = now;
        mender->times = 0;
    }
    mender->last = now;
    if (++mender->times == TIMES_MAX) {
        stop(mender);
        mender->fought(mender->context);
    }
}

static gboolean on_due(gpointer data)
{
    struct mender *mender = data;
    gint64 now = g_get_monotonic_time();
    gboolean mended;
    g_autoptr(GError) error = NULL;
    stop(mender);
    if (!host_mend(mender->host, &mended, &error)) {
        mender_look(mender); /* again */
    }
    if (error || mended) {
        tell(mender, now, error);
        count(mender, now);
    }
    return G_SOURCE_REMOVE;
}

void mender_look(struct mender *mender)
{
    gint64 since = g_get_monotonic_time() - mender->last;
    gboolean again = mender->last != 0 && since < PAUSE * G_TIME_SPAN_MILLISECOND;
    if (mender->due || mender->times >= TIMES_MAX) {
        return;
    }
    mender->due = g_timeout_source_new(again ? PAUSE : 0);
    g_source_set_callback(mender->due, on_due, mender, NULL);
    g_source_attach(mender->due, g_main_context_get_thread_default());
}

void mender_free(struct mender *mender)
{
    if (mender) {
        stop(mender);
        g_free(mender);
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel/drops.h"

#define COUNTER(name) G_STRUCT_OFFSET(struct datapath_counters, name)

/* Those that are for lack of room make a line; the others are only named beside them, for strangers
 * and the host's own chatter cause them at will. */
static const struct {
    gsize counter;
    gboolean no_room;
    const char *name;
} kinds[] = {
    {COUNTER(in_dropped_socket), TRUE, "runs the sockets had no room for"},
    {COUNTER(in_dropped_queue), TRUE, "to shorten the queue"},
    {COUNTER(in_dropped_tun), TRUE, "refused by the TUN"},
    {COUNTER(ike_dropped), TRUE, "of IKE, which lagged behind"},
    {COUNTER(out_dropped_send), TRUE, "not sent"},
    {COUNTER(in_dropped_replay), FALSE, "come twice or too late"},
    {COUNTER(in_dropped_integrity), FALSE, "not authentic"},
    {COUNTER(in_dropped_unknown_spi), FALSE, "of an unknown SPI"},
    {COUNTER(in_dropped_policy), FALSE, "not to be let in"},
    {COUNTER(in_dropped_malformed), FALSE, "malformed"},
    {COUNTER(out_dropped_no_sa), FALSE, "without an SA"},
    {COUNTER(out_dropped_policy), FALSE, "not to be let out"},
    {COUNTER(out_dropped_too_big), FALSE, "too big"},
    {COUNTER(out_dropped_malformed), FALSE, "malformed by the host"},
};

static guint64 more(const struct drops *drops, const struct datapath_counters *now, gsize kind)
{
    gsize at = kinds[kind].counter;

    return G_STRUCT_MEMBER(guint64, now, at) - G_STRUCT_MEMBER(guint64, &drops->told, at);
}

char *drops_news(struct drops *drops, const struct datapath_counters *counters, guint64 now)
{
    GString *text = g_string_new(NULL);
    gboolean no_room = FALSE;

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        guint64 n = more(drops, counters, i);

        if (n > 0) {
            no_room = no_room || kinds[i].no_room;
            g_string_append_printf(text, "%s%" G_GUINT64_FORMAT " %s", text->len > 0 ? ", " : "", n,
                                   kinds[i].name);
        }
    }
    if (!no_room || (drops->told_at != 0 && now - drops->told_at < DROPS_INTERVAL)) {
        g_string_free(text, TRUE);
        return NULL;
    }
    drops->told = *counters;
    drops->told_at = now;
    return g_string_free(text, FALSE);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/model/text.h"

#include "common/boottime.h"
#include "common/i18n.h"

char *duration_text(gint64 seconds)
{
    int hours, minutes, rest;

    seconds = CLAMP(seconds, 0, (gint64)G_MAXINT);
    hours = (int)(seconds / 3600);
    minutes = (int)(seconds / 60 % 60);
    rest = (int)(seconds % 60);
    return hours > 0 ? g_strdup_printf("%d:%02d:%02d", hours, minutes, rest)
                     : g_strdup_printf("%d:%02d", minutes, rest);
}

char *rate_text(double octets_per_second)
{
    g_autofree char *size = g_format_size((guint64)octets_per_second);

    /* Translators: octets in each second, such as "1.2 MB/s". */
    return g_strdup_printf(_("%s/s"), size);
}

char *clock_text(guint64 boottime_us)
{
    gint64 ago = (gint64)(boottime_now() - boottime_us);
    g_autoptr(GDateTime) then =
        g_date_time_new_from_unix_local((g_get_real_time() - ago) / G_USEC_PER_SEC);

    return then == NULL ? g_strdup("") : g_date_time_format(then, "%H:%M:%S");
}

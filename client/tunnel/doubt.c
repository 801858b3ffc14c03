/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/boottime.h"
#include "tunnel/tunnel_private.h"

/*
 * The first attempt has met a gateway whose certificate is not trusted. Whether it is to be all the
 * same is a person's to decide, and takes as long as it takes; then the next attempt is for that
 * certificate alone. A connection that was up asks nobody.
 */

gboolean doubt_begin(struct tunnel *t, struct link *link)
{
    if (link->untrusted == NULL || t->purpose != PURPOSE_CONNECT || t->disconnecting) {
        return FALSE;
    }
    t->doubt = (struct doubt){
        .facts = g_steal_pointer(&link->untrusted),
        .reason = link->reason,
        .detail = g_strdup(link->detail),
    };
    t->ops->trust_required(t->context, t->doubt.facts);
    return TRUE;
}

void doubt_end(struct tunnel *t)
{
    g_clear_pointer(&t->doubt.facts, g_free);
    g_clear_pointer(&t->doubt.detail, g_free);
}

void doubt_answer(struct tunnel *t, struct bytes value)
{
    char digits[FINGERPRINT_TEXT];

    if (t->doubt.facts == NULL) {
        return;
    }
    (void)fingerprint_text(t->doubt.facts->fingerprint, digits);
    if (bytes_equal(value, bytes_of_string(digits)) && worker_config_pin(&t->config, digits)) {
        t->next_at = boottime_now();
        t->connect_by =
            t->next_at + profile_get_uint(t->config.profile, "timeout") * G_USEC_PER_SEC;
        doubt_end(t);
        loop_run(t);
    } else {
        tunnel_end(t, t->doubt.reason, t->doubt.detail);
    }
}

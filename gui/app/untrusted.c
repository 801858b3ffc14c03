/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/app/untrusted.h"

#include <string.h>

#include "common/boottime.h"
#include "gui/model/choices.h"

enum { SETTLE_MS = 1000 }; /* what is gone again by then is no network that was joined */
#define AGAIN_US (5 * 60 * (guint64)G_USEC_PER_SEC) /* after a failure */

struct untrusted {
    GodwitWorld *world;
    GodwitNetworks *networks;
    guint timer;
    char *done;      /* the joining that was seen to */
    char *attempted; /* the network of the last attempt, "" = none */
    char *title;     /* of its connection */
    guint64 attempted_us;
    gboolean declined; /* by a person, there */
};

static void set(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value);
}

static gboolean has_own_session(struct untrusted *untrusted)
{
    GodwitSession *session = godwit_world_get_main_session(untrusted->world);

    return session != NULL && godwit_session_is_ours(session);
}

static gboolean may_try(const struct untrusted *untrusted, const char *uuid)
{
    return strcmp(untrusted->attempted, uuid) != 0 ||
           (!untrusted->declined && boottime_now() - untrusted->attempted_us > AGAIN_US);
}

static void begin(struct untrusted *untrusted, const char *uuid, GodwitProfile *profile)
{
    set(&untrusted->attempted, uuid);
    set(&untrusted->title, godwit_profile_get_title(profile));
    untrusted->attempted_us = boottime_now();
    untrusted->declined = FALSE;
    godwit_world_connect(untrusted->world, profile);
}

static void see_to(struct untrusted *untrusted, const struct choices *choices)
{
    const char *uuid = godwit_networks_get_current(untrusted->networks);
    GodwitProfile *profile =
        choices_find_profile(choices, G_LIST_MODEL(godwit_world_get_profiles(untrusted->world)));

    if (!choices->connects || *uuid == '\0' || g_hash_table_contains(choices->trusted, uuid) ||
        godwit_networks_is_closed(untrusted->networks) || profile == NULL ||
        godwit_profile_get_why(profile) != NULL) {
        return;
    }
    set(&untrusted->done, godwit_networks_get_joining(untrusted->networks));
    if (!has_own_session(untrusted) && may_try(untrusted, uuid)) {
        begin(untrusted, uuid, profile);
    }
}

static gboolean on_settled(gpointer data)
{
    struct untrusted *untrusted = data;

    untrusted->timer = 0;
    if (strcmp(untrusted->done, godwit_networks_get_joining(untrusted->networks)) != 0) {
        struct choices *choices = choices_load();

        see_to(untrusted, choices);
        choices_free(choices);
    }
    return G_SOURCE_REMOVE;
}

void untrusted_update(struct untrusted *untrusted)
{
    const char *uuid = godwit_networks_get_current(untrusted->networks);

    g_clear_handle_id(&untrusted->timer, g_source_remove);
    if (*uuid != '\0') {
        if (strcmp(uuid, untrusted->attempted) != 0) { /* what was there is forgotten elsewhere */
            set(&untrusted->attempted, "");
        }
        untrusted->timer = g_timeout_add(SETTLE_MS, on_settled, untrusted);
    }
}

/* A bus may be there again. */
static void on_world(struct untrusted *untrusted)
{
    godwit_networks_set_bus(untrusted->networks, godwit_world_get_bus(untrusted->world));
}

/* Without a failure a person has ended it. */
static void on_ended(struct untrusted *untrusted, GodwitSession *session)
{
    const struct godwit_failure *failure = godwit_world_get_failure(untrusted->world);
    g_autofree char *name = godwit_session_dup_raw(session, "Name");

    if (strcmp(name, untrusted->title) == 0) {
        untrusted->declined = failure == NULL || failure->reason == REASON_SECRET_MISSING;
    }
}

struct untrusted *untrusted_new(GodwitWorld *world)
{
    struct untrusted *untrusted = g_new0(struct untrusted, 1);

    untrusted->world = g_object_ref(world);
    untrusted->networks = godwit_networks_new();
    untrusted->done = g_strdup("");
    untrusted->attempted = g_strdup("");
    untrusted->title = g_strdup("");
    g_signal_connect_swapped(world, "changed", G_CALLBACK(on_world), untrusted);
    g_signal_connect_swapped(world, "ended", G_CALLBACK(on_ended), untrusted);
    g_signal_connect_swapped(untrusted->networks, "changed", G_CALLBACK(untrusted_update),
                             untrusted);
    on_world(untrusted);
    return untrusted;
}

void untrusted_free(struct untrusted *untrusted)
{
    if (untrusted != NULL) {
        g_clear_handle_id(&untrusted->timer, g_source_remove);
        g_signal_handlers_disconnect_by_data(untrusted->world, untrusted);
        g_signal_handlers_disconnect_by_data(untrusted->networks, untrusted);
        g_object_unref(untrusted->networks);
        g_object_unref(untrusted->world);
        g_free(untrusted->done);
        g_free(untrusted->attempted);
        g_free(untrusted->title);
        g_free(untrusted);
    }
}

GodwitNetworks *untrusted_get_networks(struct untrusted *untrusted)
{
    return untrusted->networks;
}

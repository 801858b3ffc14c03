/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "gui/model/world.h"

/* What of the world belongs to what. */

static GodwitSession *session_at(GodwitWorld *world, guint i)
{
    g_autoptr(GodwitSession) session = g_list_model_get_item(godwit_world_get_sessions(world), i);

    return session; /* the list keeps it */
}

static guint n_sessions(GodwitWorld *world)
{
    return g_list_model_get_n_items(godwit_world_get_sessions(world));
}

GodwitSession *godwit_world_find_path(GodwitWorld *world, const char *path)
{
    for (guint i = 0; i < n_sessions(world); i++) {
        if (strcmp(godwit_session_get_path(session_at(world, i)), path) == 0) {
            return session_at(world, i);
        }
    }
    return NULL;
}

/* Made from a user's profile. */
static gboolean is_titled(GodwitSession *session, const char *title)
{
    g_autofree char *name = godwit_session_dup_raw(session, "Name");
    g_autofree char *system = godwit_session_dup_raw(session, "SystemProfile");

    return *system == '\0' && godwit_session_is_ours(session) && strcmp(name, title) == 0;
}

static gboolean is_made_from(GodwitSession *session, GodwitProfile *profile)
{
    g_autofree char *system = godwit_session_dup_raw(session, "SystemProfile");

    return godwit_profile_get_path(profile) == NULL
               ? strcmp(system, godwit_profile_get_name(profile)) == 0
               : is_titled(session, godwit_profile_get_title(profile));
}

GodwitSession *godwit_world_find_title(GodwitWorld *world, const char *title)
{
    for (guint i = 0; i < n_sessions(world); i++) {
        if (is_titled(session_at(world, i), title)) {
            return session_at(world, i);
        }
    }
    return NULL;
}

gboolean godwit_world_is_up(GodwitWorld *world, const char *shown)
{
    for (guint i = 0; i < n_sessions(world); i++) {
        GodwitSession *session = session_at(world, i);
        g_autofree char *name = godwit_session_dup_text(session, "Name");
        g_autofree char *system = godwit_session_dup_raw(session, "SystemProfile");

        if (strcmp(name, shown) == 0 && (*system != '\0' || godwit_session_is_ours(session)) &&
            godwit_session_get_state(session) == GODWIT_ON) {
            return TRUE;
        }
    }
    return FALSE;
}

GodwitProfile *godwit_world_find_profile(GodwitWorld *world, GodwitSession *session)
{
    GListModel *profiles = G_LIST_MODEL(godwit_world_get_profiles(world));

    for (guint i = 0; i < g_list_model_get_n_items(profiles); i++) {
        g_autoptr(GodwitProfile) profile = g_list_model_get_item(profiles, i);

        if (is_made_from(session, profile)) {
            return profile; /* the list keeps it */
        }
    }
    return NULL;
}

GodwitSession *godwit_world_find_session(GodwitWorld *world, GodwitProfile *profile)
{
    for (guint i = 0; i < n_sessions(world); i++) {
        if (is_made_from(session_at(world, i), profile)) {
            return session_at(world, i);
        }
    }
    return NULL;
}

GodwitSession *godwit_world_get_main_session(GodwitWorld *world)
{
    GodwitSession *best = NULL;
    int best_rank = -1;

    for (guint i = 0; i < n_sessions(world); i++) {
        GodwitSession *session = session_at(world, i);
        int rank = (int)godwit_session_get_state(session) +
                   (godwit_session_is_ours(session) ? GODWIT_STATES : 0);

        if (rank > best_rank) {
            best = session;
            best_rank = rank;
        }
    }
    return best;
}

enum godwit_state godwit_world_get_state(GodwitWorld *world)
{
    enum godwit_state state = godwit_world_get_protection(world);

    return state != GODWIT_BLOCKED && godwit_world_get_failure(world) != NULL ? GODWIT_ATTENTION
                                                                              : state;
}

gboolean godwit_world_is_stopped(GodwitWorld *world)
{
    enum godwit_state state = godwit_world_get_protection(world);
    gboolean stopped = state == GODWIT_BLOCKED;

    for (guint i = 0; state == GODWIT_ROAMING && i < n_sessions(world); i++) {
        GodwitSession *session = session_at(world, i);
        g_autofree char *level = godwit_session_dup_raw(session, "KillSwitch");

        if (godwit_session_get_state(session) == GODWIT_ROAMING && *level != '\0' &&
            strcmp(level, "off") != 0) {
            stopped = TRUE;
        }
    }
    return stopped;
}

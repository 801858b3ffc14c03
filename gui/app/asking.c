/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/app/asking.h"

#include <string.h>

#include "common/i18n.h"
#include "gui/app/talk.h"
#include "gui/model/passwords.h"
#include "gui/window/message.h"

struct asking {
    GtkApplication *application;
    GodwitWorld *world;
    GodwitAttempt *attempt;
    GHashTable *talks;   /* struct talk by the path of its session */
    GHashTable *refused; /* titles whose remembered password was wrong -> why */
};

/* ---- wrong passwords ---- */

/* It is not tried a second time: it goes, and the person is asked for the right one. */
static void ask_anew(struct asking *asking, GodwitProfile *profile,
                     const struct godwit_failure *failure)
{
    passwords_forget(profile);
    if (failure->reason == REASON_AUTH_FAILED) {
        g_hash_table_replace(asking->refused, g_strdup(godwit_profile_get_title(profile)),
                             g_strdup(failure->sentence));
        godwit_world_connect(asking->world, profile);
    }
}

/* What a person must not overlook. */
static void warn(struct asking *asking, const struct godwit_failure *failure)
{
    g_autofree char *text = g_strdup_printf("%s %s", failure->sentence, failure->hint);

    message_show(gtk_application_get_active_window(asking->application),
                 _("This Is Not the Gateway That You Trusted"), text);
}

static void on_ended(struct asking *asking, GodwitSession *session)
{
    const struct talk *talk = g_hash_table_lookup(asking->talks, godwit_session_get_path(session));
    const struct godwit_failure *failure = godwit_world_get_failure(asking->world);
    g_autofree char *name = godwit_session_dup_text(session, "Name");
    GodwitProfile *profile = godwit_world_find_profile(asking->world, session);

    if (talk == NULL || failure == NULL || strcmp(failure->name, name) != 0) {
        return;
    }
    if (failure->reason == REASON_GATEWAY_CHANGED) {
        warn(asking, failure);
    } else if (profile != NULL && talk_is_refused(talk, failure->reason)) {
        ask_anew(asking, profile, failure);
    }
}

/* ---- sessions ---- */

static struct talk *talk_of(struct asking *asking, GodwitSession *session)
{
    const char *path = godwit_session_get_path(session);
    g_autofree char *title = godwit_session_dup_raw(session, "Name");
    struct talk *talk = g_hash_table_lookup(asking->talks, path);

    if (talk == NULL) {
        talk = talk_new(asking->application, asking->world, asking->attempt, path,
                        g_hash_table_lookup(asking->refused, title));
        g_hash_table_remove(asking->refused, title);
        g_hash_table_insert(asking->talks, g_strdup(path), talk);
    }
    return talk;
}

static gboolean is_over(gpointer path, gpointer talk, gpointer context)
{
    struct asking *asking = context;

    (void)talk;
    return godwit_world_find_path(asking->world, path) == NULL;
}

/* Whoever else begins one asks for it in its own way, unless a person wants it here. */
static gboolean is_asked_here(GodwitSession *session)
{
    g_autofree char *origin = godwit_session_dup_raw(session, "Origin");

    return strcmp(origin, "tray") == 0;
}

static void update(struct asking *asking)
{
    GListModel *sessions = godwit_world_get_sessions(asking->world);

    (void)g_hash_table_foreach_remove(asking->talks, is_over, asking);
    for (guint i = 0; i < g_list_model_get_n_items(sessions); i++) {
        g_autoptr(GodwitSession) session = g_list_model_get_item(sessions, i);

        if (godwit_session_is_ours(session)) {
            talk_follow(talk_of(asking, session), is_asked_here(session));
        }
    }
}

void asking_show(struct asking *asking, const char *path)
{
    GodwitSession *session = godwit_world_find_path(asking->world, path);

    if (session != NULL) {
        struct talk *talk = talk_of(asking, session);

        talk_follow(talk, TRUE);
        talk_present(talk);
    }
}

/* ---- life ---- */

struct asking *asking_new(GtkApplication *application, GodwitWorld *world, GodwitAttempt *attempt)
{
    struct asking *asking = g_new0(struct asking, 1);

    asking->application = application;
    asking->world = g_object_ref(world);
    asking->attempt = g_object_ref(attempt);
    asking->talks =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)talk_free);
    asking->refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_signal_connect_swapped(world, "changed", G_CALLBACK(update), asking);
    g_signal_connect_swapped(world, "ended", G_CALLBACK(on_ended), asking);
    return asking;
}

void asking_free(struct asking *asking)
{
    if (asking != NULL) {
        g_signal_handlers_disconnect_by_data(asking->world, asking);
        g_hash_table_unref(asking->talks);
        g_hash_table_unref(asking->refused);
        g_object_unref(asking->attempt);
        g_object_unref(asking->world);
        g_free(asking);
    }
}

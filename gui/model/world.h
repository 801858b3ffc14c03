/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_MODEL_WORLD_H
#define GODWIT_GUI_MODEL_WORLD_H

#include <gio/gio.h>

#include "gui/model/failure.h"
#include "gui/model/profiles.h"
#include "gui/model/session.h"
#include "gui/model/state.h"
#include "profile/profile.h"

/*
 * What there is to be seen and done: godwitd on the system bus, its sessions, the profiles. It
 * never starts godwitd by itself, only when it is told to do something that needs it; a bus that is
 * gone is looked for again. Signals: "changed"   anything of it is another one; told at most once
 * in a turn of the main loop "began", "ended" (GodwitSession)   a session is there, or no longer
 *   "failed"    godwit_world_get_failure() is a new one
 */
#define GODWIT_TYPE_WORLD (godwit_world_get_type())
G_DECLARE_FINAL_TYPE(GodwitWorld, godwit_world, GODWIT, WORLD, GObject)

enum godwit_service {
    GODWIT_NO_BUS, /* there is no system bus */
    GODWIT_ASLEEP, /* godwitd does not run; it starts when it is needed */
    GODWIT_READY,
    GODWIT_OTHER_VERSION, /* it speaks another language than we do */
};

GodwitWorld *godwit_world_new(void);

GDBusConnection *godwit_world_get_bus(GodwitWorld *world); /* the system's; NULL = none; borrowed */
enum godwit_service godwit_world_get_service(GodwitWorld *world);
const char *godwit_world_get_version(GodwitWorld *world); /* of godwitd; "" = not known; borrowed */
enum godwit_state godwit_world_get_state(GodwitWorld *world);
/* The same, whatever has failed: what becomes of the traffic. */
enum godwit_state godwit_world_get_protection(GodwitWorld *world);
/* Whether a kill switch lets nothing out, until something is connected, or is again. */
gboolean godwit_world_is_stopped(GodwitWorld *world);
/* The session that matters most, our own first; NULL = there is none. Borrowed. */
GodwitSession *godwit_world_get_main_session(GodwitWorld *world);
GListModel *godwit_world_get_sessions(GodwitWorld *world);     /* of GodwitSession; borrowed */
GodwitProfiles *godwit_world_get_profiles(GodwitWorld *world); /* borrowed */

/* The session that was made from it, or NULL; borrowed. */
GodwitSession *godwit_world_find_session(GodwitWorld *world, GodwitProfile *profile);
GodwitSession *godwit_world_find_path(GodwitWorld *world, const char *path);
/* That of a user's profile of that title, be it in a file or not. */
GodwitSession *godwit_world_find_title(GodwitWorld *world, const char *title);
/* Whether a connection whose name is shown so, ours or the computer's, is connected. */
gboolean godwit_world_is_up(GodwitWorld *world, const char *shown);
/* The profile that it was made from, or NULL; borrowed. */
GodwitProfile *godwit_world_find_profile(GodwitWorld *world, GodwitSession *session);
/* It was asked for, and its session has not appeared yet. */
gboolean godwit_world_is_asked(GodwitWorld *world, GodwitProfile *profile);
gboolean godwit_world_is_title_asked(GodwitWorld *world, const char *title);

/* Why the last one that ended by itself did, or could not begin, until it is dismissed, a
 * connection is begun here, or that one is up, whoever has begun it; NULL = nothing. Borrowed. */
const struct godwit_failure *godwit_world_get_failure(GodwitWorld *world);
void godwit_world_dismiss_failure(GodwitWorld *world);

/* ---- what somebody wants: these start godwitd; failures are told by "failed" ---- */

/* Looks for the computer's profiles, and for what holds traffic. */
void godwit_world_wake(GodwitWorld *world);
void godwit_world_connect(GodwitWorld *world, GodwitProfile *profile);
/* The same with one that is in no file yet, under that title; it is copied. */
void godwit_world_connect_new(GodwitWorld *world, const char *title, const struct profile *profile);
/* Ends its session, or does not let it begin. */
void godwit_world_disconnect(GodwitWorld *world, GodwitProfile *profile);
void godwit_world_disconnect_new(GodwitWorld *world, const char *title);
void godwit_world_end(GodwitWorld *world, GodwitSession *session);
/* Answers its open question of that number: a{say} by field, which may float; NULL = nobody does,
 * and the session ends. */
void godwit_world_answer(GodwitWorld *world, GodwitSession *session, guint32 form,
                         GVariant *answers);

/* ---- the kill switch of the computer ---- */

gboolean godwit_world_is_holding(GodwitWorld *world); /* while nothing is connected */
char **godwit_world_dup_excepted(GodwitWorld *world); /* networks that are let through */
void godwit_world_set_holding(GodwitWorld *world, gboolean always, const char *const *excepted);

#endif

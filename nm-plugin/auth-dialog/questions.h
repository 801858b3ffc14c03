/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_NM_AUTH_DIALOG_QUESTIONS_H
#define GODWIT_NM_AUTH_DIALOG_QUESTIONS_H

#include <glib.h>

#include "gui/questions/ask_form.h"

/* What is to be asked, worked out from what NetworkManager gives. */
struct question {
    const char *key;   /* of vpn.secrets: a profile key */
    const char *label; /* translated */
    gboolean secret;   /* is not shown while it is typed */
    gboolean ask;      /* FALSE: it is known already */
    gboolean keyring;  /* belongs into the user's keyring */
    const char *value; /* known, "" = not; borrowed */
};

struct questions {
    struct question *items;
    gsize n;
    const char *message; /* the gateway's own words, or ""; borrowed */
    gboolean again;      /* what was known has been refused */
};

/*
 * `hints`: keys that the service asks for in the middle of a handshake, and "x-vpn-message:TEXT"
 * with what the gateway said; none, NULL or empty: what the connection's method needs.
 * "x-dynamic-challenge:KEY" is a key whose answer is good for once, "x-dynamic-challenge-echo:KEY"
 * one that may be read besides. Unknown hints are passed over. `again`: what is known has been
 * refused. The tables and hints must outlive the result; free it with questions_clear().
 */
void questions_make(struct questions *questions, GHashTable *data, GHashTable *secrets,
                    const char *const *hints, gboolean again);
void questions_clear(struct questions *questions);

/* Whether there is anything to ask; `in_keyring`: anything that the keyring may know. */
gboolean questions_open(const struct questions *questions, gboolean in_keyring);

/*
 * As whoever asks in our place wants it (--external-ui-mode of NetworkManager's agents): a key
 * file. `interactive`: there is a person to ask. Free it.
 */
char *questions_to_keyfile(const struct questions *questions, const char *name,
                           gboolean interactive);
/* What is to be asked, for a window. `note`: what the person is told besides, NULL = nothing. */
struct ask_form *questions_to_form(const struct questions *questions, const char *name,
                                   const char *note);

#endif

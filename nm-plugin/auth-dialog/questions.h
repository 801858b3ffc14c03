/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_NM_AUTH_DIALOG_QUESTIONS_H
#define GODWIT_NM_AUTH_DIALOG_QUESTIONS_H

#include <glib.h>

/* What is to be asked, worked out from what NetworkManager gives. */
struct question {
    const char *key;   /* of vpn.secrets: a profile key */
    const char *label; /* translated */
    gboolean secret;
    gboolean ask;      /* FALSE: it is known already */
    const char *value; /* known, "" = not; borrowed */
};

struct questions {
    struct question *items;
    gsize n;
    const char *message; /* the gateway's own words, or ""; borrowed */
};

/*
 * `hints`: keys that the service asks for in the middle of a handshake, and "x-vpn-message:TEXT"
 * with what the gateway said; none, NULL or empty: what the connection's method needs. Unknown
 * hints are passed over. `again`: what is known has been refused. The tables and hints must outlive
 * the result; free it with questions_clear().
 */
void questions_make(struct questions *questions, GHashTable *data, GHashTable *secrets,
                    const char *const *hints, gboolean again);
void questions_clear(struct questions *questions);

/*
 * As whoever asks in our place wants it (--external-ui-mode of NetworkManager's agents): a key
 * file. Free it.
 */
char *questions_to_keyfile(const struct questions *questions, const char *name);

#endif

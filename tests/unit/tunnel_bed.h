/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_TUNNEL_BED_H
#define GODWIT_TESTS_TUNNEL_BED_H

#include "tunnel/tunnel.h"

/* A tunnel over engines that play (fake_engine.h), and what its session hears. */
extern struct tunnel_bed {
    struct tunnel *tunnel;
    GString *log;   /* what the session heard, each with a blank behind it */
    GVariant *kept; /* what another worker is to begin with */
    gboolean over;
    /* Set before it begins. */
    int token;                        /* to a godwit-token; -1 = there is none */
    const char *private_key_password; /* of the profile; NULL = none */
} bed;

/* A fixture. Every engine must be freed with the tunnel. */
void bed_set_up(void);
void bed_tear_down(void);

/* Connects; `settings` are keys of the profile and values, by blanks: "port 500 auth eap". */
void bed_begin(const char *settings);
void bed_begin_with(const char *settings, struct tunnel_options options);
/* Engine 0 carries the traffic then, by SPI 100. */
void bed_begin_up(const char *settings);

gboolean bed_heard(const char *text);
/* Until the session has heard this; what was heard up to there is forgotten. */
void bed_wait_heard(const char *text);
/* Until there are so many engines, and no more. */
void bed_wait_engines(gsize n);
void bed_wait_freed(gsize engine);
/* Until all that the engine reports has been heard. */
void bed_wait_taken(gsize engine);
/* Everything that is due is done, and more. */
void bed_let_pass(guint milliseconds);

#endif

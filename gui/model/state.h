/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_MODEL_STATE_H
#define GODWIT_GUI_MODEL_STATE_H

#include <glib.h>

/* What the icon shows, of all connections together; the later one wins. */
enum godwit_state {
    GODWIT_OFF,
    GODWIT_BLOCKED, /* nothing is connected, and the kill switch holds all traffic */
    GODWIT_ON,
    GODWIT_CONNECTING, /* or about to end */
    GODWIT_ROAMING,    /* was connected and looks for a way; its traffic stands still */
    GODWIT_ATTENTION,  /* somebody is asked something, or must know of a failure */
    GODWIT_STATES,
};

/* "off", "blocked", …: also the icon's name between "godwit-" and "-symbolic". */
const char *godwit_state_name(enum godwit_state state);
/* The state in one or two words for people, translated. */
const char *godwit_state_words(enum godwit_state state);

#endif

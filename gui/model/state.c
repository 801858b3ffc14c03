/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/model/state.h"

#include "common/i18n.h"

static const struct {
    const char *name, *words;
} states[GODWIT_STATES] = {
    [GODWIT_OFF] = {"off", N_("Not connected")},
    [GODWIT_BLOCKED] = {"blocked", N_("Traffic is held")},
    [GODWIT_ON] = {"on", N_("Connected")},
    [GODWIT_CONNECTING] = {"connecting", N_("Connecting")},
    [GODWIT_ROAMING] = {"roaming", N_("Reconnecting")},
    [GODWIT_ATTENTION] = {"attention", N_("Needs your attention")},
};

const char *godwit_state_name(enum godwit_state state)
{
    return states[state].name;
}

const char *godwit_state_words(enum godwit_state state)
{
    return _(states[state].words);
}

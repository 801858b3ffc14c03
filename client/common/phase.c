/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/phase.h"

#include <stddef.h>
#include <string.h>

#include "common/i18n.h"

/* The worker's phases, see MESSAGE_PHASE, and two that who shows them adds. */
static const struct {
    const char *phase, *title;
} titles[] = {
    {"resolve", N_("Looking up the gateway")},
    {"token", N_("Token")},
    {"init", N_("Contacting the gateway")},
    {"gateway-answered", N_("Gateway answered")},
    {"gateway-verified", N_("Gateway verified")},
    {"user-auth", N_("Authenticating")},
    {"user-accepted", N_("User accepted")},
    {"established", N_("Tunnel established")},
    {"disconnecting", N_("Disconnecting")},
    {"reconnecting", N_("Reconnecting")},
    {"reauthenticating", N_("Authenticating again")},
    {"redirected", N_("Redirected")},
    {"moving", N_("Moving to another path")},
    {"again", N_("Connected again")},
    {"dns", N_("DNS")},
};

const char *phase_title(const char *phase)
{
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        if (strcmp(titles[i].phase, phase) == 0) {
            return _(titles[i].title);
        }
    }
    return phase;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_NM_SERVICE_FAILURE_H
#define GODWIT_NM_SERVICE_FAILURE_H

#include <NetworkManager.h>

#include "common/error.h"

/* The one of NetworkManager's three failures that a reason comes nearest to: "login failed" makes
 * it forget the secrets and ask again, so it is for what another secret can mend. */
NMVpnPluginFailure failure_of(enum reason reason);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_PHASE_H
#define GODWIT_COMMON_PHASE_H

/* What a phase of a connection ("gateway-verified", see MESSAGE_PHASE) is called for people,
 * translated. A phase that is not known is its own title. Never NULL; borrowed. */
const char *phase_title(const char *phase);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_AGENT_H
#define GODWIT_CLI_AGENT_H

/* polkit's agent for the terminal, pkttyagent, where a desktop's own one is not running. */
struct agent;

/* Waits until it is ready to ask. NULL when there is no terminal, or no pkttyagent. */
struct agent *agent_start(void);
void agent_stop(struct agent *agent); /* NULL is harmless */

#endif

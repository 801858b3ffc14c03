/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_CHECK_H
#define GODWIT_TUNNEL_CHECK_H

/*
 * For `godwit profile check`, as whoever runs it: reads a profile from standard input, an a{sv} as
 * the channel has it, and what it names as a connection would, and prints a line for each finding:
 * "problem" (it cannot be used) or "note", the key and why, with tabs between. Ends the process:
 * with EXIT_FAILURE when there is no profile to read.
 */
_Noreturn void check_run(void);

#endif

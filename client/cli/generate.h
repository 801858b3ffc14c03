/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_GENERATE_H
#define GODWIT_CLI_GENERATE_H

#include "cli/cli.h"

/* What a line of a template is replaced by, on standard output. */
void generate_bash_commands(void);
void generate_bash_values(void);
void generate_fish(void);
void generate_zsh_commands(void);
void generate_zsh_keys(void);

#endif

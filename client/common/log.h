/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_LOG_H
#define GODWIT_COMMON_LOG_H

#include "common/bytes.h"

/*
 * Copies text that came from a stranger so that it can be shown on a terminal or in a log: invalid
 * UTF-8, control characters and direction overrides become '?'. Always terminates; returns `out`.
 */
const char *text_printable(struct bytes from, char *out, size_t cap);
/* Lower-case hexadecimal, truncated with "..." when it does not fit; returns `out`. */
const char *text_hex(struct bytes from, char *out, size_t cap);

#endif

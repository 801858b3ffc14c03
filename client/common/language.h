/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_LANGUAGE_H
#define GODWIT_COMMON_LANGUAGE_H

#include <stdbool.h>

/* A language by the name of its locale, "de_DE.UTF-8". */

#define LANGUAGE_MAX 64 /* octets of the name, with its NUL */

/* Whether it may stand in the environment of another process: not empty, shorter than
 * LANGUAGE_MAX, of A-Z a-z 0-9 _ . @ -, and no path. */
bool language_is_plain(const char *name);
/* That of our messages, as setlocale() has it; NULL when that is not a plain name. Valid until
 * setlocale() is called. */
const char *language_of_messages(void);

#endif

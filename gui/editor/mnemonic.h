/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_EDITOR_MNEMONIC_H
#define GODWIT_GUI_EDITOR_MNEMONIC_H

#include <glib.h>

/*
 * `label` with the underscore before a character that `used` (lower case characters) does not
 * have, which is added to it; free it. Underscores of the label are doubled.
 */
char *mnemonic_label(const char *label, GString *used);

#endif

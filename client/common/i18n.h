/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_I18N_H
#define GODWIT_COMMON_I18N_H

#include <libintl.h>

/* Translate now; or only mark for translation in a constant table. */
#define _(text) gettext(text)
#define N_(text) text

#endif

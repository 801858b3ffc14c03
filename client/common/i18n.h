/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_I18N_H
#define GODWIT_COMMON_I18N_H

#include <libintl.h>

/*
 * Translate now; or only mark for translation in a constant table. The catalogue is named, since
 * some of this runs inside programs of others, which have one of their own.
 */
#define _(text) dgettext("godwit", text)
#define N_(text) text

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_EDITOR_CERTIFICATE_H
#define GODWIT_GUI_EDITOR_CERTIFICATE_H

#include <glib.h>

/*
 * What people tell certificates by, of octets in PEM or DER, fit to be shown: of just those that the
 * worker would trust. NULL when it would refuse the octets. The caller frees it.
 */

/* The holder's name of the first. */
char *certificate_holder(const guchar *octets, gsize length);
/* Of each the holder, until when it is valid, and how its fingerprint begins, in three lines; at the
 * end how many more there are when they are very many. */
char *certificates_in_words(const guchar *octets, gsize length);

#endif

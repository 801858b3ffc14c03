/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_NM_EDITOR_CHOOSER_H
#define GODWIT_NM_EDITOR_CHOOSER_H

#include "gui/editor/page.h"

/*
 * NetworkManager's own choice of certificates, among files and on PKCS#11 tokens, for a page's row;
 * NULL for keys of other kinds. A page_make_chooser.
 */
GtkWidget *chooser_new(const struct profile_key *key, gpointer row);

#endif

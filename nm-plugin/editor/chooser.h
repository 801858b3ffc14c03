/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_NM_EDITOR_CHOOSER_H
#define GODWIT_NM_EDITOR_CHOOSER_H

#include "gui/editor/page.h"

/*
 * A page_make_chooser: a button that opens NetworkManager's own choice of certificates, which looks
 * at PKCS#11 tokens too. That one loads the modules of all tokens, and must not go before it has
 * done so: it is only made when somebody wants it, and stays until the button goes. NULL for keys
 * that cannot be on a token, and for the private key, which is chosen with its certificate.
 */
GtkWidget *chooser_new(const struct profile_key *key, gpointer row);

#endif

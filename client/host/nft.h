/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_NFT_H
#define GODWIT_HOST_NFT_H

#include <glib.h>

/* Runs nft(8) commands as one transaction: all or, when this fails, none of them. *error is
 * HOST_ERROR_PERMISSION or HOST_ERROR_CONFIG with a translated sentence. */
gboolean nft_run(const char *commands, GError **error);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_NFT_H
#define GODWIT_HOST_NFT_H

#include <glib.h>

/* Runs nft(8) commands as one transaction: all or, when this fails, none of them. *error is
 * HOST_ERROR_PERMISSION or HOST_ERROR_CONFIG with a translated sentence. */
gboolean nft_run(const char *commands, GError **error);
/* For who has time before nft_run() is urgent: reads such commands and changes nothing, so that the
 * library is loaded and has its memory. */
void nft_prepare(const char *commands);
/*
 * The library takes 2 MiB in one piece for what it sends. From now until the end of nft_run() they are
 * the process's: where freed memory is overwritten (M_PERTURB) what is taken is overwritten too, and new
 * pages then cost more than all that is done with them.
 */
void nft_make_room(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_CONNECTIVITY_H
#define GODWIT_HOST_CONNECTIVITY_H

#include <glib.h>

#include "common/network.h"

/* Follows NetworkManager's check of whether the internet is reached, where it runs. */
struct connectivity_watch;

/* At each change; CONNECTIVITY_UNKNOWN until the first, and when NetworkManager ends. */
typedef void (*connectivity_cb)(void *context, enum connectivity connectivity);

/* Watches on the thread-default context. Never fails. */
struct connectivity_watch *connectivity_watch_new(connectivity_cb changed, void *context);
void connectivity_watch_free(struct connectivity_watch *watch); /* NULL is harmless */

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_SIGNALS_H
#define GODWIT_SIGNALS_H

#include <glib.h>

/*
 * Blocks the signals and calls back for each that comes, on the thread-default context. Without the
 * thread that g_unix_signal_add() starts; so it must be called before any other thread exists. NULL
 * when there is no descriptor left. Destroy and unref the source to stop; the signals stay blocked.
 */
GSource *signals_watch(const int *numbers, gsize n, GSourceFunc callback, gpointer context);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_CAGE_H
#define GODWIT_TUNNEL_CAGE_H

#include <glib.h>

/*
 * From now on this process works with the descriptors and files that it has: it opens no other, and
 * of the system calls only those are left that IKE, ESP and the main loop need. To be called before
 * the first octet from the network is read, and with one thread; threads can be made afterwards.
 * `report` as for confine_calls(). FALSE when the kernel refuses.
 */
gboolean cage_enter(int report);

#endif

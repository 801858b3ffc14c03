/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_CONTROL_H
#define GODWIT_TUNNEL_CONTROL_H

#include <glib.h>

#include "tunnel/tunnel.h"

/* The worker's end of the channel to its session, in front of one struct tunnel. */
struct control;

/* Takes over `fd`, the channel's socket; `report` as for confine_calls(), `scout` as for
 * tunnel_new(). `loop` is quit when the connection is over. */
struct control *control_new(int fd, int report, int scout, GMainLoop *loop);
/* The user or the system wants this process to end: Delete is sent first. */
void control_terminate(struct control *control);
void control_free(struct control *control);

#endif

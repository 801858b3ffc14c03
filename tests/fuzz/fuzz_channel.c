/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/net_config_variant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_message(void *context, enum channel_message kind, GVariant *body)
{
    unsigned *callbacks = context;
    char *text = g_variant_print(body, TRUE);

    if (*callbacks & 1) {
        abort(); /* a message after the end */
    }
    *callbacks += 2;
    if (kind == MESSAGE_CONNECTED) {
        g_autoptr(GVariant) dict = g_variant_get_child_value(body, 0);
        struct net_config net;
        const char *why;

        (void)net_config_from_variant(dict, &net, &why);
    }
    g_free(text);
}

static void on_closed(void *context, gboolean breach)
{
    unsigned *callbacks = context;

    (void)breach;
    if (*callbacks & 1) {
        abort(); /* a second end */
    }
    *callbacks |= 1;
}

/* What a worker that strangers took over may write to its session. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct channel *channel;
    unsigned callbacks = 0; /* bit 0: closed; above it, messages */
    int sockets[2];

    if (size > 65536 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) {
        return 0;
    }
    channel = channel_new(sockets[0], CHANNEL_SESSION, on_message, on_closed, &callbacks);
    if (send(sockets[1], data, size, MSG_DONTWAIT) < 0) {
        abort();
    }
    close(sockets[1]);
    while ((callbacks & 1) == 0) {
        g_main_context_iteration(NULL, TRUE);
    }
    channel_free(channel);
    return 0;
}

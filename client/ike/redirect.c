/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

/* The gateway sends us to another one (RFC 5685). */

enum gateway_ident { GATEWAY_IPV4 = 1, GATEWAY_IPV6 = 2, GATEWAY_FQDN = 3 };

void redirect_offer(const struct ike *ike, struct chain *chain)
{
    const struct bytes none = {0};
    uint8_t data[2 + sizeof ike->redirected_from];
    struct writer w = writer_of(data, sizeof data);
    struct bytes from = ike->config.redirected_from;

    if (from.len == 0) {
        notify_write(chain, 0, none, N_REDIRECT_SUPPORTED, none);
        return;
    }
    wr_u8(&w, from.len == 4 ? GATEWAY_IPV4 : GATEWAY_IPV6);
    wr_u8(&w, (uint8_t)from.len);
    wr_bytes(&w, from);
    notify_write(chain, 0, none, N_REDIRECTED_FROM, wr_written(&w));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/writer.h"

#include <errno.h>
#include <poll.h>

#include "common/boottime.h"

void writer_init(struct writer *w, struct datapath *dp)
{
    memset(w, 0, offsetof(struct writer, coalescer.frames));
    w->dp = dp;
    w->coalescer.enabled = dp->config.vnet_hdr;
    w->coalescer.udp = dp->uso;
}

/* Waits while the TUN is full. */
static bool write_frame(struct datapath *dp, const struct iovec *iov, int n)
{
    int fd = dp->config.tun_fd;
    while (writev(fd, iov, n) < 0) {
        if (errno != EINTR && (errno != EAGAIN || !datapath_wait(dp, fd, POLLOUT, -1))) {
            return false;
        }
    }
    return true;
}

static void write_frames(struct writer *w)
{
    struct coalescer *c = &w->coalescer;
    for (size_t i = 0; i < c->n; i++) {
        size_t n;
        const struct iovec *iov = coalesce_frame(c, i, &n);
        bool written = write_frame(w->dp, iov, (int)n);
        count(w->dp, written ? IN_PACKETS : IN_TUN, c->frames[i].n);
        if (written) {
            count(w->dp, IN_OCTETS, coalesce_octets(&c->frames[i]));
        }
    }
    coalesce_reset(c);
}

void writer_add(struct writer *w, uint8_t *packet, size_t len)
{
    struct ip_info info;
    if (!ip_parse(&info, packet, len)) {
        count(w->dp, IN_MALFORMED_INSIDE, 1);
        return;
    }
    w->delivered = true;
    uint16_t mtu = atomic_load_explicit(&w->dp->mtu, memory_order_relaxed);
    tcp_clamp_mss(&info, packet, mtu);
    if (!coalesce_add(&w->coalescer, &info, packet)) {
        write_frames(w);
        if (!coalesce_add(&w->coalescer, &info, packet)) {
            count(w->dp, IN_TUN, 1);
        }
    }
}

void writer_flush(struct writer *w)
{
    write_frames(w);
    if (w->delivered) {
        w->delivered = false;
        count_set(w->dp, IN_LAST, boottime_now());
    }
}

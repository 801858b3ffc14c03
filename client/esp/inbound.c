/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/boottime.h"
#include "esp/backlog.h"
#include "esp/wire.h"
#include "esp/writer.h"

/* UDP to TUN: receive, tell apart, open; and, unless another thread does, glue and write. */

/* Of one socket before the other, or the other direction, has its turn. */
#define BATCH_RECEIVED 128
#define BATCH_OCTETS (512 << 10)
#define RECEIVE_MAX 65536
#define ERRORS_MAX 64 /* in a row, then the socket is taken for dead */

#define PORT_IKE 500
#define IKE_HEADER 28
#define KEEPALIVE 0xff

/* Packets that are opened at once, for ciphers with lanes; what they hold is glued while it is in
 * the first cache. */
#define OPEN_BATCH 16

/* What makes a backlog is larger than an acknowledgement or a ping. */
#define MARK_MIN 256
#define ECN_CE 3

struct source {
    int fd;
    unsigned errors;
    uint32_t lost;
    struct backlog backlog;
};

/*
 * A slot of the pipeline: what waited in the socket, until there is enough for a frame of the TUN.
 * The kernel may have glued all of it, or none: then this is what makes large frames of it.
 */
#define ENOUGH_OCTETS (60 << 10)
#define ENOUGH_PACKETS 64
#define OPENED_MAX (ENOUGH_PACKETS + 64) /* the kernel glues no more datagrams */
#define ALIGN 16

struct opened_run {
    unsigned n;
    struct {
        uint8_t *packet;
        size_t len;
    } packets[OPENED_MAX];
    /* From here on nothing is cleared: pages that no packet needs are never made. */
    _Alignas(ALIGN) uint8_t data[ENOUGH_OCTETS + RECEIVE_MAX];
};

struct inbound {
    struct datapath *dp;
    struct source sources[2]; /* IPv4, IPv6 */
    struct pipeline *pipeline;
    bool hands_over;        /* this run */
    struct opened_run *run; /* of the pipeline's slots the one that is filled; NULL: none yet */
    size_t used;            /* octets of it */
    bool mark;              /* the next large packet, as if it had met congestion */
    struct sa_entry *entry; /* of those that wait to be opened */
    const struct esp_packet *marked; /* one of them */
    unsigned waiting;
    struct esp_packet batch[OPEN_BATCH];
    struct opened_run *runs; /* the pipeline's slots */
    struct writer writer;    /* of the thread that does the second half; must be the last */
};

static void second_half(void *inbound, uint32_t slot)
{
    struct inbound *in = inbound;
    const struct opened_run *run = &in->runs[slot];
    for (unsigned i = 0; i < run->n; i++) {
        writer_add(&in->writer, run->packets[i].packet, run->packets[i].len);
    }
    writer_flush(&in->writer);
}

struct inbound *inbound_new(struct datapath *dp)
{
    struct inbound *in = aligned_alloc(64, (sizeof(*in) + 63) / 64 * 64);
    if (in == NULL) {
        return NULL;
    }
    memset(in, 0, offsetof(struct inbound, writer));
    writer_init(&in->writer, dp);
    in->dp = dp;
    in->sources[0].fd = dp->config.udp4_fd;
    in->sources[1].fd = dp->config.udp6_fd;
    in->pipeline = &dp->pipelines[THREAD_IN];
    pipeline_init(in->pipeline, "esp write", second_half, in);
    in->runs = malloc((dp->helped ? PIPELINE_SLOTS : 1) * sizeof(*in->runs));
    if (in->runs == NULL) {
        free(in);
        return NULL;
    }
    return in;
}

void inbound_free(struct inbound *in)
{
    if (in != NULL) {
        free(in->runs);
        free(in);
    }
}

/* ---- IKE ---- */

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage name;
    socklen_t len = sizeof(name);
    struct endpoint endpoint;
    if (getsockname(fd, (struct sockaddr *)&name, &len) != 0 ||
        !endpoint_from_sockaddr(&endpoint, (struct sockaddr *)&name)) {
        return 0;
    }
    return endpoint.port;
}

/* To the main loop, or nowhere when it lags behind: IKE retransmits. */
static void queue_ike(struct inbound *in, const uint8_t *data, size_t len, bool marker,
                      const struct udp_meta *meta, int fd)
{
    if (len < IKE_HEADER) {
        count(in->dp, IN_MALFORMED, 1);
        return;
    }
    struct ike_item item;
    memset(&item, 0, sizeof(item)); /* padding too: it is copied as octets */
    item.local = meta->local;
    item.local.port = bound_port(fd);
    item.remote = meta->remote;
    item.marker = marker;
    struct iovec iov[2] = {{&item, sizeof(item)}, {(void *)(uintptr_t)data, len}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
    if (sendmsg(in->dp->ike[1], &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        count(in->dp, IN_IKE, 1);
    }
}

/* ---- ESP ---- */

/* Also when more come at once than the kernel glues: then all of it waits for this thread. */
static void opened_add(struct inbound *in, uint8_t *packet, size_t len)
{
    struct opened_run *run = in->run;
    if (in->hands_over && run->n == OPENED_MAX) {
        if (!ring_drain(&in->pipeline->ring)) {
            return;
        }
        in->hands_over = false;
        for (unsigned i = 0; i < run->n; i++) {
            writer_add(&in->writer, run->packets[i].packet, run->packets[i].len);
        }
    }
    if (in->hands_over) {
        run->packets[run->n].packet = packet;
        run->packets[run->n++].len = len;
    } else {
        writer_add(&in->writer, packet, len);
    }
}

static enum counter reason_for(enum err err)
{
    switch (err) {
    case ERR_REPLAY:
        return IN_REPLAY;
    case ERR_INTEGRITY:
        return IN_INTEGRITY;
    case ERR_STATE:
        return IN_POLICY;
    case OK:
    case ERR_MEMORY:
    case ERR_CRYPTO:
    case ERR_SYNTAX:
    case ERR_CRITICAL:
    case ERR_UNSUPPORTED:
    case ERR_SPACE:
    case ERR_KEY:
    case ERR_PASSWORD:
        break;
    }
    return IN_MALFORMED;
}

static void opened(struct inbound *in, const struct esp_packet *packet)
{
    struct usage *usage = &in->entry->usage;
    if (packet->err == OK || packet->err == ERR_STATE) { /* authentic, let in or not */
        bool news = usage_note(&usage->heard);
        if (usage_spend(usage, packet->len) || news) {
            datapath_tell(in->dp);
        }
    }
    if (packet->err != OK) {
        bool backlog = packet->err == ERR_STATE && packet == in->marked;
        count(in->dp, backlog ? IN_QUEUE : reason_for(packet->err), 1);
    } else if (packet->result_len > 0) {
        opened_add(in, packet->result, packet->result_len);
    }
}

/* Opens what waits. */
static void open_waiting(struct inbound *in)
{
    unsigned n = in->waiting;
    if (n > 0) {
        in->waiting = 0;
        esp_open_batch(in->entry->sa, in->batch, n);
        for (unsigned i = 0; i < n; i++) {
            opened(in, &in->batch[i]);
        }
        in->marked = NULL;
    }
}

static void take_esp(struct inbound *in, uint8_t *data, size_t len, uint8_t ecn)
{
    uint32_t spi = get_u32(data);
    if (in->waiting == 0 || in->entry->spi != spi) {
        open_waiting(in);
        in->entry = sa_table_find(&in->dp->in, spi);
    }
    if (in->entry == NULL) {
        count(in->dp, IN_UNKNOWN_SPI, 1);
        return;
    }
    struct esp_packet *packet = &in->batch[in->waiting++];
    *packet = (struct esp_packet){.data = data, .len = len, .ecn = ecn};
    if (in->mark && len >= MARK_MIN) {
        in->mark = false;
        in->marked = packet;
        packet->ecn = ECN_CE;
    }
    if (in->waiting == OPEN_BATCH) {
        open_waiting(in);
    }
}

/*
 * RFC 3948 2: from the peer's port 500 comes bare IKE; from any other, a NAT's choice included, ESP
 * or IKE behind four zeros, or a single octet that keeps a NAT's mapping alive.
 */
static void datagram(struct inbound *in, uint8_t *data, size_t len, const struct udp_meta *meta,
                     int fd)
{
    static const uint8_t non_esp_marker[4];
    if (meta->remote.port == PORT_IKE) {
        queue_ike(in, data, len, false, meta, fd);
    } else if (len == 1 && data[0] == KEEPALIVE) {
        return;
    } else if (len < 4) {
        count(in->dp, IN_MALFORMED, 1);
    } else if (memcmp(data, non_esp_marker, 4) == 0) {
        queue_ike(in, data + 4, len - 4, true, meta, fd);
    } else {
        take_esp(in, data, len, meta->tos & 3);
    }
}

void inbound_run(struct inbound *in, uint8_t *data, size_t len, const struct udp_meta *meta, int fd)
{
    for (size_t at = 0; at < len; at += meta->segment) {
        size_t part = len - at < meta->segment ? len - at : meta->segment;
        datagram(in, data + at, part, meta, fd);
    }
}

void inbound_flush(struct inbound *in)
{
    open_waiting(in);
    if (!in->hands_over) {
        writer_flush(&in->writer);
    } else if (in->run->n > 0) {
        ring_put(&in->pipeline->ring);
    }
    in->run = NULL;
}

/* ---- receiving ---- */

int inbound_fd(const struct inbound *in, unsigned source)
{
    return in->sources[source].fd;
}

/* A slot to receive into. False: stopped. */
static bool inbound_begin(struct inbound *in)
{
    struct quiesce *quiesce = &in->dp->quiesce;
    uint32_t slot;
    quiesce_online(quiesce, THREAD_IN, quiesce_epoch(quiesce));
    in->hands_over = pipeline_hands_over(in->pipeline);
    if (!ring_wait_room(&in->pipeline->ring, &slot, -1)) {
        return false;
    }
    in->run = &in->runs[slot];
    in->run->n = 0;
    in->used = 0;
    return true;
}

/* One run of datagrams behind those that the slot holds. 0 or an errno. */
static int receive(struct inbound *in, struct source *source, size_t *len)
{
    struct udp_meta meta;
    uint8_t *data = in->run->data + in->used;
    int failed = udp_receive(source->fd, data, RECEIVE_MAX, len, &meta);
    if (failed == 0) {
        source->errors = 0;
        if (meta.lost != 0) { /* it says nothing while there are none */
            count(in->dp, IN_SOCKET, meta.lost - source->lost);
            source->lost = meta.lost;
        }
        inbound_run(in, data, *len, &meta, source->fd);
        in->used += (*len + ALIGN - 1) / ALIGN * ALIGN;
    }
    return failed;
}

static bool has_enough(const struct inbound *in)
{
    return in->used >= ENOUGH_OCTETS || in->run->n + in->waiting >= ENOUGH_PACKETS;
}

/* Until nothing waits, or others have their turn. 0 or an errno. */
static int receive_some(struct inbound *in, struct source *source)
{
    size_t octets = 0, len;
    int failed = 0;
    for (unsigned i = 0; i < BATCH_RECEIVED && octets < BATCH_OCTETS; i++) {
        if (in->run == NULL && !inbound_begin(in)) {
            return ECANCELED;
        }
        failed = receive(in, source, &len);
        if (failed == 0) {
            octets += len;
        } else if (failed == EMSGSIZE) {
            count(in->dp, IN_MALFORMED, 1);
        } else if (failed == EAGAIN || ++source->errors >= ERRORS_MAX) {
            break;
        }
        if (has_enough(in)) {
            inbound_flush(in);
        }
    }
    if (in->run != NULL) {
        inbound_flush(in);
    }
    return failed;
}

void inbound_some(struct inbound *in, unsigned from)
{
    struct source *source = &in->sources[from];
    int failed = receive_some(in, source);
    if (failed == EAGAIN) {
        source->backlog.next = 0;
        in->mark = false;
        return;
    }
    if (source->errors >= ERRORS_MAX) {
        source->fd = -1;
        return;
    }
    size_t size, waiting = udp_waiting(source->fd, &size);
    in->mark = backlog_stays(&source->backlog, waiting, size, boottime_now());
}

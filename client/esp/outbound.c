/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/boottime.h"
#include "esp/selector.h"
#include "esp/sender.h"

/* TUN to UDP: read, select, cut, wrap; and, unless other threads do, encrypt and send. */

/* Before the other direction has its turn. */
#define BATCH_FRAMES 64
#define BATCH_OCTETS (512 << 10)

/* At most this many ICMP errors at once, and one more each interval (RFC 1812 4.3.2.8, RFC 4443 2.4
 * f). */
#define ERROR_BURST 64
#define ERROR_INTERVAL_US 2000

/* So many runs wait to be sent, and the last of them is worth a third thread. */
#define AHEAD_FROM 2

/* Which SA a flow takes, so that the others are not asked for every packet. */
#define FLOWS 64 /* a power of two */

struct flow_slot {
    struct flow flow; /* family 0: unused */
    struct out_entry *out;
};

struct outbound {
    struct datapath *dp;
    struct pipeline *pipeline;
    bool hands_over; /* in this batch */
    struct out_table *table;
    uint64_t flows_serial; /* of the table that `flows` was filled from */
    struct flow_slot flows[FLOWS];
    struct out_entry *out; /* of the frame at hand */
    uint16_t mtu;
    uint64_t epoch, generation; /* of this batch */
    uint64_t error_allowance_us;
    uint64_t error_last_us;
    struct sender sender;             /* of the thread that does the second half */
    struct run *runs;                 /* the pipeline's slots */
    struct run *run;                  /* the one that grows; NULL when it has yet to begin */
    struct pipeline *ahead;           /* the third thread; NULL: there is none */
    uint32_t offered[PIPELINE_SLOTS]; /* its slots: which run it may encrypt */
    /* From here on nothing is cleared. */
    uint8_t scratch[IP_PACKET_MAX];
    uint8_t fragment[IP_PACKET_MAX];
    uint8_t error[sizeof(struct virtio_net_hdr) + ICMP_TOO_BIG_MAX];
    _Alignas(16) uint8_t frame[16 + TUN_FRAME_MAX];
};

/* Unless the other one does, or has. */
static void seal_offered(struct run *run, unsigned sealer)
{
    if (claim_take(&run->claim)) {
        run_seal(run, sealer);
        claim_done(&run->claim);
    }
}

static void second_half(void *outbound, uint32_t slot)
{
    struct outbound *o = outbound;
    struct run *run = &o->runs[slot];
    seal_offered(run, SEALER_SENDER);
    claim_wait(&run->claim);
    sender_send(&o->sender, run, false);
}

static void seal_ahead(void *outbound, uint32_t slot)
{
    struct outbound *o = outbound;
    seal_offered(&o->runs[o->offered[slot]], SEALER_AHEAD);
}

struct outbound *outbound_new(struct datapath *dp)
{
    struct outbound *o = aligned_alloc(64, (sizeof(*o) + 63) / 64 * 64);
    if (o == NULL) {
        return NULL;
    }
    memset(o, 0, offsetof(struct outbound, scratch));
    o->dp = o->sender.dp = dp;
    o->pipeline = &dp->pipelines[THREAD_OUT];
    o->error_allowance_us = ERROR_BURST * ERROR_INTERVAL_US;
    pipeline_init(o->pipeline, "esp send", second_half, o);
    pipeline_init(&dp->ahead, "esp seal", seal_ahead, o);
    if (dp->lanes > LANE_AHEAD) {
        o->ahead = o->pipeline->third = &dp->ahead;
    }
    size_t slots = dp->helped ? PIPELINE_SLOTS : 1;
    o->runs = malloc(slots * sizeof(*o->runs));
    if (o->runs == NULL) {
        free(o);
        return NULL;
    }
    for (size_t i = 0; i < slots; i++) {
        claim_init(&o->runs[i].claim);
    }
    return o;
}

void outbound_free(struct outbound *o)
{
    if (o != NULL) {
        free(o->runs);
        free(o);
    }
}

/* ---- runs ---- */

/* To the third thread, while it is wanted, unless it lags behind: the sender, when it comes to a
 * run that nobody has taken, encrypts it itself. */
static void offer_ahead(struct outbound *o, uint32_t slot)
{
    uint32_t at;
    if (o->ahead == NULL || !atomic_load_explicit(&o->ahead->wanted, memory_order_relaxed) ||
        ring_pending(&o->pipeline->ring) < AHEAD_FROM ||
        ring_pending(&o->ahead->ring) == PIPELINE_SLOTS ||
        !ring_wait_room(&o->ahead->ring, &at, 0)) {
        return;
    }
    o->offered[at] = slot;
    ring_put(&o->ahead->ring);
}

void outbound_flush(struct outbound *o)
{
    if (o->run == NULL) {
        return;
    }
    if (o->hands_over) {
        claim_offer(&o->run->claim);
        ring_put(&o->pipeline->ring);
        offer_ahead(o, (uint32_t)(o->run - o->runs));
    } else {
        run_seal(o->run, SEALER_SENDER);
        sender_send(&o->sender, o->run, true);
    }
    o->run = NULL;
}

/* A slot for the next run. False: stopped. */
static bool wait_room(struct outbound *o, uint32_t *slot)
{
    struct ring *ring = &o->pipeline->ring;
    while (!ring_wait_room(ring, slot, SEND_WAIT_MS)) {
        if (ring_closed(ring)) {
            return false;
        }
        hands_part(o->dp);
    }
    return true;
}

/* Room for a sealed packet of `len` octets behind those that it may travel with; NULL: stopped. */
static uint8_t *run_reserve(struct outbound *o, size_t len, uint8_t tos)
{
    struct run *run = o->run;
    if (run != NULL && (run->closed || run->n == UDP_RUN_SEGMENTS || run->tos != tos ||
                        len > run->segment || run->used + len > UDP_RUN_MAX)) {
        outbound_flush(o);
    }
    if (o->run == NULL) {
        uint32_t slot;
        if (!wait_room(o, &slot)) {
            return NULL;
        }
        o->run = &o->runs[slot];
        run_begin(o->run, &o->table->target, o->epoch, o->generation);
        o->run->segment = len;
        o->run->tos = tos;
    }
    return o->run->data + o->run->used;
}

static void count_wrapped(struct datapath *dp, struct out_entry *out, size_t len)
{
    bool news = large_pass(&dp->large, len);
    if (usage_spend(&out->usage, len) || news) {
        datapath_tell(dp);
    }
}

/* The `len` octets at `inner` are the next packet of the run. */
static void run_add(struct outbound *o, uint8_t *inner, size_t len)
{
    struct run *run = o->run;
    struct esp_packet *packet = &run->packets[run->waiting];
    *packet = (struct esp_packet){.data = inner, .len = len};
    esp_wrap(o->out->sa, packet);
    if (packet->err != OK) {
        count(o->dp, OUT_USED_UP, 1);
        return;
    }
    count_wrapped(o->dp, o->out, packet->result_len);
    run->along[run->waiting++] = o->out;
    run->used += packet->result_len;
    run->inner += len;
    run->n++;
    run->closed = packet->result_len < run->segment;
    if (run->waiting == SEAL_BATCH && !o->hands_over) {
        run_seal(run, SEALER_SENDER);
    }
}

/* Puts the next packet of `s` (or, with `s` NULL, the `len` octets at `packet`) straight into the
 * run. False: it cannot be. */
static bool put_packet(struct outbound *o, struct segmenter *s, const uint8_t *packet, size_t len,
                       uint8_t tos)
{
    size_t sealed = esp_sealed_len(&o->out->suite, len);
    if (sealed > UDP_RUN_MAX) {
        count(o->dp, OUT_TOO_BIG, 1);
        return false;
    }
    uint8_t *room = run_reserve(o, sealed, tos);
    if (room == NULL) {
        return false;
    }
    uint8_t *inner = room + esp_headroom(&o->out->suite);
    if (s != NULL) {
        segment_next(s, inner);
    } else {
        memcpy(inner, packet, len);
    }
    run_add(o, inner, len);
    return true;
}

/* ---- packets above the MTU ---- */

static bool error_allowed(struct outbound *o)
{
    uint64_t now = boottime_now();
    uint64_t full = ERROR_BURST * ERROR_INTERVAL_US;
    o->error_allowance_us += now - o->error_last_us;
    o->error_last_us = now;
    if (o->error_allowance_us > full) {
        o->error_allowance_us = full;
    }
    if (o->error_allowance_us < ERROR_INTERVAL_US) {
        return false;
    }
    o->error_allowance_us -= ERROR_INTERVAL_US;
    return true;
}

static void report_too_big(struct outbound *o, const struct ip_info *info, const uint8_t *packet,
                           size_t limit)
{
    struct virtio_net_hdr hdr = {.gso_type = VIRTIO_NET_HDR_GSO_NONE};
    size_t before = o->dp->config.vnet_hdr ? sizeof(hdr) : 0;
    if (!error_allowed(o)) {
        return;
    }
    memcpy(o->error, &hdr, before);
    size_t len = icmp_too_big(info, packet, (uint16_t)limit, o->error + before);
    if (len > 0 && write(o->dp->config.tun_fd, o->error, before + len) < 0) {
        return; /* the sender will try again, and so shall we */
    }
}

/* False when the rest of the frame is dropped too. */
static bool oversize(struct outbound *o, struct segmenter *s, size_t limit, uint8_t tos)
{
    struct ip_info info;
    size_t len = segment_next_len(s);
    segment_next(s, o->scratch);
    if (!ip_parse(&info, o->scratch, len)) {
        count(o->dp, OUT_MALFORMED, 1);
        return false;
    }
    if (info.dont_fragment) {
        report_too_big(o, &info, o->scratch, limit);
        count(o->dp, OUT_TOO_BIG, 1);
        return false;
    }
    size_t offset = 0;
    while ((len = ipv4_fragment(&info, o->scratch, &offset, limit, o->fragment)) > 0) {
        if (!put_packet(o, NULL, o->fragment, len, tos)) {
            return false;
        }
    }
    return true;
}

/* ---- frames ---- */

void outbound_begin(struct outbound *o)
{
    struct datapath *dp = o->dp;
    uint32_t oldest;
    o->hands_over = pipeline_hands_over(o->pipeline);
    if (o->hands_over) {
        hands_part(dp); /* the ring may be full for long */
    }
    o->epoch = quiesce_epoch(&dp->quiesce);
    bool holds = ring_oldest(&o->pipeline->ring, &oldest);
    quiesce_online(&dp->quiesce, THREAD_OUT, holds ? o->runs[oldest].epoch : o->epoch);
    o->generation = atomic_load(&dp->generation); /* first: it may be older than they are */
    o->table = atomic_load(&dp->out);
    o->mtu = atomic_load(&dp->mtu);
}

static struct out_entry *ask_all(const struct out_table *table, const struct flow *flow)
{
    for (size_t i = 0; i < table->n; i++) {
        if (esp_out_selects(table->entries[i]->sa, flow)) {
            return table->entries[i];
        }
    }
    return NULL;
}

static struct out_entry *select_sa(struct outbound *o, const struct ip_info *info,
                                   const uint8_t *packet)
{
    struct flow flow;
    flow_of(&flow, info, packet);
    if (o->flows_serial != o->table->serial) {
        o->flows_serial = o->table->serial;
        memset(o->flows, 0, sizeof(o->flows));
    }
    struct flow_slot *slot = &o->flows[flow_hash(&flow) & (FLOWS - 1)];
    if (memcmp(&slot->flow, &flow, sizeof(flow)) != 0) {
        slot->flow = flow;
        slot->out = ask_all(o->table, &flow);
    }
    return slot->out;
}

void outbound_frame(struct outbound *o, uint8_t *frame, size_t len)
{
    struct virtio_net_hdr hdr = {.gso_type = VIRTIO_NET_HDR_GSO_NONE};
    if (o->dp->config.vnet_hdr) {
        if (len < sizeof(hdr)) {
            count(o->dp, OUT_MALFORMED, 1);
            return;
        }
        memcpy(&hdr, frame, sizeof(hdr));
        frame += sizeof(hdr);
        len -= sizeof(hdr);
    }
    if (o->table == NULL || o->table->n == 0 || o->table->paths == 0) {
        count(o->dp, OUT_NO_SA, 1);
        return;
    }
    struct segmenter s;
    if (segment_begin(&s, &hdr, frame, len) != OK) {
        count(o->dp, OUT_MALFORMED, 1);
        return;
    }
    o->out = select_sa(o, &s.info, frame);
    if (o->out == NULL) {
        count(o->dp, OUT_POLICY, 1);
        return;
    }
    size_t limit = datapath_limit(o->mtu, s.info.family);
    tcp_clamp_mss(&s.info, frame, o->mtu);
    uint8_t tos = esp_outer_tos(frame, len);
    size_t next;
    while ((next = segment_next_len(&s)) > 0) {
        bool goes_on =
            next <= limit ? put_packet(o, &s, NULL, next, tos) : oversize(o, &s, limit, tos);
        if (!goes_on) {
            return;
        }
    }
}

bool outbound_release(struct outbound *o)
{
    if (!ring_empty(&o->pipeline->ring)) {
        return false;
    }
    quiesce_offline(&o->dp->quiesce, THREAD_OUT);
    return true;
}

int outbound_some(struct outbound *o)
{
    /* The packet behind the virtio header starts at a multiple of 16. */
    uint8_t *frame = o->frame + 16 - (o->dp->config.vnet_hdr ? sizeof(struct virtio_net_hdr) : 0);
    size_t cap = (size_t)(o->frame + sizeof(o->frame) - frame);
    size_t octets = 0;
    int frames = 0;
    bool gone = false;
    outbound_begin(o);
    while (frames < BATCH_FRAMES && octets < BATCH_OCTETS) {
        ssize_t n = read(o->dp->config.tun_fd, frame, cap);
        if (n <= 0) {
            gone = n == 0 || (errno != EAGAIN && errno != EINTR);
            break;
        }
        outbound_frame(o, frame, (size_t)n);
        octets += (size_t)n;
        frames++;
    }
    outbound_flush(o);
    return gone ? -1 : frames;
}

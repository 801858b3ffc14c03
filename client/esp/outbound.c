/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/boottime.h"
#include "esp/datapath_internal.h"
#include "esp/selector.h"

/* TUN to UDP: read, cut, seal, send. */

/* Before the other direction has its turn. */
#define BATCH_FRAMES 64
#define BATCH_OCTETS (512 << 10)

/* At most this many ICMP errors at once, and one more each interval (RFC 1812 4.3.2.8, RFC 4443 2.4
 * f). */
#define ERROR_BURST 64
#define ERROR_INTERVAL_US 2000

/* Packets that are sealed at once: many enough for ciphers with lanes, few enough for the first
 * cache. */
#define SEAL_BATCH 16

/* Packets in a row, equal in size but for the last: one system call. The last `waiting` of them are
 * not sealed yet. */
struct run {
    size_t used;
    size_t segment; /* octets of the first */
    unsigned n;
    bool closed; /* the last was shorter */
    uint8_t tos;
    uint64_t inner; /* octets, for the counters */
    unsigned waiting;
    struct out_entry *out; /* of those that wait */
    struct esp_packet batch[SEAL_BATCH];
    uint8_t data[UDP_RUN_MAX];
};

/* Which SA a flow takes, so that the others are not asked for every packet. */
#define FLOWS 64 /* a power of two */

struct flow_slot {
    struct flow flow; /* family 0: unused */
    struct out_entry *out;
};

struct outbound {
    struct datapath *dp;
    struct out_table *table;
    uint64_t flows_serial; /* of the table that `flows` was filled from */
    struct flow_slot flows[FLOWS];
    struct out_entry *out; /* of the frame at hand */
    uint16_t mtu;
    uint64_t generation;
    bool gso_off; /* refused on this path */
    uint64_t error_allowance_us;
    uint64_t error_last_us;
    /* From its data on nothing is cleared: pages that no packet needs are never made. */
    struct run run;
    uint8_t scratch[IP_PACKET_MAX];
    uint8_t fragment[IP_PACKET_MAX];
    uint8_t error[sizeof(struct virtio_net_hdr) + ICMP_TOO_BIG_MAX];
    _Alignas(16) uint8_t frame[16 + TUN_FRAME_MAX];
};

struct outbound *outbound_new(struct datapath *dp)
{
    struct outbound *o = aligned_alloc(64, (sizeof(*o) + 63) / 64 * 64);
    if (o != NULL) {
        memset(o, 0, offsetof(struct outbound, run.data));
        o->dp = dp;
        o->error_allowance_us = ERROR_BURST * ERROR_INTERVAL_US;
    }
    return o;
}

void outbound_free(struct outbound *o)
{
    free(o);
}

/* ---- sealing ---- */

static void report_large(struct datapath *dp)
{
    atomic_store(&dp->large, LARGE_NEVER);
    if (usage_note(&dp->large_note)) {
        datapath_tell(dp);
    }
}

static void count_sealed(struct outbound *o, size_t len)
{
    if (usage_spend(&o->run.out->usage, len)) {
        datapath_tell(o->dp);
    }
    if (len > atomic_load_explicit(&o->dp->large, memory_order_relaxed)) {
        report_large(o->dp);
    }
}

/* Seals what waits. What cannot be sealed leaves the run: the next one takes its place. */
static void run_seal(struct outbound *o)
{
    struct run *run = &o->run;
    unsigned n = run->waiting;
    if (n == 0) {
        return;
    }
    esp_seal_batch(run->out->sa, run->batch, n);
    uint8_t *at = run->batch[0].data - esp_headroom(&run->out->suite);
    run->waiting = 0;
    run->n -= n;
    run->closed = false;
    for (unsigned i = 0; i < n; i++) {
        const struct esp_packet *packet = &run->batch[i];
        if (packet->err != OK) {
            count(o->dp, OUT_NO_SA, 1); /* its numbers are used up */
            run->inner -= packet->len;
            continue;
        }
        if (packet->result != at) {
            memmove(at, packet->result, packet->result_len);
        }
        at += packet->result_len;
        run->n++;
        run->closed = packet->result_len < run->segment;
        count_sealed(o, packet->result_len);
    }
    run->used = (size_t)(at - run->data);
}

/* ---- sending ---- */

/* Sends, waiting while the socket is full. */
static int send_blocking(struct outbound *o, const uint8_t *data, size_t len, size_t segment,
                         uint8_t tos)
{
    int failed;
    while ((failed = udp_send(&o->table->target, data, len, segment, tos)) == EAGAIN) {
        hands_part(o->dp);
        if (!datapath_wait(o->dp, o->table->target.fd, POLLOUT)) {
            break;
        }
    }
    return failed;
}

static void count_failure(struct outbound *o, int failed, unsigned packets)
{
    count(o->dp, failed == EMSGSIZE ? OUT_TOO_BIG : OUT_SEND, packets);
}

/* One call for each packet; returns how many were taken. */
static unsigned send_singly(struct outbound *o)
{
    struct run *run = &o->run;
    unsigned sent = 0;
    for (size_t at = 0; at < run->used; at += run->segment) {
        size_t len = run->used - at < run->segment ? run->used - at : run->segment;
        int failed = send_blocking(o, run->data + at, len, len, run->tos);
        if (failed == 0) {
            sent++;
        } else {
            count_failure(o, failed, 1);
        }
    }
    return sent;
}

void outbound_flush(struct outbound *o)
{
    struct run *run = &o->run;
    unsigned sent = 0;
    run_seal(o);
    if (run->n > 1 && o->gso_off) {
        sent = send_singly(o);
    } else if (run->n > 0) {
        int failed = send_blocking(o, run->data, run->used, run->segment, run->tos);
        bool refused =
            failed == EIO || failed == EINVAL || failed == EMSGSIZE || failed == EOPNOTSUPP;
        if (failed == 0) {
            sent = run->n;
        } else if (run->n > 1 && refused) {
            sent = send_singly(o);
            if (sent == run->n) {
                o->gso_off = true; /* it was the offload, not the packets */
                count(o->dp, OUT_GSO_FALLBACK, 1);
                if (usage_note(&o->dp->singly_note)) {
                    datapath_tell(o->dp);
                }
            }
        } else {
            count_failure(o, failed, run->n);
        }
    }
    if (sent > 0) {
        count(o->dp, OUT_PACKETS, sent);
        count(o->dp, OUT_OCTETS, run->inner * sent / run->n);
        count_set(o->dp, OUT_LAST, boottime_now());
    }
    run->n = 0;
    run->used = 0;
    run->inner = 0;
    run->closed = false;
}

/* Room for a sealed packet of `len` octets behind those that it may travel with; NULL when it is
 * too long for UDP. */
static uint8_t *run_reserve(struct outbound *o, size_t len, uint8_t tos)
{
    struct run *run = &o->run;
    if (len > UDP_RUN_MAX) {
        return NULL;
    }
    if (run->n > 0 && (run->closed || run->n == UDP_RUN_SEGMENTS || run->tos != tos ||
                       len > run->segment || run->used + len > UDP_RUN_MAX)) {
        outbound_flush(o);
    }
    if (run->n == 0) {
        run->segment = len;
        run->tos = tos;
    }
    return run->data + run->used;
}

/* The `len` octets at `inner` are to become `sealed` octets. */
static void run_add(struct outbound *o, uint8_t *inner, size_t len, size_t sealed)
{
    struct run *run = &o->run;
    run->out = o->out;
    run->batch[run->waiting++] = (struct esp_packet){.data = inner, .len = len};
    run->used += sealed;
    run->inner += len;
    run->n++;
    run->closed = sealed < run->segment;
    if (run->waiting == SEAL_BATCH) {
        run_seal(o);
    }
}

/* Puts the next packet of `s` (or, with `s` NULL, the `len` octets at `packet`) straight into the
 * run. */
static void emit(struct outbound *o, struct segmenter *s, const uint8_t *packet, size_t len,
                 uint8_t tos)
{
    size_t sealed = esp_sealed_len(&o->out->suite, len);
    if (o->run.out != o->out) {
        run_seal(o);
    }
    uint8_t *room = run_reserve(o, sealed, tos);
    if (room == NULL) {
        count(o->dp, OUT_TOO_BIG, 1);
        if (s != NULL) {
            s->done = true;
        }
        return;
    }
    uint8_t *inner = room + esp_headroom(&o->out->suite);
    if (s != NULL) {
        segment_next(s, inner);
    } else {
        memcpy(inner, packet, len);
    }
    run_add(o, inner, len, sealed);
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
        emit(o, NULL, o->fragment, len, tos);
    }
    return true;
}

/* ---- frames ---- */

void outbound_begin(struct outbound *o)
{
    struct datapath *dp = o->dp;
    quiesce_online(&dp->quiesce, THREAD_OUT);
    o->table = atomic_load(&dp->out);
    o->mtu = atomic_load(&dp->mtu);
    uint64_t generation = atomic_load(&dp->generation);
    if (o->generation != generation) {
        o->generation = generation;
        o->gso_off = false; /* another path or size may take it */
    }
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
        if (next <= limit) {
            emit(o, &s, NULL, next, tos);
        } else if (!oversize(o, &s, limit, tos)) {
            return;
        }
    }
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

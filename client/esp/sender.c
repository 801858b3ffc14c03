/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/sender.h"

#include <errno.h>
#include <poll.h>

#include "common/boottime.h"

void run_begin(struct run *run, const struct udp_target *target, uint64_t epoch,
               uint64_t generation)
{
    memset(run, 0, offsetof(struct run, packets));
    run->target = target;
    run->epoch = epoch;
    run->generation = generation;
}

/* ---- sealing ---- */

/* `n` packets of one SA; what they become is moved up to `at`. Returns where it ends. */
static uint8_t *seal_batch(struct run *run, const struct esp_out *sa, unsigned sealer,
                           struct esp_packet *packets, unsigned n, uint8_t *at)
{
    esp_encrypt(sa, sealer, packets, n);
    for (unsigned i = 0; i < n; i++) {
        const struct esp_packet *packet = &packets[i];
        if (packet->err != OK) {
            run->inner -= packet->len;
            run->n--;
            run->unsealed++;
            continue;
        }
        if (packet->result != at) {
            memmove(at, packet->result, packet->result_len);
        }
        at += packet->result_len;
        run->closed = packet->result_len < run->segment;
    }
    return at;
}

void run_seal(struct run *run, unsigned sealer)
{
    unsigned waiting = run->waiting;
    if (waiting == 0) {
        return;
    }
    uint8_t *at = run->packets[0].result;
    run->waiting = 0;
    run->closed = false;
    for (unsigned i = 0, n; i < waiting; i += n) {
        for (n = 1; n < SEAL_BATCH && i + n < waiting && run->along[i + n] == run->along[i]; n++) {
        }
        at = seal_batch(run, run->along[i]->sa, sealer, &run->packets[i], n, at);
    }
    run->used = (size_t)(at - run->data);
}

/* ---- sending ---- */

static int send_blocking(struct sender *s, const struct run *run, size_t at, size_t len)
{
    size_t segment = run->segment < len ? run->segment : len;
    int failed;
    while ((failed = udp_send(run->target, run->data + at, len, segment, run->tos)) == EAGAIN) {
        if (s->alone) {
            hands_part(s->dp);
        }
        if (!datapath_wait(s->dp, run->target->fd, POLLOUT, SEND_WAIT_MS)) {
            break;
        }
    }
    return failed;
}

static void count_failure(struct sender *s, int failed, unsigned packets)
{
    count(s->dp, failed == EMSGSIZE ? OUT_TOO_BIG_OUTSIDE : OUT_SEND, packets);
}

/* One call for each packet; returns how many were taken. */
static unsigned send_singly(struct sender *s, const struct run *run)
{
    unsigned sent = 0;
    for (size_t at = 0; at < run->used; at += run->segment) {
        size_t len = run->used - at < run->segment ? run->used - at : run->segment;
        int failed = send_blocking(s, run, at, len);
        if (failed == 0) {
            sent++;
        } else {
            count_failure(s, failed, 1);
        }
    }
    return sent;
}

/* Returns how many packets were taken. */
static unsigned send_run(struct sender *s, const struct run *run)
{
    if (s->generation != run->generation) {
        s->generation = run->generation;
        s->gso_off = false; /* another path or size may take it */
    }
    if (run->n > 1 && s->gso_off) {
        return send_singly(s, run);
    }
    int failed = send_blocking(s, run, 0, run->used);
    if (failed == 0) {
        return run->n;
    }
    bool refused = failed == EIO || failed == EINVAL || failed == EMSGSIZE || failed == EOPNOTSUPP;
    if (run->n == 1 || !refused) {
        count_failure(s, failed, run->n);
        return 0;
    }
    unsigned sent = send_singly(s, run);
    if (sent == run->n) {
        s->gso_off = true; /* it was the offload, not the packets */
        count(s->dp, OUT_GSO_FALLBACK, 1);
        if (usage_note(&s->dp->singly_note)) {
            datapath_tell(s->dp);
        }
    }
    return sent;
}

void sender_send(struct sender *s, const struct run *run, bool alone)
{
    s->alone = alone;
    if (run->unsealed > 0) {
        count(s->dp, OUT_UNSEALED, run->unsealed);
    }
    if (run->n == 0) {
        return;
    }
    unsigned sent = send_run(s, run);
    if (sent > 0) {
        count(s->dp, OUT_PACKETS, sent);
        count(s->dp, OUT_OCTETS, run->inner * sent / run->n);
        count_set(s->dp, OUT_LAST, boottime_now());
    }
}

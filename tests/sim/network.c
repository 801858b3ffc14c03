/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/network.h"

#define DEFAULT_DELAY_US UINT64_C(5000)
#define MASK_BITS 64

uint64_t sim_random(struct sim_random *random)
{
    uint64_t z = (random->state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint32_t sim_below(struct sim_random *random, uint32_t n)
{
    return (uint32_t)(sim_random(random) % n);
}

bool sim_chance(struct sim_random *random, unsigned permille)
{
    return permille > 0 && sim_below(random, 1000) < permille;
}

void datagram_free(struct datagram *datagram)
{
    if (datagram != NULL) {
        g_free(datagram->data);
        g_free(datagram);
    }
}

static void destroy(gpointer datagram)
{
    datagram_free(datagram);
}

void network_init(struct network *network, const struct faults *faults)
{
    *network = (struct network){.faults = *faults};
    network->in_flight = g_ptr_array_new_with_free_func(destroy);
}

void network_free(struct network *network)
{
    g_ptr_array_unref(network->in_flight);
}

static uint64_t delay_of(const struct faults *faults, struct sim_random *random)
{
    uint64_t delay = faults->delay_max_us == 0 ? DEFAULT_DELAY_US : faults->delay_min_us;

    if (faults->delay_max_us > faults->delay_min_us) {
        delay += sim_below(random, (uint32_t)(faults->delay_max_us - faults->delay_min_us));
    }
    return delay;
}

static struct datagram *enqueue(struct network *network, struct sim_random *random, bool to_gateway,
                                const struct path *path, struct bytes data, uint64_t now)
{
    struct datagram *datagram = g_new0(struct datagram, 1);

    datagram->at = now + delay_of(&network->faults, random);
    datagram->order = network->order++;
    datagram->to_gateway = to_gateway;
    datagram->from = path->local;
    datagram->to = path->remote;
    datagram->data = g_memdup2(data.data, data.len);
    datagram->len = data.len;
    g_ptr_array_add(network->in_flight, datagram);
    return datagram;
}

/* True when it arrives somewhere. */
static bool route(struct network *network, bool to_gateway, struct path *path, uint64_t now)
{
    return to_gateway ? places_to_gateway(&network->places, path, now)
                      : places_to_client(&network->places, path, now);
}

void network_send_mark(struct network *network, struct sim_random *random, bool to_gateway,
                       const struct path *path, uint32_t spi, uint64_t now)
{
    struct path translated = *path;

    if (!network->faults.partition && route(network, to_gateway, &translated, now)) {
        enqueue(network, random, to_gateway, &translated, (struct bytes){0}, now)->spi = spi;
    }
}

static bool marked(size_t n, uint64_t mask)
{
    return n < MASK_BITS && (mask >> n & 1) != 0;
}

const char *network_send(struct network *network, struct sim_random *random, bool to_gateway,
                         const struct path *path, struct bytes data, uint64_t now)
{
    const struct faults *faults = &network->faults;
    size_t n = to_gateway ? network->sent_to_gateway++ : network->sent_to_client++;
    struct path translated = *path;
    struct datagram *datagram;
    const char *fate = "";

    if (!route(network, to_gateway, &translated, now)) {
        network->lost++;
        return "lost in the wrong place";
    }
    if (faults->partition ||
        marked(n, to_gateway ? faults->lose_to_gateway : faults->lose_to_client) ||
        sim_chance(random, faults->lose)) {
        network->lost++;
        return "lost";
    }
    datagram = enqueue(network, random, to_gateway, &translated, data, now);
    if (marked(n, to_gateway ? faults->hold_to_gateway : faults->hold_to_client)) {
        datagram->at += faults->hold_us;
        fate = "held up";
    }
    if (data.len > 0 &&
        (marked(n, to_gateway ? faults->corrupt_to_gateway : faults->corrupt_to_client) ||
         sim_chance(random, faults->corrupt))) {
        datagram->data[sim_below(random, (uint32_t)data.len)] ^=
            (uint8_t)(1U << sim_below(random, 8));
        network->corrupted++;
        datagram->corrupted = true;
        fate = "corrupted";
    }
    if (marked(n, to_gateway ? faults->duplicate_to_gateway : faults->duplicate_to_client) ||
        sim_chance(random, faults->duplicate)) {
        enqueue(network, random, to_gateway, &translated, data, now);
        network->duplicated++;
        fate = *fate != '\0' ? "corrupted, and duplicated" : "duplicated";
    }
    return fate;
}

static guint first(const struct network *network)
{
    guint best = 0;

    for (guint i = 1; i < network->in_flight->len; i++) {
        const struct datagram *a = g_ptr_array_index(network->in_flight, i);
        const struct datagram *b = g_ptr_array_index(network->in_flight, best);

        if (a->at < b->at || (a->at == b->at && a->order < b->order)) {
            best = i;
        }
    }
    return best;
}

uint64_t network_deadline(const struct network *network)
{
    const struct datagram *next;

    if (network->in_flight->len == 0) {
        return IKE_NEVER;
    }
    next = g_ptr_array_index(network->in_flight, first(network));
    return next->at;
}

struct datagram *network_receive(struct network *network, uint64_t now)
{
    if (network_deadline(network) > now) {
        return NULL;
    }
    return g_ptr_array_steal_index_fast(network->in_flight, first(network));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "crypto/crypt.h"
#include "esp/datapath_internal.h"

/* Linux 6.2 */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define MTU_MIN 68 /* RFC 791 3.2: what every network carries */

bool datapath_wait(struct datapath *dp, int fd, short events, int timeout)
{
    struct pollfd fds[2] = {{dp->wake, POLLIN, 0}, {fd, events, 0}};
    while (poll(fds, 2, timeout) < 0 && errno == EINTR) {
    }
    return fds[0].revents == 0 && (fds[1].revents & POLLNVAL) == 0;
}

void datapath_tell(struct datapath *dp)
{
    uint64_t one = 1;
    while (write(dp->news, &one, sizeof(one)) < 0 && errno == EINTR) {
    } /* a full eventfd is readable as well */
}

/* ---- start and stop ---- */

bool datapath_thread(pthread_t *thread, void *(*run)(void *), void *argument)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0;
}

/* The offloads that segment.c undoes. What the kernel does not know it does not do; a TUN emulated
 * in a test knows none. True when UDP's are among them, then it takes such frames as well. */
static bool ask_offload(int fd)
{
    unsigned long tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
    bool uso = ioctl(fd, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6) == 0;
    if (!uso) {
        (void)ioctl(fd, TUNSETOFFLOAD, tcp);
    }
    return uso;
}

static void free_lanes(struct crypt_lanes *const lanes[static DATAPATH_LANES])
{
    for (unsigned i = 0; i < DATAPATH_LANES; i++) {
        crypt_lanes_free(lanes[i]);
    }
}

unsigned datapath_lanes(void)
{
    return pipeline_processors() > 2 ? DATAPATH_LANES : LANE_AHEAD;
}

static enum err prepare(struct datapath *dp, const struct datapath_config *config)
{
    dp->config = *config;
    dp->uso = config->vnet_hdr && ask_offload(config->tun_fd);
    dp->helped = pipeline_processors() > 1;
    dp->lanes = datapath_lanes();
    dp->wake = dp->news = -1;
    dp->ike[0] = dp->ike[1] = -1;
    quiesce_init(&dp->quiesce);
    datapath_set_mtu(dp, config->mtu);
    atomic_init(&dp->large, LARGE_NEVER);
    enum err err = sa_table_init(&dp->in);
    for (unsigned i = 0; i < dp->lanes && err == OK; i++) {
        if (dp->config.lanes[i] == NULL) {
            err = crypt_lanes_new(&dp->config.lanes[i], CRYPT_FASTEST);
        }
    }
    if (err != OK) {
        return err;
    }
    dp->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    dp->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (dp->wake < 0 || dp->news < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, dp->ike) != 0) {
        return ERR_MEMORY;
    }
    dp->outbound = outbound_new(dp);
    dp->inbound = inbound_new(dp);
    return dp->outbound != NULL && dp->inbound != NULL ? OK : ERR_MEMORY;
}

enum err datapath_start(struct datapath **out, const struct datapath_config *config)
{
    *out = NULL;
    struct datapath *dp = aligned_alloc(64, (sizeof(*dp) + 63) / 64 * 64);
    if (dp == NULL) {
        free_lanes(config->lanes);
        return ERR_MEMORY;
    }
    memset(dp, 0, sizeof(*dp));
    enum err err = prepare(dp, config);
    if (err == OK) {
        int flags = fcntl(config->tun_fd, F_GETFL);
        if (flags < 0 || fcntl(config->tun_fd, F_SETFL, flags | O_NONBLOCK) != 0) {
            err = ERR_STATE;
        }
    }
    if (err == OK) {
        if (config->udp4_fd >= 0) {
            udp_setup(config->udp4_fd, FAMILY_IPV4);
        }
        if (config->udp6_fd >= 0) {
            udp_setup(config->udp6_fd, FAMILY_IPV6);
        }
        for (unsigned i = 0; i < QUIESCE_THREADS && dp->helped && err == OK; i++) {
            err = pipeline_start(&dp->pipelines[i]);
        }
        if (err == OK && dp->lanes > LANE_AHEAD) {
            err = pipeline_start(&dp->ahead);
        }
    }
    if (err == OK) {
        err = hands_start(dp);
    }
    if (err != OK) {
        datapath_stop(dp);
        return err;
    }
    *out = dp;
    return OK;
}

static void close_fd(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

void datapath_stop(struct datapath *dp)
{
    if (dp == NULL) {
        return;
    }
    atomic_store(&dp->stop, true);
    uint64_t one = 1;
    if (dp->wake >= 0 && write(dp->wake, &one, sizeof(one)) != sizeof(one)) {
        atomic_store(&dp->stop, true); /* a full eventfd is readable as well */
    }
    bool ran = dp->n_threads > 0;
    for (unsigned i = 0; i < QUIESCE_THREADS; i++) {
        pipeline_stop(&dp->pipelines[i]);
    }
    pipeline_stop(&dp->ahead);
    hands_stop(dp);
    quiesce_offline(&dp->quiesce, THREAD_OUT); /* what it held for its second thread */
    if (ran) {
        udp_teardown(dp->config.udp4_fd);
        udp_teardown(dp->config.udp6_fd);
    }
    datapath_commit(dp);
    struct out_table *out = atomic_load(&dp->out);
    for (size_t i = 0; out != NULL && i < out->n; i++) {
        quiesce_retire(&dp->quiesce, &out->entries[i]->retired);
    }
    quiesce_retire(&dp->quiesce, out != NULL ? &out->retired : NULL);
    quiesce_reclaim(&dp->quiesce);
    sa_table_free(&dp->in);
    free_lanes(dp->config.lanes);
    outbound_free(dp->outbound);
    inbound_free(dp->inbound);
    close_fd(dp->wake);
    close_fd(dp->news);
    close_fd(dp->ike[0]);
    close_fd(dp->ike[1]);
    free(dp);
}

/* ---- security associations ---- */

enum err datapath_add_in(struct datapath *dp, const struct datapath_child *child,
                         const struct esp_params *params)
{
    struct esp_in *sa;
    struct usage usage;
    usage_init(&usage, child->octets, child->packets);
    quiesce_reclaim(&dp->quiesce);
    enum err err = esp_in_new(&sa, params, dp->config.lanes[LANE_IN]);
    if (err == OK) {
        err = sa_table_add(&dp->in, &dp->quiesce, child->spi_in, sa, &usage);
        if (err != OK) {
            esp_in_free(sa);
        }
    }
    return err;
}

void datapath_remove_in(struct datapath *dp, uint32_t spi_in)
{
    sa_table_remove(&dp->in, &dp->quiesce, spi_in);
}

static void release_out(struct retired *object)
{
    struct out_entry *entry = (struct out_entry *)object;
    esp_out_free(entry->sa);
    free(entry);
}

static void release_plain(struct retired *object)
{
    free(object);
}

static struct out_entry *out_entry_new(const struct datapath *dp,
                                       const struct datapath_child *child,
                                       const struct esp_params *params, enum err *err)
{
    struct out_entry *entry = calloc(1, sizeof(*entry));
    if (entry == NULL) {
        *err = ERR_MEMORY;
        return NULL;
    }
    entry->retired.release = release_out;
    entry->spi_in = child->spi_in;
    entry->reqid = child->reqid;
    entry->suite = params->suite;
    usage_init(&entry->usage, child->octets, child->packets);
    *err = esp_out_new(&entry->sa, params, dp->config.lanes[LANE_OUT]);
    if (*err == OK && dp->lanes > LANE_AHEAD) {
        *err = esp_out_add_sealer(entry->sa, SEALER_AHEAD, params, dp->config.lanes[LANE_AHEAD]);
    }
    if (*err != OK) {
        esp_out_free(entry->sa);
        free(entry);
        return NULL;
    }
    return entry;
}

/* As it is, or is to be. */
static struct out_table *latest(const struct datapath *dp)
{
    return dp->next != NULL ? dp->next : atomic_load(&dp->out);
}

static bool holds(const struct out_table *table, const struct out_entry *entry)
{
    bool found = false;
    for (size_t i = 0; table != NULL && i < table->n; i++) {
        found = found || table->entries[i] == entry;
    }
    return found;
}

/* Room for one more entry than there are; NULL: memory. */
static struct out_table *copy_latest(const struct datapath *dp)
{
    const struct out_table *before = latest(dp);
    size_t n = before != NULL ? before->n : 0;
    struct out_table *after = calloc(1, sizeof(*after) + (n + 1) * sizeof(after->entries[0]));
    if (after == NULL) {
        return NULL;
    }
    if (before != NULL) {
        memcpy(after, before, sizeof(*before) + n * sizeof(before->entries[0]));
    }
    after->retired = (struct retired){.release = release_plain};
    after->serial++;
    return after;
}

static void publish(struct datapath *dp, struct out_table *table)
{
    struct out_table *before = atomic_exchange(&dp->out, table);
    if (table->paths != (before != NULL ? before->paths : 0)) {
        atomic_fetch_add(&dp->generation, 1);
    }
    for (size_t i = 0; before != NULL && i < before->n; i++) {
        if (!holds(table, before->entries[i])) {
            quiesce_retire(&dp->quiesce, &before->entries[i]->retired);
        }
    }
    quiesce_retire(&dp->quiesce, before != NULL ? &before->retired : NULL);
}

/* `table` comes in the place of the latest. */
static void put(struct datapath *dp, struct out_table *table)
{
    struct out_table *superseded = dp->next;
    dp->next = table;
    if (superseded != NULL) {
        const struct out_table *in_use = atomic_load(&dp->out);
        for (size_t i = 0; i < superseded->n; i++) {
            if (!holds(table, superseded->entries[i]) && !holds(in_use, superseded->entries[i])) {
                release_out(&superseded->entries[i]->retired);
            }
        }
        free(superseded);
    }
    if (!dp->held) {
        datapath_commit(dp);
    }
}

void datapath_hold(struct datapath *dp)
{
    dp->held = true;
}

void datapath_commit(struct datapath *dp)
{
    dp->held = false;
    if (dp->next != NULL) {
        publish(dp, dp->next);
        dp->next = NULL;
    }
}

/* The latest table with `entry` (may be NULL) in the place of `old`, or first when that is NULL. */
static enum err replace_out(struct datapath *dp, const struct out_entry *old,
                            struct out_entry *entry)
{
    struct out_table *table = copy_latest(dp);
    size_t n = 0;
    if (table == NULL) {
        return ERR_MEMORY;
    }
    if (old == NULL) {
        memmove(&table->entries[1], &table->entries[0], table->n * sizeof(table->entries[0]));
        table->entries[0] = entry;
        table->n++;
    }
    for (size_t i = 0; i < table->n; i++) {
        struct out_entry *kept = table->entries[i] == old ? entry : table->entries[i];
        if (kept != NULL) {
            table->entries[n++] = kept;
        }
    }
    table->n = n;
    put(dp, table);
    return OK;
}

enum err datapath_set_out(struct datapath *dp, const struct datapath_child *child,
                          const struct esp_params *params)
{
    const struct out_table *table = latest(dp);
    const struct out_entry *old = NULL;
    for (size_t i = 0; table != NULL && i < table->n; i++) {
        if (table->entries[i]->reqid == child->reqid) {
            old = table->entries[i];
        }
    }
    enum err err;
    struct out_entry *entry = out_entry_new(dp, child, params, &err);
    if (entry == NULL) {
        return err;
    }
    err = replace_out(dp, old, entry);
    if (err != OK) {
        release_out(&entry->retired);
    }
    return err;
}

enum err datapath_remove_out(struct datapath *dp, uint32_t spi_in)
{
    const struct out_table *table = latest(dp);
    for (size_t i = 0; table != NULL && i < table->n; i++) {
        if (table->entries[i]->spi_in == spi_in) {
            return replace_out(dp, table->entries[i], NULL);
        }
    }
    return OK;
}

const char *datapath_library(const struct datapath *dp, const struct suite *suite)
{
    return crypt_lanes_name(dp->config.lanes[LANE_OUT], suite->encr, suite->integ);
}

/* ---- what the threads have noted ---- */

int datapath_event_fd(const struct datapath *dp)
{
    return dp->news;
}

static bool take_in(struct datapath *dp, struct datapath_event *event)
{
    struct sa_entry *entry;
    for (size_t at = 0; (entry = sa_table_next(&dp->in, &at)) != NULL;) {
        event->spi_in = entry->spi;
        if (usage_take(&entry->usage.heard)) {
            event->type = DATAPATH_HEARD;
            return true;
        }
        if (usage_take(&entry->usage.worn)) {
            event->type = DATAPATH_WORN;
            return true;
        }
    }
    return false;
}

static bool take_out(struct datapath *dp, struct datapath_event *event)
{
    const struct out_table *table = atomic_load(&dp->out);
    for (size_t i = 0; table != NULL && i < table->n; i++) {
        if (usage_take(&table->entries[i]->usage.worn)) {
            *event = (struct datapath_event){DATAPATH_WORN, table->entries[i]->spi_in};
            return true;
        }
    }
    return false;
}

bool datapath_next_event(struct datapath *dp, struct datapath_event *event)
{
    uint64_t told;
    while (read(dp->news, &told, sizeof(told)) < 0 && errno == EINTR) {
    } /* first: what is noted from here on makes it readable again */
    if (large_take(&dp->large)) {
        *event = (struct datapath_event){.type = DATAPATH_LARGE};
        return true;
    }
    if (usage_take(&dp->singly_note)) {
        *event = (struct datapath_event){.type = DATAPATH_SINGLY};
        return true;
    }
    return take_in(dp, event) || take_out(dp, event);
}

/* ---- path and MTU ---- */

enum err datapath_set_path(struct datapath *dp, const struct datapath_path *path)
{
    struct out_table *table = copy_latest(dp);
    if (table == NULL) {
        return ERR_MEMORY;
    }
    table->paths++;
    udp_target_set(&table->target, dp->config.udp4_fd, dp->config.udp6_fd, &path->local,
                   &path->remote, path->ifindex);
    put(dp, table);
    return OK;
}

void datapath_set_mtu(struct datapath *dp, uint16_t mtu)
{
    atomic_store(&dp->mtu, mtu < MTU_MIN ? MTU_MIN : mtu);
    atomic_fetch_add(&dp->generation, 1);
}

void datapath_watch_large(struct datapath *dp, uint16_t octets)
{
    atomic_store(&dp->large, octets);
}

void datapath_get_counters(const struct datapath *dp, struct datapath_counters *out)
{
    uint64_t now[N_COUNTERS];
    for (size_t i = 0; i < N_COUNTERS; i++) {
        now[i] = atomic_load_explicit(&dp->counters[i], memory_order_relaxed);
    }
    *out = (struct datapath_counters){
        .in_octets = now[IN_OCTETS],
        .in_packets = now[IN_PACKETS],
        .out_octets = now[OUT_OCTETS],
        .out_packets = now[OUT_PACKETS],
        .in_dropped_replay = now[IN_REPLAY],
        .in_dropped_integrity = now[IN_INTEGRITY],
        .in_dropped_unknown_spi = now[IN_UNKNOWN_SPI],
        .in_dropped_policy = now[IN_POLICY],
        .in_dropped_malformed = now[IN_MALFORMED] + now[IN_MALFORMED_INSIDE],
        .in_dropped_tun = now[IN_TUN],
        .in_dropped_socket = now[IN_SOCKET],
        .in_dropped_queue = now[IN_QUEUE],
        .ike_dropped = now[IN_IKE],
        .out_dropped_no_sa = now[OUT_NO_SA] + now[OUT_USED_UP] + now[OUT_UNSEALED],
        .out_dropped_policy = now[OUT_POLICY],
        .out_dropped_too_big = now[OUT_TOO_BIG] + now[OUT_TOO_BIG_OUTSIDE],
        .out_dropped_send = now[OUT_SEND],
        .out_dropped_malformed = now[OUT_MALFORMED],
        .gso_fallbacks = now[OUT_GSO_FALLBACK],
        .last_in_us = now[IN_LAST],
        .last_out_us = now[OUT_LAST],
    };
}

/* ---- IKE ---- */

int datapath_ike_fd(const struct datapath *dp)
{
    return dp->ike[0];
}

size_t datapath_ike_receive(struct datapath *dp, uint8_t *out, size_t cap, struct endpoint *local,
                            struct endpoint *remote, bool *marker)
{
    quiesce_reclaim(&dp->quiesce);
    for (;;) {
        struct ike_item item;
        struct iovec iov[2] = {{&item, sizeof(item)}, {out, cap}};
        struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
        ssize_t n = recvmsg(dp->ike[0], &msg, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < (ssize_t)sizeof(item)) {
            return 0;
        }
        if ((msg.msg_flags & MSG_TRUNC) == 0) {
            *local = item.local;
            *remote = item.remote;
            *marker = item.marker;
            return (size_t)n - sizeof(item);
        }
    }
}

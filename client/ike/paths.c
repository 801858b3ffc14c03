/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <limits.h>

#include "common/i18n.h"

/*
 * Along which pair of addresses the IKE SA and its ESP go. ike->path is where our requests go; ESP
 * follows when an authenticated answer has come back along it, or at once when the address that it
 * left from is gone and the gateway's is one that has answered before (RFC 4555 3.5, 3.7).
 *
 * A path that is in doubt is given a few tries; then the request in flight goes, octet for octet,
 * along other pairs as well, and the pair along which the answer comes back is taken. The one in
 * use has a head start each time, as in RFC 8305 5: a gateway answers the copy that comes first,
 * and what loses packets works still.
 */

#define QUICK_US UINT64_C(250000)
#define QUICK_MAX_US UINT64_C(1000000)
#define HEAD_START_MIN_US UINT64_C(100000)
#define HEAD_START_MAX_US UINT64_C(250000) /* shorter than the shortest pause between two tries */
#define LOST_US UINT64_C(5000000)
#define LOST_TRIES 3
/* A gateway that has not been heard for so long may have forgotten us, so that no path is of any
 * help: another IKE SA is begun sooner, which does no harm when this one is heard after all. */
#define FORGOTTEN_US UINT64_C(60000000)
#define LOST_SOON_US UINT64_C(2000000)
/* An address of the family in use may come a little later (duplicate address detection): it is
 * awaited, since gateways make new Child SAs when the family changes. */
#define FAMILY_US UINT64_C(3000000)
#define RETRY_US UINT64_C(30000000)
#define RETRY_MAX_US UINT64_C(600000000)
/* How often a request goes along one pair before others join in. */
#define ALONE_GONE 1   /* the pair in use does not exist any more */
#define ALONE_DOUBT 2  /* there are signs that it may not work */
#define ALONE_STALL 3  /* traffic has stopped a moment ago: it may go on by itself */
#define ALONE_BETTER 3 /* the pair in use works, this one would be better */
#define ALONE_PROBE 3  /* two that may be too large, and an empty one */
#define ALONE_ALIVE 2  /* so many more while ESP comes in */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- what is told ---- */

bool paths_offline(const struct ike *ike)
{
    return ike->paths.told && (ike->paths.n_locals == 0 || ike->paths.stuck);
}

void paths_lose(struct ike *ike, const char *why)
{
    ike->paths.lost_at = IKE_NEVER;
    if (!ike->paths.lost) {
        ike->paths.lost = true;
        ike_emit(ike, &(struct ike_event){
                          .type = IKE_EVENT_PATH_LOST, .text = why, .path = ike->paths.esp});
    }
}

void paths_use(struct ike *ike)
{
    bool moved = !pairs_same(&ike->paths.esp, &ike->path);

    if (!moved && !ike->paths.lost) {
        return;
    }
    ike->paths.lost = false;
    ike->paths.esp = ike->path;
    if (moved) {
        keepalive_moved(ike);
    }
    ike_emit(ike, &(struct ike_event){.type = IKE_EVENT_PATH, .path = ike->path});
}

/* ---- what is known of pairs ---- */

static bool proven(const struct paths *paths, const struct addr *addr)
{
    for (size_t i = 0; i < paths->n_proven; i++) {
        if (addr_equal(&paths->proven[i], addr)) {
            return true;
        }
    }
    return false;
}

void paths_prove(struct paths *paths, const struct addr *addr)
{
    if (proven(paths, addr)) {
        return;
    }
    if (paths->n_proven == PROVEN_MAX) {
        memmove(paths->proven, paths->proven + 1, (PROVEN_MAX - 1) * sizeof paths->proven[0]);
        paths->n_proven--;
    }
    paths->proven[paths->n_proven++] = *addr;
}

static struct failed_pair *failure(struct paths *paths, const struct path *path)
{
    for (size_t i = 0; i < FAILED_MAX; i++) {
        struct failed_pair *pair = &paths->failed[i];

        if (pair->times > 0 && addr_equal(&pair->local, &path->local.addr) &&
            addr_equal(&pair->remote, &path->remote.addr)) {
            return pair;
        }
    }
    return NULL;
}

static bool failed(struct paths *paths, const struct path *path)
{
    const struct failed_pair *pair = failure(paths, path);

    return pair != NULL && pair->until != 0;
}

static void fail(struct ike *ike, const struct path *path)
{
    struct paths *paths = &ike->paths;
    struct failed_pair *pair = failure(paths, path);
    uint64_t wait = RETRY_US;

    if (pair == NULL) {
        pair = &paths->failed[0];
        for (size_t i = 1; i < FAILED_MAX; i++) {
            if (paths->failed[i].until < pair->until) {
                pair = &paths->failed[i];
            }
        }
        *pair = (struct failed_pair){.local = path->local.addr, .remote = path->remote.addr};
    }
    for (unsigned i = 0; i < pair->times && wait < RETRY_MAX_US; i++) {
        wait *= 2;
    }
    pair->times++;
    pair->until = ike->now + (wait < RETRY_MAX_US ? wait : RETRY_MAX_US);
}

/* It has answered. */
static void recover(struct paths *paths, const struct path *path)
{
    struct failed_pair *pair = failure(paths, path);

    if (pair != NULL) {
        pair->until = 0;
    }
}

/* ---- asking ---- */

static uint64_t quick(const struct ike *ike)
{
    uint64_t interval = ike->paths.rtt * 2;

    if (interval < QUICK_US) {
        return QUICK_US;
    }
    return interval < QUICK_MAX_US ? interval : QUICK_MAX_US;
}

/* ESP that was read after we were away may have come before. */
static bool may_be_forgotten(const struct ike *ike)
{
    bool just_back = ike->paths.back_at != 0 && ike->now < ike->paths.back_at + LOST_US;

    return ike->now >= liveness_heard(ike) + FORGOTTEN_US ||
           (just_back && ike->sa.heard < ike->paths.back_at);
}

void paths_notice(struct ike *ike, uint64_t now)
{
    if (now >= ike->now + FORGOTTEN_US) {
        ike->paths.back_at = now;
    }
}

/* The request in flight, or an update or liveness check, goes out now and is repeated soon. */
static void ask(struct ike *ike, unsigned alone)
{
    struct request *request = &ike->sa.request;

    if (!ike->paths.lost && alone != ALONE_BETTER) {
        ike->paths.lost_at = ike->now + (may_be_forgotten(ike) ? LOST_SOON_US : LOST_US);
    }
    ike->paths.n_round = 0;
    if (request->busy) {
        ike->mobike.update = ike->mobike.supported;
        /* Its answer may be to a copy that has come before, and tells where we were then (RFC 4555
         * 3.5). */
        ike->paths.several = true;
        request->tries = 0;
        probe_gives_way(ike);
        request->started = ike->now;
        ike_repeat(ike);
    } else {
        ike->liveness.wanted = !ike->mobike.supported;
        ike->mobike.update = ike->mobike.supported;
        ike_run(ike);
    }
    ike->paths.alone = alone;
    ike->paths.joined = false;
    if (request->busy) {
        request->interval = quick(ike);
        request->due = ike->now + request->interval;
    }
}

/* The IKE SA moves to that pair; ESP too, when it has lost its own. */
static void go(struct ike *ike, const struct path *to, unsigned alone)
{
    struct paths *paths = &ike->paths;

    ike->path = *to;
    ike->mobike.update = true;
    paths->several = true;
    if (pairs_rank(ike, &paths->esp) == UINT_MAX && proven(paths, &to->remote.addr)) {
        paths_use(ike);
    }
    ask(ike, alone);
}

void paths_started(struct ike *ike)
{
    bool probe = ike->sa.request.purpose == TASK_PROBE;
    bool check = ike->sa.request.purpose == TASK_CHECK;
    bool update = ike->sa.request.purpose == TASK_UPDATE;

    if (update) {
        others_follow(ike);
    }
    ike->paths.several = ike->paths.joined = false;
    ike->paths.n_round = 0;
    ike->paths.join_at = IKE_NEVER;
    ike->paths.alone = ALONE_DOUBT;
    if (probe) {
        /* That it is too large says nothing about the path: the empty one has its tries first. */
        ike->paths.alone = ALONE_PROBE;
    } else if (check && liveness_about_stall(ike)) {
        ike->paths.alone = ALONE_STALL;
    }
    if (ike->mobike.supported && (probe || check || update)) {
        ike->sa.request.interval = quick(ike);
        ike->sa.request.due = ike->now + ike->sa.request.interval;
    }
}

void paths_hint(struct ike *ike)
{
    if (ike->paths.lost_at != IKE_NEVER && may_be_forgotten(ike)) {
        ike->paths.lost_at = ike->now;
    }
}

static uint64_t head_start(const struct paths *paths)
{
    uint64_t start = paths->rtt * 2;

    if (start < HEAD_START_MIN_US) {
        return HEAD_START_MIN_US;
    }
    return earlier(start, HEAD_START_MAX_US);
}

/* What is asked is what ESP goes along, and it may work. */
static bool in_use(const struct ike *ike)
{
    const struct paths *paths = &ike->paths;

    return paths->alone != ALONE_GONE && !paths->lost && pairs_same(&paths->esp, &ike->path);
}

static bool in_round(const struct paths *paths, const struct path *path)
{
    for (size_t i = 0; i < paths->n_round; i++) {
        if (pairs_same(&paths->round[i], path)) {
            return true;
        }
    }
    return false;
}

/* What was sent last goes along other pairs too. */
static void join(struct ike *ike)
{
    struct paths *paths = &ike->paths;
    struct datagrams *datagrams = &ike->sa.request.datagrams;
    struct path pairs[PAIRS_MAX];
    size_t n = pairs_list(ike, pairs);

    paths->join_at = IKE_NEVER;
    if (!ike->sa.request.busy || n < 2) {
        return;
    }
    paths->joined = paths->several = true;
    paths->round[0] = ike->path;
    paths->n_round = 1;
    for (size_t i = 0; i < n && paths->n_round < ROUND_MAX; i++) {
        const struct path *pair = &pairs[paths->turn++ % n];

        if (!in_round(paths, pair)) {
            paths->round[paths->n_round++] = *pair;
            rung_also(ike, pair);
        }
    }
    paths->at_round = datagrams->next < datagrams->n ? 0 : 1;
    datagrams->next = 0;
}

/* ESP that has come in since the copy left says that the pair in use lives, one way at least; once
 * others have joined it may be along one of them. */
static void try_others(struct ike *ike)
{
    struct paths *paths = &ike->paths;

    if (!paths->joined && ike->sa.request.tries <= paths->alone + ALONE_ALIVE &&
        ike->liveness.esp + head_start(paths) >= paths->join_at) {
        paths->join_at = IKE_NEVER;
    } else {
        join(ike);
    }
}

void paths_repeated(struct ike *ike)
{
    struct paths *paths = &ike->paths;
    struct request *request = &ike->sa.request;
    struct path pairs[PAIRS_MAX];

    paths->n_round = paths->at_round = 0;
    paths->join_at = IKE_NEVER;
    if (ike->state != ST_UP) {
        return;
    }
    if (request->purpose != TASK_PROBE) {
        keepalive_missed(ike);
    }
    if (request->tries >= LOST_TRIES && paths->lost_at == IKE_NEVER && !paths->lost) {
        paths->lost_at = ike->now + LOST_US;
    }
    if (!ike->mobike.supported) {
        return;
    }
    others_follow(ike);
    if (request->tries < paths->alone || pairs_list(ike, pairs) < 2) {
        return;
    }
    if (in_use(ike) && request->tries == paths->alone) {
        /* So much sooner, that the others are not later for it. */
        request->due -= head_start(paths);
    } else if (in_use(ike)) {
        paths->join_at = ike->now + head_start(paths);
    } else if (request->tries > paths->alone) {
        join(ike);
    }
}

struct bytes paths_output(struct ike *ike, struct path *path)
{
    struct paths *paths = &ike->paths;
    struct datagrams *datagrams = &ike->sa.request.datagrams;
    const struct path *to =
        paths->at_round < paths->n_round ? &paths->round[paths->at_round] : &ike->path;
    size_t sent = datagrams->next;
    struct bytes datagram = exchange_output(&ike->sa, to, path);

    if (datagrams->next != sent && datagrams->next == datagrams->n &&
        paths->at_round < paths->n_round && ++paths->at_round < paths->n_round) {
        datagrams->next = 0;
    }
    return datagram;
}

/* ---- answers ---- */

static void measure(struct paths *paths, const struct request *request, uint64_t now)
{
    uint64_t took = now - request->started;

    if (request->tries == 1) {
        paths->rtt = paths->rtt == 0 ? took : (paths->rtt * 7 + took) / 8;
    }
}

void paths_heard(struct ike *ike, const struct ike_sa *sa, const struct path *path)
{
    struct paths *paths = &ike->paths;
    struct path pairs[PAIRS_MAX];
    const struct path *pair;

    if (sa == &ike->sa) {
        measure(paths, &sa->request, ike->now);
        paths->join_at = IKE_NEVER;
    }
    if (ike->state != ST_UP) {
        return;
    }
    paths->lost_at = IKE_NEVER;
    if (sa != &ike->sa || !ike->mobike.supported) {
        if (paths->lost) {
            paths_use(ike);
        }
        return;
    }
    pair = pairs_find(pairs, pairs_list(ike, pairs), path);
    if (pair == NULL) {
        return;
    }
    if (!pairs_same(pair, &ike->path)) {
        /* An answer to what left before we moved says nothing about where we are going. */
        if (!paths->joined) {
            return;
        }
        fail(ike, &ike->path);
        recover(paths, pair);
        ike->path = *pair;
        ike->mobike.update = true;
    }
    /* What went to several addresses proves none of them (RFC 4555 3.7): ESP may go there all the
     * same, since it is not the gateway's word alone; the update that follows proves it. */
    paths_prove(paths, &pair->remote.addr);
    paths_use(ike);
}

/* ---- choosing ---- */

/* The first pair that has not failed; when the gateway has withdrawn its address, to another one.
 */
static const struct path *best(struct ike *ike, const struct path *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!failed(&ike->paths, &pairs[i]) &&
            (!ike->paths.withdrawn || !addr_equal(&pairs[i].remote.addr, &ike->path.remote.addr))) {
            return &pairs[i];
        }
    }
    return NULL;
}

/* Nothing hurries while the pair in use works. */
static void better(struct ike *ike, const struct path *to)
{
    struct paths *paths = &ike->paths;

    if (to->remote.addr.family != ike->path.remote.addr.family &&
        ike->now < paths->told_at + FAMILY_US) {
        paths->settle_at = paths->told_at + FAMILY_US;
    } else {
        go(ike, to, ALONE_BETTER);
    }
}

static void choose(struct ike *ike)
{
    struct paths *paths = &ike->paths;
    struct path pairs[PAIRS_MAX];
    size_t n = pairs_list(ike, pairs);
    const struct path *to = best(ike, pairs, n);
    bool gone = pairs_rank(ike, &ike->path) == UINT_MAX;

    paths->stuck = gone && n == 0;
    if (paths->stuck) {
        paths_lose(ike, _("The host has no address of the kind that the gateway has."));
    } else if (gone) {
        go(ike, to != NULL ? to : &pairs[0], ALONE_GONE);
    } else if (failed(paths, &ike->path) && to == NULL) {
        paths_lose(ike, _("The gateway takes none of our addresses."));
    } else if (to != NULL && (failed(paths, &ike->path) || paths->withdrawn)) {
        go(ike, to, ALONE_GONE);
    } else if (to != NULL && pairs_rank(ike, to) < pairs_rank(ike, &ike->path)) {
        better(ike, to);
    } else if (paths->lost || paths->doubt) {
        ask(ike, ALONE_DOUBT);
    }
}

/* The gateway cannot follow us (RFC 7296 2.23 lets it follow what it takes for a NAT, but not all
 * do). */
static void review_fixed(struct ike *ike)
{
    if (pairs_rank(ike, &ike->path) == UINT_MAX && !addr_is_any(&ike->path.local.addr)) {
        paths_lose(ike, _("The address that the tunnel was used from is gone, and the gateway "
                          "does not let an IKE SA move (MOBIKE)."));
    } else if (ike->paths.lost || ike->paths.doubt) {
        ask(ike, ALONE_DOUBT);
    }
}

/* The same address may be at another interface now. */
static void follow_interface(struct ike *ike)
{
    for (size_t i = 0; i < ike->paths.n_locals; i++) {
        const struct ike_local *local = &ike->paths.locals[i];

        if (addr_equal(&local->addr, &ike->path.local.addr)) {
            ike->path.ifindex = local->ifindex;
        }
        if (addr_equal(&local->addr, &ike->paths.esp.local.addr) &&
            local->ifindex != ike->paths.esp.ifindex) {
            ike->paths.esp.ifindex = local->ifindex;
            ike_emit(ike, &(struct ike_event){.type = IKE_EVENT_PATH, .path = ike->paths.esp});
        }
    }
}

void paths_review(struct ike *ike)
{
    if (!ike->paths.review || ike->state != ST_UP ||
        (ike->paths.told && ike->paths.n_locals == 0)) {
        return;
    }
    ike->paths.review = false;
    follow_interface(ike);
    if (ike->mobike.supported) {
        choose(ike);
    } else {
        review_fixed(ike);
    }
    ike->paths.doubt = ike->paths.withdrawn = false;
}

void paths_refused(struct ike *ike)
{
    fail(ike, &ike->path);
    ike->paths.review = true;
}

void paths_announced(struct ike *ike, const struct addr *addrs, size_t n, const struct addr *from)
{
    struct paths *paths = &ike->paths;
    bool in_use = addr_equal(from, &ike->path.remote.addr);

    paths->n_announced = 0;
    if (!in_use && pairs_acceptable(ike, from)) {
        paths->announced[paths->n_announced++] = *from;
    }
    for (size_t i = 0; i < n && paths->n_announced < ANNOUNCED_MAX; i++) {
        in_use = in_use || addr_equal(&addrs[i], &ike->path.remote.addr);
        if (pairs_acceptable(ike, &addrs[i])) {
            paths->announced[paths->n_announced++] = addrs[i];
        }
    }
    /* RFC 4555 3.5: the address in use is not the gateway's any more. */
    paths->withdrawn = !in_use && paths->n_announced > 0;
    paths->review = true;
}

/* ---- time ---- */

uint64_t paths_deadline(const struct ike *ike)
{
    uint64_t at = earlier(ike->paths.lost_at, earlier(ike->paths.settle_at, ike->paths.join_at));

    for (size_t i = 0; i < FAILED_MAX; i++) {
        if (ike->paths.failed[i].until != 0) {
            at = earlier(at, ike->paths.failed[i].until);
        }
    }
    return at;
}

void paths_tick(struct ike *ike)
{
    if (ike->now >= ike->paths.lost_at) {
        paths_lose(ike, _("The gateway does not answer any more."));
    }
    if (ike->now >= ike->paths.join_at) {
        try_others(ike);
    }
    if (ike->now >= ike->paths.settle_at) {
        ike->paths.settle_at = IKE_NEVER;
        ike->paths.review = true;
    }
    for (size_t i = 0; i < FAILED_MAX; i++) {
        struct failed_pair *pair = &ike->paths.failed[i];

        if (pair->until != 0 && ike->now >= pair->until) {
            pair->until = 0;
            ike->paths.review = true;
        }
    }
    paths_review(ike);
}

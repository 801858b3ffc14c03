/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include "common/i18n.h"

/*
 * What MOBIKE says to the gateway and hears from it (RFC 4555). NAT traversal is always on here, so
 * that NO_NATS_ALLOWED is never ours to send (3.9).
 */

#define COOKIE2_MIN 8
#define COOKIE2_MAX 64
#define NAT_TRIES 5
#define ADDITIONAL_READ_MAX 256

static const struct bytes none;

static bool next_notify(const struct message *message, size_t *at, struct notify *out)
{
    const struct payload *payload;

    while ((payload = message_find(message, P_NOTIFY, (*at)++)) != NULL) {
        if (notify_parse(out, payload->body) == OK) {
            return true;
        }
    }
    return false;
}

static bool find(const struct message *message, uint16_t type, struct notify *out)
{
    size_t at = 0;

    while (next_notify(message, &at, out)) {
        if (out->type == type) {
            return true;
        }
    }
    return false;
}

/* ---- our addresses ---- */

/* RFC 1918, RFC 6598, RFC 4193, link-local. */
static bool is_private(const struct addr *addr)
{
    static const struct prefix blocks[] = {
        {{FAMILY_IPV4, {10}}, 8},          {{FAMILY_IPV4, {172, 16}}, 12},
        {{FAMILY_IPV4, {192, 168}}, 16},   {{FAMILY_IPV4, {100, 64}}, 10},
        {{FAMILY_IPV4, {169, 254}}, 16},   {{FAMILY_IPV6, {0xfc}}, 7},
        {{FAMILY_IPV6, {0xfe, 0x80}}, 10},
    };

    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        if (prefix_contains(&blocks[i], addr)) {
            return true;
        }
    }
    return false;
}

/*
 * The gateway needs our other addresses only when its own fails (RFC 4555 3.6), and an address
 * behind a NAT does not help it even then, but tells where we are (5.5): private ones are named to
 * a gateway with a private address alone.
 */
static size_t additional(const struct ike *ike, struct addr out[static IKE_LOCALS_MAX])
{
    const struct paths *paths = &ike->paths;
    size_t n = 0;

    for (size_t i = 0; i < paths->n_locals; i++) {
        const struct addr *addr = &paths->locals[i].addr;

        if (!addr_equal(addr, &ike->path.local.addr) &&
            (!is_private(addr) || is_private(&ike->path.remote.addr))) {
            out[n++] = *addr;
        }
    }
    return n;
}

static void write_additional(struct chain *chain, const struct addr *addrs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        notify_write(chain, 0, none,
                     addrs[i].family == FAMILY_IPV6 ? N_ADDITIONAL_IP6_ADDRESS
                                                    : N_ADDITIONAL_IP4_ADDRESS,
                     addr_bytes(&addrs[i]));
    }
}

static bool told(const struct mobike *mobike, const struct addr *addrs, size_t n)
{
    bool same = mobike->n_told == n;

    for (size_t i = 0; i < n && same; i++) {
        bool found = false;

        for (size_t k = 0; k < n; k++) {
            found = found || addr_equal(&addrs[i], &mobike->told[k]);
        }
        same = found;
    }
    return same;
}

/* ---- IKE_AUTH ---- */

void mobike_announce(struct ike *ike, struct chain *chain)
{
    struct mobike *mobike = &ike->mobike;

    if (!ike->config.mobike || !ike->init.natd.supported) {
        return;
    }
    mobike->announced = true;
    mobike->n_told = additional(ike, mobike->told);
    notify_write(chain, 0, none, N_MOBIKE_SUPPORTED, none);
    write_additional(chain, mobike->told, mobike->n_told);
}

/* All additional addresses of a message; true when it says anything about them. */
static bool read_additional(const struct message *message, struct addr *out, size_t *n)
{
    struct notify notify;
    bool any = false;
    size_t at = 0;

    *n = 0;
    while (next_notify(message, &at, &notify)) {
        bool v6 = notify.type == N_ADDITIONAL_IP6_ADDRESS;

        any = any || notify.type == N_NO_ADDITIONAL_ADDRESSES;
        if (!v6 && notify.type != N_ADDITIONAL_IP4_ADDRESS) {
            continue;
        }
        any = true;
        if (notify.data.len == (v6 ? 16 : 4) && *n < ADDITIONAL_READ_MAX) {
            out[(*n)++] = addr_of(v6 ? FAMILY_IPV6 : FAMILY_IPV4, notify.data.data);
        }
    }
    return any;
}

void mobike_accept(struct ike *ike, const struct message *message)
{
    struct addr addrs[ADDITIONAL_READ_MAX];
    struct notify notify;
    size_t n;

    if (!ike->mobike.announced || !find(message, N_MOBIKE_SUPPORTED, &notify)) {
        return;
    }
    ike->mobike.supported = true;
    ike->summary.mobike = true;
    (void)read_additional(message, addrs, &n);
    paths_prove(&ike->paths, &ike->path.remote.addr);
    paths_announced(ike, addrs, n, &ike->path.remote.addr);
}

/* ---- UPDATE_SA_ADDRESSES ---- */

static bool update_in_flight(const struct ike *ike)
{
    return ike->sa.request.busy && ike->sa.request.purpose == TASK_UPDATE;
}

bool mobike_update_due(struct ike *ike)
{
    struct addr addrs[IKE_LOCALS_MAX];

    return ike->mobike.supported && !update_in_flight(ike) &&
           (ike->mobike.update || !told(&ike->mobike, addrs, additional(ike, addrs)));
}

enum err mobike_build_update(struct ike *ike, struct chain *chain)
{
    struct mobike *mobike = &ike->mobike;
    enum err err = rng_fill(&ike->config.rng, mobike->cookie, sizeof mobike->cookie);

    if (err != OK) {
        return err;
    }
    mobike->updating = mobike->update;
    mobike->spi = ike->sa.spi_i;
    mobike->message_id = ike->sa.next_id;
    /* RFC 4555 3.6: our other addresses alone move nothing. */
    if (mobike->updating) {
        notify_write(chain, 0, none, N_UPDATE_SA_ADDRESSES, none);
        err = natd_write(chain, ike->sa.spi_i, ike->sa.spi_r, &ike->path);
    }
    notify_write(chain, 0, none, N_COOKIE2, bytes_of(mobike->cookie, sizeof mobike->cookie));
    mobike->n_telling = additional(ike, mobike->telling);
    if (!told(mobike, mobike->telling, mobike->n_telling)) {
        if (mobike->n_telling == 0) {
            notify_write(chain, 0, none, N_NO_ADDITIONAL_ADDRESSES, none);
        }
        write_additional(chain, mobike->telling, mobike->n_telling);
    }
    return err;
}

/* RFC 4555 3.7: whoever cannot read our request cannot answer it. False when the IKE SA has been
 * closed. */
static bool cookie_returned(struct ike *ike, const struct message *message, bool may_lack)
{
    const struct mobike *mobike = &ike->mobike;
    struct notify notify;
    bool present = find(message, N_COOKIE2, &notify);

    if (present ? bytes_equal(notify.data, bytes_of(mobike->cookie, sizeof mobike->cookie))
                : may_lack) {
        return true;
    }
    ike_close(
        ike, CLOSE_DELETE, REASON_PROTOCOL,
        _("MOBIKE: the gateway did not return the cookie that it was sent, so that it may not "
          "be where it says."));
    return false;
}

/* True when it is the answer to the latest update: one in an IKE SA that was replaced meanwhile
 * counts for nothing, it is sent again. */
static bool is_latest(const struct ike *ike, const struct ike_sa *sa, const struct message *message)
{
    return sa->spi_i == ike->mobike.spi && message->header.message_id == ike->mobike.message_id;
}

static bool mapping_of(const struct message *message, struct bytes *out)
{
    struct notify notify;

    if (!find(message, N_NAT_DETECTION_DESTINATION_IP, &notify) || notify.data.len != SHA1_LEN) {
        return false;
    }
    *out = notify.data;
    return true;
}

static void keep_mapping(struct mobike *mobike, const struct ike_sa *sa,
                         const struct message *message)
{
    struct bytes mapping;

    mobike->mapping_spi = 0;
    if (mapping_of(message, &mapping)) {
        mobike->mapping_spi = sa->spi_i;
        memcpy(mobike->mapping, mapping.data, SHA1_LEN);
    }
}

enum err mobike_updated(struct ike *ike, struct ike_sa *sa, const struct message *message)
{
    struct mobike *mobike = &ike->mobike;

    if (!is_latest(ike, sa, message) || !cookie_returned(ike, message, false)) {
        return OK;
    }
    mobike->nat_tries = 0;
    liveness_answer(ike);
    /* RFC 4555 3.5, 3.6: what went along several pairs has to be said anew along the one. */
    if (!ike->paths.several) {
        memcpy(mobike->told, mobike->telling, sizeof mobike->told);
        mobike->n_told = mobike->n_telling;
    }
    if (!ike->paths.several && mobike->updating) {
        mobike->update = false;
        keep_mapping(mobike, sa, message);
        liveness_moved(ike);
    }
    return OK;
}

enum err mobike_update_refused(struct ike *ike, struct ike_sa *sa, const struct message *message)
{
    struct mobike *mobike = &ike->mobike;
    struct notify notify;

    if (!is_latest(ike, sa, message) || !cookie_returned(ike, message, true)) {
        return OK;
    }
    /* RFC 4555 3.9: somebody may have changed one packet; new requests tell. */
    if (find(message, N_UNEXPECTED_NAT_DETECTED, &notify) && mobike->nat_tries < NAT_TRIES) {
        mobike->nat_tries++;
        return OK;
    }
    mobike->nat_tries = 0;
    memcpy(mobike->told, mobike->telling, sizeof mobike->told);
    mobike->n_told = mobike->n_telling;
    if (mobike->updating) {
        mobike->update = false;
        paths_refused(ike);
    }
    return OK;
}

/* ---- NAT mappings (RFC 4555 3.8) ---- */

enum err mobike_build_check(struct ike *ike, struct chain *chain)
{
    return ike->mobike.supported ? natd_write(chain, ike->sa.spi_i, ike->sa.spi_r, &ike->path) : OK;
}

void mobike_checked(struct ike *ike, const struct ike_sa *sa, const struct message *message)
{
    struct mobike *mobike = &ike->mobike;
    struct bytes mapping;
    bool same, known = mobike->mapping_spi == sa->spi_i;

    if (!mobike->supported || sa != &ike->sa) {
        return;
    }
    same = mapping_of(message, &mapping) &&
           (!known || bytes_equal(mapping, bytes_of(mobike->mapping, SHA1_LEN)));
    if (ike->keepalive.trying) {
        keepalive_learned(ike, same);
    } else if (!known) {
        /* ESP goes out and none comes in, and nobody knows where the gateway sends it. */
        same = false;
    }
    if (same) {
        keep_mapping(mobike, sa, message);
    } else {
        mobike->update = true;
    }
}

/* ---- requests of the gateway ---- */

/* RFC 4555 3.9, 4.2.6: both addresses and ports as the gateway has sent it. */
static bool translated(const struct path *path, struct bytes data)
{
    enum family family = path->remote.addr.family;
    struct reader r = reader_of(data);
    struct bytes source = rd_bytes(&r, addr_len(family));
    struct bytes destination = rd_bytes(&r, addr_len(family));
    uint16_t source_port = rd_u16(&r), destination_port = rd_u16(&r);

    if (!rd_done(&r)) {
        return true;
    }
    return !bytes_equal(source, addr_bytes(&path->remote.addr)) ||
           source_port != path->remote.port ||
           (!addr_is_any(&path->local.addr) &&
            !bytes_equal(destination, addr_bytes(&path->local.addr))) ||
           (path->local.port != 0 && destination_port != path->local.port);
}

enum err mobike_answer(struct ike *ike, const struct ike_sa *sa, const struct message *message,
                       struct chain *reply)
{
    struct addr addrs[ADDITIONAL_READ_MAX];
    struct notify notify;
    size_t n;

    if (!ike->mobike.supported) {
        return OK;
    }
    if (find(message, N_COOKIE2, &notify) && notify.data.len >= COOKIE2_MIN &&
        notify.data.len <= COOKIE2_MAX) {
        notify_write(reply, 0, none, N_COOKIE2, notify.data);
    }
    if (find(message, N_NO_NATS_ALLOWED, &notify) && translated(&ike->from, notify.data)) {
        notify_write(reply, 0, none, N_UNEXPECTED_NAT_DETECTED, none);
        return OK;
    }
    if (read_additional(message, addrs, &n)) {
        paths_announced(ike, addrs, n, &ike->from.remote.addr);
    }
    if (find(message, N_NAT_DETECTION_SOURCE_IP, &notify) ||
        find(message, N_NAT_DETECTION_DESTINATION_IP, &notify)) {
        return natd_write(reply, sa->spi_i, sa->spi_r, &ike->from);
    }
    return OK;
}

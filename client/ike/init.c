/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include "common/i18n.h"
#include "crypto/ke.h"

#define OUR_NONCE_LEN 32 /* at least half of every PRF's key (RFC 7296 2.10) */
#define RESTARTS_MAX 10
#define PATIENCE_US UINT64_C(1000000)

/* ---- our request ---- */

/* The n-th key exchange method that we offer, in order of preference and without repetition. */
static const struct alg *offered_group(const struct ike *ike, size_t n)
{
    const struct alg *seen[PROPOSALS_MAX * PROPOSAL_ALGS_MAX];
    size_t n_seen = 0;

    for (size_t p = 0; p < ike->offer_ike.n; p++) {
        const struct proposal *proposal = &ike->offer_ike.items[p];

        for (size_t a = 0; a < proposal->n_algs; a++) {
            const struct alg *alg = proposal->algs[a];
            bool again = alg->type != TRANSFORM_KE || alg->id == KE_NONE;

            for (size_t s = 0; s < n_seen; s++) {
                again = again || seen[s] == alg;
            }
            if (!again) {
                if (n_seen == n) {
                    return alg;
                }
                seen[n_seen++] = alg;
            }
        }
    }
    return NULL;
}

static enum err key_new(struct ike *ike)
{
    struct init *init = &ike->init;

    if (init->group == NULL) {
        init->group = offered_group(ike, 0);
        if (init->group == NULL) {
            return ERR_CRYPTO;
        }
        init->tried = 1;
    }
    return init->ke != NULL ? OK : ke_new(&init->ke, init->group, &ike->config.rng);
}

enum err init_first_values(struct ike *ike)
{
    uint8_t spi[8];
    enum err err = OK;

    if (ike->sa.spi_i != 0) {
        return OK;
    }
    while (err == OK && ike->sa.spi_i == 0) {
        struct reader r;

        err = rng_fill(&ike->config.rng, spi, sizeof spi);
        r = reader_of(bytes_of(spi, sizeof spi));
        ike->sa.spi_i = rd_u64(&r);
    }
    if (err == OK && !secret_alloc(&ike->sa.ni, OUR_NONCE_LEN)) {
        err = ERR_MEMORY;
    }
    return err != OK ? err : rng_fill(&ike->config.rng, ike->sa.ni.data, ike->sa.ni.len);
}

/* RFC 7427 4: what we verify; SHA-1 is never announced. */
static void write_signature_hashes(struct chain *chain)
{
    static const uint8_t hashes[] = {0, 2, 0, 3, 0, 4, 0, 5};

    notify_write(chain, 0, (struct bytes){0}, N_SIGNATURE_HASH_ALGORITHMS,
                 bytes_of(hashes, sizeof hashes));
}

void init_write_cookie(const struct init *init, struct chain *chain)
{
    if (init->n_cookies > 0) {
        const struct cookie *cookie = &init->cookies[init->n_cookies - 1];

        notify_write(chain, 0, (struct bytes){0}, N_COOKIE, bytes_of(cookie->data, cookie->len));
    }
}

enum err init_write_support(const struct ike *ike, struct chain *chain)
{
    enum err err = natd_write(chain, ike->sa.spi_i, 0, &ike->path);

    notify_write(chain, 0, (struct bytes){0}, N_FRAGMENTATION_SUPPORTED, (struct bytes){0});
    return err;
}

/*
 * SPI and nonce are made once and kept through COOKIE and INVALID_KE_PAYLOAD: a cookie is made over
 * them (RFC 7296 2.6), and it is still one attempt at one IKE SA. A new group has a new private
 * value of course.
 */
enum err init_build(struct ike *ike, struct chain *chain)
{
    const struct bytes none = {0};
    struct init *init = &ike->init;
    char text[ADDR_TEXT_MAX];
    enum err err = init_first_values(ike);

    if (err == OK) {
        err = key_new(ike);
    }
    if (err != OK) {
        return err;
    }
    init_write_cookie(init, chain);
    sa_write(chain, &ike->offer_ike, none);
    ke_write(chain, init->group->id, ke_public(init->ke));
    chain_add(chain, P_NONCE, secret_bytes(&ike->sa.ni));
    err = init_write_support(ike, chain);
    if (err != OK) {
        return err;
    }
    write_signature_hashes(chain);
    redirect_offer(ike, chain);
    if (init->restarts == 0) {
        init->first_sent = ike->now;
        ike_phase(ike, IKE_PHASE_INIT, "%s", endpoint_text(&ike->path.remote, text));
    }
    return OK;
}

/* ---- the gateway wants it otherwise ---- */

static void restart(struct ike *ike)
{
    ike->init.restarts++;
    ike->refusal.reason = REASON_NONE;
    exchange_restart(&ike->sa);
}

static bool cookie_seen(const struct init *init, struct bytes data)
{
    for (unsigned i = 0; i < init->n_cookies; i++) {
        if (bytes_equal(data, bytes_of(init->cookies[i].data, init->cookies[i].len))) {
            return true;
        }
    }
    return false;
}

enum err init_cookie(struct ike *ike, const struct message *message, enum ike_state *next)
{
    struct init *init = &ike->init;
    const struct payload *payload;
    struct notify notify;

    if (redirect_init(ike, message, next)) {
        return OK;
    }
    *next = ST_INIT_SENT;
    for (size_t i = 0; (payload = message_find(message, P_NOTIFY, i)) != NULL; i++) {
        if (notify_parse(&notify, payload->body) != OK || notify.type != N_COOKIE) {
            continue;
        }
        if (notify.data.len == 0 || notify.data.len > COOKIE_MAX) {
            return OK;
        }
        /* Answers to repetitions and duplicates that left before the cookie was known. */
        if (cookie_seen(init, notify.data)) {
            return OK;
        }
        if (init->restarts >= RESTARTS_MAX || init->n_cookies == COOKIES_MAX) {
            ike_suspect(ike, REASON_PROTOCOL, PATIENCE_US,
                        _("IKE_SA_INIT: the gateway asks for a cookie again and again."));
            return OK;
        }
        init->ambiguous = true;
        memcpy(init->cookies[init->n_cookies].data, notify.data.data, notify.data.len);
        init->cookies[init->n_cookies++].len = notify.data.len;
        restart(ike);
        *next = ST_INIT_TODO;
        return OK;
    }
    return OK;
}

/* RFC 7296 1.2: only a group that we have offered, and each once, so that a forger cannot keep us
 * busy. */
static bool change_group(struct ike *ike, uint16_t id)
{
    struct init *init = &ike->init;
    const struct alg *group;

    for (size_t i = 0; i < 64 && (group = offered_group(ike, i)) != NULL; i++) {
        if (group->id != id) {
            continue;
        }
        if ((init->tried & UINT64_C(1) << i) != 0 || init->restarts >= RESTARTS_MAX) {
            return false;
        }
        init->tried |= UINT64_C(1) << i;
        init->group = group;
        init->ambiguous = false; /* the answer tells by its group */
        ke_free(init->ke);
        init->ke = NULL;
        return true;
    }
    return false;
}

enum err init_refused(struct ike *ike, const struct message *message, enum ike_state *next)
{
    struct notify notify;
    char text[DETAIL_MAX];
    enum reason reason;

    *next = ST_INIT_SENT;
    if (!refusal_find(message, &notify)) {
        return OK;
    }
    if (notify.type == N_INVALID_KE_PAYLOAD && notify.data.len == 2) {
        uint16_t id = (uint16_t)(notify.data.data[0] << 8 | notify.data.data[1]);

        /* An answer to a repetition that left before the group was changed (slow paths). */
        if (ike->init.restarts > 0 && id == ike->init.group->id) {
            return OK;
        }
        if (change_group(ike, id)) {
            restart(ike);
            *next = ST_INIT_TODO;
            return OK;
        }
    }
    reason = refusal_init(ike, &notify, text, sizeof text);
    ike_suspect(ike, reason, PATIENCE_US, "%s", text);
    ike->refusal.transient = ike->refusal.reason == reason && refusal_transient(notify.type);
    if (ike->state == ST_DOWN) {
        *next = ST_DOWN;
    }
    return OK;
}

void init_other_version(struct ike *ike, uint8_t version)
{
    if (ike->state != ST_INIT_SENT) {
        return;
    }
    rung_dropped(ike, "not IKE version 2");
    ike_suspect(ike, REASON_GATEWAY_REFUSED, PATIENCE_US,
                _("IKE_SA_INIT: the gateway answers in IKE version %u only; this client speaks "
                  "version 2 alone."),
                version >> 4);
}

/* ---- the gateway agrees ---- */

/* What IKE_SA_INIT settles, before any of it is taken over: its response is not authenticated yet.
 */
struct agreed {
    struct suite suite;
    struct ke_payload ke;
    struct bytes nonce;
};

static enum err read_agreed(const struct ike *ike, const struct message *message,
                            struct agreed *out)
{
    struct bytes spi;
    enum err err =
        sa_parse_choice(&out->suite, &spi, message_find(message, P_SA, 0)->body, &ike->offer_ike);

    if (err == OK) {
        err = ke_parse(&out->ke, message_find(message, P_KE, 0)->body);
    }
    if (err == OK) {
        err = nonce_parse(&out->nonce, message_find(message, P_NONCE, 0)->body);
    }
    if (err == OK && (out->suite.ke == NULL || out->suite.ke->id != out->ke.group ||
                      out->suite.ke != ke_group(ike->init.ke) || message->header.spi_r == 0)) {
        err = ERR_UNSUPPORTED;
    }
    return err;
}

static unsigned read_hashes(struct bytes data)
{
    struct reader r = reader_of(data);
    unsigned hashes = 0;

    while (r.left >= 2) {
        uint16_t hash = rd_u16(&r);

        hashes |= hash < 16 ? 1U << hash : 0;
    }
    return hashes;
}

static void read_notifies(struct ike *ike, const struct message *message)
{
    const struct payload *payload;
    struct notify notify;

    for (size_t i = 0; (payload = message_find(message, P_NOTIFY, i)) != NULL; i++) {
        if (notify_parse(&notify, payload->body) != OK) {
            continue;
        }
        if (notify.type == N_FRAGMENTATION_SUPPORTED) {
            ike->sa.fragmentation = true;
        } else if (notify.type == N_SIGNATURE_HASH_ALGORITHMS) {
            ike->init.peer_hashes = read_hashes(notify.data);
        } else if (notify.type == N_CHILDLESS_IKEV2_SUPPORTED) {
            ike->init.childless = true;
        }
    }
}

enum err init_keyed(struct ike_sa *sa)
{
    enum err err = crypt_new(&sa->out, sa->suite.encr, sa->suite.integ, secret_bytes(&sa->keys.ei),
                             secret_bytes(&sa->keys.ai));

    if (err == OK) {
        err = crypt_new(&sa->in, sa->suite.encr, sa->suite.integ, secret_bytes(&sa->keys.er),
                        secret_bytes(&sa->keys.ar));
    }
    return err;
}

static enum err derive(struct ike *ike)
{
    struct ike_sa *sa = &ike->sa;
    const struct key_seed seed = {
        .ni = secret_bytes(&sa->ni),
        .nr = secret_bytes(&sa->nr),
        .spi_i = sa->spi_i,
        .spi_r = sa->spi_r,
    };
    enum err err = ike_keys_derive(&sa->keys, &sa->suite, &seed, secret_bytes(&ike->init.shared));

    secret_free(&ike->init.shared);
    return err == OK ? init_keyed(sa) : err;
}

/* RFC 7296 2.23: NAT traversal goes on at port 4500, which the carrier marks. */
static void float_path(struct ike *ike)
{
    if (ike->path.remote.port == IKE_PORT) {
        ike->path.remote.port = ike->config.float_port;
    }
    paths_use(ike);
}

enum err init_agreed(struct ike *ike, const struct message *message,
                     enum err (*derive_keys)(struct ike *))
{
    uint64_t took = ike->now - ike->init.first_sent;
    char text[ADDR_TEXT_MAX];
    enum err err;

    if (!secret_set(&ike->init.response, message->octets) ||
        !secret_set(&ike->init.request, secret_bytes(&ike->sa.request.datagrams.items[0]))) {
        return ERR_MEMORY;
    }
    err = derive_keys(ike);
    if (err != OK) {
        return err;
    }
    read_notifies(ike, message);
    err = natd_read(&ike->init.natd, message, &ike->path);
    if (err != OK) {
        return err;
    }
    ike->refusal.reason = REASON_NONE;
    ike->summary.behind_nat_remote = ike->init.natd.remote_behind;
    (void)suite_text(&ike->sa.suite, ike->summary.ike_suite, sizeof ike->summary.ike_suite);
    ike_phase(ike, IKE_PHASE_GATEWAY_ANSWERED, _("%s after %u.%u ms: %s"),
              endpoint_text(&ike->path.remote, text), (unsigned)(took / 1000),
              (unsigned)(took / 100 % 10), ike->summary.ike_suite);
    float_path(ike);
    return OK;
}

static enum err take_over(struct ike *ike, const struct message *message,
                          const struct agreed *agreed)
{
    enum err err = ke_shared(ike->init.ke, agreed->ke.data, &ike->init.shared);

    if (err != OK) {
        return err;
    }
    ike->sa.spi_r = message->header.spi_r;
    ike->sa.suite = agreed->suite;
    if (!secret_set(&ike->sa.nr, agreed->nonce)) {
        return ERR_MEMORY;
    }
    err = init_agreed(ike, message, derive);
    if (err == OK) {
        ke_free(ike->init.ke);
        ike->init.ke = NULL;
    }
    return err;
}

enum err init_accept(struct ike *ike, const struct message *message, enum ike_state *next)
{
    struct agreed agreed = {0};
    enum err err;

    if (redirect_init(ike, message, next)) {
        return OK;
    }
    err = read_agreed(ike, message, &agreed);
    if (err == OK) {
        err = take_over(ike, message, &agreed);
    }
    if (err == OK || err == ERR_MEMORY || err == ERR_CRYPTO) {
        return err;
    }
    /* A forger may have been faster than the gateway. */
    ike->sa.spi_r = 0;
    ike_suspect(ike, REASON_PROTOCOL, PATIENCE_US,
                err == ERR_KEY ? _("IKE_SA_INIT: the gateway's key exchange value is not valid.")
                : err == ERR_UNSUPPORTED
                    ? _("IKE_SA_INIT: the gateway chose algorithms that were not offered.")
                    : _("IKE_SA_INIT: the gateway's response is malformed."));
    *next = ike->state == ST_DOWN ? ST_DOWN : ST_INIT_SENT;
    return OK;
}

void init_begin_again(struct ike *ike)
{
    ike_sa_free(&ike->sa);
    ike->sa.initiator = true;
    init_free(&ike->init);
    secret_free(&ike->auth.idi);
    secret_free(&ike->auth.idr);
    ike->path.remote = ike->config.path.remote;
    ike->refusal.reason = REASON_NONE;
    ike->state = ST_INIT_TODO;
}

void init_free(struct init *init)
{
    ke_free(init->ke);
    secret_free(&init->request);
    secret_free(&init->response);
    secret_free(&init->shared);
    *init = (struct init){0};
}

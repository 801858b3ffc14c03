/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/fake_engine.h"

#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/boottime.h"
#include "crypto/crypt.h"
#include "esp/datapath.h"
#include "tunnel/ike_socket.h"
#include "tunnel/link.h"
#include "tunnel/resolve.h"

/* So soon the engine wants its time again: a test's reports are heard then. */
#define TICK 2000

struct ike fake_engines[FAKE_ENGINES_MAX];
gsize fake_n_engines;
const char *fake_names, *fake_unroutable;
GString *fake_in;
guint32 fake_out[FAKE_REQIDS];
guint fake_gaps;
bool fake_held;
guint fake_commits;

static struct net_config nets[FAKE_ENGINES_MAX];
static struct ike_ticket tickets[FAKE_ENGINES_MAX];
static struct ike_child children[FAKE_ENGINES_MAX][FAKE_REQIDS];

static void must(gboolean fine)
{
    if (!fine) {
        abort();
    }
}

void fake_reset(void)
{
    memset(fake_engines, 0, sizeof fake_engines);
    fake_n_engines = 0;
    fake_names = "192.0.2.1";
    fake_unroutable = "";
    if (fake_in != NULL) {
        g_string_free(fake_in, TRUE);
    }
    fake_in = g_string_new("");
    memset(fake_out, 0, sizeof fake_out);
    fake_gaps = 0;
    fake_held = false;
    fake_commits = 0;
}

/* ---- what a test makes it report ---- */

static struct ike_event *push(gsize engine, enum ike_event_type type)
{
    struct ike *ike = &fake_engines[engine];
    struct ike_event *event = &ike->events[ike->n_events++];

    must(engine < fake_n_engines && ike->n_events <= FAKE_EVENTS_MAX && !ike->freed);
    *event = (struct ike_event){.type = type, .text = "", .prompt = ""};
    return event;
}

void fake_report(gsize engine, enum ike_event_type type)
{
    push(engine, type)->secret = EAP_SECRET_PASSWORD;
}

void fake_phase(gsize engine, enum ike_phase phase)
{
    push(engine, IKE_EVENT_PHASE)->phase = phase;
}

void fake_up_too(gsize engine, guint32 spi, guint32 reqid)
{
    struct ike_event *event = push(engine, IKE_EVENT_CHILD_UP);

    must(reqid < FAKE_REQIDS);
    children[engine][reqid] = (struct ike_child){.spi_in = spi, .spi_out = spi, .reqid = reqid};
    event->child = &children[engine][reqid];
    event->net = &nets[engine];
}

void fake_up(gsize engine, guint32 spi, const char *address)
{
    nets[engine] = (struct net_config){.n_addresses = 1};
    must(prefix_parse(&nets[engine].addresses[0], address, true));
    fake_up_too(engine, spi, 1);
}

void fake_down(gsize engine, enum reason reason, gboolean retry, const char *detail)
{
    struct ike_event *event = push(engine, IKE_EVENT_DOWN);

    event->reason = reason;
    event->retry = retry;
    event->text = detail;
}

void fake_untrusted(gsize engine, enum reason reason, guint8 octet)
{
    static struct gateway_facts facts;

    facts.problems = GATEWAY_SELF_SIGNED;
    memset(facts.fingerprint, octet, sizeof facts.fingerprint);
    fake_down(engine, reason, FALSE, "Who is it?");
    fake_engines[engine].events[fake_engines[engine].n_events - 1].untrusted = &facts;
}

void fake_redirect(gsize engine, const char *to)
{
    push(engine, IKE_EVENT_REDIRECT)->text = to;
}

void fake_ticket(gsize engine, guint8 octet)
{
    struct ike_ticket *ticket = &tickets[engine];
    guint8 octets[32];

    memset(octets, octet, sizeof octets);
    ike_ticket_free(ticket);
    *ticket = (struct ike_ticket){
        .suite = {.encr = alg_find(TRANSFORM_ENCR, ENCR_AES_GCM_16, 256),
                  .prf = alg_find(TRANSFORM_PRF, PRF_HMAC_SHA2_256, 0)},
        .local_id = {.type = ID_FQDN, .len = 1},
        .gateway_id = {.type = ID_FQDN, .len = 1},
    };
    must(secret_set(&ticket->opaque, bytes_of(octets, sizeof octets)) &&
         secret_set(&ticket->sk_d, bytes_of(octets, sizeof octets)));
    push(engine, IKE_EVENT_TICKET)->ticket = ticket;
}

/* ---- the engine ---- */

enum err ike_new(struct ike **out, const struct ike_config *config, uint64_t now)
{
    struct ike *ike = &fake_engines[fake_n_engines++];
    struct addr from = {0};

    (void)now;
    must(fake_n_engines <= FAKE_ENGINES_MAX);
    *ike = (struct ike){
        .initial_contact = config->initial_contact,
        .pinned = config->gateway_fingerprint.len > 0 ? config->gateway_fingerprint.data[0] : 0,
        .port = config->path.remote.port,
        .ticket = config->ticket != NULL ? config->ticket->opaque.data[0] : 0,
        .timeout = config->timeout_us,
    };
    (void)addr_text(&config->path.remote.addr, ike->gateway);
    if (config->redirected_from.len > 0) {
        from = addr_of(config->redirected_from.len == 4 ? FAMILY_IPV4 : FAMILY_IPV6,
                       config->redirected_from.data);
        (void)addr_text(&from, ike->from);
    }
    if (config->want_ipv4.family != FAMILY_NONE) {
        (void)addr_text(&config->want_ipv4, ike->want);
    }
    if (config->eap.have_password) {
        g_strlcpy(ike->password, (const char *)config->eap.password.data,
                  MIN(config->eap.password.len + 1, sizeof ike->password));
    }
    *out = ike;
    return OK;
}

void ike_free(struct ike *ike)
{
    if (ike != NULL) {
        must(!ike->freed);
        ike->freed = TRUE;
        ike_ticket_free(&tickets[ike - fake_engines]);
    }
}

bool ike_next_event(struct ike *ike, struct ike_event *event)
{
    must(!ike->freed);
    if (ike->next_event == ike->n_events) {
        return false;
    }
    *event = ike->events[ike->next_event++];
    return true;
}

/* A gateway that answers the Delete at once. */
void ike_disconnect(struct ike *ike, uint64_t now)
{
    (void)now;
    must(!ike->freed);
    if (!ike->disconnected) {
        ike->disconnected = TRUE;
        fake_down((gsize)(ike - fake_engines), REASON_USER, false, "");
    }
}

void ike_disconnect_along(struct ike *ike, const struct path *path, uint64_t now)
{
    (void)path;
    ike_disconnect(ike, now);
}

void ike_provide_secret(struct ike *ike, enum eap_secret secret, struct bytes value, uint64_t now)
{
    (void)secret;
    (void)now;
    must(!ike->freed);
    g_strlcpy(ike->provided, (const char *)value.data, MIN(value.len + 1, sizeof ike->provided));
}

struct bytes ike_to_sign(const struct ike *ike, struct cert_signing *out)
{
    must(!ike->freed);
    *out = (struct cert_signing){AUTH_METHOD_DIGITAL_SIGNATURE, GNUTLS_SIGN_ECDSA_SHA256};
    return bytes_of_string("to be signed");
}

void ike_provide_signature(struct ike *ike, struct bytes signature, enum reason reason,
                           const char *detail, uint64_t now)
{
    if (signature.len > 0) {
        ike_provide_secret(ike, EAP_SECRET_PASSWORD, signature, now);
    } else {
        fake_down((gsize)(ike - fake_engines), reason, false, detail);
    }
}

void ike_network_changed(struct ike *ike, uint64_t now)
{
    (void)now;
    ike->told_of_network = TRUE;
}

void ike_woke(struct ike *ike, uint64_t now)
{
    (void)now;
    ike->woken = TRUE;
}

void ike_set_paths(struct ike *ike, const struct ike_local *locals, size_t n, uint64_t now)
{
    (void)ike;
    (void)locals;
    (void)n;
    (void)now;
}

void ike_set_gateways(struct ike *ike, const struct addr *gateways, size_t n, uint64_t now)
{
    (void)ike;
    (void)gateways;
    (void)n;
    (void)now;
}

uint64_t ike_deadline(const struct ike *ike)
{
    must(!ike->freed);
    return boottime_now() + TICK;
}

void ike_tick(struct ike *ike, uint64_t now)
{
    (void)now;
    must(!ike->freed);
}

ssize_t ike_output(struct ike *ike, struct path *path, uint8_t *out, size_t cap, uint64_t now)
{
    (void)path;
    (void)out;
    (void)cap;
    (void)now;
    must(!ike->freed);
    return 0;
}

void ike_get_summary(const struct ike *ike, struct ike_summary *out)
{
    *out = (struct ike_summary){0};
    g_strlcpy(out->gateway_id, ike->gateway, sizeof out->gateway_id);
    out->mobike = ike->mobike;
}

bool ike_owns(const struct ike *ike, struct bytes datagram)
{
    (void)ike;
    (void)datagram;
    return false;
}

void ike_input(struct ike *ike, const struct path *path, struct bytes datagram, uint64_t now)
{
    (void)ike;
    (void)path;
    (void)datagram;
    (void)now;
}

void ike_set_trust(struct ike *ike, const struct cert_trust *trust)
{
    (void)ike;
    (void)trust;
}

void ike_unreachable(struct ike *ike, const struct path *path, enum ike_icmp icmp,
                     const struct addr *reporter, uint64_t now)
{
    (void)ike;
    (void)path;
    (void)icmp;
    (void)reporter;
    (void)now;
}

void ike_sent_traffic(struct ike *ike, uint64_t at)
{
    (void)ike;
    (void)at;
}

void ike_received_traffic(struct ike *ike, uint64_t at)
{
    (void)ike;
    (void)at;
}

void ike_child_received(struct ike *ike, uint32_t spi_in, uint64_t now)
{
    (void)ike;
    (void)spi_in;
    (void)now;
}

void ike_probe_mtu(struct ike *ike, uint16_t size, uint64_t now)
{
    (void)ike;
    (void)size;
    (void)now;
}

void ike_rekey_child(struct ike *ike, uint32_t spi_in, uint64_t now)
{
    (void)ike;
    (void)spi_in;
    (void)now;
}

/* ---- the datapath ---- */

struct datapath {
    int never; /* readable */
};

uint16_t esp_inner_mtu(const struct suite *suite, uint16_t path_mtu, enum family outer, bool udp)
{
    (void)suite;
    (void)outer;
    (void)udp;
    return (uint16_t)(path_mtu - 60);
}

unsigned datapath_lanes(void)
{
    return DATAPATH_LANES;
}

enum err datapath_start(struct datapath **out, const struct datapath_config *config)
{
    for (unsigned i = 0; i < DATAPATH_LANES; i++) {
        crypt_lanes_free(config->lanes[i]);
    }
    *out = g_new0(struct datapath, 1);
    (*out)->never = eventfd(0, EFD_CLOEXEC);
    return OK;
}

void datapath_stop(struct datapath *datapath)
{
    if (datapath != NULL) {
        close(datapath->never);
        g_free(datapath);
        g_string_truncate(fake_in, 0);
        memset(fake_out, 0, sizeof fake_out);
    }
}

enum err datapath_add_in(struct datapath *datapath, const struct datapath_child *child,
                         const struct esp_params *params)
{
    (void)datapath;
    (void)params;
    g_string_append_printf(fake_in, "%u ", child->spi_in);
    return OK;
}

void datapath_remove_in(struct datapath *datapath, uint32_t spi_in)
{
    char *one = g_strdup_printf("%u ", spi_in);

    (void)datapath;
    g_string_replace(fake_in, one, "", 1);
    g_free(one);
}

enum err datapath_set_out(struct datapath *datapath, const struct datapath_child *child,
                          const struct esp_params *params)
{
    (void)datapath;
    (void)params;
    fake_out[child->reqid] = child->spi_in;
    return OK;
}

enum err datapath_remove_out(struct datapath *datapath, uint32_t spi_in)
{
    (void)datapath;
    for (gsize i = 0; i < FAKE_REQIDS; i++) {
        if (spi_in != 0 && fake_out[i] == spi_in) {
            fake_out[i] = 0;
            fake_gaps++;
        }
    }
    return OK;
}

enum err datapath_set_path(struct datapath *datapath, const struct datapath_path *path)
{
    (void)datapath;
    (void)path;
    return OK;
}

void datapath_hold(struct datapath *datapath)
{
    (void)datapath;
    fake_held = true;
}

void datapath_commit(struct datapath *datapath)
{
    (void)datapath;
    fake_commits += fake_held;
    fake_held = false;
}

void datapath_set_mtu(struct datapath *datapath, uint16_t mtu)
{
    (void)datapath;
    (void)mtu;
}

void datapath_watch_large(struct datapath *datapath, uint16_t octets)
{
    (void)datapath;
    (void)octets;
}

const char *datapath_library(const struct datapath *dp, const struct suite *suite)
{
    (void)dp;
    (void)suite;
    return "GnuTLS";
}

void datapath_get_counters(const struct datapath *datapath, struct datapath_counters *out)
{
    (void)datapath;
    *out = (struct datapath_counters){0};
}

int datapath_ike_fd(const struct datapath *datapath)
{
    return datapath->never;
}

int datapath_event_fd(const struct datapath *datapath)
{
    return datapath->never;
}

size_t datapath_ike_receive(struct datapath *datapath, uint8_t *out, size_t cap,
                            struct endpoint *local, struct endpoint *remote, bool *marker)
{
    (void)datapath;
    (void)out;
    (void)cap;
    (void)local;
    (void)remote;
    *marker = false;
    return 0;
}

bool datapath_next_event(struct datapath *datapath, struct datapath_event *event)
{
    (void)datapath;
    (void)event;
    return false;
}

/* ---- sockets and names ---- */

gboolean ike_socket_route_to(const struct ike_sockets *sockets, const struct endpoint *remote,
                             struct addr *local, uint16_t *mtu)
{
    char text[ADDR_TEXT_MAX];
    char *one = g_strdup_printf(" %s ", addr_text(&remote->addr, text));
    gboolean routed = strstr(fake_unroutable, one) == NULL;

    (void)sockets;
    g_free(one);
    *mtu = 1500;
    must(addr_parse(local, "198.51.100.7"));
    return routed;
}

gboolean ike_socket_send(const struct ike_sockets *sockets, const struct path *path,
                         struct bytes datagram)
{
    (void)sockets;
    (void)path;
    (void)datagram;
    return TRUE;
}

gboolean ike_socket_receive(int fd, uint8_t *buffer, size_t cap, struct path *path,
                            struct bytes *datagram)
{
    (void)fd;
    (void)buffer;
    (void)cap;
    (void)path;
    (void)datagram;
    return FALSE;
}

gboolean ike_socket_unreachable(int fd, struct ike_socket_error *out, gboolean *more)
{
    (void)fd;
    (void)out;
    *more = FALSE;
    return FALSE;
}

void ike_sockets_fragment_esp(const struct ike_sockets *sockets, gboolean allow)
{
    (void)sockets;
    (void)allow;
}

struct resolve {
    guint source;
    resolve_cb done;
    void *context;
};

static gboolean on_found(gpointer data)
{
    struct resolve *resolve = data;
    char **words = g_strsplit(fake_names, " ", 0);
    struct addr found[16];
    gsize n = 0;

    for (char **word = words; *word != NULL && **word != '\0'; word++) {
        must(addr_parse(&found[n++], *word));
    }
    g_strfreev(words);
    resolve->source = 0;
    resolve->done(resolve->context, found, n, "There is no such name.");
    return G_SOURCE_REMOVE;
}

struct resolve *resolve_start(int scout, const char *host, resolve_cb done, void *context)
{
    struct resolve *resolve = g_new0(struct resolve, 1);

    (void)scout;
    (void)host;
    resolve->done = done;
    resolve->context = context;
    resolve->source = g_idle_add(on_found, resolve);
    return resolve;
}

void resolve_free(struct resolve *resolve)
{
    if (resolve != NULL && resolve->source != 0) {
        g_source_remove(resolve->source);
    }
    g_free(resolve);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_IKE_IKE_H
#define GODWIT_IKE_IKE_H

#include <sys/types.h>
#include <time.h>

#include "common/addr.h"
#include "common/error.h"
#include "common/net_config.h"
#include "common/secret.h"
#include "crypto/algs.h"
#include "crypto/cert.h"
#include "crypto/rng.h"
#include "eap/eap.h"
#include "ike/payload.h"
#include "ike/ticket.h"

/*
 * The initiator-only IKEv2 engine (RFC 7296), sans-IO: no sockets, clock, files, threads, globals.
 * Datagrams, time and randomness come in; datagrams and events are pulled out.
 *
 * `now` is microseconds of one monotonic clock (CLOCK_BOOTTIME in production); it must not run
 * backwards, and a call with an earlier `now` is treated as if it carried the latest one seen.
 *
 * A caller's loop: ike_input() for each datagram, ike_tick() when ike_deadline() has passed; after
 * either
 *
 *     while (ike_next_event(ike, &event)) handle(event);
 *     while ((n = ike_output(ike, &path, buffer, sizeof buffer, now)) > 0) send(path, buffer, n);
 */
struct ike;

#define IKE_NEVER UINT64_MAX
#define IKE_PORT 500
#define IKE_PORT_NATT 4500

/* Where a datagram came from or goes to: input on read, output on write. Over UDP, messages to and
 * from port 500 are bare; on any other port the carrier adds and removes the non-ESP marker (RFC
 * 3948 2.2): the engine never sees it. */
enum transport { TRANSPORT_UDP = 0 };
struct path {
    enum transport transport;
    struct endpoint local; /* address may be 'any': the kernel chooses */
    struct endpoint remote;
    uint32_t ifindex; /* interface to leave by (IP_PKTINFO); 0 = as the routing table says. On read
                         it may be 0 */
    bool whole; /* on write: IP must not cut it into fragments, neither here nor on the way (it is a
                   probe of the MTU) */
};

enum ike_auth { IKE_AUTH_EAP = 0, IKE_AUTH_CERTIFICATE, IKE_AUTH_PSK };

/* Borrowed during ike_new() and copied, but for the pointers that say otherwise. */
struct ike_config {
    struct path path;                /* where to start: remote port 500 or 4500 (or any) */
    uint16_t float_port;             /* remote port to float to after IKE_SA_INIT; 0 = 4500 */
    const struct proposal_list *ike; /* NULL = defaults */
    const struct proposal_list *esp;
    bool legacy; /* SHA-1 signatures, legacy algorithms in the defaults */
    struct id
        local_id; /* IDi; ID_NONE = from the user name, the certificate or the local address */
    struct id remote_id; /* who the gateway must be; required */
    bool send_remote_id; /* send IDr: only when the user set it (FIELD.md pain 11) */
    enum ike_auth auth;
    /* Must outlive the engine; for IKE_AUTH_CERTIFICATE. When its key is elsewhere, IKE_EVENT_SIGN
     * comes. */
    const struct cert_credential *credential;
    bool rsa_pss;          /* prefer RSASSA-PSS when signing with RSA */
    struct bytes psk;      /* for IKE_AUTH_PSK, both sides */
    struct eap_config eap; /* for IKE_AUTH_EAP; its rng is replaced by ours */
    /* CERTREQ with the hashes of the (pinned) authorities of ike_set_trust(); never for the
     * system's store: then one hash that is nobody's, since many gateways send their certificate
     * only when asked for one at all. */
    bool send_certreq;
    /* The one certificate that the gateway may prove itself by; then no authority, name or date
     * counts. Octets of SHA-256; empty = any that is trusted. Not for IKE_AUTH_PSK. */
    struct bytes gateway_fingerprint;
    bool mobike;    /* move the IKE SA when addresses change, if the gateway can (RFC 4555) */
    bool childless; /* make the first Child SA by CREATE_CHILD_SA when the gateway knows how (RFC
                       6023) */
    bool request_ipv4, request_ipv6;    /* internal addresses to ask for */
    struct addr want_ipv4, want_ipv6;   /* address to ask for again, or none */
    struct ts_list local_ts, remote_ts; /* empty = everything, of the families requested */
    const char *application_version;    /* sent in CFG_REQUEST; NULL = none */
    uint16_t
        path_mtu; /* outer octets, when below 1280: messages are cut to 1280 anyway; 0 = 1280 */
    uint64_t timeout_us;    /* give up connecting after; 0 = 30 s */
    uint64_t dead_after_us; /* give an unanswered request up after, once established; 0 = 60 s */
    uint64_t dpd_us; /* ask whether the gateway is there when ESP goes out and none comes in for; 0
                        = 30 s, IKE_NEVER = never */
    uint64_t child_lifetime_us; /* rekey a Child SA after, a tenth more or less; 0 = 1 h */
    uint64_t child_octets;    /* the same after so many octets of ESP in either direction; 0 = only
                                 when its algorithm asks for it */
    uint64_t ike_lifetime_us; /* the same for the IKE SA; 0 = 4 h */
    uint64_t keepalive_us;    /* NAT keepalive interval when nothing else was sent; longer where the
                                 NAT is seen to bear it; 0 = 20 s (RFC 3948 4) */
    const struct ike_ticket *ticket; /* of an earlier connection with this profile: begin with it,
                                        and only if that fails anew; NULL = none */
    bool trace;                      /* make IKE_EVENT_TRACE */
    /* The address, 4 or 16 octets, of the gateway that has sent us to this one (RFC 5685 9.3);
     * empty = none. */
    struct bytes redirected_from;
    bool initial_contact; /* whatever other IKE SAs the gateway has with us are void (RFC 7296 2.4)
                           */
    time_t wall_clock;    /* seconds since 1970 at ike_new(): certificates' dates */
    struct rng rng;       /* its context must outlive the engine */
};

/* ERR_MEMORY, ERR_CRYPTO; ERR_UNSUPPORTED when the config contradicts itself (no credential for
 * IKE_AUTH_CERTIFICATE, empty PSK…). */
enum err ike_new(struct ike **out, const struct ike_config *config, uint64_t now) ERR_CHECK;
/* Wipes and frees; NULL is harmless. */
void ike_free(struct ike *ike);
/* Authorities to trust; must outlive the engine; may come any time before the gateway's certificate
 * (loading the system's store takes longer than the first round trip). Without one, every
 * certificate is untrusted. */
void ike_set_trust(struct ike *ike, const struct cert_trust *trust);

/* The datagram's SPIs are those of an IKE SA of this engine: of several on one socket, it is this
 * one's. */
bool ike_owns(const struct ike *ike, struct bytes datagram);
/* One datagram (copied as needed; decrypted in a copy). Anything may be in it. Always harmless:
 * what it means shows in outputs and events. */
void ike_input(struct ike *ike, const struct path *path, struct bytes datagram, uint64_t now);
/* The next datagram to send: writes it and its path, returns its octets; 0 when there is none;
 * `cap` must be >= IKE_MESSAGE_MAX. A NAT keepalive is the single octet 0xFF, sent without marker.
 */
ssize_t ike_output(struct ike *ike, struct path *path, uint8_t *out, size_t cap, uint64_t now);
/* When ike_tick() is due at the latest; IKE_NEVER. */
uint64_t ike_deadline(const struct ike *ike);
void ike_tick(struct ike *ike, uint64_t now);
/* The kernel reported an ICMP error of `reporter`, for a datagram that went along `path`: its port
 * is closed, or its way forbidden. What anybody can forge: believed only while connecting and only
 * after it stays so over a retransmission; once established, the gateway is asked whether it is
 * there when the error is its own. */
enum ike_icmp { IKE_ICMP_PORT_UNREACHABLE, IKE_ICMP_PROHIBITED };
void ike_unreachable(struct ike *ike, const struct path *path, enum ike_icmp icmp,
                     const struct addr *reporter, uint64_t now);
/* When ESP last went out, so that a keepalive is not needed so soon, and when it last came in: to
 * be told before each ike_tick(). What goes out and is never followed by anything makes the engine
 * ask whether the gateway is there (RFC 7296 2.4). */
void ike_sent_traffic(struct ike *ike, uint64_t at);
void ike_received_traffic(struct ike *ike, uint64_t at);

/* ---- the host's network: told by the carrier, any time between ike_new() and ike_free() ---- */
#define IKE_LOCALS_MAX 16
#define IKE_GATEWAYS_MAX 16
/* One of the host's addresses that packets to a gateway may leave from; never one that the tunnel
 * gave. */
struct ike_local {
    struct addr addr;
    uint32_t ifindex; /* of its interface; travels to outputs and IKE_EVENT_PATH in struct path; 0 =
                         none */
    unsigned rank;    /* the lower the better (the route's metric, say: cable, Wi-Fi, mobile) */
};
/*
 * All addresses that are usable now, each time that the set or a rank changes; none at all means
 * that the host is offline (then the engine waits: nothing is sent, nothing is given up). Copied;
 * those beyond IKE_LOCALS_MAX are dropped. The same set as before does nothing, so call it as often
 * as you like. Without a call the engine stays with the local address of its config. With MOBIKE
 * (RFC 4555) the engine then moves by itself: IKE_EVENT_PATH. Where it cannot, IKE_EVENT_PATH_LOST
 * follows.
 */
void ike_set_paths(struct ike *ike, const struct ike_local *locals, size_t n, uint64_t now);
/* The other addresses that the gateway's name has, of both families, best first; they are tried
 * when the one in use does not answer or has no local address of its family. Copied; each call
 * replaces the set of the one before. */
void ike_set_gateways(struct ike *ike, const struct addr *gateways, size_t n, uint64_t now);
/* Something else has changed (a route, a link, the captive portal is gone): whether the path still
 * works is asked at once. */
void ike_network_changed(struct ike *ike, uint64_t now);
/* The machine was asleep; call it before any other call with the new `now`. One quick liveness
 * check on the path in use, then all of them, then IKE_EVENT_PATH_LOST. An ike_tick() that is
 * several seconds late does the same. */
void ike_woke(struct ike *ike, uint64_t now);

/* Ends the connection: Delete is sent if the IKE SA is up; IKE_EVENT_DOWN(REASON_USER) follows when
 * it is answered or after 1 s at the latest. */
void ike_disconnect(struct ike *ike, uint64_t now);
/* The same when the path in use is dead: the Delete goes between the addresses of this one, on
 * which something of the gateway was heard. It takes it from anywhere (RFC 7296 2.11). */
void ike_disconnect_along(struct ike *ike, const struct path *path, uint64_t now);
/* The first packet has come in on the Child SA of that inbound SPI: when it was announced as held,
 * IKE_EVENT_CHILD_OUT follows, for the gateway shows that it is ready (RFC 7296 2.8). */
void ike_child_received(struct ike *ike, uint32_t spi_in, uint64_t now);
/* Rekeys the Child SA of that inbound SPI (0 = the one in use) or the IKE SA before its time, for
 * example because its `octets` or `packets` went through it. Nothing happens when it is being
 * rekeyed or the connection is not up. */
void ike_rekey_child(struct ike *ike, uint32_t spi_in, uint64_t now);
void ike_rekey(struct ike *ike, uint64_t now);

/*
 * Asks the gateway with a datagram that makes an outer packet of `size` octets (with a block cipher
 * up to a block less); IKE_EVENT_MTU tells whether it was answered, after two of them were sent.
 * Nothing comes of it when the IKE SA is replaced or moves meanwhile.
 */
void ike_probe_mtu(struct ike *ike, uint16_t size, uint64_t now);

/* Answers IKE_EVENT_SECRET; the value is copied. An empty value cancels: REASON_SECRET_MISSING. */
void ike_provide_secret(struct ike *ike, enum eap_secret secret, struct bytes value, uint64_t now);

/* After IKE_EVENT_SIGN: the octets to sign and how, borrowed until they are signed; empty when no
 * signature is awaited. */
struct bytes ike_to_sign(const struct ike *ike, struct cert_signing *out);
/* Answers IKE_EVENT_SIGN; copied. The clock of ike_config.timeout_us stands while it is awaited. An
 * empty one ends the connection for that `reason`, with the sentence `detail`; otherwise both are
 * unused. */
void ike_provide_signature(struct ike *ike, struct bytes signature, enum reason reason,
                           const char *detail, uint64_t now);

/* ---- events ---- */
enum ike_phase {
    IKE_PHASE_INIT,             /* first request is out */
    IKE_PHASE_GATEWAY_ANSWERED, /* IKE SA keys exist */
    IKE_PHASE_GATEWAY_VERIFIED, /* certificate or PSK, identity */
    IKE_PHASE_USER_AUTH,        /* EAP method runs, or our AUTH is sent */
    IKE_PHASE_USER_ACCEPTED,    /* EAP-Success */
    IKE_PHASE_ESTABLISHED,      /* IKE SA up; CHILD_UP follows */
    IKE_PHASE_DISCONNECTING,
};

/* A Child SA's keys and selectors; SPIs in host order. */
struct ike_child {
    uint32_t spi_in, spi_out;
    struct suite suite;
    struct secret in_encr, in_integ, out_encr, out_integ; /* key | salt as crypt_new() takes it */
    struct ts_list local_ts, remote_ts;
    uint32_t reqid; /* stays the same when it is rekeyed: the new one takes the old one's place */
    uint64_t octets,
        packets; /* ike_rekey_child() once so much ESP has passed in either direction; 0 = never */
};

enum ike_event_type {
    IKE_EVENT_PHASE,
    IKE_EVENT_SECRET, /* ike_provide_secret() is awaited */
    IKE_EVENT_SIGN, /* ike_provide_signature() is awaited: the key of the credential is elsewhere */
    IKE_EVENT_CHILD_UP, /* a Child SA, at first or after a rekey: its inbound half, and the outbound
                           one unless `held` */
    IKE_EVENT_CHILD_OUT, /* from now on the outbound half of this one, announced as held, is used */
    IKE_EVENT_CHILD_DOWN, /* spi_in */
    IKE_EVENT_PATH, /* ESP goes along it from now on; after PATH_LOST also: the gateway is heard
                       again */
    /*
     * ESP cannot go on in this IKE SA as things are: `text` says why (the gateway cannot follow us
     * to another address, or answers on no path). Comes once until the next PATH. The engine goes
     * on trying until its own patience ends (dead_after_us); the caller may start another IKE SA
     * meanwhile (by resumption, from the best local address) and ike_free() this one when that is
     * up.
     */
    IKE_EVENT_PATH_LOST,
    IKE_EVENT_REDIRECT, /* the gateway wants us to go to another (RFC 5685): while connecting DOWN
                           with REASON_REDIRECTED follows */
    IKE_EVENT_REAUTH,   /* the authentication is soon to be repeated in a new IKE SA (RFC 4478), or
                           the gateway lets nothing in this one be rekeyed (RFC 7296 4); at its end
                           this one goes down */
    IKE_EVENT_TICKET,   /* for ike_config.ticket of the next engine; the one before, or that of the
                           config, is not to be used any more */
    IKE_EVENT_MTU,      /* what ike_probe_mtu() asked for: `mtu` octets have `passed` or not */
    IKE_EVENT_TRACE,
    IKE_EVENT_DOWN, /* the last event; ike_free() is all that is left */
};

/* Everything pointed to is borrowed until the next ike_next_event() or ike_free(). Events come
 * before outputs: what is sent may rely on the Child SAs that were announced (RFC 7296 2.8), so
 * handle them first. */
struct ike_event {
    enum ike_event_type type;
    enum ike_phase phase;
    const char *text; /* PHASE: facts (gateway's identity, method, suite); TRACE: the rung;
                       * PATH_LOST, DOWN: detail sentence, may be ""; REDIRECT: the new gateway, an
                       * address for which addr_is_assignable(), or a DNS name (what that stands for
                       * is the carrier's to check) */
    enum eap_secret secret;
    const char *prompt; /* SECRET: what the gateway or method says, printable, may be "" */
    const struct ike_child *child; /* CHILD_UP, CHILD_OUT */
    bool held; /* CHILD_UP: the gateway may not be ready yet; go on sending along the one before */
    const struct net_config *net;    /* CHILD_UP: all but mtu, which the carrier computes */
    uint32_t spi_in;                 /* CHILD_DOWN */
    struct path path;                /* PATH; PATH_LOST: the one that was in use */
    const struct ike_ticket *ticket; /* TICKET: to be copied; NULL = there is none now */
    uint16_t mtu;                    /* MTU: outer packet, as it was asked for */
    bool passed;
    enum reason reason; /* DOWN */
    /* DOWN: the gateway has proved to have the key of a certificate that is not trusted, and a
     * person may decide to trust it all the same: gateway_fingerprint of the next engine. Nothing
     * of the user's but IDi has left (with IKE_AUTH_CERTIFICATE: and his proof). NULL = it is about
     * something else, or more is wrong with it. */
    const struct gateway_facts *untrusted;
    bool retry;                    /* DOWN: to try again may succeed without the user's doing */
    bool outbound, retransmission; /* TRACE */
    uint64_t at;                   /* TRACE: now of it */
};
bool ike_next_event(struct ike *ike, struct ike_event *event);

/* Facts for the summary, valid once established; strings borrowed until ike_free(). */
struct ike_summary {
    char gateway_id[256];
    char gateway_auth[64]; /* "RSASSA-PSS with SHA2-256" */
    char gateway_subject[256];
    char local_id[256];
    char user_auth[64]; /* "EAP-MSCHAPv2" */
    char ike_suite[96], esp_suite[96];
    char gateway_version[128]; /* APPLICATION_VERSION, printable */
    bool behind_nat_remote;
    bool resumed; /* from a ticket: gateway_auth, gateway_subject and user_auth tell of the first
                     time */
    bool mobike;  /* the IKE SA can move (RFC 4555) */
};
void ike_get_summary(const struct ike *ike, struct ike_summary *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CHANNEL_H
#define GODWIT_CHANNEL_H

#include <glib.h>

/*
 * What a session and its worker say to each other, over the socketpair that the worker inherits.
 * A message is a kind and a GVariant of that kind's type; GVariant's serialisation is the wire
 * format. Both sides are of one build. Order is kept, and either may send at any time.
 */
enum channel_message {
    /* Session to worker. */
    MESSAGE_CONNECT,    /* (a{sv}a{sv}): profile_to_variant(); options "trace" b, "have-vnet-hdr" b,
                           "path-mtu" q, "ask-first" s, "kept" a{sv}, "descriptors" as: what the
                           descriptors that come with it are, of "tun", "udp4", "udp6", "lookup4",
                           "lookup6", "tcp4", "tcp6" and "token". Once; ACCEPTED or DOWN follows at
                           once. */
    MESSAGE_DISCONNECT, /* (): send Delete; DOWN follows */
    MESSAGE_SECRETS, /* a{say}: values by id, for SECRETS_REQUIRED; an empty one cancels. May take
                        as long as a person needs. */
    /* Worker to session. Times are microseconds of CLOCK_BOOTTIME. */
    MESSAGE_ACCEPTED, /* (): the profile of CONNECT is understood */
    MESSAGE_PHASE,    /* (sst): phase, text, time. The phases: "resolve", "token" (text: what the
                         user has to do at the token that has the key), "init",
                         "gateway-answered", "gateway-verified", "user-auth", "user-accepted",
                         "established", "disconnecting"; of one that was connected:
                         "reconnecting" (traffic stands still; text: why, and when the next
                         attempt comes), and while traffic goes on "reauthenticating",
                         "redirected" (text: the gateway) and "moving", again with the
                         reason as text when an attempt has failed. CONNECTED ends them. */
    MESSAGE_FAILED,   /* (ss): reason_name(), sentence with the facts: what an attempt came to
                         that another one follows. The phase that says so comes next. */
    MESSAGE_TRACE,    /* (sbbt): a rung of the ladder, outbound, retransmission, time */
    MESSAGE_SECRETS_REQUIRED, /* a(ssa{sv}): fields of a form: profile key ("password", "user",
                                 "gateway-fingerprint", "certificate"), prompt of the gateway,
                                 details of the kind that the key has. One at a time. */
    MESSAGE_CONNECTED, /* (a{sv}a{ss}), again for each IKE SA that takes the place of one before
                          and for what the gateway changes: net_config_to_variant(), all of
                          it; summary by name: "gateway",
                          "gateway-id", "gateway-auth", "gateway-subject", "local-id",
                          "user-auth", "ike-suite", "esp-suite", "esp-library",
                          "gateway-version" */
    MESSAGE_MTU,       /* (q): of the TUN, from now on; after CONNECTED */
    MESSAGE_DOWN,      /* (ss): reason_name(), sentence with the facts. The last one. */
    /* Session to worker: what happens around the connection. */
    MESSAGE_NETWORK, /* NETWORK_VARIANT_TYPE: before CONNECT and at each change. Another generation
                        means that uplinks changed, the same that the connectivity did. */
    MESSAGE_SLEEP,   /* (): the machine is about to sleep; WAKE always follows */
    MESSAGE_WAKE,    /* (): it has slept; SLEEP need not have come before */
    /* Worker to session: for a worker that takes its place, should it be ended by a fault. */
    MESSAGE_KEEP, /* (a{sv}): the option "kept" of that one's CONNECT, in the place of what was kept
                     before. The worker's own business, and as secret as a password; at most
                     CHANNEL_KEPT_MAX octets. */
    N_MESSAGES
};

enum channel_side { CHANNEL_SESSION, CHANNEL_WORKER };

/* Largest message, in octets: a profile with a bundle of authorities and a client certificate. */
#define CHANNEL_MESSAGE_MAX (4U << 20)
#define CHANNEL_KEPT_MAX (256U << 10)
#define CHANNEL_FDS_MAX 8 /* descriptors with a message */

struct channel;

/* `body` is of the kind's type and in normal form, borrowed for the call, and its octets are wiped
 * with its last reference. */
typedef void (*channel_message_cb)(void *context, enum channel_message kind, GVariant *body);
/* The other side closed the channel, after everything it had sent; or `breach`: it sent what is no
 * message, and nothing of it is read any more. Called once. */
typedef void (*channel_closed_cb)(void *context, gboolean breach);

/* Takes over `fd`, a stream socket, and reads from it on the thread-default context. */
struct channel *channel_new(int fd, enum channel_side side, channel_message_cb message,
                            channel_closed_cb closed, void *context);
/* Sends, or queues what the socket does not take. `body` may be floating; NULL = (). Nothing
 * happens once the channel is closed. */
void channel_send(struct channel *channel, enum channel_message kind, GVariant *body);
/* The same, and the worker gets duplicates of `n` descriptors with it. */
void channel_send_fds(struct channel *channel, enum channel_message kind, GVariant *body,
                      const int *fds, gsize n);
/* For a worker, while a message is handed to it: the next of the descriptors that came with it, its
 * own from now on; -1 when there is none left. What a worker sends a session never has any. */
int channel_take_fd(struct channel *channel);
/* Waits until everything queued is sent, at most `milliseconds`. */
void channel_flush(struct channel *channel, int milliseconds);
/* Also from inside a callback, none of which comes any more. NULL is harmless. */
void channel_free(struct channel *channel);

#endif

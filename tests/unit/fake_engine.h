/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_FAKE_ENGINE_H
#define GODWIT_TESTS_FAKE_ENGINE_H

#include <glib.h>

#include "ike/ike.h"

/*
 * Stands in for the engine, the datapath, the sockets and the name service under a struct tunnel: a
 * test says what each engine reports, and sees which were made and what is in the datapath.
 */
#define FAKE_ENGINES_MAX 32
#define FAKE_EVENTS_MAX 16

struct ike {
    /* of its config */
    char gateway[ADDR_TEXT_MAX], from[ADDR_TEXT_MAX], want[ADDR_TEXT_MAX], password[64];
    gboolean initial_contact;
    guint8 pinned; /* the first octet of the fingerprint; 0 = none */
    guint8 ticket; /* its octet; 0 = none */
    guint16 port;
    guint64 timeout;
    /* what was done with it */
    gboolean disconnected, freed, told_of_network, woken;
    gboolean mobike; /* set by the test */
    char provided[64];
    /* what it will report */
    struct ike_event events[FAKE_EVENTS_MAX];
    gsize n_events, next_event;
};

extern struct ike fake_engines[FAKE_ENGINES_MAX];
extern gsize fake_n_engines;
/* What the name service says: addresses with blanks between them; "" = there are none. */
extern const char *fake_names;
/* Addresses to which there is no route, with blanks around each. */
extern const char *fake_unroutable;
/* SPIs of what is in the datapath: all that come in, in the order of their coming, and those that
 * go out, by reqid; how often one of these went without another in its place. */
#define FAKE_REQIDS 4
extern GString *fake_in;
extern guint32 fake_out[FAKE_REQIDS];
extern guint fake_gaps;
/* Whether what is set of what goes out takes effect later, and how often that has been. */
extern bool fake_held;
extern guint fake_commits;

void fake_reset(void);

/* Reports of an engine, by its number. */
void fake_phase(gsize engine, enum ike_phase phase);
/* A Child SA with that SPI and reqid 1, and that internal address. */
void fake_up(gsize engine, guint32 spi, const char *address);
/* One more. */
void fake_up_too(gsize engine, guint32 spi, guint32 reqid);
void fake_down(gsize engine, enum reason reason, gboolean retry, const char *detail);
/* The same, for the gateway's certificate, whose fingerprint is that octet throughout. */
void fake_untrusted(gsize engine, enum reason reason, guint8 octet);
void fake_redirect(gsize engine, const char *to);
/* A ticket, of that octet throughout; the one before has been seen to. */
void fake_ticket(gsize engine, guint8 octet);
void fake_report(gsize engine, enum ike_event_type type);

#endif

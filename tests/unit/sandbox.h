/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_SANDBOX_H
#define GODWIT_TESTS_SANDBOX_H

#include <glib.h>

/*
 * A network and a mount namespace of the test's own, with an empty /run and a copy of what is
 * needed of /etc, so that whatever a test does to "the host" ends with the process. Exits with 77
 * (skipped) where that is not allowed.
 */
void sandbox_enter(void);

/* Standard output of a command line that must succeed; g_free(). */
char *sandbox_run(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* The same for what prints nothing of interest. */
#define sandbox_do(...) g_free(sandbox_run(__VA_ARGS__))
/* Everything that a session may change: links, addresses, rules, routes of all tables, nftables,
 * rp_filter, resolv.conf, /run; but not what worked where. */
char *sandbox_snapshot(void);
/* Fails the test with the differences between two texts of many lines. */
void sandbox_expect_text(const char *text, const char *wanted);
/* Fails the test with the differences when a snapshot taken now is not `before`. */
void sandbox_expect_same(const char *before);
/* The kernel takes its time to see the carrier of a link that has been set up. */
void sandbox_wait_carrier(const char *link);
/* A pair of links, NAME0 and NAME1, that are up and have no address of their own. */
void sandbox_link(const char *name);
/* A pair of links with 192.0.2.2/24 and 2001:db8:1::2/64, default routes by .1 and ::1. */
void sandbox_uplink(void);

#endif

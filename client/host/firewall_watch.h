/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_FIREWALL_WATCH_H
#define GODWIT_HOST_FIREWALL_WATCH_H

/*
 * Sees to it that the firewall's table comes back when somebody else removes it: a restart of
 * nftables.service, or of whatever else begins with `nft flush ruleset`, takes all tables away.
 */
struct firewall_watch;

/* Watches on the thread-default context. Never fails: without nftables there is no table. */
struct firewall_watch *firewall_watch_new(void);
void firewall_watch_free(struct firewall_watch *watch); /* NULL is harmless */

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/firewall_watch.h"

#include <glib-unix.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "host/firewall.h"
#include "host/record.h"

#define BURST 256 /* notifications at a time */
#define TABLE_DELETED (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE)

struct firewall_watch {
    struct nl_sock *announced;
    GSource *source;
    gboolean lost;
};

static void mend(void)
{
    g_autoptr(GError) error = NULL;
    int lock = record_lock(&error);
    if (lock < 0 || !firewall_mend(&error)) {
        g_message("%s", error->message);
    }
    record_unlock(lock);
}

static int on_notification(struct nl_msg *msg, void *context)
{
    struct firewall_watch *watch = context;
    struct nlmsghdr *header = nlmsg_hdr(msg);
    if (header->nlmsg_type == TABLE_DELETED) {
        struct nlattr *name = nlmsg_find_attr(header, sizeof(struct nfgenmsg), NFTA_TABLE_NAME);
        watch->lost |= name && nla_strcmp(name, FIREWALL_TABLE) == 0;
    }
    return NL_OK;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    struct firewall_watch *watch = data;
    int err = 0;
    (void)fd;
    (void)condition;
    watch->lost = FALSE;
    for (int i = 0; i < BURST && err >= 0; i++) {
        err = nl_recvmsgs_default(watch->announced);
    }
    /* What did not fit may have been about our table. */
    if (watch->lost || (err < 0 && err != -NLE_AGAIN)) {
        mend();
    }
    return G_SOURCE_CONTINUE;
}

static gboolean subscribe(struct firewall_watch *watch)
{
    watch->announced = nl_socket_alloc();
    if (!watch->announced) {
        return FALSE;
    }
    nl_socket_disable_seq_check(watch->announced);
    nl_socket_modify_cb(watch->announced, NL_CB_VALID, NL_CB_CUSTOM, on_notification, watch);
    return nl_connect(watch->announced, NETLINK_NETFILTER) >= 0 &&
           nl_socket_add_membership(watch->announced, NFNLGRP_NFTABLES) >= 0 &&
           nl_socket_set_nonblocking(watch->announced) >= 0;
}

struct firewall_watch *firewall_watch_new(void)
{
    struct firewall_watch *watch = g_new0(struct firewall_watch, 1);
    if (subscribe(watch)) {
        watch->source =
            g_unix_fd_source_new(nl_socket_get_fd(watch->announced), G_IO_IN | G_IO_ERR);
        g_source_set_callback(watch->source, G_SOURCE_FUNC(on_readable), watch, NULL);
        g_source_attach(watch->source, g_main_context_get_thread_default());
    }
    return watch;
}

void firewall_watch_free(struct firewall_watch *watch)
{
    if (!watch) {
        return;
    }
    if (watch->source) {
        g_source_destroy(watch->source);
        g_source_unref(watch->source);
    }
    if (watch->announced) {
        nl_socket_free(watch->announced);
    }
    g_free(watch);
}

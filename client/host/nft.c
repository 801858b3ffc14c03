/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/nft.h"

#include <errno.h>
#include <linux/netlink.h>
#include <malloc.h>
#include <nftables/libnftables.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/i18n.h"
#include "host/host.h"

static gboolean refused(GError **error, const char *why)
{
    gboolean denied = strstr(why, g_strerror(EPERM)) || strstr(why, g_strerror(EACCES));
    g_set_error(error, HOST_ERROR, denied ? HOST_ERROR_PERMISSION : HOST_ERROR_CONFIG,
                _("The firewall (nftables) cannot be set: %s."), why);
    return FALSE;
}

/* The library ends the process when it cannot have its socket. */
static gboolean is_there(GError **error)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (fd < 0) {
        return refused(error, g_strerror(errno));
    }
    close(fd);
    return TRUE;
}

/* "internal:0:0-0: Error: Could not process rule: Operation not permitted" and more lines. */
static char *reason_in(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", 2);
    const char *line = lines[0] ? lines[0] : "";
    const char *said = strstr(line, "Error: ");
    return g_strdup(said ? said + strlen("Error: ") : *line ? line : _("unknown error"));
}

gboolean nft_run(const char *commands, GError **error)
{
    if (!is_there(error)) {
        return FALSE;
    }
    struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
    if (!nft) {
        return refused(error, g_strerror(ENOMEM));
    }
    nft_ctx_buffer_error(nft);
    gboolean done = nft_run_cmd_from_buffer(nft, commands) == 0;
    if (!done) {
        g_autofree char *why = reason_in(nft_ctx_get_error_buffer(nft));
        refused(error, why);
    }
    nft_ctx_free(nft);
    /* libnftables takes megabytes for a moment, which else stay ours for good. */
    malloc_trim(0);
    return done;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/nft.h"

#include <dlfcn.h>
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

/* "internal:0:0-0: Error: Could not process rule: Operation not permitted" and more lines. */
static char *reason_in(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", 2);
    const char *line = lines[0] ? lines[0] : "";
    const char *said = strstr(line, "Error: ");
    return g_strdup(said ? said + strlen("Error: ") : *line ? line : _("unknown error"));
}

/*
 * It is loaded when it is needed first: with all that it needs itself it would be a fifth of the
 * time in which a program starts that may not need it at all. A host that lacks it goes without a
 * firewall.
 */
struct library {
    __typeof__(&nft_ctx_new) ctx_new;
    __typeof__(&nft_ctx_free) ctx_free;
    __typeof__(&nft_ctx_buffer_error) ctx_buffer_error;
    __typeof__(&nft_ctx_get_error_buffer) ctx_get_error_buffer;
    __typeof__(&nft_run_cmd_from_buffer) run_cmd_from_buffer;
};

static gboolean load(struct library *library, GError **error)
{
    const struct {
        const char *name;
        void *to;
    } functions[] = {
        {"nft_ctx_new", &library->ctx_new},
        {"nft_ctx_free", &library->ctx_free},
        {"nft_ctx_buffer_error", &library->ctx_buffer_error},
        {"nft_ctx_get_error_buffer", &library->ctx_get_error_buffer},
        {"nft_run_cmd_from_buffer", &library->run_cmd_from_buffer},
    };
    /* Once more it is only counted: it stays for good. */
    void *handle = dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; i < G_N_ELEMENTS(functions) && handle; i++) {
        void *function = dlsym(handle, functions[i].name);
        memcpy(functions[i].to, &function, sizeof function);
        handle = function ? handle : NULL;
    }
    return handle || refused(error, dlerror());
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

/* The reason, or NULL when all is done. */
static char *run(const struct library *library, const char *commands)
{
    struct nft_ctx *nft = library->ctx_new(NFT_CTX_DEFAULT);
    if (!nft) {
        return g_strdup(g_strerror(ENOMEM));
    }
    library->ctx_buffer_error(nft);
    gboolean done = library->run_cmd_from_buffer(nft, commands) == 0;
    char *why = done ? NULL : reason_in(library->ctx_get_error_buffer(nft));
    library->ctx_free(nft);
    return why;
}

gboolean nft_run(const char *commands, GError **error)
{
    struct library library;
    if (!load(&library, error) || !is_there(error)) {
        return FALSE;
    }
    g_autofree char *why = run(&library, commands);
    /* libnftables takes megabytes for a moment, which else stay ours for good. */
    malloc_trim(0);
    return !why || refused(error, why);
}

void nft_make_room(void)
{
    enum { ROOM = (2 << 20) + (128 << 10) };
    (void)mallopt(M_MMAP_THRESHOLD, 2 * ROOM);
    (void)mallopt(M_TRIM_THRESHOLD, 2 * ROOM);
    void *room = malloc(ROOM);
    if (room) {
        explicit_bzero(room, ROOM);
    }
    free(room);
}

void nft_prepare(const char *commands)
{
    /* Nothing is sent before all of it is read, and this is no command. */
    g_autofree char *text = g_strconcat(commands, "nothing of this\n", NULL);
    struct library library;
    if (load(&library, NULL) && is_there(NULL)) {
        g_free(run(&library, text));
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "host/firewall.h"

#include <glib/gstdio.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "common/i18n.h"
#include "host/firewall_table.h"
#include "host/local_networks.h"
#include "host/nft.h"

#define PERMANENT "kill-switch" /* in RUNDIR; not a record: it has no process */

static const enum family families[] = {FAMILY_IPV4, FAMILY_IPV6};

/* ---- what one session needs, as words ---- */

static void add_word(GString *words, const char *word)
{
    g_string_append_printf(words, "%s%s", words->len > 0 ? " " : "", word);
}

static void add_prefix(GString *words, const struct prefix *prefix)
{
    char text[ADDR_TEXT_MAX];
    add_word(words, prefix_text(prefix, text));
}

/* Names that nftables reads as they are; the kernel allows others. */
static gboolean is_plain(const char *interface)
{
    gboolean plain = *interface != '\0';
    for (const char *c = interface; *c; c++) {
        plain &= g_ascii_isalnum(*c) || *c == '.' || *c == '-' || *c == '_';
    }
    return plain;
}

static char *local_words(const struct network *network)
{
    GString *words = g_string_new(NULL);
    for (size_t i = 0; i < network->n; i++) {
        const struct uplink *uplink = &network->uplinks[i];
        struct prefix local;
        if (local_network_of(uplink, &local) && is_plain(uplink->interface)) {
            add_word(words, uplink->interface);
            add_prefix(words, &local);
        }
    }
    return g_string_free(words, FALSE);
}

static gboolean carries(const struct net_config *config, enum family family)
{
    gboolean has_address = FALSE, has_default = FALSE;
    for (size_t i = 0; i < config->n_addresses; i++) {
        has_address |= config->addresses[i].addr.family == family;
    }
    for (size_t i = 0; i < config->n_routes; i++) {
        has_default |= config->routes[i].addr.family == family && config->routes[i].len == 0;
    }
    return has_address && has_default;
}

static gboolean is_blocked(const struct firewall_wish *wish, enum family family)
{
    const struct host_options *options = wish->options;
    return options->full_tunnel && options->block_other_family && !carries(wish->config, family);
}

static gboolean holds(const struct firewall_wish *wish, enum family family)
{
    const struct host_options *options = wish->options;
    return (options->kill_switch && options->hold_everything) || is_blocked(wish, family);
}

/* Those families of which `is` tells. */
static char *family_words(const struct firewall_wish *wish,
                          gboolean (*is)(const struct firewall_wish *wish, enum family family))
{
    GString *words = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
        if (is(wish, families[i])) {
            add_word(words, families[i] == FAMILY_IPV4 ? "ipv4" : "ipv6");
        }
    }
    return g_string_free(words, FALSE);
}

static void add_apps(struct firewall_share *share, const struct firewall_wish *wish)
{
    const struct net_config *config = wish->config;
    GString *servers = g_string_new(NULL);
    char text[ADDR_TEXT_MAX];
    for (size_t i = 0; i < config->n_dns; i++) {
        add_word(servers, addr_text(&config->dns[i], text));
    }
    g_autofree char *server_words = g_string_free(servers, FALSE);
    switch (wish->options->apps) {
    case HOST_APPS_ALL:
        break;
    case HOST_APPS_EXCEPT:
        share->words[SHARE_OUTSIDE] = g_strdup(wish->apps);
        share->words[SHARE_SERVERS] = g_steal_pointer(&server_words);
        share->words[SHARE_EMPTY] = family_words(wish, is_blocked);
        break;
    case HOST_APPS_ONLY:
        share->words[SHARE_INSIDE] = g_strdup(wish->apps);
        share->words[SHARE_ONLY] = g_strdup_printf("0x%x", wish->only_mark);
        share->words[SHARE_ONLY_HELD] = family_words(wish, holds);
        break;
    }
}

static void add_tunnel(struct firewall_share *share, const struct firewall_wish *wish)
{
    const struct net_config *config = wish->config;
    GString *inner = g_string_new(NULL), *networks = g_string_new(NULL);
    char text[ADDR_TEXT_MAX];
    for (size_t i = 0; i < config->n_addresses; i++) {
        add_word(inner, addr_text(&config->addresses[i].addr, text));
    }
    for (size_t i = 0; i < config->n_routes && wish->options->kill_switch; i++) {
        if (config->routes[i].len > 0) {
            add_prefix(networks, &config->routes[i]);
        }
    }
    share->words[SHARE_INTERFACE] = g_strdup(wish->interface);
    share->words[SHARE_INNER] = g_string_free(inner, FALSE);
    share->words[SHARE_NETWORKS] = g_string_free(networks, FALSE);
}

static struct firewall_share *share_of_options(const struct host_options *options)
{
    struct firewall_share *share = firewall_share_new();
    GString *excluded = g_string_new(NULL);
    for (size_t i = 0; i < options->n_excluded; i++) {
        add_prefix(excluded, &options->excluded[i]);
    }
    share->words[SHARE_MARK] = g_strdup_printf("0x%x", options->fwmark);
    share->words[SHARE_EXCLUDED] = g_string_free(excluded, FALSE);
    share->words[SHARE_LOCAL] = g_strdup(options->local_network ? "" : SHARE_NO_LOCAL);
    return share;
}

/* Unless they are not let out. TRUE when they are others than before. */
static gboolean set_local_networks(struct firewall_share *share, const struct network *network)
{
    g_autofree char *before = share->words[SHARE_LOCAL];
    share->words[SHARE_LOCAL] =
        g_strcmp0(before, SHARE_NO_LOCAL) == 0 ? g_strdup(before) : local_words(network);
    return g_strcmp0(before, share->words[SHARE_LOCAL]) != 0;
}

static struct firewall_share *make_share(const struct firewall_wish *wish)
{
    struct firewall_share *share = share_of_options(wish->options);
    share->words[SHARE_HELD] =
        wish->options->apps == HOST_APPS_ONLY ? g_strdup("") : family_words(wish, holds);
    add_apps(share, wish);
    share->words[SHARE_DNS] = g_strdup(wish->hold_dns ? SHARE_HOLD_DNS : "");
    (void)set_local_networks(share, wish->network);
    add_tunnel(share, wish);
    return share;
}

/* ---- the permanent kill switch ---- */

static char *permanent_path(void)
{
    return g_build_filename(RUNDIR, PERMANENT, NULL);
}

static struct firewall_share *load_permanent(void)
{
    g_autofree char *path = permanent_path();
    g_autoptr(GKeyFile) file = g_key_file_new();
    return g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL) ? firewall_share_load(file)
                                                                        : NULL;
}

static gboolean save_permanent(const struct firewall_share *share, GError **error)
{
    g_autofree char *path = permanent_path();
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) why = NULL;
    firewall_share_save(share, file);
    g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
    if (g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &why)) {
        return TRUE;
    }
    g_set_error(error, HOST_ERROR, HOST_ERROR_CONFIG, _("The kill switch cannot be kept: %s."),
                why->message);
    return FALSE;
}

gboolean firewall_is_held(void)
{
    g_autofree char *path = permanent_path();
    return access(path, F_OK) == 0; /* others than root may not read it */
}

/* ---- the table ---- */

/* Of all sessions of this network namespace but that of `except`, which may be NULL. */
static GPtrArray *load_sessions(const char *except)
{
    g_autoptr(GPtrArray) records = record_list();
    GPtrArray *shares = g_ptr_array_new_with_free_func(firewall_share_free);
    for (guint i = 0; i < records->len; i++) {
        const struct record *record = records->pdata[i];
        if (record_here(record) && g_strcmp0(record_name(record), except) != 0) {
            struct firewall_share *share = firewall_share_load(record_file(record));
            if (share) {
                g_ptr_array_add(shares, share);
            }
        }
    }
    return shares;
}

static gboolean has_apps(const GPtrArray *shares)
{
    gboolean has = FALSE;
    for (guint i = 0; i < shares->len; i++) {
        has |= firewall_share_has_apps(shares->pdata[i]);
    }
    return has;
}

/* There is a table for programs, maybe: to ask the kernel takes longer. */
#define APPS_FILE RUNDIR "/apps"

static gboolean had_apps(void)
{
    return access(APPS_FILE, F_OK) == 0;
}

/* A control group may go between the making of its rule and the setting, which then fails. */
static gboolean run_table(const GPtrArray *shares, gint64 worker, gboolean found, GError **error)
{
    gboolean apps = has_apps(shares), done = FALSE;
    guint tries = apps ? 3 : 1;
    if (apps && !g_file_set_contents(APPS_FILE, "", 0, error)) {
        return FALSE;
    }
    while (!done && tries-- > 0) {
        g_autofree char *commands = firewall_table(shares, worker, found, had_apps());
        done = nft_run(commands, tries == 0 ? error : NULL);
    }
    if (done && !apps) {
        (void)g_unlink(APPS_FILE);
    }
    return done;
}

void firewall_prepare(void)
{
    struct firewall_share *share = firewall_share_new();
    g_autoptr(GPtrArray) shares = g_ptr_array_new();
    share->words[SHARE_INTERFACE] = g_strdup(HOST_INTERFACE_PREFIX);
    share->words[SHARE_MARK] = g_strdup("1");
    share->words[SHARE_INNER] = g_strdup("192.0.2.1 2001:db8::1");
    share->words[SHARE_DNS] = g_strdup(SHARE_HOLD_DNS);
    g_ptr_array_add(shares, share);
    g_autofree char *commands = firewall_table(shares, 0, TRUE, FALSE);
    nft_prepare(commands);
    firewall_share_free(share);
}

/* `own` stands for the record on disk of its name (NULL = it needs nothing), which has `found` its
 * gateway. */
static gboolean set_table(const char *own_name, const struct firewall_share *own, gboolean found,
                          const struct firewall_share *permanent, GError **error)
{
    g_autoptr(GPtrArray) sessions = load_sessions(own_name);
    g_autoptr(GPtrArray) shares = g_ptr_array_new();
    struct passwd *worker = getpwnam(WORKER_USER);
    g_ptr_array_extend(shares, sessions, NULL, NULL);
    if (own) {
        g_ptr_array_add(shares, (gpointer)own);
    }
    if (permanent) {
        g_ptr_array_add(shares, (gpointer)permanent);
    }
    return run_table(shares, worker ? (gint64)worker->pw_uid : -1, found, error);
}

static gboolean set_record(struct record *record, const struct firewall_share *share,
                           GError **error)
{
    struct firewall_share *permanent = load_permanent();
    struct firewall_share *before = firewall_share_load(record_file(record));
    gboolean done = firewall_share_equal(before, share);
    if (!done) {
        /* On disk is what may be there. */
        if (share) {
            firewall_share_save(share, record_file(record));
        }
        gboolean found =
            share && !(before && before->words[SHARE_INNER] && *before->words[SHARE_INNER]);
        done = (!share || record_save(record, error)) &&
               set_table(record_name(record), share, found, permanent, error);
        if (!done && before) {
            firewall_share_save(before, record_file(record));
        } else if (!done || !share) {
            firewall_share_forget(record_file(record));
        }
        done = record_save(record, done ? error : NULL) && done;
    }
    firewall_share_free(before);
    firewall_share_free(permanent);
    return done;
}

gboolean firewall_apply(struct record *record, const struct firewall_wish *wish, GError **error)
{
    struct firewall_share *share = make_share(wish);
    gboolean done = set_record(record, share, error);
    firewall_share_free(share);
    return done;
}

gboolean firewall_revert(struct record *record, GError **error)
{
    return set_record(record, NULL, error);
}

gboolean firewall_has_switch(const struct record *record)
{
    struct firewall_share *share = firewall_share_load(record_file(record));
    gboolean has = record_here(record) && share && firewall_share_is_switch(share);
    firewall_share_free(share);
    return has;
}

void firewall_inherit(struct record *heir, const struct record *dead, gboolean same_interface)
{
    struct firewall_share *share = firewall_share_load(record_file(dead));
    if (!share) {
        return;
    }
    if (!same_interface) {
        g_clear_pointer(&share->words[SHARE_INTERFACE], g_free);
        g_clear_pointer(&share->words[SHARE_INNER], g_free);
    }
    firewall_share_save(share, record_file(heir));
    firewall_share_free(share);
}

static gboolean set_permanent(const struct firewall_share *share,
                              const struct firewall_share *before, GError **error)
{
    gboolean done = save_permanent(share, error) && set_table(NULL, NULL, FALSE, share, error);
    if (!done && before) {
        (void)save_permanent(before, NULL);
    } else if (!done) {
        g_autofree char *path = permanent_path();
        (void)g_unlink(path);
    }
    return done;
}

gboolean firewall_hold(const struct host_options *options, GError **error)
{
    struct firewall_share *share = share_of_options(options), *before = load_permanent();
    if (before && options->local_network && g_strcmp0(before->words[SHARE_LOCAL], SHARE_NO_LOCAL)) {
        g_free(share->words[SHARE_LOCAL]);
        share->words[SHARE_LOCAL] = g_strdup(before->words[SHARE_LOCAL]);
    }
    share->words[SHARE_HELD] = g_strdup(SHARE_EVERYTHING);
    /* Also when it was held already: somebody may have flushed the table while nobody watched. */
    gboolean done = set_permanent(share, before, error);
    firewall_share_free(share);
    firewall_share_free(before);
    return done;
}

gboolean firewall_hold_follow(const struct network *network, GError **error)
{
    struct firewall_share *share = load_permanent(), *before = load_permanent();
    gboolean done =
        !share || !set_local_networks(share, network) || set_permanent(share, before, error);
    firewall_share_free(share);
    firewall_share_free(before);
    return done;
}

gboolean firewall_release(GError **error)
{
    g_autofree char *path = permanent_path();
    if (!firewall_is_held()) {
        return TRUE;
    }
    if (!set_table(NULL, NULL, FALSE, NULL, error)) {
        return FALSE;
    }
    (void)g_unlink(path);
    return TRUE;
}

gboolean firewall_mend(GError **error)
{
    struct firewall_share *permanent = load_permanent();
    g_autoptr(GPtrArray) sessions = load_sessions(NULL);
    gboolean needed = permanent || sessions->len > 0;
    gboolean done = !needed || set_table(NULL, NULL, FALSE, permanent, error);
    firewall_share_free(permanent);
    return done;
}

/* ---- users who are let out ---- */

/* A line of /proc/net/udp: local address and port in hexadecimal second, the user eighth. */
static gboolean is_resolver(const char *line, guint32 *uid)
{
    unsigned port, user;
    if (sscanf(line,
               " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f:] %*x %*[0-9A-Fa-f:] %*[0-9A-Fa-f:] %*x %u",
               &port, &user) != 2) {
        return FALSE;
    }
    *uid = user;
    return port == 53;
}

/* The users of programs that answer DNS on this host. */
static GArray *find_resolvers(void)
{
    static const char *const tables[] = {"/proc/self/net/udp", "/proc/self/net/udp6"};
    GArray *uids = g_array_new(FALSE, FALSE, sizeof(guint32));
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;
        if (g_file_get_contents(tables[i], &text, NULL, NULL)) {
            lines = g_strsplit(text, "\n", 0);
        }
        for (char **line = lines; line && *line; line++) {
            guint32 uid;
            gboolean known = !is_resolver(*line, &uid);
            for (guint j = 0; j < uids->len && !known; j++) {
                known = g_array_index(uids, guint32, j) == uid;
            }
            if (!known) {
                g_array_append_val(uids, uid);
            }
        }
    }
    return uids;
}

/* FALSE when there is no table. */
static gboolean load_all(GPtrArray **shares)
{
    struct firewall_share *permanent = load_permanent();
    *shares = load_sessions(NULL);
    if (permanent) {
        g_ptr_array_add(*shares, permanent);
    }
    return (*shares)->len > 0;
}

gboolean firewall_let_resolvers_ask(GError **error)
{
    g_autoptr(GPtrArray) shares = NULL;
    g_autoptr(GArray) uids = find_resolvers();
    g_autofree char *commands = firewall_table_resolvers(uids);
    return !load_all(&shares) || nft_run(commands, error);
}

gboolean firewall_portal(guint32 uid, guint seconds, GError **error)
{
    g_autoptr(GPtrArray) shares = NULL;
    gboolean there = load_all(&shares);
    g_autofree char *commands =
        firewall_table_portal(shares, uid, MIN(seconds, FIREWALL_PORTAL_MAX));
    return !there || nft_run(commands, error);
}

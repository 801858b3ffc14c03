/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/firewall_table.h"

#include "host/apps.h"
#include "host/firewall.h"

#define GROUP "firewall"
#define TABLE "inet " FIREWALL_TABLE
/* A table of its own, made and removed at once: where no program is led, the kernel need not follow
 * connections. */
#define TABLE_APPS "inet " FIREWALL_TABLE "-apps"
/* Web pages, and the names in them. */
#define PORTAL_TRAFFIC "meta l4proto . th dport { tcp . 1-65535, udp . 53 }"

static const char *const keys[N_SHARE_WORDS] = {
    [SHARE_INTERFACE] = "interface", [SHARE_MARK] = "mark",
    [SHARE_INNER] = "inner",         [SHARE_HELD] = "held",
    [SHARE_NETWORKS] = "networks",   [SHARE_EXCLUDED] = "excluded",
    [SHARE_LOCAL] = "local",         [SHARE_DNS] = "dns",
    [SHARE_OUTSIDE] = "outside",     [SHARE_SERVERS] = "servers",
    [SHARE_EMPTY] = "empty",         [SHARE_INSIDE] = "inside",
    [SHARE_ONLY] = "only",           [SHARE_ONLY_HELD] = "only-held",
};

/* ---- a share ---- */

struct firewall_share *firewall_share_new(void)
{
    return g_new0(struct firewall_share, 1);
}

void firewall_share_free(gpointer data)
{
    struct firewall_share *share = data;
    for (size_t i = 0; share && i < N_SHARE_WORDS; i++) {
        g_free(share->words[i]);
    }
    g_free(share);
}

struct firewall_share *firewall_share_load(GKeyFile *file)
{
    if (!g_key_file_has_group(file, GROUP)) {
        return NULL;
    }
    struct firewall_share *share = firewall_share_new();
    for (size_t i = 0; i < N_SHARE_WORDS; i++) {
        share->words[i] = g_key_file_get_string(file, GROUP, keys[i], NULL);
    }
    return share;
}

void firewall_share_save(const struct firewall_share *share, GKeyFile *file)
{
    for (size_t i = 0; i < N_SHARE_WORDS; i++) {
        g_key_file_set_string(file, GROUP, keys[i], share->words[i] ? share->words[i] : "");
    }
}

void firewall_share_forget(GKeyFile *file)
{
    (void)g_key_file_remove_group(file, GROUP, NULL);
}

static const char *words_of(const struct firewall_share *share, enum share_word word)
{
    return share->words[word] ? share->words[word] : "";
}

gboolean firewall_share_is_switch(const struct firewall_share *share)
{
    return g_str_equal(words_of(share, SHARE_HELD), SHARE_EVERYTHING) ||
           *words_of(share, SHARE_NETWORKS) || *words_of(share, SHARE_ONLY_HELD);
}

gboolean firewall_share_has_apps(const struct firewall_share *share)
{
    return *words_of(share, SHARE_OUTSIDE) || *words_of(share, SHARE_INSIDE);
}

gboolean firewall_share_equal(const struct firewall_share *a, const struct firewall_share *b)
{
    gboolean equal = !a == !b;
    for (enum share_word i = 0; i < N_SHARE_WORDS && a && equal; i++) {
        equal = g_str_equal(words_of(a, i), words_of(b, i));
    }
    return equal;
}

/* ---- the table ---- */

struct table {
    GString *commands;
    const GPtrArray *shares;
    gboolean apps; /* there are programs that are led */
};

G_GNUC_PRINTF(4, 0)
static void append_rule(struct table *table, const char *where, const char *chain,
                        const char *format, va_list arguments)
{
    g_string_append_printf(table->commands, "add rule %s %s ", where, chain);
    g_string_append_vprintf(table->commands, format, arguments);
    g_string_append_c(table->commands, '\n');
}

static void add_rule(struct table *table, const char *chain, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static void add_rule(struct table *table, const char *chain, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    append_rule(table, TABLE, chain, format, arguments);
    va_end(arguments);
}

/* ... of TABLE_APPS, if there is one. */
static void add_app_rule(struct table *table, const char *chain, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static void add_app_rule(struct table *table, const char *chain, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (table->apps) {
        append_rule(table, TABLE_APPS, chain, format, arguments);
    }
    va_end(arguments);
}

/* Calls for each word of all shares, with the share's interface. */
static void each_word(struct table *table, enum share_word which,
                      void (*call)(struct table *table, const char *word, const char *interface))
{
    for (guint i = 0; i < table->shares->len; i++) {
        const struct firewall_share *share = table->shares->pdata[i];
        g_auto(GStrv) words = g_strsplit(words_of(share, which), " ", 0);
        for (char **word = words; *word; word++) {
            if (**word) {
                call(table, *word, words_of(share, SHARE_INTERFACE));
            }
        }
    }
}

static const char *family_of(const char *text)
{
    return strchr(text, ':') ? "ip6" : "ip";
}

static void guard_inner(struct table *table, const char *word, const char *interface)
{
    add_rule(table, "inner", "iifname != \"%s\" %s daddr %s fib saddr type != local drop",
             interface, family_of(word), word);
}

static void let_interface_out(struct table *table, const char *word, const char *interface)
{
    (void)interface;
    add_rule(table, "held", "oifname \"%s\" accept", word);
    add_app_rule(table, "held", "oifname \"%s\" accept", word);
}

/* What answers those for whom the host passes things on. */
static void let_interface_through(struct table *table, const char *word, const char *interface)
{
    (void)interface;
    add_rule(table, "forward", "iifname \"%s\" accept", word);
}

static void let_mark_out(struct table *table, const char *word, const char *interface)
{
    (void)interface;
    add_rule(table, "own", "meta mark %s meta l4proto { tcp, udp } accept", word);
}

static void let_excluded_out(struct table *table, const char *word, const char *interface)
{
    (void)interface;
    add_rule(table, "held", "%s daddr %s accept", family_of(word), word);
    add_app_rule(table, "held", "%s daddr %s accept", family_of(word), word);
}

static void hold_family(struct table *table, const char *word, const char *interface)
{
    (void)interface;
    add_rule(table, "out", "meta nfproto %s goto own", word);
    add_rule(table, "forward", "meta nfproto %s goto held", word);
}

static void hold_network(struct table *table, const char *word, const char *interface)
{
    (void)interface;
    g_string_append_printf(table->commands, "add element " TABLE " networks%s { %s }\n",
                           strchr(word, ':') ? "6" : "4", word);
}

typedef void (*rule_adder)(struct table *table, const char *chain, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Only if all that hold something let them out. `refusal` is what becomes of DNS. */
static void let_local_networks_out(struct table *table, rule_adder add, const char *refusal)
{
    for (guint i = 0; i < table->shares->len; i++) {
        if (g_str_equal(words_of(table->shares->pdata[i], SHARE_LOCAL), SHARE_NO_LOCAL)) {
            return;
        }
    }
    add(table, "held", "meta l4proto { tcp, udp } th dport { 53, 853 } %s", refusal);
    for (guint i = 0; i < table->shares->len; i++) {
        g_auto(GStrv) words = g_strsplit(words_of(table->shares->pdata[i], SHARE_LOCAL), " ", 0);
        for (char **word = words; word[0] && word[1]; word += 2) {
            add(table, "held", "oifname \"%s\" %s daddr %s accept", word[0], family_of(word[1]),
                word[1]);
        }
    }
    /* RFC 5771 4, RFC 4291 2.7, and the two that discover devices. */
    add(table, "held", "ip daddr { 224.0.0.0/24, 239.255.255.250, 255.255.255.255 } accept");
    add(table, "held", "ip6 daddr { fe80::/10, ff02::/16 } accept");
}

/* ---- programs ---- */

/* What they send. A path of n groups ends at level n. */
static char *sent_by(const char *group)
{
    guint level = 1;
    for (const char *c = group; *c; c++) {
        level += *c == '/';
    }
    return g_strdup_printf("socket cgroupv2 level %u \"%s\"", level, group);
}

/* Those there are now. */
static char **groups_of(const struct firewall_share *share, enum share_word which)
{
    g_autofree char *groups = apps_existing(words_of(share, which));
    return g_strsplit(groups, " ", 0);
}

/* What began by one way goes on by it: with another address it would be nothing. */
static void lead(struct table *table, const char *where, const char *group, const char *mark)
{
    g_autofree char *sent = sent_by(group);
    add_app_rule(table, "lead", "%s ct state new %s ct mark set %s", where, sent, mark);
}

static void lead_flows(struct table *table, const char *where, const char *mark)
{
    add_app_rule(table, "lead", "%s ct mark %s meta mark set %s", where, mark, mark);
}

static void lead_outside(struct table *table, const struct firewall_share *share)
{
    const char *interface = words_of(share, SHARE_INTERFACE), *mark = words_of(share, SHARE_MARK);
    g_auto(GStrv) groups = groups_of(share, SHARE_OUTSIDE);
    g_auto(GStrv) servers = g_strsplit(words_of(share, SHARE_SERVERS), " ", 0);
    g_auto(GStrv) inner = g_strsplit(words_of(share, SHARE_INNER), " ", 0);
    g_autofree char *where = g_strdup_printf("oifname \"%s\"", interface);
    if (!*interface || !*groups) {
        return;
    }
    for (char **server = servers; *server; server++) {
        add_app_rule(table, "lead",
                     "%s %s daddr %s meta l4proto { tcp, udp } th dport { 53, 853 } return", where,
                     family_of(*server), *server);
    }
    for (char **group = groups; *group; group++) {
        lead(table, where, *group, mark);
    }
    lead_flows(table, where, mark);
    for (char **address = inner; *address; address++) {
        add_app_rule(table, "nat", "meta mark %s oifname != \"%s\" %s saddr %s masquerade", mark,
                     interface, family_of(*address), *address);
    }
}

static void lead_inside(struct table *table, const struct firewall_share *share)
{
    const char *interface = words_of(share, SHARE_INTERFACE), *mark = words_of(share, SHARE_ONLY);
    g_auto(GStrv) groups = groups_of(share, SHARE_INSIDE);
    g_autofree char *where = g_strdup_printf("oifname != { \"lo\", \"%s\" }", interface);
    if (!*interface || !*groups) {
        return;
    }
    for (char **group = groups; *group; group++) {
        lead(table, where, *group, mark);
    }
    lead_flows(table, where, mark);
    add_app_rule(table, "nat", "meta mark %s oifname \"%s\" masquerade", mark, interface);
}

static gboolean are_programs(const GPtrArray *shares)
{
    gboolean are = FALSE;
    for (guint i = 0; i < shares->len; i++) {
        g_auto(GStrv) outside = groups_of(shares->pdata[i], SHARE_OUTSIDE);
        g_auto(GStrv) inside = groups_of(shares->pdata[i], SHARE_INSIDE);
        are |= *outside || *inside;
    }
    return are;
}

static void lead_programs(struct table *table)
{
    static const char chains[] =
        "add table " TABLE_APPS "\n"
        "add chain " TABLE_APPS " lead { type route hook output priority mangle; policy accept; }\n"
        "add chain " TABLE_APPS
        " nat { type nat hook postrouting priority srcnat; policy accept; }\n"
        "add chain " TABLE_APPS
        " led { type filter hook postrouting priority filter; policy accept; }\n"
        "add chain " TABLE_APPS " held\n";
    table->apps = are_programs(table->shares);
    if (table->apps) {
        g_string_append(table->commands, chains);
    }
    for (guint i = 0; i < table->shares->len; i++) {
        lead_outside(table, table->shares->pdata[i]);
        lead_inside(table, table->shares->pdata[i]);
    }
}

static void let_programs_out(struct table *table, const char *chain)
{
    for (guint i = 0; i < table->shares->len; i++) {
        g_auto(GStrv) groups = groups_of(table->shares->pdata[i], SHARE_OUTSIDE);
        for (char **group = groups; *group; group++) {
            g_autofree char *sent = sent_by(*group);
            add_rule(table, chain, "%s accept", sent);
        }
    }
}

static void refuse_empty(struct table *table, const char *word, const char *interface)
{
    add_rule(table, "held", "oifname \"%s\" meta nfproto %s goto refused", interface, word);
}

/*
 * The kill switch of those that alone use a tunnel. What is led there is looked at again when it
 * has its new way: the hook of what the host sends knows the old one only.
 */
static void hold_inside(struct table *table)
{
    for (guint i = 0; i < table->shares->len; i++) {
        const struct firewall_share *share = table->shares->pdata[i];
        const char *mark = words_of(share, SHARE_ONLY);
        g_auto(GStrv) groups = groups_of(share, SHARE_INSIDE);
        g_auto(GStrv) families = g_strsplit(words_of(share, SHARE_ONLY_HELD), " ", 0);
        for (char **family = families; *family && *groups; family++) {
            for (char **group = groups; *group; group++) {
                g_autofree char *sent = sent_by(*group);
                add_rule(table, "out", "meta nfproto %s meta mark != %s %s goto held", *family,
                         mark, sent);
            }
            add_app_rule(table, "led", "meta nfproto %s meta mark %s goto held", *family, mark);
        }
    }
}

/* ---- names ---- */

static void let_excluded_ask(struct table *table, const char *word, const char *interface)
{
    (void)interface;
    add_rule(table, "dns", "%s daddr %s accept", family_of(word), word);
}

static void let_interface_ask(struct table *table, const char *word, const char *interface)
{
    (void)interface;
    add_rule(table, "dns", "oifname \"%s\" accept", word);
}

static void let_mark_ask(struct table *table, const char *word, const char *interface)
{
    (void)interface;
    add_rule(table, "dns", "meta mark %s accept", word);
}

static void hold_dns(struct table *table, gint64 worker)
{
    gboolean held = FALSE;
    for (guint i = 0; i < table->shares->len; i++) {
        held |= g_str_equal(words_of(table->shares->pdata[i], SHARE_DNS), SHARE_HOLD_DNS);
    }
    if (!held) {
        return;
    }
    add_rule(table, "out", "meta l4proto { tcp, udp } th dport { 53, 853 } goto dns");
    add_rule(table, "dns", "oifname \"lo\" accept");
    each_word(table, SHARE_INTERFACE, let_interface_ask);
    each_word(table, SHARE_MARK, let_mark_ask);
    each_word(table, SHARE_EXCLUDED, let_excluded_ask);
    let_programs_out(table, "dns");
    if (worker >= 0) {
        add_rule(table, "dns", "meta skuid %" G_GINT64_FORMAT " th dport 53 accept", worker);
    }
    add_rule(table, "dns", "meta skuid @resolvers accept");
    add_rule(table, "dns", "meta skuid @portal " PORTAL_TRAFFIC " accept");
    add_rule(table, "dns", "goto refused");
}

/* What the host itself must say to have a network, and to reach the gateway. */
static void let_own_out(struct table *table, gint64 worker)
{
    each_word(table, SHARE_MARK, let_mark_out);
    add_rule(table, "own", "udp sport 68 udp dport 67 accept");
    add_rule(table, "own",
             "udp sport 546 udp dport 547 ip6 daddr { fe80::/10, ff02::1:2, ff05::1:3 } accept");
    add_rule(table, "own",
             "icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } "
             "ip6 hoplimit 255 accept");
    add_rule(table, "own",
             "icmpv6 type { mld-listener-report, mld-listener-done, mld2-listener-report } "
             "ip6 hoplimit 1 accept");
    if (worker >= 0) {
        add_rule(table, "own",
                 "meta skuid %" G_GINT64_FORMAT " meta l4proto { tcp, udp } th dport 53 accept",
                 worker);
    }
    add_rule(table, "own",
             "meta skuid @resolvers meta l4proto { tcp, udp } th dport { 53, 853 } accept");
    add_rule(table, "own", "meta skuid @portal " PORTAL_TRAFFIC " accept");
    let_programs_out(table, "own");
    add_rule(table, "own", "goto held");
}

/* Without a kill switch nothing is: rules that no packet comes by would only take time. */
static gboolean is_anything_held(const GPtrArray *shares)
{
    gboolean held = FALSE;
    for (guint i = 0; i < shares->len; i++) {
        held |= *words_of(shares->pdata[i], SHARE_HELD) != '\0' ||
                *words_of(shares->pdata[i], SHARE_NETWORKS) != '\0' ||
                *words_of(shares->pdata[i], SHARE_ONLY_HELD) != '\0';
    }
    return held;
}

static void hold(struct table *table, gint64 worker)
{
    each_word(table, SHARE_INTERFACE, let_interface_through);
    each_word(table, SHARE_HELD, hold_family);
    each_word(table, SHARE_NETWORKS, hold_network);
    add_rule(table, "out", "ip daddr @networks4 goto own");
    add_rule(table, "out", "ip6 daddr @networks6 goto own");
    add_rule(table, "forward", "ip daddr @networks4 goto held");
    add_rule(table, "forward", "ip6 daddr @networks6 goto held");
    let_own_out(table, worker);
    add_rule(table, "held", "oifname \"lo\" accept");
    add_app_rule(table, "held", "oifname \"lo\" accept");
    each_word(table, SHARE_EMPTY, refuse_empty);
    each_word(table, SHARE_INTERFACE, let_interface_out);
    each_word(table, SHARE_EXCLUDED, let_excluded_out);
    let_local_networks_out(table, add_rule, "goto refused");
    let_local_networks_out(table, add_app_rule, "drop");
    add_rule(table, "held", "goto refused");
    add_app_rule(table, "held", "drop");
}

static void declare(struct table *table)
{
    static const char *const lines[] = {
        "add table " TABLE,
        "add set " TABLE " portal { type uid; flags timeout; }",
        "add set " TABLE " resolvers { type uid; flags timeout; }",
        "add set " TABLE " networks4 { type ipv4_addr; flags interval; auto-merge; }",
        "add set " TABLE " networks6 { type ipv6_addr; flags interval; auto-merge; }",
        "add chain " TABLE " inner { type filter hook prerouting priority raw; policy accept; }",
        "add chain " TABLE " out { type filter hook output priority filter; policy accept; }",
        "add chain " TABLE " forward { type filter hook forward priority filter; policy accept; }",
        "add chain " TABLE " dns",
        "add chain " TABLE " own",
        "add chain " TABLE " held",
        "add chain " TABLE " refused",
        /* Not the sets of users. */
        "flush chain " TABLE " inner",
        "flush chain " TABLE " out",
        "flush chain " TABLE " forward",
        "flush chain " TABLE " dns",
        "flush chain " TABLE " own",
        "flush chain " TABLE " held",
        "flush chain " TABLE " refused",
        "flush set " TABLE " networks4",
        "flush set " TABLE " networks6",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_string_append_printf(table->commands, "%s\n", lines[i]);
    }
}

char *firewall_table(const GPtrArray *shares, gint64 worker, gboolean found, gboolean had_apps)
{
    struct table table = {g_string_new(NULL), shares, FALSE};
    if (had_apps) {
        g_string_append(table.commands, "add table " TABLE_APPS "\ndelete table " TABLE_APPS "\n");
    }
    if (shares->len == 0) {
        g_string_append(table.commands, "add table " TABLE "\ndelete table " TABLE "\n");
        return g_string_free(table.commands, FALSE);
    }
    declare(&table);
    if (found) {
        g_string_append(table.commands, "flush set " TABLE " resolvers\n");
    }
    each_word(&table, SHARE_INNER, guard_inner);
    lead_programs(&table);
    hold_dns(&table, worker);
    hold_inside(&table);
    if (is_anything_held(shares)) {
        hold(&table, worker);
    }
    add_rule(&table, "refused", "counter reject with icmpx admin-prohibited");
    return g_string_free(table.commands, FALSE);
}

/* ---- users who are let out ---- */

char *firewall_table_resolvers(const GArray *uids)
{
    GString *commands = g_string_new("flush set " TABLE " resolvers\n");
    for (guint i = 0; i < uids->len; i++) {
        g_string_append_printf(commands, "add element " TABLE " resolvers { %u timeout %us }\n",
                               g_array_index(uids, guint32, i), FIREWALL_RESOLVER_TIME);
    }
    return g_string_free(commands, FALSE);
}

/* What would go into a tunnel gets our mark, which routes it again, and the address of its way. */
static void lead_past(struct table *table, const char *word, const char *interface)
{
    if (*interface) {
        add_rule(table, "aside",
                 "oifname \"%s\" meta skuid @portal " PORTAL_TRAFFIC " meta mark set %s", interface,
                 word);
        add_rule(table, "nat", "meta mark %s oifname != \"%s\" meta skuid @portal masquerade", word,
                 interface);
    }
}

char *firewall_table_portal(const GPtrArray *shares, guint32 uid, guint seconds)
{
    struct table table = {g_string_new(NULL), shares, FALSE};
    /* So that there is one to delete: an element that is there keeps its time. */
    g_string_append_printf(table.commands,
                           "add element " TABLE " portal { %u timeout 1s }\n"
                           "delete element " TABLE " portal { %u }\n",
                           uid, uid);
    if (seconds == 0) {
        return g_string_free(table.commands, FALSE);
    }
    g_string_append_printf(
        table.commands,
        "add element " TABLE " portal { %u timeout %us }\n"
        "add chain " TABLE " aside { type route hook output priority mangle; policy accept; }\n"
        "add chain " TABLE " nat { type nat hook postrouting priority srcnat; policy accept; }\n"
        "flush chain " TABLE " aside\n"
        "flush chain " TABLE " nat\n",
        uid, seconds);
    each_word(&table, SHARE_MARK, lead_past);
    return g_string_free(table.commands, FALSE);
}

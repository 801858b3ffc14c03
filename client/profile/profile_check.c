/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <net/if.h>

#include "common/addr.h"
#include "common/domain_name.h"
#include "common/gateway_facts.h"
#include "common/i18n.h"
#include "crypto/algs.h"
#include "profile/profile_private.h"

/* Unicode's bidirectional controls let a name read other than it is (UTR 36). */
static gboolean turns_text_around(gunichar c)
{
    return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

const char *check_text(struct bytes text)
{
    const char *at = (const char *)text.data;
    const char *end;

    if (text.len == 0) {
        return NULL;
    }
    if (memchr(text.data, 0, text.len) != NULL) {
        return N_("it contains a NUL octet");
    }
    if (!g_utf8_validate_len(at, text.len, NULL)) {
        return N_("it is not valid UTF-8");
    }
    for (end = at + text.len; at < end; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);

        if (g_unichar_iscntrl(c) || turns_text_around(c)) {
            return N_("it contains a control character");
        }
    }
    return NULL;
}

const char *check_name(const char *text, struct bytes *at)
{
    (void)at;
    if (strchr(text, '/') != NULL || text[0] == '.') {
        return N_("a name has no slash and does not begin with a dot");
    }
    return strlen(text) > 64 ? N_("longer than 64 octets") : NULL;
}

static gboolean is_address(const char *text)
{
    unsigned char octets[16];
    const char *scope = strchr(text, '%');
    char *plain;
    gboolean is;

    if (scope == NULL) {
        return inet_pton(AF_INET, text, octets) == 1 || inet_pton(AF_INET6, text, octets) == 1;
    }
    plain = g_strndup(text, (gsize)(scope - text));
    is = inet_pton(AF_INET6, plain, octets) == 1 && scope[1] != '\0' &&
         strlen(scope + 1) < IF_NAMESIZE;
    g_free(plain);
    return is;
}

/* Labels of letters, digits, hyphens and, as found in practice, underscores (RFC 1123 2.1). */
static gboolean is_label(const char *label)
{
    size_t len = strlen(label);

    if (len == 0 || len > 63 || label[0] == '-' || label[len - 1] == '-') {
        return FALSE;
    }
    for (const char *c = label; *c != '\0'; c++) {
        if (!g_ascii_isalnum(*c) && *c != '-' && *c != '_') {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean is_host_name(const char *text)
{
    char *ascii = g_hostname_to_ascii(text);
    size_t len = ascii == NULL ? 0 : strlen(ascii);
    char **labels;
    gboolean is;

    if (len > 0 && ascii[len - 1] == '.') {
        ascii[--len] = '\0';
    }
    labels = g_strsplit(ascii == NULL ? "" : ascii, ".", -1);
    is = len > 0 && len <= 253;
    for (char **label = labels; *label != NULL; label++) {
        /* A last label of digits alone is an address gone wrong. */
        is = is && is_label(*label) &&
             (label[1] != NULL || strspn(*label, "0123456789") != strlen(*label));
    }
    g_strfreev(labels);
    g_free(ascii);
    return is;
}

const char *check_host(const char *text, struct bytes *at)
{
    (void)at;
    if (is_address(text) || is_host_name(text)) {
        return NULL;
    }
    if (strstr(text, "://") != NULL) {
        return N_("a host name or an address is wanted, not a URL");
    }
    if (strchr(text, ':') != NULL) {
        return N_("neither a host name nor an address (the port is a key of its own)");
    }
    return N_("neither a host name nor an address");
}

const char *check_identity(const char *text, struct bytes *at)
{
    (void)at;
    return strlen(text) > 1024 ? N_("longer than 1024 octets") : NULL;
}

const char *check_fingerprint(const char *text, struct bytes *at)
{
    uint8_t fingerprint[FINGERPRINT_LEN];

    (void)at;
    return fingerprint_parse(fingerprint, text) ? NULL : N_("not 64 hexadecimal digits");
}

const char *check_prefix(const char *text, struct bytes *at)
{
    struct prefix prefix;

    (void)at;
    if (prefix_parse(&prefix, text, false)) {
        return NULL;
    }
    if (prefix_parse(&prefix, text, true)) {
        return N_("the bits behind the prefix length are not zero");
    }
    return N_("not a prefix such as 192.0.2.0/24 or 2001:db8::/32");
}

/* A part of what there is, that can be reached through or beside a tunnel. */
const char *check_network(const char *text, struct bytes *at)
{
    struct prefix prefix;
    const char *why = check_prefix(text, at);

    if (why != NULL || !prefix_parse(&prefix, text, false)) {
        return why;
    }
    if (prefix.len == 0) {
        return N_("it is everything: that is what tunnel is for");
    }
    return prefix_is_routable(&prefix) ? NULL : N_("a loopback, link-local or multicast address");
}

const char *check_dns_server(const char *text, struct bytes *at)
{
    struct addr addr;

    (void)at;
    if (!addr_parse(&addr, text)) {
        return N_("not an address such as 192.0.2.53 or 2001:db8::53");
    }
    return addr_is_assignable(&addr) ? NULL : N_("not an address that a server can have");
}

const char *check_domain(const char *text, struct bytes *at)
{
    char name[DOMAIN_NAME_MAX];

    (void)at;
    if (!domain_name_read(name, bytes_of(text, strlen(text)))) {
        return N_("not a domain such as corp.example");
    }
    return g_ascii_strcasecmp(name, text) == 0 ? NULL : N_("it has a final dot");
}

const char *check_app(const char *text, struct bytes *at)
{
    (void)at;
    for (const char *c = text; *c != '\0'; c++) {
        if (!g_ascii_isalnum(*c) && strchr("-_.:@\\", *c) == NULL) {
            return N_("not the name of an application or unit, such as firefox or backup.service");
        }
    }
    return strlen(text) > 200 ? N_("longer than 200 octets") : NULL;
}

const char *check_mtu(const char *text, struct bytes *at)
{
    guint64 mtu = g_ascii_strtoull(text, NULL, 10);

    (void)at;
    return mtu == 0 || mtu >= 576 ? NULL : N_("neither 0 nor between 576 and 65535");
}

const char *check_octets(const char *text, struct bytes *at)
{
    guint64 octets = g_ascii_strtoull(text, NULL, 10);

    (void)at;
    return octets == 0 || octets >= 1 << 20 ? NULL : N_("neither 0 nor at least 1M");
}

/* Whether weak algorithms are allowed is another key: profile_validate() looks at both. */
static const char *check_proposal(enum protocol protocol, const char *text, struct bytes *at)
{
    struct proposal_list list;
    const char *why = NULL;

    return proposal_parse(&list, protocol, text, true, at, &why) ? NULL : why;
}

const char *check_ike_proposal(const char *text, struct bytes *at)
{
    return check_proposal(PROTO_IKE, text, at);
}

const char *check_esp_proposal(const char *text, struct bytes *at)
{
    return check_proposal(PROTO_ESP, text, at);
}

/* Levenshtein's distance of words shorter than `CAP`. */
static unsigned distance(const char *a, const char *b)
{
    enum { CAP = 48 };
    unsigned row[CAP];
    size_t columns = strlen(b);

    if (strlen(a) >= CAP || columns >= CAP) {
        return UINT_MAX;
    }
    for (unsigned j = 0; j <= columns; j++) {
        row[j] = j;
    }
    for (unsigned i = 1; a[i - 1] != '\0'; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (unsigned j = 1; j <= columns; j++) {
            unsigned change = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            row[j] = MIN(change, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[columns];
}

const char *nearest_word(const char *word, const char *const *words)
{
    const char *best = NULL;
    unsigned least = (unsigned)MIN(strlen(word) / 3 + 1, 3u) + 1;

    for (; *words != NULL; words++) {
        unsigned far = distance(word, *words);

        if (far < least) {
            least = far;
            best = *words;
        }
    }
    return best;
}

char *profile_quotable(struct bytes text)
{
    enum { SHOWN = 60 };
    char *all = g_utf8_make_valid((const char *)text.data, (gssize)MIN(text.len, 4 * SHOWN));
    GString *out = g_string_new(NULL);
    int n = 0;

    for (const char *at = all; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);

        if (n++ == SHOWN) {
            g_string_append(out, "…");
            break;
        }
        g_string_append_unichar(out, g_unichar_iscntrl(c) || turns_text_around(c) ? '?' : c);
    }
    g_free(all);
    return g_string_free(out, FALSE);
}

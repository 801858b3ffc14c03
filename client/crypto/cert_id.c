/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "common/cursor.h"
#include "common/log.h"
#include "crypto/cert_internal.h"

/* ---- distinguished names ---- */

#define RDNS_MAX 32

static unsigned char fold(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
}

static bool equal_without_case(struct bytes a, struct bytes b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (fold(a.data[i]) != fold(b.data[i])) {
            return false;
        }
    }
    return true;
}

static struct bytes trim(struct bytes text)
{
    while (text.len > 0 && text.data[0] == ' ') {
        text = bytes_of(text.data + 1, text.len - 1);
    }
    while (text.len > 0 && text.data[text.len - 1] == ' ') {
        text.len--;
    }
    return text;
}

/* RFC 5280 7.1 and RFC 4518 2.6: case and the width of white space do not count. */
static bool text_value_equal(struct bytes a, struct bytes b)
{
    size_t i = 0;
    size_t j = 0;

    a = trim(a);
    b = trim(b);
    while (i < a.len && j < b.len) {
        if (fold(a.data[i]) != fold(b.data[j])) {
            return false;
        }
        if (a.data[i] == ' ') {
            while (a.data[i] == ' ') {
                i++;
            }
            while (b.data[j] == ' ') {
                j++;
            }
        } else {
            i++;
            j++;
        }
    }
    return i == a.len && j == b.len;
}

static bool is_utf8_kind(unsigned long tag)
{
    /* UTF8String, PrintableString, IA5String: the same octets mean the same text. */
    return tag == 12 || tag == 19 || tag == 22;
}

static bool ava_equal(const gnutls_x509_ava_st *a, const gnutls_x509_ava_st *b)
{
    struct bytes x = bytes_of(a->value.data, a->value.size);
    struct bytes y = bytes_of(b->value.data, b->value.size);

    if (!bytes_equal(bytes_of(a->oid.data, a->oid.size), bytes_of(b->oid.data, b->oid.size))) {
        return false;
    }
    if (is_utf8_kind(a->value_tag) && is_utf8_kind(b->value_tag)) {
        return text_value_equal(x, y);
    }
    return a->value_tag == b->value_tag && bytes_equal(x, y);
}

static bool parsed_dn_equal(gnutls_x509_dn_t a, gnutls_x509_dn_t b)
{
    gnutls_x509_ava_st x;
    gnutls_x509_ava_st y;

    for (int rdn = 0;; rdn++) {
        for (int ava = 0;; ava++) {
            int left = gnutls_x509_dn_get_rdn_ava(a, rdn, ava, &x);
            int right = gnutls_x509_dn_get_rdn_ava(b, rdn, ava, &y);

            if (left < 0 && right < 0) {
                if (ava == 0) {
                    return rdn > 0;
                }
                break;
            }
            if (left < 0 || right < 0 || !ava_equal(&x, &y)) {
                return false;
            }
        }
    }
}

size_t cert_read_sequence(struct reader *r)
{
    bool sequence = rd_u8(r) == 0x30;
    size_t len = rd_u8(r);

    if (len == 0x81) {
        len = rd_u8(r);
        r->failed |= len < 0x80;
    } else if (len == 0x82) {
        len = rd_u16(r);
        r->failed |= len < 0x100;
    } else {
        r->failed |= len >= 0x80;
    }
    r->failed |= !sequence;
    return len;
}

/* The library takes what lies behind the name. */
static bool is_one_sequence(struct bytes der)
{
    struct reader r = reader_of(der);
    size_t len = cert_read_sequence(&r);

    return !r.failed && len > 0 && len == r.left;
}

static bool dn_import(gnutls_x509_dn_t *dn, struct bytes der)
{
    gnutls_datum_t datum = {.data = (unsigned char *)(uintptr_t)der.data,
                            .size = (unsigned)der.len};

    if (!is_one_sequence(der) || gnutls_x509_dn_init(dn) < 0) {
        return false;
    }
    if (gnutls_x509_dn_import(*dn, &datum) < 0) {
        gnutls_x509_dn_deinit(*dn);
        return false;
    }
    return true;
}

bool cert_dn_equal(struct bytes a, struct bytes b)
{
    gnutls_x509_dn_t x;
    gnutls_x509_dn_t y;
    bool equal;

    if (is_one_sequence(a) && bytes_equal(a, b)) {
        return true;
    }
    if (!dn_import(&x, a)) {
        return false;
    }
    if (!dn_import(&y, b)) {
        gnutls_x509_dn_deinit(x);
        return false;
    }
    equal = parsed_dn_equal(x, y);
    gnutls_x509_dn_deinit(x);
    gnutls_x509_dn_deinit(y);
    return equal;
}

/* How specific an attribute is: tells "C=CH, O=x, CN=y" (as encoded) from "CN=y, O=x, C=CH" (RFC
 * 4514). */
static int rdn_rank(struct bytes rdn)
{
    static const char *const names[] = {"C", "DC", "ST", "L", "O", "OU", "CN"};
    const uint8_t *end = rdn.len > 0 ? memchr(rdn.data, '=', rdn.len) : NULL;
    struct bytes name = trim(bytes_of(rdn.data, end != NULL ? (size_t)(end - rdn.data) : rdn.len));
    size_t i = 0;

    while (i < sizeof(names) / sizeof(names[0]) &&
           !equal_without_case(name, bytes_of_string(names[i]))) {
        i++;
    }
    return (int)i;
}

/* Splits at commas that are not escaped; 0 when there are too many parts or an empty one. */
static size_t rdn_split(struct bytes text, struct bytes parts[static RDNS_MAX])
{
    size_t n = 0;
    size_t from = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.data[i] == '\\') {
            i++;
        } else if (i == text.len || text.data[i] == ',') {
            if (n == RDNS_MAX) {
                return 0;
            }
            parts[n] = trim(bytes_of(text.data + from, i - from));
            if (parts[n++].len == 0) {
                return 0;
            }
            from = i + 1;
        }
    }
    return from > text.len ? n : 0;
}

/* "E=" and "emailAddress=" are what people and other tools write for GnuTLS's "EMAIL=". */
static void wr_rdn(struct writer *w, struct bytes rdn)
{
    static const char *const aliases[] = {"E=", "emailAddress="};

    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        size_t len = strlen(aliases[i]);

        if (rdn.len > len &&
            equal_without_case(bytes_of(rdn.data, len), bytes_of_string(aliases[i]))) {
            wr_bytes(w, bytes_of_string("EMAIL="));
            rdn = bytes_of(rdn.data + len, rdn.len - len);
            break;
        }
    }
    wr_bytes(w, rdn);
}

static bool dn_parse(struct id *out, struct bytes text)
{
    struct bytes parts[RDNS_MAX];
    size_t n = rdn_split(text, parts);
    char ordered[2 * ID_MAX];
    struct writer w = writer_of((uint8_t *)ordered, sizeof(ordered));
    gnutls_x509_dn_t dn;
    size_t len = sizeof(out->data);
    bool as_encoded;
    bool ok;

    if (n == 0) {
        return false;
    }
    as_encoded = rdn_rank(parts[0]) < rdn_rank(parts[n - 1]);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            wr_u8(&w, ',');
        }
        wr_rdn(&w, parts[as_encoded ? n - 1 - i : i]);
    }
    wr_u8(&w, '\0');
    if (w.failed || gnutls_x509_dn_init(&dn) < 0) {
        return false;
    }
    ok = gnutls_x509_dn_set_str(dn, ordered, NULL) >= 0 &&
         gnutls_x509_dn_export(dn, GNUTLS_X509_FMT_DER, out->data, &len) >= 0 && len > 2;
    gnutls_x509_dn_deinit(dn);
    out->type = ID_DER_ASN1_DN;
    out->len = ok ? len : 0;
    return ok;
}

static void dn_text(struct bytes der, char *out, size_t cap)
{
    gnutls_x509_dn_t dn;
    gnutls_datum_t text;

    if (!dn_import(&dn, der)) {
        text_hex(der, out, cap);
        return;
    }
    if (gnutls_x509_dn_get_str2(dn, &text, 0) < 0) {
        text_hex(der, out, cap);
    } else {
        text_printable(bytes_of(text.data, text.size), out, cap);
        gnutls_free(text.data);
    }
    gnutls_x509_dn_deinit(dn);
}

/* ---- from text ---- */

static bool set(struct id *out, enum id_type type, struct bytes data)
{
    if (data.len == 0 || data.len > sizeof(out->data)) {
        return false;
    }
    out->type = type;
    out->len = data.len;
    memcpy(out->data, data.data, data.len);
    return true;
}

static bool is_visible(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] == 0x7f) {
            return false;
        }
    }
    return text.len > 0;
}

static bool is_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

static bool fqdn_parse(struct id *out, struct bytes text)
{
    gnutls_datum_t ace;
    bool ok;

    if (text.len > 1 && text.data[text.len - 1] == '.') {
        text.len--;
    }
    if (!is_visible(text) || text.len > ID_MAX || memchr(text.data, '@', text.len) != NULL) {
        return false;
    }
    if (is_ascii(text)) {
        return set(out, ID_FQDN, text);
    }
    /* Certificates carry the A-label form (RFC 5280 7.2). */
    if (gnutls_idna_map((const char *)text.data, (unsigned)text.len, &ace, 0) < 0) {
        return false;
    }
    ok = set(out, ID_FQDN, bytes_of(ace.data, ace.size));
    gnutls_free(ace.data);
    return ok;
}

/* Octets before the last '@', 0 when there is none. */
static size_t local_part(struct bytes email)
{
    size_t len = email.len;

    while (len > 0 && email.data[len - 1] != '@') {
        len--;
    }
    return len > 0 ? len - 1 : 0;
}

static bool email_parse(struct id *out, struct bytes text)
{
    size_t local = local_part(text);

    return is_visible(text) && local > 0 && local < text.len - 1 && set(out, ID_RFC822_ADDR, text);
}

static bool address_parse(struct id *out, const char *text, enum family family)
{
    struct addr addr;

    if (!addr_parse(&addr, text) || (family != FAMILY_NONE && addr.family != family)) {
        return false;
    }
    return set(out, addr.family == FAMILY_IPV4 ? ID_IPV4_ADDR : ID_IPV6_ADDR, addr_bytes(&addr));
}

static int hex_value(uint8_t c)
{
    c = fold(c);
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_parse(struct id *out, struct bytes text)
{
    if (text.len == 0 || text.len % 2 != 0 || text.len / 2 > sizeof(out->data)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_value(text.data[i]);
        int low = hex_value(text.data[i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        out->data[i / 2] = (uint8_t)(high << 4 | low);
    }
    out->type = ID_KEY_ID;
    out->len = text.len / 2;
    return true;
}

static bool typed_parse(struct id *out, enum id_type type, const char *text)
{
    struct bytes value = bytes_of_string(text);

    switch (type) {
    case ID_FQDN:
        return fqdn_parse(out, value);
    case ID_RFC822_ADDR:
        return email_parse(out, value);
    case ID_IPV4_ADDR:
        return address_parse(out, text, FAMILY_IPV4);
    case ID_IPV6_ADDR:
        return address_parse(out, text, FAMILY_IPV6);
    case ID_DER_ASN1_DN:
        return dn_parse(out, value);
    case ID_KEY_ID:
        return text[0] == '#' ? hex_parse(out, bytes_of(text + 1, value.len - 1))
                              : set(out, type, value);
    case ID_NONE:
    case ID_DER_ASN1_GN:
        break;
    }
    return false;
}

static bool untyped_parse(struct id *out, const char *text)
{
    const char *equals = strchr(text, '=');
    const char *at = strchr(text, '@');

    if (strncmp(text, "@#", 2) == 0) {
        return hex_parse(out, bytes_of_string(text + 2));
    }
    if (at == text) { /* "@name": the name, as strongSwan's and libreswan's users force it */
        return fqdn_parse(out, bytes_of_string(text + 1));
    }
    if (address_parse(out, text, FAMILY_NONE)) {
        return true;
    }
    if (equals != NULL && (at == NULL || equals < at)) {
        return dn_parse(out, bytes_of_string(text));
    }
    return at != NULL ? email_parse(out, bytes_of_string(text))
                      : fqdn_parse(out, bytes_of_string(text));
}

bool id_parse(struct id *out, const char *text)
{
    static const struct {
        const char *prefix;
        enum id_type type;
    } prefixes[] = {
        {"fqdn:", ID_FQDN},          {"dns:", ID_FQDN},       {"email:", ID_RFC822_ADDR},
        {"rfc822:", ID_RFC822_ADDR}, {"dn:", ID_DER_ASN1_DN}, {"asn1dn:", ID_DER_ASN1_DN},
        {"ipv4:", ID_IPV4_ADDR},     {"ipv6:", ID_IPV6_ADDR}, {"keyid:", ID_KEY_ID},
    };

    *out = (struct id){0};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        size_t len = strlen(prefixes[i].prefix);

        if (strncasecmp(text, prefixes[i].prefix, len) == 0) {
            return typed_parse(out, prefixes[i].type, text + len);
        }
    }
    return untyped_parse(out, text);
}

/* ---- from the wire, to text, comparison ---- */

bool id_from_wire(struct id *out, uint8_t type, struct bytes data)
{
    gnutls_x509_dn_t dn;

    *out = (struct id){0};
    switch (type) {
    case ID_IPV4_ADDR:
        return data.len == 4 && set(out, ID_IPV4_ADDR, data);
    case ID_IPV6_ADDR:
        return data.len == 16 && set(out, ID_IPV6_ADDR, data);
    case ID_DER_ASN1_DN:
        if (!set(out, ID_DER_ASN1_DN, data)) {
            return false;
        }
        if (!dn_import(&dn, data)) {
            *out = (struct id){0};
            return false;
        }
        gnutls_x509_dn_deinit(dn);
        return true;
    case ID_FQDN:
    case ID_RFC822_ADDR:
    case ID_DER_ASN1_GN:
    case ID_KEY_ID:
        return set(out, (enum id_type)type, data);
    default:
        return false;
    }
}

const char *id_text(const struct id *id, char *out, size_t cap)
{
    struct bytes data = bytes_of(id->data, id->len);
    char hex[2 * ID_MAX + 1];
    char address[ADDR_TEXT_MAX];
    struct addr addr;

    if (cap == 0) {
        return out;
    }
    switch (id->type) {
    case ID_FQDN:
    case ID_RFC822_ADDR:
        text_printable(data, out, cap);
        break;
    case ID_IPV4_ADDR:
    case ID_IPV6_ADDR:
        addr = addr_of(id->type == ID_IPV4_ADDR ? FAMILY_IPV4 : FAMILY_IPV6, id->data);
        snprintf(out, cap, "%s", addr_text(&addr, address));
        break;
    case ID_DER_ASN1_DN:
        dn_text(data, out, cap);
        break;
    case ID_KEY_ID:
        if (is_visible(data) && is_ascii(data)) {
            snprintf(out, cap, "keyid:%.*s", (int)data.len, (const char *)data.data);
            break;
        }
        snprintf(out, cap, "@#%s", text_hex(data, hex, sizeof(hex)));
        break;
    case ID_DER_ASN1_GN:
        snprintf(out, cap, "general name %s", text_hex(data, hex, sizeof(hex)));
        break;
    case ID_NONE:
        snprintf(out, cap, "(none)");
        break;
    }
    return out;
}

static bool email_equal(struct bytes a, struct bytes b)
{
    size_t local = local_part(a);

    /* RFC 5280 7.5: only the host part compares without regard to case. */
    return a.len == b.len && bytes_equal(bytes_of(a.data, local), bytes_of(b.data, local)) &&
           equal_without_case(bytes_of(a.data + local, a.len - local),
                              bytes_of(b.data + local, b.len - local));
}

bool id_equal(const struct id *a, const struct id *b)
{
    struct bytes x = bytes_of(a->data, a->len);
    struct bytes y = bytes_of(b->data, b->len);

    if (a->type != b->type || a->len == 0 || b->len == 0) {
        return false;
    }
    switch (a->type) {
    case ID_FQDN:
        return equal_without_case(x, y);
    case ID_RFC822_ADDR:
        return email_equal(x, y);
    case ID_DER_ASN1_DN:
        return cert_dn_equal(x, y);
    case ID_IPV4_ADDR:
    case ID_IPV6_ADDR:
    case ID_DER_ASN1_GN:
    case ID_KEY_ID:
        return bytes_equal(x, y);
    case ID_NONE:
        break;
    }
    return false;
}

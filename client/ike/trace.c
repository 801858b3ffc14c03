/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/trace.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/log.h"
#include "eap/eap.h"

#define WORD_MAX 512 /* one piece of peer's text */

/* The line under construction; when it is full it ends in "...". */
struct line {
    char *out;
    size_t cap, len;
    bool in_notifies; /* a group "N(A, B" is open */
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
    va_list args;
    size_t room = line->cap - line->len;
    int n;

    va_start(args, format);
    n = vsnprintf(line->out + line->len, room, format, args);
    va_end(args);
    if (n <= 0) {
        return;
    }
    if ((size_t)n < room) {
        line->len += (size_t)n;
        return;
    }
    line->len = line->cap - 1;
    if (line->cap > 4) {
        memcpy(line->out + line->cap - 4, "...", 4);
    }
}

static void put_peer_text(struct line *line, struct bytes text)
{
    char word[WORD_MAX];

    put(line, "%s", text_printable(text, word, sizeof word));
}

static void put_hex(struct line *line, struct bytes octets)
{
    char word[WORD_MAX];

    put(line, "%s", text_hex(octets, word, sizeof word));
}

/* ---- SA: "aes256gcm16/aes128gcm16-prfsha384-x25519", proposals divided by ", " ---- */

static void put_proposal(struct line *line, const struct sa_proposal *proposal)
{
    static const char *const protocols[] = {"?", "", "ah ", "esp "};
    char name[64];
    int last_type = -1;

    put(line, "%s", protocols[proposal->protocol <= PROTO_ESP ? proposal->protocol : 0]);
    for (size_t i = 0; i < proposal->n_transforms; i++) {
        const struct sa_transform *t = &proposal->transforms[i];

        put(line, "%s%s%s",
            last_type == -1        ? ""
            : last_type == t->type ? "/"
                                   : "-",
            alg_describe((enum transform_type)t->type, t->id, t->key_bits, name, sizeof name),
            t->unknown_attribute ? "(unknown attribute)" : "");
        last_type = t->type;
    }
    if (proposal->spi.len > 0) {
        put(line, " spi ");
        put_hex(line, proposal->spi);
    }
}

static bool put_sa(struct line *line, struct bytes body)
{
    struct reader r = reader_of(body);
    struct sa_proposal proposal;
    bool first = true;

    while (sa_next(&r, &proposal)) {
        put(line, "%s", first ? "" : ", ");
        put_proposal(line, &proposal);
        first = false;
    }
    return !r.failed;
}

static void put_group(struct line *line, uint16_t group)
{
    char name[64];

    put(line, "%s", alg_describe(TRANSFORM_KE, group, 0, name, sizeof name));
}

/* ---- ID, CERT, AUTH ---- */

static bool put_id(struct line *line, struct bytes body)
{
    struct id id;
    char text[WORD_MAX];

    if (id_payload_parse(&id, body) != OK) {
        return false;
    }
    put(line, "%s", id_text(&id, text, sizeof text));
    return true;
}

static bool put_cert(struct line *line, struct bytes body)
{
    struct cert_chain *chain = NULL;
    char subject[WORD_MAX];
    struct bytes data;
    uint8_t encoding;

    if (cert_parse(&encoding, &data, body) != OK) {
        return false;
    }
    if (encoding != CERT_ENCODING_X509_SIGNATURE) {
        put(line, "encoding %u, %zu octets", encoding, data.len);
    } else if (cert_chain_from_der(&chain, &data, 1) != OK) {
        put(line, "unreadable, %zu octets", data.len);
    } else {
        put(line, "%s", cert_chain_subject(chain, subject, sizeof subject));
    }
    cert_chain_free(chain);
    return true;
}

static bool put_certreq(struct line *line, struct bytes body)
{
    struct bytes data;
    uint8_t encoding;

    if (cert_parse(&encoding, &data, body) != OK) {
        return false;
    }
    if (encoding == CERT_ENCODING_X509_SIGNATURE && data.len % 20 == 0) {
        put(line, "%zu %s", data.len / 20, data.len == 20 ? "authority" : "authorities");
    } else {
        put(line, "encoding %u, %zu octets", encoding, data.len);
    }
    return true;
}

static bool put_auth(struct line *line, struct bytes body)
{
    struct auth_payload auth;
    char text[WORD_MAX];

    if (auth_parse(&auth, body) != OK) {
        return false;
    }
    put(line, "%s", cert_auth_describe(auth.method, auth.data, text, sizeof text));
    return true;
}

/* ---- notify ---- */

static void put_protocol_spi(struct line *line, const struct notify *notify)
{
    if (notify->spi.len > 0) {
        put(line, " %s ",
            notify->protocol == PROTO_ESP  ? "esp"
            : notify->protocol == PROTO_AH ? "ah"
                                           : "spi");
        put_hex(line, notify->spi);
    }
}

static void put_hashes(struct line *line, struct reader *r)
{
    static const char *const names[] = {"?", "sha1", "sha256", "sha384", "sha512", "identity"};

    while (r->left >= 2) {
        uint16_t hash = rd_u16(r);

        if (hash > 0 && hash < sizeof names / sizeof names[0]) {
            put(line, " %s", names[hash]);
        } else {
            put(line, " %u", hash);
        }
    }
}

static void put_addr(struct line *line, struct bytes octets)
{
    struct addr addr =
        addr_of(octets.len == 4 ? FAMILY_IPV4 : FAMILY_IPV6, octets.data); /* 4 or 16 octets */
    char text[ADDR_TEXT_MAX];

    put(line, " %s", addr_text(&addr, text));
}

/* REDIRECT and REDIRECTED_FROM (RFC 5685 5.2, 9.2). */
static void put_redirect(struct line *line, struct reader *r)
{
    uint8_t type = rd_u8(r);
    struct bytes identity = rd_bytes(r, rd_u8(r));

    if (r->failed) {
        put(line, " malformed");
    } else if ((type == 1 && identity.len == 4) || (type == 2 && identity.len == 16)) {
        put_addr(line, identity);
    } else {
        put(line, " ");
        put_peer_text(line, identity);
    }
}

/* The meaning of Notification Data where it decides something; most types have none. */
static void put_notify_data(struct line *line, const struct notify *notify)
{
    struct reader r = reader_of(notify->data);
    size_t len = notify->data.len;

    switch (notify->type) {
    case N_UNSUPPORTED_CRITICAL_PAYLOAD:
        if (len == 1) {
            put(line, " payload %u", notify->data.data[0]);
        }
        break;
    case N_INVALID_SPI:
        if (len == 4) {
            put(line, " %08x", rd_u32(&r));
        }
        break;
    case N_INVALID_KE_PAYLOAD:
        if (len == 2) {
            put(line, " wants ");
            put_group(line, rd_u16(&r));
        }
        break;
    case N_COOKIE:
        put(line, " %zu octets", len);
        break;
    case N_SIGNATURE_HASH_ALGORITHMS:
        put_hashes(line, &r);
        break;
    case N_SET_WINDOW_SIZE:
        put(line, " %u", rd_u32(&r));
        break;
    case N_AUTH_LIFETIME:
        put(line, " %u s", rd_u32(&r));
        break;
    case 12345: /* Windows error code, [MS-IKEE] */
        put(line, " error 0x%08x", rd_u32(&r));
        break;
    case 16397: /* ADDITIONAL_IP4_ADDRESS, ADDITIONAL_IP6_ADDRESS (RFC 4555 4.2.2) */
    case 16398:
        if (len == 4 || len == 16) {
            put_addr(line, notify->data);
        }
        break;
    case N_REDIRECT:
    case N_REDIRECTED_FROM:
        put_redirect(line, &r);
        break;
    default:
        break;
    }
}

/* Status notifies share one pair of parentheses; an error stands alone, where the eye finds it. */
static void put_notify(struct line *line, struct bytes body)
{
    struct notify notify;
    char name[64];
    bool error;

    if (notify_parse(&notify, body) != OK) {
        put(line, "%sN(malformed)", line->in_notifies ? ") " : " ");
        line->in_notifies = false;
        return;
    }
    error = notify_is_error(notify.type);
    put(line, "%s", line->in_notifies && !error ? ", " : line->in_notifies ? ") N(" : " N(");
    put(line, "%s", notify_name(notify.type, name, sizeof name));
    put_protocol_spi(line, &notify);
    put_notify_data(line, &notify);
    put(line, "%s", error ? ")" : "");
    line->in_notifies = !error;
}

static bool put_delete(struct line *line, struct bytes body)
{
    struct delete_payload payload;
    struct reader r;

    if (delete_parse(&payload, body) != OK) {
        return false;
    }
    put(line, "%s",
        payload.protocol == PROTO_IKE  ? "IKE"
        : payload.protocol == PROTO_AH ? "ah"
                                       : "esp");
    for (r = reader_of(payload.spis); r.left > 0;) {
        put(line, " %08x", rd_u32(&r));
    }
    return true;
}

static bool put_ts(struct line *line, struct bytes body)
{
    struct ts_list list;
    char text[WORD_MAX];

    if (ts_parse(&list, body) != OK) {
        return false;
    }
    put(line, "%s", ts_text(&list, text, sizeof text));
    return true;
}

/* ---- CP: "REPLY IP4_ADDRESS 10.1.0.5, IP4_DNS 10.1.0.1" ---- */

static bool value_is_text(uint16_t type)
{
    switch (type) {
    case APPLICATION_VERSION:
    case INTERNAL_DNS_DOMAIN:
    case UNITY_BANNER:
    case UNITY_DEF_DOMAIN:
    case UNITY_SPLITDNS_NAME:
        return true;
    default:
        return false;
    }
}

static void put_attribute(struct line *line, const struct cp_attr *attr)
{
    static const char prefix[] = "INTERNAL_";
    const char *name = cp_attribute_name(attr->type);
    size_t len = attr->value.len;
    struct bytes rest;

    if (name == NULL) {
        put(line, "attribute %u", attr->type);
    } else {
        put(line, "%s",
            strncmp(name, prefix, sizeof prefix - 1) == 0 ? name + sizeof prefix - 1 : name);
    }
    if (len == 0) {
        return;
    }
    rest = len > 4 ? bytes_of(attr->value.data + 4, len - 4) : (struct bytes){0};
    if (value_is_text(attr->type)) {
        put(line, " ");
        put_peer_text(line, attr->value);
    } else if (name == NULL) {
        put(line, " %zu octets", len);
    } else if (len == 4 || len == 16) {
        put_addr(line, attr->value);
    } else if (len == 17) { /* address and prefix length */
        put_addr(line, bytes_of(attr->value.data, 16));
        put(line, "/%u", attr->value.data[16]);
    } else if (attr->type == INTERNAL_IP4_SUBNET && len == 8) {
        int bits = netmask_len(rest.data);

        put_addr(line, bytes_of(attr->value.data, 4));
        put(line, bits >= 0 ? "/%d" : "/bad netmask", bits);
    } else {
        put(line, " %zu octets", len);
    }
}

static bool put_cp(struct line *line, struct bytes body)
{
    static const char *const types[] = {"?", "REQUEST", "REPLY", "SET", "ACK"};
    struct cp_attr attr;
    struct reader r;
    uint8_t type;
    bool first = true;

    if (!cp_begin(&r, &type, body)) {
        return false;
    }
    put(line, "%s", types[type <= CFG_ACK ? type : 0]);
    while (cp_next(&r, &attr)) {
        put(line, "%s", first ? " " : ", ");
        put_attribute(line, &attr);
        first = false;
    }
    return !r.failed;
}

/* ---- V ---- */

static void put_vendor(struct line *line, struct bytes body)
{
    static const struct {
        uint8_t start[8]; /* of the hash; versions follow it */
        const char *name;
    } vendors[] = {
        {{0x88, 0x2f, 0xe5, 0x6d, 0x6f, 0xd2, 0x0d, 0xbc}, "strongSwan"},
        {{0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc, 0xe8, 0x85}, "FRAGMENTATION"},
        {{0x1e, 0x2b, 0x51, 0x69, 0x05, 0x99, 0x1c, 0x7d}, "Windows"},
        {{0xfb, 0x1d, 0xe3, 0xcd, 0xf3, 0x41, 0xb7, 0xea}, "MS-Negotiation Discovery"},
        {{0x26, 0x24, 0x4d, 0x38, 0xed, 0xdb, 0x61, 0xb3}, "MS Vid-Initial-Contact"},
        {{0xe3, 0xa5, 0x96, 0x6a, 0x76, 0x37, 0x9f, 0xe7}, "IKE CGA"},
        {{0x82, 0x99, 0x03, 0x17, 0x57, 0xa3, 0x60, 0x82}, "Fortinet"},
    };

    for (size_t i = 0; i < sizeof vendors / sizeof vendors[0]; i++) {
        if (body.len >= 8 && memcmp(body.data, vendors[i].start, 8) == 0) {
            put(line, "%s", vendors[i].name);
            return;
        }
    }
    put_hex(line, body.len > 16 ? bytes_of(body.data, 16) : body);
}

/* ---- the message ---- */

static bool put_body(struct line *line, const struct payload *payload)
{
    struct ke_payload ke;
    struct bytes nonce;
    char text[WORD_MAX];

    switch (payload->type) {
    case P_SA:
        return put_sa(line, payload->body);
    case P_KE:
        if (ke_parse(&ke, payload->body) != OK) {
            return false;
        }
        put_group(line, ke.group);
        return true;
    case P_IDi:
    case P_IDr:
        return put_id(line, payload->body);
    case P_CERT:
        return put_cert(line, payload->body);
    case P_CERTREQ:
        return put_certreq(line, payload->body);
    case P_AUTH:
        return put_auth(line, payload->body);
    case P_NONCE:
        put(line, "%zu", payload->body.len);
        return nonce_parse(&nonce, payload->body) == OK;
    case P_DELETE:
        return put_delete(line, payload->body);
    case P_VENDOR:
        put_vendor(line, payload->body);
        return true;
    case P_TSi:
    case P_TSr:
        return put_ts(line, payload->body);
    case P_CP:
        return put_cp(line, payload->body);
    case P_EAP:
        put(line, "%s", eap_describe(payload->body, text, sizeof text));
        return true;
    default:
        put(line, "%zu octets%s", payload->body.len, payload->critical ? ", critical" : "");
        return true;
    }
}

static void put_payload(struct line *line, const struct payload *payload, bool response)
{
    const char *name = payload_name(payload->type);
    size_t start;

    if (payload->type == P_NOTIFY) {
        put_notify(line, payload->body);
        return;
    }
    if (line->in_notifies) {
        put(line, ")");
        line->in_notifies = false;
    }
    if (payload->type == P_NONCE) {
        name = response ? "Nr" : "Ni";
    }
    if (name[0] == '?') {
        put(line, " payload %u(", payload->type);
    } else {
        put(line, " %s(", name);
    }
    start = line->len;
    if (!put_body(line, payload)) {
        put(line, "%smalformed", line->len > start ? " " : "");
    }
    put(line, ")");
}

/* What stands behind SK in the list was inside it; a fragment says which one it is (RFC 7383). */
static void put_protected(struct line *line, const struct payload *payload)
{
    struct reader r = reader_of(payload->body);

    put(line, "%s", line->in_notifies ? ")" : "");
    line->in_notifies = false;
    if (payload->type == P_SKF) {
        uint16_t number = rd_u16(&r);

        put(line, " SKF %u/%u", number, rd_u16(&r));
    } else {
        put(line, " SK");
    }
}

const char *trace_message(const struct message *message, char *out, size_t cap)
{
    const struct ike_header *header = &message->header;
    bool response = (header->flags & IKE_FLAG_RESPONSE) != 0;
    struct line line = {.out = out, .cap = cap};
    bool inside = false;

    if (cap == 0) {
        return out;
    }
    out[0] = '\0';
    if (header->version >> 4 != IKE_VERSION >> 4) {
        put(&line, "IKEv%u message, exchange %u", header->version >> 4, header->exchange);
        return out;
    }
    if (strcmp(exchange_name(header->exchange), "exchange ?") == 0) {
        put(&line, "exchange %u", header->exchange);
    } else {
        put(&line, "%s", exchange_name(header->exchange));
    }
    put(&line, " #%u %s ", header->message_id, response ? "response" : "request");
    for (size_t i = 0; i < message->n_payloads; i++) {
        const struct payload *payload = &message->payloads[i];

        if (!inside && (payload->type == P_SK || payload->type == P_SKF)) {
            put_protected(&line, payload);
            put(&line, " {");
            inside = true;
        } else {
            put_payload(&line, payload, response);
        }
    }
    put(&line, "%s%s", line.in_notifies ? ")" : "", inside ? " }" : "");
    return out;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/fuzz_engine.h"

/*
 * Writes the seeds of the IKE fuzz targets with our own encoder:  seeds FOLDER (tests/fuzz/corpus).
 */

static const char *folder;
static uint8_t octets[8192];

static void save(const char *target, const char *name, int first, struct bytes content)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/fuzz_%s/%s", folder, target, name);
    file = fopen(path, "wb");
    if (file == NULL || (first >= 0 && fputc(first, file) == EOF) ||
        fwrite(content.data, 1, content.len, file) != content.len || fclose(file) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
}

static void save_message(const char *name, enum exchange_type exchange, const struct chain *chain)
{
    struct ike_header header = {.spi_i = 0x1122334455667788,
                                .spi_r = 0x99aabbccddeeff00,
                                .version = IKE_VERSION,
                                .exchange = (uint8_t)exchange,
                                .flags = IKE_FLAG_RESPONSE};
    uint8_t out[8192];

    save("message", name, -1, bytes_of(out, message_write(&header, chain, out, sizeof out)));
}

static void save_inner(const char *name, const struct chain *chain)
{
    save("inner", name, chain->first, wr_written(&chain->w));
}

static void save_body(const char *target, const char *name, const struct chain *chain)
{
    struct bytes all = wr_written(&chain->w);

    save(target, name, -1,
         bytes_of(all.data + IKE_PAYLOAD_HEADER_LEN, all.len - IKE_PAYLOAD_HEADER_LEN));
}

static struct chain fresh(void)
{
    return chain_of(octets, sizeof octets);
}

static void add_sa(struct chain *chain, enum protocol protocol, const char *text, const char *spi)
{
    struct proposal_list list;
    struct bytes at;
    const char *why;

    if (!proposal_parse(&list, protocol, text, true, &at, &why)) {
        fprintf(stderr, "%s: %s\n", text, why);
        exit(EXIT_FAILURE);
    }
    sa_write(chain, &list, bytes_of_string(spi));
}

static void add_notify(struct chain *chain, uint16_t type, const char *data)
{
    notify_write(chain, 0, (struct bytes){0}, type, bytes_of_string(data));
}

static void add_ts(struct chain *chain, enum payload_type type)
{
    static struct ts_list list = {.n = 3};

    list.items[0] = (struct ts){.port_high = UINT16_MAX};
    addr_parse(&list.items[0].start, "0.0.0.0");
    addr_parse(&list.items[0].end, "255.255.255.255");
    list.items[1] = (struct ts){.port_high = UINT16_MAX};
    addr_parse(&list.items[1].start, "2001:db8::");
    addr_parse(&list.items[1].end, "2001:db8::ffff");
    list.items[2] = (struct ts){.protocol = 6, .port_low = 443, .port_high = 443};
    addr_parse(&list.items[2].start, "192.0.2.1");
    addr_parse(&list.items[2].end, "192.0.2.9");
    ts_write(chain, type, &list);
}

static void add_cp(struct chain *chain)
{
    static const uint8_t v6[] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 64};

    cp_write_begin(chain, CFG_REPLY);
    cp_write_attr(chain, INTERNAL_IP4_ADDRESS, bytes_of("\x0a\x01\x00\x05", 4));
    cp_write_attr(chain, INTERNAL_IP4_NETMASK, bytes_of("\xff\xff\xff\x00", 4));
    cp_write_attr(chain, INTERNAL_IP6_ADDRESS, bytes_of(v6, 17));
    cp_write_attr(chain, INTERNAL_IP6_DNS, bytes_of(v6, 16));
    cp_write_attr(chain, INTERNAL_IP4_SUBNET, bytes_of("\x0a\x00\x00\x00\xff\x00\x00\x00", 8));
    cp_write_attr(chain, INTERNAL_DNS_DOMAIN, bytes_of_string("example.org"));
    cp_write_attr(chain, APPLICATION_VERSION, bytes_of_string("gateway 1.0"));
    cp_write_attr(chain, UNITY_BANNER, bytes_of_string("Welcome"));
    cp_write_attr(chain, UNITY_SPLIT_INCLUDE,
                  bytes_of("\x0a\x02\x00\x00\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00", 14));
    chain_end(chain);
}

static void init_messages(void)
{
    struct chain chain = fresh();

    add_sa(&chain, PROTO_IKE, "aes256gcm16-prfsha384-x25519,aes256-sha256-prfsha256-modp2048", "");
    ke_write(&chain, KE_CURVE25519, bytes_of_string("0123456789abcdef0123456789abcdef"));
    chain_add(&chain, P_NONCE, bytes_of_string("0123456789abcdef"));
    add_notify(&chain, N_NAT_DETECTION_SOURCE_IP, "0123456789abcdef0123");
    add_notify(&chain, N_SIGNATURE_HASH_ALGORITHMS, "\1\2\1\3");
    cert_write(&chain, P_CERTREQ, CERT_ENCODING_X509_SIGNATURE,
               bytes_of_string("0123456789abcdef0123"));
    chain_add(&chain, P_VENDOR, bytes_of_string("vendor"));
    save_message("init", X_IKE_SA_INIT, &chain);

    chain = fresh();
    add_notify(&chain, N_COOKIE, "cookie");
    save_message("cookie", X_IKE_SA_INIT, &chain);

    chain = fresh();
    notify_write(&chain, 0, (struct bytes){0}, N_INVALID_KE_PAYLOAD, bytes_of("\0\x13", 2));
    save_message("invalid-ke", X_IKE_SA_INIT, &chain);

    chain = fresh();
    chain_add(&chain, P_SK, bytes_of_string("0123456789abcdef0123456789abcdef"));
    save_message("sealed", X_IKE_AUTH, &chain);

    chain = fresh();
    chain_add(&chain, P_SKF,
              bytes_of("\0\1\0\2"
                       "0123456789abcdef0123456789abcdef",
                       36));
    save_message("fragment", X_IKE_AUTH, &chain);
}

static void inner_chains(void)
{
    static const uint32_t spis[] = {0xc0ffee01, 0xc0ffee02};
    struct id id = {.type = ID_FQDN, .data = "vpn.example.org", .len = 15};
    struct chain chain = fresh();

    id_payload_write(&chain, P_IDr, &id);
    cert_write(&chain, P_CERT, CERT_ENCODING_X509_SIGNATURE, bytes_of("0\x03\x02\x01\x05", 5));
    auth_write(&chain, AUTH_METHOD_DIGITAL_SIGNATURE, bytes_of_string("\005signature"));
    chain_add(&chain, P_EAP, bytes_of("\1\1\0\5\1", 5));
    save_inner("gateway-auth", &chain);

    chain = fresh();
    auth_write(&chain, AUTH_METHOD_PSK, bytes_of_string("0123456789abcdef"));
    add_cp(&chain);
    add_sa(&chain, PROTO_ESP, "aes256gcm16-noesn", "\xc0\xff\xee\1");
    add_ts(&chain, P_TSi);
    add_ts(&chain, P_TSr);
    add_notify(&chain, N_AUTH_LIFETIME, "\1\1\1\1");
    add_notify(&chain, N_MOBIKE_SUPPORTED, "");
    save_inner("established", &chain);

    chain = fresh();
    delete_write(&chain, PROTO_ESP, spis, 2);
    delete_write(&chain, PROTO_IKE, NULL, 0);
    save_inner("delete", &chain);

    chain = fresh();
    notify_write(&chain, PROTO_ESP, bytes_of("\xc0\xff\xee\1", 4), N_REKEY_SA, (struct bytes){0});
    add_sa(&chain, PROTO_ESP, "aes256gcm16-x25519-esn", "\xc0\xff\xee\1");
    chain_add(&chain, P_NONCE, bytes_of_string("0123456789abcdef"));
    ke_write(&chain, KE_CURVE25519, bytes_of_string("0123456789abcdef0123456789abcdef"));
    save_inner("rekey", &chain);

    chain = fresh();
    add_notify(&chain, N_AUTHENTICATION_FAILED, "");
    save_inner("refused", &chain);
}

/* ---- the whole engine ---- */

static uint8_t records[16384];
static size_t n_records;

static void begin_engine(enum fuzz_state state)
{
    records[0] = (uint8_t)state;
    n_records = 1;
}

static void add_record(unsigned op, uint8_t exchange, uint8_t first, struct bytes data)
{
    struct writer w = writer_of(records + n_records, sizeof records - n_records);

    wr_u8(&w, (uint8_t)op);
    wr_u8(&w, 0);
    wr_u8(&w, exchange);
    wr_u8(&w, first);
    wr_u16(&w, (uint16_t)data.len);
    wr_bytes(&w, data);
    n_records += w.len;
}

static void add_chain(unsigned op, uint8_t exchange, const struct chain *chain)
{
    add_record(op, exchange, chain->first, wr_written(&chain->w));
}

static void save_engine(const char *name)
{
    save("engine", name, -1, bytes_of(records, n_records));
}

/* SA, Nr, TSi, TSr of a Child SA; REKEY_SA before them when it asks. */
static struct chain child_chain(uint8_t number, bool asks)
{
    struct chain chain = fresh();

    if (asks) {
        notify_write(&chain, PROTO_ESP, bytes_of("\xc0\xff\xee\1", 4), N_REKEY_SA,
                     (struct bytes){0});
    }
    chain_add(&chain, P_NONCE, bytes_of_string("0123456789abcdef"));
    fuzz_write_child(&chain, number);
    return chain;
}

static struct chain delete_chain(enum protocol protocol)
{
    static const uint32_t spi = 0xc0ffee01;
    struct chain chain = fresh();

    delete_write(&chain, (uint8_t)protocol, &spi, protocol == PROTO_ESP ? 1 : 0);
    return chain;
}

static struct chain ike_chain(void)
{
    static const uint8_t point[32] = {9};
    struct chain chain = fresh();

    add_sa(&chain, PROTO_IKE, FUZZ_IKE_SUITE, "12345678");
    chain_add(&chain, P_NONCE, bytes_of_string("0123456789abcdef"));
    ke_write(&chain, KE_CURVE25519, bytes_of(point, sizeof point));
    return chain;
}

static struct chain notify_chain(uint16_t type, struct bytes data)
{
    struct chain chain = fresh();

    notify_write(&chain, 0, (struct bytes){0}, type, data);
    return chain;
}

static void engine_before(void)
{
    struct chain chain = notify_chain(N_COOKIE, bytes_of_string("cookie"));

    begin_engine(FUZZ_INIT);
    add_chain(FUZZ_CLEAR, 0, &chain);
    chain = notify_chain(N_INVALID_KE_PAYLOAD, bytes_of("\0\x13", 2));
    add_chain(FUZZ_CLEAR, 0, &chain);
    add_record(FUZZ_TIME, 0, 20, (struct bytes){0});
    add_record(FUZZ_RAW, 0, 0, bytes_of("\xff", 1));
    save_engine("init");

    begin_engine(FUZZ_AUTH);
    chain = notify_chain(N_TS_UNACCEPTABLE, (struct bytes){0});
    add_chain(FUZZ_RESPONSE, 0, &chain);
    save_engine("auth");

    begin_engine(FUZZ_EAP);
    chain = fresh();
    chain_add(&chain, P_EAP, bytes_of("\1\1\0\5\1", 5));
    add_chain(FUZZ_RESPONSE, 0, &chain);
    chain = fresh();
    chain_add(&chain, P_EAP,
              bytes_of("\1\2\0\x1c\x1a\1\2\0\x17\x10"
                       "0123456789abcdefgw",
                       28));
    add_chain(FUZZ_RESPONSE + 2 * FUZZ_OPS, 0, &chain);
    chain = fresh();
    chain_add(&chain, P_EAP, bytes_of("\3\3\0\4", 4));
    add_chain(FUZZ_RESPONSE, 0, &chain);
    save_engine("eap");
}

static void engine_by_ticket(void)
{
    struct chain chain = notify_chain(N_COOKIE, bytes_of_string("cookie"));

    begin_engine(FUZZ_RESUME);
    add_chain(FUZZ_CLEAR, 0, &chain);
    chain = fresh();
    chain_add(&chain, P_NONCE, bytes_of_string("short"));
    add_chain(FUZZ_CLEAR, 0, &chain);
    chain = notify_chain(N_TICKET_NACK, (struct bytes){0});
    add_chain(FUZZ_CLEAR, 0, &chain);
    add_record(FUZZ_TIME, 0, 24, (struct bytes){0});
    save_engine("resume");

    begin_engine(FUZZ_RESUME_AUTH);
    chain = fresh();
    chain_add(&chain, P_IDr, bytes_of("\2\0\0\0gw.example.org", 18));
    chain_add(&chain, P_AUTH, bytes_of("\2\0\0\0proof", 9));
    fuzz_write_config(&chain);
    fuzz_write_child(&chain, 1);
    add_chain(FUZZ_RESPONSE, 0, &chain);
    add_record(FUZZ_TIME, 0, 24, (struct bytes){0});
    save_engine("resume-auth");

    begin_engine(FUZZ_UP);
    chain = notify_chain(N_TICKET_LT_OPAQUE, bytes_of("\0\0\x0e\x10ticket", 10));
    add_chain(FUZZ_RESPONSE, 0, &chain);
    add_record(FUZZ_CALL, 0, 9, bytes_of("\1\0\0\0\0\0\0\0\0\1\0\x14\0\x80", 14));
    save_engine("ticket");
}

static void engine_up(void)
{
    struct chain chain = child_chain(1, true);

    begin_engine(FUZZ_UP);
    add_chain(FUZZ_REQUEST, X_CREATE_CHILD_SA, &chain);
    chain = delete_chain(PROTO_ESP);
    add_chain(FUZZ_REQUEST, X_INFORMATIONAL, &chain);
    add_record(FUZZ_TIME, 0, 24, (struct bytes){0});
    add_record(FUZZ_CALL, 0, 0, (struct bytes){0});
    chain = child_chain(2, false);
    add_chain(FUZZ_RESPONSE, 0, &chain);
    save_engine("child-rekeyed");

    begin_engine(FUZZ_UP);
    chain = ike_chain();
    add_chain(FUZZ_REQUEST + 3 * FUZZ_OPS, X_CREATE_CHILD_SA, &chain);
    chain = delete_chain(PROTO_IKE);
    add_chain(FUZZ_REQUEST, X_INFORMATIONAL, &chain);
    save_engine("ike-rekeyed");

    begin_engine(FUZZ_UP);
    chain = notify_chain(N_IKEV2_MESSAGE_ID_SYNC, bytes_of("abcd\0\0\0\7\0\0\0\7", 12));
    add_chain(FUZZ_REPEATED, X_INFORMATIONAL, &chain);
    add_record(FUZZ_CALL, 0, 5, (struct bytes){0});
    add_record(FUZZ_TIME, 0, 25, (struct bytes){0});
    add_record(FUZZ_CALL, 0, 2, (struct bytes){0});
    add_record(FUZZ_TIME, 0, 25, (struct bytes){0});
    save_engine("failed-over");

    begin_engine(FUZZ_UP);
    chain = notify_chain(16400, (struct bytes){0}); /* UPDATE_SA_ADDRESSES */
    add_chain(FUZZ_REQUEST, X_INFORMATIONAL, &chain);
    chain = notify_chain(N_REDIRECT, bytes_of("\1\4\xc0\0\2\2", 6));
    add_chain(FUZZ_REQUEST, X_INFORMATIONAL, &chain);
    save_engine("notified");
}

static void engine_ours(void)
{
    static const enum fuzz_state states[] = {FUZZ_NETWORKS, FUZZ_CHILDLESS, FUZZ_REKEY_CHILD};
    static const char *const names[] = {"networks", "childless", "rekey-child"};
    struct chain chain;

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        begin_engine(states[i]);
        chain = notify_chain(N_NO_PROPOSAL_CHOSEN, (struct bytes){0});
        add_chain(FUZZ_RESPONSE, 0, &chain);
        chain = child_chain(1, false);
        add_chain(FUZZ_RESPONSE, 0, &chain);
        chain = fresh();
        add_chain(FUZZ_RESPONSE, 0, &chain);
        save_engine(names[i]);
    }
    begin_engine(FUZZ_REKEY_IKE);
    chain = ike_chain();
    add_chain(FUZZ_REQUEST, X_CREATE_CHILD_SA, &chain);
    add_chain(FUZZ_RESPONSE, 0, &chain);
    chain = delete_chain(PROTO_IKE);
    add_chain(FUZZ_REQUEST, X_INFORMATIONAL, &chain);
    save_engine("rekey-ike");
    begin_engine(FUZZ_CLOSE);
    chain = fresh();
    add_chain(FUZZ_RESPONSE, 0, &chain);
    save_engine("close");
}

int main(int argc, char **argv)
{
    struct chain chain;

    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return EXIT_FAILURE;
    }
    folder = argv[1];
    init_messages();
    inner_chains();
    chain = fresh();
    add_cp(&chain);
    save_body("cp", "reply", &chain);
    chain = fresh();
    cp_write_begin(&chain, CFG_REQUEST);
    cp_write_attr(&chain, INTERNAL_IP4_ADDRESS, (struct bytes){0});
    chain_end(&chain);
    save_body("cp", "request", &chain);
    chain = fresh();
    add_ts(&chain, P_TSi);
    save_body("ts", "mixed", &chain);
    engine_before();
    engine_by_ticket();
    engine_up();
    engine_ours();
    return EXIT_SUCCESS;
}

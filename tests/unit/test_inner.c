/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What client/esp does to inner headers: parsing, selectors, ECN, MSS, fragments, ICMP errors. */
#include <stdlib.h>

#include "esp/ip.h"
#include "esp/segment.h"
#include "esp/selector.h"
#include "unit/packets.h"
#include "unit/vectors.h"

static struct ip_info parsed(const uint8_t *packet, size_t len)
{
    struct ip_info info;
    ck_assert(ip_parse(&info, packet, len));
    return info;
}

/* ---- parsing ---- */

START_TEST(test_parse)
{
    uint8_t packet[200];
    struct ip_info info;
    struct packet_spec spec = {.payload = 30};
    size_t len = packet_build(&spec, false, packet);
    for (size_t cut = 0; cut < len; cut++) {
        ck_assert(!ip_parse(&info, packet, cut));
    }
    info = parsed(packet, len + 50); /* padding behind */
    ck_assert_uint_eq(info.total_len, len);
    ck_assert_uint_eq(info.header_len, 20);
    ck_assert_uint_eq(info.protocol, IPPROTO_UDP);
    ck_assert(!info.fragment && info.has_upper && !info.dont_fragment);
    packet[6] = 0x40;
    ck_assert(parsed(packet, len).dont_fragment);
    packet[6] = 0x20;
    ck_assert(parsed(packet, len).fragment && parsed(packet, len).has_upper);
    packet[7] = 1;
    ck_assert(!parsed(packet, len).has_upper);
    packet[0] = 0x44;
    ck_assert(!ip_parse(&info, packet, len));
    packet[0] = 0x4f;
    ck_assert(!ip_parse(&info, packet, 58)); /* options reach behind the end */
    packet[0] = 0x35;
    ck_assert(!ip_parse(&info, packet, len));
    packet[0] = 0x45;
    packet[2] = 0;
    packet[3] = 19;
    ck_assert(!ip_parse(&info, packet, len));
}
END_TEST

/* Header, then extension headers given in hexadecimal, then 8 octets of upper layer. */
static size_t v6_with(uint8_t *packet, uint8_t next, const char *extensions)
{
    struct bytes ext = hex(extensions);
    struct packet_spec spec = {.family = FAMILY_IPV6};
    packet_build(&spec, false, packet);
    packet[6] = next;
    packet[5] = (uint8_t)(ext.len + 8);
    memcpy(packet + 40, ext.data, ext.len);
    memset(packet + 40 + ext.len, 0, 8);
    return 40 + ext.len + 8;
}

START_TEST(test_parse_extensions)
{
    uint8_t packet[400];
    struct ip_info info;
    size_t len = v6_with(packet, 0,
                         "3c00010400000000"
                         "2b00010400000000"
                         "1101000000000000"
                         "0000000000000000");
    info = parsed(packet, len); /* hop-by-hop, destination options, routing */
    ck_assert_uint_eq(info.protocol, IPPROTO_UDP);
    ck_assert_uint_eq(info.header_len, 40 + 32);
    for (size_t cut = 0; cut < len; cut++) {
        ck_assert(!ip_parse(&info, packet, cut));
    }
    packet[5] = 31; /* the last header does not fit the payload */
    ck_assert(!ip_parse(&info, packet, len));

    len = v6_with(packet, 44, "1100000100000001");
    info = parsed(packet, len); /* first fragment */
    ck_assert(info.fragment && info.has_upper);
    ck_assert_uint_eq(info.protocol, IPPROTO_UDP);
    len = v6_with(packet, 44, "1100000800000001");
    info = parsed(packet, len);
    ck_assert(info.fragment && !info.has_upper);
    len = v6_with(packet, 44, "1100000000000001");
    ck_assert(!parsed(packet, len).fragment); /* atomic, RFC 6946 */
    len = v6_with(packet, 44, "");
    packet[5] = 7;
    ck_assert(!ip_parse(&info, packet, len));
    len = v6_with(packet, 0, "00ff010400000000");
    ck_assert(!ip_parse(&info, packet, len));
    /* ESP and AH are upper layers to selectors. */
    len = v6_with(packet, 51, "1104000000000000");
    ck_assert_uint_eq(parsed(packet, len).protocol, 51);
    len = v6_with(packet, 59, "");
    ck_assert_uint_eq(parsed(packet, len).protocol, 59);
}
END_TEST

START_TEST(test_checksums)
{
    uint8_t data[300];
    srand(3);
    for (unsigned round = 0; round < 4000; round++) {
        size_t len = (size_t)rand() % sizeof(data);
        for (size_t i = 0; i < len; i++) {
            data[i] = (uint8_t)(rand() % 4 == 0 ? 0xff : rand());
        }
        uint16_t ours = checksum_fold(checksum_add(0, data, len));
        uint8_t in_memory[2];
        memcpy(in_memory, &ours, 2);
        ck_assert_uint_eq(checksum_fold(checksum_add_plain(0, data, len)), ours);
        ck_assert_uint_eq((unsigned)(in_memory[0] << 8 | in_memory[1]), packet_sum(data, len, 0));
        if (len < 4) {
            continue;
        }
        /* A change mended in place equals a sum made anew. */
        uint8_t sum[2] = {(uint8_t)(~packet_sum(data, len & ~1u, 0) >> 8),
                          (uint8_t)~packet_sum(data, len & ~1u, 0)};
        uint16_t before = (uint16_t)(data[2] << 8 | data[3]);
        uint16_t after = (uint16_t)rand();
        data[2] = (uint8_t)(after >> 8);
        data[3] = (uint8_t)after;
        checksum_replace(sum, before, after);
        ck_assert_uint_eq(packet_sum(data, len & ~1u, (uint32_t)(sum[0] << 8 | sum[1])), 0xffff);
    }
}
END_TEST

/* Octet by octet, and not one more. */
static void check_copy(const uint8_t *data, size_t len, size_t shift)
{
    uint8_t *copy = malloc(shift + len + 1);
    memset(copy, 0x5a, shift + len + 1);
    uint64_t sum = checksum_copy(7, copy + shift, data, len);
    ck_assert_uint_eq(checksum_fold(sum), checksum_fold(checksum_add_plain(7, data, len)));
    ck_assert_uint_eq(checksum_fold(checksum_add(7, data, len)), checksum_fold(sum));
    ck_assert_octets(bytes_of(copy + shift, len), bytes_of(data, len));
    ck_assert_uint_eq(copy[shift + len], 0x5a);
    ck_assert(shift == 0 || copy[shift - 1] == 0x5a);
    free(copy);
}

START_TEST(test_checksums_while_copying)
{
    static uint8_t data[IP_PACKET_MAX];
    srand(4);
    for (size_t len = 0; len < 1500; len++) {
        data[len] = (uint8_t)rand();
        uint8_t *exactly = malloc(len + 1); /* what is read behind it is found by a sanitizer */
        memcpy(exactly, data, len + 1);
        check_copy(exactly, len + 1, len % 5);
        free(exactly);
    }
    /* Words that add up to the least and the most. */
    const uint8_t fills[] = {0x00, 0x7f, 0x80, 0xff};
    for (size_t i = 0; i < sizeof(fills); i++) {
        memset(data, fills[i], sizeof(data));
        check_copy(data, sizeof(data), 1);
        ck_assert_uint_eq(packet_sum(data, sizeof(data) - 1, 0),
                          checksum_fold(checksum_add(0, data, sizeof(data) - 1)));
    }
}
END_TEST

/* ---- ECN ---- */

/* RFC 6040 figure 4: rows inner, columns outer, in the order Not-ECT, ECT(1), ECT(0), CE of the
 * code points; 9 = drop. */
START_TEST(test_ecn_table)
{
    static const uint8_t expected[4][4] = {
        {0, 0, 0, 9},
        {1, 1, 1, 3},
        {2, 1, 2, 3},
        {3, 3, 3, 3},
    };
    for (uint8_t inner = 0; inner < 4; inner++) {
        for (uint8_t outer = 0; outer < 4; outer++) {
            for (unsigned v6 = 0; v6 < 2; v6++) {
                uint8_t packet[100];
                struct packet_spec spec = {
                    .family = v6 ? FAMILY_IPV6 : FAMILY_IPV4, .tos = 0x28 | inner, .payload = 9};
                size_t len = packet_build(&spec, false, packet);
                ck_assert_uint_eq(ip_tos(packet), spec.tos);
                bool passed = ip_ecn_decapsulate(packet, outer);
                ck_assert_int_eq(passed, expected[inner][outer] != 9);
                ck_assert_uint_eq(ip_tos(packet), 0x28 | (passed ? expected[inner][outer] : inner));
                packet_check(packet, len);
            }
        }
    }
}
END_TEST

/* ---- selectors ---- */

static struct selectors made(const struct esp_selector *local, const struct esp_selector *remote)
{
    struct esp_params params = {.n_local = 1, .n_remote = 1};
    struct selectors selectors;
    params.local[0] = *local;
    params.remote[0] = *remote;
    ck_assert_int_eq(selectors_init(&selectors, &params), OK);
    return selectors;
}

static bool selects(const struct selectors *selectors, const struct ip_info *info,
                    const uint8_t *packet, bool outbound)
{
    struct flow flow;
    flow_of(&flow, info, packet);
    return selectors_match(selectors, &flow, outbound);
}

static bool passes(const struct esp_selector *local, const struct esp_selector *remote,
                   const uint8_t *packet, size_t len, bool outbound)
{
    struct selectors selectors = made(local, remote);
    struct ip_info info = parsed(packet, len);
    bool result = selects(&selectors, &info, packet, outbound);
    selectors_free(&selectors);
    return result;
}

START_TEST(test_selector_addresses)
{
    struct esp_selector any = selector_any(FAMILY_IPV4);
    struct esp_selector one = any;
    uint8_t packet[100];
    struct packet_spec spec = {.payload = 20, .source_port = 1000, .destination_port = 53};
    size_t len = packet_build(&spec, false, packet); /* 10.1.0.1 to 10.2.0.1 */
    ck_assert(passes(&any, &any, packet, len, true));
    ck_assert(passes(&any, &any, packet, len, false));
    ck_assert(addr_parse(&one.start, "10.1.0.1") && addr_parse(&one.end, "10.1.0.1"));
    ck_assert(passes(&one, &any, packet, len, true));
    ck_assert(!passes(&any, &one, packet, len, true));
    ck_assert(passes(&any, &one, packet, len, false));
    ck_assert(!passes(&one, &any, packet, len, false));
    ck_assert(addr_parse(&one.start, "10.1.0.2") && addr_parse(&one.end, "10.1.0.9"));
    ck_assert(!passes(&one, &any, packet, len, true));
    ck_assert(addr_parse(&one.start, "10.0.0.0") && addr_parse(&one.end, "10.1.0.0"));
    ck_assert(!passes(&one, &any, packet, len, true));
    any = selector_any(FAMILY_IPV6);
    ck_assert(!passes(&any, &any, packet, len, true));
    spec.family = FAMILY_IPV6;
    len = packet_build(&spec, false, packet);
    ck_assert(passes(&any, &any, packet, len, true));
    one = any;
    ck_assert(addr_parse(&one.start, "fd02::") && addr_parse(&one.end, "fd02::ffff"));
    ck_assert(passes(&any, &one, packet, len, true));
    ck_assert(!passes(&one, &any, packet, len, true));
}
END_TEST

START_TEST(test_selector_ports)
{
    struct esp_selector any = selector_any(FAMILY_IPV4);
    struct esp_selector dns = any;
    struct esp_selector opaque = any;
    uint8_t packet[100];
    dns.protocol = IPPROTO_UDP;
    dns.port_low = dns.port_high = 53;
    opaque.protocol = IPPROTO_UDP;
    opaque.port_low = 65535;
    opaque.port_high = 0;
    struct packet_spec spec = {.payload = 20, .source_port = 1000, .destination_port = 53};
    size_t len = packet_build(&spec, false, packet);
    ck_assert(passes(&any, &dns, packet, len, true));
    ck_assert(!passes(&dns, &any, packet, len, true));
    ck_assert(passes(&dns, &any, packet, len, false)); /* from the gateway to our port 53 */
    ck_assert(!passes(&any, &opaque, packet, len, true));
    dns.port_high = 54;
    dns.port_low = 54;
    ck_assert(!passes(&any, &dns, packet, len, true));
    dns.port_low = 0;
    ck_assert(passes(&any, &dns, packet, len, true));
    dns.protocol = IPPROTO_TCP;
    ck_assert(!passes(&any, &dns, packet, len, true));
    dns.protocol = IPPROTO_UDP;
    dns.port_low = dns.port_high = 53;
    /* A later fragment has no ports: ANY and OPAQUE only (RFC 4301 4.4.1.1). */
    packet[7] = 5;
    ck_assert(!passes(&any, &dns, packet, len, true));
    ck_assert(passes(&any, &any, packet, len, true));
    ck_assert(passes(&any, &opaque, packet, len, true));
    /* Too short for ports. */
    packet[7] = 0;
    packet[3] = 23;
    ck_assert(!passes(&any, &dns, packet, len, true));
}
END_TEST

/* RFC 4301 4.4.1.3: the sender's selector names type and code. */
START_TEST(test_selector_icmp)
{
    struct esp_selector any = selector_any(FAMILY_IPV4);
    struct esp_selector echo = any;
    struct esp_selector never = any;
    uint8_t packet[100];
    echo.protocol = never.protocol = IPPROTO_ICMP;
    echo.port_low = 0x0800;
    echo.port_high = 0x08ff;
    never.port_low = 65535;
    never.port_high = 0;
    struct packet_spec spec = {.protocol = IPPROTO_ICMP, .payload = 20};
    size_t len = packet_build(&spec, false, packet);
    ck_assert(passes(&echo, &never, packet, len, true));
    ck_assert(!passes(&never, &echo, packet, len, true));
    ck_assert(passes(&never, &echo, packet, len, false));
    packet[20] = 9;
    ck_assert(!passes(&echo, &never, packet, len, true));
    /* Mobility headers carry their type in the third octet. */
    packet[9] = 135;
    packet[22] = 7;
    echo.protocol = never.protocol = 135;
    echo.port_low = echo.port_high = 7 << 8;
    ck_assert(passes(&echo, &never, packet, len, true));
    packet[22] = 8;
    ck_assert(!passes(&echo, &never, packet, len, true));
    /* A protocol without ports passes any and opaque. */
    packet[9] = 47;
    echo.protocol = 47;
    ck_assert(!passes(&echo, &any, packet, len, true));
    echo.port_low = 0;
    echo.port_high = 65535;
    ck_assert(passes(&echo, &any, packet, len, true));
}
END_TEST

START_TEST(test_selector_combinations)
{
    struct esp_params params = {.n_local = 2, .n_remote = 3};
    struct selectors selectors;
    uint8_t packet[100];
    params.local[0] = selector_any(FAMILY_IPV6);
    params.local[1] = selector_any(FAMILY_IPV4);
    for (size_t i = 0; i < 3; i++) {
        params.remote[i] = selector_any(FAMILY_IPV4);
        params.remote[i].protocol = IPPROTO_UDP;
        params.remote[i].port_low = params.remote[i].port_high = (uint16_t)(50 + i);
    }
    ck_assert_int_eq(selectors_init(&selectors, &params), OK);
    for (uint16_t port = 48; port < 55; port++) {
        struct packet_spec spec = {.payload = 4, .destination_port = port};
        size_t len = packet_build(&spec, false, packet);
        struct ip_info info = parsed(packet, len);
        ck_assert_int_eq(selects(&selectors, &info, packet, true), port >= 50 && port <= 52);
    }
    selectors_free(&selectors);
}
END_TEST

/* ---- MSS ---- */

static unsigned clamp(const char *options, uint8_t flags, enum family family, uint16_t mtu,
                      uint8_t *packet)
{
    struct packet_spec spec = {.family = family,
                               .protocol = IPPROTO_TCP,
                               .tcp_flags = flags,
                               .tcp_options = hex(options),
                               .sequence = 77};
    size_t len = packet_build(&spec, false, packet);
    struct ip_info info = parsed(packet, len);
    tcp_clamp_mss(&info, packet, mtu);
    packet_check(packet, len);
    size_t at = packet_header_len(&spec) - spec.tcp_options.len;
    for (size_t i = 0; i + 3 < spec.tcp_options.len; i++) {
        if (packet[at + i] == 2 && packet[at + i + 1] == 4) {
            return (unsigned)(packet[at + i + 2] << 8 | packet[at + i + 3]);
        }
    }
    return 0;
}

START_TEST(test_mss)
{
    uint8_t packet[200];
    ck_assert_uint_eq(clamp("020405b4", 0x02, FAMILY_IPV4, 1400, packet), 1360);
    ck_assert_uint_eq(clamp("020405b4", 0x12, FAMILY_IPV6, 1400, packet), 1340);
    ck_assert_uint_eq(clamp("01020405b4010101", 0x02, FAMILY_IPV4, 1400, packet),
                      1360); /* odd offset */
    ck_assert_uint_eq(clamp("04020101020405b4", 0x02, FAMILY_IPV4, 1400, packet), 1360);
    ck_assert_uint_eq(clamp("02040500", 0x02, FAMILY_IPV4, 1400, packet), 1280); /* small already */
    ck_assert_uint_eq(clamp("020405b4", 0x10, FAMILY_IPV4, 1400, packet), 1460); /* not a SYN */
    ck_assert_uint_eq(clamp("020405b4", 0x02, FAMILY_IPV4, 40, packet),
                      1460); /* no sense in that */
    ck_assert_uint_eq(clamp("00020405b4010101", 0x02, FAMILY_IPV4, 1400, packet),
                      1460); /* behind the end */
    ck_assert_uint_eq(clamp("08ff020405b40101", 0x02, FAMILY_IPV4, 1400, packet),
                      1460); /* too long */
    ck_assert_uint_eq(clamp("0800020405b40101", 0x02, FAMILY_IPV4, 1400, packet),
                      1460); /* too short */
    clamp("01010108", 0x02, FAMILY_IPV4, 1400, packet);
    clamp("01010102", 0x02, FAMILY_IPV4, 1400, packet);
    clamp("01010204", 0x02, FAMILY_IPV4, 1400, packet);
    clamp("", 0x02, FAMILY_IPV4, 1400, packet);
}
END_TEST

START_TEST(test_mss_hostile)
{
    uint8_t packet[200];
    struct packet_spec spec = {
        .protocol = IPPROTO_TCP, .tcp_flags = 2, .tcp_options = hex("020405b4")};
    size_t len = packet_build(&spec, false, packet);
    uint8_t before[200];
    for (unsigned offset = 0; offset < 16; offset++) {
        for (size_t total = 20; total <= len; total++) {
            uint8_t *exact = malloc(total);
            memcpy(exact, packet, total);
            exact[2] = 0;
            exact[3] = (uint8_t)total;
            if (total > 32) {
                exact[32] = (uint8_t)(offset << 4);
            }
            memcpy(before, exact, total);
            struct ip_info info = parsed(exact, total);
            tcp_clamp_mss(&info, exact, 1000);
            if (offset != 6 || total < len) {
                ck_assert_mem_eq(before, exact, total);
            }
            free(exact);
        }
    }
}
END_TEST

/* ---- fragments ---- */

START_TEST(test_fragments)
{
    static uint8_t packet[4000];
    static uint8_t whole[4000];
    for (size_t payload = 0; payload < 3000; payload += 13) {
        for (size_t mtu = 68; mtu < 1600; mtu += 211) {
            struct packet_spec spec = {.payload = payload, .identification = 0x1234};
            size_t len = packet_build(&spec, false, packet);
            struct ip_info info = parsed(packet, len);
            size_t offset = 0;
            size_t have = 0;
            size_t n;
            bool last = false;
            uint8_t *out = malloc(mtu);
            while ((n = ipv4_fragment(&info, packet, &offset, mtu, out)) > 0) {
                ck_assert(!last);
                ck_assert_uint_le(n, mtu);
                packet_check(out, n);
                ck_assert_uint_eq((unsigned)(out[4] << 8 | out[5]), 0x1234);
                ck_assert_uint_eq((unsigned)((out[6] & 0x1f) << 8 | out[7]) * 8, have);
                last = (out[6] & 0x20) == 0;
                memcpy(whole + have, out + 20, n - 20);
                have += n - 20;
            }
            ck_assert(last);
            ck_assert_octets(bytes_of(whole, have), bytes_of(packet + 20, len - 20));
            free(out);
        }
    }
}
END_TEST

START_TEST(test_fragment_of_fragment_and_options)
{
    uint8_t packet[300];
    uint8_t out[300];
    struct packet_spec spec = {.payload = 192};
    size_t len = packet_build(&spec, false, packet + 12);
    /* Twelve octets of options: record route (not copied), router alert (copied), end. */
    memmove(packet, packet + 12, 20);
    memcpy(packet + 20,
           hex("0707040000000094040000"
               "00")
               .data,
           12);
    len += 12;
    packet[0] = 0x48;
    packet[3] = (uint8_t)len;
    packet[6] = 0x20; /* itself a middle fragment, at offset 64 */
    packet[7] = 8;
    struct ip_info info = parsed(packet, len);
    size_t offset = 0;
    size_t n = ipv4_fragment(&info, packet, &offset, 100, out);
    ck_assert_uint_eq(n, 32 + 64);
    ck_assert_octets(bytes_of(out + 20, 12), bytes_of(packet + 20, 12));
    ck_assert_uint_eq(out[6], 0x20);
    ck_assert_uint_eq(out[7], 8);
    size_t at = 8;
    while ((n = ipv4_fragment(&info, packet, &offset, 100, out)) > 0) {
        at += 8;
        packet_check(out, n);
        ck_assert_octets(bytes_of(out + 20, 12), hex("010101010101019404000000"));
        ck_assert_uint_eq(out[6], 0x20); /* more follow even behind our last */
        ck_assert_uint_eq(out[7], at);
    }
    ck_assert_uint_eq(at, 8 + 8 * 3);
    /* No room for payload beside the header. */
    offset = 0;
    ck_assert_uint_eq(ipv4_fragment(&info, packet, &offset, 39, out), 0);
}
END_TEST

/* ---- ICMP ---- */

static size_t too_big(const uint8_t *packet, size_t len, uint8_t *out)
{
    struct ip_info info = parsed(packet, len);
    return icmp_too_big(&info, packet, 1234, out);
}

START_TEST(test_icmp)
{
    static uint8_t packet[3000];
    uint8_t out[ICMP_TOO_BIG_MAX];
    for (size_t payload = 0; payload < 1500; payload += 71) {
        struct packet_spec spec = {.payload = payload, .dont_fragment = true};
        size_t len = packet_build(&spec, false, packet);
        size_t n = too_big(packet, len, out);
        ck_assert_uint_eq(n, len + 28 < 576 ? len + 28 : 576);
        packet_check(out, n);
        ck_assert_octets(bytes_of(out + 20, 2), hex("0304"));
        ck_assert_octets(bytes_of(out + 24, 4), hex("000004d2"));
        ck_assert_octets(bytes_of(out + 28, n - 28), bytes_of(packet, n - 28));
        ck_assert_octets(bytes_of(out + 12, 8), hex("0a0200010a010001"));
        spec.family = FAMILY_IPV6;
        len = packet_build(&spec, false, packet);
        n = too_big(packet, len, out);
        ck_assert_uint_eq(n, len + 48 < 1280 ? len + 48 : 1280);
        packet_check(out, n);
        ck_assert_octets(bytes_of(out + 40, 2), hex("0200"));
        ck_assert_octets(bytes_of(out + 44, 4), hex("000004d2"));
        ck_assert_octets(bytes_of(out + 48, n - 48), bytes_of(packet, n - 48));
        ck_assert_octets(bytes_of(out + 8, 16), bytes_of(packet + 24, 16));
        ck_assert_octets(bytes_of(out + 24, 16), bytes_of(packet + 8, 16));
    }
}
END_TEST

START_TEST(test_icmp_kept_quiet)
{
    uint8_t packet[200];
    uint8_t out[ICMP_TOO_BIG_MAX];
    struct packet_spec spec = {.protocol = IPPROTO_ICMP, .payload = 50};
    size_t len = packet_build(&spec, false, packet);
    ck_assert_uint_gt(too_big(packet, len, out), 0);
    packet[20] = 3; /* about an error */
    ck_assert_uint_eq(too_big(packet, len, out), 0);
    spec.protocol = 0;
    len = packet_build(&spec, false, packet);
    packet[7] = 1; /* a later fragment */
    ck_assert_uint_eq(too_big(packet, len, out), 0);
    packet[7] = 0;
    ck_assert_uint_gt(too_big(packet, len, out), 0);
    packet[16] = 224; /* to a group */
    ck_assert_uint_eq(too_big(packet, len, out), 0);
    packet[16] = 10;
    packet[12] = 0; /* from nobody */
    ck_assert_uint_eq(too_big(packet, len, out), 0);
    spec.family = FAMILY_IPV6;
    spec.protocol = IPPROTO_ICMPV6;
    len = packet_build(&spec, false, packet);
    packet[40] = 2;
    ck_assert_uint_eq(too_big(packet, len, out), 0);
    packet[40] = 128;
    ck_assert_uint_gt(too_big(packet, len, out), 0);
    packet[24] = 0xff;
    ck_assert_uint_eq(too_big(packet, len, out), 0);
    packet[24] = 0xfd;
    memset(packet + 8, 0, 16);
    ck_assert_uint_eq(too_big(packet, len, out), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inner");
    TCase *tcase = tcase_create("inner");
    tcase_add_test(tcase, test_parse);
    tcase_add_test(tcase, test_parse_extensions);
    tcase_add_test(tcase, test_checksums);
    tcase_add_test(tcase, test_checksums_while_copying);
    tcase_add_test(tcase, test_ecn_table);
    tcase_add_test(tcase, test_selector_addresses);
    tcase_add_test(tcase, test_selector_ports);
    tcase_add_test(tcase, test_selector_icmp);
    tcase_add_test(tcase, test_selector_combinations);
    tcase_add_test(tcase, test_mss);
    tcase_add_test(tcase, test_mss_hostile);
    tcase_add_test(tcase, test_fragments);
    tcase_add_test(tcase, test_fragment_of_fragment_and_options);
    tcase_add_test(tcase, test_icmp);
    tcase_add_test(tcase, test_icmp_kept_quiet);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/packets.h"

#include <check.h>

#include "crypto/crypt.h"

static void be16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void be32(uint8_t *at, uint32_t value)
{
    be16(at, value >> 16);
    be16(at + 2, value & 0xffff);
}

uint16_t packet_sum(const uint8_t *data, size_t len, uint32_t start)
{
    uint32_t sum = start;
    for (size_t i = 0; i < len; i++) {
        sum += (uint32_t)data[i] << (i % 2 == 0 ? 8 : 0);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static size_t ip_header_len(const struct packet_spec *spec)
{
    return spec->family == FAMILY_IPV6 ? 40 : 20;
}

static uint8_t protocol_of(const struct packet_spec *spec)
{
    return spec->protocol != 0 ? spec->protocol : IPPROTO_UDP;
}

size_t packet_header_len(const struct packet_spec *spec)
{
    size_t upper = 0;
    if (protocol_of(spec) == IPPROTO_TCP) {
        upper = 20 + spec->tcp_options.len;
    } else if (protocol_of(spec) == IPPROTO_UDP || protocol_of(spec) == IPPROTO_ICMP) {
        upper = 8;
    }
    return ip_header_len(spec) + upper;
}

struct virtio_net_hdr packet_frame_header(const struct packet_spec *spec, uint16_t size)
{
    bool v6 = spec->family == FAMILY_IPV6;
    bool tcp = protocol_of(spec) == IPPROTO_TCP;
    return (struct virtio_net_hdr){
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .gso_type = !tcp ? VIRTIO_NET_HDR_GSO_UDP_L4
                    : v6 ? VIRTIO_NET_HDR_GSO_TCPV6
                         : VIRTIO_NET_HDR_GSO_TCPV4,
        .hdr_len = (uint16_t)packet_header_len(spec),
        .gso_size = size,
        .csum_start = v6 ? 40 : 20,
        .csum_offset = tcp ? 16 : 6,
    };
}

static uint32_t pseudo_sum(const uint8_t *packet, size_t upper_len, uint8_t protocol)
{
    bool v4 = packet[0] >> 4 == 4;
    uint32_t sum = v4 ? packet_sum(packet + 12, 8, 0) : packet_sum(packet + 8, 32, 0);
    return sum + protocol + (uint32_t)upper_len;
}

static void build_ip(const struct packet_spec *spec, bool reverse, size_t len, uint8_t *out)
{
    uint8_t from = reverse ? 2 : 1;
    uint8_t to = reverse ? 1 : 2;
    if (spec->family != FAMILY_IPV6) {
        out[0] = 0x45;
        out[1] = spec->tos;
        be16(out + 2, (unsigned)len);
        be16(out + 4, spec->identification);
        out[6] = spec->dont_fragment ? 0x40 : 0;
        out[8] = 64;
        out[9] = protocol_of(spec);
        memcpy(out + 12, (uint8_t[]){10, from, 0}, 3);
        memcpy(out + 16, (uint8_t[]){10, to, 0}, 3);
        out[15] = (uint8_t)(1 + spec->source_host);
        out[19] = (uint8_t)(1 + spec->destination_host);
        be16(out + 10, 0xffffu & ~(unsigned)packet_sum(out, 20, 0));
    } else {
        out[0] = (uint8_t)(0x60 | spec->tos >> 4);
        out[1] = (uint8_t)(spec->tos << 4);
        be16(out + 4, (unsigned)(len - 40));
        out[6] = protocol_of(spec);
        out[7] = 64;
        out[8] = out[24] = 0xfd;
        out[9] = from;
        out[25] = to;
        out[23] = (uint8_t)(1 + spec->source_host);
        out[39] = (uint8_t)(1 + spec->destination_host);
    }
}

size_t packet_build(const struct packet_spec *spec, bool reverse, uint8_t *out)
{
    size_t ip = ip_header_len(spec);
    size_t header = packet_header_len(spec);
    size_t len = header + spec->payload;
    uint8_t *upper = out + ip;
    size_t field = 0;
    memset(out, 0, header);
    for (size_t i = 0; i < spec->payload; i++) {
        out[header + i] = (uint8_t)(spec->pattern + i * 7);
    }
    build_ip(spec, reverse, len, out);
    if (protocol_of(spec) == IPPROTO_TCP) {
        be16(upper, spec->source_port);
        be16(upper + 2, spec->destination_port);
        be32(upper + 4, spec->sequence);
        be32(upper + 8, spec->acknowledgement);
        upper[12] = (uint8_t)((20 + spec->tcp_options.len) / 4 << 4);
        upper[13] = spec->tcp_flags;
        be16(upper + 14, spec->window);
        if (spec->tcp_options.len > 0) {
            memcpy(upper + 20, spec->tcp_options.data, spec->tcp_options.len);
        }
        field = 16;
    } else if (protocol_of(spec) == IPPROTO_UDP) {
        be16(upper, spec->source_port);
        be16(upper + 2, spec->destination_port);
        be16(upper + 4, (unsigned)(len - ip));
        field = 6;
    }
    if (field != 0) {
        unsigned sum = 0xffffu & ~(unsigned)packet_sum(
                                     upper, len - ip, pseudo_sum(out, len - ip, protocol_of(spec)));
        be16(upper + field, sum == 0 ? 0xffff : sum);
    } else if (protocol_of(spec) == IPPROTO_ICMP) {
        upper[0] = 8;
        be16(upper + 2, 0xffffu & ~(unsigned)packet_sum(upper, len - ip, 0));
    }
    return len;
}

void packet_check(const uint8_t *packet, size_t len)
{
    bool v4 = packet[0] >> 4 == 4;
    size_t ip = v4 ? (size_t)(packet[0] & 15) * 4 : 40;
    ck_assert_uint_ge(len, ip);
    uint8_t protocol = v4 ? packet[9] : packet[6];
    bool later = v4 && ((packet[6] & 0x3f) != 0 || packet[7] != 0);
    size_t said = (size_t)(v4 ? packet[2] << 8 | packet[3] : (packet[4] << 8 | packet[5]) + 40);
    ck_assert_uint_eq(said, len);
    if (v4) {
        ck_assert_uint_eq(packet_sum(packet, ip, 0), 0xffff);
    }
    size_t upper_len = len - ip;
    if (later) {
        return; /* a fragment: its checksum spans others */
    }
    if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_ICMPV6) {
        ck_assert_uint_eq(
            packet_sum(packet + ip, upper_len, pseudo_sum(packet, upper_len, protocol)), 0xffff);
    } else if (protocol == IPPROTO_ICMP) {
        ck_assert_uint_eq(packet_sum(packet + ip, upper_len, 0), 0xffff);
    }
    if (protocol == IPPROTO_UDP) {
        ck_assert_uint_eq((unsigned)(packet[ip + 4] << 8 | packet[ip + 5]), upper_len);
    }
}

/* The n-th row of a type, NULL past the end; `aead` chooses among ciphers. */
static const struct alg *row_at(enum transform_type type, bool aead, size_t n)
{
    const struct alg *alg;
    for (size_t i = 0; (alg = alg_at(i)) != NULL; i++) {
        if (alg->type != type ||
            (type == TRANSFORM_ENCR && ((alg->flags & ALG_AEAD) != 0) != aead) ||
            (type == TRANSFORM_INTEG && alg->icv_octets == 0)) {
            continue;
        }
        if (n-- == 0) {
            return alg;
        }
    }
    return NULL;
}

bool suite_at(size_t index, struct suite *out)
{
    bool esn = index % 2 != 0;
    size_t n = index / 2;
    *out = (struct suite){.esn = esn};
    for (size_t i = 0; (out->encr = row_at(TRANSFORM_ENCR, true, i)) != NULL; i++) {
        if (n-- == 0) {
            return true;
        }
    }
    for (size_t i = 0; (out->encr = row_at(TRANSFORM_ENCR, false, i)) != NULL; i++) {
        for (size_t j = 0; (out->integ = row_at(TRANSFORM_INTEG, false, j)) != NULL; j++) {
            if (n-- == 0) {
                return true;
            }
        }
    }
    return false;
}

struct esp_selector selector_any(enum family family)
{
    struct esp_selector any = {.port_high = 65535, .start.family = family, .end.family = family};
    memset(any.end.octets, 0xff, family == FAMILY_IPV4 ? 4 : 16);
    return any;
}

void params_for(struct esp_params *out, const struct suite *suite, uint32_t spi)
{
    static const uint8_t keys[128] = {0x3a, 0x91, 0x5c, 0x07, 0xee, 0x42, 0xd8, 0x6b, 0x1f, 0xa3,
                                      0x70, 0xc9, 0x25, 0xb4, 0x58, 0x0d, 0xf6, 0x83, 0x4e, 0x9a,
                                      0x61, 0xd2, 0x37, 0xbc, 0x18, 0xe5, 0x7f, 0x94, 0x2b, 0xc0,
                                      0x56, 0xad, 0x13, 0x88, 0xfa, 0x64, 0xdd, 0x31, 0x4b, 0xb7,
                                      0x0e, 0xc5, 0x72, 0x99, 0x26, 0xef, 0x5d, 0xa0};
    *out = (struct esp_params){.spi = spi, .suite = *suite};
    out->encr_key = bytes_of(keys, crypt_encr_key_len(suite->encr));
    out->integ_key =
        bytes_of(keys + 32, suite->integ != NULL ? crypt_integ_key_len(suite->integ) : 0);
    out->local[0] = out->remote[0] = selector_any(FAMILY_IPV4);
    out->local[1] = out->remote[1] = selector_any(FAMILY_IPV6);
    out->n_local = out->n_remote = 2;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "esp/coalesce.h"
#include "esp/segment.h"
#include "unit/packets.h"
#include "unit/vectors.h"

/* Each segment equals the packet that a sender without offload would have made. */
static void check_cut(struct packet_spec spec, uint16_t size)
{
    static uint8_t super[70000];
    static uint8_t expected[70000];
    struct virtio_net_hdr hdr = packet_frame_header(&spec, size);
    struct segmenter s;
    size_t total = spec.payload;
    size_t len = packet_build(&spec, false, super);
    uint8_t flags = spec.tcp_flags;
    uint8_t pattern = spec.pattern;
    size_t done = 0;
    ck_assert_int_eq(segment_begin(&s, &hdr, super, len), OK);
    for (unsigned i = 0; done < total || (total == 0 && i == 0); i++) {
        spec.payload = total - done < size ? total - done : size;
        spec.pattern = (uint8_t)(pattern + done * 7);
        bool last = done + spec.payload == total;
        spec.tcp_flags = (uint8_t)(flags & ~(last ? 0u : 0x09u) & ~(i == 0 ? 0u : 0x80u));
        size_t want = packet_build(&spec, false, expected);
        ck_assert_uint_eq(segment_next_len(&s), want);
        uint8_t *got = malloc(want);
        segment_next(&s, got);
        packet_check(got, want);
        ck_assert_octets(bytes_of(got, want), bytes_of(expected, want));
        free(got);
        done += spec.payload;
        spec.sequence += (uint32_t)spec.payload;
        spec.identification++;
    }
    ck_assert_uint_eq(segment_next_len(&s), 0);
}

START_TEST(test_cut)
{
    static const size_t payloads[] = {0, 1, 99, 100, 101, 200, 1448, 1449, 14480, 30001, 65000};
    static const uint16_t sizes[] = {1, 100, 536, 1448, 9000, 65535};
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        for (size_t j = sizes[0] > payloads[i] / 300 ? 0 : 1; j < sizeof(sizes) / sizeof(sizes[0]);
             j++) {
            for (unsigned v6 = 0; v6 < 2; v6++) {
                struct packet_spec spec = {.family = v6 ? FAMILY_IPV6 : FAMILY_IPV4,
                                           .protocol = IPPROTO_TCP,
                                           .identification = 0xfffe,
                                           .dont_fragment = true,
                                           .sequence = 0xffffff00,
                                           .acknowledgement = 0x01020304,
                                           .tcp_flags = 0x99, /* CWR, ACK, PSH, FIN */
                                           .window = 501,
                                           .tcp_options = hex("0101080a0000000100000002"),
                                           .payload = payloads[i],
                                           .tos = 0x02};
                check_cut(spec, sizes[j]);
                spec.protocol = IPPROTO_UDP;
                spec.tcp_options.len = 0;
                check_cut(spec, sizes[j]);
            }
        }
    }
}
END_TEST

START_TEST(test_plain_and_checksum)
{
    uint8_t packet[300];
    uint8_t out[300];
    struct segmenter s;
    struct virtio_net_hdr none = {.gso_type = VIRTIO_NET_HDR_GSO_NONE};
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct packet_spec spec = {.family = v6 ? FAMILY_IPV6 : FAMILY_IPV4, .payload = 101};
        size_t len = packet_build(&spec, false, packet);
        ck_assert_int_eq(segment_begin(&s, &none, packet, len + 7), OK);
        ck_assert_uint_eq(segment_next_len(&s), len); /* what hangs behind is cut */
        segment_next(&s, out);
        ck_assert_octets(bytes_of(out, len), bytes_of(packet, len));
        ck_assert_uint_eq(segment_next_len(&s), 0);

        /* As the kernel leaves it: the pseudo header's sum alone. */
        size_t ip = v6 ? 40 : 20;
        struct bytes addresses = v6 ? bytes_of(packet + 8, 32) : bytes_of(packet + 12, 8);
        uint16_t pseudo = packet_sum(addresses.data, addresses.len, (uint32_t)(17 + len - ip));
        packet[ip + 6] = (uint8_t)(pseudo >> 8);
        packet[ip + 7] = (uint8_t)pseudo;
        struct virtio_net_hdr partial = {.flags = 1, .csum_start = (uint16_t)ip, .csum_offset = 6};
        ck_assert_int_eq(segment_begin(&s, &partial, packet, len), OK);
        segment_next(&s, out);
        packet_check(out, len);
    }
}
END_TEST

/* A UDP checksum that comes out as zero is sent as all ones (RFC 768). */
START_TEST(test_zero_checksum)
{
    uint8_t packet[100];
    uint8_t out[100];
    struct segmenter s;
    struct packet_spec spec = {.payload = 2};
    size_t len = packet_build(&spec, false, packet);
    unsigned sum = (unsigned)(packet[26] << 8 | packet[27]);
    unsigned word = (unsigned)(packet[28] << 8 | packet[29]) + sum;
    word = (word & 0xffff) + (word >> 16);
    packet[28] = (uint8_t)(word >> 8);
    packet[29] = (uint8_t)word;
    uint16_t pseudo = packet_sum(packet + 12, 8, 17 + 10);
    packet[26] = (uint8_t)(pseudo >> 8);
    packet[27] = (uint8_t)pseudo;
    struct virtio_net_hdr partial = {.flags = 1, .csum_start = 20, .csum_offset = 6};
    ck_assert_int_eq(segment_begin(&s, &partial, packet, len), OK);
    segment_next(&s, out);
    ck_assert_octets(bytes_of(out + 26, 2), hex("ffff"));
    packet_check(out, len);
}
END_TEST

START_TEST(test_hostile_headers)
{
    uint8_t packet[600];
    struct packet_spec spec = {.protocol = IPPROTO_TCP, .tcp_flags = 0x10, .payload = 500};
    size_t len = packet_build(&spec, false, packet);
    struct virtio_net_hdr good = packet_frame_header(&spec, 100);
    struct virtio_net_hdr bad;
    struct segmenter s;
    ck_assert_int_eq(segment_begin(&s, &good, packet, len), OK);
#define REFUSED(change)                                                                            \
    bad = good;                                                                                    \
    change;                                                                                        \
    ck_assert_int_eq(segment_begin(&s, &bad, packet, len), ERR_SYNTAX)
    REFUSED(bad.gso_size = 0);
    REFUSED(bad.flags = 0);
    REFUSED(bad.csum_start = 21);
    REFUSED(bad.csum_start = 0xffff);
    REFUSED(bad.gso_type = VIRTIO_NET_HDR_GSO_TCPV6);
    REFUSED(bad.gso_type = VIRTIO_NET_HDR_GSO_UDP);
    REFUSED(bad.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4);
    REFUSED(bad.gso_type = 0x7f);
    REFUSED(packet[32] = 0x40); /* TCP header shorter than it is */
    REFUSED(packet[32] = 0xf0; packet[3] = 79; packet[2] = 0; len = 79);
    len = packet_build(&spec, false, packet);
    REFUSED(packet[33] = 0x12); /* a SYN is never cut */
    len = packet_build(&spec, false, packet);
    REFUSED(packet[6] = 0x20); /* nor a fragment */
    len = packet_build(&spec, false, packet);
    REFUSED(len = 39; packet[2] = 0; packet[3] = 39);
    len = packet_build(&spec, false, packet);
    REFUSED(packet[9] = 17);
    bad = (struct virtio_net_hdr){.gso_type =
                                      VIRTIO_NET_HDR_GSO_ECN}; /* of nothing: a plain packet */
    len = packet_build(&spec, false, packet);
    ck_assert_int_eq(segment_begin(&s, &bad, packet, len), OK);
    ck_assert_uint_eq(segment_next_len(&s), len);
#undef REFUSED
}
END_TEST

/* ---- coalescing ---- */

static struct coalescer coalescer;

static void enable(void)
{
    coalescer.enabled = true;
    coalescer.udp = true;
    coalesce_reset(&coalescer);
}

static bool add(uint8_t *packet, size_t len)
{
    struct ip_info info;
    ck_assert(ip_parse(&info, packet, len));
    return coalesce_add(&coalescer, &info, packet);
}

/* The frame as the TUN gets it. */
static size_t frame_octets(size_t index, struct virtio_net_hdr *hdr, uint8_t *out)
{
    size_t n;
    size_t len = 0;
    const struct iovec *iov = coalesce_frame(&coalescer, index, &n);
    ck_assert_uint_eq(iov[0].iov_len, sizeof(*hdr));
    memcpy(hdr, iov[0].iov_base, sizeof(*hdr));
    for (size_t i = 1; i < n; i++) {
        memcpy(out + len, iov[i].iov_base, iov[i].iov_len);
        len += iov[i].iov_len;
    }
    return len;
}

#define N 20
#define SIZE 700

static const struct packet_spec stream = {.protocol = IPPROTO_TCP,
                                          .identification = 0xfff0,
                                          .sequence = 0xffffe000,
                                          .acknowledgement = 9,
                                          .tcp_flags = 0x10,
                                          .window = 100,
                                          .payload = SIZE};

/* Segments of one stream, one after the other; the last is shorter and pushed. */
static void build_stream(uint8_t packets[N][1500], size_t lens[N], struct packet_spec spec)
{
    for (size_t i = 0; i < N; i++) {
        if (i == N - 1) {
            spec.payload = 33;
            spec.tcp_flags |= 0x08;
        }
        lens[i] = packet_build(&spec, false, packets[i]);
        spec.sequence += SIZE;
        spec.identification++;
    }
}

/* Glued together and cut again, the octets are the same. */
START_TEST(test_round_trip)
{
    static uint8_t packets[N][1500];
    static uint8_t originals[N][1500];
    static uint8_t super[70000];
    size_t lens[N];
    static const char *const options[] = {"", "0101080a0000000100000002", NULL};
    for (unsigned v6 = 0; v6 < 2; v6++) {
        for (unsigned kind = 0; kind < 3; kind++) {
            struct packet_spec spec = stream;
            spec.family = v6 ? FAMILY_IPV6 : FAMILY_IPV4;
            spec.tos = 0x01;
            if (options[kind] != NULL) {
                spec.tcp_options = hex(options[kind]);
            } else {
                spec.protocol = IPPROTO_UDP;
            }
            build_stream(packets, lens, spec);
            memcpy(originals, packets, sizeof(packets));
            enable();
            for (size_t i = 0; i < N; i++) {
                ck_assert(add(packets[i], lens[i]));
            }
            ck_assert_uint_eq(coalescer.n, 1);
            struct virtio_net_hdr hdr;
            size_t len = frame_octets(0, &hdr, super);
            ck_assert_uint_eq(len, packet_header_len(&spec) + (N - 1) * SIZE + 33);
            ck_assert_uint_eq(hdr.gso_size, SIZE);
            ck_assert_uint_eq(hdr.hdr_len, packet_header_len(&spec));
            struct segmenter s;
            ck_assert_int_eq(segment_begin(&s, &hdr, super, len), OK);
            for (size_t i = 0; i < N; i++) {
                uint8_t out[1500];
                ck_assert_uint_eq(segment_next_len(&s), lens[i]);
                segment_next(&s, out);
                ck_assert_octets(bytes_of(out, lens[i]), bytes_of(originals[i], lens[i]));
            }
            /* The checksum field holds the pseudo header's sum, for the kernel to complete. */
            hdr.gso_type = VIRTIO_NET_HDR_GSO_NONE;
            ck_assert_int_eq(segment_begin(&s, &hdr, super, len), OK);
            packet_check(super, len);
        }
    }
}
END_TEST

/* Two packets; the second changed somehow: glued or not. */
static size_t frames_of_two(void (*change)(struct packet_spec *first, struct packet_spec *second))
{
    static uint8_t packets[2][1500];
    struct packet_spec spec[2] = {stream, stream};
    spec[1].sequence += SIZE;
    spec[1].identification++;
    if (change != NULL) {
        change(&spec[0], &spec[1]);
    }
    enable();
    for (size_t i = 0; i < 2; i++) {
        ck_assert(add(packets[i], packet_build(&spec[i], false, packets[i])));
    }
    for (size_t i = 0; i < coalescer.n; i++) {
        uint8_t out[3000];
        struct virtio_net_hdr hdr;
        size_t len = frame_octets(i, &hdr, out);
        ck_assert_int_eq(hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE, coalescer.n == 1);
        if (coalescer.n == 2) {
            ck_assert_octets(bytes_of(out, len), bytes_of(packets[i], len));
        }
    }
    return coalescer.n;
}

#define CHANGE(name, body)                                                                         \
    static void name(struct packet_spec *a, struct packet_spec *b)                                 \
    {                                                                                              \
        (void)a;                                                                                   \
        (void)b;                                                                                   \
        body;                                                                                      \
    }
CHANGE(gap, b->sequence++)
CHANGE(again, b->sequence = a->sequence)
CHANGE(before, b->sequence = a->sequence - SIZE)
CHANGE(longer, b->payload++)
CHANGE(shorter, b->payload--)
CHANGE(first_shorter, a->payload--; b->sequence--)
CHANGE(empty, b->payload = 0)
CHANGE(first_empty, a->payload = 0; b->sequence = a->sequence)
CHANGE(other_port, b->source_port++)
CHANGE(other_window, b->window++)
CHANGE(other_ack, b->acknowledgement++)
CHANGE(other_tos, b->tos = 4)
CHANGE(congested, a->tos = 2; b->tos = 3)
CHANGE(other_options, a->tcp_options = hex("01010101"); b->tcp_options = hex("01010100"))
CHANGE(less_options, a->tcp_options = hex("01010101"))
CHANGE(pushed, b->tcp_flags |= 8)
CHANGE(first_pushed, a->tcp_flags |= 8)
CHANGE(finished, b->tcp_flags |= 1)
CHANGE(urgent, b->tcp_flags |= 0x20)
CHANGE(reduced, b->tcp_flags |= 0x80)
CHANGE(echo, b->tcp_flags |= 0x40)
CHANGE(reset, b->tcp_flags |= 4)
CHANGE(no_ack, b->tcp_flags = 0)
CHANGE(syn, b->tcp_flags = 2)
CHANGE(same_id, b->identification--)
CHANGE(same_id_df, b->identification--; a->dont_fragment = b->dont_fragment = true)
CHANGE(other_df, b->dont_fragment = true)
CHANGE(udp, b->protocol = IPPROTO_UDP)
CHANGE(six, b->family = FAMILY_IPV6)
CHANGE(other_source, b->source_host = 1)
CHANGE(other_destination, b->destination_host = 1)
CHANGE(six_both, a->family = b->family = FAMILY_IPV6)
CHANGE(six_port, six_both(a, b); b->destination_port++)
CHANGE(six_source, six_both(a, b); b->source_host = 1)
CHANGE(six_destination, six_both(a, b); b->destination_host = 1)

START_TEST(test_rules)
{
    static const struct {
        void (*change)(struct packet_spec *, struct packet_spec *);
        const char *name;
        size_t frames;
    } cases[] = {
        {NULL, "nothing", 1},
        {pushed, "PSH on the last", 1},
        {finished, "FIN on the last", 1},
        {shorter, "last is shorter", 1},
        {same_id_df, "constant identification under DF", 1},
        {gap, "gap", 2},
        {again, "the same again", 2},
        {before, "out of order", 2},
        {longer, "longer", 2},
        {first_shorter, "longer than the first", 2},
        {empty, "no payload", 2},
        {first_empty, "no payload first", 2},
        {other_port, "other flow", 2},
        {other_source, "other source", 2},
        {other_destination, "other destination", 2},
        {six_both, "nothing, IPv6", 1},
        {six_port, "other flow, IPv6", 2},
        {six_source, "other source, IPv6", 2},
        {six_destination, "other destination, IPv6", 2},
        {other_window, "window", 2},
        {other_ack, "acknowledgement", 2},
        {other_tos, "DSCP", 2},
        {congested, "ECN", 2},
        {other_options, "options", 2},
        {less_options, "length of options", 2},
        {first_pushed, "PSH on the first", 2},
        {urgent, "URG", 2},
        {reduced, "CWR", 2},
        {echo, "ECE", 2},
        {reset, "RST", 2},
        {no_ack, "no ACK", 2},
        {syn, "SYN", 2},
        {same_id, "constant identification", 2},
        {other_df, "DF", 2},
        {udp, "protocol", 2},
        {six, "family", 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t frames = frames_of_two(cases[i].change);
        ck_assert_msg(frames == cases[i].frames, "%s: %zu frames", cases[i].name, frames);
    }
}
END_TEST

CHANGE(udp_both, a->protocol = b->protocol = IPPROTO_UDP)
CHANGE(udp_shorter, udp_both(a, b); b->payload--)
CHANGE(udp_longer, udp_both(a, b); b->payload++)
CHANGE(udp_port, udp_both(a, b); b->destination_port++)
CHANGE(udp_empty, udp_both(a, b); b->payload = 0)
CHANGE(udp_first_empty, udp_both(a, b); a->payload = 0)
CHANGE(udp_tos, udp_both(a, b); b->tos = 0xb8)
CHANGE(udp_same_id, udp_both(a, b); b->identification--)
CHANGE(udp_same_id_df, udp_both(a, b); same_id_df(a, b))
CHANGE(udp_six, udp_both(a, b); a->family = b->family = FAMILY_IPV6)

START_TEST(test_udp_rules)
{
    static const struct {
        void (*change)(struct packet_spec *, struct packet_spec *);
        const char *name;
        size_t frames;
    } cases[] = {
        {udp_both, "nothing", 1},
        {udp_six, "nothing, IPv6", 1},
        {udp_shorter, "last is shorter", 1},
        {udp_same_id_df, "constant identification under DF", 1},
        {udp_longer, "longer", 2},
        {udp_port, "other flow", 2},
        {udp_empty, "no payload", 2},
        {udp_first_empty, "no payload first", 2},
        {udp_tos, "DSCP", 2},
        {udp_same_id, "constant identification", 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t frames = frames_of_two(cases[i].change);
        ck_assert_msg(frames == cases[i].frames, "%s: %zu frames", cases[i].name, frames);
    }
}
END_TEST

/* One of four datagrams changed on the way: it stays alone as it came, and none passes it. */
START_TEST(test_udp_alone)
{
    static const struct {
        size_t place;
        uint8_t value[2];
        const char *name;
    } cases[] = {
        {24, {0x02, 0xc5}, "another length than IP's"},
        {26, {0, 0}, "no checksum"},
        {26, {0x12, 0x34}, "a wrong checksum"},
        {100, {0xff, 0xff}, "wrong payload"},
    };
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        static uint8_t packets[4][1500];
        uint8_t out[3000];
        struct virtio_net_hdr hdr;
        enable();
        for (size_t i = 0; i < 4; i++) {
            struct packet_spec spec = stream;
            spec.protocol = IPPROTO_UDP;
            spec.identification = (uint16_t)i;
            size_t len = packet_build(&spec, false, packets[i]);
            if (i == 1) {
                memcpy(packets[i] + cases[k].place, cases[k].value, 2);
            }
            ck_assert(add(packets[i], len));
        }
        ck_assert_msg(coalescer.n == 3, "%s: %zu frames", cases[k].name, coalescer.n);
        size_t len = frame_octets(1, &hdr, out);
        ck_assert_octets(bytes_of(out, len), bytes_of(packets[1], len));
        ck_assert_uint_eq(hdr.flags, 0);
        ck_assert_uint_eq(coalescer.frames[2].n, 2);
    }
}
END_TEST

/* A kernel that takes TCP's super-packets only. */
START_TEST(test_udp_disabled)
{
    enable();
    coalescer.udp = false;
    static uint8_t packets[2][1500];
    for (size_t i = 0; i < 2; i++) {
        struct packet_spec spec = stream;
        udp_both(&spec, &spec);
        spec.identification = (uint16_t)i;
        ck_assert(add(packets[i], packet_build(&spec, false, packets[i])));
    }
    ck_assert_uint_eq(coalescer.n, 2);
}
END_TEST

/* A bad checksum is not healed by gluing: the packet goes on as it came. */
START_TEST(test_bad_checksums)
{
    static uint8_t packets[N][1500];
    size_t lens[N];
    static const size_t places[] = {10, 36, 100}; /* IPv4 header, TCP header, payload */
    for (size_t bad = 0; bad < 3; bad++) {
        for (size_t place = 0; place < 3; place++) {
            build_stream(packets, lens, stream);
            packets[bad][places[place]] ^= 1;
            enable();
            for (size_t i = 0; i < 3; i++) {
                ck_assert(add(packets[i], lens[i]));
            }
            ck_assert_uint_eq(coalescer.n, bad == 1 ? 3 : 2);
            size_t alone = bad == 0 ? 0 : bad == 1 ? 1 : 1;
            uint8_t out[3000];
            struct virtio_net_hdr hdr;
            size_t len = frame_octets(alone, &hdr, out);
            ck_assert_octets(bytes_of(out, len), bytes_of(packets[bad], lens[bad]));
            ck_assert_uint_eq(hdr.flags, 0); /* the kernel shall look itself */
        }
    }
}
END_TEST

START_TEST(test_flows_interleave)
{
    static uint8_t packets[3 * N][1500];
    enable();
    for (size_t i = 0; i < 3 * N; i++) {
        struct packet_spec spec = stream;
        spec.source_port = (uint16_t)(i % 3);
        spec.sequence += (uint32_t)(i / 3 * SIZE);
        spec.identification = (uint16_t)(i / 3);
        ck_assert(add(packets[i], packet_build(&spec, i % 3 == 2, packets[i])));
    }
    ck_assert_uint_eq(coalescer.n, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(coalescer.frames[i].n, N);
    }
}
END_TEST

/* An acknowledgement between two segments keeps its place. */
START_TEST(test_order_within_flow)
{
    static uint8_t packets[3][1500];
    enable();
    for (size_t i = 0; i < 3; i++) {
        struct packet_spec spec = stream;
        spec.sequence += i == 0 ? 0 : SIZE;
        spec.payload = i == 1 ? 0 : SIZE;
        spec.identification = (uint16_t)i;
        ck_assert(add(packets[i], packet_build(&spec, false, packets[i])));
    }
    ck_assert_uint_eq(coalescer.n, 3);
}
END_TEST

START_TEST(test_limits)
{
    static uint8_t packets[COALESCE_FRAMES + 1][1500];
    static uint8_t large[8][9000];
    enable();
    for (size_t i = 0; i <= COALESCE_FRAMES; i++) {
        struct packet_spec spec = stream;
        spec.source_port = (uint16_t)i;
        ck_assert_int_eq(add(packets[i], packet_build(&spec, false, packets[i])),
                         i < COALESCE_FRAMES);
    }
    /* No more pieces than a frame has room for. */
    coalesce_reset(&coalescer);
    for (size_t i = 0; i <= COALESCE_PACKETS; i++) {
        struct packet_spec spec = stream;
        spec.payload = 10;
        spec.sequence += (uint32_t)i * 10;
        spec.identification = (uint16_t)i;
        ck_assert(add(packets[i], packet_build(&spec, false, packets[i])));
    }
    ck_assert_uint_eq(coalescer.n, 2);
    ck_assert_uint_eq(coalescer.frames[0].n, COALESCE_PACKETS);
    /* Nor more octets than an IP packet. */
    for (unsigned v6 = 0; v6 < 2; v6++) {
        coalesce_reset(&coalescer);
        for (size_t i = 0; i < 8; i++) {
            struct packet_spec spec = stream;
            spec.family = v6 ? FAMILY_IPV6 : FAMILY_IPV4;
            spec.payload = 8900;
            spec.sequence += (uint32_t)i * 8900;
            spec.identification = (uint16_t)i;
            ck_assert(add(large[i], packet_build(&spec, false, large[i])));
        }
        ck_assert_uint_eq(coalescer.n, 2);
        ck_assert_uint_eq(coalescer.frames[0].n, 7);
    }
}
END_TEST

START_TEST(test_disabled)
{
    static uint8_t packets[N][1500];
    size_t lens[N];
    build_stream(packets, lens, stream);
    coalescer.enabled = false;
    coalesce_reset(&coalescer);
    for (size_t i = 0; i < N; i++) {
        size_t n;
        ck_assert(add(packets[i], lens[i]));
        const struct iovec *iov = coalesce_frame(&coalescer, i, &n);
        ck_assert_uint_eq(n, 1);
        ck_assert_ptr_eq(iov->iov_base, packets[i]);
        ck_assert_uint_eq(iov->iov_len, lens[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("segment");
    TCase *tcase = tcase_create("segment");
    tcase_add_test(tcase, test_cut);
    tcase_add_test(tcase, test_plain_and_checksum);
    tcase_add_test(tcase, test_zero_checksum);
    tcase_add_test(tcase, test_hostile_headers);
    tcase_add_test(tcase, test_round_trip);
    tcase_add_test(tcase, test_rules);
    tcase_add_test(tcase, test_udp_rules);
    tcase_add_test(tcase, test_udp_alone);
    tcase_add_test(tcase, test_udp_disabled);
    tcase_add_test(tcase, test_bad_checksums);
    tcase_add_test(tcase, test_flows_interleave);
    tcase_add_test(tcase, test_order_within_flow);
    tcase_add_test(tcase, test_limits);
    tcase_add_test(tcase, test_disabled);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

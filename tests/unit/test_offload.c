/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segmentation and coalescing beside the kernel's own: it forwards frames from a TUN device with
 * offloads to one without, so it has to cut them itself, and what comes out is compared octet by
 * octet.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "esp/coalesce.h"
#include "esp/segment.h"
#include "unit/packets.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"

#define PATIENCE_MS 20000
#define TTL 64

/* Linux 6.2; absent from the headers of Debian 12. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static int with_offload = -1, without = -1;
static bool udp; /* the kernel takes frames of UDP */

static int tun_open(const char *name, short flags)
{
    struct ifreq request = {.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | flags)};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ioctl(fd, TUNSETIFF, &request), 0);
    return fd;
}

static void devices_open(void)
{
    if (with_offload >= 0) {
        return;
    }
    with_offload = tun_open("with", IFF_VNET_HDR);
    without = tun_open("without", 0);
    udp =
        ioctl(with_offload, TUNSETOFFLOAD,
              (unsigned long)(TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_USO4 | TUN_F_USO6)) == 0;
    sandbox_do("echo 1 >/proc/sys/net/ipv4/ip_forward");
    sandbox_do("echo 1 >/proc/sys/net/ipv6/conf/all/forwarding");
    for (unsigned i = 0; i < 2; i++) {
        const char *name = i == 0 ? "with" : "without";
        sandbox_do("echo 0 >/proc/sys/net/ipv4/conf/%s/rp_filter", name);
        sandbox_do("ip link set %s mtu 1500 up", name);
        sandbox_do("ip route add 10.%u.0.0/16 dev %s", i + 1, name);
        sandbox_do("ip -6 route add fd0%u::/16 dev %s", i + 1, name);
    }
}

/* The next packet of ours that the kernel sends; there are also those with which it looks for
 * routers. */
static size_t forwarded(uint8_t *out, size_t cap)
{
    for (;;) {
        struct pollfd p = {without, POLLIN, 0};
        ck_assert_msg(poll(&p, 1, PATIENCE_MS) == 1, "the kernel forwarded too little");
        ssize_t n = read(without, out, cap);
        ck_assert_int_gt(n, 0);
        bool ours = out[0] >> 4 == 4 ? memcmp(out + 12, (uint8_t[]){10, 1}, 2) == 0
                                     : memcmp(out + 8, (uint8_t[]){0xfd, 1}, 2) == 0;
        if (ours) {
            return (size_t)n;
        }
    }
}

/* As the router leaves it; an identification means nothing under DF (RFC 6864). */
static void pass_on(uint8_t *packet)
{
    if (packet[0] >> 4 == 6) {
        packet[7]--;
        return;
    }
    packet[8]--;
    if ((packet[6] & 0x40) != 0) {
        packet[4] = packet[5] = 0;
    }
    ipv4_checksum_set(packet);
}

static void ignore_identification(uint8_t *packet)
{
    if (packet[0] >> 4 == 4 && (packet[6] & 0x40) != 0) {
        packet[4] = packet[5] = 0;
        ipv4_checksum_set(packet);
    }
}

static unsigned below(unsigned n)
{
    return (unsigned)rand() % n;
}

static struct packet_spec spec_random(void)
{
    static const char *const options[] = {"", "01010101", "0101080a0000000100000002",
                                          "0101050a0000001000000020"};
    static const uint8_t flags[] = {0x10, 0x18, 0x11, 0x19, 0x90, 0x50, 0xd8};
    struct packet_spec spec = {
        .family = below(2) == 0 ? FAMILY_IPV4 : FAMILY_IPV6,
        .protocol = below(2) == 0 || !udp ? IPPROTO_TCP : IPPROTO_UDP,
        .tos = (uint8_t)below(256),
        .dont_fragment = below(2) == 0,
        .identification = (uint16_t)(below(2) == 0 ? rand() : 0xfff0),
        .source_port = (uint16_t)(1 + below(65535)),
        .destination_port = (uint16_t)(1 + below(65535)),
        .sequence = below(2) == 0 ? (uint32_t)rand() : 0xffffff00,
        .acknowledgement = (uint32_t)rand(),
        .tcp_flags = flags[below(sizeof(flags))],
        .window = (uint16_t)rand(),
        .tcp_options = hex(options[below(4)]),
        .pattern = (uint8_t)rand(),
    };
    return spec;
}

/* ---- cutting ---- */

static struct virtio_net_hdr frame_header(const struct packet_spec *spec, uint16_t size,
                                          uint8_t *packet, size_t len)
{
    struct virtio_net_hdr hdr = packet_frame_header(spec, size);
    if (spec->payload <= size) { /* nothing to cut */
        hdr.gso_type = VIRTIO_NET_HDR_GSO_NONE;
        hdr.gso_size = 0;
    } else if (spec->protocol == IPPROTO_TCP && (spec->tcp_flags & 0x80) != 0) {
        hdr.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
    }
    struct ip_info info;
    ck_assert(ip_parse(&info, packet, len));
    uint16_t pseudo = checksum_fold(checksum_pseudo(&info, packet, len - info.header_len));
    memcpy(packet + hdr.csum_start + hdr.csum_offset, &pseudo, 2);
    return hdr;
}

START_TEST(test_cut_as_the_kernel_does)
{
    static uint8_t frame[sizeof(struct virtio_net_hdr) + 66000];
    devices_open();
    srand(11);
    for (unsigned round = 0; round < 400; round++) {
        struct packet_spec spec = spec_random();
        uint16_t size = (uint16_t)(1 + below(below(2) == 0 ? 1400 : 60));
        size_t most = (size_t)size * 60 < 60000 ? (size_t)size * 60 : 60000;
        spec.payload = 1 + below((unsigned)most);
        uint8_t *packet = frame + sizeof(struct virtio_net_hdr);
        size_t len = packet_build(&spec, false, packet);
        struct virtio_net_hdr hdr = frame_header(&spec, size, packet, len);
        memcpy(frame, &hdr, sizeof(hdr));
        ck_assert_int_eq(write(with_offload, frame, sizeof(hdr) + len),
                         (ssize_t)(sizeof(hdr) + len));
        struct segmenter s;
        ck_assert_int_eq(segment_begin(&s, &hdr, packet, len), OK);
        for (size_t n; (n = segment_next_len(&s)) > 0;) {
            uint8_t ours[2000], theirs[2000];
            segment_next(&s, ours);
            pass_on(ours);
            size_t got = forwarded(theirs, sizeof(theirs));
            ignore_identification(theirs);
            ck_assert_octets(bytes_of(ours, n), bytes_of(theirs, got));
        }
    }
}
END_TEST

/* ---- gluing ---- */

#define FLOWS 4
#define PACKETS 48

struct sample {
    uint8_t octets[2000];
    size_t len;
    bool arrived;
};

/* What may happen to a packet of a stream, now and then. */
static void disturb(struct packet_spec *spec)
{
    switch (below(24)) {
    case 0:
        spec->tcp_flags |= 0x08;
        break;
    case 1:
        spec->tcp_flags |= 0x01;
        break;
    case 2:
        spec->tcp_flags |= (uint8_t)(0x20 << below(3));
        break;
    case 3:
        spec->sequence += 1000;
        break;
    case 4:
        spec->payload = below(2) * below(1200);
        break;
    case 5:
        spec->tos ^= 1;
        break;
    case 6:
        spec->identification += 7;
        break;
    case 7:
        spec->window++;
        break;
    case 8:
        spec->acknowledgement++;
        break;
    default:
        break;
    }
}

static void samples_make(struct sample samples[PACKETS])
{
    struct packet_spec flows[FLOWS];
    size_t sizes[FLOWS];
    for (unsigned i = 0; i < FLOWS; i++) {
        flows[i] = spec_random();
        flows[i].tcp_flags = 0x10;
        flows[i].source_port = (uint16_t)(i + 1);
        sizes[i] = 1 + below(1200);
    }
    unsigned at = 0;
    for (unsigned i = 0; i < PACKETS; i++) {
        at = below(4) == 0 ? below(FLOWS) : at;
        flows[at].payload = sizes[at];
        struct packet_spec spec = flows[at];
        disturb(&spec);
        samples[i].len = packet_build(&spec, false, samples[i].octets);
        samples[i].arrived = false;
        if (below(30) == 0) {
            samples[i].octets[samples[i].len - 1] ^= 1; /* a bad checksum is not ours to mend */
        }
        flows[at].sequence += (uint32_t)spec.payload;
        flows[at].identification++;
    }
}

static bool same_flow(const uint8_t *a, const uint8_t *b)
{
    size_t ports = a[0] >> 4 == 4 ? 20 : 40;
    return a[0] >> 4 == b[0] >> 4 && memcmp(a + ports, b + ports, 2) == 0;
}

/* The first of its flow that has not come yet must be this one. */
static void expect_next(struct sample samples[PACKETS], uint8_t *packet, size_t len)
{
    for (unsigned i = 0; i < PACKETS; i++) {
        if (!samples[i].arrived && same_flow(samples[i].octets, packet)) {
            pass_on(samples[i].octets);
            ignore_identification(packet);
            ck_assert_octets(bytes_of(samples[i].octets, samples[i].len), bytes_of(packet, len));
            samples[i].arrived = true;
            return;
        }
    }
    ck_abort_msg("a packet that nobody sent");
}

START_TEST(test_glued_and_cut_by_the_kernel)
{
    static struct coalescer coalescer = {.enabled = true};
    static struct sample samples[PACKETS], glued[PACKETS];
    size_t super = 0;
    devices_open();
    coalescer.udp = udp;
    srand(12);
    for (unsigned round = 0; round < 300; round++) {
        samples_make(samples);
        memcpy(glued, samples, sizeof(glued));
        coalesce_reset(&coalescer);
        for (unsigned i = 0; i < PACKETS; i++) {
            struct ip_info info;
            ck_assert(ip_parse(&info, glued[i].octets, glued[i].len));
            ck_assert(coalesce_add(&coalescer, &info, glued[i].octets));
        }
        for (size_t i = 0; i < coalescer.n; i++) {
            size_t n;
            unsigned packets = coalescer.frames[i].n;
            const struct iovec *iov = coalesce_frame(&coalescer, i, &n);
            super += packets > 1;
            ck_assert_int_gt(writev(with_offload, iov, (int)n), 0);
            for (unsigned k = 0; k < packets; k++) {
                uint8_t packet[2000];
                size_t len = forwarded(packet, sizeof(packet));
                expect_next(samples, packet, len);
            }
        }
        for (unsigned i = 0; i < PACKETS; i++) {
            ck_assert(samples[i].arrived);
        }
    }
    ck_assert_uint_gt(super, 1000);
}
END_TEST

int main(void)
{
    sandbox_enter();
    Suite *suite = suite_create("offload");
    TCase *tcase = tcase_create("offload");
    tcase_add_test(tcase, test_cut_as_the_kernel_does);
    tcase_add_test(tcase, test_glued_and_cut_by_the_kernel);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/datapath_ends.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/vectors.h"
#include "unit/waiting.h"

int udp_socket(enum family family, uint16_t port, struct endpoint *name)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    struct endpoint any = {.port = port};
    ck_assert(addr_parse(&any.addr, family == FAMILY_IPV4 ? "127.0.0.1" : "::1"));
    socklen_t bind_len = endpoint_to_sockaddr(&any, &address);
    int fd = socket(family == FAMILY_IPV4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(fd, 0);
    if (bind(fd, (struct sockaddr *)&address, bind_len) != 0) {
        close(fd);
        return -1;
    }
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    ck_assert(endpoint_from_sockaddr(name, (struct sockaddr *)&address));
    return fd;
}

void end_open(struct end *end, enum family family, bool vnet)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    end->tun = pair[0];
    end->tun_inner = pair[1];
    end->udp = udp_socket(family, 0, &end->address);
    ck_assert_int_ge(end->udp, 0);
    struct datapath_config config = {
        .tun_fd = pair[1],
        .vnet_hdr = vnet,
        .udp4_fd = family == FAMILY_IPV4 ? end->udp : -1,
        .udp6_fd = family == FAMILY_IPV6 ? end->udp : -1,
        .mtu = 1400,
    };
    ck_assert_int_eq(datapath_start(&end->dp, &config), OK);
}

void end_close(struct end *end)
{
    datapath_stop(end->dp);
    close(end->tun);
    close(end->tun_inner);
    close(end->udp);
}

void add_in(const struct end *end, const struct esp_params *params)
{
    struct datapath_child child = {.spi_in = params->spi};
    ck_assert_int_eq(datapath_add_in(end->dp, &child, params), OK);
}

void set_out(const struct end *end, uint32_t spi_in, const struct esp_params *params)
{
    struct datapath_child child = {.spi_in = spi_in};
    ck_assert_int_eq(datapath_set_out(end->dp, &child, params), OK);
}

/* Both directions get an SA with `spi` (and spi + 1 back). */
void add_sas(struct tunnel *t, uint32_t spi)
{
    struct esp_params there;
    struct esp_params back;
    params_for(&there, &t->suite, spi);
    params_for(&back, &t->suite, spi + 1);
    add_in(&t->b, &there);
    add_in(&t->a, &back);
    set_out(&t->a, spi + 1, &there);
    set_out(&t->b, spi, &back);
}

void set_paths(struct tunnel *t)
{
    struct datapath_path there = {.local = t->a.address, .remote = t->b.address};
    struct datapath_path back = {.local = t->b.address, .remote = t->a.address};
    ck_assert_int_eq(datapath_set_path(t->a.dp, &there), OK);
    ck_assert_int_eq(datapath_set_path(t->b.dp, &back), OK);
}

void tunnel_open(struct tunnel *t, enum family outer, bool vnet)
{
    *t = (struct tunnel){.vnet = vnet};
    t->suite.encr = alg_find_name(bytes_of_string("aes128gcm16"));
    t->suite.esn = true;
    end_open(&t->a, outer, vnet);
    end_open(&t->b, outer, vnet);
}

void tunnel_close(struct tunnel *t)
{
    end_close(&t->a);
    end_close(&t->b);
}

void tun_write(const struct tunnel *t, const struct end *end, const struct virtio_net_hdr *hdr,
               const uint8_t *packet, size_t len)
{
    static const struct virtio_net_hdr none;
    uint8_t *frame = malloc(HDR + len);
    size_t before = t->vnet ? HDR : 0;
    memcpy(frame, hdr != NULL ? hdr : &none, before);
    memcpy(frame + before, packet, len);
    ck_assert_int_eq(send(end->tun, frame, before + len, MSG_NOSIGNAL), (ssize_t)(before + len));
    free(frame);
}

bool readable(int fd, int timeout)
{
    struct pollfd p = {fd, POLLIN, 0};
    return poll(&p, 1, timeout) == 1;
}

/* The next frame, without its virtio header. */
size_t tun_read(const struct tunnel *t, const struct end *end, struct virtio_net_hdr *hdr,
                uint8_t *packet, size_t cap)
{
    static uint8_t frame[70000];
    ck_assert_msg(readable(end->tun, PATIENCE_MS), "nothing came out of the tunnel");
    ssize_t n = recv(end->tun, frame, sizeof(frame), 0);
    size_t before = t->vnet ? HDR : 0;
    ck_assert_int_gt(n, (ssize_t)before);
    ck_assert_uint_le((size_t)n - before, cap);
    *hdr = (struct virtio_net_hdr){0};
    memcpy(hdr, frame, before);
    memcpy(packet, frame + before, (size_t)n - before);
    return (size_t)n - before;
}

struct datapath_counters counters(const struct end *end)
{
    struct datapath_counters now;
    datapath_get_counters(end->dp, &now);
    return now;
}

static uint64_t counter_at(const struct end *end, size_t offset)
{
    struct datapath_counters now = counters(end);
    uint64_t is;
    memcpy(&is, (uint8_t *)&now + offset, sizeof(is));
    return is;
}

/* Waits for a counter, named by its place in the struct. */
void wait_counter(const struct end *end, size_t offset, uint64_t value)
{
    wait_until(counter_at(end, offset) >= value);
    ck_assert_uint_eq(counter_at(end, offset), value);
}

void exchange(const struct tunnel *t, bool back, const struct packet_spec *spec)
{
    uint8_t sent[2000];
    uint8_t got[2000];
    struct virtio_net_hdr hdr;
    size_t len = packet_build(spec, back, sent);
    tun_write(t, back ? &t->b : &t->a, NULL, sent, len);
    size_t got_len = tun_read(t, back ? &t->a : &t->b, &hdr, got, sizeof(got));
    ck_assert_octets(bytes_of(got, got_len), bytes_of(sent, len));
    ck_assert_uint_eq(hdr.gso_type, VIRTIO_NET_HDR_GSO_NONE);
}

void send_to(int fd, const struct endpoint *to, struct bytes data)
{
    struct sockaddr_storage address;
    socklen_t len = endpoint_to_sockaddr(to, &address);
    ck_assert_int_eq(sendto(fd, data.data, data.len, 0, (struct sockaddr *)&address, len),
                     (ssize_t)data.len);
}

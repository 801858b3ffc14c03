/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/datapath_ends.h"
#include "unit/vectors.h"

/* One thing that the datapath asks for is not to be had, each in turn: it says so, and what it had
 * before is given back. */

/* ---- what it asks for: linked with --wrap ---- */

static _Thread_local bool inside;
static unsigned asked;  /* how often */
static unsigned denied; /* which time; 0 = never */

static bool deny(void)
{
    return inside && ++asked == denied;
}

#define GIVES(type, name, nothing, parameters, arguments)                                          \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return deny() ? (nothing) : __real_##name arguments;                                       \
    }

GIVES(void *, malloc, NULL, (size_t size), (size))
GIVES(void *, calloc, NULL, (size_t n, size_t size), (n, size))
GIVES(void *, aligned_alloc, NULL, (size_t alignment, size_t size), (alignment, size))
GIVES(int, eventfd, -1, (unsigned count, int flags), (count, flags))
GIVES(int, socketpair, -1, (int domain, int type, int protocol, int fds[2]),
      (domain, type, protocol, fds))
GIVES(int, pthread_create, EAGAIN,
      (pthread_t * thread, const pthread_attr_t *attr, void *(*run)(void *), void *argument),
      (thread, attr, run, argument))

/* More of them than any machine that builds has: the third thread is there. */
unsigned __wrap_pipeline_processors(void);
unsigned __wrap_pipeline_processors(void)
{
    return 4;
}

/* ---- */

static unsigned count_descriptors(void)
{
    GDir *dir = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(dir) != NULL) {
        n++;
    }
    g_dir_close(dir);
    return n;
}

/* A Child SA, another in its place, and the path. */
static enum err use(struct datapath *dp, const struct endpoint *address)
{
    const struct datapath_path path = {.local = *address, .remote = *address};
    struct suite suite = {.encr = alg_find_name(bytes_of_string("aes256gcm16")), .esn = true};
    enum err err = OK;

    for (uint32_t spi = 0x1000; spi < 0x1003 && err == OK; spi++) {
        const struct datapath_child child = {.spi_in = spi, .reqid = spi < 0x1002};
        struct esp_params params;

        params_for(&params, &suite, spi);
        inside = true;
        err = datapath_add_in(dp, &child, &params);
        datapath_hold(dp);
        err = err == OK ? datapath_set_out(dp, &child, &params) : err;
        err = err == OK ? datapath_set_path(dp, &path) : err;
        datapath_commit(dp);
        inside = false;
    }
    inside = true;
    err = err == OK ? datapath_remove_out(dp, 0x1001) : err;
    inside = false;
    return err;
}

static enum err live(unsigned nth)
{
    struct endpoint address;
    int tun[2], udp = udp_socket(FAMILY_IPV4, 0, &address);
    unsigned before;
    enum err err;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, tun), 0);
    struct datapath_config config = {
        .tun_fd = tun[1], .vnet_hdr = true, .udp4_fd = udp, .udp6_fd = -1, .mtu = 1400};
    struct datapath *dp = NULL;
    before = count_descriptors();
    asked = 0;
    denied = nth;
    inside = true;
    err = datapath_start(&dp, &config);
    inside = false;
    ck_assert_int_eq(dp != NULL, err == OK);
    if (err == OK) {
        err = use(dp, &address);
    }
    datapath_stop(dp);
    ck_assert_uint_eq(count_descriptors(), before);
    close(tun[0]);
    close(tun[1]);
    close(udp);
    return err;
}

START_TEST(one_thing_less)
{
    ck_assert_int_eq(live(0), OK);
    const unsigned n = asked;
    ck_assert_uint_gt(n, 20);
    for (unsigned nth = 1; nth <= n; nth++) {
        ck_assert_msg(live(nth) == ERR_MEMORY, "%u of %u", nth, n);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("datapath denied");
    TCase *tcase = tcase_create("denied");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, one_thing_less);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "common/channel.h"

#include <check.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/vectors.h"

/* One side: what it received, as text, in order. */
struct side {
    struct channel *channel;
    GString *log;
    gboolean closed, breach, free_when_called;
    int wanted; /* descriptors that it takes from a message */
    int fds[CHANNEL_FDS_MAX], n_fds;
    gsize octets;
};

static struct side session, worker;
static int sockets[2];

static void on_message(void *context, enum channel_message kind, GVariant *body)
{
    struct side *side = context;
    gsize len = g_variant_get_size(body);
    char *text = len < 100 ? g_variant_print(body, FALSE) : g_strdup("(long)");

    ck_assert(!side->closed);
    side->octets += len;
    g_string_append_printf(side->log, "%d%s ", kind, text);
    g_free(text);
    while (side->n_fds < side->wanted &&
           (side->fds[side->n_fds] = channel_take_fd(side->channel)) >= 0) {
        side->n_fds++;
    }
    if (side->free_when_called) {
        g_clear_pointer(&side->channel, channel_free);
    }
}

static void on_closed(void *context, gboolean breach)
{
    struct side *side = context;

    ck_assert(!side->closed);
    side->closed = TRUE;
    side->breach = breach;
    if (side->free_when_called) {
        g_clear_pointer(&side->channel, channel_free);
    }
}

static void open_side(struct side *side, int fd, enum channel_side which)
{
    side->channel = channel_new(fd, which, on_message, on_closed, side);
}

static void set_up(void)
{
    session = worker = (struct side){0};
    session.log = g_string_new(NULL);
    worker.log = g_string_new(NULL);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    open_side(&session, sockets[0], CHANNEL_SESSION);
}

static void tear_down(void)
{
    channel_free(session.channel);
    channel_free(worker.channel);
    g_string_free(session.log, TRUE);
    g_string_free(worker.log, TRUE);
}

/* Until nothing is left to do: both ends are in this process. */
static void run(void)
{
    while (g_main_context_iteration(NULL, FALSE)) {
    }
}

static GVariant *phase(const char *text)
{
    return g_variant_new("(sst)", "init", text, (guint64)7);
}

static GVariant *answer(gsize len)
{
    GVariantBuilder builder;
    guint8 *octets = g_malloc0(len);

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{say}"));
    g_variant_builder_add(&builder, "{s@ay}", "password",
                          g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, octets, len, 1));
    g_free(octets);
    return g_variant_builder_end(&builder);
}

START_TEST(both_ways_in_order)
{
    open_side(&worker, sockets[1], CHANNEL_WORKER);
    channel_send(session.channel, MESSAGE_SECRETS, answer(2));
    channel_send(session.channel, MESSAGE_DISCONNECT, NULL);
    channel_send(worker.channel, MESSAGE_ACCEPTED, NULL);
    channel_send(worker.channel, MESSAGE_PHASE, phase("one"));
    channel_send(worker.channel, MESSAGE_PHASE, phase("two"));
    run();
    ck_assert_str_eq(worker.log->str, "2{'password': [0x00, 0x00]} 1() ");
    ck_assert_str_eq(session.log->str, "3() 4('init', 'one', 7) 4('init', 'two', 7) ");
    ck_assert(!session.closed && !worker.closed);
}
END_TEST

/* A session sends before its worker runs. */
START_TEST(waits_for_the_other_side)
{
    channel_send(session.channel, MESSAGE_DISCONNECT, NULL);
    run();
    open_side(&worker, sockets[1], CHANNEL_WORKER);
    run();
    ck_assert_str_eq(worker.log->str, "1() ");
}
END_TEST

/* More than the socket holds is queued, and what follows stays behind it. */
START_TEST(large_messages)
{
    channel_send(session.channel, MESSAGE_SECRETS, answer(3U << 20));
    channel_send(session.channel, MESSAGE_SECRETS, answer(3U << 20));
    channel_send(session.channel, MESSAGE_DISCONNECT, NULL);
    open_side(&worker, sockets[1], CHANNEL_WORKER);
    run();
    ck_assert_str_eq(worker.log->str, "2(long) 2(long) 1() ");
    ck_assert_uint_gt(worker.octets, 6U << 20);
}
END_TEST

/* Both ends of a pipe that nobody else holds: its reader sees its end when the last writer is
 * closed. */
static int open_pipe(int *writer)
{
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    *writer = ends[1];
    return ends[0];
}

START_TEST(descriptors_come_with_their_message)
{
    int writers[3], readers[3];
    char octet;

    for (int i = 0; i < 3; i++) {
        readers[i] = open_pipe(&writers[i]);
    }
    /* It has to wait behind what the socket does not take. */
    channel_send(session.channel, MESSAGE_SECRETS, answer(3U << 20));
    channel_send_fds(session.channel, MESSAGE_SECRETS, answer(2), writers, 3);
    channel_send(session.channel, MESSAGE_DISCONNECT, NULL);
    for (int i = 0; i < 3; i++) {
        close(writers[i]);
    }
    worker.wanted = 2;
    open_side(&worker, sockets[1], CHANNEL_WORKER);
    run();
    ck_assert_str_eq(worker.log->str, "2(long) 2{'password': [0x00, 0x00]} 1() ");
    ck_assert_int_eq(worker.n_fds, 2);
    ck_assert_int_eq(channel_take_fd(worker.channel), -1);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(fcntl(worker.fds[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        ck_assert_int_eq(write(worker.fds[i], "x", 1), 1);
        close(worker.fds[i]);
        ck_assert_int_eq(read(readers[i], &octet, 1), 1);
    }
    /* Nobody holds any of them: not the sender, and not the third either. */
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(read(readers[i], &octet, 1), 0);
        close(readers[i]);
    }
}
END_TEST

START_TEST(descriptors_that_were_never_sent_are_closed)
{
    int writer, reader = open_pipe(&writer);
    char octet;

    channel_send(session.channel, MESSAGE_SECRETS, answer(3U << 20));
    channel_send_fds(session.channel, MESSAGE_SECRETS, answer(1), &writer, 1);
    close(writer);
    ck_assert_int_lt(read(reader, &octet, 1), 0);
    g_clear_pointer(&session.channel, channel_free);
    ck_assert_int_eq(read(reader, &octet, 1), 0);
    close(reader);
    close(sockets[1]);
}
END_TEST

/* A worker that was taken over would fill the table of godwitd. */
START_TEST(worker_cannot_give_descriptors)
{
    static const guint32 header[2] = {MESSAGE_ACCEPTED, 0};
    int writer, reader = open_pipe(&writer);
    struct iovec part = {(void *)header, sizeof header};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof writer)];
    } control = {.header = {.cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS,
                            .cmsg_len = CMSG_LEN(sizeof writer)}};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    char octet;

    memcpy(CMSG_DATA(&control.header), &writer, sizeof writer);
    ck_assert_int_eq(sendmsg(sockets[1], &message, 0), (ssize_t)sizeof header);
    close(writer);
    session.wanted = 1;
    run();
    ck_assert_int_eq(session.n_fds, 0);
    ck_assert_int_eq(read(reader, &octet, 1), 0);
    close(reader);
    close(sockets[1]);
}
END_TEST

START_TEST(closing_comes_last)
{
    open_side(&worker, sockets[1], CHANNEL_WORKER);
    channel_send(worker.channel, MESSAGE_PHASE, phase("last"));
    g_clear_pointer(&worker.channel, channel_free);
    run();
    ck_assert_str_eq(session.log->str, "4('init', 'last', 7) ");
    ck_assert(session.closed && !session.breach);
    channel_send(session.channel, MESSAGE_DISCONNECT, NULL);
    channel_flush(session.channel, 1000);
}
END_TEST

START_TEST(flush_gives_up)
{
    gint64 before = g_get_monotonic_time();

    channel_send(session.channel, MESSAGE_SECRETS, answer(3U << 20));
    channel_flush(session.channel, 30);
    ck_assert_int_ge(g_get_monotonic_time() - before, 25000);
    close(sockets[1]);
}
END_TEST

START_TEST(freed_inside_a_callback)
{
    open_side(&worker, sockets[1], CHANNEL_WORKER);
    session.free_when_called = TRUE;
    channel_send(worker.channel, MESSAGE_PHASE, phase("one"));
    channel_send(worker.channel, MESSAGE_PHASE, phase("two"));
    run();
    ck_assert_str_eq(session.log->str, "4('init', 'one', 7) ");
    ck_assert(!session.closed && worker.closed);
}
END_TEST

START_TEST(freed_when_closed)
{
    session.free_when_called = TRUE;
    close(sockets[1]);
    run();
    ck_assert(session.closed && session.channel == NULL);
}
END_TEST

/* Octets that are no message, or none for a session; nothing after them is read. */
static const struct {
    guint32 kind, len;
    const char *body;
} breaches[] = {
    {N_MESSAGES, 1, ""},
    {UINT32_MAX, 1, ""},
    {MESSAGE_CONNECT, 2, "\0\0"},
    {MESSAGE_DISCONNECT, 1, ""},
    {MESSAGE_PHASE, CHANNEL_MESSAGE_MAX + 1, ""},
    {MESSAGE_PHASE, UINT32_MAX, ""},
    {MESSAGE_ACCEPTED, 0, ""},
    {MESSAGE_ACCEPTED, 1, "x"},
    {MESSAGE_PHASE, 0, ""},
    {MESSAGE_DOWN, 6, "user\0\0"},         /* the offset of the first string's end is missing */
    {MESSAGE_DOWN, 8, "us\xff\0\0\0\4\0"}, /* not UTF-8, wrong offsets */
    {MESSAGE_CONNECTED, 5, "lies"},
};

START_TEST(breach)
{
    guint32 header[2] = {breaches[_i].kind, breaches[_i].len};

    ck_assert_int_eq(write(sockets[1], header, sizeof header), sizeof header);
    if (breaches[_i].len <= 8) {
        ck_assert_int_eq(write(sockets[1], breaches[_i].body, breaches[_i].len), breaches[_i].len);
    }
    header[0] = MESSAGE_ACCEPTED;
    header[1] = 1;
    ck_assert_int_eq(write(sockets[1], header, sizeof header), sizeof header);
    ck_assert_int_eq(write(sockets[1], "", 1), 1);
    run();
    ck_assert_str_eq(session.log->str, "");
    ck_assert(session.closed && session.breach);
    close(sockets[1]);
}
END_TEST

/* A message in single octets, and one that ends in its middle. */
START_TEST(pieces)
{
    const guint32 header[2] = {MESSAGE_DOWN, 7};
    guint8 octets[15];

    memcpy(octets, header, 8);
    memcpy(octets + 8, "user\0\0\5", 7);
    g_autofree char *down = g_strdup_printf("%d('user', '') ", MESSAGE_DOWN);

    for (int turn = 0; turn < 2; turn++) {
        for (gsize i = 0; i < sizeof octets - (gsize)turn; i++) {
            ck_assert_str_eq(session.log->str, turn == 0 ? "" : down);
            ck_assert_int_eq(write(sockets[1], octets + i, 1), 1);
            run();
        }
    }
    close(sockets[1]);
    run();
    ck_assert_str_eq(session.log->str, down);
    ck_assert(session.closed && !session.breach);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("channel");
    TCase *tcase = tcase_create("channel");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, both_ways_in_order);
    tcase_add_test(tcase, waits_for_the_other_side);
    tcase_add_test(tcase, descriptors_come_with_their_message);
    tcase_add_test(tcase, descriptors_that_were_never_sent_are_closed);
    tcase_add_test(tcase, worker_cannot_give_descriptors);
    tcase_add_test(tcase, large_messages);
    tcase_add_test(tcase, closing_comes_last);
    tcase_add_test(tcase, flush_gives_up);
    tcase_add_test(tcase, freed_inside_a_callback);
    tcase_add_test(tcase, freed_when_closed);
    tcase_add_loop_test(tcase, breach, 0, G_N_ELEMENTS(breaches));
    tcase_add_test(tcase, pieces);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

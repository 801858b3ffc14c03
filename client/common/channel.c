/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/network_variant.h"
#include "common/secret.h"

static const struct {
    enum channel_side receiver;
    const char *type;
} kinds[N_MESSAGES] = {
    [MESSAGE_CONNECT] = {CHANNEL_WORKER, "(a{sv}a{sv})"},
    [MESSAGE_DISCONNECT] = {CHANNEL_WORKER, "()"},
    [MESSAGE_SECRETS] = {CHANNEL_WORKER, "a{say}"},
    [MESSAGE_NETWORK] = {CHANNEL_WORKER, NETWORK_VARIANT_TYPE},
    [MESSAGE_SLEEP] = {CHANNEL_WORKER, "()"},
    [MESSAGE_WAKE] = {CHANNEL_WORKER, "()"},
    [MESSAGE_ACCEPTED] = {CHANNEL_SESSION, "()"},
    [MESSAGE_PHASE] = {CHANNEL_SESSION, "(sst)"},
    [MESSAGE_FAILED] = {CHANNEL_SESSION, "(ss)"},
    [MESSAGE_TRACE] = {CHANNEL_SESSION, "(sbbt)"},
    [MESSAGE_SECRETS_REQUIRED] = {CHANNEL_SESSION, "a(ssa{sv})"},
    [MESSAGE_CONNECTED] = {CHANNEL_SESSION, "(a{sv}a{ss})"},
    [MESSAGE_MTU] = {CHANNEL_SESSION, "(q)"},
    [MESSAGE_DOWN] = {CHANNEL_SESSION, "(ss)"},
    [MESSAGE_KEEP] = {CHANNEL_SESSION, "(a{sv})"},
};

struct header {
    guint32 kind;
    guint32 len; /* of the body */
};

/* At a time, so that a worker that floods its session does not keep it from everything else. */
#define BURST 32

/* A message on its way; GVariant wants its octets aligned to 8. */
struct parcel {
    guint64 n_fds; /* that go with it; duplicates of its own */
    int fds[CHANNEL_FDS_MAX];
    struct header header;
    guint8 body[];
};
G_STATIC_ASSERT(offsetof(struct parcel, body) % 8 == 0);

struct channel {
    int fd; /* -1 once closed */
    enum channel_side side;
    channel_message_cb message;
    channel_closed_cb closed;
    void *context;
    guint references; /* the owner's, and one while a callback runs */
    GSource *reader, *writer;

    struct header header;
    struct parcel *incoming;  /* NULL while the header is being read */
    gsize received;           /* of the header, then of the body */
    int fds[CHANNEL_FDS_MAX]; /* that came with it */
    gsize n_fds, n_taken;

    GQueue outgoing; /* of struct parcel */
    gsize sent;      /* of the first */
};

static struct parcel *parcel_new(struct header header)
{
    struct parcel *parcel = g_malloc(sizeof *parcel + header.len);

    parcel->n_fds = 0;
    parcel->header = header;
    return parcel;
}

static void close_fds(const int *fds, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        close(fds[i]);
    }
}

/* Profiles and answers hold secrets. */
static void parcel_free(gpointer data)
{
    struct parcel *parcel = data;

    if (parcel != NULL) {
        close_fds(parcel->fds, parcel->n_fds);
        secret_wipe(parcel, sizeof *parcel + parcel->header.len);
        g_free(parcel);
    }
}

static void stop_source(GSource **source)
{
    if (*source != NULL) {
        g_source_destroy(*source);
        g_clear_pointer(source, g_source_unref);
    }
}

static GSource *watch(struct channel *channel, GIOCondition condition, GUnixFDSourceFunc callback)
{
    GSource *source = g_unix_fd_source_new(channel->fd, condition);

    g_source_set_callback(source, G_SOURCE_FUNC(callback), channel, NULL);
    g_source_attach(source, g_main_context_get_thread_default());
    return source;
}

static void shut(struct channel *channel)
{
    stop_source(&channel->reader);
    stop_source(&channel->writer);
    if (channel->fd >= 0) {
        close(channel->fd);
        channel->fd = -1;
    }
}

/* Those that nobody took. */
static void drop_fds(struct channel *channel)
{
    close_fds(channel->fds + channel->n_taken, channel->n_fds - channel->n_taken);
    channel->n_fds = 0;
    channel->n_taken = 0;
}

static void unref(struct channel *channel)
{
    if (--channel->references == 0) {
        drop_fds(channel);
        parcel_free(channel->incoming);
        g_queue_clear_full(&channel->outgoing, parcel_free);
        g_free(channel);
    }
}

/* ---- receiving ---- */

static void lose(struct channel *channel, gboolean breach)
{
    if (channel->fd >= 0) {
        shut(channel);
        channel->closed(channel->context, breach);
    }
}

static void keep_fds(struct channel *channel, const struct cmsghdr *header)
{
    const guint8 *data = CMSG_DATA(header);
    gsize n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    int fd;

    for (gsize i = 0; i < n; i++) {
        memcpy(&fd, data + i * sizeof fd, sizeof fd);
        if (channel->n_fds < CHANNEL_FDS_MAX) {
            channel->fds[channel->n_fds++] = fd;
        } else {
            close(fd);
        }
    }
}

/* As recv(2). A session asks for no descriptors, and so gets none from a worker that sends some. */
static ssize_t take_octets(struct channel *channel, void *into, gsize len)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))];
    } control;
    struct iovec part = {into, len};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    struct cmsghdr *header;
    ssize_t n;

    if (channel->side == CHANNEL_SESSION) {
        return recv(channel->fd, into, len, 0);
    }
    n = recvmsg(channel->fd, &message, MSG_CMSG_CLOEXEC);
    header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        keep_fds(channel, header);
    }
    return n;
}

int channel_take_fd(struct channel *channel)
{
    return channel->n_taken < channel->n_fds ? channel->fds[channel->n_taken++] : -1;
}

/* More of what is being read; FALSE when there is none now, or never will be. */
static gboolean fill(struct channel *channel, void *into, gsize len)
{
    while (channel->received < len) {
        ssize_t n =
            take_octets(channel, (guint8 *)into + channel->received, len - channel->received);

        if (n > 0) {
            channel->received += (gsize)n;
        } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
            /* Half a message can only come from a process that was ended while it wrote. */
            lose(channel, FALSE);
            return FALSE;
        } else if (errno == EAGAIN) {
            return FALSE;
        }
    }
    channel->received = 0;
    return TRUE;
}

static gboolean header_is_legal(const struct channel *channel)
{
    return channel->header.kind < N_MESSAGES &&
           kinds[channel->header.kind].receiver == channel->side &&
           channel->header.len <= CHANNEL_MESSAGE_MAX;
}

/* Reads on; FALSE when there is nothing more for now. */
static gboolean receive(struct channel *channel)
{
    struct parcel *parcel;
    GVariant *body;

    if (channel->incoming == NULL) {
        if (!fill(channel, &channel->header, sizeof channel->header)) {
            return FALSE;
        }
        if (!header_is_legal(channel)) {
            lose(channel, TRUE);
            return FALSE;
        }
        channel->incoming = parcel_new(channel->header);
    }
    parcel = channel->incoming;
    if (!fill(channel, parcel->body, parcel->header.len)) {
        return FALSE;
    }
    channel->incoming = NULL;
    body = g_variant_ref_sink(
        g_variant_new_from_data(G_VARIANT_TYPE(kinds[parcel->header.kind].type), parcel->body,
                                parcel->header.len, FALSE, parcel_free, parcel));
    if (g_variant_is_normal_form(body)) {
        channel->message(channel->context, parcel->header.kind, body);
        drop_fds(channel);
    } else {
        lose(channel, TRUE);
    }
    g_variant_unref(body);
    return channel->fd >= 0;
}

static gboolean on_readable(int fd, GIOCondition condition, gpointer data)
{
    struct channel *channel = data;

    (void)fd;
    (void)condition;
    channel->references++;
    for (int n = 0; n < BURST && receive(channel); n++) {
    }
    unref(channel);
    return G_SOURCE_CONTINUE;
}

/* ---- sending ---- */

/* As send(2); the descriptors go with the first octets. */
static ssize_t put_octets(struct channel *channel, struct parcel *parcel, gsize len)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))];
    } control = {0};
    struct iovec part = {(guint8 *)&parcel->header + channel->sent, len - channel->sent};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t n;

    if (parcel->n_fds > 0) {
        gsize size = parcel->n_fds * sizeof *parcel->fds;

        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(&control.header), parcel->fds, size);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(size);
    }
    n = sendmsg(channel->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
        close_fds(parcel->fds, parcel->n_fds);
        parcel->n_fds = 0;
    }
    return n;
}

/* Sends what the socket takes. An end that is gone is the reader's business. */
static void drain(struct channel *channel)
{
    struct parcel *parcel;

    while (channel->fd >= 0 && (parcel = g_queue_peek_head(&channel->outgoing)) != NULL) {
        gsize len = sizeof parcel->header + parcel->header.len;
        ssize_t n = put_octets(channel, parcel, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        channel->sent += n < 0 ? len : (gsize)n;
        if (channel->sent >= len) {
            channel->sent = 0;
            parcel_free(g_queue_pop_head(&channel->outgoing));
        }
    }
}

static gboolean on_writable(int fd, GIOCondition condition, gpointer data)
{
    struct channel *channel = data;

    (void)fd;
    (void)condition;
    drain(channel);
    if (g_queue_is_empty(&channel->outgoing)) {
        stop_source(&channel->writer);
    }
    return G_SOURCE_CONTINUE;
}

/* All of them, or none: the receiver knows how many there should be. */
static void add_fds(struct parcel *parcel, const int *fds, gsize n)
{
    for (gsize i = 0; i < n && i < CHANNEL_FDS_MAX; i++) {
        int copy = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);

        if (copy < 0) {
            close_fds(parcel->fds, parcel->n_fds);
            parcel->n_fds = 0;
            return;
        }
        parcel->fds[parcel->n_fds++] = copy;
    }
}

void channel_send_fds(struct channel *channel, enum channel_message kind, GVariant *body,
                      const int *fds, gsize n)
{
    struct parcel *parcel;

    body = g_variant_ref_sink(body != NULL ? body : g_variant_new("()"));
    if (channel->fd >= 0) {
        struct header header = {.kind = kind, .len = (guint32)g_variant_get_size(body)};

        parcel = parcel_new(header);
        g_variant_store(body, parcel->body);
        add_fds(parcel, fds, n);
        g_queue_push_tail(&channel->outgoing, parcel);
        drain(channel);
        if (!g_queue_is_empty(&channel->outgoing) && channel->writer == NULL) {
            channel->writer = watch(channel, G_IO_OUT, on_writable);
        }
    }
    g_variant_unref(body);
}

void channel_send(struct channel *channel, enum channel_message kind, GVariant *body)
{
    channel_send_fds(channel, kind, body, NULL, 0);
}

void channel_flush(struct channel *channel, int milliseconds)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)milliseconds * 1000;

    while (channel->fd >= 0 && !g_queue_is_empty(&channel->outgoing)) {
        struct pollfd wait = {.fd = channel->fd, .events = POLLOUT};
        gint64 left = (deadline - g_get_monotonic_time()) / 1000;

        if (left <= 0 || (poll(&wait, 1, (int)left) < 0 && errno != EINTR)) {
            return;
        }
        drain(channel);
    }
}

struct channel *channel_new(int fd, enum channel_side side, channel_message_cb message,
                            channel_closed_cb closed, void *context)
{
    struct channel *channel = g_new0(struct channel, 1);

    channel->fd = fd;
    channel->side = side;
    channel->message = message;
    channel->closed = closed;
    channel->context = context;
    channel->references = 1;
    g_queue_init(&channel->outgoing);
    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    channel->reader = watch(channel, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable);
    return channel;
}

void channel_free(struct channel *channel)
{
    if (channel != NULL) {
        shut(channel);
        unref(channel);
    }
}

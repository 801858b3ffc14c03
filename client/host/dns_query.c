/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/dns_query.h"

#include <glib-unix.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/dns_words.h"

#define PORT 53
#define TURN 1000 /* milliseconds until it is sent again, or to the next server */
#define TURNS 3   /* at the least; every server gets one */
#define HEADER 12 /* octets */
#define TYPE_A 1
#define TYPE_NS 2
#define CLASS_IN 1

struct server {
    struct dns_query *query;
    struct addr addr;
    int fd;
    gint64 sent_us;
    GSource *source;
};

struct dns_query {
    void (*told)(void *context, const char *text);
    void *context;
    struct server servers[NET_DNS_MAX];
    size_t n, turn;
    gboolean reached; /* one was sent to */
    uint8_t question[DNS_QUESTION_MAX];
    size_t len;
    GSource *timer;
};

/* ---- the message ---- */

static uint8_t *put_u16(uint8_t *at, unsigned value)
{
    *at++ = (uint8_t)(value >> 8);
    *at++ = (uint8_t)value;
    return at;
}

size_t dns_question(uint8_t out[static DNS_QUESTION_MAX], uint16_t id, const char *name)
{
    uint8_t *at = put_u16(out, id);
    at = put_u16(at, 0x0100); /* recursion desired */
    at = put_u16(at, 1);
    memset(at, 0, 6);
    at += 6;
    while (*name) {
        size_t label = strcspn(name, ".");
        if (label == 0 || label > 63 || (size_t)(at - out) + label + 6 > DNS_QUESTION_MAX) {
            break;
        }
        *at++ = (uint8_t)label;
        memcpy(at, name, label);
        at += label;
        name += label + (name[label] == '.');
    }
    *at++ = 0;
    at = put_u16(at, at - out > HEADER + 1 ? TYPE_A : TYPE_NS);
    at = put_u16(at, CLASS_IN);
    return (size_t)(at - out);
}

int dns_reply_code(const uint8_t *reply, size_t reply_len, const uint8_t *question,
                   size_t question_len)
{
    if (reply_len < HEADER || reply[0] != question[0] || reply[1] != question[1] ||
        (reply[2] & 0xf8) != 0x80) { /* a response, to a plain query */
        return -1;
    }
    int code = reply[3] & 0x0f;
    if (reply[4] == 0 && reply[5] == 0) {
        return code != 0 ? code : -1; /* what it could not read it need not repeat */
    }
    if (reply[4] != 0 || reply[5] != 1 || reply_len < question_len) {
        return -1;
    }
    for (size_t i = HEADER; i < question_len; i++) {
        if (g_ascii_tolower((char)reply[i]) != g_ascii_tolower((char)question[i])) {
            return -1;
        }
    }
    return code;
}

static const char *code_name(int code)
{
    static const char *const names[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                        "NXDOMAIN", "NOTIMP",  "REFUSED"};
    return (size_t)code < G_N_ELEMENTS(names) ? names[code] : "?";
}

/* ---- the sockets ---- */

static void close_all(struct dns_query *query)
{
    for (size_t i = 0; i < query->n; i++) {
        struct server *server = &query->servers[i];
        if (server->source) {
            g_source_destroy(server->source);
            g_clear_pointer(&server->source, g_source_unref);
        }
        if (server->fd >= 0) {
            close(g_steal_fd(&server->fd));
        }
    }
    if (query->timer) {
        g_source_destroy(query->timer);
        g_clear_pointer(&query->timer, g_source_unref);
    }
}

static void tell(struct dns_query *query, char *text)
{
    close_all(query);
    query->told(query->context, text);
    g_free(text);
}

static gboolean on_reply(gint fd, GIOCondition condition, gpointer data)
{
    struct server *server = data;
    struct dns_query *query = server->query;
    char text[ADDR_TEXT_MAX];
    uint8_t reply[1500];
    ssize_t n = recv(fd, reply, sizeof reply, MSG_DONTWAIT);
    int code = n < 0 ? -1 : dns_reply_code(reply, (size_t)n, query->question, query->len);
    (void)condition;
    if (code < 0) {
        return G_SOURCE_CONTINUE; /* refused by its host, or not an answer of ours: perhaps the next
                                   */
    }
    double took = (double)(g_get_monotonic_time() - server->sent_us) / 1000;
    addr_text(&server->addr, text);
    tell(query, code == 0 || code == 3
                    ? g_strdup_printf(_(DNS_WORDS_ANSWERS), text, took < 10, took)
                    : g_strdup_printf(_(DNS_WORDS_REFUSES), text, code_name(code)));
    return G_SOURCE_REMOVE;
}

static gboolean open_server(struct server *server, const char *interface)
{
    struct endpoint endpoint = {.addr = server->addr, .port = PORT};
    struct sockaddr_storage to;
    socklen_t len = endpoint_to_sockaddr(&endpoint, &to);
    server->fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return server->fd >= 0 &&
           setsockopt(server->fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
                      (socklen_t)strlen(interface)) == 0 &&
           connect(server->fd, (struct sockaddr *)&to, len) == 0;
}

static gboolean on_turn(gpointer data);

static void set_timer(struct dns_query *query, guint milliseconds)
{
    query->timer = g_timeout_source_new(milliseconds);
    g_source_set_callback(query->timer, on_turn, query, NULL);
    g_source_attach(query->timer, g_main_context_get_thread_default());
}

static void give_up(struct dns_query *query)
{
    char text[ADDR_TEXT_MAX];
    addr_text(&query->servers[0].addr, text);
    tell(query, !query->reached ? g_strdup_printf(_(DNS_WORDS_NO_WAY), text)
                : query->n == 1 ? g_strdup_printf(_(DNS_WORDS_SILENT), text)
                                : g_strdup_printf(_(DNS_WORDS_ALL_SILENT), query->n));
}

static gboolean on_turn(gpointer data)
{
    struct dns_query *query = data;
    struct server *server = &query->servers[query->turn % query->n];
    g_clear_pointer(&query->timer, g_source_unref);
    if (query->turn == MAX(TURNS, query->n)) {
        give_up(query);
        return G_SOURCE_REMOVE;
    }
    query->turn++;
    server->sent_us = g_get_monotonic_time();
    query->reached |= server->source && send(server->fd, query->question, query->len, 0) >= 0;
    set_timer(query, TURN);
    return G_SOURCE_REMOVE;
}

struct dns_query *dns_query_new(const char *interface, const struct dns_plan *plan,
                                void (*told)(void *context, const char *text), void *context)
{
    struct dns_query *query = g_new0(struct dns_query, 1);
    uint16_t id = 0;
    (void)!getrandom(&id, sizeof id, 0);
    query->told = told;
    query->context = context;
    query->len = dns_question(query->question, id, plan->n_domains > 0 ? plan->domains[0] : "");
    query->n = plan->n_servers;
    for (size_t i = 0; i < query->n; i++) {
        struct server *server = &query->servers[i];
        server->query = query;
        server->addr = plan->servers[i];
        if (open_server(server, interface)) {
            server->source = g_unix_fd_source_new(server->fd, G_IO_IN);
            g_source_set_callback(server->source, G_SOURCE_FUNC(on_reply), server, NULL);
            g_source_attach(server->source, g_main_context_get_thread_default());
        }
    }
    set_timer(query, 0);
    return query;
}

void dns_query_free(struct dns_query *query)
{
    if (query) {
        close_all(query);
        g_free(query);
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdarg.h>
#include <stdio.h>

#include "ike/trace.h"

/* "  [192.0.2.1 - 198.51.100.1:4500]", when it is another pair than that of the rung before. */
static void put_path(struct ike *ike, const struct path *path, char *text, size_t cap)
{
    struct path now = *path;
    char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX];
    size_t used = strlen(text);

    if (addr_is_any(&now.local.addr)) {
        now.local.addr = ike->path.local.addr;
    }
    if (ike->state != ST_UP || pairs_same(&now, &ike->rung_path)) {
        return;
    }
    if (ike->rung_path.remote.port != 0) {
        (void)snprintf(text + used, cap - used, "  [%s - %s]", addr_text(&now.local.addr, local),
                       endpoint_text(&now.remote, remote));
    }
    ike->rung_path = now;
}

static void rung(struct ike *ike, bool outbound, bool retransmission, const char *text)
{
    ike_emit(ike, &(struct ike_event){
                      .type = IKE_EVENT_TRACE,
                      .text = text,
                      .outbound = outbound,
                      .retransmission = retransmission,
                      .at = ike->now,
                  });
}

/* Our messages are traced from their plaintext. */
static void rung_out(struct ike *ike, const struct ike_header *header, uint8_t first,
                     struct bytes plain, size_t n_datagrams, bool retransmission,
                     const struct path *path)
{
    struct message message = {.header = *header};
    char text[TRACE_LINE_MAX];
    uint8_t unknown;
    size_t used;

    if (message_parse_chain(&message, first, plain, &unknown) != OK) {
        return;
    }
    (void)trace_message(&message, text, sizeof text);
    used = strlen(text);
    if (n_datagrams > 1) {
        (void)snprintf(text + used, sizeof text - used, " [%zu fragments]", n_datagrams);
    }
    put_path(ike, path, text, sizeof text);
    rung(ike, true, retransmission, text);
}

static void request_along(struct ike *ike, const struct ike_sa *sa, bool retransmission,
                          const struct path *path)
{
    const struct request *request = &sa->request;
    const struct ike_header header =
        exchange_header(sa, request->exchange, request->message_id, false);

    if (!ike->config.trace || request->datagrams.n == 0) {
        return;
    }
    rung_out(ike, &header, request->first_inner, secret_bytes(&request->plain),
             request->datagrams.n, retransmission, path);
}

void rung_request(struct ike *ike, const struct ike_sa *sa, bool retransmission)
{
    request_along(ike, sa, retransmission, &ike->path);
}

void rung_also(struct ike *ike, const struct path *path)
{
    request_along(ike, &ike->sa, true, path);
}

void rung_response(struct ike *ike, const struct ike_sa *sa, bool retransmission)
{
    const struct response *response = &sa->response;
    const struct ike_header header =
        exchange_header(sa, response->exchange, response->message_id, true);

    if (!ike->config.trace || response->datagrams.n == 0) {
        return;
    }
    rung_out(ike, &header, response->first_inner, secret_bytes(&response->plain),
             response->datagrams.n, retransmission, &response->path);
}

void rung_in(struct ike *ike, const struct message *message, bool retransmission)
{
    char text[TRACE_LINE_MAX];

    if (ike->config.trace) {
        (void)trace_message(message, text, sizeof text);
        put_path(ike, &ike->from, text, sizeof text);
        rung(ike, false, retransmission, text);
    }
}

void rung_note(struct ike *ike, const char *format, ...)
{
    char text[TRACE_LINE_MAX] = "(";
    va_list args;

    if (ike->config.trace) {
        va_start(args, format);
        (void)vsnprintf(text + 1, sizeof text - 2, format, args);
        va_end(args);
        (void)strcat(text, ")");
        rung(ike, false, false, text);
    }
}

void rung_dropped(struct ike *ike, const char *why)
{
    rung_note(ike, "dropped: %s", why);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdarg.h>
#include <stdio.h>

#include "ike/trace.h"

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
                     struct bytes plain, size_t n_datagrams, bool retransmission)
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
    rung(ike, true, retransmission, text);
}

void rung_request(struct ike *ike, const struct ike_sa *sa, bool retransmission)
{
    const struct request *request = &sa->request;
    const struct ike_header header =
        exchange_header(sa, request->exchange, request->message_id, false);

    if (!ike->config.trace || request->datagrams.n == 0) {
        return;
    }
    rung_out(ike, &header, request->first_inner, secret_bytes(&request->plain),
             request->datagrams.n, retransmission);
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
             response->datagrams.n, retransmission);
}

void rung_in(struct ike *ike, const struct message *message, bool retransmission)
{
    char text[TRACE_LINE_MAX];

    if (ike->config.trace) {
        rung(ike, false, retransmission, trace_message(message, text, sizeof text));
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/events.h"

#include <stdlib.h>

struct event_node {
    struct event_node *next;
    struct ike_event event;
    struct ike_child *child;
    struct net_config *net;
    struct ike_ticket *ticket;
    char *text;
    char *prompt;
};

static void node_free(struct event_node *node)
{
    if (node == NULL) {
        return;
    }
    if (node->child != NULL) {
        secret_free(&node->child->in_encr);
        secret_free(&node->child->in_integ);
        secret_free(&node->child->out_encr);
        secret_free(&node->child->out_integ);
        free(node->child);
    }
    free(node->net);
    ike_ticket_free(node->ticket);
    free(node->ticket);
    free(node->text);
    free(node->prompt);
    free(node);
}

static struct ike_child *child_copy(const struct ike_child *from)
{
    struct ike_child *copy = malloc(sizeof *copy);
    bool ok;

    if (copy == NULL) {
        return NULL;
    }
    *copy = *from;
    copy->in_encr = copy->in_integ = copy->out_encr = copy->out_integ = (struct secret){0};
    ok = secret_set(&copy->in_encr, secret_bytes(&from->in_encr)) &&
         secret_set(&copy->in_integ, secret_bytes(&from->in_integ)) &&
         secret_set(&copy->out_encr, secret_bytes(&from->out_encr)) &&
         secret_set(&copy->out_integ, secret_bytes(&from->out_integ));
    if (!ok) {
        secret_free(&copy->in_encr);
        secret_free(&copy->in_integ);
        secret_free(&copy->out_encr);
        free(copy);
        return NULL;
    }
    return copy;
}

static bool node_fill(struct event_node *node, const struct ike_event *event)
{
    node->event = *event;
    node->text = strdup(event->text != NULL ? event->text : "");
    node->prompt = strdup(event->prompt != NULL ? event->prompt : "");
    if (node->text == NULL || node->prompt == NULL) {
        return false;
    }
    if (event->child != NULL) {
        node->child = child_copy(event->child);
        if (node->child == NULL) {
            return false;
        }
    }
    if (event->net != NULL) {
        node->net = malloc(sizeof *node->net);
        if (node->net == NULL) {
            return false;
        }
        *node->net = *event->net;
    }
    if (event->ticket != NULL) {
        node->ticket = calloc(1, sizeof *node->ticket);
        if (node->ticket == NULL || !ike_ticket_copy(node->ticket, event->ticket)) {
            return false;
        }
    }
    node->event.ticket = node->ticket;
    node->event.text = node->text;
    node->event.prompt = node->prompt;
    node->event.child = node->child;
    node->event.net = node->net;
    return true;
}

enum err events_push(struct events *events, const struct ike_event *event)
{
    struct event_node *node;

    if (event->type == IKE_EVENT_TRACE && events->n >= EVENTS_TRACE_MAX) {
        return OK;
    }
    node = calloc(1, sizeof *node);
    if (node == NULL) {
        return ERR_MEMORY;
    }
    if (!node_fill(node, event)) {
        node_free(node);
        return ERR_MEMORY;
    }
    if (events->tail != NULL) {
        events->tail->next = node;
    } else {
        events->head = node;
    }
    events->tail = node;
    events->n++;
    return OK;
}

bool events_pull(struct events *events, struct ike_event *out)
{
    struct event_node *node = events->head;

    node_free(events->pulled);
    events->pulled = node;
    if (node == NULL) {
        return false;
    }
    events->head = node->next;
    if (events->head == NULL) {
        events->tail = NULL;
    }
    node->next = NULL;
    events->n--;
    *out = node->event;
    return true;
}

void events_free(struct events *events)
{
    struct ike_event event;

    while (events_pull(events, &event)) {
    }
}

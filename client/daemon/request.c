/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/request.h"

#include <gio/gunixfdlist.h>

#include "common/vpn1.h"

struct requests {
    struct callers *callers;
    struct authority *authority;
    GHashTable *open; /* set of requests */
    void (*changed)(void *context);
    void *context;
};

struct question { /* to polkit */
    request_step allowed, refused; /* no `refused` = the request fails */
};

struct requests *requests_new(struct callers *callers, struct authority *authority,
                              void (*changed)(void *context), void *context)
{
    struct requests *requests = g_new0(struct requests, 1);
    requests->callers = callers;
    requests->authority = authority;
    requests->open = g_hash_table_new(NULL, NULL);
    requests->changed = changed;
    requests->context = context;
    return requests;
}

guint requests_count(const struct requests *requests)
{
    return g_hash_table_size(requests->open);
}

/* ---- the end ---- */

static void request_free(struct request *request)
{
    if (request->free_data) {
        request->free_data(request->data);
    }
    caller_release(request->caller);
    g_free(request->question);
    g_free(request);
}

static void finish(struct request *request)
{
    struct requests *all = request->all;
    g_hash_table_remove(all->open, request);
    request_free(request);
    all->changed(all->context);
}

void requests_free(struct requests *requests)
{
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, requests->open);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        struct request *request = key;
        g_dbus_method_invocation_return_dbus_error(request->invocation, VPN1_ERROR "Busy",
                                                   "The service is stopping.");
        request_free(request);
    }
    g_hash_table_unref(requests->open);
    g_free(requests);
}

void request_return(struct request *request, GVariant *tuple)
{
    g_dbus_method_invocation_return_value(request->invocation, tuple);
    finish(request);
}

void request_return_fds(struct request *request, GVariant *tuple, GUnixFDList *fds)
{
    g_dbus_method_invocation_return_value_with_unix_fd_list(request->invocation, tuple, fds);
    finish(request);
}

void request_fail(struct request *request, const char *error, const char *format, ...)
{
    g_autofree char *name = g_strconcat(VPN1_ERROR, error, NULL);
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_dbus_method_invocation_return_dbus_error(request->invocation, name, text);
    finish(request);
}

void request_fail_dbus(struct request *request, GDBusError code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_dbus_method_invocation_return_error_valist(request->invocation, G_DBUS_ERROR, (int)code,
                                                 format, arguments);
    va_end(arguments);
    finish(request);
}

/* ---- the start ---- */

GVariant *request_arguments(const struct request *request)
{
    return g_dbus_method_invocation_get_parameters(request->invocation);
}

static void on_known(void *context, struct caller *caller)
{
    struct request *request = context;
    request->caller = caller;
    if (caller) {
        request->next(request);
    } else {
        request_fail_dbus(request, G_DBUS_ERROR_ACCESS_DENIED, "The bus does not say who calls.");
    }
}

void request_begin(struct requests *requests, GDBusMethodInvocation *invocation,
                   request_step identified, void *context)
{
    struct request *request = g_new0(struct request, 1);
    request->all = requests;
    request->invocation = invocation;
    request->next = identified;
    request->context = context;
    g_hash_table_add(requests->open, request);
    requests->changed(requests->context);
    callers_identify(requests->callers, g_dbus_method_invocation_get_sender(invocation), on_known,
                     request);
}

/* ---- whether it may ---- */

static void refuse(struct request *request, enum verdict verdict)
{
    if (verdict == VERDICT_NO_ANSWER) {
        request_fail(request, "NotAuthorized",
                     "polkit, which knows who may do this, does not answer: only root may.");
    } else if (verdict == VERDICT_CHALLENGE) {
        request_fail(request, "NotAuthorized",
                     "This needs an administrator's password, and nobody could be asked for it.");
    } else {
        request_fail(request, "NotAuthorized", "The system's policy does not allow this to you.");
    }
}

static void on_verdict(void *context, enum verdict verdict)
{
    struct request *request = context;
    g_autofree struct question *question = g_steal_pointer(&request->question);
    request->caller->user->pending--;
    if (request->caller->gone) {
        request_fail_dbus(request, G_DBUS_ERROR_NO_REPLY, "The caller has left.");
    } else if (verdict == VERDICT_ALLOWED) {
        question->allowed(request);
    } else if (question->refused) {
        question->refused(request);
    } else {
        refuse(request, verdict);
    }
}

static gboolean may_interact(const struct request *request)
{
    GDBusMessage *message = g_dbus_method_invocation_get_message(request->invocation);
    return (g_dbus_message_get_flags(message) &
            G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION) != 0;
}

void request_ask(struct request *request, const char *action, request_step allowed,
                 request_step refused)
{
    struct user *user = request->caller->user;
    if (user->uid == 0) {
        allowed(request);
        return;
    }
    if (user->pending >= USER_PENDING_MAX) {
        request_fail(request, "TooMany", "%u requests of yours wait for authorisation already.",
                     user->pending);
        return;
    }
    request->question = g_new(struct question, 1);
    *request->question = (struct question){allowed, refused};
    user->pending++;
    authority_check(request->all->authority, request->caller->name, action, may_interact(request),
                    on_verdict, request);
    if (request->meanwhile) {
        g_steal_pointer (&request->meanwhile)(request);
    }
}

void request_authorise(struct request *request, const char *action, request_step allowed)
{
    request_ask(request, action, allowed, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <gio/gunixfdlist.h>

#include "daemon/session_object_private.h"

#define VALUES_MAX 8 /* of a form */

static void call_disconnect(struct session_object *object, struct request *request)
{
    object->dismissed = TRUE;
    session_object_disconnect(object);
    request_return(request, NULL);
}

/* ---- secrets ---- */

/* Those who may end a session of another's still have no business with its secrets. */
static gboolean may_answer(const struct session_object *object, const struct request *request)
{
    uid_t uid = request->caller->user->uid;
    return uid == 0 || uid == object->owner;
}

/* FALSE when the request has been answered: with an error. */
static gboolean check_form(const struct session_object *object, struct request *request,
                           guint32 form)
{
    if (!may_answer(object, request)) {
        request_fail(request, "NotAuthorized", "Only its owner answers what a session asks.");
    } else if (!object->form_ids || form != object->form) {
        request_fail(request, "NotReady", "The session does not ask that (form %u is %s).", form,
                     form == 0 || form > object->form ? "none" : "over");
    } else {
        return TRUE;
    }
    return FALSE;
}

/* NULL and *why when they do not fit the form. */
static GHashTable *read_values(const struct session_object *object, GVariant *dict,
                               const char **why)
{
    GHashTable *values =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    *why = g_variant_n_children(dict) > VALUES_MAX ? "there are too many values" : NULL;
    for (gsize i = 0; !*why && i < g_variant_n_children(dict); i++) {
        g_autoptr(GVariant) value = NULL;
        const char *id;
        gsize len;
        g_variant_get_child(dict, i, "{&s@ay}", &id, &value);
        const void *octets = g_variant_get_fixed_array(value, &len, 1);
        if (!g_ptr_array_find_with_equal_func(object->form_ids, id, g_str_equal, NULL)) {
            *why = "there is a value that no field asks for";
        } else if (len > PROFILE_SECRET_MAX) {
            *why = "a value is too long";
        } else {
            g_hash_table_replace(values, g_strdup(id), g_bytes_new(octets, len));
        }
    }
    if (*why) {
        g_clear_pointer(&values, g_hash_table_unref);
    }
    return values;
}

static void answer_form(struct session_object *object, GHashTable *values)
{
    session_object_close_form(object);
    session_object_publish(object);
    session_provide_secrets(object->session, values);
}

static void call_provide_secrets(struct session_object *object, struct request *request)
{
    g_autoptr(GVariant) dict = NULL;
    const char *why;
    guint32 form;
    g_variant_get(request_arguments(request), "(u@a{say})", &form, &dict);
    if (!check_form(object, request, form)) {
        return;
    }
    g_autoptr(GHashTable) values = read_values(object, dict, &why);
    if (!values) {
        request_fail_dbus(request, G_DBUS_ERROR_INVALID_ARGS, "Not an answer to the form: %s.",
                          why);
        return;
    }
    answer_form(object, values);
    request_return(request, NULL);
}

static void call_cancel_secrets(struct session_object *object, struct request *request)
{
    guint32 form;
    g_variant_get(request_arguments(request), "(u)", &form);
    if (check_form(object, request, form)) {
        answer_form(object, NULL);
        request_return(request, NULL);
    }
}

/* ---- what happened ---- */

static void call_get_trace(struct session_object *object, struct request *request)
{
    if (!object->trace) {
        request_fail(request, "NotReady",
                     "No trace is kept of this session: it was begun without the option trace.");
    } else if (!subscribers_add(object->watchers, request->caller)) {
        request_fail(request, "TooMany", "Too many programs of yours listen already.");
    } else {
        request_return(request, g_variant_new("(@a(sbbt))", history_array(object->rungs)));
    }
}

static void call_get_log(struct session_object *object, struct request *request)
{
    request_return(request, g_variant_new("(@a(sst))", history_array(object->phases)));
}

static void call_get_traffic(struct session_object *object, struct request *request)
{
    struct session_traffic traffic = {0};
    const char *interface =
        g_variant_get_string(properties_get(object->properties, "Interface"), NULL);
    if (object->connected && !session_traffic(interface, &traffic)) {
        request_fail(request, "NotReady", "The interface does not tell.");
        return;
    }
    request_return(request, g_variant_new("(tttt)", traffic.rx_octets, traffic.rx_packets,
                                          traffic.tx_octets, traffic.tx_packets));
}

/* ---- over the end of this service ---- */

static void call_lend(struct session_object *object, struct request *request)
{
    g_autoptr(GError) error = NULL;
    int interface, state;
    if (!object->lends || object->bound_to != request->caller) {
        request_fail(request, "NotAuthorized",
                     "Only a caller that configures the host, and whose session it is, keeps it.");
        return;
    }
    if (!session_lend(object->session, request->caller->user->uid, &interface, &state, &error)) {
        request_fail(request, "NotReady", "%s", error->message);
        return;
    }
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    gint first = g_unix_fd_list_append(fds, interface, &error);
    gint second = first < 0 ? -1 : g_unix_fd_list_append(fds, state, &error);
    if (second < 0) {
        request_fail(request, "NotReady", "%s", error->message);
        return;
    }
    request_return_fds(request, g_variant_new("(hh)", first, second), fds);
}

/* ---- programs ---- */

static void call_add_process(struct session_object *object, struct request *request)
{
    GDBusMessage *message = g_dbus_method_invocation_get_message(request->invocation);
    GUnixFDList *fds = g_dbus_message_get_unix_fd_list(message);
    g_autoptr(GError) error = NULL;
    const char *way;
    gint32 index, n = 0;
    const gint *list = fds ? g_unix_fd_list_peek_fds(fds, &n) : NULL;
    g_variant_get(request_arguments(request), "(h&s)", &index, &way);
    gboolean inside = g_str_equal(way, "inside");
    if (index < 0 || index >= n || !(inside || g_str_equal(way, "outside"))) {
        request_fail_dbus(request, G_DBUS_ERROR_INVALID_ARGS,
                          "A process goes \"outside\" or \"inside\", and is a descriptor.");
    } else if (!session_add_app(object->session, list[index], request->caller->user->uid, inside,
                                &error)) {
        request_fail(request, "NotReady", "%s", error->message);
    } else {
        request_return(request, NULL);
    }
}

void session_object_call(struct session_object *object, struct request *request)
{
    static const struct {
        const char *name;
        void (*call)(struct session_object *object, struct request *request);
    } methods[] = {
        {"Disconnect", call_disconnect},
        {"ProvideSecrets", call_provide_secrets},
        {"CancelSecrets", call_cancel_secrets},
        {"GetTrace", call_get_trace},
        {"GetLog", call_get_log},
        {"GetTraffic", call_get_traffic},
        {"AddProcess", call_add_process},
        {"Lend", call_lend},
    };
    const char *name = g_dbus_method_invocation_get_method_name(request->invocation);
    for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
        if (g_str_equal(methods[i].name, name)) {
            methods[i].call(object, request);
            return;
        }
    }
    request_fail_dbus(request, G_DBUS_ERROR_UNKNOWN_METHOD, "There is no method %s.", name);
}

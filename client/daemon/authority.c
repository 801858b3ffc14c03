/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/authority.h"

#define POLKIT "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_AUTHORITY "org.freedesktop.PolicyKit1.Authority"
#define ALLOW_USER_INTERACTION 1U /* of its CheckAuthorizationFlags */

/* Milliseconds. */
#define TIME_OF_POLKIT 5000
#define TIME_OF_A_PERSON 120000

struct authority {
    GDBusConnection *bus;
    GCancellable *cancellable;
    guint32 checks; /* so far */
};

struct check {
    char *id; /* that polkit knows it by */
    authority_cb done;
    void *context;
};

struct authority *authority_new(GDBusConnection *bus)
{
    struct authority *authority = g_new0(struct authority, 1);
    authority->bus = g_object_ref(bus);
    authority->cancellable = g_cancellable_new();
    return authority;
}

void authority_free(struct authority *authority)
{
    if (authority) {
        g_cancellable_cancel(authority->cancellable);
        g_object_unref(authority->cancellable);
        g_object_unref(authority->bus);
        g_free(authority);
    }
}

static enum verdict verdict_of(GVariant *reply)
{
    gboolean authorised, challenge;
    g_variant_get(reply, "((bb@a{ss}))", &authorised, &challenge, NULL);
    return authorised ? VERDICT_ALLOWED : challenge ? VERDICT_CHALLENGE : VERDICT_DENIED;
}

/* The window that asks for a password goes away. */
static void withdraw(GDBusConnection *bus, const char *id)
{
    g_dbus_connection_call(bus, POLKIT, POLKIT_PATH, POLKIT_AUTHORITY, "CancelCheckAuthorization",
                           g_variant_new("(s)", id), NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
                           NULL, NULL, NULL);
}

static void on_checked(GObject *bus, GAsyncResult *result, gpointer data)
{
    struct check *check = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
        withdraw(G_DBUS_CONNECTION(bus), check->id);
    }
    if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        if (error) {
            g_message("polkit: %s", error->message);
        }
        check->done(check->context, reply ? verdict_of(reply) : VERDICT_NO_ANSWER);
    }
    g_free(check->id);
    g_free(check);
}

void authority_check(struct authority *authority, const char *name, const char *action,
                     gboolean interactive, authority_cb done, void *context)
{
    struct check *check = g_new0(struct check, 1);
    check->id = g_strdup_printf("godwit-%u", ++authority->checks);
    check->done = done;
    check->context = context;
    GVariant *subject = g_variant_new_parsed("('system-bus-name', {'name': <%s>})", name);
    GVariant *body = g_variant_new("(@(sa{sv})s@a{ss}us)", subject, action,
                                   g_variant_new_array(G_VARIANT_TYPE("{ss}"), NULL, 0),
                                   interactive ? ALLOW_USER_INTERACTION : 0U, check->id);
    g_dbus_connection_call(authority->bus, POLKIT, POLKIT_PATH, POLKIT_AUTHORITY,
                           "CheckAuthorization", body, G_VARIANT_TYPE("((bba{ss}))"),
                           G_DBUS_CALL_FLAGS_NONE, interactive ? TIME_OF_A_PERSON : TIME_OF_POLKIT,
                           authority->cancellable, on_checked, check);
}

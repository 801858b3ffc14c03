/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/actions.h"
#include "daemon/manager_private.h"
#include "daemon/system_profiles.h"
#include "daemon/wire_profile.h"

void manager_fail_unknown_profile(struct request *request, const char *name)
{
    request_fail(request, "NotFound", "There is no profile \"%.64s\" in %s/godwit.",
                 system_profile_is_name(name) ? name : "?", SYSCONFDIR);
}

void manager_call_list_system_profiles(struct request *request)
{
    GVariantBuilder builder;
    g_auto(GStrv) names = system_profile_names();
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(sa{sv}s)"));
    for (char **name = names; *name; name++) {
        g_autoptr(GError) error = NULL;
        struct profile *profile = system_profile_load(*name, &error);
        g_variant_builder_add(&builder, "(s@a{sv}s)", *name,
                              profile ? system_profile_public(profile)
                                      : g_variant_new_array(G_VARIANT_TYPE("{sv}"), NULL, 0),
                              error ? error->message : "");
        profile_free(profile);
    }
    request_return(request, g_variant_new("(a(sa{sv}s))", &builder));
}

struct saving {
    char *name;
    struct profile *profile;
    gboolean replace;
};

static void saving_free(gpointer data)
{
    struct saving *saving = data;
    profile_free(saving->profile);
    g_free(saving->name);
    g_free(saving);
}

static void save(struct request *request)
{
    const struct saving *saving = request->data;
    g_autoptr(GError) error = NULL;
    if (!saving->replace && system_profile_exists(saving->name)) {
        request_fail(request, "Busy", "There is a profile \"%s\" already.", saving->name);
    } else if (!system_profile_save(saving->name, saving->profile, &error)) {
        request_fail(request,
                     g_error_matches(error, PROFILE_ERROR, PROFILE_ERROR_FILE) ? "HostConfig"
                                                                               : "InvalidProfile",
                     "%s", error->message);
    } else {
        request_return(request, NULL);
    }
}

void manager_call_save_system_profile(struct request *request)
{
    g_autoptr(GVariant) dict = NULL;
    g_autoptr(GError) error = NULL;
    GDBusMessage *message = g_dbus_method_invocation_get_message(request->invocation);
    struct saving *saving = g_new0(struct saving, 1);
    request->data = saving;
    request->free_data = saving_free;
    g_variant_get(request_arguments(request), "(s@a{sv}b)", &saving->name, &dict, &saving->replace);
    if (!system_profile_is_name(saving->name)) {
        request_fail_dbus(request, G_DBUS_ERROR_INVALID_ARGS, "That is no name for a profile.");
        return;
    }
    saving->profile = wire_profile(dict, g_dbus_message_get_unix_fd_list(message), &error);
    if (!saving->profile) {
        request_fail(request, "InvalidProfile", "%s", error->message);
        return;
    }
    request_authorise(request, ACTION_SYSTEM_PROFILES, save);
}

static void delete (struct request *request)
{
    g_autoptr(GError) error = NULL;
    const char *name;
    g_variant_get(request_arguments(request), "(&s)", &name);
    if (!system_profile_exists(name)) {
        manager_fail_unknown_profile(request, name);
    } else if (!system_profile_delete(name, &error)) {
        request_fail(request, "HostConfig", "%s", error->message);
    } else {
        request_return(request, NULL);
    }
}

void manager_call_delete_system_profile(struct request *request)
{
    request_authorise(request, ACTION_SYSTEM_PROFILES, delete);
}

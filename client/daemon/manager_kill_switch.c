/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/addr.h"
#include "daemon/actions.h"
#include "daemon/manager_private.h"

#define EXCEPTED_MAX 32

/* NULL, or what is wrong with it. */
static const char *check_excepted(const char *const *excepted)
{
    struct prefix prefix;
    if (g_strv_length((char **)excepted) > EXCEPTED_MAX) {
        return "more networks are excepted than can be";
    }
    for (; *excepted; excepted++) {
        if (!prefix_parse(&prefix, *excepted, false) || prefix.len == 0) {
            return "an exception is no network such as 192.168.1.0/24";
        }
    }
    return NULL;
}

static void set_kill_switch(struct request *request)
{
    struct manager *manager = request->context;
    g_autofree const char **excepted = NULL;
    g_autoptr(GError) error = NULL;
    gboolean always;
    g_variant_get(request_arguments(request), "(b^a&s)", &always, &excepted);
    if (!holding_set(manager->holding, always, excepted, &error)) {
        request_fail(request, "HostConfig", "%s", error->message);
        return;
    }
    g_message("user %u has turned the permanent kill switch %s", (guint)request->caller->user->uid,
              always ? "on" : "off");
    manager_refresh(manager);
    request_return(request, NULL);
}

void manager_call_set_kill_switch(struct request *request)
{
    g_autofree const char **excepted = NULL;
    g_variant_get(request_arguments(request), "(b^a&s)", NULL, &excepted);
    const char *why = check_excepted(excepted);
    if (why) {
        request_fail_dbus(request, G_DBUS_ERROR_INVALID_ARGS, "The kill switch stays: %s.", why);
    } else {
        request_authorise(request, ACTION_KILL_SWITCH, set_kill_switch);
    }
}

static void allow_portal(struct request *request)
{
    struct manager *manager = request->context;
    uid_t uid = request->caller->user->uid;
    g_autoptr(GError) error = NULL;
    guint32 seconds;
    g_variant_get(request_arguments(request), "(u)", &seconds);
    if (!portals_allow(manager->portals, uid, seconds, &error)) {
        request_fail(request, "HostConfig", "%s", error->message);
        return;
    }
    manager_tell_portal(manager, uid);
    request_return(request, NULL);
}

void manager_call_allow_portal(struct request *request)
{
    guint32 seconds;
    g_variant_get(request_arguments(request), "(u)", &seconds);
    if (seconds > PORTAL_SECONDS_MAX) {
        request_fail_dbus(request, G_DBUS_ERROR_INVALID_ARGS, "At most %u seconds can be had.",
                          PORTAL_SECONDS_MAX);
    } else {
        request_authorise(request, ACTION_KILL_SWITCH_PAUSE, allow_portal);
    }
}

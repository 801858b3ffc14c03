/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/vpn1.h"

#include <stdbool.h>
#include <string.h>

/* "gateway-unreachable" and "GatewayUnreachable" */
static bool same_name(const char *name, const char *camel)
{
    bool up = true;

    for (; *name != '\0'; name++) {
        if (*name == '-') {
            up = true;
        } else if (*camel++ != (up ? *name - 'a' + 'A' : *name)) {
            return false;
        } else {
            up = false;
        }
    }
    return *camel == '\0';
}

static enum reason reason_of_service(const char *name)
{
    if (strcmp(name, "InvalidProfile") == 0) {
        return REASON_PROFILE;
    }
    for (int i = 0; i < REASON_COUNT; i++) {
        if (same_name(reason_name((enum reason)i), name)) {
            return (enum reason)i;
        }
    }
    return REASON_SERVICE_REFUSED;
}

static enum reason reason_of_bus(const char *name)
{
    static const struct {
        const char *name;
        enum reason reason;
    } known[] = {
        {DBUS_NAME ".Error.AccessDenied", REASON_NOT_AUTHORIZED},
        {DBUS_NAME ".Error.InteractiveAuthorizationRequired", REASON_NOT_AUTHORIZED},
        {DBUS_NAME ".Error.UnknownObject", REASON_NOT_FOUND},
        {DBUS_NAME ".Error.UnknownMethod", REASON_NOT_FOUND},
        {DBUS_NAME ".Error.InvalidArgs", REASON_INTERNAL},
        {DBUS_NAME ".Error.Failed", REASON_INTERNAL},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].reason;
        }
    }
    return REASON_SERVICE_UNAVAILABLE;
}

enum reason vpn1_reason_of_error(const char *name)
{
    if (name == NULL) {
        return REASON_SERVICE_UNAVAILABLE;
    }
    return strncmp(name, VPN1_ERROR, strlen(VPN1_ERROR)) == 0
               ? reason_of_service(name + strlen(VPN1_ERROR))
               : reason_of_bus(name);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_VPN1_H
#define GODWIT_COMMON_VPN1_H

#include "common/error.h"

/* What godwitd is called on the system bus; see org.godwit.VPN1.xml. */
#define VPN1_NAME "org.godwit.VPN1"
#define VPN1_PATH "/org/godwit/VPN1"       /* of the manager */
#define VPN1_SESSIONS VPN1_PATH "/session" /* sessions are /org/godwit/VPN1/session/NUMBER */
#define VPN1_MANAGER_INTERFACE VPN1_NAME ".Manager"
#define VPN1_SESSION_INTERFACE VPN1_NAME ".Session"
#define VPN1_ERROR VPN1_NAME ".Error."

#define DBUS_NAME "org.freedesktop.DBus"
#define DBUS_PATH "/org/freedesktop/DBus"
#define DBUS_PROPERTIES DBUS_NAME ".Properties"
#define DBUS_OBJECT_MANAGER DBUS_NAME ".ObjectManager"

/* What is asked of a person, see the property Form: each field has one of these kinds. */
#define VPN1_FORM_TYPE "(ua(ssssa{sv}))"
#define VPN1_FIELD_TYPE "(ssssa{sv})"
#define VPN1_FIELD_TEXT "text"
#define VPN1_FIELD_SECRET "secret"
#define VPN1_FIELD_TRUST "trust"
#define VPN1_FIELD_CHOICE "choice"

/*
 * The reason that stands for an error on the bus, such as "org.godwit.VPN1.Error.NotAuthorized" or
 * "org.freedesktop.DBus.Error.AccessDenied". REASON_SERVICE_REFUSED for an error of godwitd's that
 * has no reason of its own; REASON_SERVICE_UNAVAILABLE for what else a bus says, and for NULL (no
 * error that came over a bus).
 */
enum reason vpn1_reason_of_error(const char *name);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_NAMES_H
#define GODWIT_DAEMON_NAMES_H

/* What the service is called on the bus; see org.godwit.VPN1.xml. */
#define VPN1_NAME "org.godwit.VPN1"
#define VPN1_PATH "/org/godwit/VPN1"
#define VPN1_SESSIONS VPN1_PATH "/session" /* sessions are /org/godwit/VPN1/session/NUMBER */
#define VPN1_MANAGER "org.godwit.VPN1.Manager"
#define VPN1_SESSION "org.godwit.VPN1.Session"
#define VPN1_ERROR "org.godwit.VPN1.Error."

#define DBUS_PROPERTIES "org.freedesktop.DBus.Properties"
#define DBUS_OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

/* Actions of polkit; see org.godwit.VPN1.policy. */
#define ACTION_CONNECT "org.godwit.VPN1.connect"
#define ACTION_CONNECT_SYSTEM "org.godwit.VPN1.connect-system"
#define ACTION_CONFIGURE_ELSEWHERE "org.godwit.VPN1.configure-elsewhere"
#define ACTION_MANAGE_OTHERS "org.godwit.VPN1.manage-others"
#define ACTION_SYSTEM_PROFILES "org.godwit.VPN1.system-profiles"
#define ACTION_KILL_SWITCH "org.godwit.VPN1.kill-switch"
#define ACTION_KILL_SWITCH_PAUSE "org.godwit.VPN1.kill-switch-pause"

#endif

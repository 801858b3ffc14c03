/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_ACTIONS_H
#define GODWIT_DAEMON_ACTIONS_H

/* Actions of polkit; see org.godwit.VPN1.policy. */
#define ACTION_CONNECT "org.godwit.VPN1.connect"
#define ACTION_CONNECT_SYSTEM "org.godwit.VPN1.connect-system"
#define ACTION_CONFIGURE_ELSEWHERE "org.godwit.VPN1.configure-elsewhere"
#define ACTION_MANAGE_OTHERS "org.godwit.VPN1.manage-others"
#define ACTION_SYSTEM_PROFILES "org.godwit.VPN1.system-profiles"
#define ACTION_KILL_SWITCH "org.godwit.VPN1.kill-switch"
#define ACTION_KILL_SWITCH_PAUSE "org.godwit.VPN1.kill-switch-pause"

#endif

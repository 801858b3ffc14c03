/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nm-plugin/service/failure.h"

NMVpnPluginFailure failure_of(enum reason reason)
{
    static const struct {
        enum reason reason;
        NMVpnPluginFailure failure;
    } rows[] = {
        {REASON_AUTH_FAILED, NM_VPN_PLUGIN_FAILURE_LOGIN_FAILED},
        {REASON_PASSWORD_EXPIRED, NM_VPN_PLUGIN_FAILURE_LOGIN_FAILED},
        {REASON_SECRET_MISSING, NM_VPN_PLUGIN_FAILURE_LOGIN_FAILED},
        {REASON_PIN_WRONG, NM_VPN_PLUGIN_FAILURE_LOGIN_FAILED},
        {REASON_PIN_LOCKED, NM_VPN_PLUGIN_FAILURE_LOGIN_FAILED},
        {REASON_HOST_CONFIG, NM_VPN_PLUGIN_FAILURE_BAD_IP_CONFIG},
        {REASON_TS_UNACCEPTABLE, NM_VPN_PLUGIN_FAILURE_BAD_IP_CONFIG},
        {REASON_ADDRESS_UNAVAILABLE, NM_VPN_PLUGIN_FAILURE_BAD_IP_CONFIG},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].reason == reason) {
            return rows[i].failure;
        }
    }
    return NM_VPN_PLUGIN_FAILURE_CONNECT_FAILED;
}

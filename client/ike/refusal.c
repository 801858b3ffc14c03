/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdio.h>

#include "common/i18n.h"

/* What the error notifies of a gateway mean to a user, by phase (RFC 7296 3.10.1). */

struct refusal_row {
    uint16_t type;
    enum reason reason;
    const char *sentence;
};

static const struct refusal_row init_rows[] = {
    {N_INVALID_MAJOR_VERSION, REASON_GATEWAY_REFUSED,
     N_("the gateway does not speak IKE version 2; it may be set up for IKEv1 (L2TP or Cisco "
        "IPsec) only")},
    {N_INVALID_SYNTAX, REASON_GATEWAY_REFUSED,
     N_("the gateway calls our first message malformed or refuses it by policy")},
    {N_UNSUPPORTED_CRITICAL_PAYLOAD, REASON_GATEWAY_REFUSED,
     N_("the gateway does not know a payload of our first message")},
};

static const struct refusal_row auth_rows[] = {
    {N_NO_PROPOSAL_CHOSEN, REASON_NO_PROPOSAL_CHOSEN,
     N_("the gateway accepts none of the offered ESP algorithms, or has no connection for this "
        "user")},
    {N_TS_UNACCEPTABLE, REASON_TS_UNACCEPTABLE,
     N_("the gateway does not allow the requested networks")},
    {N_SINGLE_PAIR_REQUIRED, REASON_TS_UNACCEPTABLE,
     N_("the gateway allows one pair of addresses only")},
    {N_INTERNAL_ADDRESS_FAILURE, REASON_ADDRESS_UNAVAILABLE,
     N_("the gateway has no internal address to assign; its pool may be used up")},
    {N_FAILED_CP_REQUIRED, REASON_ADDRESS_UNAVAILABLE,
     N_("the gateway wants clients to ask for an internal address, and the profile does not ask "
        "for the right one")},
    {N_NO_ADDITIONAL_SAS, REASON_GATEWAY_REFUSED, N_("the gateway accepts no more connections")},
    {N_TEMPORARY_FAILURE, REASON_GATEWAY_REFUSED, N_("the gateway is busy; try again in a moment")},
    {N_AUTHORIZATION_FAILED, REASON_AUTH_FAILED,
     N_("the gateway knows the user, but does not allow the connection")},
    {N_INVALID_SYNTAX, REASON_GATEWAY_REFUSED, N_("the gateway calls our message malformed")},
    {N_UNSUPPORTED_CRITICAL_PAYLOAD, REASON_GATEWAY_REFUSED,
     N_("the gateway does not know a payload of our message")},
    {N_INVALID_IKE_SPI, REASON_GATEWAY_REFUSED,
     N_("the gateway has forgotten the negotiation; it may have restarted")},
};

bool refusal_find(const struct message *message, struct notify *out)
{
    const struct payload *payload;

    for (size_t i = 0; (payload = message_find(message, P_NOTIFY, i)) != NULL; i++) {
        if (notify_parse(out, payload->body) == OK && notify_is_error(out->type)) {
            return true;
        }
    }
    return false;
}

bool refusal_transient(uint16_t type)
{
    static const uint16_t types[] = {
        N_INVALID_IKE_SPI,
        N_NO_ADDITIONAL_SAS,
        N_INTERNAL_ADDRESS_FAILURE,
        N_TEMPORARY_FAILURE,
        8193, /* MAX_CONNECTION_REACHED and NETWORK_FAILURE (3GPP TS 24.302 8.1.2.2) */
        10500,
        15500, /* CONGESTION (the same) */
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i] == type) {
            return true;
        }
    }
    return false;
}

static const struct refusal_row *find_row(const struct refusal_row *rows, size_t n, uint16_t type)
{
    for (size_t i = 0; i < n; i++) {
        if (rows[i].type == type) {
            return &rows[i];
        }
    }
    return NULL;
}

static void offered_text(const struct proposal_list *list, char *out, size_t cap)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < list->n && used + 2 < cap; i++) {
        char text[512];
        int len = snprintf(out + used, cap - used, "%s%s", i > 0 ? "," : "",
                           proposal_text(&list->items[i], text, sizeof text));

        used += len > 0 ? (size_t)len : 0;
    }
}

enum reason refusal_init(const struct ike *ike, const struct notify *notify, char *out, size_t cap)
{
    const struct refusal_row *row =
        find_row(init_rows, sizeof init_rows / sizeof init_rows[0], notify->type);
    char name[64];
    char text[700];

    (void)notify_name(notify->type, name, sizeof name);
    if (notify->type == N_NO_PROPOSAL_CHOSEN) {
        offered_text(&ike->offer_ike, text, sizeof text);
        (void)snprintf(out, cap,
                       _("IKE_SA_INIT: the gateway accepts none of the offered IKE algorithms "
                         "(%s). Offered: %s"),
                       name, text);
        return REASON_NO_PROPOSAL_CHOSEN;
    }
    if (notify->type == N_INVALID_KE_PAYLOAD && notify->data.len == 2) {
        uint16_t id = (uint16_t)(notify->data.data[0] << 8 | notify->data.data[1]);

        (void)snprintf(out, cap,
                       _("IKE_SA_INIT: the gateway insists on the key exchange method %s, which "
                         "was not offered or has been "
                         "tried (%s)."),
                       alg_describe(TRANSFORM_KE, id, 0, text, sizeof text), name);
        return REASON_NO_PROPOSAL_CHOSEN;
    }
    if (row != NULL) {
        (void)snprintf(out, cap, "IKE_SA_INIT: %s (%s).", _(row->sentence), name);
        return row->reason;
    }
    (void)snprintf(out, cap, _("IKE_SA_INIT: the gateway refused with %s."), name);
    return REASON_GATEWAY_REFUSED;
}

/* AUTHENTICATION_FAILED says nothing of itself; what we were doing says more. */
static void authentication_failed(struct ike *ike)
{
    char id[256];

    (void)id_text(&ike->auth.local_id, id, sizeof id);
    if (ike->state == ST_FINISH_SENT) {
        ike_close(ike, CLOSE_SILENTLY, REASON_AUTH_FAILED,
                  _("IKE_AUTH: the gateway accepted the password, but then refused this user or "
                    "our proof of the password "
                    "(AUTHENTICATION_FAILED)."));
    } else if (ike->state == ST_EAP_SENT && eap_note(ike->auth.eap)->reason != REASON_NONE) {
        auth_eap_failed(ike);
    } else if (ike->state == ST_EAP_SENT) {
        ike_close(ike, CLOSE_SILENTLY, REASON_AUTH_FAILED,
                  _("IKE_AUTH: the gateway refused the user (AUTHENTICATION_FAILED); user name or "
                    "password may be wrong."));
    } else if (ike->config.auth == IKE_AUTH_EAP) {
        ike_close(
            ike, CLOSE_SILENTLY, REASON_AUTH_FAILED,
            _("IKE_AUTH: the gateway refused before asking for a user name "
              "(AUTHENTICATION_FAILED): it may know no "
              "connection for the identity “%s”, or not offer user names and passwords (EAP)."),
            id);
    } else if (ike->config.auth == IKE_AUTH_PSK) {
        ike_close(ike, CLOSE_SILENTLY, REASON_AUTH_FAILED,
                  _("IKE_AUTH: the gateway refused the pre-shared key or the identity “%s” "
                    "(AUTHENTICATION_FAILED)."),
                  id);
    } else {
        ike_close(ike, CLOSE_SILENTLY, REASON_AUTH_FAILED,
                  _("IKE_AUTH: the gateway refused our certificate or the identity “%s” "
                    "(AUTHENTICATION_FAILED)."),
                  id);
    }
}

static void close_by(struct ike *ike, enum close_how how, const char *during,
                     const struct notify *notify)
{
    const struct refusal_row *row =
        find_row(auth_rows, sizeof auth_rows / sizeof auth_rows[0], notify->type);
    char name[64];
    char text[700];

    (void)notify_name(notify->type, name, sizeof name);
    if (how == CLOSE_NOT_YET) {
        ike->opening.transient = refusal_transient(notify->type);
    } else if (ike->ending.reason == REASON_NONE) {
        ike->ending.transient = refusal_transient(notify->type);
    }
    if (notify->type == N_INVALID_SYNTAX && ike->init.childless && !ike->config.childless) {
        ike_close(
            ike, how, row->reason,
            _("%s: %s (%s). It may want to make the first Child SA on its own: set childless."),
            during, _(row->sentence), name);
    } else if (notify->type == N_NO_PROPOSAL_CHOSEN) {
        offered_text(&ike->offer.proposals, text, sizeof text);
        ike_close(ike, how, row->reason, "%s: %s (%s). %s %s", during, _(row->sentence), name,
                  _("Offered:"), text);
    } else if (notify->type == N_TS_UNACCEPTABLE) {
        ike_close(ike, how, row->reason, "%s: %s (%s): %s", during, _(row->sentence), name,
                  ts_text(&ike->offer.remote, text, sizeof text));
    } else if (row != NULL) {
        ike_close(ike, how, row->reason, "%s: %s (%s).", during, _(row->sentence), name);
    } else {
        ike_close(ike, how, REASON_GATEWAY_REFUSED, _("%s: the gateway refused with %s."), during,
                  name);
    }
}

enum err refusal_auth(struct ike *ike, const struct message *message, enum ike_state *next)
{
    struct notify notify;

    if (refusal_find(message, &notify)) {
        if (notify.type == N_AUTHENTICATION_FAILED && auth_begin_again(ike)) {
            *next = ike->state;
        } else if (notify.type == N_AUTHENTICATION_FAILED) {
            authentication_failed(ike);
        } else {
            close_by(ike, CLOSE_SILENTLY, "IKE_AUTH", &notify);
        }
    }
    return OK;
}

void refusal_child(struct ike *ike, const struct notify *notify, enum close_how how,
                   const char *during)
{
    if (notify->type == N_AUTHENTICATION_FAILED) {
        authentication_failed(ike);
    } else {
        close_by(ike, how, during, notify);
    }
}

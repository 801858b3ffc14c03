/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdio.h>

#include "common/domain_name.h"
#include "common/i18n.h"

/*
 * The gateway sends us to another one (RFC 5685). Nothing changes by it but where the carrier goes
 * on: the next gateway has to prove the same identity.
 */

enum gateway_ident { GATEWAY_IPV4 = 1, GATEWAY_IPV6 = 2, GATEWAY_FQDN = 3 };

#define PATIENCE_US UINT64_C(1000000)

struct redirect {
    char gateway[DOMAIN_NAME_MAX]; /* an address or a name */
    const char *fault;             /* NULL = it can be followed; a translated sentence's end */
    struct bytes nonce;
};

void redirect_offer(const struct ike *ike, struct chain *chain)
{
    const struct bytes none = {0};
    uint8_t data[2 + sizeof ike->redirected_from];
    struct writer w = writer_of(data, sizeof data);
    struct bytes from = ike->config.redirected_from;

    if (from.len == 0) {
        notify_write(chain, 0, none, N_REDIRECT_SUPPORTED, none);
        return;
    }
    wr_u8(&w, from.len == 4 ? GATEWAY_IPV4 : GATEWAY_IPV6);
    wr_u8(&w, (uint8_t)from.len);
    wr_bytes(&w, from);
    notify_write(chain, 0, none, N_REDIRECTED_FROM, wr_written(&w));
}

/* ---- reading ---- */

static const char *read_address(const struct ike *ike, struct redirect *out, enum family family,
                                struct bytes identity)
{
    char text[ADDR_TEXT_MAX];
    struct addr addr;

    if (identity.len != addr_len(family)) {
        return _("a malformed address");
    }
    addr = addr_of(family, identity.data);
    (void)snprintf(out->gateway, sizeof out->gateway, "%s", addr_text(&addr, text));
    if (!addr_is_assignable(&addr)) {
        return _("an address that no gateway can have");
    }
    if (addr_equal(&addr, &ike->path.remote.addr)) {
        return _("itself");
    }
    return addr_equal(&addr, &ike->path.local.addr) ? _("this computer") : NULL;
}

static const char *read_name(struct redirect *out, struct bytes identity)
{
    if (!domain_name_read(out->gateway, identity) || domain_name_is_number(out->gateway)) {
        out->gateway[0] = '\0';
        return _("a malformed name");
    }
    return NULL;
}

static void read_redirect(const struct ike *ike, struct redirect *out, struct bytes data)
{
    struct reader r = reader_of(data);
    uint8_t type = rd_u8(&r);
    struct bytes identity = rd_bytes(&r, rd_u8(&r));

    out->nonce = rd_rest(&r);
    if (r.failed) {
        out->fault = _("nothing");
    } else if (type == GATEWAY_IPV4 || type == GATEWAY_IPV6) {
        out->fault =
            read_address(ike, out, type == GATEWAY_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6, identity);
    } else if (type == GATEWAY_FQDN) {
        out->fault = read_name(out, identity);
    } else {
        out->fault = _("a gateway that it describes in an unknown way");
    }
}

/* The first one of a message; false when there is none. */
static bool find(const struct ike *ike, const struct message *message, struct redirect *out)
{
    struct notify notify;

    *out = (struct redirect){0};
    if (!notify_find(message, N_REDIRECT, &notify)) {
        return false;
    }
    read_redirect(ike, out, notify.data);
    return true;
}

/* The same in a protected message, where a nonce must not be (RFC 5685 9.2). */
static bool find_protected(const struct ike *ike, const struct message *message,
                           struct redirect *out)
{
    if (!find(ike, message, out)) {
        return false;
    }
    if (out->fault == NULL && out->nonce.len > 0) {
        out->fault = _("a gateway that it describes with octets too many");
    }
    return true;
}

/* ---- following ---- */

static void announce(struct ike *ike, const struct redirect *redirect)
{
    rung_note(ike, "redirect to %s", redirect->gateway);
    ike_emit(ike, &(struct ike_event){.type = IKE_EVENT_REDIRECT, .text = redirect->gateway});
}

/* Ends the attempt at this gateway. */
static void leave(struct ike *ike, const struct redirect *redirect, enum close_how how,
                  const char *exchange)
{
    char text[ADDR_TEXT_MAX];

    announce(ike, redirect);
    ike_close(ike, how, REASON_REDIRECTED, _("%s: the gateway at %s sends us on to %s."), exchange,
              addr_text(&ike->path.remote.addr, text), redirect->gateway);
}

/* "itself (192.0.2.1)" */
static const char *fault_text(const struct redirect *redirect, char *out, size_t cap)
{
    bool known = redirect->gateway[0] != '\0';

    (void)snprintf(out, cap, "%s%s%s%s", redirect->fault, known ? " (" : "", redirect->gateway,
                   known ? ")" : "");
    return out;
}

bool redirect_answers(const struct ike *ike, const struct message *message)
{
    struct redirect redirect;

    return find(ike, message, &redirect) && secret_equal(redirect.nonce, secret_bytes(&ike->sa.ni));
}

bool redirect_init(struct ike *ike, const struct message *message, enum ike_state *next)
{
    struct redirect redirect;
    char text[DETAIL_MAX];

    if (!find(ike, message, &redirect)) {
        return false;
    }
    *next = ST_INIT_SENT;
    /* RFC 5685 3: without our nonce the response is not heard at all. */
    if (!redirect_answers(ike, message)) {
        rung_dropped(ike, "REDIRECT without our nonce");
    } else if (redirect.fault != NULL) {
        ike_suspect(ike, REASON_PROTOCOL, PATIENCE_US, _("%s: the gateway sends us on to %s."),
                    "IKE_SA_INIT", fault_text(&redirect, text, sizeof text));
    } else {
        leave(ike, &redirect, CLOSE_SILENTLY, "IKE_SA_INIT");
    }
    if (ike->state == ST_DOWN) {
        *next = ST_DOWN;
    }
    return true;
}

bool redirect_auth(struct ike *ike, const struct message *message, enum close_how how)
{
    const uint64_t goes_on = P_BIT(P_SA) | P_BIT(P_EAP);
    struct redirect redirect;
    char text[DETAIL_MAX];

    if (!find_protected(ike, message, &redirect)) {
        return false;
    }
    if (redirect.fault == NULL) {
        if (ike->ending.wanted) {
            ike_close(ike, how, REASON_USER, "%s", "");
        } else {
            leave(ike, &redirect, how, "IKE_AUTH");
        }
        return true;
    }
    rung_note(ike, "REDIRECT is not followed");
    if ((message->present & goes_on) != 0) {
        return false;
    }
    ike_close(ike, how, REASON_PROTOCOL, _("%s: the gateway sends us on to %s."), "IKE_AUTH",
              fault_text(&redirect, text, sizeof text));
    return true;
}

void redirect_established(struct ike *ike, const struct message *message)
{
    struct redirect redirect;

    if (ike->state != ST_UP || !find_protected(ike, message, &redirect)) {
        return;
    }
    if (redirect.fault == NULL) {
        announce(ike, &redirect);
    } else {
        rung_note(ike, "REDIRECT is not followed");
    }
}

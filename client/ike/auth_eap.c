/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/i18n.h"

/* EAP inside IKE_AUTH (RFC 7296 2.16). */

#define ROUNDS_MAX 128

enum err auth_eap_new(struct ike *ike)
{
    struct eap_config config = ike->config.eap;
    enum err err;

    config.rng = &ike->config.rng;
    err = eap_new(&ike->auth.eap, &config);
    /* eap_new() has copied; what these point to is not ours to keep. */
    ike->config.eap = (struct eap_config){0};
    return err;
}

bool auth_eap_ready(const struct ike *ike)
{
    return ike->auth.eap_response.len > 0;
}

enum err auth_eap_build(struct ike *ike, struct chain *chain)
{
    chain_add(chain, P_EAP, secret_bytes(&ike->auth.eap_response));
    secret_free(&ike->auth.eap_response);
    return OK;
}

/* "EAP-MSCHAPV2" of "mschapv2". */
static void name_method(struct ike *ike)
{
    const char *name = eap_method_name(ike->auth.eap);
    char *out = ike->summary.user_auth;
    int len;

    if (name == NULL || ike->auth.eap_started) {
        return;
    }
    len = snprintf(out, sizeof ike->summary.user_auth, "EAP-%s", name);
    for (int i = 0; i < len && (size_t)i < sizeof ike->summary.user_auth; i++) {
        out[i] = (char)(out[i] == 'v' ? 'v' : toupper((unsigned char)out[i]));
    }
    ike->auth.eap_started = true;
    ike_phase(ike, IKE_PHASE_USER_AUTH, "%s", out);
}

static void ask_user(struct ike *ike)
{
    const struct eap_note *note = eap_note(ike->auth.eap);

    ike->auth.waiting_since = ike->now > 0 ? ike->now : 1;
    ike_emit(ike, &(struct ike_event){
                      .type = IKE_EVENT_SECRET,
                      .secret = eap_needs(ike->auth.eap),
                      .prompt = note != NULL ? note->message : "",
                  });
}

/* RFC 7296 2.16: AUTH proves the MSK, or without one SK_pi and SK_pr. */
static enum err succeed(struct ike *ike, enum ike_state *next)
{
    uint8_t msk[EAP_MSK_LEN];
    struct bytes secret_i = secret_bytes(&ike->sa.keys.pi);
    struct bytes secret_r = secret_bytes(&ike->sa.keys.pr);
    size_t len = 0;
    enum err err = eap_msk(ike->auth.eap, msk, &len);

    if (err == OK && len > 0) {
        secret_i = secret_r = bytes_of(msk, len);
    }
    if (err == OK && (!secret_set(&ike->auth.shared_i, secret_i) ||
                      !secret_set(&ike->auth.shared_r, secret_r))) {
        err = ERR_MEMORY;
    }
    secret_wipe(msk, sizeof msk);
    if (err == OK) {
        *next = ST_FINISH_TODO;
        ike_phase(ike, IKE_PHASE_USER_ACCEPTED, "%s", ike->summary.user_auth);
    }
    return err;
}

void auth_eap_failed(struct ike *ike)
{
    const struct eap_note *note = eap_note(ike->auth.eap);
    enum reason reason =
        note != NULL && note->reason != REASON_NONE ? note->reason : REASON_AUTH_FAILED;
    const char *message = note != NULL ? note->message : "";

    /* Our method refused the gateway, not the gateway us: say so to it (RFC 7296 2.21.2). */
    ike_close(ike, reason == REASON_GATEWAY_AUTH_FAILED ? CLOSE_AUTH_FAILED : CLOSE_SILENTLY,
              reason, "%s%s%s", ike->summary.user_auth[0] != '\0' ? ike->summary.user_auth : "EAP",
              *message != '\0' ? ": " : _(": the gateway refused the user."), message);
}

static enum err follow(struct ike *ike, enum eap_verdict verdict, const struct writer *response,
                       enum ike_state *next)
{
    name_method(ike);
    switch (verdict) {
    case EAP_RESPOND:
        if (response->failed) {
            return ERR_SPACE;
        }
        return secret_set(&ike->auth.eap_response, wr_written(response)) ? OK : ERR_MEMORY;
    case EAP_SECRET:
        ask_user(ike);
        return OK;
    case EAP_SUCCESS:
        return succeed(ike, next);
    case EAP_FAILURE:
        auth_eap_failed(ike);
        return OK;
    case EAP_IGNORE:
        /* IKEv2 is lock-step: without a response to send nothing would ever come again. */
        ike_close(ike, CLOSE_SILENTLY, REASON_PROTOCOL,
                  _("EAP: the gateway sent a packet that makes no sense."));
        return OK;
    }
    return ERR_STATE;
}

enum err auth_eap(struct ike *ike, const struct message *message, enum ike_state *next)
{
    uint8_t *buffer = malloc(EAP_PACKET_MAX);
    struct writer response = writer_of(buffer, buffer != NULL ? EAP_PACKET_MAX : 0);
    enum eap_verdict verdict;
    struct notify notify;
    enum err err;

    if (buffer == NULL) {
        return ERR_MEMORY;
    }
    verdict = eap_input(ike->auth.eap, message_find(message, P_EAP, 0)->body, &response);
    if (verdict != EAP_FAILURE && refusal_find(message, &notify)) {
        err = refusal_auth(ike, message, next);
    } else if (++ike->auth.rounds > ROUNDS_MAX) {
        ike_close(ike, CLOSE_SILENTLY, REASON_PROTOCOL, _("EAP: the gateway comes to no end."));
        err = OK;
    } else {
        err = follow(ike, verdict, &response, next);
    }
    secret_wipe(buffer, response.len);
    free(buffer);
    return err;
}

void auth_eap_provide(struct ike *ike, enum eap_secret secret, struct bytes value)
{
    enum ike_state next = ST_EAP_TODO;
    uint8_t *buffer;
    struct writer response;
    enum err err;

    ike->connect_deadline += ike->now - ike->auth.waiting_since;
    ike->auth.waiting_since = 0;
    if (value.len == 0) {
        ike_close(ike, CLOSE_SILENTLY, REASON_SECRET_MISSING, "%s", "");
        return;
    }
    buffer = malloc(EAP_PACKET_MAX);
    response = writer_of(buffer, buffer != NULL ? EAP_PACKET_MAX : 0);
    err = buffer == NULL ? ERR_MEMORY : eap_provide(ike->auth.eap, secret, value);
    if (err == OK && secret == EAP_SECRET_USER) {
        err = resume_profile(ike, value);
    }
    if (err == OK) {
        err = follow(ike, eap_resume(ike->auth.eap, &response), &response, &next);
    }
    if (err != OK) {
        ike_close_error(ike, err, "EAP");
    } else if (ike->state == ST_EAP_TODO) {
        ike->state = next;
    }
    if (buffer != NULL) {
        secret_wipe(buffer, response.len);
    }
    free(buffer);
}

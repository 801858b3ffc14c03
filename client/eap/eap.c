/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "eap/eap.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/i18n.h"
#include "common/log.h"
#include "eap/methods.h"

enum eap_code { CODE_REQUEST = 1, CODE_RESPONSE = 2, CODE_SUCCESS = 3, CODE_FAILURE = 4 };

#define HEADER_LEN 4
#define METHODS_MAX 16
/* A conversation that has not ended by then never will: the longest known ones carry certificate
 * chains in TLS. */
#define ROUNDS_MAX 256

struct eap {
    struct eap_credentials credentials;
    char identity[EAP_USER_MAX];
    const struct eap_method *allowed[METHODS_MAX];
    size_t n_allowed;
    const struct rng *rng;

    const struct eap_method *method;
    void *state;
    bool answered; /* the method has sent a response: no Nak, no other type from here on (RFC
                      3748 2.1) */

    struct secret request; /* the last one that was answered, and its answer */
    struct secret response;
    struct secret waiting; /* the request that waits for `needs` */
    enum eap_secret needs;
    unsigned rounds;
    enum eap_verdict result; /* EAP_SUCCESS or EAP_FAILURE once it is over, else EAP_IGNORE */
    struct eap_note note;
};

/* A request taken apart. */
struct request {
    uint8_t id;
    uint8_t type;
    bool expanded;       /* came with an Expanded Type, so the answer does too (RFC 3748 5.7) */
    struct bytes packet; /* all of it */
    struct bytes data;   /* behind the type */
};

static void method_drop(struct eap *eap)
{
    if (eap->state != NULL) {
        if (eap->method->cleanup != NULL) {
            eap->method->cleanup(eap->state);
        }
        secret_wipe(eap->state, eap->method->state_size);
        free(eap->state);
    }
    eap->state = NULL;
    eap->method = NULL;
}

void eap_restart(struct eap *eap)
{
    method_drop(eap);
    secret_free(&eap->request);
    secret_free(&eap->response);
    secret_free(&eap->waiting);
    eap->answered = false;
    eap->needs = EAP_SECRET_NONE;
    eap->rounds = 0;
    eap->result = EAP_IGNORE;
    eap->note = (struct eap_note){0};
}

void eap_free(struct eap *eap)
{
    if (eap == NULL) {
        return;
    }
    eap_restart(eap);
    secret_free(&eap->credentials.password);
    secret_wipe(eap, sizeof(*eap));
    free(eap);
}

static enum err name_copy(char out[static EAP_USER_MAX], const char *name)
{
    size_t len = name != NULL ? strlen(name) : 0;

    if (len >= EAP_USER_MAX) {
        return ERR_SPACE;
    }
    if (len > 0) {
        memcpy(out, name, len);
    }
    out[len] = '\0';
    return OK;
}

static enum err methods_choose(struct eap *eap, const uint8_t *types, size_t n)
{
    const struct eap_method *method;

    for (size_t i = 0; types == NULL ? eap_method_at(i) != NULL : i < n; i++) {
        method = types == NULL ? eap_method_at(i) : eap_method_find(types[i]);
        if (method == NULL || eap->n_allowed == METHODS_MAX) {
            return ERR_UNSUPPORTED;
        }
        eap->allowed[eap->n_allowed++] = method;
    }
    return eap->n_allowed > 0 ? OK : ERR_UNSUPPORTED;
}

enum err eap_new(struct eap **out, const struct eap_config *config)
{
    struct eap *eap = calloc(1, sizeof(*eap));
    enum err err;

    *out = NULL;
    if (eap == NULL) {
        return ERR_MEMORY;
    }
    eap->rng = config->rng;
    eap->result = EAP_IGNORE;
    eap->credentials.have_password = config->have_password || config->password.len > 0;
    err = name_copy(eap->identity, config->identity);
    if (err == OK) {
        err = name_copy(eap->credentials.user, config->user);
    }
    if (err == OK) {
        err = methods_choose(eap, config->methods, config->n_methods);
    }
    if (err == OK && !secret_set(&eap->credentials.password, config->password)) {
        err = ERR_MEMORY;
    }
    if (err != OK) {
        eap_free(eap);
        return err;
    }
    *out = eap;
    return OK;
}

static enum eap_verdict fail(struct eap *eap, enum reason reason, const char *message)
{
    eap->result = eap_fail(&eap->note, reason, message);
    eap->needs = EAP_SECRET_NONE;
    return eap->result;
}

static bool is_allowed(const struct eap *eap, const struct eap_method *method)
{
    for (size_t i = 0; i < eap->n_allowed; i++) {
        if (eap->allowed[i] == method) {
            return true;
        }
    }
    return false;
}

static void wr_type(struct writer *w, uint8_t type, bool expanded)
{
    if (expanded) {
        wr_u8(w, EAP_EXPANDED);
        wr_zeros(w, 3); /* vendor 0: the IETF's own types */
        wr_u32(w, type);
    } else {
        wr_u8(w, type);
    }
}

/* RFC 3748 5.3.1 and 5.3.2: what we would do instead. */
static enum eap_verdict answer_nak(struct eap *eap, const struct request *request,
                                   struct writer *response)
{
    bool expanded = request->expanded || request->type == EAP_EXPANDED;
    char asked[32];
    char allowed[METHODS_MAX * 16] = "";
    size_t used = 0;

    wr_type(response, EAP_NAK, expanded);
    for (size_t i = 0; i < eap->n_allowed; i++) {
        wr_type(response, eap->allowed[i]->type, expanded);
        if (used < sizeof(allowed)) {
            used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, "%s%s",
                                     i > 0 ? ", " : "", eap->allowed[i]->label);
        }
    }
    snprintf(eap->note.message, sizeof(eap->note.message),
             "the gateway asked for EAP %s; what this client offers: %s",
             eap_type_name(request->type, asked, sizeof(asked)), allowed);
    return EAP_RESPOND;
}

static enum eap_verdict answer_identity(struct eap *eap, const struct request *request,
                                        struct writer *response)
{
    const char *identity = eap->identity[0] != '\0' ? eap->identity : eap->credentials.user;

    /* RFC 3748 2.1: "Identity Requery is not supported". */
    if (eap->answered) {
        return EAP_IGNORE;
    }
    if (identity[0] == '\0') {
        return EAP_SECRET;
    }
    wr_type(response, EAP_IDENTITY, request->expanded);
    wr_bytes(response, bytes_of_string(identity));
    return EAP_RESPOND;
}

static enum eap_verdict answer_notification(struct eap *eap, const struct request *request,
                                            struct writer *response)
{
    if (eap->note.reason == REASON_NONE) {
        text_printable(request->data, eap->note.message, sizeof(eap->note.message));
    }
    wr_type(response, EAP_NOTIFICATION, request->expanded);
    return EAP_RESPOND;
}

static enum eap_verdict run_method(struct eap *eap, const struct request *request,
                                   struct writer *response)
{
    const struct eap_method *method = eap_method_find(request->type);
    struct eap_context context = {
        .credentials = &eap->credentials,
        .rng = eap->rng,
        .note = &eap->note,
        .identifier = request->id,
    };
    enum eap_verdict verdict;

    if (eap->answered && method != eap->method) {
        return EAP_IGNORE;
    }
    if (method == NULL || !is_allowed(eap, method)) {
        return answer_nak(eap, request, response);
    }
    if (method != eap->method) {
        method_drop(eap);
        eap->state = calloc(1, method->state_size);
        if (eap->state == NULL) {
            return eap_fail(&eap->note, REASON_INTERNAL, N_("out of memory"));
        }
        eap->method = method;
    }
    wr_type(response, request->type, request->expanded);
    verdict = method->step(eap->state, &context, request->data, response);
    if (verdict == EAP_RESPOND) {
        eap->answered = true;
    }
    return verdict;
}

static enum eap_verdict answer(struct eap *eap, const struct request *request,
                               struct writer *response)
{
    switch (request->type) {
    case 0:
    case EAP_NAK: /* only ever a response (RFC 3748 5.3) */
        return EAP_IGNORE;
    case EAP_IDENTITY:
        return answer_identity(eap, request, response);
    case EAP_NOTIFICATION:
        return answer_notification(eap, request, response);
    default:
        return run_method(eap, request, response);
    }
}

static bool request_parse(struct request *out, struct bytes packet)
{
    struct reader r = reader_of(packet);
    struct reader inner;
    uint32_t vendor;
    uint32_t vendor_type;

    *out = (struct request){.packet = packet};
    rd_skip(&r, 1);
    out->id = rd_u8(&r);
    rd_skip(&r, 2);
    out->type = rd_u8(&r);
    if (!r.failed && out->type == EAP_EXPANDED) {
        inner = r;
        vendor = (uint32_t)rd_u8(&inner) << 16;
        vendor |= rd_u16(&inner);
        vendor_type = rd_u32(&inner);
        if (inner.failed) {
            return false;
        }
        /* RFC 3748 5.7: vendor 0 with a small type is that type in another spelling. */
        if (vendor == 0 && vendor_type < EAP_EXPANDED) {
            out->type = (uint8_t)vendor_type;
            out->expanded = true;
            r = inner;
        }
    }
    out->data = rd_rest(&r);
    return !r.failed;
}

/* Completes the response begun at `start`, or takes it back. */
static enum eap_verdict finish(struct eap *eap, enum eap_verdict verdict,
                               const struct request *request, struct writer *response, size_t start)
{
    size_t len = response->len - start;

    if (verdict == EAP_RESPOND && (response->failed || len > EAP_PACKET_MAX)) {
        verdict = eap_fail(&eap->note, REASON_INTERNAL, N_("the EAP response does not fit"));
    }
    if (verdict == EAP_RESPOND) {
        wr_patch_u16(response, start + 2, (uint16_t)len);
        if (!secret_set(&eap->request, request->packet) ||
            !secret_set(&eap->response, bytes_of(response->start + start, len))) {
            verdict = eap_fail(&eap->note, REASON_INTERNAL, N_("out of memory"));
        }
    }
    if (verdict == EAP_SECRET) {
        eap->needs = eap->credentials.user[0] == '\0' ? EAP_SECRET_USER : EAP_SECRET_PASSWORD;
        if (!secret_set(&eap->waiting, request->packet)) {
            verdict = eap_fail(&eap->note, REASON_INTERNAL, N_("out of memory"));
        }
    }
    if (verdict == EAP_FAILURE) {
        return fail(eap, REASON_PROTOCOL, N_("the EAP method gave up"));
    }
    return verdict;
}

static enum eap_verdict handle_request(struct eap *eap, struct bytes packet,
                                       struct writer *response)
{
    struct request request;
    size_t start = response->len;
    enum eap_verdict verdict;

    /* RFC 3748 4.1: the same request again gets the same response, and the method does not see it.
     */
    if (eap->request.len > 0 && bytes_equal(packet, secret_bytes(&eap->request))) {
        wr_bytes(response, secret_bytes(&eap->response));
        return response->failed ? fail(eap, REASON_INTERNAL, N_("the EAP response does not fit"))
                                : EAP_RESPOND;
    }
    if (!request_parse(&request, packet)) {
        return EAP_IGNORE;
    }
    if (++eap->rounds > ROUNDS_MAX) {
        return fail(eap, REASON_PROTOCOL, N_("the EAP conversation does not end"));
    }
    eap->needs = EAP_SECRET_NONE;
    wr_u8(response, CODE_RESPONSE);
    wr_u8(response, request.id);
    wr_u16(response, 0);
    verdict = finish(eap, answer(eap, &request, response), &request, response, start);
    if (verdict != EAP_RESPOND) {
        response->len = start;
    }
    return verdict;
}

static enum eap_verdict handle_success(struct eap *eap)
{
    /* A Success that the method did not earn would skip authentication (CVE-2021-45079). */
    if (!eap->answered || !eap->method->may_succeed(eap->state)) {
        return fail(eap, REASON_PROTOCOL, N_("EAP-Success before the authentication was complete"));
    }
    eap->result = EAP_SUCCESS;
    return EAP_SUCCESS;
}

static enum eap_verdict handle_failure(struct eap *eap)
{
    /* A notification or our own Nak is the best explanation there is. */
    if (eap->note.reason == REASON_NONE && eap->note.message[0] != '\0') {
        eap->note.reason = REASON_AUTH_FAILED;
    }
    return fail(eap, REASON_AUTH_FAILED, N_("the gateway ended EAP without a reason"));
}

enum eap_verdict eap_input(struct eap *eap, struct bytes packet, struct writer *response)
{
    struct reader r = reader_of(packet);
    uint8_t code = rd_u8(&r);
    size_t len;

    rd_skip(&r, 1);
    len = rd_u16(&r);
    /* RFC 3748 4: too long for what came = discard; what lies behind Length = padding. */
    if (eap->result != EAP_IGNORE || r.failed || len < HEADER_LEN || len > packet.len) {
        return EAP_IGNORE;
    }
    packet.len = len;
    switch (code) {
    case CODE_REQUEST:
        return handle_request(eap, packet, response);
    case CODE_SUCCESS:
        return len == HEADER_LEN ? handle_success(eap) : EAP_IGNORE;
    case CODE_FAILURE:
        if (len != HEADER_LEN) {
            return EAP_IGNORE;
        }
        return handle_failure(eap);
    default:
        return EAP_IGNORE;
    }
}

enum eap_secret eap_needs(const struct eap *eap)
{
    return eap->needs;
}

enum err eap_provide(struct eap *eap, enum eap_secret secret, struct bytes value)
{
    if (secret == EAP_SECRET_NONE || secret != eap->needs) {
        return ERR_STATE;
    }
    if (secret == EAP_SECRET_PASSWORD) {
        if (!secret_set(&eap->credentials.password, value)) {
            return ERR_MEMORY;
        }
        eap->credentials.have_password = true;
        return OK;
    }
    if (value.len == 0 || memchr(value.data, '\0', value.len) != NULL) {
        return ERR_SYNTAX;
    }
    if (value.len >= EAP_USER_MAX) {
        return ERR_SPACE;
    }
    memcpy(eap->credentials.user, value.data, value.len);
    eap->credentials.user[value.len] = '\0';
    return OK;
}

enum eap_verdict eap_resume(struct eap *eap, struct writer *response)
{
    struct secret request = {0};
    enum eap_verdict verdict;

    if (eap->needs == EAP_SECRET_NONE || eap->result != EAP_IGNORE) {
        return EAP_IGNORE;
    }
    secret_move(&request, &eap->waiting);
    verdict = handle_request(eap, secret_bytes(&request), response);
    secret_free(&request);
    return verdict;
}

enum err eap_msk(const struct eap *eap, uint8_t out[static EAP_MSK_LEN], size_t *len)
{
    *len = 0;
    if (eap->result != EAP_SUCCESS) {
        return ERR_STATE;
    }
    if (!eap->method->makes_msk) {
        return OK;
    }
    *len = EAP_MSK_LEN;
    return eap->method->msk(eap->state, out);
}

const struct eap_note *eap_note(const struct eap *eap)
{
    return &eap->note;
}

const char *eap_method_name(const struct eap *eap)
{
    return eap->method != NULL ? eap->method->name : NULL;
}

static void describe_nak(struct bytes data, char *out, size_t cap)
{
    char name[32];
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < data.len && used < cap; i++) {
        used += (size_t)snprintf(out + used, cap - used, "%s%s", i > 0 ? "," : "",
                                 eap_type_name(data.data[i], name, sizeof(name)));
    }
}

static void describe_data(const struct request *request, bool is_request, char *out, size_t cap)
{
    const struct eap_method *method = eap_method_find(request->type);

    out[0] = '\0';
    if (request->type == EAP_IDENTITY || request->type == EAP_NOTIFICATION) {
        text_printable(request->data, out, cap);
    } else if (request->type == EAP_NAK && !request->expanded) {
        describe_nak(request->data, out, cap);
    } else if (method != NULL && method->describe != NULL) {
        method->describe(is_request, request->data, out, cap);
    }
}

const char *eap_describe(struct bytes packet, char *out, size_t cap)
{
    static const char *const codes[] = {"malformed", "Request", "Response", "Success", "Failure"};
    struct reader r = reader_of(packet);
    uint8_t code = rd_u8(&r);
    uint8_t id = rd_u8(&r);
    size_t len = rd_u16(&r);
    struct request request;
    char name[32];
    char data[EAP_MESSAGE_MAX];

    if (cap == 0) {
        return out;
    }
    if (r.failed || len < HEADER_LEN || len > packet.len || code < CODE_REQUEST ||
        code > CODE_FAILURE) {
        snprintf(out, cap, "malformed EAP packet");
        return out;
    }
    packet.len = len;
    if (code == CODE_SUCCESS || code == CODE_FAILURE || !request_parse(&request, packet)) {
        snprintf(out, cap, "%s id=%u", codes[code], (unsigned)id);
        return out;
    }
    describe_data(&request, code == CODE_REQUEST, data, sizeof(data));
    snprintf(out, cap, "%s %s%s%s id=%u", codes[code],
             eap_type_name(request.type, name, sizeof(name)), data[0] != '\0' ? " " : "", data,
             (unsigned)id);
    return out;
}

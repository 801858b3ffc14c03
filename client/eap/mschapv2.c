/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "common/i18n.h"
#include "common/log.h"
#include "eap/methods.h"
#include "eap/mschapv2_crypto.h"

/* EAP-MSCHAPv2 (type 26): MS-CHAP-V2 (RFC 2759) in EAP, with the key of RFC 3079. */

enum opcode {
    OP_CHALLENGE = 1,
    OP_RESPONSE = 2,
    OP_SUCCESS = 3,
    OP_FAILURE = 4,
    OP_CHANGE_PASSWORD = 7
};

/* Named by what comes next. Each opcode is legal in few of them (the class of CVE-2015-8023). */
enum phase { PHASE_CHALLENGE = 0, PHASE_RESULT, PHASE_EAP_SUCCESS, PHASE_EAP_FAILURE };

#define HEADER_LEN 4
#define VALUE_LEN 49 /* Peer-Challenge, reserved, NT-Response, flags */

struct mschapv2 {
    enum phase phase;
    uint8_t expected[MSCHAPV2_AUTHENTICATOR_LEN]; /* what the gateway must prove */
    uint8_t msk[MSCHAPV2_MSK_LEN];
};

_Static_assert(MSCHAPV2_MSK_LEN == EAP_MSK_LEN, "the method's key is the MSK");

/* RFC 2759 section 6, in words. */
struct refusal {
    unsigned error;
    enum reason reason;
    const char *meaning;
};

static const struct refusal refusals[] = {
    {646, REASON_ACCOUNT_RESTRICTED, N_("this account may not log on at this time")},
    {647, REASON_ACCOUNT_DISABLED, N_("this account is disabled")},
    {648, REASON_PASSWORD_EXPIRED, N_("the password has expired")},
    {649, REASON_ACCOUNT_RESTRICTED, N_("this account has no permission to dial in")},
    {691, REASON_AUTH_FAILED, N_("wrong user name or password")},
    {709, REASON_AUTH_FAILED, N_("the password could not be changed")},
};

static const struct refusal *refusal_find(unsigned error)
{
    static const struct refusal unknown = {0, REASON_AUTH_FAILED,
                                           N_("the gateway refused the user")};

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (refusals[i].error == error) {
            return &refusals[i];
        }
    }
    return &unknown;
}

/* "E=691 R=0 C=<32 hex> V=3 M=text": every part optional, any order, M= last because it may hold
 * spaces. */
struct failure {
    unsigned error;
    unsigned version;
    bool retry;
    struct bytes message;
};

static unsigned decimal(struct bytes digits)
{
    unsigned value = 0;

    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned)digits.data[i] - '0';

        if (digit > 9 || value > (UINT32_MAX - digit) / 10) {
            return 0;
        }
        value = value * 10 + digit;
    }
    return value;
}

/* strongSwan ends M= with a NUL. */
static struct bytes without_trailing_nul(struct bytes text)
{
    while (text.len > 0 && text.data[text.len - 1] == '\0') {
        text.len--;
    }
    return text;
}

static struct bytes rd_word(struct reader *r)
{
    size_t len = 0;

    while (len < r->left && r->at[len] != ' ') {
        len++;
    }
    return rd_bytes(r, len);
}

static struct failure failure_parse(struct bytes text)
{
    struct reader r = reader_of(without_trailing_nul(text));
    struct failure failure = {0};

    while (r.left > 0) {
        struct reader message = r;
        struct bytes word = rd_word(&r);
        struct bytes value = {0};

        if (word.len == 0) {
            rd_skip(&r, 1);
            continue;
        }
        if (word.len < 2 || word.data[1] != '=') {
            continue;
        }
        value = bytes_of(word.data + 2, word.len - 2);
        switch (word.data[0]) {
        case 'E':
            failure.error = decimal(value);
            break;
        case 'R':
            failure.retry = decimal(value) == 1;
            break;
        case 'V':
            failure.version = decimal(value);
            break;
        case 'M':
            rd_skip(&message, 2);
            failure.message = rd_rest(&message);
            return failure;
        default:
            break;
        }
    }
    return failure;
}

static void failure_explain(const struct failure *failure, struct eap_note *note)
{
    const struct refusal *refusal = refusal_find(failure->error);
    char words[EAP_MESSAGE_MAX / 2] = "", says[EAP_MESSAGE_MAX / 2 + 80] = "";
    char code[40] = "MS-CHAPv2";

    if (failure->message.len > 0) {
        text_printable(failure->message, words, sizeof(words));
        snprintf(says, sizeof(says), _(" (the gateway says: \"%s\")"), words);
    }
    if (failure->error != 0) {
        snprintf(code, sizeof(code), "MS-CHAPv2 error %u", failure->error);
    }
    note->reason = refusal->reason;
    note->mschapv2_error = failure->error;
    /* Only version 3 of the change is defined (RFC 2759 section 6). */
    note->password_change_offered = failure->error == 648 && failure->version == 3;
    snprintf(note->message, sizeof(note->message), "%s: %s%s%s", code, _(refusal->meaning),
             note->password_change_offered ? _("; the gateway offers to change it") : "", says);
}

static enum eap_verdict respond_to_challenge(struct mschapv2 *st, struct eap_context *ctx,
                                             uint8_t id, struct reader *r, struct writer *response)
{
    const struct eap_credentials *credentials = ctx->credentials;
    struct bytes name = bytes_of_string(credentials->user);
    uint8_t hash[MSCHAPV2_HASH_LEN];
    uint8_t peer[MSCHAPV2_CHALLENGE_LEN];
    uint8_t challenge[8];
    uint8_t nt_response[MSCHAPV2_NT_RESPONSE_LEN];
    size_t value_size = rd_u8(r);
    struct bytes authenticator = rd_bytes(r, MSCHAPV2_CHALLENGE_LEN);
    enum err err;

    if (r->failed || value_size != MSCHAPV2_CHALLENGE_LEN) {
        return eap_fail(ctx->note, REASON_PROTOCOL, N_("malformed MS-CHAPv2 challenge"));
    }
    if (name.len == 0 || !credentials->have_password) {
        return EAP_SECRET;
    }
    err = mschapv2_password_hash(secret_bytes(&credentials->password), hash);
    if (err != OK) {
        return eap_fail(ctx->note, REASON_PROFILE,
                        err == ERR_SPACE ? N_("the password is longer than 256 characters")
                                         : N_("the password is not valid UTF-8"));
    }
    if (rng_fill(ctx->rng, peer, sizeof(peer)) != OK) {
        secret_wipe(hash, sizeof(hash));
        return eap_fail(ctx->note, REASON_INTERNAL, N_("no random numbers"));
    }
    mschapv2_challenge_hash(peer, authenticator.data, mschapv2_user_part(name), challenge);
    mschapv2_nt_response(challenge, hash, nt_response);
    mschapv2_authenticator_response(challenge, hash, nt_response, st->expected);
    mschapv2_msk(hash, nt_response, st->msk);
    secret_wipe(hash, sizeof(hash));

    wr_u8(response, OP_RESPONSE);
    wr_u8(response, id);
    wr_u16(response, (uint16_t)(HEADER_LEN + 1 + VALUE_LEN + name.len));
    wr_u8(response, VALUE_LEN);
    wr_bytes(response, bytes_of(peer, sizeof(peer)));
    wr_zeros(response, 8);
    wr_bytes(response, bytes_of(nt_response, sizeof(nt_response)));
    wr_u8(response, 0);
    wr_bytes(response, name);
    st->phase = PHASE_RESULT;
    return EAP_RESPOND;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "S=<40 hex> M=<message>" (RFC 2759 section 5). */
static bool success_parse(struct bytes text, uint8_t out[static MSCHAPV2_AUTHENTICATOR_LEN])
{
    if (text.len < 2 + 2 * MSCHAPV2_AUTHENTICATOR_LEN || text.data[0] != 'S' ||
        text.data[1] != '=') {
        return false;
    }
    for (size_t i = 0; i < MSCHAPV2_AUTHENTICATOR_LEN; i++) {
        int high = hex_digit(text.data[2 + 2 * i]);
        int low = hex_digit(text.data[3 + 2 * i]);

        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static enum eap_verdict check_success(struct mschapv2 *st, struct eap_context *ctx,
                                      struct bytes text, struct writer *response)
{
    uint8_t proof[MSCHAPV2_AUTHENTICATOR_LEN];

    if (!success_parse(text, proof)) {
        return eap_fail(ctx->note, REASON_PROTOCOL, N_("malformed MS-CHAPv2 success message"));
    }
    if (!secret_equal(bytes_of(proof, sizeof(proof)),
                      bytes_of(st->expected, sizeof(st->expected)))) {
        return eap_fail(ctx->note, REASON_GATEWAY_AUTH_FAILED,
                        N_("the gateway could not prove that it knows the password"));
    }
    wr_u8(response, OP_SUCCESS);
    st->phase = PHASE_EAP_SUCCESS;
    return EAP_RESPOND;
}

static enum eap_verdict step(void *state, struct eap_context *ctx, struct bytes data,
                             struct writer *response)
{
    struct mschapv2 *st = (struct mschapv2 *)state;
    struct reader r = reader_of(data);
    uint8_t opcode = rd_u8(&r);
    uint8_t id = rd_u8(&r);
    struct failure failure;

    /*
     * MS-Length repeats what EAP's own length says, and some servers get it wrong: everything below
     * is measured by the packet itself, never by this field.
     */
    rd_skip(&r, 2);
    if (r.failed) {
        return eap_fail(ctx->note, REASON_PROTOCOL, N_("truncated MS-CHAPv2 packet"));
    }
    if (opcode == OP_CHALLENGE && st->phase == PHASE_CHALLENGE) {
        return respond_to_challenge(st, ctx, id, &r, response);
    }
    if (opcode == OP_SUCCESS && st->phase == PHASE_RESULT) {
        return check_success(st, ctx, rd_rest(&r), response);
    }
    if (opcode == OP_FAILURE && (st->phase == PHASE_CHALLENGE || st->phase == PHASE_RESULT)) {
        /*
         * R=1 invites another try. With the same password that is a lock-out in the making, so this
         * conversation ends in any case and the user decides.
         */
        failure = failure_parse(rd_rest(&r));
        failure_explain(&failure, ctx->note);
        wr_u8(response, OP_FAILURE);
        st->phase = PHASE_EAP_FAILURE;
        return EAP_RESPOND;
    }
    return eap_fail(ctx->note, REASON_PROTOCOL, N_("MS-CHAPv2 packets out of order"));
}

static bool may_succeed(const void *state)
{
    return ((const struct mschapv2 *)state)->phase == PHASE_EAP_SUCCESS;
}

static enum err msk(const void *state, uint8_t out[static EAP_MSK_LEN])
{
    const struct mschapv2 *st = (const struct mschapv2 *)state;

    if (st->phase != PHASE_EAP_SUCCESS) {
        return ERR_STATE;
    }
    memcpy(out, st->msk, EAP_MSK_LEN);
    return OK;
}

static void describe(bool request, struct bytes data, char *out, size_t cap)
{
    struct reader r = reader_of(data);
    uint8_t opcode = rd_u8(&r);
    char words[EAP_MESSAGE_MAX / 2] = "";
    struct failure failure;

    rd_skip(&r, 3);
    switch (opcode) {
    case OP_CHALLENGE:
        rd_skip(&r, 1 + MSCHAPV2_CHALLENGE_LEN);
        text_printable(rd_rest(&r), words, sizeof(words));
        snprintf(out, cap, "Challenge name=%s", words);
        break;
    case OP_RESPONSE:
        rd_skip(&r, 1 + VALUE_LEN);
        text_printable(rd_rest(&r), words, sizeof(words));
        snprintf(out, cap, "Response name=%s", words);
        break;
    case OP_SUCCESS:
        snprintf(out, cap, "Success");
        break;
    case OP_FAILURE:
        if (!request) {
            snprintf(out, cap, "Failure");
            break;
        }
        failure = failure_parse(rd_rest(&r));
        text_printable(failure.message, words, sizeof(words));
        snprintf(out, cap, "Failure E=%u R=%d V=%u M=%s", failure.error, failure.retry,
                 failure.version, words);
        break;
    case OP_CHANGE_PASSWORD:
        snprintf(out, cap, "Change-Password");
        break;
    default:
        snprintf(out, cap, "opcode %u", (unsigned)opcode);
        break;
    }
}

const struct eap_method eap_mschapv2 = {
    .type = EAP_MSCHAPV2,
    .name = "mschapv2",
    .label = "MSCHAPv2",
    .state_size = sizeof(struct mschapv2),
    .makes_msk = true,
    .step = step,
    .may_succeed = may_succeed,
    .msk = msk,
    .describe = describe,
};

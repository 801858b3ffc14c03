/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "eap/mschapv2_crypto.h"
#include "eap_peer.h"

/* ---- the good case ---- */

START_TEST(mschapv2_conversation)
{
    struct eap *eap = peer();
    uint8_t msk[EAP_MSK_LEN];
    size_t len = 99;

    ck_assert_ptr_null(eap_method_name(eap));
    expect_answer(eap, REQUEST_IDENTITY, "020000090155736572");
    expect_answer(eap, REQUEST_CHALLENGE, RESPONSE_CHALLENGE);
    ck_assert_str_eq(eap_method_name(eap), "mschapv2");
    ck_assert_int_eq(eap_msk(eap, msk, &len), ERR_STATE);
    expect_answer(eap, REQUEST_SUCCESS, RESPONSE_SUCCESS);
    ck_assert_int_eq(eap_msk(eap, msk, &len), ERR_STATE);
    ck_assert_int_eq(give_hex(eap, EAP_SUCCESS_PACKET), EAP_SUCCESS);
    ck_assert_int_eq(eap_msk(eap, msk, &len), OK);
    ck_assert_octets(bytes_of(msk, len),
                     hex("d5f0e9521e3ea9589645e86051c822268b7cdc149b993a1ba118cb153f56dccb"
                         "0000000000000000000000000000000000000000000000000000000000000000"));
    ck_assert_int_eq(eap_note(eap)->reason, REASON_NONE);
    /* It is over: nothing is answered any more. */
    ck_assert_int_eq(give_hex(eap, REQUEST_IDENTITY), EAP_IGNORE);
    ck_assert_int_eq(give_hex(eap, EAP_FAILURE_PACKET), EAP_IGNORE);
    eap_free(eap);
}
END_TEST

/* What a strongSwan gateway really sent, replayed with the peer challenge of that session. */
static struct bytes trace_challenge;

static enum err trace_fill(void *context, uint8_t *to, size_t len)
{
    (void)context;
    ck_assert_uint_eq(len, trace_challenge.len);
    memcpy(to, trace_challenge.data, len);
    return OK;
}

START_TEST(strongswan_session)
{
    JsonObject *root = vectors_load("strongswan-traces/eapmsc.json");
    JsonArray *packets = vector_array(root, "eap_packets");
    struct rng rng = {.fill = trace_fill};
    struct eap_config config = example_config();
    struct eap *eap;
    uint8_t msk[EAP_MSK_LEN];
    size_t len;

    config.rng = &rng;
    eap = peer_with(&config);
    ck_assert_uint_eq(json_array_get_length(packets), 7);
    trace_challenge = hex(json_array_get_string_element(packets, 3));
    trace_challenge = bytes_of(trace_challenge.data + 10, MSCHAPV2_CHALLENGE_LEN);
    for (guint i = 0; i < 6; i += 2) {
        expect_answer(eap, json_array_get_string_element(packets, i),
                      json_array_get_string_element(packets, i + 1));
    }
    ck_assert_int_eq(give_hex(eap, json_array_get_string_element(packets, 6)), EAP_SUCCESS);
    ck_assert_int_eq(eap_msk(eap, msk, &len), OK);
    ck_assert_octets(bytes_of(msk, len),
                     vector_hex(vector_object(root, "eap_msk_check"), "EAP_MSCHAPv2_MSK_64"));
    eap_free(eap);
    json_object_unref(root);
}
END_TEST

/* "EXAMPLE\User" hashes as "User" and travels whole. */
START_TEST(domain_in_user_name)
{
    struct eap_config config = example_config();
    struct eap *eap;

    config.user = "EXAMPLE\\User";
    eap = peer_with(&config);
    expect_answer(eap, REQUEST_CHALLENGE,
                  "022100471a02210042"
                  "3121402324255e262a28295f2b3a337c7e0000000000000000"
                  "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df00"
                  "4558414d504c455c55736572");
    expect_answer(eap, REQUEST_SUCCESS, RESPONSE_SUCCESS);
    eap_free(eap);
}
END_TEST

START_TEST(outer_identity)
{
    struct eap_config config = example_config();
    struct eap *eap;

    config.identity = "anonymous@example.org";
    eap = peer_with(&config);
    ck_assert_int_eq(give_hex(eap, REQUEST_IDENTITY), EAP_RESPOND);
    ck_assert_octets(bytes_of(answer + 5, out.len - 5), bytes_of_string("anonymous@example.org"));
    expect_answer(eap, REQUEST_CHALLENGE, RESPONSE_CHALLENGE);
    eap_free(eap);
}
END_TEST

START_TEST(no_random_numbers)
{
    struct eap_config config = example_config();
    struct eap *eap;

    config.rng = &broken_rng;
    eap = peer_with(&config);
    ck_assert_int_eq(give_hex(eap, REQUEST_CHALLENGE), EAP_FAILURE);
    ck_assert_uint_eq(out.len, 0);
    expect_failure(eap, REASON_INTERNAL);
    eap_free(eap);
}
END_TEST

/* Some servers write a wrong MS-Length; EAP's own length counts. */
START_TEST(wrong_ms_length_is_harmless)
{
    struct eap *eap = peer();

    expect_answer(eap, "012100201a0121ffff105b5d7c7d7b3f2f3e3c2c602132262628736572766572",
                  RESPONSE_CHALLENGE);
    eap_free(eap);
}
END_TEST

START_TEST(empty_password_given_on_purpose)
{
    struct eap_config config = {.user = "User", .have_password = true, .rng = &fixed_rng};
    struct eap *eap = peer_with(&config);

    ck_assert_int_eq(give_hex(eap, REQUEST_CHALLENGE), EAP_RESPOND);
    eap_free(eap);
}
END_TEST

START_TEST(password_that_cannot_be_used)
{
    char text[257];
    struct eap_config config = example_config();
    struct eap *eap;

    memset(text, 'x', sizeof(text));
    config.password = bytes_of(text, sizeof(text));
    eap = peer_with(&config);
    ck_assert_int_eq(give_hex(eap, REQUEST_CHALLENGE), EAP_FAILURE);
    expect_failure(eap, REASON_PROFILE);
    eap_free(eap);
    config.password = bytes_of("\xff", 1);
    eap = peer_with(&config);
    ck_assert_int_eq(give_hex(eap, REQUEST_CHALLENGE), EAP_FAILURE);
    expect_failure(eap, REASON_PROFILE);
    eap_free(eap);
}
END_TEST

/* ---- CVE-2021-45079: EAP-Success that nobody earned, at each step ---- */

START_TEST(cve_2021_45079_early_success)
{
    static const char *const steps[] = {REQUEST_IDENTITY, "010500060d20", REQUEST_CHALLENGE};
    struct eap *eap = peer();
    uint8_t msk[EAP_MSK_LEN];
    size_t len;

    for (int i = 0; i < _i; i++) {
        ck_assert_int_eq(give_hex(eap, steps[i]), EAP_RESPOND);
    }
    ck_assert_int_eq(give_hex(eap, EAP_SUCCESS_PACKET), EAP_FAILURE);
    expect_failure(eap, REASON_PROTOCOL);
    ck_assert_int_eq(eap_msk(eap, msk, &len), ERR_STATE);
    ck_assert_uint_eq(len, 0);
    ck_assert_int_eq(give_hex(eap, REQUEST_CHALLENGE), EAP_IGNORE);
    eap_free(eap);
}
END_TEST

START_TEST(cve_2021_45079_success_after_refusal)
{
    struct eap *eap = peer();

    expect_answer(eap, REQUEST_CHALLENGE, RESPONSE_CHALLENGE);
    ck_assert_int_eq(give(eap, mschapv2_packet(1, 4, "E=691 R=0 V=3 M=no")), EAP_RESPOND);
    ck_assert_int_eq(give_hex(eap, EAP_SUCCESS_PACKET), EAP_FAILURE);
    expect_failure(eap, REASON_AUTH_FAILED);
    eap_free(eap);
}
END_TEST

/* While the password is being asked for, the method exists but has not answered. */
START_TEST(cve_2021_45079_success_while_waiting)
{
    struct eap_config config = {.user = "User", .rng = &fixed_rng};
    struct eap *eap = peer_with(&config);

    ck_assert_int_eq(give_hex(eap, REQUEST_CHALLENGE), EAP_SECRET);
    ck_assert_int_eq(give_hex(eap, EAP_SUCCESS_PACKET), EAP_FAILURE);
    expect_failure(eap, REASON_PROTOCOL);
    eap_free(eap);
}
END_TEST

/* ---- CVE-2015-8023: every opcode in every phase ---- */

enum { C_CHALLENGE, C_SUCCESS, C_FAILURE, C_RESPONSE, C_CHANGE, C_UNKNOWN, C_COUNT };
enum { P_START, P_RESPONDED, P_PROVED, P_REFUSED, P_COUNT };

START_TEST(cve_2015_8023_opcode_matrix)
{
    static const bool legal[P_COUNT][C_COUNT] = {
        [P_START] = {[C_CHALLENGE] = true, [C_FAILURE] = true},
        [P_RESPONDED] = {[C_SUCCESS] = true, [C_FAILURE] = true},
    };
    static const char *const success = "S=407A5589115FD0D6209F510FE9C04566932CDA56 M=again";
    static const uint8_t opcodes[C_COUNT] = {1, 3, 4, 2, 7, 0};
    int phase = _i / C_COUNT;
    int cell = _i % C_COUNT;
    struct eap *eap = peer();
    struct bytes packet = mschapv2_packet(1, opcodes[cell], cell == C_SUCCESS ? success : "E=691");
    enum eap_verdict verdict;

    if (cell == C_CHALLENGE) {
        /* not the same as REQUEST_CHALLENGE, or the core would repeat its answer */
        packet = hex("012300201a0123001b10000102030405060708090a0b0c0d0e0f736572766572");
    }
    if (phase >= P_RESPONDED) {
        expect_answer(eap, REQUEST_CHALLENGE, RESPONSE_CHALLENGE);
    }
    if (phase == P_PROVED) {
        expect_answer(eap, REQUEST_SUCCESS, RESPONSE_SUCCESS);
    }
    if (phase == P_REFUSED) {
        ck_assert_int_eq(give(eap, mschapv2_packet(1, 4, "E=648 V=3")), EAP_RESPOND);
    }
    verdict = give(eap, packet);
    if (legal[phase][cell]) {
        ck_assert_int_eq(verdict, EAP_RESPOND);
    } else {
        ck_assert_int_eq(verdict, EAP_FAILURE);
        ck_assert_uint_eq(out.len, 0);
        expect_failure(eap, phase == P_REFUSED ? REASON_PASSWORD_EXPIRED : REASON_PROTOCOL);
        ck_assert_int_eq(give_hex(eap, EAP_SUCCESS_PACKET), EAP_IGNORE);
    }
    eap_free(eap);
}
END_TEST

/* ---- CVE-2025-62291: a Failure of every length from the EAP header to a few octets of text ----
 */

START_TEST(cve_2025_62291_failure_length)
{
    static const uint8_t text[] = {1, 0x22, 0, 0, EAP_MSCHAPV2, 4, 0x21, 0, 0, 'E', '=', '6'};
    size_t len = (size_t)_i;
    uint8_t *packet = octets_copy(bytes_of(text, len));
    struct eap *eap = peer();
    enum eap_verdict verdict;

    packet[3] = (uint8_t)len;
    expect_answer(eap, REQUEST_CHALLENGE, RESPONSE_CHALLENGE);
    verdict = give(eap, bytes_of(packet, len));
    if (len < 5) {
        ck_assert_int_eq(verdict, EAP_IGNORE);
    } else if (len < 9) {
        ck_assert_int_eq(verdict, EAP_FAILURE);
        expect_failure(eap, REASON_PROTOCOL);
    } else {
        ck_assert_int_eq(verdict, EAP_RESPOND);
        ck_assert_octets(wr_written(&out), hex("022200061a04"));
        expect_failure(eap, REASON_AUTH_FAILED);
    }
    eap_free(eap);
}
END_TEST

/* The same for Challenge and Success: every truncation of a good packet. */
START_TEST(truncated_challenge)
{
    size_t len = (size_t)_i;
    uint8_t *packet = octets_copy(bytes_of(hex(REQUEST_CHALLENGE).data, len));
    struct eap *eap = peer();

    packet[3] = (uint8_t)len;
    ck_assert_int_eq(give(eap, bytes_of(packet, len)), EAP_FAILURE);
    expect_failure(eap, REASON_PROTOCOL);
    eap_free(eap);
}
END_TEST

START_TEST(truncated_success)
{
    size_t len = (size_t)_i;
    uint8_t *packet = octets_copy(bytes_of(hex(REQUEST_SUCCESS).data, len));
    struct eap *eap = peer();

    packet[3] = (uint8_t)len;
    expect_answer(eap, REQUEST_CHALLENGE, RESPONSE_CHALLENGE);
    ck_assert_int_eq(give(eap, bytes_of(packet, len)), EAP_FAILURE);
    expect_failure(eap, REASON_PROTOCOL);
    eap_free(eap);
}
END_TEST

static const char *const bad_challenges[] = {
    "012100201a0121001b0f5b5d7c7d7b3f2f3e3c2c602132262628736572766572", /* Value-Size 15 */
    "012100201a0121001b115b5d7c7d7b3f2f3e3c2c602132262628736572766572",
    "012100201a0121001b005b5d7c7d7b3f2f3e3c2c602132262628736572766572",
    "012100201a0121001bff5b5d7c7d7b3f2f3e3c2c602132262628736572766572",
};

START_TEST(bad_challenge)
{
    struct eap *eap = peer();

    ck_assert_int_eq(give_hex(eap, bad_challenges[_i]), EAP_FAILURE);
    expect_failure(eap, REASON_PROTOCOL);
    eap_free(eap);
}
END_TEST

/* ---- the gateway proves that it knows the password, too ---- */

static const struct {
    const char *text;
    enum reason reason; /* REASON_NONE = accepted */
} proofs[] = {
    {"S=407A5589115FD0D6209F510FE9C04566932CDA56", REASON_NONE},
    {"S=407A5589115FD0D6209F510FE9C04566932CDA56 M=Welcome", REASON_NONE},
    {"S=407a5589115fd0d6209f510fe9c04566932cda56 M=Welcome", REASON_NONE},
    {"S=407A5589115FD0D6209F510FE9C04566932CDA57 M=Welcome", REASON_GATEWAY_AUTH_FAILED},
    {"S=007A5589115FD0D6209F510FE9C04566932CDA56", REASON_GATEWAY_AUTH_FAILED},
    {"S=0000000000000000000000000000000000000000", REASON_GATEWAY_AUTH_FAILED},
    {"S=407A5589115FD0D6209F510FE9C04566932CDA5", REASON_PROTOCOL},
    {"S=407A5589115FD0D6209F510FE9C04566932CDA5G", REASON_PROTOCOL},
    {"S= M=Welcome to this gateway of ours, which knows nothing", REASON_PROTOCOL},
    {"M=Welcome to this gateway of ours, which knows nothing", REASON_PROTOCOL},
    {"", REASON_PROTOCOL},
};

START_TEST(authenticator_response)
{
    struct eap *eap = peer();
    enum eap_verdict verdict;

    expect_answer(eap, REQUEST_CHALLENGE, RESPONSE_CHALLENGE);
    verdict = give(eap, mschapv2_packet(1, 3, proofs[_i].text));
    if (proofs[_i].reason == REASON_NONE) {
        ck_assert_int_eq(verdict, EAP_RESPOND);
        ck_assert_int_eq(give_hex(eap, EAP_SUCCESS_PACKET), EAP_SUCCESS);
    } else {
        ck_assert_int_eq(verdict, EAP_FAILURE);
        expect_failure(eap, proofs[_i].reason);
    }
    eap_free(eap);
}
END_TEST

/* ---- refusals, explained (RFC 2759 section 6) ---- */

static const struct {
    const char *text;
    enum reason reason;
    unsigned error;
    bool change;
    const char *says;
} refusals[] = {
    {"E=691 R=1 C=00112233445566778899AABBCCDDEEFF V=3 M=Authentication failed", REASON_AUTH_FAILED,
     691, false, "Authentication failed"},
    {"E=691 R=0 V=3 M=no", REASON_AUTH_FAILED, 691, false, "wrong user name or password"},
    {"E=648 R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=expired", REASON_PASSWORD_EXPIRED, 648,
     true, "offers to change"},
    {"E=648 R=0 V=2 M=expired", REASON_PASSWORD_EXPIRED, 648, false, "expired"},
    {"E=647 R=0 V=3 M=", REASON_ACCOUNT_DISABLED, 647, false, "disabled"},
    {"E=646 R=0", REASON_ACCOUNT_RESTRICTED, 646, false, "at this time"},
    {"E=649", REASON_ACCOUNT_RESTRICTED, 649, false, "dial in"},
    {"E=709 R=0 V=3 M=x", REASON_AUTH_FAILED, 709, false, "could not be changed"},
    {"E=0000000691 R=0", REASON_AUTH_FAILED, 691, false, "wrong user name"},
    {"E=12345 M=strange", REASON_AUTH_FAILED, 12345, false, "12345"},
    {"E=99999999999999999999999999 M=huge", REASON_AUTH_FAILED, 0, false, "huge"},
    {"E=-691", REASON_AUTH_FAILED, 0, false, "refused"},
    {"E=", REASON_AUTH_FAILED, 0, false, "refused"},
    {"V=3", REASON_AUTH_FAILED, 0, false, "refused"},
    {"   =   =  E=647  ", REASON_ACCOUNT_DISABLED, 647, false, "disabled"},
    {"M=E=648 is not the code", REASON_AUTH_FAILED, 0, false, "E=648 is not the code"},
    {"E=691 M=bad\x1b[31mred\r\n", REASON_AUTH_FAILED, 691, false, "bad?[31mred??"},
};

START_TEST(refusal)
{
    struct eap *eap = peer();
    const struct eap_note *note = eap_note(eap);

    expect_answer(eap, REQUEST_CHALLENGE, RESPONSE_CHALLENGE);
    ck_assert_int_eq(give(eap, mschapv2_packet(1, 4, refusals[_i].text)), EAP_RESPOND);
    ck_assert_octets(wr_written(&out), hex("022200061a04"));
    expect_failure(eap, refusals[_i].reason);
    ck_assert_uint_eq(note->mschapv2_error, refusals[_i].error);
    ck_assert_int_eq(note->password_change_offered, refusals[_i].change);
    ck_assert_msg(strstr(note->message, refusals[_i].says) != NULL, "%s", note->message);
    ck_assert_int_eq(give_hex(eap, EAP_FAILURE_PACKET), EAP_FAILURE);
    expect_failure(eap, refusals[_i].reason);
    eap_free(eap);
}
END_TEST

/* The gateway's words are long: cut, never past the end. */
START_TEST(refusal_with_long_text)
{
    struct eap *eap = peer();
    char text[900];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memcpy(text, "E=691 M=", 8);
    expect_answer(eap, REQUEST_CHALLENGE, RESPONSE_CHALLENGE);
    ck_assert_int_eq(give(eap, mschapv2_packet(1, 4, text)), EAP_RESPOND);
    ck_assert_uint_lt(strlen(eap_note(eap)->message), EAP_MESSAGE_MAX);
    eap_free(eap);
}
END_TEST

/* R=1 offers another try with a new challenge: not with the same password. */
START_TEST(no_retry_after_refusal)
{
    struct eap *eap = peer();

    expect_answer(eap, REQUEST_CHALLENGE, RESPONSE_CHALLENGE);
    ck_assert_int_eq(give(eap, mschapv2_packet(1, 4, "E=691 R=1")), EAP_RESPOND);
    ck_assert_int_eq(
        give_hex(eap, "012300201a0123001b10000102030405060708090a0b0c0d0e0f736572766572"),
        EAP_FAILURE);
    expect_failure(eap, REASON_AUTH_FAILED);
    eap_free(eap);
}
END_TEST

/* CVE-2026-47895's class: empty values must not become owned pointers to nothing. */
START_TEST(cve_2026_47895_empty_identity_request)
{
    struct eap_config config = {
        .identity = "", .user = "", .have_password = true, .rng = &fixed_rng};
    struct eap *eap = peer_with(&config);

    ck_assert_int_eq(give_hex(eap, REQUEST_IDENTITY), EAP_SECRET);
    ck_assert_int_eq(give_hex(eap, "0102000502"), EAP_RESPOND);
    ck_assert_str_eq(eap_note(eap)->message, "");
    ck_assert_int_eq(give_hex(eap, "010300051a"), EAP_FAILURE);
    eap_free(eap);
}
END_TEST

static TCase *mschapv2_tests(void)
{
    TCase *tests = tcase_create("mschapv2");

    tcase_add_test(tests, mschapv2_conversation);
    tcase_add_test(tests, strongswan_session);
    tcase_add_test(tests, domain_in_user_name);
    tcase_add_test(tests, outer_identity);
    tcase_add_test(tests, no_random_numbers);
    tcase_add_test(tests, wrong_ms_length_is_harmless);
    tcase_add_test(tests, empty_password_given_on_purpose);
    tcase_add_test(tests, password_that_cannot_be_used);
    tcase_add_loop_test(tests, truncated_challenge, 5, 26);
    tcase_add_loop_test(tests, truncated_success, 5, 51);
    tcase_add_loop_test(tests, bad_challenge, 0, COUNT(bad_challenges));
    tcase_add_loop_test(tests, authenticator_response, 0, COUNT(proofs));
    tcase_add_loop_test(tests, refusal, 0, COUNT(refusals));
    tcase_add_test(tests, refusal_with_long_text);
    tcase_add_test(tests, no_retry_after_refusal);
    return tests;
}

static TCase *cve_tests(void)
{
    TCase *tests = tcase_create("cve");

    tcase_add_loop_test(tests, cve_2021_45079_early_success, 0, 4);
    tcase_add_test(tests, cve_2021_45079_success_after_refusal);
    tcase_add_test(tests, cve_2021_45079_success_while_waiting);
    tcase_add_loop_test(tests, cve_2015_8023_opcode_matrix, 0, P_COUNT * C_COUNT);
    tcase_add_loop_test(tests, cve_2025_62291_failure_length, 4, 13);
    tcase_add_test(tests, cve_2026_47895_empty_identity_request);
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("eap_mschapv2");

    suite_add_tcase(suite, mschapv2_tests());
    suite_add_tcase(suite, cve_tests());
    return run_suite(suite);
}

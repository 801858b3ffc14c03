/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "eap_peer.h"

/* The response goes behind what the caller has already written. */
START_TEST(appends_to_writer)
{
    struct eap *eap = peer();

    out = writer_of(answer, sizeof(answer));
    wr_u32(&out, 0xdeadbeef);
    ck_assert_int_eq(eap_input(eap, hex(REQUEST_IDENTITY), &out), EAP_RESPOND);
    ck_assert_octets(wr_written(&out), hex("deadbeef020000090155736572"));
    eap_free(eap);
}
END_TEST

START_TEST(response_does_not_fit)
{
    struct eap *eap = peer();
    struct writer small = writer_of(answer, 20);

    ck_assert_int_eq(eap_input(eap, hex(REQUEST_CHALLENGE), &small), EAP_FAILURE);
    expect_failure(eap, REASON_INTERNAL);
    eap_free(eap);
}
END_TEST

/* ---- secrets that are asked for ---- */

START_TEST(asks_for_user_and_password)
{
    struct eap_config config = {.rng = &fixed_rng};
    struct eap *eap = peer_with(&config);

    ck_assert_int_eq(eap_needs(eap), EAP_SECRET_NONE);
    ck_assert_int_eq(eap_provide(eap, EAP_SECRET_USER, bytes_of_string("x")), ERR_STATE);
    ck_assert_int_eq(give_hex(eap, REQUEST_IDENTITY), EAP_SECRET);
    ck_assert_uint_eq(out.len, 0);
    ck_assert_int_eq(eap_needs(eap), EAP_SECRET_USER);
    /* The gateway repeats itself while the user types. */
    ck_assert_int_eq(give_hex(eap, REQUEST_IDENTITY), EAP_SECRET);
    ck_assert_int_eq(eap_provide(eap, EAP_SECRET_PASSWORD, bytes_of_string("x")), ERR_STATE);
    ck_assert_int_eq(eap_provide(eap, EAP_SECRET_USER, (struct bytes){0}), ERR_SYNTAX);
    ck_assert_int_eq(eap_provide(eap, EAP_SECRET_USER, bytes_of("a\0b", 3)), ERR_SYNTAX);
    ck_assert_int_eq(eap_provide(eap, EAP_SECRET_USER, bytes_of(answer, EAP_USER_MAX)), ERR_SYNTAX);
    ck_assert_int_eq(eap_provide(eap, EAP_SECRET_USER, bytes_of_string("User")), OK);
    ck_assert_int_eq(eap_resume(eap, &out), EAP_RESPOND);
    ck_assert_octets(wr_written(&out), hex("020000090155736572"));
    ck_assert_int_eq(eap_needs(eap), EAP_SECRET_NONE);
    ck_assert_int_eq(eap_resume(eap, &out), EAP_IGNORE);

    ck_assert_int_eq(give_hex(eap, REQUEST_CHALLENGE), EAP_SECRET);
    ck_assert_int_eq(eap_needs(eap), EAP_SECRET_PASSWORD);
    ck_assert_int_eq(eap_provide(eap, EAP_SECRET_PASSWORD, bytes_of_string("clientPass")), OK);
    out = writer_of(answer, sizeof(answer));
    ck_assert_int_eq(eap_resume(eap, &out), EAP_RESPOND);
    ck_assert_octets(wr_written(&out), hex(RESPONSE_CHALLENGE));
    expect_answer(eap, REQUEST_SUCCESS, RESPONSE_SUCCESS);
    eap_free(eap);
}
END_TEST

/* What was typed for the first one counts, as what was there before it does. */
START_TEST(another_conversation)
{
    struct eap_config config = {.rng = &fixed_rng};
    struct eap *eap = peer_with(&config);

    ck_assert_int_eq(give_hex(eap, REQUEST_CHALLENGE), EAP_SECRET);
    ck_assert_int_eq(eap_provide(eap, EAP_SECRET_USER, bytes_of_string("User")), OK);
    ck_assert_int_eq(eap_resume(eap, &out), EAP_SECRET);
    ck_assert_int_eq(eap_provide(eap, EAP_SECRET_PASSWORD, bytes_of_string("clientPass")), OK);
    ck_assert_int_eq(eap_resume(eap, &out), EAP_RESPOND);
    ck_assert_octets(wr_written(&out), hex(RESPONSE_CHALLENGE));
    for (int round = 0; round < 2; round++) {
        eap_restart(eap);
        expect_answer(eap, REQUEST_IDENTITY, "020000090155736572");
        expect_answer(eap, REQUEST_CHALLENGE, RESPONSE_CHALLENGE);
    }
    eap_free(eap);
}
END_TEST

START_TEST(user_name_too_long)
{
    char text[EAP_USER_MAX + 1];
    struct eap_config config = {.rng = &fixed_rng};
    struct eap *eap = peer_with(&config);

    memset(text, 'u', sizeof(text));
    ck_assert_int_eq(give_hex(eap, REQUEST_IDENTITY), EAP_SECRET);
    ck_assert_int_eq(eap_provide(eap, EAP_SECRET_USER, bytes_of(text, EAP_USER_MAX)), ERR_SPACE);
    ck_assert_int_eq(eap_provide(eap, EAP_SECRET_USER, bytes_of(text, EAP_USER_MAX - 1)), OK);
    ck_assert_int_eq(eap_resume(eap, &out), EAP_RESPOND);
    ck_assert_uint_eq(out.len, 5 + EAP_USER_MAX - 1);
    eap_free(eap);

    text[EAP_USER_MAX] = '\0';
    config.user = text;
    ck_assert_int_eq(eap_new(&eap, &config), ERR_SPACE);
    ck_assert_ptr_null(eap);
}
END_TEST

START_TEST(failure_while_waiting_for_a_secret)
{
    struct eap_config config = {.user = "User", .rng = &fixed_rng};
    struct eap *eap = peer_with(&config);

    ck_assert_int_eq(give_hex(eap, REQUEST_CHALLENGE), EAP_SECRET);
    ck_assert_int_eq(give_hex(eap, EAP_FAILURE_PACKET), EAP_FAILURE);
    expect_failure(eap, REASON_AUTH_FAILED);
    ck_assert_int_eq(eap_needs(eap), EAP_SECRET_NONE);
    ck_assert_int_eq(eap_resume(eap, &out), EAP_IGNORE);
    eap_free(eap);
}
END_TEST

/* ---- the core: RFC 3748 ---- */

START_TEST(repeated_request_same_response)
{
    struct eap *eap = peer();
    uint8_t first[64];

    ck_assert_int_eq(give_hex(eap, REQUEST_CHALLENGE), EAP_RESPOND);
    ck_assert_uint_le(out.len, sizeof(first));
    memcpy(first, answer, out.len);
    ck_assert_int_eq(give_hex(eap, REQUEST_CHALLENGE), EAP_RESPOND);
    ck_assert_octets(wr_written(&out), bytes_of(first, out.len));
    expect_answer(eap, REQUEST_SUCCESS, RESPONSE_SUCCESS);
    expect_answer(eap, REQUEST_SUCCESS, RESPONSE_SUCCESS);
    ck_assert_int_eq(give_hex(eap, EAP_SUCCESS_PACKET), EAP_SUCCESS);
    eap_free(eap);
}
END_TEST

START_TEST(notification)
{
    struct eap *eap = peer();

    expect_answer(eap, "010300130250617373776f726420736f6f6e07", "0203000502");
    ck_assert_str_eq(eap_note(eap)->message, "Password soon?");
    ck_assert_int_eq(eap_note(eap)->reason, REASON_NONE);
    /* The last words before a Failure are its best explanation. */
    ck_assert_int_eq(give_hex(eap, EAP_FAILURE_PACKET), EAP_FAILURE);
    expect_failure(eap, REASON_AUTH_FAILED);
    ck_assert_str_eq(eap_note(eap)->message, "Password soon?");
    eap_free(eap);
}
END_TEST

START_TEST(legacy_nak)
{
    struct eap *eap = peer();

    expect_answer(eap, "010500060d20", "02050006031a"); /* EAP-TLS */
    expect_answer(eap, "0106000504", "02060006031a");   /* MD5 */
    expect_answer(eap, "01070005ff", "02070006031a");   /* Experimental */
    ck_assert_ptr_null(eap_method_name(eap));
    /* and then the gateway takes our proposal */
    expect_answer(eap, REQUEST_CHALLENGE, RESPONSE_CHALLENGE);
    eap_free(eap);
}
END_TEST

START_TEST(nak_explains_the_failure)
{
    struct eap *eap = peer();

    expect_answer(eap, "010500060d20", "02050006031a");
    ck_assert_int_eq(give_hex(eap, EAP_FAILURE_PACKET), EAP_FAILURE);
    expect_failure(eap, REASON_AUTH_FAILED);
    ck_assert_ptr_nonnull(strstr(eap_note(eap)->message, "TLS"));
    ck_assert_ptr_nonnull(strstr(eap_note(eap)->message, "MSCHAPv2"));
    eap_free(eap);
}
END_TEST

/* RFC 3748 5.3.2: answers only Expanded requests; vendor 311 (Microsoft) here. */
START_TEST(expanded_nak)
{
    struct eap *eap = peer();

    expect_answer(eap, "0105000cfe00013700000001", "02050014 fe00000000000003 fe0000000000001a");
    /* A type of ours that is not allowed, spelled as Expanded. */
    expect_answer(eap, "0106000cfe0000000000000d", "02060014 fe00000000000003 fe0000000000001a");
    eap_free(eap);
}
END_TEST

/* RFC 3748 5.7: vendor 0 means the legacy types, and the answer uses the same spelling. */
START_TEST(expanded_spelling_of_legacy_types)
{
    struct eap *eap = peer();

    expect_answer(eap, "0104000cfe00000000000001", "02040010fe0000000000000155736572");
    ck_assert_int_eq(give_hex(eap, "01210027fe0000000000001a"
                                   "0121001b105b5d7c7d7b3f2f3e3c2c602132262628736572766572"),
                     EAP_RESPOND);
    ck_assert_octets(bytes_of(answer, 12), hex("02210046fe0000000000001a"));
    ck_assert_octets(bytes_of(answer + 12, out.len - 12),
                     bytes_of(hex(RESPONSE_CHALLENGE).data + 5, 58));
    eap_free(eap);
}
END_TEST

static const char *const discarded[] = {
    "",
    "01",
    "010000",
    "01000003",
    "01000004",   /* shorter than a header or without type */
    "0100000601", /* longer than what came */
    "0000000501",
    "0500000501",
    "ff00000501",         /* codes */
    "020000090155736572", /* a Response */
    "0100000500",
    "01000006031a", /* type 0 and Nak are no requests */
    "01000005fe",
    "0100000bfe000000000000", /* Expanded cut off */
    "0100000cfe00000000000003",
    "0100000cfe00000000000000", /* the same, spelled as Expanded */
    "0322000500",
    "0422000500",
    "03220003",
    "04220000", /* Success and Failure have 4 octets */
};

START_TEST(silently_discarded)
{
    struct eap *eap = peer();

    ck_assert_int_eq(give_hex(eap, discarded[_i]), EAP_IGNORE);
    ck_assert_uint_eq(out.len, 0);
    expect_answer(eap, REQUEST_IDENTITY, "020000090155736572");
    eap_free(eap);
}
END_TEST

/* RFC 3748 4.1: what lies behind Length is padding of the lower layer. */
START_TEST(padding_is_ignored)
{
    struct eap *eap = peer();

    expect_answer(eap, REQUEST_IDENTITY "aabbcc", "020000090155736572");
    expect_answer(eap, REQUEST_CHALLENGE "00", RESPONSE_CHALLENGE);
    expect_answer(eap, REQUEST_SUCCESS "ff", RESPONSE_SUCCESS);
    ck_assert_int_eq(give_hex(eap, EAP_SUCCESS_PACKET "00"), EAP_SUCCESS);
    eap_free(eap);
}
END_TEST

/* RFC 3748 2.1: one method per conversation, no Nak and no identity once it has begun. */
START_TEST(one_method_only)
{
    struct eap *eap = peer();

    expect_answer(eap, REQUEST_CHALLENGE, RESPONSE_CHALLENGE);
    ck_assert_int_eq(give_hex(eap, "010500060d20"), EAP_IGNORE);
    ck_assert_int_eq(give_hex(eap, REQUEST_IDENTITY), EAP_IGNORE);
    ck_assert_int_eq(give_hex(eap, "0105000cfe00013700000001"), EAP_IGNORE);
    expect_answer(eap,
                  "0123000602"
                  "41",
                  "0223000502"); /* notifications stay legal */
    expect_answer(eap, REQUEST_SUCCESS, RESPONSE_SUCCESS);
    ck_assert_int_eq(give_hex(eap, "010500060d20"), EAP_IGNORE);
    ck_assert_int_eq(give_hex(eap, EAP_SUCCESS_PACKET), EAP_SUCCESS);
    eap_free(eap);
}
END_TEST

START_TEST(endless_conversation_ends)
{
    struct eap *eap = peer();
    enum eap_verdict verdict = EAP_RESPOND;
    uint8_t request[] = {1, 0, 0, 6, EAP_NOTIFICATION, 'x'};
    unsigned rounds = 0;

    while (verdict == EAP_RESPOND && rounds < 10000) {
        request[1]++;
        verdict = give(eap, bytes_of(request, sizeof(request)));
        rounds++;
    }
    ck_assert_int_eq(verdict, EAP_FAILURE);
    ck_assert_uint_gt(rounds, 100);
    expect_failure(eap, REASON_PROTOCOL);
    eap_free(eap);
}
END_TEST

START_TEST(configured_methods)
{
    static const uint8_t unknown[] = {EAP_MSCHAPV2, 99};
    static const uint8_t known[] = {EAP_MSCHAPV2};
    struct eap_config config = example_config();
    struct eap *eap;

    config.methods = unknown;
    config.n_methods = 2;
    ck_assert_int_eq(eap_new(&eap, &config), ERR_UNSUPPORTED);
    config.n_methods = 0;
    ck_assert_int_eq(eap_new(&eap, &config), ERR_UNSUPPORTED);
    config.methods = known;
    config.n_methods = 1;
    ck_assert_int_eq(eap_new(&eap, &config), OK);
    eap_free(eap);
    eap_free(NULL);
}
END_TEST

/* ---- the trace ---- */

static const struct {
    const char *packet;
    const char *line;
} lines[] = {
    {REQUEST_IDENTITY, "Request Identity id=0"},
    {"020000090155736572", "Response Identity User id=0"},
    {REQUEST_CHALLENGE, "Request MSCHAPv2 Challenge name=server id=33"},
    {RESPONSE_CHALLENGE, "Response MSCHAPv2 Response name=User id=33"},
    {REQUEST_SUCCESS, "Request MSCHAPv2 Success id=34"},
    {RESPONSE_SUCCESS, "Response MSCHAPv2 Success id=34"},
    {"022200061a04", "Response MSCHAPv2 Failure id=34"},
    {"0122001b1a0421001645"
     "3d36393120523d302056"
     "3d33204d3d6e6f",
     "Request MSCHAPv2 Failure E=691 R=0 V=3 M=no id=34"},
    {"012200061a07", "Request MSCHAPv2 Change-Password id=34"},
    {"012200061a63", "Request MSCHAPv2 opcode 99 id=34"},
    {"010500060d20", "Request TLS id=5"},
    {"010500066320", "Request type 99 id=5"},
    {"02050007031a0d", "Response Nak MSCHAPv2,TLS id=5"},
    {"0105000cfe00013700000001", "Request Expanded id=5"},
    {"0102000602"
     "41",
     "Request Notification A id=2"},
    {EAP_SUCCESS_PACKET, "Success id=34"},
    {EAP_FAILURE_PACKET, "Failure id=34"},
    {"", "malformed EAP packet"},
    {"0122ffff1a", "malformed EAP packet"},
    {"0922000501", "malformed EAP packet"},
};

START_TEST(described)
{
    char line[128];
    char tiny[8];
    struct bytes packet = hex(lines[_i].packet);

    ck_assert_str_eq(eap_describe(packet, line, sizeof(line)), lines[_i].line);
    ck_assert_uint_lt(strlen(eap_describe(packet, tiny, sizeof(tiny))), sizeof(tiny));
    (void)eap_describe(packet, tiny, 0);
}
END_TEST

static TCase *core_tests(void)
{
    TCase *tests = tcase_create("core");

    tcase_add_test(tests, repeated_request_same_response);
    tcase_add_test(tests, notification);
    tcase_add_test(tests, legacy_nak);
    tcase_add_test(tests, nak_explains_the_failure);
    tcase_add_test(tests, expanded_nak);
    tcase_add_test(tests, expanded_spelling_of_legacy_types);
    tcase_add_loop_test(tests, silently_discarded, 0, COUNT(discarded));
    tcase_add_test(tests, padding_is_ignored);
    tcase_add_test(tests, one_method_only);
    tcase_add_test(tests, endless_conversation_ends);
    tcase_add_test(tests, configured_methods);
    tcase_add_test(tests, appends_to_writer);
    tcase_add_test(tests, response_does_not_fit);
    tcase_add_test(tests, asks_for_user_and_password);
    tcase_add_test(tests, another_conversation);
    tcase_add_test(tests, user_name_too_long);
    tcase_add_test(tests, failure_while_waiting_for_a_secret);
    tcase_add_loop_test(tests, described, 0, COUNT(lines));
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("eap");

    suite_add_tcase(suite, core_tests());
    return run_suite(suite);
}

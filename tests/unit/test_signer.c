/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/token_message.h"
#include "tunnel/signer.h"
#include "unit/waiting.h"
#include "vectors.h"

/* The worker's end of the channel to godwit-token, whose end is played here, well and badly. */

/* Far above what any step takes, so that only a hang meets it. */
#define PATIENCE_MS 20000

static struct {
    int theirs;
    int ours;
    struct signer *signer;
    GString *log;
    gboolean free_in_callback;
} test;

static void note(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void note(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_string_append_vprintf(test.log, format, arguments);
    va_end(arguments);
    g_string_append_c(test.log, '\n');
    if (test.free_in_callback) {
        g_clear_pointer(&test.signer, signer_free);
    }
}

static void on_opened(void *context, struct bytes key, const struct bytes *certs, gsize n)
{
    ck_assert_ptr_eq(context, &test);
    note("opened %zu %zu %.*s", key.len, n, n > 0 ? (int)certs[0].len : 0,
         n > 0 ? (const char *)certs[0].data : "");
}

static void on_signature(void *context, struct bytes signature)
{
    (void)context;
    note("signature %.*s", (int)signature.len, (const char *)signature.data);
}

static void on_need_pin(void *context, guint8 pin, const char *prompt)
{
    (void)context;
    note("pin %u %s", pin, prompt);
}

static void on_waiting(void *context, const char *text)
{
    (void)context;
    note("waiting %s", text);
}

static void on_failed(void *context, enum reason reason, const char *detail)
{
    (void)context;
    note("failed %s %s", reason_name(reason), detail);
}

static const struct signer_ops patient = {
    .patience = PATIENCE_MS,
    .touch = PATIENCE_MS,
    .opened = on_opened,
    .signature = on_signature,
    .need_pin = on_need_pin,
    .waiting = on_waiting,
    .failed = on_failed,
};

static void begin(const struct signer_ops *ops)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    test.ours = pair[0];
    test.theirs = pair[1];
    test.log = g_string_new("");
    test.free_in_callback = FALSE;
    test.signer = signer_new(test.ours, ops, &test);
}

static void end(void)
{
    signer_free(test.signer);
    close(test.ours);
    if (test.theirs >= 0) {
        close(test.theirs);
    }
    g_string_free(test.log, TRUE);
}

/* ---- the other end ---- */

static void hear(enum token_kind kind, const char *first)
{
    static uint8_t packet[TOKEN_MESSAGE_MAX];
    struct token_message message;
    ssize_t n = recv(test.theirs, packet, sizeof packet, 0);

    ck_assert_int_gt(n, 0);
    ck_assert(token_message_read(&message, bytes_of(packet, (size_t)n)));
    ck_assert_int_eq(message.kind, kind);
    ck_assert_msg(bytes_equal(message.parts[0], bytes_of_string(first)), "%.*s",
                  (int)message.parts[0].len, (const char *)message.parts[0].data);
}

static void say(enum token_kind kind, uint8_t code, const char *first, const char *second)
{
    uint8_t packet[1024];
    struct token_message message = {.kind = kind, .code = code};
    const char *const parts[] = {first, second};
    size_t len;

    for (size_t i = 0; i < 2 && parts[i] != NULL; i++) {
        message.parts[message.n++] = bytes_of_string(parts[i]);
    }
    len = token_message_write(&message, packet, sizeof packet);
    ck_assert_uint_gt(len, 0);
    ck_assert_int_eq(send(test.theirs, packet, len, 0), (ssize_t)len);
}

/* Until something is told. */
static const char *told(void)
{
    gint64 until = g_get_monotonic_time() + PATIENCE_MS * G_TIME_SPAN_MILLISECOND;

    while (test.log->len == 0) {
        ck_assert_int_lt(g_get_monotonic_time(), until);
        g_main_context_iteration(NULL, TRUE);
    }
    return test.log->str;
}

static void expect(const char *text)
{
    ck_assert_msg(g_str_has_prefix(told(), text), "%s", test.log->str);
    g_string_truncate(test.log, 0);
}

static void open_it(void)
{
    signer_open(test.signer, bytes_of_string("pkcs11:a"), bytes_of_string(""));
    hear(TOKEN_OPEN, "pkcs11:a");
}

static void sign_it(const char *octets)
{
    signer_sign(test.signer, 6, bytes_of_string(octets));
}

/* ---- as it should be ---- */

START_TEST(opens_and_signs)
{
    begin(&patient);
    open_it();
    say(TOKEN_NEED_PIN, 0, "Alice\x1b[2J", NULL);
    expect("pin 0 PIN of the token “Alice?[2J”");
    signer_pin(test.signer, bytes_of_string("1234"));
    hear(TOKEN_PIN, "1234");
    say(TOKEN_NEED_PIN, TOKEN_PIN_WRONG | TOKEN_PIN_FINAL, "Alice", NULL);
    expect("pin 5 That was wrong. PIN of the token “Alice”. This is the last try");
    signer_pin(test.signer, bytes_of_string("4321"));
    hear(TOKEN_PIN, "4321");
    say(TOKEN_OPENED, 0, "key", "certificate");
    expect("opened 3 1 certificate");
    sign_it("octets");
    hear(TOKEN_SIGN, "octets");
    say(TOKEN_SIGNED, 0, "signed", NULL);
    expect("signature signed");
    end();
}
END_TEST

/* The one that nobody waits for any more is not taken for the next. */
START_TEST(answers_the_last_request)
{
    begin(&patient);
    sign_it("first");
    hear(TOKEN_SIGN, "first");
    sign_it("second");
    sign_it("third");
    say(TOKEN_SIGNED, 0, "of the first", NULL);
    while (recv(test.theirs, (uint8_t[1]){0}, 1, MSG_PEEK | MSG_DONTWAIT) < 0) {
        g_main_context_iteration(NULL, TRUE);
    }
    hear(TOKEN_SIGN, "third");
    ck_assert_uint_eq(test.log->len, 0);
    say(TOKEN_SIGNED, 0, "of the third", NULL);
    expect("signature of the third");
    end();
}
END_TEST

START_TEST(hints_at_a_touch)
{
    struct signer_ops ops = patient;

    ops.touch = 1;
    begin(&ops);
    sign_it("octets");
    hear(TOKEN_SIGN, "octets");
    expect("waiting touch it");
    say(TOKEN_SIGNED, 0, "signed", NULL);
    expect("signature signed");
    open_it();
    say(TOKEN_PINPAD, 0, "Alice", NULL);
    expect("waiting enter the PIN of “Alice” on its reader");
    say(TOKEN_OPENED, 0, "", NULL);
    expect("opened 0 0");
    end();
}
END_TEST

static const struct {
    uint8_t code;
    const char *first, *second, *want;
} failures[] = {
    {TOKEN_FAILED_OTHER, "Nonsense", NULL, "failed token-failed What the PKCS#11 library says: “N"},
    {TOKEN_FAILED_NO_TOKEN, "A", "B", "failed token-missing There are these tokens: “A”, “B”."},
    {TOKEN_FAILED_NO_TOKEN, NULL, NULL, "failed token-missing There is none at all."},
    {TOKEN_FAILED_NO_CERTIFICATE, "A", NULL, "failed token-object No certificate on “A” fits"},
    {TOKEN_FAILED_NO_KEY, "%s%n", NULL, "failed token-object No private key on “%s%n” fits"},
    {TOKEN_FAILED_PIN_CANCELLED, "A", NULL, "failed secret-missing The PIN of “A”"},
    {TOKEN_FAILED_PIN_WRONG, "A", NULL, "failed pin-wrong “A”"},
    {TOKEN_FAILED_PIN_LOCKED, "A", NULL, "failed pin-locked “A”"},
    {TOKEN_FAILED_PIN_EXPIRED, "A", NULL, "failed pin-wrong The PIN of “A” has to be changed"},
    {TOKEN_FAILED_GONE, "A", NULL, "failed token-missing “A” was taken out."},
    {TOKEN_FAILED_UNSUPPORTED, "A", NULL, "failed token-unsupported “A”"},
};

START_TEST(tells_failures)
{
    begin(&patient);
    sign_it("octets");
    say(TOKEN_FAILED, failures[_i].code, failures[_i].first, failures[_i].second);
    expect(failures[_i].want);
    /* It may go better next time. */
    hear(TOKEN_SIGN, "octets");
    sign_it("again");
    hear(TOKEN_SIGN, "again");
    say(TOKEN_SIGNED, 0, "signed", NULL);
    expect("signature signed");
    end();
}
END_TEST

/* ---- as it should not be ---- */

static const struct {
    enum token_kind kind;
    const char *second;
} lies[] = {
    {TOKEN_OPENED, "x"},
    {TOKEN_OPEN, "x"},
    {TOKEN_SIGN, NULL},
    {TOKEN_PIN, NULL},
};

static void expect_broken(void)
{
    expect("failed token-failed The PKCS#11 module that drives the token has broken godwit-token");
    /* Nothing more is asked of it. */
    sign_it("again");
    expect("failed token-failed The PKCS#11 module that drives the token has broken godwit-token");
    end();
}

START_TEST(does_not_believe_lies)
{
    begin(&patient);
    sign_it("octets");
    say(lies[_i].kind, 0, "x", lies[_i].second);
    expect_broken();
}
END_TEST

START_TEST(does_not_believe_nonsense)
{
    static const char *const packets[] = {"\xff", "\6", "\6\0\0\5abc", "\7\x7f"};
    static const size_t lens[] = {1, 1, 7, 2};

    begin(&patient);
    sign_it("octets");
    ck_assert_int_eq(send(test.theirs, packets[_i], lens[_i], 0), (ssize_t)lens[_i]);
    expect_broken();
}
END_TEST

START_TEST(does_not_ask_twice_at_once)
{
    begin(&patient);
    open_it();
    say(TOKEN_NEED_PIN, 0, "A", NULL);
    expect("pin 0");
    say(TOKEN_NEED_PIN, 0, "A", NULL);
    expect_broken();
}
END_TEST

START_TEST(speaks_unasked)
{
    begin(&patient);
    say(TOKEN_SIGNED, 0, "x", NULL);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    ck_assert_uint_eq(test.log->len, 0);
    sign_it("octets");
    expect_broken();
}
END_TEST

/* Before and while something is asked of it. */
START_TEST(crashes)
{
    begin(&patient);
    if (_i == 0) {
        sign_it("octets");
    }
    close(test.theirs);
    test.theirs = -1;
    if (_i == 1) {
        sign_it("octets");
    }
    expect("failed token-failed The PKCS#11 module that drives the token has crashed");
    for (int again = 0; again < 2; again++) {
        signer_open(test.signer, bytes_of_string("pkcs11:a"), bytes_of_string(""));
        expect("failed token-failed The PKCS#11 module that drives the token has crashed");
    }
    end();
}
END_TEST

START_TEST(hangs)
{
    struct signer_ops ops = patient;

    ops.patience = 1;
    begin(&ops);
    open_it();
    expect("failed token-failed The token does not respond");
    end();
}
END_TEST

/* Who takes his time is the user. */
START_TEST(waits_for_a_person)
{
    struct signer_ops ops = patient;

    begin(&ops);
    open_it();
    say(TOKEN_NEED_PIN, 0, "A", NULL);
    ops.patience = 1;
    expect("pin 0");
    wait_let_pass(5000);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    ck_assert_uint_eq(test.log->len, 0);
    signer_pin(test.signer, bytes_of_string(""));
    expect("failed token-failed The token does not respond");
    end();
}
END_TEST

START_TEST(is_freed_by_what_it_tells)
{
    begin(&patient);
    test.free_in_callback = TRUE;
    open_it();
    if (_i == 0) {
        say(TOKEN_OPENED, 0, "key", "certificate");
        expect("opened 3 1 certificate");
    } else if (_i == 1) {
        say(TOKEN_FAILED, TOKEN_FAILED_GONE, "A", NULL);
        expect("failed token-missing “A” was taken out.");
    } else {
        close(test.theirs);
        test.theirs = -1;
        expect("failed token-failed The PKCS#11 module that drives the token has crashed.");
    }
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("signer");
    TCase *tcase = tcase_create("signer");

    tcase_add_test(tcase, opens_and_signs);
    tcase_add_test(tcase, answers_the_last_request);
    tcase_add_test(tcase, hints_at_a_touch);
    tcase_add_loop_test(tcase, tells_failures, 0, G_N_ELEMENTS(failures));
    tcase_add_loop_test(tcase, does_not_believe_lies, 0, G_N_ELEMENTS(lies));
    tcase_add_loop_test(tcase, does_not_believe_nonsense, 0, 4);
    tcase_add_test(tcase, does_not_ask_twice_at_once);
    tcase_add_test(tcase, speaks_unasked);
    tcase_add_loop_test(tcase, crashes, 0, 2);
    tcase_add_test(tcase, hangs);
    tcase_add_test(tcase, waits_for_a_person);
    tcase_add_loop_test(tcase, is_freed_by_what_it_tells, 0, 3);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

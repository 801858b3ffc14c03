/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/token_message.h"
#include "unit/fake_engine.h"
#include "unit/pki.h"
#include "unit/tunnel_bed.h"
#include "unit/vectors.h"

/* A connection whose private key is on a token: what is asked of godwit-token, played here, of the
 * user and of the engine. */

#define ON_TOKEN "auth certificate certificate pkcs11:token=A;id=%01"

static int theirs;
static uint8_t packet[TOKEN_MESSAGE_MAX];
static struct token_message message;

static void begin(const char *pin)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    bed.token = pair[0];
    theirs = pair[1];
    bed.private_key_password = pin;
    bed_begin(ON_TOKEN);
}

static void hear(enum token_kind kind, const char *first)
{
    ssize_t n;

    while ((n = recv(theirs, packet, sizeof packet, MSG_DONTWAIT)) < 0) {
        bed_let_pass(1);
    }
    ck_assert(token_message_read(&message, bytes_of(packet, (size_t)n)));
    ck_assert_int_eq(message.kind, kind);
    ck_assert(bytes_equal(message.parts[0], bytes_of_string(first)));
}

static void say(const struct token_message *what)
{
    size_t len = token_message_write(what, packet, sizeof packet);

    ck_assert_uint_gt(len, 0);
    ck_assert_int_eq(send(theirs, packet, len, 0), (ssize_t)len);
}

static void say_text(enum token_kind kind, uint8_t code, const char *text)
{
    say(&(struct token_message){
        .kind = kind, .code = code, .n = 1, .parts = {bytes_of_string(text)}});
}

static void say_opened(enum pki_kind key, enum pki_kind certificate)
{
    struct pki_cert own = pki_issue(&(struct pki_spec){
        .subject = "CN=alice", .key = pki_key(certificate, 0), .names = {"email:a@example.org"}});
    struct pki_cert other =
        pki_issue(&(struct pki_spec){.subject = "CN=other", .key = pki_key(key, 0)});
    gnutls_pubkey_t public_key;
    gnutls_datum_t spki;

    ck_assert_int_ge(gnutls_pubkey_init(&public_key), 0);
    ck_assert_int_ge(gnutls_pubkey_import_x509(public_key, other.crt, 0), 0);
    ck_assert_int_ge(gnutls_pubkey_export2(public_key, GNUTLS_X509_FMT_DER, &spki), 0);
    say(&(struct token_message){
        .kind = TOKEN_OPENED, .n = 2, .parts = {bytes_of(spki.data, spki.size), pki_der(own.crt)}});
    gnutls_free(spki.data);
    gnutls_pubkey_deinit(public_key);
}

static void type(const char *pin)
{
    tunnel_provide_secret(bed.tunnel, "private-key-password", bytes_of_string(pin));
}

static void end(void)
{
    close(theirs);
}

START_TEST(opens_and_signs)
{
    begin(NULL);
    hear(TOKEN_OPEN, "pkcs11:token=A;id=%01");
    ck_assert_uint_eq(message.parts[1].len, 0);
    say_text(TOKEN_NEED_PIN, 0, "A");
    bed_wait_heard("asked-private-key-password ");
    type("1234");
    hear(TOKEN_PIN, "1234");
    say_opened(PKI_P256, PKI_P256);
    bed_wait_engines(1);
    /* Each IKE SA has its own, and the connection lives on. */
    for (gsize engine = 0; engine < 2; engine++) {
        bed_wait_engines(engine + 1);
        ck_assert(fake_engines[engine].initial_contact);
        fake_report(engine, IKE_EVENT_SIGN);
        hear(TOKEN_SIGN, "to be signed");
        ck_assert_uint_eq(message.code, GNUTLS_SIGN_ECDSA_SHA256);
        say_text(TOKEN_SIGNED, 0, "signed");
        while (fake_engines[engine].provided[0] == '\0') {
            bed_let_pass(1);
        }
        ck_assert_str_eq(fake_engines[engine].provided, "signed");
        fake_up(engine, 100 + (guint32)engine, "10.9.0.5/32");
        bed_wait_heard("connected-");
        if (engine == 0) {
            fake_down(0, REASON_GATEWAY_LOST, TRUE, "");
        }
    }
    /* Another worker begins without a question. */
    g_autoptr(GVariant) pin = g_variant_lookup_value(bed.kept, "private-key-password", NULL);
    ck_assert_ptr_nonnull(pin);
    ck_assert_uint_eq(g_variant_get_size(pin), 4);
    end();
}
END_TEST

/* The profile's is tried once; then the user is asked, and what was wrong is not tried again. */
START_TEST(wrong_pin)
{
    begin("0000");
    hear(TOKEN_OPEN, "pkcs11:token=A;id=%01");
    say_text(TOKEN_NEED_PIN, 0, "A");
    hear(TOKEN_PIN, "0000");
    say_text(TOKEN_NEED_PIN, TOKEN_PIN_WRONG, "A");
    bed_wait_heard("asked-private-key-password ");
    if (_i == 0) {
        type("1111");
        hear(TOKEN_PIN, "1111");
        say_text(TOKEN_NEED_PIN, TOKEN_PIN_WRONG | TOKEN_PIN_FINAL, "A");
        bed_wait_heard("asked-private-key-password ");
        type("1111");
    } else {
        type(_i == 1 ? "0000" : "");
    }
    hear(TOKEN_PIN, "");
    say_text(TOKEN_FAILED, TOKEN_FAILED_PIN_CANCELLED, "A");
    bed_wait_heard("down-pin-wrong(");
    end();
}
END_TEST

START_TEST(last_try_is_the_users)
{
    begin("0000");
    hear(TOKEN_OPEN, "pkcs11:token=A;id=%01");
    say_text(TOKEN_NEED_PIN, TOKEN_PIN_LOW | TOKEN_PIN_FINAL, "A");
    bed_wait_heard("asked-private-key-password ");
    type("");
    hear(TOKEN_PIN, "");
    say_text(TOKEN_FAILED, TOKEN_FAILED_PIN_CANCELLED, "A");
    bed_wait_heard("down-secret-missing(");
    end();
}
END_TEST

static void say_choices(const char *first, const char *second)
{
    say(&(struct token_message){.kind = TOKEN_CHOICES,
                                .n = 2 * TOKEN_CHOICE_PARTS,
                                .parts = {bytes_of_string(first), bytes_of_string("CN=a"),
                                          bytes_of_string("x"), bytes_of_string(second),
                                          bytes_of_string("CN=\x1b\xff"), bytes_of_string("")}});
}

/* What is answered, or else the first; and a token that asks again is broken. */
static const struct {
    const char *answer, *opened;
} choices[] = {{"pkcs11:token=A;id=%02", "pkcs11:token=A;id=%02"},
               {"", "pkcs11:token=A;id=%03"},
               {"pkcs11:token=B;id=%02", "pkcs11:token=A;id=%03"}};

START_TEST(one_of_several)
{
    begin(NULL);
    hear(TOKEN_OPEN, "pkcs11:token=A;id=%01");
    say_choices("pkcs11:token=A;id=%03", "pkcs11:token=A;id=%02");
    bed_wait_heard("choice-certificate-2-CN=?? ");
    tunnel_provide_secret(bed.tunnel, "certificate", bytes_of_string(choices[_i].answer));
    hear(TOKEN_OPEN, choices[_i].opened);
    if (_i == 0) {
        say_opened(PKI_P256, PKI_P256);
        bed_wait_engines(1);
    } else {
        say_choices("pkcs11:token=A;id=%03", "pkcs11:token=A;id=%02");
        bed_wait_heard("down-token-failed(");
    }
}
END_TEST

START_TEST(choices_that_are_none)
{
    begin(NULL);
    hear(TOKEN_OPEN, "pkcs11:token=A;id=%01");
    say_choices("pkcs11:token=A;id=%03", _i == 0 ? "file:/etc/shadow" : "pkcs11:token=A;id=\xff");
    bed_wait_heard("down-token-failed(");
}
END_TEST

START_TEST(nobody_to_ask)
{
    bed.token = -1;
    bed_begin(ON_TOKEN);
    bed_wait_heard("down-token-failed(");
}
END_TEST

START_TEST(certificate_and_key_do_not_fit)
{
    begin(NULL);
    hear(TOKEN_OPEN, "pkcs11:token=A;id=%01");
    say_opened(PKI_P256, PKI_P384);
    bed_wait_heard("down-profile(The certificate and the private key do not belong together.)");
    end();
}
END_TEST

START_TEST(certificate_is_garbage)
{
    begin(NULL);
    hear(TOKEN_OPEN, "pkcs11:token=A;id=%01");
    say(&(struct token_message){
        .kind = TOKEN_OPENED, .n = 2, .parts = {{0}, bytes_of_string(_i == 0 ? "0x" : "")}});
    bed_wait_heard("down-profile(");
    end();
}
END_TEST

/* The user ends it while the token is asked. */
START_TEST(disconnected_meanwhile)
{
    begin(NULL);
    hear(TOKEN_OPEN, "pkcs11:token=A;id=%01");
    if (_i == 1) {
        say_text(TOKEN_NEED_PIN, 0, "A");
        bed_wait_heard("asked-private-key-password ");
    }
    tunnel_disconnect(bed.tunnel);
    bed_wait_heard("down-user(");
    end();
}
END_TEST

/* The engine learns why there is no signature. */
START_TEST(token_is_taken_out)
{
    begin(NULL);
    hear(TOKEN_OPEN, "pkcs11:token=A;id=%01");
    say_opened(PKI_P256, PKI_P256);
    bed_wait_engines(1);
    fake_report(0, IKE_EVENT_SIGN);
    hear(TOKEN_SIGN, "to be signed");
    say_text(TOKEN_FAILED, TOKEN_FAILED_GONE, "A");
    bed_wait_heard("down-token-missing(“A” was taken out.)");
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("token_key");
    TCase *tcase = tcase_create("token_key");

    tcase_add_checked_fixture(tcase, bed_set_up, bed_tear_down);
    tcase_add_test(tcase, opens_and_signs);
    tcase_add_loop_test(tcase, wrong_pin, 0, 3);
    tcase_add_test(tcase, last_try_is_the_users);
    tcase_add_loop_test(tcase, one_of_several, 0, 3);
    tcase_add_loop_test(tcase, choices_that_are_none, 0, 2);
    tcase_add_test(tcase, nobody_to_ask);
    tcase_add_test(tcase, certificate_and_key_do_not_fit);
    tcase_add_loop_test(tcase, certificate_is_garbage, 0, 2);
    tcase_add_loop_test(tcase, disconnected_meanwhile, 0, 2);
    tcase_add_test(tcase, token_is_taken_out);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

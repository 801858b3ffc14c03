/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <string.h>

#include "nm-plugin/auth-dialog/questions.h"
#include "unit/vectors.h"

static GHashTable *data, *secrets;

static void set_up(void)
{
    data = g_hash_table_new(g_str_hash, g_str_equal);
    secrets = g_hash_table_new(g_str_hash, g_str_equal);
}

static void tear_down(void)
{
    g_hash_table_unref(data);
    g_hash_table_unref(secrets);
}

static void put(GHashTable *table, const char *key, const char *value)
{
    g_hash_table_insert(table, (gpointer)key, (gpointer)value);
}

/* "KEY ask VALUE" of each, a line each. */
static char *described(const char *const *hints, gboolean again)
{
    struct questions questions;
    GString *text = g_string_new(NULL);
    questions_make(&questions, data, secrets, hints, again);
    for (gsize i = 0; i < questions.n; i++) {
        g_string_append_printf(text, "%s %s \"%s\"\n", questions.items[i].key,
                               questions.items[i].ask ? "asked" : "known",
                               questions.items[i].value);
    }
    if (*questions.message) {
        g_string_append(text, questions.message);
    }
    questions_clear(&questions);
    return g_string_free(text, FALSE);
}

static void must_be(const char *const *hints, gboolean again, const char *wanted)
{
    g_autofree char *text = described(hints, again);
    ck_assert_str_eq(text, wanted);
}

START_TEST(the_methods_secret_is_asked_for)
{
    must_be(NULL, FALSE, "password asked \"\"\n");
    put(data, "auth", "psk");
    must_be(NULL, FALSE, "psk asked \"\"\n");
    put(data, "auth", "certificate");
    must_be(NULL, FALSE, "private-key asked \"\"\n");
    put(data, "private-key", "/etc/godwit/key.pem");
    must_be(NULL, FALSE, "");
}
END_TEST

START_TEST(what_is_known_is_told_unless_refused_or_never_saved)
{
    put(secrets, "password", "geheim");
    must_be(NULL, FALSE, "password known \"geheim\"\n");
    must_be(NULL, TRUE, "password asked \"geheim\"\n");
    put(data, "password-flags", "2");
    must_be(NULL, FALSE, "password asked \"geheim\"\n");
    put(data, "password-flags", "4");
    must_be(NULL, FALSE, "");
}
END_TEST

START_TEST(hints_come_first)
{
    static const char *const hints[] = {"x-vpn-message:Code of your token?", "password",
                                        "of-a-later-version", "user", NULL};
    static const char *const message[] = {"x-vpn-message:Hello", NULL};
    must_be(hints, FALSE, "password asked \"\"\nuser asked \"\"\nCode of your token?");
    must_be(message, FALSE, "password asked \"\"\nHello");
    /* What is known is not what the gateway asks for now, but a name is a name. */
    put(secrets, "password", "geheim");
    put(data, "user", "alice");
    must_be(hints, FALSE, "password asked \"\"\nuser asked \"alice\"\nCode of your token?");
}
END_TEST

START_TEST(the_keyring_has_what_is_the_agents_and_good_for_more_than_once)
{
    static const char *const again[] = {"password", NULL};
    static const char *const once[] = {"x-dynamic-challenge:password", NULL};
    static const char *const echo[] = {"x-dynamic-challenge-echo:password", NULL};
    static const struct {
        const char *flags;
        const char *const *hints;
        gboolean keyring, secret;
    } cases[] = {{"1", NULL, TRUE, TRUE},  {"0", NULL, FALSE, TRUE}, {"2", NULL, FALSE, TRUE},
                 {"3", NULL, FALSE, TRUE}, {"1", again, TRUE, TRUE}, {"1", once, FALSE, TRUE},
                 {"1", echo, FALSE, FALSE}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct questions questions;
        put(data, "password-flags", cases[i].flags);
        questions_make(&questions, data, secrets, cases[i].hints, FALSE);
        ck_assert_uint_eq(questions.n, 1);
        ck_assert_int_eq(questions.items[0].keyring, cases[i].keyring);
        ck_assert_int_eq(questions.items[0].secret, cases[i].secret);
        ck_assert_int_eq(questions_open(&questions, TRUE), cases[i].keyring);
        ck_assert(questions_open(&questions, FALSE));
        questions_clear(&questions);
    }
}
END_TEST

START_TEST(the_keyfile_is_one_whatever_the_gateway_says)
{
    static const char *const hints[] = {
        "x-vpn-message:Line\n[evil]\nValue=\\x\x01 \xe2\x80\xae end", "password", NULL};
    struct questions questions;
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    questions_make(&questions, data, secrets, hints, FALSE);
    g_autofree char *text = questions_to_keyfile(&questions, "At [work]\n[home]\x1b", TRUE);
    ck_assert(g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, &error));
    ck_assert(!g_key_file_has_group(file, "evil") && !g_key_file_has_group(file, "home"));
    g_autofree char *description =
        g_key_file_get_string(file, "VPN Plugin UI", "Description", NULL);
    g_autofree char *title = g_key_file_get_string(file, "VPN Plugin UI", "Title", NULL);
    ck_assert_str_eq(description, "Line\n[evil]\nValue=\\x? ? end");
    ck_assert_str_eq(title, "Authenticate VPN At [work]?[home]?");
    ck_assert_int_eq(g_key_file_get_integer(file, "VPN Plugin UI", "Version", NULL), 2);
    ck_assert(g_key_file_get_boolean(file, "password", "IsSecret", NULL));
    ck_assert(!g_key_file_get_boolean(file, "password", "ForceEcho", NULL));
    ck_assert(g_key_file_get_boolean(file, "password", "ShouldAsk", NULL));
    questions_clear(&questions);
}
END_TEST

START_TEST(nobody_is_asked_when_nobody_is_there)
{
    static const char *const hints[] = {"user", NULL};
    struct questions questions;
    g_autoptr(GKeyFile) file = g_key_file_new();
    questions_make(&questions, data, secrets, hints, FALSE);
    g_autofree char *text = questions_to_keyfile(&questions, "work", FALSE);
    ck_assert(g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, NULL));
    ck_assert(!g_key_file_get_boolean(file, "user", "ShouldAsk", NULL));
    /* nmcli passes over what is no secret. */
    ck_assert(g_key_file_get_boolean(file, "user", "IsSecret", NULL));
    ck_assert(g_key_file_get_boolean(file, "user", "ForceEcho", NULL));
    questions_clear(&questions);
}
END_TEST

START_TEST(the_form_has_what_is_asked)
{
    static const char *const hints[] = {"x-vpn-message:Who?\x01", "user", "password", NULL};
    struct questions questions;
    questions_make(&questions, data, secrets, hints, TRUE);
    struct ask_form *form = questions_to_form(&questions, "work", NULL);
    const struct ask_field *user = form->fields->pdata[0], *password = form->fields->pdata[1];
    ck_assert_str_eq(form->message, "Who??");
    ck_assert_str_eq(form->error, "");
    ck_assert_int_eq(user->kind, ASK_TEXT);
    ck_assert_int_eq(password->kind, ASK_SECRET);
    ask_form_free(form);
    questions_clear(&questions);

    put(secrets, "password", "geheim");
    questions_make(&questions, data, secrets, NULL, TRUE);
    form = questions_to_form(&questions, "work", "The keyring is locked.");
    password = form->fields->pdata[0];
    ck_assert(*form->error && *form->note);
    ck_assert_str_eq(password->value, "geheim");
    ask_form_free(form);
    questions_clear(&questions);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nm_questions");
    TCase *tests = tcase_create("questions");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_methods_secret_is_asked_for);
    tcase_add_test(tests, what_is_known_is_told_unless_refused_or_never_saved);
    tcase_add_test(tests, hints_come_first);
    tcase_add_test(tests, the_keyring_has_what_is_the_agents_and_good_for_more_than_once);
    tcase_add_test(tests, the_keyfile_is_one_whatever_the_gateway_says);
    tcase_add_test(tests, nobody_is_asked_when_nobody_is_there);
    tcase_add_test(tests, the_form_has_what_is_asked);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <check.h>
#include <string.h>

#include "common/vpn1.h"
#include "gui/questions/ask_form.h"
#include "gui/questions/shown.h"
#include "unit/vectors.h"

static void line_must_be(const char *text, gsize characters, const char *wanted)
{
    g_autofree char *shown = shown_line(text, characters);
    ck_assert_str_eq(shown, wanted);
}

static void lines_must_be(const char *text, gsize characters, guint lines, const char *wanted)
{
    g_autofree char *shown = shown_block(text, characters, lines);
    ck_assert_str_eq(shown, wanted);
}

START_TEST(a_line_is_harmless)
{
    line_must_be("Code of your token?", 40, "Code of your token?");
    line_must_be(NULL, 40, "");
    line_must_be("  Größe  ", 40, "Größe");
    line_must_be("a\nb\x1b[31m\x7f", 40, "a?b?[31m?");
    line_must_be("to \xe2\x80\xaego\xe2\x81\xa6", 40, "to ?go?");
    line_must_be("\xff\xc0\xaf ok \xed\xa0\x80", 40, "??? ok ???");
    line_must_be("<b>fat</b> &amp;", 40, "<b>fat</b> &amp;");
}
END_TEST

START_TEST(what_is_long_is_cut_between_characters)
{
    line_must_be("abcdef", 6, "abcdef");
    line_must_be("abcdefg", 6, "abcde…");
    line_must_be("ääääääää", 6, "äääää…");
    line_must_be("𝄞𝄞𝄞𝄞𝄞𝄞𝄞", 3, "𝄞𝄞…");
    g_autofree char *huge = g_strnfill(64 << 10, 'x');
    g_autofree char *shown = shown_line(huge, 100);
    ck_assert_int_eq(g_utf8_strlen(shown, -1), 100);
    /* In the middle of the last character's octets. */
    line_must_be("ab\xf0\x9d\x84", 40, "ab???");
}
END_TEST

START_TEST(lines_stay_and_are_counted)
{
    lines_must_be("one\ntwo\r\nthree", 100, 5, "one\ntwo\nthree");
    lines_must_be("\n\n one \n\n two \n\n", 100, 5, " one\n\n two");
    lines_must_be("1\n2\n3\n4", 100, 3, "1\n2\n3…");
    lines_must_be("abcdef\nghijkl", 9, 5, "abcdef\ng…");
    lines_must_be("\x1b]0;title\a\nok", 100, 5, "?]0;title?\nok");
    lines_must_be(NULL, 10, 3, "");
    GString *many = g_string_new(NULL);
    for (guint i = 0; i < 10000; i++) {
        g_string_append(many, "\n\xff");
    }
    g_autofree char *shown = shown_block(many->str, 800, 12);
    ck_assert_uint_le(strlen(shown), 12 * 2 + strlen("…"));
    g_string_free(many, TRUE);
}
END_TEST

START_TEST(a_name_does_not_turn_the_sentence_around)
{
    g_autofree char *name = shown_name("\xd7\xa2\xd7\x91\xe2\x80\xae", 40);
    ck_assert_str_eq(name, "\xe2\x81\xa8\xd7\xa2\xd7\x91?\xe2\x81\xa9");
}
END_TEST

START_TEST(a_form_of_the_service)
{
    guint32 number;
    GVariant *one = g_variant_ref_sink(g_variant_new_parsed(
        "(@u 7, [('password', 'Password', 'Token\ncode\x01?', 'secret', @a{sv} {})])"));
    struct ask_form *form = ask_form_of_variant("work", one, &number);
    const struct ask_field *field = form->fields->pdata[0];
    ck_assert_uint_eq(number, 7);
    ck_assert_uint_eq(form->fields->len, 1);
    ck_assert_str_eq(form->message, "Token\ncode??");
    ck_assert_str_eq(field->prompt, "");
    ck_assert_str_eq(field->id, "password");
    ck_assert_int_eq(field->kind, ASK_SECRET);
    ask_form_free(form);
    g_variant_unref(one);

    GVariant *two = g_variant_ref_sink(g_variant_new_parsed(
        "(@u 8, [('user', 'User name', 'Who?', 'text', @a{sv} {}), ('password', 'Password', '', "
        "'secret', {})])"));
    form = ask_form_of_variant("work", two, &number);
    field = form->fields->pdata[0];
    ck_assert_uint_eq(form->fields->len, 2);
    ck_assert_str_eq(form->message, "");
    ck_assert_str_eq(field->prompt, "Who?");
    ck_assert_int_eq(field->kind, ASK_TEXT);
    ask_form_free(form);
    g_variant_unref(two);
}
END_TEST

START_TEST(a_kind_that_nobody_knows_is_not_shown)
{
    guint32 number;
    GVariant *odd = g_variant_ref_sink(
        g_variant_new_parsed("(@u 9, [('password', 'Password', '', 'secret', @a{sv} {}), ('face', "
                             "'Face', '', 'camera', {})])"));
    ck_assert_ptr_null(ask_form_of_variant("work", odd, &number));
    g_variant_unref(odd);
}
END_TEST

START_TEST(what_is_good_for_once)
{
    guint32 number;
    g_autoptr(GVariant) pin = g_variant_ref_sink(g_variant_new_parsed(
        "(@u 9, [('private-key-password', 'PIN', '', 'secret', {'once': <true>}),"
        " ('password', 'Password', '', 'secret', {'once': <'yes'>})])"));
    struct ask_form *form = ask_form_of_variant("work", pin, &number);
    const struct ask_field *first = form->fields->pdata[0], *second = form->fields->pdata[1];
    ck_assert(first->once);
    ck_assert(!second->once);
    ask_form_free(form);
}
END_TEST

static GVariant *choice_form(GVariant *details)
{
    return g_variant_ref_sink(
        g_variant_new("(u@a" VPN1_FIELD_TYPE ")", 3,
                      g_variant_new_parsed("[('certificate', 'Certificate', '', "
                                           "'choice', %@a{sv})]",
                                           details)));
}

/* Of certificates: their holders and issuers may be anybody's words. */
START_TEST(a_choice_of_the_service)
{
    guint32 number;
    g_autofree char *huge = g_strnfill(64 << 10, 'x');
    g_autoptr(GVariant) form =
        choice_form(g_variant_new_parsed("{'choices': <[('pkcs11:id=1', '<b>alice</b>\x1b[2J', 'by "
                                         "\u202eevil'), ('pkcs11:id=2', %s, '')]>}",
                                         huge));
    struct ask_form *asked = ask_form_of_variant("work", form, &number);

    ck_assert_ptr_nonnull(asked);
    const struct ask_field *field = asked->fields->pdata[0];
    ck_assert_int_eq(field->kind, ASK_CHOICE);
    ck_assert_uint_eq(field->choices->len, 2);
    const struct ask_choice *first = field->choices->pdata[0], *second = field->choices->pdata[1];
    ck_assert_str_eq(first->id, "pkcs11:id=1");
    ck_assert_str_eq(first->title, "<b>alice</b>?[2J");
    ck_assert_str_eq(first->detail, "by ?evil");
    ck_assert_str_eq(second->id, "pkcs11:id=2");
    ck_assert_int_le(g_utf8_strlen(second->title, -1), 200);
    ask_form_free(asked);
}
END_TEST

START_TEST(a_choice_of_nothing_is_none)
{
    static const char *const details[] = {"@a{sv} {}", "{'choices': <@a(sss) []>}",
                                          "{'choices': <['a', 'b']>}"};
    guint32 number;

    for (gsize i = 0; i < G_N_ELEMENTS(details); i++) {
        g_autoptr(GVariant) form = choice_form(g_variant_new_parsed(details[i]));

        ck_assert_ptr_null(ask_form_of_variant("work", form, &number));
        ck_assert_uint_eq(number, 3);
    }
}
END_TEST

START_TEST(nothing_asked_is_no_form)
{
    guint32 number = 1;
    GVariant *none = g_variant_ref_sink(g_variant_new_parsed("(@u 0, @a" VPN1_FIELD_TYPE " [])"));
    GVariant *other = g_variant_ref_sink(g_variant_new_string("x"));
    ck_assert_ptr_null(ask_form_of_variant("work", none, &number));
    ck_assert_uint_eq(number, 0);
    ck_assert_ptr_null(ask_form_of_variant("work", other, &number));
    ck_assert_ptr_null(ask_form_of_variant("work", NULL, &number));
    g_variant_unref(none);
    g_variant_unref(other);
}
END_TEST

START_TEST(answers_become_octets)
{
    g_autoptr(GHashTable) answers = ask_answers_new();
    g_hash_table_insert(answers, g_strdup("password"), g_strdup("gehéim"));
    g_autoptr(GVariant) values = g_variant_ref_sink(ask_answers_to_variant(answers));
    g_autoptr(GVariant) value = g_variant_lookup_value(values, "password", NULL);
    gsize len;
    const char *octets = g_variant_get_fixed_array(value, &len, 1);
    ck_assert_mem_eq(octets, "gehéim", len);
    ck_assert_uint_eq(len, strlen("gehéim"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ask_form");
    TCase *shown = tcase_create("shown"), *forms = tcase_create("forms");
    tcase_add_test(shown, a_line_is_harmless);
    tcase_add_test(shown, what_is_long_is_cut_between_characters);
    tcase_add_test(shown, lines_stay_and_are_counted);
    tcase_add_test(shown, a_name_does_not_turn_the_sentence_around);
    tcase_add_test(forms, a_form_of_the_service);
    tcase_add_test(forms, a_kind_that_nobody_knows_is_not_shown);
    tcase_add_test(forms, what_is_good_for_once);
    tcase_add_test(forms, a_choice_of_the_service);
    tcase_add_test(forms, a_choice_of_nothing_is_none);
    tcase_add_test(forms, nothing_asked_is_no_form);
    tcase_add_test(forms, answers_become_octets);
    suite_add_tcase(suite, shown);
    suite_add_tcase(suite, forms);
    return run_suite(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/log.h"

#include "unit/vectors.h"

static void check(const char *from, size_t len, const char *expected)
{
    char out[100];

    /* An exact copy, so that a read behind the end is seen. */
    ck_assert_str_eq(
        text_printable(bytes_of(octets_copy(bytes_of(from, len)), len), out, sizeof(out)),
        expected);
    ck_assert(g_utf8_validate(out, -1, NULL));
}

#define CHECK(from, expected) check(from, sizeof(from) - 1, expected)

START_TEST(readable_text_stays)
{
    CHECK("", "");
    CHECK("E=691 R=1 M=Fehler", "E=691 R=1 M=Fehler");
    CHECK("Zugriff für Müller verweigert", "Zugriff für Müller verweigert");
    CHECK("日本語 \xf0\x9f\x94\x92", "日本語 \xf0\x9f\x94\x92");
    CHECK("\xf4\x8f\xbf\xbd", "\xf4\x8f\xbf\xbd");
}
END_TEST

START_TEST(tricks_become_question_marks)
{
    CHECK("a\nb\tc\rd\0e\x7f", "a?b?c?d?e?");
    CHECK("\x1b[31mred", "?[31mred");
    CHECK("\xc2\x9b"
          "31m",
          "?31m");                                    /* the C1 form of the same */
    CHECK("user\xe2\x80\xaetxt.exe", "user?txt.exe"); /* right-to-left override */
    CHECK("\xe2\x81\xa6x\xe2\x81\xa9", "?x?");        /* isolates */
    CHECK("a\xe2\x80\x8b"
          "b",
          "a?b"); /* zero width space */
    CHECK("a\xe2\x80\xa8"
          "b",
          "a?b");                     /* line separator */
    CHECK("\xef\xbb\xbfx", "?x");     /* byte order mark */
    CHECK("\xf3\xa0\x81\x81x", "?x"); /* tag characters */
}
END_TEST

START_TEST(invalid_utf8)
{
    CHECK("\x80", "?");
    CHECK("\xbf"
          "a",
          "?a");
    CHECK("\xc0\x80", "??"); /* overlong */
    CHECK("\xc1\xbf", "??");
    CHECK("\xe0\x80\x80", "???");
    CHECK("\xf0\x80\x80\x80", "????");
    CHECK("\xed\xa0\x80", "???");      /* surrogate */
    CHECK("\xf4\x90\x80\x80", "????"); /* beyond U+10FFFF */
    CHECK("\xf5\x80\x80\x80", "????");
    CHECK("\xff\xfe", "??");
    CHECK("\xc3", "?"); /* cut */
    CHECK("\xe2\x82", "??");
    CHECK("\xf0\x9f\x94", "???");
    CHECK("\xc3(", "?(");
    CHECK("\xe2\x28\xa1", "?(?");
}
END_TEST

START_TEST(truncation_keeps_characters_whole)
{
    struct bytes text = bytes_of_string("ab\xc3\xbc");
    char out[8];

    memset(out, 'x', sizeof(out));
    ck_assert_str_eq(text_printable(text, out, 5), "ab\xc3\xbc");
    ck_assert_str_eq(text_printable(text, out, 4), "ab");
    ck_assert_str_eq(text_printable(text, out, 3), "ab");
    ck_assert_str_eq(text_printable(text, out, 1), "");
    out[0] = 'y';
    ck_assert_ptr_eq(text_printable(text, out, 0), out);
    ck_assert_int_eq(out[0], 'y');
}
END_TEST

START_TEST(hexadecimal)
{
    struct bytes octets = hex("00 1f a0 ff");
    char out[16];

    ck_assert_str_eq(text_hex(octets, out, sizeof(out)), "001fa0ff");
    ck_assert_str_eq(text_hex(octets, out, 9), "001fa0ff");
    ck_assert_str_eq(text_hex(octets, out, 8), "001f...");
    ck_assert_str_eq(text_hex(octets, out, 7), "00...");
    ck_assert_str_eq(text_hex(octets, out, 6), "00...");
    ck_assert_str_eq(text_hex(octets, out, 5), "...");
    ck_assert_str_eq(text_hex(octets, out, 4), "...");
    ck_assert_str_eq(text_hex(octets, out, 3), "..");
    ck_assert_str_eq(text_hex(octets, out, 1), "");
    ck_assert_str_eq(text_hex((struct bytes){0}, out, sizeof(out)), "");
    out[0] = 'y';
    ck_assert_ptr_eq(text_hex(octets, out, 0), out);
    ck_assert_int_eq(out[0], 'y');
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *texts = tcase_create("texts");

    tcase_add_test(texts, readable_text_stays);
    tcase_add_test(texts, tricks_become_question_marks);
    tcase_add_test(texts, invalid_utf8);
    tcase_add_test(texts, truncation_keeps_characters_whole);
    tcase_add_test(texts, hexadecimal);
    suite_add_tcase(suite, texts);
    return run_suite(suite);
}

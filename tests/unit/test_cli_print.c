/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>
#include <locale.h>
#include <pty.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/print.h"
#include "common/dns_words.h"
#include "vectors.h"

static char *wrapped(const char *text, unsigned indent)
{
    char *printed = NULL;
    size_t size;
    FILE *out = open_memstream(&printed, &size);

    ck_assert_ptr_nonnull(out);
    print_wrapped(out, indent, text);
    fclose(out);
    return printed;
}

#define TEN "1234567890"
#define KANJI10 "\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22" /* 20 columns */

static const struct {
    const char *text;
    unsigned indent;
    const char *want;
} lines[] = {
    {"", 4, "\n"},
    {"one two", 0, "one two\n"},
    {"one two", 4, "    one two\n"},
    {TEN TEN TEN TEN TEN TEN TEN " " TEN, 0, TEN TEN TEN TEN TEN TEN TEN "\n" TEN "\n"},
    {TEN TEN TEN TEN TEN TEN TEN " 123456789", 0, TEN TEN TEN TEN TEN TEN TEN " 123456789\n"},
    /* Longer than a line: it stays whole. */
    {"a " TEN TEN TEN TEN TEN TEN TEN TEN TEN, 2,
     "  a\n  " TEN TEN TEN TEN TEN TEN TEN TEN TEN "\n"},
    /* Wide characters take two columns, and may end a line. */
    {KANJI10 KANJI10 KANJI10 KANJI10 "\u5b57", 0, KANJI10 KANJI10 KANJI10 KANJI10 "\n\u5b57\n"},
    /* But a full stop does not begin one. */
    {KANJI10 KANJI10 KANJI10 KANJI10 "\u3002", 0,
     KANJI10 KANJI10 KANJI10
     "\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22\n\u6f22\u3002\n"},
    {KANJI10 " godwit", 2, "  " KANJI10 " godwit\n"},
};

START_TEST(text_is_wrapped)
{
    char *printed = wrapped(lines[_i].text, lines[_i].indent);

    ck_assert_str_eq(printed, lines[_i].want);
    free(printed);
}
END_TEST

START_TEST(labels_are_aligned)
{
    char *printed = NULL;
    size_t size;
    FILE *out = open_memstream(&printed, &size);
    struct rows *rows = rows_new();

    rows_add(rows, "ab", g_strdup("narrow"));
    rows_add(rows, "\u6f22\u5b57", g_strdup("wide"));
    rows_add(rows, "u\u0308", g_strdup("combined"));
    rows_add(rows, "none", NULL);
    rows_finish(rows, out);
    fclose(out);
    ck_assert_str_eq(printed, "  ab    narrow\n  \u6f22\u5b57  wide\n  u\u0308     combined\n");
    free(printed);
}
END_TEST

/* As the service says it; in English it stays as it is. */
START_TEST(dns_is_told_again)
{
    static const char *const said[] = {
        "", "systemd-resolved", "10.99.0.1 answers in 12 ms", "2001:db8::1 answers in 0.4 ms",
        "10.99.0.1 answers with SERVFAIL", "10.99.0.1 does not answer",
        "no way through the tunnel to 10.99.0.1", "none of 2 servers answers",
        "100% sure %s answers in %n ms",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(said); i++) {
        char *here = dns_words_here(said[i]);

        ck_assert_str_eq(here, said[i]);
        g_free(here);
    }
}
END_TEST

/* A terminal is as wide as people have it. */
START_TEST(narrow_terminal)
{
    const struct winsize size = {.ws_row = 24, .ws_col = 40};
    struct rows *rows = rows_new();
    char shown[512] = "";
    int master, slave;
    FILE *out;

    ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, &size), 0);
    out = fdopen(slave, "w");
    ck_assert_ptr_nonnull(out);
    g_setenv("NO_COLOR", "1", TRUE);
    print_wrapped(out, 2, TEN " " TEN " " TEN " " TEN);
    rows_add(rows, "State", g_strdup("one two three four five six seven eight"));
    rows_finish(rows, out);
    fflush(out);
    for (gsize len = 0; strstr(shown, "eight\r\n") == NULL;) {
        ssize_t n = read(master, shown + len, sizeof shown - len - 1);

        ck_assert_int_gt(n, 0);
        len += (gsize)n;
        shown[len] = '\0';
    }
    ck_assert_str_eq(shown, "  " TEN " " TEN " " TEN "\r\n  " TEN "\r\n"
                            "  State  one two three four five six\r\n"
                            "         seven eight\r\n");
    fclose(out);
    close(master);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_print");
    TCase *tests = tcase_create("print");

    tcase_add_loop_test(tests, text_is_wrapped, 0, G_N_ELEMENTS(lines));
    tcase_add_test(tests, labels_are_aligned);
    tcase_add_test(tests, narrow_terminal);
    tcase_add_test(tests, dns_is_told_again);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

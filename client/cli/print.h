/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_PRINT_H
#define GODWIT_CLI_PRINT_H

#include <glib.h>
#include <stdio.h>

enum style { STYLE_BOLD, STYLE_DIM, STYLE_BAD };

/* The escape sequence that begins a style, or "" where colour has no place: a pipe, NO_COLOR. */
const char *style_begin(FILE *out, enum style style);
const char *style_end(FILE *out);

/* A block of aligned "Label  value" lines. */
struct rows;
struct rows *rows_new(void);
/* Copies `label`, takes over `value`; NULL or empty values are left out. */
void rows_add(struct rows *rows, const char *label, char *value);
/* Prints with an indent of two and frees. */
void rows_finish(struct rows *rows, FILE *out);

/* Prints `text` (valid UTF-8), broken between words, or between wide characters, at 80 columns,
 * each line behind `indent` blanks. */
void print_wrapped(FILE *out, unsigned indent, const char *text);
/* What came from elsewhere, fit for a terminal; free it. */
char *printable(const char *text);
/* "2 h 5 min" */
char *duration_text(gint64 seconds);

#endif

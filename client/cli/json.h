/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_JSON_H
#define GODWIT_CLI_JSON_H

#include <glib.h>

/* Writes JSON on standard output. Members have a name, elements of an array NULL instead. */
struct json {
    guint depth;
    gboolean any; /* something stands before, on this level */
};

void json_begin(struct json *json, const char *name, char bracket);    /* '{' or '[' */
void json_end(struct json *json, char bracket);                        /* '}' or ']' */
void json_text(struct json *json, const char *name, const char *text); /* NULL and "" are null */
void json_number(struct json *json, const char *name, gint64 number);
void json_bool(struct json *json, const char *name, gboolean value);
void json_texts(struct json *json, const char *name, char *const *texts);

#endif

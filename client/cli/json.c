/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/json.h"

#include <stdio.h>

static void put_quoted(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\') {
            printf("\\%c", c);
        } else if (c < 0x20) {
            printf("\\u%04x", c);
        } else {
            putchar(c);
        }
    }
    putchar('"');
}

/* An object of an array is a line of its own. */
static void begin_item(struct json *json, const char *name)
{
    if (json->any) {
        putchar(',');
    }
    if (json->depth == 1) {
        printf("\n  ");
    } else if (json->any) {
        putchar(' ');
    }
    json->any = TRUE;
    if (name != NULL) {
        put_quoted(name);
        fputs(": ", stdout);
    }
}

void json_begin(struct json *json, const char *name, char bracket)
{
    begin_item(json, name);
    putchar(bracket);
    json->depth++;
    json->any = FALSE;
}

void json_end(struct json *json, char bracket)
{
    json->depth--;
    if (json->depth == 0 && json->any) {
        putchar('\n');
    }
    putchar(bracket);
    json->any = TRUE;
    if (json->depth == 0) {
        putchar('\n');
    }
}

void json_text(struct json *json, const char *name, const char *text)
{
    begin_item(json, name);
    if (text == NULL || *text == '\0') {
        fputs("null", stdout);
    } else {
        put_quoted(text);
    }
}

void json_number(struct json *json, const char *name, gint64 number)
{
    begin_item(json, name);
    printf("%" G_GINT64_FORMAT, number);
}

void json_bool(struct json *json, const char *name, gboolean value)
{
    begin_item(json, name);
    fputs(value ? "true" : "false", stdout);
}

void json_texts(struct json *json, const char *name, char *const *texts)
{
    json_begin(json, name, '[');
    for (; *texts != NULL; texts++) {
        json_text(json, NULL, *texts);
    }
    json_end(json, ']');
}

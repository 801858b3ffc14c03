/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_QUESTIONS_ASK_FORM_H
#define GODWIT_GUI_QUESTIONS_ASK_FORM_H

#include <glib.h>

/*
 * What a person is asked, and how it is answered: the same form for NetworkManager's dialog, for
 * its mode without a window, and for the tray. Nothing here needs a display. Texts are copied, and
 * those from elsewhere made harmless (shown.h): whoever shows a form shows them as they are, as
 * plain text. Strings are never NULL.
 */

enum ask_kind {
    ASK_TEXT,       /* may be read while it is typed: a user name */
    ASK_SECRET,     /* hidden, unless it is asked to be shown */
    ASK_NEW_SECRET, /* asked twice */
    ASK_CHOICE,     /* one of several, see ask_field_add_choice() */
};

struct ask_choice {
    char *id;     /* the answer */
    char *title;  /* "alice@example.org" */
    char *detail; /* "issued by Example CA, until 2027-03-01", "" = nothing */
};

struct ask_field {
    char *id;
    char *label;  /* ours, translated */
    char *prompt; /* the gateway's own words for this field, "" = none */
    enum ask_kind kind;
    char *value; /* filled in before; of a choice: its id; "" = nothing. Wiped */
    gboolean optional;
    gboolean once;      /* never to be kept: the PIN of a token, which locks itself */
    GPtrArray *choices; /* struct ask_choice */
};

struct ask_form {
    char *title;           /* "Sign in to “Work”" */
    char *message;         /* the gateway's own words, "" = none */
    char *error;           /* why the last answer was none, "" = it is the first */
    char *note;            /* what else there is to know, in small; "" = nothing */
    gboolean may_remember; /* a person may choose whether the answers are kept */
    gboolean remember;     /* so it is chosen before */
    GPtrArray *fields;     /* struct ask_field */
};

/* A form without fields for the connection of that name, which may be anybody's. */
struct ask_form *ask_form_new(const char *name);
void ask_form_free(struct ask_form *form); /* NULL is harmless */

/* Each replaces what was said before. The message is the gateway's; error and note may quote. */
void ask_form_set_message(struct ask_form *form, const char *message);
void ask_form_set_error(struct ask_form *form, const char *error);
void ask_form_set_note(struct ask_form *form, const char *note);

/* `prompt` and `value` may be NULL. The field is the form's. */
struct ask_field *ask_form_add(struct ask_form *form, enum ask_kind kind, const char *id,
                               const char *label, const char *prompt, const char *value);
/* Title and detail may be anybody's; detail may be NULL. */
void ask_field_add_choice(struct ask_field *field, const char *id, const char *title,
                          const char *detail);

/*
 * A form of org.godwit.VPN1.Session: its property Form, VPN1_FORM_TYPE; "user" and "password" and
 * so on are fields of it. NULL when nothing is asked, or nothing that we know how to. *number is
 * for ProvideSecrets and CancelSecrets.
 */
struct ask_form *ask_form_of_variant(const char *name, GVariant *form, guint32 *number);

/* Answers: strings by field id, wiped when the table is freed. */
GHashTable *ask_answers_new(void);
/* For ProvideSecrets: a{say}, floating. It has a copy of the answers, which nobody wipes. */
GVariant *ask_answers_to_variant(GHashTable *answers);

#endif

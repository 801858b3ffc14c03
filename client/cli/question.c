/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/question.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/print.h"
#include "common/gateway_facts_variant.h"
#include "common/i18n.h"

#define BLOCKS_A_LINE 8 /* of the fingerprint */

struct choice {
    char *value, *title, *detail;
};

struct question {
    GArray *choices; /* struct choice; NULL = it is none of several */
    guint chosen;    /* of them, from 1; whether to remember that is asked now. 0 = none is yet */
    char *id, *label, *prompt;
    gboolean hidden;
    gboolean may_remember;
    struct gateway_facts *facts; /* whether to trust it is the question; NULL = it is not */
    char digits[FINGERPRINT_TEXT];
};

static void clear_choice(gpointer data)
{
    struct choice *choice = data;

    g_free(choice->value);
    g_free(choice->title);
    g_free(choice->detail);
}

/* NULL when there are none. */
static GArray *read_choices(GVariant *details)
{
    g_autoptr(GVariantIter) rows = NULL;
    const char *value, *title, *detail;
    GArray *choices;

    if (details == NULL || !g_variant_lookup(details, "choices", "a(sss)", &rows) ||
        g_variant_iter_n_children(rows) == 0) {
        return NULL;
    }
    choices = g_array_new(FALSE, TRUE, sizeof(struct choice));
    g_array_set_clear_func(choices, clear_choice);
    while (g_variant_iter_next(rows, "(&s&s&s)", &value, &title, &detail)) {
        struct choice choice = {g_strdup(value), printable(title), printable(detail)};

        g_array_append_val(choices, choice);
    }
    return choices;
}

struct question *question_new(const struct session_field *field, gboolean may_remember)
{
    struct question *question = g_new0(struct question, 1);
    gboolean known = TRUE;

    question->id = g_strdup(field->id);
    question->label = printable(field->label == NULL ? field->id : field->label);
    question->prompt = printable(field->prompt == NULL ? "" : field->prompt);
    question->may_remember = may_remember;
    if (strcmp(field->kind, VPN1_FIELD_TRUST) == 0) {
        question->facts = g_new0(struct gateway_facts, 1);
        known =
            field->details != NULL && gateway_facts_from_variant(field->details, question->facts);
        (void)fingerprint_text(question->facts->fingerprint, question->digits);
    } else if (strcmp(field->kind, VPN1_FIELD_CHOICE) == 0) {
        question->choices = read_choices(field->details);
        known = question->choices != NULL;
    } else {
        question->hidden = strcmp(field->kind, VPN1_FIELD_SECRET) == 0;
        known = question->hidden || strcmp(field->kind, VPN1_FIELD_TEXT) == 0;
    }
    if (!known) {
        g_clear_pointer(&question, question_free);
    }
    return question;
}

void question_free(struct question *question)
{
    g_free(question->id);
    g_free(question->label);
    g_free(question->prompt);
    g_free(question->facts);
    g_clear_pointer(&question->choices, g_array_unref);
    g_free(question);
}

const char *question_id(const struct question *question)
{
    return question->id;
}

gboolean question_is_hidden(const struct question *question)
{
    return question->hidden;
}

/* ---- whether to trust a gateway ---- */

static char *date_text(gint64 when)
{
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(when);

    /* Translators: a day as strftime(3) writes it, "21 November 2026". */
    return date == NULL ? g_strdup("?") : g_date_time_format(date, _("%-d %B %Y"));
}

static char *names_text(const struct gateway_facts *facts)
{
    GString *out = g_string_new(facts->n_names == 0 ? _("none") : "");

    for (gsize i = 0; i < facts->n_names; i++) {
        g_string_append_printf(out, "%s%s", i == 0 ? "" : ", ", facts->names[i]);
    }
    return g_string_free(out, FALSE);
}

static void print_trust(const struct question *question, FILE *out)
{
    const struct gateway_facts *facts = question->facts;
    g_autofree char *why = gateway_facts_why(facts);
    g_autofree char *from = date_text(facts->not_before), *until = date_text(facts->not_after);
    char blocks[FINGERPRINT_BLOCKS];
    g_auto(GStrv) lines =
        g_strsplit(fingerprint_blocks(facts->fingerprint, BLOCKS_A_LINE, blocks), "\n", 0);
    struct rows *rows = rows_new();

    fprintf(out, "%s\n", _("The gateway is not trusted."));
    print_wrapped(out, 0, why);
    rows_add(rows, _("You connect to"), g_strdup(facts->expected));
    rows_add(rows, _("The certificate is for"), names_text(facts));
    rows_add(rows, _("Its holder"), g_strdup(facts->subject));
    rows_add(rows, _("Issued by"), g_strdup(facts->issuer));
    rows_add(rows, _("Valid"), g_strdup_printf(_("from %s to %s"), from, until));
    for (char **line = lines; *line != NULL; line++) {
        rows_add(rows, line == lines ? _("SHA-256 fingerprint") : "", g_strdup(*line));
    }
    rows_finish(rows, out);
    print_wrapped(
        out, 0,
        _("Whoever you trust here is shown your user name and can read all that you send. "
          "Ask whoever runs the gateway for its fingerprint, and compare."));
}

static char *trust_text(const struct question *question, gboolean again)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (out == NULL) {
        g_error("out of memory");
    }
    if (!again) {
        print_trust(question, out);
    }
    fputs(question->may_remember ? _("Trust it? yes (and remember), once or no: ")
                                 : _("Trust it? yes or no: "),
          out);
    fclose(out);
    return text;
}

/* As it is asked for, or in English. */
static gboolean says(struct bytes line, const char *word)
{
    g_autofree char *typed = g_strndup((const char *)line.data, line.len);
    g_autofree char *folded = g_utf8_casefold(g_strstrip(typed), -1);
    g_autofree char *own = g_utf8_casefold(_(word), -1);

    return strcmp(folded, own) == 0 || strcmp(folded, word) == 0;
}

static enum question_result take_trust(const struct question *question, struct bytes line,
                                       struct bytes *value, gboolean *remember)
{
    /* Translators: what is typed as an answer. */
    gboolean yes = says(line, N_("yes"));

    if (says(line, N_("no"))) {
        return QUESTION_REFUSED;
    }
    if (!yes && !(question->may_remember && says(line, N_("once")))) {
        return QUESTION_AGAIN;
    }
    *remember = yes && question->may_remember;
    *value = bytes_of_string(question->digits);
    return QUESTION_ANSWERED;
}

/* ---- one of several ---- */

static char *choice_text(const struct question *question, gboolean again)
{
    GString *out = g_string_new(NULL);

    if (question->chosen != 0) {
        g_string_assign(out, _("Remember my choice? yes or no: "));
        return g_string_free(out, FALSE);
    }
    for (guint i = 0; !again && i < question->choices->len; i++) {
        const struct choice *choice = &g_array_index(question->choices, struct choice, i);

        g_string_append_printf(out, "%3u  %s\n", i + 1, choice->title);
        if (*choice->detail != '\0') {
            g_string_append_printf(out, "     %s\n", choice->detail);
        }
    }
    g_string_append_printf(out, _("%s, 1 to %u: "), question->label, question->choices->len);
    return g_string_free(out, FALSE);
}

static enum question_result take_number(struct question *question, struct bytes line)
{
    g_autofree char *typed = g_strndup((const char *)line.data, line.len);
    guint64 number;

    if (!g_ascii_string_to_unsigned(g_strstrip(typed), 10, 1, question->choices->len, &number,
                                    NULL)) {
        return QUESTION_AGAIN;
    }
    question->chosen = (guint)number;
    return question->may_remember ? QUESTION_MORE : QUESTION_ANSWERED;
}

static enum question_result take_choice(struct question *question, struct bytes line,
                                        struct bytes *value, gboolean *remember)
{
    enum question_result result = QUESTION_ANSWERED;

    if (question->chosen == 0) {
        result = take_number(question, line);
    } else if (says(line, N_("yes"))) {
        *remember = TRUE;
    } else if (!says(line, N_("no"))) {
        result = QUESTION_AGAIN;
    }
    if (result == QUESTION_ANSWERED) {
        *value = bytes_of_string(
            g_array_index(question->choices, struct choice, question->chosen - 1).value);
    }
    return result;
}

/* ---- every kind ---- */

char *question_text(const struct question *question, gboolean again)
{
    g_autofree char *label = g_strdup_printf(_("%s: "), question->label);

    if (question->facts != NULL) {
        return trust_text(question, again);
    }
    if (question->choices != NULL) {
        return choice_text(question, again);
    }
    return *question->prompt == '\0' || again ? g_steal_pointer(&label)
                                              : g_strdup_printf("%s\n%s", question->prompt, label);
}

enum question_result question_take(struct question *question, struct bytes line,
                                   struct bytes *value, gboolean *remember)
{
    if (question->facts != NULL) {
        return take_trust(question, line, value, remember);
    }
    if (question->choices != NULL) {
        return take_choice(question, line, value, remember);
    }
    *value = line;
    return line.len == 0 ? QUESTION_AGAIN : QUESTION_ANSWERED;
}

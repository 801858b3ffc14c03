/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/questions/ask_form.h"

#include <string.h>

#include "common/i18n.h"
#include "common/secret.h"
#include "common/vpn1.h"
#include "gui/questions/shown.h"

#define NAME_MAX_CHARACTERS 64
#define LINE_MAX_CHARACTERS 160
#define TEXT_MAX_CHARACTERS 400
#define TEXT_MAX_LINES 8
#define CHOICES_MAX 64

static void free_secret(gpointer text)
{
    if (text) {
        secret_wipe(text, strlen(text));
        g_free(text);
    }
}

static void free_choice(gpointer data)
{
    struct ask_choice *choice = data;
    g_free(choice->id);
    g_free(choice->title);
    g_free(choice->detail);
    g_free(choice);
}

static void free_field(gpointer data)
{
    struct ask_field *field = data;
    g_free(field->id);
    g_free(field->label);
    g_free(field->prompt);
    free_secret(field->value);
    g_ptr_array_unref(field->choices);
    g_free(field);
}

struct ask_form *ask_form_new(const char *name)
{
    struct ask_form *form = g_new0(struct ask_form, 1);
    g_autofree char *shown = shown_name(name, NAME_MAX_CHARACTERS);
    /* Translators: heading of a dialog; the name of a VPN connection. */
    form->title = g_strdup_printf(_("Sign in to “%s”"), shown);
    form->message = g_strdup("");
    form->error = g_strdup("");
    form->note = g_strdup("");
    form->fields = g_ptr_array_new_with_free_func(free_field);
    return form;
}

void ask_form_free(struct ask_form *form)
{
    if (form) {
        g_free(form->title);
        g_free(form->message);
        g_free(form->error);
        g_free(form->note);
        g_ptr_array_unref(form->fields);
        g_free(form);
    }
}

static void set_text(char **to, const char *text)
{
    g_free(*to);
    *to = shown_block(text, TEXT_MAX_CHARACTERS, TEXT_MAX_LINES);
}

void ask_form_set_message(struct ask_form *form, const char *message)
{
    set_text(&form->message, message);
}

void ask_form_set_error(struct ask_form *form, const char *error)
{
    set_text(&form->error, error);
}

void ask_form_set_note(struct ask_form *form, const char *note)
{
    set_text(&form->note, note);
}

struct ask_field *ask_form_add(struct ask_form *form, enum ask_kind kind, const char *id,
                               const char *label, const char *prompt, const char *value)
{
    struct ask_field *field = g_new0(struct ask_field, 1);
    field->id = g_strdup(id);
    field->label = shown_line(label, LINE_MAX_CHARACTERS);
    field->prompt = shown_block(prompt, TEXT_MAX_CHARACTERS, TEXT_MAX_LINES);
    field->kind = kind;
    field->value = g_strdup(value ? value : "");
    field->choices = g_ptr_array_new_with_free_func(free_choice);
    g_ptr_array_add(form->fields, field);
    return field;
}

void ask_field_add_choice(struct ask_field *field, const char *id, const char *title,
                          const char *detail)
{
    struct ask_choice *choice = g_new0(struct ask_choice, 1);
    choice->id = g_strdup(id);
    choice->title = shown_line(title, LINE_MAX_CHARACTERS);
    choice->detail = shown_line(detail, LINE_MAX_CHARACTERS);
    g_ptr_array_add(field->choices, choice);
}

/* ---- org.godwit.VPN1 ---- */

static gboolean add_choices(struct ask_field *field, GVariant *details)
{
    g_autoptr(GVariantIter) choices = NULL;
    const char *id, *title, *detail;
    if (!g_variant_lookup(details, "choices", "a(sss)", &choices)) {
        return FALSE;
    }
    while (field->choices->len < CHOICES_MAX &&
           g_variant_iter_next(choices, "(&s&s&s)", &id, &title, &detail)) {
        ask_field_add_choice(field, id, title, detail);
    }
    return field->choices->len > 0;
}

/* FALSE: it is of a kind that we do not know how to ask. */
static gboolean add_field(struct ask_form *asked, GVariant *tuple)
{
    g_autoptr(GVariant) details = NULL;
    const char *id, *label, *prompt, *kind;
    g_variant_get(tuple, "(&s&s&s&s@a{sv})", &id, &label, &prompt, &kind, &details);
    if (g_str_equal(kind, VPN1_FIELD_CHOICE)) {
        return add_choices(ask_form_add(asked, ASK_CHOICE, id, label, prompt, NULL), details);
    }
    gboolean secret = g_str_equal(kind, VPN1_FIELD_SECRET);
    if (secret || g_str_equal(kind, VPN1_FIELD_TEXT)) {
        struct ask_field *field =
            ask_form_add(asked, secret ? ASK_SECRET : ASK_TEXT, id, label, prompt, NULL);
        (void)g_variant_lookup(details, "once", "b", &field->once);
        return TRUE;
    }
    return FALSE;
}

struct ask_form *ask_form_of_variant(const char *name, GVariant *form, guint32 *number)
{
    g_autoptr(GVariantIter) fields = NULL;
    *number = 0;
    if (!form || !g_variant_is_of_type(form, G_VARIANT_TYPE(VPN1_FORM_TYPE))) {
        return NULL;
    }
    g_variant_get(form, VPN1_FORM_TYPE, number, &fields);
    if (*number == 0 || g_variant_iter_n_children(fields) == 0) {
        return NULL;
    }
    struct ask_form *asked = ask_form_new(name);
    gboolean known = TRUE;
    GVariant *tuple;
    while (known && (tuple = g_variant_iter_next_value(fields))) {
        known = add_field(asked, tuple);
        g_variant_unref(tuple);
    }
    if (!known) {
        ask_form_free(asked);
        return NULL;
    }
    if (asked->fields->len == 1) {
        /* Then they are the whole form's. */
        struct ask_field *only = asked->fields->pdata[0];
        g_free(asked->message);
        asked->message = g_steal_pointer(&only->prompt);
        only->prompt = g_strdup("");
    }
    return asked;
}

GHashTable *ask_answers_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_secret);
}

GVariant *ask_answers_to_variant(GHashTable *answers)
{
    GVariantBuilder builder;
    GHashTableIter iter;
    gpointer id, value;
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{say}"));
    g_hash_table_iter_init(&iter, answers);
    while (g_hash_table_iter_next(&iter, &id, &value)) {
        g_variant_builder_add(
            &builder, "{s@ay}", id,
            g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, value, strlen(value), 1));
    }
    return g_variant_builder_end(&builder);
}

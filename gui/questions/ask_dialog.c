/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/questions/ask_dialog.h"

#include <adwaita.h>
#include <string.h>

#include "common/i18n.h"
#include "gui/questions/frame.h"

struct input {
    char *id;
    gboolean optional;
    GtkWidget *row, *again; /* AdwEntryRow; `again` of a new secret, else NULL */
    GPtrArray *buttons;     /* of a choice: GtkCheckButton; else NULL */
    GPtrArray *ids;         /* of a choice: what each button stands for */
};

struct ask {
    GtkWindow *window;
    GPtrArray *inputs;
    GtkWidget *remember, *differ; /* NULL = there is none */
    GString *mnemonics;
    ask_done done;
    void *context;
};

static void free_input(gpointer data)
{
    struct input *input = data;
    g_free(input->id);
    g_clear_pointer(&input->buttons, g_ptr_array_unref);
    g_clear_pointer(&input->ids, g_ptr_array_unref);
    g_free(input);
}

static void free_ask(gpointer data)
{
    struct ask *ask = data;
    g_ptr_array_unref(ask->inputs);
    g_string_free(ask->mnemonics, TRUE);
    g_free(ask);
}

/* ---- answers ---- */

static const char *text_of(GtkWidget *row)
{
    return gtk_editable_get_text(GTK_EDITABLE(row));
}

static const char *answer_of(const struct input *input)
{
    for (guint i = 0; input->buttons && i < input->buttons->len; i++) {
        if (gtk_check_button_get_active(input->buttons->pdata[i])) {
            return input->ids->pdata[i];
        }
    }
    return input->buttons ? "" : text_of(input->row);
}

/* Both have been typed, and are not the same. */
static gboolean differs(const struct input *input)
{
    return input->again && *text_of(input->again) &&
           strcmp(text_of(input->row), text_of(input->again)) != 0;
}

/* What is missing, to be typed next; NULL = nothing. */
static GtkWidget *missing(const struct input *input)
{
    if (!*answer_of(input) && !input->optional) {
        return input->row;
    }
    return input->again && strcmp(text_of(input->row), text_of(input->again)) != 0 ? input->again
                                                                                    : NULL;
}

static GtkWidget *first_missing(const struct ask *ask)
{
    GtkWidget *found = NULL;
    for (guint i = 0; i < ask->inputs->len && !found; i++) {
        found = missing(ask->inputs->pdata[i]);
    }
    return found;
}

static void on_closed(void *owner, gboolean accepted)
{
    struct ask *ask = owner;
    g_autoptr(GHashTable) answers = accepted ? ask_answers_new() : NULL;
    for (guint i = 0; accepted && i < ask->inputs->len; i++) {
        const struct input *input = ask->inputs->pdata[i];
        g_hash_table_insert(answers, g_strdup(input->id), g_strdup(answer_of(input)));
    }
    ask->done(ask->context, answers,
              ask->remember && gtk_check_button_get_active(GTK_CHECK_BUTTON(ask->remember)));
}

static void update(struct ask *ask)
{
    gboolean different = FALSE;
    for (guint i = 0; i < ask->inputs->len; i++) {
        different |= differs(ask->inputs->pdata[i]);
    }
    if (ask->differ && gtk_widget_get_visible(ask->differ) != different) {
        gtk_widget_set_visible(ask->differ, different);
        frame_fit(ask->window);
    }
    frame_set_acceptable(ask->window, first_missing(ask) == NULL);
}

static void on_enter(struct ask *ask)
{
    GtkWidget *next = first_missing(ask);
    if (next) {
        gtk_widget_grab_focus(next);
    } else {
        frame_accept(ask->window);
    }
}

static void focus_first(const struct ask *ask)
{
    GtkWidget *first = first_missing(ask);
    if (!first && ask->inputs->len > 0) {
        first = ((const struct input *)ask->inputs->pdata[0])->row;
    }
    if (first) {
        gtk_widget_grab_focus(first);
    }
}

/* ---- rows ---- */

/* `title` is what is seen, `name` what a screen reader says. */
static GtkWidget *add_row(struct ask *ask, GtkWidget *list, const struct ask_field *field,
                          const char *title, const char *name)
{
    /* A screen reader is told of the entry in the row: libadwaita 1.2 does not tell it of the focus. */
    GtkWidget *row = g_object_new(
        field->kind == ASK_TEXT ? ADW_TYPE_ENTRY_ROW : ADW_TYPE_PASSWORD_ENTRY_ROW,
        "accessible-role", GTK_ACCESSIBLE_ROLE_LIST_ITEM, NULL);
    GtkAccessible *entry = GTK_ACCESSIBLE(gtk_editable_get_delegate(GTK_EDITABLE(row)));
    g_autofree char *marked = frame_mnemonic(title, ask->mnemonics);
    g_object_set(entry, "accessible-role", GTK_ACCESSIBLE_ROLE_TEXT_BOX, NULL);
    adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
    adw_preferences_row_set_use_underline(ADW_PREFERENCES_ROW(row), TRUE);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), marked);
    gtk_accessible_update_property(entry, GTK_ACCESSIBLE_PROPERTY_LABEL, name,
                                   GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, field->prompt, -1);
    g_signal_connect_swapped(row, "changed", G_CALLBACK(update), ask);
    g_signal_connect_swapped(row, "entry-activated", G_CALLBACK(on_enter), ask);
    gtk_list_box_append(GTK_LIST_BOX(list), row);
    return row;
}

static void add_choices(struct ask *ask, GtkWidget *list, const struct ask_field *field,
                        struct input *input)
{
    input->buttons = g_ptr_array_new();
    input->ids = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < field->choices->len; i++) {
        const struct ask_choice *choice = field->choices->pdata[i];
        GtkWidget *row = adw_action_row_new();
        GtkWidget *button = g_object_new(GTK_TYPE_CHECK_BUTTON, "accessible-role",
                                         GTK_ACCESSIBLE_ROLE_RADIO, NULL);
        adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
        adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), choice->title);
        adw_action_row_set_title_lines(ADW_ACTION_ROW(row), 0);
        adw_action_row_set_subtitle(ADW_ACTION_ROW(row), choice->detail);
        adw_action_row_add_prefix(ADW_ACTION_ROW(row), button);
        adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), button);
        gtk_widget_set_focusable(row, FALSE); /* the button is, which tells whether it is chosen */
        gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
        if (i > 0) {
            gtk_check_button_set_group(GTK_CHECK_BUTTON(button), input->buttons->pdata[0]);
        } else {
            input->row = button;
        }
        gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                       choice->title, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                       choice->detail, -1);
        gtk_check_button_set_active(GTK_CHECK_BUTTON(button), g_str_equal(choice->id, field->value));
        g_signal_connect_swapped(button, "toggled", G_CALLBACK(update), ask);
        g_ptr_array_add(input->buttons, button);
        g_ptr_array_add(input->ids, g_strdup(choice->id));
        gtk_list_box_append(GTK_LIST_BOX(list), row);
    }
}

static GtkWidget *new_list(struct ask *ask)
{
    GtkWidget *list = gtk_list_box_new();
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(list, "boxed-list");
    frame_add(ask->window, list);
    return list;
}

/* Fields without words of the gateway's share a list. */
static GtkWidget *add_field(struct ask *ask, GtkWidget *list, const struct ask_field *field)
{
    struct input *input = g_new0(struct input, 1);
    input->id = g_strdup(field->id);
    input->optional = field->optional;
    g_ptr_array_add(ask->inputs, input);
    if (!list || *field->prompt || field->kind == ASK_CHOICE) {
        const char *words = field->kind == ASK_CHOICE && !*field->prompt ? field->label : field->prompt;
        frame_add_text(ask->window, words, NULL);
        list = new_list(ask);
    }
    if (field->kind == ASK_CHOICE) {
        add_choices(ask, list, field, input);
        return NULL;
    }
    input->row = add_row(ask, list, field, field->label, field->label);
    if (field->kind == ASK_NEW_SECRET) {
        /* TRANSLATORS: %s is the label of a field, such as "New password". */
        g_autofree char *again = g_strdup_printf(_("%s, once more"), field->label);
        input->again = add_row(ask, list, field, _("Once more"), again);
    }
    return list;
}

/* Filled in when the row has been told about. */
static void fill_in(struct ask *ask, const struct ask_form *form)
{
    for (guint i = 0; i < ask->inputs->len; i++) {
        const struct input *input = ask->inputs->pdata[i];
        const struct ask_field *field = form->fields->pdata[i];
        if (!input->buttons) {
            gtk_editable_set_text(GTK_EDITABLE(input->row), field->value);
        }
    }
}

static void add_remember(struct ask *ask, gboolean remember)
{
    GtkWidget *label = gtk_label_new(NULL);
    g_autofree char *text = frame_mnemonic(_("Remember what I type"), ask->mnemonics);
    ask->remember = gtk_check_button_new();
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_text_with_mnemonic(GTK_LABEL(label), text);
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), ask->remember);
    gtk_check_button_set_child(GTK_CHECK_BUTTON(ask->remember), label);
    gtk_check_button_set_active(GTK_CHECK_BUTTON(ask->remember), remember);
    gtk_widget_set_halign(ask->remember, GTK_ALIGN_CENTER);
    frame_add(ask->window, ask->remember);
}

static void add_fields(struct ask *ask, const struct ask_form *form)
{
    GtkWidget *list = NULL;
    gboolean twice = FALSE;
    for (guint i = 0; i < form->fields->len; i++) {
        const struct ask_field *field = form->fields->pdata[i];
        list = add_field(ask, list, field);
        twice |= field->kind == ASK_NEW_SECRET;
    }
    if (twice) {
        ask->differ = frame_add_error(ask->window, _("The two are not the same."));
        gtk_widget_set_visible(ask->differ, FALSE);
    }
    if (form->may_remember) {
        add_remember(ask, form->remember);
    }
    frame_add_text(ask->window, form->note, "dim-label");
}

GtkWindow *ask_dialog_show(const struct ask_form *form, GtkWindow *parent, ask_done done,
                           void *context)
{
    struct ask *ask = g_new0(struct ask, 1);
    const struct frame_look look = {
        .title = _("VPN sign-in"),
        .symbol = "dialog-password-symbolic",
        .heading = form->title,
        .accept = _("C_onnect"),
        .accept_by_default = TRUE,
    };
    ask->inputs = g_ptr_array_new_with_free_func(free_input);
    ask->done = done;
    ask->context = context;
    ask->window = frame_new(parent, &look, on_closed, ask, free_ask);
    ask->mnemonics = frame_used_mnemonics(ask->window);
    if (*form->error) {
        frame_add_error(ask->window, form->error);
    }
    frame_add_text(ask->window, form->message, NULL);
    add_fields(ask, form);
    fill_in(ask, form);
    update(ask);
    frame_fit(ask->window);
    gtk_window_present(ask->window);
    focus_first(ask);
    return ask->window;
}

void ask_dialog_dismiss(GtkWindow *dialog)
{
    frame_dismiss(dialog);
}

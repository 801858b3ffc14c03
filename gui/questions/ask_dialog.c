/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/questions/ask_dialog.h"

#include <adwaita.h>
#include <string.h>

#include "common/i18n.h"
#include "gui/editor/mnemonic.h"
#include "gui/questions/frame.h"

struct input {
    char *id;
    gboolean optional;
    GtkWidget *entry, *again; /* `again` of a new secret, else NULL; of a choice the first button */
    GPtrArray *buttons;       /* of a choice: GtkCheckButton; else NULL */
    GPtrArray *ids;           /* of a choice: what each button stands for */
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

static const char *text_of(GtkWidget *entry)
{
    return gtk_editable_get_text(GTK_EDITABLE(entry));
}

static const char *answer_of(const struct input *input)
{
    for (guint i = 0; input->buttons && i < input->buttons->len; i++) {
        if (gtk_check_button_get_active(input->buttons->pdata[i])) {
            return input->ids->pdata[i];
        }
    }
    return input->buttons ? "" : text_of(input->entry);
}

/* Both have been typed, and are not the same. */
static gboolean differs(const struct input *input)
{
    return input->again && *text_of(input->again) &&
           strcmp(text_of(input->entry), text_of(input->again)) != 0;
}

/* What is missing, to be typed next; NULL = nothing. */
static GtkWidget *missing(const struct input *input)
{
    if (!*answer_of(input) && !input->optional) {
        return input->entry;
    }
    return input->again && strcmp(text_of(input->entry), text_of(input->again)) != 0 ? input->again
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
        first = ((const struct input *)ask->inputs->pdata[0])->entry;
    }
    if (first) {
        gtk_widget_grab_focus(first);
    }
}

/* ---- rows ---- */

/* An entry of GTK's own: a screen reader hears its text and the focus, which libadwaita 1.2 does
 * not tell it of the entries in rows. */
static GtkWidget *add_entry(struct ask *ask, const struct ask_field *field, const char *title)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6), *label = gtk_label_new(NULL);
    GtkWidget *entry = field->kind == ASK_TEXT ? gtk_entry_new() : gtk_password_entry_new();
    g_autofree char *marked = mnemonic_label(title, ask->mnemonics);
    gtk_label_set_text_with_mnemonic(GTK_LABEL(label), marked);
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), entry);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    frame_wrap(GTK_LABEL(label));
    gtk_accessible_update_property(GTK_ACCESSIBLE(entry), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   field->prompt, -1);
    g_signal_connect_swapped(entry, "changed", G_CALLBACK(update), ask);
    g_signal_connect_swapped(entry, "activate", G_CALLBACK(on_enter), ask);
    gtk_box_append(GTK_BOX(box), label);
    gtk_box_append(GTK_BOX(box), entry);
    frame_add(ask->window, box);
    return entry;
}

static void add_choices(struct ask *ask, const struct ask_field *field, struct input *input)
{
    GtkWidget *list = gtk_list_box_new();
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(list, "boxed-list");
    frame_add(ask->window, list);
    input->buttons = g_ptr_array_new();
    input->ids = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < field->choices->len; i++) {
        const struct ask_choice *choice = field->choices->pdata[i];
        GtkWidget *row = adw_action_row_new();
        GtkWidget *button =
            g_object_new(GTK_TYPE_CHECK_BUTTON, "accessible-role", GTK_ACCESSIBLE_ROLE_RADIO, NULL);
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
            input->entry = button;
        }
        gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                       choice->title, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                       choice->detail, -1);
        gtk_check_button_set_active(GTK_CHECK_BUTTON(button),
                                    g_str_equal(choice->id, field->value));
        g_signal_connect_swapped(button, "toggled", G_CALLBACK(update), ask);
        g_ptr_array_add(input->buttons, button);
        g_ptr_array_add(input->ids, g_strdup(choice->id));
        gtk_list_box_append(GTK_LIST_BOX(list), row);
    }
}

static void add_field(struct ask *ask, const struct ask_field *field)
{
    struct input *input = g_new0(struct input, 1);
    gboolean choice = field->kind == ASK_CHOICE;
    input->id = g_strdup(field->id);
    input->optional = field->optional;
    g_ptr_array_add(ask->inputs, input);
    frame_add_text(ask->window, choice && !*field->prompt ? field->label : field->prompt, NULL);
    if (choice) {
        add_choices(ask, field, input);
        return;
    }
    input->entry = add_entry(ask, field, field->label);
    if (field->kind == ASK_NEW_SECRET) {
        /* Translators: %s is the label of a field, such as "New password". */
        g_autofree char *again = g_strdup_printf(_("%s, once more"), field->label);
        input->again = add_entry(ask, field, again);
    }
}

static void fill_in(struct ask *ask, const struct ask_form *form)
{
    for (guint i = 0; i < ask->inputs->len; i++) {
        const struct input *input = ask->inputs->pdata[i];
        const struct ask_field *field = form->fields->pdata[i];
        if (!input->buttons) {
            gtk_editable_set_text(GTK_EDITABLE(input->entry), field->value);
        }
    }
}

static GtkWidget *add_check(struct ask *ask, const char *title, gboolean active)
{
    GtkWidget *label = gtk_label_new(NULL), *check = gtk_check_button_new();
    g_autofree char *marked = mnemonic_label(title, ask->mnemonics);
    frame_wrap(GTK_LABEL(label));
    gtk_label_set_text_with_mnemonic(GTK_LABEL(label), marked);
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), check);
    gtk_check_button_set_child(GTK_CHECK_BUTTON(check), label);
    gtk_check_button_set_active(GTK_CHECK_BUTTON(check), active);
    gtk_widget_set_halign(check, GTK_ALIGN_START);
    frame_add(ask->window, check);
    return check;
}

static void show_text(GtkWidget *entry, gboolean shown)
{
    if (GTK_IS_PASSWORD_ENTRY(entry)) {
        gtk_text_set_visibility(GTK_TEXT(gtk_editable_get_delegate(GTK_EDITABLE(entry))), shown);
    }
}

static void on_show(GtkCheckButton *check, gpointer data)
{
    const struct ask *ask = data;
    for (guint i = 0; i < ask->inputs->len; i++) {
        const struct input *input = ask->inputs->pdata[i];
        show_text(input->entry, gtk_check_button_get_active(check));
        show_text(input->again, gtk_check_button_get_active(check));
    }
}

static void add_fields(struct ask *ask, const struct ask_form *form)
{
    gboolean twice = FALSE, hidden = FALSE, typed = FALSE;
    for (guint i = 0; i < form->fields->len; i++) {
        const struct ask_field *field = form->fields->pdata[i];
        add_field(ask, field);
        twice |= field->kind == ASK_NEW_SECRET;
        hidden |= field->kind == ASK_NEW_SECRET || field->kind == ASK_SECRET;
        typed |= field->kind != ASK_CHOICE;
    }
    if (twice) {
        ask->differ = frame_add_error(ask->window, _("The two are not the same."));
        gtk_widget_set_visible(ask->differ, FALSE);
    }
    if (hidden) {
        g_signal_connect(add_check(ask, _("Show what I type"), FALSE), "toggled",
                         G_CALLBACK(on_show), ask);
    }
    if (form->may_remember) {
        ask->remember = add_check(ask, typed ? _("Remember what I type") : _("Remember my choice"),
                                  form->remember);
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

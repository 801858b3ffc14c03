/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/assistant.h"

#include "common/i18n.h"
#include "gui/model/text.h"
#include "gui/window/field_row.h"
#include "gui/window/profile_editor.h"

struct _GodwitAssistant {
    AdwBin parent;
    GodwitWorld *world;
    GodwitAttempt *attempt;
    GtkWidget *symbol, *fields, *advice, *remember, *doing, *idle, *running, *connect, *spinner,
        *words, *cancel, *more;
    GtkWidget *server, *user, *password;
    gboolean was_running;
};

G_DEFINE_FINAL_TYPE(GodwitAssistant, godwit_assistant, ADW_TYPE_BIN)

static const char *text_of(GtkWidget *entry)
{
    return gtk_editable_get_text(GTK_EDITABLE(entry));
}

/* ---- what is shown ---- */

static GtkWidget *widget_of(GodwitAssistant *assistant, enum godwit_attempt_field field)
{
    switch (field) {
    case GODWIT_ATTEMPT_SERVER:
        return assistant->server;
    case GODWIT_ATTEMPT_USER:
        return assistant->user;
    case GODWIT_ATTEMPT_PASSWORD:
        return assistant->password;
    case GODWIT_ATTEMPT_MORE:
        return assistant->more;
    case GODWIT_ATTEMPT_NOWHERE:
        break;
    }
    return NULL;
}

static void mark(GodwitAssistant *assistant, GtkWidget *entry)
{
    field_mark(entry, widget_of(assistant, godwit_attempt_get_field(assistant->attempt)) == entry);
}

static void show_advice(GodwitAssistant *assistant)
{
    const char *advice = godwit_attempt_get_advice(assistant->attempt);

    mark(assistant, assistant->server);
    mark(assistant, assistant->user);
    mark(assistant, assistant->password);
    gtk_label_set_text(GTK_LABEL(assistant->advice), advice);
    gtk_widget_set_visible(assistant->advice, *advice != '\0');
    /* Its place is needed for what went wrong, which the bar above tells for longer. */
    gtk_widget_set_visible(assistant->symbol,
                           godwit_attempt_get_field(assistant->attempt) == GODWIT_ATTEMPT_NOWHERE &&
                               godwit_world_get_failure(assistant->world) == NULL);
}

static void show_progress(GodwitAssistant *assistant, gboolean running)
{
    GodwitSession *session = godwit_attempt_get_session(assistant->attempt);
    g_autofree char *words = session == NULL ? g_strdup(godwit_state_words(GODWIT_CONNECTING))
                                             : godwit_session_dup_words(session);

    gtk_label_set_text(GTK_LABEL(assistant->words), words);
    gtk_spinner_set_spinning(GTK_SPINNER(assistant->spinner), running);
}

static void update_connect(GodwitAssistant *assistant)
{
    gtk_widget_action_set_enabled(GTK_WIDGET(assistant), "assistant.connect",
                                  !godwit_attempt_is_running(assistant->attempt) &&
                                      *text_of(assistant->server) != '\0' &&
                                      *text_of(assistant->user) != '\0');
}

static GtkWidget *first_empty(GodwitAssistant *assistant)
{
    GtkWidget *const entries[] = {assistant->server, assistant->user, assistant->password};

    for (gsize i = 0; i < G_N_ELEMENTS(entries); i++) {
        if (*text_of(entries[i]) == '\0') {
            return entries[i];
        }
    }
    return NULL;
}

void godwit_assistant_focus(GodwitAssistant *assistant)
{
    GtkWidget *wrong = widget_of(assistant, godwit_attempt_get_field(assistant->attempt));
    GtkWidget *empty = first_empty(assistant);

    gtk_widget_grab_focus(godwit_attempt_is_running(assistant->attempt) ? assistant->cancel
                          : wrong != NULL                               ? wrong
                          : empty != NULL                               ? empty
                                                                        : assistant->connect);
}

static void update(GodwitAssistant *assistant)
{
    gboolean running = godwit_attempt_is_running(assistant->attempt);

    show_advice(assistant);
    show_progress(assistant, running);
    gtk_widget_set_sensitive(assistant->fields, !running);
    gtk_widget_set_sensitive(assistant->remember, !running);
    gtk_stack_set_visible_child(GTK_STACK(assistant->doing),
                                running ? assistant->running : assistant->idle);
    update_connect(assistant);
    if (running != assistant->was_running) {
        assistant->was_running = running;
        godwit_assistant_focus(assistant);
    }
}

/* ---- what a person does ---- */

static void connect(GtkWidget *widget, const char *action, GVariant *parameter)
{
    GodwitAssistant *assistant = GODWIT_ASSISTANT(widget);

    (void)action;
    (void)parameter;
    godwit_attempt_begin(assistant->attempt, text_of(assistant->server), text_of(assistant->user),
                         text_of(assistant->password),
                         gtk_check_button_get_active(GTK_CHECK_BUTTON(assistant->remember)));
    godwit_assistant_focus(assistant);
}

static void cancel(GtkWidget *widget, const char *action, GVariant *parameter)
{
    (void)action;
    (void)parameter;
    godwit_attempt_cancel(GODWIT_ASSISTANT(widget)->attempt);
}

/* An empty field is one that nobody has touched yet. */
static void take_along(GtkWidget *entry, struct values *values, const char *key)
{
    if (*text_of(entry) != '\0') {
        values_change(values, key, text_of(entry));
    }
}

static void more(GtkWidget *widget, const char *action, GVariant *parameter)
{
    GodwitAssistant *assistant = GODWIT_ASSISTANT(widget);
    struct values *values = values_new();

    (void)action;
    (void)parameter;
    take_along(assistant->server, values, "gateway");
    take_along(assistant->user, values, "user");
    profile_editor_show_new(GTK_WINDOW(gtk_widget_get_root(widget)), values, "window.done");
}

static void on_typed(GodwitAssistant *assistant)
{
    godwit_attempt_settle(assistant->attempt);
    update_connect(assistant);
}

static gboolean has_focus(GtkWidget *entry)
{
    return (gtk_widget_get_state_flags(entry) & GTK_STATE_FLAG_FOCUS_WITHIN) != 0;
}

/* To the next that is empty; then, or from the last one, on. */
static void on_enter(GodwitAssistant *assistant)
{
    GtkWidget *empty = first_empty(assistant);

    if (empty == NULL || has_focus(empty)) {
        gtk_widget_activate_action(GTK_WIDGET(assistant), "assistant.connect", NULL);
    } else {
        gtk_widget_grab_focus(empty);
    }
}

/* ---- fields ---- */

static GtkWidget *add_field(GodwitAssistant *assistant, GtkWidget *entry, const char *title)
{
    gtk_list_box_append(GTK_LIST_BOX(assistant->fields), field_row_new(entry, title, NULL));
    g_signal_connect_swapped(entry, "changed", G_CALLBACK(on_typed), assistant);
    g_signal_connect_swapped(entry, "activate", G_CALLBACK(on_enter), assistant);
    return entry;
}

static GtkWidget *plain_entry(GtkInputPurpose purpose)
{
    GtkWidget *entry = gtk_entry_new();

    gtk_entry_set_has_frame(GTK_ENTRY(entry), FALSE);
    gtk_entry_set_input_purpose(GTK_ENTRY(entry), purpose);
    return entry;
}

static void add_fields(GodwitAssistant *assistant)
{
    GtkWidget *password = gtk_password_entry_new();

    gtk_password_entry_set_show_peek_icon(GTK_PASSWORD_ENTRY(password), TRUE);
    gtk_widget_add_css_class(password, "flat");
    assistant->server = add_field(assistant, plain_entry(GTK_INPUT_PURPOSE_URL), _("_Server"));
    assistant->user =
        add_field(assistant, plain_entry(GTK_INPUT_PURPOSE_FREE_FORM), _("_User Name"));
    assistant->password = add_field(assistant, password, _("_Password"));
}

/* ---- for others ---- */

GodwitAttempt *godwit_assistant_get_attempt(GodwitAssistant *assistant)
{
    return assistant->attempt;
}

gboolean godwit_assistant_is_untouched(GodwitAssistant *assistant)
{
    return !godwit_attempt_is_running(assistant->attempt) && *text_of(assistant->server) == '\0' &&
           *text_of(assistant->user) == '\0' && *text_of(assistant->password) == '\0';
}

void godwit_assistant_clear(GodwitAssistant *assistant)
{
    if (!godwit_attempt_is_running(assistant->attempt)) {
        gtk_editable_set_text(GTK_EDITABLE(assistant->server), "");
        gtk_editable_set_text(GTK_EDITABLE(assistant->user), "");
        gtk_editable_set_text(GTK_EDITABLE(assistant->password), "");
        godwit_attempt_settle(assistant->attempt);
    }
}

void godwit_assistant_set_attempt(GodwitAssistant *assistant, GodwitWorld *world,
                                  GodwitAttempt *attempt)
{
    assistant->world = g_object_ref(world);
    assistant->attempt = g_object_ref(attempt);
    assistant->was_running = godwit_attempt_is_running(attempt);
    g_signal_connect_object(attempt, "changed", G_CALLBACK(update), assistant, G_CONNECT_SWAPPED);
    g_signal_connect_object(world, "changed", G_CALLBACK(update), assistant, G_CONNECT_SWAPPED);
    update(assistant);
}

static void godwit_assistant_dispose(GObject *object)
{
    GodwitAssistant *assistant = GODWIT_ASSISTANT(object);

    g_clear_object(&assistant->attempt);
    g_clear_object(&assistant->world);
    G_OBJECT_CLASS(godwit_assistant_parent_class)->dispose(object);
}

static void godwit_assistant_class_init(GodwitAssistantClass *class)
{
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = godwit_assistant_dispose;
    gtk_widget_class_set_template_from_resource(widget, "/org/godwit/Tray/window/assistant.ui");
#define BIND(child) gtk_widget_class_bind_template_child(widget, GodwitAssistant, child)
    BIND(symbol);
    BIND(fields);
    BIND(advice);
    BIND(remember);
    BIND(doing);
    BIND(idle);
    BIND(running);
    BIND(connect);
    BIND(spinner);
    BIND(words);
    BIND(cancel);
    BIND(more);
#undef BIND
    gtk_widget_class_install_action(widget, "assistant.connect", NULL, connect);
    gtk_widget_class_install_action(widget, "assistant.cancel", NULL, cancel);
    gtk_widget_class_install_action(widget, "assistant.more", NULL, more);
}

static void godwit_assistant_init(GodwitAssistant *assistant)
{
    gtk_widget_init_template(GTK_WIDGET(assistant));
    add_fields(assistant);
}

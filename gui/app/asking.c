/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/app/asking.h"

#include <string.h>

#include "gui/questions/ask_dialog.h"

struct asking {
    GtkApplication *application;
    GodwitWorld *world;
    GHashTable *open; /* struct question by path */
};

struct question {
    struct asking *asking;
    char *path;
    guint32 number;
    GtkWindow *dialog; /* NULL once it is answered */
};

static void free_question(gpointer data)
{
    struct question *question = data;

    if (question->dialog != NULL) {
        ask_dialog_dismiss(question->dialog);
    }
    g_free(question->path);
    g_free(question);
}

static void on_answered(void *context, GHashTable *answers, gboolean remember)
{
    struct question *question = context;
    GodwitWorld *world = question->asking->world;
    GodwitSession *session = godwit_world_find_path(world, question->path);

    (void)remember;
    question->dialog = NULL; /* it goes by itself */
    if (session != NULL) {
        godwit_world_answer(world, session, question->number,
                            answers == NULL ? NULL : ask_answers_to_variant(answers));
    }
}

static guint32 number_of(GodwitSession *session)
{
    g_autoptr(GVariant) form = godwit_session_dup_form(session);
    guint32 number = 0;

    if (form != NULL) {
        g_variant_get_child(form, 0, "u", &number);
    }
    return number;
}

static void ask(struct asking *asking, GodwitSession *session)
{
    const char *path = godwit_session_get_path(session);
    g_autoptr(GVariant) variant = godwit_session_dup_form(session);
    g_autofree char *name = godwit_session_dup_raw(session, "Name");
    struct question *question;
    struct ask_form *form;
    guint32 number;

    if (variant == NULL || (form = ask_form_of_variant(name, variant, &number)) == NULL) {
        return;
    }
    question = g_new0(struct question, 1);
    question->asking = asking;
    question->path = g_strdup(path);
    question->number = number;
    question->dialog = ask_dialog_show(form, gtk_application_get_active_window(asking->application),
                                       on_answered, question);
    g_hash_table_replace(asking->open, question->path, question);
    ask_form_free(form);
}

static gboolean is_over(gpointer path, gpointer data, gpointer context)
{
    const struct question *question = data;
    struct asking *asking = context;
    GodwitSession *session = godwit_world_find_path(asking->world, path);

    return session == NULL || number_of(session) != question->number;
}

void asking_show(struct asking *asking, const char *path)
{
    GodwitSession *session = godwit_world_find_path(asking->world, path);
    const struct question *question = g_hash_table_lookup(asking->open, path);

    if (question != NULL && question->dialog != NULL) {
        gtk_window_present(question->dialog);
    } else if (session != NULL) {
        ask(asking, session);
    }
}

static void update(struct asking *asking)
{
    GListModel *sessions = godwit_world_get_sessions(asking->world);

    (void)g_hash_table_foreach_remove(asking->open, is_over, asking);
    for (guint i = 0; i < g_list_model_get_n_items(sessions); i++) {
        g_autoptr(GodwitSession) session = g_list_model_get_item(sessions, i);
        g_autofree char *origin = godwit_session_dup_raw(session, "Origin");

        if (strcmp(origin, "tray") == 0 && godwit_session_is_ours(session) &&
            !g_hash_table_contains(asking->open, godwit_session_get_path(session))) {
            ask(asking, session);
        }
    }
}

struct asking *asking_new(GtkApplication *application, GodwitWorld *world)
{
    struct asking *asking = g_new0(struct asking, 1);

    asking->application = application;
    asking->world = g_object_ref(world);
    asking->open = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_question);
    g_signal_connect_swapped(world, "changed", G_CALLBACK(update), asking);
    return asking;
}

void asking_free(struct asking *asking)
{
    if (asking != NULL) {
        g_signal_handlers_disconnect_by_data(asking->world, asking);
        g_hash_table_unref(asking->open);
        g_object_unref(asking->world);
        g_free(asking);
    }
}

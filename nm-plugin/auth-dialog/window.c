/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nm-plugin/auth-dialog/window.h"

#include <adwaita.h>

#include "common/i18n.h"
#include "gui/questions/ask_dialog.h"

struct asked {
    GHashTable *answers;
    gboolean over;
};

static void on_done(void *context, GHashTable *answers, gboolean remember)
{
    struct asked *asked = context;
    (void)remember;
    asked->answers = answers ? g_hash_table_ref(answers) : NULL;
    asked->over = TRUE;
}

static void on_gone(GCancellable *gone, gpointer over)
{
    (void)gone;
    *(gboolean *)over = TRUE;
}

GHashTable *window_ask(const struct ask_form *form, GCancellable *gone, const char **why)
{
    struct asked asked = {0};
    gboolean dismissed = FALSE;
    *why = NULL;
    if (!gtk_init_check()) {
        *why = _("There is no display to ask on.");
        return NULL;
    }
    adw_init();
    GtkWindow *window = ask_dialog_show(form, NULL, on_done, &asked);
    gulong id = g_signal_connect(gone, "cancelled", G_CALLBACK(on_gone), &dismissed);
    dismissed = g_cancellable_is_cancelled(gone);
    while (!asked.over && !dismissed) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_signal_handler_disconnect(gone, id);
    if (!asked.over) {
        ask_dialog_dismiss(window);
    }
    return asked.answers;
}

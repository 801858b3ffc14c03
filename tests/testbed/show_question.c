/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows one question of gui/questions, described by a key file, and prints the answer:
 *     show_question FILE [TIMES]
 * With TIMES: opens and closes it so often, and prints how many windows are left.
 */
#include "config.h"

#include <adwaita.h>
#include <locale.h>
#include <stdlib.h>

#include "common/gateway_facts.h"
#include "common/i18n.h"
#include "gui/questions/ask_dialog.h"
#include "gui/questions/trust_dialog.h"

#define NOW 1795262400 /* 2026-11-21 */

static gboolean over, quiet;

static char *text(GKeyFile *file, const char *group, const char *key)
{
    return g_key_file_get_string(file, group, key, NULL);
}

static void print_answer(gpointer id, gpointer value, gpointer data)
{
    (void)data;
    g_print("%s=%s\n", (const char *)id, (const char *)value);
}

static void on_answers(void *context, GHashTable *answers, gboolean remember)
{
    (void)context;
    if (answers && !quiet) {
        g_hash_table_foreach(answers, print_answer, NULL);
        g_print("remember=%d\n", remember);
    } else if (!quiet) {
        g_print("cancelled\n");
    }
    over = TRUE;
}

static void on_trust(void *context, gboolean trusted, gboolean remember)
{
    (void)context;
    if (!quiet) {
        g_print("%s\n", !trusted ? "cancelled" : remember ? "trusted" : "trusted once");
    }
    over = TRUE;
}

static enum ask_kind kind_of(const char *name)
{
    static const char *const names[] = {"text", "secret", "new", "choice"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_strcmp0(names[i], name) == 0) {
            return (enum ask_kind)i;
        }
    }
    return ASK_SECRET;
}

static void add_field(struct ask_form *form, GKeyFile *file, const char *group)
{
    g_autofree char *kind = text(file, group, "kind"), *label = text(file, group, "label");
    g_autofree char *prompt = text(file, group, "prompt"), *value = text(file, group, "value");
    g_auto(GStrv) choices = g_key_file_get_string_list(file, group, "choices", NULL, NULL);
    struct ask_field *field =
        ask_form_add(form, kind_of(kind), group, label ? _(label) : group, prompt, value);
    for (gsize i = 0; choices && choices[i] && choices[i + 1] && choices[i + 2]; i += 3) {
        ask_field_add_choice(field, choices[i], choices[i + 1], choices[i + 2]);
    }
    field->optional = g_key_file_get_boolean(file, group, "optional", NULL);
}

static GtkWindow *ask(GKeyFile *file)
{
    g_autofree char *name = text(file, "form", "name"), *message = text(file, "form", "message");
    g_autofree char *error = text(file, "form", "error"), *note = text(file, "form", "note");
    g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
    struct ask_form *form = ask_form_new(name);
    ask_form_set_message(form, message);
    ask_form_set_error(form, error);
    ask_form_set_note(form, note);
    form->may_remember = g_key_file_get_boolean(file, "form", "may-remember", NULL);
    for (gsize i = 0; groups[i]; i++) {
        if (g_strcmp0(groups[i], "form") != 0 && g_strcmp0(groups[i], "window") != 0) {
            add_field(form, file, groups[i]);
        }
    }
    GtkWindow *window = ask_dialog_show(form, NULL, on_answers, NULL);
    ask_form_free(form);
    return window;
}

static GtkWindow *trust(GKeyFile *file)
{
    g_autofree char *expected = text(file, "trust", "expected"), *why = text(file, "trust", "why");
    g_autofree char *subject = text(file, "trust", "subject");
    g_autofree char *issuer = text(file, "trust", "issuer");
    g_autofree char *digits = text(file, "trust", "fingerprint");
    uint8_t fingerprint[FINGERPRINT_LEN];
    g_auto(GStrv) names = g_key_file_get_string_list(file, "trust", "names", NULL, NULL);
    g_assert_true(fingerprint_parse(fingerprint, digits));
    const struct trust_question question = {
        .expected = expected,
        .why = why,
        .names = (const char *const *)names,
        .subject = subject,
        .issuer = issuer,
        .not_before = g_key_file_get_int64(file, "trust", "from", NULL),
        .not_after = g_key_file_get_int64(file, "trust", "to", NULL),
        .fingerprint = fingerprint,
    };
    return trust_dialog_show(&question, NOW, NULL, on_trust, NULL);
}

static void on_gone(gpointer left, GObject *window)
{
    (void)window;
    --*(guint *)left;
}

static gboolean on_tick(gpointer ticked)
{
    *(gboolean *)ticked = TRUE;
    return G_SOURCE_REMOVE;
}

/* Mapped and drawn each time. */
static void open_and_close(GKeyFile *file, GtkWindow *(*show)(GKeyFile *), guint times)
{
    guint left = 0;
    quiet = TRUE;
    for (guint i = 0; i < times; i++) {
        GtkWindow *window = show(file);
        gboolean ticked = FALSE;
        left++;
        g_object_weak_ref(G_OBJECT(window), on_gone, &left);
        while (!gtk_widget_get_mapped(GTK_WIDGET(window))) {
            g_main_context_iteration(NULL, TRUE);
        }
        g_timeout_add(5, on_tick, &ticked);
        while (!ticked) {
            g_main_context_iteration(NULL, TRUE);
        }
        gtk_window_close(window);
        for (over = FALSE; g_main_context_iteration(NULL, FALSE);) {
        }
    }
    g_print("left=%u\n", left);
}

int main(int argc, char **argv)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    setlocale(LC_ALL, "");
    bindtextdomain(PACKAGE, LOCALEDIR);
    bind_textdomain_codeset(PACKAGE, "UTF-8");
    textdomain(PACKAGE);
    if (argc < 2 || !g_key_file_load_from_file(file, argv[1], G_KEY_FILE_NONE, NULL)) {
        return EXIT_FAILURE;
    }
    GtkWindow *(*show)(GKeyFile *) = g_key_file_has_group(file, "trust") ? trust : ask;
    adw_init();
    if (g_key_file_get_boolean(file, "window", "right-to-left", NULL)) {
        gtk_widget_set_default_direction(GTK_TEXT_DIR_RTL);
    }
    if (argc > 2) {
        open_and_close(file, show, (guint)atoi(argv[2]));
        return EXIT_SUCCESS;
    }
    (void)show(file);
    while (!over) {
        g_main_context_iteration(NULL, TRUE);
    }
    return EXIT_SUCCESS;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/questions/trust_dialog.h"

#include <adwaita.h>
#include <string.h>

#include "common/gateway_facts.h"
#include "common/i18n.h"
#include "gui/questions/fact_list.h"
#include "gui/questions/frame.h"
#include "gui/questions/shown.h"

#define LINE_MAX_CHARACTERS 160
#define NAMES_MAX 8
#define BLOCKS_A_LINE 4 /* of the fingerprint */

struct trust {
    trust_done done;
    void *context;
    GtkWidget *remember;
};

static void on_closed(void *owner, gboolean accepted)
{
    struct trust *trust = owner;
    trust->done(trust->context, accepted,
                gtk_check_button_get_active(GTK_CHECK_BUTTON(trust->remember)));
}

/* ---- facts ---- */

static char *names_text(const char *const *names)
{
    GString *out = g_string_new(NULL);
    for (gsize i = 0; names && names[i]; i++) {
        g_autofree char *name =
            i < NAMES_MAX ? shown_line(names[i], LINE_MAX_CHARACTERS) : g_strdup("…");
        g_string_append_printf(out, "%s%s", i > 0 ? "\n" : "", name);
        if (i == NAMES_MAX) {
            break;
        }
    }
    return out->len > 0 ? g_string_free(out, FALSE)
                        : (g_string_free(out, TRUE), g_strdup(_("none")));
}

static char *validity_text(const struct trust_question *question, gint64 now)
{
    g_autofree char *from = shown_date(question->not_before), *to = shown_date(question->not_after);
    /* Translators: the days between which a certificate is valid. */
    return now < question->not_before
               ? g_strdup_printf(_("from %s to %s: it is not valid yet"), from, to)
           : now > question->not_after
               ? g_strdup_printf(_("from %s to %s: it has expired"), from, to)
               : g_strdup_printf(_("from %s to %s"), from, to);
}

static void add_line(GtkWidget *list, const char *name, const char *value)
{
    g_autofree char *shown = shown_line(value, LINE_MAX_CHARACTERS);
    fact_list_add(list, name, *shown ? shown : _("none"), NULL);
}

static void add_fingerprint(GtkWidget *list, const char *name, const uint8_t *fingerprint)
{
    char blocks[FINGERPRINT_BLOCKS];
    g_autofree char *text =
        g_ascii_strup(fingerprint_blocks(fingerprint, BLOCKS_A_LINE, blocks), -1);
    fact_list_add(list, name, text, "monospace");
}

static void add_facts(GtkWindow *window, const struct trust_question *question, gint64 now)
{
    GtkWidget *list = fact_list_new();
    gboolean valid = now >= question->not_before && now <= question->not_after;
    g_autofree char *names = names_text(question->names);
    g_autofree char *validity = validity_text(question, now);
    add_line(list, _("You connect to"), question->expected);
    add_fingerprint(list, _("SHA-256 fingerprint"), question->fingerprint);
    fact_list_add(list, _("The certificate is for"), names, NULL);
    add_line(list, _("Its holder"), question->subject);
    add_line(list, _("Issued by"), question->issuer);
    fact_list_add(list, _("Valid"), validity, valid ? NULL : "error");
    frame_add(window, list);
}

/* ---- for others ---- */

GtkWindow *trust_dialog_show(const struct trust_question *question, gint64 now, GtkWindow *parent,
                             trust_done done, void *context)
{
    struct trust *trust = g_new0(struct trust, 1);
    g_autofree char *why = shown_line(question->why, LINE_MAX_CHARACTERS * 2);
    const struct frame_look look = {
        .title = _("Unknown gateway"),
        .symbol = "dialog-warning-symbolic",
        .heading = _("Is this your gateway?"),
        .accept = _("_Trust"),
    };
    trust->done = done;
    trust->context = context;
    GtkWindow *window = frame_new(parent, &look, on_closed, trust, g_free);
    (void)frame_add_error(window, why);
    frame_add_text(
        window,
        _("Whoever you trust here is shown your user name and can read all that you send. "
          "Ask whoever runs the gateway for its fingerprint, and compare."),
        NULL);
    trust->remember = gtk_check_button_new_with_label(_("Trust it from now on"));
    gtk_check_button_set_active(GTK_CHECK_BUTTON(trust->remember), TRUE);
    gtk_widget_set_halign(trust->remember, GTK_ALIGN_CENTER);
    frame_add(window, trust->remember);
    add_facts(window, question, now);
    frame_fit(window);
    gtk_window_present(window);
    return window;
}

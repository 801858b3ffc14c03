/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/failure_bar.h"

#include "gui/window/trace_window.h"

struct _GodwitFailureBar {
    GtkWidget parent;
    GodwitWorld *world;
    GtkWidget *revealer, *sentence, *detail, *hint, *trace;
};

G_DEFINE_FINAL_TYPE(GodwitFailureBar, godwit_failure_bar, GTK_TYPE_WIDGET)

static void set_text(GtkWidget *label, const char *text)
{
    gtk_label_set_text(GTK_LABEL(label), text);
    gtk_widget_set_visible(label, *text != '\0');
}

static void update(GodwitFailureBar *bar)
{
    const struct godwit_failure *failure = godwit_world_get_failure(bar->world);

    /* What goes stays to be read until it is out of sight. */
    if (failure != NULL) {
        g_autofree char *sentence = godwit_failure_dup_line(failure);

        set_text(bar->sentence, sentence);
        set_text(bar->hint, failure->hint);
        set_text(bar->detail, failure->detail);
        gtk_widget_set_visible(bar->trace,
                               g_list_model_get_n_items(G_LIST_MODEL(failure->trace)) > 0);
        gtk_accessible_update_property(GTK_ACCESSIBLE(bar), GTK_ACCESSIBLE_PROPERTY_LABEL, sentence,
                                       -1);
    }
    gtk_revealer_set_reveal_child(GTK_REVEALER(bar->revealer), failure != NULL);
}

static void on_changed(GodwitWorld *world, gpointer bar)
{
    (void)world;
    update(bar);
}

static void dismiss(GtkWidget *widget, const char *action, GVariant *parameter)
{
    (void)action;
    (void)parameter;
    godwit_world_dismiss_failure(GODWIT_FAILURE_BAR(widget)->world);
}

static void show_trace(GtkWidget *widget, const char *action, GVariant *parameter)
{
    const struct godwit_failure *failure =
        godwit_world_get_failure(GODWIT_FAILURE_BAR(widget)->world);

    (void)action;
    (void)parameter;
    if (failure != NULL) {
        trace_window_show(GTK_WINDOW(gtk_widget_get_root(widget)), failure->name, failure->trace);
    }
}

static void copy_report(GtkWidget *widget, const char *action, GVariant *parameter)
{
    GodwitWorld *world = GODWIT_FAILURE_BAR(widget)->world;
    const struct godwit_failure *failure = godwit_world_get_failure(world);

    (void)action;
    (void)parameter;
    if (failure != NULL) {
        g_autofree char *report = godwit_failure_report(failure, godwit_world_get_version(world));

        gdk_clipboard_set_text(gtk_widget_get_clipboard(widget), report);
    }
}

void godwit_failure_bar_set_world(GodwitFailureBar *bar, GodwitWorld *world)
{
    bar->world = g_object_ref(world);
    g_signal_connect_object(world, "changed", G_CALLBACK(on_changed), bar, 0);
    update(bar);
}

static void godwit_failure_bar_dispose(GObject *object)
{
    GodwitFailureBar *bar = GODWIT_FAILURE_BAR(object);

    g_clear_object(&bar->world);
    g_clear_pointer(&bar->revealer, gtk_widget_unparent);
    G_OBJECT_CLASS(godwit_failure_bar_parent_class)->dispose(object);
}

static void godwit_failure_bar_class_init(GodwitFailureBarClass *class)
{
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = godwit_failure_bar_dispose;
    gtk_widget_class_set_template_from_resource(widget, "/org/godwit/Tray/window/failure_bar.ui");
    gtk_widget_class_bind_template_child(widget, GodwitFailureBar, revealer);
    gtk_widget_class_bind_template_child(widget, GodwitFailureBar, sentence);
    gtk_widget_class_bind_template_child(widget, GodwitFailureBar, detail);
    gtk_widget_class_bind_template_child(widget, GodwitFailureBar, hint);
    gtk_widget_class_bind_template_child(widget, GodwitFailureBar, trace);
    gtk_widget_class_install_action(widget, "failure.dismiss", NULL, dismiss);
    gtk_widget_class_install_action(widget, "failure.trace", NULL, show_trace);
    gtk_widget_class_install_action(widget, "failure.copy", NULL, copy_report);
    gtk_widget_class_set_accessible_role(widget, GTK_ACCESSIBLE_ROLE_ALERT);
}

static void godwit_failure_bar_init(GodwitFailureBar *bar)
{
    gtk_widget_init_template(GTK_WIDGET(bar));
}

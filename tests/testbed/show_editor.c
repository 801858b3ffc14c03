/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows the connection editor of NetworkManager's plugin as nm-connection-editor (GTK 3) and GNOME
 * Settings (GTK 4) do: it is loaded through libnm, stands in a window, and every change is tried.
 *
 *     show_editor PLUGIN CONNECTION            a window; "Save" writes the connection again
 *     show_editor PLUGIN CONNECTION CYCLES     opens and closes it so often, tells what stays
 *
 * A connection is a keyfile of NetworkManager's.
 */
#include <NetworkManager.h>
#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "gui/editor/compat.h"

struct shown {
    const char *path;
    NMVpnEditorPlugin *plugin;
    NMConnection *connection;
    NMVpnEditor *editor;
    GtkWidget *window, *save, *said;
    GMainLoop *loop;
};

static void fail(GError *error)
{
    fprintf(stderr, "show_editor: %s\n", error ? error->message : "?");
    exit(EXIT_FAILURE);
}

static NMConnection *read_connection(const char *path)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    GError *error = NULL;
    NMConnection *connection = NULL;
    if (g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &error)) {
        connection = nm_keyfile_read(file, g_get_tmp_dir(), NM_KEYFILE_HANDLER_FLAGS_NONE, NULL,
                                     NULL, &error);
    }
    if (!connection) {
        fail(error);
    }
    return connection;
}

static void save(GtkWidget *button, gpointer data)
{
    struct shown *shown = data;
    GError *error = NULL;
    (void)button;
    g_autoptr(GKeyFile) file =
        nm_keyfile_write(shown->connection, NM_KEYFILE_HANDLER_FLAGS_NONE, NULL, NULL, &error);
    if (!file || !g_key_file_save_to_file(file, shown->path, &error)) {
        fail(error);
    }
    gtk_label_set_text(GTK_LABEL(shown->said), "saved");
}

static void try_it(struct shown *shown)
{
    g_autoptr(GError) error = NULL;
    gboolean good = nm_vpn_editor_update_connection(shown->editor, shown->connection, &error);
    gtk_widget_set_sensitive(shown->save, good);
    gtk_label_set_text(GTK_LABEL(shown->said), good ? "good" : error->message);
}

static void make_editor(struct shown *shown)
{
    GError *error = NULL;
    shown->editor = nm_vpn_editor_plugin_get_editor(shown->plugin, shown->connection, &error);
    if (!shown->editor) {
        fail(error);
    }
    g_signal_connect_swapped(shown->editor, "changed", G_CALLBACK(try_it), shown);
}

static void make_window(struct shown *shown)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
#if GTK_MAJOR_VERSION < 4
    shown->window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
#else
    shown->window = gtk_window_new();
#endif
    gtk_window_set_title(GTK_WINDOW(shown->window), "VPN");
    shown->save = gtk_button_new_with_label("Save");
    shown->said = gtk_label_new("");
    put_in_box(box, GTK_WIDGET(nm_vpn_editor_get_widget(shown->editor)));
    put_in_box(box, shown->said);
    put_in_box(box, shown->save);
    put_in_window(shown->window, box);
    g_signal_connect(shown->save, "clicked", G_CALLBACK(save), shown);
    try_it(shown);
    show_window(shown->window);
}

/* ---- what stays ---- */

static void run_idle(void)
{
    for (int i = 0; i < 50 && g_main_context_iteration(NULL, FALSE); i++) {
    }
}

static void gone(gpointer count, GObject *object)
{
    (void)object;
    ++*(int *)count;
}

static void count_cycles(struct shown *shown, int cycles)
{
    const int part = MAX(cycles / 4, 1);
    int ended = 0;
    size_t used[4] = {0};
    for (int i = 0; i < cycles; i++) {
        make_editor(shown);
        g_object_weak_ref(G_OBJECT(shown->editor), gone, &ended);
        g_object_weak_ref(nm_vpn_editor_get_widget(shown->editor), gone, &ended);
        make_window(shown);
        run_idle();
        g_clear_object(&shown->editor);
        close_window(shown->window);
        run_idle();
        if ((i + 1) % part == 0 && (i + 1) / part <= 4) {
            used[(i + 1) / part - 1] = mallinfo2().uordblks;
        }
    }
    /* A cache grows once; what is leaked is leaked each time. */
    double third = ((double)used[2] - (double)used[1]) / part;
    double last = ((double)used[3] - (double)used[2]) / part;
    printf("%d of %d ended, %.0f octets more each time\n", ended, 2 * cycles, MIN(third, last));
}

int main(int argc, char **argv)
{
    struct shown shown = {.path = argc > 2 ? argv[2] : ""};
    GError *error = NULL;
    setlocale(LC_ALL, "");
#if GTK_MAJOR_VERSION < 4
    (void)gtk_init_check(NULL, NULL);
#else
    (void)gtk_init_check();
#endif
    if (argc < 3) {
        fail(NULL);
    }
    shown.plugin =
        nm_vpn_editor_plugin_load(argv[1], "org.freedesktop.NetworkManager.godwit", &error);
    if (!shown.plugin) {
        fail(error);
    }
    shown.connection = read_connection(shown.path);
    if (argc > 3) {
        count_cycles(&shown, atoi(argv[3]));
        return EXIT_SUCCESS;
    }
    make_editor(&shown);
    make_window(&shown);
    shown.loop = g_main_loop_new(NULL, FALSE);
    g_main_loop_run(shown.loop);
    return EXIT_SUCCESS;
}

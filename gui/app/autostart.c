/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/app/autostart.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>

#define FILE_NAME "org.godwit.Tray.desktop"
#define GROUP "Desktop Entry"
#define GNOME_ENABLED "X-GNOME-Autostart-enabled"
#define CONTENT                                                                                    \
    "[Desktop Entry]\n"                                                                            \
    "Type=Application\n"                                                                           \
    "Name=Godwit\n"                                                                                \
    "TryExec=godwit-tray\n"                                                                        \
    "Exec=godwit-tray --hidden\n"                                                                  \
    "Icon=org.godwit.Tray\n"                                                                       \
    "NoDisplay=true\n"                                                                             \
    "X-GNOME-UsesNotifications=true\n"                                                             \
    "X-KDE-autostart-after=panel\n"

static char *path_of_file(void)
{
    return g_build_filename(g_get_user_config_dir(), "autostart", FILE_NAME, NULL);
}

gboolean autostart_is_on(void)
{
    g_autofree char *path = path_of_file();
    g_autoptr(GKeyFile) file = g_key_file_new();

    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL)) {
        return FALSE;
    }
    /* Desktops switch such a file off by keys in it. */
    return !g_key_file_get_boolean(file, GROUP, "Hidden", NULL) &&
           (!g_key_file_has_key(file, GROUP, GNOME_ENABLED, NULL) ||
            g_key_file_get_boolean(file, GROUP, GNOME_ENABLED, NULL));
}

gboolean autostart_set(gboolean on, GError **error)
{
    g_autofree char *path = path_of_file(), *folder = g_path_get_dirname(path);
    int err = 0;

    if (on) {
        (void)g_mkdir_with_parents(folder, 0700);
        return g_file_set_contents(path, CONTENT, -1, error);
    }
    if (g_unlink(path) != 0 && errno != ENOENT) {
        err = errno;
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(err), "%s: %s", path,
                    g_strerror(err));
    }
    return err == 0;
}

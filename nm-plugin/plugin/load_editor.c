/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "nm-plugin/plugin/load_editor.h"

#include <dlfcn.h>

#include "common/i18n.h"

#define FACTORY "nm_vpn_editor_factory_godwit"

typedef NMVpnEditor *(*factory)(NMVpnEditorPlugin *plugin, NMConnection *connection,
                                GError **error);

/* Two versions of GTK cannot live in one program: which one there is, one function tells. */
static const char *module_name(void)
{
    if (dlsym(RTLD_DEFAULT, "gtk_container_add")) {
        return "libnm-vpn-plugin-godwit-editor.so";
    }
    return dlsym(RTLD_DEFAULT, "gtk_widget_get_root") ? "libnm-gtk4-vpn-plugin-godwit-editor.so"
                                                      : NULL;
}

static char *path_beside_us(const char *name)
{
    Dl_info info;
    if (!dladdr((const void *)load_editor, &info) || !info.dli_fname) {
        return NULL;
    }
    g_autofree char *folder = g_path_get_dirname(info.dli_fname);
    return g_build_filename(folder, name, NULL);
}

NMVpnEditor *load_editor(NMVpnEditorPlugin *plugin, NMConnection *connection, GError **error)
{
    const char *name = module_name();
    g_autofree char *path = name ? path_beside_us(name) : NULL;
    if (!path) {
        g_set_error_literal(error, NM_VPN_PLUGIN_ERROR, NM_VPN_PLUGIN_ERROR_FAILED,
                            _("The editor needs a program with GTK windows."));
        return NULL;
    }
    /* Its types stay with GObject for ever, and so does it. */
    void *module = dlopen(path, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    /* POSIX has functions and data of one size; ISO C knows no cast between them. */
    union {
        void *data;
        factory make;
    } symbol = {.data = module ? dlsym(module, FACTORY) : NULL};
    if (!symbol.data) {
        g_set_error(error, NM_VPN_PLUGIN_ERROR, NM_VPN_PLUGIN_ERROR_FAILED,
                    _("The editor cannot be loaded: %s"), dlerror());
        return NULL;
    }
    NMVpnEditor *editor = symbol.make(plugin, connection, error);
    (void)dlclose(module);
    return editor;
}

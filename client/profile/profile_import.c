/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/i18n.h"
#include "profile/profile_private.h"

/*
 * Foreign formats. An importer looks at the text of a file and says whether it is its own; then it
 * makes a profile of it, or says what of it we cannot do: nothing is left out silently.
 */
struct importer {
    gboolean (*is_own)(GKeyFile *file);
    struct profile *(*read)(GKeyFile *file, const char *path, GError **error);
};

/* ---- NetworkManager's connections of NetworkManager-strongswan ---- */

#define STRONGSWAN_SERVICE "org.freedesktop.NetworkManager.strongswan"

static gboolean is_strongswan(GKeyFile *file)
{
    g_autofree char *service = g_key_file_get_string(file, "vpn", "service-type", NULL);

    return g_strcmp0(service, STRONGSWAN_SERVICE) == 0;
}

/* How it calls a way to authenticate: of certificates by where their keys are, since 1.5.2. */
static char *method_of_strongswan(GKeyFile *file)
{
    g_autofree char *method = g_key_file_get_string(file, "vpn", "method", NULL);
    g_autofree char *source = g_key_file_get_string(file, "vpn", "cert-source", NULL);

    if (method == NULL ||
        (strcmp(method, "cert") == 0 && (source == NULL || strcmp(source, "file") == 0))) {
        return g_strdup("key");
    }
    return strcmp(method, "cert") == 0 ? g_steal_pointer(&source) : g_steal_pointer(&method);
}

/* Lists stand apart by semicolons there; NULL = it has none. */
static char *list_of_strongswan(GKeyFile *file, const char *key)
{
    g_autofree char *text = g_key_file_get_string(file, "vpn", key, NULL);

    return text == NULL || *text == '\0' ? NULL : g_strdelimit(g_steal_pointer(&text), ";", ',');
}

static gboolean set_strongswan_auth(struct profile *profile, GKeyFile *file, const char *path,
                                    GError **error)
{
    static const struct {
        const char *theirs, *ours;
    } rows[] = {{"eap", "eap"}, {"psk", "psk"}, {"key", "certificate"}};
    g_autofree char *method = method_of_strongswan(file);

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(rows[i].theirs, method) == 0) {
            return profile_set(profile, "auth", rows[i].ours, path, error);
        }
    }
    g_autofree char *shown = profile_quotable(bytes_of_string(method));
    return profile_fail(error, PROFILE_ERROR_VALUE, path,
                        _("its way to authenticate, \"%s\", is none of ours"), shown);
}

static gboolean set_strongswan_keys(struct profile *profile, GKeyFile *file, const char *path,
                                    GError **error)
{
    static const struct {
        const char *group, *theirs, *ours;
    } rows[] = {
        {"connection", "id", "name"},
        {"vpn", "address", "gateway"},
        {"vpn", "server-port", "port"},
        {"vpn", "certificate", "ca"},
        {"vpn", "remote-identity", "remote-identity"},
        {"vpn", "local-identity", "identity"},
        {"vpn", "user", "user"},
        {"vpn", "usercert", "certificate"},
        {"vpn", "userkey", "private-key"},
    };
    gboolean ok = TRUE;

    for (gsize i = 0; ok && i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *value = g_key_file_get_string(file, rows[i].group, rows[i].theirs, NULL);
        g_autofree char *where = g_strdup_printf("%s: %s", path, rows[i].theirs);

        ok = value == NULL || *value == '\0' ||
             profile_set(profile, rows[i].ours, value, where, error);
    }
    return ok;
}

/* With a shared key the user's name is who one is. */
static gboolean set_strongswan_identity(struct profile *profile, const char *path, GError **error)
{
    return strcmp(profile_get(profile, "auth"), "psk") != 0 ||
           profile_is_set(profile, "identity") || !profile_is_set(profile, "user") ||
           profile_set(profile, "identity", profile_get(profile, "user"), path, error);
}

static gboolean set_strongswan_list(struct profile *profile, GKeyFile *file, const char *theirs,
                                    const char *ours, const char *path, GError **error)
{
    g_autofree char *list = list_of_strongswan(file, theirs);
    g_autofree char *where = g_strdup_printf("%s: %s", path, theirs);

    return list == NULL || profile_set(profile, ours, list, where, error);
}

static gboolean set_strongswan_proposals(struct profile *profile, GKeyFile *file, const char *path,
                                         GError **error)
{
    g_autofree char *wanted = g_key_file_get_string(file, "vpn", "proposal", NULL);

    return g_strcmp0(wanted, "yes") != 0 ||
           (set_strongswan_list(profile, file, "ike", "ike-proposals", path, error) &&
            set_strongswan_list(profile, file, "esp", "esp-proposals", path, error));
}

/*
 * Its networks, and whether it asks for an address: without one nothing of ours works, and
 * profile_validate() says so. Encapsulation in UDP is ours always; compression is an offer only.
 */
static gboolean set_strongswan_networks(struct profile *profile, GKeyFile *file, const char *path,
                                        GError **error)
{
    g_autofree char *virtual = g_key_file_get_string(file, "vpn", "virtual", NULL);
    gboolean asks = g_strcmp0(virtual, "no") != 0;

    if (!set_strongswan_list(profile, file, "remote-ts", "remote-ts", path, error)) {
        return FALSE;
    }
    const char *networks = profile_get(profile, "remote-ts");
    return (networks == NULL || strstr(networks, "/0") != NULL ||
            profile_set(profile, "tunnel", "split", path, error)) &&
           (asks || (profile_set(profile, "request-ipv4", "false", path, error) &&
                     profile_set(profile, "request-ipv6", "false", path, error)));
}

/* Secrets that the file itself keeps. */
static gboolean set_strongswan_secret(struct profile *profile, GKeyFile *file, GError **error)
{
    g_autofree char *value = g_key_file_get_string(file, "vpn-secrets", "password", NULL);
    const char *auth = profile_get(profile, "auth");
    const char *key = g_strcmp0(auth, "psk") == 0           ? "psk"
                      : g_strcmp0(auth, "certificate") == 0 ? "private-key-password"
                                                            : "password";
    gboolean ok = value == NULL || *value == '\0' ||
                  profile_set_bytes(profile, key, bytes_of_string(value), error);

    if (value != NULL) {
        secret_wipe(value, strlen(value));
    }
    return ok;
}

static struct profile *read_strongswan(GKeyFile *file, const char *path, GError **error)
{
    struct profile *profile = profile_new();

    if (!set_strongswan_auth(profile, file, path, error) ||
        !set_strongswan_keys(profile, file, path, error) ||
        !set_strongswan_identity(profile, path, error) ||
        !set_strongswan_networks(profile, file, path, error) ||
        !set_strongswan_proposals(profile, file, path, error) ||
        !set_strongswan_secret(profile, file, error)) {
        g_clear_pointer(&profile, profile_free);
    }
    return profile;
}

/* ---- all of them ---- */

static const struct importer importers[] = {
    {is_strongswan, read_strongswan},
};

static const struct importer *importer_of(GKeyFile *file)
{
    for (gsize i = 0; i < G_N_ELEMENTS(importers); i++) {
        if (importers[i].is_own(file)) {
            return &importers[i];
        }
    }
    return NULL;
}

struct profile *profile_import_text(struct bytes text, const char *path, GError **error)
{
    g_autofree char *shown = profile_quotable(bytes_of_string(path));
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(GKeyFile) file = g_key_file_new();
    struct profile *profile;
    const struct importer *importer = NULL;

    if (g_key_file_load_from_data(file, (const char *)text.data, text.len, G_KEY_FILE_NONE, NULL)) {
        importer = importer_of(file);
    }
    profile = importer == NULL ? profile_parse(text, shown, folder, error)
                               : importer->read(file, shown, error);
    if (profile != NULL && !profile_validate_without_secrets(profile, error)) {
        g_prefix_error(error, "%s: ", shown);
        g_clear_pointer(&profile, profile_free);
    }
    return profile;
}

struct profile *profile_import(const char *path, GError **error)
{
    struct secret content = {0};
    struct profile *profile;

    if (!profile_read_file(path, NULL, &content, error)) {
        return NULL;
    }
    profile = profile_import_text(secret_bytes(&content), path, error);
    secret_free(&content);
    return profile;
}

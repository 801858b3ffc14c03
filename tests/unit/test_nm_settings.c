/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nm-plugin/service/files.h"
#include "nm-plugin/shared/settings.h"
#include "unit/vectors.h"

static NMConnection *connection_new(void)
{
    NMConnection *connection = nm_simple_connection_new();
    NMSetting *common = nm_setting_connection_new(), *vpn = nm_setting_vpn_new();
    g_object_set(common, NM_SETTING_CONNECTION_ID, "At work", NULL);
    g_object_set(vpn, NM_SETTING_VPN_SERVICE_TYPE, SETTINGS_SERVICE, NULL);
    nm_connection_add_setting(connection, common);
    nm_connection_add_setting(connection, vpn);
    return connection;
}

static void data(NMConnection *connection, const char *name, const char *value)
{
    nm_setting_vpn_add_data_item(nm_connection_get_setting_vpn(connection), name, value);
}

static void secret(NMConnection *connection, const char *name, const char *value)
{
    nm_setting_vpn_add_secret(nm_connection_get_setting_vpn(connection), name, value);
}

static GBytes *no_reader(gpointer context, const char *path, GError **error)
{
    (void)context;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "asked for %s", path);
    return NULL;
}

static GBytes *silent_reader(gpointer context, const char *path, GError **error)
{
    (void)context;
    (void)path;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "not read");
    return NULL;
}

static struct profile *read_back(NMConnection *connection)
{
    g_autoptr(GError) error = NULL;
    struct profile *profile = settings_to_profile(connection, no_reader, NULL, &error);
    ck_assert_msg(profile != NULL, "%s", error ? error->message : "");
    return profile;
}

static void refused(NMConnection *connection, const char *with)
{
    g_autoptr(GError) error = NULL;
    struct profile *profile = settings_to_profile(connection, no_reader, NULL, &error);
    ck_assert_ptr_null(profile);
    ck_assert_msg(strstr(error->message, with) != NULL, "%s", error->message);
    g_object_unref(connection);
}

/* A text that the key accepts. */
static const char *some_text(const struct profile_key *key)
{
    static const char *const tried[] = {
        "true",        "1400",
        "0",           "vpn.example.org",
        "10.0.0.0/8",  "a name",
        "192.0.2.1",   "aes256gcm16-prfsha384-x25519",
        "aes256gcm16", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};
    if (key->choices) {
        return key->choices[0];
    }
    for (gsize i = 0; i < G_N_ELEMENTS(tried); i++) {
        struct profile *profile = profile_new();
        gboolean fits = profile_set(profile, key->name, tried[i], NULL, NULL);
        profile_free(profile);
        if (fits) {
            return tried[i];
        }
    }
    return "1";
}

static void fill(struct profile *profile, const struct profile_key *key)
{
    static const guint8 octets[] = {0, 1, 0xff, '\n', 0x30};
    g_autoptr(GError) error = NULL;
    gboolean ok;
    if (key->type == PROFILE_FILE || (key->flags & PROFILE_OCTETS)) {
        ok = profile_set_bytes(profile, key->name, bytes_of(octets, sizeof octets), &error);
    } else if (key->type == PROFILE_SECRET) {
        ok = profile_set_bytes(profile, key->name, bytes_of_string("geheim=\\ "), &error);
    } else {
        ok = profile_set(profile, key->name, some_text(key), NULL, &error);
    }
    ck_assert_msg(ok, "%s: %s", key->name, error ? error->message : "");
}

START_TEST(every_key_comes_back)
{
    struct profile *profile = profile_new();
    NMConnection *connection = connection_new();
    for (const struct profile_key *key = profile_keys(); key->name; key++) {
        fill(profile, key);
    }
    settings_from_profile(profile, connection);
    struct profile *back = read_back(connection);
    g_autoptr(GVariant) before = g_variant_ref_sink(profile_to_variant(profile));
    g_autoptr(GVariant) after = g_variant_ref_sink(profile_to_variant(back));
    ck_assert(g_variant_equal(before, after));
    profile_free(profile);
    profile_free(back);
    g_object_unref(connection);
}
END_TEST

/* In a file of NetworkManager's data and properties of its own stand in one group. */
START_TEST(the_timeout_is_the_settings_own)
{
    struct profile *profile = profile_new();
    NMConnection *connection = connection_new();
    NMSettingVpn *setting = nm_connection_get_setting_vpn(connection);
    ck_assert(profile_set(profile, "timeout", "10", NULL, NULL));
    settings_from_profile(profile, connection);
    ck_assert_ptr_null(nm_setting_vpn_get_data_item(setting, "timeout"));
    ck_assert_uint_eq(nm_setting_vpn_get_timeout(setting), 12);
    profile_free(profile);
    for (guint seconds = 1; seconds < 5; seconds++) {
        g_object_set(setting, NM_SETTING_VPN_TIMEOUT, seconds, NULL);
        profile = read_back(connection);
        ck_assert_uint_eq(profile_get_uint(profile, "timeout"), seconds > 3 ? seconds - 2 : 1);
        settings_from_profile(profile, connection);
        profile_free(profile);
    }
    profile = profile_new();
    settings_from_profile(profile, connection);
    ck_assert_uint_eq(nm_setting_vpn_get_timeout(setting), 0);
    profile_free(profile);
    g_object_unref(connection);
}
END_TEST

START_TEST(secrets_are_kept_among_the_secrets)
{
    struct profile *profile = profile_new();
    NMConnection *connection = connection_new();
    NMSettingVpn *setting = nm_connection_get_setting_vpn(connection);
    for (const struct profile_key *key = profile_keys(); key->name; key++) {
        fill(profile, key);
    }
    settings_from_profile(profile, connection);
    for (const struct profile_key *key = profile_keys(); key->name; key++) {
        if (settings_is_secret(key)) {
            ck_assert_msg(nm_setting_vpn_get_secret(setting, key->name) != NULL, "%s", key->name);
            ck_assert_ptr_null(nm_setting_vpn_get_data_item(setting, key->name));
        } else {
            ck_assert_ptr_null(nm_setting_vpn_get_secret(setting, key->name));
        }
    }
    ck_assert_str_eq(nm_setting_vpn_get_secret(setting, "password"), "geheim=\\ ");
    profile_free(profile);
    g_object_unref(connection);
}
END_TEST

START_TEST(what_is_not_set_goes_and_what_is_not_ours_stays)
{
    struct profile *profile = profile_new();
    NMConnection *connection = connection_new();
    NMSettingVpn *setting = nm_connection_get_setting_vpn(connection);
    data(connection, "user", "alice");
    data(connection, "of-a-later-version", "kept");
    ck_assert(profile_set(profile, "gateway", "vpn.example.org", NULL, NULL));
    settings_from_profile(profile, connection);
    ck_assert_ptr_null(nm_setting_vpn_get_data_item(setting, "user"));
    ck_assert_str_eq(nm_setting_vpn_get_data_item(setting, "of-a-later-version"), "kept");
    ck_assert_str_eq(nm_setting_vpn_get_data_item(setting, "gateway"), "vpn.example.org");
    profile_free(profile);
    g_object_unref(connection);
}
END_TEST

START_TEST(the_id_is_the_name)
{
    NMConnection *connection = connection_new();
    data(connection, "gateway", "vpn.example.org");
    data(connection, "password-flags", "1");
    struct profile *profile = read_back(connection);
    ck_assert_str_eq(profile_get(profile, "name"), "At work");
    profile_free(profile);
    g_object_unref(connection);
}
END_TEST

START_TEST(a_name_that_was_asked_for_is_an_answer)
{
    NMConnection *connection = connection_new();
    data(connection, "gateway", "vpn.example.org");
    nm_setting_vpn_add_secret(nm_connection_get_setting_vpn(connection), "user", "alice");
    struct profile *profile = read_back(connection);
    ck_assert_str_eq(profile_get(profile, "user"), "alice");
    profile_free(profile);
    g_object_unref(connection);
}
END_TEST

START_TEST(nonsense_is_refused_and_named)
{
    static const struct {
        const char *name, *value, *with;
    } rows[] = {
        {"gatway", "vpn.example.org", "gatway"},
        {"gateway", "two words", "gateway"},
        {"gateway", "vpn.example.org\nipv4=evil", "gateway"},
        {"user", "a\nb", "user"},
        {"user", "a\x1b[2Jb", "user"},
        {"port", "70000", "port"},
        {"mobike", "perhaps", "mobike"},
        {"ca", "base64:%%%", "ca"},
        {"ca", "/etc/shadow", "asked for /etc/shadow"},
        {"secret-flags", "1", "secret-flags"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        NMConnection *connection = connection_new();
        data(connection, rows[i].name, rows[i].value);
        refused(connection, rows[i].with);
    }
    NMConnection *connection = connection_new();
    secret(connection, "gateway", "vpn.example.org");
    refused(connection, "gateway");
    connection = connection_new();
    secret(connection, "private-key", "/etc/hostname");
    refused(connection, "asked for /etc/hostname");
    refused(nm_simple_connection_new(), "VPN");
}
END_TEST

/* No file is read for it, it is no secret, and nothing is missing beside it. */
START_TEST(a_token_is_named_by_its_uri)
{
    static const char uri[] = "pkcs11:token=A;id=%01";
    NMConnection *connection = connection_new();
    NMSettingVpn *setting = nm_connection_get_setting_vpn(connection);
    data(connection, "gateway", "vpn.example.org");
    data(connection, "auth", "certificate");
    data(connection, "certificate", uri);
    ck_assert_ptr_null(settings_missing_secret(connection));
    struct profile *profile = read_back(connection);
    ck_assert(profile_is_on_token(profile, "certificate"));
    ck_assert(profile_set(profile, "private-key", uri, NULL, NULL));
    secret(connection, "private-key", "base64:MAA=");
    settings_from_profile(profile, connection);
    ck_assert_str_eq(nm_setting_vpn_get_data_item(setting, "certificate"), uri);
    ck_assert_str_eq(nm_setting_vpn_get_data_item(setting, "private-key"), uri);
    ck_assert_ptr_null(nm_setting_vpn_get_secret(setting, "private-key"));
    profile_free(profile);
    /* Authorities are no matter of a token: to that key it is a path like any other. */
    data(connection, "ca", uri);
    refused(connection, uri);
}
END_TEST

START_TEST(the_missing_secret_is_the_methods)
{
    static const struct {
        const char *auth, *flags, *wanted;
    } rows[] = {
        {NULL, NULL, "password"}, {"eap", NULL, "password"},
        {"psk", NULL, "psk"},     {"certificate", NULL, "private-key"},
        {"eap", "4", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        NMConnection *connection = connection_new();
        data(connection, "gateway", "vpn.example.org");
        if (rows[i].auth) {
            data(connection, "auth", rows[i].auth);
        }
        if (rows[i].flags) {
            data(connection, "password-flags", rows[i].flags);
        }
        ck_assert_ptr_eq(g_intern_string(settings_missing_secret(connection)),
                         g_intern_string(rows[i].wanted));
        if (rows[i].wanted) {
            secret(connection, rows[i].wanted, "x");
            ck_assert_ptr_null(settings_missing_secret(connection));
        }
        g_object_unref(connection);
    }
}
END_TEST

/* ---- files ---- */

static char *folder;

static void make_folder(void)
{
    g_autofree char *template = g_build_filename(g_get_tmp_dir(), "nm-XXXXXX", NULL);
    folder = g_strdup(g_mkdtemp(template));
    ck_assert_ptr_nonnull(folder);
    ck_assert_int_eq(chmod(folder, 0755), 0);
}

static void remove_folder(void)
{
    g_autofree char *file = g_build_filename(folder, "file", NULL);
    (void)g_unlink(file);
    (void)g_rmdir(folder);
    g_free(folder);
}

static char *file_with(const char *content, gssize length, int mode)
{
    char *path = g_build_filename(folder, "file", NULL);
    (void)g_unlink(path);
    ck_assert(g_file_set_contents(path, content, length, NULL));
    ck_assert_int_eq(chmod(path, (mode_t)mode), 0);
    return path;
}

/* NULL = it was read. */
static char *why_not(const char *path, const char *user)
{
    g_autoptr(GError) error = NULL;
    NMConnection *connection = connection_new();
    NMSettingConnection *common = nm_connection_get_setting_connection(connection);
    if (user) {
        nm_setting_connection_add_permission(common, "user", user, NULL);
    }
    g_autoptr(GBytes) content = files_read(connection, path, &error);
    ck_assert(!content == !!error);
    g_object_unref(connection);
    return error ? g_strdup(error->message) : NULL;
}

static void must_say(const char *path, const char *user, const char *with)
{
    g_autofree char *why = why_not(path, user);
    ck_assert_msg(why && strstr(why, with), "%s", why ? why : "it was read");
}

START_TEST(files_are_read_with_the_users_rights)
{
    g_autofree char *path = file_with("-----BEGIN", -1, 0600);
    if (geteuid() != 0) {
        return;
    }
    ck_assert_ptr_null(why_not(path, NULL));
    ck_assert_ptr_null(why_not(path, "root"));
    must_say(path, "nobody", "ermission denied");
    must_say("/etc/shadow", "nobody", "ermission denied");
    ck_assert_int_eq(chmod(path, 0644), 0);
    ck_assert_ptr_null(why_not(path, "nobody"));
    must_say(path, "no-such-user", "no-such-user");
}
END_TEST

START_TEST(a_connection_of_several_is_nobodys_own)
{
    static const struct {
        const char *users[3], *owner;
        gboolean several;
    } rows[] = {
        {{NULL}, NULL, FALSE},
        {{"alice", NULL}, "alice", FALSE},
        {{"alice", "bob", NULL}, NULL, TRUE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        gboolean several;
        NMConnection *connection = connection_new();
        NMSettingConnection *common = nm_connection_get_setting_connection(connection);
        for (const char *const *user = rows[i].users; *user; user++) {
            nm_setting_connection_add_permission(common, "user", *user, NULL);
        }
        ck_assert_pstr_eq(files_owner(connection, &several), rows[i].owner);
        ck_assert_int_eq(several, rows[i].several);
        if (several) {
            g_autoptr(GError) error = NULL;
            ck_assert_ptr_null(files_read(connection, "/etc/hostname", &error));
            ck_assert_ptr_nonnull(strstr(error->message, "several users"));
        }
        g_object_unref(connection);
    }
}
END_TEST

/* Nothing of what a connection holds draws on the terminal or makes a line of its own in a log. */
START_TEST(what_is_refused_is_printed_safely)
{
    static const char *const names[] = {"gate\nway", "gate\x1b[2Jway", "gate\rway",
                                        "gate\xe2\x80\xaeway"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        for (int kind = 0; kind < 3; kind++) {
            g_autoptr(GError) error = NULL;
            NMConnection *connection = connection_new();
            if (kind == 0) {
                data(connection, names[i], "x");
            } else if (kind == 1) {
                g_autofree char *path = g_strconcat("/", names[i], NULL);
                data(connection, "ca", path);
            } else {
                secret(connection, names[i], "x");
            }
            ck_assert_ptr_null(settings_to_profile(connection, silent_reader, NULL, &error));
            ck_assert_ptr_nonnull(strstr(error->message, "gate?"));
            for (const char *at = error->message; *at; at++) {
                ck_assert_msg(!g_ascii_iscntrl(*at), "%s", error->message);
            }
            g_object_unref(connection);
        }
    }
}
END_TEST

START_TEST(what_is_no_file_to_read_is_refused)
{
    g_autofree char *large = g_malloc0(PROFILE_FILE_MAX + 1);
    g_autofree char *path = file_with("", 0, 0600);
    must_say(path, NULL, "empty");
    g_free(path);
    path = file_with(large, PROFILE_FILE_MAX + 1, 0600);
    must_say(path, NULL, "larger");
    must_say(folder, NULL, "regular");
    must_say("/dev/zero", NULL, "regular");
    must_say("relative", NULL, "absolute");
    must_say("/nowhere/at/all", NULL, "No such file");
    (void)g_unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    must_say(path, NULL, "regular");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nm_settings");
    TCase *settings = tcase_create("settings"), *files = tcase_create("files");
    tcase_add_test(settings, every_key_comes_back);
    tcase_add_test(settings, the_timeout_is_the_settings_own);
    tcase_add_test(settings, secrets_are_kept_among_the_secrets);
    tcase_add_test(settings, what_is_not_set_goes_and_what_is_not_ours_stays);
    tcase_add_test(settings, the_id_is_the_name);
    tcase_add_test(settings, a_name_that_was_asked_for_is_an_answer);
    tcase_add_test(settings, nonsense_is_refused_and_named);
    tcase_add_test(settings, a_token_is_named_by_its_uri);
    tcase_add_test(settings, the_missing_secret_is_the_methods);
    tcase_add_test(settings, a_connection_of_several_is_nobodys_own);
    tcase_add_test(settings, what_is_refused_is_printed_safely);
    tcase_add_checked_fixture(files, make_folder, remove_folder);
    tcase_add_test(files, files_are_read_with_the_users_rights);
    tcase_add_test(files, what_is_no_file_to_read_is_refused);
    suite_add_tcase(suite, settings);
    suite_add_tcase(suite, files);
    return run_suite(suite);
}

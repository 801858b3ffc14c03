/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib/gstdio.h>
#include <string.h>

#include "profile/profile.h"
#include "unit/vectors.h"

#define CONNECTION "[connection]\nid=Office\ntype=vpn\n[vpn]\n"
#define STRONGSWAN CONNECTION "service-type=org.freedesktop.NetworkManager.strongswan\n"

static char *folder, *path;

static void set_up(void)
{
    g_autofree char *template = g_build_filename(g_get_tmp_dir(), "import-XXXXXX", NULL);

    folder = g_strdup(g_mkdtemp(template));
    ck_assert_ptr_nonnull(folder);
    path = g_build_filename(folder, "file", NULL);
}

static void tear_down(void)
{
    (void)g_unlink(path);
    (void)g_rmdir(folder);
    g_free(path);
    g_free(folder);
}

static struct profile *import(const char *text, GError **error)
{
    ck_assert(g_file_set_contents(path, text, -1, NULL));
    return profile_import(path, error);
}

static struct profile *must_import(const char *text)
{
    g_autoptr(GError) error = NULL;
    struct profile *profile = import(text, &error);

    ck_assert_msg(profile != NULL, "%s", error == NULL ? "" : error->message);
    return profile;
}

START_TEST(strongswan_by_name_and_password)
{
    struct profile *profile = must_import(
        STRONGSWAN
        "address=vpn.example.org\nmethod=eap\nuser=alice\nremote-identity=gw.example.org\n"
        "local-identity=alice@example.org\nserver-port=4500\nproposal=yes\n"
        "ike=aes256gcm16-prfsha384-x25519;aes256-sha256-modp2048\nesp=aes256gcm16\n"
        "[vpn-secrets]\npassword=gehe im\n");
    struct bytes password = profile_get_bytes(profile, "password");

    ck_assert_str_eq(profile_get(profile, "name"), "Office");
    ck_assert_str_eq(profile_get(profile, "gateway"), "vpn.example.org");
    ck_assert_str_eq(profile_get(profile, "auth"), "eap");
    ck_assert_str_eq(profile_get(profile, "user"), "alice");
    ck_assert_str_eq(profile_get(profile, "remote-identity"), "gw.example.org");
    ck_assert_str_eq(profile_get(profile, "identity"), "alice@example.org");
    ck_assert_uint_eq(profile_get_uint(profile, "port"), 4500);
    ck_assert_str_eq(profile_get(profile, "ike-proposals"),
                     "aes256gcm16-prfsha384-x25519,aes256-sha256-modp2048");
    ck_assert_str_eq(profile_get(profile, "esp-proposals"), "aes256gcm16");
    ck_assert_uint_eq(password.len, strlen("gehe im"));
    ck_assert_mem_eq(password.data, "gehe im", password.len);
    profile_free(profile);
}
END_TEST

START_TEST(strongswan_by_shared_key)
{
    struct profile *profile = must_import(STRONGSWAN "address=192.0.2.1\nmethod=psk\nuser=alice\n"
                                                     "proposal=no\nike=ignored\n"
                                                     "[vpn-secrets]\npassword=shared\n");

    ck_assert_str_eq(profile_get(profile, "auth"), "psk");
    ck_assert(profile_is_set(profile, "psk") && !profile_is_set(profile, "password"));
    ck_assert(!profile_is_set(profile, "ike-proposals"));
    ck_assert_str_eq(profile_get(profile, "identity"), "alice");
    profile_free(profile);
    profile = must_import(STRONGSWAN "address=192.0.2.1\nmethod=psk\nuser=alice\n"
                                     "local-identity=laptop.example.org\n");
    ck_assert_str_eq(profile_get(profile, "identity"), "laptop.example.org");
    profile_free(profile);
}
END_TEST

/* Of everything is everything, whatever is named besides. */
START_TEST(strongswan_networks)
{
    static const struct {
        const char *theirs, *ours, *tunnel;
    } rows[] = {
        {"remote-ts=10.0.0.0/8;2001:db8::/32\n", "10.0.0.0/8,2001:db8::/32", "split"},
        {"remote-ts=192.0.2.7\nencap=yes\nipcomp=yes\nvirtual=yes\n", "192.0.2.7", "split"},
        {"remote-ts=10.0.0.0/8;0.0.0.0/0\n", "10.0.0.0/8,0.0.0.0/0", "full"},
        {"remote-ts=\n", NULL, "full"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text =
            g_strconcat(STRONGSWAN "address=vpn.example.org\nmethod=eap\n", rows[i].theirs, NULL);
        struct profile *profile = must_import(text);
        ck_assert_pstr_eq(profile_get(profile, "remote-ts"), rows[i].ours);
        ck_assert_str_eq(profile_get(profile, "tunnel"), rows[i].tunnel);
        ck_assert(profile_get_bool(profile, "request-ipv4"));
        profile_free(profile);
    }
}
END_TEST

START_TEST(own_keyfile)
{
    struct profile *profile = must_import("[godwit]\ngateway=vpn.example.org\nuser=alice\n");

    ck_assert_str_eq(profile_get(profile, "user"), "alice");
    profile_free(profile);
}
END_TEST

/* As NetworkManager's programs export it: without secrets. */
START_TEST(own_keyfile_without_its_private_key)
{
    struct profile *profile = must_import("[godwit]\ngateway=vpn.example.org\nauth=certificate\n"
                                          "certificate=base64:YQ==\n");
    g_autoptr(GError) error = NULL;

    ck_assert(profile_is_set(profile, "certificate"));
    ck_assert(!profile_validate(profile, &error)); /* it can't connect yet */
    ck_assert_ptr_nonnull(strstr(error->message, "private-key"));
    profile_free(profile);
}
END_TEST

static const struct {
    const char *text, *with;
} refused[] = {
    {STRONGSWAN "address=vpn.example.org\nmethod=smartcard\n", "smartcard"},
    {STRONGSWAN "address=vpn.example.org\nmethod=cert\ncert-source=agent\n", "agent"},
    {STRONGSWAN "address=vpn.example.org\nmethod=eap-tls\n", "\"eap-tls\""},
    {STRONGSWAN "address=vpn.example.org\nmethod=eap\nvirtual=no\n", "neither an IPv4"},
    {STRONGSWAN "address=vpn.example.org\nmethod=eap\nremote-ts=here;there\n", "remote-ts"},
    {STRONGSWAN "address=two words\nmethod=eap\n", "address"},
    {STRONGSWAN "method=eap\nuser=alice\n", "gateway"},
    {STRONGSWAN "address=vpn.example.org\nmethod=eap\ncertificate=/nowhere/ca.pem\n",
     "/nowhere/ca.pem"},
    {STRONGSWAN "address=vpn.example.org\nmethod=eap\nproposal=yes\nike=rot13\n", "ike"},
    {STRONGSWAN "address=vpn.example.org\nmethod=eap\nuser=a\\nb\n", "user"},
    {CONNECTION "service-type=org.freedesktop.NetworkManager.openvpn\n", "connection"},
    {"PK\x03\x04", "file"},
    {"[godwit]\n", "gateway"},
    {"[godwit]\ngateway=vpn.example.org\nauth=certificate\n", "certificate"},
};

START_TEST(what_cannot_be_taken_over_is_said)
{
    g_autoptr(GError) error = NULL;
    struct profile *profile = import(refused[_i].text, &error);

    ck_assert_ptr_null(profile);
    ck_assert_msg(strstr(error->message, refused[_i].with) != NULL, "%s", error->message);
    ck_assert_msg(strstr(error->message, path) != NULL, "%s", error->message);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("profile_import");
    TCase *tests = tcase_create("import");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, strongswan_by_name_and_password);
    tcase_add_test(tests, strongswan_by_shared_key);
    tcase_add_test(tests, strongswan_networks);
    tcase_add_test(tests, own_keyfile);
    tcase_add_test(tests, own_keyfile_without_its_private_key);
    tcase_add_loop_test(tests, what_cannot_be_taken_over_is_said, 0, G_N_ELEMENTS(refused));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

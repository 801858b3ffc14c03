/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/profile.h"
#include "vectors.h"

/* The key table, and what its keys take. */

/* ---- the table ---- */

START_TEST(table_is_sound)
{
    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        struct profile *profile = profile_new();

        ck_assert_ptr_eq(profile_key_find(key->name), key);
        ck_assert_ptr_nonnull(key->label);
        ck_assert_ptr_nonnull(key->help);
        ck_assert_ptr_nonnull(key->metavar);
        ck_assert_int_eq(key->help[strlen(key->help) - 1], '.');
        if (key->type == PROFILE_SECRET) {
            ck_assert((key->flags & PROFILE_NO_OPTION) != 0);
            ck_assert_ptr_null(key->fallback);
        }
        if (key->type == PROFILE_CHOICE) {
            ck_assert_uint_eq(g_strv_length((char **)key->choices),
                              g_strv_length((char **)key->choice_labels));
        }
        ck_assert_ptr_nonnull(profile_group_title(key->group));
        ck_assert(key->auth == NULL ||
                  g_strv_contains(profile_key_find("auth")->choices, key->auth));
        ck_assert(key->type != PROFILE_UINT || key->max > key->min);
        if (key->fallback != NULL) {
            ck_assert_msg(profile_set(profile, key->name, key->fallback, NULL, NULL), "%s",
                          key->name);
        }
        profile_free(profile);
    }
    ck_assert_ptr_null(profile_key_find("gatway"));
    ck_assert_str_eq(profile_key_suggest("gatway"), "gateway");
    ck_assert_str_eq(profile_key_suggest("private_key"), "private-key");
    ck_assert_ptr_null(profile_key_suggest("frobnicate"));
    ck_assert_ptr_null(profile_key_suggest(""));
}
END_TEST

START_TEST(defaults)
{
    struct profile *profile = profile_new();

    ck_assert_uint_eq(profile_get_uint(profile, "port"), 500);
    ck_assert_uint_eq(profile_get_uint(profile, "mtu"), 0);
    ck_assert_uint_eq(profile_get_uint(profile, "keepalive"), 20);
    ck_assert_uint_eq(profile_get_uint(profile, "timeout"), 30);
    ck_assert_uint_eq(profile_get_uint(profile, "dead-after"), 60);
    ck_assert_str_eq(profile_get(profile, "auth"), "eap");
    ck_assert_str_eq(profile_get(profile, "tunnel"), "full");
    ck_assert(profile_get_bool(profile, "request-ipv4"));
    ck_assert(profile_get_bool(profile, "request-ipv6"));
    ck_assert_str_eq(profile_get(profile, "dns"), "auto");
    ck_assert(!profile_get_bool(profile, "legacy"));
    ck_assert(!profile_get_bool(profile, "rsa-pss"));
    ck_assert_ptr_null(profile_get(profile, "gateway"));
    ck_assert(!profile_is_set(profile, "port"));
    ck_assert_uint_eq(profile_get_bytes(profile, "password").len, 0);
    profile_free(profile);
    profile_free(NULL);
}
END_TEST

/* ---- values ---- */

struct value_case {
    const char *key, *text;
    const char *want; /* what profile_get() gives; or the message behind "home.conf:7: KEY: " */
};

static const struct value_case good_values[] = {
    {"gateway", "vpn.example.org", "vpn.example.org"},
    {"gateway", "192.0.2.1", "192.0.2.1"},
    {"gateway", "2001:db8::1", "2001:db8::1"},
    {"gateway", "fe80::1%eth0", "fe80::1%eth0"},
    {"gateway", "gateway_1", "gateway_1"},
    {"gateway", "vpn.example.org.", "vpn.example.org."},
    {"gateway",
     "b\xc3\xbc"
     "cher.example",
     "b\xc3\xbc"
     "cher.example"},
    {"port", "4500", "4500"},
    {"port", "0065535", "65535"},
    {"auth", "certificate", "certificate"},
    {"legacy", "Yes", "true"},
    {"legacy", "0", "false"},
    {"dns", "off", "off"},
    {"dns-servers", "10.99.0.1, 2001:db8::1", "10.99.0.1,2001:db8::1"},
    {"dns-domains", "corp.example, b.org", "corp.example,b.org"},
    {"mtu", "0", "0"},
    {"mtu", "576", "576"},
    {"child-octets", "0", "0"},
    {"child-octets", "1048576", "1048576"},
    {"child-octets", "500M", "524288000"},
    {"child-octets", "20g", "21474836480"},
    {"child-octets", "1024T", "1125899906842624"},
    {"remote-ts", " 10.0.0.0/8 ,2001:db8::/32 ", "10.0.0.0/8,2001:db8::/32"},
    {"remote-ts", "0.0.0.0/0", "0.0.0.0/0"},
    {"include", "10.0.0.0/8,fd00::/8", "10.0.0.0/8,fd00::/8"},
    {"exclude", "198.51.100.7", "198.51.100.7"},
    {"local-network", "no", "false"},
    {"kill-switch", "always", "always"},
    {"ike-proposals", "aes256gcm16-prfsha384-x25519, aes128-sha256-modp2048",
     "aes256gcm16-prfsha384-x25519,aes128-sha256-modp2048"},
    {"esp-proposals", "aes256gcm16", "aes256gcm16"},
    {"eap-methods", "mschapv2", "mschapv2"},
    {"user", "CORP\\alice", "CORP\\alice"},
    {"name", "At home", "At home"},
};

START_TEST(good_value)
{
    const struct value_case *c = &good_values[_i];
    struct profile *profile = profile_new();
    GError *error = NULL;

    ck_assert_msg(profile_set(profile, c->key, c->text, NULL, &error), "%s",
                  error == NULL ? "?" : error->message);
    ck_assert_str_eq(profile_get(profile, c->key), c->want);
    ck_assert(profile_is_set(profile, c->key));
    profile_unset(profile, c->key);
    ck_assert(!profile_is_set(profile, c->key));
    profile_free(profile);
}
END_TEST

static const struct value_case bad_values[] = {
    {"port", "70000", "\"70000\" is not between 1 and 65535"},
    {"port", "0", "\"0\" is not between 1 and 65535"},
    {"port", "-1", "\"-1\" is not a whole number"},
    {"port", "500x", "\"500x\" is not a whole number"},
    {"port", " 500", "\" 500\" is not a whole number"},
    {"port", "99999999999999999999999", "\"99999999999999999999999\" is not between 1 and 65535"},
    {"port", "", "the value is empty"},
    {"mtu", "575", "\"575\": neither 0 nor between 576 and 65535"},
    {"mtu", "1K", "\"1K\" is not a whole number"},
    {"child-octets", "1023K", "\"1047552\": neither 0 nor at least 1M"},
    {"child-octets", "1025T", "\"1025T\" is not between 0 and 1125899906842624"},
    {"child-octets", "M", "\"M\" is not a whole number"},
    {"child-octets", "-1M", "\"-1M\" is not a whole number"},
    {"child-octets", "5P", "\"5P\" is not a whole number"},
    {"legacy", "maybe", "\"maybe\" is neither true nor false"},
    {"auth", "certificat",
     "\"certificat\" is none of: eap, certificate, psk (did you mean \"certificate\"?)"},
    {"auth", "kerberos", "\"kerberos\" is none of: eap, certificate, psk"},
    {"eap-methods", "mschapv2,gtc", "\"gtc\" is none of: mschapv2"},
    {"eap-methods", "mschapv2,", "there is nothing between two commas or at an end"},
    {"gateway", "vpn example.org", "\"vpn example.org\": neither a host name nor an address"},
    {"gateway", "https://vpn.example.org",
     "\"https://vpn.example.org\": a host name or an address is wanted, not a URL"},
    {"gateway", "vpn.example.org:4500",
     "\"vpn.example.org:4500\": neither a host name nor an address (the port is a key of its own)"},
    {"gateway", "192.0.2.300", "\"192.0.2.300\": neither a host name nor an address"},
    {"gateway", "-vpn.example.org", "\"-vpn.example.org\": neither a host name nor an address"},
    {"gateway", "vpn..example.org", "\"vpn..example.org\": neither a host name nor an address"},
    {"gateway", "192.0.2.1%eth0", "\"192.0.2.1%eth0\": neither a host name nor an address"},
    {"gateway", "fe80::1%",
     "\"fe80::1%\": neither a host name nor an address (the port is a key of its own)"},
    {"gateway", ".", "\".\": neither a host name nor an address"},
    {"gateway", "a\nb", "it contains a control character"},
    {"user", "a\tb", "it contains a control character"},
    {"user", "a\x7f", "it contains a control character"},
    {"user",
     "a\xc2\x85"
     "b",
     "it contains a control character"},
    {"user",
     "a\xe2\x80\xae"
     "b",
     "it contains a control character"},
    {"user", "a\xff", "it is not valid UTF-8"},
    {"name", "../x", "\"../x\": a name has no slash and does not begin with a dot"},
    {"remote-ts", "10.0.0.0/33",
     "\"10.0.0.0/33\": not a prefix such as 192.0.2.0/24 or 2001:db8::/32"},
    {"remote-ts", "10.0.0.1/8", "\"10.0.0.1/8\": the bits behind the prefix length are not zero"},
    {"remote-ts", "10.0.0.0/8,x", "\"x\": not a prefix such as 192.0.2.0/24 or 2001:db8::/32"},
    {"exclude", "10.0.0.0/8,::/0", "\"::/0\": it is everything: that is what tunnel is for"},
    {"include", "10.0.0.1/8", "\"10.0.0.1/8\": the bits behind the prefix length are not zero"},
    {"include", "fe80::/10", "\"fe80::/10\": a loopback, link-local or multicast address"},
    {"ike-proposals", "aes256gcm16-prfsha384-x25519,aes256gcm16-prfsha999-x25519",
     "\"prfsha999\": unknown algorithm"},
    {"ike-proposals", "aes256gcm16", NULL},
    {"esp-proposals", "prfsha256", NULL},
    {"esp-proposals", "aes128,aes128,aes128,aes128,aes128,aes128,aes128,aes128,aes128",
     "more than 8 elements"},
    {"ca", "does-not-exist.pem", NULL},
    {"password", "two\nlines", "it contains a control character"},
    {"password", "base64:?", "what follows base64: is not base64"},
    {"psk", "base64:", "what follows base64: is not base64"},
    {"psk", "base64:AAA", "what follows base64: is not base64"},
    {"psk", "base64:A=AA", "what follows base64: is not base64"},
    {"password", "base64:CgA=", "it contains a NUL octet"},
};

START_TEST(bad_value)
{
    const struct value_case *c = &bad_values[_i];
    struct profile *profile = profile_new();
    char *where = g_strdup_printf("home.conf:7: %s", c->key);
    GError *error = NULL;

    ck_assert_msg(!profile_set(profile, c->key, c->text, where, &error), "%s=%s was taken", c->key,
                  c->text);
    ck_assert(g_str_has_prefix(error->message, where));
    if (c->want != NULL) {
        ck_assert_str_eq(error->message + strlen(where) + 2, c->want);
    }
    ck_assert(!profile_is_set(profile, c->key));
    g_clear_error(&error);

    /* A refused value leaves the one before. */
    if (strcmp(c->key, "port") == 0) {
        ck_assert(profile_set(profile, "port", "4500", NULL, NULL));
        ck_assert(!profile_set(profile, "port", c->text, NULL, NULL));
        ck_assert_uint_eq(profile_get_uint(profile, "port"), 4500);
    }
    g_free(where);
    profile_free(profile);
}
END_TEST

START_TEST(secrets_do_not_show_in_messages)
{
    struct profile *profile = profile_new();
    GError *error = NULL;

    ck_assert(!profile_set(profile, "password", "hunter2\n", NULL, &error));
    ck_assert_ptr_null(strstr(error->message, "hunter2"));
    ck_assert_ptr_null(profile_get(profile, "password"));
    g_clear_error(&error);
    profile_free(profile);
}
END_TEST

/* It is path and content alike, however it comes; and no file is looked for. */
START_TEST(key_on_a_token)
{
    static const char uri[] = "pkcs11:token=A;id=%01";
    struct profile *profile = profile_new();
    GError *error = NULL;

    ck_assert(profile_set_bytes(profile, "private-key", bytes_of_string(uri), NULL));
    ck_assert_str_eq(profile_get_path(profile, "private-key"), uri);
    ck_assert(profile_set(profile, "certificate", uri, NULL, NULL));
    ck_assert_octets(profile_get_bytes(profile, "certificate"), bytes_of_string(uri));
    ck_assert(profile_is_on_token(profile, "certificate"));
    ck_assert(!profile_needs_token(profile));
    ck_assert(profile_set(profile, "auth", "certificate", NULL, NULL));
    ck_assert(profile_needs_token(profile));
    ck_assert(!profile_set(profile, "certificate", "pkcs11:token=A;id=1?pin-value=1234", "home:3",
                           &error));
    ck_assert_str_eq(error->message, "home:3: \"?pin-value=1234\": nothing may follow a question "
                                     "mark: a PIN is no part of the URI, it is asked for");
    g_clear_error(&error);
    ck_assert(!profile_set_bytes(profile, "private-key", bytes_of_string("pkcs11:id=1"), &error));
    ck_assert_str_eq(error->message, "private-key: \"pkcs11:id=1\": it names no token, as token= "
                                     "or serial= do");
    g_clear_error(&error);
    /* Authorities are no matter of a token. */
    ck_assert(!profile_set(profile, "ca", uri, NULL, NULL));
    profile_free(profile);
}
END_TEST

START_TEST(unknown_key)
{
    struct profile *profile = profile_new();
    GError *error = NULL;

    ck_assert(!profile_set(profile, "gatway", "x", "--gatway", &error));
    ck_assert_str_eq(error->message,
                     "--gatway: unknown key \"gatway\" (did you mean \"gateway\"?)");
    ck_assert_int_eq(error->code, PROFILE_ERROR_KEY);
    g_clear_error(&error);
    ck_assert(!profile_set_bytes(profile, "x", bytes_of_string("y"), NULL));
    profile_free(profile);
}
END_TEST

START_TEST(octets)
{
    struct profile *profile = profile_new();

    ck_assert(profile_set_bytes(profile, "psk", bytes_of("\0\n\xff", 3), NULL));
    ck_assert_octets(profile_get_bytes(profile, "psk"), bytes_of("\0\n\xff", 3));
    ck_assert(!profile_set_bytes(profile, "password", bytes_of("a\0b", 3), NULL));
    ck_assert(!profile_set_bytes(profile, "password", bytes_of(NULL, 0), NULL));
    ck_assert(profile_set_bytes(profile, "ca", bytes_of("\x30\x00", 2), NULL));
    ck_assert_ptr_null(profile_get_path(profile, "ca"));
    ck_assert_octets(profile_get_bytes(profile, "ca"), bytes_of("\x30\x00", 2));
    ck_assert(profile_set_bytes(profile, "port", bytes_of_string("4500"), NULL));
    ck_assert_uint_eq(profile_get_uint(profile, "port"), 4500);
    ck_assert(profile_set(profile, "psk", "base64:AAr/", NULL, NULL));
    ck_assert_octets(profile_get_bytes(profile, "psk"), bytes_of("\0\n\xff", 3));
    profile_free(profile);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("profile_values");
    TCase *tests = tcase_create("values");

    g_setenv("LC_ALL", "C.UTF-8", TRUE);
    tcase_add_test(tests, table_is_sound);
    tcase_add_test(tests, defaults);
    tcase_add_loop_test(tests, good_value, 0, G_N_ELEMENTS(good_values));
    tcase_add_loop_test(tests, bad_value, 0, G_N_ELEMENTS(bad_values));
    tcase_add_test(tests, secrets_do_not_show_in_messages);
    tcase_add_test(tests, key_on_a_token);
    tcase_add_test(tests, unknown_key);
    tcase_add_test(tests, octets);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

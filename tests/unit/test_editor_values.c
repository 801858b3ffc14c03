/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gui/editor/values.h"
#include "unit/vectors.h"

static void ck_says(char *problem, const char *words)
{
    ck_assert_msg(problem != NULL && strstr(problem, words) != NULL, "\"%s\" lacks \"%s\"",
                  problem ? problem : "nothing", words);
    g_free(problem);
}

static void ck_refused(const struct values *values, const char *words)
{
    g_autoptr(GError) error = NULL;
    ck_assert(!values_check(values, &error));
    ck_assert_msg(strstr(error->message, words) != NULL, "%s", error->message);
}

static struct values *minimal(void)
{
    struct values *values = values_new();
    values_load(values, "gateway", "vpn.example.org");
    return values;
}

START_TEST(empty_says_what_is_missing)
{
    struct values *values = values_new();
    ck_refused(values, "Gateway: missing");
    /* Nobody has been there yet: nothing to blame. */
    ck_assert_ptr_null(values_problem(values, "gateway"));
    values_change(values, "gateway", "vpn");
    values_change(values, "gateway", " ");
    ck_says(values_problem(values, "gateway"), "missing");
    values_free(values);
}
END_TEST

/* Whoever wants to save it is shown where the first of them is. */
START_TEST(faults_are_pointed_out)
{
    struct values *values = values_new();
    char *reason = NULL;
    values_load(values, "auth", "certificate");
    ck_assert_str_eq(values_fault(values, &reason), "gateway");
    ck_says(reason, "missing");
    values_touch(values, "gateway");
    ck_says(values_problem(values, "gateway"), "missing");
    ck_assert_ptr_null(values_problem(values, "certificate"));
    values_change(values, "gateway", "vpn");
    ck_assert_str_eq(values_fault(values, &reason), "certificate");
    ck_says(reason, "missing");
    values_change(values, "mtu", "x");
    ck_assert_str_eq(values_fault(values, &reason), "mtu");
    ck_says(reason, "not a whole number");
    values_free(values);

    values = minimal();
    ck_assert_ptr_null(values_fault(values, &reason));
    ck_assert_ptr_null(reason);
    values_free(values);
}
END_TEST

START_TEST(changed_is_checked)
{
    struct values *values = minimal();
    ck_assert(values_check(values, NULL));
    values_change(values, "mtu", "abc");
    ck_says(values_problem(values, "mtu"), "\"abc\" is not a whole number");
    ck_refused(values, "Path MTU: \"abc\"");
    values_change(values, "mtu", " 1400 ");
    ck_assert_str_eq(values_get(values, "mtu"), "1400");
    ck_assert_ptr_null(values_problem(values, "mtu"));
    ck_assert(values_check(values, NULL));
    values_free(values);
}
END_TEST

START_TEST(untouched_is_left_alone)
{
    struct values *values = minimal();
    values_load(values, "mtu", "abc");
    values_load(values, "mobike", "perhaps");
    ck_says(values_problem(values, "mtu"), "whole number");
    ck_says(values_problem(values, "mobike"), "neither true nor false");
    ck_assert(values_check(values, NULL));
    ck_assert_str_eq(values_get(values, "mtu"), "abc");
    ck_assert(values_is_true(values, profile_key_find("mobike")));
    values_free(values);
}
END_TEST

START_TEST(control_characters_are_refused)
{
    for (const struct profile_key *key = profile_keys(); key->name; key++) {
        static const char *const bad[] = {"a\nb", "a\tb", "a\x1b[0m", "a\xe2\x80\xae", "\xff"};
        for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
            struct values *values = minimal();
            values_change(values, key->name, bad[i]);
            char *problem = values_problem(values, key->name);
            ck_assert_msg(problem != NULL, "%s takes %zu", key->name, i);
            ck_assert(!values_check(values, NULL));
            g_free(problem);
            values_free(values);
        }
    }
}
END_TEST

START_TEST(keys_must_go_together)
{
    struct values *values = minimal();
    values_change(values, "include", "10.0.0.0/8");
    ck_says(values_problem(values, "include"), "not go together with “Tunnel: Everything”");
    ck_refused(values, "Networks through the tunnel: it does not go");
    values_change(values, "tunnel", "split");
    ck_assert_ptr_null(values_problem(values, "include"));
    ck_assert(values_check(values, NULL));
    values_change(values, "auth", "certificate");
    ck_refused(values, "Certificate: missing");
    values_change(values, "certificate", "base64:QUJD");
    ck_refused(values, "Private key: missing");
    /* In a keyring that is not ours to read. */
    values_set_storage(values, "private-key", VALUES_FOR_USER);
    ck_assert(values_check(values, NULL));
    values_free(values);
}
END_TEST

/* "auth=certificate" and the like are words of keyfiles: forms have labels. */
static const struct {
    const char *values[3][2];
    const char *want;
} clashes[] = {
    {{{"auth", "certificate"}}, "Certificate: missing"},
    {{{"certificate", "base64:QUJD"}},
     "Certificate: it does not go together with “Authentication: User name and password”"},
    {{{"psk", "x"}},
     "Pre-shared key: it does not go together with “Authentication: User name and password”"},
    {{{"tunnel", "split"}, {"kill-switch", "always"}},
     "Kill switch: it does not go together with “Tunnel: The VPN's networks”"},
    {{{"include-apps", "ssh"}, {"exclude-apps", "firefox"}},
     "Applications through the tunnel: it does not go together with “Applications beside the "
     "tunnel”"},
    {{{"include-apps", "ssh"}, {"kill-switch", "always"}},
     "Applications through the tunnel: it does not go together with “Kill switch: Always”"},
    {{{"request-ipv4", "false"}, {"request-ipv6", "false"}},
     "Ask for IPv6: neither an IPv4 nor an IPv6 address would be asked for"},
};

START_TEST(clash_is_said_with_labels)
{
    struct values *values = minimal();
    g_autoptr(GError) error = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(clashes[_i].values) && clashes[_i].values[i][0]; i++) {
        values_change(values, clashes[_i].values[i][0], clashes[_i].values[i][1]);
    }
    ck_assert(!values_check(values, &error));
    ck_assert_str_eq(error->message, clashes[_i].want);
    values_free(values);
}
END_TEST

START_TEST(blanks_belong_to_passwords)
{
    struct values *values = minimal();
    values_change(values, "password", " a b ");
    ck_assert_str_eq(values_get(values, "password"), " a b ");
    values_change(values, "user", " alice ");
    ck_assert_str_eq(values_get(values, "user"), "alice");
    values_free(values);
}
END_TEST

START_TEST(long_texts_stay)
{
    struct values *values = minimal();
    g_autofree char *text = g_strnfill(65536, 'x');
    for (const struct profile_key *key = profile_keys(); key->name; key++) {
        values_load(values, key->name, text);
        ck_assert_str_eq(values_get(values, key->name), text);
    }
    values_change(values, "user", text);
    ck_says(values_problem(values, "user"), "longer than");
    values_free(values);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("editor_values");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, empty_says_what_is_missing);
    tcase_add_test(tests, faults_are_pointed_out);
    tcase_add_test(tests, changed_is_checked);
    tcase_add_test(tests, untouched_is_left_alone);
    tcase_add_test(tests, control_characters_are_refused);
    tcase_add_test(tests, keys_must_go_together);
    tcase_add_loop_test(tests, clash_is_said_with_labels, 0, (int)G_N_ELEMENTS(clashes));
    tcase_add_test(tests, blanks_belong_to_passwords);
    tcase_add_test(tests, long_texts_stay);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

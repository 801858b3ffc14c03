/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>

#include "common/pkcs11_uri.h"
#include "vectors.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const char *check(const char *uri, struct bytes *at)
{
    return pkcs11_uri_check(bytes_of_string(uri), true, at);
}

static const char *const good[] = {
    "pkcs11:token=Alice;id=%01",
    "pkcs11:token=Alice;object=key;type=private",
    "pkcs11:serial=0123;id=%00%01%ff;type=cert",
    "pkcs11:model=SoftHSM%20v2;manufacturer=A(b)c's,+*=&!$~-._:[]@;serial=1;token=T%C3%BCr;id=1",
    "pkcs11:slot-id=3;object=x",
};

START_TEST(is_taken)
{
    struct bytes at;

    ck_assert_msg(check(good[_i], &at) == NULL, "%s", check(good[_i], &at));
}
END_TEST

static const struct {
    const char *uri, *why, *at;
} bad[] = {
    {"", "does not begin", ""},
    {"PKCS11:token=A;id=1", "does not begin", NULL},
    {"pkcs11:", "names no token", NULL},
    {"pkcs11:id=%01", "names no token", NULL},
    {"pkcs11:library-version=1;object=x", "names no token", NULL},
    {"pkcs11:token=A", "names nothing on the token", NULL},
    {"pkcs11:token=A;type=cert", "names nothing on the token", NULL},
    {"pkcs11:tokn=A;id=1", "not an attribute", "tokn=A"},
    {"pkcs11:Token=A;id=1", "not an attribute", "Token=A"},
    {"pkcs11:token;id=1", "value is empty", "token"},
    {"pkcs11:token=;id=1", "value is empty", "token="},
    {"pkcs11:token=A;;id=1", "not an attribute", ""},
    {"pkcs11:token=A;id=1;token=B", "given twice", "token=B"},
    {"pkcs11:token=A B;id=1", "%XX", "token=A B"},
    {"pkcs11:token=A;id=\x01", "%XX", NULL},
    {"pkcs11:token=A/B;id=1", "%XX", "token=A/B"},
    {"pkcs11:token=T\xc3\xbcr;id=1", "%XX", NULL},
    {"pkcs11:token=A%;id=1", "hexadecimal", "token=A%"},
    {"pkcs11:token=A%4;id=1", "hexadecimal", "token=A%4"},
    {"pkcs11:token=A%4g;id=1", "hexadecimal", "token=A%4g"},
    {"pkcs11:token=A%00B;id=1", "NUL", "token=A%00B"},
    {"pkcs11:token=A;id=1;type=public", "neither a certificate", "type=public"},
    {"pkcs11:token=A;id=1?pin-value=1234", "a PIN is no part", "?pin-value=1234"},
    {"pkcs11:token=A;id=1?pin-source=file:/etc/shadow", "a PIN is no part", NULL},
    {"pkcs11:token=A;id=1?module-path=/tmp/evil.so", "a module cannot be named", NULL},
    {"pkcs11:token=A;id=1?module-name=evil", "a module cannot be named", NULL},
    {"pkcs11:token=A;id=1?", "nothing may follow", "?"},
};

START_TEST(is_refused)
{
    struct bytes at;
    const char *why = check(bad[_i].uri, &at);

    ck_assert_ptr_nonnull(why);
    ck_assert_msg(strstr(why, bad[_i].why) != NULL, "%s: %s", bad[_i].uri, why);
    if (bad[_i].at != NULL) {
        ck_assert_msg(bytes_equal(at, bytes_of_string(bad[_i].at)), "at %.*s", (int)at.len,
                      (const char *)at.data);
    }
}
END_TEST

START_TEST(token_alone)
{
    struct bytes at;

    ck_assert_ptr_null(pkcs11_uri_check(bytes_of_string("pkcs11:token=A"), false, &at));
    ck_assert_ptr_nonnull(pkcs11_uri_check(bytes_of_string("pkcs11:type=cert"), false, &at));
}
END_TEST

START_TEST(is_too_long)
{
    char uri[PKCS11_URI_MAX + 2] = "pkcs11:id=1;token=";
    struct bytes at;

    memset(uri + strlen(uri), 'a', sizeof uri - strlen(uri) - 2);
    ck_assert_ptr_null(check(uri, &at));
    uri[strlen(uri)] = 'a';
    ck_assert_ptr_nonnull(strstr(check(uri, &at), "longer"));
}
END_TEST

START_TEST(loses_attributes)
{
    static const char *const names[] = {"type", "object", NULL};
    struct bytes uri = bytes_of_string("pkcs11:type=cert;token=A%20B;object=x;id=%01");
    const char *want = "pkcs11:token=A%20B;id=%01";
    char out[64];

    ck_assert(pkcs11_uri_without(uri, names, out, sizeof out));
    ck_assert_str_eq(out, want);
    ck_assert(pkcs11_uri_without(uri, names, out, strlen(want) + 1));
    ck_assert(!pkcs11_uri_without(uri, names, out, strlen(want)));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pkcs11_uri");
    TCase *tcase = tcase_create("uri");

    tcase_add_loop_test(tcase, is_taken, 0, COUNT(good));
    tcase_add_loop_test(tcase, is_refused, 0, COUNT(bad));
    tcase_add_test(tcase, is_too_long);
    tcase_add_test(tcase, token_alone);
    tcase_add_test(tcase, loses_attributes);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

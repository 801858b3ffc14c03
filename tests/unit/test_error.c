/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "common/vpn1.h"

#include "unit/vectors.h"

static bool is_sentence(const char *text)
{
    size_t len = strlen(text);

    return len > 5 && g_ascii_isupper(text[0]) && text[len - 1] == '.';
}

START_TEST(each_reason_is_told_apart)
{
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        enum reason reason = (enum reason)i;

        ck_assert_ptr_nonnull(reason_name(reason));
        ck_assert_msg(is_sentence(reason_sentence(reason)), "%s", reason_name(reason));
        ck_assert_msg(reason_hint(reason) == NULL || is_sentence(reason_hint(reason)), "%s",
                      reason_name(reason));
        ck_assert_msg(reason_window_hint(reason) == NULL || is_sentence(reason_window_hint(reason)),
                      "%s", reason_name(reason));
        for (const char *c = reason_name(reason); *c != '\0'; c++) {
            ck_assert_msg(g_ascii_islower(*c) || *c == '-', "%s", reason_name(reason));
        }
        for (unsigned j = 0; j < i; j++) {
            ck_assert_str_ne(reason_name((enum reason)j), reason_name(reason));
            ck_assert_str_ne(reason_sentence((enum reason)j), reason_sentence(reason));
        }
        ck_assert_uint_eq(reason_from_name(reason_name(reason)), reason);
    }
}
END_TEST

/* Scripts depend on these: the order of the list is the order of the codes, and a shell keeps 126
 * and above. */
START_TEST(exit_codes)
{
    int last = 0;

    ck_assert_int_eq(reason_exit_code(REASON_NONE), 0);
    ck_assert_int_eq(reason_exit_code(REASON_USER), 0);
    for (unsigned i = REASON_USER + 1; i < REASON_COUNT; i++) {
        int code = reason_exit_code((enum reason)i);

        ck_assert_msg(code == last + 1, "%s has %d", reason_name((enum reason)i), code);
        ck_assert_int_lt(code, 126);
        last = code;
    }
}
END_TEST

START_TEST(strangers_are_internal)
{
    ck_assert_uint_eq(reason_from_name("no-such-reason"), REASON_INTERNAL);
    ck_assert_uint_eq(reason_from_name(""), REASON_INTERNAL);
    ck_assert_str_eq(reason_name(REASON_COUNT), "internal");
    ck_assert_str_eq(reason_name((enum reason)0x7fffffff), "internal");
    ck_assert_int_eq(reason_exit_code((enum reason) - 1), 1);
}
END_TEST

START_TEST(errors_on_the_bus_have_reasons)
{
    static const struct {
        const char *name;
        enum reason reason;
    } rows[] = {
        {NULL, REASON_SERVICE_UNAVAILABLE},
        {"org.godwit.VPN1.Error.NotAuthorized", REASON_NOT_AUTHORIZED},
        {"org.godwit.VPN1.Error.NotFound", REASON_NOT_FOUND},
        {"org.godwit.VPN1.Error.HostConfig", REASON_HOST_CONFIG},
        {"org.godwit.VPN1.Error.InvalidProfile", REASON_PROFILE},
        {"org.godwit.VPN1.Error.TooMany", REASON_SERVICE_REFUSED},
        {"org.godwit.VPN1.Error.Not", REASON_SERVICE_REFUSED},
        {"org.godwit.VPN1.Error.", REASON_SERVICE_REFUSED},
        {"org.godwit.VPN1.Error", REASON_SERVICE_UNAVAILABLE},
        {"org.freedesktop.DBus.Error.AccessDenied", REASON_NOT_AUTHORIZED},
        {"org.freedesktop.DBus.Error.UnknownMethod", REASON_NOT_FOUND},
        {"org.freedesktop.DBus.Error.ServiceUnknown", REASON_SERVICE_UNAVAILABLE},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ck_assert_msg(vpn1_reason_of_error(rows[i].name) == rows[i].reason, "%s", rows[i].name);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("error");
    TCase *reasons = tcase_create("reasons");

    tcase_add_test(reasons, each_reason_is_told_apart);
    tcase_add_test(reasons, exit_codes);
    tcase_add_test(reasons, strangers_are_internal);
    tcase_add_test(reasons, errors_on_the_bus_have_reasons);
    suite_add_tcase(suite, reasons);
    return run_suite(suite);
}

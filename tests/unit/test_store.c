/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The user's profiles as files of the user interface. */
#include "gui/model/store.h"

#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/vectors.h"

#define CERTIFICATE "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
#define KEY "-----BEGIN PRIVATE KEY-----\nSECRETKEY\n-----END PRIVATE KEY-----\n"
#define OLD_KEY "-----BEGIN EC PRIVATE KEY-----\nSECRETKEY\n-----END EC PRIVATE KEY-----\n"

static char *folder;

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void write_file(const char *name, const char *text)
{
    g_autofree char *path = in_folder(name), *parent = g_path_get_dirname(path);

    ck_assert_int_eq(g_mkdir_with_parents(parent, 0700), 0);
    ck_assert(g_file_set_contents(path, text, -1, NULL));
}

static void setup(void)
{
    folder = g_dir_make_tmp("godwit-store-XXXXXX", NULL);
    ck_assert_ptr_nonnull(folder);
    g_setenv("XDG_CONFIG_HOME", folder, TRUE);
    write_file("both.pem", CERTIFICATE KEY CERTIFICATE OLD_KEY);
    write_file("godwit/work.conf", "[godwit]\ngateway=vpn.example.org\nuser=alice\n"
                                   "auth=certificate\npassword=hunter2\n"
                                   "private-key-password=hunter2\n"
                                   "ca=../both.pem\ncertificate=../both.pem\n"
                                   "private-key=../both.pem\n");
}

static void teardown(void)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", folder);

    ck_assert_int_eq(system(command), 0);
    g_free(folder);
}

/* What is exported, and how it is read again. */
static struct profile *exported(gboolean with_secrets, char **text)
{
    g_autofree char *from = in_folder("godwit/work.conf"), *to = in_folder("out.godwit");
    g_autoptr(GError) error = NULL;
    struct profile *profile;
    GStatBuf status;

    ck_assert_msg(store_export(from, to, with_secrets, &error), "%s", error ? error->message : "");
    ck_assert(g_file_get_contents(to, text, NULL, NULL));
    ck_assert_int_eq(g_stat(to, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    profile = profile_load(to, &error);
    ck_assert_ptr_nonnull(profile);
    ck_assert_ptr_null(profile_get_path(profile, "ca"));
    ck_assert_str_eq(profile_get(profile, "name"), "work");
    return profile;
}

START_TEST(exports_keep_secrets_to_themselves)
{
    g_autofree char *text = NULL;
    struct profile *profile = exported(FALSE, &text);

    ck_assert(bytes_equal(profile_get_bytes(profile, "certificate"),
                          bytes_of_string(CERTIFICATE CERTIFICATE)));
    ck_assert(
        bytes_equal(profile_get_bytes(profile, "ca"), bytes_of_string(CERTIFICATE CERTIFICATE)));
    ck_assert(!profile_is_set(profile, "private-key"));
    ck_assert(!profile_is_set(profile, "password"));
    ck_assert_ptr_null(strstr(text, "hunter2"));
    profile_free(profile);
}
END_TEST

START_TEST(exports_have_secrets_when_asked)
{
    g_autofree char *text = NULL;
    struct profile *profile = exported(TRUE, &text);

    ck_assert(bytes_equal(profile_get_bytes(profile, "password"), bytes_of_string("hunter2")));
    ck_assert(bytes_equal(profile_get_bytes(profile, "private-key"),
                          bytes_of_string(CERTIFICATE KEY CERTIFICATE OLD_KEY)));
    profile_free(profile);
}
END_TEST

/* A key that is cut off is one, too. */
START_TEST(half_a_key_is_no_secret_to_keep)
{
    g_autofree char *text = NULL;
    struct profile *profile;

    write_file("both.pem", CERTIFICATE "-----BEGIN PRIVATE KEY-----\nSECRETKEY");
    profile = exported(FALSE, &text);
    ck_assert(bytes_equal(profile_get_bytes(profile, "ca"), bytes_of_string(CERTIFICATE)));
    profile_free(profile);
}
END_TEST

START_TEST(a_key_behind_a_zero_is_found)
{
    static const char pem[] = CERTIFICATE "\0" KEY;
    g_autofree char *path = in_folder("both.pem"), *text = NULL;
    struct profile *profile;

    ck_assert(g_file_set_contents(path, pem, sizeof(pem) - 1, NULL));
    profile = exported(FALSE, &text);
    ck_assert(bytes_equal(profile_get_bytes(profile, "ca"),
                          (struct bytes){(const uint8_t *)pem, sizeof(CERTIFICATE)}));
    profile_free(profile);
}
END_TEST

START_TEST(titles_are_told_apart)
{
    g_autofree char *path = in_folder("godwit/work.conf"), *third = in_folder("godwit/work 3.conf"),
                    *offered = in_folder("my.work.conf");
    g_autoptr(GError) error = NULL;
    struct values *values;
    struct profile *profile;

    write_file("godwit/other.conf", "[godwit]\nname=work 2\ngateway=vpn.example.org\n");
    values = store_read_copy(path, &error);
    ck_assert_ptr_nonnull(values);
    ck_assert_str_eq(values_get(values, "name"), "work 3");
    ck_assert_str_eq(values_get(values, "password"), "hunter2");
    values_free(values);

    write_file("my.work.conf", "[godwit]\ngateway=vpn.example.org\nname=work\n");
    profile = store_offered(offered, &error);
    ck_assert_ptr_nonnull(profile);
    ck_assert(store_add(profile, &error));
    ck_assert(g_file_test(third, G_FILE_TEST_EXISTS));
    profile_free(profile);

    /* Without a name it is called as the file. */
    write_file("my.work.conf", "[godwit]\ngateway=vpn.example.org\n");
    profile = store_offered(offered, &error);
    ck_assert_str_eq(profile_get(profile, "name"), "my.work");
    profile_free(profile);
}
END_TEST

/* What the file names is in the profile when it is taken: others may change it, or clean up. */
START_TEST(what_is_trusted_stays)
{
    g_autofree char *offered = in_folder("branch.conf"), *pem = in_folder("both.pem"),
                    *added = in_folder("godwit/branch.conf");
    g_autoptr(GError) error = NULL;
    struct profile *profile;

    write_file("branch.conf", "[godwit]\ngateway=vpn.example.org\nca=both.pem\n");
    profile = store_offered(offered, &error);
    ck_assert_ptr_nonnull(profile);
    ck_assert_int_eq(g_remove(pem), 0);
    ck_assert(store_add(profile, &error));
    profile_free(profile);
    profile = profile_load(added, &error);
    ck_assert_msg(profile != NULL, "%s", error ? error->message : "");
    ck_assert_uint_eq(profile_get_bytes(profile, "ca").len,
                      strlen(CERTIFICATE KEY CERTIFICATE OLD_KEY));
    profile_free(profile);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("store");

    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, exports_keep_secrets_to_themselves);
    tcase_add_test(tests, exports_have_secrets_when_asked);
    tcase_add_test(tests, half_a_key_is_no_secret_to_keep);
    tcase_add_test(tests, a_key_behind_a_zero_is_found);
    tcase_add_test(tests, titles_are_told_apart);
    tcase_add_test(tests, what_is_trusted_stays);
    return run_suite(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/secret.h"

#include "unit/vectors.h"

START_TEST(ownership)
{
    struct secret a = {0};
    struct secret b = {0};
    uint8_t *data;

    ck_assert(secret_set(&a, bytes_of_string("one")));
    ck_assert_octets(secret_bytes(&a), bytes_of_string("one"));
    ck_assert(secret_set(&a, bytes_of_string("another")));
    ck_assert_octets(secret_bytes(&a), bytes_of_string("another"));
    data = a.data;
    secret_move(&b, &a);
    ck_assert_ptr_eq(b.data, data);
    ck_assert_ptr_null(a.data);
    ck_assert_uint_eq(a.len, 0);
    secret_move(&b, &a);
    ck_assert_ptr_null(b.data);
    secret_free(&b);
    secret_free(NULL);
}
END_TEST

START_TEST(a_part_of_itself)
{
    struct secret secret = {0};

    ck_assert(secret_set(&secret, bytes_of_string("prefix-rest")));
    ck_assert(secret_set(&secret, bytes_of(secret.data + 7, 4)));
    ck_assert_octets(secret_bytes(&secret), bytes_of_string("rest"));
    secret_free(&secret);
}
END_TEST

START_TEST(empty)
{
    struct secret secret = {0};

    ck_assert(secret_set(&secret, (struct bytes){0}));
    ck_assert_uint_eq(secret.len, 0);
    ck_assert(secret_alloc(&secret, 5));
    ck_assert_octets(secret_bytes(&secret), hex("0000000000"));
    ck_assert(secret_alloc(&secret, 0));
    ck_assert_ptr_null(secret.data);
}
END_TEST

START_TEST(equality)
{
    struct bytes a = hex("000102030405");

    ck_assert(secret_equal(a, hex("000102030405")));
    ck_assert(secret_equal((struct bytes){0}, (struct bytes){0}));
    ck_assert(!secret_equal(a, hex("0001020304")));
    for (size_t i = 0; i < a.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            uint8_t *other = octets_copy(a);

            other[i] ^= (uint8_t)(1u << bit);
            ck_assert(!secret_equal(a, bytes_of(other, a.len)));
        }
    }
}
END_TEST

START_TEST(wiping)
{
    uint8_t data[8];

    memset(data, 0xff, sizeof(data));
    secret_wipe(data, 7);
    ck_assert_octets(bytes_of(data, 8), hex("00000000000000ff"));
    secret_wipe(NULL, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("secret");
    TCase *secrets = tcase_create("secrets");

    tcase_add_test(secrets, ownership);
    tcase_add_test(secrets, a_part_of_itself);
    tcase_add_test(secrets, empty);
    tcase_add_test(secrets, equality);
    tcase_add_test(secrets, wiping);
    suite_add_tcase(suite, secrets);
    return run_suite(suite);
}

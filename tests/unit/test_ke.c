/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/ke.h"

#include "unit/vectors.h"

static const struct alg *group_of(uint16_t id)
{
    return alg_find(TRANSFORM_KE, id, 0);
}

/* Our public value when `public_value` is given, and the shared secret, or ERR_KEY when `expected`
 * is NULL. */
static void check(uint16_t id, struct bytes private_value, struct bytes public_value,
                  struct bytes peer, const struct bytes *expected)
{
    struct secret secret = {0};
    struct ke *ke;
    enum err err;

    ck_assert_uint_eq(ke_new_private(&ke, group_of(id), private_value), OK);
    if (public_value.len > 0) {
        ck_assert_octets(ke_public(ke), public_value);
    }
    err = ke_shared(ke, peer, &secret);
    if (expected != NULL) {
        ck_assert_uint_eq(err, OK);
        ck_assert_octets(secret_bytes(&secret), *expected);
    } else {
        ck_assert_uint_eq(err, ERR_KEY);
        ck_assert_ptr_null(secret.data);
    }
    secret_free(&secret);
    ke_free(ke);
}

/* ---- vectors ---- */

START_TEST(modp)
{
    JsonObject *root = vectors_load("dh-modp.json");
    JsonArray *rows = vector_array(root, "groups");
    unsigned checked = 0;

    for (guint i = 0; i < json_array_get_length(rows); i++) {
        JsonObject *row = json_array_get_object_element(rows, i);
        uint16_t id = (uint16_t)vector_int(row, "group");
        JsonArray *kats;

        if (group_of(id) == NULL) {
            continue;
        }
        ck_assert_uint_eq(ke_public_len(group_of(id)), (size_t)vector_int(row, "ke_data_len"));
        kats = vector_array(row, "kat_computed_here");
        for (guint j = 0; j < json_array_get_length(kats); j++) {
            JsonObject *kat = json_array_get_object_element(kats, j);
            struct bytes z = vector_hex(kat, "Z");

            check(id, vector_hex(kat, "xA"), vector_hex(kat, "yA"), vector_hex(kat, "yB"), &z);
            check(id, vector_hex(kat, "xB"), vector_hex(kat, "yB"), vector_hex(kat, "yA"), &z);
            checked++;
        }
    }
    ck_assert_uint_ge(checked, 7);
    json_object_unref(root);
}
END_TEST

static void check_rfc5903(JsonObject *vector)
{
    uint16_t id = (uint16_t)vector_int(vector, "group");
    size_t field = (size_t)vector_int(vector, "field_len");
    struct bytes ke_i = vector_hex(vector, "KEi");
    struct bytes ke_r = vector_hex(vector, "KEr");
    struct bytes z = vector_hex(vector, "shared_secret");
    struct bytes i = vector_hex(vector, "i");
    struct bytes r = vector_hex(vector, "r");

    /* Whole payloads: generic header, group, reserved, then the value. */
    ck_assert_uint_eq(ke_i.len, 8 + 2 * field);
    ke_i = bytes_of(ke_i.data + 8, ke_i.len - 8);
    ke_r = bytes_of(ke_r.data + 8, ke_r.len - 8);
    check(id, i, ke_i, ke_r, &z);
    check(id, r, ke_r, ke_i, &z);
}

START_TEST(ecp)
{
    JsonObject *root = vectors_load("dh-ecp-brainpool.json");
    JsonArray *vectors = vector_array(root, "vectors");
    unsigned checked = 0;

    for (guint i = 0; i < json_array_get_length(vectors); i++) {
        JsonObject *vector = json_array_get_object_element(vectors, i);
        uint16_t id = (uint16_t)vector_int(vector, "group");

        if (group_of(id) == NULL) {
            continue;
        }
        if (vector_has(vector, "KEi")) {
            check_rfc5903(vector);
        } else {
            struct bytes z = vector_hex(vector, "shared_secret");

            check(id, vector_hex(vector, "dA"), vector_hex(vector, "ke_data_A"),
                  vector_hex(vector, "ke_data_B"), &z);
            check(id, vector_hex(vector, "dB"), vector_hex(vector, "ke_data_B"),
                  vector_hex(vector, "ke_data_A"), &z);
        }
        checked++;
    }
    ck_assert_uint_ge(checked, 6);
    json_object_unref(root);
}
END_TEST

START_TEST(curves)
{
    JsonObject *root = vectors_load("dh-x25519-x448.json");
    JsonArray *dh = vector_array(root, "dh");
    JsonArray *functions = vector_array(root, "function");

    for (guint i = 0; i < json_array_get_length(dh); i++) {
        JsonObject *vector = json_array_get_object_element(dh, i);
        uint16_t id = (uint16_t)vector_int(vector, "group");
        bool ike = vector_has(vector, "pub_i");
        struct bytes z = vector_hex(vector, "shared_secret");
        struct bytes a = vector_hex(vector, ike ? "random_i" : "a");
        struct bytes b = vector_hex(vector, ike ? "random_r" : "b");
        struct bytes a_public = vector_hex(vector, ike ? "pub_i" : "A");
        struct bytes b_public = vector_hex(vector, ike ? "pub_r" : "B");

        check(id, a, a_public, b_public, &z);
        check(id, b, b_public, a_public, &z);
    }
    for (guint i = 0; i < json_array_get_length(functions); i++) {
        JsonObject *vector = json_array_get_object_element(functions, i);
        struct bytes z = vector_hex(vector, "out");

        check(strcmp(vector_text(vector, "func"), "X25519") == 0 ? KE_CURVE25519 : KE_CURVE448,
              vector_hex(vector, "scalar"), (struct bytes){0}, vector_hex(vector, "u"), &z);
    }
    json_object_unref(root);
}
END_TEST

/* RFC 7748 5.2: k, u = X(k, u), k again and again. */
static void check_iterated(uint16_t id, JsonObject *vector)
{
    struct bytes start = vector_hex(vector, "k_u_start");
    uint8_t *k = octets_copy(start);
    uint8_t *u = octets_copy(start);

    for (int i = 1; i <= 1000; i++) {
        struct secret secret = {0};
        struct ke *ke;

        ck_assert_uint_eq(ke_new_private(&ke, group_of(id), bytes_of(k, start.len)), OK);
        ck_assert_uint_eq(ke_shared(ke, bytes_of(u, start.len), &secret), OK);
        memcpy(u, k, start.len);
        memcpy(k, secret.data, start.len);
        secret_free(&secret);
        ke_free(ke);
        if (i == 1) {
            ck_assert_octets(bytes_of(k, start.len), vector_hex(vector, "1"));
        }
    }
    ck_assert_octets(bytes_of(k, start.len), vector_hex(vector, "1000"));
}

START_TEST(curves_iterated)
{
    JsonObject *root = vectors_load("dh-x25519-x448.json");
    JsonObject *iterated = vector_object(root, "iterated");

    check_iterated(KE_CURVE25519, vector_object(iterated, "X25519"));
    check_iterated(KE_CURVE448, vector_object(iterated, "X448"));
    json_object_unref(root);
}
END_TEST

/* ---- Wycheproof ---- */

static bool all_zero(struct bytes octets)
{
    for (size_t i = 0; i < octets.len; i++) {
        if (octets.data[i] != 0) {
            return false;
        }
    }
    return true;
}

static void check_xdh(JsonObject *test, uint16_t id)
{
    struct bytes z = vector_hex(test, "shared");
    struct bytes peer = vector_hex(test, "public");
    /* RFC 8031 4 leaves all but a zero result to us; a value of another length is never right. */
    bool good = peer.len == ke_public_len(group_of(id)) && !all_zero(z);

    check(id, vector_hex(test, "private"), (struct bytes){0}, peer, good ? &z : NULL);
}

/* Private values are signed DER integers there: cut or padded to the field's length. */
static struct bytes field_octets(struct bytes number, size_t len)
{
    uint8_t padded[66] = {0};

    while (number.len > len) {
        ck_assert_uint_eq(number.data[0], 0);
        number = bytes_of(number.data + 1, number.len - 1);
    }
    memcpy(padded + len - number.len, number.data, number.len);
    return bytes_of(octets_copy(bytes_of(padded, len)), len);
}

static void check_ecdh(JsonObject *test, uint16_t id)
{
    struct bytes z = vector_hex(test, "shared");
    struct bytes point = vector_hex(test, "public");
    size_t public_len = ke_public_len(group_of(id));
    bool valid = strcmp(vector_text(test, "result"), "valid") == 0;
    struct bytes peer = point;

    /* IKE sends x | y without the octet that tells the form (RFC 5903 7); other forms have other
     * lengths. */
    if (point.len == 1 + public_len && point.data[0] == 4) {
        peer = bytes_of(point.data + 1, public_len);
    }
    ck_assert_msg(!valid || peer.len == public_len, "a valid point of another form");
    check(id, field_octets(vector_hex(test, "private"), public_len / 2), (struct bytes){0}, peer,
          valid ? &z : NULL);
}

static void check_wycheproof(const char *file, uint16_t id, void (*one)(JsonObject *, uint16_t))
{
    JsonObject *root = vectors_load_shared(file);
    JsonArray *rows;

    if (root == NULL) {
        return;
    }
    rows = vector_array(root, "testGroups");
    for (guint i = 0; i < json_array_get_length(rows); i++) {
        JsonArray *tests = vector_array(json_array_get_object_element(rows, i), "tests");

        for (guint j = 0; j < json_array_get_length(tests); j++) {
            one(json_array_get_object_element(tests, j), id);
        }
    }
    json_object_unref(root);
}

START_TEST(wycheproof)
{
    check_wycheproof("wycheproof/x25519_test.json", KE_CURVE25519, check_xdh);
    check_wycheproof("wycheproof/x448_test.json", KE_CURVE448, check_xdh);
    check_wycheproof("wycheproof/ecdh_secp256r1_ecpoint_test.json", KE_ECP_256, check_ecdh);
    check_wycheproof("wycheproof/ecdh_secp384r1_ecpoint_test.json", KE_ECP_384, check_ecdh);
    check_wycheproof("wycheproof/ecdh_secp521r1_ecpoint_test.json", KE_ECP_521, check_ecdh);
}
END_TEST

/* ---- what a peer may not send (RFC 6989) ---- */

static void refuse(struct ke *ke, struct bytes peer)
{
    struct secret secret = {0};

    ck_assert_uint_eq(ke_shared(ke, peer, &secret), ERR_KEY);
    ck_assert_ptr_null(secret.data);
}

static void accept(struct ke *ke, struct bytes peer)
{
    struct secret secret = {0};

    ck_assert_uint_eq(ke_shared(ke, peer, &secret), OK);
    ck_assert_ptr_nonnull(secret.data);
    secret_free(&secret);
}

START_TEST(cve_2023_41913_ke_length)
{
    struct rng_seeded seeded;
    struct rng rng = rng_from_seed(&seeded, 1);
    const struct alg *alg;

    for (size_t i = 0; (alg = alg_at(i)) != NULL; i++) {
        size_t len = ke_public_len(alg);
        uint8_t *octets;
        struct ke *ke;

        if (alg->type != TRANSFORM_KE) {
            ck_assert_uint_eq(len, 0);
            ck_assert_uint_eq(ke_new(&ke, alg, &rng), ERR_UNSUPPORTED);
            ck_assert_ptr_null(ke);
            continue;
        }
        ck_assert_uint_eq(ke_new(&ke, alg, &rng), OK);
        ck_assert_ptr_eq(ke_group(ke), alg);
        ck_assert_uint_eq(ke_public(ke).len, len);
        accept(ke, ke_public(ke));
        refuse(ke, (struct bytes){0});
        refuse(ke, bytes_of(ke_public(ke).data, 1));
        refuse(ke, bytes_of(ke_public(ke).data, len - 1));
        octets = g_malloc0(len + 1);
        memcpy(octets, ke_public(ke).data, len);
        refuse(ke, bytes_of(octets, len + 1));
        memset(octets, 0, len);
        refuse(ke, bytes_of(octets, len));
        g_free(octets);
        ke_free(ke);
    }
}
END_TEST

/* The prime comes from the vectors, so this also proves the primes that the code makes. */
START_TEST(cve_2015_3240_modp_bounds)
{
    JsonObject *root = vectors_load("dh-modp.json");
    JsonArray *rows = vector_array(root, "groups");

    for (guint i = 0; i < json_array_get_length(rows); i++) {
        JsonObject *row = json_array_get_object_element(rows, i);
        const struct alg *group = group_of((uint16_t)vector_int(row, "group"));
        struct bytes p = vector_hex(row, "p");
        uint8_t *value = octets_copy(p);
        struct rng rng = rng_system();
        struct ke *ke;

        if (group == NULL) {
            continue;
        }
        ck_assert_uint_eq(ke_new(&ke, group, &rng), OK);
        refuse(ke, p);
        value[p.len - 1] = 0xfe; /* p - 1 */
        refuse(ke, bytes_of(value, p.len));
        value[p.len - 1] = 0xfd; /* p - 2 */
        accept(ke, bytes_of(value, p.len));
        memset(value, 0xff, p.len);
        refuse(ke, bytes_of(value, p.len));
        memset(value, 0, p.len);
        refuse(ke, bytes_of(value, p.len));
        value[p.len - 1] = 1;
        refuse(ke, bytes_of(value, p.len));
        value[p.len - 1] = 2;
        accept(ke, bytes_of(value, p.len));
        value[p.len - 1] = 0;
        value[0] = 1;
        accept(ke, bytes_of(value, p.len));
        ke_free(ke);
    }
    json_object_unref(root);
}
END_TEST

START_TEST(cve_2015_3240_ecp_off_the_curve)
{
    static const uint16_t ids[] = {KE_ECP_256, KE_ECP_384, KE_ECP_521};
    struct rng rng = rng_system();

    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        size_t len = ke_public_len(group_of(ids[i]));
        struct ke *ke;
        uint8_t *value;

        ck_assert_uint_eq(ke_new(&ke, group_of(ids[i]), &rng), OK);
        value = octets_copy(ke_public(ke));
        value[len - 1] ^= 1; /* y moved */
        refuse(ke, bytes_of(value, len));
        value[len - 1] ^= 1;
        value[len / 2 - 1] ^= 1; /* x moved: another point has it, but not with this y */
        refuse(ke, bytes_of(value, len));
        memset(value, 0xff, len); /* beyond the field */
        refuse(ke, bytes_of(value, len));
        ke_free(ke);
    }
}
END_TEST

/* ---- private values ---- */

START_TEST(private_values_out_of_range)
{
    static const char order_256[] =
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    struct bytes order = hex(order_256);
    uint8_t *below = octets_copy(order);
    uint8_t zeros[1025] = {0};
    uint8_t ones[33];
    struct ke *ke;

    memset(ones, 0xff, sizeof(ones));
    below[31] -= 1;
    ck_assert_uint_eq(ke_new_private(&ke, group_of(KE_ECP_256), order), ERR_KEY);
    ck_assert_ptr_null(ke);
    ck_assert_uint_eq(ke_new_private(&ke, group_of(KE_ECP_256), bytes_of(zeros, 32)), ERR_KEY);
    ck_assert_uint_eq(ke_new_private(&ke, group_of(KE_ECP_256), bytes_of(ones, 32)), ERR_KEY);
    ck_assert_uint_eq(ke_new_private(&ke, group_of(KE_ECP_256), bytes_of(below, 31)), ERR_KEY);
    ck_assert_uint_eq(ke_new_private(&ke, group_of(KE_ECP_256), bytes_of(below, 32)), OK);
    ke_free(ke);
    ck_assert_uint_eq(ke_new_private(&ke, group_of(KE_CURVE25519), bytes_of(ones, 33)), ERR_KEY);
    ck_assert_uint_eq(ke_new_private(&ke, group_of(KE_MODP_2048), (struct bytes){0}), ERR_KEY);
    ck_assert_uint_eq(ke_new_private(&ke, group_of(KE_MODP_2048), bytes_of(zeros, 40)), ERR_KEY);
    ck_assert_uint_eq(ke_new_private(&ke, group_of(KE_MODP_8192), bytes_of(zeros, 1025)), ERR_KEY);
    ke_free(NULL);
}
END_TEST

static enum err no_randomness(void *context, uint8_t *out, size_t len)
{
    (void)context;
    memset(out, 0, len);
    return ERR_CRYPTO;
}

/* A generator that is stuck: says OK and gives only ones. */
static enum err stuck(void *context, uint8_t *out, size_t len)
{
    (*(unsigned *)context)++;
    memset(out, 0xff, len);
    return OK;
}

/* First beyond the order of the group, then a good value. */
static enum err late(void *context, uint8_t *out, size_t len)
{
    memset(out, (*(unsigned *)context)++ == 0 ? 0xff : 0x11, len);
    return OK;
}

START_TEST(cve_2018_10811_bad_generators)
{
    unsigned draws = 0;
    struct rng none = {.fill = no_randomness};
    struct rng ones = {.fill = stuck, .context = &draws};
    struct rng second = {.fill = late, .context = &draws};
    struct ke *ke;

    ck_assert_uint_eq(ke_new(&ke, group_of(KE_CURVE25519), &none), ERR_CRYPTO);
    ck_assert_ptr_null(ke);
    ck_assert_uint_eq(ke_new(&ke, group_of(KE_ECP_256), &ones), ERR_CRYPTO);
    ck_assert_ptr_null(ke);
    ck_assert_uint_gt(draws, 1);
    draws = 0;
    ck_assert_uint_eq(ke_new(&ke, group_of(KE_ECP_521), &second), OK);
    ck_assert_uint_eq(draws, 2);
    ke_free(ke);
}
END_TEST

START_TEST(generators)
{
    struct rng_seeded one;
    struct rng_seeded two;
    struct rng a = rng_from_seed(&one, 7);
    struct rng b = rng_from_seed(&two, 7);
    struct rng system = rng_system();
    uint8_t x[3][64] = {0};

    ck_assert_uint_eq(rng_fill(&a, x[0], 64), OK);
    ck_assert_uint_eq(rng_fill(&b, x[1], 64), OK);
    ck_assert_octets(bytes_of(x[0], 64), bytes_of(x[1], 64));
    ck_assert_uint_eq(rng_fill(&a, x[0], 64), OK);
    ck_assert(memcmp(x[0], x[1], 64) != 0);
    b = rng_from_seed(&two, 8);
    ck_assert_uint_eq(rng_fill(&b, x[2], 64), OK);
    ck_assert(memcmp(x[1], x[2], 64) != 0);
    ck_assert_uint_eq(rng_fill(&system, x[0], 64), OK);
    ck_assert_uint_eq(rng_fill(&system, x[1], 64), OK);
    ck_assert(memcmp(x[0], x[1], 64) != 0);
    ck_assert_uint_eq(rng_fill(&system, x[0], 0), OK);
    ck_assert_uint_eq(rng_fill(&a, x[0], 0), OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ke");
    TCase *vectors = tcase_create("vectors");
    TCase *refusals = tcase_create("refusals");

    tcase_add_test(vectors, modp);
    tcase_add_test(vectors, ecp);
    tcase_add_test(vectors, curves);
    tcase_add_test(vectors, curves_iterated);
    tcase_add_test(vectors, wycheproof);
    suite_add_tcase(suite, vectors);
    tcase_add_test(refusals, cve_2023_41913_ke_length);
    tcase_add_test(refusals, cve_2015_3240_modp_bounds);
    tcase_add_test(refusals, cve_2015_3240_ecp_off_the_curve);
    tcase_add_test(refusals, private_values_out_of_range);
    tcase_add_test(refusals, cve_2018_10811_bad_generators);
    tcase_add_test(refusals, generators);
    suite_add_tcase(suite, refusals);
    return run_suite(suite);
}

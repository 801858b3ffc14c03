/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>

/* Keeps what is handed out reachable, so that leak checks stay quiet about it. */
struct kept {
    struct kept *next;
    uint8_t data[];
};

static struct kept *all_kept;

static uint8_t *keep(size_t len)
{
    struct kept *one = g_malloc(sizeof(*one) + len);

    one->next = all_kept;
    all_kept = one;
    return one->data;
}

static char *source_path(const char *folder, const char *name)
{
    const char *top = getenv("top_srcdir");

    return g_build_filename(top != NULL ? top : TOP_SRCDIR, folder, name, NULL);
}

static JsonObject *load(const char *path)
{
    JsonParser *parser = json_parser_new();
    GError *error = NULL;
    JsonObject *root;

    if (!json_parser_load_from_file(parser, path, &error)) {
        ck_abort_msg("cannot read %s: %s", path, error->message);
    }
    root = json_object_ref(json_node_get_object(json_parser_get_root(parser)));
    g_object_unref(parser);
    return root;
}

static char *shared_path(const char *name)
{
    char *path = source_path("../shared/vectors", name);

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        fprintf(stderr, "%s is not here: its vectors are skipped\n", path);
        g_free(path);
        return NULL;
    }
    return path;
}

JsonObject *vectors_load(const char *name)
{
    char *path = source_path("tests/vectors", name);
    JsonObject *root = load(path);

    g_free(path);
    return root;
}

JsonObject *vectors_load_shared(const char *name)
{
    char *path = shared_path(name);
    JsonObject *root = path != NULL ? load(path) : NULL;

    g_free(path);
    return root;
}

struct bytes hex(const char *text)
{
    size_t digits = 0;
    size_t at = 0;
    uint8_t *data;

    for (const char *c = text; *c != '\0'; c++) {
        if (!g_ascii_isspace(*c)) {
            ck_assert_msg(g_ascii_isxdigit(*c), "not hexadecimal: %s", text);
            digits++;
        }
    }
    ck_assert_msg(digits % 2 == 0, "odd number of hexadecimal digits: %s", text);
    data = keep(digits / 2);
    for (const char *c = text; *c != '\0'; c++) {
        if (!g_ascii_isspace(*c)) {
            unsigned nibble = (unsigned)g_ascii_xdigit_value(*c);

            data[at / 2] = (uint8_t)(at % 2 == 0 ? nibble << 4 : data[at / 2] | nibble);
            at++;
        }
    }
    return bytes_of(data, digits / 2);
}

uint8_t *octets_copy(struct bytes from)
{
    uint8_t *data = keep(from.len);

    if (from.len > 0) {
        memcpy(data, from.data, from.len);
    }
    return data;
}

bool vector_has(JsonObject *object, const char *member)
{
    return json_object_has_member(object, member);
}

static void must_have(JsonObject *object, const char *member)
{
    ck_assert_msg(vector_has(object, member), "the vector has no \"%s\"", member);
}

const char *vector_text(JsonObject *object, const char *member)
{
    must_have(object, member);
    return json_object_get_string_member(object, member);
}

int64_t vector_int(JsonObject *object, const char *member)
{
    must_have(object, member);
    return json_object_get_int_member(object, member);
}

JsonObject *vector_object(JsonObject *object, const char *member)
{
    must_have(object, member);
    return json_object_get_object_member(object, member);
}

JsonArray *vector_array(JsonObject *object, const char *member)
{
    must_have(object, member);
    return json_object_get_array_member(object, member);
}

struct bytes vector_hex(JsonObject *object, const char *member)
{
    return hex(vector_text(object, member));
}

struct bytes vector_hex_or_empty(JsonObject *object, const char *member)
{
    return vector_has(object, member) ? vector_hex(object, member) : (struct bytes){0};
}

static char *hex_text(struct bytes octets)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < octets.len; i++) {
        g_string_append_printf(text, "%02x", octets.data[i]);
    }
    return g_string_free(text, FALSE);
}

void octets_assert_equal(struct bytes actual, struct bytes expected, const char *what,
                         const char *file, int line)
{
    char *is;
    char *wanted;

    if (bytes_equal(actual, expected)) {
        return;
    }
    is = hex_text(actual);
    wanted = hex_text(expected);
    ck_abort_msg("%s:%d: %s is %s (%zu octets), expected %s (%zu octets)", file, line, what, is,
                 actual.len, wanted, expected.len);
}

/* No test takes so long: what does, hangs, and Check ends it. Each case of a suite reads it when it
 * is made, so ahead of main(). tests/watched looks at what hangs somewhat earlier. */
#define LONGEST_S "120"

__attribute__((constructor)) static void bound_tests(void)
{
    (void)setenv("CK_DEFAULT_TIMEOUT", LONGEST_S, 0);
}

int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

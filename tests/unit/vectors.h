/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_VECTORS_H
#define GODWIT_TESTS_VECTORS_H

#include <check.h>
#include <json-glib/json-glib.h>

#include "common/bytes.h"

/*
 * What the unit tests share: finding and reading JSON vectors, hexadecimal, running a suite. Memory
 * returned as `struct bytes` has exactly its length, so that a sanitizer sees an overrun, and lives
 * until the process ends.
 */

/*
 * The root object of tests/vectors/NAME ("dh-modp.json", "strongswan-traces/psk14.json"). Fails the
 * test when it is not there. The file is looked for under $top_srcdir, else under the source folder
 * known at build time. Release with json_object_unref().
 */
JsonObject *vectors_load(const char *name);
/*
 * The same from ../shared/vectors/NAME ("wycheproof/x25519_test.json"): files that are not ours to
 * copy. NULL, with a message on stderr, when the folder is not beside this one; the caller then
 * returns from its test.
 */
JsonObject *vectors_load_shared(const char *name);

/* Octets of a hexadecimal string; blanks are skipped. Fails the test on anything else. */
struct bytes hex(const char *text);
/* A writable copy of exactly `from.len` octets. */
uint8_t *octets_copy(struct bytes from);
/* Octets of a member that holds hexadecimal; fails the test when it is missing. */
struct bytes vector_hex(JsonObject *object, const char *member);
/* The member's octets, or an empty run when it is missing. */
struct bytes vector_hex_or_empty(JsonObject *object, const char *member);
/* Borrowed until the object is released; fails the test when missing. */
const char *vector_text(JsonObject *object, const char *member);
int64_t vector_int(JsonObject *object, const char *member);
JsonObject *vector_object(JsonObject *object, const char *member);
JsonArray *vector_array(JsonObject *object, const char *member);
bool vector_has(JsonObject *object, const char *member);

/* Compares octets and shows both in hexadecimal when they differ. */
#define ck_assert_octets(actual, expected)                                                         \
    octets_assert_equal((actual), (expected), #actual, __FILE__, __LINE__)
void octets_assert_equal(struct bytes actual, struct bytes expected, const char *what,
                         const char *file, int line);

/* Runs and frees the suite; the exit code of main(). CK_FORK=no runs everything in one process. */
int run_suite(Suite *suite);

#endif

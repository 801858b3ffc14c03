/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/pkcs11_uri.h"

#include <string.h>

#include "common/cursor.h"
#include "common/i18n.h"

#define SCHEME "pkcs11:"
#define SCHEME_LEN (sizeof SCHEME - 1)

/* RFC 7512 2.3, pk11-pattr. */
static const struct attribute {
    const char *name;
    bool token, object; /* tells one from another */
} attributes[] = {
    {"token", true, false},
    {"manufacturer", true, false},
    {"serial", true, false},
    {"model", true, false},
    {"library-manufacturer", false, false},
    {"library-version", false, false},
    {"library-description", false, false},
    {"object", false, true},
    {"type", false, false},
    {"id", false, true},
    {"slot-description", true, false},
    {"slot-id", true, false},
    {"slot-manufacturer", true, false},
};

#define N_ATTRIBUTES (sizeof attributes / sizeof attributes[0])

struct part {
    struct bytes whole, name, value;
};

/* The next "name=value" before ';' or the end; false when there is none. */
static bool next_part(struct bytes *rest, struct part *out)
{
    const uint8_t *end, *equals;

    if (rest->len == 0) {
        return false;
    }
    end = memchr(rest->data, ';', rest->len);
    out->whole = bytes_of(rest->data, end != NULL ? (size_t)(end - rest->data) : rest->len);
    *rest = end != NULL ? bytes_of(end + 1, rest->len - out->whole.len - 1) : (struct bytes){0};
    equals = memchr(out->whole.data, '=', out->whole.len);
    out->name = bytes_of(out->whole.data,
                         equals != NULL ? (size_t)(equals - out->whole.data) : out->whole.len);
    out->value = equals != NULL ? bytes_of(equals + 1, out->whole.len - out->name.len - 1)
                                : (struct bytes){0};
    return true;
}

static struct bytes path_of(struct bytes uri)
{
    return bytes_of(uri.data + SCHEME_LEN, uri.len - SCHEME_LEN);
}

static bool is(struct bytes text, const char *word)
{
    return bytes_equal(text, bytes_of_string(word));
}

static int hex(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* RFC 7512 2.3, pk11-pchar without what is percent-encoded. */
static bool is_plain(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("-._~:[]@!$'()*+,=&", c) != NULL);
}

static const char *check_value(struct bytes value, bool octets)
{
    for (size_t i = 0; i < value.len; i++) {
        if (is_plain(value.data[i])) {
            continue;
        }
        if (value.data[i] != '%') {
            return N_("a character that must be written as %XX");
        }
        if (value.len - i < 3 || hex(value.data[i + 1]) < 0 || hex(value.data[i + 2]) < 0) {
            return N_("two hexadecimal digits must follow a %");
        }
        if (!octets && hex(value.data[i + 1]) == 0 && hex(value.data[i + 2]) == 0) {
            return N_("it contains a NUL octet");
        }
        i += 2;
    }
    return NULL;
}

static const char *check_part(const struct part *part, unsigned *seen)
{
    for (size_t i = 0; i < N_ATTRIBUTES; i++) {
        if (!is(part->name, attributes[i].name)) {
            continue;
        }
        if ((*seen & 1U << i) != 0) {
            return N_("given twice");
        }
        *seen |= 1U << i;
        if (part->value.len == 0) {
            return N_("the value is empty");
        }
        if (is(part->name, "type") && !is(part->value, "cert") && !is(part->value, "private")) {
            return N_("neither a certificate (cert) nor a private key (private)");
        }
        return check_value(part->value, is(part->name, "id"));
    }
    return N_("not an attribute of a PKCS#11 URI, such as token, object or id");
}

static const char *check_names(unsigned seen, bool exact)
{
    bool token = false, object = false;

    for (size_t i = 0; i < N_ATTRIBUTES; i++) {
        token = token || ((seen & 1U << i) != 0 && attributes[i].token);
        object = object || ((seen & 1U << i) != 0 && attributes[i].object);
    }
    return !token             ? N_("it names no token, as token= or serial= do")
           : exact && !object ? N_("it names nothing on the token, as id= or object= do")
                              : NULL;
}

static const char *refuse_query(struct bytes query, struct bytes *at)
{
    *at = query;
    if (query.len > 8 && memcmp(query.data + 1, "module-", 7) == 0) {
        return N_("a module cannot be named here: those are used that p11-kit knows");
    }
    return N_("nothing may follow a question mark: a PIN is no part of the URI, it is asked for");
}

bool pkcs11_is_uri(struct bytes text)
{
    return text.len >= SCHEME_LEN && memcmp(text.data, SCHEME, SCHEME_LEN) == 0;
}

const char *pkcs11_uri_check(struct bytes uri, bool exact, struct bytes *at)
{
    const char *why = NULL;
    unsigned seen = 0;
    struct part part;
    struct bytes rest;
    const uint8_t *query;

    *at = uri;
    if (!pkcs11_is_uri(uri)) {
        return N_("it does not begin with pkcs11:");
    }
    if (uri.len > PKCS11_URI_MAX) {
        return N_("longer than 2048 octets");
    }
    query = memchr(uri.data, '?', uri.len);
    if (query != NULL) {
        return refuse_query(bytes_of(query, uri.len - (size_t)(query - uri.data)), at);
    }
    rest = path_of(uri);
    while (why == NULL && next_part(&rest, &part)) {
        *at = part.whole;
        why = check_part(&part, &seen);
    }
    if (why == NULL) {
        *at = uri;
        why = check_names(seen, exact);
    }
    return why;
}

bool pkcs11_uri_without(struct bytes uri, const char *const *names, char *out, size_t cap)
{
    struct writer w = writer_of((uint8_t *)out, cap);
    struct bytes rest = path_of(uri);
    struct part part;
    bool first = true;

    wr_bytes(&w, bytes_of_string(SCHEME));
    while (next_part(&rest, &part)) {
        const char *const *name = names;

        while (*name != NULL && !is(part.name, *name)) {
            name++;
        }
        if (*name == NULL) {
            wr_bytes(&w, bytes_of_string(first ? "" : ";"));
            wr_bytes(&w, part.whole);
            first = false;
        }
    }
    wr_u8(&w, '\0');
    return !w.failed;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/log.h"

#define REPLACEMENT 0xFFFFFFFFu

/* One character at the start of `from`; `*used` octets belong to it. REPLACEMENT for what is not
 * UTF-8 (RFC 3629 4). */
static uint32_t decode(struct bytes from, size_t *used)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = from.data[0];
    size_t len = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    uint32_t value = len == 1 ? first : first & (0x7fu >> len);

    *used = 1;
    if (len > 1 && (first < 0xc2 || first > 0xf4 || from.len < len)) {
        return REPLACEMENT;
    }
    for (size_t i = 1; i < len; i++) {
        if ((from.data[i] & 0xc0) != 0x80) {
            return REPLACEMENT;
        }
        value = value << 6 | (from.data[i] & 0x3fu);
    }
    if (value < least[len] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
        return REPLACEMENT;
    }
    *used = len;
    return value;
}

/* Controls, invisible characters that reorder or hide text, line separators, and the code points of
 * nobody. */
static bool printable(uint32_t c)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } hidden[] = {
        {0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad}, {0x061c, 0x061c},
        {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
        {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0xe007f},
    };

    if (c == REPLACEMENT) {
        return false;
    }
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        if (c >= hidden[i].first && c <= hidden[i].last) {
            return false;
        }
    }
    return true;
}

const char *text_printable(struct bytes from, char *out, size_t cap)
{
    size_t len = 0;

    if (cap == 0) {
        return out;
    }
    while (from.len > 0) {
        size_t used;
        bool shown = printable(decode(from, &used));
        size_t wanted = shown ? used : 1;

        if (wanted >= cap - len) {
            break;
        }
        if (shown) {
            memcpy(out + len, from.data, used);
        } else {
            out[len] = '?';
        }
        len += wanted;
        from = bytes_of(from.data + used, from.len - used);
    }
    out[len] = '\0';
    return out;
}

const char *text_hex(struct bytes from, char *out, size_t cap)
{
    static const char digits[] = "0123456789abcdef";
    static const char dots[] = "...";
    size_t shown = from.len;
    size_t len = 0;

    if (cap == 0) {
        return out;
    }
    if (from.len > (cap - 1) / 2) {
        shown = cap > sizeof(dots) ? (cap - sizeof(dots)) / 2 : 0;
    }
    for (size_t i = 0; i < shown; i++) {
        out[len++] = digits[from.data[i] >> 4];
        out[len++] = digits[from.data[i] & 0xf];
    }
    for (size_t i = 0; shown < from.len && dots[i] != '\0' && len < cap - 1; i++) {
        out[len++] = dots[i];
    }
    out[len] = '\0';
    return out;
}

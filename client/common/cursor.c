/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/cursor.h"

struct reader reader_of(struct bytes input)
{
    return (struct reader){.at = input.data, .left = input.len};
}

struct bytes rd_bytes(struct reader *r, size_t len)
{
    struct bytes run = {0};

    if (r->failed || len > r->left) {
        r->failed = true;
        return run;
    }
    if (len == 0) {
        return run;
    }
    run = bytes_of(r->at, len);
    r->at += len;
    r->left -= len;
    return run;
}

struct bytes rd_rest(struct reader *r)
{
    return rd_bytes(r, r->failed ? 0 : r->left);
}

void rd_skip(struct reader *r, size_t len)
{
    (void)rd_bytes(r, len);
}

static uint64_t rd_uint(struct reader *r, size_t octets)
{
    struct bytes run = rd_bytes(r, octets);
    uint64_t value = 0;

    for (size_t i = 0; i < run.len; i++) {
        value = value << 8 | run.data[i];
    }
    return value;
}

uint8_t rd_u8(struct reader *r)
{
    return (uint8_t)rd_uint(r, 1);
}

uint16_t rd_u16(struct reader *r)
{
    return (uint16_t)rd_uint(r, 2);
}

uint32_t rd_u32(struct reader *r)
{
    return (uint32_t)rd_uint(r, 4);
}

uint64_t rd_u64(struct reader *r)
{
    return rd_uint(r, 8);
}

bool rd_done(const struct reader *r)
{
    return !r->failed && r->left == 0;
}

bool rd_tlv(struct reader *r, size_t type_octets, size_t length_octets, bool length_counts_header,
            struct tlv *out)
{
    size_t header = type_octets + length_octets;
    size_t len;

    if (r->failed || r->left == 0) {
        return false;
    }
    out->type = (uint16_t)rd_uint(r, type_octets);
    len = (size_t)rd_uint(r, length_octets);
    if (length_counts_header) {
        /* A length smaller than its own header would loop or underflow (the class of
         * CVE-2026-35330). */
        if (len < header) {
            r->failed = true;
            return false;
        }
        len -= header;
    }
    out->value = rd_bytes(r, len);
    return !r->failed;
}

struct writer writer_of(uint8_t *out, size_t cap)
{
    return (struct writer){.start = out, .cap = cap};
}

uint8_t *wr_space(struct writer *w, size_t len)
{
    uint8_t *space;

    if (w->failed || len > w->cap - w->len) {
        w->failed = true;
        return NULL;
    }
    space = w->start + w->len;
    w->len += len;
    return space;
}

void wr_bytes(struct writer *w, struct bytes data)
{
    uint8_t *space = wr_space(w, data.len);

    if (space != NULL && data.len > 0) {
        memcpy(space, data.data, data.len);
    }
}

void wr_zeros(struct writer *w, size_t len)
{
    uint8_t *space = wr_space(w, len);

    if (space != NULL && len > 0) {
        memset(space, 0, len);
    }
}

static void wr_uint(struct writer *w, uint64_t value, size_t octets)
{
    uint8_t *space = wr_space(w, octets);

    if (space == NULL) {
        return;
    }
    for (size_t i = octets; i-- > 0; value >>= 8) {
        space[i] = (uint8_t)value;
    }
}

void wr_u8(struct writer *w, uint8_t value)
{
    wr_uint(w, value, 1);
}

void wr_u16(struct writer *w, uint16_t value)
{
    wr_uint(w, value, 2);
}

void wr_u32(struct writer *w, uint32_t value)
{
    wr_uint(w, value, 4);
}

void wr_u64(struct writer *w, uint64_t value)
{
    wr_uint(w, value, 8);
}

void wr_patch_u8(struct writer *w, size_t offset, uint8_t value)
{
    if (!w->failed && offset < w->len) {
        w->start[offset] = value;
    }
}

void wr_patch_u16(struct writer *w, size_t offset, uint16_t value)
{
    wr_patch_u8(w, offset, (uint8_t)(value >> 8));
    wr_patch_u8(w, offset + 1, (uint8_t)value);
}

struct bytes wr_written(const struct writer *w)
{
    return w->failed ? (struct bytes){0} : bytes_of(w->start, w->len);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_CURSOR_H
#define GODWIT_COMMON_CURSOR_H

#include "common/bytes.h"

/*
 * The one bounds-checked reader and the one bounds-checked writer. Both fail once and stay failed:
 * every later call is harmless (reads give zeros and empty runs, writes do nothing), so callers
 * check at the end only. Integers are in network order on the wire and in host order in C.
 */

struct reader {
    const uint8_t *at;
    size_t left;
    bool failed;
};

struct reader reader_of(struct bytes input);
uint8_t rd_u8(struct reader *r);
uint16_t rd_u16(struct reader *r);
uint32_t rd_u32(struct reader *r);
uint64_t rd_u64(struct reader *r);
/* Borrow the next `len` octets of the input; empty and failed when fewer are left. */
struct bytes rd_bytes(struct reader *r, size_t len);
/* Borrow everything that is left. */
struct bytes rd_rest(struct reader *r);
void rd_skip(struct reader *r, size_t len);
/* True when nothing failed and nothing is left over. */
bool rd_done(const struct reader *r);

/*
 * Type-length-value walker shared by every attribute list. Reads a type of `type_octets` (1 or 2)
 * and a length of `length_octets` (1 or 2); when `length_counts_header` the length covers the whole
 * element, else the value only. Returns false at the end of the input and on a malformed element;
 * then r->failed tells which.
 */
struct tlv {
    uint16_t type;
    struct bytes value;
};
bool rd_tlv(struct reader *r, size_t type_octets, size_t length_octets, bool length_counts_header,
            struct tlv *out);

struct writer {
    uint8_t *start;
    size_t len; /* octets written */
    size_t cap;
    bool failed; /* something did not fit */
};

struct writer writer_of(uint8_t *out, size_t cap);
void wr_u8(struct writer *w, uint8_t value);
void wr_u16(struct writer *w, uint16_t value);
void wr_u32(struct writer *w, uint32_t value);
void wr_u64(struct writer *w, uint64_t value);
void wr_bytes(struct writer *w, struct bytes data);
void wr_zeros(struct writer *w, size_t len);
/* Reserve `len` octets to be filled by the caller; NULL when they do not fit. */
uint8_t *wr_space(struct writer *w, size_t len);
/* Overwrite two octets written earlier at `offset`: for lengths known only afterwards. */
void wr_patch_u16(struct writer *w, size_t offset, uint16_t value);
void wr_patch_u8(struct writer *w, size_t offset, uint8_t value);
/* What was written so far, borrowed. */
struct bytes wr_written(const struct writer *w);

#endif

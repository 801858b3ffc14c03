/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/cursor.h"

#include "unit/vectors.h"

START_TEST(reads_integers)
{
    struct reader r = reader_of(hex("01 0203 04050607 08090a0b0c0d0e0f"));

    ck_assert_uint_eq(rd_u8(&r), 0x01);
    ck_assert_uint_eq(rd_u16(&r), 0x0203);
    ck_assert_uint_eq(rd_u32(&r), 0x04050607);
    ck_assert(!rd_done(&r));
    ck_assert_uint_eq(rd_u64(&r), UINT64_C(0x08090a0b0c0d0e0f));
    ck_assert(rd_done(&r));
}
END_TEST

/* Each read at each place where too little is left: zero, failed, and failed for good. */
START_TEST(short_reads_fail_for_good)
{
    struct bytes input = hex("ffffffffffffffff");

    for (size_t len = 0; len < 8; len++) {
        struct reader r = reader_of(bytes_of(octets_copy(bytes_of(input.data, len)), len));
        struct reader second = r;

        ck_assert_uint_eq(rd_u64(&r), 0);
        ck_assert(r.failed);
        ck_assert_uint_eq(rd_u8(&r), 0);
        ck_assert_uint_eq(rd_bytes(&r, 0).len, 0);
        ck_assert_ptr_null(rd_rest(&r).data);
        ck_assert(!rd_done(&r));
        rd_skip(&second, len + 1);
        ck_assert(second.failed);
    }
}
END_TEST

START_TEST(borrows)
{
    struct bytes input = hex("0001020304");
    struct reader r = reader_of(input);
    struct bytes two = rd_bytes(&r, 2);
    struct bytes none = rd_bytes(&r, 0);
    struct bytes rest;

    ck_assert_ptr_eq(two.data, input.data);
    ck_assert_uint_eq(two.len, 2);
    ck_assert_uint_eq(none.len, 0);
    rd_skip(&r, 1);
    rest = rd_rest(&r);
    ck_assert_ptr_eq(rest.data, input.data + 3);
    ck_assert_uint_eq(rest.len, 2);
    ck_assert(rd_done(&r));
    ck_assert_uint_eq(rd_rest(&r).len, 0);
    ck_assert(rd_done(&r));
    (void)rd_bytes(&r, SIZE_MAX);
    ck_assert(r.failed);
}
END_TEST

START_TEST(empty_input_is_done)
{
    struct reader r = reader_of((struct bytes){0});
    struct tlv tlv;

    ck_assert(rd_done(&r));
    ck_assert(!rd_tlv(&r, 2, 2, true, &tlv));
    ck_assert(rd_done(&r));
}
END_TEST

/* ---- TLV ---- */

static void expect(struct reader *r, size_t types, size_t lengths, bool counts, uint16_t type,
                   const char *value)
{
    struct tlv tlv;

    ck_assert(rd_tlv(r, types, lengths, counts, &tlv));
    ck_assert_uint_eq(tlv.type, type);
    ck_assert_octets(tlv.value, hex(value));
}

START_TEST(tlv_of_each_shape)
{
    struct reader r = reader_of(hex("0001 0002 aabb  8002 0000"));
    struct tlv tlv;

    expect(&r, 2, 2, false, 0x0001, "aabb");
    expect(&r, 2, 2, false, 0x8002, "");
    ck_assert(!rd_tlv(&r, 2, 2, false, &tlv));
    ck_assert(rd_done(&r));

    r = reader_of(hex("01 04 aabb  02 02"));
    expect(&r, 1, 1, true, 1, "aabb");
    expect(&r, 1, 1, true, 2, "");
    ck_assert(rd_done(&r));

    r = reader_of(hex("01 0005 aabb"));
    expect(&r, 1, 2, true, 1, "aabb");
    ck_assert(rd_done(&r));

    r = reader_of(hex("0102 01 ff"));
    expect(&r, 2, 1, false, 0x0102, "ff");
    ck_assert(rd_done(&r));
}
END_TEST

START_TEST(cve_2026_35330_zero_length_attribute)
{
    static const struct {
        const char *input;
        bool counts;
    } cases[] = {
        {"01", false},        /* no length */
        {"0102", true},       /* half a header */
        {"0102 03", true},    /* half a length */
        {"0001 0001", false}, /* no value */
        {"0001 0005 aabbccdd", false},
        {"0001 ffff 00", false},
        {"0001 0000", true}, /* a length smaller than its own header */
        {"0001 0003 aa", true},
        {"0001 0005", true},
        {"0001 ffff 00", true},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct reader r = reader_of(hex(cases[i].input));
        struct tlv tlv;

        ck_assert_msg(!rd_tlv(&r, 2, 2, cases[i].counts, &tlv), "%s", cases[i].input);
        ck_assert(r.failed);
        ck_assert(!rd_done(&r));
        ck_assert(!rd_tlv(&r, 2, 2, cases[i].counts, &tlv));
    }
}
END_TEST

/* ---- writer ---- */

START_TEST(writes_integers)
{
    uint8_t out[15];
    struct writer w = writer_of(out, sizeof(out));

    wr_u8(&w, 0x01);
    wr_u16(&w, 0x0203);
    wr_u32(&w, 0x04050607);
    wr_u64(&w, UINT64_C(0x08090a0b0c0d0e0f));
    ck_assert(!w.failed);
    ck_assert_octets(wr_written(&w), hex("0102030405060708090a0b0c0d0e0f"));
    wr_bytes(&w, (struct bytes){0});
    ck_assert(!w.failed);
    wr_u8(&w, 0);
    ck_assert(w.failed);
    ck_assert_uint_eq(wr_written(&w).len, 0);
}
END_TEST

/* What does not fit is not written in part, and nothing follows it. */
START_TEST(overflow_fails_for_good)
{
    uint8_t *out = octets_copy(hex("eeeeeeee"));
    struct writer w = writer_of(out, 4);

    wr_u16(&w, 0x0102);
    wr_u32(&w, 0xffffffff);
    ck_assert(w.failed);
    wr_u8(&w, 0xff);
    wr_zeros(&w, 1);
    wr_bytes(&w, hex("ff"));
    ck_assert_ptr_null(wr_space(&w, 1));
    wr_patch_u8(&w, 0, 0xff);
    wr_patch_u16(&w, 0, 0xffff);
    ck_assert_octets(bytes_of(out, 4), hex("0102eeee"));

    w = writer_of(out, 4);
    ck_assert_ptr_null(wr_space(&w, SIZE_MAX));
    ck_assert(w.failed);
    w = writer_of(NULL, 0);
    wr_zeros(&w, 0);
    ck_assert(!w.failed);
    wr_u8(&w, 1);
    ck_assert(w.failed);
}
END_TEST

START_TEST(patches)
{
    uint8_t out[8];
    struct writer w = writer_of(out, sizeof(out));
    uint8_t *space;

    wr_zeros(&w, 3);
    space = wr_space(&w, 2);
    ck_assert_ptr_eq(space, out + 3);
    memcpy(space, "\xaa\xbb", 2);
    wr_patch_u16(&w, 1, 0x1234);
    wr_patch_u8(&w, 0, 0x56);
    ck_assert_octets(wr_written(&w), hex("561234aabb"));
    /* Not yet written: left alone. */
    out[5] = 0xee;
    wr_patch_u8(&w, 5, 0xff);
    wr_patch_u16(&w, 4, 0xccdd);
    ck_assert_uint_eq(out[5], 0xee);
    ck_assert_uint_eq(out[4], 0xcc);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cursor");
    TCase *reader = tcase_create("reader");
    TCase *writer = tcase_create("writer");

    tcase_add_test(reader, reads_integers);
    tcase_add_test(reader, short_reads_fail_for_good);
    tcase_add_test(reader, borrows);
    tcase_add_test(reader, empty_input_is_done);
    tcase_add_test(reader, tlv_of_each_shape);
    tcase_add_test(reader, cve_2026_35330_zero_length_attribute);
    suite_add_tcase(suite, reader);
    tcase_add_test(writer, writes_integers);
    tcase_add_test(writer, overflow_fails_for_good);
    tcase_add_test(writer, patches);
    suite_add_tcase(suite, writer);
    return run_suite(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/ip.h"
#include "esp/wire.h"

#ifdef __x86_64__
#include <immintrin.h>
#define WITH_AVX2 1
#define BLOCK 64u /* below it the wide registers gain nothing */
#endif

static uint64_t halves(uint64_t word)
{
    return (word & UINT32_MAX) + (word >> 32);
}

static inline uint64_t sum_words(uint64_t sum, const uint8_t *data, size_t len)
{
    for (; len >= 8; data += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        sum += halves(word);
    }
    if (len >= 4) {
        uint32_t word;
        memcpy(&word, data, 4);
        sum += word;
        data += 4;
        len -= 4;
    }
    if (len >= 2) {
        uint16_t word;
        memcpy(&word, data, 2);
        sum += word;
        data += 2;
        len -= 2;
    }
    if (len == 1) {
        uint16_t word = 0;
        memcpy(&word, data, 1);
        sum += word;
    }
    return sum;
}

/* Two sums of 64-bit words whose carries are counted apart: no addition waits for the other's. */
uint64_t checksum_add_plain(uint64_t sum, const uint8_t *data, size_t len)
{
    uint64_t a = 0, b = 0, carries = 0, more = 0;
    for (; len >= 32; data += 32, len -= 32) {
        uint64_t word[4];
        memcpy(word, data, sizeof(word));
        a += word[0];
        carries += a < word[0];
        b += word[1];
        more += b < word[1];
        a += word[2];
        carries += a < word[2];
        b += word[3];
        more += b < word[3];
    }
    return sum_words(sum + halves(a) + halves(b) + carries + more, data, len);
}

#ifdef WITH_AVX2
/*
 * Signed words are added up in pairs by one step, so each is taken as 32,768 less than it is. The
 * sums of pairs hold a million octets. The blocks may be copied as well.
 */
__attribute__((target("avx2"), always_inline)) static inline uint64_t
sum_blocks(bool copies, uint8_t *to, const uint8_t *data, size_t blocks)
{
    const __m256i ones = _mm256_set1_epi16(1), less = _mm256_set1_epi16(INT16_MIN);
    __m256i a = _mm256_setzero_si256(), b = a;
    for (size_t i = 0; i < blocks; i++) {
        __m256i first, second;
        memcpy(&first, data + i * BLOCK, sizeof(first));
        memcpy(&second, data + i * BLOCK + sizeof(first), sizeof(second));
        if (copies) {
            memcpy(to + i * BLOCK, &first, sizeof(first));
            memcpy(to + i * BLOCK + sizeof(first), &second, sizeof(second));
        }
        a = _mm256_add_epi32(a, _mm256_madd_epi16(_mm256_xor_si256(first, less), ones));
        b = _mm256_add_epi32(b, _mm256_madd_epi16(_mm256_xor_si256(second, less), ones));
    }
    int32_t pairs[16];
    int64_t sum = (int64_t)(blocks * (BLOCK / 2)) * -INT16_MIN;
    memcpy(pairs, &a, sizeof(a));
    memcpy(pairs + 8, &b, sizeof(b));
    for (size_t i = 0; i < 16; i++) {
        sum += pairs[i];
    }
    return (uint64_t)sum;
}

__attribute__((target("avx2"))) static uint64_t sum_avx2(const uint8_t *data, size_t blocks)
{
    return sum_blocks(false, NULL, data, blocks);
}

__attribute__((target("avx2"))) static uint64_t copy_avx2(uint8_t *to, const uint8_t *data,
                                                          size_t blocks)
{
    return sum_blocks(true, to, data, blocks);
}
#endif

uint64_t checksum_add(uint64_t sum, const uint8_t *data, size_t len)
{
#ifdef WITH_AVX2
    if (len >= BLOCK && __builtin_cpu_supports("avx2")) {
        size_t whole = len / BLOCK * BLOCK;
        sum += sum_avx2(data, whole / BLOCK);
        data += whole;
        len -= whole;
    }
#endif
    return checksum_add_plain(sum, data, len);
}

uint64_t checksum_copy(uint64_t sum, uint8_t *to, const uint8_t *data, size_t len)
{
#ifdef WITH_AVX2
    if (len >= BLOCK && __builtin_cpu_supports("avx2")) {
        size_t whole = len / BLOCK * BLOCK;
        sum += copy_avx2(to, data, whole / BLOCK);
        to += whole;
        data += whole;
        len -= whole;
    }
#endif
    memcpy(to, data, len);
    return checksum_add_plain(sum, data, len);
}

uint16_t checksum_fold(uint64_t sum)
{
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

/* The field of a pseudo header as it stands in memory. */
static uint32_t stored(uint32_t value)
{
    uint8_t octets[4];
    uint32_t word;
    put_u32(octets, value);
    memcpy(&word, octets, sizeof(word));
    return word;
}

uint64_t checksum_pseudo(const struct ip_info *info, const uint8_t *packet, size_t upper_len)
{
    /* Source and destination stand side by side. */
    uint64_t sum = (uint64_t)stored(info->protocol) + stored((uint32_t)upper_len);
    return info->family == FAMILY_IPV4 ? sum_words(sum, packet + 12, 8)
                                       : sum_words(sum, packet + 8, 32);
}

void ipv4_checksum_set(uint8_t *packet)
{
    put_u16(packet + 10, 0);
    uint16_t sum = (uint16_t)~checksum_fold(checksum_add(0, packet, (size_t)(packet[0] & 15) * 4));
    memcpy(packet + 10, &sum, 2);
}

void checksum_store(uint8_t *at, uint64_t sum)
{
    uint16_t value = (uint16_t)~checksum_fold(sum);
    if (value == 0) {
        value = 0xffff;
    }
    memcpy(at, &value, 2);
}

void checksum_replace(uint8_t *at, uint16_t before, uint16_t after)
{
    uint64_t sum = (uint16_t)~get_u16(at);
    sum += (uint16_t)~before;
    sum += after;
    put_u16(at, (uint16_t)~checksum_fold(sum));
}

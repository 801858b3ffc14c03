/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_GATEWAY_FACTS_H
#define GODWIT_COMMON_GATEWAY_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"

/* Octets of a certificate's fingerprint (SHA-256), and characters of its text with the NUL. */
#define FINGERPRINT_LEN 32
#define FINGERPRINT_TEXT (2 * FINGERPRINT_LEN + 1)

/* Why a gateway's certificate is not trusted, as far as a person can judge it. */
enum gateway_problem {
    GATEWAY_UNKNOWN_AUTHORITY = 1,
    GATEWAY_SELF_SIGNED = 2,
    GATEWAY_EXPIRED = 4,
    GATEWAY_NOT_YET_VALID = 8,
    GATEWAY_OTHER_NAME = 16, /* it is for other names than the one that was asked for */
};

#define GATEWAY_NAMES_MAX 16
#define GATEWAY_TEXT_MAX 256

/*
 * A certificate that nothing here vouches for, of a gateway that has proved to have its key. Texts
 * are printable, and anybody's.
 */
struct gateway_facts {
    unsigned problems;               /* enum gateway_problem bits, at least one */
    char expected[GATEWAY_TEXT_MAX]; /* who the gateway is to be, as the profile says */
    char subject[GATEWAY_TEXT_MAX], issuer[GATEWAY_TEXT_MAX];
    char names[GATEWAY_NAMES_MAX][GATEWAY_TEXT_MAX]; /* the first of those that it is for */
    size_t n_names;
    int64_t not_before, not_after; /* seconds since 1970 */
    uint8_t fingerprint[FINGERPRINT_LEN];
};

/* 64 hexadecimal digits in upper or lower case; between two octets may be a colon or a blank. */
bool fingerprint_parse(uint8_t out[static FINGERPRINT_LEN], const char *text)
    __attribute__((warn_unused_result));
/* Digits in lower case; returns out. */
const char *fingerprint_text(const uint8_t fingerprint[static FINGERPRINT_LEN],
                             char out[static FINGERPRINT_TEXT]);

/* The digits as they are read out on the telephone, in blocks of four, so many blocks a line:
 * "9f3a 11c2\n…"; returns out. */
#define FINGERPRINT_BLOCKS (FINGERPRINT_TEXT + 2 * FINGERPRINT_LEN / 4)
const char *fingerprint_blocks(const uint8_t fingerprint[static FINGERPRINT_LEN],
                               unsigned blocks_a_line, char out[static FINGERPRINT_BLOCKS]);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/gateway_facts.h"

#define BLOCK 4 /* digits that are read out in one go */

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool fingerprint_parse(uint8_t out[static FINGERPRINT_LEN], const char *text)
{
    size_t n = 0;

    for (; *text != '\0' && n < FINGERPRINT_LEN; text++) {
        int high = digit(text[0]);
        int low = high < 0 ? -1 : digit(text[1]);

        if (low >= 0) {
            out[n++] = (uint8_t)(high << 4 | low);
            text++;
        } else if (high >= 0 || n == 0 || (*text != ':' && *text != ' ') || digit(text[1]) < 0) {
            return false;
        }
    }
    return n == FINGERPRINT_LEN && *text == '\0';
}

const char *fingerprint_text(const uint8_t fingerprint[static FINGERPRINT_LEN],
                             char out[static FINGERPRINT_TEXT])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < FINGERPRINT_LEN; i++) {
        out[2 * i] = digits[fingerprint[i] >> 4];
        out[2 * i + 1] = digits[fingerprint[i] & 15];
    }
    out[FINGERPRINT_TEXT - 1] = '\0';
    return out;
}

const char *fingerprint_blocks(const uint8_t fingerprint[static FINGERPRINT_LEN],
                               unsigned blocks_a_line, char out[static FINGERPRINT_BLOCKS])
{
    char digits[FINGERPRINT_TEXT];
    size_t len = 0;

    (void)fingerprint_text(fingerprint, digits);
    for (size_t i = 0; digits[i] != '\0'; i++) {
        if (i > 0 && i % BLOCK == 0) {
            out[len++] = i % (blocks_a_line * BLOCK) == 0 ? '\n' : ' ';
        }
        out[len++] = digits[i];
    }
    out[len] = '\0';
    return out;
}

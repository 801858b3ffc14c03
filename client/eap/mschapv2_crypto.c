/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "eap/mschapv2_crypto.h"

#include <nettle/des.h>
#include <nettle/md4.h>
#include <nettle/sha1.h>

#include "common/cursor.h"
#include "common/secret.h"

#define PASSWORD_UNITS_MAX 256 /* RFC 2759 8.1: "0-to-256-unicode-char" */

/* Decodes one code point and advances; 0xFFFFFFFF when the input is not well-formed UTF-8 (RFC
 * 3629). */
static uint32_t utf8_next(struct reader *r)
{
    static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    uint8_t lead = rd_u8(r);
    size_t tail;
    uint32_t point;

    if (lead < 0x80) {
        return lead;
    }
    tail = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4) {
        return UINT32_MAX;
    }
    point = lead & (0x3fU >> tail);
    for (size_t i = 0; i < tail; i++) {
        uint8_t next = rd_u8(r);

        if ((next & 0xc0) != 0x80) {
            return UINT32_MAX;
        }
        point = point << 6 | (next & 0x3fU);
    }
    if (point < smallest[tail] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
        return UINT32_MAX;
    }
    return point;
}

static void wr_u16_le(struct writer *w, uint32_t value)
{
    wr_u8(w, (uint8_t)value);
    wr_u8(w, (uint8_t)(value >> 8));
}

static enum err utf16le_from_utf8(struct bytes text, struct writer *w)
{
    struct reader r = reader_of(text);

    while (r.left > 0) {
        uint32_t point = utf8_next(&r);

        if (point == UINT32_MAX || r.failed) {
            return ERR_SYNTAX;
        }
        if (point >= 0x10000) {
            point -= 0x10000;
            wr_u16_le(w, 0xd800 | point >> 10);
            wr_u16_le(w, 0xdc00 | (point & 0x3ff));
        } else {
            wr_u16_le(w, point);
        }
    }
    return w->failed ? ERR_SPACE : OK;
}

static void md4(struct bytes data, uint8_t out[static MD4_DIGEST_SIZE])
{
    struct md4_ctx md;

    md4_init(&md);
    md4_update(&md, data.len, data.data);
    md4_digest(&md, MD4_DIGEST_SIZE, out);
    secret_wipe(&md, sizeof(md));
}

enum err mschapv2_password_hash(struct bytes password, uint8_t out[static MSCHAPV2_HASH_LEN])
{
    uint8_t unicode[2 * PASSWORD_UNITS_MAX];
    struct writer w = writer_of(unicode, sizeof(unicode));
    enum err err = utf16le_from_utf8(password, &w);

    memset(out, 0, MSCHAPV2_HASH_LEN);
    if (err == OK) {
        md4(bytes_of(unicode, w.len), out);
    }
    secret_wipe(unicode, sizeof(unicode));
    return err;
}

void mschapv2_challenge_hash(const uint8_t peer[static MSCHAPV2_CHALLENGE_LEN],
                             const uint8_t authenticator[static MSCHAPV2_CHALLENGE_LEN],
                             struct bytes user, uint8_t out[static 8])
{
    struct sha1_ctx sha;

    sha1_init(&sha);
    sha1_update(&sha, MSCHAPV2_CHALLENGE_LEN, peer);
    sha1_update(&sha, MSCHAPV2_CHALLENGE_LEN, authenticator);
    sha1_update(&sha, user.len, user.data);
    sha1_digest(&sha, 8, out);
}

/* Seven octets of key become eight by spreading seven bits into each (RFC 2759 8.6). */
static void des_encrypt_block(const uint8_t key[static 7], const uint8_t clear[static 8],
                              uint8_t out[static 8])
{
    struct des_ctx des;
    uint8_t spread[8];
    uint64_t bits = 0;

    for (size_t i = 0; i < 7; i++) {
        bits = bits << 8 | key[i];
    }
    for (size_t i = 8; i-- > 0; bits >>= 7) {
        spread[i] = (uint8_t)(bits << 1);
    }
    des_fix_parity(sizeof(spread), spread, spread);
    /* A weak key is still set up, and MS-CHAP-V2 has no other choice than to use it. */
    (void)des_set_key(&des, spread);
    des_encrypt(&des, 8, out, clear);
    secret_wipe(&des, sizeof(des));
    secret_wipe(spread, sizeof(spread));
    secret_wipe(&bits, sizeof(bits));
}

void mschapv2_nt_response(const uint8_t challenge[static 8],
                          const uint8_t hash[static MSCHAPV2_HASH_LEN],
                          uint8_t out[static MSCHAPV2_NT_RESPONSE_LEN])
{
    uint8_t padded[21] = {0};

    memcpy(padded, hash, MSCHAPV2_HASH_LEN);
    for (size_t i = 0; i < 3; i++) {
        des_encrypt_block(padded + 7 * i, challenge, out + 8 * i);
    }
    secret_wipe(padded, sizeof(padded));
}

void mschapv2_authenticator_response(const uint8_t challenge[static 8],
                                     const uint8_t hash[static MSCHAPV2_HASH_LEN],
                                     const uint8_t nt_response[static MSCHAPV2_NT_RESPONSE_LEN],
                                     uint8_t out[static MSCHAPV2_AUTHENTICATOR_LEN])
{
    static const char magic1[] = "Magic server to client signing constant";
    static const char magic2[] = "Pad to make it do more than one iteration";
    struct sha1_ctx sha;
    uint8_t hash_hash[MD4_DIGEST_SIZE];
    uint8_t digest[SHA1_DIGEST_SIZE];

    md4(bytes_of(hash, MSCHAPV2_HASH_LEN), hash_hash);
    sha1_init(&sha);
    sha1_update(&sha, sizeof(hash_hash), hash_hash);
    sha1_update(&sha, MSCHAPV2_NT_RESPONSE_LEN, nt_response);
    sha1_update(&sha, sizeof(magic1) - 1, (const uint8_t *)magic1);
    sha1_digest(&sha, sizeof(digest), digest);

    sha1_init(&sha);
    sha1_update(&sha, sizeof(digest), digest);
    sha1_update(&sha, 8, challenge);
    sha1_update(&sha, sizeof(magic2) - 1, (const uint8_t *)magic2);
    sha1_digest(&sha, MSCHAPV2_AUTHENTICATOR_LEN, out);
    secret_wipe(hash_hash, sizeof(hash_hash));
    secret_wipe(digest, sizeof(digest));
    secret_wipe(&sha, sizeof(sha));
}

/* GetAsymmetricStartKey with 128 bits (RFC 3079 3.3). */
static void start_key(const uint8_t master[static 16], const char *magic, uint8_t out[static 16])
{
    static const uint8_t pad1[40];
    uint8_t pad2[40];
    struct sha1_ctx sha;

    memset(pad2, 0xf2, sizeof(pad2));
    sha1_init(&sha);
    sha1_update(&sha, 16, master);
    sha1_update(&sha, sizeof(pad1), pad1);
    sha1_update(&sha, strlen(magic), (const uint8_t *)magic);
    sha1_update(&sha, sizeof(pad2), pad2);
    sha1_digest(&sha, 16, out);
    secret_wipe(&sha, sizeof(sha));
}

void mschapv2_msk(const uint8_t hash[static MSCHAPV2_HASH_LEN],
                  const uint8_t nt_response[static MSCHAPV2_NT_RESPONSE_LEN],
                  uint8_t out[static MSCHAPV2_MSK_LEN])
{
    static const char magic1[] = "This is the MPPE Master Key";
    static const char magic2[] = "On the client side, this is the send key; "
                                 "on the server side, it is the receive key.";
    static const char magic3[] = "On the client side, this is the receive key; "
                                 "on the server side, it is the send key.";
    struct sha1_ctx sha;
    uint8_t hash_hash[MD4_DIGEST_SIZE];
    uint8_t master[16];

    md4(bytes_of(hash, MSCHAPV2_HASH_LEN), hash_hash);
    sha1_init(&sha);
    sha1_update(&sha, sizeof(hash_hash), hash_hash);
    sha1_update(&sha, MSCHAPV2_NT_RESPONSE_LEN, nt_response);
    sha1_update(&sha, sizeof(magic1) - 1, (const uint8_t *)magic1);
    sha1_digest(&sha, sizeof(master), master);

    memset(out, 0, MSCHAPV2_MSK_LEN);
    start_key(master, magic2, out);
    start_key(master, magic3, out + 16);
    secret_wipe(&sha, sizeof(sha));
    secret_wipe(hash_hash, sizeof(hash_hash));
    secret_wipe(master, sizeof(master));
}

struct bytes mschapv2_user_part(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '\\') {
            return bytes_of(name.data + i + 1, name.len - i - 1);
        }
    }
    return name;
}

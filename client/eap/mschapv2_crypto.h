/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_EAP_MSCHAPV2_CRYPTO_H
#define GODWIT_EAP_MSCHAPV2_CRYPTO_H

#include "common/bytes.h"
#include "common/error.h"

/* The mathematics of MS-CHAP-V2 (RFC 2759 section 8, RFC 3079 section 3), without any protocol
 * state. */

#define MSCHAPV2_CHALLENGE_LEN 16
#define MSCHAPV2_HASH_LEN 16
#define MSCHAPV2_NT_RESPONSE_LEN 24
#define MSCHAPV2_AUTHENTICATOR_LEN 20
#define MSCHAPV2_MSK_LEN 64

/*
 * NtPasswordHash (RFC 2759 8.3): MD4 of the password in UTF-16LE. ERR_SYNTAX when `password` is not
 * UTF-8, ERR_SPACE when it has more than the 256 UTF-16 units that the protocol allows; then `out`
 * is zero. The hash is as good as the password: wipe it.
 */
enum err mschapv2_password_hash(struct bytes password,
                                uint8_t out[static MSCHAPV2_HASH_LEN]) ERR_CHECK;
/* ChallengeHash (8.2) over the user name as given: strip the domain first. */
void mschapv2_challenge_hash(const uint8_t peer[static MSCHAPV2_CHALLENGE_LEN],
                             const uint8_t authenticator[static MSCHAPV2_CHALLENGE_LEN],
                             struct bytes user, uint8_t out[static 8]);
/* ChallengeResponse (8.5). */
void mschapv2_nt_response(const uint8_t challenge[static 8],
                          const uint8_t hash[static MSCHAPV2_HASH_LEN],
                          uint8_t out[static MSCHAPV2_NT_RESPONSE_LEN]);
/* GenerateAuthenticatorResponse (8.7): the 20 octets that "S=" carries in hexadecimal. */
void mschapv2_authenticator_response(const uint8_t challenge[static 8],
                                     const uint8_t hash[static MSCHAPV2_HASH_LEN],
                                     const uint8_t nt_response[static MSCHAPV2_NT_RESPONSE_LEN],
                                     uint8_t out[static MSCHAPV2_AUTHENTICATOR_LEN]);
/*
 * The EAP MSK: client-send key, client-receive key (RFC 3079 3.3, 128 bit), 32 zero octets. The
 * zeros matter: a PRF that does not zero-pad its key (AES-CMAC) gives another AUTH without them.
 */
void mschapv2_msk(const uint8_t hash[static MSCHAPV2_HASH_LEN],
                  const uint8_t nt_response[static MSCHAPV2_NT_RESPONSE_LEN],
                  uint8_t out[static MSCHAPV2_MSK_LEN]);
/* What follows the first backslash of "DOMAIN\user", else the whole name; borrowed. */
struct bytes mschapv2_user_part(struct bytes name);

#endif

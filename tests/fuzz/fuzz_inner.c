/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz/fuzz_ike.h"

static struct crypt *fixed_crypt(void)
{
    static struct crypt *crypt;
    static const uint8_t key[64] = {1};
    const struct alg *encr = alg_find(TRANSFORM_ENCR, ENCR_AES_GCM_16, 128);

    if (crypt == NULL) {
        fuzz_require(crypt_new(&crypt, encr, NULL, bytes_of(key, crypt_encr_key_len(encr)),
                               (struct bytes){0}) == OK);
    }
    return crypt;
}

/*
 * What an authenticated gateway may send: the first octet is the type of the first payload, the
 * rest the plaintext of SK. It is sealed under a fixed key, so that the fuzzer gets past the
 * integrity check, and opened as the engine does; in two fragments as well.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ike_header header = {.spi_i = 1,
                                             .spi_r = 2,
                                             .version = IKE_VERSION,
                                             .exchange = X_IKE_AUTH,
                                             .flags = IKE_FLAG_RESPONSE,
                                             .message_id = 1};
    static uint8_t datagram[IKE_MESSAGE_MAX];
    static struct message message;
    static uint64_t counter;
    struct crypt *crypt = fixed_crypt();
    struct bytes text = bytes_of(data + 1, size - 1);
    struct bytes plain;
    uint16_t number, total;
    uint8_t inner, unknown;
    size_t len;
    enum err err;

    if (size == 0 || size > 60000) {
        return 0;
    }
    len = message_seal_fragment(&header, data[0], bytes_of(text.data, text.len / 2), 1, 2, crypt,
                                counter++, datagram, sizeof datagram);
    fuzz_require(message_parse(&message, bytes_of(datagram, len), &inner, &unknown) == OK);
    fuzz_require(message_open_fragment(datagram, len, &message.payloads[0], crypt, &plain, &number,
                                       &total) == OK);
    fuzz_require(number == 1 && total == 2 && inner == data[0] && plain.len == text.len / 2);

    len = message_seal(
        &header,
        &(struct chain){
            .w = {.start = (uint8_t *)(uintptr_t)text.data, .len = text.len, .cap = text.len},
            .first = data[0]},
        crypt, counter++, datagram, sizeof datagram);
    fuzz_require(message_parse(&message, bytes_of(datagram, len), &inner, &unknown) == OK);
    fuzz_require(message_open(datagram, len, &message.payloads[0], crypt, &plain) == OK);
    fuzz_require(bytes_equal(plain, text));
    err = message_parse_chain(&message, inner, plain, &unknown);
    fuzz_require(message.n_payloads <= IKE_PAYLOADS_MAX);
    if (err == OK || err == ERR_CRITICAL) {
        fuzz_payloads(&message);
    }
    return 0;
}

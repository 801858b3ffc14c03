/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/keys.h"

/* Cuts the next `len` octets off the key stream into a secret of their own. */
static enum err take(struct reader *stream, struct secret *out, size_t len)
{
    struct bytes piece = rd_bytes(stream, len);

    if (stream->failed) {
        return ERR_CRYPTO;
    }
    return secret_set(out, piece) ? OK : ERR_MEMORY;
}

static enum err skeyseed(const struct alg *prf, const struct key_seed *seed, struct bytes shared,
                         uint8_t out[static PRF_MAX])
{
    uint8_t key[2 * 256];
    struct writer w = writer_of(key, sizeof key);
    struct bytes ni = seed->ni;
    struct bytes nr = seed->nr;
    enum err err;

    /* RFC 7296 2.14: of the nonces only the first 64 bits each when the PRF has a fixed key. */
    if (prf->id == PRF_AES128_CMAC) {
        ni.len = ni.len < 8 ? ni.len : 8;
        nr.len = nr.len < 8 ? nr.len : 8;
    }
    wr_bytes(&w, ni);
    wr_bytes(&w, nr);
    if (w.failed) {
        return ERR_SPACE;
    }
    err = prf_parts(prf, wr_written(&w), &shared, 1, out);
    secret_wipe(key, sizeof key);
    return err;
}

static enum err split_ike_keys(struct ike_keys *out, const struct suite *suite, struct bytes stream)
{
    size_t prf = prf_len(suite->prf);
    size_t integ = crypt_integ_key_len(suite->integ);
    size_t encr = crypt_encr_key_len(suite->encr);
    struct reader r = reader_of(stream);
    const struct {
        struct secret *key;
        size_t len;
    } order[] = {{&out->d, prf},   {&out->ai, integ}, {&out->ar, integ}, {&out->ei, encr},
                 {&out->er, encr}, {&out->pi, prf},   {&out->pr, prf}};

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        enum err err = take(&r, order[i].key, order[i].len);

        if (err != OK) {
            return err;
        }
    }
    return OK;
}

static enum err expand(struct ike_keys *out, const struct suite *suite, const struct key_seed *seed,
                       struct bytes root)
{
    uint8_t spis[16];
    struct writer w = writer_of(spis, sizeof spis);
    struct secret stream = {0};
    size_t prf = prf_len(suite->prf);
    struct bytes parts[3];
    enum err err;

    wr_u64(&w, seed->spi_i);
    wr_u64(&w, seed->spi_r);
    parts[0] = seed->ni;
    parts[1] = seed->nr;
    parts[2] = wr_written(&w);
    if (!secret_alloc(&stream, 3 * prf + 2 * crypt_integ_key_len(suite->integ) +
                                   2 * crypt_encr_key_len(suite->encr))) {
        return ERR_MEMORY;
    }
    err = prf_plus(suite->prf, root, parts, 3, stream.data, stream.len);
    if (err == OK) {
        err = split_ike_keys(out, suite, secret_bytes(&stream));
    }
    if (err != OK) {
        ike_keys_free(out);
    }
    secret_free(&stream);
    return err;
}

enum err ike_keys_derive(struct ike_keys *out, const struct suite *suite,
                         const struct key_seed *seed, struct bytes shared)
{
    uint8_t root[PRF_MAX];
    enum err err = skeyseed(suite->prf, seed, shared, root);

    *out = (struct ike_keys){0};
    if (err == OK) {
        err = expand(out, suite, seed, bytes_of(root, prf_len(suite->prf)));
    }
    secret_wipe(root, sizeof root);
    return err;
}

enum err ike_keys_rekey(struct ike_keys *out, const struct suite *suite,
                        const struct key_seed *seed, struct bytes shared, const struct alg *old_prf,
                        struct bytes old_sk_d)
{
    const struct bytes parts[] = {shared, seed->ni, seed->nr};
    uint8_t root[PRF_MAX];
    enum err err = prf_parts(old_prf, old_sk_d, parts, 3, root);

    *out = (struct ike_keys){0};
    if (err == OK) {
        err = expand(out, suite, seed, bytes_of(root, prf_len(old_prf)));
    }
    secret_wipe(root, sizeof root);
    return err;
}

enum err ike_keys_resume(struct ike_keys *out, const struct suite *suite,
                         const struct key_seed *seed, struct bytes old_sk_d)
{
    const struct bytes parts[] = {bytes_of_string("Resumption"), seed->ni, seed->nr};
    uint8_t root[PRF_MAX];
    enum err err = prf_parts(suite->prf, old_sk_d, parts, 3, root);

    *out = (struct ike_keys){0};
    if (err == OK) {
        err = expand(out, suite, seed, bytes_of(root, prf_len(suite->prf)));
    }
    secret_wipe(root, sizeof root);
    return err;
}

void ike_keys_free(struct ike_keys *keys)
{
    struct secret *all[] = {&keys->d,  &keys->ai, &keys->ar, &keys->ei,
                            &keys->er, &keys->pi, &keys->pr};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        secret_free(all[i]);
    }
}

enum err child_keys_derive(struct child_keys *out, const struct alg *prf, struct bytes sk_d,
                           const struct suite *suite, struct bytes shared, struct bytes ni,
                           struct bytes nr)
{
    size_t encr = crypt_encr_key_len(suite->encr);
    size_t integ = crypt_integ_key_len(suite->integ);
    const struct bytes parts[] = {shared, ni, nr};
    struct secret stream = {0};
    struct reader r;
    enum err err;

    *out = (struct child_keys){0};
    if (!secret_alloc(&stream, 2 * (encr + integ))) {
        return ERR_MEMORY;
    }
    err = prf_plus(prf, sk_d, parts, 3, stream.data, stream.len);
    r = reader_of(secret_bytes(&stream));
    /* RFC 7296 2.17: all keys of one direction before the other, encryption before integrity. */
    if (err == OK) {
        err = take(&r, &out->encr_i, encr);
    }
    if (err == OK) {
        err = take(&r, &out->integ_i, integ);
    }
    if (err == OK) {
        err = take(&r, &out->encr_r, encr);
    }
    if (err == OK) {
        err = take(&r, &out->integ_r, integ);
    }
    if (err != OK) {
        child_keys_free(out);
    }
    secret_free(&stream);
    return err;
}

void child_keys_free(struct child_keys *keys)
{
    secret_free(&keys->encr_i);
    secret_free(&keys->integ_i);
    secret_free(&keys->encr_r);
    secret_free(&keys->integ_r);
}

enum err auth_octets(struct secret *out, const struct alg *prf, struct bytes init_message,
                     struct bytes nonce, struct bytes sk_p, struct bytes id)
{
    uint8_t mac[PRF_MAX];
    struct writer w;
    enum err err = prf_parts(prf, sk_p, &id, 1, mac);

    if (err != OK) {
        return err;
    }
    if (!secret_alloc(out, init_message.len + nonce.len + prf_len(prf))) {
        return ERR_MEMORY;
    }
    w = writer_of(out->data, out->len);
    wr_bytes(&w, init_message);
    wr_bytes(&w, nonce);
    wr_bytes(&w, bytes_of(mac, prf_len(prf)));
    return w.failed ? ERR_SPACE : OK;
}

enum err auth_shared_key(const struct alg *prf, struct bytes secret, struct bytes octets,
                         uint8_t out[static PRF_MAX])
{
    static const char pad[] = "Key Pad for IKEv2";
    const struct bytes pad_bytes = bytes_of(pad, sizeof pad - 1);
    uint8_t key[PRF_MAX];
    enum err err = prf_parts(prf, secret, &pad_bytes, 1, key);

    if (err == OK) {
        err = prf_parts(prf, bytes_of(key, prf_len(prf)), &octets, 1, out);
    }
    secret_wipe(key, sizeof key);
    return err;
}

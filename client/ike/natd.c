/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/natd.h"

#include "crypto/prf.h"

static enum err natd_hash(uint64_t spi_i, uint64_t spi_r, const struct endpoint *endpoint,
                          uint8_t out[static SHA1_LEN])
{
    uint8_t input[8 + 8 + 16 + 2];
    struct writer w = writer_of(input, sizeof input);
    struct bytes part;

    wr_u64(&w, spi_i);
    wr_u64(&w, spi_r);
    wr_bytes(&w, addr_bytes(&endpoint->addr));
    wr_u16(&w, endpoint->port);
    part = wr_written(&w);
    return sha1_parts(&part, 1, out);
}

enum err natd_write(struct chain *chain, uint64_t spi_i, uint64_t spi_r, const struct path *path)
{
    const struct bytes no_spi = {0};
    struct endpoint nowhere = {.addr.family = path->remote.addr.family};
    uint8_t hash[SHA1_LEN];
    enum err err = natd_hash(spi_i, spi_r, &nowhere, hash);

    if (err != OK) {
        return err;
    }
    notify_write(chain, 0, no_spi, N_NAT_DETECTION_SOURCE_IP, bytes_of(hash, sizeof hash));
    err = natd_hash(spi_i, spi_r, &path->remote, hash);
    if (err != OK) {
        return err;
    }
    notify_write(chain, 0, no_spi, N_NAT_DETECTION_DESTINATION_IP, bytes_of(hash, sizeof hash));
    return OK;
}

enum err natd_read(struct natd_result *out, const struct message *message, const struct path *path)
{
    uint8_t hash[SHA1_LEN];
    const struct payload *payload;
    bool matched = false;
    struct notify notify;
    enum err err = natd_hash(message->header.spi_i, message->header.spi_r, &path->remote, hash);

    *out = (struct natd_result){0};
    if (err != OK) {
        return err;
    }
    /* A gateway with several addresses may send several source hashes: one match is enough. */
    for (size_t i = 0; (payload = message_find(message, P_NOTIFY, i)) != NULL; i++) {
        if (notify_parse(&notify, payload->body) != OK ||
            notify.type != N_NAT_DETECTION_SOURCE_IP) {
            continue;
        }
        out->supported = true;
        matched = matched || bytes_equal(notify.data, bytes_of(hash, sizeof hash));
    }
    out->remote_behind = out->supported && !matched;
    return OK;
}

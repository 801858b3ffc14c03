/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/fragment.h"

#include <stdlib.h>

void datagrams_free(struct datagrams *datagrams)
{
    for (size_t i = 0; i < datagrams->n; i++) {
        secret_free(&datagrams->items[i]);
    }
    datagrams->n = 0;
    datagrams->next = 0;
}

static enum err datagrams_add(struct datagrams *out, const uint8_t *octets, size_t len)
{
    if (len == 0 || out->n == FRAGMENTS_MAX) {
        return ERR_SPACE;
    }
    if (!secret_set(&out->items[out->n], bytes_of(octets, len))) {
        return ERR_MEMORY;
    }
    out->n++;
    return OK;
}

/* Room for a message around `plain` octets of payloads: header, SK header, IV, padding, ICV. */
#define SEAL_OVERHEAD 256

static enum err seal_fragments(struct datagrams *out, const struct ike_header *header,
                               const struct chain *chain, const struct sealer *sealer,
                               size_t message_max, uint8_t *buffer, size_t cap)
{
    struct bytes plain = wr_written(&chain->w);
    size_t room = message_fragment_room(sealer->crypt, message_max);
    size_t total = room == 0 ? 0 : (plain.len + room - 1) / room;
    enum err err = OK;

    if (total == 0 || total > FRAGMENTS_MAX) {
        return ERR_SPACE;
    }
    for (size_t i = 0; i < total && err == OK; i++) {
        size_t at = i * room;
        struct bytes part =
            bytes_of(plain.data + at, plain.len - at < room ? plain.len - at : room);
        size_t len =
            message_seal_fragment(header, chain->first, part, (uint16_t)(i + 1), (uint16_t)total,
                                  sealer->crypt, (*sealer->counter)++, buffer, cap);

        err = datagrams_add(out, buffer, len);
    }
    return err;
}

enum err fragment_seal(struct datagrams *out, const struct ike_header *header,
                       const struct chain *chain, const struct sealer *sealer, bool may_fragment,
                       size_t message_max)
{
    size_t cap = chain->w.len + SEAL_OVERHEAD;
    uint8_t *buffer;
    size_t len;
    enum err err;

    if (chain->w.failed) {
        return ERR_SPACE;
    }
    buffer = malloc(cap);
    if (buffer == NULL) {
        return ERR_MEMORY;
    }
    datagrams_free(out);
    len = message_seal(header, chain, sealer->crypt, (*sealer->counter)++, buffer, cap);
    if (may_fragment && len > message_max) {
        err = seal_fragments(out, header, chain, sealer, message_max, buffer, cap);
    } else {
        err = datagrams_add(out, buffer, len);
    }
    if (err != OK) {
        datagrams_free(out);
    }
    free(buffer);
    return err;
}

void reassembly_free(struct reassembly *r)
{
    for (size_t i = 0; i < FRAGMENTS_MAX; i++) {
        secret_free(&r->pieces[i]);
    }
    *r = (struct reassembly){0};
}

static enum err join(struct reassembly *r, struct secret *out)
{
    struct writer w;

    if (!secret_alloc(out, r->octets)) {
        return ERR_MEMORY;
    }
    w = writer_of(out->data, out->len);
    for (size_t i = 0; i < r->total; i++) {
        wr_bytes(&w, secret_bytes(&r->pieces[i]));
    }
    return w.failed ? ERR_SPACE : OK;
}

enum err reassembly_add(struct reassembly *r, const struct ike_header *header,
                        const struct fragment *fragment, uint64_t now, struct secret *out,
                        bool *complete)
{
    uint64_t bit;
    enum err err = OK;

    *complete = false;
    if (fragment->number == 0 || fragment->number > fragment->total ||
        fragment->total > FRAGMENTS_MAX) {
        return ERR_SPACE;
    }
    if (r->active && r->message_id == header->message_id && r->exchange == header->exchange &&
        now < r->expires && fragment->total < r->total) {
        return OK;
    }
    if (!r->active || r->message_id != header->message_id || r->exchange != header->exchange ||
        now >= r->expires || fragment->total > r->total) {
        reassembly_free(r);
        r->active = true;
        r->message_id = header->message_id;
        r->exchange = header->exchange;
        r->total = fragment->total;
        r->expires = now + FRAGMENT_TIMEOUT_US;
    }
    bit = UINT64_C(1) << (fragment->number - 1);
    if ((r->have & bit) != 0) {
        return OK;
    }
    if (r->octets + fragment->plain.len > IKE_MESSAGE_MAX) {
        reassembly_free(r);
        return ERR_SPACE;
    }
    if (!secret_set(&r->pieces[fragment->number - 1], fragment->plain)) {
        return ERR_MEMORY;
    }
    r->have |= bit;
    r->octets += fragment->plain.len;
    if (fragment->number == 1) {
        r->first_inner = fragment->first_inner;
    }
    if (r->have == UINT64_MAX >> (64 - r->total)) {
        err = join(r, out);
        *complete = err == OK;
    }
    return err;
}

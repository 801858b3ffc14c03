/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/token_message.h"

static const struct shape {
    uint8_t codes; /* it is below this */
    uint8_t least, most;
} shapes[N_TOKEN_KINDS] = {
    [TOKEN_OPEN] = {1, 2, 2},
    [TOKEN_PIN] = {1, 1, 1},
    [TOKEN_SIGN] = {UINT8_MAX, 1, 1},
    [TOKEN_NEED_PIN] = {2 * TOKEN_PIN_FINAL, 1, 1},
    [TOKEN_PINPAD] = {1, 1, 1},
    [TOKEN_OPENED] = {1, 1, TOKEN_PARTS_MAX},
    [TOKEN_CHOICES] = {1, 2 * TOKEN_CHOICE_PARTS, TOKEN_PARTS_MAX},
    [TOKEN_SIGNED] = {1, 1, 1},
    [TOKEN_FAILED] = {N_TOKEN_FAILURES, 0, TOKEN_PARTS_MAX},
};

static bool fits(const struct token_message *message)
{
    const struct shape *shape = &shapes[message->kind];

    return message->code < shape->codes && message->n >= shape->least && message->n <= shape->most;
}

bool token_message_read(struct token_message *out, struct bytes packet)
{
    struct reader r = reader_of(packet);
    uint8_t kind = rd_u8(&r), code = rd_u8(&r);

    *out = (struct token_message){.code = code};
    while (r.left > 0 && !r.failed && out->n < TOKEN_PARTS_MAX) {
        uint16_t len = rd_u16(&r);

        out->parts[out->n++] = rd_bytes(&r, len);
    }
    if (!rd_done(&r) || kind >= N_TOKEN_KINDS) {
        return false;
    }
    out->kind = (enum token_kind)kind;
    return fits(out);
}

size_t token_message_write(const struct token_message *message, uint8_t *out, size_t cap)
{
    struct writer w = writer_of(out, cap);

    wr_u8(&w, (uint8_t)message->kind);
    wr_u8(&w, message->code);
    for (size_t i = 0; i < message->n; i++) {
        if (message->parts[i].len > UINT16_MAX) {
            return 0;
        }
        wr_u16(&w, (uint16_t)message->parts[i].len);
        wr_bytes(&w, message->parts[i]);
    }
    return w.failed ? 0 : w.len;
}

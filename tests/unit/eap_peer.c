/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "eap_peer.h"

/* Gives the peer challenge that the example was made with. */
static enum err fixed_fill(void *context, uint8_t *to, size_t len)
{
    struct bytes challenge = hex("21402324255e262a28295f2b3a337c7e");

    (void)context;
    memset(to, 0, len);
    memcpy(to, challenge.data, len < challenge.len ? len : challenge.len);
    return OK;
}

static enum err no_fill(void *context, uint8_t *to, size_t len)
{
    (void)context;
    memset(to, 0, len);
    return ERR_CRYPTO;
}

const struct rng fixed_rng = {.fill = fixed_fill};
const struct rng broken_rng = {.fill = no_fill};

uint8_t answer[2048];
struct writer out;

struct eap *peer_with(const struct eap_config *config)
{
    struct eap *eap;

    ck_assert_int_eq(eap_new(&eap, config), OK);
    return eap;
}

struct eap_config example_config(void)
{
    return (struct eap_config){
        .user = "User",
        .password = bytes_of_string("clientPass"),
        .rng = &fixed_rng,
    };
}

struct eap *peer(void)
{
    struct eap_config config = example_config();

    return peer_with(&config);
}

enum eap_verdict give(struct eap *eap, struct bytes packet)
{
    out = writer_of(answer, sizeof(answer));
    return eap_input(eap, packet, &out);
}

enum eap_verdict give_hex(struct eap *eap, const char *packet)
{
    return give(eap, hex(packet));
}

void expect_answer(struct eap *eap, const char *request, const char *response)
{
    ck_assert_int_eq(give_hex(eap, request), EAP_RESPOND);
    ck_assert_octets(wr_written(&out), hex(response));
}

void expect_failure(struct eap *eap, enum reason reason)
{
    ck_assert_str_eq(reason_name(eap_note(eap)->reason), reason_name(reason));
    ck_assert_str_ne(eap_note(eap)->message, "");
}

struct bytes mschapv2_packet(uint8_t code, uint8_t opcode, const char *text)
{
    uint8_t packet[1024];
    struct writer w = writer_of(packet, sizeof(packet));

    wr_u8(&w, code);
    wr_u8(&w, 0x22);
    wr_u16(&w, (uint16_t)(9 + strlen(text)));
    wr_u8(&w, EAP_MSCHAPV2);
    wr_u8(&w, opcode);
    wr_u8(&w, 0x21);
    wr_u16(&w, (uint16_t)(4 + strlen(text)));
    wr_bytes(&w, bytes_of_string(text));
    ck_assert(!w.failed);
    return bytes_of(octets_copy(wr_written(&w)), w.len);
}

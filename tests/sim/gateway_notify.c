/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/gateway.h"

/*
 * What the gateway says of itself: that another one is to be used (RFC 5685), for how long an
 * authentication is good (RFC 4478), and that it was restarted (RFC 7296 1.5, 2.21.4; RFC 6290).
 */

#define TOKEN_LEN 24
#define QCD_SECRET UINT64_C(0x5ec2e7)
#define OLD_QCD_SECRET UINT64_C(0x01d5ec2e7)
#define SAY_AGAIN_US UINT64_C(1000000)

/* ---- redirection ---- */

static const struct {
    uint8_t type;
    const char *identity;
    size_t len;
} places[GATEWAY_REDIRECTS] = {
    [GATEWAY_REDIRECT_IPV4] = {1, "\xcb\0\x71\7", 4},
    [GATEWAY_REDIRECT_IPV6] = {2, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\7", 16},
    [GATEWAY_REDIRECT_NAME] = {3, "gw2.example.org", 15},
    [GATEWAY_REDIRECT_ITSELF] = {1, "\xc6\x33\x64\1", 4},
    [GATEWAY_REDIRECT_CLIENT] = {1, "\xc0\0\2\xa", 4},
    [GATEWAY_REDIRECT_LOOPBACK] = {2, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16},
    [GATEWAY_REDIRECT_NUMBER] = {3, "127.1", 5},
    [GATEWAY_REDIRECT_CUT] = {2, "\x20\1\xd\xb8", 4},
    [GATEWAY_REDIRECT_STALE] = {1, "\xcb\0\x71\7", 4},
};

bool gateway_redirect_holds(enum gateway_redirect redirect)
{
    return redirect >= GATEWAY_REDIRECT_IPV4 && redirect <= GATEWAY_REDIRECT_NAME;
}

void gateway_write_redirect(struct chain *chain, enum gateway_redirect redirect, struct bytes nonce)
{
    uint8_t data[600];
    struct writer w = writer_of(data, sizeof data);

    wr_u8(&w, places[redirect].type);
    wr_u8(&w, (uint8_t)places[redirect].len);
    wr_bytes(&w, bytes_of(places[redirect].identity, places[redirect].len));
    wr_bytes(&w, nonce);
    if (redirect == GATEWAY_REDIRECT_STALE) {
        wr_u8(&w, 0);
    }
    notify_write(chain, 0, (struct bytes){0}, N_REDIRECT, wr_written(&w));
}

/* ---- requests ---- */

static void tell(struct gateway *gateway, const struct gateway_todo *todo, uint64_t now)
{
    gateway->now = now;
    gateway_add_todo(gateway, todo);
    gateway_run_todo(gateway);
}

void gateway_redirect(struct gateway *gateway, enum gateway_redirect redirect, uint64_t now)
{
    tell(gateway,
         &(struct gateway_todo){
             .ask = GATEWAY_ASK_NOTIFY, .notify = N_REDIRECT, .value = redirect, .at = now},
         now);
}

void gateway_limit(struct gateway *gateway, uint32_t seconds, uint64_t now)
{
    tell(gateway,
         &(struct gateway_todo){
             .ask = GATEWAY_ASK_NOTIFY, .notify = N_AUTH_LIFETIME, .value = seconds, .at = now},
         now);
}

void gateway_withdraw(struct gateway *gateway, uint64_t now)
{
    tell(gateway,
         &(struct gateway_todo){
             .ask = GATEWAY_ASK_NOTIFY, .notify = N_AUTHENTICATION_FAILED, .at = now},
         now);
}

void gateway_write_lifetime(struct chain *chain, uint32_t seconds)
{
    uint8_t data[4];
    struct writer w = writer_of(data, sizeof data);

    wr_u32(&w, seconds);
    notify_write(chain, 0, (struct bytes){0}, N_AUTH_LIFETIME, wr_written(&w));
}

void gateway_notify(struct gateway *gateway, struct gateway_sa *sa, const struct gateway_todo *todo)
{
    uint8_t buffer[700];
    struct chain chain = chain_of(buffer, sizeof buffer);

    if (todo->notify == N_REDIRECT) {
        gateway_write_redirect(&chain, (enum gateway_redirect)todo->value, (struct bytes){0});
    } else if (todo->notify == N_AUTH_LIFETIME) {
        gateway_write_lifetime(&chain, todo->value);
    } else if (todo->notify == N_QCD_TOKEN) {
        gateway_write_token(gateway, &chain, sa->spi_i, sa->spi_r);
    } else {
        notify_write(&chain, 0, (struct bytes){0}, todo->notify, (struct bytes){0});
    }
    if (chain.n_payloads > 0 && gateway_send_request(gateway, sa, X_INFORMATIONAL, &chain)) {
        sa->ask = GATEWAY_ASK_NOTIFY;
        sa->told = todo->notify;
    }
}

/* ---- restarts ---- */

/* RFC 6290 5.1 */
static void write_token(struct chain *chain, uint64_t secret, uint64_t spi_i, uint64_t spi_r)
{
    struct sim_random hash = {.state = secret};
    uint8_t token[TOKEN_LEN];

    hash.state = sim_random(&hash) ^ spi_i;
    hash.state = sim_random(&hash) ^ spi_r;
    for (size_t i = 0; i < sizeof token; i++) {
        token[i] = (uint8_t)sim_random(&hash);
    }
    notify_write(chain, PROTO_IKE, (struct bytes){0}, N_QCD_TOKEN, bytes_of(token, sizeof token));
}

void gateway_write_token(const struct gateway *gateway, struct chain *chain, uint64_t spi_i,
                         uint64_t spi_r)
{
    if (gateway->config.tokens != GATEWAY_TOKENS_NONE) {
        write_token(chain, QCD_SECRET, spi_i, spi_r);
    }
}

static void send_clear(struct gateway *gateway, const struct ike_header *header,
                       const struct chain *chain)
{
    uint8_t out[256];

    gateway_send(gateway, bytes_of(out, message_write(header, chain, out, sizeof out)));
}

void gateway_say_unknown(struct gateway *gateway, const struct message *message)
{
    uint8_t buffer[160];
    struct chain chain = chain_of(buffer, sizeof buffer);
    struct ike_header header = message->header;

    header.flags = IKE_FLAG_RESPONSE;
    notify_write(&chain, 0, (struct bytes){0}, N_INVALID_IKE_SPI, (struct bytes){0});
    /* Its secret was changed once; RFC 6290 4.5. */
    if (gateway->config.tokens != GATEWAY_TOKENS_NONE) {
        write_token(&chain, OLD_QCD_SECRET, header.spi_i, header.spi_r);
    }
    if (gateway->config.tokens == GATEWAY_TOKENS_RIGHT) {
        write_token(&chain, QCD_SECRET, header.spi_i, header.spi_r);
    }
    send_clear(gateway, &header, &chain);
}

void gateway_esp(struct gateway *gateway, uint32_t spi, uint64_t now)
{
    uint8_t buffer[64], octets[4];
    struct chain chain = chain_of(buffer, sizeof buffer);
    struct writer w = writer_of(octets, sizeof octets);
    const struct ike_header header = {
        .version = IKE_VERSION, .exchange = X_INFORMATIONAL, .flags = IKE_FLAG_INITIATOR};

    if (!gateway->config.says_unknown || now < gateway->say_again_at) {
        return;
    }
    gateway->say_again_at = now + SAY_AGAIN_US;
    wr_u32(&w, spi);
    notify_write(&chain, 0, (struct bytes){0}, N_INVALID_SPI, wr_written(&w));
    if (gateway->phase == GATEWAY_UP) {
        gateway_request(gateway, X_INFORMATIONAL, &chain, now);
    } else if (gateway->phase != GATEWAY_CLOSED) {
        send_clear(gateway, &header, &chain);
    }
}

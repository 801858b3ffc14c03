/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/confine.h"
#include "common/i18n.h"
#include "common/secret.h"
#include "token/token.h"

/*
 * godwit-token: signs with a private key on a token, for one worker, who may not load what speaks
 * to tokens: the PKCS#11 modules of p11-kit. It is started with the worker, as the same user and
 * with no more rights, and has nothing of the tunnel but the socket to the worker, with whom it
 * ends. What a module does wrong costs this process.
 */

#define CHANNEL_FD 3
/* For one thing asked of a module, a touch or a PIN on the reader included; then the process ends,
 * a little after the worker has given up. */
#define PATIENCE 70 /* seconds */
#define LIST_PATIENCE 10

static uint8_t in[TOKEN_MESSAGE_MAX], out[TOKEN_MESSAGE_MAX];

/* False when nobody asks any more. */
static bool hear(struct token_message *message)
{
    ssize_t n;

    do {
        n = recv(CHANNEL_FD, in, sizeof in, 0);
    } while (n < 0 && errno == EINTR);
    return n > 0 && token_message_read(message, bytes_of(in, (size_t)n));
}

static bool say(const struct token_message *message)
{
    size_t len = token_message_write(message, out, sizeof out);
    bool said = len > 0 && send(CHANNEL_FD, out, len, MSG_NOSIGNAL) == (ssize_t)len;

    secret_wipe(out, len);
    return said;
}

static void say_label(enum token_kind kind, uint8_t code, const char *label)
{
    (void)say(&(struct token_message){
        .kind = kind, .code = code, .n = 1, .parts = {bytes_of_string(label)}});
}

static bool ask_pin(void *context, const char *label, uint8_t pin, char *to, size_t cap)
{
    struct token_message message;
    bool given = false;

    (void)context;
    /* A person takes as long as a person needs. */
    (void)alarm(0);
    say_label(TOKEN_NEED_PIN, pin, label);
    if (!hear(&message) || message.kind != TOKEN_PIN) {
        _exit(EXIT_SUCCESS);
    }
    given = message.parts[0].len > 0 && message.parts[0].len <= cap &&
            memchr(message.parts[0].data, '\0', message.parts[0].len) == NULL;
    if (given) {
        memcpy(to, message.parts[0].data, message.parts[0].len);
        to[message.parts[0].len] = '\0';
    }
    secret_wipe(in, sizeof in);
    (void)alarm(PATIENCE);
    return given;
}

static void tell_pinpad(void *context, const char *label)
{
    (void)context;
    say_label(TOKEN_PINPAD, 0, label);
}

/* Modules load what they like, and speak to whom they like. */
static bool confine(void)
{
    return confine_files(CONFINE_USE_FILES, NULL, 0) && confine_modules(CONFINE_FAIL);
}

static void serve(void)
{
    const struct token_asker asker = {ask_pin, tell_pinpad, NULL};
    struct token *token = token_new(&asker);
    struct token_message message, answer;
    uint8_t *asked = malloc(TOKEN_MESSAGE_MAX);

    while (token != NULL && asked != NULL && hear(&message)) {
        (void)alarm(PATIENCE);
        /* What is asked stays while `in` takes the PIN. */
        for (size_t i = 0, at = 0; i < message.n; at += message.parts[i++].len) {
            if (message.parts[i].len > 0) {
                memcpy(asked + at, message.parts[i].data, message.parts[i].len);
            }
            message.parts[i].data = asked + at;
        }
        if (message.kind == TOKEN_OPEN) {
            token_open(token, message.parts[0], message.parts[1], &answer);
        } else if (message.kind == TOKEN_SIGN) {
            token_sign(token, message.code, message.parts[0], &answer);
        } else {
            break;
        }
        (void)alarm(0);
        if (!say(&answer)) {
            break;
        }
    }
    free(asked);
    token_free(token);
}

/* For `godwit doctor`, as whoever runs it. */
static int list(void)
{
    if (!confine_rights() || !confine()) {
        return EXIT_FAILURE;
    }
    (void)alarm(LIST_PATIENCE);
    token_list();
    _exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
    int type = 0;
    socklen_t len = sizeof type;

    prctl(PR_SET_NAME, "godwit-token", 0, 0, 0);
    setlocale(LC_CTYPE, "");
    setlocale(LC_MESSAGES, "");
    bindtextdomain(PACKAGE, LOCALEDIR);
    textdomain(PACKAGE);
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        return list();
    }
    if (getsockopt(CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_SEQPACKET) {
        fprintf(stderr, "godwit-token: %s\n", _("This program is started by godwit, not by hand."));
        return EXIT_FAILURE;
    }
    if (!confine_rights() || !confine()) {
        fprintf(stderr, "godwit-token: %s\n", _("It cannot give up its rights."));
        return EXIT_FAILURE;
    }
    serve();
    /* What modules have left to be done at the end is no concern of ours. */
    _exit(EXIT_SUCCESS);
}

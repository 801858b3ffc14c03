/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel/signer.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>

#include "common/i18n.h"
#include "common/log.h"
#include "common/secret.h"

#define LABEL_MAX 256

enum waits_for { NOTHING, OPENED, SIGNATURE };

struct signer {
    int fd;
    const struct signer_ops *ops;
    void *context;
    enum waits_for waits_for;
    gboolean pin; /* it waits for one */
    GSource *readable, *timer;
    gint64 give_up_at;
    gboolean hinted; /* that the token may wait for a touch */
    char *dead;      /* why nothing is asked of it any more */
    guint8 next_algorithm;
    struct secret next; /* to be signed once that is done which runs */
    uint8_t buffer[TOKEN_MESSAGE_MAX];
};

/* ---- time ---- */

static void wait_until(struct signer *signer, gint64 at)
{
    g_source_set_ready_time(signer->timer, at);
}

static void hurry(struct signer *signer)
{
    gint64 now = g_get_monotonic_time();

    signer->give_up_at = now + signer->ops->patience * G_TIME_SPAN_MILLISECOND;
    wait_until(signer, signer->waits_for == SIGNATURE && !signer->hinted
                           ? now + signer->ops->touch * G_TIME_SPAN_MILLISECOND
                           : signer->give_up_at);
}

/* ---- ends ---- */

static void answered(struct signer *signer)
{
    signer->waits_for = NOTHING;
    signer->pin = FALSE;
    wait_until(signer, -1);
}

/* The callback may free us, and what of us `detail` is. */
static void fail(struct signer *signer, enum reason reason, const char *detail)
{
    char *copy = g_strdup(detail);

    answered(signer);
    signer->ops->failed(signer->context, reason, copy);
    g_free(copy);
}

static void give_up(struct signer *signer, const char *why)
{
    if (signer->dead == NULL) {
        signer->dead = g_strdup(why);
        g_source_destroy(signer->readable);
        (void)shutdown(signer->fd, SHUT_RDWR);
    }
    secret_free(&signer->next);
    if (signer->waits_for != NOTHING) {
        fail(signer, REASON_TOKEN_FAILED, signer->dead);
    }
}

static gboolean on_timer(gpointer data)
{
    struct signer *signer = data;

    wait_until(signer, -1);
    if (signer->dead != NULL) {
        give_up(signer, signer->dead);
    } else if (g_get_monotonic_time() >= signer->give_up_at) {
        give_up(signer,
                _("The token does not respond, or the PKCS#11 module that drives it hangs."));
    } else {
        signer->hinted = TRUE;
        wait_until(signer, signer->give_up_at);
        /* Translators: what the user may have to do with a smart card or security key. */
        signer->ops->waiting(signer->context, _("touch it or confirm on it, if it wants that"));
    }
    return G_SOURCE_CONTINUE;
}

/* ---- out ---- */

static void say(struct signer *signer, const struct token_message *message)
{
    size_t len = token_message_write(message, signer->buffer, sizeof signer->buffer);

    if (signer->dead == NULL && (len == 0 || send(signer->fd, signer->buffer, len,
                                                  MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)) {
        /* What has ended it is found when its end of the channel is read. */
        g_debug("godwit-token: %s", g_strerror(errno));
    }
    secret_wipe(signer->buffer, len);
    if (signer->dead != NULL) {
        wait_until(signer, 0);
    } else {
        hurry(signer);
    }
}

void signer_open(struct signer *signer, struct bytes certificate, struct bytes key)
{
    signer->waits_for = OPENED;
    say(signer, &(struct token_message){.kind = TOKEN_OPEN, .n = 2, .parts = {certificate, key}});
}

void signer_sign(struct signer *signer, guint8 algorithm, struct bytes octets)
{
    if (signer->waits_for != NOTHING) {
        signer->next_algorithm = algorithm;
        if (!secret_set(&signer->next, octets)) {
            give_up(signer, _("Memory is exhausted."));
        }
        return;
    }
    signer->waits_for = SIGNATURE;
    signer->hinted = FALSE;
    say(signer,
        &(struct token_message){.kind = TOKEN_SIGN, .code = algorithm, .n = 1, .parts = {octets}});
}

void signer_pin(struct signer *signer, struct bytes pin)
{
    if (signer->pin) {
        signer->pin = FALSE;
        say(signer, &(struct token_message){.kind = TOKEN_PIN, .n = 1, .parts = {pin}});
    }
}

/* ---- in ---- */

static void need_pin(struct signer *signer, const struct token_message *message)
{
    char label[LABEL_MAX];
    const char *warning = (message->code & TOKEN_PIN_FINAL) != 0
                              /* Translators: stands behind "PIN of the token “Alice”". */
                              ? _(". This is the last try before it locks itself")
                              : (message->code & TOKEN_PIN_LOW) != 0
                                    ? _(". Few tries are left before it locks itself")
                                    : "";
    char *prompt;

    (void)text_printable(message->parts[0], label, sizeof label);
    prompt = g_strdup_printf((message->code & TOKEN_PIN_WRONG) != 0
                                 ? _("That was wrong. PIN of the token “%s”%s")
                                 : _("PIN of the token “%s”%s"),
                             label, warning);
    signer->pin = TRUE;
    wait_until(signer, -1);
    signer->ops->need_pin(signer->context, message->code, prompt);
    g_free(prompt);
}

static void pinpad(struct signer *signer, const struct token_message *message)
{
    char label[LABEL_MAX];
    char *text = g_strdup_printf(_("enter the PIN of “%s” on its reader"),
                                 text_printable(message->parts[0], label, sizeof label));

    signer->hinted = TRUE;
    hurry(signer);
    signer->ops->waiting(signer->context, text);
    g_free(text);
}

static char *labels_of(const struct token_message *message)
{
    GString *all = g_string_new(NULL);
    char label[LABEL_MAX];

    for (gsize i = 0; i < message->n; i++) {
        g_string_append_printf(all, "%s“%s”", i > 0 ? ", " : "",
                               text_printable(message->parts[i], label, sizeof label));
    }
    return g_string_free(all, FALSE);
}

static const struct {
    enum reason reason;
    const char *sentence; /* "%s": what the message has */
} failures[N_TOKEN_FAILURES] = {
    [TOKEN_FAILED_OTHER] = {REASON_TOKEN_FAILED, N_("What the PKCS#11 library says: %s")},
    [TOKEN_FAILED_NO_TOKEN] = {REASON_TOKEN_MISSING, N_("There are these tokens: %s.")},
    [TOKEN_FAILED_NO_CERTIFICATE] = {REASON_TOKEN_OBJECT, N_("No certificate on %s fits the URI.")},
    [TOKEN_FAILED_NO_KEY] = {REASON_TOKEN_OBJECT, N_("No private key on %s fits the URI.")},
    [TOKEN_FAILED_PIN_CANCELLED] = {REASON_SECRET_MISSING, N_("The PIN of %s was not given.")},
    [TOKEN_FAILED_PIN_WRONG] = {REASON_PIN_WRONG, N_("%s does not take it.")},
    [TOKEN_FAILED_PIN_LOCKED] = {REASON_PIN_LOCKED, N_("%s takes no PIN any more.")},
    [TOKEN_FAILED_PIN_EXPIRED] = {REASON_PIN_WRONG, N_("The PIN of %s has to be changed first.")},
    [TOKEN_FAILED_GONE] = {REASON_TOKEN_MISSING, N_("%s was taken out.")},
    [TOKEN_FAILED_UNSUPPORTED] = {REASON_TOKEN_UNSUPPORTED, N_("%s lacks the mechanism for it.")},
};

static void report_failure(struct signer *signer, const struct token_message *message)
{
    char *labels = labels_of(message);
    const char *sentence = message->n == 0 && message->code == TOKEN_FAILED_NO_TOKEN
                               ? _("There is none at all.")
                               : _(failures[message->code].sentence);
    char **halves = g_strsplit(sentence, "%s", 2);
    char *detail = g_strjoinv(labels, halves);

    fail(signer, failures[message->code].reason, detail);
    g_free(detail);
    g_strfreev(halves);
    g_free(labels);
}

/* The one that was waited for, but for a request that nobody waits for any more. */
static gboolean is_answer(struct signer *signer, enum waits_for to)
{
    struct secret next = {0};

    if (to != signer->waits_for) {
        give_up(signer, _("The PKCS#11 module that drives the token has broken godwit-token."));
        return FALSE;
    }
    if (signer->next.len == 0) {
        return TRUE;
    }
    secret_move(&next, &signer->next);
    answered(signer);
    signer_sign(signer, signer->next_algorithm, secret_bytes(&next));
    secret_free(&next);
    return FALSE;
}

static void take(struct signer *signer, const struct token_message *message)
{
    switch (message->kind) {
    case TOKEN_NEED_PIN:
        if (signer->waits_for != NOTHING && !signer->pin) {
            need_pin(signer, message);
            return;
        }
        break;
    case TOKEN_PINPAD:
        if (signer->waits_for != NOTHING && !signer->pin) {
            pinpad(signer, message);
            return;
        }
        break;
    case TOKEN_OPENED:
        if (is_answer(signer, OPENED)) {
            answered(signer);
            signer->ops->opened(signer->context, message->parts[0], message->parts + 1,
                                message->n - 1);
        }
        return;
    case TOKEN_CHOICES:
        if (is_answer(signer, OPENED)) {
            answered(signer);
            signer->ops->choices(signer->context, message->parts, message->n / TOKEN_CHOICE_PARTS);
        }
        return;
    case TOKEN_SIGNED:
        if (is_answer(signer, SIGNATURE)) {
            answered(signer);
            signer->ops->signature(signer->context, message->parts[0]);
        }
        return;
    case TOKEN_FAILED:
        if (is_answer(signer, signer->waits_for == OPENED ? OPENED : SIGNATURE)) {
            report_failure(signer, message);
        }
        return;
    case TOKEN_OPEN:
    case TOKEN_PIN:
    case TOKEN_SIGN:
    case N_TOKEN_KINDS:
        break;
    }
    give_up(signer, _("The PKCS#11 module that drives the token has broken godwit-token."));
}

static gboolean on_readable(int fd, GIOCondition condition, gpointer data)
{
    struct signer *signer = data;
    ssize_t n = recv(fd, signer->buffer, sizeof signer->buffer, MSG_DONTWAIT);
    struct token_message message;

    (void)condition;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return G_SOURCE_CONTINUE;
    }
    if (n <= 0) {
        give_up(signer, _("The PKCS#11 module that drives the token has crashed."));
    } else if (!token_message_read(&message, bytes_of(signer->buffer, (size_t)n))) {
        give_up(signer, _("The PKCS#11 module that drives the token has broken godwit-token."));
    } else {
        /* A callback may free us, but what it was given is in our buffer. */
        take(signer, &message);
    }
    return G_SOURCE_CONTINUE;
}

/* ---- life ---- */

static gboolean dispatch_timer(GSource *source, GSourceFunc callback, gpointer data)
{
    (void)source;
    return callback(data);
}

struct signer *signer_new(int fd, const struct signer_ops *ops, void *context)
{
    static GSourceFuncs timer_funcs = {.dispatch = dispatch_timer};
    struct signer *signer = g_new0(struct signer, 1);

    signer->fd = fd;
    signer->ops = ops;
    signer->context = context;
    signer->readable = g_unix_fd_source_new(fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
    g_source_set_callback(signer->readable, G_SOURCE_FUNC(on_readable), signer, NULL);
    g_source_attach(signer->readable, g_main_context_get_thread_default());
    signer->timer = g_source_new(&timer_funcs, sizeof(GSource));
    g_source_set_callback(signer->timer, on_timer, signer, NULL);
    g_source_attach(signer->timer, g_main_context_get_thread_default());
    return signer;
}

void signer_free(struct signer *signer)
{
    if (signer == NULL) {
        return;
    }
    g_source_destroy(signer->readable);
    g_source_unref(signer->readable);
    g_source_destroy(signer->timer);
    g_source_unref(signer->timer);
    secret_free(&signer->next);
    g_free(signer->dead);
    secret_wipe(signer, sizeof *signer);
    g_free(signer);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "cli/question.h"
#include "common/i18n.h"

enum { LINE_MAX_OCTETS = 4096 };

const char *secret_read_fd(int fd, struct secret *out)
{
    struct secret line = {0};
    const char *why = NULL;
    size_t len = 0;

    if (fcntl(fd, F_GETFD) < 0) {
        return N_("that descriptor is not open");
    }
    if (!secret_alloc(&line, LINE_MAX_OCTETS)) {
        return N_("out of memory");
    }
    /* One octet at a time: what follows the line belongs to somebody else. */
    while (why == NULL) {
        ssize_t n = read(fd, line.data + len, 1);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            why = N_("that descriptor cannot be read");
        } else if (n == 0 || line.data[len] == '\n') {
            break;
        } else if (++len == line.len) {
            why = N_("the line is longer than 4095 octets");
        }
    }
    if (len > 0 && line.data[len - 1] == '\r') {
        len--;
    }
    if (why == NULL && len == 0) {
        why = N_("that descriptor holds nothing");
    }
    if (why == NULL && !secret_set(out, bytes_of(line.data, len))) {
        why = N_("out of memory");
    }
    secret_free(&line);
    return why;
}

GArray *secrets_fields(GVariant *form, guint32 *number)
{
    GArray *fields = g_array_new(FALSE, TRUE, sizeof(struct session_field));
    GVariant *list;
    GVariantIter iter;
    struct session_field field;

    g_variant_get(form, "(u@a" VPN1_FIELD_TYPE ")", number, &list);
    g_variant_iter_init(&iter, list);
    while (g_variant_iter_next(&iter, "(&s&s&s&s@a{sv})", &field.id, &field.label, &field.prompt,
                               &field.kind, &field.details)) {
        g_array_append_val(fields, field);
        /* The form has it. */
        g_variant_unref(field.details);
    }
    g_variant_unref(list);
    return fields;
}

GVariant *secrets_values(GHashTable *values)
{
    GVariantBuilder builder;
    GHashTableIter iter;
    gpointer id, value;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{say}"));
    g_hash_table_iter_init(&iter, values);
    while (g_hash_table_iter_next(&iter, &id, &value)) {
        gsize len;
        const void *octets = g_bytes_get_data(value, &len);

        g_variant_builder_add(&builder, "{s@ay}", id,
                              g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, octets, len, 1));
    }
    return g_variant_builder_end(&builder);
}

struct prompt {
    int fd;
    guint source;
    gboolean changed; /* the terminal's settings */
    gboolean again;   /* the last answer was empty */
    struct termios before;
    gboolean remember;
    GPtrArray *questions;
    guint at; /* the one being asked */
    struct secret line;
    GHashTable *values;
    void (*done)(void *context, GHashTable *values);
    void *context;
};

static void free_question(gpointer data)
{
    question_free(data);
}

static void wipe_and_free(gpointer data)
{
    struct secret *secret = data;

    secret_free(secret);
    g_free(secret);
}

static GBytes *bytes_of_line(struct bytes line)
{
    struct secret *copy = g_new0(struct secret, 1);

    if (!secret_set(copy, line)) {
        g_error("out of memory");
    }
    return g_bytes_new_with_free_func(copy->data, copy->len, wipe_and_free, copy);
}

static void restore(struct prompt *prompt)
{
    if (prompt->changed) {
        (void)tcsetattr(prompt->fd, TCSAFLUSH, &prompt->before);
        prompt->changed = FALSE;
    }
}

/* Without echo a stop or a core dump would leave the shell blind; an interrupt comes to us. */
static void hide(struct prompt *prompt)
{
    struct termios hidden = prompt->before;

    hidden.c_lflag &= (tcflag_t) ~(ECHO | ECHOE | ECHOK | ECHONL);
    hidden.c_lflag |= ICANON | ISIG;
    hidden.c_cc[VSUSP] = _POSIX_VDISABLE;
    hidden.c_cc[VQUIT] = _POSIX_VDISABLE;
    prompt->changed = tcsetattr(prompt->fd, TCSAFLUSH, &hidden) == 0;
}

static void say(const struct prompt *prompt, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t n = write(prompt->fd, text, left);

        if (n < 0 && errno != EINTR) {
            return;
        }
        text += n > 0 ? n : 0;
        left -= n > 0 ? (size_t)n : 0;
    }
}

static void ask(struct prompt *prompt)
{
    const struct question *question = prompt->questions->pdata[prompt->at];
    g_autofree char *text = question_text(question, prompt->again);

    if (question_is_hidden(question)) {
        hide(prompt);
    }
    say(prompt, text);
}

static gboolean finish(struct prompt *prompt, GHashTable *values)
{
    restore(prompt);
    prompt->source = 0;
    prompt->done(prompt->context, values);
    return G_SOURCE_REMOVE;
}

static enum question_result take(struct prompt *prompt, struct bytes line)
{
    struct question *question = prompt->questions->pdata[prompt->at];
    struct bytes value = {0};
    enum question_result result = question_take(question, line, &value, &prompt->remember);

    if (result == QUESTION_ANSWERED) {
        g_hash_table_insert(prompt->values, g_strdup(question_id(question)), bytes_of_line(value));
        restore(prompt);
        prompt->at++;
    }
    secret_wipe(prompt->line.data, prompt->line.len);
    return result;
}

static gboolean on_line(gint fd, GIOCondition condition, gpointer data)
{
    struct prompt *prompt = data;
    ssize_t n = read(fd, prompt->line.data, prompt->line.len);
    enum question_result result;

    (void)condition;
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return G_SOURCE_CONTINUE;
    }
    if (prompt->changed) {
        say(prompt, "\n");
    }
    if (n <= 0) {
        return finish(prompt, NULL);
    }
    if (prompt->line.data[n - 1] == '\n') {
        n--;
    }
    result = take(prompt, bytes_of(prompt->line.data, (size_t)n));
    if (result == QUESTION_REFUSED) {
        return finish(prompt, NULL);
    }
    if (prompt->at == prompt->questions->len) {
        return finish(prompt, prompt->values);
    }
    prompt->again = result == QUESTION_AGAIN;
    ask(prompt);
    return G_SOURCE_CONTINUE;
}

/* NULL when there is one among them that cannot be asked here. */
static GPtrArray *read_questions(const struct session_field *fields, gsize n, gboolean may_remember)
{
    GPtrArray *questions = g_ptr_array_new_with_free_func(free_question);

    for (gsize i = 0; i < n; i++) {
        struct question *question = question_new(&fields[i], may_remember);

        if (question == NULL) {
            g_ptr_array_unref(questions);
            return NULL;
        }
        g_ptr_array_add(questions, question);
    }
    return questions;
}

struct prompt *prompt_new(const struct session_field *fields, gsize n_fields, gboolean may_remember,
                          void (*done)(void *context, GHashTable *values), void *context)
{
    GPtrArray *questions = n_fields == 0 ? NULL : read_questions(fields, n_fields, may_remember);
    int fd = questions == NULL ? -1 : open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct prompt *prompt;
    struct termios before;

    /* In the background a question would stop us, and with us the connection. */
    if (fd < 0 || tcgetpgrp(fd) != getpgrp() || tcgetattr(fd, &before) != 0) {
        if (fd >= 0) {
            close(fd);
        }
        g_clear_pointer(&questions, g_ptr_array_unref);
        return NULL;
    }
    prompt = g_new0(struct prompt, 1);
    *prompt = (struct prompt){
        .fd = fd, .before = before, .questions = questions, .done = done, .context = context};
    prompt->values =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    if (!secret_alloc(&prompt->line, LINE_MAX_OCTETS)) {
        g_error("out of memory");
    }
    fflush(stdout);
    ask(prompt);
    prompt->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_line, prompt);
    return prompt;
}

gboolean prompt_remembers(const struct prompt *prompt)
{
    return prompt->remember;
}

void prompt_free(struct prompt *prompt)
{
    if (prompt == NULL) {
        return;
    }
    if (prompt->source != 0) {
        g_source_remove(prompt->source);
    }
    if (prompt->changed) {
        say(prompt, "\n");
    }
    restore(prompt);
    close(prompt->fd);
    secret_free(&prompt->line);
    g_hash_table_destroy(prompt->values);
    g_ptr_array_unref(prompt->questions);
    g_free(prompt);
}

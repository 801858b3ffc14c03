/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_QUESTIONS_TRUST_DIALOG_H
#define GODWIT_GUI_QUESTIONS_TRUST_DIALOG_H

#include <gtk/gtk.h>

/* A gateway's certificate that nothing here vouches for, and what a person can judge it by. All of
 * the texts may be anybody's; they are copied. */
struct trust_question {
    const char *expected;     /* the gateway as the connection names it */
    const char *why;          /* a translated sentence: why it is not trusted as it is */
    const char *const *names; /* for which it is good, NULL-terminated; NULL = it has none */
    const char *subject, *issuer;
    gint64 not_before, not_after; /* seconds since 1970 */
    const uint8_t *fingerprint;   /* FINGERPRINT_LEN octets */
};

/* Called once, with whether this certificate is to be trusted, and whether from now on. */
typedef void (*trust_done)(void *context, gboolean trusted, gboolean remember);

/* As ask_dialog_show(). `now` in seconds since 1970. Enter does not trust. */
GtkWindow *trust_dialog_show(const struct trust_question *question, gint64 now, GtkWindow *parent,
                             trust_done done, void *context);

#endif

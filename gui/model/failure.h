/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_MODEL_FAILURE_H
#define GODWIT_GUI_MODEL_FAILURE_H

#include <gio/gio.h>

#include "common/error.h"
#include "gui/model/trace.h"

/* Why a connection ended or could not begin: words for people, fit to be shown, never NULL. */
struct godwit_failure {
    char *name; /* of the connection, "" = none in particular */
    enum reason reason;
    char *sentence, *detail, *hint; /* detail and hint may be empty */
    GodwitTrace *trace;             /* what happened, as far as it is known */
    char *settings; /* of its profile, without secrets, a line each; "" = not known */
};

/* `reason` as the service named it. What it said is shown when we do not know that reason. */
struct godwit_failure *godwit_failure_told(const char *name, const char *reason,
                                           const char *sentence, const char *detail,
                                           const char *hint);
struct godwit_failure *godwit_failure_new(const char *name, enum reason reason, const char *detail);
/* What a call over the bus failed with. */
struct godwit_failure *godwit_failure_of_call(const char *name, const GError *error);
/* "Work: The gateway refused the credentials." g_free(). */
char *godwit_failure_dup_line(const struct godwit_failure *failure);
void godwit_failure_free(struct godwit_failure *failure); /* NULL is harmless */

/* What a person sends to who helps, such as the gateway's administrator: versions, the sentence,
 * the settings, the trace; no secrets. g_free(). */
char *godwit_failure_report(const struct godwit_failure *failure, const char *service_version);

#endif

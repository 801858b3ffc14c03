/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "gui/model/failure.h"

#include <string.h>
#include <sys/utsname.h>

#include "common/i18n.h"
#include "common/vpn1.h"
#include "gui/model/text.h"
#include "profile/profile.h"

struct godwit_failure *godwit_failure_new(const char *name, enum reason reason, const char *detail)
{
    struct godwit_failure *failure = g_new(struct godwit_failure, 1);

    *failure = (struct godwit_failure){
        .name = shown_text(name),
        .reason = reason,
        .sentence = g_strdup(_(reason_sentence(reason))),
        .detail = shown_text(detail),
        .hint = profile_hint(reason, TRUE),
        .trace = godwit_trace_new(),
        .settings = g_strdup(""),
    };
    return failure;
}

struct godwit_failure *godwit_failure_told(const char *name, const char *reason,
                                           const char *sentence, const char *detail,
                                           const char *hint)
{
    enum reason known = reason_from_name(reason);
    struct godwit_failure *failure = godwit_failure_new(name, known, detail);

    if (strcmp(reason_name(known), reason) != 0) { /* a newer service's */
        g_free(failure->sentence);
        g_free(failure->hint);
        failure->sentence = shown_text(sentence);
        failure->hint = shown_text(hint);
    }
    return failure;
}

struct godwit_failure *godwit_failure_of_call(const char *name, const GError *error)
{
    g_autofree char *remote = g_dbus_error_get_remote_error(error);
    g_autoptr(GError) plain = g_error_copy(error);
    enum reason reason = vpn1_reason_of_error(remote);
    const char *text;

    g_dbus_error_strip_remote_error(plain);
    text = plain->message;
    if (g_str_has_prefix(text, reason_sentence(reason))) { /* it is not said twice */
        text += strlen(reason_sentence(reason));
        text += strspn(text, " ");
    }
    return godwit_failure_new(name, reason, text);
}

char *godwit_failure_dup_line(const struct godwit_failure *failure)
{
    return *failure->name == '\0' ? g_strdup(failure->sentence)
                                  : g_strdup_printf("%s: %s", failure->name, failure->sentence);
}

void godwit_failure_free(struct godwit_failure *failure)
{
    if (failure != NULL) {
        g_free(failure->name);
        g_free(failure->sentence);
        g_free(failure->detail);
        g_free(failure->hint);
        g_object_unref(failure->trace);
        g_free(failure->settings);
        g_free(failure);
    }
}

static void add_line(GString *report, const char *line)
{
    if (*line != '\0') {
        g_string_append_printf(report, "%s\n", line);
    }
}

char *godwit_failure_report(const struct godwit_failure *failure, const char *service_version)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *time = g_date_time_format(now, "%F %T %z");
    g_autofree char *version = shown_text(service_version);
    g_autofree char *steps = godwit_steps_text(G_LIST_MODEL(failure->trace));
    GString *report = g_string_new(NULL);
    struct utsname system = {0};

    (void)uname(&system);
    g_string_append_printf(report, "Godwit %s, godwitd %s, %s %s %s, %s\n", PACKAGE_VERSION,
                           *version == '\0' ? "-" : version, system.sysname, system.release,
                           system.machine, time);
    g_string_append_printf(report, "%s: %s\n", reason_name(failure->reason), failure->name);
    add_line(report, failure->sentence);
    add_line(report, failure->detail);
    add_line(report, failure->hint);
    g_string_append_printf(report, "\n[godwit]\n%s\n%s", failure->settings, steps);
    return g_string_free(report, FALSE);
}

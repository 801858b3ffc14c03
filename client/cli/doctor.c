/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor.h"

#include <stdio.h>

#include "cli/print.h"
#include "cli/profiles.h"
#include "cli/target.h"
#include "common/i18n.h"

enum { FLAG_JSON };
static const struct flag flags[] = {
    [FLAG_JSON] = {"json", N_("Print a JSON array, for programs."), NULL},
    {.name = NULL},
};
static const struct usage usage = {
    .synopsis = N_("godwit doctor [PROFILE|HOST] [OPTION…]"),
    .about =
        N_("Looks for what keeps connections from working: TUN device, kernel, system service, "
           "polkit, rights of profiles, DNS, clock, captive portals, what killed connections "
           "left behind, other VPN programs, tokens with certificates and, with a profile or host, "
           "the way to its gateway. "
           "Each line is ok, a note or a problem with what to do; the exit code is 1 when there "
           "is a problem. The gateway is sent one octet that it ignores (RFC 3948 2.3): a port "
           "that does not refuse it may still not answer."),
    .flags = flags,
    .max_words = 1,
    .words = WORDS_PROFILES,
};

void doctor_tell(struct doctor *doctor, const char *check, enum verdict verdict, char *fact,
                 char *advice)
{
    static const char *const names[] = {
        [VERDICT_OK] = "ok",
        [VERDICT_NOTE] = "note",
        [VERDICT_PROBLEM] = "problem",
    };
    static const char *const titles[] = {
        [VERDICT_OK] = N_("ok"),
        [VERDICT_NOTE] = N_("note"),
        [VERDICT_PROBLEM] = N_("problem"),
    };
    static const enum style styles[] = {
        [VERDICT_OK] = STYLE_DIM,
        [VERDICT_NOTE] = STYLE_BOLD,
        [VERDICT_PROBLEM] = STYLE_BAD,
    };

    doctor->problems += verdict == VERDICT_PROBLEM;
    if (doctor->json != NULL) {
        json_begin(doctor->json, NULL, '{');
        json_text(doctor->json, "check", check);
        json_text(doctor->json, "verdict", names[verdict]);
        json_text(doctor->json, "fact", fact);
        json_text(doctor->json, "advice", advice);
        json_end(doctor->json, '}');
    } else {
        g_autofree char *shown = printable(fact);
        g_autofree char *what = printable(advice == NULL ? "" : advice);

        printf("%s%s%s  %s: %s%s%s\n", style_begin(stdout, styles[verdict]), _(titles[verdict]),
               style_end(stdout), check, shown, *what == '\0' ? "" : " ", what);
    }
    g_free(fact);
    g_free(advice);
}

/* The gateway that the word names, by a profile or itself. */
static void check_target(struct doctor *doctor, const char *word, struct bus *bus)
{
    g_autofree char *path = profile_find(word);
    g_autoptr(GError) error = NULL;
    struct profile *profile = path == NULL ? NULL : profile_load(path, &error);
    struct known *known = profile == NULL && bus != NULL && target_may_be_system(word)
                              ? known_system(bus, word, NULL)
                              : NULL;

    if (known != NULL) {
        g_clear_error(&error);
        profile = profile_from_variant(known->values, &error);
    } else if (path == NULL) {
        profile = profile_new();
        (void)profile_set(profile, "gateway", word, NULL, &error);
    }
    if (error != NULL) {
        doctor_tell(doctor, _("Profile"), VERDICT_PROBLEM, g_strdup(error->message), NULL);
    } else if (profile_get(profile, "gateway") == NULL) {
        doctor_tell(doctor, _("Profile"), VERDICT_PROBLEM, g_strdup(_("it names no gateway.")),
                    NULL);
    } else {
        doctor_check_gateway(doctor, profile_get(profile, "gateway"),
                             (guint16)profile_get_uint(profile, "port"));
    }
    profile_free(profile);
    g_clear_pointer(&known, known_free);
}

static int run(const struct options *options)
{
    struct json json = {0};
    struct doctor doctor = {.json = options->flags[FLAG_JSON] ? &json : NULL};
    g_autoptr(GError) why = NULL;
    struct bus *bus = bus_open(&why);

    if (doctor.json != NULL) {
        json_begin(&json, NULL, '[');
    }
    doctor_check_host(&doctor);
    doctor_check_service(&doctor, bus, why);
    doctor_check_profiles(&doctor);
    doctor_check_others(&doctor);
    doctor_check_dns(&doctor);
    doctor_check_tokens(&doctor);
    if (options->n_words > 0) {
        check_target(&doctor, options->words[0], bus);
    }
    if (doctor.json != NULL) {
        json_end(&json, ']');
    } else if (doctor.problems == 0) {
        puts(_("Nothing is in the way."));
    } else {
        printf(ngettext("There is %u problem.\n", "There are %u problems.\n", doctor.problems),
               doctor.problems);
    }
    bus_close(bus);
    return doctor.problems == 0 ? 0 : 1;
}

const struct command command_doctor = {
    .name = "doctor",
    .summary = N_("look for what is in the way of a connection"),
    .usage = &usage,
    .run = run,
};

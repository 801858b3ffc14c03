/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/gateway_facts_variant.h"

#include "common/i18n.h"
#include "common/log.h"

static const struct {
    enum gateway_problem problem;
    const char *name, *sentence;
} problems[] = {
    {GATEWAY_UNKNOWN_AUTHORITY, "unknown-authority",
     N_("The authority that issued its certificate is not known here.")},
    {GATEWAY_SELF_SIGNED, "self-signed",
     N_("It has made its certificate itself: nobody else vouches for it.")},
    {GATEWAY_EXPIRED, "expired", N_("Its certificate has expired.")},
    {GATEWAY_NOT_YET_VALID, "not-yet-valid",
     N_("Its certificate is not valid yet; is the clock of this computer right?")},
    {GATEWAY_OTHER_NAME, "other-name",
     N_("Its certificate is for another name than you asked for.")},
};

GVariant *gateway_facts_to_variant(const struct gateway_facts *facts)
{
    GVariantBuilder dict, why, names;
    char fingerprint[FINGERPRINT_TEXT];
    g_variant_builder_init(&why, G_VARIANT_TYPE_STRING_ARRAY);
    for (gsize i = 0; i < G_N_ELEMENTS(problems); i++) {
        if (facts->problems & problems[i].problem) {
            g_variant_builder_add(&why, "s", problems[i].name);
        }
    }
    g_variant_builder_init(&names, G_VARIANT_TYPE_STRING_ARRAY);
    for (gsize i = 0; i < facts->n_names; i++) {
        g_variant_builder_add(&names, "s", facts->names[i]);
    }
    g_variant_builder_init(&dict, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&dict, "{sv}", "problems", g_variant_builder_end(&why));
    g_variant_builder_add(&dict, "{sv}", "expected", g_variant_new_string(facts->expected));
    g_variant_builder_add(&dict, "{sv}", "subject", g_variant_new_string(facts->subject));
    g_variant_builder_add(&dict, "{sv}", "issuer", g_variant_new_string(facts->issuer));
    g_variant_builder_add(&dict, "{sv}", "names", g_variant_builder_end(&names));
    g_variant_builder_add(&dict, "{sv}", "not-before", g_variant_new_int64(facts->not_before));
    g_variant_builder_add(&dict, "{sv}", "not-after", g_variant_new_int64(facts->not_after));
    g_variant_builder_add(&dict, "{sv}", "fingerprint",
                          g_variant_new_string(fingerprint_text(facts->fingerprint, fingerprint)));
    return g_variant_builder_end(&dict);
}

static gboolean read_text(GVariant *details, const char *name, char out[static GATEWAY_TEXT_MAX])
{
    const char *text;
    gboolean there = g_variant_lookup(details, name, "&s", &text);
    if (there) {
        text_printable(bytes_of_string(text), out, GATEWAY_TEXT_MAX);
    }
    return there;
}

static gboolean read_names(GVariant *details, struct gateway_facts *out)
{
    g_autoptr(GVariantIter) names = NULL;
    const char *name;
    if (!g_variant_lookup(details, "names", "as", &names)) {
        return FALSE;
    }
    while (out->n_names < GATEWAY_NAMES_MAX && g_variant_iter_next(names, "&s", &name)) {
        text_printable(bytes_of_string(name), out->names[out->n_names++], GATEWAY_TEXT_MAX);
    }
    return TRUE;
}

static gboolean read_problems(GVariant *details, struct gateway_facts *out)
{
    g_autoptr(GVariantIter) names = NULL;
    const char *name;
    if (!g_variant_lookup(details, "problems", "as", &names)) {
        return FALSE;
    }
    while (g_variant_iter_next(names, "&s", &name)) {
        for (gsize i = 0; i < G_N_ELEMENTS(problems); i++) {
            out->problems |= g_str_equal(problems[i].name, name) ? problems[i].problem : 0U;
        }
    }
    return out->problems != 0;
}

gboolean gateway_facts_from_variant(GVariant *details, struct gateway_facts *out)
{
    const char *fingerprint;
    *out = (struct gateway_facts){0};
    return read_problems(details, out) && read_text(details, "expected", out->expected) &&
           read_text(details, "subject", out->subject) &&
           read_text(details, "issuer", out->issuer) && read_names(details, out) &&
           g_variant_lookup(details, "not-before", "x", &out->not_before) &&
           g_variant_lookup(details, "not-after", "x", &out->not_after) &&
           g_variant_lookup(details, "fingerprint", "&s", &fingerprint) &&
           fingerprint_parse(out->fingerprint, fingerprint);
}

char *gateway_facts_why(const struct gateway_facts *facts)
{
    GString *why = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(problems); i++) {
        if (facts->problems & problems[i].problem) {
            g_string_append_printf(why, "%s%s", why->len > 0 ? " " : "", _(problems[i].sentence));
        }
    }
    return g_string_free(why, FALSE);
}

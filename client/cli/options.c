/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "cli/options.h"

#include "cli/progress.h"
#include "cli/secrets.h"
#include "common/boottime.h"
#include "common/i18n.h"

struct setting {
    const struct profile_key *key;
    char *text; /* NULL: a secret, to be read from fd */
    int fd;
};

static void clear_setting(gpointer data)
{
    struct setting *setting = data;

    g_free(setting->text);
}

static gboolean bad_option(GError **error, const char *format, const char *name)
{
    char *message = g_strdup_printf("%s: %s", name, format);

    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, message);
    g_free(message);
    return FALSE;
}

/* ---- what GOption calls ---- */

static gboolean take_key(const char *name, const char *value, gpointer data, GError **error)
{
    struct options *options = data;
    struct setting setting = {.key = profile_key_find(name + 2), .text = g_strdup(value), .fd = -1};

    (void)error;
    g_array_append_val(options->settings, setting);
    return TRUE;
}

static gboolean take_descriptor(const char *name, const char *value, gpointer data, GError **error)
{
    struct options *options = data;
    char *key = g_strndup(name + 2, strlen(name) - 2 - strlen("-fd"));
    struct setting setting = {.key = profile_key_find(key)};
    guint64 fd;

    g_free(key);
    if (!g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT, &fd, NULL)) {
        return bad_option(error, _("a descriptor's number is wanted"), name);
    }
    setting.fd = (int)fd;
    g_array_append_val(options->settings, setting);
    return TRUE;
}

static gboolean refuse_secret(const char *name, const char *value, gpointer data, GError **error)
{
    (void)value;
    (void)data;
    return bad_option(error,
                      _("secrets are not taken from the command line, where every program can read "
                        "them; leave it out to be asked, or use the option that ends in -fd"),
                      name);
}

/* ---- building the options ---- */

static void add_entry(GArray *entries, GPtrArray *names, char *name, GOptionArg arg, gint flags,
                      gpointer data)
{
    GOptionEntry entry = {.long_name = name, .flags = flags, .arg = arg, .arg_data = data};

    g_ptr_array_add(names, name);
    g_array_append_val(entries, entry);
}

static gpointer as_data(GOptionArgFunc function)
{
    union {
        GOptionArgFunc function;
        gpointer data;
    } both = {.function = function};

    return both.data;
}

static void add_keys(GArray *entries, GPtrArray *names)
{
    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        if (key->type == PROFILE_SECRET) {
            add_entry(entries, names, g_strconcat(key->name, "-fd", NULL), G_OPTION_ARG_CALLBACK, 0,
                      as_data(take_descriptor));
            add_entry(entries, names, g_strdup(key->name), G_OPTION_ARG_CALLBACK,
                      G_OPTION_FLAG_OPTIONAL_ARG, as_data(refuse_secret));
        } else if ((key->flags & PROFILE_NO_OPTION) == 0) {
            add_entry(entries, names, g_strdup(key->name), G_OPTION_ARG_CALLBACK,
                      G_OPTION_FLAG_FILENAME, as_data(take_key));
        }
    }
}

static gboolean is_bool_word(const char *text)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off", NULL};

    return text != NULL && g_strv_contains(words, text);
}

/*
 * A switch needs no value: --legacy is --legacy=true, --no-mobike is --mobike=false. GOption would
 * take the next word, which may be the gateway.
 */
static char **complete_switches(int argc, char **argv)
{
    GPtrArray *out = g_ptr_array_new();
    gboolean more = TRUE;

    for (int i = 0; i < argc; i++) {
        gboolean off = g_str_has_prefix(argv[i], "--no-");
        const char *name = argv[i] + (off ? 5 : 2);
        const struct profile_key *key =
            more && g_str_has_prefix(argv[i], "--") ? profile_key_find(name) : NULL;

        more = more && strcmp(argv[i], "--") != 0;
        if (key == NULL || key->type != PROFILE_BOOL) {
            g_ptr_array_add(out, g_strdup(argv[i]));
        } else if (off) {
            g_ptr_array_add(out, g_strdup_printf("--%s=false", name));
        } else if (is_bool_word(argv[i + 1])) {
            g_ptr_array_add(out, g_strdup_printf("--%s=%s", name, argv[++i]));
        } else {
            g_ptr_array_add(out, g_strdup_printf("--%s=true", name));
        }
    }
    g_ptr_array_add(out, NULL);
    return (char **)g_ptr_array_free(out, FALSE);
}

/* "Unknown option --gatway" deserves the same help as an unknown key. */
static void suggest(GError **error)
{
    const char *name = strstr((*error)->message, "--");
    const char *near = name == NULL ? NULL : profile_key_suggest(name + 2);

    if (near != NULL && (profile_key_find(near)->flags & PROFILE_NO_OPTION) == 0) {
        char *message = g_strdup_printf(_("%s (did you mean --%s?)"), (*error)->message, near);

        g_free((*error)->message);
        (*error)->message = message;
    }
}

static gboolean count_words(struct options *options, const struct usage *usage, GError **error)
{
    if (options->words == NULL) {
        options->words = g_new0(char *, 1);
    }
    options->n_words = g_strv_length(options->words);
    if (options->n_words > usage->max_words) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    _("\"%s\" is one word too many."), options->words[usage->max_words]);
        return FALSE;
    }
    if (options->n_words < usage->min_words) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _("Something is missing: %s"),
                    _(usage->synopsis));
        return FALSE;
    }
    return TRUE;
}

static GOptionContext *context_of(struct options *options, const struct usage *usage,
                                  GPtrArray *names)
{
    GOptionContext *context = g_option_context_new(NULL);
    GOptionGroup *group = g_option_group_new("main", "", "", options, NULL);
    GArray *entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
    guint n_flags = 0;

    while (usage->flags[n_flags].name != NULL) {
        n_flags++;
    }
    options->flags = g_new0(gboolean, n_flags + 1);
    options->values = g_new0(char *, n_flags + 1);
    options->n_flags = n_flags;
    for (guint i = 0; i < n_flags; i++) {
        gboolean valued = usage->flags[i].metavar != NULL;

        add_entry(entries, names, g_strdup(usage->flags[i].name),
                  valued ? G_OPTION_ARG_STRING : G_OPTION_ARG_NONE, 0,
                  valued ? (gpointer)&options->values[i] : (gpointer)&options->flags[i]);
    }
    add_entry(entries, names, g_strdup("help"), G_OPTION_ARG_NONE, 0, &options->help);
    ((GOptionEntry *)(gpointer)entries->data)[entries->len - 1].short_name = 'h';
    if (usage->keys) {
        add_keys(entries, names);
    }
    add_entry(entries, names, g_strdup(G_OPTION_REMAINING), G_OPTION_ARG_FILENAME_ARRAY, 0,
              &options->words);
    g_option_group_add_entries(group, (const GOptionEntry *)(gconstpointer)entries->data);
    g_option_group_set_translation_domain(group, PACKAGE);
    g_option_context_set_main_group(context, group);
    g_option_context_set_help_enabled(context, FALSE);
    g_array_unref(entries);
    return context;
}

gboolean options_parse(struct options *options, const struct usage *usage, int argc, char **argv,
                       GError **error)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    char **completed = usage->keys ? complete_switches(argc, argv) : g_strdupv(argv);
    GOptionContext *context;
    gboolean ok;

    *options = (struct options){
        .settings = g_array_new(FALSE, TRUE, sizeof(struct setting)),
        .start_us = boottime_now(),
    };
    g_array_set_clear_func(options->settings, clear_setting);
    context = context_of(options, usage, names);
    g_option_context_set_strict_posix(context, usage->command);
    ok = g_option_context_parse_strv(context, &completed, error);
    if (!ok && g_error_matches(*error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION) &&
        usage->keys) {
        suggest(error);
    }
    if (ok && options->help) {
        usage_print(usage);
    }
    ok = ok && (options->help || count_words(options, usage, error));
    g_option_context_free(context);
    g_ptr_array_unref(names);
    g_strfreev(completed);
    return ok;
}

void options_clear(struct options *options)
{
    for (guint i = 0; i < options->n_flags; i++) {
        g_free(options->values[i]);
    }
    g_free(options->values);
    g_free(options->flags);
    g_strfreev(options->words);
    g_array_unref(options->settings);
    *options = (struct options){0};
}

static enum reason apply_secret(const struct setting *setting, struct profile *profile,
                                GError **error)
{
    struct secret value = {0};
    const char *why = secret_read_fd(setting->fd, &value);
    enum reason reason = REASON_NONE;

    if (why != NULL) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--%s-fd %d: %s",
                    setting->key->name, setting->fd, _(why));
        reason = REASON_SECRET_MISSING;
    } else if (!profile_set_bytes(profile, setting->key->name, secret_bytes(&value), error)) {
        reason = REASON_USAGE;
    }
    secret_free(&value);
    return reason;
}

enum reason options_apply(const struct options *options, struct profile *profile, GError **error)
{
    enum reason reason = REASON_NONE;

    for (guint i = 0; reason == REASON_NONE && i < options->settings->len; i++) {
        const struct setting *setting = &g_array_index(options->settings, struct setting, i);
        char *where = g_strconcat("--", setting->key->name, NULL);

        if (setting->text == NULL) {
            reason = apply_secret(setting, profile, error);
        } else if (!profile_set(profile, setting->key->name, setting->text, where, error)) {
            reason = g_error_matches(*error, PROFILE_ERROR, PROFILE_ERROR_FILE) ? REASON_PROFILE
                                                                                : REASON_USAGE;
        }
        g_free(where);
    }
    return reason;
}

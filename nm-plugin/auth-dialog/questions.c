/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nm-plugin/auth-dialog/questions.h"

#include <NetworkManager.h>
#include <string.h>

#include "common/i18n.h"
#include "gui/questions/shown.h"
#include "nm-plugin/shared/settings.h"

/* As NetworkManager names them (NM_SECRET_TAG_… of libnm 1.52). */
#define TAG_MESSAGE "x-vpn-message:"
#define TAG_ONCE "x-dynamic-challenge:"
#define TAG_ONCE_ECHO "x-dynamic-challenge-echo:"

#define UI_GROUP "VPN Plugin UI"
#define NAME_MAX_CHARACTERS 64
#define TEXT_MAX_CHARACTERS 800
#define TEXT_MAX_LINES 12

enum asking {
    ASK_UNLESS_KNOWN,
    ASK_ALWAYS,    /* with what is known filled in */
    ASK_ANEW,      /* what is known is not the answer */
    ASK_ONCE,      /* and neither is the answer to be kept */
    ASK_ONCE_ECHO, /* and it may be read */
};

static NMSettingSecretFlags flags_of(GHashTable *data, const char *key)
{
    NMSettingSecretFlags flags = NM_SETTING_SECRET_FLAG_NONE;
    (void)nm_vpn_service_plugin_get_secret_flags(data, key, &flags);
    return flags;
}

static const char *known_value(GHashTable *data, GHashTable *secrets, const struct profile_key *key)
{
    const char *known = g_hash_table_lookup(secrets, key->name);
    return known || settings_is_secret(key) ? known : g_hash_table_lookup(data, key->name);
}

static void add(GArray *items, GHashTable *data, GHashTable *secrets, const struct profile_key *key,
                enum asking asking)
{
    NMSettingSecretFlags flags = flags_of(data, key->name);
    const char *known = known_value(data, secrets, key);
    gboolean not_saved = (flags & NM_SETTING_SECRET_FLAG_NOT_SAVED) != 0;
    gboolean secret = settings_is_secret(key) && asking != ASK_ONCE_ECHO;
    const struct question question = {
        .key = key->name,
        .label = _(key->label),
        .secret = secret,
        .ask = asking != ASK_UNLESS_KNOWN || not_saved || !known,
        .keyring = flags == NM_SETTING_SECRET_FLAG_AGENT_OWNED && asking < ASK_ONCE,
        .value = known && (asking < ASK_ANEW || !settings_is_secret(key)) ? known : "",
    };
    g_array_append_val(items, question);
}

/* "TAG:KEY" or "KEY"; NULL = there is no such key. */
static const struct profile_key *hinted_key(const char *hint, enum asking *asking)
{
    static const struct {
        const char *tag;
        enum asking asking;
    } tags[] = {{TAG_ONCE, ASK_ONCE}, {TAG_ONCE_ECHO, ASK_ONCE_ECHO}, {"", ASK_ANEW}};
    for (gsize i = 0; i < G_N_ELEMENTS(tags); i++) {
        if (g_str_has_prefix(hint, tags[i].tag)) {
            *asking = tags[i].asking;
            return profile_key_find(hint + strlen(tags[i].tag));
        }
    }
    return NULL;
}

/* FALSE: there was none. */
static gboolean add_hinted(GArray *items, struct questions *questions, GHashTable *data,
                           GHashTable *secrets, const char *const *hints)
{
    for (; hints && *hints; hints++) {
        enum asking asking = ASK_ANEW;
        const struct profile_key *key = hinted_key(*hints, &asking);
        if (g_str_has_prefix(*hints, TAG_MESSAGE)) {
            questions->message = *hints + strlen(TAG_MESSAGE);
        } else if (key) {
            add(items, data, secrets, key, asking);
        }
    }
    return items->len > 0;
}

void questions_make(struct questions *questions, GHashTable *data, GHashTable *secrets,
                    const char *const *hints, gboolean again)
{
    GArray *items = g_array_new(FALSE, TRUE, sizeof(struct question));
    *questions = (struct questions){.message = "", .again = again};
    if (!add_hinted(items, questions, data, secrets, hints)) {
        const char *needed = settings_secret_of(g_hash_table_lookup(data, "auth"),
                                                g_hash_table_lookup(data, "certificate"));
        if (needed && (flags_of(data, needed) & NM_SETTING_SECRET_FLAG_NOT_REQUIRED) == 0 &&
            !g_hash_table_lookup(data, needed)) {
            add(items, data, secrets, profile_key_find(needed),
                again ? ASK_ALWAYS : ASK_UNLESS_KNOWN);
        }
    }
    questions->n = items->len;
    questions->items = (struct question *)(gpointer)g_array_free(items, FALSE);
}

void questions_clear(struct questions *questions)
{
    g_clear_pointer(&questions->items, g_free);
    questions->n = 0;
}

gboolean questions_open(const struct questions *questions, gboolean in_keyring)
{
    for (gsize i = 0; i < questions->n; i++) {
        if (questions->items[i].ask && (questions->items[i].keyring || !in_keyring)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* ---- for who asks ---- */

static const char *error_text(const struct questions *questions)
{
    return questions->again && !*questions->message
               ? _("The gateway did not accept the last answer.")
               : "";
}

char *questions_to_keyfile(const struct questions *questions, const char *name,
                           gboolean interactive)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *shown = shown_line(name, NAME_MAX_CHARACTERS);
    g_autofree char *title = g_strdup_printf(_("Authenticate VPN %s"), shown);
    g_autofree char *message = shown_block(questions->message, TEXT_MAX_CHARACTERS, TEXT_MAX_LINES);
    g_autofree char *needs = g_strdup_printf(_("The connection \"%s\" needs:"), shown);
    const char *error = error_text(questions);
    g_key_file_set_integer(file, UI_GROUP, "Version", 2);
    g_key_file_set_string(file, UI_GROUP, "Title", title);
    g_key_file_set_string(file, UI_GROUP, "Description",
                          *message ? message
                          : *error ? error
                                   : needs);
    for (gsize i = 0; i < questions->n; i++) {
        const struct question *question = &questions->items[i];
        g_key_file_set_string(file, question->key, "Value", question->value);
        g_key_file_set_string(file, question->key, "Label", question->label);
        /* nmcli asks for secrets only; which of them may be read is another matter. */
        g_key_file_set_boolean(file, question->key, "IsSecret", TRUE);
        g_key_file_set_boolean(file, question->key, "ForceEcho", !question->secret);
        g_key_file_set_boolean(file, question->key, "ShouldAsk", question->ask && interactive);
    }
    return g_key_file_to_data(file, NULL, NULL);
}

struct ask_form *questions_to_form(const struct questions *questions, const char *name,
                                   const char *note)
{
    struct ask_form *form = ask_form_new(name);
    ask_form_set_message(form, questions->message);
    ask_form_set_error(form, error_text(questions));
    ask_form_set_note(form, note);
    for (gsize i = 0; i < questions->n; i++) {
        const struct question *question = &questions->items[i];
        if (question->ask) {
            ask_form_add(form, question->secret ? ASK_SECRET : ASK_TEXT, question->key,
                         question->label, NULL, question->value);
        }
    }
    return form;
}

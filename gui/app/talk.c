/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/app/talk.h"

#include <string.h>

#include "common/gateway_facts_variant.h"
#include "common/i18n.h"
#include "common/vpn1.h"
#include "gui/model/passwords.h"
#include "gui/questions/ask_dialog.h"
#include "gui/questions/trust_dialog.h"
#include "gui/window/message.h"
#include "profile/profile.h"

/* Fields that are also keys of the profile. */
#define TRUST_FIELD "gateway-fingerprint"
#define CHOICE_FIELD "certificate"

struct talk {
    GtkApplication *application;
    GodwitWorld *world;
    GodwitAttempt *attempt;
    char *path;
    char *refused;
    guint32 number;              /* of the open question; 0 = none */
    struct ask_form *form;       /* the open question's; NULL = it is answered */
    GtkWindow *dialog;           /* that asks it; NULL = none */
    struct gateway_facts *facts; /* of who is to be trusted, when that is asked; else NULL */
    struct keyring_call *load;   /* goes on */
    char *unkept;                /* why the keyring is of no use; NULL = it is not known to be */
    guint answers;               /* with secrets to keep, in this authentication */
    GVariant *asked;             /* the last question of this authentication; NULL = none */
    gboolean was_on;
    gboolean was_sent; /* what the keyring has */
    GHashTable *typed; /* to be kept when it is right; NULL = nothing */
    char *chosen;      /* the same, of several certificates; NULL = none */
};

static GodwitSession *session_of(struct talk *talk)
{
    return godwit_world_find_path(talk->world, talk->path);
}

static GodwitProfile *profile_of(struct talk *talk)
{
    GodwitSession *session = session_of(talk);

    return session == NULL ? NULL : godwit_world_find_profile(talk->world, session);
}

/* The PIN of a token is none of them. */
static gboolean has_secrets(const struct ask_form *form)
{
    gboolean found = FALSE, once = FALSE;

    for (guint i = 0; i < form->fields->len; i++) {
        const struct ask_field *field = form->fields->pdata[i];

        found |= field->kind == ASK_SECRET || field->kind == ASK_NEW_SECRET;
        once |= field->once;
    }
    return found && !once;
}

/* Of an authentication the first secret is the password; what comes then is good for once. */
static gboolean may_be_kept(const struct talk *talk)
{
    return has_secrets(talk->form) && talk->answers == 0;
}

/* It is alone in its form. */
static gboolean is_choice(const struct ask_form *form)
{
    const struct ask_field *field = form->fields->pdata[0];

    return form->fields->len == 1 && field->kind == ASK_CHOICE &&
           strcmp(field->id, CHOICE_FIELD) == 0;
}

/* NULL: it has no file of its own. */
static const char *file_of(struct talk *talk)
{
    GodwitProfile *profile = profile_of(talk);

    return profile == NULL ? NULL : godwit_profile_get_path(profile);
}

/* ---- the question is over ---- */

static void close_question(struct talk *talk)
{
    keyring_drop(g_steal_pointer(&talk->load));
    if (talk->dialog != NULL) {
        ask_dialog_dismiss(g_steal_pointer(&talk->dialog));
    }
    g_clear_pointer(&talk->form, ask_form_free);
    g_clear_pointer(&talk->facts, g_free);
}

/* NULL: a person does not want to go on, which is no failure. */
static void answer(struct talk *talk, GHashTable *answers)
{
    GodwitSession *session = session_of(talk);

    talk->answers += talk->form != NULL && has_secrets(talk->form) ? 1 : 0;
    g_clear_pointer(&talk->form, ask_form_free);
    g_clear_pointer(&talk->facts, g_free);
    if (session != NULL && answers == NULL) {
        godwit_world_end(talk->world, session);
    } else if (session != NULL) {
        godwit_world_answer(talk->world, session, talk->number, ask_answers_to_variant(answers));
    }
}

/* ---- a person ---- */

static void on_answered(void *context, GHashTable *answers, gboolean remember)
{
    struct talk *talk = context;

    talk->dialog = NULL; /* it goes by itself */
    if (answers != NULL && remember && is_choice(talk->form)) {
        g_free(talk->chosen);
        talk->chosen = g_strdup(g_hash_table_lookup(answers, CHOICE_FIELD));
    } else if (answers != NULL && remember) {
        g_clear_pointer(&talk->typed, g_hash_table_unref);
        talk->typed = g_hash_table_ref(answers);
    }
    answer(talk, answers);
}

static void ask_person(struct talk *talk)
{
    struct ask_form *form = talk->form;
    gboolean again = may_be_kept(talk) && (talk->was_sent || talk->was_on);

    form->may_remember =
        is_choice(form) ? file_of(talk) != NULL : may_be_kept(talk) && talk->unkept == NULL;
    form->remember = talk->refused != NULL;
    if (is_choice(form) && *form->message == '\0') {
        ask_form_set_message(
            form, _("Several certificates fit: by which one does the gateway know you?"));
    }
    if (talk->refused != NULL && !talk->was_on) {
        ask_form_set_error(form, talk->refused);
    } else if (again) {
        ask_form_set_error(form, _("The gateway did not accept the last answer."));
    }
    if (talk->unkept != NULL) {
        g_autofree char *note =
            g_strdup_printf(_("%s What you type will not be remembered."), talk->unkept);

        ask_form_set_note(form, note);
    }
    talk->dialog = ask_dialog_show(form, gtk_application_get_active_window(talk->application),
                                   on_answered, talk);
}

/* ---- the keyring ---- */

/* All that is asked for, or NULL. */
static GHashTable *answers_of(const struct ask_form *form, GHashTable *found)
{
    GHashTable *answers = ask_answers_new();

    for (guint i = 0; i < form->fields->len && answers != NULL; i++) {
        const struct ask_field *field = form->fields->pdata[i];
        const char *value = g_hash_table_lookup(found, field->id);

        if (value == NULL) {
            g_clear_pointer(&answers, g_hash_table_unref);
        } else {
            g_hash_table_insert(answers, g_strdup(field->id), g_strdup(value));
        }
    }
    return answers;
}

static void on_loaded(void *context, GHashTable *found, const char *why)
{
    struct talk *talk = context;
    g_autoptr(GHashTable) answers = answers_of(talk->form, found);

    talk->load = NULL;
    g_free(talk->unkept);
    talk->unkept = g_strdup(why);
    if (answers != NULL) {
        talk->was_sent = TRUE;
        answer(talk, answers);
    } else {
        ask_person(talk);
    }
}

static void on_kept(void *context, const char *why)
{
    g_autoptr(GtkApplication) application = context;

    if (why != NULL) {
        message_show(gtk_application_get_active_window(application),
                     _("The Password Was Not Remembered"), why);
    }
}

static void set_in_file(struct talk *talk, const char *key, const char *text)
{
    g_autoptr(GError) error = NULL;

    if (file_of(talk) != NULL && !profile_set_in_file(file_of(talk), key, text, &error)) {
        message_show(gtk_application_get_active_window(talk->application),
                     _("The Connection Is Not Saved"), error->message);
    }
}

/* It has been right. */
static void keep_choice(struct talk *talk)
{
    g_autofree char *chosen = g_steal_pointer(&talk->chosen);

    if (chosen != NULL) {
        set_in_file(talk, CHOICE_FIELD, chosen);
    }
}

static void keep_typed(struct talk *talk)
{
    GodwitProfile *profile = profile_of(talk);
    g_autofree char *gateway = NULL;
    GHashTableIter iter;
    gpointer key, value;

    if (talk->typed == NULL || profile == NULL) {
        return; /* the profile of a first connection is about to be written */
    }
    gateway = godwit_session_dup_raw(session_of(talk), "Gateway");
    g_hash_table_iter_init(&iter, talk->typed);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        (void)passwords_store(profile, gateway, key, value, on_kept,
                              g_object_ref(talk->application));
    }
    g_clear_pointer(&talk->typed, g_hash_table_unref);
}

/* ---- whether to trust a gateway ---- */

static void remember_trust(struct talk *talk, const char *digits)
{
    if (session_of(talk) == godwit_attempt_get_session(talk->attempt)) {
        godwit_attempt_pin(talk->attempt, digits);
    } else {
        set_in_file(talk, TRUST_FIELD, digits);
    }
}

static void on_trusted(void *context, gboolean trusted, gboolean remember)
{
    struct talk *talk = context;
    g_autoptr(GHashTable) answers = trusted ? ask_answers_new() : NULL;
    char digits[FINGERPRINT_TEXT];

    talk->dialog = NULL; /* it goes by itself */
    (void)fingerprint_text(talk->facts->fingerprint, digits);
    if (trusted) {
        g_hash_table_insert(answers, g_strdup(TRUST_FIELD), g_strdup(digits));
    }
    if (trusted && remember) {
        remember_trust(talk, digits);
    }
    answer(talk, answers);
}

static void ask_trust(struct talk *talk)
{
    const struct gateway_facts *facts = talk->facts;
    g_autofree char *why = gateway_facts_why(facts);
    const char *names[GATEWAY_NAMES_MAX + 1] = {NULL};
    const struct trust_question question = {
        .expected = facts->expected,
        .why = why,
        .names = names,
        .subject = facts->subject,
        .issuer = facts->issuer,
        .not_before = facts->not_before,
        .not_after = facts->not_after,
        .fingerprint = facts->fingerprint,
    };

    for (size_t i = 0; i < facts->n_names; i++) {
        names[i] = facts->names[i];
    }
    talk->dialog =
        trust_dialog_show(&question, g_get_real_time() / G_USEC_PER_SEC,
                          gtk_application_get_active_window(talk->application), on_trusted, talk);
}

/* It is alone in its form. */
static gboolean take_trust(struct talk *talk, GVariant *form)
{
    g_autoptr(GVariant) fields = g_variant_get_child_value(form, 1), details = NULL;
    const char *kind = "", *id = "";
    struct gateway_facts facts;

    if (g_variant_n_children(fields) == 1) {
        g_variant_get_child(fields, 0, "(&s&s&s&s@a{sv})", &id, NULL, NULL, &kind, &details);
    }
    if (strcmp(kind, VPN1_FIELD_TRUST) != 0 || strcmp(id, TRUST_FIELD) != 0 ||
        !gateway_facts_from_variant(details, &facts)) {
        return FALSE;
    }
    talk->facts = g_memdup2(&facts, sizeof facts);
    return TRUE;
}

/* ---- the session ---- */

/* Who asks the same in the same words did not take the answer. */
static void note_question(struct talk *talk, GVariant *form)
{
    g_autoptr(GVariant) asked = g_variant_get_child_value(form, 1);

    if (talk->asked != NULL && g_variant_equal(talk->asked, asked)) {
        g_clear_pointer(&talk->typed, g_hash_table_unref);
    }
    g_clear_pointer(&talk->asked, g_variant_unref);
    talk->asked = g_steal_pointer(&asked);
}

static void begin_question(struct talk *talk)
{
    GodwitSession *session = session_of(talk);
    GodwitProfile *profile = profile_of(talk);
    g_autoptr(GVariant) variant = godwit_session_dup_form(session);
    g_autofree char *name = godwit_session_dup_raw(session, "Name");
    g_autofree char *gateway = godwit_session_dup_raw(session, "Gateway");
    guint32 number;

    if (take_trust(talk, variant)) {
        ask_trust(talk);
        return;
    }
    note_question(talk, variant);
    talk->form = ask_form_of_variant(name, variant, &number);
    if (talk->form == NULL) {
        godwit_world_answer(talk->world, session, talk->number, NULL);
    } else if (may_be_kept(talk) && profile != NULL && !talk->was_sent && talk->refused == NULL) {
        talk->load = passwords_load(profile, gateway, on_loaded, talk);
    } else {
        ask_person(talk);
    }
}

static guint32 number_of(GodwitSession *session)
{
    g_autoptr(GVariant) form = godwit_session_dup_form(session);
    guint32 number = 0;

    if (form != NULL) {
        g_variant_get_child(form, 0, "u", &number);
    }
    return number;
}

void talk_follow(struct talk *talk, gboolean may_ask)
{
    GodwitSession *session = session_of(talk);
    guint32 number = session == NULL ? 0 : number_of(session);

    if (number != talk->number) {
        close_question(talk);
        talk->number = number;
        if (number != 0 && may_ask) {
            begin_question(talk);
        }
    }
    if (session != NULL && godwit_session_get_state(session) == GODWIT_ON) {
        talk->was_on = TRUE;
        talk->answers = 0;
        g_clear_pointer(&talk->asked, g_variant_unref);
        keep_choice(talk);
        keep_typed(talk);
    }
}

void talk_present(struct talk *talk)
{
    if (talk->dialog != NULL) {
        gtk_window_present(talk->dialog);
    } else if (talk->number != 0 && talk->form == NULL && talk->facts == NULL) {
        begin_question(talk);
    }
}

gboolean talk_is_refused(const struct talk *talk, enum reason reason)
{
    return (reason == REASON_AUTH_FAILED || reason == REASON_PASSWORD_EXPIRED) && talk->was_sent &&
           talk->answers == 1;
}

struct talk *talk_new(GtkApplication *application, GodwitWorld *world, GodwitAttempt *attempt,
                      const char *path, const char *refused)
{
    struct talk *talk = g_new0(struct talk, 1);

    talk->application = application;
    talk->world = world;
    talk->attempt = attempt;
    talk->path = g_strdup(path);
    talk->refused = g_strdup(refused);
    return talk;
}

void talk_free(struct talk *talk)
{
    close_question(talk);
    g_clear_pointer(&talk->asked, g_variant_unref);
    g_clear_pointer(&talk->typed, g_hash_table_unref);
    g_free(talk->chosen);
    g_free(talk->unkept);
    g_free(talk->refused);
    g_free(talk->path);
    g_free(talk);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/model/attempt.h"

#include <string.h>

#include "common/i18n.h"
#include "common/secret.h"
#include "gui/model/passwords.h"
#include "gui/model/store.h"
#include "gui/model/text.h"

#define PIN_KEY "gateway-fingerprint"

struct _GodwitAttempt {
    GObject parent;
    GodwitWorld *world;
    struct profile *profile; /* NULL = none is running */
    char *title;
    char *pin, *pinned; /* the fingerprint that a person trusts, and at which server; NULL = none */
    gboolean remember, unwanted;
    enum godwit_attempt_field field;
    char *advice;
};

enum { CHANGED, SAVED, TOLD, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE(GodwitAttempt, godwit_attempt, G_TYPE_OBJECT)

static void changed(GodwitAttempt *attempt)
{
    g_signal_emit(attempt, signals[CHANGED], 0);
}

static void tell(GodwitAttempt *attempt, const char *heading, const char *text)
{
    g_autofree char *shown = shown_text(text);

    g_signal_emit(attempt, signals[TOLD], 0, heading, shown);
}

/* Takes over the advice. */
static void point_to(GodwitAttempt *attempt, enum godwit_attempt_field field, char *advice)
{
    g_free(attempt->advice);
    attempt->advice = advice == NULL ? g_strdup("") : advice;
    attempt->field = field;
}

static void stop(GodwitAttempt *attempt)
{
    g_clear_pointer(&attempt->profile, profile_free);
    changed(attempt);
}

/* ---- it fails ---- */

/* Where what ended it can be mended. */
static enum godwit_attempt_field place_of(enum reason reason)
{
    static const struct {
        enum reason reason;
        enum godwit_attempt_field field;
    } places[] = {
        {REASON_RESOLVE, GODWIT_ATTEMPT_SERVER},
        {REASON_GATEWAY_UNREACHABLE, GODWIT_ATTEMPT_SERVER},
        {REASON_PORT_UNREACHABLE, GODWIT_ATTEMPT_SERVER},
        {REASON_GATEWAY_IDENTITY_MISMATCH, GODWIT_ATTEMPT_SERVER},
        {REASON_ACCOUNT_DISABLED, GODWIT_ATTEMPT_USER},
        {REASON_ACCOUNT_RESTRICTED, GODWIT_ATTEMPT_USER},
        {REASON_AUTH_FAILED, GODWIT_ATTEMPT_PASSWORD},
        {REASON_PASSWORD_EXPIRED, GODWIT_ATTEMPT_PASSWORD},
        {REASON_GATEWAY_AUTH_FAILED, GODWIT_ATTEMPT_MORE},
        {REASON_NO_PROPOSAL_CHOSEN, GODWIT_ATTEMPT_MORE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        if (places[i].reason == reason) {
            return places[i].field;
        }
    }
    return GODWIT_ATTEMPT_NOWHERE;
}

/* A gateway that wants something else refuses before it proves who it is. */
static void advise(GodwitAttempt *attempt, enum reason reason, gboolean verified)
{
    if (reason == REASON_AUTH_FAILED && !verified) {
        point_to(
            attempt, GODWIT_ATTEMPT_MORE,
            g_strdup(_("If the gateway wants a certificate or a pre-shared key instead, see More "
                       "Settings.")));
    } else {
        point_to(attempt, place_of(reason), NULL);
    }
}

static void on_failed(GodwitAttempt *attempt)
{
    const struct godwit_failure *failure = godwit_world_get_failure(attempt->world);
    GodwitSession *session = godwit_attempt_get_session(attempt);
    g_autofree char *title = shown_text(attempt->title);

    if (attempt->profile != NULL && strcmp(failure->name, title) == 0) {
        advise(attempt, failure->reason,
               session != NULL && godwit_session_has_passed(session, "gateway-verified"));
        stop(attempt);
    }
}

/* ---- it succeeds ---- */

static GodwitProfile *find_saved(GodwitWorld *world, const struct profile *saved)
{
    GodwitProfiles *profiles = godwit_world_get_profiles(world);

    godwit_profiles_look(profiles);
    for (guint i = 0; i < g_list_model_get_n_items(G_LIST_MODEL(profiles)); i++) {
        g_autoptr(GodwitProfile) profile = g_list_model_get_item(G_LIST_MODEL(profiles), i);

        if (godwit_profile_get_path(profile) != NULL &&
            strcmp(godwit_profile_get_title(profile), profile_get(saved, "name")) == 0) {
            return profile; /* the list keeps it */
        }
    }
    return NULL;
}

static void on_kept(void *data, const char *why)
{
    g_autoptr(GodwitAttempt) attempt = data;

    if (why != NULL) {
        tell(attempt, _("The Password Was Not Remembered"), why);
    }
}

static void keep_password(GodwitAttempt *attempt, GodwitProfile *profile)
{
    struct bytes octets = profile_get_bytes(attempt->profile, "password");
    g_autofree char *password = g_strndup((const char *)octets.data, octets.len);

    (void)passwords_store(profile, godwit_profile_get_gateway(profile), "password", password,
                          on_kept, g_object_ref(attempt));
    secret_wipe(password, strlen(password));
}

static void save(GodwitAttempt *attempt)
{
    struct profile *saved = profile_copy(attempt->profile);
    g_autoptr(GError) error = NULL;
    GodwitProfile *profile = NULL;

    profile_unset(saved, "password");
    if (store_add(saved, &error)) {
        profile = find_saved(attempt->world, saved);
    } else {
        tell(attempt, _("The Connection Is Not Saved"), error->message);
    }
    if (profile != NULL && attempt->remember && profile_is_set(attempt->profile, "password")) {
        keep_password(attempt, profile);
    }
    profile_free(saved);
    stop(attempt);
    if (profile != NULL) {
        g_signal_emit(attempt, signals[SAVED], 0, profile);
    }
}

/* ---- it goes on ---- */

static void follow(GodwitAttempt *attempt)
{
    GodwitSession *session = godwit_attempt_get_session(attempt);

    if (attempt->profile == NULL) {
        return;
    }
    if (session != NULL) {
        if (!attempt->unwanted && godwit_session_get_state(session) == GODWIT_ON) {
            save(attempt);
            return;
        }
    } else if (!godwit_world_is_title_asked(attempt->world, attempt->title)) {
        stop(attempt); /* a person has ended it */
        return;
    }
    changed(attempt);
}

GodwitSession *godwit_attempt_get_session(GodwitAttempt *attempt)
{
    return attempt->profile == NULL ? NULL
                                    : godwit_world_find_title(attempt->world, attempt->title);
}

void godwit_attempt_pin(GodwitAttempt *attempt, const char *fingerprint)
{
    if (attempt->profile != NULL) {
        g_free(attempt->pin);
        g_free(attempt->pinned);
        attempt->pin = g_strdup(fingerprint);
        attempt->pinned = g_strdup(profile_get(attempt->profile, "gateway"));
        (void)profile_set(attempt->profile, PIN_KEY, fingerprint, NULL, NULL);
    }
}

gboolean godwit_attempt_is_running(GodwitAttempt *attempt)
{
    return attempt->profile != NULL;
}

enum godwit_attempt_field godwit_attempt_get_field(GodwitAttempt *attempt)
{
    return attempt->field;
}

const char *godwit_attempt_get_advice(GodwitAttempt *attempt)
{
    return attempt->advice;
}

void godwit_attempt_settle(GodwitAttempt *attempt)
{
    if (attempt->field != GODWIT_ATTEMPT_NOWHERE || *attempt->advice != '\0') {
        point_to(attempt, GODWIT_ATTEMPT_NOWHERE, NULL);
        changed(attempt);
    }
}

/* ---- it begins ---- */

static gboolean is_taken(GodwitWorld *world, const char *title)
{
    GListModel *profiles = G_LIST_MODEL(godwit_world_get_profiles(world));

    for (guint i = 0; i < g_list_model_get_n_items(profiles); i++) {
        g_autoptr(GodwitProfile) profile = g_list_model_get_item(profiles, i);

        if (strcmp(godwit_profile_get_title(profile), title) == 0) {
            return TRUE;
        }
    }
    return godwit_world_find_title(world, title) != NULL ||
           godwit_world_is_title_asked(world, title);
}

/* "vpn.example.org", or "vpn.example.org 2" */
static char *new_title(GodwitWorld *world, const char *server)
{
    char *title = g_strdup(server);

    for (int i = 2; is_taken(world, title); i++) {
        g_free(title);
        title = g_strdup_printf("%s %d", server, i);
    }
    return title;
}

/* FALSE: it says why. */
static gboolean take(GodwitAttempt *attempt, struct profile *profile, const char *key,
                     const char *label, const char *text, enum godwit_attempt_field field)
{
    g_autoptr(GError) error = NULL;

    if (profile_set(profile, key, text, label, &error)) {
        return TRUE;
    }
    point_to(attempt, field, shown_text(error->message));
    return FALSE;
}

/* NULL: it says why. */
static struct profile *profile_of(GodwitAttempt *attempt, const char *server, const char *user,
                                  const char *password)
{
    struct profile *profile = profile_new();

    if (!take(attempt, profile, "gateway", _("Server"), server, GODWIT_ATTEMPT_SERVER) ||
        !take(attempt, profile, "user", _("User name"), user, GODWIT_ATTEMPT_USER) ||
        (*password != '\0' &&
         !take(attempt, profile, "password", _("Password"), password, GODWIT_ATTEMPT_PASSWORD))) {
        g_clear_pointer(&profile, profile_free);
    }
    return profile;
}

void godwit_attempt_begin(GodwitAttempt *attempt, const char *server, const char *user,
                          const char *password, gboolean remember)
{
    g_autofree char *gateway = g_strstrip(g_strdup(server)), *name = g_strstrip(g_strdup(user));

    if (attempt->profile != NULL) {
        return;
    }
    point_to(attempt, GODWIT_ATTEMPT_NOWHERE, NULL);
    attempt->profile = profile_of(attempt, gateway, name, password);
    if (attempt->profile != NULL) {
        g_free(attempt->title);
        attempt->title = new_title(attempt->world, gateway);
        (void)profile_set(attempt->profile, "name", attempt->title, NULL, NULL);
        if (g_strcmp0(gateway, attempt->pinned) == 0) {
            (void)profile_set(attempt->profile, PIN_KEY, attempt->pin, NULL, NULL);
        }
        attempt->remember = remember;
        attempt->unwanted = FALSE;
        godwit_world_connect_new(attempt->world, attempt->title, attempt->profile);
    }
    changed(attempt);
}

void godwit_attempt_cancel(GodwitAttempt *attempt)
{
    if (attempt->profile != NULL && !attempt->unwanted) {
        attempt->unwanted = TRUE;
        godwit_world_disconnect_new(attempt->world, attempt->title);
        changed(attempt);
    }
}

/* ---- life ---- */

static void godwit_attempt_dispose(GObject *object)
{
    GodwitAttempt *attempt = GODWIT_ATTEMPT(object);

    g_clear_object(&attempt->world);
    G_OBJECT_CLASS(godwit_attempt_parent_class)->dispose(object);
}

static void godwit_attempt_finalize(GObject *object)
{
    GodwitAttempt *attempt = GODWIT_ATTEMPT(object);

    profile_free(attempt->profile);
    g_free(attempt->title);
    g_free(attempt->pin);
    g_free(attempt->pinned);
    g_free(attempt->advice);
    G_OBJECT_CLASS(godwit_attempt_parent_class)->finalize(object);
}

static void godwit_attempt_class_init(GodwitAttemptClass *class)
{
    GType type = G_TYPE_FROM_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = godwit_attempt_dispose;
    G_OBJECT_CLASS(class)->finalize = godwit_attempt_finalize;
    signals[CHANGED] =
        g_signal_new("changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[SAVED] = g_signal_new("saved", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, GODWIT_TYPE_PROFILE);
    signals[TOLD] = g_signal_new("told", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                 2, G_TYPE_STRING, G_TYPE_STRING);
}

static void godwit_attempt_init(GodwitAttempt *attempt)
{
    attempt->advice = g_strdup("");
}

GodwitAttempt *godwit_attempt_new(GodwitWorld *world)
{
    GodwitAttempt *attempt = g_object_new(GODWIT_TYPE_ATTEMPT, NULL);

    attempt->world = g_object_ref(world);
    g_signal_connect_object(world, "changed", G_CALLBACK(follow), attempt, G_CONNECT_SWAPPED);
    g_signal_connect_object(world, "failed", G_CALLBACK(on_failed), attempt, G_CONNECT_SWAPPED);
    return attempt;
}

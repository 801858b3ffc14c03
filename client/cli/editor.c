/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/editor.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "common/i18n.h"
#include "common/secret.h"

/* What is edited: a copy in the profile's own folder, from where the files that it names are found.
 */
struct draft {
    char *path;
    const char *origin; /* for messages */
    char *folder;
    gboolean whole; /* rules across keys count */
};

static gboolean fail(GError **error, char *message)
{
    g_set_error_literal(error, CLI_ERROR, REASON_PROFILE, message);
    g_free(message);
    return FALSE;
}

/* As the shell would: EDITOR may have arguments. */
static gboolean run_editor(const char *path, GError **error)
{
    const char *visual = g_getenv("VISUAL"), *named = g_getenv("EDITOR");
    const char *editor = visual != NULL && *visual != '\0' ? visual
                         : named != NULL && *named != '\0' ? named
                                                           : "sensible-editor";
    g_autofree char *script = g_strconcat(editor, " \"$1\"", NULL);
    const char *argv[] = {"/bin/sh", "-c", script, "godwit", path, NULL};
    int status;

    if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL,
                      NULL, &status, error)) {
        return FALSE;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return fail(error,
                    g_strdup_printf(_("The editor \"%s\" failed; nothing was changed."), editor));
    }
    return TRUE;
}

static struct profile *read_draft(const struct draft *draft, GError **error)
{
    g_autofree char *text = NULL;
    struct profile *profile;
    gsize len;

    if (!g_file_get_contents(draft->path, &text, &len, error)) {
        return NULL;
    }
    profile = profile_parse(bytes_of(text, len), draft->origin, draft->folder, error);
    if (profile != NULL && draft->whole && !profile_validate(profile, error)) {
        g_prefix_error(error, "%s: ", draft->origin);
        g_clear_pointer(&profile, profile_free);
    }
    secret_wipe(text, len);
    return profile;
}

/* Whether the person wants to try once more. */
static gboolean again(void)
{
    char line[16];

    if (!isatty(STDIN_FILENO)) {
        return FALSE;
    }
    fputs(_("Edit it again? [Y/n] "), stdout);
    fflush(stdout);
    return fgets(line, sizeof line, stdin) != NULL && g_ascii_tolower(line[0]) != 'n';
}

/* Edits until it can be used. */
static struct profile *edit(const struct draft *draft, GError **error)
{
    struct profile *profile = NULL;

    while (profile == NULL) {
        GError *why = NULL;

        if (!run_editor(draft->path, error)) {
            return NULL;
        }
        profile = read_draft(draft, &why);
        if (profile == NULL) {
            (void)cli_fail_error(REASON_PROFILE, why);
            if (!again()) {
                fail(error, g_strdup(_("Nothing was changed.")));
                return NULL;
            }
        }
    }
    return profile;
}

/* A new file beside `path` that only we can read; -1 and *error. */
static int make_draft(struct draft *draft, const char *folder, GError **error)
{
    int fd;

    draft->folder = g_strdup(folder);
    draft->path = g_build_filename(folder, ".edited-XXXXXX", NULL);
    fd = g_mkstemp_full(draft->path, O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        fail(error, g_strdup_printf(_("%s cannot be written: %s."), folder, g_strerror(errno)));
    }
    return fd;
}

static void drop_draft(struct draft *draft)
{
    (void)g_unlink(draft->path);
    g_free(draft->path);
    g_free(draft->folder);
}

static gboolean copy_into(int fd, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize len, at = 0;

    if (!g_file_get_contents(path, &text, &len, error)) {
        return FALSE;
    }
    while (at < len) {
        ssize_t n = write(fd, text + at, len - at);

        if (n < 0 && errno != EINTR) {
            break;
        }
        at += n > 0 ? (gsize)n : 0;
    }
    secret_wipe(text, len);
    return at == len || fail(error, g_strdup_printf(_("The copy of %s cannot be written: %s."),
                                                    path, g_strerror(errno)));
}

gboolean editor_edit_file(const char *path, GError **error)
{
    g_autofree char *real = g_canonicalize_filename(path, NULL);
    g_autofree char *target = realpath(real, NULL);
    g_autofree char *folder = g_path_get_dirname(target == NULL ? real : target);
    struct draft draft = {.origin = path, .whole = TRUE};
    struct profile *profile = NULL;
    int fd = make_draft(&draft, folder, error);
    gboolean ok = fd >= 0 && copy_into(fd, path, error);

    if (fd >= 0) {
        close(fd);
    }
    if (ok) {
        profile = edit(&draft, error);
        ok = profile != NULL;
    }
    /* An editor may have replaced the copy by a file that others can read. */
    if (ok && (g_chmod(draft.path, 0600) != 0 ||
               g_rename(draft.path, target == NULL ? real : target) != 0)) {
        ok = fail(error, g_strdup_printf(_("%s cannot be replaced: %s."), path, g_strerror(errno)));
    }
    profile_free(profile);
    drop_draft(&draft);
    return ok;
}

struct profile *editor_edit_profile(const struct profile *profile, const char *name, GError **error)
{
    struct draft draft = {.origin = name};
    struct profile *edited = NULL;
    int fd = make_draft(&draft, g_get_user_runtime_dir(), error);

    if (fd >= 0) {
        close(fd);
        if (profile_save(profile, draft.path, error)) {
            edited = edit(&draft, error);
        }
    }
    drop_draft(&draft);
    return edited;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/seen.h"
#include "common/i18n.h"

/* Programs that go another way than the others: in a control group of their own, see
 * host/apps.h. */

enum { FLAG_OUTSIDE, FLAG_INSIDE, FLAG_CONNECTION };
static const struct flag flags[] = {
    [FLAG_OUTSIDE] = {"outside", N_("The program leaves beside the tunnel."), NULL},
    [FLAG_INSIDE] = {"inside", N_("The program uses the tunnel, of a profile with include-apps."),
                     NULL},
    [FLAG_CONNECTION] = {"connection",
                         N_("The connection meant; not needed when there is only one."),
                         N_("NAME")},
    {.name = NULL},
};
static const struct usage usage = {
    .synopsis = N_("godwit run --outside|--inside [--connection NAME] [--] PROGRAM [ARGUMENT…]"),
    .about =
        N_("Runs a program that goes another way than the others: beside the tunnel, also where "
           "the kill switch holds all others, or through it where only some use it. What it "
           "starts goes the same way. Applications can also be named in the profile, "
           "with exclude-apps and include-apps."),
    .flags = flags,
    .min_words = 1,
    .max_words = G_MAXUINT,
    .command = TRUE,
};

#define SYSTEMD "org.freedesktop.systemd1"
#define CGROUPS "/sys/fs/cgroup"
#define SCOPE_TIME 10 /* seconds for systemd to make one */

static gboolean fail(GError **error, enum reason reason, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static gboolean fail(GError **error, enum reason reason, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_clear_error(error);
    if (error != NULL) {
        *error = g_error_new_valist(CLI_ERROR, (gint)reason, format, arguments);
    }
    va_end(arguments);
    return FALSE;
}

/* ---- a control group of our own ---- */

/* NULL when there is none. */
static char *own_group(void)
{
    g_autofree char *text = NULL;
    const char *line;

    if (!g_file_get_contents("/proc/self/cgroup", &text, NULL, NULL)) {
        return NULL;
    }
    line = g_str_has_prefix(text, "0::/") ? text : strstr(text, "\n0::/");
    return line == NULL ? NULL : g_strndup(strchr(line, '/'), strcspn(strchr(line, '/'), "\n"));
}

/* "app-godwit-PROGRAM-PID.scope": other connections' profiles know it by the program's name. */
static char *scope_name(const char *program)
{
    g_autofree char *base = g_path_get_basename(program);
    GString *name = g_string_new("app-godwit-");

    for (const char *c = base; *c != '\0'; c++) {
        if (g_ascii_isalnum(*c) || strchr("_.", *c) != NULL) {
            g_string_append_c(name, *c);
        } else {
            g_string_append_printf(name, "\\x%02x", (unsigned char)*c);
        }
    }
    g_string_append_printf(name, "-%d.scope", (int)getpid());
    return g_string_free(name, FALSE);
}

/* systemd answers before it has done it. */
static gboolean wait_for_scope(const char *name)
{
    gint64 until = g_get_monotonic_time() + SCOPE_TIME * G_USEC_PER_SEC;
    gboolean there = FALSE;

    while (!there && g_get_monotonic_time() < until) {
        g_autofree char *group = own_group();

        there = group != NULL && g_str_has_suffix(group, name);
        if (!there) {
            g_usleep(2000);
        }
    }
    return there;
}

static gboolean enter_scope(const char *program, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autofree char *name = scope_name(program);
    g_autoptr(GDBusConnection) bus =
        g_bus_get_sync(geteuid() == 0 ? G_BUS_TYPE_SYSTEM : G_BUS_TYPE_SESSION, NULL, &why);
    g_autoptr(GVariant) job = NULL;

    if (bus != NULL) {
        GVariantBuilder about;

        g_variant_builder_init(&about, G_VARIANT_TYPE("a(sv)"));
        g_variant_builder_add(&about, "(sv)", "PIDs",
                              g_variant_new_parsed("[%u]", (guint32)getpid()));
        g_variant_builder_add(&about, "(sv)", "Description",
                              g_variant_new_take_string(g_strdup_printf("godwit run %s", program)));
        g_variant_builder_add(&about, "(sv)", "CollectMode",
                              g_variant_new_string("inactive-or-failed"));
        job = g_dbus_connection_call_sync(
            bus, SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager", "StartTransientUnit",
            g_variant_new("(ssa(sv)a(sa(sv)))", name, "fail", &about, NULL), G_VARIANT_TYPE("(o)"),
            G_DBUS_CALL_FLAGS_NONE, -1, NULL, &why);
    }
    if (job == NULL) {
        return fail(error, REASON_HOST_CONFIG, _("systemd makes no scope for the program: %s."),
                    why->message);
    }
    return wait_for_scope(name) ||
           fail(error, REASON_HOST_CONFIG, _("systemd makes no scope for the program: %s."),
                g_strerror(ETIMEDOUT));
}

/* One inside of our own is made once, for all programs of this way. */
static gboolean enter_inner_group(const char *way, GError **error)
{
    g_autofree char *own = own_group();
    g_autofree char *name = g_strconcat("godwit-", way, NULL);
    g_autofree char *path = g_build_filename(CGROUPS, own == NULL ? "" : own, name, NULL);
    g_autofree char *file = g_build_filename(path, "cgroup.procs", NULL);
    int fd = -1;
    gboolean done;

    if (own == NULL || g_str_has_suffix(own, name)) {
        return own != NULL ||
               fail(error, REASON_HOST_CONFIG, "/proc/self/cgroup: %s.", g_strerror(ENOENT));
    }
    if (mkdir(path, 0755) == 0 || errno == EEXIST) {
        fd = open(file, O_WRONLY | O_CLOEXEC);
    }
    done = fd >= 0 && write(fd, "0", 1) == 1;
    if (!done) {
        fail(error, REASON_HOST_CONFIG, _("There is no control group for the program: %s: %s."),
             path, g_strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    return done;
}

static gboolean enter_group(const char *program, const char *way, GError **error)
{
    gboolean systemd = g_file_test("/run/systemd/system", G_FILE_TEST_IS_DIR);

    return systemd ? enter_scope(program, error) : enter_inner_group(way, error);
}

/* ---- the connection ---- */

static const struct seen *choose(const char *name, const GPtrArray *all, GError **error)
{
    const struct seen *seen = NULL;

    if (name != NULL) {
        seen = seen_find(all, name, error);
    } else if (all->len == 1) {
        seen = all->pdata[0];
    } else {
        fail(error, all->len == 0 ? REASON_NOT_FOUND : REASON_USAGE,
             all->len == 0 ? _("Nothing is connected.")
                           : _("There are several connections: name one with --connection."));
    }
    if (seen != NULL && seen->path == NULL) {
        fail(error, REASON_NOT_FOUND, _("The connection is not one of the system service."));
        return NULL;
    }
    return seen;
}

static gboolean lead(struct bus *bus, const char *path, const char *way, GError **error)
{
    int process = (int)syscall(SYS_pidfd_open, getpid(), 0);
    g_autoptr(GVariant) reply = NULL;

    if (process < 0) {
        return fail(error, REASON_HOST_CONFIG, "pidfd_open: %s.", g_strerror(errno));
    }
    reply = bus_call_with_fd(bus, path, VPN1_SESSION_INTERFACE, "AddProcess",
                             g_variant_new("(hs)", 0, way), process, BUS_INTERACTIVE, error);
    close(process);
    return reply != NULL;
}

static int run(const struct options *options)
{
    gboolean outside = options->flags[FLAG_OUTSIDE];
    const char *way = outside ? "outside" : "inside";
    GError *error = NULL;
    struct bus *bus;
    g_autoptr(GPtrArray) all = NULL;
    const struct seen *seen;
    gboolean ready;

    if (outside == options->flags[FLAG_INSIDE]) {
        return cli_fail(REASON_USAGE, _("Either --outside or --inside says which way it goes."));
    }
    bus = bus_open(&error);
    all = bus == NULL ? NULL : seen_all(bus, BUS_NO_START, &error);
    seen = all == NULL ? NULL : choose(options->values[FLAG_CONNECTION], all, &error);
    ready = seen != NULL && enter_group(options->words[0], way, &error) &&
            lead(bus, seen->path, way, &error);
    bus_close(bus);
    if (!ready) {
        return cli_fail_error(REASON_INTERNAL, error);
    }
    execvp(options->words[0], options->words);
    error = g_error_new(CLI_ERROR, REASON_USAGE, "%s: %s.", options->words[0], g_strerror(errno));
    return cli_fail_error(REASON_USAGE, error);
}

const struct command command_run = {
    .name = "run",
    .summary = N_("run a program beside the tunnel, or through it"),
    .usage = &usage,
    .run = run,
};

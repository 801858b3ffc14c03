/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/signals.h"
#include "daemon/holding.h"
#include "daemon/privileges.h"
#include "daemon/service.h"

#define IDLE_SECONDS 60

static const char help[] =
    "Usage: godwitd [--no-idle-exit | --idle-exit=SECONDS]\n\n"
    "The system service of Godwit: makes VPN connections for the users of this machine.\n"
    "It is started by the system bus when it is needed.\n\n"
    "  --idle-exit=SECONDS  end when nothing was connected for so long, 60 unless told\n"
    "  --no-idle-exit       stay when nothing is connected\n"
    "  --version            print the version\n"
    "  --hold               hold traffic if the kill switch is set, then end; needs no bus\n"
    "  --help               print this\n";

static gboolean on_signal(gpointer context)
{
    struct service *const *service = context;
    service_stop(*service);
    return G_SOURCE_CONTINUE;
}

static int run(const struct service_options *options)
{
    static const int signals[] = {SIGTERM, SIGINT};
    g_autoptr(GError) error = NULL;
    struct service *service = NULL;
    GSource *watch = signals_watch(signals, G_N_ELEMENTS(signals), on_signal, &service);
    signal(SIGPIPE, SIG_IGN);
    int status = EXIT_FAILURE;
    service = privileges_drop(&error) ? service_new(options, &error) : NULL;
    if (service) {
        status = service_run(service);
    } else {
        fprintf(stderr, "godwitd: %s\n", error->message);
    }
    service_free(service);
    if (watch) {
        g_source_destroy(watch);
        g_source_unref(watch);
    }
    return status;
}

/* At boot, before there is a network. */
static int hold(void)
{
    g_autoptr(GError) error = NULL;
    gboolean held = holding_apply(&error);
    if (!held) {
        fprintf(stderr, "godwitd: %s\n", error->message);
    }
    return held ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* FALSE when it is none. */
static gboolean read_option(struct service_options *options, const char *text)
{
    guint64 seconds = 0;
    if (strcmp(text, "--no-idle-exit") == 0) {
        options->idle_seconds = 0;
        return TRUE;
    }
    if (!g_str_has_prefix(text, "--idle-exit=") ||
        !g_ascii_string_to_unsigned(strchr(text, '=') + 1, 10, 1, 86400, &seconds, NULL)) {
        return FALSE;
    }
    options->idle_seconds = (guint)seconds;
    return TRUE;
}

int main(int argc, char **argv)
{
    struct service_options options = {.idle_seconds = IDLE_SECONDS};
    gboolean only_hold = FALSE;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--version") == 0) {
            puts("godwitd " PACKAGE_VERSION);
            return EXIT_SUCCESS;
        } else if (strcmp(argv[i], "--help") == 0) {
            fputs(help, stdout);
            return EXIT_SUCCESS;
        } else if (strcmp(argv[i], "--hold") == 0) {
            only_hold = TRUE;
        } else if (!read_option(&options, argv[i])) {
            fprintf(stderr, "godwitd: %s is no option. See godwitd --help.\n", argv[i]);
            return EXIT_FAILURE;
        }
    }
    if (geteuid() != 0) {
        fprintf(stderr, "godwitd: Only root can run the service.\n");
        return EXIT_FAILURE;
    }
    /* Secrets pass through memory that is not ours to wipe (the bus connection's): what is freed is
     * overwritten. */
    (void)mallopt(M_PERTURB, 0xa5);
    return only_hold ? hold() : run(&options);
}

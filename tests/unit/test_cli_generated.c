/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is generated from the tables of commands, keys and reasons: the manual and completions. */
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

#include "common/error.h"
#include "profile/profile.h"
#include "unit/program.h"
#include "vectors.h"

/* A key that is added to the table must show up wherever people look. */
START_TEST(every_key_has_an_option)
{
    struct program_result help = program_run("", "connect --help");
    char *conf, *manual;

    ck_assert(g_file_get_contents(TOP_BUILDDIR "/generated/godwit.conf.5", &conf, NULL, NULL));
    ck_assert(g_file_get_contents(TOP_BUILDDIR "/generated/godwit.1", &manual, NULL, NULL));
    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        gboolean secret = key->type == PROFILE_SECRET;
        char *option = g_strdup_printf("--%s%s", key->name, secret ? "-fd N" : "");
        char *bare = g_strdup_printf("--%s\n", key->name);
        char **parts = g_strsplit(key->name, "-", -1);
        char *escaped = g_strjoinv("\\-", parts);
        char *term = g_strdup_printf("\n\\fB%s\\fR=", escaped);

        expect_contains(conf, term);
        if (secret || (key->flags & PROFILE_NO_OPTION) == 0) {
            expect_contains(help.out, option);
            expect_contains(manual, escaped);
        }
        if (secret) {
            expect_lacks(help.out, bare);
        }
        g_free(term);
        g_free(escaped);
        g_strfreev(parts);
        g_free(bare);
        g_free(option);
    }
    for (char *line = strtok(help.out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        ck_assert_msg(g_utf8_strlen(line, -1) <= 80, "too wide: %s", line);
    }
    g_free(conf);
    g_free(manual);
    program_clear(&help);
}
END_TEST

START_TEST(manual_is_clean)
{
    static const char *const pages[] = {"godwit.1", "godwit.conf.5"};
    char *groff = g_find_program_in_path("groff");

    for (gsize i = 0; groff != NULL && i < G_N_ELEMENTS(pages); i++) {
        char *line = g_strdup_printf("%s -ww -man -Kutf8 -Tutf8 -z %s/generated/%s", groff,
                                     TOP_BUILDDIR, pages[i]);
        char *err;

        ck_assert(g_spawn_command_line_sync(line, NULL, &err, NULL, NULL));
        ck_assert_str_eq(err, "");
        g_free(err);
        g_free(line);
    }
    if (groff == NULL) {
        fputs("groff is not installed: the manual is not checked\n", stderr);
    }
    g_free(groff);
}
END_TEST

START_TEST(manual_has_every_exit_code)
{
    char *manual;

    ck_assert(g_file_get_contents(TOP_BUILDDIR "/generated/godwit.1", &manual, NULL, NULL));
    for (int i = 0; i < REASON_COUNT; i++) {
        char *term = g_strdup_printf("\n\\fB%d\\fR\n", reason_exit_code((enum reason)i));

        expect_contains(manual, term);
        g_free(term);
    }
    g_free(manual);
}
END_TEST

/* ---- completion ---- */

#define COMPLETIONS TOP_BUILDDIR "/generated/completions/"

/* Standard output of a program, which must be content. */
static char *output_of(const char *const *argv)
{
    char *out, *err;
    GError *error = NULL;
    int status;

    ck_assert_msg(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out,
                               &err, &status, &error),
                  "%s: %s", argv[0], error == NULL ? "?" : error->message);
    ck_assert_str_eq(err, "");
    g_free(err);
    return out;
}

static char *complete_in_bash(const char *line)
{
    char *script = g_strdup_printf("source " COMPLETIONS "godwit; COMP_WORDS=(%s); "
                                   "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _godwit; "
                                   "printf '%%s ' \"${COMPREPLY[@]}\"",
                                   line);
    const char *const argv[] = {"bash", "--norc", "-c", script, NULL};
    char *out = output_of(argv);

    g_free(script);
    return out;
}

START_TEST(bash)
{
    static const char *const cases[][2] = {
        {"godwit co", "connect "},
        {"godwit connect x --request-", "--request-ipv4 --request-ipv6 "},
        {"godwit connect x --password", "--password-fd "},
        {"godwit connect --stand", "--standalone "},
        {"godwit connect --auth c", "certificate "},
        {"godwit connect --tunnel ''", "full split "},
        {"godwit connect --port 4", " "},
        {"godwit connect --ca /etc/host", "/etc/host.conf /etc/hostname /etc/hosts "},
        {"godwit connect wo", "work "},
        {"godwit profile sh", "show "},
        {"godwit profile show wo", "work "},
        {"godwit profile add x --eap-i", "--eap-identity "},
        {"godwit profile show x --eap-i", " "},
        {"godwit status --j", "--json "},
        {"godwit disconnect ''", "at\\ sea home "},
        {"godwit disconnect at", "at\\ sea "},
        {"godwit log --f", "--follow "},
        {"godwit killswitch o", "on off "},
        {"godwit killswitch on --e", "--except "},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *got = complete_in_bash(cases[i][0]);

        if (strchr(cases[i][0], '/') != NULL) {
            expect_contains(got, "/etc/host");
        } else {
            ck_assert_msg(strcmp(got, cases[i][1]) == 0, "%s: \"%s\", not \"%s\"", cases[i][0], got,
                          cases[i][1]);
        }
        g_free(got);
    }
}
END_TEST

START_TEST(fish)
{
    /* Candidates as lines, each with its help behind a tab; "" = none. */
    static const char *const cases[][2] = {
        {"godwit con", "connect\tconnect to a gateway\n"},
        {"godwit connect wo", "work\n"},
        {"godwit connect x --password-f", "--password-fd\tPassword\n"},
        {"godwit connect --auth c", "certificate\t"},
        {"godwit connect --no", ""},
        {"godwit profile sh", "show\tPrints the settings of a profile\n"},
        {"godwit profile add x --eap-i", "--eap-identity\tEAP identity\n"},
        {"godwit profile show x --eap-i", ""},
        {"godwit disconnect a", "at sea\n"},
        {"godwit status --j", "--json\tPrint a JSON array, for programs\n"},
        {"godwit killswitch of", "off\tLets traffic go when nothing is connected\n"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *script =
            g_strdup_printf("source " COMPLETIONS "godwit.fish; complete -C '%s'", cases[i][0]);
        const char *const argv[] = {"fish", "--no-config", "-c", script, NULL};
        char *got = output_of(argv);

        /* Where nothing begins so, fish 4 offers what has the same letters further on. */
        gboolean well = *cases[i][1] == '\0' ? !g_str_has_prefix(got, strrchr(cases[i][0], ' ') + 1)
                                             : g_str_has_prefix(got, cases[i][1]);

        ck_assert_msg(well, "%s: \"%s\", not \"%s\"", cases[i][0], got, cases[i][1]);
        g_free(got);
        g_free(script);
    }
}
END_TEST

/* In a real line of zsh's editor: Tab, and a key that shows what the line has become. */
START_TEST(zsh)
{
    static const char *const cases[][2] = {
        {"godwit disc", "godwit disconnect "},
        {"godwit connect wo", "godwit connect work "},
        {"godwit connect --stand", "godwit connect --standalone "},
        {"godwit connect x --eap-i", "godwit connect x --eap-identity="},
        {"godwit connect --auth=cert", "godwit connect --auth=certificate "},
        {"godwit connect --tunnel sp", "godwit connect --tunnel split "},
        {"godwit profile sh", "godwit profile show "},
        {"godwit profile show wo", "godwit profile show work "},
        {"godwit profile add x --eap-i", "godwit profile add x --eap-identity="},
        {"godwit profile show x --eap-i", "godwit profile show x --eap-i"},
        {"godwit disconnect at", "godwit disconnect at\\ sea "},
        {"godwit status --js", "godwit status --json "},
        {"godwit killswitch of", "godwit killswitch off "},
        {"godwit killswitch on --ex", "godwit killswitch on --except="},
    };
    static const char *const argv[] = {"zsh", "-f", "-i", NULL};
    struct terminal t = terminal_open("/bin/zsh", argv);
    char *dump = program_folder("zcompdump");
    char *setup = g_strdup_printf("unsetopt beep prompt_cr; fpath=(" COMPLETIONS
                                  " $fpath); autoload -Uz compinit; "
                                  "compinit -u -d %s; zstyle ':completion:*' menu no; "
                                  "shown() { zle -I; print -r -- \"GOT<$BUFFER>\"; BUFFER= }; "
                                  "zle -N shown; bindkey '^G' shown; PS1='go'; PS1+='> '\n",
                                  dump);

    terminal_type(&t, setup);
    terminal_await(&t, "go> ");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *typed = g_strdup_printf("%s\t\007", cases[i][0]);
        char *want = g_strdup_printf("GOT<%s>", cases[i][1]);

        terminal_type(&t, typed);
        terminal_await(&t, want);
        g_free(want);
        g_free(typed);
    }
    terminal_type(&t, "exit\n");
    ck_assert_int_eq(terminal_end(&t), 0);
    g_free(setup);
    g_free(dump);
}
END_TEST

/* A program of that name, a profile, and two connections. */
static void make_things(void)
{
    char *config = program_folder("config/godwit"),
         *conf = program_folder("config/godwit/work.conf");
    char *folder = program_folder("bin"), *link = program_folder("bin/godwit");
    char *program = program_path(), *path = g_strdup_printf("%s:%s", folder, g_getenv("PATH"));

    if (g_mkdir_with_parents(config, 0700) != 0 || g_mkdir_with_parents(folder, 0700) != 0 ||
        !g_file_set_contents(conf, "[godwit]\ngateway=vpn.example.org\n", -1, NULL) ||
        symlink(program, link) != 0) {
        g_error("no folder for the test");
    }
    g_setenv("PATH", path, TRUE);
    g_setenv("HOME", folder, TRUE);
    g_setenv("FAKE_RECORDS", "home,at sea", TRUE);
    g_free(path);
    g_free(program);
    g_free(link);
    g_free(folder);
    g_free(conf);
    g_free(config);
}

static void add_tests(TCase *tests)
{
    make_things();
    tcase_add_test(tests, every_key_has_an_option);
    tcase_add_test(tests, manual_is_clean);
    tcase_add_test(tests, manual_has_every_exit_code);
    tcase_add_test(tests, bash);
    tcase_add_test(tests, fish);
    tcase_add_test(tests, zsh);
}

int main(void)
{
    return program_suite("cli_generated", add_tests);
}

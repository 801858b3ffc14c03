/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_DAEMON_BED_H
#define GODWIT_TESTS_DAEMON_BED_H

#include <check.h>
#include <gio/gio.h>
#include <sys/types.h>

/*
 * A sandbox with a system bus under our own policy, what stands in for polkit, users on the bus,
 * and godwitd: with sessions that play what their names say (fake_session.c), or with real ones.
 * Everything of it ends with the test's process.
 */
struct daemon_bed {
    GPid daemon;          /* 0 = none runs */
    GHashTable *verdicts; /* of polkit by action: "yes", "no", "challenge", "never"; else "no" */
    guint asked;          /* how often polkit was */
    guint withdrawn;      /* how many questions it was told to forget */
    guint unanswered;     /* how many it did not answer */
    guint most_waiting;   /* of them, and not yet withdrawn: at one time, at the most */
    gboolean interactive; /* whether the last one allowed to ask a person */
    char *folder;         /* of the system profiles */
};

/* Somebody's connection to the bus. */
struct user_on_bus {
    GDBusConnection *bus;
    GPtrArray *signals; /* "PATH MEMBER ARGUMENTS" of every signal of ours that reached it */
};

struct daemon_bed *daemon_bed_new(void);
void daemon_bed_polkit_starts(struct daemon_bed *bed);
void daemon_bed_polkit_says(struct daemon_bed *bed, const char *action, const char *verdict);
/* Runs PROGRAM (of the build's folder) with arguments, NULL-ended, until it has its name. */
void daemon_bed_starts(struct daemon_bed *bed, const char *program, const char *argument);
/* Sends the signal unless it is 0, and waits for its end; the wait status. */
int daemon_bed_ends(struct daemon_bed *bed, int signal);
/* The same; it must end by itself and in order. */
void daemon_bed_ends_well(struct daemon_bed *bed, int signal);

struct user_on_bus *user_arrives(uid_t uid);
void user_leaves(struct user_on_bus *user);
/* A bed with FAKE and three users on its bus: ALICE and BOB may connect, and nothing else. */
struct daemon_bed *daemon_bed_with_users(struct user_on_bus **root, struct user_on_bus **alice,
                                         struct user_on_bus **bob);
/* The reply, or NULL with *error, its name in D-Bus. `path` is what follows /org/godwit/VPN1. */
GVariant *user_calls(struct user_on_bus *user, const char *path, const char *interface,
                     const char *method, GVariant *arguments, char **error);
/* The same with descriptors. */
GVariant *user_calls_fds(struct user_on_bus *user, const char *path, const char *interface,
                         const char *method, GVariant *arguments, GUnixFDList *fds, char **error);
/* Must succeed. */
GVariant *user_gets(struct user_on_bus *user, const char *path, const char *interface,
                    const char *method, GVariant *arguments);
/* Must fail with that error. */
void user_fails(struct user_on_bus *user, const char *path, const char *interface,
                const char *method, GVariant *arguments, const char *error);
/* Connects with a profile as text ("{'user': <'alice'>}", to which a gateway is added); what is
 * behind /org/godwit/VPN1 in the session's path. `script` is its name and what it plays. */
char *user_connects(struct user_on_bus *user, const char *script, const char *profile,
                    const char *options);
/* Waits for a signal that has all of this text. */
void user_hears(struct user_on_bus *user, const char *text);
gboolean user_has_heard(const struct user_on_bus *user, const char *text);
/* What is printed of a property; g_free(). */
char *user_reads(struct user_on_bus *user, const char *path, const char *interface,
                 const char *property);
/* Wait until the property is printed so; of a session. */
void user_reads_in_time(struct user_on_bus *user, const char *path, const char *interface,
                        const char *property, const char *value);
void user_sees(struct user_on_bus *user, const char *path, const char *property, const char *value);

/* All that he may see, printed; g_free(). From then on he is told of what changes. */
char *user_lists(struct user_on_bus *user);
/* He sees the object, or does not. */
void user_expects(struct user_on_bus *user, const char *path, gboolean wanted);
void user_disconnects(struct user_on_bus *user, const char *path);
void user_cannot_connect(struct user_on_bus *user, const char *error);

/* One turn of the main loop that fails the test when it takes too long for any machine. */
void daemon_bed_turn(void);

/* Tests of one kind; an array ends with NULL. */
struct daemon_case {
    const char *name;
    void (*setup)(void), (*teardown)(void);
    const TTest *tests[12];
};
/* Runs them as a suite; the exit code of main(). Each test makes a bed of its own. */
int daemon_bed_suite(const char *name, const struct daemon_case *cases, gsize n_cases);

#define FAKE "tests/unit/godwitd_fake" /* its sessions play */
#define ALICE 65534
#define BOB 2
#define CONNECT "org.godwit.VPN1.connect"

#define MANAGER "org.godwit.VPN1.Manager"
#define SESSION "org.godwit.VPN1.Session"
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define UNKNOWN_OBJECT "org.freedesktop.DBus.Error.UnknownObject"
#define INVALID_ARGS "org.freedesktop.DBus.Error.InvalidArgs"
#define ERROR(name) "org.godwit.VPN1.Error." name

#endif

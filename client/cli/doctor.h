/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_DOCTOR_H
#define GODWIT_CLI_DOCTOR_H

#include "cli/bus.h"
#include "cli/json.h"

/* What godwit doctor has found: a line each, told as it is found. */
enum verdict { VERDICT_OK, VERDICT_NOTE, VERDICT_PROBLEM };

struct doctor {
    struct json *json; /* NULL = for people */
    guint problems;
};

/* `check` is a name of the table's, translated; `fact` and `advice` are taken over. The advice says
 * in a sentence what to do, NULL = nothing. */
void doctor_tell(struct doctor *doctor, const char *check, enum verdict verdict, char *fact,
                 char *advice);

/* Groups of checks. `bus` may be NULL: there is none. */
void doctor_check_host(struct doctor *doctor);
void doctor_check_profiles(struct doctor *doctor);
void doctor_check_others(struct doctor *doctor);
void doctor_check_service(struct doctor *doctor, struct bus *bus, const GError *why);
void doctor_check_dns(struct doctor *doctor);
/* Tokens with certificates (PKCS#11), whose URIs a profile takes; nothing is told when there are
 * none. */
void doctor_check_tokens(struct doctor *doctor);
/* The way to a gateway. Nothing that comes from the network is read: whether a port is refused is
 * what the kernel tells of ICMP, and names are looked up by getent in a process of its own. */
void doctor_check_gateway(struct doctor *doctor, const char *host, guint16 port);

#endif

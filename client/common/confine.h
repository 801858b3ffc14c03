/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_CONFINE_H
#define GODWIT_COMMON_CONFINE_H

#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a process gives up for good, for itself and for all that it starts. To be called while it
 * has one thread; what restricts files and system calls after confine_rights().
 */

/* Root is refused, to whom the rest would mean little; no program that is started gives new rights,
 * and nobody of the same user looks inside. */
bool confine_rights(void) __attribute__((warn_unused_result));

/*
 * Files, by Landlock: none can be opened, or only be read; none executed, made or removed. Without
 * files, TCP leads to the `n` ports alone, and nobody is let in. Processes outside can be sent no
 * signal. What is open stays usable. False when the kernel refuses; a kernel without Landlock, or
 * with less of it, is no failure: the system calls are what is relied on.
 */
enum confine_files {
    CONFINE_NO_FILES,
    CONFINE_READ_FILES,
    CONFINE_USE_FILES, /* read and written too, as far as the user may; no devices, links, sockets
                          made */
};
bool confine_files(enum confine_files files, const uint16_t *ports, size_t n)
    __attribute__((warn_unused_result));

/* One system call in a filter. */
enum confine_action {
    CONFINE_ALLOW,
    CONFINE_ALLOW_SELF, /* its first argument must be our PID */
    CONFINE_FAIL,       /* with `err`: what libraries try, and can do without */
    CONFINE_END,        /* it ends the process */
};
struct confine_rule {
    int call; /* SCMP_SYS(NAME); one that the machine lacks does no harm */
    enum confine_action action;
    int err;
    /* Only where (argument number `argument` & mask) == value; mask 0 = always. A call whose rules
     * all have masks, none of which fits, is as one without a rule. */
    unsigned argument;
    uint64_t mask, value;
};

/*
 * System calls, by seccomp: `rest` is what becomes of those without a rule, CONFINE_ALLOW or
 * CONFINE_END. One that ends the process is not made: a line on standard error names it, *report
 * (if it is a descriptor, not -1) gets a struct confine_report, and the exit code is
 * CONFINE_EXIT_CODE. Once in a process. False when the kernel or libseccomp refuses.
 */
bool confine_calls(const struct confine_rule *rules, size_t n, enum confine_action rest, int report)
    __attribute__((warn_unused_result));

/*
 * The same for a program into which libraries load modules of their own choice (name services,
 * PKCS#11): what none of them may do is named, not what they may. `reach`, CONFINE_END or
 * CONFINE_FAIL, is what becomes of reaching for other programs and processes, the kernel's keys and
 * its rarer interfaces; whoever goes about changing the system is ended.
 */
bool confine_modules(enum confine_action reach) __attribute__((warn_unused_result));

#define CONFINE_EXIT_CODE 159  /* as a shell has it for SIGSYS */
#define CONFINE_REPORT 0x5eccU /* whatever else the reader may find */
struct confine_report {
    uint32_t kind; /* CONFINE_REPORT */
    int32_t call;
};

#endif

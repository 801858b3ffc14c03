/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_SIM_SCENARIOS_H
#define GODWIT_TESTS_SIM_SCENARIOS_H

#include <check.h>
#include <stdint.h>

/* Runs whose outcome is known: handshakes, and what may happen to them. */
TCase *scenarios_outcomes(void);
/* Lost and repeated datagrams, time, strangers. */
TCase *scenarios_network(void);
/* Established: requests of the gateway, the end. */
TCase *scenarios_established(void);
/* Redirections, authentication that ends, restarts. */
TCase *scenarios_notify(void);
/* Rekeying, and what crosses it. */
TCase *scenarios_rekey(void);
/* Sessions resumed from tickets, sleep. */
TCase *scenarios_resume(void);
struct case_table;
/* Their tables of cases; NULL past the end. */
const struct case_table *scenarios_rekey_table(size_t index);
const struct case_table *scenarios_resume_table(size_t index);
/* Every one fault over each of those cases; and every pair of faults, for so many seconds (0 =
 * until all are done) and beginning anywhere by the seed. */
TCase *scenarios_faults(void);
TCase *scenarios_fault_pairs(uint64_t seconds, uint64_t seed);
/* Moving from address to address, and sleep. */
TCase *scenarios_moving(void);
/* A Child SA for each network. */
TCase *scenarios_networks(void);
/* Every two deeds at every distance, with every one datagram lost or late, and with a second one
 * that follows from the seed. */
TCase *scenarios_crossing(uint64_t seed);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_FUZZ_IKE_H
#define GODWIT_TESTS_FUZZ_IKE_H

#include "ike/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run unless a property holds that no input may break. */
void fuzz_require(bool holds);
/* Runs the parser of each payload, and the trace, over a message that was parsed. */
void fuzz_payloads(const struct message *message);
/* The body of a TS payload: what is accepted is written and read again, and stays the same. */
void fuzz_ts(struct bytes body);
/* The body of a CP payload, likewise. */
void fuzz_cp(struct bytes body);

#endif

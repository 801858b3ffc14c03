/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vectors.h"

/* The tables are its own: this object takes the place of the library's. */
#include "../../client/ike/states.c"

/*
 * The state table, row by row: each is reached by what it needs, alone and with all that it allows;
 * what is beyond that is no message of it; nothing stands behind a row that takes everything.
 */

#define N_RESPONSES (sizeof responses / sizeof responses[0])
#define N_REQUESTS (sizeof requests / sizeof requests[0])
/* What may come anywhere is no part of a row. */
#define OWN (UINT64_MAX & ~ALWAYS)

static struct ike ike;
static struct message message;

/* A message of that state with such payloads; with an error notify when it refuses. */
static void compose(enum ike_state state, uint8_t exchange, uint64_t present, bool refusal)
{
    static const uint8_t error[] = {0, 0, 0, N_NO_PROPOSAL_CHOSEN};
    static const uint8_t status[] = {0, 0, 0x40, 0};

    ike.state = state;
    message = (struct message){.header.exchange = exchange, .present = present, .n_payloads = 1};
    message.payloads[0] = (struct payload){.type = P_NOTIFY,
                                           .body = refusal ? bytes_of(error, sizeof error)
                                                           : bytes_of(status, sizeof status)};
    if (refusal) {
        message.present |= HAS(NOTIFY);
    }
}

static const struct response_row *found(const struct response_row *row, uint64_t present)
{
    compose(row->state, row->exchange, present, row->refusal);
    return response_row_of(&ike, &message);
}

static uint64_t allowed(const struct response_row *row)
{
    return row->may == ANYTHING ? 0 : row->may;
}

START_TEST(each_row_is_reached)
{
    const struct response_row *row = &responses[_i];

    ck_assert_ptr_eq(found(row, row->need), row);
    ck_assert_ptr_eq(found(row, row->need | ALWAYS), row);
    for (uint64_t bit = 1; bit != 0; bit <<= 1) {
        const struct response_row *other = found(row, row->need | (allowed(row) & bit));

        /* Or one before it, which wants just that. */
        ck_assert(other == row || (other != NULL && other < row && (other->need & bit) != 0));
        if ((row->need & bit) != 0) {
            ck_assert_ptr_ne(found(row, row->need & ~bit), row);
        }
        if ((bit & OWN & ~(row->need | row->may)) != 0) {
            ck_assert_ptr_ne(found(row, row->need | bit), row);
        }
    }
}
END_TEST

/* An error and what it came with never lead to the same row as success. */
START_TEST(errors_have_rows_of_their_own)
{
    const struct response_row *row = &responses[_i];

    compose(row->state, row->exchange, row->need, !row->refusal);
    ck_assert_ptr_ne(response_row_of(&ike, &message), row);
}
END_TEST

/* No message of another exchange or state. */
START_TEST(rows_are_of_one_state_and_exchange)
{
    const struct response_row *row = &responses[_i];

    for (int state = 0; state < ST_COUNT; state++) {
        for (uint8_t exchange = X_IKE_SA_INIT; exchange <= X_IKE_SESSION_RESUME; exchange++) {
            compose((enum ike_state)state, exchange, row->need, row->refusal);
            if ((enum ike_state)state != row->state || exchange != row->exchange) {
                ck_assert_ptr_ne(response_row_of(&ike, &message), row);
            }
        }
    }
}
END_TEST

/* Every state that waits for a response has rows for an error and for success. */
START_TEST(states_that_wait)
{
    for (int state = 0; state < ST_COUNT; state++) {
        bool waits = state == ST_INIT_SENT || state == ST_AUTH_SENT || state == ST_EAP_SENT ||
                     state == ST_FINISH_SENT || state == ST_CLOSE_SENT || state == ST_RESUME_SENT ||
                     state == ST_RESUME_AUTH_SENT;
        bool rows[2] = {false, false};

        for (size_t i = 0; i < N_RESPONSES; i++) {
            rows[responses[i].refusal] =
                rows[responses[i].refusal] || responses[i].state == (enum ike_state)state;
        }
        ck_assert_int_eq(rows[0], waits);
        ck_assert_int_eq(rows[1], waits);
    }
}
END_TEST

/* Nothing of the gateway's is answered before the IKE SA is established (CVE-2019-12312). */
START_TEST(requests_by_state)
{
    const struct request_row *row = &requests[_i];

    for (int state = 0; state < ST_COUNT; state++) {
        bool open = state == ST_UP || state == ST_CLOSE_TODO || state == ST_CLOSE_SENT;

        compose((enum ike_state)state, row->exchange, row->need, false);
        ck_assert_ptr_eq(request_row_of(&ike, row->exchange), open ? row : NULL);
        ck_assert_ptr_null(request_row_of(&ike, X_IKE_AUTH));
        ck_assert(fits(row->need, row->may, message.present));
        compose((enum ike_state)state, row->exchange, UINT64_MAX, true);
        ck_assert(fits(row->need, row->may, message.present));
        for (uint64_t bit = 1; bit != 0; bit <<= 1) {
            compose((enum ike_state)state, row->exchange, row->need & ~bit, false);
            ck_assert(fits(row->need, row->may, message.present) == ((row->need & bit) == 0));
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ike states");
    TCase *tcase = tcase_create("rows");

    tcase_add_loop_test(tcase, each_row_is_reached, 0, N_RESPONSES);
    tcase_add_loop_test(tcase, errors_have_rows_of_their_own, 0, N_RESPONSES);
    tcase_add_loop_test(tcase, rows_are_of_one_state_and_exchange, 0, N_RESPONSES);
    tcase_add_test(tcase, states_that_wait);
    tcase_add_loop_test(tcase, requests_by_state, 0, N_REQUESTS);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "sim/cases.h"
#include "sim/scenarios.h"

/*
 * Each case of the tables once more, with every one or every two of its datagrams lost, doubled,
 * late or damaged. Nothing is expected but what always holds: it comes to rest, or ends where that
 * may be.
 */

#define DATAGRAMS 12 /* of either side: those of the deeds and of the first repetitions */
#define REST_WITHIN SECONDS(200)
#define LONG_MS 3000
#define PROGRESS_S 60

enum kind { LOST, DOUBLED, LATE, DAMAGED, KINDS };
static const char *const kind_names[] = {"lost", "doubled", "late", "damaged"};

struct fault {
    enum kind kind;
    bool up; /* to the gateway */
    unsigned n;
};

static bool rests_or_ended(const struct sim *sim)
{
    return sim->down || sim_quiet(sim);
}

/* With so many faults the outcome of the row itself is not the only good one. */
static bool may_end(const struct rekey_case *row)
{
    bool may = row->ends != REASON_NONE;

    for (size_t i = 0; i < DEEDS_MAX; i++) {
        enum deed deed = row->deeds[i].deed;

        may = may || deed == WE_DISCONNECT || deed == IT_DELETES_CHILD || deed == IT_DELETES_IKE ||
              deed == IT_LOSES_CHILD || deed == IT_RESTARTS || deed == CUT || deed == WE_SLEEP;
        /* The first exchange is not protected: who damages it undetected wins. */
        may = may || (deed == WE_BEGIN_AGAIN && (row->corrupt_up | row->corrupt_down) != 0);
    }
    return may;
}

static void add(struct rekey_case *row, const struct fault *fault)
{
    uint64_t *const masks[KINDS][2] = {
        [LOST] = {&row->lose_down, &row->lose_up},
        [DOUBLED] = {&row->duplicate_down, &row->duplicate_up},
        [LATE] = {&row->hold_down, &row->hold_up},
        [DAMAGED] = {&row->corrupt_down, &row->corrupt_up},
    };

    *masks[fault->kind][fault->up] |= BIT(fault->n);
}

/* The marks would take most of the time of a case that is long. */
static struct rekey_case copy_of(const struct rekey_case *row)
{
    struct rekey_case copy = *row;
    unsigned last = row->after_s * 1000;

    for (size_t i = 0; i < DEEDS_MAX; i++) {
        last = MAX(last, row->deeds[i].at_ms);
    }
    if (last > LONG_MS) {
        copy.mark_ms = last / 500;
    }
    return copy;
}

static struct sim *play(const struct rekey_case *row)
{
    struct sim *sim = case_connected(row, 1);

    case_play(sim, row);
    if (!sim_run(sim, rests_or_ended, sim->now + REST_WITHIN)) {
        sim_require_quiet(sim);
    }
    if (sim->down && !may_end(row)) {
        sim_violation(sim, "it ends");
    }
    if (!sim->down && row->ends == REASON_NONE) {
        case_hear(sim);
    }
    return sim;
}

static void name(char *out, size_t cap, const struct fault *fault)
{
    (void)snprintf(out, cap, "%s %u %s", fault->up ? "up" : "down", fault->n + 1,
                   kind_names[fault->kind]);
}

/* False, with the ladder, when something that always holds did not. */
static bool faulty(const struct rekey_case *original, const struct fault *a, const struct fault *b)
{
    struct rekey_case row = copy_of(original);
    char first[32], second[32] = "";
    struct sim *sim;
    bool good;

    add(&row, a);
    name(first, sizeof first, a);
    if (b != NULL) {
        add(&row, b);
        name(second, sizeof second, b);
    }
    sim = play(&row);
    good = sim->violations->len == 0;
    if (!good) {
        fprintf(stderr, "%s%s: %s%s%s: %s\n", sim->ladder->str, row.name, first,
                b != NULL ? " and " : "", second, sim->violations->str);
    }
    sim_free(sim);
    return good;
}

/* The faults that its datagrams can have. */
static size_t faults_of(const struct rekey_case *original, struct fault out[2 * DATAGRAMS * KINDS])
{
    struct rekey_case row = copy_of(original);
    struct sim *sim = case_connected(&row, 1);
    size_t up = sim->network.sent_to_gateway, down = sim->network.sent_to_client, n = 0;

    case_play(sim, &row);
    (void)sim_run(sim, rests_or_ended, sim->now + REST_WITHIN);
    up = MIN(sim->network.sent_to_gateway - up, DATAGRAMS);
    down = MIN(sim->network.sent_to_client - down, DATAGRAMS);
    for (size_t i = 0; i < up + down; i++) {
        for (int kind = 0; kind < KINDS; kind++) {
            out[n++] = (struct fault){
                .kind = (enum kind)kind, .up = i < up, .n = (unsigned)(i < up ? i : i - up)};
        }
    }
    sim_free(sim);
    return n;
}

static const struct rekey_case *case_at(size_t index)
{
    const struct case_table *table;

    for (size_t t = 0; (table = case_table_at(t)) != NULL; t++) {
        if (index < table->n) {
            return &table->rows[index];
        }
        index -= table->n;
    }
    return NULL;
}

static size_t n_cases(void)
{
    size_t n = 0;

    while (case_at(n) != NULL) {
        n++;
    }
    return n;
}

START_TEST(every_fault)
{
    struct fault faults[2 * DATAGRAMS * KINDS];
    const struct rekey_case *row = case_at((size_t)_i);
    size_t n = faults_of(row, faults), failed = 0;

    for (size_t i = 0; i < n; i++) {
        failed += !faulty(row, &faults[i], NULL);
    }
    ck_assert_msg(failed == 0, "%s: %zu of %zu faults", row->name, failed, n);
}
END_TEST

TCase *scenarios_faults(void)
{
    TCase *tcase = tcase_create("faults");

    tcase_set_timeout(tcase, 0);
    tcase_add_loop_test(tcase, every_fault, 0, (int)n_cases());
    return tcase;
}

/* ---- pairs ---- */

static uint64_t pairs_seconds, pairs_seed;

struct progress {
    gint64 began, said;
    size_t done, failed, cases;
};

static bool time_is_up(const struct progress *progress)
{
    return pairs_seconds > 0 &&
           g_get_monotonic_time() - progress->began > (gint64)SECONDS(pairs_seconds);
}

static void say(struct progress *progress)
{
    gint64 now = g_get_monotonic_time();

    if (now - progress->said > (gint64)SECONDS(PROGRESS_S)) {
        progress->said = now;
        printf("%zu pairs over %zu of %zu cases, %zu failed\n", progress->done, progress->cases,
               n_cases(), progress->failed);
        fflush(stdout);
    }
}

static void pairs_of(const struct rekey_case *row, struct progress *progress)
{
    struct fault faults[2 * DATAGRAMS * KINDS];
    size_t n = faults_of(row, faults);

    for (size_t a = 0; a < n; a++) {
        for (size_t b = a + 1; b < n && !time_is_up(progress); b++) {
            if (faults[a].up == faults[b].up && faults[a].n == faults[b].n) {
                continue; /* the same datagram */
            }
            progress->failed += !faulty(row, &faults[a], &faults[b]);
            progress->done++;
        }
        say(progress);
    }
}

START_TEST(every_pair_of_faults)
{
    struct progress progress = {.began = g_get_monotonic_time(), .said = g_get_monotonic_time()};
    size_t cases = n_cases(), first = pairs_seconds > 0 ? (size_t)(pairs_seed % cases) : 0;

    for (size_t i = 0; i < cases && !time_is_up(&progress); i++) {
        pairs_of(case_at((first + i) % cases), &progress);
        progress.cases++;
    }
    printf("%zu pairs of faults over %zu of %zu cases\n", progress.done, progress.cases, cases);
    fflush(stdout);
    ck_assert_msg(progress.failed == 0, "%zu of %zu pairs failed", progress.failed, progress.done);
}
END_TEST

TCase *scenarios_fault_pairs(uint64_t seconds, uint64_t seed)
{
    TCase *tcase = tcase_create("pairs");

    pairs_seconds = seconds;
    pairs_seed = seed >> 20;
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, every_pair_of_faults);
    return tcase;
}

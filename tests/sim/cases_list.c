/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "sim/cases.h"
#include "sim/scenarios.h"

/* The tables of cases, as Markdown. */

const struct case_table *case_table_at(size_t index)
{
    size_t n = 0;

    while (scenarios_rekey_table(n) != NULL) {
        n++;
    }
    return index < n ? scenarios_rekey_table(index) : scenarios_resume_table(index - n);
}

static const char *deed_name(enum deed deed)
{
    switch (deed) {
    case NOTHING:
        break;
    case WE_REKEY_CHILD:
        return "we rekey the Child SA";
    case WE_REKEY_IKE:
        return "we rekey the IKE SA";
    case WE_DISCONNECT:
        return "we disconnect";
    case IT_REKEYS_CHILD:
        return "gateway rekeys the Child SA";
    case IT_REKEYS_IKE:
        return "gateway rekeys the IKE SA";
    case IT_DELETES_CHILD:
        return "gateway deletes the Child SA";
    case IT_DELETES_OLD:
        return "gateway deletes what we should";
    case IT_DELETES_IKE:
        return "gateway deletes the IKE SA";
    case IT_CHECKS:
        return "gateway asks whether we live";
    case IT_LOSES_CHILD:
        return "gateway loses the Child SA";
    case IT_RESTARTS:
        return "gateway restarts";
    case CUT:
        return "network cut";
    case HEAL:
        return "network heals";
    case WE_BEGIN_AGAIN:
        return "new engine";
    case WE_SLEEP:
        return "2 h of sleep";
    }
    return "";
}

static void list_deeds(const struct rekey_case *row)
{
    for (size_t i = 0; i < DEEDS_MAX && row->deeds[i].deed != NOTHING; i++) {
        printf("%s%s", i > 0 ? ", " : "", deed_name(row->deeds[i].deed));
        if (row->deeds[i].at_ms > 0) {
            printf(" (%u ms)", row->deeds[i].at_ms);
        }
    }
}

static void list_mask(const char *what, uint64_t mask)
{
    if (mask == 0) {
        return;
    }
    printf(" %s", what);
    for (unsigned n = 0; n < 64; n++) {
        if ((mask & BIT(n)) != 0) {
            printf(" %u", n + 1);
        }
    }
}

static void list_end(const struct rekey_case *row)
{
    static const char *const makers[] = {"either", "the first", "ours", "the gateway's"};
    static const char *const hows[] = {"", ", by ticket", ", in full"};

    if (row->ends != REASON_NONE) {
        printf("ends: %s", reason_name(row->ends));
    } else {
        printf("Child SA: %s, IKE SA: %s%s", makers[row->child], makers[row->sa], hows[row->how]);
    }
}

static void list_row(const struct rekey_case *row)
{
    static const char *const lowests[] = {"", "our Ni", "our Nr", "its Ni", "its Nr"};

    printf("| %s | ", row->name);
    list_deeds(row);
    printf(" | %s |", lowests[row->lowest]);
    list_mask("lost to the gateway:", row->lose_up);
    list_mask("lost to us:", row->lose_down);
    list_mask("late to the gateway:", row->hold_up);
    list_mask("late to us:", row->hold_down);
    printf(" | ");
    list_end(row);
    printf(" |\n");
}

void cases_list(void)
{
    const struct case_table *table;
    size_t n = 0;

    for (size_t t = 0; (table = case_table_at(t)) != NULL; t++) {
        printf("%s## %s: %zu cases\n\n", t > 0 ? "\n" : "", table->test, table->n);
        printf("| case | what happens | lowest nonce | datagrams | what is left |\n");
        printf("|---|---|---|---|---|\n");
        for (size_t i = 0; i < table->n; i++) {
            list_row(&table->rows[i]);
        }
        n += table->n;
    }
    printf("\n%zu cases in all\n", n);
}

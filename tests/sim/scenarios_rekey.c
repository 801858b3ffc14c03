/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/cases.h"
#include "sim/scenarios.h"

#define OUR_X25519 "aes256gcm16-prfsha384-x25519"
#define OUR_BOTH "aes256gcm16-prfsha384-x25519-ecp256"

/* Of the two who rekey at once, the other wants another group than the one that is guessed. */
#define EACH_ANOTHER_GROUP                                                                         \
    {                                                                                              \
        .pfs = GATEWAY_PFS_ALWAYS, .pfs_group = KE_ECP_256, .asks_pfs = true,                      \
        .asks_group = KE_ECP_384                                                                   \
    }
#define EACH_ANOTHER_GROUP_FOR_IKE                                                                 \
    {                                                                                              \
        .ike_group = KE_ECP_256, .asks_group = KE_ECP_384                                          \
    }

/* test_child_rekey of strongSwan, but for its cases of RFC 9370, which the engine does not offer.
 * Of the two who rekey at once, that with the lowest nonce among its exchange's closes its own: so
 * `lowest` names the loser. Both sides of it are in each row: "we" are the engine. */
static const struct rekey_case child_rekey[] = {
    {"regular: we", {{WE_REKEY_CHILD, 0}}, .child = OURS, .sa = FIRST},
    {"regular: gateway", {{IT_REKEYS_CHILD, 0}}, .child = ITS, .sa = FIRST},
    {"regular: we, PFS wanted",
     {{WE_REKEY_CHILD, 0}},
     .gateway.pfs = GATEWAY_PFS_ALWAYS,
     .child = OURS},
    {"regular: we, PFS refused",
     {{WE_REKEY_CHILD, 0}},
     .gateway.pfs = GATEWAY_PFS_NEVER,
     .child = OURS},
    {"regular: gateway, PFS", {{IT_REKEYS_CHILD, 0}}, .gateway.asks_pfs = true, .child = ITS},
    {"regular: gateway sends along it at once",
     {{WE_REKEY_CHILD, 0}},
     .gateway.eager = true,
     .child = OURS},
    {"regular: twice, by each",
     {{WE_REKEY_CHILD, 0}, {IT_REKEYS_CHILD, 100}, {WE_REKEY_CHILD, 200}, {IT_REKEYS_CHILD, 300}},
     .child = ITS},
    {"regular_ke_invalid: we",
     {{WE_REKEY_CHILD, 0}},
     .gateway = {.pfs = GATEWAY_PFS_ALWAYS, .pfs_group = KE_ECP_256},
     .ike = OUR_BOTH,
     .child = OURS},
    {"regular_ke_invalid: gateway",
     {{IT_REKEYS_CHILD, 0}},
     .gateway = {.asks_pfs = true, .asks_group = KE_ECP_384},
     .ike = OUR_X25519,
     .child = ITS},
    {"regular_responder_ignore_soft_expire",
     {{IT_REKEYS_CHILD, 0}},
     .gateway.leaves_behind = true,
     .child_lifetime_s = 30,
     .within_s = 120},
    {"regular_responder_handle_hard_expire",
     {{IT_REKEYS_CHILD, 0}},
     .gateway.leaves_behind = true,
     .within_s = 90,
     .child = ITS},
    {"regular_responder_delete", {{WE_REKEY_CHILD, 0}, {IT_DELETES_OLD, 6}}, .child = OURS},
    {"regular_responder_lost_sa",
     {{IT_LOSES_CHILD, 0}, {WE_REKEY_CHILD, 0}},
     .no_traffic = true,
     .child = OURS},
    {"regular_responder_lost_sa: narrowed selectors only",
     {{IT_LOSES_CHILD, 0}, {WE_REKEY_CHILD, 0}},
     .gateway.ts = GATEWAY_TS_NARROWED,
     .no_traffic = true,
     .child = OURS},
    {"regular_responder_lost_sa: original selectors only",
     {{IT_LOSES_CHILD, 0}, {WE_REKEY_CHILD, 0}},
     .gateway.ts = GATEWAY_TS_ORIGINAL,
     .no_traffic = true,
     .child = OURS},
    {"regular_responder_lost_sa: and makes no new one",
     {{IT_LOSES_CHILD, 0}, {WE_REKEY_CHILD, 0}},
     .gateway.no_new_child = true,
     .no_traffic = true,
     .ends = REASON_GATEWAY_CLOSED,
     .within_s = 60},
    {"regular_responder_incorrect_delete",
     {{WE_REKEY_CHILD, 0}, {IT_DELETES_OLD, 12}},
     .child = OURS},
    {"regular_delete_timeout: ours lost thrice",
     {{WE_REKEY_CHILD, 0}},
     .lose_up = BIT(1) | BIT(2) | BIT(3),
     .child = OURS,
     .within_s = 20},
    {"regular_delete_timeout: the gateway's lost thrice",
     {{IT_REKEYS_CHILD, 0}},
     .lose_down = BIT(1) | BIT(2) | BIT(3),
     .child = ITS,
     .within_s = 20},

    {"collision", {{WE_REKEY_CHILD, 0}, {IT_REKEYS_CHILD, 0}}, OUR_NI, .child = ITS},
    {"collision", {{WE_REKEY_CHILD, 0}, {IT_REKEYS_CHILD, 0}}, ITS_NR, .child = ITS},
    {"collision", {{WE_REKEY_CHILD, 0}, {IT_REKEYS_CHILD, 0}}, OUR_NR, .child = OURS},
    {"collision", {{WE_REKEY_CHILD, 0}, {IT_REKEYS_CHILD, 0}}, ITS_NI, .child = OURS},
    {"collision_mixed: PFS of the gateway only",
     {{WE_REKEY_CHILD, 0}, {IT_REKEYS_CHILD, 0}},
     OUR_NI,
     .gateway = {.pfs = GATEWAY_PFS_NEVER, .asks_pfs = true},
     .within_s = 30},
    {"collision_mixed: PFS of ours only",
     {{WE_REKEY_CHILD, 0}, {IT_REKEYS_CHILD, 0}},
     OUR_NI,
     .gateway.pfs = GATEWAY_PFS_ALWAYS,
     .child = ITS},
    {"collision_mixed: PFS of ours only",
     {{WE_REKEY_CHILD, 0}, {IT_REKEYS_CHILD, 0}},
     ITS_NI,
     .gateway.pfs = GATEWAY_PFS_ALWAYS,
     .child = OURS},

#define DELAYED(which, whose, name, ...)                                                           \
    {                                                                                              \
        "collision_" name, {{WE_REKEY_CHILD, 0}, {IT_REKEYS_CHILD, 0}}, which, .child = whose,     \
                                                                               __VA_ARGS__         \
    }
    DELAYED(OUR_NI, ITS, "delayed_response: to us", .hold_down = BIT(1)),
    DELAYED(OUR_NR, OURS, "delayed_response: to us", .hold_down = BIT(1)),
    DELAYED(ITS_NI, OURS, "delayed_response: to us", .hold_down = BIT(1)),
    DELAYED(ITS_NR, ITS, "delayed_response: to us", .hold_down = BIT(1)),
    DELAYED(OUR_NI, ITS, "delayed_response: to the gateway", .hold_up = BIT(1)),
    DELAYED(OUR_NR, OURS, "delayed_response: to the gateway", .hold_up = BIT(1)),
    DELAYED(ITS_NI, OURS, "delayed_response: to the gateway", .hold_up = BIT(1)),
    DELAYED(ITS_NR, ITS, "delayed_response: to the gateway", .hold_up = BIT(1)),
    DELAYED(OUR_NI, ITS, "delayed_response_delete: both and a Delete", .hold_down = BIT(1),
            .lose_down = BIT(2)),
    DELAYED(OUR_NR, OURS, "delayed_response_delete: both and a Delete", .hold_up = BIT(1),
            .lose_up = BIT(2)),
    DELAYED(ITS_NI, OURS, "delayed_response_delete: both and a Delete", .hold_up = BIT(1),
            .lose_up = BIT(2)),
    DELAYED(ITS_NR, ITS, "delayed_response_delete: both and a Delete", .hold_down = BIT(1),
            .lose_down = BIT(2)),
    DELAYED(OUR_NI, ITS, "lost responses", .lose_down = BIT(1), .lose_up = BIT(1)),
    DELAYED(OUR_NR, OURS, "lost responses", .lose_down = BIT(1), .lose_up = BIT(1)),
    DELAYED(ANY, ITS, "delayed_request: ours", .hold_up = BIT(0)),
    DELAYED(OUR_NI, ITS, "delayed_request: ours", .hold_up = BIT(0)),
    DELAYED(ITS_NI, ITS, "delayed_request: ours", .hold_up = BIT(0)),
    DELAYED(ANY, OURS, "delayed_request: the gateway's", .hold_down = BIT(0)),
    DELAYED(OUR_NI, OURS, "delayed_request: the gateway's", .hold_down = BIT(0)),
    DELAYED(ITS_NI, OURS, "delayed_request: the gateway's", .hold_down = BIT(0)),
    /* The request arrives between the response to the other one and its Delete. */
    DELAYED(ANY, ITS, "delayed_request_more: ours", .hold_up = BIT(0), .hold_ms = 7),
    DELAYED(ITS_NI, ITS, "delayed_request_more: ours", .hold_up = BIT(0), .hold_ms = 7),
    DELAYED(ANY, OURS, "delayed_request_more: the gateway's", .hold_down = BIT(0), .hold_ms = 7),
    DELAYED(OUR_NI, OURS, "delayed_request_more: the gateway's", .hold_down = BIT(0), .hold_ms = 7),
    DELAYED(ANY, ITS, "delayed_request_more_delete: ours", .hold_up = BIT(0) | BIT(2)),
    DELAYED(ANY, OURS, "delayed_request_more_delete: the gateway's", .hold_down = BIT(0) | BIT(2)),
    DELAYED(ANY, WHOEVER, "dropped requests", .lose_up = BIT(0), .lose_down = BIT(0)),
#undef DELAYED

    {"collision_ke_invalid",
     {{WE_REKEY_CHILD, 0}, {IT_REKEYS_CHILD, 0}},
     ITS_NI,
     .gateway = EACH_ANOTHER_GROUP,
     .ike = OUR_BOTH,
     .child = OURS},
    {"collision_ke_invalid",
     {{WE_REKEY_CHILD, 0}, {IT_REKEYS_CHILD, 0}},
     ITS_NR,
     .gateway = EACH_ANOTHER_GROUP,
     .ike = OUR_BOTH,
     .child = ITS},
    {"collision_ke_invalid_delayed_retry: ours",
     {{WE_REKEY_CHILD, 0}, {IT_REKEYS_CHILD, 0}},
     .hold_up = BIT(2),
     .hold_ms = 200,
     .gateway = EACH_ANOTHER_GROUP,
     .ike = OUR_BOTH,
     .child = ITS},
    {"collision_ke_invalid_delayed_retry: the gateway's",
     {{WE_REKEY_CHILD, 0}, {IT_REKEYS_CHILD, 0}},
     .hold_down = BIT(2),
     .hold_ms = 200,
     .gateway = EACH_ANOTHER_GROUP,
     .ike = OUR_BOTH,
     .child = OURS},
    {"collision, and the gateway rekeys what it has made before our answer comes",
     {{WE_REKEY_CHILD, 0}, {IT_REKEYS_CHILD, 0}, {IT_REKEYS_CHILD, 20}},
     OUR_NI,
     .hold_down = BIT(1),
     .child = ITS},
    {"collision_responder_incorrect_delete",
     {{WE_REKEY_CHILD, 0}, {IT_REKEYS_CHILD, 0}, {IT_DELETES_OLD, 12}},
     OUR_NI,
     .child = ITS},

    /* RFC 7296 2.25.1: TEMPORARY_FAILURE, CHILD_SA_NOT_FOUND, or it is rekeyed before it goes: a
     * new one is made in each order. */
    {"collision_delete: of the gateway",
     {{WE_REKEY_CHILD, 0}, {IT_DELETES_CHILD, 0}},
     .no_traffic = true,
     .child = OURS},
    {"collision_delete: we first",
     {{WE_REKEY_CHILD, 0}, {IT_DELETES_CHILD, 4}},
     .no_traffic = true,
     .child = OURS},
    {"collision_delete: it first",
     {{IT_DELETES_CHILD, 0}, {WE_REKEY_CHILD, 3}},
     .no_traffic = true,
     .child = OURS},
    {"collision_delete: the gateway has made the new one",
     {{WE_REKEY_CHILD, 0}, {IT_DELETES_OLD, 6}},
     .no_traffic = true,
     .child = OURS},
    {"collision_delete_drop_delete",
     {{WE_REKEY_CHILD, 0}, {IT_DELETES_CHILD, 0}},
     .lose_down = BIT(0),
     .no_traffic = true,
     .child = OURS},
    {"collision_delete_drop_rekey",
     {{WE_REKEY_CHILD, 0}, {IT_DELETES_CHILD, 0}},
     .lose_up = BIT(0),
     .no_traffic = true,
     .child = OURS},
    {"collision_delete_delayed_rekey",
     {{WE_REKEY_CHILD, 0}, {IT_DELETES_CHILD, 0}},
     .hold_up = BIT(0),
     .no_traffic = true,
     .child = OURS},
    {"collision_delete_delayed_response",
     {{WE_REKEY_CHILD, 0}, {IT_DELETES_CHILD, 0}},
     .hold_down = BIT(1),
     .hold_ms = 200,
     .no_traffic = true,
     .child = OURS},
    {"collision_delete, and no new one is made",
     {{WE_REKEY_CHILD, 0}, {IT_DELETES_CHILD, 0}},
     .gateway.no_new_child = true,
     .no_traffic = true,
     .ends = REASON_GATEWAY_CLOSED,
     .within_s = 60},

    {"collision_ike_rekey: we the Child SA",
     {{WE_REKEY_CHILD, 0}, {IT_REKEYS_IKE, 0}},
     .child = OURS,
     .sa = ITS,
     .after_s = 6,
     .within_s = 20},
    {"collision_ike_rekey: the gateway the Child SA",
     {{WE_REKEY_IKE, 0}, {IT_REKEYS_CHILD, 0}},
     .child = ITS,
     .sa = OURS,
     .after_s = 6,
     .within_s = 20},
    {"collision_ike_delete: the gateway ends",
     {{WE_REKEY_CHILD, 0}, {IT_DELETES_IKE, 0}},
     .ends = REASON_GATEWAY_CLOSED},
    {"collision_ike_delete: we end",
     {{IT_REKEYS_CHILD, 0}, {WE_DISCONNECT, 0}},
     .ends = REASON_USER},

    /* RFC 7296 1.3, 2.9.2, 2.25: refusals, and what is tried then. */
    {"narrowed selectors only",
     {{WE_REKEY_CHILD, 0}},
     .gateway.ts = GATEWAY_TS_NARROWED,
     .child = OURS},
    {"original selectors only",
     {{WE_REKEY_CHILD, 0}},
     .gateway.ts = GATEWAY_TS_ORIGINAL,
     .child = OURS},
    {"original selectors: gateway",
     {{IT_REKEYS_CHILD, 0}},
     .gateway.ts = GATEWAY_TS_ORIGINAL,
     .child = ITS},
    {"TEMPORARY_FAILURE once",
     {{WE_REKEY_CHILD, 0}},
     .gateway.refuse_child = {N_TEMPORARY_FAILURE},
     .after_s = 5,
     .within_s = 15,
     .child = OURS},
    {"NO_ADDITIONAL_SAS",
     {{WE_REKEY_CHILD, 0}},
     .gateway.refuse_child = {N_NO_ADDITIONAL_SAS},
     .after_s = 5,
     .within_s = 15,
     .child = OURS},
    {"NO_ADDITIONAL_SAS for ever",
     {{WE_REKEY_CHILD, 0}},
     .gateway = {.refuse_child = {N_NO_ADDITIONAL_SAS}, .refuse_forever = true},
     .child_lifetime_s = 60,
     .reauths = 1,
     .ends = REASON_GATEWAY_REFUSED,
     .within_s = 200},
    {"NO_PROPOSAL_CHOSEN once",
     {{WE_REKEY_CHILD, 0}},
     .gateway.refuse_child = {N_NO_PROPOSAL_CHOSEN},
     .child = OURS},
    {"INVALID_SYNTAX",
     {{WE_REKEY_CHILD, 0}},
     .gateway.refuse_child = {N_INVALID_SYNTAX},
     .ends = REASON_GATEWAY_REFUSED},
    {"TEMPORARY_FAILURE for ever",
     {{WE_REKEY_CHILD, 0}},
     .gateway = {.refuse_child = {N_TEMPORARY_FAILURE}, .refuse_forever = true},
     .child_lifetime_s = 60,
     .ends = REASON_GATEWAY_REFUSED,
     .within_s = 200},
    {"by our lifetime", .child_lifetime_s = 10, .child = OURS, .after_s = 12, .within_s = 30},
    {"by our lifetimes, the gateway's too",
     {{IT_REKEYS_CHILD, 9000}, {IT_REKEYS_IKE, 9100}},
     .child_lifetime_s = 10,
     .ike_lifetime_s = 10,
     .within_s = 60},
};

/* test_ike_rekey of strongSwan, likewise. */
static const struct rekey_case ike_rekey_cases[] = {
    {"regular: we", {{WE_REKEY_IKE, 0}}, .sa = OURS, .child = FIRST},
    {"regular: gateway", {{IT_REKEYS_IKE, 0}}, .sa = ITS, .child = FIRST},
    {"regular: in turns",
     {{WE_REKEY_IKE, 0}, {IT_REKEYS_IKE, 100}, {WE_REKEY_IKE, 200}, {IT_REKEYS_IKE, 300}},
     .sa = ITS,
     .child = FIRST},
    {"regular: Child SAs in the new one",
     {{IT_REKEYS_IKE, 0}, {WE_REKEY_CHILD, 100}, {IT_REKEYS_CHILD, 200}},
     .sa = ITS,
     .child = ITS},
    {"regular_ke_invalid: we",
     {{WE_REKEY_IKE, 0}},
     .gateway.ike_group = KE_ECP_256,
     .ike = OUR_BOTH,
     .sa = OURS},
    {"regular_ke_invalid: gateway",
     {{IT_REKEYS_IKE, 0}},
     .gateway.asks_group = KE_ECP_384,
     .ike = OUR_X25519,
     .sa = ITS},
    {"collision", {{WE_REKEY_IKE, 0}, {IT_REKEYS_IKE, 0}}, OUR_NI, .sa = ITS},
    {"collision", {{WE_REKEY_IKE, 0}, {IT_REKEYS_IKE, 0}}, ITS_NR, .sa = ITS},
    {"collision", {{WE_REKEY_IKE, 0}, {IT_REKEYS_IKE, 0}}, OUR_NR, .sa = OURS},
    {"collision", {{WE_REKEY_IKE, 0}, {IT_REKEYS_IKE, 0}}, ITS_NI, .sa = OURS},
    {"collision_ke_invalid",
     {{WE_REKEY_IKE, 0}, {IT_REKEYS_IKE, 0}},
     ITS_NI,
     .gateway = EACH_ANOTHER_GROUP_FOR_IKE,
     .ike = OUR_BOTH,
     .sa = OURS},
    {"collision_ke_invalid",
     {{WE_REKEY_IKE, 0}, {IT_REKEYS_IKE, 0}},
     ITS_NR,
     .gateway = EACH_ANOTHER_GROUP_FOR_IKE,
     .ike = OUR_BOTH,
     .sa = ITS},
    {"collision_ke_invalid_delayed_retry: ours",
     {{WE_REKEY_IKE, 0}, {IT_REKEYS_IKE, 0}},
     .hold_up = BIT(2),
     .hold_ms = 200,
     .gateway = EACH_ANOTHER_GROUP_FOR_IKE,
     .ike = OUR_BOTH,
     .sa = ITS},
    {"collision_ke_invalid_delayed_retry: the gateway's",
     {{WE_REKEY_IKE, 0}, {IT_REKEYS_IKE, 0}},
     .hold_down = BIT(2),
     .hold_ms = 200,
     .gateway = EACH_ANOTHER_GROUP_FOR_IKE,
     .ike = OUR_BOTH,
     .sa = OURS},

#define DELAYED(which, whose, name, ...)                                                           \
    {                                                                                              \
        "collision_" name, {{WE_REKEY_IKE, 0}, {IT_REKEYS_IKE, 0}}, which,                         \
            .sa = whose, .child = FIRST, __VA_ARGS__                                               \
    }
    DELAYED(OUR_NI, ITS, "delayed_response: to us", .hold_down = BIT(1)),
    DELAYED(OUR_NR, OURS, "delayed_response: to us", .hold_down = BIT(1)),
    DELAYED(ITS_NI, OURS, "delayed_response: to us", .hold_down = BIT(1)),
    DELAYED(ITS_NR, ITS, "delayed_response: to us", .hold_down = BIT(1)),
    DELAYED(OUR_NI, ITS, "delayed_response: to the gateway", .hold_up = BIT(1)),
    DELAYED(OUR_NR, OURS, "delayed_response: to the gateway", .hold_up = BIT(1)),
    DELAYED(ITS_NI, OURS, "delayed_response: to the gateway", .hold_up = BIT(1)),
    DELAYED(ITS_NR, ITS, "delayed_response: to the gateway", .hold_up = BIT(1)),
    DELAYED(OUR_NI, WHOEVER, "lost responses", .lose_down = BIT(1), .lose_up = BIT(1)),
    DELAYED(OUR_NR, WHOEVER, "lost responses", .lose_down = BIT(1), .lose_up = BIT(1)),
    DELAYED(ANY, ITS, "dropped_request: ours", .lose_up = BIT(0)),
    DELAYED(ANY, OURS, "dropped_request: the gateway's", .lose_down = BIT(0)),
    DELAYED(ANY, WHOEVER, "dropped_request: both", .lose_up = BIT(0), .lose_down = BIT(0)),
    DELAYED(ANY, ITS, "delayed_request: ours", .hold_up = BIT(0)),
    DELAYED(ITS_NI, ITS, "delayed_request: ours", .hold_up = BIT(0)),
    DELAYED(ANY, OURS, "delayed_request: the gateway's", .hold_down = BIT(0)),
    DELAYED(OUR_NI, OURS, "delayed_request: the gateway's", .hold_down = BIT(0)),
    DELAYED(ANY, ITS, "delayed_request_and_delete: ours", .hold_up = BIT(0), .hold_down = BIT(1)),
    DELAYED(ANY, OURS, "delayed_request_and_delete: the gateway's", .hold_down = BIT(0),
            .hold_up = BIT(1)),
#undef DELAYED

    {"collision_delete: the gateway",
     {{WE_REKEY_IKE, 0}, {IT_DELETES_IKE, 0}},
     .ends = REASON_GATEWAY_CLOSED},
    {"collision_delete: we", {{IT_REKEYS_IKE, 0}, {WE_DISCONNECT, 0}}, .ends = REASON_USER},
    {"collision_delete_drop_delete: the gateway",
     {{WE_REKEY_IKE, 0}, {IT_DELETES_IKE, 0}},
     .lose_down = BIT(0),
     .ends = REASON_GATEWAY_CLOSED},
    {"collision_delete_drop_delete: we",
     {{IT_REKEYS_IKE, 0}, {WE_DISCONNECT, 0}},
     .lose_up = BIT(0),
     .ends = REASON_USER},
    {"TEMPORARY_FAILURE once",
     {{WE_REKEY_IKE, 0}},
     .gateway.refuse_ike = {N_TEMPORARY_FAILURE},
     .after_s = 5,
     .within_s = 15,
     .sa = OURS},
    {"NO_PROPOSAL_CHOSEN",
     {{WE_REKEY_IKE, 0}},
     .gateway.refuse_ike = {N_NO_PROPOSAL_CHOSEN},
     .within_s = 15},
    {"NO_ADDITIONAL_SAS",
     {{WE_REKEY_IKE, 0}},
     .gateway.refuse_ike = {N_NO_ADDITIONAL_SAS},
     .after_s = 5,
     .within_s = 15,
     .sa = OURS},
    {"NO_ADDITIONAL_SAS for ever",
     {{WE_REKEY_IKE, 0}},
     .gateway = {.refuse_ike = {N_NO_ADDITIONAL_SAS}, .refuse_forever = true},
     .ike_lifetime_s = 60,
     .reauths = 1,
     .ends = REASON_GATEWAY_REFUSED,
     .within_s = 200},
    {"the gateway leaves the old one behind",
     {{IT_REKEYS_IKE, 0}},
     .gateway.leaves_behind = true,
     .sa = ITS,
     .within_s = 120},
    {"by our lifetime", .ike_lifetime_s = 10, .sa = OURS, .after_s = 12, .within_s = 30},
};

/* test_child_delete and test_ike_delete. */
static const struct rekey_case delete_cases[] = {
    {"child delete: regular",
     {{IT_DELETES_CHILD, 0}},
     .no_traffic = true,
     .ends = REASON_GATEWAY_CLOSED},
    {"child delete: collision", {{WE_REKEY_CHILD, 0}, {IT_DELETES_OLD, 6}}, .child = OURS},
    {"child delete: collision_rekey, of what is made",
     {{IT_REKEYS_CHILD, 0}, {IT_DELETES_CHILD, 11}},
     .no_traffic = true,
     .ends = REASON_GATEWAY_CLOSED},
    {"child delete: collision_ike_rekey",
     {{WE_REKEY_IKE, 0}, {IT_DELETES_CHILD, 0}},
     .no_traffic = true,
     .ends = REASON_GATEWAY_CLOSED},
    {"child delete: collision_ike_delete",
     {{WE_DISCONNECT, 0}, {IT_DELETES_CHILD, 0}},
     .ends = REASON_USER},
    {"ike delete: regular, the gateway", {{IT_DELETES_IKE, 0}}, .ends = REASON_GATEWAY_CLOSED},
    {"ike delete: regular, we", {{WE_DISCONNECT, 0}}, .ends = REASON_USER},
    {"ike delete: collision", {{WE_DISCONNECT, 0}, {IT_DELETES_IKE, 0}}, .ends = REASON_USER},
    {"ike delete: collision, the gateway's lost",
     {{WE_DISCONNECT, 0}, {IT_DELETES_IKE, 0}},
     .lose_down = BIT(0),
     .ends = REASON_USER},
    {"ike delete: of an SA that rekeying has made",
     {{IT_REKEYS_IKE, 0}, {WE_DISCONNECT, 7}},
     .ends = REASON_USER},
};

/* The gateway, or the way to it, is gone for a while or for ever (RFC 7296 2.4). */
static const struct rekey_case loss_cases[] = {
    {"the gateway restarts", {{IT_RESTARTS, 0}}, .ends = REASON_GATEWAY_LOST, .within_s = 120},
    {"the gateway restarts, and says that it does not know us",
     {{IT_RESTARTS, 0}},
     .gateway.says_unknown = true,
     .ends = REASON_GATEWAY_LOST,
     .within_s = 120},
    {"the gateway restarts while we rekey the Child SA",
     {{WE_REKEY_CHILD, 0}, {IT_RESTARTS, 3}},
     .ends = REASON_GATEWAY_LOST,
     .within_s = 120},
    {"the gateway restarts while it rekeys the IKE SA",
     {{IT_REKEYS_IKE, 0}, {IT_RESTARTS, 7}},
     .ends = REASON_GATEWAY_LOST,
     .within_s = 120},
    {"partition", {{CUT, 0}}, .ends = REASON_GATEWAY_LOST, .within_s = 120},
    {"partition of 50 s", {{CUT, 0}, {HEAL, 50000}}, .child = FIRST},
    {"partition of 20 s, we rekey the Child SA",
     {{CUT, 0}, {WE_REKEY_CHILD, 1000}, {HEAL, 20000}},
     .child = OURS,
     .after_s = 10,
     .within_s = 60},
    {"partition of 20 s, we rekey the IKE SA",
     {{CUT, 0}, {WE_REKEY_IKE, 1000}, {HEAL, 20000}},
     .sa = OURS,
     .after_s = 10,
     .within_s = 60},
    {"partition of 15 s, the gateway rekeys the Child SA",
     {{CUT, 0}, {IT_REKEYS_CHILD, 1000}, {HEAL, 15000}},
     .child = ITS,
     .within_s = 60},
    {"partition of 15 s, both rekey the IKE SA",
     {{CUT, 0}, {WE_REKEY_IKE, 1000}, {IT_REKEYS_IKE, 1000}, {HEAL, 15000}},
     .after_s = 10,
     .within_s = 60},
    {"partition in the midst of both rekeying the Child SA",
     {{WE_REKEY_CHILD, 0}, {IT_REKEYS_CHILD, 0}, {CUT, 7}, {HEAL, 15000}},
     .after_s = 10,
     .within_s = 60},
    {"partition in the midst of both rekeying the IKE SA",
     {{WE_REKEY_IKE, 0}, {IT_REKEYS_IKE, 0}, {CUT, 7}, {HEAL, 15000}},
     .after_s = 10,
     .within_s = 60},
    {"the gateway gives up in a partition, and we find out",
     {{CUT, 0}, {IT_CHECKS, 0}, {HEAL, 25000}},
     .ends = REASON_GATEWAY_LOST,
     .within_s = 140},
    {"disconnect from a gateway that has restarted",
     {{IT_RESTARTS, 0}, {WE_DISCONNECT, 100}},
     .ends = REASON_USER},
};

const struct case_table *scenarios_rekey_table(size_t index)
{
    static const struct case_table tables[] = {
        {"test_child_rekey", child_rekey, G_N_ELEMENTS(child_rekey)},
        {"test_ike_rekey", ike_rekey_cases, G_N_ELEMENTS(ike_rekey_cases)},
        {"test_delete", delete_cases, G_N_ELEMENTS(delete_cases)},
        {"test_loss", loss_cases, G_N_ELEMENTS(loss_cases)},
    };

    return index < G_N_ELEMENTS(tables) ? &tables[index] : NULL;
}

static void run(const struct rekey_case *row)
{
    struct sim *sim = case_connected(row, 1);

    case_run(sim, row);
    ck_assert_msg(sim->violations->len == 0, "%s: %s\n%s", row->name, sim->violations->str,
                  sim->ladder->str);
    sim_free(sim);
}

START_TEST(test_child_rekey)
{
    run(&child_rekey[_i]);
}
END_TEST

START_TEST(test_ike_rekey)
{
    run(&ike_rekey_cases[_i]);
}
END_TEST

START_TEST(test_delete)
{
    run(&delete_cases[_i]);
}
END_TEST

START_TEST(test_loss)
{
    run(&loss_cases[_i]);
}
END_TEST

/* What has been left behind carries on when its successors are deleted: the latest of it. */
START_TEST(left_behind_carries_on)
{
    const struct rekey_case row = {
        .name = "the gateway leaves two behind and deletes the third",
        .deeds = {{IT_REKEYS_CHILD, 0}, {IT_REKEYS_CHILD, 20}, {IT_DELETES_CHILD, 40}},
        .gateway.leaves_behind = true};
    struct sim *sim = case_connected(&row, 1);

    case_play(sim, &row);
    sim_run(sim, sim_ended, sim->now + SECONDS(100));
    ck_assert_msg(!sim->down && sim->violations->len == 0, "%s\n%s", sim->violations->str,
                  sim->ladder->str);
    ck_assert_msg(gateway_child_in(&sim->gateway, sim_outbound(sim)) != NULL, "%s",
                  sim->ladder->str);
    sim_free(sim);
}
END_TEST

static bool asks_for_another(const struct sim *sim)
{
    return sim->reauths > 0 || sim->down;
}

/* RFC 7296 4: a minimal gateway lets nothing be rekeyed, and goes by the IKE SA being made anew.
 * The carrier is told long before the keys are too old; what it makes then is as good. */
START_TEST(minimal_gateway)
{
    const struct rekey_case row = {.name = "a minimal gateway",
                                   .gateway = {.refuse_child = {N_NO_ADDITIONAL_SAS},
                                               .refuse_ike = {N_NO_ADDITIONAL_SAS},
                                               .refuse_forever = true},
                                   .child_lifetime_s = _i == 0 ? 60 : 0,
                                   .ike_lifetime_s = _i == 0 ? 0 : 60};
    struct sim *sim = case_connected(&row, 1);

    case_start(sim, &row);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_msg(sim_run(sim, asks_for_another, sim->now + SECONDS(80)) && !sim->down, "%s",
                      sim->ladder->str);
        sim_run(sim, NULL, sim->now + SECONDS(90));
        ck_assert_msg(!sim->down && sim->reauths == 1, "%s", sim->ladder->str);
        sim_again(sim);
        ck_assert_msg(sim_run(sim, sim_connected, sim->now + SECONDS(5)), "%s", sim->ladder->str);
    }
    ck_assert_msg(sim->violations->len == 0, "%s\n%s", sim->violations->str, sim->ladder->str);
    sim_free(sim);
}
END_TEST

/* From what is on its way while both sides rekey, one octet flipped, nothing changes. */
START_TEST(rekeying_without_the_keys)
{
    static const enum deed deeds[][2] = {{WE_REKEY_CHILD, IT_REKEYS_CHILD},
                                         {WE_REKEY_IKE, IT_REKEYS_IKE},
                                         {WE_REKEY_CHILD, IT_REKEYS_IKE},
                                         {WE_REKEY_IKE, IT_REKEYS_CHILD}};
    const struct rekey_case row = {
        .name = "forged", .deeds = {{deeds[_i][0], 0}, {deeds[_i][1], 2}}, .no_traffic = true};
    struct sim *sim = case_connected(&row, 1);

    case_start(sim, &row);
    for (uint64_t until = sim->now + 60000; sim->now < until;) {
        sim_run(sim, NULL, sim->now + 2500);
        sim_forge_in_flight(sim);
    }
    ck_assert_msg(sim_run(sim, sim_quiet, sim->now + SECONDS(30)), "%s", sim->ladder->str);
    ck_assert_msg(sim->violations->len == 0, "%s\n%s", sim->violations->str, sim->ladder->str);
    sim_free(sim);
}
END_TEST

TCase *scenarios_rekey(void)
{
    TCase *tcase = tcase_create("rekey");

    tcase_add_loop_test(tcase, test_child_rekey, 0, G_N_ELEMENTS(child_rekey));
    tcase_add_loop_test(tcase, test_ike_rekey, 0, G_N_ELEMENTS(ike_rekey_cases));
    tcase_add_loop_test(tcase, test_delete, 0, G_N_ELEMENTS(delete_cases));
    tcase_add_test(tcase, left_behind_carries_on);
    tcase_add_loop_test(tcase, minimal_gateway, 0, 2);
    tcase_add_loop_test(tcase, rekeying_without_the_keys, 0, 4);
    tcase_add_loop_test(tcase, test_loss, 0, G_N_ELEMENTS(loss_cases));
    return tcase;
}

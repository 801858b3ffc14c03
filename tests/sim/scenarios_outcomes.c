/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenarios.h"
#include "sim/sim.h"

/* One row is one run: what is special about it, and how it must end. */

#define PSK .auth = IKE_AUTH_PSK, .gateway = {.auth = GATEWAY_AUTH_PSK}
/* The demand comes late, when the request has been repeated, and the answer to the copy later
 * still. */
#define ANSWERED_COPY                                                                              \
    .faults = {.hold_to_client = 3, .hold_us = 800000}, .gateway.cookies = 1,                      \
    .gateway.cookie_passes = true
#define SUITES(x, y) .ike = x, .esp = y, .gateway = {.ike = x, .esp = y}

static const struct scenario {
    const char *name;
    struct setup setup;
    enum reason reason; /* REASON_NONE = connected */
    uint64_t within;    /* virtual time; 0 = 1 s */
    const char *says;   /* what the sentence must hold */
    unsigned asks;      /* how often for a secret; 0 = whatever */
} scenarios[] = {
    {.name = "EAP-MSCHAPv2", .setup = {0}},
    {.name = "PSK", .setup = {PSK}},
    {.name = "certificate", .setup = {.auth = IKE_AUTH_CERTIFICATE}},
    {.name = "key on a token", .setup = {.auth = IKE_AUTH_CERTIFICATE, .token = true}},
    {.name = "key on a token that is to be touched",
     .setup = {.auth = IKE_AUTH_CERTIFICATE, .token = true, .token_us = SECONDS(45)},
     .within = SECONDS(46)},
    {.name = "password asked for", .setup = {.ask_password = true}},
    {.name = "authorities arrive late", .setup = {.late_trust = true}},
    {.name = "port 4500 from the start", .setup = {.start_at_4500 = true}},
    {.name = "IPv6 inside", .setup = {.ipv6 = true}},
    {.name = "gateway behind NAT", .setup = {.gateway = {.nat = true}}},

    {.name = "GCM", .setup = {SUITES("aes256gcm16-prfsha384-ecp384", "aes256gcm16-esn")}},
    {.name = "CBC", .setup = {SUITES("aes128-sha256-prfsha256-modp2048", "aes128-sha256-noesn")}},
    {.name = "CCM, AES-CMAC",
     .setup = {SUITES("aes128ccm12-prfaescmac-x25519", "aes128ccm8-noesn")}},
    {.name = "CTR", .setup = {SUITES("aes192ctr-sha384-prfsha384-x448", "aes256ctr-sha512-esn")}},
    {.name = "ChaCha20",
     .setup = {SUITES("chacha20poly1305-prfsha512-ecp521", "chacha20poly1305-noesn")}},
    {.name = "AES-CMAC with MSCHAPv2's MSK",
     .setup = {SUITES("aes128-aescmac-prfaescmac-ecp256", "aes128-aescmac-noesn")}},

    {.name = "cookie", .setup = {.gateway = {.cookies = 1}}},
    {.name = "three cookies", .setup = {.gateway = {.cookies = 3}}},
    {.name = "cookies without end",
     .setup = {.gateway = {.cookies = UINT_MAX}},
     .reason = REASON_PROTOCOL,
     .within = SECONDS(10),
     .says = "cookie"},
    {.name = "cookie, but an older copy is answered",
     .setup = {ANSWERED_COPY},
     .within = SECONDS(4)},
    {.name = "cookie, but an older copy is answered, and the password was typed",
     .setup = {ANSWERED_COPY, .ask_password = true},
     .within = SECONDS(4),
     .asks = 1},
    {.name = "cookie, but an older copy is answered, PSK",
     .setup = {.auth = IKE_AUTH_PSK, .gateway.auth = GATEWAY_AUTH_PSK, ANSWERED_COPY},
     .within = SECONDS(4)},
    {.name = "cookie, but an older copy is answered, certificate",
     .setup = {.auth = IKE_AUTH_CERTIFICATE, ANSWERED_COPY},
     .within = SECONDS(4)},
    {.name = "cookie, but an older copy is answered, key on a token",
     .setup = {.auth = IKE_AUTH_CERTIFICATE, .token = true, ANSWERED_COPY},
     .within = SECONDS(4)},
    {.name = "cookie, but an older copy is answered, and then nothing any more",
     .setup = {.auth = IKE_AUTH_PSK,
               .timeout_us = SECONDS(10),
               .gateway = {.auth = GATEWAY_AUTH_PSK, .cookies = 1, .cookie_passes = true},
               .faults = {.hold_to_client = 3,
                          .hold_us = 800000,
                          .lose_to_gateway = UINT64_MAX << 4}},
     .reason = REASON_GATEWAY_UNREACHABLE,
     .within = SECONDS(10) + 1},
    {.name = "cookie, and a wrong key",
     .setup = {.auth = IKE_AUTH_PSK,
               .psk = "wrong",
               .gateway = {.auth = GATEWAY_AUTH_PSK, .cookies = 1}},
     .reason = REASON_AUTH_FAILED},
    {.name = "another group", .setup = {.gateway = {.demands = {KE_ECP_384}, .n_demands = 1}}},
    {.name = "cookie, then another group",
     .setup = {.gateway = {.cookies = 1, .demands = {KE_ECP_384}, .n_demands = 1}}},
    {.name = "cookie and another group over a slow path",
     .setup = {.gateway = {.cookies = 1, .demands = {KE_ECP_384}, .n_demands = 1},
               .faults = {.delay_min_us = 700000, .delay_max_us = 700001}},
     .within = SECONDS(16)},
    {.name = "groups without end",
     .setup = {.gateway = {.demands = {KE_ECP_384, KE_ECP_256},
                           .n_demands = 2,
                           .demand_forever = true}},
     .reason = REASON_NO_PROPOSAL_CHOSEN,
     .within = SECONDS(10),
     .says = "INVALID_KE_PAYLOAD"},
    {.name = "a group that was not offered",
     .setup = {.ike = "aes256gcm16-prfsha384-x25519",
               .gateway = {.demands = {KE_MODP_1024}, .n_demands = 1}},
     .reason = REASON_NO_PROPOSAL_CHOSEN,
     .within = SECONDS(10),
     .says = "modp1024"},
    {.name = "no common IKE algorithms",
     .setup = {.ike = "aes256gcm16-prfsha384-x25519",
               .gateway = {.ike = "aes128-sha1-prfsha1-modp1024"}},
     .reason = REASON_NO_PROPOSAL_CHOSEN,
     .within = SECONDS(10),
     .says = "aes256gcm16-prfsha384-x25519"},
    {.name = "IKEv1 only",
     .setup = {.gateway = {.ikev1 = true}},
     .reason = REASON_GATEWAY_REFUSED,
     .within = SECONDS(10),
     .says = "version 1"},
    {.name = "unknown error in IKE_SA_INIT",
     .setup = {.gateway = {.init_error = 8192}},
     .reason = REASON_GATEWAY_REFUSED,
     .within = SECONDS(10)},

    {.name = "redirected in IKE_SA_INIT",
     .setup = {.gateway = {.redirect_init = GATEWAY_REDIRECT_IPV4}},
     .reason = REASON_REDIRECTED,
     .says = "203.0.113.7"},
    {.name = "redirected behind a cookie",
     .setup = {.gateway = {.cookies = 1, .redirect_init = GATEWAY_REDIRECT_NAME}},
     .reason = REASON_REDIRECTED,
     .says = "gw2.example.org"},
    {.name = "redirected to itself in IKE_SA_INIT",
     .setup = {.gateway = {.redirect_init = GATEWAY_REDIRECT_ITSELF}},
     .reason = REASON_PROTOCOL,
     .within = SECONDS(10),
     .says = "itself"},
    {.name = "redirected to us in IKE_SA_INIT",
     .setup = {.gateway = {.redirect_init = GATEWAY_REDIRECT_CLIENT}},
     .reason = REASON_PROTOCOL,
     .within = SECONDS(10),
     .says = "this computer"},
    {.name = "redirected to a number in IKE_SA_INIT",
     .setup = {.gateway = {.redirect_init = GATEWAY_REDIRECT_NUMBER}},
     .reason = REASON_PROTOCOL,
     .within = SECONDS(10)},
    {.name = "redirected in IKE_SA_INIT with another nonce",
     .setup = {.gateway = {.redirect_init = GATEWAY_REDIRECT_STALE}},
     .reason = REASON_GATEWAY_UNREACHABLE,
     .within = SECONDS(31)},
    {.name = "redirected before EAP",
     .setup = {.gateway = {.redirect_auth = GATEWAY_REDIRECT_IPV6}},
     .reason = REASON_REDIRECTED,
     .says = "2001:db8::7"},
    {.name = "redirected beside EAP",
     .setup = {.gateway = {.redirect_auth = GATEWAY_REDIRECT_IPV4, .redirect_and_go_on = true}},
     .reason = REASON_REDIRECTED},
    {.name = "redirected behind EAP",
     .setup = {.gateway = {.redirect_final = GATEWAY_REDIRECT_IPV4}},
     .reason = REASON_REDIRECTED},
    {.name = "redirected with PSK",
     .setup = {.auth = IKE_AUTH_PSK,
               .gateway = {.auth = GATEWAY_AUTH_PSK, .redirect_auth = GATEWAY_REDIRECT_NAME}},
     .reason = REASON_REDIRECTED},
    {.name = "redirected with a certificate, beside the Child SA",
     .setup = {.auth = IKE_AUTH_CERTIFICATE,
               .gateway = {.redirect_auth = GATEWAY_REDIRECT_NAME, .redirect_and_go_on = true}},
     .reason = REASON_REDIRECTED},
    {.name = "redirected by an impostor",
     .setup = {.gateway = {.impostor = true, .redirect_auth = GATEWAY_REDIRECT_IPV4}},
     .reason = REASON_GATEWAY_UNTRUSTED},
    {.name = "redirected by who does not know the MSK",
     .setup = {.gateway = {.wrong_final_auth = true, .redirect_final = GATEWAY_REDIRECT_IPV4}},
     .reason = REASON_GATEWAY_AUTH_FAILED},
    {.name = "redirected to the loopback in IKE_AUTH",
     .setup = {.auth = IKE_AUTH_PSK,
               .gateway = {.auth = GATEWAY_AUTH_PSK, .redirect_auth = GATEWAY_REDIRECT_LOOPBACK}},
     .reason = REASON_PROTOCOL,
     .says = "::1"},
    {.name = "redirected to itself, beside the Child SA",
     .setup = {.auth = IKE_AUTH_PSK,
               .gateway = {.auth = GATEWAY_AUTH_PSK,
                           .redirect_auth = GATEWAY_REDIRECT_ITSELF,
                           .redirect_and_go_on = true}}},

    {.name = "silent gateway",
     .setup = {.gateway = {.silent_init = true}},
     .reason = REASON_GATEWAY_UNREACHABLE,
     .within = SECONDS(31)},
    {.name = "silent from IKE_AUTH on",
     .setup = {.gateway = {.silent_auth = true}},
     .reason = REASON_GATEWAY_UNREACHABLE,
     .within = SECONDS(31),
     .says = "IKE_AUTH"},
    {.name = "late gateway", .setup = {.gateway = {.answer_after = 3}}, .within = SECONDS(8)},

    {.name = "other authority", .setup = {.other_trust = true}, .reason = REASON_GATEWAY_UNTRUSTED},
    {.name = "impostor",
     .setup = {.gateway = {.impostor = true}},
     .reason = REASON_GATEWAY_UNTRUSTED},
    {.name = "expired", .setup = {.clock_shift = 40 * 24 * 3600}, .reason = REASON_GATEWAY_EXPIRED},
    {.name = "certificate for another name",
     .setup = {.gateway = {.wrong_name = true}},
     .reason = REASON_GATEWAY_IDENTITY_MISMATCH,
     .says = PKI_OTHER_NAME},
    {.name = "cve_2015_4171_wrong_id_no_credential",
     .setup = {.gateway = {.wrong_name = true, .id = PKI_GATEWAY}},
     .reason = REASON_GATEWAY_IDENTITY_MISMATCH},
    /* RFC 7296 3.5: IDr need not be in the certificate */
    {.name = "name of its own", .setup = {.gateway = {.id = PKI_OTHER_NAME}}},
    {.name = "wrong signature",
     .setup = {.gateway = {.wrong_auth = true}},
     .reason = REASON_GATEWAY_AUTH_FAILED},
    {.name = "wrong signature, certificate user",
     .setup = {.auth = IKE_AUTH_CERTIFICATE, .gateway = {.wrong_auth = true}},
     .reason = REASON_GATEWAY_AUTH_FAILED},
    {.name = "no certificate",
     .setup = {.gateway = {.no_cert = true}},
     .reason = REASON_GATEWAY_UNTRUSTED},
    {.name = "EAP without proof",
     .setup = {.gateway = {.eap_without_auth = true}},
     .reason = REASON_GATEWAY_AUTH_FAILED},
    {.name = "wrong final AUTH",
     .setup = {.gateway = {.wrong_final_auth = true}},
     .reason = REASON_GATEWAY_AUTH_FAILED},
    {.name = "PSK of the gateway differs",
     .setup = {PSK, .psk = "another"},
     .reason = REASON_AUTH_FAILED},
    {.name = "gateway proves another PSK",
     .setup = {.auth = IKE_AUTH_PSK, .gateway = {.auth = GATEWAY_AUTH_PSK, .wrong_auth = true}},
     .reason = REASON_GATEWAY_AUTH_FAILED},
    {.name = "unknown critical payload",
     .setup = {.gateway = {.unknown_critical = true}},
     .reason = REASON_PROTOCOL},

    {.name = "wrong password",
     .setup = {.password = "wrong"},
     .reason = REASON_AUTH_FAILED,
     .says = "691"},
    {.name = "password expired",
     .setup = {.gateway = {.mschap_error = 648}},
     .reason = REASON_PASSWORD_EXPIRED},
    {.name = "account disabled",
     .setup = {.gateway = {.mschap_error = 647}},
     .reason = REASON_ACCOUNT_DISABLED},
    {.name = "restricted hours",
     .setup = {.gateway = {.mschap_error = 646}},
     .reason = REASON_ACCOUNT_RESTRICTED},
    {.name = "no permission to dial in",
     .setup = {.gateway = {.mschap_error = 649}},
     .reason = REASON_ACCOUNT_RESTRICTED},
    {.name = "the user gives no password",
     .setup = {.no_password = true},
     .reason = REASON_SECRET_MISSING},
    {.name = "cve_2021_45079_success_at_once",
     .setup = {.gateway = {.success_at_once = true}},
     .reason = REASON_PROTOCOL,
     .within = SECONDS(31)},
    {.name = "cve_2021_45079_success_early",
     .setup = {.gateway = {.success_early = true}},
     .reason = REASON_PROTOCOL,
     .within = SECONDS(31)},

    {.name = "AUTHENTICATION_FAILED",
     .setup = {.gateway = {.auth_error = N_AUTHENTICATION_FAILED}},
     .reason = REASON_AUTH_FAILED},
    {.name = "TS_UNACCEPTABLE",
     .setup = {.gateway = {.child_error = N_TS_UNACCEPTABLE}},
     .reason = REASON_TS_UNACCEPTABLE},
    {.name = "TS_UNACCEPTABLE with PSK",
     .setup = {.auth = IKE_AUTH_PSK,
               .gateway = {.auth = GATEWAY_AUTH_PSK, .child_error = N_TS_UNACCEPTABLE}},
     .reason = REASON_TS_UNACCEPTABLE},
    {.name = "INTERNAL_ADDRESS_FAILURE",
     .setup = {.gateway = {.child_error = N_INTERNAL_ADDRESS_FAILURE}},
     .reason = REASON_ADDRESS_UNAVAILABLE},
    {.name = "FAILED_CP_REQUIRED",
     .setup = {.gateway = {.child_error = N_FAILED_CP_REQUIRED}},
     .reason = REASON_ADDRESS_UNAVAILABLE},
    {.name = "no common ESP algorithms",
     .setup = {.esp = "aes256gcm16-noesn", .gateway = {.esp = "aes128-sha256-noesn"}},
     .reason = REASON_NO_PROPOSAL_CHOSEN,
     .says = "aes256gcm16"},
    {.name = "no address in the reply",
     .setup = {.gateway = {.no_address = true}},
     .reason = REASON_ADDRESS_UNAVAILABLE},
    {.name = "selectors that were not offered",
     .setup = {.gateway = {.wide_ts = true}},
     .reason = REASON_PROTOCOL},

    {.name = "fragments of 576", .setup = {.gateway = {.fragment = 576}, .path_mtu = 576}},
    {.name = "fragments of 256", .setup = {.gateway = {.fragment = 256}}},
    {.name = "fragments with a certificate",
     .setup = {.auth = IKE_AUTH_CERTIFICATE, .gateway = {.fragment = 300}, .path_mtu = 576}},
};

static void check_scenario(const struct scenario *scenario, struct sim *sim)
{
    uint64_t within = scenario->within != 0 ? scenario->within : SECONDS(1);
    bool settled = sim_run(sim, sim_settled, SIM_START + within);

    ck_assert_msg(settled, "%s: not settled within %u s\n%s", scenario->name,
                  (unsigned)(within / 1000000), sim->ladder->str);
    ck_assert_msg(sim->reason == scenario->reason, "%s: %s instead of %s\n%s", scenario->name,
                  reason_name(sim->reason), reason_name(scenario->reason), sim->ladder->str);
    ck_assert_msg(scenario->says == NULL || strstr(sim->detail, scenario->says) != NULL,
                  "%s: the sentence lacks “%s”: %s", scenario->name, scenario->says, sim->detail);
    ck_assert_msg(scenario->asks == 0 || sim->asked == scenario->asks,
                  "%s: asked %u times for a secret instead of %u\n%s", scenario->name, sim->asked,
                  scenario->asks, sim->ladder->str);
    if (scenario->reason == REASON_NONE) {
        ike_disconnect(sim->ike, sim->now);
        sim_pump(sim);
        ck_assert(sim_run(sim, sim_ended, sim->now + SECONDS(1)));
        ck_assert_int_eq(sim->reason, REASON_USER);
        ck_assert_msg(sim->gateway.delete_received, "%s: no Delete", scenario->name);
    } else {
        /* "A password is needed" says all there is to say. */
        ck_assert_msg(*sim->detail != '\0' || sim->reason == REASON_SECRET_MISSING,
                      "%s: no sentence", scenario->name);
    }
    ck_assert_msg(sim->violations->len == 0, "%s: %s%s", scenario->name, sim->ladder->str,
                  sim->violations->str);
}

START_TEST(outcome)
{
    const struct scenario *scenario = &scenarios[_i];
    struct sim *sim = sim_new(&scenario->setup, (uint64_t)_i + 1);

    check_scenario(scenario, sim);
    sim_free(sim);
}
END_TEST

TCase *scenarios_outcomes(void)
{
    TCase *tcase = tcase_create("outcomes");

    tcase_add_loop_test(tcase, outcome, 0, G_N_ELEMENTS(scenarios));
    return tcase;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"

#include <string.h>

#include "common/i18n.h"

struct reason_row {
    const char *name;
    const char *sentence;
    const char *hint;
    int exit_code;
};

static const struct reason_row rows[REASON_COUNT] = {
    [REASON_NONE] = {"none", N_("No error."), NULL, 0},
    [REASON_USER] = {"user", N_("Disconnected."), NULL, 0},
    [REASON_INTERNAL] = {"internal", N_("Godwit failed internally."),
                         N_("Run it again with --trace and report what it prints."), 1},
    [REASON_USAGE] = {"usage", N_("The command line is not understood."),
                      N_("See godwit --help or man godwit."), 2},
    [REASON_PROFILE] = {"profile", N_("The profile cannot be used."), NULL, 3},
    [REASON_NOT_ROOT] = {"not-root", N_("A standalone connection needs root."),
                         N_("Run it with sudo."), 4},
    [REASON_NO_TUN] = {"no-tun", N_("The TUN device cannot be opened."),
                       N_("Load the kernel module tun (modprobe tun), or give the container access to "
                          "/dev/net/tun."),
                       5},
    [REASON_HOST_CONFIG] = {"host-config", N_("The host could not be configured for the tunnel."), NULL,
                            6},
    [REASON_RESOLVE] = {"resolve", N_("The gateway's name could not be resolved."),
                        N_("Check the name and the network connection."), 7},
    [REASON_GATEWAY_UNREACHABLE] = {"gateway-unreachable", N_("The gateway does not answer."),
                                    N_("Check its name and that UDP ports 500 and 4500 are open on "
                                       "the way."),
                                    8},
    [REASON_PORT_UNREACHABLE] = {"port-unreachable",
                                 N_("Nothing listens for IKE on the gateway's host."),
                                 N_("Check the gateway's name; its VPN service may be down."), 9},
    [REASON_NO_PROPOSAL_CHOSEN] = {"no-proposal-chosen",
                                   N_("The gateway accepts none of the offered algorithms."),
                                   N_("Set {ike-proposals} and {esp-proposals} to what the gateway "
                                      "offers, or allow legacy algorithms if it is old."),
                                   10},
    [REASON_GATEWAY_UNTRUSTED] = {"gateway-untrusted",
                                  N_("The gateway's certificate is not issued by a trusted authority."),
                                  N_("Give the certificate of its authority with --ca."), 11},
    [REASON_GATEWAY_EXPIRED] = {"gateway-expired",
                                N_("The gateway's certificate is outside its validity dates."),
                                N_("Check this computer's clock, then ask the gateway's administrator."),
                                12},
    [REASON_GATEWAY_IDENTITY_MISMATCH] = {"gateway-identity-mismatch",
                                          N_("The gateway is not who you asked for."),
                                          N_("Connect to a name that its certificate has, or set "
                                             "{remote-identity} to one of them."),
                                          13},
    [REASON_GATEWAY_AUTH_FAILED] = {"gateway-auth-failed", N_("The gateway did not prove its identity."),
                                    NULL, 14},
    [REASON_AUTH_FAILED] = {"auth-failed", N_("The gateway refused the credentials."),
                            N_("Check user name and password, or the certificate or key."), 15},
    [REASON_PASSWORD_EXPIRED] = {"password-expired", N_("The password has expired."),
                                 N_("Change it where the account is managed, then connect again."), 16},
    [REASON_ACCOUNT_DISABLED] = {"account-disabled", N_("The account is disabled."),
                                 N_("Ask the gateway's administrator."), 17},
    [REASON_ACCOUNT_RESTRICTED] = {"account-restricted",
                                   N_("The account may not connect now, or not from here."),
                                   N_("Ask the gateway's administrator."), 18},
    [REASON_SECRET_MISSING] = {"secret-missing", N_("A password is needed and none was given."),
                               N_("Use --password-fd, or run in a terminal to be asked."), 19},
    [REASON_TS_UNACCEPTABLE] = {"ts-unacceptable",
                                N_("The gateway refuses the requested traffic selectors."),
                                N_("Check the {tunnel} and {remote-ts} settings of the profile."), 20},
    [REASON_ADDRESS_UNAVAILABLE] = {"address-unavailable", N_("The gateway assigned no internal address."),
                                    N_("Its address pool may be exhausted or not set up for this user."),
                                    21},
    [REASON_GATEWAY_REFUSED] = {"gateway-refused", N_("The gateway refused the connection."), NULL, 22},
    [REASON_GATEWAY_CLOSED] = {"gateway-closed", N_("The gateway closed the connection."), NULL, 23},
    [REASON_GATEWAY_LOST] = {"gateway-lost", N_("The gateway stopped answering."), NULL, 24},
    [REASON_PROTOCOL] = {"protocol", N_("The gateway sent something that IKEv2 does not allow."),
                         N_("Run it again with --trace and send the trace to the gateway's "
                            "administrator."),
                         25},
    [REASON_WORKER_DIED] = {"worker-died", N_("The tunnel process ended unexpectedly."), NULL, 26},
    [REASON_REDIRECTED] = {"redirected", N_("The gateway sent the connection to another gateway."), NULL, 27},
    [REASON_UDP_BLOCKED] = {"udp-blocked", N_("IKE does not get through to the gateway."),
                            N_("Try another network, such as a phone's: this one may block UDP ports "
                               "500 and 4500."),
                            28},
    [REASON_SERVICE_UNAVAILABLE] = {"service-unavailable",
                                    N_("The system service godwitd is not available."),
                                    N_("Ask \"systemctl status godwitd\" why; without it root can "
                                       "connect with --standalone."),
                                    29},
    [REASON_SERVICE_REFUSED] = {"service-refused", N_("The system service does not do that now."), NULL,
                                30},
    [REASON_NOT_AUTHORIZED] = {"not-authorized", N_("You are not allowed to do that."),
                               N_("Use sudo, or ask this computer's administrator."), 31},
    [REASON_NOT_FOUND] = {"not-found", N_("There is nothing of that name."),
                          N_("See godwit list."), 32},
    [REASON_TOKEN_MISSING] = {"token-missing", N_("The token with the certificate or key is not there."),
                              N_("Insert it. Its PKCS#11 module must be known to p11-kit for the whole "
                                 "system; \"godwit doctor\" lists what there is."),
                              33},
    [REASON_TOKEN_OBJECT] = {"token-object", N_("The token does not hold what the profile names."),
                             N_("Check the URIs of {certificate} and {private-key}; \"godwit doctor\" "
                                "lists those of certificates, \"p11tool --login --list-all\" all that "
                                "a token holds."),
                             34},
    [REASON_PIN_WRONG] = {"pin-wrong", N_("The PIN of the token is wrong."),
                          N_("Make sure of it before you try again: after a few wrong ones a token "
                             "locks itself."),
                          35},
    [REASON_PIN_LOCKED] = {"pin-locked", N_("The token is locked: its PIN was wrong too often."),
                           N_("Unlock it with its PUK, or ask whoever issued it."), 36},
    [REASON_TOKEN_FAILED] = {"token-failed", N_("The token, or the program part that drives it, failed."),
                             N_("Take it out, insert it and connect again; if that does not help, its "
                                "PKCS#11 module may need an update."),
                             37},
    [REASON_TOKEN_UNSUPPORTED] = {"token-unsupported", N_("The token cannot sign in a way that is needed."),
                                  N_("Set {rsa-pss} to the other value, or use another key of the token."),
                                  38},
    [REASON_GATEWAY_CHANGED] = {"gateway-changed",
                                N_("The gateway shows another certificate than the one that you trusted: "
                                   "somebody may be posing as it."),
                                N_("Ask whoever runs it. Only if its certificate was really replaced, "
                                   "remove {gateway-fingerprint} from the connection's settings and "
                                   "connect again."),
                                39},
};

/* In the place of hints for terminals; "" = there is none. */
static const char *const window_hints[REASON_COUNT] = {
    [REASON_INTERNAL] = N_("Show the trace, and report what it says."),
    [REASON_USAGE] = "",
    [REASON_NOT_ROOT] = "",
    [REASON_GATEWAY_UNTRUSTED] = N_("Choose the certificate of its authority under {ca}."),
    [REASON_SECRET_MISSING] = "",
    [REASON_PROTOCOL] = N_("Save the trace and send it to the gateway's administrator."),
    [REASON_SERVICE_UNAVAILABLE] = N_("Ask \"systemctl status godwitd\" why."),
    [REASON_NOT_AUTHORIZED] = N_("Ask this computer's administrator."),
    [REASON_NOT_FOUND] = "",
};

static const struct reason_row *row_of(enum reason reason)
{
    return (unsigned)reason < REASON_COUNT ? &rows[reason] : &rows[REASON_INTERNAL];
}

const char *reason_name(enum reason reason)
{
    return row_of(reason)->name;
}

enum reason reason_from_name(const char *name)
{
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return (enum reason)i;
        }
    }
    return REASON_INTERNAL;
}

const char *reason_sentence(enum reason reason)
{
    return row_of(reason)->sentence;
}

const char *reason_hint(enum reason reason)
{
    return row_of(reason)->hint;
}

const char *reason_window_hint(enum reason reason)
{
    const char *own = (unsigned)reason < REASON_COUNT ? window_hints[reason] : NULL;

    return own == NULL ? reason_hint(reason) : *own == '\0' ? NULL : own;
}

int reason_exit_code(enum reason reason)
{
    return row_of(reason)->exit_code;
}

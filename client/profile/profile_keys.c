/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/i18n.h"
#include "crypto/algs.h"
#include "profile/profile_private.h"

static const char *const auth_choices[] = {"eap", "certificate", "psk", NULL};
static const char *const eap_choices[] = {"mschapv2", NULL};
static const char *const dns_choices[] = {"auto", "all", "domains", "off", NULL};
static const char *const tunnel_choices[] = {"full", "split", NULL};
static const char *const kill_switch_choices[] = {"off", "connected", "always", NULL};
static const char *const auth_labels[] = {N_("User name and password"), N_("Certificate"),
                                          N_("Pre-shared key"), NULL};
static const char *const dns_labels[] = {N_("Automatic"), N_("For all names"),
                                         N_("For the VPN's domains"), N_("For no names"), NULL};
static const char *const tunnel_labels[] = {N_("Everything"), N_("The VPN's networks"), NULL};
static const char *const kill_switch_labels[] = {N_("Off"), N_("While connected"), N_("Always"),
                                                 NULL};

/* The order is the order of forms, --help and the man page. */
static const struct profile_key keys[] = {
    {
        .name = "name",
        .type = PROFILE_STRING,
        .flags = PROFILE_NO_OPTION,
        .metavar = N_("NAME"),
        .label = N_("Name"),
        .help = N_("What people call the connection; the default is the name of the file."),
        .check = check_name,
    },
    {
        .name = "gateway",
        .type = PROFILE_HOST,
        .flags = PROFILE_REQUIRED,
        .metavar = N_("HOST"),
        .label = N_("Gateway"),
        .help = N_("Host name or address of the VPN gateway."),
        .check = check_host,
    },
    {
        .name = "port",
        .type = PROFILE_UINT,
        .flags = PROFILE_ADVANCED,
        .fallback = "500",
        .metavar = N_("PORT"),
        .label = N_("Port"),
        .help = N_("UDP port of the gateway to start at. With 500 the connection moves on to 4500 "
                   "after the first exchange, or begins there when 500 does not answer; with 4500 "
                   "or any other port it stays there."),
        .min = 1,
        .max = 65535,
    },
    {
        .name = "remote-identity",
        .type = PROFILE_STRING,
        .metavar = N_("ID"),
        .label = N_("Gateway's identity"),
        .help =
            N_("Who the gateway must prove to be: a name, an address or an e-mail address that its "
               "certificate has. The default is the gateway as it was typed."),
        .check = check_identity,
    },
    {
        .name = "gateway-fingerprint",
        .type = PROFILE_STRING,
        .flags = PROFILE_ADVANCED,
        .metavar = N_("SHA256"),
        .label = N_("Gateway's fingerprint"),
        .help = N_("SHA-256 fingerprint of the one certificate that the gateway may have, 64 "
                   "hexadecimal digits. No authority needs to vouch for it then, and its names and "
                   "dates do not count. It is set when a person decides to trust a gateway."),
        .check = check_fingerprint,
    },
    {
        .name = "identity",
        .type = PROFILE_STRING,
        .group = PROFILE_IDENTITY,
        .metavar = N_("ID"),
        .label = N_("Own identity"),
        .help =
            N_("Who we say we are (IDi). The default comes from the user name or the certificate."),
        .check = check_identity,
    },
    {
        .name = "auth",
        .type = PROFILE_CHOICE,
        .group = PROFILE_IDENTITY,
        .fallback = "eap",
        .choices = auth_choices,
        .choice_labels = auth_labels,
        .metavar = N_("METHOD"),
        .label = N_("Authentication"),
        .help = N_("How we prove who we are: user name and password (eap), a certificate, or a key "
                   "shared with the gateway (psk)."),
    },
    {
        .name = "user",
        .type = PROFILE_STRING,
        .group = PROFILE_IDENTITY,
        .auth = "eap",
        .metavar = N_("NAME"),
        .label = N_("User name"),
        .help = N_("User name for EAP."),
        .check = check_identity,
    },
    {
        .name = "eap-identity",
        .type = PROFILE_STRING,
        .group = PROFILE_IDENTITY,
        .auth = "eap",
        .flags = PROFILE_ADVANCED,
        .metavar = N_("ID"),
        .label = N_("EAP identity"),
        .help = N_("Answer to the gateway's EAP-Identity request, when it is not the user name."),
        .check = check_identity,
    },
    {
        .name = "eap-methods",
        .type = PROFILE_LIST,
        .group = PROFILE_IDENTITY,
        .auth = "eap",
        .flags = PROFILE_ADVANCED,
        .choices = eap_choices,
        .metavar = N_("LIST"),
        .label = N_("EAP methods"),
        .help = N_("EAP methods that the gateway may ask for; the default is all that there are."),
    },
    {
        .name = "password",
        .type = PROFILE_SECRET,
        .group = PROFILE_IDENTITY,
        .auth = "eap",
        .flags = PROFILE_NO_OPTION,
        .metavar = N_("SECRET"),
        .label = N_("Password"),
        .help = N_("Password of the user. When it is not set, it is asked for."),
    },
    {
        .name = "ca",
        .type = PROFILE_FILE,
        .metavar = N_("FILE"),
        .label = N_("Certification authority"),
        .help =
            N_("Certificates of the authorities that may vouch for the gateway, as a PEM bundle or "
               "DER. The default is the system's store."),
    },
    {
        .name = "certificate",
        .type = PROFILE_FILE,
        .group = PROFILE_IDENTITY,
        .auth = "certificate",
        .flags = PROFILE_TOKEN,
        .metavar = N_("FILE"),
        .label = N_("Certificate"),
        .help = N_("Our own certificate, PEM or DER; intermediate certificates may follow in PEM. "
                   "Or the URI of one on a token or smart card (RFC 7512), such as "
                   "pkcs11:token=Alice;id=%01; when several fit it, you are asked which."),
    },
    {
        .name = "private-key",
        .type = PROFILE_FILE,
        .group = PROFILE_IDENTITY,
        .auth = "certificate",
        .flags = PROFILE_TOKEN,
        .metavar = N_("FILE"),
        .label = N_("Private key"),
        .help = N_("The certificate's private key, PEM or DER, encrypted or not; or the URI of one "
                   "on a token. When the certificate is on a token, its key there is the default."),
    },
    {
        .name = "private-key-password",
        .type = PROFILE_SECRET,
        .group = PROFILE_IDENTITY,
        .auth = "certificate",
        .flags = PROFILE_NO_OPTION,
        .metavar = N_("SECRET"),
        .label = N_("Private key's password"),
        .help =
            N_("Password that opens the private key, or PIN of the token that it is on. When it is "
               "needed and not set, it is asked for."),
    },
    {
        .name = "psk",
        .type = PROFILE_SECRET,
        .group = PROFILE_IDENTITY,
        .auth = "psk",
        .flags = PROFILE_NO_OPTION | PROFILE_OCTETS,
        .metavar = N_("SECRET"),
        .label = N_("Pre-shared key"),
        .help = N_("Key shared with the gateway, for auth=psk."),
    },
    {
        .name = "childless",
        .type = PROFILE_BOOL,
        .group = PROFILE_ALGORITHMS,
        .flags = PROFILE_ADVANCED,
        .fallback = "false",
        .metavar = N_("BOOL"),
        .label = N_("First Child SA on its own"),
        .help =
            N_("Authenticate first and make the first Child SA afterwards, with a key exchange of "
               "its own, when the gateway knows how (RFC 6023). One more round trip; gateways "
               "that insist on it refuse other clients."),
    },
    {
        .name = "rsa-pss",
        .type = PROFILE_BOOL,
        .group = PROFILE_IDENTITY,
        .auth = "certificate",
        .flags = PROFILE_ADVANCED,
        .fallback = "false",
        .metavar = N_("BOOL"),
        .label = N_("Sign with RSASSA-PSS"),
        .help = N_("Sign with RSASSA-PSS instead of PKCS#1 v1.5 when our key is RSA."),
    },
    {
        .name = "ike-proposals",
        .type = PROFILE_LIST,
        .group = PROFILE_ALGORITHMS,
        .flags = PROFILE_ADVANCED,
        .metavar = N_("LIST"),
        .label = N_("IKE algorithms"),
        .help =
            N_("Algorithms for the IKE SA, such as aes256gcm16-prfsha384-x25519; several proposals "
               "are separated by commas. The default suits nearly every gateway."),
        .check = check_ike_proposal,
        .max = PROPOSALS_MAX,
    },
    {
        .name = "esp-proposals",
        .type = PROFILE_LIST,
        .group = PROFILE_ALGORITHMS,
        .flags = PROFILE_ADVANCED,
        .metavar = N_("LIST"),
        .label = N_("ESP algorithms"),
        .help = N_(
            "Algorithms for the traffic, such as aes256gcm16 or aes256-sha256; several proposals "
            "are separated by commas. The default suits nearly every gateway."),
        .check = check_esp_proposal,
        .max = PROPOSALS_MAX,
    },
    {
        .name = "legacy",
        .type = PROFILE_BOOL,
        .group = PROFILE_ALGORITHMS,
        .flags = PROFILE_ADVANCED,
        .fallback = "false",
        .metavar = N_("BOOL"),
        .label = N_("Allow weak algorithms"),
        .help = N_("Allow algorithms that are no longer safe (3DES, MODP 1024 and 1536) and offer "
                   "SHA-1 too, for gateways that have nothing better."),
    },
    {
        .name = "tunnel",
        .type = PROFILE_CHOICE,
        .group = PROFILE_ROUTES,
        .fallback = "full",
        .choices = tunnel_choices,
        .choice_labels = tunnel_labels,
        .metavar = N_("MODE"),
        .label = N_("Tunnel"),
        .help = N_("full sends all traffic through the tunnel; split sends only what the gateway, "
                   "remote-ts or include names."),
    },
    {
        .name = "include",
        .type = PROFILE_LIST,
        .group = PROFILE_ROUTES,
        .metavar = N_("LIST"),
        .label = N_("Networks through the tunnel"),
        .help =
            N_("With tunnel=split: the networks that go through the tunnel, whatever the gateway "
               "names, as prefixes such as 10.0.0.0/8. What the gateway does not carry is not "
               "reached at all then."),
        .check = check_network,
    },
    {
        .name = "exclude",
        .type = PROFILE_LIST,
        .group = PROFILE_ROUTES,
        .metavar = N_("LIST"),
        .label = N_("Networks beside the tunnel"),
        .help = N_("Addresses and networks that are reached beside the tunnel, as prefixes such as "
                   "198.51.100.7/32; the kill switch lets them out. Of two that overlap the longer "
                   "prefix counts."),
        .check = check_network,
    },
    {
        .name = "exclude-apps",
        .type = PROFILE_LIST,
        .group = PROFILE_ROUTES,
        .flags = PROFILE_ADVANCED,
        .metavar = N_("LIST"),
        .label = N_("Applications beside the tunnel"),
        .help = N_("Applications that leave beside the tunnel, whatever they send; the kill switch "
                   "lets them out while there is a connection. Names are those of desktop "
                   "applications (firefox, org.gnome.Evolution) or of units (backup.service): what "
                   "systemd calls their control groups, see systemd-cgls. Where a resolver of this "
                   "computer looks names up, it does so for them too."),
        .check = check_app,
        .max = 32,
    },
    {
        .name = "include-apps",
        .type = PROFILE_LIST,
        .group = PROFILE_ROUTES,
        .flags = PROFILE_ADVANCED,
        .metavar = N_("LIST"),
        .label = N_("Applications through the tunnel"),
        .help = N_("Only these applications use the tunnel, named as for exclude-apps; all others "
                   "leave beside it, and the kill switch holds these alone. Names are looked up by "
                   "the VPN's servers for all, see dns. An application that has just begun is "
                   "known a moment later: `godwit run --inside` begins one without that moment."),
        .check = check_app,
        .max = 32,
    },
    {
        .name = "local-network",
        .type = PROFILE_BOOL,
        .group = PROFILE_ROUTES,
        .fallback = "true",
        .metavar = N_("BOOL"),
        .label = N_("Reach the local network"),
        .help = N_("Reach printers and other devices in the network that this machine is in beside "
                   "the tunnel. Only networks with private addresses count as local, so that no "
                   "access point can call the internet its own network."),
    },
    {
        .name = "kill-switch",
        .type = PROFILE_CHOICE,
        .group = PROFILE_KILL_SWITCH,
        .fallback = "off",
        .choices = kill_switch_choices,
        .choice_labels = kill_switch_labels,
        .metavar = N_("LEVEL"),
        .label = N_("Kill switch"),
        .help =
            N_("Let nothing leave beside the tunnel, names that are looked up included: connected "
               "= while the connection is up or being made again, even if this program is "
               "killed; always = also before and after it, until `godwit cleanup --kill-switch`. "
               "Of a split tunnel it is the tunnel's networks that do not leave. The local "
               "network and what is excluded are still reached."),
    },
    {
        .name = "block-other-family",
        .type = PROFILE_BOOL,
        .group = PROFILE_KILL_SWITCH,
        .flags = PROFILE_ADVANCED,
        .fallback = "true",
        .metavar = N_("BOOL"),
        .label = N_("Block what the tunnel does not carry"),
        .help =
            N_("With tunnel=full: when the gateway carries IPv4 alone, IPv6 goes nowhere instead "
               "of beside the tunnel, and the other way round."),
    },
    {
        .name = "local-ts",
        .type = PROFILE_LIST,
        .group = PROFILE_ROUTES,
        .flags = PROFILE_ADVANCED,
        .metavar = N_("LIST"),
        .label = N_("Local networks"),
        .help = N_(
            "Our side of the traffic selectors, as prefixes such as 192.0.2.0/24. The default is "
            "the internal address that the gateway assigns."),
        .check = check_prefix,
    },
    {
        .name = "remote-ts",
        .type = PROFILE_LIST,
        .group = PROFILE_ROUTES,
        .metavar = N_("LIST"),
        .label = N_("Remote networks"),
        .help =
            N_("Networks to ask the gateway for, as prefixes such as 10.0.0.0/8,2001:db8::/32. The "
               "default is everything; the gateway may narrow it."),
        .check = check_prefix,
    },
    {
        .name = "request-ipv4",
        .type = PROFILE_BOOL,
        .group = PROFILE_ROUTES,
        .flags = PROFILE_ADVANCED,
        .fallback = "true",
        .metavar = N_("BOOL"),
        .label = N_("Ask for IPv4"),
        .help = N_("Ask the gateway for an internal IPv4 address."),
    },
    {
        .name = "request-ipv6",
        .type = PROFILE_BOOL,
        .group = PROFILE_ROUTES,
        .flags = PROFILE_ADVANCED,
        .fallback = "true",
        .metavar = N_("BOOL"),
        .label = N_("Ask for IPv6"),
        .help = N_("Ask the gateway for an internal IPv6 address."),
    },
    {
        .name = "dns",
        .type = PROFILE_CHOICE,
        .group = PROFILE_DNS,
        .fallback = "auto",
        .choices = dns_choices,
        .choice_labels = dns_labels,
        .metavar = N_("MODE"),
        .label = N_("DNS through the tunnel"),
        .help = N_(
            "Which names the VPN's DNS servers are asked for: all of them; only those in its "
            "domains, or none where the system cannot tell domains apart; none (off). auto means "
            "all in a full tunnel and when no domains are known, else the domains where the "
            "system can tell them apart (systemd-resolved and dnsmasq can)."),
    },
    {
        .name = "dns-servers",
        .type = PROFILE_LIST,
        .group = PROFILE_DNS,
        .flags = PROFILE_ADVANCED,
        .metavar = N_("LIST"),
        .label = N_("DNS servers"),
        .help = N_("Addresses of DNS servers inside the VPN, instead of those that the gateway "
                   "sends."),
        .check = check_dns_server,
        .max = 8,
    },
    {
        .name = "dns-domains",
        .type = PROFILE_LIST,
        .group = PROFILE_DNS,
        .flags = PROFILE_ADVANCED,
        .metavar = N_("LIST"),
        .label = N_("DNS domains"),
        .help = N_("Domains of the VPN, such as corp.example, instead of those that the gateway "
                   "sends. systemd-resolved does not ask DNSSEC of these; trust anchors that a "
                   "gateway may have for its domains (RFC 8598) are never used."),
        .check = check_domain,
    },
    {
        .name = "mtu",
        .type = PROFILE_UINT,
        .group = PROFILE_ROAMING,
        .flags = PROFILE_ADVANCED,
        .fallback = "0",
        .metavar = N_("OCTETS"),
        .label = N_("Path MTU"),
        .unit = N_("octets"),
        .help =
            N_("Largest packet that the path to the gateway carries, 576 to 65535; the MTU of the "
               "tunnel follows from it. 0 finds it out."),
        .check = check_mtu,
        .max = 65535,
    },
    {
        .name = "mobike",
        .type = PROFILE_BOOL,
        .group = PROFILE_ROAMING,
        .flags = PROFILE_ADVANCED,
        .fallback = "true",
        .metavar = N_("BOOL"),
        .label = N_("Move between networks"),
        .help = N_("Let the connection move to another address or network as it is (MOBIKE), when "
                   "the gateway can; otherwise a new one is made there."),
    },
    {
        .name = "keepalive",
        .type = PROFILE_UINT,
        .group = PROFILE_ROAMING,
        .flags = PROFILE_ADVANCED,
        .fallback = "20",
        .metavar = N_("SECONDS"),
        .label = N_("Keepalive"),
        .unit = N_("seconds"),
        .help = N_("Keep the path through a NAT open by sending something this often to begin "
                   "with; less often, up to 110 seconds, where the NAT is seen to bear it."),
        .min = 1,
        .max = 3600,
    },
    {
        .name = "timeout",
        .type = PROFILE_UINT,
        .group = PROFILE_ROAMING,
        .flags = PROFILE_ADVANCED,
        .fallback = "30",
        .metavar = N_("SECONDS"),
        .label = N_("Time to connect"),
        .unit = N_("seconds"),
        .help = N_("Give up connecting after this long."),
        .min = 1,
        .max = 3600,
    },
    {
        .name = "reconnect",
        .type = PROFILE_BOOL,
        .group = PROFILE_ROAMING,
        .fallback = "true",
        .metavar = N_("BOOL"),
        .label = N_("Reconnect"),
        .help =
            N_("Connect again when the gateway was lost or has ended the connection; addresses, "
               "routes and DNS stay meanwhile, so that nothing goes beside the tunnel."),
    },
    {
        .name = "autoconnect",
        .type = PROFILE_BOOL,
        .group = PROFILE_ROAMING,
        .fallback = "false",
        .metavar = N_("BOOL"),
        .label = N_("Connect when the machine starts"),
        .help =
            N_("Let the system service connect when the machine starts, and again when there is "
               "a network; for profiles in /etc/godwit that hold all secrets that they need."),
    },
    {
        .name = "child-lifetime",
        .type = PROFILE_UINT,
        .group = PROFILE_RENEWAL,
        .flags = PROFILE_ADVANCED,
        .fallback = "3600",
        .metavar = N_("SECONDS"),
        .label = N_("Tunnel key lifetime"),
        .unit = N_("seconds"),
        .help = N_("Renew the keys of the tunnel (the Child SA) after about this long."),
        .min = 2,
        .max = 86400,
    },
    {
        .name = "child-octets",
        .type = PROFILE_UINT,
        .group = PROFILE_RENEWAL,
        .flags = PROFILE_ADVANCED | PROFILE_UNITS,
        .fallback = "0",
        .metavar = N_("OCTETS"),
        .label = N_("Tunnel key volume"),
        .unit = N_("octets"),
        .help =
            N_("Renew the keys of the tunnel also after about so much traffic in one direction, "
               "such as 500M or 20G; 0 = only when the algorithm needs it."),
        .check = check_octets,
        .max = UINT64_C(1) << 50,
    },
    {
        .name = "ike-lifetime",
        .type = PROFILE_UINT,
        .group = PROFILE_RENEWAL,
        .flags = PROFILE_ADVANCED,
        .fallback = "14400",
        .metavar = N_("SECONDS"),
        .label = N_("IKE key lifetime"),
        .unit = N_("seconds"),
        .help = N_("Renew the keys of the control connection (the IKE SA) after about this long."),
        .min = 2,
        .max = 604800,
    },
    {
        .name = "dpd",
        .type = PROFILE_UINT,
        .group = PROFILE_ROAMING,
        .flags = PROFILE_ADVANCED,
        .fallback = "30",
        .metavar = N_("SECONDS"),
        .label = N_("Gateway check"),
        .unit = N_("seconds"),
        .help = N_("Ask whether the gateway is there when packets go out and none come in for this "
                   "long; 0 = never."),
        .max = 3600,
    },
    {
        .name = "dead-after",
        .type = PROFILE_UINT,
        .group = PROFILE_ROAMING,
        .flags = PROFILE_ADVANCED,
        .fallback = "60",
        .metavar = N_("SECONDS"),
        .label = N_("Time until lost"),
        .unit = N_("seconds"),
        .help = N_("Consider a connected gateway lost when it has not answered for this long."),
        .min = 1,
        .max = 86400,
    },
    {.name = NULL},
};

const char *profile_group_title(enum profile_group group)
{
    static const char *const titles[PROFILE_GROUPS] = {
        [PROFILE_CONNECTION] = N_("Connection"),   [PROFILE_IDENTITY] = N_("Authentication"),
        [PROFILE_ALGORITHMS] = N_("Algorithms"),   [PROFILE_ROUTES] = N_("Routing"),
        [PROFILE_KILL_SWITCH] = N_("Kill switch"), [PROFILE_DNS] = N_("DNS"),
        [PROFILE_ROAMING] = N_("Roaming"),         [PROFILE_RENEWAL] = N_("Key renewal")};

    return titles[group];
}

const struct profile_key *profile_keys(void)
{
    return keys;
}

const struct profile_key *profile_key_find(const char *name)
{
    for (const struct profile_key *key = keys; key->name != NULL; key++) {
        if (strcmp(key->name, name) == 0) {
            return key;
        }
    }
    return NULL;
}

const char *profile_key_suggest(const char *name)
{
    const char *names[G_N_ELEMENTS(keys)];

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        names[i] = keys[i].name;
    }
    return nearest_word(name, names);
}

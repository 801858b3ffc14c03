/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for godwit-tunnel in unit tests and under NetworkManager. What it does wrong is named
 * by the profile's gateway, or by LC_FAKE for what happens before the profile arrives.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/confine.h"
#include "common/gateway_facts_variant.h"
#include "common/net_config_variant.h"
#include "common/network_variant.h"

static GMainLoop *loop;
static struct channel *channel;
static int channel_fd, report_fd;
static char *mode;
static gboolean again;     /* CONNECTED has been sent */
static char *network_text; /* of the last MESSAGE_NETWORK */
static char *kept;         /* of the worker before this one; NULL = there was none */

static struct gateway_facts gateway = {
    .problems = GATEWAY_SELF_SIGNED,
    .expected = "vpn.example.org",
    .subject = "CN=\x1b[2Jgw",
    .issuer = "CN=gw",
    .not_before = 1,
    .not_after = 2,
    .fingerprint = {0xab, 0xcd},
};

static gboolean mode_is(const char *name)
{
    return g_strcmp0(mode, name) == 0;
}

static void down(const char *reason, const char *detail)
{
    channel_send(channel, MESSAGE_DOWN, g_variant_new("(ss)", reason, detail));
    channel_flush(channel, 1000);
    if (!mode_is("lingers")) {
        g_main_loop_quit(loop);
    }
}

static void die(void)
{
    channel_flush(channel, 1000);
    _exit(7);
}

/* Traced, as by a debugger or LeakSanitizer: its parent gets its remains only once the tracer, a
 * moment later, has let go of them. */
static void die_traced(void)
{
    static const struct timespec moment = {.tv_nsec = 200 * 1000 * 1000};
    int ready[2];
    char octet;
    pid_t traced = getpid();
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* Yama, where it is */
    if (pipe(ready) != 0) {
        abort();
    }
    if (fork() == 0) {
        siginfo_t info;
        if (ptrace(PTRACE_SEIZE, traced, NULL, NULL) != 0 || write(ready[1], "x", 1) != 1 ||
            waitid(P_PID, (id_t)traced, &info, WEXITED | WNOWAIT) != 0) {
            abort();
        }
        nanosleep(&moment, NULL);
        _exit(0);
    }
    if (read(ready[0], &octet, 1) != 1) {
        abort();
    }
    die();
}

static void add_prefix(struct prefix *list, size_t *n, const char *text)
{
    if (!prefix_parse(&list[(*n)++], text, true)) {
        abort();
    }
}

/* Several of everything that a gateway may assign; something else once the host has 192.0.2.99. */
static GVariant *everything(void)
{
    static const char *const addresses[] = {"10.9.0.5/24", "10.9.1.5/16", "fd99::5/64",
                                            "fd99:1::5/64"};
    static const char *const again_addresses[] = {"10.9.0.6/24", "fd99::5/64", "fd99:2::5/64"};
    static const char *const routes[] = {"10.20.0.0/16", "10.30.4.0/24", "fd20::/16", "fd30::/48"};
    static const char *const servers[] = {"10.20.0.1", "10.20.0.2", "fd20::1", "fd20::2"};
    struct net_config config = {.mtu = again ? 1300 : 1380,
                                .domains = {"corp.example", "intern.example"},
                                .n_domains = 2,
                                .banner = "Welcome.\nBe good."};
    const char *const *address = again ? again_addresses : addresses;
    gsize n = again ? G_N_ELEMENTS(again_addresses) : G_N_ELEMENTS(addresses);
    for (gsize i = 0; i < n; i++) {
        add_prefix(config.addresses, &config.n_addresses, address[i]);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(routes); i++) {
        add_prefix(config.routes, &config.n_routes, routes[i]);
    }
    if (!mode_is("everything-split")) {
        add_prefix(config.routes, &config.n_routes, "0.0.0.0/0");
        add_prefix(config.routes, &config.n_routes, "::/0");
    }
    for (gsize i = 0; i < G_N_ELEMENTS(servers); i++) {
        if (!addr_parse(&config.dns[config.n_dns++], servers[i])) {
            abort();
        }
    }
    return net_config_to_variant(&config);
}

static GVariant *net_config(void)
{
    if (g_str_has_prefix(mode, "everything")) {
        return everything();
    }
    struct net_config config = {.mtu = 1400};
    struct prefix dns;
    if (mode_is("only-ipv6")) {
        add_prefix(config.addresses, &config.n_addresses, "fd99::5/64");
        add_prefix(config.routes, &config.n_routes, "::/0");
        return net_config_to_variant(&config);
    }
    add_prefix(config.addresses, &config.n_addresses,
               mode_is("lies-multicast") ? "224.0.0.5/32"
               : again                   ? "10.9.0.6/24"
                                         : "10.9.0.5/24");
    add_prefix(config.routes, &config.n_routes,
               mode_is("lies-host-bits") ? "10.9.0.1/8" : "0.0.0.0/0");
    if (mode_is("names-subnets")) {
        add_prefix(config.routes, &config.n_routes, "10.9.0.0/16");
    }
    prefix_parse(&dns, "10.9.0.1", false);
    config.dns[config.n_dns++] = dns.addr;
    GVariant *dict = net_config_to_variant(&config);
    if (mode_is("lies-300-routes") || mode_is("lies-type")) {
        GVariantDict edit;
        GVariantBuilder routes;
        g_variant_builder_init(&routes, G_VARIANT_TYPE("a(ayy)"));
        for (int i = 0; i < 300; i++) {
            g_variant_builder_add_parsed(&routes, "([byte 10,0,0,0], byte 8)");
        }
        g_variant_ref_sink(dict);
        g_variant_dict_init(&edit, dict);
        g_variant_dict_insert_value(&edit, "routes", g_variant_builder_end(&routes));
        if (mode_is("lies-type")) {
            g_variant_dict_insert(&edit, "routes", "s", "10.0.0.0/8");
        }
        g_variant_unref(dict);
        dict = g_variant_dict_end(&edit);
    }
    return dict;
}

static void keep(const char *what)
{
    channel_send(channel, MESSAGE_KEEP, g_variant_new_parsed("({'what': <%s>},)", what));
}

static void ask(void);
static void phase(const char *name, const char *text);

static void connected(void)
{
    GVariantBuilder summary;
    g_variant_builder_init(&summary, G_VARIANT_TYPE("a{ss}"));
    g_variant_builder_add(&summary, "{ss}", "gateway", "192.0.2.7:4500");
    g_variant_builder_add(&summary, "{ss}", "gateway-id", "vpn\x1b[2J.example.org");
    g_variant_builder_add(&summary, "{ss}", "surprise", "x");
    if (mode_is("lies-body") || (mode_is("breaks-once") && again)) {
        static const guint32 header[2] = {MESSAGE_CONNECTED, 5};
        send(channel_fd, header, sizeof header, 0);
        send(channel_fd, "lies", 5, 0);
        g_variant_builder_clear(&summary);
        channel_send(channel, MESSAGE_DOWN, g_variant_new("(ss)", "gateway-lost", "not read"));
        return;
    }
    channel_send(channel, MESSAGE_CONNECTED,
                 g_variant_new("(@a{sv}@a{ss})", net_config(), g_variant_builder_end(&summary)));
    if (mode_is("dies-up") || mode_is("asks-trust-dies") || (mode_is("dies-once") && !kept)) {
        keep("opaque");
        channel_flush(channel, 1000);
        kill(getpid(), SIGKILL);
    }
    if (mode_is("breaks-once") && !kept && !again) {
        keep("opaque");
        again = TRUE;
        connected();
    }
    if (mode_is("keeps-too-much")) {
        g_autofree char *much = g_strnfill(CHANNEL_KEPT_MAX, 'x');
        keep(much);
    }
    if (mode_is("reconnects") && !again) {
        again = TRUE;
        channel_send(channel, MESSAGE_FAILED,
                     g_variant_new("(ss)", "gateway-lost", "It\x1b[2J went."));
        phase("reconnecting", "Lost\x1b[2J.");
        ask();
    }
}

/* What came with the profile: "tun=device,udp4=socket,"; closed. */
static char *given_description(GVariant *options)
{
    g_autoptr(GVariantIter) names = NULL;
    GString *out = g_string_new(NULL);
    const char *name;
    g_variant_lookup(options, "descriptors", "as", &names);
    while (names && g_variant_iter_next(names, "&s", &name)) {
        struct stat about = {0};
        int fd = channel_take_fd(channel);
        if (fstat(fd, &about) != 0 || (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) {
            abort();
        }
        close(fd);
        g_string_append_printf(out, "%s=%s,", name,
                               S_ISCHR(about.st_mode)    ? "device"
                               : S_ISSOCK(about.st_mode) ? "socket"
                                                         : "?");
    }
    return g_string_free(out, FALSE);
}

/* What this process still may and has, as one line. */
static char *self_description(void)
{
    GString *out = g_string_new(NULL);
    g_autofree char *status = NULL;
    struct rlimit core = {1, 1}, files = {1, 1};
    g_file_get_contents("/proc/self/status", &status, NULL, NULL);
    g_auto(GStrv) lines = g_strsplit(status, "\n", 0);
    for (char **line = lines; *line; line++) {
        static const char *const wanted[] = {"Cap", "NoNewPrivs", "Groups", "SigBlk", "SigIgn"};
        for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
            if (g_str_has_prefix(*line, wanted[i])) {
                g_strdelimit(*line, "\t ", '=');
                g_string_append_printf(out, "%s ", *line);
            }
        }
    }
    getrlimit(RLIMIT_CORE, &core);
    getrlimit(RLIMIT_NOFILE, &files);
    int death = 0;
    prctl(PR_GET_PDEATHSIG, &death);
    g_string_append_printf(
        out,
        "root=%d core=%d death=%d group=%d session=%d path=%d terminal=%d files=%d "
        "secure=%x fds=",
        getuid() == 0, (int)core.rlim_cur, death, getpgrp() == getpid(), getsid(0) == getpid(),
        getenv("PATH") != NULL, isatty(0) + isatty(1) + isatty(2), (int)files.rlim_max,
        (unsigned)prctl(PR_GET_SECUREBITS));
    DIR *dir = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (g_ascii_isdigit(entry->d_name[0]) && atoi(entry->d_name) != dirfd(dir) &&
            atoi(entry->d_name) < 100) {
            g_autofree char *path = g_strdup_printf("/proc/self/fd/%s", entry->d_name);
            g_autofree char *target = g_file_read_link(path, NULL);
            /* GLib's own wakeups are not inherited. */
            if (!g_str_has_prefix(target, "anon_inode:")) {
                g_string_append_printf(out, "%s,", entry->d_name);
            }
        }
    }
    closedir(dir);
    return g_string_free(out, FALSE);
}

/* Comes back as it was given. */
static gboolean trusted(GVariant *values)
{
    g_autoptr(GVariant) value =
        g_variant_lookup_value(values, "gateway-fingerprint", G_VARIANT_TYPE_BYTESTRING);
    gsize len = 0;
    const char *octets = value ? g_variant_get_fixed_array(value, &len, 1) : NULL;
    g_autofree char *text = g_strndup(octets, len);
    if (octets && mode_is("asks-trust-dies")) {
        connected();
    } else if (octets) {
        down("gateway-untrusted", text);
    }
    return octets != NULL;
}

static void on_secrets(GVariant *values)
{
    if (trusted(values)) {
        return;
    }
    g_autoptr(GVariant) value =
        g_variant_lookup_value(values, "password", G_VARIANT_TYPE_BYTESTRING);
    gsize len = 0;
    const char *octets = value ? g_variant_get_fixed_array(value, &len, 1) : NULL;
    if (!octets) {
        down("secret-missing", g_variant_n_children(values) ? "odd" : "cancelled");
    } else if (len == 10 && memcmp(octets, "opensesame", 10) == 0) {
        connected();
    } else {
        down("auth-failed", "E=691");
    }
}

/* Of several certificates: what is no URI of one, nothing at all, or very many. */
static GVariant *odd_choices(void)
{
    GVariantBuilder choices;
    GVariantDict details;
    guint n = mode_is("asks-choice-of-none") ? 0 : mode_is("asks-choice-of-many") ? 1000 : 1;
    g_variant_builder_init(&choices, G_VARIANT_TYPE("a(sss)"));
    for (guint i = 0; i < n; i++) {
        g_variant_builder_add(&choices, "(sss)",
                              mode_is("asks-choice-oddly") ? "/etc/shadow" : "pkcs11:token=a", "a",
                              "b");
    }
    g_variant_dict_init(&details, NULL);
    g_variant_dict_insert_value(&details, "choices", g_variant_builder_end(&choices));
    return g_variant_dict_end(&details);
}

static int n_passwords(void)
{
    gboolean beside = !g_str_has_prefix(mode, "asks-trust") || mode_is("asks-trust-beside");
    return mode_is("asks-too-much") ? 9 : beside;
}

static void ask(void)
{
    GVariantBuilder fields;
    g_variant_builder_init(&fields, G_VARIANT_TYPE("a(ssa{sv})"));
    if (g_str_has_prefix(mode, "asks-trust")) {
        /* Then there is nothing wrong with it. */
        gateway.problems = mode_is("asks-trust-oddly") ? 0 : gateway.problems;
        g_variant_builder_add(&fields, "(ss@a{sv})", "gateway-fingerprint", "",
                              gateway_facts_to_variant(&gateway));
    }
    if (g_str_has_prefix(mode, "asks-choice")) {
        g_variant_builder_add(&fields, "(ss@a{sv})", "certificate", "", odd_choices());
    }
    for (int i = 0; i < n_passwords(); i++) {
        g_variant_builder_add(&fields, "(ssa{sv})", mode_is("asks-oddly") ? "sudo" : "password",
                              "\x1b[31mCode", NULL);
    }
    channel_send(channel, MESSAGE_SECRETS_REQUIRED, g_variant_builder_end(&fields));
}

static void phase(const char *name, const char *text)
{
    channel_send(channel, MESSAGE_PHASE, g_variant_new("(sst)", name, text, (guint64)2));
}

/* What the worker before this one was answered, as it is in the profile now. */
static void tell_pin(GVariant *profile)
{
    const char *pin = "none";
    (void)g_variant_lookup(profile, "gateway-fingerprint", "&s", &pin);
    down("gateway-untrusted", pin);
}

/* Somebody else has this end of the channel, and speaks when we are no more. */
static void leave_heir(void)
{
    static const struct timespec moment = {.tv_nsec = 1000 * 1000};
    struct pollfd end = {.fd = channel_fd, .events = 0};
    pid_t parent = getpid();
    if (fork() != 0) {
        die();
    }
    while (getppid() == parent) {
        nanosleep(&moment, NULL);
    }
    channel_send(channel, MESSAGE_ACCEPTED, NULL);
    poll(&end, 1, -1); /* until the other end is closed */
    _exit(0);
}

static void on_connect(GVariant *body)
{
    g_autoptr(GVariant) profile = g_variant_get_child_value(body, 0);
    g_autoptr(GVariant) options = g_variant_get_child_value(body, 1);
    g_autoptr(GVariant) before = g_variant_lookup_value(options, "kept", G_VARIANT_TYPE_VARDICT);
    g_variant_lookup(profile, "gateway", "s", &mode);
    if (before && !g_variant_lookup(before, "what", "s", &kept)) {
        abort();
    }
    if (mode_is("dies-on-connect")) {
        die();
    }
    if (mode_is("forbidden")) {
        const struct confine_report report = {.kind = CONFINE_REPORT, .call = SYS_execve};
        _exit(write(report_fd, &report, sizeof report) > 0 ? CONFINE_EXIT_CODE : 1);
    }
    if (mode_is("dies-traced")) {
        die_traced();
    }
    if (mode_is("refuses")) {
        down("profile", "bad profile");
        return;
    }
    if (mode_is("hangs-connect")) {
        return;
    }
    if (mode_is("dies-with-heir")) {
        leave_heir();
    }
    channel_send(channel, MESSAGE_ACCEPTED, NULL);
    phase("nonsense", "x");
    phase("init", kept ? kept : "Hello\x1b[2J");
    channel_send(channel, MESSAGE_TRACE,
                 g_variant_new("(sbbt)", "--> IKE_SA_INIT", TRUE, FALSE, (guint64)3));
    if (mode_is("dies-early")) {
        die();
    } else if (mode_is("closes")) {
        channel_flush(channel, 1000);
        shutdown(channel_fd, SHUT_RDWR);
    } else if (mode_is("fails")) {
        down("auth-failed", "E=691");
    } else if (g_str_has_prefix(mode, "down-")) {
        down(mode + strlen("down-"), "So says the worker.");
    } else if (mode_is("describes")) {
        g_autofree char *given = given_description(options);
        g_autofree char *self = self_description();
        g_autofree char *text = g_strconcat(self, " given=", given, NULL);
        phase("established", text);
    } else if (mode_is("asks-trust-dies") && kept) {
        tell_pin(profile);
    } else if (g_str_has_prefix(mode, "asks")) {
        ask();
    } else if (!mode_is("slow")) {
        if (g_str_has_prefix(mode, "tells")) {
            phase("resolve", network_text ? network_text : "no network");
        }
        connected();
    }
}

static void on_disconnect(void)
{
    if (mode_is("last-words")) {
        channel_send(channel, MESSAGE_TRACE,
                     g_variant_new("(sbbt)", "--> INFORMATIONAL", TRUE, FALSE, (guint64)4));
    }
    if (mode_is("dies-on-disconnect")) {
        die();
    }
    if (!mode_is("ignores-disconnect")) {
        down("user", "");
    }
}

/* "1 0: 192.0.2.2 up0, 2001:db8:1::2 up0": generation, connectivity, uplinks */
static char *describe_network(GVariant *body)
{
    GString *text = g_string_new(NULL);
    struct network network;
    if (!network_from_variant(body, &network)) {
        abort();
    }
    g_string_append_printf(text, "%u %d:", network.generation, network.connectivity);
    for (size_t i = 0; i < network.n; i++) {
        char addr[ADDR_TEXT_MAX];
        g_string_append_printf(text, "%s %s %s", i ? "," : "",
                               addr_text(&network.uplinks[i].address.addr, addr),
                               network.uplinks[i].interface);
    }
    return g_string_free(text, FALSE);
}

/* What is told of the host comes back as texts of phases, the first once there is a profile. */
static void on_surroundings(enum channel_message kind, GVariant *body)
{
    if (kind == MESSAGE_NETWORK) {
        g_free(network_text);
        network_text = describe_network(body);
    }
    if (mode && g_str_has_prefix(mode, "everything") && !again && network_text &&
        strstr(network_text, "192.0.2.99")) {
        again = TRUE;
        connected();
        channel_send(channel, MESSAGE_MTU, g_variant_new("(q)", (guint16)1290));
    }
    if (mode && g_str_has_prefix(mode, "tells")) {
        phase("resolve", kind == MESSAGE_NETWORK ? network_text
                         : kind == MESSAGE_SLEEP ? "sleep"
                                                 : "wake");
    }
}

static void on_message(void *context, enum channel_message kind, GVariant *body)
{
    (void)context;
    if (kind == MESSAGE_CONNECT) {
        on_connect(body);
    } else if (kind == MESSAGE_DISCONNECT) {
        on_disconnect();
    } else if (kind == MESSAGE_SECRETS) {
        on_secrets(body);
    } else {
        on_surroundings(kind, body);
    }
}

static void on_closed(void *context, gboolean breach)
{
    (void)context;
    if (breach) {
        abort();
    }
    if (!mode_is("closes")) {
        g_main_loop_quit(loop);
    }
}

static int option(int argc, char **argv, const char *name)
{
    for (int i = 1; i < argc; i++) {
        if (g_str_has_prefix(argv[i], name)) {
            return atoi(argv[i] + strlen(name));
        }
    }
    return -1;
}

int main(int argc, char **argv)
{
    const char *early = g_getenv("LC_FAKE");
    if (g_strcmp0(early, "dies-at-start") == 0) {
        return 3;
    }
    if (g_strcmp0(early, "hangs-at-start") == 0) {
        pause();
    }
    channel_fd = option(argc, argv, "--channel-fd=");
    report_fd = option(argc, argv, "--report-fd=");
    if (channel_fd < 0) {
        return 4;
    }
    loop = g_main_loop_new(NULL, FALSE);
    if (g_strcmp0(early, "babbles") == 0) {
        return write(channel_fd, "HTTP/1.0 400\r\n\r\n", 16) == 16 ? 5 : 6;
    }
    channel = channel_new(channel_fd, CHANNEL_WORKER, on_message, on_closed, NULL);
    g_main_loop_run(loop);
    return 0;
}

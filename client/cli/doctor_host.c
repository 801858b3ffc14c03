/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "common/i18n.h"
#include "profile/profile.h"
#include "session/session.h"

/* ---- this machine ---- */

static void check_tun(struct doctor *doctor)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    int why = errno;

    if (fd >= 0) {
        close(fd);
        doctor_tell(doctor, _("TUN device"), VERDICT_OK, g_strdup(_("/dev/net/tun can be opened.")),
                    NULL);
    } else if (geteuid() != 0 && (why == EACCES || why == EPERM)) {
        doctor_tell(doctor, _("TUN device"), VERDICT_OK,
                    g_strdup(_("/dev/net/tun is there, for the service alone.")), NULL);
    } else {
        doctor_tell(doctor, _("TUN device"), VERDICT_PROBLEM,
                    g_strdup_printf(_("/dev/net/tun: %s."), g_strerror(why)),
                    g_strdup(_("Load the kernel module tun (modprobe tun), or give the container "
                               "access to it.")));
    }
}

/* What a UDP socket can do in one call for many packets. */
static gboolean udp_can(int option)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), value = 0;
    socklen_t len = sizeof value;
    gboolean can = fd >= 0 && getsockopt(fd, IPPROTO_UDP, option, &value, &len) == 0;

    if (fd >= 0) {
        close(fd);
    }
    return can;
}

static void check_kernel(struct doctor *doctor)
{
    gboolean fast = udp_can(UDP_SEGMENT) && udp_can(UDP_GRO);
    struct utsname name;

    if (uname(&name) != 0) {
        return;
    }
    doctor_tell(
        doctor, _("Kernel"), fast ? VERDICT_OK : VERDICT_NOTE,
        g_strdup_printf(fast ? _("Linux %s sends and receives many packets at once (GSO, GRO).")
                             : _("Linux %s has no UDP GSO or GRO."),
                        name.release),
        fast ? NULL : g_strdup(_("Connections work, but slower than with Linux 5.0 or later.")));
}

static void check_user(struct doctor *doctor)
{
    if (getpwnam(WORKER_USER) != NULL) {
        doctor_tell(doctor, _("Worker's user"), VERDICT_OK,
                    g_strdup_printf(_("%s is there."), WORKER_USER), NULL);
    } else {
        doctor_tell(doctor, _("Worker's user"), VERDICT_PROBLEM,
                    g_strdup_printf(_("there is no user %s."), WORKER_USER),
                    g_strdup_printf(_("Make it: useradd --system --no-create-home --shell "
                                      "/usr/sbin/nologin %s"),
                                    WORKER_USER));
    }
}

/* Certificates are judged by the clock. It cannot be earlier than this program's making. */
static void check_clock(struct doctor *doctor)
{
    struct timex state = {0};
    struct stat own;
    gboolean synchronised = adjtimex(&state) != TIME_ERROR;

    if (stat("/proc/self/exe", &own) == 0 && time(NULL) < own.st_mtime) {
        doctor_tell(doctor, _("Clock"), VERDICT_PROBLEM,
                    g_strdup(_("it is earlier than this program was made; certificates will seem "
                               "invalid.")),
                    g_strdup(_("Set it: timedatectl set-ntp true")));
    } else if (!synchronised) {
        doctor_tell(
            doctor, _("Clock"), VERDICT_NOTE,
            g_strdup(_("it is not kept by a time server; when it is far off, certificates seem "
                       "invalid.")),
            g_strdup(_("Look at it with date; timedatectl set-ntp true keeps it.")));
    } else {
        doctor_tell(doctor, _("Clock"), VERDICT_OK, g_strdup(_("kept by a time server.")), NULL);
    }
}

static void check_apps(struct doctor *doctor)
{
    const char *missing = session_apps_missing();

    if (missing == NULL) {
        doctor_tell(doctor, _("Applications"), VERDICT_OK,
                    g_strdup(_("they can be told apart (exclude-apps, include-apps, godwit run).")),
                    NULL);
    } else {
        doctor_tell(
            doctor, _("Applications"), VERDICT_NOTE,
            g_strdup_printf(_("they cannot be told apart: %s."), missing),
            g_strdup(_("exclude-apps, include-apps and godwit run need it: begin the kernel "
                       "with systemd.unified_cgroup_hierarchy=1.")));
    }
}

static void check_leftovers(struct doctor *doctor)
{
    guint n = session_leftovers();

    if (geteuid() != 0) {
        doctor_tell(doctor, _("Leftovers"), VERDICT_OK,
                    g_strdup(_("only root sees what killed connections left behind.")), NULL);
    } else if (n == 0) {
        doctor_tell(doctor, _("Leftovers"), VERDICT_OK,
                    g_strdup(_("killed connections left nothing behind.")), NULL);
    } else {
        doctor_tell(
            doctor, _("Leftovers"), VERDICT_PROBLEM,
            g_strdup_printf(ngettext("%u killed connection left routes or addresses behind.",
                                     "%u killed connections left routes or addresses behind.", n),
                            n),
            g_strdup(_("Remove them: godwit cleanup")));
    }
}

void doctor_check_host(struct doctor *doctor)
{
    check_tun(doctor);
    check_kernel(doctor);
    check_user(doctor);
    check_clock(doctor);
    check_apps(doctor);
    check_leftovers(doctor);
}

/* ---- profiles ---- */

static gboolean has_secret(const struct profile *profile)
{
    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        if (key->type == PROFILE_SECRET && profile_is_set(profile, key->name)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* FALSE when there is something to say of it. */
static gboolean check_profile(struct doctor *doctor, const char *path)
{
    g_autoptr(GError) error = NULL;
    struct profile *profile;
    struct stat file;
    gboolean fine = FALSE;

    if (access(path, R_OK) != 0) {
        return TRUE; /* not ours */
    }
    profile = profile_load(path, &error);
    if (profile == NULL || !profile_validate(profile, &error)) {
        doctor_tell(doctor, _("Profile"), VERDICT_PROBLEM,
                    g_strdup_printf("%s%s%s", profile == NULL ? "" : path,
                                    profile == NULL ? "" : ": ", error->message),
                    g_strdup_printf(_("Correct it: godwit profile edit %s"), path));
    } else if (has_secret(profile) && stat(path, &file) == 0 && (file.st_mode & 077) != 0) {
        doctor_tell(doctor, _("Profile"), VERDICT_PROBLEM,
                    g_strdup_printf(_("%s holds a secret that others can read."), path),
                    g_strdup_printf(_("Close it: chmod 600 %s"), path));
    } else {
        fine = TRUE;
    }
    profile_free(profile);
    return fine;
}

void doctor_check_profiles(struct doctor *doctor)
{
    g_auto(GStrv) names = profile_list();
    gboolean fine = TRUE;

    for (char **name = names; *name != NULL; name++) {
        g_autofree char *path = profile_find(*name);

        fine = (path == NULL || check_profile(doctor, path)) && fine;
    }
    if (fine) {
        doctor_tell(doctor, _("Profiles"), VERDICT_OK,
                    g_strdup(*names == NULL ? _("there are none.") : _("they can be used.")), NULL);
    }
}

/* ---- other programs ---- */

/* Whether a line of /proc/net/udp is a socket on that port; its local address is HEX:PORT. */
static gboolean is_bound(const char *line, guint port)
{
    const char *colon = strchr(line, ':');
    unsigned found;

    /* "  sl: ADDRESS:PORT" */
    colon = colon == NULL ? NULL : strchr(colon + 1, ':');
    return colon != NULL && sscanf(colon + 1, "%4X", &found) == 1 && found == port;
}

static gboolean port_is_taken(guint port)
{
    static const char *const tables[] = {"/proc/net/udp", "/proc/net/udp6"};
    gboolean taken = FALSE;

    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;

        if (g_file_get_contents(tables[i], &text, NULL, NULL)) {
            lines = g_strsplit(text, "\n", -1);
            for (guint n = 1; lines[0] != NULL && lines[n] != NULL; n++) {
                taken = taken || is_bound(lines[n], port);
            }
        }
    }
    return taken;
}

static void check_ports(struct doctor *doctor)
{
    if (port_is_taken(500) || port_is_taken(4500)) {
        doctor_tell(
            doctor, _("Other IKE programs"), VERDICT_NOTE,
            g_strdup(_("one listens on UDP port 500 or 4500, as a gateway or another client "
                       "does.")),
            g_strdup(_("Godwit needs neither, but two tunnels to one gateway may disturb each "
                       "other: end the other one.")));
    } else {
        doctor_tell(doctor, _("Other IKE programs"), VERDICT_OK,
                    g_strdup(_("none listens on UDP ports 500 and 4500.")), NULL);
    }
}

/* "WireGuard", "tun" or "PPP" when it is the interface of another tunnel. */
static const char *tunnel_kind(const char *name)
{
    g_autofree char *tun = g_strdup_printf("/sys/class/net/%s/tun_flags", name);
    g_autofree char *about = g_strdup_printf("/sys/class/net/%s/uevent", name);
    g_autofree char *text = NULL;

    if (g_str_has_prefix(name, "godwit")) {
        return NULL;
    }
    (void)g_file_get_contents(about, &text, NULL, NULL);
    return text != NULL && strstr(text, "DEVTYPE=wireguard") != NULL ? "WireGuard"
           : text != NULL && strstr(text, "DEVTYPE=ppp") != NULL     ? "PPP"
           : g_file_test(tun, G_FILE_TEST_EXISTS)                    ? "tun"
                                                                     : NULL;
}

static void check_tunnels(struct doctor *doctor)
{
    struct if_nameindex *all = if_nameindex();
    GString *found = g_string_new(NULL);
    g_autofree char *text = NULL;

    for (const struct if_nameindex *one = all; one != NULL && one->if_name != NULL; one++) {
        const char *kind = tunnel_kind(one->if_name);

        if (kind != NULL) {
            g_string_append_printf(found, "%s%s (%s)", found->len == 0 ? "" : ", ", one->if_name,
                                   kind);
        }
    }
    if_freenameindex(all);
    text = g_string_free(found, FALSE);
    if (*text == '\0') {
        doctor_tell(doctor, _("Other tunnels"), VERDICT_OK, g_strdup(_("there are none.")), NULL);
    } else {
        doctor_tell(doctor, _("Other tunnels"), VERDICT_NOTE, g_strdup_printf("%s.", text),
                    g_strdup(_("If traffic goes there instead of the tunnel, end that program.")));
    }
}

void doctor_check_others(struct doctor *doctor)
{
    check_ports(doctor);
    check_tunnels(doctor);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/i18n.h"
#include "host/host.h"

/* Linux 6.2 and later; absent from the headers of Debian 12. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/* Of /dev/net/tun: Documentation/admin-guide/devices.txt in Linux. */
#define MISC_MAJOR 10
#define TUN_MINOR 200

#define UDP_RECEIVE_BUFFER (4 << 20) /* octets: 30 ms at 1 Gbit/s */
#define UDP_SEND_BUFFER (1 << 20)    /* more would only make packets wait */

G_DEFINE_QUARK(godwit - host - error - quark, host_error)

static gboolean denied(int err)
{
    return err == EPERM || err == EACCES;
}

static void set_offloads(int fd)
{
    const unsigned tso = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
    if (ioctl(fd, TUNSETOFFLOAD, (unsigned long)(tso | TUN_F_USO4 | TUN_F_USO6)) != 0 &&
        ioctl(fd, TUNSETOFFLOAD, (unsigned long)tso) != 0) {
        g_debug("TUNSETOFFLOAD: %s", g_strerror(errno));
    }
}

int host_tun_open(char name[static 16], gboolean *vnet_hdr, GError **error)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        int err = errno;
        g_set_error(error, HOST_ERROR, HOST_ERROR_NO_TUN, _("/dev/net/tun cannot be opened: %s."),
                    g_strerror(err));
        return -1;
    }
    *vnet_hdr = TRUE;
    g_strlcpy(request.ifr_name, "godwit%d", sizeof request.ifr_name);
    int result = ioctl(fd, TUNSETIFF, &request);
    if (result != 0 && errno == EINVAL) {
        *vnet_hdr = FALSE;
        request.ifr_flags = IFF_TUN | IFF_NO_PI;
        result = ioctl(fd, TUNSETIFF, &request);
    }
    if (result != 0) {
        int err = errno;
        g_set_error(error, HOST_ERROR, denied(err) ? HOST_ERROR_PERMISSION : HOST_ERROR_NO_TUN,
                    _("No TUN device can be made: %s."), g_strerror(err));
        close(fd);
        return -1;
    }
    if (*vnet_hdr) {
        set_offloads(fd);
    }
    g_strlcpy(name, request.ifr_name, IFNAMSIZ);
    return fd;
}

static gboolean is_here(int fd)
{
    struct stat own, its;
    int namespace = ioctl(fd, TUNGETDEVNETNS);
    gboolean here = namespace >= 0 && fstat(namespace, &its) == 0 &&
                    stat("/proc/self/ns/net", &own) == 0 && own.st_ino == its.st_ino &&
                    own.st_dev == its.st_dev;
    if (namespace >= 0) {
        close(namespace);
    }
    return here;
}

static gboolean is_tun(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) &&
           status.st_rdev == makedev(MISC_MAJOR, TUN_MINOR);
}

/* As host_tun_open() makes it, whatever has been done to it since. */
static gboolean reset(int fd, gboolean vnet_hdr)
{
    int header = sizeof(struct virtio_net_hdr), flags = fcntl(fd, F_GETFL);
    if (vnet_hdr) {
        set_offloads(fd);
    }
    return (!vnet_hdr || ioctl(fd, TUNSETVNETHDRSZ, &header) == 0) &&
           ioctl(fd, TUNSETPERSIST, 0UL) == 0 && flags >= 0 &&
           fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

gboolean host_tun_adopt(int fd, char name[static 16], gboolean *vnet_hdr, GError **error)
{
    struct ifreq request = {0};
    if (!is_tun(fd) || ioctl(fd, TUNGETIFF, &request) != 0 || (request.ifr_flags & IFF_TUN) == 0 ||
        (request.ifr_flags & IFF_NO_PI) == 0 ||
        !g_str_has_prefix(request.ifr_name, HOST_INTERFACE_PREFIX) || !is_here(fd) ||
        !reset(fd, (request.ifr_flags & IFF_VNET_HDR) != 0)) {
        g_set_error_literal(error, HOST_ERROR, HOST_ERROR_NO_TUN,
                            _("The interface cannot be taken over."));
        return FALSE;
    }
    *vnet_hdr = (request.ifr_flags & IFF_VNET_HDR) != 0;
    g_strlcpy(name, request.ifr_name, IFNAMSIZ);
    return TRUE;
}

static gboolean set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static void size_buffers(int fd)
{
    if (!set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, UDP_RECEIVE_BUFFER)) {
        (void)set_int(fd, SOL_SOCKET, SO_RCVBUF, UDP_RECEIVE_BUFFER);
    }
    if (!set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, UDP_SEND_BUFFER)) {
        (void)set_int(fd, SOL_SOCKET, SO_SNDBUF, UDP_SEND_BUFFER);
    }
}

static gboolean set_ipv4(int fd)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    return set_int(fd, IPPROTO_IP, IP_PKTINFO, 1) && set_int(fd, IPPROTO_IP, IP_RECVERR, 1) &&
           set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE) &&
           bind(fd, (struct sockaddr *)&any, sizeof any) == 0;
}

static gboolean set_ipv6(int fd)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    return set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
           set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
           set_int(fd, IPPROTO_IPV6, IPV6_RECVERR, 1) &&
           set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE) &&
           bind(fd, (struct sockaddr *)&any, sizeof any) == 0;
}

static gboolean set_mark(int fd, guint32 fwmark)
{
    return setsockopt(fd, SOL_SOCKET, SO_MARK, &fwmark, sizeof fwmark) == 0;
}

/* *lacking: the host is without the family. */
static int open_socket(enum family family, int type, gboolean *lacking)
{
    int fd =
        socket(family == FAMILY_IPV6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    *lacking = fd < 0 && (errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT);
    return fd;
}

static int no_socket(int fd, GError **error)
{
    int err = errno;
    g_set_error(error, HOST_ERROR, denied(err) ? HOST_ERROR_PERMISSION : HOST_ERROR_CONFIG,
                _("No socket can be made: %s."), g_strerror(err));
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

int host_udp_open(enum family family, guint32 fwmark, GError **error)
{
    gboolean lacking;
    int fd = open_socket(family, SOCK_DGRAM, &lacking);
    if (lacking) {
        return -1;
    }
    if (fd < 0 || !set_mark(fd, fwmark) || !(family == FAMILY_IPV6 ? set_ipv6(fd) : set_ipv4(fd))) {
        return no_socket(fd, error);
    }
    size_buffers(fd);
    return fd;
}

static int open_marked(enum family family, int type, guint32 fwmark, GError **error)
{
    gboolean lacking;
    int fd = open_socket(family, type, &lacking);
    if (lacking) {
        return -1;
    }
    return fd >= 0 && set_mark(fd, fwmark) ? fd : no_socket(fd, error);
}

int host_lookup_open(enum family family, guint32 fwmark, GError **error)
{
    return open_marked(family, SOCK_DGRAM, fwmark, error);
}

int host_tcp_open(enum family family, guint32 fwmark, GError **error)
{
    return open_marked(family, SOCK_STREAM, fwmark, error);
}

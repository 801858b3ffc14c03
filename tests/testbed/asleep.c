/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loaded before all other libraries of a program: to it, CLOCK_BOOTTIME goes on by the nanoseconds
 * in /run/bed/asleep while CLOCK_MONOTONIC stands still, as over a suspend of the machine. The
 * kernel's time namespaces cannot do that to a program that runs.
 */
#include "config.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000

static const volatile int64_t *asleep;

__attribute__((constructor)) static void find(void)
{
    int fd = open("/run/bed/asleep", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        void *map = mmap(NULL, sizeof *asleep, PROT_READ, MAP_SHARED, fd, 0);
        asleep = map != MAP_FAILED ? map : NULL;
        close(fd);
    }
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    long result = syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && clock == CLOCK_BOOTTIME && asleep != NULL) {
        int64_t nanoseconds = (int64_t)now->tv_nsec + *asleep;
        now->tv_sec += nanoseconds / SECOND;
        now->tv_nsec = nanoseconds % SECOND;
    }
    return (int)result;
}

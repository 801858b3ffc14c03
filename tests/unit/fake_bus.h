/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_FAKE_BUS_H
#define GODWIT_TESTS_FAKE_BUS_H

#include <gio/gio.h>

/*
 * A system bus of the test's own (DBUS_SYSTEM_BUS_ADDRESS is set to it), and on it what stands in
 * for logind and NetworkManager. Everything runs on the default main context.
 */
struct fake_bus;

/* Without services. Exits with 77 (skipped) where there is no dbus-daemon. */
struct fake_bus *fake_bus_new(void);
void fake_bus_free(struct fake_bus *bus);
/* The bus itself ends. */
void fake_bus_stop(struct fake_bus *bus);

void fake_logind_start(struct fake_bus *bus);
void fake_logind_stop(struct fake_bus *bus);
/* Announces that the machine is about to sleep, or awake. */
void fake_logind_prepare_for_sleep(struct fake_bus *bus, gboolean start);
/* Delay inhibitors that are held. */
guint fake_logind_inhibitors(struct fake_bus *bus);

/* NetworkManager starts when it has not, and tells another connectivity. */
void fake_nm_connectivity(struct fake_bus *bus, guint32 connectivity);
void fake_nm_stop(struct fake_bus *bus);

#endif

# SPDX-License-Identifier: GPL-2.0-or-later
"""What NetworkManager is told of each failure, and what stands in the log."""

import os
import re

import net
import nm_failures
from nm_failures import CONFIG, CONNECT, FAILURES, LOGIN, Failure
from scenario import scenario, scenario_for
from scenarios import nm_config, nm_service

# What another secret can mend, and what concerns addresses and routes; the rest is CONNECT.
TOLD = {"auth-failed": LOGIN, "password-expired": LOGIN, "secret-missing": LOGIN,
        "host-config": CONFIG, "ts-unacceptable": CONFIG, "address-unavailable": CONFIG}


def reasons(context):
    """Every reason for which a connection can end, and its sentence, from the program's own table."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__)))))
    with open(f"{top}/client/common/error.c", encoding="utf-8") as file:
        found = re.findall(r'\[REASON_\w+\] = \{"([\w-]+)",\s+N_\("([^"]*)', file.read())
    return {name: sentence for name, sentence in found if name not in ("none", "user")}


@scenario_for(FAILURES, lambda case: f"nm_says_{case}")
def nm_says(context, case):
    """Each failure has NetworkManager's reason and our sentence."""
    failure = FAILURES[case]
    host, manager = nm_service.start(context, connections={"rw": failure.gateway()},
                                     pools=failure.pools)
    nm_failures.check(nm_failures.meet(
        host, manager, lambda manager, **keys: nm_service.add(manager, context, **keys), failure),
        failure)


@scenario(timeout=60)
def nm_is_told_every_reason(context):
    """One connection after the other ends with what the worker says: the whole table of reasons."""
    manager = nm_config.start(context)
    names = reasons(context)
    net.check(len(names) > 30, f"only {len(names)} reasons")
    for reason, sentence in names.items():
        name = f"down-{reason}"
        failure = Failure(reason, TOLD.get(reason, CONNECT), re.escape(sentence), {"gateway": name})
        nm_failures.check(nm_failures.meet(
            None, manager, lambda manager, gateway: manager.add(gateway, gateway), failure, name),
            failure)


@scenario
def nm_failures_are_found_in_the_journal(context):
    """With the field that nmcli's hint names, so that "journalctl -xe NM_CONNECTION=…" shows why."""
    manager = nm_config.start(context, journal=True)
    manager.add("work", "down-gateway-untrusted")
    manager.nmcli("connection", "up", "work", ok=False)
    uuid = manager.nmcli("-g", "connection.uuid", "connection", "show", "work").strip()
    net.wait_until(lambda: any(
        f"NM_CONNECTION={uuid}\n" in entry and "PRIORITY=4\n" in entry
        and "MESSAGE=gateway-untrusted: The gateway's certificate" in entry
        for entry in manager.journal.entries()), 5, "entry in the journal")

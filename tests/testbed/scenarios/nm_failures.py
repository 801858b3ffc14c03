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
        "pin-wrong": LOGIN, "pin-locked": LOGIN,
        "host-config": CONFIG, "ts-unacceptable": CONFIG, "address-unavailable": CONFIG}


def reasons():
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


def told(reason, sentence):
    """What must be met when the stand-in for the worker says that reason."""
    return Failure(reason, TOLD.get(reason, CONNECT), re.escape(sentence),
                   {"gateway": f"down-{reason}"})


@scenario
def nm_is_told_which_kind_it_is(context):
    """A wrong secret, no address, something else; `tests/run bench nm-failures` has every reason."""
    manager = nm_config.start(context)
    sentences = reasons()
    net.check(len(sentences) > 30, f"only {len(sentences)} reasons")
    for reason in (*TOLD, "account-disabled", "protocol"):
        nm_failures.check(nm_failures.meet(
            None, manager, lambda manager, gateway: manager.add(gateway, gateway),
            told(reason, sentences[reason]), f"down-{reason}"), told(reason, sentences[reason]))


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

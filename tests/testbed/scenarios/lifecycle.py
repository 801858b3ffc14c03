# SPDX-License-Identifier: GPL-2.0-or-later
"""How a connection ends, and what happens between its start and its end."""

import json
import signal

import gateway
import net
import reference
from client import connected, environment, expect_refusal, processes, program, start_as_alice
from client import worker
from scenario import scenario, scenario_for


def start(context, **options):
    host = gateway.Gateway(context.pki)
    host.start(**options)
    return host


def up(context, *arguments):
    """A connection that the gateway or the scenario will end: (snapshot before, client)."""
    before = net.snapshot()
    client = start_as_alice(context, *arguments)
    client.wait_connected()
    return before, client


@scenario_for([signal.SIGINT, signal.SIGTERM], lambda number: f"disconnect_by_{number.name}")
def disconnect(context, number):
    """A Delete reaches the gateway, the host is as before, exit code 0."""
    host = start(context)
    with connected(context, stop=number):
        net.ping(net.HOST4)
    host.wait_log("received DELETE for IKE_SA")
    net.check("ESTABLISHED" not in host.sas(), "the gateway still has the IKE SA")


@scenario_for([signal.SIGINT, signal.SIGTERM],
              lambda number: f"interrupted_while_connecting_by_{number.name}")
def interrupted_while_connecting(context, number):
    """The gateway is silent; the user gives up."""
    net.silent_gateway()
    before = net.snapshot()
    client = start_as_alice(context)
    net.wait_until(worker_is_there, 5, "worker")
    client.disconnect(number)
    net.check_unchanged(before)


def worker_is_there():
    try:
        return worker()
    except net.Failure:
        return None


@scenario
def connects_twice_in_a_row(context):
    start(context)
    for _ in range(2):
        with connected(context):
            net.ping(net.HOST4)


@scenario
def gateway_deletes_the_connection(context):
    host = start(context)
    before, client = up(context)
    host.terminate()
    expect_refusal(client, "gateway-closed", before)


@scenario
def gateway_shuts_down(context):
    host = start(context)
    before, client = up(context)
    host.stop()
    expect_refusal(client, "gateway-closed", before)


@scenario
def disconnect_from_a_dead_gateway(context):
    """Nobody answers the Delete: the disconnect still ends in time, everything reverted."""
    host = start(context)
    before, client = up(context)
    host.stop(signal.SIGKILL)
    client.disconnect()
    net.check_unchanged(before)


@scenario
def liveness_checks_are_answered(context):
    connection = gateway.default_connection()
    connection["dpd_delay"] = "1s"
    host = start(context, connections={"rw": connection})
    with connected(context):
        net.wait_until(lambda: host.count("parsed INFORMATIONAL response") >= 3, 10,
                       "three answered liveness checks")
        net.check("retransmit" not in host.log(), "the gateway had to retransmit")
        net.ping(net.HOST4)


@scenario
def cookie_is_returned(context):
    """A half-open connection makes the gateway ask for cookies (RFC 7296 2.6)."""
    host = start(context, charon={"cookie_threshold": "1"})
    half_open = reference.connect_only(context.pki)
    with connected(context):
        net.ping(net.HOST4)
    half_open.kill()
    net.check(host.count(r"N\(COOKIE\)") >= 1, "the gateway asked for no cookie")


@scenario
def status_lists_the_session(context):
    start(context)
    with connected(context):
        listing = net.run(program(context), "status", "--json", env=environment(context))
        text = json.dumps(json.loads(listing))
        for word in ("vpn.example.org", "10.77.0."):
            net.check(word in text, f"{word} is not in the status: {text[:300]}")


@scenario
def trace_shows_the_ladder_without_secrets(context):
    start(context)
    with connected(context, "--trace") as tunnel:
        net.ping(net.HOST4)
    for word in ("IKE_SA_INIT", "IKE_AUTH", "EAP", "TSi", "INFORMATIONAL"):
        net.check(word in tunnel.output, f"{word} is not in the trace")


@scenario
def killed_client_is_cleaned_up_by_the_next(context):
    """SIGKILL of godwit itself: the worker ends, and the next start reverts what was left."""
    start(context)
    before, client = up(context)
    client.process.kill()
    net.wait_until(lambda: not processes(), 5, "end of the worker whose godwit was killed")
    client = start_as_alice(context)
    client.wait_connected()
    net.ping(net.HOST4)
    client.disconnect()
    net.check_unchanged(before)

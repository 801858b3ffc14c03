# SPDX-License-Identifier: GPL-2.0-or-later
"""The datapath with static keys at both ends: everything arrives, as it was sent, and once."""

import os
import sys

import net
from scenario import scenario

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))

import ends  # noqa: E402
import soak  # noqa: E402
import traffic  # noqa: E402

REKEY = 50  # milliseconds


def start(context, cipher="aes256gcm", weather=None, **options):
    cable = os.path.join(context.build, "tests", "testbed", "cable")
    ends.set_up(weather and (cable, weather))
    tunnel = ends.Datapath(1, context.build, cipher, **options)
    tunnel.start()
    return tunnel, os.path.join(context.build, "tests", "bench")


@scenario(bare=True, timeout=soak.PATIENCE + 30)
def datapath_carries_every_octet(context):
    """100 MB in eight streams, both ways at once, with a new key every 0.05 s."""
    tunnel, programs = start(context, rekey=REKEY)
    before = {end: tunnel.counters(end) for end in ends.OUTER}
    counters = soak.carry(programs, tunnel, 50_000_000, streams=4)
    soak.check_dropped(counters, "replay", "send")
    tunnel.stop()
    return f"{soak.keys_used(before, counters)} keys"


@scenario(bare=True, timeout=soak.PATIENCE + 30)
def datapath_carries_every_octet_from_thread_to_thread(context):
    """With each direction done by one thread and by two in turn."""
    tunnel, programs = start(context, cipher="halves", rekey=REKEY)
    counters = soak.carry(programs, tunnel, 50_000_000, streams=2)
    soak.check_dropped(counters, "replay", "send")
    tunnel.stop()


@scenario(bare=True, timeout=soak.PATIENCE + 30)
def datapath_carries_every_octet_of_ipv6(context):
    """Inside and outside, ChaCha20-Poly1305."""
    tunnel, programs = start(context, cipher="chacha20", rekey=REKEY, ipv6=True)
    counters = soak.carry(programs, tunnel, 30_000_000, streams=2)
    soak.check_dropped(counters, "replay", "send")
    tunnel.stop()


@scenario(bare=True, timeout=soak.PATIENCE + 30)
def datapath_carries_every_octet_in_bad_weather(context):
    """Through a cable that loses, doubles and mixes up frames."""
    tunnel, programs = start(context, cipher="aes256-sha256", rekey=REKEY,
                             weather="100 200 5 50")
    before = {end: tunnel.counters(end) for end in ends.OUTER}
    counters = soak.carry(programs, tunnel, 5_000_000, streams=4)
    soak.check_dropped(counters)
    replayed = sum(counters[end]["dropped"]["replay"] for end in counters)
    net.check(replayed > 0, "nothing came twice, so nothing was shown")
    tunnel.stop()
    return f"{replayed} packets came twice, {soak.keys_used(before, counters)} keys"


@scenario(bare=True, timeout=90)
def datapath_takes_each_packet_once(context):
    """Every frame comes twice, and many after those that were sent later."""
    tunnel, programs = start(context, weather="100 2000 0 1000")
    sent, received, _ = traffic.datagrams(programs, tunnel, 300, 10_000, quiet=500)
    counters = {end: tunnel.counters(end) for end in ends.OUTER}
    soak.check_dropped(counters)
    net.check(0 < received <= sent, f"{received} datagrams came of {sent}")
    came, twice = counters["b"]["in_packets"], counters["b"]["dropped"]["replay"]
    net.check(came <= counters["a"]["out_packets"], f"{came} packets came of fewer")
    net.check(twice > 0, "nothing came twice, so nothing was shown")
    tunnel.stop()
    return f"{received} of {sent} came, {twice} packets refused that had come"

# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes in comes out: octets compared, while keys change."""

import ends
import net
import traffic

# Packets that only a fault makes.
NEVER = ("integrity", "unknown spi", "in policy", "in malformed", "out policy", "too big",
         "out malformed")

# Seconds: ThreadSanitizer on a machine that is busy with other suites makes it 50 times slower.
PATIENCE = 240


def carry(programs, tunnel, octets, streams=1, timeout=PATIENCE):
    """So many octets each way at once, all compared; returns the counters of both ends."""
    flows = [traffic.Streams(programs, tunnel, sender, f"{octets // streams}o", streams, check=True,
                             port=traffic.PORT + number)
             for number, sender in enumerate(ends.OUTER)]
    for flow in flows:
        flow.begin()
    for flow in flows:
        came, _ = flow.end(timeout)
        net.check(came == octets // streams * streams, f"{came} octets came of {octets}")
    return {end: tunnel.counters(end) for end in ends.OUTER}


def check_dropped(counters, *besides):
    """No end has dropped what no loss and no disorder explains."""
    for end, found in counters.items():
        for reason in (*NEVER, *besides):
            count = found["dropped"][reason]
            net.check(count == 0, f"{end} has dropped {count} packets: {reason}")


def keys_used(before, counters):
    return min(counters[end]["epoch"] - before[end]["epoch"] for end in counters)

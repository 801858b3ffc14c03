# SPDX-License-Identifier: GPL-2.0-or-later
"""With the kill switch nothing leaves beside the tunnel, whatever happens."""

import leaks
import net
from scenario import scenario_for

# With "always" what differs from "connected"; the whole table is `tests/run bench leaks`.
CASES = [*((row, "connected") for row in leaks.ROWS),
         *((row, "always") for row in ("connect", "daemon_killed", "reboot", "disconnect"))]


@scenario_for(CASES, lambda case: f"no_leak_{case[1]}_{case[0]}", bare=True)
def no_leak(context, case):
    packets, queries, examples = leaks.measure(context, *case)
    net.check(packets == 0 and queries == 0,
              f"{packets} packets, {queries} DNS queries beside the tunnel: {examples}")

# SPDX-License-Identifier: GPL-2.0-or-later
"""Many connections through godwitd; the long form is `tests/run bench cycles`."""

import cycles
import net
from scenario import scenario


@scenario(timeout=60)
def connecting_and_disconnecting_costs_nothing(context):
    """No descriptor and no thread stays, and the memory that is taken first suffices."""
    before, after = cycles.connect_and_disconnect(context, 20)
    net.check(after[0] <= before[0] * 1.02, f"godwitd had {before[0]} KiB, has {after[0]}")


@scenario(timeout=60)
def killed_at_random_the_host_is_restored(context):
    seed, victims = cycles.kill_at_random(context, 10)
    return f"seed {seed}: " + ", ".join(f"{name} {times}" for name, times in sorted(victims.items()))

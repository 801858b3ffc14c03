# SPDX-License-Identifier: GPL-2.0-or-later
"""With the kill switch nothing leaves beside the tunnel, whatever happens."""

import leaks
import net
from scenario import scenario, scenario_for

# With "always" what differs from "connected"; the whole table is `tests/run bench leaks`.
CASES = [*((row, "connected") for row in leaks.ROWS),
         *((row, "always") for row in ("connect", "daemon_killed", "reboot", "disconnect"))]


@scenario_for(CASES, lambda case: f"no_leak_{case[1]}_{case[0]}", bare=True)
def no_leak(context, case):
    packets, queries, examples = leaks.measure(context, *case)
    net.check(packets == 0 and queries == 0,
              f"{packets} packets, {queries} DNS queries beside the tunnel: {examples}")


@scenario(bare=True)
def held_before_there_is_a_bus(context):
    """What the unit godwit-killswitch.service does when the machine starts; nothing when it is off."""
    trial = leaks.Trial(context, "always")
    trial.bus.power_off()
    trial.bed[leaks.DEVICES[0]].unplug()
    hold = (f"{context.build}/godwitd", "--hold")
    net.run(*hold)
    net.run(*hold)
    trial.bed[leaks.DEVICES[0]].plug()
    trial.witnesses.reset()
    trial.for_a_while()
    seen = trial.witnesses.seen()
    net.check(not any(seen.values()), f"seen outside: {seen}: {trial.witnesses.examples()}")
    trial.bus.start()
    trial.sign_in()
    trial.root.manager("SetKillSwitch", "(false, @as [])")
    trial.bus.kill()
    net.run(*hold)
    net.check("godwit" not in net.run("nft", "list", "tables"), "traffic is held that is not to be")

# SPDX-License-Identifier: GPL-2.0-or-later
"""Medians, and ratios of what was measured in the same turn."""

import statistics


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.{2 if value >= 1 else 3}f}"


class Table:
    """Figures by who was measured and what; each round adds one of each."""

    def __init__(self):
        self.values = {}

    def add(self, who, what, value):
        self.values.setdefault(what, {}).setdefault(who, []).append(value)

    def median(self, who, what):
        return statistics.median(self.values[what][who])

    def ratio(self, who, base, what):
        """The median of the ratios of each round."""
        return statistics.median(one / other for one, other in
                                 zip(self.values[what][who], self.values[what][base]) if other)

    def print(self):
        """Ratios are to the first of each."""
        for what, rows in self.values.items():
            print(f"\n{what:36} {'median':>9} {'min':>9} {'max':>9} {'ratio':>7}")
            base = next(iter(rows))
            for who, values in rows.items():
                print(f"  {who:34} {number(statistics.median(values)):>9} "
                      f"{number(min(values)):>9} {number(max(values)):>9} "
                      f"{self.ratio(who, base, what):7.2f}")

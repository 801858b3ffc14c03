# SPDX-License-Identifier: GPL-2.0-or-later
"""Medians, and ratios of what was measured in the same turn."""

import statistics


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.{2 if value >= 1 else 3}f}"


def quantile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


class Table:
    """Figures by what was measured and whose; each round adds one of each."""

    def __init__(self):
        self.values = {}
        self.units = {}
        self.samples = {}  # many of one measurement, for pictures

    def add(self, what, unit, who, value):
        self.units[what] = unit
        self.values.setdefault(what, {}).setdefault(who, []).append(value)

    def sample(self, what, who, values):
        self.samples.setdefault(what, {}).setdefault(who, []).extend(values)

    def has(self, what, *whose):
        return all(who in self.values.get(what, {}) for who in whose)

    def ratio(self, what, who, base):
        """The median of the ratios of each round; None without both."""
        if not self.has(what, who, base):
            return None
        ratios = [one / other for one, other in
                  zip(self.values[what][who], self.values[what][base]) if other]
        return statistics.median(ratios) if ratios else None

    def print(self):
        """Ratios are to the first of each."""
        for what, rows in self.values.items():
            title = f"{what}, {self.units[what]}"
            print(f"\n{title:44} {'median':>9} {'min':>9} {'max':>9} {'ratio':>7}")
            base = next(iter(rows))
            for who, values in rows.items():
                ratio = self.ratio(what, who, base)
                print(f"  {who:42} {number(statistics.median(values)):>9} "
                      f"{number(min(values)):>9} {number(max(values)):>9} "
                      f"{'' if ratio is None else f'{ratio:.2f}':>7}")

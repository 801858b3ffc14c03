# SPDX-License-Identifier: GPL-2.0-or-later
"""What was set out for, beside where we are."""

OURS, GNUTLS, NULL = "godwit aes256gcm", "godwit gnutls", "godwit null"
WIREGUARD, STRONGSWAN = "wireguard-go", "strongSwan"
ONE_STREAM = [f"TCP, 1 stream, {way}" for way in ("a to b", "b to a")]
# Title; the rows that must all do it; who; against whom; at least or at most; the ratio.
GOALS = (
    ("TCP, one stream, each way", ONE_STREAM, OURS, WIREGUARD, ">=", 5),
    ("the same by GnuTLS alone", ONE_STREAM, GNUTLS, WIREGUARD, ">=", 3.5),
    ("TCP, one stream, each way", ONE_STREAM, OURS, STRONGSWAN, ">=", 14),
    ("TCP, one stream, each way", ONE_STREAM, OURS, NULL, ">=", 0.85),
    ("CPU per gigabyte, one end", ["CPU of one end"], OURS, WIREGUARD, "<=", 1 / 5),
    ("packets of 64 octets, no loss", ["UDP, 64 octets, loss below 0.1 %"], OURS, WIREGUARD, ">=", 4),
    ("ping, idle, median", ["ping idle, median"], OURS, WIREGUARD, "<=", 1 / 3),
    ("ping, 99th of 100, under load", ["ping under load, 99th of 100"], OURS, WIREGUARD, "<=", 1 / 3),
    ("TCP, one stream, processors", [f"TCP, 1 stream, a slow end {what}, processors"
                                     for what in ("sends", "receives")], "two", "one", ">=", 1.7),
    ("TCP, one stream, Child SAs", ["TCP, 1 stream, Child SAs installed"], "1,000", "1", ">=", 0.98),
)


def evaluate(table):
    """[(title, against, kind, goal, where we are, reached)] of those of which both sides were measured."""
    found = []
    for title, rows, who, against, kind, goal in GOALS:
        ratios = [table.ratio(what, who, against) for what in rows]
        if None not in ratios:
            worst = min(ratios) if kind == ">=" else max(ratios)
            reached = worst >= goal if kind == ">=" else worst <= goal
            found.append((title, against, kind, goal, worst, reached))
    return found


def show(table):
    found = evaluate(table)
    if found:
        print(f"\n{'goal':34} {'against':14} {'':>10}  {'now':>7}")
    for title, against, kind, goal, ratio, reached in found:
        print(f"  {title:32} {against:14} {kind} {goal:5.2f} x  {ratio:6.2f} x  "
              f"{'reached' if reached else 'not yet'}")

# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures as pictures, by gnuplot."""

import os
import re
import statistics
import subprocess

COLOURS = {"godwit aes256gcm": "#3b6e8f", "wireguard-go": "#b5651d", "strongSwan": "#7a7a7a"}
LABELS = {"godwit aes256gcm": "Godwit, AES-256-GCM", "wireguard-go": "wireguard-go",
          "strongSwan": "strongSwan, kernel-libipsec"}
LOOK = """set terminal svg size 640,400 dynamic enhanced font "sans,13" background "#ffffff"
set border 3 lc rgb "#555555"
set tics nomirror textcolor rgb "#333333"
set grid lc rgb "#e0e0e0"
set key left top reverse Left
"""


def _plot(path, settings, curves):
    """`curves`: {who: [(x, y), ...]}."""
    names = [who for who in COLOURS if curves.get(who)]
    parts = [f"$data{number} title \"{LABELS[who]}\" with linespoints lw 3 pt 7 ps 0.4 "
             f"lc rgb \"{COLOURS[who]}\"" for number, who in enumerate(names)]
    blocks = "".join(f"$data{number} << END\n" +
                     "".join(f"{x} {y}\n" for x, y in curves[who]) + "END\n"
                     for number, who in enumerate(names))
    script = f"{LOOK}set output \"{path}\"\n{settings}\n{blocks}plot " + ", ".join(parts) + "\n"
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def by_size(table, path):
    """Datagrams of each size without loss, as Gbit/s of their payload."""
    curves = {}
    for what, rows in table.values.items():
        size = re.match(r"UDP, (\d+) octets", what)
        for who, values in rows.items() if size else ():
            octets = int(size.group(1))
            gbits = statistics.median(values) * 1000 * octets * 8 / 1e9
            curves.setdefault(who, []).append((octets, gbits))
    _plot(path, "set xlabel \"octets of each UDP datagram\"\nset ylabel \"Gbit/s without loss\"\n"
          "set yrange [0:*]\nset xrange [0:1400]", {who: sorted(curve) for who, curve in curves.items()})


def by_wait(table, path):
    """How many of the pings under load had come back after how long."""
    curves = {}
    for who, times in table.samples["ping under load"].items():
        times = sorted(times)
        steps = range(0, len(times), max(1, len(times) // 100))
        curves[who] = [(times[step], 100 * (step + 1) / len(times)) for step in steps]
    _plot(path, "set xlabel \"milliseconds, while TCP fills the tunnel\"\nset ylabel \"% of pings back\"\n"
          "set logscale x\nset yrange [0:100]", curves)


def draw(table, folder):
    os.makedirs(folder, exist_ok=True)
    for name, function in (("throughput-by-size.svg", by_size), ("latency-under-load.svg", by_wait)):
        path = os.path.join(folder, name)
        function(table, path)
        print(path)

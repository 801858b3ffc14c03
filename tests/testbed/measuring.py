# SPDX-License-Identifier: GPL-2.0-or-later
"""How the programs begin that are no scenarios: measurements, the demonstration."""

import argparse
import os
import sys

import pki
import sandbox
import scenario


def parser(description):
    """Of what all of them take; each adds its own."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--build", required=True, help="build directory")
    return made


def options_of(own):
    """What is given to that parser; without root the program ends here."""
    options = own.parse_args()
    if os.geteuid() != 0:
        print(f"{own.prog} makes network namespaces and needs root.", file=sys.stderr)
        sys.exit(77)
    options.build = os.path.abspath(options.build)
    return options


def run(options, function, *arguments):
    """`function(context, ...)` in a sandbox of its own; the exit code."""
    return sandbox.run(lambda: function(
        scenario.Context(pki.Pki("/run/bed/pki"), options.build, "/run/bed"), *arguments))

# SPDX-License-Identifier: GPL-2.0-or-later
"""How scenarios are declared and what they get."""

import dataclasses
import inspect
import os
from typing import Callable


class Skip(Exception):
    """The scenario cannot run here; the text says why."""


@dataclasses.dataclass
class Entry:
    name: str
    file: str
    function: Callable
    timeout: int
    alone: bool
    bare: bool
    idle: bool


@dataclasses.dataclass
class Context:
    """What every scenario gets: certificates, the build to test, a directory for its result."""
    pki: object
    build: str
    scratch: str


REGISTRY = []


def scenario(function=None, *, timeout=30, alone=False, bare=False, idle=False):
    """Declares a scenario. `alone`: not beside others, because it measures or loads the machine.
    `bare`: it builds a network of its own. `idle`: it waits for many seconds in which it does next to
    nothing, so that others have its place. What the function returns is told with its result."""
    def declare(target):
        name = target.__name__
        if any(entry.name == name for entry in REGISTRY):
            raise ValueError(f"two scenarios are called {name}")
        file = os.path.splitext(os.path.basename(inspect.getfile(target)))[0]
        REGISTRY.append(Entry(name, file, target, timeout, alone, bare, idle))
        return target
    return declare(function) if function else declare


def scenario_for(values, make_name, **options):
    """Declares one scenario per value: `function(context, value)`."""
    def declare(target):
        for value in values:
            def one(context, value=value):
                return target(context, value)
            file = os.path.splitext(os.path.basename(inspect.getfile(target)))[0]
            REGISTRY.append(Entry(make_name(value), file, one, options.get("timeout", 30),
                                  options.get("alone", False), options.get("bare", False),
                                  options.get("idle", False)))
        return target
    return declare

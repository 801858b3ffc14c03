# SPDX-License-Identifier: GPL-2.0-or-later
"""What programs tell a screen reader, over AT-SPI's bus as it is. (The library libatspi of Debian 12
waits for itself when news of a GTK 3 program arrive while it asks something.)"""

import collections
import contextlib

from gi.repository import Gio, GLib

ROOT = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root")
TIMEOUT = 10_000  # milliseconds
# Places in AT-SPI's set of states.
STATES = {"ACTIVE": 1, "CHECKED": 4, "EDITABLE": 7, "ENABLED": 8, "EXPANDED": 10, "FOCUSABLE": 11,
          "FOCUSED": 12, "MODAL": 16, "PRESSED": 20, "SELECTED": 23, "SENSITIVE": 24, "SHOWING": 25,
          "VISIBLE": 30, "REQUIRED": 33, "INVALID": 36}
RELATIONS = {"LABEL_FOR": 1, "LABELLED_BY": 2, "ERROR_MESSAGE": 18, "DESCRIBED_BY": 20}
# GTK 4 has other words than GTK 3 for some of AT-SPI's roles: the numbers are the same.
ROLES = {2: "alert", 7: "check box", 11: "combo box", 16: "dialog", 23: "frame", 29: "label",
         31: "list", 32: "list item", 35: "menu item", 37: "page tab", 38: "page tab list", 39: "panel",
         40: "password text", 43: "push button", 44: "radio button", 52: "spin button", 61: "text",
         62: "toggle button"}


class Gone(Exception):
    """The widget, or its program, is there no more."""


def connect():
    """The connection to the bus, which the session bus starts; of the calling process alone."""
    session = Gio.bus_get_sync(Gio.BusType.SESSION, None)
    address, = session.call_sync("org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress", None,
                                 None, Gio.DBusCallFlags.NONE, TIMEOUT, None).unpack()
    return Gio.DBusConnection.new_for_address_sync(
        address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
        | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)


class Node:
    """A widget, as its program shows it. Everything is asked anew."""

    def __init__(self, bus, address=ROOT):
        self.bus, self.address = bus, tuple(address)

    def __eq__(self, other):
        return isinstance(other, Node) and self.address == other.address

    def __hash__(self):
        return hash(self.address)

    def call(self, interface, method, signature=None, *arguments):
        try:
            return self.bus.call_sync(
                self.address[0], self.address[1], interface, method,
                GLib.Variant(signature, arguments) if signature else None, None,
                Gio.DBusCallFlags.NO_AUTO_START if self.address != ROOT else Gio.DBusCallFlags.NONE,
                TIMEOUT, None).unpack()
        except GLib.Error as error:
            raise Gone(f"{self.address[1]}: {interface}.{method}: {error.message}") from None

    def post(self, interface, method, signature, *arguments):
        """A call whose answer nobody waits for."""
        self.bus.call(self.address[0], self.address[1], interface, method,
                      GLib.Variant(signature, arguments), None, Gio.DBusCallFlags.NONE, -1, None, None)

    def ask(self, method, signature=None, *arguments):
        return self.call("org.a11y.atspi.Accessible", method, signature, *arguments)[0]

    def read(self, interface, name):
        return self.call("org.freedesktop.DBus.Properties", "Get", "(ss)",
                         f"org.a11y.atspi.{interface}", name)[0]

    @property
    def role(self):
        """In AT-SPI's words."""
        return self.role_of(self.ask("GetRole"))

    def role_of(self, number):
        return ROLES.get(number) or self.ask("GetRoleName")

    @property
    def name(self):
        """Its own, or its label's as a screen reader has it."""
        return self.name_of(self.read("Accessible", "Name"))

    def name_of(self, own):
        """GTK 4.8 calls a button with a mnemonic "_Save Save"."""
        name = own or self._label
        half = len(name) // 2
        return name[half + 1:] if name[:half].replace("_", "", 1) == name[half + 1:] else name

    @property
    def _label(self):
        return " ".join(node.read("Accessible", "Name") for node in self.related("LABELLED_BY"))

    @property
    def description(self):
        return self.read("Accessible", "Description")

    @property
    def words(self):
        """Its own name, which of a label is its text, and its description."""
        return self.read("Accessible", "Name"), self.description

    @property
    def children(self):
        return [Node(self.bus, address) for address in self.ask("GetChildren")
                if address[1] != "/org/a11y/atspi/null"]

    @property
    def states(self):
        return states_of(self.ask("GetState"))

    @property
    def size(self):
        try:
            return self.call("org.a11y.atspi.Component", "GetSize")
        except Gone:
            return (0, 0)

    @property
    def place(self):
        """In its window."""
        return self.call("org.a11y.atspi.Component", "GetExtents", "(u)", 1)[0][:2]

    @property
    def shown(self):
        return self.is_shown(self.states)

    def is_shown(self, states):
        """GTK 4.8 tells SHOWING of windows alone: what has no room in its window is not shown."""
        return "SHOWING" in states or ("VISIBLE" in states and self.size[0] > 0)

    def related(self, relation):
        """The widgets that stand in that relation to it."""
        return [Node(self.bus, address) for kind, targets in self.ask("GetRelationSet")
                for address in targets if kind == RELATIONS[relation]]

    @property
    def text(self):
        """What an entry or a label holds; the name of what holds no text."""
        try:
            # GTK 4.8 does not take -1 for the end.
            end = self.read("Text", "CharacterCount")
            return self.call("org.a11y.atspi.Text", "GetText", "(ii)", 0, end)[0]
        except Gone:
            return self.name

    def replace_text(self, text):
        self.call("org.a11y.atspi.EditableText", "SetTextContents", "(s)", text)

    @property
    def actions(self):
        """How many."""
        try:
            return self.read("Action", "NActions")
        except Gone:
            return 0

    def select_child(self, index, wait=True):
        """A page of a notebook or a row of a list, by its place. `wait`: see act()."""
        (self.call if wait else self.post)("org.a11y.atspi.Selection", "SelectChild", "(i)", index)

    def act(self, wait=True):
        """What the widget is for: a button is pressed, a box ticked, a list opened. Without `wait` for
        what answers only when a dialog that it opens is closed again."""
        (self.call if wait else self.post)("org.a11y.atspi.Action", "DoAction", "(i)", 0)

    def focus(self):
        """False where that is not to be had (GTK 4.8)."""
        try:
            return self.call("org.a11y.atspi.Component", "GrabFocus")[0]
        except Gone:
            return False

    @property
    def node(self):
        """As of Seen."""
        return self

    def walk(self, depth=0):
        """The widget and all that is below it, hidden or not."""
        try:
            children = self.children
        except Gone:
            return
        yield self
        for child in children if depth < 50 else ():
            yield from child.walk(depth + 1)


def states_of(words):
    low, high = words
    bits = low | high << 32
    return {name for name, place in STATES.items() if bits >> place & 1}


class Seen:
    """A widget as it was at that moment."""

    def __init__(self, node, item):
        self.node, self.item = node, item

    @property
    def role(self):
        return self.node.role_of(self.item.get_child_value(7).get_uint32())

    @property
    def name(self):
        return self.node.name_of(self.item.get_child_value(6).get_string())

    @property
    def states(self):
        return states_of(self.item.get_child_value(9).unpack())

    @property
    def shown(self):
        return self.node.is_shown(self.states)


class Eye:
    """Sees all that programs show at one moment. Each of them is asked once, for what it tells screen
    readers to keep, where that is all of it; about each widget otherwise."""

    ITEMS = GLib.VariantType("(a((so)(so)(so)iiassusau))")
    # GTK 4.10 and later do not tell of what nobody has asked for.
    TELL_ALL = ("3.", "4.8.")

    def __init__(self, bus):
        self.bus = bus
        self.telling = {}  # whether a program does, by its name on the bus

    def _tells_all(self, program):
        if program not in self.telling:
            try:
                version = Node(self.bus, (program, ROOT[1])).read("Application", "Version")
                self.telling[program] = version.startswith(self.TELL_ALL)
            except Gone:
                self.telling[program] = False
        return self.telling[program]

    def look(self, node):
        """That and all that is below it, hidden or not."""
        if node.address == ROOT:
            for program in node.children:
                yield from self.look(program)
        elif self._tells_all(node.address[0]):
            yield from Glance(self.bus, node.address[0]).walk(node)
        else:
            yield from node.walk()


class Glance:
    """What a program has told at one moment."""

    def __init__(self, bus, program):
        self.bus = bus
        self.items = {}  # by address
        self.below = collections.defaultdict(list)  # (place, address) by address
        with contextlib.suppress(GLib.Error):
            self._read(bus.call_sync(
                program, "/org/a11y/atspi/cache", "org.a11y.atspi.Cache", "GetItems", None, Eye.ITEMS,
                Gio.DBusCallFlags.NO_AUTO_START, TIMEOUT, None).get_child_value(0))

    def _read(self, items):
        for at in range(items.n_children()):
            item = items.get_child_value(at)
            address = item.get_child_value(0).unpack()
            self.items[address] = item
            self.below[item.get_child_value(2).unpack()].append(
                (item.get_child_value(3).get_int32(), address))

    def _see(self, node):
        """(what is seen of it, addresses below it). GTK 4.8 tells of hidden widgets too, at the place
        of the next one: then it is asked which are there."""
        item = self.items.get(node.address)
        if item is None:
            return node, [child.address for child in node.children]
        below = sorted(self.below[node.address])
        if [place for place, _ in below] == list(range(item.get_child_value(4).get_int32())):
            return Seen(node, item), [address for _, address in below]
        return Seen(node, item), [child.address for child in node.children]

    def walk(self, node, depth=0):
        try:
            seen, below = self._see(node)
        except Gone:
            return
        yield seen
        for address in below if depth < 50 else ():
            yield from self.walk(Node(self.bus, address), depth + 1)

# SPDX-License-Identifier: GPL-2.0-or-later
"""godwit-tray beside a real NetworkManager: networks that are not trusted, and connections that
NetworkManager has begun."""

import os

import bus
import desktop
import gateway
import net
import networkmanager
import tray
from scenario import scenario
from scenarios.nm_service import add

PORTAL = 8080
# NetworkManager asks it whether there is a captive portal; there is one until /run/bed/open exists.
WEB = f"""import http.server, os
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = b"online" if os.path.exists("/run/bed/open") else b"Please sign in."
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
server = http.server.HTTPServer(("{net.GATEWAY4}", {PORTAL}), Answer)
print("ready", flush=True)
server.serve_forever()
"""


def start(context):
    """(NetworkManager, screen, tray); nothing is up yet."""
    host = gateway.Gateway(context.pki)
    host.start()
    net.batch(None, "addr flush dev cl0", "link set cl0 down")
    manager = networkmanager.NetworkManager(context)
    screen = desktop.Desktop(context)
    tray.install_icons(context)
    return manager, screen, tray.Tray(context, screen)


def add_network(manager, name):
    manager.nmcli("connection", "add", "type", "ethernet", "con-name", name, "ifname", "cl0",
                  "ipv4.method", "manual", "ipv4.addresses", f"{net.CLIENT4}/24", "ipv4.gateway",
                  net.GATEWAY4, "ipv6.method", "disabled", "connection.autoconnect", "no")


def join(manager, name):
    manager.nmcli("device", "set", "cl0", "managed", "yes")
    manager.nmcli("connection", "up", name)


def open_preferences(screen):
    screen.activate(screen.find("frame", "Godwit"))
    screen.key("ctrl+comma")
    return screen.find("frame", "Preferences")


@scenario(timeout=90)
def tray_connects_where_nothing_is_trusted(context):
    """Once for each time that a network is joined that is not trusted; not against a person's will."""
    manager, screen, program = start(context)
    for name in ("cafe", "home"):
        add_network(manager, name)
    program.give_profile()
    program.start()
    window = open_preferences(screen)
    screen.press("check box", "Connect on Networks That Are Not Trusted", window)
    screen.click(window, screen.find("list item", "Trusted Networks", window))
    screen.press("check box", "home", window)
    screen.take_picture("tray-networks")

    def arrive(name):
        """Until the program has noticed."""
        join(manager, name)
        screen.wait_for(lambda: any(screen.all("label", "In use.*", row)
                                    for row in screen.all("list item", name, window)),
                        f"{name} as the network in use")
    path = f"{desktop.HOME}/.config/godwit/tray.ini"
    uuid = manager.nmcli("-g", "connection.uuid", "connection", "show", "home").strip()
    screen.wait_for(lambda: os.path.exists(path) and uuid in bus.read(path), "trusted network")
    arrive("home")
    net.check(not screen.becomes(lambda: program.icon() != "off", 2), "a trusted network is not")
    arrive("cafe")
    program.wait_icon("on")
    net.ping(net.HOST4)
    program.choose("Disconnect")
    program.wait_icon("off")
    manager.nmcli("connection", "down", "cafe")
    arrive("cafe")
    net.check(not screen.becomes(lambda: program.icon() != "off", 2), "it connects against the will")
    arrive("home")
    arrive("cafe")
    program.wait_icon("on")
    program.choose("Disconnect")
    program.wait_icon("off")


@scenario(timeout=90)
def tray_waits_for_a_portal(context):
    """As long as a captive portal lets nothing through nothing is begun; a question that nobody answers
    is asked once."""
    net.Process(["/usr/bin/python3", "-c", WEB], namespace="gw").read_until("ready", 10)
    os.makedirs("/run/bed/none")
    bus.write("/run/bed/none/portal.conf",
              f"[connectivity]\nuri=http://{net.GATEWAY4}:{PORTAL}/\nresponse=online\n")
    manager, screen, program = start(context)
    add_network(manager, "cafe")
    program.give_profile(password=None)
    bus.write(f"{desktop.HOME}/.config/godwit/tray.ini", "[untrusted-networks]\nconnect=true\n")
    program.start("--hidden")
    join(manager, "cafe")
    net.wait_until(lambda: "portal" in manager.nmcli("networking", "connectivity", "check"), 20,
                   "captive portal")
    net.check(not screen.becomes(lambda: program.icon() != "off", 2), "it connects through a portal")
    bus.write("/run/bed/open", "")
    net.wait_until(lambda: "full" in manager.nmcli("networking", "connectivity", "check"), 20,
                   "way beyond the portal")
    program.wait_icon("attention")
    screen.press("push button", "Cancel")
    screen.wait_for(lambda: program.icon() in ("off", "attention") and
                    not screen.all("password text"), "end of the question")
    manager.nmcli("connection", "down", "cafe")
    join(manager, "cafe")
    net.check(not screen.becomes(lambda: screen.all("password text"), 2), "it asks again and again")


@scenario(timeout=60)
def tray_shows_what_networkmanager_began(context):
    """A connection of NetworkManager is seen, watched and ended; NetworkManager hears of the end."""
    manager, screen, program = start(context)
    add_network(manager, "home")
    join(manager, "home")
    add(manager, context)
    program.start()
    manager.nmcli("connection", "up", "work")
    program.wait_icon("on")
    screen.press("push button", "Details of work")
    screen.find("label", "NetworkManager")
    screen.press("push button", "Show Trace")
    screen.find("label", "Tunnel established.*")
    program.choose("Disconnect")
    program.wait_icon("off")
    net.wait_until(lambda: not manager.active_vpns(), 20, "end of the connection for NetworkManager")

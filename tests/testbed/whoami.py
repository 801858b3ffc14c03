# SPDX-License-Identifier: GPL-2.0-or-later
"""Where packets come from, as the other end sees it.

    whoami.py serve PORT ADDRESS...   answers at these addresses with who asks
    whoami.py ask PORT ADDRESS...     prints a line for each: "ADDRESS sees OURS", or why it does not
"""

import select
import socket
import sys
import time

PATIENCE = 2


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(port, addresses):
    sockets = []
    for address in addresses:
        sockets.append(socket.socket(family(address), socket.SOCK_DGRAM))
        sockets[-1].bind((address, port))
    print("ready", flush=True)
    while True:
        for one in select.select(sockets, [], [])[0]:
            _, asker = one.recvfrom(100)
            one.sendto(asker[0].encode(), asker)


def ask(port, address):
    """Asks until there is an answer: the first may be late while the path is found."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as one:
        try:
            one.connect((address, port))
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                one.send(b"who am I?")
                if select.select([one], [], [], 0.2)[0]:
                    return f"{address} sees {one.recv(100).decode()}"
            return f"{address} does not answer"
        except OSError as error:
            return f"{address} fails: {error.strerror}"


if __name__ == "__main__":
    command, *words = sys.argv[1:]
    port, addresses = int(words[0]), words[1:]
    if command == "serve":
        serve(port, addresses)
    for address in addresses:
        print(ask(port, address), flush=True)

# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP transfers with a checksum: a server for the protected host, both directions of a client."""

import hashlib
import json
import os
import socket
import struct
import sys
import threading
import time

PORT = 9000
CHUNK = 256 * 1024
# Seconds in which a path may come back.
PATIENCE = 200
PATTERN = hashlib.shake_256(b"godwit").digest(CHUNK - 8)


def chunks(size):
    """Octets in which every chunk differs, so that lost or swapped ones show."""
    number = 0
    while size > 0:
        chunk = struct.pack("!Q", number) + PATTERN
        yield chunk[:size]
        size -= len(chunk)
        number += 1


def expected_digest(size):
    digest = hashlib.sha256()
    for chunk in chunks(size):
        digest.update(chunk)
    return digest.hexdigest()


def _receive(connection, size):
    digest = hashlib.sha256()
    while size > 0:
        data = connection.recv(min(size, CHUNK))
        if not data:
            break
        digest.update(data)
        size -= len(data)
    return digest.hexdigest()


def _serve_one(connection, peer):
    with connection:
        request = json.loads(connection.makefile("rb", buffering=0).readline())
        if request["direction"] == "up":
            answer = {"digest": _receive(connection, request["size"]), "peer": peer[0]}
            connection.sendall(json.dumps(answer).encode() + b"\n")
        elif request["direction"] == "echo":
            while data := connection.recv(CHUNK):
                connection.sendall(data)
        else:
            for chunk in chunks(request["size"]):
                connection.sendall(chunk)


def serve():
    """Answers any number of transfers on every address of both families; never returns."""
    listener = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True,
                                    backlog=16)
    # close() waits until the peer has everything. Otherwise what is left is an orphan's, and an
    # orphan that repeats at tcp_rto_max_ms already, as a laptop's gateway soon does, is given up at
    # once: the peer gets a RST for what it sends next.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, PATIENCE))
    print("ready", flush=True)
    while True:
        connection, peer = listener.accept()
        threading.Thread(target=_serve_one, args=(connection, peer), daemon=True).start()


def transfer(address, direction, size, timeout=60):
    """One transfer. Returns (octets per second, address the server saw, MSS); raises OSError or
    ValueError when the checksum differs."""
    with socket.create_connection((address, PORT), timeout=timeout) as connection:
        started = time.monotonic()
        request = {"direction": direction, "size": size}
        connection.sendall(json.dumps(request).encode() + b"\n")
        mss = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
        source = connection.getsockname()[0]
        if direction == "up":
            for chunk in chunks(size):
                connection.sendall(chunk)
            answer = json.loads(connection.makefile("rb").readline())
            digest, source = answer["digest"], answer["peer"].removeprefix("::ffff:")
        else:
            digest = _receive(connection, size)
        seconds = time.monotonic() - started
    if digest != expected_digest(size):
        raise ValueError(f"{size} octets {direction} to {address} arrived with another checksum")
    return size / seconds, source, mss


class Steady:
    """One TCP connection for the time of a `with`: a file at a steady pace, echoed, so that both
    directions carry it. It may stall; it must not break, and what comes back is what was sent."""

    PIECE, PAUSE = 4096, 0.01

    def __init__(self, address, patience=PATIENCE):
        self.address, self.patience = address, patience
        self.sent, self.came = hashlib.sha256(), hashlib.sha256()
        self.octets = 0
        self.problem = None
        self.over = threading.Event()

    def _send(self):
        try:
            for chunk in chunks(1 << 40):
                for start in range(0, len(chunk), self.PIECE):
                    if self.over.wait(self.PAUSE):
                        self.connection.shutdown(socket.SHUT_WR)
                        return
                    piece = chunk[start:start + self.PIECE]
                    self.sent.update(piece)
                    self.connection.sendall(piece)
        except OSError as problem:
            self.problem = self.problem or problem

    def _receive(self):
        try:
            while data := self.connection.recv(CHUNK):
                self.came.update(data)
                self.octets += len(data)
        except OSError as problem:
            self.problem = self.problem or problem

    def __enter__(self):
        self.connection = socket.create_connection((self.address, PORT), timeout=self.patience)
        self.connection.sendall(json.dumps({"direction": "echo"}).encode() + b"\n")
        self.threads = [threading.Thread(target=work, daemon=True)
                        for work in (self._send, self._receive)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        import net
        self.over.set()
        if kind is None:
            for thread in self.threads:
                thread.join(self.patience)
            net.check(self.problem is None, f"the TCP connection broke: {self.problem}")
            net.check(not any(thread.is_alive() for thread in self.threads),
                      "the TCP connection does not end")
            net.check(self.sent.digest() == self.came.digest() and self.octets > 0,
                      f"the echo has another checksum after {self.octets} octets")
        self.connection.close()


def start_server():
    """Starts the server in the gateway's namespace and waits until it listens."""
    import net
    server = net.Process([sys.executable, os.path.abspath(__file__)], namespace="gw")
    server.read_until("^ready", 10)
    return server


if __name__ == "__main__":
    serve()

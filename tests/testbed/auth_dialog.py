# SPDX-License-Identifier: GPL-2.0-or-later
"""NetworkManager's side of nm-godwit-auth-dialog: what its agents give, and how they read."""

import configparser
import os
import subprocess

import desktop
import net
import sandbox

SERVICE = "org.freedesktop.NetworkManager.godwit"
UUID = "5d0e9bd4-2c3f-4f0a-9c0e-0d5b0c5b8a11"


class AuthDialog:
    """Runs from the start; `options` as on its command line, `data` and `secrets` as NetworkManager
    has them."""

    def __init__(self, context, *options, data=None, secrets=None, name="Work", uuid=UUID, env=None):
        with open(f"{desktop.LOGS}/auth-dialog.log", "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(context.build, "nm-godwit-auth-dialog"), "-u", uuid, "-n", name, "-s",
                 SERVICE, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                preexec_fn=sandbox.die_with_parent, env={**os.environ, **(env or {})})
        for kind, table in (("DATA", data or {}), ("SECRET", secrets or {})):
            for key, value in table.items():
                self.write(f"{kind}_KEY={key}\n{kind}_VAL={value}\n\n")
        self.write("DONE\n\n")

    def write(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def answers(self):
        """Reads as nm-applet does: pairs of lines until the second empty one, then QUIT."""
        lines, empty = [], 0
        while empty < 2:
            line = self.process.stdout.readline()
            if not line:
                break
            if line == b"\n":
                empty += 1
            else:
                lines.append(line.decode().rstrip("\n"))
        if empty == 2:
            self.write("QUIT\n\n")
        net.check(self.process.wait(10) == 0, f"it ended with {self.process.returncode}")
        return dict(zip(lines[::2], lines[1::2]))

    def keyfile(self):
        """Reads as GNOME Shell does in the mode without a window: to the end, saying nothing."""
        text = self.process.stdout.read().decode()
        net.check(self.process.wait(10) == 0, f"it ended with {self.process.returncode}")
        file = configparser.RawConfigParser(strict=True)
        file.optionxform = str
        file.read_string(text)
        return file

    def must_be_cancelled(self):
        """An agent takes any other exit code for the person's no."""
        net.check(self.process.stdout.read() == b"" and self.process.wait(10) == 1,
                  f"it ended with {self.process.returncode}")

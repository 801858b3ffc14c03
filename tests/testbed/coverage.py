#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Line coverage per folder from a build with --coverage: coverage.py BUILD FOLDER... The lines that
nothing has reached are written to BUILD/unreached, under the names of their functions."""

import collections
import json
import os
import subprocess
import sys


def executed_lines(build):
    """Source file -> line -> how often it ran, over all objects that include the file; and the lines
    at which functions begin, with their names."""
    lines = collections.defaultdict(lambda: collections.defaultdict(int))
    functions = collections.defaultdict(dict)
    notes = [os.path.join(folder, name) for folder, _, names in os.walk(build)
             for name in names if name.endswith(".gcno")]
    for start in range(0, len(notes), 50):
        output = subprocess.run(["gcov", "--json-format", "--stdout", *notes[start:start + 50]],
                                capture_output=True, check=True, cwd=os.getcwd()).stdout
        for report in output.splitlines():
            content = json.loads(report)
            base = content["current_working_directory"]
            for file in content["files"]:
                path = os.path.relpath(os.path.join(base, file["file"]))
                if not os.path.exists(path):
                    continue  # what is left of an earlier build
                for line in file["lines"]:
                    lines[path][line["line_number"]] += line["count"]
                for function in file["functions"]:
                    functions[path][function["start_line"]] = function["name"]
    return lines, functions


def unreached(path, lines, functions):
    """The text of the lines that never ran, each function's under its name."""
    with open(path, encoding="utf-8") as file:
        text = file.read().splitlines()
    told = []
    begins = sorted(functions)
    for start, end in zip(begins, begins[1:] + [len(text) + 1]):
        missed = [number for number in range(start, min(end, len(text) + 1))
                  if lines.get(number) == 0]
        if missed:
            whole = " (never called)" if lines.get(start) == 0 else ""
            told.append(f"{path}:{start}: {functions[start]}{whole}")
            told += [f"{number:6} {text[number - 1]}" for number in missed]
    return told


def main():
    build, folders = sys.argv[1], sys.argv[2:]
    lines, functions = executed_lines(os.path.abspath(build))
    with open(os.path.join(build, "unreached"), "w", encoding="utf-8") as file:
        for path in sorted(path for path in lines if path.startswith(tuple(f"{f}/" for f in folders))):
            file.writelines(f"{line}\n" for line in unreached(path, lines[path], functions[path]))
    total_reached = total = 0
    for folder in folders:
        folder_reached = folder_total = 0
        rows = []
        for path in sorted(path for path in lines if path.startswith(folder + "/")):
            reached = sum(1 for count in lines[path].values() if count)
            rows.append((path, reached, len(lines[path])))
            folder_reached += reached
            folder_total += len(lines[path])
        for path, reached, count in rows:
            print(f"  {100 * reached / max(count, 1):5.1f} %  {reached:5d} of {count:5d}  {path}")
        print(f"{100 * folder_reached / max(folder_total, 1):5.1f} %  {folder_reached} of "
              f"{folder_total} lines  {folder}")
        total_reached += folder_reached
        total += folder_total
    print(f"{100 * total_reached / max(total, 1):5.1f} %  {total_reached} of {total} lines  "
          f"{', '.join(folders)}")


if __name__ == "__main__":
    main()

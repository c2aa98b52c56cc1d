"""Holds a page of docs/ to what it shows: page.py PAGE.md FOLDER BUILD.

Blocks of the page count in their order, in an empty FOLDER, by their first line:

  ```console             each `$ ` line (`> ` continues it) is run and must print what follows it
  ```console exit=1      the same for commands that end with this status
  ```LANGUAGE file=NAME  the block is written to NAME
  ```LANGUAGE of=PATH    the block stands in PATH of the source tree, word for word, wherever indented

In what a command prints, `...` alone on a line stands for any lines, within a line for any
text. Commands find the tools on PATH, the tree in $DOJO and its build in $DOJO_BUILD.
"""
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w+)(?: (\w+)=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.*(?:\n> .*)*)\n?((?:(?!\$ ).*\n)*)", re.MULTILINE)


class Stale(Exception):
    """What the page shows is not what is."""


def pattern(shown):
    """The regular expression of what a command must print."""
    lines = []
    for line in shown.rstrip().splitlines():
        if line.strip() == "...":
            lines.append(r"(?:.*\n)*?")
        else:
            lines.append(".*".join(re.escape(part) for part in line.rstrip().split("...")) + r"[ \t]*\n")
    return "".join(lines)


def run(block, status, folder, environment):
    for command, shown in COMMAND.findall(block):
        command = command.replace("\n> ", "\n")
        done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != status:
            raise Stale(f"{command}\nends with {done.returncode}, not {status}:\n{done.stdout}")
        printed = done.stdout.rstrip() + "\n" if done.stdout.strip() else ""
        if not re.fullmatch(pattern(shown), printed):
            raise Stale(f"{command}\nprints\n{printed}\nnot\n{shown}")


def quote(block, path):
    def plain(text):
        return [line.strip() for line in text.splitlines()]

    wanted, found = plain(block), plain((ROOT / path).read_text(encoding="utf-8"))
    if not any(found[i : i + len(wanted)] == wanted for i in range(len(found))):
        raise Stale(f"{path} does not hold\n{textwrap.indent(block, '  ')}")


def check(page, folder, environment):
    """Raises Stale at the first block that is; returns how many were checked."""
    checked = 0
    for language, key, value, block in FENCE.findall(page):
        if language == "console":
            run(block, int(value) if key == "exit" else 0, folder, environment)
        elif key == "file":
            (folder / value).write_text(block, encoding="utf-8")
        elif key == "of":
            quote(block, value)
        else:
            continue
        checked += 1
    return checked


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    page, folder, build = map(Path, sys.argv[1:])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = [build / "bin", Path(sys.executable).parent, os.environ["PATH"]]
    environment = dict(os.environ, DOJO=str(ROOT), DOJO_BUILD=str(build), PATH=":".join(map(str, path)),
                       PYTHONPATH=f"{build / 'python'}:{ROOT / 'python'}")
    try:
        checked = check(page.read_text(encoding="utf-8"), folder, environment)
    except Stale as stale:
        sys.exit(f"{page} is stale: {stale}")
    if not checked:
        sys.exit(f"{page} has nothing to check")
    print(f"{checked} blocks are as {page.name} shows them")


if __name__ == "__main__":
    main()

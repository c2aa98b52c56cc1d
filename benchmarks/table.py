"""The command line of a table of figures: kernels.py and executor.py."""

import argparse
import json


def main(description, table, row, line_of):
    """Prints line_of(row(name)) for the names given, or for all of the table; with --json=FILE writes the rows."""
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(table))
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    if unknown := set(options.names) - table.keys():
        parser.error(f"no row is named {min(unknown)}")
    rows = [row(name) for name in options.names or table]
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=2)
        return
    for r in rows:
        print(line_of(r))

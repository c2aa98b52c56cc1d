"""The report of dojo-verify as a table for people: python -m dojo.report REPORT.json"""

import json
import sys


def amount(key, value):
    """A figure in the unit that its key names."""
    if key.endswith("_bytes"):
        return f"{value:,} B" if value < 2**20 else f"{value / 2**20:,.1f} MiB"
    if key.endswith("seconds"):
        return f"{value:.2f} s"
    if isinstance(value, float):
        return f"{value:.3e}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def rows(report):
    """(part, figure, value) of every figure in the report, in its order."""
    for part in ("compiler", "executor"):
        for key, value in report.get(part, {}).items():
            if not isinstance(value, (dict, list)):
                yield part, key.replace("_", " "), amount(key, value)
    for output in report.get("outputs", []):
        for key, value in output.items():
            if key != "name" and value != "":
                yield output["name"], key.replace("_", " "), amount(key, value)


def table(report):
    cells = list(rows(report))
    widths = [max((len(row[i]) for row in cells), default=0) for i in range(3)]
    lines, previous = [], None
    for part, figure, value in cells:
        shown = "" if part == previous else part
        lines.append(f"{shown:<{widths[0]}}  {figure:<{widths[1]}}  {value:>{widths[2]}}")
        previous = part
    return "\n".join(lines)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: python -m dojo.report REPORT.json")
    with open(sys.argv[1], encoding="utf-8") as file:
        print(table(json.load(file)))


if __name__ == "__main__":
    main()

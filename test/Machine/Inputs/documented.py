"""Checks that docs/Machine.md names every key of a machine and its value on the die."""
import pathlib
import re
import sys

page, source = (pathlib.Path(p).read_text() for p in sys.argv[1:])
fields = re.findall(r'\{"(\w+)", &Machine::\w+, [^}]*?([^,}]+)\},', source)
assert len(fields) > 30, "the table of fields was not found"

rows = {}
for line in page.splitlines():
    cells = [cell.strip() for cell in line.split("|")]
    if len(cells) > 3:
        keys = re.findall(r"`(\w+)`", cells[1])
        rows.update(zip(keys, cells[2].split(";")[0].split(",")))

gib = 2**30
wrong = [f"{key} is not documented" for key, _ in fields + [("name", ""), ("dead_nodes", "")] if key not in rows]
for key, text in fields:
    value = eval(text.replace("'", ""), {"gib": gib})
    if key in rows and int(rows[key]) != value:
        wrong.append(f"{key} is {value}, documented as {rows[key]}")
sys.exit("\n".join(wrong) or 0)

"""The picture of dojo-compile --map: every node, every buffer, the same bytes each time."""

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter

import pytest

SVG = "{http://www.w3.org/2000/svg}"
TABLE_ROW = re.compile(r'\{address = \d+ : i64, begin = \d+ : i64, end = -?\d+ : i64, entry = "\w+", name = "([^"]*)"')


@pytest.fixture(scope="module")
def draw(run_tool, model_path, tmp_path_factory):
    """draw(model, target, *options) -> (the finished process, the picture)."""
    folder = tmp_path_factory.mktemp("maps")

    def run(model, target, *options):
        picture = folder / f"{model}-{target}.svg"
        shapes = ["--shape=bytes=1x2048"] if model == "magika" else []
        done = run_tool("dojo-compile", model_path(model), f"--target={target}", "-o", folder / "program.d1",
                        f"--map={picture}", *shapes, *options)  # fmt: skip
        return done, picture

    return run


def tooltips(picture, kind):
    """The titles of the rectangles of a class."""
    root = ElementTree.parse(picture).getroot()
    assert root.tag == f"{SVG}svg"
    return [rect.find(f"{SVG}title").text for rect in root.iter(f"{SVG}rect") if rect.get("class") == kind]


def texts(picture):
    return [text.text for text in ElementTree.parse(picture).getroot().iter(f"{SVG}text")]


def test_a_die_has_354_live_and_6_dead_nodes(draw):
    done, picture = draw("magika", "d1-die")
    assert done.returncode == 0, done.stderr
    live, dead = tooltips(picture, "node"), tooltips(picture, "dead")
    assert (len(set(live)), len(set(dead))) == (len(live), len(dead)) == (354, 6)
    assert "row 1, column 3: dead" in dead
    # Row 1 has lost column 3: its logical x = 3 stands in column 4.
    assert any(title.startswith("row 1, column 4: y 1, x 3") for title in live)
    assert sum("outside of the logical grid" in title for title in live) == 354 - 18 * 19


def test_every_buffer_of_the_table_appears(draw):
    done, picture = draw("digits_cnn", "d1-mini", "--dump-after=convert-program-to-d1")
    assert done.returncode == 0, done.stderr
    table = TABLE_ROW.findall(done.stderr)
    assert len(table) > 20
    drawn = Counter(title.split(": ")[0] for title in tooltips(picture, "buffer"))
    assert drawn == Counter([*table, "code", "descriptor"])


def test_the_pieces_of_an_op_are_those_of_its_mapping(draw, tmp_path):
    mapping = tmp_path / "mapping.txt"
    mapping.write_text(
        'step "conv1" = #dojo.mapping<y = [d0 : 2], x = [d2 : 4], inner = d1, tile = [d1 : 16, d2 : 2, d3 : 4, d4 : 4]>\n'
    )
    done, picture = draw("digits_cnn", "d1-mini", "--map-op=conv1", f"--mapping={mapping}")
    assert done.returncode == 0, done.stderr
    pieces = {re.search(r"y \d, x \d", title)[0]: title for title in tooltips(picture, "node")}
    assert len(pieces) == 16
    # 20 images in 2 halves, 8 rows of pixels in 4 pairs.
    assert pieces["y 1, x 2"].endswith("d2 4–5, d0 10–19")
    assert pieces["y 2, x 0"].endswith("holds nothing of this op")
    assert "conv1" in texts(picture)


def test_without_a_name_the_op_of_most_work_is_drawn(draw):
    done, picture = draw("digits_cnn", "d1-mini")
    assert done.returncode == 0, done.stderr
    assert "conv2" in texts(picture)


def test_equal_programs_give_equal_bytes(draw):
    first = draw("digits_mlp", "d1-mini")[1].read_bytes()
    assert draw("digits_mlp", "d1-mini")[1].read_bytes() == first


def test_an_unknown_op_is_refused_with_near_names(draw):
    done, _ = draw("digits_cnn", "d1-mini", "--map-op=conv3")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "dojo-compile: error: --map-op: no node called 'conv3' computes; near it: 'conv1', 'conv2', 'pool1'"
    ]


def test_map_op_alone_is_refused(run_tool, model_path, tmp_path):
    done = run_tool("dojo-compile", model_path("digits_mlp"), "-o", tmp_path / "m.d1", "--map-op=logits")
    assert done.returncode == 1
    assert "--map-op chooses what --map draws, and there is no --map" in done.stderr

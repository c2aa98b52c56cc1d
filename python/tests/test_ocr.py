"""PP-OCR's models on a die, and the direction classifier on 4 x 4 nodes, against ONNX Runtime.

Noise is drawn from [-1, 1], where normalised pixels lie. The detector is run on pages only: of noise it says no
text with probabilities around 1e-6, and the compared figures are relative to the largest.
"""

import numpy as np
import ocr
import pytest

from conftest import BUILD, RANGES, measured
from dojo.verify import Reference, check, random_inputs

PRECISIONS = ("fp32", "bf16")
ROWS = [("ocr_direction", "d1-mini"), ("ocr_direction", "d1-die"), ("ocr_recogniser", "d1-die"), ("ocr_detector", "d1-die")]
LINES = {"ocr_direction": 192, "ocr_recogniser": 320}


def check_equal(program, path, x, precision, **options):
    result = check(program, Reference(path), {"x": x}, precision, **options)
    assert result.passed, "\n".join(c.line() for c in result.comparisons)
    (output,) = result.outputs.values()
    return output


def seeded_input(program, path, model, seed):
    if model == "ocr_detector":
        return ocr.page_input(ocr.draw_page(seed)[0])
    return random_inputs(program, Reference(path), seed, RANGES[model])["x"]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("model, target", ROWS)
def test_seeded_inputs(compiled, model_path, model, target, precision):
    program, path = compiled(model, target, precision), model_path(model)
    for seed in range(3):
        check_equal(program, path, seeded_input(program, path, model, seed), precision)
    assert program.report["compile_seconds"] < 20
    assert program.run_report["seconds"] < 60
    assert program.report["dram_bytes"] == program.report["dram_bound_bytes"]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("model, target", ROWS)
def test_every_access_is_inside_a_live_buffer(compiled, model_path, model, target, precision):
    program, path = compiled(model, target, precision), model_path(model)
    check_equal(program, path, seeded_input(program, path, model, 0), precision, strict="memory")


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("target", ["d1-mini", "d1-die"])
def test_the_direction_of_a_line_is_seen(compiled, model_path, target, precision):
    program, path = compiled("ocr_direction", target, precision), model_path("ocr_direction")
    line = ocr.draw_line("mesh of 354 nodes")
    for image, upside_down in ((line, 0), (line[::-1, ::-1], 1)):
        scores = check_equal(program, path, ocr.line_input(image, LINES["ocr_direction"]), precision)
        assert scores[0].argmax() == upside_down


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("text", ["Hello Dojo 2026", "the quick brown fox"])
def test_a_line_is_read(compiled, model_path, text, precision):
    program, path = compiled("ocr_recogniser", "d1-die", precision), model_path("ocr_recogniser")
    scores = check_equal(program, path, ocr.line_input(ocr.draw_line(text), LINES["ocr_recogniser"]), precision)
    assert ocr.read(scores).strip() == text


def test_the_example_prints_what_it_reads(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["ocr.py", "Hello Dojo 2026"])
    assert ocr.main() == 0
    assert capsys.readouterr().out.strip() == "Hello Dojo 2026"


@pytest.mark.parametrize("precision", PRECISIONS)
def test_text_is_found_where_it_stands(compiled, model_path, precision):
    program, path = compiled("ocr_detector", "d1-die", precision), model_path("ocr_detector")
    page, (left, top) = np.full((640, 640, 3), 255, np.uint8), (100, 300)
    line = ocr.draw_line("Training tile", 50)
    height, width = line.shape[:2]
    page[top : top + height, left : left + width] = line
    found = check_equal(program, path, ocr.page_input(page), precision)[0, 0] > 0.3
    rows, columns = np.nonzero(found)
    assert top <= rows.min() and rows.max() < top + height
    assert left <= columns.min() and columns.max() < left + width
    assert columns.max() - columns.min() > width / 2


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_detector_keeps_the_limits_of_time_and_memory(model_path, tmp_path, precision):
    binary, image = tmp_path / "detector.d1", tmp_path / "x.npy"
    np.save(image, ocr.page_input(ocr.draw_page(0)[0]))
    options = ["--shape=x=1x3x640x640", f"--precision={precision}", "-o", binary]
    seconds, memory = measured(BUILD / "bin" / "dojo-compile", model_path("ocr_detector"), *options)
    assert seconds < 20 and memory < 8
    seconds, memory = measured(BUILD / "bin" / "dojo-run", binary, f"--input=x={image}")
    assert seconds < 60 and memory < 8

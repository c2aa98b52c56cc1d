"""Mappings leave a model as a file, come back as the same binary, and one edited line changes one op."""

import re

import pytest

import dojo
from dojo.verify import Reference, check, random_inputs


@pytest.fixture
def exported(run_tool, model_path, tmp_path):
    """exported(model) -> the path of its binary, the lines of its mapping file."""

    def export(model):
        binary, file = tmp_path / "chosen.d1", tmp_path / "chosen.txt"
        done = run_tool("dojo-compile", model_path(model), "--target=d1-mini", "-o", binary, f"--export-mapping={file}")
        assert done.returncode == 0, done.stderr
        return binary, file.read_text().splitlines()

    return export


def obey(run_tool, model, folder, lines, *options):
    """The binary and the mapping file that come of these lines."""
    given, binary, file = folder / "given.txt", folder / "obeyed.d1", folder / "obeyed.txt"
    given.write_text("\n".join(lines) + "\n")
    options = ("--target=d1-mini", "-o", binary, f"--mapping={given}", f"--export-mapping={file}", *options)
    done = run_tool("dojo-compile", model, *options)
    assert done.returncode == 0, done.stderr
    return binary, file.read_text().splitlines()


@pytest.mark.parametrize("model", ["digits_cnn", "digits_mlp"])
def test_the_exported_file_gives_the_same_binary_byte_for_byte(exported, run_tool, model_path, tmp_path, model):
    binary, lines = exported(model)
    again, obeyed = obey(run_tool, model_path(model), tmp_path, lines)
    assert obeyed == lines
    assert again.read_bytes() == binary.read_bytes()


def test_a_line_for_every_structured_op(exported, run_tool, model_path):
    _, lines = exported("digits_cnn")
    dumped = run_tool("dojo-compile", model_path("digits_cnn"), "--target=d1-mini", "-o", "/dev/null",
                      "--dump-after=dojo-select-mapping")  # fmt: skip
    assert dumped.returncode == 0, dumped.stderr
    assert len(lines) == dumped.stderr.count("dojo.mapping = #dojo.mapping<")


def test_one_edited_line_changes_exactly_that_op(exported, run_tool, model_path, tmp_path):
    binary, lines = exported("digits_cnn")
    at = next(i for i, line in enumerate(lines) if line.startswith('step "conv1" ='))
    edited = [*lines]
    edited[at] = re.sub(r"y = \[[^]]*\]", "y = [d0 : 4]", lines[at])
    assert edited[at] != lines[at]
    other, obeyed = obey(run_tool, model_path("digits_cnn"), tmp_path, edited)
    assert obeyed == edited
    assert other.read_bytes() != binary.read_bytes()

    mapping = tmp_path / "given.txt"
    program = dojo.compile(model_path("digits_cnn"), "d1-mini", mapping=mapping)
    reference = Reference(model_path("digits_cnn"))
    result = check(program, reference, random_inputs(program, reference, 0), "bf16", strict="memory")
    assert result.passed


@pytest.mark.parametrize(
    "line, words",
    [
        ('step "conv_z" = #dojo.mapping<y = [d0 : 2]>', "bad.txt:1: the model has no op step \"conv_z\"; near it: "),
        ("{first} = #dojo.mapping<y = [d0 : 2]", "bad.txt:1: unbalanced '<'"),
        ("{first} = #dojo.mapping<y = [d9 : 2]>", "mapping names iterator d9"),
        ("{first} = #dojo.mapping<y = [d1 : 5]>", "mapping cuts axis y into 5, the grid has 4"),
        ("{whole} in dram", "bad.txt:1: behind a mapping stands ', storage = \"dram\"' or nothing, not 'in dram'"),
        ("{whole}\n{whole}", "bad.txt:2: {first} has a mapping already, in line 1"),
    ],
)
def test_a_bad_line_is_one_error_that_names_it(exported, run_tool, model_path, tmp_path, line, words):
    _, lines = exported("digits_cnn")
    whole = next(line for line in lines if line.startswith("step"))
    fields = {"whole": whole, "first": whole.split(" = ")[0]}
    file = tmp_path / "bad.txt"
    file.write_text(line.format(**fields) + "\n")
    for command in (
        ("dojo-compile", model_path("digits_cnn"), "--target=d1-mini", "-o", tmp_path / "no.d1", f"--mapping={file}"),
        ("dojo-verify", model_path("digits_cnn"), "--target=d1-mini", f"--mapping={file}"),
    ):
        done = run_tool(*command)
        assert done.returncode != 0
        assert words.format(**fields) in done.stderr and "bad.txt:" in done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
    with pytest.raises(dojo.Error, match=re.escape("bad.txt:")):
        dojo.compile(model_path("digits_cnn"), "d1-mini", mapping=file)


@pytest.mark.parametrize("option", ["-o={}", "--report={}", "--export-mapping={}"])
def test_an_unwritable_path_is_found_before_the_work(run_tool, model_path, tmp_path, option):
    binary = tmp_path / "model.d1"
    for path, reason in ((tmp_path / "none" / "file", "there is no folder"), (tmp_path, "it is a folder")):
        options = [option.format(path)] if option.startswith("-o") else ["-o", binary, option.format(path)]
        done = run_tool("dojo-compile", model_path("digits_mlp"), *options)
        assert done.returncode == 1
        assert f"cannot write '{path}': {reason}" in done.stderr
        assert not binary.exists()

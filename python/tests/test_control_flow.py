"""If, Loop and Scan against ONNX Runtime, strict about memory, from the text form of ONNX."""

import numpy as np
import onnx
import pytest

import dojo
from dojo.verify import Reference, check

HEADER = '<ir_version: 8, opset_import: ["" : 17]>\n'


def model_of(text):
    model = onnx.parser.parse_model(HEADER + text)
    onnx.checker.check_model(model)
    return model


def run(text, inputs, target="d1-mini", precision="fp32"):
    model = model_of(text)
    program = dojo.compile(model, target=target, precision=precision)
    result = check(program, Reference(model.SerializeToString()), inputs, precision, strict="memory")
    assert result.passed, "\n".join(c.line() for c in result.comparisons)
    return result


def refusal(text):
    with pytest.raises(dojo.Error) as caught:
        dojo.compile(model_of(text), target="d1-mini")
    return str(caught.value)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


# ---- If

BRANCHES = """agraph (float[3,40] x, float[3,40] y, bool c) => (float[3,40] z) {
  z = If (c) <
    then_branch = t () => (float[3,40] a) { s = Add(x, y) a = Relu(s) },
    else_branch = e () => (float[3,40] b) { t0 = Transpose<perm = [1, 0]>(y) p = MatMul(x, t0) b = MatMul(p, y) }
  >
}"""


@pytest.mark.parametrize("condition", [True, False])
def test_a_condition_on_data_selects(condition):
    run(BRANCHES, {"x": normal(3, 40), "y": normal(3, 40, seed=1), "c": np.array(condition)})


def test_a_constant_condition_takes_its_branch_alone():
    text = """agraph (float[4] x) => (float[4] z) {
      c = Constant<value = bool {1}>()
      z = If (c) <
        then_branch = t () => (float[4] a) { a = Exp(x) },
        else_branch = e () => (float[4] b) { b = StringNormalizer(x) }
      >
    }"""
    model = onnx.parser.parse_model(HEADER + text)
    program = dojo.compile(model, target="d1-mini", precision="fp32")
    x = normal(4)
    assert np.allclose(program.run({"x": x}, strict="memory")["z"], np.exp(x), rtol=1e-6)


def test_branches_of_two_shapes_are_refused_with_the_input_that_decides():
    text = """agraph (float[4] x, bool c) => (float[N] z) {
      z = If (c) <
        then_branch = t () => (float[4] a) { a = Exp(x) },
        else_branch = e () => (float[8] b) { b = Concat<axis = 0>(x, x) }
      >
    }"""
    message = refusal(text)
    assert "its branches give float32 4 and float32 8 for output 0" in message
    assert "depends on input 'c'" in message


def test_what_a_branch_cannot_do_is_reported_once_with_its_own_node():
    text = """agraph (float[4] x, bool c) => (float[4] z) {
      z = If (c) <
        then_branch = t () => (float[4] a) { a = Exp(x) },
        else_branch = e () => (float[4] b) { b = Reshape(x, x) }
      >
    }"""
    model = onnx.parser.parse_model(HEADER + text)
    with pytest.raises(dojo.Error) as caught:
        dojo.compile(model, target="d1-mini")
    assert "(Reshape)" in str(caught.value) and "1 problem" in str(caught.value)


# ---- Loop

COUNTED = """agraph (float[4,40] x) => (float[40] sum, float[6,40] all) {{
  n = Constant<value = int64 {{6}}>()
  true = Constant<value = bool {{1}}>()
  start = Constant<value = float[40] {{{zeros}}}>()
  sum, all = Loop (n, true, start) <
    body = b (int64 i, bool c, float[40] s) => (bool d, float[40] t, float[40] u) {{
      four = Constant<value = int64 {{4}}>()
      place = Mod(i, four)
      row = Gather<axis = 0>(x, place)
      d = Identity(c)
      t = Add(s, row)
      u = Mul(t, row)
    }}
  >
}}""".format(zeros=", ".join(["0.0"] * 40))


@pytest.mark.parametrize("target", ["d1-node", "d1-mini"])
def test_a_loop_counts_carries_and_collects(target):
    run(COUNTED, {"x": normal(4, 40)}, target)


RATIO = """agraph (float[3] x) => (float[3] y, int64 steps) {{
  whole = Constant<value = float {{{whole}}}>()
  part = Constant<value = float {{{part}}}>()
  zero = Constant<value = int64 {{0}}>()
  ratio = Div(whole, part)
  up = Ceil(ratio)
  least = Relu(up)
  n = Cast<to = 7>(least)
  go = Cast<to = 9>(least)
  y, steps = Loop (n, go, x, zero) <
    body = b (int64 i, bool c, float[3] v, int64 k) => (bool d, float[3] w, int64 m) {{
      d = Identity(c)
      w = Add(v, v)
      one = Constant<value = int64 {{1}}>()
      m = Add(k, one)
    }}
  >
}}"""


@pytest.mark.parametrize("whole, part, steps", [(7.0, 2.0, 4), (0.6, 0.2, 3), (-7.0, 2.0, 0)])
def test_floats_known_when_compiling_count_steps(whole, part, steps):
    """Of 0.6 and 0.2 in float32, the ratio is 3 in float32 and above 3 in float64."""
    result = run(RATIO.format(whole=whole, part=part), {"x": normal(3)})
    assert result.outputs["steps"] == steps


@pytest.mark.parametrize("whole, part, value", [(7.0, 0.0, "inf"), (0.0, 0.0, "nan"), (7.0, 1e-30, "7e+30")])
def test_a_count_that_no_integer_holds_is_refused(whole, part, value):
    message = refusal(RATIO.format(whole=whole, part=part))
    assert "(Loop): its maximum trip count must be integers known when compiling" in message
    assert f"; it comes from {value}, which no int64 holds" in message


BY_STEP = """agraph (float[7,40] x) => (float[40] sum, float[5,SHAPE] all) {
  n = Constant<value = int64 {5}>()
  true = Constant<value = bool {1}>()
  start = Constant<value = float[40] {ZEROS}>()
  zero = Constant<value = int64[1] {0}>()
  one = Constant<value = int64[1] {1}>()
  two = Constant<value = int64[1] {2}>()
  five = Constant<value = int64[1] {5}>()
  back = Constant<value = int64[1] {-1}>()
  sizes = Constant<value = int64[2] {2, 30}>()
  seven = Constant<value = int64 {7}>()
  sum, all = Loop (n, true, start) <
    body = b (int64 i, bool c, float[40] s) => (bool d, float[40] t, float[SHAPE] u) {
      d = Identity(c)
      at = Unsqueeze(i, zero)
      NODES
      m = ReduceMax<keepdims = 0>(u)
      t = Add(s, m)
    }
  >
}"""


def by_step(nodes, shape="1,40"):
    return BY_STEP.replace("SHAPE", shape).replace("ZEROS", ", ".join(["0.0"] * 40)).replace("NODES", nodes)


@pytest.mark.parametrize("target", ["d1-node", "d1-mini"])
@pytest.mark.parametrize(
    "nodes, shape",
    [
        ("e = Add(at, two) u = Slice(x, at, e, zero)", "2,40"),
        ("b = Sub(five, at) e = Add(b, one) u = Slice(x, b, e, zero)", "1,40"),
        ("f = Neg(five) g = Sub(at, f) b = Sub(g, five) e = Add(b, one) u = Slice(x, b, e, zero)", "1,40"),
        ("b = Concat<axis = 0>(at, five) e = Add(b, sizes) u = Slice(x, b, e)", "2,30"),
        ("f = Add(at, two) e = Add(f, one) u = Slice(x, at, e, zero, two)", "2,40"),
        ("k = Sub(i, seven) u = Gather<axis = 0>(x, k)", "40"),
        ("k = Mul(at, seven) r = Squeeze(k) u = Gather<axis = 1>(x, r)", "7"),
        ("k = Concat<axis = 0>(at, five) u = Gather<axis = 0>(x, k)", "2,40"),
    ],
)
def test_a_loop_slices_and_gathers_by_its_step(nodes, shape, target):
    """Forwards, backwards, from the end, along two dimensions, by twos; the last, of two places, is looked up."""
    run(by_step(nodes, shape), {"x": normal(7, 40)}, target)


@pytest.mark.parametrize(
    "nodes, message",
    [
        ("e = Add(at, one) u = Slice(x, zero, e, zero)", "its starts and ends do not move together"),
        ("b = Add(at, five) e = Add(b, one) u = Slice(x, b, e, zero)", "in some step of the loop it leaves a dimension of 7"),
        ("b = Sub(at, five) e = Add(b, one) u = Slice(x, b, e, zero)", "in some step of the loop it leaves a dimension of 7"),
        ("e = Sub(at, one) u = Slice(x, at, e, zero, back)", "it depends on the step of a loop, and its own step is -1"),
    ],
)
def test_a_slice_that_a_loop_does_not_keep_in_size_is_refused(nodes, message):
    assert message in refusal(by_step(nodes))


STOPPING = """agraph (float[3] x, float limit, bool go) => (float[3] y, int64 steps) {
  n = Constant<value = int64 {9}>()
  zero = Constant<value = int64 {0}>()
  y, steps = Loop (n, go, x, zero) <
    body = b (int64 i, bool c, float[3] v, int64 k) => (bool d, float[3] w, int64 m) {
      w = Add(v, v)
      one = Constant<value = int64 {1}>()
      m = Add(i, one)
      axes = Constant<value = int64[1] {0}>()
      sum = ReduceSum<keepdims = 0>(w, axes)
      d = Less(sum, limit)
    }
  >
}"""


@pytest.mark.parametrize("limit, steps", [(1e9, 9), (20, 3), (0, 1)])
def test_a_condition_on_data_stops_a_loop(limit, steps):
    inputs = {"x": np.ones(3, np.float32), "limit": np.array(limit, np.float32), "go": np.array(True)}
    result = run(STOPPING, inputs)
    assert result.outputs["steps"] == steps


def test_a_loop_whose_condition_is_false_from_the_start_gives_what_it_got():
    inputs = {"x": normal(3), "limit": np.array(1e9, np.float32), "go": np.array(False)}
    assert run(STOPPING, inputs).outputs["steps"] == 0


def test_carried_values_may_change_places():
    text = """agraph (float[2,40] x, float[2,40] y) => (float[2,40] p, float[2,40] q) {
      n = Constant<value = int64 {5}>()
      none = Constant<value = bool {1}>()
      p, q = Loop (n, none, x, y) <
        body = b (int64 i, bool c, float[2,40] a, float[2,40] b0) => (bool d, float[2,40] e, float[2,40] f) {
          d = Identity(c)
          e = Identity(b0)
          f = Identity(a)
        }
      >
    }"""
    run(text, {"x": normal(2, 40), "y": normal(2, 40, seed=1)})


def test_a_loop_of_no_steps_collects_nothing():
    text = """agraph (float[3] x) => (float[3] y, float[0,3] z) {
      n = Constant<value = int64 {0}>()
      none = Constant<value = bool {1}>()
      y, z = Loop (n, none, x) <
        body = b (int64 i, bool c, float[3] v) => (bool d, float[3] w, float[3] u) {
          d = Identity(c)
          w = Add(v, v)
          u = Identity(w)
        }
      >
    }"""
    run(text, {"x": normal(3)})


def test_what_a_stopping_loop_collects_is_refused():
    text = STOPPING.replace("int64 steps)", "float[K,3] steps)").replace("y, steps", "y, last, steps")
    text = text.replace("int64 m)", "int64 m, float[3] w2)").replace("w = Add(v, v)", "w = Add(v, v) w2 = Exp(w)")
    assert "it may stop before its maximum trip count, which decides the size of output 2" in refusal(text)


def test_carried_values_that_grow_are_refused():
    text = """agraph (float[3] x) => (float[N] y) {
      n = Constant<value = int64 {2}>()
      none = Constant<value = bool {1}>()
      y = Loop (n, none, x) <
        body = b (int64 i, bool c, float[N] v) => (bool d, float[M] w) {
          d = Identity(c)
          w = Concat<axis = 0>(v, v)
        }
      >
    }"""
    assert "its body turns carried value 0 from float32 3 into float32 6" in refusal(text)


BODY = """agraph (float[3] x) => (float[3] y, float[2,3] z) {
  n = Constant<value = int64 {2}>()
  true = Constant<value = bool {1}>()
  y, z = Loop (n, true, x) <
    body = b (int64 i, bool c, float[3] v) => (bool d, float[3] w, float[3] u) {
      d = Identity(c)
      f = Cast<to = 1>(i)
      w = Add(v, f)
      u = Neg(w)
    }
  >
}"""


def wrong(text, old, new):
    assert old in text
    with pytest.raises(dojo.Error) as caught:
        dojo.compile(onnx.parser.parse_model(HEADER + text.replace(old, new)), target="d1-mini")
    return str(caught.value)


@pytest.mark.parametrize("old, new, message", [
    ("float[3] v", "float[4] v", "the input 'v' of its body is declared as 4 and is 3"),
    ("float[3] v", "float[3,1] v", "the input 'v' of its body is declared as 3x1 and is 3"),
    ("float[3] v", "int64[3] v", "the input 'v' of its body is declared as int64 and is float32"),
    ("int64 i", "int32 i", "the input 'i' of its body is declared as int32 and is int64"),
    ("int64 i", "int64[2] i", "the input 'i' of its body is declared as 2 and is a scalar"),
    ("bool c, float[3] v", "bool c", "it reads 'v', which no input, initializer or earlier node defines"),
    ("float[3] v)", "float[3] v, float[3] s)", "its graph 'body' has 4 inputs, expected 3"),
    ("y, z = ", "y, z, more = ", "it carries 1 values and has 3 results, and its body gives 3"),
    ("float[3] u)", "float[3] u, float f)", "it carries 1 values and has 2 results, and its body gives 4"),
    ("float[3] w, float[3] u)", "float[3] w)", "it carries 1 values and has 2 results, and its body gives 2"),
])  # fmt: skip
def test_a_body_that_does_not_fit_its_loop_is_refused(old, new, message):
    assert message in wrong(BODY, old, new)


@pytest.mark.parametrize("count, condition", [("[1]", ""), ("", "[1]"), ("[1]", "[1]")])
def test_the_number_of_a_step_and_its_condition_may_be_lists_of_one(count, condition):
    text = BODY.replace("int64 i, bool c", f"int64{count} i, bool{condition} c").replace("bool d", f"bool{condition} d")
    text = text.replace("bool {1}", f"bool{condition} {{1}}")
    run(text, {"x": normal(3)})


def test_a_loop_without_maximum_is_refused():
    text = STOPPING.replace("Loop (n,", "Loop (,")
    assert "it has no maximum trip count" in refusal(text)


# ---- Scan

SCAN = """agraph (float[6,5,3] x, float[40] s, float[7] unused) => (float[40] end, float[3,6,40] all) {
  end, all = Scan (s, x) <num_scan_inputs = 1, scan_input_axes = [1], scan_input_directions = [1],
      scan_output_axes = [1], scan_output_directions = [1],
    body = b (float[40] h, float[6,3] v) => (float[40] g, float[3,40] o) {
      axes = Constant<value = int64[2] {0, 1}>()
      sum = ReduceSum<keepdims = 0>(v, axes)
      g = Add(h, sum)
      first = Constant<value = int64 {2}>()
      row = Gather<axis = 0>(v, first)
      axis = Constant<value = int64[1] {1}>()
      column = Unsqueeze(row, axis)
      o = Mul(column, g)
    }
  >
}"""


def test_scans_go_along_any_axis_in_any_direction():
    text = SCAN.replace("float[3,6,40] all", "float[3,5,40] all")
    run(text, {"x": normal(6, 5, 3), "s": normal(40, seed=1), "unused": normal(7)})


@pytest.mark.parametrize("old, new, message", [
    ("float[6,3] v", "float[6,4] v", "the input 'v' of its body is declared as 6x4 and is 6x3"),
    ("float[40] h", "float[40,1] h", "the input 'h' of its body is declared as 40x1 and is 40"),
    ("float[40] h", "double[40] h", "the input 'h' of its body is declared as float64 and is float32"),
    ("end, all = ", "end, all, more = ", "it carries 1 values and has 3 results, and its body gives 2"),
    ("float[3,40] o)", "float[3,40] o, float[3] row)", "it carries 1 values and has 2 results, and its body gives 3"),
])  # fmt: skip
def test_a_body_that_does_not_fit_its_scan_is_refused(old, new, message):
    assert message in wrong(SCAN.replace("float[3,6,40] all", "float[3,5,40] all"), old, new)


def test_loops_nest():
    text = """agraph (float[4,3,40] x) => (float[4,40] sums) {
      sums = Scan (x) <num_scan_inputs = 1,
        body = outer (float[3,40] rows) => (float[40] end) {
          zero = Constant<value = float {0.0}>()
          shape = Constant<value = int64[1] {40}>()
          start = Expand(zero, shape)
          end = Scan (start, rows) <num_scan_inputs = 1,
            body = inner (float[40] h, float[40] row) => (float[40] g) {
              half = Constant<value = float {0.5}>()
              kept = Mul(h, half)
              g = Add(kept, row)
            }
          >
        }
      >
    }"""
    run(text, {"x": normal(4, 3, 40)})


def test_a_shift_register_reads_what_it_overwrites():
    text = """agraph (float[5,8] x, float[3,8] s) => (float[3,8] end, float[5,8] all) {
      end, all = Scan (s, x) <num_scan_inputs = 1,
        body = b (float[3,8] h, float[8] row) => (float[3,8] g, float[8] o) {
          axis = Constant<value = int64[1] {0}>()
          one = Constant<value = int64[1] {1}>()
          three = Constant<value = int64[1] {3}>()
          rest = Slice(h, one, three, axis)
          new = Unsqueeze(row, axis)
          g = Concat<axis = 0>(rest, new)
          o = ReduceSum<keepdims = 0>(g, axis)
        }
      >
    }"""
    run(text, {"x": normal(5, 8), "s": normal(3, 8, seed=1)})


MATMULS = """agraph (float[7,4,64] x, float[64,64] w, float[4,64] s) => (float[4,64] end, float[7,4,64] all) {
  end, all = Scan (s, x) <num_scan_inputs = 1,
    body = b (float[4,64] h, float[4,64] v) => (float[4,64] g, float[4,64] o) {
      p = MatMul(h, w)
      sum = Add(p, v)
      g = Tanh(sum)
      o = Identity(g)
    }
  >
}"""


@pytest.mark.parametrize("target", ["d1-mini", "d1-die"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_products_of_carried_values(target, precision):
    inputs = {"x": normal(7, 4, 64), "w": normal(64, 64, seed=1) / 8, "s": normal(4, 64, seed=2)}
    run(MATMULS, inputs, target, precision)


def test_code_does_not_grow_with_the_number_of_steps():
    sizes = [
        dojo.compile(model_of(MATMULS.replace("[7,", f"[{n},")), target="d1-mini").report["code_bytes"] for n in (7, 70)
    ]
    assert sizes[1] <= sizes[0] * 1.02


def test_a_loop_that_gives_a_list_is_refused():
    text = """agraph (float[4] x, float[4] s) => (float[4] end, seq(float[4]) all) {
      n = Constant<value = int64 {2}>()
      true = Constant<value = bool {1}>()
      end, all = Loop (n, true, s) <
        body = b (int64 i, bool c, float[4] h) => (bool d, float[4] g, seq(float[4]) o) {
          d = Identity(c)
          g = Add(h, x)
          o = SequenceConstruct(g)
        }
      >
    }"""
    assert "its body gives seq(float32), and no list came in" in refusal(text)


def test_a_loop_whose_data_decide_sizes_is_refused():
    text = """agraph (float[4] x, float[4] s) => (float[4] end, int64[2,1,N] all) {
      n = Constant<value = int64 {2}>()
      true = Constant<value = bool {1}>()
      end, all = Loop (n, true, s) <
        body = b (int64 i, bool c, float[4] h) => (bool d, float[4] g, int64[1,N] o) {
          d = Identity(c)
          g = Add(h, x)
          o = NonZero(g)
        }
      >
    }"""
    assert "its body gives int64 1x4 of which the data decide the size" in refusal(text)


def test_branches_that_give_lists_need_a_condition_known_when_compiling():
    text = """agraph (float[4] x, bool c) => (seq(float[4]) z) {
      z = If (c) <
        then_branch = t () => (seq(float[4]) a) { a = SequenceConstruct(x) },
        else_branch = e () => (seq(float[4]) b) { b = SequenceConstruct(x, x) }
      >
    }"""
    assert "its branches give seq(float32) and seq(float32) for output 0" in refusal(text)

//===- Recurrent.cpp - RNN, GRU and LSTM ----------------------------------===//
//
// What the inputs add to the gates is one product for all steps, in front of the loop; a step
// adds what the hidden state adds. Gates are a dimension of their own, in the order of ONNX.
//
//===----------------------------------------------------------------------===//
#include "Activations.h"
#include "StepLoop.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace dojo::onnx;

namespace {

enum Operand { X, W, R, Bias, Lengths, InitialH, InitialC, Peepholes };

/// An activation with its parameters.
struct Activation {
  UnaryFunction function;
  SmallVector<double, 2> parameters;

  Value operator()(Scalars &s, Value x) const { return function.apply(s, x, parameters); }
};

/// Those that are no operators by themselves.
std::optional<UnaryFunction> recurrentFunction(StringRef name) {
  if (name == "Affine")
    return UnaryFunction{{1, 0}, [](Scalars &s, Value x, ArrayRef<double> a) {
                           return s.add(s.mul(x, s.constant(x, a[0])), s.constant(x, a[1]));
                         }};
  if (name == "ScaledTanh")
    return UnaryFunction{{1, 1}, [](Scalars &s, Value x, ArrayRef<double> a) {
                           Value tanh = s.make<math::TanhOp>(s.mul(x, s.constant(x, a[1])));
                           return s.mul(tanh, s.constant(x, a[0]));
                         }};
  for (StringRef known : {"Relu", "Tanh", "Sigmoid", "LeakyRelu", "ThresholdedRelu", "HardSigmoid",
                          "Elu", "Softsign", "Softplus"})
    if (name == known)
      return unaryFunction(name);
  return std::nullopt;
}

/// What a kind of recurrent node has of each.
struct Kind {
  int64_t gates, states;
  SmallVector<StringRef, 3> activations;
};

Kind kindOf(StringRef op) {
  if (op == "LSTM")
    return {4, 2, {"Sigmoid", "Tanh", "Tanh"}};
  if (op == "GRU")
    return {3, 1, {"Sigmoid", "Tanh"}};
  return {1, 1, {"Tanh"}};
}

/// One node; the tensors and functions of one of its directions while that is lowered.
class Recurrent {
public:
  explicit Recurrent(NodeContext &c) : c(c), b(c.b), kind(kindOf(c.op())) {}

  LogicalResult lower();

private:
  LogicalResult readAttributes();
  LogicalResult readActivations();
  LogicalResult checkShapes();
  LogicalResult checkShape(Operand operand, ArrayRef<int64_t> expected, const char *what);
  void lowerDirection(int64_t direction);

  Value ofDirection(Operand operand, int64_t direction, int64_t axis = 0);
  Value biasOf(int64_t direction, int64_t half, ArrayRef<int64_t> shape);
  Value inputProduct(int64_t direction);
  Value initialState(Operand operand, int64_t direction);
  Value stateProduct(Value h, int64_t firstGate, int64_t count, Value init);
  Value gate(Value gates, int64_t number);
  Value map(ValueRange operands, Body body);
  Value activate(Scalars &s, unsigned which, Value x);
  SmallVector<Value> step(Value gates, ValueRange states);
  SmallVector<Value> stepLSTM(Value gates, Value h, Value cell);
  Value stepGRU(Value gates, Value h);

  NodeContext &c;
  ImplicitLocOpBuilder &b;
  Kind kind;
  int64_t directions = 1, steps, batch, inputs, hidden;
  bool startsReversed = false, batchFirst = false, resetsAfter = false, couplesForget = false;
  double clip = 0;
  SmallVector<Activation> activations; ///< of all directions
  /// Of the direction that is being lowered.
  ArrayRef<Activation> functions;
  Value weights, resetBias, peepholes;
  /// For each output, the parts of all directions.
  SmallVector<SmallVector<Value>> outputs;
};

} // namespace

//===-- Reading the node --------------------------------------------------===//

LogicalResult Recurrent::readActivations() {
  SmallVector<StringRef> names;
  for (int64_t d = 0; d < directions; ++d)
    llvm::append_range(names, kind.activations);
  if (mlir::Attribute list = c.attr("activations")) {
    auto given = dyn_cast<ArrayAttr>(list);
    if (!given || given.size() != names.size())
      return c.fail("it needs " + Twine(names.size()) + " activations");
    for (auto [name, attribute] : llvm::zip(names, given))
      name = cast<StringAttr>(attribute).getValue();
  }
  auto floats = [&](StringRef name) -> SmallVector<double> {
    auto list = dyn_cast_or_null<DenseF32ArrayAttr>(c.attr(name));
    return list ? SmallVector<double>(list.asArrayRef().begin(), list.asArrayRef().end())
                : SmallVector<double>();
  };
  SmallVector<double> lists[] = {floats("activation_alpha"), floats("activation_beta")};
  size_t next[] = {0, 0};
  for (StringRef name : names) {
    std::optional<UnaryFunction> function = recurrentFunction(name);
    if (!function)
      return c.fail("its activation '" + name + "' is not supported");
    Activation activation{*function, function->defaults};
    for (auto [i, parameter] : llvm::enumerate(activation.parameters))
      if (next[i] < lists[i].size())
        parameter = lists[i][next[i]++];
    activations.push_back(std::move(activation));
  }
  return success();
}

LogicalResult Recurrent::readAttributes() {
  std::string direction = c.stringAttr("direction", "forward");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional")
    return c.fail("its direction '" + direction +
                  "' is not one of forward, reverse, bidirectional");
  directions = direction == "bidirectional" ? 2 : 1;
  startsReversed = direction == "reverse";
  batchFirst = c.flagAttr("layout", false);
  clip = c.floatAttr("clip", 0);
  resetsAfter = c.op() == "GRU" && c.flagAttr("linear_before_reset", false);
  couplesForget = c.op() == "LSTM" && c.flagAttr("input_forget", false);
  c.ignore({"output_sequence"});
  return readActivations();
}

LogicalResult Recurrent::checkShape(Operand operand, ArrayRef<int64_t> expected, const char *what) {
  if (!c.has(operand) || c.shape(operand) == expected)
    return success();
  return c.fail(Twine("its ") + what + " are " + shapeName(c.shape(operand)) + ", expected " +
                shapeName(expected));
}

LogicalResult Recurrent::checkShapes() {
  if (c.rank(X) != 3 || c.rank(W) != 3 || c.rank(R) != 3)
    return c.fail("its input and weights need three dimensions, found " + shapeName(c.shape(X)) +
                  ", " + shapeName(c.shape(W)) + " and " + shapeName(c.shape(R)));
  steps = c.shape(X)[batchFirst];
  batch = c.shape(X)[!batchFirst];
  inputs = c.shape(X)[2];
  hidden = c.shape(R)[2];
  if (c.intAttr("hidden_size", hidden) != hidden)
    return c.fail("its hidden_size is not that of its weights, " + Twine(hidden));
  int64_t rows = kind.gates * hidden;
  Shape state = batchFirst ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
  return success(succeeded(checkShape(W, {directions, rows, inputs}, "weights")) &&
                 succeeded(checkShape(R, {directions, rows, hidden}, "recurrent weights")) &&
                 succeeded(checkShape(Bias, {directions, 2 * rows}, "biases")) &&
                 succeeded(checkShape(Lengths, {batch}, "sequence lengths")) &&
                 succeeded(checkShape(InitialH, state, "initial states")) &&
                 succeeded(checkShape(InitialC, state, "initial cells")) &&
                 succeeded(checkShape(Peepholes, {directions, 3 * hidden}, "peepholes")));
}

//===-- Tensors of a direction --------------------------------------------===//

Value Recurrent::ofDirection(Operand operand, int64_t direction, int64_t axis) {
  Shape shape(c.shape(operand)), starts(shape.size(), 0), ones(shape.size(), 1), rest(shape);
  starts[axis] = direction;
  shape[axis] = 1;
  rest.erase(rest.begin() + axis);
  return reshape(b, slice(b, c.value(operand), starts, shape, ones), rest);
}

/// The biases of the inputs (half 0) or of the state (half 1).
Value Recurrent::biasOf(int64_t direction, int64_t half, ArrayRef<int64_t> shape) {
  int64_t rows = kind.gates * hidden;
  Value all = ofDirection(Bias, direction);
  return reshape(b, slice(b, all, {half * rows}, {rows}, {1}), shape);
}

/// gates x steps x batch x hidden: x . W + b for all steps.
Value Recurrent::inputProduct(int64_t direction) {
  enum { Gate, Step, Batch, Hidden, Input, Loops };
  Shape shape = {kind.gates, steps, batch, hidden};
  Value w = reshape(b, ofDirection(W, direction), {kind.gates, hidden, inputs});
  SmallVector<unsigned> dims = {Step, Batch, Input};
  if (batchFirst)
    std::swap(dims[0], dims[1]);
  Value product = fold(b, Loops, {{c.value(X), dims}, {w, {Gate, Hidden, Input}}},
                       {zeros(b, shape, elementOf(w)), {Gate, Step, Batch, Hidden}},
                       [](Scalars &s, ValueRange v) { return s.add(v[2], s.mul(v[0], v[1])); });
  if (!c.has(Bias))
    return product;
  Shape along = {kind.gates, 1, 1, hidden};
  Value ofInput = biasOf(direction, 0, along), ofState = biasOf(direction, 1, along);
  // The state's bias of the last gate is inside of what the reset gate scales.
  bool isApart = resetsAfter;
  if (isApart) {
    Shape two = {2, 1, 1, hidden}, one = {1, 1, 1, hidden}, ones(4, 1);
    resetBias = reshape(b, slice(b, ofState, {2, 0, 0, 0}, one, ones), {1, hidden});
    ofState = concat(
        b, 0, {slice(b, ofState, {0, 0, 0, 0}, two, ones), zeros(b, one, elementOf(ofState))});
  }
  Value sum = elementwise(b, along, elementOf(w), {ofInput, ofState},
                          [](Scalars &s, ValueRange v) { return s.add(v[0], v[1]); });
  return elementwise(b, shape, elementOf(w), {product, sum},
                     [](Scalars &s, ValueRange v) { return s.add(v[0], v[1]); });
}

Value Recurrent::initialState(Operand operand, int64_t direction) {
  return c.has(operand) ? ofDirection(operand, direction, batchFirst)
                        : zeros(b, {batch, hidden}, elementOf(c.value(X)));
}

//===-- One step ----------------------------------------------------------===//

/// init + h . R for `count` gates, gates x batch x hidden.
Value Recurrent::stateProduct(Value h, int64_t firstGate, int64_t count, Value init) {
  enum { Gate, Batch, Hidden, State, Loops };
  Value r = slice(b, weights, {firstGate, 0, 0}, {count, hidden, hidden}, {1, 1, 1});
  return fold(b, Loops, {{h, {Batch, State}}, {r, {Gate, Hidden, State}}},
              {init, {Gate, Batch, Hidden}},
              [](Scalars &s, ValueRange v) { return s.add(v[2], s.mul(v[0], v[1])); });
}

Value Recurrent::gate(Value gates, int64_t number) {
  Value one = slice(b, gates, {number, 0, 0}, {1, batch, hidden}, {1, 1, 1});
  return reshape(b, one, {batch, hidden});
}

Value Recurrent::map(ValueRange operands, Body body) {
  return elementwise(b, {batch, hidden}, elementOf(operands.front()), operands, body);
}

Value Recurrent::activate(Scalars &s, unsigned which, Value x) {
  if (clip > 0)
    x = s.min(s.max(x, s.constant(x, -clip)), s.constant(x, clip));
  return functions[which](s, x);
}

/// i, o, f and c from the gates; cell' = f * cell + i * c; h' = o * h(cell').
SmallVector<Value> Recurrent::stepLSTM(Value gates, Value h, Value cell) {
  Value all = stateProduct(h, 0, 4, gates);
  auto peep = [&](int64_t number) {
    return reshape(b, slice(b, peepholes, {number * hidden}, {hidden}, {1}), {1, hidden});
  };
  SmallVector<Value> operands = {gate(all, 0), gate(all, 2), gate(all, 3), cell};
  if (peepholes)
    operands.append({peep(0), peep(2)});
  Value next = map(operands, [&](Scalars &s, ValueRange v) {
    Value in = peepholes ? s.add(v[0], s.mul(v[4], v[3])) : v[0];
    Value keep = peepholes ? s.add(v[1], s.mul(v[5], v[3])) : v[1];
    in = activate(s, 0, in);
    keep = couplesForget ? s.sub(s.constant(in, 1), in) : activate(s, 0, keep);
    return s.add(s.mul(keep, v[3]), s.mul(in, activate(s, 1, v[2])));
  });
  operands = {gate(all, 1), next};
  if (peepholes)
    operands.push_back(peep(1));
  Value out = map(operands, [&](Scalars &s, ValueRange v) {
    Value o = peepholes ? s.add(v[0], s.mul(v[2], v[1])) : v[0];
    return s.mul(activate(s, 0, o), functions[2](s, v[1]));
  });
  return {out, next};
}

/// z and r from the gates; n from its gate and the state that r scales, before or after the
/// product; h' = (1 - z) * n + z * h.
Value Recurrent::stepGRU(Value gates, Value h) {
  Shape two = {2, batch, hidden}, one = {1, batch, hidden}, ones(3, 1);
  Value first = stateProduct(h, 0, 2, slice(b, gates, {0, 0, 0}, two, ones));
  Value last = slice(b, gates, {2, 0, 0}, one, ones), candidate;
  auto update = [&](Scalars &s, Value z, Value n, Value before) {
    z = activate(s, 0, z);
    n = activate(s, 1, n);
    return s.add(s.mul(s.sub(s.constant(z, 1), z), n), s.mul(z, before));
  };
  if (!resetsAfter) {
    Value reset = map({gate(first, 1), h},
                      [&](Scalars &s, ValueRange v) { return s.mul(activate(s, 0, v[0]), v[1]); });
    candidate = gate(stateProduct(reset, 2, 1, last), 0);
    return map({gate(first, 0), candidate, h},
               [&](Scalars &s, ValueRange v) { return update(s, v[0], v[1], v[2]); });
  }
  candidate = gate(stateProduct(h, 2, 1, zeros(b, one, elementOf(h))), 0);
  SmallVector<Value> operands = {gate(first, 0), gate(first, 1), candidate, gate(last, 0), h};
  if (resetBias)
    operands.push_back(resetBias);
  return map(operands, [&](Scalars &s, ValueRange v) {
    Value state = resetBias ? s.add(v[2], v[5]) : v[2];
    Value n = s.add(v[3], s.mul(activate(s, 0, v[1]), state));
    return update(s, v[0], n, v[4]);
  });
}

SmallVector<Value> Recurrent::step(Value gates, ValueRange states) {
  if (c.op() == "LSTM")
    return stepLSTM(gates, states[0], states[1]);
  if (c.op() == "GRU")
    return {stepGRU(gates, states[0])};
  return {map({gate(stateProduct(states[0], 0, 1, gates), 0)},
              [&](Scalars &s, ValueRange v) { return activate(s, 0, v[0]); })};
}

//===-- One direction -----------------------------------------------------===//

void Recurrent::lowerDirection(int64_t direction) {
  bool reversed = startsReversed || direction == 1;
  functions =
      ArrayRef(activations).slice(direction * kind.activations.size(), kind.activations.size());
  resetBias = {};
  weights = reshape(b, ofDirection(R, direction), {kind.gates, hidden, hidden});
  peepholes = c.has(Peepholes) ? ofDirection(Peepholes, direction) : Value();
  Value gates = inputProduct(direction), runs;
  if (c.has(Lengths))
    runs = elementwise(b, {steps, batch}, b.getI1Type(), {iota(b, steps, 0, 2), c.value(Lengths)},
                       [](Scalars &s, ValueRange v) {
                         Value length = s.cast(v[1], v[0].getType());
                         return s.compare(arith::CmpIPredicate::slt, v[0], length);
                       });
  SmallVector<Value> states = {initialState(InitialH, direction)};
  if (kind.states == 2)
    states.push_back(initialState(InitialC, direction));
  StepLoop loop(b, steps, states);
  SmallVector<Value> before(loop.carried()), next = step(loop.slice(gates, 1, reversed), before);
  Value out = next.front();
  if (runs) {
    // Past the end of a sequence its states stay and its outputs are zero.
    Value running = reshape(b, loop.slice(runs, 0, reversed), {batch, 1});
    auto select = [](Scalars &s, ValueRange v) { return s.select(v[0], v[1], v[2]); };
    out = elementwise(b, {batch, hidden}, elementOf(out),
                      {running, out, zeros(b, {batch, hidden}, elementOf(out))}, select);
    for (auto [value, old] : llvm::zip(next, before))
      value = elementwise(b, {batch, hidden}, elementOf(value), {running, value, old}, select);
  }
  SmallVector<StepLoop::Collected> collected;
  if (c.uses(0))
    collected.push_back({out, batchFirst, reversed});
  SmallVector<Value> results = loop.finish(next, collected);
  if (c.uses(0))
    outputs[0].push_back(results.back());
  for (int64_t i = 0; i < kind.states; ++i)
    outputs[1 + i].push_back(results[i]);
}

LogicalResult Recurrent::lower() {
  if (failed(readAttributes()) || failed(checkShapes()))
    return failure();
  outputs.resize(1 + kind.states);
  for (int64_t d = 0; d < directions; ++d)
    lowerDirection(d);
  for (auto [i, parts] : llvm::enumerate(outputs)) {
    // The directions are a dimension in front of that of the batch, or of the elements.
    int64_t axis = i == 0 ? 1 + batchFirst : batchFirst;
    for (Value &part : parts) {
      Shape shape = shapeOf(part);
      shape.insert(shape.begin() + axis, 1);
      part = reshape(b, part, shape);
    }
    if (!parts.empty())
      c.result(i, concat(b, axis, parts));
  }
  return success();
}

static LogicalResult lowerRecurrent(NodeContext &c) { return Recurrent(c).lower(); }

void dojo::onnx::registerRecurrent(HandlerRegistry &registry) {
  for (StringRef op : {"RNN", "GRU", "LSTM"})
    registry.onOp(op, 1, lowerRecurrent);
}

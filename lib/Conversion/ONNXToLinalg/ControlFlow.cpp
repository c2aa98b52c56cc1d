//===- ControlFlow.cpp - If, Loop and Scan --------------------------------===//
//
// A condition that is known when compiling takes its branch alone. On one that is not, both
// branches are computed and each result is selected. Loops have a number of steps that is known
// when compiling; a Loop that stops earlier keeps what it carries from then on.
//
//===----------------------------------------------------------------------===//
#include "StepLoop.h"
#include "Types.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

using namespace mlir;
using namespace dojo::onnx;

namespace {

using Values = SmallVector<Known>;

/// The one truth value of a constant condition.
std::optional<bool> knownCondition(const Known &condition) {
  auto values = knownInts(condition.constant);
  if (!values || values->size() != 1)
    return std::nullopt;
  return values->front() != 0;
}

Known knownBool(NodeContext &c, bool value) {
  auto type = RankedTensorType::get({}, c.b.getI1Type());
  return knownConstant(DenseElementsAttr::get(type, value));
}

Known asKnown(Value value, Type declared) {
  return {cast<RankedTensorType>(value.getType()), value, nullptr, declared};
}

std::string describe(const Known &known) {
  std::string type = typeName(known.declared);
  return known.isList() ? type : type + " " + shapeName(known.type.getShape());
}

/// Whether both are tensors of one type and size; lists are settled while compiling.
bool agree(const Known &x, const Known &y) {
  return !x.isList() && x.type == y.type && x.declared == y.declared && x.extents.empty() &&
         y.extents.empty();
}

Value select(NodeContext &c, Value condition, Value yes, Value no) {
  Shape shape = shapeOf(yes);
  return elementwise(c.b, shape, elementOf(yes), {condition, yes, no},
                     [](Scalars &s, ValueRange v) { return s.select(v[0], v[1], v[2]); });
}

/// The condition of operand `i` as a scalar.
FailureOr<Value> scalarCondition(NodeContext &c, unsigned i) {
  if (!c.type(i).getElementType().isInteger(1) || c.type(i).getNumElements() != 1)
    return c.fail("its condition is " + typeName(c.declared(i)) + " " + shapeName(c.shape(i)) +
                  "; it must be one bool");
  return reshape(c.b, c.value(i), {});
}

/// The outputs of the body, which a loop on the mesh has for each of its steps: those of the node
/// and `more`.
FailureOr<Values> lowerStep(NodeContext &c, ArrayRef<Known> inputs, size_t carried, unsigned more) {
  FailureOr<Values> results = c.lowerBody("body", inputs);
  if (failed(results))
    return failure();
  if (results->size() != c.numResults() + more || c.numResults() < carried)
    return c.fail("it carries " + Twine(carried) + " values and has " + Twine(c.numResults()) +
                  " results, and its body gives " + Twine(results->size()));
  for (Known &one : *results)
    if (one.isList())
      return c.fail("its body gives " + describe(one) + ", and no list came in");
  for (Known &one : *results)
    if (!one.extents.empty())
      return c.fail("its body gives " + describe(one) + " of which the data decide the size");
  return results;
}

LogicalResult lowerIf(NodeContext &c) {
  if (std::optional<bool> known = c.has(0) ? knownCondition(c.operand(0)) : std::nullopt) {
    FailureOr<Values> taken = c.lowerBody(*known ? "then_branch" : "else_branch", {});
    if (failed(taken))
      return failure();
    if (taken->size() != c.numResults())
      return c.fail("it has " + Twine(c.numResults()) + " results and its branch gives " +
                    Twine(taken->size()));
    for (auto [i, result] : llvm::enumerate(*taken))
      c.result(i, result);
    return success();
  }
  FailureOr<Value> condition = scalarCondition(c, 0);
  if (failed(condition))
    return failure();
  FailureOr<Values> yes = c.lowerBody("then_branch", {}), no = c.lowerBody("else_branch", {});
  if (failed(yes) || failed(no))
    return failure();
  for (const Values *branch : {&*yes, &*no})
    if (branch->size() != c.numResults())
      return c.fail("it has " + Twine(c.numResults()) + " results and its branch gives " +
                    Twine(branch->size()));
  for (unsigned i = 0; i < c.numResults(); ++i) {
    Known &first = (*yes)[i], &second = (*no)[i];
    if (!agree(first, second))
      return c.failUnknown(0, "its branches give " + describe(first) + " and " + describe(second) +
                                  " for output " + Twine(i) +
                                  ", which only a condition known when compiling can decide");
    c.result(i, select(c, *condition, c.valueOf(first), c.valueOf(second)), first.declared);
  }
  return success();
}

//===-- Loops -------------------------------------------------------------===//

/// What is carried must come out of the body as it went in.
LogicalResult checkCarried(NodeContext &c, ArrayRef<Known> before, ArrayRef<Known> after) {
  for (auto [i, in, out] : llvm::enumerate(before, after))
    if (!agree(in, out))
      return c.fail("its body turns carried value " + Twine(i) + " from " + describe(in) +
                        " into " + describe(out),
                    "sizes that change from step to step are not supported");
  return success();
}

SmallVector<Value> valuesOf(NodeContext &c, MutableArrayRef<Known> known) {
  return llvm::map_to_vector(known, [&](Known &one) { return c.valueOf(one); });
}

Values knownLike(ValueRange values, ArrayRef<Known> like) {
  Values result;
  for (auto [value, one] : llvm::zip(values, like))
    result.push_back(asKnown(value, one.declared));
  return result;
}

FailureOr<int64_t> tripCount(NodeContext &c, std::optional<bool> condition) {
  if (condition == false)
    return 0;
  if (!c.has(0))
    return c.fail(
        "it has no maximum trip count",
        "give one as an initializer; steps after its condition turned false change nothing");
  FailureOr<SmallVector<int64_t>> count = c.needInts(0, "maximum trip count");
  if (failed(count))
    return failure();
  if (count->size() != 1)
    return c.fail("its maximum trip count has " + Twine(count->size()) + " elements");
  return std::max<int64_t>(count->front(), 0);
}

/// A scalar that the body takes as input `i`; it may state one dimension of one place.
Known asStated(NodeContext &c, unsigned i, Known scalar) {
  auto stated = dyn_cast_if_present<RankedTensorType>(c.statedInput("body", i));
  if (!stated || stated.getShape() != ArrayRef<int64_t>{1})
    return scalar;
  if (scalar.constant)
    return knownConstant(cast<DenseElementsAttr>(scalar.constant).reshape(scalar.type.clone({1})));
  Known list = asKnown(reshape(c.b, scalar.value, {1}), scalar.declared);
  list.byStep = scalar.byStep;
  return list;
}

/// The body takes the number of the step, a condition that is true while it runs, and the carried
/// values; it gives the next condition, the next carried values and what is collected.
class LoopLowering {
public:
  explicit LoopLowering(NodeContext &c) : c(c) {}

  LogicalResult lower();

private:
  LogicalResult prepare();
  LogicalResult finish(StepLoop &loop, MutableArrayRef<Known> results);

  NodeContext &c;
  Values carried;
  Value active; ///< the first condition, as a scalar
  bool startsTrue = false;
  int64_t count = 0;
};

LogicalResult LoopLowering::prepare() {
  std::optional<bool> condition = c.has(1) ? knownCondition(c.operand(1)) : true;
  FailureOr<int64_t> trips = tripCount(c, condition);
  if (failed(trips))
    return failure();
  count = *trips;
  Known truth = knownBool(c, true);
  FailureOr<Value> first = condition ? FailureOr<Value>(c.valueOf(truth)) : scalarCondition(c, 1);
  if (failed(first))
    return failure();
  active = *first;
  startsTrue = condition.has_value();
  for (unsigned i = 2; i < c.size(); ++i)
    carried.push_back(asKnown(c.value(i), c.declared(i)));
  return success();
}

LogicalResult LoopLowering::lower() {
  if (failed(prepare()))
    return failure();
  Value zero = zeros(c.b, {}, c.b.getI64Type());
  SmallVector<Value> inits = {active, zero};
  llvm::append_range(inits, valuesOf(c, carried));
  StepLoop loop(c.b, count, inits);
  Known number = asKnown(loop.carried()[1], c.b.getI64Type());
  number.byStep = ByStep{loop.step(), count, {0}, {1}};
  Values inputs = {asStated(c, 0, number), asStated(c, 1, knownBool(c, true))};
  inputs.append(knownLike(loop.carried().drop_front(2), carried));
  FailureOr<Values> results = lowerStep(c, inputs, carried.size(), 1);
  if (failed(results))
    return failure();
  return finish(loop, *results);
}

LogicalResult LoopLowering::finish(StepLoop &loop, MutableArrayRef<Known> results) {
  MutableArrayRef<Known> next = results.drop_front().take_front(carried.size()),
                         collected = results.drop_front(1 + carried.size());
  if (failed(checkCarried(c, carried, next)))
    return failure();
  SmallVector<Value> values = valuesOf(c, next);
  Value running = loop.carried()[0], number = loop.carried()[1];
  bool goesOn = knownCondition(results[0]) == true, stops = !startsTrue || !goesOn;
  if (stops && !collected.empty()) {
    std::string cause =
        "it may stop before its maximum trip count, which decides the size of output " +
        std::to_string(carried.size());
    return goesOn ? c.failUnknown(1, cause) : c.fail(cause, "make its condition constant true");
  }
  if (stops) {
    if (results[0].type.getNumElements() != 1)
      return c.fail("its body gives a condition of " + shapeName(results[0].type.getShape()));
    for (auto [value, before] : llvm::zip(values, loop.carried().drop_front(2)))
      value = select(c, running, value, before);
    running =
        elementwise(c.b, {}, c.b.getI1Type(), {running, reshape(c.b, c.valueOf(results[0]), {})},
                    [](Scalars &s, ValueRange v) { return s.make<arith::AndIOp>(v[0], v[1]); });
  }
  if (!number.use_empty())
    number = elementwise(c.b, {}, c.b.getI64Type(), {number},
                         [](Scalars &s, ValueRange v) { return s.add(v[0], s.constant(v[0], 1)); });
  SmallVector<Value> yielded = {running, number};
  llvm::append_range(yielded, values);
  SmallVector<StepLoop::Collected> parts;
  for (Known &one : collected)
    parts.push_back({c.valueOf(one), 0, false});
  SmallVector<Value> all = loop.finish(yielded, parts);
  for (auto [i, value] : llvm::enumerate(ArrayRef(all).drop_front(2)))
    c.result(i, value, results[1 + i].declared);
  return success();
}

/// A loop that carries lists: the body once for each step, whose number and condition are known.
LogicalResult unrollLoop(NodeContext &c) {
  constexpr int64_t mostSteps = 1024;
  std::optional<bool> goesOn = c.has(1) ? knownCondition(c.operand(1)) : true;
  if (!goesOn)
    return c.failUnknown(1, "it carries lists, and its condition must be known when compiling");
  FailureOr<int64_t> count = tripCount(c, goesOn);
  if (failed(count))
    return failure();
  if (*count > mostSteps)
    return c.fail("it carries lists through " + Twine(*count) + " steps, more than " +
                  Twine(mostSteps));
  Values carried;
  for (unsigned i = 2; i < c.size(); ++i)
    carried.push_back(c.operand(i));
  auto number = RankedTensorType::get({}, c.b.getI64Type());
  for (int64_t step = 0; step < *count && *goesOn; ++step) {
    Known current = knownConstant(DenseElementsAttr::get(number, step));
    Values inputs = {asStated(c, 0, current), asStated(c, 1, knownBool(c, true))};
    inputs.append(carried);
    FailureOr<Values> results = c.lowerBody("body", inputs);
    if (failed(results))
      return failure();
    if (results->size() != 1 + carried.size() || c.numResults() != carried.size())
      return c.fail("it carries " + Twine(carried.size()) + " values with lists and has " +
                        Twine(c.numResults()) + " results, and its body gives " +
                        Twine(results->size()),
                    "what a loop collects beside lists is not supported");
    goesOn = knownCondition(results->front());
    if (!goesOn)
      return c.fail("it carries lists, and its body computes its condition");
    carried.assign(results->begin() + 1, results->end());
  }
  for (auto [i, one] : llvm::enumerate(carried))
    c.result(i, one);
  return success();
}

LogicalResult lowerLoop(NodeContext &c) {
  for (unsigned i = 2; i < c.size(); ++i)
    if (c.operand(i).isList())
      return unrollLoop(c);
  return LoopLowering(c).lower();
}

//===-- Scan --------------------------------------------------------------===//

/// Where the parts of each step lie in scanned inputs and outputs.
struct ScanPlan {
  unsigned inputs;
  Shape inputAxes, inputReversed, outputAxes, outputReversed;
  int64_t count = 0;

  static int64_t at(ArrayRef<int64_t> list, unsigned i) { return i < list.size() ? list[i] : 0; }
};

FailureOr<Values> scan(NodeContext &c, ScanPlan &plan, MutableArrayRef<Known> carried,
                       MutableArrayRef<Known> scanned) {
  StepLoop loop(c.b, plan.count, valuesOf(c, carried));
  Values inputs = knownLike(loop.carried(), carried);
  for (auto [i, one] : llvm::enumerate(scanned))
    inputs.push_back(
        asKnown(loop.slice(c.valueOf(one), plan.inputAxes[i], ScanPlan::at(plan.inputReversed, i)),
                one.declared));
  FailureOr<Values> results = lowerStep(c, inputs, carried.size(), 0);
  if (failed(results))
    return failure();
  auto next = MutableArrayRef(*results).take_front(carried.size());
  if (failed(checkCarried(c, carried, next)))
    return failure();
  SmallVector<StepLoop::Collected> parts;
  for (auto [i, one] : llvm::enumerate(MutableArrayRef(*results).drop_front(carried.size()))) {
    FailureOr<int64_t> axis = c.axis(ScanPlan::at(plan.outputAxes, i), one.type.getRank() + 1);
    if (failed(axis))
      return failure();
    parts.push_back({c.valueOf(one), *axis, ScanPlan::at(plan.outputReversed, i) != 0});
  }
  return knownLike(loop.finish(valuesOf(c, next), parts), *results);
}

/// All scanned inputs have as many places as there are steps.
LogicalResult countSteps(NodeContext &c, ScanPlan &plan, ArrayRef<Known> scanned, unsigned lead) {
  for (auto [i, one] : llvm::enumerate(scanned)) {
    FailureOr<int64_t> axis = c.axis(ScanPlan::at(plan.inputAxes, i), one.type.getRank() - lead);
    if (failed(axis))
      return failure();
    if (i >= plan.inputAxes.size())
      plan.inputAxes.push_back(0);
    plan.inputAxes[i] = *axis;
    int64_t count = one.type.getDimSize(*axis + lead);
    if (i && count != plan.count)
      return c.fail("its scan inputs have " + Twine(plan.count) + " and " + Twine(count) +
                    " places");
    plan.count = count;
  }
  return success();
}

Values operandsOf(NodeContext &c, unsigned first) {
  Values values;
  for (unsigned i = first; i < c.size(); ++i)
    values.push_back(asKnown(c.value(i), c.declared(i)));
  return values;
}

FailureOr<ScanPlan> planOf(NodeContext &c, unsigned operands) {
  int64_t inputs = c.intAttr("num_scan_inputs", 0);
  if (inputs < 1 || inputs > int64_t(operands))
    return c.fail("it scans " + Twine(inputs) + " of " + Twine(operands) + " operands");
  return ScanPlan{unsigned(inputs), {}, {}, {}, {}};
}

LogicalResult lowerScan(NodeContext &c) {
  FailureOr<ScanPlan> plan = planOf(c, c.size());
  if (failed(plan))
    return failure();
  plan->inputAxes = c.intsAttr("scan_input_axes");
  plan->inputReversed = c.intsAttr("scan_input_directions");
  plan->outputAxes = c.intsAttr("scan_output_axes");
  plan->outputReversed = c.intsAttr("scan_output_directions");
  Values operands = operandsOf(c, 0);
  auto scanned = MutableArrayRef(operands).take_back(plan->inputs);
  if (failed(countSteps(c, *plan, scanned, 0)))
    return failure();
  FailureOr<Values> results =
      scan(c, *plan, MutableArrayRef(operands).drop_back(plan->inputs), scanned);
  if (failed(results))
    return failure();
  for (auto [i, one] : llvm::enumerate(*results))
    c.result(i, one);
  return success();
}

/// Opset 8: all operands have a batch dimension in front, each of whose places is scanned by
/// itself.
LogicalResult lowerBatchedScan(NodeContext &c) {
  if (c.has(0))
    return c.fail("its sequence lengths are not supported", "omit them and use opset 9");
  FailureOr<ScanPlan> plan = planOf(c, c.size() - 1);
  if (failed(plan))
    return failure();
  plan->inputReversed = c.intsAttr("directions");
  Values operands = operandsOf(c, 1);
  int64_t batch = operands.back().type.getDimSize(0);
  for (Known &one : operands)
    if (one.type.getRank() == 0 || one.type.getDimSize(0) != batch)
      return c.fail("its operands differ in their batch dimension");
  if (failed(countSteps(c, *plan, ArrayRef(operands).take_back(plan->inputs), 1)))
    return failure();
  StepLoop loop(c.b, batch, {});
  Values parts;
  for (Known &one : operands)
    parts.push_back(asKnown(loop.slice(one.value, 0, false), one.declared));
  FailureOr<Values> results = scan(c, *plan, MutableArrayRef(parts).drop_back(plan->inputs),
                                   MutableArrayRef(parts).take_back(plan->inputs));
  if (failed(results))
    return failure();
  SmallVector<StepLoop::Collected> collected;
  for (Known &one : *results)
    collected.push_back({one.value, 0, false});
  for (auto [i, value] : llvm::enumerate(loop.finish({}, collected)))
    c.result(i, value, (*results)[i].declared);
  return success();
}

} // namespace

void dojo::onnx::registerControlFlow(HandlerRegistry &registry) {
  registry.onOp("If", 1, lowerIf);
  registry.onOp("Loop", 1, lowerLoop);
  registry.onOp("Scan", 8, lowerBatchedScan);
  registry.onOp("Scan", 9, lowerScan);
}

//===- Simd.cpp - structured operations on the SIMD unit ------------------===//
#include "Simd.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::kernels;

Loop kernels::loopOver(const Nest &nest, unsigned iterator, int64_t block) {
  const Iterator &it = nest.iterators[iterator];
  Loop loop{it.extent / block, {}, it.indexDim, block};
  for (auto [p, access] : llvm::enumerate(nest.accesses)) {
    bool used = access.read || p >= nest.numInputs;
    loop.steps.push_back(used ? access.stride(iterator) * block : 0);
  }
  return loop;
}

namespace {

/// The place of one point in a block, for each iterator.
using Point = SmallVector<int64_t>;

class SimdEmission {
public:
  SimdEmission(Emitter &emitter, const Nest &nest, const SimdPlan &plan, Inits inits)
      : e(emitter), nest(nest), plan(plan), inits(inits), parallel(points(false)),
        reduced(points(true)) {}

  void run();

private:
  SmallVector<Point> points(bool reduction) const;
  int64_t offset(unsigned access, const Point &point) const;
  SmallVector<Loop> loops(bool reduction) const;

  Value load(unsigned access, int64_t offset);
  void store(unsigned access, int64_t offset, Value value);
  Value index(int64_t dim, const Point &point);
  Value initial(unsigned output, const Point &point);
  bool inLanes(const Access &access) const { return plan.vector && access.stride(*plan.vector); }
  bool partialLanes() const { return plan.vector && nest.iterators[*plan.vector].reduction; }
  Value combineLanes(unsigned output, const Point &point, Value partial);

  void emitBlock();
  Values accumulate(Values accumulators);
  void storeAll(ArrayRef<Value> results);
  /// The values all outputs yield, output by output, for every parallel point at
  /// place `at` of the reductions.
  Values body(const Point &at, ArrayRef<Value> accumulators);

  Emitter &e;
  const Nest &nest;
  const SimdPlan &plan;
  Inits inits;
  SmallVector<Point> parallel, reduced;
  /// What is loaded in this block and may be used again, oldest first.
  SmallVector<std::pair<std::pair<unsigned, int64_t>, Value>> loaded;
};

} // namespace

SmallVector<Point> SimdEmission::points(bool reduction) const {
  SmallVector<Point> result{Point(nest.iterators.size(), 0)};
  for (unsigned j : plan.order) {
    if (nest.iterators[j].reduction != reduction)
      continue;
    SmallVector<Point> longer;
    int64_t step = plan.vector == j ? isa::numLanes : 1;
    for (const Point &point : result)
      for (int64_t at = 0; at < plan.blocks[j]; at += step) {
        longer.push_back(point);
        longer.back()[j] = at;
      }
    result = std::move(longer);
  }
  return result;
}

int64_t SimdEmission::offset(unsigned access, const Point &point) const {
  int64_t bytes = 0;
  for (auto [place, stride] : llvm::zip_equal(point, nest.accesses[access].strides))
    bytes += place * stride;
  return bytes;
}

SmallVector<Loop> SimdEmission::loops(bool reduction) const {
  SmallVector<Loop> result;
  for (unsigned j : plan.order)
    if (nest.iterators[j].reduction == reduction)
      result.push_back(loopOver(nest, j, plan.blocks[j]));
  return result;
}

Value kernels::loadElements(Emitter &e, const Access &a, Address address, bool lanes) {
  auto [base, imm] = address;
  if (a.bytes == 4)
    return lanes ? e.make<d1::VLD>(base, imm) : e.make<d1::VLDR>(base, imm);
  if (a.element.isInteger(16))
    return lanes ? e.make<d1::VLDS>(base, imm) : e.make<d1::VLDRS>(base, imm);
  if (a.bytes == 2)
    return lanes ? e.make<d1::VLDH>(base, imm) : e.make<d1::VLDRH>(base, imm);
  Value bytes = lanes ? e.make<d1::VLDB>(base, imm) : e.make<d1::VLDRB>(base, imm);
  return a.element.isInteger(1) ? e.make<d1::VICLT>(e.splat(0u), bytes) : bytes;
}

Value SimdEmission::load(unsigned access, int64_t offset) {
  if (TypedAttr constant = nest.accesses[access].constant)
    return emitConstant(e, constant);
  std::pair<unsigned, int64_t> key{access, offset};
  auto known = llvm::find_if(loaded, [&](const auto &entry) { return entry.first == key; });
  Value value;
  if (known != loaded.end()) {
    value = known->second;
    loaded.erase(known);
  } else {
    const Access &a = nest.accesses[access];
    value = loadElements(e, a, e.address(access, offset), inLanes(a));
    if (!loaded.empty() && loaded.size() >= plan.loads)
      loaded.erase(loaded.begin());
  }
  loaded.push_back({key, value});
  return value;
}

void kernels::storeElements(Emitter &e, const Access &a, Address address, bool lanes, Value value) {
  if (a.element.isInteger(1))
    value = e.make<d1::VAND>(value, e.splat(1u));
  auto [base, imm] = address;
  if (a.bytes == 4)
    lanes ? e.store<d1::VST>(value, base, imm) : e.store<d1::VST1>(value, base, imm);
  else if (a.element.isInteger(16))
    lanes ? e.store<d1::VSTS>(value, base, imm) : e.store<d1::VST1S>(value, base, imm);
  else if (a.bytes == 2)
    lanes ? e.store<d1::VSTH>(value, base, imm) : e.store<d1::VST1H>(value, base, imm);
  else
    lanes ? e.store<d1::VSTB>(value, base, imm) : e.store<d1::VST1B>(value, base, imm);
}

void SimdEmission::store(unsigned access, int64_t offset, Value value) {
  const Access &a = nest.accesses[access];
  storeElements(e, a, e.address(access, offset), inLanes(a), value);
}

Value SimdEmission::index(int64_t dim, const Point &point) {
  unsigned j = llvm::find_if(nest.iterators, [&](const Iterator &i) { return i.indexDim == dim; }) -
               nest.iterators.begin();
  bool lanes = plan.vector == j;
  Value loop = e.index(dim);
  Value first = loop ? e.make<d1::VSPLAT>(loop) : Value();
  if (loop && !lanes && !point[j])
    return first;
  Value inBlock = lanes ? e.iota(point[j]) : e.splat(uint32_t(point[j]));
  return loop ? e.make<d1::VIADD>(first, inBlock) : inBlock;
}

Value SimdEmission::initial(unsigned output, const Point &point) {
  if (inits[output])
    return emitConstant(e, inits[output]);
  unsigned access = nest.numInputs + output;
  return load(access, offset(access, point));
}

/// Each rotation by half of what is left leaves every lane the result of twice as many.
Value SimdEmission::combineLanes(unsigned output, const Point &point, Value partial) {
  Operation *op = matchCombiner(nest, output)->op;
  for (int64_t distance = isa::numLanes / 2; distance; distance /= 2) {
    Value other = e.make<d1::VROT>(partial, distance);
    partial = emitOperation(e, op, {partial, other});
  }
  return emitOperation(e, op, {initial(output, point), partial});
}

Values SimdEmission::body(const Point &at, ArrayRef<Value> accumulators) {
  auto argument = [&](BlockArgument arg, unsigned p) -> Value {
    unsigned access = arg.getArgNumber();
    if (access < nest.numInputs)
      return load(access, offset(access, parallel[p]) + offset(access, at));
    unsigned output = access - nest.numInputs;
    return accumulators.empty() ? initial(output, parallel[p])
                                : accumulators[output * parallel.size() + p];
  };
  auto indexAt = [&](int64_t dim, unsigned p) {
    Point point = parallel[p];
    for (auto [place, more] : llvm::zip_equal(point, at))
      place += more;
    return index(dim, point);
  };
  auto results = emitBody(e, nest, parallel.size(), {argument, indexAt});
  Values flat;
  for (const Values &values : *results)
    llvm::append_range(flat, values);
  return flat;
}

Values SimdEmission::accumulate(Values accumulators) {
  loaded.clear();
  for (const Point &at : reduced)
    accumulators = body(at, accumulators);
  return accumulators;
}

void SimdEmission::storeAll(ArrayRef<Value> results) {
  for (unsigned o = 0; o < nest.outputs().size(); ++o)
    for (auto [p, point] : llvm::enumerate(parallel))
      store(nest.numInputs + o, offset(nest.numInputs + o, point),
            results[o * parallel.size() + p]);
}

void SimdEmission::emitBlock() {
  loaded.clear();
  if (!nest.hasReduction())
    return storeAll(body(reduced.front(), {}));
  Values accumulators;
  for (unsigned o = 0; o < nest.outputs().size(); ++o)
    for (const Point &point : parallel)
      accumulators.push_back(partialLanes() ? emitConstant(e, matchCombiner(nest, o)->neutral)
                                            : initial(o, point));
  accumulators = e.loops(loops(true), {}, accumulators,
                         [&](Values values) { return accumulate(std::move(values)); });
  loaded.clear();
  for (unsigned o = 0; o < nest.outputs().size() && partialLanes(); ++o)
    for (auto [p, point] : llvm::enumerate(parallel)) {
      Value &partial = accumulators[o * parallel.size() + p];
      partial = combineLanes(o, point, partial);
    }
  storeAll(accumulators);
}

void SimdEmission::run() {
  e.hoistConstants(plan.constants);
  e.startPointers(nest);
  e.loops(loops(false), loops(true), {}, [&](Values) {
    emitBlock();
    return Values();
  });
}

LogicalResult kernels::emitSimd(Emitter &emitter, const Nest &nest, Inits inits, bool &usesLanes) {
  FailureOr<BodyCost> cost = measureBody(nest);
  if (failed(cost))
    return failure();
  SimdPlan plan = planSimd(nest, *cost);
  usesLanes = plan.vector.has_value();
  SimdEmission(emitter, nest, plan, inits).run();
  return success();
}

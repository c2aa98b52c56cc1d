//===- Emitter.cpp - loops, addresses and constants of a routine ----------===//
#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::kernels;

/// Offsets in [-range, range) need no register.
static int64_t immediateRange() {
  static const int64_t range = int64_t(1) << (isa::get(isa::Opcode::VLD).operands.back().width - 1);
  return range;
}

static bool isImmediate(int64_t value) {
  return value >= -immediateRange() && value < immediateRange();
}

/// Scalar registers for kept numbers; pointers and loops need the others.
static constexpr unsigned maxKept = 8;

Value Emitter::number(int64_t value) { return make<arith::ConstantOp>(b.getI64IntegerAttr(value)); }

Value Emitter::add(Value address, int64_t bytes) {
  if (!bytes)
    return address;
  return make<arith::AddIOp>(address, isImmediate(bytes) ? number(bytes) : keptNumber(bytes));
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

void Emitter::hoistConstants(unsigned registers) {
  hoisted.clear();
  kept.clear();
  latest = {};
  hoistLimit = registers;
  hoistBlock = b.getInsertionBlock();
  hoistAfter = hoistBlock->empty() ? nullptr : &hoistBlock->back();
}

Value Emitter::constant(std::pair<int, int64_t> key, function_ref<Value()> create) {
  if (Value known = hoisted.lookup(key))
    return known;
  if (hoisted.size() == hoistLimit) {
    bool here = latest.second && latest.first == key &&
                latest.second.getParentBlock() == b.getInsertionBlock();
    if (!here)
      latest = {key, create()};
    return latest.second;
  }
  Value value = hoist(create);
  return hoisted[key] = value;
}

Value Emitter::hoist(function_ref<Value()> create) {
  OpBuilder::InsertionGuard guard(b);
  if (hoistAfter)
    b.setInsertionPointAfter(hoistAfter);
  else
    b.setInsertionPointToStart(hoistBlock);
  Value value = create();
  hoistAfter = value.getDefiningOp();
  return value;
}

Value Emitter::keptNumber(int64_t value) {
  if (!kept.count(value) && kept.size() == maxKept)
    return number(value);
  Value &register_ = kept[value];
  if (!register_)
    register_ = hoist([&] { return number(value); });
  return register_;
}

Value Emitter::splat(uint32_t bits) {
  return constant({0, bits}, [&] { return make<d1::VSPLAT>(number(int32_t(bits))); });
}

Value Emitter::splat(float value) { return splat(llvm::bit_cast<uint32_t>(value)); }

Value Emitter::iota(int32_t first) {
  Value step = first ? splat(uint32_t(first)) : Value();
  Value lanes = constant({1, 0}, [&] { return make<d1::VIOTA>(); });
  return first ? constant({1, first}, [&] { return make<d1::VIADD>(lanes, step); }) : lanes;
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

void Emitter::startPointers(const Nest &nest) {
  pointers.clear();
  indices.clear();
  anchors.clear();
  for (const Access &access : nest.accesses)
    pointers.push_back({access.base, -access.offset});
}

Address Emitter::address(unsigned p, int64_t offset) {
  int64_t range = immediateRange(), distance = offset - pointers[p].moved;
  if (isImmediate(distance))
    return {pointers[p].at, distance};
  int64_t start = llvm::divideFloorSigned(distance, range) * range;
  Value &anchor = anchors[{p, start}];
  if (!anchor)
    anchor = add(pointers[p].at, start);
  return {anchor, distance - start};
}

Value Emitter::addressRegister(unsigned p, int64_t offset) {
  Address near = address(p, offset);
  return add(near.base, near.offset);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

Values Emitter::loop(const Loop &loop, ArrayRef<unsigned> moving, Values carried,
                     function_ref<Values(Values)> body) {
  Values inits;
  for (unsigned p : moving)
    inits.push_back(pointers[p].at);
  llvm::append_range(inits, carried);
  auto outerPointers = pointers;
  auto outerIndex = indices.lookup(loop.indexDim);

  auto op = scf::ForOp::create(b, loc, number(0), number(loop.trips * loop.block),
                               number(loop.block), inits);
  Block &block = *op.getBody();
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&block);
    anchors.clear();
    for (auto [i, p] : llvm::enumerate(moving))
      pointers[p].at = op.getRegionIterArg(i);
    if (loop.indexDim >= 0)
      indices[loop.indexDim] = op.getInductionVar();
    Values next = body(Values(op.getRegionIterArgs().drop_front(moving.size())));
    Values yielded;
    for (unsigned p : moving)
      yielded.push_back(
          add(pointers[p].at, loop.steps[p] + outerPointers[p].moved - pointers[p].moved));
    llvm::append_range(yielded, next);
    if (!yielded.empty())
      scf::YieldOp::create(b, loc, yielded);
  }
  anchors.clear();
  pointers = outerPointers;
  indices[loop.indexDim] = outerIndex;
  for (auto [i, p] : llvm::enumerate(moving)) {
    pointers[p].at = op.getResult(i);
    pointers[p].moved += loop.trips * loop.steps[p];
  }
  return Values(op.getResults().drop_front(moving.size()));
}

Values Emitter::loops(ArrayRef<Loop> all, ArrayRef<Loop> inside, Values carried,
                      function_ref<Values(Values)> body) {
  if (all.empty())
    return body(carried);
  auto rest = all.drop_front();
  if (all.front().trips == 1)
    return loops(rest, inside, carried, body);
  SmallVector<unsigned> moving;
  auto moves = [&](ArrayRef<Loop> some, unsigned p) {
    return llvm::any_of(some, [&](const Loop &l) { return l.trips > 1 && l.steps[p]; });
  };
  for (unsigned p = 0; p < pointers.size(); ++p)
    if (pointers[p].at && (moves(all, p) || moves(inside, p)))
      moving.push_back(p);
  return loop(all.front(), moving, carried,
              [&](Values values) { return loops(rest, inside, values, body); });
}

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

Value Emitter::multiply(Value value, int64_t factor) {
  return make<arith::MulIOp>(value, isImmediate(factor) ? number(factor) : keptNumber(factor));
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
  forgetAddresses();
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
    anchor = make<d1::ADD>(pointers[p].at, keptNumber(start));
  return {anchor, distance - start};
}

/// Far from its pointer, from the address before it: a row of addresses takes one
/// constant, and one instruction each.
Value Emitter::addressRegister(unsigned p, int64_t offset) {
  int64_t distance = offset - pointers[p].moved;
  auto &[before, at] = latestAddress.try_emplace(p, 0, pointers[p].at).first->second;
  at = isImmediate(distance) ? add(pointers[p].at, distance) : add(at, distance - before);
  before = distance;
  return at;
}

void Emitter::forgetAddresses() {
  anchors.clear();
  latestAddress.clear();
}

void Emitter::advance(unsigned p, int64_t bytes, Value more) {
  pointers[p].moved -= bytes;
  if (!more)
    return;
  settle(p);
  pointers[p].at = make<arith::AddIOp>(pointers[p].at, more);
}

void Emitter::settle(unsigned p) {
  pointers[p] = {add(pointers[p].at, -pointers[p].moved), 0};
  forgetAddresses();
}

SmallVector<unsigned> Emitter::moving(ArrayRef<Loop> loops) const {
  SmallVector<unsigned> result;
  for (unsigned p = 0; p < pointers.size(); ++p)
    if (pointers[p].at &&
        llvm::any_of(loops, [&](const Loop &l) { return l.trips > 1 && l.steps[p]; }))
      result.push_back(p);
  return result;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// Each iteration leaves the pointers as far from its operands as it has found them.
Values Emitter::emitFor(int64_t end, int64_t step, ArrayRef<unsigned> moving, Values carried,
                        function_ref<Values(Value, Values)> body) {
  Values inits;
  for (unsigned p : moving)
    inits.push_back(pointers[p].at);
  llvm::append_range(inits, carried);
  auto entry = pointers;

  auto op = scf::ForOp::create(b, loc, number(0), number(end), number(step), inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(op.getBody());
    forgetAddresses();
    for (auto [i, p] : llvm::enumerate(moving))
      pointers[p].at = op.getRegionIterArg(i);
    Values next =
        body(op.getInductionVar(), Values(op.getRegionIterArgs().drop_front(moving.size())));
    Values yielded;
    for (unsigned p : moving)
      yielded.push_back(add(pointers[p].at, entry[p].moved - pointers[p].moved));
    llvm::append_range(yielded, next);
    if (!yielded.empty())
      scf::YieldOp::create(b, loc, yielded);
  }
  forgetAddresses();
  pointers = entry;
  for (auto [i, p] : llvm::enumerate(moving))
    pointers[p].at = op.getResult(i);
  return Values(op.getResults().drop_front(moving.size()));
}

Values Emitter::repeat(int64_t trips, ArrayRef<unsigned> moving, Values carried,
                       function_ref<Values(Values)> body) {
  if (trips == 0)
    return carried;
  if (trips == 1)
    return body(std::move(carried));
  return emitFor(trips, 1, moving, std::move(carried),
                 [&](Value, Values values) { return body(std::move(values)); });
}

Values Emitter::loop(const Loop &loop, ArrayRef<unsigned> moving, Values carried,
                     function_ref<Values(Values)> body) {
  auto outerIndex = indices.lookup(loop.indexDim);
  Values results = emitFor(loop.trips * loop.block, loop.block, moving, std::move(carried),
                           [&](Value induction, Values values) {
                             if (loop.indexDim >= 0)
                               indices[loop.indexDim] = induction;
                             Values next = body(std::move(values));
                             for (unsigned p : moving)
                               advance(p, loop.steps[p]);
                             return next;
                           });
  indices[loop.indexDim] = outerIndex;
  for (unsigned p : moving)
    pointers[p].moved += loop.trips * loop.steps[p];
  return results;
}

Values Emitter::loops(ArrayRef<Loop> all, ArrayRef<Loop> inside, Values carried,
                      function_ref<Values(Values)> body) {
  if (all.empty())
    return body(carried);
  auto rest = all.drop_front();
  if (all.front().trips == 1)
    return loops(rest, inside, carried, body);
  SmallVector<Loop> both(all);
  llvm::append_range(both, inside);
  return loop(all.front(), moving(both), carried,
              [&](Values values) { return loops(rest, inside, values, body); });
}

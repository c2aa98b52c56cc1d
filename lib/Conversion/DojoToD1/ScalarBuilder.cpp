//===- ScalarBuilder.cpp - scalar code that folds as it is built ----------===//
#include "ScalarBuilder.h"
#include "dojo/Dialect/D1/IR/D1.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace dojo;

Value ScalarBuilder::get(Int a) {
  if (a.value)
    return a.value;
  return arith::ConstantIntOp::create(b, loc, *a.constant, 64);
}

Int ScalarBuilder::add(Int a, Int c) {
  if (a.constant && c.constant)
    return *a.constant + *c.constant;
  if (a.is(0) || c.is(0))
    return a.is(0) ? c : a;
  if (a.constant)
    std::swap(a, c);
  return Value(arith::AddIOp::create(b, loc, get(a), get(c)));
}

Int ScalarBuilder::sub(Int a, Int c) {
  if (c.constant)
    return add(a, -*c.constant);
  return Value(arith::SubIOp::create(b, loc, get(a), get(c)));
}

Int ScalarBuilder::mul(Int a, Int c) {
  if (a.constant && c.constant)
    return *a.constant * *c.constant;
  if (a.constant)
    std::swap(a, c);
  if (c.is(0) || c.is(1))
    return c.is(0) ? c : a;
  if (c.constant && llvm::isPowerOf2_64(*c.constant))
    return Value(arith::ShLIOp::create(b, loc, get(a), get(llvm::Log2_64(*c.constant))));
  return Value(arith::MulIOp::create(b, loc, get(a), get(c)));
}

Int ScalarBuilder::min(Int a, Int c) {
  if (a.constant && c.constant)
    return std::min(*a.constant, *c.constant);
  return Value(arith::MinSIOp::create(b, loc, get(a), get(c)));
}

Int ScalarBuilder::max(Int a, Int c) {
  if (a.constant && c.constant)
    return std::max(*a.constant, *c.constant);
  return Value(arith::MaxSIOp::create(b, loc, get(a), get(c)));
}

Int ScalarBuilder::shr(Int a, unsigned bits) {
  return Value(arith::ShRUIOp::create(b, loc, get(a), get(bits)));
}

Int ScalarBuilder::low(Int a, unsigned bits) {
  return Value(arith::AndIOp::create(b, loc, get(a), get((int64_t(1) << bits) - 1)));
}

Int ScalarBuilder::div(Int a, int64_t c) {
  if (c == 1)
    return a;
  if (a.constant)
    return *a.constant / c;
  if (llvm::isPowerOf2_64(c))
    return Value(arith::ShRSIOp::create(b, loc, get(a), get(llvm::Log2_64(c))));
  return Value(arith::DivSIOp::create(b, loc, get(a), get(c)));
}

Int ScalarBuilder::rem(Int a, int64_t c) {
  if (c == 1)
    return 0;
  if (a.constant)
    return *a.constant % c;
  if (llvm::isPowerOf2_64(c))
    return low(a, llvm::Log2_64(c));
  return Value(arith::RemSIOp::create(b, loc, get(a), get(c)));
}

Int ScalarBuilder::ifEqual(Int a, Int c, Int equal, Int other) {
  if (a.constant && c.constant)
    return *a.constant == *c.constant ? equal : other;
  Value same = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, get(a), get(c));
  return Value(arith::SelectOp::create(b, loc, same, get(equal), get(other)));
}

void ScalarBuilder::require(Value condition) {
  auto branch = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
  b.setInsertionPoint(branch.thenBlock()->getTerminator());
}

void ScalarBuilder::requireLess(Int a, Int c) {
  if (!a.constant || !c.constant || *a.constant >= *c.constant)
    require(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, get(a), get(c)));
}

void ScalarBuilder::requireEqual(Int a, Int c) {
  if (!a.constant || !c.constant || *a.constant != *c.constant)
    require(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, get(a), get(c)));
}

void ScalarBuilder::grow(llvm::ArrayRef<Growing> growing, Int index) {
  for (const Growing &g : growing)
    *g.value = add(*g.value, mul(index, g.step));
}

Int ScalarBuilder::loop(Int lo, Int hi, llvm::ArrayRef<Growing> growing) {
  grow(growing, lo);
  llvm::SmallVector<Growing> carried(growing);
  llvm::erase_if(carried, [](const Growing &g) { return g.step == 0; });
  if (lo.constant && hi.constant && *hi.constant == *lo.constant + 1)
    return lo;
  llvm::SmallVector<Value> inits =
      llvm::map_to_vector(carried, [&](const Growing &g) { return get(*g.value); });
  Value from = get(lo), to = get(hi), one = get(1);
  auto loop = scf::ForOp::create(b, loc, from, to, one, inits);
  b.setInsertionPointToEnd(loop.getBody());
  Operation *advance = nullptr;
  llvm::SmallVector<Value> next;
  for (auto [g, value] : llvm::zip_equal(carried, loop.getRegionIterArgs())) {
    *g.value = Value(value);
    Value step = get(g.step);
    advance = advance ? advance : step.getDefiningOp();
    next.push_back(arith::AddIOp::create(b, loc, value, step));
  }
  if (carried.empty())
    advance = loop.getBody()->getTerminator();
  else
    scf::YieldOp::create(b, loc, next);
  b.setInsertionPoint(advance);
  return Value(loop.getInductionVar());
}

Int ScalarBuilder::loadWord(Int address, int64_t offset) {
  return Value(d1::LDW::create(b, loc, get(address), offset));
}

void ScalarBuilder::storeWord(Int value, Int address, int64_t offset) {
  d1::STW::create(b, loc, get(value), get(address), offset);
}

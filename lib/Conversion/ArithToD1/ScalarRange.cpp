//===- ScalarRange.cpp - what a scalar surely lies between ----------------===//
#include "ScalarRange.h"
#include "dojo/Dialect/D1/IR/D1.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace dojo::d1 {
namespace {

using Wide = __int128;

/// Wraps to everything when an end leaves 64 bits.
Range narrow(Wide low, Wide high) {
  Range all;
  if (low < all.low || high > all.high)
    return all;
  return {int64_t(low), int64_t(high)};
}

Range product(Range a, Range b) {
  Wide ends[] = {Wide(a.low) * b.low, Wide(a.low) * b.high, Wide(a.high) * b.low,
                 Wide(a.high) * b.high};
  return narrow(*std::min_element(ends, ends + 4), *std::max_element(ends, ends + 4));
}

Range hull(Range a, Range b) { return {std::min(a.low, b.low), std::max(a.high, b.high)}; }

bool isConstant(Range range) { return range.low == range.high; }

Range remainder(Range a, Range b) {
  if (!isConstant(b) || b.low <= 0)
    return {};
  int64_t most = b.low - 1;
  if (a.low >= 0)
    return {0, std::min(a.high, most)};
  return {-most, most};
}

/// Division by a positive constant is monotone, however it rounds.
template <typename Divide>
Range quotient(Range a, Range b, Divide divide) {
  if (!isConstant(b) || b.low <= 0)
    return {};
  return {divide(a.low, b.low), divide(a.high, b.low)};
}

int64_t floorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0); }
int64_t ceilDivide(int64_t a, int64_t b) { return a / b + (a % b > 0); }

Range conjunction(Range a, Range b) {
  if (a.low >= 0 && b.low >= 0)
    return {0, std::min(a.high, b.high)};
  if (a.low >= 0 || b.low >= 0)
    return {0, a.low >= 0 ? a.high : b.high};
  return {};
}

Range shiftRight(Range a, Range amount, bool isSigned) {
  if (!isConstant(amount) || amount.low < 0 || amount.low > 63)
    return {};
  if (isSigned || a.low >= 0)
    return {a.low >> amount.low, a.high >> amount.low};
  if (amount.low == 0)
    return {};
  return {0, int64_t(~uint64_t(0) >> amount.low)};
}

Range shiftLeft(Range a, Range amount) {
  if (!isConstant(amount) || amount.low < 0 || amount.low > 62)
    return {};
  int64_t factor = int64_t(1) << amount.low;
  return product(a, {factor, factor});
}

/// A coordinate has a byte in a global address (Instructions.td).
constexpr Range coordinate = {0, 255};

} // namespace

Range ScalarRanges::of(Value value) {
  auto it = known.find(value);
  if (it != known.end())
    return it->second;
  Range range = compute(value);
  known[value] = range;
  return range;
}

Range ScalarRanges::compute(Value value) {
  APInt number;
  if (matchPattern(value, m_ConstantInt(&number)))
    return {number.getSExtValue(), number.getSExtValue()};
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    if (!loop || loop.getInductionVar() != value || loop.getUnsignedCmp())
      return {};
    Range low = of(loop.getLowerBound()), high = of(loop.getUpperBound());
    return narrow(low.low, std::max(Wide(low.low), Wide(high.high) - 1));
  }

  auto lhs = [&](auto op) { return of(op.getLhs()); };
  auto rhs = [&](auto op) { return of(op.getRhs()); };
  return llvm::TypeSwitch<Operation *, Range>(value.getDefiningOp())
      .Case([](COORD) { return coordinate; })
      .Case([&](arith::AddIOp op) {
        return narrow(Wide(lhs(op).low) + rhs(op).low, Wide(lhs(op).high) + rhs(op).high);
      })
      .Case([&](arith::SubIOp op) {
        return narrow(Wide(lhs(op).low) - rhs(op).high, Wide(lhs(op).high) - rhs(op).low);
      })
      .Case([&](arith::MulIOp op) { return product(lhs(op), rhs(op)); })
      .Case([&](arith::MinSIOp op) {
        return Range{std::min(lhs(op).low, rhs(op).low), std::min(lhs(op).high, rhs(op).high)};
      })
      .Case([&](arith::MaxSIOp op) {
        return Range{std::max(lhs(op).low, rhs(op).low), std::max(lhs(op).high, rhs(op).high)};
      })
      .Case([&](arith::AndIOp op) { return conjunction(lhs(op), rhs(op)); })
      .Case([&](arith::RemSIOp op) { return remainder(lhs(op), rhs(op)); })
      .Case([&](arith::DivSIOp op) {
        return quotient(lhs(op), rhs(op), [](int64_t a, int64_t b) { return a / b; });
      })
      .Case([&](arith::FloorDivSIOp op) { return quotient(lhs(op), rhs(op), floorDivide); })
      .Case([&](arith::CeilDivSIOp op) { return quotient(lhs(op), rhs(op), ceilDivide); })
      .Case([&](arith::ShLIOp op) { return shiftLeft(lhs(op), rhs(op)); })
      .Case([&](arith::ShRSIOp op) { return shiftRight(lhs(op), rhs(op), true); })
      .Case([&](arith::ShRUIOp op) { return shiftRight(lhs(op), rhs(op), false); })
      .Case([&](arith::SelectOp op) { return hull(of(op.getTrueValue()), of(op.getFalseValue())); })
      .Case([&](arith::ExtUIOp) { return Range{0, 1}; })
      .Default([](Operation *) { return Range(); });
}

} // namespace dojo::d1

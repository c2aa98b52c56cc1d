//===- ScalarSelection.cpp - arithmetic of i64 and i1 ---------------------===//
//
// An i1 is 0 or 1 in a scalar register. The equation of an expansion stands
// above it; x >> n is arithmetic, x >>> n logical.
//
//===----------------------------------------------------------------------===//
#include "Selector.h"
#include "dojo/ISA/Codec.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace dojo::d1 {
namespace {

template <typename Inst>
bool fitsImmediate(int64_t number) {
  return isa::fits(isa::get(Inst::opcode).operands.back(), number);
}

/// The exponent of a constant power of two.
std::optional<int64_t> exponentOf(Value value) {
  std::optional<int64_t> number = constantOf(value);
  if (!number || !llvm::isPowerOf2_64(*number) || *number < 0)
    return std::nullopt;
  return llvm::Log2_64(*number);
}

} // namespace

Value Selector::selectScalar(Operation *op) {
  if (op->getNumResults() != 1)
    return {};
  Type type = op->getResult(0).getType();
  bool isScalar = type.isInteger(64) || type.isInteger(1);
  if (auto select = dyn_cast<arith::SelectOp>(op))
    return isScalar || llvm::isa<VectorRegType>(type) ? choose(select) : Value();
  auto is = [](unsigned width) {
    return [width](Type operand) { return operand.isInteger(width); };
  };
  bool isBit = llvm::all_of(op->getOperandTypes(), is(1));
  if (!isScalar || !(isBit || llvm::all_of(op->getOperandTypes(), is(64))))
    return {};
  if (isBit &&
      !llvm::isa<arith::AndIOp, arith::OrIOp, arith::XOrIOp, arith::ExtUIOp, arith::ExtSIOp>(op))
    return {};

  auto lhs = [&](auto op) { return use(op.getLhs()); };
  auto rhs = [&](auto op) { return use(op.getRhs()); };
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](arith::AddIOp o) { return add(o.getLhs(), o.getRhs()); })
      .Case([&](arith::SubIOp o) { return subtract(o.getLhs(), o.getRhs()); })
      .Case([&](arith::MulIOp o) { return multiply(o.getLhs(), o.getRhs()); })
      .Case([&](arith::DivSIOp o) { return divide(o.getLhs(), o.getRhs()); })
      .Case([&](arith::RemSIOp o) { return remainder(o.getLhs(), o.getRhs()); })
      .Case([&](arith::FloorDivSIOp o) { return floorDivide(o.getLhs(), o.getRhs()); })
      .Case([&](arith::CeilDivSIOp o) { return ceilDivide(o.getLhs(), o.getRhs()); })
      .Case([&](arith::MinSIOp o) { return emit<MIN>(lhs(o), rhs(o)); })
      .Case([&](arith::MaxSIOp o) { return emit<MAX>(lhs(o), rhs(o)); })
      .Case([&](arith::AndIOp o) { return withImmediate<AND, ANDI>(o.getLhs(), o.getRhs()); })
      .Case([&](arith::OrIOp o) { return emit<OR>(lhs(o), rhs(o)); })
      .Case([&](arith::XOrIOp o) { return exclusiveOr(o); })
      .Case([&](arith::ShLIOp o) { return withImmediate<SHL, SHLI>(o.getLhs(), o.getRhs()); })
      .Case([&](arith::ShRUIOp o) { return withImmediate<SHR, SHRI>(o.getLhs(), o.getRhs()); })
      .Case([&](arith::ShRSIOp o) { return withImmediate<SAR, SARI>(o.getLhs(), o.getRhs()); })
      .Case([&](arith::ExtUIOp o) { return use(o.getIn()); })
      .Case([&](arith::ExtSIOp o) { return emit<SUB>(zero(), use(o.getIn())); })
      .Case([&](arith::TruncIOp o) { return emit<ANDI>(use(o.getIn()), 1); })
      .Default([](Operation *) { return Value(); });
}

template <typename Inst, typename Imm>
Value Selector::withImmediate(Value lhs, Value rhs) {
  std::optional<int64_t> number = constantOf(rhs);
  if (number && fitsImmediate<Imm>(*number))
    return emit<Imm>(use(lhs), *number);
  return emit<Inst>(use(lhs), use(rhs));
}

//===-- Sums and products -------------------------------------------------===//
Value Selector::add(Value lhs, Value rhs) {
  if (constantOf(lhs) && !constantOf(rhs))
    std::swap(lhs, rhs);
  return withImmediate<ADD, ADDI>(lhs, rhs);
}

Value Selector::addNumber(Value lhs, int64_t number) {
  if (fitsImmediate<ADDI>(number))
    return emit<ADDI>(lhs, number);
  return emit<ADD>(lhs, constant(number));
}

Value Selector::subtract(Value lhs, Value rhs) {
  std::optional<int64_t> number = constantOf(rhs);
  if (number && *number != std::numeric_limits<int64_t>::min())
    return *number == 0 ? use(lhs) : addNumber(use(lhs), -*number);
  return emit<SUB>(use(lhs), use(rhs));
}

Value Selector::multiply(Value lhs, Value rhs) {
  if (constantOf(lhs))
    std::swap(lhs, rhs);
  if (std::optional<int64_t> number = constantOf(rhs))
    return multiplyNumber(use(lhs), *number);
  return emit<MUL>(use(lhs), use(rhs));
}

Value Selector::multiplyNumber(Value lhs, int64_t number) {
  if (number == 1)
    return lhs;
  if (number > 0 && llvm::isPowerOf2_64(number))
    return emit<SHLI>(lhs, int64_t(llvm::Log2_64(number)));
  if (fitsImmediate<MULI>(number))
    return emit<MULI>(lhs, number);
  return emit<MUL>(lhs, constant(number));
}

Value Selector::logicalNot(Value bit) { return emit<SLTI>(bit, 1); }

/// x ^ true = !x; there is no other immediate form.
Value Selector::exclusiveOr(arith::XOrIOp op) {
  if (op.getType().isInteger(1) && constantOf(op.getRhs()) == 1)
    return logicalNot(use(op.getLhs()));
  return emit<XOR>(use(op.getLhs()), use(op.getRhs()));
}

//===-- Division ----------------------------------------------------------===//
/// x / 2^n = (x + ((x >> 63) >>> (64 - n))) >> n, and x >> n for x >= 0.
Value Selector::divide(Value lhs, Value rhs) {
  std::optional<int64_t> exponent = exponentOf(rhs);
  if (!exponent)
    return emit<DIV>(use(lhs), use(rhs));
  Value x = use(lhs);
  if (*exponent == 0)
    return x;
  if (!ranges.isNonNegative(lhs))
    x = emit<ADD>(x, emit<SHRI>(emit<SARI>(x, 63), 64 - *exponent));
  return emit<SARI>(x, *exponent);
}

/// x rem 2^n = x & (2^n - 1) for x >= 0.
Value Selector::remainder(Value lhs, Value rhs) {
  std::optional<int64_t> exponent = exponentOf(rhs);
  if (!exponent || !ranges.isNonNegative(lhs))
    return emit<REM>(use(lhs), use(rhs));
  int64_t mask = *constantOf(rhs) - 1;
  if (fitsImmediate<ANDI>(mask))
    return emit<ANDI>(use(lhs), mask);
  return emit<AND>(use(lhs), constant(mask));
}

/// floor(x / 2^n) = x >> n. For y > 0: x / y + (x rem y >> 63). Else, with
/// r = x rem y: x / y - (r != 0 and r ^ y < 0).
Value Selector::floorDivide(Value lhs, Value rhs) {
  if (std::optional<int64_t> exponent = exponentOf(rhs))
    return emit<SARI>(use(lhs), *exponent);
  if (ranges.isNonNegative(lhs) && ranges.of(rhs).low > 0)
    return divide(lhs, rhs);
  Value x = use(lhs), y = use(rhs);
  Value quotient = emit<DIV>(x, y), rest = emit<REM>(x, y);
  if (ranges.of(rhs).low > 0)
    return emit<ADD>(quotient, emit<SARI>(rest, 63));
  Value differ = emit<SLT>(emit<XOR>(rest, y), zero());
  return emit<SUB>(quotient, emit<AND>(differ, emit<SLTU>(zero(), rest)));
}

/// ceil(x / 2^n) = -(-x >> n). For y > 0: x / y + (0 < x rem y). Else, with
/// r = x rem y: x / y + (r != 0 and not r ^ y < 0).
Value Selector::ceilDivide(Value lhs, Value rhs) {
  if (std::optional<int64_t> exponent = exponentOf(rhs)) {
    Value negated = emit<SUB>(zero(), use(lhs));
    return emit<SUB>(zero(), emit<SARI>(negated, *exponent));
  }
  Value x = use(lhs), y = use(rhs);
  Value quotient = emit<DIV>(x, y), rest = emit<REM>(x, y);
  if (ranges.of(rhs).low > 0)
    return emit<ADD>(quotient, emit<SLT>(zero(), rest));
  Value agree = logicalNot(emit<SLT>(emit<XOR>(rest, y), zero()));
  return emit<ADD>(quotient, emit<AND>(agree, emit<SLTU>(zero(), rest)));
}

//===-- Comparison and choice ---------------------------------------------===//
/// a < c is immediate, and c < b is not b < c + 1.
Value Selector::lessThan(Value lhs, Value rhs) {
  if (std::optional<int64_t> number = constantOf(rhs); number && fitsImmediate<SLTI>(*number))
    return emit<SLTI>(use(lhs), *number);
  if (std::optional<int64_t> number = constantOf(lhs);
      number && *number != 0 && fitsImmediate<SLTI>(*number + 1))
    return logicalNot(emit<SLTI>(use(rhs), *number + 1));
  return emit<SLT>(use(lhs), use(rhs));
}

/// a == b is not 0 <u a ^ b; the other orders follow from less than.
Value Selector::compare(arith::CmpIOp op) {
  Value lhs = op.getLhs(), rhs = op.getRhs();
  auto differ = [&] {
    Value a = use(lhs), b = use(rhs);
    return emit<SLTU>(zero(), b == zero() ? a : emit<XOR>(a, b));
  };
  switch (op.getPredicate()) {
  case arith::CmpIPredicate::eq:
    return logicalNot(differ());
  case arith::CmpIPredicate::ne:
    return differ();
  case arith::CmpIPredicate::slt:
    return lessThan(lhs, rhs);
  case arith::CmpIPredicate::sgt:
    return lessThan(rhs, lhs);
  case arith::CmpIPredicate::sge:
    return logicalNot(lessThan(lhs, rhs));
  case arith::CmpIPredicate::sle:
    return logicalNot(lessThan(rhs, lhs));
  case arith::CmpIPredicate::ult:
    return emit<SLTU>(use(lhs), use(rhs));
  case arith::CmpIPredicate::ugt:
    return emit<SLTU>(use(rhs), use(lhs));
  case arith::CmpIPredicate::uge:
    return logicalNot(emit<SLTU>(use(lhs), use(rhs)));
  case arith::CmpIPredicate::ule:
    return logicalNot(emit<SLTU>(use(rhs), use(lhs)));
  }
  llvm_unreachable("all predicates of arith.cmpi are above");
}

/// With the bit b as a mask m = -b: b ? y : n = n ^ ((y ^ n) & m); y & m if n
/// is 0, n & (b - 1) if y is 0, n + b * (y - n) for constants.
Value Selector::choose(arith::SelectOp op) {
  Value yes = op.getTrueValue(), no = op.getFalseValue();
  Value bit = use(op.getCondition());
  if (llvm::isa<VectorRegType>(op.getType()))
    return chooseVector(bit, use(yes), use(no));
  std::optional<int64_t> first = constantOf(yes), second = constantOf(no);
  int64_t difference;
  if (first && second && !llvm::SubOverflow(*first, *second, difference)) {
    Value scaled = multiplyNumber(bit, difference);
    return *second == 0 ? scaled : addNumber(scaled, *second);
  }
  if (first == 0)
    return emit<AND>(use(no), emit<ADDI>(bit, -1));
  Value mask = emit<SUB>(zero(), bit);
  if (second == 0)
    return emit<AND>(use(yes), mask);
  Value n = use(no), change = emit<XOR>(use(yes), n);
  return emit<XOR>(n, emit<AND>(change, mask));
}

Value Selector::chooseVector(Value bit, Value yes, Value no) {
  Value mask = VSPLAT::create(builder, loc, emit<SUB>(zero(), bit));
  return VSEL::create(builder, loc, mask, yes, no);
}

} // namespace dojo::d1

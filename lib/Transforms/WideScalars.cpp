//===- WideScalars.cpp - 64-bit scalars as two of 32 bits -----------------===//
#include "WideScalars.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dojo::wide;
using P = arith::CmpIPredicate;

static bool isWide(Value value) { return value.getType().isSignlessInteger(64); }

Value BodySplitter::word(int64_t value) {
  return arith::ConstantOp::create(b, b.getI32IntegerAttr(int32_t(value)));
}

Halves BodySplitter::pair(Value value) {
  IntegerAttr constant;
  if (!pairs.contains(value) && matchPattern(value, m_Constant(&constant))) {
    int64_t bits = constant.getValue().getSExtValue();
    return {word(bits), word(bits >> 32)};
  }
  return pairs.lookup(value);
}

void BodySplitter::append(Value value, SmallVectorImpl<Value> &values) {
  if (!isWide(value))
    return values.push_back(single.lookupOrDefault(value));
  Halves halves = pair(value);
  values.append({halves.low, halves.high});
}

/// The carry out of the low words is whether their sum wraps.
Halves BodySplitter::add(Halves x, Halves y) {
  Value low = make<arith::AddIOp>(x.low, y.low);
  Value carry = bit(less(low, x.low));
  return {low, make<arith::AddIOp>(make<arith::AddIOp>(x.high, y.high), carry)};
}

Halves BodySplitter::subtract(Halves x, Halves y) {
  Value borrow = bit(less(x.low, y.low));
  return {make<arith::SubIOp>(x.low, y.low),
          make<arith::SubIOp>(make<arith::SubIOp>(x.high, y.high), borrow)};
}

/// The low words multiplied by halves of 16 bits, and the two mixed products.
Halves BodySplitter::multiply(Halves x, Halves y) {
  Value mask = word(0xffff), sixteen = word(16);
  auto lower = [&](Value v) { return make<arith::AndIOp>(v, mask); };
  auto upper = [&](Value v) { return make<arith::ShRUIOp>(v, sixteen); };
  auto sum = [&](Value u, Value v) { return make<arith::AddIOp>(u, v); };
  auto times = [&](Value u, Value v) { return make<arith::MulIOp>(u, v); };
  Value xl = lower(x.low), xh = upper(x.low), yl = lower(y.low), yh = upper(y.low);
  Value cross = times(xl, yh), other = times(xh, yl);
  Value middle = sum(upper(times(xl, yl)), sum(lower(cross), lower(other)));
  Value carried = sum(times(xh, yh), sum(sum(upper(cross), upper(other)), upper(middle)));
  Value mixed = sum(times(x.low, y.high), times(x.high, y.low));
  return {times(x.low, y.low), sum(carried, mixed)};
}

/// Shifts by 0 to 63; no word is shifted by 32 or more.
Halves BodySplitter::shiftLeft(Halves x, Halves y) {
  Value by = make<arith::AndIOp>(y.low, word(31)), rest = make<arith::SubIOp>(word(31), by);
  Value large = compare(P::ne, make<arith::AndIOp>(y.low, word(32)), word(0));
  Value low = make<arith::ShLIOp>(x.low, by);
  Value carried = make<arith::ShRUIOp>(make<arith::ShRUIOp>(x.low, word(1)), rest);
  Value high = make<arith::OrIOp>(make<arith::ShLIOp>(x.high, by), carried);
  return {choose(large, word(0), low), choose(large, low, high)};
}

Halves BodySplitter::shiftRight(Halves x, Halves y, bool isSigned) {
  Value by = make<arith::AndIOp>(y.low, word(31)), rest = make<arith::SubIOp>(word(31), by);
  Value large = compare(P::ne, make<arith::AndIOp>(y.low, word(32)), word(0));
  Value high = isSigned ? make<arith::ShRSIOp>(x.high, by) : make<arith::ShRUIOp>(x.high, by);
  Value carried = make<arith::ShLIOp>(make<arith::ShLIOp>(x.high, word(1)), rest);
  Value low = make<arith::OrIOp>(make<arith::ShRUIOp>(x.low, by), carried);
  Value above = isSigned ? make<arith::ShRSIOp>(x.high, word(31)) : word(0);
  return {choose(large, high, low), choose(large, above, high)};
}

Value BodySplitter::compare(P predicate, Halves x, Halves y) {
  Value equal = compare(P::eq, x.high, y.high);
  if (predicate == P::eq || predicate == P::ne) {
    Value both = make<arith::AndIOp>(equal, compare(P::eq, x.low, y.low));
    return predicate == P::eq
               ? both
               : make<arith::XOrIOp>(both, arith::ConstantOp::create(b, b.getBoolAttr(true)));
  }
  P low = predicate == P::slt || predicate == P::ult   ? P::ult
          : predicate == P::sle || predicate == P::ule ? P::ule
          : predicate == P::sgt || predicate == P::ugt ? P::ugt
                                                       : P::uge;
  return choose(equal, compare(low, x.low, y.low), compare(predicate, x.high, y.high));
}

/// high * 2^32 + low of the magnitude, whose words do not cancel, then the sign.
Value BodySplitter::toFloat(Halves x, bool isSigned, Type type) {
  Value negative = isSigned ? compare(P::slt, x.high, word(0)) : Value();
  if (isSigned)
    x = choose(negative, subtract({word(0), word(0)}, x), x);
  Value high = arith::UIToFPOp::create(b, b.getF32Type(), x.high);
  Value low = arith::UIToFPOp::create(b, b.getF32Type(), x.low);
  Value scale = arith::ConstantOp::create(b, b.getF32FloatAttr(4294967296.0f));
  Value sum = math::FmaOp::create(b, high, scale, low);
  if (isSigned)
    sum = choose(negative, arith::NegFOp::create(b, sum), sum);
  return type.isF32() ? sum : arith::TruncFOp::create(b, type, sum).getResult();
}

/// high = floor(x / 2^32), low = x - high * 2^32, both exact.
Halves BodySplitter::fromFloat(Value x, bool isSigned) {
  Type i32 = b.getI32Type();
  auto real = [&](float v) { return arith::ConstantOp::create(b, b.getF32FloatAttr(v)); };
  if (!x.getType().isF32())
    x = arith::ExtFOp::create(b, b.getF32Type(), x);
  Value whole = math::TruncOp::create(b, x);
  Value floor = math::FloorOp::create(b, make<arith::MulFOp>(whole, real(1.0f / 4294967296.0f)));
  Value rest = math::FmaOp::create(b, floor, real(-4294967296.0f), whole);
  Value high = isSigned ? arith::FPToSIOp::create(b, i32, floor).getResult()
                        : arith::FPToUIOp::create(b, i32, floor).getResult();
  return {arith::FPToUIOp::create(b, i32, rest), high};
}

Halves BodySplitter::wideResult(Operation *op) {
  auto x = [&](unsigned i = 0) { return pair(op->getOperand(i)); };
  auto narrow = [&] { return single.lookupOrDefault(op->getOperand(0)); };
  auto each = [&](auto combine) -> Halves {
    Halves u = x(0), v = x(1);
    return {combine(u.low, v.low), combine(u.high, v.high)};
  };
  auto extreme = [&](P predicate) { return choose(compare(predicate, x(0), x(1)), x(0), x(1)); };
  auto extended = [&](bool isSigned) -> Halves {
    Value value = narrow(), low = value;
    Type i32 = b.getI32Type();
    if (value.getType() != i32)
      low = isSigned ? arith::ExtSIOp::create(b, i32, value).getResult()
                     : arith::ExtUIOp::create(b, i32, value).getResult();
    return {low, isSigned ? make<arith::ShRSIOp>(low, word(31)) : word(0)};
  };
  return TypeSwitch<Operation *, Halves>(op)
      .Case([&](arith::AddIOp) { return add(x(0), x(1)); })
      .Case([&](arith::SubIOp) { return subtract(x(0), x(1)); })
      .Case([&](arith::MulIOp) { return multiply(x(0), x(1)); })
      .Case([&](arith::AndIOp) {
        return each([&](Value u, Value v) { return make<arith::AndIOp>(u, v); });
      })
      .Case([&](arith::OrIOp) {
        return each([&](Value u, Value v) { return make<arith::OrIOp>(u, v); });
      })
      .Case([&](arith::XOrIOp) {
        return each([&](Value u, Value v) { return make<arith::XOrIOp>(u, v); });
      })
      .Case([&](arith::ShLIOp) { return shiftLeft(x(0), x(1)); })
      .Case([&](arith::ShRUIOp) { return shiftRight(x(0), x(1), false); })
      .Case([&](arith::ShRSIOp) { return shiftRight(x(0), x(1), true); })
      .Case([&](arith::MinSIOp) { return extreme(P::slt); })
      .Case([&](arith::MaxSIOp) { return extreme(P::sgt); })
      .Case([&](arith::MinUIOp) { return extreme(P::ult); })
      .Case([&](arith::MaxUIOp) { return extreme(P::ugt); })
      .Case([&](arith::SelectOp) {
        return choose(single.lookupOrDefault(op->getOperand(0)), x(1), x(2));
      })
      .Case([&](arith::ExtSIOp) { return extended(true); })
      .Case([&](arith::ExtUIOp) { return extended(false); })
      .Case([&](arith::FPToSIOp) { return fromFloat(narrow(), true); })
      .Case([&](arith::FPToUIOp) { return fromFloat(narrow(), false); })
      .Case([&](arith::IndexCastOp) -> Halves {
        Value low = arith::IndexCastOp::create(b, b.getI32Type(), narrow());
        return {low, word(0)};
      })
      .Default([](Operation *) { return Halves{}; });
}

Value BodySplitter::narrowResult(Operation *op) {
  Type type = op->getResult(0).getType();
  auto x = [&](unsigned i = 0) { return pair(op->getOperand(i)); };
  return TypeSwitch<Operation *, Value>(op)
      .Case([&](arith::CmpIOp cmp) { return compare(cmp.getPredicate(), x(0), x(1)); })
      .Case([&](arith::TruncIOp) -> Value {
        return type.isInteger(32) ? x().low : arith::TruncIOp::create(b, type, x().low).getResult();
      })
      .Case(
          [&](arith::IndexCastOp) -> Value { return arith::IndexCastOp::create(b, type, x().low); })
      .Case([&](arith::SIToFPOp) { return toFloat(x(), true, type); })
      .Case([&](arith::UIToFPOp) { return toFloat(x(), false, type); })
      .Default([](Operation *) { return Value(); });
}

LogicalResult BodySplitter::split(Operation *op) {
  if (llvm::none_of(op->getOperands(), isWide) && llvm::none_of(op->getResults(), isWide)) {
    b.clone(*op, single);
    return success();
  }
  b.setLoc(op->getLoc());
  if (isa<arith::ConstantOp>(op))
    return success();
  if (op->getNumResults() == 1 && isWide(op->getResult(0))) {
    Halves halves = wideResult(op);
    if (halves.low) {
      map(op->getResult(0), halves);
      return success();
    }
  } else if (Value value = narrowResult(op)) {
    map(op->getResult(0), value);
    return success();
  }
  return op->emitOpError("on 64-bit integers has no form on halves of 32 bits");
}

/// Quotient and remainder of unsigned numbers, bit by bit from the highest.
static std::pair<Value, Value> divide(ImplicitLocOpBuilder &b, Value n, Value d) {
  Type type = n.getType();
  auto number = [&](int64_t v) {
    return arith::ConstantOp::create(b, b.getIntegerAttr(type, v)).getResult();
  };
  Value quotient = number(0), rest = number(0);
  for (int64_t i = type.getIntOrFloatBitWidth() - 1; i >= 0; --i) {
    Value digit = arith::AndIOp::create(b, arith::ShRUIOp::create(b, n, number(i)), number(1));
    rest = arith::OrIOp::create(b, arith::ShLIOp::create(b, rest, number(1)), digit);
    Value fits = arith::CmpIOp::create(b, P::uge, rest, d);
    rest = arith::SelectOp::create(b, fits, arith::SubIOp::create(b, rest, d), rest);
    Value taken = arith::OrIOp::create(b, quotient, number(int64_t(uint64_t(1) << i)));
    quotient = arith::SelectOp::create(b, fits, taken, quotient);
  }
  return {quotient, rest};
}

void dojo::wide::expandDivision(Operation *op) {
  ImplicitLocOpBuilder b(op->getLoc(), op);
  bool isSigned = isa<arith::DivSIOp, arith::RemSIOp>(op);
  Type type = op->getResult(0).getType();
  Type wide = type.getIntOrFloatBitWidth() < 32 ? Type(b.getI32Type()) : type;
  auto widened = [&](Value v) -> Value {
    if (wide == type)
      return v;
    return isSigned ? arith::ExtSIOp::create(b, wide, v).getResult()
                    : arith::ExtUIOp::create(b, wide, v).getResult();
  };
  Value zero = arith::ConstantOp::create(b, b.getIntegerAttr(wide, 0));
  auto negative = [&](Value v) -> Value { return arith::CmpIOp::create(b, P::slt, v, zero); };
  auto negatedIf = [&](Value condition, Value v) -> Value {
    return arith::SelectOp::create(b, condition, arith::SubIOp::create(b, zero, v), v);
  };
  Value n = widened(op->getOperand(0)), d = widened(op->getOperand(1)), result;
  bool quotient = isa<arith::DivSIOp, arith::DivUIOp>(op);
  if (isSigned) {
    Value nSign = negative(n), dSign = negative(d);
    auto [q, r] = divide(b, negatedIf(nSign, n), negatedIf(dSign, d));
    result = quotient ? negatedIf(arith::XOrIOp::create(b, nSign, dSign), q) : negatedIf(nSign, r);
  } else {
    auto [q, r] = divide(b, n, d);
    result = quotient ? q : r;
  }
  if (wide != type)
    result = arith::TruncIOp::create(b, type, result);
  op->getResult(0).replaceAllUsesWith(result);
  op->erase();
}

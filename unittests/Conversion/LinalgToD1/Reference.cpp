//===- Reference.cpp - structured operations, plainly ---------------------===//
#include "Reference.h"
#include "RoutineInterpreter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace dojo::testing;

int64_t dojo::testing::elementSize(Type type) {
  return type.isInteger(1) ? 1 : type.getIntOrFloatBitWidth() / 8;
}

Scalar dojo::testing::readElement(Type type, const uint8_t *from) {
  uint32_t bits = 0;
  std::memcpy(&bits, from, elementSize(type));
  if (type.isF32())
    return {llvm::bit_cast<float>(bits), 0};
  if (type.isBF16())
    return {widenBF16(bits), 0};
  if (type.isInteger(1))
    return {0, bits ? -1 : 0};
  return {0, llvm::SignExtend64(bits, type.getIntOrFloatBitWidth())};
}

void dojo::testing::writeElement(Type type, Scalar value, uint8_t *to) {
  uint32_t bits = uint32_t(value.i);
  if (type.isF32())
    bits = llvm::bit_cast<uint32_t>(float(value.f));
  else if (type.isBF16())
    bits = roundToBF16(float(value.f));
  else if (type.isInteger(1))
    bits &= 1;
  std::memcpy(to, &bits, elementSize(type));
}

/// A number as its type holds it.
static Scalar held(Type type, Scalar value) {
  if (type.isF32())
    return {float(value.f), 0};
  if (type.isBF16())
    return {widenBF16(roundToBF16(float(value.f))), 0};
  unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  return {0, int64_t(uint64_t(value.i) << (64 - width)) >> (64 - width)};
}

static uint64_t unsignedOf(Type type, int64_t value) {
  unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  return width == 64 ? uint64_t(value) : uint64_t(value) & ((uint64_t(1) << width) - 1);
}

static bool compare(arith::CmpFPredicate predicate, double a, double b) {
  using P = arith::CmpFPredicate;
  bool unordered = std::isnan(a) || std::isnan(b);
  switch (predicate) {
  case P::AlwaysFalse:
    return false;
  case P::OEQ:
    return a == b;
  case P::OGT:
    return a > b;
  case P::OGE:
    return a >= b;
  case P::OLT:
    return a < b;
  case P::OLE:
    return a <= b;
  case P::ONE:
    return a < b || a > b;
  case P::ORD:
    return !unordered;
  case P::UEQ:
    return unordered || a == b;
  case P::UGT:
    return unordered || a > b;
  case P::UGE:
    return unordered || a >= b;
  case P::ULT:
    return unordered || a < b;
  case P::ULE:
    return unordered || a <= b;
  case P::UNE:
    return a != b;
  case P::UNO:
    return unordered;
  case P::AlwaysTrue:
    return true;
  }
  return false;
}

static bool compare(arith::CmpIPredicate predicate, Type type, int64_t a, int64_t b) {
  using P = arith::CmpIPredicate;
  uint64_t ua = unsignedOf(type, a), ub = unsignedOf(type, b);
  switch (predicate) {
  case P::eq:
    return a == b;
  case P::ne:
    return a != b;
  case P::slt:
    return a < b;
  case P::sle:
    return a <= b;
  case P::sgt:
    return a > b;
  case P::sge:
    return a >= b;
  case P::ult:
    return ua < ub;
  case P::ule:
    return ua <= ub;
  case P::ugt:
    return ua > ub;
  case P::uge:
    return ua >= ub;
  }
  return false;
}

static double smaller(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return NAN;
  return a == b ? (std::signbit(a) ? a : b) : std::min(a, b);
}
static double larger(double a, double b) { return -smaller(-a, -b); }

/// One operation of a body, before its result is rounded to its type.
static std::optional<Scalar> compute(Operation *op, ArrayRef<Scalar> in) {
  using Result = std::optional<Scalar>;
  Type from = op->getNumOperands() ? op->getOperand(0).getType() : Type();
  Type to = op->getResult(0).getType();
  auto f = [&](unsigned i) { return in[i].f; };
  auto i = [&](unsigned k) { return in[k].i; };
  auto u = [&](unsigned k) { return int64_t(unsignedOf(from, in[k].i)); };
  auto real = [](double x) { return Result({x, 0}); };
  auto whole = [](int64_t x) { return Result({0, x}); };
  return TypeSwitch<Operation *, Result>(op)
      .Case([&](arith::AddFOp) { return real(f(0) + f(1)); })
      .Case([&](arith::SubFOp) { return real(f(0) - f(1)); })
      .Case([&](arith::MulFOp) { return real(f(0) * f(1)); })
      .Case([&](arith::DivFOp) { return real(f(0) / f(1)); })
      .Case([&](arith::NegFOp) { return real(-f(0)); })
      .Case([&](arith::MaximumFOp) { return real(larger(f(0), f(1))); })
      .Case([&](arith::MinimumFOp) { return real(smaller(f(0), f(1))); })
      .Case([&](arith::MaxNumFOp) {
        return real(std::isnan(f(0)) ? f(1) : std::isnan(f(1)) ? f(0) : larger(f(0), f(1)));
      })
      .Case([&](arith::MinNumFOp) {
        return real(std::isnan(f(0)) ? f(1) : std::isnan(f(1)) ? f(0) : smaller(f(0), f(1)));
      })
      .Case([&](math::FmaOp) { return real(std::fma(float(f(0)), float(f(1)), float(f(2)))); })
      .Case([&](math::SqrtOp) { return real(std::sqrt(f(0))); })
      .Case([&](math::AbsFOp) { return real(std::fabs(f(0))); })
      .Case([&](math::CopySignOp) { return real(std::copysign(f(0), f(1))); })
      .Case([&](math::FloorOp) { return real(std::floor(f(0))); })
      .Case([&](math::CeilOp) { return real(std::ceil(f(0))); })
      .Case([&](math::RoundEvenOp) { return real(std::nearbyint(f(0))); })
      .Case([&](math::TruncOp) { return real(std::trunc(f(0))); })
      .Case([&](math::AbsIOp) { return whole(std::abs(i(0))); })
      .Case([&](arith::CmpFOp cmp) { return whole(-compare(cmp.getPredicate(), f(0), f(1))); })
      .Case(
          [&](arith::CmpIOp cmp) { return whole(-compare(cmp.getPredicate(), from, i(0), i(1))); })
      .Case([&](arith::SelectOp) { return in[i(0) ? 1 : 2]; })
      .Case<arith::ExtFOp, arith::TruncFOp, arith::ExtSIOp, arith::TruncIOp, arith::IndexCastOp>(
          [&](auto) { return in[0]; })
      .Case<arith::ExtUIOp, arith::IndexCastUIOp>([&](auto) { return whole(u(0)); })
      .Case([&](arith::BitcastOp) {
        return to.isF32() ? real(llvm::bit_cast<float>(uint32_t(i(0))))
                          : whole(llvm::bit_cast<int32_t>(float(f(0))));
      })
      .Case([&](arith::SIToFPOp) { return real(i(0)); })
      .Case([&](arith::UIToFPOp) { return real(u(0)); })
      .Case([&](arith::FPToSIOp) { return whole(f(0)); })
      .Case([&](arith::FPToUIOp) { return whole(f(0)); })
      .Case([&](arith::AddIOp) { return whole(i(0) + i(1)); })
      .Case([&](arith::SubIOp) { return whole(i(0) - i(1)); })
      .Case([&](arith::MulIOp) { return whole(i(0) * i(1)); })
      .Case([&](arith::AndIOp) { return whole(i(0) & i(1)); })
      .Case([&](arith::OrIOp) { return whole(i(0) | i(1)); })
      .Case([&](arith::XOrIOp) { return whole(i(0) ^ i(1)); })
      .Case([&](arith::ShLIOp) { return whole(i(0) << i(1)); })
      .Case([&](arith::ShRSIOp) { return whole(i(0) >> i(1)); })
      .Case([&](arith::ShRUIOp) { return whole(u(0) >> i(1)); })
      .Case([&](arith::MinSIOp) { return whole(std::min(i(0), i(1))); })
      .Case([&](arith::MaxSIOp) { return whole(std::max(i(0), i(1))); })
      .Case([&](arith::MinUIOp) { return whole(std::min(u(0), u(1))); })
      .Case([&](arith::MaxUIOp) { return whole(std::max(u(0), u(1))); })
      .Default([](Operation *) { return std::nullopt; });
}

namespace {

class Evaluator {
public:
  Evaluator(linalg::LinalgOp op, const DenseMap<Value, int64_t> &buffers,
            MutableArrayRef<uint8_t> memory)
      : op(op), buffers(buffers), memory(memory), extents(op.getStaticLoopRanges()),
        point(extents.size(), 0) {}

  std::string run() {
    bool more = llvm::all_of(extents, [](int64_t extent) { return extent > 0; });
    for (; more && unknown.empty(); more = advance())
      runPoint();
    return unknown;
  }

private:
  bool advance() {
    for (unsigned j = point.size(); j-- > 0;) {
      if (++point[j] < extents[j])
        return true;
      point[j] = 0;
    }
    return false;
  }

  uint8_t *element(OpOperand &operand) {
    auto type = cast<MemRefType>(operand.get().getType());
    auto [strides, offset] = type.getStridesAndOffset();
    int64_t at = offset;
    auto index = op.getMatchingIndexingMap(&operand).compose(point);
    for (auto [place, stride] : llvm::zip_equal(index, strides))
      at += place * stride;
    return memory.data() + buffers.lookup(operand.get()) + at * elementSize(type.getElementType());
  }

  Scalar constant(Value value) {
    TypedAttr attribute;
    matchPattern(value, m_Constant(&attribute));
    if (auto real = dyn_cast<FloatAttr>(attribute))
      return {real.getValueAsDouble(), 0};
    return {0, cast<IntegerAttr>(attribute).getValue().getSExtValue()};
  }

  Scalar valueOf(Value value) {
    auto known = values.find(value);
    return known == values.end() ? constant(value) : known->second;
  }

  void runPoint() {
    for (OpOperand &operand : op->getOpOperands())
      values[op.getMatchingBlockArgument(&operand)] =
          isa<MemRefType>(operand.get().getType())
              ? readElement(getElementTypeOrSelf(operand.get().getType()), element(operand))
              : constant(operand.get());
    for (Operation &inner : op.getBlock()->without_terminator())
      runInner(&inner);
    for (OpOperand &out : op.getDpsInitsMutable())
      writeElement(getElementTypeOrSelf(out.get().getType()),
                   valueOf(op.getMatchingYieldValue(&out)->get()), element(out));
  }

  void runInner(Operation *inner) {
    if (inner->hasTrait<OpTrait::ConstantLike>())
      return;
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      values[index] = {0, point[index.getDim()]};
      return;
    }
    SmallVector<Scalar> in;
    for (Value operand : inner->getOperands())
      in.push_back(valueOf(operand));
    auto result = compute(inner, in);
    if (result)
      values[inner->getResult(0)] = held(inner->getResult(0).getType(), *result);
    else
      unknown = inner->getName().getStringRef().str();
  }

  linalg::LinalgOp op;
  const DenseMap<Value, int64_t> &buffers;
  MutableArrayRef<uint8_t> memory;
  SmallVector<int64_t> extents, point;
  DenseMap<Value, Scalar> values;
  std::string unknown;
};

} // namespace

std::string dojo::testing::evaluate(func::FuncOp kernel, ArrayRef<int64_t> arguments,
                                    MutableArrayRef<uint8_t> memory) {
  DenseMap<Value, int64_t> buffers;
  for (auto [value, address] : llvm::zip_equal(kernel.getArguments(), arguments))
    buffers[value] = address;
  for (auto op : kernel.getBody().front().getOps<linalg::LinalgOp>())
    if (std::string unknown = Evaluator(op, buffers, memory).run(); !unknown.empty())
      return unknown;
  return "";
}

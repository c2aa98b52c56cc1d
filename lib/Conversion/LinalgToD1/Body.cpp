//===- Body.cpp - scalar bodies in vector lanes ---------------------------===//
#include "Body.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::kernels;

static constexpr uint32_t signBit = 0x80000000, allOnes = 0xffffffff;

/// How vrnd rounds.
enum Rounding : int64_t { nearestEven = 0, down = 1, up = 2, towardsZero = 3 };

namespace {

/// The lanes of one operation of a body; null where there are none.
class Lanes {
public:
  explicit Lanes(Emitter &e) : e(e) {}

  Value lower(Operation *op, ValueRange in);
  Value roundToBF16(Value x) { return e.make<d1::VUNPKH>(e.make<d1::VPACKH>(x, x), 0); }

private:
  template <typename Op>
  Value two(ValueRange in) {
    return e.make<Op>(in[0], in[1]);
  }
  Value invert(Value mask) { return e.make<d1::VXOR>(mask, e.splat(allOnes)); }
  Value both(Value a, Value b) { return e.make<d1::VAND>(a, b); }
  Value either(Value a, Value b) { return e.make<d1::VOR>(a, b); }
  Value choose(Value mask, Value a, Value b) { return e.make<d1::VSEL>(mask, a, b); }
  Value ordered(Value a) { return e.make<d1::VCEQ>(a, a); }
  Value flipSign(Value a) { return e.make<d1::VXOR>(a, e.splat(signBit)); }

  /// All 32 bits of an integer defined by its type's.
  Value extend(Value x, Type type, bool isSigned);
  /// The mask whose lanes are the low bit of x.
  Value lowBitMask(Value x) { return e.make<d1::VISUB>(e.splat(0u), both(x, e.splat(1u))); }
  Value truncateInteger(Value x, Type type) { return type.isInteger(1) ? lowBitMask(x) : x; }

  Value compareFloat(arith::CmpFPredicate predicate, Value a, Value b);
  Value compareInteger(arith::CmpIPredicate predicate, Type type, Value a, Value b);
  /// a where it is a number, else b; `extreme` is vmin or vmax of both.
  Value preferNumber(Value extreme, Value a, Value b) {
    return choose(ordered(a), choose(ordered(b), extreme, a), b);
  }
  Value floatOfUnsigned(Value x, Type type);
  Value unsignedOfFloat(Value x, Type type);
  Value lowerInteger(Operation *op, ValueRange in);
  Value lowerConversion(Operation *op, ValueRange in);

  Emitter &e;
};

} // namespace

Value Lanes::extend(Value x, Type type, bool isSigned) {
  if (type.isInteger(1))
    return isSigned ? x : both(x, e.splat(1u));
  if (!type.isInteger(8) && !type.isInteger(16))
    return x;
  unsigned bits = type.getIntOrFloatBitWidth();
  if (!isSigned)
    return both(x, e.splat((1u << bits) - 1));
  Value shift = e.splat(32u - bits);
  return e.make<d1::VISAR>(e.make<d1::VISHL>(x, shift), shift);
}

Value Lanes::compareFloat(arith::CmpFPredicate predicate, Value a, Value b) {
  using P = arith::CmpFPredicate;
  auto less = [&](Value x, Value y) { return e.make<d1::VCLT>(x, y); };
  auto lessEqual = [&](Value x, Value y) { return e.make<d1::VCLE>(x, y); };
  auto oneOf = [&] { return either(less(a, b), less(b, a)); };
  auto comparable = [&] { return both(ordered(a), ordered(b)); };
  switch (predicate) {
  case P::AlwaysFalse:
    return e.splat(0u);
  case P::AlwaysTrue:
    return e.splat(allOnes);
  case P::OEQ:
    return e.make<d1::VCEQ>(a, b);
  case P::UNE:
    return invert(e.make<d1::VCEQ>(a, b));
  case P::OLT:
    return less(a, b);
  case P::UGE:
    return invert(less(a, b));
  case P::OLE:
    return lessEqual(a, b);
  case P::UGT:
    return invert(lessEqual(a, b));
  case P::OGT:
    return less(b, a);
  case P::ULE:
    return invert(less(b, a));
  case P::OGE:
    return lessEqual(b, a);
  case P::ULT:
    return invert(lessEqual(b, a));
  case P::ONE:
    return oneOf();
  case P::UEQ:
    return invert(oneOf());
  case P::ORD:
    return comparable();
  case P::UNO:
    return invert(comparable());
  }
  return {};
}

Value Lanes::compareInteger(arith::CmpIPredicate predicate, Type type, Value a, Value b) {
  using P = arith::CmpIPredicate;
  bool isUnsigned =
      predicate == P::ult || predicate == P::ule || predicate == P::ugt || predicate == P::uge;
  a = extend(a, type, !isUnsigned);
  b = extend(b, type, !isUnsigned);
  if (isUnsigned && (type.isInteger(32) || type.isIndex())) {
    a = flipSign(a);
    b = flipSign(b);
  }
  switch (predicate) {
  case P::eq:
    return e.make<d1::VICEQ>(a, b);
  case P::ne:
    return invert(e.make<d1::VICEQ>(a, b));
  case P::slt:
  case P::ult:
    return e.make<d1::VICLT>(a, b);
  case P::sgt:
  case P::ugt:
    return e.make<d1::VICLT>(b, a);
  case P::sle:
  case P::ule:
    return invert(e.make<d1::VICLT>(b, a));
  case P::sge:
  case P::uge:
    return invert(e.make<d1::VICLT>(a, b));
  }
  return {};
}

/// From 2^31 on: half of x, its last bit kept sticky so that rounding is that of x.
Value Lanes::floatOfUnsigned(Value x, Type type) {
  x = extend(x, type, false);
  Value direct = e.make<d1::VCVTF>(x);
  if (!type.isInteger(32))
    return direct;
  Value one = e.splat(1u);
  Value half = either(e.make<d1::VISHR>(x, one), both(x, one));
  Value converted = e.make<d1::VCVTF>(half);
  return choose(e.make<d1::VICLT>(x, e.splat(0u)), e.make<d1::VADD>(converted, converted), direct);
}

Value Lanes::unsignedOfFloat(Value x, Type type) {
  Value direct = e.make<d1::VCVTI>(x);
  if (!type.isInteger(32))
    return direct;
  Value limit = e.splat(2147483648.0f);
  Value above = flipSign(e.make<d1::VCVTI>(e.make<d1::VSUB>(x, limit)));
  return choose(e.make<d1::VCLE>(limit, x), above, direct);
}

Value Lanes::lowerInteger(Operation *op, ValueRange in) {
  Type type = op->getResult(0).getType();
  bool mask = type.isInteger(1);
  auto wide = [&](unsigned i, bool isSigned) { return extend(in[i], type, isSigned); };
  auto flipped = [&](unsigned i) { return flipSign(wide(i, false)); };
  return TypeSwitch<Operation *, Value>(op)
      .Case([&](arith::AddIOp) { return mask ? two<d1::VXOR>(in) : two<d1::VIADD>(in); })
      .Case([&](arith::SubIOp) { return mask ? two<d1::VXOR>(in) : two<d1::VISUB>(in); })
      .Case([&](arith::MulIOp) { return mask ? two<d1::VAND>(in) : two<d1::VIMUL>(in); })
      .Case([&](arith::AndIOp) { return two<d1::VAND>(in); })
      .Case([&](arith::OrIOp) { return two<d1::VOR>(in); })
      .Case([&](arith::XOrIOp) { return two<d1::VXOR>(in); })
      .Case([&](arith::ShLIOp) { return two<d1::VISHL>(in); })
      .Case([&](arith::ShRSIOp) { return e.make<d1::VISAR>(wide(0, true), in[1]); })
      .Case([&](arith::ShRUIOp) { return e.make<d1::VISHR>(wide(0, false), in[1]); })
      .Case([&](arith::MinSIOp) { return e.make<d1::VIMIN>(wide(0, true), wide(1, true)); })
      .Case([&](arith::MaxSIOp) { return e.make<d1::VIMAX>(wide(0, true), wide(1, true)); })
      .Case([&](arith::MinUIOp) { return flipSign(e.make<d1::VIMIN>(flipped(0), flipped(1))); })
      .Case([&](arith::MaxUIOp) { return flipSign(e.make<d1::VIMAX>(flipped(0), flipped(1))); })
      .Case([&](math::AbsIOp) {
        Value x = wide(0, true);
        return e.make<d1::VIMAX>(x, e.make<d1::VISUB>(e.splat(0u), x));
      })
      .Default([](Operation *) { return Value(); });
}

Value Lanes::lowerConversion(Operation *op, ValueRange in) {
  if (op->getNumOperands() != 1)
    return {};
  Type from = op->getOperand(0).getType(), to = op->getResult(0).getType();
  auto bits = [](Type t) { return t.isIndex() ? 32u : t.getIntOrFloatBitWidth(); };
  if (!to.isIntOrIndexOrFloat() || !from.isIntOrIndexOrFloat() || bits(to) > 32 || bits(from) > 32)
    return {};
  return TypeSwitch<Operation *, Value>(op)
      .Case<arith::ExtFOp, arith::TruncFOp>([&](auto) { return in[0]; })
      .Case([&](arith::BitcastOp) { return bits(to) == 32 ? in[0] : Value(); })
      .Case<arith::IndexCastOp, arith::IndexCastUIOp>([&](auto) {
        bool isSigned = llvm::isa<arith::IndexCastOp>(op);
        return bits(from) < bits(to) ? extend(in[0], from, isSigned) : truncateInteger(in[0], to);
      })
      .Case([&](arith::ExtUIOp) { return extend(in[0], from, false); })
      .Case([&](arith::ExtSIOp) { return extend(in[0], from, true); })
      .Case([&](arith::TruncIOp) { return truncateInteger(in[0], to); })
      .Case([&](arith::SIToFPOp) { return e.make<d1::VCVTF>(extend(in[0], from, true)); })
      .Case([&](arith::UIToFPOp) {
        return from.isInteger(1) ? both(in[0], e.splat(1.0f)) : floatOfUnsigned(in[0], from);
      })
      .Case([&](arith::FPToSIOp) { return truncateInteger(e.make<d1::VCVTI>(in[0]), to); })
      .Case([&](arith::FPToUIOp) { return truncateInteger(unsignedOfFloat(in[0], to), to); })
      .Default([](Operation *) { return Value(); });
}

Value Lanes::lower(Operation *op, ValueRange in) {
  auto round = [&](Rounding mode) { return e.make<d1::VRND>(in[0], mode); };
  return TypeSwitch<Operation *, Value>(op)
      .Case([&](arith::AddFOp) { return two<d1::VADD>(in); })
      .Case([&](arith::SubFOp) { return two<d1::VSUB>(in); })
      .Case([&](arith::MulFOp) { return two<d1::VMUL>(in); })
      .Case([&](arith::DivFOp) { return two<d1::VDIV>(in); })
      .Case([&](arith::NegFOp) { return flipSign(in[0]); })
      .Case([&](arith::MaximumFOp) { return two<d1::VMAX>(in); })
      .Case([&](arith::MinimumFOp) { return two<d1::VMIN>(in); })
      .Case([&](arith::MaxNumFOp) { return preferNumber(two<d1::VMAX>(in), in[0], in[1]); })
      .Case([&](arith::MinNumFOp) { return preferNumber(two<d1::VMIN>(in), in[0], in[1]); })
      .Case([&](math::FmaOp) { return e.make<d1::VFMA>(in[0], in[1], in[2]); })
      .Case([&](math::SqrtOp) { return e.make<d1::VSQRT>(in[0]); })
      .Case([&](math::AbsFOp) { return both(in[0], e.splat(~signBit)); })
      .Case([&](math::CopySignOp) { return choose(e.splat(signBit), in[1], in[0]); })
      .Case([&](math::FloorOp) { return round(down); })
      .Case([&](math::CeilOp) { return round(up); })
      .Case([&](math::RoundEvenOp) { return round(nearestEven); })
      .Case([&](math::TruncOp) { return round(towardsZero); })
      .Case([&](arith::CmpFOp cmp) { return compareFloat(cmp.getPredicate(), in[0], in[1]); })
      .Case([&](arith::CmpIOp cmp) {
        return compareInteger(cmp.getPredicate(), cmp.getLhs().getType(), in[0], in[1]);
      })
      .Case([&](arith::SelectOp) { return choose(in[0], in[1], in[2]); })
      .Default([&](Operation *) {
        Value lanes = lowerConversion(op, in);
        return lanes ? lanes : lowerInteger(op, in);
      });
}

//===----------------------------------------------------------------------===//
// Whole bodies
//===----------------------------------------------------------------------===//

Value kernels::emitOperation(Emitter &emitter, Operation *op, ValueRange in) {
  return Lanes(emitter).lower(op, in);
}

Value kernels::emitConstant(Emitter &emitter, TypedAttr value) {
  if (auto real = dyn_cast<FloatAttr>(value)) {
    APFloat number = real.getValue();
    bool exact;
    number.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &exact);
    return emitter.splat(uint32_t(number.bitcastToAPInt().getZExtValue()));
  }
  APInt bits = cast<IntegerAttr>(value).getValue();
  return emitter.splat(uint32_t(bits.sextOrTrunc(32).getZExtValue()));
}

/// Whether `type`, or the type behind it, fits a lane.
static bool hasLanes(Type type) {
  return type.isF32() || type.isBF16() || type.isIndex() || type.isInteger(32) ||
         type.isInteger(16) || type.isInteger(8) || type.isInteger(1);
}

/// Arithmetic on bf16 is done on f32 and rounded, unless the store will do that.
static bool needsRounding(const Nest &nest, Operation *op) {
  Value result = op->getResult(0);
  bool computes =
      llvm::isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::TruncFOp,
                arith::SIToFPOp, arith::UIToFPOp, math::FmaOp, math::SqrtOp>(op);
  bool onlyStored = !nest.hasReduction() && llvm::all_of(result.getUsers(), [](Operation *user) {
    return user->hasTrait<OpTrait::IsTerminator>();
  });
  return computes && result.getType().isBF16() && !onlyStored;
}

namespace {

/// The lanes of every value of the body, for each point.
class BodyEmission {
public:
  BodyEmission(Emitter &emitter, const Nest &nest, unsigned points, const BodyInputs &inputs)
      : e(emitter), lanes(emitter), nest(nest), points(points), inputs(inputs),
        fused(isContractionToF32(nest)) {}

  FailureOr<SmallVector<Values>> run() {
    for (Operation &op : nest.body().without_terminator())
      if (failed(emit(&op)))
        return failure();
    SmallVector<Values> results;
    for (unsigned o = 0; o < nest.outputs().size(); ++o) {
      results.emplace_back();
      for (unsigned p = 0; p < points; ++p)
        results.back().push_back(valueOf(nest.yielded(o), p));
    }
    return results;
  }

private:
  Value valueOf(Value value, unsigned p) {
    TypedAttr constant;
    if (matchPattern(value, m_Constant(&constant)))
      return emitConstant(e, constant);
    auto argument = dyn_cast<BlockArgument>(value);
    return argument ? inputs.argument(argument, p) : known[value][p];
  }

  LogicalResult emit(Operation *op);
  Value emitPoint(Operation *op, ValueRange in, unsigned p);

  Emitter &e;
  Lanes lanes;
  const Nest &nest;
  unsigned points;
  const BodyInputs &inputs;
  bool fused; ///< the body is one multiply-add, rounded once
  DenseMap<Value, Values> known;
};

} // namespace

Value BodyEmission::emitPoint(Operation *op, ValueRange in, unsigned p) {
  if (auto index = dyn_cast<linalg::IndexOp>(op))
    return inputs.index(index.getDim(), p);
  if (fused && llvm::isa<arith::AddFOp>(op)) {
    bool left = op->getOperand(0).getDefiningOp<arith::MulFOp>() != nullptr;
    Operation *mul = op->getOperand(left ? 0 : 1).getDefiningOp();
    auto factor = [&](unsigned i) { return valueOf(mul->getOperand(i), p); };
    return e.make<d1::VFMA>(factor(0), factor(1), in[left ? 1 : 0]);
  }
  Value value = lanes.lower(op, in);
  return value && needsRounding(nest, op) ? lanes.roundToBF16(value) : value;
}

LogicalResult BodyEmission::emit(Operation *op) {
  if (op->hasTrait<OpTrait::ConstantLike>() || (fused && llvm::isa<arith::MulFOp>(op)))
    return success();
  auto unsupported = [&](const Twine &why) {
    return op->emitOpError() << "in the body of a kernel " << why;
  };
  for (Type type : llvm::concat<Type>(SmallVector<Type>(op->getOperandTypes()),
                                      SmallVector<Type>(op->getResultTypes())))
    if (!hasLanes(type))
      return op->emitOpError() << "in the body of a kernel has type " << type
                               << ", which has no lanes; use f32, bf16, i32, i16, i8 or i1";
  if (op->getNumResults() != 1)
    return unsupported("has no lane instructions; expand it into arith operations");
  Values &results = known[op->getResult(0)];
  SmallVector<Values> operands;
  for (unsigned p = 0; p < points; ++p) {
    Values in;
    for (Value operand : op->getOperands())
      in.push_back(fused && operand.getDefiningOp<arith::MulFOp>() ? Value() : valueOf(operand, p));
    auto same = llvm::find(operands, in);
    bool repeated =
        same != operands.end() && !in.empty() && llvm::all_of(in, [](Value v) { return v; });
    Value result = repeated ? results[same - operands.begin()] : emitPoint(op, in, p);
    if (!result)
      return unsupported("has no lane instructions; expand it into arith operations");
    results.push_back(result);
    operands.push_back(std::move(in));
  }
  return success();
}

FailureOr<BodyCost> kernels::measureBody(const Nest &nest) {
  Block scratch;
  OpBuilder builder(nest.op->getContext());
  builder.setInsertionPointToEnd(&scratch);
  Emitter emitter(builder, nest.op->getLoc());
  emitter.hoistConstants(~0u);
  auto vectorType = d1::VectorRegType::get(builder.getContext());
  DenseMap<Value, Value> arguments;
  auto argument = [&](BlockArgument arg, unsigned) {
    Value &value = arguments[arg];
    return value ? value : value = scratch.addArgument(vectorType, emitter.loc);
  };
  auto index = [&](int64_t, unsigned) { return scratch.addArgument(vectorType, emitter.loc); };
  auto results = emitBody(emitter, nest, 1, {argument, index});
  if (failed(results))
    return failure();

  BodyCost cost{0, emitter.numHoisted(), 0};
  llvm::SmallPtrSet<Operation *, 16> yielded, constants;
  for (const Values &values : *results)
    yielded.insert(values[0].getDefiningOp());
  DenseSet<Value> live;
  unsigned kept = nest.hasReduction() ? 0 : nest.outputs().size();
  for (Operation &op : llvm::reverse(scratch)) {
    bool constant = llvm::isa<d1::VSPLAT, d1::VIOTA, arith::ConstantOp>(op);
    if (constant)
      continue;
    ++cost.operations;
    live.erase(op.getResult(0));
    for (Value operand : op.getOperands())
      if (Operation *def = operand.getDefiningOp();
          def && !llvm::isa<d1::VSPLAT, d1::VIOTA>(def) && !yielded.contains(def))
        live.insert(operand);
    cost.live = std::max<unsigned>(cost.live, live.size() + kept);
  }
  return cost;
}

FailureOr<SmallVector<Values>> kernels::emitBody(Emitter &emitter, const Nest &nest,
                                                 unsigned points, const BodyInputs &inputs) {
  return BodyEmission(emitter, nest, points, inputs).run();
}

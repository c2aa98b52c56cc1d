//===- Nest.cpp - a structured operation as plain numbers -----------------===//
#include "Nest.h"
#include "dojo/Transforms/Contraction.h"

#include "mlir/Analysis/FlatLinearValueConstraints.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::kernels;

bool Nest::hasReduction() const {
  return llvm::any_of(iterators, [](const Iterator &i) { return i.reduction; });
}

Value Nest::yielded(unsigned o) const { return body().getTerminator()->getOperand(o); }

/// The bytes an element takes in memory; 0 for types without lanes.
static int64_t elementBytes(Type type) {
  if (type.isF32() || type.isInteger(32))
    return 4;
  if (type.isBF16() || type.isInteger(16))
    return 2;
  return type.isInteger(8) || type.isInteger(1) ? 1 : 0;
}

/// Adds `map` composed with the buffer's strides to the access.
static LogicalResult addLinearMap(linalg::LinalgOp op, OpOperand &operand, AffineMap map,
                                  ArrayRef<int64_t> bufferStrides, Access &access) {
  for (auto [expr, stride] : llvm::zip_equal(map.getResults(), bufferStrides)) {
    SmallVector<int64_t> flat;
    if (failed(getFlattenedAffineExpr(expr, map.getNumDims(), 0, &flat)) ||
        flat.size() != map.getNumDims() + 1)
      return op.emitOpError() << "operand #" << operand.getOperandNumber() << " has the map "
                              << AffineMapAttr::get(map)
                              << ", which is not linear; rewrite it as an "
                              << "operation with one iterator for each part of the index";
    for (unsigned j = 0; j < map.getNumDims(); ++j)
      access.strides[j] += flat[j] * stride * access.bytes;
    access.offset += flat.back() * stride * access.bytes;
  }
  return success();
}

static FailureOr<Access> analyseOperand(linalg::LinalgOp op, OpOperand &operand,
                                        const IRMapping &addresses) {
  Access access{};
  access.argument = op.getMatchingBlockArgument(&operand);
  access.read = !access.argument.use_empty();
  access.strides.assign(op.getNumLoops(), 0);
  access.element = getElementTypeOrSelf(operand.get().getType());
  access.bytes = elementBytes(access.element);
  auto error = [&]() -> InFlightDiagnostic {
    return op.emitOpError() << "operand #" << operand.getOperandNumber() << " ";
  };
  if (!access.bytes)
    return error() << "has element type " << access.element
                   << "; kernels compute on f32, bf16, i32, i16, i8 and i1";
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  if (!type) {
    if (!matchPattern(operand.get(), m_Constant(&access.constant)))
      return error() << "is a scalar that is not a constant; pass it as a buffer";
    return access;
  }
  access.base = addresses.lookup(operand.get());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!type.hasStaticShape() || failed(type.getStridesAndOffset(strides, offset)) ||
      ShapedType::isDynamic(offset) || llvm::any_of(strides, ShapedType::isDynamic))
    return error() << "has type " << type << "; kernels need static shapes and strides";
  access.offset = offset * access.bytes;
  if (failed(addLinearMap(op, operand, op.getMatchingIndexingMap(&operand), strides, access)))
    return failure();
  return access;
}

FailureOr<Nest> kernels::analyse(linalg::LinalgOp op, const IRMapping &addresses) {
  Nest nest{op, {}, {}, static_cast<unsigned>(op.getNumDpsInputs())};
  for (OpOperand &operand : op->getOpOperands()) {
    FailureOr<Access> access = analyseOperand(op, operand, addresses);
    if (failed(access))
      return failure();
    nest.accesses.push_back(std::move(*access));
  }
  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  for (auto [j, type] : llvm::enumerate(op.getIteratorTypesArray())) {
    bool reduction = type == utils::IteratorType::reduction;
    for (const Access &out : nest.outputs())
      if (reduction && extents[j] > 1 && out.stride(j))
        return op.emitOpError() << "has an output that depends on reduction iterator " << j
                                << "; make the iterator parallel";
    nest.iterators.push_back({extents[j], reduction, -1});
  }
  for (auto index : nest.body().getOps<linalg::IndexOp>())
    nest.iterators[index.getDim()].indexDim = index.getDim();
  return nest;
}

/// Whether every operand steps over `outer` as over `inner` carried on.
static bool mergeable(const Nest &nest, unsigned outer, unsigned inner) {
  const Iterator &o = nest.iterators[outer], &i = nest.iterators[inner];
  return o.reduction == i.reduction && o.indexDim < 0 && i.indexDim < 0 &&
         llvm::all_of(
             nest.accesses,
             [&](const Access &access) {
               return access.stride(outer) == access.stride(inner) * i.extent;
             });
}

static void erase(Nest &nest, unsigned iterator) {
  nest.iterators.erase(nest.iterators.begin() + iterator);
  for (Access &access : nest.accesses)
    access.strides.erase(access.strides.begin() + iterator);
}

void kernels::simplify(Nest &nest) {
  for (unsigned j = nest.iterators.size(); j-- > 0;)
    if (nest.iterators[j].extent == 1 && nest.iterators[j].indexDim < 0)
      erase(nest, j);
  for (unsigned i = 0; i < nest.iterators.size();) {
    unsigned o = 0;
    while (o < nest.iterators.size() && (o == i || !mergeable(nest, o, i)))
      ++o;
    if (o == nest.iterators.size()) {
      ++i;
      continue;
    }
    nest.iterators[i].extent *= nest.iterators[o].extent;
    erase(nest, o);
    i = 0;
  }
}

bool kernels::isContractionToF32(const Nest &nest) {
  return isContraction(nest.op) && nest.outputs().front().element.isF32();
}

std::optional<Combiner> kernels::matchCombiner(const Nest &nest, unsigned output) {
  BlockArgument value = nest.outputs()[output].argument;
  Operation *op = nest.yielded(output).getDefiningOp();
  if (!op || op->getNumOperands() != 2 || !value.hasOneUse() || *value.user_begin() != op ||
      !op->getResult(0).hasOneUse())
    return std::nullopt;
  auto neutral = arith::getNeutralElement(op);
  return neutral ? std::optional<Combiner>({op, *neutral}) : std::nullopt;
}

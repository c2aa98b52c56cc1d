//===- DojoDialect.cpp - registration and types of the dojo dialect -------===//
#include "dojo/Dialect/Dojo/IR/Dojo.h"
#include "dojo/ISA/ISA.h"
#include "mlir/Analysis/FlatLinearValueConstraints.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

#include "dojo/Dialect/Dojo/IR/DojoDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dojo/Dialect/Dojo/IR/DojoTypes.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dojo/Dialect/Dojo/IR/DojoAttrs.cpp.inc"

void DojoDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dojo/Dialect/Dojo/IR/DojoTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dojo/Dialect/Dojo/IR/DojoAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dojo/Dialect/Dojo/IR/DojoOps.cpp.inc"
      >();
}

int64_t ir::descriptorAddress(int64_t codeBytes) {
  return llvm::alignTo(codeBytes, isa::descriptorBytes);
}

RankedTensorType ir::tensorOf(Type type) {
  if (auto buffer = dyn_cast<BufferType>(type))
    return buffer.getTensor();
  return cast<RankedTensorType>(type);
}

Layout ir::layoutOf(Type type) {
  return cast<LayoutAttr>(tensorOf(type).getEncoding()).getLayout();
}

bool ir::isDram(Type type) { return isa_and_nonnull<DramAttr>(tensorOf(type).getEncoding()); }

RankedTensorType ir::withLayout(RankedTensorType type, const Layout &layout) {
  return RankedTensorType::get(type.getShape(), type.getElementType(),
                               LayoutAttr::get(type.getContext(), layout));
}

RankedTensorType ir::localTensor(RankedTensorType type) {
  SmallVector<int64_t> shape;
  for (const Layout::Dim &dim : layoutOf(type).dims)
    shape.push_back(dim.extent);
  return RankedTensorType::get(shape, type.getElementType());
}

unsigned ir::elementBytes(Type element) {
  return llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

int64_t ir::localBytes(RankedTensorType type) {
  return layoutOf(type).localElements() * elementBytes(type.getElementType());
}

Value ir::createFilled(OpBuilder &builder, Location loc, RankedTensorType type, TypedAttr fill) {
  Value empty = EmptyOp::create(builder, loc, type);
  auto compute = ComputeOp::create(builder, loc, TypeRange{type}, ValueRange{}, ValueRange{empty},
                                   DictionaryAttr{});
  OpBuilder::InsertionGuard guard(builder);
  auto flat = RankedTensorType::get({layoutOf(type).localElements()}, type.getElementType());
  Block *body = builder.createBlock(&compute.getBody(), {}, {flat}, {loc});
  Value constant = arith::ConstantOp::create(builder, loc, fill);
  Value result =
      linalg::FillOp::create(builder, loc, ValueRange{constant}, ValueRange{body->getArgument(0)})
          .getResult(0);
  YieldOp::create(builder, loc, ValueRange{result});
  return compute.getResult(0);
}

FailureOr<SmallVector<int64_t>> ir::linearForm(AffineExpr expr, unsigned numDims,
                                               unsigned numSymbols) {
  SmallVector<int64_t> coefficients;
  if (failed(getFlattenedAffineExpr(expr, numDims, numSymbols, &coefficients)) ||
      coefficients.size() != numDims + numSymbols + 1)
    return failure();
  return coefficients;
}

StepNumber ir::stepNumberOf(Value symbol) {
  if (auto argument = dyn_cast<BlockArgument>(symbol))
    return {cast<RepeatOp>(argument.getOwner()->getParentOp()), 1, 0};
  if (auto constant = symbol.getDefiningOp<arith::ConstantIndexOp>())
    return {{}, 0, constant.value()};
  auto apply = cast<affine::AffineApplyOp>(symbol.getDefiningOp());
  SmallVector<int64_t> form = *linearForm(apply.getAffineMap().getResult(0), 1, 0);
  StepNumber inner = stepNumberOf(apply.getOperand(0));
  return {inner.repeat, form[0] * inner.scale, form[0] * inner.offset + form[1]};
}

FailureOr<SmallVector<Move::Term, 4>> ir::termsOf(AffineMap map) {
  SmallVector<Move::Term, 4> terms;
  unsigned numDims = map.getNumDims(), numSymbols = map.getNumSymbols();
  for (AffineExpr expr : map.getResults()) {
    auto form = linearForm(expr, numDims, numSymbols);
    if (failed(form) || numSymbols > 1)
      return failure();
    Move::Term term{-1, 0, form->back(), numSymbols ? (*form)[numDims] : 0};
    for (unsigned d = 0; d < numDims; ++d) {
      if ((*form)[d] == 0)
        continue;
      if (term.dstDim >= 0)
        return failure();
      term.dstDim = d;
      term.coefficient = (*form)[d];
    }
    terms.push_back(term);
  }
  return terms;
}

//===- D1Ops.cpp - builders and verifiers of the structured operations ----===//
#include "dojo/Dialect/D1/IR/D1.h"
#include "dojo/ISA/Abi.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::d1;

bool dojo::d1::holdsCode(FunctionOpInterface function) {
  return !function.isExternal() && (function->hasAttr(routineAttr) || function->hasAttr(entryAttr));
}

std::optional<isa::Kind> dojo::d1::registerKind(Type type) {
  return llvm::TypeSwitch<Type, std::optional<isa::Kind>>(type)
      .Case<ScalarRegType>([](auto) { return isa::Kind::x; })
      .Case<VectorRegType>([](auto) { return isa::Kind::v; })
      .Case<AccRegType>([](auto) { return isa::Kind::a; })
      .Default([](Type) { return std::nullopt; });
}

std::optional<unsigned> dojo::d1::registerNumber(Type type) {
  return llvm::TypeSwitch<Type, std::optional<unsigned>>(type)
      .Case<ScalarRegType, VectorRegType, AccRegType>([](auto reg) { return reg.getNumber(); })
      .Default([](Type) { return std::nullopt; });
}

Type dojo::d1::registerType(MLIRContext *context, isa::Kind kind, std::optional<unsigned> number) {
  if (kind == isa::Kind::v)
    return VectorRegType::get(context, number);
  if (kind == isa::Kind::a)
    return AccRegType::get(context, number);
  return ScalarRegType::get(context, number);
}

std::optional<unsigned> dojo::d1::updatedOperand(InstructionOpInterface op) {
  unsigned index = 0;
  for (const isa::Operand &operand : op.getInstruction().operands) {
    if (operand.role == isa::Role::update)
      return index;
    if (operand.role == isa::Role::use && operand.kind != isa::Kind::imm)
      ++index;
  }
  return std::nullopt;
}

//===-- zero --------------------------------------------------------------===//
LogicalResult ZeroOp::verify() {
  if (registerNumber(getType()) != isa::zeroReg)
    return emitOpError("gives register x0, so its type is !d1.x<0>");
  return success();
}

//===-- repeat ------------------------------------------------------------===//
void RepeatOp::build(OpBuilder &builder, OperationState &state, Value count, ValueRange inits) {
  state.addOperands(count);
  state.addOperands(inits);
  state.addTypes(inits.getTypes());
  Block &body = state.addRegion()->emplaceBlock();
  body.addArgument(count.getType(), state.location);
  for (Value init : inits)
    body.addArgument(init.getType(), state.location);
}

YieldOp RepeatOp::getYield() { return cast<YieldOp>(getBody().front().getTerminator()); }

LogicalResult RepeatOp::verify() {
  if (!llvm::equal(getInits().getTypes(), getResultTypes()))
    return emitOpError("carries its values in one register each, but its inits and results differ "
                       "in type");
  return success();
}

LogicalResult RepeatOp::verifyRegions() {
  if (!llvm::equal(getOperandTypes(), getBody().getArgumentTypes()))
    return emitOpError("has a body whose arguments are not the count and the inits by type");
  auto yield = dyn_cast<YieldOp>(getBody().front().getTerminator());
  if (!yield || !llvm::equal(yield.getOperandTypes(), getResultTypes()))
    return emitOpError("has a body that does not yield the types of its results");
  return success();
}

//===-- if ----------------------------------------------------------------===//
void IfOp::build(OpBuilder &builder, OperationState &state, Condition condition, Value lhs,
                 Value rhs, TypeRange results) {
  state.addOperands({lhs, rhs});
  state.addAttribute(getConditionAttrName(state.name),
                     ConditionAttr::get(builder.getContext(), condition));
  state.addTypes(results);
  state.addRegion()->emplaceBlock();
  state.addRegion()->emplaceBlock();
}

YieldOp IfOp::getThenYield() { return cast<YieldOp>(getThenRegion().front().getTerminator()); }
YieldOp IfOp::getElseYield() { return cast<YieldOp>(getElseRegion().front().getTerminator()); }

LogicalResult IfOp::verifyRegions() {
  for (Region *region : getRegions()) {
    auto yield = dyn_cast<YieldOp>(region->front().getTerminator());
    if (!yield || !llvm::equal(yield.getOperandTypes(), getResultTypes()))
      return emitOpError("has a branch that does not yield the types of its results");
  }
  return success();
}

//===-- call --------------------------------------------------------------===//
LogicalResult CallOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto callee = symbols.lookupNearestSymbolFrom<func::FuncOp>(*this, getCalleeAttr());
  if (!callee || !callee->hasAttr(routineAttr))
    return emitOpError("calls '") << getCallee() << "', which is no function marked "
                                  << routineAttr;
  if (callee.getNumArguments() != getArguments().size())
    return emitOpError("passes ") << getArguments().size() << " arguments to '" << getCallee()
                                  << "', which takes " << callee.getNumArguments();
  return success();
}

//===- RandomProgram.cpp - programs that are right by construction --------===//
#include "RandomProgram.h"
#include "Memory.h"
#include "dojo/Dialect/D1/IR/D1.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include <random>

using namespace mlir;

namespace dojo::test {
namespace {

/// The values a block may use, by kind. An accumulator is used up by an update.
struct Scope {
  SmallVector<Value> numbers, bits, vectors, accumulators;
};

class Generator {
public:
  Generator(MLIRContext *context, unsigned seed)
      : builder(context), loc(builder.getUnknownLoc()), random(seed) {}

  OwningOpRef<ModuleOp> run() {
    OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
    unsigned count = 1 + pick(2);
    for (unsigned i = 0; i < count; ++i) {
      arity.push_back(1 + pick(i == 0 ? 12 : 3));
      makeFunction(*module, "r" + std::to_string(i), d1::routineAttr, arity.back());
    }
    mayCall = true;
    makeFunction(*module, "step", d1::entryAttr, 0);
    return module;
  }

private:
  OpBuilder builder;
  Location loc;
  std::mt19937 random;
  SmallVector<unsigned> arity;
  bool mayCall = false;
  unsigned budget = 0;

  unsigned pick(unsigned below) { return random() % below; }

  Value recent(ArrayRef<Value> values) {
    return values[values.size() - 1 - pick(std::min<unsigned>(values.size(), 6))];
  }

  void makeFunction(ModuleOp module, std::string name, StringRef attr, unsigned arguments) {
    builder.setInsertionPointToEnd(module.getBody());
    SmallVector<Type> types(arguments, builder.getI64Type());
    auto function = func::FuncOp::create(builder, loc, name, builder.getFunctionType(types, {}));
    function->setAttr(attr, builder.getUnitAttr());
    builder.setInsertionPointToStart(function.addEntryBlock());
    Scope scope;
    llvm::append_range(scope.numbers, function.getArguments());
    budget = mayCall ? 30 : 60;
    fill(scope, 8 + pick(12), 0);
    keep(scope);
    func::ReturnOp::create(builder, loc);
  }

  Value constant(int64_t number) {
    return arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(number));
  }

  Value anyConstant() {
    switch (pick(6)) {
    case 0:
      return constant(int64_t(uint64_t(random()) << 32 | random()));
    case 1:
      return constant(int64_t(1) << pick(63));
    case 2:
      return constant(-int64_t(random()));
    case 3:
      return constant(int64_t(pick(1 << 20)));
    default:
      return constant(int64_t(pick(40)) - 20);
    }
  }

  Value number(Scope &scope) {
    return scope.numbers.empty() || pick(4) == 0 ? anyConstant() : recent(scope.numbers);
  }

  template <typename Op>
  Value make(Value a, Value b) {
    return Op::create(builder, loc, a, b);
  }

  /// A value in [0, 2^bits).
  Value small(Scope &scope, unsigned bits) {
    return make<arith::AndIOp>(number(scope), constant((1 << bits) - 1));
  }

  Value divisor(Scope &scope) {
    switch (pick(4)) {
    case 0:
      return constant(int64_t(1) << pick(62));
    case 1:
      return constant(2 + pick(1000));
    case 2:
      return make<arith::AddIOp>(small(scope, 8), constant(1));
    default:
      return make<arith::SubIOp>(constant(-2), small(scope, 8));
    }
  }

  Value bit(Scope &scope) {
    if (!scope.bits.empty() && pick(3) == 0)
      return recent(scope.bits);
    auto predicate = arith::CmpIPredicate(pick(10));
    return arith::CmpIOp::create(builder, loc, predicate, number(scope), number(scope));
  }

  Value address(Scope &scope) { return make<arith::ShLIOp>(small(scope, 9), constant(6)); }

  Value arithmetic(Scope &scope) {
    auto dividend = [&] { return pick(2) ? number(scope) : small(scope, 12); };
    switch (pick(17)) {
    case 0:
      return make<arith::AddIOp>(number(scope), number(scope));
    case 1:
      return make<arith::SubIOp>(number(scope), number(scope));
    case 2:
      return make<arith::MulIOp>(number(scope), number(scope));
    case 3:
      return make<arith::DivSIOp>(dividend(), divisor(scope));
    case 4:
      return make<arith::RemSIOp>(dividend(), divisor(scope));
    case 5:
      return make<arith::FloorDivSIOp>(dividend(), divisor(scope));
    case 6:
      return make<arith::CeilDivSIOp>(dividend(), divisor(scope));
    case 7:
      return make<arith::MinSIOp>(number(scope), number(scope));
    case 8:
      return make<arith::MaxSIOp>(number(scope), number(scope));
    case 9:
      return make<arith::AndIOp>(number(scope), number(scope));
    case 10:
      return make<arith::OrIOp>(number(scope), number(scope));
    case 11:
      return make<arith::XOrIOp>(number(scope), number(scope));
    case 12:
      return make<arith::ShLIOp>(number(scope), small(scope, 6));
    case 13:
      return make<arith::ShRUIOp>(number(scope), small(scope, 6));
    case 14:
      return make<arith::ShRSIOp>(number(scope), constant(pick(64)));
    case 15:
      return arith::ExtUIOp::create(builder, loc, builder.getI64Type(), bit(scope));
    default:
      return arith::SelectOp::create(builder, loc, bit(scope), number(scope), number(scope));
    }
  }

  void addVector(Scope &scope) {
    auto &vectors = scope.vectors;
    if (vectors.size() < 2 || pick(3) == 0)
      return vectors.push_back(d1::VSPLAT::create(builder, loc, number(scope))->getResult(0));
    switch (pick(4)) {
    case 0:
      scope.numbers.push_back(
          d1::VLANE::create(builder, loc, recent(vectors), pick(16))->getResult(0));
      return;
    case 1:
      return vectors.push_back(
          arith::SelectOp::create(builder, loc, bit(scope), recent(vectors), recent(vectors)));
    default:
      return vectors.push_back(
          d1::VIADD::create(builder, loc, recent(vectors), recent(vectors))->getResult(0));
    }
  }

  void addAccumulator(Scope &scope) {
    auto &rows = scope.accumulators;
    if (rows.empty() || pick(4) == 0)
      return rows.push_back(d1::MZERO::create(builder, loc)->getResult(0));
    if (pick(2) || scope.vectors.empty())
      return scope.vectors.push_back(
          d1::MREAD::create(builder, loc, recent(rows), pick(4))->getResult(0));
    Value old = rows.pop_back_val();
    rows.push_back(
        d1::MWRITE::create(builder, loc, old, recent(scope.vectors), pick(4))->getResult(0));
  }

  void addStore(Scope &scope) {
    if (!scope.vectors.empty() && pick(2))
      d1::VST::create(builder, loc, recent(scope.vectors), address(scope), 64 * pick(100));
    else
      d1::STD::create(builder, loc, number(scope), address(scope), 8 * pick(800));
  }

  void addBit(Scope &scope) {
    Value first = bit(scope), second = bit(scope);
    switch (pick(3)) {
    case 0:
      return scope.bits.push_back(make<arith::AndIOp>(first, second));
    case 1:
      return scope.bits.push_back(make<arith::OrIOp>(first, second));
    default:
      return scope.bits.push_back(make<arith::XOrIOp>(first, second));
    }
  }

  void addCall(Scope &scope) {
    unsigned callee = pick(arity.size());
    SmallVector<Value> arguments;
    for (unsigned i = 0; i < arity[callee]; ++i)
      arguments.push_back(number(scope));
    d1::CallOp::create(builder, loc, "r" + std::to_string(callee), arguments);
    // What lives across a call stays within the preserved registers.
    if (scope.numbers.size() > 1)
      scope.numbers.erase(scope.numbers.begin(), scope.numbers.end() - 1);
    scope.bits.clear();
  }

  void fill(Scope &scope, unsigned count, unsigned depth) {
    for (unsigned i = 0; i < count && budget > 0; ++i) {
      --budget;
      unsigned what = pick(24);
      if (what < 3 && depth < 3)
        addFor(scope, depth);
      else if (what < 6 && depth < 3)
        addIf(scope, depth);
      else if (what < 8)
        addStore(scope);
      else if (what < 11 && !mayCall) // Calls change all vectors and accumulators.
        addVector(scope);
      else if (what < 13 && !mayCall)
        addAccumulator(scope);
      else if (what < 14)
        addBit(scope);
      else if (what < 15 && mayCall)
        addCall(scope);
      else if (what < 16)
        scope.numbers.push_back(
            d1::LDD::create(builder, loc, address(scope), 8 * pick(800))->getResult(0));
      else
        scope.numbers.push_back(arithmetic(scope));
    }
  }

  /// What a region hands on, of the given kinds.
  Value carried(Scope &scope, Type type) {
    if (type.isInteger(64))
      return number(scope);
    if (llvm::isa<d1::VectorRegType>(type))
      return scope.vectors.empty() ? d1::VSPLAT::create(builder, loc, number(scope))->getResult(0)
                                   : recent(scope.vectors);
    return scope.accumulators.empty() ? d1::MZERO::create(builder, loc)->getResult(0)
                                      : scope.accumulators.pop_back_val();
  }

  void enter(Scope &scope, ValueRange values) {
    for (Value value : values) {
      if (value.getType().isInteger(64))
        scope.numbers.push_back(value);
      else if (llvm::isa<d1::VectorRegType>(value.getType()))
        scope.vectors.push_back(value);
      else
        scope.accumulators.push_back(value);
    }
  }

  SmallVector<Type> someTypes(bool accumulators) {
    Type kinds[] = {builder.getI64Type(), d1::VectorRegType::get(builder.getContext()),
                    d1::AccRegType::get(builder.getContext())};
    SmallVector<Type> types;
    for (unsigned i = pick(4); i > 0; --i)
      types.push_back(kinds[mayCall || pick(3) ? 0 : 1]);
    if (accumulators && !mayCall && pick(3) == 0) // One: two might be swapped.
      types.push_back(kinds[2]);
    return types;
  }

  void addFor(Scope &scope, unsigned depth) {
    SmallVector<Value> inits;
    for (Type type : someTypes(true))
      inits.push_back(carried(scope, type));
    Value low = pick(2) ? constant(int64_t(pick(4)) - 2) : small(scope, 2);
    Value high = pick(2) ? constant(pick(5)) : small(scope, 2);
    Value step =
        pick(3) ? constant(1 + pick(3)) : make<arith::AddIOp>(small(scope, 1), constant(1));
    auto loop = scf::ForOp::create(builder, loc, low, high, step, inits);
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(loop.getBody());
      Scope inner = scope;
      inner.accumulators.clear();
      enter(inner, loop.getRegionIterArgs());
      if (pick(2))
        inner.numbers.push_back(loop.getInductionVar());
      fill(inner, 2 + pick(6), depth + 1);
      SmallVector<Value> next;
      for (Value argument : loop.getRegionIterArgs())
        next.push_back(carried(inner, argument.getType()));
      if (!next.empty())
        scf::YieldOp::create(builder, loc, next);
    }
    enter(scope, loop.getResults());
  }

  void addIf(Scope &scope, unsigned depth) {
    SmallVector<Type> types = someTypes(false);
    auto branch = scf::IfOp::create(builder, loc, types, bit(scope), !types.empty() || pick(2));
    for (Region &region : branch->getRegions()) {
      if (region.empty())
        continue;
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(&region.front());
      Scope inner = scope;
      inner.accumulators.clear();
      fill(inner, 1 + pick(4), depth + 1);
      SmallVector<Value> results;
      for (Type type : types)
        results.push_back(carried(inner, type));
      if (!types.empty())
        scf::YieldOp::create(builder, loc, results);
    }
    enter(scope, branch.getResults());
  }

  /// Stores what is left, so that nothing is dead.
  void keep(Scope &scope) {
    unsigned place = pick(64);
    for (Value value : ArrayRef(scope.numbers).take_back(5))
      d1::STD::create(builder, loc, value, constant(40000), 8 * place++);
    for (Value value : ArrayRef(scope.vectors).take_back(3))
      d1::VST::create(builder, loc, value, constant(50048), 64 * place++);
    for (Value value : ArrayRef(scope.accumulators).take_back(2))
      d1::VST::create(builder, loc, d1::MREAD::create(builder, loc, value, 3)->getResult(0),
                      constant(58048), 64 * place++);
  }
};

} // namespace

OwningOpRef<ModuleOp> randomProgram(MLIRContext *context, unsigned seed) {
  return Generator(context, seed).run();
}

} // namespace dojo::test

//===- Reference.cpp - what scf, arith and d1 code means ------------------===//
#include "Reference.h"
#include "dojo/Dialect/D1/IR/D1.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"
#include <variant>

using namespace mlir;

namespace dojo::test {
namespace {

using Content = std::variant<int64_t, Vector, Accumulator>;
using Contents = std::vector<Content>;

class Evaluator {
public:
  Evaluator(ModuleOp module, Memory &memory) : module(module), memory(memory) {}

  void call(StringRef name, Contents arguments) {
    auto function = module.lookupSymbol<func::FuncOp>(name);
    DenseMap<Value, Content> saved = std::move(contents);
    contents.clear();
    bind(function.getArguments(), arguments);
    run(function.getBody().front());
    contents = std::move(saved);
  }

private:
  ModuleOp module;
  Memory &memory;
  DenseMap<Value, Content> contents;

  int64_t number(Value value) { return std::get<int64_t>(contents.at(value)); }
  bool bit(Value value) { return number(value) & 1; }
  Vector vector(Value value) { return std::get<Vector>(contents.at(value)); }
  Accumulator accumulator(Value value) { return std::get<Accumulator>(contents.at(value)); }

  template <typename Values>
  Contents read(Values values) {
    Contents result;
    for (Value value : values)
      result.push_back(contents.at(value));
    return result;
  }

  template <typename Values>
  void bind(Values values, const Contents &from) {
    for (auto [value, content] : llvm::zip_equal(values, from))
      contents[value] = content;
  }

  /// What the block's terminator yields.
  Contents run(Block &block) {
    for (Operation &op : block.without_terminator())
      run(&op);
    return read(block.getTerminator()->getOperands());
  }

  void run(Operation *op) {
    if (auto loop = dyn_cast<scf::ForOp>(op))
      return runFor(loop);
    if (auto branch = dyn_cast<scf::IfOp>(op))
      return runIf(branch);
    if (auto callee = dyn_cast<d1::CallOp>(op))
      return call(callee.getCallee(), read(callee.getOperands()));
    if (llvm::isa<d1::MarkOp>(op))
      return;
    if (!runMemory(op))
      contents[op->getResult(0)] =
          op->getDialect()->getNamespace() == "arith" ? scalar(op) : bits(op);
  }

  void runFor(scf::ForOp op) {
    Contents carried = read(op.getInitArgs());
    int64_t high = number(op.getUpperBound()), step = number(op.getStep());
    for (int64_t i = number(op.getLowerBound()); i < high; i += step) {
      contents[op.getInductionVar()] = i;
      bind(op.getRegionIterArgs(), carried);
      carried = run(*op.getBody());
    }
    bind(op.getResults(), carried);
  }

  void runIf(scf::IfOp op) {
    Region &region = bit(op.getCondition()) ? op.getThenRegion() : op.getElseRegion();
    if (!region.empty())
      bind(op.getResults(), run(region.front()));
  }

  bool runMemory(Operation *op) {
    return llvm::TypeSwitch<Operation *, bool>(op)
        .Case([&](d1::LDD o) {
          contents[o.getD()] = memory.load<int64_t>(number(o.getA()) + o.getImm());
          return true;
        })
        .Case([&](d1::STD o) {
          memory.store(number(o.getA()) + o.getImm(), number(o.getS()));
          return true;
        })
        .Case([&](d1::VST o) {
          memory.store(number(o.getA()) + o.getImm(), vector(o.getS()));
          return true;
        })
        .Default(false);
  }

  Content bits(Operation *op) {
    Vector result{};
    return llvm::TypeSwitch<Operation *, Content>(op)
        .Case([&](d1::VSPLAT o) {
          result.fill(uint32_t(number(o.getA())));
          return result;
        })
        .Case([&](d1::VIADD o) {
          for (unsigned i = 0; i < 16; ++i)
            result[i] = vector(o.getA())[i] + vector(o.getB())[i];
          return result;
        })
        .Case([&](d1::VLANE o) { return int64_t(int32_t(vector(o.getA())[o.getN()])); })
        .Case([&](d1::MZERO) { return Accumulator{}; })
        .Case([&](d1::MWRITE o) {
          Accumulator rows = accumulator(o.getAcc());
          Vector from = vector(o.getA());
          std::copy(from.begin(), from.end(), rows.begin() + 16 * o.getN());
          return rows;
        })
        .Case([&](d1::MREAD o) {
          Accumulator rows = accumulator(o.getA());
          std::copy_n(rows.begin() + 16 * o.getN(), 16, result.begin());
          return result;
        });
  }

  static int64_t floorDivide(int64_t a, int64_t b) {
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
  }
  static int64_t ceilDivide(int64_t a, int64_t b) {
    return a / b + (a % b != 0 && (a % b < 0) == (b < 0));
  }

  Content scalar(Operation *op) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      APInt value = cast<IntegerAttr>(constant.getValue()).getValue();
      return value.getBitWidth() == 1 ? int64_t(value.getZExtValue()) : value.getSExtValue();
    }
    if (auto select = dyn_cast<arith::SelectOp>(op))
      return contents.at(bit(select.getCondition()) ? select.getTrueValue()
                                                    : select.getFalseValue());
    if (auto extend = dyn_cast<arith::ExtUIOp>(op))
      return number(extend.getIn());
    int64_t a = number(op->getOperand(0)), b = number(op->getOperand(1));
    uint64_t ua = a, ub = b;
    return llvm::TypeSwitch<Operation *, int64_t>(op)
        .Case([&](arith::AddIOp) { return ua + ub; })
        .Case([&](arith::SubIOp) { return ua - ub; })
        .Case([&](arith::MulIOp) { return ua * ub; })
        .Case([&](arith::DivSIOp) { return a / b; })
        .Case([&](arith::RemSIOp) { return a % b; })
        .Case([&](arith::FloorDivSIOp) { return floorDivide(a, b); })
        .Case([&](arith::CeilDivSIOp) { return ceilDivide(a, b); })
        .Case([&](arith::MinSIOp) { return std::min(a, b); })
        .Case([&](arith::MaxSIOp) { return std::max(a, b); })
        .Case([&](arith::AndIOp) { return a & b; })
        .Case([&](arith::OrIOp) { return a | b; })
        .Case([&](arith::XOrIOp) { return a ^ b; })
        .Case([&](arith::ShLIOp) { return ua << ub; })
        .Case([&](arith::ShRUIOp) { return ua >> ub; })
        .Case([&](arith::ShRSIOp) { return a >> b; })
        .Case([&](arith::CmpIOp o) {
          return arith::applyCmpPredicate(o.getPredicate(), APInt(64, ua), APInt(64, ub));
        });
  }
};

} // namespace

void evaluate(ModuleOp module, StringRef entry, Memory &memory) {
  Evaluator(module, memory).call(entry, {});
}

} // namespace dojo::test

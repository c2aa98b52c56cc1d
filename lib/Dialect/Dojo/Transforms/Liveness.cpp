//===- Liveness.cpp - when each buffer is in use --------------------------===//
#include "dojo/Dialect/Dojo/Transforms/Liveness.h"
#include "dojo/ISA/Abi.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

Operation *ir::memoryOf(Value buffer) {
  Operation *op = buffer.getDefiningOp();
  if (auto reshape = dyn_cast_or_null<ReshapeOp>(op))
    return memoryOf(reshape.getSource());
  if (auto get = dyn_cast_or_null<GetResidentOp>(op))
    return SymbolTable::lookupNearestSymbolFrom(op, get.getNameAttr());
  return isa_and_nonnull<AllocOp>(op) ? op : nullptr;
}

StringAttr ir::dramNameOf(Value buffer) {
  if (auto reshape = buffer.getDefiningOp<ReshapeOp>())
    return dramNameOf(reshape.getSource());
  return buffer.getDefiningOp<GetDramOp>().getNameAttr().getAttr();
}

std::optional<int64_t> ir::addressOf(Operation *memory) {
  if (auto alloc = dyn_cast<AllocOp>(memory))
    return alloc.getAddress();
  return cast<ResidentOp>(memory).getAddress();
}

void ir::setAddress(Operation *memory, int64_t address) {
  if (auto alloc = dyn_cast<AllocOp>(memory))
    alloc.setAddress(address);
  else
    cast<ResidentOp>(memory).setAddress(address);
}

RankedTensorType ir::tensorOf(Operation *memory) {
  if (auto alloc = dyn_cast<AllocOp>(memory))
    return alloc.getType().getTensor();
  return cast<BufferType>(cast<ResidentOp>(memory).getType()).getTensor();
}

std::string ir::nameOf(Operation *memory) {
  if (auto resident = dyn_cast<ResidentOp>(memory))
    return resident.getSymName().str();
  if (auto name = memory->getLoc()->findInstanceOf<NameLoc>())
    return name.getName().str();
  return "buffer";
}

namespace {

class Clock {
public:
  Timeline line;

  void visit(Block &block) {
    for (Operation &op : block) {
      int64_t begin = now();
      line.operations.push_back(&op);
      for (Region &region : op.getRegions())
        for (Block &inner : region)
          visit(inner);
      // A repeat uses, as a whole, what its body takes from outside.
      op.walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          if (llvm::isa<BufferType>(operand.getType()))
            if (Operation *memory = memoryOf(operand); memory && !op.isAncestor(memory))
              use(memory, begin, now());
      });
    }
  }

  int64_t now() const { return line.operations.size(); }

private:
  void use(Operation *memory, int64_t begin, int64_t end) {
    auto [entry, isNew] = line.lifetimes.insert({memory, {begin, end}});
    if (isNew)
      return;
    entry->second.begin = std::min(entry->second.begin, begin);
    entry->second.end = std::max(entry->second.end, end);
  }
};

} // namespace

Timeline ir::timelineOf(ModuleOp module) {
  Clock clock;
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.isExternal() && !function->hasAttr(kernelAttrName))
      clock.visit(function.getBody().front());
  for (auto &[memory, lifetime] : clock.line.lifetimes)
    if (llvm::isa<ResidentOp>(memory))
      lifetime.end = clock.now();
  return std::move(clock.line);
}

place::Problem ir::placementProblem(const llvm::MapVector<Operation *, Lifetime> &lifetimes,
                                    const Machine &machine, int64_t codeBytes) {
  int64_t end = 1, reserved = descriptorAddress(codeBytes) + isa::moveScratchBytes;
  for (auto &[memory, lifetime] : lifetimes)
    end = std::max(end, lifetime.end);
  place::Problem problem{machine.sramBytes, {{"code", reserved, 0, end, 1, 0}}};
  for (auto &[memory, lifetime] : lifetimes)
    problem.buffers.push_back({nameOf(memory), localBytes(tensorOf(memory)), lifetime.begin,
                               lifetime.end, machine.vectorBytes, addressOf(memory)});
  return problem;
}

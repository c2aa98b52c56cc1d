//===- Liveness.cpp - when each buffer is in use --------------------------===//
#include "dojo/Dialect/Dojo/Transforms/Liveness.h"
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
  llvm::MapVector<Operation *, Lifetime> lifetimes;

  void visit(Block &block) {
    for (Operation &op : block) {
      int64_t begin = now++;
      for (Region &region : op.getRegions())
        for (Block &inner : region)
          visit(inner);
      // A repeat uses, as a whole, what its body takes from outside.
      op.walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          if (isa<BufferType>(operand.getType()))
            if (Operation *memory = memoryOf(operand); memory && !op.isAncestor(memory))
              use(memory, begin, now);
      });
    }
  }

  int64_t now = 0;

private:
  void use(Operation *memory, int64_t begin, int64_t end) {
    auto [entry, isNew] = lifetimes.insert({memory, {begin, end}});
    if (isNew)
      return;
    entry->second.begin = std::min(entry->second.begin, begin);
    entry->second.end = std::max(entry->second.end, end);
  }
};

} // namespace

llvm::MapVector<Operation *, Lifetime> ir::lifetimesOf(ModuleOp module) {
  Clock clock;
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.isExternal() && !function->hasAttr(kernelAttrName))
      clock.visit(function.getBody().front());
  for (auto &[memory, lifetime] : clock.lifetimes)
    if (isa<ResidentOp>(memory))
      lifetime.end = clock.now;
  return std::move(clock.lifetimes);
}

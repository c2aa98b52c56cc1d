//===- Recompute.cpp - values that need not be kept -----------------------===//
#include "Allocation.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace dojo::d1 {

bool isRecomputable(Operation *op) {
  if (!op)
    return false;
  if (llvm::isa<LI, COORD, VIOTA, MZERO>(op))
    return true;
  return llvm::isa<LIS, SHLI, VSPLAT>(op) && isRecomputable(op->getOperand(0).getDefiningOp());
}

std::optional<int64_t> constantIn(Value value) {
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<ZeroOp>(op))
    return 0;
  if (auto li = dyn_cast_or_null<LI>(op))
    return li.getImm();
  if (!isa_and_nonnull<LIS, SHLI>(op))
    return std::nullopt;
  std::optional<int64_t> high = constantIn(op->getOperand(0));
  if (!high)
    return std::nullopt;
  if (auto shift = dyn_cast<SHLI>(op))
    return int64_t(uint64_t(*high) << (shift.getImm() & 63));
  static const isa::Operand &low = isa::get(isa::Opcode::LIS).operands[2];
  return int64_t(uint64_t(*high) << low.width) | cast<LIS>(op).getImm();
}

Value recompute(OpBuilder &builder, Operation *op) {
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(recompute(builder, operand.getDefiningOp()));
  Operation *copy = builder.clone(*op);
  copy->setOperands(operands);
  return copy->getResult(0);
}

bool isAtItsUse(Operation *op) {
  Operation *next = op->getNextNode();
  while (isRecomputable(next) && !llvm::is_contained(op->getUsers(), next))
    next = next->getNextNode();
  return llvm::all_of(op->getUsers(), [&](Operation *user) { return user == next; });
}

Stretches::Stretches(func::FuncOp function) { number(function.getBody().front()); }

bool Stretches::number(Block &block) {
  bool isPlain = true;
  ++latest;
  for (Operation &op : block) {
    numbers[&op] = latest;
    bool isPlainInside = !llvm::isa<CallOp>(op);
    for (Region &region : op.getRegions())
      isPlainInside &= number(region.front());
    if (llvm::isa<RepeatOp>(op) && isPlainInside)
      innermost.insert(&op);
    isPlain &= isPlainInside && !llvm::isa<RepeatOp>(op);
    latest += op.getNumRegions() > 0 || llvm::isa<CallOp>(op);
  }
  return isPlain;
}

/// Whether nothing but recomputable operations stands between `op` and `loop`, where all
/// its uses are.
static bool isAtLoop(Operation *op, RepeatOp loop) {
  Operation *next = op->getNextNode();
  while (isRecomputable(next))
    next = next->getNextNode();
  return next == loop && llvm::all_of(op->getUsers(), [&](Operation *user) {
           return loop->isProperAncestor(user);
         });
}

void Stretches::recomputeAtUses(Operation *op) const {
  DenseMap<unsigned, Operation *> first;
  for (Operation *user : op->getUsers()) {
    Operation *&known = first[numbers.lookup(user)];
    if (!known || user->isBeforeInBlock(known))
      known = user;
  }
  auto placeFor = [&](Operation *user) -> Operation * {
    auto loop = user->getParentOfType<RepeatOp>();
    if (innermost.contains(loop) && !loop->isProperAncestor(op) && !isAtLoop(op, loop))
      return loop;
    unsigned stretch = numbers.lookup(user);
    return stretch == 0 || stretch == numbers.lookup(op) ? user : first[stretch];
  };
  llvm::MapVector<Operation *, SmallVector<OpOperand *>> places;
  for (OpOperand &use : op->getUses())
    places[placeFor(use.getOwner())].push_back(&use);
  for (auto &[place, uses] : places) {
    OpBuilder builder(place);
    Value copy = recompute(builder, op);
    for (OpOperand *use : uses)
      use->set(copy);
  }
}

void eraseDeadRecomputable(func::FuncOp function) {
  SmallVector<Operation *> ops;
  function.walk([&](Operation *op) {
    if (isRecomputable(op))
      ops.push_back(op);
  });
  for (Operation *op : llvm::reverse(ops))
    if (op->use_empty())
      op->erase();
}

bool isSinkable(Operation *op) {
  return llvm::isa_and_nonnull<InstructionOpInterface>(op) && isMemoryEffectFree(op) &&
         !isCopy(op) && op->getNumResults() == 1 &&
         llvm::all_of(op->getUsers(),
                      [&](Operation *user) { return user->getBlock() != op->getBlock(); });
}

void sink(Operation *op) {
  // The first operation of each block one level inside that holds a use.
  llvm::MapVector<Block *, Operation *> first;
  SmallVector<std::pair<OpOperand *, Block *>> uses;
  for (OpOperand &use : op->getUses()) {
    Operation *user = use.getOwner();
    while (user->getParentOp()->getBlock() != op->getBlock())
      user = user->getParentOp();
    uses.push_back({&use, user->getBlock()});
    Operation *&earliest = first[user->getBlock()];
    if (!earliest || user->isBeforeInBlock(earliest))
      earliest = user;
  }
  DenseMap<Block *, Value> inside;
  for (auto [block, user] : first)
    inside[block] = OpBuilder(user).clone(*op)->getResult(0);
  for (auto [use, block] : uses)
    use->set(inside[block]);
  op->erase();
}

} // namespace dojo::d1

//===- MatrixLoops.cpp - recognition of loops that multiply ---------------===//
#include "MatrixLoops.h"
#include "llvm/ADT/STLExtras.h"

namespace dojo::exec {
namespace {

using isa::Opcode;
using Operand = MatrixLoop::Operand;

constexpr unsigned operandFloats = isa::matrixRows * isa::matrixDepth;
constexpr unsigned lineFloats = 16;

bool isLoad(Opcode opcode) {
  return opcode == Opcode::VLD || opcode == Opcode::VLDG8 || opcode == Opcode::VLDG16;
}

/// Scalar arithmetic that is the same on every node.
bool isArithmetic(const isa::Instruction &inst) {
  return inst.unit == isa::Unit::integer && inst.opcode != Opcode::COORD;
}

/// Finds the pointers of a loop: registers that reach addresses, and other pointers
/// from one iteration to the next, through sums alone. All others are numbers.
class Pointers {
public:
  explicit Pointers(const MatrixLoop &loop) : loop(loop) { numbers = bit(loop.counter); }

  std::vector<MatrixLoop::Phase> phases() {
    std::vector<MatrixLoop::Phase> found;
    do {
      changed = false;
      found.clear();
      MatrixLoop::Phase start = {};
      for (unsigned x = 1; x < isa::numScalarRegs; ++x)
        start.pointers[x] = bit(x) & ~numbers;
      walk(std::move(start), found);
    } while (changed);
    return found;
  }

  MatrixLoop::Registers numbers;

private:
  using Registers = MatrixLoop::Registers;
  static Registers bit(unsigned x) { return x < isa::numScalarRegs ? Registers(1) << x : 0; }

  void demote(Registers set) {
    changed |= set & ~numbers;
    numbers |= set;
  }

  /// Walks iterations from `phase` on until they repeat.
  void walk(MatrixLoop::Phase phase, std::vector<MatrixLoop::Phase> &found) {
    for (;;) {
      MatrixLoop::Phase next = {{}, phase.pointers};
      for (const MatrixLoop::Step &step : loop.steps)
        take(step, next.pointers, phase.pointersOfLoads);
      next.pointers[isa::numScalarRegs] = 0;
      const bool repeats = next.pointers == phase.pointers;
      if (!repeats && found.size() + 1 == MatrixLoop::maxPhases)
        for (auto [before, after] : llvm::zip(phase.pointers, next.pointers))
          demote(before ^ after);
      found.push_back(std::move(phase));
      if (changed || repeats)
        return;
      phase = std::move(next);
    }
  }

  void take(const MatrixLoop::Step &step, std::array<Registers, isa::numScalarRegs + 1> &of,
            std::vector<Registers> &ofLoads) {
    const Registers a = of[step.op.a], b = of[step.op.b], c = of[step.op.c];
    switch (step.opcode) {
    case Opcode::VLD:
    case Opcode::VLDG8:
    case Opcode::VLDG16:
      demote(b | c);
      ofLoads.push_back(a);
      return;
    case Opcode::ADD:
      demote(a & b);
      of[step.op.d] = a | b;
      return;
    case Opcode::ADDI:
      of[step.op.d] = a;
      return;
    case Opcode::SUB:
      demote(b);
      of[step.op.d] = a;
      return;
    default:
      demote(a | b | c);
      of[step.op.d] = 0;
      return;
    }
  }

  const MatrixLoop &loop;
  bool changed = false;
};

class Recogniser {
public:
  Recogniser(llvm::ArrayRef<Op> body, llvm::ArrayRef<const isa::Instruction *> insts)
      : body(body), insts(insts) {}

  std::optional<MatrixLoop> run() {
    if (!collect())
      return std::nullopt;
    points();
    multiply();
    tile();
    if (loop.floats > MatrixLoop::panelFloats)
      return std::nullopt;
    return std::move(loop);
  }

private:
  bool collect();
  void points();
  void multiply();
  void tile();

  uint32_t place(uint32_t count) {
    const uint32_t offset = loop.floats;
    loop.floats += count;
    return offset;
  }
  uint32_t left(const Operand &operand);
  uint32_t right(llvm::ArrayRef<Operand> operands);

  struct Products {
    uint8_t acc;
    std::vector<std::pair<Operand, Operand>> factors;
  };

  llvm::ArrayRef<Op> body;
  llvm::ArrayRef<const isa::Instruction *> insts;
  MatrixLoop loop = {};
  std::vector<Products> products;
};

bool Recogniser::collect() {
  loop.counter = body.back().d;
  loop.length = body.size();
  for (auto [op, inst] : llvm::zip(body.drop_back(), insts.drop_back())) {
    if (!inst)
      return false;
    if (inst->opcode == Opcode::MMUL) {
      ++loop.multiplies;
      continue;
    }
    if (!isLoad(inst->opcode) && !isArithmetic(*inst))
      return false;
    if (isLoad(inst->opcode))
      ++loop.loads;
    else if (op.d == loop.counter)
      return false;
    loop.steps.push_back({inst->opcode, op});
  }
  return loop.multiplies && loop.counter && loop.loads <= MatrixLoop::maxLoads;
}

void Recogniser::points() {
  Pointers pointers(loop);
  loop.phases = pointers.phases();
  auto bit = [](unsigned x) { return MatrixLoop::Registers(1) << x; };
  MatrixLoop::Registers taken = bit(loop.counter);
  for (const auto &[opcode, op] : loop.steps) {
    taken |= (bit(op.a) | bit(op.b) | bit(op.c)) & ~loop.written;
    if (!isLoad(opcode) && op.d != sinkRegister)
      loop.written |= bit(op.d);
  }
  loop.written |= bit(loop.counter);
  loop.numbers = taken & pointers.numbers & ~bit(0);
}

/// Finds what each multiply reads.
void Recogniser::multiply() {
  std::array<int16_t, isa::numVectorRegs> last, current;
  last.fill(-1);
  current.fill(-1);
  int16_t load = 0;
  for (const MatrixLoop::Step &step : loop.steps)
    if (isLoad(step.opcode))
      last[step.op.d] = load++;
  auto operand = [&](uint8_t v) {
    return current[v] >= 0 ? Operand{current[v], v, false} : Operand{last[v], v, last[v] >= 0};
  };
  load = 0;
  for (auto [op, inst] : llvm::zip(body.drop_back(), insts.drop_back())) {
    if (isLoad(inst->opcode))
      current[op.d] = load++;
    if (inst->opcode != Opcode::MMUL)
      continue;
    auto known = llvm::find_if(products, [&](const Products &p) { return p.acc == op.d; });
    if (known == products.end())
      known = products.insert(known, {op.d, {}});
    known->factors.push_back({operand(op.a), operand(op.b)});
  }
}

uint32_t Recogniser::left(const Operand &operand) {
  auto known = llvm::find_if(loop.lefts, [&](auto &left) { return left.operand == operand; });
  if (known != loop.lefts.end())
    return known->offset;
  return loop.lefts.emplace_back(operand, place(operandFloats)).offset;
}

uint32_t Recogniser::right(llvm::ArrayRef<Operand> operands) {
  auto known = llvm::find_if(loop.rights, [&](const MatrixLoop::Right &right) {
    return llvm::ArrayRef(right.operands, right.count) == operands;
  });
  if (known != loop.rights.end())
    return known->offset;
  MatrixLoop::Right made = {{}, unsigned(operands.size()), 0};
  llvm::copy(operands, made.operands);
  made.offset = place(operandFloats * operands.size());
  loop.rights.push_back(made);
  return made.offset;
}

/// Joins accumulators with the same left operands in twos, and lays out the panel.
void Recogniser::tile() {
  auto sameLefts = [](const Products &a, const Products &b) {
    return llvm::equal(a.factors, b.factors, [](auto &x, auto &y) { return x.first == y.first; });
  };
  std::vector<bool> done(products.size());
  for (unsigned i = 0; i < products.size(); ++i) {
    if (done[i])
      continue;
    unsigned j = i + 1;
    while (j < products.size() && (done[j] || !sameLefts(products[i], products[j])))
      ++j;
    MatrixLoop::Tile tile = {{products[i].acc, 0}, 1, {}};
    if (j < products.size()) {
      done[j] = true;
      tile.acc[1] = products[j].acc;
      tile.count = 2;
    }
    for (unsigned k = 0; k < products[i].factors.size(); ++k) {
      llvm::SmallVector<Operand, 2> rights = {products[i].factors[k].second};
      if (tile.count == 2)
        rights.push_back(products[j].factors[k].second);
      const uint32_t leftOffset = left(products[i].factors[k].first);
      tile.factors.push_back({leftOffset, right(rights)});
    }
    loop.tiles.push_back(std::move(tile));
  }
  // An odd number of cache lines: iterations do not meet in the sets of the cache.
  loop.floats = (loop.floats / lineFloats | 1) * lineFloats;
}

} // namespace

std::optional<MatrixLoop> matrixLoop(llvm::ArrayRef<Op> code,
                                     llvm::ArrayRef<const isa::Instruction *> insts,
                                     uint32_t branch) {
  if (!insts[branch] || insts[branch]->opcode != Opcode::BDNZ || code[branch].imm >= 0)
    return std::nullopt;
  const uint32_t first = branch + code[branch].imm, length = branch + 1 - first;
  return Recogniser(code.slice(first, length), insts.slice(first, length)).run();
}

} // namespace dojo::exec

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

/// Whether the result is affine wherever the operands are.
bool isAffine(Opcode opcode) {
  return opcode == Opcode::ADD || opcode == Opcode::SUB || opcode == Opcode::ADDI ||
         opcode == Opcode::MULI || opcode == Opcode::SHLI || opcode == Opcode::LI ||
         opcode == Opcode::LIS;
}

class Recogniser {
public:
  Recogniser(llvm::ArrayRef<Op> body, llvm::ArrayRef<const isa::Instruction *> insts)
      : body(body), insts(insts) {}

  std::optional<MatrixLoop> run() {
    if (!collect() || !carry())
      return std::nullopt;
    multiply();
    tile();
    if (loop.floats > MatrixLoop::panelFloats)
      return std::nullopt;
    return std::move(loop);
  }

private:
  bool collect();
  bool carry();
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
  unsigned loads = 0;
  for (auto [op, inst] : llvm::zip(body.drop_back(), insts.drop_back())) {
    if (!inst)
      return false;
    if (inst->opcode == Opcode::MMUL) {
      ++loop.multiplies;
      continue;
    }
    if (!isLoad(inst->opcode) && !isAffine(inst->opcode))
      return false;
    loads += isLoad(inst->opcode);
    loop.steps.push_back({inst->opcode, op.d, op.a, op.b, op.c, op.imm});
  }
  loop.counter = body.back().d;
  loop.length = body.size();
  return loop.multiplies && loop.counter && loads <= MatrixLoop::maxLoads;
}

/// Finds how the scalars move that are read before the body writes them.
bool Recogniser::carry() {
  std::array<unsigned, isa::numScalarRegs + 1> writes = {};
  std::array<bool, isa::numScalarRegs + 1> taken = {}, written = {};
  for (const MatrixLoop::Step &step : loop.steps)
    if (isAffine(step.opcode))
      ++writes[step.d];
  if (writes[loop.counter])
    return false;
  loop.carried.push_back({loop.counter, 0, false, -1});
  for (const MatrixLoop::Step &step : loop.steps) {
    for (uint8_t x : {step.a, step.b, step.c})
      taken[x] |= writes[x] && !written[x];
    if (isAffine(step.opcode))
      written[step.d] = true;
  }
  for (const MatrixLoop::Step &step : loop.steps) {
    if (!isAffine(step.opcode) || !taken[step.d])
      continue;
    const bool adds = step.opcode == Opcode::ADD, down = step.opcode == Opcode::SUB;
    const uint8_t by = adds && step.b == step.d ? step.a : step.b;
    const bool moves = adds ? step.a == step.d || step.b == step.d : step.a == step.d;
    if (writes[step.d] != 1 || !moves || (!adds && !down && step.opcode != Opcode::ADDI))
      return false;
    if (step.opcode == Opcode::ADDI)
      loop.carried.push_back({step.d, 0, false, step.imm});
    else if (!writes[by] && by != loop.counter)
      loop.carried.push_back({step.d, by, down, 0});
    else
      return false;
  }
  return true;
}

/// Finds what each multiply reads.
void Recogniser::multiply() {
  std::array<int16_t, isa::numVectorRegs> last, current;
  last.fill(-1);
  current.fill(-1);
  int16_t load = 0;
  for (const MatrixLoop::Step &step : loop.steps)
    if (isLoad(step.opcode))
      last[step.d] = load++;
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

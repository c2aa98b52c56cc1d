//===- MatrixLoops.cpp - recognition of loops that multiply ---------------===//
#include "MatrixLoops.h"
#include "llvm/ADT/STLExtras.h"

namespace dojo::exec {
namespace {

using isa::Opcode;
using Operand = MatrixLoop::Operand;
using Stream = MatrixLoop::Stream;

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

/// What vector registers hold as the body goes on.
class Vectors {
public:
  Vectors() {
    for (unsigned v = 0; v < isa::numVectorRegs; ++v)
      values[v] = {-1, uint8_t(v)};
  }

  void load(uint8_t to) { values[to] = {loads++, to}; }
  void copy(uint8_t to, uint8_t from) { values[to] = values[from]; }

  /// What a load of this iteration brought, or what a register held when it began.
  struct Value {
    int16_t load;
    uint8_t entry;
    bool operator==(const Value &) const = default;
  };
  Value operator[](uint8_t v) const { return values[v]; }

private:
  std::array<Value, isa::numVectorRegs> values;
  int16_t loads = 0;
};

class Recogniser {
public:
  Recogniser(llvm::ArrayRef<Op> body, llvm::ArrayRef<const isa::Instruction *> insts)
      : body(body), insts(insts) {}

  std::optional<MatrixLoop> run() {
    if (!collect())
      return std::nullopt;
    points();
    if (!multiply())
      return std::nullopt;
    tile();
    if (2 * loop.floats > MatrixLoop::panelFloats)
      return std::nullopt;
    return std::move(loop);
  }

private:
  bool collect();
  void points();
  bool multiply();
  void tile();
  std::optional<Operand> operand(Vectors::Value value) const;
  MatrixLoop::Tile::Side side(std::vector<Stream> &streams, std::vector<Operand> operands,
                              unsigned width);

  /// The factors of one accumulator, in the order of the body.
  struct Products {
    uint8_t acc;
    std::vector<Operand> lefts, rights;
  };

  llvm::ArrayRef<Op> body;
  llvm::ArrayRef<const isa::Instruction *> insts;
  MatrixLoop loop = {};
  Vectors last; ///< after the body
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
    if (inst->opcode == Opcode::VMOV) {
      last.copy(op.d, op.a);
      continue;
    }
    if (!isLoad(inst->opcode) && !isArithmetic(*inst))
      return false;
    if (isLoad(inst->opcode)) {
      ++loop.loads;
      last.load(op.d);
    } else if (op.d == loop.counter) {
      return false;
    }
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

/// Follows a register through earlier iterations; nothing where copies go round without
/// a load, or further back than is kept.
std::optional<Operand> Recogniser::operand(Vectors::Value value) const {
  Operand found = {-1, 0, {}};
  for (; value.load < 0; value = last[value.entry], ++found.delay) {
    if (found.delay > MatrixLoop::maxDelay)
      return std::nullopt;
    found.kept[found.delay] = value.entry;
    if (last[value.entry] == value)
      return found;
  }
  found.load = value.load;
  return found;
}

/// Finds what each multiply reads, and what registers hold between iterations.
bool Recogniser::multiply() {
  Vectors now;
  for (auto [op, inst] : llvm::zip(body.drop_back(), insts.drop_back())) {
    if (isLoad(inst->opcode))
      now.load(op.d);
    if (inst->opcode == Opcode::VMOV)
      now.copy(op.d, op.a);
    if (inst->opcode != Opcode::MMUL)
      continue;
    auto known = llvm::find_if(products, [&](const Products &p) { return p.acc == op.d; });
    if (known == products.end())
      known = products.insert(known, {op.d, {}, {}});
    const std::optional<Operand> left = operand(now[op.a]), right = operand(now[op.b]);
    if (!left || !right)
      return false;
    known->lefts.push_back(*left);
    known->rights.push_back(*right);
  }
  for (unsigned v = 0; v < isa::numVectorRegs; ++v) {
    const Vectors::Value begun = {-1, uint8_t(v)};
    if (last[v] == begun)
      continue;
    const std::optional<Operand> between = operand(begun);
    if (!between)
      return false;
    loop.held.emplace_back(v, *between);
  }
  return true;
}

/// What the operand is an iteration later.
Operand later(const Operand &operand) {
  Operand next = {operand.load, uint8_t(operand.delay - 1), {}};
  std::copy(operand.kept.begin() + 1, operand.kept.end(), next.kept.begin());
  return next;
}

/// Moves what begins with loads of the iteration before to the end of that iteration.
Stream aligned(std::vector<Operand> operands, unsigned width) {
  auto isDelayed = [](const Operand &operand) { return operand.load >= 0 && operand.delay; };
  const size_t leading =
      std::find_if_not(operands.begin(), operands.end(), isDelayed) - operands.begin();
  Stream stream = {{}, std::move(operands), width};
  stream.leads.assign(stream.operands.begin(), stream.operands.begin() + leading / width * width);
  const auto middle = stream.operands.begin() + stream.leads.size();
  std::transform(stream.operands.begin(), middle, stream.operands.begin(), later);
  std::rotate(stream.operands.begin(), middle, stream.operands.end());
  return stream;
}

bool endsWith(llvm::ArrayRef<Operand> operands, llvm::ArrayRef<Operand> end) {
  return operands.size() >= end.size() && operands.take_back(end.size()) == end;
}

MatrixLoop::Tile::Side Recogniser::side(std::vector<Stream> &streams, std::vector<Operand> operands,
                                        unsigned width) {
  Stream made = aligned(std::move(operands), width);
  const unsigned leads = made.leads.size();
  auto known = llvm::find_if(streams, [&](const Stream &stream) {
    return stream.width == width && stream.operands == made.operands &&
           (endsWith(stream.leads, made.leads) || endsWith(made.leads, stream.leads));
  });
  if (known == streams.end()) {
    loop.floats += made.floats();
    known = streams.insert(known, std::move(made));
  } else if (known->leads.size() < leads) {
    known->leads = std::move(made.leads);
  }
  return {unsigned(known - streams.begin()), leads};
}

/// Joins accumulators with the same left operands in twos.
void Recogniser::tile() {
  std::vector<bool> done(products.size());
  for (unsigned i = 0; i < products.size(); ++i) {
    if (done[i])
      continue;
    unsigned j = i + 1;
    while (j < products.size() && (done[j] || products[i].lefts != products[j].lefts))
      ++j;
    MatrixLoop::Tile tile = {{products[i].acc, 0}, 1, {}, {}};
    std::vector<Operand> rights = products[i].rights;
    if (j < products.size()) {
      done[j] = true;
      tile.acc[1] = products[j].acc;
      tile.count = 2;
      rights.clear();
      for (auto [a, b] : llvm::zip(products[i].rights, products[j].rights))
        rights.insert(rights.end(), {a, b});
    }
    tile.left = side(loop.lefts, products[i].lefts, 1);
    tile.right = side(loop.rights, std::move(rights), tile.count);
    loop.tiles.push_back(tile);
  }
  // What two accumulators take side by side is longest: it stays in the host's first cache.
  llvm::sort(loop.tiles, [](const MatrixLoop::Tile &a, const MatrixLoop::Tile &b) {
    return std::pair(a.right.stream, a.acc[0]) < std::pair(b.right.stream, b.acc[0]);
  });
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

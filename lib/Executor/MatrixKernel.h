//===- MatrixKernel.h - a loop of multiplies as one piece of work ---------===//
//
// Included by Interpreter.h once for each host. Operands are widened to FP32 into
// panels of a few iterations; then each accumulator stays in host registers
// while it gets its products. Every element sees the fused steps that single
// instructions would do, in the same order.
//
//===----------------------------------------------------------------------===//

namespace dojo::exec::DOJO_HOST {

using U64x2 = uint64_t __attribute__((vector_size(16)));

//===-- Products ----------------------------------------------------------===//

DOJO_INLINE void readRow(Node &node, const uint8_t *accs, unsigned row, F32 &sum) {
  F32x8 halves[2];
  memcpy(&halves[0], rowOf(node, accs[0], row), sizeof(F32x8));
  memcpy(&halves[1], rowOf(node, accs[1], row), sizeof(F32x8));
  sum = __builtin_shufflevector(halves[0], halves[1], 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
                                14, 15);
}
DOJO_INLINE void writeRow(Node &node, const uint8_t *accs, unsigned row, F32 sum) {
  const U32 bits = canonical(sum);
  memcpy(rowOf(node, accs[0], row), &bits, sizeof(F32x8));
  memcpy(rowOf(node, accs[1], row), reinterpret_cast<const char *>(&bits) + sizeof(F32x8),
         sizeof(F32x8));
}

template <class Row, unsigned rows>
void multiplyTile(Node &node, const MatrixLoop &loop, const MatrixLoop::Tile &tile,
                  const float *panel, unsigned iterations) {
  for (unsigned first = 0; first < isa::matrixRows; first += rows) {
    Row sum[rows];
    for (unsigned r = 0; r < rows; ++r)
      readRow(node, tile.acc, first + r, sum[r]);
    const float *at = panel;
    for (unsigned t = 0; t < iterations; ++t, at += loop.floats)
      for (auto [left, right] : tile.factors)
        accumulate(sum, at + left + first * isa::matrixDepth, at + right);
    for (unsigned r = 0; r < rows; ++r)
      writeRow(node, tile.acc, first + r, sum[r]);
  }
}

//===-- Operands ----------------------------------------------------------===//

/// Where a load finds its pieces in iteration 0, and how far that moves.
struct Source {
  const char *base;
  int64_t step;
  int64_t offsets[8];
  uint8_t pieces;
};

/// Widens the 32 numbers of an operand, eight at a time.
DOJO_INLINE void widenOperand(const Source &source, const char *base, float *to, unsigned stride) {
  for (unsigned i = 0; i < 4; ++i) {
    U16x8 halves;
    if (source.pieces == 8) {
      U64x2 two;
      memcpy(&two, base + source.offsets[2 * i], sizeof(uint64_t));
      memcpy(reinterpret_cast<char *>(&two) + sizeof(uint64_t), base + source.offsets[2 * i + 1],
             sizeof(uint64_t));
      halves = U16x8(two);
    } else {
      memcpy(&halves, base + source.offsets[i], sizeof(halves));
    }
    widenEight(halves, to + i * stride);
  }
}

/// Fills the operand's place in the panels of iterations [begin, begin + count).
void widen(const Node &node, const MatrixLoop &loop, const Source *sources,
           const MatrixLoop::Operand &operand, uint64_t begin, unsigned count, float *to,
           unsigned stride) {
  unsigned t = 0;
  if (operand.load < 0) {
    for (; t < count; ++t)
      widenRegister(node.v[operand.v], to + t * loop.floats, stride);
    return;
  }
  if (operand.before && begin == 0) {
    widenRegister(node.v[operand.v], to, stride);
    t = 1;
  }
  const Source source = sources[operand.load];
  const char *base = source.base + source.step * int64_t(begin + t - operand.before);
  for (; t < count; ++t, base += source.step)
    widenOperand(source, base, to + t * loop.floats, stride);
}

void widenAll(const Node &node, const MatrixLoop &loop, const Source *sources, uint64_t begin,
              unsigned count, float *panel) {
  constexpr unsigned lanes = 8;
  for (const MatrixLoop::Left &left : loop.lefts)
    widen(node, loop, sources, left.operand, begin, count, panel + left.offset, lanes);
  for (const MatrixLoop::Right &right : loop.rights)
    for (unsigned side = 0; side < right.count; ++side)
      widen(node, loop, sources, right.operands[side], begin, count,
            panel + right.offset + side * lanes, right.count * lanes);
}

//===-- The loop ----------------------------------------------------------===//

/// The value of a scalar in iteration t is value + t * step, modulo 2^64.
struct Affine {
  uint64_t value, step;
};

DOJO_INLINE Affine result(const MatrixLoop::Step &step, const Affine *x) {
  const Affine a = x[step.a], b = x[step.b];
  const uint64_t imm = int64_t(step.imm);
  switch (step.opcode) {
  case Opcode::ADD:
    return {a.value + b.value, a.step + b.step};
  case Opcode::SUB:
    return {a.value - b.value, a.step - b.step};
  case Opcode::ADDI:
    return {a.value + imm, a.step};
  case Opcode::MULI:
    return {a.value * imm, a.step * imm};
  case Opcode::SHLI:
    return {a.value << (imm & 63), a.step << (imm & 63)};
  case Opcode::LIS:
    return {a.value << 14 | imm, a.step << 14};
  default:
    return {imm, 0};
  }
}

/// Finds the pieces of a load; false if one of them, in any of `trips` iterations,
/// lies outside the SRAM or may not be read.
template <bool strict>
bool resolve(Node &node, const MatrixLoop::Step &step, const Affine *x, uint64_t trips,
             Source &source) {
  constexpr int64_t far = int64_t(1) << 31;
  const bool gathers = step.opcode != Opcode::VLD;
  const uint64_t address = x[step.a].value + (gathers ? 0 : step.imm);
  const int64_t move = x[step.a].step, b = x[step.b].value, c = x[step.c].value;
  source.pieces = step.opcode == Opcode::VLDG8 ? 8 : 4;
  source.step = move;
  const int64_t size = sizeof(U32) / source.pieces;
  if (address > node.sramBytes || std::abs(move) > far || trips > uint64_t(far))
    return false;
  if (gathers && (x[step.b].step || x[step.c].step || std::abs(b) > far || std::abs(c) > far))
    return false;
  int64_t least = 0, greatest = 0;
  for (unsigned i = 0; i < source.pieces; ++i) {
    const int64_t offset =
        gathers ? (i & ((1u << step.imm) - 1)) * b + (i >> step.imm) * c : i * size;
    source.offsets[i] = offset;
    least = std::min(least, offset);
    greatest = std::max(greatest, offset);
  }
  const int64_t reach = move * int64_t(trips - 1);
  (reach < 0 ? least : greatest) += reach;
  const int64_t end = int64_t(address) + greatest + size;
  if (int64_t(address) + least < 0 || end > int64_t(node.sramBytes))
    return false;
  source.base = node.sram + address;
  if constexpr (strict)
    for (uint64_t t = 0; t < trips; ++t)
      for (unsigned i = 0; i < source.pieces; ++i)
        if (readablePrefix(node.shadow + address + move * int64_t(t) + source.offsets[i], size) !=
            uint64_t(size))
          return false;
  node.touched = std::max<uint64_t>(node.touched, end);
  return true;
}

/// Leaves the vector registers as the last iteration does.
DOJO_INLINE void loadLast(Node &node, const MatrixLoop::Step &step, const Source &source,
                          uint64_t trips) {
  const char *base = source.base + source.step * int64_t(trips - 1);
  char *to = reinterpret_cast<char *>(&node.v[step.d]);
  const unsigned size = sizeof(U32) / source.pieces;
  for (unsigned i = 0; i < source.pieces; ++i)
    memcpy(to + i * size, base + source.offsets[i], size);
}

/// Runs as many whole iterations as the budget allows and gives their number; 0,
/// with nothing changed, where only single steps will do.
template <bool strict>
[[gnu::noinline]] uint64_t multiplyMatrices(Node &node, const MatrixLoop &loop, int64_t budget) {
  const uint64_t most = uint64_t(budget - 1) / loop.length;
  const uint64_t trips = std::min(node.x[loop.counter] - 1, most - 1) + 1;
  if (!most)
    return 0;
  Affine x[isa::numScalarRegs + 1];
  for (unsigned i = 0; i <= isa::numScalarRegs; ++i)
    x[i] = {node.x[i], 0};
  for (const MatrixLoop::Carried &carried : loop.carried) {
    const uint64_t by = node.x[carried.by] + int64_t(carried.imm);
    x[carried.x].step = carried.down ? -by : by;
  }
  Source sources[MatrixLoop::maxLoads];
  const uint64_t touched = node.touched;
  unsigned load = 0;
  for (const MatrixLoop::Step &step : loop.steps)
    if (step.opcode != Opcode::VLD && step.opcode != Opcode::VLDG8 && step.opcode != Opcode::VLDG16)
      x[step.d] = result(step, x);
    else if (!resolve<strict>(node, step, x, trips, sources[load++]))
      return node.touched = touched, 0;
  x[loop.counter].value -= 1;

  alignas(64) float panel[MatrixLoop::panelFloats];
  const unsigned fit = MatrixLoop::panelFloats / loop.floats;
  for (uint64_t begin = 0; begin < trips; begin += fit) {
    const unsigned count = std::min<uint64_t>(fit, trips - begin);
    widenAll(node, loop, sources, begin, count, panel);
    for (const MatrixLoop::Tile &tile : loop.tiles)
      if (tile.count == 2)
        multiplyTile<F32, DOJO_HOST_ROWS>(node, loop, tile, panel, count);
      else
        multiplyTile<F32x8, isa::matrixRows>(node, loop, tile, panel, count);
  }

  load = 0;
  for (const MatrixLoop::Step &step : loop.steps)
    if (step.opcode == Opcode::VLD || step.opcode == Opcode::VLDG8 || step.opcode == Opcode::VLDG16)
      loadLast(node, step, sources[load++], trips);
  for (unsigned i = 1; i < isa::numScalarRegs; ++i)
    node.x[i] = x[i].value + x[i].step * (trips - 1);
  node.counters.mmul += trips * loop.multiplies;
  node.counters.batched += trips * loop.multiplies;
  return trips;
}

template <bool strict, bool timed>
void runMatrixLoop(Node &node, const Op *pc, int64_t budget) {
  const uint32_t first = uint32_t(pc - node.code);
  const MatrixLoop &loop = node.mesh->matrixLoops.find(first)->second;
  const uint64_t trips = multiplyMatrices<strict>(node, loop, budget);
  if (!trips) [[clang::musttail]]
    return loop.plain(node, pc, budget);
  const Op *next = node.x[loop.counter] ? pc : pc + loop.length;
  if constexpr (timed)
    node.clock->looped(first, trips - 1, uint32_t(next - node.code));
  budget -= int64_t(trips * loop.length);
  [[clang::musttail]] return next->run(node, next, budget);
}

Handler matrixLoopHandler(bool strict, bool timed) {
  return strict  ? timed ? runMatrixLoop<true, true> : runMatrixLoop<true, false>
         : timed ? runMatrixLoop<false, true>
                 : runMatrixLoop<false, false>;
}

} // namespace dojo::exec::DOJO_HOST

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

/// What a load's addresses are counted from, by phase.
struct Base {
  const char *of[MatrixLoop::maxPhases];
};

/// Where the load finds its pieces in iteration `trip`.
DOJO_INLINE const char *place(const MatrixWalk::Load &load, const Base &base, unsigned phases,
                              uint64_t trip) {
  return base.of[std::min<uint64_t>(trip, phases - 1)] + load.at[trip];
}

/// Widens the 32 numbers of an operand, eight at a time; piece i stands at from + offset(i).
template <unsigned pieces, class F>
DOJO_INLINE void widenPieces(const char *from, float *to, unsigned stride, F offset) {
  for (unsigned i = 0; i < 4; ++i) {
    U16x8 halves;
    if constexpr (pieces == 8) {
      U64x2 two;
      memcpy(&two, from + offset(2 * i), sizeof(uint64_t));
      memcpy(reinterpret_cast<char *>(&two) + sizeof(uint64_t), from + offset(2 * i + 1),
             sizeof(uint64_t));
      halves = U16x8(two);
    } else {
      memcpy(&halves, from + offset(i), sizeof(halves));
    }
    widenEight(halves, to + i * stride);
  }
}

/// One loop as it runs now.
struct Running {
  Node &node;
  const MatrixLoop &loop;
  const MatrixWalk &walk;
  Base bases[MatrixLoop::maxLoads];
};

/// Widens what a load brings in iterations [trip, trip + count).
template <unsigned pieces, unsigned stride>
void widenLoad(const Running &run, int16_t number, uint64_t trip, unsigned count, float *to) {
  const MatrixWalk::Load &load = run.walk.loads[number];
  const Base &base = run.bases[number];
  const unsigned phases = run.loop.phases.size(), floats = run.loop.floats;
  const int64_t between = load.offsets[1];
  if (load.uniform) {
    for (unsigned t = 0; t < count; ++t)
      widenPieces<pieces>(place(load, base, phases, trip + t), to + t * floats, stride,
                          [between](unsigned i) { return int64_t(i) * between; });
    return;
  }
  for (unsigned t = 0; t < count; ++t)
    widenPieces<pieces>(place(load, base, phases, trip + t), to + t * floats, stride,
                        [&](unsigned i) { return load.offsets[i]; });
}

/// Fills the operand's place in the panels of iterations [begin, begin + count).
template <unsigned stride>
void widen(const Running &run, const MatrixLoop::Operand &operand, uint64_t begin, unsigned count,
           float *to) {
  const unsigned floats = run.loop.floats;
  if (operand.load < 0) {
    for (unsigned t = 0; t < count; ++t)
      widenRegister(run.node.v[operand.v], to + t * floats, stride);
    return;
  }
  const bool kept = operand.before && begin == 0;
  if (kept)
    widenRegister(run.node.v[operand.v], to, stride);
  const uint64_t trip = begin + kept - operand.before;
  if (run.walk.loads[operand.load].pieces == 8)
    widenLoad<8, stride>(run, operand.load, trip, count - kept, to + kept * floats);
  else
    widenLoad<4, stride>(run, operand.load, trip, count - kept, to + kept * floats);
}

void widenAll(const Running &run, uint64_t begin, unsigned count, float *panel) {
  constexpr unsigned lanes = isa::matrixColumns;
  for (const MatrixLoop::Left &left : run.loop.lefts)
    widen<lanes>(run, left.operand, begin, count, panel + left.offset);
  for (const MatrixLoop::Right &right : run.loop.rights)
    if (right.count == 1)
      widen<lanes>(run, right.operands[0], begin, count, panel + right.offset);
    else
      for (unsigned side = 0; side < 2; ++side)
        widen<2 * lanes>(run, right.operands[side], begin, count,
                         panel + right.offset + side * lanes);
}

//===-- The loop ----------------------------------------------------------===//

DOJO_INLINE uint64_t sum(const Node &node, MatrixLoop::Registers pointers) {
  uint64_t total = 0;
  for (; pointers; pointers &= pointers - 1)
    total += node.x[__builtin_ctz(pointers)];
  return total;
}

/// Finds the bases of a load; false if a piece, in any iteration, lies outside the SRAM
/// or may not be read.
template <bool strict>
bool resolve(Running &run, unsigned number) {
  Node &node = run.node;
  const MatrixWalk::Load &load = run.walk.loads[number];
  const unsigned phases = std::min<uint64_t>(run.loop.phases.size(), run.walk.trips);
  for (unsigned phase = 0; phase < phases; ++phase) {
    const uint64_t base = sum(node, run.loop.phases[phase].pointersOfLoads[number]);
    const MatrixWalk::Extent extent = load.extents[phase];
    // Pointers are small or, with what is added to them, wrap to something small.
    const uint64_t first = base + extent.least, end = base + extent.greatest;
    if (first > node.sramBytes || end > node.sramBytes || first > end)
      return false;
    node.touched = std::max(node.touched, end);
    run.bases[number].of[phase] = node.sram + int64_t(base);
  }
  for (unsigned phase = phases; phase < run.loop.phases.size(); ++phase)
    run.bases[number].of[phase] = nullptr;
  if constexpr (strict)
    for (uint64_t t = 0; t < run.walk.trips; ++t)
      for (unsigned i = 0; i < load.pieces; ++i) {
        const char *piece =
            place(load, run.bases[number], run.loop.phases.size(), t) + load.offsets[i];
        const uint64_t size = sizeof(U32) / load.pieces;
        if (readablePrefix(node.shadow + (piece - node.sram), size) != size)
          return false;
        note(node, piece - node.sram, size);
      }
  return true;
}

/// Leaves the vector registers as the last iteration does.
DOJO_INLINE void loadLast(const Running &run, unsigned number, uint8_t to) {
  const MatrixWalk::Load &load = run.walk.loads[number];
  const char *from = place(load, run.bases[number], run.loop.phases.size(), run.walk.trips - 1);
  const unsigned size = sizeof(U32) / load.pieces;
  for (unsigned i = 0; i < load.pieces; ++i)
    memcpy(reinterpret_cast<char *>(&run.node.v[to]) + i * size, from + load.offsets[i], size);
}

void leaveRegisters(const Running &run) {
  Node &node = run.node;
  unsigned load = 0;
  for (const MatrixLoop::Step &step : run.loop.steps)
    if (isLoad(step.opcode))
      loadLast(run, load++, step.op.d);
  uint64_t scalars[isa::numScalarRegs];
  const unsigned phase = std::min<uint64_t>(run.walk.trips, run.loop.phases.size() - 1);
  for (MatrixLoop::Registers left = run.loop.written; left; left &= left - 1) {
    const unsigned x = __builtin_ctz(left);
    scalars[x] = run.walk.scalars[x] + sum(node, run.loop.phases[phase].pointers[x]);
  }
  for (MatrixLoop::Registers left = run.loop.written; left; left &= left - 1)
    node.x[__builtin_ctz(left)] = scalars[__builtin_ctz(left)];
}

const MatrixWalk &walkOf(Node &node, const MatrixLoop &loop, uint32_t first, uint64_t trips) {
  MatrixWalks::Key key = {first, trips};
  for (MatrixLoop::Registers left = loop.numbers; left; left &= left - 1)
    key.push_back(node.x[__builtin_ctz(left)]);
  return node.walks->find(key, [&](MatrixWalk &walk) { evaluate(node, loop, trips, walk); });
}

/// Runs as many whole iterations as the budget allows and gives their number; 0,
/// with nothing changed, where only single steps will do.
template <bool strict>
[[gnu::noinline]] uint64_t multiplyMatrices(Node &node, const MatrixLoop &loop, uint32_t first,
                                            int64_t budget) {
  const uint64_t most = std::min(uint64_t(budget - 1) / loop.length, MatrixLoop::maxTrips);
  if (!most)
    return 0;
  const MatrixWalk &walk =
      walkOf(node, loop, first, std::min(node.x[loop.counter] - 1, most - 1) + 1);
  if (!walk.trips)
    return 0;
  Running run = {node, loop, walk, {}};
  const uint64_t touched = node.touched, trips = walk.trips;
  for (unsigned load = 0; load < loop.loads; ++load)
    if (!resolve<strict>(run, load))
      return node.touched = touched, 0;

  alignas(64) float panel[MatrixLoop::panelFloats];
  const unsigned fit = MatrixLoop::panelFloats / loop.floats;
  for (uint64_t begin = 0; begin < trips; begin += fit) {
    const unsigned count = std::min<uint64_t>(fit, trips - begin);
    widenAll(run, begin, count, panel);
    for (const MatrixLoop::Tile &tile : loop.tiles)
      if (tile.count == 2)
        multiplyTile<F32, DOJO_HOST_ROWS>(node, loop, tile, panel, count);
      else
        multiplyTile<F32x8, isa::matrixRows>(node, loop, tile, panel, count);
  }
  leaveRegisters(run);
  node.counters.mmul += trips * loop.multiplies;
  node.counters.batched += trips * loop.multiplies;
  return trips;
}

template <bool strict, bool timed>
void runMatrixLoop(Node &node, const Op *pc, int64_t budget) {
  const uint32_t first = uint32_t(pc - node.code);
  const MatrixLoop &loop = node.mesh->matrixLoops.find(first)->second;
  const uint64_t trips = multiplyMatrices<strict>(node, loop, first, budget);
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

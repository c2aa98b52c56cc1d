//===- MatrixKernel.h - a loop of multiplies as one piece of work ---------===//
//
// Included by Interpreter.h once for each host. Operands are widened to FP32 into a
// panel, stream by stream; then each accumulator stays in host registers while it gets
// its products. Every element sees the fused steps that single
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

/// Adds the products of `steps` pairs of operands, which follow each other in both streams.
template <class Row, unsigned rows>
[[gnu::noinline]] void multiplyTile(Node &node, const uint8_t *accs, const float *left,
                                    const float *right, uint64_t steps) {
  constexpr unsigned rightFloats = isa::matrixDepth * (sizeof(Row) / sizeof(float));
  for (unsigned first = 0; first < isa::matrixRows; first += rows) {
    Row sum[rows];
    for (unsigned r = 0; r < rows; ++r)
      readRow(node, accs, first + r, sum[r]);
    const float *l = left + first * isa::matrixDepth, *r = right;
    for (uint64_t step = 0; step < steps; ++step) {
      accumulate(sum, l, r);
      l += MatrixLoop::operandFloats;
      r += rightFloats;
    }
    for (unsigned r = 0; r < rows; ++r)
      writeRow(node, accs, first + r, sum[r]);
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
  /// What each load reads, all iterations together.
  Bytes bytes[MatrixLoop::maxLoads];
};

/// Floats from one row of an operand to the next, and from one iteration to the next.
struct Strides {
  unsigned row, iteration;
};

/// Widens what a load brings in iterations [trip, trip + count).
template <unsigned pieces>
void widenLoad(const Running &run, int16_t number, uint64_t trip, unsigned count, float *to,
               Strides strides) {
  const MatrixWalk::Load &load = run.walk.loads[number];
  const Base &base = run.bases[number];
  const unsigned phases = run.loop.phases.size();
  const int64_t between = load.offsets[1];
  if (load.uniform) {
    for (unsigned t = 0; t < count; ++t, to += strides.iteration)
      widenPieces<pieces>(place(load, base, phases, trip + t), to, strides.row,
                          [between](unsigned i) { return int64_t(i) * between; });
    return;
  }
  for (unsigned t = 0; t < count; ++t, to += strides.iteration)
    widenPieces<pieces>(place(load, base, phases, trip + t), to, strides.row,
                        [&](unsigned i) { return load.offsets[i]; });
}

/// Fills the operand's places for iterations [begin, begin + count), or for those of them alone
/// that find what was in a register when the loop began.
void widen(const Running &run, const MatrixLoop::Operand &operand, uint64_t begin, unsigned count,
           float *to, Strides strides, bool fromRegisters) {
  unsigned t = 0;
  for (; t < count && (operand.load < 0 || begin + t < operand.delay); ++t, to += strides.iteration)
    widenRegister(run.node.v[operand.kept[std::min<uint64_t>(begin + t, operand.delay)]], to,
                  strides.row);
  if (t == count || fromRegisters)
    return;
  const uint64_t trip = begin + t - operand.delay;
  if (run.walk.loads[operand.load].pieces == 8)
    widenLoad<8>(run, operand.load, trip, count - t, to, strides);
  else
    widenLoad<4>(run, operand.load, trip, count - t, to, strides);
}

/// The stream's leads, and its operands in iterations [begin, begin + count), as FP32.
const float *panelOf(const Running &run, const MatrixLoop::Stream &stream, uint64_t begin,
                     unsigned count) {
  MatrixPanels::Key key = {reinterpret_cast<uintptr_t>(&stream), run.walk.serial, begin};
  llvm::SmallVector<Bytes, 16> bytes;
  for (const MatrixLoop::Operand &operand : stream.operands) {
    if (operand.load < 0)
      continue;
    bytes.push_back(run.bytes[operand.load]);
    for (unsigned phase = 0; phase < run.loop.phases.size(); ++phase)
      key.push_back(reinterpret_cast<uintptr_t>(run.bases[operand.load].of[phase]));
  }
  const uint32_t leads = stream.leads.size();
  const MatrixPanels::Panel panel = run.node.tables->panels.find(
      key, leads * MatrixLoop::operandFloats + stream.floats() * count, bytes);
  constexpr unsigned lanes = isa::matrixColumns;
  const Strides strides = {stream.width * lanes, stream.floats()};
  auto fill = [&](llvm::ArrayRef<MatrixLoop::Operand> operands, unsigned iterations, float *to) {
    for (unsigned i = 0; i < operands.size(); i += stream.width)
      for (unsigned side = 0; side < stream.width; ++side)
        widen(run, operands[i + side], begin, iterations,
              to + i * MatrixLoop::operandFloats + side * lanes, strides, panel.filled);
  };
  fill(stream.leads, 1, panel.at);
  fill(stream.operands, count, panel.at + leads * MatrixLoop::operandFloats);
  return panel.at;
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
  Bytes &bytes = run.bytes[number];
  bytes = {UINT64_MAX, 0};
  for (unsigned phase = 0; phase < phases; ++phase) {
    const uint64_t base = sum(node, run.loop.phases[phase].pointersOfLoads[number]);
    const MatrixWalk::Extent extent = load.extents[phase];
    // Pointers are small or, with what is added to them, wrap to something small.
    const uint64_t first = base + extent.least, end = base + extent.greatest;
    if (first > node.sramBytes || end > node.sramBytes || first > end)
      return false;
    node.touch(end);
    run.bases[number].of[phase] = node.sram + int64_t(base);
    bytes = {std::min(bytes.begin, first), std::max(bytes.end, end)};
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

/// What the register with this history holds when the loop is left.
DOJO_INLINE U32 leftIn(const Running &run, const MatrixLoop::Operand &operand) {
  if (operand.load < 0 || run.walk.trips < operand.delay)
    return run.node.v[operand.kept[std::min<uint64_t>(run.walk.trips, operand.delay)]];
  const MatrixWalk::Load &load = run.walk.loads[operand.load];
  const char *from =
      place(load, run.bases[operand.load], run.loop.phases.size(), run.walk.trips - operand.delay);
  const unsigned size = sizeof(U32) / load.pieces;
  U32 value;
  for (unsigned i = 0; i < load.pieces; ++i)
    memcpy(reinterpret_cast<char *>(&value) + i * size, from + load.offsets[i], size);
  return value;
}

void leaveRegisters(const Running &run) {
  Node &node = run.node;
  U32 vectors[isa::numVectorRegs];
  for (const auto &[v, operand] : run.loop.held)
    vectors[v] = leftIn(run, operand);
  for (const auto &[v, operand] : run.loop.held)
    node.v[v] = vectors[v];
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
  return node.tables->walks.find(key, [&](MatrixWalk &walk) { evaluate(node, loop, trips, walk); });
}

/// The first operand of a tile's side.
DOJO_INLINE const float *firstOf(const std::vector<MatrixLoop::Stream> &streams,
                                 MatrixLoop::Tile::Side side, const float *const *panels) {
  return panels[side.stream] +
         (streams[side.stream].leads.size() - side.leads) * MatrixLoop::operandFloats;
}

/// Iterations [begin, begin + count): all products of one accumulator, then of the next.
void multiplyTiles(const Running &run, uint64_t begin, unsigned count) {
  const MatrixLoop &loop = run.loop;
  const float *lefts[MatrixLoop::maxStreams], *rights[MatrixLoop::maxStreams];
  run.node.tables->panels.reserve(MatrixLoop::panelFloats);
  for (auto [i, stream] : llvm::enumerate(loop.lefts))
    lefts[i] = panelOf(run, stream, begin, count);
  for (auto [i, stream] : llvm::enumerate(loop.rights))
    rights[i] = panelOf(run, stream, begin, count);
  for (const MatrixLoop::Tile &tile : loop.tiles) {
    const float *left = firstOf(loop.lefts, tile.left, lefts);
    const float *right = firstOf(loop.rights, tile.right, rights);
    const uint64_t steps = uint64_t(count) * loop.lefts[tile.left.stream].operands.size();
    if (tile.count == 2)
      multiplyTile<F32, DOJO_HOST_ROWS>(run.node, tile.acc, left, right, steps);
    else
      multiplyTile<F32x8, isa::matrixRows>(run.node, tile.acc, left, right, steps);
  }
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
  Running run = {node, loop, walk, {}, {}};
  const uint64_t touched = node.touched, trips = walk.trips;
  for (unsigned load = 0; load < loop.loads; ++load)
    if (!resolve<strict>(run, load))
      return node.touched = touched, 0;

  // Leads take an iteration's room at most.
  const unsigned fit = MatrixLoop::panelFloats / loop.floats - 1;
  for (uint64_t begin = 0; begin < trips; begin += fit)
    multiplyTiles(run, begin, std::min<uint64_t>(fit, trips - begin));
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

inline Handler matrixLoopHandler(bool strict, bool timed) {
  return strict  ? timed ? runMatrixLoop<true, true> : runMatrixLoop<true, false>
         : timed ? runMatrixLoop<false, true>
                 : runMatrixLoop<false, false>;
}

} // namespace dojo::exec::DOJO_HOST

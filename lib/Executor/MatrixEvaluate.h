//===- MatrixEvaluate.h - the walk of a loop, step by step ----------------===//
//
// Included by Interpreter.h once for each host; see MatrixWalks.h.
//
//===----------------------------------------------------------------------===//

namespace dojo::exec::DOJO_HOST {

/// Executes a scalar instruction of a matrix loop.
DOJO_INLINE void step(Node &node, const MatrixLoop::Step &step) {
  switch (step.opcode) {
#define DOJO_INST(record, code, mnemonic, unit, effect, ...)                                       \
  case Opcode::record:                                                                             \
    if constexpr (isa::Unit::unit == isa::Unit::integer)                                           \
      execute<false>(Is<Opcode::record>(), node, step.op);                                         \
    return;
#include "dojo/ISA/Instructions.inc"
#undef DOJO_INST
  }
}

DOJO_INLINE bool isLoad(Opcode opcode) {
  return opcode == Opcode::VLD || opcode == Opcode::VLDG8 || opcode == Opcode::VLDG16;
}

/// Notes where the load goes in iteration `trip`; false if that is too far from its
/// pointers, or if its pieces do not stand as they did in the first iteration.
inline bool noteLoad(MatrixWalk::Load &load, const Node &node, const MatrixLoop::Step &step,
                     uint64_t trip, unsigned phase) {
  constexpr int64_t far = INT32_MAX;
  const Op &op = step.op;
  const bool gathers = step.opcode != Opcode::VLD;
  const int64_t at = node.x[op.a] + (gathers ? 0 : int64_t(op.imm));
  const int64_t b = node.x[op.b], c = node.x[op.c];
  if (at < -far || at > far || (gathers && (b < -far || b > far || c < -far || c > far)))
    return false;
  load.pieces = step.opcode == Opcode::VLDG8 ? 8 : 4;
  const int64_t size = sizeof(U32) / load.pieces;
  int64_t least = 0, greatest = 0;
  load.uniform = true;
  for (unsigned i = 0; i < load.pieces; ++i) {
    const int64_t offset = gathers ? (i & ((1u << op.imm) - 1)) * b + (i >> op.imm) * c : i * size;
    if (trip && load.offsets[i] != offset)
      return false;
    load.offsets[i] = offset;
    load.uniform &= offset == int64_t(i) * load.offsets[i ? 1 : 0];
    least = std::min(least, offset);
    greatest = std::max(greatest, offset + size);
  }
  MatrixWalk::Extent &extent = load.extents[phase];
  extent.least = std::min(extent.least, at + least);
  extent.greatest = std::max(extent.greatest, at + greatest);
  load.at.push_back(int32_t(at));
  return true;
}

/// Evaluates up to `trips` iterations; the node's scalars stay as they are.
[[gnu::noinline]] inline void evaluate(Node &node, const MatrixLoop &loop, uint64_t trips,
                                       MatrixWalk &walk) {
  uint64_t kept[isa::numScalarRegs + 1], begun[isa::numScalarRegs + 1];
  memcpy(kept, node.x, sizeof(kept));
  for (unsigned x = 1; x < isa::numScalarRegs; ++x)
    if (loop.phases.front().pointers[x])
      node.x[x] = 0;
  walk.loads.resize(loop.loads);
  for (MatrixWalk::Load &load : walk.loads) {
    load.at.reserve(trips);
    for (MatrixWalk::Extent &extent : load.extents)
      extent = {INT64_MAX, INT64_MIN};
  }
  for (bool goesOn = true; goesOn && walk.trips < trips;) {
    memcpy(begun, node.x, sizeof(begun));
    const unsigned phase = std::min<uint64_t>(walk.trips, loop.phases.size() - 1);
    unsigned load = 0;
    for (const MatrixLoop::Step &each : loop.steps) {
      if (!isLoad(each.opcode))
        step(node, each);
      else if (!(goesOn = noteLoad(walk.loads[load++], node, each, walk.trips, phase)))
        break;
    }
    if (!goesOn) {
      memcpy(node.x, begun, sizeof(begun));
      break;
    }
    --node.x[loop.counter];
    ++walk.trips;
  }
  memcpy(walk.scalars.data(), node.x, sizeof(walk.scalars));
  memcpy(node.x, kept, sizeof(kept));
}

} // namespace dojo::exec::DOJO_HOST

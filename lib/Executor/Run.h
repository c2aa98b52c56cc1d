//===- Run.h - all nodes through one entry ----------------------*- C++ -*-===//
#ifndef DOJO_LIB_EXECUTOR_RUN_H
#define DOJO_LIB_EXECUTOR_RUN_H

#include "Mesh.h"

namespace dojo::exec {

/// Runs every node from `entry` until it halts, on `threads` host threads. A
/// node runs until it waits; one that waits is passed over until it can go on. Nodes that no signal
/// can reach any more are a deadlock. `model` times the code of nodes that have clocks.
llvm::Error runEntry(Mesh &mesh, const binary::Label &entry, unsigned threads, uint64_t limit,
                     const IssueModel *model);

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_RUN_H

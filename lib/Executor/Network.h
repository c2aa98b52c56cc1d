//===- Network.h - transfers and semaphores ---------------------*- C++ -*-===//
//
// Transfers are done at once, unless their order is drawn (AnyOrder.h): asynchronous
// ones may be, and a signal may follow its data at any distance. False means that the node has
// faulted, or for wait and barrier that it must wait.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_EXECUTOR_NETWORK_H
#define DOJO_LIB_EXECUTOR_NETWORK_H

#include "Mesh.h"

namespace dojo::exec {

bool push(Node &node, uint64_t descriptor, uint64_t local, uint64_t global);
bool pull(Node &node, uint64_t descriptor, uint64_t local, uint64_t global);
bool signal(Node &node, uint64_t global);
bool wait(Node &node, uint64_t semaphore, uint64_t count);
void drain(Node &node);
bool barrier(Node &node);

/// Whether a waiting node could go on.
bool canResume(const Node &node);

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_NETWORK_H

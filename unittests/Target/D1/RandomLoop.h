//===- RandomLoop.h - loops over memory, for differential tests -*- C++ -*-===//
#ifndef DOJO_UNITTESTS_TARGET_D1_RANDOMLOOP_H
#define DOJO_UNITTESTS_TARGET_D1_RANDOMLOOP_H

#include <string>

namespace dojo::test {

/// An entry `step` that calls a routine: one loop with a constant count over two
/// pointers that step by constants, loading, storing and carrying values of every
/// kind. The pointers' bytes often meet; where they cannot, the routine says so.
std::string randomLoop(unsigned seed);

} // namespace dojo::test

#endif // DOJO_UNITTESTS_TARGET_D1_RANDOMLOOP_H

//===- Topology.cpp -------------------------------------------------------===//
#include "Topology.h"
#include "llvm/Support/FormatVariadic.h"

using llvm::formatv;

namespace dojo::exec {
namespace {

std::string text(const Place &place) {
  return formatv("({0},{1},{2},{3})", place[0], place[1], place[2], place[3]);
}

} // namespace

Topology::Topology(const Machine &machine)
    : sramBytes(machine.sramBytes), semaphores(machine.semaphores), dips(machine.numDips()),
      dipBytes(machine.dipBytes), packetBytes(machine.vectorBytes), grid(logicalGrid(machine)) {}

Place Topology::place(unsigned node) const {
  Place place;
  for (unsigned axis = 4; axis-- > 0; node /= grid.extents[axis])
    place[axis] = node % grid.extents[axis];
  return place;
}

std::string Topology::describe(unsigned node) const {
  Place logical = place(node);
  const Place &physical = grid.physical[node];
  std::string suffix = physical == logical ? "" : ", physically " + text(physical);
  return "node " + text(logical) + suffix;
}

} // namespace dojo::exec

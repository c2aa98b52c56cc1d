//===- Topology.cpp -------------------------------------------------------===//
#include "Topology.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

namespace dojo::exec {

Coordinate Topology::coordinate(unsigned node) const {
  Coordinate c;
  for (unsigned axis = 4; axis-- > 0; node /= grid[axis])
    c[axis] = node % grid[axis];
  return c;
}

bool Topology::contains(const Coordinate &c) const {
  for (unsigned axis = 0; axis < 4; ++axis)
    if (c[axis] >= grid[axis])
      return false;
  return true;
}

unsigned Topology::number(const Coordinate &c) const {
  unsigned node = 0;
  for (unsigned axis = 0; axis < 4; ++axis)
    node = node * grid[axis] + c[axis];
  return node;
}

std::string Topology::describe(unsigned node) const {
  Coordinate c = coordinate(node);
  return llvm::formatv("node ({0},{1},{2},{3})", c[0], c[1], c[2], c[3]).str();
}

llvm::Expected<Topology> readTopology(llvm::StringRef machine) {
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(machine);
  if (!value)
    return value.takeError();
  const llvm::json::Object *object = value->getAsObject();
  if (!object)
    return llvm::createStringError("the machine description is no JSON object");
  auto number = [&](llvm::StringRef key) { return uint64_t(object->getInteger(key).value_or(1)); };
  Topology t;
  t.grid = {unsigned(number("dy")), unsigned(number("dx")), unsigned(number("y")),
            unsigned(number("x"))};
  t.sramBytes = number("sramBytes");
  t.semaphores = unsigned(number("semaphores"));
  t.dips = unsigned(number("dips"));
  t.dipBytes = number("dipBytes");
  return t;
}

} // namespace dojo::exec

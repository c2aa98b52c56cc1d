//===- Retarget.cpp - a program on another die of the same kind -----------===//
#include "dojo/Binary/Program.h"
#include "dojo/Machine/Machine.h"
#include "llvm/Support/FormatVariadic.h"

using llvm::Error;
using llvm::formatv;

namespace dojo::binary {

/// The first constant by name in which two machines differ, or an empty string.
static std::string difference(const Machine &machine, const Machine &compiled) {
  llvm::json::Object there = toJson(compiled), here = toJson(machine);
  std::string first;
  for (const auto &[key, value] : there)
    if (*here.get(key) != value && (first.empty() || key.str() < first))
      first = key.str();
  return first;
}

static std::string text(const Place &grid) {
  std::string nodes = formatv("{0} x {1} nodes", grid[2], grid[3]);
  return grid[0] * grid[1] == 1 ? nodes
                                : formatv("{0} x {1} dies of {2}", grid[0], grid[1], nodes).str();
}

Error retarget(Program &program, const Machine &machine) {
  llvm::Expected<Machine> compiled = parseMachine(program.machine);
  if (!compiled)
    return compiled.takeError();
  Place wanted = compiled->gridExtents(), found = machine.gridExtents();
  compiled->name = machine.name;
  compiled->deadNodes = machine.deadNodes;
  auto refuse = [&](const llvm::Twine &why) {
    return llvm::createStringError("the program cannot run on machine '" + machine.name +
                                   "': " + why + "; compile it for that machine");
  };
  if (std::string key = difference(machine, *compiled); !key.empty())
    return refuse("it was compiled for another '" + key + "', and only the dead nodes may differ");
  if (found != wanted)
    return refuse("it was compiled for a logical grid of " + text(wanted) + ", this one has " +
                  text(found));
  program.machine = printMachine(machine);
  return Error::success();
}

} // namespace dojo::binary

//===- Faults.cpp - what goes wrong on a node, in words -------------------===//
#include "Handlers.h"
#include "Memory.h"
#include "dojo/ISA/Assembly.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"

using llvm::formatv;

namespace dojo::exec {
namespace {

std::string instructionText(const binary::Program &program, uint32_t address) {
  if (address >= program.code.size())
    return "end of the code";
  uint32_t word = llvm::support::endian::read32le(program.code.data() + address);
  llvm::Expected<isa::Decoded> decoded = isa::decode(word);
  if (decoded)
    return isa::toString(*decoded);
  llvm::consumeError(decoded.takeError());
  return formatv(".word {0:x}", word);
}

} // namespace

std::string describe(const Node &node) {
  const binary::Program &program = *node.mesh->program;
  uint32_t address = node.codeAddress(node.pc);
  std::string text = formatv("{0} at {1:x} '{2}'", node.mesh->topology.describe(node.number),
                             address, instructionText(program, address));
  if (llvm::StringRef location = program.location(address); !location.empty())
    text += formatv(" ({0})", location);
  return text;
}

std::string explain(const Mesh &mesh, unsigned node, uint64_t byte) {
  return mesh.shadow->states(node)[byte] & Shadow::flags ? mesh.races->explain(node, byte)
                                                         : mesh.shadow->explain(node, byte);
}

void fault(Node &node, const llvm::Twine &reason) {
  node.status = Status::faulted;
  node.fault = reason.str();
}

void faultLimit(Node &node, int64_t limit) {
  fault(node, formatv("comes next, but the node has executed {0} instructions, the limit of one "
                      "entry",
                      limit)
                  .str());
}

void faultOutside(Node &node, llvm::StringRef verb, uint64_t address, uint64_t size) {
  bool code = address < node.codeBytes && size <= node.sramBytes - address;
  fault(node, formatv(code ? "{0} {1} bytes at {2:x}, inside the code of {3} bytes"
                           : "{0} {1} bytes at {2:x}, outside the {4} bytes of SRAM",
                      verb, size, address, node.codeBytes, node.sramBytes)
                  .str());
}

void faultDead(Node &node, llvm::StringRef verb, uint64_t address, uint64_t size, uint64_t first) {
  fault(node, formatv("{0} {1} bytes at {2:x}, but {3}", verb, size, address,
                      explain(*node.mesh, node.number, address + first))
                  .str());
}

void faultCoord(Node &node, int64_t axis) {
  fault(node, formatv("asks for coordinate {0}, of 0 to 3", axis).str());
}

void faultTarget(Node &node, uint64_t target) {
  fault(node, formatv("jumps to {0:x}, no address of an instruction", target).str());
}

void faultTrap(Node &node, int64_t number) {
  fault(node, formatv("stops the run with trap {0}", number).str());
}

} // namespace dojo::exec

//===- Program.h - a compiled program, as its binary holds it ---*- C++ -*-===//
//
// What a D1 binary says (docs/Binary.md): the code that every node runs, what
// DRAM holds before it starts, where inputs and outputs stand, and the tables
// that let the executor check memory and name source locations. Plain data; no
// other part of the compiler reaches the executor.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_BINARY_PROGRAM_H
#define DOJO_BINARY_PROGRAM_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace dojo {
struct Machine;
} // namespace dojo

namespace dojo::binary {

/// Counts changes that an older reader would misread.
constexpr uint32_t formatVersion = 2;

/// The number stands in files: never renumber. A bool is one byte, 0 or 1.
enum class ElementType : uint8_t {
  f32 = 0,
  bf16 = 1,
  i32 = 2,
  i8 = 3,
  u8 = 4,
  boolean = 5,
  i64 = 6,
  f16 = 7,
  i16 = 8,
  u16 = 9,
  u32 = 10,
  u64 = 11,
};
constexpr unsigned numElementTypes = 12;

/// "f32", "bf16", "i32", "i8", "u8", "bool", "i64", "f16", "i16", "u16", "u32", "u64".
llvm::StringRef name(ElementType type);
unsigned bytes(ElementType type);
std::optional<ElementType> elementType(llvm::StringRef name);

/// A dimension of an output of which a run fills only the first places: as many as
/// element `count` of Program::counts says then.
struct Extent {
  uint32_t dim = 0;
  uint32_t count = 0;
};

/// DRAM addresses are those of a global address without its space bits: 47:40
/// the DIP, 39:0 the byte. Tensors are dense and row-major there.
struct Tensor {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<int64_t> shape;
  uint64_t address = 0;
  /// Of an output whose sizes the data decide; its shape has the largest ones.
  std::vector<Extent> extents = {};

  uint64_t elements() const;
  uint64_t bytes() const { return elements() * binary::bytes(type); }
};

/// Initial contents of DRAM. The bytes belong to Program::storage, or to
/// whatever else outlives the program.
struct Image {
  uint64_t address = 0;
  llvm::ArrayRef<char> bytes;
};

/// A name for a code address: an entry, or a routine for those who read the
/// binary.
struct Label {
  std::string name;
  uint32_t address = 0;
};

/// A buffer has its bytes of SRAM from the moment a node is about to execute
/// the instruction at `begin` until it is about to execute the one at `end`;
/// addresses are bytes of code and an address at or past the end of the code is
/// never passed (`forever`). A row that begins at the address of its entry and
/// has no end lives always: from load on, over all entries.
struct Buffer {
  static constexpr uint32_t forever = UINT32_MAX;

  std::string name;
  uint32_t address = 0;
  uint32_t size = 0;
  uint32_t begin = 0;
  uint32_t end = forever;
  std::string entry;
};

/// Code addresses [begin, end) come from `location`.
struct SourceRange {
  uint32_t begin = 0;
  uint32_t end = 0;
  std::string location;
};

struct Program {
  /// The machine description, JSON text.
  std::string machine;
  /// Little-endian instruction words, loaded at SRAM address 0 of every node.
  std::vector<char> code;
  /// `init` runs once after load, `step` once a run.
  std::vector<Label> entries;
  /// Names of routines; for readers only.
  std::vector<Label> routines;
  /// Ascending and disjoint.
  std::vector<Image> images;
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  /// One i32 each, which the extents of outputs name.
  std::vector<Tensor> counts;
  std::vector<Buffer> buffers;
  /// Ascending and disjoint.
  std::vector<SourceRange> lines;
  /// Keeps alive what the images point into.
  std::vector<std::shared_ptr<const void>> storage;

  std::optional<uint32_t> entry(llvm::StringRef name) const;
  /// The location of a code address, or an empty string.
  llvm::StringRef location(uint32_t address) const;
};

/// Checks what every reader of a program relies on: alignment, order, ranges
/// inside the code, no overflow in sizes, entries that exist.
llvm::Error verify(const Program &program);

/// Writes the ELF file; equal programs give equal bytes.
llvm::Error write(const Program &program, llvm::raw_ostream &os);
llvm::Error writeFile(const Program &program, llvm::StringRef path);

/// Reads a file made by write(). The images point into the file, which is
/// mapped and kept by Program::storage. A damaged, foreign or newer file is an
/// error that says why.
llvm::Expected<Program> readFile(llvm::StringRef path);
/// The same for bytes in memory, which must outlive the program.
llvm::Expected<Program> read(llvm::ArrayRef<char> bytes);

/// Moves the program to a machine with other dead nodes. Code knows the logical grid
/// alone: an error if that, or any constant of the machine, is not the one it was
/// compiled for.
llvm::Error retarget(Program &program, const Machine &machine);

} // namespace dojo::binary

#endif // DOJO_BINARY_PROGRAM_H

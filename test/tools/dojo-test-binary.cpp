//===- dojo-test-binary.cpp - a D1 binary from assembly, for tests --------===//
//
// usage: dojo-test-binary FILE.s OUT.d1
//
// Labels `init` and `step` are entries, others routines. Lines `#! ...` say the
// rest of the program:
//     #! machine PRESET
//     #! input|output NAME TYPE DIM,DIM,... ADDRESS      `-` for no dimension
//     #! image ADDRESS HEXBYTES
//     #! buffer NAME ADDRESS SIZE BEGIN END ENTRY        code addresses; `-` for no end
//     #! line BEGIN END LOCATION
//
//===----------------------------------------------------------------------===//
#include "dojo/Binary/Program.h"
#include "dojo/ISA/Assembly.h"
#include "dojo/Machine/Machine.h"
#include "dojo/Support/File.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"

using namespace dojo;
using llvm::Expected;
using llvm::StringRef;

static llvm::ExitOnError orExit("dojo-test-binary: ");

static uint64_t number(StringRef text) {
  uint64_t value;
  if (text.getAsInteger(0, value))
    orExit(llvm::createStringError("'" + text + "' is no number"));
  return value;
}

static binary::Tensor tensor(llvm::ArrayRef<StringRef> words) {
  binary::Tensor tensor = {words[1].str(), {}, {}, number(words[4])};
  for (unsigned type = 0; type < binary::numElementTypes; ++type)
    if (binary::name(binary::ElementType(type)) == words[2])
      tensor.type = binary::ElementType(type);
  llvm::SmallVector<StringRef> dims;
  if (words[3] != "-")
    words[3].split(dims, ',');
  for (StringRef dim : dims)
    tensor.shape.push_back(number(dim));
  return tensor;
}

static llvm::ArrayRef<char> keep(binary::Program &program, std::string bytes) {
  auto kept = std::make_shared<std::string>(std::move(bytes));
  program.storage.push_back(kept);
  return {kept->data(), kept->size()};
}

static void apply(StringRef directive, binary::Program &program) {
  llvm::SmallVector<StringRef> words;
  directive.split(words, ' ', -1, /*KeepEmpty=*/false);
  words.resize(std::max<size_t>(words.size(), 7));
  if (words[0] == "machine")
    program.machine = printMachine(orExit(loadMachine(words[1])));
  else if (words[0] == "input")
    program.inputs.push_back(tensor(words));
  else if (words[0] == "output")
    program.outputs.push_back(tensor(words));
  else if (words[0] == "image")
    program.images.push_back({number(words[1]), keep(program, llvm::fromHex(words[2]))});
  else if (words[0] == "buffer")
    program.buffers.push_back(
        {words[1].str(), uint32_t(number(words[2])), uint32_t(number(words[3])),
         uint32_t(number(words[4])),
         words[5] == "-" ? binary::Buffer::forever : uint32_t(number(words[5])), words[6].str()});
  else if (words[0] == "line")
    program.lines.push_back(
        {uint32_t(number(words[1])), uint32_t(number(words[2])), words[3].str()});
  else
    orExit(llvm::createStringError("unknown directive '" + directive + "'"));
}

int main(int argc, char **argv) {
  if (argc != 3)
    orExit(llvm::createStringError("expected FILE.s OUT.d1"));
  std::string text = orExit(readFile(argv[1]));
  isa::AssembledCode code = orExit(isa::assemble(text));
  binary::Program program;
  program.machine = printMachine(orExit(loadMachine("d1-node")));
  program.code.resize(code.words.size() * sizeof(uint32_t));
  for (size_t i = 0; i < code.words.size(); ++i)
    llvm::support::endian::write32le(&program.code[i * sizeof(uint32_t)], code.words[i]);
  for (const auto &[name, address] : code.symbols)
    (name == "step" || name == "init" ? program.entries : program.routines)
        .push_back({name, address});
  llvm::SmallVector<StringRef> lines;
  StringRef(text).split(lines, '\n');
  for (StringRef line : lines)
    if (line.consume_front("#!"))
      apply(line.trim(), program);
  orExit(writeFile(program, argv[2]));
}

//===- Emit.cpp - layout of routines and entries --------------------------===//
#include "dojo/Target/D1/Emit.h"
#include "FlatCode.h"
#include "dojo/ISA/Abi.h"
#include "dojo/ISA/Codec.h"

using namespace mlir;
using llvm::Error;
using llvm::Expected;

namespace dojo::d1 {
namespace {

/// Runs of words whose operations carry the same name.
void appendLines(CodeImage &image, uint32_t base, ArrayRef<Location> locations) {
  for (auto [index, location] : llvm::enumerate(locations)) {
    StringRef name = nameOf(location);
    uint32_t begin = base + index * isa::wordBytes;
    if (name.empty())
      continue;
    auto &lines = image.lines;
    if (!lines.empty() && lines.back().second == name && lines.back().first.end == begin)
      lines.back().first.end += isa::wordBytes;
    else
      lines.push_back({{begin, begin + isa::wordBytes}, name.str()});
  }
}

class Emitter {
public:
  Error place(func::FuncOp function) {
    Expected<FlatCode> code = flatten(function);
    if (!code)
      return code.takeError();
    uint32_t base = image.words.size(), bytes = base * isa::wordBytes;
    llvm::append_range(image.words, code->words);
    CodeRange range{bytes, uint32_t(image.words.size() * isa::wordBytes)};
    std::string name = function.getName().str();
    if (function->hasAttr(entryAttr))
      image.entries[name] = bytes;
    else
      image.routines[name] = range;
    for (auto [id, word] : code->marks)
      if (!image.marks.try_emplace(id, bytes + word * isa::wordBytes).second)
        return errorAt(function, "sets mark " + Twine(id) + ", which is already set");
    for (auto [word, op] : code->calls)
      calls.push_back({base + word, op});
    appendLines(image, bytes, code->locations);
    return Error::success();
  }

  Error resolveCalls() {
    for (auto [word, op] : calls) {
      auto callee = image.routines.find(op.getCallee().str());
      if (callee == image.routines.end())
        return errorAt(op, "calls '" + op.getCallee() + "', which has no code");
      int64_t distance = int64_t(callee->second.begin / isa::wordBytes) - int64_t(word);
      Expected<uint32_t> encoded = isa::encode(isa::Opcode::JAL, {isa::linkReg, distance});
      if (!encoded)
        return errorAt(op, llvm::toString(encoded.takeError()));
      image.words[word] = *encoded;
    }
    return Error::success();
  }

  CodeImage image;

private:
  std::vector<PendingCall> calls;
};

} // namespace

Expected<CodeImage> emitCode(ModuleOp module) {
  Emitter emitter;
  for (auto function : module.getOps<func::FuncOp>())
    if (holdsCode(function))
      if (Error error = emitter.place(function))
        return std::move(error);
  if (Error error = emitter.resolveCalls())
    return std::move(error);
  return std::move(emitter.image);
}

Expected<uint32_t> codeBytes(func::FuncOp function) {
  Expected<FlatCode> code = flatten(function);
  if (!code)
    return code.takeError();
  return uint32_t(code->words.size() * isa::wordBytes);
}

} // namespace dojo::d1

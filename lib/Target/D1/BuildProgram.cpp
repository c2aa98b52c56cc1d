//===- BuildProgram.cpp - a module of D1 code as a program ----------------===//
#include "dojo/Target/D1/BuildProgram.h"
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/ISA/Abi.h"
#include "dojo/ISA/Codec.h"
#include "dojo/Target/D1/Emit.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

static llvm::Expected<binary::ElementType> elementTypeOf(DramOp dram) {
  Type type = cast<RankedTensorType>(dram.getType()).getElementType();
  if (auto outside = dram->getAttrOfType<StringAttr>(elementAttrName)) {
    auto element = binary::elementType(outside);
    if (!element)
      return llvm::createStringError("no binary holds elements of type " + outside.str());
    return *element;
  }
  if (type.isF32())
    return binary::ElementType::f32;
  if (type.isBF16())
    return binary::ElementType::bf16;
  if (type.isF16())
    return binary::ElementType::f16;
  if (type.isInteger(1))
    return binary::ElementType::boolean;
  if (type.isInteger(8))
    return type.isUnsignedInteger() ? binary::ElementType::u8 : binary::ElementType::i8;
  if (type.isInteger(16))
    return binary::ElementType::i16;
  if (type.isInteger(32))
    return binary::ElementType::i32;
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return llvm::createStringError("a tensor in DRAM has elements of type " + text +
                                 ", which no file format here holds");
}

/// The bytes of a constant, in the program's storage unless a blob holds them.
static llvm::Expected<ArrayRef<char>> bytesOf(ElementsAttr value, binary::Program &program) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return llvm::createStringError("the data of a constant is missing");
    return blob->getData();
  }
  auto dense = cast<DenseElementsAttr>(value);
  auto copy = std::make_shared<std::vector<char>>();
  if (dense.getElementType().isInteger(1)) {
    for (bool bit : dense.getValues<bool>())
      copy->push_back(bit);
  } else {
    ArrayRef<char> raw = dense.getRawData();
    int64_t repeats = dense.isSplat() ? dense.getNumElements() : 1;
    for (int64_t i = 0; i < repeats; ++i)
      copy->insert(copy->end(), raw.begin(), raw.end());
  }
  program.storage.push_back(copy);
  return ArrayRef<char>(*copy);
}

/// The extents of an output by the numbers of its counts, which stand in the order of
/// the module.
static llvm::Expected<std::vector<binary::Extent>> extentsOf(DramOp dram) {
  std::vector<binary::Extent> extents;
  auto pairs = dram->getAttrOfType<ArrayAttr>(extentsAttrName);
  if (!pairs)
    return extents;
  SmallVector<StringRef> counts;
  for (auto other : dram->getParentOfType<ModuleOp>().getOps<DramOp>())
    if (other.getRole() == "count")
      counts.push_back(other.getSymName());
  for (auto pair : pairs.getAsRange<ArrayAttr>()) {
    auto dim = pair.size() == 2 ? dyn_cast<IntegerAttr>(pair[0]) : IntegerAttr();
    auto name = dim ? dyn_cast<FlatSymbolRefAttr>(pair[1]) : FlatSymbolRefAttr();
    auto *count = name ? llvm::find(counts, name.getValue()) : counts.end();
    if (count == counts.end())
      return llvm::createStringError("an output has extents that are no pairs of a dimension "
                                     "and a dojo.dram of role count");
    extents.push_back({uint32_t(dim.getInt()), uint32_t(count - counts.begin())});
  }
  return extents;
}

static llvm::Error addDram(ModuleOp module, binary::Program &program) {
  for (auto dram : module.getOps<DramOp>()) {
    auto type = cast<RankedTensorType>(dram.getType());
    auto address = static_cast<uint64_t>(*dram.getAddress());
    if (auto value = dram.getValue()) {
      auto bytes = bytesOf(*value, program);
      if (!bytes)
        return bytes.takeError();
      program.images.push_back({address, *bytes});
      continue;
    }
    if (dram.getRole() == "state" || dram.getRole() == "scratch")
      continue;
    auto element = elementTypeOf(dram);
    if (!element)
      return element.takeError();
    StringRef title = dram.getTitle().value_or(dram.getSymName());
    ArrayRef<int64_t> shape = type.getShape();
    if (binary::bytes(*element) > elementBytes(type.getElementType()))
      shape = shape.drop_back();
    auto extents = extentsOf(dram);
    if (!extents)
      return extents.takeError();
    auto &list = dram.getRole() == "input"   ? program.inputs
                 : dram.getRole() == "count" ? program.counts
                                             : program.outputs;
    list.push_back({title.str(), *element, shape.vec(), address, std::move(*extents)});
  }
  llvm::sort(program.images, [](auto &a, auto &b) { return a.address < b.address; });
  return llvm::Error::success();
}

static void addBuffers(ModuleOp module, const d1::CodeImage &image, int64_t codeBytes,
                       binary::Program &program) {
  // The code and the descriptor live from load on, over all entries.
  const binary::Label &first = program.entries.front();
  auto always = [&](std::string name, uint32_t address, uint32_t size) {
    program.buffers.push_back(
        {std::move(name), address, size, first.address, binary::Buffer::forever, first.name});
  };
  always("code", 0, program.code.size());
  always("descriptor", descriptorAddress(codeBytes), isa::moveScratchBytes);
  for (auto row : module->getAttrOfType<ArrayAttr>(buffersAttrName).getAsRange<DictionaryAttr>()) {
    auto number = [&](StringRef key) { return cast<IntegerAttr>(row.get(key)).getInt(); };
    auto text = [&](StringRef key) { return cast<StringAttr>(row.get(key)).str(); };
    int64_t end = number("end");
    program.buffers.push_back(
        {text("name"), static_cast<uint32_t>(number("address")),
         static_cast<uint32_t>(number("size")), image.marks.at(number("begin")),
         end == foreverMark ? binary::Buffer::forever : image.marks.at(end), text("entry")});
  }
}

llvm::Expected<binary::Program> d1::buildProgram(ModuleOp module) {
  auto target = Target::of(module);
  if (failed(target))
    return llvm::createStringError("the module names no machine");
  auto image = emitCode(module);
  if (!image)
    return image.takeError();
  binary::Program program;
  program.machine = printMachine(target->machine);
  program.code = isa::toBytes(image->words);
  auto bound = module->getAttrOfType<IntegerAttr>(codeBytesAttrName);
  int64_t codeBytes = bound ? bound.getInt() : program.code.size();
  if (static_cast<int64_t>(program.code.size()) > codeBytes)
    return llvm::createStringError("the code takes " + llvm::Twine(program.code.size()) +
                                   " bytes, more than the " + llvm::Twine(codeBytes) +
                                   " that placement kept free");
  for (auto &[name, address] : image->entries)
    program.entries.push_back({name, address});
  for (auto &[name, range] : image->routines)
    program.routines.push_back({name, range.begin});
  for (auto &[range, location] : image->lines)
    program.lines.push_back({range.begin, range.end, location});
  if (llvm::Error error = addDram(module, program))
    return std::move(error);
  addBuffers(module, *image, codeBytes, program);
  return program;
}

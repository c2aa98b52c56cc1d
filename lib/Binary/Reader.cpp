//===- Reader.cpp - a program from an ELF file ----------------------------===//
//
// Every offset is checked by llvm::object before it is followed, every table by
// the cursor that reads it, and the whole by verify(). Unknown sections are
// passed over.
//
//===----------------------------------------------------------------------===//
#include "Format.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELF.h"
#include "llvm/Support/MemoryBuffer.h"

using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using ELF = llvm::object::ELF64LE;
using ELFFile = llvm::object::ELFFile<ELF>;
namespace elf = llvm::ELF;

namespace dojo::binary {
namespace {

template <class... Args>
Error bad(const char *format, Args... args) {
  return llvm::createStringError(format, args...);
}

Error prefixed(const llvm::Twine &prefix, Error error) {
  return llvm::createStringError(prefix + ": " + llvm::toString(std::move(error)));
}

Error checkHeader(StringRef bytes) {
  if (!bytes.starts_with("\x7f"
                         "ELF"))
    return bad("not an ELF file");
  if (bytes.size() < sizeof(ELF::Ehdr))
    return bad("the file is cut off inside its header");
  ELF::Ehdr header;
  memcpy(&header, bytes.data(), sizeof(header));
  if (header.e_ident[elf::EI_CLASS] != elf::ELFCLASS64 ||
      header.e_ident[elf::EI_DATA] != elf::ELFDATA2LSB || header.e_machine != elfMachine)
    return bad("an ELF file, but not for D1");
  if (header.e_flags != formatVersion)
    return bad("the file has format version %u, this program reads version %u",
               unsigned(header.e_flags), formatVersion);
  return Error::success();
}

class Reader {
public:
  explicit Reader(ELFFile file) : file(std::move(file)) {}

  Expected<Program> read();

private:
  Error findSections();
  Expected<ArrayRef<uint8_t>> contents(StringRef section);
  template <class... T>
  Error readTable(StringRef section, T &...values);
  Error readImages();
  Error readRoutines();

  ELFFile file;
  llvm::StringMap<const ELF::Shdr *> sections;
  Program program;
};

Error Reader::findSections() {
  Expected<ELF::ShdrRange> headers = file.sections();
  if (!headers)
    return headers.takeError();
  for (const ELF::Shdr &header : *headers) {
    Expected<StringRef> name = file.getSectionName(header);
    if (!name)
      return name.takeError();
    if (!name->empty() && !sections.try_emplace(*name, &header).second)
      return llvm::createStringError("section '" + *name + "' occurs twice");
  }
  return Error::success();
}

Expected<ArrayRef<uint8_t>> Reader::contents(StringRef name) {
  auto found = sections.find(name);
  if (found == sections.end())
    return llvm::createStringError("section '" + name + "' is missing");
  if (found->second->sh_type != elf::SHT_PROGBITS)
    return llvm::createStringError("section '" + name + "' has no bytes in the file");
  return file.getSectionContents(*found->second);
}

template <class... T>
Error Reader::readTable(StringRef section, T &...values) {
  Expected<ArrayRef<uint8_t>> bytes = contents(section);
  if (!bytes)
    return bytes.takeError();
  ReadArchive archive(*bytes);
  archive(values...);
  if (Error error = archive.finish())
    return prefixed("section '" + section + "'", std::move(error));
  return Error::success();
}

Error Reader::readImages() {
  for (unsigned i = 0;; ++i) {
    std::string name = (imagePrefix + llvm::Twine(i)).str();
    auto found = sections.find(name);
    if (found == sections.end())
      return Error::success();
    Expected<ArrayRef<uint8_t>> bytes = contents(name);
    if (!bytes)
      return bytes.takeError();
    Image &image = program.images.emplace_back();
    image.address = found->second->sh_addr ^ dramSpace;
    image.bytes = {reinterpret_cast<const char *>(bytes->data()), bytes->size()};
  }
}

Error Reader::readRoutines() {
  auto found = sections.find(".symtab");
  if (found == sections.end() || found->second->sh_type != elf::SHT_SYMTAB)
    return bad("the symbol table is missing");
  Expected<ELF::SymRange> symbols = file.symbols(found->second);
  if (!symbols)
    return symbols.takeError();
  Expected<StringRef> strings = file.getStringTableForSymtab(*found->second);
  if (!strings)
    return strings.takeError();
  for (const ELF::Sym &symbol : *symbols) {
    if (symbol.getType() != elf::STT_FUNC || symbol.getBinding() != elf::STB_LOCAL)
      continue;
    Expected<StringRef> name = symbol.getName(*strings);
    if (!name)
      return name.takeError();
    program.routines.push_back({name->str(), uint32_t(symbol.st_value)});
  }
  return Error::success();
}

Expected<Program> Reader::read() {
  if (Error error = findSections())
    return error;
  Expected<ArrayRef<uint8_t>> code = contents(".text");
  if (!code)
    return code.takeError();
  program.code.assign(code->begin(), code->end());
  Expected<ArrayRef<uint8_t>> machine = contents(machineSection);
  if (!machine)
    return machine.takeError();
  program.machine.assign(machine->begin(), machine->end());
  if (Error error = readTable(entriesSection, program.entries))
    return error;
  if (Error error = readTable(ioSection, program.inputs, program.outputs, program.counts))
    return error;
  if (Error error = readTable(buffersSection, program.buffers))
    return error;
  if (Error error = readTable(linesSection, program.lines))
    return error;
  if (Error error = readImages())
    return error;
  if (Error error = readRoutines())
    return error;
  if (Error error = verify(program))
    return error;
  return std::move(program);
}

} // namespace

Expected<Program> read(ArrayRef<char> bytes) {
  StringRef text(bytes.data(), bytes.size());
  if (Error error = checkHeader(text))
    return error;
  Expected<ELFFile> file = ELFFile::create(text);
  if (!file)
    return prefixed("damaged ELF file", file.takeError());
  Expected<Program> program = Reader(std::move(*file)).read();
  if (!program)
    return prefixed("damaged D1 binary", program.takeError());
  return program;
}

Expected<Program> readFile(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return llvm::createFileError(path, buffer.getError());
  StringRef bytes = (*buffer)->getBuffer();
  Expected<Program> program = read({bytes.data(), bytes.size()});
  if (!program)
    return llvm::createFileError(path, program.takeError());
  program->storage.emplace_back(std::move(*buffer));
  return program;
}

} // namespace dojo::binary

//===- Writer.cpp - a program as an ELF file ------------------------------===//
//
// The section headers follow the ELF header, then every section's bytes in
// order: all sizes are known before the first byte is written, so nothing of a
// DRAM image is copied.
//
//===----------------------------------------------------------------------===//
#include "Format.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/MC/StringTableBuilder.h"
#include "llvm/Object/ELFTypes.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

using llvm::Error;
using llvm::StringRef;
using ELF = llvm::object::ELF64LE;
namespace elf = llvm::ELF;

namespace dojo::binary {
namespace {

constexpr uint64_t contentAlign = 64;
constexpr unsigned textIndex = 1;

struct Section {
  std::string name;
  ELF::Shdr header{};
  StringRef bytes;
};

template <class... T>
llvm::SmallString<0> table(T &...values) {
  WriteArchive archive;
  archive(values...);
  return archive.take();
}

StringRef asBytes(llvm::ArrayRef<char> bytes) { return {bytes.data(), bytes.size()}; }

class Writer {
public:
  explicit Writer(Program program)
      : program(std::move(program)), strings(llvm::StringTableBuilder::ELF) {}

  Error write(llvm::raw_ostream &os);

private:
  ELF::Shdr &add(const llvm::Twine &name, uint32_t type, StringRef bytes);
  void addSymbols();
  void addSections();
  ELF::Ehdr fileHeader() const;
  /// Gives every section its place behind the header tables.
  void layOut();

  Program program;
  llvm::StringTableBuilder strings;
  std::vector<Section> sections;
  std::vector<ELF::Sym> symbols;
  std::vector<llvm::SmallString<0>> tables;
  llvm::SmallString<0> stringBytes;
};

ELF::Shdr &Writer::add(const llvm::Twine &name, uint32_t type, StringRef bytes) {
  Section &section = sections.emplace_back();
  section.name = name.str();
  section.bytes = bytes;
  section.header.sh_type = type;
  section.header.sh_size = bytes.size();
  section.header.sh_addralign = contentAlign;
  return section.header;
}

void Writer::addSymbols() {
  symbols.emplace_back(ELF::Sym{});
  auto add = [&](const Label &label, uint8_t binding) {
    ELF::Sym &symbol = symbols.emplace_back(ELF::Sym{});
    symbol.st_name = strings.getOffset(label.name);
    symbol.setBindingAndType(binding, elf::STT_FUNC);
    symbol.st_shndx = textIndex;
    symbol.st_value = label.address;
  };
  for (const Label &routine : program.routines)
    add(routine, elf::STB_LOCAL);
  for (const Label &entry : program.entries)
    add(entry, elf::STB_GLOBAL);
}

void Writer::addSections() {
  tables = {table(program.entries), table(program.inputs, program.outputs, program.counts),
            table(program.buffers), table(program.lines)};
  sections.reserve(program.images.size() + 9);
  add("", elf::SHT_NULL, "").sh_addralign = 0;
  add(".text", elf::SHT_PROGBITS, asBytes(program.code)).sh_flags =
      elf::SHF_ALLOC | elf::SHF_EXECINSTR;
  add(machineSection, elf::SHT_PROGBITS, program.machine);
  add(entriesSection, elf::SHT_PROGBITS, tables[0]);
  add(ioSection, elf::SHT_PROGBITS, tables[1]);
  add(buffersSection, elf::SHT_PROGBITS, tables[2]);
  add(linesSection, elf::SHT_PROGBITS, tables[3]);
  for (auto [i, image] : llvm::enumerate(program.images)) {
    ELF::Shdr &header = add(imagePrefix + llvm::Twine(i), elf::SHT_PROGBITS, asBytes(image.bytes));
    header.sh_flags = elf::SHF_ALLOC | elf::SHF_WRITE;
    header.sh_addr = dramSpace | image.address;
    header.sh_addralign = 1;
  }
  ELF::Shdr &symbolTable = add(".symtab", elf::SHT_SYMTAB, "");
  symbolTable.sh_link = sections.size();
  symbolTable.sh_info = 1 + program.routines.size();
  symbolTable.sh_entsize = sizeof(ELF::Sym);
  add(".strtab", elf::SHT_STRTAB, "");

  for (const Section &section : sections)
    strings.add(section.name);
  for (const Label &label : llvm::concat<const Label>(program.routines, program.entries))
    strings.add(label.name);
  strings.finalizeInOrder();
  llvm::raw_svector_ostream os(stringBytes);
  strings.write(os);
  addSymbols();

  auto setBytes = [](Section &section, StringRef bytes) {
    section.bytes = bytes;
    section.header.sh_size = bytes.size();
  };
  setBytes(sections.end()[-2],
           {reinterpret_cast<const char *>(symbols.data()), symbols.size() * sizeof(ELF::Sym)});
  setBytes(sections.back(), stringBytes);
}

void Writer::layOut() {
  uint64_t offset = sizeof(ELF::Ehdr) + sections.size() * sizeof(ELF::Shdr);
  for (Section &section : llvm::drop_begin(sections)) {
    offset = llvm::alignTo(offset, contentAlign);
    section.header.sh_name = strings.getOffset(section.name);
    section.header.sh_offset = offset;
    offset += section.bytes.size();
  }
}

ELF::Ehdr Writer::fileHeader() const {
  ELF::Ehdr header{};
  const unsigned char ident[] = {0x7f,
                                 'E',
                                 'L',
                                 'F',
                                 elf::ELFCLASS64,
                                 elf::ELFDATA2LSB,
                                 elf::EV_CURRENT,
                                 elf::ELFOSABI_STANDALONE};
  llvm::copy(ident, header.e_ident);
  header.e_type = elf::ET_EXEC;
  header.e_machine = elfMachine;
  header.e_version = elf::EV_CURRENT;
  header.e_entry = program.entry("step").value_or(0);
  header.e_flags = formatVersion;
  header.e_ehsize = sizeof(ELF::Ehdr);
  header.e_shoff = sizeof(ELF::Ehdr);
  header.e_shentsize = sizeof(ELF::Shdr);
  header.e_shnum = sections.size();
  header.e_shstrndx = sections.size() - 1;
  return header;
}

Error Writer::write(llvm::raw_ostream &os) {
  addSections();
  if (sections.size() >= elf::SHN_LORESERVE)
    return llvm::createStringError("%zu DRAM images are more than an ELF file can number",
                                   program.images.size());
  layOut();
  ELF::Ehdr header = fileHeader();
  uint64_t at = 0;
  auto put = [&](const void *data, uint64_t size) {
    os.write(static_cast<const char *>(data), size);
    at += size;
  };
  put(&header, sizeof(header));
  for (const Section &section : sections)
    put(&section.header, sizeof(section.header));
  for (const Section &section : llvm::drop_begin(sections)) {
    os.write_zeros(section.header.sh_offset - at);
    at = section.header.sh_offset;
    put(section.bytes.data(), section.bytes.size());
  }
  return Error::success();
}

} // namespace

Error write(const Program &program, llvm::raw_ostream &os) {
  if (Error error = verify(program))
    return error;
  return Writer(program).write(os);
}

Error writeFile(const Program &program, StringRef path) {
  return llvm::writeToOutput(path, [&](llvm::raw_ostream &os) { return write(program, os); });
}

} // namespace dojo::binary

//===- File.cpp - reading whole files -------------------------------------===//
#include "dojo/Support/File.h"
#include "llvm/Support/MemoryBuffer.h"

llvm::Expected<std::string> dojo::readFile(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return llvm::createStringError("cannot read '" + path + "': " + buffer.getError().message());
  return (*buffer)->getBuffer().str();
}

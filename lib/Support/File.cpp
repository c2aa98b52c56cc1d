//===- File.cpp - reading files, and whether one can be written -----------===//
#include "dojo/Support/File.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

llvm::Expected<std::string> dojo::readFile(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return llvm::createStringError("cannot read '" + path + "': " + buffer.getError().message());
  return (*buffer)->getBuffer().str();
}

llvm::Error dojo::checkWritable(llvm::StringRef path) {
  using namespace llvm::sys;
  auto refuse = [&](const llvm::Twine &reason) {
    return llvm::createStringError("cannot write '" + path + "': " + reason);
  };
  if (path == "-")
    return llvm::Error::success();
  if (fs::is_directory(path))
    return refuse("it is a folder");
  llvm::StringRef folder = path::parent_path(path);
  if (folder.empty())
    folder = ".";
  if (!fs::is_directory(folder))
    return refuse("there is no folder '" + folder + "'");
  if (auto code = fs::access(fs::exists(path) ? path : folder, fs::AccessMode::Write))
    return refuse(code.message());
  return llvm::Error::success();
}

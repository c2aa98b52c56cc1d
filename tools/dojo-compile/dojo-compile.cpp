//===- dojo-compile.cpp - from an ONNX model to a D1 binary ---------------===//
#include "dojo/Pipelines/Compiler.h"
#include "dojo/Support/File.h"
#include "dojo/Support/Progress.h"
#include "dojo/Target/ImportONNX.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/WithColor.h"

using namespace dojo;
using llvm::Error;
namespace cl = llvm::cl;

namespace {

struct CommandLine {
  cl::OptionCategory category{"dojo-compile options"};
  cl::opt<std::string> model{cl::Positional, cl::Required, cl::desc("MODEL.onnx"),
                             cl::cat(category)};
  cl::opt<std::string> output{"o", cl::Required, cl::desc("the binary to write"),
                              cl::value_desc("OUT.d1"), cl::cat(category)};
  cl::opt<std::string> target{
      "target", cl::desc("d1-node, d1-mini, d1-die (the default), d1-tile or a machine file"),
      cl::value_desc("MACHINE"), cl::init("d1-die"), cl::cat(category)};
  cl::opt<std::string> precision{"precision", cl::desc("fp32 or bf16 (the default)"),
                                 cl::init("bf16"), cl::cat(category)};
  cl::list<std::string> shapes{
      "shape", cl::desc("the shape of an input, or the size of a dimension parameter"),
      cl::value_desc("NAME=DIMS"), cl::cat(category)};
  cl::opt<std::string> report{"report", cl::desc("write figures and their bounds as JSON"),
                              cl::value_desc("FILE.json"), cl::cat(category)};
  cl::opt<std::string> map{"map", cl::desc("draw the die and SRAM over time"),
                           cl::value_desc("FILE.svg"), cl::cat(category)};
  cl::opt<std::string> mapOp{"map-op", cl::desc("the ONNX node to draw; else the one of most work"),
                             cl::value_desc("NODE"), cl::cat(category)};
  cl::opt<std::string> mapping{"mapping", cl::desc("mappings to obey, one line an op"),
                               cl::value_desc("FILE"), cl::cat(category)};
  cl::opt<std::string> exportMapping{"export-mapping", cl::desc("write the mapping of every op"),
                                     cl::value_desc("FILE"), cl::cat(category)};
  cl::opt<std::string> dumpAfter{"dump-after", cl::desc("print the module after this pass"),
                                 cl::value_desc("PASS"), cl::cat(category)};
};

} // namespace

static Error checkOutputs(const CommandLine &line) {
  if (!line.mapOp.empty() && line.map.empty())
    return llvm::createStringError("--map-op chooses what --map draws, and there is no --map");
  for (const auto *path : {&line.output, &line.report, &line.map, &line.exportMapping})
    if (!path->empty())
      if (Error error = checkWritable(*path))
        return error;
  return Error::success();
}

static void say(llvm::StringRef message) { llvm::errs() << "dojo-compile: " << message << '\n'; }

static Error writeText(llvm::StringRef path, const llvm::Twine &text) {
  return llvm::writeToOutput(path, [&](llvm::raw_ostream &os) {
    os << text;
    return Error::success();
  });
}

static Error compile(const CommandLine &line) {
  if (Error error = checkOutputs(line))
    return error;
  CompileOptions options{line.target,       line.precision, {},
                         line.dumpAfter,    line.mapping,   line.exportMapping,
                         !line.map.empty(), line.mapOp,     say};
  ShapeBindings shapes;
  for (const std::string &shape : line.shapes)
    if (Error error = parseShapeBinding(shape, shapes))
      return error;
  options.shapes.assign(shapes.begin(), shapes.end());

  Progress progress("compiling " + line.model);
  llvm::Expected<CompileResult> result = compileOnnx(line.model, options);
  if (!result)
    return result.takeError();
  if (Error error = binary::writeFile(result->program, line.output))
    return error;
  if (!line.map.empty())
    if (Error error = writeText(line.map, result->map))
      return error;
  if (line.report.empty())
    return Error::success();
  return writeText(line.report,
                   llvm::formatv("{0:2}\n", llvm::json::Value(std::move(result->report))));
}

int main(int argc, char **argv) {
  CommandLine line;
  cl::HideUnrelatedOptions(line.category);
  cl::ParseCommandLineOptions(argc, argv, "compiles an ONNX model for a mesh of D1 nodes\n");
  if (Error error = compile(line)) {
    llvm::WithColor::error(llvm::errs(), "dojo-compile")
        << llvm::toString(std::move(error)) << '\n';
    return 1;
  }
  return 0;
}

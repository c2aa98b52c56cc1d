//===- Compiler.cpp - from an ONNX file to a program ----------------------===//
#include "dojo/Pipelines/Compiler.h"
#include "dojo/Pipelines/Pipelines.h"
#include "dojo/Pipelines/Registration.h"
#include "dojo/Pipelines/Report.h"
#include "dojo/Target/D1/BuildProgram.h"
#include "dojo/Target/ImportONNX.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Path.h"
#include <chrono>

using namespace mlir;
using namespace dojo;

namespace {

/// What the passes say, each after the ONNX node it concerns: errors as one text, the rest
/// to the listener.
class Messages {
public:
  using Listener = std::function<void(StringRef)>;

  Messages(MLIRContext *context, const Listener &listener)
      : listener(listener),
        handler(context, [this](Diagnostic &diagnostic) { return add(diagnostic); }) {}

  /// What is said of the graph as a whole is not said of a node.
  void setGraph(ModuleOp module) {
    if (auto name = module->getLoc()->findInstanceOf<NameLoc>())
      graph = name.getName();
  }

  llvm::Error take(llvm::StringRef otherwise) {
    return llvm::createStringError(text.empty() ? otherwise.str() : text);
  }

private:
  LogicalResult add(Diagnostic &diagnostic) {
    std::string message = diagnostic.str();
    auto name = diagnostic.getLocation()->findInstanceOf<NameLoc>();
    if (name && name.getName() != graph && !StringRef(message).starts_with("node '"))
      message = "node '" + name.getName().str() + "': " + message;
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      text += (text.empty() ? "" : "\n") + message;
    else if (listener)
      listener(severityOf(diagnostic).str() + message);
    return success();
  }

  static StringRef severityOf(const Diagnostic &diagnostic) {
    return diagnostic.getSeverity() == DiagnosticSeverity::Warning ? "warning: " : "remark: ";
  }

  std::string text;
  StringAttr graph;
  const Listener &listener;
  ScopedDiagnosticHandler handler;
};

} // namespace

static PipelineOptions pipelineOptions(const CompileOptions &options) {
  return {options.target, options.precision == "bf16" ? Precision::BF16 : Precision::FP32,
          options.mappingFile, options.exportMapping};
}

static LogicalResult runPasses(ModuleOp module, const CompileOptions &options) {
  PassManager manager(module.getContext());
  if (!options.dumpAfter.empty()) {
    module.getContext()->disableMultithreading();
    auto isWanted = [&](Pass *pass, Operation *) {
      return pass->getArgument() == StringRef(options.dumpAfter).ltrim('-');
    };
    manager.enableIRPrinting(
        [](Pass *, Operation *) { return false; }, isWanted,
        /*printModuleScope=*/true, /*printAfterOnlyOnChange=*/false,
        /*printAfterOnlyOnFailure=*/false, llvm::errs(),
        OpPrintingFlags().elideLargeElementsAttrs().elideLargeResourceString());
  }
  buildCompilerPipeline(manager, pipelineOptions(options));
  return manager.run(module);
}

/// Whether some pass of the pipeline has this name.
static bool hasPass(llvm::StringRef name) {
  std::string pipeline;
  llvm::raw_string_ostream os(pipeline);
  MLIRContext context;
  PassManager manager(&context);
  buildCompilerPipeline(manager, {});
  manager.printAsTextualPipeline(os);
  for (llvm::StringRef rest = pipeline; !rest.empty();) {
    size_t end = rest.find_first_of(",(){}");
    if (rest.take_front(end) == name)
      return true;
    rest = end == llvm::StringRef::npos ? "" : rest.drop_front(end + 1);
  }
  return false;
}

llvm::Expected<CompileResult> dojo::compileOnnx(llvm::StringRef path,
                                                const CompileOptions &options) {
  auto start = std::chrono::steady_clock::now();
  if (options.precision != "bf16" && options.precision != "fp32")
    return llvm::createStringError("unknown precision '" + options.precision +
                                   "', expected fp32 or bf16");
  if (!options.dumpAfter.empty() && !hasPass(llvm::StringRef(options.dumpAfter).ltrim('-')))
    return llvm::createStringError("no pass of the pipeline is called '" + options.dumpAfter + "'");
  DialectRegistry registry;
  registerDialects(registry);
  auto context = std::make_shared<MLIRContext>(registry);
  Messages messages(context.get(), options.listener);
  ImportOptions import;
  for (auto &[name, dims] : options.shapes)
    import.shapes[name] = dims;
  auto module = importOnnx(path, context.get(), import);
  if (!module)
    return module.takeError();
  messages.setGraph(**module);
  if (failed(runPasses(**module, options)))
    return messages.take("compilation failed without a reason, which is a defect of the compiler");
  auto program = d1::buildProgram(**module);
  if (!program)
    return program.takeError();
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  llvm::json::Object report = reportOf(**module, *program);
  report["compile_seconds"] = seconds.count();
  report["target"] = options.target;
  report["precision"] = options.precision;
  std::string map;
  if (options.draw) {
    std::string title =
        (llvm::sys::path::filename(path) + " on " + options.target + ", " + options.precision)
            .str();
    auto drawn = mapOf(**module, *program, options.mapOp, std::move(title));
    if (!drawn)
      return drawn.takeError();
    map = std::move(*drawn);
  }
  program->storage.push_back(context);
  return CompileResult{std::move(*program), std::move(report), std::move(map)};
}

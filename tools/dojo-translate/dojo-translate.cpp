//===- dojo-translate.cpp - between files and modules ---------------------===//
#include "dojo/Pipelines/Registration.h"
#include "dojo/Target/D1/Emit.h"
#include "dojo/Target/ImportONNX.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dialect.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

/// --import-onnx: reads the file again by its name, so that weights are mapped
/// and external data is found beside it.
static void registerImportOnnx() {
  static llvm::cl::list<std::string> shapes(
      "shape",
      llvm::cl::desc("Sizes of a graph input, or of a dimension parameter (--import-onnx)"),
      llvm::cl::value_desc("NAME=DIMS"));
  static TranslateToMLIRRegistration registration(
      "import-onnx", "an ONNX file as a module of the onnx dialect",
      [](llvm::SourceMgr &sources, MLIRContext *context) -> OwningOpRef<ModuleOp> {
        auto fail = [&](llvm::Error error) {
          emitError(UnknownLoc::get(context)) << llvm::toString(std::move(error));
          return nullptr;
        };
        dojo::ImportOptions options;
        for (const std::string &shape : shapes)
          if (llvm::Error error = dojo::parseShapeBinding(shape, options.shapes))
            return fail(std::move(error));
        StringRef path = sources.getMemoryBuffer(sources.getMainFileID())->getBufferIdentifier();
        auto module = dojo::importOnnx(path, context, options);
        return module ? std::move(*module) : fail(module.takeError());
      },
      [](DialectRegistry &registry) { dojo::registerEverything(registry); });
}

int main(int argc, char **argv) {
  registerImportOnnx();
  dojo::d1::registerD1Translations();
  return failed(mlirTranslateMain(argc, argv, "dojo translation tool\n"));
}

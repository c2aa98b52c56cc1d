//===- dojo-place.cpp - places the buffers of a CSV file ------------------===//
#include "dojo/Placement/Placement.h"
#include "dojo/Support/File.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

using namespace dojo;

static llvm::Error run(llvm::StringRef path, int64_t capacity) {
  llvm::Expected<std::string> text = readFile(path);
  if (!text)
    return text.takeError();
  llvm::Expected<place::Problem> problem = place::parseProblem(*text, capacity);
  if (!problem)
    return problem.takeError();
  llvm::Expected<place::Solution> solution = place::solve(*problem);
  if (!solution)
    return solution.takeError();
  int64_t peak = solution->peak(*problem), bound = place::liveBound(*problem);
  llvm::outs() << place::printSolution(*problem, *solution);
  llvm::errs() << "peak " << peak << " bound " << bound << " ratio "
               << llvm::format("%.4f", bound ? double(peak) / bound : 1.0) << "\n";
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::cl::opt<std::string> path(llvm::cl::Positional, llvm::cl::Required,
                                  llvm::cl::desc("FILE.csv"));
  llvm::cl::opt<int64_t> capacity("capacity", llvm::cl::Required,
                                  llvm::cl::desc("bytes to place in"));
  llvm::cl::ParseCommandLineOptions(argc, argv, "places buffers with known lives\n");
  llvm::ExitOnError exitOnError("dojo-place: ");
  exitOnError(run(path, capacity));
  return 0;
}

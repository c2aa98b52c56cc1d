//===- Bindings.cpp - the native side of the Python package ----------------===//
//
// Module `_dojo`: a compiled program and the executor that runs it. Arrays pass
// as the bytes of .npy files, reports as JSON text; python/dojo/program.py makes
// numpy arrays and dicts of them. The one place where llvm::Error becomes an
// exception.
//
//===----------------------------------------------------------------------===//
#include "dojo/Binary/Program.h"
#include "dojo/Executor/Arrays.h"
#include "dojo/Executor/Executor.h"
#include "dojo/Machine/Machine.h"
#include "dojo/Pipelines/Compiler.h"
#include "dojo/Support/Npy.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include <mutex>
#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>
#include <stdexcept>

namespace nb = nanobind;

namespace {

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void check(llvm::Error error) {
  if (error)
    throw Failure(llvm::toString(std::move(error)));
}

template <typename T>
T valueOf(llvm::Expected<T> value) {
  check(value.takeError());
  return std::move(*value);
}

std::string text(llvm::json::Object object) {
  return llvm::formatv("{0}", llvm::json::Value(std::move(object))).str();
}

using Description = std::tuple<std::string, std::string, std::vector<int64_t>>;

std::vector<Description> describe(const std::vector<dojo::binary::Tensor> &tensors) {
  std::vector<Description> rows;
  for (const dojo::binary::Tensor &t : tensors)
    rows.emplace_back(t.name, dojo::binary::name(t.type).str(), t.shape);
  return rows;
}

using Arrays = std::vector<std::pair<std::string, nb::bytes>>;

/// A program and, from its first run on, the executor that holds its state. A
/// run with other options loads the program afresh.
class Program {
public:
  explicit Program(dojo::binary::Program program) : program(std::move(program)) {}

  std::vector<Description> inputs() const { return describe(program.inputs); }
  std::vector<Description> outputs() const { return describe(program.outputs); }

  void save(const std::string &path) const { check(dojo::binary::writeFile(program, path)); }

  /// Arrays by name, each as the bytes of an .npy file, in and out; and the
  /// figures of the executor.
  std::pair<Arrays, std::string> run(const Arrays &inputs, unsigned threads,
                                     const std::string &strict, bool timing) {
    std::vector<dojo::exec::Tensor> tensors;
    for (const auto &[name, npy] : inputs)
      tensors.push_back(tensorOf(name, {npy.c_str(), npy.size()}));
    std::vector<dojo::exec::Tensor> results;
    std::string report;
    {
      nb::gil_scoped_release release;
      std::lock_guard<std::mutex> lock(mutex);
      load(threads, strictOf(strict), timing);
      results = valueOf(executor->step(tensors));
      llvm::json::Object figures = dojo::exec::toJSON(executor->stats());
      dojo::exec::addTiming(figures, executor->timing());
      report = text(std::move(figures));
    }
    Arrays outputs;
    for (const dojo::exec::Tensor &tensor : results) {
      std::string npy = dojo::printNpy(dojo::exec::toArray(tensor));
      outputs.emplace_back(tensor.name, nb::bytes(npy.data(), npy.size()));
    }
    return {std::move(outputs), std::move(report)};
  }

private:
  static dojo::exec::Strict strictOf(llvm::StringRef name) {
    return llvm::StringSwitch<dojo::exec::Strict>(name)
        .Case("memory", dojo::exec::Strict::memory)
        .Case("race", dojo::exec::Strict::race)
        .Default(dojo::exec::Strict::none);
  }

  /// Without data if the program has no such input; the executor says so better.
  dojo::exec::Tensor tensorOf(const std::string &name, llvm::StringRef npy) const {
    auto input = llvm::find_if(program.inputs, [&](const auto &t) { return t.name == name; });
    if (input == program.inputs.end())
      return {name, {}, {}, {}};
    llvm::Expected<dojo::NpyArray> array = dojo::parseNpy(npy);
    if (!array)
      throw Failure("input '" + name + "': " + llvm::toString(array.takeError()));
    return valueOf(dojo::exec::toTensor(*array, *input));
  }

  void load(unsigned threads, dojo::exec::Strict strict, bool timing) {
    if (executor && options.threads == threads && options.strict == strict &&
        options.timing == timing)
      return;
    options.threads = threads;
    options.strict = strict;
    options.timing = timing;
    executor.reset();
    executor = valueOf(dojo::exec::Executor::create(program, options));
  }

  dojo::binary::Program program;
  dojo::exec::Options options;
  std::unique_ptr<dojo::exec::Executor> executor;
  std::mutex mutex;
};

using Shapes = std::vector<std::pair<std::string, std::vector<int64_t>>>;

/// The program, its report, and the warnings and remarks that were made.
std::tuple<std::unique_ptr<Program>, std::string, std::vector<std::string>>
compile(const std::string &path, std::string target, std::string precision, Shapes shapes,
        std::string dumpAfter, std::string mapping) {
  std::vector<std::string> messages;
  dojo::CompileOptions options;
  options.target = std::move(target);
  options.precision = std::move(precision);
  options.shapes = std::move(shapes);
  options.dumpAfter = std::move(dumpAfter);
  options.mappingFile = std::move(mapping);
  options.listener = [&](llvm::StringRef message) { messages.push_back(message.str()); };
  nb::gil_scoped_release release;
  dojo::CompileResult result = valueOf(dojo::compileOnnx(path, options));
  return {std::make_unique<Program>(std::move(result.program)), text(std::move(result.report)),
          std::move(messages)};
}

/// `machine`: a preset or a file, or an empty string for the one compiled for.
std::unique_ptr<Program> load(const std::string &path, const std::string &machine) {
  dojo::binary::Program program = valueOf(dojo::binary::readFile(path));
  if (!machine.empty())
    check(dojo::binary::retarget(program, valueOf(dojo::loadMachine(machine))));
  return std::make_unique<Program>(std::move(program));
}

} // namespace

NB_MODULE(_dojo, module) {
  nb::exception<Failure>(module, "Error");
  nb::class_<Program>(module, "Program")
      .def("inputs", &Program::inputs)
      .def("outputs", &Program::outputs)
      .def("save", &Program::save)
      .def("run", &Program::run);
  module.def("compile", &compile);
  module.def("load", &load);
}

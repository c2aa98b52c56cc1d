//===- Executor.cpp - loading, running, counting --------------------------===//
#include "dojo/Executor/Executor.h"
#include "Decode.h"
#include "Run.h"
#include "Timing.h"
#include "dojo/Executor/Arrays.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <chrono>
#include <cstring>
#include <thread>

using llvm::Error;
using llvm::Expected;
using llvm::formatv;

namespace dojo::exec {

class Executor::Impl {
public:
  Impl(const binary::Program &program, const Options &options)
      : program(program), options(options) {
    mesh.program = &this->program;
  }

  Error load();
  Error run(llvm::StringRef entry);
  Error runInit();
  Error checkInputs(llvm::ArrayRef<Tensor> inputs) const;
  Expected<std::vector<Tensor>> step(llvm::ArrayRef<Tensor> inputs);
  Stats stats() const;
  llvm::ArrayRef<EntryTiming> timings() const;
  llvm::StringRef trace() const { return timing ? timing->trace() : llvm::StringRef(); }

private:
  Error allocate();
  Error createTiming(const Machine &machine);
  void createNodes();
  Error checkDram() const;
  /// The host bytes behind a DRAM address.
  char *dram(uint64_t address) const;
  Expected<const Tensor *> findInput(const binary::Tensor &expected,
                                     llvm::ArrayRef<Tensor> given) const;

  binary::Program program;
  Options options;
  Mesh mesh;
  std::unique_ptr<Timing> timing;
  bool initialised = false;
  double seconds = 0;
};

namespace {

/// Keeps the first `count` places of a dimension.
void cut(Tensor &tensor, unsigned dim, int64_t count) {
  size_t place = binary::bytes(tensor.type), rows = 1;
  for (auto [d, size] : llvm::enumerate(tensor.shape))
    (d < dim ? rows : place) *= d == dim ? 1 : size;
  size_t from = place * tensor.shape[dim], to = place * count;
  std::vector<char> kept(rows * to);
  for (size_t row = 0; row < rows && to; ++row)
    memcpy(kept.data() + row * to, tensor.data.data() + row * from, to);
  tensor.data = std::move(kept);
  tensor.shape[dim] = count;
}

std::string listInputs(llvm::ArrayRef<binary::Tensor> tensors) {
  std::string text;
  for (const binary::Tensor &tensor : tensors)
    text += formatv("{0}'{1}' {2}", text.empty() ? "" : ", ", tensor.name,
                    typeText(tensor.type, tensor.shape));
  return text.empty() ? "none" : text;
}

} // namespace

Error Executor::Impl::load() {
  if (Error error = binary::verify(program))
    return error;
  Expected<Machine> machine = parseMachine(program.machine);
  if (!machine)
    return machine.takeError();
  mesh.topology = Topology(*machine);
  if (program.code.size() > mesh.topology.sramBytes)
    return llvm::createStringError(formatv("the code's {0} bytes do not fit the {1} bytes of SRAM",
                                           program.code.size(), mesh.topology.sramBytes)
                                       .str());
  if (Error error = checkDram())
    return error;
  if (Error error = allocate())
    return error;
  if (options.timing && options.order)
    return llvm::createStringError("a run in an order that is drawn has no modelled time");
  if (options.timing)
    if (Error error = createTiming(*machine))
      return error;
  createNodes();
  for (const binary::Image &image : program.images)
    llvm::copy(image.bytes, dram(image.address));
  return Error::success();
}

Error Executor::Impl::checkDram() const {
  const Topology &topology = mesh.topology;
  constexpr uint64_t dipShift = Topology::dipShift;
  auto check = [&](const llvm::Twine &what, uint64_t address, uint64_t size) -> Error {
    uint64_t offset = address & ((uint64_t(1) << dipShift) - 1);
    if (address >> dipShift < topology.dips && size <= topology.dipBytes &&
        offset <= topology.dipBytes - size)
      return Error::success();
    return llvm::createStringError(what + formatv(" at DRAM address {0:x} of {1} bytes is outside "
                                                  "the machine's {2} DIPs of {3} bytes",
                                                  address, size, topology.dips, topology.dipBytes)
                                              .str());
  };
  for (const binary::Image &image : program.images)
    if (Error error = check("an image", image.address, image.bytes.size()))
      return error;
  for (const auto &tensor :
       llvm::concat<const binary::Tensor>(program.inputs, program.outputs, program.counts))
    if (Error error = check("'" + tensor.name + "'", tensor.address, tensor.bytes()))
      return error;
  return Error::success();
}

Error Executor::Impl::allocate() {
  const Topology &topology = mesh.topology;
  Expected<HostMemory> sram = HostMemory::allocate(topology.nodes() * topology.sramBytes);
  if (!sram)
    return sram.takeError();
  mesh.sram = std::move(*sram);
  Expected<HostMemory> dram = HostMemory::allocate(topology.dips * topology.dipBytes);
  if (!dram)
    return dram.takeError();
  mesh.dram = std::move(*dram);
  mesh.semaphores =
      std::make_unique<std::atomic<uint32_t>[]>(topology.nodes() * mesh.semaphoresOfNode());
  mesh.claims = std::make_unique<std::atomic<Claim>[]>(topology.nodes());
  mesh.pushedTo = std::make_unique<std::atomic<uint64_t>[]>(topology.nodes());
  if (options.order)
    mesh.anyOrder = std::make_unique<AnyOrder>(*options.order, topology.nodes());
  if (options.strict == Strict::none)
    return Error::success();
  auto shadow = Shadow::create(program, topology.nodes(), topology.sramBytes);
  if (!shadow)
    return shadow.takeError();
  mesh.shadow = std::move(*shadow);
  if (options.strict != Strict::race)
    return Error::success();
  auto races = Races::create(mesh);
  if (!races)
    return races.takeError();
  mesh.races = std::move(*races);
  return Error::success();
}

Error Executor::Impl::createTiming(const Machine &machine) {
  for (unsigned node : options.tracedNodes.value_or(std::vector<unsigned>()))
    if (node >= mesh.topology.nodes())
      return llvm::createStringError(formatv("node {0} is to be traced, but '{1}' has {2} nodes",
                                             node, machine.name, mesh.topology.nodes())
                                         .str());
  timing = std::make_unique<Timing>(program, machine, mesh.topology, options.tracedNodes);
  mesh.clocks = std::vector<Clock>(mesh.topology.nodes());
  return Error::success();
}

void Executor::Impl::createNodes() {
  const Topology &topology = mesh.topology;
  decodeCode(mesh, options);
  mesh.nodes = std::vector<Node>(topology.nodes());
  for (auto [i, node] : llvm::enumerate(mesh.nodes)) {
    node.number = i;
    node.coordinate = topology.place(i);
    node.mesh = &mesh;
    node.clock = timing ? &mesh.clocks[i] : nullptr;
    node.code = mesh.code.data();
    node.sram = mesh.sram.data() + i * topology.sramBytes;
    node.sramBytes = topology.sramBytes;
    node.codeBytes = program.code.size();
    node.touched = node.codeBytes;
    node.shadow = mesh.shadow ? mesh.shadow->states(i) : nullptr;
    node.history = mesh.races ? &mesh.races->history(i) : nullptr;
    llvm::copy(program.code, node.sram);
  }
}

char *Executor::Impl::dram(uint64_t address) const {
  return mesh.dram.data() + mesh.topology.dramByte(address);
}

Error Executor::Impl::run(llvm::StringRef name) {
  std::optional<uint32_t> address = program.entry(name);
  if (!address)
    return llvm::createStringError("the program has no entry '" + name + "'");
  unsigned threads = mesh.races        ? 1
                     : options.threads ? options.threads
                                       : std::thread::hardware_concurrency();
  threads = std::clamp<unsigned>(threads, 1, mesh.nodes.size());
  auto begin = std::chrono::steady_clock::now();
  if (timing)
    timing->begin(mesh.clocks, *address);
  const uint64_t limit = mesh.races ? std::min(options.instructionLimit, Races::mostInstructions)
                                    : options.instructionLimit;
  Error error = runEntry(mesh, {name.str(), *address}, threads, limit,
                         timing ? &timing->issueModel() : nullptr);
  if (timing && !error)
    timing->finish(name, mesh.clocks);
  seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return error;
}

Error Executor::Impl::runInit() {
  if (initialised)
    return Error::success();
  initialised = true;
  return program.entry("init") ? run("init") : Error::success();
}

Expected<const Tensor *> Executor::Impl::findInput(const binary::Tensor &expected,
                                                   llvm::ArrayRef<Tensor> given) const {
  const auto *found =
      llvm::find_if(given, [&](const Tensor &tensor) { return tensor.name == expected.name; });
  if (found == given.end())
    return llvm::createStringError("input '" + expected.name + "' is missing; the program takes " +
                                   listInputs(program.inputs));
  if (found->type != expected.type || found->shape != expected.shape)
    return llvm::createStringError("input '" + expected.name + "' is " +
                                   typeText(found->type, found->shape) + ", the program takes " +
                                   typeText(expected.type, expected.shape));
  if (found->data.size() != expected.bytes())
    return llvm::createStringError(formatv("input '{0}' has {1} bytes, its type has {2}",
                                           expected.name, found->data.size(), expected.bytes())
                                       .str());
  return found;
}

Error Executor::Impl::checkInputs(llvm::ArrayRef<Tensor> inputs) const {
  for (const Tensor &tensor : inputs)
    if (llvm::none_of(program.inputs,
                      [&](const binary::Tensor &input) { return input.name == tensor.name; }))
      return llvm::createStringError("'" + tensor.name + "' is no input; the program takes " +
                                     listInputs(program.inputs));
  for (const binary::Tensor &input : program.inputs)
    if (Error error = findInput(input, inputs).takeError())
      return error;
  return Error::success();
}

Expected<std::vector<Tensor>> Executor::Impl::step(llvm::ArrayRef<Tensor> inputs) {
  if (Error error = checkInputs(inputs))
    return error;
  if (Error error = runInit())
    return error;
  for (const binary::Tensor &input : program.inputs)
    llvm::copy(llvm::cantFail(findInput(input, inputs))->data, dram(input.address));
  if (Error error = run("step"))
    return error;
  std::vector<Tensor> outputs;
  for (const binary::Tensor &output : program.outputs) {
    const char *data = dram(output.address);
    Tensor tensor = {output.name, output.type, output.shape,
                     std::vector<char>(data, data + output.bytes())};
    for (const binary::Extent &extent : output.extents) {
      int32_t count;
      memcpy(&count, dram(program.counts[extent.count].address), sizeof(count));
      if (count < 0 || count > tensor.shape[extent.dim])
        return llvm::createStringError(
            formatv("the program counts {0} places along dimension {1} of output '{2}', {3}", count,
                    extent.dim, output.name, typeText(output.type, output.shape))
                .str());
      cut(tensor, extent.dim, count);
    }
    outputs.push_back(std::move(tensor));
  }
  return outputs;
}

Stats Executor::Impl::stats() const {
  constexpr uint64_t macsOfMmul = 8 * 8 * 4, macsOfVfma = numLanes;
  Stats stats;
  stats.seconds = seconds;
  for (const Node &node : mesh.nodes) {
    const Counters &c = node.counters;
    uint64_t macs = c.mmul * macsOfMmul + c.vfma * macsOfVfma;
    stats.instructions += c.instructions;
    stats.matrixInstructions += c.mmul;
    stats.batchedMatrixInstructions += c.batched;
    stats.macs += macs;
    stats.macsBusiestNode = std::max(stats.macsBusiestNode, macs);
    stats.nodesUsed += macs > 0;
    stats.sramTouchedBytes =
        std::max({stats.sramTouchedBytes, node.touched, mesh.pushedTo[node.number].load()});
    stats.nocBytes += c.nocBytes;
    stats.dramReadBytes += c.dramReadBytes;
    stats.dramWrittenBytes += c.dramWrittenBytes;
  }
  return stats;
}

llvm::ArrayRef<EntryTiming> Executor::Impl::timings() const {
  return timing ? llvm::ArrayRef(timing->entries()) : llvm::ArrayRef<EntryTiming>();
}

llvm::json::Object toJSON(const Stats &stats) {
  auto number = [](uint64_t value) { return llvm::json::Value(value); };
  return llvm::json::Object{
      {"instructions_executed", number(stats.instructions)},
      {"matrix_instructions", number(stats.matrixInstructions)},
      {"matrix_instructions_batched", number(stats.batchedMatrixInstructions)},
      {"macs", number(stats.macs)},
      {"macs_busiest_node", number(stats.macsBusiestNode)},
      {"nodes_used", number(stats.nodesUsed)},
      {"sram_touched_bytes", number(stats.sramTouchedBytes)},
      {"noc_bytes", number(stats.nocBytes)},
      {"dram_bytes", number(stats.dramReadBytes + stats.dramWrittenBytes)},
      {"dram_read_bytes", number(stats.dramReadBytes)},
      {"dram_written_bytes", number(stats.dramWrittenBytes)},
      {"seconds", stats.seconds},
  };
}

Executor::Executor(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Executor::~Executor() = default;

Expected<std::unique_ptr<Executor>> Executor::create(const binary::Program &program,
                                                     const Options &options) {
  auto impl = std::make_unique<Impl>(program, options);
  if (Error error = impl->load())
    return error;
  return std::unique_ptr<Executor>(new Executor(std::move(impl)));
}

Error Executor::checkInputs(llvm::ArrayRef<Tensor> inputs) const {
  return impl->checkInputs(inputs);
}
Error Executor::runInit() { return impl->runInit(); }
Expected<std::vector<Tensor>> Executor::step(llvm::ArrayRef<Tensor> inputs) {
  return impl->step(inputs);
}
Stats Executor::stats() const { return impl->stats(); }
llvm::ArrayRef<EntryTiming> Executor::timing() const { return impl->timings(); }
llvm::StringRef Executor::trace() const { return impl->trace(); }

} // namespace dojo::exec

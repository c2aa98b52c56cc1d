//===- Machine.cpp - presets and the text form of machines ----------------===//
#include "dojo/Machine/Machine.h"
#include "dojo/Machine/Grid.h"
#include "dojo/Support/File.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include <set>

using namespace dojo;

namespace {

/// One integer of the text form: its key, its range and its value on the D1 die.
/// The ISA fixes vector and tile sizes; addresses bound the counts of nodes,
/// dies and DIPs.
struct Field {
  llvm::StringLiteral key;
  int64_t Machine::*member;
  int64_t least, most, d1;
};

constexpr int64_t gib = int64_t(1) << 30;
constexpr int64_t many = 1'000'000;

constexpr Field fields[] = {
    {"clock_mhz", &Machine::clockMHz, 1, many, 2000},
    {"sram_bytes", &Machine::sramBytes, 4096, 2 * gib, 1'310'720},
    {"code_budget_percent", &Machine::codeBudgetPercent, 1, 100, 25},
    {"semaphores", &Machine::semaphores, 1, many, 1024},
    {"vector_bytes", &Machine::vectorBytes, 64, 64, 64},
    {"matrix_rows", &Machine::matrixRows, 8, 8, 8},
    {"matrix_cols", &Machine::matrixCols, 8, 8, 8},
    {"matrix_depth", &Machine::matrixDepth, 4, 4, 4},
    {"vector_read_ports", &Machine::vectorReadPorts, 1, 16, 2},
    {"vector_write_ports", &Machine::vectorWritePorts, 1, 16, 1},
    {"scalar_read_ports", &Machine::scalarReadPorts, 1, 16, 1},
    {"scalar_write_ports", &Machine::scalarWritePorts, 1, 16, 1},
    {"network_read_ports", &Machine::networkReadPorts, 1, 16, 1},
    {"network_write_ports", &Machine::networkWritePorts, 1, 16, 1},
    {"address_issue", &Machine::addressIssue, 1, 16, 2},
    {"integer_issue", &Machine::integerIssue, 1, 16, 2},
    {"simd_issue", &Machine::simdIssue, 1, 16, 1},
    {"matrix_issue", &Machine::matrixIssue, 1, 16, 1},
    {"branch_issue", &Machine::branchIssue, 1, 16, 1},
    {"address_latency", &Machine::addressLatency, 1, 1000, 4},
    {"integer_latency", &Machine::integerLatency, 1, 1000, 1},
    {"simd_latency", &Machine::simdLatency, 1, 1000, 4},
    {"matrix_latency", &Machine::matrixLatency, 1, 1000, 16},
    {"branch_latency", &Machine::branchLatency, 1, 1000, 2},
    {"link_bytes_per_cycle", &Machine::linkBytesPerCycle, 1, many, 64},
    {"hop_cycles", &Machine::hopCycles, 1, many, 1},
    {"die_crossing_cycles", &Machine::dieCrossingCycles, 1, many, 200},
    {"die_edge_bytes_per_cycle", &Machine::dieEdgeBytesPerCycle, 1, many, 1000},
    {"die_rows", &Machine::dieRows, 1, 256, 18},
    {"die_cols", &Machine::dieCols, 1, 256, 20},
    {"tile_rows", &Machine::tileRows, 1, 64, 1},
    {"tile_cols", &Machine::tileCols, 1, 256, 1},
    {"dips_west", &Machine::dipsWest, 0, 128, 1},
    {"dips_east", &Machine::dipsEast, 0, 128, 0},
    {"dip_bytes", &Machine::dipBytes, 4096, 1024 * gib, 32 * gib},
    {"dip_bytes_per_cycle", &Machine::dipBytesPerCycle, 1, many, 400},
    {"dram_latency_cycles", &Machine::dramLatencyCycles, 1, many, 400},
};

/// Six rows with one dead node each, no two in one column.
constexpr std::pair<int64_t, int64_t> deadOnDie[] = {{1, 3},  {4, 12},  {7, 17},
                                                     {10, 6}, {13, 14}, {16, 9}};

} // namespace

//===----------------------------------------------------------------------===//
// Presets
//===----------------------------------------------------------------------===//

llvm::ArrayRef<llvm::StringRef> dojo::machinePresets() {
  static constexpr llvm::StringRef names[] = {"d1-node", "d1-mini", "d1-die", "d1-tile"};
  return names;
}

static Machine preset(llvm::StringRef name) {
  Machine machine{};
  machine.name = name.str();
  for (const Field &field : fields)
    machine.*field.member = field.d1;
  if (name == "d1-node")
    machine.dieRows = machine.dieCols = 1;
  if (name == "d1-mini")
    machine.dieRows = machine.dieCols = 4;
  if (name == "d1-tile") {
    machine.tileRows = machine.tileCols = 5;
    machine.dipsWest = machine.dipsEast = 5;
  }
  if (name == "d1-die" || name == "d1-tile")
    for (int64_t d = 0; d < machine.numDies(); ++d)
      for (auto [row, col] : deadOnDie)
        machine.deadNodes.push_back({d / machine.tileCols, d % machine.tileCols, row, col});
  return machine;
}

static llvm::Error inFile(llvm::StringRef path, llvm::Error error) {
  return llvm::createStringError("machine file '" + path +
                                 "': " + llvm::toString(std::move(error)));
}

llvm::Expected<Machine> dojo::loadMachine(llvm::StringRef presetOrFile) {
  if (llvm::is_contained(machinePresets(), presetOrFile))
    return preset(presetOrFile);
  if (!llvm::sys::fs::exists(presetOrFile))
    return llvm::createStringError("unknown target '" + presetOrFile + "': expected one of " +
                                   llvm::join(machinePresets(), ", ") +
                                   " or the path of a machine file");
  llvm::Expected<std::string> text = readFile(presetOrFile);
  if (!text)
    return text.takeError();
  llvm::Expected<Machine> machine = parseMachine(*text);
  if (!machine)
    return inFile(presetOrFile, machine.takeError());
  return machine;
}

//===----------------------------------------------------------------------===//
// Text form
//===----------------------------------------------------------------------===//

static llvm::Error parseField(const llvm::json::Object &object, const Field &field,
                              Machine &machine) {
  std::optional<int64_t> number = object.getInteger(field.key);
  if (!number)
    return llvm::createStringError("key '" + field.key + "' must be an integer");
  if (*number < field.least || *number > field.most)
    return llvm::createStringError("key '" + field.key + "' is " + llvm::Twine(*number) +
                                   ", must be from " + llvm::Twine(field.least) + " to " +
                                   llvm::Twine(field.most));
  machine.*field.member = *number;
  return llvm::Error::success();
}

static std::optional<Place> parsePlace(const llvm::json::Value &value) {
  const llvm::json::Array *numbers = value.getAsArray();
  Place place;
  if (!numbers || numbers->size() != place.size())
    return std::nullopt;
  for (auto [number, into] : llvm::zip(*numbers, place)) {
    std::optional<int64_t> n = number.getAsInteger();
    if (!n)
      return std::nullopt;
    into = *n;
  }
  return place;
}

static llvm::Error parseDeadNodes(const llvm::json::Object &object, Machine &machine) {
  const llvm::json::Array *list = object.getArray("dead_nodes");
  if (!list)
    return llvm::createStringError("key 'dead_nodes' must be a list");
  const Place bounds = {machine.tileRows, machine.tileCols, machine.dieRows, machine.dieCols};
  std::set<Place> seen;
  for (auto [i, value] : llvm::enumerate(*list)) {
    std::string where = "dead node " + std::to_string(i);
    std::optional<Place> place = parsePlace(value);
    if (!place)
      return llvm::createStringError(where +
                                     " must be four integers: die row, die column, row, column");
    for (auto [n, bound] : llvm::zip(*place, bounds))
      if (n < 0 || n >= bound)
        return llvm::createStringError(where + " lies outside the machine");
    if (!seen.insert(*place).second)
      return llvm::createStringError(where + " is listed twice");
    machine.deadNodes.push_back(*place);
  }
  return llvm::Error::success();
}

static llvm::Error checkKeys(const llvm::json::Object &object) {
  std::set<llvm::StringRef> known = {"name", "dead_nodes"};
  for (const Field &field : fields)
    known.insert(field.key);
  for (const auto &entry : object)
    if (!known.erase(entry.first))
      return llvm::createStringError("unknown key '" + entry.first.str() + "'");
  if (!known.empty())
    return llvm::createStringError("missing key '" + *known.begin() + "'");
  return llvm::Error::success();
}

/// With 'base', the keys that stand there over those of that preset.
static llvm::Expected<llvm::json::Object> withBase(llvm::json::Object object) {
  const llvm::json::Value *base = object.get("base");
  if (!base)
    return object;
  std::optional<llvm::StringRef> name = base->getAsString();
  if (!name || !llvm::is_contained(machinePresets(), *name))
    return llvm::createStringError("key 'base' must be one of " +
                                   llvm::join(machinePresets(), ", "));
  llvm::json::Object whole = toJson(preset(*name));
  object.erase("base");
  for (auto &entry : object)
    whole[entry.first] = std::move(entry.second);
  return whole;
}

llvm::Expected<Machine> dojo::parseMachine(llvm::StringRef json) {
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(json);
  if (!value)
    return llvm::createStringError("not JSON: " + llvm::toString(value.takeError()));
  if (!value->getAsObject())
    return llvm::createStringError("a machine must be a JSON object");
  llvm::Expected<llvm::json::Object> object = withBase(std::move(*value->getAsObject()));
  if (!object)
    return object.takeError();
  if (llvm::Error error = checkKeys(*object))
    return error;
  Machine machine{};
  std::optional<llvm::StringRef> name = object->getString("name");
  if (!name)
    return llvm::createStringError("key 'name' must be a string");
  machine.name = name->str();
  for (const Field &field : fields)
    if (llvm::Error error = parseField(*object, field, machine))
      return error;
  if (machine.numDips() == 0)
    return llvm::createStringError("the machine needs a DIP: 'dips_west' and 'dips_east' are 0");
  if (llvm::Error error = parseDeadNodes(*object, machine))
    return error;
  if (logicalGrid(machine).numNodes() == 0)
    return llvm::createStringError("the dead nodes leave no grid of live nodes on every die");
  return machine;
}

llvm::json::Object dojo::toJson(const Machine &machine) {
  llvm::json::Object object{{"name", machine.name}};
  for (const Field &field : fields)
    object[field.key] = machine.*field.member;
  llvm::json::Array dead;
  for (const Place &place : machine.deadNodes)
    dead.push_back(llvm::json::Array(place));
  object["dead_nodes"] = std::move(dead);
  return object;
}

std::string dojo::printMachine(const Machine &machine) {
  return llvm::formatv("{0}", llvm::json::Value(toJson(machine))).str();
}

bool Machine::isDead(const Place &physical) const {
  return llvm::is_contained(deadNodes, physical);
}

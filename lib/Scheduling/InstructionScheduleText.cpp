//===- InstructionScheduleText.cpp - schedules as text --------------------===//
#include "dojo/Scheduling/InstructionSchedule.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"

namespace dojo::sched {
namespace {

class Parser {
public:
  llvm::Expected<std::pair<Problem, std::optional<Solution>>> run(llvm::StringRef text) {
    llvm::SmallVector<llvm::StringRef> lines;
    text.split(lines, '\n');
    for (auto [number, line] : llvm::enumerate(lines)) {
      words.clear();
      line.split('#').first.split(words, ' ', -1, false);
      if (words.empty())
        continue;
      if (std::string why = parseLine(); !why.empty())
        return llvm::createStringError("line " + llvm::Twine(number + 1) + ": " + why);
    }
    if (solution.cycles.empty() && !solution.interval)
      return std::make_pair(problem, std::optional<Solution>());
    if (solution.cycles.size() != problem.instructions.size())
      return llvm::createStringError("only some instructions have a cycle");
    return std::make_pair(problem, std::optional<Solution>(solution));
  }

private:
  Problem problem;
  Solution solution;
  llvm::StringMap<unsigned> resources, files, instructions;
  llvm::SmallVector<llvm::StringRef> words;

  /// What is wrong with the line, or "".
  std::string parseLine() {
    llvm::StringRef kind = words.front();
    if (kind == "resource" && words.size() == 3)
      return parseCounted(problem.resources, resources);
    if (kind == "file" && words.size() == 3)
      return parseCounted(problem.files, files);
    if (kind == "inst" && words.size() >= 2)
      return parseInstruction();
    if (kind == "edge" && words.size() >= 4)
      return parseEdge();
    if (kind == "interval" && words.size() == 2)
      return words[1].getAsInteger(10, solution.interval) || solution.interval < 1
                 ? notNumber(words[1])
                 : "";
    return ("cannot read '" + kind + "' with " + llvm::Twine(words.size() - 1) + " words").str();
  }

  static std::string notNumber(llvm::StringRef word) {
    return ("expected a number, found '" + word + "'").str();
  }
  static std::string unknown(llvm::StringRef what, llvm::StringRef name) {
    return ("unknown " + what + " '" + name + "'").str();
  }

  template <typename T>
  std::string parseCounted(std::vector<T> &list, llvm::StringMap<unsigned> &names) {
    unsigned number;
    if (words[2].getAsInteger(10, number) || !number)
      return notNumber(words[2]);
    if (!names.try_emplace(words[1], list.size()).second)
      return ("'" + words[1] + "' stands twice").str();
    list.push_back({words[1].str(), number});
    return "";
  }

  std::string parseInstruction() {
    if (!instructions.try_emplace(words[1], problem.instructions.size()).second)
      return ("'" + words[1] + "' stands twice").str();
    Instruction instruction{words[1].str(), {}, std::nullopt};
    for (size_t at = 2; at < words.size(); ++at) {
      bool last = at + 1 == words.size();
      if (words[at] == "->" && !last) {
        auto file = files.find(words[++at]);
        if (file == files.end())
          return unknown("file", words[at]);
        instruction.file = file->second;
      } else if (words[at] == "kept") {
        instruction.kept = true;
      } else if (words[at] == "given") {
        instruction.given = true;
      } else if (words[at] == "@" && !last) {
        int64_t cycle;
        if (words[++at].getAsInteger(10, cycle))
          return notNumber(words[at]);
        solution.cycles.push_back(cycle);
      } else {
        auto resource = resources.find(words[at]);
        if (resource == resources.end())
          return unknown("resource", words[at]);
        instruction.resources.push_back(resource->second);
      }
    }
    problem.instructions.push_back(std::move(instruction));
    return "";
  }

  std::string parseEdge() {
    Edge edge{};
    for (auto [word, end] : {std::pair(words[1], &edge.from), std::pair(words[2], &edge.to)}) {
      auto found = instructions.find(word);
      if (found == instructions.end())
        return unknown("instruction", word);
      *end = found->second;
    }
    if (words.back() == "value") {
      edge.value = true;
      words.pop_back();
    }
    if (words.size() < 4 || words.size() > 5)
      return "an edge has a latency and perhaps a distance";
    if (words[3].getAsInteger(10, edge.latency))
      return notNumber(words[3]);
    if (words.size() == 5 && words[4].getAsInteger(10, edge.distance))
      return notNumber(words[4]);
    if (edge.value && (edge.distance > 1 || !problem.instructions[edge.from].file))
      return "a value has a file, and a distance of 1 at most";
    if (!edge.distance && edge.from >= edge.to)
      return "an edge of distance 0 leads backward";
    problem.edges.push_back(edge);
    return "";
  }
};

} // namespace

llvm::Expected<std::pair<Problem, std::optional<Solution>>> parseSchedule(llvm::StringRef text) {
  return Parser().run(text);
}

std::string printSchedule(const Problem &problem, const Solution *solution) {
  std::string text;
  for (const Resource &resource : problem.resources)
    text += llvm::formatv("resource {0} {1}\n", resource.name, resource.perCycle);
  for (const File &file : problem.files)
    text += llvm::formatv("file {0} {1}\n", file.name, file.registers);
  for (unsigned i = 0; i < problem.instructions.size(); ++i) {
    const Instruction &instruction = problem.instructions[i];
    text += "inst " + instruction.name;
    for (unsigned resource : instruction.resources)
      text += " " + problem.resources[resource].name;
    if (instruction.file)
      text += " -> " + problem.files[*instruction.file].name;
    if (instruction.kept)
      text += " kept";
    if (instruction.given)
      text += " given";
    text += solution ? llvm::formatv(" @ {0}\n", solution->cycles[i]).str() : "\n";
  }
  for (const Edge &edge : problem.edges)
    text += llvm::formatv("edge {0} {1} {2} {3}{4}\n", problem.instructions[edge.from].name,
                          problem.instructions[edge.to].name, edge.latency, edge.distance,
                          edge.value ? " value" : "");
  if (solution && solution->interval)
    text += llvm::formatv("interval {0}\n", solution->interval);
  return text;
}

} // namespace dojo::sched

//===- Text.cpp - the CSV form of placement problems ----------------------===//
#include "dojo/Placement/Placement.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <array>

using namespace dojo::place;

namespace {

constexpr llvm::StringRef columns[] = {"id", "lower", "upper", "size", "alignment", "offset"};
enum Column { id, lower, upper, size, alignment, offset, numColumns };

/// For each column its place in a row, or -1.
using Header = std::array<int, numColumns>;

} // namespace

static llvm::Error inLine(size_t number, const llvm::Twine &why) {
  return llvm::createStringError("line " + llvm::Twine(number) + ": " + why);
}

static llvm::SmallVector<llvm::StringRef> cellsOf(llvm::StringRef line) {
  llvm::SmallVector<llvm::StringRef> cells;
  line.split(cells, ',');
  for (llvm::StringRef &cell : cells)
    cell = cell.trim();
  return cells;
}

static llvm::Expected<Header> parseHeader(llvm::StringRef line) {
  Header header;
  header.fill(-1);
  for (auto [i, cell] : llvm::enumerate(cellsOf(line))) {
    const llvm::StringRef *column = llvm::find(columns, cell);
    if (column == std::end(columns))
      return inLine(1, "unknown column '" + cell + "'");
    header[column - columns] = i;
  }
  for (Column column : {id, lower, upper, size})
    if (header[column] < 0)
      return inLine(1, "missing column '" + columns[column] + "'");
  return header;
}

static llvm::Expected<Buffer> parseRow(const Header &header, llvm::StringRef line, size_t number) {
  llvm::SmallVector<llvm::StringRef> cells = cellsOf(line);
  std::array<std::optional<int64_t>, numColumns> value;
  for (unsigned c = lower; c < numColumns; ++c) {
    if (header[c] < 0)
      continue;
    llvm::StringRef cell = static_cast<size_t>(header[c]) < cells.size() ? cells[header[c]] : "";
    int64_t parsed;
    if (cell.empty() && c >= alignment)
      continue;
    if (cell.getAsInteger(10, parsed) || parsed < 0)
      return inLine(number,
                    "column '" + columns[c] + "' must be a natural number, not '" + cell + "'");
    value[c] = parsed;
  }
  Buffer buffer{cells[header[id]].str(),      *value[size], *value[lower], *value[upper],
                value[alignment].value_or(1), value[offset]};
  if (buffer.upper <= buffer.lower)
    return inLine(number, "buffer '" + buffer.name + "' ends before it begins");
  if (buffer.alignment < 1)
    return inLine(number, "buffer '" + buffer.name + "' has an alignment of 0");
  return buffer;
}

llvm::Expected<Problem> dojo::place::parseProblem(llvm::StringRef csv, int64_t capacity) {
  llvm::SmallVector<llvm::StringRef> lines;
  csv.split(lines, '\n');
  llvm::Expected<Header> header = parseHeader(lines[0]);
  if (!header)
    return header.takeError();
  Problem problem{capacity, {}};
  for (auto [i, line] : llvm::enumerate(lines)) {
    if (i == 0 || line.trim().empty())
      continue;
    llvm::Expected<Buffer> buffer = parseRow(*header, line, i + 1);
    if (!buffer)
      return buffer.takeError();
    problem.buffers.push_back(std::move(*buffer));
  }
  return problem;
}

static std::string print(const Problem &problem, llvm::ArrayRef<std::optional<int64_t>> offsets) {
  std::string text = llvm::join(llvm::ArrayRef(columns), ",") + "\n";
  for (auto [buffer, offset] : llvm::zip(problem.buffers, offsets))
    text += llvm::formatv("{0},{1},{2},{3},{4},{5}\n", buffer.name, buffer.lower, buffer.upper,
                          buffer.size, buffer.alignment, offset ? llvm::Twine(*offset).str() : "");
  return text;
}

std::string dojo::place::printProblem(const Problem &problem) {
  std::vector<std::optional<int64_t>> offsets;
  for (const Buffer &buffer : problem.buffers)
    offsets.push_back(buffer.fixed);
  return print(problem, offsets);
}

std::string dojo::place::printSolution(const Problem &problem, const Solution &solution) {
  std::vector<std::optional<int64_t>> offsets(solution.offsets.begin(), solution.offsets.end());
  return print(problem, offsets);
}

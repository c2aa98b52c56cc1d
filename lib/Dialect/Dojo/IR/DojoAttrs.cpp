//===- DojoAttrs.cpp - text of layouts and mappings -----------------------===//
#include "dojo/Dialect/Dojo/IR/Dojo.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

static constexpr unsigned numbersPerDim = 5;
static constexpr int64_t repeatingDim = -1;

//===-- Pieces of syntax --------------------------------------------------===//

static std::optional<unsigned> axisOf(StringRef name) {
  for (unsigned a = 0; a < numAxes; ++a)
    if (name == axisName(static_cast<Axis>(a)))
      return a;
  return std::nullopt;
}

/// `d<number>`, or `*` for a digit that repeats.
static ParseResult parseDim(AsmParser &parser, int64_t &dim) {
  StringRef name;
  SMLoc loc = parser.getCurrentLocation();
  if (succeeded(parser.parseOptionalStar())) {
    dim = repeatingDim;
    return success();
  }
  if (parser.parseKeyword(&name))
    return failure();
  if (!name.consume_front("d") || name.getAsInteger(10, dim) || dim < 0)
    return parser.emitError(loc, "expected a dimension or iterator such as d0");
  return success();
}

/// `[d<i> : <n>, ...]`, appended as pairs, each preceded by `prefix`.
static ParseResult parseDigits(AsmParser &parser, SmallVectorImpl<int64_t> &out,
                               ArrayRef<int64_t> prefix) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&]() -> ParseResult {
    int64_t dim, count;
    if (parseDim(parser, dim) || parser.parseColon() || parser.parseInteger(count))
      return failure();
    llvm::append_range(out, prefix);
    out.append({dim, count});
    return success();
  });
}

static void printPairs(AsmPrinter &printer, ArrayRef<int64_t> numbers) {
  printer << '[';
  for (unsigned i = 0; i < numbers.size(); i += 2) {
    printer << (i ? ", " : "");
    if (numbers[i] == repeatingDim)
      printer << '*';
    else
      printer << 'd' << numbers[i];
    printer << " : " << numbers[i + 1];
  }
  printer << ']';
}

static void printAxes(AsmPrinter &printer, ArrayRef<int64_t> digits, ArrayRef<int64_t> pinned,
                      llvm::function_ref<void()> separator) {
  for (unsigned a = 0; a < numAxes; ++a) {
    SmallVector<int64_t> pairs;
    for (unsigned i = 0; i < digits.size(); i += 3)
      if (digits[i] == a)
        pairs.append({digits[i + 1], digits[i + 2]});
    bool isPinned = llvm::is_contained(pinned, a);
    if (pairs.empty() && !isPinned)
      continue;
    separator();
    printer << axisName(static_cast<Axis>(a)) << " = ";
    if (isPinned)
      printer << '0';
    else
      printPairs(printer, pairs);
  }
}

//===-- Layout ------------------------------------------------------------===//

LayoutAttr LayoutAttr::get(MLIRContext *context, const Layout &layout) {
  SmallVector<int64_t> dims, digits, pinned, order(layout.order.begin(), layout.order.end());
  for (const Layout::Dim &dim : layout.dims)
    dims.append({dim.size, dim.step, dim.offset, dim.window, dim.extent});
  for (unsigned a = 0; a < numAxes; ++a) {
    for (const Layout::Digit &digit : layout.axes[a].digits)
      digits.append({a, digit.repeats() ? repeatingDim : digit.dim, digit.count});
    if (layout.axes[a].pinned)
      pinned.push_back(a);
  }
  return get(context, dims, digits, pinned, order);
}

Layout LayoutAttr::getLayout() const {
  Layout layout;
  ArrayRef<int64_t> dims = getDims();
  for (unsigned i = 0; i < dims.size(); i += numbersPerDim)
    layout.dims.push_back({dims[i], dims[i + 1], dims[i + 2], dims[i + 3], dims[i + 4]});
  ArrayRef<int64_t> digits = getDigits();
  for (unsigned i = 0; i < digits.size(); i += 3)
    layout.axes[digits[i]].digits.push_back({static_cast<unsigned>(digits[i + 1]), digits[i + 2]});
  for (int64_t axis : getPinned())
    layout.axes[axis].pinned = true;
  layout.order.assign(getOrder().begin(), getOrder().end());
  return layout;
}

/// `<size> [step s] [offset o] [window w] [extent e]`
static ParseResult parseLayoutDim(AsmParser &parser, SmallVectorImpl<int64_t> &dims) {
  int64_t size, step, offset = 0;
  if (parser.parseInteger(size))
    return failure();
  auto optional = [&](StringRef keyword, int64_t &value) -> ParseResult {
    return succeeded(parser.parseOptionalKeyword(keyword)) ? parser.parseInteger(value)
                                                           : ParseResult(success());
  };
  step = size;
  if (optional("step", step) || optional("offset", offset))
    return failure();
  int64_t window = step;
  if (optional("window", window))
    return failure();
  int64_t extent = window;
  if (optional("extent", extent))
    return failure();
  dims.append({size, step, offset, window, extent});
  return success();
}

Attribute LayoutAttr::parse(AsmParser &parser, Type) {
  SmallVector<int64_t> dims, digits, pinned, order;
  if (parser.parseLess() || parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
        return parseLayoutDim(parser, dims);
      }))
    return {};
  while (succeeded(parser.parseOptionalComma())) {
    StringRef key;
    SMLoc loc = parser.getCurrentLocation();
    if (parser.parseKeyword(&key) || parser.parseEqual())
      return {};
    if (key == "order") {
      auto parseOne = [&] { return parser.parseInteger(order.emplace_back()); };
      if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseOne))
        return {};
      continue;
    }
    auto axis = axisOf(key);
    if (!axis) {
      parser.emitError(loc, "expected an axis (dy, dx, y, x) or order, found '") << key << "'";
      return {};
    }
    int64_t coordinate;
    if (auto parsed = parser.parseOptionalInteger(coordinate); parsed.has_value()) {
      if (*parsed || coordinate != 0) {
        parser.emitError(loc, "an axis can be pinned to coordinate 0 only");
        return {};
      }
      pinned.push_back(*axis);
    } else if (parseDigits(parser, digits, {static_cast<int64_t>(*axis)})) {
      return {};
    }
  }
  if (order.empty())
    llvm::append_range(order, llvm::seq<int64_t>(0, dims.size() / numbersPerDim));
  if (parser.parseGreater())
    return {};
  return LayoutAttr::get(parser.getContext(), dims, digits, pinned, order);
}

void LayoutAttr::print(AsmPrinter &printer) const {
  printer << "<[";
  Layout layout = getLayout();
  llvm::interleaveComma(layout.dims, printer, [&](const Layout::Dim &dim) {
    printer << dim.size;
    if (dim.step != dim.size)
      printer << " step " << dim.step;
    if (dim.offset != 0)
      printer << " offset " << dim.offset;
    if (dim.window != dim.step)
      printer << " window " << dim.window;
    if (dim.extent != dim.window)
      printer << " extent " << dim.extent;
  });
  printer << ']';
  printAxes(printer, getDigits(), getPinned(), [&] { printer << ", "; });
  if (!llvm::equal(getOrder(), llvm::seq<int64_t>(0, layout.rank()))) {
    printer << ", order = [";
    llvm::interleaveComma(getOrder(), printer);
    printer << ']';
  }
  printer << '>';
}

//===-- Mapping -----------------------------------------------------------===//

Attribute MappingAttr::parse(AsmParser &parser, Type) {
  SmallVector<int64_t> digits, steps, tile;
  int64_t inner = -1;
  auto parseEntry = [&]() -> ParseResult {
    StringRef key;
    SMLoc loc = parser.getCurrentLocation();
    if (parser.parseKeyword(&key) || parser.parseEqual())
      return failure();
    if (key == "steps")
      return parseDigits(parser, steps, {});
    if (key == "tile")
      return parseDigits(parser, tile, {});
    if (key == "inner")
      return parseDim(parser, inner);
    if (auto axis = axisOf(key))
      return parseDigits(parser, digits, {static_cast<int64_t>(*axis)});
    return parser.emitError(loc, "expected an axis (dy, dx, y, x), steps, inner or tile, found '")
           << key << "'";
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater, parseEntry))
    return {};
  return MappingAttr::get(parser.getContext(), digits, steps, inner, tile);
}

void MappingAttr::print(AsmPrinter &printer) const {
  bool first = true;
  auto separator = [&] {
    printer << (first ? "" : ", ");
    first = false;
  };
  printer << '<';
  printAxes(printer, getDigits(), {}, separator);
  if (!getSteps().empty()) {
    separator();
    printer << "steps = ";
    printPairs(printer, getSteps());
  }
  if (getInner() >= 0) {
    separator();
    printer << "inner = d" << getInner();
  }
  if (!getTile().empty()) {
    separator();
    printer << "tile = ";
    printPairs(printer, getTile());
  }
  printer << '>';
}

int64_t MappingAttr::blocks(int64_t iterator) const {
  int64_t product = 1;
  for (unsigned i = 0; i < getDigits().size(); i += 3)
    if (getDigits()[i + 1] == iterator)
      product *= getDigits()[i + 2];
  return product;
}

static int64_t lookupPair(ArrayRef<int64_t> pairs, int64_t key, int64_t otherwise) {
  for (unsigned i = 0; i < pairs.size(); i += 2)
    if (pairs[i] == key)
      return pairs[i + 1];
  return otherwise;
}

int64_t MappingAttr::multiple(int64_t iterator) const { return lookupPair(getTile(), iterator, 1); }

int64_t MappingAttr::step(int64_t iterator) const { return lookupPair(getSteps(), iterator, 0); }

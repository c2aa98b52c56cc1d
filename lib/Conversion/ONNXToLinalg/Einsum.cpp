//===- Einsum.cpp - sums of products by the letters of an equation --------===//
#include "Build.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

#include <map>

using namespace mlir;
using namespace dojo::onnx;

namespace {

/// One term of an equation.
using Term = std::string;

/// Loops by letter: those of the result first, then those that are summed. A letter
/// that a term repeats has a loop of its own there, which must agree with the first.
class Equation {
public:
  explicit Equation(NodeContext &c) : c(c) {}

  LogicalResult lower();

private:
  LogicalResult read();
  LogicalResult addOperand(unsigned operand);
  FailureOr<unsigned> loopOf(char letter, int64_t size);

  NodeContext &c;
  SmallVector<Term> terms;
  Term result;
  std::map<char, unsigned> loops;
  Shape extents;
  SmallVector<Indexed> inputs;
  SmallVector<std::pair<unsigned, unsigned>> equal; ///< loops on a diagonal
};

} // namespace

/// An ellipsis becomes one byte above the letters for each of its dimensions.
static std::string spelled(StringRef term, int64_t ellipsis) {
  std::string letters;
  auto [before, after] = term.split("...");
  letters = before.str();
  if (before.size() != term.size())
    for (int64_t i = 0; i < ellipsis; ++i)
      letters += char(128 + i);
  return letters + after.str();
}

LogicalResult Equation::read() {
  std::string text = c.stringAttr("equation", "");
  llvm::erase(text, ' ');
  auto [left, right] = StringRef(text).split("->");
  SmallVector<StringRef> parts;
  left.split(parts, ',');
  if (parts.size() != c.size())
    return c.fail("its equation '" + text + "' has " + Twine(parts.size()) + " terms for " +
                  Twine(c.size()) + " operands");
  int64_t ellipsis = 0;
  std::map<char, unsigned> counts;
  for (auto [i, part] : llvm::enumerate(parts)) {
    size_t named = part.contains("...") ? part.size() - 3 : part.size();
    if (part.contains("..."))
      ellipsis = c.rank(i) - int64_t(named);
    if (ellipsis < 0 || (part.contains("...") ? 0 : int64_t(named) != c.rank(i)))
      return c.fail("its term '" + part + "' does not fit " + shapeName(c.shape(i)));
    terms.push_back(spelled(part, ellipsis));
    if (int64_t(terms.back().size()) != c.rank(i))
      return c.fail("its term '" + part + "' does not fit " + shapeName(c.shape(i)));
    for (char letter : terms.back())
      ++counts[letter];
  }
  result = spelled(right, ellipsis);
  // Without an arrow: what stands once, in order, behind the ellipsis.
  if (!StringRef(text).contains("->")) {
    result = spelled("...", ellipsis);
    for (auto [letter, count] : counts)
      if (count == 1 && llvm::isAlpha(letter))
        result += letter;
  }
  return success();
}

FailureOr<unsigned> Equation::loopOf(char letter, int64_t size) {
  auto [found, isNew] = loops.try_emplace(letter, extents.size());
  if (isNew)
    extents.push_back(size);
  if (extents[found->second] != size)
    return c.fail("its dimensions of one letter are " + Twine(extents[found->second]) + " and " +
                  Twine(size));
  return found->second;
}

LogicalResult Equation::addOperand(unsigned operand) {
  Indexed input = {c.value(operand), {}};
  for (auto [letter, size] : llvm::zip(terms[operand], c.shape(operand))) {
    FailureOr<unsigned> loop = loopOf(letter, size);
    if (failed(loop))
      return failure();
    if (llvm::is_contained(input.dims, *loop)) {
      equal.push_back({*loop, extents.size()});
      extents.push_back(size);
      loop = extents.size() - 1;
    }
    input.dims.push_back(*loop);
  }
  inputs.push_back(input);
  return success();
}

LogicalResult Equation::lower() {
  if (failed(read()))
    return failure();
  // The loops of the result come first, in its order.
  for (char letter : result)
    for (auto [i, term] : llvm::enumerate(terms)) {
      size_t at = term.find(letter);
      if (at != std::string::npos && failed(loopOf(letter, c.shape(i)[at])))
        return failure();
    }
  if (extents.size() != result.size())
    return c.fail("its result has a letter that no term has, or one twice");
  for (unsigned i = 0; i < c.size(); ++i)
    if (failed(addOperand(i)))
      return failure();
  size_t factors = inputs.size();
  for (auto [first, second] : equal) {
    inputs.push_back({iota(c.b, extents[first]), {first}});
    inputs.push_back({iota(c.b, extents[second]), {second}});
  }
  Type element = c.type(0).getElementType();
  Shape shape(ArrayRef(extents).take_front(result.size()));
  Indexed init = {zeros(c.b, shape, element),
                  llvm::to_vector(llvm::seq<unsigned>(0, result.size()))};
  c.result(0, fold(c.b, extents.size(), inputs, init, [&](Scalars &s, ValueRange v) {
             Value term = v.front();
             for (Value factor : v.slice(1, factors - 1))
               term = s.mul(term, factor);
             for (size_t i = factors; i + 1 < v.size(); i += 2)
               term = s.select(s.compare(arith::CmpIPredicate::eq, v[i], v[i + 1]), term,
                               s.constant(term, 0));
             return s.add(v.back(), term);
           }));
  return success();
}

static LogicalResult lowerEinsum(NodeContext &c) { return Equation(c).lower(); }

void dojo::onnx::registerEinsum(HandlerRegistry &registry) {
  registry.onOp("Einsum", 12, lowerEinsum);
}

//===- RandomLoop.cpp - loops over memory, for differential tests ---------===//
#include "RandomLoop.h"
#include "llvm/Support/FormatVariadic.h"
#include <random>
#include <vector>

using llvm::formatv;

namespace dojo::test {
namespace {

class Generator {
public:
  explicit Generator(unsigned seed) : random(seed) {}

  std::string run() {
    bool apart = pick(2);
    int64_t first = 16384 + 8 * pick(16), second = first + (apart ? 32768 : 8 * pick(64));
    text = formatv("func.func @loop(%p: i64, %q: i64) attributes {{d1.routine{0}} {{\n"
                   "%low = arith.constant 0 : i64\n%one = arith.constant 1 : i64\n"
                   "%high = arith.constant {1} : i64\n%stepA = arith.constant {2} : i64\n"
                   "%stepB = arith.constant {3} : i64\n%v = d1.vsplat %p : (i64) -> !d1.v\n"
                   "%z = d1.mzero : () -> !d1.a\n"
                   "%r:5 = scf.for %i = %low to %high step %one iter_args(%a = %p, %b = %q, "
                   "%n0 = %q, %v0 = %v, %c0 = %z) -> (i64, i64, i64, !d1.v, !d1.a) : i64 {{\n",
                   apart ? ", d1.disjoint" : "", 1 + pick(14), step(), step());
    numbers = {"%n0"};
    vectors = {"%v0"};
    accumulator = "%c0";
    for (unsigned kind : {4, 6, 7}) // What is carried changes.
      addOperation(kind);
    for (unsigned count = pick(14); count > 0; --count)
      addOperation(pick(9));
    text += formatv("%nextA = arith.addi %a, %stepA : i64\n%nextB = arith.addi %b, %stepB : i64\n"
                    "scf.yield %nextA, %nextB, {0}, {1}, {2} : i64, i64, i64, !d1.v, !d1.a\n}\n"
                    "%rows = d1.mread %r#4, 1 : (!d1.a) -> !d1.v\n"
                    "d1.std %r#2, %p, 8000 : (i64, i64) -> ()\n"
                    "d1.vst %r#3, %p, 8064 : (!d1.v, i64) -> ()\n"
                    "d1.vst %rows, %p, 8128 : (!d1.v, i64) -> ()\nreturn\n}\n",
                    numbers.back(), vectors.back(), accumulator);
    text += formatv("func.func @step() attributes {{d1.entry} {{\n"
                    "%p = arith.constant {0} : i64\n%q = arith.constant {1} : i64\n"
                    "d1.call @loop(%p, %q) : (i64, i64) -> ()\nreturn\n}\n",
                    first, second);
    return text;
  }

private:
  std::mt19937 random;
  std::string text;
  std::vector<std::string> numbers, vectors;
  std::string accumulator;
  unsigned names = 0;

  unsigned pick(unsigned below) { return random() % below; }
  int64_t step() { return 8 * (int64_t(pick(33)) - 16); }
  std::string fresh() { return "%t" + std::to_string(names++); }
  std::string any(const std::vector<std::string> &from) {
    return from[from.size() - 1 - pick(std::min<size_t>(from.size(), 4))];
  }
  std::string pointer() { return pick(2) ? "%a" : "%b"; }
  int64_t offset() { return 8 * (int64_t(pick(17)) - 8); }

  void addOperation(unsigned kind) {
    std::string name = fresh();
    switch (kind) {
    case 0:
    case 1:
      text += formatv("{0} = d1.ldd {1}, {2} : (i64) -> i64\n", name, pointer(), offset());
      return numbers.push_back(name);
    case 2:
      text +=
          formatv("d1.std {0}, {1}, {2} : (i64, i64) -> ()\n", any(numbers), pointer(), offset());
      return;
    case 3:
      text +=
          formatv("d1.vst {0}, {1}, {2} : (!d1.v, i64) -> ()\n", any(vectors), pointer(), offset());
      return;
    case 4:
      text += formatv("{0} = arith.addi {1}, {2} : i64\n", name, any(numbers), any(numbers));
      return numbers.push_back(name);
    case 5:
      text += formatv("{0} = d1.vsplat {1} : (i64) -> !d1.v\n", name, any(numbers));
      return vectors.push_back(name);
    case 6:
      text += formatv("{0} = d1.viadd {1}, {2} : (!d1.v, !d1.v) -> !d1.v\n", name, any(vectors),
                      any(vectors));
      return vectors.push_back(name);
    case 7:
      text += formatv("{0} = d1.mwrite {1}, {2}, {3} : (!d1.a, !d1.v) -> !d1.a\n", name,
                      accumulator, any(vectors), pick(4));
      accumulator = name;
      return;
    default:
      text += formatv("{0} = d1.mread {1}, {2} : (!d1.a) -> !d1.v\n", name, accumulator, pick(4));
      return vectors.push_back(name);
    }
  }
};

} // namespace

std::string randomLoop(unsigned seed) { return Generator(seed).run(); }

} // namespace dojo::test

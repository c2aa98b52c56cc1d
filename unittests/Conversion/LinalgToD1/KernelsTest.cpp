//===- KernelsTest.cpp - routines compute what kernels mean ---------------===//
#include "KernelHarness.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <gtest/gtest.h>
#include <random>

using dojo::testing::KernelRun;
using dojo::testing::runKernel;
using llvm::formatv;
using llvm::SmallVector;
using llvm::StringRef;

namespace {

/// A memref type with `order` naming the dimensions from the outermost in memory,
/// and `slack` more elements in each row.
std::string buffer(llvm::ArrayRef<int64_t> shape, StringRef element,
                   SmallVector<unsigned> order = {}, int64_t slack = 0) {
  if (order.empty())
    llvm::append_range(order, llvm::seq<unsigned>(0, shape.size()));
  SmallVector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (unsigned dim : llvm::reverse(order)) {
    strides[dim] = stride;
    stride = stride * shape[dim] + (stride == 1 ? slack : 0);
  }
  std::string dims;
  for (int64_t size : shape)
    dims += std::to_string(size) + "x";
  return formatv(
      "memref<{0}{1}, strided<[{2}]>>", dims, element,
      llvm::join(llvm::map_range(strides, [](int64_t s) { return std::to_string(s); }), ", "));
}

/// A kernel with the buffers %0, %1, ... of `types`.
std::string kernel(llvm::ArrayRef<std::string> types, StringRef body) {
  std::string arguments;
  for (auto [i, type] : llvm::enumerate(types))
    arguments += formatv("{0}%b{1}: {2}", i ? ", " : "", i, type);
  return formatv("func.func private @k({0}) attributes {{dojo.kernel} {{\n"
                 "%zero = arith.constant 0.0 : f32\n{1}\nreturn\n}",
                 arguments, body);
}

std::string operands(StringRef name, unsigned first, llvm::ArrayRef<std::string> types) {
  if (types.empty())
    return "";
  std::string values, text;
  for (auto [i, type] : llvm::enumerate(types)) {
    values += formatv("{0}%b{1}", i ? ", " : "", first + i);
    text += (i ? ", " : "") + type;
  }
  return formatv("{0}({1} : {2}) ", name, values, text);
}

/// One operation with the last of `types` as its output.
std::string operation(StringRef name, llvm::ArrayRef<std::string> types, StringRef region = "",
                      unsigned outputs = 1) {
  unsigned inputs = types.size() - outputs;
  return formatv("{0} {1}{2}{3}", name, operands("ins", 0, types.take_front(inputs)),
                 operands("outs", inputs, types.drop_front(inputs)), region);
}

std::string zeroFill(unsigned number, StringRef type) {
  return formatv("linalg.fill ins(%zero : f32) outs(%b{0} : {1})\n", number, type);
}

std::string generic(StringRef maps, StringRef iterators, llvm::ArrayRef<std::string> types,
                    StringRef region, unsigned outputs = 1) {
  std::string head =
      formatv("linalg.generic {{indexing_maps = [{0}], iterator_types = [{1}]}", maps, iterators);
  return operation(head, types, region, outputs);
}

void expectRuns(const std::string &text, StringRef unit, bool special = false) {
  for (unsigned seed = 1; seed <= 2; ++seed) {
    KernelRun run = runKernel(text, seed, special);
    EXPECT_EQ(run.error, "") << text;
    EXPECT_EQ(run.unit, unit.str()) << text;
  }
}

void expectMatmul(int64_t m, int64_t n, int64_t k, StringRef in, StringRef unit, bool fill,
                  bool transposeC = false) {
  SmallVector<std::string> types{
      buffer({m, k}, in), buffer({k, n}, in),
      buffer({m, n}, "f32",
             transposeC ? SmallVector<unsigned>{1, 0} : SmallVector<unsigned>{0, 1})};
  expectRuns(kernel(types, (fill ? zeroFill(2, types[2]) : "") + operation("linalg.matmul", types)),
             unit);
}

} // namespace

TEST(Kernels, MatmulInBF16RunsOnTheMatrixUnit) {
  expectMatmul(8, 8, 4, "bf16", "matrix", true);
  expectMatmul(16, 24, 20, "bf16", "matrix", true);
  expectMatmul(64, 64, 64, "bf16", "matrix", true);
  expectMatmul(24, 40, 12, "bf16", "matrix", false);
}

/// Blocks of more than half the accumulators: several, one, and one without a loop over k.
TEST(Kernels, MatmulInOneBankOfAccumulators) {
  expectMatmul(56, 96, 40, "bf16", "matrix", true);
  expectMatmul(40, 32, 24, "bf16", "matrix", false);
  expectMatmul(56, 64, 8, "bf16", "matrix", true);
}

TEST(Kernels, MatmulThatDoesNotFitTheMatrixUnitTakesLanes) {
  expectMatmul(8, 16, 6, "bf16", "simd", true);
  expectMatmul(5, 32, 8, "bf16", "simd", false);
  expectMatmul(5, 7, 3, "bf16", "scalar", false);
  expectMatmul(16, 16, 8, "bf16", "scalar", true, /*transposeC=*/true);
}

TEST(Kernels, MatmulInF32TakesLanes) {
  expectMatmul(16, 64, 32, "f32", "simd", true);
  expectMatmul(7, 48, 17, "f32", "simd", false);
  expectMatmul(16, 7, 5, "f32", "scalar", true);
  expectMatmul(128, 16, 512, "f32", "simd", true);
}

TEST(Kernels, BatchMatmulLoopsOverTheBatch) {
  SmallVector<std::string> types{buffer({3, 16, 8}, "bf16"), buffer({3, 8, 24}, "bf16"),
                                 buffer({3, 16, 24}, "f32")};
  expectRuns(kernel(types, zeroFill(2, types[2]) + operation("linalg.batch_matmul", types)),
             "matrix");
}

namespace {

struct Conv {
  int64_t batch, in, out, rows, columns, kernelRows, kernelColumns, stride, dilation;
};

/// A convolution on channel-innermost buffers, filters in the order `filterOrder`.
std::string conv(const Conv &c, StringRef element, SmallVector<unsigned> imageOrder,
                 SmallVector<unsigned> filterOrder, bool fill) {
  int64_t height = (c.rows - 1) * c.stride + (c.kernelRows - 1) * c.dilation + 1;
  int64_t width = (c.columns - 1) * c.stride + (c.kernelColumns - 1) * c.dilation + 1;
  SmallVector<std::string> types{
      buffer({c.batch, c.in, height, width}, element, imageOrder),
      buffer({c.out, c.in, c.kernelRows, c.kernelColumns}, element, filterOrder),
      buffer({c.batch, c.out, c.rows, c.columns}, "f32", imageOrder)};
  std::string name = formatv("linalg.conv_2d_nchw_fchw {{strides = dense<{0}> : vector<2xi64>, "
                             "dilations = dense<{1}> : vector<2xi64>}",
                             c.stride, c.dilation);
  return kernel(types, (fill ? zeroFill(2, types[2]) : "") + operation(name, types));
}

const SmallVector<unsigned> channelsInside{0, 2, 3, 1}, filtersInside{2, 3, 1, 0},
    asWritten{0, 1, 2, 3};

} // namespace

TEST(Kernels, ConvolutionInBF16RunsOnTheMatrixUnit) {
  expectRuns(conv({1, 8, 16, 4, 8, 3, 3, 1, 1}, "bf16", channelsInside, filtersInside, true),
             "matrix");
  expectRuns(conv({2, 4, 8, 2, 16, 3, 2, 2, 1}, "bf16", channelsInside, filtersInside, true),
             "matrix");
  expectRuns(conv({1, 4, 8, 4, 2, 2, 2, 1, 2}, "bf16", channelsInside, filtersInside, false),
             "matrix");
  expectRuns(conv({1, 64, 64, 4, 2, 1, 1, 1, 1}, "bf16", channelsInside, filtersInside, true),
             "matrix");
  expectRuns(conv({1, 4, 8, 2, 4, 2, 2, 2, 1}, "bf16", channelsInside, filtersInside, true),
             "matrix");
}

TEST(Kernels, ConvolutionWithRowsInsidePutsPixelsInColumns) {
  SmallVector<unsigned> channelsOfFilterInside{0, 2, 3, 1};
  expectRuns(conv({1, 8, 16, 3, 8, 3, 3, 1, 1}, "bf16", asWritten, channelsOfFilterInside, true),
             "matrix");
}

TEST(Kernels, ConvolutionInF32TakesLanes) {
  expectRuns(conv({1, 3, 16, 5, 7, 3, 3, 2, 1}, "f32", channelsInside, filtersInside, true),
             "simd");
  expectRuns(conv({1, 3, 4, 3, 16, 3, 3, 1, 1}, "f32", asWritten, asWritten, false), "simd");
  expectRuns(conv({1, 3, 4, 3, 5, 2, 3, 2, 2}, "f32", asWritten, asWritten, false), "scalar");
}

TEST(Kernels, DepthwiseConvolutionTakesLanes) {
  for (int64_t stride : {1, 2})
    for (StringRef element : {"f32", "bf16"}) {
      SmallVector<std::string> types{
          buffer({1, 32, 3 + 6 * stride, 3 + 7 * stride}, element, channelsInside),
          buffer({32, 3, 3}, element, {1, 2, 0}), buffer({1, 32, 7, 8}, "f32", channelsInside)};
      std::string maps =
          formatv("affine_map<(n,c,y,x,r,s)->(n,c,y*{0}+r,x*{0}+s)>, "
                  "affine_map<(n,c,y,x,r,s)->(c,r,s)>, affine_map<(n,c,y,x,r,s)->(n,c,y,x)>",
                  stride);
      StringRef widen = element == "f32" ? "%p = arith.mulf %i, %w : f32\n"
                                         : "%iw = arith.extf %i : bf16 to f32\n%ww = arith.extf %w "
                                           ": bf16 to f32\n%p = arith.mulf %iw, %ww : f32\n";
      std::string region = formatv("{{\n^bb0(%i: {0}, %w: {0}, %o: f32):\n{1}%s = arith.addf %o, "
                                   "%p : f32\nlinalg.yield %s : f32\n}",
                                   element, widen);
      expectRuns(
          kernel(
              types,
              zeroFill(2, types[2]) +
                  generic(
                      maps,
                      R"("parallel", "parallel", "parallel", "parallel", "reduction", "reduction")",
                      types, region)),
          "simd");
    }
}

TEST(Kernels, PoolingSumsAndTakesTheLargest) {
  for (StringRef name : {"linalg.pooling_nchw_max", "linalg.pooling_nchw_sum"})
    for (bool inside : {true, false}) {
      auto order = inside ? channelsInside : asWritten;
      SmallVector<std::string> types{buffer({1, 16, 9, 11}, "f32", order), "memref<3x3xf32>",
                                     buffer({1, 16, 4, 5}, "f32", order)};
      std::string head = formatv(
          "{0} {{strides = dense<2> : vector<2xi64>, dilations = dense<1> : vector<2xi64>}", name);
      expectRuns(kernel(types, zeroFill(2, types[2]) + operation(head, types)),
                 inside ? "simd" : "scalar");
    }
}

namespace {

/// out = region(in0, in1) over 3 x 5 x 32 with the second operand broadcast.
std::string elementwise(StringRef a, StringRef b, StringRef out, StringRef body,
                        SmallVector<unsigned> order = {0, 1, 2}) {
  SmallVector<std::string> types{buffer({3, 5, 32}, a, order), buffer({32}, b),
                                 buffer({3, 5, 32}, out, order)};
  std::string region = formatv(
      "{{\n^bb0(%a: {0}, %b: {1}, %o: {2}):\n{3}\nlinalg.yield %r : {2}\n}", a, b, out, body);
  return kernel(
      types,
      generic(
          "affine_map<(i,j,k)->(i,j,k)>, affine_map<(i,j,k)->(k)>, affine_map<(i,j,k)->(i,j,k)>",
          R"("parallel", "parallel", "parallel")", types, region));
}

} // namespace

TEST(Kernels, FloatOperationsAgreeOnNaNInfinityAndSignedZero) {
  for (StringRef op : {"arith.addf", "arith.subf", "arith.mulf", "arith.divf", "arith.maximumf",
                       "arith.minimumf", "arith.maxnumf", "arith.minnumf", "math.copysign"})
    expectRuns(elementwise("f32", "f32", "f32", formatv("%r = {0} %a, %b : f32", op).str()), "simd",
               true);
  for (StringRef op : {"arith.negf", "math.absf", "math.sqrt", "math.floor", "math.ceil",
                       "math.roundeven", "math.trunc"})
    expectRuns(elementwise("f32", "f32", "f32", formatv("%r = {0} %a : f32", op).str()), "simd",
               true);
  expectRuns(elementwise("f32", "f32", "f32", "%r = math.fma %a, %b, %a : f32"), "simd", true);
}

TEST(Kernels, FloatComparisonsOfEveryPredicate) {
  for (StringRef predicate : {"false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord", "ueq",
                              "ugt", "uge", "ult", "ule", "une", "uno", "true"})
    expectRuns(elementwise("f32", "f32", "i1",
                           formatv("%r = arith.cmpf {0}, %a, %b : f32", predicate).str()),
               "simd", true);
}

TEST(Kernels, IntegerComparisonsOfEveryPredicateAndWidth) {
  for (StringRef predicate : {"eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"})
    for (StringRef type : {"i32", "i16", "i8", "i1"})
      expectRuns(elementwise(type, type, "i1",
                             formatv("%r = arith.cmpi {0}, %a, %b : {1}", predicate, type).str()),
                 "simd", true);
}

TEST(Kernels, IntegerOperationsOfEveryWidth) {
  for (StringRef op :
       {"addi", "subi", "muli", "andi", "ori", "xori", "minsi", "maxsi", "minui", "maxui"})
    for (StringRef type : {"i32", "i16", "i8", "i1"})
      if (type != "i1" || !op.starts_with("m") || op == "muli")
        expectRuns(
            elementwise(type, type, type, formatv("%r = arith.{0} %a, %b : {1}", op, type).str()),
            "simd", true);
  for (StringRef op : {"shli", "shrsi", "shrui"})
    for (StringRef type : {"i32", "i16", "i8"})
      expectRuns(elementwise(type, type, type,
                             formatv("%n = arith.constant 3 : {1}\n%s = arith.addi %a, %b : "
                                     "{1}\n%r = arith.{0} %s, %n : {1}",
                                     op, type)
                                 .str()),
                 "simd", true);
}

TEST(Kernels, ConversionsBetweenElementTypes) {
  struct {
    StringRef op, from, to;
    bool special;
  } conversions[] = {{"sitofp", "i32", "f32", true},  {"uitofp", "i32", "f32", true},
                     {"sitofp", "i8", "f32", true},   {"uitofp", "i8", "f32", true},
                     {"uitofp", "i1", "f32", true},   {"sitofp", "i1", "f32", true},
                     {"fptosi", "f32", "i32", false}, {"fptosi", "f32", "i8", false},
                     {"extui", "i8", "i32", true},    {"extsi", "i8", "i32", true},
                     {"sitofp", "i16", "f32", true},  {"uitofp", "i16", "f32", true},
                     {"extui", "i16", "i32", true},   {"extsi", "i8", "i16", true},
                     {"trunci", "i32", "i16", true},  {"trunci", "i16", "i8", true},
                     {"extui", "i1", "i32", true},    {"extsi", "i1", "i8", true},
                     {"trunci", "i32", "i8", true},   {"trunci", "i32", "i1", true},
                     {"bitcast", "f32", "i32", true}, {"bitcast", "i32", "f32", false},
                     {"extf", "bf16", "f32", true},   {"truncf", "f32", "bf16", true}};
  for (auto [op, from, to, special] : conversions)
    expectRuns(
        elementwise(from, from, to, formatv("%r = arith.{0} %a : {1} to {2}", op, from, to).str()),
        "simd", special);
}

TEST(Kernels, BF16ArithmeticRoundsAfterEachOperation) {
  expectRuns(elementwise("bf16", "bf16", "f32",
                         "%p = arith.mulf %a, %b : bf16\n%q = arith.addf %p, %b : bf16\n%d = "
                         "arith.divf %q, %a : bf16\n%r = arith.extf %d : bf16 to f32"),
             "simd", true);
  expectRuns(elementwise("f32", "bf16", "bf16",
                         "%w = arith.extf %b : bf16 to f32\n%q = arith.divf %a, %w : f32\n%r = "
                         "arith.truncf %q : f32 to bf16"),
             "simd", true);
}

TEST(Kernels, LocalOrderOfDimensionsIsFree) {
  StringRef body = "%p = arith.mulf %a, %b : f32\n%r = arith.maximumf %p, %zero : f32";
  expectRuns(elementwise("f32", "f32", "f32", body, {1, 0, 2}), "simd");
  expectRuns(elementwise("f32", "f32", "f32", body, {2, 0, 1}), "scalar");
}

static void expectTranspose(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<unsigned> permutation,
                            StringRef element, StringRef unit, int64_t slack = 0) {
  SmallVector<int64_t> turned;
  for (unsigned dim : permutation)
    turned.push_back(shape[dim]);
  SmallVector<std::string> types{buffer(shape, element, {}, slack),
                                 buffer(turned, element, {}, slack)};
  std::string order = llvm::join(
      llvm::map_range(permutation, [](unsigned dim) { return std::to_string(dim); }), ", ");
  expectRuns(kernel(types, operation("linalg.transpose", types,
                                     formatv("permutation = [{0}]", order).str())),
             unit, /*special=*/element != "bf16");
}

TEST(Kernels, TransposeTakesTilesOfEveryElementType) {
  for (StringRef element : {"f32", "i32", "bf16", "i16", "i8"}) {
    expectTranspose({8, 8}, {1, 0}, element, "simd");
    expectTranspose({48, 80}, {1, 0}, element, "simd");
    expectTranspose({16, 8, 24}, {2, 1, 0}, element, "simd");
  }
}

TEST(Kernels, TransposeTilesOverlapAtRaggedEdges) {
  for (StringRef element : {"f32", "bf16", "i8"}) {
    expectTranspose({9, 16}, {1, 0}, element, "simd");
    expectTranspose({16, 13}, {1, 0}, element, "simd", /*slack=*/3);
    expectTranspose({37, 59}, {1, 0}, element, "simd");
    expectTranspose({3, 11, 2, 17}, {0, 3, 2, 1}, element, "simd", /*slack=*/1);
  }
}

TEST(Kernels, TransposeOfManyDimensions) {
  expectTranspose({2, 12, 4, 16}, {0, 2, 3, 1}, "f32", "simd");
  expectTranspose({2, 12, 4, 16}, {3, 1, 0, 2}, "f32", "simd");
  expectTranspose({2, 4, 12, 16}, {1, 3, 0, 2}, "bf16", "simd");
  expectTranspose({2, 12, 4, 16}, {0, 2, 1, 3}, "f32", "simd"); // rows stay whole
}

TEST(Kernels, TransposeOneElementAtATime) {
  expectTranspose({6, 32}, {1, 0}, "bf16", "scalar");
  expectTranspose({32, 3}, {1, 0}, "f32", "scalar");
}

TEST(Kernels, SumsInBF16RoundEachStep) {
  SmallVector<std::string> types{buffer({3, 32}, "f32"), buffer({32}, "bf16")};
  std::string region = "{\n^bb0(%a: f32, %o: bf16):\n%w = arith.extf %o : bf16 to f32\n"
                       "%s = arith.addf %a, %w : f32\n%r = arith.truncf %s : f32 to bf16\n"
                       "linalg.yield %r : bf16\n}";
  expectRuns(
      kernel(types, "%c = arith.constant 0.3 : bf16\nlinalg.fill ins(%c : bf16) outs(%b1 : " +
                        types[1] + ")\n" +
                        generic("affine_map<(i,j)->(i,j)>, affine_map<(i,j)->(j)>",
                                R"("reduction", "parallel")", types, region)),
      "simd");
}

TEST(Kernels, OneHotComparesWithTheIndex) {
  SmallVector<std::string> types{buffer({20}, "i32"), buffer({20, 48}, "f32")};
  std::string region = "{\n^bb0(%a: i32, %o: f32):\n%k = linalg.index 1 : index\n%i = "
                       "arith.index_cast %k : index to i32\n"
                       "%e = arith.cmpi eq, %a, %i : i32\n%r = arith.uitofp %e : i1 to "
                       "f32\nlinalg.yield %r : f32\n}";
  expectRuns(kernel(types, generic("affine_map<(i,j)->(i)>, affine_map<(i,j)->(i,j)>",
                                   R"("parallel", "parallel")", types, region)),
             "simd");
}

/// rows[r] = first + r, then a lookup by indices of the rows of a table.
static std::string lookup(llvm::ArrayRef<std::string> types, StringRef maps, StringRef iterators,
                          StringRef element, int first, bool fill) {
  std::string rows =
      formatv("linalg.generic {{indexing_maps = [affine_map<(r)->(r)>], iterator_types = "
              "[\"parallel\"]} outs(%b1 : {0}) {{\n^bb0(%o: i32):\n%k = linalg.index 0 : index\n"
              "%i = arith.index_cast %k : index to i32\n%f = arith.constant {1} : i32\n"
              "%r = arith.addi %i, %f : i32\nlinalg.yield %r : i32\n}\n",
              types[1], first);
  bool isFloat = element != "i32";
  std::string zero = formatv("%none = arith.constant {0} : {1}\n", isFloat ? "0.0" : "0", element);
  std::string region = formatv("{{\n^bb0(%i: i32, %r: i32, %t: {0}, %o: {0}):\n"
                               "%e = arith.cmpi eq, %i, %r : i32\n"
                               "%s = arith.select %e, %t, %none : {0}\n"
                               "%u = arith.{1} %s, %o : {0}\nlinalg.yield %u : {0}\n}",
                               element, isFloat ? "addf" : "addi");
  std::string head =
      formatv("linalg.generic {{indexing_maps = [{0}], iterator_types = [{1}], dojo.lookup}", maps,
              iterators);
  std::string cleared =
      formatv("linalg.fill ins(%none : {0}) outs(%b3 : {1})\n", element, types[3]);
  return kernel(types, zero + rows + (fill ? cleared : "") + operation(head, types, region));
}

TEST(Kernels, LookupsTakeTheRowsThatAreThere) {
  for (StringRef element : {"f32", "bf16", "i32"})
    for (auto [first, width] : {std::pair(-4, 40), std::pair(9, 64), std::pair(40, 16)})
      for (bool fill : {true, false})
        expectRuns(lookup({buffer({3, 5}, "i32"), buffer({7}, "i32"), buffer({7, width}, element),
                           buffer({3, 5, width}, element)},
                          "affine_map<(i,j,c,r)->(i,j)>, affine_map<(i,j,c,r)->(r)>, "
                          "affine_map<(i,j,c,r)->(r,c)>, affine_map<(i,j,c,r)->(i,j,c)>",
                          R"("parallel", "parallel", "parallel", "reduction")", element, first,
                          fill),
                   "simd");
}

TEST(Kernels, LookupsOfColumnsAndOfSingleElements) {
  for (bool fill : {true, false}) {
    expectRuns(lookup({buffer({9}, "i32"), buffer({8}, "i32"), buffer({4, 8}, "f32"),
                       buffer({4, 9}, "f32")},
                      "affine_map<(t,i,r)->(i)>, affine_map<(t,i,r)->(r)>, "
                      "affine_map<(t,i,r)->(t,r)>, affine_map<(t,i,r)->(t,i)>",
                      R"("parallel", "parallel", "reduction")", "f32", 0, fill),
               "simd");
    expectRuns(
        lookup({buffer({9}, "i32"), buffer({8}, "i32"), buffer({8}, "f32"), buffer({9}, "f32")},
               "affine_map<(i,r)->(i)>, affine_map<(i,r)->(r)>, affine_map<(i,r)->(r)>, "
               "affine_map<(i,r)->(i)>",
               R"("parallel", "reduction")", "f32", 0, fill),
        "simd");
  }
}

TEST(Kernels, IndicesOfEveryIteratorReachTheBody) {
  SmallVector<std::string> types{buffer({6, 5, 96}, "i32")};
  std::string region = "{\n^bb0(%o: i32):\n%i = linalg.index 0 : index\n%j = linalg.index 1 : "
                       "index\n%k = linalg.index 2 : index\n"
                       "%n = arith.constant 1000 : index\n%p = arith.muli %i, %n : index\n%q = "
                       "arith.addi %p, %j : index\n"
                       "%s = arith.muli %q, %n : index\n%t = arith.addi %s, %k : index\n%r = "
                       "arith.index_cast %t : index to i32\nlinalg.yield %r : i32\n}";
  expectRuns(kernel(types, generic("affine_map<(i,j,k)->(i,j,k)>",
                                   R"("parallel", "parallel", "parallel")", types, region)),
             "simd");
}

TEST(Kernels, ReductionsOverRowsAndColumns) {
  struct {
    StringRef map, first, second, unit;
  } cases[] = {{"(i)", "parallel", "reduction", "simd"}, {"(j)", "reduction", "parallel", "simd"}};
  for (auto [map, first, second, unit] : cases)
    for (StringRef op : {"addf", "maximumf"})
      for (bool fill : {true, false}) {
        SmallVector<std::string> types{buffer({32, 48}, "f32"),
                                       buffer({map == "(i)" ? 32 : 48}, "f32")};
        std::string region = formatv(
            "{{\n^bb0(%a: f32, %o: f32):\n%r = arith.{0} %a, %o : f32\nlinalg.yield %r : f32\n}",
            op);
        expectRuns(
            kernel(
                types,
                (fill ? zeroFill(1, types[1]) : "") +
                    generic(formatv("affine_map<(i,j)->(i,j)>, affine_map<(i,j)->{0}>", map).str(),
                            formatv(R"("{0}", "{1}")", first, second).str(), types, region)),
            unit);
      }
}

TEST(Kernels, ArgMaxKeepsTwoAccumulators) {
  SmallVector<std::string> types{buffer({7, 32}, "f32"), buffer({32}, "f32"), buffer({32}, "i32")};
  std::string region = "{\n^bb0(%a: f32, %m: f32, %n: i32):\n%k = linalg.index 0 : index\n%i = "
                       "arith.index_cast %k : index to i32\n"
                       "%g = arith.cmpf ogt, %a, %m : f32\n%x = arith.select %g, %a, %m : f32\n%y "
                       "= arith.select %g, %i, %n : i32\n"
                       "linalg.yield %x, %y : f32, i32\n}";
  expectRuns(
      kernel(types,
             generic("affine_map<(k,j)->(k,j)>, affine_map<(k,j)->(j)>, affine_map<(k,j)->(j)>",
                     R"("reduction", "parallel")", types, region, 2)),
      "simd");
}

TEST(Kernels, LongBodiesKeepWithinTheRegisters) {
  std::string body = "%v0 = arith.addf %a, %b : f32\n";
  for (int i = 0; i < 40; ++i)
    body += formatv("%c{0} = arith.constant {1}.5 : f32\n%v{2} = math.fma %v{0}, %a, %c{0} : f32\n",
                    i, i % 17, i + 1);
  expectRuns(elementwise("f32", "f32", "f32", body + "%r = arith.addf %v40, %v3 : f32"), "simd");
}

TEST(Kernels, RandomShapesBroadcastsAndOrders) {
  std::mt19937 random(7);
  auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  StringRef elements[] = {"f32", "bf16"};
  for (int round = 0; round < 60; ++round) {
    unsigned rank = pick(1, 4);
    SmallVector<int64_t> shape;
    SmallVector<std::string> names;
    for (unsigned d = 0; d < rank; ++d) {
      shape.push_back(pick(0, 2) || rank - d > 2 ? pick(1, 6) : 16 * pick(1, 3));
      names.push_back("d" + std::to_string(d));
    }
    SmallVector<std::string> types, maps;
    std::string all = llvm::join(names, ", ");
    SmallVector<StringRef> used;
    for (unsigned operand = 0; operand < 3; ++operand) {
      SmallVector<int64_t> sizes;
      SmallVector<std::string> results;
      for (unsigned d = 0; d < rank; ++d)
        if (operand == 2 || pick(0, 3)) {
          sizes.push_back(shape[d]);
          results.push_back(names[d]);
        }
      SmallVector<unsigned> order = llvm::to_vector(llvm::seq<unsigned>(0, sizes.size()));
      if (pick(0, 1))
        std::shuffle(order.begin(), order.end(), random);
      used.push_back(elements[pick(0, 1)]);
      types.push_back(buffer(sizes, used.back(), order, pick(0, 1) * 4));
      maps.push_back(formatv("affine_map<({0})->({1})>", all, llvm::join(results, ", ")));
    }
    auto widen = [&](StringRef value, StringRef type) {
      return type == "f32" ? formatv("%{0}w = arith.addf %{0}, %zero : f32\n", value).str()
                           : formatv("%{0}w = arith.extf %{0} : bf16 to f32\n", value).str();
    };
    std::string body =
        widen("a", used[0]) + widen("b", used[1]) + "%m = arith.mulf %aw, %bw : f32\n";
    body += used[2] == "f32"
                ? "%r = arith.subf %m, %bw : f32\n"
                : "%s = arith.subf %m, %bw : f32\n%r = arith.truncf %s : f32 to bf16\n";
    std::string region =
        formatv("{{\n^bb0(%a: {0}, %b: {1}, %o: {2}):\n{3}linalg.yield %r : {2}\n}", used[0],
                used[1], used[2], body);
    SmallVector<StringRef> iterators(rank, "\"parallel\"");
    std::string text =
        kernel(types, generic(llvm::join(maps, ", "), llvm::join(iterators, ", "), types, region));
    EXPECT_EQ(runKernel(text, round).error, "") << text;
  }
}

//===- TfIdfVectorizer.cpp - how often known runs of tokens occur ---------===//
//
// The runs (n-grams) are constants. Those of one length are a table with a row for
// each place of the output; a run is found where each of its tokens is, so counting
// is one reduction over the places where a run may begin.
//
//===----------------------------------------------------------------------===//
#include "Build.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

#include <map>

using namespace mlir;
using namespace dojo::onnx;

using P = arith::CmpIPredicate;

namespace {

/// The runs of one length by their place in the output; no two at one place.
struct Table {
  int64_t length;
  std::map<int64_t, Shape> runs;
};

struct Vocabulary {
  SmallVector<Table> tables;
  int64_t width = 0; ///< places of the output
};

} // namespace

/// Puts a run into the first table of its length where its place is free.
static void insert(Vocabulary &vocabulary, ArrayRef<int64_t> run, int64_t place) {
  for (Table &table : vocabulary.tables)
    if (table.length == int64_t(run.size()) && table.runs.try_emplace(place, run).second)
      return;
  vocabulary.tables.push_back({int64_t(run.size()), {{place, Shape(run)}}});
}

static FailureOr<Vocabulary> readVocabulary(NodeContext &c, int64_t least, int64_t most) {
  Shape counts = c.intsAttr("ngram_counts"), indices = c.intsAttr("ngram_indexes"),
        pool = c.intsAttr("pool_int64s");
  if (c.hasAttr("pool_strings"))
    return c.fail("it counts strings", "give it numbers of tokens and pool_int64s");
  Vocabulary vocabulary;
  std::map<Shape, int64_t> places; // of runs; one given twice has its last place
  int64_t id = 0;
  for (auto [i, start] : llvm::enumerate(counts)) {
    int64_t length = i + 1, end = i + 1 < counts.size() ? counts[i + 1] : int64_t(pool.size());
    if (start < 0 || end < start || end > int64_t(pool.size()) || (end - start) % length)
      return c.fail("its ngram_counts do not fit a pool of " + Twine(pool.size()));
    for (int64_t at = start; at < end; at += length, ++id) {
      if (id >= int64_t(indices.size()) || indices[id] < 0)
        return c.fail("its ngram_indexes do not name a place for each run of its pool");
      if (length >= least && length <= most)
        places[Shape(ArrayRef(pool).slice(at, length))] = indices[id];
    }
  }
  for (int64_t index : indices)
    vocabulary.width = std::max(vocabulary.width, index + 1);
  for (const auto &[run, place] : places)
    insert(vocabulary, run, place);
  return vocabulary;
}

/// counts[b, o] += 1 where row b has, from some place on and `skip` places apart, the
/// tokens of run o.
static Value counted(ImplicitLocOpBuilder &b, Value tokens, const Table &table, int64_t skip,
                     Value counts) {
  int64_t batch = shapeOf(tokens)[0], starts = shapeOf(tokens)[1] - skip * (table.length - 1);
  int64_t width = shapeOf(counts)[1];
  if (starts < 1)
    return counts;
  auto type = RankedTensorType::get({width}, elementOf(tokens));
  SmallVector<Indexed> inputs;
  SmallVector<Attribute> filled(width, b.getIntegerAttr(elementOf(tokens), 0));
  for (int64_t j = 0; j < table.length; ++j) {
    for (const auto &[place, run] : table.runs)
      filled[place] = b.getIntegerAttr(elementOf(tokens), run[j]);
    Value column = arith::ConstantOp::create(b, DenseElementsAttr::get(type, filled));
    inputs.push_back({column, {1}});
    inputs.push_back({slice(b, tokens, {0, j * skip}, {batch, starts}, {1, 1}), {0, 2}});
  }
  SmallVector<float> used(width, 0);
  for (const auto &[place, run] : table.runs)
    used[place] = 1;
  inputs.push_back({floats(b, {width}, used), {1}});
  return fold(b, 3, inputs, {counts, {0, 1}}, [&](Scalars &s, ValueRange v) {
    Value all = s.compare(P::eq, v[0], v[1]);
    for (int64_t j = 1; j < table.length; ++j)
      all = s.make<arith::AndIOp>(all, s.compare(P::eq, v[2 * j], v[2 * j + 1]));
    Value one = v[2 * table.length], sum = v.back();
    return s.add(sum, s.select(all, one, s.constant(one, 0)));
  });
}

static LogicalResult lowerTfIdfVectorizer(NodeContext &c) {
  ImplicitLocOpBuilder &b = c.b;
  std::string mode = c.stringAttr("mode", "");
  int64_t least = c.intAttr("min_gram_length", 1), most = c.intAttr("max_gram_length", 1),
          skips = c.intAttr("max_skip_count", 0);
  if (!llvm::is_contained({"TF", "IDF", "TFIDF"}, StringRef(mode)))
    return c.fail("its mode '" + mode + "' is none of TF, IDF and TFIDF");
  int64_t lengths = c.intsAttr("ngram_counts").size();
  if (least < 1 || most < least || most > lengths || skips < 0)
    return c.fail("it counts runs of " + Twine(least) + " to " + Twine(most) + " tokens with " +
                  Twine(skips) + " skipped, and has runs of 1 to " + Twine(lengths));
  Type element = c.type(0).getElementType();
  if (c.rank(0) < 1 || c.rank(0) > 2 || !element.isIntOrIndex())
    return c.fail("it needs integers along one dimension, or two with a batch, and has " +
                  shapeName(c.shape(0)));
  if (element.isInteger(32) && !llvm::all_of(c.intsAttr("pool_int64s"),
                                             [](int64_t token) { return llvm::isInt<32>(token); }))
    return c.fail("its pool holds numbers beyond int32");
  auto vocabulary = readVocabulary(c, least, most);
  if (failed(vocabulary))
    return failure();
  auto weights = dyn_cast_or_null<DenseF32ArrayAttr>(c.attr("weights"));
  if (weights && weights.size() != vocabulary->width)
    return c.fail("it has " + Twine(weights.size()) + " weights for " + Twine(vocabulary->width) +
                  " places");
  Shape shape(c.shape(0).drop_back());
  int64_t batch = product(shape);
  Value tokens = reshape(b, c.value(0), {batch, c.shape(0).back()});
  Value result = zeros(b, {batch, vocabulary->width}, b.getF32Type());
  for (const Table &table : vocabulary->tables)
    for (int64_t skip = 1; skip <= (table.length == 1 ? 1 : skips + 1); ++skip)
      result = counted(b, tokens, table, skip, result);
  SmallVector<Value> operands = {result};
  if (weights && mode != "TF")
    operands.push_back(floats(b, {1, vocabulary->width}, weights.asArrayRef()));
  result = elementwise(b, shapeOf(result), b.getF32Type(), operands, [&](Scalars &s, ValueRange v) {
    Value count = v[0], one = s.constant(count, 1), weight = v.size() > 1 ? v[1] : one;
    if (mode == "IDF")
      return s.select(s.compare(P::sgt, count, s.constant(count, 0)), weight, s.constant(count, 0));
    return v.size() > 1 ? s.mul(weight, count) : count;
  });
  shape.push_back(vocabulary->width);
  c.result(0, reshape(b, result, shape), b.getF32Type());
  return success();
}

void dojo::onnx::registerTfIdfVectorizer(HandlerRegistry &registry) {
  registry.onOp("TfIdfVectorizer", 9, lowerTfIdfVectorizer);
}

//===- Handlers.h - how one ONNX operator is lowered ------------*- C++ -*-===//
//
// A handler lowers one node: it reads operands and attributes through a
// NodeContext, builds structured operations and sets the results. It states
// what it cannot do with fail(); an attribute it never asks for is reported as
// unsupported, so that nothing in a model is ignored by accident.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_CONVERSION_ONNXTOLINALG_HANDLERS_H
#define DOJO_CONVERSION_ONNXTOLINALG_HANDLERS_H

#include "dojo/Dialect/ONNX/IR/ONNX.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <functional>
#include <optional>
#include <vector>

namespace dojo::onnx {

/// A dimension of which the first places alone hold data: as many as `count`, an i32, says
/// at run time.
struct Extent {
  int64_t dim;
  mlir::Value count;
};

/// The int64 elements of a value that is linear in the number of a loop's step: element i is
/// base[i] + slope[i] * step.
struct ByStep {
  mlir::Value step; ///< the induction variable
  int64_t count;    ///< how many steps the loop has
  llvm::SmallVector<int64_t> base, slope;
};

/// An ONNX value during the walk: an SSA value, or a constant that becomes one
/// when a handler asks for it, or both; or a list of such, which leaves nothing behind.
struct Known {
  mlir::RankedTensorType type; ///< of the SSA value; null for a list
  mlir::Value value;
  mlir::ElementsAttr constant;
  /// The element type that the model means; the type of a list, which is a sequence or an
  /// optional.
  mlir::Type declared;
  std::vector<Known> items = {}; ///< of a list; an optional has one or none

  llvm::SmallVector<Extent, 1> extents = {};
  std::optional<ByStep> byStep = {};
  /// Why a value that nothing but constants decide is not known; else null.
  mlir::StringAttr whyUnknown = {};

  bool isList() const { return llvm::isa_and_present<SequenceType, OptionalType>(declared); }
};

Known knownConstant(mlir::ElementsAttr constant);

/// Lowers a subgraph of a node where the builder stands, its inputs bound to these values.
using LowerGraph = llvm::function_ref<mlir::FailureOr<llvm::SmallVector<Known>>(
    mlir::Region &graph, llvm::ArrayRef<Known> inputs)>;

class NodeContext;
using Handler = std::function<mlir::LogicalResult(NodeContext &)>;

class NodeContext {
public:
  NodeContext(NodeOp node, mlir::ImplicitLocOpBuilder &b, mlir::MutableArrayRef<Known *> operands,
              LowerGraph lowerGraph)
      : b(b), node(node), operands(operands), results(node->getNumResults()),
        lowerGraph(lowerGraph) {}

  mlir::ImplicitLocOpBuilder &b;

  llvm::StringRef op() const { return node.getOpType(); }
  llvm::StringRef domain() const { return node.getDomain().value_or(""); }

  // Operands. An index past the end is an absent operand; asking for the type or the value of
  // one, of a list or of what no node computes is reported, and reads as a float32 scalar.
  unsigned size() const { return operands.size(); }
  bool has(unsigned i) const { return i < operands.size() && operands[i]; }
  mlir::RankedTensorType type(unsigned i) { return known(i).type; }
  llvm::ArrayRef<int64_t> shape(unsigned i) { return type(i).getShape(); }
  int64_t rank(unsigned i) { return type(i).getRank(); }
  mlir::Value value(unsigned i) { return valueOf(known(i)); }
  /// All that is known of operand `i`, whatever it is, and the SSA value of what is known.
  const Known &operand(unsigned i) { return has(i) ? *operands[i] : known(i); }
  mlir::Value valueOf(Known &known);
  /// The element type in the model, which type(i) computes.
  mlir::Type declared(unsigned i) { return known(i).declared; }
  bool isUnsigned(unsigned i) { return declared(i).isUnsignedInteger(); }
  /// The constant behind operand `i`, or null.
  mlir::ElementsAttr constant(unsigned i) const { return has(i) ? operands[i]->constant : nullptr; }
  /// The integers of a small constant operand.
  std::optional<llvm::SmallVector<int64_t>> ints(unsigned i) const;
  /// The same; reports an operand that is not known when compiling.
  mlir::FailureOr<llvm::SmallVector<int64_t>> needInts(unsigned i, llvm::StringRef what);
  /// A constant operand of one element, of any element type.
  std::optional<double> knownScalar(unsigned i) const;
  /// The same for one integer.
  mlir::FailureOr<int64_t> needInt(unsigned i, llvm::StringRef what);
  /// The same for a scalar of any element type.
  mlir::FailureOr<double> needScalar(unsigned i, llvm::StringRef what);

  /// The dimensions of operand `i` whose sizes the data decide; type(i) has the largest
  /// sizes. A node whose handler does not ask cannot take such an operand.
  llvm::ArrayRef<Extent> extents(unsigned i);

  // Attributes. One of the wrong kind is reported and reads as its default.
  bool hasAttr(llvm::StringRef name) const { return node.getParams().contains(name); }
  mlir::Attribute attr(llvm::StringRef name);
  int64_t intAttr(llvm::StringRef name, int64_t otherwise);
  /// An integer that is 0 or 1.
  bool flagAttr(llvm::StringRef name, bool otherwise);
  double floatAttr(llvm::StringRef name, double otherwise);
  /// An integer or a float.
  double numberAttr(llvm::StringRef name, double otherwise);
  std::string stringAttr(llvm::StringRef name, llvm::StringRef otherwise);
  llvm::SmallVector<int64_t> intsAttr(llvm::StringRef name, llvm::ArrayRef<int64_t> otherwise = {});
  void ignore(std::initializer_list<llvm::StringRef> names) {
    for (llvm::StringRef name : names)
      read.insert(name);
  }

  bool hasGraph(llvm::StringRef name) { return graph(name); }
  /// The type that the graph states for its input `i`; null without such an input.
  mlir::Type statedInput(llvm::StringRef name, unsigned i);
  /// The outputs of a graph among the attributes, lowered where `b` stands with these values for
  /// its inputs. What it cannot lower is reported with the nodes inside.
  mlir::FailureOr<llvm::SmallVector<Known>> lowerBody(llvm::StringRef name,
                                                      llvm::ArrayRef<Known> inputs);

  /// The results of another operator on these operands, which takes the node's attributes;
  /// what it reports is the node's.
  mlir::FailureOr<llvm::SmallVector<Known>> lowerAs(const Handler &handler,
                                                    llvm::MutableArrayRef<Known> with);

  // Results.
  unsigned numResults() const { return results.size(); }
  bool uses(unsigned i) const { return i < results.size() && !node->getResult(i).use_empty(); }
  /// The result has the declared type of the first operand of its element type, if
  /// there is one, or that which is given.
  void result(unsigned i, mlir::Value value);
  void result(unsigned i, mlir::Value value, mlir::Type declared);
  void result(unsigned i, mlir::ElementsAttr constant);
  void result(unsigned i, const Known &known);
  /// A list of values.
  void result(unsigned i, mlir::Type declared, std::vector<Known> items);
  /// A result that is operand `operand` itself.
  void forward(unsigned i, unsigned operand);

  /// Says why results are not known when compiling though all operands are.
  void unknownBecause(const llvm::Twine &cause) { whyUnknown = cause.str(); }

  /// Dimension `dim` of result `i` has as many places as `count` says at run time.
  void limit(unsigned i, int64_t dim, mlir::Value count);

  /// Reports why the node cannot be lowered and what would help. Only the first
  /// cause counts: later ones may follow from it.
  mlir::LogicalResult fail(const llvm::Twine &cause, const llvm::Twine &help = "");
  /// The same for operand `i`, which would have to be known when compiling; names
  /// the inputs of the model that it depends on.
  mlir::LogicalResult failUnknown(unsigned i, const llvm::Twine &cause);
  /// Negative axes count from the end.
  mlir::FailureOr<int64_t> axis(int64_t axis, int64_t rank);
  mlir::FailureOr<llvm::SmallVector<int64_t>> axes(llvm::ArrayRef<int64_t> axes, int64_t rank);

private:
  friend class Walker;
  Known &known(unsigned i);
  mlir::Region *graph(llvm::StringRef name);

  mutable NodeOp node;
  mlir::MutableArrayRef<Known *> operands;
  llvm::SmallVector<Known> results;
  LowerGraph lowerGraph;
  llvm::StringSet<> read;
  llvm::SmallDenseSet<unsigned> extentsRead;
  std::string whyUnknown;
  Known absent;
  bool failed = false;
};

/// Handlers by domain, operator and the opset that gave the operator its
/// present meaning. A node takes the newest entry that its opset has reached.
class HandlerRegistry {
public:
  void onOp(llvm::StringRef op, int64_t since, Handler handler, llvm::StringRef domain = "");
  const Handler *find(llvm::StringRef domain, llvm::StringRef op, int64_t opset) const;
  bool knows(llvm::StringRef domain, llvm::StringRef op) const;

private:
  static std::string key(llvm::StringRef domain, llvm::StringRef op);
  llvm::StringMap<llvm::SmallVector<std::pair<int64_t, Handler>, 1>> handlers;
};

void registerAttention(HandlerRegistry &registry);
void registerQuantization(HandlerRegistry &registry);
void registerCasts(HandlerRegistry &registry);
void registerEinsum(HandlerRegistry &registry);
void registerElementwise(HandlerRegistry &registry);
void registerIndexing(HandlerRegistry &registry);
void registerLosses(HandlerRegistry &registry);
void registerRearrangement(HandlerRegistry &registry);
void registerRecurrent(HandlerRegistry &registry);
void registerReductions(HandlerRegistry &registry);
void registerLinearAlgebra(HandlerRegistry &registry);
void registerControlFlow(HandlerRegistry &registry);
void registerConvolutions(HandlerRegistry &registry);
void registerResize(HandlerRegistry &registry);
void registerTransposedConvolutions(HandlerRegistry &registry);
void registerPooling(HandlerRegistry &registry);
void registerNonMaxSuppression(HandlerRegistry &registry);
void registerNormalization(HandlerRegistry &registry);
void registerDataMovement(HandlerRegistry &registry);
void registerSelection(HandlerRegistry &registry);
void registerGridSample(HandlerRegistry &registry);
void registerRoiAlign(HandlerRegistry &registry);
void registerSequences(HandlerRegistry &registry);
void registerShapeOps(HandlerRegistry &registry);
void registerDeformConv(HandlerRegistry &registry);
void registerFlexAttention(HandlerRegistry &registry);
/// After the operators of ONNX: some are lowered by these.
void registerMicrosoft(HandlerRegistry &registry);
void registerOptimizers(HandlerRegistry &registry);
void registerRandom(HandlerRegistry &registry);
void registerSignal(HandlerRegistry &registry);
void registerStateSpace(HandlerRegistry &registry);
void registerTfIdfVectorizer(HandlerRegistry &registry);

/// Evaluates a node on small integer tensors or single floats that are known when compiling.
/// Leaves `context` untouched and returns false when it is none.
bool evaluateOnHost(NodeContext &context);
/// What the result of a node is by the step of a loop, where its operands are known or linear in
/// the step and the node keeps them so.
std::optional<ByStep> evaluateByStep(NodeContext &context);

} // namespace dojo::onnx

#endif // DOJO_CONVERSION_ONNXTOLINALG_HANDLERS_H

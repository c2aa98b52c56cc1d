//===- Emitter.h - loops, addresses and constants of a routine --*- C++ -*-===//
//
// Each operand has one pointer that runs through the whole loop nest: a loop
// advances it by a constant at its end, from wherever the loops inside have left
// it. So a nest takes one register an operand and one a loop, and offsets of
// unrolled points fold into the immediates of loads and stores.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_CONVERSION_LINALGTOD1_EMITTER_H
#define DOJO_CONVERSION_LINALGTOD1_EMITTER_H

#include "Nest.h"
#include "dojo/Dialect/D1/IR/D1.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace dojo::kernels {

using Values = llvm::SmallVector<mlir::Value>;

/// A loop over `trips` blocks of an iterator; steps[p] is what pointer p advances.
struct Loop {
  int64_t trips;
  llvm::SmallVector<int64_t> steps;
  int64_t indexDim; ///< dimension whose index the loop's variable is, or -1
  int64_t block;    ///< points of the iterator in one trip
};

struct Address {
  mlir::Value base;
  int64_t offset; ///< fits an immediate
};

class Emitter {
public:
  Emitter(mlir::OpBuilder &builder, mlir::Location loc) : b(builder), loc(loc) {}

  mlir::OpBuilder &b;
  mlir::Location loc;

  template <typename Op, typename... Args>
  mlir::Value make(Args &&...args) {
    return Op::create(b, loc, std::forward<Args>(args)...)->getResult(0);
  }
  template <typename Op, typename... Args>
  void store(Args &&...args) {
    Op::create(b, loc, std::forward<Args>(args)...);
  }

  /// An i64 constant, where it is used.
  mlir::Value number(int64_t value);
  /// An i64 constant in a register of the whole nest, while those last.
  mlir::Value keptNumber(int64_t value);
  mlir::Value add(mlir::Value address, int64_t bytes);
  mlir::Value multiply(mlir::Value value, int64_t factor);

  /// From here on, constants of vectors are made here once, at most `registers`
  /// of them; further ones are made where they are used. So are kept numbers.
  void hoistConstants(unsigned registers);
  unsigned numHoisted() const { return hoisted.size(); }
  /// `bits` in every lane.
  mlir::Value splat(uint32_t bits);
  mlir::Value splat(float value);
  /// first + lane.
  mlir::Value iota(int32_t first);

  /// Starts the pointers of a nest, one for each access, at its offset.
  void startPointers(const Nest &nest);
  /// The address `offset` bytes from pointer p's operand at the current iteration.
  Address address(unsigned p, int64_t offset);
  /// The same in a register, for instructions without an immediate.
  mlir::Value addressRegister(unsigned p, int64_t offset);
  /// The current iteration of pointer p is `bytes` further on, and `more` if that is given.
  void advance(unsigned p, int64_t bytes, mlir::Value more = {});
  /// Puts pointer p where its operand is. A loop entered so reads from the pointer it
  /// carries, and need not advance it first.
  void settle(unsigned p);
  /// The pointers of `loops` that move at all.
  llvm::SmallVector<unsigned> moving(llvm::ArrayRef<Loop> loops) const;
  /// The index of a dimension at the current iteration, or null for none.
  mlir::Value index(int64_t dim) const { return indices.lookup(dim); }

  /// Emits `loops`, outermost first, around `body`, which maps the carried values
  /// to their next ones. `inside` are the loops that body itself will emit.
  Values loops(llvm::ArrayRef<Loop> loops, llvm::ArrayRef<Loop> inside, Values carried,
               llvm::function_ref<Values(Values)> body);

  /// A loop of `trips` iterations around `body`, which advances the pointers `moving`
  /// itself; behind it they are where the last iteration has left them.
  Values repeat(int64_t trips, llvm::ArrayRef<unsigned> moving, Values carried,
                llvm::function_ref<Values(Values)> body);

private:
  struct Pointer {
    mlir::Value at;
    int64_t moved; ///< bytes from the operand at the current iteration to `at`
  };
  mlir::Value constant(std::pair<int, int64_t> key, llvm::function_ref<mlir::Value()> create);
  mlir::Value hoist(llvm::function_ref<mlir::Value()> create);
  Values loop(const Loop &loop, llvm::ArrayRef<unsigned> moving, Values carried,
              llvm::function_ref<Values(Values)> body);
  Values emitFor(int64_t end, int64_t step, llvm::ArrayRef<unsigned> moving, Values carried,
                 llvm::function_ref<Values(mlir::Value, Values)> body);

  llvm::SmallVector<Pointer> pointers;
  llvm::DenseMap<int64_t, mlir::Value> indices;
  /// Registers a whole number of immediate ranges away from a pointer, in this block.
  llvm::DenseMap<std::pair<unsigned, int64_t>, mlir::Value> anchors;
  /// By pointer, how far from it the latest addressRegister in this block is, and the register.
  llvm::DenseMap<unsigned, std::pair<int64_t, mlir::Value>> latestAddress;
  void forgetAddresses();
  llvm::DenseMap<std::pair<int, int64_t>, mlir::Value> hoisted;
  llvm::DenseMap<int64_t, mlir::Value> kept;
  std::pair<std::pair<int, int64_t>, mlir::Value> latest; ///< constant that was not hoisted
  mlir::Block *hoistBlock = nullptr;
  mlir::Operation *hoistAfter = nullptr;
  unsigned hoistLimit = 0;
};

} // namespace dojo::kernels

#endif // DOJO_CONVERSION_LINALGTOD1_EMITTER_H

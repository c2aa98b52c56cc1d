//===- Lookup.cpp - rows of a table by run-time numbers -------------------===//
#include "Lookup.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::kernels;

namespace {

constexpr unsigned indicesAccess = 0, rowsAccess = 1, tableAccess = 2, outAccess = 3;

class LookupEmission {
public:
  LookupEmission(Emitter &emitter, const Nest &nest, TypedAttr init)
      : e(emitter), row(emitter.b, emitter.loc), nest(nest), init(init) {
    for (auto [j, it] : llvm::enumerate(nest.iterators))
      if (!it.reduction)
        (table().stride(j) && !indices().stride(j) ? alongRow : overIndices).push_back(j);
    // What is dense in both goes innermost, in lanes.
    for (unsigned &j : alongRow)
      if (isDense(j))
        std::swap(j, alongRow.back());
  }

  void run();

private:
  const Access &indices() const { return nest.accesses[indicesAccess]; }
  const Access &table() const { return nest.accesses[tableAccess]; }
  const Access &out() const { return nest.accesses[outAccess]; }
  bool isDense(unsigned j) const {
    return table().stride(j) == table().bytes && out().stride(j) == out().bytes;
  }
  /// Bytes between neighbours in the innermost iterator of a row.
  int64_t innerStride(unsigned access) const {
    return alongRow.empty() ? 0 : nest.accesses[access].stride(alongRow.back());
  }
  SmallVector<Loop> loopsOver(ArrayRef<unsigned> iterators) const {
    return llvm::map_to_vector(iterators, [&](unsigned j) { return loopOver(nest, j, 1); });
  }
  void emitIndex(Value firstRow);
  void branch(Value condition, function_ref<void()> then, function_ref<void()> otherwise);
  /// Calls `point` for every place of a row, in lanes or one element at a time.
  void walkRow(Value tableRow, Value outRow, function_ref<void(int64_t at, bool lanes)> point);
  void addRow(Value tableRow, Value outRow);
  void fillRow(Value outRow);
  Value load(unsigned access, int64_t at, bool lanes);
  void store(int64_t at, bool lanes, Value value);

  Emitter &e;
  Emitter row; ///< its pointers run along one row
  const Nest &nest;
  TypedAttr init; ///< of the output; null where the row is added to what it holds
  SmallVector<unsigned> overIndices, alongRow;
};

} // namespace

Value LookupEmission::load(unsigned access, int64_t at, bool lanes) {
  const Access &a = nest.accesses[access];
  return loadElements(row, a, row.address(access, at * innerStride(access)), lanes);
}

void LookupEmission::store(int64_t at, bool lanes, Value value) {
  storeElements(row, out(), row.address(outAccess, at * innerStride(outAccess)), lanes, value);
}

void LookupEmission::walkRow(Value tableRow, Value outRow,
                             function_ref<void(int64_t at, bool lanes)> point) {
  Nest moving = nest;
  for (Access &access : moving.accesses) {
    access.base = {};
    access.offset = 0;
  }
  moving.accesses[tableAccess].base = tableRow;
  moving.accesses[outAccess].base = outRow;
  row.startPointers(moving);

  if (alongRow.empty())
    return point(0, false);
  unsigned inner = alongRow.back();
  int64_t extent = nest.iterators[inner].extent;
  int64_t vectors = isDense(inner) ? extent / isa::numLanes : 0;
  int64_t unroll = vectors % 4 == 0 ? 4 : vectors % 2 == 0 ? 2 : 1;
  Loop lanes = loopOver(nest, inner, unroll * isa::numLanes);
  row.loops(loopsOver(ArrayRef(alongRow).drop_back()), {lanes}, {}, [&](Values) {
    if (!isDense(inner))
      return row.loops({loopOver(nest, inner, 1)}, {}, {}, [&](Values) {
        point(0, false);
        return Values();
      });
    if (lanes.trips)
      row.loops({lanes}, {}, {}, [&](Values) {
        for (int64_t u = 0; u < unroll; ++u)
          point(u * isa::numLanes, true);
        return Values();
      });
    for (int64_t at = vectors * isa::numLanes; at < extent; ++at)
      point(at, false);
    return Values();
  });
}

void LookupEmission::addRow(Value tableRow, Value outRow) {
  Operation *add = nest.yielded(0).getDefiningOp();
  walkRow(tableRow, outRow, [&](int64_t at, bool lanes) {
    Value value = load(tableAccess, at, lanes);
    if (!init)
      value = emitOperation(row, add, {value, load(outAccess, at, lanes)});
    store(at, lanes, value);
  });
}

void LookupEmission::fillRow(Value outRow) {
  walkRow({}, outRow, [&](int64_t at, bool lanes) { store(at, lanes, emitConstant(row, init)); });
}

void LookupEmission::branch(Value condition, function_ref<void()> then,
                            function_ref<void()> otherwise) {
  auto op = scf::IfOp::create(e.b, e.loc, condition, /*withElseRegion=*/bool(init));
  OpBuilder::InsertionGuard guard(e.b);
  e.b.setInsertionPointToStart(op.thenBlock());
  then();
  if (!init)
    return;
  e.b.setInsertionPointToStart(op.elseBlock());
  otherwise();
}

/// Unsigned, a row before the node's first is past its last too.
void LookupEmission::emitIndex(Value firstRow) {
  unsigned r = 0;
  while (!nest.iterators[r].reduction)
    ++r;
  auto [base, offset] = e.address(indicesAccess, 0);
  Value local = e.make<d1::SUB>(e.make<d1::LDW>(base, offset), firstRow);
  Value inside = e.make<d1::SLTU>(local, e.number(nest.iterators[r].extent));
  Value isMine = e.make<arith::CmpIOp>(arith::CmpIPredicate::ne, inside, e.number(0));
  Value outRow = e.addressRegister(outAccess, 0);
  branch(
      isMine,
      [&] {
        Value distance = e.make<arith::MulIOp>(local, e.number(table().stride(r)));
        addRow(e.make<arith::AddIOp>(e.addressRegister(tableAccess, 0), distance), outRow);
      },
      [&] { fillRow(outRow); });
}

void LookupEmission::run() {
  row.hoistConstants(0);
  e.startPointers(nest);
  auto [rows, offset] = e.address(rowsAccess, 0);
  Value firstRow = e.make<d1::LDW>(rows, offset);
  e.loops(loopsOver(overIndices), {}, {}, [&](Values) {
    emitIndex(firstRow);
    return Values();
  });
}

void kernels::emitLookup(Emitter &emitter, const Nest &nest, Inits inits) {
  LookupEmission(emitter, nest, inits.front()).run();
}

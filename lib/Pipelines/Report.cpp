//===- Report.cpp - the compiler's figures --------------------------------===//
#include "dojo/Pipelines/Report.h"
#include "dojo/Dialect/D1/IR/D1.h"
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Report/Map.h"
#include "dojo/Support/Names.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace dojo;

/// Numbers and texts, and a mapping as its text; a layout is no figure.
static std::optional<llvm::json::Value> toJson(Attribute attribute) {
  if (auto integer = dyn_cast<IntegerAttr>(attribute))
    return llvm::json::Value(integer.getInt());
  if (auto number = dyn_cast<FloatAttr>(attribute))
    return llvm::json::Value(number.getValueAsDouble());
  if (auto text = dyn_cast<StringAttr>(attribute))
    return llvm::json::Value(text.str());
  if (!llvm::isa<ir::MappingAttr>(attribute))
    return std::nullopt;
  std::string text;
  llvm::raw_string_ostream(text) << attribute;
  return llvm::json::Value(std::move(text));
}

/// Adds what a figure is over its bound, where there is a bound.
static void addRatios(llvm::json::Object &row) {
  struct Pair {
    StringRef ratio, figure, bound;
  };
  for (auto [ratio, figure, bound] : {Pair{"mac_ratio", "mac_cycles", "mac_cycles_bound"},
                                      Pair{"noc_ratio", "noc_bytes", "noc_bound_bytes"},
                                      Pair{"dram_ratio", "dram_bytes", "dram_bound_bytes"},
                                      Pair{"sram_ratio", "sram_peak_bytes", "sram_bound_bytes"}})
    if (double least = row.getNumber(bound).value_or(0); least > 0)
      row[ratio] = *row.getNumber(figure) / least;
}

static llvm::json::Object rowOf(DictionaryAttr figures) {
  llvm::json::Object row;
  for (NamedAttribute entry : figures)
    if (auto value = toJson(entry.getValue()); value && entry.getName() != "partials")
      row[entry.getName().getValue()] = std::move(*value);
  addRatios(row);
  return row;
}

//===-- The loops of routines ---------------------------------------------===//

static int64_t numberOn(Operation *op, StringRef name) {
  return op->getAttrOfType<IntegerAttr>(name).getInt();
}

/// An innermost loop: the interval that it reaches, its bounds, and how many of its
/// iterations overlap.
static llvm::json::Object rowOf(d1::RepeatOp loop) {
  llvm::json::Object row;
  for (StringRef key : {"interval", "resource_bound", "recurrence_bound", "stages"})
    row[key] = numberOn(loop, ("d1." + key).str());
  return row;
}

static llvm::json::Object rowOf(func::FuncOp routine) {
  llvm::json::Object row;
  row["name"] = routine.getName();
  if (auto name = routine.getLoc()->findInstanceOf<NameLoc>())
    row["node"] = name.getName().getValue();
  for (auto [key, attribute] : {std::pair("unit", "d1.unit"), std::pair("schedule", "d1.schedule")})
    if (auto text = routine->getAttrOfType<StringAttr>(attribute))
      row[key] = text.getValue();
  row["schedules_checked"] = numberOn(routine, "d1.checked");
  llvm::json::Array loops;
  routine.walk([&](d1::RepeatOp loop) {
    if (loop->hasAttr("d1.interval"))
      loops.push_back(rowOf(loop));
  });
  row["loops"] = std::move(loops);
  return row;
}

llvm::json::Object dojo::reportOf(ModuleOp module, const binary::Program &program) {
  llvm::json::Object report = rowOf(module->getAttrOfType<DictionaryAttr>(ir::figuresAttrName));
  report["code_bytes"] = static_cast<int64_t>(program.code.size());
  llvm::json::Array ops;
  for (auto row : module->getAttrOfType<ArrayAttr>(ir::opsAttrName).getAsRange<DictionaryAttr>())
    ops.push_back(rowOf(row));
  report["ops"] = std::move(ops);
  llvm::json::Array routines;
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr(d1::routineAttr))
      routines.push_back(rowOf(function));
  report["routines"] = std::move(routines);
  return report;
}

//===-- The picture -------------------------------------------------------===//

static int64_t numberIn(DictionaryAttr row, StringRef key) {
  return row.getAs<IntegerAttr>(key).getInt();
}

/// The row to draw: of the node named `op`, or of any; with most multiply-accumulates,
/// in the later entry among equals.
static llvm::Expected<DictionaryAttr> chosenRow(ModuleOp module, StringRef op) {
  DictionaryAttr best;
  std::vector<std::string> names;
  for (auto row : module->getAttrOfType<ArrayAttr>(ir::opsAttrName).getAsRange<DictionaryAttr>()) {
    StringRef name = row.getAs<StringAttr>("name").getValue();
    if (!row.contains("result"))
      continue;
    if (!llvm::is_contained(names, name))
      names.push_back(name.str());
    if ((op.empty() || op == name) && (!best || numberIn(row, "macs") >= numberIn(best, "macs")))
      best = row;
  }
  if (!best)
    return llvm::createStringError("--map-op: no node called '" + op + "' computes" +
                                   nearNames(op, names));
  return best;
}

static report::MappedOp mappedOp(DictionaryAttr row) {
  std::string mapping;
  if (Attribute attribute = row.get("mapping"))
    llvm::raw_string_ostream(mapping) << attribute;
  return {row.getAs<StringAttr>("entry").str(),
          row.getAs<StringAttr>("name").str(),
          std::move(mapping),
          numberIn(row, "macs"),
          row.getAs<ir::LayoutAttr>("result").getLayout(),
          static_cast<unsigned>(numberIn(row, "partials"))};
}

llvm::Expected<std::string> dojo::mapOf(ModuleOp module, const binary::Program &program,
                                        StringRef op, std::string title) {
  auto row = chosenRow(module, op);
  if (!row)
    return row.takeError();
  auto figures = module->getAttrOfType<DictionaryAttr>(ir::figuresAttrName);
  return report::drawMap({std::move(title), ir::Target::of(module)->machine, program,
                          mappedOp(*row), numberIn(figures, "sram_bound_bytes")});
}

// RUN: dojo-opt %s --d1-schedule=machine=nowhere.json --verify-diagnostics

// expected-error @+1 {{nowhere.json}}
func.func @routine() attributes {d1.routine} {
  return
}

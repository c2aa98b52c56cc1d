//===- Odometer.cpp - nested loops as one loop ----------------------------===//
#include "Odometer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace dojo;
using namespace dojo::kernels;

Odometer::Odometer(Emitter &emitter, ArrayRef<Loop> loops, bool around)
    : e(emitter), around(around) {
  llvm::copy_if(llvm::reverse(loops), std::back_inserter(digits),
                [](const Loop &loop) { return loop.trips > 1; });
}

int64_t Odometer::iterations() const {
  int64_t product = 1;
  for (const Loop &digit : digits)
    product *= digit.trips;
  return product;
}

int64_t Odometer::total(unsigned p) const {
  return around || digits.empty() ? 0 : digits.back().trips * digits.back().steps[p];
}

/// A counter is how many iterations of its digit are left before it wraps.
Values Odometer::start(int64_t iteration) const {
  Values counters;
  for (const Loop &digit : ArrayRef(digits).take_front(numCounters())) {
    counters.push_back(e.number(digit.trips - 1 - iteration % digit.trips));
    iteration /= digit.trips;
  }
  return counters;
}

/// left = counter - carry, wraps = left < 0, counter = left + wraps * trips.
Values Odometer::next(ArrayRef<Value> counters) {
  Values result;
  wraps.clear();
  for (auto [counter, digit] : llvm::zip(counters, digits)) {
    Value left = wraps.empty() ? e.add(counter, -1) : e.make<arith::SubIOp>(counter, wraps.back());
    wraps.push_back(e.make<arith::ShRUIOp>(left, e.number(63)));
    result.push_back(e.make<arith::AddIOp>(left, e.multiply(wraps.back(), digit.trips)));
  }
  return result;
}

void Odometer::advance(unsigned p) const {
  Value further;
  for (auto [i, wrapped] : llvm::enumerate(wraps)) {
    int64_t back = -digits[i].trips * digits[i].steps[p];
    int64_t jump = back + (i + 1 < digits.size() ? digits[i + 1].steps[p] : 0);
    if (!jump)
      continue;
    Value product = e.multiply(wrapped, jump);
    further = further ? e.make<arith::AddIOp>(further, product) : product;
  }
  e.advance(p, firstStep(p), further);
}

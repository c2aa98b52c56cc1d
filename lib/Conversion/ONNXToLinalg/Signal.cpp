//===- Signal.cpp - Fourier transforms, windows, mel filters --------------===//
//
// A complex number is a trailing dimension of two. A transform of length n is a
// product with the constant matrix of its roots of unity; a long one is cut into
// two shorter ones and a twiddle between them (Cooley and Tukey, 1965), so that
// its constants grow with n and not with its square.
//
//===----------------------------------------------------------------------===//
#include "Types.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

#include <cmath>

using namespace mlir;
using namespace dojo::onnx;

/// Up to this length a transform is one product, which with the two parts of complex
/// numbers is of 16 x 16. Longer products do more work and round more often.
static constexpr int64_t maxDirectLength = 8;

namespace {
struct Complex {
  double re, im;

  /// What part `from` of a factor adds to part `to` of its product with this.
  double between(int64_t from, int64_t to) const { return from == to ? re : from ? -im : im; }
};

/// exp(2 pi i * power / length), or its conjugate.
Complex rootOfUnity(int64_t power, int64_t length, bool conjugate) {
  double angle = 2 * M_PI * double(power % length) / double(length);
  return {std::cos(angle), conjugate ? -std::sin(angle) : std::sin(angle)};
}

/// Transforms of rows, which lie in a tensor rows x length x (1 or 2).
class Fourier {
public:
  Fourier(ImplicitLocOpBuilder &b, bool inverse) : b(b), inverse(inverse) {}

  /// The first `kept` values of the spectrum, rows x kept x 2.
  Value transform(Value x, int64_t kept);

private:
  Complex root(int64_t power, int64_t length) const { return rootOfUnity(power, length, !inverse); }
  Value direct(Value x, int64_t kept);
  Value split(Value x, int64_t first);
  Value twiddled(Value x);

  ImplicitLocOpBuilder &b;
  bool inverse;
};
} // namespace

/// The largest divisor up to the square root of the length; 1 of a prime.
static int64_t middleDivisor(int64_t length) {
  int64_t divisor = 1;
  for (int64_t i = 2; i * i <= length; ++i)
    if (length % i == 0)
      divisor = i;
  return divisor;
}

Value Fourier::transform(Value x, int64_t kept) {
  Shape shape = shapeOf(x);
  int64_t length = shape[1], divisor = length > maxDirectLength ? middleDivisor(length) : 1;
  if (divisor == 1)
    return direct(x, kept);
  return slice(b, split(x, divisor), {0, 0, 0}, {shape[0], kept, 2}, {1, 1, 1});
}

/// X[k] = sum over n of x[n] * root(n * k): one real product, its matrix indexed by
/// (n, part of x) and (k, part of X).
Value Fourier::direct(Value x, int64_t kept) {
  Shape shape = shapeOf(x);
  int64_t length = shape[1], parts = shape[2];
  SmallVector<float> matrix;
  for (int64_t n = 0; n < length; ++n)
    for (int64_t part = 0; part < parts; ++part)
      for (int64_t k = 0; k < kept; ++k)
        for (int64_t to = 0; to < 2; ++to)
          matrix.push_back(root(n * k, length).between(part, to));
  Value rows = reshape(b, x, {shape[0], length * parts});
  Value factors = floats(b, {length * parts, kept * 2}, matrix);
  return reshape(b, matrixProduct(b, rows, factors, {}), {shape[0], kept, 2});
}

/// n = second * n1 + n2 and k = k1 + first * k2:
/// X[k] = sum over n2 of (sum over n1 of x[n] * root(n1 * k1)) * root(n2 * k1) * root(n2 * k2)
Value Fourier::split(Value x, int64_t first) {
  Shape shape = shapeOf(x);
  int64_t rows = shape[0], second = shape[1] / first, parts = shape[2];
  Value apart = reshape(b, x, {rows, first, second, parts});
  Value columns = reshape(b, transpose(b, apart, {0, 2, 1, 3}), {rows * second, first, parts});
  Value inner = reshape(b, transform(columns, first), {rows, second, first, 2});
  Value turned = transpose(b, twiddled(inner), {0, 2, 1, 3});
  Value outer = transform(reshape(b, turned, {rows * first, second, 2}), second);
  Value ordered = transpose(b, reshape(b, outer, {rows, first, second, 2}), {0, 2, 1, 3});
  return reshape(b, ordered, {rows, shape[1], 2});
}

/// rows x n2 x k1, each multiplied by root(n2 * k1).
Value Fourier::twiddled(Value x) {
  Shape shape = shapeOf(x), part = {shape[0], shape[1], shape[2], 1};
  SmallVector<float> cosines, sines;
  for (int64_t n = 0; n < shape[1]; ++n)
    for (int64_t k = 0; k < shape[2]; ++k) {
      Complex w = root(n * k, shape[1] * shape[2]);
      cosines.push_back(w.re);
      sines.push_back(w.im);
    }
  Shape table = {1, shape[1], shape[2], 1}, ones(4, 1);
  Value re = slice(b, x, {0, 0, 0, 0}, part, ones), im = slice(b, x, {0, 0, 0, 1}, part, ones);
  SmallVector<Value> operands = {re, im, floats(b, table, cosines), floats(b, table, sines)};
  Type f32 = b.getF32Type();
  Value real = elementwise(b, part, f32, operands, [](Scalars &s, ValueRange v) {
    return s.sub(s.mul(v[0], v[2]), s.mul(v[1], v[3]));
  });
  Value imaginary = elementwise(b, part, f32, operands, [](Scalars &s, ValueRange v) {
    return s.add(s.mul(v[0], v[3]), s.mul(v[1], v[2]));
  });
  return concat(b, 3, {real, imaginary});
}

/// Rows cut or filled with zeros to `length`.
static Value fitted(ImplicitLocOpBuilder &b, Value x, int64_t length) {
  Shape shape = shapeOf(x);
  int64_t kept = std::min(shape[1], length);
  Value cut = slice(b, x, {0, 0, 0}, {shape[0], kept, shape[2]}, {1, 1, 1});
  Value zero = Scalars(b, b.getLoc()).constant(elementOf(x), 0);
  return pad(b, cut, {0, 0, 0}, {0, length - kept, 0}, zero);
}

/// The real signal of `length` behind the first half of its spectrum: what mirrors a
/// value counts by doubling it, and the imaginary part of the sum cancels.
static Value realInverse(ImplicitLocOpBuilder &b, Value half, int64_t length) {
  int64_t kept = length / 2 + 1;
  SmallVector<float> weights(kept, 2.0 / length);
  weights[0] = 1.0 / length;
  if (length % 2 == 0)
    weights.back() = 1.0 / length;
  Value x = fitted(b, half, kept);
  Value weighted = elementwise(b, shapeOf(x), elementOf(x), {x, floats(b, {1, kept, 1}, weights)},
                               [](Scalars &s, ValueRange v) { return s.mul(v[0], v[1]); });
  Value signal = Fourier(b, true).transform(fitted(b, weighted, length), length);
  return slice(b, signal, {0, 0, 0}, {shapeOf(signal)[0], length, 1}, {1, 1, 1});
}

/// A real signal has a real value at its highest frequency: the sum of its imaginary
/// part, which would leave rounding errors, is replaced by zero.
static Value realAtHighest(ImplicitLocOpBuilder &b, Value x, int64_t length) {
  int64_t kept = shapeOf(x)[1];
  if (length % 2 || length / 2 >= kept)
    return x;
  SmallVector<float> counts(2 * kept, 1);
  counts[length + 1] = 0;
  return elementwise(b, shapeOf(x), elementOf(x), {x, floats(b, {1, kept, 2}, counts)},
                     [](Scalars &s, ValueRange v) { return s.mul(v[0], v[1]); });
}

static Value spectrum(ImplicitLocOpBuilder &b, Value x, int64_t length, bool inverse,
                      bool onesided) {
  if (inverse && onesided)
    return realInverse(b, x, length);
  int64_t kept = onesided ? length / 2 + 1 : length;
  Value result = Fourier(b, inverse).transform(fitted(b, x, length), kept);
  if (shapeOf(x)[2] == 1)
    result = realAtHighest(b, result, length);
  if (!inverse)
    return result;
  return elementwise(b, shapeOf(result), elementOf(result), result, [&](Scalars &s, ValueRange v) {
    return s.mul(v[0], s.constant(v[0], 1.0 / length));
  });
}

/// The axis is an attribute before opset 20 and an operand since.
static Handler dft(bool operand) {
  return [operand](NodeContext &c) -> LogicalResult {
    bool inverse = c.flagAttr("inverse", false), onesided = c.flagAttr("onesided", false);
    int64_t rank = c.rank(0), given = operand ? -2 : c.intAttr("axis", 1);
    if (operand && c.has(2)) {
      auto axis = c.needInts(2, "axis");
      if (failed(axis))
        return failure();
      given = axis->front();
    }
    if (rank < 2 || c.shape(0).back() < 1 || c.shape(0).back() > 2)
      return c.fail("it needs real or complex numbers along its last dimension and has " +
                    shapeName(c.shape(0)));
    auto axis = c.axis(given, rank);
    if (failed(axis))
      return failure();
    if (*axis == rank - 1)
      return c.fail("its axis is the dimension of complex numbers");
    int64_t length = c.shape(0)[*axis];
    length = inverse && onesided ? 2 * (length - 1) : length;
    if (c.has(1)) {
      auto wanted = c.needInts(1, "dft_length");
      if (failed(wanted))
        return failure();
      length = wanted->front();
    }
    if (length < 1)
      return c.fail("its length " + Twine(length) + " is not positive");
    Shape order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
    order.erase(order.begin() + *axis);
    order.insert(order.end() - 1, *axis);
    Shape back(rank);
    for (auto [i, dim] : llvm::enumerate(order))
      back[dim] = i;
    Value moved = transpose(c.b, castTo(c.b, c.value(0), c.b.getF32Type()), order);
    Shape shape = shapeOf(moved);
    int64_t rows = product(ArrayRef(shape).drop_back(2));
    Value x = reshape(c.b, moved, {rows, shape[rank - 2], shape.back()});
    Value result = spectrum(c.b, x, length, inverse, onesided);
    shape[rank - 2] = shapeOf(result)[1];
    shape[rank - 1] = shapeOf(result)[2];
    result = transpose(c.b, reshape(c.b, result, shape), back);
    c.result(0, castTo(c.b, result, c.type(0).getElementType()), c.declared(0));
    return success();
  };
}

/// One scalar of integers that is known when compiling and positive.
static FailureOr<int64_t> needSize(NodeContext &c, unsigned operand, StringRef what) {
  auto value = c.needInts(operand, what);
  if (failed(value))
    return failure();
  if (value->size() != 1 || value->front() < 1)
    return c.fail("its " + what + " is no positive number");
  return value->front();
}

/// A convolution of the signal: a filter for each part of each frequency, which is the
/// row of the transform times the window, moved by the step of the frames.
static LogicalResult lowerSTFT(NodeContext &c) {
  ImplicitLocOpBuilder &b = c.b;
  bool onesided = c.flagAttr("onesided", true);
  if (c.rank(0) != 3 || c.shape(0)[2] < 1 || c.shape(0)[2] > 2)
    return c.fail("it needs batch, signal and real or complex numbers and has " +
                  shapeName(c.shape(0)));
  int64_t batch = c.shape(0)[0], samples = c.shape(0)[1], parts = c.shape(0)[2];
  auto step = needSize(c, 1, "frame_step");
  FailureOr<int64_t> length = c.has(2) ? c.shape(2).empty() ? 0 : c.shape(2)[0] : samples;
  if (c.has(3))
    length = needSize(c, 3, "frame_length");
  if (failed(step) || failed(length))
    return failure();
  if (*length < 1 || *length > samples || (c.has(2) && Shape(c.shape(2)) != Shape{*length}))
    return c.fail("its frames of " + Twine(*length) + " do not fit a signal of " + Twine(samples) +
                  " and its window");
  int64_t kept = onesided ? *length / 2 + 1 : *length;
  SmallVector<float> filters;
  for (int64_t k = 0; k < kept; ++k)
    for (int64_t to = 0; to < 2; ++to)
      for (int64_t part = 0; part < parts; ++part)
        for (int64_t n = 0; n < *length; ++n)
          filters.push_back(rootOfUnity(n * k, *length, true).between(part, to));
  Type f32 = b.getF32Type();
  Value weights = floats(b, {2 * kept, parts, 1, *length}, filters);
  if (c.has(2))
    weights = elementwise(b, shapeOf(weights), f32, {weights, castTo(b, c.value(2), f32)},
                          [](Scalars &s, ValueRange v) { return s.mul(v[0], v[1]); });
  Value signal = transpose(b, castTo(b, c.value(0), f32), {0, 2, 1});
  Value image = reshape(b, signal, {batch, parts, 1, samples});
  int64_t frames = (samples - *length) / *step + 1;
  Value init = zeros(b, {batch, 2 * kept, 1, frames}, f32);
  Value result = linalg::Conv2DNchwFchwOp::create(
                     b, TypeRange(init.getType()), ValueRange{image, weights}, ValueRange(init),
                     b.getI64VectorAttr({1, *step}), b.getI64VectorAttr({1, 1}))
                     .getResult(0);
  result = transpose(b, reshape(b, result, {batch, 2 * kept, frames}), {0, 2, 1});
  result = reshape(b, result, {batch, frames, kept, 2});
  c.result(0, castTo(b, result, c.type(0).getElementType()), c.declared(0));
  return success();
}

/// Sets result 0 to a constant of the type that the attribute output_datatype names.
static LogicalResult giveConstant(NodeContext &c, ArrayRef<int64_t> shape,
                                  ArrayRef<double> values) {
  Type declared = declaredType(c.b.getContext(), c.intAttr("output_datatype", 1));
  if (!declared || !isa<FloatType>(declared))
    return c.fail("its attribute 'output_datatype' names no type of floats");
  SmallVector<Attribute> numbers;
  for (double value : values)
    numbers.push_back(c.b.getFloatAttr(declared, value));
  c.result(0,
           ElementsAttr(DenseElementsAttr::get(RankedTensorType::get(shape, declared), numbers)));
  return success();
}

/// a0 - a1 * cos(2 pi n / N) + a2 * cos(4 pi n / N), where N is the size, or less by
/// one for a symmetric window.
static Handler cosineWindow(double a0, double a1, double a2) {
  return [=](NodeContext &c) -> LogicalResult {
    bool periodic = c.flagAttr("periodic", true);
    auto size = needSize(c, 0, "size");
    if (failed(size))
      return failure();
    SmallVector<double> values;
    double period = std::max<int64_t>(1, periodic ? *size : *size - 1);
    for (int64_t n = 0; n < *size; ++n) {
      double angle = 2 * M_PI * double(n) / period;
      values.push_back(a0 - a1 * std::cos(angle) + a2 * std::cos(2 * angle));
    }
    return giveConstant(c, *size, values);
  };
}

/// Triangles over the bins of a spectrum whose corners are equally far apart in mel.
static LogicalResult lowerMelWeightMatrix(NodeContext &c) {
  auto bands = needSize(c, 0, "num_mel_bins"), length = needSize(c, 1, "dft_length"),
       rate = needSize(c, 2, "sample_rate");
  if (failed(bands) || failed(length) || failed(rate))
    return failure();
  auto lowest = c.needScalar(3, "lower_edge_hertz"), highest = c.needScalar(4, "upper_edge_hertz");
  if (failed(lowest) || failed(highest))
    return failure();
  auto mel = [](double hertz) { return 2595 * std::log1p(hertz / 700) / M_LN10; };
  double low = mel(*lowest), step = (mel(*highest) - low) / double(*bands + 2);
  int64_t bins = *length / 2 + 1;
  SmallVector<int64_t> corners;
  for (int64_t i = 0; i < *bands + 2; ++i) {
    double hertz = 700 * std::expm1((double(i) * step + low) / 2595 * M_LN10);
    corners.push_back(int64_t(std::floor(double(*length + 1) * hertz / double(*rate))));
    if (corners.back() < 0 || corners.back() > bins)
      return c.fail("its edges of " + Twine(int64_t(*lowest)) + " and " + Twine(int64_t(*highest)) +
                    " hertz leave a spectrum of " + Twine(bins) + " bins");
  }
  SmallVector<double> weights(bins * *bands, 0);
  for (int64_t i = 0; i < *bands; ++i) {
    int64_t left = corners[i], centre = corners[i + 1], right = corners[i + 2];
    auto set = [&](int64_t bin, double weight) {
      if (bin < bins)
        weights[bin * *bands + i] = weight;
    };
    for (int64_t bin = left; bin <= centre; ++bin)
      set(bin, left == centre ? 1 : double(bin - left) / double(centre - left));
    for (int64_t bin = centre; bin < right; ++bin)
      set(bin, double(right - bin) / double(right - centre));
  }
  return giveConstant(c, {bins, *bands}, weights);
}

static LogicalResult refuseImageDecoder(NodeContext &c) {
  return c.fail("it decodes a compressed image, whose size is not known when compiling",
                "decode images before the model");
}

void dojo::onnx::registerSignal(HandlerRegistry &registry) {
  registry.onOp("DFT", 17, dft(false));
  registry.onOp("DFT", 20, dft(true));
  registry.onOp("STFT", 17, lowerSTFT);
  registry.onOp("HannWindow", 17, cosineWindow(0.5, 0.5, 0));
  registry.onOp("HammingWindow", 17, cosineWindow(25.0 / 46, 21.0 / 46, 0));
  registry.onOp("BlackmanWindow", 17, cosineWindow(0.42, 0.5, 0.08));
  registry.onOp("MelWeightMatrix", 17, lowerMelWeightMatrix);
  registry.onOp("ImageDecoder", 20, refuseImageDecoder);
}

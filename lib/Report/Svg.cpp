//===- Svg.cpp - a drawing as text ----------------------------------------===//
#include "dojo/Report/Svg.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace dojo::report;
using llvm::StringRef;

// Average advance of a sans-serif letter, in ems.
static constexpr double letter = 0.6;

/// Text for XML; control characters, which XML forbids, become question marks.
static std::string escaped(StringRef text) {
  std::string clean = llvm::json::fixUTF8(text), result;
  for (char &c : clean)
    if (static_cast<unsigned char>(c) < ' ')
      c = '?';
  llvm::raw_string_ostream os(result);
  llvm::printHTMLEscaped(clean, os);
  return result;
}

static std::string number(double value) {
  double rounded = std::round(value * 10) / 10;
  if (rounded == std::floor(rounded))
    return std::to_string(static_cast<long long>(rounded));
  return llvm::formatv("{0:F1}", rounded).str();
}

Svg::Svg(double width, double height) {
  out = llvm::formatv("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" "
                      "width=\"{0}\" height=\"{1}\" font-family=\"'DejaVu Sans', Verdana, "
                      "Helvetica, sans-serif\">\n",
                      number(width), number(height));
  box({0, 0, width, height}, "#ffffff");
}

void Svg::box(const Box &box, StringRef fill, StringRef stroke, StringRef title, StringRef kind) {
  out += llvm::formatv("<rect x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{3}\" fill=\"{4}\"",
                       number(box.x), number(box.y), number(box.width), number(box.height), fill);
  if (stroke != "none")
    out += llvm::formatv(" stroke=\"{0}\" stroke-width=\"0.6\"", stroke);
  if (!kind.empty())
    out += llvm::formatv(" class=\"{0}\"", kind);
  out += title.empty() ? "/>\n" : "><title>" + escaped(title) + "</title></rect>\n";
}

void Svg::text(double x, double y, StringRef text, const TextStyle &style) {
  static constexpr StringRef anchors[] = {"start", "middle", "end"};
  out += llvm::formatv("<text x=\"{0}\" y=\"{1}\" font-size=\"{2}\" fill=\"{3}\"", number(x),
                       number(y), number(style.size), style.fill);
  if (style.anchor != Anchor::start)
    out += llvm::formatv(" text-anchor=\"{0}\"", anchors[static_cast<unsigned>(style.anchor)]);
  if (style.bold)
    out += " font-weight=\"bold\"";
  if (style.turn != 0)
    out += llvm::formatv(" transform=\"rotate({0} {1} {2})\"", number(style.turn), number(x),
                         number(y));
  // A tooltip belongs to what lies beneath a text.
  out += " pointer-events=\"none\">" + escaped(text) + "</text>\n";
}

void Svg::line(double x1, double y1, double x2, double y2, StringRef stroke, StringRef dashes) {
  out += llvm::formatv("<line x1=\"{0}\" y1=\"{1}\" x2=\"{2}\" y2=\"{3}\" stroke=\"{4}\"",
                       number(x1), number(y1), number(x2), number(y2), stroke);
  if (!dashes.empty())
    out += llvm::formatv(" stroke-dasharray=\"{0}\"", dashes);
  out += " pointer-events=\"none\"/>\n";
}

std::string Svg::take() {
  out += "</svg>\n";
  return std::move(out);
}

double Svg::widthOf(StringRef text, double size) { return text.size() * letter * size; }

std::string Svg::fitted(StringRef text, double size, double width) {
  auto room = static_cast<size_t>(std::max(0.0, width / (letter * size)));
  if (text.size() <= room)
    return text.str();
  if (room < 4)
    return "";
  StringRef end = text.take_back(room - 1);
  return "…" + end.drop_while([](char c) { return (c & 0xC0) == 0x80; }).str();
}

std::string dojo::report::mixed(StringRef from, StringRef to, double part) {
  auto channel = [](StringRef colour, unsigned i) {
    unsigned value = 0;
    colour.substr(1 + 2 * i, 2).getAsInteger(16, value);
    return value;
  };
  std::string result = "#";
  for (unsigned i = 0; i < 3; ++i) {
    double value = channel(from, i) * (1 - part) + channel(to, i) * part;
    result += llvm::utohexstr(static_cast<unsigned>(std::lround(value)), true, 2);
  }
  return result;
}

//===- Svg.h - a drawing as text --------------------------------*- C++ -*-===//
//
// The few shapes that our pictures are made of, written in order. Numbers have at
// most one decimal, so that equal drawings are equal bytes.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_REPORT_SVG_H
#define DOJO_REPORT_SVG_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace dojo::report {

struct Box {
  double x, y, width, height;
};

enum class Anchor { start, middle, end };

struct TextStyle {
  double size = 11;
  llvm::StringRef fill = "#333333";
  Anchor anchor = Anchor::start;
  bool bold = false;
  double turn = 0; ///< degrees, clockwise around the anchor
};

class Svg {
public:
  Svg(double width, double height);

  /// A rectangle; `title` is its tooltip and `kind` its class, for those who read the file.
  void box(const Box &box, llvm::StringRef fill, llvm::StringRef stroke = "none",
           llvm::StringRef title = "", llvm::StringRef kind = "");
  void text(double x, double y, llvm::StringRef text, const TextStyle &style = {});
  void line(double x1, double y1, double x2, double y2, llvm::StringRef stroke,
            llvm::StringRef dashes = "");
  /// What was drawn, as a whole file.
  std::string take();

  /// About how wide a text is.
  static double widthOf(llvm::StringRef text, double size);
  /// `text`, or as much of its end as fits `width` after an ellipsis; empty when nothing does.
  static std::string fitted(llvm::StringRef text, double size, double width);

private:
  std::string out;
};

/// The colour `part` of the way from one to the other, as #rrggbb.
std::string mixed(llvm::StringRef from, llvm::StringRef to, double part);

} // namespace dojo::report

#endif // DOJO_REPORT_SVG_H

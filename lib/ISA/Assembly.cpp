//===- Assembly.cpp - text to D1 words ------------------------------------===//
#include "dojo/ISA/Assembly.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using llvm::formatv;
using llvm::StringRef;

namespace dojo::isa {
namespace {

bool isLabelChar(char c) { return llvm::isAlnum(c) || c == '_' || c == '.' || c == '$'; }
bool isLabel(StringRef text) {
  return !text.empty() && !llvm::isDigit(text.front()) && llvm::all_of(text, isLabelChar);
}

/// Decimal or 0x, with a sign; no other radix.
std::optional<int64_t> parseNumber(StringRef text) {
  StringRef digits = text;
  bool negative = digits.consume_front("-");
  unsigned radix = digits.consume_front("0x") ? 16 : 10;
  uint64_t magnitude;
  if (digits.getAsInteger(radix, magnitude) || magnitude > uint64_t(INT64_MAX))
    return std::nullopt;
  return negative ? -int64_t(magnitude) : int64_t(magnitude);
}

struct Token {
  StringRef text;
  unsigned line;
  unsigned column;
};

/// An instruction, or a raw word when `inst` is null. A target is the label
/// that its label operand named.
struct Statement {
  const Instruction *inst = nullptr;
  uint32_t raw = 0;
  llvm::SmallVector<int64_t, maxOperands> operands;
  std::optional<Token> target;
};

/// Functions that return bool return true when they have failed.
class Assembler {
public:
  explicit Assembler(uint32_t baseAddress) : baseAddress(baseAddress) {}

  llvm::Expected<AssembledCode> run(StringRef text) {
    unsigned number = 0;
    for (StringRef line : llvm::split(text, '\n'))
      if (parseLine(line, ++number))
        return llvm::createStringError(message);
    for (auto [index, statement] : llvm::enumerate(statements))
      if (emit(statement, index))
        return llvm::createStringError(message);
    for (const auto &[name, definition] : labels)
      code.symbols[name.str()] = baseAddress + definition.index * wordBytes;
    return std::move(code);
  }

private:
  struct Definition {
    size_t index;
    unsigned line;
  };

  bool fail(const Token &at, const llvm::Twine &reason) {
    message = formatv("{0}:{1}: {2}", at.line, at.column, reason).str();
    return true;
  }
  static std::string found(const Token &token) {
    return token.text.empty() ? "the end of the line" : formatv("'{0}'", token.text).str();
  }

  /// The next token of the line; empty at its end.
  Token peek() const {
    StringRef text = rest.ltrim();
    unsigned column = text.data() - lineStart + 1;
    size_t length = text.find_if_not([](char c) { return isLabelChar(c) || c == '-'; });
    if (length == 0)
      length = 1;
    return {text.take_front(length), lineNumber, column};
  }
  Token take() {
    Token token = peek();
    rest = rest.ltrim().drop_front(token.text.size());
    return token;
  }

  bool parseLine(StringRef line, unsigned number);
  bool parseStatement(const Token &mnemonic);
  bool parseOperand(const Operand &operand, Statement &statement);
  bool parseRegister(const Operand &operand, const Token &token, int64_t &value);
  bool parseWord(Statement &statement);
  bool checkRange(const Operand &operand, const Token &token, int64_t value);
  bool emit(const Statement &statement, size_t index);

  uint32_t baseAddress;
  StringRef rest;
  const char *lineStart = nullptr;
  unsigned lineNumber = 0;
  std::vector<Statement> statements;
  std::map<StringRef, Definition> labels;
  AssembledCode code;
  std::string message;
};

bool Assembler::parseLine(StringRef line, unsigned number) {
  rest = line.split('#').first;
  lineStart = line.data();
  lineNumber = number;
  while (true) {
    Token token = take();
    if (token.text.empty())
      return false;
    if (peek().text != ":")
      return parseStatement(token);
    take();
    if (!isLabel(token.text))
      return fail(token, formatv("{0} cannot be a label", found(token)));
    auto [it, isNew] = labels.insert({token.text, {statements.size(), number}});
    if (!isNew)
      return fail(token, formatv("label '{0}' is already defined on line {1}", token.text,
                                 it->second.line));
  }
}

bool Assembler::parseStatement(const Token &mnemonic) {
  Statement statement;
  if (mnemonic.text == ".word") {
    if (parseWord(statement))
      return true;
  } else {
    statement.inst = lookupMnemonic(mnemonic.text);
    if (!statement.inst)
      return fail(mnemonic, formatv("unknown instruction {0}", found(mnemonic)));
    for (const Operand &operand : statement.inst->operands) {
      if (!statement.operands.empty())
        if (Token comma = take(); comma.text != ",")
          return fail(comma, formatv("{0}: expected ',' and operand {1}, found {2}", mnemonic.text,
                                     operand.name, found(comma)));
      if (parseOperand(operand, statement))
        return true;
    }
  }
  statements.push_back(std::move(statement));
  if (Token extra = take(); !extra.text.empty())
    return fail(extra, formatv("{0}: expected the end of the line, found {1}", mnemonic.text,
                               found(extra)));
  return false;
}

bool Assembler::parseOperand(const Operand &operand, Statement &statement) {
  Token token = take();
  int64_t &value = statement.operands.emplace_back(0);
  if (registerLetter(operand.kind))
    return parseRegister(operand, token, value);
  if (std::optional<int64_t> number = parseNumber(token.text)) {
    value = *number;
    return checkRange(operand, token, value);
  }
  if (operand.kind == Kind::imm)
    return fail(token,
                formatv("operand {0}: expected a number, found {1}", operand.name, found(token)));
  if (!isLabel(token.text))
    return fail(token, formatv("operand {0}: expected a label or a distance in words, found {1}",
                               operand.name, found(token)));
  statement.target = token;
  return false;
}

bool Assembler::parseRegister(const Operand &operand, const Token &token, int64_t &value) {
  char letter = registerLetter(operand.kind);
  StringRef digits = token.text;
  bool spelt = digits.consume_front(StringRef(&letter, 1)) && llvm::all_of(digits, llvm::isDigit) &&
               !digits.getAsInteger(10, value);
  if (spelt && fits(operand, value))
    return false;
  return fail(token, formatv("operand {0}: expected a register from {1}0 to {1}{2}, found {3}",
                             operand.name, letter, maxValue(operand), found(token)));
}

bool Assembler::parseWord(Statement &statement) {
  Token token = take();
  std::optional<int64_t> number = parseNumber(token.text);
  if (!number || *number < 0 || *number > UINT32_MAX)
    return fail(token, formatv(".word: expected a number of 32 bits, found {0}", found(token)));
  statement.raw = *number;
  return false;
}

bool Assembler::checkRange(const Operand &operand, const Token &token, int64_t value) {
  if (fits(operand, value))
    return false;
  return fail(token, formatv("operand {0}: expected a number from {1} to {2}, found {3}",
                             operand.name, minValue(operand), maxValue(operand), value));
}

bool Assembler::emit(const Statement &statement, size_t index) {
  if (!statement.inst) {
    code.words.push_back(statement.raw);
    return false;
  }
  llvm::SmallVector<int64_t, maxOperands> operands = statement.operands;
  if (statement.target) {
    const Token &target = *statement.target;
    auto label = labels.find(target.text);
    if (label == labels.end())
      return fail(target, formatv("label '{0}' is not defined", target.text));
    operands.back() = int64_t(label->second.index) - int64_t(index);
    const Operand &operand = statement.inst->operands.back();
    if (!fits(operand, operands.back()))
      return fail(target, formatv("label '{0}' is {1} words away, {2} reaches from {3} to {4}",
                                  target.text, operands.back(), statement.inst->mnemonic,
                                  minValue(operand), maxValue(operand)));
  }
  code.words.push_back(llvm::cantFail(encode(statement.inst->opcode, operands)));
  return false;
}

} // namespace

llvm::Expected<AssembledCode> assemble(StringRef text, uint32_t baseAddress) {
  return Assembler(baseAddress).run(text);
}

} // namespace dojo::isa

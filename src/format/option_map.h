#pragma once

#include <arrow/result.h>

#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace millrace::format {

/// Options of a reader, a writer or a function as the user gave them. Keys compare without case.
struct LessIgnoreCase {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};
using OptionMap = std::map<std::string, std::string, LessIgnoreCase>;

/// One row of a format's table of options: what the docs print and what the parser falls back to.
struct OptionDoc {
  std::string_view key;
  std::string_view default_value;
  std::string_view doc;
};

/// The texts of options as Scala's String.toBoolean, toInt and toDouble read them.
/// Errors: Invalid `For input string: "…"`.
arrow::Result<bool> ParseBooleanOption(std::string_view text);
arrow::Result<int32_t> ParseIntOption(std::string_view text);
arrow::Result<double> ParseDoubleOption(std::string_view text);

/// Looks options up by key, with the default of a format's table.
class OptionReader {
 public:
  OptionReader(const OptionMap& given, std::span<const OptionDoc> table) : given_(given), table_(table) {}
  /// What the user gave, else nullopt.
  std::optional<std::string> Given(std::string_view key) const;
  /// What the user gave, else the table's default.
  std::string Text(std::string_view key) const;
  arrow::Result<bool> Boolean(std::string_view key) const;
  arrow::Result<int32_t> Int(std::string_view key) const;
  arrow::Result<double> Double(std::string_view key) const;
  /// One character. Errors: Invalid as Spark words it.
  arrow::Result<char32_t> Character(std::string_view key, char32_t when_empty) const;

 private:
  const OptionMap& given_;
  std::span<const OptionDoc> table_;
};

enum class ParseMode : uint8_t {
  kPermissive,     ///< what cannot be read is NULL, the text goes to the corrupt-record column
  kDropMalformed,  ///< bad records are left out
  kFailFast,       ///< the first bad record raises
};
/// Any other text means PERMISSIVE, as in Spark.
ParseMode ParseModeFrom(std::string_view text);

/// The decimal and grouping signs of a locale ("de-DE"), as Java's DecimalFormatSymbols has them.
struct NumberSymbols {
  bool is_us = true;
  std::string decimal = ".";
  std::string grouping = ",";
};
NumberSymbols NumberSymbolsOf(std::string_view locale_tag);
/// A decimal number written with these signs, as plain "-12.5e3" text. False when it is no number.
bool NormalizeDecimalText(std::string_view text, const NumberSymbols& symbols, std::string* plain);

}  // namespace millrace::format

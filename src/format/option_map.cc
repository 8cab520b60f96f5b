#include "format/option_map.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"

namespace millrace::format {

namespace {

arrow::Status BadText(std::string_view text) { return arrow::Status::Invalid("For input string: \"", text, "\""); }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// [+-]digits[.digits][e[+-]digits], at least one digit before the exponent: java.math.BigDecimal's grammar.
bool IsDecimalText(std::string_view text) {
  size_t i = 0;
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
  size_t digits = 0;
  for (; i < text.size() && IsDigit(text[i]); ++i) ++digits;
  if (i < text.size() && text[i] == '.') {
    for (++i; i < text.size() && IsDigit(text[i]); ++i) ++digits;
  }
  if (digits == 0) return false;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    size_t start = i;
    while (i < text.size() && IsDigit(text[i])) ++i;
    if (i == start || i - start > 9) return false;
  }
  return i == text.size();
}

}  // namespace

bool LessIgnoreCase::operator()(std::string_view a, std::string_view b) const {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return ToLowerAscii(x) < ToLowerAscii(y); });
}

arrow::Result<bool> ParseBooleanOption(std::string_view text) {
  if (EqualsIgnoreCase(text, "true")) return true;
  if (EqualsIgnoreCase(text, "false")) return false;
  return BadText(text);
}

arrow::Result<int32_t> ParseIntOption(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  int32_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return BadText(text);
  return value;
}

arrow::Result<double> ParseDoubleOption(std::string_view text) {
  std::string_view digits = TrimAscii(text);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  double value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return BadText(text);
  return value;
}

std::optional<std::string> OptionReader::Given(std::string_view key) const {
  auto it = given_.find(key);
  if (it == given_.end()) return std::nullopt;
  return it->second;
}

std::string OptionReader::Text(std::string_view key) const {
  if (auto given = Given(key)) return *given;
  for (const OptionDoc& row : table_) {
    if (EqualsIgnoreCase(row.key, key)) return std::string(row.default_value);
  }
  return "";
}

arrow::Result<bool> OptionReader::Boolean(std::string_view key) const { return ParseBooleanOption(Text(key)); }
arrow::Result<int32_t> OptionReader::Int(std::string_view key) const { return ParseIntOption(Text(key)); }
arrow::Result<double> OptionReader::Double(std::string_view key) const { return ParseDoubleOption(Text(key)); }

arrow::Result<char32_t> OptionReader::Character(std::string_view key, char32_t when_empty) const {
  std::string text = Text(key);
  if (text.empty()) return when_empty;
  auto lead = static_cast<unsigned char>(text[0]);
  size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() != length) {
    return arrow::Status::Invalid(key, " cannot be more than one character");
  }
  if (length == 1) return char32_t{lead};
  char32_t code = lead & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length; ++i) code = (code << 6) | (static_cast<unsigned char>(text[i]) & 0x3F);
  return code;
}

ParseMode ParseModeFrom(std::string_view text) {
  if (EqualsIgnoreCase(text, "DROPMALFORMED")) return ParseMode::kDropMalformed;
  if (EqualsIgnoreCase(text, "FAILFAST")) return ParseMode::kFailFast;
  return ParseMode::kPermissive;
}

NumberSymbols NumberSymbolsOf(std::string_view locale_tag) {
  NumberSymbols symbols;
  symbols.is_us = EqualsIgnoreCase(locale_tag, "en-US");
  std::string language = ToLowerAscii(locale_tag.substr(0, locale_tag.find_first_of("-_")));
  auto one_of = [&](std::string_view list) {
    return (" " + std::string(list) + " ").find(" " + language + " ") != std::string::npos;
  };
  if (EqualsIgnoreCase(locale_tag, "de-CH")) {
    symbols.grouping = "\u2019";
  } else if (one_of("de es it nl pt id tr da el ro hr sr sl vi is")) {
    symbols.decimal = ",";
    symbols.grouping = ".";
  } else if (language == "fr") {
    symbols.decimal = ",";
    symbols.grouping = "\u202F";
  } else if (one_of("ru uk cs pl sv fi nb no nn hu bg sk lt lv et be kk")) {
    symbols.decimal = ",";
    symbols.grouping = "\u00A0";
  }
  return symbols;
}

bool NormalizeDecimalText(std::string_view text, const NumberSymbols& symbols, std::string* plain) {
  plain->clear();
  size_t i = 0;
  while (i < text.size()) {
    if (text.substr(i).starts_with(symbols.grouping)) {
      i += symbols.grouping.size();
    } else if (!symbols.is_us && text.substr(i).starts_with(symbols.decimal)) {
      plain->push_back('.');
      i += symbols.decimal.size();
    } else {
      // DecimalFormat knows no plus sign and only a capital E.
      if (!symbols.is_us && (text[i] == '+' || text[i] == 'e' || text[i] == '.')) return false;
      plain->push_back(text[i++]);
    }
  }
  return IsDecimalText(*plain);
}

}  // namespace millrace::format

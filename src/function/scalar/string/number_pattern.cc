#include "function/scalar/string/number_pattern.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/error.h"

namespace millrace::function {

namespace {

arrow::Status Invalid(const std::string& kind, const std::string& format, ErrorParameters parameters = {}) {
  parameters["format"] = "'" + format + "'";
  return UserError("INVALID_FORMAT." + kind, std::move(parameters));
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// A sign put behind spaces moves in front of them.
void AppendBeforeSpaces(std::string* out, char sign) {
  size_t at = out->size();
  while (at > 0 && (*out)[at - 1] == ' ') --at;
  out->insert(at, 1, sign);
}

// A space put behind a sign moves in front of it.
void AppendSpaceBeforeSigns(std::string* out) {
  size_t at = out->size();
  while (at > 0 && ((*out)[at - 1] == '+' || (*out)[at - 1] == '-' || (*out)[at - 1] == '<')) --at;
  out->insert(at, 1, ' ');
}

void DropLonePoint(std::string* out) {
  size_t at = out->find('.');
  if (at != std::string::npos && (at + 1 == out->size() || (*out)[at + 1] == ' ')) (*out)[at] = ' ';
}

}  // namespace

arrow::Result<NumberPattern> NumberPattern::Parse(std::string_view text) {
  NumberPattern pattern;
  pattern.text_ = ToUpperAscii(text);
  const std::string& s = pattern.text_;
  std::vector<Token> tokens;
  bool after_point = false;
  for (size_t i = 0; i < s.size();) {
    char c = s[i];
    if (c == '0' || c == '9') {
      size_t begin = i;
      while (i < s.size() && (s[i] == '0' || s[i] == '9')) ++i;
      tokens.push_back({Kind::kDigits, static_cast<int>(i - begin), c == '0' && !after_point, 0});
      continue;
    }
    bool two = i + 1 < s.size();
    if (c == 'M' && two && s[i + 1] == 'I') {
      tokens.push_back({Kind::kMinus});
      ++i;
    } else if (c == 'P' && two && s[i + 1] == 'R') {
      tokens.insert(tokens.begin(), {Kind::kOpenAngle});
      tokens.push_back({Kind::kCloseAngle});
      ++i;
    } else if (c == '.' || c == 'D') {
      tokens.push_back({Kind::kPoint});
      after_point = true;
    } else if (c == ',' || c == 'G') {
      tokens.push_back({Kind::kComma});
    } else if (c == '$') {
      tokens.push_back({Kind::kDollar});
    } else if (c == 'S') {
      tokens.push_back({Kind::kSign});
    } else {
      tokens.push_back({Kind::kOther, 0, false, c});
    }
    ++i;
  }
  after_point = false;
  for (const Token& token : tokens) {
    bool digits = token.kind == Kind::kDigits || token.kind == Kind::kComma;
    if (digits && (pattern.parts_.empty() || !pattern.parts_.back().is_digits))
      pattern.parts_.push_back({true, {}, {}});
    if (digits) {
      pattern.parts_.back().tokens.push_back(token);
    } else {
      pattern.parts_.push_back({false, token, {}});
    }
    after_point = after_point || token.kind == Kind::kPoint;
    pattern.precision_ += token.count;
    if (after_point) pattern.scale_ += token.count;
  }
  ARROW_RETURN_NOT_OK(pattern.Check());
  return pattern;
}

std::vector<const NumberPattern::Token*> NumberPattern::DigitsOf(const Part& part) const {
  std::vector<const Token*> digits;
  for (const Token& token : part.tokens) {
    if (token.kind == Kind::kDigits) digits.push_back(&token);
  }
  return digits;
}

arrow::Status NumberPattern::Check() const {
  if (text_.empty()) return Invalid("EMPTY", text_);
  auto first = [&](auto matches) {
    auto it = std::find_if(parts_.begin(), parts_.end(), matches);
    return it == parts_.end() ? -1 : static_cast<int>(it - parts_.begin());
  };
  auto is = [](Kind kind) { return [kind](const Part& part) { return !part.is_digits && part.token.kind == kind; }; };
  int digits = first([&](const Part& part) { return part.is_digits; });
  int dollar = first(is(Kind::kDollar));
  int point = first(is(Kind::kPoint));
  if (digits < 0) return Invalid("WRONG_NUM_DIGIT", text_);
  if (digits < dollar) return Invalid("CUR_MUST_BEFORE_DIGIT", text_);
  if (point >= 0 && point < dollar) return Invalid("CUR_MUST_BEFORE_DEC", text_);
  for (size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    if (!part.is_digits) continue;
    bool before = point < 0 || static_cast<int>(i) < point;
    for (size_t j = 0; j < part.tokens.size(); ++j) {
      if (part.tokens[j].kind != Kind::kComma) continue;
      if (!before) return Invalid("THOUSANDS_SEPS_MUST_BEFORE_DEC", text_);
      bool edge = j == 0 || j + 1 == part.tokens.size();
      if (edge || part.tokens[j - 1].kind == Kind::kComma || part.tokens[j + 1].kind == Kind::kComma) {
        return Invalid("CONT_THOUSANDS_SEPS", text_);
      }
    }
  }
  static constexpr std::array<std::pair<Kind, const char*>, 5> kOnce = {{{Kind::kPoint, ". or D"},
                                                                         {Kind::kSign, "S"},
                                                                         {Kind::kMinus, "MI"},
                                                                         {Kind::kDollar, "$"},
                                                                         {Kind::kCloseAngle, "PR"}}};
  for (const auto& [kind, name] : kOnce) {
    if (std::count_if(parts_.begin(), parts_.end(), is(kind)) > 1) {
      return Invalid("WRONG_NUM_TOKEN", text_, {{"token", name}});
    }
  }
  // What may stand where, each at most once.
  static const std::vector<std::vector<Kind>> kOrder = {
      {Kind::kOpenAngle}, {Kind::kMinus, Kind::kSign},
      {Kind::kDollar},    {Kind::kDigits},
      {Kind::kPoint},     {Kind::kDigits},
      {Kind::kDollar},    {Kind::kMinus, Kind::kSign, Kind::kCloseAngle}};
  size_t at = 0;
  for (const auto& allowed : kOrder) {
    if (at == parts_.size()) break;
    Kind kind = parts_[at].is_digits ? Kind::kDigits : parts_[at].token.kind;
    if (std::find(allowed.begin(), allowed.end(), kind) != allowed.end()) ++at;
  }
  if (at == parts_.size()) return arrow::Status::OK();
  std::string shown = "digit sequence";
  if (!parts_[at].is_digits) {
    shown = parts_[at].token.kind == Kind::kOther ? "character '" + std::string(1, parts_[at].token.other) + "''"
                                                  : std::string("PR");
    for (const auto& [kind, name] : kOnce) {
      if (kind == parts_[at].token.kind) shown = name;
    }
  }
  return Invalid("UNEXPECTED_TOKEN", text_, {{"token", shown}});
}

std::optional<std::string> NumberPattern::ToNumber(std::string_view input) const {
  std::string before;
  std::string after;
  bool after_point = false;
  bool opened = false;
  bool closed = false;
  bool negative = false;
  size_t at = 0;
  for (const Part& part : parts_) {
    char c = at < input.size() ? input[at] : 0;
    bool more = at < input.size();
    if (part.is_digits) {
      // Sizes of the groups of digits between separators, left to right.
      std::vector<int> sizes = {0};
      for (; at < input.size(); ++at) {
        c = input[at];
        if (IsSpace(c)) continue;
        if (IsDigit(c)) {
          ++sizes.back();
          (after_point ? after : before) += c;
        } else if (c == ',') {
          sizes.push_back(0);
        } else {
          break;
        }
      }
      std::vector<const Token*> expected = DigitsOf(part);
      if (sizes.size() > expected.size()) return std::nullopt;
      // Compared from the right: leading groups may be missing.
      for (size_t i = 0; i < expected.size(); ++i) {
        const Token& token = *expected[expected.size() - 1 - i];
        int count = i < sizes.size() ? sizes[sizes.size() - 1 - i] : 0;
        if (token.exact ? count != token.count : count > token.count) return std::nullopt;
      }
      continue;
    }
    switch (part.token.kind) {
      case Kind::kPoint:
        if (more && c == '.') {
          after_point = true;
          ++at;
        }
        break;
      case Kind::kDollar:
        if (!more) break;
        if (c != '$') return std::nullopt;
        ++at;
        break;
      case Kind::kSign:
        if (more && (c == '+' || c == '-')) {
          negative = negative != (c == '-');
          ++at;
        }
        break;
      case Kind::kMinus:
        if (more && c == '-') {
          negative = !negative;
          ++at;
        }
        break;
      case Kind::kOpenAngle:
        if (more && c == '<') {
          opened = true;
          ++at;
        }
        break;
      case Kind::kCloseAngle:
        if (more && c == '>') {
          if (!opened) return std::nullopt;
          closed = true;
          negative = !negative;
          ++at;
        }
        break;
      default:
        return std::nullopt;
    }
  }
  if (at < input.size() || opened != closed || (before.empty() && after.empty())) return std::nullopt;
  after.append(static_cast<size_t>(scale_) - after.size(), '0');
  return (negative ? "-" : "") + (before.empty() ? "0" : before) + (after.empty() ? "" : "." + after);
}

std::string NumberPattern::Format(std::string_view number) const {
  bool negative = number.starts_with('-') && number.find_first_of("123456789") != std::string_view::npos;
  size_t point = number.find('.');
  std::string before(number.substr(0, point));
  std::string after = point == std::string_view::npos ? "" : std::string(number.substr(point + 1));
  before.erase(0, before.find_first_not_of("-0") == std::string::npos ? before.size() : before.find_first_not_of("-0"));
  while (after.ends_with('0')) after.pop_back();
  auto room_after = static_cast<size_t>(scale_);
  auto room_before = static_cast<size_t>(precision_ - scale_);
  if (before.size() > room_before || after.size() > room_after) {
    before.assign(room_before, '#');
    after.assign(room_after, '#');
  }
  before.insert(0, room_before - before.size(), ' ');
  after.append(room_after - after.size(), '0');

  std::string out;
  size_t next_before = 0;
  size_t next_after = 0;
  bool after_point = false;
  for (const Part& part : parts_) {
    for (const Token& token : part.tokens) {
      if (token.kind == Kind::kComma) {
        if (!out.empty() && IsDigit(out.back())) {
          out += ',';
        } else {
          AppendSpaceBeforeSigns(&out);
        }
        continue;
      }
      for (int i = 0; i < token.count; ++i) {
        char c = after_point ? after[next_after++] : before[next_before++];
        if (c != ' ') {
          out += c;
        } else if (token.exact) {
          out += '0';
        } else {
          AppendSpaceBeforeSigns(&out);
        }
      }
    }
    if (part.is_digits) continue;
    switch (part.token.kind) {
      case Kind::kPoint:
        if (out.ends_with(' ')) out.back() = '0';
        out += '.';
        after_point = true;
        break;
      case Kind::kDollar:
        out += '$';
        break;
      case Kind::kSign:
        DropLonePoint(&out);
        AppendBeforeSpaces(&out, negative ? '-' : '+');
        break;
      case Kind::kMinus:
        if (negative) {
          DropLonePoint(&out);
          AppendBeforeSpaces(&out, '-');
        } else {
          out += ' ';
        }
        break;
      case Kind::kOpenAngle:
        if (negative) out += '<';
        break;
      case Kind::kCloseAngle:
        DropLonePoint(&out);
        if (negative) {
          AppendBeforeSpaces(&out, '>');
        } else {
          out += "  ";
        }
        break;
      default:
        break;
    }
  }
  DropLonePoint(&out);
  return out.empty() || out == "+" || out == "-" ? "0" : out;
}

}  // namespace millrace::function

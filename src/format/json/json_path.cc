#include "format/json/json_path.h"

#include "format/json/json_record.h"
#include "format/json/json_text.h"
#include "format/json/json_tokenizer.h"

namespace millrace::format {

using Token = JsonTokenizer::Token;

namespace {

/// What these functions accept beside RFC 8259, for Hive's sake.
const JsonOptions& LenientOptions() {
  static const JsonOptions options = [] {
    JsonOptions lenient;
    lenient.allow_unquoted_control_chars = true;
    lenient.allow_single_quotes = true;
    lenient.allow_non_numeric_numbers = false;
    return lenient;
  }();
  return options;
}

/// `record`, or its repaired copy in `buffer` when it is not valid UTF-8.
std::string_view ValidText(std::string_view record, std::string* buffer) {
  if (IsValidUtf8(record)) return record;
  *buffer = ReplaceInvalidUtf8(record);
  return *buffer;
}

/// Collects values with the commas an array needs between them.
struct Output {
  std::string text;
  bool in_array = false;
  int num_values = 0;

  void BeginValue() {
    if (in_array && num_values > 0) text.push_back(',');
    ++num_values;
  }
};

/// Copies the value at the tokenizer; a string without its quotes.
bool CopyBare(JsonTokenizer* tokens, std::string* out) {
  std::string_view text;
  if (tokens->token() != Token::kString) return CopyJsonValue(tokens, out);
  if (!tokens->Text(&text)) return false;
  out->append(text);
  return true;
}

}  // namespace

std::optional<JsonPath> JsonPath::Parse(std::string_view text) {
  using Kind = Step::Kind;
  JsonPath path;
  if (!text.starts_with('$')) return std::nullopt;
  text.remove_prefix(1);
  while (!text.empty()) {
    if (text.starts_with(".*") || text.starts_with("['*']")) {
      return std::nullopt;  // all members: Spark takes the path and finds nothing
    } else if (text.starts_with('.')) {
      size_t end = text.find_first_of(".[", 1);
      std::string_view name = text.substr(1, end == std::string_view::npos ? end : end - 1);
      if (name.empty()) return std::nullopt;
      path.steps_.push_back({Kind::kKey, "", 0});
      path.steps_.push_back({Kind::kNamed, std::string(name), 0});
      text.remove_prefix(1 + name.size());
    } else if (text.starts_with("['")) {
      size_t end = text.find_first_of("'?", 2);
      if (end == std::string_view::npos || end == 2 || !text.substr(end).starts_with("']")) return std::nullopt;
      path.steps_.push_back({Kind::kKey, "", 0});
      path.steps_.push_back({Kind::kNamed, std::string(text.substr(2, end - 2)), 0});
      text.remove_prefix(end + 2);
    } else if (text.starts_with("[*]")) {
      path.steps_.push_back({Kind::kSubscript, "", 0});
      path.steps_.push_back({Kind::kWildcard, "", 0});
      text.remove_prefix(3);
    } else if (text.starts_with('[')) {
      size_t end = text.find(']');
      if (end == std::string_view::npos || end == 1) return std::nullopt;
      int64_t index = 0;
      for (char c : text.substr(1, end - 1)) {
        if (c < '0' || c > '9' || __builtin_mul_overflow(index, int64_t{10}, &index) ||
            __builtin_add_overflow(index, int64_t{c - '0'}, &index)) {
          return std::nullopt;
        }
      }
      path.steps_.push_back({Kind::kSubscript, "", 0});
      path.steps_.push_back({Kind::kIndex, "", index});
      text.remove_prefix(end + 1);
    } else {
      return std::nullopt;
    }
  }
  return path;
}

/// One walk of a path over a record. Each function returns whether something was written; failed_ on a syntax error.
class JsonPathWalk {
 public:
  using Kind = JsonPath::Step::Kind;
  enum class Style : uint8_t { kRaw, kQuoted, kFlatten };

  JsonPathWalk(const std::vector<JsonPath::Step>& steps, JsonTokenizer* tokens) : steps_(steps), tokens_(*tokens) {}

  bool failed() const { return failed_; }

  bool Walk(Style style, size_t at, Output* out) {
    if (at == steps_.size()) return Emit(style, out);
    Token token = tokens_.token();
    const JsonPath::Step& step = steps_[at];
    if (token == Token::kStartObject && step.kind == Kind::kKey) return WalkObject(style, at + 1, out);
    if (token == Token::kStartArray && step.kind == Kind::kSubscript) {
      return steps_[at + 1].kind == Kind::kWildcard ? WalkArray(style, at, out) : WalkIndex(style, at, out);
    }
    if (token == Token::kFieldName && step.kind == Kind::kNamed && *tokens_.CurrentName() == step.name) {
      return Step() && tokens_.token() != Token::kNull && Walk(style, at + 1, out);
    }
    Skip();
    return false;
  }

 private:
  bool Step() {
    failed_ = failed_ || !tokens_.Next();
    return !failed_;
  }
  void Skip() { failed_ = failed_ || !tokens_.SkipChildren(); }
  /// Steps inside of a container; false at its end.
  bool StepUntil(Token end) { return Step() && tokens_.token() != end && tokens_.token() != Token::kNone; }

  bool Emit(Style style, Output* out) {
    if (tokens_.token() == Token::kString && style == Style::kRaw) {
      if (!CopyBare(&tokens_, &out->text)) failed_ = true;
      return true;
    }
    if (tokens_.token() == Token::kStartArray && style == Style::kFlatten) {
      bool written = false;
      while (StepUntil(Token::kEndArray)) written = Walk(style, steps_.size(), out) || written;
      return written;
    }
    out->BeginValue();
    if (!CopyJsonValue(&tokens_, &out->text)) failed_ = true;
    return true;
  }

  bool WalkObject(Style style, size_t at, Output* out) {
    bool written = false;
    while (StepUntil(Token::kEndObject)) {
      if (written) {
        Skip();
      } else {
        written = Walk(style, at, out);
      }
    }
    return written;
  }

  bool WalkElements(Style style, size_t at, Output* out, int* num_written) {
    while (StepUntil(Token::kEndArray)) *num_written += Walk(style, at, out) ? 1 : 0;
    return *num_written > 0;
  }

  bool WalkArray(Style style, size_t at, Output* out) {
    bool twice =
        at + 3 < steps_.size() && steps_[at + 2].kind == Kind::kSubscript && steps_[at + 3].kind == Kind::kWildcard;
    Output elements;
    elements.in_array = true;
    int num_written = 0;
    if (twice) {
      // Hive does not keep the structure of a double wildcard.
      WalkElements(Style::kFlatten, at + 4, &elements, &num_written);
    } else if (style == Style::kQuoted) {
      WalkElements(Style::kQuoted, at + 2, &elements, &num_written);
    } else {
      // One match stands alone, several are an array.
      Style inner = style == Style::kRaw ? Style::kQuoted : Style::kFlatten;
      WalkElements(inner, at + 2, &elements, &num_written);
      if (num_written == 0) return false;
      out->BeginValue();
      out->text += num_written > 1 ? "[" + elements.text + "]" : elements.text;
      return true;
    }
    out->BeginValue();
    out->text += "[" + elements.text + "]";
    return num_written > 0;
  }

  bool WalkIndex(Style style, size_t at, Output* out) {
    bool wildcard_next =
        at + 3 < steps_.size() && steps_[at + 2].kind == Kind::kSubscript && steps_[at + 3].kind == Kind::kWildcard;
    if (!Step()) return false;
    for (int64_t left = steps_[at + 1].index; left > 0; --left) {
      if (tokens_.token() == Token::kEndArray || tokens_.token() == Token::kNone) return false;
      Skip();
      if (failed_ || !Step()) return false;
    }
    if (tokens_.token() == Token::kEndArray || tokens_.token() == Token::kNone) return false;
    bool written = Walk(wildcard_next ? Style::kQuoted : style, at + 2, out);
    while (StepUntil(Token::kEndArray)) Skip();
    return written;
  }

  const std::vector<JsonPath::Step>& steps_;
  JsonTokenizer& tokens_;
  bool failed_ = false;
};

bool JsonPath::Extract(std::string_view record, std::string* out) const {
  std::string buffer;
  JsonTokenizer tokens(ValidText(record, &buffer), LenientOptions());
  if (!tokens.Next() || tokens.token() == Token::kNone) return false;
  Output output;
  JsonPathWalk walk(steps_, &tokens);
  bool written = walk.Walk(JsonPathWalk::Style::kRaw, 0, &output);
  *out = std::move(output.text);
  return written && !walk.failed();
}

void ExtractMembers(std::string_view record, const std::vector<std::optional<std::string>>& names,
                    std::vector<std::optional<std::string>>* values) {
  values->assign(names.size(), std::nullopt);
  std::string buffer;
  JsonTokenizer tokens(ValidText(record, &buffer), LenientOptions());
  auto malformed = [&] { values->assign(names.size(), std::nullopt); };
  if (!tokens.Next() || tokens.token() != Token::kStartObject) return;
  while (true) {
    if (!tokens.Next()) return malformed();
    if (tokens.token() == Token::kEndObject || tokens.token() == Token::kNone) return;
    if (tokens.token() == Token::kFieldName) {
      std::string name = *tokens.CurrentName();
      bool wanted = false;
      for (const auto& each : names) wanted = wanted || (each && *each == name);
      if (wanted) {
        if (!tokens.Next()) return malformed();
        if (tokens.token() != Token::kNull) {
          std::string text;
          if (!CopyBare(&tokens, &text)) return malformed();
          for (size_t i = 0; i < names.size(); ++i) {
            if (names[i] && *names[i] == name) (*values)[i] = text;
          }
        }
      }
    }
    if (!tokens.SkipChildren()) return malformed();
  }
}

std::optional<int32_t> CountElements(std::string_view record) {
  std::string buffer;
  JsonTokenizer tokens(ValidText(record, &buffer), LenientOptions());
  if (!tokens.Next() || tokens.token() != Token::kStartArray) return std::nullopt;
  int32_t count = 0;
  while (true) {
    if (!tokens.Next()) return std::nullopt;
    if (tokens.token() == Token::kEndArray || tokens.token() == Token::kNone) return count;
    ++count;
    if (!tokens.SkipChildren()) return std::nullopt;
  }
}

std::optional<std::vector<std::string>> MemberNames(std::string_view record) {
  std::string buffer;
  JsonTokenizer tokens(ValidText(record, &buffer), LenientOptions());
  if (!tokens.Next() || tokens.token() != Token::kStartObject) return std::nullopt;
  std::vector<std::string> names;
  while (true) {
    if (!tokens.Next()) return std::nullopt;
    if (tokens.token() == Token::kFieldName && !tokens.Next()) return std::nullopt;
    const std::string* name = tokens.CurrentName();
    if (tokens.token() == Token::kEndObject || tokens.token() == Token::kNone || name == nullptr) return names;
    names.push_back(*name);
    if (!tokens.SkipChildren()) return std::nullopt;
  }
}

}  // namespace millrace::format

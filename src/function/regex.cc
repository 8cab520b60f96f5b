#include "function/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <re2/re2.h>

#include <array>
#include <unordered_map>
#include <utility>

namespace millrace::function {

namespace {

re2::StringPiece Piece(std::string_view text) { return {text.data(), text.size()}; }

class LinearRegex final : public Regex {
 public:
  explicit LinearRegex(std::unique_ptr<RE2> regex) : regex_(std::move(regex)) {}

  int num_groups() const override { return regex_->NumberOfCapturingGroups(); }
  int GroupIndex(const std::string& name) const override {
    auto it = regex_->NamedCapturingGroups().find(name);
    return it == regex_->NamedCapturingGroups().end() ? -1 : it->second;
  }
  bool Contains(std::string_view text) const override { return RE2::PartialMatch(Piece(text), *regex_); }
  bool Find(std::string_view text, size_t from, std::vector<Span>* groups) const override {
    auto count = static_cast<size_t>(num_groups()) + 1;
    std::vector<re2::StringPiece> found(count);
    if (!regex_->Match(Piece(text), from, text.size(), RE2::UNANCHORED, found.data(), static_cast<int>(count))) {
      return false;
    }
    groups->assign(count, Span{});
    for (size_t i = 0; i < count; ++i) {
      if (found[i].data() == nullptr) continue;
      auto begin = static_cast<int>(found[i].data() - text.data());
      (*groups)[i] = {begin, begin + static_cast<int>(found[i].size())};
    }
    return true;
  }

 private:
  std::unique_ptr<RE2> regex_;
};

class BacktrackingRegex final : public Regex {
 public:
  explicit BacktrackingRegex(pcre2_code* code) : code_(code) {
    uint32_t count = 0;
    pcre2_pattern_info(code_, PCRE2_INFO_CAPTURECOUNT, &count);
    num_groups_ = static_cast<int>(count);
  }
  ~BacktrackingRegex() override { pcre2_code_free(code_); }
  BacktrackingRegex(const BacktrackingRegex&) = delete;

  int num_groups() const override { return num_groups_; }
  int GroupIndex(const std::string& name) const override {
    return pcre2_substring_number_from_name(code_, reinterpret_cast<PCRE2_SPTR>(name.c_str()));
  }
  bool Contains(std::string_view text) const override {
    std::vector<Span> groups;
    return Find(text, 0, &groups);
  }
  bool Find(std::string_view text, size_t from, std::vector<Span>* groups) const override {
    std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> match(
        pcre2_match_data_create_from_pattern(code_, nullptr), pcre2_match_data_free);
    const char* bytes = text.data() == nullptr ? "" : text.data();
    int count = pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(bytes), text.size(), from, 0, match.get(), nullptr);
    if (count < 0) return false;
    const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(match.get());
    groups->assign(static_cast<size_t>(num_groups_) + 1, Span{});
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
      if (offsets[2 * i] == PCRE2_UNSET) continue;
      (*groups)[i] = {static_cast<int>(offsets[2 * i]), static_cast<int>(offsets[2 * i + 1])};
    }
    return true;
  }

 private:
  pcre2_code* code_;
  int num_groups_ = 0;
};

// Whether a group of flags such as (?s) or (?is:…) lets the dot match line ends.
bool DotMatchesAll(std::string_view pattern) {
  for (size_t at = pattern.find("(?"); at != std::string_view::npos; at = pattern.find("(?", at + 1)) {
    for (size_t i = at + 2; i < pattern.size() && pattern[i] >= 'a' && pattern[i] <= 'z'; ++i) {
      if (pattern[i] == 's') return true;
    }
  }
  return false;
}

// What Java means and neither engine does: its names of ASCII classes, word boundaries between letters of any script,
// and a dot that stops at every line end.
std::string Translate(std::string_view pattern) {
  constexpr std::string_view kBoundary =
      "(?:(?<=[\\p{L}\\p{Nd}_])(?![\\p{L}\\p{Nd}_])|(?<![\\p{L}\\p{Nd}_])(?=[\\p{L}\\p{Nd}_]))";
  constexpr std::string_view kNoBoundary =
      "(?:(?<=[\\p{L}\\p{Nd}_])(?=[\\p{L}\\p{Nd}_])|(?<![\\p{L}\\p{Nd}_])(?![\\p{L}\\p{Nd}_]))";
  bool any_dot = DotMatchesAll(pattern);
  constexpr std::pair<std::string_view, std::string_view> kClasses[] = {
      {"Lower", "a-z"},        {"Upper", "A-Z"},
      {"Alpha", "a-zA-Z"},     {"Digit", "0-9"},
      {"Alnum", "a-zA-Z0-9"},  {"Punct", "!-/:-@\\[-`{-~"},
      {"Graph", "!-~"},        {"Print", " -~"},
      {"Blank", " \\t"},       {"Cntrl", "\\x00-\\x1f\\x7f"},
      {"XDigit", "0-9a-fA-F"}, {"Space", " \\t\\n\\x0b\\f\\r"},
      {"ASCII", "\\x00-\\x7f"}};
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      bool negated = pattern[i + 1] == 'P';
      if ((pattern[i + 1] == 'p' || negated) && i + 2 < pattern.size() && pattern[i + 2] == '{') {
        size_t close = pattern.find('}', i);
        std::string_view name = close == std::string_view::npos ? "" : pattern.substr(i + 3, close - i - 3);
        bool known = false;
        for (const auto& [java, ranges] : kClasses) {
          if (name != java || (in_class && negated)) continue;
          out += in_class ? std::string(ranges) : (negated ? "[^" : "[") + std::string(ranges) + "]";
          i = close;
          known = true;
        }
        if (known) continue;
      }
      if (!in_class && (pattern[i + 1] == 'b' || pattern[i + 1] == 'B')) {
        out += pattern[++i] == 'b' ? kBoundary : kNoBoundary;
        continue;
      }
      out += c;
      out += pattern[++i];
      continue;
    }
    if (c == '.' && !in_class && !any_dot) {
      out += "[^\\n\\r\\x{85}\\x{2028}\\x{2029}]";
      continue;
    }
    // Java repeats an anchor; PCRE2 only a group.
    if (c == '^' && !in_class && i + 1 < pattern.size() &&
        std::string_view("*+?{").find(pattern[i + 1]) != std::string_view::npos) {
      out += "(?:^)";
      continue;
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    out += c;
  }
  return out;
}

arrow::Result<std::shared_ptr<const Regex>> CompileBacktracking(const std::string& pattern) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  std::unique_ptr<pcre2_compile_context, void (*)(pcre2_compile_context*)> context(
      pcre2_compile_context_create(nullptr), pcre2_compile_context_free);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_ANY);
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                   PCRE2_UTF | PCRE2_MATCH_INVALID_UTF, &error, &offset, context.get());
  if (code == nullptr) {
    std::array<PCRE2_UCHAR, 256> text{};
    pcre2_get_error_message(error, text.data(), text.size());
    return arrow::Status::Invalid(reinterpret_cast<const char*>(text.data()), " near index ", offset);
  }
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  return std::make_shared<BacktrackingRegex>(code);
}

}  // namespace

arrow::Result<std::shared_ptr<const Regex>> Regex::Compile(std::string_view java_pattern) {
  std::string pattern = Translate(java_pattern);
  // `$` also matches before a final newline in Java and PCRE2, but not in RE2.
  if (pattern.find('$') == std::string::npos) {
    RE2::Options options;
    options.set_log_errors(false);
    auto regex = std::make_unique<RE2>(pattern, options);
    if (regex->ok()) return std::make_shared<LinearRegex>(std::move(regex));
  }
  return CompileBacktracking(pattern);
}

arrow::Result<std::shared_ptr<const Regex>> Regex::Cached(std::string_view pattern) {
  constexpr size_t kMaxCached = 256;
  thread_local std::unordered_map<std::string, std::shared_ptr<const Regex>> cache;
  thread_local std::string key;
  key.assign(pattern);
  auto it = cache.find(key);
  if (it != cache.end()) return it->second;
  ARROW_ASSIGN_OR_RAISE(auto regex, Compile(pattern));
  if (cache.size() >= kMaxCached) cache.clear();
  cache.emplace(key, regex);
  return regex;
}

}  // namespace millrace::function

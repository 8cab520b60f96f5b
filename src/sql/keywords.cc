#include <algorithm>
#include <array>
#include <iterator>

#include "base/ascii.h"
#include "sql/keyword_texts.h"
#include "sql/token.h"

namespace millrace::sql {

namespace {

struct KeywordRow {
  std::string_view text;
  bool may_alias_table;
};

constexpr KeywordRow kKeywords[] = {
#define KEYWORD(name, text, may_alias_table) {text, may_alias_table},
#include "sql/keywords.def"
#undef KEYWORD
};

constexpr size_t kLongestKeyword = 17;

static_assert(std::is_sorted(std::begin(kKeywords), std::end(kKeywords),
                             [](const KeywordRow& a, const KeywordRow& b) { return a.text < b.text; }));
static_assert(std::all_of(std::begin(kKeywords), std::end(kKeywords),
                          [](const KeywordRow& row) { return row.text.size() <= kLongestKeyword; }));

const KeywordRow& Row(Keyword keyword) { return kKeywords[static_cast<size_t>(keyword) - 1]; }

}  // namespace

Keyword FindKeyword(std::string_view word) {
  if (word.size() > kLongestKeyword) return Keyword::kNotKeyword;
  std::array<char, kLongestKeyword> upper;
  std::transform(word.begin(), word.end(), upper.begin(), [](char c) { return ToUpperAscii(c); });
  std::string_view key(upper.data(), word.size());
  const auto* row = std::lower_bound(std::begin(kKeywords), std::end(kKeywords), key,
                                     [](const KeywordRow& a, std::string_view b) { return a.text < b; });
  if (row == std::end(kKeywords) || row->text != key) return Keyword::kNotKeyword;
  return static_cast<Keyword>(row - std::begin(kKeywords) + 1);
}

std::string_view KeywordText(Keyword keyword) { return keyword == Keyword::kNotKeyword ? "" : Row(keyword).text; }

std::vector<std::string_view> KeywordTexts() {
  std::vector<std::string_view> texts;
  for (const KeywordRow& row : kKeywords) texts.push_back(row.text);
  return texts;
}

bool MayAliasTable(Keyword keyword) { return keyword == Keyword::kNotKeyword || Row(keyword).may_alias_table; }

}  // namespace millrace::sql

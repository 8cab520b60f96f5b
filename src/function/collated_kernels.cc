#include "function/collated_kernels.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "expression/collated_text.h"
#include "expression/vector.h"
#include "function/scalar/string/utf8.h"

namespace millrace::function {

namespace {

using arrow::Datum;
using expression::EvalContext;
using expression::FindCollated;
using expression::FixedColumn;
using expression::ScalarKernel;
using expression::StringColumn;
using expression::TextSpan;

std::string KeyOf(int collation, std::string_view text) {
  std::string key;
  expression::AppendCollationKey(collation, text, &key);
  return key;
}

// A row's result from the texts in the first two columns; NULL when one is NULL. `Make(i, a, b, builder)`.
template <typename Builder, typename Make>
ScalarKernel OfTwoTexts(Make make) {
  return [make](const EvalContext& context, const std::vector<Datum>& arguments,
                int64_t num_rows) -> arrow::Result<Datum> {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<Datum> {
      StringColumn first(arguments[0]), second(arguments[1]);
      Builder builder(context.memory_pool);
      for (int64_t i = 0; i < rows; ++i) {
        bool null = first.IsNull(i) || second.IsNull(i);
        ARROW_RETURN_NOT_OK(null ? builder.AppendNull() : make(arguments, i, first[i], second[i], &builder));
      }
      ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
      return Datum(std::move(array));
    });
  };
}

using Arguments = std::vector<Datum>;

enum class Where : uint8_t { kAnywhere, kAtStart, kAtEnd };

ScalarKernel HoldsKernel(int collation, Where where) {
  return OfTwoTexts<arrow::BooleanBuilder>([collation, where](const Arguments&, int64_t, std::string_view text,
                                                              std::string_view part, arrow::BooleanBuilder* out) {
    if (part.empty()) return out->Append(true);
    bool holds = false;
    for (const TextSpan& span : FindCollated(collation, text, part, /*overlapping=*/true)) {
      holds = holds || where == Where::kAnywhere || (where == Where::kAtStart && span.begin == 0) ||
              (where == Where::kAtEnd && span.end == text.size());
    }
    return out->Append(holds);
  });
}

int32_t CharacterAt(std::string_view text, size_t byte) {
  return static_cast<int32_t>(Utf8Length(text.substr(0, byte))) + 1;
}

ScalarKernel InstrKernel(int collation) {
  return OfTwoTexts<arrow::Int32Builder>(
      [collation](const Arguments&, int64_t, std::string_view text, std::string_view part, arrow::Int32Builder* out) {
        if (part.empty()) return out->Append(1);
        std::vector<TextSpan> found = FindCollated(collation, text, part, true);
        return out->Append(found.empty() ? 0 : CharacterAt(text, found[0].begin));
      });
}

ScalarKernel LocateKernel(int collation) {
  return OfTwoTexts<arrow::Int32Builder>([collation](const Arguments& arguments, int64_t i, std::string_view part,
                                                     std::string_view text, arrow::Int32Builder* out) {
    FixedColumn<int32_t> starts(arguments[2]);
    if (starts.IsNull(i)) return out->Append(0);
    int32_t start = starts[i];
    if (part.empty()) return out->Append(start == 0 ? 0 : 1);
    if (start < 1) return out->Append(0);
    for (const TextSpan& span : FindCollated(collation, text, part, true)) {
      int32_t at = CharacterAt(text, span.begin);
      if (at >= start) return out->Append(at);
    }
    return out->Append(0);
  });
}

ScalarKernel FindInSetKernel(int collation) {
  return OfTwoTexts<arrow::Int32Builder>(
      [collation](const Arguments&, int64_t, std::string_view word, std::string_view set, arrow::Int32Builder* out) {
        if (word.find(',') != std::string_view::npos) return out->Append(0);
        std::string key = KeyOf(collation, word);
        for (int32_t n = 1;; ++n) {
          size_t comma = set.find(',');
          if (KeyOf(collation, set.substr(0, comma)) == key) return out->Append(n);
          if (comma == std::string_view::npos) return out->Append(0);
          set.remove_prefix(comma + 1);
        }
      });
}

ScalarKernel ReplaceKernel(int collation) {
  return OfTwoTexts<arrow::StringBuilder>([collation](const Arguments& arguments, int64_t i, std::string_view text,
                                                      std::string_view part, arrow::StringBuilder* out) {
    StringColumn replacements(arguments[2]);
    if (replacements.IsNull(i)) return out->AppendNull();
    if (part.empty()) return out->Append(text);
    std::string made;
    size_t from = 0;
    for (const TextSpan& span : FindCollated(collation, text, part, false)) {
      made.append(text.substr(from, span.begin - from)).append(replacements[i]);
      from = span.end;
    }
    made.append(text.substr(from));
    return out->Append(made);
  });
}

ScalarKernel SubstringIndexKernel(int collation) {
  return OfTwoTexts<arrow::StringBuilder>([collation](const Arguments& arguments, int64_t i, std::string_view text,
                                                      std::string_view part, arrow::StringBuilder* out) {
    FixedColumn<int32_t> counts(arguments[2]);
    if (counts.IsNull(i)) return out->AppendNull();
    int64_t count = counts[i];
    if (count == 0 || part.empty()) return out->Append("");
    std::vector<TextSpan> found = FindCollated(collation, text, part, true);
    auto size = static_cast<int64_t>(found.size());
    if (count > size || -count > size) return out->Append(text);
    if (count > 0) return out->Append(text.substr(0, found[static_cast<size_t>(count - 1)].begin));
    return out->Append(text.substr(found[static_cast<size_t>(size + count)].end));
  });
}

ScalarKernel SplitPartKernel(int collation) {
  return OfTwoTexts<arrow::StringBuilder>([collation](const Arguments& arguments, int64_t i, std::string_view text,
                                                      std::string_view part, arrow::StringBuilder* out) {
    FixedColumn<int32_t> numbers(arguments[2]);
    if (numbers.IsNull(i)) return out->AppendNull();
    std::vector<std::string_view> pieces;
    size_t from = 0;
    if (!part.empty()) {
      for (const TextSpan& span : FindCollated(collation, text, part, false)) {
        pieces.push_back(text.substr(from, span.begin - from));
        from = span.end;
      }
    }
    pieces.push_back(text.substr(from));
    int64_t number = numbers[i];
    auto size = static_cast<int64_t>(pieces.size());
    int64_t place = number > 0 ? number - 1 : size + number;
    bool inside = number != 0 && place >= 0 && place < size;
    return out->Append(inside ? pieces[static_cast<size_t>(place)] : std::string_view());
  });
}

std::vector<std::string_view> Characters(std::string_view text) {
  std::vector<std::string_view> characters;
  for (size_t i = 0; i < text.size();) {
    size_t width = std::min<size_t>(static_cast<size_t>(Utf8Width(text[i])), text.size() - i);
    characters.push_back(text.substr(i, width));
    i += width;
  }
  return characters;
}

ScalarKernel TranslateKernel(int collation) {
  return OfTwoTexts<arrow::StringBuilder>([collation](const Arguments& arguments, int64_t i, std::string_view text,
                                                      std::string_view from, arrow::StringBuilder* out) {
    StringColumn targets(arguments[2]);
    if (targets.IsNull(i)) return out->AppendNull();
    std::vector<std::string_view> to = Characters(targets[i]);
    std::map<std::string, std::string_view> pairs;
    size_t n = 0;
    for (std::string_view character : Characters(from)) {
      pairs.emplace(KeyOf(collation, character), n < to.size() ? to[n] : std::string_view());
      ++n;
    }
    std::string made;
    for (std::string_view character : Characters(text)) {
      auto pair = pairs.find(KeyOf(collation, character));
      made.append(pair == pairs.end() ? character : pair->second);
    }
    return out->Append(made);
  });
}

ScalarKernel TrimKernel(int collation, bool at_start, bool at_end) {
  return OfTwoTexts<arrow::StringBuilder>(
      [=](const Arguments&, int64_t, std::string_view text, std::string_view set, arrow::StringBuilder* out) {
        std::set<std::string> dropped;
        for (std::string_view character : Characters(set)) dropped.insert(KeyOf(collation, character));
        std::vector<std::string_view> kept = Characters(text);
        size_t begin = 0, end = kept.size();
        while (at_start && begin < end && dropped.count(KeyOf(collation, kept[begin])) > 0) ++begin;
        while (at_end && end > begin && dropped.count(KeyOf(collation, kept[end - 1])) > 0) --end;
        if (begin == end) return out->Append("");
        const char* first = kept[begin].data();
        const char* last = kept[end - 1].data() + kept[end - 1].size();
        return out->Append(std::string_view(first, static_cast<size_t>(last - first)));
      });
}

// One element of an array of texts; `key` is empty for NULL.
struct Element {
  std::optional<std::string_view> text;
  std::optional<std::string> key;
};

std::vector<Element> ElementsAt(int collation, const arrow::Array& column, int64_t i) {
  const auto& lists = static_cast<const arrow::ListArray&>(column);
  const auto& texts = static_cast<const arrow::BinaryArray&>(*lists.values());
  std::vector<Element> elements;
  for (int64_t j = lists.value_offset(i); j < lists.value_offset(i + 1); ++j) {
    Element element;
    if (texts.IsValid(j)) {
      element.text = texts.GetView(j);
      element.key = KeyOf(collation, *element.text);
    }
    elements.push_back(std::move(element));
  }
  return elements;
}

using Elements = std::vector<Element>;

void AddDistinct(const Elements& from, std::set<std::optional<std::string>>* seen, Elements* out) {
  for (const Element& element : from) {
    if (seen->insert(element.key).second) out->push_back(element);
  }
}

Elements Combined(std::string_view name, const Elements& left, const Elements& right) {
  std::set<std::optional<std::string>> seen;
  Elements out;
  if (name == "array_distinct" || name == "array_union") {
    AddDistinct(left, &seen, &out);
    AddDistinct(right, &seen, &out);
    return out;
  }
  std::set<std::optional<std::string>> others;
  for (const Element& element : right) others.insert(element.key);
  bool wanted = name == "array_intersect";
  Elements kept;
  for (const Element& element : left) {
    if ((others.count(element.key) > 0) == wanted) kept.push_back(element);
  }
  AddDistinct(kept, &seen, &out);
  return out;
}

arrow::Result<Datum> ElementsKernel(std::string_view name, int collation, const EvalContext& context,
                                    const std::vector<Datum>& arguments, int64_t rows) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const Datum& argument : arguments) {
    ARROW_ASSIGN_OR_RAISE(auto column, expression::ToArray(argument, rows, context.memory_pool));
    columns.push_back(std::move(column));
  }
  bool one = name == "array_min" || name == "array_max";
  auto texts = std::make_shared<arrow::StringBuilder>(context.memory_pool);
  arrow::ListBuilder lists(context.memory_pool, texts, columns[0]->type());
  for (int64_t i = 0; i < rows; ++i) {
    bool null = columns[0]->IsNull(i) || (columns.size() > 1 && columns[1]->IsNull(i));
    if (null) {
      ARROW_RETURN_NOT_OK(one ? texts->AppendNull() : lists.AppendNull());
      continue;
    }
    Elements elements = ElementsAt(collation, *columns[0], i);
    auto before = [](const Element& a, const Element& b) { return a.key < b.key; };
    if (one) {
      std::erase_if(elements, [](const Element& element) { return !element.key; });
      auto found = name == "array_min" ? std::min_element(elements.begin(), elements.end(), before)
                                       : std::max_element(elements.begin(), elements.end(), before);
      ARROW_RETURN_NOT_OK(found == elements.end() ? texts->AppendNull() : texts->Append(*found->text));
      continue;
    }
    if (name == "sort_array") {
      bool ascending = columns.size() < 2 || static_cast<const arrow::BooleanArray&>(*columns[1]).Value(i);
      std::stable_sort(elements.begin(), elements.end(),
                       [&](const Element& a, const Element& b) { return ascending ? before(a, b) : before(b, a); });
    } else if (name == "array_remove") {
      std::string gone = KeyOf(collation, static_cast<const arrow::BinaryArray&>(*columns[1]).GetView(i));
      std::erase_if(elements, [&](const Element& element) { return element.key == gone; });
    } else {
      elements = Combined(name, elements, columns.size() > 1 ? ElementsAt(collation, *columns[1], i) : Elements());
    }
    ARROW_RETURN_NOT_OK(lists.Append());
    for (const Element& element : elements) {
      ARROW_RETURN_NOT_OK(element.text ? texts->Append(*element.text) : texts->AppendNull());
    }
  }
  if (one) {
    ARROW_ASSIGN_OR_RAISE(auto array, texts->Finish());
    return Datum(std::move(array));
  }
  ARROW_ASSIGN_OR_RAISE(auto array, lists.Finish());
  return Datum(std::move(array));
}

}  // namespace

expression::ScalarKernel CollatedKernel(std::string_view name, int collation) {
  if (name == "contains") return HoldsKernel(collation, Where::kAnywhere);
  if (name == "startswith") return HoldsKernel(collation, Where::kAtStart);
  if (name == "endswith") return HoldsKernel(collation, Where::kAtEnd);
  if (name == "instr") return InstrKernel(collation);
  if (name == "locate") return LocateKernel(collation);
  if (name == "find_in_set") return FindInSetKernel(collation);
  if (name == "replace") return ReplaceKernel(collation);
  if (name == "substring_index") return SubstringIndexKernel(collation);
  if (name == "split_part") return SplitPartKernel(collation);
  if (name == "translate") return TranslateKernel(collation);
  if (name == "trim" || name == "btrim") return TrimKernel(collation, true, true);
  if (name == "ltrim") return TrimKernel(collation, true, false);
  if (name == "rtrim") return TrimKernel(collation, false, true);
  if (name.starts_with("array_") || name == "sort_array") {
    return [name = std::string(name), collation](const EvalContext& context, const std::vector<Datum>& arguments,
                                                 int64_t num_rows) -> arrow::Result<Datum> {
      return expression::OneRowIfScalars(
          arguments, num_rows, [&](int64_t rows) { return ElementsKernel(name, collation, context, arguments, rows); });
    };
  }
  return nullptr;
}

}  // namespace millrace::function

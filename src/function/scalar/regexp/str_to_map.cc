#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "function/regex.h"
#include "function/scalar/collection/map_keys_check.h"
#include "function/scalar/regexp/regexp_kernel.h"
#include "types/arrow_type.h"

/// str_to_map: "a:1,b:2" taken apart by two regular expressions.

namespace millrace::function {

using arrow::Datum;

namespace {

// Pieces as Java's String.split makes them, at most `limit` (0: any number).
std::vector<std::string_view> Pieces(const Regex& regex, std::string_view text, size_t limit, bool between_all) {
  std::vector<std::string_view> pieces;
  size_t start = 0;
  regex.ForEachMatch(text, 0, [&](const std::vector<Regex::Span>& groups) {
    auto begin = static_cast<size_t>(groups[0].begin);
    auto end = static_cast<size_t>(groups[0].end);
    if (limit > 0 && pieces.size() + 1 >= limit) return false;
    if (end == 0 || (between_all && begin == text.size())) return true;
    pieces.push_back(text.substr(start, begin - start));
    start = end;
    return true;
  });
  pieces.push_back(text.substr(start));
  return pieces;
}

arrow::Status AppendMap(const Regex& pairs, const Regex& parts, std::string_view text, std::string_view pair_pattern,
                        std::string_view part_pattern, MapKeyPolicy policy, arrow::MapBuilder& maps) {
  ARROW_RETURN_NOT_OK(maps.Append());
  auto& keys = static_cast<arrow::StringBuilder&>(*maps.key_builder());
  auto& items = static_cast<arrow::StringBuilder&>(*maps.item_builder());
  std::map<std::string_view, size_t> places;
  std::vector<std::pair<std::string_view, std::optional<std::string_view>>> entries;
  for (std::string_view pair : Pieces(pairs, text, 0, pair_pattern.empty())) {
    std::vector<std::string_view> sides = Pieces(parts, pair, 2, part_pattern.empty());
    std::optional<std::string_view> value;
    if (sides.size() > 1) value = sides[1];
    auto [place, is_new] = places.emplace(sides[0], entries.size());
    if (is_new) {
      entries.emplace_back(sides[0], value);
    } else if (policy == MapKeyPolicy::kLastWins) {
      entries[place->second].second = value;
    } else {
      return UserError("DUPLICATED_MAP_KEY", {{"key", std::string(sides[0])},
                                              {"mapKeyDedupPolicy", QuoteConf("spark.sql.mapKeyDedupPolicy")}});
    }
  }
  for (const auto& [key, value] : entries) {
    ARROW_RETURN_NOT_OK(keys.Append(key));
    ARROW_RETURN_NOT_OK(value ? items.Append(*value) : items.AppendNull());
  }
  return arrow::Status::OK();
}

arrow::Result<ExpressionPtr> BindStrToMap(const BindInput& input) {
  BindInput whole = input;
  if (whole.arguments.size() < 2) whole.arguments.push_back(expression::Literal::String(","));
  if (whole.arguments.size() < 3) whole.arguments.push_back(expression::Literal::String(":"));
  for (size_t i = 0; i < input.arguments.size(); ++i) {
    types::TypeId id = input.arguments[i]->type()->id();
    bool text = id == types::TypeId::kString || id == types::TypeId::kNull;
    if (!text) return UnexpectedInputType(input, i, "\"STRING\"");
  }
  DataTypePtr type = types::Map(types::String(), types::String());
  auto run = [type, policy = CurrentMapKeyPolicy()](const EvalContext& context, const std::vector<Datum>& arguments,
                                                    int64_t num_rows) -> arrow::Result<Datum> {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<Datum> {
      expression::StringColumn texts(arguments[0]);
      expression::StringColumn pairs(arguments[1]);
      expression::StringColumn parts(arguments[2]);
      ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(types::ToArrow(*type), context.memory_pool));
      auto& maps = static_cast<arrow::MapBuilder&>(*builder);
      for (int64_t i = 0; i < n; ++i) {
        if (texts.IsNull(i) || pairs.IsNull(i) || parts.IsNull(i)) {
          ARROW_RETURN_NOT_OK(maps.AppendNull());
          continue;
        }
        auto pair_regex = Regex::Cached(pairs[i]);
        if (!pair_regex.ok()) return InvalidPattern("str_to_map", pairs[i]);
        auto part_regex = Regex::Cached(parts[i]);
        if (!part_regex.ok()) return InvalidPattern("str_to_map", parts[i]);
        ARROW_RETURN_NOT_OK(AppendMap(**pair_regex, **part_regex, texts[i], pairs[i], parts[i], policy, maps));
      }
      ARROW_ASSIGN_OR_RAISE(auto array, maps.Finish());
      return Datum(std::move(array));
    });
  };
  return BindSimple(whole, {types::String(), types::String(), types::String()}, type, run, {.can_fail = true});
}

}  // namespace

extern const FunctionDef kStrToMap{.name = "str_to_map",
                                   .family = "string",
                                   .description = "A map of a text of pairs, cut by two regular expressions.",
                                   .example = "str_to_map('a:1,b:2', ',', ':')",
                                   .example_result = "{a -> 1, b -> 2}",
                                   .min_arguments = 1,
                                   .max_arguments = 3,
                                   .bind = BindStrToMap};

}  // namespace millrace::function

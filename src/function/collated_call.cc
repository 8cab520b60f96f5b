#include "function/collated_call.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "base/error.h"
#include "expression/call.h"
#include "expression/collated_text.h"
#include "function/bind.h"
#include "function/collated_kernels.h"
#include "function/row_kernel.h"
#include "types/collation.h"

namespace millrace::function {

namespace {

using expression::Cast;
using expression::CastMode;
using expression::ExpressionKind;
using expression::Literal;
using types::TypeId;

// How much the collation of a value counts where it meets another.
enum class Strength : uint8_t { kNone, kDefault, kImplicit, kExplicit };

// The number of the first STRING in `type`, -1 for none.
int NumberIn(const types::DataType& type) {
  if (type.id() == TypeId::kString) return types::CollationNumber(type);
  for (const types::StructField& field : type.fields()) {
    int number = NumberIn(*field.type);
    if (number >= 0) return number;
  }
  return -1;
}

Strength StrengthOf(const expression::Expression& value) {
  if (NumberIn(*value.type()) < 0) return Strength::kNone;
  switch (value.kind()) {
    case ExpressionKind::kLiteral:
      return Strength::kDefault;
    case ExpressionKind::kAttribute:
    case ExpressionKind::kBoundReference:
    case ExpressionKind::kAlias:
      return Strength::kImplicit;
    default:
      break;
  }
  if (value.kind() == ExpressionKind::kCall && static_cast<const expression::Call&>(value).name() == "collate") {
    return Strength::kExplicit;
  }
  bool asked = value.kind() == ExpressionKind::kCast && static_cast<const Cast&>(value).user_specified();
  if (asked && types::HoldsCollation(*value.type())) return Strength::kImplicit;
  Strength strongest = Strength::kDefault;
  for (const ExpressionPtr& child : value.children()) strongest = std::max(strongest, StrengthOf(*child));
  return strongest;
}

bool IsIn(const auto& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

// They answer a question about equality or order, and give no text back.
constexpr std::string_view kComparing[] = {"==",
                                           "!=",
                                           "<=>",
                                           "equal_null",
                                           "<",
                                           "<=",
                                           ">",
                                           ">=",
                                           "between",
                                           "in",
                                           "array_contains",
                                           "array_position",
                                           "arrays_overlap",
                                           "approx_count_distinct",
                                           "hll_sketch_agg",
                                           "theta_sketch_agg",
                                           "tuple_sketch_agg_double",
                                           "tuple_sketch_agg_integer"};

// They hand values on as they are, whatever their type; those of one type must have one collation.
constexpr std::string_view kMeeting[] = {"coalesce", "ifnull", "nvl",          "nvl2",          "if",
                                         "when",     "array",  "array_append", "array_prepend", "array_insert"};
constexpr std::string_view kHanding[] = {"struct",
                                         "named_struct",
                                         "map",
                                         "element_at",
                                         "get",
                                         "try_element_at",
                                         "explode",
                                         "explode_outer",
                                         "posexplode",
                                         "posexplode_outer",
                                         "inline",
                                         "inline_outer",
                                         "stack",
                                         "first",
                                         "first_value",
                                         "last",
                                         "last_value",
                                         "any_value",
                                         "collect_list",
                                         "array_compact",
                                         "array_repeat",
                                         "slice",
                                         "flatten",
                                         "shuffle",
                                         "array_size",
                                         "size",
                                         "isnull",
                                         "isnotnull",
                                         "typeof",
                                         "map_keys",
                                         "map_values",
                                         "map_entries",
                                         "map_from_entries",
                                         "map_from_arrays",
                                         "arrays_zip",
                                         "transform",
                                         "filter",
                                         "exists",
                                         "forall",
                                         "aggregate",
                                         "zip_with",
                                         "map_filter",
                                         "transform_values",
                                         "count",
                                         "to_json",
                                         "to_csv",
                                         "to_variant_object",
                                         "assert_true"};

// Their texts have the collation of what they are made from.
constexpr std::string_view kGivingText[] = {"concat",
                                            "concat_ws",
                                            "substring",
                                            "left",
                                            "right",
                                            "lpad",
                                            "rpad",
                                            "repeat",
                                            "reverse",
                                            "replace",
                                            "translate",
                                            "trim",
                                            "ltrim",
                                            "rtrim",
                                            "btrim",
                                            "upper",
                                            "lower",
                                            "initcap",
                                            "overlay",
                                            "elt",
                                            "format_string",
                                            "split_part",
                                            "substring_index",
                                            "mask",
                                            "sentences",
                                            "split",
                                            "regexp_replace",
                                            "regexp_extract",
                                            "regexp_extract_all",
                                            "regexp_substr",
                                            "str_to_map",
                                            "array_distinct",
                                            "array_union",
                                            "array_intersect",
                                            "array_except",
                                            "array_remove",
                                            "array_min",
                                            "array_max",
                                            "sort_array",
                                            "quote",
                                            "make_valid_utf8",
                                            "validate_utf8",
                                            "try_validate_utf8"};

// They look for one text in another, or compare elements.
constexpr std::string_view kLooking[] = {
    "contains",        "startswith",  "endswith",        "instr",        "locate",       "replace",   "split_part",
    "substring_index", "find_in_set", "translate",       "trim",         "ltrim",        "rtrim",     "btrim",
    "array_distinct",  "array_union", "array_intersect", "array_except", "array_remove", "array_min", "array_max",
    "sort_array"};

// They compare in ways that are not built for collations.
constexpr std::string_view kUnbuilt[] = {
    "mode", "collect_set", "array_sort", "str_to_map", "map_contains_key", "histogram_numeric", "map_concat"};

// They match a pattern, their second argument.
constexpr std::string_view kMatching[] = {"rlike",        "regexp_extract", "regexp_extract_all", "regexp_replace",
                                          "regexp_count", "regexp_instr",   "regexp_substr",      "split"};

// Their texts have nothing to do with each other.
constexpr std::string_view kApart[] = {"encode", "decode", "to_binary", "try_to_binary"};

arrow::Status NotBuilt(const BindInput& input, int number) {
  return UserError("UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
                   {{"methodName", std::string(input.name) + " over STRING COLLATE " + types::CollationOf(number).name},
                    {"className", "Millrace"}});
}

BindInput With(const BindInput& input, ExpressionVector arguments) {
  BindInput other = input;
  other.arguments = std::move(arguments);
  return other;
}

ExpressionVector Keys(const ExpressionVector& arguments) {
  ExpressionVector keys;
  for (const ExpressionPtr& argument : arguments) keys.push_back(expression::CollationKey(argument));
  return keys;
}

ExpressionVector Plain(const ExpressionVector& arguments) {
  ExpressionVector plain;
  for (const ExpressionPtr& argument : arguments) {
    types::DataTypePtr type = types::WithoutCollations(argument->type());
    plain.push_back(type == argument->type() ? argument
                                             : std::make_shared<Cast>(argument, type, CastMode::kAnsi, false));
  }
  return plain;
}

// A text of the result under the collation.
ExpressionPtr GivenCollation(ExpressionPtr made, int number) {
  types::DataTypePtr type = types::WithCollation(made->type(), number);
  if (type->Equals(*made->type())) return made;
  return std::make_shared<Cast>(std::move(made), std::move(type), CastMode::kAnsi, false);
}

arrow::Result<ExpressionPtr> BindNullIf(const BindInput& input) {
  const ExpressionVector& a = input.arguments;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr equal, BindCall("==", a, input.context));
  auto shown = std::make_shared<expression::ShownCall>(expression::ShownCall{"nullif", a});
  return std::make_shared<expression::CaseWhen>(ExpressionVector{equal, Literal::Null(a[0]->type()), a[0]}, true,
                                                std::move(shown));
}

// The text whose key is least, or greatest; NULLs do not count.
arrow::Result<ExpressionPtr> BindExtreme(const BindInput& input, const char* beats) {
  ExpressionPtr best = input.arguments[0];
  auto shown = std::make_shared<expression::ShownCall>(expression::ShownCall{std::string(input.name), input.arguments});
  for (size_t i = 1; i < input.arguments.size(); ++i) {
    const ExpressionPtr& next = input.arguments[i];
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr none, BindCall("isnull", {best}, input.context));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr better, BindCall(beats, {next, best}, input.context));
    best = std::make_shared<expression::CaseWhen>(ExpressionVector{none, next, better, next, best}, false, shown);
  }
  return best;
}

// max(text) is the text with the greatest key.
arrow::Result<ExpressionPtr> BindMinMax(const BindInput& input) {
  const ExpressionPtr& text = input.arguments[0];
  const FunctionDef* by = FindFunction(std::string(input.def.name) + "_by");
  ARROW_ASSIGN_OR_RAISE(
      ExpressionPtr made,
      by->bind(BindInput{*by, by->name, {text, expression::CollationKey(text)}, input.context, false, input.filter}));
  return std::make_shared<expression::Alias>(std::move(made), CallSql(input));
}

bool RefusedByIcu(const types::Collation& collation, std::string_view name) {
  // Source: Spark, StringTypeNonCSAICollation.
  return collation.is_icu() && collation.ignores_accents && !collation.ignores_case && IsIn(kLooking, name) &&
         !name.starts_with("array_") && name != "sort_array";
}

arrow::Result<ExpressionPtr> BindLooking(const BindInput& input, int number) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr plain, input.def.bind(With(input, Plain(input.arguments))));
  bool by_bytes = !types::CollationOf(number).is_icu() && !types::CollationOf(number).lower_case;
  bool elements = input.def.name.starts_with("array_") || input.def.name == "sort_array";
  // Blanks, where no characters are given, are blanks under every collation.
  bool blanks = input.def.name.ends_with("trim") && input.arguments.size() == 1;
  if ((by_bytes && !elements) || blanks) return plain;
  expression::ScalarKernel kernel = CollatedKernel(input.def.name, number);
  if (kernel == nullptr || plain->kind() != ExpressionKind::kCall) return NotBuilt(input, number);
  const auto& call = static_cast<const expression::Call&>(*plain);
  auto info = std::make_shared<expression::CallInfo>(call.info());
  info->kernel = std::move(kernel);
  return std::make_shared<expression::Call>(std::move(info), call.type(), call.nullable(), call.children());
}

// The pattern, matching small and capital letters alike; shown as `pattern`.
ExpressionPtr IgnoringCase(const ExpressionPtr& pattern) {
  auto info = std::make_shared<expression::CallInfo>();
  info->name = "ignoring_case";
  info->style = expression::CallStyle::kCustom;
  info->render = [](const std::vector<std::string>& texts) { return texts[0]; };
  info->kernel = BuiltKernel<arrow::StringBuilder, std::string_view>(
      arrow::utf8(), [](const EvalContext&, std::string_view text, arrow::StringBuilder& builder) {
        return builder.Append("(?i)" + std::string(text));
      });
  return std::make_shared<expression::Call>(std::move(info), types::String(), pattern->nullable(),
                                            ExpressionVector{pattern});
}

arrow::Result<ExpressionPtr> BindMatching(const BindInput& input, int number) {
  const types::Collation& collation = types::CollationOf(number);
  // Source: Spark, StringTypeBinaryLcase.
  if (collation.is_icu()) return UnexpectedInputType(input, 0, QuoteSqlType("STRING"));
  ExpressionVector arguments = Plain(input.arguments);
  if (collation.lower_case) arguments[1] = IgnoringCase(arguments[1]);
  return input.def.bind(With(input, std::move(arguments)));
}

// LIKE under UTF8_LCASE is ILIKE.
arrow::Result<ExpressionPtr> BindLike(const BindInput& input, int number) {
  const types::Collation& collation = types::CollationOf(number);
  if (collation.is_icu()) return UnexpectedInputType(input, 0, QuoteSqlType("STRING"));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr plain, input.def.bind(With(input, Plain(input.arguments))));
  if (!collation.lower_case || input.def.name != "like") return plain;
  const FunctionDef* ilike = FindFunction("ilike");
  BindInput other{*ilike, ilike->name, Plain(input.arguments), input.context};
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr made, ilike->bind(other));
  if (plain->kind() != ExpressionKind::kCall || made->kind() != ExpressionKind::kCall) return NotBuilt(input, number);
  auto info = std::make_shared<expression::CallInfo>(static_cast<const expression::Call&>(*plain).info());
  info->kernel = static_cast<const expression::Call&>(*made).info().kernel;
  return std::make_shared<expression::Call>(std::move(info), plain->type(), plain->nullable(), made->children());
}

}  // namespace

bool HasCollatedArgument(const ExpressionVector& arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const ExpressionPtr& argument) {
    return argument != nullptr && types::HoldsCollation(*argument->type());
  });
}

arrow::Result<ExpressionVector> ToOneCollation(const ExpressionVector& arguments, int* number) {
  Strength strongest = Strength::kNone;
  *number = types::kBinaryCollation;
  bool differ = false;
  std::string texts;
  for (const ExpressionPtr& argument : arguments) {
    if (argument == nullptr) continue;
    Strength strength = StrengthOf(*argument);
    if (strength == Strength::kNone || strength < strongest) continue;
    int own = NumberIn(*argument->type());
    if (strength > strongest) {
      strongest = strength;
      *number = own;
      differ = false;
      texts = QuoteSqlType(types::CollatedString(own)->Sql());
    } else if (own != *number) {
      differ = true;
      texts += ", " + QuoteSqlType(types::CollatedString(own)->Sql());
    }
  }
  if (differ && strongest == Strength::kExplicit) {
    return UserError("COLLATION_MISMATCH.EXPLICIT", {{"explicitTypes", texts}});
  }
  if (differ && strongest == Strength::kImplicit) *number = types::kIndeterminateCollation;
  ExpressionVector made;
  for (const ExpressionPtr& argument : arguments) {
    if (argument == nullptr || NumberIn(*argument->type()) < 0 || NumberIn(*argument->type()) == *number) {
      made.push_back(argument);
      continue;
    }
    types::DataTypePtr type = types::WithCollation(argument->type(), *number);
    if (argument->kind() == ExpressionKind::kLiteral) {
      made.push_back(std::make_shared<Literal>(std::move(type), static_cast<const Literal&>(*argument).value()));
    } else {
      made.push_back(std::make_shared<Cast>(argument, std::move(type), CastMode::kAnsi, false));
    }
  }
  return made;
}

arrow::Result<ExpressionPtr> BindCollated(const BindInput& given) {
  std::string_view name = given.def.name;
  if (name == "collate" || name == "collation") return given.def.bind(given);
  if (name == "count" && given.distinct) return given.def.bind(With(given, Keys(given.arguments)));
  if (given.distinct && given.def.kind == FunctionKind::kAggregate) {
    return NotBuilt(given, NumberIn(*given.arguments[0]->type()));
  }
  if (IsIn(kHanding, name)) return given.def.bind(given);
  if (name == "max_by" || name == "min_by") {
    return given.def.bind(With(given, {given.arguments[0], expression::CollationKey(given.arguments[1])}));
  }
  // Source: Spark, CollectSet.checkInputDataTypes.
  if (name == "collect_set") {
    return UserError("DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE", {{"sqlExpr", QuoteSqlExpression(CallSql(given))},
                                                                  {"functionName", QuoteIdentifier(name)},
                                                                  {"dataType", "\"MAP\" or \"COLLATED STRING\""}});
  }
  int number = types::kBinaryCollation;
  ARROW_ASSIGN_OR_RAISE(ExpressionVector arguments, ToOneCollation(given.arguments, &number));
  BindInput input = With(given, std::move(arguments));
  bool compares = IsIn(kComparing, name) || IsIn(kLooking, name) || IsIn(kMatching, name) || IsIn(kUnbuilt, name) ||
                  name == "nullif" || name == "least" || name == "greatest" || name == "like" || name == "ilike";
  if (number == types::kIndeterminateCollation && compares) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr shown, input.def.bind(With(input, Plain(input.arguments))));
    return UserError("INDETERMINATE_COLLATION_IN_EXPRESSION", {{"expr", QuoteSqlExpression(shown->Sql(true))}});
  }
  if (name == "nullif") return BindNullIf(input);
  if (name == "least") return BindExtreme(input, "<");
  if (name == "greatest") return BindExtreme(input, ">");
  if (name == "min" || name == "max") return BindMinMax(input);
  if (IsIn(kComparing, name)) return input.def.bind(With(input, Keys(input.arguments)));
  if (IsIn(kMeeting, name)) return input.def.bind(input);
  // The pattern is shown as it is.
  if (name == "like" || name == "ilike") return BindLike(With(input, given.arguments), number);
  if (name == "rlike") return BindMatching(With(input, given.arguments), number);
  const types::Collation& collation = types::CollationOf(number);
  if (IsIn(kApart, name)) return input.def.bind(With(input, Plain(given.arguments)));
  if (RefusedByIcu(collation, name)) return UnexpectedInputType(input, 0, QuoteSqlType("STRING"));
  bool by_bytes = !collation.is_icu() && !collation.lower_case;
  if (IsIn(kUnbuilt, name) && !(by_bytes && !collation.trims)) return NotBuilt(input, number);
  ExpressionPtr made;
  if (IsIn(kLooking, name)) {
    ARROW_ASSIGN_OR_RAISE(made, BindLooking(input, number));
  } else if (IsIn(kMatching, name)) {
    ARROW_ASSIGN_OR_RAISE(made, BindMatching(input, number));
  } else {
    ARROW_ASSIGN_OR_RAISE(made, input.def.bind(With(input, Plain(input.arguments))));
  }
  return IsIn(kGivingText, name) ? GivenCollation(std::move(made), number) : made;
}

}  // namespace millrace::function

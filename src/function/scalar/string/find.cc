#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/string/utf8.h"

/// Texts in texts: instr, locate, contains, startswith, endswith, find_in_set.

namespace millrace::function {

using types::TypeId;

namespace {

// Position of `part` from 1, 0 when it is not there.
int32_t Position(std::string_view text, std::string_view part) {
  size_t found = text.find(part);
  if (found == std::string_view::npos) return 0;
  return static_cast<int32_t>(Utf8Length(text.substr(0, found))) + 1;
}

int32_t Locate(std::string_view part, std::string_view text, int32_t start) {
  if (part.empty()) return start == 0 ? 0 : 1;
  if (start < 1) return 0;
  size_t from = Utf8Offset(text, int64_t{start} - 1);
  size_t found = text.find(part, from);
  if (found == std::string_view::npos) return 0;
  return static_cast<int32_t>(Utf8Length(text.substr(0, found))) + 1;
}

// A NULL start gives 0, even where the texts are NULL.
arrow::Result<arrow::Datum> LocateKernel(const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                                         int64_t num_rows) {
  return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<arrow::Datum> {
    expression::StringColumn part(arguments[0]);
    expression::StringColumn text(arguments[1]);
    expression::FixedColumn<int32_t> start(arguments[2]);
    arrow::Int32Builder builder(context.memory_pool);
    for (int64_t i = 0; i < rows; ++i) {
      if (start.IsNull(i)) {
        ARROW_RETURN_NOT_OK(builder.Append(0));
      } else if (part.IsNull(i) || text.IsNull(i)) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
      } else {
        ARROW_RETURN_NOT_OK(builder.Append(Locate(part[i], text[i], start[i])));
      }
    }
    ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
    return arrow::Datum(std::move(array));
  });
}

arrow::Result<ExpressionPtr> BindLocate(const BindInput& input) {
  ExpressionVector arguments = input.arguments;
  if (arguments.size() == 2) arguments.push_back(expression::Literal::Integer(1));
  BindInput full{input.def, input.name, arguments, input.context};
  constexpr const char* kRequired[] = {"STRING", "STRING", "INT"};
  for (size_t i = 0; i < 3; ++i) {
    DataTypePtr type = i == 2 ? types::Integer() : types::String();
    if (!expression::CanImplicitCast(arguments[i]->type(), type)) {
      return UnexpectedInputType(full, i, QuoteSqlType(kRequired[i]));
    }
    arguments[i] = expression::ImplicitCast(arguments[i], type);
  }
  bool nullable = arguments[0]->nullable() || arguments[1]->nullable();
  return MakeCall(input, std::move(arguments), types::Integer(), nullable, LocateKernel,
                  {.shown_name = std::string(input.name)});
}

using Predicate = bool (*)(std::string_view, std::string_view);

template <Predicate kHolds>
arrow::Result<ExpressionPtr> BindPredicate(const BindInput& input) {
  auto binary = [&](size_t i) { return input.arguments[i]->type()->id() == TypeId::kBinary; };
  DataTypePtr type = binary(0) && binary(1) ? types::Binary() : types::String();
  return BindSimple(
      input, {type, type}, types::Boolean(),
      BuiltKernel<arrow::BooleanBuilder, std::string_view, std::string_view>(
          arrow::boolean(), [](const EvalContext&, std::string_view text, std::string_view part,
                               arrow::BooleanBuilder& builder) { return builder.Append(kHolds(text, part)); }),
      {.may_null = type->id() == TypeId::kBinary});
}

bool ContainsText(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }
bool StartsWith(std::string_view text, std::string_view part) { return text.starts_with(part); }
bool EndsWith(std::string_view text, std::string_view part) { return text.ends_with(part); }

int32_t FindInSet(std::string_view word, std::string_view set) {
  if (word.find(',') != std::string_view::npos) return 0;
  for (int32_t n = 1;; ++n) {
    size_t comma = set.find(',');
    if (set.substr(0, comma) == word) return n;
    if (comma == std::string_view::npos) return 0;
    set.remove_prefix(comma + 1);
  }
}

}  // namespace

extern const FunctionDef kInstr{
    .name = "instr",
    .family = "string",
    .description = "Position of the second text in the first, from 1; 0 when it is not there.",
    .example = "instr('SparkSQL', 'SQL')",
    .example_result = "6",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::String(), types::String()}, types::Integer(),
                        FixedKernel<int32_t, std::string_view, std::string_view>(
                            arrow::int32(), [](const EvalContext&, std::string_view text, std::string_view part,
                                               int32_t* out) { *out = Position(text, part); }));
    }};

extern const FunctionDef kLocate{.name = "locate",
                                 .aliases = "position",
                                 .family = "string",
                                 .description = "Position of the first text in the second, from a start position on.",
                                 .example = "locate('bar', 'foobarbar', 5)",
                                 .example_result = "7",
                                 .min_arguments = 2,
                                 .max_arguments = 3,
                                 .bind = BindLocate};

extern const FunctionDef kContains{.name = "contains",
                                   .family = "string",
                                   .description = "Whether the first text holds the second.",
                                   .example = "contains('Spark SQL', 'Spark')",
                                   .example_result = "true",
                                   .min_arguments = 2,
                                   .max_arguments = 2,
                                   .bind = BindPredicate<ContainsText>};

extern const FunctionDef kStartsWith{.name = "startswith",
                                     .family = "string",
                                     .description = "Whether the first text starts with the second.",
                                     .example = "startswith('Spark SQL', 'Spark')",
                                     .example_result = "true",
                                     .min_arguments = 2,
                                     .max_arguments = 2,
                                     .bind = BindPredicate<StartsWith>};

extern const FunctionDef kEndsWith{.name = "endswith",
                                   .family = "string",
                                   .description = "Whether the first text ends with the second.",
                                   .example = "endswith('Spark SQL', 'SQL')",
                                   .example_result = "true",
                                   .min_arguments = 2,
                                   .max_arguments = 2,
                                   .bind = BindPredicate<EndsWith>};

extern const FunctionDef kFindInSet{
    .name = "find_in_set",
    .family = "string",
    .description = "Position of a word in a list separated by commas, from 1; 0 when it is not there.",
    .example = "find_in_set('ab','abc,b,ab,c,def')",
    .example_result = "3",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::String(), types::String()}, types::Integer(),
                        FixedKernel<int32_t, std::string_view, std::string_view>(
                            arrow::int32(), [](const EvalContext&, std::string_view word, std::string_view set,
                                               int32_t* out) { *out = FindInSet(word, set); }));
    }};

}  // namespace millrace::function

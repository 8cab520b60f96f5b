#include <pwd.h>
#include <unistd.h>

#include "base/version.h"
#include "expression/vector.h"
#include "function/bind.h"
#include "function/session_values.h"

/// What a row or query is told of its surroundings: ids, partition, user, version.

namespace millrace::function {

using arrow::Datum;

namespace {

arrow::Result<ExpressionPtr> BindText(const BindInput& input, std::string text) {
  return MakeCall(input, {}, types::String(), false,
                  [text](const EvalContext&, const std::vector<Datum>&, int64_t) -> arrow::Result<Datum> {
                    return Datum(std::make_shared<arrow::StringScalar>(text));
                  },
                  {.shown_name = std::string(input.name)});
}

arrow::Result<Datum> RowIds(const EvalContext& context, const std::vector<Datum>&, int64_t num_rows) {
  arrow::Int64Builder builder(context.memory_pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(num_rows));
  int64_t first = (int64_t{context.partition_index} << 33) + context.row_offset;
  for (int64_t i = 0; i < num_rows; ++i) builder.UnsafeAppend(first + i);
  ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
  return Datum(std::move(array));
}

}  // namespace

std::string UserName() {
  const passwd* entry = getpwuid(geteuid());
  return entry == nullptr ? std::to_string(geteuid()) : entry->pw_name;
}

ExpressionPtr CurrentSchema(const std::string& database, const EvalContext& context) {
  auto bound = BindText(BindInput{*FindFunction("current_schema"), "current_schema", {}, context}, database);
  return *bound;  // without arguments nothing can be wrong with them
}

extern const FunctionDef kMonotonicallyIncreasingId{
    .name = "monotonically_increasing_id",
    .family = "misc",
    .description = "A number for each row that grows within a partition: partition << 33 plus the row's index.",
    .example = "monotonically_increasing_id()",
    .example_result = "0",
    .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> {
      return MakeCall(input, {}, types::Long(), false, RowIds, {.deterministic = false});
    }};

extern const FunctionDef kSparkPartitionId{
    .name = "spark_partition_id",
    .family = "misc",
    .description = "Index of the row's partition.",
    .example = "spark_partition_id()",
    .example_result = "0",
    .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> {
      return MakeCall(input, {}, types::Integer(), false,
                      [](const EvalContext& context, const std::vector<Datum>&, int64_t) -> arrow::Result<Datum> {
                        return Datum(context.partition_index);
                      },
                      {.deterministic = false, .shown_name = "SPARK_PARTITION_ID"});
    }};

extern const FunctionDef kVersion{
    .name = "version",
    .family = "misc",
    .description = "The version of Spark whose behaviour this is.",
    .example = "version() LIKE '4.2.0%'",
    .example_result = "true",
    .bind = [](const BindInput& input) { return BindText(input, std::string(SparkVersion()) + " millrace"); }};

extern const FunctionDef kCurrentUser{.name = "current_user",
                                      .aliases = "user session_user",
                                      .family = "misc",
                                      .description = "Name of the user who runs the engine.",
                                      .example = "length(current_user()) > 0",
                                      .example_result = "true",
                                      .bind = [](const BindInput& input) { return BindText(input, UserName()); }};

extern const FunctionDef kCurrentCatalog{
    .name = "current_catalog",
    .family = "misc",
    .description = "Name of the current catalog.",
    .example = "current_catalog()",
    .example_result = "spark_catalog",
    .bind = [](const BindInput& input) { return BindText(input, "spark_catalog"); }};

extern const FunctionDef kCurrentSchema{.name = "current_schema",
                                        .aliases = "current_database",
                                        .family = "misc",
                                        .description = "Name of the current database.",
                                        .example = "current_schema()",
                                        .example_result = "default",
                                        .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> {
                                          return BindText(BindInput{input.def, "current_schema", {}, input.context},
                                                          "default");
                                        }};

}  // namespace millrace::function

#include "base/error.h"
#include "expression/vector.h"
#include "function/aggregate/bound_aggregate.h"
#include "function/aggregate/group_values.h"

namespace millrace::function {

namespace {

enum class Counted : uint8_t {
  kNotNull,  ///< rows where no argument is NULL
  kTrue,     ///< rows where the one argument is true
};

class CountState final : public AggregateState {
 public:
  CountState(Counted counted, arrow::MemoryPool* pool) : counted_(counted), pool_(pool), counts_(0, true) {}

  arrow::Status Resize(int64_t num_groups) override {
    counts_.Resize(num_groups);
    return arrow::Status::OK();
  }

  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    if (counted_ == Counted::kTrue) {
      expression::BooleanColumn conditions{arrow::Datum(arguments[0])};
      for (size_t i = 0; i < group_ids.size(); ++i) {
        auto row = static_cast<int64_t>(i);
        counts_[group_ids[i]] += !conditions.IsNull(row) && conditions[row];
      }
      return arrow::Status::OK();
    }
    std::vector<const arrow::Array*> nullable;
    for (const auto& argument : arguments) {
      if (argument->null_count() > 0) nullable.push_back(argument.get());
    }
    if (nullable.empty()) {
      for (uint32_t group : group_ids) ++counts_[group];
      return arrow::Status::OK();
    }
    for (size_t i = 0; i < group_ids.size(); ++i) {
      bool all = true;
      for (const arrow::Array* argument : nullable) all = all && argument->IsValid(static_cast<int64_t>(i));
      counts_[group_ids[i]] += all;
    }
    return arrow::Status::OK();
  }

  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    expression::FixedColumn<int64_t> counts{arrow::Datum(buffers[0])};
    for (size_t i = 0; i < group_ids.size(); ++i) counts_[group_ids[i]] += counts[static_cast<int64_t>(i)];
    return arrow::Status::OK();
  }

  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> counts, counts_.ToArray(arrow::int64(), pool_));
    return arrow::ArrayVector{std::move(counts)};
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override {
    return counts_.ToArray(arrow::int64(), pool_);
  }

 private:
  Counted counted_;
  arrow::MemoryPool* pool_;
  GroupValues<int64_t> counts_;
};

ExpressionPtr MakeCount(const BindInput& input, Counted counted, ExpressionVector arguments) {
  return MakeAggregate(input,
                       {.type = types::Long(),
                        .nullable = false,
                        .buffer = {{"count", types::Long(), false, {}}},
                        .new_state = [counted](arrow::MemoryPool* pool) -> std::unique_ptr<AggregateState> {
                          return std::make_unique<CountState>(counted, pool);
                        }},
                       std::move(arguments));
}

}  // namespace

extern const FunctionDef kCount{
    .name = "count",
    .kind = FunctionKind::kAggregate,
    .family = "aggregate",
    .description = "Number of rows where every argument is not NULL; count(*) counts all rows.",
    .example = "count(col)",
    .example_result = "",
    .min_arguments = 0,
    .max_arguments = -1,
    .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> {
      if (input.arguments.empty()) {
        return UserError("WRONG_NUM_ARGS.WITH_SUGGESTION",
                         {{"functionName", QuoteIdentifier("count")},
                          {"expectedNum", " >= 1"},
                          {"actualNum", "0"},
                          {"legacyNum", "0"},
                          {"legacyConfKey", QuoteConf("spark.sql.legacy.allowParameterlessCount")},
                          {"legacyConfValue", QuoteConf("true")}});
      }
      return MakeCount(input, Counted::kNotNull, input.arguments);
    }};

extern const FunctionDef kCountIf{.name = "count_if",
                                  .kind = FunctionKind::kAggregate,
                                  .family = "aggregate",
                                  .description = "Number of rows where the condition is true.",
                                  .example = "count_if(col % 2 = 0)",
                                  .example_result = "",
                                  .min_arguments = 1,
                                  .max_arguments = 1,
                                  .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> {
                                    ARROW_ASSIGN_OR_RAISE(ExpressionPtr condition,
                                                          CoerceArgument(input, 0, types::Boolean()));
                                    return MakeCount(input, Counted::kTrue, {std::move(condition)});
                                  }};

}  // namespace millrace::function

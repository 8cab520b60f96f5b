#include <unordered_map>

#include "base/error.h"
#include "expression/compare.h"
#include "expression/type_coercion.h"
#include "function/aggregate/bound_aggregate.h"
#include "function/aggregate/collected_rows.h"
#include "function/aggregate/typed_buffers.h"
#include "types/arrow_type.h"

/// mode and listagg: aggregates over the group's held values.

namespace millrace::function {

namespace {

// Holds the values that are not NULL; `Result` is told each group's range of them.
class HeldValuesState : public AggregateState {
 public:
  HeldValuesState(DataTypePtr type, arrow::MemoryPool* pool) : pool_(pool), type_(type), rows_(type, pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    rows_.Resize(num_groups);
    return arrow::Status::OK();
  }
  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    return rows_.Add(group_ids, arguments[0]);
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override {
    ARROW_ASSIGN_OR_RAISE(CollectedRows::Grouped grouped, rows_.Group());
    std::unique_ptr<arrow::ArrayBuilder> builder;
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool_, types::ToArrow(*type_), &builder));
    for (size_t group = 0; group + 1 < grouped.offsets.size(); ++group) {
      int64_t begin = grouped.offsets[group], end = grouped.offsets[group + 1];
      ARROW_RETURN_NOT_OK(begin == end ? builder->AppendNull()
                                       : AppendResult(*grouped.values, begin, end, builder.get()));
    }
    return builder->Finish();
  }

 protected:
  virtual arrow::Status AppendResult(const arrow::Array& values, int64_t begin, int64_t end,
                                     arrow::ArrayBuilder* out) = 0;
  arrow::MemoryPool* pool_;
  DataTypePtr type_;
  CollectedRows rows_;
};

class ModeState final : public HeldValuesState {
 public:
  ModeState(DataTypePtr type, bool smallest, arrow::MemoryPool* pool)
      : HeldValuesState(type, pool), smallest_(smallest), bytes_(type, pool) {}

  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    return bytes_.Decode(group_ids, *buffers[0], &rows_);
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(CollectedRows::Grouped grouped, rows_.Group());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> buffers, bytes_.Encode(grouped));
    return arrow::ArrayVector{std::move(buffers)};
  }

 protected:
  arrow::Status AppendResult(const arrow::Array& values, int64_t begin, int64_t end,
                             arrow::ArrayBuilder* out) override {
    const arrow::ArrayData& data = *values.data();
    struct Count {
      int64_t index;
      int64_t count;
    };
    std::unordered_multimap<uint64_t, Count> counts;
    Count best{begin, 0};
    for (int64_t i = begin; i < end; ++i) {
      uint64_t hash = expression::HashValue(*type_, data, i);
      auto [it, last] = counts.equal_range(hash);
      while (it != last && !expression::ValuesEqual(*type_, data, i, data, it->second.index)) ++it;
      if (it == last) it = counts.emplace(hash, Count{i, 0});
      ++it->second.count;
    }
    for (const auto& [hash, count] : counts) {
      // Without a wish any of the most frequent ones may be taken; the first to come is.
      bool take = count.count > best.count;
      if (count.count == best.count) {
        take = smallest_ ? expression::CompareValues(*type_, data, count.index, data, best.index) < 0
                         : count.index < best.index;
      }
      if (take) best = count;
    }
    return out->AppendArraySlice(arrow::ArraySpan(data), best.index, 1);
  }

 private:
  bool smallest_;
  CountBuffers bytes_;
};

class ListAggState final : public HeldValuesState {
 public:
  ListAggState(DataTypePtr type, std::string delimiter, arrow::MemoryPool* pool)
      : HeldValuesState(type, pool),
        delimiter_(std::move(delimiter)),
        list_type_(types::Array(type, false)),
        bytes_(list_type_, pool) {}

  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    return bytes_.Decode(group_ids, *buffers[0], &rows_);
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> lists, rows_.ToLists(*list_type_));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> buffers, bytes_.Encode(*lists));
    return arrow::ArrayVector{std::move(buffers)};
  }

 protected:
  arrow::Status AppendResult(const arrow::Array& values, int64_t begin, int64_t end,
                             arrow::ArrayBuilder* out) override {
    const auto& texts = static_cast<const arrow::BinaryArray&>(values);
    text_.clear();
    for (int64_t i = begin; i < end; ++i) {
      if (i > begin) text_.append(delimiter_);
      text_.append(texts.GetView(i));
    }
    return static_cast<arrow::BinaryBuilder*>(out)->Append(text_);
  }

 private:
  std::string delimiter_;
  DataTypePtr list_type_;
  ListBuffers bytes_;
  std::string text_;
};

arrow::Result<ExpressionPtr> BindMode(const BindInput& input) {
  bool smallest = false;
  if (input.arguments.size() == 2) {
    const ExpressionPtr& flag = input.arguments[1];
    if (flag->type()->id() != types::TypeId::kBoolean) return UnexpectedInputType(input, 1, QuoteSqlType("BOOLEAN"));
    if (!flag->foldable()) return NonFoldableInput(input, 1, "deterministic", types::Boolean());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Scalar> scalar, expression::EvaluateFoldable(*flag, input.context));
    smallest = scalar->is_valid && static_cast<const arrow::BooleanScalar&>(*scalar).value;
  }
  DataTypePtr type = input.arguments[0]->type();
  // What is so by default does not show.
  ExpressionVector shown(input.arguments.begin(),
                         input.arguments.end() - (smallest || input.arguments.size() < 2 ? 0 : 1));
  return MakeAggregate(input,
                       {.type = type,
                        .buffer = {{"buf", types::Binary(), true, {}}},
                        .opaque = true,
                        .new_state = [type, smallest](arrow::MemoryPool* pool) -> std::unique_ptr<AggregateState> {
                          return std::make_unique<ModeState>(type, smallest, pool);
                        }},
                       std::move(shown));
}

arrow::Result<ExpressionPtr> BindListAgg(const BindInput& input) {
  DataTypePtr type = input.arguments[0]->type()->id() == types::TypeId::kBinary ? types::Binary() : types::String();
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, CoerceArgument(input, 0, type));
  BindInput full = input;
  if (full.arguments.size() == 1) full.arguments.push_back(expression::Literal::Null(types::Null()));
  std::string delimiter;
  if (!full.arguments[1]->foldable()) return NonFoldableInput(full, 1, "delimiter", types::String());
  if (full.arguments[1]->type()->id() != types::TypeId::kNull) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr text, CoerceArgument(full, 1, type));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Scalar> scalar, expression::EvaluateFoldable(*text, input.context));
    if (scalar->is_valid) delimiter = std::string(static_cast<const arrow::BaseBinaryScalar&>(*scalar).view());
  }
  return MakeAggregate(input,
                       {.type = type,
                        .buffer = {{"buf", types::Binary(), true, {}}},
                        .opaque = true,
                        .new_state = [type, delimiter](arrow::MemoryPool* pool) -> std::unique_ptr<AggregateState> {
                          return std::make_unique<ListAggState>(type, delimiter, pool);
                        }},
                       {std::move(value), full.arguments[1]});
}

}  // namespace

extern const FunctionDef kMode{.name = "mode",
                               .kind = FunctionKind::kAggregate,
                               .family = "aggregate",
                               .description = "The most frequent value; with true, the smallest of the most frequent.",
                               .example = "mode(col)",
                               .example_result = "",
                               .min_arguments = 1,
                               .max_arguments = 2,
                               .bind = BindMode};

extern const FunctionDef kListAgg{.name = "listagg",
                                  .aliases = "string_agg",
                                  .kind = FunctionKind::kAggregate,
                                  .family = "aggregate",
                                  .description = "The texts of a group as one, with a delimiter between them.",
                                  .example = "listagg(col, ',')",
                                  .example_result = "",
                                  .min_arguments = 1,
                                  .max_arguments = 2,
                                  .bind = BindListAgg};

}  // namespace millrace::function

#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

#include <unordered_map>

#include "base/error.h"
#include "expression/compare.h"
#include "function/aggregate/bound_aggregate.h"
#include "function/aggregate/collected_rows.h"

namespace millrace::function {

namespace {

// Buffer: the list itself. Spark's is an opaque object.
class CollectState final : public AggregateState {
 public:
  CollectState(DataTypePtr list_type, bool distinct, arrow::MemoryPool* pool)
      : list_type_(std::move(list_type)), distinct_(distinct), pool_(pool), rows_(list_type_->element(), pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    rows_.Resize(num_groups);
    return arrow::Status::OK();
  }
  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    return rows_.Add(group_ids, arguments[0]);
  }
  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    return rows_.AddLists(group_ids, *buffers[0]);
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> lists, Lists());
    return arrow::ArrayVector{std::move(lists)};
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override { return Lists(); }

 private:
  arrow::Result<std::shared_ptr<arrow::Array>> Lists() {
    if (!distinct_) return rows_.ToLists(*list_type_);
    ARROW_ASSIGN_OR_RAISE(CollectedRows::Grouped grouped, rows_.Group());
    const arrow::ArrayData& values = *grouped.values->data();
    const types::DataType& type = *list_type_->element();
    arrow::Int64Builder kept(pool_);
    CollectedRows::Grouped sets;
    sets.offsets.push_back(0);
    std::unordered_multimap<uint64_t, int64_t> seen;
    for (size_t g = 0; g + 1 < grouped.offsets.size(); ++g) {
      seen.clear();
      for (int64_t i = grouped.offsets[g]; i < grouped.offsets[g + 1]; ++i) {
        uint64_t hash = expression::HashValue(type, values, i);
        auto [begin, end] = seen.equal_range(hash);
        bool found = false;
        for (auto it = begin; it != end && !found; ++it) {
          found = expression::ValuesEqual(type, values, i, values, it->second);
        }
        if (found) continue;
        seen.emplace(hash, i);
        ARROW_RETURN_NOT_OK(kept.Append(i));
      }
      sets.offsets.push_back(static_cast<int32_t>(kept.length()));
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, kept.Finish());
    arrow::compute::ExecContext exec(pool_);
    ARROW_ASSIGN_OR_RAISE(sets.values, arrow::compute::Take(*grouped.values, *indices,
                                                            arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
    return MakeLists(*list_type_, sets, pool_);
  }

  DataTypePtr list_type_;
  bool distinct_;
  arrow::MemoryPool* pool_;
  CollectedRows rows_;
};

bool ContainsMap(const types::DataType& type) {
  if (type.id() == types::TypeId::kMap) return true;
  if (type.id() == types::TypeId::kArray) return ContainsMap(*type.element());
  if (type.id() != types::TypeId::kStruct) return false;
  for (const types::StructField& field : type.fields()) {
    if (ContainsMap(*field.type)) return true;
  }
  return false;
}

template <bool kSet>
arrow::Result<ExpressionPtr> BindCollect(const BindInput& input) {
  if (kSet && ContainsMap(*input.arguments[0]->type())) {
    return UserError("DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                                  {"functionName", QuoteIdentifier("collect_set")},
                                                                  {"dataType", "\"MAP\" or \"COLLATED STRING\""}});
  }
  DataTypePtr list = types::Array(input.arguments[0]->type(), false);
  return MakeAggregate(input,
                       {.name = std::string(input.def.name),
                        .type = list,
                        .nullable = false,
                        .buffer = {{"buf", list, false, {}}},
                        .opaque = true,
                        .distinct_matters = !kSet,
                        .new_state = [list](arrow::MemoryPool* pool) -> std::unique_ptr<AggregateState> {
                          return std::make_unique<CollectState>(list, kSet, pool);
                        }},
                       {input.arguments[0]});
}

}  // namespace

extern const FunctionDef kCollectList{.name = "collect_list",
                                      .aliases = "array_agg",
                                      .kind = FunctionKind::kAggregate,
                                      .family = "aggregate",
                                      .description = "Array of the values that are not NULL.",
                                      .example = "collect_list(col)",
                                      .example_result = "",
                                      .min_arguments = 1,
                                      .max_arguments = 1,
                                      .bind = BindCollect<false>};

extern const FunctionDef kCollectSet{.name = "collect_set",
                                     .kind = FunctionKind::kAggregate,
                                     .family = "aggregate",
                                     .description = "Array of the distinct values that are not NULL.",
                                     .example = "collect_set(col)",
                                     .example_result = "",
                                     .min_arguments = 1,
                                     .max_arguments = 1,
                                     .bind = BindCollect<true>};

}  // namespace millrace::function

#pragma once

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "expression/aggregate.h"
#include "expression/call.h"
#include "expression/vector.h"
#include "logical/node/local_relation.h"
#include "physical/planner.h"
#include "types/arrow_type.h"

/// What the tests of this module build plans from: random tables cut in any way, a few functions, rows as text.

namespace millrace::physical::testing {

using expression::AttributePtr;
using expression::AttributeReference;
using expression::AttributeVector;
using expression::ExpressionPtr;
using expression::ExpressionVector;
using logical::PlanPtr;

/// A row as text, column by column ("null" for NULL).
using TextRow = std::vector<std::string>;

inline AttributePtr Column(std::string name, types::DataTypePtr type) {
  return std::make_shared<AttributeReference>(expression::NextAttributeId(), std::move(name), std::move(type), true);
}

inline TextRow RowText(const arrow::RecordBatch& batch, int64_t row) {
  TextRow text;
  for (const auto& column : batch.columns()) {
    auto scalar = column->GetScalar(row).ValueOrDie();
    text.push_back(scalar->is_valid ? scalar->ToString() : "null");
  }
  return text;
}

inline std::vector<TextRow> RowTexts(const std::vector<Batches>& partitions) {
  std::vector<TextRow> rows;
  for (const Batches& batches : partitions) {
    for (const auto& batch : batches) {
      EXPECT_TRUE(batch->ValidateFull().ok()) << batch->ValidateFull().ToString();
      for (int64_t i = 0; i < batch->num_rows(); ++i) rows.push_back(RowText(*batch, i));
    }
  }
  return rows;
}

inline std::vector<TextRow> Sorted(std::vector<TextRow> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

/// A table of columns (k LONG, s STRING, d DOUBLE, v LONG) with few different keys, many NULLs, NaN and both zeros.
struct RandomTable {
  std::shared_ptr<arrow::RecordBatch> rows;

  RandomTable(std::mt19937* random, int num_rows) {
    arrow::Int64Builder k, v;
    arrow::StringBuilder s;
    arrow::DoubleBuilder d;
    const double numbers[] = {0.0, -0.0, std::nan(""), -std::nan(""), 1.5, -3};
    for (int i = 0; i < num_rows; ++i) {
      auto draw = [random](int n) { return static_cast<int>((*random)() % static_cast<unsigned>(n)); };
      EXPECT_TRUE((draw(6) == 0 ? k.AppendNull() : k.Append(draw(8))).ok());
      EXPECT_TRUE((draw(6) == 0 ? s.AppendNull() : s.Append(std::string(static_cast<size_t>(draw(4) * 5), 'x'))).ok());
      EXPECT_TRUE((draw(6) == 0 ? d.AppendNull() : d.Append(numbers[draw(6)])).ok());
      EXPECT_TRUE((draw(6) == 0 ? v.AppendNull() : v.Append(draw(20) - 10)).ok());
    }
    auto schema = arrow::schema({arrow::field("k", arrow::int64()), arrow::field("s", arrow::utf8()),
                                 arrow::field("d", arrow::float64()), arrow::field("v", arrow::int64())});
    rows = arrow::RecordBatch::Make(
        schema, num_rows,
        {k.Finish().ValueOrDie(), s.Finish().ValueOrDie(), d.Finish().ValueOrDie(), v.Finish().ValueOrDie()});
  }

  /// A relation of the rows, in order, cut into partitions and batches at random places.
  PlanPtr Cut(std::mt19937* random, const AttributeVector& columns, int max_partitions) const {
    auto partitions = std::make_shared<std::vector<logical::LocalRelation::Partition>>(
        1 + (*random)() % static_cast<unsigned>(max_partitions));
    int64_t row = 0;
    for (size_t p = 0; p < partitions->size(); ++p) {
      int64_t end = p + 1 == partitions->size()
                        ? rows->num_rows()
                        : row + static_cast<int64_t>((*random)() % static_cast<unsigned>(rows->num_rows() - row + 1));
      while (row < end) {
        int64_t length = 1 + static_cast<int64_t>((*random)() % static_cast<unsigned>(end - row));
        (*partitions)[p].push_back(rows->Slice(row, length));
        row += length;
      }
    }
    return std::make_shared<logical::LocalRelation>(columns, std::move(partitions));
  }
};

inline AttributeVector RandomTableColumns() {
  return {Column("k", types::Long()), Column("s", types::String()), Column("d", types::Double()),
          Column("v", types::Long())};
}

/// Runs a plan with small batches on a pool of three threads.
inline std::vector<TextRow> RunPlan(const PlanPtr& plan, int64_t batch_rows = 7) {
  auto root = PlanOperators(plan, 2);
  EXPECT_TRUE(root.ok()) << root.status().ToString();
  if (!root.ok()) return {};
  TaskPool pool(3);
  ExecutionContext context;
  context.pool = &pool;
  context.batch_rows = batch_rows;
  auto rows = Collect(**root, context);
  EXPECT_TRUE(rows.ok()) << rows.status().ToString();
  return rows.ok() ? RowTexts(*rows) : std::vector<TextRow>();
}

/// `a name b` over LONG columns; NULL for NULL.
template <typename Fn>
ExpressionPtr LongCall(const std::string& name, types::DataTypePtr type, ExpressionPtr a, ExpressionPtr b, Fn fn,
                       bool can_fail = false, int* evaluations = nullptr) {
  auto info = std::make_shared<expression::CallInfo>();
  info->name = name;
  info->style = expression::CallStyle::kInfix;
  info->can_fail = can_fail;
  info->kernel = [fn, type, evaluations](const expression::EvalContext& context,
                                         const std::vector<arrow::Datum>& arguments,
                                         int64_t num_rows) -> arrow::Result<arrow::Datum> {
    if (evaluations != nullptr) ++*evaluations;
    expression::FixedColumn<int64_t> left(arguments[0]), right(arguments[1]);
    std::unique_ptr<arrow::ArrayBuilder> builder;
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(context.memory_pool, types::ToArrow(*type), &builder));
    for (int64_t i = 0; i < num_rows; ++i) {
      if (left.IsNull(i) || right.IsNull(i)) {
        ARROW_RETURN_NOT_OK(builder->AppendNull());
      } else if (type->id() == types::TypeId::kBoolean) {
        ARROW_RETURN_NOT_OK(static_cast<arrow::BooleanBuilder&>(*builder).Append(fn(left[i], right[i]) != 0));
      } else {
        ARROW_RETURN_NOT_OK(static_cast<arrow::Int64Builder&>(*builder).Append(fn(left[i], right[i])));
      }
    }
    return arrow::Datum(builder->Finish().ValueOrDie());
  };
  return std::make_shared<expression::Call>(std::move(info), type, true, ExpressionVector{std::move(a), std::move(b)});
}

inline ExpressionPtr Plus(ExpressionPtr a, ExpressionPtr b, int* evaluations = nullptr) {
  return LongCall(
      "+", types::Long(), std::move(a), std::move(b), [](int64_t x, int64_t y) { return x + y; }, false, evaluations);
}
inline ExpressionPtr Greater(ExpressionPtr a, ExpressionPtr b) {
  return LongCall(">", types::Boolean(), std::move(a), std::move(b), [](int64_t x, int64_t y) { return x > y; });
}
/// `=` or `<=>`: join keys; never evaluated in these tests unless over LONG.
inline ExpressionPtr Equal(ExpressionPtr a, ExpressionPtr b, const char* name = "=") {
  return LongCall(name, types::Boolean(), std::move(a), std::move(b), [](int64_t x, int64_t y) { return x == y; });
}

/// sum(LONG) and count(any): NULLs skipped.
class TestAggregate final : public expression::AggregateFunction {
 public:
  explicit TestAggregate(bool sum) : sum_(sum), name_(sum ? "sum" : "count"), type_(types::Long()) {
    fields_ = {{"value", type_, sum, ""}};
  }
  const std::string& name() const override { return name_; }
  const types::DataTypePtr& result_type() const override { return type_; }
  bool result_nullable() const override { return sum_; }
  const std::vector<types::StructField>& buffer_fields() const override { return fields_; }
  std::unique_ptr<expression::AggregateState> NewState(arrow::MemoryPool*) const override {
    return std::make_unique<State>(sum_);
  }

 private:
  class State final : public expression::AggregateState {
   public:
    explicit State(bool sum) : sum_(sum) {}
    arrow::Status Resize(int64_t num_groups) override {
      values_.resize(static_cast<size_t>(num_groups));
      seen_.resize(static_cast<size_t>(num_groups), !sum_);
      return arrow::Status::OK();
    }
    arrow::Status Update(const expression::EvalContext&, std::span<const uint32_t> groups,
                         const arrow::ArrayVector& arguments) override {
      for (size_t i = 0; i < groups.size(); ++i) {
        auto row = static_cast<int64_t>(i);
        if (arguments[0]->IsNull(row)) continue;
        Add(groups[i], sum_ ? static_cast<const arrow::Int64Array&>(*arguments[0]).Value(row) : 1);
      }
      return arrow::Status::OK();
    }
    arrow::Status Merge(const expression::EvalContext&, std::span<const uint32_t> groups,
                        const arrow::ArrayVector& buffers) override {
      const auto& values = static_cast<const arrow::Int64Array&>(*buffers[0]);
      for (size_t i = 0; i < groups.size(); ++i) {
        if (values.IsValid(static_cast<int64_t>(i))) Add(groups[i], values.Value(static_cast<int64_t>(i)));
      }
      return arrow::Status::OK();
    }
    arrow::Result<arrow::ArrayVector> Buffers() override {
      arrow::Int64Builder builder;
      for (size_t g = 0; g < values_.size(); ++g) {
        ARROW_RETURN_NOT_OK(seen_[g] ? builder.Append(values_[g]) : builder.AppendNull());
      }
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> array, builder.Finish());
      return arrow::ArrayVector{array};
    }
    arrow::Result<std::shared_ptr<arrow::Array>> Finish(const expression::EvalContext&) override {
      ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector buffers, Buffers());
      return buffers[0];
    }

   private:
    void Add(uint32_t group, int64_t value) {
      values_[group] += value;
      seen_[group] = true;
    }
    bool sum_;
    std::vector<int64_t> values_;
    std::vector<bool> seen_;
  };

  bool sum_;
  std::string name_;
  types::DataTypePtr type_;
  std::vector<types::StructField> fields_;
};

inline ExpressionPtr AggregateOf(bool sum, ExpressionPtr argument, bool distinct = false,
                                 ExpressionPtr filter = nullptr) {
  return std::make_shared<expression::AggregateCall>(
      std::make_shared<TestAggregate>(sum), ExpressionVector{std::move(argument)}, distinct, std::move(filter));
}
inline ExpressionPtr Named(ExpressionPtr value, std::string name) {
  return std::make_shared<expression::Alias>(std::move(value), std::move(name));
}

}  // namespace millrace::physical::testing

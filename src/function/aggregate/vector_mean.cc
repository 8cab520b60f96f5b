#include <arrow/builder.h>

#include <cstring>

#include "base/error.h"
#include "expression/vector.h"
#include "function/aggregate/bound_aggregate.h"
#include "function/scalar/collection/list_column.h"
#include "function/scalar/vector/vector_functions.h"
#include "types/arrow_type.h"

/// vector_sum and vector_avg: element by element.

namespace millrace::function {

namespace {

// Buffer: the running vector as little-endian floats, and how many vectors it stands for. NULL and vectors with a NULL
// inside count for nothing.
class VectorState final : public AggregateState {
 public:
  VectorState(std::string_view name, bool mean, arrow::MemoryPool* pool) : name_(name), mean_(mean), pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    vectors_.resize(static_cast<size_t>(num_groups));
    counts_.resize(static_cast<size_t>(num_groups), 0);
    return arrow::Status::OK();
  }

  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    ARROW_ASSIGN_OR_RAISE(ListColumn lists,
                          ListColumn::Make(arrow::Datum(arguments[0]), arguments[0]->length(), pool_));
    const auto& elements = static_cast<const arrow::FloatArray&>(*lists.values());
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (lists.IsNull(row)) continue;
      bool has_null = false;
      for (int64_t k = lists.Begin(row); k < lists.End(row) && !has_null; ++k) has_null = elements.IsNull(k);
      if (has_null) continue;
      ARROW_RETURN_NOT_OK(Add(group_ids[i], elements.raw_values() + lists.Begin(row), lists.Length(row)));
    }
    return arrow::Status::OK();
  }

  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    expression::StringColumn bytes{arrow::Datum(buffers[0])};
    expression::FixedColumn<int64_t> counts{arrow::Datum(buffers[1])};
    std::vector<float> other;
    for (size_t i = 0; i < group_ids.size(); ++i) {
      int64_t count = counts[static_cast<int64_t>(i)];
      if (count == 0) continue;
      std::string_view raw = bytes[static_cast<int64_t>(i)];
      other.resize(raw.size() / sizeof(float));
      std::memcpy(other.data(), raw.data(), other.size() * sizeof(float));
      std::vector<float>& own = vectors_[group_ids[i]];
      int64_t own_count = counts_[group_ids[i]];
      if (own_count == 0) {
        own = other;
      } else {
        ARROW_RETURN_NOT_OK(CheckLength(own.size(), other.size()));
        auto total = static_cast<float>(own_count + count);
        float left = static_cast<float>(own_count) / total, right = static_cast<float>(count) / total;
        for (size_t k = 0; k < own.size(); ++k) {
          own[k] = mean_ ? own[k] * left + other[k] * right : own[k] + other[k];
        }
      }
      counts_[group_ids[i]] += count;
    }
    return arrow::Status::OK();
  }

  arrow::Result<arrow::ArrayVector> Buffers() override {
    arrow::BinaryBuilder bytes(pool_);
    arrow::Int64Builder counts(pool_);
    for (size_t g = 0; g < vectors_.size(); ++g) {
      ARROW_RETURN_NOT_OK(counts_[g] == 0 ? bytes.AppendNull()
                                          : bytes.Append(reinterpret_cast<const uint8_t*>(vectors_[g].data()),
                                                         static_cast<int32_t>(vectors_[g].size() * sizeof(float))));
      ARROW_RETURN_NOT_OK(counts.Append(counts_[g]));
    }
    arrow::ArrayVector built(2);
    ARROW_RETURN_NOT_OK(bytes.Finish(&built[0]));
    ARROW_RETURN_NOT_OK(counts.Finish(&built[1]));
    return built;
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override {
    auto elements = std::make_shared<arrow::FloatBuilder>(pool_);
    arrow::ListBuilder lists(pool_, elements, types::ToArrow(*types::Array(types::Float(), false)));
    for (size_t g = 0; g < vectors_.size(); ++g) {
      if (counts_[g] == 0) {
        ARROW_RETURN_NOT_OK(lists.AppendNull());
        continue;
      }
      ARROW_RETURN_NOT_OK(lists.Append());
      ARROW_RETURN_NOT_OK(elements->AppendValues(vectors_[g]));
    }
    return lists.Finish();
  }

 private:
  arrow::Status CheckLength(size_t own, size_t other) const {
    if (own == other) return arrow::Status::OK();
    return UserError("VECTOR_DIMENSION_MISMATCH", {{"functionName", QuoteIdentifier(name_)},
                                                   {"leftDim", std::to_string(own)},
                                                   {"rightDim", std::to_string(other)}});
  }

  arrow::Status Add(uint32_t group, const float* values, int64_t length) {
    std::vector<float>& own = vectors_[group];
    int64_t count = ++counts_[group];
    if (count == 1) {
      own.assign(values, values + length);
      return arrow::Status::OK();
    }
    ARROW_RETURN_NOT_OK(CheckLength(own.size(), static_cast<size_t>(length)));
    float share = 1.0f / static_cast<float>(count);
    for (size_t k = 0; k < own.size(); ++k) own[k] += mean_ ? (values[k] - own[k]) * share : values[k];
    return arrow::Status::OK();
  }

  std::string_view name_;
  bool mean_;
  arrow::MemoryPool* pool_;
  std::vector<std::vector<float>> vectors_;
  std::vector<int64_t> counts_;
};

template <bool kMean>
arrow::Result<ExpressionPtr> BindVectorAggregate(const BindInput& input) {
  ARROW_RETURN_NOT_OK(ExpectVector(input, 0));
  AggregateSpec spec{.type = types::Array(types::Float(), false)};
  spec.buffer = {{"acc", types::Binary(), true, {}}, {"count", types::Long(), false, {}}};
  spec.new_state = [name = input.def.name](arrow::MemoryPool* pool) {
    return std::make_unique<VectorState>(name, kMean, pool);
  };
  return MakeAggregate(input, std::move(spec), {input.arguments[0]});
}

}  // namespace

extern const FunctionDef kVectorAvg{.name = "vector_avg",
                                    .kind = FunctionKind::kAggregate,
                                    .family = "aggregate",
                                    .description = "Mean of vectors, element by element.",
                                    .example = "vector_avg(x)",
                                    .example_result = "",
                                    .min_arguments = 1,
                                    .max_arguments = 1,
                                    .bind = BindVectorAggregate<true>};

extern const FunctionDef kVectorSum{.name = "vector_sum",
                                    .kind = FunctionKind::kAggregate,
                                    .family = "aggregate",
                                    .description = "Sum of vectors, element by element.",
                                    .example = "vector_sum(x)",
                                    .example_result = "",
                                    .min_arguments = 1,
                                    .max_arguments = 1,
                                    .bind = BindVectorAggregate<false>};

}  // namespace millrace::function

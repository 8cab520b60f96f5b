#include <algorithm>

#include "base/error.h"
#include "expression/vector.h"
#include "function/aggregate/bound_aggregate.h"

/// bitmap_construct_agg, bitmap_or_agg, bitmap_and_agg: bitmaps of 4096 bytes, the form of bitmap_bit_position.

namespace millrace::function {

namespace {

constexpr size_t kBitmapBytes = 4096;

enum class Bitmap : uint8_t { kConstruct, kOr, kAnd };

class BitmapState final : public AggregateState {
 public:
  BitmapState(Bitmap kind, arrow::MemoryPool* pool) : kind_(kind), pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    groups_.resize(static_cast<size_t>(num_groups), std::string(kBitmapBytes, kind_ == Bitmap::kAnd ? '\xFF' : '\0'));
    return arrow::Status::OK();
  }

  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    if (kind_ != Bitmap::kConstruct) return Combine(group_ids, arguments[0]);
    expression::FixedColumn<int64_t> positions{arrow::Datum(arguments[0])};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (positions.IsNull(row)) continue;
      int64_t position = positions[row];
      if (position < 0 || position >= static_cast<int64_t>(8 * kBitmapBytes)) {
        return UserError("INVALID_BITMAP_POSITION", {{"bitPosition", std::to_string(position)},
                                                     {"bitmapNumBytes", std::to_string(kBitmapBytes)},
                                                     {"bitmapNumBits", std::to_string(8 * kBitmapBytes)}});
      }
      char& byte = groups_[group_ids[i]][static_cast<size_t>(position / 8)];
      byte = static_cast<char>(byte | (1 << (position % 8)));
    }
    return arrow::Status::OK();
  }

  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    return Combine(group_ids, buffers[0]);
  }

  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(auto array, Build());
    return arrow::ArrayVector{std::move(array)};
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override { return Build(); }

 private:
  arrow::Status Combine(std::span<const uint32_t> group_ids, const std::shared_ptr<arrow::Array>& bitmaps) {
    expression::StringColumn values{arrow::Datum(bitmaps)};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      if (values.IsNull(static_cast<int64_t>(i))) continue;
      std::string_view value = values[static_cast<int64_t>(i)];
      std::string& group = groups_[group_ids[i]];
      size_t size = std::min(value.size(), kBitmapBytes);
      for (size_t b = 0; b < size; ++b) {
        group[b] = static_cast<char>(kind_ == Bitmap::kAnd ? group[b] & value[b] : group[b] | value[b]);
      }
      // Bytes that a shorter bitmap does not have are zero.
      if (kind_ == Bitmap::kAnd) std::fill(group.begin() + static_cast<ptrdiff_t>(size), group.end(), '\0');
    }
    return arrow::Status::OK();
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Build() {
    arrow::BinaryBuilder builder(pool_);
    for (const std::string& group : groups_) ARROW_RETURN_NOT_OK(builder.Append(group));
    return builder.Finish();
  }

  Bitmap kind_;
  arrow::MemoryPool* pool_;
  std::vector<std::string> groups_;
};

template <Bitmap kKind>
arrow::Result<ExpressionPtr> BindBitmap(const BindInput& input) {
  DataTypePtr wanted = kKind == Bitmap::kConstruct ? types::Long() : types::Binary();
  const DataTypePtr& given = input.arguments[0]->type();
  if (kKind != Bitmap::kConstruct && given->id() != types::TypeId::kBinary) {
    return UnexpectedInputType(input, 0, "\"BINARY\"");
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, CoerceArgument(input, 0, wanted));
  AggregateSpec spec{.type = types::Binary(), .nullable = false};
  spec.buffer = {{"bitmap", types::Binary(), false, {}}};
  spec.opaque = true;
  spec.new_state = [](arrow::MemoryPool* pool) { return std::make_unique<BitmapState>(kKind, pool); };
  return MakeAggregate(input, std::move(spec), {std::move(value)});
}

}  // namespace

extern const FunctionDef kBitmapConstructAgg{.name = "bitmap_construct_agg",
                                             .kind = FunctionKind::kAggregate,
                                             .family = "aggregate",
                                             .description = "A bitmap with the bits at all positions set.",
                                             .example = "bitmap_construct_agg(x)",
                                             .example_result = "",
                                             .min_arguments = 1,
                                             .max_arguments = 1,
                                             .bind = BindBitmap<Bitmap::kConstruct>};

extern const FunctionDef kBitmapOrAgg{.name = "bitmap_or_agg",
                                      .kind = FunctionKind::kAggregate,
                                      .family = "aggregate",
                                      .description = "The union of bitmaps.",
                                      .example = "bitmap_or_agg(x)",
                                      .example_result = "",
                                      .min_arguments = 1,
                                      .max_arguments = 1,
                                      .bind = BindBitmap<Bitmap::kOr>};

extern const FunctionDef kBitmapAndAgg{.name = "bitmap_and_agg",
                                       .kind = FunctionKind::kAggregate,
                                       .family = "aggregate",
                                       .description = "What bitmaps have in common.",
                                       .example = "bitmap_and_agg(x)",
                                       .example_result = "",
                                       .min_arguments = 1,
                                       .max_arguments = 1,
                                       .bind = BindBitmap<Bitmap::kAnd>};

}  // namespace millrace::function

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/aggregate/bound_aggregate.h"
#include "types/arrow_type.h"

/// histogram_numeric: bins of Ben-Haim and Tom-Tov's streaming histogram, as Hive's NumericHistogram joins them.

namespace millrace::function {

namespace {

using types::TypeId;

struct Bin {
  double x;
  double y;
};

// java.util.Random with the seed that Hive gives it.
class Draws {
 public:
  double NextDouble() {
    uint64_t high = Next(26) << 27;
    return static_cast<double>(high + Next(27)) * 0x1.0p-53;
  }

 private:
  static constexpr uint64_t kMultiplier = 0x5DEECE66D;
  static constexpr uint64_t kMask = (uint64_t{1} << 48) - 1;

  uint64_t Next(int bits) {
    state_ = (state_ * kMultiplier + 0xB) & kMask;
    return state_ >> (48 - bits);
  }

  uint64_t state_ = (31183 ^ kMultiplier) & kMask;
};

/// Bins by x, at most `max_bins`.
class Histogram {
 public:
  void Add(double value, size_t max_bins) {
    size_t place = PlaceOf(value);
    if (place < bins_.size() && bins_[place].x == value) {
      bins_[place].y += 1;
      return;
    }
    bins_.insert(bins_.begin() + static_cast<ptrdiff_t>(place), {value, 1});
    if (bins_.size() > max_bins) Trim(max_bins);
  }

  void Merge(const std::vector<Bin>& others, size_t max_bins) {
    if (bins_.empty()) {
      bins_ = others;
      return;
    }
    bins_.insert(bins_.end(), others.begin(), others.end());
    std::stable_sort(bins_.begin(), bins_.end(), [](const Bin& a, const Bin& b) { return IsBefore(a.x, b.x); });
    Trim(max_bins);
  }

  std::vector<Bin>& bins() { return bins_; }

 private:
  // NaN is neither before nor after another value: the search ends where it meets one.
  size_t PlaceOf(double value) const {
    size_t low = 0;
    size_t high = bins_.size();
    while (low < high) {
      size_t middle = low + (high - low) / 2;
      double x = bins_[middle].x;
      if (!(x > value) && !(x < value)) return middle;
      (x > value ? high : low) = x > value ? middle : middle + 1;
    }
    return low;
  }

  // The order of java.lang.Double: NaN last, -0.0 before 0.0.
  static bool IsBefore(double a, double b) {
    if (a < b) return true;
    if (a > b) return false;
    if (std::isnan(a) || std::isnan(b)) return !std::isnan(a);  // of two, neither
    return std::signbit(a) && !std::signbit(b);
  }

  // Joins the two bins that are nearest to each other until few enough are left. Of equal distances one is drawn.
  void Trim(size_t max_bins) {
    while (bins_.size() > max_bins) {
      size_t nearest = 0;
      int num_smallest = 1;
      double smallest = bins_[1].x - bins_[0].x;
      for (size_t i = 1; i + 1 < bins_.size(); ++i) {
        double distance = bins_[i + 1].x - bins_[i].x;
        if (distance < smallest) {
          smallest = distance;
          nearest = i;
          num_smallest = 1;
        } else if (distance == smallest && random_.NextDouble() <= 1.0 / ++num_smallest) {
          nearest = i;
        }
      }
      Bin& left = bins_[nearest];
      const Bin& right = bins_[nearest + 1];
      double total = left.y + right.y;
      // How this rounds decides which distances are equal later: divide and multiply in this order only.
      left.x *= left.y / total;
      left.x += right.x / total * right.y;
      left.y = total;
      bins_.erase(bins_.begin() + static_cast<ptrdiff_t>(nearest) + 1);
    }
  }

  std::vector<Bin> bins_;
  Draws random_;
};

// The buffer is Spark's (NumericHistogramSerializer): the number of bins asked for, of those there are, and x and y of
// each; all big-endian.
void AppendBytes(uint64_t bits, int num_bytes, std::string* out) {
  for (int k = num_bytes - 1; k >= 0; --k) out->push_back(static_cast<char>(bits >> (8 * k)));
}

uint64_t TakeBytes(int num_bytes, std::string_view* bytes) {
  uint64_t bits = 0;
  for (char c : bytes->substr(0, static_cast<size_t>(num_bytes))) bits = bits << 8 | static_cast<uint8_t>(c);
  bytes->remove_prefix(static_cast<size_t>(num_bytes));
  return bits;
}

std::string EncodeBins(size_t max_bins, const std::vector<Bin>& bins) {
  std::string bytes;
  AppendBytes(max_bins, 4, &bytes);
  AppendBytes(bins.size(), 4, &bytes);
  for (const Bin& bin : bins) {
    AppendBytes(std::bit_cast<uint64_t>(bin.x), 8, &bytes);
    AppendBytes(std::bit_cast<uint64_t>(bin.y), 8, &bytes);
  }
  return bytes;
}

arrow::Result<std::vector<Bin>> DecodeBins(std::string_view bytes) {
  if (bytes.size() < 8) return arrow::Status::Invalid("The buffer of histogram_numeric is too short");
  TakeBytes(4, &bytes);
  uint64_t num_bins = TakeBytes(4, &bytes);
  if (bytes.size() != num_bins * 16) return arrow::Status::Invalid("The buffer of histogram_numeric is damaged");
  std::vector<Bin> bins(num_bins);
  for (Bin& bin : bins) {
    bin.x = std::bit_cast<double>(TakeBytes(8, &bytes));
    bin.y = std::bit_cast<double>(TakeBytes(8, &bytes));
  }
  return bins;
}

class HistogramState final : public AggregateState {
 public:
  HistogramState(size_t max_bins, DataTypePtr value_type, arrow::MemoryPool* pool)
      : max_bins_(max_bins), value_type_(std::move(value_type)), pool_(pool) {}

  arrow::Status Resize(int64_t num_groups) override {
    groups_.resize(static_cast<size_t>(num_groups));
    return arrow::Status::OK();
  }
  arrow::Status Update(const EvalContext&, std::span<const uint32_t> group_ids,
                       const arrow::ArrayVector& arguments) override {
    expression::FixedColumn<double> values{arrow::Datum(arguments[0])};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      auto row = static_cast<int64_t>(i);
      if (!values.IsNull(row)) groups_[group_ids[i]].Add(values[row], max_bins_);
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    expression::StringColumn texts{arrow::Datum(buffers[0])};
    for (size_t i = 0; i < group_ids.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(std::vector<Bin> bins, DecodeBins(texts[static_cast<int64_t>(i)]));
      groups_[group_ids[i]].Merge(bins, max_bins_);
    }
    return arrow::Status::OK();
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    arrow::BinaryBuilder builder(pool_);
    for (Histogram& group : groups_) {
      ARROW_RETURN_NOT_OK(builder.Append(EncodeBins(max_bins_, group.bins())));
    }
    ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
    return arrow::ArrayVector{std::move(array)};
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override {
    DataTypePtr type = types::Array(types::Struct({{"x", value_type_, true, {}}, {"y", types::Double(), true, {}}}));
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(types::ToArrow(*type), pool_));
    auto& lists = static_cast<arrow::ListBuilder&>(*builder);
    auto& structs = static_cast<arrow::StructBuilder&>(*lists.value_builder());
    auto x_type = types::ToArrow(*value_type_);
    for (Histogram& group : groups_) {
      if (group.bins().empty()) {
        ARROW_RETURN_NOT_OK(lists.AppendNull());
        continue;
      }
      ARROW_RETURN_NOT_OK(lists.Append());
      for (const Bin& bin : group.bins()) {
        ARROW_RETURN_NOT_OK(structs.Append());
        ARROW_RETURN_NOT_OK(AppendX(bin.x, x_type, structs.field_builder(0)));
        ARROW_RETURN_NOT_OK(static_cast<arrow::DoubleBuilder&>(*structs.field_builder(1)).Append(bin.y));
      }
    }
    return lists.Finish();
  }

 private:
  // Back to the argument's type: whole numbers and times lose the fraction.
  arrow::Status AppendX(double x, const std::shared_ptr<arrow::DataType>& type, arrow::ArrayBuilder* builder) const {
    switch (value_type_->id()) {
      case TypeId::kByte:
        return static_cast<arrow::Int8Builder*>(builder)->Append(static_cast<int8_t>(x));
      case TypeId::kShort:
        return static_cast<arrow::Int16Builder*>(builder)->Append(static_cast<int16_t>(x));
      case TypeId::kInteger:
        return static_cast<arrow::Int32Builder*>(builder)->Append(static_cast<int32_t>(x));
      case TypeId::kLong:
        return static_cast<arrow::Int64Builder*>(builder)->Append(static_cast<int64_t>(x));
      case TypeId::kFloat:
        return static_cast<arrow::FloatBuilder*>(builder)->Append(static_cast<float>(x));
      case TypeId::kDouble:
        return static_cast<arrow::DoubleBuilder*>(builder)->Append(x);
      default:
        return UserError("UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
                         {{"methodName", "histogram_numeric of " + type->ToString()}, {"className", "Millrace"}});
    }
  }

  size_t max_bins_;
  DataTypePtr value_type_;
  arrow::MemoryPool* pool_;
  std::vector<Histogram> groups_;
};

arrow::Result<ExpressionPtr> BindHistogram(const BindInput& input) {
  const DataTypePtr& type = input.arguments[0]->type();
  bool number = type->is_integral() || type->id() == TypeId::kFloat || type->id() == TypeId::kDouble;
  if (!number) {
    bool known = type->is_numeric() || type->is_datetime() || type->is_ansi_interval();
    if (known) {
      return UserError("UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
                       {{"methodName", "histogram_numeric of " + type->Sql()}, {"className", "Millrace"}});
    }
    return UnexpectedInputType(
        input, 0,
        R"(("NUMERIC" or "DATE" or "TIMESTAMP" or "TIMESTAMP_NTZ" or "INTERVAL YEAR TO MONTH" or "INTERVAL DAY TO SECOND"))");
  }
  if (!input.arguments[1]->foldable()) return NonFoldableInput(input, 1, "nBins", types::Integer());
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr bin_count, CoerceArgument(input, 1, types::Integer()));
  ARROW_ASSIGN_OR_RAISE(auto count, expression::EvaluateFoldable(*bin_count, input.context));
  if (!count->is_valid) {
    return UserError("DATATYPE_MISMATCH.UNEXPECTED_NULL",
                     {{"sqlExpr", QuoteSqlExpression(CallSql(input))}, {"exprName", "nb"}});
  }
  int32_t bins = static_cast<const arrow::Int32Scalar&>(*count).value;
  if (bins < 2) {
    return UserError("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                              {"exprName", "nb"},
                                                              {"valueRange", "[2, 2147483647]"},
                                                              {"currentValue", std::to_string(bins)}});
  }
  AggregateSpec spec{.type =
                         types::Array(types::Struct({{"x", type, true, {}}, {"y", types::Double(), true, {}}}), true)};
  spec.buffer = {{"buf", types::Binary(), true, {}}};
  spec.opaque = true;
  spec.new_state = [bins, type](arrow::MemoryPool* pool) {
    return std::make_unique<HistogramState>(static_cast<size_t>(bins), type, pool);
  };
  ExpressionPtr value = expression::ImplicitCast(input.arguments[0], types::Double());
  return MakeAggregate(input, std::move(spec), {std::move(value), input.arguments[1]});
}

}  // namespace

extern const FunctionDef kHistogramNumeric{.name = "histogram_numeric",
                                           .kind = FunctionKind::kAggregate,
                                           .family = "aggregate",
                                           .description = "A histogram of the numbers in a number of bins.",
                                           .example = "histogram_numeric(x, 5)",
                                           .example_result = "",
                                           .min_arguments = 2,
                                           .max_arguments = 2,
                                           .bind = BindHistogram};

}  // namespace millrace::function

#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "expression/compare.h"
#include "expression/murmur3.h"
#include "function/aggregate/bound_aggregate.h"
#include "function/aggregate/collected_rows.h"
#include "function/aggregate/typed_buffers.h"

namespace millrace::function {

namespace {

int32_t JavaLongHash(int64_t value) {
  return static_cast<int32_t>(value ^ static_cast<int64_t>(static_cast<uint64_t>(value) >> 32));
}

int32_t ScalaLongHash(int64_t value) {
  auto narrow = static_cast<int32_t>(value);
  return narrow == value ? narrow : JavaLongHash(value);
}

/// The hash of a value as Spark keeps it in a Scala set; nullopt for types whose hash is a Java object's own.
std::optional<int32_t> ScalaHash(const types::DataType& type, const arrow::ArrayData& data, int64_t i) {
  switch (type.id()) {
    case types::TypeId::kBoolean:
      return arrow::bit_util::GetBit(data.GetValues<uint8_t>(1, 0), data.offset + i) ? 1231 : 1237;
    case types::TypeId::kByte:
      return data.GetValues<int8_t>(1)[i];
    case types::TypeId::kShort:
      return data.GetValues<int16_t>(1)[i];
    case types::TypeId::kInteger:
    case types::TypeId::kDate:
      return data.GetValues<int32_t>(1)[i];
    case types::TypeId::kLong:
    case types::TypeId::kTimestamp:
    case types::TypeId::kTimestampNtz:
    case types::TypeId::kTime:
      return ScalaLongHash(data.GetValues<int64_t>(1)[i]);
    case types::TypeId::kFloat:
      return std::bit_cast<int32_t>(data.GetValues<float>(1)[i]);
    case types::TypeId::kDouble:
      return JavaLongHash(std::bit_cast<int64_t>(data.GetValues<double>(1)[i]));
    case types::TypeId::kString: {
      const int32_t* offsets = data.GetValues<int32_t>(1);
      const char* bytes = data.buffers[2] == nullptr ? "" : reinterpret_cast<const char*>(data.buffers[2]->data());
      return expression::Murmur3Bytes({bytes + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])}, 42);
    }
    default:
      return std::nullopt;
  }
}

/// Puts the rows of a set in the order in which Scala's mutable.HashSet, Spark's buffer, gives them out: a table of a
/// power of two, three quarters full at most, each chain by hash. Sets of other types stay in the order in which values
/// came.
void OrderAsScalaSet(const types::DataType& type, const arrow::ArrayData& values, std::span<int64_t> rows) {
  if (rows.size() < 2 || !ScalaHash(type, values, rows[0])) return;
  size_t table = 16;
  while (rows.size() * 4 >= table * 3) table *= 2;
  struct Entry {
    uint32_t slot;
    int32_t hash;
    int64_t row;
  };
  std::vector<Entry> entries;
  entries.reserve(rows.size());
  for (int64_t row : rows) {
    auto hash = static_cast<uint32_t>(*ScalaHash(type, values, row));
    hash ^= hash >> 16;
    entries.push_back({hash & static_cast<uint32_t>(table - 1), static_cast<int32_t>(hash), row});
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.slot != b.slot ? a.slot < b.slot : a.hash < b.hash; });
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = entries[i].row;
}

class CollectState final : public AggregateState {
 public:
  CollectState(DataTypePtr list_type, bool distinct, arrow::MemoryPool* pool)
      : list_type_(std::move(list_type)),
        distinct_(distinct),
        pool_(pool),
        rows_(list_type_->element(), pool),
        bytes_(list_type_, pool) {}

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
    if (buffers[0]->type_id() != arrow::Type::BINARY) return rows_.AddLists(group_ids, *buffers[0]);
    return bytes_.Decode(group_ids, *buffers[0], &rows_);
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> lists, Lists());
    if (list_type_->element()->id() == types::TypeId::kNull) return arrow::ArrayVector{std::move(lists)};
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> buffers, bytes_.Encode(*lists));
    return arrow::ArrayVector{std::move(buffers)};
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override { return Lists(); }

 private:
  arrow::Result<std::shared_ptr<arrow::Array>> Lists() {
    if (!distinct_) return rows_.ToLists(*list_type_);
    ARROW_ASSIGN_OR_RAISE(CollectedRows::Grouped grouped, rows_.Group());
    const arrow::ArrayData& values = *grouped.values->data();
    const types::DataType& type = *list_type_->element();
    std::vector<int64_t> kept;
    CollectedRows::Grouped sets;
    sets.offsets.push_back(0);
    std::unordered_multimap<uint64_t, int64_t> seen;
    for (size_t g = 0; g + 1 < grouped.offsets.size(); ++g) {
      seen.clear();
      size_t first = kept.size();
      for (int64_t i = grouped.offsets[g]; i < grouped.offsets[g + 1]; ++i) {
        uint64_t hash = expression::HashValue(type, values, i);
        auto [begin, end] = seen.equal_range(hash);
        bool found = false;
        for (auto it = begin; it != end && !found; ++it) {
          found = expression::ValuesEqual(type, values, i, values, it->second);
        }
        if (found) continue;
        seen.emplace(hash, i);
        kept.push_back(i);
      }
      OrderAsScalaSet(type, values, std::span(kept).subspan(first));
      sets.offsets.push_back(static_cast<int32_t>(kept.size()));
    }
    auto indices = std::make_shared<arrow::Int64Array>(static_cast<int64_t>(kept.size()), arrow::Buffer::Wrap(kept));
    arrow::compute::ExecContext exec(pool_);
    ARROW_ASSIGN_OR_RAISE(sets.values, arrow::compute::Take(*grouped.values, *indices,
                                                            arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
    return MakeLists(*list_type_, sets, pool_);
  }

  DataTypePtr list_type_;
  bool distinct_;
  arrow::MemoryPool* pool_;
  CollectedRows rows_;
  ListBuffers bytes_;
};

template <bool kSet>
arrow::Result<ExpressionPtr> BindCollect(const BindInput& input) {
  if (kSet && input.arguments[0]->type()->Holds(types::TypeId::kMap)) {
    return UserError("DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                                  {"functionName", QuoteIdentifier("collect_set")},
                                                                  {"dataType", "\"MAP\" or \"COLLATED STRING\""}});
  }
  DataTypePtr list = types::Array(input.arguments[0]->type(), false);
  // Of the type of NULL there are no values.
  bool has_values = input.arguments[0]->type()->id() != types::TypeId::kNull;
  return MakeAggregate(input,
                       {.name = std::string(input.def.name),
                        .type = list,
                        .nullable = false,
                        .buffer = {{"buf", has_values ? types::Binary() : list, true, {}}},
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

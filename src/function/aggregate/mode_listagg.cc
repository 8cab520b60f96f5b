#include <algorithm>
#include <bit>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "base/scala_order.h"
#include "expression/call.h"
#include "expression/compare.h"
#include "expression/murmur3.h"
#include "expression/type_coercion.h"
#include "function/aggregate/bound_aggregate.h"
#include "function/aggregate/collected_rows.h"
#include "function/aggregate/typed_buffers.h"
#include "function/aggregate/within_group.h"
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

// Which of several values that come equally often is taken.
enum class ModeChoice : uint8_t { kFirstOfMap, kSmallest, kLargest };

uint32_t FoldedLong(int64_t value) {
  auto bits = static_cast<uint64_t>(value);
  return static_cast<uint32_t>(bits ^ (bits >> 32));
}

// hashCode() of the object Spark holds a value as; nullopt where that depends on more than the value.
std::optional<uint32_t> JavaHash(const types::DataType& type, const arrow::ArrayData& data, int64_t i) {
  switch (type.id()) {
    case types::TypeId::kBoolean: {
      bool value = arrow::bit_util::GetBit(data.GetValues<uint8_t>(1, 0), data.offset + i);
      return value ? 1231 : 1237;
    }
    case types::TypeId::kByte:
      return static_cast<uint32_t>(data.GetValues<int8_t>(1)[i]);
    case types::TypeId::kShort:
      return static_cast<uint32_t>(data.GetValues<int16_t>(1)[i]);
    case types::TypeId::kInteger:
    case types::TypeId::kDate:
    case types::TypeId::kYearMonthInterval:
    case types::TypeId::kFloat:
      return static_cast<uint32_t>(data.GetValues<int32_t>(1)[i]);
    case types::TypeId::kLong:
    case types::TypeId::kTimestamp:
    case types::TypeId::kTimestampNtz:
    case types::TypeId::kDayTimeInterval:
    case types::TypeId::kDouble:
      return FoldedLong(data.GetValues<int64_t>(1)[i]);
    case types::TypeId::kString: {
      const int32_t* offsets = data.GetValues<int32_t>(1);
      std::string_view bytes(reinterpret_cast<const char*>(data.buffers[2]->data()) + offsets[i],
                             static_cast<size_t>(offsets[i + 1] - offsets[i]));
      return static_cast<uint32_t>(expression::Murmur3Bytes(bytes, 42));
    }
    default:
      return std::nullopt;
  }
}

class ModeState final : public HeldValuesState {
 public:
  ModeState(DataTypePtr type, ModeChoice choice, arrow::MemoryPool* pool)
      : HeldValuesState(type, pool), choice_(choice), bytes_(type, pool) {}

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
    int64_t most = 0;
    for (int64_t i = begin; i < end; ++i) {
      uint64_t hash = expression::HashValue(*type_, data, i);
      auto [it, last] = counts.equal_range(hash);
      while (it != last && !expression::ValuesEqual(*type_, data, i, data, it->second.index)) ++it;
      if (it == last) it = counts.emplace(hash, Count{i, 0});
      most = std::max(most, ++it->second.count);
    }
    std::vector<Count> different;
    for (const auto& [hash, count] : counts) different.push_back(count);
    std::sort(different.begin(), different.end(), [](const Count& a, const Count& b) { return a.index < b.index; });
    if (choice_ == ModeChoice::kFirstOfMap) ToMapOrder(data, &different);
    const Count* best = nullptr;
    for (const Count& count : different) {
      if (count.count < most) continue;
      int order = best == nullptr || choice_ == ModeChoice::kFirstOfMap
                      ? 0
                      : expression::CompareValues(*type_, data, count.index, data, best->index);
      if (best == nullptr || (choice_ == ModeChoice::kSmallest ? order < 0 : order > 0)) best = &count;
    }
    return out->AppendArraySlice(arrow::ArraySpan(data), best->index, 1);
  }

 private:
  // As Spark's map of the counts gives its keys back; as they came where that cannot be told.
  template <typename Counted>
  void ToMapOrder(const arrow::ArrayData& data, std::vector<Counted>* different) const {
    std::vector<uint32_t> hashes;
    for (const Counted& count : *different) {
      std::optional<uint32_t> hash = JavaHash(*type_, data, count.index);
      if (!hash) return;
      hashes.push_back(*hash);
    }
    std::vector<Counted> ordered;
    for (size_t i : OpenHashMapOrder(hashes)) ordered.push_back((*different)[i]);
    *different = std::move(ordered);
  }

  ModeChoice choice_;
  CountBuffers bytes_;
};

// Values whose buffer is a list of them.
class HeldListState : public HeldValuesState {
 public:
  HeldListState(const DataTypePtr& type, arrow::MemoryPool* pool)
      : HeldValuesState(type, pool), list_type_(types::Array(type, false)), bytes_(list_type_, pool) {}

  arrow::Status Merge(const EvalContext&, std::span<const uint32_t> group_ids,
                      const arrow::ArrayVector& buffers) override {
    return bytes_.Decode(group_ids, *buffers[0], &rows_);
  }
  arrow::Result<arrow::ArrayVector> Buffers() override {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> lists, rows_.ToLists(*list_type_));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> buffers, bytes_.Encode(*lists));
    return arrow::ArrayVector{std::move(buffers)};
  }

 private:
  DataTypePtr list_type_;
  ListBuffers bytes_;
};

class ListAggState final : public HeldListState {
 public:
  ListAggState(DataTypePtr type, std::string delimiter, arrow::MemoryPool* pool)
      : HeldListState(type, pool), delimiter_(std::move(delimiter)) {}

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
  std::string text_;
};

// Rows (key…, text) put in order, then the texts as one. `keys` says the order of each field but the last.
class OrderedListAggState final : public HeldListState {
 public:
  OrderedListAggState(DataTypePtr rows, DataTypePtr result, std::vector<expression::RowComparator::Key> keys,
                      std::string delimiter, bool distinct, arrow::MemoryPool* pool)
      : HeldListState(rows, pool),
        result_(std::move(result)),
        comparator_(std::move(keys)),
        delimiter_(std::move(delimiter)),
        distinct_(distinct) {}

  arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext&) override {
    ARROW_ASSIGN_OR_RAISE(CollectedRows::Grouped grouped, rows_.Group());
    const auto& rows = static_cast<const arrow::StructArray&>(*grouped.values);
    std::vector<std::shared_ptr<arrow::ArrayData>> keys;
    for (int i = 0; i + 1 < rows.num_fields(); ++i) keys.push_back(rows.field(i)->data());
    std::shared_ptr<arrow::Array> texts = rows.field(rows.num_fields() - 1);
    std::unique_ptr<arrow::ArrayBuilder> builder;
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool_, types::ToArrow(*result_), &builder));
    std::vector<int64_t> order;
    for (size_t group = 0; group + 1 < grouped.offsets.size(); ++group) {
      order.resize(static_cast<size_t>(grouped.offsets[group + 1] - grouped.offsets[group]));
      std::iota(order.begin(), order.end(), static_cast<int64_t>(grouped.offsets[group]));
      std::stable_sort(order.begin(), order.end(),
                       [&](int64_t a, int64_t b) { return comparator_.Compare(keys, a, keys, b) < 0; });
      ARROW_RETURN_NOT_OK(order.empty() ? builder->AppendNull()
                                        : AppendJoined(static_cast<const arrow::BinaryArray&>(*texts), order,
                                                       static_cast<arrow::BinaryBuilder*>(builder.get())));
    }
    return builder->Finish();
  }

 protected:
  arrow::Status AppendResult(const arrow::Array&, int64_t, int64_t, arrow::ArrayBuilder*) override {
    return arrow::Status::NotImplemented("ordered rows are joined by Finish");
  }

 private:
  arrow::Status AppendJoined(const arrow::BinaryArray& texts, const std::vector<int64_t>& order,
                             arrow::BinaryBuilder* out) {
    text_.clear();
    for (size_t i = 0; i < order.size(); ++i) {
      // DISTINCT values are their own keys: equal ones are neighbours.
      if (distinct_ && i > 0 && texts.GetView(order[i]) == texts.GetView(order[i - 1])) continue;
      if (i > 0) text_.append(delimiter_);
      text_.append(texts.GetView(order[i]));
    }
    return out->Append(text_);
  }

  DataTypePtr result_;
  expression::RowComparator comparator_;
  std::string delimiter_;
  bool distinct_;
  std::string text_;
};

ExpressionPtr ModeOf(const BindInput& input, ModeChoice choice, ExpressionVector shown) {
  DataTypePtr type = input.arguments[0]->type();
  return MakeAggregate(input,
                       {.type = type,
                        .buffer = {{"buf", types::Binary(), true, {}}},
                        .opaque = true,
                        .new_state = [type, choice](arrow::MemoryPool* pool) -> std::unique_ptr<AggregateState> {
                          return std::make_unique<ModeState>(type, choice, pool);
                        }},
                       std::move(shown));
}

arrow::Result<ExpressionPtr> BindMode(const BindInput& input) {
  bool smallest = false;
  if (input.arguments.size() == 2) {
    const ExpressionPtr& flag = input.arguments[1];
    // Source: Spark, ModeBuilder, which is no expression yet.
    if (!flag->foldable()) {
      return UserError("NON_FOLDABLE_ARGUMENT", {{"funcName", QuoteIdentifier("mode")},
                                                 {"paramName", QuoteIdentifier("deterministic")},
                                                 {"paramType", QuoteSqlType("BOOLEAN")}});
    }
    types::TypeId type = flag->type()->id();
    if (type != types::TypeId::kBoolean && type != types::TypeId::kNull) {
      return UserError("UNEXPECTED_INPUT_TYPE", {{"functionName", QuoteIdentifier("mode")},
                                                 {"paramIndex", "second"},
                                                 {"requiredType", QuoteSqlType("BOOLEAN")},
                                                 {"inputSql", QuoteSqlExpression(flag->Sql(true))},
                                                 {"inputType", QuoteSqlType(flag->type()->Sql())}});
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Scalar> scalar, expression::EvaluateFoldable(*flag, input.context));
    if (!scalar->is_valid) {
      return UserError("DATATYPE_MISMATCH.UNEXPECTED_NULL",
                       {{"sqlExpr", QuoteSqlExpression("NULL")}, {"exprName", QuoteIdentifier("deterministic")}});
    }
    smallest = static_cast<const arrow::BooleanScalar&>(*scalar).value;
  }
  // What is so by default does not show.
  ExpressionVector shown(input.arguments.begin(),
                         input.arguments.end() - (smallest || input.arguments.size() < 2 ? 0 : 1));
  return ModeOf(input, smallest ? ModeChoice::kSmallest : ModeChoice::kFirstOfMap, std::move(shown));
}

arrow::Result<ExpressionPtr> BindListAgg(const BindInput& input) {
  DataTypePtr type = input.arguments[0]->type()->id() == types::TypeId::kBinary ? types::Binary() : types::String();
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, CoerceArgument(input, 0, type));
  BindInput full = input;
  if (full.arguments.size() == 1) full.arguments.push_back(expression::Literal::Null(types::Null()));
  std::string delimiter;
  if (!full.arguments[1]->foldable()) return NonFoldableInput(full, 1, "delimiter", types::String());
  if (full.arguments[1]->type()->id() != types::TypeId::kNull) {
    bool bytes = full.arguments[1]->type()->id() == types::TypeId::kBinary;
    if (bytes != (type->id() == types::TypeId::kBinary)) {
      return UserError("DATATYPE_MISMATCH.DATA_DIFF_TYPES",
                       {{"sqlExpr", QuoteSqlExpression(CallSql(full))},
                        {"functionName", QuoteIdentifier("listagg")},
                        {"dataType", "(" + QuoteSqlType(type->Sql()) + " or " +
                                         QuoteSqlType(full.arguments[1]->type()->Sql()) + ")"}});
    }
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

ExpressionPtr MakeOrderedMode(ExpressionPtr value, bool largest, const EvalContext& context) {
  BindInput input{*FindFunction("mode"), "mode", {value}, context};
  // The choice is an argument too, so that two calls that differ in it alone differ.
  return ModeOf(input, largest ? ModeChoice::kLargest : ModeChoice::kSmallest,
                {std::move(value), expression::Literal::Boolean(!largest)});
}

ExpressionPtr MakeOrderedListAgg(ExpressionPtr value, std::optional<std::string> delimiter,
                                 const std::vector<expression::SortOrder>& orders, bool distinct,
                                 const EvalContext& context) {
  std::vector<types::StructField> fields;
  std::vector<expression::RowComparator::Key> keys;
  ExpressionVector parts;
  std::string directions;
  auto add = [&](const ExpressionPtr& part) {
    fields.push_back({"c" + std::to_string(fields.size()), part->type(), true, {}});
    parts.push_back(part);
  };
  for (const expression::SortOrder& order : orders) {
    add(order.child);
    keys.push_back({order.child->type(), order.ascending, order.nulls_first});
    directions += order.ascending ? 'a' : 'd';
    directions += order.nulls_first ? 'f' : 'l';
  }
  if (distinct) {
    // Equal texts must be neighbours.
    add(value);
    keys.push_back({value->type(), true, true});
  }
  add(value);
  DataTypePtr rows = types::Struct(fields);
  DataTypePtr result = value->type();
  // NULL where there is no text, so that such rows are not held.
  auto info = std::make_shared<expression::CallInfo>();
  info->name = "ordered_row";
  info->kernel = [rows](const EvalContext& eval, const std::vector<arrow::Datum>& arguments,
                        int64_t num_rows) -> arrow::Result<arrow::Datum> {
    arrow::ArrayVector columns;
    for (const arrow::Datum& argument : arguments) {
      ARROW_ASSIGN_OR_RAISE(auto column, expression::ToArray(argument, num_rows, eval.memory_pool));
      columns.push_back(std::move(column));
    }
    arrow::TypedBufferBuilder<bool> validity(eval.memory_pool);
    ARROW_RETURN_NOT_OK(validity.Reserve(num_rows));
    for (int64_t i = 0; i < num_rows; ++i) validity.UnsafeAppend(columns.back()->IsValid(i));
    int64_t num_null = validity.false_count();
    ARROW_ASSIGN_OR_RAISE(auto bits, validity.Finish());
    return arrow::Datum(std::make_shared<arrow::StructArray>(types::ToArrow(*rows), num_rows, std::move(columns),
                                                             std::move(bits), num_null));
  };
  ExpressionPtr row = std::make_shared<expression::Call>(std::move(info), rows, true, std::move(parts));
  BindInput input{*FindFunction("listagg"), "listagg", {row}, context};
  ExpressionPtr shown = expression::Literal::Null(types::Null());
  if (delimiter) {
    std::shared_ptr<arrow::Buffer> bytes = arrow::Buffer::FromString(*delimiter);
    std::shared_ptr<arrow::Scalar> constant = std::make_shared<arrow::StringScalar>(bytes);
    if (result->id() == types::TypeId::kBinary) constant = std::make_shared<arrow::BinaryScalar>(bytes);
    shown = std::make_shared<expression::Literal>(result, std::move(constant));
  }
  return MakeAggregate(
      input,
      {.type = result,
       .buffer = {{"buf", types::Binary(), true, {}}},
       .opaque = true,
       .new_state = [=](arrow::MemoryPool* pool) -> std::unique_ptr<AggregateState> {
         return std::make_unique<OrderedListAggState>(rows, result, keys, delimiter.value_or(""), distinct, pool);
       }},
      {row, std::move(shown), expression::Literal::String(directions), expression::Literal::Boolean(distinct)});
}

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

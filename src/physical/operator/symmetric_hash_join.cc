#include "physical/operator/symmetric_hash_join.h"

#include <arrow/compute/api_vector.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>
#include <string_view>

#include "base/elapsed.h"
#include "base/error.h"
#include "expression/call.h"
#include "function/function_def.h"
#include "physical/join_plan.h"
#include "physical/rows.h"
#include "physical/stateful/join_partition.h"
#include "physical/stateful/partition_rows.h"
#include "physical/stateful/partitioned_output.h"
#include "state/state_stores.h"
#include "types/arrow_type.h"

namespace millrace::physical {

using arrow::Result;
using arrow::Status;
using expression::ExpressionPtr;
using expression::ExpressionVector;
using logical::JoinType;

namespace {

// Rows without a NULL that can match nothing where these go, and not late where the side has an event time.
Result<std::optional<std::vector<int32_t>>> SelectRows(const SymmetricHashJoin::Side& side,
                                                       const arrow::RecordBatch& rows, const arrow::ArrayVector& keys,
                                                       int64_t late_watermark_ms, StateMetrics* metrics) {
  std::vector<bool> has_null(static_cast<size_t>(rows.num_rows()), false);
  bool some_null = false;
  auto drop_nulls = [&](const arrow::Array& column) {
    if (column.null_count() == 0) return;
    some_null = true;
    for (int64_t i = 0; i < rows.num_rows(); ++i) {
      if (column.IsNull(i)) has_null[static_cast<size_t>(i)] = true;
    }
  };
  if (side.drops_null_keys) {
    for (const auto& key : keys) drop_nulls(*key);
    for (int column : side.never_null) drop_nulls(*rows.column(column));
  }
  std::vector<int32_t> newer;
  if (side.event_time.found()) {
    ARROW_RETURN_NOT_OK(EventTimeColumn::KeepNewer(*rows.column(side.event_time.index()), late_watermark_ms, &newer));
  } else if (!some_null) {
    return std::nullopt;
  } else {
    for (int64_t i = 0; i < rows.num_rows(); ++i) newer.push_back(static_cast<int32_t>(i));
  }
  int64_t num_nulls = std::count(has_null.begin(), has_null.end(), true);
  std::vector<int32_t> selected;
  for (int32_t row : newer) {
    if (!has_null[static_cast<size_t>(row)]) selected.push_back(row);
  }
  // A row with a NULL there never reaches the join, so it is not one that comes late.
  int64_t null_and_late = num_nulls - static_cast<int64_t>(newer.size() - selected.size());
  metrics->rows_dropped_by_watermark += rows.num_rows() - static_cast<int64_t>(newer.size()) - null_and_late;
  if (static_cast<int64_t>(selected.size()) == rows.num_rows()) return std::nullopt;
  return selected;
}

struct SideInput {
  std::vector<std::vector<PartitionedBatch>> batches;
  SlicesByPartition slices;
  int64_t num_rows = 0;
};

Result<SideInput> ReadSide(const Operator& child, const SymmetricHashJoin::Side& side, StatefulBatch& batch,
                           ExecutionContext& context) {
  arrow::MemoryPool* pool = context.eval.memory_pool;
  SideInput input;
  auto num_inputs = static_cast<size_t>(child.num_partitions(context));
  input.batches.resize(num_inputs);
  std::vector<StateMetrics> metrics(num_inputs);
  arrow::FieldVector fields = child.schema()->fields();
  std::vector<int> key_positions;
  for (size_t k = 0; k < side.key_types.size(); ++k) {
    key_positions.push_back(static_cast<int>(fields.size()));
    fields.push_back(types::ToArrow(side.key_schema->fields()[k]));
  }
  auto schema = arrow::schema(std::move(fields));
  ARROW_RETURN_NOT_OK(
      RunPrepared(child, context, [&](int partition, const std::shared_ptr<arrow::RecordBatch>& rows) -> Status {
        auto p = static_cast<size_t>(partition);
        ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector keys,
                              side.keys.Evaluate(context.EvalContextOf(child, partition), rows));
        ARROW_ASSIGN_OR_RAISE(auto selected, SelectRows(side, *rows, keys, batch.late_watermark_ms, &metrics[p]));
        arrow::ArrayVector columns = rows->columns();
        for (size_t k = 0; k < keys.size(); ++k) {
          columns.push_back(Relabel(keys[k], schema->field(key_positions[k])->type()));
        }
        auto with_keys = arrow::RecordBatch::Make(schema, rows->num_rows(), std::move(columns));
        ARROW_ASSIGN_OR_RAISE(PartitionedBatch partitioned,
                              PartitionRows(with_keys, selected ? &*selected : nullptr, key_positions, side.key_types,
                                            batch.num_partitions(), pool));
        input.batches[p].push_back(std::move(partitioned));
        return Status::OK();
      }));
  for (const auto& batches : input.batches) {
    for (const PartitionedBatch& partitioned : batches) input.num_rows += partitioned.rows->num_rows();
  }
  for (const StateMetrics& one : metrics) batch.metrics.Add(one);
  input.slices = GatherSlices(input.batches, batch.num_partitions());
  return input;
}

}  // namespace

SymmetricHashJoin::SymmetricHashJoin(Spec spec, AttributeVector output, OperatorPtr left, OperatorPtr right)
    : StatefulOperator({std::move(left), std::move(right)}, std::move(output)), spec_(std::move(spec)) {}

std::vector<StateStoreSpec> SymmetricHashJoin::state_stores() const {
  if (!spec_.has_families) return side_stores();
  StateStoreSpec store;
  store.key_schema = store.value_schema = types::Struct({});
  return {std::move(store)};
}

void SymmetricHashJoin::DescribeFamilies(state::StatefulOperatorInfo* info) const {
  if (!spec_.has_families) return;
  info->has_families = true;
  info->properties_json = R"({"useVirtualColumnFamilies":true})";
  for (StateStoreSpec& store : side_stores()) {
    info->families.push_back({std::move(store.name), std::move(store.key_schema), std::move(store.value_schema),
                              R"({"keyStateEncoderType":"NoPrefixKeyStateEncoderSpec"})", nullptr});
  }
}

std::vector<StateStoreSpec> SymmetricHashJoin::side_stores() const {
  std::vector<StateStoreSpec> stores;
  for (size_t s : {size_t{0}, size_t{1}}) {
    const Side& side = spec_.sides[s];
    std::string prefix = s == 0 ? "left-" : "right-";
    StateStoreSpec counts;
    counts.name = prefix + "keyToNumValues";
    counts.key_schema = side.key_schema;
    counts.value_schema = types::Struct({{"value", types::Long(), true, {}}});
    counts.counts_rows = false;
    if (spec_.key_time.found()) counts.time = state::StoreTime{spec_.key_time.row_time()};
    StateStoreSpec values;
    values.name = prefix + "keyWithIndexToValue";
    std::vector<types::StructField> key = side.key_schema->fields();
    key.push_back({"index", types::Long(), true, {}});
    values.key_schema = types::Struct(std::move(key));
    values.value_schema = side.value_schema;
    if (!spec_.key_time.found() && side.watermark) values.time = state::StoreTime{side.value_time.row_time(), true};
    counts.schema_version = values.schema_version = spec_.keeps_matched ? 2 : 1;
    stores.push_back(std::move(counts));
    stores.push_back(std::move(values));
  }
  return stores;
}

std::optional<int64_t> SymmetricHashJoin::OutputWatermark(int64_t input_ms) const {
  int64_t lowest = input_ms;
  for (const Side& side : spec_.sides) {
    if (!spec_.key_time.found() && side.watermark) lowest = std::min(lowest, side.watermark->At(input_ms));
  }
  return lowest;
}

bool SymmetricHashJoin::ShouldRunAnotherBatch(int64_t now_ms, int64_t next_ms) const {
  bool evicts = spec_.key_time.found() || spec_.sides[0].watermark || spec_.sides[1].watermark;
  return evicts && next_ms > now_ms;
}

Status SymmetricHashJoin::Prepare(ExecutionContext& context) const {
  ARROW_RETURN_NOT_OK(Operator::Prepare(context));
  StatefulBatch& batch = BatchOf(context);
  std::array<SideInput, 2> inputs;
  for (size_t s : {size_t{0}, size_t{1}}) {
    ARROW_ASSIGN_OR_RAISE(inputs[s], ReadSide(*children()[s], spec_.sides[s], batch, context));
  }
  // A left semi join looks at the right side first, so that left rows that match at once need not wait in state.
  std::array<size_t, 2> order = {0, 1};
  if (spec_.type == JoinType::kLeftSemi) order = {1, 0};
  auto run = [&](int task, int num_tasks, PartitionedOutput* output) -> Result<StateMetrics> {
    StateMetrics mine;
    for (int p = task; p < batch.num_partitions(); p += num_tasks) {
      ARROW_RETURN_NOT_OK(context.CheckCancelled());
      ARROW_ASSIGN_OR_RAISE(JoinStores stores, JoinStores::Open(*this, batch.stores[static_cast<size_t>(p)]));
      JoinPartition partition(*this, batch, stores, context.EvalContextOf(*this, p),
                              [&](std::shared_ptr<arrow::RecordBatch> rows) { output->Append(p, std::move(rows)); });
      auto start = std::chrono::steady_clock::now();
      for (size_t s : order) {
        for (const auto& [rows, slice] : inputs[s].slices[static_cast<size_t>(p)]) {
          ARROW_RETURN_NOT_OK(partition.JoinRows(static_cast<int>(s), rows->SliceOf(*slice)));
        }
      }
      mine.update_us += MicrosSince(start);
      start = std::chrono::steady_clock::now();
      ARROW_RETURN_NOT_OK(partition.Evict());
      mine.removal_us += MicrosSince(start);
      mine.Add(partition.metrics());
    }
    return mine;
  };
  return RunStateTasks(*this, inputs[0].num_rows + inputs[1].num_rows, batch, context, run);
}

int SymmetricHashJoin::num_partitions(const ExecutionContext& context) const {
  return context.StateOf<PartitionedOutput>(*this)->num_partitions();
}

Result<std::unique_ptr<BatchStream>> SymmetricHashJoin::Open(int partition, ExecutionContext& context) const {
  return context.StateOf<PartitionedOutput>(*this)->Open(partition, schema(), context);
}

namespace {

// `a <=> b` becomes two keys a side, as Spark makes them: the value with a default for NULL, and whether it is NULL.
Result<ExpressionVector> EquiKeys(const ExpressionVector& keys, const std::vector<bool>& null_safe) {
  ExpressionVector plain;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!null_safe[i]) {
      plain.push_back(keys[i]);
      continue;
    }
    auto zero = arrow::MakeScalar(types::ToArrow(*keys[i]->type()), 0);
    std::shared_ptr<arrow::Scalar> value;
    if (keys[i]->type()->id() == types::TypeId::kString) {
      value = std::make_shared<arrow::StringScalar>("");
    } else if (zero.ok()) {
      value = *zero;
    } else {
      return UserError("UNSUPPORTED_FEATURE.STATE_STORE_MULTIPLE_COLUMN_FAMILIES",
                       {{"stateStoreProvider", "<=> over " + keys[i]->type()->CatalogString()}});
    }
    auto fallback = std::make_shared<expression::Literal>(keys[i]->type(), std::move(value));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr coalesced, function::BindCall("coalesce", {keys[i], std::move(fallback)}, {}));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr is_null, function::BindCall("isnull", {keys[i]}, {}));
    plain.push_back(std::move(coalesced));
    plain.push_back(std::move(is_null));
  }
  return plain;
}

bool ReadsOnly(const ExpressionPtr& expression, const AttributeVector& side) {
  std::vector<expression::AttributeId> references = expression::References(*expression);
  return std::all_of(references.begin(), references.end(), [&](expression::AttributeId id) {
    return std::any_of(side.begin(), side.end(), [&](const auto& column) { return column->id() == id; });
  });
}

/// The condition by what it reads. Conjuncts without columns go to both sides, as in Spark.
struct SplitCondition {
  ExpressionPtr left, right, both;
};

SplitCondition Split(const ExpressionPtr& condition, const AttributeVector& left, const AttributeVector& right) {
  ExpressionVector left_only, right_only, both, nondeterministic;
  for (const ExpressionPtr& conjunct : logical::SplitConjuncts(condition)) {
    if (!conjunct->deterministic()) {
      nondeterministic.push_back(conjunct);
      continue;
    }
    bool in_left = ReadsOnly(conjunct, left), in_right = ReadsOnly(conjunct, right);
    if (in_left) left_only.push_back(conjunct);
    if (in_right) right_only.push_back(conjunct);
    if (!in_left && !in_right) both.push_back(conjunct);
  }
  both.insert(both.end(), nondeterministic.begin(), nondeterministic.end());
  return {logical::JoinConjuncts(left_only), logical::JoinConjuncts(right_only), logical::JoinConjuncts(both)};
}

// Where the columns stand.
std::vector<SymmetricHashJoin::Column> Locate(const AttributeVector& wanted, const AttributeVector& left,
                                              const AttributeVector& right) {
  std::vector<SymmetricHashJoin::Column> columns;
  for (const auto& column : wanted) {
    auto same = [&](const auto& candidate) { return candidate->id() == column->id(); };
    auto in_left = std::find_if(left.begin(), left.end(), same);
    if (in_left != left.end()) {
      columns.push_back({0, static_cast<int>(in_left - left.begin())});
    } else {
      columns.push_back({1, static_cast<int>(std::find_if(right.begin(), right.end(), same) - right.begin())});
    }
  }
  return columns;
}

std::string FormatOf(const StreamingPlan& streaming) {
  return streaming.conf("spark.sql.streaming.join.stateFormatVersion").value_or("2");
}

Status FillSide(const AttributeVector& mine, const AttributeVector& others, const ExpressionVector& keys,
                const ExpressionPtr& filter, const ExpressionPtr& condition, bool key_has_watermark,
                const StreamingPlan& streaming, SymmetricHashJoin::Side* side) {
  bool allow_several = streaming.conf("spark.sql.streaming.statefulOperator.allowMultiple").value_or("true") == "false";
  bool keeps_matched = FormatOf(streaming) != "1";
  ARROW_ASSIGN_OR_RAISE(side->keys, ExpressionSet::Bind(keys, mine));
  std::vector<types::StructField> key_fields, value_fields;
  for (size_t k = 0; k < keys.size(); ++k) {
    side->key_types.push_back(keys[k]->type());
    key_fields.push_back({"field" + std::to_string(k), keys[k]->type(), keys[k]->nullable(), {}});
  }
  for (const auto& column : mine) value_fields.push_back(column->ToField());
  side->num_columns = mine.size();
  if (keeps_matched) value_fields.push_back({"matched", types::Boolean(), true, {}});
  side->key_schema = types::Struct(std::move(key_fields));
  side->value_schema = types::Struct(std::move(value_fields));
  if (filter != nullptr) {
    ARROW_ASSIGN_OR_RAISE(side->filter, ExpressionSet::Bind({filter}, mine));
  }
  ARROW_ASSIGN_OR_RAISE(side->event_time, EventTimeColumn::Find(mine, allow_several));
  if (key_has_watermark || !side->event_time.found()) return Status::OK();
  side->watermark = StateWatermark::Derive(condition, mine, others);
  if (!side->watermark) return Status::OK();
  AttributeVector in_state = mine;
  if (keeps_matched) {
    in_state.push_back(std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), "matched",
                                                                        types::Boolean(), true));
  }
  ARROW_ASSIGN_OR_RAISE(side->value_time, EventTimeColumn::Find(in_state, allow_several));
  return Status::OK();
}

// The key columns as they lie in state, the one with a watermark marked.
Result<EventTimeColumn> KeyTime(const ExpressionVector& left_keys, int ordinal) {
  AttributeVector columns;
  for (size_t k = 0; k < left_keys.size(); ++k) {
    columns.push_back(std::make_shared<expression::AttributeReference>(
        expression::NextAttributeId(), "field", left_keys[k]->type(), true, std::vector<std::string>(),
        static_cast<int>(k) == ordinal ? R"({"spark.watermarkDelayMs":0})" : ""));
  }
  return EventTimeColumn::Find(columns, true);
}

std::string Describe(const logical::Join& join, const JoinCondition& keys, const SplitCondition& split) {
  auto text = [](const ExpressionPtr& part) { return part == nullptr ? "null" : logical::DescribeExpression(part); };
  return fmt::format(
      "StreamingSymmetricHashJoin {}, {}, {}, condition = [ leftOnly = {}, rightOnly = {}, both = {}, full = {} ]",
      logical::DescribeExpressions(keys.left_keys), logical::DescribeExpressions(keys.right_keys),
      logical::JoinTypeName(join.type()), text(split.left), text(split.right), text(split.both), text(keys.residual));
}

// Format 1 does not tell whether a row ever matched: Spark refuses it where unmatched rows come out.
Status CheckFormat(const StreamingPlan& streaming, JoinType type) {
  std::string version = FormatOf(streaming);
  bool inner = type == JoinType::kInner || type == JoinType::kCross;
  if (version == "2" || version == "3" || (version == "1" && inner)) return Status::OK();
  if (version == "1") {
    return Status::Invalid("The query is using stream-stream ", logical::JoinTypeName(type),
                           " join with state format version 1 - correctness issue is discovered. Please discard the "
                           "checkpoint and rerun the query. See SPARK-26154 for more details.");
  }
  return Status::NotImplemented("spark.sql.streaming.join.stateFormatVersion = ", version, " of a ",
                                logical::JoinTypeName(type),
                                " join of two streams: formats 1 to 3 (2 is Spark's default) are read and written");
}

void FillReadColumns(SymmetricHashJoin::Spec* spec) {
  for (int s : {0, 1}) {
    std::set<int> read;
    for (const auto* columns : {&spec->residual_columns, &spec->output_columns}) {
      for (const auto& column : *columns) {
        if (column.side == s) read.insert(column.index);
      }
    }
    spec->sides[static_cast<size_t>(s)].read_columns.assign(read.begin(), read.end());
  }
}

Status BindResidual(const ExpressionPtr& condition, const AttributeVector& left, const AttributeVector& right,
                    SymmetricHashJoin::Spec* spec) {
  std::set<expression::AttributeId> read;
  AddReferences({condition}, &read);
  AttributeVector columns;
  arrow::FieldVector fields;
  for (const AttributeVector* side : {&left, &right}) {
    for (const auto& column : *side) {
      if (read.count(column->id()) == 0) continue;
      columns.push_back(column);
      fields.push_back(types::ToArrow(column->ToField()));
    }
  }
  ARROW_ASSIGN_OR_RAISE(spec->residual, ExpressionSet::Bind({condition}, columns));
  spec->residual_columns = Locate(columns, left, right);
  spec->residual_schema = arrow::schema(std::move(fields));
  return Status::OK();
}

// Columns that a value reads in such a way that it is NULL where they are. Source: Spark, NullIntolerant expressions,
// of which these make up conditions over time.
void ReadNullIntolerant(const expression::Expression& value, std::set<expression::AttributeId>* columns) {
  using expression::ExpressionKind;
  if (value.kind() == ExpressionKind::kAttribute) {
    columns->insert(static_cast<const expression::AttributeReference&>(value).id());
    return;
  }
  static constexpr std::string_view kIntolerant[] = {"=", "<", "<=", ">", ">=", "+", "-"};
  bool passes = value.kind() == ExpressionKind::kCast ||
                (value.kind() == ExpressionKind::kCall &&
                 std::find(std::begin(kIntolerant), std::end(kIntolerant),
                           static_cast<const expression::Call&>(value).name()) != std::end(kIntolerant));
  if (!passes) return;
  for (const auto& child : value.children()) ReadNullIntolerant(*child, columns);
}

std::vector<int> NeverNull(const expression::ExpressionPtr& condition, const AttributeVector& side) {
  std::set<expression::AttributeId> columns;
  for (const auto& conjunct : logical::SplitConjuncts(condition)) {
    if (conjunct->kind() == expression::ExpressionKind::kCall) ReadNullIntolerant(*conjunct, &columns);
  }
  std::vector<int> positions;
  for (size_t i = 0; i < side.size(); ++i) {
    if (columns.count(side[i]->id()) > 0) positions.push_back(static_cast<int>(i));
  }
  return positions;
}

}  // namespace

bool MatchesSymmetricHashJoin(const logical::Plan& node) {
  return node.kind() == logical::NodeKind::kJoin && node.children()[0]->is_streaming() &&
         node.children()[1]->is_streaming();
}

Result<OperatorPtr> PlanSymmetricHashJoin(const logical::PlanPtr& node, const RequiredColumns& required,
                                          Planner& planner) {
  if (!planner.options().streaming) return InternalError("a join of two streams outside of a streaming query");
  const auto& join = static_cast<const logical::Join&>(*node);
  const StreamingPlan& streaming = *planner.options().streaming;
  ARROW_RETURN_NOT_OK(CheckFormat(streaming, join.type()));
  JoinCondition condition = SplitJoinCondition(join);
  if (condition.left_keys.empty()) return UserError("_LEGACY_ERROR_TEMP_1181");
  // Exactly the children's columns: they are the rows of state.
  ARROW_ASSIGN_OR_RAISE(OperatorPtr left, planner.Plan(join.left()));
  ARROW_ASSIGN_OR_RAISE(OperatorPtr right, planner.Plan(join.right()));
  ARROW_ASSIGN_OR_RAISE(ExpressionVector left_keys, EquiKeys(condition.left_keys, condition.null_safe));
  ARROW_ASSIGN_OR_RAISE(ExpressionVector right_keys, EquiKeys(condition.right_keys, condition.null_safe));
  SplitCondition split = Split(condition.residual, left->output(), right->output());

  SymmetricHashJoin::Spec spec;
  spec.keeps_matched = FormatOf(streaming) != "1";
  spec.has_families = FormatOf(streaming) == "3";
  spec.type = join.type() == JoinType::kCross ? JoinType::kInner : join.type();
  int key_with_watermark = JoinKeyWithWatermark(left_keys, right_keys);
  if (key_with_watermark >= 0) {
    ARROW_ASSIGN_OR_RAISE(spec.key_time, KeyTime(left_keys, key_with_watermark));
  }
  bool by_key = key_with_watermark >= 0;
  ARROW_RETURN_NOT_OK(FillSide(left->output(), right->output(), left_keys, split.left, condition.residual, by_key,
                               streaming, &spec.sides[0]));
  ARROW_RETURN_NOT_OK(FillSide(right->output(), left->output(), right_keys, split.right, condition.residual, by_key,
                               streaming, &spec.sides[1]));
  bool both_filtered = spec.type == JoinType::kInner || spec.type == JoinType::kLeftSemi;
  spec.sides[0].drops_null_keys = both_filtered || spec.type == JoinType::kRightOuter;
  spec.sides[1].drops_null_keys = both_filtered || spec.type == JoinType::kLeftOuter;
  spec.sides[0].never_null = NeverNull(condition.residual, left->output());
  spec.sides[1].never_null = NeverNull(condition.residual, right->output());
  if (split.both != nullptr) {
    ARROW_RETURN_NOT_OK(BindResidual(split.both, left->output(), right->output(), &spec));
  }
  AttributeVector output;
  for (const auto& column : join.output()) {
    if (!required.has_value() || required->count(column->id()) > 0) output.push_back(column);
  }
  spec.output_columns = Locate(output, left->output(), right->output());
  FillReadColumns(&spec);
  spec.text = Describe(join, condition, split);
  return std::make_shared<SymmetricHashJoin>(std::move(spec), std::move(output), std::move(left), std::move(right));
}

}  // namespace millrace::physical

#include "physical/aggregation.h"

#include <arrow/array/array_primitive.h>
#include <arrow/buffer.h>

#include "expression/node.h"
#include "physical/operator/project_filter.h"
#include "physical/rows.h"
#include "physical/shuffle_order.h"
#include "types/arrow_type.h"

namespace millrace::physical {

using expression::AggregateCall;
using expression::AttributeReference;
using expression::ExpressionKind;
using expression::ExpressionPtr;
using expression::ExpressionVector;

namespace {

// Puts the group and aggregate columns where their expressions stand. Top-down, so that `GROUP BY a + 1` matches
// before `a` is looked at.
class ItemRewriter {
 public:
  explicit ItemRewriter(AggregationSpec* spec) : spec_(spec) {}

  ExpressionPtr Rewrite(const ExpressionPtr& node) {
    if (node->kind() == ExpressionKind::kAggregateCall) return CallColumn(node);
    for (size_t i = 0; i < spec_->grouping.size(); ++i) {
      if (expression::SemanticallyEqual(*spec_->grouping[i], *node)) return spec_->group_columns[i];
    }
    if (node->children().empty()) return node;
    ExpressionVector children;
    bool changed = false;
    for (const ExpressionPtr& child : node->children()) {
      children.push_back(Rewrite(child));
      changed = changed || children.back() != child;
    }
    return changed ? node->WithChildren(std::move(children)) : node;
  }

 private:
  ExpressionPtr CallColumn(const ExpressionPtr& node) {
    auto call = std::static_pointer_cast<const AggregateCall>(node);
    for (size_t i = 0; i < spec_->calls.size(); ++i) {
      if (expression::SemanticallyEqual(*spec_->calls[i], *call)) return spec_->call_columns[i];
    }
    spec_->calls.push_back(call);
    spec_->call_columns.push_back(std::make_shared<AttributeReference>(expression::NextAttributeId(), call->Sql(true),
                                                                       call->type(), call->nullable()));
    return spec_->call_columns.back();
  }

  AggregationSpec* spec_;
};

}  // namespace

AggregationSpec MakeAggregationSpec(const logical::Aggregate& node) {
  AggregationSpec spec;
  for (ExpressionPtr group : node.grouping()) {
    if (group->kind() == ExpressionKind::kAlias) group = static_cast<const expression::Alias&>(*group).child();
    spec.grouping.push_back(group);
    if (group->kind() == ExpressionKind::kAttribute) {
      spec.group_columns.push_back(std::static_pointer_cast<const AttributeReference>(group));
    } else {
      spec.group_columns.push_back(std::make_shared<AttributeReference>(expression::NextAttributeId(), group->Sql(true),
                                                                        group->type(), group->nullable()));
    }
  }
  ItemRewriter rewriter(&spec);
  for (const ExpressionPtr& item : node.items()) {
    ExpressionPtr rewritten = rewriter.Rewrite(item);
    // `a` grouped by itself stays `a`; what lost its name gets it back.
    if (rewritten->kind() == ExpressionKind::kAttribute || rewritten->kind() == ExpressionKind::kAlias) {
      spec.results.push_back(std::move(rewritten));
    } else {
      expression::AttributePtr shown = expression::ToAttribute(item);
      spec.results.push_back(std::make_shared<expression::Alias>(std::move(rewritten), shown->name(), shown->id(),
                                                                 shown->metadata_json()));
    }
  }
  return spec;
}

bool AggregatesBySorting(const AggregationSpec& spec) {
  bool is_mutable = true;
  for (const auto& call : spec.calls) {
    if (call->function()->opaque_buffer()) return false;
    for (const auto& field : call->function()->buffer_fields()) {
      is_mutable = is_mutable && IsMutableInPlace(*field.type);
    }
  }
  return !is_mutable;
}

arrow::Result<AggregationPlan> AggregationPlan::Bind(const AggregationSpec& spec,
                                                     const expression::AttributeVector& input) {
  AggregationPlan plan;
  ExpressionVector inputs = spec.grouping;
  arrow::FieldVector fields;
  for (const auto& column : spec.group_columns) {
    fields.push_back(types::ToArrow(column->ToField()));
    plan.key_types_.push_back(fields.back()->type());
  }
  for (size_t c = 0; c < spec.calls.size(); ++c) {
    const AggregateCall& call = *spec.calls[c];
    Call bound;
    bound.function = call.function();
    bound.distinct = call.distinct() && call.function()->distinct_matters();
    ExpressionPtr filter = call.filter();
    for (int a = 0; a < call.num_arguments(); ++a) {
      ExpressionPtr argument = call.children()[static_cast<size_t>(a)];
      // Rows that the filter drops cannot make it fail.
      if (filter != nullptr && argument->can_fail() && filter->type()->id() == types::TypeId::kBoolean) {
        argument = std::make_shared<expression::CaseWhen>(ExpressionVector{filter, std::move(argument)}, false);
      }
      bound.arguments.push_back(static_cast<int>(inputs.size()));
      inputs.push_back(std::move(argument));
    }
    if (filter != nullptr) {
      bound.filter = static_cast<int>(inputs.size());
      inputs.push_back(std::move(filter));
    }
    plan.calls_.push_back(std::move(bound));
    fields.push_back(types::ToArrow(spec.call_columns[c]->ToField()));
  }
  for (const ExpressionPtr& expression : inputs) plan.input_types_.push_back(types::ToArrow(*expression->type()));
  ARROW_ASSIGN_OR_RAISE(plan.inputs_, ExpressionSet::Bind(inputs, input));
  plan.result_schema_ = arrow::schema(std::move(fields));
  return plan;
}

Aggregation::Aggregation(const AggregationPlan* plan, arrow::MemoryPool* pool)
    : plan_(plan), pool_(pool), groups_(plan->key_types(), pool) {
  for (const AggregationPlan::Call& call : plan->calls()) {
    states_.push_back(call.function->NewState(pool));
    if (!call.distinct) {
      distinct_.push_back(nullptr);
      continue;
    }
    std::vector<std::shared_ptr<arrow::DataType>> types = {arrow::uint32()};
    for (int argument : call.arguments) types.push_back(plan->input_types()[static_cast<size_t>(argument)]);
    distinct_.push_back(std::make_unique<GroupTable>(std::move(types), pool));
  }
}

namespace {

std::shared_ptr<arrow::Array> GroupArray(std::vector<uint32_t> group_ids) {
  auto length = static_cast<int64_t>(group_ids.size());
  return std::make_shared<arrow::UInt32Array>(length, arrow::Buffer::FromVector(std::move(group_ids)));
}

std::span<const uint32_t> GroupsOf(const arrow::Array& array) {
  return {array.data()->GetValues<uint32_t>(1), static_cast<size_t>(array.length())};
}

}  // namespace

arrow::Status Aggregation::MapDistinct(size_t call, arrow::ArrayVector group_and_arguments, int64_t num_rows) {
  std::vector<uint32_t> ignored;
  return distinct_[call]->Map(group_and_arguments, num_rows, &ignored);
}

arrow::Status Aggregation::Update(const expression::EvalContext& context,
                                  const std::shared_ptr<arrow::RecordBatch>& batch) {
  ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector inputs, plan_->inputs().Evaluate(context, batch));
  arrow::ArrayVector keys(inputs.begin(), inputs.begin() + static_cast<ptrdiff_t>(plan_->num_keys()));
  ARROW_RETURN_NOT_OK(groups_.Map(keys, batch->num_rows(), &group_ids_));
  for (size_t c = 0; c < states_.size(); ++c) {
    const AggregationPlan::Call& call = plan_->calls()[c];
    arrow::ArrayVector arguments;
    for (int argument : call.arguments) arguments.push_back(inputs[static_cast<size_t>(argument)]);
    std::vector<uint32_t> passing;
    const std::vector<uint32_t>* group_ids = &group_ids_;
    if (call.filter >= 0) {
      const arrow::Array& condition = *inputs[static_cast<size_t>(call.filter)];
      std::vector<int32_t> rows;
      if (condition.type_id() == arrow::Type::BOOL) rows = TrueRows(condition);
      if (static_cast<int64_t>(rows.size()) < batch->num_rows()) {
        for (int32_t row : rows) passing.push_back(group_ids_[static_cast<size_t>(row)]);
        group_ids = &passing;
        ARROW_ASSIGN_OR_RAISE(arguments, TakeRows(arguments, IndexArray(std::move(rows)), pool_));
      }
    }
    if (distinct_[c] != nullptr) {
      arguments.insert(arguments.begin(), GroupArray(*group_ids));
      ARROW_RETURN_NOT_OK(MapDistinct(c, std::move(arguments), static_cast<int64_t>(group_ids->size())));
      continue;
    }
    ARROW_RETURN_NOT_OK(states_[c]->Resize(groups_.num_groups()));
    ARROW_RETURN_NOT_OK(states_[c]->Update(context, *group_ids, arguments));
  }
  return arrow::Status::OK();
}

arrow::Result<PartialAggregation> Aggregation::TakePartial() {
  PartialAggregation partial;
  partial.num_groups = groups_.num_groups();
  ARROW_ASSIGN_OR_RAISE(partial.keys, groups_.Keys());
  partial.hashes.assign(groups_.hashes().begin(), groups_.hashes().end());
  for (size_t c = 0; c < states_.size(); ++c) {
    arrow::ArrayVector buffers, distinct_rows;
    if (distinct_[c] != nullptr) {
      ARROW_ASSIGN_OR_RAISE(distinct_rows, distinct_[c]->Keys());
    } else {
      ARROW_RETURN_NOT_OK(states_[c]->Resize(partial.num_groups));
      ARROW_ASSIGN_OR_RAISE(buffers, states_[c]->Buffers());
    }
    partial.buffers.push_back(std::move(buffers));
    partial.distinct_rows.push_back(std::move(distinct_rows));
  }
  return partial;
}

arrow::Status Aggregation::Merge(const expression::EvalContext& context, const PartialAggregation& partial, int part,
                                 int num_parts) {
  // The bits below are not those that choose a slot in a table.
  auto belongs = [&](uint64_t hash) {
    return static_cast<int>((hash >> 40) % static_cast<uint64_t>(num_parts)) == part;
  };
  std::vector<int32_t> rows;
  for (int64_t group = 0; group < partial.num_groups; ++group) {
    if (num_parts == 1 || belongs(partial.hashes[static_cast<size_t>(group)])) {
      rows.push_back(static_cast<int32_t>(group));
    }
  }
  if (rows.empty()) return arrow::Status::OK();
  bool all = static_cast<int64_t>(rows.size()) == partial.num_groups;
  std::shared_ptr<arrow::Array> indices = IndexArray(rows);
  auto select = [&](const arrow::ArrayVector& columns) -> arrow::Result<arrow::ArrayVector> {
    if (all) return columns;
    return TakeRows(columns, indices, pool_);
  };
  ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector keys, select(partial.keys));
  ARROW_RETURN_NOT_OK(groups_.Map(keys, static_cast<int64_t>(rows.size()), &group_ids_));
  // From the partial's groups to ours, for the rows of DISTINCT calls.
  std::vector<uint32_t> renumbered(static_cast<size_t>(partial.num_groups), GroupTable::kNoGroup);
  for (size_t i = 0; i < rows.size(); ++i) renumbered[static_cast<size_t>(rows[i])] = group_ids_[i];

  for (size_t c = 0; c < states_.size(); ++c) {
    if (distinct_[c] == nullptr) {
      ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector buffers, select(partial.buffers[c]));
      ARROW_RETURN_NOT_OK(states_[c]->Resize(groups_.num_groups()));
      ARROW_RETURN_NOT_OK(states_[c]->Merge(context, group_ids_, buffers));
      continue;
    }
    const arrow::ArrayVector& distinct_rows = partial.distinct_rows[c];
    std::vector<int32_t> ours;
    std::vector<uint32_t> groups;
    std::span<const uint32_t> theirs = GroupsOf(*distinct_rows[0]);
    for (size_t i = 0; i < theirs.size(); ++i) {
      if (renumbered[theirs[i]] == GroupTable::kNoGroup) continue;
      ours.push_back(static_cast<int32_t>(i));
      groups.push_back(renumbered[theirs[i]]);
    }
    auto num_rows = static_cast<int64_t>(ours.size());
    arrow::ArrayVector arguments(distinct_rows.begin() + 1, distinct_rows.end());
    ARROW_ASSIGN_OR_RAISE(arguments, TakeRows(arguments, IndexArray(std::move(ours)), pool_));
    arguments.insert(arguments.begin(), GroupArray(std::move(groups)));
    ARROW_RETURN_NOT_OK(MapDistinct(c, std::move(arguments), num_rows));
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> Aggregation::Finish(const expression::EvalContext& context) {
  int64_t num_groups = plan_->num_keys() == 0 ? 1 : groups_.num_groups();
  arrow::ArrayVector columns;
  if (plan_->num_keys() > 0) {
    ARROW_ASSIGN_OR_RAISE(columns, groups_.Keys());
  }
  for (size_t c = 0; c < states_.size(); ++c) {
    ARROW_RETURN_NOT_OK(states_[c]->Resize(num_groups));
    if (distinct_[c] != nullptr) {
      ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector rows, distinct_[c]->Keys());
      std::shared_ptr<arrow::Array> groups = rows[0];
      rows.erase(rows.begin());
      ARROW_RETURN_NOT_OK(states_[c]->Update(context, GroupsOf(*groups), rows));
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> column, states_[c]->Finish(context));
    columns.push_back(std::move(column));
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    columns[i] = Relabel(columns[i], plan_->result_schema()->field(static_cast<int>(i))->type());
  }
  return arrow::RecordBatch::Make(plan_->result_schema(), num_groups, std::move(columns));
}

}  // namespace millrace::physical

#include "physical/operator/project_filter.h"

#include <arrow/array/array_primitive.h>
#include <arrow/util/bit_util.h>

#include "expression/call.h"
#include "logical/node/filter.h"
#include "logical/node/project.h"
#include "logical/node/source_scan.h"
#include "physical/rows.h"
#include "types/arrow_type.h"

namespace millrace::physical {

using expression::AttributeId;
using expression::ExpressionPtr;
using expression::ExpressionVector;

std::vector<int32_t> TrueRows(const arrow::Array& condition) {
  const arrow::ArrayData& data = *condition.data();
  int64_t num_rows = condition.length();
  std::vector<int32_t> rows(static_cast<size_t>(num_rows));
  const uint8_t* bits = data.buffers[1]->data();
  const uint8_t* validity = condition.null_count() > 0 ? data.buffers[0]->data() : nullptr;
  size_t count = 0;
  for (int64_t i = 0; i < num_rows; ++i) {
    bool passes = arrow::bit_util::GetBit(bits, data.offset + i) &&
                  (validity == nullptr || arrow::bit_util::GetBit(validity, data.offset + i));
    rows[count] = static_cast<int32_t>(i);
    count += passes ? 1 : 0;
  }
  rows.resize(count);
  return rows;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> FilterBatch(const std::shared_ptr<arrow::RecordBatch>& batch,
                                                               const arrow::Array& condition,
                                                               const std::vector<int>& kept,
                                                               const std::shared_ptr<arrow::Schema>& schema,
                                                               arrow::MemoryPool* pool) {
  arrow::ArrayVector columns;
  columns.reserve(kept.size());
  for (int column : kept) columns.push_back(batch->column(column));
  if (condition.type_id() == arrow::Type::NA) {  // a NULL literal
    return arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(columns))->Slice(0, 0);
  }
  std::vector<int32_t> rows = TrueRows(condition);
  auto num_rows = static_cast<int64_t>(rows.size());
  if (num_rows == batch->num_rows() || num_rows == 0) {
    auto all = arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(columns));
    return num_rows == 0 ? all->Slice(0, 0) : all;
  }
  ARROW_ASSIGN_OR_RAISE(columns, TakeRows(columns, IndexArray(std::move(rows)), pool));
  return arrow::RecordBatch::Make(schema, num_rows, std::move(columns));
}

namespace {

int64_t CountUnread(connector::DroppedRows dropped_rows, const arrow::Array& condition) {
  if (dropped_rows == connector::DroppedRows::kCounted) return 0;
  if (condition.type_id() == arrow::Type::NA) {
    return dropped_rows == connector::DroppedRows::kUncounted ? condition.length() : 0;
  }
  int64_t num_dropped = condition.length() - static_cast<const arrow::BooleanArray&>(condition).true_count();
  return dropped_rows == connector::DroppedRows::kUncounted ? num_dropped : num_dropped - condition.null_count();
}

class ProjectFilterStream final : public BatchStream {
 public:
  ProjectFilterStream(const std::vector<ProjectFilter::Step>* steps, std::unique_ptr<BatchStream> input,
                      const expression::EvalContext& evaluation, ExecutionContext* context)
      : steps_(steps),
        input_(std::move(input)),
        evaluations_(steps->size(), evaluation),
        rows_before_(steps->size()),
        context_(context) {}

  ~ProjectFilterStream() override {
    if (num_unread_ == 0) return;
    std::lock_guard lock(context_->metrics_mutex);
    context_->rows_read[steps_->front().source_key] -= num_unread_;
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (true) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, input_->Next());
      if (batch == nullptr) return nullptr;
      for (size_t i = 0; i < evaluations_.size(); ++i) rows_before_[i] = evaluations_[i].row_offset;
      auto taken = TakeSteps(batch);
      if (!taken.ok()) return FirstFailure(batch, taken.status());
      if ((*taken)->num_rows() > 0) return taken;
    }
  }

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeSteps(std::shared_ptr<arrow::RecordBatch> batch) {
    for (size_t i = 0; i < steps_->size() && batch->num_rows() > 0; ++i) {
      const ProjectFilter::Step& step = (*steps_)[i];
      expression::EvalContext& evaluation = evaluations_[i];
      int64_t num_rows = batch->num_rows();
      if (step.condition.empty()) {
        ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector columns, step.projection.Evaluate(evaluation, batch));
        batch = arrow::RecordBatch::Make(step.schema, num_rows, std::move(columns));
      } else {
        ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector passes, step.condition.Evaluate(evaluation, batch));
        if (step.read_condition.empty()) {
          num_unread_ += CountUnread(step.dropped_rows, *passes[0]);
        } else {
          ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector reads, step.read_condition.Evaluate(evaluation, batch));
          num_unread_ += CountUnread(step.dropped_rows, *reads[0]);
        }
        ARROW_ASSIGN_OR_RAISE(batch, FilterBatch(batch, *passes[0], step.kept, step.schema, evaluation.memory_pool));
      }
      evaluation.row_offset += num_rows;
    }
    return batch;
  }

  // Spark takes a row through all steps and then the next: of several errors it tells the one of the earliest row,
  // while a batch meets first that of the earliest step and column.
  arrow::Status FirstFailure(const std::shared_ptr<arrow::RecordBatch>& batch, const arrow::Status& failure) {
    for (size_t i = 0; i < evaluations_.size(); ++i) evaluations_[i].row_offset = rows_before_[i];
    for (int64_t row = 0; row < batch->num_rows() && batch->num_rows() > 1; ++row) {
      ARROW_RETURN_NOT_OK(TakeSteps(batch->Slice(row, 1)));
    }
    return failure;
  }

  const std::vector<ProjectFilter::Step>* steps_;
  std::unique_ptr<BatchStream> input_;
  // Each step numbers the rows that reach it.
  std::vector<expression::EvalContext> evaluations_;
  std::vector<int64_t> rows_before_;
  ExecutionContext* context_;
  int64_t num_unread_ = 0;
};

}  // namespace

ProjectFilter::ProjectFilter(std::vector<Step> steps, AttributeVector output, OperatorPtr child)
    : Operator({std::move(child)}, std::move(output)), steps_(std::move(steps)) {}

arrow::Result<std::unique_ptr<BatchStream>> ProjectFilter::Open(int partition, ExecutionContext& context) const {
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> input, children()[0]->Open(partition, context));
  return std::make_unique<ProjectFilterStream>(&steps_, std::move(input), context.EvalContextOf(*this, partition),
                                               &context);
}

std::vector<std::string> ProjectFilter::DescribeStack() const {
  std::vector<std::string> lines;
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) lines.push_back(step->text);
  return lines;
}

bool MatchesProjectFilter(const logical::Plan& node) {
  return node.kind() == logical::NodeKind::kProject || node.kind() == logical::NodeKind::kFilter;
}

namespace {

std::set<AttributeId> IdsOf(const AttributeVector& columns) {
  std::set<AttributeId> ids;
  for (const auto& column : columns) ids.insert(column->id());
  return ids;
}

// A link of the chain with what is needed above it.
struct Link {
  const logical::Plan* node;
  std::set<AttributeId> needed_above;
  ExpressionVector items;  // of a projection: those that are needed
};

bool SameColumns(const ExpressionVector& items, const AttributeVector& columns) {
  if (items.size() != columns.size()) return false;
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i]->kind() != expression::ExpressionKind::kAttribute) return false;
    const auto& item = static_cast<const expression::AttributeReference&>(*items[i]);
    if (item.id() != columns[i]->id() || item.name() != columns[i]->name()) return false;
  }
  return true;
}

std::shared_ptr<arrow::Schema> SchemaOf(const AttributeVector& columns) {
  arrow::FieldVector fields;
  for (const auto& column : columns) fields.push_back(types::ToArrow(column->ToField()));
  return arrow::schema(std::move(fields));
}

bool AsksForPresence(const expression::Expression& condition) {
  return condition.kind() == expression::ExpressionKind::kCall &&
         static_cast<const expression::Call&>(condition).name() == "isnotnull" &&
         condition.children()[0]->kind() == expression::ExpressionKind::kAttribute;
}

// Of a filter right above a stream's scan: which dropped rows do not count as read.
arrow::Status TellDroppedRows(const logical::SourceScan& scan, const logical::Filter& filter,
                              const AttributeVector& columns, ProjectFilter::Step* step) {
  using connector::DroppedRows;
  step->source_key = scan.source_key();
  // A condition on nothing is judged before anything is parsed.
  if (expression::References(*filter.condition()).empty()) {
    if (scan.def().dropped_rows != DroppedRows::kCounted) step->dropped_rows = DroppedRows::kUncounted;
    return arrow::Status::OK();
  }
  if (!scan.columns().filter_is_whole) return arrow::Status::OK();
  step->dropped_rows = scan.def().dropped_rows;
  if (step->dropped_rows != DroppedRows::kFalseUncounted) return arrow::Status::OK();
  // A NULL is mostly a member that the document lacks, and no filter looks at those: nor at whether they are there.
  ExpressionVector conjuncts = logical::SplitConjuncts(filter.condition());
  ExpressionVector judged;
  for (const ExpressionPtr& conjunct : conjuncts) {
    if (!AsksForPresence(*conjunct)) judged.push_back(conjunct);
  }
  if (judged.empty()) step->dropped_rows = DroppedRows::kCounted;
  if (judged.empty() || judged.size() == conjuncts.size()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(step->read_condition, ExpressionSet::Bind({logical::JoinConjuncts(judged)}, columns));
  return arrow::Status::OK();
}

arrow::Result<ProjectFilter::Step> FilterStep(const Link& link, AttributeVector* columns) {
  ProjectFilter::Step step;
  step.text = link.node->Describe();
  const auto& filter = static_cast<const logical::Filter&>(*link.node);
  ARROW_ASSIGN_OR_RAISE(step.condition, ExpressionSet::Bind({filter.condition()}, *columns));
  const logical::Plan& below = *filter.child();
  if (below.kind() == logical::NodeKind::kSourceScan && below.is_streaming()) {
    ARROW_RETURN_NOT_OK(TellDroppedRows(static_cast<const logical::SourceScan&>(below), filter, *columns, &step));
  }
  AttributeVector kept;
  for (size_t i = 0; i < columns->size(); ++i) {
    if (link.needed_above.count((*columns)[i]->id()) == 0) continue;
    step.kept.push_back(static_cast<int>(i));
    kept.push_back((*columns)[i]);
  }
  *columns = std::move(kept);
  step.schema = SchemaOf(*columns);
  return step;
}

}  // namespace

arrow::Result<OperatorPtr> PlanProjectFilter(const logical::PlanPtr& node, const RequiredColumns& required,
                                             Planner& planner) {
  // Down the chain: what each link must give to the one above.
  std::vector<Link> chain;
  std::set<AttributeId> needed = required.has_value() ? *required : IdsOf(node->output());
  logical::PlanPtr base = node;
  for (; MatchesProjectFilter(*base); base = base->child()) {
    Link link{base.get(), needed, {}};
    if (base->kind() == logical::NodeKind::kProject) {
      for (const ExpressionPtr& item : static_cast<const logical::Project&>(*base).items()) {
        if (needed.count(expression::ToAttribute(item)->id()) > 0) link.items.push_back(item);
      }
      needed.clear();
      AddReferences(link.items, &needed);
    } else {
      AddReferences({static_cast<const logical::Filter&>(*base).condition()}, &needed);
    }
    chain.push_back(std::move(link));
  }
  ARROW_ASSIGN_OR_RAISE(OperatorPtr child, planner.Plan(base, needed));

  // And up again, with the data.
  AttributeVector columns = child->output();
  std::vector<ProjectFilter::Step> steps;
  for (auto link = chain.rbegin(); link != chain.rend(); ++link) {
    if (link->node->kind() == logical::NodeKind::kFilter) {
      ARROW_ASSIGN_OR_RAISE(ProjectFilter::Step step, FilterStep(*link, &columns));
      steps.push_back(std::move(step));
      continue;
    }
    if (SameColumns(link->items, columns)) continue;
    ProjectFilter::Step step;
    step.text = "Project " + logical::DescribeExpressions(link->items);
    ARROW_ASSIGN_OR_RAISE(step.projection, ExpressionSet::Bind(link->items, columns));
    columns.clear();
    for (const ExpressionPtr& item : link->items) columns.push_back(expression::ToAttribute(item));
    step.schema = SchemaOf(columns);
    steps.push_back(std::move(step));
  }
  if (!required.has_value() && !SameColumns({node->output().begin(), node->output().end()}, columns)) {
    // A filter over an operator that gives its columns in another order.
    ProjectFilter::Step step;
    ExpressionVector items(node->output().begin(), node->output().end());
    step.text = "Project " + logical::DescribeExpressions(items);
    ARROW_ASSIGN_OR_RAISE(step.projection, ExpressionSet::Bind(items, columns));
    columns = node->output();
    step.schema = SchemaOf(columns);
    steps.push_back(std::move(step));
  }
  if (steps.empty()) return child;
  return std::make_shared<ProjectFilter>(std::move(steps), std::move(columns), std::move(child));
}

}  // namespace millrace::physical

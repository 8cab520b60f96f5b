#include "physical/operator/hash_join.h"

#include "physical/join_plan.h"
#include "physical/join_table.h"
#include "physical/operator/project_filter.h"
#include "physical/rows.h"

namespace millrace::physical {

namespace {

struct JoinState final : OperatorState {
  std::unique_ptr<JoinTable> table;
  // Full outer joins: all rows, unmatched build rows as the last partition.
  std::vector<Batches> finished;
};

// Pairs of row numbers; -1 stands for a row of NULLs.
struct Pairs {
  std::vector<int32_t> probe;
  std::vector<int32_t> build;

  void Add(int32_t probe_row, int32_t build_row) {
    probe.push_back(probe_row);
    build.push_back(build_row);
  }
};

// The columns of rows `probe_rows` of `probe` beside rows `build_rows` of `build`.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> PairRows(const std::vector<HashJoin::Column>& wanted,
                                                            const std::shared_ptr<arrow::Schema>& schema,
                                                            const arrow::RecordBatch& probe,
                                                            const arrow::RecordBatch& build, const Pairs& pairs,
                                                            arrow::MemoryPool* pool) {
  arrow::ArrayVector probe_columns, build_columns;
  for (const HashJoin::Column& column : wanted) {
    (column.probe ? probe_columns : build_columns)
        .push_back(column.probe ? probe.column(column.index) : build.column(column.index));
  }
  if (!probe_columns.empty()) {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, NullableIndexArray(pairs.probe, pool));
    ARROW_ASSIGN_OR_RAISE(probe_columns, TakeRows(probe_columns, indices, pool));
  }
  if (!build_columns.empty()) {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, NullableIndexArray(pairs.build, pool));
    ARROW_ASSIGN_OR_RAISE(build_columns, TakeRows(build_columns, indices, pool));
  }
  arrow::ArrayVector columns;
  size_t next_probe = 0, next_build = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    auto& column = wanted[i].probe ? probe_columns[next_probe++] : build_columns[next_build++];
    columns.push_back(Relabel(column, schema->field(static_cast<int>(i))->type()));
  }
  return arrow::RecordBatch::Make(schema, static_cast<int64_t>(pairs.probe.size()), std::move(columns));
}

class JoinStream final : public BatchStream {
 public:
  JoinStream(const HashJoin::Spec* spec, JoinTable* table, std::shared_ptr<arrow::Schema> schema,
             std::unique_ptr<BatchStream> input, expression::EvalContext evaluation, int64_t batch_rows)
      : spec_(spec),
        table_(table),
        schema_(std::move(schema)),
        input_(std::move(input)),
        evaluation_(evaluation),
        batch_rows_(static_cast<size_t>(batch_rows)) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (true) {
      if (probe_ == nullptr || next_row_ == probe_->num_rows()) {
        ARROW_ASSIGN_OR_RAISE(probe_, input_->Next());
        if (probe_ == nullptr) return nullptr;
        next_row_ = 0;
        ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector keys, spec_->probe_keys.Evaluate(evaluation_, probe_));
        ARROW_RETURN_NOT_OK(table_->Find(keys, probe_->num_rows(), spec_->null_safe, &ids_));
      }
      ARROW_ASSIGN_OR_RAISE(Pairs pairs, spec_->residual.empty() ? PairByKey() : PairByCondition());
      if (pairs.probe.empty()) continue;
      return PairRows(spec_->output_columns, schema_, *probe_, *table_->rows(), pairs, evaluation_.memory_pool);
    }
  }

 private:
  using Kind = HashJoin::Kind;

  std::span<const int32_t> MatchesOf(int64_t row) const {
    uint32_t id = ids_[static_cast<size_t>(row)];
    if (id == GroupTable::kNoGroup) return {};
    return table_->Matches(id);
  }

  bool keeps_unmatched() const { return spec_->kind == Kind::kProbeOuter || spec_->kind == Kind::kFullOuter; }

  // Pairs of the next probe rows, enough for a batch, where equal keys are all that is asked.
  arrow::Result<Pairs> PairByKey() {
    Pairs pairs;
    for (; next_row_ < probe_->num_rows() && pairs.probe.size() < batch_rows_; ++next_row_) {
      auto row = static_cast<int32_t>(next_row_);
      std::span<const int32_t> matches = MatchesOf(next_row_);
      if (spec_->kind == Kind::kSemi || spec_->kind == Kind::kAnti) {
        if (matches.empty() == (spec_->kind == Kind::kAnti)) pairs.Add(row, -1);
        continue;
      }
      for (int32_t match : matches) {
        pairs.Add(row, match);
        if (spec_->kind == Kind::kFullOuter) table_->MarkMatched(match);
      }
      if (matches.empty() && keeps_unmatched()) pairs.Add(row, -1);
    }
    return pairs;
  }

  // As PairByKey with a condition to ask for each pair.
  arrow::Result<Pairs> PairByCondition() {
    int64_t first_row = next_row_;
    Pairs candidates;
    for (; next_row_ < probe_->num_rows() && candidates.probe.size() < batch_rows_; ++next_row_) {
      for (int32_t match : MatchesOf(next_row_)) candidates.Add(static_cast<int32_t>(next_row_), match);
    }
    std::vector<int32_t> passing;
    if (!candidates.probe.empty()) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> rows,
                            PairRows(spec_->residual_columns, spec_->residual_schema, *probe_, *table_->rows(),
                                     candidates, evaluation_.memory_pool));
      ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector condition, spec_->residual.Evaluate(evaluation_, rows));
      if (condition[0]->type_id() == arrow::Type::BOOL) passing = TrueRows(*condition[0]);
    }
    // Candidates go by probe row, so one walk tells which probe rows have a partner.
    Pairs pairs;
    size_t next = 0;
    for (int64_t r = first_row; r < next_row_; ++r) {
      auto row = static_cast<int32_t>(r);
      bool matched = false;
      for (; next < passing.size() && candidates.probe[static_cast<size_t>(passing[next])] == row; ++next) {
        matched = true;
        if (spec_->kind == Kind::kSemi || spec_->kind == Kind::kAnti) continue;
        int32_t build_row = candidates.build[static_cast<size_t>(passing[next])];
        pairs.Add(row, build_row);
        if (spec_->kind == Kind::kFullOuter) table_->MarkMatched(build_row);
      }
      if (spec_->kind == Kind::kSemi ? matched : !matched && (keeps_unmatched() || spec_->kind == Kind::kAnti)) {
        pairs.Add(row, -1);
      }
    }
    return pairs;
  }

  const HashJoin::Spec* spec_;
  JoinTable* table_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<BatchStream> input_;
  expression::EvalContext evaluation_;
  size_t batch_rows_;
  std::shared_ptr<arrow::RecordBatch> probe_;
  int64_t next_row_ = 0;
  std::vector<uint32_t> ids_;
};

}  // namespace

HashJoin::HashJoin(Spec spec, AttributeVector output, OperatorPtr left, OperatorPtr right)
    : Operator({std::move(left), std::move(right)}, std::move(output)), spec_(std::move(spec)) {}

arrow::Status HashJoin::Prepare(ExecutionContext& context) const {
  ARROW_RETURN_NOT_OK(Operator::Prepare(context));
  ARROW_ASSIGN_OR_RAISE(std::vector<Batches> partitions, CollectPrepared(build(), context));
  Batches all;
  for (Batches& batches : partitions) all.insert(all.end(), batches.begin(), batches.end());
  arrow::MemoryPool* pool = context.eval.memory_pool;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> rows, ConcatenateBatches(build().schema(), all, pool));
  ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector keys, spec_.build_keys.Evaluate(context.eval, rows));
  auto state = std::make_unique<JoinState>();
  ARROW_ASSIGN_OR_RAISE(state->table, JoinTable::Build(std::move(rows), keys, spec_.key_types, spec_.null_safe, pool));

  if (spec_.kind == Kind::kFullOuter) {
    JoinTable* table = state->table.get();
    int num_probes = probe().num_partitions(context);
    state->finished.resize(static_cast<size_t>(num_probes) + 1);
    auto run_one = [&](int partition) -> arrow::Status {
      ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> input, probe().Open(partition, context));
      JoinStream stream(&spec_, table, schema(), std::move(input), context.EvalContextOf(*this, partition),
                        context.batch_rows);
      while (true) {
        ARROW_RETURN_NOT_OK(context.CheckCancelled());
        ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, stream.Next());
        if (batch == nullptr) return arrow::Status::OK();
        state->finished[static_cast<size_t>(partition)].push_back(std::move(batch));
      }
    };
    if (context.pool != nullptr) {
      ARROW_RETURN_NOT_OK(context.pool->RunAll(num_probes, run_one));
    } else {
      for (int partition = 0; partition < num_probes; ++partition) ARROW_RETURN_NOT_OK(run_one(partition));
    }
    Pairs unmatched;
    for (int32_t row = 0; row < table->rows()->num_rows(); ++row) {
      if (!table->IsMatched(row)) unmatched.Add(-1, row);
    }
    if (!unmatched.probe.empty()) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> nobody,
                            arrow::RecordBatch::MakeEmpty(probe().schema(), pool));
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch,
                            PairRows(spec_.output_columns, schema(), *nobody, *table->rows(), unmatched, pool));
      state->finished.back().push_back(std::move(batch));
    }
  }
  context.states[this] = std::move(state);
  return arrow::Status::OK();
}

int HashJoin::num_partitions(const ExecutionContext& context) const {
  if (spec_.kind == Kind::kFullOuter) {
    const JoinState* state = context.StateOf<JoinState>(*this);
    return state == nullptr ? 1 : static_cast<int>(state->finished.size());
  }
  return probe().num_partitions(context);
}

arrow::Result<std::unique_ptr<BatchStream>> HashJoin::Open(int partition, ExecutionContext& context) const {
  JoinState* state = context.StateOf<JoinState>(*this);
  if (spec_.kind == Kind::kFullOuter) {
    return StreamOf(std::move(state->finished[static_cast<size_t>(partition)]), context.batch_rows);
  }
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> input, probe().Open(partition, context));
  return std::make_unique<JoinStream>(&spec_, state->table.get(), schema(), std::move(input),
                                      context.EvalContextOf(*this, partition), context.batch_rows);
}

bool MatchesHashJoin(const logical::Plan& node) { return node.kind() == logical::NodeKind::kJoin; }

arrow::Result<OperatorPtr> PlanHashJoin(const logical::PlanPtr& node, const RequiredColumns& required,
                                        Planner& planner) {
  const auto& join = static_cast<const logical::Join&>(*node);
  JoinCondition condition = SplitJoinCondition(join);
  RequiredColumns needed = required;
  if (needed.has_value()) AddReferences(node->expressions(), &*needed);
  ARROW_ASSIGN_OR_RAISE(OperatorPtr left, planner.Plan(join.left(), needed));
  ARROW_ASSIGN_OR_RAISE(OperatorPtr right, planner.Plan(join.right(), needed));
  return MakeHashJoin(join, condition, required, std::move(left), std::move(right));
}

}  // namespace millrace::physical

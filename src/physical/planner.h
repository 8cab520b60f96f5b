#pragma once

#include <functional>
#include <optional>
#include <set>

#include "connector/sink.h"
#include "logical/plan.h"
#include "physical/operator.h"

namespace millrace::physical {

/// What a parent reads of a child. Without a value: exactly the node's output, in its order. With one: at least these
/// columns, in any order, so that an operator need not copy the others.
using RequiredColumns = std::optional<std::set<expression::AttributeId>>;

class Planner;

/// Asked for each node before the registry, so that a layer above can plan nodes in its own way (stateful operators).
/// Returns null to leave the node to the registry.
using PlannerExtension = std::function<arrow::Result<OperatorPtr>(const logical::PlanPtr& node,
                                                                  const RequiredColumns& required, Planner& planner)>;

/// What operators with state must know of the query they are planned for.
struct StreamingPlan {
  connector::OutputMode output_mode = connector::OutputMode::kAppend;
  /// Settings in force, the checkpoint's before the session's.
  std::function<std::optional<std::string>(std::string_view key)> conf;
  /// spark.sql.shuffle.partitions of the checkpoint: the number of state partitions.
  int num_state_partitions = 200;
};

struct PlannerOptions {
  /// Default number of partitions of leaves that can choose.
  int parallelism = 1;
  PlannerExtension extension = nullptr;
  /// nullopt for a batch query.
  std::optional<StreamingPlan> streaming = std::nullopt;
};

/// Makes operators of logical nodes, top down. Confined to one thread.
class Planner {
 public:
  /// `collected`: the node whose rows whoever runs the plan collects, projections aside.
  explicit Planner(PlannerOptions options, const logical::Plan* collected = nullptr)
      : options_(std::move(options)), collected_(collected) {}

  int parallelism() const { return options_.parallelism; }
  const PlannerOptions& options() const { return options_; }
  bool is_collected(const logical::Plan& node) const { return &node == collected_; }
  /// Plans `node` and what is below it.
  arrow::Result<OperatorPtr> Plan(const logical::PlanPtr& node, const RequiredColumns& required = std::nullopt);

 private:
  PlannerOptions options_;
  const logical::Plan* collected_;
};

/// Turns an optimised logical plan into operators with bound expressions.
/// Errors: UserError for what cannot be executed (UNSUPPORTED_…).
arrow::Result<OperatorPtr> PlanOperators(const logical::PlanPtr& plan, PlannerOptions options);
arrow::Result<OperatorPtr> PlanOperators(const logical::PlanPtr& plan, int parallelism);

/// The columns of `input` that the parent reads, in their order, and where they are in `input`.
struct KeptColumns {
  AttributeVector columns;
  std::vector<int> indices;
};
KeptColumns KeepRequired(const AttributeVector& input, const RequiredColumns& required);

/// The columns `expressions` read, added to `columns`.
void AddReferences(const expression::ExpressionVector& expressions, std::set<expression::AttributeId>* columns);

}  // namespace millrace::physical

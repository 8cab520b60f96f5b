#include "physical/expression_set.h"

#include <arrow/record_batch.h>

#include <functional>
#include <string>
#include <unordered_map>

#include "expression/call.h"

namespace millrace::physical {

using expression::AttributePtr;
using expression::AttributeReference;
using expression::AttributeVector;
using expression::Expression;
using expression::ExpressionKind;
using expression::ExpressionPtr;
using expression::ExpressionVector;

namespace {

// Finds the subexpressions worth sharing, innermost first.
class SharedFinder {
 public:
  void Add(const ExpressionPtr& root) { Count(root, /*always=*/true); }

  // In the order in which their first occurrence ended: what one reads comes before it.
  ExpressionVector Shared() const {
    ExpressionVector shared;
    for (const Candidate* candidate : order_) {
      // What is not deterministic equals nothing, hence was never counted twice.
      if (candidate->count == 1 || candidate->expression->foldable()) continue;
      // A branch that cannot fail is computed for every row too, taken or not.
      if (candidate->always || !candidate->expression->can_fail()) shared.push_back(candidate->expression);
    }
    return shared;
  }

 private:
  struct Candidate {
    ExpressionPtr expression;
    int count = 0;
    bool always = false;
  };

  static bool CanShare(const Expression& node) {
    switch (node.kind()) {
      case ExpressionKind::kCall:
      case ExpressionKind::kCast:
      case ExpressionKind::kCaseWhen:
      case ExpressionKind::kLogical:
      case ExpressionKind::kHigherOrderCall:
        return true;
      default:
        return false;
    }
  }

  // The same for equal expressions. Made of the parts' own, each once: what asks every node of a deep tree for all that
  // is below it (its text, whether it is deterministic) takes the square of its depth.
  size_t Fingerprint(const Expression& node) {
    if (node.children().empty()) return std::hash<std::string>()(node.Sql());
    auto [entry, is_new] = fingerprints_.try_emplace(&node, 0);
    if (!is_new) return entry->second;
    size_t hash = static_cast<size_t>(node.kind());
    if (node.kind() == ExpressionKind::kCall) {
      hash ^= std::hash<std::string_view>()(static_cast<const expression::Call&>(node).name());
    }
    for (const ExpressionPtr& child : node.children()) hash = hash * 1000003 + Fingerprint(*child);
    return fingerprints_[&node] = hash;
  }

  void Count(const ExpressionPtr& node, bool always) {
    if (node->kind() == ExpressionKind::kLambdaFunction || node->children().empty()) return;
    Candidate* candidate = nullptr;
    if (CanShare(*node)) {
      candidate = Find(node);
      candidate->always = candidate->always || always;
      if (++candidate->count > 1) return;  // its parts were counted with the first occurrence
    }
    bool branches = node->kind() == ExpressionKind::kCaseWhen || node->kind() == ExpressionKind::kLogical;
    for (size_t i = 0; i < node->children().size(); ++i) {
      Count(node->children()[i], always && (!branches || i == 0));
    }
    if (candidate != nullptr) order_.push_back(candidate);
  }

  Candidate* Find(const ExpressionPtr& node) {
    std::vector<std::unique_ptr<Candidate>>& bucket = by_fingerprint_[Fingerprint(*node)];
    for (const auto& candidate : bucket) {
      if (expression::SemanticallyEqual(*candidate->expression, *node)) return candidate.get();
    }
    bucket.push_back(std::make_unique<Candidate>());
    bucket.back()->expression = node;
    return bucket.back().get();
  }

  std::unordered_map<const Expression*, size_t> fingerprints_;
  std::unordered_map<size_t, std::vector<std::unique_ptr<Candidate>>> by_fingerprint_;
  std::vector<const Candidate*> order_;
};

// Puts the column of a shared subexpression where it stands. Top-down, so that the largest one wins.
ExpressionPtr UseShared(const ExpressionPtr& node, const ExpressionVector& shared, size_t num_shared,
                        const AttributeVector& columns) {
  if (node->children().empty() || node->kind() == ExpressionKind::kLambdaFunction) return node;
  for (size_t i = num_shared; i-- > 0;) {
    if (expression::SemanticallyEqual(*shared[i], *node)) return columns[i];
  }
  ExpressionVector children = node->children();
  bool changed = false;
  for (ExpressionPtr& child : children) {
    ExpressionPtr replaced = UseShared(child, shared, num_shared, columns);
    changed = changed || replaced != child;
    child = std::move(replaced);
  }
  return changed ? node->WithChildren(std::move(children)) : node;
}

}  // namespace

arrow::Result<ExpressionSet> ExpressionSet::Bind(const ExpressionVector& expressions, const AttributeVector& input) {
  SharedFinder finder;
  for (const ExpressionPtr& expression : expressions) finder.Add(expression);
  ExpressionVector shared = finder.Shared();
  AttributeVector columns;
  for (const ExpressionPtr& expression : shared) {
    columns.push_back(std::make_shared<AttributeReference>(expression::NextAttributeId(), "shared", expression->type(),
                                                           expression->nullable()));
  }
  ExpressionSet set;
  AttributeVector extended = input;
  for (size_t i = 0; i < shared.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr bound,
                          expression::BindReferences(UseShared(shared[i], shared, i, columns), extended));
    set.shared_.push_back(std::move(bound));
    extended.push_back(columns[i]);
  }
  for (const ExpressionPtr& expression : expressions) {
    ExpressionPtr item = expression;
    if (item->kind() == ExpressionKind::kAlias) item = static_cast<const expression::Alias&>(*item).child();
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr bound,
                          expression::BindReferences(UseShared(item, shared, shared.size(), columns), extended));
    set.bound_.push_back(std::move(bound));
  }
  return set;
}

arrow::Result<arrow::ArrayVector> ExpressionSet::Evaluate(const expression::EvalContext& context,
                                                          const std::shared_ptr<arrow::RecordBatch>& batch) const {
  std::shared_ptr<arrow::RecordBatch> rows = batch;
  if (!shared_.empty()) {
    arrow::FieldVector fields = batch->schema()->fields();
    arrow::ArrayVector columns = batch->columns();
    for (const ExpressionPtr& expression : shared_) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> column,
                            expression::EvaluateToArray(*expression, context, *rows));
      fields.push_back(arrow::field("shared", column->type(), expression->nullable()));
      columns.push_back(std::move(column));
      rows = arrow::RecordBatch::Make(arrow::schema(fields), batch->num_rows(), columns);
    }
  }
  arrow::ArrayVector results;
  results.reserve(bound_.size());
  for (const ExpressionPtr& expression : bound_) {
    if (expression->kind() == ExpressionKind::kBoundReference) {
      results.push_back(rows->column(static_cast<const expression::BoundReference&>(*expression).index()));
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> column,
                          expression::EvaluateToArray(*expression, context, *rows));
    results.push_back(std::move(column));
  }
  return results;
}

}  // namespace millrace::physical

#pragma once

#include <arrow/datum.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "expression/eval_context.h"
#include "types/data_type.h"

namespace millrace::expression {

using types::DataTypePtr;

/// Identity of a column inside one plan (Spark's ExprId): survives renaming of others and self-joins.
using AttributeId = StrongId<struct AttributeIdTag>;
/// A fresh id, unique in this process. Thread-safe.
AttributeId NextAttributeId();

enum class ExpressionKind : uint8_t {
  kLiteral,
  kAttribute,       ///< a column of the input by id; gone after BindReferences
  kBoundReference,  ///< a column of the input by position
  kAlias,
  kCall,  ///< a scalar function or operator with its kernel
  kCast,
  kCaseWhen,
  kLogical,  ///< AND, OR
  kLambdaFunction,
  kHigherOrderCall,
  kAggregateCall,
  kGeneratorCall,
  kWindowCall,
  kPythonUdf,  ///< a user's Python function; gone when operators are planned
};

class Expression;
/// Expressions are immutable trees and shared.
using ExpressionPtr = std::shared_ptr<const Expression>;
using ExpressionVector = std::vector<ExpressionPtr>;

/// A resolved, typed expression.
///
/// Thread: immutable; Evaluate may run on many threads at once.
class Expression {
 public:
  virtual ~Expression() = default;

  ExpressionKind kind() const { return kind_; }
  const DataTypePtr& type() const { return type_; }
  bool nullable() const { return nullable_; }
  const ExpressionVector& children() const { return children_; }

  /// The same node over other children (same number, same types).
  virtual ExpressionPtr WithChildren(ExpressionVector children) const = 0;

  /// Spark's `sql`: for messages and explain. With `pretty`, the text of automatic column names: attributes
  /// unqualified, strings unquoted, implicit casts left out (Spark's toPrettySQL).
  virtual std::string Sql(bool pretty = false) const = 0;

  /// False when two evaluations of the same rows may differ (rand, uuid, monotonically_increasing_id).
  virtual bool deterministic() const;
  /// True when the value is the same for every row and known before any row is seen.
  virtual bool foldable() const;
  /// True when some input values raise an error (ANSI casts, division): such a node must only be
  /// evaluated on rows that need it.
  virtual bool can_fail() const;

  /// One value per row of `input`: an array of input.num_rows() values, or a scalar when all are the same.
  /// REQUIRES: BindReferences was applied. Errors: the user's data (UserError), never a defect.
  virtual arrow::Result<arrow::Datum> Evaluate(const EvalContext& context, const arrow::RecordBatch& input) const;

 protected:
  Expression(ExpressionKind kind, DataTypePtr type, bool nullable, ExpressionVector children)
      : kind_(kind), nullable_(nullable), type_(std::move(type)), children_(std::move(children)) {}

 private:
  ExpressionKind kind_;
  bool nullable_;
  DataTypePtr type_;
  ExpressionVector children_;
};

/// Evaluates and makes sure that the result is an array of input.num_rows() values.
arrow::Result<std::shared_ptr<arrow::Array>> EvaluateToArray(const Expression& expression, const EvalContext& context,
                                                             const arrow::RecordBatch& input);
/// The value of a foldable expression.
arrow::Result<std::shared_ptr<arrow::Scalar>> EvaluateFoldable(const Expression& expression,
                                                               const EvalContext& context);

/// Rebuilds the tree bottom-up; `rewrite` returns null to keep a node.
ExpressionPtr Transform(const ExpressionPtr& root, const std::function<ExpressionPtr(const ExpressionPtr&)>& rewrite);
/// Top-down; stops below a node when `visit` returns false.
void Visit(const Expression& root, const std::function<bool(const Expression&)>& visit);
bool Contains(const Expression& root, ExpressionKind kind);
/// Same tree, same ids, same values: what common-subexpression elimination and GROUP BY matching use.
bool SemanticallyEqual(const Expression& a, const Expression& b);

}  // namespace millrace::expression

#pragma once

#include <arrow/scalar.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "expression/expression.h"

/// The leaf and structural nodes of an expression tree. Functions are kCall nodes (call.h), aggregates and
/// generators have their own headers.

namespace millrace {
struct QueryContext;
}

namespace millrace::expression {

/// A constant. The scalar has the Arrow form of `type` (types::ToArrow).
class Literal final : public Expression {
 public:
  Literal(DataTypePtr type, std::shared_ptr<arrow::Scalar> value);
  static ExpressionPtr Null(DataTypePtr type);
  static ExpressionPtr Boolean(bool value);
  static ExpressionPtr Integer(int32_t value);
  static ExpressionPtr Long(int64_t value);
  static ExpressionPtr Double(double value);
  static ExpressionPtr String(std::string value);

  const std::shared_ptr<arrow::Scalar>& value() const { return value_; }
  bool is_null() const { return !value_->is_valid; }

  ExpressionPtr WithChildren(ExpressionVector children) const override;
  std::string Sql(bool pretty) const override;
  bool foldable() const override { return true; }
  arrow::Result<arrow::Datum> Evaluate(const EvalContext&, const arrow::RecordBatch&) const override { return value_; }

 private:
  std::shared_ptr<arrow::Scalar> value_;
};

/// A column of the node's input, by id.
class AttributeReference final : public Expression {
 public:
  AttributeReference(AttributeId id, std::string name, DataTypePtr type, bool nullable,
                     std::vector<std::string> qualifier = {}, std::string metadata_json = {});

  AttributeId id() const { return id_; }
  const std::string& name() const { return name_; }
  /// Name of the table or subquery alias it came from; empty for none.
  const std::vector<std::string>& qualifier() const { return qualifier_; }
  const std::string& metadata_json() const { return metadata_json_; }

  std::shared_ptr<const AttributeReference> WithQualifier(std::vector<std::string> qualifier) const;
  std::shared_ptr<const AttributeReference> WithNullable(bool nullable) const;
  std::shared_ptr<const AttributeReference> WithName(std::string name) const;
  /// The same column under a fresh id (the other side of a self-join).
  std::shared_ptr<const AttributeReference> NewInstance() const;
  types::StructField ToField() const { return {name_, type(), nullable(), metadata_json_}; }

  ExpressionPtr WithChildren(ExpressionVector children) const override;
  std::string Sql(bool pretty) const override;
  bool foldable() const override { return false; }

 private:
  AttributeId id_;
  std::string name_;
  std::vector<std::string> qualifier_;
  std::string metadata_json_;
};

using AttributePtr = std::shared_ptr<const AttributeReference>;
using AttributeVector = std::vector<AttributePtr>;

/// A column of the input batch, by position.
class BoundReference final : public Expression {
 public:
  BoundReference(int index, std::string name, DataTypePtr type, bool nullable);
  int index() const { return index_; }
  const std::string& name() const { return name_; }

  ExpressionPtr WithChildren(ExpressionVector children) const override;
  std::string Sql(bool pretty) const override;
  bool foldable() const override { return false; }
  arrow::Result<arrow::Datum> Evaluate(const EvalContext&, const arrow::RecordBatch& input) const override {
    return input.column(index_);
  }

 private:
  int index_;
  std::string name_;
};

/// A name (and an id) for a value: one item of a projection.
class Alias final : public Expression {
 public:
  Alias(ExpressionPtr child, std::string name, AttributeId id = NextAttributeId(), std::string metadata_json = {});
  const ExpressionPtr& child() const { return children()[0]; }
  AttributeId id() const { return id_; }
  const std::string& name() const { return name_; }
  /// What the projection's output shows of it. Metadata of a plain column passes through.
  AttributePtr ToAttribute() const;

  ExpressionPtr WithChildren(ExpressionVector children) const override;
  std::string Sql(bool pretty) const override;
  arrow::Result<arrow::Datum> Evaluate(const EvalContext& context, const arrow::RecordBatch& input) const override {
    return child()->Evaluate(context, input);
  }

 private:
  AttributeId id_;
  std::string name_;
  std::string metadata_json_;
};

/// The output column of a projection item: an Alias or an AttributeReference.
AttributePtr ToAttribute(const ExpressionPtr& named);

enum class CastMode : uint8_t {
  kAnsi,    ///< bad values raise
  kLegacy,  ///< bad values give NULL, overflow wraps (spark.sql.ansi.enabled = false)
  kTry,     ///< bad values give NULL (try_cast)
};

/// CAST(child AS type). Kernels: expression/cast.h.
class Cast final : public Expression {
 public:
  /// `user_specified`: written by the user, so it shows in automatic names.
  Cast(ExpressionPtr child, DataTypePtr type, CastMode mode, bool user_specified);
  const ExpressionPtr& child() const { return children()[0]; }
  CastMode mode() const { return mode_; }
  bool user_specified() const { return user_specified_; }
  /// The same cast, whose failures say where the user wrote it.
  std::shared_ptr<const Cast> WithContext(std::shared_ptr<const QueryContext> query_context) const;

  ExpressionPtr WithChildren(ExpressionVector children) const override;
  std::string Sql(bool pretty) const override;
  bool can_fail() const override;
  arrow::Result<arrow::Datum> Evaluate(const EvalContext& context, const arrow::RecordBatch& input) const override;

 private:
  CastMode mode_;
  bool user_specified_;
  /// May be null.
  std::shared_ptr<const QueryContext> query_context_;
};

/// The call as the user wrote it, for nodes that stand in for one (nvl, between): shown in names and messages.
struct ShownCall {
  std::string name;
  ExpressionVector arguments;
  std::string Sql(bool pretty) const;
};

/// CASE WHEN … THEN … [ELSE …] END and IF: children are condition, value, condition, value, …, [else].
/// A branch is evaluated only for the rows that take it when it can fail.
class CaseWhen final : public Expression {
 public:
  /// REQUIRES: values share one type. `as_if`: shown as (IF(c, a, b)).
  CaseWhen(ExpressionVector children, bool as_if, std::shared_ptr<const ShownCall> shown = nullptr);
  bool has_else() const { return children().size() % 2 == 1; }

  ExpressionPtr WithChildren(ExpressionVector children) const override;
  std::string Sql(bool pretty) const override;
  arrow::Result<arrow::Datum> Evaluate(const EvalContext& context, const arrow::RecordBatch& input) const override;

 private:
  bool as_if_;
  std::shared_ptr<const ShownCall> shown_;
};

/// AND / OR with SQL's three-valued logic; the right side is only evaluated for rows that need it when it can fail.
class Logical final : public Expression {
 public:
  Logical(bool is_and, ExpressionPtr left, ExpressionPtr right, std::shared_ptr<const ShownCall> shown = nullptr);
  bool is_and() const { return is_and_; }
  ExpressionPtr WithChildren(ExpressionVector children) const override;
  std::string Sql(bool pretty) const override;
  arrow::Result<arrow::Datum> Evaluate(const EvalContext& context, const arrow::RecordBatch& input) const override;

 private:
  bool is_and_;
  std::shared_ptr<const ShownCall> shown_;
};

/// `x -> body`. Parameters are attributes of their own ids; only a HigherOrderCall evaluates it.
class LambdaFunction final : public Expression {
 public:
  LambdaFunction(AttributeVector parameters, ExpressionPtr body);
  const AttributeVector& parameters() const { return parameters_; }
  const ExpressionPtr& body() const { return children()[0]; }
  /// After binding: positions of the outer columns the body reads.
  const std::vector<int>& captured_columns() const { return captured_; }

  /// The body's value for rows made of `outer` (row `outer_rows[i]` of the input) and the parameters' arrays.
  /// `outer_rows`: int64 or int32 array of the length of the parameter arrays.
  arrow::Result<std::shared_ptr<arrow::Array>> Apply(const EvalContext& context, const arrow::RecordBatch& outer,
                                                     const std::shared_ptr<arrow::Array>& outer_rows,
                                                     const arrow::ArrayVector& parameters) const;

  ExpressionPtr WithChildren(ExpressionVector children) const override;
  std::string Sql(bool pretty) const override;
  bool foldable() const override { return false; }

 private:
  friend arrow::Result<ExpressionPtr> BindReferences(const ExpressionPtr&, const AttributeVector&);
  AttributeVector parameters_;
  /// The bound body's input is these columns, then the parameters.
  std::vector<int> captured_;
};

/// Replaces every AttributeReference by a BoundReference into rows of `input`.
/// Errors: InternalError when an attribute is not there.
arrow::Result<ExpressionPtr> BindReferences(const ExpressionPtr& root, const AttributeVector& input);

/// Ids of all attributes `root` reads.
std::vector<AttributeId> References(const Expression& root);
/// Positions of the input columns a bound expression reads, in no order, possibly repeated.
std::vector<int> BoundColumns(const Expression& root);

struct SortOrder {
  ExpressionPtr child;
  bool ascending = true;
  bool nulls_first = true;
};

}  // namespace millrace::expression

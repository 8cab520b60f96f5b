#pragma once

#include <string>
#include <vector>

#include "analyzer/operator_input.h"
#include "analyzer/relation_resolver.h"
#include "expression/node.h"
#include "sql/statement.h"

namespace millrace::session {

/// Whether a subquery stands anywhere in it.
bool HasSubquery(const spark::connect::Expression& expression);

/// What DELETE, UPDATE and MERGE assign, as new values of whole rows. Source: delta-spark's UpdateExpressionsSupport,
/// ResolveDeltaMergeInto.
class RowAssignments {
 public:
  /// `columns`: the table's, as assignments name them. `fields`: of the new values: the table's, then those that schema
  /// evolution brings. Both outlive this, as does `evolves`: whether the schema evolves, which lets structs lack
  /// fields.
  RowAssignments(const analyzer::AnalyzerContext& context, analyzer::RelationResolver& resolver,
                 const expression::AttributeVector& columns, const std::vector<types::StructField>& fields,
                 const bool& evolves)
      : context_(context), resolver_(resolver), columns_(columns), fields_(fields), evolves_(evolves) {}

  /// Assigned values may hold subqueries; what those need below the rows is noted in `below`, which outlives this.
  void AllowSubqueries(analyzer::OperatorInput* below) { subqueries_ = below; }

  /// One value a field, of SET: what is not assigned stays; null where the table computes it. `scope`: what the
  /// assigned values may name. `keeps_fields`: fields that an assigned struct lacks stay as they are, else they are
  /// NULL. Errors: UserError UNRESOLVED_COLUMN.…, DELTA_CONFLICT_SET_COLUMN, DELTA_UPDATE_SCHEMA_MISMATCH_EXPRESSION,
  /// DELTA_IDENTITY_COLUMNS_UPDATE_NOT_SUPPORTED, DELTA_UNSUPPORTED_NESTED_FIELD_IN_UPDATE, FIELD_NOT_FOUND.
  arrow::Result<std::vector<expression::ExpressionPtr>> Update(const std::vector<sql::Assignment>& assignments,
                                                               const expression::AttributeVector& scope,
                                                               bool keeps_fields = false);
  /// One value a field, of INSERT: what is not given is the column's default; null where the table computes or numbers
  /// it. Errors: also UserError DELTA_DUPLICATE_COLUMNS_ON_INSERT.
  arrow::Result<std::vector<expression::ExpressionPtr>> Insert(const std::vector<sql::Assignment>& assignments,
                                                               const expression::AttributeVector& scope);
  /// SET * and INSERT *: the source's columns by name; `may_lack`: fields the source does not have are left out.
  /// Errors: UserError DELTA_MERGE_UNRESOLVED_EXPRESSION.
  arrow::Result<std::vector<sql::Assignment>> Star(const expression::AttributeVector& source, bool may_lack,
                                                   const char* clause) const;
  /// `value` as `field`'s type: structs, also those in arrays and maps, by the names of their fields. Where the schema
  /// evolves they may be fewer: of the others `original` has the values; null: they are NULL.
  /// Errors: UserError DELTA_UPDATE_SCHEMA_MISMATCH_EXPRESSION, INCOMPATIBLE_DATA_FOR_TABLE.…
  arrow::Result<expression::ExpressionPtr> Conformed(const expression::ExpressionPtr& value,
                                                     const types::StructField& field,
                                                     const expression::ExpressionPtr& original = nullptr) const;

 private:
  struct Place;
  struct PathValue;

  arrow::Result<expression::ExpressionPtr> StructByNames(const expression::ExpressionPtr& value,
                                                         const types::StructField& field,
                                                         const expression::ExpressionPtr& original) const;
  arrow::Result<expression::ExpressionPtr> ArrayByNames(const expression::ExpressionPtr& value,
                                                        const types::StructField& field) const;
  arrow::Result<expression::ExpressionPtr> MapByNames(const expression::ExpressionPtr& value,
                                                      const types::StructField& field) const;

  arrow::Result<expression::ExpressionPtr> Value(const spark::connect::Expression& message,
                                                 const expression::AttributeVector& scope);
  arrow::Result<expression::ExpressionPtr> DefaultOf(const types::StructField& field) const;
  arrow::Result<Place> PlaceOf(const spark::connect::Expression& message) const;
  arrow::Result<expression::ExpressionPtr> Updated(const expression::ExpressionPtr& current,
                                                   const types::StructField& field, std::vector<PathValue> values,
                                                   const expression::AttributeVector& scope, const std::string& above,
                                                   bool keeps_fields);

  const analyzer::AnalyzerContext& context_;
  analyzer::RelationResolver& resolver_;
  const expression::AttributeVector& columns_;
  const std::vector<types::StructField>& fields_;
  const bool& evolves_;
  analyzer::OperatorInput* subqueries_ = nullptr;
};

}  // namespace millrace::session

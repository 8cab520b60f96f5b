#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/relation_resolver.h"
#include "connector/delta/pinned_table.h"
#include "connector/delta/row_change.h"
#include "delta/table.h"
#include "logical/plan.h"
#include "sql/statement.h"

namespace millrace::session {

class Session;

/// One WHEN clause, resolved.
struct ChangeClause {
  connector::delta_table::RowChange change = connector::delta_table::RowChange::kDelete;
  sql::RowClause::Kind kind = sql::RowClause::Kind::kDelete;
  /// Null: always.
  expression::ExpressionPtr condition;
  /// One a column of the new values; null where the table computes or numbers it.
  std::vector<expression::ExpressionPtr> values;
};

/// A DELETE, UPDATE or MERGE as a plan whose rows are what RowChangeWrite takes.
struct RowChangePlan {
  std::shared_ptr<delta::Table> table;
  std::shared_ptr<connector::delta_table::PinnedTable> pinned;
  logical::PlanPtr plan;
  types::DataTypePtr new_values;
  types::DataTypePtr old_values;
  bool rejects_repeats = true;
  /// Files of rows that stay are written anew too.
  bool rewrites_kept = false;
  /// New values may have columns the table does not.
  bool evolves_schema = false;
  /// Identity columns that inserts leave to the table.
  std::vector<std::string> numbered;
  bool has_inserts = false;
  /// WHERE or ON; null for none.
  expression::ExpressionPtr condition;
  std::vector<ChangeClause> matched;
  std::vector<ChangeClause> not_matched;
  std::vector<ChangeClause> not_matched_by_source;
  /// Rows of a MERGE's source, counted while the plan runs.
  std::shared_ptr<std::atomic<int64_t>> num_source_rows = std::make_shared<std::atomic<int64_t>>(0);
  /// The table's columns, as `condition` names them.
  logical::AttributeVector columns;
  /// The conjuncts of the condition that read partition columns only; null for none.
  expression::ExpressionPtr partition_condition;
  /// They are all there is, or there is no condition.
  bool partitions_only = false;
};

/// Errors: UserError as delta-spark raises: UNRESOLVED_COLUMN.…, DELTA_UNSUPPORTED_SUBQUERY, DELTA_MERGE_…, …
arrow::Result<RowChangePlan> PlanRowChanges(Session& session, const sql::ChangeRows& change);

}  // namespace millrace::session

#include <utility>

#include "sql/grammar/grammar.h"

/// DELETE, UPDATE and MERGE.

namespace millrace::sql {

// name [AS alias]; `end` is the word that follows.
arrow::Status Grammar::ParseChangedTable(Keyword end, ChangeRows* out) {
  ARROW_ASSIGN_OR_RAISE(out->table, MultipartIdentifier());
  out->target.mutable_read()->mutable_named_table()->set_unparsed_identifier(QuoteNameParts(out->table));
  return At(end) ? Status::OK() : ParseTableAlias(&out->target);
}

arrow::Status Grammar::ParseRowCondition(std::optional<Expression>* out, std::vector<Relation>* plans) {
  // Where plans of subqueries have no place, whoever runs the statement refuses them by the expression.
  std::vector<Relation> subqueries;
  std::vector<Relation>* outer = std::exchange(subqueries_, plans != nullptr ? plans : &subqueries);
  Status status = ParseExpression(&out->emplace());
  subqueries_ = outer;
  return status;
}

// DELETE FROM table [WHERE condition]
arrow::Status Grammar::ParseDelete(Command* out) {
  Take();
  ARROW_RETURN_NOT_OK(Expect(Keyword::kFrom));
  ChangeRows change;
  change.kind = ChangeRows::Kind::kDelete;
  ARROW_RETURN_NOT_OK(ParseChangedTable(Keyword::kWhere, &change));
  change.is_where_true = !At(Keyword::kWhere);
  if (Accept(Keyword::kWhere)) ARROW_RETURN_NOT_OK(ParseRowCondition(&change.condition));
  *out = std::move(change);
  return Status::OK();
}

// column = value, …
arrow::Status Grammar::ParseAssignments(std::vector<Assignment>* out) {
  do {
    Assignment assignment;
    size_t first = position_;
    ARROW_ASSIGN_OR_RAISE(NameParts parts, MultipartIdentifier());
    assignment.column.mutable_unresolved_attribute()->set_unparsed_identifier(QuoteNameParts(parts));
    MarkOrigin(first, &assignment.column);
    ARROW_RETURN_NOT_OK(Expect(Symbol::kEqual));
    std::optional<Expression> value;
    ARROW_RETURN_NOT_OK(ParseRowCondition(&value, &assignment.subqueries));
    assignment.value = std::move(*value);
    out->push_back(std::move(assignment));
  } while (Accept(Symbol::kComma));
  return Status::OK();
}

// UPDATE table SET column = value, … [WHERE condition]
arrow::Status Grammar::ParseUpdate(Command* out) {
  Take();
  ChangeRows change;
  change.kind = ChangeRows::Kind::kUpdate;
  ARROW_RETURN_NOT_OK(ParseChangedTable(Keyword::kSet, &change));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kSet));
  RowClause update;
  update.kind = RowClause::Kind::kUpdate;
  ARROW_RETURN_NOT_OK(ParseAssignments(&update.assignments));
  change.matched.push_back(std::move(update));
  if (Accept(Keyword::kWhere)) ARROW_RETURN_NOT_OK(ParseRowCondition(&change.condition));
  *out = std::move(change);
  return Status::OK();
}

// UPDATE SET * | UPDATE SET … | DELETE, or INSERT * | INSERT (…) VALUES (…)
arrow::Status Grammar::ParseRowAction(bool inserts, RowClause* out) {
  if (inserts) {
    ARROW_RETURN_NOT_OK(Expect(Keyword::kInsert));
    if (Accept(Symbol::kAsterisk)) {
      out->kind = RowClause::Kind::kInsertAll;
      return Status::OK();
    }
    out->kind = RowClause::Kind::kInsert;
    ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
    do {
      Assignment assignment;
      size_t first = position_;
      ARROW_ASSIGN_OR_RAISE(NameParts parts, MultipartIdentifier());
      assignment.column.mutable_unresolved_attribute()->set_unparsed_identifier(QuoteNameParts(parts));
      MarkOrigin(first, &assignment.column);
      out->assignments.push_back(std::move(assignment));
    } while (Accept(Symbol::kComma));
    ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
    ARROW_RETURN_NOT_OK(Expect(Keyword::kValues));
    size_t values = position_;
    ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
    size_t count = 0;
    do {
      std::optional<Expression> value;
      ARROW_RETURN_NOT_OK(ParseRowCondition(&value));
      if (count < out->assignments.size()) out->assignments[count].value = std::move(*value);
      ++count;
    } while (Accept(Symbol::kComma));
    ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
    if (count == out->assignments.size()) return Status::OK();
    return ErrorAt(
        values, "MERGE_INSERT_VALUE_COUNT_MISMATCH",
        {{"expectedCount", std::to_string(out->assignments.size())}, {"actualCount", std::to_string(count)}});
  }
  if (Accept(Keyword::kDelete)) {
    out->kind = RowClause::Kind::kDelete;
    return Status::OK();
  }
  ARROW_RETURN_NOT_OK(Expect(Keyword::kUpdate));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kSet));
  out->kind = RowClause::Kind::kUpdate;
  if (!At(Symbol::kAsterisk)) return ParseAssignments(&out->assignments);
  Take();
  out->kind = RowClause::Kind::kUpdateAll;
  return Status::OK();
}

// WHEN [NOT] MATCHED [BY TARGET | BY SOURCE] [AND condition] THEN action
arrow::Status Grammar::ParseMergeClause(ChangeRows* out) {
  Take();
  // Clauses stand in the grammar's order: matched ones, then those of the target, then those of the source.
  bool past_matched = !out->not_matched.empty() || !out->not_matched_by_source.empty();
  if (past_matched && At(Keyword::kMatched)) return SyntaxErrorHere();
  bool not_matched = Accept(Keyword::kNot);
  ARROW_RETURN_NOT_OK(Expect(Keyword::kMatched));
  bool by_source = false;
  if (not_matched && Accept(Keyword::kBy)) {
    by_source = Accept(Keyword::kSource);
    if (!by_source && !out->not_matched_by_source.empty()) return SyntaxErrorHere();
    if (!by_source) ARROW_RETURN_NOT_OK(Expect(Keyword::kTarget));
  }
  if (not_matched && !by_source && !out->not_matched_by_source.empty()) return SyntaxErrorHere();
  RowClause clause;
  if (Accept(Keyword::kAnd)) ARROW_RETURN_NOT_OK(ParseRowCondition(&clause.condition));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kThen));
  ARROW_RETURN_NOT_OK(ParseRowAction(not_matched && !by_source, &clause));
  if (by_source && clause.kind == RowClause::Kind::kUpdateAll) return SyntaxErrorHere();
  auto& clauses = by_source ? out->not_matched_by_source : not_matched ? out->not_matched : out->matched;
  clauses.push_back(std::move(clause));
  return Status::OK();
}

// MERGE [WITH SCHEMA EVOLUTION] INTO table USING relation ON condition WHEN …
arrow::Status Grammar::ParseMerge(Command* out) {
  size_t first = position_;
  Take();
  ChangeRows change;
  change.kind = ChangeRows::Kind::kMerge;
  if (Accept(Keyword::kWith)) {
    ARROW_RETURN_NOT_OK(Expect(Keyword::kSchema));
    ARROW_RETURN_NOT_OK(Expect(Keyword::kEvolution));
    change.evolves_schema = true;
  }
  ARROW_RETURN_NOT_OK(Expect(Keyword::kInto));
  ARROW_RETURN_NOT_OK(ParseChangedTable(Keyword::kUsing, &change));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kUsing));
  ARROW_RETURN_NOT_OK(ParseRelationPrimary(&change.source.emplace()));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kOn));
  ARROW_RETURN_NOT_OK(ParseRowCondition(&change.condition));
  while (At(Keyword::kWhen)) ARROW_RETURN_NOT_OK(ParseMergeClause(&change));
  if (change.matched.empty() && change.not_matched.empty() && change.not_matched_by_source.empty()) {
    return ErrorAt(first, "DELTA_MERGE_MISSING_WHEN");
  }
  auto check_last = [&](const std::vector<RowClause>& clauses, const char* condition) -> Status {
    for (size_t i = 0; i + 1 < clauses.size(); ++i) {
      if (!clauses[i].condition) return ErrorAt(first, condition);
    }
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(check_last(change.matched, "NON_LAST_MATCHED_CLAUSE_OMIT_CONDITION"));
  ARROW_RETURN_NOT_OK(check_last(change.not_matched, "NON_LAST_NOT_MATCHED_BY_TARGET_CLAUSE_OMIT_CONDITION"));
  ARROW_RETURN_NOT_OK(check_last(change.not_matched_by_source, "NON_LAST_NOT_MATCHED_BY_SOURCE_CLAUSE_OMIT_CONDITION"));
  *out = std::move(change);
  return Status::OK();
}

}  // namespace millrace::sql

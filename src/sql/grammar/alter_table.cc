#include "base/ascii.h"
#include "sql/data_type_proto.h"
#include "sql/grammar/grammar.h"
#include "sql/parse_error.h"
#include "types/column_metadata.h"

/// ALTER TABLE and ALTER VIEW.

namespace millrace::sql {

arrow::Status Grammar::ParseAlterTable(Command* out) {
  Take();
  AlterTable alter;
  alter.view = Take().Is(Keyword::kView);
  ARROW_ASSIGN_OR_RAISE(alter.name, MultipartIdentifier());
  ARROW_RETURN_NOT_OK(ParseAlterAction(&alter));
  *out = std::move(alter);
  return Status::OK();
}

arrow::Status Grammar::ParseAlterAction(AlterTable* alter) {
  using Kind = AlterTable::Kind;
  if (At(Keyword::kRename, Keyword::kTo)) {
    position_ += 2;
    alter->kind = Kind::kRename;
    ARROW_ASSIGN_OR_RAISE(alter->new_name, MultipartIdentifier());
    return Status::OK();
  }
  if (At(Keyword::kSet, Keyword::kTblproperties)) {
    position_ += 2;
    alter->kind = Kind::kSetProperties;
    return ParseProperties(&alter->properties);
  }
  if (At(Keyword::kUnset, Keyword::kTblproperties)) {
    position_ += 2;
    alter->kind = Kind::kUnsetProperties;
    ARROW_ASSIGN_OR_RAISE(alter->if_exists, IfExists());
    ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
    do {
      ARROW_ASSIGN_OR_RAISE(std::string key, PropertyKey());
      alter->keys.push_back(std::move(key));
    } while (Accept(Symbol::kComma));
    return Expect(Symbol::kRightParen);
  }
  if (alter->view && At(Keyword::kWith, Keyword::kSchema)) {
    alter->kind = Kind::kViewSchema;
    ARROW_ASSIGN_OR_RAISE(alter->text, ParseViewSchemaMode());
    return Status::OK();
  }
  if (alter->view && (At(Keyword::kAs) || AtQueryStatement())) {
    alter->kind = Kind::kViewQuery;
    Accept(Keyword::kAs);
    size_t first = position_;
    ARROW_RETURN_NOT_OK(ParseQuery(&alter->query.emplace()));
    alter->query_text = TextBetween(first, position_);
    return Status::OK();
  }
  if (At(Keyword::kAdd) && (Peek(1).Is(Keyword::kColumn) || Peek(1).Is(Keyword::kColumns))) {
    position_ += 2;
    alter->kind = Kind::kAddColumns;
    alter->operation = "ADD COLUMN";
    bool listed = Accept(Symbol::kLeftParen);
    do {
      ARROW_RETURN_NOT_OK(ParseAddedColumn(&alter->columns.emplace_back()));
    } while (Accept(Symbol::kComma));
    return listed ? Expect(Symbol::kRightParen) : Status::OK();
  }
  bool drop = At(Keyword::kDrop);
  if ((At(Keyword::kAdd) || drop) && Peek(1).Is(Keyword::kConstraint)) return ParseAlterConstraint(alter);
  if ((At(Keyword::kAdd) || drop) && (Peek(1).Is(Keyword::kPartition) || Peek(1).Is(Keyword::kIf))) {
    return ParseAlterPartitions(alter);
  }
  if (At(Keyword::kRecover, Keyword::kPartitions)) {
    position_ += 2;
    alter->kind = Kind::kRecoverPartitions;
    return Status::OK();
  }
  if (At(Keyword::kSet, Keyword::kLocation)) {
    position_ += 2;
    alter->kind = Kind::kSetLocation;
    ARROW_ASSIGN_OR_RAISE(alter->text, StringValue());
    return Status::OK();
  }
  bool column = Peek(1).Is(Keyword::kColumn) || Peek(1).Is(Keyword::kColumns);
  if (At(Keyword::kAlter) || At(Keyword::kChange)) {
    alter->kind = Kind::kChangeColumns;
    alter->operation = "ALTER COLUMN";
    position_ += column ? 2 : 1;
    return ParseColumnChanges(alter);
  }
  if (column && (At(Keyword::kRename) || drop || At(Keyword::kReplace))) return ParseColumnsAction(alter);
  if (drop && AtWord("FEATURE", 1)) return ParseDropFeature(alter);
  if (At(Keyword::kCluster)) return ParseAlterClustering(alter);
  return Unsupported("ALTER TABLE … " + ToUpperAscii(Peek().text));
}

// DROP FEATURE name [TRUNCATE HISTORY]
arrow::Status Grammar::ParseDropFeature(AlterTable* alter) {
  Take();
  if (Peek(1).kind == TokenKind::kEnd) return SyntaxErrorHere();
  Take();
  alter->kind = AlterTable::Kind::kDropFeature;
  alter->operation = "DROP FEATURE";
  if (Peek().kind == TokenKind::kString) {
    ARROW_ASSIGN_OR_RAISE(alter->text, StringValue());
  } else {
    ARROW_ASSIGN_OR_RAISE(alter->text, Identifier());
  }
  if (!At(Keyword::kTruncate)) return Status::OK();
  Take();
  if (!AtWord("HISTORY")) return SyntaxErrorHere();
  Take();
  alter->truncates_history = true;
  return Status::OK();
}

// CLUSTER BY (a, b.c) | CLUSTER BY NONE
arrow::Status Grammar::ParseAlterClustering(AlterTable* alter) {
  Take();
  alter->kind = AlterTable::Kind::kClusterBy;
  alter->operation = "CLUSTER BY";
  ARROW_RETURN_NOT_OK(Expect(Keyword::kBy));
  if (AtWord("NONE")) {
    Take();
    return Status::OK();
  }
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  do {
    ARROW_ASSIGN_OR_RAISE(alter->dropped.emplace_back(), MultipartIdentifier());
  } while (Accept(Symbol::kComma));
  return Expect(Symbol::kRightParen);
}

// RENAME COLUMN a TO b; DROP COLUMN[S] [IF EXISTS] a, (b); REPLACE COLUMNS (a INT, …)
arrow::Status Grammar::ParseColumnsAction(AlterTable* alter) {
  using Kind = AlterTable::Kind;
  bool drop = At(Keyword::kDrop), rename = At(Keyword::kRename);
  position_ += 2;
  if (rename) {
    alter->kind = Kind::kRenameColumn;
    alter->operation = "RENAME COLUMN";
    ARROW_ASSIGN_OR_RAISE(alter->dropped.emplace_back(), MultipartIdentifier());
    ARROW_RETURN_NOT_OK(Expect(Keyword::kTo));
    ARROW_ASSIGN_OR_RAISE(alter->new_name.emplace_back(), NameIdentifier());
    return Status::OK();
  }
  if (drop) {
    alter->kind = Kind::kDropColumns;
    alter->operation = "DROP COLUMN";
    ARROW_ASSIGN_OR_RAISE(alter->if_exists, IfExists());
    bool listed = Accept(Symbol::kLeftParen);
    do {
      ARROW_ASSIGN_OR_RAISE(alter->dropped.emplace_back(), MultipartIdentifier());
    } while (Accept(Symbol::kComma));
    return listed ? Expect(Symbol::kRightParen) : Status::OK();
  }
  alter->kind = Kind::kReplaceColumns;
  alter->operation = "REPLACE COLUMNS";
  return ParseColumnDefinitions(&alter->columns);
}

// a.b INT [clauses] [FIRST | AFTER c]
arrow::Status Grammar::ParseAddedColumn(ColumnDefinition* out) {
  ARROW_ASSIGN_OR_RAISE(NameParts path, MultipartIdentifier());
  out->field.name = path.back();
  path.pop_back();
  out->parent = std::move(path);
  ARROW_RETURN_NOT_OK(ParseColumnClauses(out));
  if (!At(Keyword::kFirst) && !At(Keyword::kAfter)) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(out->position, ParseColumnPosition());
  // Clauses may stand on either side of it.
  if (!At(Keyword::kComment)) return Status::OK();
  Take();
  ARROW_ASSIGN_OR_RAISE(std::string comment, StringValue());
  out->field.metadata_json = types::ColumnMetadata(comment, types::DefaultOf(out->field));
  return Status::OK();
}

arrow::Result<ColumnPosition> Grammar::ParseColumnPosition() {
  ColumnPosition position;
  position.first = Accept(Keyword::kFirst);
  if (position.first) return position;
  ARROW_RETURN_NOT_OK(Expect(Keyword::kAfter));
  ARROW_ASSIGN_OR_RAISE(position.after, NameIdentifier());
  return position;
}

arrow::Status Grammar::ParseColumnChanges(AlterTable* alter) {
  do {
    ColumnChange& change = alter->changes.emplace_back();
    ARROW_ASSIGN_OR_RAISE(change.column, MultipartIdentifier());
    if (At(Keyword::kSync, Keyword::kIdentity)) {
      position_ += 2;
      alter->kind = AlterTable::Kind::kSyncIdentity;
      alter->dropped.push_back(change.column);
      return Status::OK();
    }
    if (Accept(Keyword::kType)) {
      spark::connect::DataType type;
      ARROW_RETURN_NOT_OK(ParseType(&type));
      ARROW_ASSIGN_OR_RAISE(change.type, DataTypeFromProto(type));
      if (type.has_char_()) change.char_type = types::CharType{true, type.char_().length()};
      if (type.has_var_char()) change.char_type = types::CharType{false, type.var_char().length()};
    } else if (Accept(Keyword::kComment)) {
      ARROW_ASSIGN_OR_RAISE(change.comment, StringValue());
    } else if (At(Keyword::kFirst) || At(Keyword::kAfter)) {
      ARROW_ASSIGN_OR_RAISE(change.position, ParseColumnPosition());
    } else if (At(Keyword::kSet) || At(Keyword::kDrop)) {
      bool set = Take().Is(Keyword::kSet);
      if (Accept(Keyword::kNot, Keyword::kNull)) {
        change.nullable = !set;
      } else {
        ARROW_RETURN_NOT_OK(Expect(Keyword::kDefault));
        change.default_text = "";
        if (set) {
          ARROW_ASSIGN_OR_RAISE(change.default_text, ExpressionText());
        }
      }
    } else {
      return ParseHiveChange(alter);
    }
  } while (Accept(Symbol::kComma));
  return Status::OK();
}

// CHANGE COLUMN a b INT [NOT NULL] [COMMENT 'text'] [FIRST | AFTER c]: the older form says everything anew.
arrow::Status Grammar::ParseHiveChange(AlterTable* alter) {
  ColumnChange& change = alter->changes.back();
  ColumnDefinition column;
  ARROW_RETURN_NOT_OK(ParseColumnDefinition(&column));
  if (!EqualsIgnoreCase(column.field.name, change.column.back()) || change.column.size() > 1) {
    alter->operation = kHiveRename;
    alter->kind = AlterTable::Kind::kOther;
  }
  change.type = column.field.type;
  change.char_type = types::CharTypeOf(column.field);
  if (!column.field.nullable) change.nullable = false;
  change.comment = types::CommentOf(column.field);
  if (At(Keyword::kFirst) || At(Keyword::kAfter)) {
    ARROW_ASSIGN_OR_RAISE(change.position, ParseColumnPosition());
  }
  return Status::OK();
}

// ADD CONSTRAINT name CHECK (expression); DROP CONSTRAINT [IF EXISTS] name
arrow::Status Grammar::ParseAlterConstraint(AlterTable* alter) {
  bool drop = At(Keyword::kDrop);
  position_ += 2;
  alter->operation = drop ? "DROP CONSTRAINT" : "ADD CONSTRAINT";
  alter->kind = drop ? AlterTable::Kind::kDropConstraint : AlterTable::Kind::kAddConstraint;
  if (drop) {
    ARROW_ASSIGN_OR_RAISE(alter->if_exists, IfExists());
    ARROW_ASSIGN_OR_RAISE(alter->constraint, NameIdentifier());
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(alter->constraint, NameIdentifier());
  if (!At(Keyword::kCheck)) return Unsupported("a constraint other than CHECK");
  Take();
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  // Delta's parser keeps the words, with a space between them.
  size_t first = position_;
  Expression ignored;
  ARROW_RETURN_NOT_OK(ParseExpression(&ignored));
  for (size_t i = first; i < position_; ++i) {
    alter->text += (i == first ? "" : " ") + std::string(tokens_[i].text);
  }
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseAlterPartitions(AlterTable* alter) {
  bool drop = Take().Is(Keyword::kDrop);
  alter->kind = drop ? AlterTable::Kind::kDropPartitions : AlterTable::Kind::kAddPartitions;
  ARROW_ASSIGN_OR_RAISE(alter->if_exists, drop ? IfExists() : IfNotExists());
  while (Accept(Keyword::kPartition)) {
    ARROW_RETURN_NOT_OK(ParsePartitionSpec(&alter->partitions.emplace_back()));
    if (At(Keyword::kLocation)) return Unsupported("LOCATION of a partition");
    if (drop) Accept(Symbol::kComma);
  }
  if (drop) Accept(Keyword::kPurge);
  return Status::OK();
}

}  // namespace millrace::sql

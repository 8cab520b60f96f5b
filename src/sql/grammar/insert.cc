#include "sql/grammar/grammar.h"

/// INSERT and TRUNCATE.

namespace millrace::sql {

// INSERT INTO|OVERWRITE [TABLE] name [PARTITION (…)] [BY NAME | (columns)] query
arrow::Status Grammar::ParseInsert(Command* out) {
  Insert insert;
  bool directory = false;
  ARROW_RETURN_NOT_OK(ParseInsertHead(&insert, &directory));
  if (directory) return ParseInsertDirectory(out);
  if (!AtQueryStatement()) return SyntaxErrorHere();
  ARROW_RETURN_NOT_OK(ParseQuery(&insert.query));
  *out = std::move(insert);
  return Status::OK();
}

// An INSERT behind WITH or FROM, outside of all parentheses.
bool Grammar::AtLateInsert() const {
  if (!At(Keyword::kWith) && !At(Keyword::kFrom)) return false;
  for (size_t i = position_; i + 1 < tokens_.size(); ++i) {
    bool insert = tokens_[i].paren_depth == 0 && tokens_[i].Is(Keyword::kInsert);
    if (insert && (tokens_[i + 1].Is(Keyword::kInto) || tokens_[i + 1].Is(Keyword::kOverwrite))) return true;
  }
  return false;
}

// WITH tables INSERT …, FROM relation INSERT … SELECT …
arrow::Status Grammar::ParseLateInsert(Command* out) {
  if (At(Keyword::kWith)) {
    std::vector<Relation> tables;
    ARROW_RETURN_NOT_OK(ParseCommonTables(&tables));
    ARROW_RETURN_NOT_OK(ParseInsert(out));
    auto* insert = std::get_if<Insert>(out);
    if (insert == nullptr) return Unsupported("WITH before INSERT OVERWRITE DIRECTORY");
    Relation root;
    root.Swap(&insert->query);
    insert->query.mutable_with_relations()->mutable_root()->Swap(&root);
    for (Relation& table : tables) insert->query.mutable_with_relations()->add_references()->Swap(&table);
    return Status::OK();
  }
  Relation input;
  ARROW_RETURN_NOT_OK(ParseFrom(&input));
  Insert insert;
  bool directory = false;
  ARROW_RETURN_NOT_OK(ParseInsertHead(&insert, &directory));
  if (directory) return Unsupported("FROM … INSERT OVERWRITE DIRECTORY");
  ARROW_RETURN_NOT_OK(ParseSelectOf(&input, &insert.query));
  if (At(Keyword::kInsert)) return Unsupported("several INSERT of one FROM");
  *out = std::move(insert);
  return Status::OK();
}

arrow::Status Grammar::ParseInsertHead(Insert* out, bool* directory) {
  Insert& insert = *out;
  Take();
  insert.overwrite = At(Keyword::kOverwrite);
  if (!insert.overwrite && !At(Keyword::kInto)) return SyntaxErrorHere();
  Take();
  bool local = insert.overwrite && At(Keyword::kLocal, Keyword::kDirectory);
  if (local) Take();
  *directory = insert.overwrite && At(Keyword::kDirectory);
  if (*directory) return Status::OK();
  if (At(Keyword::kTable) && Peek(1).IsIdentifier()) Take();
  ARROW_ASSIGN_OR_RAISE(insert.table, MultipartIdentifier());
  if (At(Keyword::kWith) && Peek(1).Is(Keyword::kSchema)) return Unsupported("INSERT WITH SCHEMA EVOLUTION");
  if (Accept(Keyword::kPartition)) {
    ARROW_RETURN_NOT_OK(ParsePartitionSpec(&insert.partition));
    ARROW_ASSIGN_OR_RAISE(insert.if_not_exists, IfNotExists());
  }
  if (At(Keyword::kBy, Keyword::kName)) {
    position_ += 2;
    insert.by_name = true;
  } else if (At(Symbol::kLeftParen) && !StartsQuery(position_) && !StartsQuery(position_ + 1)) {
    ARROW_ASSIGN_OR_RAISE(insert.columns, IdentifierList());
  }
  if (At(Keyword::kReplace) && !insert.overwrite) {
    Take();
    if (!At(Keyword::kWhere)) return Unsupported("INSERT INTO … REPLACE ON and USING");
    Take();
    ARROW_ASSIGN_OR_RAISE(insert.replace_where, ExpressionText());
  }
  return Status::OK();
}

arrow::Status Grammar::ParseInsertDirectory(Command* out) {
  Take();
  InsertDirectory insert;
  if (Peek().kind == TokenKind::kString) {
    ARROW_ASSIGN_OR_RAISE(insert.path, StringValue());
  }
  if (At(Keyword::kRow) || At(Keyword::kStored)) return Unsupported("Hive's ROW FORMAT and STORED AS");
  ARROW_RETURN_NOT_OK(Expect(Keyword::kUsing));
  ARROW_ASSIGN_OR_RAISE(NameParts provider, MultipartIdentifier());
  insert.provider = provider.back();
  if (Accept(Keyword::kOptions)) ARROW_RETURN_NOT_OK(ParseProperties(&insert.options));
  Accept(Keyword::kAs);
  ARROW_RETURN_NOT_OK(ParseQuery(&insert.query));
  *out = std::move(insert);
  return Status::OK();
}

arrow::Status Grammar::ParseTruncate(Command* out) {
  Take();
  ARROW_RETURN_NOT_OK(Expect(Keyword::kTable));
  TruncateTable truncate;
  ARROW_ASSIGN_OR_RAISE(truncate.name, MultipartIdentifier());
  if (Accept(Keyword::kPartition)) ARROW_RETURN_NOT_OK(ParsePartitionSpec(&truncate.partition));
  *out = std::move(truncate);
  return Status::OK();
}

}  // namespace millrace::sql

#include "sql/grammar/grammar.h"

/// INSERT, TRUNCATE, and the refusals of UPDATE, DELETE and MERGE that name their table.

namespace millrace::sql {

// INSERT INTO|OVERWRITE [TABLE] name [PARTITION (…)] [BY NAME | (columns)] query
arrow::Status Grammar::ParseInsert(Command* out) {
  Take();
  Insert insert;
  insert.overwrite = At(Keyword::kOverwrite);
  if (!insert.overwrite && !At(Keyword::kInto)) return SyntaxErrorHere();
  Take();
  bool local = insert.overwrite && At(Keyword::kLocal, Keyword::kDirectory);
  if (local) Take();
  if (insert.overwrite && At(Keyword::kDirectory)) return ParseInsertDirectory(out);
  if (At(Keyword::kTable) && Peek(1).IsIdentifier()) Take();
  ARROW_ASSIGN_OR_RAISE(insert.table, MultipartIdentifier());
  if (At(Keyword::kReplace) || At(Keyword::kWith)) {
    if (At(Keyword::kReplace)) return Unsupported("INSERT INTO … REPLACE");
    if (Peek(1).Is(Keyword::kSchema)) return Unsupported("INSERT WITH SCHEMA EVOLUTION");
  }
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
  if (!AtQueryStatement()) return SyntaxErrorHere();
  ARROW_RETURN_NOT_OK(ParseQuery(&insert.query));
  *out = std::move(insert);
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

arrow::Status Grammar::ParseChangeRows(Command* out) {
  ChangeRows change;
  const Token& word = Take();
  change.operation = word.Is(Keyword::kUpdate) ? "UPDATE TABLE" : word.Is(Keyword::kDelete) ? "DELETE" : "MERGE INTO TABLE";
  if (word.Is(Keyword::kDelete)) ARROW_RETURN_NOT_OK(Expect(Keyword::kFrom));
  if (word.Is(Keyword::kMerge)) ARROW_RETURN_NOT_OK(Expect(Keyword::kInto));
  ARROW_ASSIGN_OR_RAISE(change.table, MultipartIdentifier());
  while (Peek().kind != TokenKind::kEnd && !At(Symbol::kSemicolon)) Take();
  *out = std::move(change);
  return Status::OK();
}

}  // namespace millrace::sql

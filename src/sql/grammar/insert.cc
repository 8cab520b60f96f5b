#include "sql/grammar/grammar.h"

/// INSERT and TRUNCATE.

namespace millrace::sql {

// INSERT [WITH SCHEMA EVOLUTION] INTO|OVERWRITE [TABLE] name [PARTITION (…)] [BY NAME | (columns)] query
arrow::Status Grammar::ParseInsert(Command* out) {
  Insert insert;
  bool directory = false;
  ARROW_RETURN_NOT_OK(ParseInsertHead(&insert, &directory));
  if (directory) return ParseInsertDirectory(out);
  if (!AtQueryStatement()) return SyntaxErrorHere();
  ARROW_RETURN_NOT_OK(ParseQuery(&insert.query));
  if (insert.replaces_matches) {  // (query) AS source
    Accept(Keyword::kAs);
    if (Peek().IsIdentifier()) Take();
  }
  *out = std::move(insert);
  return Status::OK();
}

// An INSERT behind WITH or FROM, or a MERGE behind WITH, outside of all parentheses.
bool Grammar::AtLateInsert() const {
  if (!At(Keyword::kWith) && !At(Keyword::kFrom)) return false;
  for (size_t i = position_; i + 1 < tokens_.size(); ++i) {
    bool insert = tokens_[i].paren_depth == 0 && tokens_[i].Is(Keyword::kInsert);
    const Token& next = tokens_[i + 1];
    if (insert && (next.Is(Keyword::kInto) || next.Is(Keyword::kOverwrite) || next.Is(Keyword::kWith))) return true;
    bool merge = At(Keyword::kWith) && tokens_[i].paren_depth == 0 && tokens_[i].Is(Keyword::kMerge);
    if (merge && (tokens_[i + 1].Is(Keyword::kInto) || tokens_[i + 1].Is(Keyword::kWith))) return true;
  }
  return false;
}

// Puts `tables` around a query that may name them.
static void WrapInTables(const std::vector<Relation>& tables, Relation* query) {
  Relation root;
  root.Swap(query);
  query->mutable_with_relations()->mutable_root()->Swap(&root);
  for (const Relation& table : tables) *query->mutable_with_relations()->add_references() = table;
}

// WITH tables INSERT … or MERGE …; FROM relation INSERT … SELECT … (and more INSERTs), or both.
arrow::Status Grammar::ParseLateInsert(Command* out) {
  std::vector<Relation> tables;
  if (At(Keyword::kWith)) ARROW_RETURN_NOT_OK(ParseCommonTables(&tables));
  if (At(Keyword::kMerge)) {
    ARROW_RETURN_NOT_OK(ParseMerge(out));
    WrapInTables(tables, &*std::get<ChangeRows>(*out).source);
    return Status::OK();
  }
  std::vector<Insert> inserts;
  if (At(Keyword::kFrom)) {
    Relation input;
    ARROW_RETURN_NOT_OK(ParseFrom(&input));
    do {
      Insert& insert = inserts.emplace_back();
      bool directory = false;
      ARROW_RETURN_NOT_OK(ParseInsertHead(&insert, &directory));
      if (directory) return Unsupported("FROM … INSERT OVERWRITE DIRECTORY");
      Relation again = input;
      ARROW_RETURN_NOT_OK(ParseSelectOf(&again, &insert.query));
    } while (At(Keyword::kInsert));
  } else {
    Command one;
    ARROW_RETURN_NOT_OK(ParseInsert(&one));
    auto* insert = std::get_if<Insert>(&one);
    if (insert == nullptr) return Unsupported("WITH before INSERT OVERWRITE DIRECTORY");
    inserts.push_back(std::move(*insert));
  }
  for (Insert& insert : inserts) {
    if (!tables.empty()) WrapInTables(tables, &insert.query);
  }
  if (inserts.size() == 1) {
    *out = std::move(inserts[0]);
  } else {
    *out = InsertAll{std::move(inserts)};
  }
  return Status::OK();
}

arrow::Status Grammar::ParseInsertHead(Insert* out, bool* directory) {
  Insert& insert = *out;
  Take();
  if (Accept(Keyword::kWith)) {
    ARROW_RETURN_NOT_OK(Expect(Keyword::kSchema));
    ARROW_RETURN_NOT_OK(Expect(Keyword::kEvolution));
    insert.evolves_schema = true;
  }
  insert.overwrite = At(Keyword::kOverwrite);
  if (!insert.overwrite && !At(Keyword::kInto)) return SyntaxErrorHere();
  Take();
  bool local = insert.overwrite && !insert.evolves_schema && At(Keyword::kLocal, Keyword::kDirectory);
  if (local) Take();
  *directory = insert.overwrite && !insert.evolves_schema && At(Keyword::kDirectory);
  if (*directory) return Status::OK();
  if (At(Keyword::kTable) && Peek(1).IsIdentifier()) Take();
  ARROW_ASSIGN_OR_RAISE(insert.table, MultipartIdentifier());
  // An alias is for the condition of REPLACE ON.
  bool has_alias = At(Keyword::kAs) && Peek(1).IsIdentifier() && Peek(2).Is(Keyword::kReplace);
  if (has_alias) position_ += 2;
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
  // REPLACE WHERE takes BY NAME before it, but neither partitions nor a list of columns.
  bool may_replace = !insert.overwrite && insert.partition.empty() && insert.columns.empty();
  if (At(Keyword::kReplace) && may_replace) {
    Take();
    if (Accept(Keyword::kUsing)) {
      insert.replaces_matches = true;
      return IdentifierList().status();
    }
    if (Accept(Keyword::kOn)) {
      insert.replaces_matches = true;
      // Nobody evaluates the condition. It may end in a name, which must not take the query for its arguments.
      auto at_query = [this] { return AtQueryWord(At(Symbol::kLeftParen) ? 1 : 0); };
      while (Peek().kind != TokenKind::kEnd && !at_query()) Take();
      return Status::OK();
    }
    ARROW_RETURN_NOT_OK(Expect(Keyword::kWhere));
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

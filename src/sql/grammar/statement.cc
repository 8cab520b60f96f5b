#include "base/ascii.h"
#include "spark/connect/catalog.pb.h"
#include "spark/connect/commands.pb.h"
#include "sql/expression_tree.h"
#include "sql/grammar/grammar.h"
#include "sql/parse_error.h"
#include "sql/string_literal.h"

namespace millrace::sql {

namespace {

// Words that start a statement Spark knows and this parser does not.
bool StartsOtherStatement(Keyword keyword) {
  switch (keyword) {
    case Keyword::kAdd:
    case Keyword::kAlter:
    case Keyword::kAnalyze:
    case Keyword::kBegin:
    case Keyword::kCache:
    case Keyword::kCall:
    case Keyword::kClear:
    case Keyword::kComment:
    case Keyword::kCommit:
    case Keyword::kCreate:
    case Keyword::kDeclare:
    case Keyword::kDelete:
    case Keyword::kDesc:
    case Keyword::kDescribe:
    case Keyword::kDfs:
    case Keyword::kDrop:
    case Keyword::kExecute:
    case Keyword::kExplain:
    case Keyword::kExport:
    case Keyword::kGrant:
    case Keyword::kImport:
    case Keyword::kInsert:
    case Keyword::kList:
    case Keyword::kLoad:
    case Keyword::kLock:
    case Keyword::kMerge:
    case Keyword::kMsck:
    case Keyword::kRefresh:
    case Keyword::kRepair:
    case Keyword::kReplace:
    case Keyword::kReset:
    case Keyword::kRevoke:
    case Keyword::kRollback:
    case Keyword::kSet:
    case Keyword::kShow:
    case Keyword::kStart:
    case Keyword::kTruncate:
    case Keyword::kUncache:
    case Keyword::kUnlock:
    case Keyword::kUpdate:
    case Keyword::kUse:
      return true;
    default:
      return false;
  }
}

}  // namespace

arrow::Status Grammar::SingleExpression(Expression* out, std::vector<Relation>* subqueries) {
  subqueries_ = subqueries;
  ARROW_RETURN_NOT_OK(ParseExpression(out));
  // No clause can follow here, so every word is an alias.
  if (Peek().kind == TokenKind::kKeyword && StartsClause(position_)) return ExpectEnd();
  ARROW_RETURN_NOT_OK(ParseAlias(out));
  return ExpectEnd();
}

arrow::Status Grammar::SingleSortOrder(Expression* out) {
  ARROW_RETURN_NOT_OK(ParseSortItem(out->mutable_sort_order()));
  return ExpectEnd();
}

// Here these words can be nothing else, whatever follows.
bool Grammar::AtQueryStatement() const {
  return At(Keyword::kSelect) || At(Keyword::kWith) || At(Keyword::kFrom) || At(Keyword::kValues) ||
         At(Keyword::kTable) || At(Symbol::kLeftParen);
}

arrow::Status Grammar::SingleQuery(Relation* out) {
  if (!AtQueryStatement()) {
    return StartsOtherStatement(Peek().keyword) ? UnsupportedStatement() : SyntaxErrorHere();
  }
  ARROW_RETURN_NOT_OK(ParseQuery(out));
  return ExpectStatementEnd();
}

arrow::Status Grammar::SingleDataType(spark::connect::DataType* out) {
  ARROW_RETURN_NOT_OK(ParseType(out));
  return ExpectEnd();
}

arrow::Result<std::vector<std::string>> Grammar::SingleMultipartIdentifier() {
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> parts, MultipartIdentifier());
  ARROW_RETURN_NOT_OK(ExpectEnd());
  return parts;
}

arrow::Status Grammar::SingleStatement(spark::connect::Plan* out, std::optional<ConfStatement>* conf) {
  if (AtQueryStatement()) {
    ARROW_RETURN_NOT_OK(ParseQuery(out->mutable_root()));
  } else if (At(Keyword::kCreate)) {
    ARROW_RETURN_NOT_OK(ParseCreateView(out));
  } else if (At(Keyword::kSet) || At(Keyword::kReset)) {
    return ParseConf(conf);
  } else if (At(Keyword::kShow, Keyword::kTables)) {
    ARROW_RETURN_NOT_OK(ParseShowTables(out));
  } else if (At(Keyword::kDrop, Keyword::kView)) {
    ARROW_RETURN_NOT_OK(ParseDropView(out));
  } else if (At(Keyword::kUse)) {
    ARROW_RETURN_NOT_OK(ParseUse(out));
  } else {
    return StartsOtherStatement(Peek().keyword) ? UnsupportedStatement() : SyntaxErrorHere();
  }
  return ExpectStatementEnd();
}

arrow::Status Grammar::UnsupportedStatement() const {
  std::string words = ToUpperAscii(Peek().text);
  for (size_t i = 1; i < 3 && Peek(i).kind == TokenKind::kKeyword; ++i) words += " " + ToUpperAscii(Peek(i).text);
  return Unsupported(words);
}

arrow::Status Grammar::ExpectStatementEnd() {
  bool closed = false;
  while (Accept(Symbol::kSemicolon)) closed = true;
  if (!closed || Peek().kind == TokenKind::kEnd) return ExpectEnd();
  return SyntaxError(text_, Peek(), ": extra input '" + std::string(Peek().text) + "'");
}

// CREATE [OR REPLACE] [GLOBAL] TEMPORARY VIEW name [(columns)] AS query
arrow::Status Grammar::ParseCreateView(spark::connect::Plan* out) {
  size_t ahead = 1;
  bool replace = Peek(ahead).Is(Keyword::kOr) && Peek(ahead + 1).Is(Keyword::kReplace);
  if (replace) ahead += 2;
  bool global = Peek(ahead).Is(Keyword::kGlobal);
  if (global) ++ahead;
  bool temporary = Peek(ahead).Is(Keyword::kTemporary) || Peek(ahead).Is(Keyword::kTemp);
  if (!temporary || !Peek(ahead + 1).Is(Keyword::kView)) return UnsupportedStatement();
  position_ += ahead + 2;
  if (At(Keyword::kIf, Keyword::kNot)) return ErrorAt(position_, "_LEGACY_ERROR_TEMP_0053");
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> name, MultipartIdentifier());
  std::vector<std::string> columns;
  if (At(Symbol::kLeftParen)) {
    ARROW_ASSIGN_OR_RAISE(columns, IdentifierList());
  }
  if (At(Keyword::kUsing)) return Unsupported("CREATE TEMPORARY VIEW USING");
  ARROW_RETURN_NOT_OK(Expect(Keyword::kAs));
  auto* view = out->mutable_command()->mutable_create_dataframe_view();
  Relation* input = view->mutable_input();
  if (!columns.empty()) {
    for (std::string& column : columns) input->mutable_to_df()->add_column_names(std::move(column));
    input = input->mutable_to_df()->mutable_input();
  }
  ARROW_RETURN_NOT_OK(ParseQuery(input));
  Expression joined;
  SetAttribute(name, &joined);
  view->set_name(joined.unresolved_attribute().unparsed_identifier());
  view->set_is_global(global);
  view->set_replace(replace);
  return Status::OK();
}

// SET key=value takes the rest of the text as it stands, so this works on the text.
arrow::Status Grammar::ParseConf(std::optional<ConfStatement>* conf) {
  bool set = At(Keyword::kSet);
  const Token& next = Peek(1);
  if (set && (next.Is(Keyword::kVar) || next.Is(Keyword::kVariable) || next.Is(Keyword::kRole) ||
              next.Is(Keyword::kPath) || next.Is(Keyword::kCatalog))) {
    return UnsupportedStatement();
  }
  std::string_view rest = TrimAscii(text_.substr(Peek().offset + Peek().text.size()));
  while (rest.ends_with(';')) rest = TrimAscii(rest.substr(0, rest.size() - 1));
  auto unquote = [](std::string_view word) {
    bool quoted = word.size() >= 2 && word.front() == '`' && word.back() == '`';
    return quoted ? UnquoteIdentifier(word) : std::string(word);
  };
  using Kind = ConfStatement::Kind;
  ConfStatement statement{set ? Kind::kShowAll : Kind::kResetAll, "", ""};
  if (set && next.Is(Keyword::kTime) && Peek(2).Is(Keyword::kZone)) {
    position_ += 3;
    statement = {Kind::kSet, "spark.sql.session.timeZone", ""};
    if (At(Keyword::kLocal)) return Unsupported("SET TIME ZONE LOCAL");
    ARROW_ASSIGN_OR_RAISE(statement.value, StringValue());
  } else if (!rest.empty()) {
    size_t equal = set ? rest.find('=') : std::string_view::npos;
    statement.kind = !set ? Kind::kReset : equal == std::string_view::npos ? Kind::kShow : Kind::kSet;
    std::string_view key = TrimAscii(rest.substr(0, equal));
    bool quoted = key.starts_with('`');
    if (key.empty() || (!quoted && key.find_first_of(" \t\r\n") != std::string_view::npos)) {
      if (EqualsIgnoreCase(key, "-v")) return Unsupported("SET -v");
      return PositionedError(text_, Peek().offset, "INVALID_SET_SYNTAX");
    }
    statement.key = unquote(key);
    if (statement.kind == Kind::kSet) statement.value = unquote(TrimAscii(rest.substr(equal + 1)));
  }
  *conf = std::move(statement);
  return Status::OK();
}

// SHOW TABLES [IN database] [[LIKE] 'pattern'] as namespace, tableName, isTemporary
arrow::Status Grammar::ParseShowTables(spark::connect::Plan* out) {
  position_ += 2;
  auto* project = out->mutable_root()->mutable_project();
  auto* list = project->mutable_input()->mutable_catalog()->mutable_list_tables();
  if (Accept(Keyword::kIn) || Accept(Keyword::kFrom)) {
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> database, MultipartIdentifier());
    list->set_db_name(database.back());
  }
  if (Accept(Keyword::kLike) || Peek().kind == TokenKind::kString) {
    ARROW_ASSIGN_OR_RAISE(std::string pattern, StringValue());
    list->set_pattern(pattern);
  }
  auto add_column = [&](const std::string& name) {
    auto* alias = project->add_expressions()->mutable_alias();
    alias->add_name(name);
    return alias->mutable_expr();
  };
  Expression::UnresolvedFunction* first = SetFunction("coalesce", add_column("namespace"));
  Expression* element = first->add_arguments();
  SetAttribute({"namespace"}, element);
  SetInteger(0, WrapInFunction("get", element)->add_arguments());
  SetString("", first->add_arguments());
  SetAttribute({"name"}, add_column("tableName"));
  SetAttribute({"isTemporary"}, add_column("isTemporary"));
  return Status::OK();
}

arrow::Status Grammar::ParseDropView(spark::connect::Plan* out) {
  position_ += 2;
  if (!At(Keyword::kIf, Keyword::kExists)) return Unsupported("DROP VIEW without IF EXISTS");
  position_ += 2;
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> name, MultipartIdentifier());
  bool global = name.size() == 2 && EqualsIgnoreCase(name[0], "global_temp");
  if (name.size() > 1 && !global) return Unsupported("DROP VIEW of a view that is not temporary");
  auto* catalog = out->mutable_root()->mutable_catalog();
  if (global) {
    catalog->mutable_drop_global_temp_view()->set_view_name(name.back());
  } else {
    catalog->mutable_drop_temp_view()->set_view_name(name.back());
  }
  return Status::OK();
}

arrow::Status Grammar::ParseUse(spark::connect::Plan* out) {
  Take();
  if (!Accept(Keyword::kDatabase) && !Accept(Keyword::kSchema)) Accept(Keyword::kNamespace);
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> name, MultipartIdentifier());
  if (name.size() != 1) return Unsupported("USE of a name with several parts");
  out->mutable_root()->mutable_catalog()->mutable_set_current_database()->set_db_name(name[0]);
  return Status::OK();
}

}  // namespace millrace::sql

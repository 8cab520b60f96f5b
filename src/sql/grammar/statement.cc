#include <algorithm>

#include "base/ascii.h"
#include "sql/expression_tree.h"
#include "sql/grammar/grammar.h"
#include "sql/parse_error.h"

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
bool Grammar::AtQueryWord(size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.Is(Keyword::kSelect) || token.Is(Keyword::kWith) || token.Is(Keyword::kFrom) ||
         token.Is(Keyword::kValues) || token.Is(Keyword::kTable);
}

bool Grammar::AtQueryStatement() const { return AtQueryWord() || At(Symbol::kLeftParen); }

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

// Which rule a statement that is no query starts with; null when none does.
Grammar::CommandRule Grammar::FindCommandRule() const {
  const Token& next = Peek(1);
  switch (Peek().keyword) {
    case Keyword::kCreate: {
      if (AtDatabaseWord(1)) return &Grammar::ParseCreateDatabase;
      size_t at = next.Is(Keyword::kOr) && Peek(2).Is(Keyword::kReplace) ? 3 : 1;
      if (Peek(at).Is(Keyword::kTable) || Peek(at).Is(Keyword::kExternal)) return &Grammar::ParseCreateTable;
      if (Peek(at).Is(Keyword::kGlobal)) ++at;
      bool temporary = Peek(at).Is(Keyword::kTemporary) || Peek(at).Is(Keyword::kTemp);
      if (temporary) ++at;
      if (Peek(at).Is(Keyword::kView)) return &Grammar::ParseCreateView;
      if (Peek(at).Is(Keyword::kFunction)) return &Grammar::ParseCreateFunction;
      return temporary && Peek(at).Is(Keyword::kTable) ? &Grammar::ParseCreateTable : nullptr;
    }
    case Keyword::kReplace:
      return next.Is(Keyword::kTable) ? &Grammar::ParseCreateTable : nullptr;
    case Keyword::kDeclare:
      return &Grammar::ParseDeclareVariable;
    case Keyword::kDrop:
      if ((next.Is(Keyword::kTemporary) || next.Is(Keyword::kTemp)) &&
          (Peek(2).Is(Keyword::kVariable) || Peek(2).Is(Keyword::kVar))) {
        return &Grammar::ParseDropVariable;
      }
      if (next.Is(Keyword::kFunction) || Peek(2).Is(Keyword::kFunction)) return &Grammar::ParseDropFunction;
      return next.Is(Keyword::kTable) || next.Is(Keyword::kView) || AtDatabaseWord(1) ? &Grammar::ParseDrop : nullptr;
    case Keyword::kAlter:
      if (AtDatabaseWord(1)) return &Grammar::ParseAlterDatabase;
      return next.Is(Keyword::kTable) || next.Is(Keyword::kView) ? &Grammar::ParseAlterTable : nullptr;
    case Keyword::kInsert:
      return &Grammar::ParseInsert;
    case Keyword::kTruncate:
      return &Grammar::ParseTruncate;
    case Keyword::kUpdate:
      return &Grammar::ParseUpdate;
    case Keyword::kDelete:
      return &Grammar::ParseDelete;
    case Keyword::kMerge:
      return &Grammar::ParseMerge;
    case Keyword::kSet:
      if (next.Is(Keyword::kVar) || next.Is(Keyword::kVariable)) return &Grammar::ParseSetVariable;
      return &Grammar::ParseConf;
    case Keyword::kReset:
      return &Grammar::ParseConf;
    case Keyword::kShow:
      return &Grammar::ParseShow;
    case Keyword::kDesc:
    case Keyword::kDescribe:
      return &Grammar::ParseDescribe;
    case Keyword::kUse:
      return &Grammar::ParseUse;
    case Keyword::kExplain:
      return &Grammar::ParseExplain;
    case Keyword::kCache:
    case Keyword::kUncache:
    case Keyword::kClear:
      return &Grammar::ParseCache;
    case Keyword::kRefresh:
      return &Grammar::ParseRefresh;
    case Keyword::kAnalyze:
      return &Grammar::ParseAnalyze;
    case Keyword::kComment:
      return next.Is(Keyword::kOn) ? &Grammar::ParseComment : nullptr;
    case Keyword::kMsck:
    case Keyword::kRepair:
      return &Grammar::ParseRepair;
    default:
      return FindDeltaRule();
  }
}

// The text that EXECUTE IMMEDIATE runs: any constant expression.
arrow::Result<std::string> Grammar::ImmediateText() {
  size_t first = position_;
  Expression expression;
  ARROW_RETURN_NOT_OK(ParseParameterValue(&expression));
  if (std::optional<std::string> text = ConstantText(expression)) return std::move(*text);
  std::optional<ConstantValue> value;
  if (options_->constant) {
    ARROW_ASSIGN_OR_RAISE(value, options_->constant(expression));
  }
  if (!value) return Unsupported("EXECUTE IMMEDIATE of this expression");
  if (!value->is_string) {
    return UserError("INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE", {{"exprType", QuoteSqlType(value->type)}});
  }
  if (!value->text) {
    return UserError("NULL_QUERY_STRING_EXECUTE_IMMEDIATE",
                     {{"varName", QuoteIdentifier(TextBetween(first, position_))}});
  }
  return std::move(*value->text);
}

// An expression without a query in it.
arrow::Status Grammar::ParseParameterValue(Expression* out) {
  std::vector<Relation> plans;
  std::vector<Relation>* outer = std::exchange(subqueries_, &plans);
  arrow::Status status = ParseExpression(out);
  subqueries_ = outer;
  ARROW_RETURN_NOT_OK(status);
  if (plans.empty()) return Status::OK();
  return UserError("UNSUPPORTED_EXPR_FOR_PARAMETER", {{"invalidExprSql", QuoteSqlExpression("scalarsubquery()")}});
}

// Names of session variables in the value of a parameter, so that no column takes their place where it is used.
arrow::Status Grammar::QualifyVariables(Expression* value) const {
  if (value->has_unresolved_attribute()) {
    std::vector<std::string> parts = AttributeParts(*value);
    Expression qualified;
    SetAttribute({"system", "session", parts[0]}, &qualified);
    if (parts.size() == 1 && options_->constant(qualified).ok()) value->Swap(&qualified);
    return Status::OK();
  }
  arrow::Status status;
  ForEachChild(value, [&](Expression* child) {
    if (status.ok()) status = QualifyVariables(child);
  });
  return status;
}

// USING value [AS name], …
arrow::Result<std::vector<Grammar::ImmediateArgument>> Grammar::ImmediateArguments() {
  std::vector<ImmediateArgument> arguments;
  size_t first = position_;
  if (!Accept(Keyword::kUsing)) return arguments;
  bool parenthesized =
      At(Symbol::kLeftParen) && Closing(position_) + 2 >= tokens_.size() && !StartsQuery(position_ + 1);
  if (parenthesized) Take();
  do {
    ImmediateArgument& argument = arguments.emplace_back();
    size_t begin = position_;
    ARROW_RETURN_NOT_OK(ParseParameterValue(&argument.value));
    argument.shown = TextBetween(begin, position_);
    bool quoted = argument.shown.size() > 1 && argument.shown.front() == '\'';
    if (quoted) argument.shown = argument.shown.substr(1, argument.shown.size() - 2);
    if (Accept(Keyword::kAs)) {
      ARROW_ASSIGN_OR_RAISE(argument.name, Identifier());
      auto same = [&](const ImmediateArgument& other) { return &other != &argument && other.name == argument.name; };
      if (std::any_of(arguments.begin(), arguments.end(), same)) {
        return ErrorAt(first, "EXEC_IMMEDIATE_DUPLICATE_ARGUMENT_ALIASES",
                       {{"aliases", QuoteIdentifier(argument.name)}});
      }
    } else if (argument.value.has_unresolved_attribute()) {
      // A variable can be asked for by its own name.
      argument.variable = AttributeParts(argument.value).back();
    }
    if (options_->constant && !argument.value.has_literal()) {
      ARROW_RETURN_NOT_OK(options_->constant(argument.value));
      ARROW_RETURN_NOT_OK(QualifyVariables(&argument.value));
    }
  } while (Accept(Symbol::kComma));
  if (parenthesized) ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  return arguments;
}

// Whether the text has parameters :name, and whether it has ?. A colon right behind a value begins a path into it.
void Grammar::FindParameters(bool* named, bool* positional) const {
  for (size_t i = 0; i + 1 < tokens_.size(); ++i) {
    *positional = *positional || tokens_[i].Is(Symbol::kQuestion);
    if (!tokens_[i].Is(Symbol::kColon) || !tokens_[i + 1].IsIdentifier()) continue;
    bool of_value = i > 0 && tokens_[i - 1].offset + tokens_[i - 1].text.size() == tokens_[i].offset &&
                    (tokens_[i - 1].IsIdentifier() || tokens_[i - 1].Is(Symbol::kRightParen) ||
                     tokens_[i - 1].Is(Symbol::kRightBracket));
    *named = *named || !of_value;
  }
}

// EXECUTE IMMEDIATE text [INTO variable, …] [USING value [AS name], …]: the text's statement, with these parameters.
arrow::Status Grammar::ParseExecuteImmediate(Statement* out) {
  position_ += 2;
  ARROW_ASSIGN_OR_RAISE(std::string text, ImmediateText());
  std::vector<NameParts> targets;
  if (Accept(Keyword::kInto)) {
    do {
      ARROW_ASSIGN_OR_RAISE(targets.emplace_back(), MultipartIdentifier());
    } while (Accept(Symbol::kComma));
  }
  ARROW_ASSIGN_OR_RAISE(std::vector<ImmediateArgument> arguments, ImmediateArguments());
  ARROW_RETURN_NOT_OK(ExpectStatementEnd());
  ParserOptions options = *options_;
  std::map<std::string, Expression> named;
  std::vector<Expression> positional;
  options.named_parameters = &named;
  options.positional_parameters = &positional;
  ARROW_ASSIGN_OR_RAISE(Grammar inner, Make(text, options));
  if (inner.AtScript()) return UserError("SQL_SCRIPT_IN_EXECUTE_IMMEDIATE", {{"sqlString", text}});
  bool asks_names = false, asks_places = false;
  inner.FindParameters(&asks_names, &asks_places);
  if (asks_names && asks_places) return UserError("INVALID_QUERY_MIXED_QUERY_PARAMETERS");
  std::string nameless;
  for (ImmediateArgument& argument : arguments) {
    const std::string& name = argument.name.empty() ? argument.variable : argument.name;
    if (name.empty()) nameless += (nameless.empty() ? "" : ", ") + QuoteSqlExpression(argument.shown);
    positional.push_back(argument.value);
    named[name] = std::move(argument.value);
  }
  if (asks_names && !nameless.empty()) return UserError("ALL_PARAMETERS_MUST_BE_NAMED", {{"exprs", nameless}});
  if (targets.empty()) return inner.SingleStatement(out);
  SetVariable set;
  set.to_default.resize(targets.size());
  set.names = std::move(targets);
  Statement statement;
  ARROW_RETURN_NOT_OK(inner.SingleStatement(&statement));
  if (!statement.query) return UserError("INVALID_STATEMENT_FOR_EXECUTE_INTO", {{"sqlString", ToUpperAscii(text)}});
  set.query = std::move(statement.query);
  out->command = std::move(set);
  return Status::OK();
}

arrow::Status Grammar::SingleStatement(Statement* out) {
  if (At(Keyword::kExecute, Keyword::kImmediate)) return ParseExecuteImmediate(out);
  if (AtScript()) return ParseScript(&out->command.emplace().emplace<Script>());
  if (AtLateInsert()) {
    ARROW_RETURN_NOT_OK(ParseLateInsert(&out->command.emplace()));
    return ExpectStatementEnd();
  }
  if (AtQueryStatement()) {
    ARROW_RETURN_NOT_OK(ParseQuery(&out->query.emplace()));
    return ExpectStatementEnd();
  }
  if (AtDeltaDescribe()) {
    ARROW_RETURN_NOT_OK(ParseDeltaDescribe(&out->query.emplace()));
    return ExpectStatementEnd();
  }
  CommandRule rule = FindCommandRule();
  if (rule == nullptr) return StartsOtherStatement(Peek().keyword) ? UnsupportedStatement() : SyntaxErrorHere();
  ARROW_RETURN_NOT_OK((this->*rule)(&out->command.emplace()));
  // SET and RESET take the text to its end.
  return std::holds_alternative<ConfStatement>(*out->command) ? Status::OK() : ExpectStatementEnd();
}

arrow::Status Grammar::UnsupportedStatement() const {
  // Statements of other systems, which Spark knows by name to refuse them.
  const Token& next = Peek(1);
  bool of_roles = next.Is(Keyword::kRole) || next.Is(Keyword::kRoles);
  bool foreign = At(Keyword::kGrant) || At(Keyword::kRevoke) || At(Keyword::kCommit) || At(Keyword::kRollback) ||
                 At(Keyword::kLock) || At(Keyword::kUnlock) || At(Keyword::kExport) || At(Keyword::kImport) ||
                 At(Keyword::kDfs) || At(Keyword::kStart);
  bool two_words = At(Keyword::kLock) || At(Keyword::kUnlock) || At(Keyword::kStart) || of_roles;
  if (foreign || of_roles) {
    std::string operation = ToUpperAscii(Peek().text);
    if (two_words) operation += " " + ToUpperAscii(next.text);
    return FragmentError(text_, Peek().offset, tokens_.back().offset, "INVALID_STATEMENT_OR_CLAUSE",
                         {{"operation", operation}});
  }
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

}  // namespace millrace::sql

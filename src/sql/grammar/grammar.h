#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "spark/connect/base.pb.h"
#include "spark/connect/expressions.pb.h"
#include "spark/connect/relations.pb.h"
#include "spark/connect/types.pb.h"
#include "sql/interval_literal.h"
#include "sql/parser.h"
#include "sql/script.h"
#include "sql/statement.h"
#include "sql/token.h"

namespace millrace::sql {

using spark::connect::Expression;
using spark::connect::Relation;

/// Recursive descent over the tokens of one statement, Pratt style for binary operators; each method parses one rule
/// of Spark's grammar at the current token and moves past it. Methods are grouped by the file that has them.
///
/// No keyword is reserved, so many rules first look at what follows ("is this CASE an expression or a column?"). Each
/// look ahead is a bounded number of tokens or one walk to the matching parenthesis; nothing is parsed twice.
/// Nesting is limited (FAILED_TO_PARSE_TOO_COMPLEX), so hostile text cannot overflow the stack here or in the readers
/// of the tree.
///
/// Thread: confined, one instance per statement. `text` and `options` are borrowed.
class Grammar {
 public:
  static arrow::Result<Grammar> Make(std::string_view text, const ParserOptions& options);
  /// Over a piece of a script. `word`, where it is SELECT or VARIABLE, is taken as written: before an expression, or
  /// behind SET.
  static arrow::Result<Grammar> MakePart(std::string_view text, const TextRange& range, Keyword word,
                                         const ParserOptions& options);

  // Whole texts: one rule, then the end of input.
  std::string_view text() const { return text_; }
  arrow::Status SingleExpression(Expression* out, std::vector<Relation>* subqueries);
  arrow::Status SingleSortOrder(Expression* out);
  arrow::Status SingleQuery(Relation* out);
  arrow::Status SingleStatement(Statement* out);
  arrow::Status SingleDataType(spark::connect::DataType* out);
  arrow::Result<std::vector<std::string>> SingleMultipartIdentifier();

 private:
  using Status = arrow::Status;
  using CommandRule = Status (Grammar::*)(Command* out);
  using Function = Expression::UnresolvedFunction;

  using HiddenColumns = std::vector<std::pair<std::string, Expression>>;

  // What a SELECT without a set operation left open for the ORDER BY that may follow it.
  struct SelectInfo {
    bool is_aggregate = false;         // an Aggregate, perhaps under Filters; else a Project
    std::vector<std::string> columns;  // names of its SELECT list, lower case
    std::vector<Expression> grouping;  // its grouping expressions
    // Columns that only later clauses use, by name; the first `appended` are in the SELECT list already.
    HiddenColumns hidden;
    size_t appended = 0;
    // Its partitioning hints, not yet around it.
    std::vector<spark::connect::Hint> hints;
  };

  static arrow::Result<Grammar> MakeOver(std::string_view text, const ParserOptions& options);
  Grammar(std::string_view text, std::vector<Token> tokens, const ParserOptions& options);

  // --- cursor.cc: tokens, names, errors
  const Token& Peek(size_t ahead = 0) const;
  const Token& Take();
  bool At(Symbol symbol) const { return Peek().Is(symbol); }
  bool At(Keyword keyword) const { return Peek().Is(keyword); }
  bool At(Keyword first, Keyword second) const { return Peek().Is(first) && Peek(1).Is(second); }
  bool Accept(Symbol symbol);
  bool Accept(Keyword keyword);
  bool Accept(Keyword first, Keyword second);
  Status Expect(Symbol symbol);
  Status Expect(Keyword keyword);
  Status ExpectEnd();
  Status SyntaxErrorHere() const;
  /// WITH SCHEMA mode of a view. Errors: FEATURE_NOT_ENABLED.
  arrow::Result<std::string> ParseViewSchemaMode();
  Status ErrorAt(size_t first_token, std::string_view condition, ErrorParameters parameters = {}) const;
  Status Unsupported(std::string_view construct) const;
  Status TooComplex() const;
  /// Before a subtree is written a second time: nested doubling must not eat the memory.
  Status ChargeCopy(const Expression& expression);
  /// Index of the parenthesis that closes the one at `open`, or of the last token.
  size_t Closing(size_t open) const { return closing_[open]; }
  /// Position of `keyword` directly inside the call whose parenthesis opens at `open`, or 0.
  size_t FindInCall(size_t open, Keyword keyword) const;
  size_t CountArguments(size_t open) const;
  /// Whether an operand may start at the token (so that a keyword operator before it is one).
  bool StartsOperand(size_t token) const;
  /// Whether a query, rather than an expression, starts at the token.
  bool StartsQuery(size_t token) const;
  /// Whether the keyword at the token opens the next clause of a query (else it may be a name).
  bool StartsClause(size_t token) const;
  arrow::Result<std::string> Identifier();
  /// An identifier where a-b is surely meant as one name and refused with advice.
  arrow::Result<std::string> NameIdentifier();
  arrow::Result<std::vector<std::string>> MultipartIdentifier();
  arrow::Result<std::vector<std::string>> IdentifierList();
  arrow::Result<std::string> StringValue();
  bool AtIdentifierClause(size_t token) const;
  std::optional<std::string> ConstantText(const Expression& expression) const;
  arrow::Result<std::vector<std::string>> IdentifierClause();
  /// Restores the depth when it goes out of scope.
  class DepthGuard;

  // --- expression.cc: operators by precedence
  Status ParseExpression(Expression* out);
  /// Says where in the text `out` stands, from the token `first` to the last one taken, unless that was said already.
  void MarkOrigin(size_t first, Expression* out) const;
  void MarkOrigin(size_t first, Relation* out) const;
  void SetOrigin(size_t first, spark::connect::JvmOrigin* origin) const;
  Status ParseConjunction(Expression* out);
  Status ParseNegation(Expression* out);
  Status ParsePredicate(size_t first, Expression* operand);
  Status ParseBetween(Expression* operand);
  /// Whether the tokens of [first, end) are (a, b) or struct(a, b), in whatever parentheses.
  bool IsRowConstructor(size_t first, size_t end) const;
  Status ParseIn(bool is_row, Expression* operand);
  Status ParseLike(Expression* operand);
  Status ParseLikeQuantified(std::string_view function, bool negated, Expression* operand);
  Status ParseIs(Expression* operand);
  Status ParseValue(int min_precedence, Expression* out);
  Status ParseUnary(Expression* out);
  Status ParseNamedExpression(Expression* out);
  Status ParseAlias(Expression* expression);
  Status ParseSortItem(Expression::SortOrder* out);
  template <typename Add>
  Status ParseSortItems(Add add);

  // --- primary.cc: operands and what may follow them
  Status ParsePrimary(Expression* out);
  Status ParsePrefix(Expression* out);
  Status ParseKeywordPrefix(bool* parsed, Expression* out);
  Status ParseName(Expression* out);
  Status ParseParenthesized(Expression* out);
  Status ParseRowConstructor(Expression* out);
  Status ParseStar(std::vector<std::string> target, Expression* out);
  Status ParseDereference(Expression* base);
  Status ParseVariantPath(Expression* base);
  Status ParseLambda(Expression* out);
  Status ParseCase(Expression* out);
  Status ParseCast(Expression* out);
  Status ParseParameter(Expression* out);
  Status ParseSubquery(spark::connect::SubqueryExpression::SubqueryType type, Expression* out);
  bool IsLambdaVariable(std::string_view name) const;

  // --- function_call.cc: calls, SQL's calls with words inside
  Status ParseCall(std::vector<std::string> name, Expression* out);
  Status ParseArguments(bool ignore_nulls_inside, Expression* out, bool* distinct);
  Status ParseCallClauses(Expression* out);
  Status ParseSpecialCall(bool* parsed, Expression* out);
  Status ParseExtract(Expression* out);
  Status ParseSubstring(Expression* out);
  Status ParseTrim(Expression* out);
  Status ParsePosition(Expression* out);
  Status ParseOverlay(Expression* out);
  Status ParseStruct(Expression* out);
  Status ParseDatetimeUnitCall(std::string_view function, Expression* out);
  Status AddIgnoreNulls(Expression* call);

  // --- window.cc
  Status ParseOver(Expression* call);
  Status ParseWindowSpec(Expression::Window* window);
  Status ParseNamedWindow(std::string_view name, Expression::Window* window);
  Status ParseWindowFrame(Expression::Window* window);
  Status ParseFrameBound(Expression::Window::WindowFrame::FrameBoundary* out, bool is_lower);

  // --- literal.cc
  Status ParseNumber(bool negative, size_t first_token, Expression* out);
  Status ParseTypedLiteral(Expression* out);
  Status ParseStringLiteral(Expression* out);
  Status AppendStrings(Expression* out);
  Status SetDecimal(std::string_view digits, bool negative, Expression* out);
  Status RangeError(size_t first_token, std::string_view digits, std::string_view type, std::string_view minimum,
                    std::string_view maximum) const;

  // --- interval.cc
  bool AtIntervalLiteral() const;
  Status ParseIntervalLiteral(Expression* out);
  Status ParseIntervalString(std::string_view text, size_t first_token, Expression* out);
  Status SetInterval(const IntervalValue& value, const std::vector<std::string>& units, size_t first_token,
                     Expression* out);
  Status ParseUnitToUnit(size_t first_token, bool negative, std::string_view text, Expression* out);

  // --- type.cc
  Status ParseType(spark::connect::DataType* out);
  Status ParseNestedType(Keyword keyword, spark::connect::DataType* out);
  Status ParseStructFields(spark::connect::DataType* out);
  Status ParseIntervalType(spark::connect::DataType* out);
  Status ParseTimestampType(spark::connect::DataType* out);
  Status ParseTimeType(size_t first, spark::connect::DataType* out);
  Status ParseDecimalType(spark::connect::DataType* out);
  Status ParseStringType(Keyword keyword, size_t first_token, spark::connect::DataType* out);
  Status ExpectTypeClose();
  arrow::Result<int32_t> TypeParameter();

  // --- query.cc: WITH, set operations, ORDER BY … LIMIT
  Status ParseQuery(Relation* out);
  Status ParseCommonTables(std::vector<Relation>* tables);
  Status ParseQueryTerm(int min_precedence, Relation* out, std::optional<SelectInfo>* info);
  Status ParseQueryPrimary(Relation* out, std::optional<SelectInfo>* info);
  Status ParseQueryOrganization(Relation* query, std::optional<SelectInfo>* info);
  Status ParseOrderBy(Relation* query, std::optional<SelectInfo>* info);
  Status ParseDistribution(Relation* query, bool sort);
  Status ParseLimits(Relation* query);
  arrow::Result<int32_t> ParseRowCount(std::string_view clause);

  // --- pipe.cc
  Status RefuseAggregates(const std::vector<Expression>& expressions, size_t first_token,
                          std::string_view clause) const;
  Status ParseNamedList(std::vector<Expression>* out);
  Status ParsePipeOperator(Relation* query);
  Status ParsePipeSelect(Relation* query);
  Status ParsePipeExtend(Relation* query);
  Status ParsePipeSet(Relation* query);
  Status ParsePipeDrop(Relation* query);
  Status ParsePipeAggregate(Relation* query);

  // --- select.cc
  Status ParseSelect(Relation* out, std::optional<SelectInfo>* info);
  Status ParseFromSelect(Relation* out, std::optional<SelectInfo>* info);
  struct SelectClause;
  Status ParseSelectClause(SelectClause* clause);
  Status ParseHints(std::vector<spark::connect::Hint>* hints);
  Status ParseSelectTail(SelectClause* clause, Relation* input, Relation* out, std::optional<SelectInfo>* info);
  /// SELECT … WHERE … over rows that are given.
  Status ParseSelectOf(Relation* input, Relation* out);
  Status ParseWindowClause();
  Status ParseGroupBy(std::vector<Expression>* grouping);
  Status ParseGroupingElement(Expression* out);
  Status ParseGroupingSet(Expression* out);
  bool ContainsAggregate(const Expression& expression) const;
  bool IsAggregateCall(const Expression& expression) const;
  void HideAggregates(SelectInfo* info, Expression* expression);
  static bool ContainsWindow(const Expression& expression);
  void HideWindows(SelectInfo* info, Expression* expression);
  void Hide(SelectInfo* info, Expression* expression);
  static void AppendHidden(SelectInfo* info, Relation* query);
  static void DropHidden(const HiddenColumns& hidden, Relation* query);
  static void WrapInHints(std::vector<spark::connect::Hint>* hints, Relation* query);
  /// Nothing more of the SELECT's input is asked for.
  static void CloseSelect(std::optional<SelectInfo>* info, Relation* query);

  // --- relation.cc
  Status ParseFrom(Relation* out);
  Status ParseRelation(Relation* out);
  Status ParseRelationPrimary(Relation* out);
  size_t EndOfName() const;
  Status ParseTable(bool is_streaming, Relation* out);
  Status ParseTableFunction(Relation* out);
  Status ParseTableArgument(Expression* out);
  Status ParseValues(Relation* out);
  Status ParseLateral(Relation* out);
  Status ParseTemporal(Relation* table);
  Status ParseTableSuffixes(Relation* relation);
  Status ParseSample(Relation* relation);
  arrow::Result<std::optional<int64_t>> SampleSeed();
  Status ParseWatermark(Relation* relation);
  Status ParseTableAlias(Relation* relation);
  Status ParseJoins(Relation* left);
  bool AtJoin() const;
  Status ParseJoin(Relation* left);
  Status ParseNearestBy(spark::connect::Join::JoinType type, Relation* left, Relation* right);
  Status ParseLateralViews(Relation* relation);

  // --- pivot.cc
  Status ParsePivots(Relation* relation);
  Status ParsePivot(Relation* relation);
  Status ParseUnpivotValue(Expression* value);
  Status ParseUnpivot(Relation* relation);
  /// [AS] name, where `end` is the keyword that may follow instead.
  Status ParseAliasBefore(Keyword end, Expression* expression);

  // --- statement.cc
  CommandRule FindCommandRule() const;
  Status UnsupportedStatement() const;
  bool AtQueryStatement() const;
  /// A word that a query begins with, so many tokens ahead.
  bool AtQueryWord(size_t ahead = 0) const;
  struct ImmediateArgument {
    Expression value;
    std::string shown;
    std::string name;
    /// The variable that the value is, where it has no name.
    std::string variable;
  };
  Status ParseExecuteImmediate(Statement* out);
  arrow::Result<std::string> ImmediateText();
  arrow::Result<std::vector<ImmediateArgument>> ImmediateArguments();
  Status ParseParameterValue(Expression* out);
  Status QualifyVariables(Expression* value) const;
  void FindParameters(bool* named, bool* positional) const;
  Status ExpectStatementEnd();

  // --- ddl.cc
  arrow::Result<bool> IfNotExists();
  arrow::Result<bool> IfExists();
  Status ParseOptions(google::protobuf::Map<std::string, std::string>* options);
  Status ParseProperties(Properties* out);
  arrow::Result<std::string> PropertyKey();
  /// The text from one token up to another one.
  std::string TextBetween(size_t first_token, size_t end_token) const;
  Status ParseColumnDefinition(ColumnDefinition* out);
  Status ParseColumnClauses(ColumnDefinition* out);
  Status ParseGenerated(ColumnDefinition* out);
  /// The text of an expression, which is parsed too.
  arrow::Result<std::string> ExpressionText();
  Status ParseColumnDefinitions(std::vector<ColumnDefinition>* out);
  Status ParsePartitionedBy(CreateTable* table);
  Status ParsePartitionTransform(CreateTable* table);
  Status ParseBuckets(CreateTable* table);
  Status ParseNameList(std::vector<std::string>* names);
  Status ParseTableClauses(CreateTable* table);
  Status ParseCreateTable(Command* out);
  Status ParseCreateTableLike(CreateTable head, Command* out);
  Status ParseCreateView(Command* out);
  Status ParseCreateViewUsing(const CreateView& head, Command* out);
  Status ParseCreateDatabase(Command* out);
  bool AtDatabaseWord(size_t ahead) const;
  Status ParseDrop(Command* out);
  Status ParsePartitionSpec(PartitionSpec* out);
  Status ParseAlterDatabase(Command* out);

  // --- alter_table.cc
  Status ParseAlterTable(Command* out);
  Status ParseAlterAction(AlterTable* alter);
  Status ParseColumnsAction(AlterTable* alter);
  Status ParseDropFeature(AlterTable* alter);
  Status ParseAlterClustering(AlterTable* alter);
  Status ParseAddedColumn(ColumnDefinition* out);
  arrow::Result<ColumnPosition> ParseColumnPosition();
  Status ParseColumnChanges(AlterTable* alter);
  Status ParseHiveChange(AlterTable* alter);
  Status ParseAlterConstraint(AlterTable* alter);
  Status ParseAlterPartitions(AlterTable* alter);

  // --- insert.cc
  Status ParseInsert(Command* out);
  bool AtLateInsert() const;
  Status ParseLateInsert(Command* out);
  Status ParseInsertHead(Insert* out, bool* directory);
  Status ParseInsertDirectory(Command* out);
  Status ParseTruncate(Command* out);

  // --- change_rows.cc
  Status ParseDelete(Command* out);
  Status ParseUpdate(Command* out);
  Status ParseMerge(Command* out);
  Status ParseChangedTable(Keyword end, ChangeRows* out);
  Status ParseMergeClause(ChangeRows* out);
  Status ParseRowAction(bool inserts, RowClause* out);
  Status ParseAssignments(std::vector<Assignment>* out);
  /// `plans`: of subqueries in it; null: there is no place for them.
  Status ParseRowCondition(std::optional<Expression>* out, std::vector<Relation>* plans = nullptr);

  // --- delta.cc
  bool AtDeltaDescribe() const;
  Status ParseDeltaDescribe(Relation* out);
  /// A word that is no keyword.
  bool AtWord(std::string_view word, size_t ahead = 0) const;
  CommandRule FindDeltaRule() const;
  arrow::Result<NameParts> DeltaTableName();
  Status ParseOptimize(Command* out);
  Status ParseReorg(Command* out);
  Status ParseGenerate(Command* out);
  Status ParseVacuum(Command* out);
  Status ParseRestore(Command* out);
  Status ParseConvert(Command* out);
  Status ParseClone(CreateTable target, Command* out);
  Status ParseTimePoint(std::optional<int64_t>* version, std::optional<std::string>* timestamp);

  Status ParseDeclareVariable(Command* out);
  Status ParseSetVariable(Command* out);
  Status ParseDropVariable(Command* out);

  // --- script.cc
  enum class DeclarationOrder { kVariables, kCursors, kHandlers, kStatements };
  static constexpr int kMaxScriptDepth = 200;
  bool AtScript() const;
  Status ParseScript(Script* out);
  Status ScriptError(size_t token, std::string_view condition, ErrorParameters parameters = {}) const;
  TextRange RangeOf(size_t first_token, size_t end_token) const;
  arrow::Result<TextRange> ScriptExpression();
  /// The label before a block or loop, or the name of a FOR loop's row. Errors: it is another one's, or no label.
  Status OpenLabel(size_t first_token, const std::string& name, bool is_block);
  Status ParseEndLabel(const std::string& label);
  Status ParseJump(ScriptStep* out);
  Status ParseBlock(const std::string& label, ScriptStep* out);
  Status ParseDeclaration(DeclarationOrder* order, ScriptStep* block);
  arrow::Result<ErrorParameters> DeclaredName();
  Status ParseCondition(DeclarationOrder order, ScriptStep* block);
  arrow::Result<std::string> ParseSqlState();
  Status ParseCursor(ScriptStep* block);
  Status ParseHandler(ScriptHandler* out);
  Status ParseStatementStep(Keyword inserted, ScriptStep* out);
  Status ParseBody(ScriptBody* out);
  Status ParseBranch(ScriptBranch* out);
  Status ParseStep(ScriptStep* out);
  Status ParseLabelled(const std::string& label, ScriptStep* out);
  Status ParseChoice(ScriptStep* out);
  Status ParseForHead(ScriptStep* out);
  Status ParseLoop(const std::string& label, ScriptStep* out);
  Status ParseCursorStep(ScriptStep* out);

  // --- function_ddl.cc
  Status ParseCreateFunction(Command* out);
  Status ParseFunctionParameters(CreateFunction* create);
  Status ParseFunctionReturns(CreateFunction* create);
  Status ParseFunctionCharacteristics(CreateFunction* create);
  Status ParseDropFunction(Command* out);
  // The query `SELECT` of these tokens, which name no relation.
  Status SelectOf(std::string_view expressions, Relation* out) const;

  // --- show.cc
  Status ParseShowTail(Show* show);
  Status ParseShowFunctions(Show* show);
  Status ParseShowColumns(Show* show);
  Status ParseShowDetails(Show show, Command* out);
  Status ParseShowCreate(Show show, Command* out);
  Status ParseShowTableExtended(Show show, Command* out);
  Status ParseShow(Command* out);
  Status ParseDescribe(Command* out);
  Status ParseDescribeTail(Describe* describe);
  Status ParseUse(Command* out);
  Status ParseExplain(Command* out);
  Status ParseCache(Command* out);
  Status ParseRefresh(Command* out);
  Status ParseAnalyze(Command* out);
  Status ParseComment(Command* out);
  Status ParseRepair(Command* out);
  Status ParseConf(Command* out);
  Status ParseTimeZone(ConfStatement* statement);

  std::string_view text_;
  std::shared_ptr<const std::string> owned_text_;  ///< text_, where references in it were replaced
  std::vector<Token> tokens_;
  std::vector<size_t> closing_;
  const ParserOptions* options_;
  size_t position_ = 0;
  int depth_ = 0;
  size_t last_end_keyword_ = 0;
  size_t positional_parameters_used_ = 0;
  std::vector<std::string> lambda_variables_;
  // First token of the innermost SELECT: where a named window is looked for.
  size_t select_start_ = 0;
  // Plans of the subqueries met in the expressions of the innermost query.
  std::vector<Relation>* subqueries_ = nullptr;
  /// The arguments parsed next may be tables: set before ParseArguments, which takes it back.
  bool takes_tables_ = false;
  int64_t next_plan_id_;
  int next_hidden_ = 0;
  size_t copied_bytes_ = 0;
  // Labels of the blocks and loops of a script around the current token, lower case.
  struct ScriptLabel {
    std::string name;
    bool is_block;
  };
  std::vector<ScriptLabel> script_labels_;
  // The BEGIN of the innermost block.
  size_t block_start_ = 0;
  // Conditions that these blocks declare, upper case.
  std::vector<std::string> script_conditions_;
};

/// FROM relation AS alias(columns), WHERE condition around `relation`.
void WrapInAlias(const std::string& alias, std::vector<std::string> columns, Relation* relation);
void WrapInFilter(Expression* condition, Relation* relation);

class Grammar::DepthGuard {
 public:
  explicit DepthGuard(Grammar* grammar) : grammar_(grammar) { ++grammar_->depth_; }
  ~DepthGuard() { --grammar_->depth_; }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;
  /// Far beyond what people write, far from the end of a thread's stack.
  bool TooDeep() const { return grammar_->depth_ > 300; }

 private:
  Grammar* grammar_;
};

/// Longest chain of left-associative operators (a + b + …), which is as deep a tree.
inline constexpr int kMaxOperatorChain = 1500;

template <typename Add>
arrow::Status Grammar::ParseSortItems(Add add) {
  do {
    ARROW_RETURN_NOT_OK(ParseSortItem(add()));
  } while (Accept(Symbol::kComma));
  return arrow::Status::OK();
}

}  // namespace millrace::sql

#include "session/script_run.h"

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "base/error.h"
#include "base/ids.h"
#include "session/result_rows.h"
#include "session/session_variables.h"
#include "session/sql_command.h"
#include "sql/parser.h"

namespace millrace::session {

namespace {

using catalog::Variable;
using catalog::VariableScope;
using sql::ScriptBody;
using sql::ScriptHandler;
using sql::ScriptPart;
using sql::ScriptStep;
using sql::TextRange;

/// What goes on behind a statement.
enum class Flow {
  kNext,
  kLeave,    ///< the block or loop named label_
  kIterate,  ///< the same, with its next round
  kExit,     ///< the block target_, one of whose handlers has run
};

struct Cursor {
  bool is_open = false;
  QueryResult rows;
  size_t batch = 0;
  int64_t row = 0;
};

/// A block whose statements are running.
struct OpenBlock {
  const ScriptStep* step;
  /// How many scopes of variables there are, its own being the last.
  size_t num_scopes;
  std::map<std::string, Cursor> cursors = {};
  bool runs_handler = false;
};

class ScriptRun {
 public:
  ScriptRun(Session& session, const sql::Script& script) : session_(session), script_(script) {}

  arrow::Result<QueryResult> Run() {
    ARROW_RETURN_NOT_OK(RunBlock(script_.block));
    return result_ ? *std::move(result_) : EmptyResult();
  }

 private:
  catalog::Variables& variables() { return session_.catalog().variables(); }

  std::string TextOf(const TextRange& range) const { return script_.text.substr(range.begin, range.end - range.begin); }

  arrow::Result<sql::Statement> Parse(const TextRange& range, ScriptPart part) {
    sql::ParserOptions options = session_.ParserOptions();
    if (!script_.named_parameters.empty()) options.named_parameters = &script_.named_parameters;
    if (!script_.positional_parameters.empty()) options.positional_parameters = &script_.positional_parameters;
    sql::Statement statement;
    ARROW_RETURN_NOT_OK(sql::ParseScriptPart(script_, range, part, options, &statement));
    return statement;
  }

  arrow::Result<Flow> RunBlock(const ScriptStep& step) {
    variables().EnterScope({step.label.empty() ? RandomUuid() : step.label, {}});
    blocks_.push_back({&step, variables().NumScopes()});
    for (const auto& [name, query] : step.cursors) blocks_.back().cursors.emplace(name, Cursor{});
    arrow::Result<Flow> flow = RunBody(step.body);
    blocks_.pop_back();
    variables().LeaveScope();
    if (!flow.ok()) return flow;
    if (*flow == Flow::kExit && target_ == &step) return Flow::kNext;
    if (*flow == Flow::kLeave && label_ == step.label) return Flow::kNext;
    return flow;
  }

  arrow::Result<Flow> RunBody(const ScriptBody& body) {
    for (const ScriptStep& step : body) {
      arrow::Result<Flow> flow = RunStep(step);
      if (!flow.ok()) flow = Handle(flow.status());
      if (!flow.ok() || *flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
  }

  // The handler of the innermost block around that takes the failure.
  arrow::Result<Flow> Handle(const arrow::Status& failure) {
    if (is_unhandled_) return failure;
    for (size_t i = blocks_.size(); i-- > 0;) {
      const ScriptHandler* handler = blocks_[i].runs_handler ? nullptr : FindHandler(i, failure);
      if (handler == nullptr) continue;
      // It sees what its block sees.
      auto first = blocks_.begin() + static_cast<std::ptrdiff_t>(i) + 1;
      std::vector<OpenBlock> inner(std::make_move_iterator(first), std::make_move_iterator(blocks_.end()));
      blocks_.erase(first, blocks_.end());
      std::vector<VariableScope> scopes = variables().SetAside(blocks_[i].num_scopes);
      blocks_[i].runs_handler = true;
      arrow::Result<Flow> flow = RunBody(handler->body);
      blocks_[i].runs_handler = false;
      variables().PutBack(std::move(scopes));
      for (OpenBlock& block : inner) blocks_.push_back(std::move(block));
      if (!flow.ok() || *flow != Flow::kNext || !handler->exits) return flow;
      target_ = blocks_[i].step;
      return Flow::kExit;
    }
    is_unhandled_ = true;
    return failure;
  }

  // Of the block's handlers the one for the condition, else for its SQLSTATE, else for all of its kind.
  const ScriptHandler* FindHandler(size_t block, const arrow::Status& failure) const {
    const ErrorDetail* detail = GetErrorDetail(failure);
    std::string condition = detail == nullptr ? "" : detail->condition();
    std::string state = detail == nullptr ? "" : detail->sqlstate();
    bool is_completion = state.starts_with("00") || state.starts_with("01") || state.starts_with("02");
    const ScriptHandler* by_state = nullptr;
    const ScriptHandler* by_kind = nullptr;
    for (const ScriptHandler& handler : blocks_[block].step->handlers) {
      for (const std::string& name : handler.conditions) {
        // Nothing raises a condition that the script declares.
        if (!IsDeclared(block, name) && (name == condition || condition.starts_with(name + "."))) return &handler;
      }
      bool has_state = std::find(handler.sqlstates.begin(), handler.sqlstates.end(), state) != handler.sqlstates.end();
      if (has_state) by_state = &handler;
      bool of_kind = (handler.any_exception && !is_completion) || (handler.not_found && state.starts_with("02"));
      if (of_kind) by_kind = &handler;
    }
    return by_state != nullptr ? by_state : by_kind;
  }

  bool IsDeclared(size_t block, const std::string& condition) const {
    for (size_t i = block + 1; i-- > 0;) {
      if (blocks_[i].step->conditions.contains(condition)) return true;
    }
    return false;
  }

  arrow::Result<Flow> RunStep(const ScriptStep& step) {
    using Kind = ScriptStep::Kind;
    switch (step.kind) {
      case Kind::kBlock:
        return RunBlock(step);
      case Kind::kIf:
      case Kind::kCase:
        return RunChoice(step);
      case Kind::kWhile:
      case Kind::kRepeat:
      case Kind::kLoop:
        return RunLoop(step);
      case Kind::kFor:
        return RunFor(step);
      case Kind::kLeave:
      case Kind::kIterate:
        label_ = step.label;
        return step.kind == Kind::kLeave ? Flow::kLeave : Flow::kIterate;
      case Kind::kOpen:
      case Kind::kFetch:
      case Kind::kClose:
        ARROW_RETURN_NOT_OK(RunCursor(step));
        return Flow::kNext;
      case Kind::kStatement:
      case Kind::kSetVariable:
        break;
    }
    ARROW_ASSIGN_OR_RAISE(
        sql::Statement statement,
        Parse(step.text, step.kind == Kind::kStatement ? ScriptPart::kStatement : ScriptPart::kSetVariable));
    if (statement.query) {
      ARROW_ASSIGN_OR_RAISE(result_, session_.Execute(*statement.query));
    } else {
      // What commands tell is not a script's result.
      ARROW_RETURN_NOT_OK(RunSqlCommand(session_, *statement.command));
    }
    return Flow::kNext;
  }

  // Whether the condition holds; not where it is NULL.
  arrow::Result<bool> Holds(const TextRange& condition) {
    ARROW_ASSIGN_OR_RAISE(sql::Statement statement, Parse(condition, ScriptPart::kExpression));
    return IsTrue(*statement.query, TextOf(condition), condition.begin);
  }

  arrow::Result<bool> IsTrue(const spark::connect::Relation& query, const std::string& text, size_t begin) {
    ARROW_ASSIGN_OR_RAISE(QueryResult rows, session_.Execute(query));
    const auto& fields = rows.schema->fields();
    if (fields.size() != 1 || fields[0].type->id() != types::TypeId::kBoolean) {
      arrow::Status error = UserError("INVALID_BOOLEAN_STATEMENT", {{"invalidStatement", ToUpperAscii(text)}});
      auto line = 1 + std::count(script_.text.begin(), script_.text.begin() + static_cast<std::ptrdiff_t>(begin), '\n');
      return arrow::Status(error.code(), "{LINE:" + std::to_string(line) + "} " + error.message(), error.detail());
    }
    for (const auto& batch : rows.batches) {
      if (batch->num_rows() == 0) continue;
      const auto& value = static_cast<const arrow::BooleanArray&>(*batch->column(0));
      return value.IsValid(0) && value.Value(0);
    }
    return false;
  }

  arrow::Result<Flow> RunChoice(const ScriptStep& step) {
    for (const sql::ScriptBranch& branch : step.branches) {
      bool holds = false;
      if (step.operand) {
        std::string text = "(" + TextOf(*step.operand) + ") = (" + TextOf(branch.condition) + ")";
        sql::Script comparison;
        comparison.text = "SELECT " + text;
        comparison.named_parameters = script_.named_parameters;
        sql::ParserOptions options = session_.ParserOptions();
        sql::Statement statement;
        ARROW_RETURN_NOT_OK(
            sql::ParseScriptPart(comparison, {0, comparison.text.size()}, ScriptPart::kStatement, options, &statement));
        ARROW_ASSIGN_OR_RAISE(holds, IsTrue(*statement.query, text, branch.condition.begin));
      } else {
        ARROW_ASSIGN_OR_RAISE(holds, Holds(branch.condition));
      }
      if (holds) return RunBody(branch.body);
    }
    return step.otherwise ? RunBody(*step.otherwise) : Flow::kNext;
  }

  // What the flow out of a loop's body means for the loop: nullopt for another round.
  std::optional<Flow> AfterRound(const ScriptStep& loop, Flow flow) const {
    bool is_named = !loop.label.empty() && label_ == loop.label;
    if (flow == Flow::kNext || (flow == Flow::kIterate && is_named)) return std::nullopt;
    if (flow == Flow::kLeave && is_named) return Flow::kNext;
    return flow;
  }

  arrow::Result<Flow> RunLoop(const ScriptStep& step) {
    while (true) {
      if (step.kind == ScriptStep::Kind::kWhile) {
        ARROW_ASSIGN_OR_RAISE(bool goes_on, Holds(*step.operand));
        if (!goes_on) return Flow::kNext;
      }
      ARROW_ASSIGN_OR_RAISE(Flow flow, RunBody(step.body));
      if (std::optional<Flow> after = AfterRound(step, flow)) return *after;
      if (step.kind == ScriptStep::Kind::kRepeat) {
        ARROW_ASSIGN_OR_RAISE(bool ends, Holds(*step.operand));
        if (ends) return Flow::kNext;
      }
    }
  }

  arrow::Result<Flow> RunFor(const ScriptStep& step) {
    ARROW_ASSIGN_OR_RAISE(sql::Statement statement, Parse(*step.operand, ScriptPart::kStatement));
    ARROW_ASSIGN_OR_RAISE(QueryResult rows, session_.Execute(*statement.query));
    for (const auto& batch : rows.batches) {
      for (int64_t row = 0; row < batch->num_rows(); ++row) {
        VariableScope scope{step.variable, {}};
        for (int i = 0; i < batch->num_columns(); ++i) {
          const types::StructField& field = rows.schema->fields()[static_cast<size_t>(i)];
          ARROW_ASSIGN_OR_RAISE(auto value, batch->column(i)->GetScalar(row));
          auto literal = std::make_shared<expression::Literal>(field.type, std::move(value));
          scope.variables[ToLowerAscii(field.name)] = Variable{field.name, literal, nullptr, true, step.variable};
        }
        variables().EnterScope(std::move(scope));
        arrow::Result<Flow> flow = RunBody(step.body);
        variables().LeaveScope();
        ARROW_RETURN_NOT_OK(flow);
        if (std::optional<Flow> after = AfterRound(step, *flow)) return *after;
      }
    }
    return Flow::kNext;
  }

  // `c`, or `label.c`.
  arrow::Result<std::pair<OpenBlock*, Cursor*>> FindCursor(const std::vector<std::string>& name) {
    for (size_t i = blocks_.size(); i-- > 0;) {
      if (name.size() == 2 && !EqualsIgnoreCase(name[0], blocks_[i].step->label)) continue;
      auto it = blocks_[i].cursors.find(ToLowerAscii(name.back()));
      if (it != blocks_[i].cursors.end()) return std::pair(&blocks_[i], &it->second);
    }
    return UserError("CURSOR_NOT_FOUND", {{"cursorName", QuoteNameParts(name)}});
  }

  arrow::Status RunCursor(const ScriptStep& step) {
    ARROW_ASSIGN_OR_RAISE(auto found, FindCursor(step.cursor));
    Cursor& cursor = *found.second;
    ErrorParameters name = {{"cursorName", QuoteNameParts(step.cursor)}};
    if (step.kind == ScriptStep::Kind::kOpen) {
      if (cursor.is_open) return UserError("CURSOR_ALREADY_OPEN", name);
      const TextRange& query = found.first->step->cursors.at(ToLowerAscii(step.cursor.back()));
      ARROW_ASSIGN_OR_RAISE(sql::Statement statement, Parse(query, ScriptPart::kStatement));
      cursor = Cursor{true, {}, 0, 0};
      ARROW_ASSIGN_OR_RAISE(cursor.rows, session_.Execute(*statement.query));
      return arrow::Status::OK();
    }
    if (!cursor.is_open) return UserError("CURSOR_NOT_OPEN", name);
    if (step.kind == ScriptStep::Kind::kClose) {
      cursor = Cursor{};
      return arrow::Status::OK();
    }
    const auto& batches = cursor.rows.batches;
    while (cursor.batch < batches.size() && cursor.row >= batches[cursor.batch]->num_rows()) {
      ++cursor.batch;
      cursor.row = 0;
    }
    if (cursor.batch == batches.size()) return UserError("CURSOR_NO_MORE_ROWS", name);
    return Fetch(step, *batches[cursor.batch], cursor.row++, *cursor.rows.schema);
  }

  arrow::Status Fetch(const ScriptStep& step, const arrow::RecordBatch& batch, int64_t row,
                      const types::DataType& schema) {
    const auto& fields = schema.fields();
    std::vector<expression::ExpressionPtr> values;
    for (int i = 0; i < batch.num_columns(); ++i) {
      ARROW_ASSIGN_OR_RAISE(auto value, batch.column(i)->GetScalar(row));
      values.push_back(std::make_shared<expression::Literal>(fields[static_cast<size_t>(i)].type, std::move(value)));
    }
    return AssignVariables(session_, step.targets, std::move(values));
  }

  Session& session_;
  const sql::Script& script_;
  std::vector<OpenBlock> blocks_;
  std::optional<QueryResult> result_;
  std::string label_;
  const ScriptStep* target_ = nullptr;
  /// No handler takes the failure that is on its way.
  bool is_unhandled_ = false;
};

}  // namespace

arrow::Result<QueryResult> RunScript(Session& session, const sql::Script& script) {
  return ScriptRun(session, script).Run();
}

}  // namespace millrace::session

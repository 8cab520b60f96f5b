#include <algorithm>

#include "base/ascii.h"
#include "sql/grammar/grammar.h"
#include "sql/lexer.h"
#include "sql/parse_error.h"
#include "sql/parser.h"

/// Scripts: BEGIN … END. What is inside is parsed once to see that it is right, and again when it runs.

namespace millrace::sql {

namespace {

bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

Token Inserted(Keyword keyword, size_t offset) {
  Token token;
  token.kind = TokenKind::kKeyword;
  token.keyword = keyword;
  token.offset = offset;
  token.text = KeywordText(keyword).substr(0, 0);
  return token;
}

}  // namespace

arrow::Result<Grammar> Grammar::MakePart(std::string_view text, const TextRange& range, Keyword word,
                                         const ParserOptions& options) {
  ARROW_ASSIGN_OR_RAISE(std::vector<Token> tokens,
                        Tokenize(text.substr(range.begin, range.end - range.begin), options.double_quoted_identifiers));
  for (Token& token : tokens) token.offset += range.begin;
  if (word == Keyword::kSelect) tokens.insert(tokens.begin(), Inserted(word, range.begin));
  if (word == Keyword::kVariable) tokens.insert(tokens.begin() + 1, Inserted(word, tokens[0].offset));
  Grammar part(text, std::move(tokens), options);
  if (options.positional_parameters != nullptr) {
    ARROW_ASSIGN_OR_RAISE(tokens, Tokenize(text.substr(0, range.begin), options.double_quoted_identifiers));
    part.positional_parameters_used_ = static_cast<size_t>(
        std::count_if(tokens.begin(), tokens.end(), [](const Token& token) { return token.Is(Symbol::kQuestion); }));
  }
  return part;
}

bool Grammar::AtScript() const { return At(Keyword::kBegin) && Peek(1).kind != TokenKind::kEnd; }

arrow::Status Grammar::ParseScript(Script* out) {
  // Names and texts that variables hold are not known before the script runs.
  ParserOptions blind = *options_;
  blind.variable_text = [](const std::vector<std::string>&) { return std::optional<std::string>("x"); };
  blind.constant = [](const Expression&) -> arrow::Result<std::optional<ConstantValue>> {
    return ConstantValue{"STRING", "string", true, "x", std::nullopt};
  };
  const ParserOptions* options = std::exchange(options_, &blind);
  arrow::Status status = ParseBlock("", &out->block);
  if (status.ok()) status = ExpectStatementEnd();
  options_ = options;
  ARROW_RETURN_NOT_OK(status);
  out->text = std::string(text_);
  if (options_->named_parameters != nullptr) out->named_parameters = *options_->named_parameters;
  if (options_->positional_parameters != nullptr) out->positional_parameters = *options_->positional_parameters;
  return Status::OK();
}

// Failures of scripts begin with the line.
arrow::Status Grammar::ScriptError(size_t token, std::string_view condition, ErrorParameters parameters) const {
  arrow::Status error = UserError(condition, std::move(parameters));
  std::string_view before = text_.substr(0, tokens_[token].offset);
  auto line = 1 + std::count(before.begin(), before.end(), '\n');
  return arrow::Status(error.code(), "{LINE:" + std::to_string(line) + "} " + error.message(), error.detail());
}

TextRange Grammar::RangeOf(size_t first_token, size_t end_token) const {
  const Token& last = tokens_[std::max(first_token, end_token == 0 ? 0 : end_token - 1)];
  return {tokens_[first_token].offset, last.offset + last.text.size()};
}

// An expression that a clause of the script has.
arrow::Result<TextRange> Grammar::ScriptExpression() {
  size_t first = position_;
  Expression ignored;
  std::vector<Relation> plans;
  std::vector<Relation>* outer = std::exchange(subqueries_, &plans);
  arrow::Status status = ParseExpression(&ignored);
  subqueries_ = outer;
  ARROW_RETURN_NOT_OK(status);
  return RangeOf(first, position_);
}

arrow::Status Grammar::OpenLabel(size_t first_token, const std::string& name, bool is_block) {
  ErrorParameters parameters = {{"label", QuoteIdentifier(name)}};
  if (name == "builtin" || name == "session" || name.starts_with("sys")) {
    return ScriptError(first_token, "LABEL_OR_FOR_VARIABLE_NAME_FORBIDDEN", parameters);
  }
  auto same = [&](const ScriptLabel& label) { return label.name == name; };
  if (!name.empty() && std::any_of(script_labels_.begin(), script_labels_.end(), same)) {
    return ScriptError(first_token, "LABEL_OR_FOR_VARIABLE_ALREADY_EXISTS", parameters);
  }
  script_labels_.push_back({name, is_block});
  return Status::OK();
}

// [label] behind the END of what has one; `label` as the beginning has it.
arrow::Status Grammar::ParseEndLabel(const std::string& label) {
  if (!Peek().IsIdentifier()) return Status::OK();
  size_t first = position_;
  ARROW_ASSIGN_OR_RAISE(NameParts parts, MultipartIdentifier());
  if (parts.size() > 1) {
    return ScriptError(first, "INVALID_LABEL_USAGE.QUALIFIED_LABEL_NAME",
                       {{"labelName", QuoteIdentifier(ToUpperAscii(TextBetween(first, position_)))}});
  }
  if (label.empty()) {
    return ScriptError(first, "END_LABEL_WITHOUT_BEGIN_LABEL", {{"endLabel", QuoteIdentifier(ToLowerAscii(parts[0]))}});
  }
  if (EqualsIgnoreCase(parts[0], label)) return Status::OK();
  return ScriptError(block_start_, "LABELS_MISMATCH",
                     {{"beginLabel", QuoteIdentifier(label)}, {"endLabel", QuoteIdentifier(ToLowerAscii(parts[0]))}});
}

// BEGIN [NOT ATOMIC] declarations and statements END [label]
arrow::Status Grammar::ParseBlock(const std::string& label, ScriptStep* out) {
  if (++depth_ > kMaxScriptDepth) return TooComplex();
  out->kind = ScriptStep::Kind::kBlock;
  out->label = label;
  const size_t outer_start = std::exchange(block_start_, position_);
  ARROW_RETURN_NOT_OK(Expect(Keyword::kBegin));
  if (Accept(Keyword::kNot)) ARROW_RETURN_NOT_OK(Expect(Keyword::kAtomic));
  // Variables and conditions, then cursors, then handlers, then statements.
  DeclarationOrder order = DeclarationOrder::kVariables;
  const size_t num_conditions = script_conditions_.size();
  while (!At(Keyword::kEnd)) {
    if (At(Keyword::kDeclare)) {
      ARROW_RETURN_NOT_OK(ParseDeclaration(&order, out));
    } else {
      order = DeclarationOrder::kStatements;
      ARROW_RETURN_NOT_OK(ParseStep(&out->body.emplace_back()));
    }
    ARROW_RETURN_NOT_OK(Expect(Symbol::kSemicolon));
  }
  Take();
  --depth_;
  script_conditions_.resize(num_conditions);
  ARROW_RETURN_NOT_OK(ParseEndLabel(label));
  block_start_ = outer_start;
  return Status::OK();
}

arrow::Status Grammar::ParseDeclaration(DeclarationOrder* order, ScriptStep* block) {
  size_t first = position_;
  if (Peek(2).Is(Keyword::kHandler) && (Peek(1).Is(Keyword::kExit) || Peek(1).Is(Keyword::kContinue))) {
    if (*order > DeclarationOrder::kHandlers) {
      return ScriptError(block_start_, "INVALID_HANDLER_DECLARATION.WRONG_PLACE_OF_DECLARATION");
    }
    *order = DeclarationOrder::kHandlers;
    return ParseHandler(&block->handlers.emplace_back());
  }
  size_t name_end = 2;
  while (Peek(name_end).Is(Symbol::kDot)) name_end += 2;
  bool is_cursor = Peek(name_end).Is(Keyword::kCursor) ||
                   ((Peek(name_end).Is(Keyword::kAsensitive) || Peek(name_end).Is(Keyword::kInsensitive)) &&
                    Peek(name_end + 1).Is(Keyword::kCursor));
  if (Peek(name_end).Is(Keyword::kCondition)) return ParseCondition(*order, block);
  if (is_cursor) {
    if (!options_->script_cursors) return ScriptError(first, "UNSUPPORTED_FEATURE.SQL_CURSOR");
    if (*order > DeclarationOrder::kCursors) return ErrorAt(first, "INVALID_CURSOR_DECLARATION");
    *order = DeclarationOrder::kCursors;
    return ParseCursor(block);
  }
  ScriptStep& step = block->body.emplace_back();
  ARROW_RETURN_NOT_OK(ParseStatementStep(Keyword::kNotKeyword, &step));
  size_t end = position_;
  position_ = first;
  bool replaces = Peek(1).Is(Keyword::kOr);
  ARROW_ASSIGN_OR_RAISE(ErrorParameters parameters, DeclaredName());
  position_ = end;
  if (replaces) return ErrorAt(first, "INVALID_VARIABLE_DECLARATION.REPLACE_LOCAL_VARIABLE", parameters);
  if (*order == DeclarationOrder::kVariables) return Status::OK();
  return ScriptError(first, "INVALID_VARIABLE_DECLARATION.ONLY_AT_BEGINNING", parameters);
}

// The variable that DECLARE has at the current token.
arrow::Result<ErrorParameters> Grammar::DeclaredName() {
  Take();
  Accept(Keyword::kOr, Keyword::kReplace);
  if (Peek(1).IsIdentifier() && (At(Keyword::kVariable) || At(Keyword::kVar))) Take();
  ARROW_ASSIGN_OR_RAISE(NameParts name, MultipartIdentifier());
  return ErrorParameters{{"varName", QuoteNameParts(name)}};
}

// DECLARE name CONDITION [FOR SQLSTATE [VALUE] 'state']
arrow::Status Grammar::ParseCondition(DeclarationOrder order, ScriptStep* block) {
  size_t first = position_;
  Take();
  ARROW_ASSIGN_OR_RAISE(NameParts name, MultipartIdentifier());
  ARROW_RETURN_NOT_OK(Expect(Keyword::kCondition));
  std::string state = "45000";
  if (Accept(Keyword::kFor)) {
    ARROW_ASSIGN_OR_RAISE(state, ParseSqlState());
  }
  std::string key = ToUpperAscii(name.back());
  ErrorParameters parameters = {{"conditionName", QuoteNameParts(name)}};
  if (name.size() > 1) {
    return ScriptError(first, "INVALID_ERROR_CONDITION_DECLARATION.QUALIFIED_CONDITION_NAME", parameters);
  }
  if (!std::all_of(key.begin(), key.end(), [](char c) { return c == '_' || IsLetterOrDigit(c); })) {
    return ScriptError(first, "INVALID_ERROR_CONDITION_DECLARATION.SPECIAL_CHARACTER_FOUND", parameters);
  }
  if (order != DeclarationOrder::kVariables) {
    return ScriptError(first, "INVALID_ERROR_CONDITION_DECLARATION.NOT_AT_START_OF_COMPOUND_STATEMENT", parameters);
  }
  script_conditions_.push_back(key);
  if (!block->conditions.emplace(key, state).second) {
    return ScriptError(block_start_, "DUPLICATE_CONDITION_IN_SCOPE", {{"condition", QuoteIdentifier(key)}});
  }
  return Status::OK();
}

arrow::Result<std::string> Grammar::ParseSqlState() {
  size_t first = position_;
  ARROW_RETURN_NOT_OK(Expect(Keyword::kSqlstate));
  Accept(Keyword::kValue);
  ARROW_ASSIGN_OR_RAISE(std::string state, StringValue());
  bool right = state.size() == 5 && std::all_of(state.begin(), state.end(), IsLetterOrDigit);
  if (!right) return ScriptError(first, "INVALID_SQLSTATE", {{"sqlState", state}});
  return ToUpperAscii(state);
}

// DECLARE name [ASENSITIVE | INSENSITIVE] CURSOR FOR query [FOR READ ONLY]
arrow::Status Grammar::ParseCursor(ScriptStep* block) {
  Take();
  size_t first = position_;
  ARROW_ASSIGN_OR_RAISE(NameParts name, MultipartIdentifier());
  std::string shown = QuoteNameParts(name);
  if (name.size() > 1) return ErrorAt(first, "CURSOR_REFERENCE_INVALID_QUALIFIER", {{"cursorName", shown}});
  if (!Accept(Keyword::kAsensitive)) Accept(Keyword::kInsensitive);
  ARROW_RETURN_NOT_OK(Expect(Keyword::kCursor));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kFor));
  size_t query = position_;
  while (Peek().kind != TokenKind::kEnd && !At(Symbol::kSemicolon) && !(At(Keyword::kFor, Keyword::kRead))) Take();
  TextRange range = RangeOf(query, position_);
  ARROW_ASSIGN_OR_RAISE(Grammar part, MakePart(text_, range, Keyword::kNotKeyword, *options_));
  Relation ignored;
  ARROW_RETURN_NOT_OK(part.SingleQuery(&ignored));
  if (Accept(Keyword::kFor, Keyword::kRead)) ARROW_RETURN_NOT_OK(Expect(Keyword::kOnly));
  if (block->cursors.emplace(ToLowerAscii(name[0]), range).second) return Status::OK();
  return UserError("CURSOR_ALREADY_EXISTS", {{"cursorName", shown}});
}

// DECLARE EXIT | CONTINUE HANDLER FOR conditions statement
arrow::Status Grammar::ParseHandler(ScriptHandler* out) {
  size_t first = position_;
  Take();
  out->exits = Take().Is(Keyword::kExit);
  if (!out->exits && !options_->continue_handlers) {
    return ScriptError(first, "UNSUPPORTED_FEATURE.CONTINUE_EXCEPTION_HANDLER");
  }
  Take();
  ARROW_RETURN_NOT_OK(Expect(Keyword::kFor));
  auto add = [](std::vector<std::string>* list, std::string value) {
    if (std::find(list->begin(), list->end(), value) != list->end()) return false;
    list->push_back(std::move(value));
    return true;
  };
  do {
    if (Accept(Keyword::kSqlexception)) {
      out->any_exception = true;
    } else if (Accept(Keyword::kNot, Keyword::kFound)) {
      out->not_found = true;
    } else if (At(Keyword::kSqlstate)) {
      ARROW_ASSIGN_OR_RAISE(std::string state, ParseSqlState());
      if (add(&out->sqlstates, state)) continue;
      return ScriptError(first, "INVALID_HANDLER_DECLARATION.DUPLICATE_SQLSTATE_IN_HANDLER_DECLARATION",
                         {{"sqlState", state}});
    } else {
      ARROW_ASSIGN_OR_RAISE(NameParts name, MultipartIdentifier());
      std::string condition;
      for (const std::string& part : name) condition += (condition.empty() ? "" : ".") + ToUpperAscii(part);
      bool declared =
          std::find(script_conditions_.begin(), script_conditions_.end(), condition) != script_conditions_.end();
      if (!declared && FindErrorCondition(condition) == nullptr) {
        return ScriptError(block_start_, "INVALID_HANDLER_DECLARATION.CONDITION_NOT_FOUND", {{"condition", condition}});
      }
      if (add(&out->conditions, condition)) continue;
      return ScriptError(first, "INVALID_HANDLER_DECLARATION.DUPLICATE_CONDITION_IN_HANDLER_DECLARATION",
                         {{"condition", condition}});
    }
  } while (Accept(Symbol::kComma));
  size_t kinds = (out->any_exception ? 1 : 0) + (out->not_found ? 1 : 0);
  if (kinds > 0 && !(out->conditions.empty() && out->sqlstates.empty())) {
    return ScriptError(first, "INVALID_HANDLER_DECLARATION.INVALID_CONDITION_COMBINATION");
  }
  ScriptStep& step = out->body.emplace_back();
  if (At(Keyword::kBegin)) return ParseBlock("", &step);
  return ParseStep(&step);
}

// A statement of SQL up to its semicolon.
arrow::Status Grammar::ParseStatementStep(Keyword inserted, ScriptStep* out) {
  size_t first = position_;
  while (Peek().kind != TokenKind::kEnd && !At(Symbol::kSemicolon)) Take();
  if (position_ == first) return SyntaxErrorHere();
  out->kind = inserted == Keyword::kVariable ? ScriptStep::Kind::kSetVariable : ScriptStep::Kind::kStatement;
  out->text = RangeOf(first, position_);
  const Token& word = tokens_[first];
  // The text that EXECUTE IMMEDIATE runs is known when it runs.
  if (word.Is(Keyword::kExecute)) return Status::OK();
  const Token& next = tokens_[first + 1];
  if (word.Is(Keyword::kDrop) && (next.Is(Keyword::kTemporary) || next.Is(Keyword::kTemp)) &&
      (tokens_[first + 2].Is(Keyword::kVariable) || tokens_[first + 2].Is(Keyword::kVar))) {
    return UserError("UNSUPPORTED_FEATURE.SQL_SCRIPTING_DROP_TEMPORARY_VARIABLE");
  }
  ARROW_ASSIGN_OR_RAISE(Grammar part, MakePart(text_, out->text, inserted, *options_));
  Statement ignored;
  return part.SingleStatement(&ignored);
}

arrow::Status Grammar::ParseBody(ScriptBody* out) {
  auto ends = [this] {
    return At(Keyword::kEnd) || At(Keyword::kElse) || At(Keyword::kElseif) || At(Keyword::kWhen) || At(Keyword::kUntil);
  };
  do {
    ARROW_RETURN_NOT_OK(ParseStep(&out->emplace_back()));
    ARROW_RETURN_NOT_OK(Expect(Symbol::kSemicolon));
  } while (!ends());
  return Status::OK();
}

// condition THEN statements
arrow::Status Grammar::ParseBranch(ScriptBranch* out) {
  ARROW_ASSIGN_OR_RAISE(out->condition, ScriptExpression());
  ARROW_RETURN_NOT_OK(Expect(Keyword::kThen));
  return ParseBody(&out->body);
}

arrow::Status Grammar::ParseStep(ScriptStep* out) {
  std::string label;
  size_t first = position_;
  if (Peek().IsIdentifier() && Peek(1).Is(Symbol::kColon)) {
    ARROW_ASSIGN_OR_RAISE(label, Identifier());
    label = ToLowerAscii(label);
    Take();
    bool labelled =
        At(Keyword::kBegin) || At(Keyword::kWhile) || At(Keyword::kRepeat) || At(Keyword::kLoop) || At(Keyword::kFor);
    if (!labelled) return SyntaxErrorHere();
  }
  const size_t num_labels = script_labels_.size();
  if (!label.empty()) ARROW_RETURN_NOT_OK(OpenLabel(first, label, At(Keyword::kBegin)));
  ARROW_RETURN_NOT_OK(ParseLabelled(label, out));
  script_labels_.resize(num_labels);
  return Status::OK();
}

arrow::Status Grammar::ParseLabelled(const std::string& label, ScriptStep* out) {
  switch (Peek().keyword) {
    case Keyword::kBegin:
      return ParseBlock(label, out);
    case Keyword::kIf:
    case Keyword::kCase:
      return ParseChoice(out);
    case Keyword::kWhile:
    case Keyword::kLoop:
    case Keyword::kRepeat:
    case Keyword::kFor:
      if (++depth_ > kMaxScriptDepth) return TooComplex();
      ARROW_RETURN_NOT_OK(ParseLoop(label, out));
      --depth_;
      return Status::OK();
    case Keyword::kLeave:
    case Keyword::kIterate:
      return ParseJump(out);
    case Keyword::kOpen:
    case Keyword::kFetch:
    case Keyword::kClose:
      return ParseCursorStep(out);
    case Keyword::kDeclare: {
      // Only blocks have variables.
      size_t first = position_;
      ARROW_ASSIGN_OR_RAISE(ErrorParameters name, DeclaredName());
      while (Peek().kind != TokenKind::kEnd && !At(Symbol::kSemicolon)) Take();
      return ScriptError(first, "INVALID_VARIABLE_DECLARATION.NOT_ALLOWED_IN_SCOPE", std::move(name));
    }
    case Keyword::kSet: {
      bool named = Peek(1).Is(Keyword::kVar) || Peek(1).Is(Keyword::kVariable);
      return ParseStatementStep(named && !Peek(2).Is(Symbol::kEqual) ? Keyword::kNotKeyword : Keyword::kVariable, out);
    }
    default:
      return ParseStatementStep(Keyword::kNotKeyword, out);
  }
}

// LEAVE label, ITERATE label
arrow::Status Grammar::ParseJump(ScriptStep* out) {
  size_t first = position_;
  out->kind = At(Keyword::kLeave) ? ScriptStep::Kind::kLeave : ScriptStep::Kind::kIterate;
  std::string statement = ToUpperAscii(Take().text);
  ARROW_ASSIGN_OR_RAISE(NameParts parts, MultipartIdentifier());
  out->label = ToLowerAscii(parts[0]);
  std::string shown = ToUpperAscii(TextBetween(first + 1, position_));
  if (parts.size() > 1) return ScriptError(first, "INVALID_LABEL_USAGE.QUALIFIED_LABEL_NAME", {{"labelName", shown}});
  for (const ScriptLabel& label : script_labels_) {
    if (label.name != out->label) continue;
    if (out->kind == ScriptStep::Kind::kLeave || !label.is_block) return Status::OK();
    return ScriptError(first, "INVALID_LABEL_USAGE.ITERATE_IN_COMPOUND", {{"labelName", shown}});
  }
  return ScriptError(first, "INVALID_LABEL_USAGE.DOES_NOT_EXIST", {{"labelName", shown}, {"statementType", statement}});
}

// IF … THEN … [ELSEIF … THEN …] [ELSE …] END IF; CASE [value] WHEN … THEN … [ELSE …] END CASE
arrow::Status Grammar::ParseChoice(ScriptStep* out) {
  if (++depth_ > kMaxScriptDepth) return TooComplex();
  const Keyword word = Take().keyword;
  const bool is_if = word == Keyword::kIf;
  out->kind = is_if ? ScriptStep::Kind::kIf : ScriptStep::Kind::kCase;
  if (!is_if && !At(Keyword::kWhen)) {
    ARROW_ASSIGN_OR_RAISE(out->operand, ScriptExpression());
  }
  if (!is_if) ARROW_RETURN_NOT_OK(Expect(Keyword::kWhen));
  do {
    ARROW_RETURN_NOT_OK(ParseBranch(&out->branches.emplace_back()));
  } while (Accept(is_if ? Keyword::kElseif : Keyword::kWhen));
  if (Accept(Keyword::kElse)) ARROW_RETURN_NOT_OK(ParseBody(&out->otherwise.emplace()));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kEnd));
  --depth_;
  return Expect(word);
}

// [name AS] query DO, behind FOR
arrow::Status Grammar::ParseForHead(ScriptStep* out) {
  out->kind = ScriptStep::Kind::kFor;
  size_t first = position_;
  if (Peek(1).Is(Keyword::kAs)) {
    ARROW_ASSIGN_OR_RAISE(out->variable, Identifier());
    out->variable = ToLowerAscii(out->variable);
    ARROW_RETURN_NOT_OK(OpenLabel(first, out->variable, /*is_block=*/false));
    Take();
  }
  // DO could be an alias too: the first one outside of parentheses ends the query.
  first = position_;
  int32_t depth = Peek().paren_depth;
  auto at_do = [&] { return At(Keyword::kDo) && Peek().paren_depth == depth; };
  while (Peek().kind != TokenKind::kEnd && !At(Symbol::kSemicolon) && !at_do()) Take();
  out->operand = RangeOf(first, position_);
  ARROW_ASSIGN_OR_RAISE(Grammar part, MakePart(text_, *out->operand, Keyword::kNotKeyword, *options_));
  Relation ignored;
  ARROW_RETURN_NOT_OK(part.SingleQuery(&ignored));
  return Expect(Keyword::kDo);
}

arrow::Status Grammar::ParseLoop(const std::string& label, ScriptStep* out) {
  out->label = label;
  const Keyword word = Take().keyword;
  out->kind = word == Keyword::kLoop ? ScriptStep::Kind::kLoop : ScriptStep::Kind::kRepeat;
  if (word == Keyword::kWhile) {
    out->kind = ScriptStep::Kind::kWhile;
    ARROW_ASSIGN_OR_RAISE(out->operand, ScriptExpression());
    ARROW_RETURN_NOT_OK(Expect(Keyword::kDo));
  }
  if (word == Keyword::kFor) ARROW_RETURN_NOT_OK(ParseForHead(out));
  ARROW_RETURN_NOT_OK(ParseBody(&out->body));
  if (word == Keyword::kRepeat) {
    ARROW_RETURN_NOT_OK(Expect(Keyword::kUntil));
    ARROW_ASSIGN_OR_RAISE(out->operand, ScriptExpression());
  }
  ARROW_RETURN_NOT_OK(Expect(Keyword::kEnd));
  ARROW_RETURN_NOT_OK(Expect(word));
  return ParseEndLabel(label);
}

// OPEN name [USING values]; FETCH [[NEXT] FROM] name INTO variables; CLOSE name
arrow::Status Grammar::ParseCursorStep(ScriptStep* out) {
  const Keyword word = Take().keyword;
  if (word == Keyword::kFetch) {
    if (At(Keyword::kNext, Keyword::kFrom)) Take();
    if (At(Keyword::kFrom)) Take();
  }
  size_t first = position_;
  ARROW_ASSIGN_OR_RAISE(out->cursor, MultipartIdentifier());
  if (out->cursor.size() > 2) {
    return ErrorAt(first, "CURSOR_REFERENCE_INVALID_QUALIFIER", {{"cursorName", QuoteNameParts(out->cursor)}});
  }
  switch (word) {
    case Keyword::kOpen:
      out->kind = ScriptStep::Kind::kOpen;
      if (At(Keyword::kUsing)) return Unsupported("OPEN … USING");
      return Status::OK();
    case Keyword::kClose:
      out->kind = ScriptStep::Kind::kClose;
      return Status::OK();
    default:
      out->kind = ScriptStep::Kind::kFetch;
      ARROW_RETURN_NOT_OK(Expect(Keyword::kInto));
      do {
        ARROW_ASSIGN_OR_RAISE(out->targets.emplace_back(), MultipartIdentifier());
      } while (Accept(Symbol::kComma));
      return Status::OK();
  }
}

}  // namespace millrace::sql

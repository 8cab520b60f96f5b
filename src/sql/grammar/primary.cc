#include <algorithm>

#include "base/ascii.h"
#include "sql/expression_tree.h"
#include "sql/grammar/grammar.h"
#include "sql/parse_error.h"
#include "sql/plan_conventions.h"

namespace millrace::sql {

using spark::connect::SubqueryExpression;

arrow::Status Grammar::ParsePrimary(Expression* out) {
  size_t first = position_;
  ARROW_RETURN_NOT_OK(ParsePrefix(out));
  for (int chain = 0;; ++chain) {
    if (chain > kMaxOperatorChain) return TooComplex();
    // A name takes its parts one by one: a.b is one expression.
    if (!At(Symbol::kDot)) MarkOrigin(first, out);
    if (At(Symbol::kDot)) {
      ARROW_RETURN_NOT_OK(ParseDereference(out));
    } else if (At(Symbol::kLeftBracket)) {
      Take();
      Expression child;
      child.Swap(out);
      Expression::UnresolvedExtractValue* extract = out->mutable_unresolved_extract_value();
      extract->mutable_child()->Swap(&child);
      ARROW_RETURN_NOT_OK(ParseValue(1, extract->mutable_extraction()));
      ARROW_RETURN_NOT_OK(Expect(Symbol::kRightBracket));
    } else if (At(Symbol::kDoubleColon)) {
      Take();
      Expression child;
      child.Swap(out);
      out->mutable_cast()->mutable_expr()->Swap(&child);
      ARROW_RETURN_NOT_OK(ParseType(out->mutable_cast()->mutable_type()));
    } else if (At(Keyword::kCollate) && Peek(1).IsIdentifier()) {
      Take();
      ARROW_ASSIGN_OR_RAISE(std::vector<std::string> collation, MultipartIdentifier());
      SetString(collation.back(), WrapInFunction("collate", out)->add_arguments());
    } else if (At(Symbol::kColon)) {
      ARROW_RETURN_NOT_OK(ParseVariantPath(out));
    } else {
      return Status::OK();
    }
  }
}

arrow::Status Grammar::ParsePrefix(Expression* out) {
  const Token& token = Peek();
  if (token.IsNumber()) return ParseNumber(false, position_, out);
  if (token.kind == TokenKind::kString) return ParseStringLiteral(out);
  switch (token.symbol) {
    case Symbol::kMinus: {
      size_t first = position_;
      Take();
      return Peek().IsNumber() ? ParseNumber(true, first, out) : SyntaxErrorHere();
    }
    case Symbol::kLeftParen:
      return ParseParenthesized(out);
    case Symbol::kAsterisk:
      return ParseStar({}, out);
    case Symbol::kQuestion:
    case Symbol::kColon:
      return ParseParameter(out);
    default:
      break;
  }
  if (!token.IsIdentifier()) return SyntaxErrorHere();
  if (Peek(1).Is(Symbol::kArrow)) return ParseLambda(out);
  if (token.kind == TokenKind::kKeyword) {
    bool parsed = false;
    ARROW_RETURN_NOT_OK(ParseKeywordPrefix(&parsed, out));
    if (parsed) return Status::OK();
  }
  if (Peek(1).kind == TokenKind::kString) return ParseTypedLiteral(out);
  return ParseName(out);
}

arrow::Status Grammar::ParseKeywordPrefix(bool* parsed, Expression* out) {
  *parsed = true;
  switch (Peek().keyword) {
    case Keyword::kNull:
      Take();
      out->mutable_literal()->mutable_null()->mutable_null();
      return Status::OK();
    case Keyword::kTrue:
    case Keyword::kFalse:
      SetBoolean(Take().Is(Keyword::kTrue), out);
      return Status::OK();
    case Keyword::kCase:
      if (position_ >= last_end_keyword_ || !StartsOperand(position_ + 1) || Peek(1).Is(Keyword::kEnd)) break;
      return ParseCase(out);
    case Keyword::kInterval:
      if (AtIntervalLiteral()) return ParseIntervalLiteral(out);
      if (!Peek(1).IsNumber()) break;
      // INTERVAL 1 and no unit: no name stands before a number.
      position_ += 2;
      return SyntaxErrorHere();
    case Keyword::kCurrentPath:
      if (Peek(1).Is(Symbol::kLeftParen)) break;
      Take();
      SetFunction("current_path", out);
      return Status::OK();
    default:
      if (Peek(1).Is(Symbol::kLeftParen)) return ParseSpecialCall(parsed, out);
      break;
  }
  *parsed = false;
  return Status::OK();
}

arrow::Status Grammar::ParseName(Expression* out) {
  // name(.name)*( is a call and name(.name)*.* a star; else only the first part belongs here.
  size_t last = position_;
  while (tokens_[last].IsIdentifier() && tokens_[last + 1].Is(Symbol::kDot) && tokens_[last + 2].IsIdentifier()) {
    last += 2;
  }
  bool call = tokens_[last + 1].Is(Symbol::kLeftParen);
  bool star = tokens_[last + 1].Is(Symbol::kDot) && tokens_[last + 2].Is(Symbol::kAsterisk);
  // IDENTIFIER('a.b') names whatever the text says.
  if (AtIdentifierClause(position_)) {
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> parts, IdentifierClause());
    if (At(Symbol::kLeftParen)) return ParseCall(std::move(parts), out);
    SetAttribute(parts, out);
    return Status::OK();
  }
  std::vector<std::string> parts;
  ARROW_ASSIGN_OR_RAISE(parts.emplace_back(), Identifier());
  if (call || star) {
    while (position_ <= last && Accept(Symbol::kDot)) {
      ARROW_ASSIGN_OR_RAISE(parts.emplace_back(), Identifier());
    }
    if (call) return ParseCall(std::move(parts), out);
    Take();
    return ParseStar(std::move(parts), out);
  }
  if (IsLambdaVariable(parts[0])) {
    out->mutable_unresolved_named_lambda_variable()->add_name_parts(parts[0]);
  } else {
    SetAttribute(parts, out);
  }
  return Status::OK();
}

arrow::Status Grammar::ParseParenthesized(Expression* out) {
  size_t open = position_;
  // (a, b) -> …
  if (tokens_[std::min(Closing(open) + 1, tokens_.size() - 1)].Is(Symbol::kArrow) && CountArguments(open) > 1) {
    return ParseLambda(out);
  }
  if (StartsQuery(open + 1)) {
    Take();
    ARROW_RETURN_NOT_OK(ParseSubquery(SubqueryExpression::SUBQUERY_TYPE_SCALAR, out));
    return Expect(Symbol::kRightParen);
  }
  if (CountArguments(open) > 1) return ParseRowConstructor(out);
  Take();
  ARROW_RETURN_NOT_OK(ParseExpression(out));
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseRowConstructor(Expression* out) {
  Take();
  Function* row = SetFunction("named_struct", out);
  bool has_star = false;
  int column = 0;
  do {
    ++column;
    Expression value;
    ARROW_RETURN_NOT_OK(ParseNamedExpression(&value));
    std::string name = "col" + std::to_string(column);
    if (value.has_unresolved_attribute()) {
      name = AttributeParts(value).back();
    } else if (value.has_unresolved_named_lambda_variable()) {
      const auto& parts = value.unresolved_named_lambda_variable().name_parts();
      name = parts.at(parts.size() - 1);
    } else if (value.has_alias()) {
      name = value.alias().name(0);
      Expression aliased;
      aliased.Swap(value.mutable_alias()->mutable_expr());
      value.Swap(&aliased);
    }
    has_star = has_star || value.has_unresolved_star();
    SetString(name, row->add_arguments());
    row->add_arguments()->Swap(&value);
  } while (Accept(Symbol::kComma));
  if (has_star) {
    // Names are known only when the star is expanded: struct() finds them then.
    Expression unnamed;
    Function* structure = SetFunction("struct", &unnamed);
    for (int i = 1; i < row->arguments_size(); i += 2) structure->add_arguments()->Swap(row->mutable_arguments(i));
    out->Swap(&unnamed);
  }
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseStar(std::vector<std::string> target, Expression* out) {
  Take();
  Expression::UnresolvedStar* star = out->mutable_unresolved_star();
  if (!target.empty()) {
    Expression name;
    SetAttribute(target, &name);
    star->set_unparsed_target(name.unresolved_attribute().unparsed_identifier() + ".*");
  }
  if (!At(Keyword::kExcept) || !Peek(1).Is(Symbol::kLeftParen) || StartsQuery(position_ + 2)) return Status::OK();
  Take();
  Take();
  Function* except = WrapInInternalFunction(kStarExcept, out);
  do {
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> column, MultipartIdentifier());
    SetAttribute(column, except->add_arguments());
  } while (Accept(Symbol::kComma));
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseDereference(Expression* base) {
  Take();
  ARROW_ASSIGN_OR_RAISE(std::string field, Identifier());
  if (base->has_unresolved_attribute()) {
    std::vector<std::string> parts = AttributeParts(*base);
    parts.push_back(std::move(field));
    SetAttribute(parts, base);
    return Status::OK();
  }
  Expression child;
  child.Swap(base);
  base->mutable_unresolved_extract_value()->mutable_child()->Swap(&child);
  SetString(field, base->mutable_unresolved_extract_value()->mutable_extraction());
  return Status::OK();
}

// v:a.b[0]['c']: the path as its text stands there, without blanks and back-ticks.
arrow::Status Grammar::ParseVariantPath(Expression* base) {
  Take();
  std::string path = "$";
  bool first = true;
  while (first || At(Symbol::kDot) || At(Symbol::kLeftBracket)) {
    if (At(Symbol::kLeftBracket)) {
      const Token& inside = Peek(1);
      bool name = inside.kind == TokenKind::kString || (!first && inside.IsIdentifier());
      if ((!name && inside.kind != TokenKind::kInteger) || !Peek(2).Is(Symbol::kRightBracket)) {
        Take();
        return SyntaxErrorHere();
      }
      path += "[" + std::string(inside.text) + "]";
      position_ += 3;
    } else {
      if (!first) Take();
      ARROW_ASSIGN_OR_RAISE(std::string name, Identifier());
      path += "." + name;
    }
    first = false;
  }
  SetString(path, WrapInInternalFunction(kVariantPath, base)->add_arguments());
  return Status::OK();
}

bool Grammar::IsLambdaVariable(std::string_view name) const {
  return std::any_of(lambda_variables_.begin(), lambda_variables_.end(),
                     [&](const std::string& variable) { return EqualsIgnoreCase(variable, name); });
}

arrow::Status Grammar::ParseLambda(Expression* out) {
  std::vector<std::string> names;
  if (At(Symbol::kLeftParen)) {
    ARROW_ASSIGN_OR_RAISE(names, IdentifierList());
  } else {
    ARROW_ASSIGN_OR_RAISE(names.emplace_back(), Identifier());
  }
  ARROW_RETURN_NOT_OK(Expect(Symbol::kArrow));
  Expression::LambdaFunction* lambda = out->mutable_lambda_function();
  for (const std::string& name : names) lambda->add_arguments()->add_name_parts(name);
  size_t outer_variables = lambda_variables_.size();
  lambda_variables_.insert(lambda_variables_.end(), names.begin(), names.end());
  ARROW_RETURN_NOT_OK(ParseExpression(lambda->mutable_function()));
  lambda_variables_.resize(outer_variables);
  return Status::OK();
}

arrow::Status Grammar::ParseCase(Expression* out) {
  Take();
  Expression operand;
  bool simple = !At(Keyword::kWhen);
  if (simple) ARROW_RETURN_NOT_OK(ParseExpression(&operand));
  Function* when = SetFunction("when", out);
  ARROW_RETURN_NOT_OK(At(Keyword::kWhen) ? Status::OK() : SyntaxErrorHere());
  while (Accept(Keyword::kWhen)) {
    Expression* condition = when->add_arguments();
    if (simple) {
      ARROW_RETURN_NOT_OK(ChargeCopy(operand));
      *condition = operand;
      ARROW_RETURN_NOT_OK(ParseExpression(WrapInFunction("==", condition)->add_arguments()));
    } else {
      ARROW_RETURN_NOT_OK(ParseExpression(condition));
    }
    ARROW_RETURN_NOT_OK(Expect(Keyword::kThen));
    ARROW_RETURN_NOT_OK(ParseExpression(when->add_arguments()));
  }
  if (Accept(Keyword::kElse)) ARROW_RETURN_NOT_OK(ParseExpression(when->add_arguments()));
  return Expect(Keyword::kEnd);
}

arrow::Status Grammar::ParseCast(Expression* out) {
  bool try_cast = Take().Is(Keyword::kTryCast);
  Take();
  Expression::Cast* cast = out->mutable_cast();
  if (try_cast) cast->set_eval_mode(Expression::Cast::EVAL_MODE_TRY);
  ARROW_RETURN_NOT_OK(ParseExpression(cast->mutable_expr()));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kAs));
  ARROW_RETURN_NOT_OK(ParseType(cast->mutable_type()));
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseParameter(Expression* out) {
  size_t first = position_;
  std::string name;
  const Expression* value = nullptr;
  if (Take().Is(Symbol::kQuestion)) {
    size_t index = positional_parameters_used_++;
    name = "_" + std::to_string(tokens_[first].offset);
    if (options_->positional_parameters != nullptr && index < options_->positional_parameters->size()) {
      value = &(*options_->positional_parameters)[index];
    }
  } else {
    ARROW_ASSIGN_OR_RAISE(name, Identifier());
    if (options_->named_parameters != nullptr) {
      auto it = options_->named_parameters->find(name);
      if (it != options_->named_parameters->end()) value = &it->second;
    }
  }
  if (value == nullptr) return ErrorAt(first, "UNBOUND_SQL_PARAMETER", {{"name", name}});
  ARROW_RETURN_NOT_OK(ChargeCopy(*value));
  *out = *value;
  return AppendStrings(out);
}

arrow::Status Grammar::ParseSubquery(SubqueryExpression::SubqueryType type, Expression* out) {
  std::vector<Relation>* plans = subqueries_;
  if (plans == nullptr) return Unsupported("a subquery in an expression string");
  Relation plan;
  ARROW_RETURN_NOT_OK(ParseQuery(&plan));
  int64_t plan_id = next_plan_id_++;
  plan.mutable_common()->set_plan_id(plan_id);
  plans->emplace_back().Swap(&plan);
  SubqueryExpression* subquery = out->mutable_subquery_expression();
  subquery->set_plan_id(plan_id);
  subquery->set_subquery_type(type);
  return Status::OK();
}

}  // namespace millrace::sql

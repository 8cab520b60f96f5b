#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "sql/expression_tree.h"
#include "sql/grammar/grammar.h"
#include "sql/plan_conventions.h"

namespace millrace::sql {

namespace {

bool IsDatetimeUnit(Keyword keyword) {
  switch (keyword) {
    case Keyword::kYear:
    case Keyword::kQuarter:
    case Keyword::kMonth:
    case Keyword::kWeek:
    case Keyword::kDay:
    case Keyword::kDayofyear:
    case Keyword::kHour:
    case Keyword::kMinute:
    case Keyword::kSecond:
    case Keyword::kMillisecond:
    case Keyword::kMicrosecond:
      return true;
    default:
      return false;
  }
}

// Functions whose second argument says whether nulls are skipped.
bool TakesIgnoreNullsArgument(std::string_view name) {
  return name == "first" || name == "last" || name == "any_value" || name == "first_value" || name == "last_value";
}

}  // namespace

arrow::Status Grammar::ParseCall(std::vector<std::string> name, Expression* out) {
  bool ignore_nulls_inside = At(Symbol::kLeftParen) && name.size() == 1 &&
                             (EqualsIgnoreCase(name[0], "first") || EqualsIgnoreCase(name[0], "last") ||
                              EqualsIgnoreCase(name[0], "any_value"));
  if (name.size() == 1) {
    SetFunction(ToLowerAscii(name[0]), out);
  } else {
    Expression qualified;
    SetAttribute(name, &qualified);
    out->mutable_call_function()->set_function_name(qualified.unresolved_attribute().unparsed_identifier());
  }
  bool distinct = false;
  ARROW_RETURN_NOT_OK(ParseArguments(ignore_nulls_inside, out, &distinct));
  if (distinct) {
    if (!out->has_unresolved_function()) return Unsupported("DISTINCT in a call of a qualified function");
    out->mutable_unresolved_function()->set_is_distinct(true);
  }
  // count(*) counts rows, whatever the columns are.
  if (out->has_unresolved_function() && out->unresolved_function().function_name() == "count" && !distinct &&
      out->unresolved_function().arguments_size() == 1) {
    Expression* argument = out->mutable_unresolved_function()->mutable_arguments(0);
    if (argument->has_unresolved_star() && argument->unresolved_star().unparsed_target().empty()) {
      SetInteger(1, argument);
    }
  }
  return ParseCallClauses(out);
}

arrow::Status Grammar::ParseArguments(bool ignore_nulls_inside, Expression* out, bool* distinct) {
  auto add = [&] {
    return out->has_call_function() ? out->mutable_call_function()->add_arguments()
                                    : out->mutable_unresolved_function()->add_arguments();
  };
  // Tables are arguments of the table function itself, not of calls among its arguments.
  bool takes_tables = std::exchange(takes_tables_, false);
  auto at_table = [&] {
    return takes_tables && At(Keyword::kTable) && (Peek(1).IsIdentifier() || Peek(1).Is(Symbol::kLeftParen));
  };
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  if (Accept(Symbol::kRightParen)) return Status::OK();
  if ((At(Keyword::kDistinct) || At(Keyword::kAll)) && StartsOperand(position_ + 1)) {
    *distinct = Take().Is(Keyword::kDistinct);
  }
  do {
    if (Peek().IsIdentifier() && Peek(1).Is(Symbol::kFatArrow)) {
      spark::connect::NamedArgumentExpression* named = add()->mutable_named_argument_expression();
      ARROW_ASSIGN_OR_RAISE(*named->mutable_key(), Identifier());
      Take();
      ARROW_RETURN_NOT_OK(at_table() ? ParseTableArgument(named->mutable_value())
                                     : ParseExpression(named->mutable_value()));
    } else if (at_table()) {
      ARROW_RETURN_NOT_OK(ParseTableArgument(add()));
    } else {
      ARROW_RETURN_NOT_OK(ParseExpression(add()));
    }
    if (ignore_nulls_inside && Accept(Keyword::kIgnore, Keyword::kNulls)) SetBoolean(true, add());
  } while (Accept(Symbol::kComma));
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseCallClauses(Expression* out) {
  if (At(Keyword::kWithin, Keyword::kGroup) && Peek(2).Is(Symbol::kLeftParen)) {
    position_ += 3;
    ARROW_RETURN_NOT_OK(Expect(Keyword::kOrder));
    ARROW_RETURN_NOT_OK(Expect(Keyword::kBy));
    Function* within = WrapInInternalFunction(kWithinGroup, out);
    ARROW_RETURN_NOT_OK(ParseSortItems([&] { return within->add_arguments()->mutable_sort_order(); }));
    ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  }
  if (At(Keyword::kFilter) && Peek(1).Is(Symbol::kLeftParen)) {
    Take();
    Take();
    ARROW_RETURN_NOT_OK(Expect(Keyword::kWhere));
    ARROW_RETURN_NOT_OK(ParseExpression(WrapInInternalFunction(kAggregateFilter, out)->add_arguments()));
    ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  }
  if (Accept(Keyword::kRespect, Keyword::kNulls)) {
    // What every function does anyway.
  } else if (Accept(Keyword::kIgnore, Keyword::kNulls)) {
    ARROW_RETURN_NOT_OK(AddIgnoreNulls(out));
  }
  bool over = At(Keyword::kOver) && (Peek(1).Is(Symbol::kLeftParen) || Peek(1).IsIdentifier());
  return over ? ParseOver(out) : Status::OK();
}

arrow::Status Grammar::AddIgnoreNulls(Expression* call) {
  Function* function = call->mutable_unresolved_function();
  if (!function->is_internal() && TakesIgnoreNullsArgument(function->function_name()) &&
      function->arguments_size() == 1) {
    SetBoolean(true, function->add_arguments());
  } else {
    WrapInInternalFunction(kIgnoreNulls, call);
  }
  return Status::OK();
}

// At a keyword before a parenthesis: SQL's calls with words inside. `parsed` is false for a plain call.
arrow::Status Grammar::ParseSpecialCall(bool* parsed, Expression* out) {
  size_t open = position_ + 1;
  *parsed = true;
  switch (Peek().keyword) {
    case Keyword::kCast:
    case Keyword::kTryCast:
      if (FindInCall(open, Keyword::kAs) == 0) break;
      return ParseCast(out);
    case Keyword::kStruct:
      return ParseStruct(out);
    case Keyword::kExtract:
      if (tokens_[open + 1].IsIdentifier() && Peek(3).Is(Keyword::kFrom) && Peek(4).symbol != Symbol::kRightParen) {
        return ParseExtract(out);
      }
      break;
    case Keyword::kSubstr:
    case Keyword::kSubstring:
      if (FindInCall(open, Keyword::kFrom) > open + 1) return ParseSubstring(out);
      break;
    case Keyword::kTrim: {
      size_t from = FindInCall(open, Keyword::kFrom);
      if (from != 0 && from + 1 < Closing(open)) return ParseTrim(out);
      break;
    }
    case Keyword::kPosition:
      if (CountArguments(open) == 1 && FindInCall(open, Keyword::kIn) > open + 1) return ParsePosition(out);
      break;
    case Keyword::kOverlay:
      if (FindInCall(open, Keyword::kPlacing) > open + 1) return ParseOverlay(out);
      break;
    case Keyword::kTimestampadd:
    case Keyword::kDateadd:
    case Keyword::kDateAdd:
      if (CountArguments(open) != 3) break;
      if (!IsDatetimeUnit(Peek(2).keyword) && Peek(2).kind != TokenKind::kString) break;
      return ParseDatetimeUnitCall("timestampadd", out);
    case Keyword::kTimestampdiff:
    case Keyword::kDatediff:
    case Keyword::kDateDiff:
    case Keyword::kTimediff:
      if (CountArguments(open) != 3) break;
      if (!IsDatetimeUnit(Peek(2).keyword) && Peek(2).kind != TokenKind::kString) break;
      return ParseDatetimeUnitCall("timestampdiff", out);
    default:
      break;
  }
  *parsed = false;
  return Status::OK();
}

arrow::Status Grammar::ParseExtract(Expression* out) {
  Take();
  Take();
  Function* extract = SetFunction("extract", out);
  ARROW_ASSIGN_OR_RAISE(std::string field, Identifier());
  SetString(field, extract->add_arguments());
  ARROW_RETURN_NOT_OK(Expect(Keyword::kFrom));
  ARROW_RETURN_NOT_OK(ParseValue(1, extract->add_arguments()));
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseSubstring(Expression* out) {
  Take();
  Take();
  Function* substring = SetFunction("substring", out);
  ARROW_RETURN_NOT_OK(ParseValue(1, substring->add_arguments()));
  if (!Accept(Symbol::kComma)) ARROW_RETURN_NOT_OK(Expect(Keyword::kFrom));
  ARROW_RETURN_NOT_OK(ParseValue(1, substring->add_arguments()));
  if (Accept(Symbol::kComma) || Accept(Keyword::kFor)) {
    ARROW_RETURN_NOT_OK(ParseValue(1, substring->add_arguments()));
  } else {
    SetInteger(2147483647, substring->add_arguments());
  }
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseTrim(Expression* out) {
  Take();
  Take();
  std::string_view function = "trim";
  const Token& next = Peek(1);
  bool option = At(Keyword::kBoth) || At(Keyword::kLeading) || At(Keyword::kTrailing);
  if (option && (next.Is(Keyword::kFrom) || StartsOperand(position_ + 1))) {
    function = At(Keyword::kBoth) ? "trim" : At(Keyword::kLeading) ? "ltrim" : "rtrim";
    Take();
  }
  Function* trim = SetFunction(function, out);
  if (!At(Keyword::kFrom)) ARROW_RETURN_NOT_OK(ParseValue(1, trim->add_arguments()));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kFrom));
  ARROW_RETURN_NOT_OK(ParseValue(1, trim->add_arguments()));
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParsePosition(Expression* out) {
  Take();
  Take();
  Function* locate = SetFunction("locate", out);
  ARROW_RETURN_NOT_OK(ParseValue(1, locate->add_arguments()));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kIn));
  ARROW_RETURN_NOT_OK(ParseValue(1, locate->add_arguments()));
  SetInteger(1, locate->add_arguments());
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseOverlay(Expression* out) {
  Take();
  Take();
  Function* overlay = SetFunction("overlay", out);
  ARROW_RETURN_NOT_OK(ParseValue(1, overlay->add_arguments()));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kPlacing));
  ARROW_RETURN_NOT_OK(ParseValue(1, overlay->add_arguments()));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kFrom));
  ARROW_RETURN_NOT_OK(ParseValue(1, overlay->add_arguments()));
  if (Accept(Keyword::kFor)) ARROW_RETURN_NOT_OK(ParseValue(1, overlay->add_arguments()));
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseStruct(Expression* out) {
  Take();
  Take();
  Function* structure = SetFunction("struct", out);
  if (Accept(Symbol::kRightParen)) return Status::OK();
  do {
    ARROW_RETURN_NOT_OK(ParseNamedExpression(structure->add_arguments()));
  } while (Accept(Symbol::kComma));
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseDatetimeUnitCall(std::string_view function, Expression* out) {
  size_t first = position_;
  std::string name = ToLowerAscii(Take().text);
  Take();
  const Token& unit = Take();
  if (unit.kind == TokenKind::kString) {
    // The fragment of the error is the whole call.
    std::string text(unit.text);
    position_ = Closing(first + 1) + 1;
    return ErrorAt(
        first, "INVALID_PARAMETER_VALUE.DATETIME_UNIT",
        {{"functionName", QuoteIdentifier(name)}, {"parameter", QuoteIdentifier("unit")}, {"invalidValue", text}});
  }
  Function* call = SetFunction(function, out);
  SetString(unit.text, call->add_arguments());
  ARROW_RETURN_NOT_OK(Expect(Symbol::kComma));
  ARROW_RETURN_NOT_OK(ParseValue(1, call->add_arguments()));
  ARROW_RETURN_NOT_OK(Expect(Symbol::kComma));
  ARROW_RETURN_NOT_OK(ParseValue(1, call->add_arguments()));
  return Expect(Symbol::kRightParen);
}

}  // namespace millrace::sql

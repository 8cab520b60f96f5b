#include "base/ascii.h"
#include "sql/expression_tree.h"
#include "sql/grammar/grammar.h"
#include "sql/plan_conventions.h"
#include "sql/string_literal.h"

namespace millrace::sql {

using Frame = Expression::Window::WindowFrame;

arrow::Status Grammar::ParseOver(Expression* call) {
  Take();
  Expression function;
  function.Swap(call);
  Expression::Window* window = call->mutable_window();
  window->mutable_window_function()->Swap(&function);
  return ParseWindowSpec(window);
}

arrow::Status Grammar::ParseWindowSpec(Expression::Window* window) {
  if (!At(Symbol::kLeftParen)) {
    ARROW_ASSIGN_OR_RAISE(std::string name, NameIdentifier());
    return ParseNamedWindow(name, window);
  }
  if (Peek(1).IsIdentifier() && Peek(2).Is(Symbol::kRightParen)) {
    Take();
    ARROW_ASSIGN_OR_RAISE(std::string name, NameIdentifier());
    Take();
    return ParseNamedWindow(name, window);
  }
  Take();
  auto parse_partition = [&]() -> Status {
    do {
      ARROW_RETURN_NOT_OK(ParseExpression(window->add_partition_spec()));
    } while (Accept(Symbol::kComma));
    return Status::OK();
  };
  if (Accept(Keyword::kCluster, Keyword::kBy)) {
    ARROW_RETURN_NOT_OK(parse_partition());
  } else {
    if (Accept(Keyword::kPartition, Keyword::kBy) || Accept(Keyword::kDistribute, Keyword::kBy)) {
      ARROW_RETURN_NOT_OK(parse_partition());
    }
    if (Accept(Keyword::kOrder, Keyword::kBy) || Accept(Keyword::kSort, Keyword::kBy)) {
      ARROW_RETURN_NOT_OK(ParseSortItems([&] { return window->add_order_spec(); }));
    }
  }
  if (At(Keyword::kRange) || At(Keyword::kRows)) ARROW_RETURN_NOT_OK(ParseWindowFrame(window));
  return Expect(Symbol::kRightParen);
}

// The definition may stand behind: SELECT sum(a) OVER w FROM t WINDOW w AS (…). It is looked for among the tokens of
// the same SELECT, at the same parenthesis level, and parsed on the spot.
arrow::Status Grammar::ParseNamedWindow(std::string_view name, Expression::Window* window) {
  DepthGuard depth(this);
  if (depth.TooDeep()) return TooComplex();
  auto missing = [&] {
    return ErrorAt(position_ - 1, "MISSING_WINDOW_SPECIFICATION",
                   {{"windowName", std::string(name)}, {"docroot", "https://spark.apache.org/docs/latest"}});
  };
  int32_t level = tokens_[select_start_].paren_depth;
  bool in_clause = false;
  for (size_t i = select_start_; i + 3 < tokens_.size() && tokens_[i].paren_depth >= level; ++i) {
    const Token& token = tokens_[i];
    if (token.paren_depth > level) continue;
    // The next pipe operator has windows of its own.
    if (token.Is(Symbol::kPipeOperator)) break;
    if (token.Is(Symbol::kRightParen) && i > select_start_ && token.paren_depth < level) break;
    if (token.Is(Keyword::kWindow) && tokens_[i + 1].IsIdentifier() && tokens_[i + 2].Is(Keyword::kAs))
      in_clause = true;
    bool defines = in_clause && (token.Is(Keyword::kWindow) || token.Is(Symbol::kComma)) &&
                   tokens_[i + 1].IsIdentifier() && tokens_[i + 2].Is(Keyword::kAs);
    if (!defines) continue;
    const Token& defined = tokens_[i + 1];
    std::string defined_name =
        defined.kind == TokenKind::kQuotedIdentifier ? UnquoteIdentifier(defined.text) : std::string(defined.text);
    if (!EqualsIgnoreCase(defined_name, name)) continue;
    size_t resume = position_;
    position_ = i + 3;
    // A window may be another one's name; a cycle runs into the depth limit.
    ARROW_RETURN_NOT_OK(ParseWindowSpec(window));
    position_ = resume;
    return Status::OK();
  }
  return missing();
}

arrow::Status Grammar::ParseWindowFrame(Expression::Window* window) {
  Frame* frame = window->mutable_frame_spec();
  frame->set_frame_type(Take().Is(Keyword::kRows) ? Frame::FRAME_TYPE_ROW : Frame::FRAME_TYPE_RANGE);
  if (Accept(Keyword::kBetween)) {
    ARROW_RETURN_NOT_OK(ParseFrameBound(frame->mutable_lower(), true));
    ARROW_RETURN_NOT_OK(Expect(Keyword::kAnd));
    return ParseFrameBound(frame->mutable_upper(), false);
  }
  ARROW_RETURN_NOT_OK(ParseFrameBound(frame->mutable_lower(), true));
  frame->mutable_upper()->set_current_row(true);
  return Status::OK();
}

// In the message, unbounded means preceding for the lower and following for the upper bound; offsets count from the
// current row, preceding ones negative.
arrow::Status Grammar::ParseFrameBound(Frame::FrameBoundary* out, bool is_lower) {
  if (At(Keyword::kUnbounded) && (Peek(1).Is(Keyword::kPreceding) || Peek(1).Is(Keyword::kFollowing))) {
    Take();
    bool preceding = Take().Is(Keyword::kPreceding);
    if (preceding != is_lower) {
      SetInternalFunction(kUnboundedBound, out->mutable_value());
    } else {
      out->set_unbounded(true);
    }
    return Status::OK();
  }
  if (Accept(Keyword::kCurrent, Keyword::kRow)) {
    out->set_current_row(true);
    return Status::OK();
  }
  Expression* value = out->mutable_value();
  ARROW_RETURN_NOT_OK(ParseExpression(value));
  if (Accept(Keyword::kFollowing)) return Status::OK();
  ARROW_RETURN_NOT_OK(Expect(Keyword::kPreceding));
  WrapInFunction("-", value);
  return Status::OK();
}

}  // namespace millrace::sql

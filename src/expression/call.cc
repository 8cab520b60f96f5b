#include "expression/call.h"

namespace millrace::expression {

Call::Call(std::shared_ptr<const CallInfo> info, DataTypePtr type, bool nullable, ExpressionVector arguments)
    : Expression(ExpressionKind::kCall, std::move(type), nullable, std::move(arguments)), info_(std::move(info)) {}

ExpressionPtr Call::WithChildren(ExpressionVector children) const {
  return std::make_shared<Call>(info_, type(), nullable(), std::move(children));
}

std::string Call::Sql(bool pretty) const {
  std::vector<std::string> texts;
  texts.reserve(children().size());
  for (const ExpressionPtr& child : children()) texts.push_back(child->Sql(pretty));
  switch (info_->style) {
    case CallStyle::kInfix:
      return "(" + texts[0] + " " + info_->name + " " + texts[1] + ")";
    case CallStyle::kPrefix:
      return "(" + info_->name + " " + texts[0] + ")";
    case CallStyle::kCustom:
      return info_->render(texts);
    case CallStyle::kFunction:
      break;
  }
  std::string sql = info_->name + "(";
  for (size_t i = 0; i < texts.size(); ++i) sql += (i > 0 ? ", " : "") + texts[i];
  return sql + ")";
}

bool Call::deterministic() const { return info_->deterministic && Expression::deterministic(); }
bool Call::foldable() const { return info_->foldable && info_->deterministic && Expression::foldable(); }
bool Call::can_fail() const { return info_->can_fail || Expression::can_fail(); }

arrow::Result<arrow::Datum> Call::Evaluate(const EvalContext& context, const arrow::RecordBatch& input) const {
  std::vector<arrow::Datum> arguments;
  arguments.reserve(children().size());
  for (const ExpressionPtr& child : children()) {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum argument, child->Evaluate(context, input));
    arguments.push_back(std::move(argument));
  }
  return info_->kernel(context, arguments, input.num_rows());
}

}  // namespace millrace::expression

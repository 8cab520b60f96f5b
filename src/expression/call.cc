#include "expression/call.h"

#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

#include <algorithm>
#include <set>

#include "expression/vector.h"
#include "types/arrow_type.h"

namespace millrace::expression {

namespace {

// Which NULL argument settles the result before the others are looked at, so that they cannot fail.
enum class Settles : uint8_t { kNone, kFirst, kInOrder, kFromRight };

Settles SettledBy(std::string_view name) {
  // Spark's null intolerant expressions, by the order in which it evaluates their arguments.
  static const std::set<std::string_view> kOrdered{"+",
                                                   "-",
                                                   "*",
                                                   "=",
                                                   "<",
                                                   "<=",
                                                   ">",
                                                   ">=",
                                                   "&",
                                                   "|",
                                                   "^",
                                                   "pow",
                                                   "power",
                                                   "atan2",
                                                   "hypot",
                                                   "shiftleft",
                                                   "shiftright",
                                                   "substring",
                                                   "substr",
                                                   "repeat",
                                                   "startswith",
                                                   "endswith",
                                                   "contains",
                                                   "like",
                                                   "rlike",
                                                   "split",
                                                   "date_add",
                                                   "date_sub",
                                                   "datediff",
                                                   "add_months",
                                                   "trunc",
                                                   "date_trunc",
                                                   "date_format",
                                                   "make_date",
                                                   "next_day",
                                                   "element_at",
                                                   "find_in_set",
                                                   "sha2",
                                                   "instr",
                                                   "levenshtein",
                                                   "array_contains"};
  static const std::set<std::string_view> kDivisions{"/", "div", "%", "mod", "pmod"};
  if (name == "in") return Settles::kFirst;
  if (kOrdered.contains(name)) return Settles::kInOrder;
  return kDivisions.contains(name) ? Settles::kFromRight : Settles::kNone;
}

arrow::Result<arrow::Datum> TakeRows(const arrow::Datum& values, const std::shared_ptr<arrow::Array>& rows,
                                     arrow::MemoryPool* pool) {
  if (values.is_scalar()) return values;
  arrow::compute::ExecContext exec(pool);
  return arrow::compute::Take(values, arrow::Datum(rows), arrow::compute::TakeOptions::NoBoundsCheck(), &exec);
}

// The rows where `values` is not NULL.
arrow::Result<std::shared_ptr<arrow::Array>> ValidRows(const arrow::Array& values, arrow::MemoryPool* pool) {
  arrow::Int32Builder rows(pool);
  ARROW_RETURN_NOT_OK(rows.Reserve(values.length() - values.null_count()));
  for (int64_t i = 0; i < values.length(); ++i) {
    if (values.IsValid(i)) rows.UnsafeAppend(static_cast<int32_t>(i));
  }
  return rows.Finish();
}

// `values` of the rows `rows` of `num_rows`; NULL elsewhere.
arrow::Result<arrow::Datum> Spread(const arrow::Datum& values, const arrow::Int32Array& rows, int64_t num_rows,
                                   arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto array, ToArray(values, rows.length(), pool));
  arrow::Int32Builder sources(pool);
  ARROW_RETURN_NOT_OK(sources.Reserve(num_rows));
  int64_t next = 0;
  for (int64_t i = 0; i < num_rows; ++i) {
    if (next < rows.length() && rows.Value(next) == i) {
      sources.UnsafeAppend(static_cast<int32_t>(next++));
    } else {
      sources.UnsafeAppendNull();
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto source_array, sources.Finish());
  return TakeRows(arrow::Datum(array), source_array, pool);
}

// The arguments of one call, each evaluated only for the rows that those before it leave open.
class OrderedArguments {
 public:
  OrderedArguments(const EvalContext& context, const ExpressionVector& children, const arrow::RecordBatch& input)
      : context_(context), children_(children), values_(children.size()), input_(input) {}

  arrow::Status Evaluate(size_t child) {
    ARROW_ASSIGN_OR_RAISE(values_[child], children_[child]->Evaluate(context_, batch()));
    done_.push_back(child);
    return arrow::Status::OK();
  }

  // Goes on without the rows where this argument is NULL.
  arrow::Status DropNulls(size_t child) {
    const arrow::Datum& value = values_[child];
    if (value.is_scalar()) {
      none_left_ = none_left_ || !value.scalar()->is_valid;
      return arrow::Status::OK();
    }
    if (value.null_count() == 0) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> open, ValidRows(*value.make_array(), context_.memory_pool));
    none_left_ = open->length() == 0;
    if (none_left_) return arrow::Status::OK();
    std::set<int> columns;
    for (size_t i = 0; i < children_.size(); ++i) {
      if (std::find(done_.begin(), done_.end(), i) != done_.end()) continue;
      std::vector<int> read = BoundColumns(*children_[i]);
      columns.insert(read.begin(), read.end());
    }
    ARROW_ASSIGN_OR_RAISE(compact_,
                          TakeColumns(batch(), *open, {columns.begin(), columns.end()}, context_.memory_pool));
    for (size_t i : done_) {
      ARROW_ASSIGN_OR_RAISE(values_[i], TakeRows(values_[i], open, context_.memory_pool));
    }
    if (rows_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(arrow::Datum rows, TakeRows(arrow::Datum(rows_), open, context_.memory_pool));
      open = rows.make_array();
    }
    rows_ = std::static_pointer_cast<arrow::Int32Array>(open);
    return arrow::Status::OK();
  }

  const arrow::RecordBatch& batch() const { return compact_ == nullptr ? input_ : *compact_; }
  const std::vector<arrow::Datum>& values() const { return values_; }
  bool none_left() const { return none_left_; }
  // The rows of the input that are left; null when all are.
  const std::shared_ptr<arrow::Int32Array>& rows() const { return rows_; }

 private:
  const EvalContext& context_;
  const ExpressionVector& children_;
  std::vector<arrow::Datum> values_;
  std::vector<size_t> done_;
  const arrow::RecordBatch& input_;
  std::shared_ptr<arrow::RecordBatch> compact_;
  std::shared_ptr<arrow::Int32Array> rows_;
  bool none_left_ = false;
};

// Whether an argument behind the first may fail: only then does the order show.
bool OrderShows(const ExpressionVector& children, bool from_right) {
  for (size_t i = 0; i < children.size(); ++i) {
    bool first = from_right ? i + 1 == children.size() : i == 0;
    if (!first && children[i]->can_fail()) return true;
  }
  return false;
}

arrow::Result<arrow::Datum> EvaluateInOrder(const Call& call, Settles settles, const EvalContext& context,
                                            const arrow::RecordBatch& input) {
  const ExpressionVector& children = call.children();
  OrderedArguments arguments(context, children, input);
  for (size_t k = 0; k < children.size(); ++k) {
    size_t child = settles == Settles::kFromRight ? children.size() - 1 - k : k;
    ARROW_RETURN_NOT_OK(arguments.Evaluate(child));
    bool last = k + 1 == children.size() || (settles == Settles::kFirst && k > 0);
    if (last) continue;
    ARROW_RETURN_NOT_OK(arguments.DropNulls(child));
    if (arguments.none_left()) return arrow::Datum(arrow::MakeNullScalar(types::ToArrow(*call.type())));
  }
  ARROW_ASSIGN_OR_RAISE(arrow::Datum result,
                        call.info().kernel(context, arguments.values(), arguments.batch().num_rows()));
  if (arguments.rows() == nullptr) return result;
  return Spread(result, *arguments.rows(), input.num_rows(), context.memory_pool);
}

}  // namespace

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
  if (children().size() > 1 && Expression::can_fail() && Expression::deterministic()) {
    Settles settles = SettledBy(info_->name);
    if (settles != Settles::kNone && OrderShows(children(), settles == Settles::kFromRight)) {
      return EvaluateInOrder(*this, settles, context, input);
    }
  }
  std::vector<arrow::Datum> arguments;
  arguments.reserve(children().size());
  for (const ExpressionPtr& child : children()) {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum argument, child->Evaluate(context, input));
    arguments.push_back(std::move(argument));
  }
  return info_->kernel(context, arguments, input.num_rows());
}

}  // namespace millrace::expression

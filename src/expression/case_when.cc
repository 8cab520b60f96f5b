#include <arrow/array/concatenate.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

#include <numeric>

#include "expression/call.h"
#include "expression/node.h"
#include "expression/vector.h"
#include "types/arrow_type.h"

namespace millrace::expression {

namespace {

DataTypePtr CommonType(const ExpressionVector& children) {
  DataTypePtr type = children[1]->type();
  for (size_t i = 0; i < children.size(); ++i) {
    bool is_value = i % 2 == 1 || i + 1 == children.size();
    if (is_value && !children[i]->type()->Equals(*type)) return types::AsNullable(type);
  }
  return type;
}

bool IsTrue(const Expression& condition) {
  if (condition.kind() != ExpressionKind::kLiteral) return false;
  const auto& value = *static_cast<const Literal&>(condition).value();
  return value.is_valid && static_cast<const arrow::BooleanScalar&>(value).value;
}

// `a` under the condition `a IS NOT NULL`.
bool KnownValid(const Expression& condition, const ExpressionPtr& value) {
  return condition.kind() == ExpressionKind::kCall && static_cast<const Call&>(condition).name() == "isnotnull" &&
         condition.children()[0] == value;
}

bool ResultNullable(const ExpressionVector& children, bool as_if) {
  if (!as_if && IsTrue(*children[0])) return children[1]->nullable();
  if (children.size() % 2 == 0) return true;
  for (size_t i = 0; i < children.size(); ++i) {
    bool is_value = i % 2 == 1 || i + 1 == children.size();
    if (!is_value || !children[i]->nullable()) continue;
    if (i + 1 < children.size() && KnownValid(*children[i - 1], children[i])) continue;
    return true;
  }
  return false;
}

arrow::Result<std::shared_ptr<arrow::Array>> IndexArray(const std::vector<int32_t>& rows) {
  return std::make_shared<arrow::Int32Array>(static_cast<int64_t>(rows.size()), arrow::Buffer::Wrap(rows));
}

// The value of one branch for the rows that take it.
struct Part {
  arrow::Datum value;
  std::vector<int32_t> rows;
  bool compact = false;  // value[k] belongs to rows[k]; else value[row] to row

  int64_t Source(size_t k) const { return value.is_scalar() ? 0 : compact ? static_cast<int64_t>(k) : rows[k]; }
};

// Evaluates `expression` for `rows`: for all rows of the input when that is harmless, else for these only.
arrow::Result<Part> EvaluateFor(const Expression& expression, const EvalContext& context,
                                const arrow::RecordBatch& input, std::vector<int32_t> rows) {
  Part part;
  part.rows = std::move(rows);
  auto count = static_cast<int64_t>(part.rows.size());
  bool few = count * 4 < input.num_rows() && !expression.children().empty();
  part.compact = count < input.num_rows() && (expression.can_fail() || few);
  if (!part.compact) {
    ARROW_ASSIGN_OR_RAISE(part.value, expression.Evaluate(context, input));
    return part;
  }
  ARROW_ASSIGN_OR_RAISE(auto indices, IndexArray(part.rows));
  ARROW_ASSIGN_OR_RAISE(auto batch, TakeColumns(input, *indices, BoundColumns(expression), context.memory_pool));
  ARROW_ASSIGN_OR_RAISE(part.value, expression.Evaluate(context, *batch));
  return part;
}

arrow::Result<arrow::Datum> AssembleFixed(const EvalContext& context, const std::vector<Part>& parts,
                                          const std::shared_ptr<arrow::DataType>& type, int64_t num_rows) {
  auto width = static_cast<int64_t>(type->byte_width());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                        arrow::AllocateBuffer(num_rows * width, context.memory_pool));
  std::memset(values->mutable_data(), 0, static_cast<size_t>(num_rows * width));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> validity,
                        arrow::AllocateEmptyBitmap(num_rows, context.memory_pool));
  uint8_t* out = values->mutable_data();
  uint8_t* bits = validity->mutable_data();
  for (const Part& part : parts) {
    ARROW_ASSIGN_OR_RAISE(auto array, ToArray(part.value, 1, context.memory_pool));
    const arrow::ArrayData& data = *array->data();
    const uint8_t* in = data.buffers[1]->data() + data.offset * width;
    for (size_t k = 0; k < part.rows.size(); ++k) {
      int64_t source = part.Source(k);
      if (array->IsNull(source)) continue;
      std::memcpy(out + part.rows[k] * width, in + source * width, static_cast<size_t>(width));
      arrow::bit_util::SetBit(bits, part.rows[k]);
    }
  }
  return arrow::Datum(arrow::ArrayData::Make(type, num_rows, {std::move(validity), std::move(values)}));
}

arrow::Result<arrow::Datum> AssembleAny(const EvalContext& context, const std::vector<Part>& parts,
                                        const std::shared_ptr<arrow::DataType>& type, int64_t num_rows) {
  arrow::ArrayVector pieces;
  std::vector<int32_t> choice(static_cast<size_t>(num_rows), -1);
  int64_t base = 0;
  for (const Part& part : parts) {
    ARROW_ASSIGN_OR_RAISE(auto piece, ToArray(part.value, 1, context.memory_pool));
    for (size_t k = 0; k < part.rows.size(); ++k) {
      choice[static_cast<size_t>(part.rows[k])] = static_cast<int32_t>(base + part.Source(k));
    }
    base += piece->length();
    pieces.push_back(arrow::MakeArray(WithType(piece->data(), type)));
  }
  ARROW_ASSIGN_OR_RAISE(auto all, arrow::Concatenate(pieces, context.memory_pool));
  arrow::Int32Builder indices(context.memory_pool);
  ARROW_RETURN_NOT_OK(indices.Reserve(num_rows));
  for (int32_t index : choice) {
    if (index < 0) {
      indices.UnsafeAppendNull();
    } else {
      indices.UnsafeAppend(index);
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto index_array, indices.Finish());
  arrow::compute::ExecContext exec(context.memory_pool);
  return arrow::compute::Take(arrow::Datum(all), arrow::Datum(index_array),
                              arrow::compute::TakeOptions::NoBoundsCheck(), &exec);
}

arrow::Result<arrow::Datum> Assemble(const EvalContext& context, std::vector<Part> parts,
                                     const types::DataType& result_type, int64_t num_rows) {
  std::shared_ptr<arrow::DataType> type = types::ToArrow(result_type);
  if (parts.empty()) return arrow::Datum(arrow::MakeNullScalar(type));
  if (parts.size() == 1 && static_cast<int64_t>(parts[0].rows.size()) == num_rows) {
    if (parts[0].value.is_scalar()) return parts[0].value;
    return arrow::Datum(WithType(parts[0].value.array(), type));
  }
  bool fixed = arrow::is_fixed_width(type->id()) && type->id() != arrow::Type::BOOL;
  return fixed ? AssembleFixed(context, parts, type, num_rows) : AssembleAny(context, parts, type, num_rows);
}

}  // namespace

std::string ShownCall::Sql(bool pretty) const {
  std::string sql = name + "(";
  for (size_t i = 0; i < arguments.size(); ++i) sql += (i > 0 ? ", " : "") + arguments[i]->Sql(pretty);
  return sql + ")";
}

CaseWhen::CaseWhen(ExpressionVector children, bool as_if, std::shared_ptr<const ShownCall> shown)
    : Expression(ExpressionKind::kCaseWhen, CommonType(children), ResultNullable(children, as_if), children),
      as_if_(as_if),
      shown_(std::move(shown)) {}

ExpressionPtr CaseWhen::WithChildren(ExpressionVector children) const {
  return std::make_shared<CaseWhen>(std::move(children), as_if_, shown_);
}

std::string CaseWhen::Sql(bool pretty) const {
  if (shown_ != nullptr) return shown_->Sql(pretty);
  if (as_if_) {
    return "(IF(" + children()[0]->Sql(pretty) + ", " + children()[1]->Sql(pretty) + ", " + children()[2]->Sql(pretty) +
           "))";
  }
  std::string sql = "CASE";
  for (size_t i = 0; i + 1 < children().size(); i += 2) {
    sql += " WHEN " + children()[i]->Sql(pretty) + " THEN " + children()[i + 1]->Sql(pretty);
  }
  if (has_else()) sql += " ELSE " + children().back()->Sql(pretty);
  return sql + " END";
}

arrow::Result<arrow::Datum> CaseWhen::Evaluate(const EvalContext& context, const arrow::RecordBatch& input) const {
  std::vector<int32_t> remaining(static_cast<size_t>(input.num_rows()));
  std::iota(remaining.begin(), remaining.end(), 0);
  std::vector<Part> parts;
  for (size_t i = 0; i + 1 < children().size() && !remaining.empty(); i += 2) {
    ARROW_ASSIGN_OR_RAISE(Part condition, EvaluateFor(*children()[i], context, input, std::move(remaining)));
    std::vector<int32_t> taken;
    remaining.clear();
    BooleanColumn holds(condition.value);
    for (size_t k = 0; k < condition.rows.size(); ++k) {
      int64_t source = condition.Source(k);
      bool yes = !holds.IsNull(source) && holds[source];
      (yes ? taken : remaining).push_back(condition.rows[k]);
    }
    if (taken.empty()) continue;
    ARROW_ASSIGN_OR_RAISE(Part part, EvaluateFor(*children()[i + 1], context, input, std::move(taken)));
    parts.push_back(std::move(part));
  }
  if (has_else() && !remaining.empty()) {
    ARROW_ASSIGN_OR_RAISE(Part part, EvaluateFor(*children().back(), context, input, std::move(remaining)));
    parts.push_back(std::move(part));
  }
  return Assemble(context, std::move(parts), *type(), input.num_rows());
}

}  // namespace millrace::expression

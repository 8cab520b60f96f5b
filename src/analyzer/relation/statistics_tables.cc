#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/table.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "analyzer/relation_resolver.h"
#include "base/error.h"
#include "expression/cast.h"
#include "function/function_def.h"
#include "logical/node/aggregate.h"
#include "logical/node/filter.h"
#include "logical/node/local_relation.h"
#include "logical/node/project.h"
#include "spark/connect/relations.pb.h"
#include "types/arrow_type.h"

/// df.stat.crosstab, approxQuantile, freqItems, sampleBy: made of frames and functions that exist without them.

namespace millrace::analyzer {

namespace {

using expression::Alias;
using expression::Cast;
using expression::CastMode;
using expression::Literal;
using function::BindCall;
using spark::connect::Expression;
using spark::connect::Relation;

Expression Column(const std::string& name) {
  Expression column;
  column.mutable_unresolved_attribute()->set_unparsed_identifier(name);
  return column;
}

Expression Text(const std::string& value) {
  Expression literal;
  literal.mutable_literal()->set_string(value);
  return literal;
}

Expression Call(const std::string& name, std::vector<Expression> arguments) {
  Expression call;
  call.mutable_unresolved_function()->set_function_name(name);
  for (Expression& argument : arguments) *call.mutable_unresolved_function()->add_arguments() = std::move(argument);
  return call;
}

Expression AsText(Expression value) {
  Expression cast;
  *cast.mutable_cast()->mutable_expr() = std::move(value);
  cast.mutable_cast()->set_type_str("string");
  return cast;
}

Expression Named(Expression value, const std::string& name) {
  Expression alias;
  *alias.mutable_alias()->mutable_expr() = std::move(value);
  alias.mutable_alias()->add_name(name);
  return alias;
}

}  // namespace

// Source: Spark, StatFunctions.crossTabulate.
arrow::Result<PlanPtr> ResolveCrosstab(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.crosstab();
  Relation counts;
  auto* aggregate = counts.mutable_aggregate();
  *aggregate->mutable_input() = message.input();
  aggregate->set_group_type(spark::connect::Aggregate::GROUP_TYPE_PIVOT);
  *aggregate->add_grouping_expressions() =
      Named(Call("when", {Call("isnull", {Column(message.col1())}), Text("null"), AsText(Column(message.col1()))}),
            message.col1() + "_" + message.col2());
  *aggregate->mutable_pivot()->mutable_col() =
      Call("when", {Call("isnull", {Column(message.col2())}), Text("null"),
                    Call("regexp_replace", {AsText(Column(message.col2())), Text("`"), Text("")})});
  Expression one;
  one.mutable_literal()->set_integer(1);
  *aggregate->add_aggregate_expressions() = Named(Call("count", {std::move(one)}), "count");
  Relation filled;
  *filled.mutable_fill_na()->mutable_input() = std::move(counts);
  filled.mutable_fill_na()->add_values()->set_long_(0);
  return resolver.Resolve(filled);
}

// One row with an array of quantiles for each column; NULL and NaN do not count.
// Source: Spark, StatFunctions.multipleApproxQuantiles.
arrow::Result<PlanPtr> ResolveApproxQuantile(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.approx_quantile();
  const expression::EvalContext& eval = resolver.context().eval;
  if (message.relative_error() < 0) {
    return arrow::Status::Invalid("requirement failed: Relative Error must be non-negative but got ",
                                  message.relative_error());
  }
  ExpressionVector fractions;
  for (double fraction : message.probabilities()) {
    if (!(fraction >= 0 && fraction <= 1)) {
      return arrow::Status::Invalid("requirement failed: percentile should be in the range [0.0, 1.0]");
    }
    fractions.push_back(Literal::Double(fraction));
  }
  constexpr int32_t kMax = std::numeric_limits<int32_t>::max();
  double wanted = message.relative_error() == 0 ? kMax : std::ceil(1.0 / message.relative_error());
  ExpressionPtr accuracy = Literal::Integer(static_cast<int32_t>(std::min<double>(kMax, wanted)));
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  ExpressionVector columns;
  for (const std::string& name : message.cols()) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr column, resolver.ResolveColumn(name, child->output()));
    if (!column->type()->is_numeric()) {
      return arrow::Status::Invalid("requirement failed: Quantile calculation for column ", name, " with data type ",
                                    column->type()->CatalogString(), " is not supported.");
    }
    ExpressionPtr value = std::make_shared<Cast>(std::move(column), types::Double(), CastMode::kAnsi, false);
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr is_nan, BindCall("isnan", {value}, eval));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr is_number, BindCall("not", {std::move(is_nan)}, eval));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr wanted_fractions, BindCall("array", fractions, eval));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr quantiles,
                          BindCall("percentile_approx", {std::move(value), std::move(wanted_fractions), accuracy}, eval,
                                   false, std::move(is_number)));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr none, BindCall("array", {}, eval));
    none = std::make_shared<Cast>(std::move(none), quantiles->type(), CastMode::kAnsi, false);
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr present, BindCall("coalesce", {std::move(quantiles), std::move(none)}, eval));
    columns.push_back(std::move(present));
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr all, BindCall("array", std::move(columns), eval));
  return std::make_shared<logical::Aggregate>(
      ExpressionVector{}, ExpressionVector{std::make_shared<Alias>(std::move(all), "approx_quantile")},
      std::move(child));
}

namespace {

// Counts of at most `max_items` values; when another comes and there is no room, all counts go down until there is.
// Source: Spark, CollectFrequentItems (Karp, Schenker, Papadimitriou 2003).
class FrequentItems {
 public:
  explicit FrequentItems(size_t max_items) : max_items_(max_items) {}

  void Add(const std::string& key, int64_t row) {
    auto known = counts_.find(key);
    if (known != counts_.end()) {
      ++known->second.count;
      return;
    }
    if (counts_.size() < max_items_) {
      counts_[key] = {1, row};
      return;
    }
    int64_t least = std::numeric_limits<int64_t>::max();
    for (const auto& [other, item] : counts_) least = std::min(least, item.count);
    if (least <= 1) counts_[key] = {1, row};
    int64_t taken = std::min<int64_t>(least, 1);
    std::erase_if(counts_, [&](const auto& entry) { return least <= 1 && entry.second.count <= least; });
    for (auto& [other, item] : counts_) item.count -= taken;
  }

  /// A row of each item, in order of appearance.
  std::vector<int64_t> Rows() const {
    std::vector<int64_t> rows;
    for (const auto& [key, item] : counts_) rows.push_back(item.row);
    std::sort(rows.begin(), rows.end());
    return rows;
  }

 private:
  struct Item {
    int64_t count = 0;
    int64_t row = 0;
  };
  size_t max_items_;
  std::map<std::string, Item> counts_;
};

arrow::Result<std::shared_ptr<arrow::Array>> FrequentValues(const std::shared_ptr<arrow::Array>& column,
                                                            size_t max_items) {
  FrequentItems items(max_items);
  for (int64_t row = 0; row < column->length(); ++row) {
    ARROW_ASSIGN_OR_RAISE(auto value, column->GetScalar(row));
    items.Add(value->is_valid ? "=" + value->ToString() : "", row);
  }
  ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(column->type()));
  for (int64_t row : items.Rows()) ARROW_RETURN_NOT_OK(builder->AppendArraySlice(*column->data(), row, 1));
  return builder->Finish();
}

}  // namespace

// Every value that is in more than `support` of the rows is there; so may be others.
arrow::Result<PlanPtr> ResolveFrequentItems(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.freq_items();
  double support = message.has_support() ? message.support() : 0.01;
  if (!(support >= 1e-4 && support <= 1.0)) {
    return arrow::Status::Invalid("requirement failed: Support must be in [1e-4, 1], but got ", support, ".");
  }
  if (!resolver.context().run_plan) return NotSupported("freqItems where no query may run");
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  ExpressionVector columns;
  AttributeVector output;
  for (const std::string& name : message.cols()) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr column, resolver.ResolveColumn(name, child->output()));
    output.push_back(std::make_shared<expression::AttributeReference>(
        expression::NextAttributeId(), name + "_freqItems", types::Array(column->type(), column->nullable()), false));
    columns.push_back(std::make_shared<Alias>(std::move(column), name));
  }
  PlanPtr read = std::make_shared<logical::Project>(std::move(columns), std::move(child));
  types::DataTypePtr read_schema = read->Schema();
  ARROW_ASSIGN_OR_RAISE(auto batches, resolver.context().RowsOf(read));
  std::shared_ptr<arrow::RecordBatch> rows;
  if (batches.empty()) {
    ARROW_ASSIGN_OR_RAISE(rows, arrow::RecordBatch::MakeEmpty(types::ToArrowSchema(*read_schema)));
  } else {
    ARROW_ASSIGN_OR_RAISE(rows, arrow::ConcatenateRecordBatches(batches));
  }
  arrow::ArrayVector lists;
  std::vector<types::StructField> fields;
  for (size_t i = 0; i < output.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto values,
                          FrequentValues(rows->column(static_cast<int>(i)), static_cast<size_t>(1 / support)));
    arrow::Int32Builder ends;
    ARROW_RETURN_NOT_OK(ends.Append(0));
    ARROW_RETURN_NOT_OK(ends.Append(static_cast<int32_t>(values->length())));
    ARROW_ASSIGN_OR_RAISE(auto offsets, ends.Finish());
    lists.push_back(
        std::make_shared<arrow::ListArray>(types::ToArrow(*output[i]->type()), 1, offsets->data()->buffers[1], values));
    fields.push_back(output[i]->ToField());
  }
  auto partitions = std::make_shared<std::vector<logical::LocalRelation::Partition>>(1);
  (*partitions)[0].push_back(
      arrow::RecordBatch::Make(types::ToArrowSchema(*types::Struct(std::move(fields))), 1, std::move(lists)));
  return std::make_shared<logical::LocalRelation>(std::move(output), std::move(partitions));
}

// Source: Spark, DataFrameStatFunctions.sampleBy: a row stays when its random number is below its stratum's fraction.
arrow::Result<PlanPtr> ResolveSampleBy(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.sample_by();
  const expression::EvalContext& eval = resolver.context().eval;
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr column, resolver.Expressions(child->output()).Resolve(message.col()));
  ExpressionVector branches;
  for (const auto& one : message.fractions()) {
    if (!(one.fraction() >= 0 && one.fraction() <= 1)) {
      return arrow::Status::Invalid("requirement failed: Fractions must be in [0, 1]");
    }
    Expression literal;
    *literal.mutable_literal() = one.stratum();
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr stratum, ResolveLiteral(literal));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr matches, BindCall("<=>", {column, std::move(stratum)}, eval));
    branches.push_back(std::move(matches));
    branches.push_back(Literal::Double(one.fraction()));
  }
  ExpressionPtr fraction = Literal::Double(0);
  if (!branches.empty()) {
    branches.push_back(Literal::Double(0));
    fraction = std::make_shared<expression::CaseWhen>(std::move(branches), false);
  }
  ExpressionVector seed;
  if (message.has_seed()) seed.push_back(Literal::Long(message.seed()));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr random, BindCall("rand", std::move(seed), eval));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr stays, BindCall("<", {std::move(random), std::move(fraction)}, eval));
  return std::make_shared<logical::Filter>(std::move(stays), std::move(child));
}

}  // namespace millrace::analyzer

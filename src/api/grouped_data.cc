#include "api/message.h"
#include "millrace/data_frame.h"
#include "millrace/functions.h"

namespace millrace {

using api::AddMessages;
using api::MakeFrame;
using spark::connect::Aggregate;
using spark::connect::Relation;

DataFrame GroupedData::Agg(const std::vector<Column>& aggregates) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    auto* aggregate = relation->mutable_aggregate();
    *aggregate->mutable_input() = *input_;
    aggregate->set_group_type(static_cast<Aggregate::GroupType>(group_type_));
    AddMessages(keys_, aggregate->mutable_grouping_expressions());
    AddMessages(aggregates, aggregate->mutable_aggregate_expressions());
    if (pivot_.empty()) return;
    *aggregate->mutable_pivot()->mutable_col() = pivot_[0].message();
    for (size_t i = 1; i < pivot_.size(); ++i) {
      *aggregate->mutable_pivot()->add_values() = pivot_[i].message().literal();
    }
  });
}

DataFrame GroupedData::Count() const { return Agg({functions::Count(Lit(1)).As("count")}); }

DataFrame GroupedData::AggEach(std::string_view function, const std::vector<std::string>& columns) const {
  std::vector<Column> aggregates;
  for (const std::string& column : columns) aggregates.push_back(functions::Call(function, {Column(column)}));
  return Agg(aggregates);
}

DataFrame GroupedData::Sum(const std::vector<std::string>& columns) const { return AggEach("sum", columns); }
DataFrame GroupedData::Avg(const std::vector<std::string>& columns) const { return AggEach("avg", columns); }
DataFrame GroupedData::Min(const std::vector<std::string>& columns) const { return AggEach("min", columns); }
DataFrame GroupedData::Max(const std::vector<std::string>& columns) const { return AggEach("max", columns); }

GroupedData GroupedData::Pivot(const Column& column, const std::vector<ColumnOrLiteral>& values) const {
  GroupedData pivoted(input_, connection_, keys_, Aggregate::GROUP_TYPE_PIVOT);
  pivoted.pivot_ = {column};
  for (const ColumnOrLiteral& value : values) pivoted.pivot_.push_back(value.column());
  return pivoted;
}

GroupedData DataFrame::GroupBy(const std::vector<Column>& keys) const {
  return GroupedData(message_, connection_, keys, Aggregate::GROUP_TYPE_GROUPBY);
}
GroupedData DataFrame::Rollup(const std::vector<Column>& keys) const {
  return GroupedData(message_, connection_, keys, Aggregate::GROUP_TYPE_ROLLUP);
}
GroupedData DataFrame::Cube(const std::vector<Column>& keys) const {
  return GroupedData(message_, connection_, keys, Aggregate::GROUP_TYPE_CUBE);
}
DataFrame DataFrame::Agg(const std::vector<Column>& aggregates) const { return GroupBy({}).Agg(aggregates); }

}  // namespace millrace

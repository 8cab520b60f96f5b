#include "millrace/data_frame.h"

#include <cstdio>

#include "api/connection.h"
#include "api/message.h"
#include "base/ascii.h"
#include "millrace/functions.h"
#include "millrace/streaming.h"
#include "types/data_type.h"

namespace millrace {

namespace {

using api::AddMessages;
using api::MakeFrame;
using spark::connect::Join;
using spark::connect::Relation;
using spark::connect::SetOperation;

// Spark's spellings; an unknown one is left to the analyzer's refusal.
Join::JoinType ToJoinType(std::string_view how) {
  std::string plain;
  for (char c : ToLowerAscii(how)) {
    if (c != '_') plain += c;
  }
  static constexpr struct {
    std::string_view name;
    Join::JoinType type;
  } kTypes[] = {
      {"inner", Join::JOIN_TYPE_INNER},
      {"cross", Join::JOIN_TYPE_CROSS},
      {"outer", Join::JOIN_TYPE_FULL_OUTER},
      {"full", Join::JOIN_TYPE_FULL_OUTER},
      {"fullouter", Join::JOIN_TYPE_FULL_OUTER},
      {"left", Join::JOIN_TYPE_LEFT_OUTER},
      {"leftouter", Join::JOIN_TYPE_LEFT_OUTER},
      {"right", Join::JOIN_TYPE_RIGHT_OUTER},
      {"rightouter", Join::JOIN_TYPE_RIGHT_OUTER},
      {"semi", Join::JOIN_TYPE_LEFT_SEMI},
      {"leftsemi", Join::JOIN_TYPE_LEFT_SEMI},
      {"anti", Join::JOIN_TYPE_LEFT_ANTI},
      {"leftanti", Join::JOIN_TYPE_LEFT_ANTI},
  };
  for (const auto& entry : kTypes) {
    if (entry.name == plain) return entry.type;
  }
  return static_cast<Join::JoinType>(-1);
}

DataFrame MakeSetOperation(const DataFrame& left, const DataFrame& right, SetOperation::SetOpType type, bool all,
                           bool by_name, bool allow_missing) {
  return MakeFrame(left.connection(), [&](Relation* relation) {
    auto* operation = relation->mutable_set_op();
    *operation->mutable_left_input() = left.message();
    *operation->mutable_right_input() = right.message();
    operation->set_set_op_type(type);
    operation->set_is_all(all);
    operation->set_by_name(by_name);
    operation->set_allow_missing_columns(allow_missing);
  });
}

DataFrame MakeSort(const DataFrame& input, const std::vector<Column>& order, bool global) {
  return MakeFrame(input.connection(), [&](Relation* relation) {
    auto* sort = relation->mutable_sort();
    *sort->mutable_input() = input.message();
    sort->set_is_global(global);
    for (const Column& key : order) {
      const Column& ordered = key.message().has_sort_order() ? key : key.Asc();
      *sort->add_order() = ordered.message().sort_order();
    }
  });
}

std::vector<Row> ToRows(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
  std::vector<Row> rows;
  for (const auto& batch : batches) {
    for (int64_t i = 0; i < batch->num_rows(); ++i) rows.emplace_back(batch, i);
  }
  return rows;
}

}  // namespace

DataFrame DataFrame::Select(const std::vector<Column>& columns) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_project()->mutable_input() = *message_;
    AddMessages(columns, relation->mutable_project()->mutable_expressions());
  });
}

DataFrame DataFrame::SelectExpr(const std::vector<std::string>& expressions) const {
  std::vector<Column> columns;
  for (const std::string& expression : expressions) columns.push_back(functions::Expr(expression));
  return Select(columns);
}

DataFrame DataFrame::Filter(const Column& condition) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_filter()->mutable_input() = *message_;
    *relation->mutable_filter()->mutable_condition() = condition.message();
  });
}

DataFrame DataFrame::Filter(std::string_view condition) const { return Filter(functions::Expr(condition)); }

DataFrame DataFrame::WithColumn(std::string_view name, const Column& value) const {
  return WithColumns({{std::string(name), value}});
}

DataFrame DataFrame::WithColumns(const std::vector<std::pair<std::string, Column>>& columns) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_with_columns()->mutable_input() = *message_;
    for (const auto& [name, value] : columns) {
      auto* alias = relation->mutable_with_columns()->add_aliases();
      *alias->mutable_expr() = value.message();
      alias->add_name(name);
    }
  });
}

DataFrame DataFrame::WithColumnRenamed(std::string_view from, std::string_view to) const {
  return WithColumnsRenamed({{std::string(from), std::string(to)}});
}

DataFrame DataFrame::WithColumnsRenamed(const std::map<std::string, std::string>& renames) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_with_columns_renamed()->mutable_input() = *message_;
    for (const auto& [from, to] : renames) {
      auto* rename = relation->mutable_with_columns_renamed()->add_renames();
      rename->set_col_name(from);
      rename->set_new_col_name(to);
    }
  });
}

DataFrame DataFrame::Drop(const std::vector<std::string>& columns) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_drop()->mutable_input() = *message_;
    for (const std::string& column : columns) relation->mutable_drop()->add_column_names(column);
  });
}

DataFrame DataFrame::ToDf(const std::vector<std::string>& names) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_to_df()->mutable_input() = *message_;
    for (const std::string& name : names) relation->mutable_to_df()->add_column_names(name);
  });
}

DataFrame DataFrame::Distinct() const { return DropDuplicates({}); }

DataFrame DataFrame::DropDuplicates(const std::vector<std::string>& columns) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    auto* deduplicate = relation->mutable_deduplicate();
    *deduplicate->mutable_input() = *message_;
    deduplicate->set_all_columns_as_keys(columns.empty());
    for (const std::string& column : columns) deduplicate->add_column_names(column);
    deduplicate->set_within_watermark(false);
  });
}

DataFrame DataFrame::DropDuplicatesWithinWatermark(const std::vector<std::string>& columns) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    auto* deduplicate = relation->mutable_deduplicate();
    *deduplicate->mutable_input() = *message_;
    deduplicate->set_all_columns_as_keys(columns.empty());
    for (const std::string& column : columns) deduplicate->add_column_names(column);
    deduplicate->set_within_watermark(true);
  });
}

DataFrame DataFrame::OrderBy(const std::vector<Column>& order) const { return MakeSort(*this, order, true); }
DataFrame DataFrame::SortWithinPartitions(const std::vector<Column>& order) const {
  return MakeSort(*this, order, false);
}

DataFrame DataFrame::Limit(int32_t count) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_limit()->mutable_input() = *message_;
    relation->mutable_limit()->set_limit(count);
  });
}

DataFrame DataFrame::Offset(int32_t count) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_offset()->mutable_input() = *message_;
    relation->mutable_offset()->set_offset(count);
  });
}

DataFrame DataFrame::Alias(std::string_view name) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_subquery_alias()->mutable_input() = *message_;
    relation->mutable_subquery_alias()->set_alias(std::string(name));
  });
}

DataFrame DataFrame::Join(const DataFrame& right, const Column& condition, std::string_view how) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    auto* join = relation->mutable_join();
    *join->mutable_left() = *message_;
    *join->mutable_right() = right.message();
    *join->mutable_join_condition() = condition.message();
    join->set_join_type(ToJoinType(how));
  });
}

DataFrame DataFrame::Join(const DataFrame& right, const std::vector<std::string>& using_columns,
                          std::string_view how) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    auto* join = relation->mutable_join();
    *join->mutable_left() = *message_;
    *join->mutable_right() = right.message();
    for (const std::string& column : using_columns) join->add_using_columns(column);
    join->set_join_type(ToJoinType(how));
  });
}

DataFrame DataFrame::CrossJoin(const DataFrame& right) const {
  return Join(right, std::vector<std::string>{}, "cross");
}

DataFrame DataFrame::Union(const DataFrame& other) const {
  return MakeSetOperation(*this, other, SetOperation::SET_OP_TYPE_UNION, true, false, false);
}
DataFrame DataFrame::UnionByName(const DataFrame& other, bool allow_missing_columns) const {
  return MakeSetOperation(*this, other, SetOperation::SET_OP_TYPE_UNION, true, true, allow_missing_columns);
}
DataFrame DataFrame::Intersect(const DataFrame& other) const {
  return MakeSetOperation(*this, other, SetOperation::SET_OP_TYPE_INTERSECT, false, false, false);
}
DataFrame DataFrame::IntersectAll(const DataFrame& other) const {
  return MakeSetOperation(*this, other, SetOperation::SET_OP_TYPE_INTERSECT, true, false, false);
}
DataFrame DataFrame::ExceptAll(const DataFrame& other) const {
  return MakeSetOperation(*this, other, SetOperation::SET_OP_TYPE_EXCEPT, true, false, false);
}
DataFrame DataFrame::Except(const DataFrame& other) const {
  return MakeSetOperation(*this, other, SetOperation::SET_OP_TYPE_EXCEPT, false, false, false);
}

DataFrame DataFrame::Repartition(int32_t num_partitions, const std::vector<Column>& keys) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    if (keys.empty()) {
      *relation->mutable_repartition()->mutable_input() = *message_;
      relation->mutable_repartition()->set_num_partitions(num_partitions);
      relation->mutable_repartition()->set_shuffle(true);
      return;
    }
    auto* repartition = relation->mutable_repartition_by_expression();
    *repartition->mutable_input() = *message_;
    repartition->set_num_partitions(num_partitions);
    AddMessages(keys, repartition->mutable_partition_exprs());
  });
}

DataFrame DataFrame::Coalesce(int32_t num_partitions) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_repartition()->mutable_input() = *message_;
    relation->mutable_repartition()->set_num_partitions(num_partitions);
    relation->mutable_repartition()->set_shuffle(false);
  });
}

DataFrame DataFrame::WithWatermark(std::string_view event_time, std::string_view delay) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_with_watermark()->mutable_input() = *message_;
    relation->mutable_with_watermark()->set_event_time(std::string(event_time));
    relation->mutable_with_watermark()->set_delay_threshold(std::string(delay));
  });
}

DataFrame DataFrame::Sample(double fraction, int64_t seed) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_sample()->mutable_input() = *message_;
    relation->mutable_sample()->set_upper_bound(fraction);
    relation->mutable_sample()->set_seed(seed);
  });
}

DataFrame DataFrame::DropNa(const std::vector<std::string>& columns) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_drop_na()->mutable_input() = *message_;
    for (const std::string& column : columns) relation->mutable_drop_na()->add_cols(column);
  });
}

DataFrame DataFrame::FillNa(const ColumnOrLiteral& value, const std::vector<std::string>& columns) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_fill_na()->mutable_input() = *message_;
    for (const std::string& column : columns) relation->mutable_fill_na()->add_cols(column);
    *relation->mutable_fill_na()->add_values() = value.column().message().literal();
  });
}

DataFrame DataFrame::Hint(std::string_view name, const std::vector<ColumnOrLiteral>& parameters) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_hint()->mutable_input() = *message_;
    relation->mutable_hint()->set_name(std::string(name));
    for (const ColumnOrLiteral& parameter : parameters) {
      *relation->mutable_hint()->add_parameters() = parameter.column().message();
    }
  });
}

DataFrame DataFrame::Unpivot(const std::vector<Column>& ids, const std::vector<Column>& values,
                             std::string_view variable_name, std::string_view value_name) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    auto* unpivot = relation->mutable_unpivot();
    *unpivot->mutable_input() = *message_;
    AddMessages(ids, unpivot->mutable_ids());
    AddMessages(values, unpivot->mutable_values()->mutable_values());
    unpivot->set_variable_column_name(std::string(variable_name));
    unpivot->set_value_column_name(std::string(value_name));
  });
}

DataFrame DataFrame::Observe(std::string_view name, const std::vector<Column>& metrics) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_collect_metrics()->mutable_input() = *message_;
    relation->mutable_collect_metrics()->set_name(std::string(name));
    AddMessages(metrics, relation->mutable_collect_metrics()->mutable_metrics());
  });
}

DataFrame DataFrame::Describe(const std::vector<std::string>& columns) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_describe()->mutable_input() = *message_;
    for (const std::string& column : columns) relation->mutable_describe()->add_cols(column);
  });
}

DataFrame DataFrame::Summary(const std::vector<std::string>& statistics) const {
  return MakeFrame(connection_, [&](Relation* relation) {
    *relation->mutable_summary()->mutable_input() = *message_;
    for (const std::string& statistic : statistics) relation->mutable_summary()->add_statistics(statistic);
  });
}

arrow::Result<std::string> DataFrame::SchemaDdl() const {
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, connection_->Schema(*message_));
  return schema->ToDdl();
}

arrow::Result<std::vector<std::string>> DataFrame::Columns() const {
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, connection_->Schema(*message_));
  std::vector<std::string> names;
  for (const types::StructField& field : schema->fields()) names.push_back(field.name);
  return names;
}

arrow::Status DataFrame::PrintSchema() const {
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, connection_->Schema(*message_));
  std::printf("%s\n", schema->ToTreeString().c_str());
  return arrow::Status::OK();
}

arrow::Result<std::string> DataFrame::ShowString(int32_t num_rows, int32_t truncate, bool vertical) const {
  Relation relation;
  *relation.mutable_show_string()->mutable_input() = *message_;
  relation.mutable_show_string()->set_num_rows(num_rows);
  relation.mutable_show_string()->set_truncate(truncate);
  relation.mutable_show_string()->set_vertical(vertical);
  ARROW_ASSIGN_OR_RAISE(auto batches, connection_->Execute(relation));
  if (batches.empty()) return arrow::Status::Invalid("the engine answered show() with no rows");
  return Row(batches[0], 0).GetString("show_string");
}

arrow::Status DataFrame::Show(int32_t num_rows, int32_t truncate, bool vertical) const {
  ARROW_ASSIGN_OR_RAISE(std::string text, ShowString(num_rows, truncate, vertical));
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
  return arrow::Status::OK();
}

arrow::Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> DataFrame::CollectBatches() const {
  return connection_->Execute(*message_);
}

arrow::Result<std::vector<Row>> DataFrame::Collect() const {
  ARROW_ASSIGN_OR_RAISE(auto batches, CollectBatches());
  return ToRows(batches);
}

arrow::Result<int64_t> DataFrame::Count() const {
  ARROW_ASSIGN_OR_RAISE(std::vector<Row> rows, GroupBy({}).Count().Collect());
  return rows[0].GetInt64("count");
}

arrow::Result<std::vector<Row>> DataFrame::Take(int32_t count) const { return Limit(count).Collect(); }

arrow::Result<std::optional<Row>> DataFrame::First() const {
  ARROW_ASSIGN_OR_RAISE(std::vector<Row> rows, Take(1));
  return rows.empty() ? std::nullopt : std::optional(rows[0]);
}

arrow::Result<bool> DataFrame::IsEmpty() const {
  ARROW_ASSIGN_OR_RAISE(std::vector<Row> rows, Take(1));
  return rows.empty();
}

arrow::Status DataFrame::ForeachPartition(
    const std::function<arrow::Status(int, const std::vector<Row>&)>& function) const {
  return connection_->ForeachPartition(
      *message_, [&](int partition, const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
        return function(partition, ToRows(batches));
      });
}

arrow::Status DataFrame::CreateTempView(std::string_view name, bool replace) const {
  return connection_->CreateTempView(*message_, std::string(name), replace);
}

arrow::Result<std::string> DataFrame::Explain(bool extended) const { return connection_->Explain(*message_, extended); }

arrow::Result<bool> DataFrame::IsStreaming() const { return connection_->IsStreaming(*message_); }

DataFrameWriter DataFrame::Write() const { return DataFrameWriter(*this); }
DataStreamWriter DataFrame::WriteStream() const { return DataStreamWriter(*this); }

}  // namespace millrace

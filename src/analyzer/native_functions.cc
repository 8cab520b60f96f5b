#include "analyzer/native_functions.h"

#include <algorithm>

#include "analyzer/grouped_columns.h"
#include "analyzer/name_resolution.h"
#include "base/ascii.h"
#include "base/error.h"
#include "logical/node/project.h"
#include "logical/node/transform_with_state.h"
#include "spark/connect/expressions.pb.h"
#include "spark/connect/relations.pb.h"

namespace millrace::analyzer {

namespace {

using expression::Alias;
using expression::Cast;
using expression::CastMode;
using expression::NativeFunctionPtr;
using logical::GroupedColumns;
using types::DataType;
using types::TypeId;

arrow::Status CannotUpCast(const expression::AttributeReference& column, const DataType& to) {
  return UserError("CANNOT_UP_CAST_DATATYPE",
                   {{"expression", column.Sql(true)},
                    {"sourceType", QuoteSqlType(column.type()->Sql())},
                    {"targetType", QuoteSqlType(to.Sql())},
                    {"details", "The type path of the target object is:\n- field (name: " +
                                    QuoteIdentifier(column.name()) + ", type: " + to.Sql() +
                                    ")\nYou can either add an explicit cast to the input data or "
                                    "choose a higher precision type of the field in the target object"}});
}

// A value that is no struct has one column, a tuple columns without names of their own: they go by position.
bool GoesByPosition(const DataType& row) {
  const auto& fields = row.fields();
  if (fields.size() == 1 && fields[0].name == "value") return true;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name != "_" + std::to_string(i + 1)) return false;
  }
  return true;
}

arrow::Status CheckNumber(const AttributeVector& columns, const DataType& row) {
  if (columns.size() == row.fields().size()) return arrow::Status::OK();
  std::vector<types::StructField> fields;
  for (const auto& column : columns) fields.push_back(column->ToField());
  return UserError("UNSUPPORTED_DESERIALIZER.FIELD_NUMBER_MISMATCH",
                   {{"schema", QuoteSqlType(types::Struct(std::move(fields))->Sql())},
                    {"ordinal", std::to_string(row.fields().size())}});
}

arrow::Result<std::vector<int>> KeyOrder(const AttributeVector& keys, const DataType& key, bool case_sensitive) {
  ARROW_RETURN_NOT_OK(CheckNumber(keys, key));
  std::vector<int> order;
  for (size_t i = 0; i < keys.size(); ++i) {
    size_t at = i;
    if (!GoesByPosition(key)) {
      const std::string& name = key.fields()[i].name;
      auto is = [&](const auto& column) {
        return case_sensitive ? column->name() == name : EqualsIgnoreCase(column->name(), name);
      };
      at = static_cast<size_t>(std::find_if(keys.begin(), keys.end(), is) - keys.begin());
      if (at == keys.size()) return UnresolvedColumn({name}, keys);
    }
    // The state lies by the grouping columns, so that they are not cast.
    if (!keys[at]->type()->EqualsIgnoreNullability(*key.fields()[i].type)) {
      return CannotUpCast(*keys[at], *key.fields()[i].type);
    }
    order.push_back(static_cast<int>(at));
  }
  return order;
}

// The columns of `row`, by name or position; those of narrower types are cast below. Null: all as they are.
arrow::Status TakeColumns(RelationResolver& resolver, const types::DataTypePtr& row, GroupedColumns* columns,
                          PlanPtr* plan) {
  if (row == nullptr) return arrow::Status::OK();
  const AttributeVector visible = columns->values;
  bool by_position = GoesByPosition(*row);
  if (by_position) ARROW_RETURN_NOT_OK(CheckNumber(visible, *row));
  columns->values.clear();
  ExpressionVector items((*plan)->output().begin(), (*plan)->output().end());
  bool casts = false;
  for (size_t i = 0; i < row->fields().size(); ++i) {
    const types::StructField& field = row->fields()[i];
    expression::AttributePtr column;
    if (by_position) {
      column = visible[i];
    } else {
      ARROW_ASSIGN_OR_RAISE(auto found, ResolveName({field.name}, visible, resolver.context().eval.case_sensitive));
      if (!found || (*found)->kind() != expression::ExpressionKind::kAttribute) {
        return UnresolvedColumn({field.name}, visible);
      }
      column = std::static_pointer_cast<const expression::AttributeReference>(*found);
    }
    if (!CanUpCast(*column->type(), *field.type)) return CannotUpCast(*column, *field.type);
    if (!column->type()->EqualsIgnoreNullability(*field.type)) {
      auto cast = std::make_shared<Cast>(column, field.type, CastMode::kAnsi, false);
      auto named = std::make_shared<Alias>(std::move(cast), column->name());
      column = named->ToAttribute();
      items.push_back(std::move(named));
      casts = true;
    }
    columns->values.push_back(std::move(column));
  }
  if (casts) *plan = std::make_shared<logical::Project>(std::move(items), *plan);
  return arrow::Status::OK();
}

struct Inputs {
  std::vector<GroupedColumns> columns;
  std::vector<PlanPtr> children;
  std::vector<int> key_order;
};

arrow::Result<Inputs> ResolveInputs(RelationResolver& resolver, const spark::connect::GroupMap& message,
                                    const expression::NativeFunction& function) {
  Inputs inputs;
  auto add = [&](const auto& relation, const auto& grouping, const types::DataTypePtr& row) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(PlanPtr plan, resolver.Resolve(relation));
    ARROW_ASSIGN_OR_RAISE(GroupedColumns columns, ResolveGrouping(resolver, grouping, &plan));
    ARROW_RETURN_NOT_OK(TakeColumns(resolver, row, &columns, &plan));
    inputs.columns.push_back(std::move(columns));
    inputs.children.push_back(std::move(plan));
    return arrow::Status::OK();
  };
  ARROW_RETURN_NOT_OK(add(message.input(), message.grouping_expressions(), function.value));
  bool case_sensitive = resolver.context().eval.case_sensitive;
  ARROW_ASSIGN_OR_RAISE(inputs.key_order, KeyOrder(inputs.columns[0].keys, *function.key, case_sensitive));
  if (message.has_initial_input()) {
    ARROW_RETURN_NOT_OK(add(message.initial_input(), message.initial_grouping_expressions(), function.initial));
    ARROW_RETURN_NOT_OK(KeyOrder(inputs.columns[1].keys, *function.key, case_sensitive));
  }
  return inputs;
}

arrow::Result<PlanPtr> ResolveTransform(RelationResolver& resolver, const spark::connect::GroupMap& message,
                                        NativeFunctionPtr function) {
  const auto& info = message.transform_with_state_info();
  logical::TransformWithState::Processor processor;
  ARROW_ASSIGN_OR_RAISE(processor.output_mode, ParseOutputMode(message.output_mode()));
  processor.time_mode = ToLowerAscii(info.time_mode());
  ARROW_ASSIGN_OR_RAISE(Inputs inputs, ResolveInputs(resolver, message, *function));
  processor.key_order = std::move(inputs.key_order);
  AttributeVector output = ToOutput(*function->output);
  if (!info.event_time_column_name().empty()) {
    ARROW_RETURN_NOT_OK(MarkEventTime(info.event_time_column_name(), *inputs.children[0], &output));
  }
  processor.native = std::move(function);
  return std::make_shared<logical::TransformWithState>(std::move(processor), std::move(inputs.columns),
                                                       std::move(output), std::move(inputs.children));
}

}  // namespace

bool CanUpCast(const DataType& from, const DataType& to) {
  if (from.EqualsIgnoreNullability(to) || from.id() == TypeId::kNull) return true;
  if (to.id() == TypeId::kString) return !from.is_nested() && from.id() != TypeId::kBinary;
  if (from.id() == TypeId::kDate) return to.is_datetime();
  bool widens = from.is_numeric() && from.id() != TypeId::kDecimal && to.is_numeric() && to.id() != TypeId::kDecimal;
  return widens && from.id() < to.id();
}

NativeFunctionPtr NativeFunctionOf(const spark::connect::CommonInlineUserDefinedFunction& message) {
  return message.has_scalar_scala_udf() ? expression::FindNativeFunction(message.scalar_scala_udf().payload())
                                        : nullptr;
}

arrow::Result<PlanPtr> ResolveNativeGroupMap(RelationResolver& resolver, const spark::connect::GroupMap& message,
                                             NativeFunctionPtr function) {
  if (function->make_processor) return ResolveTransform(resolver, message, std::move(function));
  logical::GroupsWithState::Function described;
  described.maps = message.is_map_groups_with_state();
  described.state_type = function->state;
  ARROW_ASSIGN_OR_RAISE(described.updates, ParseUpdates(message.output_mode()));
  ARROW_ASSIGN_OR_RAISE(described.timeout, ParseTimeout(message.timeout_conf()));
  ARROW_ASSIGN_OR_RAISE(Inputs inputs, ResolveInputs(resolver, message, *function));
  described.key_order = std::move(inputs.key_order);
  AttributeVector output = ToOutput(*function->output);
  described.native = std::move(function);
  return std::make_shared<logical::GroupsWithState>(std::move(described), std::move(inputs.columns), std::move(output),
                                                    std::move(inputs.children));
}

}  // namespace millrace::analyzer

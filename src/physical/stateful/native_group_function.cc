#include "base/error.h"
#include "physical/operator/map_in_python.h"
#include "physical/rows.h"
#include "physical/stateful/group_function.h"
#include "types/arrow_type.h"

namespace millrace::physical {

namespace {

class NativeGroupFunction final : public GroupFunction {
 public:
  NativeGroupFunction(expression::NativeFunctionPtr function, std::vector<int> key_order, GroupedInput input,
                      std::shared_ptr<arrow::Schema> output)
      : function_(std::move(function)),
        key_order_(std::move(key_order)),
        input_(std::move(input)),
        output_(std::move(output)) {}

  arrow::Status Run(const StateGroups& groups, const expression::GroupStateSetting& setting, const ExecutionContext&,
                    const TakeRows& take_rows, const TakeChanges& take_changes) const override {
    expression::NativeGroups call;
    call.setting = setting;
    for (int key : key_order_) call.keys.push_back(groups.key_columns[static_cast<size_t>(key)]);
    call.lengths = groups.lengths;
    call.states = groups.states;
    arrow::ArrayVector columns;
    if (groups.num_rows > 0) {
      for (int column : input_.columns) columns.push_back(groups.columns[static_cast<size_t>(column)]);
      call.rows = arrow::RecordBatch::Make(input_.schema, groups.num_rows, std::move(columns));
    } else {
      ARROW_ASSIGN_OR_RAISE(call.rows, arrow::RecordBatch::MakeEmpty(input_.schema));
    }
    ARROW_ASSIGN_OR_RAISE(expression::NativeResults results, function_->over_groups(call));
    if (results.rows->num_rows() > 0) take_rows(WithSchema(results.rows, output_));
    std::vector<StateChange> changes(results.changes.size());
    for (size_t g = 0; g < changes.size(); ++g) {
      const expression::NativeStateChange& made = results.changes[g];
      changes[g] = {g, made.exists, made.updated, made.removed, made.timeout_ms, groups.timeouts[g]};
    }
    return take_changes(changes, results.states);
  }

 private:
  expression::NativeFunctionPtr function_;
  std::vector<int> key_order_;
  GroupedInput input_;
  std::shared_ptr<arrow::Schema> output_;
};

}  // namespace

arrow::Result<GroupedInput> MakeNativeInput(const logical::GroupedColumns& columns, const Operator& child) {
  GroupedInput input;
  arrow::FieldVector fields;
  for (const auto& column : columns.values) {
    ARROW_ASSIGN_OR_RAISE(int index, ColumnIndex(child, column->id()));
    input.columns.push_back(index);
    fields.push_back(types::ToArrow(column->ToField()));
  }
  for (const auto& key : columns.keys) {
    ARROW_ASSIGN_OR_RAISE(int index, ColumnIndex(child, key->id()));
    input.keys.push_back(index);
  }
  input.schema = arrow::schema(std::move(fields));
  return input;
}

arrow::Result<std::unique_ptr<GroupFunction>> MakeNativeGroupFunction(const logical::GroupsWithState& node,
                                                                      const Operator& child,
                                                                      std::shared_ptr<arrow::Schema> output,
                                                                      GroupedInput* input) {
  ARROW_ASSIGN_OR_RAISE(*input, MakeNativeInput(node.columns(), child));
  return std::make_unique<NativeGroupFunction>(node.function().native, node.function().key_order, *input,
                                               std::move(output));
}

}  // namespace millrace::physical

#include "millrace/stateful_processor.h"

#include <arrow/array/array_nested.h>
#include <arrow/builder.h>

#include "expression/native_function.h"
#include "types/arrow_type.h"

namespace millrace::api {

using arrow::Result;
using arrow::Status;
using expression::NativeStateHandle;

int64_t StateRows::size() const { return rows_ == nullptr ? 0 : rows_->length(); }

struct Variables::Known {
  std::unique_ptr<arrow::ArrayBuilder> rows;
  std::unique_ptr<arrow::ArrayBuilder> key;  // of maps
};

namespace {

Result<NativeStateHandle::Rows> Finish(arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> rows, builder->Finish());
  return std::static_pointer_cast<arrow::StructArray>(rows);
}

// What a write that failed has left is gone.
ValueWriter Begin(arrow::ArrayBuilder* builder) {
  if (builder->length() > 0) builder->Reset();
  return ValueWriter(builder);
}

}  // namespace

Variables::Variables(NativeStateHandle* handle) : handle_(handle) {}
Variables::~Variables() = default;

Result<int> Variables::Declare(std::string_view name, Kind kind, const std::string& value_type,
                               const std::string& user_key_type, TtlConfig ttl) {
  NativeStateHandle::Variable variable;
  variable.name = name;
  variable.kind = static_cast<NativeStateHandle::Kind>(kind);
  ARROW_ASSIGN_OR_RAISE(variable.value, types::ParseTypeJson(value_type));
  if (!user_key_type.empty()) {
    ARROW_ASSIGN_OR_RAISE(variable.user_key, types::ParseTypeJson(user_key_type));
  }
  variable.ttl_ms = ttl.ttl_duration.count();
  ARROW_ASSIGN_OR_RAISE(int number, handle_->Declare(variable));
  auto known = std::make_unique<Known>();
  ARROW_ASSIGN_OR_RAISE(known->rows, arrow::MakeBuilder(types::ToArrow(*variable.value)));
  if (variable.user_key != nullptr) {
    ARROW_ASSIGN_OR_RAISE(known->key, arrow::MakeBuilder(types::ToArrow(*variable.user_key)));
  }
  if (known_.size() <= static_cast<size_t>(number)) known_.resize(static_cast<size_t>(number) + 1);
  known_[static_cast<size_t>(number)] = std::move(known);
  return number;
}

Status Variables::DeleteIfExists(std::string_view name) { return handle_->DeleteIfExists(std::string(name)); }

ValueWriter Variables::NewRows(int variable) { return Begin(known_[static_cast<size_t>(variable)]->rows.get()); }
ValueWriter Variables::NewKey(int variable) { return Begin(known_[static_cast<size_t>(variable)]->key.get()); }

Result<StateRows> Variables::Value(int variable) {
  ARROW_ASSIGN_OR_RAISE(auto row, handle_->Value(variable));
  return StateRows(std::move(row));
}

Status Variables::SetValue(int variable) {
  ARROW_ASSIGN_OR_RAISE(auto row, Finish(known_[static_cast<size_t>(variable)]->rows.get()));
  return handle_->SetValue(variable, row);
}

Status Variables::Clear(int variable) { return handle_->Clear(variable); }

Result<StateRows> Variables::List(int variable) {
  ARROW_ASSIGN_OR_RAISE(auto rows, handle_->List(variable));
  return StateRows(std::move(rows));
}

Status Variables::AddToList(int variable, bool replaces) {
  ARROW_ASSIGN_OR_RAISE(auto rows, Finish(known_[static_cast<size_t>(variable)]->rows.get()));
  return handle_->AddToList(variable, rows, replaces);
}

Result<StateRows> Variables::MapValue(int variable) {
  ARROW_ASSIGN_OR_RAISE(auto key, Finish(known_[static_cast<size_t>(variable)]->key.get()));
  ARROW_ASSIGN_OR_RAISE(auto row, handle_->MapValue(variable, key));
  return StateRows(std::move(row));
}

Status Variables::SetMapValue(int variable) {
  ARROW_ASSIGN_OR_RAISE(auto key, Finish(known_[static_cast<size_t>(variable)]->key.get()));
  ARROW_ASSIGN_OR_RAISE(auto row, Finish(known_[static_cast<size_t>(variable)]->rows.get()));
  return handle_->SetMapValue(variable, key, row);
}

Status Variables::RemoveFromMap(int variable) {
  ARROW_ASSIGN_OR_RAISE(auto key, Finish(known_[static_cast<size_t>(variable)]->key.get()));
  return handle_->RemoveFromMap(variable, key);
}

Result<std::pair<StateRows, StateRows>> Variables::Map(int variable) {
  ARROW_ASSIGN_OR_RAISE(auto entries, handle_->Map(variable));
  return std::make_pair(StateRows(std::move(entries.first)), StateRows(std::move(entries.second)));
}

Status Variables::RegisterTimer(int64_t time_ms) { return handle_->RegisterTimer(time_ms); }
Status Variables::DeleteTimer(int64_t time_ms) { return handle_->DeleteTimer(time_ms); }
Result<std::vector<int64_t>> Variables::Timers() { return handle_->Timers(); }
TimerValues Variables::timer_values() const { return {handle_->batch_time_ms(), handle_->watermark_ms()}; }
int64_t Variables::batch_id() const { return handle_->batch_id(); }

}  // namespace millrace::api

#include "expression/python/group_state.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>

#include "base/json_value.h"

namespace millrace::expression {

namespace {

std::string Properties(const GroupStateSetting& setting, bool defined) {
  JsonValue json = JsonValue::Object();
  json.Set("optionalValue", JsonValue());
  json.Set("batchProcessingTimeMs", JsonValue::Number(setting.batch_time_ms));
  json.Set("eventTimeWatermarkMs", JsonValue::Number(setting.watermark_ms));
  json.Set("timeoutConf", JsonValue::String(std::string(setting.timeout_name)));
  json.Set("hasTimedOut", JsonValue::Bool(setting.has_timed_out));
  json.Set("watermarkPresent", JsonValue::Bool(setting.has_watermark));
  json.Set("defined", JsonValue::Bool(defined));
  json.Set("updated", JsonValue::Bool(false));
  json.Set("removed", JsonValue::Bool(false));
  json.Set("timeoutTimestamp", JsonValue::Number(kNoTimeout));
  return json.ToString();
}

template <typename Builder>
Builder& Field(arrow::StructBuilder& builder, int i) {
  return *static_cast<Builder*>(builder.field_builder(i));
}

// Python may have made a float of it.
int64_t Millis(const JsonValue* number) {
  if (number == nullptr) return kNoTimeout;
  bool whole = number->AsString().find_first_of(".eE") == std::string::npos;
  return whole ? number->AsInt64() : static_cast<int64_t>(number->AsDouble());
}

bool Flag(const JsonValue& json, std::string_view name) {
  const JsonValue* member = json.Find(name);
  return member != nullptr && member->AsBool();
}

template <typename ArrayType>
arrow::Result<std::shared_ptr<ArrayType>> Column(const arrow::StructArray& rows, int i, arrow::Type::type type) {
  if (i >= rows.num_fields() || rows.field(i)->type_id() != type) {
    return arrow::Status::IOError("Python worker: column ", i, " of its answer is of another type");
  }
  return std::static_pointer_cast<ArrayType>(rows.field(i));
}

}  // namespace

std::shared_ptr<arrow::DataType> GroupStateColumn::Type() {
  return arrow::struct_({arrow::field("properties", arrow::utf8()), arrow::field("keyRowAsUnsafe", arrow::binary()),
                         arrow::field("object", arrow::binary()), arrow::field("startOffset", arrow::int32()),
                         arrow::field("numRows", arrow::int32()), arrow::field("isLastChunk", arrow::boolean())});
}

GroupStateColumn::GroupStateColumn(const GroupStateSetting& setting)
    : with_state_(Properties(setting, true)), without_state_(Properties(setting, false)) {}

arrow::Status GroupStateColumn::Append(const Piece& piece) {
  if (builder_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(Type()));
    builder_.reset(static_cast<arrow::StructBuilder*>(builder.release()));
  }
  bool defined = piece.pickle.data() != nullptr;
  ARROW_RETURN_NOT_OK(builder_->Append());
  ARROW_RETURN_NOT_OK(Field<arrow::StringBuilder>(*builder_, 0).Append(defined ? with_state_ : without_state_));
  ARROW_RETURN_NOT_OK(Field<arrow::BinaryBuilder>(*builder_, 1).Append(piece.key_row));
  auto& object = Field<arrow::BinaryBuilder>(*builder_, 2);
  ARROW_RETURN_NOT_OK(defined ? object.Append(piece.pickle) : object.AppendNull());
  ARROW_RETURN_NOT_OK(Field<arrow::Int32Builder>(*builder_, 3).Append(static_cast<int32_t>(piece.begin)));
  ARROW_RETURN_NOT_OK(Field<arrow::Int32Builder>(*builder_, 4).Append(static_cast<int32_t>(piece.length)));
  return Field<arrow::BooleanBuilder>(*builder_, 5).Append(piece.last);
}

arrow::Result<std::shared_ptr<arrow::Array>> GroupStateColumn::Finish(int64_t num_rows) {
  ARROW_RETURN_NOT_OK(builder_->AppendNulls(num_rows - builder_->length()));
  return builder_->Finish();
}

arrow::Result<GroupStateAnswer> ReadGroupStateAnswer(const arrow::RecordBatch& batch) {
  if (batch.num_columns() != 3 || batch.num_rows() == 0 || batch.column(0)->type_id() != arrow::Type::STRUCT ||
      batch.column(2)->type_id() != arrow::Type::STRUCT) {
    return arrow::Status::IOError("Python worker: an answer without rows and states: ", batch.schema()->ToString());
  }
  const auto& counts = static_cast<const arrow::StructArray&>(*batch.column(0));
  ARROW_ASSIGN_OR_RAISE(auto num_rows, Column<arrow::Int32Array>(counts, 0, arrow::Type::INT32));
  ARROW_ASSIGN_OR_RAISE(auto num_states, Column<arrow::Int32Array>(counts, 1, arrow::Type::INT32));
  GroupStateAnswer answer;
  answer.num_rows = num_rows->Value(0);
  answer.num_states = num_states->Value(0);
  answer.states = std::static_pointer_cast<arrow::StructArray>(batch.column(2));
  if (answer.num_rows < 0 || answer.num_rows > batch.num_rows() || answer.num_states < 0 ||
      answer.num_states > batch.num_rows()) {
    return arrow::Status::IOError("Python worker: an answer that says it has more than it has");
  }
  return answer;
}

arrow::Result<GroupStateUpdate> GroupStateAnswer::StateAt(int64_t i) const {
  ARROW_ASSIGN_OR_RAISE(auto properties, Column<arrow::StringArray>(*states, 0, arrow::Type::STRING));
  ARROW_ASSIGN_OR_RAISE(auto objects, Column<arrow::BinaryArray>(*states, 2, arrow::Type::BINARY));
  ARROW_ASSIGN_OR_RAISE(auto old_timeouts, Column<arrow::Int64Array>(*states, 3, arrow::Type::INT64));
  ARROW_ASSIGN_OR_RAISE(JsonValue json, ParseJson(properties->GetView(i)));
  GroupStateUpdate update;
  update.exists = Flag(json, "defined");
  update.updated = Flag(json, "updated");
  update.removed = Flag(json, "removed");
  update.timeout_ms = Millis(json.Find("timeoutTimestamp"));
  update.old_timeout_ms = old_timeouts->IsNull(i) ? kNoTimeout : old_timeouts->Value(i);
  if (update.exists && !objects->IsNull(i)) update.pickle = objects->GetView(i);
  return update;
}

std::string SchemaForWorker(const types::DataType& type) {
  std::string escaped;
  for (char c : type.ToJson()) {
    if (c >= 'A' && c <= 'Z') {
      escaped += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace millrace::expression

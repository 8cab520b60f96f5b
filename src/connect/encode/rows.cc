#include "connect/encode/rows.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/writer.h>
#include <arrow/type.h>
#include <arrow/util/utf8.h>

#include <map>
#include <string>

#include "format/json/json_tokenizer.h"
#include "types/arrow_type.h"

namespace millrace::connect {

namespace {

// The same type with every zoned timestamp in `zone`.
std::shared_ptr<arrow::DataType> InZone(const std::shared_ptr<arrow::DataType>& type, const std::string& zone) {
  auto field_in_zone = [&](const std::shared_ptr<arrow::Field>& field) {
    return field->WithType(InZone(field->type(), zone));
  };
  switch (type->id()) {
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(*type);
      return timestamp.timezone().empty() ? type : arrow::timestamp(timestamp.unit(), zone);
    }
    case arrow::Type::LIST:
      return arrow::list(field_in_zone(type->field(0)));
    case arrow::Type::STRUCT: {
      // Fields of one name are told apart by a number. Source: Spark, ArrowUtils.deduplicateFieldNames.
      std::map<std::string, int> uses;
      for (const auto& field : type->fields()) ++uses[field->name()];
      std::map<std::string, int> seen;
      arrow::FieldVector fields;
      for (const auto& field : type->fields()) {
        auto in_zone = field_in_zone(field);
        if (uses[field->name()] > 1) {
          in_zone = in_zone->WithName(field->name() + "_" + std::to_string(seen[field->name()]++));
        }
        fields.push_back(std::move(in_zone));
      }
      return arrow::struct_(std::move(fields));
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      return std::make_shared<arrow::MapType>(field_in_zone(map.key_field()), field_in_zone(map.item_field()));
    }
    default:
      return type;
  }
}

// The same values under another type of the same layout.
std::shared_ptr<arrow::ArrayData> Retyped(const arrow::ArrayData& data, const std::shared_ptr<arrow::DataType>& type) {
  auto copy = std::make_shared<arrow::ArrayData>(data);
  copy->type = type;
  for (size_t i = 0; i < copy->child_data.size(); ++i) {
    copy->child_data[i] = Retyped(*copy->child_data[i], type->field(static_cast<int>(i))->type());
  }
  return copy;
}

bool AllValidUtf8(const arrow::StringArray& texts) {
  const auto* data = reinterpret_cast<const char*>(texts.raw_data() + texts.value_offset(0));
  arrow::util::InitializeUTF8();
  if (!arrow::util::ValidateUTF8({data, static_cast<size_t>(texts.total_values_length())})) return false;
  // One text may end, and the next begin, inside a character.
  for (int64_t i = 0; i < texts.length(); ++i) {
    std::string_view text = texts.GetView(i);
    if (!text.empty() && (text[0] & 0xC0) == 0x80) return false;
  }
  return true;
}

// Strings hold whatever bytes a file or topic had. Clients take only UTF-8: they see what a Spark driver makes of it,
// U+FFFD for what is malformed.
arrow::Result<std::shared_ptr<arrow::ArrayData>> Readable(const std::shared_ptr<arrow::ArrayData>& data) {
  if (data->type->id() == arrow::Type::STRING) {
    arrow::StringArray texts(data);
    if (texts.length() == 0 || AllValidUtf8(texts)) return data;
    arrow::StringBuilder builder;
    for (int64_t i = 0; i < texts.length(); ++i) {
      if (texts.IsNull(i)) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
      } else {
        ARROW_RETURN_NOT_OK(builder.Append(format::ReplaceInvalidUtf8(texts.GetView(i))));
      }
    }
    std::shared_ptr<arrow::ArrayData> valid;
    ARROW_RETURN_NOT_OK(builder.FinishInternal(&valid));
    return valid;
  }
  std::shared_ptr<arrow::ArrayData> copy = data;
  for (size_t i = 0; i < data->child_data.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto child, Readable(data->child_data[i]));
    if (child == data->child_data[i]) continue;
    if (copy == data) copy = std::make_shared<arrow::ArrayData>(*data);
    copy->child_data[i] = std::move(child);
  }
  return copy;
}

// Writes into a string that becomes part of a message, without a copy in between.
class StringOutput final : public arrow::io::OutputStream {
 public:
  arrow::Status Write(const void* data, int64_t num_bytes) override {
    text_.append(static_cast<const char*>(data), static_cast<size_t>(num_bytes));
    return arrow::Status::OK();
  }
  using Writable::Write;
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  arrow::Result<int64_t> Tell() const override { return static_cast<int64_t>(text_.size()); }
  bool closed() const override { return closed_; }
  void Reserve(size_t size) { text_.reserve(size); }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
  bool closed_ = false;
};

}  // namespace

RowEncoder::RowEncoder(const types::DataType& schema, const std::string& zone) {
  auto in_memory = types::ToArrowSchema(schema);
  arrow::FieldVector fields;
  for (const auto& field : in_memory->fields()) fields.push_back(field->WithType(InZone(field->type(), zone)));
  schema_ = arrow::schema(std::move(fields));
  same_as_memory_ = schema_->Equals(*in_memory);
}

arrow::Result<std::string> RowEncoder::Encode(const arrow::RecordBatch& batch) const {
  StringOutput output;
  int64_t size = 0;
  if (arrow::ipc::GetRecordBatchSize(batch, &size).ok()) output.Reserve(static_cast<size_t>(size) + 1024);
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeStreamWriter(&output, schema_));
  arrow::ArrayVector columns = batch.columns();
  for (size_t i = 0; i < columns.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto data, Readable(columns[i]->data()));
    if (!same_as_memory_) data = Retyped(*data, schema_->field(static_cast<int>(i))->type());
    if (data != columns[i]->data()) columns[i] = arrow::MakeArray(data);
  }
  ARROW_RETURN_NOT_OK(
      writer->WriteRecordBatch(*arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns))));
  ARROW_RETURN_NOT_OK(writer->Close());
  return output.Take();
}

arrow::Result<std::string> RowEncoder::EncodeEmpty() const {
  ARROW_ASSIGN_OR_RAISE(auto empty, arrow::RecordBatch::MakeEmpty(schema_));
  StringOutput output;
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeStreamWriter(&output, schema_));
  ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*empty));
  ARROW_RETURN_NOT_OK(writer->Close());
  return output.Take();
}

}  // namespace millrace::connect

#include "session/result_rows.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include "format/json/json_decoder.h"
#include "types/arrow_type.h"
#include "types/column_metadata.h"

namespace millrace::session {

namespace {

arrow::Status AppendCell(const Cell& cell, arrow::ArrayBuilder* builder) {
  if (const auto* text = std::get_if<std::string>(&cell))
    return static_cast<arrow::StringBuilder*>(builder)->Append(*text);
  if (const auto* flag = std::get_if<bool>(&cell)) return static_cast<arrow::BooleanBuilder*>(builder)->Append(*flag);
  if (const auto* list = std::get_if<std::vector<std::string>>(&cell)) {
    auto* lists = static_cast<arrow::ListBuilder*>(builder);
    ARROW_RETURN_NOT_OK(lists->Append());
    for (const std::string& one : *list) {
      ARROW_RETURN_NOT_OK(static_cast<arrow::StringBuilder*>(lists->value_builder())->Append(one));
    }
    return arrow::Status::OK();
  }
  return builder->AppendNull();
}

}  // namespace

types::StructField TextColumn(std::string name, bool nullable, const std::string& comment) {
  return {std::move(name), types::String(), nullable, comment.empty() ? "" : types::ColumnCommentJson(comment)};
}

arrow::Result<QueryResult> ResultOf(types::DataTypePtr schema, const std::vector<std::vector<Cell>>& rows) {
  QueryResult result;
  result.schema = std::move(schema);
  if (rows.empty()) return result;
  arrow::ArrayVector columns;
  for (size_t c = 0; c < result.schema->fields().size(); ++c) {
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(types::ToArrow(*result.schema->fields()[c].type)));
    for (const auto& row : rows) ARROW_RETURN_NOT_OK(AppendCell(row[c], builder.get()));
    ARROW_ASSIGN_OR_RAISE(auto column, builder->Finish());
    columns.push_back(std::move(column));
  }
  result.batches.push_back(arrow::RecordBatch::Make(types::ToArrowSchema(*result.schema),
                                                    static_cast<int64_t>(rows.size()), std::move(columns)));
  return result;
}

arrow::Result<QueryResult> ResultOfJson(const std::string& ddl, const std::vector<JsonValue>& records) {
  QueryResult result;
  ARROW_ASSIGN_OR_RAISE(result.schema, types::ParseSchemaDdl(ddl));
  arrow::StringBuilder texts;
  for (const JsonValue& record : records) ARROW_RETURN_NOT_OK(texts.Append(record.ToString()));
  ARROW_ASSIGN_OR_RAISE(auto array, texts.Finish());
  format::JsonDecoderConfig config{.schema = result.schema};
  ARROW_ASSIGN_OR_RAISE(auto decoder, format::JsonDecoder::Make(std::move(config), arrow::default_memory_pool()));
  ARROW_ASSIGN_OR_RAISE(format::DecodedJson decoded, decoder->Decode(*array));
  const auto& rows = static_cast<const arrow::StructArray&>(*decoded.values);
  result.batches.push_back(
      arrow::RecordBatch::Make(types::ToArrowSchema(*result.schema), rows.length(), rows.fields()));
  return result;
}

QueryResult EmptyResult() {
  QueryResult result;
  result.schema = types::Struct({});
  return result;
}

}  // namespace millrace::session

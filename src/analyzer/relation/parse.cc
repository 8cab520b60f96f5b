#include <arrow/array.h>
#include <arrow/builder.h>

#include <functional>

#include "analyzer/relation_resolver.h"
#include "base/error.h"
#include "format/csv/csv_decoder.h"
#include "format/csv/csv_infer_schema.h"
#include "format/csv/csv_tokenizer.h"
#include "format/json/json_decoder.h"
#include "format/json/json_infer_schema.h"
#include "logical/node/local_relation.h"
#include "spark/connect/relations.pb.h"
#include "types/arrow_type.h"

/// spark.read.json(frame of texts) and csv(…): each row of the frame is a line. Read when the plan is resolved.

namespace millrace::analyzer {

namespace {

using spark::connect::Parse;
using spark::connect::Relation;
using Texts = arrow::ArrayVector;

// The text column of the frame. Source: Spark, QueryCompilationErrors.dataframeInputNot….
arrow::Result<Texts> ReadTexts(RelationResolver& resolver, const Parse& message) {
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, resolver.Resolve(message.input()));
  if (child->output().size() != 1) {
    return UserError("DATAFRAME_INPUT_NOT_SINGLE_COLUMN", {{"actual", std::to_string(child->output().size())}});
  }
  if (child->output()[0]->type()->id() != types::TypeId::kString) {
    return UserError("DATAFRAME_INPUT_NOT_STRING_TYPE", {{"actual", QuoteSqlType(child->output()[0]->type()->Sql())}});
  }
  if (!resolver.context().run_plan) return NotSupported("reading a frame of texts where no query may run");
  ARROW_ASSIGN_OR_RAISE(auto batches, resolver.context().RowsOf(child));
  Texts texts;
  for (const auto& batch : batches) texts.push_back(batch->column(0));
  return texts;
}

arrow::Result<types::DataTypePtr> UserSchema(const Parse& message) {
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, ResolveDataType(message.schema()));
  if (schema->id() != types::TypeId::kStruct) {
    return UserError("CONNECT_INVALID_PLAN.INVALID_SCHEMA_NON_STRUCT_TYPE",
                     {{"inputSchema", message.schema().ShortDebugString()}, {"dataType", schema->Sql()}});
  }
  return types::AsNullable(schema);
}

PlanPtr RelationOf(const types::DataType& schema, const arrow::ArrayVector& rows) {
  auto partitions = std::make_shared<std::vector<logical::LocalRelation::Partition>>(1);
  auto arrow_schema = types::ToArrowSchema(schema);
  for (const auto& array : rows) {
    const auto& columns = static_cast<const arrow::StructArray&>(*array);
    (*partitions)[0].push_back(arrow::RecordBatch::Make(arrow_schema, columns.length(), columns.fields()));
  }
  AttributeVector output;
  for (const types::StructField& field : schema.fields()) {
    output.push_back(std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), field.name,
                                                                      field.type, field.nullable));
  }
  return std::make_shared<logical::LocalRelation>(std::move(output), std::move(partitions));
}

format::SessionFormat FormatOf(RelationResolver& resolver) {
  format::SessionFormat session;
  session.time_zone = resolver.context().eval.time_zone;
  if (resolver.context().conf) {
    session.corrupt_record_column =
        resolver.context().conf("spark.sql.columnNameOfCorruptRecord").value_or(session.corrupt_record_column);
  }
  return session;
}

arrow::Result<PlanPtr> ParseJson(RelationResolver& resolver, const Parse& message,
                                 const format::OptionMap& option_map) {
  ARROW_ASSIGN_OR_RAISE(format::JsonOptions options, format::JsonOptions::Parse(option_map, FormatOf(resolver)));
  ARROW_ASSIGN_OR_RAISE(Texts texts, ReadTexts(resolver, message));
  types::DataTypePtr schema;
  if (message.has_schema()) {
    ARROW_ASSIGN_OR_RAISE(schema, UserSchema(message));
  } else {
    ARROW_ASSIGN_OR_RAISE(auto inference, format::JsonSchemaInference::Make(options));
    for (const auto& array : texts) {
      const auto& strings = static_cast<const arrow::StringArray&>(*array);
      for (int64_t row = 0; row < strings.length(); ++row) {
        if (strings.IsValid(row)) ARROW_RETURN_NOT_OK(inference.Add(strings.GetView(row)));
      }
    }
    schema = inference.Finish();
  }
  format::JsonDecoderConfig config{.schema = schema, .options = options, .as_source = true};
  ARROW_ASSIGN_OR_RAISE(auto decoder,
                        format::JsonDecoder::Make(std::move(config), resolver.context().eval.memory_pool));
  arrow::ArrayVector rows;
  for (const auto& array : texts) {
    ARROW_ASSIGN_OR_RAISE(format::DecodedJson decoded, decoder->Decode(*array));
    rows.push_back(std::move(decoded.values));
  }
  return RelationOf(*schema, rows);
}

using CsvValues = format::CsvSchemaInference::Values;

// Calls `visit` for each record that is no blank line and no comment. False from it ends the visit.
arrow::Status VisitRecords(const Texts& texts, const format::CsvOptions& options,
                           const std::function<arrow::Result<bool>(std::string_view, const CsvValues&)>& visit) {
  format::CsvTokenizer tokenizer(options);
  for (const auto& array : texts) {
    const auto& strings = static_cast<const arrow::StringArray&>(*array);
    for (int64_t row = 0; row < strings.length(); ++row) {
      if (strings.IsNull(row)) continue;
      std::string_view line = strings.GetView(row);
      bool blank = line.find_first_not_of(" \t\r\n") == std::string_view::npos;
      if (blank || (options.comment != '\0' && line[0] == options.comment)) continue;
      tokenizer.Start(line, /*one_record=*/true);
      if (!tokenizer.Next()) continue;
      ARROW_ASSIGN_OR_RAISE(bool more, visit(line, tokenizer.values()));
      if (!more) return arrow::Status::OK();
    }
  }
  return arrow::Status::OK();
}

arrow::Result<types::DataTypePtr> InferCsv(const Texts& texts, const format::CsvOptions& options) {
  std::vector<std::string> names;
  std::optional<format::CsvSchemaInference> inference;
  ARROW_RETURN_NOT_OK(
      VisitRecords(texts, options, [&](std::string_view, const CsvValues& values) -> arrow::Result<bool> {
        bool first = !inference.has_value();
        if (first) {
          names = format::CsvSchemaInference::ColumnNames(values, options);
          ARROW_ASSIGN_OR_RAISE(inference, format::CsvSchemaInference::Make(options, names.size()));
        }
        if (options.infer_schema && !(first && options.header)) inference->Add(values);
        return options.infer_schema;
      }));
  if (!inference) return types::Struct({});
  if (options.infer_schema) return inference->Finish(names);
  std::vector<types::StructField> fields;
  for (std::string& name : names) fields.push_back({std::move(name), types::String(), true, ""});
  return types::Struct(std::move(fields));
}

// Spark takes the header out wherever it stands.
arrow::Result<std::shared_ptr<arrow::Array>> WithoutLine(const std::shared_ptr<arrow::Array>& array,
                                                         const std::string& line) {
  const auto& strings = static_cast<const arrow::StringArray&>(*array);
  arrow::StringBuilder kept;
  for (int64_t row = 0; row < strings.length(); ++row) {
    if (strings.IsValid(row) && strings.GetView(row) == line) continue;
    if (strings.IsNull(row)) {
      ARROW_RETURN_NOT_OK(kept.AppendNull());
    } else {
      ARROW_RETURN_NOT_OK(kept.Append(strings.GetView(row)));
    }
  }
  return kept.Finish();
}

arrow::Result<PlanPtr> ParseCsv(RelationResolver& resolver, const Parse& message, const format::OptionMap& option_map) {
  ARROW_ASSIGN_OR_RAISE(format::CsvOptions options, format::CsvOptions::Parse(option_map, FormatOf(resolver)));
  ARROW_ASSIGN_OR_RAISE(Texts texts, ReadTexts(resolver, message));
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema,
                        message.has_schema() ? UserSchema(message) : InferCsv(texts, options));
  std::optional<std::string> header;
  if (options.header) {
    ARROW_RETURN_NOT_OK(VisitRecords(texts, options, [&](std::string_view line, const CsvValues&) {
      header = std::string(line);
      return arrow::Result<bool>(false);
    }));
  }
  format::CsvDecoderConfig config{.schema = schema, .options = options, .as_source = true};
  ARROW_ASSIGN_OR_RAISE(auto decoder, format::CsvDecoder::Make(std::move(config), resolver.context().eval.memory_pool));
  arrow::ArrayVector rows;
  for (auto array : texts) {
    if (header) {
      ARROW_ASSIGN_OR_RAISE(array, WithoutLine(array, *header));
    }
    ARROW_ASSIGN_OR_RAISE(auto decoded, decoder->Decode(*array));
    rows.push_back(std::move(decoded));
  }
  return RelationOf(*schema, rows);
}

}  // namespace

arrow::Result<PlanPtr> ResolveParse(RelationResolver& resolver, const Relation& relation) {
  const Parse& message = relation.parse();
  format::OptionMap options;
  for (const auto& [key, value] : message.options()) options[key] = value;
  switch (message.format()) {
    case Parse::PARSE_FORMAT_JSON:
      return ParseJson(resolver, message, options);
    case Parse::PARSE_FORMAT_CSV:
      return ParseCsv(resolver, message, options);
    case Parse::PARSE_FORMAT_XML:
      return NotSupported("the format xml");
    default:
      return UserError("CONNECT_INVALID_PLAN.INVALID_ENUM", {{"fullName", "spark.connect.Parse.ParseFormat"},
                                                             {"number", std::to_string(message.format())},
                                                             {"name", Parse::ParseFormat_Name(message.format())}});
  }
}

}  // namespace millrace::analyzer

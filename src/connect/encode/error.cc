#include "connect/encode/error.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/json_value.h"
#include "base/number_format.h"
#include "base/query_context.h"
#include "base/utf8.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

namespace {

enum class Family : uint8_t {
  kAnalysis,
  kArithmetic,
  kArrayIndex,
  kClassNotFound,
  kDateTime,
  kIllegalArgument,
  kIllegalState,
  kInvalidPlan,
  kNoSuchElement,
  kNumberFormat,
  kParse,
  kPython,
  kPythonRunner,
  kRuntime,
  kSpark,
  kSql,
  kStreamingQuery,
  kUnsupported,
  kUpgrade,
};
using enum Family;

struct FamilyRow {
  std::string_view condition;
  Family family;
};

constexpr FamilyRow kFamilies[] = {
#define FAMILY(condition, family) {condition, family},
#include "connect/encode/error_families.def"
#undef FAMILY
};

// What a status message may hold: it travels in HTTP/2 trailers, which receivers limit to 8 KB together.
constexpr size_t kMaxMessage = 2048;
constexpr size_t kMaxParameters = 1024;

const FamilyRow* FindFamily(std::string_view condition) {
  auto it = std::lower_bound(std::begin(kFamilies), std::end(kFamilies), condition,
                             [](const FamilyRow& row, std::string_view name) { return row.condition < name; });
  return it != std::end(kFamilies) && it->condition == condition ? &*it : nullptr;
}

Family FamilyOfCast(const ErrorDetail& detail) {
  auto target = detail.parameters().find("targetType");
  std::string_view type = target == detail.parameters().end() ? std::string_view() : target->second;
  if (type.starts_with("\"DATE") || type.starts_with("\"TIME")) return kDateTime;
  if (type.starts_with("\"BOOLEAN")) return kRuntime;
  return kNumberFormat;
}

Family FamilyOf(const ErrorDetail& detail) {
  std::string_view condition = detail.condition();
  if (condition == "CAST_INVALID_INPUT") return FamilyOfCast(detail);
  if (condition.starts_with("PARSE_")) return kParse;
  if (condition.starts_with("_LEGACY_ERROR_TEMP_00")) return kParse;  // Spark, QueryParsingErrors
  if (condition.starts_with("CONNECT_INVALID_PLAN.")) return kInvalidPlan;
  if (condition.starts_with("INTERNAL_ERROR")) return kSpark;
  if (condition.starts_with("STDS_")) return kRuntime;  // of the state data source
  if (const FamilyRow* row = FindFamily(condition)) return row->family;
  size_t dot = condition.find('.');
  if (dot != std::string_view::npos) {
    if (const FamilyRow* row = FindFamily(condition.substr(0, dot))) return row->family;
  }
  return kAnalysis;
}

// The exception that Delta's users catch where a commit lost a race; empty for every other condition.
std::string_view DeltaConflictClass(std::string_view condition) {
  static constexpr std::pair<std::string_view, std::string_view> kClasses[] = {
      {"DELTA_CONCURRENT_APPEND", "io.delta.exceptions.ConcurrentAppendException"},
      {"DELTA_CONCURRENT_DELETE_DELETE", "io.delta.exceptions.ConcurrentDeleteDeleteException"},
      {"DELTA_CONCURRENT_DELETE_READ", "io.delta.exceptions.ConcurrentDeleteReadException"},
      {"DELTA_CONCURRENT_TRANSACTION", "io.delta.exceptions.ConcurrentTransactionException"},
      {"DELTA_CONCURRENT_WRITE", "io.delta.exceptions.ConcurrentWriteException"},
      {"DELTA_METADATA_CHANGED", "io.delta.exceptions.MetadataChangedException"},
      {"DELTA_PROTOCOL_CHANGED", "io.delta.exceptions.ProtocolChangedException"},
  };
  for (const auto& [main, name] : kClasses) {
    if (condition == main || condition.starts_with(std::string(main) + ".")) return name;
  }
  return {};
}

std::vector<std::string> ClassesOf(Family family) {
  switch (family) {
    case kAnalysis:
      return {"org.apache.spark.sql.AnalysisException", "java.lang.Exception", "java.lang.Throwable"};
    case kParse:
      return {"org.apache.spark.sql.catalyst.parser.ParseException", "org.apache.spark.sql.AnalysisException",
              "java.lang.Exception", "java.lang.Throwable"};
    case kArithmetic:
      return {"org.apache.spark.SparkArithmeticException", "java.lang.ArithmeticException",
              "java.lang.RuntimeException", "java.lang.Exception", "java.lang.Throwable"};
    case kArrayIndex:
      return {"org.apache.spark.SparkArrayIndexOutOfBoundsException",
              "java.lang.ArrayIndexOutOfBoundsException",
              "java.lang.IndexOutOfBoundsException",
              "java.lang.RuntimeException",
              "java.lang.Exception",
              "java.lang.Throwable"};
    case kClassNotFound:
      return {"org.apache.spark.SparkClassNotFoundException", "java.lang.ClassNotFoundException",
              "java.lang.ReflectiveOperationException", "java.lang.Exception", "java.lang.Throwable"};
    case kDateTime:
      return {"org.apache.spark.SparkDateTimeException", "java.time.DateTimeException", "java.lang.RuntimeException",
              "java.lang.Exception", "java.lang.Throwable"};
    case kIllegalArgument:
      return {"org.apache.spark.SparkIllegalArgumentException", "java.lang.IllegalArgumentException",
              "java.lang.RuntimeException", "java.lang.Exception", "java.lang.Throwable"};
    case kIllegalState:
      return {"java.lang.IllegalStateException", "java.lang.RuntimeException", "java.lang.Exception",
              "java.lang.Throwable"};
    case kInvalidPlan:
      return {"org.apache.spark.sql.connect.common.InvalidPlanInput", "java.lang.Exception", "java.lang.Throwable"};
    case kNoSuchElement:
      return {"org.apache.spark.SparkNoSuchElementException", "java.util.NoSuchElementException",
              "java.lang.RuntimeException", "java.lang.Exception", "java.lang.Throwable"};
    case kNumberFormat:
      return {"org.apache.spark.SparkNumberFormatException",
              "java.lang.NumberFormatException",
              "java.lang.IllegalArgumentException",
              "java.lang.RuntimeException",
              "java.lang.Exception",
              "java.lang.Throwable"};
    case kPython:
      return {"org.apache.spark.api.python.PythonException", "java.lang.RuntimeException", "java.lang.Exception",
              "java.lang.Throwable"};
    case kPythonRunner:
      return {"org.apache.spark.api.python.StreamingPythonRunner$StreamingPythonRunnerInitializationException",
              "org.apache.spark.SparkPythonException", "java.lang.RuntimeException", "java.lang.Exception",
              "java.lang.Throwable"};
    case kRuntime:
      return {"org.apache.spark.SparkRuntimeException", "java.lang.RuntimeException", "java.lang.Exception",
              "java.lang.Throwable"};
    case kSpark:
      return {"org.apache.spark.SparkException", "java.lang.Exception", "java.lang.Throwable"};
    case kSql:
      return {"org.apache.spark.SparkSQLException", "java.sql.SQLException", "java.lang.Exception",
              "java.lang.Throwable"};
    case kStreamingQuery:
      return {"org.apache.spark.sql.streaming.StreamingQueryException", "java.lang.Exception", "java.lang.Throwable"};
    case kUnsupported:
      return {"org.apache.spark.SparkUnsupportedOperationException", "java.lang.UnsupportedOperationException",
              "java.lang.RuntimeException", "java.lang.Exception", "java.lang.Throwable"};
    case kUpgrade:
      return {"org.apache.spark.SparkUpgradeException", "java.lang.RuntimeException", "java.lang.Exception",
              "java.lang.Throwable"};
  }
  return {};
}

std::string Abbreviate(const std::string& text, size_t max) {
  if (text.size() <= max) return text;
  size_t end = max - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

// What cannot be parsed is shown below an empty line. Source: Spark, ParseException.getMessage.
// A value of the rows in it may be no UTF-8, which messages must be.
std::string MessageOf(const arrow::Status& status, const std::vector<std::string>& classes) {
  bool parsing = classes[0] == "org.apache.spark.sql.catalyst.parser.ParseException";
  return ReplaceInvalidUtf8((parsing ? "\n" : "") + status.message());
}

std::string JsonStrings(const std::vector<std::string>& values) {
  std::vector<JsonValue> elements;
  for (const std::string& value : values) elements.push_back(JsonValue::String(value));
  return JsonValue::Array(std::move(elements)).ToString();
}

std::string JsonParameters(const ErrorParameters& parameters) {
  JsonValue object = JsonValue::Object();
  for (const auto& [key, value] : parameters) object.Set(key, JsonValue::String(ReplaceInvalidUtf8(value)));
  return object.ToString();
}

}  // namespace

std::vector<std::string> ExceptionClasses(const arrow::Status& status) {
  if (const ErrorDetail* detail = GetErrorDetail(status)) {
    std::string_view lost_race = DeltaConflictClass(detail->condition());
    if (lost_race.empty()) return ClassesOf(FamilyOf(*detail));
    return {std::string(lost_race),
            "io.delta.exceptions.DeltaConcurrentModificationException",
            "java.util.ConcurrentModificationException",
            "java.lang.RuntimeException",
            "java.lang.Exception",
            "java.lang.Throwable"};
  }
  if (NumberFormatDetail::Marks(status)) {
    return {"java.lang.NumberFormatException", "java.lang.IllegalArgumentException", "java.lang.RuntimeException",
            "java.lang.Exception", "java.lang.Throwable"};
  }
  switch (status.code()) {
    case arrow::StatusCode::Invalid:
      return {"java.lang.IllegalArgumentException", "java.lang.RuntimeException", "java.lang.Exception",
              "java.lang.Throwable"};
    case arrow::StatusCode::NotImplemented:
      return {"java.lang.UnsupportedOperationException", "java.lang.RuntimeException", "java.lang.Exception",
              "java.lang.Throwable"};
    case arrow::StatusCode::IOError:
      return {"java.io.IOException", "java.lang.Exception", "java.lang.Throwable"};
    default:
      return ClassesOf(kSpark);
  }
}

RpcError EncodeError(const arrow::Status& status, const std::string& error_id) {
  std::vector<std::string> classes = ExceptionClasses(status);
  google::rpc::ErrorInfo info;
  info.set_reason(classes[0]);
  info.set_domain("org.apache.spark");
  auto& metadata = *info.mutable_metadata();
  metadata["classes"] = JsonStrings(classes);
  if (const ErrorDetail* detail = GetErrorDetail(status)) {
    if (!detail->sqlstate().empty()) metadata["sqlState"] = detail->sqlstate();
    std::string parameters = JsonParameters(detail->parameters());
    if (parameters.size() <= kMaxParameters) {
      metadata["errorClass"] = detail->condition();
      metadata["messageParameters"] = std::move(parameters);
    }
  }
  if (!error_id.empty()) metadata["errorId"] = error_id;
  RpcError error;
  error.message = Abbreviate(MessageOf(status, classes), kMaxMessage);
  google::rpc::Status details;
  details.set_code(error.code);
  details.set_message(error.message);
  details.add_details()->PackFrom(info);
  error.details = details.SerializeAsString();
  return error;
}

void EncodeErrorDetails(const arrow::Status& status, spark::connect::FetchErrorDetailsResponse* out) {
  out->set_root_error_idx(0);
  auto* error = out->add_errors();
  std::vector<std::string> classes = ExceptionClasses(status);
  error->set_message(MessageOf(status, classes));
  for (std::string& name : classes) error->add_error_type_hierarchy(std::move(name));
  const ErrorDetail* detail = GetErrorDetail(status);
  if (detail == nullptr) return;
  auto* throwable = error->mutable_spark_throwable();
  throwable->set_error_class(detail->condition());
  if (!detail->sqlstate().empty()) throwable->set_sql_state(detail->sqlstate());
  for (const auto& [key, value] : detail->parameters())
    (*throwable->mutable_message_parameters())[key] = ReplaceInvalidUtf8(value);
  for (const QueryContext& context : GetQueryContexts(status)) {
    auto* out_context = throwable->add_query_contexts();
    using Context = spark::connect::FetchErrorDetailsResponse::QueryContext;
    out_context->set_context_type(context.is_sql() ? Context::SQL : Context::DATAFRAME);
    out_context->set_fragment(context.Fragment());
    out_context->set_call_site(context.call_site);
    if (context.is_sql()) {
      out_context->set_start_index(context.StartIndex());
      out_context->set_stop_index(context.StopIndex());
    }
    out_context->set_summary(context.Summary());
  }
}

}  // namespace millrace::connect

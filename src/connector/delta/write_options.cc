#include "connector/delta/write_options.h"

#include <charconv>

#include "base/ascii.h"
#include "base/error.h"
#include "delta/transaction/table_metadata.h"

namespace millrace::connector::delta_table {

namespace {

arrow::Status Illegal(const std::string& name, const std::string& input, const std::string& explain) {
  return UserError("DELTA_ILLEGAL_OPTION", {{"input", input}, {"name", name}, {"explain", explain}});
}

arrow::Result<std::optional<bool>> Boolean(const Options& options, const std::string& name) {
  auto text = options.Get(name);
  if (!text) return std::nullopt;
  if (EqualsIgnoreCase(*text, "true")) return true;
  if (EqualsIgnoreCase(*text, "false")) return false;
  return Illegal(name, *text, "must be 'true' or 'false'");
}

bool ParseWhole(const std::string& text, int64_t* value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

arrow::Status ParseTxn(const SinkRequest& request, WriteOptions* parsed) {
  auto app_id = request.options.Get("txnAppId");
  auto version = request.options.Get("txnVersion");
  if (!app_id && !version) {
    app_id = request.context->conf("spark.databricks.delta.write.txnAppId");
    version = request.context->conf("spark.databricks.delta.write.txnVersion");
  }
  if (version && (!ParseWhole(*version, &parsed->txn_version) || parsed->txn_version < 0)) {
    return Illegal("txnVersion", *version, "must be a non-negative integer");
  }
  if (app_id.has_value() != version.has_value()) {
    return UserError("DELTA_INVALID_IDEMPOTENT_WRITES_OPTIONS",
                     {{"reason", "Both txnVersion and txnAppId must be specified for idempotent data frame writes"}});
  }
  parsed->txn_app_id = std::move(app_id);
  return arrow::Status::OK();
}

arrow::Status ParseReplaceUsing(const Options& options, WriteOptions* parsed) {
  parsed->replace_using = options.Get("replaceUsing");
  bool on = options.Has("replaceOn");
  if (!on && !parsed->replace_using) return arrow::Status::OK();
  if (on && parsed->replace_using) {
    return UserError("DELTA_INCOMPATIBLE_DATAFRAME_OPTIONS",
                     {{"firstDeltaOption", "replaceOn"}, {"secondDeltaOption", "replaceUsing"}});
  }
  if (parsed->replace_where) return UserError("DELTA_OVERWRITE_BY_FILTER_INCOMPATIBLE_REPLACE_ON_OR_USING");
  if (options.Has("partitionOverwriteMode") && EqualsIgnoreCase(*options.Get("partitionOverwriteMode"), "dynamic")) {
    return UserError("DELTA_DYNAMIC_PARTITION_OVERWRITE_INCOMPATIBLE_REPLACE_ON_OR_USING");
  }
  if (parsed->overwrite_schema) {
    return UserError(
        "DELTA_INCOMPATIBLE_DATAFRAME_OPTIONS",
        {{"firstDeltaOption", "overwriteSchema"}, {"secondDeltaOption", on ? "replaceOn" : "replaceUsing"}});
  }
  if (on) {
    return UserError("UNSUPPORTED_FEATURE.TABLE_OPERATION",
                     {{"tableName", "`delta`"}, {"operation", "write with the option replaceOn"}});
  }
  for (std::string_view rest = *parsed->replace_using;;) {
    size_t comma = rest.find(',');
    std::string_view name = TrimAscii(rest.substr(0, comma));
    if (name.empty()) return Illegal("replaceUsing", *parsed->replace_using, "must not contain empty column names");
    parsed->replace_using_columns.emplace_back(name);
    if (comma == std::string_view::npos) return arrow::Status::OK();
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace

arrow::Result<WriteOptions> WriteOptions::Parse(const SinkRequest& request) {
  const Options& options = request.options;
  WriteOptions parsed;
  ARROW_ASSIGN_OR_RAISE(auto merge, Boolean(options, "mergeSchema"));
  auto auto_merge = request.context->conf("spark.databricks.delta.schema.autoMerge.enabled");
  parsed.merge_schema = merge.value_or(auto_merge && EqualsIgnoreCase(*auto_merge, "true"));
  ARROW_ASSIGN_OR_RAISE(auto overwrite, Boolean(options, "overwriteSchema"));
  parsed.overwrite_schema = overwrite.value_or(false);
  ARROW_ASSIGN_OR_RAISE(auto data_change, Boolean(options, "dataChange"));
  parsed.data_change = data_change.value_or(true);
  ARROW_ASSIGN_OR_RAISE(parsed.optimize_write, Boolean(options, "optimizeWrite"));
  if (!parsed.optimize_write) {
    auto setting = request.context->conf("spark.databricks.delta.optimizeWrite.enabled");
    if (setting) parsed.optimize_write = EqualsIgnoreCase(*setting, "true");
  }
  parsed.replace_where = options.Get("replaceWhere");
  ARROW_RETURN_NOT_OK(ParseReplaceUsing(options, &parsed));
  parsed.user_metadata = options.Get("userMetadata");
  if (!parsed.user_metadata) {
    parsed.user_metadata = request.context->conf("spark.databricks.delta.commitInfo.userMetadata");
  }
  auto mode = options.Get("partitionOverwriteMode");
  parsed.overwrite_mode_in_options = mode.has_value();
  if (!mode) mode = request.context->conf("spark.sql.sources.partitionOverwriteMode").value_or("STATIC");
  parsed.dynamic_overwrite = EqualsIgnoreCase(*mode, "dynamic");
  bool overwrites = request.save_mode == SaveMode::kOverwrite;
  if (overwrites && !parsed.dynamic_overwrite && !EqualsIgnoreCase(*mode, "static")) {
    return Illegal("partitionOverwriteMode", *mode, "must be 'STATIC' or 'DYNAMIC'");
  }
  ARROW_RETURN_NOT_OK(ParseTxn(request, &parsed));
  std::optional<std::string> max_rows = options.Get("maxRecordsPerFile");
  if (!max_rows) max_rows = request.context->conf("spark.sql.files.maxRecordsPerFile");
  if (max_rows && !ParseWhole(*max_rows, &parsed.max_rows_per_file)) {
    return arrow::Status::Invalid("For input string: \"", *max_rows, "\"");
  }
  auto properties = millrace::delta::TableProperties(options);
  if (IsErrorCondition(properties.status(), "DELTA_UNKNOWN_CONFIGURATION")) {
    // A writer's options have no capitals, unlike a statement's properties.
    Options told;
    for (const auto& [lower, entry] : options.entries()) told.Set(lower, entry.value);
    properties = millrace::delta::TableProperties(told);
  }
  ARROW_ASSIGN_OR_RAISE(parsed.properties, std::move(properties));
  return parsed;
}

}  // namespace millrace::connector::delta_table

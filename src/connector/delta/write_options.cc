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
  for (const char* name : {"replaceOn", "replaceUsing"}) {
    if (options.Has(name)) {
      return UserError("UNSUPPORTED_FEATURE.TABLE_OPERATION",
                       {{"tableName", "`delta`"}, {"operation", "write with the option " + std::string(name)}});
    }
  }
  parsed.replace_where = options.Get("replaceWhere");
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
  ARROW_ASSIGN_OR_RAISE(parsed.properties, millrace::delta::TableProperties(options));
  return parsed;
}

}  // namespace millrace::connector::delta_table

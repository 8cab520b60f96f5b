#include "base/error.h"
#include "base/json_value.h"
#include "connector/delta/optimize.h"
#include "delta/feature/table_feature.h"
#include "delta/schema/column_mapping.h"
#include "delta/transaction/protocol_upgrade.h"
#include "delta/transaction/table_metadata.h"
#include "session/delta_features.h"

/// Column mapping taken away, and row tracking switched on.

namespace millrace::session {

namespace {

delta::Operation Named(const char* name, std::vector<JsonValue::Member> parameters) {
  delta::Operation operation;
  operation.name = name;
  operation.parameters = std::move(parameters);
  return operation;
}

bool LacksRowIds(const delta::Snapshot& state) {
  bool lacks = false;
  state.files().ForEach([&](const delta::FileRef& file) { lacks = lacks || !file.columns->base_row_id(file.row); });
  return lacks;
}

}  // namespace

arrow::Status RemoveColumnMapping(Session& session, const OpenedTable& opened, bool unsets_property) {
  const delta::Snapshot& state = *opened.snapshot;
  types::DataTypePtr schema = delta::WithoutFieldMetadata(state.schema(), delta::kMappingKeys);
  std::string invalid;
  for (const std::string& name : delta::NamesFilesCannotHave(*schema)) invalid += (invalid.empty() ? "" : ", ") + name;
  if (!invalid.empty()) {
    return UserError("DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING", {{"invalidColumnNames", invalid}});
  }
  delta::Snapshot::State written = state.state();
  delta::StringMap& properties = written.metadata.configuration;
  properties.erase("delta.columnMapping.maxColumnId");
  if (unsets_property) {
    properties.erase("delta.columnMapping.mode");
  } else {
    properties["delta.columnMapping.mode"] = "none";
  }
  written.metadata.schema_string = schema->ToJson();
  connector::delta_table::OptimizeRequest request;
  request.table = opened.table;
  request.snapshot = opened.snapshot;
  request.context = session.CurrentConnectorContext();
  request.wants = [](const delta::FileRef&) -> arrow::Result<bool> { return true; };
  request.one_by_one = true;
  request.tells_removed_rows = false;
  delta::Metadata metadata = written.metadata;
  ARROW_ASSIGN_OR_RAISE(request.written_as, delta::Snapshot::Make(std::move(written)));
  ARROW_ASSIGN_OR_RAISE(auto transaction, BeginChange(session, opened));
  transaction->ReadWholeTable();
  transaction->SetMetadata(std::move(metadata));
  ARROW_RETURN_NOT_OK(connector::delta_table::StageOptimize(request, transaction.get()));
  delta::Operation operation = Named("REMOVE COLUMN MAPPING", {});
  operation.keeps_row_ids = true;
  return CommitChange(session, *transaction, operation).status();
}

arrow::Status PrepareRowTracking(Session& session, const OpenedTable& opened) {
  OpenedTable now = opened;
  if (!delta::Supports(now.snapshot->protocol(), "rowTracking")) {
    delta::Protocol protocol = delta::WithFeature(now.snapshot->protocol(), "rowTracking");
    ARROW_ASSIGN_OR_RAISE(auto transaction, BeginChange(session, now));
    std::string text = delta::ToJsonLine(protocol);
    ARROW_ASSIGN_OR_RAISE(JsonValue told, ParseJson(text));
    transaction->SetProtocol(std::move(protocol));
    JsonValue shown = JsonValue::Object();
    for (const char* key : {"minReaderVersion", "minWriterVersion", "readerFeatures", "writerFeatures"}) {
      const JsonValue* value = told.Find("protocol")->Find(key);
      shown.Set(key, value == nullptr ? JsonValue() : *value);
    }
    ARROW_RETURN_NOT_OK(CommitChange(
        session, *transaction, Named("UPGRADE PROTOCOL", {{"newProtocol", JsonValue::String(shown.ToString())}})));
    ARROW_ASSIGN_OR_RAISE(now.snapshot, now.table->Update());
  }
  if (!LacksRowIds(*now.snapshot)) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto transaction, BeginChange(session, now));
  now.snapshot->files().ForEach([&](const delta::FileRef& file) {
    if (file.columns->base_row_id(file.row)) return;
    delta::Add add = file.columns->ToAdd(file.row);
    transaction->ReadFile(add.path);
    add.data_change = false;
    transaction->Stage(std::move(add));
  });
  return CommitChange(session, *transaction, Named("ROW TRACKING BACKFILL", {{"batchId", JsonValue::String("0")}}))
      .status();
}

}  // namespace millrace::session

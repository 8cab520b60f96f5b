#include "delta/snapshot/snapshot.h"

#include "base/ascii.h"
#include "base/error.h"

namespace millrace::delta {

arrow::Result<std::shared_ptr<const Snapshot>> Snapshot::Make(State state, const Snapshot* same_metadata) {
  auto snapshot = std::shared_ptr<Snapshot>(new Snapshot());
  if (same_metadata != nullptr) {
    snapshot->schema_ = same_metadata->schema_;
    snapshot->partition_columns_ = same_metadata->partition_columns_;
    snapshot->state_ = std::move(state);
    return snapshot;
  }
  auto schema = state.metadata.ParseSchema();
  if (!schema.ok()) {
    if (GetErrorDetail(schema.status()) != nullptr) return schema.status();
    return UserError("INVALID_JSON_DATA_TYPE", {{"invalidType", state.metadata.schema_string}});
  }
  snapshot->schema_ = *schema;
  for (const std::string& name : state.metadata.partition_columns) {
    int index = snapshot->schema_->FieldIndex(name, /*case_sensitive=*/true);
    if (index < 0) index = snapshot->schema_->FieldIndex(name, /*case_sensitive=*/false);
    if (index < 0) {
      std::string fields;
      for (const types::StructField& field : snapshot->schema_->fields()) {
        fields += (fields.empty() ? "" : ", ") + QuoteIdentifier(field.name);
      }
      return UserError("FIELD_NOT_FOUND", {{"fieldName", QuoteIdentifier(name)}, {"fields", fields}});
    }
    snapshot->partition_columns_.push_back(index);
  }
  if (state.txns == nullptr) state.txns = std::make_shared<const TxnMap>();
  if (state.domain_metadata == nullptr) state.domain_metadata = std::make_shared<const DomainMetadataMap>();
  snapshot->state_ = std::move(state);
  return snapshot;
}

std::shared_ptr<const Snapshot> Snapshot::WithoutFiles() const {
  std::shared_ptr<Snapshot> counted(new Snapshot());
  counted->state_ = state_;
  counted->state_.files = state_.files.Counted();
  counted->schema_ = schema_;
  counted->partition_columns_ = partition_columns_;
  return counted;
}

std::optional<int64_t> Snapshot::TxnVersion(std::string_view app_id) const {
  auto it = state_.txns->find(app_id);
  if (it == state_.txns->end()) return std::nullopt;
  return it->second.version;
}

bool Snapshot::in_commit_timestamps() const {
  return state_.protocol.HasWriterFeature("inCommitTimestamp") &&
         EqualsIgnoreCase(state_.metadata.Property("delta.enableInCommitTimestamps").value_or("false"), "true");
}

}  // namespace millrace::delta

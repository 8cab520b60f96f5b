#include "delta/transaction/row_ids.h"

#include <charconv>

#include "base/error.h"
#include "base/ids.h"
#include "base/json_value.h"
#include "delta/feature/table_feature.h"
#include "delta/transaction/table_metadata.h"

namespace millrace::delta {

namespace {

constexpr std::string_view kHighest = "rowIdHighWaterMark";

arrow::Result<int64_t> HighestOf(const DomainMetadata& domain) {
  if (domain.removed) return -1;
  ARROW_ASSIGN_OR_RAISE(JsonValue configuration, ParseJson(domain.configuration));
  const JsonValue* highest = configuration.Find(kHighest);
  return highest == nullptr ? -1 : highest->AsInt64();
}

// Statistics begin with the number of rows, deleted ones too.
arrow::Result<int64_t> NumRecords(const Add& add) {
  static constexpr std::string_view kKey = "\"numRecords\":";
  std::string_view stats = add.stats ? std::string_view(*add.stats) : std::string_view();
  size_t at = stats.find(kKey);
  int64_t count = 0;
  if (at != std::string_view::npos) {
    const char* begin = stats.data() + at + kKey.size();
    if (std::from_chars(begin, stats.data() + stats.size(), count).ec == std::errc()) return count;
  }
  return UserError("DELTA_ROW_ID_ASSIGNMENT_WITHOUT_STATS");
}

}  // namespace

arrow::Result<RowIds> RowIds::Make(const Snapshot* snapshot, const Protocol& protocol, const Metadata& metadata) {
  RowIds ids;
  bool supports = Supports(protocol, "rowTracking");
  ids.suspended_ = supports && BooleanProperty(metadata, "delta.rowTrackingSuspended", false);
  ids.assigns_ = supports && !ids.suspended_;
  if (!ids.assigns_ || snapshot == nullptr) return ids;
  auto domain = snapshot->domain_metadata().find(kRowTrackingDomain);
  if (domain != snapshot->domain_metadata().end()) {
    ARROW_ASSIGN_OR_RAISE(ids.highest_, HighestOf(domain->second));
  }
  return ids;
}

arrow::Status RowIds::Follow(const Commit& winner) {
  for (const Action& action : winner.actions) {
    const auto* domain = std::get_if<DomainMetadata>(&action);
    if (domain == nullptr || domain->domain != kRowTrackingDomain) continue;
    ARROW_ASSIGN_OR_RAISE(int64_t theirs, HighestOf(*domain));
    highest_ = std::max(highest_, theirs);
  }
  return arrow::Status::OK();
}

arrow::Status RowIds::Assign(TableVersion version, std::vector<Action>* actions) {
  if (suspended_) {
    for (Action& action : *actions) {
      auto* add = std::get_if<Add>(&action);
      if (add == nullptr) continue;
      add->base_row_id.reset();
      add->default_row_commit_version.reset();
    }
  }
  if (!assigns_) return arrow::Status::OK();
  if (!found_fresh_) {
    found_fresh_ = true;
    for (size_t i = 0; i < actions->size(); ++i) {
      const auto* add = std::get_if<Add>(&(*actions)[i]);
      if (add != nullptr && !add->base_row_id) fresh_.push_back(i);
    }
    if (!fresh_.empty()) actions->emplace_back(DomainMetadata{std::string(kRowTrackingDomain), "", false});
  }
  if (fresh_.empty()) return arrow::Status::OK();
  int64_t highest = highest_;
  for (size_t i : fresh_) {
    auto& add = std::get<Add>((*actions)[i]);
    ARROW_ASSIGN_OR_RAISE(int64_t num_records, NumRecords(add));
    add.base_row_id = highest + 1;
    add.default_row_commit_version = version.value;
    highest += num_records;
  }
  std::get<DomainMetadata>(actions->back()).configuration =
      JsonValue::Object({{std::string(kHighest), JsonValue::Number(highest)},
                         {"domainName", JsonValue::String(std::string(kRowTrackingDomain))}})
          .ToString();
  return arrow::Status::OK();
}

void NameRowTrackingColumns(const Protocol& protocol, Metadata* metadata) {
  if (!Supports(protocol, "rowTracking")) return;
  metadata->configuration.try_emplace("delta.rowTracking.materializedRowIdColumnName", "_row-id-col-" + RandomUuid());
  metadata->configuration.try_emplace("delta.rowTracking.materializedRowCommitVersionColumnName",
                                      "_row-commit-version-col-" + RandomUuid());
}

}  // namespace millrace::delta

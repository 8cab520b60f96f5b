#include "delta/transaction/checksum.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "base/json_value.h"
#include "delta/feature/table_feature.h"
#include "delta/log/log_paths.h"

namespace millrace::delta {

namespace {

/// Files listed one by one, and applications, and domains: more are left out.
constexpr int64_t kFilesMax = 50;
constexpr size_t kTxnsMax = 100;
constexpr size_t kDomainsMax = 10;

void Member(std::string_view key, std::string* out) {
  if (out->back() != '{') *out += ',';
  AppendJsonString(key, out);
  *out += ':';
}

void Number(std::string_view key, int64_t value, std::string* out) {
  Member(key, out);
  *out += std::to_string(value);
}

// The action without the name of its kind around it.
std::string Bare(const Action& action) {
  std::string line = ToJsonLine(action);
  size_t colon = line.find(':');
  return line.substr(colon + 1, line.size() - colon - 2);
}

template <typename Values>
void Array(std::string_view key, const Values& values, std::string* out) {
  Member(key, out);
  *out += '[';
  bool first = true;
  for (const auto& value : values) {
    if (!first) *out += ',';
    first = false;
    *out += value;
  }
  *out += ']';
}

template <typename Values>
std::vector<std::string> Numbers(const Values& values) {
  std::vector<std::string> texts;
  for (int64_t value : values) texts.push_back(std::to_string(value));
  return texts;
}

void AppendHistogram(const FileTotals& totals, std::string* out) {
  Member("fileSizeHistogram", out);
  *out += '{';
  Array("sortedBinBoundaries", Numbers(kFileSizeClasses), out);
  Array("fileCounts", Numbers(totals.counts()), out);
  Array("totalBytes", Numbers(totals.bytes()), out);
  *out += '}';
}

void AppendDeletedHistogram(const FileTotals& totals, std::string* out) {
  Member("deletedRecordCountsHistogramOpt", out);
  *out += '{';
  Array("deletedRecordCounts", Numbers(totals.deleted_counts()), out);
  *out += '}';
}

bool ListsFiles(const Snapshot& snapshot, const Snapshot* before) {
  if (snapshot.files().num_files() == 0) return true;
  if (!snapshot.files().is_complete()) return false;
  if (std::max(snapshot.files().num_files(), before == nullptr ? 0 : before->files().num_files()) > kFilesMax) {
    return false;
  }
  if (before != nullptr && before->metadata().schema_string != snapshot.metadata().schema_string) return false;
  int64_t num_indexed = 32;
  if (auto text = snapshot.metadata().Property("delta.dataSkippingNumIndexedCols")) {
    std::from_chars(text->data(), text->data() + text->size(), num_indexed);
  }
  return num_indexed <= 32;
}

}  // namespace

std::string ChecksumText(const Snapshot& snapshot, const Snapshot* before, const std::string& txn_id,
                         std::optional<int64_t> in_commit_timestamp_ms) {
  const FileList& files = snapshot.files();
  std::string text = "{";
  Member("txnId", &text);
  AppendJsonString(txn_id, &text);
  Number("tableSizeBytes", files.total_size_bytes(), &text);
  Number("numFiles", files.num_files(), &text);
  const bool counts_deleted = Supports(snapshot.protocol(), "deletionVectors");
  if (counts_deleted) {
    Number("numDeletedRecordsOpt", files.totals().num_deleted_rows(), &text);
    Number("numDeletionVectorsOpt", files.totals().num_deletion_vectors(), &text);
  }
  Number("numMetadata", 1, &text);
  Number("numProtocol", 1, &text);
  if (in_commit_timestamp_ms) Number("inCommitTimestampOpt", *in_commit_timestamp_ms, &text);
  bool txns_expire = snapshot.metadata().Property("delta.setTransactionRetentionDuration").has_value();
  if (snapshot.txns().size() <= kTxnsMax && !txns_expire) {
    std::vector<std::string> txns;
    for (const auto& [app_id, txn] : snapshot.txns()) txns.push_back(Bare(txn));
    Array("setTransactions", txns, &text);
  }
  if (snapshot.domain_metadata().size() <= kDomainsMax) {
    std::vector<std::string> domains;
    for (const auto& [name, domain] : snapshot.domain_metadata()) domains.push_back(Bare(domain));
    Array("domainMetadata", domains, &text);
  }
  Member("metadata", &text);
  text += Bare(snapshot.metadata());
  Member("protocol", &text);
  text += Bare(snapshot.protocol());
  AppendHistogram(files.totals(), &text);
  if (counts_deleted) AppendDeletedHistogram(files.totals(), &text);
  if (ListsFiles(snapshot, before)) {
    std::vector<std::string> adds;
    files.ForEach([&](FileRef file) {
      Add add = file.columns->ToAdd(file.row);
      add.data_change = false;
      adds.push_back(Bare(add));
    });
    Array("allFiles", adds, &text);
  }
  text += '}';
  return text;
}

arrow::Status WriteChecksum(FileSystem* file_system, const Table& table, const Snapshot& snapshot,
                            const Snapshot* before, const std::string& txn_id, const std::vector<Action>& actions) {
  std::optional<int64_t> timestamp;
  if (const auto* info = actions.empty() ? nullptr : std::get_if<CommitInfo>(&actions.front())) {
    timestamp = info->in_commit_timestamp_ms();
  }
  std::string text = ChecksumText(snapshot, before, txn_id, timestamp) + "\n";
  return WriteFileIfAbsent(*file_system, JoinPath(table.log_path(), ChecksumFileName(snapshot.version())), text,
                           Durability::kProcess)
      .status();
}

}  // namespace millrace::delta

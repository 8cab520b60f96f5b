#include "delta/transaction/checksum.h"

#include <algorithm>
#include <array>
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
/// Sizes are counted at each commit: tables of more files have no histogram.
constexpr int64_t kHistogramFilesMax = 10000;

constexpr int64_t kKiB = 1024;
constexpr int64_t kMiB = 1024 * kKiB;
constexpr int64_t kGiB = 1024 * kMiB;
/// Lower ends of the classes of delta-spark's histogram.
constexpr std::array<int64_t, 95> kSizeClasses = {
    0,           8 * kKiB,    16 * kKiB,   32 * kKiB,   64 * kKiB,   128 * kKiB,  256 * kKiB,  512 * kKiB,  1 * kMiB,
    2 * kMiB,    4 * kMiB,    8 * kMiB,    12 * kMiB,   16 * kMiB,   20 * kMiB,   24 * kMiB,   28 * kMiB,   32 * kMiB,
    36 * kMiB,   40 * kMiB,   48 * kMiB,   56 * kMiB,   64 * kMiB,   72 * kMiB,   80 * kMiB,   88 * kMiB,   96 * kMiB,
    104 * kMiB,  112 * kMiB,  120 * kMiB,  124 * kMiB,  128 * kMiB,  132 * kMiB,  136 * kMiB,  140 * kMiB,  144 * kMiB,
    160 * kMiB,  176 * kMiB,  192 * kMiB,  208 * kMiB,  224 * kMiB,  240 * kMiB,  256 * kMiB,  272 * kMiB,  288 * kMiB,
    304 * kMiB,  320 * kMiB,  336 * kMiB,  352 * kMiB,  368 * kMiB,  384 * kMiB,  400 * kMiB,  416 * kMiB,  432 * kMiB,
    448 * kMiB,  464 * kMiB,  480 * kMiB,  496 * kMiB,  512 * kMiB,  528 * kMiB,  544 * kMiB,  560 * kMiB,  576 * kMiB,
    640 * kMiB,  704 * kMiB,  768 * kMiB,  832 * kMiB,  896 * kMiB,  960 * kMiB,  1024 * kMiB, 1088 * kMiB, 1152 * kMiB,
    1216 * kMiB, 1280 * kMiB, 1344 * kMiB, 1408 * kMiB, 1536 * kMiB, 1664 * kMiB, 1792 * kMiB, 1920 * kMiB, 2048 * kMiB,
    2304 * kMiB, 2560 * kMiB, 2816 * kMiB, 3072 * kMiB, 3328 * kMiB, 3584 * kMiB, 3840 * kMiB, 4 * kGiB,    8 * kGiB,
    16 * kGiB,   32 * kGiB,   64 * kGiB,   128 * kGiB,  256 * kGiB};

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

void AppendHistogram(const FileList& files, std::string* out) {
  std::array<int64_t, kSizeClasses.size()> counts{}, bytes{};
  files.ForEach([&](FileRef file) {
    int64_t size = file.columns->size_bytes(file.row);
    auto above = std::upper_bound(kSizeClasses.begin(), kSizeClasses.end(), size);
    size_t index = above == kSizeClasses.begin() ? 0 : static_cast<size_t>(above - kSizeClasses.begin()) - 1;
    ++counts[index];
    bytes[index] += size;
  });
  auto numbers = [](const auto& values) {
    std::vector<std::string> texts;
    for (int64_t value : values) texts.push_back(std::to_string(value));
    return texts;
  };
  Member("fileSizeHistogram", out);
  *out += '{';
  Array("sortedBinBoundaries", numbers(kSizeClasses), out);
  Array("fileCounts", numbers(counts), out);
  Array("totalBytes", numbers(bytes), out);
  *out += '}';
}

bool ListsFiles(const Snapshot& snapshot, const Snapshot* before) {
  if (snapshot.files().num_files() == 0) return true;
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
  if (files.num_files() <= kHistogramFilesMax) AppendHistogram(files, &text);
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

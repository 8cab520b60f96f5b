#include "session/plan_cache.h"

#include <arrow/array.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "logical/node/source_scan.h"
#include "session/python_source.h"

namespace millrace::session {

namespace {

using logical::NodeKind;
using logical::Plan;
using logical::PlanPtr;

size_t Mix(size_t seed, size_t value) { return seed * 1099511628211ULL ^ value; }

size_t HashOf(const arrow::ArrayData& data, size_t seed) {
  seed = Mix(Mix(seed, static_cast<size_t>(data.length)), static_cast<size_t>(data.offset));
  for (const auto& buffer : data.buffers) {
    if (buffer == nullptr) continue;
    std::string_view bytes(reinterpret_cast<const char*>(buffer->data()), static_cast<size_t>(buffer->size()));
    seed = Mix(seed, std::hash<std::string_view>()(bytes));
  }
  for (const auto& child : data.child_data) seed = HashOf(*child, seed);
  return seed;
}

// Hashes of rows that were hashed before, as long as they are there.
class KnownHashes {
 public:
  using Rows = std::shared_ptr<const std::vector<logical::LocalRelation::Partition>>;

  std::optional<size_t> Find(const Rows& rows) {
    std::lock_guard lock(mutex_);
    auto it = hashes_.find(rows.get());
    // Other rows may lie where gone ones lay.
    if (it == hashes_.end() || it->second.rows.lock() != rows) return std::nullopt;
    return it->second.hash;
  }
  void Add(const Rows& rows, size_t hash) {
    std::lock_guard lock(mutex_);
    std::erase_if(hashes_, [](const auto& entry) { return entry.second.rows.expired(); });
    hashes_[rows.get()] = {rows, hash};
  }

 private:
  struct Entry {
    std::weak_ptr<const std::vector<logical::LocalRelation::Partition>> rows;
    size_t hash = 0;
  };
  std::mutex mutex_;
  std::map<const void*, Entry> hashes_;
};

std::string ContentOf(const logical::LocalRelation& relation) {
  if (!relation.all_held()) return "micro-batch " + std::to_string(relation.micro_batch()->id());
  static KnownHashes* known = new KnownHashes;
  if (std::optional<size_t> hash = known->Find(relation.partitions())) return std::to_string(*hash);
  size_t seed = 14695981039346656037ULL;
  for (const auto& partition : *relation.partitions()) {
    for (const auto& batch : partition) {
      seed = Mix(seed, static_cast<size_t>(batch->num_rows()));
      for (const auto& column : batch->column_data()) seed = HashOf(*column, seed);
    }
  }
  known->Add(relation.partitions(), seed);
  return std::to_string(seed);
}

std::string ContentOf(const logical::SourceScan& scan) {
  std::string text(scan.def().name);
  text += "|" + scan.request()->schema->ToJson();
  for (int index : scan.columns().indices) text += "|" + std::to_string(index);
  for (const std::string& path : scan.request()->paths) text += "|" + path;
  for (const auto& [key, entry] : scan.request()->options.entries()) text += "|" + key + "=" + entry.value;
  // Each stream is itself only.
  if (scan.is_streaming()) text += "|" + std::to_string(scan.source_key());
  if (const auto& extension = scan.request()->extension) {
    // Two classes under one name, one after the other, are two sources.
    const auto& source = static_cast<const PythonDataSource&>(*extension);
    text += "|" + std::to_string(reinterpret_cast<uintptr_t>(source.function.get()));
  }
  return text;
}

// "a#17L" becomes "#0L" when #17 is the first number met: names change nothing.
void AppendRenumbered(std::string_view text, std::map<std::string, size_t, std::less<>>* numbers, std::string* out) {
  for (size_t i = 0; i < text.size();) {
    if (text[i] != '#') {
      *out += text[i++];
      continue;
    }
    size_t end = i + 1;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    while (!out->empty() && std::string_view(" [(,'").find(out->back()) == std::string_view::npos) out->pop_back();
    std::string digits(text.substr(i + 1, end - i - 1));
    size_t number = digits.empty() ? 0 : numbers->try_emplace(digits, numbers->size()).first->second;
    *out += "#" + std::to_string(number);
    i = end;
  }
}

void AppendCanonical(const Plan& plan, std::map<std::string, size_t, std::less<>>* numbers, std::string* out) {
  // Names of relations change nothing.
  if (plan.kind() == NodeKind::kSubqueryAlias) return AppendCanonical(*plan.child(), numbers, out);
  // Inputs first: columns are numbered where they are made.
  *out += "(";
  for (const PlanPtr& child : plan.children()) AppendCanonical(*child, numbers, out);
  AppendRenumbered(plan.Describe(), numbers, out);
  *out += " -> ";
  AppendRenumbered(logical::DescribeAttributes(plan.output()), numbers, out);
  if (plan.kind() == NodeKind::kLocalRelation) {
    *out += ContentOf(static_cast<const logical::LocalRelation&>(plan));
  } else if (plan.kind() == NodeKind::kSourceScan) {
    *out += ContentOf(static_cast<const logical::SourceScan&>(plan));
  }
  *out += ")";
}

bool ReadsBelow(const Plan& plan, const std::string& path) {
  bool reads = false;
  logical::VisitPlan(plan, [&](const Plan& node) {
    if (node.kind() != NodeKind::kSourceScan) return;
    for (const std::string& read : static_cast<const logical::SourceScan&>(node).request()->paths) {
      reads = reads || read.starts_with(path) || path.starts_with(read);
    }
  });
  return reads;
}

}  // namespace

std::string CanonicalText(const Plan& plan) {
  std::map<std::string, size_t, std::less<>> numbers;
  std::string text;
  AppendCanonical(plan, &numbers, &text);
  return text;
}

std::vector<PlanCache::EntryPtr> PlanCache::Entries() const {
  std::lock_guard lock(mutex_);
  return entries_;
}

arrow::Status CheckIsNoStream(const Plan& plan) {
  if (!plan.is_streaming()) return arrow::Status::OK();
  return UserError(
      "_LEGACY_ERROR_TEMP_3102",
      {{"msg",
        "Queries with streaming sources must be executed with writeStream.start(), or from a streaming table or "
        "flow definition within a Spark Declarative Pipeline."}});
}

arrow::Status PlanCache::Persist(const PlanPtr& plan, StorageLevel level) {
  ARROW_RETURN_NOT_OK(CheckIsNoStream(*plan));
  auto entry = std::make_shared<Entry>();
  entry->canonical = CanonicalText(*plan);
  entry->plan = plan;
  entry->level = level;
  std::lock_guard lock(mutex_);
  for (const EntryPtr& known : entries_) {
    if (known->canonical == entry->canonical) return arrow::Status::OK();
  }
  entries_.push_back(std::move(entry));
  return arrow::Status::OK();
}

bool PlanCache::Unpersist(const Plan& plan) {
  std::string canonical = CanonicalText(plan);
  std::lock_guard lock(mutex_);
  return std::erase_if(entries_, [&](const EntryPtr& entry) { return entry->canonical == canonical; }) > 0;
}

StorageLevel PlanCache::LevelOf(const Plan& plan) const {
  EntryPtr entry = Find(plan);
  return entry == nullptr ? StorageLevel{} : entry->level;
}

bool PlanCache::Holds(const Plan& plan) const { return Find(plan) != nullptr; }

PlanCache::EntryPtr PlanCache::Find(const Plan& plan) const {
  std::vector<EntryPtr> entries = Entries();
  if (entries.empty()) return nullptr;
  std::string canonical = CanonicalText(plan);
  for (const EntryPtr& entry : entries) {
    if (entry->canonical == canonical) return entry;
  }
  return nullptr;
}

void PlanCache::Clear() {
  std::lock_guard lock(mutex_);
  entries_.clear();
}

void PlanCache::Invalidate(const std::string& path) {
  for (const EntryPtr& entry : Entries()) {
    if (!ReadsBelow(*entry->plan, path)) continue;
    std::lock_guard lock(entry->mutex);
    entry->rows = nullptr;
  }
}

arrow::Result<PlanCache::Partitions> PlanCache::RowsOf(Entry& entry, const RunPlan& run) {
  std::lock_guard lock(entry.mutex);
  if (entry.rows == nullptr) {
    ARROW_ASSIGN_OR_RAISE(entry.rows, run(entry.plan));
  }
  return entry.rows;
}

arrow::Result<PlanPtr> PlanCache::Replace(
    const std::vector<EntryPtr>& entries, const PlanPtr& plan,
    const std::function<arrow::Result<PlanPtr>(Entry&, const PlanPtr&)>& replace) {
  if (entries.empty() || plan->is_streaming()) return plan;
  std::string canonical = CanonicalText(*plan);
  for (const EntryPtr& entry : entries) {
    if (entry->canonical == canonical) return replace(*entry, plan);
  }
  std::vector<PlanPtr> children;
  bool changed = false;
  for (const PlanPtr& child : plan->children()) {
    ARROW_ASSIGN_OR_RAISE(PlanPtr replaced, Replace(entries, child, replace));
    changed = changed || replaced != child;
    children.push_back(std::move(replaced));
  }
  return changed ? plan->WithChildren(std::move(children)) : plan;
}

arrow::Result<PlanPtr> PlanCache::Apply(const PlanPtr& plan, const RunPlan& run) {
  return Replace(Entries(), plan, [&](Entry& entry, const PlanPtr& node) -> arrow::Result<PlanPtr> {
    ARROW_ASSIGN_OR_RAISE(Partitions rows, RowsOf(entry, run));
    return std::make_shared<logical::LocalRelation>(node->output(), std::move(rows));
  });
}

PlanPtr PlanCache::Mark(const PlanPtr& plan, std::vector<Part>* parts) const {
  auto none = std::make_shared<std::vector<logical::LocalRelation::Partition>>(1);
  auto marked = Replace(Entries(), plan, [&](Entry& entry, const PlanPtr& node) -> arrow::Result<PlanPtr> {
    std::string mark = ", cached part " + std::to_string(parts->size()) + ";";
    parts->push_back({mark, node, entry.level});
    return std::make_shared<logical::LocalRelation>(node->output(), none, mark);
  });
  return marked.ok() ? *marked : plan;
}

}  // namespace millrace::session

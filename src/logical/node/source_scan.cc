#include "logical/node/source_scan.h"

namespace millrace::logical {

PlanPtr SourceScan::Prune(const std::vector<int>& keep) const {
  AttributeVector kept_output;
  connector::ReadColumns kept_columns;
  kept_columns.filter = columns_.filter;
  kept_columns.filter_is_whole = columns_.filter_is_whole;
  for (int position : keep) {
    kept_output.push_back(output()[static_cast<size_t>(position)]);
    kept_columns.indices.push_back(columns_.indices[static_cast<size_t>(position)]);
  }
  return std::make_shared<SourceScan>(std::move(kept_output), std::move(kept_columns), def_, request_, is_streaming(),
                                      key_);
}

PlanPtr SourceScan::WithFilter(std::shared_ptr<const format::Predicate> filter, bool whole) const {
  connector::ReadColumns columns = columns_;
  columns.filter = std::move(filter);
  columns.filter_is_whole = whole;
  return std::make_shared<SourceScan>(output(), std::move(columns), def_, request_, is_streaming(), key_);
}

PlanPtr SourceScan::WithRequest(std::shared_ptr<const connector::SourceRequest> request) const {
  return std::make_shared<SourceScan>(output(), columns_, def_, std::move(request), is_streaming(), key_);
}

PlanPtr SourceScan::WithKey(StreamKey key) const {
  return std::make_shared<SourceScan>(output(), columns_, def_, request_, is_streaming(), key);
}

std::string SourceScan::Describe() const {
  return fmt::format("{} {} {}", is_streaming() ? "StreamingRelation" : "Relation", DescribeAttributes(output()),
                     def_->name);
}

}  // namespace millrace::logical

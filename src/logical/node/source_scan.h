#pragma once

#include "connector/source.h"
#include "logical/plan.h"

namespace millrace::logical {

/// Which stream a scan reads, and for which place of the query.
struct StreamKey {
  /// Scans with the same source read one stream: the same rows in each micro-batch.
  int64_t source = 0;
  /// The offset log has one offset a place. Copies of a common table expression are one place; a frame or a view that
  /// is used twice is two.
  int64_t place = 0;
};

/// Rows of a connector, bounded or a stream. `columns` are the indices into the source's schema that `output` shows;
/// column pruning narrows both.
class SourceScan final : public Plan {
 public:
  SourceScan(AttributeVector output, connector::ReadColumns columns, const connector::SourceDef* def,
             std::shared_ptr<const connector::SourceRequest> request, bool streaming, StreamKey key)
      : Plan(NodeKind::kSourceScan, {}, std::move(output), streaming),
        columns_(std::move(columns)),
        def_(def),
        request_(std::move(request)),
        key_(key) {}
  const connector::ReadColumns& columns() const { return columns_; }
  const connector::SourceDef& def() const { return *def_; }
  const std::shared_ptr<const connector::SourceRequest>& request() const { return request_; }
  StreamKey key() const { return key_; }
  int64_t source_key() const { return key_.source; }
  PlanPtr WithKey(StreamKey key) const;

  /// The same scan of fewer columns; `keep` are positions in output(), ascending.
  PlanPtr Prune(const std::vector<int>& keep) const;
  /// The same scan, which may leave out rows that do not satisfy `filter`; `whole`: ReadColumns::filter_is_whole.
  PlanPtr WithFilter(std::shared_ptr<const format::Predicate> filter, bool whole) const;
  PlanPtr WithRequest(std::shared_ptr<const connector::SourceRequest> request) const;
  PlanPtr WithOutput(AttributeVector output) const {
    return std::make_shared<SourceScan>(std::move(output), columns_, def_, request_, is_streaming(), key_);
  }
  PlanPtr WithChildren(std::vector<PlanPtr>) const override { return WithOutput(output()); }
  std::string Describe() const override;

 private:
  connector::ReadColumns columns_;
  const connector::SourceDef* def_;
  std::shared_ptr<const connector::SourceRequest> request_;
  StreamKey key_;
};

}  // namespace millrace::logical

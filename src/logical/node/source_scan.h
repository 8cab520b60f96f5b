#pragma once

#include "connector/source.h"
#include "logical/plan.h"

namespace millrace::logical {

/// Rows of a connector, bounded or a stream. `columns` are the indices into the source's schema that `output` shows;
/// column pruning narrows both.
class SourceScan final : public Plan {
 public:
  SourceScan(AttributeVector output, connector::ReadColumns columns, const connector::SourceDef* def,
             std::shared_ptr<const connector::SourceRequest> request, bool streaming, int64_t source_key)
      : Plan(NodeKind::kSourceScan, {}, std::move(output), streaming),
        columns_(std::move(columns)),
        def_(def),
        request_(std::move(request)),
        source_key_(source_key) {}
  const connector::ReadColumns& columns() const { return columns_; }
  const connector::SourceDef& def() const { return *def_; }
  const std::shared_ptr<const connector::SourceRequest>& request() const { return request_; }
  /// Identity of a stream within a plan: the same stream used twice has one key and is read once.
  /// Scans with the same key read one stream: the same rows in each micro-batch.
  int64_t source_key() const { return source_key_; }
  PlanPtr WithSourceKey(int64_t source_key) const;

  /// The same scan of fewer columns; `keep` are positions in output(), ascending.
  PlanPtr Prune(const std::vector<int>& keep) const;
  /// The same scan, which may leave out rows that do not satisfy `filter`.
  PlanPtr WithFilter(std::shared_ptr<const format::Predicate> filter) const;
  PlanPtr WithOutput(AttributeVector output) const {
    return std::make_shared<SourceScan>(std::move(output), columns_, def_, request_, is_streaming(), source_key_);
  }
  PlanPtr WithChildren(std::vector<PlanPtr>) const override { return WithOutput(output()); }
  std::string Describe() const override;

 private:
  connector::ReadColumns columns_;
  const connector::SourceDef* def_;
  std::shared_ptr<const connector::SourceRequest> request_;
  int64_t source_key_;
};

}  // namespace millrace::logical

#include "analyzer/known_frame.h"

#include "analyzer/relation_resolver.h"
#include "logical/node/local_relation.h"
#include "spark/connect/relations.pb.h"

namespace millrace::analyzer {

namespace {

// Frames of frames of a loop would be kept over and over.
constexpr size_t kMaxColumnsBelow = 2000;

size_t CountColumns(const PlanColumns& frames) {
  size_t count = 0;
  for (const auto& [id, places] : frames) {
    for (const FramePlace& place : places) count += place.columns.size() + 1;
  }
  return count;
}

}  // namespace

size_t KnownFrame::num_columns() const { return columns.size() + hidden.size() + CountColumns(frames); }

KnownFrame RelationResolver::Known(const PlanPtr& plan) {
  KnownFrame known{plan->output(), plan->is_streaming(), {}, {}};
  if (const AttributeVector* hidden = HiddenOf(plan)) known.hidden = *hidden;
  if (CountColumns(plan_columns_) <= kMaxColumnsBelow) known.frames = plan_columns_;
  return known;
}

PlanPtr RelationResolver::StandFor(const KnownFrame& known) {
  using Partitions = std::vector<logical::LocalRelation::Partition>;
  PlanPtr plan =
      std::make_shared<logical::LocalRelation>(known.columns, std::make_shared<const Partitions>(), std::string{},
                                               logical::LocalRelation::Rows::kComputed, known.is_streaming);
  for (const auto& [id, places] : known.frames) {
    std::vector<FramePlace>& all = plan_columns_[id];
    for (const FramePlace& place : places) all.push_back({place.columns, false});
  }
  if (!known.hidden.empty()) Hide(plan, known.hidden);
  return plan;
}

}  // namespace millrace::analyzer

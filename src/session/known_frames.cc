#include "session/known_frames.h"

#include "analyzer/known_frame.h"

namespace millrace::session {

namespace {

constexpr size_t kMaxColumns = 200'000;

}  // namespace

void KnownFrames::Remember(int64_t plan_id, std::shared_ptr<const analyzer::KnownFrame> frame) {
  auto& slot = frames_[plan_id];
  if (slot == nullptr) {
    order_.push_back(plan_id);
  } else {
    num_columns_ -= slot->num_columns() + 1;
  }
  num_columns_ += frame->num_columns() + 1;
  slot = std::move(frame);
  while (num_columns_ > kMaxColumns && order_.size() > 1) {
    auto oldest = frames_.find(order_.front());
    num_columns_ -= oldest->second->num_columns() + 1;
    frames_.erase(oldest);
    order_.pop_front();
  }
}

std::shared_ptr<const analyzer::KnownFrame> KnownFrames::Find(int64_t plan_id) const {
  auto it = frames_.find(plan_id);
  return it == frames_.end() ? nullptr : it->second;
}

}  // namespace millrace::session

#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>

namespace millrace::analyzer {
struct KnownFrame;
}

namespace millrace::session {

/// Frames of a session that were resolved, by plan id: the newest, so many as may be held. Not thread-safe.
class KnownFrames {
 public:
  void Remember(int64_t plan_id, std::shared_ptr<const analyzer::KnownFrame> frame);
  /// Null when it is not here, or no more.
  std::shared_ptr<const analyzer::KnownFrame> Find(int64_t plan_id) const;

 private:
  std::map<int64_t, std::shared_ptr<const analyzer::KnownFrame>> frames_;
  /// Oldest first.
  std::deque<int64_t> order_;
  size_t num_columns_ = 0;
};

}  // namespace millrace::session

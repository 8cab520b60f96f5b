#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <unordered_map>

namespace millrace::connector::file {

/// The files a stream has read, as far back as maxFileAge before the youngest of them. Older files are not new ones:
/// they are left out without being remembered. Confined.
class SeenFiles {
 public:
  SeenFiles(int64_t max_age_ms, bool name_only) : max_age_ms_(max_age_ms), name_only_(name_only) {}

  void Add(const std::string& path, int64_t modified_ms) {
    files_[KeyOf(path)] = modified_ms;
    if (modified_ms > newest_ms_) newest_ms_ = modified_ms;
  }
  bool IsNew(const std::string& path, int64_t modified_ms) const {
    return modified_ms >= purged_below_ms_ && files_.count(KeyOf(path)) == 0;
  }
  /// Forgets what is too old.
  void Purge() {
    purged_below_ms_ = max_age_ms_ == std::numeric_limits<int64_t>::max() ? std::numeric_limits<int64_t>::min()
                                                                          : newest_ms_ - max_age_ms_;
    std::erase_if(files_, [this](const auto& file) { return file.second < purged_below_ms_; });
  }

 private:
  std::string KeyOf(const std::string& path) const {
    return name_only_ ? path.substr(path.find_last_of('/') + 1) : path;
  }

  int64_t max_age_ms_;
  bool name_only_;
  int64_t newest_ms_ = 0;
  int64_t purged_below_ms_ = 0;
  std::unordered_map<std::string, int64_t> files_;
};

}  // namespace millrace::connector::file

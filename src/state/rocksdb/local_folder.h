#pragma once

#include <string>

#include "state/state_stores.h"

namespace millrace::state {

/// A folder of the machine for the databases of one provider: a path nobody else has, gone with this object. Nothing in
/// it need survive; whoever writes there makes it.
class LocalFolder {
 public:
  /// Under `conf.local_directory`, or where temporary files go.
  explicit LocalFolder(const StateStoreConf& conf);
  ~LocalFolder();
  LocalFolder(const LocalFolder&) = delete;
  LocalFolder& operator=(const LocalFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace millrace::state

#pragma once

#include "types/time_zone.h"

namespace millrace::expression {

/// The zone in which timestamps stand in the SQL text of expressions (column names, messages) while this lives on the
/// thread: the session's, which an expression does not know. UTC where there is none. Confined to its scope.
class TextZone {
 public:
  explicit TextZone(const types::TimeZone* zone);
  ~TextZone();
  TextZone(const TextZone&) = delete;
  TextZone& operator=(const TextZone&) = delete;

  static const types::TimeZone* Current();

 private:
  const types::TimeZone* before_;
};

}  // namespace millrace::expression

#pragma once

#include <arrow/status.h>

namespace millrace {

/// Marks an Invalid status as Java's NumberFormatException, which callers in Python can tell from other illegal
/// arguments.
class NumberFormatDetail final : public arrow::StatusDetail {
 public:
  const char* type_id() const override { return "millrace::NumberFormatDetail"; }
  std::string ToString() const override { return "NumberFormatException"; }

  static bool Marks(const arrow::Status& status) {
    return status.detail() != nullptr && std::string_view(status.detail()->type_id()) == NumberFormatDetail().type_id();
  }
};

inline arrow::Status NumberFormatError(std::string message) {
  return arrow::Status::Invalid(std::move(message)).WithDetail(std::make_shared<NumberFormatDetail>());
}

/// What Java says of a text that is no number.
inline arrow::Status NotANumber(std::string_view text) {
  return NumberFormatError("For input string: \"" + std::string(text) + "\"");
}

}  // namespace millrace

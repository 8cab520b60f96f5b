#pragma once

#include <string_view>

namespace millrace::session {

/// Whether `value` of the setting `key` asks for answers that are not built: it is refused when it is set, not ignored.
/// `default_value`: Spark's, which is what is built.
bool AsksForUnbuilt(std::string_view key, std::string_view value, std::string_view default_value);

}  // namespace millrace::session

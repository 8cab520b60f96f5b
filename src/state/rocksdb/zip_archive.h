#pragma once

#include <arrow/result.h>

#include <map>
#include <string>
#include <string_view>

namespace millrace::state {

/// The files of a zip archive, by name. Reads stored and deflated entries, writes stored ones (what is archived here is
/// small or compressed already). Specification: PKWARE APPNOTE, without zip64. Errors: Invalid saying what is wrong
/// (any bytes are safe to give).
arrow::Result<std::map<std::string, std::string>> ReadZip(std::string_view bytes);
std::string WriteZip(const std::map<std::string, std::string>& files);

}  // namespace millrace::state

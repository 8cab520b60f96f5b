#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::format {

/// Appends `text` between double quotes, escaped as Jackson writes it: \" \\ \b \t \n \f \r, other control characters
/// as
/// \u001F. `ascii_only`: every other character outside ASCII as \u00E9 too (pairs for those outside the BMP).
void AppendJsonText(std::string_view text, bool ascii_only, std::string* out);

/// Appends a number as Java prints it ("1.0", "1.0E10"); NaN and infinities as strings, quoted.
void AppendJsonDouble(double value, std::string* out);
void AppendJsonFloat(float value, std::string* out);

/// Standard alphabet with padding, no line feeds.
void AppendBase64(std::string_view bytes, std::string* out);
/// Strict about padding; blanks are allowed between groups of four only, as Jackson reads it. False when malformed.
bool DecodeBase64(std::string_view text, std::string* bytes);

}  // namespace millrace::format

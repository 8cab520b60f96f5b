#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace {

/// A JSON document in memory, for the small texts of logs, options and protocols (data records are decoded by
/// format/json instead). Objects keep the order of their members; numbers keep their text, so that what was
/// read is written back unchanged. A value type.
class JsonValue {
 public:
  enum class Kind : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };
  using Member = std::pair<std::string, JsonValue>;

  JsonValue() = default;
  static JsonValue Bool(bool value);
  static JsonValue Number(int64_t value);
  static JsonValue Number(double value);
  static JsonValue NumberText(std::string text);
  static JsonValue String(std::string value);
  static JsonValue Array(std::vector<JsonValue> elements = {});
  static JsonValue Object(std::vector<Member> members = {});

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_number() const { return kind_ == Kind::kNumber; }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_array() const { return kind_ == Kind::kArray; }
  bool is_object() const { return kind_ == Kind::kObject; }

  /// The value, or false / 0 / "" when it is of another kind.
  bool AsBool() const { return kind_ == Kind::kBool && flag_; }
  int64_t AsInt64() const;
  double AsDouble() const;
  /// The characters of a string; the digits of a number.
  const std::string& AsString() const { return text_; }

  const std::vector<JsonValue>& elements() const { return elements_; }
  std::vector<JsonValue>& elements() { return elements_; }
  const std::vector<Member>& members() const { return members_; }
  std::vector<Member>& members() { return members_; }
  /// The member called `name`, or nullptr.
  const JsonValue* Find(std::string_view name) const;
  /// Adds or replaces a member and returns this object.
  JsonValue& Set(std::string name, JsonValue value);

  /// Compact text, as json4s and Jackson write it.
  std::string ToString() const;
  /// Indented by two spaces, `"a" : 1`, as json4s `pretty` writes it.
  std::string ToPrettyString() const;

 private:
  void Append(std::string* out) const;
  void AppendPretty(int indent, std::string* out) const;

  Kind kind_ = Kind::kNull;
  bool flag_ = false;
  std::string text_;
  std::vector<JsonValue> elements_;
  std::vector<Member> members_;
};

/// Parses one JSON document and nothing after it. Errors: Invalid with the byte position.
arrow::Result<JsonValue> ParseJson(std::string_view text);

/// Appends `text` as a JSON string with its quotes.
void AppendJsonString(std::string_view text, std::string* out);

}  // namespace millrace

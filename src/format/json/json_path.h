#pragma once

#include <arrow/result.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::format {

/// A path of get_json_object: "$.a[0]['b c'][*]". Immutable, thread-safe.
/// Source: JsonPathParser and GetJsonObjectEvaluator of Spark (Hive's rules); tests/sql/json/get_json_object.slt.
class JsonPath {
 public:
  /// nullopt when the text is no path (then every result is NULL).
  static std::optional<JsonPath> Parse(std::string_view text);

  /// Writes what the path finds in `record` to `out`: strings bare, everything else as compact JSON. False when there
  /// is nothing, or the text is malformed up to the match.
  bool Extract(std::string_view record, std::string* out) const;

 private:
  struct Step {
    enum class Kind : uint8_t { kKey, kNamed, kSubscript, kIndex, kWildcard };
    Kind kind;
    std::string name;
    int64_t index = 0;
  };
  friend class JsonPathWalk;
  std::vector<Step> steps_;
};

/// The members `names` of one object, each as get_json_object would write it; nullopt where there is none or it is
/// null. All nullopt when the record is malformed or no object. `values` has one entry a name. Source: JsonTuple; a
/// name given twice is filled twice.
void ExtractMembers(std::string_view record, const std::vector<std::optional<std::string>>& names,
                    std::vector<std::optional<std::string>>* values);

/// Number of elements of the array at the root; nullopt when it is none or malformed.
std::optional<int32_t> CountElements(std::string_view record);

/// Names of the members of the object at the root, in order; nullopt when it is none or malformed.
std::optional<std::vector<std::string>> MemberNames(std::string_view record);

}  // namespace millrace::format

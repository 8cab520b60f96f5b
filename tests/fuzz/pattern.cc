// Patterns that users give, other than dates': the first line is a glob, a topic pattern, a JSON path, a variant path
// and a number pattern; the rest is what they are tried on.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "connector/file/glob.h"
#include "connector/file/partition_path.h"
#include "connector/kafka/topic_pattern.h"
#include "format/json/json_path.h"
#include "function/scalar/string/number_pattern.h"
#include "variant/path.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace;  // NOLINT
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = input.find('\n');
  const std::string_view pattern = input.substr(0, line);
  const std::string_view text = line == std::string_view::npos ? std::string_view() : input.substr(line + 1);
  (void)connector::file::GlobMatches(pattern, text);
  (void)connector::file::ParsePartitionDirectory(text);
  if (auto topics = connector::kafka::TopicPattern::Compile(std::string(pattern)); topics.ok()) {
    (void)(*topics)->Matches(text);
  }
  if (auto path = format::JsonPath::Parse(pattern)) {
    std::string found;
    (void)path->Extract(text, &found);
  }
  std::vector<std::optional<std::string>> values(1);
  format::ExtractMembers(text, {std::string(pattern)}, &values);
  (void)format::CountElements(text);
  (void)format::MemberNames(text);
  (void)variant::ParsePath(pattern);
  if (auto numbers = function::NumberPattern::Parse(pattern); numbers.ok()) {
    (void)numbers->ToNumber(text);
    (void)numbers->Format("-1234.5");
    (void)numbers->Format("0");
  }
  return 0;
}

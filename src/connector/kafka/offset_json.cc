#include "connector/kafka/offset_json.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/json_value.h"

namespace millrace::connector::kafka {

namespace {

template <typename Integer>
std::optional<Integer> ParseInteger(std::string_view text) {
  Integer value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// {topic: {partition: integer}}, or nullopt when the text is anything else.
std::optional<PartitionOffsets> ParseNested(std::string_view json) {
  auto parsed = ParseJson(json);
  if (!parsed.ok() || !parsed->is_object()) return std::nullopt;
  PartitionOffsets offsets;
  for (const auto& [topic, partitions] : parsed->members()) {
    if (!partitions.is_object()) return std::nullopt;
    for (const auto& [partition, position] : partitions.members()) {
      auto number = ParseInteger<int32_t>(partition);
      auto value = position.is_number() ? ParseInteger<int64_t>(position.AsString()) : std::nullopt;
      if (!number || !value) return std::nullopt;
      offsets[{topic, *number}] = *value;
    }
  }
  return offsets;
}

}  // namespace

arrow::Result<PartitionOffsets> ParsePartitionOffsets(std::string_view json) {
  if (auto offsets = ParseNested(json)) return *std::move(offsets);
  return arrow::Status::Invalid(
      fmt::format(R"(Expected e.g. {{"topicA":{{"0":23,"1":-1}},"topicB":{{"0":-2}}}}, got {})", json));
}

arrow::Result<std::map<TopicPartition, int64_t>> ParsePartitionTimestamps(std::string_view json) {
  if (auto timestamps = ParseNested(json)) return *std::move(timestamps);
  return arrow::Status::Invalid(
      fmt::format("Expected e.g. {{\"topicA\": {{\"0\": 123456789, \"1\": 123456789}},\n"
                  "\"topicB\": {{\"0\": 123456789, \"1\": 123456789}}}}, got {}",
                  json));
}

arrow::Result<std::vector<TopicPartition>> ParsePartitions(std::string_view json) {
  auto malformed = [&] {
    return arrow::Status::Invalid(fmt::format(R"(Expected e.g. {{"topicA":[0,1],"topicB":[0,1]}}, got {})", json));
  };
  auto parsed = ParseJson(json);
  if (!parsed.ok() || !parsed->is_object()) return malformed();
  std::vector<TopicPartition> partitions;
  for (const auto& [topic, numbers] : parsed->members()) {
    if (!numbers.is_array()) return malformed();
    for (const JsonValue& element : numbers.elements()) {
      auto number = element.is_number() ? ParseInteger<int32_t>(element.AsString()) : std::nullopt;
      if (!number) return malformed();
      partitions.push_back({topic, *number});
    }
  }
  return partitions;
}

std::string FormatPartitionOffsets(const PartitionOffsets& offsets) {
  std::string text = "{";
  const std::string* topic = nullptr;
  for (const auto& [partition, offset] : offsets) {
    if (topic == nullptr || *topic != partition.topic) {
      if (topic != nullptr) text += "},";
      topic = &partition.topic;
      AppendJsonString(partition.topic, &text);
      text += ":{";
    } else {
      text += ',';
    }
    fmt::format_to(std::back_inserter(text), "\"{}\":{}", partition.partition, offset);
  }
  if (topic != nullptr) text += '}';
  text += '}';
  return text;
}

std::string EncodeInitialOffsets(const PartitionOffsets& offsets) {
  std::string bytes(1, '\0');
  bytes += "v1\n";
  bytes += FormatPartitionOffsets(offsets);
  return bytes;
}

arrow::Result<PartitionOffsets> DecodeInitialOffsets(std::string_view bytes) {
  if (bytes.size() < 2) return arrow::Status::Invalid("the file is empty");
  std::string_view text = bytes.substr(1);
  if (text.front() != 'v') return ParsePartitionOffsets(text);
  size_t newline = text.find('\n');
  if (newline == std::string_view::npos) {
    return arrow::Status::Invalid("Log file was malformed: failed to detect the log file version line.");
  }
  auto version = ParseInteger<int>(text.substr(1, newline - 1));
  if (!version || *version < 1) {
    return arrow::Status::Invalid(
        fmt::format("Log file was malformed: failed to read correct log version from {}.", text.substr(0, newline)));
  }
  if (*version > 1) {
    return arrow::Status::Invalid(fmt::format(
        "UnsupportedLogVersion: maximum supported log version is v1, but encountered v{}. The log file was produced by "
        "a newer version and cannot be read by this version.",
        *version));
  }
  return ParsePartitionOffsets(text.substr(newline + 1));
}

std::string DescribePartitions(const TopicPartitionSet& partitions) {
  std::string text = "Set(";
  for (const TopicPartition& partition : partitions) {
    if (text.size() > 4) text += ", ";
    text += partition.ToString();
  }
  return text + ")";
}

std::string DescribeOffsets(const PartitionOffsets& offsets) {
  std::string text = "Map(";
  for (const auto& [partition, offset] : offsets) {
    if (text.size() > 4) text += ", ";
    text += fmt::format("{} -> {}", partition.ToString(), offset);
  }
  return text + ")";
}

TopicPartitionSet PartitionsOf(const PartitionOffsets& offsets) {
  TopicPartitionSet partitions;
  for (const auto& entry : offsets) partitions.insert(entry.first);
  return partitions;
}

}  // namespace millrace::connector::kafka

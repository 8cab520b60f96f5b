#pragma once

#include <arrow/result.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace millrace::kafka {

enum class ClientRole {
  kConsumer,  ///< consumers and the requests about topics and offsets
  kProducer,
};

/// A client's settings in librdkafka's names, made from the Java client's names that Spark users write.
struct ClientConfig {
  std::map<std::string, std::string> properties;
  /// As given; part of each message about a broker that does not answer.
  std::string bootstrap_servers;
  /// `isolation.level=read_committed`: records of open and aborted transactions are not seen.
  bool read_committed = false;
  /// Longest wait for an answer to one call (Java: default.api.timeout.ms, max.block.ms).
  std::chrono::milliseconds api_timeout{60'000};
  /// Largest record that may be sent, bytes (Java: max.request.size).
  int64_t max_request_bytes = 1'048'576;
  /// One sentence for each setting that has no effect here.
  std::vector<std::string> warnings;
};

/// Translates `java_properties` (names without the `kafka.` prefix, any letter case in no name).
///
/// Settings without an equivalent are accepted with a warning when ignoring them cannot change results or security,
/// as the Java client accepts names it does not know; otherwise the error names the setting and what to give instead.
/// Defaults follow the Java client where they are visible (isolation level, partitioner, record size, timeouts).
arrow::Result<ClientConfig> TranslateClientConfig(ClientRole role,
                                                  const std::map<std::string, std::string>& java_properties);

/// The `key="value"` options of one JAAS login line, for example
/// `org.apache.kafka.common.security.plain.PlainLoginModule required username="a" password="b";`.
struct JaasLogin {
  std::string module;  ///< class name without its package
  std::map<std::string, std::string> options;
};
arrow::Result<JaasLogin> ParseJaasLogin(const std::string& text);

}  // namespace millrace::kafka

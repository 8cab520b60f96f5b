#include "kafka/client_config.h"

#include <arrow/status.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string_view>

#include "kafka/java_key_store.h"

namespace millrace::kafka {

namespace {

using Properties = std::map<std::string, std::string>;

enum class Audience { kBoth, kConsumer, kProducer };

/// A setting that librdkafka knows under the same or another name with the same values.
struct Renamed {
  std::string_view java;
  std::string_view native;
  Audience audience;
};

constexpr std::array kRenamed = {
    Renamed{"bootstrap.servers", "bootstrap.servers", Audience::kBoth},
    Renamed{"client.id", "client.id", Audience::kBoth},
    Renamed{"client.rack", "client.rack", Audience::kConsumer},
    Renamed{"security.protocol", "security.protocol", Audience::kBoth},
    Renamed{"sasl.mechanism", "sasl.mechanism", Audience::kBoth},
    Renamed{"ssl.cipher.suites", "ssl.cipher.suites", Audience::kBoth},
    Renamed{"ssl.truststore.certificates", "ssl.ca.pem", Audience::kBoth},
    Renamed{"ssl.keystore.certificate.chain", "ssl.certificate.pem", Audience::kBoth},
    Renamed{"ssl.keystore.key", "ssl.key.pem", Audience::kBoth},
    Renamed{"ssl.key.password", "ssl.key.password", Audience::kBoth},
    Renamed{"request.timeout.ms", "socket.timeout.ms", Audience::kBoth},
    Renamed{"socket.connection.setup.timeout.ms", "socket.connection.setup.timeout.ms", Audience::kBoth},
    Renamed{"connections.max.idle.ms", "connections.max.idle.ms", Audience::kBoth},
    Renamed{"metadata.max.age.ms", "metadata.max.age.ms", Audience::kBoth},
    Renamed{"reconnect.backoff.ms", "reconnect.backoff.ms", Audience::kBoth},
    Renamed{"reconnect.backoff.max.ms", "reconnect.backoff.max.ms", Audience::kBoth},
    Renamed{"retry.backoff.ms", "retry.backoff.ms", Audience::kProducer},
    Renamed{"isolation.level", "isolation.level", Audience::kConsumer},
    Renamed{"check.crcs", "check.crcs", Audience::kConsumer},
    Renamed{"fetch.min.bytes", "fetch.min.bytes", Audience::kConsumer},
    Renamed{"fetch.max.wait.ms", "fetch.wait.max.ms", Audience::kConsumer},
    Renamed{"fetch.max.bytes", "fetch.max.bytes", Audience::kConsumer},
    Renamed{"max.partition.fetch.bytes", "fetch.message.max.bytes", Audience::kConsumer},
    Renamed{"group.id", "group.id", Audience::kConsumer},
    Renamed{"acks", "acks", Audience::kProducer},
    Renamed{"linger.ms", "linger.ms", Audience::kProducer},
    Renamed{"batch.size", "batch.size", Audience::kProducer},
    Renamed{"compression.type", "compression.codec", Audience::kProducer},
    Renamed{"retries", "retries", Audience::kProducer},
    Renamed{"delivery.timeout.ms", "message.timeout.ms", Audience::kProducer},
    Renamed{"enable.idempotence", "enable.idempotence", Audience::kProducer},
    Renamed{"max.in.flight.requests.per.connection", "max.in.flight", Audience::kProducer},
};

/// Settings whose absence changes neither results nor security.
constexpr std::array<std::string_view, 32> kWithoutEffect = {
    "allow.auto.create.topics",
    "auto.commit.interval.ms",
    "auto.include.jmx.reporter",
    "client.dns.lookup",
    "default.list.key.serde.inner",
    "enable.metrics.push",
    "exclude.internal.topics",
    "fetch.min.wait.ms",
    "group.instance.id",
    "group.protocol",
    "group.remote.assignor",
    "heartbeat.interval.ms",
    "max.poll.interval.ms",
    "max.poll.records",
    "metadata.max.idle.ms",
    "metadata.recovery.strategy",
    "metric.reporters",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "partition.assignment.strategy",
    "partitioner.adaptive.partitioning.enable",
    "partitioner.availability.timeout.ms",
    "partitioner.ignore.keys",
    "receive.buffer.bytes",
    "retry.backoff.max.ms",
    "sasl.login.refresh.window.factor",
    "send.buffer.bytes",
    "session.timeout.ms",
    "ssl.protocol",
    "ssl.enabled.protocols",
    "socket.connection.setup.timeout.max.ms",
};

/// Those of them that have to be numbers all the same. Source: Kafka, ConsumerConfig, ProducerConfig.
struct NumberWithoutEffect {
  std::string_view java;
  std::string_view type;
  Audience audience;
};

constexpr std::array kNumbersWithoutEffect = {
    NumberWithoutEffect{"auto.commit.interval.ms", "INT", Audience::kConsumer},
    NumberWithoutEffect{"heartbeat.interval.ms", "INT", Audience::kConsumer},
    NumberWithoutEffect{"max.poll.interval.ms", "INT", Audience::kConsumer},
    NumberWithoutEffect{"max.poll.records", "INT", Audience::kConsumer},
    NumberWithoutEffect{"session.timeout.ms", "INT", Audience::kConsumer},
    NumberWithoutEffect{"metadata.max.idle.ms", "LONG", Audience::kProducer},
    NumberWithoutEffect{"partitioner.availability.timeout.ms", "LONG", Audience::kProducer},
    NumberWithoutEffect{"metrics.num.samples", "INT", Audience::kBoth},
    NumberWithoutEffect{"metrics.sample.window.ms", "LONG", Audience::kBoth},
    NumberWithoutEffect{"receive.buffer.bytes", "INT", Audience::kBoth},
    NumberWithoutEffect{"retry.backoff.max.ms", "LONG", Audience::kBoth},
    NumberWithoutEffect{"send.buffer.bytes", "INT", Audience::kBoth},
    NumberWithoutEffect{"socket.connection.setup.timeout.max.ms", "LONG", Audience::kBoth},
};

struct Refused {
  std::string_view java;
  std::string_view instead;
};

constexpr std::array kRefused = {
    Refused{"ssl.engine.factory.class", "Java classes cannot be loaded; give PEM certificates"},
    Refused{"ssl.keymanager.algorithm", "give the key and its certificate chain as PEM"},
    Refused{"ssl.trustmanager.algorithm", "give the trusted certificates as PEM"},
    Refused{"security.providers", "Java classes cannot be loaded"},
    Refused{"interceptor.classes", "interceptors could change the records"},
    Refused{"sasl.client.callback.handler.class", "Java classes cannot be loaded; use PLAIN or SCRAM"},
    Refused{"sasl.login.callback.handler.class", "Java classes cannot be loaded; use PLAIN or SCRAM"},
    Refused{"sasl.login.class", "Java classes cannot be loaded; use PLAIN or SCRAM"},
    Refused{"transactional.id", "records are written without transactions, as Spark does"},
    Refused{"config.providers", "give the values themselves"},
};

arrow::Status BadSetting(std::string_view java, std::string_view why) {
  return arrow::Status::Invalid(fmt::format("Kafka option 'kafka.{}' is not supported: {}.", java, why));
}

bool Applies(Audience audience, ClientRole role) {
  return audience == Audience::kBoth || (audience == Audience::kConsumer) == (role == ClientRole::kConsumer);
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

/// `type`: Kafka's, "INT" or "LONG".
arrow::Result<int64_t> IntegerSetting(std::string_view java, const std::string& value, std::string_view type = "LONG") {
  int64_t number = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  bool fits = type == "LONG" || number == static_cast<int32_t>(number);
  if (error != std::errc() || end != value.data() + value.size() || !fits) {
    return arrow::Status::Invalid(
        fmt::format("Invalid value {} for configuration {}: Not a number of type {}", value, java, type));
  }
  return number;
}

arrow::Status CheckNumberWithoutEffect(ClientRole role, std::string_view java, const std::string& value) {
  auto number = std::find_if(kNumbersWithoutEffect.begin(), kNumbersWithoutEffect.end(),
                             [&](const NumberWithoutEffect& row) { return row.java == java; });
  if (number == kNumbersWithoutEffect.end() || !Applies(number->audience, role)) return arrow::Status::OK();
  return IntegerSetting(java, value, number->type).status();
}

/// A store that librdkafka cannot read itself. Source: Kafka, DefaultSslEngineFactory, for the words of the error.
struct StoreFile {
  std::string location;
  std::string type;
  std::string bytes;

  arrow::Status Refused(const arrow::Status& why) const {
    return arrow::Status::Invalid(
        fmt::format("Failed to load SSL keystore {} of type {}: {}", location, type, why.message()));
  }
};

arrow::Result<StoreFile> ReadStore(std::string location, std::string type) {
  StoreFile store{std::move(location), std::move(type), {}};
  if (store.type != "JKS" && store.type != "PKCS12") {
    return store.Refused(arrow::Status::Invalid("only PEM, JKS and PKCS12 can be read"));
  }
  std::ifstream file(store.location, std::ios::binary);
  store.bytes.assign(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || file.bad()) return store.Refused(arrow::Status::Invalid("the file cannot be read"));
  return store;
}

arrow::Result<std::string> TrustedCertificates(const StoreFile& store, const std::string& password) {
  if (IsPkcs12(store.bytes)) return ReadPkcs12Certificates(store.bytes, password);
  ARROW_ASSIGN_OR_RAISE(JavaKeyStore read, ReadJavaKeyStore(store.bytes, password, ""));
  return read.trusted_certificates;
}

/// Stores of PEM files are given to librdkafka as they are, and those of PKCS#12 with a client's own key.
arrow::Status TranslateStores(const Properties& java, Properties* native) {
  auto value_of = [&java](const std::string& key) {
    auto given = java.find(key);
    return given == java.end() ? std::string() : given->second;
  };
  auto type_of = [&](const std::string& prefix, const std::string& location) {
    std::string given = value_of(prefix + ".type");
    if (!given.empty()) return Upper(given);
    if (location.ends_with(".pem") || location.ends_with(".crt")) return std::string("PEM");
    if (location.ends_with(".p12") || location.ends_with(".pfx")) return std::string("PKCS12");
    return std::string("JKS");
  };
  // Without TLS nobody looks at them.
  if (!Upper(value_of("security.protocol")).ends_with("SSL")) return arrow::Status::OK();
  if (std::string location = value_of("ssl.truststore.location"); !location.empty()) {
    std::string type = type_of("ssl.truststore", location);
    if (type == "PEM") {
      (*native)["ssl.ca.location"] = location;
    } else {
      ARROW_ASSIGN_OR_RAISE(StoreFile store, ReadStore(location, type));
      auto certificates = TrustedCertificates(store, value_of("ssl.truststore.password"));
      if (!certificates.ok()) return store.Refused(certificates.status());
      if (certificates->empty()) {
        return store.Refused(arrow::Status::Invalid("the trustAnchors parameter must be non-empty"));
      }
      (*native)["ssl.ca.pem"] = *certificates;
    }
  }
  if (std::string location = value_of("ssl.keystore.location"); !location.empty()) {
    std::string type = type_of("ssl.keystore", location);
    const std::string password = value_of("ssl.keystore.password");
    if (type == "PEM") {
      (*native)["ssl.certificate.location"] = location;
      (*native)["ssl.key.location"] = location;
    } else {
      ARROW_ASSIGN_OR_RAISE(StoreFile store, ReadStore(location, type));
      if (IsPkcs12(store.bytes)) {
        (*native)["ssl.keystore.location"] = location;
        if (!password.empty()) (*native)["ssl.keystore.password"] = password;
      } else {
        std::string key_password = value_of("ssl.key.password");
        auto read = ReadJavaKeyStore(store.bytes, password, key_password.empty() ? password : key_password);
        if (!read.ok()) return store.Refused(read.status());
        if (read->private_key.empty()) return store.Refused(arrow::Status::Invalid("it has no private key"));
        (*native)["ssl.certificate.pem"] = read->certificate_chain;
        (*native)["ssl.key.pem"] = read->private_key;
        native->erase("ssl.key.password");
      }
    }
  }
  if (auto check = java.find("ssl.endpoint.identification.algorithm"); check != java.end()) {
    (*native)["ssl.endpoint.identification.algorithm"] = check->second.empty() ? "none" : Lower(check->second);
  }
  return arrow::Status::OK();
}

arrow::Status TranslateLogin(const Properties& java, Properties* native) {
  auto protocol = java.find("security.protocol");
  if (protocol != java.end()) {
    static constexpr std::array<std::string_view, 4> kProtocols = {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"};
    if (std::find(kProtocols.begin(), kProtocols.end(), Upper(protocol->second)) == kProtocols.end()) {
      return arrow::Status::Invalid(
          fmt::format("Invalid value {} for configuration security.protocol: must be one of PLAINTEXT, SSL, "
                      "SASL_PLAINTEXT, SASL_SSL",
                      protocol->second));
    }
    (*native)["security.protocol"] = Lower(protocol->second);
  }
  auto mechanism = java.find("sasl.mechanism");
  if (mechanism != java.end()) {
    static constexpr std::array<std::string_view, 3> kMechanisms = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};
    if (std::find(kMechanisms.begin(), kMechanisms.end(), mechanism->second) == kMechanisms.end()) {
      return BadSetting("sasl.mechanism",
                        fmt::format("{} is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512", mechanism->second));
    }
  }
  if (protocol != java.end() && Upper(protocol->second).starts_with("SASL") && mechanism == java.end()) {
    return BadSetting("security.protocol",
                      "its default mechanism, Kerberos (GSSAPI), is not built in; set "
                      "kafka.sasl.mechanism to PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512");
  }
  auto jaas = java.find("sasl.jaas.config");
  if (jaas == java.end()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(JaasLogin login, ParseJaasLogin(jaas->second));
  if (login.module == "PlainLoginModule" || login.module == "ScramLoginModule") {
    for (const char* name : {"username", "password"}) {
      auto option = login.options.find(name);
      if (option == login.options.end()) {
        return BadSetting("sasl.jaas.config", fmt::format("{} has no {}", login.module, name));
      }
      (*native)[std::string("sasl.") + name] = option->second;
    }
    return arrow::Status::OK();
  }
  return BadSetting("sasl.jaas.config",
                    fmt::format("the login module {} is none of PlainLoginModule, ScramLoginModule", login.module));
}

/// What librdkafka takes where Java takes more. Beyond it nothing changes that a query could tell, so that the nearest
/// value does. Source: librdkafka's CONFIGURATION.md.
struct Range {
  std::string_view native;
  int64_t min;
  int64_t max;
};

constexpr std::array kRanges = {
    Range{"socket.timeout.ms", 10, 300'000},
    Range{"socket.connection.setup.timeout.ms", 1000, 2'147'483'647},
    Range{"connections.max.idle.ms", 0, 2'147'483'647},
    Range{"metadata.max.age.ms", 1, 86'400'000},
    Range{"reconnect.backoff.ms", 0, 3'600'000},
    Range{"reconnect.backoff.max.ms", 0, 3'600'000},
    Range{"retry.backoff.ms", 1, 300'000},
    Range{"fetch.min.bytes", 1, 100'000'000},
    Range{"fetch.wait.max.ms", 0, 300'000},
    Range{"fetch.max.bytes", 1000, 2'147'483'135},
    Range{"fetch.message.max.bytes", 1, 1'000'000'000},
    Range{"linger.ms", 0, 900'000},
    Range{"batch.size", 1, 2'147'483'647},
    Range{"message.timeout.ms", 1, 2'147'483'647},
    Range{"queue.buffering.max.kbytes", 1, 2'147'483'647},
};

void BringIntoRange(Properties* native) {
  for (const Range& range : kRanges) {
    auto found = native->find(std::string(range.native));
    if (found == native->end()) continue;
    std::string& text = found->second;
    int64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    // What is no number is librdkafka's to refuse.
    if (error != std::errc() || end != text.data() + text.size()) continue;
    if (number < range.min || number > range.max) text = std::to_string(std::clamp(number, range.min, range.max));
  }
}

int64_t NumberOf(const Properties& native, const std::string& name, int64_t fallback) {
  auto found = native.find(name);
  if (found == native.end()) return fallback;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), fallback);
  return fallback;
}

/// librdkafka wants its limits in order: the largest request within a fetch, a fetch within a response, a wait within a
/// request's timeout.
void PutFetchLimitsInOrder(Properties* native) {
  const int64_t fetch_bytes = NumberOf(*native, "fetch.max.bytes", 52'428'800);
  // Requests of a consumer are small: this limit is a producer's.
  if (fetch_bytes < 1'000'000) (*native)["message.max.bytes"] = std::to_string(fetch_bytes);
  if (NumberOf(*native, "receive.message.max.bytes", 0) < fetch_bytes + 512) {
    (*native)["receive.message.max.bytes"] = std::to_string(fetch_bytes + 512);
  }
  const int64_t wait_ms = std::min<int64_t>(NumberOf(*native, "fetch.wait.max.ms", 500), 299'000);
  (*native)["fetch.wait.max.ms"] = std::to_string(wait_ms);
  if (NumberOf(*native, "socket.timeout.ms", 60'000) < wait_ms + 1000) {
    (*native)["socket.timeout.ms"] = std::to_string(wait_ms + 1000);
  }
}

void SetConsumerDefaults(Properties* native) {
  // The engine alone says what is read; nothing is committed to a group, and an offset that is gone is an error.
  (*native)["enable.auto.commit"] = "false";
  (*native)["enable.auto.offset.store"] = "false";
  (*native)["auto.offset.reset"] = "error";
  (*native)["enable.partition.eof"] = "true";
  native->emplace("isolation.level", "read_uncommitted");
  native->emplace("fetch.message.max.bytes", "1048576");
  native->emplace("fetch.max.bytes", "52428800");
  // How soon a queue that was full is looked at again.
  native->emplace("fetch.queue.backoff.ms", "10");
  // A connection has one fetch under way: this is how long a partition that was moved, or whose queue has room again,
  // waits for the others' fetch that finds nothing.
  native->emplace("fetch.wait.max.ms", "100");
  native->emplace("queued.min.messages", "100000");
  native->emplace("queued.max.messages.kbytes", "65536");
  // A batch larger than the fetch limits is still sent whole by the broker.
  native->emplace("receive.message.max.bytes", "1073741824");
}

void SetProducerDefaults(Properties* native) {
  native->emplace("enable.idempotence", "true");
  native->emplace("acks", "all");
  // Java's placement: murmur2 of the key; records without a key go to a partition that changes now and then.
  native->emplace("partitioner", "murmur2_random");
  native->emplace("message.timeout.ms", "120000");
  native->emplace("linger.ms", "5");
  native->emplace("queue.buffering.max.kbytes", "65536");
  native->emplace("queue.buffering.max.messages", "1000000");
  native->emplace("delivery.report.only.error", "true");
}

}  // namespace

arrow::Result<JaasLogin> ParseJaasLogin(const std::string& text) {
  auto malformed = [&](std::string_view why) {
    return arrow::Status::Invalid(fmt::format("JAAS config for 'kafka.sasl.jaas.config' is malformed: {}", why));
  };
  size_t i = 0;
  auto skip_space = [&] {
    while (i < text.size() && std::isspace(static_cast<unsigned char>(text[i]))) ++i;
  };
  auto word = [&] {
    size_t start = i;
    while (i < text.size() && !std::isspace(static_cast<unsigned char>(text[i])) && text[i] != '=' && text[i] != ';')
      ++i;
    return text.substr(start, i - start);
  };
  JaasLogin login;
  skip_space();
  login.module = word();
  if (login.module.empty()) return malformed("no login module");
  if (size_t dot = login.module.rfind('.'); dot != std::string::npos) login.module.erase(0, dot + 1);
  skip_space();
  static constexpr std::array<std::string_view, 4> kFlags = {"required", "requisite", "sufficient", "optional"};
  if (std::string flag = Lower(word()); std::find(kFlags.begin(), kFlags.end(), flag) == kFlags.end()) {
    return malformed("the control flag must be required, requisite, sufficient or optional");
  }
  for (;;) {
    skip_space();
    if (i >= text.size()) return malformed("a semicolon is missing at the end");
    if (text[i] == ';') return login;
    std::string name = word();
    skip_space();
    if (name.empty() || i >= text.size() || text[i] != '=') return malformed("an option is not name=value");
    ++i;
    skip_space();
    std::string value;
    if (i < text.size() && (text[i] == '"' || text[i] == '\'')) {
      char quote = text[i++];
      while (i < text.size() && text[i] != quote) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        value += text[i++];
      }
      if (i >= text.size()) return malformed("a quote is not closed");
      ++i;
    } else {
      value = word();
    }
    login.options[name] = value;
  }
}

arrow::Result<ClientConfig> TranslateClientConfig(ClientRole role, const Properties& java_properties) {
  ClientConfig config;
  Properties& native = config.properties;
  for (const auto& [name, value] : java_properties) {
    auto renamed = std::find_if(kRenamed.begin(), kRenamed.end(), [&](const Renamed& row) { return row.java == name; });
    if (renamed != kRenamed.end()) {
      if (Applies(renamed->audience, role)) native[std::string(renamed->native)] = value;
      continue;
    }
    auto refused = std::find_if(kRefused.begin(), kRefused.end(), [&](const Refused& row) { return row.java == name; });
    if (refused != kRefused.end()) return BadSetting(name, refused->instead);

    if (name == "default.api.timeout.ms" || name == "max.block.ms") {
      ARROW_ASSIGN_OR_RAISE(int64_t timeout_ms, IntegerSetting(name, value, name == "max.block.ms" ? "LONG" : "INT"));
      if ((name == "max.block.ms") == (role == ClientRole::kProducer)) {
        config.api_timeout = std::chrono::milliseconds(timeout_ms);
      }
    } else if (name == "max.request.size") {
      ARROW_ASSIGN_OR_RAISE(config.max_request_bytes, IntegerSetting(name, value, "INT"));
    } else if (name == "buffer.memory") {
      ARROW_ASSIGN_OR_RAISE(int64_t bytes, IntegerSetting(name, value));
      native["queue.buffering.max.kbytes"] = std::to_string(std::max<int64_t>(1, bytes / 1024));
    } else if (name == "partitioner.class") {
      if (!value.empty() && !value.ends_with("DefaultPartitioner") && !value.ends_with("UniformStickyPartitioner")) {
        return BadSetting(name, "Java classes cannot be loaded; give a 'partition' column instead");
      }
    } else if (name.starts_with("ssl.truststore.") || name.starts_with("ssl.keystore.") || name == "sasl.jaas.config" ||
               name == "ssl.endpoint.identification.algorithm") {
      // Read below, where they make sense together.
    } else if (std::find(kWithoutEffect.begin(), kWithoutEffect.end(), name) != kWithoutEffect.end()) {
      ARROW_RETURN_NOT_OK(CheckNumberWithoutEffect(role, name, value));
      config.warnings.push_back(fmt::format("The Kafka option 'kafka.{}' has no effect here", name));
    } else {
      config.warnings.push_back(fmt::format("The Kafka option 'kafka.{}' was supplied but isn't a known config", name));
    }
  }
  ARROW_RETURN_NOT_OK(TranslateStores(java_properties, &native));
  ARROW_RETURN_NOT_OK(TranslateLogin(java_properties, &native));

  BringIntoRange(&native);
  if (role == ClientRole::kConsumer) {
    SetConsumerDefaults(&native);
    PutFetchLimitsInOrder(&native);
  } else {
    SetProducerDefaults(&native);
    if (config.max_request_bytes < 1000 || config.max_request_bytes > 1'000'000'000) {
      return BadSetting("max.request.size", "it must be between 1000 and 1000000000");
    }
    // The client counts the protocol's own bytes too; what does not fit is refused before with a clearer message.
    native["message.max.bytes"] = std::to_string(std::min<int64_t>(1'000'000'000, config.max_request_bytes + 1024));
    if (native["acks"] != "all" && native["acks"] != "-1") {
      if (java_properties.contains("enable.idempotence") && Lower(native["enable.idempotence"]) == "true") {
        return arrow::Status::Invalid(
            "Must set acks to all in order to use the idempotent producer. "
            "Otherwise we cannot guarantee idempotence.");
      }
      native["enable.idempotence"] = "false";
    }
    // librdkafka accepts at most this many retries; Java's default is "for ever", bounded by the delivery timeout.
    native.erase("retries");
  }
  native.emplace("socket.nagle.disable", "true");
  native.emplace("reconnect.backoff.ms", "20");
  native.emplace("reconnect.backoff.max.ms", "1000");
  native.emplace("log_level", "4");
  native.emplace("enable.metrics.push", "false");
  config.bootstrap_servers = native["bootstrap.servers"];
  // Partitions are assigned, nothing is committed: a group would only cost a coordinator's attention.
  native.erase("group.id");
  config.read_committed = Lower(native["isolation.level"]) == "read_committed";
  if (role == ClientRole::kProducer)
    native.erase("isolation.level");
  else
    native["isolation.level"] = config.read_committed ? "read_committed" : "read_uncommitted";
  return config;
}

}  // namespace millrace::kafka

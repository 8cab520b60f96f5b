#include "kafka/client_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kafka/native_client.h"

namespace millrace::kafka {
namespace {

using testing::HasSubstr;

ClientConfig Translate(ClientRole role, std::map<std::string, std::string> settings) {
  settings.emplace("bootstrap.servers", "b:9092");
  auto config = TranslateClientConfig(role, settings);
  EXPECT_TRUE(config.ok()) << config.status().ToString();
  return *config;
}

std::string Refusal(ClientRole role, std::map<std::string, std::string> settings) {
  auto config = TranslateClientConfig(role, settings);
  return config.ok() ? "accepted" : config.status().message();
}

TEST(ClientConfigTest, ConsumerReadsUncommittedAndCommitsNothing) {
  ClientConfig config = Translate(ClientRole::kConsumer, {{"group.id", "g"}});
  EXPECT_EQ(config.properties["isolation.level"], "read_uncommitted");
  EXPECT_EQ(config.properties["enable.auto.commit"], "false");
  EXPECT_FALSE(config.properties.contains("group.id"));
  EXPECT_FALSE(config.read_committed);
  EXPECT_TRUE(Translate(ClientRole::kConsumer, {{"isolation.level", "read_committed"}}).read_committed);
}

TEST(ClientConfigTest, ProducerIsIdempotentUnlessAcksSaysOtherwise) {
  EXPECT_EQ(Translate(ClientRole::kProducer, {}).properties["enable.idempotence"], "true");
  EXPECT_EQ(Translate(ClientRole::kProducer, {{"acks", "1"}}).properties["enable.idempotence"], "false");
  EXPECT_THAT(Refusal(ClientRole::kProducer, {{"acks", "1"}, {"enable.idempotence", "true"}}),
              HasSubstr("acks to all"));
}

TEST(ClientConfigTest, SizesAndTimesOfTheJavaClient) {
  ClientConfig config = Translate(ClientRole::kProducer, {{"max.request.size", "10485760"},
                                                          {"buffer.memory", "33554432"},
                                                          {"max.block.ms", "5000"},
                                                          {"compression.type", "zstd"}});
  EXPECT_EQ(config.max_request_bytes, 10'485'760);
  EXPECT_EQ(config.properties["queue.buffering.max.kbytes"], "32768");
  EXPECT_EQ(config.properties["compression.codec"], "zstd");
  EXPECT_EQ(config.api_timeout.count(), 5000);
}

TEST(ClientConfigTest, LimitsThatJavaTakesOpenAClient) {
  const std::map<std::string, std::string> kConsumerSettings[] = {
      {{"fetch.max.bytes", "2000"}, {"max.partition.fetch.bytes", "1000"}},
      {{"fetch.max.bytes", "0"}, {"max.partition.fetch.bytes", "0"}, {"fetch.min.bytes", "0"}},
      {{"fetch.max.bytes", "2147483647"}, {"max.partition.fetch.bytes", "2147483647"}},
      {{"request.timeout.ms", "900000"}, {"fetch.max.wait.ms", "600000"}, {"connections.max.idle.ms", "-1"}},
      {{"request.timeout.ms", "500"}, {"retry.backoff.ms", "0"}, {"metadata.max.age.ms", "0"}},
  };
  for (const auto& settings : kConsumerSettings) {
    auto client = NativeClient::Open(ClientRole::kConsumer, Translate(ClientRole::kConsumer, settings));
    EXPECT_TRUE(client.ok()) << client.status().ToString();
  }
  const std::map<std::string, std::string> kProducerSettings[] = {
      {{"batch.size", "0"}, {"linger.ms", "0"}, {"buffer.memory", "10"}},
      {{"request.timeout.ms", "900000"}, {"delivery.timeout.ms", "2147483647"}, {"retry.backoff.ms", "0"}},
  };
  for (const auto& settings : kProducerSettings) {
    auto client = NativeClient::Open(ClientRole::kProducer, Translate(ClientRole::kProducer, settings));
    EXPECT_TRUE(client.ok()) << client.status().ToString();
  }
}

TEST(ClientConfigTest, JaasLine) {
  ClientConfig config = Translate(
      ClientRole::kConsumer, {{"security.protocol", "SASL_SSL"},
                              {"sasl.mechanism", "SCRAM-SHA-512"},
                              {"sasl.jaas.config", R"(org.apache.kafka.common.security.scram.ScramLoginModule required
                               username="ann" password="a \"b\"; c";)"},
                              {"ssl.truststore.type", "PEM"},
                              {"ssl.truststore.location", "/etc/ca.pem"},
                              {"ssl.endpoint.identification.algorithm", ""}});
  EXPECT_EQ(config.properties["security.protocol"], "sasl_ssl");
  EXPECT_EQ(config.properties["sasl.username"], "ann");
  EXPECT_EQ(config.properties["sasl.password"], R"(a "b"; c)");
  EXPECT_EQ(config.properties["ssl.ca.location"], "/etc/ca.pem");
  EXPECT_EQ(config.properties["ssl.endpoint.identification.algorithm"], "none");
}

TEST(ClientConfigTest, MalformedJaasIsAnError) {
  for (const char* text : {"", "Module", "Module required", "Module required a", "Module required a=\"b;"}) {
    EXPECT_FALSE(ParseJaasLogin(text).ok()) << text;
  }
}

TEST(ClientConfigTest, WhatCannotBeHonouredSaysWhatToGiveInstead) {
  EXPECT_THAT(
      Refusal(ClientRole::kConsumer, {{"security.protocol", "SSL"}, {"ssl.truststore.location", "/no/such/trust.jks"}}),
      HasSubstr("Failed to load SSL keystore /no/such/trust.jks of type JKS"));
  EXPECT_THAT(Refusal(ClientRole::kConsumer, {{"security.protocol", "SSL"},
                                              {"ssl.truststore.type", "BKS"},
                                              {"ssl.truststore.location", "/no/such/trust.bks"}}),
              HasSubstr("only PEM, JKS and PKCS12"));
  EXPECT_THAT(Refusal(ClientRole::kProducer, {{"transactional.id", "x"}}), HasSubstr("kafka.transactional.id"));
  EXPECT_THAT(Refusal(ClientRole::kConsumer, {{"sasl.mechanism", "OAUTHBEARER"}}), HasSubstr("SCRAM-SHA-256"));
  EXPECT_THAT(Refusal(ClientRole::kConsumer, {{"security.protocol", "SASL_SSL"}}), HasSubstr("Kerberos"));
  EXPECT_THAT(Refusal(ClientRole::kConsumer, {{"security.protocol", "TLS"}}), HasSubstr("SASL_SSL"));
}

// Kafka's own client, 3.9: ConfigException with these words.
TEST(ClientConfigTest, NumbersAreNumbersEvenWhereTheyHaveNoEffect) {
  EXPECT_EQ(Refusal(ClientRole::kConsumer, {{"session.timeout.ms", "x"}}),
            "Invalid value x for configuration session.timeout.ms: Not a number of type INT");
  EXPECT_EQ(Refusal(ClientRole::kConsumer, {{"max.poll.records", "4294967296"}}),
            "Invalid value 4294967296 for configuration max.poll.records: Not a number of type INT");
  EXPECT_EQ(Refusal(ClientRole::kProducer, {{"retry.backoff.max.ms", ""}}),
            "Invalid value  for configuration retry.backoff.max.ms: Not a number of type LONG");
  EXPECT_EQ(Refusal(ClientRole::kProducer, {{"session.timeout.ms", "x"}}), "accepted");
  EXPECT_EQ(Refusal(ClientRole::kConsumer, {{"session.timeout.ms", "30000"}}), "accepted");
}

TEST(ClientConfigTest, UnknownNamesAreAcceptedWithAWarning) {
  ClientConfig config = Translate(ClientRole::kConsumer, {{"max.poll.records", "10"}, {"my.own", "1"}});
  EXPECT_THAT(config.warnings, testing::ElementsAre(HasSubstr("max.poll.records"), HasSubstr("isn't a known config")));
}

}  // namespace
}  // namespace millrace::kafka

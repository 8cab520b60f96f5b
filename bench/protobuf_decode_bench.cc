// How many messages a core decodes in a second with from_protobuf's decoder, beside Google's parser, which makes
// objects of them and no columns.

#include <benchmark/benchmark.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>

#include "format/protobuf/protobuf_decoder.h"

namespace {

using namespace millrace;

constexpr int kNumMessages = 20000;

/// visit_id, event_time (s, ns), page, user {id, country, age}, scores.
google::protobuf::FileDescriptorSet Schema() {
  using Field = google::protobuf::FieldDescriptorProto;
  google::protobuf::FileDescriptorSet set;
  auto* file = set.add_file();
  file->set_name("visit.proto");
  file->set_syntax("proto3");
  auto add = [](google::protobuf::DescriptorProto* message, const char* name, Field::Type type, const char* of = "",
                bool repeated = false) {
    auto* field = message->add_field();
    field->set_name(name);
    field->set_number(message->field_size());
    field->set_type(type);
    field->set_label(repeated ? Field::LABEL_REPEATED : Field::LABEL_OPTIONAL);
    if (*of != '\0') field->set_type_name(of);
  };
  auto* timestamp = file->add_message_type();
  timestamp->set_name("Timestamp");
  add(timestamp, "seconds", Field::TYPE_INT64);
  add(timestamp, "nanos", Field::TYPE_INT32);
  auto* user = file->add_message_type();
  user->set_name("User");
  add(user, "id", Field::TYPE_STRING);
  add(user, "country", Field::TYPE_STRING);
  add(user, "age", Field::TYPE_INT32);
  auto* visit = file->add_message_type();
  visit->set_name("Visit");
  add(visit, "visit_id", Field::TYPE_INT64);
  add(visit, "event_time", Field::TYPE_MESSAGE, ".Timestamp");
  add(visit, "page", Field::TYPE_STRING);
  add(visit, "user", Field::TYPE_MESSAGE, ".User");
  add(visit, "scores", Field::TYPE_INT32, "", /*repeated=*/true);
  return set;
}

std::vector<std::string> Messages(const google::protobuf::Message& prototype) {
  const auto& visit = *prototype.GetDescriptor();
  auto set = [](google::protobuf::Message* message, const char* name, const std::string& value) {
    message->GetReflection()->SetString(message, message->GetDescriptor()->FindFieldByName(name), value);
  };
  std::vector<std::string> messages;
  for (int i = 0; i < kNumMessages; ++i) {
    std::unique_ptr<google::protobuf::Message> message(prototype.New());
    const auto* reflection = message->GetReflection();
    reflection->SetInt64(message.get(), visit.FindFieldByName("visit_id"), int64_t{7919} * i);
    auto* time = reflection->MutableMessage(message.get(), visit.FindFieldByName("event_time"));
    time->GetReflection()->SetInt64(time, time->GetDescriptor()->FindFieldByName("seconds"), 1'700'000'000 + i);
    time->GetReflection()->SetInt32(time, time->GetDescriptor()->FindFieldByName("nanos"), i * 1000);
    set(message.get(), "page", "/products/category-" + std::to_string(i % 40) + "/item-" + std::to_string(i % 5000));
    auto* user = reflection->MutableMessage(message.get(), visit.FindFieldByName("user"));
    set(user, "id", "user-" + std::to_string(100000 + i));
    set(user, "country", "DE");
    user->GetReflection()->SetInt32(user, user->GetDescriptor()->FindFieldByName("age"), 18 + i % 60);
    for (int k = 0; k < i % 4; ++k) {
      reflection->AddInt32(message.get(), visit.FindFieldByName("scores"), k * i);
    }
    messages.push_back(message->SerializeAsString());
  }
  return messages;
}

struct Fixture {
  Fixture() {
    google::protobuf::FileDescriptorSet set = Schema();
    descriptors = format::ProtobufDescriptors::Parse(set.SerializeAsString()).ValueOrDie();
    prototype = factory.GetPrototype(descriptors->FindMessage("Visit").ValueOrDie());
    messages = Messages(*prototype);
    for (const std::string& message : messages) num_bytes += static_cast<int64_t>(message.size());
  }
  void Report(benchmark::State& state) const {
    state.SetItemsProcessed(state.iterations() * kNumMessages);
    state.SetBytesProcessed(state.iterations() * num_bytes);
  }
  std::shared_ptr<const format::ProtobufDescriptors> descriptors;
  google::protobuf::DynamicMessageFactory factory;
  const google::protobuf::Message* prototype = nullptr;
  std::vector<std::string> messages;
  int64_t num_bytes = 0;
};

void DecodeIntoColumns(benchmark::State& state) {
  Fixture fixture;
  format::ProtobufOptions options;
  auto schema = format::BindProtobuf(fixture.descriptors, "Visit", options).ValueOrDie();
  format::ProtobufDecoder decoder(schema, options, schema.type, arrow::default_memory_pool());
  for (auto _ : state) {
    for (const std::string& message : fixture.messages) {
      if (!decoder.Append(message)) std::abort();
    }
    benchmark::DoNotOptimize(decoder.Finish());
  }
  fixture.Report(state);
}
BENCHMARK(DecodeIntoColumns);

void ParseIntoObjects(benchmark::State& state) {
  Fixture fixture;
  std::unique_ptr<google::protobuf::Message> message(fixture.prototype->New());
  for (auto _ : state) {
    for (const std::string& bytes : fixture.messages) {
      if (!message->ParseFromString(bytes)) std::abort();
      benchmark::DoNotOptimize(message.get());
    }
  }
  fixture.Report(state);
}
BENCHMARK(ParseIntoObjects);

}  // namespace


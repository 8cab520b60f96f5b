#include "format/protobuf/protobuf_decoder.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver.h>
#include <google/protobuf/util/type_resolver_util.h>

#include <bit>

#include "base/utf8.h"
#include "format/protobuf/protobuf_wire.h"

namespace millrace::format {

using types::TypeId;

namespace {

/// Messages within messages, as protobuf's own parsers allow.
constexpr int kDeepest = 100;
constexpr int64_t kMicrosASecond = 1'000'000;
constexpr const char* kTypeUrls = "type.googleapis.com";

int64_t Unzigzag(uint64_t bits) { return static_cast<int64_t>(bits >> 1) ^ -static_cast<int64_t>(bits & 1); }

/// "Not there" and the default are the same for fields without presence.
bool IsDefault(const ProtobufField& field, uint64_t bits, std::string_view bytes) {
  return field.wire == ProtobufWire::kLength ? bytes.empty() : bits == 0;
}

}  // namespace

/// Prints google.protobuf.Any, with the messages of the descriptor set.
class ProtobufDecoder::JsonPrinter {
 public:
  JsonPrinter(const ProtobufDescriptors& descriptors, bool enums_as_ints)
      : resolver_(google::protobuf::util::NewTypeResolverForDescriptorPool(kTypeUrls, &descriptors.pool())) {
    options_.preserve_proto_field_names = true;
    options_.always_print_enums_as_ints = enums_as_ints;
  }
  bool Print(std::string_view bytes, std::string* json) const {
    json->clear();
    return google::protobuf::util::BinaryToJsonString(resolver_.get(), std::string(kTypeUrls) + "/google.protobuf.Any",
                                                      std::string(bytes), json, options_)
        .ok();
  }

 private:
  std::unique_ptr<google::protobuf::util::TypeResolver> resolver_;
  google::protobuf::util::JsonPrintOptions options_;
};

ProtobufDecoder::ProtobufDecoder(ProtobufSchema schema, const ProtobufOptions& options, types::DataTypePtr type,
                                 arrow::MemoryPool* pool)
    : schema_(std::move(schema)),
      emit_default_values_(options.emit_default_values),
      enums_as_ints_(options.enums_as_ints),
      column_(type, pool) {}
ProtobufDecoder::~ProtobufDecoder() = default;

bool ProtobufDecoder::Append(std::string_view bytes) {
  int64_t before = column_.length();
  bool read = ReadMessage(*schema_.message, bytes, /*is_root=*/true, 0, &column_);
  occurrences_.clear();
  slots_.clear();
  merged_.clear();
  if (!read) column_.Truncate(before);
  return read;
}

bool ProtobufDecoder::Set(const ProtobufMessage& message, const ProtobufField& field, size_t slots,
                          Occurrence occurrence) {
  if (field.oneof >= 0) {
    for (size_t i = 0; i < message.fields.size(); ++i) {
      if (message.fields[i].oneof == field.oneof && &message.fields[i] != &field) slots_[slots + i] = {};
    }
  }
  Slot& slot = slots_[slots + static_cast<size_t>(&field - message.fields.data())];
  bool gathers = field.repeated || field.op == ProtobufOp::kMessage || field.message != nullptr;
  auto place = static_cast<int>(occurrences_.size());
  if (slot.first < 0 || !gathers) {
    slot = {place, place};
  } else {
    occurrences_[static_cast<size_t>(slot.last)].next = place;
    slot.last = place;
  }
  occurrences_.push_back(occurrence);
  return true;
}

/// Leaves a slot for each field of the message at the end of slots_.
bool ProtobufDecoder::Scan(const ProtobufMessage& message, std::string_view bytes, bool is_root, int depth) {
  if (depth > kDeepest) return false;
  size_t slots = slots_.size();
  slots_.resize(slots + message.fields.size());
  ProtobufCursor cursor(bytes);
  while (!cursor.at_end()) {
    int number, wire;
    if (!cursor.Tag(&number, &wire)) return false;
    Occurrence occurrence;
    if (!cursor.Value(wire, number, depth, &occurrence.bits, &occurrence.bytes)) return false;
    const ProtobufField* field = message.Find(number);
    if (field == nullptr) continue;
    bool fits = wire == static_cast<int>(field->wire);
    if (!fits && field->packable && field->repeated && wire == 2) occurrence.packed = fits = true;
    if (fits && field->closed && !occurrence.packed) {
      fits = field->enum_names.contains(static_cast<int32_t>(occurrence.bits));
    }
    if (!fits) {
      // A field that is written in another way is one that the message does not know. Of the outermost message Spark
      // takes that for a wrong schema.
      if (is_root) return false;
      continue;
    }
    if (field->checks_utf8 && !IsValidUtf8(occurrence.bytes)) return false;
    Set(message, *field, slots, occurrence);
  }
  if (message.any_required) {
    for (size_t i = 0; i < message.fields.size(); ++i) {
      if (message.fields[i].required && slots_[slots + i].first < 0) return false;
    }
  }
  return true;
}

bool ProtobufDecoder::ReadMessage(const ProtobufMessage& message, std::string_view bytes, bool is_root, int depth,
                                  ColumnWriter* out) {
  size_t slots = slots_.size(), occurrences = occurrences_.size();
  if (!Scan(message, bytes, is_root, depth)) return false;
  int written = 0;
  for (size_t i = 0; i < message.fields.size(); ++i) {
    const ProtobufField& field = message.fields[i];
    if (field.column < 0) continue;
    if (!AppendField(field, slots_[slots + i], /*always=*/false, depth,
                     &out->child(static_cast<size_t>(field.column)))) {
      return false;
    }
    ++written;
  }
  if (written < message.num_columns) out->child(0).AppendNull();  // of a message that is retained without fields
  out->EndStruct();
  slots_.resize(slots);
  occurrences_.resize(occurrences);
  return true;
}

std::string_view ProtobufDecoder::Merged(Slot slot) {
  if (slot.first < 0) return {};
  const Occurrence& first = occurrences_[static_cast<size_t>(slot.first)];
  if (first.next < 0) return first.bytes;
  std::string& all = merged_.emplace_back();
  for (int i = slot.first; i >= 0; i = occurrences_[static_cast<size_t>(i)].next) {
    all += occurrences_[static_cast<size_t>(i)].bytes;
  }
  return all;
}

bool ProtobufDecoder::AppendField(const ProtobufField& field, Slot slot, bool always, int depth, ColumnWriter* out) {
  if (field.op == ProtobufOp::kMap) return AppendMap(field, slot, depth, out);
  if (field.repeated) return AppendList(field, slot, depth, out);
  if (slot.first >= 0) {
    if (field.message != nullptr) return AppendValue(field, 0, Merged(slot), depth, out);
    const Occurrence& last = occurrences_[static_cast<size_t>(slot.last)];
    if (field.has_presence || always || !IsDefault(field, last.bits, last.bytes)) {
      return AppendValue(field, last.bits, last.bytes, depth, out);
    }
  }
  if (always || field.has_default || (!field.has_presence && emit_default_values_)) {
    return AppendValue(field, field.default_bits, field.default_bytes, depth, out);
  }
  out->AppendNull();
  return true;
}

bool ProtobufDecoder::AppendList(const ProtobufField& field, Slot slot, int depth, ColumnWriter* out) {
  ColumnWriter* element = &out->child(0);
  for (int i = slot.first; i >= 0; i = occurrences_[static_cast<size_t>(i)].next) {
    Occurrence occurrence = occurrences_[static_cast<size_t>(i)];
    if (!occurrence.packed) {
      if (!AppendValue(field, occurrence.bits, occurrence.bytes, depth, element)) return false;
      continue;
    }
    ProtobufCursor cursor(occurrence.bytes);
    while (!cursor.at_end()) {
      uint64_t bits;
      std::string_view none;
      if (!cursor.Value(static_cast<int>(field.wire), field.number, depth, &bits, &none)) return false;
      if (field.closed && !field.enum_names.contains(static_cast<int32_t>(bits))) continue;
      if (!AppendValue(field, bits, none, depth, element)) return false;
    }
  }
  out->EndList();
  return true;
}

bool ProtobufDecoder::AppendMap(const ProtobufField& field, Slot slot, int depth, ColumnWriter* out) {
  for (int i = slot.first; i >= 0; i = occurrences_[static_cast<size_t>(i)].next) {
    size_t slots = slots_.size(), occurrences = occurrences_.size();
    if (!Scan(*field.message, occurrences_[static_cast<size_t>(i)].bytes, /*is_root=*/false, depth + 1)) return false;
    for (size_t k = 0; k < 2; ++k) {
      const ProtobufField& part = field.message->fields[k];
      ColumnWriter* column = &out->child(static_cast<size_t>(part.column));
      if (!AppendField(part, slots_[slots + k], /*always=*/true, depth + 1, column)) return false;
    }
    slots_.resize(slots);
    occurrences_.resize(occurrences);
  }
  out->EndList();
  return true;
}

bool ProtobufDecoder::AppendInner(const ProtobufField& field, std::string_view bytes, int depth, ColumnWriter* out) {
  size_t slots = slots_.size(), occurrences = occurrences_.size();
  if (!Scan(*field.message, bytes, /*is_root=*/false, depth + 1)) return false;
  if (field.op == ProtobufOp::kWrapped) {
    if (!AppendField(field.message->fields[0], slots_[slots], /*always=*/false, depth + 1, out)) return false;
  } else {
    auto last = [&](size_t i) {
      Slot slot = slots_[slots + i];
      return slot.first < 0 ? 0 : static_cast<int64_t>(occurrences_[static_cast<size_t>(slot.last)].bits);
    };
    int64_t micros;
    if (__builtin_mul_overflow(last(0), kMicrosASecond, &micros) ||
        __builtin_add_overflow(micros, static_cast<int32_t>(last(1)) / 1000, &micros)) {
      return false;
    }
    out->Append(micros);
  }
  slots_.resize(slots);
  occurrences_.resize(occurrences);
  return true;
}

bool ProtobufDecoder::AppendValue(const ProtobufField& field, uint64_t bits, std::string_view bytes, int depth,
                                  ColumnWriter* out) {
  switch (field.op) {
    case ProtobufOp::kBoolean:
      out->Append<uint8_t>(bits != 0 ? 1 : 0);
      return true;
    case ProtobufOp::kInt32:
    case ProtobufOp::kEnumNumber:
      out->Append(static_cast<int32_t>(bits));
      return true;
    case ProtobufOp::kUint32:
      out->Append(static_cast<int64_t>(static_cast<uint32_t>(bits)));
      return true;
    case ProtobufOp::kInt64:
      out->Append(static_cast<int64_t>(bits));
      return true;
    case ProtobufOp::kUint64:
      out->Append(arrow::Decimal128(/*high=*/0, bits));
      return true;
    case ProtobufOp::kZigzag32:
      out->Append(static_cast<int32_t>(Unzigzag(static_cast<uint32_t>(bits))));
      return true;
    case ProtobufOp::kZigzag64:
      out->Append(Unzigzag(bits));
      return true;
    case ProtobufOp::kFloat:
      out->Append(std::bit_cast<float>(static_cast<uint32_t>(bits)));
      return true;
    case ProtobufOp::kDouble:
      out->Append(std::bit_cast<double>(bits));
      return true;
    case ProtobufOp::kString:
      if (field.checks_utf8 || IsValidUtf8(bytes)) {
        out->AppendBytes(bytes);
      } else {
        out->AppendBytes(ReplaceInvalidUtf8(bytes));
      }
      return true;
    case ProtobufOp::kBytes:
      out->AppendBytes(bytes);
      return true;
    case ProtobufOp::kEnumName: {
      auto number = static_cast<int32_t>(bits);
      auto name = field.enum_names.find(number);
      if (name != field.enum_names.end()) {
        out->AppendBytes(name->second);
      } else {
        out->AppendBytes("UNKNOWN_ENUM_VALUE_" + field.enum_type + "_" + std::to_string(number));
      }
      return true;
    }
    case ProtobufOp::kMessage:
      return ReadMessage(*field.message, bytes, /*is_root=*/false, depth + 1, out);
    case ProtobufOp::kTimestamp:
    case ProtobufOp::kDuration:
    case ProtobufOp::kWrapped:
      return AppendInner(field, bytes, depth, out);
    case ProtobufOp::kAnyJson: {
      if (json_ == nullptr) json_ = std::make_unique<JsonPrinter>(*schema_.descriptors, enums_as_ints_);
      std::string json;
      if (!json_->Print(bytes, &json)) return false;
      out->AppendBytes(json);
      return true;
    }
    case ProtobufOp::kMap:
      break;
  }
  return false;
}

}  // namespace millrace::format

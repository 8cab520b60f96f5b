#include "format/json/json_encoder.h"

#include <arrow/array/util.h>
#include <arrow/util/bit_util.h>

#include <charconv>
#include <vector>

#include "format/byte_sink.h"
#include "format/json/json_text.h"
#include "format/json/json_tokenizer.h"
#include "format/value_text.h"
#include "format/variant/variant_json.h"
#include "types/datetime_text.h"
#include "types/interval_text.h"
#include "types/number_text.h"

namespace millrace::format {

using types::TypeId;

namespace {

/// One node of the type, and the buffers of the column being written.
struct Node {
  types::DataTypePtr type;
  TypeId id = TypeId::kNull;
  /// `,"name":` of a struct's field.
  std::string label;
  std::vector<Node> children;

  const uint8_t* validity = nullptr;
  const uint8_t* values = nullptr;
  const int32_t* offsets = nullptr;
  const char* bytes = nullptr;
  /// Added to a row's number before the buffers are indexed.
  int64_t offset = 0;

  bool IsNull(int64_t row) const {
    if (id == TypeId::kNull) return true;
    return validity != nullptr && !arrow::bit_util::GetBit(validity, row + offset);
  }
  template <typename T>
  T Value(int64_t row) const {
    T value;
    std::memcpy(&value, values + (row + offset) * static_cast<int64_t>(sizeof(T)), sizeof(T));
    return value;
  }
  std::string_view Bytes(int64_t row) const {
    const int32_t* at = offsets + row + offset;
    return {bytes + at[0], static_cast<size_t>(at[1] - at[0])};
  }
};

Node MakeNode(const types::DataTypePtr& type, bool ascii_only) {
  Node node;
  node.type = type;
  node.id = type->id();
  if (node.id == TypeId::kStruct) {
    for (const types::StructField& field : type->fields()) {
      node.children.push_back(MakeNode(field.type, ascii_only));
      std::string& label = node.children.back().label;
      label = ",";
      AppendJsonText(field.name, ascii_only, &label);
      label += ":";
    }
  } else if (node.id == TypeId::kArray) {
    node.children.push_back(MakeNode(type->element(), ascii_only));
  } else if (node.id == TypeId::kMap) {
    node.children.push_back(MakeNode(type->key(), ascii_only));
    node.children.push_back(MakeNode(type->value(), ascii_only));
  } else if (node.id == TypeId::kVariant) {
    node.children.assign(2, MakeNode(types::Binary(), ascii_only));  // value and metadata
  }
  return node;
}

void Bind(const arrow::ArrayData& data, int64_t parent_offset, Node* node) {
  node->offset = data.offset + parent_offset;
  node->validity = data.buffers[0] != nullptr && data.null_count != 0 ? data.buffers[0]->data() : nullptr;
  auto buffer = [&](size_t i) -> const uint8_t* {
    return i < data.buffers.size() && data.buffers[i] != nullptr ? data.buffers[i]->data() : nullptr;
  };
  node->values = buffer(1);
  node->offsets = reinterpret_cast<const int32_t*>(buffer(1));
  node->bytes = reinterpret_cast<const char*>(buffer(2));
  if (node->id == TypeId::kStruct || node->id == TypeId::kVariant) {
    for (size_t i = 0; i < node->children.size(); ++i) Bind(*data.child_data[i], node->offset, &node->children[i]);
  } else if (node->id == TypeId::kArray) {
    Bind(*data.child_data[0], 0, &node->children[0]);
  } else if (node->id == TypeId::kMap) {
    const arrow::ArrayData& entries = *data.child_data[0];
    Bind(*entries.child_data[0], entries.offset, &node->children[0]);
    Bind(*entries.child_data[1], entries.offset, &node->children[1]);
  }
}

bool HasBinaryMapKey(const types::DataType& type) {
  switch (type.id()) {
    case TypeId::kStruct:
      for (const types::StructField& field : type.fields()) {
        if (HasBinaryMapKey(*field.type)) return true;
      }
      return false;
    case TypeId::kArray:
      return HasBinaryMapKey(*type.element());
    case TypeId::kMap:
      return type.key()->id() == TypeId::kBinary || HasBinaryMapKey(*type.value());
    default:
      return false;
  }
}

}  // namespace

class JsonEncoder::Implementation {
 public:
  Implementation(const types::DataTypePtr& type, const JsonOptions& options, DateTimeWriter datetimes)
      : root_(MakeNode(type, options.write_non_ascii_as_code_point)),
        datetimes_(std::move(datetimes)),
        ignore_nulls_(options.ignore_null_fields),
        pretty_(options.pretty),
        ascii_only_(options.write_non_ascii_as_code_point),
        zone_(options.time_zone) {}

  arrow::Result<std::shared_ptr<arrow::Array>> Encode(const arrow::Array& values, arrow::MemoryPool* pool) {
    int64_t num_rows = values.length();
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets,
                          arrow::AllocateBuffer((num_rows + 1) * static_cast<int64_t>(sizeof(int32_t)), pool));
    auto* ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
    // As long as those of the batch before, and an eighth more.
    ByteSink sink(pool, num_rows * bytes_per_row_ * 9 / 8);
    sink_ = &sink;
    Bind(*values.data(), 0, &root_);
    ends[0] = 0;
    std::shared_ptr<arrow::Buffer> validity;
    int64_t num_nulls = 0;
    if (values.null_count() > 0) {
      ARROW_ASSIGN_OR_RAISE(validity, arrow::AllocateEmptyBitmap(num_rows, pool));
    }
    for (int64_t i = 0; i < num_rows; ++i) {
      if (validity != nullptr && values.IsNull(i)) {
        ++num_nulls;
      } else {
        if (validity != nullptr) arrow::bit_util::SetBit(validity->mutable_data(), i);
        if (pretty_) {
          WritePretty(root_, i, 0);
        } else {
          Write(root_, i);
        }
      }
      if (sink.size() > INT32_MAX) {
        return arrow::Status::CapacityError("to_json: a column of texts passes 2^31 bytes; use smaller batches");
      }
      ends[i + 1] = static_cast<int32_t>(sink.size());
    }
    ARROW_RETURN_NOT_OK(std::exchange(variant_status_, arrow::Status::OK()));
    if (num_rows > 0) bytes_per_row_ = sink.size() / num_rows + 1;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes, sink.Finish());
    return arrow::MakeArray(arrow::ArrayData::Make(
        arrow::utf8(), num_rows, {std::move(validity), std::move(offsets), std::move(bytes)}, num_nulls));
  }

 private:
  template <typename T>
  void WriteInteger(T value) {
    char* out = sink_->Reserve(24);
    sink_->Advance(static_cast<size_t>(std::to_chars(out, out + 24, value).ptr - out));
  }

  /// Appends what `append(std::string*)` makes.
  template <typename Fn>
  void WriteScratch(Fn&& append) {
    scratch_.clear();
    append(&scratch_);
    sink_->Append(scratch_);
  }
  template <typename Fn>
  void WriteQuoted(Fn&& append) {
    scratch_.assign(1, '"');
    append(&scratch_);
    scratch_.push_back('"');
    sink_->Append(scratch_);
  }
  /// A text that may need escapes.
  template <typename Fn>
  void WriteText(Fn&& append) {
    scratch_.clear();
    append(&scratch_);
    WriteString(scratch_);
  }

  void WriteString(std::string_view text) {
    constexpr uint64_t kOnes = 0x0101010101010101;
    constexpr uint64_t kHighs = kOnes << 7;
    char* out = sink_->Reserve(text.size() + 2);
    *out++ = '"';
    uint64_t special = 0;
    uint64_t non_ascii = 0;
    size_t i = 0;
    auto check = [&](uint64_t word) {
      uint64_t quote = word ^ (kOnes * '"');
      uint64_t backslash = word ^ (kOnes * '\\');
      special |= ((word - kOnes * 0x20) | (quote - kOnes) | (backslash - kOnes)) & ~word & kHighs;
      non_ascii |= word & kHighs;
    };
    for (; i + 8 <= text.size(); i += 8) {
      uint64_t word;
      std::memcpy(&word, text.data() + i, 8);
      std::memcpy(out + i, &word, 8);
      check(word);
    }
    if (i < text.size()) {
      uint64_t word = kOnes * ' ';
      std::memcpy(&word, text.data() + i, text.size() - i);
      std::memcpy(out + i, &word, 8);
      check(word);
    }
    if ((special | non_ascii) == 0 || (special == 0 && !ascii_only_ && IsValidUtf8(text))) {
      out[text.size()] = '"';
      sink_->Advance(text.size() + 2);
      return;
    }
    escaped_.clear();
    if (IsValidUtf8(text)) {
      AppendJsonText(text, ascii_only_, &escaped_);
    } else {
      AppendJsonText(ReplaceInvalidUtf8(text), ascii_only_, &escaped_);
    }
    sink_->Append(escaped_);
  }

  void WriteScalar(const Node& node, int64_t row) {
    switch (node.id) {
      case TypeId::kBoolean:
        sink_->Append(arrow::bit_util::GetBit(node.values, row + node.offset) ? std::string_view("true")
                                                                              : std::string_view("false"));
        return;
      case TypeId::kByte:
        return WriteInteger(int32_t{node.Value<int8_t>(row)});
      case TypeId::kShort:
        return WriteInteger(int32_t{node.Value<int16_t>(row)});
      case TypeId::kInteger:
        return WriteInteger(node.Value<int32_t>(row));
      case TypeId::kLong:
        return WriteInteger(node.Value<int64_t>(row));
      case TypeId::kFloat:
        return WriteScratch([&](std::string* out) { AppendJsonFloat(node.Value<float>(row), out); });
      case TypeId::kDouble:
        return WriteScratch([&](std::string* out) { AppendJsonDouble(node.Value<double>(row), out); });
      case TypeId::kDecimal:
        return WriteScratch([&](std::string* out) {
          types::AppendDecimal(node.Value<arrow::Decimal128>(row), node.type->scale(), out);
        });
      case TypeId::kString:
        return WriteString(node.Bytes(row));
      case TypeId::kBinary:
        return WriteQuoted([&](std::string* out) { AppendBase64(node.Bytes(row), out); });
      case TypeId::kDate:
      case TypeId::kTimestamp:
      case TypeId::kTimestampNtz:
        return WriteDateTime(node, row);
      case TypeId::kYearMonthInterval:
      case TypeId::kDayTimeInterval:
      case TypeId::kCalendarInterval:
        return WriteText([&](std::string* out) { AppendInterval(node, row, out); });
      case TypeId::kTime:
        return WriteText([&](std::string* out) { datetimes_.AppendTimeOfDay(node.Value<int64_t>(row), out); });
      case TypeId::kVariant:
        return WriteVariant(node, row);
      default:
        sink_->Append("null");
    }
  }

  void WriteVariant(const Node& node, int64_t row) {
    scratch_.clear();
    auto value = variant::Variant::Make(node.children[0].Bytes(row), node.children[1].Bytes(row));
    arrow::Status status = value.ok() ? AppendVariantJson(*value, *zone_, &scratch_) : value.status();
    if (!status.ok()) variant_status_ = std::move(status);
    sink_->Append(scratch_);
  }

  void WriteDateTime(const Node& node, int64_t row) {
    char* out = sink_->Reserve(DateTimeWriter::kShortTextMax + 2);
    size_t size = 0;
    out[0] = '"';
    if (node.id == TypeId::kDate) {
      size = datetimes_.WriteDate(node.Value<int32_t>(row), out + 1);
    } else if (node.id == TypeId::kTimestamp) {
      size = datetimes_.WriteTimestamp(node.Value<int64_t>(row), out + 1);
    } else {
      size = datetimes_.WriteTimestampNtz(node.Value<int64_t>(row), out + 1);
    }
    if (size > 0) {
      out[size + 1] = '"';
      sink_->Advance(size + 2);
      return;
    }
    WriteText([&](std::string* text) {
      if (node.id == TypeId::kDate) {
        datetimes_.AppendDate(node.Value<int32_t>(row), text);
      } else if (node.id == TypeId::kTimestamp) {
        datetimes_.AppendTimestamp(node.Value<int64_t>(row), text);
      } else {
        datetimes_.AppendTimestampNtz(node.Value<int64_t>(row), text);
      }
    });
  }

  static void AppendInterval(const Node& node, int64_t row, std::string* out) {
    if (node.id == TypeId::kYearMonthInterval) {
      types::AppendYearMonthInterval(node.Value<int32_t>(row), node.type->start_field(), node.type->end_field(), out);
    } else if (node.id == TypeId::kDayTimeInterval) {
      types::AppendDayTimeInterval(node.Value<int64_t>(row), node.type->start_field(), node.type->end_field(), out);
    } else {
      auto value = node.Value<arrow::MonthDayNanoIntervalType::MonthDayNanos>(row);
      types::AppendCalendarInterval({value.months, value.days, value.nanoseconds / 1000}, out);
    }
  }

  /// A map's key as the name of a member: what Spark's internal value prints, so a date is its day number.
  void AppendKey(const Node& node, int64_t row, std::string* out) const {
    if (node.IsNull(row)) {
      out->append("null");
      return;
    }
    switch (node.id) {
      case TypeId::kBoolean:
        out->append(arrow::bit_util::GetBit(node.values, row + node.offset) ? "true" : "false");
        return;
      case TypeId::kByte:
        out->append(std::to_string(node.Value<int8_t>(row)));
        return;
      case TypeId::kShort:
        out->append(std::to_string(node.Value<int16_t>(row)));
        return;
      case TypeId::kInteger:
      case TypeId::kDate:
      case TypeId::kYearMonthInterval:
        out->append(std::to_string(node.Value<int32_t>(row)));
        return;
      case TypeId::kLong:
      case TypeId::kTimestamp:
      case TypeId::kTimestampNtz:
      case TypeId::kDayTimeInterval:
      case TypeId::kTime:
        out->append(std::to_string(node.Value<int64_t>(row)));
        return;
      case TypeId::kFloat:
        return types::AppendFloat(node.Value<float>(row), out);
      case TypeId::kDouble:
        return types::AppendDouble(node.Value<double>(row), out);
      case TypeId::kDecimal:
        return types::AppendDecimal(node.Value<arrow::Decimal128>(row), node.type->scale(), out);
      case TypeId::kString:
        out->append(node.Bytes(row));
        return;
      case TypeId::kStruct:
        for (size_t i = 0; i < node.children.size(); ++i) {
          out->push_back(i == 0 ? '[' : ',');
          AppendKey(node.children[i], row, out);
        }
        out->append(node.children.empty() ? "[]" : "]");
        return;
      case TypeId::kArray: {
        const int32_t* at = node.offsets + row + node.offset;
        out->push_back('[');
        for (int32_t i = at[0]; i < at[1]; ++i) {
          if (i > at[0]) out->push_back(',');
          AppendKey(node.children[0], i, out);
        }
        out->push_back(']');
        return;
      }
      default:
        AppendInterval(node, row, out);
    }
  }

  void WriteKey(const Node& key, int64_t row) {
    if (key.id == TypeId::kString) return WriteString(key.Bytes(row));
    key_.clear();
    AppendKey(key, row, &key_);
    WriteString(key_);
  }

  void Write(const Node& node, int64_t row) {
    switch (node.id) {
      case TypeId::kStruct: {
        sink_->Append('{');
        bool first = true;
        for (const Node& field : node.children) {
          bool is_null = field.IsNull(row);
          if (is_null && ignore_nulls_) continue;
          std::string_view label = field.label;
          if (first) label.remove_prefix(1);
          first = false;
          sink_->Append(label);
          if (is_null) {
            sink_->Append("null");
          } else {
            Write(field, row);
          }
        }
        sink_->Append('}');
        return;
      }
      case TypeId::kArray: {
        const int32_t* at = node.offsets + row + node.offset;
        const Node& element = node.children[0];
        sink_->Append('[');
        for (int32_t i = at[0]; i < at[1]; ++i) {
          if (i > at[0]) sink_->Append(',');
          if (element.IsNull(i)) {
            sink_->Append("null");
          } else {
            Write(element, i);
          }
        }
        sink_->Append(']');
        return;
      }
      case TypeId::kMap: {
        const int32_t* at = node.offsets + row + node.offset;
        sink_->Append('{');
        for (int32_t i = at[0]; i < at[1]; ++i) {
          if (i > at[0]) sink_->Append(',');
          WriteKey(node.children[0], i);
          sink_->Append(':');
          if (node.children[1].IsNull(i)) {
            sink_->Append("null");
          } else {
            Write(node.children[1], i);
          }
        }
        sink_->Append('}');
        return;
      }
      default:
        WriteScalar(node, row);
    }
  }

  void NewLine(int depth) {
    sink_->Append('\n');
    for (int i = 0; i < depth; ++i) sink_->Append("  ");
  }

  void WritePrettyOrNull(const Node& node, int64_t row, int depth) {
    if (node.IsNull(row)) {
      sink_->Append("null");
    } else {
      WritePretty(node, row, depth);
    }
  }

  /// Objects one member a line, arrays on one line, as Jackson's default printer.
  void WritePretty(const Node& node, int64_t row, int depth) {
    switch (node.id) {
      case TypeId::kStruct: {
        sink_->Append('{');
        bool first = true;
        for (const Node& field : node.children) {
          if (ignore_nulls_ && field.IsNull(row)) continue;
          if (!first) sink_->Append(',');
          first = false;
          NewLine(depth + 1);
          sink_->Append(std::string_view(field.label).substr(1, field.label.size() - 2));
          sink_->Append(" : ");
          WritePrettyOrNull(field, row, depth + 1);
        }
        if (first) {
          sink_->Append(' ');
        } else {
          NewLine(depth);
        }
        sink_->Append('}');
        return;
      }
      case TypeId::kArray: {
        const int32_t* at = node.offsets + row + node.offset;
        sink_->Append('[');
        for (int32_t i = at[0]; i < at[1]; ++i) {
          sink_->Append(i > at[0] ? std::string_view(", ") : std::string_view(" "));
          WritePrettyOrNull(node.children[0], i, depth);
        }
        sink_->Append(" ]");
        return;
      }
      case TypeId::kMap: {
        const int32_t* at = node.offsets + row + node.offset;
        sink_->Append('{');
        for (int32_t i = at[0]; i < at[1]; ++i) {
          if (i > at[0]) sink_->Append(',');
          NewLine(depth + 1);
          WriteKey(node.children[0], i);
          sink_->Append(" : ");
          WritePrettyOrNull(node.children[1], i, depth + 1);
        }
        if (at[0] == at[1]) {
          sink_->Append(' ');
        } else {
          NewLine(depth);
        }
        sink_->Append('}');
        return;
      }
      default:
        WriteScalar(node, row);
    }
  }

  Node root_;
  DateTimeWriter datetimes_;
  bool ignore_nulls_;
  bool pretty_;
  bool ascii_only_;
  const types::TimeZone* zone_;
  /// A malformed variant, told when the column is done.
  arrow::Status variant_status_;
  ByteSink* sink_ = nullptr;
  int64_t bytes_per_row_ = 0;
  std::string scratch_;
  std::string escaped_;
  std::string key_;
};

JsonEncoder::JsonEncoder(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
JsonEncoder::~JsonEncoder() = default;

arrow::Result<std::unique_ptr<JsonEncoder>> JsonEncoder::Make(const types::DataTypePtr& type,
                                                              const JsonOptions& options) {
  if (HasBinaryMapKey(*type)) {
    return arrow::Status::NotImplemented("to_json of a map with BINARY keys: Spark writes the address of the array");
  }
  ARROW_ASSIGN_OR_RAISE(DateTimeWriter datetimes, DateTimeWriter::Make(options));
  return std::unique_ptr<JsonEncoder>(
      new JsonEncoder(std::make_unique<Implementation>(type, options, std::move(datetimes))));
}

arrow::Result<std::shared_ptr<arrow::Array>> JsonEncoder::Encode(const arrow::Array& values, arrow::MemoryPool* pool) {
  return implementation_->Encode(values, pool);
}

}  // namespace millrace::format

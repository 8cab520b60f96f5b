#include "format/avro/avro_decoder.h"

#include "format/avro/avro_step.h"
#include "types/data_type.h"

namespace millrace::format {

using types::TypeId;

namespace {

using Op = AvroStep::Op;

/// Values within values, for schemas that refer to themselves.
constexpr int kMaxDepth = 1000;
/// Items that take no bytes (nulls, empty records) cannot be checked against the bytes that are left.
constexpr int64_t kMaxEmptyItems = 1 << 24;
constexpr int64_t kMillisADay = 86'400'000;

}  // namespace

AvroDecoder::AvroDecoder(AvroDecoderConfig config, std::unique_ptr<AvroStep> root, arrow::MemoryPool* pool)
    : config_(std::move(config)), root_(std::move(root)), column_(config_.type, pool) {}
AvroDecoder::~AvroDecoder() = default;

arrow::Result<std::unique_ptr<AvroDecoder>> AvroDecoder::Make(AvroDecoderConfig config, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto root, BindAvro(config));
  return std::unique_ptr<AvroDecoder>(new AvroDecoder(std::move(config), std::move(root), pool));
}

bool AvroDecoder::Append(AvroCursor* cursor) {
  int64_t before = column_.length();
  error_.clear();
  if (Read(*root_, cursor, &column_)) return true;
  if (error_.empty()) error_ = "Malformed data: the bytes are no value of the schema";
  column_.Truncate(before);
  return false;
}

void AvroDecoder::AppendMalformed() {
  if (column_.id() != TypeId::kStruct) return column_.AppendNull();
  for (ColumnWriter& child : column_.children()) child.AppendNull();
  column_.EndStruct();
}

bool AvroDecoder::Fail(std::string message) {
  error_ = std::move(message);
  return false;
}

bool AvroDecoder::StoreNumber(const AvroStep& step, int64_t value, ColumnWriter* out) {
  switch (step.store) {
    case AvroStore::kInt32:
      out->Append(static_cast<int32_t>(value));
      return true;
    case AvroStore::kInt64:
      out->Append(value);
      return true;
    case AvroStore::kFloat:
      out->Append(static_cast<float>(value));
      return true;
    case AvroStore::kDouble:
      out->Append(static_cast<double>(value));
      return true;
    case AvroStore::kMillisToMicros: {
      int64_t micros;
      if (__builtin_mul_overflow(value, int64_t{1000}, &micros)) return Fail("long overflow");
      out->Append(micros);
      return true;
    }
    case AvroStore::kMillisToDays:
      out->Append(static_cast<int32_t>(value / kMillisADay));
      return true;
  }
  return false;
}

bool AvroDecoder::ReadDecimal(std::string_view bytes, ColumnWriter* out) {
  arrow::Decimal128 value;
  if (!AvroDecimal(bytes, out->type()->precision(), &value)) return Fail("the decimal has too many digits");
  out->Append(value);
  return true;
}

bool AvroDecoder::Read(const AvroStep& step, AvroCursor* cursor, ColumnWriter* out) {
  switch (step.op) {
    case Op::kError:
      return Fail(step.error);
    case Op::kNull:
      out->AppendNull();
      return true;
    case Op::kBoolean: {
      bool value;
      if (!cursor->Boolean(&value)) return false;
      out->Append<uint8_t>(value ? 1 : 0);
      return true;
    }
    case Op::kNumber: {
      int64_t value;
      if (step.writer->kind == AvroKind::kInt) {
        int32_t narrow;
        if (!cursor->Int(&narrow)) return false;
        value = narrow;
      } else if (!cursor->Long(&value)) {
        return false;
      }
      return StoreNumber(step, value, out);
    }
    case Op::kFloat: {
      float value;
      if (!cursor->Floating(&value)) return false;
      if (step.store == AvroStore::kDouble) {
        out->Append(static_cast<double>(value));
      } else {
        out->Append(value);
      }
      return true;
    }
    case Op::kDouble: {
      double value;
      if (!cursor->Floating(&value)) return false;
      out->Append(value);
      return true;
    }
    case Op::kBytes:
    case Op::kFixed: {
      std::string_view bytes;
      if (step.op == Op::kFixed ? !cursor->Fixed(step.writer->size, &bytes) : !cursor->Bytes(&bytes)) return false;
      if (step.decimal) return ReadDecimal(bytes, out);
      out->AppendBytes(bytes);
      return true;
    }
    case Op::kEnum: {
      int64_t place;
      if (!cursor->Long(&place) || place < 0 || place >= static_cast<int64_t>(step.symbols.size())) return false;
      const auto& symbol = step.symbols[static_cast<size_t>(place)];
      if (!symbol) return Fail("No match for " + step.writer->symbols[static_cast<size_t>(place)]);
      out->AppendBytes(*symbol);
      return true;
    }
    case Op::kRecord:
      return ReadRecord(step, cursor, out);
    case Op::kArray:
    case Op::kMap:
      return ReadItems(step, cursor, out);
    case Op::kUnion:
      return ReadUnion(step, cursor, out);
    case Op::kMember:
      for (size_t i = 0; i < out->children().size(); ++i) {
        if (static_cast<int>(i) != step.columns[0]) {
          out->child(i).AppendNull();
        } else if (!Read(*step.children[0], cursor, &out->child(i))) {
          return false;
        }
      }
      out->EndStruct();
      return true;
  }
  return false;
}

bool AvroDecoder::ReadRecord(const AvroStep& step, AvroCursor* cursor, ColumnWriter* out) {
  for (size_t i = 0; i < step.children.size(); ++i) {
    if (step.columns[i] < 0) {
      if (!Skip(*step.writer->fields[i].schema, cursor, 0)) return false;
    } else if (!Read(*step.children[i], cursor, &out->child(static_cast<size_t>(step.columns[i])))) {
      return false;
    }
  }
  for (const AvroStep::Default& missing : step.defaults) {
    ColumnWriter* column = &out->child(static_cast<size_t>(missing.column));
    if (missing.schema == nullptr) {
      column->AppendNull();
    } else if (arrow::Status status = AppendAvroDefault(*missing.schema, *missing.value, column); !status.ok()) {
      return Fail(status.message());
    }
  }
  out->EndStruct();
  return true;
}

bool AvroDecoder::ReadItems(const AvroStep& step, AvroCursor* cursor, ColumnWriter* out) {
  int64_t empty_items = 0;
  while (true) {
    int64_t count, size;
    if (!cursor->Block(&count, &size)) return false;
    if (count == 0) break;
    for (int64_t i = 0; i < count; ++i) {
      int64_t before = cursor->remaining();
      if (step.op == Op::kMap) {
        std::string_view key;
        if (!cursor->Bytes(&key)) return false;
        out->child(0).AppendBytes(key);
      }
      if (!Read(*step.children[0], cursor, &out->child(step.op == Op::kMap ? 1 : 0))) return false;
      if (cursor->remaining() == before && ++empty_items > kMaxEmptyItems) return Fail("too many items");
    }
  }
  out->EndList();
  return true;
}

bool AvroDecoder::ReadUnion(const AvroStep& step, AvroCursor* cursor, ColumnWriter* out) {
  int64_t branch;
  if (!cursor->Long(&branch) || branch < 0 || branch >= static_cast<int64_t>(step.children.size())) return false;
  return Read(*step.children[static_cast<size_t>(branch)], cursor, out);
}

bool AvroDecoder::Skip(const AvroSchema& schema, AvroCursor* cursor, int depth) {
  if (depth > kMaxDepth) return Fail("values are nested too deeply");
  std::string_view bytes;
  int64_t number;
  switch (schema.kind) {
    case AvroKind::kNull:
      return true;
    case AvroKind::kBoolean:
      return cursor->Fixed(1, &bytes);
    case AvroKind::kInt:
    case AvroKind::kLong:
    case AvroKind::kEnum:
      return cursor->Long(&number);
    case AvroKind::kFloat:
      return cursor->Fixed(4, &bytes);
    case AvroKind::kDouble:
      return cursor->Fixed(8, &bytes);
    case AvroKind::kBytes:
    case AvroKind::kString:
      return cursor->Bytes(&bytes);
    case AvroKind::kFixed:
      return cursor->Fixed(schema.size, &bytes);
    case AvroKind::kRecord:
      for (const AvroField& field : schema.fields) {
        if (!Skip(*field.schema, cursor, depth + 1)) return false;
      }
      return true;
    case AvroKind::kArray:
    case AvroKind::kMap: {
      int64_t empty_items = 0;
      while (true) {
        int64_t count, size;
        if (!cursor->Block(&count, &size)) return false;
        if (count == 0) return true;
        if (size >= 0) {
          if (!cursor->Fixed(size, &bytes)) return false;
          continue;
        }
        for (int64_t i = 0; i < count; ++i) {
          int64_t before = cursor->remaining();
          if (schema.kind == AvroKind::kMap && !cursor->Bytes(&bytes)) return false;
          if (!Skip(*schema.children[0], cursor, depth + 1)) return false;
          if (cursor->remaining() == before && ++empty_items > kMaxEmptyItems) return Fail("too many items");
        }
      }
    }
    case AvroKind::kUnion:
      if (!cursor->Long(&number) || number < 0 || number >= static_cast<int64_t>(schema.children.size())) return false;
      return Skip(*schema.children[static_cast<size_t>(number)], cursor, depth + 1);
  }
  return false;
}

}  // namespace millrace::format

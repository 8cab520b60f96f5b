#include "format/json/json_fast_reader.h"

#include <charconv>
#include <cstring>

#include "format/json/json_text.h"
#include "format/json/json_tokenizer.h"
#include "types/number_text.h"

namespace millrace::format {

using types::TypeId;

namespace {

constexpr int kDepthMax = 64;

bool IsBlank(uint8_t c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool IsDigit(uint8_t c) { return static_cast<uint8_t>(c - '0') <= 9; }

template <typename T>
T Load(const void* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

bool SameBytes(const uint8_t* a, const char* b, size_t size) {
  if (size >= 8) {
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
      if (Load<uint64_t>(a + i) != Load<uint64_t>(b + i)) return false;
    }
    return Load<uint64_t>(a + size - 8) == Load<uint64_t>(b + size - 8);
  }
  return std::memcmp(a, b, size) == 0;
}

/// Decodes the escapes of a string's bytes. False for an escape RFC 8259 does not know.
bool Unescape(std::string_view raw, std::string* out) {
  out->clear();
  auto hex4 = [&](size_t at, uint32_t* unit) {
    if (at + 4 > raw.size()) return false;
    auto [end, error] = std::from_chars(raw.data() + at, raw.data() + at + 4, *unit, 16);
    return error == std::errc() && end == raw.data() + at + 4;
  };
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\') {
      out->push_back(raw[i]);
      continue;
    }
    if (++i == raw.size()) return false;
    switch (raw[i]) {
      case '"':
      case '\\':
      case '/':
        out->push_back(raw[i]);
        break;
      case 'b':
        out->push_back('\b');
        break;
      case 'f':
        out->push_back('\f');
        break;
      case 'n':
        out->push_back('\n');
        break;
      case 'r':
        out->push_back('\r');
        break;
      case 't':
        out->push_back('\t');
        break;
      case 'u': {
        uint32_t unit = 0, low = 0;
        if (!hex4(i + 1, &unit)) return false;
        i += 4;
        if (unit >= 0xD800 && unit < 0xDC00 && raw.substr(i + 1).starts_with("\\u") && hex4(i + 3, &low) &&
            low >= 0xDC00 && low < 0xE000) {
          unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
          i += 6;
        }
        AppendUtf8(unit, out);
        break;
      }
      default:
        return false;
    }
  }
  return true;
}

/// RFC 8259's grammar of numbers. `is_integer`: no fraction, no exponent.
bool IsNumber(std::string_view text, bool* is_integer) {
  const auto* p = reinterpret_cast<const uint8_t*>(text.data());
  const uint8_t* end = p + text.size();
  auto digits = [&] {
    const uint8_t* start = p;
    while (p < end && IsDigit(*p)) ++p;
    return p > start;
  };
  if (text.size() > 500) return false;
  if (p < end && *p == '-') ++p;
  if (p < end && *p == '0') {
    ++p;
  } else if (!digits()) {
    return false;
  }
  *is_integer = p == end;
  if (p < end && *p == '.') {
    ++p;
    if (!digits()) return false;
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    ++p;
    if (p < end && (*p == '+' || *p == '-')) ++p;
    if (!digits()) return false;
  }
  return p == end;
}

}  // namespace

JsonFastReader::JsonFastReader(const types::DataType& schema, ColumnWriter* root,
                               const std::vector<int>& fields_of_root, bool exact_strings,
                               const TextValueParser& values)
    : values_(values), exact_strings_(exact_strings), zone_is_utc_(&values.time_zone() == types::TimeZone::Utc()) {
  if (schema.id() == TypeId::kStruct) {
    root_.id = TypeId::kStruct;
    root_.column = root;
    for (size_t i = 0; i < schema.fields().size(); ++i) {
      root_.children.push_back(MakeNode(schema.fields()[i].type, &root->child(static_cast<size_t>(fields_of_root[i]))));
      root_.names[schema.fields()[i].name] = static_cast<int>(i);
    }
  } else {
    root_ = MakeNode(root->type(), root);
  }
}

JsonFastReader::Node JsonFastReader::MakeNode(const types::DataTypePtr& type, ColumnWriter* column) {
  Node node;
  node.id = type->id();
  node.type = type;
  node.column = column;
  for (size_t i = 0; i < column->children().size(); ++i) {
    node.children.push_back(MakeNode(column->child(i).type(), &column->child(i)));
    if (node.id == TypeId::kStruct) node.names[type->fields()[i].name] = static_cast<int>(i);
  }
  return node;
}

bool JsonFastReader::StringAt(const uint32_t* p, std::string_view* raw) const {
  uint32_t start = p[0] + 1;
  uint32_t close = p[1];
  if (close >= end_) return false;
  do --close;
  while (IsBlank(text_[close]));
  if (close < start || text_[close] != '"') return false;
  *raw = std::string_view(reinterpret_cast<const char*>(text_) + start, close - start);
  return true;
}

std::string_view JsonFastReader::ScalarAt(const uint32_t* p) const {
  uint32_t start = p[0];
  uint32_t end = p[1] < end_ ? p[1] : end_;
  while (end > start && IsBlank(text_[end - 1])) --end;
  return {reinterpret_cast<const char*>(text_) + start, end - start};
}

bool JsonFastReader::IsLiteral(const uint32_t* p, std::string_view literal) const { return ScalarAt(p) == literal; }

int JsonFastReader::FindName(Node& node, const uint32_t* p, size_t place) {
  std::string_view raw;
  if (!StringAt(p, &raw)) return -2;
  std::string name(raw);
  if (raw.find('\\') != std::string_view::npos && !Unescape(raw, &name)) return -2;
  auto found = node.names.find(name);
  int child = found == node.names.end() ? -1 : found->second;
  // Of wild objects the first names are kept.
  if (place < 1024) {
    if (node.expected.size() <= place) node.expected.resize(place + 1);
    node.expected[place].bytes = "\"" + std::string(raw) + "\"";
    node.expected[place].child = child;
  }
  return child;
}

bool JsonFastReader::IsName(const std::string& bytes, uint32_t name, uint32_t colon) const {
  uint32_t end = name + static_cast<uint32_t>(bytes.size());
  if (end > colon || !SameBytes(text_ + name, bytes.data(), bytes.size())) return false;
  while (end < colon && IsBlank(text_[end])) ++end;
  return end == colon;
}

const uint32_t* JsonFastReader::ReadObject(Node& node, const uint32_t* p, int depth) {
  if (*p >= end_ || text_[*p] != '{' || depth > kDepthMax) return nullptr;
  const int64_t row = node.column->length();
  size_t num_read = 0;
  ++p;
  if (*p < end_ && text_[*p] == '}') {
    ++p;
  } else {
    for (size_t place = 0;; ++place) {
      uint32_t name = p[0];
      if (name >= end_ || text_[name] != '"') return nullptr;
      uint32_t colon = p[1];
      if (colon >= end_ || text_[colon] != ':') return nullptr;
      int child;
      if (place < node.expected.size() && IsName(node.expected[place].bytes, name, colon)) {
        child = node.expected[place].child;
      } else {
        child = FindName(node, p, place);
        if (child == -2) return nullptr;
      }
      p += 2;
      if (*p >= end_) return nullptr;
      if (child < 0) {
        p = Skip(p, depth);
      } else {
        Node& field = node.children[static_cast<size_t>(child)];
        if (field.column->length() != row) return nullptr;  // the name came before
        p = ReadValue(field, p, depth + 1);
        ++num_read;
      }
      if (p == nullptr || *p >= end_) return nullptr;
      uint8_t c = text_[*p++];
      if (c == ',') continue;
      if (c != '}') return nullptr;
      break;
    }
  }
  if (num_read != node.children.size()) {
    for (Node& field : node.children) {
      if (field.column->length() == row) field.column->AppendNull();
    }
  }
  if (depth > 0) node.column->EndStruct();
  return p;
}

const uint32_t* JsonFastReader::ReadArray(Node& node, const uint32_t* p, int depth) {
  if (text_[*p] != '[' || depth > kDepthMax) return nullptr;
  ++p;
  if (*p < end_ && text_[*p] == ']') {
    ++p;
  } else {
    while (true) {
      if (*p >= end_) return nullptr;
      p = ReadValue(node.children[0], p, depth + 1);
      if (p == nullptr || *p >= end_) return nullptr;
      uint8_t c = text_[*p++];
      if (c == ',') continue;
      if (c != ']') return nullptr;
      break;
    }
  }
  node.column->EndList();
  return p;
}

const uint32_t* JsonFastReader::ReadMap(Node& node, const uint32_t* p, int depth) {
  if (text_[*p] != '{' || depth > kDepthMax) return nullptr;
  ++p;
  if (*p < end_ && text_[*p] == '}') {
    ++p;
  } else {
    while (true) {
      std::string_view name;
      if (p[0] >= end_ || text_[p[0]] != '"' || !StringAt(p, &name) || text_[p[1]] != ':') return nullptr;
      if (!AppendText(node.children[0].column, name)) return nullptr;
      p += 2;
      if (*p >= end_) return nullptr;
      p = ReadValue(node.children[1], p, depth + 1);
      if (p == nullptr || *p >= end_) return nullptr;
      uint8_t c = text_[*p++];
      if (c == ',') continue;
      if (c != '}') return nullptr;
      break;
    }
  }
  node.column->EndList();
  return p;
}

const uint32_t* JsonFastReader::ReadValue(Node& node, const uint32_t* p, int depth) {
  // REQUIRES: *p < end_.
  uint8_t c = text_[*p];
  if (c == 'n') {
    if (!IsLiteral(p, "null")) return nullptr;
    node.column->AppendNull();
    return p + 1;
  }
  switch (node.id) {
    case TypeId::kString:
      return c == '"' ? ReadString(node, p) : ReadIntoString(node, p, depth);
    case TypeId::kByte:
    case TypeId::kShort:
    case TypeId::kInteger:
    case TypeId::kLong:
      return ReadInteger(node, p);
    case TypeId::kFloat:
    case TypeId::kDouble:
      return ReadFloating(node, p);
    case TypeId::kBoolean:
      if (c == 't' && IsLiteral(p, "true")) {
        node.column->Append<uint8_t>(1);
      } else if (c == 'f' && IsLiteral(p, "false")) {
        node.column->Append<uint8_t>(0);
      } else {
        return nullptr;
      }
      return p + 1;
    case TypeId::kStruct:
      return ReadObject(node, p, depth);
    case TypeId::kArray:
      return ReadArray(node, p, depth);
    case TypeId::kMap:
      return ReadMap(node, p, depth);
    case TypeId::kDecimal: {
      bool is_integer = false;
      std::string_view number = ScalarAt(p);
      arrow::Decimal128 value;
      if (!IsNumber(number, &is_integer) ||
          types::ParseDecimal(number, node.type->precision(), node.type->scale(), &value) != types::DecimalParse::kOk) {
        return nullptr;
      }
      node.column->Append(value);
      return p + 1;
    }
    case TypeId::kDate:
    case TypeId::kTimestamp:
    case TypeId::kTimestampNtz:
    case TypeId::kBinary:
      return ReadFromText(node, p);
    default:
      return nullptr;
  }
}

bool JsonFastReader::AppendText(ColumnWriter* column, std::string_view raw) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kBackslashes = kOnes * '\\';
  size_t size = raw.size();
  if (size > 1000000) return false;  // long texts have limits of their own
  uint8_t* out = column->BeginBytes(static_cast<int64_t>(size));
  const char* in = raw.data();
  uint64_t found = 0;
  auto offset = static_cast<size_t>(reinterpret_cast<const uint8_t*>(in) - text_);
  if (offset + size + 8 <= readable_) {
    for (size_t i = 0; i < size; i += 8) {
      auto word = Load<uint64_t>(in + i);
      std::memcpy(out + i, &word, 8);
      uint64_t x = word ^ kBackslashes;
      found |= (x - kOnes) & ~x & (kOnes << 7);
    }
  } else {
    std::memcpy(out, in, size);
    found = 1;
  }
  if (found != 0 && raw.find('\\') != std::string_view::npos) [[unlikely]] {
    if (!Unescape(raw, &scratch_)) return false;
    std::memcpy(out, scratch_.data(), scratch_.size());
    size = scratch_.size();
  }
  column->EndBytes(static_cast<int64_t>(size));
  return true;
}

const uint32_t* JsonFastReader::ReadString(Node& node, const uint32_t* p) {
  std::string_view raw;
  if (!StringAt(p, &raw) || !AppendText(node.column, raw)) return nullptr;
  return p + 1;
}

const uint32_t* JsonFastReader::ReadIntoString(Node& node, const uint32_t* p, int depth) {
  const uint32_t* after = Skip(p, depth);
  if (after == nullptr || *after >= end_) return nullptr;
  if (exact_strings_) {
    uint32_t last = after[-1];
    bool nested = text_[*p] == '{' || text_[*p] == '[';
    std::string_view scalar = ScalarAt(after - 1);
    uint32_t end = nested ? last + 1 : last + static_cast<uint32_t>(scalar.size());
    node.column->AppendBytes({reinterpret_cast<const char*>(text_) + *p, end - *p});
    return after;
  }
  std::string_view scalar = ScalarAt(p);
  bool is_integer = false;
  bool plain = scalar == "true" || scalar == "false" || (IsNumber(scalar, &is_integer) && is_integer && scalar != "-0");
  if (!plain || text_[*p] == '{' || text_[*p] == '[') return nullptr;
  node.column->AppendBytes(scalar);
  return after;
}

const uint32_t* JsonFastReader::ReadInteger(Node& node, const uint32_t* p) {
  const uint8_t* start = text_ + p[0];
  if (p[1] >= end_) return nullptr;
  const uint8_t* end = text_ + p[1];
  const uint8_t* q = start;
  bool negative = *q == '-';
  if (negative) ++q;
  const uint8_t* first = q;
  uint64_t sum = 0;
  while (IsDigit(*q)) sum = sum * 10 + (*q++ - '0');  // the structural character at `end` stops it
  ptrdiff_t digits = q - first;
  if (digits == 0 || digits > 18 || (*first == '0' && digits > 1)) return nullptr;
  while (q < end && IsBlank(*q)) ++q;
  if (q != end) return nullptr;
  int64_t value = negative ? -static_cast<int64_t>(sum) : static_cast<int64_t>(sum);
  switch (node.id) {
    case TypeId::kLong:
      node.column->Append(value);
      return p + 1;
    case TypeId::kInteger:
      if (value != static_cast<int32_t>(value)) return nullptr;
      node.column->Append(static_cast<int32_t>(value));
      return p + 1;
    case TypeId::kShort:
      if (value != static_cast<int16_t>(value)) return nullptr;
      node.column->Append(static_cast<int16_t>(value));
      return p + 1;
    default:
      if (value != static_cast<int8_t>(value)) return nullptr;
      node.column->Append(static_cast<int8_t>(value));
      return p + 1;
  }
}

const uint32_t* JsonFastReader::ReadFloating(Node& node, const uint32_t* p) {
  static constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (p[1] >= end_) return nullptr;
  const uint8_t* start = text_ + p[0];
  const uint8_t* end = text_ + p[1];
  const uint8_t* q = start;
  bool negative = *q == '-';
  if (negative) ++q;
  const uint8_t* first = q;
  uint64_t sum = 0;
  while (IsDigit(*q)) sum = sum * 10 + (*q++ - '0');
  ptrdiff_t digits = q - first;
  ptrdiff_t fraction = 0;
  if (digits > 0 && *q == '.') {
    const uint8_t* point = ++q;
    while (IsDigit(*q)) sum = sum * 10 + (*q++ - '0');
    fraction = q - point;
    digits += fraction;
    if (fraction == 0) return nullptr;
  }
  bool leading_zero = digits > 0 && *first == '0' && first + 1 < q && IsDigit(first[1]);
  while (q < end && IsBlank(*q)) ++q;
  // Exact where both the digits and the power of ten are doubles (Clinger); the rest is left to the library.
  if (node.id == TypeId::kDouble && q == end && digits > 0 && digits <= 18 && !leading_zero && fraction <= 22 &&
      sum < (uint64_t{1} << 53) && sum != 0) {
    double value = static_cast<double>(sum) / kPowers[fraction];
    node.column->Append(negative ? -value : value);
    return p + 1;
  }
  std::string_view number = ScalarAt(p);
  bool is_integer = false;
  if (!IsNumber(number, &is_integer) || (is_integer && number == "-0")) return nullptr;
  if (node.id == TypeId::kDouble) {
    double value = 0;
    if (std::from_chars(number.data(), number.data() + number.size(), value).ec != std::errc()) return nullptr;
    node.column->Append(value);
  } else {
    float value = 0;
    if (std::from_chars(number.data(), number.data() + number.size(), value).ec != std::errc()) return nullptr;
    node.column->Append(value);
  }
  return p + 1;
}

bool JsonFastReader::LocalToUtc(int64_t local_us, int64_t* utc_us) const {
  *utc_us = zone_is_utc_ ? local_us : values_.time_zone().ToUtcMicros(local_us);
  return true;
}

const uint32_t* JsonFastReader::ReadFromText(Node& node, const uint32_t* p) {
  if (text_[*p] != '"') {
    if (node.id != TypeId::kTimestamp) return nullptr;
    // Seconds since 1970.
    int64_t seconds = 0;
    bool is_integer = false;
    std::string_view number = ScalarAt(p);
    if (!IsNumber(number, &is_integer) || !is_integer || number.size() > 12 || !ParseInteger(number, &seconds)) {
      return nullptr;
    }
    node.column->Append(seconds * 1000000);
    return p + 1;
  }
  std::string_view raw;
  if (!StringAt(p, &raw) || raw.empty() || raw.find('\\') != std::string_view::npos) return nullptr;
  int64_t micros = 0;
  int32_t days = 0;
  bool has_zone = false;
  switch (node.id) {
    case TypeId::kTimestamp:
      if (values_.plain_timestamps() && ParseIsoTimestamp(raw.data(), raw.size(), &micros, &has_zone)) {
        if (!has_zone) LocalToUtc(micros, &micros);
      } else if (!values_.Timestamp(raw, &micros)) {
        return nullptr;
      }
      node.column->Append(micros);
      return p + 1;
    case TypeId::kTimestampNtz:
      if (!(values_.plain_timestamps_ntz() && ParseIsoTimestamp(raw.data(), raw.size(), &micros, &has_zone) &&
            !has_zone) &&
          !values_.TimestampNtz(raw, &micros)) {
        return nullptr;
      }
      node.column->Append(micros);
      return p + 1;
    case TypeId::kDate:
      if (!(values_.plain_dates() && ParseIsoDate(raw.data(), raw.size(), &days)) && !values_.Date(raw, &days)) {
        return nullptr;
      }
      node.column->Append(days);
      return p + 1;
    default:
      if (!DecodeBase64(raw, &scratch_)) return nullptr;
      node.column->AppendBytes(scratch_);
      return p + 1;
  }
}

const uint32_t* JsonFastReader::Skip(const uint32_t* p, int depth) {
  if (depth > kDepthMax) return nullptr;
  uint8_t c = text_[*p];
  switch (c) {
    case '"': {
      std::string_view raw;
      if (!StringAt(p, &raw)) return nullptr;
      if (HasEscapes(raw) && !Unescape(raw, &scratch_)) return nullptr;
      return p + 1;
    }
    case '{':
    case '[': {
      bool object = c == '{';
      uint8_t close = object ? '}' : ']';
      ++p;
      if (*p < end_ && text_[*p] == close) return p + 1;
      while (true) {
        if (*p >= end_) return nullptr;
        if (object) {
          std::string_view name;
          if (text_[*p] != '"' || !StringAt(p, &name) || text_[p[1]] != ':') return nullptr;
          if (HasEscapes(name) && !Unescape(name, &scratch_)) return nullptr;
          p += 2;
          if (*p >= end_) return nullptr;
        }
        p = Skip(p, depth + 1);
        if (p == nullptr || *p >= end_) return nullptr;
        uint8_t next = text_[*p++];
        if (next == close) return p;
        if (next != ',') return nullptr;
      }
    }
    case 't':
      return IsLiteral(p, "true") ? p + 1 : nullptr;
    case 'f':
      return IsLiteral(p, "false") ? p + 1 : nullptr;
    case 'n':
      return IsLiteral(p, "null") ? p + 1 : nullptr;
    default: {
      bool is_integer = false;
      return IsNumber(ScalarAt(p), &is_integer) ? p + 1 : nullptr;
    }
  }
}

}  // namespace millrace::format

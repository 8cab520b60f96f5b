#include "expression/collated_text.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <unicode/uchar.h>
#include <unicode/ucol.h>
#include <unicode/usearch.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#include <map>
#include <mutex>

#include "expression/call.h"
#include "expression/vector.h"
#include "types/arrow_type.h"
#include "types/collation.h"

namespace millrace::expression {

namespace {

using types::Collation;
using types::TypeId;

constexpr char32_t kCapitalIWithDot = 0x130, kSmallI = 'i', kCombiningDot = 0x307;
constexpr char32_t kFinalSigma = 0x3C2, kSmallSigma = 0x3C3;

// Code point by code point, so that every text has the same lower case wherever it stands.
// Source: Spark, CollationAwareUTF8String: the capital I with a dot is two code points, both small sigmas are one.
template <typename Emit>
void Lowered(UChar32 c, Emit emit) {
  if (c == static_cast<UChar32>(kCapitalIWithDot)) {
    emit(kSmallI);
    emit(kCombiningDot);
  } else if (c == static_cast<UChar32>(kFinalSigma)) {
    emit(kSmallSigma);
  } else {
    emit(static_cast<char32_t>(u_tolower(c)));
  }
}

UChar32 NextCodePoint(std::string_view text, size_t* i) {
  auto at = static_cast<int32_t>(*i);
  UChar32 c = 0;
  U8_NEXT_OR_FFFD(reinterpret_cast<const uint8_t*>(text.data()), at, static_cast<int32_t>(text.size()), c);
  *i = static_cast<size_t>(at);
  return c;
}

void AppendUtf8(char32_t c, std::string* out) {
  uint8_t bytes[U8_MAX_LENGTH];
  int32_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, static_cast<UChar32>(c));
  out->append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(length));
}

std::u16string ToUtf16(std::string_view text) {
  std::u16string wide(text.size(), u'\0');
  int32_t length = 0;
  UErrorCode status = U_ZERO_ERROR;
  u_strFromUTF8WithSub(wide.data(), static_cast<int32_t>(wide.size()), &length, text.data(),
                       static_cast<int32_t>(text.size()), 0xFFFD, nullptr, &status);
  wide.resize(static_cast<size_t>(length));
  return wide;
}

UCollator* OpenCollator(const Collation& collation) {
  UErrorCode status = U_ZERO_ERROR;
  UCollator* collator = ucol_open(collation.locale.c_str(), &status);
  if (U_FAILURE(status)) return nullptr;
  if (collation.ignores_case && collation.ignores_accents) {
    ucol_setStrength(collator, UCOL_PRIMARY);
  } else if (collation.ignores_case) {
    ucol_setStrength(collator, UCOL_SECONDARY);
  } else if (collation.ignores_accents) {
    ucol_setStrength(collator, UCOL_PRIMARY);
    ucol_setAttribute(collator, UCOL_CASE_LEVEL, UCOL_ON, &status);
  } else {
    ucol_setStrength(collator, UCOL_TERTIARY);
  }
  return collator;
}

// One a collation, open as long as the process lives; comparing with it changes nothing in it.
const UCollator* CollatorOf(int number) {
  static auto* mutex = new std::mutex;
  static auto* open = new std::map<int, UCollator*>;
  std::lock_guard lock(*mutex);
  auto [it, added] = open->emplace(number, nullptr);
  if (added) it->second = OpenCollator(types::CollationOf(number));
  return it->second;
}

void AppendSortKey(int number, const Collation& collation, std::string_view text, std::string* out) {
  std::u16string wide = ToUtf16(text);
  const UCollator* collator = CollatorOf(number);
  size_t start = out->size();
  auto length = static_cast<int32_t>(wide.size());
  int32_t needed = ucol_getSortKey(collator, wide.data(), length, nullptr, 0);
  out->resize(start + static_cast<size_t>(needed));
  ucol_getSortKey(collator, wide.data(), length, reinterpret_cast<uint8_t*>(out->data() + start), needed);
  // Where nothing is ignored, equal means the same bytes; the order among what ICU finds equal is theirs too.
  if (!collation.ignores_case && !collation.ignores_accents) out->append(text);
}

// Source: Spark, CollationAwareUTF8String: a match begins and ends between characters of the text.
std::vector<TextSpan> FindLowered(std::string_view text, std::string_view part, bool overlapping) {
  std::u32string wanted, lowered;
  for (size_t i = 0; i < part.size();) {
    Lowered(NextCodePoint(part, &i), [&](char32_t c) { wanted += c; });
  }
  // Where each character begins, in the text and in its lower case.
  std::vector<std::pair<size_t, size_t>> starts;
  for (size_t i = 0; i < text.size();) {
    starts.emplace_back(i, lowered.size());
    Lowered(NextCodePoint(text, &i), [&](char32_t c) { lowered += c; });
  }
  starts.emplace_back(text.size(), lowered.size());
  std::vector<TextSpan> found;
  for (size_t at = 0; at + 1 < starts.size();) {
    size_t end_lowered = starts[at].second + wanted.size();
    size_t after = at;
    while (after + 1 < starts.size() && starts[after].second < end_lowered) ++after;
    bool matches = starts[after].second == end_lowered &&
                   std::u32string_view(lowered).substr(starts[at].second, wanted.size()) == wanted;
    if (matches) found.push_back({starts[at].first, starts[after].first});
    at = matches && !overlapping ? after : at + 1;
  }
  return found;
}

std::vector<TextSpan> FindWithIcu(int number, std::string_view text, std::string_view part, bool overlapping) {
  std::u16string wide = ToUtf16(text), pattern = ToUtf16(part);
  if (wide.empty() || pattern.empty()) return {};
  UErrorCode status = U_ZERO_ERROR;
  UStringSearch* search =
      usearch_openFromCollator(pattern.data(), static_cast<int32_t>(pattern.size()), wide.data(),
                               static_cast<int32_t>(wide.size()), CollatorOf(number), nullptr, &status);
  std::vector<TextSpan> found;
  if (U_FAILURE(status)) return found;
  if (overlapping) usearch_setAttribute(search, USEARCH_OVERLAP, USEARCH_ON, &status);
  size_t bytes = 0, units = 0;
  auto byte_at = [&](size_t unit) {
    while (units < unit && bytes < text.size()) units += U16_LENGTH(NextCodePoint(text, &bytes));
    return bytes;
  };
  for (int32_t at = usearch_first(search, &status); at != USEARCH_DONE && U_SUCCESS(status);
       at = usearch_next(search, &status)) {
    auto begin = static_cast<size_t>(at);
    TextSpan span;
    span.begin = byte_at(begin);
    size_t resume_bytes = bytes, resume_units = units;
    span.end = byte_at(begin + static_cast<size_t>(usearch_getMatchedLength(search)));
    bytes = resume_bytes;
    units = resume_units;
    found.push_back(span);
  }
  usearch_close(search);
  return found;
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> KeyData(const types::DataType& type, const arrow::ArrayData& data,
                                                         arrow::MemoryPool* pool) {
  if (type.id() == TypeId::kString) {
    int number = types::CollationNumber(type);
    if (number == types::kBinaryCollation) return data.Copy();
    arrow::BinaryArray texts(data.Copy());
    arrow::BinaryBuilder builder(pool);
    std::string key;
    for (int64_t i = 0; i < texts.length(); ++i) {
      if (texts.IsNull(i)) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      key.clear();
      AppendCollationKey(number, texts.GetView(i), &key);
      ARROW_RETURN_NOT_OK(builder.Append(key));
    }
    ARROW_ASSIGN_OR_RAISE(auto keys, builder.Finish());
    return keys->data();
  }
  std::shared_ptr<arrow::ArrayData> made = data.Copy();
  if (type.id() == TypeId::kMap) {
    arrow::ArrayData& entries = *data.child_data[0];
    auto pairs = entries.Copy();
    ARROW_ASSIGN_OR_RAISE(pairs->child_data[0], KeyData(*type.key(), *entries.child_data[0], pool));
    ARROW_ASSIGN_OR_RAISE(pairs->child_data[1], KeyData(*type.value(), *entries.child_data[1], pool));
    made->child_data[0] = std::move(pairs);
    return made;
  }
  for (size_t i = 0; i < type.fields().size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(made->child_data[i], KeyData(*type.fields()[i].type, *data.child_data[i], pool));
  }
  return made;
}

// The Arrow types inside follow those of the keys.
void Retype(const std::shared_ptr<arrow::DataType>& type, arrow::ArrayData* data) {
  data->type = type;
  for (int i = 0; i < type->num_fields() && static_cast<size_t>(i) < data->child_data.size(); ++i) {
    Retype(type->field(i)->type(), data->child_data[static_cast<size_t>(i)].get());
  }
}

}  // namespace

void AppendCollationKey(int number, std::string_view text, std::string* out) {
  const Collation& collation = types::CollationOf(number);
  if (collation.trims) {
    size_t last = text.find_last_not_of(' ');
    text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
  }
  if (collation.is_icu()) {
    AppendSortKey(number, collation, text, out);
  } else if (collation.lower_case) {
    for (size_t i = 0; i < text.size();) {
      Lowered(NextCodePoint(text, &i), [out](char32_t c) { AppendUtf8(c, out); });
    }
  } else {
    out->append(text);
  }
}

types::DataTypePtr CollationKeyType(const types::DataTypePtr& type) {
  if (!types::HoldsCollation(*type)) return type;
  if (type->id() == TypeId::kString) return types::Binary();
  std::vector<types::StructField> fields = type->fields();
  for (types::StructField& field : fields) field.type = CollationKeyType(field.type);
  return std::make_shared<types::DataType>(type->id(), 0, 0, std::move(fields));
}

ExpressionPtr CollationKey(const ExpressionPtr& value) {
  if (!types::HoldsCollation(*value->type())) return value;
  types::DataTypePtr type = value->type();
  types::DataTypePtr key_type = CollationKeyType(type);
  auto info = std::make_shared<CallInfo>();
  info->name = "collationkey";
  info->style = CallStyle::kCustom;
  info->render = [](const std::vector<std::string>& texts) { return texts[0]; };
  info->kernel = [type, key_type](const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                                  int64_t num_rows) -> arrow::Result<arrow::Datum> {
    return OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<arrow::Datum> {
      ARROW_ASSIGN_OR_RAISE(auto values, ToArray(arguments[0], rows, context.memory_pool));
      ARROW_ASSIGN_OR_RAISE(auto keys, KeyData(*type, *values->data(), context.memory_pool));
      Retype(types::ToArrow(*key_type), keys.get());
      return arrow::Datum(std::move(keys));
    });
  };
  return std::make_shared<Call>(std::move(info), std::move(key_type), value->nullable(), ExpressionVector{value});
}

std::vector<TextSpan> FindCollated(int number, std::string_view text, std::string_view part, bool overlapping) {
  const Collation& collation = types::CollationOf(number);
  if (collation.is_icu()) return FindWithIcu(number, text, part, overlapping);
  if (collation.lower_case) return FindLowered(text, part, overlapping);
  std::vector<TextSpan> found;
  for (size_t at = text.find(part); at != std::string_view::npos;) {
    found.push_back({at, at + part.size()});
    at = text.find(part, overlapping ? at + 1 : at + part.size());
  }
  return found;
}

}  // namespace millrace::expression

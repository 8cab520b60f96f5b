#include <fmt/format.h>

#include "base/error.h"
#include "expression/cast/cast_kernels.h"
#include "expression/variant_column.h"
#include "format/variant/variant_json.h"
#include "types/datetime_text.h"
#include "types/interval_text.h"
#include "types/number_text.h"

namespace millrace::expression {

using types::TypeId;

namespace {

// The texts of a column, one after the other in one buffer.
class TextBuilder {
 public:
  TextBuilder(int64_t length, arrow::MemoryPool* pool) : length_(length), pool_(pool) {}

  // `append(i, &text)` adds the text of row i.
  template <typename Column, typename Append>
  CastResult Build(const arrow::ArrayData& source, const Column& column, Append&& append) {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets,
                          arrow::AllocateBuffer((length_ + 1) * static_cast<int64_t>(sizeof(int32_t)), pool_));
    auto* ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
    ends[0] = 0;
    std::string text;
    std::shared_ptr<arrow::Buffer> validity;
    bool may_have_nulls = source.GetNullCount() > 0;
    if (may_have_nulls) {
      ARROW_ASSIGN_OR_RAISE(validity, arrow::AllocateEmptyBitmap(length_, pool_));
    }
    for (int64_t i = 0; i < length_; ++i) {
      if (!may_have_nulls || !column.IsNull(i)) {
        append(i, &text);
        if (validity != nullptr) arrow::bit_util::SetBit(validity->mutable_data(), i);
      }
      if (text.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
        return arrow::Status::CapacityError("the texts of one batch exceed 2 GiB");
      }
      ends[i + 1] = static_cast<int32_t>(text.size());
    }
    return arrow::ArrayData::Make(
        arrow::utf8(), length_, {std::move(validity), std::move(offsets), arrow::Buffer::FromString(std::move(text))});
  }

 private:
  int64_t length_;
  arrow::MemoryPool* pool_;
};

void AppendBytes(std::string_view bytes, std::string* out) {
  constexpr char kHex[] = "0123456789ABCDEF";
  *out += '[';
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) *out += ' ';
    *out += kHex[(bytes[i] >> 4) & 15];
    *out += kHex[bytes[i] & 15];
  }
  *out += ']';
}

template <typename T, typename Append>
CastResult FixedText(const EvalContext& context, const std::shared_ptr<arrow::ArrayData>& column, Append&& append) {
  FixedColumn<T> values{arrow::Datum(column)};
  return TextBuilder(column->length, context.memory_pool).Build(*column, values, [&](int64_t i, std::string* out) {
    append(values[i], out);
  });
}

template <typename T>
CastResult WholeText(const EvalContext& context, const std::shared_ptr<arrow::ArrayData>& column) {
  return FixedText<T>(context, column, [](T value, std::string* out) {
    fmt::format_int text(static_cast<int64_t>(value));
    out->append(text.data(), text.size());
  });
}

// Row validity of nested arrays for TextBuilder.
struct Rows {
  const arrow::Array& array;
  bool IsNull(int64_t i) const { return array.IsNull(i); }
};

// Elements are turned into text as whole columns first, then put together row by row.
struct Elements {
  std::shared_ptr<arrow::ArrayData> data;
  StringColumn texts;
  std::string_view null_word;

  Elements(std::shared_ptr<arrow::ArrayData> made, std::string_view word)
      : data(std::move(made)), texts(arrow::Datum(data)), null_word(word) {}
  void Append(int64_t i, std::string* out) const { out->append(texts.IsNull(i) ? null_word : texts[i]); }
};

CastResult ListText(const EvalContext& context, const std::shared_ptr<arrow::ArrayData>& column,
                    const types::DataType& type, TextStyle style, std::string_view null_word) {
  arrow::ListArray lists(column);
  ARROW_ASSIGN_OR_RAISE(auto made, TextOf(context, lists.values()->data(), *type.element(), style));
  Elements elements(std::move(made), null_word);
  return TextBuilder(column->length, context.memory_pool)
      .Build(*column, Rows{lists}, [&](int64_t row, std::string* out) {
        *out += '[';
        for (int32_t k = lists.value_offset(row); k < lists.value_offset(row + 1); ++k) {
          if (k > lists.value_offset(row)) *out += ", ";
          elements.Append(k, out);
        }
        *out += ']';
      });
}

CastResult MapText(const EvalContext& context, const std::shared_ptr<arrow::ArrayData>& column,
                   const types::DataType& type, TextStyle style, std::string_view null_word) {
  arrow::MapArray maps(column);
  ARROW_ASSIGN_OR_RAISE(auto key_texts, TextOf(context, maps.keys()->data(), *type.key(), style));
  ARROW_ASSIGN_OR_RAISE(auto value_texts, TextOf(context, maps.items()->data(), *type.value(), style));
  Elements keys(std::move(key_texts), null_word);
  Elements values(std::move(value_texts), null_word);
  return TextBuilder(column->length, context.memory_pool)
      .Build(*column, Rows{maps}, [&](int64_t row, std::string* out) {
        *out += '{';
        for (int32_t k = maps.value_offset(row); k < maps.value_offset(row + 1); ++k) {
          if (k > maps.value_offset(row)) *out += ", ";
          keys.Append(k, out);
          *out += " -> ";
          values.Append(k, out);
        }
        *out += '}';
      });
}

CastResult StructText(const EvalContext& context, const std::shared_ptr<arrow::ArrayData>& column,
                      const types::DataType& type, TextStyle style, std::string_view null_word) {
  arrow::StructArray structs(column);
  std::vector<std::unique_ptr<Elements>> fields;
  for (size_t i = 0; i < type.fields().size(); ++i) {
    auto field = structs.field(static_cast<int>(i));
    ARROW_ASSIGN_OR_RAISE(auto made, TextOf(context, field->data(), *type.fields()[i].type, style));
    fields.push_back(std::make_unique<Elements>(std::move(made), null_word));
  }
  return TextBuilder(column->length, context.memory_pool)
      .Build(*column, Rows{structs}, [&](int64_t row, std::string* out) {
        *out += '{';
        for (size_t i = 0; i < fields.size(); ++i) {
          if (i > 0) *out += ", ";
          fields[i]->Append(row, out);
        }
        *out += '}';
      });
}

CastResult BinaryText(const EvalContext& context, const std::shared_ptr<arrow::ArrayData>& column, TextStyle style) {
  if (style != TextStyle::kPretty) return WithType(column, arrow::utf8());
  StringColumn values{arrow::Datum(column)};
  return TextBuilder(column->length, context.memory_pool).Build(*column, values, [&](int64_t i, std::string* out) {
    AppendBytes(values[i], out);
  });
}

// The JSON that Spark's VariantVal prints: in UTC, whatever the session's zone.
CastResult VariantText(const EvalContext& context, const std::shared_ptr<arrow::ArrayData>& column) {
  ARROW_ASSIGN_OR_RAISE(VariantColumn values, VariantColumn::Make(arrow::Datum(column), context.memory_pool));
  arrow::Status status;
  auto text = TextBuilder(column->length, context.memory_pool).Build(*column, values, [&](int64_t i, std::string* out) {
    auto value = values[i];
    arrow::Status one = value.ok() ? format::AppendVariantJson(*value, *types::TimeZone::Utc(), out) : value.status();
    if (!one.ok()) status = one;
  });
  ARROW_RETURN_NOT_OK(status);
  return text;
}

CastResult DecimalText(const EvalContext& context, const std::shared_ptr<arrow::ArrayData>& column, int scale,
                       TextStyle style) {
  bool plain = style != TextStyle::kLegacyCast;
  return FixedText<arrow::Decimal128>(context, column, [=](const arrow::Decimal128& value, std::string* out) {
    plain ? types::AppendDecimalPlain(value, scale, out) : types::AppendDecimal(value, scale, out);
  });
}

}  // namespace

CastResult TextOf(const EvalContext& context, const std::shared_ptr<arrow::ArrayData>& column,
                  const types::DataType& type, TextStyle style) {
  const types::TimeZone& zone = *context.time_zone;
  std::string_view null_word = style == TextStyle::kPretty ? "NULL" : "null";
  int start = type.start_field();
  int end = type.end_field();
  switch (type.id()) {
    case TypeId::kNull: {
      ARROW_ASSIGN_OR_RAISE(auto nulls, arrow::MakeArrayOfNull(arrow::utf8(), column->length, context.memory_pool));
      return nulls->data();
    }
    case TypeId::kString:
      return WithType(column, arrow::utf8());
    case TypeId::kBinary:
      return BinaryText(context, column, style);
    case TypeId::kBoolean: {
      BooleanColumn values{arrow::Datum(column)};
      return TextBuilder(column->length, context.memory_pool).Build(*column, values, [&](int64_t i, std::string* out) {
        *out += values[i] ? "true" : "false";
      });
    }
    case TypeId::kByte:
      return WholeText<int8_t>(context, column);
    case TypeId::kShort:
      return WholeText<int16_t>(context, column);
    case TypeId::kInteger:
      return WholeText<int32_t>(context, column);
    case TypeId::kLong:
      return WholeText<int64_t>(context, column);
    case TypeId::kFloat:
      return FixedText<float>(context, column, types::AppendFloat);
    case TypeId::kDouble:
      return FixedText<double>(context, column, types::AppendDouble);
    case TypeId::kDecimal:
      return DecimalText(context, column, type.scale(), style);
    case TypeId::kDate:
      return FixedText<int32_t>(context, column, types::AppendDate);
    case TypeId::kTimestamp:
      return FixedText<int64_t>(context, column,
                                [&zone](int64_t utc, std::string* out) { types::AppendTimestamp(utc, zone, out); });
    case TypeId::kTimestampNtz:
      return FixedText<int64_t>(context, column, types::AppendTimestampNtz);
    case TypeId::kYearMonthInterval:
      return FixedText<int32_t>(context, column, [=](int32_t months, std::string* out) {
        types::AppendYearMonthInterval(months, start, end, out);
      });
    case TypeId::kDayTimeInterval:
      return FixedText<int64_t>(context, column, [=](int64_t micros, std::string* out) {
        types::AppendDayTimeInterval(micros, start, end, out);
      });
    case TypeId::kCalendarInterval:
      return FixedText<arrow::MonthDayNanoIntervalType::MonthDayNanos>(context, column, [](auto value, auto* out) {
        types::AppendCalendarInterval({value.months, value.days, value.nanoseconds / 1000}, out);
      });
    case TypeId::kTime:
      return FixedText<int64_t>(context, column, types::AppendTimeOfDay);
    case TypeId::kVariant:
      return VariantText(context, column);
    case TypeId::kArray:
      return ListText(context, column, type, style, null_word);
    case TypeId::kMap:
      return MapText(context, column, type, style, null_word);
    case TypeId::kStruct:
      return StructText(context, column, type, style, null_word);
  }
  return InternalError("No text for " + type.Sql());
}

CastResult CastToText(const CastInput& input) {
  TextStyle style = input.exact() ? TextStyle::kCast : TextStyle::kLegacyCast;
  return TextOf(input.context, input.column, input.from, style);
}

}  // namespace millrace::expression

#include <arrow/array/concatenate.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "expression/cast/cast_kernels.h"
#include "expression/variant_column.h"
#include "format/variant/variant_json.h"
#include "types/datetime_text.h"

/// Casts from and to VARIANT (docs/adr/0012-variant.md).

namespace millrace::expression {

using types::TypeId;
using variant::Kind;
using variant::Variant;

namespace {

/// Values of one kind, and of one scale, as the column they would be outside of a variant.
struct KindRows {
  Kind kind;
  int scale = 0;
  types::DataTypePtr type;
  std::vector<int64_t> rows;
  std::unique_ptr<arrow::ArrayBuilder> values;
};

types::DataTypePtr TypeOfKind(Kind kind, int scale) {
  switch (kind) {
    case Kind::kBoolean:
      return types::Boolean();
    case Kind::kLong:
      return types::Long();
    case Kind::kDouble:
      return types::Double();
    case Kind::kDecimal:
      return types::Decimal(types::kMaxDecimalPrecision, scale);
    case Kind::kDate:
      return types::Date();
    case Kind::kTimestamp:
      return types::Timestamp();
    case Kind::kTimestampNtz:
      return types::TimestampNtz();
    case Kind::kFloat:
      return types::Float();
    case Kind::kBinary:
      return types::Binary();
    default:
      return types::String();  // strings, and the JSON of what has no type of its own
  }
}

/// The cast of variants to a type that has no members: kind by kind.
class ScalarCast {
 public:
  ScalarCast(const EvalContext& context, const VariantItems& items, const types::DataType& type, bool raises)
      : context_(context), items_(items), type_(type), raises_(raises) {}

  CastResult Run() {
    places_.assign(items_.size(), -1);
    for (size_t i = 0; i < items_.size(); ++i) {
      if (items_[i]) ARROW_RETURN_NOT_OK(Add(static_cast<int64_t>(i), *items_[i]));
    }
    arrow::ArrayVector parts;
    int64_t first = 0;
    for (KindRows& part : parts_) {
      ARROW_ASSIGN_OR_RAISE(auto values, part.values->Finish());
      ARROW_ASSIGN_OR_RAISE(auto cast, CastPart(part, *values));
      for (size_t k = 0; k < part.rows.size(); ++k) {
        if (cast->IsNull(static_cast<int64_t>(k))) {
          Fail(part.rows[k]);
        } else {
          places_[static_cast<size_t>(part.rows[k])] = first + static_cast<int64_t>(k);
        }
      }
      first += cast->length();
      parts.push_back(std::move(cast));
    }
    if (first_bad_ >= 0 && raises_) return InvalidCast();
    return Gather(parts);
  }

 private:
  void Fail(int64_t row) {
    if (first_bad_ < 0 || row < first_bad_) first_bad_ = row;
  }

  arrow::Status InvalidCast() const {
    std::string json;
    ARROW_RETURN_NOT_OK(
        format::AppendVariantJson(*items_[static_cast<size_t>(first_bad_)], *context_.time_zone, &json));
    return UserError("INVALID_VARIANT_CAST", {{"value", std::move(json)}, {"dataType", QuoteSqlType(type_.Sql())}});
  }

  arrow::Status Add(int64_t row, const Variant& item) {
    ARROW_ASSIGN_OR_RAISE(Kind kind, item.kind());
    if (kind == Kind::kNull) return arrow::Status::OK();
    bool to_text = type_.id() == TypeId::kString;
    switch (kind) {
      case Kind::kObject:
      case Kind::kArray:
      case Kind::kUuid:
        if (!to_text) {
          Fail(row);
          return arrow::Status::OK();
        }
        break;
      case Kind::kTimestampNanos:
      case Kind::kTimestampNtzNanos:
        return UserError("UNKNOWN_PRIMITIVE_TYPE_IN_VARIANT", {{"id", kind == Kind::kTimestampNanos ? "18" : "19"}});
      default:
        if (!CanCast(*TypeOfKind(kind, 0), type_, CastMode::kAnsi)) {
          Fail(row);
          return arrow::Status::OK();
        }
    }
    return Append(row, kind, item);
  }

  arrow::Result<KindRows*> PartOf(Kind kind, int scale) {
    for (KindRows& part : parts_) {
      if (part.kind == kind && part.scale == scale) return &part;
    }
    KindRows& part = parts_.emplace_back();
    part.kind = kind;
    part.scale = scale;
    part.type = TypeOfKind(kind, scale);
    ARROW_ASSIGN_OR_RAISE(part.values, arrow::MakeBuilder(types::ToArrow(*part.type), context_.memory_pool));
    return &part;
  }

  template <typename Builder, typename Value>
  static arrow::Status AppendTo(KindRows* part, const Value& value) {
    return static_cast<Builder&>(*part->values).Append(value);
  }

  arrow::Status Append(int64_t row, Kind kind, const Variant& item) {
    variant::VariantDecimal decimal;
    if (kind == Kind::kDecimal) {
      ARROW_ASSIGN_OR_RAISE(decimal, item.decimal());
    }
    ARROW_ASSIGN_OR_RAISE(KindRows * part, PartOf(kind, decimal.scale));
    part->rows.push_back(row);
    switch (kind) {
      case Kind::kBoolean:
        return AppendTo<arrow::BooleanBuilder>(part, item.boolean());
      case Kind::kLong: {
        ARROW_ASSIGN_OR_RAISE(int64_t value, item.integer());
        return AppendTo<arrow::Int64Builder>(part, value);
      }
      case Kind::kDouble: {
        ARROW_ASSIGN_OR_RAISE(double value, item.floating());
        return AppendTo<arrow::DoubleBuilder>(part, value);
      }
      case Kind::kFloat: {
        ARROW_ASSIGN_OR_RAISE(float value, item.single());
        return AppendTo<arrow::FloatBuilder>(part, value);
      }
      case Kind::kDecimal:
        return AppendTo<arrow::Decimal128Builder>(part, decimal.unscaled);
      case Kind::kDate: {
        ARROW_ASSIGN_OR_RAISE(int64_t days, item.integer());
        return AppendTo<arrow::Date32Builder>(part, static_cast<int32_t>(days));
      }
      case Kind::kTimestamp:
      case Kind::kTimestampNtz: {
        ARROW_ASSIGN_OR_RAISE(int64_t micros, item.integer());
        return AppendTo<arrow::TimestampBuilder>(part, micros);
      }
      case Kind::kString: {
        ARROW_ASSIGN_OR_RAISE(std::string_view text, item.bytes());
        return AppendTo<arrow::StringBuilder>(part, text);
      }
      case Kind::kBinary: {
        ARROW_ASSIGN_OR_RAISE(std::string_view bytes, item.bytes());
        return AppendTo<arrow::BinaryBuilder>(part, bytes);
      }
      case Kind::kUuid: {
        ARROW_ASSIGN_OR_RAISE(std::string text, item.uuid());
        return AppendTo<arrow::StringBuilder>(part, text);
      }
      default: {
        std::string json;
        ARROW_RETURN_NOT_OK(format::AppendVariantJson(item, *context_.time_zone, &json));
        return AppendTo<arrow::StringBuilder>(part, json);
      }
    }
  }

  arrow::Result<std::shared_ptr<arrow::Array>> CastPart(const KindRows& part, const arrow::Array& values) {
    if (type_.id() == TypeId::kTimestamp && (part.kind == Kind::kLong || part.kind == Kind::kDecimal)) {
      return Seconds(part, values);
    }
    ARROW_ASSIGN_OR_RAISE(auto cast, CastColumnData({context_, values.data(), *part.type, type_, CastMode::kTry}));
    return arrow::MakeArray(cast);
  }

  // Seconds as a timestamp; what an ordinary cast would let wrap around is bad here.
  arrow::Result<std::shared_ptr<arrow::Array>> Seconds(const KindRows& part, const arrow::Array& values) const {
    arrow::TimestampBuilder builder(types::ToArrow(type_), context_.memory_pool);
    for (int64_t i = 0; i < values.length(); ++i) {
      int64_t micros = 0;
      bool good = false;
      if (part.kind == Kind::kLong) {
        int64_t seconds = static_cast<const arrow::Int64Array&>(values).Value(i);
        good = !__builtin_mul_overflow(seconds, types::kMicrosPerSecond, &micros);
      } else {
        arrow::Decimal128 unscaled(static_cast<const arrow::Decimal128Array&>(values).GetValue(i));
        auto scaled =
            part.scale <= 6
                ? unscaled.Rescale(part.scale, 6)
                : arrow::Result<arrow::Decimal128>(arrow::Decimal128(unscaled.ReduceScaleBy(part.scale - 6, false)));
        good = scaled.ok() && scaled->ToInteger(&micros).ok();
      }
      ARROW_RETURN_NOT_OK(good ? builder.Append(micros) : builder.AppendNull());
    }
    return builder.Finish();
  }

  CastResult Gather(const arrow::ArrayVector& parts) const {
    auto length = static_cast<int64_t>(items_.size());
    std::shared_ptr<arrow::DataType> type = types::ToArrow(type_);
    if (parts.empty()) {
      ARROW_ASSIGN_OR_RAISE(auto nulls, arrow::MakeArrayOfNull(type, length, context_.memory_pool));
      return nulls->data();
    }
    std::shared_ptr<arrow::Array> all = parts[0];
    if (parts.size() > 1) {
      ARROW_ASSIGN_OR_RAISE(all, arrow::Concatenate(parts, context_.memory_pool));
    } else if (all->length() == length && all->null_count() == 0) {
      return all->data();
    }
    arrow::Int64Builder indices(context_.memory_pool);
    ARROW_RETURN_NOT_OK(indices.Reserve(length));
    for (int64_t place : places_) {
      place < 0 ? indices.UnsafeAppendNull() : indices.UnsafeAppend(place);
    }
    ARROW_ASSIGN_OR_RAISE(auto index, indices.Finish());
    arrow::compute::ExecContext exec(context_.memory_pool);
    ARROW_ASSIGN_OR_RAISE(auto taken,
                          arrow::compute::Take(*all, *index, arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
    return taken->data();
  }

  const EvalContext& context_;
  const VariantItems& items_;
  const types::DataType& type_;
  bool raises_;
  std::vector<KindRows> parts_;
  /// Where the value of each row is among the parts; -1: NULL.
  std::vector<int64_t> places_;
  int64_t first_bad_ = -1;
};

// What is left of a variant inside of another: its own bytes, and the names it uses.
CastResult AsVariants(const EvalContext& context, const VariantItems& items) {
  VariantColumnBuilder rows(context.memory_pool);
  ARROW_RETURN_NOT_OK(rows.Reserve(static_cast<int64_t>(items.size())));
  variant::VariantBuilder builder;
  std::string_view value, metadata;
  for (const auto& item : items) {
    if (!item) {
      ARROW_RETURN_NOT_OK(rows.AppendNull());
      continue;
    }
    builder.Reset();
    ARROW_RETURN_NOT_OK(builder.AppendVariant(*item));
    if (!builder.Finish(&value, &metadata)) return VariantTooLarge("variant_get");
    ARROW_RETURN_NOT_OK(rows.Append(value, metadata));
  }
  ARROW_ASSIGN_OR_RAISE(auto array, rows.Finish());
  return array->data();
}

/// Which rows are containers of the wanted kind; the rest is NULL, or an error.
struct Containers {
  std::vector<std::optional<Variant::Members>> members;
  std::shared_ptr<arrow::Buffer> validity;
  int64_t null_count = 0;
};

arrow::Result<Containers> OpenContainers(const EvalContext& context, const VariantItems& items, Kind wanted,
                                         const types::DataType& type, bool raises) {
  Containers opened;
  opened.members.resize(items.size());
  ARROW_ASSIGN_OR_RAISE(opened.validity,
                        arrow::AllocateEmptyBitmap(static_cast<int64_t>(items.size()), context.memory_pool));
  for (size_t i = 0; i < items.size(); ++i) {
    ++opened.null_count;
    if (!items[i]) continue;
    ARROW_ASSIGN_OR_RAISE(Kind kind, items[i]->kind());
    if (kind == Kind::kNull) continue;
    if (kind != wanted) {
      if (!raises) continue;
      std::string json;
      ARROW_RETURN_NOT_OK(format::AppendVariantJson(*items[i], *context.time_zone, &json));
      return UserError("INVALID_VARIANT_CAST", {{"value", std::move(json)}, {"dataType", QuoteSqlType(type.Sql())}});
    }
    ARROW_ASSIGN_OR_RAISE(opened.members[i], items[i]->members());
    arrow::bit_util::SetBit(opened.validity->mutable_data(), static_cast<int64_t>(i));
    --opened.null_count;
  }
  return opened;
}

CastResult AsStructs(const EvalContext& context, const VariantItems& items, const types::DataType& type, bool raises) {
  ARROW_ASSIGN_OR_RAISE(Containers objects, OpenContainers(context, items, Kind::kObject, type, raises));
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  VariantItems values(items.size());
  for (const types::StructField& field : type.fields()) {
    for (size_t i = 0; i < items.size(); ++i) {
      values[i].reset();
      if (!objects.members[i]) continue;
      ARROW_ASSIGN_OR_RAISE(values[i], items[i]->Field(field.name));
    }
    ARROW_ASSIGN_OR_RAISE(auto child, VariantsAs(context, values, *field.type, raises));
    children.push_back(std::move(child));
  }
  return arrow::ArrayData::Make(types::ToArrow(type), static_cast<int64_t>(items.size()), {std::move(objects.validity)},
                                std::move(children), objects.null_count);
}

// Arrays, and maps of strings to values.
CastResult AsLists(const EvalContext& context, const VariantItems& items, const types::DataType& type, bool raises) {
  bool is_map = type.id() == TypeId::kMap;
  ARROW_ASSIGN_OR_RAISE(Containers lists,
                        OpenContainers(context, items, is_map ? Kind::kObject : Kind::kArray, type, raises));
  auto length = static_cast<int64_t>(items.size());
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> offsets,
      arrow::AllocateBuffer((length + 1) * static_cast<int64_t>(sizeof(int32_t)), context.memory_pool));
  auto* ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
  ends[0] = 0;
  VariantItems values;
  arrow::StringBuilder names(context.memory_pool);
  for (size_t i = 0; i < items.size(); ++i) {
    int64_t size = lists.members[i] ? lists.members[i]->size() : 0;
    for (int64_t k = 0; k < size; ++k) {
      if (is_map) {
        ARROW_ASSIGN_OR_RAISE(std::string_view name, lists.members[i]->Name(k));
        ARROW_RETURN_NOT_OK(names.Append(name));
      }
      ARROW_ASSIGN_OR_RAISE(Variant value, lists.members[i]->Value(k));
      values.emplace_back(value);
    }
    if (values.size() > INT32_MAX) return arrow::Status::CapacityError("more than 2^31 elements in one column");
    ends[i + 1] = static_cast<int32_t>(values.size());
  }
  ARROW_ASSIGN_OR_RAISE(auto elements, VariantsAs(context, values, is_map ? *type.value() : *type.element(), raises));
  std::shared_ptr<arrow::DataType> arrow_type = types::ToArrow(type);
  if (is_map) {
    ARROW_ASSIGN_OR_RAISE(auto keys, names.Finish());
    elements =
        arrow::ArrayData::Make(static_cast<const arrow::MapType&>(*arrow_type).value_type(),
                               static_cast<int64_t>(values.size()), {nullptr}, {keys->data(), std::move(elements)}, 0);
  }
  return arrow::ArrayData::Make(std::move(arrow_type), length, {std::move(lists.validity), std::move(offsets)},
                                {std::move(elements)}, lists.null_count);
}

}  // namespace

CastResult VariantsAs(const EvalContext& context, const VariantItems& items, const types::DataType& type, bool raises) {
  switch (type.id()) {
    case TypeId::kVariant:
      return AsVariants(context, items);
    case TypeId::kStruct:
      return AsStructs(context, items, type, raises);
    case TypeId::kArray:
    case TypeId::kMap:
      return AsLists(context, items, type, raises);
    default:
      return ScalarCast(context, items, type, raises).Run();
  }
}

CastResult CastFromVariant(const CastInput& input) {
  ARROW_ASSIGN_OR_RAISE(VariantColumn column,
                        VariantColumn::Make(arrow::Datum(input.column), input.context.memory_pool));
  VariantItems items(static_cast<size_t>(input.length()));
  for (size_t i = 0; i < items.size(); ++i) {
    if (column.IsNull(static_cast<int64_t>(i))) continue;
    ARROW_ASSIGN_OR_RAISE(items[i], column[static_cast<int64_t>(i)]);
  }
  return VariantsAs(input.context, items, input.to, input.mode != CastMode::kTry);
}

CastResult CastToVariant(const CastInput& input) {
  return ToVariants(input.context, *input.column, input.from, "cast");
}

}  // namespace millrace::expression

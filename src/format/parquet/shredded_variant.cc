#include "format/parquet/shredded_variant.h"

#include <arrow/array/builder_binary.h>
#include <arrow/compute/cast.h>
#include <arrow/extension_type.h>
#include <arrow/util/bitmap_ops.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "variant/variant.h"
#include "variant/variant_builder.h"

namespace millrace::format {

namespace {

using arrow::Type;
using variant::VariantBuilder;

/// One group of the tree: a value, or parts of one, of each row. Pointers are into the arrays that are read.
struct ShreddedGroup {
  std::shared_ptr<arrow::BinaryArray> value;
  std::shared_ptr<arrow::Array> typed;
  /// Of a struct: its fields, named. Of a list: the group of its elements.
  std::vector<std::string> names;
  std::vector<ShreddedGroup> children;

  bool HasValue(int64_t row) const { return value != nullptr && value->IsValid(row); }
  bool HasTyped(int64_t row) const { return typed != nullptr && typed->IsValid(row); }
};

arrow::Result<std::shared_ptr<arrow::Array>> Plain(std::shared_ptr<arrow::Array> column) {
  while (column->type_id() == Type::EXTENSION) {
    column = static_cast<const arrow::ExtensionArray&>(*column).storage();
  }
  if (column->type_id() != Type::DICTIONARY) return column;
  return arrow::compute::Cast(*column, static_cast<const arrow::DictionaryType&>(*column->type()).value_type());
}

arrow::Result<std::shared_ptr<arrow::BinaryArray>> Bytes(const arrow::StructArray& group, const char* name) {
  std::shared_ptr<arrow::Array> column = group.GetFieldByName(name);
  if (column == nullptr) return std::shared_ptr<arrow::BinaryArray>();
  ARROW_ASSIGN_OR_RAISE(column, Plain(std::move(column)));
  if (column->type_id() != Type::BINARY) {
    return UserError("INVALID_VARIANT_FROM_PARQUET.NULLABLE_OR_NOT_BINARY_FIELD", {{"field", name}});
  }
  return std::static_pointer_cast<arrow::BinaryArray>(column);
}

bool HoldsPrimitive(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::BOOL:
    case Type::INT8:
    case Type::INT16:
    case Type::INT32:
    case Type::INT64:
    case Type::FLOAT:
    case Type::DOUBLE:
    case Type::DECIMAL128:
    case Type::DATE32:
    case Type::STRING:
    case Type::BINARY:
      return true;
    case Type::TIMESTAMP:
      return static_cast<const arrow::TimestampType&>(type).unit() == arrow::TimeUnit::MICRO;
    default:
      return false;
  }
}

arrow::Result<ShreddedGroup> BindGroup(const std::shared_ptr<arrow::Array>& column) {
  if (column->type_id() != Type::STRUCT) return variant::Malformed();
  const auto& parts = static_cast<const arrow::StructArray&>(*column);
  ShreddedGroup group;
  ARROW_ASSIGN_OR_RAISE(group.value, Bytes(parts, "value"));
  std::shared_ptr<arrow::Array> typed = parts.GetFieldByName("typed_value");
  if (typed == nullptr) return group;
  ARROW_ASSIGN_OR_RAISE(group.typed, Plain(std::move(typed)));
  const arrow::DataType& type = *group.typed->type();
  if (type.id() == Type::STRUCT) {
    const auto& fields = static_cast<const arrow::StructArray&>(*group.typed);
    for (int i = 0; i < type.num_fields(); ++i) {
      group.names.push_back(type.field(i)->name());
      ARROW_ASSIGN_OR_RAISE(ShreddedGroup child, BindGroup(fields.field(i)));
      group.children.push_back(std::move(child));
    }
  } else if (type.id() == Type::LIST) {
    ARROW_ASSIGN_OR_RAISE(ShreddedGroup child, BindGroup(static_cast<const arrow::ListArray&>(*group.typed).values()));
    group.children.push_back(std::move(child));
  } else if (!HoldsPrimitive(type)) {
    return UserError("UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
                     {{"methodName", "a shredded variant of " + type.ToString()}, {"className", "Millrace"}});
  }
  return group;
}

/// Writes the values of one column, row after row. Confined to one call of AssembleVariants.
class VariantAssembler {
 public:
  VariantAssembler(const ShreddedGroup& root, const arrow::BinaryArray& metadata) : root_(root), metadata_(metadata) {}

  arrow::Status Assemble(int64_t row, std::string_view* value, std::string_view* metadata) {
    builder_.Reset();
    row_metadata_ = metadata_.GetView(row);
    ARROW_RETURN_NOT_OK(Append(root_, row));
    if (!builder_.Finish(value, metadata)) {
      return UserError("VARIANT_CONSTRUCTOR_SIZE_LIMIT");
    }
    return arrow::Status::OK();
  }

 private:
  arrow::Status Append(const ShreddedGroup& group, int64_t row) {
    if (!group.HasTyped(row)) {
      // Neither part: there is no value here, which only a field of an object may say.
      if (!group.HasValue(row)) return variant::Malformed();
      ARROW_ASSIGN_OR_RAISE(variant::Variant whole, variant::Variant::Make(group.value->GetView(row), row_metadata_));
      return builder_.AppendVariant(whole);
    }
    if (group.typed->type_id() == Type::STRUCT) return AppendObject(group, row);
    // Only an object can be in both places.
    if (group.HasValue(row)) return variant::Malformed();
    if (group.typed->type_id() == Type::LIST) return AppendArray(group, row);
    AppendPrimitive(*group.typed, row);
    return arrow::Status::OK();
  }

  arrow::Status AppendObject(const ShreddedGroup& group, int64_t row) {
    std::vector<VariantBuilder::Field> fields;
    size_t start = builder_.position();
    auto begin_field = [&](std::string_view name) {
      fields.push_back({builder_.NameId(name), static_cast<uint32_t>(builder_.position() - start)});
    };
    for (size_t i = 0; i < group.children.size(); ++i) {
      const ShreddedGroup& child = group.children[i];
      if (!child.HasTyped(row) && !child.HasValue(row)) continue;
      begin_field(group.names[i]);
      ARROW_RETURN_NOT_OK(Append(child, row));
    }
    if (group.HasValue(row)) {
      // The fields that have no column.
      ARROW_ASSIGN_OR_RAISE(variant::Variant rest, variant::Variant::Make(group.value->GetView(row), row_metadata_));
      ARROW_ASSIGN_OR_RAISE(variant::Kind kind, rest.kind());
      if (kind != variant::Kind::kObject) return variant::Malformed();
      ARROW_ASSIGN_OR_RAISE(variant::Variant::Members members, rest.members());
      for (int64_t i = 0; i < members.size(); ++i) {
        ARROW_ASSIGN_OR_RAISE(std::string_view name, members.Name(i));
        ARROW_ASSIGN_OR_RAISE(variant::Variant member, members.Value(i));
        begin_field(name);
        ARROW_RETURN_NOT_OK(builder_.AppendVariant(member));
      }
    }
    return builder_.FinishObject(start, &fields);
  }

  arrow::Status AppendArray(const ShreddedGroup& group, int64_t row) {
    const auto& list = static_cast<const arrow::ListArray&>(*group.typed);
    std::vector<uint32_t> offsets;
    size_t start = builder_.position();
    for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) {
      offsets.push_back(static_cast<uint32_t>(builder_.position() - start));
      ARROW_RETURN_NOT_OK(Append(group.children[0], i));
    }
    builder_.FinishArray(start, offsets);
    return arrow::Status::OK();
  }

  void AppendPrimitive(const arrow::Array& column, int64_t row) {
    switch (column.type_id()) {
      case Type::BOOL:
        return builder_.AppendBoolean(static_cast<const arrow::BooleanArray&>(column).Value(row));
      case Type::INT8:
        return builder_.AppendLong(static_cast<const arrow::Int8Array&>(column).Value(row));
      case Type::INT16:
        return builder_.AppendLong(static_cast<const arrow::Int16Array&>(column).Value(row));
      case Type::INT32:
        return builder_.AppendLong(static_cast<const arrow::Int32Array&>(column).Value(row));
      case Type::INT64:
        return builder_.AppendLong(static_cast<const arrow::Int64Array&>(column).Value(row));
      case Type::FLOAT:
        return builder_.AppendFloat(static_cast<const arrow::FloatArray&>(column).Value(row));
      case Type::DOUBLE:
        return builder_.AppendDouble(static_cast<const arrow::DoubleArray&>(column).Value(row));
      case Type::DECIMAL128:
        return builder_.AppendDecimal(
            arrow::Decimal128(static_cast<const arrow::Decimal128Array&>(column).GetValue(row)),
            static_cast<const arrow::DecimalType&>(*column.type()).scale());
      case Type::DATE32:
        return builder_.AppendDate(static_cast<const arrow::Date32Array&>(column).Value(row));
      case Type::TIMESTAMP: {
        int64_t micros = static_cast<const arrow::TimestampArray&>(column).Value(row);
        bool zoned = !static_cast<const arrow::TimestampType&>(*column.type()).timezone().empty();
        return zoned ? builder_.AppendTimestamp(micros) : builder_.AppendTimestampNtz(micros);
      }
      case Type::STRING:
        return builder_.AppendString(static_cast<const arrow::StringArray&>(column).GetView(row));
      default:  // BindGroup lets nothing else through
        return builder_.AppendBinary(static_cast<const arrow::BinaryArray&>(column).GetView(row));
    }
  }

  const ShreddedGroup& root_;
  const arrow::BinaryArray& metadata_;
  std::string_view row_metadata_;
  VariantBuilder builder_;
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::Array>> AssembleVariants(const arrow::StructArray& group,
                                                              const std::shared_ptr<arrow::DataType>& to) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::BinaryArray> metadata, Bytes(group, "metadata"));
  if (metadata == nullptr) return UserError("INVALID_VARIANT_FROM_PARQUET.MISSING_FIELD", {{"field", "metadata"}});
  ARROW_ASSIGN_OR_RAISE(ShreddedGroup root, BindGroup(arrow::MakeArray(group.data())));
  arrow::BinaryBuilder values, dictionaries;
  VariantAssembler assembler(root, *metadata);
  for (int64_t row = 0; row < group.length(); ++row) {
    std::string_view value, dictionary;
    if (group.IsValid(row)) ARROW_RETURN_NOT_OK(assembler.Assemble(row, &value, &dictionary));
    ARROW_RETURN_NOT_OK(values.Append(value));
    ARROW_RETURN_NOT_OK(dictionaries.Append(dictionary));
  }
  arrow::ArrayVector parts(2);
  ARROW_ASSIGN_OR_RAISE(parts[0], values.Finish());
  ARROW_ASSIGN_OR_RAISE(parts[1], dictionaries.Finish());
  std::shared_ptr<arrow::Buffer> validity = group.null_bitmap();
  if (validity != nullptr && group.offset() != 0) {
    ARROW_ASSIGN_OR_RAISE(validity, arrow::internal::CopyBitmap(arrow::default_memory_pool(), validity->data(),
                                                                group.offset(), group.length()));
  }
  return std::make_shared<arrow::StructArray>(to, group.length(), std::move(parts), std::move(validity),
                                              group.null_count());
}

}  // namespace millrace::format

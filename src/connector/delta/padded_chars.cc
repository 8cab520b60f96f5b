#include "connector/delta/padded_chars.h"

#include <arrow/builder.h>

#include <algorithm>

#include "types/char_type.h"

namespace millrace::connector::delta_table {

namespace {

using types::DataType;
using types::TypeId;

using ArrayDataPtr = std::shared_ptr<arrow::ArrayData>;

arrow::Result<ArrayDataPtr> PadTexts(const ArrayDataPtr& data, int length, arrow::MemoryPool* pool) {
  const arrow::StringArray texts(data);
  arrow::StringBuilder padded(pool);
  std::string text;
  for (int64_t i = 0; i < texts.length(); ++i) {
    if (texts.IsNull(i)) {
      ARROW_RETURN_NOT_OK(padded.AppendNull());
      continue;
    }
    text = texts.GetView(i);
    int64_t count = types::CharacterCount(text);
    if (count < length) text.append(static_cast<size_t>(length - count), ' ');
    ARROW_RETURN_NOT_OK(padded.Append(text));
  }
  ARROW_ASSIGN_OR_RAISE(auto array, padded.Finish());
  return array->data();
}

arrow::Result<ArrayDataPtr> Pad(const ArrayDataPtr& data, const DataType& declared, arrow::MemoryPool* pool) {
  if (!HoldsPaddedChars(&declared)) return data;
  if (declared.id() == TypeId::kString) return PadTexts(data, types::DeclaredCharType(declared)->length, pool);
  // Children lie whole beside an offset of their own, which stays.
  ArrayDataPtr copy = data->Copy();
  auto pad_child = [&](ArrayDataPtr& child, const DataType& type) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(child, Pad(child, type, pool));
    return arrow::Status::OK();
  };
  if (declared.id() == TypeId::kArray) {
    ARROW_RETURN_NOT_OK(pad_child(copy->child_data[0], *declared.element()));
  } else if (declared.id() == TypeId::kMap) {
    ArrayDataPtr entries = copy->child_data[0]->Copy();
    ARROW_RETURN_NOT_OK(pad_child(entries->child_data[0], *declared.key()));
    ARROW_RETURN_NOT_OK(pad_child(entries->child_data[1], *declared.value()));
    copy->child_data[0] = std::move(entries);
  } else {
    for (int i = 0; i < data->type->num_fields(); ++i) {
      int index = declared.FieldIndex(data->type->field(i)->name(), /*case_sensitive=*/false);
      if (index < 0) continue;
      ARROW_RETURN_NOT_OK(
          pad_child(copy->child_data[static_cast<size_t>(i)], *declared.fields()[static_cast<size_t>(index)].type));
    }
  }
  return copy;
}

}  // namespace

bool HoldsPaddedChars(const DataType* declared) {
  if (declared == nullptr) return false;
  switch (declared->id()) {
    case TypeId::kString: {
      std::optional<types::CharType> type = types::DeclaredCharType(*declared);
      return type && type->padded;
    }
    case TypeId::kArray:
      return HoldsPaddedChars(declared->element().get());
    case TypeId::kMap:
      return HoldsPaddedChars(declared->key().get()) || HoldsPaddedChars(declared->value().get());
    case TypeId::kStruct:
      return std::any_of(declared->fields().begin(), declared->fields().end(),
                         [](const types::StructField& field) { return HoldsPaddedChars(field.type.get()); });
    default:
      return false;
  }
}

arrow::Result<std::shared_ptr<arrow::Array>> PadChars(const std::shared_ptr<arrow::Array>& values,
                                                      const DataType& declared, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(ArrayDataPtr padded, Pad(values->data(), declared, pool));
  return arrow::MakeArray(padded);
}

}  // namespace millrace::connector::delta_table

#include "expression/legacy_coercion.h"

namespace millrace::expression {

using types::DataType;
using types::TypeId;

namespace {

bool IsAtomic(const DataType& type) {
  return !type.is_nested() && type.id() != TypeId::kNull && type.id() != TypeId::kCalendarInterval &&
         type.id() != TypeId::kVariant && type.user_class() == nullptr;
}

}  // namespace

bool CanImplicitCastWithoutAnsi(const DataTypePtr& from, const DataTypePtr& to) {
  if (from->EqualsIgnoreNullability(*to) || from->id() == TypeId::kNull) return true;
  if (from->user_class() != nullptr || to->user_class() != nullptr) return false;
  if (from->id() == TypeId::kString) return to->is_numeric() || to->is_datetime() || to->id() == TypeId::kBinary;
  if (to->id() == TypeId::kString) return IsAtomic(*from);
  if (from->is_numeric() && to->is_numeric()) return true;
  if (from->is_datetime() && to->is_datetime()) return true;
  if (from->id() == TypeId::kTime && to->id() == TypeId::kTime) return true;
  if (from->id() == TypeId::kArray && to->id() == TypeId::kArray) {
    return (to->contains_null() || !from->contains_null()) &&
           CanImplicitCastWithoutAnsi(from->element(), to->element());
  }
  return from->is_ansi_interval() && from->id() == to->id();
}

std::optional<DataTypePtr> StringPromotion(const DataTypePtr& a, const DataTypePtr& b) {
  if (a->id() != TypeId::kString && b->id() == TypeId::kString) return StringPromotion(b, a);
  bool meet = a->id() == TypeId::kString && b->id() != TypeId::kString && IsAtomic(*b) && b->id() != TypeId::kBinary &&
              b->id() != TypeId::kBoolean;
  return meet ? std::optional(a) : std::nullopt;
}

std::optional<DataTypePtr> ComparedWithoutAnsi(const DataTypePtr& a, const DataTypePtr& b, bool equality) {
  bool first_is_string = a->id() == TypeId::kString;
  if (first_is_string != (b->id() == TypeId::kString)) {
    const DataTypePtr& other = first_is_string ? b : a;
    bool meet = IsAtomic(*other) && !other->is_ansi_interval();
    return meet ? std::optional(other) : std::nullopt;
  }
  if (!equality) return std::nullopt;
  if (a->id() == TypeId::kBoolean && b->is_numeric()) return b;
  if (b->id() == TypeId::kBoolean && a->is_numeric()) return a;
  return std::nullopt;
}

}  // namespace millrace::expression

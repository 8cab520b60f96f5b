#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/builder.h>
#include <arrow/util/decimal.h>

#include <cstring>
#include <map>

#include "base/error.h"
#include "expression/python/pickled_rows.h"
#include "python/wire.h"
#include "types/arrow_type.h"
#include "types/number_text.h"

namespace millrace::expression {

namespace {

using types::DataType;
using types::TypeId;

struct PyValue;
using PyPtr = std::shared_ptr<PyValue>;

enum class PyKind : uint8_t {
  kNone,
  kBool,
  kInt,
  kFloat,
  kText,
  kBytes,
  kDecimal,
  kList,
  kTuple,
  kDict,
  kGlobal,
  kMark
};

struct PyValue {
  PyKind kind = PyKind::kNone;
  int64_t number = 0;
  double real = 0;
  std::string text;
  /// Elements; keys and values in turn.
  std::vector<PyPtr> items;
};

PyPtr Make(PyKind kind) {
  auto value = std::make_shared<PyValue>();
  value->kind = kind;
  return value;
}

PyPtr MakeText(PyKind kind, std::string_view text) {
  PyPtr value = Make(kind);
  value->text = text;
  return value;
}

PyPtr MakeInt(int64_t number) {
  PyPtr value = Make(PyKind::kInt);
  value->number = number;
  return value;
}

// The part of Python's pickle machine that plain values need. Source: Python's pickletools.
class Unpickler {
 public:
  explicit Unpickler(std::string_view bytes) : bytes_(bytes) {}

  arrow::Result<PyPtr> Run() {
    while (true) {
      ARROW_ASSIGN_OR_RAISE(std::string_view code, Take(1));
      if (code[0] == '.') return Pop();
      ARROW_RETURN_NOT_OK(Step(static_cast<uint8_t>(code[0])));
    }
  }

 private:
  arrow::Result<std::string_view> Take(size_t size) {
    if (bytes_.size() < size) return arrow::Status::IOError("a pickle ends too early");
    std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  // A little-endian number of `size` bytes.
  arrow::Result<uint64_t> TakeNumber(size_t size) {
    ARROW_ASSIGN_OR_RAISE(std::string_view bytes, Take(size));
    uint64_t number = 0;
    std::memcpy(&number, bytes.data(), size);
    return number;
  }
  arrow::Result<std::string_view> TakeLine() {
    size_t end = bytes_.find('\n');
    if (end == std::string_view::npos) return arrow::Status::IOError("a pickle ends too early");
    std::string_view line = bytes_.substr(0, end);
    bytes_.remove_prefix(end + 1);
    return line;
  }
  arrow::Status PushSized(PyKind kind, size_t length_bytes) {
    ARROW_ASSIGN_OR_RAISE(uint64_t size, TakeNumber(length_bytes));
    ARROW_ASSIGN_OR_RAISE(std::string_view text, Take(size));
    Push(MakeText(kind, text));
    return arrow::Status::OK();
  }

  void Push(PyPtr value) { stack_.push_back(std::move(value)); }
  arrow::Result<PyPtr> Pop() {
    if (stack_.empty()) return arrow::Status::IOError("a pickle takes more than it has");
    PyPtr value = std::move(stack_.back());
    stack_.pop_back();
    return value;
  }
  // What lies above the last mark.
  arrow::Result<std::vector<PyPtr>> PopMarked() {
    size_t at = stack_.size();
    while (at > 0 && stack_[at - 1]->kind != PyKind::kMark) --at;
    if (at == 0) return arrow::Status::IOError("a pickle without its mark");
    std::vector<PyPtr> items(stack_.begin() + static_cast<std::ptrdiff_t>(at), stack_.end());
    stack_.resize(at - 1);
    return items;
  }
  arrow::Status PushTuple(size_t size) {
    if (stack_.size() < size) return arrow::Status::IOError("a pickle takes more than it has");
    PyPtr tuple = Make(PyKind::kTuple);
    tuple->items.assign(stack_.end() - static_cast<std::ptrdiff_t>(size), stack_.end());
    stack_.resize(stack_.size() - size);
    Push(std::move(tuple));
    return arrow::Status::OK();
  }
  arrow::Status Extend(std::vector<PyPtr> items) {
    if (stack_.empty()) return arrow::Status::IOError("a pickle takes more than it has");
    std::vector<PyPtr>& own = stack_.back()->items;
    own.insert(own.end(), items.begin(), items.end());
    return arrow::Status::OK();
  }

  arrow::Status Reduce() {
    ARROW_ASSIGN_OR_RAISE(PyPtr arguments, Pop());
    ARROW_ASSIGN_OR_RAISE(PyPtr callee, Pop());
    if (callee->text == "decimal.Decimal" && arguments->items.size() == 1) {
      Push(MakeText(PyKind::kDecimal, arguments->items[0]->text));
      return arrow::Status::OK();
    }
    if (callee->text == "pyspark.sql.types._create_row" && arguments->items.size() == 2) {
      Push(arguments->items[1]);
      return arrow::Status::OK();
    }
    return arrow::Status::IOError(
        "net.razorvine.pickle.PickleException: expected zero arguments for construction of ClassDict (for ",
        callee->text,
        "). This happens when an unsupported/unregistered class is being "
        "unpickled that requires construction arguments. Fix it by registering a custom "
        "IObjectConstructor for this class.");
  }

  arrow::Status PushLong(size_t size) {
    ARROW_ASSIGN_OR_RAISE(std::string_view bytes, Take(size));
    if (size > 8) {
      // Wider than any integer type of SQL: kept as text for strings, NULL for numbers.
      Push(MakeText(PyKind::kText, "a number of more than 64 bits"));
      return arrow::Status::OK();
    }
    int64_t number = size > 0 && (bytes[size - 1] & 0x80) != 0 ? -1 : 0;
    std::memcpy(&number, bytes.data(), size);
    Push(MakeInt(number));
    return arrow::Status::OK();
  }

  arrow::Status Step(uint8_t code);

  std::string_view bytes_;
  std::vector<PyPtr> stack_;
  std::map<uint64_t, PyPtr> memo_;
};

arrow::Status Unpickler::Step(uint8_t code) {
  switch (code) {
    case 0x80:  // PROTO
      return Take(1).status();
    case 0x95:  // FRAME
      return Take(8).status();
    case '(':
      Push(Make(PyKind::kMark));
      return arrow::Status::OK();
    case 'N':
      Push(Make(PyKind::kNone));
      return arrow::Status::OK();
    case 0x88:
    case 0x89: {
      PyPtr value = Make(PyKind::kBool);
      value->number = code == 0x88 ? 1 : 0;
      Push(std::move(value));
      return arrow::Status::OK();
    }
    case 'J': {
      ARROW_ASSIGN_OR_RAISE(uint64_t number, TakeNumber(4));
      Push(MakeInt(static_cast<int32_t>(number)));
      return arrow::Status::OK();
    }
    case 'K':
    case 'M': {
      ARROW_ASSIGN_OR_RAISE(uint64_t number, TakeNumber(code == 'K' ? 1 : 2));
      Push(MakeInt(static_cast<int64_t>(number)));
      return arrow::Status::OK();
    }
    case 0x8a: {
      ARROW_ASSIGN_OR_RAISE(uint64_t size, TakeNumber(1));
      return PushLong(size);
    }
    case 'G': {
      ARROW_ASSIGN_OR_RAISE(std::string_view bytes, Take(8));
      int64_t bits = python::LoadLong(bytes.data());
      PyPtr value = Make(PyKind::kFloat);
      std::memcpy(&value->real, &bits, sizeof(bits));
      Push(std::move(value));
      return arrow::Status::OK();
    }
    case 0x8c:
      return PushSized(PyKind::kText, 1);
    case 'X':
      return PushSized(PyKind::kText, 4);
    case 0x8d:
      return PushSized(PyKind::kText, 8);
    case 'C':
      return PushSized(PyKind::kBytes, 1);
    case 'B':
      return PushSized(PyKind::kBytes, 4);
    case 0x8e:
    case 0x96:
      return PushSized(PyKind::kBytes, 8);
    case ']':
      Push(Make(PyKind::kList));
      return arrow::Status::OK();
    case ')':
      return PushTuple(0);
    case 0x85:
      return PushTuple(1);
    case 0x86:
      return PushTuple(2);
    case 0x87:
      return PushTuple(3);
    case 't': {
      ARROW_ASSIGN_OR_RAISE(std::vector<PyPtr> items, PopMarked());
      PyPtr tuple = Make(PyKind::kTuple);
      tuple->items = std::move(items);
      Push(std::move(tuple));
      return arrow::Status::OK();
    }
    case '}':
      Push(Make(PyKind::kDict));
      return arrow::Status::OK();
    case 'a': {
      ARROW_ASSIGN_OR_RAISE(PyPtr item, Pop());
      return Extend({std::move(item)});
    }
    case 's': {
      ARROW_ASSIGN_OR_RAISE(PyPtr value, Pop());
      ARROW_ASSIGN_OR_RAISE(PyPtr key, Pop());
      return Extend({std::move(key), std::move(value)});
    }
    case 'e':
    case 'u': {
      ARROW_ASSIGN_OR_RAISE(std::vector<PyPtr> items, PopMarked());
      return Extend(std::move(items));
    }
    case 0x94:  // MEMOIZE
      if (!stack_.empty()) memo_[memo_.size()] = stack_.back();
      return arrow::Status::OK();
    case 'q':
    case 'r': {
      ARROW_ASSIGN_OR_RAISE(uint64_t at, TakeNumber(code == 'q' ? 1 : 4));
      if (!stack_.empty()) memo_[at] = stack_.back();
      return arrow::Status::OK();
    }
    case 'h':
    case 'j': {
      ARROW_ASSIGN_OR_RAISE(uint64_t at, TakeNumber(code == 'h' ? 1 : 4));
      auto it = memo_.find(at);
      if (it == memo_.end()) return arrow::Status::IOError("a pickle refers to what it does not hold");
      Push(it->second);
      return arrow::Status::OK();
    }
    case 'c': {
      ARROW_ASSIGN_OR_RAISE(std::string_view module, TakeLine());
      ARROW_ASSIGN_OR_RAISE(std::string_view name, TakeLine());
      Push(MakeText(PyKind::kGlobal, std::string(module) + "." + std::string(name)));
      return arrow::Status::OK();
    }
    case 0x93: {
      ARROW_ASSIGN_OR_RAISE(PyPtr name, Pop());
      ARROW_ASSIGN_OR_RAISE(PyPtr module, Pop());
      Push(MakeText(PyKind::kGlobal, module->text + "." + name->text));
      return arrow::Status::OK();
    }
    case 'R':
    case 0x81:
      return Reduce();
    case 'b': {  // BUILD: the state of an object that was made already
      ARROW_ASSIGN_OR_RAISE(PyPtr state, Pop());
      return arrow::Status::OK();
    }
    default:
      return arrow::Status::IOError("a pickle with the unknown code ", static_cast<int>(code));
  }
}

// What Java's toString gives for the object that Spark makes of the value.
std::string JavaText(const PyValue& value) {
  switch (value.kind) {
    case PyKind::kBool:
      return value.number != 0 ? "true" : "false";
    case PyKind::kInt:
      return std::to_string(value.number);
    case PyKind::kFloat:
      return types::DoubleText(value.real);
    case PyKind::kList:
    case PyKind::kTuple: {
      std::string text = "[";
      for (size_t i = 0; i < value.items.size(); ++i) {
        text += (i > 0 ? ", " : "") + (value.items[i]->kind == PyKind::kNone ? "null" : JavaText(*value.items[i]));
      }
      return text + "]";
    }
    case PyKind::kDict: {
      std::string text = "{";
      for (size_t i = 0; i + 1 < value.items.size(); i += 2) {
        text += (i > 0 ? ", " : "") + JavaText(*value.items[i]) + "=" + JavaText(*value.items[i + 1]);
      }
      return text + "}";
    }
    default:
      return value.text;
  }
}

template <typename Builder, typename Value>
arrow::Status AppendTo(arrow::ArrayBuilder* builder, Value value) {
  return static_cast<Builder*>(builder)->Append(value);
}

arrow::Status AppendValue(const PyValue& value, const DataType& type, arrow::ArrayBuilder* builder);

arrow::Status AppendDecimal(const PyValue& value, const DataType& type, arrow::ArrayBuilder* builder) {
  arrow::Decimal128 decimal;
  int32_t precision = 0, scale = 0;
  if (!arrow::Decimal128::FromString(value.text, &decimal, &precision, &scale).ok()) return builder->AppendNull();
  arrow::Result<arrow::Decimal128> scaled = decimal;
  if (scale > type.scale()) {
    scaled = decimal.ReduceScaleBy(scale - type.scale(), true);
  } else if (scale < type.scale()) {
    scaled = decimal.Rescale(scale, type.scale());
  }
  if (!scaled.ok() || !scaled->FitsInPrecision(type.precision())) return builder->AppendNull();
  return AppendTo<arrow::Decimal128Builder>(builder, *scaled);
}

arrow::Status AppendInteger(int64_t number, const DataType& type, arrow::ArrayBuilder* builder) {
  switch (type.id()) {
    case TypeId::kByte:
      return AppendTo<arrow::Int8Builder>(builder, static_cast<int8_t>(number));
    case TypeId::kShort:
      return AppendTo<arrow::Int16Builder>(builder, static_cast<int16_t>(number));
    case TypeId::kInteger:
      return AppendTo<arrow::Int32Builder>(builder, static_cast<int32_t>(number));
    case TypeId::kLong:
      return AppendTo<arrow::Int64Builder>(builder, number);
    case TypeId::kDate:
      return AppendTo<arrow::Date32Builder>(builder, static_cast<int32_t>(number));
    case TypeId::kTimestamp:
    case TypeId::kTimestampNtz:
      return AppendTo<arrow::TimestampBuilder>(builder, number);
    case TypeId::kDayTimeInterval:
      return AppendTo<arrow::DurationBuilder>(builder, number);
    default:
      return builder->AppendNull();
  }
}

arrow::Status AppendNested(const PyValue& value, const DataType& type, arrow::ArrayBuilder* builder) {
  bool sequence = value.kind == PyKind::kList || value.kind == PyKind::kTuple;
  if (type.id() == TypeId::kArray && sequence) {
    auto* list = static_cast<arrow::ListBuilder*>(builder);
    ARROW_RETURN_NOT_OK(list->Append());
    for (const PyPtr& item : value.items) {
      ARROW_RETURN_NOT_OK(AppendValue(*item, *type.element(), list->value_builder()));
    }
    return arrow::Status::OK();
  }
  if (type.id() == TypeId::kMap && value.kind == PyKind::kDict) {
    auto* map = static_cast<arrow::MapBuilder*>(builder);
    ARROW_RETURN_NOT_OK(map->Append());
    for (size_t i = 0; i + 1 < value.items.size(); i += 2) {
      ARROW_RETURN_NOT_OK(AppendValue(*value.items[i], *type.key(), map->key_builder()));
      ARROW_RETURN_NOT_OK(AppendValue(*value.items[i + 1], *type.value(), map->item_builder()));
    }
    return arrow::Status::OK();
  }
  if (type.id() == TypeId::kStruct && sequence) {
    if (value.items.size() != type.fields().size()) {
      return UserError("STRUCT_ARRAY_LENGTH_MISMATCH", {{"expected", std::to_string(type.fields().size())},
                                                        {"actual", std::to_string(value.items.size())}});
    }
    auto* row = static_cast<arrow::StructBuilder*>(builder);
    ARROW_RETURN_NOT_OK(row->Append());
    for (size_t i = 0; i < value.items.size(); ++i) {
      ARROW_RETURN_NOT_OK(
          AppendValue(*value.items[i], *type.fields()[i].type, row->field_builder(static_cast<int>(i))));
    }
    return arrow::Status::OK();
  }
  return builder->AppendNull();
}

// What VariantType.toInternal makes of a VariantVal: a dictionary of its two parts.
arrow::Status AppendVariant(const PyValue& value, arrow::ArrayBuilder* builder) {
  std::map<std::string_view, std::string_view> parts;
  for (size_t i = 0; value.kind == PyKind::kDict && i + 1 < value.items.size(); i += 2) {
    parts[value.items[i]->text] = value.items[i + 1]->text;
  }
  if (parts.count("value") == 0 || parts.count("metadata") == 0) return builder->AppendNull();
  auto* variant = static_cast<arrow::StructBuilder*>(builder);
  ARROW_RETURN_NOT_OK(variant->Append());
  ARROW_RETURN_NOT_OK(AppendTo<arrow::BinaryBuilder>(variant->field_builder(0), parts["value"]));
  return AppendTo<arrow::BinaryBuilder>(variant->field_builder(1), parts["metadata"]);
}

arrow::Status AppendValue(const PyValue& value, const DataType& type, arrow::ArrayBuilder* builder) {
  if (value.kind == PyKind::kNone) return builder->AppendNull();
  switch (type.id()) {
    case TypeId::kBoolean:
      return value.kind == PyKind::kBool ? AppendTo<arrow::BooleanBuilder>(builder, value.number != 0)
                                         : builder->AppendNull();
    case TypeId::kFloat:
      return value.kind == PyKind::kFloat ? AppendTo<arrow::FloatBuilder>(builder, static_cast<float>(value.real))
                                          : builder->AppendNull();
    case TypeId::kDouble:
      return value.kind == PyKind::kFloat ? AppendTo<arrow::DoubleBuilder>(builder, value.real) : builder->AppendNull();
    case TypeId::kString:
      return AppendTo<arrow::StringBuilder>(builder, std::string_view(JavaText(value)));
    case TypeId::kBinary:
      return value.kind == PyKind::kBytes || value.kind == PyKind::kText
                 ? AppendTo<arrow::BinaryBuilder>(builder, std::string_view(value.text))
                 : builder->AppendNull();
    case TypeId::kDecimal:
      return value.kind == PyKind::kDecimal ? AppendDecimal(value, type, builder) : builder->AppendNull();
    case TypeId::kVariant:
      return AppendVariant(value, builder);
    case TypeId::kArray:
    case TypeId::kMap:
    case TypeId::kStruct:
      return AppendNested(value, type, builder);
    default:
      return value.kind == PyKind::kInt ? AppendInteger(value.number, type, builder) : builder->AppendNull();
  }
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatch>> UnpickleResults(std::string_view pickle,
                                                                   const std::vector<types::DataTypePtr>& types,
                                                                   arrow::MemoryPool* memory) {
  ARROW_ASSIGN_OR_RAISE(PyPtr results, Unpickler(pickle).Run());
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders;
  arrow::FieldVector fields;
  for (const types::DataTypePtr& type : types) {
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(types::ToArrow(*type), memory));
    builders.push_back(std::move(builder));
    fields.push_back(arrow::field("", types::ToArrow(*type)));
  }
  for (const PyPtr& row : results->items) {
    for (size_t c = 0; c < types.size(); ++c) {
      if (types.size() > 1 && row->items.size() != types.size()) {
        return arrow::Status::IOError("a Python worker gave another number of results");
      }
      ARROW_RETURN_NOT_OK(AppendValue(types.size() == 1 ? *row : *row->items[c], *types[c], builders[c].get()));
    }
  }
  arrow::ArrayVector columns;
  for (auto& builder : builders) {
    ARROW_ASSIGN_OR_RAISE(auto column, builder->Finish());
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), static_cast<int64_t>(results->items.size()),
                                  std::move(columns));
}

arrow::Result<std::shared_ptr<arrow::Array>> UnpickleValues(std::span<const std::string_view> pickles,
                                                            const types::DataType& type, arrow::MemoryPool* memory) {
  ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(types::ToArrow(type), memory));
  for (std::string_view pickle : pickles) {
    if (pickle.data() == nullptr) {
      ARROW_RETURN_NOT_OK(builder->AppendNull());
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(PyPtr value, Unpickler(pickle).Run());
    ARROW_RETURN_NOT_OK(AppendValue(*value, type, builder.get()));
  }
  return builder->Finish();
}

}  // namespace millrace::expression

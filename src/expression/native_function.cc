#include "expression/native_function.h"

#include <map>
#include <mutex>

#include "base/ids.h"

namespace millrace::expression {

namespace {

struct Table {
  std::mutex mutex;
  std::map<std::string, NativeFunctionPtr> functions;
};

Table& TableOfProcess() {
  static Table table;
  return table;
}

}  // namespace

NativeFunctionId::NativeFunctionId(NativeFunctionPtr function) : id_(RandomUuid()) {
  Table& table = TableOfProcess();
  std::lock_guard lock(table.mutex);
  table.functions[id_] = std::move(function);
}

NativeFunctionId::~NativeFunctionId() {
  Table& table = TableOfProcess();
  std::lock_guard lock(table.mutex);
  table.functions.erase(id_);
}

NativeFunctionPtr FindNativeFunction(const std::string& id) {
  Table& table = TableOfProcess();
  std::lock_guard lock(table.mutex);
  auto it = table.functions.find(id);
  return it == table.functions.end() ? nullptr : it->second;
}

}  // namespace millrace::expression

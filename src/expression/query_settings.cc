#include "expression/query_settings.h"

namespace millrace::expression {

namespace {

thread_local const QuerySettings* current = nullptr;

}  // namespace

const QuerySettings& CurrentQuerySettings() {
  static const QuerySettings defaults;
  return current == nullptr ? defaults : *current;
}

QuerySettingsScope::QuerySettingsScope(const QuerySettings& settings) : settings_(settings), outer_(current) {
  current = &settings_;
}

QuerySettingsScope::~QuerySettingsScope() { current = outer_; }

}  // namespace millrace::expression

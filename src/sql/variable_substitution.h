#pragma once

#include <arrow/result.h>

#include <optional>
#include <string>
#include <string_view>

#include "sql/parser.h"

namespace millrace::sql {

/// The text with its references replaced, and those in what they stand for: `${key}` and `${spark:key}` (also
/// sparkconf, hivevar, hiveconf) by a setting, `${env:NAME}` and `${system:name}` by what the process has. A setting
/// that is not there is empty; what is no reference, or not there in the process, stays as it is. nullopt: nothing to
/// replace. Errors: those of `setting`; Invalid when a reference stands for itself. Source: Spark, VariableSubstitution
/// and ConfigReader.
arrow::Result<std::optional<std::string>> SubstituteVariables(std::string_view text, const SettingReader& setting);

}  // namespace millrace::sql

#pragma once

#include <map>
#include <string>
#include <vector>

#include "spark/connect/expressions.pb.h"
#include "sql/parser.h"

namespace millrace::sql {

/// Values of `:name` and `?` as SQL and SqlCommand messages carry them: expressions, or literals from clients
/// before 4.0. Must outlive the parsing.
class SqlParameters {
 public:
// Some of these fields are marked as deprecated in one message or the other; clients send them all the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  template <typename Message>
  explicit SqlParameters(const Message& message) {
    for (const auto& [name, value] : message.named_arguments()) named_[name] = value;
    for (const auto& value : message.pos_arguments()) positional_.push_back(value);
    for (const auto& [name, value] : message.args()) *named_[name].mutable_literal() = value;
    for (const auto& value : message.pos_args()) *positional_.emplace_back().mutable_literal() = value;
  }
#pragma GCC diagnostic pop

  void AddTo(ParserOptions* options) const {
    if (!named_.empty()) options->named_parameters = &named_;
    if (!positional_.empty()) options->positional_parameters = &positional_;
  }

 private:
  std::map<std::string, spark::connect::Expression> named_;
  std::vector<spark::connect::Expression> positional_;
};

}  // namespace millrace::sql

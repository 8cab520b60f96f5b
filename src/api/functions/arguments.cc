#include "api/functions/arguments.h"

#include <atomic>

namespace millrace::api {

using spark::connect::Expression;

std::vector<Column> Arguments(std::vector<Column> given, const std::optional<Column>& last) {
  if (last) given.push_back(*last);
  return given;
}

std::vector<Column> Prepend(const Column& first, const std::vector<Column>& others) {
  std::vector<Column> all = {first};
  all.insert(all.end(), others.begin(), others.end());
  return all;
}

Column CallWithOptions(std::string_view name, std::vector<Column> arguments,
                       const std::map<std::string, std::string>& options) {
  if (!options.empty()) {
    std::vector<Column> entries;
    for (const auto& [key, value] : options) {
      entries.push_back(Lit(std::string_view(key)));
      entries.push_back(Lit(std::string_view(value)));
    }
    arguments.push_back(functions::Call("map", entries));
  }
  return functions::Call(name, arguments);
}

namespace {

// Lambdas nest: a name that an outer one has would hide its variable.
Column NewVariable(const char* stem) {
  static std::atomic<int64_t> last{0};
  auto message = std::make_shared<Expression>();
  message->mutable_unresolved_named_lambda_variable()->add_name_parts(std::string(stem) + "_" + std::to_string(++last));
  return Column(std::move(message));
}

Column MakeLambda(const Column& body, const std::vector<Column>& variables) {
  auto message = std::make_shared<Expression>();
  *message->mutable_lambda_function()->mutable_function() = body.message();
  for (const Column& variable : variables) {
    *message->mutable_lambda_function()->add_arguments() = variable.message().unresolved_named_lambda_variable();
  }
  return Column(std::move(message));
}

}  // namespace

Column Lambda(const std::function<Column(const Column&)>& function) {
  Column x = NewVariable("x");
  return MakeLambda(function(x), {x});
}

Column Lambda(const std::function<Column(const Column&, const Column&)>& function) {
  Column x = NewVariable("x"), y = NewVariable("y");
  return MakeLambda(function(x, y), {x, y});
}

Column Lambda(const std::function<Column(const Column&, const Column&, const Column&)>& function) {
  Column x = NewVariable("x"), y = NewVariable("y"), z = NewVariable("z");
  return MakeLambda(function(x, y, z), {x, y, z});
}

}  // namespace millrace::api

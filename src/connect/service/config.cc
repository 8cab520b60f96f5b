#include "base/error.h"
#include "connect/service/service.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

namespace {

namespace proto = spark::connect;

// Client settings that mean nothing here, as Spark says of them.
constexpr std::string_view kNotInConnect[] = {"spark.sql.execution.arrow.enabled",
                                              "spark.sql.execution.arrow.pyspark.fallback.enabled"};

// Set by `millrace submit`: all sessions are one job's, which may give static settings as if it started the engine.
constexpr std::string_view kOneJob = "millrace.submit.one.job";

void Warn(const std::string& key, proto::ConfigResponse* response) {
  for (std::string_view known : kNotInConnect) {
    if (key == known) response->add_warnings("The SQL config '" + key + "' is NOT supported in Spark Connect");
  }
}

void Add(const std::string& key, const std::optional<std::string>& value, proto::ConfigResponse* response) {
  auto* pair = response->add_pairs();
  pair->set_key(key);
  if (value) pair->set_value(*value);
  Warn(key, response);
}

// `at_start`: the settings of a session's builder are those that the engine starts with.
arrow::Status Set(session::Session& session, const proto::ConfigRequest::Set& set, bool at_start,
                  proto::ConfigResponse* response) {
  session::Conf& conf = session.conf();
  for (const auto& pair : set.pairs()) {
    if (!pair.has_value() && !set.silent()) {
      return arrow::Status::Invalid("requirement failed: value cannot be null for key: ", pair.key());
    }
    arrow::Status status =
        set.silent() && at_start ? session.SetAtStart(pair.key(), pair.value()) : conf.Set(pair.key(), pair.value());
    if (status.ok()) {
      Warn(pair.key(), response);
    } else if (set.silent()) {
      response->add_warnings("Failed to set " + pair.key() + " to " + pair.value() + " due to " + status.message());
    } else {
      return status;
    }
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Status Config(ConnectService& service, const proto::ConfigRequest& request, proto::ConfigResponse* response) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<ClientSession> session, SessionOf(service, request));
  response->set_session_id(request.session_id());
  response->set_server_side_session_id(session->server_side_id());
  session::Conf& conf = session->engine().conf();
  const auto& operation = request.operation();
  switch (operation.op_type_case()) {
    case proto::ConfigRequest::Operation::kSet:
      return Set(session->engine(), operation.set(), conf.Get(kOneJob).value_or("") == "true", response);
    case proto::ConfigRequest::Operation::kGet:
      for (const std::string& key : operation.get().keys()) {
        ARROW_ASSIGN_OR_RAISE(std::string value, conf.Require(key));
        Add(key, value, response);
      }
      return arrow::Status::OK();
    case proto::ConfigRequest::Operation::kGetWithDefault:
      for (const auto& pair : operation.get_with_default().pairs()) {
        std::optional<std::string> value = conf.Get(pair.key());
        // What the client would rather have, nothing included, wins over a default, not over a setting. An
        // application's name, id and master are settings.
        bool is_setting =
            conf.IsSet(pair.key()) || pair.key().starts_with("spark.app.") || pair.key() == "spark.master";
        if (!is_setting) value = pair.has_value() ? std::optional(pair.value()) : std::nullopt;
        Add(pair.key(), value, response);
      }
      return arrow::Status::OK();
    case proto::ConfigRequest::Operation::kGetOption:
      for (const std::string& key : operation.get_option().keys()) Add(key, conf.Get(key), response);
      return arrow::Status::OK();
    case proto::ConfigRequest::Operation::kGetAll: {
      const std::string& prefix = operation.get_all().prefix();
      for (const auto& [key, value] : conf.All()) {
        if (key.starts_with(prefix)) Add(key.substr(prefix.size()), value, response);
      }
      return arrow::Status::OK();
    }
    case proto::ConfigRequest::Operation::kUnset:
      for (const std::string& key : operation.unset().keys()) {
        ARROW_RETURN_NOT_OK(conf.Unset(key));
        Warn(key, response);
      }
      return arrow::Status::OK();
    case proto::ConfigRequest::Operation::kIsModifiable:
      for (const std::string& key : operation.is_modifiable().keys()) {
        Add(key, conf.IsModifiable(key) ? "true" : "false", response);
      }
      return arrow::Status::OK();
    default:
      return arrow::Status::NotImplemented("A Config request without an operation");
  }
}

}  // namespace millrace::connect

#include "api/remote/remote_channel.h"

#include <fmt/format.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <map>

#include "base/error.h"
#include "base/ids.h"
#include "base/json_value.h"
#include "base/version.h"
#include "spark/connect/base.grpc.pb.h"

namespace millrace::api {

namespace connect = spark::connect;

struct RemoteChannel::Native {
  explicit Native(RemoteUrl given) : url(std::move(given)) {
    if (url.session_id.empty()) url.session_id = RandomUuid();
    if (url.user_id.empty()) {
      const char* user = std::getenv("USER");
      url.user_id = user == nullptr ? "millrace" : user;
    }
    if (url.user_agent.empty()) url.user_agent = fmt::format("millrace-cpp/{}", Version());
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetMaxSendMessageSize(-1);
    arguments.SetUserAgentPrefix(url.user_agent);
    auto credentials = url.use_ssl ? grpc::SslCredentials({}) : grpc::InsecureChannelCredentials();
    stub = connect::SparkConnectService::NewStub(grpc::CreateCustomChannel(url.target, credentials, arguments));
  }

  /// What every request carries.
  template <typename Request>
  void Sign(Request* request) const {
    request->set_session_id(url.session_id);
    request->set_client_type(url.user_agent);
    request->mutable_user_context()->set_user_id(url.user_id);
    request->mutable_user_context()->set_user_name(url.user_id);
  }

  void AddHeaders(grpc::ClientContext* context) const {
    if (!url.token.empty()) context->AddMetadata("authorization", "Bearer " + url.token);
    for (const auto& [name, value] : url.headers) context->AddMetadata(name, value);
  }

  arrow::Status ToStatus(const grpc::Status& status);

  RemoteUrl url;
  std::unique_ptr<connect::SparkConnectService::Stub> stub;
};

namespace {

arrow::Status SparkError(std::string condition, std::string sqlstate, ErrorParameters parameters, std::string message) {
  auto detail = std::make_shared<ErrorDetail>(std::move(condition), std::move(sqlstate), std::move(parameters));
  return arrow::Status(arrow::StatusCode::Invalid, std::move(message), std::move(detail));
}

ErrorParameters ParametersOf(const std::string& json) {
  ErrorParameters parameters;
  if (auto parsed = ParseJson(json); parsed.ok()) {
    for (const auto& [name, value] : parsed->members()) parameters[name] = value.AsString();
  }
  return parameters;
}

/// The google.rpc.ErrorInfo of a failed call; empty where there is none.
google::rpc::ErrorInfo ErrorInfoOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (!details.ParseFromString(status.error_details())) return info;
  for (const auto& any : details.details()) {
    if (any.type_url().ends_with("google.rpc.ErrorInfo") && info.ParseFromString(any.value())) return info;
  }
  return google::rpc::ErrorInfo();
}

std::string Value(const google::rpc::ErrorInfo& info, const char* key) {
  auto it = info.metadata().find(key);
  return it == info.metadata().end() ? "" : it->second;
}

}  // namespace

arrow::Status RemoteChannel::Native::ToStatus(const grpc::Status& status) {
  if (status.ok()) return arrow::Status::OK();
  google::rpc::ErrorInfo info = ErrorInfoOf(status);
  // A call's status holds only the beginning of a long message; the rest is fetched.
  if (std::string id = Value(info, "errorId"); !id.empty()) {
    connect::FetchErrorDetailsRequest request;
    Sign(&request);
    request.set_error_id(id);
    grpc::ClientContext context;
    AddHeaders(&context);
    connect::FetchErrorDetailsResponse response;
    if (stub->FetchErrorDetails(&context, request, &response).ok() && response.has_root_error_idx() &&
        response.root_error_idx() < response.errors_size()) {
      const auto& root = response.errors(response.root_error_idx());
      const auto& thrown = root.spark_throwable();
      ErrorParameters parameters(thrown.message_parameters().begin(), thrown.message_parameters().end());
      if (root.has_spark_throwable() && !thrown.error_class().empty()) {
        return SparkError(thrown.error_class(), thrown.sql_state(), std::move(parameters), root.message());
      }
      return arrow::Status::Invalid(root.message());
    }
  }
  if (std::string condition = Value(info, "errorClass"); !condition.empty()) {
    return SparkError(std::move(condition), Value(info, "sqlState"), ParametersOf(Value(info, "messageParameters")),
                      status.error_message());
  }
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return WorldError(
          fmt::format("The Spark Connect server sc://{} cannot be reached: {}", url.target, status.error_message()),
          /*retryable=*/true);
    case grpc::StatusCode::CANCELLED:
      return arrow::Status::Cancelled(status.error_message());
    default:
      return arrow::Status::Invalid(status.error_message());
  }
}

RemoteChannel::RemoteChannel(RemoteUrl url) : native_(std::make_unique<Native>(std::move(url))) {}
RemoteChannel::~RemoteChannel() = default;

arrow::Status RemoteChannel::Execute(
    const connect::Plan& plan, const std::function<arrow::Status(const connect::ExecutePlanResponse&)>& on_response) {
  connect::ExecutePlanRequest request;
  native_->Sign(&request);
  *request.mutable_plan() = plan;
  grpc::ClientContext context;
  native_->AddHeaders(&context);
  auto reader = native_->stub->ExecutePlan(&context, request);
  connect::ExecutePlanResponse response;
  arrow::Status status;
  while (status.ok() && reader->Read(&response)) status = on_response(response);
  if (!status.ok()) {
    context.TryCancel();
    (void)reader->Finish();
    return status;
  }
  return native_->ToStatus(reader->Finish());
}

arrow::Status RemoteChannel::Run(const connect::Command& command) {
  connect::Plan plan;
  *plan.mutable_command() = command;
  return Execute(plan, [](const connect::ExecutePlanResponse&) { return arrow::Status::OK(); });
}

arrow::Result<connect::AnalyzePlanResponse> RemoteChannel::Analyze(connect::AnalyzePlanRequest request) {
  native_->Sign(&request);
  grpc::ClientContext context;
  native_->AddHeaders(&context);
  connect::AnalyzePlanResponse response;
  ARROW_RETURN_NOT_OK(native_->ToStatus(native_->stub->AnalyzePlan(&context, request, &response)));
  return response;
}

arrow::Status RemoteChannel::SetConf(const std::string& key, const std::string& value) {
  connect::ConfigRequest request;
  native_->Sign(&request);
  auto* pair = request.mutable_operation()->mutable_set()->add_pairs();
  pair->set_key(key);
  pair->set_value(value);
  grpc::ClientContext context;
  native_->AddHeaders(&context);
  connect::ConfigResponse response;
  return native_->ToStatus(native_->stub->Config(&context, request, &response));
}

arrow::Status RemoteChannel::ReleaseSession() {
  connect::ReleaseSessionRequest request;
  native_->Sign(&request);
  grpc::ClientContext context;
  native_->AddHeaders(&context);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
  connect::ReleaseSessionResponse response;
  return native_->ToStatus(native_->stub->ReleaseSession(&context, request, &response));
}

}  // namespace millrace::api

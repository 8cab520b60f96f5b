#include "connect/server.h"

#include <grpcpp/grpcpp.h>
#include <spdlog/spdlog.h>

#include <condition_variable>
#include <new>
#include <thread>

#include "base/error.h"
#include "base/file_system.h"
#include "connect/encode/error.h"
#include "connect/message_depth.h"
#include "connect/service/service.h"
#include "python/worker_pool.h"
#include "spark/connect/base.grpc.pb.h"

namespace millrace::connect {

namespace {

namespace proto = spark::connect;

// Spark's default of spark.connect.grpc.maxInboundMessageSize.
constexpr int kMaxMessageBytes = 128 << 20;
// More than Spark's spark.connect.grpc.marshallerRecursionLimit, because jobs of Spark's classic API have no such
// limit.
constexpr int kMaxMessageDepth = 10'000;
constexpr auto kMaintenanceInterval = std::chrono::seconds(30);

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host == "[::1]" || host.starts_with("127.");
}

// Compares in a time that says nothing about where the two differ.
bool SameSecret(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  unsigned char difference = 0;
  for (size_t i = 0; i < left.size(); ++i) difference |= static_cast<unsigned char>(left[i] ^ right[i]);
  return difference == 0;
}

template <typename Response>
class GrpcStream final : public ResponseStream {
 public:
  GrpcStream(grpc::ServerContext* context, grpc::ServerWriter<Response>* writer) : context_(context), writer_(writer) {}
  bool Write(const Response& response) override { return writer_->Write(response); }
  bool is_cancelled() const override { return context_->IsCancelled(); }

 private:
  grpc::ServerContext* context_;
  grpc::ServerWriter<Response>* writer_;
};

class Service final : public proto::SparkConnectService::Service {
 public:
  Service(ConnectService* service, std::string token) : service_(service), token_(std::move(token)) {}

  grpc::Status ExecutePlan(grpc::ServerContext* context, const proto::ExecutePlanRequest* request,
                           grpc::ServerWriter<proto::ExecutePlanResponse>* writer) override {
    GrpcStream<proto::ExecutePlanResponse> client(context, writer);
    return Call(context, request, [&] { return connect::ExecutePlan(*service_, *request, client); });
  }
  grpc::Status ReattachExecute(grpc::ServerContext* context, const proto::ReattachExecuteRequest* request,
                               grpc::ServerWriter<proto::ExecutePlanResponse>* writer) override {
    GrpcStream<proto::ExecutePlanResponse> client(context, writer);
    return Call(context, request, [&] { return connect::ReattachExecute(*service_, *request, client); });
  }
  grpc::Status ReleaseExecute(grpc::ServerContext* context, const proto::ReleaseExecuteRequest* request,
                              proto::ReleaseExecuteResponse* response) override {
    return Call(context, request, [&] { return connect::ReleaseExecute(*service_, *request, response); });
  }
  grpc::Status AnalyzePlan(grpc::ServerContext* context, const proto::AnalyzePlanRequest* request,
                           proto::AnalyzePlanResponse* response) override {
    return Call(context, request, [&] { return connect::AnalyzePlan(*service_, *request, response); });
  }
  grpc::Status Config(grpc::ServerContext* context, const proto::ConfigRequest* request,
                      proto::ConfigResponse* response) override {
    return Call(context, request, [&] { return connect::Config(*service_, *request, response); });
  }
  grpc::Status AddArtifacts(grpc::ServerContext* context, grpc::ServerReader<proto::AddArtifactsRequest>* reader,
                            proto::AddArtifactsResponse* response) override {
    ArtifactUpload upload(*service_);
    proto::AddArtifactsRequest request;
    SessionKey key;
    return Answer(
        context, [&] { return key; },
        [&]() -> arrow::Status {
          while (reader->Read(&request)) {
            key = {request.user_context().user_id(), request.session_id()};
            ARROW_RETURN_NOT_OK(upload.Add(request));
          }
          return upload.Finish(response);
        });
  }
  grpc::Status ArtifactStatus(grpc::ServerContext* context, const proto::ArtifactStatusesRequest* request,
                              proto::ArtifactStatusesResponse* response) override {
    return Call(context, request, [&] { return connect::ArtifactStatus(*service_, *request, response); });
  }
  grpc::Status Interrupt(grpc::ServerContext* context, const proto::InterruptRequest* request,
                         proto::InterruptResponse* response) override {
    return Call(context, request, [&] { return connect::Interrupt(*service_, *request, response); });
  }
  grpc::Status ReleaseSession(grpc::ServerContext* context, const proto::ReleaseSessionRequest* request,
                              proto::ReleaseSessionResponse* response) override {
    return Call(context, request, [&] { return connect::ReleaseSession(*service_, *request, response); });
  }
  grpc::Status FetchErrorDetails(grpc::ServerContext* context, const proto::FetchErrorDetailsRequest* request,
                                 proto::FetchErrorDetailsResponse* response) override {
    return Call(context, request, [&] { return connect::FetchErrorDetails(*service_, *request, response); });
  }
  grpc::Status CloneSession(grpc::ServerContext* context, const proto::CloneSessionRequest* request,
                            proto::CloneSessionResponse* response) override {
    return Call(context, request, [&] { return connect::CloneSession(*service_, *request, response); });
  }
  grpc::Status GetStatus(grpc::ServerContext* context, const proto::GetStatusRequest* request,
                         proto::GetStatusResponse* response) override {
    return Call(context, request, [&] { return connect::GetStatus(*service_, *request, response); });
  }

 private:
  template <typename Request, typename Run>
  grpc::Status Call(grpc::ServerContext* context, const Request* request, Run&& run) {
    return Answer(
        context, [request] { return SessionKey{request->user_context().user_id(), request->session_id()}; },
        std::forward<Run>(run));
  }

  // What every call has around it: who may call, and how a failure is told.
  template <typename Key, typename Run>
  grpc::Status Answer(grpc::ServerContext* context, Key&& key, Run&& run) {
    if (!Authorized(*context)) return {grpc::StatusCode::UNAUTHENTICATED, "Invalid authentication token"};
    arrow::Status status;
    try {
      status = run();
    } catch (const std::bad_alloc&) {
      status = arrow::Status::OutOfMemory("The call needs more memory than there is");
    } catch (const std::exception& error) {
      status = InternalError(error.what());
    }
    if (status.ok()) return grpc::Status::OK;
    std::shared_ptr<ClientSession> session = service_->sessions().Find(key());
    RpcError error = EncodeError(status, session == nullptr ? std::string() : session->RememberError(status));
    return {static_cast<grpc::StatusCode>(error.code), error.message, error.details};
  }

  bool Authorized(const grpc::ServerContext& context) const {
    if (token_.empty()) return true;
    auto found = context.client_metadata().find("authorization");
    if (found == context.client_metadata().end()) return false;
    return SameSecret({found->second.data(), found->second.size()}, "Bearer " + token_);
  }

  ConnectService* service_;
  std::string token_;
};

arrow::Result<std::shared_ptr<grpc::ServerCredentials>> CredentialsOf(const ServerOptions& options) {
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    return arrow::Status::Invalid("TLS needs both a certificate and its key");
  }
  if (options.tls_certificate.empty()) {
    if (!IsLoopback(options.host) && options.token.empty()) {
      return arrow::Status::Invalid("Refusing to listen on ", options.host,
                                    ": whoever reaches this address could run code as you. Give a token or TLS files, "
                                    "or stay on 127.0.0.1");
    }
    return grpc::InsecureServerCredentials();
  }
  grpc::SslServerCredentialsOptions tls;
  grpc::SslServerCredentialsOptions::PemKeyCertPair pair;
  ARROW_ASSIGN_OR_RAISE(pair.private_key, LocalFileSystem()->ReadFile(options.tls_key));
  ARROW_ASSIGN_OR_RAISE(pair.cert_chain, LocalFileSystem()->ReadFile(options.tls_certificate));
  tls.pem_key_cert_pairs.push_back(std::move(pair));
  return grpc::SslServerCredentials(tls);
}

std::string Address(const ServerOptions& options) {
  bool needs_brackets = options.host.find(':') != std::string::npos && options.host[0] != '[';
  return (needs_brackets ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
}

}  // namespace

class Server::Impl {
 public:
  Impl(std::shared_ptr<session::Engine> engine, const ServerOptions& options)
      : connect_service(std::move(engine), options.conf), grpc_service(&connect_service, options.token) {}

  arrow::Status Start(const ServerOptions& options) {
    ARROW_ASSIGN_OR_RAISE(auto credentials, CredentialsOf(options));
    SetMaxMessageDepth(kMaxMessageDepth);
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
    builder.SetMaxSendMessageSize(-1);
    // Two servers on one port would each get some of the calls.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    // A client whose machine is gone is noticed, also while it waits for nothing.
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60 * 1000);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10 * 1000);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
    builder.AddListeningPort(Address(options), credentials, &port);
    builder.RegisterService(&grpc_service);
    server = builder.BuildAndStart();
    if (server == nullptr || port == 0) return WorldError("Cannot listen on " + Address(options));
    maintenance = std::thread([this] { Maintain(); });
    return arrow::Status::OK();
  }

  void Shutdown() {
    {
      std::lock_guard lock(mutex);
      if (stopping) return;
      stopping = true;
    }
    wake.notify_all();
    if (maintenance.joinable()) maintenance.join();
    connect_service.Shutdown();
    if (server != nullptr) {
      server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
      server->Wait();
    }
    // A call that came in between may have made another session.
    connect_service.Shutdown();
  }

  void Maintain() {
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, kMaintenanceInterval, [this] { return stopping; })) {
      lock.unlock();
      connect_service.sessions().Maintain();
      lock.lock();
    }
  }

  ConnectService connect_service;
  Service grpc_service;
  int port = 0;
  std::unique_ptr<grpc::Server> server;
  std::thread maintenance;
  std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() { Shutdown(); }

arrow::Result<std::unique_ptr<Server>> Server::Start(std::shared_ptr<session::Engine> engine, ServerOptions options) {
  auto impl = std::make_unique<Impl>(engine, options);
  auto tell_workers = [&](int port) {
    std::string url = "sc://localhost:" + std::to_string(port);
    if (!options.token.empty()) url += "/;token=" + options.token;
    engine->python_workers->set_connect_url(std::move(url));
  };
  if (options.port != 0) tell_workers(options.port);
  arrow::Status status = impl->Start(options);
  if (!status.ok()) {
    impl->stopping = true;
    return status;
  }
  if (options.port == 0) tell_workers(impl->port);
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

int Server::port() const { return impl_->port; }
size_t Server::num_sessions() const { return impl_->connect_service.sessions().size(); }
void Server::Shutdown() { impl_->Shutdown(); }

}  // namespace millrace::connect

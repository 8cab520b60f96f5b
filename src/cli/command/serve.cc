#include <sys/mman.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "connect/coverage_page.h"
#include "connect/server.h"

namespace millrace::cli {

namespace {

struct ServeOptions {
  connect::ServerOptions server;
  std::string warehouse;
  std::vector<std::string> settings;
};

// Gives back the pages of code that only the start has run; what is needed again comes back from the file.
void DropStartupCode() {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    char mode[8] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %7s", &begin, &end, mode) != 3) continue;
    // Never written to, so nothing is lost.
    bool code_of_a_file = std::string_view(mode) == "r-xp" && line.find('/') != std::string::npos;
    if (code_of_a_file) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
}

arrow::Status RunServe(const ServeOptions& given) {
  // Before any thread is made, so that all of them leave these to sigwait below.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  connect::ServerOptions options = given.server;
  for (const std::string& setting : given.settings) {
    size_t equals = setting.find('=');
    if (equals == std::string::npos) return arrow::Status::Invalid("--conf ", setting, ": give KEY=VALUE");
    options.conf[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  if (!given.warehouse.empty()) options.conf["spark.sql.warehouse.dir"] = given.warehouse;
  ARROW_ASSIGN_OR_RAISE(auto server, connect::Server::Start(std::make_shared<session::Engine>(), options));
  std::printf("Millrace serves sc://%s:%d\n", options.host.c_str(), server->port());
  std::fflush(stdout);
  DropStartupCode();
  int signal = 0;
  sigwait(&signals, &signal);
  server->Shutdown();
  return arrow::Status::OK();
}

}  // namespace

void AddServeCommand(CLI::App& program, int* exit_code) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = program.add_subcommand("serve", "Serve Spark Connect clients (PySpark) until stopped");
  command->add_option("--port", options->server.port, "Port to listen on; 0 for any free one")->capture_default_str();
  command->add_option("--host", options->server.host, "Address to listen on; beyond loopback it wants a token or TLS")
      ->capture_default_str();
  command->add_option("--token", options->server.token, "Bearer token that clients must show");
  command->add_option("--tls-cert", options->server.tls_certificate, "Certificate chain, PEM");
  command->add_option("--tls-key", options->server.tls_key, "Private key, PEM");
  command->add_option("--warehouse", options->warehouse, "Directory of tables");
  command->add_option("--conf", options->settings, "Setting that sessions start with, KEY=VALUE");
  auto messages = std::make_shared<bool>(false);
  command->add_flag("--messages", *messages, "Print which messages are served (docs/connect.md), and end");
  command->callback([options, messages, exit_code] {
    if (*messages) {
      std::fputs(connect::CoveragePage().c_str(), stdout);
      return;
    }
    *exit_code = ExitCodeOf(RunServe(*options));
  });
}

}  // namespace millrace::cli

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "cli/command.h"
#include "connect/server.h"
#include "python/embedded.h"
#include "python/process.h"
#include "python/worker_pool.h"

namespace millrace::cli {

namespace {

// Where the job's process finds our package, whatever else it has open.
constexpr int kPackageFd = 198;

struct SubmitOptions {
  std::string script;
  std::vector<std::string> arguments;
  std::vector<std::string> settings;
  std::vector<std::string> py_files;
  std::string name;
  std::string master;
  std::string properties_file;
  /// Of spark-submit: taken, so that a command line need not change, and without meaning here.
  std::vector<std::string> ignored;
  bool verbose = false;
};

std::string EnvironmentOr(std::initializer_list<const char*> names, std::string otherwise) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return otherwise;
}

std::string Absolute(const std::string& path) {
  std::error_code ignored;
  std::filesystem::path absolute = std::filesystem::absolute(path, ignored);
  return ignored ? path : absolute.lexically_normal().string();
}

arrow::Result<std::map<std::string, std::string>> SettingsOf(const SubmitOptions& options) {
  std::map<std::string, std::string> settings;
  for (const std::string& setting : options.settings) {
    size_t equals = setting.find('=');
    if (equals == std::string::npos) return arrow::Status::Invalid("--conf ", setting, ": give KEY=VALUE");
    settings[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  if (!options.master.empty()) settings.emplace("spark.master", options.master);
  settings.emplace("spark.app.name",
                   options.name.empty() ? std::filesystem::path(options.script).filename().string() : options.name);
  return settings;
}

// The package as a file that only open descriptors know: nothing is left behind, however we end.
arrow::Result<python::OwnedFd> PackageFile() {
  python::OwnedFd fd(::memfd_create("millrace-python.zip", MFD_CLOEXEC));
  std::string_view archive = python::PackageArchive();
  if (!fd.valid() || ::write(fd.get(), archive.data(), archive.size()) != static_cast<ssize_t>(archive.size())) {
    return WorldError(std::string("memfd: ") + std::strerror(errno));
  }
  return fd;
}

python::ProcessOptions JobProcess(const SubmitOptions& options, const std::string& python, int port,
                                  const std::vector<std::string>& py_files, int package_fd) {
  python::ProcessOptions process;
  process.arguments = {python, options.script};
  process.arguments.insert(process.arguments.end(), options.arguments.begin(), options.arguments.end());
  std::string package = "/proc/self/fd/" + std::to_string(kPackageFd);
  std::string path = package;
  for (const std::string& file : py_files) path += ":" + file;
  std::string inherited = EnvironmentOr({"PYTHONPATH"}, "");
  if (!inherited.empty()) path += ":" + inherited;
  process.environment = {{"PYTHONPATH", path},
                         {"PYTHONHASHSEED", "0"},  // as spark-submit: sets of texts have one order
                         {"MILLRACE_PACKAGE", package},
                         {"MILLRACE_WORKER_PACKAGE", std::nullopt},
                         // As spark-submit: what the job prints stands before what the engine prints after it.
                         {"PYTHONUNBUFFERED", EnvironmentOr({"PYTHONUNBUFFERED"}, "YES")},
                         {"MILLRACE_REMOTE", "sc://localhost:" + std::to_string(port)}};
  process.descriptors = {{kPackageFd, package_fd}};
  process.parent_death_signal = SIGTERM;
  return process;
}

// Waits for the job's end; signals that we get are the job's. Its exit code as a shell gives it.
int AwaitJob(python::Process* job, const sigset_t& signals) {
  while (true) {
    siginfo_t info{};
    int signal = ::sigwaitinfo(&signals, &info);
    if (signal < 0) continue;
    // A Ctrl-C at the terminal reaches the job by itself.
    bool from_terminal = signal == SIGINT && info.si_code == SI_KERNEL;
    if (signal != SIGCHLD && !from_terminal) job->Signal(signal);
    std::optional<int> status = job->Poll();
    if (!status) continue;
    return WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status);
  }
}

arrow::Status Submit(const SubmitOptions& options, int* exit_code) {
  // Before any thread is made, so that all of them leave these to us.
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  if (::access(options.script.c_str(), R_OK) != 0) {
    return arrow::Status::IOError("Cannot read the job ", options.script, ": ", std::strerror(errno));
  }
  std::string python = EnvironmentOr({"PYSPARK_DRIVER_PYTHON", "PYSPARK_PYTHON"}, "python3");
  std::vector<std::string> py_files;
  for (const std::string& file : options.py_files) py_files.push_back(Absolute(file));

  ARROW_ASSIGN_OR_RAISE(python::OwnedFd package, PackageFile());
  // For the processes that run foreachBatch functions (worker_bootstrap.py). There is no other thread yet.
  std::string worker_package = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(package.get());
  ::setenv("MILLRACE_WORKER_PACKAGE", worker_package.c_str(), 1);
  auto engine = std::make_shared<session::Engine>();
  engine->python_interpreter.executable = EnvironmentOr({"PYSPARK_PYTHON"}, python);
  engine->python_interpreter.module_path = {std::filesystem::path(Absolute(options.script)).parent_path().string()};
  engine->python_interpreter.module_path.insert(engine->python_interpreter.module_path.end(), py_files.begin(),
                                                py_files.end());
  // What a foreachBatch function prints is the job's own output.
  engine->python_workers->set_output({.rows_fd = STDERR_FILENO, .streaming_fd = STDOUT_FILENO});
  connect::ServerOptions server_options;
  server_options.port = 0;
  ARROW_ASSIGN_OR_RAISE(server_options.conf, SettingsOf(options));
  server_options.conf["millrace.submit.one.job"] = "true";
  ARROW_ASSIGN_OR_RAISE(auto server, connect::Server::Start(engine, server_options));

  python::ProcessOptions process = JobProcess(options, python, server->port(), py_files, package.get());
  if (options.verbose) {
    std::fprintf(stderr, "millrace: %s %s on sc://localhost:%d, workers in %s\n", python.c_str(),
                 options.script.c_str(), server->port(), engine->python_interpreter.executable.c_str());
    for (const auto& [key, value] : server_options.conf) std::fprintf(stderr, "  %s=%s\n", key.c_str(), value.c_str());
  }
  ARROW_ASSIGN_OR_RAISE(python::Process job, python::StartProcess(process));
  *exit_code = AwaitJob(&job, signals);
  server->Shutdown();
  return arrow::Status::OK();
}

}  // namespace

void AddSubmitCommand(CLI::App& program, int* exit_code) {
  auto options = std::make_shared<SubmitOptions>();
  CLI::App* command = program.add_subcommand("submit", "Run a PySpark job on an embedded engine, as spark-submit does");
  command->add_option("--conf,-c", options->settings, "Setting of the job, KEY=VALUE")->allow_extra_args(false);
  command->add_option("--name", options->name, "The application's name");
  command->add_option("--py-files", options->py_files, "Modules and archives the job imports, separated by commas")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_flag("--verbose,-v", options->verbose, "Tell what is run");
  command->add_option("--master", options->master, "Of local[N], N is into how many partitions rows are cut");
  for (const char* name : {"--deploy-mode",
                           "--packages",
                           "--exclude-packages",
                           "--repositories",
                           "--jars",
                           "--files",
                           "--archives",
                           "--class",
                           "--driver-memory",
                           "--driver-java-options",
                           "--driver-library-path",
                           "--driver-class-path",
                           "--driver-cores",
                           "--executor-memory",
                           "--executor-cores",
                           "--num-executors",
                           "--total-executor-cores",
                           "--queue",
                           "--proxy-user",
                           "--principal",
                           "--keytab",
                           "--properties-file"}) {
    command->add_option(name, options->ignored, "Of spark-submit; has no meaning here")
        ->allow_extra_args(false)
        ->group("");
  }
  // The first word that is no option of ours is the job; what follows is its own, options too.
  command->prefix_command();
  command->footer("millrace submit [options] job.py [arguments of the job]");
  command->callback([command, options, exit_code] {
    std::vector<std::string> rest = command->remaining();
    if (rest.empty()) throw CLI::RequiredError("job.py");
    options->script = rest[0];
    options->arguments.assign(rest.begin() + 1, rest.end());
    arrow::Status status = Submit(*options, exit_code);
    if (!status.ok()) *exit_code = ExitCodeOf(status);
  });
}

}  // namespace millrace::cli

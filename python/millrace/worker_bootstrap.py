"""Runs first in each Python process that the engine starts, before anything of PySpark.

    python -c <this text> daemon                    forks workers on demand: pyspark.daemon
    python -c <this text> run MODULE                runs MODULE as python -m does

It tells the engine over the descriptor MILLRACE_REPORT_FD which PySpark it found, or why it found none, and sees to it
that no worker outlives the engine. Whatever functions print goes where the engine's standard error goes.
"""
import json
import os
import struct
import sys
import traceback
import types


def report(fields):
    text = json.dumps(fields).encode("utf-8")
    os.write(report_fd, struct.pack(">i", len(text)) + text)


def die_with(parent):
    # prctl(PR_SET_PDEATHSIG, SIGKILL)
    import ctypes

    ctypes.CDLL(None).prctl(1, 9)
    if os.getppid() != parent:
        os._exit(1)


def run_task(infile, outfile):
    """A task begins with the name of the module that knows its words: pyspark.worker, pyspark.sql.worker.*."""
    import importlib

    size = infile.read(4)
    if len(size) < 4:
        sys.exit(-1)  # the engine wants nothing more of this worker
    importlib.import_module(infile.read(struct.unpack(">i", size)[0]).decode("utf-8")).main(infile, outfile)


def run_daemon(daemon):
    """pyspark.daemon writes its port to what sys.stdout.fileno() names; its workers print to sys.stdout."""
    real = sys.stdout
    own = os.getpid()

    class PortOut:
        def fileno(self):
            return report_fd

        def __getattr__(self, name):
            return getattr(real, name)

    def in_worker():
        if os.getppid() == own:
            sys.stdout = real
            die_with(own)

    os.register_at_fork(after_in_child=in_worker)
    sys.stdout = PortOut()
    tasks = types.ModuleType("pyspark_tasks")  # the daemon takes names that begin like this
    # What logs, PySpark looks for from its own modules up: this one must look like one of them.
    tasks.main = types.FunctionType(run_task.__code__, {**globals(), "__name__": "pyspark.tasks"})
    sys.modules[tasks.__name__] = tasks
    sys.argv = ["pyspark.daemon", tasks.__name__]
    daemon.worker_main = tasks.main  # before PySpark 4.2 it was looked up when the daemon was imported
    daemon.manager()


report_fd = int(os.environ.pop("MILLRACE_REPORT_FD"))
mode, module = (sys.argv[1:3] + [""])[:2]
package = os.environ.pop("MILLRACE_WORKER_PACKAGE", "")  # under `millrace submit`
try:
    if package and mode == "run":
        sys.path.append(package)
        from millrace.submit import prepare_worker

        prepare_worker()
    import pyspark

    if mode == "daemon":
        from pyspark import daemon
    elif module.startswith("pyspark.sql.connect."):
        import pyspark.sql.connect.session  # the long part of starting, said to be over when it is
    report({"pyspark": pyspark.__version__, "python": "%d.%d" % sys.version_info[:2]})
except BaseException:
    report({"error": traceback.format_exc()})
    sys.exit(1)

if mode == "daemon":
    run_daemon(daemon)
else:
    import runpy

    os.close(report_fd)
    sys.argv = [module]
    # PySpark's streaming workers tell of each batch on standard output, which is the job's.
    quiet = {"print": lambda *values, **options: None}
    runpy.run_module(module, init_globals=quiet, run_name="__main__", alter_sys=True)

"""Runs first in each Python process that the engine starts, before anything of PySpark.

    python -c <this text> daemon pyspark.worker     forks workers on demand: pyspark.daemon
    python -c <this text> run MODULE                runs MODULE as python -m does

It tells the engine over the descriptor MILLRACE_REPORT_FD which PySpark it found, or why it found none, and sees to it
that no worker outlives the engine. Whatever functions print goes where the engine's standard error goes.
"""
import json
import os
import struct
import sys
import traceback


def report(fields):
    text = json.dumps(fields).encode("utf-8")
    os.write(report_fd, struct.pack(">i", len(text)) + text)


def die_with(parent):
    # prctl(PR_SET_PDEATHSIG, SIGKILL)
    import ctypes

    ctypes.CDLL(None).prctl(1, 9)
    if os.getppid() != parent:
        os._exit(1)


def run_daemon(daemon, module):
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
    sys.argv = ["pyspark.daemon", module]
    daemon.manager()


report_fd = int(os.environ.pop("MILLRACE_REPORT_FD"))
mode, module = sys.argv[1:3]
try:
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
    run_daemon(daemon, module)
else:
    import runpy

    os.close(report_fd)
    sys.argv = [module]
    # PySpark's streaming workers tell of each batch on standard output, which is the job's.
    quiet = {"print": lambda *values, **options: None}
    runpy.run_module(module, init_globals=quiet, run_name="__main__", alter_sys=True)

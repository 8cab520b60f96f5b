"""Read by Python at its start, before the job: see millrace.submit. The user's own sitecustomize is read after it."""
import os
import sys


def _run_next(here):
    """Another sitecustomize further along the path is what Python would have read without us."""
    import importlib.machinery
    import importlib.util

    rest = [entry for entry in sys.path if entry != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", rest)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


_package = os.environ.get("MILLRACE_PACKAGE")
if _package and "MILLRACE_REMOTE" in os.environ:
    import millrace.submit

    millrace.submit.prepare()
    _run_next(_package)

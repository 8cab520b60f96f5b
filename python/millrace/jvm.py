"""What jobs reach for below PySpark's surface, where a Spark driver has its JVM: a logger, Hadoop's settings, a batch's session."""
import datetime
import getpass
import os
import sys
import tempfile
import time

from millrace.hadoop_files import FileSystem, Path, URI


def _unsupported(name):
    from pyspark.errors import PySparkAttributeError

    return PySparkAttributeError(errorClass="JVM_ATTRIBUTE_NOT_SUPPORTED", messageParameters={"attr_name": name})


class _Named:
    """Refuses, by its full name, what it has not."""

    _path = ""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise _unsupported(self._path + name)


_LEVELS = ("ALL", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF")


class _Level(_Named):
    _path = "_jvm.org.apache.log4j.Level."

    def toLevel(self, name):
        return name if name in _LEVELS else "DEBUG"


for _name in _LEVELS:
    setattr(_Level, _name, _name)


class _Logger:
    """Prints in the layout of Spark's own log on standard error, from WARN on as a Spark shell does."""

    def __init__(self, name):
        self._name, self._level = name, "WARN"

    def getName(self):
        return self._name

    def getLevel(self):
        return self._level

    def setLevel(self, level):
        self._level = str(level)

    def _log(self, level, message):
        if _LEVELS.index(level) >= _LEVELS.index(self._level):
            now = datetime.datetime.now().strftime("%y/%m/%d %H:%M:%S")
            print(now, level, self._name.rsplit(".", 1)[-1] + ":", message, file=sys.stderr, flush=True)


for _name in _LEVELS[1:-1]:
    setattr(_Logger, _name.lower(), lambda self, message, _level=_name: self._log(_level, message))


class _LogManager(_Named):
    _path = "_jvm.org.apache.log4j.LogManager."
    _loggers = {}

    def getLogger(self, name):
        return self._loggers.setdefault(str(name), _Logger(str(name)))

    def getRootLogger(self):
        return self.getLogger("root")


class _Package(_Named):
    def __init__(self, path, members=None):
        self._path = path + "."
        for name, value in (members or {}).items():
            setattr(self, name, value)




class _System(_Named):
    _path = "_jvm.java.lang.System."

    def currentTimeMillis(self):
        return time.time_ns() // 1000000

    def nanoTime(self):
        return time.perf_counter_ns()

    def getenv(self, name):
        return os.environ.get(name)

    def getProperty(self, name, default=None):
        """Those that do not speak of a JVM."""
        known = {"user.dir": os.getcwd, "user.home": lambda: os.path.expanduser("~"), "user.name": getpass.getuser,
                 "java.io.tmpdir": tempfile.gettempdir, "file.separator": lambda: os.sep, "line.separator": lambda: os.linesep}
        return known[name]() if name in known else default


class HadoopConfiguration(_Named):
    """Settings of Hadoop's file systems, which the engine does not use: kept and given back."""

    _path = "hadoopConfiguration()."

    def __init__(self):
        self._settings = {}

    def set(self, key, value):
        self._settings[key] = value

    setInt = setLong = setBoolean = set

    def get(self, key, default=None):
        return self._settings.get(key, default)

    def unset(self, key):
        self._settings.pop(key, None)


class JavaContext(_Named):
    """`sparkContext._jsc`."""

    _path = "_jsc."

    def __init__(self):
        self._hadoop = HadoopConfiguration()

    def hadoopConfiguration(self):
        return self._hadoop


class JavaFrame(_Named):
    """`df._jdf`: foreachBatch functions ask it for the session of their batch, logs for the text that show() prints."""

    _path = "_jdf."

    def __init__(self, frame):
        self._frame = frame

    def sparkSession(self):
        return self._frame.sparkSession

    def showString(self, n=20, truncate=20, vertical=False):
        return self._frame._show_string(n, int(truncate), vertical)

    def isStreaming(self):
        return self._frame.isStreaming


def _joined(names):
    return names[0] if len(names) == 1 else ".".join("`%s`" % name.replace("`", "``") for name in names)


class _JavaCatalog(_Named):
    """As of Python, but for where the database stands."""

    _path = "_jsparkSession.catalog()."

    def __init__(self, catalog):
        self._catalog = catalog
        for name in ("databaseExists", "currentDatabase", "setCurrentDatabase", "dropTempView", "dropGlobalTempView",
                     "isCached", "cacheTable", "uncacheTable", "clearCache", "refreshTable", "refreshByPath"):
            setattr(self, name, getattr(catalog, name))

    def tableExists(self, *names):
        """Of a name, or of a database and a name."""
        return self._catalog.tableExists(_joined(names))

    def functionExists(self, *names):
        return self._catalog.functionExists(_joined(names))


class JavaSession(_Named):
    """`spark._jsparkSession`."""

    _path = "_jsparkSession."

    def __init__(self, session):
        self._session = session

    def catalog(self):
        return _JavaCatalog(self._session.catalog)

    def sparkContext(self):
        return self._session.sparkContext


def _packages(path, members):
    """Nested dictionaries as packages of packages."""
    return _Package(path, {name: _packages(f"{path}.{name}", value) if isinstance(value, dict) else value
                           for name, value in members.items()})


JVM = _packages("_jvm", {
    "System": _System(),
    "java": {"lang": {"System": _System()}, "net": {"URI": URI}},
    "org": {"apache": {
        "log4j": {"LogManager": _LogManager(), "Logger": _LogManager(), "Level": _Level()},
        "hadoop": {"fs": {"FileSystem": FileSystem, "Path": Path}, "conf": {"Configuration": HadoopConfiguration}}}}})

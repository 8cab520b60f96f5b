"""What jobs ask of `spark.sparkContext`, as far as it has a meaning without a Spark process."""
import getpass
import os
import re
import sys
import time


class SparkContext:
    """A stand-in: its settings, names and files are the session's; its RDDs are lists of this process (millrace.rdd)."""

    _active = None
    _start_ms = int(time.time() * 1000)

    def __init__(self, master=None, appName=None, conf=None, **unused):
        from pyspark.sql import SparkSession

        builder = SparkSession.builder
        if conf is not None:
            builder = builder.config(conf=conf)
        if master is not None:
            builder = builder.master(master)
        if appName is not None:
            builder = builder.appName(appName)
        self._session = builder.getOrCreate()
        self._local_properties = {}
        SparkContext._active = self

    @classmethod
    def getOrCreate(cls, conf=None):
        return cls._active if cls._active is not None else cls(conf=conf)

    @classmethod
    def _of_session(cls, session):
        context = getattr(session, "_millrace_context", None)
        if context is None:
            context = cls.__new__(cls)
            context._session = session
            context._local_properties = {}
            session._millrace_context = context
            cls._active = context
        return context

    def setLogLevel(self, logLevel):
        pass

    def setJobGroup(self, groupId, description, interruptOnCancel=False):
        self._session.addTag(str(groupId).replace(",", "_"))

    def setJobDescription(self, value):
        pass

    def setLocalProperty(self, key, value):
        self._local_properties[key] = value

    def getLocalProperty(self, key):
        return self._local_properties.get(key)

    def setCheckpointDir(self, dirName):
        pass

    def addPyFile(self, path):
        self._session.addArtifacts(path, pyfile=True)

    def addFile(self, path, recursive=False):
        self._session.addArtifacts(path, file=True)

    def parallelize(self, c, numSlices=None):
        from millrace.rdd import RDD, _sliced

        values, slices = list(c), numSlices or self.defaultParallelism
        if isinstance(c, range):
            return RDD(self, lambda: _sliced(values, slices))
        # Spark slices batches of values, not values.
        size = max(1, min(len(values) // slices, 1024))
        batches = [values[i:i + size] for i in range(0, len(values), size)]
        return RDD(self, lambda: [[value for batch in part for value in batch] for part in _sliced(batches, slices)])

    def range(self, start, end=None, step=1, numSlices=None):
        return self.parallelize(range(0, start) if end is None else range(start, end, step), numSlices)

    def emptyRDD(self):
        from millrace.rdd import RDD

        return RDD(self, list)

    def union(self, rdds):
        from millrace.rdd import RDD

        return RDD(self, lambda: [part for rdd in rdds for part in rdd._parts()])

    def textFile(self, name, minPartitions=None, use_unicode=True):
        from millrace.rdd import RDD
        from millrace.text_splits import lines_of, splits_of

        splits = splits_of(name, min(2, self.defaultParallelism) if minPartitions is None else minPartitions)
        if splits is None:
            return self._session.read.text(name.split(",")).rdd.map(lambda row: row[0])
        return RDD(self, lambda: [lines_of(split) for split in splits])

    def wholeTextFiles(self, path, minPartitions=None, use_unicode=True):
        frame = self._session.read.option("wholetext", True).text(path.split(","))
        return frame.select("_metadata.file_path", "value").rdd.map(tuple)

    def accumulator(self, value, accum_param=None):
        from millrace.accumulator import make

        return make(self._session, value, accum_param)

    def broadcast(self, value):
        from millrace.rdd import Broadcast

        return Broadcast(value)

    @property
    def _jvm(self):
        from millrace.jvm import JVM

        return JVM

    @property
    def _jsc(self):
        from millrace.jvm import JavaContext

        if "_java_context" not in self.__dict__:
            self._java_context = JavaContext()
        return self._java_context

    def cancelAllJobs(self):
        self._session.interruptAll()

    def getConf(self):
        from pyspark import SparkConf

        conf = SparkConf(loadDefaults=False)
        for key, value in self._session.conf.getAll.items():
            conf.set(key, value)
        return conf

    @property
    def _conf(self):
        return self.getConf()

    @property
    def defaultMinPartitions(self):
        return min(self.defaultParallelism, 2)

    @property
    def startTime(self):
        return self._start_ms

    def sparkUser(self):
        return getpass.getuser()

    def stop(self):
        self._session.stop()

    @property
    def version(self):
        return self._session.version

    @property
    def appName(self):
        return self._session.conf.get("spark.app.name")

    @property
    def applicationId(self):
        return "local-" + str(self._session.session_id)

    @property
    def master(self):
        return self._session.conf.get("spark.master")

    @property
    def pythonVer(self):
        return "%d.%d" % sys.version_info[:2]

    @property
    def defaultParallelism(self):
        """As the engine has it (Session::DefaultParallelism)."""
        set_to = self._session.conf.get("spark.default.parallelism", "")
        if set_to:
            return int(set_to)
        cores = re.match(r"local(?:\[(\d+))?", self.master)
        if cores and (cores[1] or self.master == "local"):
            return int(cores[1] or 1)
        return len(os.sched_getaffinity(0))

    @property
    def uiWebUrl(self):
        return None

    def __repr__(self):
        return "<SparkContext master={} appName={}>".format(self.master, self.appName)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def __getattr__(self, name):
        from pyspark.errors import PySparkNotImplementedError

        if name.startswith("__"):
            raise AttributeError(name)
        raise PySparkNotImplementedError(errorClass="NOT_IMPLEMENTED", messageParameters={"feature": "SparkContext." + name})

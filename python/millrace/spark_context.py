"""What jobs ask of `spark.sparkContext`, as far as it has a meaning without a Spark process."""
import os
import sys


class SparkContext:
    """A stand-in: its settings, names and files are the session's; its RDDs are lists of this process (millrace.rdd)."""

    _active = None

    def __init__(self, master=None, appName=None, conf=None, **unused):
        from pyspark.sql import SparkSession

        builder = SparkSession.builder
        if conf is not None:
            builder = builder.config(conf=conf)
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

        values = list(c)
        return RDD(self, lambda: _sliced(values, numSlices or self.defaultParallelism))

    def range(self, start, end=None, step=1, numSlices=None):
        return self.parallelize(range(0, start) if end is None else range(start, end, step), numSlices)

    def emptyRDD(self):
        from millrace.rdd import RDD

        return RDD(self, list)

    def union(self, rdds):
        from millrace.rdd import RDD

        return RDD(self, lambda: [part for rdd in rdds for part in rdd._parts()])

    def textFile(self, name, minPartitions=None, use_unicode=True):
        return self._session.read.text(name.split(",")).rdd.map(lambda row: row[0])

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
        return "local[*]"

    @property
    def pythonVer(self):
        return "%d.%d" % sys.version_info[:2]

    @property
    def defaultParallelism(self):
        return os.cpu_count() or 1

    @property
    def uiWebUrl(self):
        return None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def __getattr__(self, name):
        from pyspark.errors import PySparkNotImplementedError

        if name.startswith("__"):
            raise AttributeError(name)
        raise PySparkNotImplementedError(errorClass="NOT_IMPLEMENTED", messageParameters={"feature": "SparkContext." + name})

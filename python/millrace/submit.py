"""Makes PySpark of this process use the engine that `millrace submit` runs beside it.

Nothing of PySpark is imported here: the changes are applied to its modules when the job imports them, so a job that
fails before, or imports nothing of PySpark, behaves as with plain `python`.
"""
import atexit
import functools
import importlib.abc
import os
import sys

# Settings of a Spark process, which is not there: they are taken and mean nothing.
_OF_THE_PROCESS = ("spark.remote", "spark.api.mode", "spark.submit.", "spark.jars", "spark.driver.",
                   "spark.executor.", "spark.plugins", "spark.files", "spark.archives", "spark.yarn.",
                   "spark.kubernetes.", "spark.ui.", "spark.eventLog.", "spark.dynamicAllocation.", "spark.cores.",
                   "spark.serializer", "spark.kryo", "spark.hadoop.", "spark.local.dir", "spark.network.",
                   "spark.extraListeners", "spark.logConf", "spark.python.worker.", "spark.pyspark.",
                   "spark.memory.", "spark.shuffle.", "spark.scheduler.", "spark.task.", "spark.rpc.",
                   "spark.port.", "spark.history.", "spark.deploy.", "spark.worker.", "spark.streaming.")


_DEEPEST_PLAN = 10000


def prepare_worker():
    """The functions of foreachBatch run in a process of the engine's, and see there what the job sees."""
    sys.meta_path.insert(0, _Patcher({name: patch for name, patch in _PATCHES.items() if ".connect." in name}))


def prepare():
    package = os.environ.pop("MILLRACE_PACKAGE", "")
    remote = os.environ.pop("MILLRACE_REMOTE")
    # Programs that the job starts are not ours to change.
    path = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry and entry != package]
    if path:
        os.environ["PYTHONPATH"] = os.pathsep.join(path)
    else:
        os.environ.pop("PYTHONPATH", None)
    os.environ["SPARK_REMOTE"] = remote
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    os.environ.setdefault("SPARK_HOME", "/")
    sys.meta_path.insert(0, _Patcher(_PATCHES))
    # Frames and columns made in a loop lie in one another, and a client walks into them; a Spark driver does not.
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _DEEPEST_PLAN))


def _sends(key):
    return not any(key == name or (name.endswith(".") and key.startswith(name)) or
                   (not name.endswith(".") and key.startswith(name + ".")) for name in _OF_THE_PROCESS)


def _allow_deep_messages():
    """Messages are copied by parsing, which by default goes 100 messages deep."""
    try:
        from google._upb import _message

        _message.SetAllowOversizeProtos(True)
    except (ImportError, AttributeError):  # another implementation
        pass


def _patch_builder(module):
    """SparkSession.builder: .master(...) and settings of the Spark process are as good as not given."""
    builder = module.SparkSession.Builder
    builder._validate_startup_urls = lambda self: None
    for name in ("getOrCreate", "create"):
        original = getattr(builder, name)

        def replacement(self, _original=original):
            kept = self._options
            user_remote = kept.get("spark.remote")
            self._options = {key: value for key, value in kept.items() if _sends(key)}
            if user_remote and str(user_remote).startswith("sc://"):
                self._options["spark.remote"] = user_remote
            try:
                session = _original(self)
                if not hasattr(session, "_millrace_options"):
                    session._millrace_options = dict(self._options)
                    # The client keeps it back; it says how many partitions there are.
                    if "spark.master" in kept:
                        session.conf._set_all({"spark.master": kept["spark.master"]}, silent=True)
                return session
            finally:
                self._options = kept

        replacement.__doc__ = original.__doc__
        replacement.__name__ = name
        setattr(builder, name, replacement)


def _patch_connect_session(module):
    """What a classic session has beside a client's: its context, RDDs as data, what is reached for in the JVM."""
    from millrace import frames
    from millrace.jvm import JavaSession
    from millrace.spark_context import SparkContext

    _allow_deep_messages()
    session = module.SparkSession
    session.sparkContext = property(SparkContext._of_session)
    session._sc = session.sparkContext
    session._jvm = property(lambda self: self.sparkContext._jvm)
    session._jsc = property(lambda self: self.sparkContext._jsc)
    session._jsparkSession = property(JavaSession)
    session.newSession = _new_session
    create = session.createDataFrame

    @functools.wraps(create)
    def create_frame(self, data, schema=None, samplingRatio=None, verifySchema=True):
        from millrace.rdd import RDD

        origin = _origin(data)
        if isinstance(data, RDD):
            parts = data._parts()
            data, origin = [row for part in parts for row in part], ",".join(str(len(part)) for part in parts)
        if isinstance(schema, str):
            schema = self.client._analyze(method="ddl_parse", ddl_string=schema).parsed
        if verifySchema and origin != "sized" and not hasattr(data, "_plan"):
            data = _verified(data, schema)
        frame = create(self, data, schema)
        if origin:
            _tell_origin(frame._plan, origin)
        return frame

    session.createDataFrame = create_frame
    frames.patch_sql(session)


def _origin(data):
    """What a Spark driver makes a relation of its own of: rows in columns."""
    return "sized" if type(data).__module__.split(".")[0] in ("pandas", "pyarrow", "numpy") else ""


def _verified(data, schema):
    """A Spark driver takes no value that is not of the type the schema says; a client casts."""
    from pyspark.sql.types import DataType, StructType, _make_type_verifier

    if not isinstance(schema, DataType):
        return data
    verify = _make_type_verifier(schema) if isinstance(schema, StructType) else _make_type_verifier(schema, name="field value")
    data = data if isinstance(data, list) else list(data)
    for row in data:
        verify(row)
    return data


def _tell_origin(plan, origin):
    """Says it to the engine, in the metadata of the rows' schema; relations that are sent ahead have gone already."""
    while plan is not None and getattr(plan, "_table", None) is None:
        plan = getattr(plan, "_child", None)
    if plan is not None:
        metadata = {**(plan._table.schema.metadata or {}), b"millrace.origin": origin.encode()}
        plan._table = plan._table.replace_schema_metadata(metadata)


def _new_session(self):
    """Settings as the job gave them to its builder, views of its own; not what getOrCreate() finds."""
    builder = type(self).Builder()
    builder._options = {**getattr(self, "_millrace_options", {}), "spark.remote": os.environ["SPARK_REMOTE"]}
    session = builder.create()
    # gRPC does not let a process end that leaves a channel open.
    atexit.register(session.client.close)
    type(self)._set_default_and_active_session(self)
    return session


def _patch_connect_frame(module):
    from millrace import frames, rdd
    from millrace.jvm import JavaFrame

    frames.patch(module.DataFrame)
    module.DataFrame.rdd = property(rdd.of_frame)
    module.DataFrame._jdf = property(JavaFrame)
    module.DataFrame.toJSON = _to_json
    module.DataFrame.isEmpty = _is_empty


def _is_empty(self):
    """A Spark driver asks each partition for a row, not one after the other: progress counts what was read."""
    return self.select().limit(1).count() == 0


def _to_json(self, use_unicode=True):
    from pyspark.sql import functions as F

    return self.select(F.to_json(F.struct("*"))).rdd.map(lambda row: row[0])


def _analyzed_at_once(reader, names):
    """A classic session fails where a table or path is named that is not there; a client asks only when it must."""
    for name in names:
        original = getattr(reader, name)

        def read(self, *arguments, _original=original, **named):
            frame = _original(self, *arguments, **named)
            frame.schema  # kept by the frame, so it is asked for once
            return frame

        setattr(reader, name, functools.wraps(original)(read))


def _patch_connect_streaming_reader(module):
    _analyzed_at_once(module.DataStreamReader, ("load", "table"))
    original = module.DataStreamWriter.foreachBatch

    @functools.wraps(original)
    def foreach_batch(self, func):
        from millrace.driver_call import call_of

        return original(self, call_of(self._session, func))

    module.DataStreamWriter.foreachBatch = foreach_batch
    _patch_output_mode(module.DataStreamWriter)


def _patch_output_mode(writer):
    original = writer.outputMode

    @functools.wraps(original)
    def output_mode(self, outputMode):
        from pyspark.errors import PySparkValueError
        from pyspark.errors.exceptions.connect import IllegalArgumentException

        if not isinstance(outputMode, str) or not outputMode.strip():
            raise PySparkValueError(errorClass="VALUE_NOT_NON_EMPTY_STR",
                                    messageParameters={"arg_name": "outputMode", "arg_value": str(outputMode)})
        if outputMode.lower() not in ("append", "complete", "update"):
            raise IllegalArgumentException(
                f"[STREAMING_OUTPUT_MODE.INVALID] Invalid streaming output mode: {outputMode}. Accepted output modes are "
                "'Append', 'Complete', 'Update'. SQLSTATE: 42KDE",
                errorClass="STREAMING_OUTPUT_MODE.INVALID", messageParameters={"outputMode": outputMode}, sql_state="42KDE")
        return original(self, outputMode)

    writer.outputMode = output_mode


def _patch_connect_query(module):
    """A Spark driver also looks for the end of any query without waiting; a client takes that for an error. And a client
    puts the condition in front of what ended a query."""
    original = module.StreamingQueryManager.awaitAnyTermination
    exception = module.StreamingQuery.exception

    @functools.wraps(exception)
    def exception_of(self):
        error = exception(self)
        if error is not None and error._message.startswith("(STREAM_FAILED) "):
            error._message = error._message.removeprefix("(STREAM_FAILED) ")
        return error

    module.StreamingQuery.exception = exception_of

    @functools.wraps(original)
    def wait(self, timeout=None):
        return original(self, 0.001 if timeout == 0 and not isinstance(timeout, bool) else timeout)

    module.StreamingQueryManager.awaitAnyTermination = wait


def _patch_connect_reader(module):
    """json() and csv() read the texts of an RDD too; the client takes a DataFrame of them."""
    from millrace import frames

    frames.patch_reader(module.DataFrameReader)
    for name in ("json", "csv"):
        original = getattr(module.DataFrameReader, name)

        def read(self, path, *arguments, _original=original, **named):
            from millrace.rdd import RDD

            if isinstance(path, RDD):
                path = path.map(lambda text: (text,)).toDF("value STRING")
            return _original(self, path, *arguments, **named)

        setattr(module.DataFrameReader, name, functools.wraps(original)(read))
    _patch_save_mode(module.DataFrameWriter)


def _patch_save_mode(writer):
    """A Spark driver knows two more words for "error", and says where the word stands that it does not know."""
    original = writer.mode

    @functools.wraps(original)
    def mode(self, saveMode):
        word = saveMode if saveMode is None else saveMode.lower()
        if word in ("errorifexists", "default"):
            saveMode = "error"
        elif word not in (None, "append", "overwrite", "ignore", "error"):
            from pyspark.errors.exceptions.connect import AnalysisException

            raise AnalysisException(
                f'[INVALID_SAVE_MODE] The specified save mode "{saveMode}" is invalid. Valid save modes include '
                '"append", "overwrite", "ignore", "error", "errorifexists", and "default". SQLSTATE: 42000',
                errorClass="INVALID_SAVE_MODE", messageParameters={"mode": f'"{saveMode}"'}, sql_state="42000")
        return original(self, saveMode)

    writer.mode = mode


def _patch_pyspark(module):
    """Jobs import SparkContext from pyspark, where the client package has none."""
    if getattr(module, "SparkContext", None) is None:
        from millrace.spark_context import SparkContext

        module.SparkContext = SparkContext


def _patch_classic_context(module):
    """The whole pyspark package has a SparkContext that would start a JVM."""
    from millrace.spark_context import SparkContext

    module.SparkContext.__new__ = staticmethod(lambda cls, *arguments, **named: SparkContext(*arguments, **named))
    module.SparkContext.getOrCreate = classmethod(lambda cls, conf=None: SparkContext.getOrCreate(conf))


def _patch_progress(module):
    from millrace.progress import patch

    patch(module)


def _patch_catalog(module):
    """Catalog(spark) of a driver is what spark.catalog is."""
    module.Catalog.__new__ = staticmethod(lambda cls, sparkSession: sparkSession.catalog)


def _patch_sql_context(module):
    from millrace.sql_context import patch

    patch(module)


def _patch_dstreams(module):
    """What came before Structured Streaming needs a Spark process."""

    def refuse(self, *arguments, **named):
        from pyspark.errors import PySparkNotImplementedError

        raise PySparkNotImplementedError(errorClass="NOT_IMPLEMENTED", messageParameters={"feature": "StreamingContext"})

    module.StreamingContext.__init__ = refuse


def _patch_connect_expressions(module):
    """A Spark driver's literal has the digits of its value, a client's ten at least."""
    import decimal

    from millrace import user_functions

    user_functions.patch_expressions(module)

    from pyspark.sql.types import DecimalType

    infer = module.LiteralExpression._infer_type.__func__

    def infer_type(cls, value):
        if isinstance(value, decimal.Decimal) and value.is_finite():
            exponent = value.as_tuple().exponent
            scale = max(-exponent, 0)
            precision = max(len(value.as_tuple().digits) + max(exponent, 0), scale)
            if precision <= 38:
                return DecimalType(precision, scale)
        return infer(cls, value)

    module.LiteralExpression._infer_type = classmethod(infer_type)


def _patch_connect_udf(module):
    from millrace import user_functions

    user_functions.patch_udf(module)


def _patch_connect_plan(module):
    from millrace import user_functions

    user_functions.patch_plan(module)


def _patch_connect_column(module):
    from millrace import frames

    if hasattr(module.Column, "outer"):
        frames.patch_outer(module.Column)


def _patch_connect_group(module):
    """A driver says of the first column that is no number that it is none."""
    original = module.GroupedData._numeric_agg

    @functools.wraps(original)
    def numeric(self, function, cols):
        from pyspark.errors import PySparkTypeError
        from pyspark.errors.exceptions.connect import AnalysisException
        from pyspark.sql.connect.types import verify_numeric_col_name

        try:
            return original(self, function, cols)
        except PySparkTypeError:
            for name in cols:
                self._df.select(name)
                if not verify_numeric_col_name(name, self._df.schema):
                    raise AnalysisException(
                        f'"{name}" is not a numeric column. Aggregation function can only be applied on a numeric column.',
                        errorClass="_LEGACY_ERROR_TEMP_1323", messageParameters={"colName": name}) from None
            raise

    module.GroupedData._numeric_agg = numeric


_PATCHES = {
    "pyspark.core.context": _patch_classic_context,
    "pyspark": _patch_pyspark,
    "pyspark.sql.context": _patch_sql_context,
    "pyspark.sql.catalog": _patch_catalog,
    "pyspark.streaming.context": _patch_dstreams,
    "pyspark.sql.streaming.listener": _patch_progress,
    "pyspark.sql.session": _patch_builder,
    "pyspark.sql.connect.session": _patch_connect_session,
    "pyspark.sql.connect.dataframe": _patch_connect_frame,
    "pyspark.sql.connect.expressions": _patch_connect_expressions,
    "pyspark.sql.connect.plan": _patch_connect_plan,
    "pyspark.sql.connect.udf": _patch_connect_udf,
    "pyspark.sql.connect.column": _patch_connect_column,
    "pyspark.sql.connect.group": _patch_connect_group,
    "pyspark.sql.connect.readwriter": _patch_connect_reader,
    "pyspark.sql.connect.streaming.readwriter": _patch_connect_streaming_reader,
    "pyspark.sql.connect.streaming.query": _patch_connect_query,
}


class _Patcher(importlib.abc.MetaPathFinder):
    """Finds a module as always, and changes it once it is loaded."""

    def __init__(self, patches):
        self._patches = patches

    def find_spec(self, name, path, target=None):
        patch = self._patches.get(name)
        if patch is None:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is None:
                continue
            if spec.loader is not None:
                spec.loader = _PatchingLoader(spec.loader, patch)
            return spec
        return None


class _PatchingLoader(importlib.abc.Loader):
    def __init__(self, loader, patch):
        self._loader = loader
        self._patch = patch

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        self._patch(module)

    def __getattr__(self, name):
        return getattr(self._loader, name)

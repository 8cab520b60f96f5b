"""Frames fail where they are made, and statements read the views that are there, as in a Spark driver; a client finds both
out when it asks for rows.

What an operation makes is analyzed over what the engine remembers of the frames below it, so that their plans are neither
sent nor resolved again; where that is not enough (it remembers so many), the whole plan is sent.
"""
import copy
import functools
import weakref

# Plans of the client that an analyzer of Spark looks at when their frame is made. Others show or fetch something, or cannot
# fail, and are looked at together with what stands over them.
_ANALYZED = frozenset((
    "Parse", "Project", "WithColumns", "WithWatermark", "Hint", "Filter", "Limit", "Offset", "Deduplicate", "Sort", "Drop",
    "Sample", "Aggregate", "Join", "AsOfJoin", "LateralJoin", "NearestByJoin", "SetOperation", "RepartitionByExpression",
    "ToSchema", "WithColumnsRenamed", "Unpivot", "Transpose", "UnresolvedTableValuedFunction", "CollectMetrics", "NAFill",
    "NADrop", "NAReplace", "StatCrosstab", "StatDescribe", "StatSummary", "StatSampleBy", "ToDF", "MapPartitions", "GroupMap", "CoGroupMap",
    "ApplyInPandasWithState", "TransformWithStateInPySpark", "TransformWithStateInPandas",
    "CommonInlineUserDefinedTableFunction"))
_TRANSPARENT = frozenset(("SubqueryAlias", "Repartition"))

_MOST_RELEASED = 8


class _Known:
    """Stands for a plan that the engine has analyzed."""

    observations = {}

    def __init__(self, plan):
        self._plan_id = plan._plan_id

    def plan(self, client):
        from pyspark.sql.connect import proto

        relation = proto.Relation()
        relation.common.plan_id = self._plan_id
        relation.cached_remote_relation.relation_id = "millrace.frame.%d" % self._plan_id
        return relation


def _ask(client, relation):
    from pyspark.sql.connect import proto

    plan = proto.Plan()
    plan.root.CopyFrom(relation)
    return client._analyze(method="is_streaming", plan=plan).is_streaming


def _try(client, relation):
    """As _ask, but a failure is nobody's: neither tried again nor logged."""
    request = client._analyze_plan_request_with_metadata()
    request.is_streaming.plan.root.CopyFrom(relation)
    client._stub.AnalyzePlan(request, metadata=client._builder.metadata())


def _is_known(plan, client):
    return getattr(plan, "_millrace_known", None) == client._session_id


def _over(plan, client):
    """`plan` over what is known of its inputs."""
    from pyspark.sql.connect.plan import LogicalPlan

    over = copy.copy(plan)
    for name, value in vars(plan).items():
        if isinstance(value, LogicalPlan):
            setattr(over, name, _stand_in(value, client))
    return over


def _stand_in(plan, client):
    if _is_known(plan, client):
        return _Known(plan)
    name = type(plan).__name__
    if name in _TRANSPARENT:
        return _over(plan, client)
    if name == "LocalRelation":
        return _columns_of(plan)
    if plan._child is None and not hasattr(plan, "_millrace_known"):
        plan._millrace_known = None
        try:
            _try(client, plan.plan(client))
            plan._millrace_known = client._session_id
            return _Known(plan)
        except Exception:  # whoever reads it will be told
            pass
    return plan


def _columns_of(local):
    columns = getattr(local, "_millrace_columns", None)
    if columns is None:
        columns = local._millrace_columns = copy.copy(local)
        if local._table is not None:
            columns._table = local._table.slice(0, 0).replace_schema_metadata(None)
    return columns


def _has_columns_of_rows(plan):
    """Whether the rows say what the columns are."""
    name = type(plan).__name__
    if name == "Aggregate":
        return plan._pivot_col is not None and plan._pivot_values is None
    return name in ("Transpose", "StatCrosstab") or (name == "Parse" and not plan._schema)


def _check(frame):
    plan, client = frame._plan, frame._session.client
    if type(plan).__name__ not in _ANALYZED or _is_known(plan, client):
        return
    try:
        if _has_columns_of_rows(plan):
            raise ValueError
        _try(client, _over(plan, client).plan(client))
    except Exception:
        relation = plan.plan(client)
        try:
            _ask(client, relation)
        except Exception:
            if _reads_around(plan):
                return
            raise
    plan._millrace_known = client._session_id


def _reads_around(plan):
    """Whether it, or what it is made of, reads columns of a query around it (Column.outer), where it must stand to be
    analyzed."""
    from pyspark.sql.connect.expressions import Expression
    from pyspark.sql.connect.plan import LogicalPlan

    found = []

    def look(value):
        if isinstance(value, LogicalPlan):
            if _reads_around(value):
                found.append(value)
        elif isinstance(value, (list, tuple)):
            for one in value:
                look(one)
        else:
            expression = getattr(value, "_expr", value)
            if isinstance(expression, Expression):
                expression.foreach(lambda part: found.append(part) if hasattr(part, "_millrace_outer") else None)

    for value in vars(plan).values():
        look(value)
    return bool(found)


def patch_outer(column):
    """The client's Column, which does not tell such a column from others."""

    def outer(self):
        expression = copy.copy(self._expr)
        expression._millrace_outer = True
        return column(expression)

    column.outer = functools.wraps(column.outer)(outer)


def patch(frame):
    """The client's DataFrame."""
    make = frame.__init__

    @functools.wraps(make)
    def init(self, plan, session):
        make(self, plan, session)
        if not hasattr(session, "is_mock_session"):
            _check(self)

    frame.__init__ = init
    if "_schema" in vars(frame):
        frame._schema = property(functools.partial(_schema, vars(frame)["_schema"].fget))
        frame.__getattr__ = _attribute(frame.__getattr__)
        frame.__getitem__ = _item(frame.__getitem__)


def _schema(original, frame):
    plan, client = frame._plan, frame._session.client
    if frame._cached_schema is None and _is_known(plan, client):
        from pyspark.serializers import CPickleSerializer
        from pyspark.sql.connect import proto

        root = proto.Plan()
        root.root.CopyFrom(_Known(plan).plan(client))
        try:
            frame._cached_schema = client.schema(root)
            if hasattr(frame, "_cached_schema_serialized"):
                frame._cached_schema_serialized = CPickleSerializer().dumps(frame._cached_schema)
        except Exception:  # forgotten
            frame._cached_schema = None
    asks = frame._cached_schema is None
    schema = original(frame)
    if asks:
        plan._millrace_known = client._session_id
    return schema


def _attribute(original):
    @functools.wraps(original)
    def attribute(self, name):
        column = original(self, name)
        if name not in self._schema.names:
            from pyspark.errors import PySparkAttributeError

            raise PySparkAttributeError(errorClass="ATTRIBUTE_NOT_SUPPORTED", messageParameters={"attr_name": name})
        return column

    return attribute


def _item(original):
    @functools.wraps(original)
    def item(self, key):
        if isinstance(key, str) and key != "*":
            from pyspark.sql.connect.types import verify_col_name

            if not verify_col_name(key, self._schema):
                self.select(key)
        return original(self, key)

    return item


class _Statements:
    """Relations that the engine keeps for frames of this process, and those of them that no frame needs any more."""

    def __init__(self):
        self._released = []

    def keep(self, frame):
        """A frame of what a statement has given."""
        from pyspark.sql.connect.plan import CachedRelation

        plan = frame._plan
        if isinstance(plan, CachedRelation):
            relation_id = plan._plan.cached_remote_relation.relation_id
            if relation_id:
                weakref.finalize(plan, self._released.append, relation_id).atexit = False
        return frame

    def release(self, client):
        from pyspark.sql.connect import proto

        if len(self._released) < _MOST_RELEASED:
            return
        released, self._released[:] = list(self._released), []
        command = proto.Command()
        command.remove_cached_remote_relation_command.relation.relation_id = " ".join(released)
        client.execute_command(command)


_statements = _Statements()


def patch_sql(session):
    original = session.sql

    @functools.wraps(original)
    def sql(self, *arguments, **named):
        _statements.release(self.client)
        return _statements.keep(original(self, *arguments, **named))

    session.sql = sql


def patch_reader(reader):
    """What a reader makes is a statement, too: its schema is found out once."""
    for name in ("load", "table"):
        original = getattr(reader, name)

        def read(self, *arguments, _original=original, **named):
            from pyspark.sql.connect import proto
            from pyspark.sql.connect.dataframe import DataFrame
            from pyspark.sql.connect.plan import CachedRelation

            frame = _original(self, *arguments, **named)
            client = frame._session.client
            _statements.release(client)
            command = proto.Command()
            command.sql_command.input.CopyFrom(frame._plan.plan(client))
            relation = client.execute_command(command)[1]["sql_command_result"]
            if relation.HasField("cached_remote_relation"):
                return _statements.keep(DataFrame(CachedRelation(relation), frame._session))
            frame._plan._millrace_known = client._session_id
            return frame

        setattr(reader, name, functools.wraps(original)(read))

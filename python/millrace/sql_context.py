"""SQLContext and HiveContext of older jobs: a session under another name."""
import warnings


class _OfSession:
    """What SQLContext asks of the JVM's."""

    def __init__(self, session):
        self._catalog = session.catalog

    def tableNames(self, database=None):
        return [table.name for table in self._catalog.listTables(database)]

    def cacheTable(self, name):
        self._catalog.cacheTable(name)

    def uncacheTable(self, name):
        self._catalog.uncacheTable(name)

    def clearCache(self):
        self._catalog.clearCache()

    def refreshTable(self, name):
        self._catalog.refreshTable(name)


def patch(module):
    context = module.SQLContext

    def __init__(self, sparkContext, sparkSession=None, jsqlContext=None):
        if sparkSession is None:
            warnings.warn("Deprecated in 3.0.0. Use SparkSession.builder.getOrCreate() instead.", FutureWarning)
            sparkSession = module.SparkSession.builder.getOrCreate()
        self._sc = sparkContext
        self.sparkSession = sparkSession
        self._jsqlContext = _OfSession(sparkSession)
        if context._instantiatedContext is None:
            context._instantiatedContext = self

    def get_or_create(cls, sc, **static_conf):
        if context._instantiatedContext is None:
            cls(sc, module.SparkSession.builder.config(map=static_conf).getOrCreate())
        return context._instantiatedContext

    def tables(self, dbName=None):
        rows = [(".".join(table.namespace or []), table.name, table.isTemporary)
                for table in self.sparkSession.catalog.listTables(dbName)]
        return self.sparkSession.createDataFrame(rows, "namespace STRING, tableName STRING, isTemporary BOOLEAN")

    context.__init__ = __init__
    context._get_or_create = classmethod(get_or_create)
    context.tables = tables
    for name in ("read", "readStream", "streams"):
        setattr(context, name, property(lambda self, _name=name: getattr(self.sparkSession, _name)))
    context.newSession = lambda self: self.__class__(self._sc, self.sparkSession.newSession())

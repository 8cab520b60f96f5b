"""Accumulators: tasks add in the engine's workers, and the value is put together here when it is looked at."""
import itertools
import os
import pickle

from pyspark import accumulators

# Processes of one engine (the job's and those of foreachBatch) must not give two accumulators one id.
_ids = itertools.count((os.getpid() << 24) + 1)


class Accumulator(accumulators.Accumulator):
    def __init__(self, session, aid, value, param):
        super().__init__(aid, value, param)
        self._session = session

    def _gather(self):
        from google.protobuf import wrappers_pb2
        from pyspark.sql.connect import proto

        plan = proto.Plan()
        plan.root.extension.Pack(wrappers_pb2.StringValue(value="millrace.accumulators %d" % self.aid))
        for update in self._session.client.to_table(plan, {})[0].column("update").to_pylist():
            self.add(pickle.loads(update)[1])

    @property
    def value(self):
        self._gather()
        return self._value

    @value.setter
    def value(self, value):
        self._gather()
        self._value = value

    def __str__(self):
        return str(self.value)

    def __repr__(self):
        return "Accumulator<id=%i, value=%s>" % (self.aid, self.value)


def make(session, value, param=None):
    """As SparkContext.accumulator: without `param` numbers are added up."""
    if param is None:
        if isinstance(value, int):
            param = accumulators.INT_ACCUMULATOR_PARAM
        elif isinstance(value, float):
            param = accumulators.FLOAT_ACCUMULATOR_PARAM
        elif isinstance(value, complex):
            param = accumulators.COMPLEX_ACCUMULATOR_PARAM
        else:
            raise TypeError("No default accumulator param for type %s" % type(value))
    return Accumulator(session, next(_ids), value, param)

"""RDDs of a job under `millrace submit`: held and computed in the job's own Python process.

Streaming jobs use them in passing: a few rows made with `parallelize`, `df.rdd.isEmpty()`, `rdd.map(...).collect()`. Here an RDD is a function that
yields its partitions as lists of Python objects; transformations wrap it, actions call it. Nothing is distributed, and what needs
the processes of a cluster (shuffles to disk, Hadoop formats) is refused by name.
"""
import collections
import functools
import heapq
import itertools
import math
import operator
import random
import sys

from millrace import rdd_placing as placing


def _not_built(name):
    from pyspark.errors import PySparkNotImplementedError

    return PySparkNotImplementedError(errorClass="NOT_IMPLEMENTED", messageParameters={"feature": "RDD." + name})


def _sliced(values, slices):
    """Spark's slices: the i-th ends before position (i + 1) * n / slices."""
    values = list(values)
    return [values[i * len(values) // slices:(i + 1) * len(values) // slices] for i in range(slices)]


class RDD:
    """Spark's RDD over lists; `parts` is called anew by each action, unless the RDD is cached."""

    def __init__(self, context, parts):
        self.ctx = self.context = context
        self._parts_function = parts
        self._kept, self._keeps = None, False
        self._name = None

    # Its partitions

    def _parts(self):
        if self._kept is not None:
            return self._kept
        parts = [part if isinstance(part, list) else list(part) for part in self._parts_function()]
        if self._keeps:
            self._kept = parts
        return parts

    def _all(self):
        return itertools.chain.from_iterable(self._parts())

    def _with(self, parts):
        return RDD(self.ctx, parts)

    def _count_of(self, partitions):
        return partitions or max(1, self.getNumPartitions())

    def getNumPartitions(self):
        return len(self._parts())

    def cache(self):
        self._keeps = True
        return self

    def persist(self, storageLevel=None):
        return self.cache()

    def unpersist(self, blocking=False):
        self._keeps, self._kept = False, None
        return self

    def checkpoint(self):
        self.cache()

    localCheckpoint = checkpoint

    @property
    def is_cached(self):
        return self._keeps

    def setName(self, name):
        self._name = name
        return self

    def name(self):
        return self._name

    # Transformations of each partition

    def mapPartitionsWithIndex(self, f, preservesPartitioning=False):
        return self._with(lambda: [list(f(i, iter(part))) for i, part in enumerate(self._parts())])

    def mapPartitions(self, f, preservesPartitioning=False):
        return self.mapPartitionsWithIndex(lambda _, part: f(part))

    def map(self, f, preservesPartitioning=False):
        return self.mapPartitions(lambda part: map(f, part))

    def flatMap(self, f, preservesPartitioning=False):
        return self.mapPartitions(lambda part: itertools.chain.from_iterable(map(f, part)))

    def filter(self, f):
        return self.mapPartitions(lambda part: filter(f, part))

    def glom(self):
        return self.mapPartitions(lambda part: [list(part)])

    def keyBy(self, f):
        return self.map(lambda x: (f(x), x))

    def keys(self):
        return self.map(lambda pair: pair[0])

    def values(self):
        return self.map(lambda pair: pair[1])

    def mapValues(self, f):
        return self.map(lambda pair: (pair[0], f(pair[1])))

    def flatMapValues(self, f):
        return self.flatMap(lambda pair: ((pair[0], value) for value in f(pair[1])))

    def zipWithIndex(self):
        def parts():
            start, out = 0, []
            for part in self._parts():
                out.append([(x, start + i) for i, x in enumerate(part)])
                start += len(part)
            return out

        return self._with(parts)

    # Transformations across partitions

    def union(self, other):
        return self._with(lambda: self._parts() + other._parts())

    __add__ = union

    def coalesce(self, numPartitions, shuffle=False):
        place = placing.dealt if shuffle else placing.merged
        return self._with(lambda: place(self._parts(), numPartitions))

    def repartition(self, numPartitions):
        return self.coalesce(numPartitions, shuffle=True)

    def zip(self, other):
        return self._with(lambda: [list(zip(a, b)) for a, b in zip(self._parts(), other._parts())])

    def cartesian(self, other):
        return self._with(lambda: [list(itertools.product(a, b)) for a in self._parts() for b in other._parts()])

    def distinct(self, numPartitions=None):
        return self.map(lambda x: (x, None)).reduceByKey(lambda a, _: a, numPartitions).keys()

    def intersection(self, other):
        return self.map(lambda x: (x, None)).cogroup(other.map(lambda x: (x, None))).filter(
            lambda pair: all(pair[1])).keys()

    def subtract(self, other, numPartitions=None):
        return self.map(lambda x: (x, None)).subtractByKey(other.map(lambda x: (x, None)), numPartitions).keys()

    def subtractByKey(self, other, numPartitions=None):
        return self.cogroup(other, numPartitions).flatMapValues(lambda sides: [] if sides[1] else sides[0])

    def zipWithUniqueId(self):
        def numbered(k, part):
            n = self.getNumPartitions()
            return ((value, i * n + k) for i, value in enumerate(part))

        return self.mapPartitionsWithIndex(numbered)

    def combineByKey(self, createCombiner, mergeValue, mergeCombiners, numPartitions=None, partitionFunc=None):
        def parts():
            combined = {}
            for part in self._parts():
                here = {}
                for key, value in part:
                    here[key] = mergeValue(here[key], value) if key in here else createCombiner(value)
                for key, value in here.items():
                    combined[key] = mergeCombiners(combined[key], value) if key in combined else value
            return placing.hashed(combined.items(), self._count_of(numPartitions), partitionFunc or placing.portable_hash)

        return self._with(parts)

    def reduceByKey(self, func, numPartitions=None, partitionFunc=None):
        return self.combineByKey(lambda x: x, func, func, numPartitions, partitionFunc)

    def foldByKey(self, zeroValue, func, numPartitions=None, partitionFunc=None):
        return self.combineByKey(lambda x: func(zeroValue, x), func, func, numPartitions, partitionFunc)

    def aggregateByKey(self, zeroValue, seqFunc, combFunc, numPartitions=None, partitionFunc=None):
        import copy

        return self.combineByKey(lambda x: seqFunc(copy.deepcopy(zeroValue), x), seqFunc, combFunc, numPartitions, partitionFunc)

    def groupByKey(self, numPartitions=None, partitionFunc=None):
        def append(values, value):
            values.append(value)
            return values

        return self.combineByKey(lambda x: [x], append, operator.add, numPartitions, partitionFunc)

    def groupBy(self, f, numPartitions=None, partitionFunc=None):
        return self.keyBy(f).groupByKey(numPartitions)

    def cogroup(self, other, numPartitions=None):
        def parts():
            groups = {}
            for side, rdd in enumerate((self, other)):
                for key, value in rdd._all():
                    groups.setdefault(key, ([], []))[side].append(value)
            partitions = numPartitions or self.getNumPartitions() + other.getNumPartitions()
            return placing.hashed(groups.items(), partitions)

        return self._with(parts)

    def _joined(self, other, left_outer, right_outer, partitions):
        def pairs(sides):
            left = sides[0] or ([None] if right_outer else [])
            right = sides[1] or ([None] if left_outer else [])
            return list(itertools.product(left, right))

        return self.cogroup(other, partitions).flatMapValues(pairs)

    def join(self, other, numPartitions=None):
        return self._joined(other, False, False, numPartitions)

    def leftOuterJoin(self, other, numPartitions=None):
        return self._joined(other, True, False, numPartitions)

    def rightOuterJoin(self, other, numPartitions=None):
        return self._joined(other, False, True, numPartitions)

    def fullOuterJoin(self, other, numPartitions=None):
        return self._joined(other, True, True, numPartitions)

    def sortBy(self, keyfunc, ascending=True, numPartitions=None):
        return self.keyBy(keyfunc).sortByKey(ascending, numPartitions).values()

    def sortByKey(self, ascending=True, numPartitions=None, keyfunc=lambda x: x):
        return self._with(lambda: placing.ranged(self._all(), self._count_of(numPartitions), ascending, keyfunc))

    def repartitionAndSortWithinPartitions(self, numPartitions=None, partitionFunc=placing.portable_hash, ascending=True,
                                           keyfunc=lambda x: x):
        return self.partitionBy(self._count_of(numPartitions), partitionFunc).mapPartitions(
            lambda part: sorted(part, key=lambda pair: keyfunc(pair[0]), reverse=not ascending))

    def partitionBy(self, numPartitions, partitionFunc=placing.portable_hash):
        return self._with(lambda: placing.hashed(self._all(), numPartitions or self._count_of(None), partitionFunc))

    def pipe(self, command, env=None, checkCode=False):
        def piped(part):
            import shlex
            import subprocess

            given = "".join(str(value).rstrip("\n") + "\n" for value in part)
            done = subprocess.run(shlex.split(command), env=env, input=given, stdout=subprocess.PIPE, text=True)
            if checkCode and done.returncode:
                raise RuntimeError("Pipe function `%s' exited with error code %d" % (command, done.returncode))
            return done.stdout.splitlines()

        return self.mapPartitions(piped)

    # Actions

    def collect(self):
        return list(self._all())

    def collectAsMap(self):
        return dict(self._all())

    def toLocalIterator(self, prefetchPartitions=False):
        return iter(self.collect())

    def count(self):
        return sum(map(len, self._parts()))

    def isEmpty(self):
        return self.count() == 0

    def take(self, num):
        return list(itertools.islice(self._all(), num))

    def first(self):
        for value in self._all():
            return value
        raise ValueError("RDD is empty")

    def randomSplit(self, weights, seed=None):
        from pyspark.rddsampler import RDDRangeSampler

        total = float(sum(weights))
        seed = random.randint(0, 2**32 - 1) if seed is None else seed
        bounds = [0.0] + list(itertools.accumulate(weight / total for weight in weights))
        return [self.mapPartitionsWithIndex(RDDRangeSampler(low, high, seed).func) for low, high in zip(bounds, bounds[1:])]

    def sample(self, withReplacement, fraction, seed=None):
        from pyspark.rddsampler import RDDSampler

        return self.mapPartitionsWithIndex(RDDSampler(withReplacement, fraction, seed).func)

    def takeSample(self, withReplacement, num, seed=None):
        if num < 0:
            raise ValueError("Sample size cannot be negative.")
        values, generator = self.collect(), random.Random(seed)
        if num == 0 or not values:
            return []
        if withReplacement or num < len(values):
            # As many as chance must have given, so that rarely a second draw is needed.
            share = num / len(values)
            if withReplacement:
                share += (9 if num < 12 else 5) * math.sqrt(share / len(values))
            else:
                spare = -math.log(0.00005) / len(values)
                share = min(1, share + spare + math.sqrt(spare * spare + 2 * spare * share))
            values = self.sample(withReplacement, share, seed).collect()
            while len(values) < num:
                values = self.sample(withReplacement, share, generator.randint(0, sys.maxsize)).collect()
        generator.shuffle(values)
        return values[:num]

    def takeOrdered(self, num, key=None):
        return heapq.nsmallest(num, self._all(), key)

    def top(self, num, key=None):
        return heapq.nlargest(num, self._all(), key)

    def reduce(self, f):
        values = self.collect()
        if not values:
            raise ValueError("Can not reduce() empty RDD")
        return functools.reduce(f, values)

    def fold(self, zeroValue, op):
        return functools.reduce(op, [functools.reduce(op, part, zeroValue) for part in self._parts()], zeroValue)

    def aggregate(self, zeroValue, seqOp, combOp):
        import copy

        parts = [functools.reduce(seqOp, part, copy.deepcopy(zeroValue)) for part in self._parts()]
        return functools.reduce(combOp, parts, zeroValue)

    def treeReduce(self, f, depth=2):
        if depth < 1:
            raise ValueError("Depth cannot be smaller than 1 but got %d." % depth)
        return self.reduce(f)

    def treeAggregate(self, zeroValue, seqOp, combOp, depth=2):
        if depth < 1:
            raise ValueError("Depth cannot be smaller than 1 but got %d." % depth)
        return self.aggregate(zeroValue, seqOp, combOp)

    def sum(self):
        return sum(self._all())

    def max(self, key=None):
        return max(self.collect(), key=key)

    def min(self, key=None):
        return min(self.collect(), key=key)

    def mean(self):
        values = self.collect()
        return sum(values) / float(len(values))

    def histogram(self, buckets):
        return placing.histogram(self._all(), buckets)

    def stats(self):
        from pyspark.statcounter import StatCounter

        return StatCounter(self.collect())

    def variance(self):
        return self.stats().variance()

    def stdev(self):
        return self.stats().stdev()

    def sampleVariance(self):
        return self.stats().sampleVariance()

    def sampleStdev(self):
        return self.stats().sampleStdev()

    def countByKey(self):
        return self.keys().countByValue()

    def countByValue(self):
        counts = collections.defaultdict(int)
        for value in self._all():
            counts[value] += 1
        return counts

    def lookup(self, key):
        return [value for k, value in self._all() if k == key]

    def foreach(self, f):
        for value in self._all():
            f(value)

    def foreachPartition(self, f):
        for part in self._parts():
            f(iter(part))

    def saveAsTextFile(self, path, compressionCodecClass=None):
        if compressionCodecClass is not None:
            raise _not_built("saveAsTextFile(compressionCodecClass)")
        frame = self.map(lambda x: (x.decode() if isinstance(x, bytes) else str(x),)).toDF("value STRING")
        frame.write.mode("error").text(path)

    def toDF(self, schema=None, sampleRatio=None):
        return self.ctx._session.createDataFrame(self, schema)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise _not_built(name)


class Broadcast:
    """A value for functions, which get it as an object with the attribute `value`."""

    def __init__(self, value):
        self.value = value

    def unpersist(self, blocking=False):
        pass

    destroy = unpersist

    def __reduce__(self):
        import types

        return (types.SimpleNamespace, (), {"value": self.value})


def of_frame(frame):
    """The rows of a DataFrame, in the partitions they had in the engine."""
    from pyspark.sql import functions as F
    from pyspark.sql.types import Row

    from millrace.spark_context import SparkContext

    if frame.isStreaming:
        frame.collect()  # the engine's refusal

    def parts():
        names = frame.columns
        columns = [f"_{i}" for i in range(len(names))]
        # One more row, in a partition behind them all, tells how many there are: the last may be empty.
        last = frame.sparkSession.range(0, 1, 1, 1).select(*(F.lit(None).alias(name) for name in columns))
        numbered = frame.toDF(*columns).union(last).select("*", F.spark_partition_id().alias("_p"))
        *rows, last = numbered.collect()
        out = [[] for _ in range(last[-1])]
        row_of = Row(*names)
        for row in rows:
            out[row[-1]].append(row_of(*row[:-1]))
        return out

    return RDD(SparkContext._of_session(frame.sparkSession), parts)

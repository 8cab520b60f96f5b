"""Columns of objects of the user's own classes (UserDefinedType)."""

import pathlib
import tempfile

from cases import case
from pyspark.sql import Row
from pyspark.sql import functions as F
from pyspark.sql.types import (ArrayType, DoubleType, LongType, MapType, StructField, StructType, UserDefinedType)
from pyspark.sql.utils import is_remote


class Place:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __eq__(self, other):
        return isinstance(other, Place) and (self.x, self.y) == (other.x, other.y)

    def __hash__(self):
        return hash((self.x, self.y))

    def __repr__(self):
        return f"Place({self.x},{self.y})"


class PlaceType(UserDefinedType):
    @classmethod
    def sqlType(cls):
        return ArrayType(DoubleType(), False)

    @classmethod
    def module(cls):
        return "type_cases"

    def serialize(self, obj):
        return [obj.x, obj.y]

    def deserialize(self, datum):
        return Place(datum[0], datum[1])


class OtherType(PlaceType):
    def deserialize(self, datum):
        return ("other", datum[0], datum[1])


Place.__UDT__ = PlaceType()


def places(spark):
    for name in ("type_cases.py", "cases.py"):
        path = str(pathlib.Path(__file__).resolve().parent / name)
        spark.addArtifacts(path, pyfile=True) if is_remote() else spark.sparkContext.addPyFile(path)
    rows = [(1, Place(1.0, 2.0)), (2, Place(-3.5, 0.0)), (3, None)]
    schema = StructType([StructField("id", LongType()), StructField("at", PlaceType())])
    return spark.createDataFrame(rows, schema)


def shown(frame):
    return [repr(row) for row in frame.collect()]


@case
def objects_come_back(spark):
    frame = places(spark)
    return [frame.dtypes, frame.schema["at"].dataType == PlaceType(), shown(frame.orderBy("id"))]


@case
def objects_are_inferred(spark):
    places(spark)
    frame = spark.createDataFrame([Row(id=1, at=Place(1.0, 2.0))])
    return [type(frame.schema["at"].dataType).__name__, shown(frame)]


@case
def objects_in_arrays_maps_and_structs(spark):
    frame = places(spark).where("id < 3")
    nested = frame.select(F.array("at").alias("a"), F.create_map("id", "at").alias("m"), F.struct("id", "at").alias("s"))
    kinds = [nested.schema["a"].dataType == ArrayType(PlaceType(), True),
             nested.schema["m"].dataType == MapType(LongType(), PlaceType(), True)]
    return [kinds, shown(nested), shown(nested.select(F.explode("a").alias("one")))]


@case
def functions_take_and_give_objects(spark):
    frame = places(spark).where("id < 3")
    length = F.udf(lambda at: abs(at.x) + abs(at.y), "double")
    moved = F.udf(lambda at: Place(at.x + 1, at.y), PlaceType())
    return shown(frame.select(length("at"), moved("at"), length(moved("at"))))


@case
def functions_without_arrow_take_and_give_objects(spark):
    frame = places(spark).where("id < 3")
    length = F.udf(lambda at: abs(at.x) + abs(at.y), "double", useArrow=False)
    moved = F.udf(lambda at: Place(at.x + 1, at.y), PlaceType(), useArrow=False)
    inside = F.udf(lambda row: row.at.x, "double", useArrow=False)
    return shown(frame.select(length("at"), moved("at"), inside(F.struct("id", "at")).alias("x")))


@case
def objects_in_parquet_files(spark):
    with tempfile.TemporaryDirectory() as folder:
        places(spark).write.mode("overwrite").parquet(folder)
        frame = spark.read.parquet(folder)
        return [type(frame.schema["at"].dataType).__name__, shown(frame.orderBy("id"))]


@case
def objects_as_text(spark):
    return shown(places(spark).select(F.col("at").cast("string"), F.col("at").isNull()).orderBy("at"))


@case
def objects_of_one_type_are_no_other(spark):
    return shown(places(spark).select(F.col("at").cast(OtherType())))


@case
def objects_are_not_what_they_are_stored_as(spark):
    return shown(places(spark).select(F.col("at").cast("array<double>")))


@case
def objects_are_grouped_and_joined(spark):
    frame = places(spark)
    both = frame.union(frame)
    grouped = both.groupBy("at").count().orderBy("count", F.col("at").cast("string"))
    return [shown(grouped), frame.join(both, "at").count(), both.distinct().count()]


@case
def objects_in_a_view(spark):
    places(spark).createOrReplaceTempView("places")
    return shown(spark.sql("DESCRIBE places")) + shown(spark.sql("SELECT id FROM places WHERE at IS NOT NULL ORDER BY id"))

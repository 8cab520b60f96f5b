"""from_protobuf and to_protobuf against Google's own encoder.

What a message becomes follows Spark's guide of the Protobuf data source and the sources of its 4.2; the bytes come from, and are
read back by, the protobuf package of Python.
"""

import datetime
import decimal
import pathlib
import subprocess

import pytest

FOLDER = pathlib.Path(__file__).resolve().parent / "protobuf"


@pytest.fixture(scope="module")
def spark(start_module_server):
    from pyspark.sql import SparkSession

    server = start_module_server("--conf", "spark.sql.session.timeZone=UTC")
    session = SparkSession.builder.remote(server.url).getOrCreate()
    yield session
    session.stop()


class Schema:
    """A descriptor set, and its messages for Python."""

    def __init__(self, path):
        from google.protobuf import descriptor_pb2, descriptor_pool

        self.path = str(path)
        self.pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes()).file:
            self.pool.Add(file)

    def __getitem__(self, name):
        from google.protobuf import message_factory

        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(name))


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    def load(name):
        path = tmp_path_factory.mktemp("descriptors") / f"{name}.desc"
        subprocess.run(["protoc", f"-I{FOLDER}", "--include_imports", f"--descriptor_set_out={path}", f"{name}.proto"],
                       check=True)
        return Schema(path)

    return {name: load(name) for name in ("shop", "legacy")}


def frame(spark, *messages):
    values = [(value if isinstance(value, bytes) or value is None else value.SerializeToString(),) for value in messages]
    return spark.createDataFrame(values, "value BINARY")


def read(spark, schema, name, *messages, **options):
    from pyspark.sql.protobuf.functions import from_protobuf

    options = {key.replace("_", "."): value for key, value in options.items()}
    parsed = frame(spark, *messages).select(from_protobuf("value", name, schema.path, options).alias("m"))
    return [row.m and row.m.asDict(recursive=True) for row in parsed.collect()]


def test_numbers(spark, schema):
    shop = schema["shop"]
    given = {"i32": -5, "i64": 1 << 40, "u32": 4_000_000_000, "u64": (1 << 64) - 1, "s32": -7, "s64": -(1 << 50), "f32": 9,
             "f64": 10, "sf32": -11, "sf64": -12, "f": 1.5, "d": -0.0, "b": True}
    zeros = {key: type(value)() for key, value in given.items()}
    message = shop["shop.Numbers"](**given)
    # Without the option an unsigned number wraps; zeros of proto3 are not there.
    assert read(spark, shop, "Numbers", message, b"", b"\x08\x00", None) == [
        {**given, "u32": 4_000_000_000 - (1 << 32), "u64": -1}, dict.fromkeys(given), dict.fromkeys(given), None]
    [wide, empty] = read(spark, shop, "shop.Numbers", message, b"", upcast_unsigned_ints="true", emit_default_values="true")
    assert wide == {**given, "u64": decimal.Decimal((1 << 64) - 1)}
    assert empty == {**zeros, "u64": decimal.Decimal(0)}


def visit(shop):
    message = shop["shop.Visit"](page="ü", raw=b"\0\xff", kind=2, rank=0, cookie="", scores=[1, -2, 300], plain_scores=[4, 0],
                                 tags=["a", ""], counts={"x": 0, "y": 5}, kinds=[1, 0], far=1)
    message.at.seconds, message.at.nanos = 1_700_000_000, 123_456_789
    message.took.seconds, message.took.nanos = -3, -5_000
    return message


VISIT = {
    "page": "ü", "raw": b"\0\xff", "kind": "AD", "at": datetime.datetime(2023, 11, 14, 22, 13, 20, 123456),
    "took": datetime.timedelta(seconds=-3, microseconds=-5), "rank": 0, "user_id": None, "cookie": "",
    "scores": [1, -2, 300], "plain_scores": [4, 0], "tags": ["a", ""], "counts": {"x": 0, "y": 5}, "kinds": ["PAGE", "NONE"],
    "far": 1}


def test_messages(spark, schema):
    shop = schema["shop"]
    [full, empty] = read(spark, shop, "Visit", visit(shop), b"")
    assert full == VISIT
    assert empty == {**dict.fromkeys(VISIT), "scores": [], "plain_scores": [], "tags": [], "counts": {}, "kinds": []}
    [full] = read(spark, shop, "Visit", visit(shop), enums_as_ints="true")
    assert (full["kind"], full["kinds"]) == (2, [1, 0])


def test_the_wire_may_have_fields_in_any_way(spark, schema):
    shop = schema["shop"]
    Visit, Trip = shop["shop.Visit"], shop["shop.Trip"]
    parts = [Visit(page="first"), Visit(scores=[1]), Visit(user_id=7), Visit(tags=["a"]), Visit(page="last"), Visit(scores=[2, 3]),
             Visit(cookie="c"), Visit(tags=["b"]), Visit(counts={"k": 1}), Visit(counts={"k": 2})]
    packed_otherwise = b"\x48\x09" + b"\x52\x02\x05\x06"  # scores one by one, plain_scores packed
    unknown = b"\xf8\x7f\x01"  # field 2047
    [row] = read(spark, shop, "Visit", b"".join(part.SerializeToString() for part in parts) + packed_otherwise + unknown)
    assert row["page"] == "last" and row["scores"] == [1, 2, 3, 9] and row["plain_scores"] == [5, 6]
    assert row["user_id"] is None and row["cookie"] == "c" and row["tags"] == ["a", "b"]
    # A message that comes in parts is merged.
    halves = [Trip(start={"city": "A"}), Trip(start={"near": {"city": "B"}})]
    [row] = read(spark, shop, "Trip", b"".join(half.SerializeToString() for half in halves), recursive_fields_max_depth="2")
    assert row["start"] == {"city": "A", "near": {"city": "B"}}
    # An enum's number that the schema does not know.
    [row] = read(spark, shop, "Visit", b"\x18\x09")
    assert row["kind"] == "UNKNOWN_ENUM_VALUE_Kind_9"


def test_malformed_messages(spark, schema):
    shop = schema["shop"]
    malformed = [b"\x0a", b"\x0a\x05abc", b"\x0a\x01\xff", b"\x08\x01", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\x0c",
                 b"\x22\x03\x08\xff\xff", b"\x03"]
    assert read(spark, shop, "Visit", *malformed, mode="PERMISSIVE") == [None] * len(malformed)
    for bytes_ in malformed:
        with pytest.raises(Exception, match="MALFORMED_PROTOBUF_MESSAGE"):
            read(spark, shop, "Visit", bytes_)
    with pytest.raises(Exception, match="PARSE_MODE_UNSUPPORTED"):
        read(spark, shop, "Visit", b"", mode="DROPMALFORMED")
    # Truncated anywhere: an error or fewer fields, never more.
    whole = visit(shop).SerializeToString()
    for row in read(spark, shop, "Visit", *(whole[:end] for end in range(len(whole))), mode="PERMISSIVE"):
        assert row is None or all(value in (VISIT[key], None, [], {}) or key in ("plain_scores", "tags", "counts", "took", "at")
                                  for key, value in row.items())


def test_wrappers(spark, schema):
    shop = schema["shop"]
    message = shop["shop.Wrapped"]()
    message.number.value, message.large.value, message.text.value = 0, (1 << 63) + 1, "t"
    [row] = read(spark, shop, "Wrapped", message)
    assert row == {"number": {"value": None}, "large": {"value": 1 - (1 << 63)}, "text": {"value": "t"}, "flag": None}
    [row] = read(spark, shop, "Wrapped", message, unwrap_primitive_wrapper_types="true", upcast_unsigned_ints="true")
    assert row == {"number": None, "large": decimal.Decimal((1 << 63) + 1), "text": "t", "flag": None}
    [row] = read(spark, shop, "Wrapped", message, unwrap_primitive_wrapper_types="true", emit_default_values="true")
    assert row == {"number": 0, "large": 1 - (1 << 63), "text": "t", "flag": None}


def test_messages_within_themselves(spark, schema):
    from pyspark.sql.protobuf.functions import from_protobuf

    shop = schema["shop"]
    trip = shop["shop.Trip"](start={"city": "A", "near": {"city": "B", "near": {"city": "C"}}}, stops=[{"near": {"city": "D"}}],
                             named={1: {"city": "E"}}, nothing={})
    with pytest.raises(Exception, match="RECURSIVE_PROTOBUF_SCHEMA.*shop.Place.near"):
        read(spark, shop, "Trip", trip)
    [row] = read(spark, shop, "Trip", trip, recursive_fields_max_depth="1")
    assert row == {"start": {"city": "A"}, "stops": [{"city": None}], "named": {1: {"city": "E"}}}
    [row] = read(spark, shop, "Trip", trip, recursive_fields_max_depth="2", retain_empty_message_types="true")
    assert row == {"start": {"city": "A", "near": {"city": "B"}}, "stops": [{"city": None, "near": {"city": "D"}}],
                   "named": {1: {"city": "E", "near": None}}, "nothing": {"__dummy_field_in_empty_struct": None}}
    # Only what lies within itself is left out, down to the message that is nothing else.
    place = frame(spark).select(from_protobuf("value", "Place", shop.path, {"recursive.fields.max.depth": "3"}).alias("m"))
    assert place.schema["m"].dataType.simpleString() == (
        "struct<city:string,near:struct<city:string,near:struct<city:string>>>")


def test_any(spark, schema):
    from google.protobuf import any_pb2

    shop = schema["shop"]
    details = any_pb2.Any(type_url="type.googleapis.com/shop.Visit", value=shop["shop.Visit"](page="p", kind=1).SerializeToString())
    event = shop["shop.Event"](name="e")
    event.details.ParseFromString(details.SerializeToString())
    [row] = read(spark, shop, "Event", event)
    assert row == {"name": "e", "details": {"type_url": details.type_url, "value": details.value}}
    [row] = read(spark, shop, "Event", event, convert_any_fields_to_json="true")
    assert row == {"name": "e", "details": '{"@type":"type.googleapis.com/shop.Visit","page":"p","kind":"PAGE"}'}
    event.details.type_url = "type.googleapis.com/shop.Missing"
    assert read(spark, shop, "Event", event, convert_any_fields_to_json="true", mode="PERMISSIVE") == [None]


def test_proto2(spark, schema):
    legacy = schema["legacy"]
    Item = legacy["legacy.Item"]
    item = Item(id=1, amount=0, color=2, colors=[1, 2])
    item.size.width = 3
    # The default that the schema gives is the value; a required field is never NULL.
    assert read(spark, legacy, "Item", item, Item(id=0)) == [
        {"id": 1, "name": "unnamed", "amount": 0, "color": "BLUE", "colors": ["RED", "BLUE"], "size": {"width": 3}},
        {"id": 0, "name": "unnamed", "amount": None, "color": None, "colors": [], "size": None}]
    no_id, unknown_color, unknown_in_list = b"\x18\x01", b"\x08\x01\x20\x09", b"\x08\x01\x2a\x02\x01\x09"
    assert read(spark, legacy, "Item", no_id, unknown_color, mode="PERMISSIVE") == [None, None]
    assert read(spark, legacy, "Item", unknown_in_list)[0]["colors"] == ["RED"]


def test_written_messages_are_read_by_others(spark, schema):
    from pyspark.sql import functions as F
    from pyspark.sql.protobuf.functions import from_protobuf, to_protobuf

    shop, legacy = schema["shop"], schema["legacy"]
    Visit, Numbers, Wrapped = shop["shop.Visit"], shop["shop.Numbers"], shop["shop.Wrapped"]
    numbers = Numbers(i32=-5, i64=1 << 40, u32=4_000_000_000, u64=(1 << 64) - 1, s32=-7, s64=-(1 << 50), f32=9, f64=10, sf32=-11,
                      sf64=-12, f=1.5, d=-0.0, b=True)
    wrapped = Wrapped()
    wrapped.number.value, wrapped.large.value, wrapped.text.value = 5, 6, ""
    for name, message, options in (("Numbers", numbers, {}), ("Numbers", numbers, {"upcast.unsigned.ints": "true"}),
                                   ("Numbers", Numbers(), {"emit.default.values": "true"}), ("Wrapped", wrapped, {}),
                                   ("Wrapped", wrapped, {"unwrap.primitive.wrapper.types": "true"})):
        copied = frame(spark, message).select(from_protobuf("value", name, shop.path, options).alias("m")).select(
            to_protobuf("m", name, shop.path).alias("value")).collect()[0].value
        if options == {"unwrap.primitive.wrapper.types": "true"}:
            expected = Wrapped()  # the empty text came as NULL
            expected.number.value, expected.large.value = 5, 6
            assert Wrapped.FromString(copied) == expected
        else:
            assert type(message).FromString(copied) == message
            assert len(copied) == len(message.SerializeToString())
    # Spark goes through milliseconds.
    copied = frame(spark, visit(shop), None).select(from_protobuf("value", "Visit", shop.path).alias("m")).select(
        to_protobuf("m", "Visit", shop.path).alias("value")).collect()
    expected = visit(shop)
    expected.at.nanos, expected.took.seconds, expected.took.nanos = 123_000_000, -3, -1_000_000
    assert Visit.FromString(copied[0].value) == expected and copied[1].value is None
    items = spark.sql("SELECT named_struct('ID', 7, 'name', '', 'amount', CAST(NULL AS INT), 'color', 'RED', 'colors', array('BLUE'), "
                      "'size', named_struct('width', 2)) AS item")
    item = legacy["legacy.Item"](id=7, name="", color=1, colors=[2])
    item.size.width = 2
    assert items.select(to_protobuf("item", "Item", legacy.path)).collect()[0][0] == item.SerializeToString()
    wrong = items.select(F.col("item").withField("color", F.lit("GREEN")).alias("item"))
    with pytest.raises(Exception, match="CANNOT_CONVERT_SQL_VALUE_TO_PROTOBUF_ENUM_TYPE.*GREEN.*\"RED\", \"BLUE\""):
        wrong.select(to_protobuf("item", "Item", legacy.path)).collect()


def test_structs_that_are_not_the_message(spark, schema):
    from pyspark.sql.protobuf.functions import to_protobuf

    shop = schema["shop"]
    for struct in ("'city', 1, 'near', NULL", "'city', 'a'", "'city', 'a', 'near', NULL, 'more', 1", "'city', array('a'), 'near', NULL"):
        rows = spark.sql(f"SELECT named_struct({struct}) AS place")
        with pytest.raises(Exception, match="UNABLE_TO_CONVERT_TO_PROTOBUF_MESSAGE_TYPE.*Place"):
            rows.select(to_protobuf("place", "Place", shop.path)).collect()


def test_arguments(spark, schema, tmp_path):
    from pyspark.sql.protobuf.functions import from_protobuf

    path = schema["shop"].path
    (tmp_path / "broken").write_bytes(b"abc")
    rows = frame(spark, b"")
    assert rows.select(from_protobuf("value", "Place", path, {"recursive.fields.max.depth": "1"})).columns == ["from_protobuf(value)"]
    for error, arguments in {
        "PROTOBUF_MESSAGE_NOT_FOUND.*Nope": ("value, 'Nope', '%s'" % path),
        "PROTOBUF_DESCRIPTOR_FILE_NOT_FOUND.*none.desc": "value, 'Visit', '/none.desc'",
        "CANNOT_PARSE_PROTOBUF_DESCRIPTOR": f"value, 'Visit', '{tmp_path}/broken'",
        "CANNOT_LOAD_PROTOBUF_CLASS.*Ensure the class name includes package prefix": "value, 'Visit'",
        "CANNOT_LOAD_PROTOBUF_CLASS.*com.shop.Visit": "value, 'com.shop.Visit', map('mode', 'PERMISSIVE')",
        "second argument of the FROM_PROTOBUF SQL function must be a constant string": "value, hex(value), '%s'" % path,
        "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE.*BINARY": "'text', 'Visit', '%s'" % path,
    }.items():
        with pytest.raises(Exception, match=error):
            rows.selectExpr(f"from_protobuf({arguments})").collect()

"""Spark Connect's calls as clients of every kind may make them: raw messages, cut connections, many sessions."""

import concurrent.futures
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import uuid

import grpc
import psutil
import pytest
import zstandard
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from pyspark.sql.connect import proto
from pyspark.sql.connect.proto import base_pb2_grpc

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Client:
    """One session, spoken to by messages."""

    def __init__(self, server, user="ann", session_id=None, metadata=None):
        self.channel = grpc.insecure_channel(f"localhost:{server.port}", [("grpc.max_receive_message_length", -1)])
        self.stub = base_pb2_grpc.SparkConnectServiceStub(self.channel)
        self.session_id = session_id or str(uuid.uuid4())
        self.user = proto.UserContext(user_id=user)
        self.metadata = metadata

    def call(self, name, **fields):
        request = getattr(proto, name + "Request" if name != "ArtifactStatus" else "ArtifactStatusesRequest")(
            session_id=self.session_id, user_context=self.user, **fields)
        return getattr(self.stub, name)(request, metadata=self.metadata)

    def execute(self, plan, operation_id=None, reattachable=True, chunk=None, tags=()):
        options = [proto.ExecutePlanRequest.RequestOption(reattach_options=proto.ReattachOptions(reattachable=reattachable))]
        if chunk is not None:
            options.append(proto.ExecutePlanRequest.RequestOption(result_chunking_options=proto.ResultChunkingOptions(
                allow_arrow_batch_chunking=True, preferred_arrow_chunk_size=chunk)))
        return self.call("ExecutePlan", plan=plan, operation_id=operation_id or str(uuid.uuid4()), request_options=options,
                         tags=list(tags))


def range_plan(end):
    return proto.Plan(root=proto.Relation(range=proto.Range(start=0, end=end, step=1)))


def slow_plan():
    """A join that takes minutes unless it is interrupted."""
    query = "SELECT sum(a.id * b.id % 7) FROM range(30000) a CROSS JOIN range(3000000) b"
    return proto.Plan(root=proto.Relation(sql=proto.SQL(query=query)))


def error_info(error):
    info = error_details_pb2.ErrorInfo()
    details = rpc_status.from_call(error).details
    assert details and details[0].Unpack(info)
    return info


def condition_of(call):
    with pytest.raises(grpc.RpcError) as caught:
        result = call()
        if hasattr(result, "__iter__"):
            list(result)
    return error_info(caught.value).metadata["errorClass"]


@pytest.fixture
def client(start_server):
    return Client(start_server())


def test_a_cut_stream_is_read_on_from_where_it_was(client):
    operation = str(uuid.uuid4())
    plan = range_plan(200_000)
    stream = client.execute(plan, operation)
    seen = [next(stream) for _ in range(4)]
    stream.cancel()
    rest = list(client.call("ReattachExecute", operation_id=operation, last_response_id=seen[-1].response_id))
    answers = seen + rest
    assert len({answer.response_id for answer in answers}) == len(answers)
    assert sum(answer.arrow_batch.row_count for answer in answers) == 200_000
    assert answers[-1].HasField("result_complete")
    offsets = [answer.arrow_batch.start_offset for answer in answers if answer.HasField("arrow_batch")]
    assert offsets == sorted(offsets) and offsets[0] == 0
    # From the beginning, too, while nothing was released.
    again = list(client.call("ReattachExecute", operation_id=operation))
    assert [answer.response_id for answer in again] == [answer.response_id for answer in answers]
    client.call("ReleaseExecute", operation_id=operation,
                release_until=proto.ReleaseExecuteRequest.ReleaseUntil(response_id=answers[2].response_id))
    assert condition_of(lambda: client.call("ReattachExecute", operation_id=operation)) == "INVALID_CURSOR.POSITION_NOT_AVAILABLE"
    assert condition_of(lambda: client.call("ReattachExecute", operation_id=operation, last_response_id="none")) == \
        "INVALID_CURSOR.POSITION_NOT_FOUND"
    released = client.call("ReleaseExecute", operation_id=operation, release_all=proto.ReleaseExecuteRequest.ReleaseAll())
    assert released.operation_id == operation
    assert condition_of(lambda: client.call("ReattachExecute", operation_id=operation)) == "INVALID_HANDLE.OPERATION_ABANDONED"
    assert condition_of(lambda: client.call("ReattachExecute", operation_id=str(uuid.uuid4()))) == \
        "INVALID_HANDLE.OPERATION_NOT_FOUND"
    assert condition_of(lambda: client.execute(plan, operation)) == "INVALID_HANDLE.OPERATION_ABANDONED"


def test_big_batches_come_in_chunks(client):
    import pyarrow

    answers = [a.arrow_batch for a in client.execute(range_plan(5000), chunk=4096) if a.HasField("arrow_batch")]
    assert len(answers) > 2 and all(len(batch.data) <= 4096 for batch in answers)
    assert [batch.chunk_index for batch in answers if batch.start_offset == 0] == list(range(answers[0].num_chunks_in_batch))
    first = b"".join(batch.data for batch in answers if batch.start_offset == 0)
    assert pyarrow.ipc.open_stream(first).read_all().num_rows == answers[0].row_count


@pytest.mark.parametrize("codec", ["relation", "command"])
def test_compressed_plans(client, codec):
    compress = zstandard.ZstdCompressor().compress
    if codec == "relation":
        data, kind = range_plan(3).root.SerializeToString(), proto.Plan.CompressedOperation.OpType.OP_TYPE_RELATION
    else:
        data = proto.Command(sql_command=proto.SqlCommand(input=proto.Relation(sql=proto.SQL(query="SELECT 1")))).SerializeToString()
        kind = proto.Plan.CompressedOperation.OpType.OP_TYPE_COMMAND
    plan = proto.Plan(compressed_operation=proto.Plan.CompressedOperation(
        data=compress(data), op_type=kind, compression_codec=proto.CompressionCodec.COMPRESSION_CODEC_ZSTD))
    answers = list(client.execute(plan))
    if codec == "relation":
        assert sum(answer.arrow_batch.row_count for answer in answers) == 3
    else:
        assert answers[0].sql_command_result.relation.sql.query == "SELECT 1"
    broken = proto.Plan(compressed_operation=proto.Plan.CompressedOperation(
        data=b"not zstd", op_type=kind, compression_codec=proto.CompressionCodec.COMPRESSION_CODEC_ZSTD))
    assert condition_of(lambda: client.execute(broken)) == "CONNECT_INVALID_PLAN.CANNOT_PARSE"


def test_interrupting_by_operation_tag_and_all(client):
    def start(tag):
        operation = str(uuid.uuid4())
        failures = []

        def drain():
            try:
                for _ in client.execute(slow_plan(), operation, tags=[tag]):
                    pass
            except grpc.RpcError as error:
                failures.append(error_info(error).metadata["errorClass"])

        thread = threading.Thread(target=drain)
        thread.start()
        deadline = time.monotonic() + 20
        running = proto.GetStatusResponse.OperationStatus.OperationState.OPERATION_STATE_RUNNING
        while time.monotonic() < deadline:
            try:
                status = client.call("GetStatus", operation_status=proto.GetStatusRequest.OperationStatusRequest(
                    operation_ids=[operation]))
                if status.operation_statuses[0].state == running:
                    break
            except grpc.RpcError:
                pass  # the session is made by the first call
            time.sleep(0.02)
        return operation, thread, failures

    kinds = proto.InterruptRequest.InterruptType
    first, second, third = start("red"), start("green"), start("green")
    reply = client.call("Interrupt", interrupt_type=kinds.INTERRUPT_TYPE_OPERATION_ID, operation_id=first[0])
    assert list(reply.interrupted_ids) == [first[0]]
    reply = client.call("Interrupt", interrupt_type=kinds.INTERRUPT_TYPE_TAG, operation_tag="green")
    assert sorted(reply.interrupted_ids) == sorted([second[0], third[0]])
    for _, thread, failures in (first, second, third):
        thread.join(30)
        assert failures == ["OPERATION_CANCELED"]
    states = client.call("GetStatus", operation_status=proto.GetStatusRequest.OperationStatusRequest(operation_ids=[first[0]]))
    cancelled = proto.GetStatusResponse.OperationStatus.OperationState.OPERATION_STATE_CANCELLED
    assert states.operation_statuses[0].state == cancelled
    assert list(client.call("Interrupt", interrupt_type=kinds.INTERRUPT_TYPE_ALL).interrupted_ids) == []
    assert condition_of(lambda: client.call("Interrupt", interrupt_type=kinds.INTERRUPT_TYPE_TAG)) == \
        "INVALID_PARAMETER_VALUE.INTERRUPT_TYPE_TAG_REQUIRES_TAG"


def test_a_dead_client_takes_nothing_along(start_server):
    server = start_server()
    client = Client(server)
    operation = str(uuid.uuid4())
    script = ("import sys; sys.path.insert(0, sys.argv[1])\n"
              "from test_connect_protocol import *\n"
              "import types; c = Client(types.SimpleNamespace(port=int(sys.argv[2])), session_id=sys.argv[3])\n"
              "s = c.execute(range_plan(300000), sys.argv[4]); next(s); next(s); print('reading', flush=True); time.sleep(60)\n")
    child = subprocess.Popen([sys.executable, "-c", script, str(pathlib.Path(__file__).parent), str(server.port),
                              client.session_id, operation], stdout=subprocess.PIPE, text=True,
                             env={**os.environ, "SPARK_HOME": "/"})
    assert child.stdout.readline().strip() == "reading"
    child.kill()
    child.wait()
    answers = list(client.call("ReattachExecute", operation_id=operation))
    assert sum(answer.arrow_batch.row_count for answer in answers) == 300_000


def test_sessions_are_told_apart(start_server):
    server = start_server()
    ann, bob = Client(server, "ann"), Client(server, "bob")
    bob.session_id = ann.session_id  # the same id of another user is another session

    def set_partitions(client, value):
        pair = proto.KeyValue(key="spark.sql.shuffle.partitions", value=value)
        client.call("Config", operation=proto.ConfigRequest.Operation(set=proto.ConfigRequest.Set(pairs=[pair])))

    def partitions(client):
        get = proto.ConfigRequest.Get(keys=["spark.sql.shuffle.partitions"])
        return client.call("Config", operation=proto.ConfigRequest.Operation(get=get)).pairs[0].value

    set_partitions(ann, "3")
    assert (partitions(ann), partitions(bob)) == ("3", "200")
    seen = ann.call("AnalyzePlan", spark_version=proto.AnalyzePlanRequest.SparkVersion())
    assert seen.spark_version.version == "4.2.0"
    again = ann.call("AnalyzePlan", client_observed_server_side_session_id=seen.server_side_session_id,
                     spark_version=proto.AnalyzePlanRequest.SparkVersion())
    assert again.server_side_session_id == seen.server_side_session_id
    version = dict(spark_version=proto.AnalyzePlanRequest.SparkVersion())
    assert condition_of(lambda: ann.call("AnalyzePlan", client_observed_server_side_session_id="other", **version)) == \
        "INVALID_HANDLE.SESSION_CHANGED"
    assert condition_of(lambda: Client(server, session_id="no-uuid").call("AnalyzePlan", **version)) == "INVALID_HANDLE.FORMAT"

    clone = ann.call("CloneSession", new_session_id=str(uuid.uuid4()))
    cloned = Client(server, "ann", clone.new_session_id)
    assert partitions(cloned) == "3"
    set_partitions(cloned, "4")
    assert partitions(ann) == "3"
    assert condition_of(lambda: ann.call("CloneSession", new_session_id=clone.new_session_id)) == \
        "INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_EXISTS"
    assert condition_of(lambda: ann.call("CloneSession", new_session_id="x")) == \
        "INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_FORMAT"

    ann.call("ReleaseSession")
    assert condition_of(lambda: ann.call("AnalyzePlan", **version)) == "INVALID_HANDLE.SESSION_CLOSED"
    assert partitions(bob) == "200"


def test_artifacts(client):
    import zlib

    def chunk(data, crc=None):
        return proto.AddArtifactsRequest.ArtifactChunk(data=data, crc=zlib.crc32(data) if crc is None else crc)

    def send(*payloads):
        return client.stub.AddArtifacts(iter([proto.AddArtifactsRequest(session_id=client.session_id, user_context=client.user,
                                                                        **payload) for payload in payloads]))

    def single(name, data, crc=None):
        return proto.AddArtifactsRequest.SingleChunkArtifact(name=name, data=chunk(data, crc))

    batch = proto.AddArtifactsRequest.Batch(artifacts=[single("cache/abc", b"12"), single("pyfiles/m.py", b"x = 1\n"),
                                                       single("files/bad.txt", b"ab", crc=1)])
    begin = proto.AddArtifactsRequest.BeginChunkedArtifact(name="cache/big", total_bytes=6, num_chunks=2, initial_chunk=chunk(b"abc"))
    answer = send({"batch": batch}, {"begin_chunk": begin}, {"chunk": chunk(b"def")})
    assert [(a.name, a.is_crc_successful) for a in answer.artifacts] == [
        ("cache/abc", True), ("pyfiles/m.py", True), ("files/bad.txt", False), ("cache/big", True)]
    statuses = client.call("ArtifactStatus", names=["cache/abc", "cache/big", "cache/none", "pyfiles/m.py"]).statuses
    assert {name: status.exists for name, status in statuses.items()} == {
        "cache/abc": True, "cache/big": True, "cache/none": False, "pyfiles/m.py": False}
    send({"batch": proto.AddArtifactsRequest.Batch(artifacts=[single("pyfiles/m.py", b"x = 1\n")])})  # the same again
    for name, content, condition in [("pyfiles/m.py", b"x = 2\n", "ARTIFACT_ALREADY_EXISTS"),
                                     ("pyfiles/../../m.py", b"", "INVALID_ARTIFACT_PATH")]:
        assert condition_of(lambda: send({"batch": proto.AddArtifactsRequest.Batch(artifacts=[single(name, content)])})) == condition
    relation = proto.Relation(cached_local_relation=proto.CachedLocalRelation(hash="none"))
    assert condition_of(lambda: client.execute(proto.Plan(root=relation))) == "CONNECT_INVALID_PLAN.NOT_FOUND_CACHED_LOCAL_RELATION"


def test_large_local_frames_are_sent_ahead(spark):
    import pandas

    spark.conf.set("spark.sql.session.localRelationCacheThreshold", 1000)
    frame = spark.createDataFrame(pandas.DataFrame({"n": range(20_000), "s": ["x" * 10] * 20_000}))
    assert frame.agg({"n": "sum"}).first()[0] == sum(range(20_000))
    assert frame.filter("n = 19999").first().s == "x" * 10


def test_errors_in_full(client):
    with pytest.raises(grpc.RpcError) as caught:
        list(client.execute(proto.Plan(root=proto.Relation(sql=proto.SQL(query="SELECT nope FROM range(1)")))))
    assert caught.value.code() == grpc.StatusCode.INTERNAL
    info = error_info(caught.value)
    assert info.domain == "org.apache.spark" and info.reason == "org.apache.spark.sql.AnalysisException"
    assert "org.apache.spark.sql.AnalysisException" in json.loads(info.metadata["classes"])
    assert info.metadata["sqlState"] == "42703"
    details = client.call("FetchErrorDetails", error_id=info.metadata["errorId"])
    throwable = details.errors[details.root_error_idx].spark_throwable
    assert throwable.error_class == "UNRESOLVED_COLUMN.WITH_SUGGESTION"
    assert throwable.message_parameters["objectName"] == "`nope`"
    assert not client.call("FetchErrorDetails", error_id=info.metadata["errorId"]).HasField("root_error_idx")


def test_what_is_not_served_is_refused_by_name(client):
    for relation in [proto.Relation(ml_relation=proto.MlRelation()), proto.Relation(unknown=proto.Unknown())]:
        with pytest.raises(grpc.RpcError) as caught:
            list(client.execute(proto.Plan(root=relation)))
        assert relation.WhichOneof("rel_type") in caught.value.details()
    external = proto.Command(execute_external_command=proto.ExecuteExternalCommand(runner="r"))
    with pytest.raises(grpc.RpcError) as caught:
        list(client.execute(proto.Plan(command=external)))
    assert "execute_external_command" in caught.value.details()


def test_strangers_are_kept_out(start_server, tmp_path):
    server = start_server("--token", "secret")
    version = dict(spark_version=proto.AnalyzePlanRequest.SparkVersion())
    for metadata in (None, [("authorization", "Bearer wrong")]):
        with pytest.raises(grpc.RpcError) as caught:
            Client(server, metadata=metadata).call("AnalyzePlan", **version)
        assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
    Client(server, metadata=[("authorization", "Bearer secret")]).call("AnalyzePlan", **version)
    binary = os.environ.get("MILLRACE_BINARY", ROOT / "build/release/millrace")
    refused = subprocess.run([binary, "serve", "--host", "0.0.0.0", "--port", "0"], capture_output=True, text=True, timeout=30)
    assert refused.returncode == 1 and "token" in refused.stderr
    busy = subprocess.run([binary, "serve", "--port", str(server.port)], capture_output=True, text=True, timeout=30)
    assert busy.returncode == 1 and str(server.port) in busy.stderr


def test_tls(start_server, tmp_path):
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key.pem", "-out",
                           tmp_path / "cert.pem", "-days", "2", "-subj", "/CN=localhost", "-addext",
                           "subjectAltName=DNS:localhost"], capture_output=True, check=False)
    if made.returncode != 0:
        pytest.skip("openssl cannot make a certificate here")
    server = start_server("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    credentials = grpc.ssl_channel_credentials((tmp_path / "cert.pem").read_bytes())
    channel = grpc.secure_channel(f"localhost:{server.port}", credentials)
    answer = base_pb2_grpc.SparkConnectServiceStub(channel).AnalyzePlan(proto.AnalyzePlanRequest(
        session_id=str(uuid.uuid4()), spark_version=proto.AnalyzePlanRequest.SparkVersion()))
    assert answer.spark_version.version == "4.2.0"


def test_twenty_clients_at_once(start_server):
    server = start_server()

    def work(number):
        client = Client(server, f"user{number}")
        total = 0
        for _ in range(10):
            total += sum(answer.arrow_batch.row_count for answer in client.execute(range_plan(1000 + number)))
        return total

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        assert list(pool.map(work, range(20))) == [10 * (1000 + number) for number in range(20)]


def test_sessions_leave_no_memory_behind(start_server):
    server = start_server()
    process = psutil.Process(server.process.pid)

    def open_and_close(count):
        for _ in range(count):
            client = Client(server)
            list(client.execute(range_plan(50_000)))
            client.call("ReleaseSession")
            client.channel.close()

    open_and_close(60)
    before = process.memory_info().rss
    open_and_close(200)
    grown = process.memory_info().rss - before
    assert grown < 8 << 20, f"{grown} bytes more after 200 sessions"


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_ends_queries_and_server(start_server, stop):
    server = start_server()
    client = Client(server)
    threading.Thread(target=lambda: pytest.raises(grpc.RpcError, list, client.execute(slow_plan())), daemon=True).start()
    time.sleep(0.3)
    server.process.send_signal(stop)
    assert server.process.wait(timeout=20) == 0


def test_the_page_of_messages_is_up_to_date():
    binary = os.environ.get("MILLRACE_BINARY", ROOT / "build/release/millrace")
    page = subprocess.run([binary, "serve", "--messages"], capture_output=True, text=True, check=True).stdout
    assert page == (ROOT / "docs/connect.md").read_text(), "run: millrace serve --messages > docs/connect.md"

"""foreachBatch in the job's own process, as a Spark driver runs it: its function may use whatever the job has (the session,
tables, connections, locks) and change what the job sees. The engine's worker gets a function that calls the job.
"""
import itertools
import os
import threading
import time
import traceback
import uuid
from multiprocessing.connection import Client, Listener


class BatchFailed(Exception):
    """A foreachBatch function raised; the message is its traceback."""


class BatchCall:
    """What the engine's worker runs: asks the job's process to run the function, and waits."""

    def __init__(self, address, key, function_id):
        self._wanted = (address, key, function_id)
        self._connection = None

    def __call__(self, frame, batch_id):
        address, key, function_id = self._wanted
        if self._connection is None:
            self._connection = Client(address, "AF_UNIX", authkey=key)
        try:
            self._connection.send((function_id, frame._plan._relation_id, batch_id))
            failure = self._connection.recv()
        except (EOFError, ConnectionError):
            # The job is over, and what ends with it ends this process too.
            while True:
                time.sleep(3600)
        if failure is not None:
            raise BatchFailed(
                "An exception was raised by the Python Proxy. Return Message: " + failure.rstrip("\n")) from None

    def __reduce__(self):
        return BatchCall, self._wanted


class _Server:
    """Runs the functions of this process, each query's on a thread of its own."""

    def __init__(self):
        self._key = os.urandom(32)
        self._ids = itertools.count()
        self._functions = {}
        # An address without a file: nothing is left behind, however we end.
        self._listener = Listener("\0millrace-%s" % uuid.uuid4(), "AF_UNIX", authkey=self._key)
        threading.Thread(target=self._accept, name="millrace-foreach-batch", daemon=True).start()

    def call_of(self, session, function):
        function_id = next(self._ids)
        self._functions[function_id] = (session, function)
        return BatchCall(self._listener.address, self._key, function_id)

    def _accept(self):
        while True:
            try:
                connection = self._listener.accept()
            except Exception:  # somebody who does not know the key
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        while True:
            try:
                function_id, relation_id, batch_id = connection.recv()
            except (EOFError, OSError):
                return
            failure = None
            try:
                self._run(function_id, relation_id, batch_id)
            except BaseException as error:
                # Without our own frame: the traceback begins with the user's function.
                here = error.__traceback__.tb_next
                failure = "".join(traceback.format_exception(type(error), error, here.tb_next if here else None))
            try:
                connection.send(failure)
            except OSError:
                return

    def _run(self, function_id, relation_id, batch_id):
        from pyspark.sql.connect.dataframe import DataFrame
        from pyspark.sql.connect.plan import CachedRemoteRelation

        session, function = self._functions[function_id]
        # The relation is the engine's to remove, so it is not told of a session.
        function(DataFrame(CachedRemoteRelation(relation_id, None), session), batch_id)


_server = None
_lock = threading.Lock()


def call_of(session, function):
    global _server
    with _lock:
        if _server is None:
            _server = _Server()
    return _server.call_of(session, function)

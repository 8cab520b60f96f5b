"""Functions of the user are pickled when they are first called, as in a Spark driver: with what their variables hold then, not
with what these hold when rows are asked for.
"""
import functools


def patch_udf(module):
    """The client's UserDefinedFunction."""
    function = module.UserDefinedFunction
    original = function._build_common_inline_user_defined_function

    @functools.wraps(original)
    def build(self, *arguments, **named):
        call = original(self, *arguments, **named)
        pickled = getattr(self, "_millrace_pickled", None)
        if pickled is None:
            from pyspark.serializers import CloudPickleSerializer

            pickled = CloudPickleSerializer().dumps((call._function._func, call._function._output_type))
            self._millrace_pickled = pickled
        call._function._millrace_pickled = pickled
        return call

    function._build_common_inline_user_defined_function = build


def patch_expressions(module):
    """Calls of functions, which the client pickles whenever it sends a plan."""
    original = module.PythonUDF.to_plan

    @functools.wraps(original)
    def to_plan(self, session):
        pickled = getattr(self, "_millrace_pickled", None)
        if pickled is None:
            return original(self, session)
        from pyspark.sql.connect import proto
        from pyspark.sql.connect.types import pyspark_types_to_proto_types

        message = proto.PythonUDF()
        message.output_type.CopyFrom(pyspark_types_to_proto_types(self._output_type))
        message.eval_type = self._eval_type
        message.command = pickled
        message.python_ver = self._python_ver
        return message

    module.PythonUDF.to_plan = to_plan


def patch_plan(module):
    """Table functions: a class is pickled with the call, too."""
    make, original = module.PythonUDTF.__init__, module.PythonUDTF.to_plan

    @functools.wraps(make)
    def init(self, *arguments, **named):
        make(self, *arguments, **named)
        try:
            self._millrace_plan = original(self, None)
        except AttributeError:  # a client that asks the server for the type
            self._millrace_plan = None

    @functools.wraps(original)
    def to_plan(self, session):
        return self._millrace_plan or original(self, session)

    module.PythonUDTF.__init__ = init
    module.PythonUDTF.to_plan = to_plan

"""Progress as a Spark driver shows it: the texts of its JSON are the JVM's, not Python's."""
import json


def _compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _pretty(value, margin=""):
    """As Jackson prints: objects over lines, arrays along them."""
    inner = margin + "  "
    if isinstance(value, dict):
        fields = [f"{inner}{_compact(name)} : {_pretty(field, inner)}" for name, field in value.items()]
        return "{\n" + ",\n".join(fields) + f"\n{margin}}}" if fields else "{ }"
    if isinstance(value, list):
        return "[ " + ", ".join(_pretty(item, margin) for item in value) + " ]" if value else "[ ]"
    return _compact(value)


def _offset(value):
    """Spark keeps offsets as texts of JSON, and says None of one that is not there."""
    return value if isinstance(value, str) else str(None) if value is None else _compact(value)


def patch(module):
    for name in ("StreamingQueryProgress", "StateOperatorProgress", "SourceProgress", "SinkProgress"):
        progress = getattr(module, name)
        progress.json = property(lambda self: _compact(self._jdict))
        progress.prettyJson = property(lambda self: _pretty(self._jdict))
    original = module.SourceProgress.fromJson.__func__

    def from_json(cls, j):
        offsets = {name: _offset(j[name]) for name in ("startOffset", "endOffset", "latestOffset")}
        progress = original(cls, {**j, **offsets})
        progress._jdict = j
        return progress

    module.SourceProgress.fromJson = classmethod(from_json)

"""What a case gave, as text that two engines can be compared by."""

import re


def value_text(value):
    if isinstance(value, float):
        return repr(round(value, 9))
    if isinstance(value, (list, tuple)):
        return [value_text(one) for one in value]
    if isinstance(value, dict):
        return {str(key): value_text(one) for key, one in value.items()}
    return repr(value)


def outcome_of(function, spark):
    """Rows, or the last line of a Python traceback, or the condition of an error."""
    try:
        return {"rows": [value_text(row) for row in function(spark)]}
    except Exception as error:  # noqa: BLE001: the error is what is recorded
        text = str(error)
        condition = getattr(error, "getCondition", lambda: None)()
        lines = [line.strip() for line in text.splitlines() if re.match(r"\s*[\w.]*(Error|Exception): ", line)]
        python = lines[-1] if lines and "Traceback" in text else None
        return {"error": type(error).__name__, "python": python, "condition": None if python else condition}

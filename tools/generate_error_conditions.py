"""Writes Spark's error conditions as the entries of a sorted C++ array.

Usage: generate_error_conditions.py OUTPUT JSON...

Each entry is {"CONDITION", "SQLSTATE", "message template"}. A sub-condition is named "PARENT.CHILD" and its template is
the parent's and the child's joined by a space, as Spark joins them; lines of a message are joined by a newline. Where
two files define one name, the first file named on the command line wins.
"""

import json
import pathlib
import sys



def literal(text):
    out = []
    for byte in text.encode("utf-8"):
        char = chr(byte)
        if char == "\n":
            out.append("\\n")
        elif char in '"\\':
            out.append("\\" + char)
        elif 32 <= byte < 127:
            out.append(char)
        else:
            out.append(f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


def message_of(condition):
    return "\n".join(condition.get("message", []))


def main():
    output, sources = pathlib.Path(sys.argv[1]), sys.argv[2:]
    entries = {}
    for source in sources:
        for name, condition in json.loads(pathlib.Path(source).read_text(encoding="utf-8")).items():
            state = condition.get("sqlState", "")
            entries.setdefault(name, (state, message_of(condition)))
            for child_name, child in condition.get("subClass", {}).items():
                template = message_of(condition) + " " + message_of(child)
                entries.setdefault(f"{name}.{child_name}", (state, template))
    lines = [f"{{{literal(name)}, {literal(state)}, {literal(text)}}},\n"
             for name, (state, text) in sorted(entries.items(), key=lambda item: item[0].encode())]
    output.write_text("// Generated from the error conditions of Spark, its Kafka source and Delta.\n" + "".join(lines))


if __name__ == "__main__":
    main()

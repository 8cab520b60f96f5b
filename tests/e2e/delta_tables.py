"""Delta tables as somebody else reads them (delta-rs), and their logs as text."""

import json
import pathlib


def rows(path, version=None):
    """All rows of a table as dictionaries, by delta-rs."""
    from deltalake import DeltaTable

    return DeltaTable(str(path), version=version).to_pyarrow_table().to_pylist()


def version(path):
    from deltalake import DeltaTable

    return DeltaTable(str(path)).version()


def commits(path):
    """The actions of each commit: [{"commitInfo": …}, …] by version; versions must be dense."""
    files = sorted(pathlib.Path(path, "_delta_log").glob("[0-9]*.json"))
    files = [name for name in files if len(name.name) == 25]
    first = int(files[0].stem) if files else 0
    assert [int(name.stem) for name in files] == list(range(first, first + len(files)))
    return [[json.loads(line) for line in name.read_text().splitlines()] for name in files]


def actions(commit, kind):
    return [action[kind] for action in commit if kind in action]


def without_ids(commit):
    """A commit without what differs from run to run: ids, times, names and sizes of files."""
    out = []
    for action in commit:
        (kind, body), = action.items()
        body = dict(body)
        for key in ("timestamp", "txnId", "engineInfo", "id", "createdTime", "lastUpdated", "size", "modificationTime",
                    "appId"):
            body.pop(key, None)
        if kind == "commitInfo":
            body["operationParameters"] = {k: v for k, v in body["operationParameters"].items() if k != "queryId"}
            body["operationMetrics"] = {k: v for k, v in body["operationMetrics"].items() if "Bytes" not in k}
        if "path" in body:
            body["path"] = body["path"].rsplit("/", 1)[0] if "/" in body["path"] else ""
        if kind == "add":
            body["stats"] = json.loads(body["stats"])
        out.append({kind: body})
    return out


def live_paths(path):
    """Files of the newest version by replaying the commits, as paths below the table."""
    live = set()
    for commit in commits(path):
        for action in commit:
            if "add" in action:
                live.add(action["add"]["path"])
            elif "remove" in action:
                live.discard(action["remove"]["path"])
    return live

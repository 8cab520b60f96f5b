"""millrace checkpoint: looking into a checkpoint, and making an earlier micro-batch the last one."""

import subprocess

import programs


def checkpoint(*arguments):
    done = subprocess.run([programs.MILLRACE, "checkpoint", *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def rows_through(tmp_path, folder):
    """Runs lines of text to a console sink, one file a micro-batch; the lines printed."""
    job = {"source": "text", "sourceOptions": {"maxFilesPerTrigger": "1"}, "load": str(folder), "sink": "console",
           "sinkOptions": {"checkpointLocation": str(tmp_path / "checkpoint")}, "trigger": {"availableNow": True}}
    process = programs.start_job(job)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    return [line.strip("| ") for line in out.splitlines() if line.startswith("|line")]


def test_rewind_reads_again_what_came_after(tmp_path):
    folder, location = tmp_path / "in", tmp_path / "checkpoint"
    folder.mkdir()
    for i in range(5):
        (folder / f"{i}.txt").write_text(f"line {i}\n")
    assert rows_through(tmp_path, folder) == [f"line {i}" for i in range(5)]
    code, text = checkpoint("show", location)
    assert code == 0 and "4" in text

    code, text = checkpoint("rewind", location, "--to", 2, "--dry-run")
    assert code == 0 and "nothing was changed" in text and programs.log_ids(location / "commits") == [0, 1, 2, 3, 4]
    code, text = checkpoint("rewind", location, "--to", 2)
    assert code == 0 and "micro-batch 3 runs next" in text, text
    for log in ("commits", "offsets", "sources/0"):
        assert programs.log_ids(location / log) == [0, 1, 2]
    assert rows_through(tmp_path, folder) == ["line 3", "line 4"]
    kept = [path for path in location.glob(".rewound-2-*/**/*") if path.is_file()]
    assert len(kept) == 6, "nothing is thrown away"


def test_what_cannot_be_rewound_is_refused(tmp_path):
    folder, location = tmp_path / "in", tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "0.txt").write_text("line 0\n")
    rows_through(tmp_path, folder)
    code, text = checkpoint("rewind", location, "--to", 7)
    assert code == 1 and "no micro-batch 7" in text, text
    (location / "commits" / "0").unlink()
    code, text = checkpoint("rewind", location, "--to", 0)
    assert code == 1 and "not done" in text, text
    code, text = checkpoint("rewind", tmp_path / "nowhere", "--to", 0)
    assert code == 1, text

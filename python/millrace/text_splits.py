"""How Hadoop cuts text files into the partitions of `sc.textFile`."""
import glob
import os

_BLOCK_BYTES = 32 << 20  # of local files


def _local_files(names):
    """The plain files that the paths name, or None where there are others: compressed ones, other file systems."""
    files = []
    for name in names.split(","):
        path = name[5:] if name.startswith("file:") else name
        for found in sorted(glob.glob("/" + path.lstrip("/") if path.startswith("//") else path)):
            inside = [os.path.join(found, one) for one in sorted(os.listdir(found))] if os.path.isdir(found) else [found]
            files += [one for one in inside if not os.path.basename(one).startswith(("_", "."))]
    plain = files and all(os.path.isfile(one) and not one.endswith((".gz", ".bz2", ".zst", ".snappy", ".lz4")) for one in files)
    return files if plain else None


def splits_of(names, wanted):
    """(file, first byte, byte after the last) of each partition. Source: Hadoop, FileInputFormat.getSplits."""
    files = _local_files(names)
    if files is None:
        return None
    sizes = [os.path.getsize(one) for one in files]
    size = max(1, min(sum(sizes) // max(1, wanted), _BLOCK_BYTES))
    splits = []
    for file, left in zip(files, sizes):
        start = 0
        while left / size > 1.1:
            splits.append((file, start, start + size))
            start, left = start + size, left - size
        splits.append((file, start, start + left))
    return splits


def lines_of(split):
    """Lines that begin in a split; one that begins where a split ends is still of that split."""
    file, start, end = split
    lines = []
    with open(file, "rb") as opened:
        opened.seek(start)
        if start:
            opened.readline()
        while opened.tell() <= end:
            line = opened.readline()
            if not line:
                break
            lines.append(line.rstrip(b"\n").removesuffix(b"\r").decode("utf-8", "replace"))
    return lines

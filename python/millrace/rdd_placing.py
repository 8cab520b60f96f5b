"""Where PySpark puts the values of an RDD: what decides the order in which programs see them."""
import bisect
import sys

_BATCH = 10  # values that RDD.repartition moves together


def portable_hash(key):
    """PySpark's: of None, and of tuples that hold it, the same in every process."""
    if key is None:
        return 0
    if isinstance(key, tuple):
        h = 0x345678
        for item in key:
            h = ((h ^ portable_hash(item)) * 1000003) & sys.maxsize
        h ^= len(key)
        return -2 if h == -1 else int(h)
    return hash(key)


def hashed(pairs, partitions, function=portable_hash):
    """Pairs by the hash of their keys."""
    out = [[] for _ in range(partitions)]
    for pair in pairs:
        out[function(pair[0]) % partitions].append(pair)
    return out


def merged(parts, partitions):
    """Neighbours put together: coalesce()."""
    n, partitions = len(parts), min(partitions, len(parts)) or 1
    return [[value for part in parts[i * n // partitions:(i + 1) * n // partitions] for value in part] for i in range(partitions)]


def _murmur3(words, h):
    """MurmurHash3 of whole words, as Scala's bytesHash."""
    for word in words:
        word = (word * 0xCC9E2D51) & 0xFFFFFFFF
        word = (((word << 15) | (word >> 17)) * 0x1B873593) & 0xFFFFFFFF
        h ^= word
        h = ((((h << 13) | (h >> 19)) & 0xFFFFFFFF) * 5 + 0xE6546B64) & 0xFFFFFFFF
    h ^= 4 * len(words)
    h = ((h ^ (h >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return h ^ (h >> 16)


def _first_position(index, bound):
    """Spark's new XORShiftRandom(index).nextInt(bound)."""
    words = [0, int.from_bytes(index.to_bytes(4, "big"), "little")]
    low = _murmur3(words, 0x3C074A61)
    state = _murmur3(words, low) << 32 | low
    while True:
        state ^= (state << 21) & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 35
        state ^= (state << 4) & 0xFFFFFFFFFFFFFFFF
        bits = state & 0x7FFFFFFF
        if bound & (bound - 1) == 0:
            return (bound * bits) >> 31
        if bits - bits % bound + bound - 1 < 1 << 31:
            return bits % bound


def dealt(parts, partitions):
    """Batches of values dealt out, each partition beginning elsewhere: repartition(). Source: Spark, RDD.coalesce."""
    out = [[] for _ in range(partitions)]
    for index, part in enumerate(parts):
        position = _first_position(index, partitions)
        for start in range(0, len(part), _BATCH):
            position += 1
            out[position % partitions] += part[start:start + _BATCH]
    return out


def ranged(pairs, partitions, ascending, key):
    """Sorted pairs in ranges of about as many keys each: sortByKey()."""
    pairs = sorted(pairs, key=lambda pair: key(pair[0]), reverse=not ascending)
    if partitions == 1:
        return [pairs]
    keys = sorted(key(pair[0]) for pair in pairs)
    bounds = [keys[int(len(keys) * (i + 1) / partitions)] for i in range(partitions - 1)] if keys else []
    out = [[] for _ in range(partitions)]
    for pair in pairs:
        place = bisect.bisect_left(bounds, key(pair[0]))
        out[place if ascending else partitions - 1 - place].append(pair)
    return out


def histogram(values, buckets):
    """Bounds and counts, the last bound included. Source: PySpark, RDD.histogram."""
    values = [value for value in values if value is not None and not (isinstance(value, float) and value != value)]
    if isinstance(buckets, int):
        if buckets < 1:
            raise ValueError("number of buckets must be >= 1")
        if not values:
            raise ValueError("can not generate buckets from empty RDD")
        low, high = min(values), max(values)
        if low == high or buckets == 1:
            return [low, high], [len(values)]
        step = (high - low) / buckets
        step = int(step) if int(step) == step else step
        bounds = [low + step * i for i in range(buckets)] + [high]
    else:
        bounds = list(buckets)
        if len(bounds) < 2:
            raise ValueError("buckets should have more than one value")
        if bounds != sorted(bounds) or len(bounds) != len(set(bounds)):
            raise ValueError("buckets should be sorted" if bounds != sorted(bounds) else "buckets should not contain duplicated values")
    counts = [0] * (len(bounds) - 1)
    for value in values:
        if bounds[0] <= value <= bounds[-1]:
            counts[min(bisect.bisect_right(bounds, value) - 1, len(counts) - 1)] += 1
    return buckets if not isinstance(buckets, int) else bounds, counts

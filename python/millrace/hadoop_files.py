"""Hadoop's file systems as jobs reach for them: `_jvm.org.apache.hadoop.fs`, on the files of this machine."""
import os
import re
import shutil

_HIDDEN = re.compile(r"\..*\.crc$")


class URI:
    """`java.net.URI`, as far as it names a place of files."""

    def __init__(self, text):
        self._text = str(text)

    def toString(self):
        return self._text

    __str__ = toString

    def getScheme(self):
        scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", self._text)
        return scheme[1] if scheme else None

    def getPath(self):
        return re.sub(r"^//[^/]*", "", re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*:", "", self._text)) or "/"


class Path:
    def __init__(self, *parts):
        """Of one text, or of a parent and a child."""
        text = "/".join(str(part).rstrip("/") or "/" for part in parts[:-1]) + "/" + str(parts[-1]) if parts[1:] else str(parts[0])
        scheme, rest = re.match(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(.*)$", text, re.S).groups()
        authority = re.match(r"//[^/]*", rest) if scheme else None
        rest = re.sub("/+", "/", rest[authority.end():] if authority else rest)
        if len(rest) > 1:
            rest = rest.rstrip("/")
        self._scheme = scheme
        self._authority = authority[0] if authority and len(authority[0]) > 2 else ""
        self._path = rest or "/"

    def toString(self):
        return (self._scheme + ":" if self._scheme else "") + self._authority + self._path

    __str__ = toString

    def __repr__(self):
        return self.toString()

    def __eq__(self, other):
        return isinstance(other, Path) and self.toString() == other.toString()

    def __hash__(self):
        return hash(self.toString())

    def _with(self, path):
        other = Path(path)
        other._scheme, other._authority = self._scheme, self._authority
        return other

    def getName(self):
        return self._path.rsplit("/", 1)[-1]

    def getParent(self):
        if self._path == "/":
            return None
        parent = self._path.rpartition("/")
        return self._with(parent[0] or parent[1]) if parent[1] else Path("")

    def suffix(self, text):
        return self._with(self._path + text)

    def toUri(self):
        return URI(self.toString())

    def isAbsolute(self):
        return self._path.startswith("/")

    def depth(self):
        return len([part for part in self._path.split("/") if part])

    def getFileSystem(self, configuration=None):
        return FileSystem._of(self._scheme)

    def _local(self):
        FileSystem._of(self._scheme)
        return os.path.join(os.getcwd(), self._path)


def _qualified(local):
    path = Path(local)
    path._scheme = "file"
    return path


class FileStatus:
    def __init__(self, local):
        self._local, self._stat = local, os.stat(local)

    def getPath(self):
        return _qualified(self._local)

    def getLen(self):
        return 0 if self.isDirectory() else self._stat.st_size

    def isDirectory(self):
        return os.path.isdir(self._local)

    def isFile(self):
        return os.path.isfile(self._local)

    def getModificationTime(self):
        return self._stat.st_mtime_ns // 1000000

    def toString(self):
        return "FileStatus{path=%s; isDirectory=%s; length=%d}" % (
            self.getPath(), str(self.isDirectory()).lower(), self.getLen())

    __str__ = toString


class ContentSummary:
    def __init__(self, local):
        files, folders = [], 0
        if os.path.isdir(local):
            for folder, _, names in os.walk(local):
                folders += 1
                files += [os.path.join(folder, name) for name in names if not _HIDDEN.match(name)]
        else:
            files = [local]
        self._folders, self._files, self._length = folders, len(files), sum(os.path.getsize(file) for file in files)

    def getLength(self):
        return self._length

    getSpaceConsumed = getLength

    def getFileCount(self):
        return self._files

    def getDirectoryCount(self):
        return self._folders


def _as_path(path):
    return path if isinstance(path, Path) else Path(path)


def _must_exist(path):
    local = _as_path(path)._local()
    if not os.path.exists(local):
        raise FileNotFoundError("File %s does not exist" % _as_path(path))
    return local


class FileSystem:
    """The one of this machine; others are refused by their scheme."""

    _local = None

    @classmethod
    def _of(cls, scheme):
        if scheme not in (None, "file"):
            raise NotImplementedError('No FileSystem for scheme "%s"' % scheme)
        if cls._local is None:
            cls._local = cls()
        return cls._local

    @classmethod
    def get(cls, *arguments):
        """Of the settings, or of a URI and the settings."""
        return cls._of(arguments[0].getScheme() if isinstance(arguments[0], URI) else None)

    newInstance = get

    @classmethod
    def getLocal(cls, configuration=None):
        return cls._of("file")

    def getUri(self):
        return URI("file:///")

    def getScheme(self):
        return "file"

    def getWorkingDirectory(self):
        return _qualified(os.getcwd())

    def getHomeDirectory(self):
        return _qualified(os.path.expanduser("~"))

    def makeQualified(self, path):
        return _qualified(_as_path(path)._local())

    def exists(self, path):
        return os.path.exists(_as_path(path)._local())

    def isFile(self, path):
        return os.path.isfile(_as_path(path)._local())

    def isDirectory(self, path):
        return os.path.isdir(_as_path(path)._local())

    def mkdirs(self, path, permission=None):
        os.makedirs(_as_path(path)._local(), exist_ok=True)
        return True

    def delete(self, path, recursive=True):
        local = _as_path(path)._local()
        if os.path.isdir(local):
            if not recursive and os.listdir(local):
                raise OSError("Directory %s is not empty" % _as_path(path))
            shutil.rmtree(local)
        elif os.path.exists(local):
            os.remove(local)
        else:
            return False
        return True

    def rename(self, source, target):
        source, target = _as_path(source)._local(), _as_path(target)._local()
        if not os.path.exists(source):
            raise FileNotFoundError("File %s does not exist" % source)
        if os.path.isdir(target):
            target = os.path.join(target, os.path.basename(source))
        try:
            os.rename(source, target)
        except OSError:
            return False
        return True

    def getFileStatus(self, path):
        return FileStatus(_must_exist(path))

    def getContentSummary(self, path):
        return ContentSummary(_must_exist(path))

    def listStatus(self, path):
        local = _must_exist(path)
        if not os.path.isdir(local):
            return [FileStatus(local)]
        return [FileStatus(os.path.join(local, name)) for name in sorted(os.listdir(local)) if not _HIDDEN.match(name)]

    def globStatus(self, path):
        """None of a path without wildcards that is not there, as in Hadoop."""
        local = _as_path(path)._local()
        if not re.search(r"[*?\[{]", local):
            return [FileStatus(local)] if os.path.exists(local) else None
        found = ["/"]
        for part in local.strip("/").split("/"):
            pattern = re.compile(_pattern(part))
            found = [os.path.join(folder, name) for folder in found if os.path.isdir(folder)
                     for name in sorted(os.listdir(folder)) if pattern.fullmatch(name) and not _HIDDEN.match(name)]
        return [FileStatus(file) for file in found]

    def close(self):
        pass


def _pattern(part):
    """A path's part with Hadoop's wildcards, as a regular expression."""
    text, depth = "", 0
    for piece in re.findall(r"\\.|\[\^?[^]]*\]|.", part, re.S):
        if piece.startswith("["):
            text += piece
        elif piece.startswith("\\"):
            text += re.escape(piece[1])
        elif piece in "{}":
            depth += 1 if piece == "{" else -1
            text += "(?:" if piece == "{" else ")"
        else:
            text += {"*": ".*", "?": "."}.get(piece, "|" if piece == "," and depth else re.escape(piece))
    return text

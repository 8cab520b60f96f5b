"""Puts the small sources of a module together, several to one compilation: headers are read, and templates instantiated, once.

Usage: group_sources.py OUTPUT_DIR BASE_DIR FILE...   (prints the files to compile, separated by semicolons)

Files of one folder go together until a group is large enough. Two files stay apart when they give the same name to
something of their own (in an unnamed namespace), or when one uses a name that the other has for itself: each file must
mean the same alone and in company.
"""

import pathlib
import re
import sys

GROUP_BYTES = 75_000

UNNAMED = re.compile(r"^namespace \{\n(.*?)^\}  // namespace$", re.MULTILINE | re.DOTALL)
NOISE = re.compile(r'R"(\w*)\(.*?\)\1"|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
# At the margin, as clang-format leaves definitions: "Type Name(", "constexpr Type kName =", "struct Name", "using Name =".
DEFINITIONS = (
    re.compile(r"^(?!using|namespace|template|#)[A-Za-z_][^()=;{}\n]*?[ *&](?:operator\S+|(\w+))\(", re.MULTILINE),
    re.compile(r"^(?!using|namespace|return|friend)[A-Za-z_][\w:<>,*& ]*?[ *&](\w+)(?:\[[^\]]*\])*(?: =|\{|;)", re.MULTILINE),
    re.compile(r"^(?:struct|class|enum class|enum|union) (\w+)", re.MULTILINE),
    re.compile(r"^using (\w+) =", re.MULTILINE),
    re.compile(r"^} (\w+)", re.MULTILINE),
)
STATIC = re.compile(r"^static [^()=;{}\n]*?[ *&](\w+)\(", re.MULTILINE)
ALIAS = re.compile(r"^using (?:[\w:]+::)?(\w+)(?: = [^;]+)?;", re.MULTILINE)
MACRO = re.compile(r"^#define (\w+)", re.MULTILINE)
WORD = re.compile(r"(?<![\w.])(?<!->)(?<!::)[A-Za-z_]\w*")


class Source:
    def __init__(self, path, base):
        self.path = path
        self.name = path.relative_to(base).as_posix()
        text = path.read_text(errors="replace")
        self.size = len(text)
        own = "\n".join(UNNAMED.findall(text))
        text, own = (NOISE.sub('""', body.replace("}  // namespace\n", "}\n")) for body in (text, own))
        self.own = {name for pattern in DEFINITIONS for name in pattern.findall(own) if name}
        self.own.update(STATIC.findall(text), MACRO.findall(text))
        self.words = set(WORD.findall(text))

    def clashes(self, other):
        return bool(self.own & other.words or other.own & self.words)


def group(sources):
    groups = []
    for source in sources:
        for members in groups:
            if sum(m.size for m in members) + source.size <= GROUP_BYTES and not any(map(source.clashes, members)):
                members.append(source)
                break
        else:
            groups.append([source])
    return groups


def write_if_changed(path, text):
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def main():
    output, base = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folders = {}
    for path in sorted(map(pathlib.Path, sys.argv[3:])):
        is_test = path.stem.endswith("_test")
        folders.setdefault((path.parent, is_test), []).append(Source(path, base))
    compiled = []
    for (folder, is_test), sources in folders.items():
        for number, members in enumerate(group(sources)):
            if len(members) == 1:
                compiled.append(members[0].path)
                continue
            name = "_".join(folder.relative_to(base).parts) + ("_test" if is_test else "")
            path = output / f"{name}_{number}.cc"
            write_if_changed(path, "".join(f'#include "{member.name}"\n' for member in members))
            compiled.append(path)
    print(";".join(map(str, compiled)), end="")


if __name__ == "__main__":
    main()

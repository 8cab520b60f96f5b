"""Puts python/millrace into the program: python tools/embed_python.py OUT.cc SOURCE_FOLDER."""
import io
import pathlib
import sys
import zipfile


def literal(name, data):
    """A function of src/python/embedded.h; numbers, because compilers limit the length of string literals."""
    rows = [data[i : i + 32] for i in range(0, len(data), 32)]
    body = "\n".join("  " + ",".join(str(byte) for byte in row) + "," for row in rows)
    return (
        f"static constexpr unsigned char k{name}[] = {{\n{body}\n}};\n"
        f"std::string_view {name}() {{ return {{reinterpret_cast<const char*>(k{name}), sizeof(k{name})}}; }}\n"
    )


def archive(folder):
    """The package as a zip that is the same for the same sources."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as zipped:
        for path in sorted(folder.rglob("*.py")):
            info = zipfile.ZipInfo(str(path.relative_to(folder)), (2026, 1, 1, 0, 0, 0))
            zipped.writestr(info, path.read_bytes())
    return buffer.getvalue()


def main():
    target, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    text = '#include "python/embedded.h"\n\nnamespace millrace::python {\n'
    text += literal("WorkerBootstrap", (folder / "millrace" / "worker_bootstrap.py").read_bytes())
    text += literal("PackageArchive", archive(folder))
    text += "}  // namespace millrace::python\n"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


main()

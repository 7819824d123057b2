"""docs_links README INDEX PAGES: lay the README and the pages out for the site.

Links of the README lose their "docs/".  Links from pages to files outside of
docs/ become links to the copies of these files; of a file that is not on the
site only the link's text stays.
"""
import os
import re
import sys

LINK = re.compile(r"\[([^\]]*)\]\(([^)\s#:]+)((?:#[^)\s]*)?\))")
BESIDE = {"CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "LICENSE"}


def place(path):
    """Where a path of the repository lies on the site, from its top; None if it is not there."""
    if path == "README.md":
        return "index.md"
    if path == "examples/README.md":
        return "examples/index.md"
    if path in BESIDE:
        return path
    return path[5:] if path.startswith("docs/") else None


def lay_out(text, page, at):
    """Links of a page of the repository, for its place on the site."""
    def link(found):
        target = os.path.normpath(os.path.join(os.path.dirname(page), found.group(2)))
        there = place(target)
        if there is None:
            return found.group(1)
        return f"[{found.group(1)}]({os.path.relpath(there, os.path.dirname(at) or '.')}{found.group(3)}"

    return LINK.sub(link, text)


def main(readme, index, pages):
    todo = [(readme, "README.md", index)]
    for folder, _, names in os.walk(pages):
        for name in names:
            at = os.path.relpath(os.path.join(folder, name), pages)
            page = at if at in BESIDE else "examples/README.md" if at == "examples/index.md" else "docs/" + at
            if name.endswith(".md"):
                todo.append((os.path.join(folder, name), page, os.path.join(folder, name)))
    for source, page, out in todo:
        with open(source, encoding="utf-8") as file:
            text = file.read()
        with open(out, "w", encoding="utf-8") as file:
            file.write(lay_out(text, page, os.path.relpath(out, pages)))


if __name__ == "__main__":
    main(*sys.argv[1:])

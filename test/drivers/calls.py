"""The calls of calls.sql, and one form for what drivers return."""
import datetime
import hashlib
import json
import re


class Call:
    """One statement: parameters as (type, text or None), types of its columns."""

    def __init__(self, name, parameters, columns, sql):
        self.name, self.parameters, self.columns, self.sql = name, parameters, columns, sql

    def statement(self, placeholder):
        """The statement with placeholder(number, type) for each parameter."""
        return re.sub(r"\$(\d+)", lambda m: placeholder(int(m[1]), self.parameters[int(m[1]) - 1][0]), self.sql)


def read_calls(path):
    calls = []
    with open(path, encoding="utf-8") as file:
        blocks = re.findall(r"^-- ([^:\n]+):(.*)-> (.+)\n((?:[^-].*\n)+)", file.read(), re.M)
    for name, parameters, columns, sql in blocks:
        pairs = [p.strip().split(" ", 1) for p in parameters.split("; ") if p.strip()]
        calls.append(Call(name, [(t, None if v == "NULL" else v) for t, v in pairs],
                          columns.split(), sql.strip().rstrip(";")))
    return calls


def canonical(value, kind):
    """One text for a value of a type of SQL, whatever a driver made of it."""
    if value is None:
        return "NULL"
    if kind.endswith("[]"):
        items = value.strip("{}").split(",") if isinstance(value, str) else value
        return "{" + ",".join(canonical(item, kind[:-2]) for item in items) + "}"
    if kind == "float8":
        return "%.9e" % float(value)
    if kind in ("int", "bigint"):
        return str(int(value))
    if kind == "bool":
        return str(value in (True, "t", "true", "1"))
    if kind == "bytea":
        raw = bytes.fromhex(value[2:]) if isinstance(value, str) else bytes(value)
        return hashlib.md5(raw).hexdigest()
    if kind == "jsonb":
        return json.dumps(json.loads(value) if isinstance(value, str) else value, sort_keys=True)
    if kind in ("timestamp", "timestamptz"):
        if not isinstance(value, datetime.datetime):
            value = datetime.datetime.fromisoformat(re.sub(r"(\.0)?([+-]00)?$", "", value))
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def canonical_rows(rows, call):
    return [tuple(map(canonical, row, call.columns)) for row in rows]

"""Sends every function's calls through psql, psycopg, JDBC and ODBC.

Started by tools/check-drivers, with the connection in the environment.  What a
driver is asked to send, and what it returns, must be what psql gets from literals
with casts.  A driver that isn't installed is skipped, and named.
"""
import datetime
import importlib
import os
import subprocess
import sys

from calls import canonical_rows, read_calls

HERE = os.path.dirname(os.path.abspath(__file__))
JDBC = os.environ.get("JDBC_JAR", "/usr/share/java/postgresql.jar")
ODBC = os.environ.get("ODBC_DRIVER", "")

passed = failed = skipped = 0


def psql(sql):
    run = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-P", "null=<NULL>", "-v", "ON_ERROR_STOP=1"],
                         input=sql, capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(run.stderr.strip())
    return [[None if cell == "<NULL>" else cell for cell in line.split("\t")]
            for line in run.stdout.splitlines()]


def quoted(text):
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def models():
    return {name: bytes.fromhex(model[2:]) for name, model in psql("SELECT name, model FROM models")}


MODELS = models()


def model_of(text):
    return None if text is None else MODELS[text.lstrip("@")]


def as_text(kind, text):
    """A parameter as a string that the server would read."""
    return "\\x" + model_of(text).hex() if kind == "bytea" and text is not None else text


def as_python(kind, text):
    """A parameter as the Python value that a program would have."""
    if text is None:
        return None
    if kind == "bytea":
        return model_of(text)
    if kind.endswith("[]"):
        return [as_python(kind[:-2], item) for item in text.strip("{}").split(",")]
    if kind in ("int", "bigint"):
        return int(text)
    if kind == "float8":
        return float(text)
    if kind == "bool":
        return text == "true"
    if kind == "date":
        return datetime.date.fromisoformat(text)
    if kind == "timestamptz":
        return datetime.datetime.fromisoformat(text)
    return text


# ------------------------------------------------------------------ drivers
#
# A mode is a function from a call to its rows.

def psql_reference(call):
    return psql(call.statement(lambda i, kind: "CAST(%s AS %s)" % (quoted(as_text(kind, call.parameters[i - 1][1])), kind)))


def psql_untyped(call):
    """PREPARE without types: the server finds them, as for any untyped parameter."""
    if call.sql.startswith("CALL"):
        return psql(call.statement(lambda i, _: quoted(call.parameters[i - 1][1])))
    values = ", ".join(quoted(as_text(*p)) for p in call.parameters)
    return psql("PREPARE call AS %s; EXECUTE call%s;" % (call.sql, "(%s)" % values if values else ""))


def fetched(cursor):
    return cursor.fetchall() if cursor.description else []


def psycopg_modes():
    psycopg = importlib.import_module("psycopg")
    from psycopg.adapt import PyFormat, Transformer
    from psycopg.types.json import Jsonb
    from psycopg.types.numeric import Float8, Int4, Int8
    import json
    connection = psycopg.connect("", autocommit=True)

    def natural(kind, text):
        value = as_python(kind, text)
        return Jsonb(json.loads(value)) if kind == "jsonb" and value is not None else value

    def with_objects(call):
        cursor = connection.cursor()
        return fetched(cursor.execute(call.statement(lambda *_: "%s"), [natural(*p) for p in call.parameters]))

    def with_binary(call):
        cursor = connection.cursor(binary=True)
        return fetched(cursor.execute(call.statement(lambda *_: "%b"), [natural(*p) for p in call.parameters]))

    def with_strings(call):
        return fetched(connection.execute(call.statement(lambda *_: "%s"), [as_text(*p) for p in call.parameters]))

    def untyped(call, binary):
        transformer = Transformer(connection)
        sized = {"bigint": Int8, "int": Int4, "float8": Float8}

        def dump(kind, text):
            value = natural(kind, text)
            if value is None or not binary:
                return None if text is None else as_text(kind, text).encode()
            value = sized[kind](value) if kind in sized else value
            return bytes(transformer.get_dumper(value, PyFormat.BINARY).dump(value))
        data = [dump(*p) for p in call.parameters]
        result = connection.pgconn.exec_params(call.sql.encode(), data, None, [binary] * len(data), binary)
        if result.status == psycopg.pq.ExecStatus.COMMAND_OK:
            return []
        if result.status != psycopg.pq.ExecStatus.TUPLES_OK:
            raise RuntimeError(result.error_message.decode())
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    return {"psycopg 3, objects, text": with_objects, "psycopg 3, objects, binary": with_binary,
            "psycopg 3, strings": with_strings,
            "libpq, untyped, text": lambda call: untyped(call, 0),
            "libpq, untyped, binary": lambda call: untyped(call, 1)}


def psycopg2_modes():
    psycopg2 = importlib.import_module("psycopg2")
    from psycopg2.extras import Json
    connection = psycopg2.connect("")
    connection.autocommit = True

    def natural(kind, text):
        value = as_python(kind, text)
        if kind == "jsonb" and value is not None:
            return Json(value, dumps=str)
        return value

    def execute(call, convert):
        cursor = connection.cursor()
        cursor.execute(call.statement(lambda *_: "%s"), [convert(*p) for p in call.parameters])
        return fetched(cursor)

    return {"psycopg2, objects": lambda call: execute(call, natural),
            "psycopg2, strings": lambda call: execute(call, as_text)}


def odbc_modes():
    pyodbc = importlib.import_module("pyodbc")
    if not os.path.exists(ODBC):
        raise ImportError("no " + (ODBC or "ODBC driver"))
    e = os.environ
    base = (f"Driver={ODBC};Server={e['PGHOST']};Port={e['PGPORT']};Database={e['PGDATABASE']};"
            f"Uid={e['PGUSER']};Pwd={e['PGPASSWORD']};")

    def natural(kind, text):
        return text if kind.endswith("[]") or kind == "timestamptz" else as_python(kind, text)

    def mode(settings, convert):
        connection = pyodbc.connect(base + settings, autocommit=True)

        def execute(call):
            cursor = connection.cursor()
            cursor.execute(call.statement(lambda *_: "?"), [convert(*p) for p in call.parameters])
            return fetched(cursor)
        return execute

    return {f"ODBC, {name}, {what}": mode(f"UseServerSidePrepare={prepare};", convert)
            for prepare, what in ((1, "prepared"), (0, "not prepared"))
            for name, convert in (("objects", natural), ("strings", as_text))}


def jdbc_modes():
    if not os.path.exists(JDBC):
        raise ImportError("no " + JDBC)
    e = os.environ
    url = f"jdbc:postgresql://{e['PGHOST']}:{e['PGPORT']}/{e['PGDATABASE']}?"

    def run(settings, how, casts):
        """All calls at once, as a Java machine takes a second to start: lines of cells by call."""
        lines = []
        for call in CALLS:
            values = [f"{kind}={'NULL' if text is None else '=' + text}" for kind, text in call.parameters]
            sql = call.statement(lambda _, kind: "?::" + kind if casts else "?")
            lines.append("\x1f".join([call.name, sql, " ".join(call.columns)] + values))
        java = subprocess.run(["java", "-XX:TieredStopAtLevel=1", "-Duser.timezone=UTC", "-cp", JDBC,
                               os.path.join(HERE, "Drivers.java"), url + settings, how],
                              input="\n".join(lines), capture_output=True, text=True)
        blocks = [block.rstrip("\n").split("\n") for block in java.stdout.split("\x1e")[1:]]
        if not blocks:
            raise RuntimeError(java.stderr)
        return {name: lines for name, *lines in blocks}

    def mode(settings, how, casts=False):
        output = {}

        def execute(call):
            if not output:
                output.update(run(settings, how, casts))
            lines = output[call.name]
            if lines[:1] == ["ERROR"]:
                raise RuntimeError(" ".join(lines[1:]))
            return [[None if cell == "<NULL>" else cell for cell in line.split("\t")] for line in lines]
        return execute

    return {"JDBC, objects, text": mode("binaryTransfer=false&prepareThreshold=0", "objects"),
            "JDBC, objects, binary": mode("prepareThreshold=-1", "objects"),
            "JDBC, strings, casts": mode("", "strings", casts=True),
            "JDBC, strings, stringtype=unspecified": mode("stringtype=unspecified", "strings"),
            "JDBC, strings, simple protocol": mode("stringtype=unspecified&preferQueryMode=simple", "strings")}


# --------------------------------------------------------------------- tests

CALLS = read_calls(os.path.join(HERE, "calls.sql"))


def report(good, what, why=""):
    global passed, failed
    passed, failed = passed + good, failed + (not good)
    if not good:
        print("FAILED", what + (": " + why if why else ""))


def check_complete():
    """Every function, procedure and aggregate that isn't internal is called."""
    names = psql("""SELECT DISTINCT p.proname
        FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'rnnforecast'
             JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
        WHERE d.deptype = 'e' AND obj_description(p.oid, 'pg_proc') NOT LIKE 'internal:%' ORDER BY 1""")
    for (name,) in names:
        report(any(name + "(" in call.sql for call in CALLS), name, "no call in calls.sql")


def rows_or_error(mode, call):
    """Rows, or of a call that must fail the message."""
    try:
        rows = canonical_rows(mode(call), call)
    except Exception as error:
        if call.columns != ["error"]:
            raise
        return [line.split("ERROR:", 1)[1].strip() for line in str(error).split("\n") if "ERROR:" in line][:1] \
            or [str(error).split("\n", 1)[0]]
    return rows if call.columns != ["error"] else []


def check_mode(name, mode, expected):
    start = passed, failed
    for call in CALLS:
        try:
            rows, wanted = rows_or_error(mode, call), expected[call.name]
            # A driver may put more words around the server's message.
            same = rows == wanted or call.columns == ["error"] and rows and wanted[0] in rows[0]
            different = [pair for pair in zip(rows, wanted) if pair[0] != pair[1]]
            report(bool(same), f"{name}, {call.name}",
                   f"{different[0][0]}, not {different[0][1]}" if different else f"{len(rows)} rows")
        except Exception as error:
            report(False, f"{name}, {call.name}", " ".join(str(error).split())[:300])
    print(f"{name}: {passed - start[0]} passed, {failed - start[1]} failed")


def main():
    global skipped
    expected = {call.name: rows_or_error(psql_reference, call) for call in CALLS}
    empty = [name for name, rows in expected.items() if not rows and name != "refit all"]
    report(not empty, "reference", f"no rows: {', '.join(empty)}")
    check_complete()
    check_mode("psql, untyped", psql_untyped, expected)
    for driver, modes in (("psycopg", psycopg_modes), ("psycopg2", psycopg2_modes),
                          ("JDBC", jdbc_modes), ("ODBC", odbc_modes)):
        try:
            found = modes()
        except ImportError as error:
            print(f"{driver}: skipped, {error}")
            skipped += 1
            continue
        for name, mode in found.items():
            check_mode(name, mode, expected)
    print(f"drivers: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

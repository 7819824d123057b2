"""What the benches share: psql, progress, tables, and the options of those that play sets."""
import argparse
import json
import os
import subprocess
import sys

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../shared/data")


def progress(text):
    print(text, file=sys.stderr, flush=True)


def psql_command(connection):
    return ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1"] + (["-d", connection] if connection else [])


def psql(connection, script):
    done = subprocess.run(psql_command(connection), input=script, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError("psql failed")
    return done.stdout


def table(head, rows):
    print("\n| " + " | ".join(head) + " |\n|" + " --- |" + " ---: |" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def number(x, form="%.3f"):
    return "" if x is None else form % x


def players(name, doc):
    """A parser of what bench/covariates and bench/calendars may be told."""
    parser = argparse.ArgumentParser(prog="bench/" + name, description=doc,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET", help="sets to play; all by default")
    parser.add_argument("--options", type=json.loads, default={}, metavar="JSON", help="options for every training")
    parser.add_argument("--connection", metavar="STRING", help="a running server's")
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    parser.add_argument("--data", metavar="DIR", default=DATA)
    return parser


def begin(parser, sets):
    """The arguments, once the sets are known to be there and the extension is."""
    args = parser.parse_args()
    for name in args.sets:
        if name not in sets:
            parser.error("there is no set %s; there are %s" % (name, ", ".join(sets)))
    psql(args.connection, "SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS rnnforecast;")
    return args


def write_json(args, results):
    if args.json:
        with open(args.json, "w") as f:
            json.dump(results, f, indent=1)

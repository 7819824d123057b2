"""What bench/league and bench/scale share: psql, progress, and tables."""
import subprocess
import sys


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

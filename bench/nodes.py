"""bench/nodes: what several servers on one machine do together.

citus    a coordinator and two workers of Citus (its library must be installed
         beside the server) and one server alone: seconds, bytes that the workers
         send, memory of each node, and whether the results are the same bytes
replica  a primary and a hot standby that streams from it: forecasts of a named
         model a second under pgbench, by the primary alone and by both
daily    a history of each day kept in a table: its size, and the seconds of the
         merge, of a training and of a refit of all of them

Memory is the sum of the anonymous pages (RssAnon) of all processes of a node, the
largest of samples 20 ms apart, less what it had before.  What workers send is
counted by a relay between them and the coordinator.  Rows are computed, so
that they are the same in every run.
"""
import argparse
import atexit
import multiprocessing
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from common import number, progress, table

PARTS = ["citus", "replica", "daily"]
COMMON = """
listen_addresses = ''
fsync = off
full_page_writes = off
autovacuum = off
jit = off
timezone = 'UTC'
max_worker_processes = 20
max_wal_size = '4GB'
max_parallel_workers_per_gather = 0
"""
CITUS = """
shared_preload_libraries = 'citus'
wal_level = logical
max_prepared_transactions = 40
citus.node_conninfo = 'sslmode=disable'
citus.enable_statistics_collection = off
citus.max_background_task_executors = 1
citus.max_adaptive_executor_pool_size = %d
"""


# --------------------------------------------------------------------- servers

class Node:
    """A server in a directory of its own, until the program ends."""

    count = 0

    def __init__(self, args, conf, copy_of=None):
        Node.count += 1
        self.args, self.port = args, 7100 + Node.count
        self.dir = os.path.join(args.work, "node%d" % Node.count)
        if copy_of:
            self.program("pg_basebackup", "-D", self.dir, "-R", "-h", args.work, "-p", str(copy_of.port), "-U", "postgres")
        else:
            self.program("initdb", "-D", self.dir, "-U", "postgres", "-A", "trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        with open(os.path.join(self.dir, "postgresql.conf"), "a") as f:
            f.write("%s\n%s\nport = %d\nunix_socket_directories = '%s'\n" % (COMMON, conf, self.port, args.work))
        self.program("pg_ctl", "-D", self.dir, "-l", self.dir + ".log", "-w", "start")
        atexit.register(self.stop)

    def program(self, name, *words):
        done = subprocess.run(self.args.user.split() + [os.path.join(self.args.bin, name)] + list(words),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
        if done.returncode != 0:
            raise RuntimeError("%s failed: %s" % (name, done.stdout))

    def stop(self):
        self.program("pg_ctl", "-D", self.dir, "-m", "immediate", "-w", "stop")

    def connection(self):
        return "host=%s port=%d user=postgres dbname=postgres" % (self.args.work, self.port)

    def sql(self, *commands):
        """The last line of the answer; each command is a transaction."""
        words = [os.path.join(self.args.bin, "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.connection()]
        for c in ("SET client_min_messages = error",) + commands:
            words += ["-c", c]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError("psql failed")
        return done.stdout.strip().rsplit("\n", 1)[-1]

    def processes(self):
        """The first one and all others"""
        with open(os.path.join(self.dir, "postmaster.pid")) as f:
            first = int(f.readline())
        with open("/proc/%d/task/%d/children" % (first, first)) as f:
            return first, f.read().split()

    def memory(self):
        """MB of all its processes."""
        return sum(anonymous(pid) for pid in self.processes()[1]) / 1024

    def worked(self):
        """Processor seconds of all its processes, of those too that have ended."""
        first, others = self.processes()
        ticks = sum(times(first)) + sum(sum(times(pid)[:2]) for pid in others)
        return ticks / os.sysconf("SC_CLK_TCK")


def times(pid):
    """Clock ticks of a process, user and system, and of its children that have ended"""
    try:
        with open("/proc/%s/stat" % pid) as f:
            return [int(x) for x in f.read().rsplit(")", 1)[1].split()[11:15]]
    except OSError:
        return [0] * 4


def anonymous(pid):
    try:
        with open("/proc/%s/status" % pid) as f:
            return next((int(line.split()[1]) for line in f if line.startswith("RssAnon:")), 0)
    except OSError:
        return 0


class Watch(threading.Thread):
    """The most memory that each node has, beyond what it has now."""

    def __init__(self, nodes):
        super().__init__(daemon=True)
        self.nodes, self.running = nodes, True
        self.base = [n.memory() for n in nodes]
        self.peak = list(self.base)

    def run(self):
        while self.running:
            self.peak = [max(p, n.memory()) for p, n in zip(self.peak, self.nodes)]
            time.sleep(0.02)

    def stop(self):
        self.running = False
        self.join()
        return [p - b for p, b in zip(self.peak, self.base)]


def watched(nodes, *commands):
    """Answer of the first node, seconds, MB and processor seconds of all; backends that have ended need a moment to go."""
    time.sleep(1)
    watch = Watch(nodes)
    watch.start()
    before, start = [n.worked() for n in nodes], time.monotonic()
    answer = nodes[0].sql(*commands)
    seconds = time.monotonic() - start
    memory = watch.stop()
    time.sleep(0.2)
    return answer, seconds, memory, [n.worked() - b for n, b in zip(nodes, before)]


# ----------------------------------------------------------------------- citus

def pass_on(source, to, counter):
    while True:
        piece = source.recv(1 << 16)
        if not piece:
            break
        if counter is not None:
            with counter.get_lock():
                counter.value += len(piece)
        to.sendall(piece)
    try:
        to.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def relay(listener, address, counter):
    """Passes on what comes, and counts what comes back."""
    while True:
        client, _ = listener.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(address)
        for words in ((client, server, None), (server, client, counter)):
            threading.Thread(target=pass_on, args=words, daemon=True).start()


def relay_to(node, counter):
    """The port of a relay to a node."""
    port = node.port + 100
    listener = socket.socket(socket.AF_UNIX)
    path = os.path.join(node.args.work, ".s.PGSQL.%d" % port)
    listener.bind(path)
    os.chmod(path, 0o777)
    listener.listen(64)
    address = os.path.join(node.args.work, ".s.PGSQL.%d" % node.port)
    multiprocessing.get_context("fork").Process(target=relay, args=(listener, address, counter), daemon=True).start()
    return port


LOAD = """INSERT INTO readings SELECT 'series ' || k, timestamp '2020-01-01' + n * interval '1 minute',
    k %% 10 + sin(n / 9.0) + (n * 7919::bigint + k * 104729) %% 1000 / 1000.0
    FROM generate_series(1, %d) AS k, generate_series(%d, %d) AS n"""
HOURS = "'{\"bin\": \"mean\", \"step\": \"1 hour\"}'"
CALLS = [("rnn_history", "SELECT md5(rnn_history(series, ts, value)) FROM {0}"),
         ("rnn_train, the mix alone", "SELECT md5(rnn_train(series, ts, value, '{{\"network\": false, \"horizon\": 24}}')) FROM {0}"),
         ("hours, rnn_merge", "SELECT md5(rnn_merge(h)) FROM (SELECT series, rnn_history(series, ts, value, " +
          HOURS.replace("{", "{{").replace("}", "}}") + ") AS h FROM {0} GROUP BY series) AS t")]


def formula(node, most):
    """Bytes of the states of all shards, by docs/scaling.md."""
    return int(node.sql("""SELECT sum(2 * (68 + 20 * least(n, %d) + names) + 2) FROM (
        SELECT shard, sum(n) AS n, sum(4 + octet_length(series)) AS names FROM (
        SELECT get_shard_id_for_distribution_column('readings', series) AS shard, series, count(*) AS n
        FROM readings GROUP BY series) AS s GROUP BY shard) AS t""" % most))


def load(coordinator, series, rows, shards):
    coordinator.sql("DROP TABLE IF EXISTS readings, alone", "CREATE TABLE readings (series text, ts timestamp, value float8)",
                    "SELECT create_distributed_table('readings', 'series', shard_count => %d)" % shards)
    points, piece = rows // series, 2000
    for first in range(1, points + 1, piece):
        coordinator.sql(LOAD % (series, first, min(first + piece - 1, points)))
    coordinator.sql("CREATE UNLOGGED TABLE alone AS SELECT * FROM readings")


def citus(args):
    nodes = [Node(args, CITUS % args.pool) for _ in range(3)]
    for node in nodes:
        node.sql("CREATE EXTENSION citus", "CREATE EXTENSION rnnforecast")
    counters = [multiprocessing.Value("q", 0) for _ in nodes[1:]]
    nodes[0].sql("SELECT citus_set_coordinator_host('%s', %d)" % (args.work, nodes[0].port))
    for node, counter in zip(nodes[1:], counters):
        nodes[0].sql("SELECT citus_add_node('%s', %d)" % (args.work, relay_to(node, counter)))
    figures = []
    for rows in map(int, args.rows.split(",")):
        progress("%d rows" % rows)
        load(nodes[0], 1000, rows, args.shards)
        most = 512 * 1024 * 1024 // 8 // 20
        print("%d rows: states of %d bytes by the formula" % (rows, formula(nodes[0], most)), flush=True)
        for what, call in CALLS:
            for c in counters:
                c.value = 0
            answer, seconds, peak, work = watched(nodes, call.format("readings"))
            sent = sum(c.value for c in counters)
            other, alone, single, alone_work = watched(nodes[:1], call.format("alone"))
            figures.append([rows, what, sent, seconds, peak, alone, single[0], answer == other, work, alone_work[0]])
            print(figures[-1], flush=True)
    print("\nCitus: coordinator and two workers, 1,000 series in %d shards" % args.shards)
    table(["rows", "call", "sent, MB", "s", "CPU s of the coordinator", "of workers", "coordinator, MB", "workers, MB",
           "alone: s", "CPU s", "MB", "bytes"],
          [[str(f[0]), f[1], number(f[2] / 1e6, "%.1f"), number(f[3], "%.1f"), number(f[8][0], "%.1f"),
            "%.1f, %.1f" % tuple(f[8][1:]), number(f[4][0], "%.0f"), "%.0f, %.0f" % tuple(f[4][1:]),
            number(f[5], "%.1f"), number(f[9], "%.1f"), number(f[6], "%.0f"), "the same" if f[7] else "DIFFERENT"]
           for f in figures])


# --------------------------------------------------------------------- replica

MODELS = """
CREATE TABLE sales AS SELECT 'shop ' || s AS series, timestamp '2024-01-01' + n * interval '1 hour' AS ts,
    s + 10 * sin(n * 0.2618) + hashint8(s * 100003 + n) / 2147483648.0 AS value
    FROM generate_series(1, 50) AS s, generate_series(1, 1000) AS n;
CREATE INDEX ON sales (series, ts);
"""
STORED = r"""\set shop random(1, 50)
SELECT count(*) FROM rnn_forecast_model('sales', 24, series => ARRAY['shop ' || :shop]) AS f;
"""
FRESH = r"""\set shop random(1, 50)
SELECT count(*) FROM rnn_forecast_model('sales', 24, series => ARRAY['shop ' || :shop], options => '{"fresh": true}') AS f;
"""


def pgbench(args, node, path, seconds, clients):
    return subprocess.Popen([os.path.join(args.bin, "pgbench"), "-n", "-c", str(clients), "-j", "1", "-T", str(seconds),
                             "-f", path, node.connection()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def rates(args, nodes, script, clients):
    """Transactions of each node, all at the same time: a second, and a processor second of the server."""
    path = os.path.join(args.work, "script.sql")
    with open(path, "w") as f:
        f.write(script)
    before = [node.worked() for node in nodes]
    running = [pgbench(args, node, path, args.seconds, clients) for node in nodes]
    said = [r.communicate()[0] for r in running]
    time.sleep(0.2)
    work = [node.worked() - b for node, b in zip(nodes, before)]
    found = [re.search(r"tps = ([0-9.]+)", s) for s in said]
    if not all(found):
        raise RuntimeError("pgbench failed: %s" % said)
    done = [float(re.search(r"actually processed: ([0-9]+)", s).group(1)) for s in said]
    return [float(f.group(1)) for f in found], [d / max(w, 0.01) for d, w in zip(done, work)]


def replica(args):
    conf = "wal_level = replica\nrnnforecast.max_workers = 0\n"
    primary = Node(args, conf)
    primary.sql("CREATE EXTENSION rnnforecast", MODELS, "SELECT rnn_fit('sales', 'SELECT series, ts, value FROM sales', 24, '{\"start\": \"prior\"}')")
    standby = Node(args, conf, primary)
    primary.sql("CREATE TABLE later AS SELECT 1")
    while standby.sql("SELECT pg_last_wal_replay_lsn() >= '%s'" % primary.sql("SELECT pg_current_wal_lsn()")) != "t":
        time.sleep(0.1)
    same = "SELECT md5(string_agg(f::text, '|')) FROM rnn_forecast_model('sales', 24, options => '{\"fresh\": true}') AS f"
    print("forecasts of the standby: %s" % ("the same bytes" if primary.sql(same) == standby.sql(same) else "DIFFERENT"))
    figures = []
    for what, script in (("stored rows", STORED), ("fresh rows", FRESH)):
        for round in range(args.rounds):
            alone = rates(args, [primary], script, 1)
            both = rates(args, [primary, standby], script, 1)
            figures.append([what, alone[0][0], both[0], alone[1] + both[1]])
            print(figures[-1], flush=True)
    print("\nForecasts of a named model of 50 series, one series a call, a session of pgbench on each node")
    table(["forecasts", "primary alone, 1/s", "primary and standby", "sum", "ratio", "per CPU s: alone", "primary and standby"],
          [[f[0], number(f[1], "%.0f"), "%.0f, %.0f" % tuple(f[2]), number(sum(f[2]), "%.0f"), number(sum(f[2]) / f[1], "%.2f"),
            number(f[3][0], "%.0f"), "%.0f, %.0f" % tuple(f[3][1:])] for f in figures])


# ----------------------------------------------------------------------- daily

DAY = """INSERT INTO daily SELECT date '2023-01-01' + {0}, 'sensor ' || s, rnn_history('sensor ' || s,
    timestamp '2023-01-01' + {0} * interval '1 day' + m * interval '1 minute',
    s + 5 * sin(m * 0.00436) + 2 * sin(({0} * 1440 + m) * 0.000623) + (m * 7919 + s * 104729) % 1000 / 1000.0, '{{"bin": "mean", "step": "1 hour"}}')
    FROM generate_series(1, 100) AS s, generate_series(0, 1439) AS m GROUP BY s;"""
MERGED = "SELECT rnn_merge(history) FROM daily"


def daily(args):
    node = Node(args, "")
    node.sql("CREATE EXTENSION rnnforecast", "CREATE TABLE daily (day date, sensor text, history bytea, PRIMARY KEY (day, sensor))")
    start = time.monotonic()
    for first in range(0, args.days, 20):
        node.sql("".join(DAY.format(d) for d in range(first, min(first + 20, args.days))))
    print("%d rows of %d days collected in %.0f s" % (args.days * 144000, args.days, time.monotonic() - start), flush=True)
    print("histories, bytes, bytes of one, and in the table: %s" % node.sql(
        "SELECT count(*), sum(octet_length(history)), round(avg(octet_length(history))), pg_total_relation_size('daily') FROM daily"))
    steps = [("rnn_merge", "SELECT length((%s))" % MERGED),
             ("rnn_train_history, the prior", "SELECT length(rnn_train_history((%s), '{\"horizon\": 48, \"start\": \"prior\"}'))" % MERGED),
             ("the mix alone", "SELECT length(rnn_train_history((%s), '{\"horizon\": 48, \"network\": false}'))" % MERGED),
             ("a network from nothing, effort quick", "SELECT length(rnn_train_history((%s), '{\"horizon\": 48, \"effort\": \"quick\"}'))" % MERGED),
             ("store a model", "CREATE TABLE nightly AS SELECT rnn_train_history((%s), '{\"horizon\": 48, \"start\": \"prior\"}') AS model" % MERGED),
             ("rnn_observe, new rows alone", "SELECT length(rnn_observe(model, (%s WHERE day >= date '2023-01-01' + %d))) FROM nightly" % (MERGED, args.days - 30))]
    figures = [[what, *watched([node], sql)] for what, sql in steps]
    table(["step", "bytes", "s", "MB"], [[f[0], f[1], number(f[2], "%.2f"), number(f[3][0], "%.0f")] for f in figures])


def main():
    parser = argparse.ArgumentParser(prog="bench/nodes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="of %s; all but citus by default" % ", ".join(PARTS))
    parser.add_argument("--rows", default="2500000,10000000", help="of citus: several runs")
    parser.add_argument("--shards", type=int, default=32, help="of citus")
    parser.add_argument("--pool", type=int, default=2, help="of citus: tasks at a time on each worker")
    parser.add_argument("--days", type=int, default=347, help="of daily: 144,000 rows each")
    parser.add_argument("--seconds", type=int, default=10, help="of replica: each run of pgbench")
    parser.add_argument("--rounds", type=int, default=3, help="of replica")
    parser.add_argument("--bin", metavar="DIR", required=True, help="programs of a server with the extension")
    args = parser.parse_args()
    for part in args.parts:
        if part not in PARTS:
            parser.error("there is no part %s; there are %s" % (part, ", ".join(PARTS)))
    args.user = "setpriv --reuid=postgres --regid=postgres --init-groups env LC_ALL=C" if os.getuid() == 0 else ""
    args.work = tempfile.mkdtemp(prefix="nodes")
    os.chmod(args.work, 0o777)
    atexit.register(shutil.rmtree, args.work, ignore_errors=True)
    for part in args.parts or PARTS[1:]:
        globals()[part](args)


if __name__ == "__main__":
    main()

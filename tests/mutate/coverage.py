"""Which test files reach which line: gcov for C, a trace for bash.  Made once, and again for what has changed.

What is known of a test file is kept below build/mutate/map, under a name made of the contents of all that the test
depends on.  A change of one test file costs a run of that file; a change of the code costs a run of them all.
"""
import glob
import hashlib
import json
import os
import re
import subprocess

from trees import PLACE, TOP, Tree, environment, is_mutated, read, source_files

LIMIT = 1200            # seconds; a test under coverage that takes longer is taken to fail
TRACE_LINE = re.compile(rb"^\++@([^@\n]*)@(\d+)@ ", re.M)
TRACE_FILE = re.compile(r"(?:^|/)(?:(scripts/(?:\.\./)?|libexec/culvert/)([^\n]*)|bin/(culvert[\w-]*))$")


def digest(names):
    h = hashlib.sha256()
    for name in names:
        h.update(name.encode() + b"\0" + hashlib.sha256(read(os.path.join(TOP, name))).digest())
    return h.hexdigest()[:16]


class Coverage:
    def __init__(self, tree, say):
        """tree: for tests that fail when they are measured.  say: is given a line for each test file that is measured."""
        self.tree, self.say = tree, say
        names = source_files()
        ours = [n for n in names if n.startswith("src/") or is_mutated(n)]
        helpers = [n for n in names if n.startswith("tests/") and not n.endswith(".t") and not n.startswith("tests/mutate/")]
        self.code = digest(ours)
        helpers = digest(helpers)
        self.tests = {n: f"{os.path.basename(n)}-{digest([n])}-{self.code}-{helpers}.json"
                      for n in names if re.fullmatch(r"tests/[^/]*\.t", n)}
        self.place = os.path.join(PLACE, "map")
        os.makedirs(self.place, exist_ok=True)

    def load(self):
        shape = self.known(f"shape-{self.code}.json")
        missing = [t for t, name in self.tests.items() if self.known(name) is None]
        if missing or shape is None:
            self.measure(missing)
            shape = self.known(f"shape-{self.code}.json")
        self.results = {t: known for t, name in self.tests.items() if (known := self.known(name)) is not None}
        self.shape = shape or {}
        self.hit = {}           # file: {line: {test}}
        for test, result in self.results.items():
            for file, lines in result["lines"].items():
                for line in lines:
                    self.hit.setdefault(file, {}).setdefault(line, set()).add(test)

    def known(self, name):
        try:
            with open(os.path.join(self.place, name)) as f:
                return json.load(f)
        except FileNotFoundError:
            return None

    def keep(self, name, what):
        path = os.path.join(self.place, name)
        with open(path + ".new", "w") as f:
            json.dump(what, f)
        os.rename(path + ".new", path)

    def measure(self, tests):
        tree = Tree("coverage", "-O0 --coverage", "-Wl,--wrap=_exit ../gcov-exit.o")
        tree.clean_if_interrupted()
        tree.copy()
        subprocess.run(["cc", "-c", "-o", os.path.join(PLACE, "gcov-exit.o"), os.path.join(TOP, "tests/mutate/gcov-exit.c")], check=True)
        if (why := tree.make("all")) is not None:
            raise SystemExit(f"mutate: the tree cannot be built:\n{why}")
        self.keep(f"shape-{self.code}.json", shape_of(tree))
        trace = os.path.join(PLACE, "trace")
        for n, test in enumerate(tests, 1):
            forget(tree, trace)
            result = tree.run_test(test, LIMIT, BASH_ENV=os.path.join(TOP, "tests/mutate/trace.bash"), MUTATE_TRACE=trace)
            lines = c_lines(tree) | bash_lines(trace)
            if result.why:      # perhaps only because it is measured
                result = self.tree.run_test(test, LIMIT)
            self.say(f"coverage {n}/{len(tests)}: {test}, {result.seconds:.1f} s" +
                     (f": left out: {result.why}" if result.why else ": skipped" if result.skipped else ""))
            self.keep(self.tests[test], {"seconds": result.seconds, "why": result.why, "skipped": result.skipped, "lines": lines})
        forget(tree, trace)
        tree.finished()

    def reaching(self, file, line):
        """The test files that reach a line, with their usual seconds: that of its name and its relatives first, then the quickest."""
        lines = self.hit.get(file, {})
        if file.endswith(".c"):
            shape = self.shape.get(file, {"lines": [], "functions": []})
            inside = [f for f in shape["functions"] if f[0] <= line <= f[1]]
            known = [x for x in shape["lines"] if x <= line and inside and x >= inside[-1][0]]
        else:
            known = [x for x in lines if x <= line]
        # what has no line of its own, such as a row of a table, is reached by whoever reaches the file
        tests = lines.get(max(known), set()) if known else set().union(*lines.values())
        known = [(t, self.results[t]["seconds"]) for t in tests if not self.results[t]["why"]]
        return sorted(known, key=lambda known: (relation(file, os.path.basename(known[0])[:-2]), known[1]))


def relation(file, test):
    """How near the test is to the file by their names, 0 to 3.  A file of a folder of src/lib is also known as FOLDER-FILE."""
    path, stem = os.path.split(os.path.splitext(file)[0])
    folder = path.partition("src/lib/")[2]
    return min(relation_of_name(name, test) for name in ([stem, f"{folder}-{stem}"] if folder else [stem]))


def relation_of_name(stem, test):
    if test == stem:
        return 0
    if test.startswith(stem + "-") or stem.startswith(test + "-"):
        return 1
    return 2 if test.partition("-")[0] == stem.partition("-")[0] else 3


def objects(tree, suffix):
    return [os.path.relpath(p, tree.path) for p in glob.glob(tree.file(f"build/**/*.{suffix}"), recursive=True)]


def forget(tree, trace):
    for name in objects(tree, "gcda"):
        os.remove(tree.file(name))
    open(trace, "w").close()


def gcov(tree, names):
    """The files of src that gcov knows of, as it describes them."""
    if not names:
        return
    got = subprocess.run(["gcov", "--json-format", "--stdout", *names], cwd=tree.path, capture_output=True, env=environment())
    for report in got.stdout.splitlines():
        for file in json.loads(report)["files"]:
            if re.fullmatch(r"src/(lib/.*)?[^/]*\.c", file["file"]):
                yield file


def shape_of(tree):
    return {f["file"]: {"lines": sorted({x["line_number"] for x in f["lines"]}),
                        "functions": sorted([x["start_line"], x["end_line"]] for x in f["functions"])}
            for f in gcov(tree, objects(tree, "gcno"))}


def c_lines(tree):
    lines = {}
    for file in gcov(tree, objects(tree, "gcda")):
        hit = {x["line_number"] for x in file["lines"] if x["count"]}
        if hit:
            lines[file["file"]] = sorted(hit | set(lines.get(file["file"], ())))
    return lines


def bash_lines(trace):
    lines = {}
    for source, line in set(TRACE_LINE.findall(read(trace))):
        m = TRACE_FILE.search(os.path.normpath(source.decode(errors="replace")))
        if m:
            file = "src/" + m[3] + ".sh" if m[3] else "scripts/" + m[2]
            if os.path.isfile(os.path.join(TOP, file)):
                lines.setdefault(file, set()).add(int(line))
    return {file: sorted(found) for file, found in lines.items()}

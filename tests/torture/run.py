#!/usr/bin/env python3
"""run.py - run a tool once for each call that can fail, and check what comes of it; prints TAP.  For torture() of lib.sh.

    run.py COUNT NAME "CALL ..." COMMAND [ARGUMENT...]

COUNT is the number of the last check so far.  There are checks for a clean run, for each kind of call, and for calls that are
slow (short, interrupted, not ready).  The exit status is the number of those that failed.

Environment
  TORTURE_SHIM     the library that makes calls fail: shim.c
  FRESH, STATE     steps, one on each line: before each run, and after it, for what it has left behind; see Steps below
  VIEW             a command that turns the output into something that is the same each time
  ALSO             outcomes beside the promised ones, as CALL:STATUS
  TORTURE_MOST     how many sites of malloc, and how many of the other calls one by one (100 and 60)
  TORTURE_ALL      let each call fail, not only those that are chosen

Which calls fail: for malloc, the first that comes from a site (the six innermost callers), so that the choice does not depend on
how often a library allocates.  Of too many sites (OpenSSL has 800 while it starts) every second, third, ... is taken.  For the other
calls, the first 60, then ever fewer, to the end.
"""
import os
import re
import select
import shlex
import signal
import subprocess
import sys
import time

LIMIT = 60         # seconds for a run: one that waits for ever ends with 124, as with timeout(1)
SETTLE = 5          # seconds in which a helper process may finish what it does after the run (the guard of s3-put)
PROMISED = {'malloc': [71], 'process': [71], 'open': [71], 'read': [74], 'write': [74], 'fsync': [74], 'close': [74],
            'connect': [69], 'net': [69, 75]}
NOT_TWICE = re.compile(rb'"requests":[0-9]*,|"seconds":[0-9.]*')


def contents(name):
    try:
        with open(name, 'rb') as file:
            return file.read()
    except FileNotFoundError:
        return None


class Steps:
    """sql QUERY       its unaligned result
    get URL            the body
    values A,B URL     the values of these members in the body, which is JSON, wherever they are
    post URL BODY      nothing
    header NAME: VALUE for the following requests
    file NAME          its bytes, or that there is none
    write NAME TEXT    nothing
    rm NAME...         nothing"""
    def __init__(self):
        self.psql = None
        self.connections = {}

    def run(self, text):
        out = []
        headers = {}
        for line in text.splitlines():
            verb, _, rest = line.strip().partition(' ')
            if verb == 'sql':
                out.append(self.sql(rest))
            elif verb == 'get':
                out.append(self.request('GET', rest, None, headers))
            elif verb == 'values':
                keys, url = rest.split(' ', 1)
                out.append(self.values(keys.split(','), self.request('GET', url, None, headers)))
            elif verb == 'post':
                url, body = rest.split(' ', 1)
                self.request('POST', url, body.encode(), headers)
            elif verb == 'header':
                name, value = rest.split(': ', 1)
                headers[name] = value
            elif verb == 'file':
                body = contents(rest)
                out.append(b'no %s\n' % rest.encode() if body is None else body)
            elif verb == 'write':
                name, body = rest.split(' ', 1)
                with open(name, 'w') as file:
                    print(body, file=file)
            elif verb == 'rm':
                remove(*rest.split())
            elif verb:
                raise SystemExit(f'run.py: no step {verb}')
        return NOT_TWICE.sub(b'', b''.join(out))

    def sql(self, query):
        if self.psql is None:
            self.psql = subprocess.Popen(['psql', '-XAtqv', 'ON_ERROR_STOP=1'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.psql.stdin.write(query.encode() + b';\n\\echo --end--\n')
        self.psql.stdin.flush()
        lines = []
        while (line := self.psql.stdout.readline()) != b'--end--\n':
            if not line:
                raise SystemExit(f'run.py: psql has ended: {query}')
            lines.append(line)
        return b''.join(lines)

    def request(self, method, url, body, headers):
        import http.client
        host, _, path = url.partition('://')[2].partition('/')
        for again in (True, False):
            if host not in self.connections:
                self.connections[host] = http.client.HTTPConnection(host)
            try:
                self.connections[host].request(method, '/' + path.replace(' ', '%20'), body, headers)
                response = self.connections[host].getresponse()
                got = response.read()
                break
            except (http.client.HTTPException, ConnectionError):
                del self.connections[host]      # the server has closed it
                if not again:
                    raise
        if response.status >= 300:
            raise SystemExit(f'run.py: {url}: {response.status}: {got[:300]}')
        return got

    def values(self, keys, body):
        import json
        found = []

        def walk(value):
            if isinstance(value, dict):
                for key, member in value.items():
                    if key in keys:
                        found.append(member)
                    else:
                        walk(member)
            elif isinstance(value, list):
                for member in value:
                    walk(member)
        text = body.decode()
        try:
            walk(json.loads(text or 'null'))
        except ValueError:
            for line in text.splitlines():
                walk(json.loads(line))
        return json.dumps(found).encode() + b'\n'


class Tool:
    """The tool, stopped before main(): see shim.c."""
    def __init__(self, command):
        orders, self.orders = os.pipe()
        replies, to = os.pipe()
        self.replies = os.fdopen(replies, 'rb', 0)
        environment = dict(os.environ, LD_PRELOAD=os.environ['TORTURE_SHIM'], TORTURE=f'{orders},{to}', TORTURE_TOOL=command[0])
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(orders, to), env=environment)
        os.close(orders)
        os.close(to)

    def run(self, order):
        """The exit status, and whether a call has failed."""
        os.write(self.orders, order.encode() + b'\n')
        pid = int(self.reply())
        over = False
        for signal_number, patience in ((None, LIMIT), (signal.SIGTERM, 1), (signal.SIGKILL, None)):
            if signal_number:
                over = True
                os.killpg(pid, signal_number)
            if select.select([self.replies], [], [], patience)[0]:
                break
        status, fired = map(int, self.reply().split())
        status = 124 if over else os.waitstatus_to_exitcode(status)
        return 128 - status if status < 0 else status, fired == 1

    def close(self):
        os.close(self.orders)
        self.process.wait()

    def reply(self):
        line = self.replies.readline()
        if not line:
            raise SystemExit(f'run.py: the tool did not start: its status is {self.process.wait()}')
        return line


def remove(*names):
    for name in names:
        try:
            os.unlink(name)
        except FileNotFoundError:
            pass


class Case:
    def __init__(self, count, name, command):
        self.count, self.name, self.failed, self.runs = count, name, 0, 1
        self.tool, self.prefix = Tool(command), command[0].encode() + b': '
        self.steps = Steps()
        self.fresh, self.state = os.environ.get('FRESH', ''), os.environ.get('STATE', '')
        self.view = shlex.split(os.environ.get('VIEW', ''))
        self.also = os.environ.get('ALSO', '').split()

    def ok(self, good, what, diagnostics):
        self.count += 1
        self.failed += not good
        print(f'{"ok" if good else "not ok"} {self.count} - {self.name}: {what}')
        for line in diagnostics[:40]:
            print(f'# {line}')

    def once(self, order):
        remove('bad.json', 'bad.json.part')
        self.runs += 1
        self.steps.run(self.fresh)
        return self.tool.run(order)

    def output(self):
        out = contents('out')
        if self.view:
            out = subprocess.run(self.view, input=out, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        return NOT_TWICE.sub(b'', out), contents('bad.json')

    def becomes(self, *states):
        """Whether the state is one of these now, or soon."""
        until = time.monotonic() + SETTLE
        while self.steps.run(self.state) not in states:
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True

    def wrong(self, call, status):
        """What is wrong with the run."""
        why = []
        if status == 0:
            if self.output() != self.want or not self.becomes(self.after):
                why.append('exit 0, but the output is not complete')
            return why
        if status not in PROMISED.get(call, []) and str(status) not in self.also and f'{call}:{status}' not in self.also:
            why.append(f'exit {status}')
        said = contents('err').splitlines()
        if not any(said):
            why.append('no message')
        if not all(line.startswith(self.prefix) for line in said):
            why.append('a stray message')
        if os.path.exists('bad.json.part'):
            why.append('bad.json.part is left')
        if contents('bad.json') not in (None, self.want[1]):
            why.append('half of bad.json is there')
        if not self.becomes(self.before, self.after):
            why.append(f'a state between: {self.steps.run(self.state)[:300]}')
        return why

    def check(self, order, call, status):
        why = self.wrong(call, status)
        return [f'{order}: {one}' for one in why] + \
            [f'stderr: {line.decode(errors="replace")}' for line in contents('err').splitlines()[:5] if why]

    def clean(self):
        remove('bad.json', 'sites')
        self.steps.run(self.fresh)
        self.before = self.steps.run(self.state)
        status, _ = self.tool.run('malloc:0')
        self.want = self.output()
        self.after = self.steps.run(self.state)
        self.ok(status == 0, 'a clean run', [] if status == 0 else [f'exit {status}'] + contents('err').decode().splitlines())
        sites = contents('sites') or b''
        first = {}
        for at in range(0, len(sites), 8):
            first.setdefault(sites[at:at + 8], at // 8 + 1)
        self.sites = sorted(first.values())

    def choose(self, call):
        if os.environ.get('TORTURE_ALL') or call != 'malloc':
            n, dense = 1, 10 ** 9 if os.environ.get('TORTURE_ALL') else int(os.environ.get('TORTURE_MOST', 60))
            while True:
                if not (yield n):
                    return
                n += 1 if n < dense else 1 + n // 8
        for n in self.sites[::-(-len(self.sites) // int(os.environ.get('TORTURE_MOST', 100)))]:
            yield n

    def failing(self, call):
        wrong, any_fired, chosen, fired = [], False, self.choose(call), None
        try:
            while True:
                order = f'{call}:{chosen.send(fired)}'
                status, fired = self.once(order)
                if fired:
                    any_fired = True
                    wrong += self.check(order, call, status)
        except StopIteration:
            pass
        if not any_fired:
            wrong.append('there is no such call')
        self.ok(not wrong, f'{call} fails, to the end', wrong)

    def slow(self):
        wrong = []
        for seed in range(1, 11):
            order = f'slow:{seed}'
            status, _ = self.once(order)
            if status != 0:
                wrong += [f'{order}: exit {status}'] + contents('err').decode(errors='replace').splitlines()[:5]
            else:
                wrong += self.check(order, 'slow', status)
        self.ok(not wrong, 'reads and writes that are short, interrupted, not ready', wrong)


def main():
    count, name, calls, *command = sys.argv[1:]
    case = Case(int(count), name, command)
    case.clean()
    for call in calls.split():
        case.failing(call)
    case.slow()
    case.tool.close()
    if os.environ.get('TORTURE_TIMES'):
        used = os.times()
        print(f'# {used.user + used.system:.2f} s here, {used.children_user + used.children_system:.2f} s in the tool, '
              f'{case.runs} runs, {len(case.sites)} sites of malloc')
    sys.stdout.flush()
    sys.exit(min(case.failed, 100))


main()

"""standin - what the stand-in servers share: an HTTP/1.1 server that logs every request and misbehaves on demand.

A server prints its base URL as the one line on stdout, then serves until it is killed.  Three paths are its own:

GET /log        the requests seen, one JSON object a line: method, path, query (an object, decoded), target
                (path?query, decoded), headers (names in lower case), token, status, body, and fault (the kind
                that was applied, or null).  /log?pick=path,body.where is an array of these members of each object,
                in the format of jq -c, so that a test need not start jq.  Other lists of a server take `pick`, too.
GET /held       how many requests a `latency` holds back at this moment, also of clients that are gone
POST /control   a JSON object, or an array of them, applied in this order of keys, to the requests that follow:
  {"reset": true}         forget faults, pending changes and the log; data stay as they are
  {"release": true}       requests that a `latency` holds back go on at once
  {"set": {...}}          settings of this server, by the names of its long options
  {"faults": [...]}       more faults, after those that are there
  {"between": {"match": REGEX, "after": N, "do": {...}}}
                          once the Nth matching request is answered, and before the client can know it, run
                          the control object `do`
  any change of data that the server knows (see its own head)

A fault is {"match": REGEX, "method": REGEX, "kind": KIND, "skip": N, "times": N, ...}.  "match" is searched in
path?query with percent signs decoded (and, on lines below it, the body of a POST), so the $ of a parameter is [$];
"method" is the whole of one; without them every request matches.  The first
`skip` matching requests pass, the next `times` (1 unless told; -1 for ever) get the fault.  A request is shown
to the faults in their order; the one that takes it hides it from those after it, so a list is a sequence.
`latency` alone delays and lets the next fault have the request too.

  status        "status", "headers" {}, "body" (text, or JSON; without one, what the real service would say)
  latency       "seconds", or "until" there is a file of that name
  cut           Content-Length in full, part of the body, a clean close
  cut_chunked   chunks, but no end chunk, and a clean close
  reset         part of the body, then RST
  stall         part of the body, then silence for "seconds" (an hour unless told)
  drip          a byte every "seconds" (1 unless told)
  short         part of the body, under a Content-Length that fits it
  no_reply      closes without a byte
  html          200 with a login page
  bad_gzip      half of the body as gzip, then damage
  gzip_bomb     "bytes" (1 GiB unless told) of zeros, compressed about a thousand to one
  nonsense      200 with bytes that are no JSON ("body")
  not_json_object   200 with an error object ("body")
  202           "variant": "location", "ticket" or "empty"; "retry_after": seconds, or a date as text
  redirect      to the URL "to", with "status" (302 unless told)
  headers       the true reply, "headers" {} changed; null takes one away
  repeat_page, ignore_limit   left to the server: paging that never moves on, pages larger than asked for

These strike while the request's body arrives, so they see no body, and are looked at before all others; nothing of
the request is done:

  upload_reset    takes part of the body, then RST
  upload_cut      takes part of the body, then closes
  upload_stall    takes part of the body, then nothing for "seconds" (an hour unless told), and closes
  upload_refused  takes part of the body, then answers as `status` does, and closes

Where "part of the body" is meant, it is half, unless "at" (a share), "bytes" or "lines" says how much.  A body that
ends before its length leaves only a line in the log, with status null.
"""
import argparse
import collections
import email.utils
import fcntl
import gzip
import http.server
import json
import math
import os
import re
import signal
import socket
import struct
import sys
import termios
import threading
import time
import traceback
import urllib.parse
import zlib

KINDS = {
    "status", "latency", "cut", "cut_chunked", "reset", "stall", "drip", "short", "no_reply", "html", "bad_gzip",
    "gzip_bomb", "nonsense", "not_json_object", "202", "redirect", "headers", "repeat_page", "ignore_limit",
    "upload_reset", "upload_cut", "upload_stall", "upload_refused",
}
LOGIN_PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form>...</form></body></html>\n"
LOGGED_BODY = 1 << 20           # bytes of a request's body that the log keeps


class Refusal(Exception):
    """Ends a request with the reply that it carries."""

    def __init__(self, reply):
        super().__init__(reply.status)
        self.reply = reply


class Reply:
    def __init__(self, status=200, body=b"", type="application/json;charset=utf-8", headers=None, chunked=False):
        self.status = status
        self.body = body.encode() if isinstance(body, str) else body
        self.headers = {"Content-Type": type} | (headers or {})
        self.chunked = chunked
        self.compress = False       # may be sent as gzip to those who ask


class Request:
    """A request, decoded.  `quirk` is the kind of a fault that the server itself has to act out."""

    def __init__(self, method, url, headers, body):
        path, _, query = url.partition("?")
        self.method = method
        self.url = url
        self.path = urllib.parse.unquote(path)
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.target = self.path + ("?" + urllib.parse.unquote_plus(query) if query else "")
        self.headers = {}
        for name, value in headers.items():
            name = name.lower()
            self.headers[name] = f"{self.headers[name]},{value}" if name in self.headers else value
        self.body = body
        self.quirk = None
        self.base = "http://" + self.headers.get("host", "127.0.0.1")

    def sought(self):
        return self.target + ("\n" + self.body.decode("utf-8", "replace") if self.body else "")

    def token(self):
        return (self.headers.get("x-app-token") or self.query.get("$$app_token") or self.query.get("app_token"))


class Fault:
    def __init__(self, spec, kinds):
        self.spec = spec
        self.kind = str(spec.get("kind"))
        if self.kind not in kinds:
            raise ValueError(f"no such kind of fault: {self.kind}")
        self.uploading = self.kind.startswith("upload_")
        self.match = re.compile(spec.get("match", ""), re.M)
        self.method = re.compile(spec.get("method", ".*"))
        self.skip = spec.get("skip", 0)
        self.times = spec.get("times", 1)

    def takes(self, method, sought):
        if self.times == 0 or not self.method.fullmatch(method) or not self.match.search(sought):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times > 0:
            self.times -= 1
        return True

    def part(self, body):
        """How many bytes of the body get through."""
        if "lines" in self.spec:
            return len(b"".join(body.splitlines(keepends=True)[:self.spec["lines"]]))
        return self.share(len(body))

    def share(self, length):
        if "bytes" in self.spec:
            return min(self.spec["bytes"], length)
        return int(length * self.spec.get("at", 0.5))

    def seconds(self, default):
        return self.spec.get("seconds", default)

    def is_over(self):
        return "until" in self.spec and os.path.exists(self.spec["until"])

    def body(self, default):
        body = self.spec.get("body", default)
        return body if isinstance(body, (str, bytes)) else json.dumps(body)


class StandIn:
    """One imitated service.  Subclasses answer(); the rest is here."""

    kinds = KINDS               # of faults
    request = Request
    name = "nginx"
    changes = ()                # the keys of /control that change() understands
    settings = {}               # name: default; each is a long option, too

    def __init__(self):
        self.lock = threading.RLock()
        self.released = threading.Condition(self.lock)
        self.releases = self.held = 0
        self.faults = []
        self.between = []       # [regex, how many more, a control object or a function]
        self.log = collections.deque(maxlen=100_000)
        self.waiting = {}       # path given out in a Location: the URL it stands for
        self.set = dict(self.settings)

    def prepare(self):
        """What is to be done once the settings are known."""

    def answer(self, request):
        raise NotImplementedError

    def refuse_early(self, request):
        """The reply to a request that is refused before its body was asked for, or None."""

    def own(self, request):
        """The reply if the path is one of our own and not the service's, else None."""
        if request.path == "/log":
            with self.lock:
                return ndjson(request, self.log)
        if request.path == "/held":
            return Reply(200, f"{self.held}\n", "text/plain")
        if request.path == "/control":
            try:
                return Reply(200, json.dumps(self.control(json.loads(request.body))) + "\n")
            except (ValueError, KeyError, TypeError, AttributeError, re.error) as error:
                return Reply(400, f"control: {type(error).__name__}: {error}\n", "text/plain")
        return None

    def now(self):
        return time.time()

    def logged_body(self, request):
        return request.body[:LOGGED_BODY].decode("utf-8", "replace") or None

    def failure(self, status):
        """The reply that the real service sends with this status."""
        return Reply(status)

    def change(self, what, args):
        raise ValueError(f"{what}: no such change")

    # what the control endpoint does

    def control(self, order):
        if isinstance(order, list):
            return [self.control(one) for one in order]
        unknown = set(order) - {"reset", "release", "set", "faults", "between"} - set(self.changes)
        if unknown:
            raise ValueError(f"no such order: {', '.join(sorted(unknown))}")
        done = {}
        with self.lock:
            if order.get("reset"):
                self.faults.clear()
                self.between.clear()
                self.log.clear()
            if order.get("release"):
                self.releases += 1
                self.held = 0
                self.released.notify_all()
            for name, value in order.get("set", {}).items():
                if name not in self.settings:
                    raise ValueError(f"no such setting: {name}")
                self.set[name] = value
            self.faults += [Fault(spec, self.kinds) for spec in order.get("faults", ())]
            if "between" in order:
                spec = order["between"]
                self.between.append([re.compile(spec.get("match", ""), re.M), spec.get("after", 1), spec["do"]])
            for what in self.changes:
                if what in order:
                    done[what] = self.change(what, order[what])
        return {"ok": True} | done

    def pick_fault(self, request, uploading=False):
        if not any(fault.uploading == uploading for fault in self.faults):
            return None
        sought = request.sought()
        picked, holding = None, []
        with self.lock:
            for fault in self.faults:
                if fault.uploading == uploading and fault.takes(request.method, sought):
                    if fault.kind != "latency":
                        picked = fault
                        break
                    holding.append(fault)
        for fault in holding:
            self.hold(fault)
        return picked

    def hold(self, fault):
        """So long as the fault says, or until all are let go."""
        end = math.inf if "until" in fault.spec else time.monotonic() + fault.seconds(1)
        with self.lock:
            before = self.releases
            self.held += 1
            while self.releases == before and time.monotonic() < end and not fault.is_over():
                self.released.wait(min(end - time.monotonic(), 0.01 if "until" in fault.spec else 3600))
            if self.releases == before:
                self.held -= 1

    def run_between(self, request):
        if not self.between:
            return
        sought = request.sought()
        with self.lock:
            for watch in list(self.between):
                if watch[0].search(sought):
                    watch[1] -= 1
                    if watch[1] == 0:
                        self.between.remove(watch)
                        watch[2]() if callable(watch[2]) else self.control(watch[2])

    def note(self, request, reply, fault):
        entry = {
            "method": request.method, "path": request.path, "query": request.query, "target": request.target,
            "headers": request.headers, "token": request.token(), "status": reply and reply.status,
            "body": self.logged_body(request), "fault": fault.kind if fault else None,
        }
        with self.lock:
            self.log.append(entry)

    # faults that replace the answer

    def reply(self, request, fault):
        if fault:
            made = getattr(self, "reply_" + fault.kind, None)
            if made:
                return made(request, fault)
            request.quirk = fault.kind
        reply = self.attempt(request)
        if fault and fault.kind == "headers":
            edit_headers(reply.headers, fault.spec["headers"])
        return reply

    def attempt(self, request):
        try:
            return self.answer(request)
        except Refusal as refusal:
            return refusal.reply
        except Exception:       # a hole in the stand-in: say so here, and as the service would
            traceback.print_exc()
            return self.failure(500)

    def reply_status(self, request, fault):
        reply = self.failure(fault.spec["status"])
        if "body" in fault.spec:
            is_text = isinstance(fault.spec["body"], str)
            reply = Reply(reply.status, fault.body(""), "text/html" if is_text else reply.headers["Content-Type"])
        edit_headers(reply.headers, fault.spec.get("headers", {}))
        return reply

    def reply_html(self, request, fault):
        return Reply(200, fault.body(LOGIN_PAGE), "text/html;charset=utf-8")

    def reply_nonsense(self, request, fault):
        return Reply(200, fault.body('[{"a":"1"},,{"b":}\n,]]\n'))

    def reply_not_json_object(self, request, fault):
        return Reply(200, fault.body('{ "error" : true, "message" : "Internal error" }\n'))

    def reply_redirect(self, request, fault):
        return Reply(fault.spec.get("status", 302), "", "text/html", {"Location": fault.spec["to"]})

    def reply_202(self, request, fault):
        reply = Reply(202)
        variant = fault.spec.get("variant", "empty")
        if variant == "location":
            path = f"/asynchronous/{len(self.waiting) + 1}"
            self.waiting[path] = request.url
            reply.headers["Location"] = request.base + path
        elif variant == "ticket":
            reply.body = b'{"ticket":"8a6f2c0e"}\n'
        if "retry_after" in fault.spec:
            reply.headers["Retry-After"] = str(fault.spec["retry_after"])
        return reply


def edit_headers(headers, edits):
    for name, value in edits.items():
        for present in [h for h in headers if h.lower() == name.lower()]:
            del headers[present]
        if value is not None:
            headers[name] = str(value)


def member(thing, path):
    for name in path.split("."):
        thing = thing.get(name) if isinstance(thing, dict) else None
    return int(thing) if isinstance(thing, float) and thing.is_integer() else thing


def ndjson(request, objects):
    """A list of our own: one object on each line, or an array of the members that the request picks."""
    if "pick" in request.query:
        paths = request.query["pick"].split(",")
        picked = ([member(thing, path) for path in paths] for thing in objects)
        text = "".join(json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n" for values in picked)
    else:
        text = "".join(json.dumps(thing, ensure_ascii=False) + "\n" for thing in objects)
    return Reply(200, text, "application/x-ndjson")


def zeros(size):
    """Yields `size` zeros as one gzip member, the same compressed block again and again."""
    block = bytes(1 << 20)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = squeeze.compress(block) + squeeze.flush(zlib.Z_FULL_FLUSH)
    yield b"\x1f\x8b\x08\0\0\0\0\0\x02\x03"
    crc = 0
    for _ in range(size >> 20):
        crc = zlib.crc32(block, crc)
        yield packed
    rest = bytes(size & 0xfffff)
    yield squeeze.compress(rest) + squeeze.flush()
    yield struct.pack("<II", zlib.crc32(rest, crc), size & 0xffffffff)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def handle(self):
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            pass                # clients may leave when they like

    def handle_expect_100(self):
        return True             # read_body() says when it is wanted

    def serve(self):
        app = self.server.app
        target = self.requestline.split()[1]            # self.path lacks the second of two leading slashes
        request = app.request(self.command, app.waiting.get(target, target), self.headers, b"")
        length = int(self.headers.get("Content-Length", 0))
        fault = app.pick_fault(request, uploading=True) if length else None
        if fault:
            return self.strike_upload(request, fault, length)
        reply = app.refuse_early(request)
        if reply:
            self.close_connection = True
            app.note(request, reply, None)
            self.send(request, reply)
            return self.linger()
        request.body = self.read_body(length)
        unread = "Transfer-Encoding" in self.headers    # chunks: nobody here takes them
        if unread:
            self.close_connection = True
        if len(request.body) < length:
            self.close_connection = True
            return app.note(request, None, None)
        reply = app.own(request)
        if reply:
            return self.send(request, reply)
        fault = app.pick_fault(request)
        reply = app.reply(request, fault)
        app.note(request, reply, fault)
        app.run_between(request)
        self.send(request, reply, fault)
        if unread:
            self.linger()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = serve

    def read_body(self, length):
        if length and self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        return self.rfile.read(length) if length else b""

    def strike_upload(self, request, fault, length):
        """Breaks off while the client is still sending."""
        self.close_connection = True
        request.body = self.read_body(fault.share(length))
        reply = self.server.app.reply_status(request, fault) if fault.kind == "upload_refused" else None
        self.server.app.note(request, reply, fault)
        if reply:
            self.send(request, reply)
            self.linger()
        elif fault.kind == "upload_reset":
            self.reset()
        elif fault.kind == "upload_stall":
            time.sleep(fault.seconds(3600))

    def linger(self):
        """Takes what the client still sends: closing on unread bytes would make a RST, which overtakes our answer."""
        self.connection.settimeout(60)
        self.connection.shutdown(socket.SHUT_WR)
        try:
            while self.connection.recv(65536):
                pass
        except OSError:
            pass

    # how a reply leaves

    def send(self, request, reply, fault=None):
        kind = fault.kind if fault else None
        if kind == "no_reply":
            self.close_connection = True
            return
        if kind == "short":
            reply.body = reply.body[:fault.part(reply.body)]
        if kind == "bad_gzip":
            self.damage(reply)
        elif kind == "gzip_bomb":
            return self.send_bomb(reply, fault)
        elif (reply.compress and reply.status == 200 and "gzip" in request.headers.get("accept-encoding", "")
              and not (fault and "lines" in fault.spec)):
            reply.body = gzip.compress(reply.body, 1)
            reply.headers["Content-Encoding"] = "gzip"
        broken = getattr(self, "fault_" + kind, None) if kind else None
        if broken:
            self.close_connection = True
            broken(reply, fault)
        elif self.command == "HEAD":
            self.wfile.write(self.head(reply, len(reply.body)))
        elif reply.chunked:
            self.send_chunks(reply, reply.body)
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.write(self.head(reply, len(reply.body)), reply.body)

    def head(self, reply, length):
        """The status line and headers; `length` None is a chunked body."""
        lines = [f"HTTP/1.1 {reply.status} {self.responses.get(reply.status, ('',))[0]}",
                 "Server: " + self.server.app.name, "Date: " + email.utils.formatdate(self.server.app.now(), usegmt=True)]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        if reply.status not in (204, 304):
            lines.append("Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}")
        if self.close_connection:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def write(self, head, body):
        if len(body) < 65536:
            self.wfile.write(head + body)
        else:
            self.wfile.write(head)
            self.wfile.write(body)

    def send_chunks(self, reply, body):
        self.wfile.write(self.head(reply, None))
        for at in range(0, len(body), 65536):
            chunk = body[at:at + 65536]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))

    def send_part(self, reply, fault):
        part = reply.body[:fault.part(reply.body)] if self.command != "HEAD" else b""
        self.write(self.head(reply, len(reply.body)), part)

    fault_cut = send_part

    def fault_cut_chunked(self, reply, fault):
        self.send_chunks(reply, reply.body[:fault.part(reply.body)])

    def fault_reset(self, reply, fault):
        self.send_part(reply, fault)
        self.wait_for_arrival()
        self.reset()

    def wait_for_arrival(self):
        """Until what was sent is with the client, for a minute at most: RST overtakes what is under way."""
        end = time.monotonic() + 60
        while time.monotonic() < end and self.is_open() and any(fcntl.ioctl(self.connection, termios.TIOCOUTQ, bytes(4))):
            time.sleep(0.001)

    def is_open(self):
        return self.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] in (1, 8)  # ESTABLISHED, CLOSE_WAIT

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())      # a plain close() would send FIN first

    def fault_stall(self, reply, fault):
        self.send_part(reply, fault)
        time.sleep(fault.seconds(3600))

    def fault_drip(self, reply, fault):
        self.wfile.write(self.head(reply, len(reply.body)))
        for byte in reply.body:
            self.wfile.write(bytes((byte,)))
            time.sleep(fault.seconds(1))

    def damage(self, reply):
        """Half of the body, then a block of the type that deflate has not (RFC 1951 3.2.3)."""
        squeeze = zlib.compressobj(6, zlib.DEFLATED, 31)
        half = squeeze.compress(reply.body[:len(reply.body) // 2]) + squeeze.flush(zlib.Z_FULL_FLUSH)
        reply.body = half + b"\x07" + bytes(64)
        reply.headers["Content-Encoding"] = "gzip"

    def send_bomb(self, reply, fault):
        self.close_connection = True
        reply.headers["Content-Encoding"] = "gzip"
        self.wfile.write(self.head(reply, None))
        for piece in zeros(fault.spec.get("bytes", 1 << 30)):
            if piece:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def options(app_class, **words):
    """An option parser with --port and an option for each setting of the server."""
    parser = argparse.ArgumentParser(**words)
    parser.add_argument("--port", type=int, default=0)
    for name, default in app_class.settings.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(default, bool):
            parser.add_argument(flag, dest=name, action="store_true")
        elif isinstance(default, list):
            parser.add_argument(flag, dest=name, action="append", default=[])
        else:
            parser.add_argument(flag, dest=name, type=type(default), default=default)
    return parser


def serve(app, args, handler=Handler):
    app.set = {name: getattr(args, name) for name in app.settings}
    app.prepare()
    server = Server(("127.0.0.1", args.port), handler)
    server.app = app
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()

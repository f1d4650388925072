#!/usr/bin/env python3
"""https_hosts - an HTTPS proxy that leads real host names to stand-ins, so that a command runs as it is printed.

    https_hosts.py --certificate FILE HOST=URL...

For each HOST, whoever connects through this proxy reaches the stand-in at URL, an http:// address on this machine, and sees a
certificate for HOST, which is written to FILE: trust it with CURL_CA_BUNDLE=FILE.  Any other host, and plain http, is
refused (403) and named on standard error.  Like every stand-in it prints its own URL, for https_proxy, and serves until
it is killed.
"""
import argparse
import re
import select
import socket
import socketserver
import ssl
import subprocess
import sys
import tempfile
import urllib.parse


def make_certificate(path, hosts):
    """A key and a self-signed certificate for all hosts, in a context for the server's side; the certificate goes to path."""
    with tempfile.NamedTemporaryFile() as key:
        names = ",".join(f"DNS:{host}" for host in hosts)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key.name, "-out", path, "-days", "90", "-subj", "/CN=stand-in", "-addext",
                        f"subjectAltName={names}"], check=True, stderr=subprocess.DEVNULL)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path, key.name)
    return context


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.request.recv(1)         # no more than the head: what follows is TLS
            if not byte:
                return
            head += byte
        line = head.split(b"\r\n")[0].decode("latin-1")
        found = re.match(r"CONNECT ([^:]+):443 ", line)
        if found is None or found[1] not in self.server.places:
            print(f"https_hosts: refused: {line}", file=sys.stderr, flush=True)
            self.request.sendall(b"HTTP/1.1 403 no stand-in for this host\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        self.request.sendall(b"HTTP/1.1 200 connected\r\n\r\n")
        try:
            with self.server.context.wrap_socket(self.request, server_side=True) as client, \
                    socket.create_connection(self.server.places[found[1]]) as server:
                relay(client, server)
        except (OSError, ssl.SSLError):         # either side hung up
            pass


def relay(client, server):
    """Both ways until one side closes.  One thread, since a TLS connection must not be read and written by two."""
    while True:
        ready = [client] if client.pending() else select.select([client, server], [], [])[0]
        for side, other in ((client, server), (server, client)):
            if side in ready:
                part = side.recv(65536)
                if not part:
                    return
                other.sendall(part)


class Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate", required=True)
    parser.add_argument("hosts", nargs="+", metavar="HOST=URL")
    args = parser.parse_args()
    with Proxy(("127.0.0.1", 0), Connection) as proxy:
        proxy.places = {}
        for pair in args.hosts:
            host, url = pair.split("=", 1)
            place = urllib.parse.urlsplit(url)
            proxy.places[host] = (place.hostname, place.port)
        proxy.context = make_certificate(args.certificate, proxy.places)
        print(f"http://127.0.0.1:{proxy.server_address[1]}", flush=True)
        proxy.serve_forever()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Stands between libpq and PostgreSQL, and cuts the first connection at its COMMIT.

    pgproxy.py REAL_DIR OWN_DIR before|after|gone

Both are directories of sockets.  before: the server never sees the COMMIT.  after: it commits, and the client never hears
of it.  gone: as after, and nobody is let in again.  Prints OWN_DIR once it listens.
"""
import os
import socket
import sys
import threading

real, own, when = sys.argv[1:]
cut_done = False


def close(*socks):
    for s in socks:
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        s.close()


def to_client(client, server, state):
    try:
        while data := server.recv(65536):
            if state["committing"]:
                break
            client.sendall(data)
    except OSError:
        pass
    close(client, server)


def to_server(client, server, state):
    global cut_done
    try:
        while data := client.recv(65536):
            if not cut_done and b"COMMIT\0" in data:
                cut_done = True
                if when == "before":
                    break
                state["committing"] = True
            server.sendall(data)
    except OSError:
        pass
    if not state["committing"]:
        close(client, server)


os.makedirs(own, exist_ok=True)
listener = socket.socket(socket.AF_UNIX)
listener.bind(own + "/.s.PGSQL.5432")
listener.listen()
print(own, flush=True)
while True:
    peer, _ = listener.accept()
    if cut_done and when == "gone":
        close(peer)
        continue
    upstream = socket.socket(socket.AF_UNIX)
    upstream.connect(real + "/.s.PGSQL.5432")
    about = {"committing": False}
    threading.Thread(target=to_client, args=(peer, upstream, about), daemon=True).start()
    threading.Thread(target=to_server, args=(peer, upstream, about), daemon=True).start()

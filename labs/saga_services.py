"""The services of the exercise saga_orchestration behind HTTP, in a process of their own: effects outlive every worker.

Run as `python -m labs.saga_services PORT PLAN`, PLAN being the fields of an exercise's `Plan` as JSON. `POST /charge`
with a key and an order is one request: 200 done, 409 rejected, 503 busy. Where the plan wants no answer there is none:
the connection stays open and silent, and the caller has to know how long it waits. `GET /seen` tells everything so far.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from exercises.attack import Clock
from exercises.saga_orchestration.services import Busy, Line, NoAnswer, Rejected, World

HOST = "127.0.0.1"
SILENCE = 30.0  # seconds; longer than anybody here waits
STATUS = {None: 200, Rejected: 409, Busy: 503}


class WallClock(Clock):
    """The exercise's clock, which only counts steps, with the time of day beside each."""

    def note(self, who: str, what: str, **details) -> dict:
        return super().note(who, what, time=time.time(), **details)


class Counter:
    """Stands where the exercise has a process to kill: here processes are real, so it only counts."""

    name = "a worker"

    def __init__(self, clock: Clock):
        self.clock = clock

    def step(self, what: str) -> None:
        self.clock.steps += 1
        self.clock.note(self.name, what, step=self.clock.steps)


class Shop(ThreadingHTTPServer):
    """All services; one request after the other."""

    daemon_threads, request_queue_size = True, 64

    def __init__(self, port: int, plan: dict):
        self.clock, self.one_by_one, self.requests = WallClock(), threading.Lock(), []
        self.world = World(self.clock, plan["faults"], map(tuple, plan["rejects"]), plan["silent"])
        self.line = Line(self.world, Counter(self.clock))
        super().__init__((HOST, port), Request)

    def ask(self, service: str, key: str, order: str) -> type | None:
        """Carries one request out, or not; the kind of its answer."""
        with self.one_by_one:
            request = {"time": time.time(), "service": service, "key": key, "order": order, "answer": "done"}
            self.requests.append(request)
            try:
                return self.line.ask(service, key, order)
            except (Rejected, Busy, NoAnswer) as answer:
                request["answer"] = type(answer).__name__
                return type(answer)

    def seen(self) -> dict:
        with self.one_by_one:
            return {"steps": self.clock.steps, "events": list(self.clock.events), "effects": list(self.world.effects),
                    "requests": list(self.requests)}


class Request(BaseHTTPRequestHandler):
    """One connection, one request."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = self.server.ask(self.path.strip("/"), body["key"], body["order"])
        if answer is NoAnswer:
            time.sleep(SILENCE)
        else:
            self.reply(STATUS[answer])

    def do_GET(self) -> None:
        self.reply(200, json.dumps(self.server.seen()).encode())

    def reply(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *what) -> None:
        """Nothing: what happened is in `seen`."""


if __name__ == "__main__":
    Shop(int(sys.argv[1]), json.loads(sys.argv[2])).serve_forever()

"""One scene: orders, services with faults, and workers to kill, on a Temporal server that is shared by all scenes.

What comes out is a `Run` of the exercise saga_orchestration, so that the exercise's own rules judge it: what the
services did, and how each order ended in the eyes of Temporal.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from dataclasses import asdict
from pathlib import Path

from exercises.attack import Finding
from exercises.saga_orchestration import Plan, rules
from exercises.saga_orchestration.stage import Run
from labs.servers.process import HOST, Server, free_ports, wait_until
from labs.servers.temporal import Temporal
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHistory

from .recorders.background import Background
from .saga_parts import RULES

ROOT = Path(__file__).parents[1]


class Scene:
    """`with Scene(temporal, plan) as scene:` has services of its own; workers and orders come as you ask for them.

    `keys` is how workers name a request: "derived" from the workflow, or "random". `events` lists
    (time.time(), what was done, to whom).
    """

    def __init__(self, temporal: Temporal, plan: Plan, name: str = "scene", keys: str = "derived", quiet: bool = False):
        if keys not in ("derived", "random"):
            raise ValueError(f"keys: {keys!r} is not 'derived' or 'random'")
        self.temporal, self.plan, self.name, self.keys, self.quiet = temporal, plan, name, keys, quiet
        self.workers: dict[str, Server] = {}
        self.events: list[tuple[float, str, str]] = []
        self.placed: dict[str, str] = {}  # order -> workflow id
        self.port, = free_ports(1)
        self.background = Background()

    # Starting and ending

    def start(self) -> Scene:
        """Starts the services; the first workers wait until these listen."""
        self.began = time.time()
        plan = json.dumps(asdict(self.plan))
        self.services = self._process("services", "labs.saga_services", str(self.port), plan)
        self.client = self.background.do(Client.connect(self.temporal.address), 120)
        return self

    def stop(self) -> None:
        """Ends workers and services; what they did is gone with them."""
        for server in (*self.workers.values(), self.services):
            server.stop(patience=1)
        self.background.close()

    def __enter__(self) -> Scene:
        return self.start()

    def __exit__(self, *exception) -> None:
        self.stop()

    # Workers

    def work(self, *names: str) -> None:
        """Starts workers and waits until they work."""
        addresses = self.temporal.address, f"{HOST}:{self.port}"
        for name in names:
            self.workers[name] = self._process(name, "labs.saga_worker", *addresses, self.name, self.keys)
        self.services.wait_ready(self._served)  # both take their time, so they take it together
        for name in names:
            self.workers[name].wait_ready(lambda name=name: "working" in self.workers[name].log_tail())
            self._note("started", name)

    def kill(self, name: str) -> None:
        """SIGKILL to a worker."""
        if name not in self.workers or not self.workers[name].alive:
            raise ValueError(f"name: {name!r} is not a running worker")
        self.workers[name].kill()
        self._note("killed", name)

    def kill_temporal(self) -> None:
        """SIGKILL to the Temporal server itself."""
        self.temporal.kill()
        self.events.append((time.time(), "killed", "Temporal"))

    def restart_temporal(self) -> None:
        """Starts it again; clients and workers find it by themselves."""
        self.temporal.restart()
        self.events.append((time.time(), "restarted", "Temporal"))

    def _process(self, name: str, module: str, *arguments: str) -> Server:
        return self.temporal.sandbox.start(f"{self.name}-{name}", [sys.executable, "-m", module, *arguments],
                                           PYTHONPATH=str(ROOT))

    def _note(self, what: str, who: str) -> None:
        self.events.append((time.time(), what, who))
        if not self.quiet:
            print(f"{time.time() - self.began:5.1f} s  {who} {what}", flush=True)

    # Orders

    def order(self, order: str, workflow: str = "Saga", *more) -> None:
        """Starts an order's workflow; its id is the scene and the order."""
        self.placed[order] = f"{self.name}/{order}"
        self.background.do(self.client.start_workflow(workflow, args=[order, *more], id=self.placed[order],
                                                      task_queue=self.name), 120)

    def wait(self, order: str, timeout: float = 300.0) -> str:
        """How an order ended, once it has."""
        result = self.background.do(self.client.get_workflow_handle(self.placed[order]).result(), timeout)
        if not self.quiet:
            print(f"{time.time() - self.began:5.1f} s  {order}: {result}", flush=True)
        return result

    def status(self, order: str) -> str:
        """`done`, `failed`, or `pending` while the workflow runs."""
        return self.background.do(self._status(self.client.get_workflow_handle(self.placed[order])), 120)

    async def _status(self, handle) -> str:
        running = (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
        return "pending" if running else await handle.result()

    def history(self, order: str) -> WorkflowHistory:
        """All that Temporal has written down about an order."""
        return self.background.do(self.client.get_workflow_handle(self.placed[order]).fetch_history(), 120)

    # What happened

    def seen(self) -> dict:
        """What the services did and were asked, so far."""
        with urllib.request.urlopen(f"http://{HOST}:{self.port}/seen", timeout=60) as answer:
            return json.load(answer)

    def wait_request(self, service: str, order: str, timeout: float = 120.0) -> None:
        """Waits until a request for an order has reached a service."""
        wait_until(lambda: self.times(service, order), timeout, f"a request: {service} {order}")

    def times(self, service: str, order: str) -> list[float]:
        """When requests for an order reached a service, in seconds since the scene began."""
        return [request["time"] - self.began for request in self.seen()["requests"]
                if (request["service"], request["order"]) == (service, order)]

    def run(self) -> Run:
        """The evidence in the exercise's form."""
        seen, plan = self.seen(), json.loads(json.dumps(asdict(self.plan)))
        crashes = [{"what": "crash", "who": who, "fault": True, "before": "the answer", "step": "", "time": when}
                   for when, what, who in self.events if what == "killed"]
        events = sorted(seen["events"] + crashes, key=lambda event: event["time"])
        return Run(plan=plan, steps=seen["steps"], events=events, effects=seen["effects"],
                   orders={order: self.status(order) for order in self.placed}, held={}, most_held={})

    def in_effect(self, order: str) -> dict[str, int]:
        """How often each step of an order is in effect: done less undone."""
        return rules.net(self.run(), order)

    def judge(self) -> Finding | None:
        """The first rule of the exercise that this scene broke; None if all hold."""
        return rules.finding(self.run(), RULES)

    def _served(self) -> bool:
        try:
            return bool(self.seen())
        except OSError:  # not yet listening
            return False

"""A worker: a process that runs the saga's workflows and asks the services, to be killed at any time.

Run as `python -m labs.saga_worker TEMPORAL SERVICES QUEUE KEYS`: two addresses, the task queue it serves, and how it
makes the key of a request, "derived" or "random".
"""

import asyncio
import json
import sys
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from exercises.saga_orchestration.services import FORWARD, UNDO, Busy, NoAnswer, Rejected

from .saga_versions import BOTH_CLOCKS, BUILD
from .saga_workflow import Saga, TellsThemApart, TrustsItsNotes

ANSWER_WITHIN = 1.0  # seconds a request waits for its answer; less than START_TO_CLOSE, which is for dead workers
STICKY = timedelta(seconds=1)  # how long the server waits for the worker that knows the workflow, before it asks any
ANSWERS = {409: Rejected, 503: Busy}


def derived(service: str) -> str:
    """The same key in every try of every worker: what is done or undone, and for which workflow."""
    return f"{UNDO.get(service, service)} {activity.info().workflow_id}"


def random(service: str) -> str:
    """A new key for each try."""
    return f"{service} {uuid.uuid4()}"


def send(url: str, service: str, key: str, order: str) -> None:
    """One request over HTTP; raises what the exercise's services raise."""
    body = json.dumps({"key": key, "order": order}).encode()
    try:
        urllib.request.urlopen(f"http://{url}/{service}", body, timeout=ANSWER_WITHIN).close()
    except urllib.error.HTTPError as answer:
        raise ANSWERS[answer.code](f"{service} {order}") from None
    except OSError as silence:
        raise NoAnswer(f"{service} {order}: {silence}") from None


def requests(url: str, key_of) -> list:
    """One activity for each service, under the service's name."""
    def request(service):
        @activity.defn(name=service)
        def ask(order: str) -> None:
            send(url, service, key_of(service), order)
        return ask
    return [request(service) for service in (*FORWARD, *UNDO)]


async def main(temporal: str, services: str, queue: str, keys: str) -> None:
    """Works until it is killed."""
    client = await Client.connect(temporal)
    with ThreadPoolExecutor(16) as threads:
        worker = Worker(client, task_queue=queue, workflows=[Saga, TrustsItsNotes, TellsThemApart, *BOTH_CLOCKS],
                        activities=requests(services, {"derived": derived, "random": random}[keys]),
                        activity_executor=threads, sticky_queue_schedule_to_start_timeout=STICKY, build_id=BUILD)
        async with worker:
            print("working", flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

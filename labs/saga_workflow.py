"""The saga of the exercise as Temporal workflows: an order's way through four services, and the way back.

`Saga` is the one to read. Temporal writes down every step and its result in the workflow's history; a worker that takes
over calls `run` again from its first line, and `ask` returns at once whatever the history knows already. That is why a
local variable can be the saga's memory. `TrustsItsNotes` differs from it by the place of one line, and `TellsThemApart`
by who counts to three.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

UNDO = {"reserve": "release", "charge": "refund"}
PATIENCE = 3
START_TO_CLOSE = timedelta(seconds=3)      # of one try: after that a worker counts as dead
SCHEDULE_TO_CLOSE = timedelta(seconds=60)  # of all tries: no customer waits longer for an answer that may be no

AGAIN = {"initial_interval": timedelta(seconds=0.2), "backoff_coefficient": 2.0,
         "maximum_interval": timedelta(seconds=1), "non_retryable_error_types": ["Rejected"]}
ONCE = {"retry_policy": RetryPolicy(maximum_attempts=1)}
FOR_EVER = {"retry_policy": RetryPolicy(**AGAIN)}
THREE_TIMES = {"retry_policy": RetryPolicy(**AGAIN, maximum_attempts=PATIENCE),
               "schedule_to_close_timeout": SCHEDULE_TO_CLOSE}


async def ask(service: str, order: str, patience: dict = FOR_EVER) -> None:
    """One request as an activity; ActivityError if it was rejected, or if patience is at its end."""
    await workflow.execute_activity(service, order, start_to_close_timeout=START_TO_CLOSE, **patience)


async def take_back(steps: list[str], order: str) -> str:
    """Undoes these steps, the last one first."""
    for step in reversed(steps):
        await ask(UNDO[step], order)
    return "failed"


@workflow.defn
class Saga:
    """An order: reserve and charge can be undone, ship is the pivot, and mail must succeed."""

    @workflow.run
    async def run(self, order: str) -> str:
        begun: list[str] = []
        try:
            for step in UNDO:
                begun.append(step)  # before asking: a step without an answer may have been carried out
                await ask(step, order, THREE_TIMES)
            await ask("ship", order)
        except ActivityError:
            return await take_back(begun, order)
        await ask("mail", order)
        return "done"


@workflow.defn
class TrustsItsNotes:
    """The same, but only what was confirmed counts as done."""

    @workflow.run
    async def run(self, order: str) -> str:
        confirmed: list[str] = []
        try:
            for step in UNDO:
                await ask(step, order, THREE_TIMES)
                confirmed.append(step)
            await ask("ship", order)
        except ActivityError:
            return await take_back(confirmed, order)
        await ask("mail", order)
        return "done"


async def ask_until_told(service: str, order: str) -> None:
    """The exercise's rule: a rejection ends it, a busy service counts for nothing, and silence counts to three."""
    silences = 0
    while True:
        try:
            return await ask(service, order, ONCE)
        except ActivityError as failed:
            said = failed.cause.type if isinstance(failed.cause, ApplicationError) else "a timeout"
            silences += said != "Busy"
            if said == "Rejected" or silences == PATIENCE:
                raise
            await workflow.sleep(0.2)


@workflow.defn
class TellsThemApart:
    """The saga, counting for itself: its counter and its sleep are as durable as everything else in a workflow."""

    @workflow.run
    async def run(self, order: str) -> str:
        begun: list[str] = []
        try:
            for step in UNDO:
                begun.append(step)
                await ask_until_told(step, order)
            await ask("ship", order)
        except ActivityError:
            return await take_back(begun, order)
        await ask("mail", order)
        return "done"

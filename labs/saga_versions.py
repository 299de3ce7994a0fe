"""Workflow code that does not repeat itself, and what a replay says of it.

A worker that takes over runs a workflow's code again and compares what it asks for, command by command, with what the
history says was asked for. `verdict` does the same with a recorded history and any code, without a server.
"""

import logging
import re
import time

from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.exceptions import ActivityError
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Replayer

from .saga_workflow import THREE_TIMES, UNDO, ask, take_back


async def sell(order: str, open_now: bool) -> str:
    """Goods are reserved; who is in time pays, and who is late gives them back."""
    await ask("reserve", order)
    await ask("charge" if open_now else "release", order)
    return "paid" if open_now else "too late"


@workflow.defn(sandboxed=False)
class ReadsTheClock:
    """An offer with an end, judged by the clock of whichever machine runs the code."""

    @workflow.run
    async def run(self, order: str, ends: float) -> str:
        return await sell(order, time.time() < ends)


@workflow.defn
class AsksTheHistory:
    """The same offer, judged by the time that the history recorded."""

    @workflow.run
    async def run(self, order: str, ends: float) -> str:
        return await sell(order, workflow.time() < ends)


@workflow.defn(name="ReadsTheClock")
class InTheSandbox:
    """ReadsTheClock as the SDK runs it unless told otherwise."""

    @workflow.run
    async def run(self, order: str, ends: float) -> str:
        return await sell(order, time.time() < ends)


BUILD = "the lab"  # without a name of its own, the SDK reads every module that is loaded to make one: seconds here
BOTH_CLOCKS = (ReadsTheClock, AsksTheHistory)


async def through(steps, order: str) -> str:
    """The saga with its undoable steps in this order."""
    begun: list[str] = []
    try:
        for step in steps:
            begun.append(step)
            await ask(step, order, THREE_TIMES)
        await ask("ship", order)
    except ActivityError:
        return await take_back(begun, order)
    await ask("mail", order)
    return "done"


@workflow.defn(name="Saga")
class MoneyFirst:
    """The next release: charge, then reserve."""

    @workflow.run
    async def run(self, order: str) -> str:
        return await through(("charge", "reserve"), order)


@workflow.defn(name="Saga")
class MoneyFirstPatched:
    """The next release, which asks the history whether it began under the old one."""

    @workflow.run
    async def run(self, order: str) -> str:
        return await through(("charge", "reserve") if workflow.patched("money first") else UNDO, order)


@workflow.defn(name="Saga")
class ForAnother:
    """A mistake that no replay notices: the same steps, but for another order."""

    @workflow.run
    async def run(self, order: str) -> str:
        return await through(UNDO, f"not {order}")


async def verdict(history: WorkflowHistory, code: type) -> str:
    """"the same again", or what this code does differently from the history, in the SDK's words."""
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)  # the verdict says it, so the log need not
    silent = Runtime(telemetry=TelemetryConfig(logging=None))
    replayer = Replayer(workflows=[code], runtime=silent, build_id=BUILD)
    failure = (await replayer.replay_workflow(history, raise_on_replay_failure=False)).replay_failure
    return in_words(str(failure)) if failure else "the same again"


def in_words(failure: str) -> str:
    """The message inside what the SDK's core prints."""
    message = re.search(r'message: "(.*?)", source', failure)
    return message[1] if message else failure

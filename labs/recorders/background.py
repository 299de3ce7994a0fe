"""An asyncio loop in a thread of its own, so that a notebook can call asynchronous clients with ordinary calls.

A notebook's own thread already runs a loop (IPython's), and a client that publishes 500 records a second must not stop
while the reader thinks about the next cell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from threading import Thread


class Background:
    """A running loop; `do` waits for a coroutine's result, `start` lets it run on."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self._thread = Thread(target=self.loop.run_forever, name="lab-clients", daemon=True)
        self._thread.start()

    def start(self, work: Coroutine) -> Future:
        """Runs a coroutine in the background; its future holds the result, or what it raised."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def do(self, work: Coroutine, timeout: float | None = None):
        """The result of a coroutine, once it has one."""
        return self.start(work).result(timeout)

    def close(self) -> None:
        """Ends the loop and its thread; what still runs is cancelled."""
        if not self.loop.is_closed():
            self.do(_cancel_others())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            self.loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)

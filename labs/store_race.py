"""Several writers at one account, judged by the rules of the exercise; and how many appends a second a store takes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from exercises.attack import Finding
from exercises.event_sourcing import rules
from exercises.event_sourcing.stage import Run

RULES = (rules.error, rules.doubled, rules.gaps, rules.altered, rules.overdrawn, rules.mistaken, rules.meaning)
Order = tuple  # ("withdraw", command, stream, cents)


def race(withdraw: Callable[[str, str, int], bool], orders: list[list[Order]]) -> list[dict]:
    """Each list of orders is carried out by a thread of its own, all begin at once; the answers."""
    start = threading.Barrier(len(orders))

    def work(writer: int) -> list[dict]:
        start.wait()
        return [answered(withdraw, writer, number, order) for number, order in enumerate(orders[writer])]
    with ThreadPoolExecutor(len(orders)) as threads:
        return [answer for answers in threads.map(work, range(len(orders))) for answer in answers]


def answered(withdraw: Callable[[str, str, int], bool], writer: int, number: int, order: Order) -> dict:
    """One order and its answer, as the exercise records them."""
    answer = {"writer": writer, "order": number, "outcome": "ok", "error": None, "message": "", "returned": None}
    try:
        answer["returned"] = withdraw(*order[1:])
    except Exception as error:  # an answer like any other: the rules say whether it was allowed
        answer.update(outcome="fail", error=type(error).__name__, message=str(error))
    return answer


def judged(stored: list[list], before: list[list], orders: list[list[Order]], answers: list[dict]) -> list[Finding]:
    """What the store's rows and the answers break of the exercise's rules; `before` stood there from the beginning."""
    plan = {"stored": before, "orders": [[list(order) for order in each] for each in orders]}
    calls = [{"what": "call", "call": "withdraw", "about": "", "outcome": answer["outcome"], "error": answer["error"],
              "message": answer["message"]} for answer in answers]
    run = Run(plan, len(answers), calls, answers, [[*row[:5], json.dumps(row[5])] for row in stored])
    return [Finding(rule.__name__, sentence, "") for rule in RULES for sentence in rule(run)]


def throughput(opening: Callable[[str], None], threads: int, seconds: float = 1.0) -> float:
    """Appends a second of so many threads, each to a new stream: nobody is in anybody's way."""
    deadline = time.monotonic() + seconds

    def work(number: int) -> int:
        count = 0
        while time.monotonic() < deadline:
            opening(f"{threads}-{number}-{count}")
            count += 1
        return count
    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(work, range(threads))) / seconds

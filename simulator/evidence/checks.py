"""The judge: a history in, a report out, whichever broker or model wrote the history.

    report = check(run.history, run.system.guarantees)
    report.ok, report.broken, report.anomalies
"""

from __future__ import annotations

from .history import History
from .log_checks import log_findings
from .policy import Guarantees, permitted
from .queue_checks import queue_findings
from .queue_history import QueueHistory
from .replica_checks import replica_findings
from .report import Anomaly, Report, Verdict
from .transaction_checks import transaction_findings

__all__ = ["Anomaly", "Guarantees", "Report", "Verdict", "check", "permitted"]

LARGEST = 20  # anomalies of a kind that are spelled out; all are counted


def check(history: History | QueueHistory, guarantees: Guarantees = Guarantees(), *,
          limit: int | None = LARGEST) -> Report:
    """The verdict on a history, given what the system promised.

    `limit` is how many anomalies of a kind are spelled out, the largest; None spells out all of them.
    """
    if isinstance(history, QueueHistory):
        findings = queue_findings(history, guarantees, limit)
    else:
        findings = (log_findings(history, limit, guarantees.retention) | replica_findings(history)
                    | transaction_findings(history, limit))
    return Report(findings, permitted(guarantees), limit)

"""Exercises that attack what you wrote: one folder an exercise, one engine that attacks, one grader that judges."""

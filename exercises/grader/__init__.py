"""The grader: puts fresh checks into a learner's notebook, runs it in a limited process and judges what was recorded.

`release` makes the learner's notebook from its source, `assemble` the notebook that is graded, `plugin` teaches nbval
to notice dead kernels and to write a report, `run` starts the limited process, `fence` says what is refused in it,
`lint` flags tricks, `grading` scores, `report` writes tables. Points are keyed by exercise and check, never by the
position of a cell.
"""

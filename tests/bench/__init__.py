"""Speed and memory of the simulator.

`python -m tests.bench` prints a table, `test_ratios.py` holds what is safe to hold.
"""

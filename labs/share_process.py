"""A member of a share group in a process of its own: it acquires records and acknowledges nothing.

Run as `python share_process.py CONFIG TOPIC`; it prints the value of every record that it holds. Made to be killed.
"""

import json
import sys

from confluent_kafka import ShareConsumer

POLLS = 5  # until it is a member with a position

consumer = ShareConsumer(json.loads(sys.argv[1]))
consumer.subscribe([sys.argv[2]])
polls, messages = 0, []
while not messages:
    messages = consumer.poll(0.2)
    if (polls := polls + 1) == POLLS:
        print("ready", flush=True)
for message in messages:
    print(int(message.value()), flush=True)
sys.stdin.read()

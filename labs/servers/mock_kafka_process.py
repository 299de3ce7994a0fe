"""The process behind `mock_kafka`: librdkafka's mock cluster, driven by lines of JSON on standard input.

Run as `python mock_kafka_process.py LIBRARY BROKERS`. The first line it prints is {"bootstrap": "127.0.0.1:..."};
each line it reads, ["broker_set_down", 1], calls rd_kafka_mock_broker_set_down(cluster, 1), and is answered by a
line, {"answer": 0}. The functions are those of src/rdkafka_mock.h, which librdkafka calls experimental."""

import ctypes as C
import json
import os
import sys

INT, TEXT, POINTER, PRODUCER = C.c_int, C.c_char_p, C.c_void_p, 0
ERRORS = "errors"  # a list of error codes, handed over as its length and an array
ANSWERS = "answers"  # a list of (error code, milliseconds), handed over as its length and one argument after the other

# What may be called, with the types of the arguments after the cluster. A pointer without its type is cut in half.
FUNCTIONS = {
    "topic_create": (TEXT, INT, INT),
    "broker_set_down": (C.c_int32,),
    "broker_set_up": (C.c_int32,),
    "broker_set_rtt": (C.c_int32, INT),
    "partition_set_leader": (TEXT, C.c_int32, C.c_int32),
    "push_request_errors_array": (C.c_int16, ERRORS),
    "broker_push_request_error_rtts": (C.c_int32, C.c_int16, ANSWERS),
    "clear_request_errors": (C.c_int16,),
    "group_initial_rebalance_delay_ms": (C.c_int32,),
    "set_group_consumer_session_timeout_ms": (INT,),
    "set_group_consumer_heartbeat_interval_ms": (INT,),
    "sharegroup_set_session_timeout": (INT,),
    "sharegroup_set_heartbeat_interval": (INT,),
    "sharegroup_set_max_delivery_attempts": (INT,),
    "sharegroup_set_record_lock_duration": (INT,),
}
SETTERS = {"clear_request_errors", "push_request_errors_array", *(name for name in FUNCTIONS if "group" in name)}


class MockCluster:
    """A mock cluster inside this process."""

    def __init__(self, library: str, brokers: int):
        if hasattr(os, "add_dll_directory"):  # Windows looks for a library's own libraries only where it is told to
            os.add_dll_directory(os.path.dirname(library))
        self.library = C.CDLL(library)
        reason = C.create_string_buffer(512)
        conf = self._function("conf_new", POINTER)()
        conf_set = self._function("conf_set", INT, POINTER, TEXT, TEXT, POINTER, C.c_size_t)
        conf_set(conf, b"log_level", b"2", reason, 512)
        handle = self._function("new", POINTER, INT, POINTER, POINTER, C.c_size_t)(PRODUCER, conf, reason, 512)
        if not handle:
            raise RuntimeError(reason.value.decode())
        self.cluster = self._function("mock_cluster_new", POINTER, POINTER, INT)(handle, brokers)
        self.bootstrap = self._function("mock_cluster_bootstraps", TEXT, POINTER)(self.cluster).decode()

    def _function(self, name: str, result, *arguments):
        function = self.library["rd_kafka_" + name]
        function.restype, function.argtypes = result, arguments
        return function

    def call(self, name: str, *values) -> int:
        """The answer of one of FUNCTIONS: 0, or an error code of librdkafka."""
        types, arguments, more = [], [], []
        for kind, value in zip(FUNCTIONS[name], values, strict=True):
            if kind is ERRORS:
                types += [C.c_size_t, C.POINTER(INT)]
                arguments += [len(value), (INT * len(value))(*value)]
            elif kind is ANSWERS:
                types.append(C.c_size_t)
                arguments.append(len(value))
                more = [INT(number) for answer in value for number in answer]
            else:
                types.append(kind)
                arguments.append(value.encode() if kind is TEXT else value)
        result = None if name in SETTERS else INT
        return self._function("mock_" + name, result, POINTER, *types)(self.cluster, *arguments, *more) or 0

    def share(self, group: str, topic: str, partitions: int) -> int:
        """Every member of a share group gets every partition of a topic; the number of members."""
        find = self._function("mock_sharegroup_get_member_ids", INT, POINTER, TEXT, C.POINTER(C.POINTER(TEXT)),
                              C.POINTER(C.c_size_t))
        members, count = C.POINTER(TEXT)(), C.c_size_t()
        find(self.cluster, group.encode(), C.byref(members), C.byref(count))
        new = self._function("topic_partition_list_new", POINTER, INT)
        add = self._function("topic_partition_list_add_range", None, POINTER, TEXT, C.c_int32, C.c_int32)
        lists = (POINTER * count.value)(*(new(partitions) for _ in range(count.value)))
        for everything in lists:
            add(everything, topic.encode(), 0, partitions - 1)
        give = self._function("mock_sharegroup_target_assignment", None, POINTER, TEXT, C.POINTER(TEXT),
                              C.POINTER(POINTER), C.c_size_t)
        give(self.cluster, group.encode(), members, lists, count)
        return count.value


def main(library: str, brokers: str) -> None:
    """Serves until standard input ends, which it does with the parent."""
    cluster = MockCluster(library, int(brokers))
    print(json.dumps({"bootstrap": cluster.bootstrap}), flush=True)
    for line in sys.stdin:
        name, *values = json.loads(line)
        answer = cluster.share(*values) if name == "share" else cluster.call(name, *values)
        print(json.dumps({"answer": answer}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Time, randomness, nodes, network and disks: what every model stands on.

Knows no broker. The only room that imports SimPy. streams        named random streams: one per component, derived from
(seed, name) distributions  inverse distribution functions, and latency profiles from published percentiles world
virtual time, nodes, the evidence they write node           a machine with one process: crash, restart, pause, power
loss network        zones, links, fault rules, bytes counted disk           page cache, fsync, what survives a power
loss objectstore    GET, PUT, conditional PUT, LIST, DELETE: waits, limits, meters (profiles in objectstores.toml) raft
a group that agrees on one log: elections, replication (push or pull), commit faults         what can go wrong, as
values
"""

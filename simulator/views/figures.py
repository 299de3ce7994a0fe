"""Every figure in one place. Each takes recorded data and returns a Figure that says its finding and its seed."""

from .curves import compare, lag, latency_cdf, sweep, throughput, trace_faults
from .picture import Picture, caption, show
from .timelines import isr_gantt, space_time, topology

__all__ = [
    "Picture", "caption", "compare", "isr_gantt", "lag", "latency_cdf", "show", "space_time", "sweep", "throughput",
    "topology", "trace_faults"]
